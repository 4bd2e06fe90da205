//! Inflates whole gzip files with libdeflate, which is twice as fast as a stream and needs all of the text in memory.
//!
//! *Law*: what it gives is all of the file, with right checksums, or nothing; whoever is given nothing reads the file as a
//! stream, which delivers the text before the damage and tells what is wrong.
//!
//! *Safety*: the decompressor is made once, checked, used by one thread at a time, and freed once. libdeflate reads the
//! input's bytes, writes no more than the room it is given, and says how much of both it used.

#![expect(unsafe_code, reason = "libdeflate is written in C; its safe bindings do not say where a member ends")]

use std::ffi::c_void;
use std::ptr::NonNull;

use libdeflate_sys as sys;

/// A decompressor, to be used again and again.
#[derive(Debug)]
pub(super) struct Inflater(NonNull<sys::libdeflate_decompressor>);

// SAFETY: it is plain memory that no thread but the owner's touches.
unsafe impl Send for Inflater {}

impl Drop for Inflater {
    fn drop(&mut self) {
        // SAFETY: made in `new`, and freed here alone.
        unsafe { sys::libdeflate_free_decompressor(self.0.as_ptr()) }
    }
}

impl Inflater {
    /// `None` without memory.
    pub(super) fn new() -> Option<Self> {
        // SAFETY: no argument; null is checked.
        NonNull::new(unsafe { sys::libdeflate_alloc_decompressor() }).map(Self)
    }

    /// Replaces `text` by what all gzip members of `packed` inflate to, one after another; false, with no text, if that
    /// is more than `most` bytes or anything is wrong. Zeros may follow the last member: they pad streams that were
    /// written in blocks.
    pub(super) fn gunzip(&mut self, packed: &[u8], text: &mut Vec<u8>, most: usize) -> bool {
        text.clear();
        let is_whole = self.members(packed, text, most);
        if !is_whole {
            text.clear();
        }
        is_whole
    }

    fn members(&mut self, mut packed: &[u8], text: &mut Vec<u8>, most: usize) -> bool {
        // The last four bytes are the size of the last member, most often the only one.
        let Some(size) = packed.last_chunk::<4>().map(|size| u32::from_le_bytes(*size) as usize) else { return false };
        if size > most {
            return false;
        }
        loop {
            let room = most.saturating_sub(text.len());
            text.reserve(size.min(room));
            let room = room.min(text.capacity() - text.len());
            let Some(used) = self.member(packed, text, room) else { return false };
            packed = &packed[used.min(packed.len())..];
            if packed.iter().all(|byte| *byte == 0) {
                return true;
            }
        }
    }

    /// Appends one member of at most `room` bytes; how much of `packed` it took.
    fn member(&mut self, packed: &[u8], text: &mut Vec<u8>, room: usize) -> Option<usize> {
        let (mut used, mut written) = (0, 0);
        let spare = &mut text.spare_capacity_mut()[..room];
        // SAFETY: the pointers and lengths are those of two slices that outlive the call and do not overlap.
        let outcome = unsafe {
            sys::libdeflate_gzip_decompress_ex(
                self.0.as_ptr(),
                packed.as_ptr().cast::<c_void>(),
                packed.len(),
                spare.as_mut_ptr().cast::<c_void>(),
                spare.len(),
                &raw mut used,
                &raw mut written,
            )
        };
        if outcome != sys::libdeflate_result_LIBDEFLATE_SUCCESS || written > room || used == 0 {
            return None;
        }
        // SAFETY: libdeflate wrote that many bytes behind the text, within its capacity.
        unsafe { text.set_len(text.len() + written) };
        Some(used)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn gunzip(packed: &[u8], most: usize) -> Option<Vec<u8>> {
        let mut text = b"what was there before".to_vec();
        let is_whole = Inflater::new().unwrap().gunzip(packed, &mut text, most);
        assert!(is_whole || text.is_empty());
        is_whole.then_some(text)
    }

    #[test]
    fn whole_files_are_inflated() {
        let text = b"some text, ".repeat(1000);
        let packed = gzip(&text);
        assert_eq!(gunzip(&packed, 20_000).as_deref(), Some(&text[..]));
        assert_eq!(gunzip(&[&packed[..], &[0; 100]].concat(), 20_000), None, "the size is not at the end");
        let two = [gzip(b"one"), packed.clone()].concat();
        assert_eq!(gunzip(&two, 20_000).map(|text| text.len()), Some(11_003));
        assert_eq!(gunzip(&gzip(b""), 0).as_deref(), Some(&b""[..]));
    }

    #[test]
    fn anything_else_is_left_to_the_stream() {
        let text = b"some text, ".repeat(1000);
        let packed = gzip(&text);
        assert_eq!(gunzip(&packed, 10_999), None);
        let mut wrong = packed.clone();
        let at = wrong.len() - 6;
        wrong[at] ^= 1;
        assert_eq!(gunzip(&wrong, 20_000), None, "a wrong checksum");
        assert_eq!(gunzip(&packed[..packed.len() - 9], 20_000), None, "an early end");
        assert_eq!(gunzip(&[&packed[..], b"more"].concat(), 20_000), None, "bytes behind it");
        assert_eq!(gunzip(b"", 20_000), None);
        assert_eq!(gunzip(b"{}", 20_000), None);
    }
}
