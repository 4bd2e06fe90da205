//! Finds what belongs to the accounts and regions that overlap others, without looking at all of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::record::Scope;

/// A value for each scope; sorted by account, then region, the unknown first.
#[derive(Clone, Debug)]
pub(super) struct Scoped<T>(ByPart<ByPart<(Scope, T)>>);

type ByPart<T> = BTreeMap<Option<Arc<str>>, T>;

impl<T> Default for Scoped<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T> Scoped<T> {
    /// The value of a scope, which is made if there is none.
    pub(super) fn entry(&mut self, scope: &Scope, make: impl FnOnce() -> T) -> &mut T {
        let regions = self.0.entry(scope.account.clone()).or_default();
        &mut regions.entry(scope.region.clone()).or_insert_with(|| (scope.clone(), make())).1
    }

    /// The scopes that [overlap](Scope::overlaps) one, and their values, in no order that means anything.
    pub(super) fn overlapping(&self, scope: &Scope) -> impl Iterator<Item = (&Scope, &T)> {
        let regions = meeting(&self.0, &scope.account);
        regions.flat_map(|regions| meeting(regions, &scope.region)).map(|(scope, value)| (scope, value))
    }

    /// Every scope and its value, sorted.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Scope, &T)> {
        self.0.values().flat_map(BTreeMap::values).map(|(scope, value)| (scope, value))
    }
}

/// The values of a part and of the unknown; an unknown part meets every other.
fn meeting<'a, T>(parts: &'a ByPart<T>, part: &Option<Arc<str>>) -> impl Iterator<Item = &'a T> {
    let every = part.is_none().then(|| parts.values());
    let two = part.is_some().then(|| [parts.get(&None), parts.get(part)]);
    every.into_iter().flatten().chain(two.into_iter().flatten().flatten())
}
