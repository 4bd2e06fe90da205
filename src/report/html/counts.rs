//! What is counted over all findings: areas, services, places, actors, sources and policies.
//!
//! *Law*: every finding is counted in each of them, however many there are; of what is not listed the page says how much it is.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::finding::{Finding, Severity};

/// Different names of which the numbers are kept apart.
const KEPT: usize = 10_000;

/// Rows that are shown.
const SHOWN: usize = 10;

/// Findings by severity, from the least.
pub(super) type BySeverity = [u64; 5];

/// How many of each severity, in words, the worst first.
pub(super) fn words(counts: &BySeverity) -> String {
    let some = Severity::ALL.into_iter().rev().filter(|severity| counts[*severity as usize] > 0);
    some.map(|severity| format!("{} {}", counts[severity as usize], severity.word())).collect::<Vec<_>>().join(", ")
}

/// Numbers by name.
#[derive(Default)]
pub(super) struct Counter {
    /// By name and what stands beside it.
    known: BTreeMap<(String, String), BySeverity>,
    /// Of names that came when too many were known.
    others: BySeverity,
    /// Of findings without any.
    nameless: u64,
}

impl Counter {
    pub(super) fn add(&mut self, name: Option<(&str, &str)>, severity: Severity) {
        let Some((name, detail)) = name else {
            self.nameless += 1;
            return;
        };
        let cut = |text: &str| super::cut(text, 200);
        let key = (cut(name), cut(detail));
        let counts = if self.known.len() < KEPT || self.known.contains_key(&key) {
            self.known.entry(key).or_default()
        } else {
            &mut self.others
        };
        counts[severity as usize] += 1;
    }

    /// The rows that are shown, the greatest first; `noun` is what the others are called, `nameless` what those without are.
    pub(super) fn table(self, noun: &str, nameless: &str) -> Table {
        let total = |counts: &BySeverity| counts.iter().sum::<u64>();
        let mut rows: Vec<((String, String), BySeverity)> = self.known.into_iter().collect();
        rows.sort_by(|(one, of_one), (other, of_other)| {
            (total(of_other), of_other[4], of_other[3]).cmp(&(total(of_one), of_one[4], of_one[3])).then(one.cmp(other))
        });
        let most = rows.first().map_or(1, |(_, counts)| total(counts)).max(1);
        let left = rows.split_off(rows.len().min(SHOWN));
        let mut rest = Vec::new();
        let untold = total(&self.others);
        let of_left = left.iter().map(|(_, counts)| total(counts)).sum::<u64>() + untold;
        if of_left > 0 {
            let more = if untold > 0 { format!("More than {}", left.len()) } else { left.len().to_string() };
            rest.push(format!("{more} more {noun} with {}.", super::plural(of_left, "finding")));
        }
        if self.nameless > 0 {
            rest.push(format!("{} {nameless}.", super::plural(self.nameless, "finding")));
        }
        let row = |((name, detail), counts): ((String, String), BySeverity)| Row {
            name,
            detail,
            count: total(&counts),
            words: words(&counts),
            parts: parts(&counts, most),
        };
        Table { rows: rows.into_iter().map(row).collect(), rest: rest.join(" "), none: "None.".to_owned() }
    }
}

/// Numbers that are shown.
#[derive(Serialize)]
pub(super) struct Table {
    rows: Vec<Row>,
    /// What is not shown.
    rest: String,
    /// What stands there if there is nothing.
    none: String,
}

#[derive(Serialize)]
struct Row {
    name: String,
    detail: String,
    count: u64,
    words: String,
    parts: Vec<Part>,
}

/// A part of a bar, in hundredths of the longest.
#[derive(Serialize)]
struct Part {
    severity: &'static str,
    x: String,
    width: String,
}

fn parts(counts: &BySeverity, most: u64) -> Vec<Part> {
    let mut x = 0.0;
    let mut parts = Vec::new();
    for severity in Severity::ALL.into_iter().rev().filter(|severity| counts[*severity as usize] > 0) {
        let width = counts[severity as usize] as f64 * 100.0 / most as f64;
        parts.push(Part { severity: severity.word(), x: format!("{x:.2}"), width: format!("{width:.2}") });
        x += width;
    }
    parts
}

/// All tables.
#[derive(Default)]
pub(super) struct Counts {
    pub(super) areas: Counter,
    pub(super) services: Counter,
    pub(super) places: Counter,
    pub(super) actors: Counter,
    pub(super) sources: Counter,
    pub(super) policies: Counter,
}

impl Counts {
    pub(super) fn add(&mut self, finding: &Finding, area: &str) {
        let severity = finding.severity;
        let record = &finding.record;
        self.areas.add(Some((area, "")), severity);
        self.services.add(Some((super::service(finding), "")), severity);
        let place = record.account.as_deref().or(record.region.as_deref()).map(|_| {
            (
                record.account.as_deref().unwrap_or("account unknown"),
                record.region.as_deref().unwrap_or("region unknown"),
            )
        });
        self.places.add(place, severity);
        let actor = finding.actor.as_ref();
        let name = actor.and_then(|actor| actor.name.as_deref().or(actor.arn.as_deref()));
        let detail = actor.and_then(|actor| actor.role.as_deref().or(actor.arn.as_deref())).unwrap_or_default();
        self.actors.add(name.map(|name| (name, if detail == name { "" } else { detail })), severity);
        self.sources.add(finding.source_ip.as_deref().map(|from| (from, "")), severity);
        self.policies.add(Some((&finding.policy, &finding.pack)), severity);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_shown_is_counted() {
        let mut counter = Counter::default();
        for number in 0..KEPT + 5 {
            counter.add(Some((&number.to_string(), "")), Severity::Low);
        }
        counter.add(Some(("7", "")), Severity::High);
        counter.add(None, Severity::High);
        let table = counter.table("names", "without a name");
        assert_eq!(
            (table.rows.len(), table.rows[0].name.as_str(), table.rows[0].words.as_str()),
            (SHOWN, "7", "1 high, 1 low")
        );
        assert_eq!(table.rest, "More than 9990 more names with 9995 findings. 1 finding without a name.");
    }
}
