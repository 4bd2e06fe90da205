//! `unlisted-event`: names of events that nobody knows, and that look like none that is known.

use super::subject::Subject;
use super::{Category, Check, Lint, unknown_event};
use crate::diagnostic::{Diagnostic, Level};

pub(super) const LINT: Lint = Lint {
    code: "unlisted-event",
    category: Category::Correctness,
    level: Level::Warning,
    summary: "An `eventName` that this version of Lawbook does not know.",
    avoid: "`{ eventSource: ec2.amazonaws.com, eventName: MakeInstances }`",
    prefer: "a name of AWS's; for one that is newer than Lawbook, a folder for `--shapes` that says so",
    why: "AWS adds operations every week, so this keeps no policy from loading; but a name that no record has is never found.",
    check: Check::Policy(check),
    bad: &[
        "//! when: { eventSource: ec2.amazonaws.com, eventName: MakeInstances }\nfn matches(event) { succeeded(event) }",
        "//! when: { eventSource: iam.amazonaws.com }\nfn matches(event) { event.eventName == \"FrobnicateUser\" && succeeded(event) }",
        "//! when: { eventSource: iam.amazonaws.com, eventName: [CreateUser, FrobnicateUser] }\nfn matches(event) { succeeded(event) }",
    ],
    good: &[
        "//! when: { eventSource: ec2.amazonaws.com, eventName: RunInstances }\nfn matches(event) { succeeded(event) }",
        "//! when: { eventType: AwsConsoleAction, eventName: SomethingOnAPage }\nfn matches(event) { succeeded(event) }",
    ],
};

fn check(subject: &Subject<'_>) -> Vec<Diagnostic> {
    unknown_event::unknown(subject, &LINT, false)
}
