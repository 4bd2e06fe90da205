//! Says which findings of a baseline are no more.
//!
//! *Law*: resolved is only what this scan would have found again: what is there and was judged, or is not there where all of
//! its kind was collected. Never what was filtered out, only looked up in or not read; what a policy could not judge; or what
//! happened, which is in other logs.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::deliveries::{DELIVERIES, GAPS};
use super::digests::DIGESTS;
use super::findings::Findings;
use super::outcome::{NotEvaluated, PolicyCounts, Problem, Resolved};
use crate::error::Error;
use crate::input::{Files, Filter};
use crate::inventory::{Collected, Inventory};
use crate::policy::Policy;
use crate::record::{Record, Scope};
use crate::triage::{Baseline, Entry};

/// What a scan was given.
pub(super) struct Given<'a> {
    pub(super) files: &'a Files,
    /// Files to look things up in, without judging them.
    pub(super) lookup_only: &'a Files,
    /// What was read of resources.
    pub(super) inventory: &'a Inventory,
    /// Of them those that were judged, unless the filter does not want them.
    pub(super) resources: Vec<&'a Record>,
    pub(super) filter: Filter,
}

/// What came of it.
pub(super) struct Judged<'a> {
    pub(super) policies: &'a [Policy],
    pub(super) counts: &'a [PolicyCounts],
    pub(super) not_evaluated: &'a [NotEvaluated],
    pub(super) faults: &'a [Problem],
    pub(super) findings: &'a Findings,
}

/// The findings of a baseline that are no more.
pub(super) fn resolved(baseline: &Baseline, given: &Given<'_>, judged: &Judged<'_>) -> Result<Vec<Resolved>, Error> {
    let of_baseline: BTreeSet<&str> = baseline.findings.values().map(|entry| &*entry.kind).collect();
    let seen = Seen::of(given, &of_baseline, judged.faults);
    let mut gone: BTreeMap<&str, &Entry> = BTreeMap::new();
    for (fingerprint, entry) in &baseline.findings {
        if is_state(entry) && judged.has_asked(entry) && (seen.is_there(entry) || seen.is_gone(entry)) {
            gone.insert(fingerprint, entry);
        }
    }
    if !gone.is_empty() {
        judged.findings.each(&mut |finding| {
            gone.remove(finding.read()?.fingerprint.to_string().as_str());
            Ok(!gone.is_empty())
        })?;
    }
    let told = |(fingerprint, entry): (&str, &Entry)| Resolved {
        fingerprint: fingerprint.to_owned(),
        pack: entry.pack.clone(),
        policy: entry.policy.clone(),
        title: entry.title.clone(),
        since: entry.since.clone(),
    };
    Ok(gone.into_iter().map(told).collect())
}

/// Whether it is about something that is. What log files tell of one another is told of the logs of another day no more.
fn is_state(entry: &Entry) -> bool {
    entry.is_state() && ![DELIVERIES, GAPS, DIGESTS].contains(&&*entry.kind)
}

impl Judged<'_> {
    /// Whether its policy judged all that it was asked about.
    fn has_asked(&self, entry: &Entry) -> bool {
        let is_its = |policy: &&Policy| *policy.pack == *entry.pack && policy.names().contains(&entry.policy);
        let mut all = self.policies.iter().zip(self.counts);
        let Some((policy, counts)) = all.find(|(policy, _)| is_its(policy)) else { return false };
        let is_left = |row: &NotEvaluated| row.policy == policy.id && row.pack == policy.pack;
        counts.not_evaluated + counts.faults == 0 && !self.not_evaluated.iter().any(is_left)
    }
}

/// A kind in an account and region. What is not known of these is not taken for what is.
type Place<'a> = (&'a str, Option<&'a str>, Option<&'a str>);

/// Resources of some kinds as they were judged.
struct Seen<'a> {
    given: &'a Given<'a>,
    /// Where and by which id there is something that was judged.
    names: HashSet<(Place<'a>, &'a str)>,
    /// Where there is something that was judged.
    places: HashSet<Place<'a>>,
    /// Where all that there is was collected.
    whole: HashSet<Place<'a>>,
    /// Kinds of which something was filtered out.
    filtered: HashSet<&'a str>,
    /// Something was not read, and nobody knows what was in it.
    is_damaged: bool,
}

impl<'a> Seen<'a> {
    fn of(given: &'a Given<'a>, kinds: &BTreeSet<&str>, faults: &[Problem]) -> Self {
        let is_damaged = faults.iter().any(|fault| matches!(fault.stage, "input" | "inventory"));
        let (mut names, mut places, mut filtered) = (HashSet::new(), HashSet::new(), HashSet::new());
        for record in given.resources.iter().filter(|record| kinds.contains(&*record.kind)) {
            if !given.filter.admits(record) {
                filtered.insert(&*record.kind);
                continue;
            }
            let place = place(&record.kind, &record.scope);
            names.extend(record.id.as_deref().map(|id| (place, id)));
            places.insert(place);
        }
        let answers = given.inventory.answers().filter(|(.., collected)| *collected == Collected::Whole);
        let whole = answers.map(|(kind, scope, _)| place(kind, scope)).collect();
        Self { given, names, places, whole, filtered, is_damaged }
    }

    /// Whether the resource is there still, and was judged.
    fn is_there(&self, entry: &Entry) -> bool {
        let scope = entry.scope();
        entry.id.as_deref().is_some_and(|id| self.names.contains(&(place(&entry.kind, &scope), id)))
    }

    /// Whether the resource would have been judged, were it there.
    fn is_gone(&self, entry: &Entry) -> bool {
        let scope = entry.scope();
        let place = place(&entry.kind, &scope);
        // What is to be looked up in may be the only answer there is for the account.
        let is_judged = self.given.lookup_only.files.is_empty() || self.places.contains(&place);
        !self.is_damaged
            && is_judged
            && self.whole.contains(&place)
            && !self.filtered.contains(&*entry.kind)
            && self.given.filter.admits_scope(&scope)
    }
}

fn place<'a>(kind: &'a str, scope: &'a Scope) -> Place<'a> {
    (kind, scope.account.as_deref(), scope.region.as_deref())
}
