//! `unknown-event`: names of events that their source does not have.

use std::sync::Arc;

use super::named::{Named, is_slip, named, proposed};
use super::subject::Subject;
use super::{Category, Check, Lint};
use crate::diagnostic::{Diagnostic, Level, surely_meant};

pub(super) const LINT: Lint = Lint {
    code: "unknown-event",
    category: Category::Correctness,
    level: Level::Error,
    summary: "An `eventName` that none of the policy's sources has: misspelt, or of another source.",
    avoid: "`{ eventSource: ec2.amazonaws.com, eventName: DisasociateAddress }`, `{ eventSource: ec2.amazonaws.com, eventName: CreateUser }`",
    prefer: "`{ eventSource: ec2.amazonaws.com, eventName: DisassociateAddress }`, `{ eventSource: iam.amazonaws.com, eventName: CreateUser }`",
    why: "No record has it, so the policy would be silent about what it is for. An operation that is newer than this version of \
          Lawbook can be told with `--shapes`.",
    check: Check::Policy(check),
    bad: &[
        "//! when: { eventSource: kms.amazonaws.com, eventName: \"DisableKey, ScheduleKeyDeletion]\" }\nfn matches(event) { succeeded(event) }",
        "//! when: { eventSource: iam.amazonaws.com }\nfn matches(event) { succeeded(event) && (called(event, \"CreateUser\") || called(event, \"CreateUsr\")) }\nfn called(e, name) { e.eventName == name }",
        "//! when: { eventSource: ec2.amazonaws.com, eventName: DisasociateAddress }\nfn matches(event) { succeeded(event) }",
        "//! when: { eventSource: ec2.amazonaws.com, eventName: CreateUser }\nfn matches(event) { succeeded(event) }",
        "//! when: { eventSource: ec2.amazonaws.com, eventName: [RunInstances, runInstances] }\nfn matches(event) { succeeded(event) }",
        "//! when: { eventSource: lambda.amazonaws.com, eventName: CreateFunction20150332 }\nfn matches(event) { succeeded(event) }",
        "//! when: { eventSource: iam.amazonaws.com }\nfn matches(event) { event.eventName == \"CreateUsr\" && succeeded(event) }",
        "//! when: { eventSource: iam.amazonaws.com }\nfn matches(event) { event.eventName != \"CreateUsr\" && succeeded(event) && event.readOnly == false }",
        "//! when:\nfn matches(e) { named(e, \"RunInstance\") && succeeded(e) && e.eventSource == \"ec2.amazonaws.com\" }\nfn named(x, name) { x.eventName == name }",
        "//! when: { eventSource: iam.amazonaws.com }\nconst NAMES = [\"CreateUser\", \"CreateUserr\"];\nfn matches(event) { NAMES.contains(event.eventName) && succeeded(event) }",
        "//! when: { eventSource: iam.amazonaws.com, eventName: [CreateUser, DeleteUser] }\nfn matches(event) { succeeded(event) }\nfn severity(event) { if event.eventName == \"DeletUser\" { \"high\" } else { \"low\" } }",
        "//! when: { eventSource: iam.amazonaws.com }\nfn matches(event) { event.eventName.starts_with(\"Creat3\") && succeeded(event) }",
    ],
    good: &[
        "//! when: { eventSource: ec2.amazonaws.com }\nfn matches(event) { succeeded(event) && weight(event) > 1 }\n//// lib\nfn weight(e) { switch e.eventName { \"DeleteTrail\" => 3, \"DeleteFlowLogs\" => 2, _ => 1 } }",
        "//! when: { eventSource: ec2.amazonaws.com, eventName: DisassociateAddress }\nfn matches(event) { succeeded(event) }",
        "//! when: { eventSource: [ec2.amazonaws.com, iam.amazonaws.com], eventName: [RunInstances, CreateUser] }\nfn matches(event) { succeeded(event) }",
        "//! when: { eventSource: lambda.amazonaws.com, eventName: [CreateFunction20150331, UpdateFunctionCode20150331v2] }\nfn matches(event) { succeeded(event) }",
        "//! when: { eventSource: signin.amazonaws.com, eventName: ConsoleLogin }\nfn matches(event) { succeeded(event) }",
        "//! when: { eventSource: kms.amazonaws.com, eventName: RotateKey }\nfn matches(event) { succeeded(event) }",
        "//! when: { eventType: AwsConsoleAction, eventName: SomethingOnAPage }\nfn matches(event) { succeeded(event) }",
        "//! when: { eventSource: iam.amazonaws.com }\nfn matches(event) { event.eventName.starts_with(\"Create\") && succeeded(event) }",
    ],
};

fn check(subject: &Subject<'_>) -> Vec<Diagnostic> {
    unknown(subject, &LINT, true)
}

/// Whether the policy is about calls of APIs: what else is recorded has names that nobody lists whole.
pub(super) fn has_listed_names(subject: &Subject<'_>) -> bool {
    !subject.wants(&["eventType"]).is_some_and(|of| of.iter().flatten().any(|kind| kind != "AwsApiCall"))
}

/// Names that none of the policy's sources has: those that are a slip or of another source, or all others.
pub(super) fn unknown(subject: &Subject<'_>, lint: &Lint, are_wrong: bool) -> Vec<Diagnostic> {
    if !has_listed_names(subject) {
        return Vec::new();
    }
    let shapes = subject.shapes;
    // A source that nobody knows is told as such.
    let sources: Vec<&String> = subject.sources.iter().flatten().filter(|source| shapes.is_source(source)).collect();
    if subject.sources.is_some() && sources.is_empty() {
        return Vec::new();
    }
    let events: Vec<Arc<[String]>> = sources.iter().map(|source| shapes.events(source)).collect();
    let known: Vec<&str> = events.iter().flat_map(|of_one| of_one.iter()).map(String::as_str).collect();
    let mut out = Vec::new();
    for named in named(subject, "eventName") {
        let has = |source: &&String| match named.is_start {
            true => known.iter().any(|name| name.starts_with(&named.text)),
            false => shapes.is_event(source, &named.text),
        };
        let is_sound = match sources.as_slice() {
            [] => named.is_start || !shapes.sources_of(&named.text).is_empty(),
            sources => sources.iter().any(has),
        };
        if is_sound {
            subject.acquit_at(named.source, &named.span);
            continue;
        }
        let others = if named.is_start { &[] } else { shapes.sources_of(&named.text) };
        let is_slip = match sources.as_slice() {
            [] => is_slip(&named.text, shapes.all_events()),
            _ => is_slip(&named.text, known.iter().copied()),
        };
        // A call of AWS's is a word: what is a list, or a sentence, was to be something else.
        let is_no_word = !sources.is_empty() && named.text.chars().any(|letter| " ,;[]{}()'\"\t".contains(letter));
        if (named.is_start || !others.is_empty() || is_slip || is_no_word) == are_wrong {
            // Of all names of all sources too many are like it, unless only one can be meant.
            let meant: Vec<&str> = match sources.as_slice() {
                [] => surely_meant(&named.text, shapes.all_events()).into_iter().collect(),
                _ => Vec::new(),
            };
            let likely = if sources.is_empty() { &meant } else { &known };
            out.push(remark(lint, &named, &sources, others, if named.is_start { &[] } else { likely }));
        }
    }
    out
}

fn remark(lint: &Lint, named: &Named<'_>, sources: &[&String], others: &[String], known: &[&str]) -> Diagnostic {
    let name = &named.text;
    let what = if named.is_start { "no event begins with" } else { "there is no event" };
    let message = match sources {
        [] => format!("{what} `{name}`"),
        sources => {
            let sources: Vec<String> = sources.iter().map(|source| format!("`{source}`")).collect();
            format!("{what} `{name}` of {}", sources.join(", "))
        }
    };
    let diagnostic = lint.at(named.source, named.span.clone(), message);
    match others.first() {
        Some(other) => diagnostic.help(format!("it is an event of `{other}`")),
        None => proposed(diagnostic, named, known.iter().copied()),
    }
}
