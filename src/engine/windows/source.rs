//! Shares the hits of windows out among threads, some whole groups at a time.
//!
//! *Law*: the hits of a group are given to one thread, in their order. Memory is bounded: a group that is larger than may be
//! held is read by its thread while the others wait.

use crate::engine::hits;
use crate::error::Error;
use crate::spill::Merge;

/// Bytes of hits that a thread takes at once, unless a group has more.
const WANTED: usize = 1 << 18;

/// Bytes of one group that are held.
const MOST_HELD: usize = 1 << 21;

/// Hits in the order of their keys.
pub(in crate::engine) struct Source<'a> {
    merge: Merge<'a>,
    /// The first hit of the group that comes next, which was read to see where the last one ends.
    ahead: Option<Entry>,
}

/// The key of a hit, and what is kept of it.
type Entry = (Vec<u8>, Vec<u8>);

/// Hits, whole groups of them but perhaps the last.
pub(super) struct Chunk {
    pub(super) hits: Vec<Entry>,
    /// The last group has more, which must be read before anything else.
    pub(super) goes_on: bool,
}

impl<'a> Source<'a> {
    pub(in crate::engine) fn new(merge: Merge<'a>) -> Self {
        Self { merge, ahead: None }
    }

    /// The next hits; none at the end.
    pub(super) fn chunk(&mut self) -> Result<Chunk, Error> {
        let mut hits: Vec<Entry> = Vec::new();
        let mut bytes = 0;
        while let Some(next) = self.next()? {
            let is_other = hits.last().is_some_and(|(last, _)| !hits::are_of_one_group(last, &next.0));
            if is_other && bytes >= WANTED {
                self.ahead = Some(next);
                break;
            }
            if bytes >= MOST_HELD {
                self.ahead = Some(next);
                return Ok(Chunk { hits, goes_on: true });
            }
            bytes += next.0.len() + next.1.len();
            hits.push(next);
        }
        Ok(Chunk { hits, goes_on: false })
    }

    /// The next hit, if it is of the group of a key.
    pub(super) fn next_of(&mut self, key: &[u8]) -> Result<Option<Entry>, Error> {
        let next = self.next()?;
        let is_same = next.as_ref().is_some_and(|(next, _)| hits::are_of_one_group(key, next));
        if is_same {
            return Ok(next);
        }
        self.ahead = next;
        Ok(None)
    }

    fn next(&mut self) -> Result<Option<Entry>, Error> {
        if let Some(ahead) = self.ahead.take() {
            return Ok(Some(ahead));
        }
        let next = self.merge.advance()?;
        Ok(next.map(|(key, payload)| (key.to_vec(), payload.to_vec())))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::Timestamp;

    use super::*;
    use crate::spill::Sorter;

    /// Hits of groups of these sizes, each hit of so many bytes.
    fn shared_out(groups: &[usize], bytes: usize) -> Vec<(usize, bool)> {
        let mut sorter = Sorter::<1>::new(&Arc::default(), 1 << 30);
        for (group, size) in groups.iter().enumerate() {
            for number in 0..*size {
                let mut key = Vec::new();
                let time = Timestamp::from_second(number as i64).unwrap();
                hits::put_head(7, &format!("[{group:03}]"), "", time, [0; 16], &mut key);
                sorter.push(0, &key, &vec![group as u8; bytes]).unwrap();
            }
        }
        let [sorted] = Sorter::sorted(vec![sorter]).unwrap();
        let mut source = Source::new(sorted.read().unwrap());
        let (mut told, mut seen) = (Vec::new(), Vec::new());
        loop {
            let Chunk { mut hits, goes_on } = source.chunk().unwrap();
            let Some(last) = hits.last().map(|(key, _)| key.clone()) else { break };
            told.push((hits.len(), goes_on));
            while goes_on && let Some(next) = source.next_of(&last).unwrap() {
                hits.push(next);
            }
            seen.push(hits);
        }
        for pair in seen.windows(2) {
            let (last, first) = (&pair[0].last().unwrap().0, &pair[1][0].0);
            assert!(!hits::are_of_one_group(last, first), "a group has one thread");
        }
        let seen: Vec<_> = seen.concat();
        assert!(seen.is_sorted() && seen.len() == groups.iter().sum::<usize>(), "all are given, in their order");
        told
    }

    #[test]
    fn groups_are_given_whole() {
        assert_eq!(shared_out(&[], 10), []);
        assert_eq!(shared_out(&[3, 1, 2], 10), [(6, false)], "small ones together");
        let hit = WANTED / 4;
        assert_eq!(shared_out(&[3, 1, 2, 5, 1], hit), [(4, false), (7, false), (1, false)]);
        let many = MOST_HELD / hit;
        assert_eq!(shared_out(&[1, 2 * many, 1], hit), [(many, true), (1, false)], "the rest of one follows");
        assert_eq!(shared_out(&[many], hit), [(many, false)]);
    }
}
