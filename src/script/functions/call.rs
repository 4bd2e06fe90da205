//! What a call was, who made it, and whether it worked.

use std::borrow::Cow;

use rhai::{Dynamic, Map};
use serde_json::Value as Json;

use super::{Call, Failure, Family, Lowered, Row, as_shown, made, optional, text_or_nothing};
use crate::call::{bare, error_code, is_failure, succeeded};
use crate::principal::{Principal, Texts, Via};
use crate::record::{Kind, Record, Ref, Scope};
use crate::script::predicate::{Function, Value};
use crate::script::value::show;
use crate::sessions;

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
            doc: "One principal for every shape of `userIdentity`: a map of `type`, `name`, `arn`, `role` (the IAM role's ARN), `account`, `session`, `access_key`, `service`, `mfa`; what the record does not say is `()`. With `cloudtrail/sessions` in `uses:` it also says who began the session, by the calls in the input that gave it out: `origin`, the first principal, with the same members (`()` if unknown; of type `AWSAccount` where only its account is known); `chain`, the ARNs of the roles on the way; and `via`, how the first principal got in: `\"console\"`, `\"key\"` (a long-term access key), `\"service\"`, `\"federation\"`, or `()` if unknown.",
            examples: &[
                r#"actor(parse_json(`{"userIdentity":{"type":"Root","accountId":"111122223333"}}`)).name == "root""#,
                r#"actor(parse_json(`{"userIdentity":{"type":"AssumedRole","arn":"arn:aws:sts::111122223333:assumed-role/ops/eve"}}`)).role == "arn:aws:iam::111122223333:role/ops""#,
                r#"actor(()).name == ()"#,
            ],
            run: actor,
        },
        Row {
            name: "account",
            params: &["event"],
            doc: "The account that the record is of: `recipientAccountId`, else the `AWSLogs/` folder it was delivered to, else `userIdentity.accountId`; for a resource its owner. `()` if unknown.",
            examples: &[r#"account(event) == "111122223333""#],
            run: |call, args| {
                Ok(match scope_of(call, args).account {
                    Some(account) => account.as_ref().into(),
                    None => optional(with_event(args, |event| account_in(event).map(str::to_owned)).flatten()),
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
                    None => optional(with_event(args, |event| region_in(event).map(str::to_owned)).flatten()),
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
                    let invoked_by = event.text(&["userIdentity", "invokedBy"]).is_some_and(is_service);
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
    lowered: &[
        ("succeeded", 1, Lowered::OfEvent(&[(has_no_code, &[&["errorCode"]]), (is_no_failed_sign_in, SIGN_IN)])),
        ("error_code", 1, Lowered::OfEvent(&[(code, &[&["errorCode"]])])),
        ("refused", 1, Lowered::OfEvent(&[(is_refused, &[&["errorCode"]])])),
        ("is_dry_run", 1, Lowered::OfEvent(&[(is_dry, &[&["errorCode"]])])),
        ("is_console", 1, Lowered::OfEvent(&[(by_console, &[&[]])])),
        ("request", 1, Lowered::OfEvent(&[(plain_request, &[&[]])])),
        ("response", 1, Lowered::OfEvent(&[(plain_response, &[&[]])])),
        (
            "is_aws_service",
            1,
            Lowered::OfEvent(&[(by_service, &[&["userIdentity", "invokedBy"], &["userIdentity", "type"]])]),
        ),
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

/// The account that a record is of, as far as its text tells.
pub(crate) fn account_in(record: Ref<'_>) -> Option<&str> {
    let text = |path: &[&str]| record.text(path);
    text(&["recipientAccountId"]).or_else(|| text(&["OwnerId"])).or_else(|| text(&["userIdentity", "accountId"]))
}

/// The region that a record is of, as far as its text tells.
pub(crate) fn region_in(record: Ref<'_>) -> Option<&str> {
    record.text(&["awsRegion"])
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

/// Whether what `userIdentity` says a call was invoked by is AWS itself.
fn is_service(invoked_by: &str) -> bool {
    invoked_by.ends_with(".amazonaws.com") || invoked_by == "AWS Internal"
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

fn actor(call: &Call<'_>, args: &[Dynamic]) -> Result<Dynamic, Failure> {
    if !call.env.traces.get() {
        return Ok(map_of(with_event(args, Principal::of).unwrap_or_default()).into());
    }
    let record = call.env.record.borrow();
    let is_judged = |record: &&Record| as_shown(&args[0]).is_some_and(|shown| shown.0.is_same(&record.value));
    let time = match record.as_ref().filter(is_judged) {
        Some(record) => record.time,
        None => with_event(args, |event| event.text(&["eventTime"])?.parse().ok()).flatten(),
    };
    let inventory = &call.env.inventory;
    let principal = with_event(args, |event| sessions::actor(inventory, event, time)).unwrap_or_default();
    let traced = principal.traced.clone().unwrap_or_default();
    call.charge(1 + traced.chain.len())?;
    let mut map = map_of(principal);
    map.insert("origin".into(), traced.origin.map_or(Dynamic::UNIT, |origin| map_of(origin).into()));
    map.insert("chain".into(), traced.chain.into_iter().map(Dynamic::from).collect::<rhai::Array>().into());
    map.insert("via".into(), optional(traced.via.map(Via::word)));
    Ok(map.into())
}

fn map_of(principal: Principal) -> Map {
    let Principal { kind, name, arn, role, account, session, access_key, service, mfa, traced: _ } = principal;
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
    map
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
    if let Json::String(text) = &value {
        value = super::json::parse(text).unwrap_or_else(|| value.clone());
    }
    if let Json::Object(members) = &mut value
        && members.len() == 1
        && members.keys().next().is_some_and(|name| name.ends_with(suffix))
        && members.values().next().is_some_and(|inner| inner.is_object() || inner.as_str() == Some(""))
    {
        let inner = std::mem::take(members).into_iter().next().map(|(_, inner)| inner).unwrap_or_default();
        value = if inner.is_object() { inner } else { Json::Object(serde_json::Map::new()) };
        if let Json::Object(members) = &mut value {
            members.remove("xmlns");
        }
    }
    let shown = match plain(&Value::Part(event.0.view()), field, suffix) {
        // As the record has it, and in its order, as it is asked without Rhai.
        Some(Value::Part(_)) => show(&inner),
        _ if value.is_object() => made(&readable(value, 0)),
        _ => Dynamic::UNIT,
    };
    call.env.unwrapped.borrow_mut().push((field, event.0, shown.clone()));
    Ok(shown)
}

fn plain_request<'a>(args: &[Value<'a>]) -> Option<Value<'a>> {
    plain(&args[0], "requestParameters", "Request")
}

fn plain_response<'a>(args: &[Value<'a>]) -> Option<Value<'a>> {
    plain(&args[0], "responseElements", "Response")
}

/// What [`unwrap`] gives, where that is what the record has.
fn plain<'a>(event: &Value<'a>, field: &str, suffix: &str) -> Option<Value<'a>> {
    let Value::Part(event) = event else { return None };
    let Some(value) = event.get(field) else { return Some(Value::Unit) };
    match value.kind() {
        Kind::Map => {
            let is_wrapped = value.len() == 1 && value.entries().any(|(name, _)| name.ends_with(suffix));
            (!is_wrapped && is_readable(value)).then_some(Value::Part(value))
        }
        Kind::Text if super::json::parse(value.as_str().unwrap_or_default()).is_some() => None,
        _ => Some(Value::Unit),
    }
}

/// True if [`readable`] changes nothing.
fn is_readable(value: Ref<'_>) -> bool {
    match value.kind() {
        Kind::Map => {
            let has_remnant = value.len() <= 2 && value.get("tag").is_some();
            !has_remnant && value.entries().all(|(_, value)| is_readable(value))
        }
        Kind::List => value.items().all(is_readable),
        Kind::Text => !super::json::may_be(value.as_str().unwrap_or_default()),
        _ => true,
    }
}

/// Strips the remnants of EC2's XML and parses JSON that is held in strings.
fn readable(value: Json, depth: usize) -> Json {
    match value {
        Json::Object(mut members) => {
            if members.len() == 2 && members.contains_key("tag") && members.contains_key("content") {
                return readable(members.remove("content").unwrap_or_default(), depth);
            }
            if members.len() == 1 && members.contains_key("tag") && members["tag"].is_number() {
                return Json::Null;
            }
            members.into_iter().map(|(key, value)| (key, readable(value, depth))).collect()
        }
        Json::Array(items) => items.into_iter().map(|item| readable(item, depth)).collect(),
        // JSON within JSON within JSON is nobody's request.
        Json::String(text) if depth < 3 => match super::json::parse(&text) {
            Some(inner) => readable(inner, depth + 1),
            None => Json::String(text),
        },
        scalar => scalar,
    }
}

/// The code of an error, from `errorCode`.
fn code<'a>(args: &[Value<'a>]) -> Option<Value<'a>> {
    Some(match &args[0] {
        Value::Text(Cow::Borrowed(text)) => bare(text).map_or(Value::Unit, |code| Value::Text(Cow::Borrowed(code))),
        Value::Text(text) => bare(text).map_or(Value::Unit, |code| Value::Text(Cow::Owned(code.to_owned()))),
        Value::Other => return None,
        _ => Value::Unit,
    })
}

fn has_no_code<'a>(args: &[Value<'a>]) -> Option<Value<'a>> {
    text_or_nothing(&args[0], |text| Value::Bool(bare(text).is_none()), Value::Bool(true))
}

fn is_refused<'a>(args: &[Value<'a>]) -> Option<Value<'a>> {
    text_or_nothing(&args[0], |text| Value::Bool(bare(text).is_some_and(is_refusal)), Value::Bool(false))
}

fn is_dry<'a>(args: &[Value<'a>]) -> Option<Value<'a>> {
    text_or_nothing(&args[0], |text| Value::Bool(bare(text) == Some("DryRunOperation")), Value::Bool(false))
}

/// Where it stands whether a sign-in failed: under the name of the event.
const SIGN_IN: &[&[&str]] = &[&["eventName"], &["responseElements"], &["serviceEventDetails"]];

fn is_no_failed_sign_in<'a>(args: &[Value<'a>]) -> Option<Value<'a>> {
    let name = match &args[0] {
        Value::Other => return None,
        name => name.text().unwrap_or_default(),
    };
    for answer in &args[1..] {
        let has_failed = match answer {
            Value::Other => return None,
            Value::Unread(text) if may_say_failure(text) => return None,
            Value::Part(answer) => answer.text(&[name]).is_some_and(is_failure),
            _ => false,
        };
        if has_failed {
            return Some(Value::Bool(false));
        }
    }
    Some(Value::Bool(true))
}

/// Whether a text of JSON, without escapes of letters, may hold that word as a string.
fn may_say_failure(text: &[u8]) -> bool {
    const QUOTED: usize = "\"failure\"".len();
    memchr::memchr_iter(b'"', text).any(|end| {
        let quoted = (end + 1).checked_sub(QUOTED).and_then(|start| text.get(start..end));
        quoted.is_some_and(|quoted| quoted.eq_ignore_ascii_case(b"\"failure"))
    })
}

fn by_console<'a>(args: &[Value<'a>]) -> Option<Value<'a>> {
    of_record(&args[0], |event| Value::Bool(is_console(event)))
}

fn by_service<'a>(args: &[Value<'a>]) -> Option<Value<'a>> {
    let [invoked_by, kind] = args else { return None };
    if matches!((invoked_by, kind), (Value::Other, _) | (_, Value::Other)) {
        return None;
    }
    Some(Value::Bool(invoked_by.text().is_some_and(is_service) || kind.text() == Some("AWSService")))
}

fn of_record<'a>(root: &Value<'a>, ask: impl FnOnce(Ref<'a>) -> Value<'a>) -> Option<Value<'a>> {
    match root {
        Value::Part(event) => Some(ask(*event)),
        _ => None,
    }
}

/// Paths from a record's root.
type Paths = &'static [&'static [&'static str]];

/// The members of what `actor` answers.
pub(crate) const ACTOR: [&str; 9] =
    ["type", "name", "arn", "role", "account", "session", "access_key", "service", "mfa"];

/// Those that it has beside them where it may be asked who began a session.
pub(crate) const TRACED: [&str; 3] = ["origin", "chain", "via"];

/// How a member of what `actor` answers follows from the record; `None` if there is no such member.
pub(crate) fn actor_member(name: &str) -> Option<(Function, Paths)> {
    const IDENTITY: &str = "userIdentity";
    const ISSUER: [&str; 3] = [IDENTITY, "sessionContext", "sessionIssuer"];
    Some(match name {
        "type" => (
            |args| match filled(&args[0])? {
                Value::Unit => Some(match filled(&args[1])? {
                    Value::Unit => Value::Unit,
                    _ => Value::Text("AWSService".into()),
                }),
                kind => Some(kind),
            },
            &[&[IDENTITY, "type"], &[IDENTITY, "invokedBy"]],
        ),
        "arn" => (|args| filled(&args[0]), &[&[IDENTITY, "arn"]]),
        "service" => (|args| filled(&args[0]), &[&[IDENTITY, "invokedBy"]]),
        "access_key" => (|args| filled(&args[0]), &[&[IDENTITY, "accessKeyId"]]),
        "account" => (
            |args| match filled(&args[0])? {
                Value::Unit => filled(&args[1]),
                account => Some(account),
            },
            &[&[IDENTITY, "accountId"], &[ISSUER[0], ISSUER[1], ISSUER[2], "accountId"]],
        ),
        "name" => (
            |args| {
                let mut texts = [None; 11];
                for (text, arg) in texts.iter_mut().zip(args) {
                    *text = borrowed(arg)?;
                }
                Some(told(Texts(texts).name()))
            },
            &Texts::PATHS,
        ),
        "role" => (
            |args| {
                let mut texts = [None; 11];
                (texts[1], texts[8]) = (borrowed(&args[0])?, borrowed(&args[1])?);
                Some(told(Texts(texts).role()))
            },
            &[Texts::PATHS[1], Texts::PATHS[8]],
        ),
        "session" => (
            |args| {
                let mut texts = [None; 11];
                (texts[1], texts[4]) = (borrowed(&args[0])?, borrowed(&args[1])?);
                Some(told(Texts(texts).session().map(Cow::Borrowed)))
            },
            &[Texts::PATHS[1], Texts::PATHS[4]],
        ),
        "mfa" => {
            (|args| of_record(&args[0], |event| Principal::of(event).mfa.map_or(Value::Unit, Value::Bool)), &[&[]])
        }
        _ => return None,
    })
}

/// Text that is not empty; nothing for any other value.
fn filled<'a>(value: &Value<'a>) -> Option<Value<'a>> {
    match value {
        Value::Text(text) if !text.is_empty() => Some(Value::Text(text.clone())),
        Value::Other => None,
        _ => Some(Value::Unit),
    }
}

/// The text of a record, `None` inside for any other value.
fn borrowed<'a>(value: &Value<'a>) -> Option<Option<&'a str>> {
    match value {
        Value::Text(Cow::Borrowed(text)) => Some(Some(text)),
        Value::Text(Cow::Owned(_)) | Value::Other => None,
        _ => Some(None),
    }
}

fn told(text: Option<Cow<'_, str>>) -> Value<'_> {
    text.map_or(Value::Unit, Value::Text)
}
