//! Judges records one after another: what becomes of each, in one thread, stays in that thread's tally.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use super::{Job, Judge, lock};
use crate::engine::digests::{DIGESTS, Judged};
use crate::engine::index::Selected;
use crate::engine::noted::Note;
use crate::engine::place::{Place, ordinal};
use crate::engine::profile::Cost;
use crate::engine::slots::Slots;
use crate::engine::tally::Tally;
use crate::engine::{Verdict, evaluate};
use crate::fault::Fault;
use crate::input::{File, Sink};
use crate::inventory::Inventory;
use crate::policy::Policy;
use crate::record::{CLOUDTRAIL, Origin, Record};
use crate::script::{OUT_OF_TIME, Runtime, Verdict as Known};

/// Records on which a policy may run out of time before it is given up: time is the one limit that a scan waits for.
const MOST_TIMEOUTS: usize = 5;

/// One thread that judges.
pub(super) struct Worker<'a> {
    judge: &'a Judge<'a>,
    pub(super) inventory: &'a Arc<Inventory>,
    pub(super) runtime: Runtime,
    pub(super) tally: Tally,
    selected: Selected,
    /// Policies that must be asked of the record later.
    later: Vec<u32>,
}

impl<'a> Worker<'a> {
    pub(super) fn new(judge: &'a Judge<'a>, inventory: &'a Arc<Inventory>, tally: Tally) -> Self {
        let runtime = judge.runtime(inventory);
        Self { judge, inventory, runtime, tally, selected: Selected::default(), later: Vec::new() }
    }

    pub(super) fn open(&mut self, file: &File, job: Job) {
        if self.judge.has_stopped() {
            return;
        }
        let mut sink = Judging { file: job.file, batch: job.number, events: 0, worker: self };
        job.batch.open(file, &mut sink);
        let events = sink.events;
        self.tally.batch(job.file, job.number, events);
        self.judge.progress.judged(events);
        if self.tally.has_failed() {
            self.judge.stopped.store(true, Ordering::Relaxed);
        }
    }

    /// Judges a digest, and tells what these policies, which judge digests, cannot know of it.
    pub(super) fn digest(&mut self, at: Place, digest: &Judged, policies: &[usize]) {
        let Judged { record, unknown, is_filtered } = digest;
        if self.judge.telling.wants_kind(DIGESTS) {
            lock(&self.judge.derived).add(at, vec![record.clone().into()]);
        }
        if *is_filtered {
            self.tally.records.filtered += 1;
            return;
        }
        if self.judge.request.settings.filter.admits_scope(&record.scope) {
            for policy in policies {
                unknown.iter().for_each(|reason| self.tally.absence(*policy, reason, &record.scope));
            }
        }
        self.take(at, record);
    }

    /// Whether a record is an event before those that are judged.
    fn is_before(&self, record: &Record) -> bool {
        &*record.kind == CLOUDTRAIL && self.judge.is_before(record.time)
    }

    /// Keeps what a record tells of, and judges it if it is wanted.
    pub(super) fn take(&mut self, at: Place, record: &Record) {
        let is_event = &*record.kind == CLOUDTRAIL;
        if is_event
            && let news = self.judge.telling.of_event(record)
            && !news.is_empty()
        {
            self.judge.note_news(at, news);
        }
        if is_event
            && self.judge.needs_spans
            && self.judge.request.settings.filter.admits_scope(&record.scope)
            && let Some(time) = record.time
        {
            self.tally.spans.note(record.scope.account.as_deref(), record.scope.region.as_deref(), time);
        }
        let filter = &self.judge.request.settings.filter;
        if !(if is_event { filter.admits(record) } else { filter.admits_scope(&record.scope) }) {
            self.tally.records.filtered += 1;
            return;
        }
        if self.is_before(record) {
            // For what comes after it alone.
            self.tally.records.filtered += 1;
            return self.judge(at, record);
        }
        if let Some(counter) = self.tally.counter.as_mut().filter(|_| is_event) {
            counter.take(record);
        }
        let judged = &mut self.tally.records;
        *(if is_event { &mut judged.events } else { &mut judged.resources }) += 1;
        self.judge(at, record);
    }

    /// Asks every policy that the record could trigger; those with a window alone, if it is before what is judged.
    fn judge(&mut self, at: Place, record: &Record) {
        let mut selected = std::mem::take(&mut self.selected);
        self.judge.index.select(record, &mut selected);
        let is_before = self.is_before(record);
        if !is_before {
            self.tally.asked(selected.groups.iter().copied(), 1);
        }
        let slots = Slots::new(record, self.inventory);
        for policy in &selected.policies {
            let header = &self.judge.policies[*policy].header;
            if is_before && header.window.is_none() {
                continue;
            }
            let known = self.known(*policy, &slots);
            let is_silent = header.needs.is_empty() && matches!(known, Known::False | Known::Excluded);
            if is_silent && !self.judge.request.profile {
                continue;
            }
            if self.judge.waiting.contains(policy) && !is_silent {
                self.later.push(ordinal(*policy));
            } else {
                self.ask(at.of_policy(*policy), record, known);
            }
        }
        self.selected = selected;
        if !self.later.is_empty() {
            self.tally.defer(at, record, &self.later);
            self.later.clear();
        }
    }

    /// What facts tell of a policy's answer.
    pub(super) fn known(&self, at: usize, slots: &Slots<'_>) -> Known {
        let (request, policy) = (&self.judge.request, &self.judge.policies[at]);
        let by_script = request.no_index || request.why.as_deref().is_some_and(|name| policy.is(name));
        if by_script { Known::Unknown } else { self.judge.places.known(at, policy, slots) }
    }

    /// Asks the policy of the place.
    pub(super) fn ask(&mut self, at: Place, record: &Record, known: Known) {
        let index = at.policy as usize;
        let policy = &self.judge.policies[index];
        let started = self.judge.request.profile.then(|| (Instant::now(), self.runtime.spent()));
        let verdict = self.verdict(index, policy, record, known);
        if let Some((started, before)) = started {
            let spent = self.runtime.spent();
            // After a panic there is another interpreter, which has counted nothing yet.
            let operations = spent.operations.saturating_sub(before.operations);
            let run = spent.run.saturating_sub(before.run);
            self.tally.cost(at.policy, &Cost { run, operations, time: started.elapsed() });
        }
        if self.is_before(record) {
            return self.tally.verdict_before(at, policy, record, verdict);
        }
        if self.judge.request.why.as_deref().is_some_and(|name| policy.is(name)) {
            let is_silent = matches!(verdict, Verdict::Silent);
            let silent = if is_silent { self.runtime.why_silent(&policy.script, record) } else { None };
            self.tally.why(at, policy, record, &verdict, silent.as_deref());
        }
        self.tally.verdict(at, policy, record, verdict);
    }

    fn verdict(&mut self, index: usize, policy: &Policy, record: &Record, known: Known) -> Verdict {
        if self.judge.given_up[index].load(Ordering::Relaxed) >= MOST_TIMEOUTS {
            return Verdict::Fault(format!("given up: it ran out of time on {MOST_TIMEOUTS} records"));
        }
        let judged = catch_unwind(AssertUnwindSafe(|| {
            evaluate::evaluate(policy, index, known, &mut self.runtime, self.inventory, record)
        }));
        let verdict = judged.unwrap_or_else(|_| {
            // A bug of ours or of a library's: the record is not lost silently, and the scan goes on with a new runtime.
            self.runtime = self.judge.runtime(self.inventory);
            Verdict::Fault("internal error (try: report it, with the record)".to_owned())
        });
        // At its beginning: further on may stand what a policy threw, and that may come from the record.
        let timed_out =
            |reason: &str| reason.strip_prefix("`matches` ").is_some_and(|told| told.starts_with(OUT_OF_TIME));
        if matches!(&verdict, Verdict::Fault(reason) if timed_out(reason)) {
            self.judge.given_up[index].fetch_add(1, Ordering::Relaxed);
        }
        verdict
    }
}

/// Judges what a batch holds.
struct Judging<'w, 'a> {
    file: usize,
    batch: usize,
    events: u64,
    worker: &'w mut Worker<'a>,
}

impl Sink for Judging<'_, '_> {
    fn event(&mut self, record: Record) {
        self.events += 1;
        let (file, batch, position) = (ordinal(self.file), ordinal(self.batch), record.origin.position);
        self.worker.take(Place { file, batch, position, ..Place::default() }, &record);
    }

    fn passed_over(&mut self, events: u64) {
        self.events += events;
    }

    fn noted(&mut self, notes: &[u8], origin: &Origin) {
        self.events += 1;
        let (file, batch, position) = (ordinal(self.file), ordinal(self.batch), origin.position);
        for note in Note::each(notes) {
            let place = Place { file, batch, position, policy: note.policy, ..Place::default() };
            self.worker.tally.noted(place, origin.line, &note);
        }
    }

    fn recognised(&mut self, _: &'static str) {
        self.worker.tally.records.recognised += 1;
    }

    fn fault(&mut self, fault: Fault) {
        // What is broken has no position, but a line of the file, whatever the batch.
        let (file, position) = (ordinal(self.file), fault.origin.line.unwrap_or(0));
        self.worker.tally.fault(Place { file, position, ..Place::default() }, &fault);
    }
}
