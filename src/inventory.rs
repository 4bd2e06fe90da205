//! Resources by kind, account and region, what was collected, and the hashed look-ups over them.
//!
//! *Law*: a kind that was not collected in a scope is never "none": [`Inventory::collected`] says which it is.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use crate::fault::{Fault, printable};
use crate::record::{Record, Ref, Scope};

/// What was read of the inventory; immutable, and shared by threads.
#[derive(Debug, Default)]
pub struct Inventory {
    shelves: BTreeMap<Arc<str>, Shelf>,
    /// Kind and place on its shelf of every record, in input order.
    order: Vec<(Arc<str>, usize)>,
    collected: BTreeMap<Arc<str>, BTreeMap<Scope, Collected>>,
}

/// How much of a kind was collected in a scope; of several answers the greatest counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Collected {
    /// Nobody asked.
    No,
    /// The call was refused.
    Refused,
    /// Some of it: one page of several, or what a narrowed command prints. Cannot prove that there are no others.
    Partial,
    /// All of it, which may be nothing at all.
    Whole,
}

/// The resources of one kind, in input order.
#[derive(Debug, Default)]
struct Shelf {
    records: Vec<Record>,
    indexes: RwLock<HashMap<String, Arc<OnceLock<Index>>>>,
}

/// Places on the shelf, in order, by the text of a value.
type Index = HashMap<Box<str>, Vec<usize>>;

impl Inventory {
    /// The resources of a kind whose `key` has the text `value`, in input order; `scope` leaves out what is known to
    /// be of another account or region, `None` nothing.
    ///
    /// `key` is a dotted path, where `a."b.c"` quotes a dot. It goes through lists, so `Attachments.InstanceId` finds a
    /// volume by any of its attachments. Scalars are compared by their text: `true`, `12`.
    pub fn lookup(&self, kind: &str, key: &str, value: &str, scope: Option<&Scope>) -> Vec<&Record> {
        let Some(shelf) = self.shelves.get(kind) else { return Vec::new() };
        let slot = shelf.slot(key);
        let index = slot.get_or_init(|| shelf.index(key));
        let found = index.get(value).into_iter().flatten().map(|at| &shelf.records[*at]);
        found.filter(|record| scope.is_none_or(|scope| record.scope.overlaps(scope))).collect()
    }

    /// Every resource of a kind, in input order.
    pub fn all(&self, kind: &str) -> &[Record] {
        self.shelves.get(kind).map_or(&[], |shelf| &shelf.records)
    }

    /// The resources of a kind that are not known to be of another account or region, in input order.
    pub fn all_in<'a>(&'a self, kind: &str, scope: &Scope) -> impl Iterator<Item = &'a Record> {
        self.all(kind).iter().filter(move |record| record.scope.overlaps(scope))
    }

    /// How much of a kind was collected in a scope. An account or region that is unknown on either side is every one.
    pub fn collected(&self, kind: &str, scope: &Scope) -> Collected {
        let notes = self.collected.get(kind).into_iter().flatten();
        notes.filter(|(of, _)| of.overlaps(scope)).map(|(_, collected)| *collected).max().unwrap_or(Collected::No)
    }

    /// How much of each kind was collected in each scope for which there was an answer; sorted.
    pub fn answers(&self) -> impl Iterator<Item = (&Arc<str>, &Scope, Collected)> {
        self.collected
            .iter()
            .flat_map(|(kind, scopes)| scopes.iter().map(move |(scope, collected)| (kind, scope, *collected)))
    }

    /// The kinds that were collected, refused or have resources, sorted.
    pub fn kinds(&self) -> impl Iterator<Item = &str> {
        // `finish` notes every kind that has resources.
        self.collected.keys().map(|kind| &**kind)
    }

    /// Every resource, in input order.
    pub fn records(&self) -> impl Iterator<Item = &Record> {
        self.order.iter().filter_map(|(kind, at)| self.shelves.get(kind)?.records.get(*at))
    }

    /// A builder that holds all of this, to add to.
    pub fn reopen(&self) -> Builder {
        let mut builder = Builder { collected: self.collected.clone(), ..Builder::default() };
        for record in self.records() {
            builder.add(record.clone());
        }
        builder
    }

    /// The number of resources.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// True when there is no resource.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }
}

impl Shelf {
    fn slot(&self, key: &str) -> Arc<OnceLock<Index>> {
        if let Some(slot) = self.indexes.read().unwrap_or_else(PoisonError::into_inner).get(key) {
            return Arc::clone(slot);
        }
        let mut indexes = self.indexes.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(indexes.entry(key.to_owned()).or_default())
    }

    fn index(&self, key: &str) -> Index {
        let steps = steps(key);
        let mut index = Index::new();
        for (at, record) in self.records.iter().enumerate() {
            each_scalar(record.value.view(), &steps, &mut |text| {
                let places = index.entry(text.into()).or_default();
                if places.last() != Some(&at) {
                    places.push(at);
                }
            });
        }
        index
    }
}

/// `a."b.c".d` as its steps; a quote that is not closed runs to the end.
fn steps(key: &str) -> Vec<String> {
    let mut steps = vec![String::new()];
    let mut quoted = false;
    for character in key.chars() {
        match character {
            '"' => quoted = !quoted,
            '.' if !quoted => steps.push(String::new()),
            other => steps.last_mut().into_iter().for_each(|step| step.push(other)),
        }
    }
    steps
}

/// Gives the text of every scalar at the end of a path, through lists.
fn each_scalar(value: Ref<'_>, steps: &[String], give: &mut impl FnMut(&str)) {
    for item in value.items() {
        each_scalar(item, steps, give);
    }
    match steps.split_first() {
        Some((step, rest)) => value.get(step).into_iter().for_each(|inner| each_scalar(inner, rest, give)),
        None => value.scalar_text().into_iter().for_each(|text| give(&text)),
    }
}

/// Puts an inventory together.
#[derive(Debug, Default)]
pub struct Builder {
    records: Vec<Record>,
    known: HashMap<Identity, usize>,
    collected: BTreeMap<Arc<str>, BTreeMap<Scope, Collected>>,
    faults: Vec<Fault>,
}

/// What makes two resources the same. Answers about two trails are two resources, and so are two attributes of one image:
/// the aspect is the `Arguments` that a command was told, else, of a kind `…-attribute`, the members that it has.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Identity {
    kind: Arc<str>,
    scope: Scope,
    id: Arc<str>,
    aspect: Option<String>,
}

impl Builder {
    /// Adds a resource. Where the same one (kind, scope, id and `Arguments`) was added before with another value, the
    /// newer wins if both are dated, else the first stays and there is a fault. One without an id is never the same.
    pub fn add(&mut self, record: Record) {
        let Some(id) = record.id.clone() else { return self.records.push(record) };
        let value = record.value.view();
        let members = || record.kind.ends_with("-attribute").then(|| value.entries().map(|(key, _)| key).collect());
        let aspect = value.get("Arguments").map(Ref::canonical).or_else(members);
        let identity = Identity { kind: Arc::clone(&record.kind), scope: record.scope.clone(), id, aspect };
        let Some(at) = self.known.get(&identity) else {
            self.known.insert(identity, self.records.len());
            return self.records.push(record);
        };
        let known = &mut self.records[*at];
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
                    printable(&identity.id, 120),
                    known.scope,
                    known.origin
                ),
                record.origin,
            )),
        }
    }

    /// Notes how much of a kind was collected in a scope.
    pub fn note_collected(&mut self, kind: &Arc<str>, scope: Scope, collected: Collected) {
        let noted = self.collected.entry(Arc::clone(kind)).or_default().entry(scope).or_insert(collected);
        *noted = collected.max(*noted);
    }

    /// The inventory, and what contradicted itself in it.
    pub fn finish(mut self) -> (Inventory, Vec<Fault>) {
        let mut inventory = Inventory::default();
        for record in self.records {
            let kind = Arc::clone(&record.kind);
            self.collected
                .entry(Arc::clone(&kind))
                .or_default()
                .entry(record.scope.clone())
                .or_insert(Collected::Partial);
            let shelf = inventory.shelves.entry(Arc::clone(&kind)).or_default();
            inventory.order.push((kind, shelf.records.len()));
            shelf.records.push(record);
        }
        inventory.collected = self.collected;
        (inventory, self.faults)
    }
}
