//! Markdown for a job's summary, or for a comment on a pull request: what was found, worst first, and what was not judged.

use std::io::{self, Write};

use super::Look;
use super::grouped::{self, How, Words};
use crate::engine::Outcome;
use crate::fault::printable;
use crate::finding::{Enforcement, Finding, Standing};

/// Groups that are shown; more are counted. GitHub takes 65,536 characters in a comment.
const SHOWN: usize = 50;
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
    let mut groups = 0;
    if summary.findings.total > 0 {
        let by = look.group_by.map_or_else(String::new, |by| format!("| {} ", by.word()));
        let rule = if by.is_empty() { "" } else { "|---" };
        writeln!(out, "{by}| severity | finding | when | where | |\n{rule}|---|---|---|---|---|")?;
    }
    let how = How { by: look.group_by, examples: look.examples.map_or(1, usize::from), groups: usize::MAX };
    grouped::each(&outcome.findings, how, &Groups, &mut |about, texts| {
        groups += 1;
        if groups > SHOWN {
            return Ok(());
        }
        let alike = look.group_by.map_or_else(String::new, |_| format!("| {} ", escaped(&about.label())));
        let (worst, others) = texts.split_first().map_or(("", texts), |(worst, others)| (worst, others));
        let mut cells = worst.split(BETWEEN);
        let mut cell = || cells.next().unwrap_or_default();
        let (severity, finding, place) = (cell(), cell(), cell());
        let shown: String = others.iter().map(|other| format!("<br>{other}")).collect();
        let more = about.count() - 1;
        let seen = if more == 0 { String::new() } else { format!("and {more} more{}", about.seen(", ")) };
        writeln!(out, "{alike}| {severity} | {finding}{shown} | {place} | {seen} |")
    })?;
    if groups > SHOWN {
        writeln!(out, "\nAnd {} more.", noun((groups - SHOWN) as u64, "group"))?;
    }
    decided(outcome, out)?;
    not_judged(outcome, out)
}

fn by_severity(outcome: &Outcome, out: &mut dyn Write) -> io::Result<()> {
    let findings = &outcome.summary.findings;
    let severities = findings.by_severity.0.iter().filter(|(_, count)| *count > 0);
    let mut parts: Vec<String> = severities.map(|(word, count)| format!("{count} {word}")).collect();
    parts.extend(findings.aside().into_iter().map(|(count, what)| format!("{count} of them {what}")));
    if parts.is_empty() { Ok(()) } else { writeln!(out, "{}\n", parts.join(", ")) }
}

/// What became of waivers and of the baseline.
fn decided(outcome: &Outcome, out: &mut dyn Write) -> io::Result<()> {
    let Some(decided) = &outcome.decided else { return Ok(()) };
    let unused =
        decided.unused_waivers.iter().map(|unused| format!("{}:{}: {}", unused.file, unused.line, unused.sentence()));
    listed("Waivers that excuse nothing", unused, out)?;
    let resolved = decided.resolved.iter().map(|resolved| format!("{}: {}", resolved.policy, resolved.title));
    listed("Resolved since the baseline", resolved, out)
}

fn listed(title: &str, mut items: impl ExactSizeIterator<Item = String>, out: &mut dyn Write) -> io::Result<()> {
    if items.len() == 0 {
        return Ok(());
    }
    writeln!(out, "\n#### {title}\n")?;
    items.by_ref().take(SHOWN).try_for_each(|item| writeln!(out, "- {}", escaped(&item)))?;
    if items.len() > 0 { writeln!(out, "- and {} more", items.len()) } else { Ok(()) }
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
        format!(
            "{} {mark}{BETWEEN}**{}**<br>{}{BETWEEN}{} | {}",
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
