//! Keeps sessions that events tell of in a temporary file, where who follows one back finds it by a hash.
//!
//! There are as many sessions as calls that give credentials out, which may be every tenth record. Of each no more is in
//! memory than where it stands, under the hashes of what it is found by.
//!
//! *Law*: what is found depends on neither the order in which sessions came nor on threads. Where there are too many even for
//! that, none is found, and there is a fault.

use std::collections::BTreeSet;
use std::hash::BuildHasher;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use foldhash::quality::RandomState;

use super::{Derived, Lived, once};
use crate::engine::deferred;
use crate::engine::place::Place;
use crate::error::Error;
use crate::fault::Fault;
use crate::inventory::Store;
use crate::record::{Origin, Record, Scope};
use crate::sessions::{BY_ARN, BY_KEY};
use crate::spill::{Scratch, damaged};

/// Bytes that places in the file may take: of some three million sessions.
const MOST: usize = 128 << 20;

/// Accounts and regions that are held, the first in their order.
const MOST_SCOPES: usize = 10_000;

/// Bytes that are written at once, at least.
const PIECE: usize = 1 << 18;

/// Where something stands in the file that has a text of this hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Find {
    hash: u64,
    at: u64,
    length: u32,
}

/// Sessions that come one by one.
#[derive(Debug)]
pub(in crate::engine) struct Keeping {
    scratch: Arc<Scratch>,
    most: usize,
    /// There are more than may be.
    is_over: bool,
    hasher: RandomState,
    finds: Vec<Find>,
    /// What was set aside in the file and is not written yet: where it begins, and its bytes.
    piece: (u64, Vec<u8>),
    scopes: BTreeSet<Scope>,
    told: u64,
    /// The first in the order of the input.
    first: Option<(Place, Origin)>,
    failed: Option<Error>,
}

impl Keeping {
    /// For sessions that are written to this file.
    pub(in crate::engine) fn new(scratch: &Arc<Scratch>) -> Self {
        Self {
            scratch: Arc::clone(scratch),
            most: MOST / size_of::<Find>(),
            is_over: false,
            hasher: RandomState::default(),
            finds: Vec::new(),
            piece: (0, Vec::new()),
            scopes: BTreeSet::new(),
            told: 0,
            first: None,
            failed: None,
        }
    }

    /// Adds the session that the event at a place tells of.
    pub(in crate::engine) fn add(&mut self, at: Place, session: &Record) {
        self.told += 1;
        if self.first.as_ref().is_none_or(|(first, _)| at < *first) {
            self.first = Some((at, session.origin.clone()));
        }
        if !self.scopes.contains(&session.scope) {
            self.scopes.insert(session.scope.clone());
            // Of all others nothing is known. What goes never comes back: there are always so many before it.
            if self.scopes.len() > MOST_SCOPES {
                self.scopes.pop_last();
            }
        }
        if self.is_over || self.failed.is_some() {
            return;
        }
        self.failed = self.write(at, session).err();
        if self.finds.len() > self.most {
            self.is_over = true;
            self.finds = Vec::new();
        }
    }

    fn write(&mut self, place: Place, session: &Record) -> Result<(), Error> {
        let mut entry = place.key().to_vec();
        deferred::store(session, &[], &mut entry)?;
        let length = u32::try_from(entry.len()).map_err(|_| Error::new("a record of more than 4 GiB"))?;
        if self.piece.1.len() + entry.len() > PIECE {
            self.flush()?;
        }
        if self.piece.1.is_empty() {
            self.piece.0 = self.scratch.reserve(PIECE.max(entry.len()) as u64);
        }
        let at = self.piece.0 + self.piece.1.len() as u64;
        self.piece.1.extend_from_slice(&entry);
        let hashes = hashes(&self.hasher, session);
        self.finds.extend(hashes.into_iter().map(|hash| Find { hash, at, length }));
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Error> {
        if !self.piece.1.is_empty() {
            self.scratch.write(self.piece.0, &self.piece.1)?;
            self.piece.1.clear();
        }
        Ok(())
    }

    /// All of them, and of what scopes they are.
    pub(in crate::engine) fn finish(mut self) -> Result<(Kept, BTreeSet<Scope>), Error> {
        self.flush()?;
        if let Some(error) = self.failed {
            return Err(error);
        }
        let fault = self.first.filter(|_| self.is_over).map(|(at, origin)| {
            let reason = "there are more sessions than can be followed: none is (try: scan fewer days, accounts or regions \
                          at a time)";
            let mut fault = Fault::inventory(reason.to_owned(), origin);
            fault.count = self.told;
            (at, fault)
        });
        self.finds.sort_unstable();
        let trouble = Mutex::new(Trouble { error: None, fault });
        Ok((Kept { scratch: self.scratch, hasher: self.hasher, finds: self.finds, trouble }, self.scopes))
    }
}

/// Something that a session is found by.
fn hash(hasher: &RandomState, key: &str, value: &str) -> u64 {
    hasher.hash_one((key, value))
}

/// The hashes of all that a session is found by; one of nothing, if there is none.
fn hashes(hasher: &RandomState, session: &Record) -> Vec<u64> {
    let view = session.value.view();
    let found_by = [BY_KEY, BY_ARN].into_iter().filter_map(|key| Some(hash(hasher, key, view.text(&[key])?)));
    let hashes: Vec<u64> = found_by.collect();
    if hashes.is_empty() { vec![hash(hasher, "", "")] } else { hashes }
}

/// Sessions in a file.
#[derive(Debug)]
pub(in crate::engine) struct Kept {
    scratch: Arc<Scratch>,
    hasher: RandomState,
    /// Sorted.
    finds: Vec<Find>,
    trouble: Mutex<Trouble>,
}

/// What went wrong.
#[derive(Debug, Default)]
struct Trouble {
    /// They could not be read.
    error: Option<Error>,
    /// Not all of them can be had.
    fault: Option<(Place, Fault)>,
}

impl Kept {
    /// What went wrong while they were looked up.
    pub(in crate::engine) fn trouble(&self) -> Result<Option<(Place, Fault)>, Error> {
        let Trouble { error, fault } = std::mem::take(&mut *self.noted());
        error.map_or(Ok(fault), Err)
    }

    fn noted(&self) -> MutexGuard<'_, Trouble> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self, find: Find) -> Result<(Place, Record), Error> {
        let mut bytes = vec![0; find.length as usize];
        self.scratch.read(find.at, &mut bytes)?;
        let (place, stored) = bytes.split_first_chunk().ok_or_else(damaged)?;
        Ok((Place::of_key(*place), deferred::read(stored)?.0))
    }

    /// What these are, in the order of the input; nothing, if they cannot be read.
    fn records(&self, finds: impl Iterator<Item = Find>) -> Vec<(Place, Record)> {
        let read: Result<Vec<_>, Error> = finds.map(|find| self.read(find)).collect();
        let mut records = read.unwrap_or_else(|error| {
            self.noted().error = Some(error);
            Vec::new()
        });
        records.sort_by_key(|(place, _)| *place);
        records
    }
}

impl Store for Kept {
    fn find(&self, key: &str, value: &str) -> Vec<Record> {
        let hash = hash(&self.hasher, key, value);
        let from = self.finds.partition_point(|find| find.hash < hash);
        let found = self.finds[from..].iter().take_while(|find| find.hash == hash).copied();
        let mut records = self.records(found);
        // Others may have that hash.
        records.retain(|(_, record)| record.value.view().text(&[key]) == Some(value));
        once(records.into_iter().map(|(_, record)| record)).into_iter().map(|(record, _)| record).collect()
    }

    fn all(&self) -> Vec<Record> {
        let mut finds = self.finds.clone();
        finds.sort_unstable_by_key(|find| find.at);
        finds.dedup_by_key(|find| find.at);
        let mut derived = Derived::default();
        for find in finds {
            for (place, record) in self.records(std::iter::once(find)) {
                derived.add(place, vec![record.into()]);
            }
        }
        let (lived, fault): (Vec<Lived>, _) = derived.finish();
        if let Some(fault) = fault {
            self.noted().fault.get_or_insert(fault);
        }
        lived.into_iter().map(|(record, _)| record).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::engine::derive::added;
    use crate::inventory::Inventory;
    use crate::record::{Document, Node};
    use crate::sessions::KIND;

    /// A session of few keys, names and times, so that they meet; of one call there may be several records, which say more
    /// or less of it.
    fn session() -> impl Strategy<Value = Record> {
        (0_u32..16, proptest::option::of("[ab]"), 0_u32..3).prop_map(|(call, account, more)| {
            let mut value = json!({ "More": more });
            let found_by = [(BY_KEY, ["a", "b", "c", ""]), (BY_ARN, ["b", "a", "", "a"])];
            for (name, texts) in found_by {
                let text = texts[call as usize % 4];
                value.as_object_mut().unwrap().extend((!text.is_empty()).then(|| (name.to_owned(), text.into())));
            }
            Record {
                kind: KIND.into(),
                id: Some(format!("call {call}").into()),
                time: Some(jiff::Timestamp::from_second(i64::from(call / 3)).unwrap()),
                scope: Scope { account: account.map(Into::into), region: None },
                value: Node::from(Document::from(&value)),
                origin: Origin::default(),
            }
        })
    }

    fn at(position: usize) -> Place {
        Place { position: position as u64, ..Place::default() }
    }

    fn keeping(sessions: &[(usize, Record)]) -> Keeping {
        let mut keeping = Keeping::new(&Arc::default());
        sessions.iter().for_each(|(position, session)| keeping.add(at(*position), session));
        keeping
    }

    fn texts(records: &[Record]) -> Vec<String> {
        let text = |one: &Record| format!("{:?} {} {}", one.id, one.scope, one.value.view().canonical());
        records.iter().map(text).collect()
    }

    proptest! {
        #[test]
        fn what_is_kept_is_found_as_if_it_were_in_memory(
            sessions in proptest::collection::vec(session(), 0..30),
            shuffle in any::<prop::sample::Index>(),
        ) {
            let mut derived = Derived::default();
            let mut sessions: Vec<(usize, Record)> = sessions.into_iter().enumerate().collect();
            sessions.iter().for_each(|(position, one)| derived.add(at(*position), vec![one.clone().into()]));
            let in_memory = added(&Inventory::default(), derived.finish().0);
            // They come in any order.
            let first = if sessions.is_empty() { 0 } else { shuffle.index(sessions.len()) };
            sessions.rotate_left(first);
            let (kept, scopes) = keeping(&sessions).finish().unwrap();
            let kept = Arc::new(kept);
            let stored = Inventory::default().with_store(KIND, Arc::clone(&kept) as _, scopes);
            let found = |inventory: &Inventory, key: &str, text: &str| {
                let found: Vec<Record> = inventory.find(KIND, key, text).into_iter().map(|one| one.into_owned()).collect();
                texts(&found)
            };
            for (key, text) in [(BY_KEY, "a"), (BY_KEY, "b"), (BY_KEY, "c"), (BY_ARN, "a"), (BY_ARN, "b"), (BY_ARN, "")] {
                prop_assert_eq!(found(&stored, key, text), found(&in_memory, key, text));
                // The same by its name, once all of it is read.
                let looked_up = |inventory: &Inventory| {
                    let found: Vec<Record> = inventory.lookup(KIND, key, text, None).into_iter().cloned().collect();
                    texts(&found)
                };
                prop_assert_eq!(looked_up(&stored), looked_up(&in_memory));
            }
            prop_assert_eq!(texts(stored.all(KIND)), texts(in_memory.all(KIND)));
            prop_assert_eq!(stored.answers().collect::<Vec<_>>(), in_memory.answers().collect::<Vec<_>>());
            prop_assert!(kept.trouble().unwrap().is_none());
        }
    }

    fn of_key(key: &str) -> Record {
        Record {
            kind: KIND.into(),
            id: Some(key.into()),
            time: None,
            scope: Scope::default(),
            value: Node::from(Document::from(&json!({ BY_KEY: key, "More": "x".repeat(PIECE / 3) }))),
            origin: Origin { file: "log".into(), ..Origin::default() },
        }
    }

    #[test]
    fn what_is_longer_than_a_piece_and_what_is_behind_it_is_found() {
        let sessions: Vec<_> =
            (0..9).map(|number| (number, of_key(&format!("k{number}").repeat(1 + number)))).collect();
        let (kept, _) = keeping(&sessions).finish().unwrap();
        for (_, session) in &sessions {
            let key = session.id.as_deref().unwrap();
            assert_eq!(texts(&kept.find(BY_KEY, key)), texts(std::slice::from_ref(session)));
        }
    }

    #[test]
    fn of_too_many_none_is_found_and_that_is_told_at_the_first() {
        for count in [3, 4] {
            let mut keeping = Keeping { most: 3, ..keeping(&[]) };
            for number in [2, 1, 3, 0].into_iter().take(count) {
                keeping.add(at(number), &of_key(&format!("k{number}")));
            }
            let (kept, scopes) = keeping.finish().unwrap();
            let fault = kept.trouble().unwrap().map(|(place, fault)| (place, fault.count));
            assert_eq!((kept.find(BY_KEY, "k1").len(), scopes.len()), (usize::from(count == 3), 1));
            assert_eq!(fault, (count == 4).then_some((at(0), 4)));
        }
    }
}
