//! `references`: policies that say nothing of where to read more.

use super::subject::Subject;
use super::{Category, Check, Lint};
use crate::diagnostic::{Diagnostic, Level};

pub(super) const LINT: Lint = Lint {
    code: "references",
    category: Category::Metadata,
    level: Level::Warning,
    summary: "A policy without references.",
    avoid: "`references: []`",
    prefer: "the page of the API call or of the setting: `https://docs.aws.amazon.com/…`",
    why: "What AWS says of the call, or a benchmark of the setting, is what a finding is argued with.",
    check: Check::Policy(check),
    bad: &[
        "//! references:\nfn matches(event) { succeeded(event) }",
        "//! references: []\nfn matches(event) { succeeded(event) }",
    ],
    good: &["fn matches(event) { succeeded(event) }"],
};

fn check(subject: &Subject<'_>) -> Vec<Diagnostic> {
    if !subject.header().references.is_empty() {
        return Vec::new();
    }
    let span = subject.key_span(&["references"]);
    vec![
        LINT.at(subject.source, span, "the policy has no references")
            .help("`references: [\"https://docs.aws.amazon.com/…\"]`"),
    ]
}
