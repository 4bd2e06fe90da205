//! Finds snapshots that nobody accepted yet, and accepts or rejects them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::change::{Change, changes};
use super::file::CASES;
use super::snapshot::{PENDING, SNAP, Snapshot, is_of_cases};
use super::suite::{Stop, read};
use crate::diagnostic::Diagnostic;
use crate::error::Error;

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
            Ok(changes) => found.push(Pending {
                policy: Path::new(&stem).file_name().map(|id| id.to_string_lossy().into_owned()).unwrap_or_default(),
                file,
                snapshot,
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
) -> Result<Vec<Change>, Box<Diagnostic>> {
    if is_orphan {
        return Ok(Vec::new());
    }
    let new = Snapshot::parse(&Arc::new(source))?;
    // One that cannot be read is as one that is not there: accepting takes its place.
    let old = match read(snapshot) {
        Ok(source) => Some(Snapshot::parse(&Arc::new(source))?),
        Err(_) => None,
    };
    Ok(changes(old.as_ref(), &new))
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
