//! `lawbook.lock`: the packs as somebody reviewed them, by the hashes of what they hold.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{Contents, Pack};
use crate::error::Error;

/// The name of the file.
pub const FILE: &str = "lawbook.lock";

/// The version of the file.
const VERSION: u32 = 1;

/// Changes that are told; more are counted.
const TOLD: usize = 5;

/// Packs as they were.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    /// The version of the file.
    lawbook_lock: u32,
    /// By name.
    pub packs: BTreeMap<String, Locked>,
}

/// A pack as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Locked {
    /// Its version; of the embedded pack that of Lawbook.
    pub version: Option<String>,
    /// The hash of all that it held.
    pub hash: String,
    /// The hash of each file; none of the embedded pack, whose files nobody can look at.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<String, String>,
}

impl Lock {
    /// Packs as they are.
    pub fn of<'p>(packs: impl IntoIterator<Item = &'p Pack>) -> Self {
        let locked = |pack: &Pack| {
            let files = if pack.is_embedded() { BTreeMap::new() } else { pack.contents().0 };
            (pack.name().to_owned(), Locked { version: pack.version(), hash: pack.hash(), files })
        };
        Self { lawbook_lock: VERSION, packs: packs.into_iter().map(locked).collect() }
    }

    /// Reads a file.
    ///
    /// # Errors
    /// When it cannot be read, or is no lock.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let file = path.display().to_string();
        let again = "`lawbook lock` writes it anew";
        let text = std::fs::read_to_string(path)
            .map_err(|error| Error::new(format!("cannot be read: {error}")).about(&file).try_to(again))?;
        let lock = serde_json::from_str::<Self>(&text).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            Error::new(format!("is no lock: {error}")).about(&file).at(line, column).try_to(again)
        })?;
        if lock.lawbook_lock != VERSION {
            let reason = format!("a lock of version {}; this version of Lawbook knows {VERSION}", lock.lawbook_lock);
            return Err(Error::new(reason).about(file).try_to(again));
        }
        Ok(lock)
    }

    /// The text of the file.
    pub fn text(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }

    /// Whether a pack is as it was; `None` if it is not in the lock.
    ///
    /// # Errors
    /// In what it differs.
    pub fn holds(&self, pack: &Pack) -> Option<Result<(), String>> {
        let was = self.packs.get(pack.name())?;
        if was.hash == pack.hash() {
            return Some(Ok(()));
        }
        let version = |version: Option<String>| version.unwrap_or_else(|| "without a version".to_owned());
        let mut changes = match pack.is_embedded() {
            true => Vec::new(),
            false => Contents(was.files.clone()).changes(&pack.contents()),
        };
        if was.version != pack.version() {
            changes.insert(0, format!("it was {} and is {}", version(was.version.clone()), version(pack.version())));
        }
        if changes.is_empty() {
            changes.push("it holds something else".to_owned());
        }
        let more = changes.len().saturating_sub(TOLD);
        changes.truncate(TOLD);
        if more > 0 {
            changes.push(format!("and {more} more"));
        }
        Some(Err(changes.join(", ")))
    }
}
