//! Resources by kind, account and region, what was collected, and the hashed look-ups over them.
//!
//! *Law*: a kind that was not collected in a scope is never "none": [`Inventory::collected`] says which it is.

mod builder;
mod past;
mod places;
mod scoped;
mod shelf;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

pub use builder::Builder;
pub(crate) use builder::{Identified, Identities};
use past::Version;
pub use past::{Life, When};
pub(crate) use places::Places;
use scoped::Scoped;
use shelf::{Index, Shelf};

use crate::record::{Record, Scope};

/// What was read of the inventory; immutable, and shared by threads. Kinds are shared with the inventories that were made
/// of this one by [`Inventory::reopen`], so that to add a kind copies no other.
#[derive(Clone, Debug, Default)]
pub struct Inventory {
    shelves: BTreeMap<Arc<str>, Arc<Shelf>>,
    /// Every record, in input order.
    order: Vec<Run>,
    collected: BTreeMap<Arc<str>, Arc<Answers>>,
    /// One kind more, which is in memory only once somebody wants all of it.
    stored: Option<Stored>,
}

/// Resources of one kind that are read when they are wanted.
pub(crate) trait Store: std::fmt::Debug + Send + Sync {
    /// Those whose member `key` has the text `value`, in any order.
    fn find(&self, key: &str, value: &str) -> Vec<Record>;

    /// All of them, or as many as may be held, in input order.
    fn all(&self) -> Vec<Record>;
}

/// A kind that is not in memory, and its shelf once it is.
#[derive(Clone, Debug)]
struct Stored {
    kind: &'static str,
    store: Arc<dyn Store>,
    shelf: Arc<OnceLock<Arc<Shelf>>>,
}

impl Stored {
    fn shelf(&self) -> &Arc<Shelf> {
        self.shelf.get_or_init(|| {
            let mut builder = Builder::default();
            self.store.all().into_iter().for_each(|record| builder.add(record));
            builder.finish().0.shelves.remove(self.kind).unwrap_or_default()
        })
    }
}

/// Places on the shelf of one kind whose records were read one after another.
#[derive(Clone, Debug)]
struct Run {
    kind: Arc<str>,
    places: Range<usize>,
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

/// How much of one kind was collected.
#[derive(Clone, Debug)]
struct Answers {
    by_scope: Scoped<Collected>,
    /// What [`Inventory::collected`] says of all scopes together.
    everywhere: OnceLock<Collected>,
    /// What was asked about one thing, by its arguments, and whether that was ever answered.
    asked: BTreeMap<Scope, BTreeMap<String, bool>>,
}

impl Answers {
    /// The greatest of the answers about a scope.
    fn of(&self, scope: &Scope) -> Collected {
        self.by_scope.overlapping(scope).map(|(_, collected)| *collected).max().unwrap_or(Collected::No)
    }

    /// Of the scopes with answers that are part of one, what is known of the least known.
    fn least(&self, scope: &Scope) -> Collected {
        self.by_scope.overlapping(scope).map(|(part, _)| self.of(part)).min().unwrap_or(Collected::No)
    }
}

impl Default for Answers {
    fn default() -> Self {
        Self { by_scope: Scoped::default(), everywhere: OnceLock::new(), asked: BTreeMap::new() }
    }
}

/// The resources of a kind that a scope sees, in input order, none of them copied.
#[derive(Clone, Debug)]
pub struct View {
    shelf: Arc<Shelf>,
    /// All of them if there is none.
    places: Option<Arc<[u32]>>,
    /// What was at another time, in the place of all that.
    then: Option<Arc<[Version]>>,
}

/// Look-ups of a kind by a key, made ready: its index is built, and is not looked for again.
#[derive(Clone, Debug)]
pub struct Finder {
    shelf: Arc<Shelf>,
    index: Arc<OnceLock<Index>>,
    /// The index of what was before.
    older: Option<Arc<OnceLock<Index>>>,
    /// The key is the resources' own name, by which they are found whenever they were.
    by_name: bool,
}

impl Inventory {
    /// The resources of a kind whose `key` has the text `value`, in input order; `scope` leaves out what is known to
    /// be of another account or region, `None` nothing.
    ///
    /// `key` is a dotted path, where `a."b.c"` quotes a dot. It goes through lists, so `Attachments.InstanceId` finds a
    /// volume by any of its attachments. Scalars are compared by their text: `true`, `12`.
    pub fn lookup(&self, kind: &str, key: &str, value: &str, scope: Option<&Scope>) -> Vec<&Record> {
        let Some(shelf) = self.shelf(kind) else { return Vec::new() };
        shelf.find(shelf.slot(key).get_or_init(|| shelf.index(key)), value, scope)
    }

    /// The resources of a kind, whose they may be, whose member `key` has the text `value`, in any order. Those that are
    /// not in memory are read, and no others.
    pub(crate) fn find(&self, kind: &str, key: &str, value: &str) -> Vec<Cow<'_, Record>> {
        match self.stored.as_ref().filter(|stored| stored.kind == kind) {
            Some(stored) => stored.store.find(key, value).into_iter().map(Cow::Owned).collect(),
            None => self.lookup(kind, key, value, None).into_iter().map(Cow::Borrowed).collect(),
        }
    }

    /// The same with a part of one kind more, which is of these scopes.
    pub(crate) fn with_store(
        mut self,
        kind: &'static str,
        store: Arc<dyn Store>,
        scopes: impl IntoIterator<Item = Scope>,
    ) -> Self {
        let answers = Arc::make_mut(self.collected.entry(kind.into()).or_default());
        scopes.into_iter().for_each(|scope| answers.note(&scope, Collected::Partial));
        self.stored = Some(Stored { kind, store, shelf: Arc::default() });
        self
    }

    fn shelf(&self, kind: &str) -> Option<&Arc<Shelf>> {
        let stored = || self.stored.as_ref().filter(|stored| stored.kind == kind).map(Stored::shelf);
        self.shelves.get(kind).or_else(stored)
    }

    /// Look-ups of a kind by a key, made ready; see [`Inventory::lookup`].
    pub fn finder(&self, kind: &str, key: &str) -> Finder {
        let shelf = self.shelf(kind).cloned().unwrap_or_default();
        let ready = |shelf: &Shelf| {
            let index = shelf.slot(key);
            index.get_or_init(|| shelf.index(key));
            index
        };
        let (index, older) = (ready(&shelf), shelf.past.as_ref().map(|past| ready(&past.older)));
        let by_name = shelf.past.as_ref().is_some_and(|past| past.own_name == Some(key));
        Finder { shelf, index, older, by_name }
    }

    /// Whether what is known of a kind differs from time to time.
    pub fn has_past(&self, kind: &str) -> bool {
        self.shelf(kind).is_some_and(|shelf| shelf.past.is_some())
    }

    /// Whether no resource of a kind has, or ever had, a value under a key.
    pub fn finds_none(&self, kind: &str, key: &str, value: &str) -> bool {
        let has_none = || self.all(kind).is_empty() && !self.has_past(kind);
        has_none() || self.finder(kind, key).find(value, None, When::Ever).is_empty()
    }

    /// Every resource of a kind, in input order.
    pub fn all(&self, kind: &str) -> &[Record] {
        self.shelf(kind).map_or(&[], |shelf| &shelf.records)
    }

    /// The resources of a kind that are not known to be of another account or region, in input order.
    pub fn view(&self, kind: &str, scope: &Scope) -> View {
        let shelf = self.shelf(kind).cloned().unwrap_or_default();
        let places = shelf.seen_from(scope);
        View { shelf, places, then: None }
    }

    /// As [`Inventory::view`], at another time.
    pub fn view_when(&self, kind: &str, scope: &Scope, when: When) -> View {
        let view = self.view(kind, scope);
        match &view.shelf.past {
            Some(past) if when != When::Now => {
                let then = past.all(&view.shelf, scope, when).into();
                View { then: Some(then), ..view }
            }
            _ => view,
        }
    }

    /// As [`Inventory::view`], borrowed.
    pub fn all_in<'a>(&'a self, kind: &str, scope: &Scope) -> impl Iterator<Item = &'a Record> {
        let records = self.all(kind);
        let places = self.shelf(kind).and_then(|shelf| shelf.seen_from(scope));
        let len = places.as_ref().map_or(records.len(), |places| places.len());
        (0..len).map(move |at| &records[places.as_ref().map_or(at, |places| places[at] as usize)])
    }

    /// How much of a kind was collected in a scope: of several answers about it the greatest. An account or region that is
    /// unknown is every one: an answer without it is about all of them, and of a scope without it no more is known than of
    /// the one of which there was the least.
    pub fn collected(&self, kind: &str, scope: &Scope) -> Collected {
        let Some(answers) = self.collected.get(kind) else { return Collected::No };
        match scope {
            Scope { account: Some(_), region: Some(_) } => answers.of(scope),
            Scope { account: None, region: None } => *answers.everywhere.get_or_init(|| answers.least(scope)),
            _ => answers.least(scope),
        }
    }

    /// How much of each kind was collected in each scope for which there was an answer; sorted.
    pub fn answers(&self) -> impl Iterator<Item = (&Arc<str>, &Scope, Collected)> {
        self.collected.iter().flat_map(|(kind, answers)| {
            answers.by_scope.iter().map(move |(scope, collected)| (kind, scope, *collected))
        })
    }

    /// In which scopes calls about one thing each were refused, and how many were never answered.
    pub fn refusals(&self, kind: &str) -> impl Iterator<Item = (&Scope, usize)> {
        let asked = self.collected.get(kind).into_iter().flat_map(|answers| &answers.asked);
        let refused = asked.map(|(scope, asked)| (scope, asked.values().filter(|answered| !**answered).count()));
        refused.filter(|(_, count)| *count > 0)
    }

    /// The kinds that were collected, refused or have resources, sorted.
    pub fn kinds(&self) -> impl Iterator<Item = &str> {
        // `finish` notes every kind that has resources.
        self.collected.keys().map(|kind| &**kind)
    }

    /// Every resource, in input order.
    pub fn records(&self) -> impl Iterator<Item = &Record> {
        self.order.iter().flat_map(|Run { kind, places }| &self.all(kind)[places.clone()])
    }

    /// A builder that holds all of this, to add to.
    pub fn reopen(&self) -> Builder {
        Builder::on(self)
    }

    /// The number of resources.
    pub fn len(&self) -> usize {
        self.shelves.values().map(|shelf| shelf.records.len()).sum()
    }

    /// True when there is no resource.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }
}
impl View {
    /// The number of resources.
    pub fn len(&self) -> usize {
        if let Some(then) = &self.then {
            return then.len();
        }
        self.places.as_ref().map_or(self.shelf.records.len(), |places| places.len())
    }

    /// True when there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The resource at a place in the view.
    pub fn get(&self, at: usize) -> Option<&Record> {
        if let Some(then) = &self.then {
            return self.shelf.version(*then.get(at)?);
        }
        let at = match &self.places {
            Some(places) => *places.get(at)? as usize,
            None => at,
        };
        self.shelf.records.get(at)
    }
}

impl Finder {
    /// The resources of which the key has the text `value`; see [`Inventory::lookup`].
    pub fn find(&self, value: &str, scope: Option<&Scope>, when: When) -> Vec<&Record> {
        let Some(index) = self.index.get() else { return Vec::new() };
        match (&self.shelf.past, self.older.as_ref().and_then(|older| older.get())) {
            (Some(past), Some(older)) if when != When::Now || self.by_name => {
                past.find(&self.shelf, (index, older), value, scope, when, self.by_name)
            }
            _ => {
                let mut found = self.shelf.find(index, value, scope);
                found.retain(|record| when.takes(record.time));
                found
            }
        }
    }
}
