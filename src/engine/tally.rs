//! What one thread collects while scanning, in bounded memory.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use super::deferred;
use super::duplicates::Identity;
use super::evaluate::Hit;
use super::findings::Same;
use super::groups::Groups;
use super::hits::{self, Seeds};
use super::index::Index;
use super::noted::Note;
use super::outcome::{PolicyCounts, Records};
use super::place::{Map, Place, ordinal};
use super::profile::{Cost, Profile, Route};
use super::spans::Spans;
use super::{Request, Verdict, why};
use crate::error::Error;
use crate::fault::Fault;
use crate::finding::{Finding, record_hash};
use crate::policy::Policy;
use crate::record::{Node, Origin, Record, Scope};
use crate::spill::{Scratch, Sorted, Sorter};
use crate::tally::Counter;
use crate::triage::{Subject, Triage};

/// Findings, by place.
const FINDINGS: usize = 0;
/// Findings, by what they are compared by.
const IDENTITIES: usize = 1;
/// Groups of faults and of records that could not be judged.
const GROUPS: usize = 2;
/// Verdicts on records, by place.
const WHY: usize = 3;
const STREAMS: usize = 4;

/// Makes tallies that share a temporary file and a bound.
#[derive(Debug)]
pub(super) struct Tallies {
    scratch: Arc<Scratch>,
    same: Arc<[Same]>,
    /// Bytes that one of them may hold.
    share: usize,
    /// The number of groups of policies.
    groups: usize,
    /// Whether it is wanted what policies cost.
    costs: bool,
    /// Whether events are counted by who made them and so on.
    counts: bool,
    triage: Arc<Triage>,
    now: Timestamp,
    /// What was before it is told already.
    since: Option<Timestamp>,
    seeds: Seeds,
}

impl Tallies {
    /// For the threads of a request, and so many groups of policies; what was before a time is told already.
    pub(super) fn new(
        policies: &[Policy],
        groups: usize,
        seeds: Seeds,
        request: &Request,
        since: Option<Timestamp>,
    ) -> Self {
        let share = request.memory / request.threads.max(1);
        let (triage, now) = (Arc::clone(&request.triage), request.now);
        let (costs, counts) = (request.profile, request.tally.is_some());
        let (scratch, same) = (Arc::default(), Same::of(policies));
        Self { scratch, same, share, groups, costs, counts, triage, now, since, seeds }
    }

    /// The temporary file.
    pub(super) fn scratch(&self) -> &Arc<Scratch> {
        &self.scratch
    }

    /// What counts events, if that is wanted.
    pub(super) fn counter(&self) -> Option<Counter> {
        self.counts.then(|| Counter::new(&self.scratch, self.share / 4))
    }

    pub(super) fn tally(&self) -> Tally {
        Tally {
            records: Records::default(),
            policies: vec![PolicyCounts::default(); self.same.len()],
            passed_over: 0,
            asked: vec![0; self.groups],
            costs: if self.costs { vec![Cost::default(); self.same.len()] } else { Vec::new() },
            batches: Vec::new(),
            groups: Groups::default(),
            most_groups: self.share / 8,
            sorter: Sorter::new(&self.scratch, self.share / 8 * 3),
            deferred: Sorter::new(&self.scratch, self.share / 4),
            hits: Sorter::new(&self.scratch, self.share / 4),
            spans: Spans::new(self.since),
            counter: self.counter(),
            passed: Vec::new(),
            key: Vec::new(),
            same: Arc::clone(&self.same),
            triage: Arc::clone(&self.triage),
            now: self.now,
            seeds: self.seeds.clone(),
            used: BTreeSet::new(),
            buffer: Vec::new(),
            hashed: None,
            failed: None,
        }
    }

    /// What was collected in all, in files of these names; with what policies cost if it is known how they are found.
    pub(super) fn collected(
        &self,
        tallies: Vec<Tally>,
        names: Vec<Arc<str>>,
        index: &Index,
        routes: Option<Vec<Route>>,
    ) -> Result<Collected, Error> {
        let (mut records, mut passed_over) = (Records::default(), 0);
        let mut policies = vec![PolicyCounts::default(); self.same.len()];
        let mut asked = vec![0; self.groups];
        let mut costs = vec![Cost::default(); if self.costs { self.same.len() } else { 0 }];
        let mut used = BTreeSet::new();
        let mut spans = Spans::default();
        let mut batches = Vec::new();
        let mut sorters = Vec::new();
        for mut tally in tallies {
            tally.hand_groups_on();
            if let Some(error) = tally.failed {
                return Err(error);
            }
            records.add(&tally.records);
            passed_over += tally.passed_over;
            used.extend(tally.used);
            spans.add(tally.spans);
            policies.iter_mut().zip(&tally.policies).for_each(|(sum, counts)| sum.add(counts));
            asked.iter_mut().zip(&tally.asked).for_each(|(sum, count)| *sum += count);
            costs.iter_mut().zip(&tally.costs).for_each(|(sum, cost)| sum.add(cost));
            batches.extend(tally.batches);
            sorters.push(tally.sorter);
        }
        for (at, counts) in policies.iter_mut().enumerate() {
            counts.asked = asked[index.group_of(at)];
            counts.silent =
                counts.asked - counts.matched(self.same[at].has_window) - counts.not_evaluated - counts.faults;
        }
        let [findings, identities, groups, why] = Sorter::sorted(sorters)?;
        let (map, same) = (Arc::new(Map::new(names, batches)), Arc::clone(&self.same));
        let profile = routes.map(|routes| Profile { passed_over, rows: costs.into_iter().zip(routes).collect() });
        Ok(Collected { spans, used, records, policies, profile, map, same, findings, identities, groups, why })
    }
}

/// What all threads collected.
#[derive(Debug)]
pub(super) struct Collected {
    /// Of which times events were read, if some window must know.
    pub(super) spans: Spans,
    /// Places of waivers that are for some finding.
    pub(super) used: BTreeSet<usize>,
    pub(super) records: Records,
    pub(super) policies: Vec<PolicyCounts>,
    pub(super) profile: Option<Profile>,
    pub(super) map: Arc<Map>,
    pub(super) same: Arc<[Same]>,
    pub(super) findings: Sorted,
    pub(super) identities: Sorted,
    pub(super) groups: Sorted,
    pub(super) why: Sorted,
}

/// What one thread collects. When the temporary file fails it collects nothing more, and the run ends with that error.
#[derive(Debug)]
pub(super) struct Tally {
    pub(super) records: Records,
    policies: Vec<PolicyCounts>,
    /// Events of which a few fields were read.
    pub(super) passed_over: u64,
    /// How many records each group of policies was asked about.
    asked: Vec<u64>,
    /// What each policy cost; empty unless it is wanted.
    costs: Vec<Cost>,
    /// File, batch, events.
    batches: Vec<(u32, u32, u64)>,
    groups: Groups,
    most_groups: usize,
    sorter: Sorter<STREAMS>,
    deferred: Sorter<1>,
    hits: Sorter<1>,
    /// Of which times events were read, if some window must know.
    pub(super) spans: Spans,
    /// Counts events, if that is wanted.
    pub(super) counter: Option<Counter>,
    /// What counted events that were passed over.
    pub(super) passed: Vec<Counter>,
    key: Vec<u8>,
    same: Arc<[Same]>,
    triage: Arc<Triage>,
    now: Timestamp,
    seeds: Seeds,
    /// Places of waivers that are for some finding.
    used: BTreeSet<usize>,
    buffer: Vec<u8>,
    /// The last record that was hashed: several policies may tell of it.
    hashed: Option<(Node, [u8; 16])>,
    failed: Option<Error>,
}

impl Tally {
    /// Notes how many events a batch had.
    pub(super) fn batch(&mut self, file: usize, number: usize, events: u64) {
        if events > 0 {
            self.batches.push((ordinal(file), ordinal(number), events));
        }
    }

    /// Notes that the policies of these groups were asked about so many records: those that give no verdict are silent.
    pub(super) fn asked(&mut self, groups: impl IntoIterator<Item = usize>, records: u64) {
        for group in groups {
            self.asked[group] += records;
        }
    }

    /// Notes what a policy cost, if that is wanted.
    pub(super) fn cost(&mut self, policy: u32, cost: &Cost) {
        if let Some(sum) = self.costs.get_mut(policy as usize) {
            sum.add(cost);
        }
    }

    /// Keeps a verdict on a record.
    pub(super) fn verdict(&mut self, at: Place, policy: &Policy, record: &Record, verdict: Verdict) {
        let counts = &mut self.policies[at.policy as usize];
        match verdict {
            Verdict::Silent => {}
            Verdict::Finding(mut finding, faults) => {
                let of = (record.time, self.hash_of(record));
                self.finding(at, policy, &mut finding, Subject::Record(record), of);
                for reason in faults {
                    self.fault(at, &Fault::policy(&policy.pack, &policy.id, reason, record.origin.clone()));
                }
            }
            Verdict::Hit(hit, faults) => {
                counts.hits += 1;
                self.hit(at, record, &hit);
                for reason in faults {
                    self.fault(at, &Fault::policy(&policy.pack, &policy.id, reason, record.origin.clone()));
                }
            }
            Verdict::NotEvaluated(reason) => {
                counts.not_evaluated += 1;
                self.attempt(|tally| {
                    tally.groups.not_evaluated(at.policy, &reason, &record.scope, Some((at, &record.origin)))
                });
            }
            Verdict::Fault(reason) => {
                counts.faults += 1;
                self.fault(at, &Fault::policy(&policy.pack, &policy.id, reason, record.origin.clone()));
            }
        }
    }

    /// Whether it must be known of each hit of a window whose it is.
    pub(super) fn asks_of_hits(&self) -> bool {
        self.triage.asks_of_hits()
    }

    /// Keeps a finding about a record, or about hits of which the first that counts is at that place, by its time and hash.
    pub(super) fn finding(
        &mut self,
        at: Place,
        policy: &Policy,
        finding: &mut Finding,
        subject: Subject<'_>,
        (time, record_hash): (Option<Timestamp>, [u8; 16]),
    ) {
        self.policies[at.policy as usize].findings += 1;
        self.triage.judge(finding, policy, subject, self.now, &mut self.used);
        self.attempt(|tally| {
            tally.same[at.policy as usize].store(finding, &mut tally.buffer)?;
            tally.sorter.push(FINDINGS, &at.key(), &tally.buffer)?;
            tally.buffer.clear();
            let identity = Identity {
                fingerprint: finding.fingerprint,
                record_hash,
                time,
                place: at,
                severity: finding.severity,
                standing: finding.standing,
                enforcement: policy.enforcement,
                line: finding.origin.line,
            };
            identity.store(&mut tally.buffer)?;
            tally.sorter.push(IDENTITIES, &identity.key(), &tally.buffer)
        });
    }

    /// Keeps a hit of a window, which is judged when everything is read.
    fn hit(&mut self, at: Place, record: &Record, hit: &Hit) {
        let Some(time) = record.time else { return };
        let hash = self.hash_of(record);
        self.attempt(|tally| {
            tally.key.clear();
            hits::put_key(at.policy, hit, record, time, hash, at, &mut tally.key);
            hits::put_hit(hit, record, time, &tally.seeds, &mut tally.buffer)?;
            tally.hits.push(0, &tally.key, &tally.buffer)
        });
    }

    /// Keeps a hit that was noted.
    pub(super) fn noted(&mut self, at: Place, line: Option<u64>, note: &Note<'_>) {
        self.policies[at.policy as usize].hits += u64::from(note.is_counted);
        self.attempt(|tally| {
            tally.key.clear();
            tally.key.extend_from_slice(note.head);
            tally.key.extend_from_slice(&at.key());
            hits::put_noted(line, note.stored, &mut tally.buffer)?;
            tally.hits.push(0, &tally.key, &tally.buffer)
        });
    }

    /// Keeps what a record before the time that is judged is to a window; that it was asked about is not counted.
    pub(super) fn verdict_before(&mut self, at: Place, policy: &Policy, record: &Record, verdict: Verdict) {
        match verdict {
            Verdict::Hit(hit, _) => self.hit(at, record, &hit),
            // Without it something may be missing that is judged.
            Verdict::Fault(reason) => {
                self.fault(at, &Fault::policy(&policy.pack, &policy.id, reason, record.origin.clone()))
            }
            Verdict::Silent | Verdict::Finding(..) | Verdict::NotEvaluated(_) => {}
        }
    }

    /// Counts a hit that could not be judged; `is_counted` if it was counted as a hit.
    pub(super) fn hit_not_evaluated(
        &mut self,
        at: Place,
        reason: &str,
        scope: &Scope,
        origin: &Origin,
        is_counted: bool,
    ) {
        if is_counted {
            let counts = &mut self.policies[at.policy as usize];
            counts.hits = counts.hits.wrapping_sub(1);
            counts.not_evaluated += 1;
        }
        self.attempt(|tally| tally.groups.not_evaluated(at.policy, reason, scope, Some((at, origin))));
    }

    /// The hits of windows, which are then no longer here.
    pub(super) fn take_hits(&mut self) -> Sorter<1> {
        let none = self.hits.emptied();
        std::mem::replace(&mut self.hits, none)
    }

    /// The batches that were read: file, batch, events.
    pub(super) fn batches(&self) -> &[(u32, u32, u64)] {
        &self.batches
    }

    /// The hash of what a record holds. Leaves the buffer with something.
    fn hash_of(&mut self, record: &Record) -> [u8; 16] {
        match &self.hashed {
            Some((node, hash)) if node.is_same(&record.value) => *hash,
            _ => {
                let hash = record_hash(record, &mut self.buffer);
                self.hashed = Some((record.value.clone(), hash));
                hash
            }
        }
    }

    /// Keeps why the verdict on a record is what it is; `silent` says why the policy stayed silent, if it is known.
    pub(super) fn why(&mut self, at: Place, policy: &Policy, record: &Record, verdict: &Verdict, silent: Option<&str>) {
        self.attempt(|tally| {
            why::store(policy, record, verdict, silent, &mut tally.buffer)?;
            tally.sorter.push(WHY, &at.key(), &tally.buffer)
        });
    }

    /// Keeps that a policy could not judge what there may be in a scope.
    pub(super) fn absence(&mut self, policy: usize, reason: &str, scope: &Scope) {
        self.attempt(|tally| tally.groups.not_evaluated(ordinal(policy), reason, scope, None));
    }

    /// Keeps a fault. Places of faults are compared to tell which are the first of equal ones.
    pub(super) fn fault(&mut self, at: Place, fault: &Fault) {
        self.attempt(|tally| tally.groups.fault(at, fault));
    }

    /// Keeps a record of which these policies must be asked when the last event is read.
    pub(super) fn defer(&mut self, at: Place, record: &Record, policies: &[u32]) {
        self.attempt(|tally| {
            deferred::store(record, policies, &mut tally.buffer)?;
            tally.deferred.push(0, &at.key(), &tally.buffer)
        });
    }

    /// What was deferred, which is then no longer here.
    pub(super) fn take_deferred(&mut self) -> Sorter<1> {
        let none = self.deferred.emptied();
        std::mem::replace(&mut self.deferred, none)
    }

    /// True when collecting on is of no use.
    pub(super) fn has_failed(&self) -> bool {
        self.failed.is_some() || self.counter.as_ref().is_some_and(Counter::has_failed)
    }

    fn attempt(&mut self, collect: impl FnOnce(&mut Self) -> Result<(), Error>) {
        if self.failed.is_some() {
            return;
        }
        self.buffer.clear();
        self.failed = collect(self).err();
        if self.groups.bytes() > self.most_groups {
            self.hand_groups_on();
        }
    }

    fn hand_groups_on(&mut self) {
        if self.failed.is_none() {
            self.failed = self.groups.drain(&mut |key, payload| self.sorter.push(GROUPS, key, payload)).err();
        }
    }
}
