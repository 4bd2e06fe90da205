//! What cases go through of a script: which statements are reached, and which conditions were false and true.
//!
//! Measured only where it is asked for, by scripts with probes beside those that judge.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::case::{Case, Expect};
use super::judge::{Bench, inventory, request};
use super::runner::{Report, in_parallel};
use super::suite::{Suite, TestedPack, TestedPolicy};
use crate::diagnostic::SourceText;
use crate::engine::{self, Hooks, judge_asking};
use crate::error::Error;
use crate::inventory::{Collected, Inventory};
use crate::policy::{Checked, Policy};
use crate::record::Record;
use crate::script::probe::{Depth, Probed, Prober, What};
use crate::script::{Given, Limits};

/// What the cases of a suite go through.
#[derive(Clone, Debug, Default)]
pub struct Coverage {
    /// Policies and libraries, in the order of packs and files.
    pub files: Vec<FileCoverage>,
    /// Policies that have no case that fires, or none that stays quiet.
    pub one_sided: Vec<OneSided>,
}

/// A policy whose cases know one side of it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct OneSided {
    /// Its id.
    pub policy: String,
    /// Whether a case fires.
    pub fires: bool,
    /// Whether a case stays quiet.
    pub silent: bool,
}

/// What cases go through of a file.
#[derive(Clone, Debug)]
pub struct FileCoverage {
    /// The file and its text.
    pub source: Arc<SourceText>,
    /// Whether the policies of a pack share it.
    pub is_library: bool,
    /// In the order of the text.
    pub points: Vec<Point>,
}

/// A part of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Point {
    /// What is counted.
    pub what: What,
    /// Byte range in the text.
    pub span: std::ops::Range<usize>,
    /// 1-based line.
    pub line: usize,
    /// How often it was reached; of a condition how often it was false, and true.
    pub counts: [u64; 2],
}

/// So many of so many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Share {
    /// Those that were.
    pub of: usize,
    /// All of them.
    pub all: usize,
}

impl Share {
    /// In per cent; all of none is everything.
    #[expect(clippy::cast_precision_loss, reason = "counts of lines")]
    pub fn percent(self) -> f64 {
        if self.all == 0 { 100.0 } else { self.of as f64 * 100.0 / self.all as f64 }
    }

    fn and(self, other: Self) -> Self {
        Self { of: self.of + other.of, all: self.all + other.all }
    }
}

impl FileCoverage {
    /// How often each line was reached on which something begins.
    pub fn lines(&self) -> BTreeMap<usize, u64> {
        let mut lines = BTreeMap::new();
        for point in &self.points {
            let count = lines.entry(point.line).or_default();
            *count = point.counts[0].saturating_add(point.counts[1]).max(*count);
        }
        lines
    }

    /// Lines that were reached.
    pub fn line_share(&self) -> Share {
        let lines = self.lines();
        Share { of: lines.values().filter(|count| **count > 0).count(), all: lines.len() }
    }

    /// The conditions.
    pub fn conditions(&self) -> impl Iterator<Item = &Point> {
        self.points.iter().filter(|point| point.what == What::Condition)
    }

    /// Conditions that were false, and true: each counts twice.
    pub fn condition_share(&self) -> Share {
        let seen = self.conditions().flat_map(|point| point.counts).filter(|count| *count > 0).count();
        Share { of: seen, all: self.conditions().count() * 2 }
    }

    /// Everything that is missing, in the order of the text: the place, and what.
    pub fn missing(&self) -> Vec<(&Point, &'static str)> {
        let missing = |point: &Point| match (point.what, point.counts) {
            (_, [0, 0]) => Some("was never reached"),
            (What::Condition, [0, _]) => Some("was never false"),
            (What::Condition, [_, 0]) => Some("was never true"),
            _ => None,
        };
        self.points.iter().filter_map(|point| missing(point).map(|what| (point, what))).collect()
    }
}

impl Coverage {
    /// Lines of all files.
    pub fn line_share(&self) -> Share {
        self.files.iter().map(FileCoverage::line_share).fold(Share::default(), Share::and)
    }

    /// Conditions of all files.
    pub fn condition_share(&self) -> Share {
        self.files.iter().map(FileCoverage::condition_share).fold(Share::default(), Share::and)
    }

    /// The lesser of both shares, in per cent.
    pub fn percent(&self) -> f64 {
        self.line_share().percent().min(self.condition_share().percent())
    }
}

/// What one case goes through, by the numbers of its pack's probes.
type Passed = BTreeMap<usize, [u64; 2]>;

/// The probes of a pack, and what its cases go through.
pub(super) struct Measured<'s> {
    pub(super) pack: &'s TestedPack,
    /// Libraries first, then every policy that is tested.
    pub(super) probed: Vec<Probed>,
    /// The number of the first probe of each.
    pub(super) firsts: Vec<usize>,
    /// By policy and case; nothing of cases that were not run.
    pub(super) passed: Vec<Vec<Passed>>,
    /// Whether a case counts, by policy and case: it was run, and is not one to be done.
    pub(super) counts: Vec<Vec<bool>>,
}

/// Measures what cases go through.
///
/// # Errors
/// When a script is not understood.
pub fn cover(suite: &Suite, report: &Report, limits: &Limits, threads: usize) -> Result<Coverage, Error> {
    let mut coverage = Coverage::default();
    for pack in &suite.packs {
        let measured = measure(pack, report, limits, threads)?;
        coverage.files.extend(measured.files());
    }
    for policy in &report.policies {
        let has = |expect| policy.cases.iter().any(|(case, _)| case.expect == expect && case.todo.is_none());
        let (fires, silent) = (has(Expect::Fires), has(Expect::Silent));
        if !(fires && silent) {
            coverage.one_sided.push(OneSided { policy: policy.id.clone(), fires, silent });
        }
    }
    Ok(coverage)
}

/// Runs every case of a pack with probes that the report has.
pub(super) fn measure<'s>(
    pack: &'s TestedPack,
    report: &Report,
    limits: &Limits,
    threads: usize,
) -> Result<Measured<'s>, Error> {
    let counts: Vec<Vec<bool>> = pack.policies.iter().map(|policy| counting(policy, report)).collect();
    let mut probed: Vec<Probed> = Vec::new();
    let mut firsts = Vec::new();
    let mut next = 0;
    let policies = pack.policies.iter().filter_map(|policy| Some(&pack.whole.get(&policy.id)?.script.source));
    for source in pack.pack.libraries().iter().chain(policies) {
        let Some(one) = Probed::new(source, Depth::Coverage, next) else {
            return Err(Error::new("has something that coverage does not understand").about(&source.file));
        };
        firsts.push(next);
        next += one.sites.len();
        probed.push(one);
    }
    let libraries = pack.pack.libraries().len();
    let benches: Vec<Bench<'_>> =
        pack.policies.iter().map(|policy| Bench::new(&pack.pack, &pack.whole, &policy.id, limits)).collect();
    let jobs: Vec<(usize, &TestedPolicy, &Case)> = pack
        .policies
        .iter()
        .enumerate()
        .flat_map(|(at, policy)| policy.cases.iter().map(move |case| (at, policy, case)))
        .collect();
    let is_counted = counts.concat();
    let numbered: Vec<(bool, &(usize, &TestedPolicy, &Case))> = is_counted.into_iter().zip(&jobs).collect();
    let mut all = in_parallel(&numbered, threads, |(counts, (at, policy, case))| {
        if !counts {
            return Passed::new();
        }
        let run = benches[*at].with_packs(case, |packs| {
            let known = inventory(case)?;
            let policy = packs.get(&policy.id).ok_or_else(String::new)?;
            let known = engine::informed(policy, &case.records, &known);
            pass(packs, policy, case, &probed[..libraries], &probed[libraries + at], known, limits)
        });
        run.unwrap_or_default()
    })
    .into_iter();
    let passed = pack.policies.iter().map(|policy| all.by_ref().take(policy.cases.len()).collect()).collect();
    Ok(Measured { pack, probed, firsts, passed, counts })
}

/// Which cases of a policy count: those that were run, and are not to be done.
fn counting(policy: &TestedPolicy, report: &Report) -> Vec<bool> {
    let ran = report.policies.iter().find(|ran| ran.file == policy.file);
    let is_counted = |case: &Case| {
        case.todo.is_none() && ran.is_some_and(|ran| ran.cases.iter().any(|(known, _)| known.name == case.name))
    };
    policy.cases.iter().map(is_counted).collect()
}

/// What a case goes through: as a scan asks, `matches` first, and the other hooks if it is true; of a window those that are
/// given the record, and what is given hits for all that a scan gives it.
fn pass(
    packs: &Checked,
    policy: &Policy,
    case: &Case,
    libraries: &[Probed],
    own: &Probed,
    known: Inventory,
    limits: &Limits,
) -> Result<Passed, String> {
    let hooks = policy.header.hooks();
    let of = |given: Given| policy.script.hooks.iter().filter(move |hook| hooks.given(hook) == Some(given));
    let mut opened: Vec<(Hooks, Record)> = Vec::new();
    if policy.header.window.is_some() {
        let mut asked = |at: usize, of: Hooks, hits: &Record| {
            if packs.policies().get(at).is_some_and(|asked| asked.id == policy.id) {
                opened.push((of, hits.clone()));
            }
        };
        let judged = judge_asking(packs, &case.records, inventory(case)?, &request(case, limits), &mut asked);
        judged.map_err(|error| error.to_string())?;
    }
    let known = Arc::new(known);
    let mut prober = Prober::new(1, libraries, Arc::clone(&known), case.now, limits, false);
    let script = prober.script(&policy.script, own);
    for record in case.records.iter().filter(|record| is_asked(policy, record, &known)) {
        if prober.call(0, &script, "matches", record) == Ok(Value::Bool(true)) {
            // The first step that a record is: a scan does not ask for another.
            for step in policy.header.window.iter().flat_map(|window| &window.named.steps) {
                if prober.call(0, &script, step, record) == Ok(Value::Bool(true)) {
                    break;
                }
            }
            let is_step = |hook: &str| hook != "matches" && hooks.is_test(hook);
            for hook in of(Given::Record).filter(|hook| *hook != "matches" && !is_step(hook)) {
                let _ = prober.call(0, &script, hook, record);
            }
        }
    }
    for (asked, hits) in &opened {
        for hook in of(Given::Hits).filter(|hook| (*hook == "confirm") == (*asked == Hooks::Confirm)) {
            let _ = prober.call(0, &script, hook, hits);
        }
    }
    Ok(prober.take().counts)
}

fn is_asked(policy: &Policy, record: &Record, known: &Inventory) -> bool {
    let has = |kind: &String| matches!(known.collected(kind, &record.scope), Collected::Whole | Collected::Partial);
    policy.header.when.admits(record.value.view()) && policy.header.needs.iter().all(has)
}

impl Measured<'_> {
    fn files(&self) -> Vec<FileCoverage> {
        let mut counts = Passed::new();
        for (number, [no, yes]) in self.passed.iter().flatten().flatten() {
            let sum = counts.entry(*number).or_default();
            *sum = [sum[0] + no, sum[1] + yes];
        }
        let libraries = self.pack.pack.libraries().len();
        let file = |(at, probed): (usize, &Probed)| FileCoverage {
            source: Arc::clone(&probed.source),
            is_library: at < libraries,
            points: probed
                .sites
                .iter()
                .enumerate()
                .map(|(number, site)| Point {
                    what: site.what,
                    span: site.span.clone(),
                    line: probed.source.text[..site.span.start].matches('\n').count() + 1,
                    counts: counts.get(&(self.firsts[at] + number)).copied().unwrap_or_default(),
                })
                .collect(),
        };
        self.probed.iter().enumerate().map(file).collect()
    }
}
