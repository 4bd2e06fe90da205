//! Markdown for a job's summary, or for a comment on a pull request: what was found, worst first, and what was not judged.

use std::io::{self, Write};

use super::grouped::{self, Words};
use crate::engine::Outcome;
use crate::fault::printable;
use crate::finding::{Finding, Standing};

/// Groups that are shown; more are counted. GitHub takes 65,536 characters in a comment.
const SHOWN: usize = 50;
/// Characters of a text that are shown.
const LONGEST: usize = 200;

pub(super) fn write(outcome: &Outcome, out: &mut dyn Write) -> io::Result<()> {
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
    let mut groups = 0;
    if summary.findings.total > 0 {
        writeln!(out, "| severity | finding | when | where | |\n|---|---|---|---|---|")?;
    }
    let (mut row, mut more) = (String::new(), 0_u64);
    grouped::write(&outcome.findings, &Groups, &mut |text| {
        // A group comes in parts: its worst, a sign for each of the next, and how many more there are.
        if let Some(begun) = text.strip_prefix(BEGIN) {
            (row, more) = (begun.to_owned(), 0);
        } else if let Ok(rest) = text.trim_end().parse::<u64>() {
            groups += 1;
            let more = if more + rest > 0 { format!("and {} more", more + rest) } else { String::new() };
            if groups <= SHOWN {
                writeln!(out, "{row} {more} |")?;
            }
        } else {
            more += 1;
        }
        Ok(())
    })?;
    if groups > SHOWN {
        writeln!(out, "\nAnd {} more.", noun((groups - SHOWN) as u64, "group"))?;
    }
    not_judged(outcome, out)
}

fn by_severity(outcome: &Outcome, out: &mut dyn Write) -> io::Result<()> {
    let findings = &outcome.summary.findings;
    let of_them = findings.by_standing.0.iter().filter(|(word, count)| *count > 0 && *word != Standing::New.word());
    let severities = findings.by_severity.0.iter().filter(|(_, count)| *count > 0);
    let mut parts: Vec<String> = severities.map(|(word, count)| format!("{count} {word}")).collect();
    parts.extend(of_them.map(|(word, count)| format!("{count} of them {word}")));
    if parts.is_empty() { Ok(()) } else { writeln!(out, "{}\n", parts.join(", ")) }
}

fn not_judged(outcome: &Outcome, out: &mut dyn Write) -> io::Result<()> {
    if outcome.faults.is_empty() && outcome.not_evaluated.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n#### Not judged\n")?;
    for fault in outcome.faults.iter().take(SHOWN) {
        let policy = fault.policy.as_deref().map_or_else(String::new, |policy| format!("{policy}: "));
        writeln!(out, "- {} (fault, {} in all)", escaped(&format!("{policy}{}", fault.reason)), fault.count)?;
    }
    for row in outcome.not_evaluated.iter().take(SHOWN) {
        writeln!(out, "- {} ({} in all)", escaped(&format!("{}: {}", row.policy, row.reason)), row.count)?;
    }
    let more = outcome.faults.len().saturating_sub(SHOWN) + outcome.not_evaluated.len().saturating_sub(SHOWN);
    if more > 0 { writeln!(out, "- and {more} more kinds") } else { Ok(()) }
}

/// Where a group begins.
const BEGIN: &str = "\0";

struct Groups;

impl Words for Groups {
    fn worst(&self, finding: &Finding) -> String {
        let time = finding.record.time.as_deref().unwrap_or_default();
        let place = [finding.record.account.as_deref(), finding.record.region.as_deref()];
        let place: Vec<&str> = place.into_iter().flatten().collect();
        let mark = if finding.standing == Standing::New { "" } else { finding.standing.word() };
        format!(
            "{BEGIN}| {} {mark} | **{}**<br>{} | {} | {} |",
            finding.severity.word(),
            escaped(&finding.title),
            escaped(&finding.policy),
            escaped(time),
            escaped(&place.join(" "))
        )
    }

    fn other(&self, _: &Finding, _: bool) -> String {
        "other".to_owned()
    }

    fn end(&self, more: u64) -> String {
        format!("{more}\n")
    }
}

/// Text of records in a cell or an item. It is code, in which GitHub looks for no mention, issue or formula; and what
/// Markdown, HTML and a table would read in it is taken from it. Links that are made of bare names and addresses are kept
/// from being so by a comment within them, which leaves no trace.
pub(crate) fn escaped(text: &str) -> String {
    let mut plain = String::from("<code>");
    let text = printable(text, LONGEST);
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
