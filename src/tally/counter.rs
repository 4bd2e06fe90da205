//! Collects counts, one thread's at a time, from parsed events or from a few fields of their text.
//!
//! *Law*: [`Counter::take_fields`] counts an event as [`Counter::take`] would if it were parsed, or leaves it.
//!
//! Who an event is of is not looked into at once: calls are counted by the text of `userIdentity`, of which there are as many
//! as sessions, and whose those are [`people`] asks when the last event was read, and with it all that is known of how
//! sessions began.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::BuildHasher;
use std::sync::Arc;

use foldhash::quality::RandomState;
use jiff::Timestamp;

use super::sums::{self, Sums};
use super::{By, Count, Tally, keys, people};
use crate::call;
use crate::error::Error;
use crate::input::{Field, Fields, Told};
use crate::inventory::Inventory;
use crate::record::{Document, Kind, Record};
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
pub(super) const IDENTITIES: u8 = 0;

/// The sections that are counted as events come: all but the first two.
const COUNTED: usize = By::ALL.len() - 2;

/// Texts of `userIdentity` that are found without a search, if the key id is the same.
const RECENT: usize = 1 << 9;

/// Bytes of an entry of a table beside its key.
const OVERHEAD: usize = 112;

/// Counts of one section.
#[derive(Debug, Default)]
pub(super) struct Table {
    places: HashMap<Box<[u8]>, usize, RandomState>,
    counts: Vec<Count>,
    /// The key that was counted last, and its place.
    last: Option<(Vec<u8>, usize)>,
}

impl Table {
    /// Adds calls; the bytes that this took.
    pub(super) fn add(&mut self, key: &[u8], calls: &Count) -> usize {
        if let Some((last, at)) = &self.last
            && last == key
        {
            self.counts[*at].add(calls);
            return 0;
        }
        let (at, bytes) = self.place(key);
        self.counts[at].add(calls);
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

    /// Gives everything to a sorter, by keys as they are spelled there.
    pub(super) fn drain(
        &mut self,
        stream: u8,
        sorter: &mut Sorter<1>,
        spelled: fn(&[u8]) -> Cow<'_, [u8]>,
    ) -> Result<(), Error> {
        self.last = None;
        let counts = std::mem::take(&mut self.counts);
        let (mut prefixed, mut payload) = (Vec::new(), Vec::new());
        self.places.drain().try_for_each(|(key, at)| {
            prefixed.clear();
            prefixed.push(stream);
            prefixed.extend_from_slice(&spelled(&key));
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

impl Seen<'_> {
    /// The call itself.
    fn call(&self) -> Count {
        Count { calls: 1, failures: self.error.is_some().into(), first: self.time, last: self.time }
    }
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
            self.identities.counts[met.at].add(&seen.call());
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
        self.identities.counts[at].add(&seen.call());
        (at, bytes)
    }

    /// Adds a call to all sections but those of who made it, which took these bytes.
    fn note(&mut self, seen: &Seen<'_>, bytes: usize) {
        let call = seen.call();
        self.calls.add(&call);
        self.bytes += bytes;
        let texts = [seen.error, seen.source_ip, seen.user_agent, seen.account, seen.region];
        let [event, rest @ .., hours] = &mut self.tables;
        let key = &mut self.key;
        key.clear();
        keys::put_event(seen.name, seen.source, key);
        self.bytes += event.add(key, &call);
        for (table, text) in rest.iter_mut().zip(texts) {
            key.clear();
            keys::put(text.unwrap_or_default(), key);
            self.bytes += table.add(key, &call);
        }
        let hour = seen.time.map(keys::hour);
        self.bytes += hours.add(hour.as_ref().map_or(&[], |hour| &hour[..]), &call);
        if self.bytes > self.most {
            self.drain();
        }
    }

    fn drain(&mut self) {
        self.bytes = 0;
        self.recent.fill_with(|| None);
        // What an identity is does not depend on how it is spelled.
        let mut drained = self.identities.drain(IDENTITIES, &mut self.sorter, canonical);
        for (table, stream) in self.tables.iter_mut().zip(3..) {
            drained = drained.and_then(|()| table.drain(stream, &mut self.sorter, |key| key.into()));
        }
        self.failed = self.failed.take().or(drained.err());
    }

    /// What all threads counted; so many values of a section have rows. How sessions began the inventory tells, which so many
    /// threads ask.
    pub(crate) fn tally(
        counters: Vec<Self>,
        inventory: &Inventory,
        threads: usize,
        top: usize,
    ) -> Result<Tally, Error> {
        let mut calls = Count::default();
        let mut sorters = Vec::new();
        let (mut failed, mut memory) = (None, 0);
        for mut counter in counters {
            counter.drain();
            memory += counter.most;
            failed = failed.or(counter.failed);
            calls.add(&counter.calls);
            sorters.push(counter.sorter);
        }
        if let Some(error) = failed {
            return Err(error);
        }
        let empty: Vec<_> = sorters.iter().map(Sorter::emptied).take(threads.max(1)).collect();
        let [counted] = Sorter::sorted(sorters)?;
        let mut counted = Sums::new(counted.read()?)?;
        let [people] = Sorter::sorted(people::collect(&mut counted, inventory, empty, memory)?)?;
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
