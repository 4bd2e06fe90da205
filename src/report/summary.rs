//! The report of `lawbook summary`: calls in numbers, as tables for people or as one JSON object.
//!
//! *Law*: every text that comes from a log passes through [`printable`] or the escapes of [`json`], so that none can steer the
//! terminal.

use std::io::{self, Write};

use anstyle::Style;
use serde::Serialize;

use super::{Look, json, text};
use crate::engine::{Exit, Files, Outcome, Problem};
use crate::fault::printable;
use crate::tally::{Count, Row, Section, Tally};

/// Characters of a value that are shown.
const LONGEST: usize = 250;

/// A format of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SummaryFormat {
    /// For people.
    Text,
    /// One JSON object.
    Json,
}

/// Records by what became of them: the first is the sum of the others.
#[derive(Serialize)]
struct Records {
    read: u64,
    counted: u64,
    filtered: u64,
    recognised: u64,
    faults: u64,
}

impl Records {
    fn of(outcome: &Outcome) -> Self {
        let of = &outcome.summary.records;
        let broken = outcome.faults.iter().filter(|fault| fault.stage == "input");
        let faults = broken.map(|fault| fault.count).sum();
        let read = of.events + of.filtered + of.recognised + faults;
        Self { read, counted: of.events, filtered: of.filtered, recognised: of.recognised, faults }
    }
}

#[derive(Serialize)]
struct Report<'a> {
    schema_version: u32,
    lawbook: &'static str,
    records: Records,
    files: &'a Files,
    tally: &'a Option<Tally>,
    faults: &'a [Problem],
    exit: &'a Exit,
    /// Pseudonyms stand in the place of accounts, addresses and names.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    redacted: bool,
}

/// Writes what was counted by a scan [for which that was wanted](crate::Request::tally).
///
/// # Errors
/// When `out` cannot be written to.
pub fn write(format: SummaryFormat, outcome: &Outcome, look: Look, out: &mut dyn Write) -> io::Result<()> {
    match format {
        SummaryFormat::Text => people(outcome, look, out),
        SummaryFormat::Json => {
            let report = Report {
                schema_version: json::SCHEMA_VERSION,
                lawbook: env!("CARGO_PKG_VERSION"),
                records: Records::of(outcome),
                files: &outcome.summary.files,
                tally: &outcome.tally,
                faults: &outcome.faults,
                exit: &outcome.summary.exit,
                redacted: outcome.summary.redacted,
            };
            json::object(&report, out)
        }
    }
}

fn people(outcome: &Outcome, look: Look, out: &mut dyn Write) -> io::Result<()> {
    if let Some(tally) = &outcome.tally {
        out.write_all(tables(tally, look.colour).as_bytes())?;
    }
    out.write_all(text::not_judged(outcome, look).as_bytes())?;
    if look.verbose {
        out.write_all(text::skipped(outcome, look).as_bytes())?;
    }
    let Records { read, counted, filtered, recognised, faults } = Records::of(outcome);
    let files = outcome.summary.files.read;
    write!(out, "Read {} from {}: {counted} counted", plural(read, "record"), plural(files, "file"))?;
    for (number, what) in
        [(filtered, "filtered out"), (recognised, "recognised, and no calls"), (faults, "that could not be read")]
    {
        if number > 0 {
            write!(out, ", {number} {what}")?;
        }
    }
    let skipped = match outcome.summary.files.skipped {
        0 => String::new(),
        1 if look.verbose => " 1 file skipped.".to_owned(),
        more if look.verbose => format!(" {more} files skipped."),
        1 => " 1 file skipped (`-v` lists it).".to_owned(),
        more => format!(" {more} files skipped (`-v` lists them)."),
    };
    writeln!(out, ".{skipped}")?;
    if outcome.summary.redacted {
        writeln!(out, "Redacted: pseudonyms stand for accounts, addresses and names.")?;
    }
    let exit = &outcome.summary.exit;
    if exit.code == 0 { Ok(()) } else { writeln!(out, "Exit {}: {}.", exit.code, exit.reasons.join("; ")) }
}

/// A tally for people: a line for the whole, and a table a section.
pub(super) fn tables(tally: &Tally, colour: bool) -> String {
    let calls = &tally.calls;
    let span = match (calls.first, calls.last) {
        (Some(first), Some(last)) => format!(" from {first} to {last}"),
        _ => String::new(),
    };
    let (worked, failed) = (calls.successes(), calls.failures);
    let mut text = format!("{}{span}: {worked} succeeded, {failed} failed.\n\n", plural(calls.calls, "call"));
    if calls.calls > 0 {
        tally.sections.iter().for_each(|section| table(section, colour, &mut text));
    }
    text
}

fn table(section: &Section, colour: bool, text: &mut String) {
    let paint = |style: Style, part: &str| match colour {
        true => format!("{}{part}{}", style.render(), style.render_reset()),
        false => part.to_owned(),
    };
    let heading = paint(Style::new().bold(), &format!("By {}", section.by.title()));
    text.push_str(&format!("{heading} ({})\n", plural(section.values, "value")));
    let mut rows: Vec<(Count, String)> = section.rows.iter().map(|row| (row.count, label(row))).collect();
    if let Some(others) = &section.others {
        rows.push((
            others.count,
            format!("({} more {})", others.values, if others.values == 1 { "value" } else { "values" }),
        ));
    }
    let mut lines: Vec<[String; 6]> = vec![["calls", "succeeded", "failed", "first", "last", ""].map(str::to_owned)];
    lines.extend(rows.into_iter().map(|(count, label)| {
        let time = |time: Option<jiff::Timestamp>| time.map_or_else(|| "-".to_owned(), |time| time.to_string());
        let numbers = [count.calls, count.successes(), count.failures].map(|number| number.to_string());
        let [calls, successes, failures] = numbers;
        [calls, successes, failures, time(count.first), time(count.last), label]
    }));
    let width = |at: usize| lines.iter().map(|line| line[at].len()).max().unwrap_or(0);
    let [calls, worked, failed, first, last] = [0, 1, 2, 3, 4].map(width);
    for (number, line) in lines.iter().enumerate() {
        let [a, b, c, d, e, label] = line;
        let shown = format!("  {a:>calls$}  {b:>worked$}  {c:>failed$}  {d:first$}  {e:last$}  {label}");
        let shown = shown.trim_end();
        text.push_str(&if number == 0 { paint(Style::new().dimmed(), shown) } else { shown.to_owned() });
        text.push('\n');
    }
    text.push('\n');
}

/// A value, and what belongs to it.
fn label(row: &Row) -> String {
    let details = [&row.kind, &row.account, &row.source].into_iter().flatten();
    let details = details.filter(|detail| row.value.as_ref() != Some(detail));
    let details: Vec<String> = details.map(|detail| printable(detail, LONGEST)).collect();
    // What a log says is not taken for what we say of it.
    let value = match row.value.as_deref().map(|value| printable(value, LONGEST)) {
        None => "(none)".to_owned(),
        Some(value) if value.starts_with('(') => format!("{value:?}"),
        Some(value) => value,
    };
    if details.is_empty() { value } else { format!("{value} ({})", details.join(", ")) }
}

fn plural(count: u64, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}
