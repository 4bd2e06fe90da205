//! How cases went, as one JSON object.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::{Look, Measures, command};
use crate::cases::judge::{CaseResult, Verdict};
use crate::cases::runner::{PolicyResult, Report, SnapshotState};
use crate::cases::trace::Trace;
use crate::report::json::pretty;

/// The version of the report's shape.
const VERSION: u32 = 1;

/// Writes the report.
pub(super) fn write(report: &Report, measures: Measures<'_>, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let (code, reasons) = report.exit(look.allow_empty);
    let mut whole = json!({
        "schema_version": VERSION,
        "lawbook": env!("CARGO_PKG_VERSION"),
        "summary": {
            "policies": report.policies.len(),
            "cases": report.cases(),
            "counts": report.counts(),
            "warnings": report.warnings.0,
            "seconds": report.time.as_secs_f64(),
            "exit": { "code": code, "reasons": reasons },
        },
        "policies": report.policies.iter().map(policy).collect::<Vec<_>>(),
        "orphans": report.orphans.iter().map(|file| file.display().to_string()).collect::<Vec<_>>(),
    });
    if let Some(coverage) = measures.coverage {
        whole["coverage"] = super::coverage::whole(coverage);
    }
    if let Some(mutation) = measures.mutation {
        whole["mutation"] = super::mutation::whole(mutation);
    }
    pretty(&whole, out)
}

fn policy(policy: &PolicyResult) -> Value {
    let (state, changes, pending) = match &policy.snapshot {
        SnapshotState::None => ("none", Vec::new(), false),
        SnapshotState::Same => ("same", Vec::new(), false),
        SnapshotState::Missing(changes, pending) => ("missing", changes.clone(), *pending),
        SnapshotState::Differs(changes, pending) => ("differs", changes.clone(), *pending),
    };
    json!({
        "policy": policy.id,
        "pack": policy.pack,
        "file": policy.file,
        "cases_file": policy.cases_file.display().to_string(),
        "has_cases": policy.has_cases,
        "snapshot": { "state": state, "pending": pending, "changes": changes },
        "cases": policy.cases.iter().map(|(case, trace)| of_case(policy, case, trace.as_ref())).collect::<Vec<_>>(),
    })
}

fn of_case(policy: &PolicyResult, case: &CaseResult, trace: Option<&Trace>) -> Value {
    let answer = case.answer.as_ref();
    let failed = matches!(case.verdict, Verdict::Failed | Verdict::Broken);
    json!({
        "name": case.name,
        "line": case.line,
        "expect": case.expect.word(),
        "happened": answer.map(|answer| answer.happened.word()),
        "verdict": case.verdict,
        "todo": case.todo,
        "differences": case.differences,
        "findings": answer.map_or(0, |answer| answer.findings.len()),
        "operations": answer.map(|answer| answer.operations),
        "seconds": case.time.as_secs_f64(),
        "trace": trace,
        "command": failed.then(|| command(policy, &case.name)),
    })
}
