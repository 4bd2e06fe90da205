//! What calls of EC2 tell: addresses and who has them, instances, interfaces and NAT gateways.
//!
//! Fields: `AllocateAddress`, `AssociateAddress`, `DisassociateAddress`, `RunInstances`, `CreateNetworkInterface` and
//! `CreateNatGateway` in the Amazon EC2 API reference; CloudTrail writes them with a small first letter.

use serde_json::{Map, Value};

use super::{Told, text};
use crate::record::Ref;

/// `AssociationId` with the `AllocationId`, `PublicIp`, `InstanceId`, `NetworkInterfaceId`, `PrivateIpAddress` known of
/// it; or the `NatGatewayId` that an allocation was given to.
pub(super) const ASSOCIATIONS: &str = "cloudtrail/address-associations";
/// `AllocationId` and `PublicIp`.
pub(super) const ALLOCATIONS: &str = "cloudtrail/address-allocations";
/// `InstanceId` and what it was made of.
pub(super) const INSTANCES: &str = "cloudtrail/instances";
/// `NetworkInterfaceId`, where it is and what instance it was made for.
pub(super) const INTERFACES: &str = "cloudtrail/network-interfaces";
/// `NatGatewayId`, its subnet and its addresses.
pub(super) const GATEWAYS: &str = "cloudtrail/nat-gateways";

/// Members and the fields that they are found in.
type Names = &'static [(&'static str, &'static [&'static str])];

const ASSOCIATION: Names = &[
    ("AssociationId", &["associationId"]),
    ("AllocationId", &["allocationId"]),
    ("PublicIp", &["publicIp"]),
    ("InstanceId", &["instanceId"]),
    ("NetworkInterfaceId", &["networkInterfaceId"]),
    ("PrivateIpAddress", &["privateIpAddress"]),
];

const ALLOCATION: Names = &[("AllocationId", &["allocationId"]), ("PublicIp", &["publicIp"])];

const INSTANCE: Names = &[
    ("InstanceId", &["instanceId"]),
    ("ImageId", &["imageId"]),
    ("InstanceType", &["instanceType"]),
    ("KeyName", &["keyName"]),
    ("VpcId", &["vpcId"]),
    ("SubnetId", &["subnetId"]),
    ("PrivateIpAddress", &["privateIpAddress"]),
    ("PublicIpAddress", &["ipAddress"]),
    ("IamInstanceProfileArn", &["iamInstanceProfile", "arn"]),
];

const INTERFACE: Names = &[
    ("NetworkInterfaceId", &["networkInterfaceId"]),
    ("VpcId", &["vpcId"]),
    ("SubnetId", &["subnetId"]),
    ("PrivateIpAddress", &["privateIpAddress"]),
    ("InterfaceType", &["interfaceType"]),
];

const GATEWAY: Names = &[("NatGatewayId", &["natGatewayId"]), ("VpcId", &["vpcId"]), ("SubnetId", &["subnetId"])];

/// The members that a value has of those named.
fn members(value: Ref<'_>, names: Names) -> Map<String, Value> {
    let found = |path: &[&str]| value.text(path).filter(|text| !text.is_empty());
    let member = |(name, path): &(&str, &[&str])| Some(((*name).to_owned(), found(path)?.into()));
    names.iter().filter_map(member).collect()
}

/// The members that the answer or the request has of those named.
fn asked_or_answered(event: Ref<'_>, names: Names) -> Map<String, Value> {
    let of = |part: &str| event.get(part).map(|part| members(part, names)).unwrap_or_default();
    let mut all = of("requestParameters");
    all.extend(of("responseElements"));
    all
}

/// A set as EC2's XML is written in JSON: a list, or its only item, below `items` or `item`.
fn set<'a>(value: Ref<'a>, name: &str) -> impl Iterator<Item = Ref<'a>> {
    let set = value.get(name);
    let inner = set.and_then(|set| set.get("items").or_else(|| set.get("item"))).or(set);
    let one = inner.filter(|inner| inner.items().next().is_none() && !inner.is_empty());
    inner.into_iter().flat_map(Ref::items).chain(one)
}

pub(super) fn allocated(event: Ref<'_>, told: &mut Vec<Told>) {
    if let Some(id) = event.text(&["responseElements", "allocationId"]) {
        told.push(Told::Made(ALLOCATIONS, id.to_owned(), asked_or_answered(event, ALLOCATION)));
    }
}

pub(super) fn associated(event: Ref<'_>, told: &mut Vec<Told>) {
    if let Some(id) = event.text(&["responseElements", "associationId"]) {
        told.push(Told::Made(ASSOCIATIONS, id.to_owned(), asked_or_answered(event, ASSOCIATION)));
    }
}

pub(super) fn disassociated(event: Ref<'_>, told: &mut Vec<Told>) {
    for (member, field) in [("AssociationId", "associationId"), ("PublicIp", "publicIp")] {
        if let Some(value) = event.text(&["requestParameters", field]) {
            told.push(Told::Ended(ASSOCIATIONS, member, value.to_owned()));
        }
    }
}

pub(super) fn run(event: Ref<'_>, told: &mut Vec<Told>) {
    let Some(answer) = event.get("responseElements") else { return };
    for instance in set(answer, "instancesSet") {
        let Some(id) = instance.text(&["instanceId"]) else { continue };
        told.push(Told::Made(INSTANCES, id.to_owned(), members(instance, INSTANCE)));
        for interface in set(instance, "networkInterfaceSet") {
            let Some(interface_id) = interface.text(&["networkInterfaceId"]) else { continue };
            let mut found = members(interface, INTERFACE);
            found.insert("InstanceId".to_owned(), id.into());
            told.push(Told::Made(INTERFACES, interface_id.to_owned(), found));
        }
    }
}

pub(super) fn interface_made(event: Ref<'_>, told: &mut Vec<Told>) {
    let Some(interface) = event.path(&["responseElements", "networkInterface"]) else { return };
    if let Some(id) = interface.text(&["networkInterfaceId"]) {
        told.push(Told::Made(INTERFACES, id.to_owned(), members(interface, INTERFACE)));
    }
}

pub(super) fn gateway_made(event: Ref<'_>, told: &mut Vec<Told>) {
    let answer = event.get("responseElements");
    let answer = answer.and_then(|answer| answer.get("CreateNatGatewayResponse")).or(answer);
    let Some(gateway) = answer.and_then(|answer| answer.get("natGateway")) else { return };
    let Some(id) = gateway.text(&["natGatewayId"]) else { return };
    let request: &[&str] = &["requestParameters", "CreateNatGatewayRequest", "AllocationId"];
    let asked = text(event, &[request, &["requestParameters", "allocationId"]]);
    let answered = set(gateway, "natGatewayAddressSet").filter_map(|address| address.text(&["allocationId"]));
    let mut allocations: Vec<&str> = asked.into_iter().chain(answered).collect();
    allocations.sort_unstable();
    allocations.dedup();
    for allocation in &allocations {
        let association = [("AllocationId", *allocation), ("NatGatewayId", id)];
        let members = association.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect();
        told.push(Told::Made(ASSOCIATIONS, format!("{id} {allocation}"), members));
    }
    let mut found = members(gateway, GATEWAY);
    found.insert("AllocationIds".to_owned(), allocations.into());
    told.push(Told::Made(GATEWAYS, id.to_owned(), found));
}

pub(super) fn gateway_deleted(event: Ref<'_>, told: &mut Vec<Told>) {
    let wrapped: &[&str] = &["requestParameters", "DeleteNatGatewayRequest", "NatGatewayId"];
    if let Some(id) = text(event, &[wrapped, &["requestParameters", "natGatewayId"]]) {
        told.push(Told::Ended(ASSOCIATIONS, "NatGatewayId", id.to_owned()));
    }
}
