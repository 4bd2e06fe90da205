//! Places in the order of the input, and the origins that they stand for.
//!
//! Files are read in batches, which are judged in any order: what is found in one knows its position in the batch alone.
//! A [`Place`] holds that; the [`Map`], made when everything is read, knows how many events were before each batch.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::record::Origin;

/// The place of something in the order of the output; the order of its parts is what counts first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Place {
    pub(super) file: u32,
    /// The ordinal of the batch in the file; 0 for what is not read in batches.
    pub(super) batch: u32,
    /// In the batch.
    pub(super) position: u64,
    pub(super) policy: u32,
    /// Tells records apart whose place is the same otherwise: resources of a file that was named twice.
    pub(super) ordinal: u32,
}

impl Place {
    /// After everything that has a place.
    pub(super) const LAST: Self =
        Self { file: u32::MAX, batch: u32::MAX, position: u64::MAX, policy: u32::MAX, ordinal: u32::MAX };

    /// The number of bytes of a key.
    pub(super) const LEN: usize = 24;

    /// Bytes in the order of the places.
    pub(super) fn key(self) -> [u8; Self::LEN] {
        let mut key = [0; Self::LEN];
        key[..4].copy_from_slice(&self.file.to_be_bytes());
        key[4..8].copy_from_slice(&self.batch.to_be_bytes());
        key[8..16].copy_from_slice(&self.position.to_be_bytes());
        key[16..20].copy_from_slice(&self.policy.to_be_bytes());
        key[20..].copy_from_slice(&self.ordinal.to_be_bytes());
        key
    }

    /// The place that a key was made of.
    pub(super) fn of_key(key: [u8; Self::LEN]) -> Self {
        let [a, b, c, d, e, f] = std::array::from_fn(|at| {
            let mut part = [0; 4];
            part.copy_from_slice(&key[at * 4..][..4]);
            u32::from_be_bytes(part)
        });
        Self { file: a, batch: b, position: u64::from(c) << 32 | u64::from(d), policy: e, ordinal: f }
    }

    /// The same record, and this policy.
    pub(super) fn of_policy(self, policy: usize) -> Self {
        Self { policy: ordinal(policy), ..self }
    }
}

/// A place in a list as it stands in a key: no list that fits into memory is longer.
pub(super) fn ordinal(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// Knows the file and the position of every place.
#[derive(Debug, Default)]
pub(super) struct Map {
    names: Vec<Arc<str>>,
    /// File, batch, and the events of the file before it; sorted.
    before: Vec<(u32, u32, u64)>,
}

impl Map {
    /// Of the names of files, and how many events each batch had: file, batch, events.
    pub(super) fn new(names: Vec<Arc<str>>, mut batches: Vec<(u32, u32, u64)>) -> Self {
        batches.sort_unstable();
        let (mut file, mut before) = (None, 0);
        for batch in &mut batches {
            if file != Some(batch.0) {
                (file, before) = (Some(batch.0), 0);
            }
            before += std::mem::replace(&mut batch.2, before);
        }
        Self { names, before: batches }
    }

    fn before(&self, place: Place) -> u64 {
        let found = self.before.binary_search_by_key(&(place.file, place.batch), |(file, batch, _)| (*file, *batch));
        found.map_or(0, |at| self.before[at].2)
    }

    /// Where a record is whose line is known.
    pub(super) fn origin(&self, place: Place, line: Option<u64>) -> Origin {
        let file = self.names.get(place.file as usize).cloned().unwrap_or_default();
        Origin { file, position: place.position + self.before(place), line }
    }

    /// An origin whose position, if it has one, counts from the beginning of the batch.
    pub(super) fn complete(&self, place: Place, mut origin: Origin) -> Origin {
        if origin.position > 0 {
            origin.position += self.before(place);
        }
        origin
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn place() -> impl Strategy<Value = Place> {
        (any::<u32>(), any::<u32>(), any::<u64>(), any::<u32>(), any::<u32>())
            .prop_map(|(file, batch, position, policy, ordinal)| Place { file, batch, position, policy, ordinal })
    }

    proptest! {
        #[test]
        fn keys_are_in_the_order_of_places(a in place(), b in place()) {
            prop_assert_eq!(a.key().cmp(&b.key()), a.cmp(&b));
            prop_assert_eq!(Place::of_key(a.key()), a);
        }
    }

    #[test]
    fn positions_go_on_from_batch_to_batch_of_a_file() {
        let names = vec![Arc::from("a"), Arc::from("b")];
        let map = Map::new(names, vec![(1, 1, 7), (0, 2, 5), (0, 0, 3), (1, 0, 2)]);
        let at = |file, batch| map.origin(Place { file, batch, position: 1, ..Place::default() }, None).position;
        assert_eq!([at(0, 0), at(0, 2), at(1, 0), at(1, 1), at(2, 0)], [1, 4, 1, 3, 1]);
    }
}
