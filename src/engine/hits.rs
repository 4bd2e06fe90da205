//! Hits of windows, kept in few bytes until everything is read, in the order in which windows need them: by policy, group,
//! time, id and content.

use std::borrow::Cow;
use std::hash::{BuildHasher, RandomState};
use std::rc::Rc;

use foldhash::quality::FixedState;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::evaluate::Hit;
use super::place::{Map, Place};
use super::stored::{put, take};
use crate::error::Error;
use crate::finding::{Fingerprint, hash_text};
use crate::principal::{Principal, StoredPrincipal};
use crate::record::{Origin, Record, Scope};
use crate::spill::damaged;

/// Bytes of a key's value or an id that are kept; a longer one is cut, and told apart by its hash.
pub(super) const MOST_TEXT: usize = 1_024;

/// Levels of lists and objects that a value of a hit has at most, so that it can be read again.
pub(super) const DEEPEST: usize = 64;

/// True for a value that has more levels than [`DEEPEST`].
pub(super) fn is_deep(value: &Value) -> bool {
    fn fits(value: &Value, levels: usize) -> bool {
        match value {
            Value::Array(items) => levels > 0 && items.iter().all(|item| fits(item, levels - 1)),
            Value::Object(members) => levels > 0 && members.values().all(|member| fits(member, levels - 1)),
            _ => true,
        }
    }
    !fits(value, DEEPEST)
}

/// What a hit is found by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) policy: u32,
    /// The values of the window's keys: a JSON list.
    pub(super) group: Rc<str>,
    pub(super) time: Timestamp,
    /// `eventID`, or nothing.
    pub(super) id: String,
    /// The hash of the record, or of its text if it was noted.
    pub(super) hash: [u8; 16],
    pub(super) place: Place,
}

/// Appends the key of a hit: bytes in the order of policy, group, time, id, content, place.
pub(super) fn put_key(
    policy: u32,
    hit: &Hit,
    record: &Record,
    time: Timestamp,
    hash: [u8; 16],
    place: Place,
    into: &mut Vec<u8>,
) {
    let short = |value: &Value| {
        let text = value.to_string();
        match value {
            Value::String(whole) if text.len() > MOST_TEXT => cut(whole).into(),
            _ if text.len() > MOST_TEXT || is_deep(value) => cut(&text).into(),
            _ => value.clone(),
        }
    };
    let group = hit.by.iter().map(short).collect::<Value>().to_string();
    let id = record.id.as_deref().unwrap_or_default();
    let id =
        if id.len() > MOST_TEXT || id.contains('\0') { Cow::Owned(cut(&id.replace('\0', " "))) } else { id.into() };
    put_head(policy, &group, &id, time, hash, into);
    into.extend_from_slice(&place.key());
}

/// Appends the key of a hit up to its place; no text in it has a zero byte.
pub(super) fn put_head(policy: u32, group: &str, id: &str, time: Timestamp, hash: [u8; 16], into: &mut Vec<u8>) {
    into.extend_from_slice(&policy.to_be_bytes());
    // JSON has no zero byte, and an id here has none: what is shorter comes first, and what follows does not matter.
    into.extend_from_slice(group.as_bytes());
    into.push(0);
    into.extend_from_slice(&(time.as_second() as u64 ^ 1 << 63).to_be_bytes());
    into.extend_from_slice(&((time.subsec_nanosecond() as u32) ^ 1 << 31).to_be_bytes());
    into.extend_from_slice(id.as_bytes());
    into.push(0);
    into.extend_from_slice(&hash);
}

/// The beginning of a long text, and its hash.
fn cut(text: &str) -> String {
    let end = (0..=MOST_TEXT / 2).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
    format!("{}… {}", &text[..end], Fingerprint(hash_text(text)))
}

/// Whether two keys, as they are written, are of one policy and group.
pub(super) fn are_of_one_group(one: &[u8], other: &[u8]) -> bool {
    /// Policy and group; the policy may have a zero byte, the group ends with one.
    fn head(key: &[u8]) -> &[u8] {
        let end = key.iter().skip(size_of::<u32>()).position(|byte| *byte == 0);
        end.map_or(key, |end| &key[..size_of::<u32>() + end])
    }
    let head = head(one);
    other.starts_with(head) && other.get(head.len()) == one.get(head.len())
}

impl Key {
    /// Reads a key, which may be of the group of the one before it.
    pub(super) fn read(key: &[u8], before: Option<&Self>) -> Result<Self, Error> {
        let (policy, rest) = key.split_first_chunk().ok_or_else(damaged)?;
        let (group, rest) = text(rest)?;
        let (seconds, rest) = rest.split_first_chunk().ok_or_else(damaged)?;
        let (nanos, rest) = rest.split_first_chunk().ok_or_else(damaged)?;
        let (id, rest) = text(rest)?;
        let (hash, rest) = rest.split_first_chunk().ok_or_else(damaged)?;
        let seconds = (u64::from_be_bytes(*seconds) ^ 1 << 63) as i64;
        let nanos = (u32::from_be_bytes(*nanos) ^ 1 << 31) as i32;
        let same = before.filter(|before| *before.group == *group);
        Ok(Self {
            policy: u32::from_be_bytes(*policy),
            group: same.map_or_else(|| group.into(), |before| Rc::clone(&before.group)),
            time: Timestamp::new(seconds, nanos).map_err(|_| damaged())?,
            id: id.to_owned(),
            hash: *hash,
            place: super::stored::place(rest)?,
        })
    }

    /// True if both are of the same event, of which records may differ.
    pub(super) fn is_same_event(&self, other: &Self) -> bool {
        self.time == other.time && self.id == other.id && self.is_same_group(other)
    }

    /// True if both are of one policy and group.
    pub(super) fn is_same_group(&self, other: &Self) -> bool {
        self.policy == other.policy && (Rc::ptr_eq(&self.group, &other.group) || self.group == other.group)
    }
}

/// A text up to its zero byte, and what follows.
fn text(bytes: &[u8]) -> Result<(&str, &[u8]), Error> {
    let end = bytes.iter().position(|byte| *byte == 0).ok_or_else(damaged)?;
    Ok((std::str::from_utf8(&bytes[..end]).map_err(|_| damaged())?, &bytes[end + 1..]))
}

/// Hashes by which it is told within one scan whether texts are equal, in a way that nobody can foresee.
#[derive(Clone, Debug)]
pub(super) struct Seeds([FixedState; 2]);

impl Default for Seeds {
    fn default() -> Self {
        let random = RandomState::new();
        Self([0, 1].map(|number: u64| FixedState::with_seed(random.hash_one(number))))
    }
}

impl Seeds {
    pub(super) fn hash(&self, text: &[u8]) -> u128 {
        let [a, b] = &self.0;
        u128::from(a.hash_one(text)) << 64 | u128::from(b.hash_one(text))
    }
}

/// What is kept of a hit besides its key.
#[derive(Serialize, Deserialize)]
pub(super) struct Stored<'a, A = Cow<'a, Principal>> {
    pub(super) step: u8,
    /// The hash of what is counted.
    pub(super) of: u128,
    /// As it is written, where that is not how the time is told.
    pub(super) time: Option<&'a str>,
    pub(super) name: Option<&'a str>,
    pub(super) source: Option<&'a str>,
    pub(super) account: Option<&'a str>,
    pub(super) region: Option<&'a str>,
    pub(super) actor: A,
    pub(super) source_ip: Option<&'a str>,
    /// JSON; empty for nothing.
    pub(super) kept: Cow<'a, str>,
}

/// What stands before what is kept of a hit.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct First {
    pub(super) line: Option<u64>,
    /// The record was not parsed.
    pub(super) is_noted: bool,
}

/// Appends what is kept of a hit that was noted.
pub(super) fn put_noted(line: Option<u64>, stored: &[u8], into: &mut Vec<u8>) -> Result<(), Error> {
    put(&First { line, is_noted: true }, into)?;
    into.extend_from_slice(stored);
    Ok(())
}

/// Appends what is kept of a hit.
pub(super) fn put_hit(
    hit: &Hit,
    record: &Record,
    time: Timestamp,
    seeds: &Seeds,
    into: &mut Vec<u8>,
) -> Result<(), Error> {
    put(&First { line: record.origin.line, is_noted: false }, into)?;
    let view = record.value.view();
    let told = time.to_string();
    let kept = if hit.kept.is_null() { String::new() } else { hit.kept.to_string() };
    let stored = Stored {
        step: hit.step,
        of: hit.of.as_ref().map_or(0, |of| seeds.hash(of.to_string().as_bytes())),
        time: view.text(&["eventTime"]).filter(|written| *written != told),
        name: view.text(&["eventName"]),
        source: view.text(&["eventSource"]),
        account: record.scope.account.as_deref(),
        region: record.scope.region.as_deref(),
        actor: Cow::Borrowed(&hit.actor),
        source_ip: view.text(&["sourceIPAddress"]),
        kept: kept.into(),
    };
    put(&stored, into)
}

/// Of what is kept of a hit whether it was noted, its step, and the hash of what is counted.
pub(super) fn read_first(payload: &[u8]) -> Result<(bool, u8, u128), Error> {
    let (first, rest): (First, _) = take(payload)?;
    let ((step, of), _) = take(rest)?;
    Ok((first.is_noted, step, of))
}

/// A hit as windows hold it: its payload is read when it is told.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) key: Key,
    pub(super) payload: Box<[u8]>,
}

impl Held {
    /// What is kept of it.
    pub(super) fn read(&self) -> Result<Stored<'_, StoredPrincipal<'_>>, Error> {
        let (_, rest): (First, _) = take(&self.payload)?;
        Ok(take(rest)?.0)
    }

    /// Where it was read.
    pub(super) fn origin(&self, map: &Map) -> Result<Origin, Error> {
        let (first, _): (First, _) = take(&self.payload)?;
        Ok(map.origin(self.key.place, first.line))
    }

    /// What tells the finding that it opens from others that open at a record of the same id.
    pub(super) fn identity(&self) -> [u8; 16] {
        // At one time, one finding of a group opens.
        if self.key.id.is_empty() { self.key.hash } else { hash_text(&self.key.time.to_string()) }
    }
}

impl<A> Stored<'_, A> {
    pub(super) fn scope(&self) -> Scope {
        Scope { account: self.account.map(Into::into), region: self.region.map(Into::into) }
    }

    /// The time as it is written in the record.
    pub(super) fn written(&self, time: Timestamp) -> String {
        self.time.map_or_else(|| time.to_string(), str::to_owned)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::record::{CLOUDTRAIL, Document, Node};

    fn record(id: &str, time: Timestamp) -> Record {
        Record {
            kind: CLOUDTRAIL.into(),
            id: Some(id.into()),
            time: Some(time),
            scope: Scope::default(),
            value: Node::from(Document::from(&json!({ "eventID": id }))),
            origin: Origin::default(),
        }
    }

    fn parts() -> impl Strategy<Value = (u32, Vec<String>, (i64, i32), String, [u8; 16])> {
        let time =
            (prop_oneof![-3_i64..3, -62_135_596_800_i64..253_402_300_799], prop_oneof![Just(0), 0..1_000_000_000]);
        (0_u32..3, proptest::collection::vec("[ab\u{0}\"é]{0,3}", 1..3), time, "[ab\u{0}]{0,3}", any::<[u8; 16]>())
    }

    proptest! {
        #[test]
        fn keys_are_in_the_order_of_their_parts(a in parts(), b in parts()) {
            let made = |(policy, by, (seconds, nanos), id, hash): &(u32, Vec<String>, (i64, i32), String, [u8; 16])| {
                let by: Vec<Value> = by.iter().map(|text| text.as_str().into()).collect();
                let time = Timestamp::new(*seconds, *nanos).unwrap();
                let hit = Hit { by: by.clone(), of: None, step: 0, actor: Principal::default(), kept: Value::Null };
                let mut key = Vec::new();
                put_key(*policy, &hit, &record(id, time), time, *hash, Place::default(), &mut key);
                (key, (*policy, Value::from(by).to_string(), time, id.replace('\0', " ").contains(' ').then_some(()), *hash))
            };
            let ((key, of), (other, of_other)) = (made(&a), made(&b));
            let read = Key::read(&key, None).unwrap();
            prop_assert_eq!((read.policy, &*read.group, read.time, read.hash), (of.0, &*of.1, of.2, of.4));
            // Ids with a zero byte are written otherwise: their order is any, but a fixed one.
            if of.3.is_none() && of_other.3.is_none() {
                let whole = |parts: &(u32, String, Timestamp, Option<()>, [u8; 16]), id: &str| {
                    (parts.0, parts.1.clone(), parts.2, id.to_owned(), parts.4)
                };
                prop_assert_eq!(key.cmp(&other), whole(&of, &a.3).cmp(&whole(&of_other, &b.3)));
            }
        }
    }

    #[test]
    fn a_long_value_leaves_the_others_of_its_group_as_they_are() {
        let by: Vec<Value> = vec!["role".into(), "x".repeat(9_000).into(), 7.into()];
        let hit = Hit { by, of: None, step: 0, actor: Principal::default(), kept: Value::Null };
        let mut key = Vec::new();
        let time = Timestamp::UNIX_EPOCH;
        put_key(0, &hit, &record("a", time), time, [0; 16], Place::default(), &mut key);
        let group: Vec<Value> = serde_json::from_str(&Key::read(&key, None).unwrap().group).unwrap();
        assert_eq!((group.len(), &group[0], &group[2]), (3, &json!("role"), &json!(7)));
        // What is cut is the text, not how it is written.
        assert!(group[1].as_str().is_some_and(|text| text.starts_with('x')), "{group:?}");
    }

    #[test]
    fn long_groups_and_ids_are_told_apart() {
        let time = Timestamp::UNIX_EPOCH;
        let key = |by: &str, id: &str| {
            let hit = Hit { by: vec![by.into()], of: None, step: 0, actor: Principal::default(), kept: Value::Null };
            let mut key = Vec::new();
            put_key(0, &hit, &record(id, time), time, [0; 16], Place::default(), &mut key);
            key
        };
        let long = "é".repeat(3_000);
        let other = format!("{long}x");
        let keys = [key(&long, "a"), key(&other, "a"), key("a", &long), key("a", &other)];
        for (at, one) in keys.iter().enumerate() {
            assert!(one.len() < 2 * MOST_TEXT && Key::read(one, None).is_ok());
            assert!(keys.iter().skip(at + 1).all(|other| other != one));
        }
    }
}
