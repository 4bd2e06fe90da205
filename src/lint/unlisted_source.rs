//! `unlisted-source`: sources of events that nobody knows, and that look like none that is known.

use super::subject::Subject;
use super::{Category, Check, Lint, unknown_source};
use crate::diagnostic::{Diagnostic, Level};

pub(super) const LINT: Lint = Lint {
    code: "unlisted-source",
    category: Category::Correctness,
    level: Level::Warning,
    summary: "An `eventSource` that this version of Lawbook does not know.",
    avoid: "`eventSource: skyhooks.amazonaws.com`",
    prefer: "a source of AWS's; for one that is newer than Lawbook, a folder for `--shapes` that says so",
    why: "AWS adds services, so this keeps no policy from loading; but a source that no record has is never found.",
    check: Check::Policy(check),
    bad: &[
        "//! when: { eventSource: skyhooks.amazonaws.com, eventName: MakeHook }\nfn matches(event) { succeeded(event) }",
        "//! when:\nfn matches(event) { event.eventSource == \"skyhooks.amazonaws.com\" && succeeded(event) }",
    ],
    good: &[
        "//! when: { eventSource: ec2.amazonaws.com, eventName: RunInstances }\nfn matches(event) { succeeded(event) }",
    ],
};

fn check(subject: &Subject<'_>) -> Vec<Diagnostic> {
    unknown_source::unknown(subject, &LINT, false)
}
