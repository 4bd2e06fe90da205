//! `event-source`: names of events without the service that they are of.

use super::solve::{Polarity, atoms};
use super::subject::Subject;
use super::{Category, Check, Lint};
use crate::diagnostic::{Diagnostic, Level};
use crate::script::reading::{Comparison, Relation, Value};

pub(super) const LINT: Lint = Lint {
    code: "event-source",
    category: Category::Security,
    level: Level::Warning,
    summary: "A policy that is about an `eventName` and does not say of which `eventSource`.",
    avoid: "`when: { eventName: DeleteRule }`",
    prefer: "`when: { eventSource: events.amazonaws.com, eventName: DeleteRule }`",
    why: "Services share names: `DeleteRule`, `CreateUser` and `UpdateFunction` are calls of several. Without the source the \
          policy finds strangers' calls; with it, a scan finds the policy faster, too.",
    check: Check::Policy(check),
    bad: &[
        "//! when: { eventName: DeleteTrail }\nfn matches(event) { succeeded(event) }",
        "//! when: { eventName: [DeleteTrail, StopLogging] }\nfn matches(event) { succeeded(event) }",
        "//! when:\nfn matches(event) { event.eventName == \"DeleteTrail\" && succeeded(event) }",
        "//! when:\nfn matches(event) { event.eventName in [\"A\", \"B\"] && succeeded(event) }",
        "//! when:\nfn matches(event) { [\"A\", \"B\"].contains(event.eventName) && succeeded(event) }",
        "//! when:\nfn matches(event) { switch event.eventName { \"A\" | \"B\" => succeeded(event), _ => false } }",
        "//! when:\nfn matches(event) { let name = event.eventName; succeeded(event) && name == \"DeleteTrail\" }",
        "//! when:\nfn matches(e) { is_bad(e) }\nfn is_bad(x) { succeeded(x) && \"DeleteTrail\" == x.eventName }",
        "//! when:\nfn matches(e) { is_bad(e) }\n//// lib\nfn is_bad(x) { succeeded(x) && x.eventName == \"DeleteTrail\" }",
        "//! when:\nconst NAMES = [\"A\"];\nfn matches(event) { NAMES.contains(event.eventName) && succeeded(event) }",
        "//! when:\nfn matches(event) { if event.eventName != \"DeleteTrail\" { return false; } succeeded(event) }",
        "//! when:\nfn matches(event) { event.eventName.starts_with(\"DeleteTrail\") && succeeded(event) }",
        "//! when:\nfn matches(event) { glob(event.eventName, \"PutBucket*\") && succeeded(event) }",
        "//! when:\nfn matches(event) { [\"DeleteTrail\"].some(|n| n == event.eventName) && succeeded(event) }",
        "//! when:\nfn matches(event) { event.eventName.to_lower() == \"deletetrail\" && succeeded(event) }",
        "//! when: { eventType: AwsApiCall, eventName: DeleteTrail }\nfn matches(event) { succeeded(event) }",
    ],
    good: &[
        "//! when: { eventSource: cloudtrail.amazonaws.com, eventName: DeleteTrail }\nfn matches(event) { succeeded(event) }",
        "//! when: { eventSource: cloudtrail.amazonaws.com }\nfn matches(event) { event.eventName == \"DeleteTrail\" && succeeded(event) }",
        "//! when: { eventName: DeleteTrail }\nfn matches(event) { event.eventSource == \"cloudtrail.amazonaws.com\" && succeeded(event) }",
        "//! when:\nfn matches(event) { of(event, \"cloudtrail\") && event.eventName == \"DeleteTrail\" && succeeded(event) }\nfn of(e, s) { e.eventSource == `${s}.amazonaws.com` }",
        "//! when: { eventType: AwsConsoleSignIn, eventName: ConsoleLogin }\nfn matches(event) { succeeded(event) }",
        "//! when:\nfn matches(event) { event.eventName != \"ConsoleLogin\" && actor(event).type == \"Root\" && succeeded(event) }",
        "//! when:\nfn matches(event) { glob(event.eventName, \"Delete*\") && succeeded(event) }",
        "//! when:\nfn matches(event) { event.eventName.starts_with(\"Create\") && succeeded(event) }",
        "//! when:\nfn matches(event) { actor(event).type == \"Root\" && succeeded(event) }\nfn severity(event) { if event.eventName == \"A\" { \"high\" } else { \"low\" } }",
        "//! judges: ec2/volumes\nfn matches(volume) { volume.eventName == \"A\" }",
    ],
};

/// Beginnings of names that every service has, so that a policy about them may be about all services.
const VERBS: &[&str] = &[
    "Create",
    "Delete",
    "Put",
    "Get",
    "List",
    "Describe",
    "Update",
    "Modify",
    "Start",
    "Stop",
    "Attach",
    "Detach",
    "Add",
    "Remove",
    "Enable",
    "Disable",
    "Set",
    "Batch",
    "Run",
    "Terminate",
    "Associate",
    "Disassociate",
    "Tag",
    "Untag",
    "Register",
    "Deregister",
    "Import",
    "Export",
    "Copy",
    "Restore",
    "Reset",
    "Cancel",
    "Authorize",
    "Revoke",
    "Assume",
    "Lookup",
    "Search",
    "Query",
    "Scan",
    "Invoke",
    "Send",
    "Publish",
    "Purge",
    "Reboot",
    "Release",
    "Replace",
    "Share",
    "Accept",
];

fn check(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let Some(matches) = subject.matches().filter(|_| subject.judges_events()) else { return Vec::new() };
    let says_source = subject.wants_something_of(&["eventSource"])
        || matches.reads.iter().any(|read| read.path.is_field(&["eventSource"]))
        || subject.mentions(matches, "eventSource")
        || subject.wants(&["eventType"]).is_some_and(|of| of.iter().flatten().all(|kind| kind != "AwsApiCall"));
    if says_source || !matches.is_complete {
        return Vec::new();
    }
    let span = if subject.wants(&["eventName"]).is_some() {
        subject.key_span(&["when", "eventName"])
    } else {
        let wanted = atoms(&matches.answer).into_iter().filter(|(_, polarity)| *polarity != Polarity::Negative);
        let names = wanted.filter_map(|(comparison, _)| names_an_event(comparison).then_some(comparison));
        let Some(comparison) = names.min_by_key(|comparison| comparison.place.site.start) else { return Vec::new() };
        comparison.place.site.clone()
    };
    let message = "an `eventName` without its `eventSource`: services share names";
    let diagnostic = LINT.at(subject.source, span.clone(), message);
    let names = subject.wants(&["eventName"]).unwrap_or_default();
    vec![match only_source(subject, names) {
        Some(source) => {
            let diagnostic = diagnostic.help(format!("say `eventSource: {source}` in `when:`"));
            diagnostic.fix(span.start..span.start, written(&subject.source.text, span.start, &source))
        }
        None => diagnostic.help("say `eventSource` in `when:`"),
    }]
}

/// The one source that has all of the events.
fn only_source(subject: &Subject<'_>, names: &[Option<String>]) -> Option<String> {
    let mut all = names.iter().map(|name| name.as_ref().map(|name| subject.shapes.sources_of(name)));
    let mut sources = all.next()??.to_vec();
    for others in all {
        let others = others?;
        sources.retain(|source| others.contains(source));
    }
    (sources.len() == 1).then(|| sources.remove(0))
}

/// What to write before the key at `start`: in a line of its own where the key has one.
fn written(text: &str, start: usize, source: &str) -> String {
    let line = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let before = &text[line..start];
    if before.strip_prefix("//!").is_some_and(|before| before.trim().is_empty()) {
        format!("eventSource: {source}\n{before}")
    } else {
        format!("eventSource: {source}, ")
    }
}

/// True if a comparison wants the name of an event, and not just of what kind it is.
fn names_an_event(comparison: &Comparison) -> bool {
    if !comparison.left.made_of().is_some_and(|path| path.is_field(&["eventName"])) {
        return false;
    }
    let is_verb = |text: &str| VERBS.contains(&text.trim_matches(['*', '^', '.', '$']));
    let text = |value: &Value| value.text().map(str::to_owned);
    match comparison.relation {
        Relation::Equal | Relation::In => comparison.right.iter().any(|value| value.text().is_some()),
        Relation::StartsWith | Relation::Glob | Relation::Regex => comparison
            .right
            .iter()
            .filter_map(text)
            .any(|text| text.chars().any(char::is_alphanumeric) && !is_verb(&text)),
        _ => false,
    }
}
