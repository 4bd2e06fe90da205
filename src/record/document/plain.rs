//! Reads JSON text into a document in one pass over its bytes: the plain way, which leaves everything odd to a careful one.
//!
//! *Law*: what it reads is, cell by cell, what serde_json reads into the same document; what it gives up on is left as it
//! was. It gives up on text that is not JSON, on a key that an object has twice, on escapes and numbers that serde_json
//! refuses, and where containers are nested deeper than [`DEEPEST`].

use serde::de::DeserializeSeed;

use super::careful::{Builder, Fill, has_twice};
use super::{Cell, Document};

/// Containers in containers; what is nested deeper is read the careful way, which bounds it, too.
const DEEPEST: u32 = 64;

/// Reads values from text, one after another, into one document.
pub(super) struct Plain<'t> {
    bytes: &'t [u8],
    at: usize,
    /// From 1: in what is plain, lines end between values alone.
    line: u32,
    cells: Vec<Cell>,
    /// Every string in it begins a character, and the whole is checked to be UTF-8 in the end.
    text: Vec<u8>,
    /// The last name of each hash; none in a short text.
    names: Vec<Name>,
    /// The hashes of the names of every map that is open.
    hashes: Vec<u64>,
}

impl<'t> Plain<'t> {
    /// A reader of a text of less than 4 GiB: so every place in it, and every number of cells, fits 32 bits.
    pub(super) fn new(bytes: &'t [u8]) -> Option<Self> {
        u32::try_from(bytes.len()).ok().map(|_| Self {
            bytes,
            at: 0,
            line: 1,
            cells: Vec::with_capacity(64),
            text: Vec::with_capacity(bytes.len()),
            names: vec![Name::default(); if bytes.len() < SHORT { 0 } else { NAMES }],
            hashes: Vec::new(),
        })
    }

    /// The place of the next value, or of the end of the text.
    pub(super) fn next_at(&mut self) -> usize {
        self.skip_space();
        self.at
    }

    /// Reads the next value, and gives its place in the document; gives it up, with nothing added, where it is odd.
    pub(super) fn read(&mut self) -> Option<u32> {
        let (at, line, cells, text) = (self.at, self.line, self.cells.len(), self.text.len());
        if self.value(DEEPEST).is_some() {
            return Some(cells as u32);
        }
        (self.at, self.line) = (at, line);
        self.cells.truncate(cells);
        self.text.truncate(text);
        self.names.fill(Name::default());
        self.hashes.clear();
        None
    }

    /// What was read; `None` if a string in it is not UTF-8.
    pub(super) fn finish(self) -> Option<Document> {
        Some(Document { cells: self.cells, text: String::from_utf8(self.text).ok()? })
    }

    /// The next byte that is not white space.
    #[inline]
    fn peek(&mut self) -> Option<u8> {
        match self.bytes.get(self.at) {
            Some(byte) if *byte > b' ' => Some(*byte),
            _ => {
                self.skip_space();
                self.bytes.get(self.at).copied()
            }
        }
    }

    fn skip_space(&mut self) {
        while let Some(space @ (b' ' | b'\n' | b'\r' | b'\t')) = self.bytes.get(self.at) {
            self.at += 1;
            self.line += u32::from(*space == b'\n');
            // Programs that print for people write long runs.
            while let Some(word) = word_at(self.bytes, self.at) {
                let spaces = (word ^ (ONES * 0x20)).trailing_zeros() as usize / 8;
                self.at += spaces;
                if spaces < 8 {
                    break;
                }
            }
        }
    }

    fn value(&mut self, room: u32) -> Option<()> {
        match self.peek()? {
            b'"' => {
                let (start, end, is_escaped) = self.string()?;
                if is_escaped { self.push_escaped(start, end) } else { self.push_text(start, end) }
            }
            b'{' => self.map(room.checked_sub(1)?),
            b'[' => self.list(room.checked_sub(1)?),
            b't' => self.word(b"true", Cell::Bool(true)),
            b'f' => self.word(b"false", Cell::Bool(false)),
            b'n' => self.word(b"null", Cell::Null),
            _ => self.number(),
        }
    }

    fn map(&mut self, room: u32) -> Option<()> {
        let (at, line) = self.open();
        let mut len = 0;
        let (first, mut may_repeat) = (self.hashes.len(), false);
        if self.peek()? == b'}' {
            self.at += 1;
        } else {
            loop {
                if self.peek()? != b'"' {
                    return None;
                }
                let hash = self.name()?;
                let before = &self.hashes[first..];
                may_repeat |= before.len() > MANY || before.contains(&hash);
                self.hashes.push(hash);
                if self.peek()? != b':' {
                    return None;
                }
                self.at += 1;
                self.value(room)?;
                len += 1;
                if !self.goes_on(b'}')? {
                    break;
                }
            }
        }
        self.hashes.truncate(first);
        if may_repeat && self.repeats(at, len) {
            return None;
        }
        self.cells[at] = Cell::Map { len, end: self.cells.len() as u32, line };
        Some(())
    }

    /// Whether a comma stands here, and not the bracket that closes.
    #[inline(always)]
    fn goes_on(&mut self, close: u8) -> Option<bool> {
        let next = self.peek()?;
        self.at += 1;
        match next {
            b',' => Some(true),
            next if next == close => Some(false),
            _ => None,
        }
    }

    fn list(&mut self, room: u32) -> Option<()> {
        let (at, line) = self.open();
        let mut len = 0;
        if self.peek()? == b']' {
            self.at += 1;
        } else {
            loop {
                self.value(room)?;
                len += 1;
                if !self.goes_on(b']')? {
                    break;
                }
            }
        }
        self.cells[at] = Cell::List { len, end: self.cells.len() as u32, line };
        Some(())
    }

    /// Begins a container: the place of its cell, which is set at its end, and its line.
    fn open(&mut self) -> (usize, u32) {
        let opened = (self.cells.len(), self.line);
        self.cells.push(Cell::Null);
        self.at += 1;
        opened
    }

    /// True if a name stands twice in the map of `len` members that was opened at `at`.
    fn repeats(&self, at: usize, len: u32) -> bool {
        let mut next = at + 1;
        let names = (0..len).map(|_| {
            let name = match self.cells[next] {
                Cell::Text { start, end } => &self.text[start as usize..end as usize],
                _ => &[],
            };
            next = match self.cells[next + 1] {
                Cell::List { end, .. } | Cell::Map { end, .. } => end as usize,
                _ => next + 2,
            };
            name
        });
        has_twice(names.collect())
    }

    /// Reads a member's name; its hash, which another name may have, too.
    fn name(&mut self) -> Option<u64> {
        let (start, end, is_escaped) = self.string()?;
        if is_escaped {
            let from = self.text.len();
            self.push_escaped(start, end)?;
            return Some(Ends::of(&self.text, from, self.text.len()).hash());
        }
        let ends = Ends::of(self.bytes, start, end);
        let hash = ends.hash();
        let slot = self.names.get_mut((hash >> 32) as usize % NAMES);
        let known = slot.as_deref().filter(|known| {
            known.ends == ends
                && (ends.len <= 16 || self.text[known.start as usize..known.end as usize] == self.bytes[start..end])
        });
        if let Some(Name { start, end, .. }) = known {
            self.cells.push(Cell::Text { start: *start, end: *end });
        } else {
            let name = Name { ends, start: self.text.len() as u32, end: (self.text.len() + end - start) as u32 };
            if let Some(slot) = slot {
                *slot = name;
            }
            self.push_text(start, end)?;
        }
        Some(hash)
    }

    /// Steps over a string: its bounds within the quotes, and whether it has escapes.
    #[inline]
    fn string(&mut self) -> Option<(usize, usize, bool)> {
        let start = self.at + 1;
        let mut at = start;
        let mut is_escaped = false;
        loop {
            match word_at(self.bytes, at).map(special_in) {
                Some(8) => {
                    at += 8;
                    continue;
                }
                Some(plain) => at += plain,
                None => {
                    let rest = self.bytes.get(at..)?;
                    at += rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20))?;
                }
            }
            match self.bytes[at] {
                b'"' => break,
                b'\\' => {
                    is_escaped = true;
                    at += 2;
                }
                _ => return None,
            }
        }
        self.at = at + 1;
        Some((start, at, is_escaped))
    }

    /// Adds a string without escapes.
    #[inline]
    fn push_text(&mut self, start: usize, end: usize) -> Option<()> {
        // A character may not go on from one string into the next.
        if self.bytes[start] & 0xC0 == 0x80 {
            return None;
        }
        let (from, len) = (self.text.len(), end - start);
        match self.bytes[start..].first_chunk::<32>() {
            // Most are short, and a copy of known length is no call.
            Some(chunk) if len <= 32 => {
                self.text.extend_from_slice(chunk);
                self.text.truncate(from + len);
            }
            _ => self.text.extend_from_slice(&self.bytes[start..end]),
        }
        self.cells.push(Cell::Text { start: from as u32, end: (from + len) as u32 });
        Some(())
    }

    /// Adds a string with escapes.
    fn push_escaped(&mut self, start: usize, end: usize) -> Option<()> {
        let decoded: String = serde_json::from_slice(&self.bytes[start - 1..=end]).ok()?;
        let from = self.text.len();
        self.text.extend_from_slice(decoded.as_bytes());
        self.cells.push(Cell::Text { start: from as u32, end: self.text.len() as u32 });
        Some(())
    }

    fn word(&mut self, word: &[u8], cell: Cell) -> Option<()> {
        self.bytes[self.at..].starts_with(word).then(|| {
            self.at += word.len();
            self.cells.push(cell);
        })
    }

    fn number(&mut self) -> Option<()> {
        let rest = &self.bytes[self.at..];
        let sign = usize::from(rest.first() == Some(&b'-'));
        let digits = &rest[sign..];
        let count = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let goes_on = matches!(digits.get(count), Some(b'.' | b'e' | b'E'));
        // `-0` is not the number 0, and no other number begins with it.
        let is_plain = digits.first() != Some(&b'0') || count == 1 && sign == 0;
        if (1..=18).contains(&count) && !goes_on && is_plain {
            let number = digits[..count].iter().fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'));
            self.cells.push(Cell::Int(if sign > 0 { -number } else { number }));
            self.at += sign + count;
            return Some(());
        }
        let len = rest.iter().take_while(|byte| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E')).count();
        let mut careful = Builder { cells: Vec::new(), text: String::new(), duplicate_key: false };
        let mut json = serde_json::Deserializer::from_slice(&rest[..len]);
        Fill(&mut careful).deserialize(&mut json).ok()?;
        json.end().ok()?;
        self.cells.append(&mut careful.cells);
        self.at += len;
        Some(())
    }
}

const ONES: u64 = 0x0101_0101_0101_0101;

#[inline]
fn word_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..at + 8)?.first_chunk().map(|word| u64::from_le_bytes(*word))
}

/// The place of the first quote, backslash or control character of a word; 8 if it has none.
#[inline]
fn special_in(word: u64) -> usize {
    // The high bit of each byte that is less than `than`; a borrow can only add bytes above a true one.
    let less = |word: u64, than: u8| word.wrapping_sub(ONES * u64::from(than)) & !word;
    let is = |byte: u8| less(word ^ (ONES * u64::from(byte)), 1);
    ((is(b'"') | is(b'\\') | less(word, 0x20)) & (ONES << 7)).trailing_zeros() as usize / 8
}

/// How many names are remembered.
const NAMES: usize = 256;

/// In a map of more names they are not compared one by one.
const MANY: usize = 32;

/// In shorter texts names are not remembered.
const SHORT: usize = 16 << 10;

/// A name that stands in the document already: a thousand resources have the same ones.
#[derive(Clone, Copy, Default)]
struct Name {
    ends: Ends,
    start: u32,
    end: u32,
}

/// Eight bytes from either end of a name, and its length: all of it up to 16 bytes.
#[derive(Clone, Copy, Default, PartialEq)]
struct Ends {
    head: u64,
    tail: u64,
    len: usize,
}

impl Ends {
    #[inline]
    fn of(bytes: &[u8], start: usize, end: usize) -> Self {
        let len = end - start;
        let head = match word_at(bytes, start) {
            Some(word) if len >= 8 => word,
            Some(word) => word & ((1 << (8 * len)) - 1),
            None => bytes[start..end].iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)),
        };
        let tail = if len > 8 { word_at(bytes, end - 8).unwrap_or_default() } else { 0 };
        Self { head, tail, len }
    }

    /// Tells names apart well enough; nothing depends on it but speed.
    #[inline]
    fn hash(self) -> u64 {
        (self.head ^ self.tail.rotate_left(32) ^ self.len as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::record::Ref;

    /// The value as text that tells the order of members and the kinds of numbers.
    fn told(value: Ref<'_>) -> String {
        serde_json::to_string(&value).unwrap()
    }

    fn plainly(bytes: &[u8]) -> Option<Document> {
        let mut plain = Plain::new(bytes)?;
        plain.read()?;
        if plain.next_at() == bytes.len() { plain.finish() } else { None }
    }

    /// What is read the plain way is what is read the careful way; says whether it is.
    fn agrees(bytes: &[u8]) -> bool {
        let Some(document) = plainly(bytes) else { return false };
        let careful = Document::parse_strict(bytes).unwrap();
        assert_eq!(told(document.root()), told(careful.root()), "{}", String::from_utf8_lossy(bytes));
        assert!(std::str::from_utf8(bytes).is_ok());
        true
    }

    fn json() -> impl Strategy<Value = Value> {
        let scalar = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            (-1000_i64..1000).prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "[a-zäö\\\\\"\u{0}-\u{1f}😀]{0,40}".prop_map(Value::from),
            "eipalloc-[0-9a-f]{17}".prop_map(Value::from),
        ];
        scalar.prop_recursive(6, 64, 8, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
                proptest::collection::btree_map("[A-Za-z\u{e4}\"]{0,24}", inner, 0..20)
                    .prop_map(|map| map.into_iter().collect::<serde_json::Map<_, _>>().into()),
            ]
        })
    }

    proptest! {
        #[test]
        fn plain_and_careful_agree(value in json(), pretty: bool, times in 1_usize..600) {
            let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.unwrap();
            prop_assert!(agrees(text.as_bytes()), "{text}");
            // A long text, where names are remembered.
            let many = vec![text; times].join(",\n  ");
            prop_assert!(agrees(["[", &many, "]"].concat().as_bytes()));
        }

        #[test]
        fn damage_is_no_agreement_by_accident(value in json(), at: prop::sample::Index, byte in prop_oneof![any::<u8>(), prop::sample::select(b"\"\\{}[],:0-9.eEu \t\n\x80\xC3".to_vec())], cut: bool) {
            let mut bytes = serde_json::to_vec(&value).unwrap();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            if cut {
                bytes.truncate(at);
            }
            agrees(&bytes);
        }

        #[test]
        fn any_bytes(bytes in proptest::collection::vec(prop::sample::select(b"{}[]\",:\\u0019-+.eE truefalsn\n\x80\xC3\xA4d8D".to_vec()), 0..60)) {
            agrees(&bytes);
        }
    }

    #[test]
    fn odd_text_is_given_up() {
        for text in [
            r#"{"a":1,"b":2,"a":3}"#,
            r#"{"a":1,"\u0061":3}"#,
            r#"{"v":"\ud83d"}"#,
            "{\"v\":\"a\tb\"}",
            "[1e999]",
            "[01]",
            "[-]",
            "[1,]",
            "{,}",
            "[tru]",
            "[1] 2",
            "",
        ] {
            assert!(plainly(text.as_bytes()).is_none(), "{text}");
        }
        // Two strings that are no text, and would be one together.
        assert!(plainly(b"[\"\xC3\",\"\xA4\"]").is_none());
        assert!(plainly("[".repeat(100_000).as_bytes()).is_none());
        for text in
            ["-0", "0", "[0,-1,1.5e3,18446744073709551615,9223372036854775807,-9223372036854775808]", "\"\\u00e4\""]
        {
            assert!(agrees(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn many_names_are_told_apart() {
        let members: Vec<String> = (0..5000).map(|at| format!("\"name-{at}\":{at}")).collect();
        let text = format!("{{{}}}", members.join(","));
        assert!(agrees(text.as_bytes()));
        let twice = format!("{{{},\"name-77\":1}}", members.join(","));
        assert!(plainly(twice.as_bytes()).is_none());
    }
}
