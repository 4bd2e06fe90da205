//! `not-collected`: findings that rest on inventory which may just not have been collected.

use super::solve::{Atom, Polarity, parts};
use super::subject::Subject;
use super::{Category, Check, Lint};
use crate::diagnostic::{Diagnostic, Level};
use crate::schema;
use crate::script::reading::{Base, Place, Reading, Relation, Value};
use serde_json::Value as Json;

pub(super) const LINT: Lint = Lint {
    code: "not-collected",
    category: Category::Security,
    level: Level::Warning,
    summary: "`matches` takes a look-up that finds nothing for proof that there is nothing, of a kind in `uses`.",
    avoid: "`uses: [ec2/flow-logs]` with `lookup_all(\"ec2/flow-logs\", …).is_empty()`",
    prefer: "`needs: [ec2/flow-logs]`, or `collected(\"ec2/flow-logs\") && …`",
    why: "What was not collected is as if it were not there. The policy would find something in every account whose inventory \
          is missing, or was refused.",
    check: Check::Policy(check),
    bad: &[
        "//! uses: [ec2/flow-logs]\nfn matches(event) { succeeded(event) && lookup_all(\"ec2/flow-logs\", \"ResourceId\", event.v).is_empty() }",
        "//! uses: [ec2/flow-logs]\nfn matches(event) { succeeded(event) && lookup(\"ec2/flow-logs\", \"ResourceId\", event.v) == () }",
        "//! uses: [ec2/flow-logs]\nfn matches(event) { succeeded(event) && !(lookup(\"ec2/flow-logs\", \"ResourceId\", event.v) != ()) }",
        "//! uses: [ec2/flow-logs]\nfn matches(event) { succeeded(event) && all(\"ec2/flow-logs\").is_empty() }",
        "//! uses: [ec2/flow-logs]\nfn matches(event) { succeeded(event) && all(\"ec2/flow-logs\").len() == 0 }",
        "//! uses: [ec2/flow-logs]\nfn matches(event) { succeeded(event) && !all(\"ec2/flow-logs\").some(|l| l.ResourceId == event.v) }",
        "//! uses: [ec2/flow-logs]\nfn matches(event) { succeeded(event) && !has_logs(event) }\nfn has_logs(e) { let found = lookup_all(\"ec2/flow-logs\", \"ResourceId\", e.v); !found.is_empty() }",
        "//! uses: [ec2/flow-logs]\nfn matches(event) { if lookup(\"ec2/flow-logs\", \"ResourceId\", event.v) != () { return false; } succeeded(event) }",
        "//! uses: [ec2/instances]\nfn matches(event) { succeeded(event) && lookup(\"ec2/instances\", \"InstanceId\", event.v).State.Name != \"running\" }",
        "//! uses: [ec2/flow-logs]\nfn matches(event) { succeeded(event) && none(event) }\n//// lib\nfn none(e) { lookup_all(\"ec2/flow-logs\", \"ResourceId\", e.v).is_empty() }",
        "//! judges: ec2/vpcs\n//! uses: [ec2/flow-logs]\nfn matches(vpc) { for l in all(\"ec2/flow-logs\") { if l.ResourceId == vpc.VpcId { return false; } } true }",
        "//! judges: ec2/vpcs\n//! uses: [ec2/flow-logs]\nfn matches(vpc) { !all(\"ec2/flow-logs\").map(|l| l.ResourceId).contains(vpc.VpcId) }",
        "//! judges: ec2/vpcs\n//! uses: [ec2/flow-logs]\nfn matches(vpc) { all(\"ec2/flow-logs\").map(|l| l.ResourceId).contains(vpc.VpcId) == false }",
        "//! uses: [ec2/flow-logs]\nfn matches(event) { succeeded(event) && lookup_all(\"ec2/flow-logs\", \"ResourceId\", event.v).filter(|l| l.FlowLogStatus == \"ACTIVE\").is_empty() }",
    ],
    good: &[
        "//! needs: [ec2/flow-logs]\nfn matches(event) { succeeded(event) && lookup_all(\"ec2/flow-logs\", \"ResourceId\", event.v).is_empty() }",
        "//! uses: [ec2/flow-logs]\nfn matches(event) { succeeded(event) && collected(\"ec2/flow-logs\") && lookup_all(\"ec2/flow-logs\", \"ResourceId\", event.v).is_empty() }",
        "//! uses: [ec2/flow-logs]\nfn matches(event) { succeeded(event) && !lookup_all(\"ec2/flow-logs\", \"ResourceId\", event.v).is_empty() }",
        "//! uses: [ec2/flow-logs]\nfn matches(event) { succeeded(event) && lookup(\"ec2/flow-logs\", \"ResourceId\", event.v) != () }",
        "//! uses: [ec2/instances]\nfn matches(event) { succeeded(event) && lookup(\"ec2/instances\", \"InstanceId\", event.v).State.Name == \"running\" }",
        "//! uses: [ec2/instances]\nfn matches(event) { let i = lookup(\"ec2/instances\", \"InstanceId\", event.v); succeeded(event) && i != () && i.State.Name != \"running\" }",
        "//! judges: ec2/vpcs\n//! uses: [ec2/flow-logs]\nfn matches(vpc) { for l in all(\"ec2/flow-logs\") { if l.ResourceId == vpc.VpcId { return true; } } false }",
        "//! uses: [ec2/flow-logs]\nfn matches(event) { succeeded(event) }\nfn severity(event) { if all(\"ec2/flow-logs\").is_empty() { \"high\" } else { \"low\" } }",
    ],
};

fn check(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let Some(matches) = subject.matches() else { return Vec::new() };
    let is_asked = |kind: &str| {
        let of_kind = |value: &Value| value.text() == Some(kind);
        matches.calls.iter().any(|call| call.name == "collected" && call.args.first().is_some_and(of_kind))
    };
    let mut out: Vec<Diagnostic> = Vec::new();
    for (kind, place) in absences(matches) {
        if !subject.header().uses.iter().any(|used| used == kind) || is_asked(kind) {
            continue;
        }
        let message =
            format!("nothing found in `{kind}` is taken for nothing there, and it may not have been collected");
        let help = match schema::is_told(kind) {
            // Neither can ever be so.
            true => "events tell of what happened in the logs, never of all there is: ask for what is found".to_owned(),
            false => format!("declare `{kind}` under `needs:`, or ask `collected(\"{kind}\") && …`"),
        };
        let diagnostic = LINT.at(subject.source, place.site.clone(), message).help(help);
        if !out.contains(&diagnostic) {
            out.push(diagnostic);
        }
    }
    out
}

/// Where a look-up that finds nothing helps an answer to be yes.
fn absences(matches: &Reading) -> Vec<(&str, &Place)> {
    let all = parts(&matches.answer);
    let is_there: Vec<&str> = all.iter().filter_map(|(atom, polarity)| found(*atom, *polarity)).collect();
    let absent = all.iter().filter_map(|(atom, polarity)| nothing(*atom, *polarity));
    absent.filter(|(kind, _)| !is_there.contains(kind)).collect()
}

/// The kind of a look-up that must find something for an answer to be yes.
fn found(atom: Atom<'_>, polarity: Polarity) -> Option<&str> {
    match atom {
        Atom::Compare(comparison) if polarity == Polarity::Negative && is_nothing(comparison.right.as_slice()) => {
            kind(&comparison.left)
        }
        Atom::Empty(value, _) if polarity == Polarity::Negative => kind(value),
        _ => None,
    }
}

/// The kind of a look-up that may find nothing for an answer to be yes.
fn nothing(atom: Atom<'_>, polarity: Polarity) -> Option<(&str, &Place)> {
    match (atom, polarity) {
        (Atom::Compare(comparison), Polarity::Positive) if is_nothing(&comparison.right) => {
            Some((kind(&comparison.left)?, &comparison.place))
        }
        (Atom::Compare(comparison), Polarity::Negative) if comparison.relation == Relation::Contains => {
            Some((kind(&comparison.left)?, &comparison.place))
        }
        // `!=` is true of what is not there.
        (Atom::Compare(comparison), Polarity::Negative) if !is_nothing(&comparison.right) => {
            let path = comparison.left.path()?;
            let Base::Resource(kind) = &path.base else { return None };
            let is_equal = matches!(comparison.relation, Relation::Equal | Relation::In);
            (is_equal && !path.steps.is_empty() && !path.steps.contains(&crate::script::reading::Step::Item))
                .then_some((kind.as_str(), &comparison.place))
        }
        (Atom::Empty(value, place), Polarity::Positive) => Some((kind(value)?, place)),
        (Atom::Each(list, all, place), _) if all == (polarity == Polarity::Positive) => Some((kind(list)?, place)),
        _ => None,
    }
}

fn is_nothing(right: &[Value]) -> bool {
    matches!(right, [Value::Literal(Json::Null)])
}

/// The kind of what was looked up.
fn kind(value: &Value) -> Option<&str> {
    match value {
        Value::ListOf(item) => kind(item),
        Value::Any(values) | Value::List(values) => values.iter().find_map(kind),
        Value::Path(path) => match &path.base {
            Base::Resource(kind) | Base::Resources(kind) => Some(kind),
            _ => None,
        },
        _ => None,
    }
}
