//! Puts an inventory together.

use std::collections::hash_map::RandomState;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::BuildHasher;
use std::sync::{Arc, LazyLock};

use jiff::Timestamp;

use super::past::{self, Past, Turn, Wholes};
use super::{Answers, Collected, Inventory, Life, Places, Run, Shelf};
use crate::fault::{Fault, printable};
use crate::record::{Record, Ref, Scope};

/// Puts an inventory together.
#[derive(Debug, Default)]
pub struct Builder {
    drafts: BTreeMap<Arc<str>, Draft>,
    order: Vec<Run>,
    collected: BTreeMap<Arc<str>, Arc<Answers>>,
    identities: Identities,
    faults: Vec<Fault>,
}

/// The resources of one kind so far.
#[derive(Debug, Default)]
struct Draft {
    /// Those of the inventory that was reopened, until one is added.
    kept: Option<Arc<Shelf>>,
    /// The newest of each.
    records: Vec<Record>,
    /// The places of the records that have an id.
    known: Places,
    /// What was before, with the place of the newest.
    older: Vec<(usize, Record)>,
    wholes: Wholes,
    /// When those were in force of which that was told, by their places.
    lives: BTreeMap<usize, Life>,
    /// What was told to be no more since its time.
    gone: Vec<Identified>,
    /// The same, by the places of what it was.
    ends: BTreeMap<usize, BTreeSet<Timestamp>>,
    own_name: Option<&'static str>,
}

/// A resource and the hashes by which it is found again: made where the resource is, before it is put among others.
#[derive(Debug)]
pub(crate) struct Identified {
    pub(crate) record: Record,
    /// Of the id.
    pub(crate) id: u64,
    /// Of all that makes two resources of one kind the same.
    whole: u64,
}

/// Hashes what makes resources the same.
#[derive(Debug, Default)]
pub(crate) struct Identities {
    /// The last scope and its hash: of a scope there mostly are many resources in a row.
    last: Option<(Scope, u64)>,
}

/// The keys of all hashes, since they are compared wherever they were made.
static KEYS: LazyLock<RandomState> = LazyLock::new(RandomState::new);

impl Identities {
    pub(crate) fn of(&mut self, record: Record) -> Identified {
        let Some(id) = &record.id else { return Identified { record, id: 0, whole: 0 } };
        let id = KEYS.hash_one(id);
        let last = self.last.take().filter(|(scope, _)| *scope == record.scope);
        let last = last.unwrap_or_else(|| (record.scope.clone(), KEYS.hash_one(&record.scope)));
        let mut whole = id ^ last.1.rotate_left(32);
        self.last = Some(last);
        if let Some(aspect) = aspect(&record) {
            whole ^= KEYS.hash_one(aspect).rotate_left(16);
        }
        Identified { record, id, whole }
    }
}

/// Answers about two trails are two resources, and so are two attributes of one image: the aspect is the `Arguments` that a
/// command was told, else, of a kind `…-attribute`, the members that it has.
fn aspect(record: &Record) -> Option<String> {
    let value = record.value.view();
    let members = || record.kind.ends_with("-attribute").then(|| value.entries().map(|(key, _)| key).collect());
    value.get("Arguments").map(Ref::canonical).or_else(members)
}

fn are_same(one: &Record, other: &Record) -> bool {
    one.id == other.id && one.scope == other.scope && aspect(one) == aspect(other)
}

impl Builder {
    /// One that holds all of an inventory.
    pub(super) fn on(inventory: &Inventory) -> Self {
        let kept = |shelf: &Arc<Shelf>| Draft { kept: Some(Arc::clone(shelf)), ..Draft::default() };
        Self {
            drafts: inventory.shelves.iter().map(|(kind, shelf)| (Arc::clone(kind), kept(shelf))).collect(),
            order: inventory.order.clone(),
            collected: inventory.collected.clone(),
            ..Self::default()
        }
    }

    /// Adds a resource. Where the same one (kind, scope, id and `Arguments`) was added before with another value, the
    /// newer is what it is and the older what it was if both are dated, else the first stays and there is a fault. One
    /// without an id is never the same.
    pub fn add(&mut self, record: Record) {
        let one = self.identities.of(record);
        self.add_all(vec![vec![one]]);
    }

    /// Adds a resource of which it is known when it was in force. It is told by nothing else: a second one of that name is
    /// the same.
    pub fn add_living(&mut self, record: Record, life: Life) {
        let kind = Arc::clone(&record.kind);
        let before = self.drafts.get(&kind).map_or(0, |draft| draft.records.len());
        self.add(record);
        if let Some(draft) = self.drafts.get_mut(&kind)
            && draft.records.len() > before
            && life != Life::default()
        {
            draft.lives.insert(draft.records.len() - 1, life);
        }
    }

    /// Names the member by which resources of a kind are found whenever they were in force.
    pub fn note_own_name(&mut self, kind: &Arc<str>, name: &'static str) {
        self.opened(kind).own_name = Some(name);
    }

    /// Notes that a kind was collected whole in a scope at a time: what was there before and was not seen then is gone.
    pub fn note_whole(&mut self, kind: &Arc<str>, scope: &Scope, time: Timestamp) {
        self.opened(kind).wholes.entry(scope.clone()).or_default().insert(time);
    }

    /// Notes that a resource is no more since the time of this record of it, which has a time and an id.
    pub(crate) fn note_gone(&mut self, one: Identified) {
        let kind = Arc::clone(&one.record.kind);
        self.opened(&kind).gone.push(one);
    }

    fn opened(&mut self, kind: &Arc<str>) -> &mut Draft {
        let draft = self.drafts.entry(Arc::clone(kind)).or_default();
        draft.open(&mut self.identities, &mut self.order);
        draft
    }

    /// Adds resources in the order of the parts.
    pub(crate) fn add_all(&mut self, parts: Vec<Vec<Identified>>) {
        for part in parts {
            let (count, mut rest) = (part.len(), part.into_iter().peekable());
            while let Some(kind) = rest.peek().map(|one| Arc::clone(&one.record.kind)) {
                let draft = self.drafts.entry(Arc::clone(&kind)).or_default();
                draft.open(&mut self.identities, &mut self.order);
                // Nearly always all are of one kind.
                draft.reserve(if rest.len() == count { count } else { 0 });
                while let Some(one) = rest.next_if(|one| one.record.kind == kind) {
                    let next = draft.records.len();
                    self.faults.extend(draft.add(one));
                    if draft.records.len() > next {
                        note(&mut self.order, &kind, next);
                    }
                }
            }
        }
    }

    /// Notes how much of a kind was collected in a scope.
    pub fn note_collected(&mut self, kind: &Arc<str>, scope: Scope, collected: Collected) {
        Arc::make_mut(self.collected.entry(Arc::clone(kind)).or_default()).note(&scope, collected);
    }

    /// Notes that a call about one thing, named by its arguments, was answered or refused.
    pub fn note_asked(&mut self, kind: &Arc<str>, scope: &Scope, arguments: String, is_answered: bool) {
        let answers = Arc::make_mut(self.collected.entry(Arc::clone(kind)).or_default());
        *answers.asked.entry(scope.clone()).or_default().entry(arguments).or_default() |= is_answered;
    }

    /// The inventory, and what contradicted itself in it.
    pub fn finish(mut self) -> (Inventory, Vec<Fault>) {
        let mut shelves = BTreeMap::new();
        for (kind, mut draft) in self.drafts {
            let shelf = draft.kept.take().unwrap_or_else(|| {
                let answers = Arc::make_mut(self.collected.entry(Arc::clone(&kind)).or_default());
                let mut last = None;
                for record in &draft.records {
                    if last.replace(&record.scope) != Some(&record.scope) {
                        answers.note_resources(&record.scope);
                    }
                }
                let (shelf, places, faults) = draft.shelf();
                self.faults.extend(faults);
                if let Some(places) = places {
                    move_places(&mut self.order, &kind, |at| places[at]);
                }
                Arc::new(shelf)
            });
            shelves.insert(kind, shelf);
        }
        (Inventory { shelves, order: self.order, collected: self.collected, stored: None }, self.faults)
    }
}

impl Draft {
    /// Takes what was kept as if it had been added.
    fn open(&mut self, identities: &mut Identities, order: &mut Vec<Run>) {
        let Some(shelf) = self.kept.take() else { return };
        self.wholes.clone_from(&shelf.wholes);
        let Some(past) = &shelf.past else {
            for record in &shelf.records {
                let one = identities.of(record.clone());
                self.place(&one);
                self.records.push(one.record);
            }
            return;
        };
        self.own_name = past.own_name;
        let mut ends = past.ends.clone();
        let mut turns: Vec<(&Turn, &Record)> =
            past.now.iter().chain(&past.then).zip(shelf.records.iter().chain(&past.older.records)).collect();
        turns.sort_by_key(|(turn, record)| (turn.of, record.time));
        let mut places = BTreeMap::new();
        for (turn, record) in turns {
            let next = self.records.len();
            for time in turn.seen.iter().copied().map(Some).chain([record.time]) {
                self.add(identities.of(Record { time, ..record.clone() }));
            }
            if self.records.len() > next {
                places.insert(turn.of, next);
                self.ends.extend(ends.remove(&turn.of).map(|ends| (next, ends)));
                // Whose life is known by itself is seen once.
                if record.time.is_none() || past.own_name.is_some() {
                    self.lives.insert(next, turn.life);
                }
            }
        }
        let place = |at: usize| past.now.get(at).and_then(|turn| places.get(&turn.of)).copied();
        if let Some(kind) = self.records.first().map(|record| Arc::clone(&record.kind)) {
            move_places(order, &kind, place);
        }
    }

    /// Whether an answer about all of the kind was given at another time than something was seen.
    fn is_series(&self) -> bool {
        let mut last: Option<(&Scope, Option<&BTreeSet<Timestamp>>)> = None;
        self.records.iter().any(|record| {
            let wholes = match last {
                Some((scope, wholes)) if *scope == record.scope => wholes,
                _ => self.wholes.get(&record.scope),
            };
            last = Some((&record.scope, wholes));
            wholes.zip(record.time).is_some_and(|(wholes, time)| wholes.iter().any(|whole| *whole != time))
        })
    }

    /// The shelf; where the records came to stand there, if not in their places; and what contradicts itself.
    fn shelf(mut self) -> (Shelf, Option<Vec<Option<usize>>>, Vec<Fault>) {
        for one in std::mem::take(&mut self.gone) {
            let is_same = |at: usize| self.records.get(at).is_some_and(|record| are_same(record, &one.record));
            let known = self.known.find(one.whole, usize::MAX, is_same);
            if let (Some(at), Some(time)) = (known, one.record.time) {
                self.ends.entry(at).or_default().insert(time);
            }
        }
        if self.older.is_empty() && self.lives.is_empty() && self.ends.is_empty() && !self.is_series() {
            return (Shelf::of(self.records, None, self.wholes), None, Vec::new());
        }
        let mut faults = Vec::new();
        let mut before: BTreeMap<usize, Vec<Record>> = BTreeMap::new();
        for (at, record) in self.older {
            before.entry(at).or_default().push(record);
        }
        let (mut records, mut older) = (Vec::new(), Vec::new());
        let mut past = Past { own_name: self.own_name, ..Past::default() };
        let mut places = Vec::with_capacity(self.records.len());
        for (at, newest) in self.records.into_iter().enumerate() {
            let of = at as u32;
            let mut versions = before.remove(&at).unwrap_or_default();
            versions.sort_by_key(|version| version.time);
            versions.dedup_by(|next, last| {
                let is_same = next.time == last.time;
                if is_same && next.value.view() != last.value.view() {
                    faults.push(contradiction(last, next));
                }
                is_same
            });
            versions.push(newest);
            let lives = match self.lives.get(&at) {
                Some(life) => {
                    let turn = || Turn { of, life: *life, seen: Vec::new() };
                    versions.into_iter().map(|version| (version, turn())).collect()
                }
                None => {
                    let wholes = versions.last().and_then(|newest| self.wholes.get(&newest.scope));
                    past::lives(of, versions, wholes, self.ends.get(&at))
                }
            };
            let mut place = None;
            for (version, turn) in lives {
                if turn.life.until.is_none() {
                    place = Some(records.len());
                    records.push(version);
                    past.now.push(turn);
                } else {
                    older.push(version);
                    past.then.push(turn);
                }
            }
            places.push(place);
            past.ends.extend(self.ends.remove(&at).map(|ends| (of, ends)));
        }
        if older.is_empty() && past.now.iter().all(|turn| turn.life == Life::default() && turn.seen.is_empty()) {
            return (Shelf::of(records, None, self.wholes), None, faults);
        }
        past.older = Shelf::of(older, None, Wholes::new());
        (Shelf::of(records, Some(Box::new(past)), self.wholes), Some(places), faults)
    }

    fn reserve(&mut self, more: usize) {
        self.records.reserve(more);
        self.known.reserve(more);
    }

    /// Adds a resource, or what is new of it; the fault if it contradicts what is here.
    fn add(&mut self, one: Identified) -> Option<Fault> {
        let Some(at) = self.place(&one) else {
            self.records.push(one.record);
            return None;
        };
        let (known, mut record) = (&mut self.records[at], one.record);
        let equal = known.value.view() == record.value.view();
        if equal && known.time.is_some() && record.time.is_some() {
            // Most resources are the same from answer to answer: what they are is kept once.
            record.value = known.value.clone();
        }
        match (known.time, record.time) {
            (Some(then), Some(now)) if now > then => self.older.push((at, std::mem::replace(known, record))),
            (Some(then), Some(now)) if now < then => self.older.push((at, record)),
            (None, Some(_)) if equal => *known = record,
            _ if equal => {}
            _ => return Some(contradiction(known, &record)),
        }
        None
    }

    /// The place of the record that is the same; the next place is this one's from now on, if there is none. One without
    /// an id is never the same.
    fn place(&mut self, one: &Identified) -> Option<usize> {
        one.record.id.as_ref()?;
        self.known.find(one.whole, self.records.len(), |at| are_same(&self.records[at], &one.record))
    }
}

impl Answers {
    /// Notes an answer about a scope: of several the greatest counts.
    pub(super) fn note(&mut self, scope: &Scope, collected: Collected) {
        self.everywhere.take();
        let noted = self.by_scope.entry(scope, || collected);
        *noted = collected.max(*noted);
    }

    /// Notes that there are resources in a scope, whatever the answers were.
    fn note_resources(&mut self, scope: &Scope) {
        self.everywhere.take();
        self.by_scope.entry(scope, || Collected::Partial);
    }
}

/// What two records say of one resource at one time.
fn contradiction(known: &Record, record: &Record) -> Fault {
    let reason = format!(
        "`{}` `{}` in {} is also in {}, and differs: which is newer is not known (try: give both a `time` in \
         `inventory.json`, or different accounts or regions)",
        known.kind,
        printable(record.id.as_deref().unwrap_or_default(), 120),
        known.scope,
        known.origin
    );
    Fault::inventory(reason, record.origin.clone())
}

/// Notes that records of a kind stand in other places now, or in none.
fn move_places(order: &mut Vec<Run>, kind: &Arc<str>, place: impl Fn(usize) -> Option<usize>) {
    let before = std::mem::take(order);
    for run in before {
        if run.kind == *kind {
            run.places.filter_map(&place).for_each(|at| note(order, kind, at));
        } else {
            order.push(run);
        }
    }
}

/// Notes that the next record in input order stands at that place.
fn note(order: &mut Vec<Run>, kind: &Arc<str>, at: usize) {
    match order.last_mut() {
        Some(run) if run.places.end == at && run.kind == *kind => run.places.end += 1,
        _ => order.push(Run { kind: Arc::clone(kind), places: at..at + 1 }),
    }
}
