//! Lists the files to read, in a fixed order, and says what each is by its first bytes.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::fs::{self, Metadata};
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use super::answer::Pages;
use super::delivery::Delivery;
use super::inflate::Inflater;
use super::object::Object;
use super::{HEAD, Settings, decode, digest, garbage, inventory, rows};
use crate::diagnostic::did_you_mean;
use crate::error::Error;
use crate::fault::Fault;
use crate::record::{Origin, Scope};

/// How much of a file is looked at first: most files of events show themselves in it.
const GLANCE: usize = 4 * 1024;

/// A file of at most so many bytes is read whole to look at it, if its text is no longer than this.
const SMALL: u64 = 64 * 1024;
const SMALL_TEXT: usize = 2 << 20;

/// The files to read and those that were passed over.
#[derive(Debug, Default)]
pub struct Files {
    /// In the order of the arguments, each folder sorted by the bytes of the path.
    pub files: Vec<File>,
    /// In the same order.
    pub skipped: Vec<Skipped>,
    /// Of what accounts and regions there were log objects before what is wanted, and a time before which there are events.
    pub before: BTreeMap<Scope, Timestamp>,
}

impl Files {
    /// Passes over the files that hold inventory.
    pub fn skip_inventory(&mut self) {
        let (inventory, others) =
            std::mem::take(&mut self.files).into_iter().partition(|file| file.class == Class::Inventory);
        self.files = others;
        let skip = |file: File| Skipped { name: file.name, reason: SkipReason::Inventory };
        self.skipped.extend(Vec::into_iter(inventory).map(skip));
    }
}

/// A file to read.
#[derive(Debug)]
pub struct File {
    /// The path as it was named or found; `-` for standard input.
    pub name: Arc<str>,
    /// What it holds.
    pub class: Class,
    /// The account and region that the path of a log object names.
    pub delivered: Scope,
    /// Bytes on disk; 0 where that is not known.
    pub size: u64,
    /// It is a file on disk that begins as a digest of log files does.
    pub may_be_digest: bool,
    /// Nobody has looked into it: its path told what it holds.
    is_promised: bool,
    /// Of answers that come in pages.
    pub(super) pages: Pages,
    source: Source,
}

impl File {
    /// Where it is on disk; none for standard input and for bytes in memory.
    pub fn path(&self) -> Option<&Path> {
        match &self.source {
            Source::Disk => Some(Path::new(&*self.name)),
            Source::Unnamed(path) => Some(path),
            Source::Stream(stream) => stream.path.as_deref(),
        }
    }
}

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Events, or what has to be read as events to say what is wrong with it.
    Events,
    /// Answers of the AWS API about resources.
    Inventory,
    /// Nothing: no bytes, or white space alone.
    Empty,
}

/// A file or folder that was passed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The path as it was named or found.
    pub name: Arc<str>,
    /// Why.
    pub reason: SkipReason,
}

/// Why a file or folder was passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SkipReason {
    /// Its name starts with a dot; a folder counts once.
    Hidden,
    /// A policy, a snapshot, waivers, configuration, or what Lawbook wrote.
    OurOwn,
    /// Neither its content nor its name says that it holds records.
    NotData,
    /// The account, region or day in its path is not wanted.
    Filtered,
    /// The same file was named or found before.
    Again,
    /// A link to a folder that it is in.
    Loop,
    /// It holds inventory, and logs alone are wanted.
    Inventory,
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hidden => "hidden",
            Self::OurOwn => "part of a lawbook",
            Self::NotData => "not data",
            Self::Filtered => "of another account, region or day",
            Self::Again => "named before",
            Self::Loop => "a link to a folder it is in",
            Self::Inventory => "inventory, and logs alone are read",
        })
    }
}

enum Source {
    /// At the path that is its name.
    Disk,
    /// At this path, of which its name is no faithful copy.
    Unnamed(Box<Path>),
    /// It can be read once.
    Stream(Box<Stream>),
}

/// What was looked at, and the rest until somebody reads it.
struct Stream {
    /// Where it is on disk.
    path: Option<PathBuf>,
    head: Vec<u8>,
    rest: Mutex<Option<Box<dyn Read + Send>>>,
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Disk | Self::Unnamed(_) => "Disk",
            Self::Stream(_) => "Stream",
        })
    }
}

impl File {
    /// A file that is not on disk. Nothing is known of it but its content.
    pub fn from_bytes(name: &str, bytes: Vec<u8>) -> Self {
        let class = sniff(Cursor::new(&bytes), None).class.unwrap_or(Class::Events);
        let size = bytes.len() as u64;
        let source = Source::Stream(Box::new(Stream { path: None, head: bytes, rest: Mutex::new(None) }));
        Self {
            name: name.into(),
            class,
            delivered: Scope::default(),
            size,
            may_be_digest: false,
            is_promised: false,
            pages: Pages::default(),
            source,
        }
    }

    /// A file that can be read once, from its beginning to its end.
    fn from_stream(name: &str, path: Option<&Path>, mut stream: Box<dyn Read + Send>) -> io::Result<Self> {
        let mut head = Vec::new();
        (&mut stream).take(HEAD as u64).read_to_end(&mut head)?;
        let class = sniff(Cursor::new(&head), path).class.unwrap_or(Class::Events);
        let (path, rest) = (path.map(Path::to_owned), Mutex::new(Some(stream)));
        let source = Source::Stream(Box::new(Stream { path, head, rest }));
        Ok(Self {
            name: name.into(),
            class,
            delivered: Scope::default(),
            size: 0,
            may_be_digest: false,
            is_promised: false,
            pages: Pages::default(),
            source,
        })
    }

    /// Whether it holds inventory, against its promise.
    pub(super) fn is_misplaced(&self, head: &[u8]) -> bool {
        self.is_promised && classify(head, self.path(), false) == Some(Class::Inventory)
    }

    /// Whether it begins as gzip does; not known of what can be read once.
    pub(super) fn is_gzip(&self) -> bool {
        let mut head = Vec::new();
        let read = self.path().filter(|_| self.is_on_disk()).map(fs::File::open);
        read.is_some_and(|file| file.is_ok_and(|file| file.take(2).read_to_end(&mut head).is_ok()))
            && decode::is_gzip(&head)
    }

    /// Whether it can be opened by its path, again and again.
    pub(super) fn is_on_disk(&self) -> bool {
        matches!(self.source, Source::Disk | Source::Unnamed(_))
    }

    /// The raw bytes from the beginning.
    pub(super) fn open(&self) -> io::Result<Box<dyn Read + '_>> {
        Ok(match &self.source {
            Source::Disk | Source::Unnamed(_) => {
                let path = self.path().ok_or(io::ErrorKind::NotFound)?;
                Box::new(decode::Whole::new(fs::File::open(path)?, self.size))
            }
            Source::Stream(stream) => {
                let Stream { head, rest, .. } = &**stream;
                let rest = rest.lock().unwrap_or_else(PoisonError::into_inner).take();
                Box::new(head.as_slice().chain(rest.unwrap_or_else(|| Box::new(io::empty()))))
            }
        })
    }
}

/// Lists what the arguments name: files, folders that are walked, and `-` for standard input. Of each file the first
/// 64 KiB of text at most are looked at. Links are followed. Log objects whose path shows that the filter excludes them,
/// with a day's slack for late delivery, are passed over, named or found.
///
/// # Errors
/// When an argument does not exist or cannot be read; a file found in a folder that cannot be read is a fault.
pub fn discover(paths: &[PathBuf], settings: &Settings) -> Result<(Files, Vec<Fault>), Error> {
    let mut listing = Listing {
        settings,
        found: Files::default(),
        faults: Vec::new(),
        seen: HashSet::new(),
        stdin: false,
        inflater: Inflater::new(),
        raw: Vec::new(),
        text: Vec::new(),
    };
    for path in paths {
        if path.as_os_str() == "-" {
            listing.standard_input()?;
        } else {
            let metadata = fs::metadata(path).map_err(|error| unreadable(path, &error))?;
            if metadata.is_dir() {
                listing.folder(path)?;
            } else {
                listing.named(path.clone(), &Known::of(path, &metadata))?;
            }
        }
    }
    Ok((listing.found, listing.faults))
}

/// A list of files while it is made.
struct Listing<'a> {
    settings: &'a Settings,
    found: Files,
    faults: Vec<Fault>,
    seen: HashSet<Identity>,
    stdin: bool,
    inflater: Option<Inflater>,
    raw: Vec<u8>,
    text: Vec<u8>,
}

impl Listing<'_> {
    fn standard_input(&mut self) -> Result<(), Error> {
        if std::mem::replace(&mut self.stdin, true) {
            self.skip("-".into(), SkipReason::Again);
            return Ok(());
        }
        let file = File::from_stream("-", None, Box::new(io::stdin()))
            .map_err(|error| Error::new(format!("cannot be read: {}", error.kind())).about("standard input"))?;
        self.found.files.push(file);
        Ok(())
    }

    /// A file named on the command line: whatever it is, it is read.
    fn named(&mut self, path: PathBuf, known: &Known) -> Result<(), Error> {
        if !known.is_file {
            let file =
                fs::File::open(&path).and_then(|pipe| File::from_stream(&name_of(&path), Some(&path), Box::new(pipe)));
            self.found.files.push(file.map_err(|error| unreadable(&path, &error))?);
            return Ok(());
        }
        let Some(delivery) = self.wanted(&path, known) else { return Ok(()) };
        if self.is_promised(&path, &delivery, known) {
            // It must be readable, though nobody looks into it yet.
            fs::File::open(&path).map_err(|error| unreadable(&path, &error))?;
            self.push(path, Class::Events, delivery, known);
            return Ok(());
        }
        let sniffed = self.look(&path, known).map_err(|error| unreadable(&path, &error))?;
        self.push(path, sniffed.class.unwrap_or(Class::Events), delivery, known).may_be_digest = sniffed.digest;
        Ok(())
    }

    /// A folder and everything in it.
    fn folder(&mut self, folder: &Path) -> Result<(), Error> {
        fs::read_dir(folder).map_err(|error| unreadable(folder, &error))?;
        let mut entries = Vec::new();
        let mut walk = walkdir::WalkDir::new(folder).follow_links(true).into_iter();
        while let Some(entry) = walk.next() {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    self.walk_failed(folder, &error);
                    continue;
                }
            };
            let hidden = entry.depth() > 0 && entry.file_name().as_encoded_bytes().starts_with(b".");
            if hidden && entry.file_type().is_dir() {
                walk.skip_current_dir();
            }
            // What this run writes until it is whole has another name in every run.
            let is_unfinished = entry.file_name().as_encoded_bytes().starts_with(UNFINISHED.as_bytes());
            if !is_unfinished && (hidden || !entry.file_type().is_dir()) {
                entries.push((entry.into_path(), hidden));
            }
        }
        entries
            .sort_unstable_by(|(a, _), (b, _)| a.as_os_str().as_encoded_bytes().cmp(b.as_os_str().as_encoded_bytes()));
        let known = Known::of_all(&entries, self.settings.threads);
        for ((path, hidden), known) in entries.into_iter().zip(known) {
            if hidden {
                self.skip(name_of(&path), SkipReason::Hidden);
            } else if let Err((path, error)) = self.walked(path, known) {
                self.fault(&path, &decode::reason(&error));
            }
        }
        Ok(())
    }

    /// A file found in a folder: read if it looks like data.
    fn walked(&mut self, path: PathBuf, known: io::Result<Known>) -> Result<(), (PathBuf, io::Error)> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if is_our_own(&name) {
            self.skip(name_of(&path), SkipReason::OurOwn);
            return Ok(());
        }
        let known = match known {
            Ok(known) => known,
            Err(error) => return Err((path, error)),
        };
        if !known.is_file {
            self.skip(name_of(&path), SkipReason::NotData);
            return Ok(());
        }
        let Some(delivery) = self.wanted(&path, &known) else { return Ok(()) };
        if self.is_promised(&path, &delivery, &known) {
            self.push(path, Class::Events, delivery, &known);
            return Ok(());
        }
        let sniffed = match self.look(&path, &known) {
            Ok(sniffed) => sniffed,
            Err(error) => return Err((path, error)),
        };
        match sniffed.class_in_folder(&name, &path) {
            _ if sniffed.report => self.skip(name_of(&path), SkipReason::OurOwn),
            Some(class) => self.push(path, class, delivery, &known).may_be_digest = sniffed.digest,
            None => {
                if let Some(command) = inventory::command_of(&path) {
                    let reason = format!(
                        "the path names `{command}`, and this is not what it prints; collect it with `--output json`, or \
                         name it `.yaml` if it is that"
                    );
                    self.fault(&path, &reason);
                }
                self.skip(name_of(&path), SkipReason::NotData);
            }
        }
        Ok(())
    }

    /// What the path says, if the file is wanted and was not met before.
    fn wanted(&mut self, path: &Path, known: &Known) -> Option<Delivery> {
        if !self.seen.insert(known.identity.clone()) {
            self.skip(name_of(path), SkipReason::Again);
            return None;
        }
        let delivery = Delivery::of(path);
        if delivery.excluded_by(&self.settings.filter) {
            if let Some(time) = delivery.before(&self.settings.filter) {
                let known = self.found.before.entry(delivery.scope).or_insert(time);
                *known = time.min(*known);
            }
            self.skip(name_of(path), SkipReason::Filtered);
            return None;
        }
        Some(delivery)
    }

    /// Whether the path of a file tells enough of it.
    fn is_promised(&self, path: &Path, delivery: &Delivery, known: &Known) -> bool {
        self.settings.trusts_paths && known.size > 0 && (delivery.is_object || Object::is_log_file(path))
    }

    /// Looks at the first bytes of a file.
    fn look(&mut self, path: &Path, known: &Known) -> io::Result<Sniffed> {
        let mut file = fs::File::open(path)?;
        let Some(inflater) = self.inflater.as_mut().filter(|_| known.size <= SMALL) else {
            return Ok(sniff(file, Some(path)));
        };
        let (raw, text) = (&mut self.raw, &mut self.text);
        raw.clear();
        file.read_to_end(raw)?;
        if decode::is_gzip(raw) && inflater.gunzip(raw, text, SMALL_TEXT) && decode::is_text(text) {
            return Ok(Sniffed::of(text, Some(path)));
        }
        Ok(sniff(raw.as_slice(), Some(path)))
    }

    fn push(&mut self, path: PathBuf, class: Class, delivery: Delivery, known: &Known) -> &mut File {
        let is_promised = class == Class::Events && self.is_promised(&path, &delivery, known);
        let at = self.found.files.len();
        // Mostly that of the file before it.
        let before = self.found.files.last().map(|file| &file.delivered).filter(|before| **before == delivery.scope);
        let name = name_of(&path);
        let source = if path.as_os_str() == &*name { Source::Disk } else { Source::Unnamed(path.into()) };
        self.found.files.push(File {
            name,
            delivered: before.cloned().unwrap_or(delivery.scope),
            class,
            size: known.size,
            may_be_digest: false,
            is_promised,
            pages: Pages::default(),
            source,
        });
        &mut self.found.files[at]
    }

    fn skip(&mut self, name: Arc<str>, reason: SkipReason) {
        self.found.skipped.push(Skipped { name, reason });
    }

    fn fault(&mut self, path: &Path, reason: &str) {
        self.faults.push(Fault::input(reason, Origin { file: name_of(path), position: 0, line: None }));
    }

    fn walk_failed(&mut self, folder: &Path, error: &walkdir::Error) {
        let path = error.path().unwrap_or(folder).to_owned();
        match error.io_error() {
            Some(reason) => self.fault(&path, &decode::reason(reason)),
            None => self.skip(name_of(&path), SkipReason::Loop),
        }
    }
}

fn name_of(path: &Path) -> Arc<str> {
    path.to_string_lossy().into()
}

/// What the file system says of a file.
struct Known {
    is_file: bool,
    size: u64,
    identity: Identity,
}

impl Known {
    fn of(path: &Path, metadata: &Metadata) -> Self {
        Self { is_file: metadata.is_file(), size: metadata.len(), identity: identity(path, metadata) }
    }

    /// Of all files in their order; where there are many, several are asked for at a time.
    fn of_all(files: &[(PathBuf, bool)], threads: usize) -> Vec<io::Result<Self>> {
        /// Files for which another thread is worth its start.
        const LEAST: usize = 1_024;
        /// More have to wait for each other.
        const MOST_THREADS: usize = 16;
        let of_each = |files: &[(PathBuf, bool)]| -> Vec<io::Result<Self>> {
            files.iter().map(|(path, _)| Ok(Self::of(path, &fs::metadata(path)?))).collect()
        };
        let threads = threads.min(files.len() / LEAST).min(MOST_THREADS);
        if threads < 2 {
            return of_each(files);
        }
        std::thread::scope(|scope| {
            let parts = files.chunks(files.len().div_ceil(threads));
            let asked: Vec<_> = parts.map(|part| scope.spawn(move || of_each(part))).collect();
            let known =
                asked.into_iter().map(|asked| asked.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
            known.flatten().collect()
        })
    }
}

/// The same for the same file, whatever the path.
#[cfg(unix)]
#[derive(Clone, PartialEq, Eq, Hash)]
struct Identity(u64, u64);

#[cfg(unix)]
fn identity(_: &Path, metadata: &Metadata) -> Identity {
    use std::os::unix::fs::MetadataExt;
    Identity(metadata.dev(), metadata.ino())
}

#[cfg(not(unix))]
#[derive(Clone, PartialEq, Eq, Hash)]
struct Identity(PathBuf);

#[cfg(not(unix))]
fn identity(path: &Path, _: &Metadata) -> Identity {
    Identity(fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()))
}

fn unreadable(path: &Path, error: &io::Error) -> Error {
    if error.kind() != io::ErrorKind::NotFound {
        return Error::new(format!("cannot be read: {}", error.kind()))
            .about(name_of(path).as_ref())
            .try_to("check its permissions");
    }
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut siblings: Vec<String> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    siblings.sort_unstable();
    let wrong = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let remedy = match did_you_mean(&wrong, siblings.iter().map(String::as_str)) {
        Some(meant) => format!("did you mean `{}`?", path.with_file_name(meant).display()),
        None if folder.exists() => format!("`ls {}` shows what is there", folder.display()),
        None => "check the path".to_owned(),
    };
    Error::new("no such file or folder").about(name_of(path).as_ref()).try_to(remedy)
}

/// Whether a file is one that people write for Lawbook, or that it keeps from run to run: by its name, or as it begins.
pub fn is_kept(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let begins_so = |file: fs::File| {
        let mut head = Vec::new();
        let read = file.take(GLANCE as u64).read_to_end(&mut head);
        read.is_ok() && KEPT.iter().any(|kept| compact(&head).starts_with(kept))
    };
    file.is_file() && (is_our_own(&name) || fs::File::open(file).is_ok_and(begins_so))
}

/// How baselines and states begin.
const KEPT: [&str; 2] = ["{\"lawbook_baseline\":", "{\"lawbook_state\":"];

/// How names of files begin that are written beside what they are to replace.
pub const UNFINISHED: &str = ".lawbook-";

/// What belongs to a lawbook and holds no records.
fn is_our_own(name: &str) -> bool {
    matches!(name, "lawbook.yaml" | "lawbook.yml" | "lawbook.lock" | "pack.yaml" | "waivers.yaml" | "waivers.yml")
        || [".rhai", ".cases.yaml", ".cases.yml", ".snap", ".snap.new", ".pending-snap"]
            .iter()
            .any(|end| name.ends_with(end))
}

/// Whether the name promises data: then it is read, and what cannot be read is a fault.
fn is_data_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    [".json", ".ndjson", ".jsonl", ".csv", ".yaml", ".yml", ".parquet"].iter().any(|end| name.ends_with(end))
}

/// Whether a compressed file that could not be looked into may hold data: by its name, or as one stream that is not said to
/// be an archive of files.
fn may_be_data(name: &str, path: &Path) -> bool {
    let name = name.to_ascii_lowercase();
    let stem = name.rsplit_once('.').map_or(name.as_str(), |(stem, _)| stem);
    let is_archive = [".tar", ".tgz", ".tbz", ".tbz2", ".txz", ".tzst"].iter().any(|end| name.ends_with(end));
    is_data_name(&name) || is_data_name(stem) || !is_archive && !stem.ends_with(".tar") && decode::is_stream(path)
}

/// What the first bytes of a file say.
struct Sniffed {
    /// It is a report that Lawbook wrote.
    report: bool,
    /// None when they do not look like data.
    class: Option<Class>,
    /// They could not be decoded.
    broken: bool,
    /// They are those of a digest of log files.
    digest: bool,
}

impl Sniffed {
    /// Looks at all of a text.
    fn of(text: &[u8], path: Option<&Path>) -> Self {
        let glance = &text[..text.len().min(GLANCE)];
        let head = if is_log_object(glance) { glance } else { &text[..text.len().min(HEAD)] };
        Self::of_head(head, path, false)
    }

    fn of_head(head: &[u8], path: Option<&Path>, broken: bool) -> Self {
        let (class, digest) = (classify(head, path, broken), digest::begins_so(head));
        Self { report: is_report(head), class, broken, digest: digest && class == Some(Class::Events) }
    }

    /// As what a file is read that was found in a folder: one that looks like data, or is called so.
    fn class_in_folder(&self, name: &str, path: &Path) -> Option<Class> {
        let is_data = (self.broken && may_be_data(name, path)) || is_data_name(name);
        self.class.or_else(|| is_data.then_some(Class::Events))
    }
}

/// Whether a scan of its folder finds something to read in a file: no report of an earlier scan, no text for people.
pub fn is_data(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    // Nobody knows what cannot be opened.
    let sniffed = fs::File::open(file).map(|raw| sniff(raw, Some(file)));
    let holds = |sniffed: Sniffed| {
        let class = sniffed.class_in_folder(&name, file);
        !sniffed.report && class.is_some_and(|class| class != Class::Empty)
    };
    !name.starts_with('.') && !is_our_own(&name) && sniffed.map_or(true, holds)
}

/// Looks at the first bytes of a file: a glance, and all of the head where that does not tell.
fn sniff(raw: impl Read, path: Option<&Path>) -> Sniffed {
    let Ok((mut text, _)) = decode::decoder(raw, decode::Limit::of_file(u64::MAX)) else {
        return Sniffed { report: false, class: None, broken: true, digest: false };
    };
    let (mut head, mut broken) = decode::head(&mut text, GLANCE);
    if head.len() == GLANCE && broken.is_none() && !is_log_object(&head) {
        let (rest, reason) = decode::head(&mut text, HEAD - GLANCE);
        head.extend(rest);
        broken = reason;
    }
    Sniffed::of_head(&head, path, broken.is_some())
}

/// True for the beginning of what Lawbook wrote: a report, as one object or as lines, a baseline, or what it remembers. They are
/// in the way of the next scan of their folder, and no record begins so.
fn is_report(head: &[u8]) -> bool {
    let compact = compact(head);
    [
        "{\"schema_version\":1,\"lawbook\":\"",
        "{\"type\":\"finding\",\"policy\":\"",
        "{\"type\":\"tally\",\"calls\":{\"count\":",
        "{\"type\":\"why\",\"origin\":{\"file\":\"",
        "{\"type\":\"not_evaluated\",\"policy\":\"",
        "{\"type\":\"fault\",\"stage\":\"",
        "{\"type\":\"unused_waiver\",\"file\":\"",
        "{\"type\":\"resolved\",\"fingerprint\":\"",
        "{\"type\":\"summary\",\"schema_version\":1,",
        "{\"lawbook\":\"",
        "severity,standing,title,policy,pack,resources,time,",
    ]
    .iter()
    .chain(&KEPT)
    .any(|beginning| compact.starts_with(beginning))
        || compact.starts_with("{\"$schema\":\"https://json.schemastore.org/sarif") && compact.contains("\"Lawbook\"")
        || compact.starts_with("[{\"A") && says_lawbook(&head[..head.len().min(2_000)], "CompanyName")
        || compact.starts_with("{\"activity_id\":")
            && says_lawbook(head.split(|byte| *byte == b'\n').next().unwrap_or_default(), "vendor_name")
}

/// The beginning of a text without its white space.
fn compact(head: &[u8]) -> String {
    let begin = String::from_utf8_lossy(&head[..head.len().min(200)]);
    begin.chars().filter(|letter| !letter.is_whitespace()).collect()
}

/// Whether the first finding in a format that others write, too, is of Lawbook.
fn says_lawbook(head: &[u8], key: &str) -> bool {
    memchr::memmem::find(head, format!("\"{key}\":\"Lawbook\"").as_bytes()).is_some()
}

/// An object whose first key is `Records`, or a record as CloudTrail writes it.
fn is_log_object(head: &[u8]) -> bool {
    let inner = decode::without_mark(head).trim_ascii_start().strip_prefix(b"{").map(<[u8]>::trim_ascii_start);
    inner.is_some_and(|inner| inner.starts_with(b"\"Records\"") || inner.starts_with(b"\"eventVersion\""))
}

fn classify(head: &[u8], path: Option<&Path>, broken: bool) -> Option<Class> {
    let text = decode::without_mark(head).trim_ascii_start();
    if text.is_empty() && head.len() < HEAD && !broken {
        return Some(Class::Empty);
    }
    if is_log_object(text) {
        return Some(Class::Events);
    }
    if inventory::looks_like(decode::without_mark(head), path) {
        return Some(Class::Inventory);
    }
    let event = matches!(text.first(), Some(b'{' | b'[')) || rows::is_csv(head, None) || garbage::holds_a_record(head);
    event.then_some(Class::Events)
}
