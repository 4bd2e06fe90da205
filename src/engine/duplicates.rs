//! Makes one finding of equal ones.
//!
//! Findings of equal fingerprints and records are one, which has the origins of all; where the records differ, both
//! stay, and the later one's fingerprint says of which content it is: the one of the later time, of one time the one that was
//! read later. To see that, all findings are sorted by fingerprint and record, in few bytes each; what changes is then
//! sorted by place again, to be told while findings are read.

use std::sync::Arc;

use jiff::Timestamp;

use super::place::{Map, Place};
use super::stored::{place, put, take};
use crate::error::Error;
use crate::finding::{Duplicates, Enforcement, Fingerprint, Origins, Severity, Standing, apart};
use crate::record::Origin;
use crate::spill::{Merge, Scratch, Sorted, Sorter, damaged};

/// Bytes of origins of one finding that are kept together.
const BLOCK: usize = 1 << 16;

/// What a finding is compared by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Identity {
    pub(super) fingerprint: Fingerprint,
    pub(super) record_hash: [u8; 16],
    pub(super) time: Option<Timestamp>,
    pub(super) place: Place,
    pub(super) severity: Severity,
    pub(super) standing: Standing,
    pub(super) enforcement: Enforcement,
    pub(super) line: Option<u64>,
}

impl Identity {
    /// In the order of fingerprints, then of records, then of places.
    pub(super) fn key(&self) -> [u8; 32 + Place::LEN] {
        let mut key = [0; 32 + Place::LEN];
        key[..16].copy_from_slice(&self.fingerprint.0);
        key[16..32].copy_from_slice(&self.record_hash);
        key[32..].copy_from_slice(&self.place.key());
        key
    }

    /// Appends what is not in the key.
    pub(super) fn store(&self, into: &mut Vec<u8>) -> Result<(), Error> {
        let time = self.time.map(|time| (time.as_second(), time.subsec_nanosecond()));
        put(&(time, self.severity, self.standing, self.enforcement, self.line), into)
    }

    /// Which of two that contradict each other keeps its fingerprint: the one that is less.
    fn order(&self) -> (Option<Timestamp>, Place) {
        (self.time, self.place)
    }

    fn read(key: &[u8], stored: &[u8]) -> Result<Self, Error> {
        type Stored = (Option<(i64, i32)>, Severity, Standing, Enforcement, Option<u64>);
        let ((time, severity, standing, enforcement, line), _): (Stored, _) = take(stored)?;
        let time = time.map(|(seconds, nanos)| Timestamp::new(seconds, nanos)).transpose().map_err(|_| damaged())?;
        let (fingerprint, rest) = key.split_first_chunk().ok_or_else(damaged)?;
        let (record_hash, rest) = rest.split_first_chunk().ok_or_else(damaged)?;
        let (fingerprint, record_hash) = (Fingerprint(*fingerprint), *record_hash);
        Ok(Self { fingerprint, record_hash, time, place: place(rest)?, severity, standing, enforcement, line })
    }
}

/// What findings are counted by.
type Sort = (Severity, Standing, Enforcement);

/// How many findings there are of each severity, standing and enforcement.
#[derive(Debug, Default)]
pub(super) struct Numbers(Vec<(Sort, u64)>);

impl Numbers {
    fn add(&mut self, of: Sort) {
        match self.0.iter_mut().find(|(known, _)| *known == of) {
            Some((_, count)) => *count += 1,
            None => self.0.push((of, 1)),
        }
    }

    /// How many there are of which `which` says so.
    pub(super) fn count(&self, which: impl Fn(Severity, Standing, Enforcement) -> bool) -> u64 {
        let is_one = |(severity, standing, enforcement): &Sort| which(*severity, *standing, *enforcement);
        self.0.iter().filter(|(sort, _)| is_one(sort)).map(|(_, count)| count).sum()
    }
}

/// What became of findings when equal ones were made one, by their places.
pub(super) struct Edits {
    sorted: Sorted,
    scratch: Arc<Scratch>,
    map: Arc<Map>,
}

/// What changes of a finding.
pub(super) struct Edit {
    /// What it is known by, and whether it is.
    pub(super) now: Option<(Fingerprint, Standing)>,
    pub(super) duplicates: Duplicates,
}

impl Edits {
    pub(super) fn read(&self) -> Result<Merge<'_>, Error> {
        self.sorted.read()
    }

    /// The place of the next finding that changes; it goes where there is nothing else to tell.
    pub(super) fn next(&self, merge: &mut Merge<'_>) -> Result<Option<(Place, Option<Edit>)>, Error> {
        let Some((key, payload)) = merge.advance()? else { return Ok(None) };
        let place = place(key)?;
        if payload.is_empty() {
            return Ok(Some((place, None)));
        }
        type Stored<'a> = (Option<([u8; 16], Standing)>, u64, Vec<(u64, u32)>);
        let ((now, len, blocks), rest): (Stored<'_>, _) = take(payload)?;
        let (scratch, map) = (Arc::clone(&self.scratch), Arc::clone(&self.map));
        let duplicates = match len {
            0 => Duplicates::default(),
            _ => Duplicates::new(len, Arc::new(Spread { scratch, map, blocks, rest: rest.to_vec() })),
        };
        Ok(Some((
            place,
            Some(Edit { now: now.map(|(fingerprint, standing)| (Fingerprint(fingerprint), standing)), duplicates }),
        )))
    }
}

/// Origins in blocks of the file, and the rest of them.
struct Spread {
    scratch: Arc<Scratch>,
    map: Arc<Map>,
    blocks: Vec<(u64, u32)>,
    rest: Vec<u8>,
}

impl Origins for Spread {
    fn each(&self, give: &mut dyn FnMut(Origin) -> bool) -> Result<(), Error> {
        let mut give_all = |mut bytes: &[u8]| -> Result<bool, Error> {
            while !bytes.is_empty() {
                let ((place, line), rest): ((Place, Option<u64>), _) = take(bytes)?;
                if !give(self.map.origin(place, line)) {
                    return Ok(false);
                }
                bytes = rest;
            }
            Ok(true)
        };
        let mut block = Vec::new();
        for (at, len) in &self.blocks {
            block.resize(*len as usize, 0);
            self.scratch.read(*at, &mut block)?;
            if !give_all(&block)? {
                return Ok(());
            }
        }
        give_all(&self.rest).map(|_| ())
    }
}

/// One finding, and where else its record was read.
struct One {
    is: Identity,
    len: u64,
    blocks: Vec<(u64, u32)>,
    rest: Vec<u8>,
}

/// Compares findings, and says what changes.
struct Comparison<K> {
    /// Whether a finding is known by another fingerprint.
    is_known: K,
    scratch: Arc<Scratch>,
    edits: Sorter<1>,
    block: usize,
    numbers: Numbers,
    /// Of those with one fingerprint the first so far, which keeps it, unless that is the current one.
    first: Option<One>,
    /// The one that the last was, with the same fingerprint.
    current: Option<One>,
}

/// Finds equal findings among those whose identities are given; `is_known` says whether one of a fingerprint was there before.
pub(super) fn compare(
    identities: &Sorted,
    map: &Arc<Map>,
    memory: usize,
    is_known: impl Fn(Fingerprint) -> bool,
) -> Result<(Numbers, Edits), Error> {
    let scratch = Arc::default();
    let mut comparison = Comparison {
        is_known,
        edits: Sorter::new(&scratch, memory),
        scratch,
        block: (memory / 64).clamp(64, BLOCK),
        numbers: Numbers::default(),
        first: None,
        current: None,
    };
    let mut merge = identities.read()?;
    while let Some((key, stored)) = merge.advance()? {
        comparison.add(Identity::read(key, stored)?)?;
    }
    comparison.finish(map)
}

impl<K: Fn(Fingerprint) -> bool> Comparison<K> {
    fn add(&mut self, next: Identity) -> Result<(), Error> {
        if let Some(One { is, len, blocks, rest }) = &mut self.current
            && (is.fingerprint, is.record_hash) == (next.fingerprint, next.record_hash)
        {
            *len += 1;
            put(&(next.place, next.line), rest)?;
            if rest.len() >= self.block {
                let at = self.scratch.reserve(rest.len() as u64);
                self.scratch.write(at, rest)?;
                blocks.push((at, u32::try_from(rest.len()).map_err(|_| damaged())?));
                rest.clear();
            }
            return self.edits.push(0, &next.place.key(), &[]);
        }
        let is_other = self.current.as_ref().is_some_and(|one| one.is.fingerprint != next.fingerprint);
        self.end_of_record()?;
        if is_other {
            self.end_of_fingerprint()?;
        }
        self.current = Some(One { is: next, len: 0, blocks: Vec::new(), rest: Vec::new() });
        Ok(())
    }

    fn end_of_record(&mut self) -> Result<(), Error> {
        let Some(mut later) = self.current.take() else { return Ok(()) };
        if let Some(first) = &mut self.first {
            if later.is.order() < first.is.order() {
                std::mem::swap(first, &mut later);
            }
            let fingerprint = apart(later.is.fingerprint, later.is.record_hash);
            return self.tell(&later, Some(fingerprint));
        }
        self.first = Some(later);
        Ok(())
    }

    fn end_of_fingerprint(&mut self) -> Result<(), Error> {
        self.first.take().map_or(Ok(()), |first| self.tell(&first, None))
    }

    fn tell(&mut self, one: &One, fingerprint: Option<Fingerprint>) -> Result<(), Error> {
        // What it was known by before is another's.
        let restand = |fingerprint: Fingerprint| match one.is.standing {
            Standing::Waived => Standing::Waived,
            Standing::New | Standing::Known if (self.is_known)(fingerprint) => Standing::Known,
            Standing::New | Standing::Known => Standing::New,
        };
        let now = fingerprint.map(|fingerprint| (fingerprint.0, restand(fingerprint)));
        let standing = now.map_or(one.is.standing, |(_, standing)| standing);
        self.numbers.add((one.is.severity, standing, one.is.enforcement));
        if now.is_none() && one.len == 0 {
            return Ok(());
        }
        let mut payload = Vec::new();
        put(&(now, one.len, &one.blocks), &mut payload)?;
        payload.extend_from_slice(&one.rest);
        self.edits.push(0, &one.is.place.key(), &payload)
    }

    fn finish(mut self, map: &Arc<Map>) -> Result<(Numbers, Edits), Error> {
        self.end_of_record()?;
        self.end_of_fingerprint()?;
        let [sorted] = Sorter::sorted(vec![self.edits])?;
        Ok((self.numbers, Edits { sorted, scratch: self.scratch, map: Arc::clone(map) }))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    /// A finding as it is told: place, fingerprint, where else.
    type Told = (Place, Fingerprint, Vec<Origin>);

    /// The same in memory, as it can be read off the first sentence of this file.
    fn in_memory(ordered: &[Identity], map: &Map) -> (Vec<Told>, Vec<Severity>) {
        let (mut told, mut severities): (Vec<Told>, _) = (Vec::new(), Vec::new());
        let mut known: HashMap<Fingerprint, usize> = HashMap::new();
        for found in ordered {
            let mut fingerprint = found.fingerprint;
            let same = ordered.iter().filter(|other| other.fingerprint == fingerprint);
            let first = same.min_by_key(|other| (other.time, other.place)).unwrap();
            if first.record_hash != found.record_hash {
                fingerprint = apart(fingerprint, found.record_hash);
            }
            match known.get(&fingerprint) {
                Some(at) => told[*at].2.push(map.origin(found.place, found.line)),
                None => {
                    known.insert(fingerprint, told.len());
                    told.push((found.place, fingerprint, Vec::new()));
                    severities.push(found.severity);
                }
            }
        }
        (told, severities)
    }

    fn in_bounded_memory(
        shuffled: &[Identity],
        ordered: &[Identity],
        map: &Arc<Map>,
        memory: usize,
    ) -> (Vec<Told>, Numbers) {
        let scratch = Arc::default();
        let mut sorters = [Sorter::<1>::new(&scratch, memory), Sorter::new(&scratch, memory)];
        for (at, found) in shuffled.iter().enumerate() {
            let mut payload = Vec::new();
            found.store(&mut payload).unwrap();
            sorters[at % 2].push(0, &found.key(), &payload).unwrap();
        }
        let [identities] = Sorter::sorted(sorters.into()).unwrap();
        let (numbers, edits) = compare(&identities, map, memory, |_| false).unwrap();
        let mut merge = edits.read().unwrap();
        let mut edit = edits.next(&mut merge).unwrap();
        let mut told = Vec::new();
        for found in ordered {
            match edit.take_if(|(of, _)| *of == found.place) {
                None => told.push((found.place, found.fingerprint, Vec::new())),
                Some((_, change)) => {
                    if let Some(Edit { now, duplicates }) = change {
                        let fingerprint = now.map(|(fingerprint, _)| fingerprint);
                        let mut origins = Vec::new();
                        duplicates
                            .each(&mut |origin| {
                                origins.push(origin);
                                true
                            })
                            .unwrap();
                        assert_eq!(duplicates.len(), origins.len() as u64);
                        told.push((found.place, fingerprint.unwrap_or(found.fingerprint), origins));
                    }
                    edit = edits.next(&mut merge).unwrap();
                }
            }
        }
        assert!(edit.is_none(), "every edit is of a finding");
        (told, numbers)
    }

    fn found() -> impl Strategy<Value = Vec<Identity>> {
        let place = (0_u32..3, 0_u32..3, 1_u64..20, 0_u32..2);
        let one = (place, 0_u8..6, 0_u8..6, proptest::sample::select(Severity::ALL.to_vec()), any::<bool>());
        proptest::collection::vec(one, 0..200).prop_map(|all| {
            let mut places = std::collections::BTreeSet::new();
            type One = ((u32, u32, u64, u32), u8, u8, Severity, bool);
            let found = |((file, batch, position, policy), fingerprint, hash, severity, has_line): One| Identity {
                place: Place { file, batch, position, policy, ordinal: 0 },
                fingerprint: Fingerprint([fingerprint; 16]),
                record_hash: [hash; 16],
                // Some of the later hashes are of earlier times.
                time: Timestamp::from_second(i64::from(hash) % 2).ok().filter(|_| hash < 5),
                severity,
                standing: Standing::New,
                enforcement: Enforcement::Fail,
                line: has_line.then_some(position),
            };
            all.into_iter().map(found).filter(|found| places.insert(found.place)).collect()
        })
    }

    proptest! {
        /// Exactly what the same does in memory, whatever the memory and the order in which findings come.
        #[test]
        fn equal_findings_become_one(shuffled in found(), memory in 0_usize..3_000) {
            let mut ordered = shuffled.clone();
            ordered.sort_by_key(|found| found.place);
            let names = ["a", "b", "c"].map(Arc::from).to_vec();
            let map = Arc::new(Map::new(names, vec![(0, 0, 20), (0, 1, 7), (1, 0, 3), (2, 2, 5)]));
            let (expected, severities) = in_memory(&ordered, &map);
            let (told, numbers) = in_bounded_memory(&shuffled, &ordered, &map, memory);
            prop_assert_eq!(told, expected);
            for severity in Severity::ALL {
                let count = severities.iter().filter(|of| **of == severity).count() as u64;
                prop_assert_eq!(numbers.count(|of, _, _| of == severity), count);
            }
        }
    }

    #[test]
    fn a_record_that_was_read_very_often_is_held_in_blocks() {
        let all: Vec<Identity> = (0..5_000)
            .map(|at| Identity {
                place: Place { position: at + 1, ..Place::default() },
                fingerprint: Fingerprint([1; 16]),
                record_hash: [2; 16],
                time: None,
                severity: Severity::Low,
                standing: Standing::New,
                enforcement: Enforcement::Fail,
                line: Some(at),
            })
            .collect();
        let map = Arc::new(Map::new(vec!["log".into()], Vec::new()));
        let (told, numbers) = in_bounded_memory(&all, &all, &map, 1_000);
        assert_eq!(told, in_memory(&all, &map).0);
        assert_eq!((told.len(), told[0].2.len(), numbers.count(|_, _, _| true)), (1, 4_999, 1));
    }
}
