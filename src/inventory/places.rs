//! Finds the place of a thing in a list by its hash.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasherDefault, Hasher};

/// Places in a list by the hash of what stands there: a fourth of what a map of the things themselves would take. A hash
/// that is taken by another thing is counted up until one is free, which works because nothing is ever taken away.
#[derive(Debug, Default)]
pub(crate) struct Places {
    places: HashMap<u64, usize, BuildHasherDefault<AsItIs>>,
}

impl Places {
    pub(crate) fn reserve(&mut self, more: usize) {
        self.places.reserve(more);
    }

    /// The place of the thing that has this hash and is the same; if there is none, it is at `next` from now on.
    pub(crate) fn find(&mut self, hash: u64, next: usize, same: impl Fn(usize) -> bool) -> Option<usize> {
        let mut hash = hash;
        loop {
            match self.places.entry(hash) {
                Entry::Vacant(free) => {
                    free.insert(next);
                    return None;
                }
                Entry::Occupied(taken) if same(*taken.get()) => return Some(*taken.get()),
                Entry::Occupied(_) => hash = hash.wrapping_add(1),
            }
        }
    }
}

/// Hashes a hash.
#[derive(Debug, Default)]
pub(super) struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {}

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_of_one_hash_are_told_apart() {
        let mut places = Places::default();
        let mut things: Vec<u32> = Vec::new();
        for thing in [7, 8, 7, 9, 8, 7, 10] {
            // Three hashes for all, one after another.
            let hash = u64::MAX - u64::from(thing % 3);
            let found = places.find(hash, things.len(), |at| things[at] == thing);
            assert_eq!(found, things.iter().position(|other| *other == thing));
            if found.is_none() {
                things.push(thing);
            }
        }
        assert_eq!(things, [7, 8, 9, 10]);
    }
}
