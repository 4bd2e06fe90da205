//! The page of a lint, and the document of all of them.

use super::{Check, Lint, lints};
use crate::diagnostic::Level;

/// The page of a lint, in Markdown.
pub fn page(lint: &Lint) -> String {
    let level = match (lint.level, lint.check) {
        (Level::Error, _) => "error",
        (Level::Warning, Check::Allow) => "warning, which cannot be allowed",
        (Level::Warning, _) => "warning",
    };
    let mut out = format!("## {}\n\n*{}, {level}*\n\n{}\n", lint.code, lint.category.word(), lint.summary);
    for (heading, text) in [("Avoid", lint.avoid), ("Prefer", lint.prefer), ("Why", lint.why)] {
        if text.is_empty() {
            continue;
        }
        out.push_str(&format!("\n**{heading}**: {}\n", text.trim_end()));
    }
    out
}

/// All pages, as `docs/diagnostics.md` has them.
pub fn markdown() -> String {
    let mut out = String::from(include_str!("pages.md"));
    for lint in lints() {
        out.push('\n');
        out.push_str(&page(lint));
    }
    out
}
