//! Changes policies, one change at a time, and tells which changes no case notices.
//!
//! A change is noticed by a case that no longer passes, or whose findings are not those of the snapshot. Only cases that go
//! through the changed part are run. *Law*: without a budget of time the result is the same for any number of threads.

use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::case::Case;
use super::compare::differences;
use super::coverage::{Measured, measure};
use super::judge::{Answer, Bench};
use super::runner::{Report, in_parallel};
use super::snapshot::Entry;
use super::suite::{Suite, TestedPolicy};
use crate::diagnostic::{Diagnostic, Level, SourceText};
use crate::error::Error;
use crate::policy::{When, when_spans, window_changes};
use crate::script::Limits;
use crate::script::mutate::edits;

/// What became of the changes.
#[derive(Clone, Debug, Default)]
pub struct Mutation {
    /// Changes that no case noticed, in the order of packs, files and text.
    pub survivors: Vec<Survivor>,
    /// Changes that a case noticed.
    pub killed: usize,
    /// Changes after which a policy does not load.
    pub invalid: usize,
    /// Changes for which there was no time.
    pub left: usize,
    /// Every change that there is, in that order, and what became of it.
    pub tried: Vec<Tried>,
    /// Wall time.
    pub time: Duration,
}

/// A change, and what became of it.
#[derive(Clone, Debug)]
pub struct Tried {
    /// The file.
    pub file: String,
    /// 1-based line.
    pub line: usize,
    /// What was changed.
    pub what: String,
    /// What became of it.
    pub fate: Fate,
}

/// A change that no case noticed.
#[derive(Clone, Debug)]
pub struct Survivor {
    /// The file.
    pub source: Arc<SourceText>,
    /// What was changed.
    pub span: Range<usize>,
    /// How.
    pub what: String,
    /// Whether a case goes through that part at all.
    pub is_covered: bool,
}

impl Survivor {
    /// 1-based line.
    pub fn line(&self) -> usize {
        self.source.text[..self.span.start].matches('\n').count() + 1
    }

    /// As a remark on the text.
    pub fn diagnostic(&self) -> Diagnostic {
        let noticed = if self.is_covered { "no case notices" } else { "no case goes through this, so none notices" };
        let message = format!("{noticed} if {}", self.what);
        let mut remark = Diagnostic::error("survivor", &self.source, self.span.clone(), message);
        remark.level = Level::Warning;
        remark
    }
}

impl Mutation {
    /// Changes that were noticed, of those that were tried, in per cent.
    #[expect(clippy::cast_precision_loss, reason = "counts of changes")]
    pub fn score(&self) -> f64 {
        let all = self.killed + self.survivors.len();
        if all == 0 { 100.0 } else { self.killed as f64 * 100.0 / all as f64 }
    }
}

/// A change, and the cases that go through what is changed.
struct Mutant<'m> {
    source: &'m Arc<SourceText>,
    span: Range<usize>,
    what: String,
    change: Change,
    /// Policy and case of the pack.
    cases: Vec<(usize, usize)>,
}

enum Change {
    /// Another text of a policy, or of the library of that number.
    Text(String, Option<usize>),
    /// Another `when` of a policy.
    When(When),
}

/// What became of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// A case noticed it.
    Killed,
    /// No case noticed it.
    Survived,
    /// The policy does not load with it.
    Invalid,
    /// There was no time for it.
    Left,
}

impl Fate {
    /// In a few words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Killed => "noticed",
            Self::Survived => "not noticed",
            Self::Invalid => "does not load",
            Self::Left => "not tried",
        }
    }
}

/// Tries every change of every policy, for at most so long.
///
/// # Errors
/// When cases do not pass as they are, or a script is not understood.
pub fn mutate(
    suite: &Suite,
    report: &Report,
    limits: &Limits,
    threads: usize,
    budget: Option<Duration>,
) -> Result<Mutation, Error> {
    let counts = report.counts();
    if counts.failed + counts.broken + counts.snapshots > 0 {
        return Err(Error::new("a change can only be noticed by cases that pass without it")
            .about("--mutate")
            .try_to("repair what fails first"));
    }
    let start = Instant::now();
    // A budget that no clock can hold is none.
    let until = budget.and_then(|budget| start.checked_add(budget));
    let mut mutation = Mutation::default();
    for pack in &suite.packs {
        let measured = measure(pack, report, limits, threads)?;
        let plain = Plain::of(&measured, limits, threads);
        let mutants = mutants(&measured)?;
        let fates = in_parallel(&mutants, threads, |mutant| {
            if until.is_some_and(|until| Instant::now() > until) {
                Fate::Left
            } else {
                fate(&measured, &plain, mutant, limits)
            }
        });
        for (mutant, fate) in mutants.into_iter().zip(fates) {
            mutation.tried.push(Tried {
                file: mutant.source.file.clone(),
                line: mutant.source.text[..mutant.span.start].matches('\n').count() + 1,
                what: mutant.what.clone(),
                fate,
            });
            match fate {
                Fate::Killed => mutation.killed += 1,
                Fate::Invalid => mutation.invalid += 1,
                Fate::Left => mutation.left += 1,
                Fate::Survived => mutation.survivors.push(Survivor {
                    source: Arc::clone(mutant.source),
                    span: mutant.span,
                    what: mutant.what,
                    is_covered: !mutant.cases.is_empty(),
                }),
            }
        }
    }
    mutation.time = start.elapsed();
    Ok(mutation)
}

/// What cases say without a change.
struct Plain(Vec<Vec<Option<Entry>>>);

impl Plain {
    fn of(measured: &Measured<'_>, limits: &Limits, threads: usize) -> Self {
        let pack = measured.pack;
        let answers = in_parallel(&pack.policies, threads, |policy| {
            let bench = Bench::new(&pack.pack, &pack.whole, &policy.id, limits);
            policy.cases.iter().map(|case| Some(Entry::of(case, &bench.answer(&alone(case)).ok()?))).collect()
        });
        Self(answers)
    }
}

/// The case without what it asks of other policies, which are not changed.
fn alone(case: &Case) -> Case {
    Case { others_silent: false, ..case.clone() }
}

/// Every change of every file of a pack.
fn mutants<'m>(measured: &'m Measured<'_>) -> Result<Vec<Mutant<'m>>, Error> {
    let pack = measured.pack;
    let libraries = pack.pack.libraries().len();
    let mut out = Vec::new();
    for (at, probed) in measured.probed.iter().enumerate() {
        let source = &probed.source;
        let Some(edits) = edits(&source.text) else {
            return Err(Error::new("has something that mutation does not understand").about(&source.file));
        };
        if at >= libraries {
            windows(measured, at - libraries, source, &mut out);
            whens(measured, at - libraries, source, &mut out);
        }
        for edit in edits {
            // The smallest part with a probe around what is changed.
            let around = probed
                .sites
                .iter()
                .enumerate()
                .filter(|(_, site)| site.span.start <= edit.span.start && edit.span.end <= site.span.end);
            let nearest =
                around.min_by_key(|(_, site)| site.span.len()).map(|(number, _)| measured.firsts[at] + number);
            out.push(Mutant {
                source,
                cases: through(measured, nearest, (at >= libraries).then(|| at - libraries)),
                change: Change::Text(edit.applied(&source.text), (at < libraries).then_some(at)),
                span: edit.about,
                what: edit.what,
            });
        }
    }
    Ok(out)
}

/// The cases that pass a probe; all of the policy, if there is no probe (a constant).
fn through(measured: &Measured<'_>, probe: Option<usize>, of: Option<usize>) -> Vec<(usize, usize)> {
    let mut cases = Vec::new();
    for (policy, passed) in measured.passed.iter().enumerate() {
        for (case, passed) in passed.iter().enumerate() {
            let goes = match probe {
                Some(probe) => passed.contains_key(&probe),
                None => of.is_none_or(|of| of == policy),
            };
            if goes && measured.counts[policy][case] {
                cases.push((policy, case));
            }
        }
    }
    cases
}

/// Changes of the front matter's `when`: a key goes, or a value of several.
fn whens<'m>(measured: &'m Measured<'_>, at: usize, source: &'m Arc<SourceText>, out: &mut Vec<Mutant<'m>>) {
    let policy = &measured.pack.policies[at];
    let Some(known) = measured.pack.whole.get(&policy.id) else { return };
    let when = &known.header.when;
    let cases: Vec<(usize, usize)> =
        (0..policy.cases.len()).filter(|case| measured.counts[at][*case]).map(|case| (at, case)).collect();
    let mut push = |span: &Range<usize>, what: String, when: When| {
        out.push(Mutant { source, span: span.clone(), what, change: Change::When(when), cases: cases.clone() });
    };
    for (number, (key, values)) in when_spans(source).iter().enumerate() {
        let Some(condition) = when.conditions.get(number) else { return };
        let mut without = when.clone();
        without.conditions.remove(number);
        push(key, format!("`{}` is gone from `when`", &source.text[key.clone()]), without);
        for (place, span) in values.iter().enumerate().filter(|_| condition.any_of.len() > 1) {
            let mut without = when.clone();
            without.conditions[number].any_of.remove(place);
            push(span, format!("`{}` is gone from `when`", &source.text[span.clone()]), without);
        }
    }
}

/// Every change of a policy's window.
fn windows<'m>(measured: &'m Measured<'_>, at: usize, source: &'m Arc<SourceText>, out: &mut Vec<Mutant<'m>>) {
    let cases = (0..measured.pack.policies[at].cases.len()).filter(|case| measured.counts[at][*case]);
    let cases: Vec<(usize, usize)> = cases.map(|case| (at, case)).collect();
    for (span, replacement, what) in window_changes(source) {
        let mut text = source.text.clone();
        text.replace_range(span.clone(), &replacement);
        out.push(Mutant { source, span, what, change: Change::Text(text, None), cases: cases.clone() });
    }
}

/// Runs the cases that a change could make a difference to, until one notices.
fn fate(measured: &Measured<'_>, plain: &Plain, mutant: &Mutant<'_>, limits: &Limits) -> Fate {
    let pack = measured.pack;
    let mut at = 0;
    while let Some((number, _)) = mutant.cases.get(at) {
        let policy = &pack.policies[*number];
        let changed = match &mutant.change {
            Change::Text(text, None) => pack.pack.with_text(&policy.id, text.clone()),
            Change::Text(text, Some(library)) => pack.pack.with_library(&policy.id, *library, text.clone()),
            Change::When(_) => pack.pack.only(&policy.id),
        };
        let Some(changed) = changed else { return Fate::Invalid };
        let mut bench = Bench::new(&changed, &pack.whole, &policy.id, limits);
        if let Change::When(when) = &mutant.change {
            bench.set_when(when.clone());
        }
        if !bench.loads() {
            return Fate::Invalid;
        }
        for (_, case) in mutant.cases[at..].iter().take_while(|(policy, _)| policy == number) {
            if notices(&bench, policy, *case, plain.0[*number][*case].as_ref()) {
                return Fate::Killed;
            }
            at += 1;
        }
    }
    Fate::Survived
}

fn notices(bench: &Bench<'_>, policy: &TestedPolicy, case: usize, plain: Option<&Entry>) -> bool {
    let case = alone(&policy.cases[case]);
    let Ok(answer) = bench.answer(&case) else { return true };
    let differs = |answer: &Answer| policy.snapshot.is_some() && Some(&Entry::of(&case, answer)) != plain;
    !differences(&case, &answer).is_empty() || differs(&answer)
}
