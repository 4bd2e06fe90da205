//! Tells what a change of policies adds and removes as findings, over records that are at hand.
//!
//! The same input is scanned twice, at the same time of the run: by the policies as they were, and as they are. Findings are
//! the same whose fingerprints are. *Law*: added + what both have = after, removed + what both have = before.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use super::revision::Earlier;
use super::suite::{Stop, bases, packs_below};
use crate::diagnostic::{Diagnostic, SourceText};
use crate::engine::{Outcome, Progress, Request, scan};
use crate::error::Error;
use crate::finding::{Finding, Fingerprint, Severity};
use crate::policy::{Checked, Overrides, Pack, Policy};

/// Findings of each kind that are listed; more are counted.
const MOST: usize = 10_000;

/// What a change of policies does to the findings over some records.
#[derive(Debug, Serialize)]
pub struct Impact {
    /// What the policies are compared with.
    pub against: Against,
    /// The policies as they were.
    pub before: Side,
    /// The policies as they are.
    pub after: Side,
    /// Every policy whose text is another, that is new or gone, or whose findings differ; by pack and id.
    pub policies: Vec<PolicyImpact>,
    /// Findings that differ: those that are added, removed, and changed, each in the order of the input.
    pub findings: Vec<Difference>,
    /// How many differ beside those that are listed.
    pub left_out: u64,
    /// How many of each kind are listed.
    #[serde(skip)]
    listed: [usize; 3],
}

/// What policies are compared with.
#[derive(Debug, Serialize)]
pub struct Against {
    /// What it is.
    pub kind: AgainstKind,
    /// As it was named.
    pub name: String,
}

/// Where the policies stand as they were.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AgainstKind {
    /// In a folder.
    Folder,
    /// In a revision of a git repository.
    Revision,
}

impl AgainstKind {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Folder => "folder",
            Self::Revision => "revision",
        }
    }
}

/// A scan by one state of the policies.
#[derive(Debug, Serialize)]
pub struct Side {
    /// Policies that were loaded.
    pub policies: usize,
    /// Events and resources that were judged.
    pub records: u64,
    /// Findings.
    pub findings: u64,
    /// Pairs of policy and record that could not be judged.
    pub not_evaluated: u64,
    /// What could not be read or judged.
    pub faults: u64,
    /// Why the scan cannot be relied on; empty if it can.
    pub problems: Vec<String>,
}

/// What became of a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It was there, and its text is the same.
    Same,
    /// Its text is another.
    Edited,
    /// It was not there.
    New,
    /// It is no longer there.
    Gone,
}

/// What a change does to one policy's findings.
#[derive(Debug, Serialize)]
pub struct PolicyImpact {
    /// Its pack.
    pub pack: Arc<str>,
    /// Its id.
    pub policy: Arc<str>,
    /// What became of the policy.
    pub state: State,
    /// Findings as it was.
    pub before: u64,
    /// Findings as it is.
    pub after: u64,
    /// Those that are only there now.
    pub added: u64,
    /// Those that were only there before.
    pub removed: u64,
    /// Those that are there still, and say something else.
    pub changed: u64,
}

/// How a finding differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// It is there now.
    Added,
    /// It was there.
    Removed,
    /// It says something else.
    Changed,
}

/// A finding that differs.
#[derive(Debug, Serialize)]
pub struct Difference {
    /// How.
    pub kind: Kind,
    /// The policy's pack.
    pub pack: Arc<str>,
    /// The policy's id.
    pub policy: Arc<str>,
    /// As it is; of one that was removed, as it was.
    pub severity: Severity,
    /// As it is; of one that was removed, as it was.
    pub title: String,
    /// What it is about.
    pub resources: Vec<String>,
    /// The id of its record.
    pub record: Option<Arc<str>>,
    /// The time of its record.
    pub time: Option<String>,
    /// Where the record was read.
    pub origin: String,
    /// The same for the same finding in every run.
    pub fingerprint: Fingerprint,
    /// Of one that says something else: what it said, by the members that differ.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub was: BTreeMap<&'static str, Value>,
    /// What it says in the place of that.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub is: BTreeMap<&'static str, Value>,
}

impl Impact {
    /// How many findings differ in that way.
    pub fn count(&self, kind: Kind) -> u64 {
        let of = |policy: &PolicyImpact| match kind {
            Kind::Added => policy.added,
            Kind::Removed => policy.removed,
            Kind::Changed => policy.changed,
        };
        self.policies.iter().map(of).sum()
    }

    /// Whether both scans can be relied on: 0, or 2 and why not.
    pub fn exit(&self) -> (u8, Vec<String>) {
        let sides = [("before", &self.before), ("after", &self.after)];
        let reasons: Vec<String> = sides
            .into_iter()
            .flat_map(|(name, side)| side.problems.iter().map(move |problem| format!("{name}: {problem}")))
            .collect();
        (if reasons.is_empty() { 0 } else { 2 }, reasons)
    }
}

/// Compares the packs that `paths` are part of with what they were: `against` is a folder, or a revision of their git
/// repository. `request` says what is scanned and how.
///
/// # Errors
/// Every mistake in the policies as they are, and what keeps those that were from being read; and as [`scan`].
pub fn impact(
    paths: &[PathBuf],
    against: &str,
    overrides: &Overrides,
    request: &Request,
    progress: &dyn Progress,
) -> Result<Impact, Stop> {
    let limits = &request.limits;
    let bases = bases(paths)?;
    let packs = packs_below(&bases)?;
    let (kind, old) = earlier(&bases, &packs, against)?;
    if packs.is_empty() && old.is_empty() {
        let about = paths.first().map_or_else(String::new, |path| path.display().to_string());
        return Err(Error::new("holds no policy, and held none").about(about).into());
    }
    let after = joined(packs.iter().map(|(_, pack)| pack), &|pack| pack.check(overrides, limits))?;
    // What was is not judged for its mistakes: it may be of a time that knew less.
    let before = joined(old.iter(), &|pack| pack.again(&Overrides::default(), limits))?;
    let request = Request { fail_on: None, ..request.clone() };
    let was = scan(&before, &request, progress)?;
    let is = scan(&after, &request, progress)?;
    let mut impact = Impact {
        against: Against { kind, name: against.to_owned() },
        before: side(&before, &was),
        after: side(&after, &is),
        policies: states(&before, &after),
        findings: Vec::new(),
        left_out: 0,
        listed: [0; 3],
    };
    impact.compare(&was, &is)?;
    impact.policies.retain(|policy| policy.state != State::Same || policy.added + policy.removed + policy.changed > 0);
    impact.findings.sort_by_key(|difference| difference.kind);
    Ok(impact)
}

/// The policies of packs, of which no two are called alike: findings know no more of a pack than its name.
fn joined<'p>(
    packs: impl Iterator<Item = &'p Pack>,
    load: &dyn Fn(&Pack) -> Result<Checked, Vec<Diagnostic>>,
) -> Result<Checked, Stop> {
    let (mut all, mut names) = (Checked::default(), BTreeSet::new());
    for pack in packs {
        if !names.insert(pack.name()) {
            let error = Error::new(format!("two packs are named `{}`", pack.name()));
            return Err(error.try_to("one pack at a time, or a name of its own in each `pack.yaml`").into());
        }
        all.join(load(pack).map_err(Stop::Diagnostics)?);
    }
    Ok(all)
}

/// The packs as they were.
fn earlier(bases: &[PathBuf], packs: &[(PathBuf, Pack)], against: &str) -> Result<(AgainstKind, Vec<Pack>), Error> {
    let folder = PathBuf::from(against);
    if folder.is_dir() {
        let [base] = bases else {
            let error = Error::new("is one folder, and the paths are of several packs");
            return Err(error.about(format!("--against {against}")).try_to("one pack at a time, or a revision"));
        };
        let old = packs_below(std::slice::from_ref(&folder))?;
        if old.is_empty() {
            return Err(Error::new("holds no policy").about(format!("--against {against}")));
        }
        // The folder stands for the pack, whatever it is called.
        let name = packs.iter().find(|(root, _)| root == base).map(|(_, pack)| pack.name());
        let named = |(root, pack): (PathBuf, Pack)| match name.filter(|_| root == folder) {
            Some(name) => pack.named(name),
            None => pack,
        };
        return Ok((AgainstKind::Folder, old.into_iter().map(named).collect()));
    }
    let mut all = Vec::new();
    for base in bases {
        let taken = Earlier::of(base, against)?;
        all.extend(packs_below(std::slice::from_ref(&taken.root))?.into_iter().map(|(_, pack)| pack));
    }
    Ok((AgainstKind::Revision, all))
}

fn side(policies: &Checked, outcome: &Outcome) -> Side {
    let summary = &outcome.summary;
    Side {
        policies: policies.policies().len(),
        records: summary.records.events + summary.records.resources,
        findings: outcome.findings.len(),
        not_evaluated: summary.not_evaluated,
        faults: summary.faults,
        problems: if summary.exit.code > 1 { summary.exit.reasons.clone() } else { Vec::new() },
    }
}

/// What became of every policy, by pack and id.
fn states(before: &Checked, after: &Checked) -> Vec<PolicyImpact> {
    let texts = |packs: &Checked| -> BTreeMap<(Arc<str>, Arc<str>), Arc<SourceText>> {
        let one =
            |policy: &Policy| ((Arc::clone(&policy.pack), Arc::clone(&policy.id)), Arc::clone(&policy.script.source));
        packs.policies().iter().map(one).collect()
    };
    let (was, is) = (texts(before), texts(after));
    let all: BTreeSet<&(Arc<str>, Arc<str>)> = was.keys().chain(is.keys()).collect();
    let state = |key: &(Arc<str>, Arc<str>)| match (was.get(key), is.get(key)) {
        (Some(was), Some(is)) if was.text == is.text => State::Same,
        (Some(_), Some(_)) => State::Edited,
        (None, _) => State::New,
        (_, None) => State::Gone,
    };
    let new = |key: &(Arc<str>, Arc<str>)| PolicyImpact {
        pack: Arc::clone(&key.0),
        policy: Arc::clone(&key.1),
        state: state(key),
        before: 0,
        after: 0,
        added: 0,
        removed: 0,
        changed: 0,
    };
    all.into_iter().map(new).collect()
}

/// What of a finding is compared, besides its fingerprint.
fn told(finding: &Finding) -> [(&'static str, Value); 6] {
    [
        ("severity", finding.severity.word().into()),
        ("title", finding.title.as_str().into()),
        ("resources", finding.resources.clone().into()),
        ("context", finding.context.clone()),
        ("group", finding.group.as_str().into()),
        ("remediation", serde_json::to_value(&finding.remediation).unwrap_or_default()),
    ]
}

fn hash(finding: &Finding) -> u64 {
    let mut hasher = DefaultHasher::new();
    for (_, value) in told(finding) {
        value.to_string().hash(&mut hasher);
    }
    hasher.finish()
}

/// What is kept of a finding that was.
struct Was {
    hash: u64,
    is_there: bool,
    /// Its place in the list, if it says something else and is listed.
    listed: Option<usize>,
}

impl Impact {
    /// Goes over what is once, and twice over what was: of findings that differ only so many are held.
    fn compare(&mut self, was: &Outcome, is: &Outcome) -> Result<(), Stop> {
        let mut known: HashMap<Fingerprint, Was> = HashMap::new();
        for finding in was.findings.iter() {
            let finding = finding?;
            self.count_in(&finding, |policy| policy.before += 1);
            let was = Was { hash: hash(&finding), is_there: false, listed: None };
            known.insert(finding.fingerprint, was);
        }
        for finding in is.findings.iter() {
            let finding = finding?;
            self.count_in(&finding, |policy| policy.after += 1);
            match known.get_mut(&finding.fingerprint) {
                None => {
                    self.count_in(&finding, |policy| policy.added += 1);
                    self.list(Kind::Added, &finding);
                }
                Some(was) => {
                    was.is_there = true;
                    if was.hash != hash(&finding) {
                        self.count_in(&finding, |policy| policy.changed += 1);
                        was.listed = self.list(Kind::Changed, &finding);
                    }
                }
            }
        }
        for finding in was.findings.iter() {
            let finding = finding?;
            match known.get(&finding.fingerprint) {
                Some(Was { is_there: false, .. }) => {
                    self.count_in(&finding, |policy| policy.removed += 1);
                    self.list(Kind::Removed, &finding);
                }
                Some(Was { listed: Some(at), .. }) => self.findings[*at].keep_differing(told(&finding)),
                _ => {}
            }
        }
        Ok(())
    }

    /// Counts in the row of a finding's policy, which is there: the policy was loaded.
    fn count_in(&mut self, finding: &Finding, count: impl Fn(&mut PolicyImpact)) {
        let wanted = (&finding.pack, &finding.policy);
        let at = self.policies.binary_search_by(|policy| (&policy.pack, &policy.policy).cmp(&wanted));
        if let Some(policy) = at.ok().and_then(|at| self.policies.get_mut(at)) {
            count(policy);
        }
    }

    fn list(&mut self, kind: Kind, finding: &Finding) -> Option<usize> {
        let listed = &mut self.listed[kind as usize];
        if *listed >= MOST {
            self.left_out += 1;
            return None;
        }
        *listed += 1;
        let is = if kind == Kind::Changed { told(finding).into() } else { BTreeMap::new() };
        self.findings.push(Difference {
            kind,
            pack: Arc::clone(&finding.pack),
            policy: Arc::clone(&finding.policy),
            severity: finding.severity,
            title: finding.title.clone(),
            resources: finding.resources.clone(),
            record: finding.record.id.clone(),
            time: finding.record.time.clone(),
            origin: finding.origin.to_string(),
            fingerprint: finding.fingerprint,
            was: BTreeMap::new(),
            is,
        });
        Some(self.findings.len() - 1)
    }
}

impl Difference {
    fn keep_differing(&mut self, was: [(&'static str, Value); 6]) {
        for (name, value) in was {
            if self.is.get(name) == Some(&value) {
                self.is.remove(name);
            } else {
                self.was.insert(name, value);
            }
        }
    }
}
