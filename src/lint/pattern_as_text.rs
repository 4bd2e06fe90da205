//! `pattern-as-text`: patterns where a text is compared as it stands, and patterns of another kind than is asked for.

use super::solve::graded;
use super::subject::Subject;
use super::{Category, Check, Lint};
use crate::diagnostic::{Diagnostic, Level};
use crate::script::reading::{Base, Comparison, Path, Relation, Step, Value};

pub(super) const LINT: Lint = Lint {
    code: "pattern-as-text",
    category: Category::Correctness,
    level: Level::Error,
    summary: "A field that has no asterisks is compared with a text that has one, or `glob` is given a regular expression, or `regex` one between slashes.",
    avoid: "`event.userAgent == \"aws-cli*\"`, `event.userAgent.starts_with(\"aws-cli*\")`, `glob(x, \"^aws.*\")`, `regex(x, \"/aws/i\")`",
    prefer: "`glob(event.userAgent, \"aws-cli*\")`, `event.userAgent.starts_with(\"aws-cli\")`, `regex(x, \"^aws\")`, `regex(x, \"(?i)aws\")`",
    why: "`*` is a letter like others but in `glob` and `regex`, `glob` knows no `^` and `.`, and slashes and flags behind them are \
          parts of the expression: the answer is `false` whatever the record says. An error if the policy can never fire for it, else a warning.",
    check: Check::Policy(check),
    bad: &[
        "fn matches(event) { succeeded(event) && event.requestParameters.bucketName == \"prod-*\" }",
        "//! judges: ec2/volumes\nfn matches(volume) { volume.VolumeId == \"vol-*\" }",
        "fn matches(event) { succeeded(event) && event.userAgent == \"aws-cli*\" }",
        "fn matches(event) { succeeded(event) && event.userAgent.starts_with(\"aws-cli*\") }",
        "fn matches(event) { succeeded(event) && event.userAgent.to_lower().contains(\"aws-cli/*\") }",
        "fn matches(event) { succeeded(event) && event.userIdentity.userName in [\"admin-*\", \"root-*\"] }",
        "fn matches(event) { succeeded(event) && event.userIdentity.userName != \"admin-*\" }",
        "fn matches(event) { succeeded(event) && is_it(actor(event)) }\nfn is_it(who) { who.name == \"admin-*\" }",
        "fn matches(event) { succeeded(event) && glob(event.userAgent, \"^aws-cli\") }",
        "fn matches(event) { succeeded(event) && glob(event.userAgent, [\".*boto\", \"aws$\"]) }",
        "fn matches(event) { succeeded(event) && regex(event.userAgent, \"/aws-cli/i\") }",
        "fn matches(event) { succeeded(event) && regex(event.userAgent, \"/^aws-cli/\") }",
    ],
    good: &[
        "fn matches(event) { succeeded(event) && glob(event.userAgent, \"aws-cli*\") && glob(event.eventSource, \"ec2.*\") }",
        "fn matches(event) { succeeded(event) && statements(request(event).policyDocument).some(|s| s.Action.contains(\"s3:*\") && s.Resource == [\"*\"]) }",
        "fn matches(event) { succeeded(event) && request(event).principal == \"*\" && event.errorMessage.contains(\"resource: *\") }",
        "fn matches(event) { succeeded(event) && event.userAgent in [\"aws-cli*\", \"boto\"] }",
        "fn matches(event) { succeeded(event) && regex(event.userAgent, \"/aws-cli/\") && regex(event.userAgent, \"^/i\") }",
        "fn matches(event) { succeeded(event) && event.userIdentity.userName == event.requestParameters.userName }",
    ],
};

/// Fields of a record in which nobody can put an asterisk, or hardly, beside ids and [`NAMES`].
const PLAIN: &[&[&str]] = &[
    &["eventName"],
    &["eventSource"],
    &["awsRegion"],
    &["sourceIPAddress"],
    &["userAgent"],
    &["errorCode"],
    &["eventType"],
    &["userIdentity", "type"],
    &["userIdentity", "arn"],
    &["userIdentity", "invokedBy"],
    &["userIdentity", "sessionContext", "sessionIssuer", "arn"],
];

/// Names that requests, answers and resources have, in small letters, of which AWS allows none with an asterisk. Ids have none, too.
const NAMES: [&str; 7] =
    ["username", "rolename", "bucketname", "policyname", "trailname", "instanceprofilename", "functionname"];

fn check(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let mut out: Vec<Diagnostic> = Vec::new();
    for comparison in subject.comparisons().filter(|comparison| !comparison.right.is_empty()) {
        let Some((message, help)) = remark(comparison, subject.judges_events()) else { continue };
        let told = LINT.at(subject.source_of(&comparison.place), comparison.place.span.clone(), message).help(help);
        out.extend(graded(subject, comparison, told).filter(|told| !out.contains(told)));
    }
    out
}

const NO_ASTERISK: &str = "this field has no `*`, and a text is compared as it stands";

fn remark(comparison: &Comparison, is_event: bool) -> Option<(&'static str, &'static str)> {
    let all = |is: fn(&str) -> bool| comparison.right.iter().all(|value| value.text().is_some_and(is));
    match comparison.relation {
        Relation::Equal | Relation::In | Relation::StartsWith | Relation::EndsWith | Relation::Contains
            if is_plain(&comparison.left, is_event) && all(|text| text.contains('*')) =>
        {
            Some((NO_ASTERISK, "`glob(x, \"…*\")` takes a pattern"))
        }
        Relation::Glob if all(is_expression) => Some((
            "this is a regular expression, and `glob` takes it as it stands",
            "`regex(x, …)`, or `*` for any run of characters",
        )),
        Relation::Regex if all(is_between_slashes) => Some((
            "the slashes are parts of this expression",
            "leave them out; `(?i)` in front takes capitals and small letters alike",
        )),
        _ => None,
    }
}

fn is_plain(value: &Value, is_event: bool) -> bool {
    let is_field = |path: &Path| {
        let is_name = path.last().is_some_and(|name| {
            let name = name.to_lowercase();
            NAMES.contains(&name.as_str()) || name.ends_with("id") && name.len() > 4
        });
        is_name
            || match path.base {
                Base::Record if is_event => PLAIN.iter().any(|names| path.is_field(names)),
                Base::Actor => matches!(path.steps.as_slice(), [Step::Name(_)]),
                _ => false,
            }
    };
    value.made_of().is_some_and(is_field)
}

/// True for a pattern that no author of a glob would write.
fn is_expression(text: &str) -> bool {
    text.starts_with('^') || text.starts_with(".*") || text.ends_with('$')
}

/// True for `/…/` with flags or an anchor: other languages write expressions so.
fn is_between_slashes(text: &str) -> bool {
    let inner = text.strip_prefix('/').and_then(|text| text.rsplit_once('/'));
    inner.is_some_and(|(inner, flags)| {
        let is_flags = flags.bytes().all(|flag| b"gimsux".contains(&flag));
        is_flags && (!flags.is_empty() || inner.starts_with('^') || inner.ends_with('$'))
    })
}
