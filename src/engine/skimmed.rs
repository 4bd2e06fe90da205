//! Shows an event of which a few fields were read, unparsed, to what is proved of scripts.

use super::derive;
use crate::input::{Field, Fields, Told};
use crate::inventory::Inventory;
use crate::script::{FieldValue, Source};

/// An event that was not parsed, and what it is judged with.
pub(super) struct Skimmed<'a> {
    pub(super) fields: &'a Fields<'a>,
    /// When and whose it is, if somebody must know.
    pub(super) told: Option<Told<'a>>,
    pub(super) inventory: &'a Inventory,
}

impl<'a> Skimmed<'a> {
    /// Its fields, by the numbers of paths that are found at these places.
    pub(super) fn at(&'a self, places: &'a [Option<usize>]) -> At<'a> {
        At { event: self, places }
    }
}

/// The fields of an event by the numbers of somebody's paths.
pub(super) struct At<'a> {
    event: &'a Skimmed<'a>,
    places: &'a [Option<usize>],
}

impl Source for At<'_> {
    fn field(&self, number: usize, _: &[String]) -> Option<FieldValue<'_>> {
        match self.event.fields.get(self.places.get(number).copied().flatten()?) {
            Field::Absent | Field::Null => Some(FieldValue::Unit),
            Field::Bool(flag) => Some(FieldValue::Bool(flag)),
            Field::Text(text) => Some(FieldValue::of_text(text)),
            Field::Part(text) => Some(FieldValue::Unread(text)),
            Field::Other => None,
        }
    }

    fn scope(&self) -> [Option<&str>; 2] {
        self.event.told.map_or([None, None], |told| [told.account, told.region])
    }

    fn finds_none(&self, kind: &str, key: &str, value: &str) -> bool {
        finds_none(self.event.inventory, kind, key, value)
    }
}

/// Whether no resource of a kind has, or ever had, a value under a key. Of what events tell of nothing is known before the
/// last of them.
pub(super) fn finds_none(inventory: &Inventory, kind: &str, key: &str, value: &str) -> bool {
    derive::derived(kind).is_none() && inventory.finds_none(kind, key, value)
}
