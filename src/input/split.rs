//! Splits text into the JSON values it holds, one record at a time, by matching brackets.
//!
//! The lists of `{"Records": [...]}` and `{"Events": [...]}`, wherever the key stands, and lists at the top are split
//! into their items; any other value is one slice. Nothing is parsed here.
//!
//! *Laws*: the slices do not depend on how the text was cut into chunks. Every byte is scanned a bounded number of
//! times, whatever the text. What is left out is told by a break or as garbage: damage ends the value it is found in,
//! and reading goes on at the next line that starts with a bracket or at the next `{"eventVersion"`, which no string
//! can hold unescaped, and which is not a member of something that is no envelope: what a call was given may look like a record.

mod garbage;

use std::mem;

use super::batch::{Batch, What};
use super::skim::{Skim, Skimmed, Taken, is_json};
use super::{Route, event};
use crate::record::Scope;

/// Every log object CloudTrail writes begins its records so.
const RECORD_HEAD: &[u8] = b"{\"eventVersion\"";

/// The keys of lists whose items are records.
pub(super) const STREAMS: [&str; 2] = ["Records", "Events"];

/// How much of a value too long to hold, and of garbage, is kept, so that a key cut by the end of a chunk is still known.
const TAIL: usize = 64;

/// An incomplete record of at most so many bytes waits for more text; a longer one is scanned as it comes.
const WAITS: usize = 1 << 20;

/// What passes over the events that nobody asks for.
pub(super) struct Skimming<'r> {
    pub(super) skim: &'r mut Skim,
    pub(super) route: &'r mut dyn Route,
    pub(super) delivered: &'r Scope,
    /// What is passed over need not be checked to be JSON.
    pub(super) is_trusted: bool,
    /// What is noted of the event in hand.
    pub(super) notes: Vec<u8>,
}

/// Splits text that arrives in chunks.
pub(super) struct Splitter<'r> {
    max: usize,
    pub(super) skimming: Option<Skimming<'r>>,
    buf: Vec<u8>,
    /// Offset of `buf[0]` in the text.
    base: u64,
    /// Everything in `buf` before it is scanned.
    at: usize,
    line: u64,
    /// Offset in the text of the first byte of the line.
    line_start: u64,
    /// Only white space stands between the start of the line and `at`.
    fresh: bool,
    mode: Mode,
    frame: Frame,
    /// Where the value in hand begins.
    held: Held,
    scan: Scan,
    /// The object whose `Records` are streamed, without them.
    skeleton: Option<Skeleton>,
    trouble: Trouble,
    /// After damage, separators and brackets of lists that are no longer known are passed over at the top.
    loose: bool,
    after_value: bool,
    /// The column at which the last broken value began.
    broken_column: u64,
    /// Offset in the text from which on it is taken for garbage.
    garbage_from: u64,
    sample: Option<Vec<u8>>,
    sample_line: u64,
    furthest: u64,
    rescanned: u64,
    batch: Batch,
}

#[derive(Clone, Copy, PartialEq)]
enum Mode {
    /// Looks for the start of a value.
    Between,
    /// In an object, a list or a string.
    Value,
    /// In a number or a word within a list.
    Scalar,
    /// Looks for a place to go on after damage.
    Garbage,
}

/// What the value in hand stands in.
#[derive(Clone, Copy, PartialEq)]
enum Frame {
    Top,
    /// A list at the top.
    List,
    /// The list of `Records` of an object at the top.
    Records,
}

#[derive(Clone, Copy, Default)]
struct Held {
    /// Index in `buf`.
    start: usize,
    /// Bytes of it that are no longer in `buf`, because it is too long to hold.
    dropped: u64,
    line: u64,
    line_start: u64,
    column: u64,
    /// It may be a piece of a value that was reported broken.
    fragment: bool,
}

/// Where the scan of the value in hand stands.
#[derive(Clone, Copy, Default)]
struct Scan {
    depth: u32,
    /// One bit a level, lowest outermost: 1 is an object. Levels below the 128th are counted, not told apart.
    kinds: u128,
    in_string: bool,
    escaped: bool,
    string_start: u64,
    /// The last byte that is not white space; `"` for the end of a string.
    prev: u8,
    /// The last string names a list that is streamed.
    streams: bool,
}

struct Skeleton {
    text: Vec<u8>,
    too_long: bool,
    line: u64,
    fragment: bool,
}

/// Where the scan of a value stopped.
enum Step {
    /// At the end of the chunk.
    More,
    /// At the end of the value.
    Complete,
    /// At a list whose items are split.
    Stream,
    /// At damage.
    Break(&'static str),
}

/// How far damage reaches: contiguous damage is one fault.
#[derive(Clone, Copy, PartialEq)]
enum Trouble {
    None,
    /// Reported, and no whole value since.
    Broken,
    /// A whole value since; `inside` when what followed it shows that it stood within something broken.
    Since {
        inside: bool,
    },
}

impl<'r> Splitter<'r> {
    /// Splits into values of at most `max` bytes.
    pub(super) fn new(max: usize) -> Self {
        Self {
            max,
            skimming: None,
            buf: Vec::new(),
            base: 0,
            at: 0,
            line: 1,
            line_start: 0,
            fresh: true,
            mode: Mode::Between,
            frame: Frame::Top,
            held: Held::default(),
            scan: Scan::default(),
            skeleton: None,
            trouble: Trouble::None,
            loose: false,
            after_value: false,
            broken_column: 0,
            garbage_from: 0,
            sample: None,
            sample_line: 1,
            furthest: 0,
            rescanned: 0,
            batch: Batch::json(max),
        }
    }

    /// Takes the next chunk of the text.
    pub(super) fn feed(&mut self, chunk: &[u8], batches: &mut dyn FnMut(Batch)) {
        self.buf.extend_from_slice(chunk);
        self.run(false, batches);
        self.compact();
    }

    /// Takes all of the text. Gives the last batch, and the text back.
    pub(super) fn whole(mut self, text: Vec<u8>, batches: &mut dyn FnMut(Batch)) -> (Batch, Vec<u8>) {
        self.buf = text;
        let last = self.end(None, batches);
        (last, self.buf)
    }

    /// Takes the end of the text; `broken` is the reason when it is not the end that was written. Gives the last batch.
    pub(super) fn finish(mut self, broken: Option<String>, batches: &mut dyn FnMut(Batch)) -> Batch {
        self.end(broken, batches)
    }

    fn end(&mut self, mut broken: Option<String>, batches: &mut dyn FnMut(Batch)) -> Batch {
        loop {
            self.run(true, batches);
            if self.mode == Mode::Garbage {
                self.tell_garbage();
                break;
            }
            let whole = self.mode == Mode::Between && self.frame == Frame::Top && self.skeleton.is_none();
            if whole {
                break;
            }
            let told = self.trouble != Trouble::Broken;
            let reason = match broken.clone() {
                Some(reason) => reason,
                None if self.mode == Mode::Between => "ends in the middle of a list; fetch the file again".to_owned(),
                None => "ends in the middle of a record; fetch the file again".to_owned(),
            };
            if self.mode == Mode::Between {
                self.give_up_list(reason);
            } else {
                self.give_up_value(reason);
            }
            if told {
                broken = None;
            }
        }
        if let Some(reason) = broken {
            self.batch.push_break(reason, self.line);
        }
        mem::replace(&mut self.batch, Batch::json(self.max))
    }

    fn run(&mut self, last: bool, batches: &mut dyn FnMut(Batch)) {
        while self.at < self.buf.len() {
            let goes_on = match self.mode {
                Mode::Between => self.between(last),
                Mode::Value => {
                    self.value();
                    true
                }
                Mode::Scalar => {
                    self.scalar();
                    true
                }
                Mode::Garbage => self.garbage(last),
            };
            self.furthest = self.furthest.max(self.here());
            if self.batch.is_full() {
                batches(mem::replace(&mut self.batch, Batch::json(self.max)));
            }
            if !goes_on {
                break;
            }
        }
    }

    /// Offset of `at` in the text.
    fn here(&self) -> u64 {
        self.base + self.at as u64
    }

    /// Forgets what is scanned and not held.
    fn compact(&mut self) {
        let in_value = matches!(self.mode, Mode::Value | Mode::Scalar);
        if in_value && self.at - self.held.start > self.max {
            let start = (self.at - TAIL.min(self.at)).max(self.held.start);
            self.held.dropped += (start - self.held.start) as u64;
            self.held.start = start;
        }
        let keep = match self.mode {
            Mode::Value | Mode::Scalar => self.held.start,
            Mode::Garbage => self.at.saturating_sub(TAIL),
            Mode::Between => self.at,
        };
        self.buf.drain(..keep);
        self.base += keep as u64;
        self.at -= keep;
        self.held.start = self.held.start.saturating_sub(keep);
    }

    /// One byte between values. False when more text is needed to tell what it is.
    fn between(&mut self, last: bool) -> bool {
        let byte = self.buf[self.at];
        let top = self.frame == Frame::Top;
        let is_clean = self.trouble == Trouble::None && !self.loose && (top || matches!(self.scan.prev, b',' | b'['));
        if byte == b'{'
            && is_clean
            && let Some(goes_on) = self.skim(last)
        {
            return goes_on;
        }
        match byte {
            b'\n' => self.newline(),
            // RFC 7464 puts a record separator before each value.
            b' ' | b'\t' | b'\r' | 0x1E => {
                let blank = self.buf[self.at..].iter().take_while(|byte| **byte == b' ').count();
                self.at += blank.max(1);
            }
            b',' if !top || self.after_value || self.loose => {
                self.after_value = false;
                self.scan.prev = byte;
                self.step_inside(top);
            }
            b']' if self.frame == Frame::List => {
                self.frame = Frame::Top;
                self.after_value = true;
                self.step();
            }
            b']' if self.frame == Frame::Records => {
                self.frame = Frame::Top;
                self.hold(Mode::Value);
                self.scan = Scan { depth: 1, kinds: 1, prev: b']', ..Scan::default() };
                self.step();
            }
            b']' | b'}' if top && self.loose => self.step_inside(true),
            b'{' | b'[' if !top && self.fresh && !matches!(self.scan.prev, b',' | b'[') => {
                self.give_up_list("a list breaks off before this line; fetch the file again".to_owned());
            }
            b'[' if top => {
                self.value_starts();
                self.frame = Frame::List;
                self.scan.prev = b'[';
                self.step();
            }
            b'{' | b'[' => {
                if top {
                    self.value_starts();
                }
                self.hold(Mode::Value);
                self.scan = Scan { depth: 1, kinds: u128::from(byte == b'{'), prev: byte, ..Scan::default() };
                self.step();
            }
            b'"' if !(top && self.loose) => {
                self.hold(Mode::Value);
                self.scan = Scan { in_string: true, string_start: self.here(), ..Scan::default() };
                self.step();
            }
            b'}' if !top => self.give_up_list("not JSON: `}` where `]` or a record was expected".to_owned()),
            0xEF if top
                && !last
                && b"\xEF\xBB\xBF".starts_with(&self.buf[self.at..])
                && self.buf.len() - self.at < 3 =>
            {
                return false;
            }
            0xEF if top && self.buf[self.at..].starts_with(b"\xEF\xBB\xBF") => self.at += 3,
            _ if top => self.garbage_starts(),
            _ => {
                self.hold(Mode::Scalar);
                self.step();
            }
        }
        true
    }

    /// Takes the whole records that stand here the fast way, and keeps those that are asked for. `Some(false)` when the
    /// next one needs more text, `None` when it must go the slow way.
    fn skim(&mut self, last: bool) -> Option<bool> {
        let Skimming { skim, route, delivered, is_trusted, notes } = self.skimming.as_mut()?;
        let (batch, line, is_trusted) = (&mut self.batch, self.line, *is_trusted);
        let text = &self.buf[self.at..];
        let each = |record: Skimmed<'_>| {
            // Brackets match in much that is no JSON; where it ends, and what tells of it, is the slow way's to say. Lines end
            // within no record of a log object as CloudTrail writes it, but where one broke off.
            if (!is_trusted || record.has_lines) && !is_json(record.text) {
                return Taken::Not;
            }
            notes.clear();
            let passes = record
                .fields
                .is_some_and(|fields| event::is_surely_event(&fields) && route.passes_over(&fields, notes));
            match passes {
                true => batch.pass_over(record.text.len(), notes, line + record.lines),
                false => batch.push(What::Value, record.text, line + record.lines, false),
            }
            if batch.is_full() { Taken::End } else { Taken::GoOn }
        };
        let run = skim.run(text, self.frame != Frame::Top, self.max, delivered, each);
        if run.consumed == 0 {
            return (run.incomplete && !last && text.len() < WAITS).then_some(false);
        }
        self.line += run.lines;
        if let Some(start) = run.line_start {
            self.line_start = self.here() + start as u64;
        }
        self.at += run.consumed;
        self.fresh = false;
        self.scan.prev = b'}';
        self.after_value = true;
        Some(true)
    }

    fn step(&mut self) {
        self.at += 1;
        self.fresh = false;
    }

    /// Passes over a separator or a closing bracket; at the top it shows that what came before stood inside something.
    fn step_inside(&mut self, top: bool) {
        if let (true, Trouble::Since { inside }) = (top, &mut self.trouble) {
            *inside = true;
        }
        self.step();
    }

    fn newline(&mut self) {
        self.at += 1;
        self.line += 1;
        self.line_start = self.here();
        self.fresh = true;
    }

    /// A bracket at the top right after a whole value, or at the very start of a line: the damage is over.
    fn value_starts(&mut self) {
        let first = self.here() == self.line_start;
        if matches!(self.trouble, Trouble::Since { inside } if first || !inside) {
            self.trouble = Trouble::None;
        }
    }

    fn hold(&mut self, mode: Mode) {
        let column = self.here() - self.line_start;
        self.mode = mode;
        self.held = Held {
            start: self.at,
            dropped: 0,
            line: self.line,
            line_start: self.line_start,
            column,
            fragment: matches!(self.trouble, Trouble::Broken | Trouble::Since { inside: true })
                && column > self.broken_column,
        };
    }

    /// Scans the value in hand to its end, to damage, or to the end of the chunk.
    fn value(&mut self) {
        match self.scan_value() {
            Step::More => {}
            Step::Complete => self.complete(),
            Step::Stream => self.stream(),
            Step::Break(reason) => self.give_up_value(reason.to_owned()),
        }
    }

    /// Every byte of a file goes through this loop: its state is in locals.
    fn scan_value(&mut self) -> Step {
        let buf = self.buf.as_slice();
        let mut scan = self.scan;
        let (mut at, mut line, mut line_start, mut fresh) = (self.at, self.line, self.line_start, self.fresh);
        let step = loop {
            let Some(&byte) = buf.get(at) else { break Step::More };
            if scan.in_string {
                fresh = false;
                if mem::take(&mut scan.escaped) && byte != b'\n' {
                    at += 1;
                    continue;
                }
                let rest = &buf[at..];
                let found = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | b'\n'));
                at += found.unwrap_or(rest.len());
                match buf.get(at) {
                    None => break Step::More,
                    Some(b'\\') => scan.escaped = true,
                    Some(b'\n') => {
                        break Step::Break(
                            "a record breaks off at the end of a line, in a string; fetch the file again",
                        );
                    }
                    Some(_) => {
                        scan.in_string = false;
                        if scan.depth == 1 && matches!(scan.prev, b'{' | b',') {
                            scan.streams = names_a_stream(buf, scan.string_start.checked_sub(self.base), at);
                        }
                        scan.prev = b'"';
                        if scan.depth == 0 {
                            at += 1;
                            break Step::Complete;
                        }
                    }
                }
                at += 1;
                continue;
            }
            match byte {
                b'\n' => {
                    at += 1;
                    line += 1;
                    line_start = self.base + at as u64;
                    fresh = true;
                    continue;
                }
                b' ' | b'\t' | b'\r' => {
                    at += 1;
                    continue;
                }
                b'"' => {
                    scan.in_string = true;
                    scan.string_start = self.base + at as u64;
                }
                b'{' | b'[' => {
                    if fresh && !matches!(scan.prev, b',' | b'[' | b':' | b'{') {
                        break Step::Break("a record breaks off before this line; fetch the file again");
                    }
                    let streamed = scan.streams && scan.depth == 1 && scan.prev == b':';
                    if byte == b'[' && streamed && self.frame == Frame::Top {
                        break Step::Stream;
                    }
                    if scan.depth < 128 {
                        let bit = 1 << scan.depth;
                        scan.kinds = if byte == b'{' { scan.kinds | bit } else { scan.kinds & !bit };
                    }
                    scan.depth += 1;
                    scan.prev = byte;
                }
                b'}' | b']' => {
                    let object = scan.depth > 128 || scan.kinds >> (scan.depth - 1) & 1 == 1;
                    match byte {
                        b'}' if !object => break Step::Break("not JSON: `}` where `]` was expected"),
                        b']' if object && scan.depth <= 128 => {
                            break Step::Break("not JSON: `]` where `}` was expected");
                        }
                        _ => {}
                    }
                    scan.depth -= 1;
                    scan.prev = byte;
                    if scan.depth == 0 {
                        at += 1;
                        fresh = false;
                        break Step::Complete;
                    }
                }
                other => scan.prev = other,
            }
            at += 1;
            fresh = false;
        };
        (self.scan, self.at, self.line, self.line_start, self.fresh) = (scan, at, line, line_start, fresh);
        step
    }

    /// Enters the list of `Records`.
    fn stream(&mut self) {
        self.step();
        self.grow_skeleton();
        self.mode = Mode::Between;
        self.frame = Frame::Records;
        self.scan = Scan { prev: b'[', ..Scan::default() };
    }

    /// Adds the segment in hand to the object whose `Records` are streamed.
    fn grow_skeleton(&mut self) {
        let skeleton = self.skeleton.get_or_insert_with(|| Skeleton {
            text: Vec::new(),
            too_long: false,
            line: self.held.line,
            fragment: self.held.fragment,
        });
        let segment = &self.buf[self.held.start..self.at];
        if self.held.dropped > 0 || skeleton.text.len() + segment.len() > self.max {
            skeleton.too_long = true;
            skeleton.text.clear();
        }
        if !skeleton.too_long {
            skeleton.text.extend_from_slice(segment);
        }
    }

    fn held_len(&self) -> u64 {
        self.held.dropped + (self.at - self.held.start) as u64
    }

    /// Emits the value in hand.
    fn complete(&mut self) {
        if self.skeleton.is_some() && self.frame == Frame::Top {
            self.grow_skeleton();
        }
        match self.skeleton.take() {
            Some(skeleton) if self.frame == Frame::Top && skeleton.too_long => self.batch.push_too_long(skeleton.line),
            Some(skeleton) if self.frame == Frame::Top => {
                self.batch.push(What::Skeleton, &skeleton.text, skeleton.line, skeleton.fragment);
            }
            other => {
                self.skeleton = other;
                if self.held_len() > self.max as u64 {
                    self.batch.push_too_long(self.held.line);
                } else {
                    let slice = &self.buf[self.held.start..self.at];
                    self.batch.push(What::Value, slice, self.held.line, self.held.fragment);
                }
            }
        }
        self.scan.prev = b'}';
        self.mode = Mode::Between;
        self.after_value = true;
        if self.trouble == Trouble::Broken {
            self.trouble = Trouble::Since { inside: false };
        }
    }

    /// Scans a number or a word in a list.
    fn scalar(&mut self) {
        let rest = &self.buf[self.at..];
        let ends = |byte: &u8| matches!(byte, b',' | b']' | b'}' | b'{' | b'[' | b'"' | b' ' | b'\t' | b'\r' | b'\n');
        match rest.iter().position(ends) {
            Some(0) => self.complete(),
            Some(found) => self.at += found,
            None => self.at = self.buf.len(),
        }
    }

    /// Tells of damage, once for contiguous damage.
    fn tell(&mut self, reason: String, line: u64) {
        if self.trouble != Trouble::Broken {
            self.batch.push_break(reason, line);
        }
        self.trouble = Trouble::Broken;
        self.loose = true;
        self.frame = Frame::Top;
        self.skeleton = None;
    }

    /// Damage between the items of a list: goes on right here, at the top.
    fn give_up_list(&mut self, reason: String) {
        self.tell(reason, self.line);
        self.broken_column = self.here() - self.line_start;
        self.mode = Mode::Between;
    }

    /// Damage in the value in hand: looks for records from its second byte on, if that has not been done too often.
    fn give_up_value(&mut self, reason: String) {
        self.tell(reason, self.held.line);
        self.broken_column = self.held.column;
        self.mode = Mode::Garbage;
        self.furthest = self.furthest.max(self.here());
        let again = self.held_len();
        if again > self.max as u64 || self.rescanned + again > 4 * self.furthest + (1 << 20) {
            self.garbage_from = self.here();
            return;
        }
        self.rescanned += again;
        self.garbage_from = self.base + self.held.start as u64;
        self.at = self.held.start + 1;
        self.line = self.held.line;
        self.line_start = self.held.line_start;
        self.fresh = false;
    }
}

/// Whether the string between `start` and `end` is the key of a list whose items are split.
fn names_a_stream(buf: &[u8], start: Option<u64>, end: usize) -> bool {
    let start = start.and_then(|start| usize::try_from(start).ok());
    start.and_then(|start| buf.get(start + 1..end)).is_some_and(|key| STREAMS.iter().any(|name| name.as_bytes() == key))
}

#[cfg(test)]
mod tests;
