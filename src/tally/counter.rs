//! Collects counts, one thread's at a time, from parsed events or from a few fields of their text.
//!
//! *Law*: [`Counter::take_fields`] counts an event as [`Counter::take`] would if it were parsed, or leaves it.
//!
//! Who an event is of is not looked into at once: calls are counted by the text of `userIdentity`, of which there are as many
//! as sessions, and those texts are read when the last event was, and with it all that is known of how sessions began.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::BuildHasher;
use std::sync::Arc;

use foldhash::quality::RandomState;
use jiff::Timestamp;

use super::sums::{self, Sums};
use super::{By, Count, Tally, keys};
use crate::call;
use crate::error::Error;
use crate::input::{Field, Fields, Told};
use crate::inventory::Inventory;
use crate::principal::Principal;
use crate::record::{Document, Kind, Record};
use crate::sessions;
use crate::spill::{Scratch, Sorter};

/// The fields that an event is counted by, beside time, account and region.
pub(crate) const PATHS: [&[&str]; 9] = [
    &["eventName"],
    &["eventSource"],
    &["errorCode"],
    &["sourceIPAddress"],
    &["userAgent"],
    &["userIdentity"],
    &["userIdentity", "accessKeyId"],
    &[call::ANSWERS[0]],
    &[call::ANSWERS[1]],
];

/// Where the fields of [`PATHS`] are found.
pub(crate) type Places = [Option<usize>; PATHS.len()];

/// The stream of texts of `userIdentity`; that of a section is one more than its place.
const IDENTITIES: u8 = 0;

/// The sections that are counted as events come: all but the first two.
const COUNTED: usize = By::ALL.len() - 2;

/// Texts of `userIdentity` that are found without a search, if the key id is the same.
const RECENT: usize = 1 << 9;

/// Bytes of an entry of a table beside its key.
const OVERHEAD: usize = 112;

/// Counts of one section.
#[derive(Debug, Default)]
struct Table {
    places: HashMap<Box<[u8]>, usize, RandomState>,
    counts: Vec<Count>,
    /// The key that was counted last, and its place.
    last: Option<(Vec<u8>, usize)>,
}

impl Table {
    /// Adds a call; the bytes that this took.
    fn note(&mut self, key: &[u8], failed: bool, time: Option<Timestamp>) -> usize {
        if let Some((last, at)) = &self.last
            && last == key
        {
            self.counts[*at].note(failed, time);
            return 0;
        }
        let (at, bytes) = self.place(key);
        self.counts[at].note(failed, time);
        let mut last = self.last.take().map(|(last, _)| last).unwrap_or_default();
        last.clear();
        last.extend_from_slice(key);
        self.last = Some((last, at));
        bytes
    }

    /// The place of a key, and the bytes that a new one took.
    fn place(&mut self, key: &[u8]) -> (usize, usize) {
        if let Some(at) = self.places.get(key) {
            return (*at, 0);
        }
        self.places.insert(key.into(), self.counts.len());
        self.counts.push(Count::default());
        (self.counts.len() - 1, key.len() + OVERHEAD)
    }

    /// Gives everything to a sorter.
    fn drain(&mut self, stream: u8, sorter: &mut Sorter<1>) -> Result<(), Error> {
        self.last = None;
        let counts = std::mem::take(&mut self.counts);
        let (mut prefixed, mut payload) = (Vec::new(), Vec::new());
        self.places.drain().try_for_each(|(key, at)| {
            prefixed.clear();
            prefixed.push(stream);
            prefixed.extend_from_slice(&key);
            payload.clear();
            sums::put(&counts[at], &mut payload)?;
            sorter.push(0, &prefixed, &payload)
        })
    }
}

/// A text of `userIdentity` that was met.
#[derive(Debug)]
struct Met {
    text: Box<[u8]>,
    at: usize,
}

/// What one thread counts.
#[derive(Debug)]
pub(crate) struct Counter {
    calls: Count,
    identities: Table,
    /// By the hash of the key id.
    recent: Vec<Option<Met>>,
    tables: [Table; COUNTED],
    bytes: usize,
    /// Bytes that the tables may take.
    most: usize,
    sorter: Sorter<1>,
    hasher: RandomState,
    key: Vec<u8>,
    failed: Option<Error>,
}

/// What an event is counted by, but for who made the call.
struct Seen<'a> {
    name: &'a str,
    source: &'a str,
    error: Option<&'a str>,
    source_ip: Option<&'a str>,
    user_agent: Option<&'a str>,
    account: Option<&'a str>,
    region: Option<&'a str>,
    time: Option<Timestamp>,
}

impl Counter {
    /// One that holds about so many bytes in memory.
    pub(crate) fn new(scratch: &Arc<Scratch>, memory: usize) -> Self {
        Self {
            calls: Count::default(),
            identities: Table::default(),
            recent: (0..RECENT).map(|_| None).collect(),
            tables: std::array::from_fn(|_| Table::default()),
            bytes: 0,
            most: memory / 2,
            sorter: Sorter::new(scratch, memory / 2),
            hasher: RandomState::default(),
            key: Vec::new(),
            failed: None,
        }
    }

    /// True when counting on is of no use.
    pub(crate) fn has_failed(&self) -> bool {
        self.failed.is_some()
    }

    /// Counts an event.
    pub(crate) fn take(&mut self, event: &Record) {
        let view = event.value.view();
        let text = |name: &str| view.text(&[name]);
        let seen = Seen {
            name: text("eventName").unwrap_or_default(),
            source: text("eventSource").unwrap_or_default(),
            error: call::failure(view),
            source_ip: text("sourceIPAddress"),
            user_agent: text("userAgent"),
            account: event.scope.account.as_deref(),
            region: event.scope.region.as_deref(),
            time: event.time,
        };
        let identity = view.get("userIdentity").filter(|identity| identity.kind() == Kind::Map);
        let identity = identity.map(|identity| identity.canonical()).unwrap_or_default();
        let (_, bytes) = self.identity(identity.as_bytes(), &seen);
        self.note(&seen, bytes);
    }

    /// Counts an event of which a few fields are known; false, and nothing is counted, if those are not enough.
    pub(crate) fn take_fields(&mut self, fields: &Fields<'_>, places: &Places, told: &Told<'_>) -> bool {
        let text = |at: usize| match places[at].map(|place| fields.get(place)) {
            Some(Field::Text(text)) => Some(Some(text)),
            Some(Field::Absent | Field::Null | Field::Bool(_) | Field::Part(_)) => Some(None),
            Some(Field::Other) | None => None,
        };
        let raw = |at: usize| places[at].map_or(&[][..], |place| fields.raw(place));
        let (Some(Some(name)), Some(Some(source)), Some(code)) = (text(0), text(1), text(2)) else { return false };
        let (Some(source_ip), Some(user_agent), Some(key)) = (text(3), text(4), text(6)) else { return false };
        let error = code.and_then(call::bare);
        if error.is_none() && [7, 8].iter().any(|at| may_answer(name, raw(*at))) {
            return false;
        }
        let seen = Seen {
            name,
            source,
            error,
            source_ip,
            user_agent,
            account: told.account,
            region: told.region,
            time: told.time,
        };
        let bytes = match raw(5) {
            [] | [b'n', ..] => self.identity(&[], &seen).1,
            text @ [b'{', ..] => match self.recent_identity(text, key.unwrap_or_default(), &seen) {
                Some(bytes) => bytes,
                None => return false,
            },
            _ => return false,
        };
        self.note(&seen, bytes);
        true
    }

    /// Adds a call of the identity whose text stands at the beginning of this one, and mostly was met with this key id before.
    fn recent_identity(&mut self, text: &[u8], key: &str, seen: &Seen<'_>) -> Option<usize> {
        let slot = self.hasher.hash_one(key) as usize % RECENT;
        // No object is the beginning of another.
        if let Some(met) = &self.recent[slot]
            && text.starts_with(&met.text)
        {
            self.identities.counts[met.at].note(seen.error.is_some(), seen.time);
            return Some(0);
        }
        let text = object(text)?;
        let (at, bytes) = self.identity(text, seen);
        // What is rarely so long may rather be searched for than be held twice.
        self.recent[slot] = (text.len() <= 4096).then(|| Met { text: text.into(), at });
        Some(bytes)
    }

    /// Adds a call of an identity; its place, and the bytes that this took.
    fn identity(&mut self, text: &[u8], seen: &Seen<'_>) -> (usize, usize) {
        let (at, bytes) = self.identities.place(text);
        self.identities.counts[at].note(seen.error.is_some(), seen.time);
        (at, bytes)
    }

    /// Adds a call to all sections but those of who made it, which took these bytes.
    fn note(&mut self, seen: &Seen<'_>, bytes: usize) {
        let (failed, time) = (seen.error.is_some(), seen.time);
        self.calls.note(failed, time);
        self.bytes += bytes;
        let texts = [seen.error, seen.source_ip, seen.user_agent, seen.account, seen.region];
        let [event, rest @ .., hours] = &mut self.tables;
        let key = &mut self.key;
        key.clear();
        keys::put_event(seen.name, seen.source, key);
        self.bytes += event.note(key, failed, time);
        for (table, text) in rest.iter_mut().zip(texts) {
            key.clear();
            keys::put(text.unwrap_or_default(), key);
            self.bytes += table.note(key, failed, time);
        }
        let hour = time.map(keys::hour);
        self.bytes += hours.note(hour.as_ref().map_or(&[], |hour| &hour[..]), failed, time);
        if self.bytes > self.most {
            self.drain();
        }
    }

    fn drain(&mut self) {
        self.bytes = 0;
        self.recent.fill_with(|| None);
        let mut drained = self.identities.drain(IDENTITIES, &mut self.sorter);
        for (table, stream) in self.tables.iter_mut().zip(3..) {
            drained = drained.and_then(|()| table.drain(stream, &mut self.sorter));
        }
        self.failed = self.failed.take().or(drained.err());
    }

    /// What all threads counted; so many values of a section have rows. How sessions began the inventory tells.
    pub(crate) fn tally(counters: Vec<Self>, inventory: &Inventory, top: usize) -> Result<Tally, Error> {
        let mut calls = Count::default();
        let mut sorters = Vec::new();
        let mut failed = None;
        for mut counter in counters {
            counter.drain();
            failed = failed.or(counter.failed);
            calls.add(&counter.calls);
            sorters.push(counter.sorter);
        }
        if let Some(error) = failed {
            return Err(error);
        }
        let empty = sorters.first().map_or_else(|| Sorter::new(&Arc::default(), 0), Sorter::emptied);
        let (mut identities, mut people) = (empty.emptied(), empty);
        let [counted] = Sorter::sorted(sorters)?;
        let mut counted = Sums::new(counted.read()?)?;
        let (mut key, mut payload) = (Vec::new(), Vec::new());
        // What an identity is does not depend on how it is spelled.
        while let Some((text, count)) = counted.next(IDENTITIES)? {
            payload.clear();
            sums::put(&count, &mut payload)?;
            key.clear();
            key.push(IDENTITIES);
            key.extend_from_slice(&canonical(&text));
            identities.push(0, &key, &payload)?;
        }
        let [identities] = Sorter::sorted(vec![identities])?;
        let mut identities = Sums::new(identities.read()?)?;
        while let Some((text, count)) = identities.next(IDENTITIES)? {
            payload.clear();
            sums::put(&count, &mut payload)?;
            for (stream, who) in (1..).zip(people_of(&text, inventory, count.last)) {
                key.clear();
                key.push(stream);
                keys::put_who(who.who().as_ref(), &mut key);
                people.push(0, &key, &payload)?;
            }
        }
        let [people] = Sorter::sorted(vec![people])?;
        let mut people = Sums::new(people.read()?)?;
        let mut sections = Vec::new();
        for (stream, by) in (1..).zip(By::ALL) {
            let of = if stream < 3 { &mut people } else { &mut counted };
            sections.push(of.section(stream, by, top)?);
        }
        Ok(Tally { calls, top, sections })
    }
}

/// A text of `userIdentity` as it is spelled where it was parsed.
fn canonical(text: &[u8]) -> Cow<'_, [u8]> {
    Document::parse(text).map_or(text.into(), |identity| identity.root().canonical().into_bytes().into())
}

/// Who began the session that a text of `userIdentity` tells of, as it is known at the last of its calls; and who the text
/// says made the call.
fn people_of(text: &[u8], inventory: &Inventory, last: Option<Timestamp>) -> [Principal; 2] {
    let identity = if text.is_empty() { &b"null"[..] } else { text };
    let event = [&br#"{"userIdentity":"#[..], identity, b"}"].concat();
    let Ok(event) = Document::parse(&event) else { return Default::default() };
    let caller = Principal::of(event.root());
    let origin = sessions::trace(inventory, event.root(), last).origin;
    [origin.unwrap_or_else(|| caller.clone()), caller]
}

/// Whether an object may have a member of that name, so that it must be read. `text` goes on behind the object.
fn may_answer(name: &str, text: &[u8]) -> bool {
    if text.first() != Some(&b'{') {
        return false;
    }
    // Other names may be spelled in several ways.
    if !name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return true;
    }
    let quoted = format!("\"{name}\"");
    memchr::memmem::find_iter(text, &quoted).any(|at| {
        let after = &text[at + quoted.len()..];
        after.trim_ascii_start().first() == Some(&b':')
    })
}

/// The object that a text begins with.
fn object(text: &[u8]) -> Option<&[u8]> {
    let (mut at, mut depth) = (0, 0_u32);
    loop {
        let found = at + memchr::memchr3(b'"', b'{', b'}', text.get(at..)?)?;
        at = found + 1;
        match text[found] {
            b'{' => depth += 1,
            b'}' if depth == 1 => return text.get(..at),
            b'}' => depth = depth.checked_sub(1)?,
            _ => loop {
                let end = at + memchr::memchr2(b'"', b'\\', text.get(at..)?)?;
                at = end + 1;
                if text[end] == b'"' {
                    break;
                }
                at += 1;
            },
        }
    }
}

#[cfg(test)]
mod tests;
