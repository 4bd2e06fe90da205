//! A plan for bash: what runs it is `plan.sh`, before which stand the steps as functions.

use std::io::{self, Write};

use super::{Plan, Step};

const RUNNER: &str = include_str!("plan.sh");

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
    writeln!(out, "\n# {number}. {}", step.title())?;
    // What cannot be done here is told, not half done.
    let has_commands = step.commands(&step.remediation.cli).is_some();
    for (name, text) in forms.into_iter().filter(|_| has_commands) {
        if let Some(text) = text {
            writeln!(out, "{name}_{number}() {{\n{text}\n}}")?;
        }
    }
    let words: Vec<String> = step.facts().iter().map(|fact| quoted(fact)).collect();
    writeln!(out, "step {number} {}", words.join(" "))?;
    if !has_commands {
        let lines: Vec<String> = step.console().iter().map(|line| quoted(line)).collect();
        writeln!(out, "by_hand {number} {} {}", quoted(&step.why_not("cli")), lines.join(" "))?;
    }
    Ok(())
}

/// One word of a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
