//! How cases went, for people.

use std::io::{self, Write};
use std::time::Duration;

use serde_json::Value;
use similar::{ChangeTag, TextDiff};

use super::paint::{BAD, BOLD, DIM, GOOD, NOTE, OLD, paint};
use super::{Look, command};
use crate::cases::change::Change;
use crate::cases::compare::Difference;
use crate::cases::judge::{CaseResult, Verdict};
use crate::cases::runner::{PolicyResult, Report};
use crate::cases::snapshot::finding_text;
use crate::cases::trace::Trace;
use crate::fault::printable;

/// Letters of a value that are shown.
const MOST: usize = 2_000;

/// Lines of new findings that are shown of one snapshot.
const MOST_LINES: usize = 300;
/// Records of a case whose place is told.
const MOST_RECORDS: usize = 3;

/// Writes the report.
pub(super) fn write(report: &Report, look: Look, out: &mut dyn Write) -> io::Result<()> {
    for policy in &report.policies {
        of_policy(policy, look, out)?;
    }
    for orphan in &report.orphans {
        let told = format!("{}: a snapshot without a policy (try: remove it)", orphan.display());
        writeln!(out, "{} {}", paint(look.colour, BAD, "FAIL"), printable(&told, MOST))?;
    }
    summary(report, look, out)
}

fn of_policy(policy: &PolicyResult, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let is_bad = |case: &CaseResult| matches!(case.verdict, Verdict::Failed | Verdict::Broken);
    let failed = policy.cases.iter().any(|(case, _)| is_bad(case)) || policy.snapshot.changes().is_some();
    let word = match (policy.cases.is_empty(), failed) {
        (_, true) => paint(look.colour, BAD, "FAIL"),
        (true, false) if look.allow_empty => paint(look.colour, NOTE, "none"),
        (true, false) => paint(look.colour, BAD, "FAIL"),
        (false, false) => paint(look.colour, GOOD, "ok  "),
    };
    if policy.cases.is_empty() {
        let file = policy.cases_file.display().to_string();
        writeln!(out, "{word} {}  no cases (try: write {})", policy.id, printable(&file, MOST))?;
    } else {
        let time: Duration = policy.cases.iter().map(|(case, _)| case.time).sum();
        let operations: u64 = policy.cases.iter().map(|(case, _)| operations(case)).sum();
        let cost = format!("{}, {operations} operations, {}", plural(policy.cases.len(), "case"), in_ms(time));
        writeln!(out, "{word} {}  {}", policy.id, paint(look.colour, DIM, &cost))?;
    }
    for (case, trace) in &policy.cases {
        if is_bad(case) {
            of_failure(policy, case, trace.as_ref(), look, out)?;
        } else if look.verbose || case.verdict == Verdict::Todo {
            of_case(case, look, out)?;
        }
        if let Some(trace) = trace.as_ref().filter(|_| look.verbose) {
            for line in &trace.printed {
                writeln!(out, "         {} {}", paint(look.colour, DIM, "printed"), printable(line, MOST))?;
            }
        }
    }
    if let Some((changes_of, pending)) = policy.snapshot.changes() {
        of_snapshot(policy, changes_of, pending, look, out)?;
    }
    Ok(())
}

fn plural(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

fn operations(case: &CaseResult) -> u64 {
    case.answer.as_ref().map_or(0, |answer| answer.operations)
}

fn in_ms(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}

/// A case that is as it should be.
fn of_case(case: &CaseResult, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let (word, style) = if case.verdict == Verdict::Todo { ("todo", NOTE) } else { ("ok  ", GOOD) };
    let why = case.todo.as_deref().filter(|why| !why.is_empty()).map(|why| format!(" ({why})")).unwrap_or_default();
    let cost = format!("{}, {} operations, {}", case.expect.word(), operations(case), in_ms(case.time));
    let name = printable(&format!("{}{why}", case.name), MOST);
    writeln!(out, "    {} {name}  {}", paint(look.colour, style, word), paint(look.colour, DIM, &cost))
}

fn of_failure(
    policy: &PolicyResult,
    case: &CaseResult,
    trace: Option<&Trace>,
    look: Look,
    out: &mut dyn Write,
) -> io::Result<()> {
    let word = if case.verdict == Verdict::Broken { "BROKEN" } else { "FAIL" };
    writeln!(out, "    {} {}", paint(look.colour, BAD, word), paint(look.colour, BOLD, &printable(&case.name, MOST)))?;
    let place = format!("{}:{}", policy.cases_file.display(), case.line);
    writeln!(out, "         at {}", printable(&place, MOST))?;
    for record in case.records.iter().take(MOST_RECORDS) {
        writeln!(out, "         record {}", printable(record, MOST))?;
    }
    if case.records.len() > MOST_RECORDS {
        writeln!(out, "         and {} more records", case.records.len() - MOST_RECORDS)?;
    }
    for difference in &case.differences {
        differs(difference, look, out)?;
    }
    if let Some(trace) = trace {
        for line in trace.lines() {
            writeln!(out, "         {}", printable(&line, MOST))?;
        }
    }
    writeln!(out, "         alone: {}", printable(&command(policy, &case.name), MOST))
}

/// Expected and actual, line by line where there are several.
fn differs(difference: &Difference, look: Look, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "         {}", printable(&difference.what, MOST))?;
    lines(&difference.expected, &difference.actual, "           ", look.colour, out)
}

fn lines(old: &str, new: &str, indent: &str, colour: bool, out: &mut dyn Write) -> io::Result<()> {
    for change in TextDiff::from_lines(old, new).iter_all_changes() {
        let (sign, style) = match change.tag() {
            ChangeTag::Delete => ("-", OLD),
            ChangeTag::Insert => ("+", GOOD),
            ChangeTag::Equal => (" ", DIM),
        };
        let line = printable(change.value().trim_end_matches('\n'), MOST);
        writeln!(out, "{indent}{}", paint(colour, style, &format!("{sign} {line}")))?;
    }
    Ok(())
}

fn of_snapshot(
    policy: &PolicyResult,
    changed: &[Change],
    pending: bool,
    look: Look,
    out: &mut dyn Write,
) -> io::Result<()> {
    let file = crate::cases::snapshot_of(&policy.file);
    let said = format!("snapshot {}:", super::of_snapshot(&policy.snapshot));
    writeln!(out, "    {} {}", paint(look.colour, BAD, &said), printable(&file.display().to_string(), MOST))?;
    changes(changed, Detail::Titles, look.colour, out)?;
    let root = super::word(&policy.root.display().to_string());
    if pending {
        writeln!(out, "         review it: lawbook review {root}")
    } else {
        writeln!(
            out,
            "         nothing was written here: run `lawbook test {root}` and `lawbook review {root}` elsewhere"
        )
    }
}

/// How much is told of findings that no snapshot has yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Severity and title.
    Titles,
    /// All that there is to accept, up to a bound.
    Whole,
}

/// Tells changes of a snapshot, for people.
///
/// # Errors
/// When `out` cannot be written to.
pub fn changes(changes: &[Change], detail: Detail, colour: bool, out: &mut dyn Write) -> io::Result<()> {
    let mut left = if detail == Detail::Whole { MOST_LINES } else { 0 };
    let mut of_case: Option<&str> = None;
    let mut of_finding: Option<&str> = None;
    for change in changes {
        let (case, finding) = match change {
            Change::CaseAdded { case, .. } | Change::CaseRemoved { case } => (Some(case.as_str()), None),
            Change::FindingAdded { case, .. } | Change::FindingRemoved { case, .. } => (Some(case.as_str()), None),
            Change::Field { case, finding, .. } => (case.as_deref(), finding.as_deref()),
            Change::Order => (None, None),
        };
        let is_whole = matches!(change, Change::CaseAdded { .. } | Change::CaseRemoved { .. });
        if case != of_case && !is_whole {
            writeln!(out, "      {}", paint(colour, BOLD, &printable(case.unwrap_or("every finding"), MOST)))?;
            of_finding = None;
        }
        if finding != of_finding && finding.is_some() {
            writeln!(out, "        {}", printable(finding.unwrap_or_default(), MOST))?;
        }
        (of_case, of_finding) = (case, finding);
        one(change, colour, out)?;
        match change {
            Change::CaseAdded { whole: findings, .. } if detail == Detail::Whole => {
                findings.iter().try_for_each(|finding| whole(finding, &mut left, colour, out))?;
            }
            Change::FindingAdded { whole: finding, .. } if detail == Detail::Whole => {
                whole(finding, &mut left, colour, out)?;
            }
            _ => {}
        }
    }
    if detail == Detail::Whole && left == 0 {
        writeln!(out, "      the rest stands in the file")?;
    }
    Ok(())
}

/// A finding that nobody has seen yet, as it will stand in the snapshot, as far as there are lines left.
fn whole(finding: &Value, left: &mut usize, colour: bool, out: &mut dyn Write) -> io::Result<()> {
    let text = finding_text(finding);
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("standing:"));
    for line in lines.take(*left).collect::<Vec<_>>() {
        *left -= 1;
        writeln!(out, "          {}", paint(colour, GOOD, &format!("+ {}", printable(line, MOST))))?;
    }
    Ok(())
}

fn one(change: &Change, colour: bool, out: &mut dyn Write) -> io::Result<()> {
    let line = |out: &mut dyn Write, indent: &str, sign: &str, text: String| {
        let style = if sign == "-" { OLD } else { GOOD };
        writeln!(out, "{indent}{}", paint(colour, style, &format!("{sign} {}", printable(&text, MOST))))
    };
    match change {
        Change::CaseAdded { case, outcome, findings, reasons, .. } => {
            line(out, "      ", "+", format!("case: {case} ({outcome})"))?;
            for finding in reasons.iter().chain(findings) {
                line(out, "        ", "+", finding.clone())?;
            }
            Ok(())
        }
        Change::CaseRemoved { case } => line(out, "      ", "-", format!("case: {case} (it is no longer in the file)")),
        Change::FindingAdded { finding, fingerprint, .. } => {
            line(out, "        ", "+", format!("{finding} {fingerprint}"))
        }
        Change::FindingRemoved { finding, fingerprint, .. } => {
            line(out, "        ", "-", format!("{finding} {fingerprint}"))
        }
        Change::Field { field, old, new, .. } => {
            let note = if field == "fingerprint" { " (waivers and baselines will not know it)" } else { "" };
            writeln!(out, "          {}{note}", printable(field, MOST))?;
            lines(&told(old.as_ref()), &told(new.as_ref()), "            ", colour, out)
        }
        Change::Order => writeln!(out, "      the cases are in another order"),
    }
}

/// A value on as many lines as it has; nothing for what is not there.
fn told(value: Option<&Value>) -> String {
    match value {
        None => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(items)) => items.iter().map(|item| told(Some(item))).collect::<Vec<_>>().join("\n"),
        Some(other) => other.to_string(),
    }
}

fn summary(report: &Report, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let counts = report.counts();
    let mut parts = vec![format!("{} passed", counts.passed)];
    for (count, what) in [(counts.failed, "failed"), (counts.broken, "broken"), (counts.todo, "todo")] {
        if count > 0 {
            parts.push(format!("{count} {what}"));
        }
    }
    let policies = report.policies.len();
    let noun = if policies == 1 { "policy" } else { "policies" };
    let cases = plural(report.cases(), "case");
    writeln!(out, "\n{cases} of {policies} {noun}: {} in {}", parts.join(", "), in_ms(report.time))?;
    if let (count @ 1.., packs) = &report.warnings {
        let packs: Vec<String> = packs.iter().map(|pack| super::word(&pack.display().to_string())).collect();
        let told = format!("{} (try: lawbook check {})", plural(*count, "warning"), packs.join(" "));
        writeln!(out, "{}", paint(look.colour, NOTE, &printable(&told, MOST)))?;
    }
    let (code, reasons) = report.exit(look.allow_empty);
    if code != 0 {
        writeln!(out, "{} {}.", paint(look.colour, BAD, &format!("Exit {code}:")), reasons.join("; "))?;
    }
    Ok(())
}
