//! `negated-absent`: policies that find records because a field is not there.

use serde_json::Value as Json;

use super::solve::{Atom, Polarity, parts};
use super::subject::Subject;
use super::{Category, Check, Lint};
use crate::diagnostic::{Diagnostic, Level};
use crate::script::reading::{Base, Comparison, Path, Relation, Step, Value};

pub(super) const LINT: Lint = Lint {
    code: "negated-absent",
    category: Category::NullSafety,
    level: Level::Warning,
    summary: "All that is asked of a record's content is that a field is *not* something, which is true where there is no such \
              field.",
    avoid: "`volume.Encrypted != true`, `!event.requestParameters.name.starts_with(\"prod-\")`",
    prefer: "`volume.Encrypted == false`; `x != () && x != …`; or, if what has no such field is meant, too, \
             `x == () || x != …`",
    why: "`!=` is true of what is absent. Beside another condition that is what people expect; by itself it finds every record \
          that is made otherwise than its author thought.",
    check: Check::Policy(check),
    bad: &[
        "//! judges: ec2/volumes\nfn matches(volume) { volume.Encrypted != true }",
        "//! judges: ec2/volumes\nfn matches(volume) { !(volume.Encrypted == true) }",
        "//! judges: ec2/volumes\nfn matches(v) { is_bad(v) }\nfn is_bad(x) { let e = x.Encrypted; e != true }",
        "//! judges: ec2/instances\nfn matches(i) { i.MetadataOptions.HttpTokens !in [\"required\"] }",
        "fn matches(event) { succeeded(event) && event.requestParameters.acl != \"private\" }",
        "fn matches(event) { succeeded(event) && !event.requestParameters.name.starts_with(\"prod-\") }",
        "fn matches(event) { succeeded(event) && ![\"a\", \"b\"].contains(request(event).acl) }",
        "fn matches(event) { if request(event).acl == \"private\" { return false; } succeeded(event) }",
        "//! judges: ec2/volumes\nfn matches(volume) { volume.Encrypted in [true] == false }",
        "//! judges: ec2/volumes\nfn matches(volume) { switch volume.State { \"available\" => false, _ => true } }",
    ],
    good: &[
        "fn matches(event) { event.errorCode != \"X\" && event.eventName == \"A\" }",
        "fn matches(event) { succeeded(event) && event.userIdentity.type != \"AWSService\" }",
        "fn matches(event) { succeeded(event) && actor(event).role != \"arn:aws:iam::111122223333:role/ops\" }",
        "//! judges: ec2/volumes\nfn matches(volume) { volume.Encrypted == false && volume.State != \"deleting\" }",
        "//! judges: ec2/volumes\nfn matches(volume) { volume.Encrypted != () && volume.Encrypted != true }",
        "//! judges: ec2/volumes\nfn matches(volume) { volume.Encrypted == () || volume.Encrypted != true }",
        "//! judges: ec2/volumes\nfn matches(volume) { (volume.Encrypted ?? false) != true }",
        "fn matches(event) { succeeded(event) && event.requestParameters.bucketName == \"x\" && event.requestParameters.acl != \"private\" }",
        "fn matches(event) { succeeded(event) && event.sourceIPAddress != \"198.51.100.7\" }",
        "//! judges: ec2/volumes\nfn matches(volume) { volume.Attachments.some(|a| a.State != \"attached\") }",
        "//! judges: ec2/volumes\nfn matches(volume) { tag(volume, \"Owner\") == () && volume.State != \"deleting\" && volume.Size > 1 }",
    ],
};

/// Fields of an event that say which call it is and how it ended, and not what it did; and those that are always there.
const ABOUT_THE_CALL: &[&str] = &[
    "eventName",
    "eventSource",
    "eventTime",
    "eventType",
    "eventVersion",
    "eventCategory",
    "eventID",
    "awsRegion",
    "sourceIPAddress",
    "userAgent",
    "userIdentity",
    "errorCode",
    "errorMessage",
    "readOnly",
    "managementEvent",
    "requestID",
    "apiVersion",
    "sharedEventID",
    "sessionCredentialFromConsole",
    "tlsDetails",
];

fn check(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let Some(matches) = subject.matches().filter(|matches| matches.is_complete) else { return Vec::new() };
    let all = parts(&matches.answer);
    // Anything that must be there, or is asked whether it is there, is what people expect the rest to stand beside.
    if all.iter().any(|(atom, polarity)| wants_content(*atom, *polarity))
        || !subject.judges_events() && !subject.header().when.conditions.is_empty()
    {
        return Vec::new();
    }
    let negated = all.iter().filter_map(|(atom, polarity)| match (atom, polarity) {
        (Atom::Compare(comparison), Polarity::Negative) if is_negated_content(comparison) => Some(comparison),
        _ => None,
    });
    let mut spans: Vec<_> = negated.map(|comparison| comparison.place.site.clone()).collect();
    spans.dedup();
    let message = "this is true where the field is absent, too, and nothing else is asked of what the record holds";
    let remark = |span| LINT.at(subject.source, span, message).help("ask for `== ()` or `!= ()` as well, as is meant");
    spans.into_iter().map(remark).collect()
}

fn is_content(path: &Path) -> bool {
    match (&path.base, path.steps.first()) {
        (Base::Record, Some(Step::Name(name))) => !ABOUT_THE_CALL.contains(&name.as_str()),
        (Base::Request | Base::Response, Some(_)) => true,
        _ => false,
    }
}

/// True for a condition on what a record holds that is not fulfilled by what is absent, or that asks whether it is.
fn wants_content(atom: Atom<'_>, polarity: Polarity) -> bool {
    let asks = |value: &Value| value.paths().into_iter().any(is_content);
    match atom {
        Atom::Compare(comparison) => {
            let of_absence = comparison.right.iter().any(|value| matches!(value, Value::Literal(Json::Null)));
            let of_content = std::iter::once(&comparison.left).chain(&comparison.right).any(asks);
            // What is not followed may ask anything.
            let of_unknown = matches!(
                comparison.left,
                Value::Unknown | Value::Any(_) | Value::Made(_) | Value::Part(..) | Value::Length(_)
            );
            let of_inventory =
                comparison.left.paths().iter().any(|path| matches!(path.base, Base::Resource(_) | Base::Resources(_)));
            (of_content && (of_absence || polarity == Polarity::Positive)) || of_unknown || of_inventory
        }
        Atom::Empty(..) | Atom::Each(..) => true,
    }
}

fn is_negated_content(comparison: &Comparison) -> bool {
    comparison.relation != Relation::Order && comparison.left.path().is_some_and(is_content)
}
