//! `always-true`: comparisons that always hold where they are asked.

use super::solve::settled;
use super::subject::Subject;
use super::{Category, Check, Lint};
use crate::diagnostic::{Diagnostic, Level};

pub(super) const LINT: Lint = Lint {
    code: "always-true",
    category: Category::Correctness,
    level: Level::Warning,
    summary: "A comparison that is always true where it is asked: `when`, or what is asked before it, says so already.",
    avoid: "`when: { eventName: A }` with `event.eventName == \"A\" && …`",
    prefer: "to say it once, in `when`, which makes a scan faster",
    why: "What is said twice is changed once.",
    check: Check::Policy(check),
    bad: &[
        "//! when: { eventSource: iam.amazonaws.com, eventName: CreateUser }\nfn matches(event) { event.eventName == \"CreateUser\" && succeeded(event) }",
        "//! when: { eventSource: iam.amazonaws.com, eventName: CreateUser }\nfn matches(event) { event.eventName != \"DeleteUser\" && succeeded(event) }",
        "//! when: { eventSource: iam.amazonaws.com, eventName: [A, B] }\nfn matches(event) { event.eventName in [\"A\", \"B\", \"C\"] && succeeded(event) }",
        "fn matches(event) { event.a == \"x\" && event.a != \"y\" && succeeded(event) }",
        "fn matches(event) { if event.a != \"x\" { return false; } event.a == \"x\" && succeeded(event) }",
    ],
    good: &[
        "//! when: { eventSource: iam.amazonaws.com, eventName: [A, B] }\nfn matches(event) { event.eventName == \"A\" && succeeded(event) }",
        "fn matches(event) { event.a != \"y\" && event.a != \"x\" && event.b == 1 && succeeded(event) }",
        "//! when: { eventSource: iam.amazonaws.com, eventName: [A, B] }\nfn matches(event) { (event.eventName == \"A\" && event.x == 1 || event.eventName == \"B\" && event.y == 1) && succeeded(event) }",
    ],
};

fn check(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let message = "this is always so here: `when`, or what is asked before, says it";
    settled(subject, true).into_iter().map(|span| LINT.at(subject.source, span, message)).collect()
}
