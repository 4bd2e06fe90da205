//! `malformed-value`: regions, accounts, addresses and ARNs, written out, that are none.

use std::net::IpAddr;
use std::ops::Range;
use std::sync::Arc;

use ipnet::IpNet;

use super::subject::Subject;
use super::{Category, Check, Lint};
use crate::diagnostic::{Diagnostic, Level, SourceText};
use crate::record::{is_account, is_region};
use crate::script::reading::{Base, Comparison, Path, Relation, Value};

pub(super) const LINT: Lint = Lint {
    code: "malformed-value",
    category: Category::Correctness,
    level: Level::Warning,
    summary: "A field that holds a region, an account, an address or an ARN is compared with a text that is none.",
    avoid: "`event.awsRegion == \"us-east-1a\"`, `event.recipientAccountId == \"1111-2222-3333\"`, `event.sourceIPAddress == \"10.0.0.0/8\"`",
    prefer: "`event.awsRegion == \"us-east-1\"`, `event.recipientAccountId == \"111122223333\"`, `ip_in_cidr(event.sourceIPAddress, \"10.0.0.0/8\")`",
    why: "The comparison is never true.",
    check: Check::Policy(check),
    bad: &[
        "fn matches(event) { succeeded(event) && event.awsRegion == \"us-east-1a\" }",
        "fn matches(event) { succeeded(event) && event.awsRegion in [\"eu-west-1\", \"eu-west\"] }",
        "fn matches(event) { succeeded(event) && event.recipientAccountId == \"1111-2222-3333\" }",
        "fn matches(event) { succeeded(event) && event.userIdentity.accountId != \"11112222333\" }",
        "fn matches(event) { succeeded(event) && actor(event).account == \"11112222333\" }",
        "fn matches(event) { succeeded(event) && event.sourceIPAddress in [\"10.0.0.0/8\"] }",
        "fn matches(event) { succeeded(event) && event.sourceIPAddress == \"10.0.0\" }",
        "fn matches(event) { succeeded(event) && event.userIdentity.arn == \"arn:aws:iam:111122223333:user/ops\" }",
        "fn matches(event) { succeeded(event) && request(event).policyArn == \"AdministratorAccess\" }",
        "fn matches(event) { succeeded(event) && glob(event.requestParameters.policyArn, \"AdministratorAccess\") }",
        "fn matches(event) { succeeded(event) && actor(event).role == \"Admin\" }",
        "fn matches(event) { succeeded(event) && event.userIdentity.arn == \"arn:aws:iam::11112222333:user/ops\" }",
        "fn matches(event) { succeeded(event) && !is_one_of(actor(event), [\"alice\"]) }",
        "fn matches(event) { succeeded(event) && glob(actor(event).role, \"Admin\") }",
        "fn matches(event) { succeeded(event) && is_it(event.awsRegion) }\nfn is_it(place) { place == \"US-East-1\" }",
        "//! when: { eventSource: ec2.amazonaws.com, awsRegion: [us-east1] }\nfn matches(event) { succeeded(event) }",
    ],
    good: &[
        "fn matches(event) { succeeded(event) && !is_one_of(actor(event), [\"*:user/alice\", \"arn:aws:iam::111122223333:role/ops\"]) }",
        "fn matches(event) { succeeded(event) && event.awsRegion in [\"us-gov-west-1\", \"eusc-de-east-1\", \"cn-north-1\"] }",
        "fn matches(event) { succeeded(event) && event.userIdentity.accountId == \"anonymous\" && event.recipientAccountId == \"111122223333\" }",
        "fn matches(event) { succeeded(event) && event.sourceIPAddress in [\"198.51.100.7\", \"2001:db8::1\", \"AWS Internal\", \"ec2.amazonaws.com\"] }",
        "fn matches(event) { succeeded(event) && event.userIdentity.arn in [\"arn:aws:iam::111122223333:root\", \"arn:aws-cn:sts::111122223333:assumed-role/a/b:c\"] }",
        "fn matches(event) { succeeded(event) && event.awsRegion.starts_with(\"us-\") && event.requestParameters.accountId == \"1\" }",
        "//! when: { eventSource: ec2.amazonaws.com, awsRegion: [us-east-1, null] }\nfn matches(event) { succeeded(event) }",
    ],
};

fn check(subject: &Subject<'_>) -> Vec<Diagnostic> {
    if !subject.judges_events() {
        return Vec::new();
    }
    let mut out: Vec<Diagnostic> = Vec::new();
    for comparison in subject.comparisons() {
        let Some(form) = comparison.left.path().and_then(Form::of) else { continue };
        let source = subject.source_of(&comparison.place);
        if comparison.relation == Relation::Glob && matches!(form, Form::Arn) {
            out.extend(of_globs(subject, comparison).filter(|told| !out.contains(told)));
        }
        if !matches!(comparison.relation, Relation::Equal | Relation::In) {
            continue;
        }
        for (at, text) in comparison.right.iter().map(Value::text).enumerate() {
            let Some((text, remark)) = text.and_then(|text| Some((text, form.remark(text)?))) else { continue };
            let span = subject.span_of(comparison, at, text);
            let told = told(source, span, text, remark);
            if !out.contains(&told) {
                out.push(told);
            }
        }
    }
    for condition in &subject.header().when.conditions {
        let names: Vec<&str> = condition.path.iter().map(String::as_str).collect();
        let Some(form) = Form::of_field(&names) else { continue };
        for (text, span) in subject.items(&["when", &names.join(".")]) {
            let is_wanted = condition.any_of.iter().flatten().any(|wanted| *wanted == text);
            let remark = form.remark(&text).filter(|_| is_wanted);
            out.extend(remark.map(|remark| told(subject.source, span, &text, remark)));
        }
    }
    out
}

/// Names where ARNs are wanted, or globs of them: `is_one_of(actor, ["alice"])` asks so.
fn of_globs(subject: &Subject<'_>, comparison: &Comparison) -> Option<Diagnostic> {
    let is_name = |text: &&str| !text.contains([':', '*', '?', '[', '{']);
    let name = comparison.right.iter().filter_map(Value::text).find(is_name)?;
    let is_called = subject.is_of_prelude(&comparison.place);
    let (source, span) = match is_called {
        true => (subject.source, comparison.place.site.clone()),
        false => (subject.source_of(&comparison.place), comparison.place.span.clone()),
    };
    let told = LINT.at(source, span, format!("`{name}` is no ARN, and no glob of one"));
    Some(told.help(format!("`arn:aws:iam::111122223333:user/{name}`, `*:user/{name}`, or compare `actor(event).name`")))
}

fn told(source: &Arc<SourceText>, span: Range<usize>, text: &str, (what, help): Remark) -> Diagnostic {
    LINT.at(source, span, format!("`{text}` is {what}")).help(help)
}

/// What a text is, and what to write.
type Remark = (&'static str, &'static str);

/// What a field holds.
#[derive(Clone, Copy)]
enum Form {
    Region,
    Account,
    Address,
    Arn,
}

impl Form {
    fn of(path: &Path) -> Option<Self> {
        match (&path.base, path.names().as_slice()) {
            (Base::Record, names) if names.len() == path.steps.len() => Self::of_field(names),
            (Base::Actor, ["account"]) => Some(Self::Account),
            (Base::Actor, ["arn" | "role"]) => Some(Self::Arn),
            (Base::Request | Base::Response, names) if names.len() == path.steps.len() => {
                Self::of_field(names).filter(|form| matches!(form, Self::Arn))
            }
            _ => None,
        }
    }

    fn of_field(names: &[&str]) -> Option<Self> {
        match names {
            ["awsRegion"] => Some(Self::Region),
            ["recipientAccountId" | "vpcEndpointAccountId"]
            | ["userIdentity", "accountId"]
            | ["userIdentity", "sessionContext", "sessionIssuer", "accountId"] => Some(Self::Account),
            ["sourceIPAddress"] => Some(Self::Address),
            // Where ECS takes the ARN of a role it takes a name, too.
            [.., "taskRoleArn" | "executionRoleArn"] => None,
            [.., name] if *name == "arn" || *name == "ARN" || name.ends_with("Arn") => Some(Self::Arn),
            _ => None,
        }
    }

    /// What is wrong with a text; nothing if it may be one, or is a pattern, which is told as that.
    fn remark(self, text: &str) -> Option<Remark> {
        if text.contains('*') {
            return None;
        }
        match self {
            Self::Region => {
                (!is_region(text)).then_some(("no region", "regions are written `us-east-1`, without a zone"))
            }
            // Services write words in place of accounts, too: `anonymous`.
            Self::Account => (text.bytes().all(|byte| byte.is_ascii_digit() || b"- ".contains(&byte))
                && !is_account(text))
            .then_some(("no account", "accounts are twelve digits, in quotes")),
            Self::Address if text.parse::<IpNet>().is_ok() => {
                Some(("a block of addresses, which no address is equal to", "`ip_in_cidr(x, \"…\")`"))
            }
            Self::Address => {
                let is_meant =
                    text.contains('.') && text.bytes().all(|byte| byte.is_ascii_digit() || b"./".contains(&byte));
                (is_meant && text.parse::<IpAddr>().is_err())
                    .then_some(("no address", "`ip_in_cidr(x, \"10.0.0.0/8\")` takes blocks"))
            }
            Self::Arn => {
                let parts: Vec<&str> = text.splitn(6, ':').collect();
                let is_well = parts.len() == 6 && (parts[4].is_empty() || is_account(parts[4]) || parts[4] == "aws");
                let is_name = !text.is_empty() && !text.contains(':');
                (is_name || text.starts_with("arn:") && !is_well).then_some((
                    "no ARN",
                    "`arn:partition:service:region:account:resource`; IAM and STS have no region",
                ))
            }
        }
    }
}
