//! The names that are wanted of records, and how they are recognised where they end.
//!
//! A key is looked up by the last four bytes before the quote that ends it, and compared eight bytes at a time, for this is
//! done for most keys of a record. *Law*: a key is found if and only if it is a wanted name, as it is spelled.

use super::super::split::STREAMS;

/// Names of the longest path that is read.
pub(super) const LONGEST: usize = 8;

/// Names of one object that are read.
const MOST_NAMES: usize = 10_000;

/// The fields to read.
#[derive(Debug)]
pub(in crate::input) struct Wanted {
    /// The objects that wanted paths lead through; the first is the record itself.
    pub(super) objects: Vec<Object>,
    /// How many names are known.
    pub(super) fields: usize,
    /// The field of each path that was asked for; `None` if it cannot be read from bytes.
    paths: Vec<Option<usize>>,
}

/// The wanted names of one object, found by their last four bytes; where they are shorter, by what may stand before them,
/// too.
#[derive(Debug)]
pub(super) struct Object {
    /// The first link of each hash, plus one.
    first: [u16; 1024],
    links: Vec<Link>,
    list: Vec<Name>,
}

/// A name of a hash, and what it is recognised by.
#[derive(Debug)]
struct Link {
    /// Its last bytes, with those before it zero where it is shorter, and which of them these are.
    tail: u64,
    of_tail: u64,
    /// Its first bytes, where it is longer than eight.
    head: u64,
    name: u16,
    /// The next link of the same hash, plus one.
    next: u16,
    length: u32,
}

/// A wanted name of an object.
#[derive(Debug)]
pub(super) struct Name {
    /// With the quote before it.
    quoted: Vec<u8>,
    pub(super) field: usize,
    /// Its names, if it is an object that wanted paths lead through.
    pub(super) inner: Option<u16>,
}

impl Wanted {
    /// The wanted fields, each a path of names through objects. A path of odd names is never found: ask
    /// [`Wanted::field`].
    pub(in crate::input) fn new<'a>(paths: impl IntoIterator<Item = &'a [&'a str]>) -> Self {
        let mut wanted = Self { objects: vec![Object::new()], fields: 0, paths: Vec::new() };
        for name in STREAMS {
            wanted.add(&[name]);
        }
        for path in paths {
            let found = if can_read(path) { wanted.add(path) } else { None };
            wanted.paths.push(found);
        }
        for object in &mut wanted.objects {
            object.index();
        }
        wanted
    }

    fn add(&mut self, path: &[&str]) -> Option<usize> {
        let mut object = 0;
        let mut found = None;
        for (step, name) in path.iter().enumerate() {
            let quoted = format!("\"{name}").into_bytes();
            let names = &mut self.objects[object].list;
            if names.len() >= MOST_NAMES {
                return None;
            }
            let place = names.iter().position(|known| known.quoted == quoted).unwrap_or_else(|| {
                names.push(Name { quoted, field: self.fields, inner: None });
                self.fields += 1;
                names.len() - 1
            });
            found = Some(names[place].field);
            if step + 1 < path.len() {
                let next = self.objects.len();
                let inner = *self.objects[object].list[place].inner.get_or_insert(u16::try_from(next).ok()?);
                object = usize::from(inner);
                if object == next {
                    self.objects.push(Object::new());
                }
            }
        }
        found
    }

    /// The place of the path that was asked for as number `path`, for [`Fields::get`].
    pub(in crate::input) fn field(&self, path: usize) -> Option<usize> {
        self.paths.get(path).copied().flatten()
    }
}

/// Whether a path is short and its names are plain.
pub(in crate::input) fn can_read(path: &[impl AsRef<str>]) -> bool {
    (1..=LONGEST).contains(&path.len()) && path.iter().all(|name| is_plain(name.as_ref()))
}

/// A name that has one spelling but for escapes of its characters, which are told as unsure.
fn is_plain(name: &str) -> bool {
    (2..=200).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"\\/".contains(&byte))
}

impl Object {
    fn new() -> Self {
        Self { first: [0; 1024], links: Vec::new(), list: Vec::new() }
    }

    fn index(&mut self) {
        for (place, name) in self.list.iter().enumerate() {
            let before: &[u8] = if name.quoted.len() < 4 { b"{, \t\r\n" } else { b" " };
            for before in before {
                let quoted = [&[*before][..], &name.quoted].concat();
                let Some(end) = quoted.last_chunk() else { continue };
                let slot = &mut self.first[hash(*end)];
                let length = name.quoted.len();
                self.links.push(Link {
                    tail: tail(&name.quoted),
                    of_tail: if length < 8 { !(u64::MAX >> (8 * length)) } else { u64::MAX },
                    head: name.quoted.first_chunk().map_or(0, |head| u64::from_le_bytes(*head)),
                    name: place as u16,
                    next: *slot,
                    length: length as u32,
                });
                *slot = self.links.len() as u16;
            }
        }
    }

    /// Whether a name may end before the colon, or white space stands there.
    #[inline(always)]
    pub(super) fn may_end(&self, text: &[u8], colon: usize) -> bool {
        match text.get(colon.wrapping_sub(5)..colon) {
            Some(&[a, b, c, d, b'"']) => self.first[hash([a, b, c, d])] != 0,
            _ => true,
        }
    }

    /// The name that ends before the quote at `close`.
    #[inline(always)]
    pub(super) fn find(&self, text: &[u8], close: usize) -> Option<&Name> {
        let before = text.get(..close)?;
        let tail = tail(before);
        let mut next = self.first[hash(((tail >> 32) as u32).to_le_bytes())];
        while next != 0 {
            let link = &self.links[usize::from(next) - 1];
            if tail & link.of_tail == link.tail && self.begins(before, link) {
                let begin = close.wrapping_sub(link.length as usize);
                // A quote behind a backslash is inside of a longer key.
                return (text.get(begin.wrapping_sub(1)) != Some(&b'\\')).then(|| &self.list[usize::from(link.name)]);
            }
            next = link.next;
        }
        None
    }

    /// Whether the name stands at the end of `before` with all of its bytes, if it does with the last eight.
    #[inline(always)]
    fn begins(&self, before: &[u8], link: &Link) -> bool {
        let length = link.length as usize;
        if length <= 8 {
            return true;
        }
        let found = before.len().checked_sub(length).map(|begin| &before[begin..]);
        let head = found.and_then(|found| found.first_chunk()).map(|head| u64::from_le_bytes(*head));
        head == Some(link.head) && (length <= 16 || found == Some(&self.list[usize::from(link.name)].quoted[..]))
    }
}

/// The last eight bytes, with zeros before them where there are fewer.
#[inline(always)]
fn tail(text: &[u8]) -> u64 {
    match text.last_chunk() {
        Some(last) => u64::from_le_bytes(*last),
        None => text.iter().rev().zip(1..).fold(0, |all, (byte, place)| all | u64::from(*byte) << (64 - 8 * place)),
    }
}

#[inline(always)]
fn hash(end: [u8; 4]) -> usize {
    (u32::from_le_bytes(end).wrapping_mul(0x9E37_79B1) >> 22) as usize
}
