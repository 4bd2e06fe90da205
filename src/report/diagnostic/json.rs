//! Diagnostics as one JSON object.

use serde_json::{Value, json};

use super::region;
use crate::diagnostic::{Diagnostic, Level};
use crate::lint;

/// The version of the shape: raised when a member changes its meaning or goes away.
const SCHEMA_VERSION: u32 = 1;

pub(super) fn write(diagnostics: &[Diagnostic]) -> String {
    let count = |level| diagnostics.iter().filter(|diagnostic| diagnostic.level == level).count();
    let object = json!({
        "schema_version": SCHEMA_VERSION,
        "lawbook": env!("CARGO_PKG_VERSION"),
        "errors": count(Level::Error),
        "warnings": count(Level::Warning),
        "diagnostics": diagnostics.iter().map(of_one).collect::<Vec<_>>(),
    });
    super::super::one_line(&object) + "\n"
}

fn of_one(diagnostic: &Diagnostic) -> Value {
    let mut object = json!({
        "code": diagnostic.code,
        "level": diagnostic.level,
        "category": lint::find(diagnostic.code).map(|lint| lint.category),
        "message": diagnostic.message,
        "file": diagnostic.source.file,
        "help": diagnostic.help,
        "span": place(diagnostic, &diagnostic.span),
    });
    if let Some(fix) = &diagnostic.fix {
        object["fix"] = json!({ "span": place(diagnostic, &fix.span), "replacement": fix.replacement });
    }
    object
}

/// Bytes, and 1-based lines and columns in characters; the end is behind the last.
fn place(diagnostic: &Diagnostic, span: &std::ops::Range<usize>) -> Value {
    let [(line, column), (end_line, end_column)] = region(diagnostic, span);
    json!({
        "start": span.start, "end": span.end,
        "line": line, "column": column, "end_line": end_line, "end_column": end_column,
    })
}
