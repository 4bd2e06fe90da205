//! How CloudTrail spells the members that AWS's models name: rules by protocol, and where a rule has exceptions, those.
//!
//! - Services of the protocols `query` and `json`, and most of `rest-json`, write members with a small first letter and leave
//!   the rest alone: `DBInstanceIdentifier` is `dBInstanceIdentifier`, `VPCId` is `vPCId`. A name of capitals alone is `aRN` in
//!   some records and `arn` in others. Lists are JSON lists. Some services keep the capital letter, as the model has it.
//! - EC2 speaks as its SOAP interface once did: `filterSet: {items: [{name, valueSet: {items: [{value}]}}]}`. A list is called
//!   after its element on the wire, with `Set`, and an item that is a text is an object with one member.
//! - EC2's newer operations hold the query's parameters in one member, `DeleteFlowLogsRequest`, with capital letters, and the
//!   answer's XML in another, `DeleteFlowLogsResponse`. One item stands where a list of them would.
//! - S3 has headers and words of the query string as they are on the wire, beside `bucketName` and `key`, and bodies as XML.
//! - API Gateway puts the body of a request under the name of the operation: `createStageInput`.
//!
//! Facts: records in AWS's documentation and in public data sets; the sets of EC2's classic requests from its WSDL of 2013.

use super::models::{Member, Service};

/// How members are called in a part of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// As the API's own answers have them.
    Api,
    /// JSON, with a small first letter.
    Small,
    /// JSON, with the model's letters.
    Capital,
    /// JSON, with either.
    Either,
    /// EC2's requests in the manner of SOAP.
    Ec2Request,
    /// EC2's answers in the manner of SOAP.
    Ec2Response,
    /// What stands in EC2's `…Request`.
    Ec2Query,
    /// What stands in EC2's `…Response`.
    Ec2Xml,
    /// Bodies of S3.
    Xml,
}

impl Dialect {
    /// That of the records of a service.
    pub(super) fn of(service: &Service, is_request: bool) -> Self {
        match (service.protocol, is_request) {
            ("ec2", true) => Self::Ec2Request,
            ("ec2", false) => Self::Ec2Response,
            _ if is_s3(service) => Self::Xml,
            _ if service.spelling.contains('c') => Self::Small,
            _ if service.spelling.contains('k') => Self::Capital,
            _ => Self::Either,
        }
    }

    /// True where one item may stand for a list, or be in an element of its own.
    pub(super) fn is_xml(self) -> bool {
        matches!(self, Self::Ec2Query | Self::Ec2Xml | Self::Xml)
    }

    /// True where a list is an object with `items`.
    pub(super) fn has_sets(self) -> bool {
        matches!(self, Self::Ec2Request | Self::Ec2Response | Self::Ec2Xml)
    }
}

/// True for the two services whose records hold S3's headers and bodies.
pub(super) fn is_s3(service: &Service) -> bool {
    matches!(service.name, "s3" | "s3control")
}

/// A way in which a name may be written, without writing it.
#[derive(Clone, Copy)]
pub(super) struct Spelling {
    base: &'static str,
    letters: Letters,
    end: &'static str,
}

#[derive(Clone, Copy, PartialEq)]
enum Letters {
    Kept,
    /// The first one is small.
    Small,
    /// The first one is a capital.
    Capital,
    AllSmall,
}

impl Spelling {
    /// As it is.
    pub(super) fn exact(base: &'static str) -> Self {
        Self { base, letters: Letters::Kept, end: "" }
    }

    /// With a small first letter.
    pub(super) fn small(base: &'static str) -> Self {
        Self { letters: Letters::Small, ..Self::exact(base) }
    }

    fn capital(base: &'static str) -> Self {
        Self { letters: Letters::Capital, ..Self::exact(base) }
    }

    /// With something after it.
    pub(super) fn and(self, end: &'static str) -> Self {
        Self { end, ..self }
    }

    /// The name of which it is a spelling.
    pub(super) fn base(self) -> &'static str {
        self.base
    }

    /// True if the name is written so.
    pub(super) fn is(self, name: &str) -> bool {
        let Some(name) = name.strip_suffix(self.end) else { return false };
        match self.letters {
            Letters::Kept => name == self.base,
            Letters::AllSmall => {
                name.len() == self.base.len()
                    && name.bytes().zip(self.base.bytes()).all(|(one, other)| one == other.to_ascii_lowercase())
            }
            Letters::Small | Letters::Capital => {
                let [first, rest @ ..] = self.base.as_bytes() else { return name.is_empty() };
                let first = if self.letters == Letters::Small {
                    first.to_ascii_lowercase()
                } else {
                    first.to_ascii_uppercase()
                };
                name.as_bytes().split_first() == Some((&first, rest))
            }
        }
    }

    /// The name.
    pub(super) fn write(self) -> String {
        let mut name = self.base.to_owned();
        match (self.letters, name.get_mut(..1)) {
            (Letters::Small, Some(first)) => first.make_ascii_lowercase(),
            (Letters::Capital, Some(first)) => first.make_ascii_uppercase(),
            (Letters::AllSmall, _) => name.make_ascii_lowercase(),
            _ => {}
        }
        name + self.end
    }
}

/// Names of lists in EC2's classic requests that do not follow from the model: the element on the wire, what the list is
/// called, and what an item is called that is a text.
const SETS: [(&str, &str, &str); 34] = [
    ("AllocationId", "allocationIdsSet", "allocationId"),
    ("AttributeName", "accountAttributeNameSet", "attributeName"),
    ("BundleId", "bundlesSet", "bundleId"),
    ("CustomerGatewayId", "customerGatewaySet", "customerGatewayId"),
    ("DhcpOptionsId", "dhcpOptionsSet", "dhcpOptionsId"),
    ("ExecutableBy", "executableBySet", "user"),
    ("GroupId", "groupSet", "groupId"),
    ("GroupId", "placementGroupIdSet", "groupId"),
    ("GroupId", "securityGroupIdSet", "groupId"),
    ("GroupName", "placementGroupSet", "groupName"),
    ("GroupName", "securityGroupSet", "groupName"),
    ("ImageId", "imagesSet", "imageId"),
    ("InstanceId", "instancesSet", "instanceId"),
    ("KeyName", "keySet", "keyName"),
    ("Owner", "ownersSet", "owner"),
    ("PrivateIpAddress", "privateIpAddressesSet", "privateIpAddress"),
    ("PublicIp", "publicIpsSet", "publicIp"),
    ("ReasonCode", "reasonCodesSet", "reasonCode"),
    ("RegionName", "regionSet", "regionName"),
    ("ReservedInstancesId", "reservedInstancesSet", "reservedInstancesId"),
    ("ReservedInstancesOfferingId", "reservedInstancesOfferingsSet", "reservedInstancesOfferingId"),
    ("ResourceId", "resourcesSet", "resourceId"),
    ("RestorableBy", "sharedUsersSet", "user"),
    ("SecurityGroup", "groupSet", "groupName"),
    ("SecurityGroupId", "groupSet", "groupId"),
    ("SnapshotId", "snapshotSet", "snapshotId"),
    ("SubnetId", "subnetSet", "subnetId"),
    ("Tag", "tags", "tag"),
    ("VolumeId", "volumeSet", "volumeId"),
    ("VpcId", "vpcSet", "vpcId"),
    ("VpnConnectionId", "vpnConnectionSet", "vpnConnectionId"),
    ("VpnGatewayId", "vpnGatewaySet", "vpnGatewayId"),
    ("ZoneId", "availabilityZoneIdSet", "zoneId"),
    ("ZoneName", "availabilityZoneSet", "zoneName"),
];

/// Every way in which a member is written.
pub(super) fn spellings(member: &Member, is_list: bool, dialect: Dialect, visit: &mut dyn FnMut(Spelling)) {
    let Member { name, wire, .. } = *member;
    match dialect {
        Dialect::Api => visit(Spelling::exact(name)),
        Dialect::Ec2Xml | Dialect::Xml => visit(Spelling::exact(wire)),
        Dialect::Ec2Query => visit(Spelling::capital(wire)),
        Dialect::Ec2Response => visit(Spelling::small(wire)),
        Dialect::Ec2Request if is_list => ec2_list(wire, visit),
        Dialect::Ec2Request => each_once(name, wire, Spelling::small, visit),
        Dialect::Capital => each_once(name, wire, Spelling::exact, visit),
        Dialect::Small => json_small(name, wire, visit),
        Dialect::Either => {
            json_small(name, wire, visit);
            each_once(name, wire, Spelling::exact, &mut |spelling| {
                if spelling.base.starts_with(|first: char| first.is_ascii_uppercase()) {
                    visit(spelling);
                }
            });
        }
    }
}

fn json_small(name: &'static str, wire: &'static str, visit: &mut dyn FnMut(Spelling)) {
    each_once(name, wire, Spelling::small, visit);
    if name.len() > 1 && name.bytes().all(|letter| letter.is_ascii_uppercase()) {
        visit(Spelling { letters: Letters::AllSmall, ..Spelling::exact(name) });
    }
}

fn each_once(
    name: &'static str,
    wire: &'static str,
    how: fn(&'static str) -> Spelling,
    visit: &mut dyn FnMut(Spelling),
) {
    visit(how(name));
    if !how(wire).is(&how(name).write()) {
        visit(how(wire));
    }
}

fn ec2_list(wire: &'static str, visit: &mut dyn FnMut(Spelling)) {
    // An element that is called as the list is, or as one of its items: `IpPermissions`, `BlockDeviceMapping`.
    visit(Spelling::small(wire));
    if wire.ends_with("Set") {
        return;
    }
    visit(Spelling::small(wire).and("Set"));
    let capital = Spelling::capital(wire);
    for (element, set, _) in SETS {
        if capital.is(element) {
            visit(Spelling::exact(set));
        }
    }
}

/// What an item of a list is called that is a text, in EC2's classic requests: `{items: [{vpcId}]}`.
pub(super) fn item_name(wire: &'static str, item: &'static str) -> Spelling {
    let capital = Spelling::capital(wire);
    if let Some((_, _, called)) = SETS.iter().find(|(element, _, _)| capital.is(element)) {
        return Spelling::exact(called);
    }
    let is_generic = item.is_empty() || item.eq_ignore_ascii_case("item") || item == "member";
    Spelling::small(if is_generic { wire } else { item })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(name: &'static str, wire: &'static str, is_list: bool, dialect: Dialect) -> Vec<String> {
        let line: &'static str = format!("{name}={wire}>t").leak();
        let member = super::super::models::members(line).next().unwrap();
        let mut all = Vec::new();
        spellings(&member, is_list, dialect, &mut |spelling| {
            assert!(spelling.is(&spelling.write()));
            all.push(spelling.write());
        });
        all
    }

    #[test]
    fn the_first_letter_is_small_and_the_rest_is_left_alone() {
        for (name, want) in [
            ("DBInstanceIdentifier", vec!["dBInstanceIdentifier"]),
            ("DbiResourceId", vec!["dbiResourceId"]),
            ("IAMDatabaseAuthenticationEnabled", vec!["iAMDatabaseAuthenticationEnabled"]),
            ("VPCId", vec!["vPCId"]),
            ("TrailARN", vec!["trailARN"]),
            ("ARN", vec!["aRN", "arn"]),
            ("IPAddress", vec!["iPAddress"]),
            ("key", vec!["key"]),
            ("S3BucketName", vec!["s3BucketName"]),
        ] {
            assert_eq!(written(name, name, false, Dialect::Small), want);
        }
        assert_eq!(written("MaxItems", "maxItems", false, Dialect::Either), ["maxItems", "MaxItems"]);
        assert_eq!(written("MaxItems", "MaxItems", false, Dialect::Capital), ["MaxItems"]);
        assert_eq!(written("ARN", "ARN", false, Dialect::Either), ["aRN", "arn", "ARN"]);
    }

    #[test]
    fn ec2_has_three_dialects() {
        let set = |name, wire| written(name, wire, true, Dialect::Ec2Request);
        assert_eq!(set("Filters", "Filter"), ["filter", "filterSet"]);
        assert!(set("GroupIds", "GroupId").contains(&"securityGroupIdSet".to_owned()));
        assert!(set("InstanceIds", "InstanceId").contains(&"instancesSet".to_owned()));
        assert!(set("VpcIds", "VpcId").contains(&"vpcSet".to_owned()));
        assert!(set("TagSpecifications", "TagSpecification").contains(&"tagSpecificationSet".to_owned()));
        assert_eq!(set("IpPermissions", "IpPermissions")[0], "ipPermissions");
        assert!(!set("Filters", "Filter").contains(&"filters".to_owned()));
        assert_eq!(written("Description", "GroupDescription", false, Dialect::Ec2Request)[1], "groupDescription");
        assert_eq!(written("FlowLogIds", "FlowLogId", true, Dialect::Ec2Query), ["FlowLogId"]);
        assert_eq!(written("Tags", "tagSet", true, Dialect::Ec2Response), ["tagSet"]);
        assert_eq!(item_name("VpcId", "VpcId").write(), "vpcId");
        assert_eq!(item_name("Value", "item").write(), "value");
        assert_eq!(item_name("SecurityGroupId", "SecurityGroupId").write(), "groupId");
        assert_eq!(item_name("RestorableBy", "member").write(), "user");
    }

    #[test]
    fn a_spelling_is_compared_as_it_is_written() {
        for name in ["a", "A", "ab", "ABC", "", "aRN", "arn", "ARN", "aSet", "set"] {
            for spelling in [
                Spelling::exact("ARN"),
                Spelling::small("ARN"),
                Spelling::capital("arn"),
                Spelling::small("A").and("Set"),
                Spelling { letters: Letters::AllSmall, ..Spelling::exact("ARN") },
                Spelling::small(""),
            ] {
                assert_eq!(spelling.is(name), spelling.write() == name, "{name} {}", spelling.write());
            }
        }
    }
}
