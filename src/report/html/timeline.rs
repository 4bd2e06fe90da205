//! Findings over time, as bars: their times are counted in steps that get wider with what there is.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::counts::{BySeverity, words};
use super::plural;
use crate::finding::Severity;

/// Bars that there are at most.
const MOST: i64 = 72;

/// Seconds of a step, each a multiple of the one before; those that follow are doubled.
const STEPS: [i64; 12] =
    [60, 300, 900, 3_600, 10_800, 21_600, 43_200, 86_400, 7 * 86_400, 28 * 86_400, 84 * 86_400, 336 * 86_400];

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 160.0;

/// Findings by step.
pub(super) struct Times {
    step: i64,
    counts: BTreeMap<i64, BySeverity>,
    /// Of findings about events without a time.
    without: u64,
    /// Of findings about resources.
    resources: u64,
}

impl Times {
    pub(super) fn new() -> Self {
        Self { step: STEPS[0], counts: BTreeMap::new(), without: 0, resources: 0 }
    }

    /// Counts a finding about an event.
    pub(super) fn add(&mut self, time: Option<&str>, severity: Severity) {
        let Some(time) = time.and_then(|time| time.parse::<Timestamp>().ok()) else {
            self.without += 1;
            return;
        };
        self.counts.entry(time.as_second().div_euclid(self.step)).or_default()[severity as usize] += 1;
        while self.span().is_some_and(|(first, last)| last - first >= MOST) {
            self.widen();
        }
    }

    /// Counts a finding about a resource, which has no time at which it happened.
    pub(super) fn add_resource(&mut self) {
        self.resources += 1;
    }

    fn span(&self) -> Option<(i64, i64)> {
        Some((*self.counts.first_key_value()?.0, *self.counts.last_key_value()?.0))
    }

    fn widen(&mut self) {
        let next = STEPS.into_iter().find(|step| *step > self.step).unwrap_or(self.step * 2);
        let factor = next / self.step;
        let mut wider: BTreeMap<i64, BySeverity> = BTreeMap::new();
        for (at, counts) in std::mem::take(&mut self.counts) {
            let sums = wider.entry(at.div_euclid(factor)).or_default();
            sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        }
        (self.step, self.counts) = (next, wider);
    }

    pub(super) fn timeline(&self) -> Timeline {
        let without = [
            (self.resources, "about what is, not about what happened"),
            (self.without, "about an event without a time"),
        ];
        let without = without.into_iter().filter(|(count, _)| *count > 0);
        let without = without.map(|(count, what)| format!("Not in it: {} {what}.", plural(count, "finding")));
        let mut timeline = Timeline {
            width: WIDTH,
            height: HEIGHT,
            caption: String::new(),
            most: String::new(),
            bars: Vec::new(),
            ticks: Vec::new(),
            without: without.collect::<Vec<_>>().join(" "),
        };
        let Some((first, last)) = self.span() else { return timeline };
        let total = |counts: &BySeverity| counts.iter().sum::<u64>();
        let most = self.counts.values().map(total).max().unwrap_or(1);
        let all: u64 = self.counts.values().map(total).sum();
        // Room beside a bar that stands alone.
        let places = (last - first + 1).max(12);
        let slot = WIDTH / places as f64;
        timeline.most = plural(most, "finding");
        timeline.caption = format!(
            "{} from {} to {} (UTC), by {}",
            plural(all, "finding"),
            self.label(first),
            self.label(last),
            in_words(self.step)
        );
        for (at, counts) in &self.counts {
            let mut y = HEIGHT;
            let parts =
                Severity::ALL.into_iter().rev().filter(|severity| counts[*severity as usize] > 0).map(|severity| {
                    let height = counts[severity as usize] as f64 * HEIGHT / most as f64;
                    y -= height;
                    Part {
                        severity: severity.word(),
                        x: format!("{:.1}", (at - first) as f64 * slot + slot * 0.1),
                        y: format!("{y:.1}"),
                        width: format!("{:.1}", slot * 0.8),
                        height: format!("{height:.1}"),
                    }
                });
            let parts = parts.collect();
            let (from, words) = (self.label(*at), words(counts));
            let title = format!("{from}: {words}");
            timeline.bars.push(Bar { title, from, count: total(counts), words, parts });
        }
        timeline.ticks = (0..=4).map(|part| self.label(first + (places - 1) * part / 4)).collect();
        timeline
    }

    /// The beginning of a step.
    fn label(&self, at: i64) -> String {
        let Ok(time) = Timestamp::from_second(at.saturating_mul(self.step)) else { return "?".to_owned() };
        let time = TimeZone::UTC.to_datetime(time);
        let (date, clock) = (time.date(), time.time());
        if self.step >= 86_400 { date.to_string() } else { format!("{date} {:02}:{:02}", clock.hour(), clock.minute()) }
    }
}

fn in_words(step: i64) -> String {
    match step {
        60 => "minute".to_owned(),
        3_600 => "hour".to_owned(),
        86_400 => "day".to_owned(),
        604_800 => "week".to_owned(),
        step if step < 3_600 => format!("{} minutes", step / 60),
        step if step < 86_400 => format!("{} hours", step / 3_600),
        step => format!("{} weeks", step / 604_800),
    }
}

/// What is drawn.
#[derive(Serialize)]
pub(super) struct Timeline {
    width: f64,
    height: f64,
    caption: String,
    /// The height of the scale.
    most: String,
    bars: Vec<Bar>,
    ticks: Vec<String>,
    /// What is not in it.
    without: String,
}

#[derive(Serialize)]
struct Bar {
    title: String,
    from: String,
    count: u64,
    words: String,
    parts: Vec<Part>,
}

#[derive(Serialize)]
struct Part {
    severity: &'static str,
    x: String,
    y: String,
    width: String,
    height: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_span_of_time_is_a_few_bars_and_loses_nothing() {
        for span in [1, 59, 3_600, 86_400, 30 * 86_400, 900 * 86_400, 100_000 * 86_400] {
            let mut times = Times::new();
            for at in 0..200_i64 {
                let second = 1_000_000_000 + (at * 7_919 % 200) * span / 200;
                times.add(Some(&Timestamp::from_second(second).unwrap().to_string()), Severity::Low);
            }
            times.add(None, Severity::Low);
            times.add_resource();
            let timeline = times.timeline();
            assert!(timeline.bars.len() as i64 <= MOST, "{span}");
            assert_eq!(timeline.bars.iter().map(|bar| bar.count).sum::<u64>(), 200);
            assert!(
                timeline.without.contains("1 finding about what is") && timeline.without.contains("without a time")
            );
            let right = |part: &Part| part.x.parse::<f64>().unwrap() + part.width.parse::<f64>().unwrap();
            assert!(timeline.bars.iter().flat_map(|bar| &bar.parts).all(|part| right(part) <= WIDTH));
        }
    }
}
