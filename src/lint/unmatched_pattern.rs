//! `unmatched-pattern`: patterns for names of events and sources that fit none that is known.

use super::subject::Subject;
use super::unknown_event::has_listed_names;
use super::{Category, Check, Lint};
use crate::diagnostic::{Diagnostic, Level};
use crate::script::reading::{Letters, Relation, Value};
use crate::script::{compile_glob, compile_regex};

pub(super) const LINT: Lint = Lint {
    code: "unmatched-pattern",
    category: Category::Correctness,
    level: Level::Warning,
    summary: "A pattern, or a part, that no `eventName` of the sources of the policy has, or no `eventSource`.",
    avoid: "`glob(event.eventName, \"stop*\")`, `event.eventSource.contains(\"EC2\")`",
    prefer: "`glob(event.eventName, \"Stop*\")`, `event.eventSource == \"ec2.amazonaws.com\"`",
    why: "Names are written in one way: `StopLogging` of `cloudtrail.amazonaws.com`. AWS adds names, so this keeps no policy from loading.",
    check: Check::Policy(check),
    bad: &[
        "//! when: { eventSource: ec2.amazonaws.com }\nfn matches(event) { succeeded(event) && glob(event.eventName, \"run*\") }",
        "//! when: { eventSource: ec2.amazonaws.com }\nfn matches(event) { succeeded(event) && glob(event.eventName, [\"Run*\", \"Frobnicate*\"]) }",
        "//! when: { eventSource: ec2.amazonaws.com }\nfn matches(event) { succeeded(event) && regex(event.eventName, \"^RunInstance$\") }",
        "//! when: { eventSource: iam.amazonaws.com }\nfn matches(event) { succeeded(event) && event.eventName.contains(\"user\") }",
        "//! when: { eventSource: iam.amazonaws.com }\nfn matches(event) { succeeded(event) && event.eventName.to_lower() == \"createusers\" }",
        "//! when: { eventSource: iam.amazonaws.com }\nfn matches(event) { succeeded(event) && is_it(event.eventName) }\nfn is_it(name) { name.ends_with(\"_policy\") }",
        "//! when:\nfn matches(event) { succeeded(event) && event.eventSource.contains(\"EC2\") }",
        "//! when:\nfn matches(event) { succeeded(event) && glob(event.eventSource, \"ec2\") }",
    ],
    good: &[
        "//! when: { eventSource: ec2.amazonaws.com }\nfn matches(event) { succeeded(event) && glob(event.eventName, [\"Run*\", \"*Address*\"]) && regex(event.eventName, \"(?i)^run\") }",
        "//! when: { eventSource: iam.amazonaws.com }\nfn matches(event) { succeeded(event) && event.eventName.to_lower().contains(\"user\") && event.eventName.ends_with(\"Policy\") }",
        "//! when:\nfn matches(event) { succeeded(event) && glob(event.eventName, \"Delete*\") && glob(event.eventSource, \"ec2.*\") }",
        "//! when: { eventType: AwsServiceEvent }\nfn matches(event) { glob(event.eventName, \"backup*\") }",
        "//! when: { eventSource: github.audit }\nfn matches(event) { succeeded(event) && glob(event.eventName, \"repo.*\") }",
        "//! when: { eventSource: iam.amazonaws.com }\nfn matches(event) { succeeded(event) && event.eventName.sub_string(0, 3) == \"Cre\" }",
    ],
};

fn check(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let mut out: Vec<Diagnostic> = Vec::new();
    for comparison in subject.comparisons() {
        let (path, letters) = match &comparison.left {
            Value::Path(path) => (path, None),
            Value::Part(of, letters @ (Letters::Small | Letters::Capital)) => match of.path() {
                Some(path) => (path, Some(*letters)),
                None => continue,
            },
            _ => continue,
        };
        let is_name = path.is_field(&["eventName"]) && has_listed_names(subject);
        if !is_name && !path.is_field(&["eventSource"]) {
            continue;
        }
        let source = subject.source_of(&comparison.place);
        for (at, text) in comparison.right.iter().map(Value::text).enumerate() {
            let Some((text, passes)) = text.and_then(|text| Some((text, test(comparison.relation, text, letters)?)))
            else {
                continue;
            };
            let fits = |name: &str| match letters {
                Some(Letters::Small) => passes(&name.to_lowercase()),
                Some(_) => passes(&name.to_uppercase()),
                None => passes(name),
            };
            let (is_known, of) = match is_name {
                true => (has_name(subject, &fits), "event"),
                false => (subject.shapes.sources().iter().any(|source| fits(source)), "source"),
            };
            if is_known {
                continue;
            }
            let span = subject.span_of(comparison, at, text);
            let told = LINT.at(source, span, format!("no {of} that is known fits `{text}`"));
            let told = told.help("capitals count; `lawbook try event.eventName FILE` shows what records have");
            if !out.contains(&told) {
                out.push(told);
            }
        }
    }
    out
}

/// Whether one of the events of the policy's sources, or of all, fits; true where a source is one that nobody knows.
fn has_name(subject: &Subject<'_>, fits: &dyn Fn(&str) -> bool) -> bool {
    let shapes = subject.shapes;
    match &subject.sources {
        Some(sources) => sources
            .iter()
            .any(|source| !shapes.is_source(source) || shapes.events(source).iter().any(|name| fits(name))),
        None => shapes.all_events().any(fits),
    }
}

/// Whether a name fits.
type Fits = Box<dyn Fn(&str) -> bool>;

/// What is asked of a name; nothing where another lint asks, or where it is no pattern.
fn test(relation: Relation, text: &str, letters: Option<Letters>) -> Option<Fits> {
    let owned = text.to_owned();
    Some(match relation {
        Relation::Glob => {
            let glob = compile_glob(text).ok()?;
            Box::new(move |name| glob.is_match(name))
        }
        Relation::Regex => {
            let regex = compile_regex(text).ok()?;
            Box::new(move |name| regex.is_match(name))
        }
        Relation::Contains => Box::new(move |name| name.contains(&owned)),
        Relation::EndsWith => Box::new(move |name| name.ends_with(&owned)),
        Relation::StartsWith if letters.is_some() => Box::new(move |name| name.starts_with(&owned)),
        Relation::Equal | Relation::In if letters.is_some() => Box::new(move |name| name == owned),
        _ => return None,
    })
}
