//! `impossible-type`: comparisons of a field with a literal of a type that the field never has.

use serde_json::Value as Json;

use super::calls::{at_end, borrowed, in_when};
use super::object_as_text::{holds_objects, is_closed};
use super::solve::graded;
use super::subject::Subject;
use super::{Category, Check, Lint};
use crate::diagnostic::{Diagnostic, Level};
use crate::schema::{Holds, Place, Step as Stepped};
use crate::script::reading::{Base, Path, Place as Written, Relation, Value};

pub(super) const LINT: Lint = Lint {
    code: "impossible-type",
    category: Category::Correctness,
    level: Level::Error,
    summary: "A field is compared with a literal of a type that it never has.",
    avoid: "`volume.Encrypted == \"false\"`, `volume.Size == \"100\"`",
    prefer: "`volume.Encrypted == false`, `volume.Size == 100`",
    why: "It is false of every resource, and with `!=` true of every one. Records of CloudTrail have numbers and booleans as texts \
          in places, so of those this is said only where no record ever had such a value. An error if the policy can never fire for \
          it, else a warning.",
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
        "//! judges: ec2/volumes\nfn matches(v) { same(v.State, \"in-use\") && same(v.Encrypted, \"false\") }\nfn same(x, y) { x == y }",
        "fn matches(event) { succeeded(event) && event.recipientAccountId == 111122223333 }",
        "fn matches(event) { succeeded(event) && event.userIdentity.accountId in [111122223333, 444455556666] }",
        "fn matches(event) { is_console(event) && event.additionalEventData.MFAUsed == true }",
        "fn matches(event) { succeeded(event) && event.eventName == [\"StopLogging\", \"DeleteTrail\"] }",
        "//! judges: ec2/volumes\nfn matches(v) { \"Owner\" in v.Tags }",
        "//! judges: ec2/volumes\n//! needs: [ec2/instances]\nfn matches(v) { v.Size > 1 && all(\"ec2/instances\").contains(\"i-1\") }",
        "//! judges: ec2/volumes\nfn matches(v) { v.Attachments.contains(\"i-1\") }",
        "//! judges: ec2/volumes\nfn matches(v) { v.State == [\"in-use\"] }",
        "//! judges: ec2/volumes\nfn matches(v) { v.Encrypted == \"no\" || v.State == \"in-use\" }",
        "//! judges: ec2/volumes\nfn matches(v) { is_open(v) }\nfn is_open(x) { let e = x.Encrypted; e == \"false\" }",
        "//! uses: [ec2/volumes]\nfn matches(event) { succeeded(event) && lookup(\"ec2/volumes\", \"VolumeId\", event.eventID).Encrypted == \"false\" }",
        "//! judges: ec2/volumes\n//! when: { Encrypted: maybe }\nfn matches(v) { v.Size > 1 }",
        "//! judges: ec2/instances\n//! when: { State: [running, null] }\nfn matches(i) { i.CpuOptions.CoreCount > 1 }",
        "//! when: { eventSource: ec2.amazonaws.com, userIdentity: root }\nfn matches(event) { succeeded(event) }",
    ],
    good: &[
        "//! judges: ec2/volumes\n//! when: { Encrypted: false, Size: [100, null], State: in-use }\nfn matches(v) { v.Size > 1 }",
        "//! when: { eventSource: ec2.amazonaws.com, readOnly: [false, null], userIdentity.type: Root }\nfn matches(event) { succeeded(event) }",
        "//! judges: ec2/volumes\nfn matches(volume) { volume.Encrypted == false && volume.Size > 100 && volume.VolumeId == \"v\" }",
        "//! judges: ec2/volumes\nfn matches(volume) { volume.Encrypted != true && volume.KmsKeyId == () }",
        "//! judges: ec2/instances\nfn matches(i) { i.State.Name == \"running\" && i.LaunchTime < \"2024-01-01T00:00:00Z\" }",
        "//! judges: ec2/volumes\nfn matches(v) { same(v.State, \"in-use\") || same(v.Encrypted, \"x\") }\nfn same(x, y) { x == y }",
        "//! judges: ec2/volumes\nfn matches(v) { off(v.Encrypted) }\n//// lib\nfn off(x) { x == false || x == \"false\" }",
        "//! judges: ec2/volumes\nfn matches(v) { v.Size > 99.5 && text(v.Size) != \"100\" && text(v.Encrypted) == \"false\" }",
        "fn matches(event) { succeeded(event) && (event.readOnly == \"false\" || event.readOnly == false) }",
        "//! when: { eventSource: ec2.amazonaws.com, eventName: CreateVolume }\nfn matches(event) { succeeded(event) && (request(event).size == \"100\" || request(event).size == 100) }",
    ],
};

fn check(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let calls = borrowed(&subject.calls);
    let mut out: Vec<Diagnostic> = in_when(subject, |path, place, text, span| {
        let name = path.names().join(".");
        let message = format!("`{name}` is never `{text}`: it holds {}", told(place));
        (!may_be(path, place, text)).then(|| LINT.at(subject.source, span, message))
    });
    let mut sound: Vec<&Written> = Vec::new();
    for comparison in subject.comparisons() {
        let asks = matches!(comparison.relation, Relation::Equal | Relation::In | Relation::Order);
        let Some(path) = comparison.left.path().filter(|_| asks && !comparison.right.is_empty()) else { continue };
        let Some(place) = at_end(path, subject, &calls) else { continue };
        let is_order = comparison.relation == Relation::Order;
        let may_be = |of: Holds| match of {
            // Whole numbers and others are ordered among each other.
            Holds::Int | Holds::Number if is_order => place.may_be(Holds::Int) || place.may_be(Holds::Number),
            of => place.may_be(of),
        };
        let is_never = |value: &Value| type_of(value).is_some_and(|of| !may_be(of));
        if !comparison.right.iter().all(is_never) {
            sound.push(&comparison.place);
            continue;
        }
        let never = if is_order { "is never compared with this" } else { "is never equal to this" };
        let message = format!("`{}` {never}: it holds {}", path.names().join("."), told(&place));
        let source = subject.source_of(&comparison.place);
        let diagnostic = graded(subject, comparison, LINT.at(source, comparison.place.span.clone(), message));
        out.extend(diagnostic.filter(|diagnostic| !out.contains(diagnostic)));
    }
    for comparison in subject.comparisons().filter(|comparison| comparison.relation == Relation::Contains) {
        let Some(path) = comparison.left.path() else { continue };
        let item = match &path.base {
            Base::Resources(kind) if path.steps.is_empty() => subject.shapes.resource(kind).map(Stepped::Known),
            _ => at_end(path, subject, &calls).map(|place| place.item()),
        };
        let Some(Stepped::Known(item)) = item else { continue };
        let is_never = |value: &Value| type_of(value).is_some_and(|of| !item.may_be(of));
        if comparison.right.is_empty() || !comparison.right.iter().all(is_never) {
            continue;
        }
        let list = path.last().map_or_else(|| "the list".to_owned(), |_| format!("`{}`", path.names().join(".")));
        let message = format!("no item of {list} is this: each is {}", told(&item));
        let diagnostic = LINT.at(subject.source_of(&comparison.place), comparison.place.span.clone(), message);
        let diagnostic = graded(subject, comparison, diagnostic.help("`.some(|one| one.… == …)` asks each item"));
        out.extend(diagnostic.filter(|diagnostic| !out.contains(diagnostic)));
    }
    // A function that is called for several fields need not suit each.
    let is_sound = |diagnostic: &Diagnostic| {
        let is_there = |place: &&Written| subject.source_of(place).file == diagnostic.source.file;
        sound.iter().any(|place| is_there(place) && place.span == diagnostic.span)
    };
    out.retain(|diagnostic| diagnostic.level == Level::Error || !is_sound(diagnostic));
    out
}

/// Whether `when` may find a text: it is compared with the text of a field, or the words of a boolean or a number.
fn may_be(path: &Path, place: &Place<'_>, text: &str) -> bool {
    let holds = |any: &[Holds]| any.iter().any(|of| place.may_be(*of));
    let is_object = is_closed(path) && holds_objects(place);
    (!is_object && holds(&[Holds::Text, Holds::Time]))
        || (matches!(text, "true" | "false") && holds(&[Holds::Bool]))
        || (text.parse::<f64>().is_ok() && holds(&[Holds::Int, Holds::Number]))
}

fn type_of(value: &Value) -> Option<Holds> {
    let literal = match value {
        Value::List(_) => return Some(Holds::List),
        Value::Map(_) => return Some(Holds::Map),
        other => other.literal()?,
    };
    Some(match literal {
        Json::Bool(_) => Holds::Bool,
        Json::Number(number) if number.is_f64() => Holds::Number,
        Json::Number(_) => Holds::Int,
        Json::String(_) => Holds::Text,
        Json::Array(_) => Holds::List,
        Json::Object(_) => Holds::Map,
        Json::Null => return None,
    })
}

/// What may stand at a place, in words.
fn told(place: &Place<'_>) -> String {
    place.holds().into_iter().map(words).collect::<Vec<_>>().join(" or ")
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
