//! What all events were, in numbers: the tally of a scan, where that was wanted.

use serde::Serialize;

use super::{cut, plural};
use crate::tally::{Count, Row, Section, Tally};

/// Characters of a value that are shown.
const LONGEST: usize = 250;

/// The calls, and what they are told apart by.
#[derive(Serialize)]
pub(super) struct Calls {
    /// All of them in a sentence.
    text: String,
    tables: Vec<Table>,
}

#[derive(Serialize)]
struct Table {
    /// What the rows are told apart by.
    title: &'static str,
    rows: Vec<Line>,
    /// What is counted and has no row of its own.
    rest: String,
}

#[derive(Serialize)]
struct Line {
    value: Option<String>,
    has_none: bool,
    detail: String,
    calls: u64,
    /// How many of them failed.
    failed: u64,
    /// In hundredths of the most calls of the table.
    worked_width: String,
    failed_width: String,
    first: String,
    last: String,
}

impl Calls {
    pub(super) fn of(tally: &Tally) -> Self {
        let calls = &tally.calls;
        let span = match (calls.first, calls.last) {
            (Some(first), Some(last)) => format!(", from {first} to {last}"),
            _ => String::new(),
        };
        let (worked, failed) = (calls.successes(), calls.failures);
        Self {
            text: format!("{}{span}: {worked} succeeded, {failed} failed.", plural(calls.calls, "call")),
            tables: tally.sections.iter().map(Table::of).collect(),
        }
    }
}

impl Table {
    fn of(section: &Section) -> Self {
        let others = section.others.as_ref();
        let most = section.rows.iter().map(|row| row.count.calls).max().unwrap_or(1);
        Self {
            title: section.by.title(),
            rows: section.rows.iter().map(|row| Line::of(row, most)).collect(),
            rest: others.map_or_else(String::new, |others| {
                let Count { calls, failures, .. } = others.count;
                format!(
                    "{} with {}, of which {failures} failed.",
                    plural(others.values, "more value"),
                    plural(calls, "call")
                )
            }),
        }
    }
}

impl Line {
    fn of(row: &Row, most: u64) -> Self {
        let value = row.value.as_deref();
        let details = [&row.kind, &row.account, &row.source].into_iter().flatten();
        let details = details.filter(|detail| Some(detail.as_str()) != value).map(|detail| cut(detail, LONGEST));
        let width = |count: u64| format!("{:.2}", count as f64 * 100.0 / most as f64);
        let time = |time: Option<jiff::Timestamp>| time.map(|time| time.to_string()).unwrap_or_default();
        Self {
            value: value.map(|value| cut(value, LONGEST)),
            has_none: value.is_none(),
            detail: details.collect::<Vec<_>>().join(", "),
            calls: row.count.calls,
            failed: row.count.failures,
            worked_width: width(row.count.successes()),
            failed_width: width(row.count.failures),
            first: time(row.count.first),
            last: time(row.count.last),
        }
    }
}
