//! Diagnostics as the workflow commands that GitHub Actions turns into annotations.

use super::super::github::{escaped, property};
use super::region;
use crate::diagnostic::{Diagnostic, Level};

pub(super) fn write(diagnostics: &[Diagnostic]) -> String {
    diagnostics.iter().map(of_one).collect()
}

fn of_one(diagnostic: &Diagnostic) -> String {
    let word = match diagnostic.level {
        Level::Error => "error",
        Level::Warning => "warning",
    };
    let [(line, column), (end_line, end_column)] = region(diagnostic, &diagnostic.span);
    // Columns are of one line only.
    let columns = if line == end_line { format!(",col={column},endColumn={end_column}") } else { String::new() };
    let text = match &diagnostic.help {
        Some(help) => format!("{}\n{help}", diagnostic.message),
        None => diagnostic.message.clone(),
    };
    format!(
        "::{word} file={},line={line},endLine={end_line}{columns},title={}::{}\n",
        property(&diagnostic.source.file),
        property(&format!("lawbook: {}", diagnostic.code)),
        escaped(&text),
    )
}
