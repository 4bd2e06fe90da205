//! Tells what a change of policies adds and removes as findings, over records that are at hand.
//!
//! The same input is scanned twice, at the same time of the run: by the policies as they were, and as they are. Findings are
//! the same whose fingerprints are. *Law*: added + what both have = after, removed + what both have = before.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use super::revision::Earlier;
use super::suite::{Stop, Suite};
use crate::engine::{Outcome, Progress, Request, scan};
use crate::finding::{Finding, Fingerprint, Severity};
use crate::policy::{Checked, Overrides, Pack};

/// Findings that are listed; more are counted.
const MOST: usize = 10_000;

/// What a change of policies does to the findings over some records.
#[derive(Debug, Serialize)]
pub struct Impact {
    /// What the policies are compared with.
    pub against: String,
    /// The policies as they were.
    pub before: Side,
    /// The policies as they are.
    pub after: Side,
    /// Every policy whose text is another, that is new or gone, or whose findings differ; by id.
    pub policies: BTreeMap<String, PolicyImpact>,
    /// Findings that differ: those that are added, removed, and changed, each in the order of the input.
    pub findings: Vec<Difference>,
    /// How many differ beside those that are listed.
    pub left_out: u64,
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It was there, and its text is the same.
    #[default]
    Same,
    /// Its text is another.
    Edited,
    /// It was not there.
    New,
    /// It is no longer there.
    Gone,
}

/// What a change does to one policy's findings.
#[derive(Debug, Default, Serialize)]
pub struct PolicyImpact {
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
        self.policies.values().map(of).sum()
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
    let suite = Suite::open(paths, overrides, &request.limits)?;
    let before = earlier(&suite, against, request)?;
    let mut after = Checked::default();
    for pack in suite.packs {
        after.join(pack.whole);
    }
    let request = Request { fail_on: None, ..request.clone() };
    let was = scan(&before, &request, progress)?;
    let is = scan(&after, &request, progress)?;
    let mut impact = Impact {
        against: against.to_owned(),
        before: side(&before, &was),
        after: side(&after, &is),
        policies: states(&before, &after),
        findings: Vec::new(),
        left_out: 0,
    };
    impact.compare(&was, &is)?;
    let touched =
        |policy: &PolicyImpact| policy.state != State::Same || policy.added + policy.removed + policy.changed > 0;
    impact.policies.retain(|_, policy| touched(policy));
    impact.findings.sort_by_key(|difference| difference.kind);
    Ok(impact)
}

/// The packs as they were.
fn earlier(suite: &Suite, against: &str, request: &Request) -> Result<Checked, Stop> {
    let is_folder = Path::new(against).is_dir();
    if is_folder && suite.packs.len() > 1 {
        let error = crate::error::Error::new("is one folder, and the paths are of several packs");
        return Err(error.about(format!("--against {against}")).try_to("one pack at a time, or a revision").into());
    }
    let mut all = Checked::default();
    for pack in &suite.packs {
        let inner: Vec<&Path> = suite.packs.iter().map(|other| other.root.as_path()).collect();
        let inner: Vec<&Path> = inner.iter().filter_map(|other| other.strip_prefix(&pack.root).ok()).collect();
        let inner: Vec<&Path> = inner.into_iter().filter(|other| !other.as_os_str().is_empty()).collect();
        let kept;
        let root = if is_folder {
            PathBuf::from(against)
        } else {
            kept = Earlier::of(&pack.root, against)?;
            kept.root.clone()
        };
        let holds_policy = walkdir::WalkDir::new(&root)
            .into_iter()
            .filter_map(Result::ok)
            .any(|entry| entry.path().extension().is_some_and(|end| end == "rhai"));
        // A pack that is new had no policies; a folder that somebody named should have.
        if !holds_policy && !is_folder {
            continue;
        }
        // Fingerprints are of a pack's name, which need not be that of the folder in which it is found again.
        let old = Pack::from_folder(&root)?.named(pack.pack.name());
        let is_own = |file: &str| {
            let below = Path::new(file).strip_prefix(&root).unwrap_or(Path::new(file));
            !inner.iter().any(|inner| below.starts_with(inner))
        };
        all.join(old.keep(is_own).again(&Overrides::default(), &request.limits).map_err(Stop::Diagnostics)?);
    }
    Ok(all)
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

fn states(before: &Checked, after: &Checked) -> BTreeMap<String, PolicyImpact> {
    let mut states: BTreeMap<String, PolicyImpact> = BTreeMap::new();
    let ids: BTreeSet<&str> = before.policies().iter().chain(after.policies()).map(|policy| &*policy.id).collect();
    for id in ids {
        let text = |packs: &Checked| packs.get(id).map(|policy| policy.script.source.text.clone());
        let state = match (text(before), text(after)) {
            (Some(was), Some(is)) if was == is => State::Same,
            (Some(_), Some(_)) => State::Edited,
            (None, _) => State::New,
            (_, None) => State::Gone,
        };
        states.insert(id.to_owned(), PolicyImpact { state, ..PolicyImpact::default() });
    }
    states
}

/// What of a finding is compared, besides its fingerprint.
fn told(finding: &Finding) -> [(&'static str, Value); 5] {
    [
        ("severity", finding.severity.word().into()),
        ("title", finding.title.as_str().into()),
        ("resources", finding.resources.clone().into()),
        ("context", finding.context.clone()),
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
            self.policy(&finding.policy).before += 1;
            let was = Was { hash: hash(&finding), is_there: false, listed: None };
            known.insert(finding.fingerprint, was);
        }
        for finding in is.findings.iter() {
            let finding = finding?;
            let policy = self.policy(&finding.policy);
            policy.after += 1;
            match known.get_mut(&finding.fingerprint) {
                None => {
                    policy.added += 1;
                    self.list(Kind::Added, &finding);
                }
                Some(was) => {
                    was.is_there = true;
                    if was.hash != hash(&finding) {
                        policy.changed += 1;
                        was.listed = self.list(Kind::Changed, &finding);
                    }
                }
            }
        }
        for finding in was.findings.iter() {
            let finding = finding?;
            match known.get(&finding.fingerprint) {
                Some(Was { is_there: false, .. }) => {
                    self.policy(&finding.policy).removed += 1;
                    self.list(Kind::Removed, &finding);
                }
                Some(Was { listed: Some(at), .. }) => self.findings[*at].keep_differing(told(&finding)),
                _ => {}
            }
        }
        Ok(())
    }

    fn policy(&mut self, id: &str) -> &mut PolicyImpact {
        self.policies.entry(id.to_owned()).or_default()
    }

    fn list(&mut self, kind: Kind, finding: &Finding) -> Option<usize> {
        if self.findings.len() >= MOST {
            self.left_out += 1;
            return None;
        }
        let is = if kind == Kind::Changed { told(finding).into() } else { BTreeMap::new() };
        self.findings.push(Difference {
            kind,
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
    fn keep_differing(&mut self, was: [(&'static str, Value); 5]) {
        for (name, value) in was {
            if self.is.get(name) == Some(&value) {
                self.is.remove(name);
            } else {
                self.was.insert(name, value);
            }
        }
    }
}
