//! Judges the records of a case by its policy, as a scan does.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use super::case::{Case, Expect, Given};
use super::compare::{Difference, differences};
use crate::diagnostic::Diagnostic;
use crate::engine::{self, Outcome, Request};
use crate::finding::Finding;
use crate::input;
use crate::inventory::{Builder, Collected, Inventory};
use crate::policy::{Checked, Overrides, Pack, When};
use crate::record::Record;
use crate::script::Limits;
use crate::yaml::Yaml;

/// How a case went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// As it expects.
    Passed,
    /// Otherwise than it expects.
    Failed,
    /// It could not be judged, or the policy failed where no fault is expected.
    Broken,
    /// It is known not to pass yet, and does not.
    Todo,
}

/// What a policy says about the records of a case.
#[derive(Clone, Debug)]
pub struct Answer {
    /// What there is: findings before all else, then faults, then records that are not evaluated.
    pub happened: Expect,
    /// In input order.
    pub findings: Vec<Finding>,
    /// Why records were not evaluated.
    pub not_evaluated: Vec<String>,
    /// Why the policy failed.
    pub faults: Vec<String>,
    /// What other policies of the pack found, if they must be silent.
    pub others: Vec<String>,
    /// Operations that the policy used.
    pub operations: u64,
}

/// A case that was run.
#[derive(Clone, Debug)]
pub struct CaseResult {
    /// Its name.
    pub name: String,
    /// 1-based line of its name in the file.
    pub line: usize,
    /// Where its records were read, and their ids, if they are those of a file.
    pub records: Vec<String>,
    /// What it expects.
    pub expect: Expect,
    /// How it went.
    pub verdict: Verdict,
    /// In what it differs from what is expected; empty when it passes.
    pub differences: Vec<Difference>,
    /// What the policy said; `None` if the case is broken.
    pub answer: Option<Answer>,
    /// Wall time.
    pub time: Duration,
    /// Why it does not pass yet.
    pub todo: Option<String>,
}

/// A policy of a pack, made ready to judge cases.
pub(super) struct Bench<'a> {
    pack: &'a Pack,
    /// The whole pack, for cases in which other policies must be silent.
    whole: &'a Checked,
    id: &'a str,
    limits: &'a Limits,
    alone: OnceLock<Result<Checked, String>>,
    /// Another `when` of the policy.
    when: Option<When>,
}

impl<'a> Bench<'a> {
    pub(super) fn new(pack: &'a Pack, whole: &'a Checked, id: &'a str, limits: &'a Limits) -> Self {
        Self { pack, whole, id, limits, alone: OnceLock::new(), when: None }
    }

    /// Gives the policy another `when`.
    pub(super) fn set_when(&mut self, when: When) {
        self.when = Some(when);
    }

    /// Whether the policy loads.
    pub(super) fn loads(&self) -> bool {
        self.alone.get_or_init(|| self.loaded(&[], false)).is_ok()
    }

    pub(super) fn id(&self) -> &str {
        self.id
    }

    pub(super) fn limits(&self) -> &Limits {
        self.limits
    }

    /// Runs a case.
    pub(super) fn run(&self, case: &Case) -> CaseResult {
        let start = Instant::now();
        let answer = self.answer(case);
        let time = start.elapsed();
        let (mut verdict, mut differs) = (Verdict::Passed, Vec::new());
        match &answer {
            Ok(answer) => {
                differs = differences(case, answer);
                if !differs.is_empty() {
                    let failed = case.expect != Expect::Fault && !answer.faults.is_empty();
                    verdict = if failed { Verdict::Broken } else { Verdict::Failed };
                }
            }
            Err(problem) => {
                verdict = Verdict::Broken;
                differs.push(Difference::new("case", "records that can be judged", problem));
            }
        }
        if case.todo.is_some() {
            if verdict == Verdict::Passed {
                verdict = Verdict::Failed;
                differs.push(Difference::new(
                    "todo",
                    "a case that does not pass yet",
                    "it passes (try: remove `todo`)",
                ));
            } else {
                verdict = Verdict::Todo;
            }
        }
        CaseResult {
            name: case.name.clone(),
            line: case.line,
            records: if case.is_of_file { case.records.iter().map(told_record).collect() } else { Vec::new() },
            expect: case.expect,
            verdict,
            differences: differs,
            answer: answer.ok(),
            time,
            todo: case.todo.clone(),
        }
    }

    /// What the policy says.
    pub(super) fn answer(&self, case: &Case) -> Result<Answer, String> {
        let (inventory, request) = (inventory(case)?, request(case, self.limits));
        let judged = |packs: &Checked, inventory| {
            let outcome =
                engine::judge(packs, &case.records, inventory, &request).map_err(|error| error.to_string())?;
            answer(packs, self.id, &outcome)
        };
        self.with_packs(case, |packs| judged(packs, inventory))
    }

    /// Does something with the policies that a case needs, with its params.
    pub(super) fn with_packs<T>(
        &self,
        case: &Case,
        work: impl FnOnce(&Checked) -> Result<T, String>,
    ) -> Result<T, String> {
        if case.params.is_empty() {
            if case.others_silent {
                return work(self.whole);
            }
            return work(self.alone.get_or_init(|| self.loaded(&[], false)).as_ref().map_err(Clone::clone)?);
        }
        work(&self.loaded(&case.params, case.others_silent)?)
    }

    fn loaded(&self, params: &[(String, Yaml)], with_others: bool) -> Result<Checked, String> {
        let mut overrides = Overrides::default();
        for (name, value) in params {
            overrides.add_param(self.id, name, value.clone());
        }
        let alone = if with_others { None } else { self.pack.only(self.id) };
        let pack = alone.as_ref().unwrap_or(self.pack);
        let mut loaded = pack.again(&overrides, self.limits).map_err(|mistakes| told(&mistakes))?;
        if let Some(when) = &self.when {
            loaded.set_when(self.id, when);
        }
        Ok(loaded)
    }
}

fn told_record(record: &crate::record::Record) -> String {
    let id = record.id.as_deref().map(|id| format!(", {id}")).unwrap_or_default();
    format!("{}{id}", record.origin)
}

fn told(mistakes: &[Diagnostic]) -> String {
    mistakes.iter().map(|mistake| mistake.message.clone()).collect::<Vec<_>>().join("; ")
}

/// How the records of a case are judged.
pub(super) fn request(case: &Case, limits: &Limits) -> Request {
    let mut request = Request::new(std::iter::empty::<&str>());
    request.limits = limits.clone();
    request.now = case.now;
    request.threads = 1;
    request.profile = true;
    request
}

/// The inventory of a case.
pub(super) fn inventory(case: &Case) -> Result<Inventory, String> {
    let (kinds, collected) = match &case.inventory {
        Given::Inline(kinds, collected) => (kinds, *collected),
        Given::Path(path) => {
            let mut request = Request::new([path]);
            request.inventory_of = case.scope.clone();
            let read = engine::read(&request).map_err(|error| error.to_string())?;
            return match read.faults.first() {
                Some(fault) => Err(format!("the inventory cannot be read: {}", fault.reason)),
                None => Ok(read.inventory),
            };
        }
    };
    let scope = case.records.first().map(|record| record.scope.clone()).unwrap_or_default();
    let mut builder = Builder::default();
    for (kind, resources) in kinds {
        builder.note_collected(&kind.as_str().into(), scope.clone(), Collected::Whole);
        for resource in resources {
            let resource = input::inventory::resource(kind, resource, scope.clone());
            builder.add(Record { time: collected, ..resource });
        }
    }
    let (inventory, contradictions) = builder.finish();
    match contradictions.first() {
        Some(fault) => Err(fault.reason.clone()),
        None => Ok(inventory),
    }
}

/// What an outcome says of one policy.
fn answer(packs: &Checked, id: &str, outcome: &Outcome) -> Result<Answer, String> {
    let (mut findings, mut others) = (Vec::new(), Vec::new());
    for finding in &outcome.findings {
        let finding = finding.map_err(|error| error.to_string())?;
        if &*finding.policy == id {
            findings.push(finding);
        } else {
            others.push(format!("{}: {}", finding.policy, finding.title));
        }
    }
    let is_own = |policy: &Option<Arc<str>>| policy.as_deref().is_none_or(|policy| policy == id);
    let not_evaluated: Vec<String> =
        outcome.not_evaluated.iter().filter(|row| &*row.policy == id).map(|row| row.reason.clone()).collect();
    let faults: Vec<String> =
        outcome.faults.iter().filter(|row| is_own(&row.policy)).map(|row| row.reason.clone()).collect();
    let happened = match (findings.is_empty(), faults.is_empty(), not_evaluated.is_empty()) {
        (false, ..) => Expect::Fires,
        (true, false, _) => Expect::Fault,
        (true, true, false) => Expect::NotEvaluated,
        (true, true, true) => Expect::Silent,
    };
    let at = packs.policies().iter().position(|policy| &*policy.id == id);
    let cost = outcome.profile.as_ref().zip(at).and_then(|(profile, at)| profile.rows.get(at));
    let operations = cost.map_or(0, |(cost, _)| cost.operations);
    Ok(Answer { happened, findings, not_evaluated, faults, others, operations })
}
