//! Keeps what resources were before, and tells which of it was at a time.
//!
//! *Law*: of a resource one version at most is in force at any time: the newest that was seen at or before it; before the
//! first was seen, that. What a later answer about all of a kind leaves out was no more from then on, and what an earlier
//! one left out was not yet.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::shelf::{Index, Shelf};
use crate::record::{Record, Scope};

/// At what time something is looked up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum When {
    /// What is, as far as is known.
    #[default]
    Now,
    /// What was then.
    At(Timestamp),
    /// What was then, as far as it had been seen by then: what was seen later alone may have been otherwise.
    Before(Timestamp),
    /// What was at any time.
    Ever,
}

impl When {
    /// Whether what was seen at these times counts.
    pub(super) fn takes(self, seen: impl IntoIterator<Item = Timestamp>) -> bool {
        match self {
            Self::Before(time) => seen.into_iter().any(|seen| seen <= time),
            Self::Now | Self::At(_) | Self::Ever => true,
        }
    }
}

/// The time in which a version of a resource was in force; `None` is without bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Life {
    /// The first moment.
    pub from: Option<Timestamp>,
    /// The first moment after.
    pub until: Option<Timestamp>,
}

impl Life {
    fn holds(&self, when: When) -> bool {
        match when {
            When::Now => self.until.is_none(),
            When::At(time) | When::Before(time) => {
                self.from.is_none_or(|from| from <= time) && self.until.is_none_or(|until| time < until)
            }
            When::Ever => true,
        }
    }
}

/// When there were answers about the whole of a kind, by account and region.
pub(super) type Wholes = BTreeMap<Scope, BTreeSet<Timestamp>>;

/// The place of a version: on the shelf of what is, or among what was before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    Now(u32),
    Older(u32),
}

/// What was before, of one kind.
#[derive(Debug, Default)]
pub(super) struct Past {
    /// Of what is.
    pub(super) now: Vec<Turn>,
    pub(super) older: Shelf,
    /// Of what was before.
    pub(super) then: Vec<Turn>,
    /// When resources were told to be no more, by their places in the order of all.
    pub(super) ends: BTreeMap<u32, BTreeSet<Timestamp>>,
    /// The key by which resources of the kind are found whenever they were.
    pub(super) own_name: Option<&'static str>,
}

/// Which resource a version is of, as its place in the order of all, and when it was in force.
#[derive(Clone, Debug)]
pub(super) struct Turn {
    pub(super) of: u32,
    pub(super) life: Life,
    /// When it was seen, but for the last time, which is the record's.
    pub(super) seen: Vec<Timestamp>,
}

impl Past {
    /// The versions that have a value by the indexes of now and then, and that a scope sees, by resource. By their own name
    /// resources are found whenever they were.
    pub(super) fn find<'a>(
        &'a self,
        now: &'a Shelf,
        (index, older): (&Index, &Index),
        value: &str,
        scope: Option<&Scope>,
        when: When,
        by_name: bool,
    ) -> Vec<&'a Record> {
        let (found, before) = (now.found(index, value, scope), self.older.found(older, value, scope));
        let versions = self.in_force(found, before, if by_name { When::Ever } else { when });
        let versions = versions.into_iter().filter_map(|(turn, version)| Some((turn, now.version(version)?)));
        let seen = versions.filter(|(turn, record)| when.takes(turn.seen.iter().copied().chain(record.time)));
        seen.map(|(_, record)| record).collect()
    }

    /// Every version that a scope sees, by resource.
    pub(super) fn all(&self, now: &Shelf, scope: &Scope, when: When) -> Vec<Version> {
        let places = |shelf: &Shelf| match shelf.seen_from(scope) {
            Some(places) => places.to_vec(),
            None => (0..shelf.records.len() as u32).collect(),
        };
        self.in_force(places(now), places(&self.older), when).into_iter().map(|(_, version)| version).collect()
    }

    fn in_force(&self, now: Vec<u32>, older: Vec<u32>, when: When) -> Vec<(&Turn, Version)> {
        let is_now = now.into_iter().map(|at| (&self.now[at as usize], Version::Now(at)));
        let was = older.into_iter().map(|at| (&self.then[at as usize], Version::Older(at)));
        let mut found: Vec<(&Turn, Version)> = is_now.chain(was).filter(|(turn, _)| turn.life.holds(when)).collect();
        found.sort_by_key(|(turn, _)| (turn.of, turn.life.from));
        found
    }
}

/// In which all pages of one answer were asked for.
const PAGING: SignedDuration = SignedDuration::from_hours(1);

/// The versions of a resource, of that place, in the order of their times, each with when it was in force. Where two neighbours are alike
/// and nothing lies between them, the later one stands for both.
pub(super) fn lives(
    of: u32,
    versions: Vec<Record>,
    wholes: Option<&BTreeSet<Timestamp>>,
    ends: Option<&BTreeSet<Timestamp>>,
) -> Vec<(Record, Turn)> {
    let after = |time: Timestamp| time.checked_add(SignedDuration::from_nanos(1)).unwrap_or(time);
    let times: Vec<Option<Timestamp>> = versions.iter().map(|version| version.time).collect();
    let mut out: Vec<(Record, Turn)> = Vec::with_capacity(versions.len());
    for (at, version) in versions.into_iter().enumerate() {
        let next = times.get(at + 1).copied().flatten();
        let (mut from, mut until) = (if at == 0 { None } else { times[at] }, next);
        if let (Some(time), Some(ends)) = (times[at], ends) {
            until = [next, ends.range(after(time)..).next().copied()].into_iter().flatten().min();
        }
        if let (Some(time), Some(wholes)) = (times[at], wholes) {
            if at == 0 {
                from = wholes.range(..time).next_back().map(|whole| after(*whole));
            }
            // What was one page of several is not missed where another page, which came soon, is the last.
            let missed = if wholes.contains(&time) { after(time) } else { time.saturating_add(PAGING).unwrap_or(time) };
            let left_out = wholes.range(missed..).next().copied();
            until = [until, left_out].into_iter().flatten().min();
        }
        match out.last_mut() {
            Some((last, turn))
                if turn.life.until == from && from.is_some() && last.value.view() == version.value.view() =>
            {
                turn.seen.extend(std::mem::replace(last, version).time);
                turn.life.until = until;
            }
            _ => out.push((version, Turn { of, life: Life { from, until }, seen: Vec::new() })),
        }
    }
    out
}
