//! Adds up what was counted under equal keys, and keeps the values of the most calls.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::keys;
use super::{By, Count, Others, Section};
use crate::error::Error;
use crate::spill::{Merge, damaged};

/// Appends a count to bytes.
pub(super) fn put(count: &Count, into: &mut Vec<u8>) -> Result<(), Error> {
    let nanos = |time: Option<jiff::Timestamp>| time.map(jiff::Timestamp::as_nanosecond);
    let stored = (count.calls, count.failures, nanos(count.first), nanos(count.last));
    let written = postcard::to_extend(&stored, std::mem::take(into));
    *into = written.map_err(|error| Error::new(format!("cannot be stored: {error}")))?;
    Ok(())
}

fn take(bytes: &[u8]) -> Result<Count, Error> {
    type Stored = (u64, u64, Option<i128>, Option<i128>);
    let (calls, failures, first, last): Stored = postcard::from_bytes(bytes).map_err(|_| damaged())?;
    let time = |nanos: Option<i128>| nanos.map(jiff::Timestamp::from_nanosecond).transpose().map_err(|_| damaged());
    Ok(Count { calls, failures, first: time(first)?, last: time(last)? })
}

/// Gives sums of equal keys, in the order of the keys.
pub(super) struct Sums<'a> {
    merge: Merge<'a>,
    ahead: Option<(Vec<u8>, Count)>,
}

impl<'a> Sums<'a> {
    pub(super) fn new(merge: Merge<'a>) -> Result<Self, Error> {
        let mut sums = Self { merge, ahead: None };
        sums.ahead = sums.entry()?;
        Ok(sums)
    }

    fn entry(&mut self) -> Result<Option<(Vec<u8>, Count)>, Error> {
        let Some((key, payload)) = self.merge.advance()? else { return Ok(None) };
        Ok(Some((key.to_vec(), take(payload)?)))
    }

    /// The next key that begins with this byte, without it, and its sum.
    pub(super) fn next(&mut self, stream: u8) -> Result<Option<(Vec<u8>, Count)>, Error> {
        let Some((key, mut sum)) = self.ahead.take_if(|(key, _)| key.first() == Some(&stream)) else { return Ok(None) };
        loop {
            self.ahead = self.entry()?;
            match &self.ahead {
                Some((next, count)) if *next == key => sum.add(count),
                _ => return Ok(Some((key[1..].to_vec(), sum))),
            }
        }
    }

    /// The section of the keys that begin with this byte; so many values of it have rows.
    pub(super) fn section(&mut self, stream: u8, by: By, top: usize) -> Result<Section, Error> {
        // The least of those kept is on top: few calls, and of those of as many calls the last key.
        let mut kept: BinaryHeap<Reverse<Ranked>> = BinaryHeap::new();
        let (mut values, mut none, mut others) = (0, None, Others { values: 0, count: Count::default() });
        while let Some((key, count)) = self.next(stream)? {
            if key.is_empty() {
                none = Some(count);
                continue;
            }
            values += 1;
            kept.push(Reverse(Ranked { calls: count.calls, key: Reverse(key), count }));
            if kept.len() > top
                && let Some(Reverse(least)) = kept.pop()
            {
                others.values += 1;
                others.count.add(&least.count);
            }
        }
        let mut kept = kept.into_sorted_vec();
        if by == By::Hour {
            kept.sort_by(|Reverse(one), Reverse(other)| other.key.cmp(&one.key));
        }
        let mut rows: Vec<_> = kept.into_iter().map(|Reverse(row)| keys::row(by, &row.key.0, row.count)).collect();
        rows.extend(none.map(|count| keys::row(by, &[], count)));
        Ok(Section { by, values, rows, others: Some(others).filter(|others| others.values > 0) })
    }
}

/// A value by its calls, then by its key, the first of which is the greatest.
#[derive(PartialEq, Eq)]
struct Ranked {
    calls: u64,
    key: Reverse<Vec<u8>>,
    count: Count,
}

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.calls, &self.key).cmp(&(other.calls, &other.key))
    }
}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
