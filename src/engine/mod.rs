//! Scans: the whole path of a record, in one function that fits a screen; outcomes and summary.
//!
//! *Law*: events read = judged + filtered + recognised + faults, and asked = findings + silent + not evaluated + faults
//! for every policy; for one with a window asked = hits + silent + not evaluated + faults. The output is the same, byte for byte, whatever the number of threads and the memory: order = input
//! order, then policy. Memory does not grow with the number of records, of findings, or of anything that records say.

mod asked;
mod collect;
mod correlate;
mod deferred;
mod deliveries;
mod derive;
mod digests;
mod duplicates;
mod evaluate;
mod findings;
mod groups;
mod hits;
mod index;
mod noted;
mod outcome;
mod place;
mod profile;
mod resolved;
mod skimmed;
mod slots;
mod spans;
mod state;
mod stored;
mod tally;
mod why;
mod windows;
mod workers;

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use self::deliveries::{DELIVERIES, GAPS};
use self::derive::{Derived, Telling};
use self::digests::{DIGESTS, Digests};
pub use self::evaluate::{Hit, Verdict};
pub(crate) use self::findings::Head;
pub use self::findings::{Findings, Iter};
pub use self::outcome::{
    Counts, Decided, Exit, Files, History, NotEvaluated, Outcome, PolicyCounts, Problem, Records, Resolved, Summary,
    Unused,
};
pub use self::profile::{Cost, Profile, Route};
use self::resolved::Given;
pub use self::state::{Locked, Memory, State, Stretch};
pub use self::why::{Why, Whys};
pub(crate) use self::windows::Hooks;
use self::workers::Judge;
use crate::error::Error;
use crate::fault::Fault;
use crate::finding::Severity;
use crate::input::{self, Settings};
use crate::inventory::Inventory;
use crate::policy::{Checked, Policy};
use crate::record::{CLOUDTRAIL, Record, Scope};
use crate::script::{Expression, Limits, Stop};
use crate::sessions;
use crate::triage::{Triage, Waivers};

/// What to scan, with what, and how.
#[derive(Clone, Debug)]
pub struct Request {
    /// Files, folders, or `-` for standard input: judged, and looked up in.
    pub paths: Vec<PathBuf>,
    /// Inventory to look things up in only.
    pub inventory: Vec<PathBuf>,
    /// Whose inventory is where nothing else says so.
    pub inventory_of: Scope,
    /// What is read and how much of it.
    pub settings: Settings,
    /// What scripts may use.
    pub limits: Limits,
    /// The time of the run.
    pub now: Timestamp,
    /// Threads that judge; at least 1.
    pub threads: usize,
    /// Bytes that findings, and whatever else grows with the input, may take in memory. What is beyond them waits in a
    /// file in [`std::env::temp_dir`] that has no name and goes with the outcome. Anything down to 0 works: the less, the
    /// more is written.
    pub memory: usize,
    /// The least severity of a new finding that fails the run; `None`: no finding does.
    pub fail_on: Option<Severity>,
    /// Not evaluated fails the run.
    pub strict: bool,
    /// Judging nothing at all does not fail the run.
    pub allow_empty: bool,
    /// Policies that were asked for by name, `id` or `pack/id`, so that it fails the run if they could not judge.
    pub named: BTreeSet<String>,
    /// The policy of which every record's verdict is wanted: `id`, or `pack/id`.
    pub why: Option<String>,
    /// Every policy is asked about every record by its script alone, and every record is parsed: slow, and the same
    /// findings.
    pub no_index: bool,
    /// What each policy costs is wanted.
    pub profile: bool,
    /// The events that are judged are counted by who made them and so on; so many values of a section have rows of their own.
    pub tally: Option<usize>,
    /// Files that hold inventory are skipped.
    pub logs_only: bool,
    /// The input is all there ever was: what is not in it never happened.
    pub history_complete: bool,
    /// What people decided about findings.
    pub triage: Arc<Triage>,
    /// Where it is remembered from run to run what was seen, if it is.
    pub state: Option<PathBuf>,
}

impl Request {
    /// A request to judge these paths, with everything else as the command line has it by default.
    pub fn new(paths: impl IntoIterator<Item = impl Into<PathBuf>>) -> Self {
        Self {
            paths: paths.into_iter().map(Into::into).collect(),
            inventory: Vec::new(),
            inventory_of: Scope::default(),
            settings: Settings::default(),
            limits: Limits::default(),
            now: Timestamp::now(),
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            memory: 32 << 20,
            fail_on: Some(Severity::Low),
            strict: false,
            allow_empty: false,
            named: BTreeSet::new(),
            why: None,
            no_index: false,
            profile: false,
            tally: None,
            logs_only: false,
            history_complete: false,
            state: None,
            triage: Arc::default(),
        }
    }
}

/// How far a scan is, for whoever shows it.
pub trait Progress: Sync {
    /// So many files will be read.
    fn files(&self, total: u64);
    /// A file was read to its end.
    fn file_done(&self, name: &str);
    /// So many more records were judged.
    fn judged(&self, records: u64);
}

/// Shows nothing.
impl Progress for () {
    fn files(&self, _: u64) {}
    fn file_done(&self, _: &str) {}
    fn judged(&self, _: u64) {}
}

/// Judges everything that the request names by every policy of the packs.
///
/// # Errors
/// When a path does not exist, the file of what was seen cannot be used, or that for what does not fit into memory cannot be
/// written or read. Whatever happens to a record or a file while scanning is a fault in the outcome.
pub fn scan(packs: &Checked, request: &Request, progress: &dyn Progress) -> Result<Outcome, Error> {
    // That it cannot be used is better known before the scan than after; others may use it until windows are judged.
    request.state.as_deref().map(Locked::open).transpose()?;
    let mut request = request.clone();
    request.triage = Arc::new(request.triage.settled(packs));
    // What is before it is read for what windows find from then on.
    let since = request.settings.filter.since;
    request.settings.filter.since = since.map(|since| windows::reads_from(packs.policies(), since));
    // What is read once cannot be read again when the path of another file did not tell the truth, or a record was noted
    // and met once more in another spelling.
    request.settings.trusts_paths = request.paths.iter().chain(&request.inventory).all(|path| is_on_disk(path));
    request.settings.threads = request.threads;
    if let Some(outcome) = attempt(packs, &request, since, progress)? {
        return Ok(outcome);
    }
    request.settings.trusts_paths = false;
    attempt(packs, &request, since, progress)?.ok_or_else(|| Error::new("what a file holds changed while it was read"))
}

/// A scan; `None` if the path of a file told something else of it than its content, or what was noted of records does not
/// tell whether two of them are one.
fn attempt(
    packs: &Checked,
    request: &Request,
    since: Option<Timestamp>,
    progress: &dyn Progress,
) -> Result<Option<Outcome>, Error> {
    let (mut files, mut faults) = input::discover(&request.paths, &request.settings)?;
    if request.logs_only {
        files.skip_inventory();
    }
    let (lookup_only, more) = input::discover(&request.inventory, &request.settings)?;
    faults.extend(more);
    faults.extend(request.triage.waivers.iter().flat_map(Waivers::faults));
    progress.files(files.files.len() as u64);
    let collect::Read { inventory, faults: more, mut listed } = collect::inventory(&files, &lookup_only, request);
    faults.extend(more);
    let wants_deliveries = wants(packs, DELIVERIES) || wants(packs, GAPS);
    // What windows read back for is no business of theirs.
    let filter = input::Filter { since, ..request.settings.filter.clone() };
    let inventory = if wants_deliveries { deliveries::add(inventory, &files, &filter) } else { inventory };
    let digests = match wants(packs, DIGESTS) {
        true => Digests::read(&files, &listed, filter, request),
        false => Digests::none(&files, filter),
    };
    // They are judged as resources.
    listed.extend(digests.names().cloned());
    let read = Arc::new(inventory);
    let judge = Judge::new(packs, request, since, Arc::clone(&read), progress);
    judge.resources(&files);
    if !judge.events(&files, &listed, &digests) {
        return Ok(None);
    }
    judge.digests(&digests);
    let inventory = judge.deferred()?;
    let names: Vec<_> = files.files.iter().map(|file| Arc::clone(&file.name)).collect();
    if !judge.windows(&names, &inventory, &mut |_, _, _| {})? {
        return Ok(None);
    }
    let tally = judge.tally(&inventory)?;
    let given = Given {
        resources: if request.triage.baseline.is_some() { judged_of(&read, &files) } else { Vec::new() },
        inventory: &read,
        files: &files,
        lookup_only: &lookup_only,
        filter: input::Filter { since, ..request.settings.filter.clone() },
    };
    faults.extend(input::unfinished(&files.files));
    let outcome = outcome::write(judge.finish(names, &faults)?, packs, request, &given)?;
    Ok(Some(Outcome { tally, ..outcome }))
}

/// The resources of files to judge.
fn judged_of<'a>(inventory: &'a Inventory, files: &input::Files) -> Vec<&'a Record> {
    if inventory.is_empty() {
        return Vec::new();
    }
    let names: HashSet<&str> = files.files.iter().map(|file| &*file.name).collect();
    inventory.records().filter(|record| names.contains(&*record.origin.file)).collect()
}

/// Whether a policy judges a kind or looks it up: what Lawbook makes itself is made for those that ask alone.
fn wants(packs: &Checked, kind: &str) -> bool {
    packs.policies().iter().any(|Policy { header, .. }| {
        &*header.judges == kind || header.uses.iter().chain(&header.needs).any(|used| used == kind)
    })
}

/// Whether a path can be read again and again.
fn is_on_disk(path: &Path) -> bool {
    path.as_os_str() != "-" && std::fs::metadata(path).is_ok_and(|found| found.is_file() || found.is_dir())
}

/// Judges records that are at hand: those that [`input::events`] reads, or that a program made.
///
/// Of the request only what is about judging counts; its paths are not read.
///
/// # Errors
/// When the file for what does not fit into memory cannot be written or read.
pub fn judge(packs: &Checked, records: &[Record], inventory: Inventory, request: &Request) -> Result<Outcome, Error> {
    judge_asking(packs, records, inventory, request, &mut |_, _, _| {})
}

/// As [`judge`]; `asked` is told which hits, as a record whose value is their list, a window asks the hooks of the policy at
/// a place about: `confirm`, or those that put a finding into words.
pub(crate) fn judge_asking(
    packs: &Checked,
    records: &[Record],
    inventory: Inventory,
    request: &Request,
    asked: &mut (dyn FnMut(usize, windows::Hooks, &Record) + Send),
) -> Result<Outcome, Error> {
    let read = Arc::new(inventory);
    let judge = Judge::new(packs, request, None, Arc::clone(&read), &());
    judge.records(records);
    let inventory = judge.deferred()?;
    let names: Vec<_> = records.iter().map(|record| Arc::clone(&record.origin.file)).collect();
    judge.windows(&names, &inventory, asked)?;
    let tally = judge.tally(&inventory)?;
    let none = input::Files::default();
    let given = Given {
        resources: records.iter().filter(|record| &*record.kind != CLOUDTRAIL).collect(),
        inventory: &read,
        files: &none,
        lookup_only: &none,
        filter: input::Filter::default(),
    };
    let outcome = outcome::write(judge.finish(names, &[])?, packs, request, &given)?;
    Ok(Outcome { tally, ..outcome })
}

/// An inventory with what records tell of resources, as far as a policy asks: what [`judge`] has it look into.
pub fn informed(policy: &Policy, records: &[Record], inventory: &Inventory) -> Inventory {
    let telling = Telling::of([policy]);
    let mut derived = Derived::default();
    for (at, record) in records.iter().enumerate() {
        derived.add(place::Place { file: place::ordinal(at), ..Default::default() }, telling.of_event(record));
    }
    derive::added(inventory, derived.finish().0)
}

/// What a request names, read whole.
#[derive(Debug, Default)]
pub struct Read {
    /// Events in input order, then resources.
    pub records: Vec<Record>,
    /// The resources, to look things up in.
    pub inventory: Inventory,
    /// What could not be read.
    pub faults: Vec<Fault>,
}

/// Reads everything that the request names into memory, and judges nothing.
///
/// # Errors
/// When a path does not exist.
pub fn read(request: &Request) -> Result<Read, Error> {
    let (files, mut faults) = input::discover(&request.paths, &request.settings)?;
    let none = input::Files::default();
    let collect::Read { inventory, faults: more, listed } = collect::inventory(&files, &none, request);
    faults.extend(more);
    let mut records = Vec::new();
    let mut keep = |record: &Record| {
        records.push(record.clone());
        true
    };
    let mut each = Each { ask: &mut keep, faults: &mut faults, before: 0 };
    let holds_events = |file: &&input::File| file.class == input::Class::Events && !listed.contains(&file.name);
    for file in files.files.iter().filter(holds_events) {
        each.before = 0;
        input::read(file, &request.settings, &mut |batch| {
            let start = each.before;
            batch.open(file, &mut EachOfBatch { each: &mut each, start });
        });
    }
    faults.extend(input::unfinished(&files.files));
    records.extend(inventory.records().cloned());
    Ok(Read { records, inventory, faults })
}

/// Every resource of a kind in files that are what a command prints that gives it, also where others print the same.
///
/// # Errors
/// When a path does not exist.
pub fn read_as(request: &Request, kind: &str) -> Result<Vec<Record>, Error> {
    let (files, _) = input::discover(&request.paths, &request.settings)?;
    let mut builder = crate::inventory::Builder::default();
    for file in &files.files {
        let (text, _) = input::text(file, &request.settings);
        let given = input::inventory::File { name: &file.name, path: file.path(), text: &text };
        if let Some(contents) = input::inventory::open_as(kind, &given, &request.inventory_of) {
            contents.put_into(&mut builder);
        }
    }
    let (inventory, _) = builder.finish();
    Ok(inventory.records().filter(|record| &*record.kind == kind).cloned().collect())
}

/// Takes a record, the answer to an expression and what it printed; says whether to go on.
pub type Give<'a> = &'a mut dyn FnMut(&Record, Result<Value, Stop>, Vec<String>) -> bool;

/// Evaluates an expression over every record that the request names, in input order and in this thread; `give` takes the
/// record, the answer and what the expression printed, and says whether to go on. Gives what could not be read.
///
/// # Errors
/// When a path does not exist, or the expression does not parse.
pub fn evaluate_each(request: &Request, expression: &str, give: Give<'_>) -> Result<Vec<Fault>, Error> {
    let (files, mut faults) = input::discover(&request.paths, &request.settings)?;
    let (lookup_only, more) = input::discover(&request.inventory, &request.settings)?;
    faults.extend(more);
    let collect::Read { inventory, faults: more, listed } = collect::inventory(&files, &lookup_only, request);
    faults.extend(more);
    let telling = Telling::of_kinds(looked_up(expression));
    if !telling.is_empty() && !request.paths.iter().all(|path| is_on_disk(path)) {
        let reason = "what other records tell may come later, and what is no file can be read only once";
        return Err(Error::new(reason).try_to("save it in a file first"));
    }
    let (inventory, too_many) = told(&files, &listed, request, &telling, inventory);
    faults.extend(too_many);
    let inventory = Arc::new(inventory);
    let traces = telling.wants_kind(sessions::KIND);
    let mut expression = Expression::new(expression, Arc::clone(&inventory), request.now, &request.limits)?;
    expression.trace_sessions(traces);
    let mut goes_on = true;
    let mut ask = |record: &Record| {
        if goes_on {
            let answer = expression.evaluate(record);
            goes_on = give(record, answer, expression.take_printed());
        }
        goes_on
    };
    let mut each = Each { ask: &mut ask, faults: &mut faults, before: 0 };
    for file in &files.files {
        each.before = 0;
        match file.class {
            input::Class::Events if !listed.contains(&file.name) => {
                input::read(file, &request.settings, &mut |batch| {
                    let start = each.before;
                    batch.open(file, &mut EachOfBatch { each: &mut each, start });
                })
            }
            _ => {
                for record in inventory.records().filter(|record| record.origin.file == file.name) {
                    (each.ask)(record);
                }
            }
        }
    }
    faults.extend(input::unfinished(&files.files));
    Ok(faults)
}

/// The kinds that an expression may look up: those that it names, and that behind who began a session.
fn looked_up(expression: &str) -> impl Iterator<Item = &str> {
    let asks = |word: &&str| expression.contains(&format!(".{word}")) && expression.contains("actor");
    let named = expression.split(['"', '\'', '`']);
    named.chain(crate::script::TRACED.iter().find(|word| asks(word)).map(|_| sessions::KIND))
}

/// An inventory with what the events of files tell, as far as that is wanted; a fault if that is not all.
fn told(
    files: &input::Files,
    listed: &BTreeSet<Arc<str>>,
    request: &Request,
    telling: &Telling,
    inventory: Inventory,
) -> (Inventory, Option<Fault>) {
    if telling.is_empty() {
        return (inventory, None);
    }
    let mut derived = Derived::default();
    let holds_events = |file: &&input::File| file.class == input::Class::Events && !listed.contains(&file.name);
    for (at, file) in (0..).zip(files.files.iter().filter(holds_events)) {
        let mut number = 0;
        let mut take = |record: &Record| {
            number += 1;
            derived.add(place::Place { file: at, position: number, ..Default::default() }, telling.of_event(record));
            true
        };
        // What cannot be read is told when the records are gone through.
        let mut each = Each { ask: &mut take, faults: &mut Vec::new(), before: 0 };
        input::read(file, &request.settings, &mut |batch| {
            batch.open(file, &mut EachOfBatch { each: &mut each, start: 0 });
        });
    }
    let (resources, too_many) = derived.finish();
    (derive::added(&inventory, resources), too_many.map(|(_, fault)| fault))
}

/// Gives records one by one.
struct Each<'a> {
    ask: &'a mut dyn FnMut(&Record) -> bool,
    faults: &'a mut Vec<Fault>,
    /// Events of the file so far.
    before: u64,
}

/// Gives the records of a batch, whose positions go on from those of the batches before it.
struct EachOfBatch<'e, 'a> {
    each: &'e mut Each<'a>,
    start: u64,
}

impl input::Sink for EachOfBatch<'_, '_> {
    fn event(&mut self, mut record: Record) {
        self.each.before += 1;
        record.origin.position += self.start;
        (self.each.ask)(&record);
    }

    fn recognised(&mut self, _: &'static str) {}

    fn fault(&mut self, fault: Fault) {
        self.each.faults.push(fault);
    }
}
