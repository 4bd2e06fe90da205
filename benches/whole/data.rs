//! What is measured: data that is made once and kept, and the commands over it.
//!
//! *Law*: data is used again only if it was finished, by these sources, in this size; and a scan counts only if it judged
//! every record.

use std::fs;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::inflate;
use crate::measure::{Line, Runs, in_turn};
use crate::naive;
use crate::support::corpus::{self, Layout, Size};
use crate::support::packs;

/// Changes with whatever may change what is made.
const SOURCES: [&str; 3] =
    [include_str!("../support/mod.rs"), include_str!("../support/corpus.rs"), include_str!("../support/packs.rs")];

/// Where data is, and how much of it is wanted.
#[derive(Debug)]
pub(crate) struct Data {
    root: PathBuf,
    pub(crate) quick: bool,
    pub(crate) large: bool,
    pub(crate) rounds: usize,
    version: u64,
}

/// A corpus on disk.
#[derive(Clone, Debug)]
pub(crate) struct Corpus {
    pub(crate) path: PathBuf,
    pub(crate) records: usize,
    /// Bytes of text.
    pub(crate) text: u64,
    /// Bytes on disk.
    pub(crate) packed: u64,
    pub(crate) files: usize,
}

impl Data {
    pub(crate) fn new(root: PathBuf, quick: bool, large: bool, rounds: usize) -> io::Result<Self> {
        fs::create_dir_all(&root)?;
        // FNV-1a: it tells sources apart, and nothing more is asked of it.
        let version = SOURCES
            .iter()
            .flat_map(|text| text.bytes())
            .fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        Ok(Self { root, quick, large, rounds, version })
    }

    /// The first with `--quick`, else the second.
    pub(crate) fn size<T>(&self, quick: T, full: T) -> T {
        if self.quick { quick } else { full }
    }

    /// A corpus of so many records.
    pub(crate) fn corpus(&self, records: usize, per_file: usize, layout: Layout) -> io::Result<Corpus> {
        let word = format!("{layout:?}").to_lowercase();
        let size = Size { records, per_file };
        let (path, text) =
            self.once(&format!("{word}-{records}-of-{per_file}"), |folder| corpus::write(folder, size, layout))?;
        let mut found = Corpus { path, records, text, packed: 0, files: 0 };
        for file in inflate::files(&found.path) {
            found.packed += fs::metadata(file)?.len();
            found.files += 1;
        }
        Ok(found)
    }

    /// One of [`packs::ALL`].
    pub(crate) fn pack(&self, name: &str) -> io::Result<PathBuf> {
        let (_, make) =
            packs::ALL.iter().find(|pack| pack.0 == name).ok_or_else(|| io::Error::other("no such pack"))?;
        Ok(self.once(name, |folder| make(folder).map(|()| 0))?.0)
    }

    /// A pack that grows (see [`packs::growing`]).
    pub(crate) fn growing(&self, count: usize, with_the_last: bool) -> io::Result<PathBuf> {
        let name = format!("growing-{count}{}", if with_the_last { "-with-the-last" } else { "" });
        Ok(self.once(&name, |folder| packs::growing(folder, count, with_the_last).map(|()| 0))?.0)
    }

    /// A file of so many addresses.
    pub(crate) fn addresses(&self, count: usize) -> io::Result<PathBuf> {
        let make = |folder: &Path| {
            let text = corpus::addresses(count);
            fs::write(folder.join("addresses.json"), &text).map(|()| text.len() as u64)
        };
        Ok(self.once(&format!("addresses-{count}"), make)?.0.join("addresses.json"))
    }

    /// A folder that `make` fills unless it is there and whole; and what `make` answered then.
    pub(crate) fn once(&self, name: &str, make: impl FnOnce(&Path) -> io::Result<u64>) -> io::Result<(PathBuf, u64)> {
        let (folder, note) = (self.root.join(name), self.root.join(format!("{name}.made")));
        let made = fs::read_to_string(&note).unwrap_or_default();
        let answer =
            made.strip_prefix(&format!("{:016x} ", self.version)).and_then(|answer| answer.trim().parse().ok());
        if let Some(answer) = answer.filter(|_| folder.is_dir()) {
            return Ok((folder, answer));
        }
        anstream::eprintln!("making {name}");
        if note.exists() {
            fs::remove_file(&note)?;
        }
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        let answer = make(&folder)?;
        fs::write(note, format!("{:016x} {answer}\n", self.version))?;
        Ok((folder, answer))
    }

    /// Measures commands in turn.
    pub(crate) fn in_turn(&self, lines: &[Line]) -> io::Result<Vec<Runs>> {
        let names: Vec<&str> = lines.iter().map(|line| line.name.as_str()).collect();
        anstream::eprintln!("measuring {}", names.join(", "));
        in_turn(lines, self.rounds)
    }
}

/// A scan of paths by packs.
pub(crate) fn scan(name: &str, threads: usize, packs: &[&Path], paths: &[&Path]) -> Line {
    let mut line = Line::new(name, env!("CARGO_BIN_EXE_lawbook")).args(["scan", "--threads", &threads.to_string()]);
    for pack in packs {
        line = line.arg("--pack").arg(*pack);
    }
    line.args(paths)
}

/// `lawbook summary` of all that is below a path.
pub(crate) fn summary(name: &str, threads: usize, path: &Path) -> Line {
    Line::new(name, env!("CARGO_BIN_EXE_lawbook")).args(["summary", "--threads", &threads.to_string()]).arg(path)
}

/// The embedded pack, as `--pack` names it.
pub(crate) fn embedded() -> &'static Path {
    Path::new("default")
}

/// Runs a scan for its findings; fails if it did not judge so many events, and at least so many resources (policies about
/// deliveries judge what the names of log objects tell of), or had faults.
pub(crate) fn findings(scan: &Line, events: usize, resources: usize) -> io::Result<u64> {
    let mut child =
        scan.clone().args(["--format", "ndjson"]).command().stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let mut last = String::new();
    for line in
        BufReader::new(child.stdout.take().into_iter().next().ok_or_else(|| io::Error::other("no output"))?).lines()
    {
        last = line?;
    }
    child.wait()?;
    let summary: serde_json::Value = serde_json::from_str(&last)?;
    let number = |path: &str| summary.pointer(path).and_then(serde_json::Value::as_u64);
    let has_resources = number("/records/resources").is_some_and(|judged| judged >= resources as u64);
    if !has_resources || (number("/records/events"), number("/faults")) != (Some(events as u64), Some(0)) {
        return Err(io::Error::other(format!(
            "`{}` should have judged {events} events and {resources} resources without a fault, and says {last}",
            scan.name
        )));
    }
    number("/findings/total").ok_or_else(|| io::Error::other("the summary has no findings"))
}

/// This program, as one of the things that are compared with.
fn myself(name: &str, word: &str) -> io::Result<Line> {
    Ok(Line::new(name, std::env::current_exe()?).arg(word))
}

/// Inflating whole files with libdeflate, and nothing else.
pub(crate) fn inflating(threads: usize, path: &Path) -> io::Result<Line> {
    Ok(myself("inflating alone", inflate::WHOLE)?.arg(threads.to_string()).arg(path))
}

/// Inflating a file as a stream, and nothing else.
pub(crate) fn streaming(file: &Path) -> io::Result<Line> {
    Ok(myself("inflating alone, as a stream", inflate::STREAM)?.arg(file))
}

/// Parsing a file to a JSON value, and nothing else.
pub(crate) fn parsing(file: &Path) -> io::Result<Line> {
    Ok(myself("serde_json `Value` of it alone", naive::PARSE)?.arg(file))
}

/// Every policy of a pack called on every record, with a copy of the record or with the same one.
pub(crate) fn naive(is_shared: bool, threads: usize, pack: &Path, path: &Path) -> io::Result<Line> {
    let (name, word) =
        if is_shared { ("the naive way, one map shared by all calls", "shared") } else { ("the naive way", "copied") };
    Ok(myself(name, naive::NAIVE)?.arg(word).arg(threads.to_string()).arg(pack).arg(path))
}
