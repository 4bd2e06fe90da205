//! What a call was, who made it, and whether it worked.

use rhai::{Dynamic, Map};
use serde_json::Value;

use super::{Call, Failure, Family, Row, as_shown, made, optional};
use crate::principal::Principal;
use crate::record::{Record, Ref, Scope};

pub(super) const FAMILY: Family = Family {
    name: "The call",
    doc: "What an event says about the call: whether it worked, who made it, with what, and what came back.",
    rows: &[
        Row {
            name: "succeeded",
            params: &["event"],
            doc: "True if the call did what it says: no `errorCode` (absent, `null` or empty), not a failed console sign-in, not a dry run.",
            examples: &[
                r#"succeeded(parse_json(`{"eventName":"StopLogging"}`))"#,
                r#"!succeeded(parse_json(`{"eventName":"StopLogging","errorCode":"AccessDenied"}`))"#,
                r#"!succeeded(parse_json(`{"eventName":"ConsoleLogin","responseElements":{"ConsoleLogin":"Failure"}}`))"#,
            ],
            run: |_, args| Ok(with_event(args, succeeded).unwrap_or(false).into()),
        },
        Row {
            name: "error_code",
            params: &["event"],
            doc: "The error code without EC2's `Client.` and `Server.` prefixes; `()` if the call has none.",
            examples: &[
                r#"error_code(parse_json(`{"errorCode":"Client.UnauthorizedOperation"}`)) == "UnauthorizedOperation""#,
                r#"error_code(parse_json(`{"errorCode":""}`)) == ()"#,
            ],
            run: |_, args| Ok(optional(with_event(args, |event| error_code(event).map(str::to_owned)).flatten())),
        },
        Row {
            name: "refused",
            params: &["event"],
            doc: "True if the call failed for want of permission (`AccessDenied`, `UnauthorizedOperation`, …).",
            examples: &[
                r#"refused(parse_json(`{"errorCode":"Client.UnauthorizedOperation"}`))"#,
                r#"!refused(parse_json(`{"errorCode":"ThrottlingException"}`))"#,
            ],
            run: |_, args| {
                Ok(with_event(args, |event| error_code(event).is_some_and(is_refusal)).unwrap_or(false).into())
            },
        },
        Row {
            name: "is_dry_run",
            params: &["event"],
            doc: "True if the call only asked whether it would be allowed (EC2 answers `DryRunOperation`).",
            examples: &[r#"is_dry_run(parse_json(`{"errorCode":"Client.DryRunOperation"}`))"#],
            run: |_, args| {
                Ok(with_event(args, |event| error_code(event) == Some("DryRunOperation")).unwrap_or(false).into())
            },
        },
        Row {
            name: "actor",
            params: &["event"],
            doc: "One principal for every shape of `userIdentity`: a map of `type`, `name`, `arn`, `role` (the IAM role's ARN), `account`, `session`, `access_key`, `service`, `mfa`; what the record does not say is `()`.",
            examples: &[
                r#"actor(parse_json(`{"userIdentity":{"type":"Root","accountId":"111122223333"}}`)).name == "root""#,
                r#"actor(parse_json(`{"userIdentity":{"type":"AssumedRole","arn":"arn:aws:sts::111122223333:assumed-role/ops/eve"}}`)).role == "arn:aws:iam::111122223333:role/ops""#,
                r#"actor(()).name == ()"#,
            ],
            run: |_, args| Ok(actor(args)),
        },
        Row {
            name: "account",
            params: &["event"],
            doc: "The account that the record is of: `recipientAccountId`, else the `AWSLogs/` folder it was delivered to, else `userIdentity.accountId`; for a resource its owner. `()` if unknown.",
            examples: &[r#"account(event) == "111122223333""#],
            run: |call, args| {
                Ok(match scope_of(call, args).account {
                    Some(account) => account.as_ref().into(),
                    None => optional(
                        with_event(args, |event| {
                            event
                                .text(&["recipientAccountId"])
                                .or_else(|| event.text(&["OwnerId"]))
                                .or_else(|| event.text(&["userIdentity", "accountId"]))
                                .map(str::to_owned)
                        })
                        .flatten(),
                    ),
                })
            },
        },
        Row {
            name: "region",
            params: &["event"],
            doc: "The region that the record is of: `awsRegion`, else the folder it was delivered to; for a resource where it was collected. `()` if unknown.",
            examples: &[r#"region(event) == "us-east-1""#],
            run: |call, args| {
                Ok(match scope_of(call, args).region {
                    Some(region) => region.as_ref().into(),
                    None => optional(with_event(args, |event| event.text(&["awsRegion"]).map(str::to_owned)).flatten()),
                })
            },
        },
        Row {
            name: "is_console",
            params: &["event"],
            doc: "True if a person clicked: the call came from the AWS Management Console.",
            examples: &[
                r#"is_console(parse_json(`{"userAgent":"console.amazonaws.com"}`))"#,
                r#"is_console(parse_json(`{"sessionCredentialFromConsole":"true"}`))"#,
                r#"!is_console(parse_json(`{"userAgent":"aws-cli/2.17.20"}`))"#,
            ],
            run: |_, args| Ok(with_event(args, is_console).unwrap_or(false).into()),
        },
        Row {
            name: "is_aws_service",
            params: &["event"],
            doc: "True if an AWS service made the call, for itself or on behalf of the identity that is named.",
            examples: &[
                r#"is_aws_service(parse_json(`{"userIdentity":{"type":"AWSService","invokedBy":"autoscaling.amazonaws.com"}}`))"#,
                r#"!is_aws_service(parse_json(`{"userIdentity":{"type":"IAMUser"}}`))"#,
            ],
            run: |_, args| {
                Ok(with_event(args, |event| {
                    let invoked_by = event
                        .text(&["userIdentity", "invokedBy"])
                        .is_some_and(|by| by.ends_with(".amazonaws.com") || by == "AWS Internal");
                    invoked_by || event.text(&["userIdentity", "type"]) == Some("AWSService")
                })
                .unwrap_or(false)
                .into())
            },
        },
        Row {
            name: "request",
            params: &["event"],
            doc: "`requestParameters`, readable: unwrapped from EC2's `…Request` dialect, without its `tag`/`content` remnants, with JSON that is held in strings parsed.",
            examples: &[
                r#"request(parse_json(`{"requestParameters":{"DeleteFlowLogsRequest":{"FlowLogId":{"tag":1,"content":"fl-1"}}}}`)).FlowLogId == "fl-1""#,
                r#"request(parse_json(`{"requestParameters":{"name":"t"}}`)).name == "t""#,
                r#"request(parse_json(`{"requestParameters":null}`)).name == ()"#,
            ],
            run: |call, args| unwrap(call, args, "requestParameters", "Request"),
        },
        Row {
            name: "response",
            params: &["event"],
            doc: "`responseElements`, readable in the same way.",
            examples: &[
                r#"response(parse_json(`{"responseElements":{"CreateNatGatewayResponse":{"xmlns":"x","natGateway":{"natGatewayId":"nat-1"}}}}`)).natGateway.natGatewayId == "nat-1""#,
            ],
            run: |call, args| unwrap(call, args, "responseElements", "Response"),
        },
    ],
};

fn with_event<T>(args: &[Dynamic], ask: impl FnOnce(Ref<'_>) -> T) -> Option<T> {
    as_shown(&args[0]).map(|event| ask(event.0.view()))
}

/// The scope of the record that is judged, if that is what is asked about; else unknown.
fn scope_of(call: &Call<'_>, args: &[Dynamic]) -> Scope {
    let record = call.env.record.borrow();
    let is_asked = |record: &&Record| as_shown(&args[0]).is_some_and(|shown| shown.0.is_same(&record.value));
    record.as_ref().filter(is_asked).map(|record| record.scope.clone()).unwrap_or_default()
}

fn error_code(event: Ref<'_>) -> Option<&str> {
    let code = event.text(&["errorCode"]).filter(|code| !code.is_empty())?;
    Some(code.strip_prefix("Client.").or_else(|| code.strip_prefix("Server.")).unwrap_or(code))
}

fn is_refusal(code: &str) -> bool {
    code.starts_with("AccessDenied")
        || code.starts_with("Unauthorized")
        || code.ends_with("AccessDenied")
        || matches!(
            code,
            "NotAuthorized"
                | "NotAuthorizedException"
                | "AuthorizationError"
                | "AuthorizationErrorException"
                | "AuthFailure"
                | "InsufficientPrivilegesException"
        )
}

fn succeeded(event: Ref<'_>) -> bool {
    let failed_sign_in = || {
        let name = event.text(&["eventName"]).unwrap_or_default();
        [&["responseElements", name], &["serviceEventDetails", name]]
            .iter()
            .any(|path| event.text(*path).is_some_and(|answer| answer.eq_ignore_ascii_case("failure")))
    };
    error_code(event).is_none() && !failed_sign_in()
}

fn is_console(event: Ref<'_>) -> bool {
    let from_console = event
        .get("sessionCredentialFromConsole")
        .and_then(Ref::scalar_text)
        .is_some_and(|told| told.eq_ignore_ascii_case("true"));
    let agent = event.text(&["userAgent"]).unwrap_or_default().trim_start_matches('[');
    let names_console =
        ["console.amazonaws.com", "signin.amazonaws.com", "console.ec2.amazonaws.com", "S3Console/", "AWS Console"]
            .iter()
            .any(|console| agent.starts_with(console));
    from_console
        || names_console
        || event.text(&["eventType"]) == Some("AwsConsoleSignIn")
        || event.text(&["eventType"]) == Some("AwsConsoleAction")
}

fn actor(args: &[Dynamic]) -> Dynamic {
    let principal = with_event(args, Principal::of).unwrap_or_default();
    let Principal { kind, name, arn, role, account, session, access_key, service, mfa } = principal;
    let mut map = Map::new();
    for (key, value) in [
        ("type", kind),
        ("name", name),
        ("arn", arn),
        ("role", role),
        ("account", account),
        ("session", session),
        ("access_key", access_key),
        ("service", service),
    ] {
        map.insert(key.into(), optional(value));
    }
    map.insert("mfa".into(), mfa.map_or(Dynamic::UNIT, Dynamic::from));
    map.into()
}

fn unwrap(call: &Call<'_>, args: &[Dynamic], field: &'static str, suffix: &str) -> Result<Dynamic, Failure> {
    let Some(event) = as_shown(&args[0]) else { return Ok(Dynamic::UNIT) };
    let known = call
        .env
        .unwrapped
        .borrow()
        .iter()
        .find(|(name, node, _)| *name == field && node.is_same(&event.0))
        .map(|(_, _, value)| value.clone());
    if let Some(value) = known {
        return Ok(value);
    }
    let Some(inner) = event.0.get(field) else { return Ok(Dynamic::UNIT) };
    let mut value = inner.view().to_json();
    call.charge(value.to_string().len() / 64)?;
    if let Value::String(text) = &value {
        value = super::json::parse(text).unwrap_or_else(|| value.clone());
    }
    if let Value::Object(members) = &mut value
        && members.len() == 1
        && members.keys().next().is_some_and(|name| name.ends_with(suffix))
        && members.values().next().is_some_and(|inner| inner.is_object() || inner.as_str() == Some(""))
    {
        let inner = std::mem::take(members).into_iter().next().map(|(_, inner)| inner).unwrap_or_default();
        value = if inner.is_object() { inner } else { Value::Object(serde_json::Map::new()) };
        if let Value::Object(members) = &mut value {
            members.remove("xmlns");
        }
    }
    let shown = if value.is_object() { made(&readable(value, 0)) } else { Dynamic::UNIT };
    call.env.unwrapped.borrow_mut().push((field, event.0, shown.clone()));
    Ok(shown)
}

/// Strips the remnants of EC2's XML and parses JSON that is held in strings.
fn readable(value: Value, depth: usize) -> Value {
    match value {
        Value::Object(mut members) => {
            if members.len() == 2 && members.contains_key("tag") && members.contains_key("content") {
                return readable(members.remove("content").unwrap_or_default(), depth);
            }
            if members.len() == 1 && members.contains_key("tag") && members["tag"].is_number() {
                return Value::Null;
            }
            members.into_iter().map(|(key, value)| (key, readable(value, depth))).collect()
        }
        Value::Array(items) => items.into_iter().map(|item| readable(item, depth)).collect(),
        // JSON within JSON within JSON is nobody's request.
        Value::String(text) if depth < 3 => match super::json::parse(&text) {
            Some(inner) => readable(inner, depth + 1),
            None => Value::String(text),
        },
        scalar => scalar,
    }
}
