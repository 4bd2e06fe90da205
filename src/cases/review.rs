//! Finds snapshots that nobody accepted yet, and accepts or rejects them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::change::{Change, changes};
use super::file::{CASES, parse};
use super::snapshot::{Entry, PENDING, SNAP, Snapshot, is_of_cases};
use super::suite::{Stop, read};
use crate::diagnostic::Diagnostic;
use crate::error::Error;
use crate::yaml::Yaml;

/// A snapshot that nobody accepted yet, or one that has no policy any more.
#[derive(Clone, Debug)]
pub struct Pending {
    /// The id of its policy.
    pub policy: String,
    /// The file that is decided upon.
    pub file: PathBuf,
    /// The file of the snapshot.
    pub snapshot: PathBuf,
    /// What accepting it would change.
    pub changes: Vec<Change>,
    /// There is no such policy: accepting it removes the file.
    pub is_orphan: bool,
    /// In what it is not what the cases expect as they are now: it is of an earlier run.
    pub contradictions: Vec<String>,
}

/// What is pending in files and folders, in their order.
///
/// # Errors
/// When a path does not exist, and every mistake in every snapshot.
pub fn pending(paths: &[PathBuf]) -> Result<Vec<Pending>, Stop> {
    let mut found = Vec::new();
    let mut mistakes = Vec::new();
    for file in files(paths)? {
        let source = read(&file)?;
        if !is_of_cases(&source.text) {
            continue;
        }
        let name = file.to_string_lossy().into_owned();
        let is_pending = name.ends_with(PENDING);
        let stem = name.trim_end_matches(&format!(".{PENDING}")).trim_end_matches(&format!(".{SNAP}")).to_owned();
        let is_orphan = !Path::new(&format!("{stem}.rhai")).is_file();
        if !is_pending && !is_orphan {
            continue;
        }
        let snapshot = PathBuf::from(format!("{stem}.{SNAP}"));
        match differences(source, &snapshot, is_orphan) {
            Ok((new, changes)) => found.push(Pending {
                policy: Path::new(&stem).file_name().map(|id| id.to_string_lossy().into_owned()).unwrap_or_default(),
                file,
                snapshot,
                contradictions: if is_orphan { Vec::new() } else { contradictions(&new, &stem) },
                changes,
                is_orphan,
            }),
            Err(mistake) => mistakes.push(*mistake),
        }
    }
    if mistakes.is_empty() { Ok(found) } else { Err(Stop::Diagnostics(mistakes)) }
}

fn differences(
    source: crate::diagnostic::SourceText,
    snapshot: &Path,
    is_orphan: bool,
) -> Result<(Snapshot, Vec<Change>), Box<Diagnostic>> {
    if is_orphan {
        return Ok((Snapshot::default(), Vec::new()));
    }
    let new = Snapshot::parse(&Arc::new(source))?;
    // One that cannot be read is as one that is not there: accepting takes its place.
    let old = match read(snapshot) {
        Ok(source) => Some(Snapshot::parse(&Arc::new(source))?),
        Err(_) => None,
    };
    let changes = changes(old.as_ref(), &new);
    Ok((new, changes))
}

/// The cases that expect something else to happen than a snapshot has.
fn contradictions(new: &Snapshot, stem: &str) -> Vec<String> {
    let source = read(Path::new(&format!("{stem}{CASES}"))).ok().map(Arc::new);
    let Some(tree) = source.and_then(|source| parse(&source).ok()) else { return Vec::new() };
    let mut out = Vec::new();
    for case in tree.get("cases").map(Yaml::items).unwrap_or_default() {
        let (Some(name), Some(expect)) = (case.get("name").and_then(Yaml::raw), case.get("expect").and_then(Yaml::raw))
        else {
            continue;
        };
        let is_of = |entry: &&Entry| entry.name == name || entry.name.starts_with(&format!("{name} ["));
        let differs = |entry: &&Entry| entry.outcome() != expect;
        if let Some(entry) = new.cases.iter().filter(is_of).find(differs) {
            out.push(format!("`{}` expects `{expect}`, and this says `{}`", entry.name, entry.outcome()));
        }
    }
    out
}

/// The ids of all policies in files and folders, whether something of them is pending or not.
pub fn ids(paths: &[PathBuf]) -> BTreeSet<String> {
    let entries = paths.iter().flat_map(|path| walkdir::WalkDir::new(path).into_iter().filter_map(Result::ok));
    let all = entries.filter(|entry| entry.file_type().is_file()).map(walkdir::DirEntry::into_path);
    let of_policies = all.filter(|file| is_snapshot(file) || file.extension().is_some_and(|end| end == "rhai"));
    let id = |file: PathBuf| file.file_name()?.to_str()?.split('.').next().map(str::to_owned);
    of_policies.filter_map(id).collect()
}

/// Snapshots, accepted and pending, in files and folders; a policy or its cases stand for theirs.
fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Error> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            let entries = walkdir::WalkDir::new(path).sort_by_file_name().into_iter().filter_map(Result::ok);
            let all = entries.filter(|entry| entry.file_type().is_file()).map(walkdir::DirEntry::into_path);
            files.extend(all.filter(|file| is_snapshot(file)));
            continue;
        }
        let name = path.to_string_lossy();
        let ends = [CASES.to_owned(), ".rhai".to_owned(), format!(".{PENDING}"), format!(".{SNAP}")];
        let Some(stem) = ends.iter().find_map(|end| name.strip_suffix(end.as_str())) else {
            return Err(Error::new("is no snapshot and no policy")
                .about(name)
                .try_to("a folder, a `.rhai` file or a `.snap.new`"));
        };
        if !path.is_file() {
            return Err(Error::new("there is no such file or folder").about(name));
        }
        let both = [format!("{stem}.{SNAP}"), format!("{stem}.{PENDING}")];
        files.extend(both.into_iter().map(PathBuf::from).filter(|file| file.is_file()));
    }
    files.dedup();
    Ok(files)
}

fn is_snapshot(file: &Path) -> bool {
    let name = file.to_string_lossy();
    name.ends_with(&format!(".{SNAP}")) || name.ends_with(&format!(".{PENDING}"))
}

impl Pending {
    /// Makes it the policy's snapshot; an orphan is removed.
    ///
    /// # Errors
    /// When the file cannot be moved.
    pub fn accept(&self) -> Result<(), Error> {
        let done =
            if self.is_orphan { std::fs::remove_file(&self.file) } else { std::fs::rename(&self.file, &self.snapshot) };
        done.map_err(|error| self.failed(&error))
    }

    /// Removes what is pending; an orphan stays.
    ///
    /// # Errors
    /// When the file cannot be removed.
    pub fn reject(&self) -> Result<(), Error> {
        if self.is_orphan && self.file == self.snapshot {
            return Ok(());
        }
        std::fs::remove_file(&self.file).map_err(|error| self.failed(&error))
    }

    fn failed(&self, error: &std::io::Error) -> Error {
        Error::new(format!("cannot be changed: {error}")).about(self.file.display().to_string())
    }
}
