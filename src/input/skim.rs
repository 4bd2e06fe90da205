//! Reads the few fields of a record that say which policies to ask, from its bytes, without parsing it.
//!
//! *Soundness*: a record is given with its fields only if every one of them is what a parse would find. Told as unsure,
//! so that the record is parsed, are: a wanted key twice in one object, and escapes of characters anywhere in the record,
//! which could spell a key. Left to the slow way, with everything behind them, are: text whose strings, escapes or
//! brackets do not match, envelopes whose records are split one by one, nesting deeper than 62, and whatever stands
//! between records and is not a comma or white space. What is *not* looked at are commas, colons other than those behind
//! wanted keys, words, numbers, and the items of lists: whoever passes over a record and does not trust its text has it
//! checked by a parser.
//!
//! A look-alike further inside, such as an `eventName` in `requestParameters` or in a string, is no field: names are
//! looked for in the objects that a wanted path leads through, and nowhere else.

mod wanted;

use std::sync::Arc;

use self::wanted::{LONGEST, Object};
pub(super) use self::wanted::{Wanted, can_read};
use super::masks::{Machine, Odd, Task, on_this_machine, plain_string};
use super::split::STREAMS;
use crate::record::Scope;

/// Levels that are told apart; deeper records go the slow way.
const DEEPEST: u32 = 62;

/// The fields of one record.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a> {
    /// Up to the end of the record.
    text: &'a [u8],
    /// Where the record begins in the text.
    begin: usize,
    /// Where the value of each field begins in the text; 0 where there is none.
    starts: &'a [u32],
    delivered: &'a Scope,
}

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field<'a> {
    /// There is none.
    Absent,
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A string without escapes.
    Text(&'a str),
    /// A list or an object: the text of the record from where it begins. Characters are not escaped in it but for quotes,
    /// slashes and control characters.
    Part(&'a [u8]),
    /// A number, or a string that has to be decoded.
    Other,
}

impl<'a> Fields<'a> {
    /// Whether a parser takes the record, of which nothing is known but that its strings and brackets match.
    pub fn is_json(&self) -> bool {
        is_json(&self.text[self.begin..])
    }

    /// What a field holds, by the place that [`Wanted::field`](super::Wanted::field) gives.
    pub fn get(&self, field: usize) -> Field<'a> {
        match self.raw(field) {
            [] => Field::Absent,
            [b'"', rest @ ..] => {
                if let Some(text) = plain_string(rest) {
                    return Field::Text(text);
                }
                let end = memchr::memchr2(b'"', b'\\', rest).unwrap_or(0);
                match (rest.get(end), std::str::from_utf8(&rest[..end])) {
                    (Some(b'"'), Ok(text)) => Field::Text(text),
                    _ => Field::Other,
                }
            }
            [b't', ..] => Field::Bool(true),
            [b'f', ..] => Field::Bool(false),
            [b'n', ..] => Field::Null,
            [b'{' | b'[', ..] => Field::Part(self.raw(field)),
            _ => Field::Other,
        }
    }

    /// The text of the record.
    pub fn record(&self) -> &'a [u8] {
        &self.text[self.begin..]
    }

    /// The text of the record from the value of a field on; empty where there is none.
    pub(crate) fn raw(&self, field: usize) -> &'a [u8] {
        match self.starts.get(field) {
            Some(start @ 1..) => self.text.get(*start as usize..).unwrap_or_default(),
            _ => &[],
        }
    }

    /// Whose log object the record stands in, as far as the object's path says.
    pub fn delivered(&self) -> &'a Scope {
        self.delivered
    }
}

/// Whether a parser takes a text whose strings and brackets are known to match, as it stands.
pub(super) fn is_json(text: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(text).is_ok()
}

/// A record that was found, and its fields unless they are unsure.
pub(super) struct Skimmed<'a> {
    pub(super) text: &'a [u8],
    /// Line ends before it, since the run began.
    pub(super) lines: u64,
    /// Whether lines end within it.
    pub(super) has_lines: bool,
    pub(super) fields: Option<Fields<'a>>,
}

/// What becomes of a record that was given.
pub(super) enum Taken {
    /// It is taken; the next one is wanted.
    GoOn,
    /// It is taken; the run ends behind it.
    End,
    /// It is left to the slow way; the run ends before it.
    Not,
}

/// How far a run went.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Run {
    /// Bytes up to the end of the last record that was given.
    pub(super) consumed: usize,
    /// Line ends in these.
    pub(super) lines: u64,
    /// The offset behind the last of them.
    pub(super) line_start: Option<usize>,
    /// The text ended before the next record did.
    pub(super) incomplete: bool,
}

/// Finds records in clean text.
#[derive(Debug)]
pub(super) struct Skim {
    wanted: Arc<Wanted>,
    names: Names,
    rare: Rare,
}

/// What to find, and whom to tell.
struct Search<'a, E> {
    wanted: &'a Wanted,
    names: &'a mut Names,
    rare: &'a mut Rare,
    text: &'a [u8],
    in_list: bool,
    most: usize,
    delivered: &'a Scope,
    each: E,
    run: Run,
    /// The object that names are looked for in, if the scan is right in one.
    object: &'a Object,
    /// How deep the scan is.
    depth: u32,
    /// A bit for each level, the innermost lowest: 1 for an object.
    kinds: u64,
    /// The depth of the innermost object that names are looked for in.
    looked_at: u32,
    /// The objects that names are looked for in, by depth less one.
    objects: [u16; LONGEST],
    /// Where an object begins that is looked into, and which.
    enters: usize,
    inner: u16,
    /// Where the record in hand begins, and where the next one must.
    begin: usize,
    expected: usize,
}

impl Skim {
    pub(super) fn new(wanted: Arc<Wanted>) -> Self {
        let names = Names { starts: vec![0; wanted.fields], ..Names::default() };
        Self { wanted, names, rare: Rare::default() }
    }

    /// Gives the objects at the head of `text`, one by one, until `each` says to end or something is not as expected:
    /// separated by commas in a list, else by white space alone. None is longer than `most` bytes.
    pub(super) fn run(
        &mut self,
        text: &[u8],
        in_list: bool,
        most: usize,
        delivered: &Scope,
        each: impl FnMut(Skimmed<'_>) -> Taken,
    ) -> Run {
        let text = &text[..text.len().min(u32::MAX as usize / 2)];
        self.rare.begin();
        let (wanted, names, rare) = (&*self.wanted, &mut self.names, &mut self.rare);
        let run = Run { consumed: 0, lines: 0, line_start: None, incomplete: false };
        let object = &wanted.objects[0];
        on_this_machine(Search {
            wanted,
            names,
            rare,
            text,
            in_list,
            most,
            delivered,
            each,
            run,
            object,
            depth: 0,
            kinds: 0,
            looked_at: 0,
            objects: [0; LONGEST],
            enters: usize::MAX,
            inner: 0,
            begin: 0,
            expected: 0,
        })
    }
}

impl<E: FnMut(Skimmed<'_>) -> Taken> Task for Search<'_, E> {
    type Output = Run;

    #[inline(always)]
    fn run<M: Machine>(mut self) -> Run {
        let (blocks, rest) = self.text.as_chunks::<64>();
        let mut strings = Strings::default();
        let mut base = 0;
        for block in blocks {
            if !self.block::<M>(block, base, &mut strings) {
                return self.run;
            }
            base += 64;
        }
        let mut last = [b' '; 64];
        last[..rest.len()].copy_from_slice(rest);
        if self.block::<M>(&last, base, &mut strings) {
            self.run.incomplete = !self.rare.is_odd(self.text.len());
        }
        self.run
    }
}

/// Where strings stand, from block to block.
#[derive(Default)]
struct Strings {
    /// All ones within a string.
    inside: u64,
    /// 1 when the next byte is escaped.
    escaped: u64,
}

impl<E: FnMut(Skimmed<'_>) -> Taken> Search<'_, E> {
    /// Reads a block; false at the end of the run.
    #[inline(always)]
    fn block<M: Machine>(&mut self, block: &[u8; 64], base: usize, strings: &mut Strings) -> bool {
        let masks = M::masks(block);
        let inside = if masks.is_odd || strings.escaped != 0 {
            let Odd { backslashes, controls } = M::odd(block);
            // Of a run of backslashes every second one is escaped, and so is what follows an odd run.
            const ODD: u64 = 0xAAAA_AAAA_AAAA_AAAA;
            let begins = backslashes & !strings.escaped;
            let even = ((begins << 1) | ODD).wrapping_sub(begins) ^ ODD;
            let escapes = even ^ (backslashes | strings.escaped);
            strings.escaped = (even & backslashes) >> 63;
            let inside = M::between(masks.quotes & !escapes) ^ strings.inside;
            self.rare.note(self.text, base, [inside, controls, backslashes, escapes]);
            inside
        } else {
            M::between(masks.quotes) ^ strings.inside
        };
        strings.inside = ((inside as i64) >> 63) as u64;
        let brackets = masks.brackets & !inside;
        let colons = masks.colons & !inside;
        if brackets == 0 {
            return self.depth != self.looked_at || self.colons(base, colons);
        }
        self.tokens(base, brackets, colons)
    }

    /// Takes the colons of a part of a block, in an object that names are looked for in; false at the end of the run.
    #[inline(always)]
    fn colons(&mut self, base: usize, mut colons: u64) -> bool {
        while colons != 0 {
            let at = base + colons.trailing_zeros() as usize;
            colons &= colons - 1;
            if self.object.may_end(self.text, at) && !self.colon(at) {
                return false;
            }
        }
        true
    }

    /// Takes the brackets and colons of a block with brackets; false at the end of the run.
    #[inline(never)]
    fn tokens(&mut self, base: usize, mut brackets: u64, colons: u64) -> bool {
        let mut left = colons;
        while brackets != 0 {
            // All bits up to the next bracket.
            let before = brackets ^ (brackets - 1);
            if self.depth == self.looked_at && !self.colons(base, left & before) {
                return false;
            }
            left &= !before;
            let at = base + brackets.trailing_zeros() as usize;
            brackets &= brackets - 1;
            let Some(&byte) = self.text.get(at) else { return false };
            let goes_on = if byte & 2 != 0 { self.open(at, byte) } else { self.close(at, byte) };
            if !goes_on {
                return false;
            }
        }
        self.depth != self.looked_at || self.colons(base, left)
    }

    #[inline(always)]
    fn open(&mut self, at: usize, byte: u8) -> bool {
        if (self.depth == 0 || self.enters == at) && !self.enter(at, byte) {
            return false;
        }
        self.depth += 1;
        self.kinds = self.kinds << 1 | u64::from(byte == b'{');
        self.depth <= DEEPEST
    }

    /// Enters a record, or an object that names are looked for in.
    #[inline(never)]
    fn enter(&mut self, at: usize, byte: u8) -> bool {
        if self.depth == 0 {
            if at != self.expected || byte != b'{' {
                return false;
            }
            self.begin = at;
            self.names.begin();
            self.enters = at;
            self.inner = 0;
        }
        let Some(slot) = self.objects.get_mut(self.depth as usize) else { return false };
        *slot = self.inner;
        self.looked_at = self.depth + 1;
        self.object = &self.wanted.objects[usize::from(self.inner)];
        self.enters = usize::MAX;
        true
    }

    #[inline(always)]
    fn close(&mut self, at: usize, byte: u8) -> bool {
        if self.depth == 0 || self.kinds & 1 != u64::from(byte == b'}') {
            return false;
        }
        self.kinds >>= 1;
        self.depth -= 1;
        self.depth >= self.looked_at || self.leave(at)
    }

    /// Leaves an object that names are looked for in, or the record.
    #[inline(never)]
    fn leave(&mut self, at: usize) -> bool {
        match self.depth {
            // A bracket that closes nothing.
            u32::MAX => false,
            0 => self.give(at + 1),
            depth => {
                self.looked_at = depth;
                self.object = &self.wanted.objects[usize::from(self.objects[depth as usize - 1])];
                true
            }
        }
    }

    /// A colon in an object that names are looked for in, perhaps behind one.
    #[inline(never)]
    fn colon(&mut self, at: usize) -> bool {
        let close = skip_blank_back(self.text, at);
        if self.depth == 0 || self.text.get(close) != Some(&b'"') {
            return false;
        }
        let Some(name) = self.object.find(self.text, close) else { return true };
        let value = skip_blank(self.text, at + 1);
        let first = self.text.get(value);
        if name.field < STREAMS.len() && self.depth == 1 && !self.in_list && first == Some(&b'[') {
            return false;
        }
        let start = &mut self.names.starts[name.field];
        self.names.is_unsure |= *start != 0;
        *start = value as u32;
        if let (Some(b'{'), Some(inner)) = (first, name.inner) {
            (self.enters, self.inner) = (value, inner);
        }
        true
    }

    /// Gives the record that ends here.
    #[inline(never)]
    fn give(&mut self, end: usize) -> bool {
        let text = self.text;
        if end - self.begin > self.most || self.rare.is_odd(end) {
            return false;
        }
        self.names.is_unsure |= self.rare.has_escapes(end);
        let lines = self.rare.lines_before(self.begin);
        let has_lines = self.rare.lines_before(end) > lines;
        let (record, begin) = (&text[..end], self.begin);
        let fields = Fields { text: record, begin, starts: &self.names.starts, delivered: self.delivered };
        let fields = (!self.names.is_unsure).then_some(fields);
        let goes_on = match (self.each)(Skimmed { text: &text[self.begin..end], lines, has_lines, fields }) {
            Taken::GoOn => true,
            Taken::End => false,
            Taken::Not => return false,
        };
        self.run.consumed = end;
        self.run.lines = self.rare.lines_before(end);
        self.run.line_start = self.rare.line_start();
        match next(text, end, self.in_list).filter(|_| goes_on) {
            Some(next) => {
                self.expected = next;
                true
            }
            None => false,
        }
    }
}

/// What stands in few blocks.
#[derive(Debug, Default)]
struct Rare {
    /// Line ends outside of strings, ascending, and how many of them were counted.
    lines: Vec<u32>,
    counted: usize,
    /// `u` after a backslash, ascending, and how many of them belong to records that ended.
    escapes: Vec<u32>,
    passed: usize,
    /// The first byte that valid JSON does not have in its place: a control character, an escape that there is not, a
    /// backslash outside of strings.
    odd: Option<usize>,
}

impl Rare {
    fn begin(&mut self) {
        self.lines.clear();
        self.escapes.clear();
        (self.counted, self.passed, self.odd) = (0, 0, None);
    }

    /// Looks at a block with control characters, backslashes, or an escaped byte at its beginning.
    #[inline(never)]
    fn note(&mut self, text: &[u8], base: usize, [strings, controls, backslashes, escapes]: [u64; 4]) {
        let mut odd = backslashes & !strings & !escapes;
        for place in bits(controls) {
            match text.get(base + place).copied().unwrap_or(b' ') {
                b'\n' if strings >> place & 1 == 0 => self.lines.push((base + place) as u32),
                b'\t' | b'\r' if strings >> place & 1 == 0 => {}
                _ => odd |= 1 << place,
            }
        }
        for place in bits(escapes) {
            let digits = text.get(base + place + 1..base + place + 5).unwrap_or_default();
            match text.get(base + place).copied().unwrap_or(b' ') {
                b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => {}
                b'u' if digits.len() == 4 && digits.iter().all(u8::is_ascii_hexdigit) => {
                    self.escapes.push((base + place) as u32);
                }
                _ => odd |= 1 << place,
            }
        }
        if odd != 0 && self.odd.is_none() {
            self.odd = Some(base + odd.trailing_zeros() as usize);
        }
    }

    /// Whether something odd stands before `end`.
    fn is_odd(&self, end: usize) -> bool {
        self.odd.is_some_and(|odd| odd < end)
    }

    /// Whether characters are escaped between the last time that this was asked and `end`.
    fn has_escapes(&mut self, end: usize) -> bool {
        let before = self.passed;
        while self.escapes.get(self.passed).is_some_and(|at| (*at as usize) < end) {
            self.passed += 1;
        }
        self.passed > before
    }

    fn lines_before(&mut self, at: usize) -> u64 {
        while self.lines.get(self.counted).is_some_and(|line| (*line as usize) < at) {
            self.counted += 1;
        }
        self.counted as u64
    }

    /// The offset behind the last line end that was counted.
    fn line_start(&self) -> Option<usize> {
        self.counted.checked_sub(1).map(|last| self.lines[last] as usize + 1)
    }
}

/// The places of the bits of a mask.
fn bits(mut mask: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let place = (mask != 0).then(|| mask.trailing_zeros() as usize);
        mask &= mask.wrapping_sub(1);
        place
    })
}

/// Where the next record begins behind the end of one; `None` if something else stands there, or nothing.
fn next(text: &[u8], end: usize, in_list: bool) -> Option<usize> {
    let mut at = skip_blank(text, end);
    if in_list {
        if text.get(at) != Some(&b',') {
            return None;
        }
        at = skip_blank(text, at + 1);
    }
    (text.get(at) == Some(&b'{')).then_some(at)
}

fn skip_blank(text: &[u8], mut at: usize) -> usize {
    while matches!(text.get(at), Some(b' ' | b'\t' | b'\r' | b'\n')) {
        at += 1;
    }
    at
}

/// What was found of the wanted names in a record.
#[derive(Debug, Default)]
struct Names {
    /// Where the value of each field begins; 0 where there is none.
    starts: Vec<u32>,
    is_unsure: bool,
}

impl Names {
    fn begin(&mut self) {
        self.starts.fill(0);
        self.is_unsure = false;
    }
}

/// The quote at the end of the key before a colon.
#[inline]
fn skip_blank_back(text: &[u8], colon: usize) -> usize {
    let mut at = colon.wrapping_sub(1);
    while matches!(text.get(at), Some(b' ' | b'\t' | b'\r' | b'\n')) {
        at = at.wrapping_sub(1);
    }
    at
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn skim(text: &str, in_list: bool, paths: &[&[&str]]) -> (Vec<String>, Run) {
        let wanted = Arc::new(Wanted::new(paths.iter().copied()));
        let scope = Scope::default();
        let mut told = Vec::new();
        let run = Skim::new(Arc::clone(&wanted)).run(text.as_bytes(), in_list, 1000, &scope, |record: Skimmed<'_>| {
            let text = String::from_utf8_lossy(record.text);
            told.push(match record.fields {
                None => format!("{text} unsure"),
                Some(fields) => (0..paths.len()).fold(format!("{}:", record.lines), |told, path| {
                    match wanted.field(path).map(|field| fields.get(field)) {
                        Some(Field::Part(text)) => format!("{told} Part({})", String::from_utf8_lossy(text)),
                        found => format!("{told} {found:?}"),
                    }
                }),
            });
            Taken::GoOn
        });
        (told, run)
    }

    proptest! {
        /// Letters that are few, so that names end and begin alike.
        #[test]
        fn a_key_is_found_if_it_is_a_wanted_name(
            names in proptest::collection::vec("[ab]{2,20}", 1..20),
            pick in any::<proptest::sample::Index>(),
            before in "[ab]{0,2}",
            cut in 0_usize..3,
            blank in "[ \t]{0,2}",
        ) {
            let name = pick.get(&names);
            let key = format!("{before}{}", &name[cut.min(name.len() - 1)..]);
            let paths: Vec<[&str; 1]> = names.iter().map(|name| [name.as_str()]).collect();
            let paths: Vec<&[&str]> = paths.iter().map(|path| &path[..]).collect();
            let (told, _) = skim(&format!(r#"{{{blank}"{key}"{blank}:{blank}"x"}}"#), false, &paths);
            let found = |name: &String| if *name == key { r#" Some(Text("x"))"# } else { " Some(Absent)" };
            prop_assert_eq!(told, [format!("0:{}", names.iter().map(found).collect::<String>())]);
        }
    }

    #[test]
    fn fields_are_read() {
        let text = r#"{"eventName":"A","userIdentity":{"type":"Root","eventName":"B"},"n":null}"#;
        let (told, run) = skim(text, false, &[&["eventName"], &["userIdentity", "type"], &["nn"], &["userIdentity"]]);
        let part = r#"{"type":"Root","eventName":"B"},"n":null}"#;
        assert_eq!(told, [format!(r#"0: Some(Text("A")) Some(Text("Root")) Some(Absent) Part({part})"#)]);
        assert_eq!(run, Run { consumed: text.len(), lines: 0, line_start: None, incomplete: false });
    }
}
