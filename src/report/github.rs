//! The workflow commands that GitHub Actions turns into annotations: the worst finding of each group, and what was not judged.
//!
//! GitHub shows ten of a kind and a step: one a group, worst first, is what a reader can use, and what fails nothing is a mere
//! notice behind the others.

use std::io::{self, Write};

use super::Look;
use super::grouped::{self, How, Words};
use crate::engine::Outcome;
use crate::fault::printable;
use crate::finding::{Enforcement, Finding, Severity, Standing};
use crate::record::Origin;

pub(super) fn write(outcome: &Outcome, look: Look, out: &mut dyn Write) -> io::Result<()> {
    for fault in &outcome.faults {
        let policy = fault.policy.as_deref().map_or_else(String::new, |policy| format!("{policy}: "));
        let text = format!("{policy}{} ({} in all)", fault.reason, fault.count);
        command("error", fault.origins.first(), "lawbook: fault", &text, out)?;
    }
    let how = How { by: look.group_by, examples: look.examples.map_or(1, usize::from), groups: usize::MAX };
    grouped::each(&outcome.findings, how, &Groups, &mut |about, texts| {
        for (at, text) in texts.iter().enumerate() {
            // The first tells of all of them.
            let more = about.count() - 1;
            let seen =
                if at == 0 && more > 0 { format!(" (and {more} more{})", about.seen(", ")) } else { String::new() };
            let alike = match look.group_by {
                Some(by) if at == 0 => format!(" [{}]", escaped(&format!("{} {}", by.word(), about.label()))),
                _ => String::new(),
            };
            writeln!(out, "{text}{seen}{alike}")?;
        }
        Ok(())
    })?;
    for row in &outcome.not_evaluated {
        let text = format!("not evaluated: {} ({} in all)", row.reason, row.count);
        command("warning", row.origins.first(), &format!("lawbook: {}", row.policy), &text, out)?;
    }
    for unused in outcome.decided.iter().flat_map(|decided| &decided.unused_waivers) {
        let text = format!("{}:{}: {}", unused.file, unused.line, unused.sentence());
        command("warning", None, "lawbook: a waiver that excuses nothing", &text, out)?;
    }
    let aside: Vec<String> =
        outcome.summary.findings.aside().iter().map(|(count, what)| format!("{count} {what}")).collect();
    if !aside.is_empty() {
        command("notice", None, "lawbook", &format!("findings that fail nothing: {}", aside.join(", ")), out)?;
    }
    let exit = &outcome.summary.exit;
    if exit.code != 0 {
        // That nothing was judged, or a policy never, stands nowhere else.
        let word = if exit.code == 1 { "notice" } else { "error" };
        command(word, None, "lawbook", &format!("exit {}: {}", exit.code, exit.reasons.join("; ")), out)?;
    }
    Ok(())
}

struct Groups;

impl Words for Groups {
    fn worst(&self, finding: &Finding) -> String {
        let (word, mark) = match (finding.standing, finding.enforcement, finding.severity) {
            (Standing::New, Enforcement::Fail, Severity::Critical | Severity::High) => ("error", ""),
            (Standing::New, Enforcement::Fail, Severity::Medium) => ("warning", ""),
            (Standing::New, Enforcement::Fail, Severity::Low | Severity::Info) => ("notice", ""),
            (Standing::New, Enforcement::Report, _) => ("notice", " (reported only)"),
            (Standing::Waived, ..) => ("notice", " (waived)"),
            (Standing::Known, ..) => ("notice", " (known)"),
        };
        let mut out = Vec::new();
        let title = format!("{} {}{mark}", finding.severity.word().to_uppercase(), finding.policy);
        // What is written to memory is written.
        let text =
            std::iter::once(&finding.title).chain(&finding.notes).map(String::as_str).collect::<Vec<_>>().join("; ");
        let _ = command(word, Some(&finding.origin), &title, &text, &mut out);
        String::from_utf8(out).unwrap_or_default().trim_end().to_owned()
    }

    fn other(&self, finding: &Finding) -> String {
        self.worst(finding)
    }
}

fn command(word: &str, origin: Option<&Origin>, title: &str, text: &str, out: &mut dyn Write) -> io::Result<()> {
    let place = origin.map_or_else(String::new, |origin| {
        let line = origin.line.map_or_else(String::new, |line| format!("line={line},"));
        format!("file={},{line}", property(&origin.file))
    });
    writeln!(out, "::{word} {place}title={}::{}", property(title), escaped(text))
}

/// The text of a command, of which no line can be taken for another.
pub(crate) fn escaped(text: &str) -> String {
    printable(&text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A"), LONGEST)
}

/// A property of a command.
pub(crate) fn property(text: &str) -> String {
    escaped(text).replace(':', "%3A").replace(',', "%2C")
}

/// Characters of a text that are shown.
const LONGEST: usize = 4_000;
