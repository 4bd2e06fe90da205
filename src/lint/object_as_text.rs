//! `object-as-text`: an object that is asked what only a text can answer.

use super::calls::{at_end, borrowed};
use super::solve::graded;
use super::subject::Subject;
use super::{Category, Check, Lint};
use crate::diagnostic::{Diagnostic, Level};
use crate::schema::{Holds, Place, Step as Stepped};
use crate::script::reading::{Base, Comparison, Path, Relation, Value};

pub(super) const LINT: Lint = Lint {
    code: "object-as-text",
    category: Category::Correctness,
    level: Level::Error,
    summary: "A field that holds an object is compared with a text, or searched for one.",
    avoid: "`event.userIdentity == \"Root\"`, `event.userIdentity.starts_with(…)`, `regex(event.responseElements, …)`",
    prefer: "the field inside that is meant: `event.userIdentity.type == \"Root\"`; to search all of it, `to_json(event.requestParameters).contains(…)`",
    why: "An object is no text, so it never begins with one, matches none and is equal to none: the policy would be silent for ever. \
          `contains` asks an object for a key. An error if the policy can never fire for it, else a warning.",
    check: Check::Policy(check),
    bad: &[
        "fn matches(event) { succeeded(event) && event.userIdentity == \"Root\" }",
        "fn matches(event) { succeeded(event) && event.userIdentity.starts_with(\"arn:aws\") }",
        "fn matches(event) { succeeded(event) && regex(event.requestParameters, \"(?i)public\") }",
        "fn matches(event) { succeeded(event) && event.requestParameters.to_lower().contains(\"public\") }",
        "fn matches(event) { succeeded(event) && glob(event.responseElements, \"*secret*\") }",
        "fn matches(event) { succeeded(event) && event.userIdentity.sessionContext.contains(\"mfaAuthenticated\") }",
        "fn matches(event) { succeeded(event) && has(event.additionalEventData) }\nfn has(x) { x.ends_with(\"No\") }",
        "//! when: { eventSource: ec2.amazonaws.com, eventName: CreateKeyPair }\nfn matches(event) { succeeded(event) && event.requestParameters in [\"a\", \"b\"] }",
        "//! judges: ec2/instances\nfn matches(i) { i.State.starts_with(\"run\") }",
    ],
    good: &[
        "fn matches(event) { succeeded(event) && filled(event.requestParameters) }\n//// lib\nfn filled(x) { x != () && x != \"-\" }",
        "fn matches(event) { succeeded(event) && event.userIdentity.type == \"Root\" && event.requestParameters != () }",
        "fn matches(event) { succeeded(event) && to_json(event.requestParameters).contains(\"public\") }",
        "fn matches(event) { succeeded(event) && event.requestParameters.contains(\"policyDocument\") }",
        "fn matches(event) { succeeded(event) && event.userIdentity.contains(\"sessionContext\") && \"type\" in event.userIdentity }",
        "fn matches(event) { succeeded(event) && event.requestParameters != \"\" && event.responseElements != \"HIDDEN_DUE_TO_SECURITY_REASONS\" }",
        "fn matches(event) { succeeded(event) && event.requestParameters.policyDocument.contains(\"*\") }",
        "//! judges: ec2/instances\nfn matches(i) { i.State.Name.starts_with(\"run\") && i.Tags.contains(\"x\") }",
    ],
};

/// What CloudTrail writes in the place of an object.
const STAND_INS: [&str; 2] = ["", "HIDDEN_DUE_TO_SECURITY_REASONS"];

/// What every call has, whatever is in it.
const OBJECTS: [&str; 4] = ["requestParameters", "responseElements", "additionalEventData", "serviceEventDetails"];

fn check(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let mut out: Vec<Diagnostic> = Vec::new();
    for comparison in subject.comparisons() {
        let Some(path) = comparison.left.made_of().filter(|path| is_never(comparison, path, subject)) else { continue };
        let message = format!("`{}` is an object, of which this is never true", path.names().join("."));
        let source = subject.source_of(&comparison.place);
        let diagnostic = LINT.at(source, comparison.place.span.clone(), message);
        let help = "name the field inside that is meant, or search `to_json(…)` of it";
        let diagnostic = graded(subject, comparison, diagnostic.help(help));
        out.extend(diagnostic.filter(|diagnostic| !out.contains(diagnostic)));
    }
    out
}

/// True if the comparison fails for every object that can stand there.
fn is_never(comparison: &Comparison, path: &Path, subject: &Subject<'_>) -> bool {
    let calls = borrowed(&subject.calls);
    let is_of_every_call = OBJECTS.iter().any(|name| path.is_field(&[name])) && subject.judges_events();
    let place = at_end(path, subject, &calls);
    if !is_of_every_call && !place.as_ref().is_some_and(|place| is_closed(path) && holds_objects(place)) {
        return false;
    }
    let texts: Option<Vec<&str>> = comparison.right.iter().map(Value::text).collect();
    match comparison.relation {
        Relation::StartsWith | Relation::EndsWith | Relation::Glob | Relation::Regex => true,
        // What never has the type is told by `impossible-type`.
        Relation::Equal | Relation::In => {
            place.is_none_or(|place| place.may_be(Holds::Text))
                && texts.is_some_and(|all| !all.is_empty() && all.iter().all(|text| !STAND_INS.contains(text)))
        }
        Relation::Contains if matches!(comparison.left, Value::Part(..)) => true,
        // A key that is not there; where it may be, nothing is wrong.
        Relation::Contains => {
            let is_no_key = |text: &&str| match place.as_ref().map(|place| place.field(text)) {
                Some(Stepped::Unknown { is_closed, .. }) => is_closed,
                _ => false,
            };
            texts.is_some_and(|all| !all.is_empty() && all.iter().all(is_no_key))
        }
        Relation::Order => false,
    }
}

/// True if nothing but objects stands there.
pub(super) fn holds_objects(place: &Place<'_>) -> bool {
    place.holds().iter().all(|one| matches!(one, Holds::Structure | Holds::Map))
}

/// True where what stands there is documented: everywhere but in what calls take and give, of which records have other forms,
/// too.
pub(super) fn is_closed(path: &Path) -> bool {
    match path.base {
        Base::Record => {
            !["requestParameters", "responseElements"].contains(&path.names().first().copied().unwrap_or(""))
        }
        Base::Resource(_) | Base::Resources(_) => true,
        Base::Request | Base::Response | Base::Actor => false,
    }
}
