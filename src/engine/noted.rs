//! Makes hits of windows of a few fields of an event, which need not be parsed for that.
//!
//! *Law*: what is noted of an event is the hit that it would be if it were parsed, but for the hash, which is of its text.
//! Where the same event was met with another hash, only parsing tells whether both are one record: then nothing may be
//! noted (see [`Windows::contradicted`](super::windows::Windows)).

use std::fmt::Write as _;

use serde::Serialize;

use super::derive::Telling;
use super::evaluate::MOST_KEPT;
use super::hits::{self, MOST_TEXT, Seeds, Stored};
use super::index::Index;
use super::place::ordinal;
use super::skimmed::Skimmed;
use crate::input::{Field, Fields};
use crate::policy::{Condition, Key, Policy, Shape, Window};
use crate::principal::{Texts, says};
use crate::record::CLOUDTRAIL;
use crate::script::Answer;

/// What is kept of every hit, beside who made the call.
const OF_EVENT: [&[&str]; 5] = [&["eventID"], &["eventTime"], &["eventName"], &["eventSource"], &["sourceIPAddress"]];

/// The fields that are read of every event of which something may be noted.
fn of_event() -> impl Iterator<Item = &'static [&'static str]> {
    OF_EVENT.into_iter().chain(Texts::PATHS).chain(Texts::SECOND_FACTOR)
}

/// The fields that have to be read for hits of policies to be noted; nothing if none can be. A policy that a call's name
/// leads to is asked about few events, for which no other is read.
pub(super) fn wanted(policies: &[Policy]) -> Vec<Vec<String>> {
    let by_name = |condition: &Condition| condition.path == ["eventName"];
    let of_many = policies.iter().filter(|policy| !policy.header.when.conditions.iter().any(by_name));
    let mut paths: Vec<Vec<String>> = of_many.filter_map(paths).flatten().collect();
    if !paths.is_empty() {
        paths.extend(of_event().map(|path| path.iter().map(|name| (*name).to_owned()).collect()));
    }
    paths
}

/// The fields that tell what a hit of a policy is; `None` if that cannot be noted.
fn paths(policy: &Policy) -> Option<Vec<Vec<String>>> {
    let window = policy.header.window.as_ref()?;
    let can_be = &*policy.header.judges == CLOUDTRAIL
        && window.named.steps.is_empty()
        && policy.header.needs.is_empty()
        && !policy.script.traces
        && Telling::of([policy]).is_empty()
        && policy.script.predicate.as_ref().is_some_and(|predicate| !predicate.is_unknown());
    if !can_be {
        return None;
    }
    let mut paths = Vec::new();
    for hook in hooks(policy, window) {
        paths.extend_from_slice(policy.script.proved(hook)?.paths());
    }
    paths.extend(fields(policy, window).map(|key| key.path.clone()));
    Some(paths)
}

/// The hooks that are asked about a hit.
fn hooks<'p>(policy: &'p Policy, window: &'p Window) -> impl Iterator<Item = &'p str> {
    let named = window.keys().map(|key| key.text.as_str()).chain(["keep"]);
    named.filter(|name| policy.script.hooks.contains(*name))
}

/// What hits are grouped and counted by and is no hook.
fn fields<'p>(policy: &'p Policy, window: &'p Window) -> impl Iterator<Item = &'p Key> {
    window.keys().filter(|key| !policy.script.hooks.contains(&key.text))
}

/// Notes hits.
pub(super) struct Noting {
    policies: Vec<Option<Parts>>,
    /// Where the fields of [`of_event`] are found.
    event: Vec<usize>,
    seeds: Seeds,
}

/// Where the parts of a policy's hits are found.
struct Parts {
    by: Vec<Part>,
    of: Option<Part>,
    keep: Option<Part>,
}

enum Part {
    Field(usize),
    /// The name of a hook, and where the fields are found that it names.
    Hook(String, Vec<Option<usize>>),
}

/// What a note is put together in; kept from event to event.
#[derive(Debug, Default)]
pub(super) struct Room {
    group: Vec<u8>,
    of: Vec<u8>,
    kept: Vec<u8>,
    time: String,
}

impl Noting {
    /// For policies whose fields are found by an index; those at these places must be parsed.
    pub(super) fn new(policies: &[Policy], index: &Index, seeds: &Seeds, is_parsed: impl Fn(usize) -> bool) -> Self {
        let event: Option<Vec<usize>> = of_event().map(|path| index.field(path)).collect();
        let parts = |(at, policy): (usize, &Policy)| {
            event.as_ref()?;
            paths(policy).filter(|_| !is_parsed(at))?;
            Parts::new(policy, index)
        };
        let policies = policies.iter().enumerate().map(parts).collect();
        Self { policies, seeds: seeds.clone(), event: event.unwrap_or_default() }
    }

    /// Whether hits of the policy at a place can be noted at all.
    pub(super) fn can_note(&self, at: usize) -> bool {
        self.policies[at].is_some()
    }

    /// Appends what is noted of an event that is a hit of the policy at a place; `None`, and perhaps a part of it, if its
    /// fields do not tell.
    pub(super) fn note(
        &self,
        (at, policy): (usize, &Policy),
        event: &Skimmed<'_>,
        is_counted: bool,
        room: &mut Room,
        into: &mut Vec<u8>,
    ) -> Option<()> {
        let parts = self.policies[at].as_ref()?;
        let told = event.told?;
        let time = told.time?;
        let field = |place: usize| text(event.fields, self.event[place]);
        let id = field(0)?.filter(|id| !id.is_empty() && id.len() <= MOST_TEXT)?;
        room.group.clear();
        for part in &parts.by {
            room.group.push(if room.group.is_empty() { b'[' } else { b',' });
            let start = room.group.len();
            part.write(policy, event, &mut room.group)?;
            if room.group.len() - start > MOST_TEXT || &room.group[start..] == b"null" {
                return None;
            }
        }
        room.group.push(b']');
        let mut of = 0;
        if let Some(part) = &parts.of {
            room.of.clear();
            part.write(policy, event, &mut room.of)?;
            if room.of == b"null" {
                return None;
            }
            of = self.seeds.hash(&room.of);
        }
        room.kept.clear();
        if let Some(part) = &parts.keep {
            part.write(policy, event, &mut room.kept)?;
            if room.kept.len() > MOST_KEPT {
                return None;
            }
        }
        room.time.clear();
        write!(room.time, "{time}").ok()?;
        let stored = Stored {
            step: 0,
            of,
            time: field(1)?.filter(|text| *text != room.time),
            name: field(2)?,
            source: field(3)?,
            account: told.account,
            region: told.region,
            actor: self.actor(event.fields)?,
            source_ip: field(4)?,
            kept: std::str::from_utf8(&room.kept).ok()?.into(),
        };
        let hash = self.seeds.hash(event.fields.record()).to_be_bytes();
        let group = std::str::from_utf8(&room.group).ok()?;
        Note::put(
            ordinal(at),
            is_counted,
            into,
            |policy, into| hits::put_head(policy, group, id, time, hash, into),
            &stored,
        )
    }

    /// Who made the call, as it is stored.
    fn actor<'a>(&self, fields: &Fields<'a>) -> Option<impl Serialize + use<'a>> {
        let places = &self.event[OF_EVENT.len()..];
        let mut texts = [None; Texts::PATHS.len()];
        for (found, place) in texts.iter_mut().zip(places) {
            *found = text(fields, *place)?;
        }
        let [of_session, of_sign_in] = [0, 1].map(|number| fields.get(places[Texts::PATHS.len() + number]));
        let mfa = match (of_session, of_sign_in) {
            (Field::Text(told), _) => says(told),
            (Field::Bool(told), _) => Some(told),
            (Field::Null | Field::Part(_), _) | (Field::Absent, Field::Absent) => None,
            // That of a sign-in counts where there is an identity.
            (Field::Absent | Field::Other, _) => return None,
        };
        Some(Texts(texts).stored(mfa))
    }
}

impl Parts {
    fn new(policy: &Policy, index: &Index) -> Option<Self> {
        let window = policy.header.window.as_ref()?;
        let has = |hook: &str| policy.script.hooks.contains(hook);
        let hook = |name: &str, fits: fn(&Answer) -> bool| {
            let proved = policy.script.proved(name).filter(|proved| fits(proved))?;
            Some(Part::Hook(name.to_owned(), proved.paths().iter().map(|path| index.field(path)).collect()))
        };
        let part = |key: &Key| {
            if has(&key.text) { hook(&key.text, |key| !key.is_made()) } else { index.field(&key.path).map(Part::Field) }
        };
        let by = window.by.iter().map(part).collect::<Option<_>>()?;
        let of = match &window.shape {
            Shape::Distinct { of, .. } => Some(part(of)?),
            _ => None,
        };
        let keep = if has("keep") { Some(hook("keep", |kept| kept.is_map_within(hits::DEEPEST))?) } else { None };
        Some(Self { by, of, keep })
    }
}

impl Part {
    /// Appends its value as JSON; `None`, and perhaps a part of it, if the fields do not tell.
    fn write(&self, policy: &Policy, event: &Skimmed<'_>, into: &mut Vec<u8>) -> Option<()> {
        match self {
            Self::Hook(name, places) => policy.script.proved(name)?.write(&event.at(places), into),
            Self::Field(place) => {
                match event.fields.get(*place) {
                    Field::Absent | Field::Null => into.extend_from_slice(b"null"),
                    Field::Bool(flag) => into.extend_from_slice(if flag { b"true" } else { b"false" }),
                    Field::Text(text) => serde_json::to_writer(into, text).ok()?,
                    Field::Part(_) | Field::Other => return None,
                }
                Some(())
            }
        }
    }
}

/// The text of a field, `None` inside where there is none; `None` if it is not known.
fn text<'a>(fields: &Fields<'a>, place: usize) -> Option<Option<&'a str>> {
    match fields.get(place) {
        Field::Text(text) => Some(Some(text)),
        Field::Absent | Field::Null | Field::Bool(_) | Field::Part(_) => Some(None),
        Field::Other => None,
    }
}

/// A hit that was noted.
pub(super) struct Note<'a> {
    pub(super) policy: u32,
    /// It is a hit among what is judged, not before it.
    pub(super) is_counted: bool,
    /// The key of the hit, up to its place.
    pub(super) head: &'a [u8],
    /// What is kept of it.
    pub(super) stored: &'a [u8],
}

impl<'a> Note<'a> {
    /// Bytes before the head: policy, whether it counts, and the lengths of the others.
    const FIRST: usize = 4 + 1 + 4 + 4;

    fn put(
        policy: u32,
        is_counted: bool,
        into: &mut Vec<u8>,
        head: impl FnOnce(u32, &mut Vec<u8>),
        stored: &impl Serialize,
    ) -> Option<()> {
        let start = into.len();
        into.extend_from_slice(&policy.to_be_bytes());
        into.push(u8::from(is_counted));
        into.extend_from_slice(&[0; 8]);
        head(policy, into);
        let middle = into.len();
        super::stored::put(stored, into).ok()?;
        let lengths = [middle - start - Self::FIRST, into.len() - middle];
        for (at, length) in (0..).zip(lengths) {
            let length = u32::try_from(length).ok()?.to_be_bytes();
            into[start + 5 + 4 * at..][..4].copy_from_slice(&length);
        }
        Some(())
    }

    /// The notes of one event.
    pub(super) fn each(mut notes: &'a [u8]) -> impl Iterator<Item = Self> {
        std::iter::from_fn(move || {
            let (policy, rest) = notes.split_first_chunk()?;
            let (is_counted, rest) = rest.split_first()?;
            let (head_len, rest) = rest.split_first_chunk()?;
            let (stored_len, rest) = rest.split_first_chunk()?;
            let (head, rest) = rest.split_at_checked(u32::from_be_bytes(*head_len) as usize)?;
            let (stored, rest) = rest.split_at_checked(u32::from_be_bytes(*stored_len) as usize)?;
            notes = rest;
            Some(Self { policy: u32::from_be_bytes(*policy), is_counted: *is_counted != 0, head, stored })
        })
    }
}
