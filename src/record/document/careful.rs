//! Reads JSON text into a document the careful way: whatever serde_json reads, and what can be put right of the rest.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::{Cell, Ref};

/// A document while it is read.
pub(super) struct Builder {
    pub(super) cells: Vec<Cell>,
    pub(super) text: String,
    pub(super) duplicate_key: bool,
}

impl Builder {
    fn push_text<E: serde::de::Error>(&mut self, text: &str) -> Result<(), E> {
        let start = u32::try_from(self.text.len()).map_err(|_| E::custom("a document of more than 4 GiB of text"))?;
        self.text.push_str(text);
        let end = u32::try_from(self.text.len()).map_err(|_| E::custom("a document of more than 4 GiB of text"))?;
        self.cells.push(Cell::Text { start, end });
        Ok(())
    }

    pub(super) fn copy(&mut self, value: Ref<'_>) {
        match value.cell() {
            Cell::Text { .. } => self.copy_text(value.as_str().unwrap_or_default()),
            Cell::List { .. } => {
                let at = self.cells.len();
                self.cells.push(Cell::Null);
                value.items().for_each(|item| self.copy(item));
                self.cells[at] = Cell::List { len: value.len() as u32, end: self.cells.len() as u32, line: 0 };
            }
            Cell::Map { .. } => self.copy_members(value.entries().collect()),
            scalar => self.cells.push(scalar),
        }
    }

    pub(super) fn copy_members(&mut self, mut members: Vec<(&str, Ref<'_>)>) {
        let at = self.cells.len();
        self.cells.push(Cell::Null);
        members.sort_unstable_by_key(|(name, _)| *name);
        for (name, value) in &members {
            self.copy_text(name);
            self.copy(*value);
        }
        self.cells[at] = Cell::Map { len: members.len() as u32, end: self.cells.len() as u32, line: 0 };
    }

    /// Adds text of another document, which is bounded as this one is.
    pub(super) fn copy_text(&mut self, text: &str) {
        let start = self.text.len() as u32;
        self.text.push_str(text);
        self.cells.push(Cell::Text { start, end: self.text.len() as u32 });
    }

    fn here<E: serde::de::Error>(&self) -> Result<u32, E> {
        u32::try_from(self.cells.len()).map_err(|_| E::custom("a document of more than 2^32 values"))
    }

    fn key(&self, at: u32) -> &[u8] {
        match self.cells[at as usize] {
            Cell::Text { start, end } => &self.text.as_bytes()[start as usize..end as usize],
            _ => &[],
        }
    }
}

/// True if a name is there twice.
pub(super) fn has_twice(mut names: Vec<&[u8]>) -> bool {
    if names.len() <= 16 {
        return names.iter().enumerate().any(|(at, name)| names[..at].contains(name));
    }
    names.sort_unstable();
    names.windows(2).any(|pair| pair[0] == pair[1])
}

/// Appends one value to a builder.
pub(super) struct Fill<'b>(pub(super) &'b mut Builder);

impl<'de> DeserializeSeed<'de> for Fill<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Fill<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.0.cells.push(Cell::Null);
        Ok(())
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.0.cells.push(Cell::Bool(value));
        Ok(())
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.0.cells.push(Cell::Int(value));
        Ok(())
    }

    #[expect(clippy::cast_precision_loss, reason = "numbers past i64 are held as doubles, as documented")]
    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.0.cells.push(i64::try_from(value).map_or(Cell::Float(value as f64), Cell::Int));
        Ok(())
    }

    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        self.0.cells.push(Cell::Float(value));
        Ok(())
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<(), E> {
        self.0.push_text(value)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
        let at = self.0.cells.len();
        self.0.cells.push(Cell::Null);
        let mut len = 0;
        while access.next_element_seed(Fill(self.0))?.is_some() {
            len += 1;
        }
        self.0.cells[at] = Cell::List { len, end: self.0.here()?, line: 0 };
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
        let at = self.0.cells.len();
        self.0.cells.push(Cell::Null);
        let mut keys = Vec::with_capacity(16);
        loop {
            keys.push(self.0.here()?);
            if access.next_key_seed(Fill(self.0))?.is_none() {
                keys.pop();
                break;
            }
            access.next_value_seed(Fill(self.0))?;
        }
        self.0.duplicate_key |= has_twice(keys.iter().map(|at| self.0.key(*at)).collect());
        let len = u32::try_from(keys.len()).map_err(|_| serde::de::Error::custom("a map of more than 2^32 members"))?;
        self.0.cells[at] = Cell::Map { len, end: self.0.here()?, line: 0 };
        Ok(())
    }
}

/// The same JSON with what strict parsers refuse and this module's law admits put right; `None` if there was nothing.
///
/// Repaired: bytes that are not UTF-8, escapes of half a surrogate pair, raw control characters in strings, numbers
/// past the range of a double.
pub(super) fn repair(bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_ref();
    let mut in_string = false;
    while let Some(first) = rest.chars().next() {
        let take = match first {
            '"' => {
                in_string = !in_string;
                1
            }
            '\\' if in_string => {
                let (read, escape) = read_escape(rest);
                out.push_str(escape);
                rest = &rest[read..];
                continue;
            }
            control if in_string && control < ' ' => {
                out.push_str(&format!("\\u{:04x}", u32::from(control)));
                rest = &rest[1..];
                continue;
            }
            '0'..='9' | '-' if !in_string => {
                let end =
                    rest.find(|c: char| !matches!(c, '0'..='9' | '-' | '+' | '.' | 'e' | 'E')).unwrap_or(rest.len());
                match rest[..end].parse::<f64>() {
                    Ok(number) if number.is_infinite() => {
                        out.push_str(if number > 0.0 { "1.7976931348623157e308" } else { "-1.7976931348623157e308" });
                    }
                    _ => out.push_str(&rest[..end]),
                }
                rest = &rest[end..];
                continue;
            }
            other => other.len_utf8(),
        };
        out.push_str(&rest[..take]);
        rest = &rest[take..];
    }
    (out.as_bytes() != bytes).then_some(out)
}

/// How many bytes the escape at the head of `text` takes, and what to write for it.
fn read_escape(text: &str) -> (usize, &str) {
    let unit = |at: usize| {
        let tail = text.get(at..at + 6)?.strip_prefix("\\u")?;
        u32::from_str_radix(tail, 16).ok()
    };
    match unit(0) {
        Some(0xD800..=0xDBFF) => match unit(6) {
            Some(0xDC00..=0xDFFF) => (12, &text[..12]),
            _ => (6, "\\ufffd"),
        },
        Some(0xDC00..=0xDFFF) => (6, "\\ufffd"),
        Some(_) => (6, &text[..6]),
        None => {
            let end = text.char_indices().nth(2).map_or(text.len(), |(at, _)| at);
            (end, &text[..end])
        }
    }
}
