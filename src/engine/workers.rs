//! Shares the work among threads, and puts what they found in the order of the input.
//!
//! A thread reads a whole file and judges what it reads; when another has nothing to do, batches are handed over. The
//! queue is short, and who finds it full judges the batch himself: so memory does not grow with the input.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::index::Index;
use super::outcome::Tally;
use super::{Progress, Request, Verdict, derive, evaluate};
use crate::fault::Fault;
use crate::input::{self, Batch, Class, File, Files, Sink};
use crate::inventory::{Collected, Inventory};
use crate::policy::{Checked, Policy};
use crate::record::{CLOUDTRAIL, Record};
use crate::script::{OUT_OF_TIME, Runtime, STACK};

/// Records on which a policy may run out of time before it is given up: time is the one limit that a scan waits for.
const MOST_TIMEOUTS: usize = 5;

/// Resources that one thread takes at a time.
const CHUNK: usize = 512;

/// Judges records, in as many threads as the request says.
pub(super) struct Judge<'a> {
    policies: &'a [Policy],
    request: &'a Request,
    inventory: Arc<Inventory>,
    progress: &'a dyn Progress,
    index: Index,
    /// How often each policy ran out of time.
    given_up: Vec<AtomicUsize>,
    /// Policies that look up what events tell of, and so wait for the last event.
    waiting: BTreeSet<usize>,
}

/// What a pass over the input gave.
#[derive(Debug, Default)]
pub(super) struct Pass {
    pub(super) tally: Tally,
    /// Records of which a policy must still be asked: their file, and the policy.
    deferred: Vec<(usize, Record, usize)>,
    /// Resources that events tell of.
    derived: Vec<Record>,
}

/// What one thread found in a part of a file.
#[derive(Default)]
struct Piece {
    file: usize,
    number: usize,
    events: u64,
    pass: Pass,
}

/// A batch that is handed over.
struct Job {
    file: usize,
    number: usize,
    batch: Batch,
}

/// What threads share while they read.
#[derive(Default)]
struct Board {
    next_file: usize,
    jobs: VecDeque<Job>,
    reading: usize,
    idle: usize,
}

impl<'a> Judge<'a> {
    pub(super) fn new(
        packs: &'a Checked,
        request: &'a Request,
        inventory: Arc<Inventory>,
        progress: &'a dyn Progress,
    ) -> Self {
        let policies = packs.policies();
        let waits = |policy: &Policy| {
            policy.header.uses.iter().chain(&policy.header.needs).any(|kind| derive::is_derived(kind))
        };
        let waiting = policies.iter().enumerate().filter(|(_, policy)| waits(policy)).map(|(at, _)| at).collect();
        let given_up = policies.iter().map(|_| AtomicUsize::new(0)).collect();
        Self { policies, request, inventory, progress, index: Index::new(policies), given_up, waiting }
    }

    fn runtime(&self, inventory: &Arc<Inventory>) -> Runtime {
        Runtime::new(self.policies.len(), Arc::clone(inventory), self.request.now, &self.request.limits)
    }

    /// Runs `work` in every thread and gathers what they give.
    fn in_threads<T: Send>(&self, most: usize, work: impl Fn() -> Vec<T> + Sync) -> Vec<T> {
        let threads = self.request.threads.clamp(1, most.max(1));
        std::thread::scope(|scope| {
            let started: Vec<_> = (0..threads)
                .filter_map(|_| std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, &work).ok())
                .collect();
            assert!(!started.is_empty(), "no thread could be started");
            let mut all = Vec::new();
            for thread in started {
                match thread.join() {
                    Ok(found) => all.extend(found),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            all
        })
    }

    /// Judges the resources that were read from files to judge.
    pub(super) fn resources(&self, files: &Files) -> Pass {
        let places: HashMap<&str, usize> = files.files.iter().enumerate().map(|(at, file)| (&*file.name, at)).collect();
        let records: Vec<(usize, &Record)> =
            self.inventory.records().filter_map(|record| Some((*places.get(&*record.origin.file)?, record))).collect();
        let next = AtomicUsize::new(0);
        let chunks: Vec<&[(usize, &Record)]> = records.chunks(CHUNK).collect();
        let passes = self.in_threads(chunks.len(), || {
            let mut worker = Worker::new(self, &self.inventory);
            let mut pass = Pass::default();
            while let Some(chunk) = chunks.get(next.fetch_add(1, Ordering::Relaxed)) {
                for (file, record) in *chunk {
                    worker.take(*file, record, &mut pass);
                }
                self.progress.judged(chunk.len() as u64);
            }
            vec![pass]
        });
        let mut whole = Pass::default();
        for pass in passes {
            whole.add(pass);
        }
        whole
    }

    /// Notes, for every policy, the places where what it judges could not be collected: no finding there means nothing.
    pub(super) fn absences(&self, tally: &mut Tally) {
        let filter = &self.request.settings.filter;
        for (at, policy) in self.policies.iter().enumerate() {
            let kind = &policy.header.judges;
            for (_, scope, collected) in self.inventory.answers().filter(|(of, ..)| *of == kind) {
                let reason = match collected {
                    Collected::Refused => format!("collecting inventory `{kind}` was refused"),
                    Collected::Partial if self.inventory.all_in(kind, scope).next().is_none() => {
                        format!("of inventory `{kind}` only a part without resources was collected")
                    }
                    _ => continue,
                };
                if filter.admits_scope(scope) {
                    tally.not_evaluated(at, reason, scope.clone(), None);
                }
            }
        }
    }

    /// Judges records that are at hand, in this thread's stead by one other.
    pub(super) fn records(&self, records: &[Record]) -> Pass {
        let mut passes = self.in_threads(1, || {
            let mut worker = Worker::new(self, &self.inventory);
            let mut pass = Pass::default();
            for (at, record) in records.iter().enumerate() {
                worker.take(at, record, &mut pass);
            }
            vec![pass]
        });
        passes.pop().unwrap_or_default()
    }

    /// Reads and judges the files of events, but for those named.
    pub(super) fn events(&self, files: &Files, but: &BTreeSet<Arc<str>>) -> Pass {
        let wanted = |file: &File| file.class == Class::Events && !but.contains(&file.name);
        let todo: Vec<usize> = (0..files.files.len()).filter(|at| wanted(&files.files[*at])).collect();
        if todo.is_empty() {
            return Pass::default();
        }
        let board = Mutex::new(Board::default());
        let changed = Condvar::new();
        let mut pieces = self.in_threads(usize::MAX, || {
            let mut worker = Worker::new(self, &self.inventory);
            let mut pieces = Vec::new();
            let mut held = lock(&board);
            loop {
                if let Some(job) = held.jobs.pop_front() {
                    drop(held);
                    pieces.push(worker.open(&files.files[job.file], job));
                    held = lock(&board);
                } else if let Some(file) = todo.get(held.next_file).copied() {
                    held.next_file += 1;
                    held.reading += 1;
                    drop(held);
                    self.read(file, &files.files[file], &mut worker, &board, &changed, &mut pieces);
                    self.progress.file_done(&files.files[file].name);
                    held = lock(&board);
                    held.reading -= 1;
                    changed.notify_all();
                } else if held.reading == 0 {
                    return pieces;
                } else {
                    held.idle += 1;
                    held = changed.wait(held).unwrap_or_else(PoisonError::into_inner);
                    held.idle -= 1;
                }
            }
        });
        pieces.sort_by_key(|piece| (piece.file, piece.number));
        in_order(pieces)
    }

    fn read(
        &self,
        at: usize,
        file: &File,
        worker: &mut Worker<'_>,
        board: &Mutex<Board>,
        changed: &Condvar,
        pieces: &mut Vec<Piece>,
    ) {
        let mut number = 0;
        input::read(file, &self.request.settings, &mut |batch| {
            let job = Job { file: at, number, batch };
            number += 1;
            let mut held = lock(board);
            if held.idle > held.jobs.len() {
                held.jobs.push_back(job);
                changed.notify_one();
                return;
            }
            drop(held);
            pieces.push(worker.open(file, job));
        });
    }

    /// Judges what had to wait for the last event.
    pub(super) fn deferred(&self, passes: [&mut Pass; 2]) -> Tally {
        let mut deferred = Vec::new();
        let mut builder = self.inventory.reopen();
        for pass in passes {
            deferred.append(&mut pass.deferred);
            for record in pass.derived.drain(..) {
                builder.note_collected(&Arc::clone(&record.kind), record.scope.clone(), Collected::Partial);
                builder.add(record);
            }
        }
        if deferred.is_empty() {
            return Tally::default();
        }
        // What events tell of never contradicts: a later association is another one.
        let inventory = Arc::new(builder.finish().0);
        let next = AtomicUsize::new(0);
        let tallies = self.in_threads(deferred.len().div_ceil(CHUNK), || {
            let mut worker = Worker::new(self, &inventory);
            let mut tally = Tally::default();
            loop {
                let start = next.fetch_add(CHUNK, Ordering::Relaxed);
                if start >= deferred.len() {
                    return vec![tally];
                }
                for (file, record, policy) in &deferred[start..deferred.len().min(start + CHUNK)] {
                    worker.ask(*file, record, *policy, &mut tally);
                }
            }
        });
        let mut tally = Tally::default();
        for part in tallies {
            tally.add(part);
        }
        tally
    }
}

fn lock(board: &Mutex<Board>) -> MutexGuard<'_, Board> {
    board.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Positions were counted in each piece; in the whole they go on from piece to piece of a file.
fn in_order(pieces: Vec<Piece>) -> Pass {
    let mut whole = Pass::default();
    let mut file = usize::MAX;
    let mut before = 0;
    for mut piece in pieces {
        if piece.file != file {
            (file, before) = (piece.file, 0);
        }
        piece.pass.tally.shift(before);
        for (_, record, _) in &mut piece.pass.deferred {
            record.origin.position += before;
        }
        before += piece.events;
        whole.add(piece.pass);
    }
    whole
}

impl Pass {
    fn add(&mut self, other: Self) {
        self.tally.add(other.tally);
        self.deferred.extend(other.deferred);
        self.derived.extend(other.derived);
    }
}

/// One thread that judges.
struct Worker<'a> {
    judge: &'a Judge<'a>,
    inventory: &'a Arc<Inventory>,
    runtime: Runtime,
    selected: Vec<usize>,
}

impl<'a> Worker<'a> {
    fn new(judge: &'a Judge<'a>, inventory: &'a Arc<Inventory>) -> Self {
        Self { judge, inventory, runtime: judge.runtime(inventory), selected: Vec::new() }
    }

    fn open(&mut self, file: &File, job: Job) -> Piece {
        let mut piece = Piece { file: job.file, number: job.number, ..Piece::default() };
        let mut sink = Judging { worker: self, piece: &mut piece };
        job.batch.open(file, &mut sink);
        self.judge.progress.judged(piece.events);
        piece
    }

    /// Keeps what a record tells of, and judges it if it is wanted.
    fn take(&mut self, file: usize, record: &Record, pass: &mut Pass) {
        let is_event = &*record.kind == CLOUDTRAIL;
        if is_event && !self.judge.waiting.is_empty() {
            pass.derived.extend(derive::resource(record));
        }
        let filter = &self.judge.request.settings.filter;
        if !(if is_event { filter.admits(record) } else { filter.admits_scope(&record.scope) }) {
            pass.tally.records.filtered += 1;
            return;
        }
        let judged = &mut pass.tally.records;
        *(if is_event { &mut judged.events } else { &mut judged.resources }) += 1;
        self.judge(file, record, pass);
    }

    /// Asks every policy that the record could trigger.
    fn judge(&mut self, file: usize, record: &Record, pass: &mut Pass) {
        let mut selected = std::mem::take(&mut self.selected);
        self.judge.index.select(record, &mut selected);
        for at in &selected {
            if !self.judge.policies[*at].header.when.admits(record.value.view()) {
                continue;
            }
            if self.judge.waiting.contains(at) {
                pass.deferred.push((file, record.clone(), *at));
            } else {
                self.ask(file, record, *at, &mut pass.tally);
            }
        }
        self.selected = selected;
    }

    fn ask(&mut self, file: usize, record: &Record, at: usize, tally: &mut Tally) {
        let policy = &self.judge.policies[at];
        let wants_why = self.judge.request.why.as_deref() == Some(&*policy.id);
        if self.judge.given_up[at].load(Ordering::Relaxed) >= MOST_TIMEOUTS {
            let verdict = Verdict::Fault(format!("given up: it ran out of time on {MOST_TIMEOUTS} records"));
            return tally.verdict((file, record.origin.position, at), policy, record, verdict, wants_why);
        }
        let judged = catch_unwind(AssertUnwindSafe(|| {
            evaluate::evaluate(policy, at, &mut self.runtime, self.inventory, record)
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
            self.judge.given_up[at].fetch_add(1, Ordering::Relaxed);
        }
        let silent = matches!(verdict, Verdict::Silent);
        tally.verdict((file, record.origin.position, at), policy, record, verdict, wants_why);
        if wants_why
            && silent
            && let Some(reason) = self.runtime.why_silent(&policy.script, record)
        {
            tally.because(reason);
        }
    }
}

/// Judges what a batch holds.
struct Judging<'w, 'a> {
    worker: &'w mut Worker<'a>,
    piece: &'w mut Piece,
}

impl Sink for Judging<'_, '_> {
    fn event(&mut self, record: Record) {
        self.piece.events += 1;
        self.worker.take(self.piece.file, &record, &mut self.piece.pass);
    }

    fn recognised(&mut self, _: &'static str) {
        self.piece.pass.tally.records.recognised += 1;
    }

    fn fault(&mut self, fault: Fault) {
        let at = (self.piece.file, fault.origin.line.unwrap_or(0), 0);
        self.piece.pass.tally.fault_at(at, fault);
    }
}
