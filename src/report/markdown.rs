//! Markdown for a job's summary, or for a comment on a pull request: what was found, worst first, and what was not judged.

use std::io::{self, Write};

use super::Look;
use super::grouped::{self, How, Words};
use crate::engine::Outcome;
use crate::fault::printable;
use crate::finding::{Enforcement, Finding, Standing};

/// Groups that are shown; more are counted.
const SHOWN: usize = 50;
/// Bytes of all lines that records decide about: GitHub takes 65,536 characters in a comment, or none of them.
const MOST: usize = 60_000;
/// Characters of a text that are shown.
const LONGEST: usize = 200;

pub(super) fn write(outcome: &Outcome, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let summary = &outcome.summary;
    let records = summary.records.events + summary.records.resources;
    let noun = |count: u64, one: &str| if count == 1 { format!("{count} {one}") } else { format!("{count} {one}s") };
    let (found, judged) = (noun(summary.findings.total, "finding"), noun(records, "record"));
    let exit = &summary.exit;
    writeln!(out, "### Lawbook: {found} in {judged}\n")?;
    if exit.code != 0 {
        writeln!(out, "**Exit {}**: {}\n", exit.code, escaped(&exit.reasons.join("; ")))?;
    }
    by_severity(outcome, out)?;
    if summary.redacted {
        writeln!(out, "Redacted: pseudonyms stand for accounts, addresses and names.\n")?;
    }
    let mut room = Room(MOST);
    let (mut written, mut left) = (0, 0);
    if summary.findings.total > 0 {
        let by = look.group_by.map_or_else(String::new, |by| format!("| {} ", by.word()));
        let rule = if by.is_empty() { "" } else { "|---" };
        writeln!(out, "{by}| severity | finding | when | where | |\n{rule}|---|---|---|---|---|")?;
    }
    let how = How { by: look.group_by, examples: look.examples.map_or(1, usize::from), groups: usize::MAX };
    grouped::each(&outcome.findings, how, &Groups, &mut |about, texts| {
        let alike = look.group_by.map_or_else(String::new, |_| format!("| {} ", escaped(&about.label())));
        let (worst, others) = texts.split_first().map_or(("", texts), |(worst, others)| (worst, others));
        let mut cells = worst.split(BETWEEN);
        let mut cell = || cells.next().unwrap_or_default();
        let (severity, finding, place) = (cell(), cell(), cell());
        let shown: String = others.iter().map(|other| format!("<br>{other}")).collect();
        let more = about.count() - 1;
        let seen = if more == 0 { String::new() } else { format!("and {more} more{}", about.seen(", ")) };
        let row = format!("{alike}| {severity} | {finding}{shown} | {place} | {seen} |");
        if left == 0 && written < SHOWN && room.has(&row) {
            written += 1;
            writeln!(out, "{row}")
        } else {
            left += 1;
            Ok(())
        }
    })?;
    if left > 0 {
        writeln!(out, "\nAnd {} more.", noun(left, "group"))?;
    }
    decided(outcome, &mut room, out)?;
    not_judged(outcome, &mut room, out)
}

fn by_severity(outcome: &Outcome, out: &mut dyn Write) -> io::Result<()> {
    let findings = &outcome.summary.findings;
    let severities = findings.by_severity.0.iter().filter(|(_, count)| *count > 0);
    let mut parts: Vec<String> = severities.map(|(word, count)| format!("{count} {word}")).collect();
    parts.extend(findings.aside().into_iter().map(|(count, what)| format!("{count} of them {what}")));
    if parts.is_empty() { Ok(()) } else { writeln!(out, "{}\n", parts.join(", ")) }
}

/// What became of waivers and of the baseline.
fn decided(outcome: &Outcome, room: &mut Room, out: &mut dyn Write) -> io::Result<()> {
    let Some(decided) = &outcome.decided else { return Ok(()) };
    let unused =
        decided.unused_waivers.iter().map(|unused| format!("{}:{}: {}", unused.file, unused.line, unused.sentence()));
    listed("Waivers that excuse nothing", unused, room, out)?;
    let resolved = decided.resolved.iter().map(|resolved| format!("{}: {}", resolved.policy, resolved.title));
    listed("Resolved since the baseline", resolved, room, out)
}

fn not_judged(outcome: &Outcome, room: &mut Room, out: &mut dyn Write) -> io::Result<()> {
    let faults = outcome.faults.iter().map(|fault| {
        let policy = fault.policy.as_deref().map_or_else(String::new, |policy| format!("{policy}: "));
        format!("{policy}{} ({} in all)", fault.reason, fault.count)
    });
    listed("Faults", faults, room, out)?;
    let rows = outcome.not_evaluated.iter().map(|row| format!("{}: {} ({} in all)", row.policy, row.reason, row.count));
    listed("Not evaluated", rows, room, out)
}

fn listed(
    title: &str,
    items: impl ExactSizeIterator<Item = String>,
    room: &mut Room,
    out: &mut dyn Write,
) -> io::Result<()> {
    let (count, mut shown) = (items.len(), 0);
    if count == 0 {
        return Ok(());
    }
    writeln!(out, "\n#### {title}\n")?;
    for line in items.take(SHOWN).map(|item| format!("- {}", escaped(&item))) {
        if !room.has(&line) {
            break;
        }
        writeln!(out, "{line}")?;
        shown += 1;
    }
    if shown < count { writeln!(out, "- and {} more", count - shown) } else { Ok(()) }
}

/// What is left of [`MOST`].
struct Room(usize);

impl Room {
    /// Takes what a line needs, if there is so much.
    fn has(&mut self, line: &str) -> bool {
        let left = self.0.checked_sub(line.len() + 1);
        self.0 = left.unwrap_or(self.0);
        left.is_some()
    }
}

/// Between the cells of a row, which hold no such character.
const BETWEEN: char = '\0';

struct Groups;

impl Words for Groups {
    fn worst(&self, finding: &Finding) -> String {
        let time = finding.record.time.as_deref().unwrap_or_default();
        let place = [finding.record.account.as_deref(), finding.record.region.as_deref()];
        let place: Vec<&str> = place.into_iter().flatten().collect();
        let mark = match (finding.standing, finding.enforcement) {
            (Standing::New, Enforcement::Fail) => "",
            (Standing::New, Enforcement::Report) => "(reported only)",
            (standing, _) => standing.word(),
        };
        // Such as a waiver that holds no more.
        let notes: String = finding.notes.iter().map(|note| format!("<br>{}", escaped(note))).collect();
        format!(
            "{} {mark}{BETWEEN}**{}**<br>{}{notes}{BETWEEN}{} | {}",
            finding.severity.word(),
            escaped(&finding.title),
            escaped(&finding.policy),
            escaped(time),
            escaped(&place.join(" "))
        )
    }

    fn other(&self, finding: &Finding) -> String {
        format!("{} {}", finding.severity.word(), escaped(&finding.title))
    }
}

/// Text of records in a cell or an item. It is code, in which GitHub looks for no mention, issue or formula; and what
/// Markdown, HTML and a table would read in it is taken from it. Links that are made of bare names and addresses are kept
/// from being so by a comment within them, which leaves no trace.
pub(crate) fn escaped(text: &str) -> String {
    code(text, LONGEST)
}

/// The same, of at most so many characters.
pub(crate) fn code(text: &str, most: usize) -> String {
    let mut plain = String::from("<code>");
    let text = printable(text, most);
    let mut before = ' ';
    for letter in text.chars() {
        match letter {
            '<' => plain.push_str("&lt;"),
            '>' => plain.push_str("&gt;"),
            '&' => plain.push_str("&amp;"),
            '@' => plain.push_str("<!-- -->&#64;"),
            // `www.`, and the schemes before `://`.
            'w' | 'W' if before.eq_ignore_ascii_case(&'w') => plain.push_str(&format!("<!-- -->{letter}")),
            ':' => plain.push_str("&#58;"),
            '$' => plain.push_str("&#36;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '(' | ')' | '|' | '#' | '!' | '~' | '{' | '}' | '^' | '"' | '\'' => {
                plain.push_str(&format!("&#{};", u32::from(letter)));
            }
            letter => plain.push(letter),
        }
        before = letter;
    }
    plain.push_str("</code>");
    plain
}
