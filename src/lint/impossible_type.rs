//! `impossible-type`: comparisons of a field with a literal of a type that the field never has.

use serde_json::Value as Json;

use super::calls::{at_end, borrowed};
use super::subject::Subject;
use super::{Category, Check, Lint};
use crate::diagnostic::{Diagnostic, Level};
use crate::schema::Holds;
use crate::script::reading::{Relation, Value};

pub(super) const LINT: Lint = Lint {
    code: "impossible-type",
    category: Category::Correctness,
    level: Level::Error,
    summary: "A field is compared with a literal of a type that it never has.",
    avoid: "`volume.Encrypted == \"false\"`, `volume.Size == \"100\"`",
    prefer: "`volume.Encrypted == false`, `volume.Size == 100`",
    why: "It is false of every resource, and with `!=` true of every one. Records of CloudTrail have numbers and booleans as texts \
          in places, so of those this is said only where no record ever had such a value.",
    check: Check::Policy(check),
    bad: &[
        "//! judges: ec2/volumes\nfn matches(volume) { volume.Encrypted == \"false\" }",
        "//! judges: ec2/volumes\nfn matches(volume) { volume.Encrypted != \"true\" }",
        "//! judges: ec2/volumes\nfn matches(volume) { volume.Size == \"100\" }",
        "//! judges: ec2/volumes\nfn matches(volume) { volume.Size > \"100\" }",
        "//! judges: ec2/volumes\nfn matches(volume) { volume.Encrypted == 0 }",
        "//! judges: ec2/volumes\nfn matches(volume) { volume.VolumeId == 7 }",
        "//! judges: ec2/volumes\nfn matches(volume) { volume.Encrypted in [\"false\", \"no\"] }",
        "//! judges: ec2/instances\nfn matches(i) { i.State == \"running\" }",
        "//! judges: ec2/volumes\nfn matches(v) { is_open(v) }\nfn is_open(x) { let e = x.Encrypted; e == \"false\" }",
        "//! uses: [ec2/volumes]\nfn matches(event) { succeeded(event) && lookup(\"ec2/volumes\", \"VolumeId\", event.eventID).Encrypted == \"false\" }",
    ],
    good: &[
        "//! judges: ec2/volumes\nfn matches(volume) { volume.Encrypted == false && volume.Size > 100 && volume.VolumeId == \"v\" }",
        "//! judges: ec2/volumes\nfn matches(volume) { volume.Encrypted != true && volume.KmsKeyId == () }",
        "//! judges: ec2/instances\nfn matches(i) { i.State.Name == \"running\" && i.LaunchTime < \"2024-01-01T00:00:00Z\" }",
        "fn matches(event) { succeeded(event) && (event.readOnly == \"false\" || event.readOnly == false) }",
        "//! when: { eventSource: ec2.amazonaws.com, eventName: CreateVolume }\nfn matches(event) { succeeded(event) && (request(event).size == \"100\" || request(event).size == 100) }",
    ],
};

fn check(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let calls = borrowed(&subject.calls);
    let mut out: Vec<Diagnostic> = Vec::new();
    for comparison in subject.comparisons() {
        let asks = matches!(comparison.relation, Relation::Equal | Relation::In | Relation::Order);
        let Some(path) = comparison.left.path().filter(|_| asks && !comparison.right.is_empty()) else { continue };
        let Some(place) = at_end(path, subject, &calls) else { continue };
        let is_never = |value: &Value| type_of(value).is_some_and(|of| !place.may_be(of));
        if !comparison.right.iter().all(is_never) {
            continue;
        }
        let holds: Vec<&str> = place.holds().into_iter().map(words).collect();
        let message = format!("`{}` is never equal to this: it holds {}", path.names().join("."), holds.join(" or "));
        let source = subject.source_of(&comparison.place);
        let diagnostic = LINT.at(source, comparison.place.span.clone(), message);
        if !out.contains(&diagnostic) {
            out.push(diagnostic);
        }
    }
    out
}

fn type_of(value: &Value) -> Option<Holds> {
    Some(match value.literal()? {
        Json::Bool(_) => Holds::Bool,
        Json::Number(number) if number.is_f64() => Holds::Number,
        Json::Number(_) => Holds::Int,
        Json::String(_) => Holds::Text,
        Json::Array(_) => Holds::List,
        Json::Object(_) => Holds::Map,
        Json::Null => return None,
    })
}

fn words(holds: Holds) -> &'static str {
    match holds {
        Holds::Text => "text",
        Holds::Int => "a whole number",
        Holds::Number => "a number",
        Holds::Bool => "true or false",
        Holds::Time => "a time",
        Holds::List => "a list",
        Holds::Map | Holds::Structure => "an object",
        Holds::Any => "anything",
    }
}
