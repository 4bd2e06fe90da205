//! `text-as-bool`: fields that records hold as the texts `true` and `false`, compared with a boolean.

use serde_json::Value as Json;

use super::subject::Subject;
use super::{Category, Check, Lint};
use crate::diagnostic::{Diagnostic, Level};
use crate::script::reading::{Base, Relation, Value};

pub(super) const LINT: Lint = Lint {
    code: "text-as-bool",
    category: Category::Correctness,
    level: Level::Warning,
    summary: "A field that CloudTrail writes as the text `true` or `false` is compared with `true` or `false`.",
    avoid: "`event.userIdentity.sessionContext.attributes.mfaAuthenticated == false`",
    prefer: "`!is_true(event.userIdentity.sessionContext.attributes.mfaAuthenticated)`, or `actor(event).mfa`",
    why: "Text is not equal to a boolean, so it is false of nearly every record. `is_true` takes both, in any case.",
    check: Check::Policy(check),
    bad: &[
        "fn matches(event) { succeeded(event) && event.userIdentity.sessionContext.attributes.mfaAuthenticated == false }",
        "fn matches(event) { let a = event.userIdentity.sessionContext.attributes; succeeded(event) && a.mfaAuthenticated != true }",
    ],
    good: &[
        "fn matches(event) { succeeded(event) && !is_true(event.userIdentity.sessionContext.attributes.mfaAuthenticated) }",
        "fn matches(event) { succeeded(event) && event.userIdentity.sessionContext.attributes.mfaAuthenticated == \"false\" }",
        "fn matches(event) { succeeded(event) && event.userIdentity.sessionContext.attributes.mfaAuthenticated in [\"false\", false] }",
        "fn matches(event) { succeeded(event) && event.readOnly == false }",
    ],
};

/// Fields of the record that its documentation shows as texts.
const TEXTS: &[&[&str]] = &[&["userIdentity", "sessionContext", "attributes", "mfaAuthenticated"]];

fn check(subject: &Subject<'_>) -> Vec<Diagnostic> {
    if !subject.judges_events() {
        return Vec::new();
    }
    let mut out: Vec<Diagnostic> = Vec::new();
    for comparison in subject.comparisons() {
        let asks = matches!(comparison.relation, Relation::Equal | Relation::In);
        let Some(path) = comparison.left.path().filter(|path| asks && path.base == Base::Record) else { continue };
        let is_bool = |value: &Value| matches!(value.literal(), Some(Json::Bool(_)));
        if !TEXTS.iter().any(|names| path.is_field(names)) || !comparison.right.iter().all(is_bool) {
            continue;
        }
        let source = subject.source_of(&comparison.place);
        let name = path.last().unwrap_or_default();
        let diagnostic = LINT
            .at(source, comparison.place.span.clone(), format!("`{name}` is a text in nearly every record"))
            .help("`is_true(x)`, `!is_true(x)`");
        if !out.contains(&diagnostic) {
            out.push(diagnostic);
        }
    }
    out
}
