//! Puts an inventory together.

use std::collections::BTreeMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::{Arc, LazyLock};

use super::{Answers, Collected, Inventory, Places, Run, Shelf};
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
    records: Vec<Record>,
    /// The places of the records that have an id.
    known: Places,
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
    /// newer wins if both are dated, else the first stays and there is a fault. One without an id is never the same.
    pub fn add(&mut self, record: Record) {
        let one = self.identities.of(record);
        self.add_all(vec![vec![one]]);
    }

    /// Adds resources in the order of the parts.
    pub(crate) fn add_all(&mut self, parts: Vec<Vec<Identified>>) {
        for part in parts {
            let (count, mut rest) = (part.len(), part.into_iter().peekable());
            while let Some(kind) = rest.peek().map(|one| Arc::clone(&one.record.kind)) {
                let draft = self.drafts.entry(Arc::clone(&kind)).or_default();
                draft.open(&mut self.identities);
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

    /// The inventory, and what contradicted itself in it.
    pub fn finish(mut self) -> (Inventory, Vec<Fault>) {
        let mut shelves = BTreeMap::new();
        for (kind, Draft { kept, records, .. }) in self.drafts {
            let shelf = kept.unwrap_or_else(|| {
                let answers = Arc::make_mut(self.collected.entry(Arc::clone(&kind)).or_default());
                let mut last = None;
                for record in &records {
                    if last.replace(&record.scope) != Some(&record.scope) {
                        answers.note_resources(&record.scope);
                    }
                }
                Arc::new(Shelf::of(records))
            });
            shelves.insert(kind, shelf);
        }
        (Inventory { shelves, order: self.order, collected: self.collected }, self.faults)
    }
}

impl Draft {
    /// Takes what was kept as if it had been added.
    fn open(&mut self, identities: &mut Identities) {
        let Some(shelf) = self.kept.take() else { return };
        for record in &shelf.records {
            let one = identities.of(record.clone());
            self.place(&one);
            self.records.push(one.record);
        }
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
        let (known, record) = (&mut self.records[at], one.record);
        let equal = known.value.view() == record.value.view();
        match (known.time, record.time) {
            (Some(then), Some(now)) if now > then => *known = record,
            (Some(then), Some(now)) if now < then => {}
            (None, Some(_)) if equal => *known = record,
            _ if equal => {}
            _ => {
                let reason = format!(
                    "`{}` `{}` in {} is also in {}, and differs: which is newer is not known (try: give both a `time` \
                     in `inventory.json`, or different accounts or regions)",
                    known.kind,
                    printable(record.id.as_deref().unwrap_or_default(), 120),
                    known.scope,
                    known.origin
                );
                return Some(Fault::inventory(reason, record.origin));
            }
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
    fn note(&mut self, scope: &Scope, collected: Collected) {
        let noted = self.by_scope.entry(scope, || collected);
        *noted = collected.max(*noted);
        self.most = self.most.max(collected);
    }

    /// Notes that there are resources in a scope, whatever the answers were.
    fn note_resources(&mut self, scope: &Scope) {
        let noted = *self.by_scope.entry(scope, || Collected::Partial);
        self.most = self.most.max(noted);
    }
}

/// Notes that the next record in input order stands at that place.
fn note(order: &mut Vec<Run>, kind: &Arc<str>, at: usize) {
    match order.last_mut() {
        Some(run) if run.places.end == at && run.kind == *kind => run.places.end += 1,
        _ => order.push(Run { kind: Arc::clone(kind), places: at..at + 1 }),
    }
}
