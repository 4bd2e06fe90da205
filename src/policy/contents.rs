//! What a pack holds, file by file, and the hash by which it is known.
//!
//! *Law*: the hash is of the pack's name, and of path and bytes of `pack.yaml` and every script: whatever a scan runs, and
//! nothing else. A folder, the archive that is built of it and what the archive is unpacked to have the same hash.

use std::collections::BTreeMap;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::manifest;

/// Path below the pack, with `/`, and the SHA-256 of each file that a scan runs, in hexadecimal digits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents(pub BTreeMap<String, String>);

impl Contents {
    /// Notes a file.
    pub(super) fn add(&mut self, path: &str, bytes: &[u8]) {
        self.0.insert(path.to_owned(), hash(bytes));
    }

    /// The hash of a pack of that name that holds this.
    pub fn hash(&self, name: &str) -> String {
        let mut text = format!("lawbook pack 1\n{name}\n");
        for (path, hash) in &self.0 {
            text.push_str(&format!("{hash} {path}\n"));
        }
        hash(text.as_bytes())
    }

    /// In what other contents differ from this, in words.
    pub fn changes(&self, other: &Self) -> Vec<String> {
        let mut changes = Vec::new();
        for (path, hash) in &self.0 {
            match other.0.get(path) {
                None => changes.push(format!("{path} is gone")),
                Some(now) if now != hash => changes.push(format!("{path} changed")),
                Some(_) => {}
            }
        }
        changes.extend(other.0.keys().filter(|path| !self.0.contains_key(*path)).map(|path| format!("{path} is new")));
        changes
    }
}

/// Whether a file of a pack is one that a scan runs.
pub(super) fn is_run(path: &str) -> bool {
    path == manifest::FILE || path.ends_with(".rhai")
}

/// Whether a file is named as an archive of a pack is.
pub fn is_archive(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    name.ends_with(".tar.gz") || name.ends_with(".tgz")
}

/// SHA-256, in hexadecimal digits.
pub(super) fn hash(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Bytes in hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
