//! Sorts more entries than memory may hold: what does not fit waits in a temporary file.
//!
//! An entry is a key and what belongs to it, both bytes; keys are in the order of their bytes. [`Sorter`]s collect
//! entries, one a thread. One that holds as much as it may writes a sorted run to the [`Scratch`] file that it shares
//! with the others. The [`Sorted`] entries that come of them are merged while they are read.
//!
//! *Laws*: entries come back in the order of their keys, whatever the bounds and however many sorters there are; those of
//! equal keys in any order. Memory is what the sorters may hold, and while reading a buffer a run and one entry. A file
//! that cannot be made, written or read is an error, and no entry is lost without one.

use std::cmp::Ordering;
use std::collections::binary_heap::{BinaryHeap, PeekMut};
use std::collections::vec_deque::VecDeque;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::Error;

/// Bytes that are written or read at once, at most.
const PIECE: usize = 1 << 18;

/// Bytes that should be read at once, at least: of more runs than there is memory for, some are merged first.
const LEAST_PIECE: usize = 1 << 13;

/// Runs that are read together, at most.
const MOST_RUNS: usize = 1 << 11;

/// A temporary file without a name, made when it is first written to, and gone when nobody holds it any more.
#[derive(Debug, Default)]
pub(crate) struct Scratch(Mutex<Held>);

#[derive(Debug, Default)]
struct Held {
    file: Option<File>,
    end: u64,
}

impl Scratch {
    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets bytes aside, to write to; where they begin.
    pub(crate) fn reserve(&self, bytes: u64) -> u64 {
        let mut held = self.held();
        let start = held.end;
        held.end += bytes;
        start
    }

    /// Writes to bytes that were set aside.
    pub(crate) fn write(&self, at: u64, bytes: &[u8]) -> Result<(), Error> {
        let mut held = self.held();
        let mut write = || {
            let file = match &mut held.file {
                Some(file) => file,
                none => none.insert(tempfile::tempfile()?),
            };
            file.seek(SeekFrom::Start(at))?;
            file.write_all(bytes)
        };
        write().map_err(|error| trouble("written", &error))
    }

    /// Reads what was written.
    pub(crate) fn read(&self, at: u64, into: &mut [u8]) -> Result<(), Error> {
        let mut held = self.held();
        let mut read = || {
            let file = held.file.as_mut().ok_or(io::ErrorKind::NotFound)?;
            file.seek(SeekFrom::Start(at))?;
            file.read_exact(into)
        };
        read().map_err(|error| trouble("read", &error))
    }
}

fn trouble(done: &str, error: &io::Error) -> Error {
    Error::new(format!("a temporary file, for what does not fit into memory, cannot be {done}: {error}"))
        .about(std::env::temp_dir().display().to_string())
        .try_to("make room there, or name another folder in `TMPDIR`")
}

/// The error for bytes of the file that are not what was written.
pub(crate) fn damaged() -> Error {
    trouble("read", &io::ErrorKind::InvalidData.into())
}

/// Where an entry stands in the memory of a sorter.
#[derive(Clone, Copy, Debug)]
struct Slot {
    /// The beginning of the key, which decides most comparisons: as much as tells groups of hits apart, which are of few
    /// policies and begin alike.
    head: [u64; 2],
    start: usize,
    key: u32,
    payload: u32,
}

impl Slot {
    fn key(self, arena: &[u8]) -> &[u8] {
        &arena[self.start..][..self.key as usize]
    }

    fn payload(self, arena: &[u8]) -> &[u8] {
        &arena[self.start + self.key as usize..][..self.payload as usize]
    }
}

/// Collects entries of several streams, each of which is sorted on its own, within one bound.
#[derive(Debug)]
pub(crate) struct Sorter<const STREAMS: usize> {
    scratch: Arc<Scratch>,
    bound: usize,
    arena: Vec<u8>,
    slots: [Vec<Slot>; STREAMS],
    runs: [Vec<Run>; STREAMS],
}

impl<const STREAMS: usize> Sorter<STREAMS> {
    /// A sorter that holds about `bound` bytes in memory.
    pub(crate) fn new(scratch: &Arc<Scratch>, bound: usize) -> Self {
        let (slots, runs) = (std::array::from_fn(|_| Vec::new()), std::array::from_fn(|_| Vec::new()));
        Self { scratch: Arc::clone(scratch), bound, arena: Vec::new(), slots, runs }
    }

    /// Another that is as this one was at first.
    pub(crate) fn emptied(&self) -> Self {
        Self::new(&self.scratch, self.bound)
    }

    /// Adds an entry to a stream.
    pub(crate) fn push(&mut self, stream: usize, key: &[u8], payload: &[u8]) -> Result<(), Error> {
        let slots: usize = self.slots.iter().map(Vec::len).sum();
        let held = self.arena.len() + slots * size_of::<Slot>();
        if slots > 0 && held + key.len() + payload.len() + size_of::<Slot>() > self.bound {
            self.flush()?;
        }
        let size = |bytes: &[u8]| u32::try_from(bytes.len()).map_err(|_| Error::new("a record of more than 4 GiB"));
        let mut head = [[0; 8]; 2];
        let bytes = head.as_flattened_mut();
        let known = key.len().min(bytes.len());
        bytes[..known].copy_from_slice(&key[..known]);
        self.slots[stream].push(Slot {
            head: head.map(u64::from_be_bytes),
            start: self.arena.len(),
            key: size(key)?,
            payload: size(payload)?,
        });
        self.arena.extend_from_slice(key);
        self.arena.extend_from_slice(payload);
        Ok(())
    }

    fn sort(&mut self) {
        let arena = &self.arena;
        for slots in &mut self.slots {
            // A thread meets its entries mostly in their order: a stable sort is quick where runs are sorted already.
            slots.sort_by(|a, b| a.head.cmp(&b.head).then_with(|| a.key(arena).cmp(b.key(arena))));
        }
    }

    fn flush(&mut self) -> Result<(), Error> {
        self.sort();
        for (slots, runs) in self.slots.iter_mut().zip(&mut self.runs).filter(|(slots, _)| !slots.is_empty()) {
            let size = slots.iter().map(|slot| size_of_entry(slot.key as usize, slot.payload as usize)).sum();
            let mut writer = Writer::new(&self.scratch, size, self.bound.min(PIECE));
            for slot in slots.iter() {
                writer.push(slot.key(&self.arena), slot.payload(&self.arena))?;
            }
            runs.push(writer.finish(slots.len() as u64)?);
            slots.clear();
        }
        self.arena.clear();
        Ok(())
    }

    /// The entries of all sorters, by stream. What fits into memory stays there, unless some of it did not.
    pub(crate) fn sorted(sorters: Vec<Self>) -> Result<[Sorted; STREAMS], Error> {
        let scratch = sorters.first().map(|sorter| Arc::clone(&sorter.scratch)).unwrap_or_default();
        // What the sorters held, the buffers of a stream may, for what is written is no longer in memory; of several streams one
        // at a time has many runs.
        let memory = sorters.iter().map(|sorter| sorter.bound).sum();
        let spilled = sorters.iter().any(|sorter| sorter.runs.iter().any(|runs| !runs.is_empty()));
        let mut streams = std::array::from_fn(|_| Sorted { scratch: Arc::clone(&scratch), memory, runs: Vec::new() });
        for mut sorter in sorters {
            if spilled {
                sorter.flush()?;
            } else {
                sorter.sort();
            }
            let arena = Arc::new(sorter.arena);
            for ((stream, runs), slots) in streams.iter_mut().zip(sorter.runs).zip(sorter.slots) {
                stream.runs.extend(runs);
                if !slots.is_empty() {
                    stream.runs.push(Run::Memory { arena: Arc::clone(&arena), slots });
                }
            }
        }
        for stream in &mut streams {
            stream.narrow()?;
        }
        Ok(streams)
    }
}

/// Sorted entries, in memory or in the file.
#[derive(Debug)]
enum Run {
    Memory { arena: Arc<Vec<u8>>, slots: Vec<Slot> },
    File { start: u64, end: u64, entries: u64 },
}

impl Run {
    fn len(&self) -> u64 {
        match self {
            Self::Memory { slots, .. } => slots.len() as u64,
            Self::File { entries, .. } => *entries,
        }
    }

    /// The bytes that it takes in the file.
    fn size(&self) -> u64 {
        match self {
            Self::Memory { slots, .. } => {
                slots.iter().map(|slot| size_of_entry(slot.key as usize, slot.payload as usize)).sum()
            }
            Self::File { start, end, .. } => end - start,
        }
    }
}

/// All entries of a stream, to be read in order as often as somebody likes.
#[derive(Debug)]
pub(crate) struct Sorted {
    scratch: Arc<Scratch>,
    /// For the buffers of all runs.
    memory: usize,
    runs: Vec<Run>,
}

impl Sorted {
    /// The number of entries.
    pub(crate) fn len(&self) -> u64 {
        self.runs.iter().map(Run::len).sum()
    }

    /// Merges runs until there are few enough to be read together.
    fn narrow(&mut self) -> Result<(), Error> {
        let most = (self.memory / LEAST_PIECE).clamp(2, MOST_RUNS);
        let mut runs = VecDeque::from(std::mem::take(&mut self.runs));
        while runs.len() > most {
            // So few at first that all later merges are of as many as can be: what is written again is least then.
            let few: Vec<Run> = runs.drain(..(runs.len() - 2) % (most - 1) + 2).collect();
            let size = few.iter().map(Run::size).sum();
            let mut writer = Writer::new(&self.scratch, size, self.memory.clamp(1, PIECE));
            let mut merge = Merge::new(&self.scratch, self.memory, &few)?;
            while let Some((key, payload)) = merge.advance()? {
                writer.push(key, payload)?;
            }
            runs.push_back(writer.finish(few.iter().map(Run::len).sum())?);
        }
        self.runs = runs.into();
        Ok(())
    }

    /// Reads from the first entry on.
    pub(crate) fn read(&self) -> Result<Merge<'_>, Error> {
        Merge::new(&self.scratch, self.memory, &self.runs)
    }
}

/// A key and its payload.
pub(crate) type Entry<'a> = (&'a [u8], &'a [u8]);

/// Gives the entries of runs in order.
#[derive(Debug)]
pub(crate) struct Merge<'a> {
    heads: BinaryHeap<Head<'a>>,
    key: Vec<u8>,
    payload: Vec<u8>,
}

impl<'a> Merge<'a> {
    fn new(scratch: &'a Scratch, memory: usize, runs: &'a [Run]) -> Result<Self, Error> {
        let piece = (memory / runs.len().max(1)).clamp(64, PIECE);
        let mut heads = BinaryHeap::with_capacity(runs.len());
        for run in runs {
            heads.extend(Head::first(scratch, piece, run)?);
        }
        Ok(Self { heads, key: Vec::new(), payload: Vec::new() })
    }

    /// The next entry; nothing at the end.
    pub(crate) fn advance(&mut self) -> Result<Option<Entry<'_>>, Error> {
        let Some(mut least) = self.heads.peek_mut() else { return Ok(None) };
        if !least.give(&mut self.key, &mut self.payload)? {
            PeekMut::pop(least);
        }
        Ok(Some((&self.key, &self.payload)))
    }

    /// The payload of the entry that was given last.
    pub(crate) fn payload(&self) -> &[u8] {
        &self.payload
    }
}

/// The first entry of a run that was not given yet, and what follows. Of an entry in the file only the key is in memory.
#[derive(Debug)]
enum Head<'a> {
    Memory { arena: &'a [u8], slot: Slot, rest: std::slice::Iter<'a, Slot> },
    File { key: Vec<u8>, payload: usize, reader: Reader<'a> },
}

impl<'a> Head<'a> {
    fn first(scratch: &'a Scratch, piece: usize, run: &'a Run) -> Result<Option<Self>, Error> {
        match run {
            Run::Memory { arena, slots } => {
                let mut rest = slots.iter();
                Ok(rest.next().map(|slot| Self::Memory { arena, slot: *slot, rest }))
            }
            Run::File { start, end, .. } => {
                let mut reader = Reader { scratch, at: *start, end: *end, piece, buffer: Vec::new(), next: 0 };
                let mut key = Vec::new();
                let payload = reader.entry(&mut key)?;
                Ok(payload.map(|payload| Self::File { key, payload, reader }))
            }
        }
    }

    fn key(&self) -> &[u8] {
        match self {
            Self::Memory { arena, slot, .. } => slot.key(arena),
            Self::File { key, .. } => key,
        }
    }

    /// Gives the entry and goes on to the next; false where there is none.
    fn give(&mut self, to_key: &mut Vec<u8>, to_payload: &mut Vec<u8>) -> Result<bool, Error> {
        match self {
            Self::Memory { arena, slot, rest } => {
                to_key.clear();
                to_key.extend_from_slice(slot.key(arena));
                to_payload.clear();
                to_payload.extend_from_slice(slot.payload(arena));
                let Some(next) = rest.next() else { return Ok(false) };
                *slot = *next;
            }
            Self::File { key, payload, reader } => {
                std::mem::swap(to_key, key);
                reader.bytes(*payload, to_payload)?;
                let Some(next) = reader.entry(key)? else { return Ok(false) };
                *payload = next;
            }
        }
        Ok(true)
    }
}

/// The least key is the greatest head: that is the one a heap gives.
impl Ord for Head<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        other.key().cmp(self.key())
    }
}

impl PartialOrd for Head<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Head<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Head<'_> {}

/// Writes a run: for each entry the sizes of its key and its payload, and both.
struct Writer<'a> {
    scratch: &'a Scratch,
    start: u64,
    at: u64,
    piece: usize,
    buffer: Vec<u8>,
}

impl<'a> Writer<'a> {
    fn new(scratch: &'a Scratch, size: u64, piece: usize) -> Self {
        let start = scratch.reserve(size);
        Self { scratch, start, at: start, piece, buffer: Vec::new() }
    }

    fn push(&mut self, key: &[u8], payload: &[u8]) -> Result<(), Error> {
        put_number(key.len(), &mut self.buffer);
        put_number(payload.len(), &mut self.buffer);
        self.buffer.extend_from_slice(key);
        self.buffer.extend_from_slice(payload);
        if self.buffer.len() >= self.piece { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), Error> {
        self.scratch.write(self.at, &self.buffer)?;
        self.at += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    fn finish(mut self, entries: u64) -> Result<Run, Error> {
        self.flush()?;
        Ok(Run::File { start: self.start, end: self.at, entries })
    }
}

/// Reads a run.
#[derive(Debug)]
struct Reader<'a> {
    scratch: &'a Scratch,
    /// What is after the buffer.
    at: u64,
    end: u64,
    piece: usize,
    buffer: Vec<u8>,
    next: usize,
}

impl Reader<'_> {
    /// The key of the next entry and the size of its payload, which must be read next; nothing at the end of the run.
    fn entry(&mut self, key: &mut Vec<u8>) -> Result<Option<usize>, Error> {
        if self.at == self.end && self.next == self.buffer.len() {
            return Ok(None);
        }
        let (size, payload) = (self.number()?, self.number()?);
        self.bytes(size, key)?;
        Ok(Some(payload))
    }

    fn bytes(&mut self, mut size: usize, into: &mut Vec<u8>) -> Result<(), Error> {
        into.clear();
        while size > 0 {
            let here = &self.buffer[self.next..];
            let part = &here[..here.len().min(size)];
            into.extend_from_slice(part);
            size -= part.len();
            self.next += part.len();
            if size > 0 {
                self.fill()?;
            }
        }
        Ok(())
    }

    fn number(&mut self) -> Result<usize, Error> {
        let mut number: u64 = 0;
        for shift in (0..35).step_by(7) {
            if self.next == self.buffer.len() {
                self.fill()?;
            }
            let byte = self.buffer[self.next];
            self.next += 1;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return usize::try_from(number).map_err(|_| damaged());
            }
        }
        Err(damaged())
    }

    /// Reads on, when everything in the buffer was given.
    fn fill(&mut self) -> Result<(), Error> {
        let size = usize::try_from(self.end - self.at).map_or(self.piece, |left| left.min(self.piece));
        if size == 0 {
            return Err(damaged());
        }
        self.buffer.resize(size, 0);
        self.next = 0;
        self.scratch.read(self.at, &mut self.buffer)?;
        self.at += size as u64;
        Ok(())
    }
}

fn put_number(mut number: usize, into: &mut Vec<u8>) {
    while number >= 0x80 {
        into.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    into.push(number as u8);
}

fn size_of_entry(key: usize, payload: usize) -> u64 {
    let number = |number: usize| (number.max(1).ilog2() / 7 + 1) as usize;
    (number(key) + number(payload) + key + payload) as u64
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    type Owned = (Vec<u8>, Vec<u8>);

    fn read(sorted: &Sorted) -> Vec<Owned> {
        let mut merge = sorted.read().unwrap();
        let mut entries = Vec::new();
        while let Some((key, payload)) = merge.advance().unwrap() {
            entries.push((key.to_vec(), payload.to_vec()));
        }
        entries
    }

    fn entry() -> impl Strategy<Value = (usize, usize, Owned)> {
        let key = prop_oneof![vec(0_u8..3, 0..12), vec(any::<u8>(), 0..40), vec(any::<u8>(), 120..200)];
        (0_usize..3, 0_usize..4, (key, vec(any::<u8>(), 0..150)))
    }

    proptest! {
        /// Whatever the bound, the number of sorters and the entries: what comes back is what a `Vec` would sort.
        #[test]
        fn entries_come_back_in_order(entries in vec(entry(), 0..300), bound in 1_usize..4_000, count in 1_usize..5) {
            let scratch = Arc::default();
            let mut sorters: Vec<Sorter<3>> = (0..count).map(|_| Sorter::new(&scratch, bound)).collect();
            for (stream, sorter, (key, payload)) in &entries {
                sorters[sorter % count].push(*stream, key, payload).unwrap();
            }
            let streams = Sorter::sorted(sorters).unwrap();
            for (at, sorted) in streams.iter().enumerate() {
                let mut expected: Vec<Owned> =
                    entries.iter().filter(|(stream, ..)| *stream == at).map(|(_, _, entry)| entry.clone()).collect();
                expected.sort();
                for _ in 0..2 {
                    let mut found = read(sorted);
                    prop_assert!(found.is_sorted_by_key(|(key, _)| key.clone()));
                    found.sort();
                    prop_assert_eq!(&found, &expected);
                    prop_assert_eq!(sorted.len(), expected.len() as u64);
                }
            }
        }

        #[test]
        fn the_size_of_an_entry_is_what_is_written(key in 0_usize..40_000, payload in 0_usize..40_000) {
            let mut written = Vec::new();
            put_number(key, &mut written);
            put_number(payload, &mut written);
            prop_assert_eq!(size_of_entry(key, payload), (written.len() + key + payload) as u64);
        }
    }

    #[test]
    fn what_fits_is_not_written() {
        let scratch = Arc::default();
        let mut sorter = Sorter::<1>::new(&scratch, 1 << 20);
        for at in 0..1_000_u32 {
            sorter.push(0, &at.to_be_bytes(), b"payload").unwrap();
        }
        let [sorted] = Sorter::sorted(vec![sorter]).unwrap();
        assert_eq!(read(&sorted).len(), 1_000);
        assert!(scratch.held().file.is_none());
    }

    #[test]
    fn of_runs_that_are_a_few_too_many_most_are_not_written_again() {
        // So many runs, where four can be read together, and how many of them are written again.
        for (runs, expected) in [(4_u64, 0), (5, 2), (6, 3), (7, 4), (8, 6), (40, 72)] {
            let scratch: Arc<Scratch> = Arc::default();
            let mut sorter = Sorter::<1>::new(&scratch, 4 * LEAST_PIECE);
            for at in 0..runs {
                sorter.push(0, &at.to_be_bytes(), &[0; 1_000]).unwrap();
                sorter.flush().unwrap();
            }
            let before = scratch.held().end;
            let [sorted] = Sorter::sorted(vec![sorter]).unwrap();
            assert_eq!(read(&sorted).len() as u64, runs);
            let written = (scratch.held().end - before) / (before / runs);
            assert_eq!((sorted.runs.len(), written), (4, expected), "of {runs} runs");
        }
    }

    /// A file that was opened for reading alone cannot be written to, as a disk that is full cannot.
    #[test]
    fn a_file_that_fails_is_an_error_that_says_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "").unwrap();
        let scratch = Arc::new(Scratch(Mutex::new(Held { file: Some(File::open(&path).unwrap()), end: 0 })));
        let mut sorter = Sorter::<1>::new(&scratch, 10);
        sorter.push(0, b"key", b"first").unwrap();
        let error = sorter.push(0, b"key", b"second").unwrap_err();
        assert!(error.to_string().contains("cannot be written") && error.to_string().contains("`TMPDIR`"), "{error}");

        // Cut short by somebody else while it is read.
        let scratch = Arc::default();
        let mut sorter = Sorter::<1>::new(&scratch, 10);
        for _ in 0..3 {
            sorter.push(0, b"key", &[0; 100]).unwrap();
        }
        let [sorted] = Sorter::sorted(vec![sorter]).unwrap();
        scratch.held().file.as_mut().unwrap().set_len(150).unwrap();
        let read = || -> Result<(), Error> {
            let mut merge = sorted.read()?;
            while merge.advance()?.is_some() {}
            Ok(())
        };
        assert!(read().unwrap_err().to_string().contains("cannot be read"));
    }
}
