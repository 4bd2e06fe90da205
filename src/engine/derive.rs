//! Inventory that events tell of: what `AssociateAddress` and `AllocateAddress` answered.
//!
//! A record of `DisassociateAddress` names an association alone; which address that was is in the answer to the call
//! that made it. Fields: "AssociateAddress" and "AllocateAddress" in the Amazon EC2 API reference.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::digests::DIGESTS;
use super::place::Place;
use crate::fault::Fault;
use crate::record::{CLOUDTRAIL, Document, Node, Origin, Record};

/// `AssociationId` with the `AllocationId`, `PublicIp`, `InstanceId`, `NetworkInterfaceId`, `PrivateIpAddress` known of it.
pub(super) const ASSOCIATIONS: &str = "cloudtrail/address-associations";
/// `AllocationId` and `PublicIp`.
pub(super) const ALLOCATIONS: &str = "cloudtrail/address-allocations";

/// Where events come from that tell of resources, and their names.
pub(super) const SOURCE: &str = "ec2.amazonaws.com";
pub(super) const NAMES: [&str; 2] = [ASSOCIATE, ALLOCATE];
const ASSOCIATE: &str = "AssociateAddress";
const ALLOCATE: &str = "AllocateAddress";

/// Bytes that the resources may take that events tell of: some fifty thousand addresses. They are looked things up in,
/// so they must be in memory.
const MOST: usize = 32 << 20;

/// True if a kind is made of what is read while events are, so that its look-ups must wait for the last of them.
pub(super) fn is_derived(kind: &str) -> bool {
    kind == ASSOCIATIONS || kind == ALLOCATIONS || kind == DIGESTS
}

/// The resource that an event tells of, if it does.
pub(super) fn resource(event: &Record) -> Option<Record> {
    let view = event.value.view();
    if &*event.kind != CLOUDTRAIL || view.text(&["eventSource"]) != Some(SOURCE) {
        return None;
    }
    let (kind, id, fields): (_, _, &[(&str, &str)]) = match view.text(&["eventName"])? {
        ASSOCIATE => (
            ASSOCIATIONS,
            "associationId",
            &[
                ("AssociationId", "associationId"),
                ("AllocationId", "allocationId"),
                ("PublicIp", "publicIp"),
                ("InstanceId", "instanceId"),
                ("NetworkInterfaceId", "networkInterfaceId"),
                ("PrivateIpAddress", "privateIpAddress"),
            ],
        ),
        ALLOCATE => (ALLOCATIONS, "allocationId", &[("AllocationId", "allocationId"), ("PublicIp", "publicIp")]),
        _ => return None,
    };
    let id = view.text(&["responseElements", id])?;
    let mut members = Map::new();
    for (member, field) in fields {
        let value = ["responseElements", "requestParameters"].iter().find_map(|part| view.text(&[part, field]));
        if let Some(value) = value {
            members.insert((*member).to_owned(), value.into());
        }
    }
    Some(Record {
        kind: kind.into(),
        id: Some(Arc::from(id)),
        time: event.time,
        scope: event.scope.clone(),
        value: Node::from(Document::from(&Value::Object(members))),
        origin: event.origin.clone(),
    })
}

/// Resources that events tell of: the first of them in the order of the input, whatever the order in which they come.
#[derive(Debug)]
pub(super) struct Derived {
    most: usize,
    kept: BTreeMap<Place, (Record, usize)>,
    bytes: usize,
    /// The first that was one too many, and where it was read: none at or after it is kept.
    end: Option<(Place, Origin)>,
    told: u64,
}

impl Default for Derived {
    fn default() -> Self {
        Self { most: MOST, kept: BTreeMap::new(), bytes: 0, end: None, told: 0 }
    }
}

impl Derived {
    /// Adds a resource that the event at a place tells of.
    pub(super) fn add(&mut self, at: Place, resource: Record) {
        self.told += 1;
        if self.end.as_ref().is_some_and(|(end, _)| at >= *end) {
            return;
        }
        let texts = |(key, value): (&str, crate::record::Ref<'_>)| key.len() + value.as_str().map_or(0, str::len);
        let bytes = 512 + resource.value.view().entries().map(texts).sum::<usize>();
        self.bytes += bytes;
        self.kept.insert(at, (resource, bytes));
        while self.bytes > self.most {
            let Some((last, (resource, bytes))) = self.kept.pop_last() else { break };
            self.bytes -= bytes;
            self.end = Some((last, resource.origin));
        }
    }

    /// The resources in the order of the input, and a fault if those are not all.
    pub(super) fn finish(self) -> (impl Iterator<Item = Record>, Option<(Place, Fault)>) {
        let lost = self.told - self.kept.len() as u64;
        let fault = self.end.map(|(at, origin)| {
            let mut fault = Fault::inventory(
                format!(
                    "events and digests tell of more addresses, associations and log files than can be held ({} MiB): later \
                     ones are not looked up (try: scan fewer days, accounts or regions at a time)",
                    self.most >> 20
                ),
                origin,
            );
            fault.count = lost;
            (at, fault)
        });
        (self.kept.into_values().map(|(record, _)| record), fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Scope;

    fn resource(id: u64) -> Record {
        Record {
            kind: ALLOCATIONS.into(),
            id: Some(id.to_string().into()),
            time: None,
            scope: Scope::default(),
            value: Document::from(&serde_json::json!({ "AllocationId": "x".repeat((id * 37 % 300) as usize) })).into(),
            origin: Origin { file: "log".into(), position: id, line: None },
        }
    }

    #[test]
    fn the_first_in_the_input_are_kept_whatever_comes_first() {
        let kept = |order: &[u64], most: usize| {
            let mut derived = Derived { most, ..Derived::default() };
            for position in order {
                derived.add(Place { position: *position, ..Place::default() }, resource(*position));
            }
            let (resources, fault) = derived.finish();
            let ids: Vec<u64> = resources.map(|record| record.origin.position).collect();
            let fault = fault.map(|(at, fault)| (at.position, fault.count, fault.origin.position));
            (ids, fault)
        };
        let forwards: Vec<u64> = (0..100).collect();
        let backwards: Vec<u64> = forwards.iter().rev().copied().collect();
        let mixed: Vec<u64> = forwards.iter().map(|at| at * 37 % 100).collect();
        for most in [0, 1_000, 20_000, 60_000] {
            let (ids, fault) = kept(&forwards, most);
            let held = ids.len() as u64;
            assert_eq!(ids, forwards[..ids.len()]);
            assert_eq!(fault, Some((held, 100 - held, held)), "{most}");
            for order in [&backwards, &mixed] {
                assert_eq!(kept(order, most), (ids.clone(), fault), "{most}");
            }
        }
        assert_eq!(kept(&mixed, 1 << 20), (forwards, None));
    }
}
