//! Reads digests of log files whole, and hashes log files as digests do: SHA-256 of what they inflate to.

use memchr::memmem;
use sha2::{Digest as _, Sha256};

use super::decode::{self, Limit};
use super::{File, Settings, text};

/// SHA-256.
pub type Hash = [u8; 32];

/// How far into a digest the members stand by which it is told.
const NEAR: usize = 4 * 1024;

/// Whether text begins as that of a digest.
pub(super) fn begins_so(head: &[u8]) -> bool {
    let head = decode::without_mark(head).trim_ascii_start();
    let near = &head[..head.len().min(NEAR)];
    let has = |member: &[u8]| memmem::find(near, member).is_some();
    near.starts_with(b"{") && has(b"\"digestS3Object\"") && has(b"\"digestEndTime\"")
}

/// The hash of bytes.
pub(super) fn hash_of(bytes: &[u8]) -> Hash {
    Sha256::digest(bytes).into()
}

/// The whole text of a file of at most [`Settings::max_record`] bytes, and its hash; `None` if it cannot be read so.
pub fn digest_text(file: &File, settings: &Settings) -> Option<(Vec<u8>, Hash)> {
    let most = settings.max_inflated.min(settings.max_record as u64);
    let (text, broken) = text(file, &Settings { max_inflated: most, ..settings.clone() });
    let hash = hash_of(&text);
    broken.is_empty().then_some((text, hash))
}

/// The hash of what a file holds, inflated if it is compressed, in little memory.
///
/// # Errors
/// Why it cannot be read, as a fault tells it.
pub fn hash(file: &File, settings: &Settings) -> Result<Hash, String> {
    if !file.is_on_disk() {
        return Err("it can be read once only".to_owned());
    }
    let raw = file.open().map_err(|error| decode::reason(&error))?;
    let most = Limit::of_file(settings.max_inflated);
    let (mut text, _) = decode::decoder(raw, most).map_err(|error| decode::reason(&error))?;
    let mut hasher = Sha256::new();
    decode::each_chunk(&mut text, &mut |chunk| hasher.update(chunk))?;
    Ok(hasher.finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_told_by_their_first_members() {
        assert!(begins_so(b" {\"awsAccountId\":\"1\",\"digestEndTime\":\"t\",\"digestS3Object\":\"k\"}"));
        assert!(!begins_so(b"[{\"digestEndTime\":\"t\",\"digestS3Object\":\"k\"}]"));
        assert!(!begins_so(b"{\"digestEndTime\":\"t\"}"));
        assert!(!begins_so(format!("{{{}\"digestEndTime\":1,\"digestS3Object\":1", " ".repeat(NEAR)).as_bytes()));
    }
}
