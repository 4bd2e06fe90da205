//! Keeps the resources of one kind, and finds them by the text of a value and by account and region.
//!
//! An index is made when it is asked for the first time, for all threads.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, BuildHasherDefault};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use super::Scoped;
use super::past::{Past, Version, Wholes};
use super::places::AsItIs;
use crate::record::{Record, Ref, Scope};

/// The resources of one kind, in input order.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    pub(super) records: Vec<Record>,
    /// What was before, if anything is known of that.
    pub(super) past: Option<Box<Past>>,
    pub(super) wholes: Wholes,
    scopes: OnceLock<Scopes>,
    indexes: RwLock<HashMap<String, Arc<OnceLock<Index>>>>,
}

/// The scopes that the resources of a kind have, by number.
#[derive(Debug, Default)]
struct Scopes {
    numbers: Scoped<u32>,
    /// The places of the records of each scope, ascending.
    places: Vec<Arc<[u32]>>,
    /// The scope of each record.
    of: Vec<u32>,
}

/// Places on the shelf by the text of a value. Texts stand in the records alone: here are their hashes, and a hash that is
/// taken by another text is counted up until one is free.
#[derive(Debug)]
pub(super) struct Index {
    steps: Vec<String>,
    keys: RandomState,
    found: HashMap<u64, Found, BuildHasherDefault<AsItIs>>,
    /// The places of values that several records have: by number of scope, then ascending.
    several: Vec<Vec<u32>>,
}

/// Where the records are that have a value.
#[derive(Clone, Copy, Debug)]
enum Found {
    One(u32),
    /// As a place in the list of such lists.
    Several(u32),
}

/// So many places are looked at one by one.
const FEW: usize = 16;

impl Shelf {
    pub(super) fn of(records: Vec<Record>, past: Option<Box<Past>>, wholes: Wholes) -> Self {
        Self { records, past, wholes, ..Self::default() }
    }

    /// The place of the index by a key.
    pub(super) fn slot(&self, key: &str) -> Arc<OnceLock<Index>> {
        if let Some(slot) = self.indexes.read().unwrap_or_else(PoisonError::into_inner).get(key) {
            return Arc::clone(slot);
        }
        let mut indexes = self.indexes.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(indexes.entry(key.to_owned()).or_default())
    }

    /// Makes the index by a key.
    pub(super) fn index(&self, key: &str) -> Index {
        let mut index =
            Index { steps: steps(key), keys: RandomState::new(), found: HashMap::default(), several: Vec::new() };
        index.found.reserve(self.records.len());
        let steps = index.steps.clone();
        for (at, record) in (0..).zip(&self.records) {
            each_scalar(record.value.view(), &steps, &mut |text| index.add(text, at, &self.records));
        }
        index.found.shrink_to_fit();
        let scopes = self.scopes();
        if scopes.places.len() > 1 {
            for places in &mut index.several {
                places.sort_by_key(|at| scopes.of[*at as usize]);
            }
        }
        index
    }

    /// The records that have a value and that a scope sees, in order.
    pub(super) fn find(&self, index: &Index, value: &str, scope: Option<&Scope>) -> Vec<&Record> {
        self.found(index, value, scope).into_iter().map(|at| &self.records[at as usize]).collect()
    }

    /// The record that is, or was.
    pub(super) fn version(&self, version: Version) -> Option<&Record> {
        match version {
            Version::Now(at) => self.records.get(at as usize),
            Version::Older(at) => self.past.as_ref()?.older.records.get(at as usize),
        }
    }

    /// The places of the records that have a value and that a scope sees, ascending.
    pub(super) fn found(&self, index: &Index, value: &str, scope: Option<&Scope>) -> Vec<u32> {
        let Some(found) = index.get(value, &self.records) else { return Vec::new() };
        let places = index.places(&found);
        let record = |at: u32| &self.records[at as usize];
        let mut found: Vec<u32> = match scope {
            None => places.to_vec(),
            // Few, or of so many scopes that to go through these is no better.
            Some(scope) if places.len() <= FEW || scope.account.is_none() => {
                places.iter().copied().filter(|at| record(*at).scope.overlaps(scope)).collect()
            }
            Some(scope) => {
                let scopes = self.scopes();
                let of = |at: &u32| scopes.of[*at as usize];
                let within = |number: &u32| {
                    let places = &places[places.partition_point(|at| of(at) < *number)..];
                    &places[..places.partition_point(|at| of(at) == *number)]
                };
                scopes.numbers.overlapping(scope).flat_map(|(_, number)| within(number)).copied().collect()
            }
        };
        found.sort_unstable();
        found
    }

    fn scopes(&self) -> &Scopes {
        self.scopes.get_or_init(|| Scopes::of(&self.records))
    }

    /// The places of what a scope sees; `None` for all of them.
    pub(super) fn seen_from(&self, scope: &Scope) -> Option<Arc<[u32]>> {
        let scopes = self.scopes();
        let numbers: Vec<u32> = scopes.numbers.overlapping(scope).map(|(_, number)| *number).collect();
        match &numbers[..] {
            all if all.len() == scopes.places.len() => None,
            [one] => Some(Arc::clone(&scopes.places[*one as usize])),
            several => {
                let places = several.iter().flat_map(|number| scopes.places[*number as usize].iter());
                let mut places: Vec<u32> = places.copied().collect();
                places.sort_unstable();
                Some(places.into())
            }
        }
    }
}

impl Scopes {
    fn of(records: &[Record]) -> Self {
        let mut numbers = Scoped::default();
        let mut places: Vec<Vec<u32>> = Vec::new();
        let mut of = Vec::with_capacity(records.len());
        let mut last: Option<(&Scope, u32)> = None;
        for (at, record) in (0..).zip(records) {
            let number = match last {
                Some((scope, number)) if *scope == record.scope => number,
                _ => *numbers.entry(&record.scope, || {
                    places.push(Vec::new());
                    (places.len() - 1) as u32
                }),
            };
            last = Some((&record.scope, number));
            places[number as usize].push(at);
            of.push(number);
        }
        Self { numbers, places: places.into_iter().map(Arc::from).collect(), of }
    }
}

impl Index {
    fn add(&mut self, text: &str, at: u32, records: &[Record]) {
        let mut hash = self.keys.hash_one(text);
        loop {
            let found = self.found.get(&hash).copied();
            match found {
                None => drop(self.found.insert(hash, Found::One(at))),
                Some(found) if !self.is_of(&found, text, records) => {
                    hash = hash.wrapping_add(1);
                    continue;
                }
                Some(Found::One(one)) if one == at => {}
                Some(Found::One(one)) => {
                    self.found.insert(hash, Found::Several(self.several.len() as u32));
                    self.several.push(vec![one, at]);
                }
                Some(Found::Several(list)) => {
                    let places = &mut self.several[list as usize];
                    if places.last() != Some(&at) {
                        places.push(at);
                    }
                }
            }
            return;
        }
    }

    fn get(&self, text: &str, records: &[Record]) -> Option<Found> {
        let mut hash = self.keys.hash_one(text);
        loop {
            let found = *self.found.get(&hash)?;
            if self.is_of(&found, text, records) {
                return Some(found);
            }
            hash = hash.wrapping_add(1);
        }
    }

    fn places<'a>(&'a self, found: &'a Found) -> &'a [u32] {
        match found {
            Found::One(at) => std::slice::from_ref(at),
            Found::Several(list) => &self.several[*list as usize],
        }
    }

    /// True if this was found by that text, not by another of the same hash.
    fn is_of(&self, found: &Found, text: &str, records: &[Record]) -> bool {
        let record = self.places(found).first().and_then(|at| records.get(*at as usize));
        let mut has = false;
        if let Some(record) = record {
            each_scalar(record.value.view(), &self.steps, &mut |other| has |= other == text);
        }
        has
    }
}

/// `a."b.c".d` as its steps; a quote that is not closed runs to the end.
fn steps(key: &str) -> Vec<String> {
    let mut steps = vec![String::new()];
    let mut quoted = false;
    for character in key.chars() {
        match character {
            '"' => quoted = !quoted,
            '.' if !quoted => steps.push(String::new()),
            other => steps.last_mut().into_iter().for_each(|step| step.push(other)),
        }
    }
    steps
}

/// Gives the text of every scalar at the end of a path, through lists.
fn each_scalar(value: Ref<'_>, steps: &[String], give: &mut impl FnMut(&str)) {
    for item in value.items() {
        each_scalar(item, steps, give);
    }
    match steps.split_first() {
        Some((step, rest)) => value.get(step).into_iter().for_each(|inner| each_scalar(inner, rest, give)),
        None => value.scalar_text().into_iter().for_each(|text| give(&text)),
    }
}
