//! `headings`: what a reader of a policy should be told and is not.

use super::subject::Subject;
use super::{Category, Check, Lint};
use crate::diagnostic::{Diagnostic, Level, did_you_mean};

pub(super) const LINT: Lint = Lint {
    code: "headings",
    category: Category::Metadata,
    level: Level::Warning,
    summary: "One of the four headings behind the front matter is missing, empty, or of another name.",
    avoid: "`## False positive`",
    prefer: "`## What it finds`, `## Why it matters`, `## False positives`, `## Respond`, each with a few sentences",
    why: "Whoever is woken by a finding reads this, and nothing else.",
    check: Check::Policy(check),
    bad: &[
        "//! ## What it finds\n//! x\nfn matches(event) { succeeded(event) }",
        "//! ## What it finds\n//! x\n//! ## Why it matters\n//! x\n//! ## False positives\n//! ## Respond\n//! x\nfn matches(event) { succeeded(event) }",
        "//! ## What it finds\n//! x\n//! ## Why it matters\n//! x\n//! ## False positive\n//! x\n//! ## Respond\n//! x\nfn matches(event) { succeeded(event) }",
        "//! ---\n//! title: A\n//! severity: low\n//! judges: cloudtrail\n//! ---\nfn matches(event) { succeeded(event) }",
    ],
    good: &["fn matches(event) { succeeded(event) }"],
};

const HEADINGS: [&str; 4] = ["What it finds", "Why it matters", "False positives", "Respond"];

fn check(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let sections = subject.policy.sections();
    let found = |heading: &str| sections.iter().find(|(known, _)| *known == heading);
    let missing: Vec<&str> = HEADINGS.into_iter().filter(|heading| found(heading).is_none()).collect();
    let empty: Vec<&str> =
        HEADINGS.into_iter().filter(|heading| found(heading).is_some_and(|(_, text)| text.is_empty())).collect();
    let mut out = Vec::new();
    if !missing.is_empty() {
        let end = &subject.head.doc_span;
        let last = subject.source.text[..end.end].trim_end().rfind('\n').map_or(0, |at| at + 1);
        let diagnostic = LINT.at(subject.source, last..last + 3, format!("{} missing", names(&missing)));
        let near = sections.iter().find_map(|(known, _)| {
            (!HEADINGS.contains(known)).then(|| Some((known, did_you_mean(known, missing.iter().copied())?)))?
        });
        out.push(match near {
            Some((known, meant)) => diagnostic.help(format!("`## {known}` should be `## {meant}`")),
            None => diagnostic.help(format!("`//! ## {}`", missing[0])),
        });
    }
    for heading in empty {
        let at = subject.source.text.find(&format!("## {heading}")).unwrap_or(0);
        out.push(LINT.at(subject.source, at..at + 3 + heading.len(), format!("nothing is said under `{heading}`")));
    }
    out
}

fn names(headings: &[&str]) -> String {
    let list = headings.iter().map(|heading| format!("`## {heading}`")).collect::<Vec<_>>().join(", ");
    format!("{list} {}", if headings.len() == 1 { "is" } else { "are" })
}
