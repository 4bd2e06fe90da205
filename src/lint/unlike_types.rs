//! `unlike-types`: comparisons of what a function answers with a literal of another type.

use serde_json::Value as Json;

use super::solve::graded;
use super::subject::Subject;
use super::{Category, Check, Lint};
use crate::diagnostic::{Diagnostic, Level};
use crate::script::reading::{Base, Comparison, Relation, Type, Value};

pub(super) const LINT: Lint = Lint {
    code: "unlike-types",
    category: Category::Correctness,
    level: Level::Error,
    summary: "What a function answers is compared with a literal of another type, which it is never equal to.",
    avoid: "`succeeded(event) == \"true\"`, `x.len() == \"3\"`, `lookup_all(…) == ()`",
    prefer: "`succeeded(event)`, `x.len() == 3`, `lookup_all(…).is_empty()`",
    why: "It is false whatever the record says; with `!=` it is true. An error if the policy can never fire for it, else a warning.",
    check: Check::Policy(check),
    bad: &[
        "fn matches(event) { succeeded(event) == \"true\" }",
        "fn matches(event) { succeeded(event) != \"false\" }",
        "fn matches(event) { \"true\" == event.succeeded() }",
        "fn matches(event) { succeeded(event) && list(event.a).len() == \"3\" }",
        "fn matches(event) { succeeded(event) && list(event.a).is_empty() == 0 }",
        "fn matches(event) { succeeded(event) && list(event.a) == () }",
        "fn matches(event) { succeeded(event) && account(event) == 111122223333 }",
        "fn matches(event) { succeeded(event) && actor(event).mfa == \"true\" }",
        "fn matches(event) { succeeded(event) && event.a.to_lower() == true }",
        "fn matches(event) { worked(event) == \"yes\" }\nfn worked(e) { succeeded(e) && e.a == 1 }",
        "fn matches(event) { let ok = succeeded(event); ok == \"true\" }",
        "//! needs: [ec2/volumes]\nfn matches(event) { succeeded(event) && lookup_all(\"ec2/volumes\", \"VolumeId\", event.v) == () }",
        "fn matches(event) { succeeded(event) && age(event.eventTime) > \"90d\" }",
        "fn matches(event) { succeeded(event) && actor(event).name == [\"ops\", \"dev\"] }",
        "fn matches(event) { succeeded(event) && event.userAgent.to_lower() == [\"a\"] }",
        "fn matches(event) { succeeded(event) && statements(request(event).policyDocument).some(|s| s.Action == \"*\") }",
        "fn matches(event) { switch succeeded(event) { \"true\" => true, _ => false } }",
        "fn matches(event) { succeeded(event) }\nfn severity(event) { if is_console(event) == \"true\" { \"high\" } else { \"low\" } }",
    ],
    good: &[
        "fn matches(event) { succeeded(event) && statements(request(event).policyDocument).some(|s| s.Action == [\"*\"] && s.Effect == \"Allow\" && s.Sid == ()) }",
        "fn matches(event) { let last = (); for r in list(event.resources) { last = glob(r.ARN, \"*x\"); } succeeded(event) && last == () }",
        "fn matches(event) { succeeded(event) && list(event.resources).map(|r| text(r.ARN).split(\":\")).find(|p| p.len() > 3) != () }",
        "fn matches(event) { succeeded(event) && text(event.userAgent).split(\"/\")[0] != () }",
        "fn matches(event) { let n = switch event.awsRegion { \"a\" => 1, \"b\" => 2 }; succeeded(event) && n != () }",
        "fn matches(event) { succeeded(event) == true }",
        "fn matches(event) { succeeded(event) && list(event.a).len() == 3 && account(event) == \"111122223333\" }",
        "fn matches(event) { succeeded(event) && event.readOnly == \"true\" }",
        "fn matches(event) { succeeded(event) && error_code(event) == () && actor(event).mfa == false }",
        "fn matches(event) { succeeded(event) && text(event.a) == \"true\" && age(event.t) > duration(\"90d\") }",
        "//! needs: [ec2/volumes]\nfn matches(event) { succeeded(event) && lookup(\"ec2/volumes\", \"VolumeId\", event.v) == () }",
        "fn matches(event) { succeeded(event) && list(event.a).find_map(|x| x.b) == \"x\" && list(event.a).find(|x| x.b == 1) != () }",
        "fn matches(event) { let x = 0; if succeeded(event) { x = \"a\"; } x == \"a\" }",
        "fn matches(event) { let n = list(event.a).len(); n += 1; n == 2 && succeeded(event) }",
    ],
};

fn check(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let mut out: Vec<Diagnostic> = Vec::new();
    for comparison in subject.comparisons() {
        let asks = matches!(comparison.relation, Relation::Equal | Relation::In | Relation::Order);
        let Some(words) = words(&comparison.left).filter(|_| asks) else { continue };
        if comparison.right.is_empty() || !comparison.right.iter().all(|value| is_unlike(comparison, value)) {
            continue;
        }
        let source = subject.source_of(&comparison.place);
        // A literal may stand on either side; what it is compared with is marked, too.
        let diagnostic =
            LINT.at(source, comparison.place.span.clone(), format!("{words} is never equal to this literal"));
        out.extend(graded(subject, comparison, diagnostic.help("compare with a value of its type")));
    }
    out
}

/// What something is that a function answers.
fn words(value: &Value) -> Option<&'static str> {
    Some(match value {
        Value::Answer(_) => "what is true or false",
        Value::Length(_) | Value::Made(Type::Number) => "a number",
        Value::Made(Type::Text) | Value::Part(..) => "text",
        Value::List(_) | Value::ListOf(_) => "a list",
        // What a function answers that may answer nothing.
        Value::Any(all) => {
            let mut kinds = all.iter().filter(|one| one.literal() != Some(&Json::Null)).map(words);
            let first = kinds.next()??;
            return kinds.all(|kind| kind == Some(first)).then_some(first);
        }
        Value::Map(_) => "a map",
        Value::Path(path) if matches!(path.base, Base::Resources(_)) && path.steps.is_empty() => "a list",
        Value::Path(path) if path.base == Base::Actor && path.steps.len() == 1 => {
            if path.last() == Some("mfa") {
                "what is true or false"
            } else {
                "text"
            }
        }
        _ => return None,
    })
}

/// True if no answer of the kind is equal to the literal.
fn is_unlike(comparison: &Comparison, literal: &Value) -> bool {
    let literal = match literal {
        Value::List(_) => return !matches!(words(&comparison.left), Some("a list")),
        Value::Map(_) => return !matches!(words(&comparison.left), Some("a map")),
        other => other.literal(),
    };
    let Some(literal) = literal else { return false };
    // What may be absent may be `()`; what is counted or made may not.
    let is_there = match &comparison.left {
        Value::Made(_) | Value::Part(..) | Value::Any(_) => false,
        Value::Path(path) => path.base != Base::Actor,
        _ => true,
    };
    let is_of = match words(&comparison.left) {
        Some("what is true or false") => literal.is_boolean(),
        Some("a number") => literal.is_number(),
        Some("text") => literal.is_string(),
        _ => false,
    };
    !is_of && (is_there || *literal != Json::Null)
}
