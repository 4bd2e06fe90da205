//! Inventory that events tell of: what `AssociateAddress` and `AllocateAddress` answered.
//!
//! A record of `DisassociateAddress` names an association alone; which address that was is in the answer to the call
//! that made it. Fields: "AssociateAddress" and "AllocateAddress" in the Amazon EC2 API reference.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::record::{CLOUDTRAIL, Document, Node, Record};

/// `AssociationId` with the `AllocationId`, `PublicIp`, `InstanceId`, `NetworkInterfaceId`, `PrivateIpAddress` known of it.
pub(super) const ASSOCIATIONS: &str = "cloudtrail/address-associations";
/// `AllocationId` and `PublicIp`.
pub(super) const ALLOCATIONS: &str = "cloudtrail/address-allocations";

/// True if a kind is made of events, so that its look-ups must wait for the last of them.
pub(super) fn is_derived(kind: &str) -> bool {
    kind == ASSOCIATIONS || kind == ALLOCATIONS
}

/// The resource that an event tells of, if it does.
pub(super) fn resource(event: &Record) -> Option<Record> {
    let view = event.value.view();
    if &*event.kind != CLOUDTRAIL || view.text(&["eventSource"]) != Some("ec2.amazonaws.com") {
        return None;
    }
    let (kind, id, fields): (_, _, &[(&str, &str)]) = match view.text(&["eventName"])? {
        "AssociateAddress" => (
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
        "AllocateAddress" => {
            (ALLOCATIONS, "allocationId", &[("AllocationId", "allocationId"), ("PublicIp", "publicIp")])
        }
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
