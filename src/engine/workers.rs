//! Shares the work among threads.
//!
//! A thread reads a whole file and judges what it reads; when another has nothing to do, batches are handed over. The
//! queue is short, and who finds it full judges the batch himself: so memory does not grow with the input. Each thread
//! collects what it finds in a tally of its own.

mod router;
mod worker;

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};

use jiff::Timestamp;

use self::router::Router;
use self::worker::Worker;
use super::derive::{Derived, Keeping, Kept, News, Telling};
use super::digests::{DIGESTS, Digests};
use super::hits::Seeds;
use super::index::{Index, Plan};
use super::noted::{self, Noting};
use super::place::{Map, Place, ordinal};
use super::slots::{Places, Slots};
use super::spans::Spans;
use super::state::Locked;
use super::tally::{Collected, Tallies, Tally};
use super::windows::{self, Asked, Source, Windows};
use super::{Progress, Request, deferred, derive, stored};
use crate::error::Error;
use crate::fault::Fault;
use crate::input::{Batch, Class, File, Files, Filter, Reader};
use crate::inventory::{self, Inventory};
use crate::policy::{Checked, Policy};
use crate::record::Record;
use crate::script::{Runtime, STACK};
use crate::sessions;
use crate::spill::{Merge, Sorter};
use crate::tally::{self, Counter};

/// Resources that one thread takes at a time.
const CHUNK: usize = 512;

/// Hits of windows for which another thread is worth its start.
const HITS: usize = 1_024;

/// Judges records, in as many threads as the request says.
pub(super) struct Judge<'a> {
    policies: &'a [Policy],
    request: &'a Request,
    /// Records before it are judged for what comes after them alone.
    since: Option<Timestamp>,
    inventory: Arc<Inventory>,
    progress: &'a dyn Progress,
    index: Index,
    noting: Noting,
    places: Places,
    /// How often each policy ran out of time.
    given_up: Vec<AtomicUsize>,
    /// Policies that look up what events tell of, and so wait for the last event.
    waiting: BTreeSet<usize>,
    /// Some window must know of which times there are records.
    needs_spans: bool,
    /// What those want to know of events.
    telling: Telling,
    /// Resources that events tell of, but for sessions.
    derived: Mutex<Derived>,
    /// Sessions that events tell of.
    keeping: Mutex<Option<Keeping>>,
    /// The same, when the last event was read.
    kept: OnceLock<Arc<Kept>>,
    tallies: Tallies,
    /// Tallies that no thread has now; never more than there are threads.
    idle: Mutex<Vec<Tally>>,
    /// Reading on is of no use: a tally failed, or a file is misplaced.
    stopped: AtomicBool,
    /// A file holds inventory, and its path promised events.
    is_misplaced: AtomicBool,
}

/// The fields by which [`Telling`] finds the events that tell of resources.
const TELLING: [&[&str]; 2] = [&["eventSource"], &["eventName"]];

/// What the index of a request's policies is made by.
fn plan<'p>(policies: &'p [Policy], waits: bool, tells: bool, request: &Request) -> Plan<'p> {
    let is_whole = |policy: &Policy| request.why.as_deref().is_some_and(|name| policy.is(name));
    let whole = policies.iter().enumerate().filter(|(_, policy)| is_whole(policy)).map(|(at, _)| at).collect();
    let owned = |path: &&[&str]| path.iter().map(|name| (*name).to_owned()).collect();
    let noted = notes(policies, request);
    let telling = TELLING.iter().filter(|_| waits);
    let counting = tally::PATHS.iter().filter(|_| request.tally.is_some());
    let tells = tells || !noted.is_empty();
    let filtering = Filter::PATHS.iter().filter(|_| tells);
    let paths = telling.chain(counting).chain(filtering).map(owned).chain(noted).collect();
    Plan { policies, whole, full_scan: request.no_index, paths }
}

/// Fields that are read to note hits, where that is of use: what is noted may have to be read again.
fn notes(policies: &[Policy], request: &Request) -> Vec<Vec<String>> {
    if request.settings.trusts_paths { noted::wanted(policies) } else { Vec::new() }
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
        since: Option<Timestamp>,
        inventory: Arc<Inventory>,
        progress: &'a dyn Progress,
    ) -> Self {
        let policies = packs.policies();
        let waits = |policy: &Policy| !Telling::of([policy]).is_empty();
        let waiting: BTreeSet<usize> =
            policies.iter().enumerate().filter(|(_, policy)| waits(policy)).map(|(at, _)| at).collect();
        let given_up = policies.iter().map(|_| AtomicUsize::new(0)).collect();
        let needs_spans = windows::need_spans(policies);
        let tells = needs_spans || !request.settings.filter.is_open() || request.tally.is_some();
        let traces = request.tally.map(|_| sessions::KIND);
        let telling = Telling::of(waiting.iter().map(|at| &policies[*at])).with_kinds(traces);
        let plan = plan(policies, !telling.is_empty(), tells, request);
        let index = Index::new(&plan);
        let seeds = Seeds::default();
        let is_parsed = |at: usize| !request.settings.trusts_paths || plan.whole.contains(&at);
        let noting = Noting::new(policies, &index, &seeds, is_parsed);
        Self {
            policies,
            request,
            since,
            inventory,
            progress,
            given_up,
            telling,
            waiting,
            needs_spans,
            derived: Mutex::default(),
            keeping: Mutex::new(None),
            kept: OnceLock::new(),
            tallies: Tallies::new(policies, index.groups(), seeds, request, since),
            index,
            noting,
            places: Places::new(policies),
            idle: Mutex::default(),
            stopped: AtomicBool::new(false),
            is_misplaced: AtomicBool::new(false),
        }
    }

    /// Whether time, account and region of every event must be known.
    fn reads_places(&self) -> bool {
        self.needs_spans || !self.request.settings.filter.is_open() || self.request.tally.is_some()
    }

    /// Whether time, account and region of events are of use.
    fn uses_places(&self) -> bool {
        self.reads_places() || (0..self.policies.len()).any(|at| self.noting.can_note(at))
    }

    fn runtime(&self, inventory: &Arc<Inventory>) -> Runtime {
        let request = self.request;
        let runtime = Runtime::new(self.policies.len(), Arc::clone(inventory), request.now, &request.limits);
        if request.no_index { runtime.without_proofs() } else { runtime }
    }

    /// Runs `work` in every thread, with a tally each.
    fn in_threads(&self, most: usize, inventory: &Arc<Inventory>, work: impl Fn(&mut Worker<'_>) + Sync) {
        let threads = self.request.threads.clamp(1, most.max(1));
        let run = || {
            let tally = lock(&self.idle).pop().unwrap_or_else(|| self.tallies.tally());
            let mut worker = Worker::new(self, inventory, tally);
            work(&mut worker);
            lock(&self.idle).push(worker.tally);
        };
        std::thread::scope(|scope| {
            let started: Vec<_> = (0..threads)
                .filter_map(|_| std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, run).ok())
                .collect();
            assert!(!started.is_empty(), "no thread could be started");
            for thread in started {
                if let Err(panic) = thread.join() {
                    std::panic::resume_unwind(panic);
                }
            }
        });
    }

    /// Judges the resources that were read from files to judge.
    pub(super) fn resources(&self, files: &Files) {
        let records = super::judged_of(&self.inventory, files);
        if records.is_empty() {
            return;
        }
        let places: HashMap<&str, usize> = files.files.iter().enumerate().map(|(at, file)| (&*file.name, at)).collect();
        let place = |(at, record): (usize, &Record)| Place {
            file: ordinal(places[&*record.origin.file]),
            position: record.origin.position,
            ordinal: ordinal(at),
            ..Place::default()
        };
        let next = AtomicUsize::new(0);
        self.in_threads(records.len().div_ceil(CHUNK), &self.inventory, |worker| {
            while let Some((start, chunk)) = next_chunk(&next, &records) {
                for (at, record) in chunk.iter().enumerate() {
                    worker.take(place((start + at, record)), record);
                }
                self.progress.judged(chunk.len() as u64);
            }
        });
    }

    /// Notes, for every policy, the places where what it judges could not be collected: no finding there means nothing.
    fn absences(&self, tally: &mut Tally) {
        let filter = &self.request.settings.filter;
        for (at, policy) in self.policies.iter().enumerate() {
            let kind = &policy.header.judges;
            let mut refused = BTreeSet::new();
            for (_, scope, collected) in self.inventory.answers().filter(|(of, ..)| *of == kind) {
                let reason = match collected {
                    inventory::Collected::Refused => {
                        refused.insert(scope);
                        format!("collecting inventory `{kind}` was refused")
                    }
                    inventory::Collected::Partial if self.inventory.all_in(kind, scope).next().is_none() => {
                        format!("of inventory `{kind}` only a part without resources was collected")
                    }
                    _ => continue,
                };
                if filter.admits_scope(scope) {
                    tally.absence(at, &reason, scope);
                }
            }
            // Where some were answered, the others are not known for that.
            for (scope, count) in self.inventory.refusals(kind).filter(|(scope, _)| !refused.contains(scope)) {
                if filter.admits_scope(scope) {
                    let calls = if count == 1 { "1 call".to_owned() } else { format!("{count} calls") };
                    tally.absence(
                        at,
                        &format!("collecting inventory `{kind}` was refused for {calls} of several"),
                        scope,
                    );
                }
            }
        }
    }

    /// Judges records that are at hand, in this thread's stead by one other.
    pub(super) fn records(&self, records: &[Record]) {
        self.in_threads(1, &self.inventory, |worker| {
            for (at, record) in records.iter().enumerate() {
                let file = ordinal(at);
                worker.take(Place { file, position: record.origin.position, ..Place::default() }, record);
            }
        });
    }

    /// Judges digests of log files, when the log files are read.
    pub(super) fn digests(&self, digests: &Digests<'_>) {
        if digests.is_empty() || self.has_stopped() {
            return;
        }
        let (unknown, next) = (digests.unknown(), AtomicUsize::new(0));
        self.in_threads(unknown.len(), &self.inventory, |_| {
            while let Some(file) = unknown.get(next.fetch_add(1, Ordering::Relaxed)) {
                digests.hash(*file, self.request);
            }
        });
        let judging = |policy: &(usize, &Policy)| &*policy.1.header.judges == DIGESTS;
        let judging: Vec<usize> = self.policies.iter().enumerate().filter(judging).map(|(at, _)| at).collect();
        let next = AtomicUsize::new(0);
        self.in_threads(digests.len(), &self.inventory, |worker| {
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                if at >= digests.len() {
                    return;
                }
                let place = Place { file: ordinal(digests.file(at)), position: 1, ..Place::default() };
                match digests.judge(at, &self.inventory, self.request) {
                    Err(fault) => worker.tally.fault(place, &fault),
                    Ok(judged) => worker.digest(place, &judged, &judging),
                }
                self.progress.judged(1);
            }
        });
    }

    /// Reads and judges the files of events, but for those named. False if one of them holds inventory, against the
    /// promise of its path: then it was not read.
    pub(super) fn events(&self, files: &Files, but: &BTreeSet<Arc<str>>, digests: &Digests<'_>) -> bool {
        if self.needs_spans && !files.before.is_empty() {
            self.tell(|tally| {
                for (scope, time) in &files.before {
                    tally.spans.note(scope.account.as_deref(), scope.region.as_deref(), *time);
                }
            });
        }
        let wanted = |file: &File| file.class == Class::Events && !but.contains(&file.name);
        let todo: Vec<usize> = (0..files.files.len()).filter(|at| wanted(&files.files[*at])).collect();
        if todo.is_empty() {
            return true;
        }
        let board = Mutex::new(Board::default());
        let changed = Condvar::new();
        let wanted = Some(self.index.wanted()).filter(|_| !self.request.no_index);
        self.in_threads(usize::MAX, &self.inventory, |worker| {
            let mut reader = Reader::new(&self.request.settings, wanted);
            let mut router = Router::new(self);
            let mut held = lock(&board);
            loop {
                if let Some(job) = held.jobs.pop_front() {
                    drop(held);
                    worker.open(&files.files[job.file], job);
                    held = lock(&board);
                } else if let Some(file) = todo.get(held.next_file).copied().filter(|_| !self.has_stopped()) {
                    held.next_file += 1;
                    held.reading += 1;
                    let others = todo.len() - held.next_file + held.reading - 1;
                    drop(held);
                    // A thread that has no file of its own can be of use to this one.
                    let ahead = others + 1 < self.request.threads;
                    let hashes = digests.names_file(file);
                    reader.hash(hashes);
                    let file = (file, &files.files[file]);
                    self.read(file, ahead, &mut reader, &mut router, worker, (&board, &changed));
                    if let Some(hash) = reader.take_hash() {
                        digests.put(file.0, Ok(hash));
                    }
                    self.progress.file_done(&file.1.name);
                    held = lock(&board);
                    held.reading -= 1;
                    changed.notify_all();
                } else if held.reading == 0 {
                    break;
                } else {
                    held.idle += 1;
                    held = changed.wait(held).unwrap_or_else(PoisonError::into_inner);
                    held.idle -= 1;
                }
            }
            drop(held);
            router.tell(&mut worker.tally);
        });
        !self.is_misplaced.load(Ordering::Relaxed)
    }

    /// Reads a file; batches go to a thread that has nothing to do, or to this one's worker.
    fn read(
        &self,
        (at, file): (usize, &File),
        ahead: bool,
        reader: &mut Reader,
        router: &mut Router<'_>,
        worker: &mut Worker<'_>,
        (board, changed): (&Mutex<Board>, &Condvar),
    ) {
        let mut number = 0;
        let is_placed = reader.read(file, ahead, Some(router), &mut |batch| {
            let job = Job { file: at, number, batch };
            number += 1;
            let mut held = lock(board);
            if held.idle > held.jobs.len() {
                held.jobs.push_back(job);
                changed.notify_one();
                return;
            }
            drop(held);
            worker.open(file, job);
        });
        if !is_placed {
            self.is_misplaced.store(true, Ordering::Relaxed);
            self.stopped.store(true, Ordering::Relaxed);
        }
    }

    /// Whether a time is before those that are judged.
    fn is_before(&self, time: Option<Timestamp>) -> bool {
        self.since.zip(time).is_some_and(|(since, time)| time < since)
    }

    /// Keeps what the event at a place tells.
    fn note_news(&self, at: Place, news: Vec<News>) {
        let (sessions, others): (Vec<News>, Vec<News>) = news.into_iter().partition(|one| one.session().is_some());
        for session in sessions.iter().filter_map(News::session) {
            let mut keeping = lock(&self.keeping);
            keeping.get_or_insert_with(|| Keeping::new(self.tallies.scratch())).add(at, session);
        }
        if !others.is_empty() {
            lock(&self.derived).add(at, others);
        }
    }

    fn has_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// Judges what had to wait for the last event; gives the inventory with what events tell.
    pub(super) fn deferred(&self) -> Result<Arc<Inventory>, Error> {
        if self.has_stopped() {
            // `finish` says why.
            return Ok(Arc::clone(&self.inventory));
        }
        let sorters = lock(&self.idle).iter_mut().map(Tally::take_deferred).collect();
        let [deferred] = Sorter::sorted(sorters)?;
        let (derived, too_many) = std::mem::take(&mut *lock(&self.derived)).finish();
        if deferred.len() == 0 && self.request.tally.is_none() {
            return Ok(Arc::clone(&self.inventory));
        }
        let mut inventory = derive::added(&self.inventory, derived);
        if let Some(keeping) = lock(&self.keeping).take() {
            let (kept, scopes) = keeping.finish()?;
            let kept = self.kept.get_or_init(|| Arc::new(kept));
            inventory = inventory.with_store(sessions::KIND, Arc::clone(kept) as _, scopes);
        }
        let inventory = Arc::new(inventory);
        let source = Mutex::new((deferred.read()?, None));
        let most = usize::try_from(deferred.len()).unwrap_or(usize::MAX).div_ceil(CHUNK);
        self.in_threads(most, &inventory, |worker| {
            while let Some(chunk) = chunk_of_deferred(&mut lock(&source)) {
                for (at, record, policies) in chunk {
                    let slots = Slots::new(&record, worker.inventory);
                    for policy in policies {
                        let known = worker.known(policy as usize, &slots);
                        worker.ask(at.of_policy(policy as usize), &record, known);
                    }
                }
            }
        });
        let (_, failed) = source.into_inner().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, fault)) = too_many {
            self.tell(|tally| tally.fault(at, &fault));
        }
        failed.map_or(Ok(inventory), Err)
    }

    /// Judges the hits of windows, when everything was read, of files of these names. Hooks look things up in this
    /// inventory. False if what was noted does not tell enough.
    pub(super) fn windows(
        &self,
        names: &[Arc<str>],
        inventory: &Arc<Inventory>,
        asked: Asked<'_>,
    ) -> Result<bool, Error> {
        if self.has_stopped() {
            return Ok(true);
        }
        if self.policies.iter().all(|policy| policy.header.window.is_none()) {
            // There is nothing to remember; that the file can be written is known all the same.
            return self.request.state.as_deref().map_or(Ok(()), |path| Locked::open(path)?.save()).map(|()| true);
        }
        let (mut sorters, mut spans, mut batches) = (Vec::new(), Spans::default(), Vec::new());
        for tally in lock(&self.idle).iter_mut() {
            sorters.push(tally.take_hits());
            spans.add(std::mem::take(&mut tally.spans));
            batches.extend_from_slice(tally.batches());
        }
        let [hits] = Sorter::sorted(sorters)?;
        let map = Map::new(names.to_vec(), batches);
        let mut locked = self.request.state.as_deref().map(Locked::open).transpose()?;
        let (policies, request, since) = (self.policies, self.request, self.since);
        let (memories, contradicted, failed) = (Mutex::default(), AtomicBool::default(), AtomicBool::default());
        let judge = Windows { policies, request, since, spans: &spans, map: &map, memories, contradicted, failed };
        if let Some(locked) = &mut locked {
            judge.recall(&mut locked.state);
        }
        let most = usize::try_from(hits.len()).unwrap_or(usize::MAX).div_ceil(HITS);
        let (source, asked, done) = (Mutex::new(Source::new(hits.read()?)), Mutex::new(asked), Mutex::new(Ok(())));
        self.in_threads(most, inventory, |worker| {
            if let Err(error) = judge.judge(&source, &mut worker.runtime, &mut worker.tally, &asked) {
                judge.failed.store(true, Ordering::Relaxed);
                *lock(&done) = Err(error);
            }
        });
        let done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
        if judge.contradicted.load(Ordering::Relaxed) {
            return Ok(false);
        }
        if let Some(mut locked) = locked.filter(|_| done.is_ok()) {
            judge.remember(&mut locked.state);
            locked.save()?;
        }
        // What is told of the history stays with a tally.
        self.tell(|tally| tally.spans = spans);
        done.map(|()| true)
    }

    /// The events that were judged, counted, if that is wanted. How sessions began this inventory tells.
    pub(super) fn tally(&self, inventory: &Inventory) -> Result<Option<tally::Tally>, Error> {
        let Some(top) = self.request.tally else { return Ok(None) };
        let mut counters = Vec::new();
        for tally in lock(&self.idle).iter_mut() {
            counters.extend(tally.counter.take());
            counters.append(&mut tally.passed);
        }
        Counter::tally(counters, inventory, self.request.threads, top).map(Some)
    }

    /// What was found in all, when everything was judged: of files of these names, after these faults.
    pub(super) fn finish(self, names: Vec<Arc<str>>, faults: &[Fault]) -> Result<Collected, Error> {
        let trouble = self.kept.get().map_or(Ok(None), |kept| kept.trouble())?;
        self.tell(|tally| {
            trouble.iter().for_each(|(at, fault)| tally.fault(*at, fault));
            self.absences(tally);
            faults.iter().for_each(|fault| tally.fault(Place::LAST, fault));
        });
        let tallies = std::mem::take(&mut *lock(&self.idle));
        let routes =
            || self.index.routes(&plan(self.policies, !self.telling.is_empty(), self.reads_places(), self.request));
        self.tallies.collected(tallies, names, &self.index, self.request.profile.then(routes))
    }

    /// Adds to a tally while no thread has one.
    fn tell(&self, add: impl FnOnce(&mut Tally)) {
        let mut tally = lock(&self.idle).pop().unwrap_or_else(|| self.tallies.tally());
        add(&mut tally);
        lock(&self.idle).push(tally);
    }
}

/// The next records that were deferred, some at a time; what fails is left beside them.
fn chunk_of_deferred((merge, failed): &mut (Merge<'_>, Option<Error>)) -> Option<Vec<(Place, Record, Vec<u32>)>> {
    const MOST_BYTES: usize = 1 << 20;
    let mut chunk = Vec::new();
    let mut bytes = 0;
    while failed.is_none() && chunk.len() < CHUNK && bytes < MOST_BYTES {
        let next = merge.advance().and_then(|entry| {
            let Some((key, record)) = entry else { return Ok(None) };
            bytes += record.len();
            let (record, policies) = deferred::read(record)?;
            Ok(Some((stored::place(key)?, record, policies)))
        });
        match next {
            Ok(Some(next)) => chunk.push(next),
            Ok(None) => break,
            Err(error) => *failed = Some(error),
        }
    }
    Some(chunk).filter(|chunk| !chunk.is_empty())
}

/// The next records of a list that threads share, and the place of the first.
fn next_chunk<'r, T>(next: &AtomicUsize, records: &'r [T]) -> Option<(usize, &'r [T])> {
    let start = next.fetch_add(CHUNK, Ordering::Relaxed);
    records.get(start..records.len().min(start + CHUNK)).filter(|chunk| !chunk.is_empty()).map(|chunk| (start, chunk))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
