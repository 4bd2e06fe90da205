//! Runs the cases of a suite in parallel, and compares what policies say with their snapshots.
//!
//! *Law*: the result is the same for any number of threads, but for times. Pending snapshots are written where that is
//! allowed, and nowhere else.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::case::Case;
use super::change::{Change, changes};
use super::judge::{Bench, CaseResult, Verdict};
use super::snapshot::{self, Entry, Snapshot};
use super::suite::{Suite, TestedPack, TestedPolicy};
use super::trace::{Trace, trace, wrong};
use crate::error::Error;
use crate::script::Limits;

/// How cases are run.
#[derive(Clone, Debug)]
pub struct Options {
    /// What scripts may use.
    pub limits: Limits,
    /// Threads, at least 1.
    pub threads: usize,
    /// Which cases; `None`: all.
    pub only: Option<Pattern>,
    /// Cases by `policy/name`, if only some are wanted.
    pub among: Option<BTreeSet<String>>,
    /// Pending snapshots are written.
    pub writes: bool,
    /// Operations that each case may use, unless it says otherwise.
    pub max_operations: Option<u64>,
    /// Every case is traced, not only those that fail.
    pub traces_all: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            only: None,
            among: None,
            writes: false,
            max_operations: None,
            traces_all: false,
        }
    }
}

/// Chooses cases by `policy/name`.
#[derive(Clone, Debug)]
pub struct Pattern {
    text: String,
    glob: Option<globset::GlobMatcher>,
}

impl Pattern {
    /// A whole name, a part of one, or a glob of one.
    ///
    /// # Errors
    /// When it is a glob that does not parse.
    pub fn new(text: &str) -> Result<Self, Error> {
        let glob = match text.contains(['*', '?']) {
            true => Some(globset::Glob::new(text).map_err(|error| Error::new(error.kind().to_string()).about(text))?),
            false => None,
        };
        Ok(Self { text: text.to_owned(), glob: glob.map(|glob| glob.compile_matcher()) })
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether a name is chosen.
    pub fn chooses(&self, name: &str) -> bool {
        name == self.text || self.glob.as_ref().map_or_else(|| name.contains(&self.text), |glob| glob.is_match(name))
    }
}

/// What became of a policy's snapshot.
#[derive(Clone, Debug, PartialEq)]
pub enum SnapshotState {
    /// It has no cases, or none that was run.
    None,
    /// It is as accepted.
    Same,
    /// Nobody accepted one yet; what it would hold, and whether that is pending in a file.
    Missing(Vec<Change>, bool),
    /// Something differs; whether that is pending in a file.
    Differs(Vec<Change>, bool),
}

impl SnapshotState {
    /// What is not as accepted, and whether that is pending in a file.
    pub fn changes(&self) -> Option<(&[Change], bool)> {
        match self {
            Self::Missing(changes, pending) | Self::Differs(changes, pending) => Some((changes, *pending)),
            Self::None | Self::Same => None,
        }
    }
}

/// A policy whose cases were run.
#[derive(Clone, Debug)]
pub struct PolicyResult {
    /// Its id.
    pub id: String,
    /// Its pack.
    pub pack: String,
    /// Where its pack begins, as it was named.
    pub root: PathBuf,
    /// The file of the policy.
    pub file: String,
    /// The file of its cases.
    pub cases_file: PathBuf,
    /// Whether it has any.
    pub has_cases: bool,
    /// Those that were run, in the order of the file.
    pub cases: Vec<(CaseResult, Option<Trace>)>,
    /// What became of its snapshot.
    pub snapshot: SnapshotState,
}

/// Everything there is to tell about a run.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// In the order of packs and files.
    pub policies: Vec<PolicyResult>,
    /// Snapshots without a policy.
    pub orphans: Vec<PathBuf>,
    /// How many warnings `lawbook check` has about these policies, and the packs it must be asked about.
    pub warnings: (usize, Vec<PathBuf>),
    /// Wall time.
    pub time: Duration,
}

/// Cases by what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    /// As expected.
    pub passed: usize,
    /// Otherwise than expected.
    pub failed: usize,
    /// Could not be judged, or a fault that nobody expects.
    pub broken: usize,
    /// Known not to pass yet.
    pub todo: usize,
    /// Policies whose snapshot differs.
    pub snapshots: usize,
}

impl Report {
    /// Cases by what became of them.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for (case, _) in self.policies.iter().flat_map(|policy| &policy.cases) {
            *match case.verdict {
                Verdict::Passed => &mut counts.passed,
                Verdict::Failed => &mut counts.failed,
                Verdict::Broken => &mut counts.broken,
                Verdict::Todo => &mut counts.todo,
            } += 1;
        }
        let differs = |policy: &&PolicyResult| policy.snapshot.changes().is_some();
        counts.snapshots = self.policies.iter().filter(differs).count();
        counts
    }

    /// How many cases were run.
    pub fn cases(&self) -> usize {
        self.policies.iter().map(|policy| policy.cases.len()).sum()
    }

    /// The cases that did not pass, by `policy/name`, and those whose findings are not as accepted: all of a policy where
    /// the snapshot differs in what is about no case.
    pub fn failed(&self) -> BTreeSet<String> {
        let mut failed = BTreeSet::new();
        for policy in &self.policies {
            let changes = policy.snapshot.changes().map(|(changes, _)| changes).unwrap_or_default();
            let differs = |name: &str| changes.iter().any(|change| change.case().is_none_or(|case| case == name));
            for (case, _) in &policy.cases {
                if differs(&case.name) || matches!(case.verdict, Verdict::Failed | Verdict::Broken) {
                    failed.insert(format!("{}/{}", policy.id, case.name));
                }
            }
        }
        failed
    }

    /// The exit code, and why: 2 for what could not be run, 1 for what does not pass, 0 for neither.
    pub fn exit(&self, allow_empty: bool) -> (u8, Vec<String>) {
        let counts = self.counts();
        let plural = |count: usize, noun: &str| format!("{count} {noun}{}", if count == 1 { "" } else { "s" });
        let mut broken = Vec::new();
        if self.policies.is_empty() && !allow_empty {
            broken.push("no policy was found (try: `--allow-empty` if that is expected)".to_owned());
        } else if self.cases() == 0 && !allow_empty {
            broken.push("no case was run (try: `--allow-empty` if that is expected)".to_owned());
        }
        if counts.broken > 0 {
            broken.push(format!("{} could not be judged", plural(counts.broken, "case")));
        }
        let mut failed = Vec::new();
        if counts.failed > 0 {
            failed.push(if counts.failed == 1 {
                "1 case fails".to_owned()
            } else {
                format!("{} cases fail", counts.failed)
            });
        }
        let missing =
            self.policies.iter().filter(|policy| matches!(policy.snapshot, SnapshotState::Missing(..))).count();
        for (count, one, several) in
            [(missing, "is missing", "are missing"), (counts.snapshots - missing, "differs", "differ")]
        {
            if count > 0 {
                failed.push(format!("{} {}", plural(count, "snapshot"), if count == 1 { one } else { several }));
            }
        }
        // A policy that nobody tries passes no test.
        let untried = self.policies.iter().filter(|policy| policy.cases.is_empty()).count();
        if untried > 0 && untried < self.policies.len() && !allow_empty {
            let whole = if untried == 1 { "1 policy has".to_owned() } else { format!("{untried} policies have") };
            failed.push(format!("{whole} no case (try: `--allow-empty` if that is expected)"));
        }
        if !self.orphans.is_empty() {
            failed.push(format!("{} without a policy", plural(self.orphans.len(), "snapshot")));
        }
        let code = if !broken.is_empty() { 2 } else { u8::from(!failed.is_empty()) };
        (code, broken.into_iter().chain(failed).collect())
    }
}

/// Runs cases, and compares snapshots.
///
/// # Errors
/// When no case has a name that is asked for, or a pending snapshot cannot be written.
pub fn run(suite: &Suite, options: &Options) -> Result<Report, Error> {
    let start = Instant::now();
    let chosen = choose(suite, options)?;
    let benches: Vec<(&TestedPack, &TestedPolicy, Bench<'_>)> = suite
        .packs
        .iter()
        .flat_map(|pack| pack.policies.iter().map(move |policy| (pack, policy)))
        .map(|(pack, policy)| (pack, policy, Bench::new(&pack.pack, &pack.whole, &policy.id, &options.limits)))
        .collect();
    let jobs: Vec<(usize, &Case)> =
        chosen.iter().enumerate().flat_map(|(at, cases)| cases.iter().map(move |case| (at, *case))).collect();
    let results = in_parallel(&jobs, options.threads, |(at, case)| {
        let bench = &benches[*at].2;
        let mut result = bench.run(case);
        bounded(&mut result, case, options);
        let fails = matches!(result.verdict, Verdict::Failed | Verdict::Broken);
        let differs: Vec<String> = result.differences.iter().map(|differs| differs.what.clone()).collect();
        let doubted = if fails { wrong(case, result.answer.as_ref(), &differs) } else { Vec::new() };
        let trace = (fails || options.traces_all).then(|| trace(bench, case, &doubted)).flatten();
        (result, trace)
    });
    let mut results = results.into_iter();
    let mut report = Report { orphans: suite.orphans.clone(), warnings: suite.warnings(), ..Report::default() };
    for ((pack, policy, _), cases) in benches.iter().zip(&chosen) {
        let done: Vec<(CaseResult, Option<Trace>)> = results.by_ref().take(cases.len()).collect();
        if cases.is_empty() && (options.only.is_some() || options.among.is_some()) {
            continue;
        }
        let snapshot = compare(pack, policy, cases, &done, options)?;
        report.policies.push(PolicyResult {
            id: policy.id.to_string(),
            pack: pack.name().to_owned(),
            root: pack.root.clone(),
            file: policy.file.clone(),
            cases_file: policy.cases_file(),
            has_cases: policy.source.is_some(),
            cases: done,
            snapshot,
        });
    }
    report.time = start.elapsed();
    Ok(report)
}

/// Holds a case to the bound of the run.
fn bounded(result: &mut CaseResult, case: &Case, options: &Options) {
    let used = result.answer.as_ref().map_or(0, |answer| answer.operations);
    if let Some(most) = options.max_operations.filter(|most| case.max_operations.is_none() && used > *most) {
        result.differences.push(super::compare::Difference::new(
            "operations",
            format!("at most {most}"),
            used.to_string(),
        ));
        if result.verdict == Verdict::Passed {
            result.verdict = Verdict::Failed;
        }
    }
}

/// The cases of each policy that are to be run.
pub(super) fn choose<'s>(suite: &'s Suite, options: &Options) -> Result<Vec<Vec<&'s Case>>, Error> {
    let policies: Vec<&TestedPolicy> = suite.packs.iter().flat_map(|pack| &pack.policies).collect();
    let full = |policy: &TestedPolicy, case: &Case| format!("{}/{}", policy.id, case.name);
    let named = |name: &str| policies.iter().any(|policy| policy.cases.iter().any(|case| full(policy, case) == name));
    // A whole name means that case, also where it is a part of another name.
    let whole = options.only.as_ref().filter(|pattern| named(pattern.text()));
    let is_wanted = |policy: &TestedPolicy, case: &Case| {
        let name = full(policy, case);
        let by_pattern = match (whole, &options.only) {
            (Some(whole), _) => name == whole.text(),
            (None, Some(pattern)) => pattern.chooses(&name),
            (None, None) => true,
        };
        by_pattern && options.among.as_ref().is_none_or(|among| among.contains(&name))
    };
    let chosen: Vec<Vec<&Case>> =
        policies.iter().map(|policy| policy.cases.iter().filter(|case| is_wanted(policy, case)).collect()).collect();
    if let Some(pattern) = options.only.as_ref().filter(|_| chosen.iter().all(Vec::is_empty)) {
        let names: Vec<String> =
            policies.iter().flat_map(|policy| policy.cases.iter().map(|case| full(policy, case))).collect();
        let error = Error::new(format!("no case is named `{}`", pattern.text())).about("--run");
        return Err(match crate::diagnostic::did_you_mean(pattern.text(), names.iter().map(String::as_str)) {
            Some(meant) => error.try_to(format!("did you mean `{meant}`?")),
            None => error.try_to("a part of `policy/name`, or a glob of it; `lawbook test -v` lists all"),
        });
    }
    Ok(chosen)
}

/// Does the same with many things in some threads; the answers come in the order of the things.
pub(super) fn in_parallel<T: Sync, R: Send>(things: &[T], threads: usize, work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(things.len()));
    let run = || {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(thing) = things.get(at) else { return };
            let answer = work(thing);
            done.lock().unwrap_or_else(PoisonError::into_inner).push((at, answer));
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads.min(things.len()).max(1) {
            // Where the system gives no more threads, fewer do the same.
            if std::thread::Builder::new().spawn_scoped(scope, run).is_err() {
                break;
            }
        }
        run();
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_unstable_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, answer)| answer).collect()
}

/// Compares what was run with what was accepted, and keeps what differs where that is allowed.
fn compare(
    pack: &TestedPack,
    policy: &TestedPolicy,
    chosen: &[&Case],
    done: &[(CaseResult, Option<Trace>)],
    options: &Options,
) -> Result<SnapshotState, Error> {
    let is_all = chosen.len() == policy.cases.len();
    if policy.cases.is_empty() && policy.snapshot.is_none() {
        return Ok(SnapshotState::None);
    }
    let Some(known) = pack.whole.get(&policy.id) else { return Ok(SnapshotState::None) };
    let mut fresh = Snapshot { always: snapshot::always(known), cases: Vec::new() };
    let accepted = |name: &str| policy.snapshot.as_ref().and_then(|snapshot| snapshot.get(name)).cloned();
    for case in policy.cases.iter().filter(|case| case.todo.is_none()) {
        let result = done.iter().find(|(result, _)| result.name == case.name);
        match result {
            Some((CaseResult { answer: Some(answer), verdict: Verdict::Passed, .. }, _)) => {
                fresh.cases.push(Entry::of(case, answer));
            }
            // What fails is nothing to accept; that and what was not run is as it was.
            _ => fresh.cases.extend(accepted(&case.name)),
        }
    }
    let pending = policy.pending_file();
    let is_nothing = policy.snapshot.is_none() && fresh.cases.is_empty();
    if is_nothing || policy.snapshot.as_ref() == Some(&fresh) {
        if options.writes && is_all && pending.exists() {
            let _ = std::fs::remove_file(&pending);
        }
        return Ok(if is_nothing { SnapshotState::None } else { SnapshotState::Same });
    }
    if options.writes {
        let source = pack.below(&policy.cases_file());
        snapshot::write(&pending, &fresh.text(&policy.id, &source))?;
    }
    let changes = changes(policy.snapshot.as_ref(), &fresh);
    Ok(match policy.snapshot {
        Some(_) => SnapshotState::Differs(changes, options.writes),
        None => SnapshotState::Missing(changes, options.writes),
    })
}
