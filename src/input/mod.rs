//! Turns paths and standard input into records, in a fixed order.
//!
//! [`discover`] lists the files and says what each is. [`read`] inflates one and splits it into slices, in order and
//! in little memory; [`Batch::open`] parses them and unwraps their envelopes, on any thread.
//!
//! *Law*: nothing is lost silently. What is read is judged, filtered, recognised, or a fault; bytes that nobody
//! expected are a fault, and never a panic.

mod answer;
mod athena;
mod batch;
mod cloudwatch;
mod decode;
mod delivery;
mod digest;
mod discover;
mod envelope;
mod event;
mod filter;
mod garbage;
mod inflate;
pub mod inventory;
mod lake;
mod masks;
mod notice;
mod object;
mod ocsf;
mod rows;
mod siem;
mod skim;
mod split;

use std::io::Read;
use std::sync::Arc;

use decode::Limit;

pub use answer::unfinished;
pub use batch::Batch;
pub use digest::{Hash, digest_text, hash};
pub use discover::{Class, File, Files, SkipReason, Skipped, UNFINISHED, discover, is_data, is_kept};
pub use filter::{Filter, Told};
pub use object::{Object, plain};
pub use skim::{Field, Fields};

use crate::fault::Fault;
use crate::record::{Origin, Record};

/// How much of a file is looked at to tell what it is, in bytes of decoded text.
pub const HEAD: usize = 64 * 1024;

/// What is read and how much of it.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Bytes that one compressed object may inflate to.
    pub max_inflated: u64,
    /// Bytes of one record, and of one envelope that must be held whole; also of what a payload inside a record
    /// inflates to.
    pub max_record: usize,
    /// Which records are wanted.
    pub filter: Filter,
    /// Files on the paths of log objects are taken for such before they are read: [`Reader::read`] tells if one is not.
    /// A scan decides this for itself.
    pub trusts_paths: bool,
    /// Threads that ask the file system about files where there are many. A scan decides this for itself, too.
    pub threads: usize,
}

impl Default for Settings {
    /// 4 GiB an object (gzip saves at most a thousandfold, so that is no log of less than 4 MB), 64 MiB a record, all
    /// records.
    fn default() -> Self {
        Self { max_inflated: 4 << 30, max_record: 64 << 20, filter: Filter::default(), trusts_paths: false, threads: 1 }
    }
}

/// Takes what is found in a file.
pub trait Sink {
    /// An event to judge.
    fn event(&mut self, record: Record);
    /// Something known that is not judged, such as `a CloudTrail digest`.
    fn recognised(&mut self, what: &'static str);
    /// Something that could not be read.
    fn fault(&mut self, fault: Fault);
    /// So many events that a [`Route`] passed over stand here.
    fn passed_over(&mut self, _: u64) {}
    /// An event stands here that a [`Route`] passed over, and noted this of.
    fn noted(&mut self, _: &[u8], _: &Origin) {}
}

/// Says of which events nothing has to be known but a few fields.
pub trait Route {
    /// Whether an event may be passed over, and counts it if so: it is not given to a [`Sink`]. What is added to `notes`
    /// then is.
    fn passes_over(&mut self, fields: &Fields<'_>, notes: &mut Vec<u8>) -> bool;
}

/// The fields that a [`Route`] decides by.
#[derive(Clone, Debug)]
pub struct Wanted(Arc<skim::Wanted>);

impl Wanted {
    /// These fields, each a path of names through objects.
    pub fn new<'a>(paths: impl IntoIterator<Item = &'a [&'a str]>) -> Self {
        Self(Arc::new(skim::Wanted::new(event::MARKS.into_iter().chain(paths))))
    }

    /// Whether a path can be read at all.
    pub fn can_read(path: &[String]) -> bool {
        skim::can_read(path)
    }

    /// Where [`Fields::get`] finds the path of that number; `None` if it can only be found by parsing the record.
    pub fn field(&self, path: usize) -> Option<usize> {
        self.0.field(event::MARKS.len() + path)
    }
}

/// Files of at most so many bytes are read whole.
const WHOLE: u64 = 8 << 20;

/// Text of at most so many bytes is inflated whole.
const WHOLE_TEXT: usize = 24 << 20;

/// How every log object that CloudTrail writes begins.
const LOG_OBJECT: &[u8] = b"{\"Records\":[{\"eventVersion\":";

/// Reads files of events, one after another; keeps what is of use for the next one.
#[derive(Debug)]
pub struct Reader {
    settings: Settings,
    skim: Option<skim::Skim>,
    inflater: Option<inflate::Inflater>,
    raw: Vec<u8>,
    text: Vec<u8>,
    hashes: bool,
    hash: Option<Hash>,
}

impl Reader {
    /// Reads these fields of events, to ask a [`Route`].
    pub fn new(settings: &Settings, wanted: Option<&Wanted>) -> Self {
        let skim = wanted.map(|wanted| skim::Skim::new(Arc::clone(&wanted.0)));
        Self {
            settings: settings.clone(),
            skim,
            inflater: inflate::Inflater::new(),
            raw: Vec::new(),
            text: Vec::new(),
            hashes: false,
            hash: None,
        }
    }

    /// Whether the text of the files from here on is hashed while it is at hand.
    pub fn hash(&mut self, hashes: bool) {
        self.hashes = hashes;
    }

    /// The hash of all of the text of the file that was read last, if it was hashed: large files are read in pieces, and
    /// are not. [`hash`] hashes any.
    pub fn take_hash(&mut self) -> Option<Hash> {
        self.hash.take()
    }

    /// Reads a file in batches, in order; memory does not grow with the file. Whatever is wrong with the file becomes a
    /// fault in one of the batches. Call [`text`] for inventory.
    ///
    /// Events that `route` passes over are in no batch but as a number. What is passed over is checked to be JSON, but for
    /// records on one line of a compressed log object as CloudTrail writes it: there what stands between strings and
    /// brackets (commas, words, numbers) is trusted. That its checksum is wrong is told like all else that is.
    ///
    /// A file that is not on disk (standard input, a pipe) can be read once; read again, it is empty.
    ///
    /// With `ahead`, a file that is read as a stream is inflated by another thread meanwhile.
    ///
    /// False, and nothing is given, if the path alone told that the file holds events, and it holds inventory.
    pub fn read(
        &mut self,
        file: &File,
        ahead: bool,
        route: Option<&mut dyn Route>,
        batches: &mut dyn FnMut(Batch),
    ) -> bool {
        let last = match self.split(file, ahead, route, batches) {
            Ok(last) => last,
            Err(Stop::Inventory) => return false,
            Err(Stop::Unreadable(reason)) => {
                let mut batch = Batch::json(self.settings.max_record);
                batch.push_break(reason, 1);
                batch
            }
        };
        if !last.is_empty() {
            batches(last);
        }
        true
    }

    /// Reads and splits; the last batch, or the reason why nothing could be read.
    fn split(
        &mut self,
        file: &File,
        ahead: bool,
        route: Option<&mut dyn Route>,
        batches: &mut dyn FnMut(Batch),
    ) -> Result<Batch, Stop> {
        self.hash = None;
        let is_whole = self.whole(file)?;
        if self.hashes && is_whole.is_some() {
            self.hash = Some(digest::hash_of(&self.text));
        }
        let max = self.settings.max_record;
        let packed = is_whole.is_some_and(|packed| packed);
        let mut skimming = self.skim.as_mut().zip(route).map(|(skim, route)| split::Skimming {
            skim,
            route,
            delivered: &file.delivered,
            is_trusted: false,
            notes: Vec::new(),
        });
        if is_whole.is_some() {
            let head = &self.text[..self.text.len().min(HEAD)];
            if file.is_misplaced(head) {
                return Err(Stop::Inventory);
            }
            if rows::is_csv(head, file.path()) {
                return Ok(rows::split(&self.text, None, &mut std::io::empty(), max, batches));
            }
            if let Some(skimming) = &mut skimming {
                skimming.is_trusted = packed && head.starts_with(LOG_OBJECT);
            }
            let mut splitter = split::Splitter::new(max);
            splitter.skimming = skimming;
            let (last, text) = splitter.whole(std::mem::take(&mut self.text), batches);
            self.text = text;
            return Ok(last);
        }
        let is_packed = file.is_gzip();
        let mut split = |text: &mut dyn Read| {
            let (head, broken) = decode::head(text, HEAD);
            if file.is_misplaced(&head) {
                return Err(Stop::Inventory);
            }
            if rows::is_csv(&head, file.path()) {
                return Ok(rows::split(&head, broken, text, max, batches));
            }
            if let Some(skimming) = &mut skimming {
                skimming.is_trusted = is_packed && head.starts_with(LOG_OBJECT);
            }
            let mut splitter = split::Splitter::new(max);
            splitter.skimming = skimming.take();
            splitter.feed(&head, batches);
            let outcome = match broken {
                Some(reason) => Err(reason),
                None => decode::each_chunk(text, &mut |chunk| splitter.feed(chunk, batches)),
            };
            Ok(splitter.finish(outcome.err(), batches))
        };
        let most = Limit::of_file(self.settings.max_inflated);
        let (last, notes) = if ahead {
            decode::ahead(file, most, split)
        } else {
            let (mut text, notes) = decode::decoder(file.open()?, most)?;
            (split(&mut text), notes.take())
        };
        let mut last = last?;
        for reason in notes {
            last.push_break(reason, 0);
        }
        Ok(last)
    }

    /// Whether all of the text of a file is in `text`, and was compressed; `None` where it has to be read as a stream.
    fn whole(&mut self, file: &File) -> std::io::Result<Option<bool>> {
        let Some(path) = file.path().filter(|_| file.is_on_disk() && file.size <= WHOLE) else {
            return Ok(None);
        };
        self.raw.clear();
        let mut source = std::fs::File::open(path)?;
        // One more byte, for a file that has grown.
        (&mut source).take(WHOLE + 1).read_to_end(&mut self.raw)?;
        if self.raw.len() as u64 > WHOLE || (self.raw.len() as u64) < file.size {
            return Ok(None);
        }
        let most = usize::try_from(self.settings.max_inflated).unwrap_or(usize::MAX).min(WHOLE_TEXT);
        let packed = decode::is_gzip(&self.raw);
        if packed {
            let Some(inflater) = &mut self.inflater else { return Ok(None) };
            if !inflater.gunzip(&self.raw, &mut self.text, most) {
                return Ok(None);
            }
        } else {
            std::mem::swap(&mut self.raw, &mut self.text);
        }
        Ok(decode::is_text(&self.text).then_some(packed))
    }
}

/// Why a file is not read.
enum Stop {
    /// It cannot be, for this reason.
    Unreadable(String),
    /// It holds inventory.
    Inventory,
}

impl From<std::io::Error> for Stop {
    fn from(error: std::io::Error) -> Self {
        Self::Unreadable(decode::reason(&error))
    }
}

/// Reads a file of events in batches, as [`Reader::read`] does without a [`Route`].
pub fn read(file: &File, settings: &Settings, batches: &mut dyn FnMut(Batch)) {
    Reader::new(settings, None).read(file, false, None, batches);
}

/// The events in some bytes, whatever their shape, in order; and what could not be read. Origins name them `name`.
pub fn events(name: &str, bytes: Vec<u8>) -> (Vec<Record>, Vec<Fault>) {
    events_within(name, bytes, &Settings::default())
}

/// As [`events`], within other limits than those of the command line.
pub fn events_within(name: &str, bytes: Vec<u8>, settings: &Settings) -> (Vec<Record>, Vec<Fault>) {
    #[derive(Default)]
    struct Gather {
        records: Vec<Record>,
        faults: Vec<Fault>,
    }
    impl Sink for Gather {
        fn event(&mut self, record: Record) {
            self.records.push(record);
        }
        fn recognised(&mut self, _: &'static str) {}
        fn fault(&mut self, fault: Fault) {
            self.faults.push(fault);
        }
    }
    let file = File::from_bytes(name, bytes);
    let mut gather = Gather::default();
    read(&file, settings, &mut |batch| {
        let before = gather.records.len();
        batch.open(&file, &mut gather);
        for record in &mut gather.records[before..] {
            record.origin.position += before as u64;
        }
    });
    (gather.records, gather.faults)
}

/// The whole decoded text of a file (UTF-8, without a byte order mark), and what was wrong with it: at most 1 GiB, or
/// `max_inflated` if that is less. Where it breaks off there is a fault, and the text before the break is given.
pub fn text(file: &File, settings: &Settings) -> (Vec<u8>, Vec<Fault>) {
    const MOST: u64 = 1 << 30;
    let most = settings.max_inflated.min(MOST);
    let mut text = Vec::new();
    let mut reasons = Vec::new();
    let outcome =
        file.open().and_then(|raw| decode::decoder(raw, Limit::of_file(most))).map_err(|error| decode::reason(&error));
    match outcome {
        Ok((reader, notes)) => {
            let mut reader = std::io::Read::take(reader, most + 1);
            let broken = decode::each_chunk(&mut reader, &mut |chunk| text.extend_from_slice(chunk)).err();
            if text.len() as u64 > most {
                text.truncate(usize::try_from(most).unwrap_or(usize::MAX));
                reasons.push(format!("inventory of more than {}; split the file", decode::size(most)));
            }
            reasons.extend(broken);
            reasons.extend(notes.take());
        }
        Err(reason) => reasons.push(reason),
    }
    if text.starts_with(b"\xEF\xBB\xBF") {
        text.drain(..3);
    }
    let origin = Origin { file: file.name.clone(), position: 0, line: None };
    (text, reasons.into_iter().map(|reason| Fault::input(reason, origin.clone())).collect())
}
