//! Remembers which cases failed last, outside of packs.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::snapshot::write;
use crate::error::Error;

/// The folder for what may be lost: `LAWBOOK_CACHE`, else where the platform has such things.
fn folder() -> PathBuf {
    let of = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    of("LAWBOOK_CACHE")
        .or_else(|| of("XDG_CACHE_HOME").map(|folder| folder.join("lawbook")))
        .or_else(|| of("LOCALAPPDATA").map(|folder| folder.join("lawbook")))
        .or_else(|| of("HOME").map(|folder| folder.join(".cache").join("lawbook")))
        .unwrap_or_else(|| std::env::temp_dir().join("lawbook"))
}

/// The file for some paths, by what they are called from the root of the file system.
fn file(paths: &[PathBuf]) -> PathBuf {
    let mut hasher = Sha256::new();
    for path in paths {
        let absolute = std::fs::canonicalize(path).unwrap_or_else(|_| path.clone());
        hasher.update(absolute.to_string_lossy().as_bytes());
        hasher.update([0]);
    }
    let name: String = hasher.finalize().iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    folder().join(format!("failed-{name}"))
}

/// The cases that failed when these paths were tested last; `None` if they never were.
pub fn last_failed(paths: &[PathBuf]) -> Option<BTreeSet<String>> {
    let text = std::fs::read_to_string(file(paths)).ok()?;
    Some(text.lines().map(str::to_owned).collect())
}

/// Remembers the cases that failed.
///
/// # Errors
/// When the file cannot be written.
pub fn remember(paths: &[PathBuf], failed: &BTreeSet<String>) -> Result<(), Error> {
    let file = file(paths);
    let parent = file.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(parent)
        .map_err(|error| Error::new(format!("cannot be made: {error}")).about(parent.display().to_string()))?;
    let lines: Vec<&str> = failed.iter().map(String::as_str).filter(|name| !name.contains('\n')).collect();
    write(&file, &lines.join("\n"))
}
