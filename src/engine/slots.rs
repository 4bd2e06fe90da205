//! Keeps the fields of a record while its policies are asked, so that each is looked up once.
//!
//! Predicates number their paths each for itself; policies of one kind share the slots that the paths stand for.

use std::cell::RefCell;
use std::collections::HashMap;

use super::skimmed::finds_none;
use crate::inventory::Inventory;
use crate::policy::Policy;
use crate::record::{Record, Ref, Scope};
use crate::script::{FieldValue, Source, Verdict};

/// Fields of a record that are kept; others are looked up anew.
const MOST: usize = 64;

/// The slot of each path of each policy's predicate.
#[derive(Debug)]
pub(super) struct Places(Vec<Vec<usize>>);

impl Places {
    pub(super) fn new(policies: &[Policy]) -> Self {
        let mut known: HashMap<(&str, &[String]), usize> = HashMap::new();
        let mut used: HashMap<&str, usize> = HashMap::new();
        let of_policy = |policy| {
            let Policy { header, script, .. }: &Policy = policy;
            let paths = script.predicate.iter().flat_map(|facts| facts.paths());
            paths
                .map(|path| {
                    *known.entry((&*header.judges, path)).or_insert_with(|| {
                        let next = used.entry(&header.judges).or_default();
                        *next += 1;
                        *next - 1
                    })
                })
                .collect()
        };
        Self(policies.iter().map(of_policy).collect())
    }

    /// What is known of the answer of the script of the policy at a place.
    pub(super) fn known(&self, at: usize, policy: &Policy, slots: &Slots<'_>) -> Verdict {
        let places = self.0[at].as_slice();
        policy.script.predicate.as_ref().map_or(Verdict::Unknown, |facts| facts.ask(&SlotsOf { slots, places }))
    }
}

/// The fields of a record that were asked for, each looked up once for all policies; and what it is judged with.
pub(super) struct Slots<'r> {
    record: Ref<'r>,
    scope: &'r Scope,
    inventory: &'r Inventory,
    values: RefCell<Vec<Option<FieldValue<'r>>>>,
}

impl<'r> Slots<'r> {
    pub(super) fn new(record: &'r Record, inventory: &'r Inventory) -> Self {
        Self { record: record.value.view(), scope: &record.scope, inventory, values: RefCell::default() }
    }
}

/// The slots of a predicate's paths, by their numbers.
struct SlotsOf<'s, 'r> {
    slots: &'s Slots<'r>,
    places: &'s [usize],
}

impl Source for SlotsOf<'_, '_> {
    fn field(&self, number: usize, path: &[String]) -> Option<FieldValue<'_>> {
        let slot = *self.places.get(number)?;
        if slot >= MOST {
            let value = path.iter().try_fold(self.slots.record, |value, name| value.get(name));
            return Some(FieldValue::of_field(value));
        }
        let mut values = self.slots.values.borrow_mut();
        if values.len() <= slot {
            values.resize(slot + 1, None);
        }
        let value = values[slot].get_or_insert_with(|| {
            FieldValue::of_field(path.iter().try_fold(self.slots.record, |value, name| value.get(name)))
        });
        Some(value.clone())
    }

    fn scope(&self) -> [Option<&str>; 2] {
        [self.slots.scope.account.as_deref(), self.slots.scope.region.as_deref()]
    }

    fn unplaced(&self) -> Option<Ref<'_>> {
        Some(self.slots.record)
    }

    fn finds_none(&self, kind: &str, key: &str, value: &str) -> bool {
        finds_none(self.slots.inventory, kind, key, value)
    }
}
