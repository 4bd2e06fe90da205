//! Diagnostics as SARIF 2.1.0, which code-scanning services read.
//!
//! Written by hand: it is one shape of a few members, and the crates for SARIF generate thousands of lines of types for
//! all others. <https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/sarif-v2.1.0-os.html>

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::region;
use crate::diagnostic::{Diagnostic, Level};
use crate::lint;

pub(super) fn write(diagnostics: &[Diagnostic]) -> String {
    let codes: BTreeSet<&str> = diagnostics.iter().map(|diagnostic| diagnostic.code).collect();
    let codes: Vec<&str> = codes.into_iter().collect();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "lawbook",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": codes.iter().map(|code| rule(code)).collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "results": diagnostics.iter().map(|diagnostic| result(diagnostic, &codes)).collect::<Vec<_>>(),
        }],
    });
    super::super::one_line(&log) + "\n"
}

fn rule(code: &str) -> Value {
    let Some(lint) = lint::find(code) else { return json!({ "id": code }) };
    json!({
        "id": code,
        "shortDescription": { "text": lint.summary },
        "help": { "text": lint::page(lint), "markdown": lint::page(lint) },
        "defaultConfiguration": { "level": word(lint.level) },
        "properties": { "category": lint.category },
    })
}

fn result(diagnostic: &Diagnostic, codes: &[&str]) -> Value {
    let text = match &diagnostic.help {
        Some(help) => format!("{} ({help})", diagnostic.message),
        None => diagnostic.message.clone(),
    };
    let location = json!({ "artifactLocation": { "uri": super::super::uri(&diagnostic.source.file) } });
    let mut physical = location.clone();
    physical["region"] = place(diagnostic, &diagnostic.span);
    let mut result = json!({
        "ruleId": diagnostic.code,
        "ruleIndex": codes.binary_search(&diagnostic.code).ok(),
        "level": word(diagnostic.level),
        "message": { "text": text },
        "locations": [{ "physicalLocation": physical }],
    });
    if let Some(fix) = &diagnostic.fix {
        let mut change = location;
        change["replacements"] = json!([{
            "deletedRegion": place(diagnostic, &fix.span), "insertedContent": { "text": fix.replacement },
        }]);
        result["fixes"] = json!([{ "artifactChanges": [change] }]);
    }
    result
}

fn place(diagnostic: &Diagnostic, span: &std::ops::Range<usize>) -> Value {
    let [(line, column), (end_line, end_column)] = region(diagnostic, span);
    json!({ "startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column })
}

fn word(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warning => "warning",
    }
}
