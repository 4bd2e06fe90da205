//! Takes the calls of identities, which are as many as sessions, to those of the people behind them, in several threads.

use std::sync::{Mutex, PoisonError};
use std::thread;

use jiff::Timestamp;

use super::counter::{IDENTITIES, Table};
use super::sums::Sums;
use super::{Count, keys};
use crate::error::Error;
use crate::inventory::Inventory;
use crate::principal::Principal;
use crate::record::Document;
use crate::sessions;
use crate::spill::Sorter;

/// Identities that a thread takes at once.
const CHUNK: usize = 256;

/// The streams of who began a session, and of who made a call: those of the first two sections.
const STREAMS: [u8; 2] = [1, 2];

/// Collects the calls of people in one thread.
struct Collecting {
    tables: [Table; STREAMS.len()],
    bytes: usize,
    /// Bytes that the tables may take.
    most: usize,
    sorter: Sorter<1>,
}

/// Takes the calls of identities, which `calls` gives, to those of people, in a thread for each of the sorters. What all
/// threads hold takes about so many bytes. How sessions began the inventory tells.
pub(super) fn collect(
    calls: &mut Sums<'_>,
    inventory: &Inventory,
    sorters: Vec<Sorter<1>>,
    memory: usize,
) -> Result<Vec<Sorter<1>>, Error> {
    let (calls, most) = (Mutex::new(calls), memory / sorters.len().max(1));
    let collect = |sorter| Collecting { tables: Default::default(), bytes: 0, most, sorter }.all(&calls, inventory);
    thread::scope(|scope| {
        let threads: Vec<_> = sorters.into_iter().map(|sorter| scope.spawn(move || collect(sorter))).collect();
        let ended =
            threads.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        ended.collect()
    })
}

impl Collecting {
    fn all(mut self, calls: &Mutex<&mut Sums<'_>>, inventory: &Inventory) -> Result<Sorter<1>, Error> {
        loop {
            let chunk = chunk(calls)?;
            if chunk.is_empty() {
                break;
            }
            chunk.iter().try_for_each(|(text, calls)| self.add(text, calls, inventory))?;
        }
        self.drain()?;
        Ok(self.sorter)
    }

    fn add(&mut self, text: &[u8], calls: &Count, inventory: &Inventory) -> Result<(), Error> {
        let mut key = Vec::new();
        for (table, who) in self.tables.iter_mut().zip(people_of(text, inventory, calls.last)) {
            key.clear();
            keys::put_who(who.who().as_ref(), &mut key);
            self.bytes += table.add(&key, calls);
        }
        if self.bytes > self.most { self.drain() } else { Ok(()) }
    }

    fn drain(&mut self) -> Result<(), Error> {
        self.bytes = 0;
        let mut tables = STREAMS.into_iter().zip(&mut self.tables);
        tables.try_for_each(|(stream, table)| table.drain(stream, &mut self.sorter, |key| key.into()))
    }
}

/// The next identities, and how often each called.
fn chunk(calls: &Mutex<&mut Sums<'_>>) -> Result<Vec<(Vec<u8>, Count)>, Error> {
    let mut calls = calls.lock().unwrap_or_else(PoisonError::into_inner);
    let mut chunk = Vec::new();
    while chunk.len() < CHUNK
        && let Some(next) = calls.next(IDENTITIES)?
    {
        chunk.push(next);
    }
    Ok(chunk)
}

/// Who began the session that a text of `userIdentity` tells of, as it is known at the last of its calls; and who the text
/// says made the call.
fn people_of(text: &[u8], inventory: &Inventory, last: Option<Timestamp>) -> [Principal; 2] {
    let identity = if text.is_empty() { &b"null"[..] } else { text };
    let event = [&br#"{"userIdentity":"#[..], identity, b"}"].concat();
    let Ok(event) = Document::parse(&event) else { return Default::default() };
    let caller = Principal::of(event.root());
    let origin = sessions::trace(inventory, event.root(), last).origin;
    [origin.unwrap_or_else(|| caller.clone()), caller]
}
