//! A plan for bash: what runs it is `plan.sh`, before which stand the steps as functions.

use std::io::{self, Write};

use super::{Plan, Step};
use crate::fault::printable;

const RUNNER: &str = include_str!("plan.sh");
/// Characters of a text that are shown.
const LONGEST: usize = 300;

pub(super) fn write(plan: &Plan, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "#!/usr/bin/env bash")?;
    writeln!(out, "# A plan of Lawbook {}: {}.", env!("CARGO_PKG_VERSION"), plan.size())?;
    out.write_all(RUNNER.as_bytes())?;
    for step in &plan.steps {
        one(step, out)?;
    }
    writeln!(out, "\nmain \"$@\"")
}

fn one(step: &Step, out: &mut dyn Write) -> io::Result<()> {
    let number = step.number;
    let forms =
        [("do", &step.remediation.cli), ("verify", &step.remediation.verify.cli), ("undo", &step.remediation.undo.cli)];
    writeln!(out, "\n# {number}. {}", printable(step.title(), LONGEST))?;
    // What cannot be done here is told, not half done.
    let has_commands = step.commands(&step.remediation.cli).is_some();
    for (name, text) in forms.into_iter().filter(|_| has_commands) {
        if let Some(text) = text {
            writeln!(out, "{name}_{number}() {{\n{text}\n}}")?;
        }
    }
    let words = [
        step.account.as_deref().unwrap_or_default(),
        step.region.as_deref().unwrap_or_default(),
        step.severity.word(),
        &step.policies.join(" "),
        &step.titles.join("; "),
        &step.resources.join(" "),
        step.remediation.impact.as_deref().unwrap_or_default(),
    ];
    let words: Vec<String> = words.into_iter().map(quoted).collect();
    writeln!(out, "step {number} {}", words.join(" "))?;
    if !has_commands {
        let console = step.remediation.console.as_deref().unwrap_or_default();
        let lines: Vec<String> = console.lines().map(quoted).collect();
        writeln!(out, "by_hand {number} {} {}", quoted(&step.why_not("cli")), lines.join(" "))?;
    }
    Ok(())
}

/// One word of a shell that can steer no terminal.
fn quoted(text: &str) -> String {
    format!("'{}'", printable(text, LONGEST).replace('\'', r"'\''"))
}
