//! A plan to read and to discuss: Markdown.

use std::io::{self, Write};

use super::{Kind, Plan, Step};
use crate::fault::printable;
use crate::report::markdown::{code, escaped};

/// Findings of a step whose titles are listed.
const LISTED: usize = 20;

pub(super) fn write(plan: &Plan, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "# Plan: {}\n", plan.size())?;
    writeln!(
        out,
        "Made by `lawbook remediate`. `--format sh` and `--format python` write the same steps as a program, which changes \
         nothing unless it is told to.\n"
    )?;
    if !plan.steps.is_empty() {
        writeln!(out, "| | severity | what | where | how |\n|---|---|---|---|---|")?;
    }
    for step in &plan.steps {
        writeln!(
            out,
            "| [{number}](#step-{number}) | {} | {} | {} | {} |",
            step.severity.word(),
            escaped(&step.title()),
            escaped(&step.place()),
            word(step.kind),
            number = step.number
        )?;
    }
    let mut place = None;
    for step in &plan.steps {
        if place.as_ref() != Some(&step.place()) {
            writeln!(out, "\n## {}", escaped(&step.place()))?;
            place = Some(step.place());
        }
        one(step, out)?;
    }
    if !plan.left.is_empty() {
        writeln!(out, "\n## Not in the plan\n")?;
        for (reason, count) in &plan.left {
            writeln!(out, "- {count} {reason}")?;
        }
    }
    Ok(())
}

fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Change => "changes",
        Kind::Look => "only looks",
        Kind::ByHand => "by hand",
    }
}

fn one(step: &Step, out: &mut dyn Write) -> io::Result<()> {
    let list = |texts: &[String]| {
        let shown: Vec<String> = texts.iter().take(LISTED).map(|text| escaped(text)).collect();
        let more = texts.len().saturating_sub(LISTED);
        if more > 0 { format!("{} and {more} more", shown.join(", ")) } else { shown.join(", ") }
    };
    writeln!(out, "\n### Step {}\n", step.number)?;
    for title in step.titles.iter().take(LISTED) {
        writeln!(out, "- [ ] {}", escaped(title))?;
    }
    if step.titles.len() > LISTED {
        writeln!(out, "- [ ] and {} more", step.titles.len() - LISTED)?;
    }
    writeln!(out, "\n{}, found by {}.", step.severity.word(), list(&step.policies))?;
    if !step.resources.is_empty() {
        writeln!(out, "\nResources: {}", list(&step.resources))?;
    }
    let texts = &step.remediation;
    if let Some(impact) = &texts.impact {
        // What it costs is read to its end.
        writeln!(out, "\n**Impact**: {}", code(impact, usize::MAX))?;
    }
    let blocks = [
        ("Console", "text", &texts.console),
        ("AWS CLI", "sh", &texts.cli),
        ("Python", "python", &texts.python),
        ("Verify, AWS CLI", "sh", &texts.verify.cli),
        ("Verify, Python", "python", &texts.verify.python),
        ("Undo, AWS CLI", "sh", &texts.undo.cli),
        ("Undo, Python", "python", &texts.undo.python),
    ];
    for (title, language, text) in blocks {
        if let Some(text) = text {
            block(title, language, text, out)?;
        }
    }
    for left_out in &texts.left_out {
        writeln!(out, "\nNo `{}`: {}", left_out.form, escaped(&left_out.reason))?;
    }
    Ok(())
}

/// A block of code whose fence no line of it can be.
fn block(title: &str, language: &str, text: &str, out: &mut dyn Write) -> io::Result<()> {
    let longest = text.split(|letter| letter != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    let lines: Vec<String> = text.lines().map(|line| printable(line, usize::MAX)).collect();
    writeln!(out, "\n{title}:\n\n{fence}{language}\n{}\n{fence}", lines.join("\n"))
}
