//! Does something again whenever a file changes.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use serde_json::json;

use super::log::{Entry, Level, Log};
use super::{Failure, tell_failure};

/// How often files are looked at. Asking for a few hundred times of change costs less than a library that is told of
/// them, and works on every file system.
const EVERY: Duration = Duration::from_millis(300);

/// What is seen of files: when they changed, and how large they are.
type Seen = BTreeMap<PathBuf, (Option<SystemTime>, u64)>;

/// Does it, and again after every change in these paths, until somebody ends the program.
pub(crate) fn again_and_again(
    paths: &[PathBuf],
    log: Log,
    work: &mut dyn FnMut() -> Result<u8, Failure>,
) -> Result<u8, Failure> {
    loop {
        let before = look(paths);
        match work() {
            Ok(_) => {}
            Err(Failure::ReaderGone) => return Err(Failure::ReaderGone),
            Err(failure) => tell_failure(failure, log),
        }
        let message = format!("watching {} files", before.len());
        let entry = Entry { level: Level::Info, event: "watching", message: &message, fields: json!({}) };
        log.tell(&format!("\n{message}\n"), entry);
        while look(paths) == before {
            std::thread::sleep(EVERY);
        }
    }
}

/// Everything in the paths but what tests write themselves.
fn look(paths: &[PathBuf]) -> Seen {
    let mut seen = Seen::new();
    // What builds leave behind is much, and no part of a pack.
    let is_of_interest = |entry: &walkdir::DirEntry| {
        let name = entry.file_name().to_string_lossy();
        entry.depth() == 0 || !(name.starts_with('.') || name == "target" || name == "node_modules")
    };
    let all = paths.iter().flat_map(|path| walkdir::WalkDir::new(path).into_iter().filter_entry(is_of_interest));
    for entry in all.filter_map(Result::ok) {
        let name = entry.file_name().to_string_lossy();
        if !entry.file_type().is_file() || name.ends_with(".snap.new") {
            continue;
        }
        if let Ok(known) = entry.metadata() {
            seen.insert(entry.path().to_owned(), (known.modified().ok(), known.len()));
        }
    }
    seen
}
