//! Puts an inventory together.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Answers, Collected, Inventory, Places, Run, Shelf};
use crate::fault::{Fault, printable};
use crate::record::{Record, Ref, Scope};

/// Puts an inventory together.
#[derive(Debug, Default)]
pub struct Builder {
    drafts: BTreeMap<Arc<str>, Draft>,
    order: Vec<Run>,
    collected: BTreeMap<Arc<str>, Arc<Answers>>,
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
    /// The last scope and its hash: of a scope there mostly are many records in a row.
    scope: Option<(Scope, u64)>,
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

    /// Makes room for so many more resources of a kind.
    pub fn reserve(&mut self, kind: &Arc<str>, more: usize) {
        let draft = self.drafts.entry(Arc::clone(kind)).or_default();
        draft.open();
        draft.records.reserve(more);
        draft.known.reserve(more);
    }

    /// Adds a resource. Where the same one (kind, scope, id and `Arguments`) was added before with another value, the
    /// newer wins if both are dated, else the first stays and there is a fault. One without an id is never the same.
    pub fn add(&mut self, record: Record) {
        let draft = self.drafts.entry(Arc::clone(&record.kind)).or_default();
        draft.open();
        let Some(at) = draft.place(&record) else {
            note(&mut self.order, &record.kind, draft.records.len());
            return draft.records.push(record);
        };
        let known = &mut draft.records[at];
        let equal = known.value.view() == record.value.view();
        match (known.time, record.time) {
            (Some(then), Some(now)) if now > then => *known = record,
            (Some(then), Some(now)) if now < then => {}
            (None, Some(_)) if equal => *known = record,
            _ if equal => {}
            _ => self.faults.push(Fault::inventory(
                format!(
                    "`{}` `{}` in {} is also in {}, and differs: which is newer is not known (try: give both a `time` \
                     in `inventory.json`, or different accounts or regions)",
                    known.kind,
                    printable(record.id.as_deref().unwrap_or_default(), 120),
                    known.scope,
                    known.origin
                ),
                record.origin,
            )),
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
    fn open(&mut self) {
        let Some(shelf) = self.kept.take() else { return };
        for record in &shelf.records {
            self.place(record);
            self.records.push(record.clone());
        }
    }

    /// The place of the record that is the same; the next place is this one's from now on, if there is none. One without
    /// an id is never the same.
    fn place(&mut self, record: &Record) -> Option<usize> {
        let mut hash = self.known.hash(record.id.as_ref()?);
        let of_scope = self.scope.take().filter(|(scope, _)| *scope == record.scope);
        let of_scope = of_scope.unwrap_or_else(|| (record.scope.clone(), self.known.hash(&record.scope)));
        hash ^= of_scope.1.rotate_left(32);
        self.scope = Some(of_scope);
        if let Some(aspect) = aspect(record) {
            hash ^= self.known.hash(aspect).rotate_left(16);
        }
        self.known.find(hash, self.records.len(), |at| are_same(&self.records[at], record))
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
