//! A piece of a file, split but not parsed: what passes from the thread that reads to those that open.
//!
//! *Law*: where a batch ends, and what its payloads may inflate to, depend on the text alone, not on what was passed over.

use std::ops::Range;
use std::sync::Arc;

use super::athena::Columns;
use super::envelope::Opener;
use super::{File, Sink, decode};

/// A batch is passed on when it stands for this many bytes.
const FULL: usize = 1 << 18;

/// A batch is passed on when it stands for this many slices, however short they are.
const MANY: usize = 1 << 11;

/// Slices of the text of one file, in order, and what was found broken between them.
#[derive(Debug)]
pub struct Batch {
    bytes: Vec<u8>,
    parts: Vec<Part>,
    /// Events that were passed over behind the last part.
    passed: u64,
    /// The slices that it stands for, those that were passed over among them, and their bytes.
    slices: usize,
    text: usize,
    columns: Option<Arc<Columns>>,
    max_record: usize,
}

/// One slice.
#[derive(Debug)]
struct Part {
    what: What,
    range: Range<usize>,
    line: u64,
    /// Events that were passed over between the part before and this one.
    passed: u64,
    /// Perhaps a piece of a value that was reported broken: a fault in it has been told.
    fragment: bool,
}

/// What a slice is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum What {
    /// A JSON value.
    Value,
    /// An object whose `Records` are slices of their own.
    Skeleton,
    /// A row of CSV.
    Row,
    /// The beginning of text that is not JSON.
    Garbage,
    /// The reason of a fault.
    Break,
    /// What was noted of an event that was passed over.
    Notes,
}

impl Batch {
    /// An empty batch of JSON values, none of which may stand for more than `max_record` bytes.
    pub(super) fn json(max_record: usize) -> Self {
        Self { bytes: Vec::new(), parts: Vec::new(), passed: 0, slices: 0, text: 0, columns: None, max_record }
    }

    /// An empty batch of rows of CSV.
    pub(super) fn rows(columns: Arc<Columns>, max_record: usize) -> Self {
        Self { columns: Some(columns), ..Self::json(max_record) }
    }

    pub(super) fn push(&mut self, what: What, slice: &[u8], line: u64, fragment: bool) {
        self.stands_for(slice.len());
        self.keep(what, slice, line, fragment);
    }

    fn stands_for(&mut self, bytes: usize) {
        self.slices += 1;
        self.text += bytes;
    }

    fn keep(&mut self, what: What, slice: &[u8], line: u64, fragment: bool) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(slice);
        let passed = std::mem::take(&mut self.passed);
        self.parts.push(Part { what, range: start..self.bytes.len(), line, passed, fragment });
    }

    /// Passes over an event of so many bytes, of which nothing is kept but that it was there, and what was noted.
    pub(super) fn pass_over(&mut self, bytes: usize, notes: &[u8], line: u64) {
        self.stands_for(bytes);
        if notes.is_empty() {
            self.passed += 1;
        } else {
            self.keep(What::Notes, notes, line, false);
        }
    }

    pub(super) fn push_break(&mut self, reason: impl Into<String>, line: u64) {
        self.push(What::Break, reason.into().as_bytes(), line, false);
    }

    pub(super) fn push_too_long(&mut self, line: u64) {
        let most = decode::size(self.max_record as u64);
        self.push_break(format!("a record of more than {most}; raise the limit with `--max-record`"), line);
    }

    pub(super) fn is_full(&self) -> bool {
        self.text >= FULL || self.slices >= MANY
    }

    /// Whether it holds nothing at all, not even a fault or an event that was passed over.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty() && self.passed == 0
    }

    /// Bytes of text and notes that it holds.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Parses the slices, unwraps their envelopes and gives what is found to `sink`: events first to last, then the
    /// faults. Pure: batches of a file may be opened in any order, on any thread.
    ///
    /// The position of an event counts the events of this batch from 1: whoever puts batches together adds the number
    /// of events in the batches before it. The position of a fault is 0, its line is known.
    pub fn open(&self, file: &File, sink: &mut dyn Sink) {
        let mut opener = Opener::new(file, sink, self.max_record, self.text);
        self.open_into(&mut opener, 0);
        opener.finish();
    }

    /// Opens slices that stand on lines of their own, or (within an envelope) all on the line of the envelope.
    pub(super) fn open_into(&self, opener: &mut Opener<'_>, depth: u32) {
        for part in &self.parts {
            let slice = &self.bytes[part.range.clone()];
            opener.pass_over(part.passed);
            if depth == 0 {
                opener.at(part.line, part.fragment);
            }
            match part.what {
                What::Value => opener.slice(slice, depth),
                What::Skeleton => opener.skeleton(slice, depth),
                What::Row => match &self.columns {
                    Some(columns) => opener.row(columns, slice),
                    None => opener.fault("a row of CSV without a header"),
                },
                What::Garbage => opener.fault(super::garbage::describe(slice)),
                What::Break => opener.fault(String::from_utf8_lossy(slice)),
                What::Notes => opener.noted(slice),
            }
        }
        opener.pass_over(self.passed);
    }

    /// Events that were passed over.
    #[cfg(test)]
    pub(super) fn passed_over(&self) -> u64 {
        self.passed + self.parts.iter().map(|part| part.passed).sum::<u64>()
    }

    /// The slices as kind, bytes and line: what tests compare.
    #[cfg(test)]
    pub(super) fn slices(&self) -> impl Iterator<Item = (What, &[u8], u64, bool)> {
        self.parts.iter().map(|part| (part.what, &self.bytes[part.range.clone()], part.line, part.fragment))
    }
}
