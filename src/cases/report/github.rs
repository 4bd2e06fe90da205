//! How cases went, as annotations that GitHub Actions shows beside the lines of a pull request.

use std::io::{self, Write};

use super::{Look, command};
use crate::cases::judge::Verdict;
use crate::cases::runner::Report;
use crate::report::github::{escaped, property};

/// Writes the report.
pub(super) fn write(report: &Report, look: Look, out: &mut dyn Write) -> io::Result<()> {
    for policy in &report.policies {
        let file = policy.cases_file.display().to_string();
        for (case, _) in
            policy.cases.iter().filter(|(case, _)| matches!(case.verdict, Verdict::Failed | Verdict::Broken))
        {
            let differs =
                |of: &crate::cases::Difference| format!("{}: expected {}, it is {}", of.what, of.expected, of.actual);
            let mut lines: Vec<String> = case.differences.iter().map(differs).collect();
            lines.push(command(policy, &case.name));
            let title = format!("{}: {}", policy.id, case.name);
            annotation(out, "error", &file, case.line, &title, &lines.join("\n"))?;
        }
        if let Some((changes, _)) = policy.snapshot.changes() {
            let snapshot = crate::cases::snapshot_of(&policy.file).display().to_string();
            let mut told = Vec::new();
            super::text::changes(changes, super::Detail::Titles, false, &mut told)?;
            let title = format!("{}: the snapshot {}", policy.id, super::of_snapshot(&policy.snapshot));
            annotation(out, "error", &snapshot, 1, &title, &String::from_utf8_lossy(&told))?;
        }
        if policy.cases.is_empty() {
            annotation(out, "error", &policy.file, 1, &policy.id, "the policy has no case")?;
        }
    }
    for orphan in &report.orphans {
        annotation(out, "error", &orphan.display().to_string(), 1, "orphan", "a snapshot without a policy")?;
    }
    let (code, reasons) = report.exit(look.allow_empty);
    match code {
        0 => writeln!(out, "{} cases pass", report.counts().passed),
        code => writeln!(out, "exit {code}: {}", escaped(&reasons.join("; "))),
    }
}

fn annotation(out: &mut dyn Write, level: &str, file: &str, line: usize, title: &str, message: &str) -> io::Result<()> {
    writeln!(out, "::{level} file={},line={line},title={}::{}", property(file), property(title), escaped(message))
}
