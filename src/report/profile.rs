//! What policies cost, for their authors: a table, the dearest first, and those that nothing narrows.

use std::io::{self, Write};
use std::time::Duration;

use crate::engine::{Cost, Outcome, PolicyCounts, Profile, Route};
use crate::policy::Checked;

/// Policies of one reason that are named.
const MOST_NAMED: usize = 20;

/// A policy that was asked.
struct Row<'a> {
    policy: String,
    counts: &'a PolicyCounts,
    hits: u64,
    cost: &'a Cost,
    route: &'a Route,
}

/// Writes what a profile holds; nothing if there is none. Policies that were asked about nothing are counted, not listed.
pub(super) fn write(outcome: &Outcome, packs: &Checked, out: &mut dyn Write) -> io::Result<()> {
    let Some(profile) = &outcome.profile else { return Ok(()) };
    let mut rows = rows(outcome, profile, packs);
    let loaded = rows.len();
    rows.retain(|row| row.counts.asked > 0);
    rows.sort_by(|a, b| b.cost.time.cmp(&a.cost.time).then_with(|| a.policy.cmp(&b.policy)));
    let total: Duration = rows.iter().map(|row| row.cost.time).sum();
    let width = rows.iter().map(|row| row.policy.chars().count()).max().unwrap_or(0).max("policy".len());
    writeln!(
        out,
        "{:width$}  {:>11} {:>11} {:>9} {:>9} {:>13} {:>10} {:>6}  found by",
        "policy", "asked", "in Rhai", "hits", "findings", "operations", "time", "share"
    )?;
    for Row { policy, counts, hits, cost, route } in &rows {
        let share = 100.0 * cost.time.as_secs_f64() / total.as_secs_f64().max(f64::MIN_POSITIVE);
        let found_by = match route {
            Route::Fields(fields) => fields.join(", "),
            Route::Every(_) => "-".to_owned(),
        };
        writeln!(
            out,
            "{policy:width$}  {:>11} {:>11} {:>9} {:>9} {:>13} {:>10} {:>6}  {found_by}",
            counts.asked,
            cost.run,
            hits,
            counts.findings,
            cost.operations,
            time(cost.time),
            format!("{share:.1} %"),
        )?;
    }
    let silent = loaded - rows.len();
    writeln!(
        out,
        "{} asked, in {} on all threads together{}.",
        plural(rows.len()),
        time(total),
        if silent > 0 { format!("; {} asked about nothing", plural(silent)) } else { String::new() }
    )?;
    let events = outcome.summary.records.events + outcome.summary.records.filtered;
    writeln!(out, "{} of {events} events were passed over by a few of their fields, unparsed.", profile.passed_over)?;
    let mut reasons: Vec<((&str, bool), Vec<&str>)> = Vec::new();
    for row in &rows {
        let Route::Every(reason) = row.route else { continue };
        let key = (*reason, row.cost.run > 0);
        match reasons.iter_mut().find(|(told, _)| *told == key) {
            Some((_, policies)) => policies.push(&row.policy),
            None => reasons.push((key, vec![&row.policy])),
        }
    }
    for ((reason, has_run), policies) in reasons {
        let run = if has_run { ", and run in Rhai" } else { "" };
        let shown = &policies[..policies.len().min(MOST_NAMED)];
        let more = policies.len() - shown.len();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let shown = shown.join(", ");
        writeln!(out, "Asked about every record of their kind{run}, because {reason}: {shown}{more}.")?;
    }
    Ok(())
}

fn rows<'a>(outcome: &'a Outcome, profile: &'a Profile, packs: &'a Checked) -> Vec<Row<'a>> {
    packs
        .policies()
        .iter()
        .zip(&outcome.policies)
        .zip(&profile.rows)
        .map(|((policy, counts), (cost, route))| {
            let hits = counts.matched(policy.header.window.is_some());
            Row { policy: packs.name_of(policy), counts, hits, cost, route }
        })
        .collect()
}

fn plural(policies: usize) -> String {
    if policies == 1 { "1 policy".to_owned() } else { format!("{policies} policies") }
}

/// With three digits that count.
fn time(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    let (value, unit) = match seconds {
        ..1e-3 => (seconds * 1e6, "µs"),
        ..1.0 => (seconds * 1e3, "ms"),
        _ => (seconds, "s"),
    };
    let places = if value < 10.0 { 2 } else { usize::from(value < 100.0) };
    format!("{value:.places$} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_three_digits() {
        let told = [0, 1, 1_234, 98_765, 999_000_000, 12_345_678_901].map(|nanos| time(Duration::from_nanos(nanos)));
        assert_eq!(told, ["0.00 µs", "0.00 µs", "1.23 µs", "98.8 µs", "999 ms", "12.3 s"]);
    }
}
