//! `never-true`: comparisons that cannot hold where they are asked.

use super::solve::settled;
use super::subject::Subject;
use super::{Category, Check, Lint};
use crate::diagnostic::{Diagnostic, Level};

pub(super) const LINT: Lint = Lint {
    code: "never-true",
    category: Category::Correctness,
    level: Level::Warning,
    summary: "A comparison that cannot be true where it is asked: `when`, or what is asked before it, excludes it.",
    avoid: "`when: { eventName: [A, B] }` with `event.eventName == \"C\" || …`",
    prefer: "to take it away, or to mend `when`",
    why: "One of the two is not what was meant.",
    check: Check::Policy(check),
    bad: &[
        "//! when: { eventSource: iam.amazonaws.com, eventName: [A, B] }\nfn matches(event) { succeeded(event) && (event.eventName == \"C\" || event.a == 1) }",
        "//! when: { eventSource: iam.amazonaws.com, eventName: [A, B] }\nfn matches(event) { succeeded(event) && (is_c(event) || event.a == 1) }\nfn is_c(e) { e.eventName == \"C\" }",
        "fn matches(event) { succeeded(event) && (event.a == 1 || (event.b == 1 && event.b == 2)) }",
        "fn matches(event) { if event.a == \"x\" { return succeeded(event); } event.a == \"x\" || event.b == 1 }",
    ],
    good: &[
        "//! when: { eventSource: iam.amazonaws.com, eventName: [A, B] }\nfn matches(event) { succeeded(event) && (event.eventName == \"B\" || event.a == 1) }",
        "fn matches(event) { succeeded(event) && (named(event, \"A\") || named(event, \"B\")) }\nfn named(e, name) { e.eventName == name }",
        "//! when: { eventSource: iam.amazonaws.com, eventName: [A, B] }\nfn matches(event) { succeeded(event) && (named(event, \"C\") || named(event, \"B\")) }\nfn named(e, name) { e.eventName == name }",
    ],
};

fn check(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let message = "this is never true here: `when`, or what is asked before, excludes it";
    settled(subject, false).into_iter().map(|span| LINT.at(subject.source, span, message)).collect()
}
