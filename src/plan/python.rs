//! A plan for Python: what runs it is `plan.py`, before which stand the steps as functions.

use std::io::{self, Write};

use serde_json::Value;

use super::{Plan, Step};

const RUNNER: &str = include_str!("plan.py");

pub(super) fn write(plan: &Plan, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "#!/usr/bin/env python3")?;
    writeln!(out, "# A plan of Lawbook {}: {}.", env!("CARGO_PKG_VERSION"), plan.size())?;
    out.write_all(RUNNER.as_bytes())?;
    for step in &plan.steps {
        one(step, out)?;
    }
    writeln!(out, "\n\nif __name__ == \"__main__\":\n    sys.exit(main(sys.argv[1:]))")
}

fn one(step: &Step, out: &mut dyn Write) -> io::Result<()> {
    let number = step.number;
    let forms = [
        ("do", &step.remediation.python),
        ("verify", &step.remediation.verify.python),
        ("undo", &step.remediation.undo.python),
    ];
    writeln!(out, "\n\n# {number}. {}", step.title())?;
    let has_code = step.commands(&step.remediation.python).is_some();
    let mut names = Vec::new();
    for (name, text) in forms {
        let Some(text) = text.as_ref().filter(|_| has_code) else {
            names.push("None".to_owned());
            continue;
        };
        writeln!(out, "def {name}_{number}():")?;
        for line in text.lines() {
            let indent = if line.is_empty() { "" } else { "    " };
            writeln!(out, "{indent}{line}")?;
        }
        writeln!(out)?;
        names.push(format!("{name}_{number}"));
    }
    let words: Vec<String> = step.facts().iter().map(|fact| literal(fact)).collect();
    writeln!(out, "\nstep({number}, {}, {}", words.join(", "), names.join(", "))?;
    if has_code {
        return writeln!(out, ")");
    }
    let lines: Vec<String> = step.console().iter().map(|line| literal(line)).collect();
    writeln!(out, "    , by_hand=({}, [{}]))", literal(&step.why_not("python")), lines.join(", "))
}

/// A text of Python. What JSON escapes, Python reads alike.
fn literal(text: &str) -> String {
    Value::from(text).to_string()
}
