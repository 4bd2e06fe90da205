//! A JSON value, held flat: a list of cells in document order and one buffer of text.
//!
//! [`Ref`] borrows a value inside a [`Document`], [`Node`] shares one: both are two words and free to copy or clone, so a
//! script can be shown a record without copying it.
//!
//! *Law*: of duplicate keys the last wins, everywhere; text that is not valid Unicode is read with U+FFFD in its
//! place, and a number too large for a double is read as the largest double. So hostile text cannot hide a record.

mod careful;
mod made;
mod plain;

use std::fmt;
use std::sync::Arc;

use serde::de::DeserializeSeed;
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use serde_json::Value;

use careful::{Builder, Fill, repair};
pub(crate) use made::Making;
use plain::Plain;

/// A JSON value, held flat.
pub struct Document {
    cells: Vec<Cell>,
    text: String,
}

/// One value of a document. Children of a list or map follow it; `end` is the index after the last of them.
#[derive(Clone, Copy, Debug)]
enum Cell {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text {
        start: u32,
        end: u32,
    },
    /// `line` is that of the bracket in the text that was parsed, from 1; 0 if it is not known.
    List {
        len: u32,
        end: u32,
        line: u32,
    },
    Map {
        len: u32,
        end: u32,
        line: u32,
    },
}

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool,
    /// A number that fits `i64`.
    Int,
    /// Any other number.
    Float,
    /// A string.
    Text,
    /// An array.
    List,
    /// An object.
    Map,
}

/// A value inside a document, borrowed.
#[derive(Clone, Copy)]
pub struct Ref<'a> {
    document: &'a Document,
    at: u32,
}

/// A value inside a document, shared.
#[derive(Clone)]
pub struct Node {
    document: Arc<Document>,
    at: u32,
}

impl Document {
    /// Reads one JSON value; nothing but white space may follow it.
    ///
    /// # Errors
    /// When the text is not JSON, even after the repairs that this module's law names, or is nested deeper than 127.
    pub fn parse(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        if let Some(document) = Self::parse_plain(bytes) {
            return Ok(document);
        }
        match Self::parse_strict(bytes) {
            Err(error) => match repair(bytes) {
                Some(repaired) => Self::parse_strict(repaired.as_bytes()),
                None => Err(error),
            },
            document => document,
        }
    }

    fn parse_plain(bytes: &[u8]) -> Option<Self> {
        let mut plain = Plain::new(bytes)?;
        plain.read()?;
        if plain.next_at() == bytes.len() { plain.finish() } else { None }
    }

    fn parse_strict(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        let mut builder =
            Builder { cells: Vec::with_capacity(64), text: String::with_capacity(bytes.len()), duplicate_key: false };
        let mut json = serde_json::Deserializer::from_slice(bytes);
        Fill(&mut builder).deserialize(&mut json)?;
        json.end()?;
        if builder.duplicate_key {
            // Rare: `Value` keeps the last of duplicate keys.
            return serde_json::from_slice::<Value>(bytes).map(|value| Self::from(&value));
        }
        Ok(Self { cells: builder.cells, text: builder.text })
    }

    /// A copy of a map with some more members, but for those of a name that it has; members are sorted by name, at every
    /// depth. What is no map is copied as it is.
    pub(crate) fn with_members<'a>(value: Ref<'a>, more: impl Iterator<Item = (&'a str, Ref<'a>)>) -> Self {
        let mut builder = Builder { cells: Vec::new(), text: String::new(), duplicate_key: false };
        if value.kind() == Kind::Map {
            let lacking = more.filter(|(name, _)| value.get(name).is_none());
            builder.copy_members(value.entries().chain(lacking).collect());
        } else {
            builder.copy(value);
        }
        Self { cells: builder.cells, text: builder.text }
    }

    /// Reads the value that a text begins with, whatever follows it; `None` if it is odd in some way.
    pub(crate) fn parse_first(bytes: &[u8]) -> Option<Self> {
        let mut plain = Plain::new(bytes)?;
        plain.read()?;
        plain.finish()
    }

    /// Reads the lists and objects that a text begins with, one after another, into one document.
    ///
    /// Gives each with the place where it begins, and the place of what is left to be read by other means: text that is
    /// odd in some way, or no list and no object.
    pub(crate) fn parse_many(bytes: &[u8]) -> (Vec<(Node, usize)>, usize) {
        let Some(mut plain) = Plain::new(bytes) else { return (Vec::new(), 0) };
        let mut roots = Vec::new();
        let rest = loop {
            let at = plain.next_at();
            match bytes.get(at).filter(|byte| matches!(byte, b'{' | b'[')).and_then(|_| plain.read()) {
                Some(root) => roots.push((root, at)),
                None => break at,
            }
        };
        match plain.finish().map(Arc::new) {
            Some(document) => {
                let node = |(at, begin)| (Node { document: Arc::clone(&document), at }, begin);
                (roots.into_iter().map(node).collect(), rest)
            }
            None => (Vec::new(), 0),
        }
    }

    /// The whole value.
    pub fn root(&self) -> Ref<'_> {
        Ref { document: self, at: 0 }
    }
}

impl From<&Value> for Document {
    fn from(value: &Value) -> Self {
        let mut builder = Builder { cells: Vec::new(), text: String::new(), duplicate_key: false };
        // A `Value` cannot fail to be read: it is a tree of what the visitor accepts.
        let _ = Fill(&mut builder).deserialize(value);
        Self { cells: builder.cells, text: builder.text }
    }
}

impl From<Document> for Node {
    fn from(document: Document) -> Self {
        Self { document: Arc::new(document), at: 0 }
    }
}

impl Node {
    /// Borrows the value.
    pub fn view(&self) -> Ref<'_> {
        Ref { document: &self.document, at: self.at }
    }

    /// Shares a value found in this node's document.
    ///
    /// # Panics
    /// When `inner` is of another document: that is a mistake in the program.
    pub fn share(&self, inner: Ref<'_>) -> Self {
        assert!(std::ptr::eq(inner.document, &raw const *self.document), "a value of another document");
        Self { document: Arc::clone(&self.document), at: inner.at }
    }

    /// True if both are the same value of the same document.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.document, &other.document) && self.at == other.at
    }

    /// The member of that name, if this is a map that has it.
    pub fn get(&self, key: &str) -> Option<Self> {
        self.view().get(key).map(|inner| self.share(inner))
    }

    /// The items of a list, each shared when it is asked for; none of anything else.
    pub fn items(&self) -> impl Iterator<Item = Self> + use<> {
        let (document, mut next) = (Arc::clone(&self.document), self.at + 1);
        let len = if self.view().kind() == Kind::List { self.view().len() } else { 0 };
        (0..len).map(move |_| {
            let item = Self { document: Arc::clone(&document), at: next };
            next = item.view().end();
            item
        })
    }
}

impl<'a> Ref<'a> {
    fn cell(self) -> Cell {
        self.document.cells[self.at as usize]
    }

    fn to(self, at: u32) -> Self {
        Self { document: self.document, at }
    }

    /// The index after this value and everything in it.
    fn end(self) -> u32 {
        match self.cell() {
            Cell::List { end, .. } | Cell::Map { end, .. } => end,
            _ => self.at + 1,
        }
    }

    /// The line on which a list or a map begins in the text that was parsed, from 1, if that is known.
    pub(crate) fn line(self) -> Option<u64> {
        match self.cell() {
            Cell::List { line, .. } | Cell::Map { line, .. } if line > 0 => Some(line.into()),
            _ => None,
        }
    }

    /// What the value is.
    pub fn kind(self) -> Kind {
        match self.cell() {
            Cell::Null => Kind::Null,
            Cell::Bool(_) => Kind::Bool,
            Cell::Int(_) => Kind::Int,
            Cell::Float(_) => Kind::Float,
            Cell::Text { .. } => Kind::Text,
            Cell::List { .. } => Kind::List,
            Cell::Map { .. } => Kind::Map,
        }
    }

    /// True for `null`.
    pub fn is_null(self) -> bool {
        matches!(self.cell(), Cell::Null)
    }

    /// The text, if the value is text.
    pub fn as_str(self) -> Option<&'a str> {
        match self.cell() {
            Cell::Text { start, end } => Some(&self.document.text[start as usize..end as usize]),
            _ => None,
        }
    }

    /// The boolean, if the value is one.
    pub fn as_bool(self) -> Option<bool> {
        match self.cell() {
            Cell::Bool(value) => Some(value),
            _ => None,
        }
    }

    /// The number, if the value is one that fits.
    pub fn as_i64(self) -> Option<i64> {
        match self.cell() {
            Cell::Int(value) => Some(value),
            _ => None,
        }
    }

    /// The number, if the value is one.
    #[expect(clippy::cast_precision_loss, reason = "a number as a double is what is asked for")]
    pub fn as_f64(self) -> Option<f64> {
        match self.cell() {
            Cell::Int(value) => Some(value as f64),
            Cell::Float(value) => Some(value),
            _ => None,
        }
    }

    /// The number of items or members; 0 for a scalar.
    pub fn len(self) -> usize {
        match self.cell() {
            Cell::List { len, .. } | Cell::Map { len, .. } => len as usize,
            _ => 0,
        }
    }

    /// True for an empty list or map, and for a scalar.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The member of that name, if this is a map that has it (its value may be `null`).
    pub fn get(self, key: &str) -> Option<Self> {
        let Cell::Map { len, .. } = self.cell() else { return None };
        let text = self.document.text.as_bytes();
        let mut next = self.at + 1;
        for _ in 0..len {
            let value = self.to(next + 1);
            if let Cell::Text { start, end } = self.to(next).cell()
                && (end - start) as usize == key.len()
                && text[start as usize..end as usize] == *key.as_bytes()
            {
                return Some(value);
            }
            next = value.end();
        }
        None
    }

    /// Follows member names; `None` as soon as one is missing or a step is not into a map.
    pub fn path(self, keys: &[&str]) -> Option<Self> {
        keys.iter().try_fold(self, |value, key| value.get(key))
    }

    /// The text at the end of a path of member names.
    pub fn text(self, keys: &[&str]) -> Option<&'a str> {
        self.path(keys)?.as_str()
    }

    /// The items of a list, in order; nothing for any other value.
    pub fn items(self) -> impl Iterator<Item = Ref<'a>> {
        let len = if matches!(self.cell(), Cell::List { .. }) { self.len() } else { 0 };
        let mut next = self.at + 1;
        (0..len).map(move |_| {
            let item = self.to(next);
            next = item.end();
            item
        })
    }

    /// The members of a map, in the order of the text; nothing for any other value.
    pub fn entries(self) -> impl Iterator<Item = (&'a str, Ref<'a>)> {
        let len = if matches!(self.cell(), Cell::Map { .. }) { self.len() } else { 0 };
        let mut next = self.at + 1;
        (0..len).map(move |_| {
            let key = self.to(next).as_str().unwrap_or_default();
            let value = self.to(next + 1);
            next = value.end();
            (key, value)
        })
    }

    /// The scalar as text: a string as it is, `true`, `12`; `None` for `null`, a list or a map.
    pub fn scalar_text(self) -> Option<std::borrow::Cow<'a, str>> {
        match self.cell() {
            Cell::Text { .. } => self.as_str().map(Into::into),
            Cell::Bool(value) => Some(value.to_string().into()),
            Cell::Int(value) => Some(value.to_string().into()),
            Cell::Float(value) => Some(value.to_string().into()),
            _ => None,
        }
    }

    /// The same value as a `serde_json` tree.
    pub fn to_json(self) -> Value {
        match self.cell() {
            Cell::Null => Value::Null,
            Cell::Bool(value) => value.into(),
            Cell::Int(value) => value.into(),
            Cell::Float(value) => value.into(),
            Cell::Text { .. } => self.as_str().unwrap_or_default().into(),
            Cell::List { .. } => self.items().map(Ref::to_json).collect(),
            Cell::Map { .. } => self.entries().map(|(key, value)| (key.to_owned(), value.to_json())).collect(),
        }
    }

    /// The value as text that is the same for equal values, whatever the order of keys: what hashes are made of.
    pub fn canonical(self) -> String {
        // Writing to memory cannot fail, and a document holds nothing that is not JSON.
        serde_json::to_string(&Canonical(self)).unwrap_or_default()
    }

    /// Appends bytes that are the same for values of the same [canonical text](Ref::canonical), and for no others: each
    /// part by its kind, its length and what it holds, the members of maps in the order of their names.
    pub fn content(self, into: &mut Vec<u8>) {
        match self.cell() {
            Cell::Null => into.push(b'n'),
            Cell::Bool(flag) => into.push(if flag { b't' } else { b'f' }),
            Cell::Text { .. } => text_content(b's', self.as_str().unwrap_or_default(), into),
            Cell::List { .. } => {
                into.push(b'l');
                into.extend_from_slice(&(self.len() as u64).to_le_bytes());
                self.items().for_each(|item| item.content(into));
            }
            Cell::Map { .. } => {
                into.push(b'm');
                into.extend_from_slice(&(self.len() as u64).to_le_bytes());
                let mut entries: Vec<_> = self.entries().collect();
                entries.sort_unstable_by_key(|(key, _)| *key);
                for (key, value) in entries {
                    text_content(b'k', key, into);
                    value.content(into);
                }
            }
            Cell::Int(_) | Cell::Float(_) => text_content(b'd', &self.canonical(), into),
        }
    }
}

fn text_content(kind: u8, text: &str, into: &mut Vec<u8>) {
    into.push(kind);
    into.extend_from_slice(&(text.len() as u64).to_le_bytes());
    into.extend_from_slice(text.as_bytes());
}

/// Written with sorted keys.
struct Canonical<'a>(Ref<'a>);

impl Serialize for Canonical<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.cell() {
            Cell::List { .. } => serializer.collect_seq(self.0.items().map(Canonical)),
            Cell::Map { .. } => {
                let mut entries: Vec<_> = self.0.entries().map(|(key, value)| (key, Canonical(value))).collect();
                entries.sort_unstable_by_key(|(key, _)| *key);
                serializer.collect_map(entries)
            }
            _ => self.0.serialize(serializer),
        }
    }
}

impl PartialEq for Ref<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self.cell(), other.cell()) {
            (Cell::Null, Cell::Null) => true,
            (Cell::Bool(a), Cell::Bool(b)) => a == b,
            (Cell::Int(a), Cell::Int(b)) => a == b,
            (Cell::Int(_) | Cell::Float(_), Cell::Int(_) | Cell::Float(_)) => self.as_f64() == other.as_f64(),
            (Cell::Text { .. }, Cell::Text { .. }) => self.as_str() == other.as_str(),
            (Cell::List { len: a, .. }, Cell::List { len: b, .. }) => a == b && self.items().eq(other.items()),
            (Cell::Map { len: a, .. }, Cell::Map { len: b, .. }) => {
                let sorted = |map: &Self| {
                    let mut entries: Vec<_> = map.entries().collect();
                    entries.sort_unstable_by_key(|(key, _)| *key);
                    entries
                };
                a == b && (self.entries().eq(other.entries()) || sorted(self) == sorted(other))
            }
            _ => false,
        }
    }
}

impl Serialize for Ref<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.cell() {
            Cell::Null => serializer.serialize_unit(),
            Cell::Bool(value) => serializer.serialize_bool(value),
            Cell::Int(value) => serializer.serialize_i64(value),
            Cell::Float(value) => serializer.serialize_f64(value),
            Cell::Text { .. } => serializer.serialize_str(self.as_str().unwrap_or_default()),
            Cell::List { .. } => {
                let mut list = serializer.serialize_seq(Some(self.len()))?;
                for item in self.items() {
                    list.serialize_element(&item)?;
                }
                list.end()
            }
            Cell::Map { .. } => {
                let mut map = serializer.serialize_map(Some(self.len()))?;
                for (key, value) in self.entries() {
                    map.serialize_entry(key, &value)?;
                }
                map.end()
            }
        }
    }
}

impl fmt::Debug for Ref<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.to_json())
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.view().fmt(f)
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.root().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Document {
        Document::parse(text.as_bytes()).expect("valid JSON")
    }

    #[test]
    fn reads_what_serde_json_reads() {
        let text = r#"{"a":[1,-2,3.5,{"b":null}],"c":true,"d":"x\"y","e":{},"f":[]}"#;
        let value: Value = serde_json::from_str(text).unwrap();
        assert_eq!(parse(text).root().to_json(), value);
        assert_eq!(Document::from(&value).root(), parse(text).root());
        assert_eq!(serde_json::to_value(parse(text).root()).unwrap(), value);
    }

    #[test]
    fn paths_go_through_maps_only() {
        let document = parse(r#"{"a":{"b":[{"c":1}]},"n":null}"#);
        assert_eq!(
            document.root().path(&["a", "b"]).unwrap().items().next().unwrap().get("c").unwrap().as_i64(),
            Some(1)
        );
        assert!(document.root().path(&["a", "b", "c"]).is_none());
        assert!(document.root().get("n").unwrap().is_null());
    }

    #[test]
    fn the_last_of_duplicate_keys_wins() {
        assert_eq!(parse(r#"{"a":1,"b":{"x":1,"x":2},"a":3}"#).root().canonical(), r#"{"a":3,"b":{"x":2}}"#);
        let many: String = (0..40).map(|i| format!("\"k{}\":{i},", i % 30)).collect();
        let document = parse(&format!("{{{}}}", many.trim_end_matches(',')));
        assert_eq!(document.root().len(), 30);
        assert_eq!(document.root().get("k3").unwrap().as_i64(), Some(33));
    }

    #[test]
    fn hostile_text_does_not_hide_a_record() {
        assert_eq!(
            parse(r#"{"v":"\ud83d","w":"\ude00x","ok":"\ud83d\ude00"}"#).root().canonical(),
            "{\"ok\":\"😀\",\"v\":\"\u{fffd}\",\"w\":\"\u{fffd}x\"}"
        );
        assert_eq!(Document::parse(b"{\"v\":\"a\xffb\"}").unwrap().root().text(&["v"]), Some("a\u{fffd}b"));
        assert_eq!(parse("{\"v\":\"a\tb\"}").root().text(&["v"]), Some("a\tb"));
        assert_eq!(
            parse(r#"{"v":[1e999,-1e999]}"#).root().get("v").unwrap().items().next().unwrap().as_f64(),
            Some(f64::MAX)
        );
        assert!(Document::parse(br#"{"v":NaN}"#).is_err());
        assert!(Document::parse(b"").is_err());
        assert!(Document::parse("[".repeat(200).as_bytes()).is_err());
    }

    #[test]
    fn canonical_text_is_that_of_a_sorted_tree() {
        let text = r#"{"b":[1,-2,3.0,1e300,0.1,18446744073709551615,{"z":null,"a":true}],"a":{"\"é\u0000":"x\n\ud800"},"":{},"l":[],"B":1e999}"#;
        let view = parse(text);
        assert_eq!(view.root().canonical(), view.root().to_json().to_string());
    }

    proptest! {
        #[test]
        fn content_is_the_same_where_canonical_text_is(a in any_json(), b in any_json()) {
            let content = |document: &Document| {
                let mut bytes = Vec::new();
                document.root().content(&mut bytes);
                bytes
            };
            let (a, b) = (Document::from(&a), Document::from(&b));
            prop_assert_eq!(content(&a) == content(&b), a.root().canonical() == b.root().canonical());
            let again = parse(&a.root().canonical());
            prop_assert_eq!(content(&a), content(&again));
        }
    }

    /// Few and small values, so that equal ones are met.
    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = proptest::sample::select(vec![
            Value::Null,
            true.into(),
            1.into(),
            (1.0).into(),
            (-1).into(),
            "".into(),
            "a".into(),
            "1".into(),
        ]);
        leaf.prop_recursive(3, 12, 3, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::Array),
                proptest::collection::vec((proptest::sample::select(vec!["", "a", "b"]), inner), 0..3)
                    .prop_map(|members| members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()),
            ]
        })
    }

    #[test]
    fn members_are_added_where_they_are_lacking() {
        let document = parse(r#"{"b":{"y":[1,"é"],"x":2.5},"a":null,"group":{"a":1,"c":"C","d":[{}]}}"#);
        let root = document.root();
        let more = || root.get("group").unwrap().entries();
        let with = Document::with_members(root, more());
        // As it would be read from a tree, which is sorted.
        let mut tree = root.to_json();
        for (name, value) in more().filter(|(name, _)| *name != "a") {
            tree[name] = value.to_json();
        }
        assert_eq!(serde_json::to_string(&with.root()).unwrap(), tree.to_string());
        assert_eq!(Document::with_members(root.get("a").unwrap(), more()).root().kind(), Kind::Null);
    }

    #[test]
    fn equality_ignores_the_order_of_keys() {
        assert_eq!(parse(r#"{"a":1,"b":[1.0]}"#).root(), parse(r#"{"b":[1],"a":1}"#).root());
        assert_ne!(parse(r#"{"a":1}"#).root(), parse(r#"{"a":"1"}"#).root());
    }
}
