//! Reads AWS Config items, in every envelope they travel in, as resources of the kinds that the API's commands give.
//!
//! Rules of translation, applied at every depth: `null` is absent; a member takes the API's spelling where the kind's
//! fields have it in any case (`trailARN` → `TrailARN`, `dBName` → `DBName`), else an upper-case first letter; a list called
//! `xSet` is `Xs` where the API calls it so; `tags` in any of their forms are `Tags: [{Key, Value}]`; `ipv4Ranges` are
//! `IpRanges`. What the item knows beside the configuration stays in `SupplementaryConfiguration`. JSON in strings is
//! parsed. An item of a type that no command of the table prints is a resource as it stands, of kind `config/` and its
//! type in kebab-case: `config/aws-rds-db-cluster`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::place::{self, Naming};
use crate::record::{Document, Kind, Ref, Scope, is_account, is_region};
use crate::schema;

/// Types whose items become resources of a kind that a command prints.
const KINDS: [(&str, &str); 52] = [
    ("AWS::EC2::Instance", "ec2/instances"),
    ("AWS::EC2::Volume", "ec2/volumes"),
    ("AWS::EC2::EIP", "ec2/addresses"),
    ("AWS::EC2::SecurityGroup", "ec2/security-groups"),
    ("AWS::EC2::NetworkInterface", "ec2/network-interfaces"),
    ("AWS::EC2::VPC", "ec2/vpcs"),
    ("AWS::EC2::Subnet", "ec2/subnets"),
    ("AWS::EC2::RouteTable", "ec2/route-tables"),
    ("AWS::EC2::NetworkAcl", "ec2/network-acls"),
    ("AWS::EC2::InternetGateway", "ec2/internet-gateways"),
    ("AWS::EC2::EgressOnlyInternetGateway", "ec2/egress-only-internet-gateways"),
    ("AWS::EC2::CustomerGateway", "ec2/customer-gateways"),
    ("AWS::EC2::VPNGateway", "ec2/vpn-gateways"),
    ("AWS::EC2::VPNConnection", "ec2/vpn-connections"),
    ("AWS::EC2::NatGateway", "ec2/nat-gateways"),
    ("AWS::EC2::FlowLog", "ec2/flow-logs"),
    ("AWS::EC2::VPCEndpoint", "ec2/vpc-endpoints"),
    ("AWS::EC2::VPCEndpointService", "ec2/service-configurations"),
    ("AWS::EC2::VPCPeeringConnection", "ec2/vpc-peering-connections"),
    ("AWS::EC2::TransitGateway", "ec2/transit-gateways"),
    ("AWS::EC2::TransitGatewayAttachment", "ec2/transit-gateway-attachments"),
    ("AWS::EC2::TransitGatewayRouteTable", "ec2/transit-gateway-route-tables"),
    ("AWS::EC2::LaunchTemplate", "ec2/launch-templates"),
    ("AWS::EC2::Host", "ec2/hosts"),
    ("AWS::EC2::DHCPOptions", "ec2/dhcp-options"),
    ("AWS::EC2::PrefixList", "ec2/managed-prefix-lists"),
    ("AWS::EC2::CapacityReservation", "ec2/capacity-reservations"),
    ("AWS::EC2::CarrierGateway", "ec2/carrier-gateways"),
    ("AWS::EC2::ClientVpnEndpoint", "ec2/client-vpn-endpoints"),
    ("AWS::EC2::EC2Fleet", "ec2/fleets"),
    ("AWS::EC2::SpotFleet", "ec2/spot-fleet-request-configs"),
    ("AWS::EC2::IPAM", "ec2/ipams"),
    ("AWS::EC2::IPAMPool", "ec2/ipam-pools"),
    ("AWS::EC2::IPAMScope", "ec2/ipam-scopes"),
    ("AWS::EC2::NetworkInsightsPath", "ec2/network-insights-paths"),
    ("AWS::EC2::NetworkInsightsAnalysis", "ec2/network-insights-analyses"),
    ("AWS::EC2::NetworkInsightsAccessScope", "ec2/network-insights-access-scopes"),
    ("AWS::EC2::TrafficMirrorFilter", "ec2/traffic-mirror-filters"),
    ("AWS::EC2::TrafficMirrorSession", "ec2/traffic-mirror-sessions"),
    ("AWS::EC2::TrafficMirrorTarget", "ec2/traffic-mirror-targets"),
    ("AWS::CloudTrail::Trail", "cloudtrail/trails"),
    ("AWS::CloudWatch::Alarm", "cloudwatch/metric-alarms"),
    ("AWS::KMS::Key", "kms/key"),
    ("AWS::KMS::Alias", "kms/aliases"),
    ("AWS::Logs::LogGroup", "logs/log-groups"),
    ("AWS::S3::Bucket", "s3api/buckets"),
    ("AWS::IAM::User", "iam/users"),
    ("AWS::IAM::Role", "iam/roles"),
    ("AWS::IAM::Group", "iam/groups"),
    ("AWS::IAM::Policy", "iam/policies"),
    ("AWS::SNS::Topic", "sns/topics"),
    ("AWS::SecretsManager::Secret", "secretsmanager/secrets"),
];

/// An AWS Config item as a resource.
pub(super) struct Item {
    pub(super) kind: String,
    pub(super) id: Option<String>,
    pub(super) value: Value,
    pub(super) scope: Scope,
    pub(super) time: Option<Timestamp>,
    /// What became of it.
    pub(super) state: State,
}

/// Whether an item is of a resource that there is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Its configuration is here.
    Here,
    /// It was deleted.
    Deleted,
    /// Its configuration was too large for the message.
    LeftOut,
    /// It is not recorded any more.
    NotRecorded,
    /// Its configuration is none, or cannot be read, or was not asked for.
    Unread,
}

/// True for the `detail-type` of an event that carries an item.
pub(super) fn is_change(detail_type: &str) -> bool {
    detail_type == "Config Configuration Item Change" || detail_type.starts_with("Config Oversized")
}

/// True when the value is an item or an envelope of items.
pub(super) fn is_config(value: Ref<'_>) -> bool {
    match value.kind() {
        Kind::List => value.items().next().is_some_and(is_item),
        // Most answers are none, and this sees it at a glance.
        Kind::Map if value.entries().any(|(key, _)| MARKS.contains(&key)) => {
            let lists = ["configurationItems", "baseConfigurationItems"];
            lists.iter().any(|key| value.get(key).is_some_and(|list| list.kind() == Kind::List))
                || value.get("configurationItem").is_some()
                || value.get("configurationItemSummary").is_some()
                || value.get("invokingEvent").is_some()
                || value.text(&["detail-type"]).is_some_and(is_change)
                || is_query(value)
                || is_item(value)
        }
        _ => false,
    }
}

/// Members one of which every item and every envelope of items has.
const MARKS: [&str; 8] = [
    "configurationItems",
    "baseConfigurationItems",
    "configurationItem",
    "configurationItemSummary",
    "invokingEvent",
    "detail-type",
    "Results",
    "resourceType",
];

/// `select-resource-config` prints its results as JSON in strings.
fn is_query(value: Ref<'_>) -> bool {
    value.get("Results").is_some_and(|results| {
        !results.is_empty() && results.items().all(|item| item.as_str().is_some_and(|text| text.starts_with('{')))
    })
}

fn is_item(value: Ref<'_>) -> bool {
    let marks = ["configurationItemCaptureTime", "configurationItemStatus", "configurationStateId", "configuration"];
    value.text(&["resourceType"]).is_some_and(|of| of.contains("::"))
        && marks.iter().any(|mark| value.get(mark).is_some())
}

/// The items in a value, those of deleted resources marked; `None` when the value is something else.
pub(super) fn items(value: Ref<'_>) -> Option<Vec<Item>> {
    if !is_config(value) {
        return None;
    }
    let mut items = Vec::new();
    collect(value, 0, &mut items);
    // A history has the same resource again and again: what it was before it was deleted is known by the times.
    let mut deleted: BTreeMap<(String, Option<String>), Timestamp> = BTreeMap::new();
    for item in items.iter().filter(|item| item.state == State::Deleted) {
        let last = deleted.entry((item.kind.clone(), item.id.clone())).or_insert(Timestamp::MIN);
        *last = item.time.unwrap_or(Timestamp::MAX).max(*last);
    }
    for item in &mut items {
        if let Some(when) = deleted.get(&(item.kind.clone(), item.id.clone()))
            && (*when == Timestamp::MAX || item.time.is_none_or(|time| time == *when))
        {
            item.state = State::Deleted;
        }
    }
    Some(items)
}

fn collect(value: Ref<'_>, depth: usize, items: &mut Vec<Item>) {
    if depth > 4 {
        return;
    }
    let mut found = false;
    for key in ["configurationItems", "baseConfigurationItems", "Results"] {
        for inner in value.get(key).into_iter().flat_map(Ref::items) {
            found = true;
            match inner.as_str().map(|text| Document::parse(text.as_bytes())) {
                Some(Ok(document)) => items.push(read(document.root())),
                Some(Err(_)) => {}
                None => items.push(read(inner)),
            }
        }
    }
    for inner in value.items().filter(|_| depth == 0) {
        found = true;
        items.push(read(inner));
    }
    if let Some(item) = value.get("configurationItem").filter(|item| item.kind() == Kind::Map) {
        return items.push(read(item));
    }
    if let Some(summary) = value.get("configurationItemSummary").filter(|item| item.kind() == Kind::Map) {
        let mut item = read(summary);
        if matches!(item.state, State::Here | State::Unread) {
            item.state = State::LeftOut;
        }
        return items.push(item);
    }
    for key in ["invokingEvent", "detail"] {
        match value.get(key) {
            Some(inner) if inner.kind() == Kind::Map => collect(inner, depth + 1, items),
            Some(inner) => {
                if let Some(Ok(document)) = inner.as_str().map(|text| Document::parse(text.as_bytes())) {
                    collect(document.root(), depth + 1, items);
                }
            }
            None => {}
        }
    }
    if !found && is_item(value) {
        items.push(read(value));
    }
}

fn read(item: Ref<'_>) -> Item {
    let of = item.text(&["resourceType"]).unwrap_or_default();
    let mapped = KINDS.iter().find(|(known, _)| known.eq_ignore_ascii_case(of)).map(|(_, kind)| *kind);
    let kind: Cow<'_, str> = match mapped {
        Some(kind) => kind.into(),
        None if of.is_empty() => "configservice/results".into(),
        None => format!("{}{}", schema::CONFIG_TYPE, kebab(of)).into(),
    };
    let value = match mapped {
        Some(kind) => translated(kind, item),
        None => parsed(item.to_json()),
    };
    let first = |keys: &[&str]| keys.iter().find_map(|key| item.text(&[key])).map(str::to_owned);
    let id = mapped.and_then(|kind| Naming::of(kind).id(Document::from(&value).root()).map(|id| id.to_string()));
    let arn = first(&["ARN", "arn"]).unwrap_or_default();
    let of_arn = |at: usize| arn.split(':').nth(at).map(str::to_owned);
    let account = first(&["awsAccountId", "accountId"]).or_else(|| of_arn(4)).filter(|of| is_account(of));
    let region = first(&["awsRegion"]).or_else(|| of_arn(3)).filter(|of| is_region(of));
    let region = region.filter(|_| !place::is_global(&kind));
    let state = match item.text(&["configurationItemStatus"]) {
        Some(status) if status.starts_with("ResourceDeleted") => State::Deleted,
        Some("ResourceNotRecorded") if item.get("configuration").is_none_or(is_nothing) => State::NotRecorded,
        // Of other kinds nobody knows whether they have one.
        _ if mapped.is_some() && !item.get("configuration").is_some_and(is_read) => State::Unread,
        _ => State::Here,
    };
    Item {
        id: id.or_else(|| first(&["resourceId", "resourceName", "ARN", "arn"])),
        scope: Scope { account: account.map(Into::into), region: region.map(Into::into) },
        time: item.get("configurationItemCaptureTime").and_then(time),
        kind: kind.into_owned(),
        value,
        state,
    }
}

/// Whether a configuration is an object, as it stands or as JSON in text.
fn is_read(configuration: Ref<'_>) -> bool {
    configuration.kind() == Kind::Map || unquoted(configuration.to_json()).is_object()
}

/// Whether a configuration, which may be JSON in text, is none.
fn is_nothing(configuration: Ref<'_>) -> bool {
    configuration.is_null() || configuration.as_str().is_some_and(|text| matches!(text.trim(), "" | "null"))
}

/// RFC 3339, with `+0000` too, or seconds since the epoch.
pub(super) fn time(value: Ref<'_>) -> Option<Timestamp> {
    if let Some(seconds) = value.as_f64() {
        #[expect(clippy::cast_possible_truncation, reason = "milliseconds of any year fit, and a cast saturates")]
        return Timestamp::from_millisecond((seconds * 1000.0).round() as i64).ok();
    }
    let text = value.as_str()?;
    text.parse().ok().or_else(|| Timestamp::strptime("%Y-%m-%dT%H:%M:%S%.f%z", text).ok())
}

/// `AWS::RDS::DBCluster` → `aws-rds-db-cluster`.
fn kebab(of: &str) -> String {
    let mut out = String::new();
    for part in of.split("::") {
        let part: Vec<char> = part.chars().collect();
        for (at, character) in part.iter().enumerate() {
            let before = at.checked_sub(1).map(|at| part[at]);
            let after = part.get(at + 1);
            let starts = character.is_ascii_uppercase()
                && before.is_some_and(|before| {
                    before.is_ascii_lowercase()
                        || before.is_ascii_uppercase() && after.is_some_and(char::is_ascii_lowercase)
                });
            if starts || at == 0 && !out.is_empty() {
                out.push('-');
            }
            out.push(character.to_ascii_lowercase());
        }
    }
    out
}

/// Parses JSON that stands in strings, however often it was quoted.
fn parsed(value: Value) -> Value {
    match value {
        Value::Object(members) => members
            .into_iter()
            .map(|(key, value)| {
                let value = match key.as_str() {
                    "configuration" => unquoted(value),
                    "supplementaryConfiguration" => supplement(value),
                    _ => value,
                };
                (key, value)
            })
            .collect(),
        other => other,
    }
}

fn supplement(value: Value) -> Value {
    match unquoted(value) {
        Value::Object(members) => members.into_iter().map(|(key, value)| (key, unquoted(value))).collect(),
        other => other,
    }
}

fn unquoted(value: Value) -> Value {
    let mut value = value;
    for _ in 0..2 {
        match value
            .as_str()
            .filter(|text| text.starts_with(['{', '[', '"']))
            .map(|text| Document::parse(text.as_bytes()))
        {
            Some(Ok(document)) => value = document.root().to_json(),
            _ => break,
        }
    }
    value
}

fn translated(kind: &str, item: Ref<'_>) -> Value {
    let fields = schema::fields(kind).unwrap_or_default();
    let upper = fields.iter().filter(|field| field.starts_with(|c: char| c.is_ascii_uppercase())).count() * 2;
    let style = Style { upper: upper >= fields.len() };
    let configuration = item.get("configuration").map(|value| unquoted(value.to_json())).unwrap_or_default();
    let mut value = match configuration {
        Value::Object(members) => style.members(members, &fields),
        _ => Map::new(),
    };
    let tags = style.name("tags", &fields);
    if fields.contains(&&*tags)
        && !value.contains_key(&tags)
        && let Some(item_tags) = item.get("tags").filter(|tags| !tags.is_empty())
    {
        value.insert(tags, style.tags(item_tags.to_json()));
    }
    match item.get("supplementaryConfiguration").map(|value| supplement(value.to_json())) {
        Some(Value::Object(members)) if !members.is_empty() => {
            value.insert("SupplementaryConfiguration".into(), members.into());
        }
        _ => {}
    }
    Value::Object(value)
}

/// How the API of a kind spells its members.
struct Style {
    /// With an upper-case first letter, as most do; `logs` and the container services do not.
    upper: bool,
}

impl Style {
    fn members(&self, members: Map<String, Value>, fields: &[&str]) -> Map<String, Value> {
        let plain_ranges = members.contains_key("ipv4Ranges");
        let kept = members.into_iter().filter(|(key, value)| !(value.is_null() || plain_ranges && key == "ipRanges"));
        kept.map(|(key, value)| match key.as_str() {
            "tags" | "tagSet" if self.upper => ("Tags".into(), self.tags(value)),
            "ipv4Ranges" => ("IpRanges".into(), self.value(value)),
            _ => (self.name(&key, fields), self.value(value)),
        })
        .collect()
    }

    fn value(&self, value: Value) -> Value {
        match value {
            // The table has the names of the first level only.
            Value::Object(members) => self.members(members, &[]).into(),
            Value::Array(items) => items.into_iter().map(|item| self.value(item)).collect(),
            other => other,
        }
    }

    fn name(&self, key: &str, fields: &[&str]) -> String {
        let known = |name: &str| fields.iter().find(|field| field.eq_ignore_ascii_case(name)).map(ToString::to_string);
        let as_list = |stem: &str| known(&format!("{stem}s")).or_else(|| known(&format!("security{stem}s")));
        known(key).or_else(|| key.strip_suffix("Set").and_then(as_list)).unwrap_or_else(|| {
            let mut letters = key.chars();
            match letters.next() {
                Some(first) if self.upper => first.to_ascii_uppercase().to_string() + letters.as_str(),
                _ => key.to_owned(),
            }
        })
    }

    /// `{name: value}`, `[{key, value}]` or `[{tagName, tagValue}]` as the API has it.
    fn tags(&self, tags: Value) -> Value {
        match tags {
            Value::Object(tags) if self.upper => {
                tags.into_iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect()
            }
            Value::Array(tags) => tags
                .into_iter()
                .map(|tag| {
                    let get = |names: [&str; 3]| names.iter().find_map(|name| tag.get(name)).cloned();
                    match get(["key", "tagName", "Key"]) {
                        Some(key) => {
                            json!({"Key": key, "Value": get(["value", "tagValue", "Value"]).unwrap_or_default()})
                        }
                        None => tag,
                    }
                })
                .collect(),
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_in_kebab_case() {
        assert_eq!(kebab("AWS::RDS::DBCluster"), "aws-rds-db-cluster");
        assert_eq!(kebab("AWS::ElasticLoadBalancingV2::LoadBalancer"), "aws-elastic-load-balancing-v2-load-balancer");
        assert_eq!(kebab("AWS::EC2::VPC"), "aws-ec2-vpc");
    }

    #[test]
    fn every_mapped_kind_is_known() {
        for (of, kind) in KINDS {
            assert!(schema::is_kind(kind), "{of} {kind}");
        }
    }

    #[test]
    fn translates_a_volume() {
        let text = r#"{"resourceType":"AWS::EC2::Volume","configurationItemStatus":"OK","awsRegion":"us-east-1",
            "awsAccountId":"111122223333","configurationItemCaptureTime":"2017-11-27T14:26:11.300Z","tags":{"a":"b"},
            "configuration":"{\"volumeId\":\"vol-1\",\"kmsKeyId\":null,\"attachments\":[{\"instanceId\":\"i-1\"}]}"}"#;
        let items = items(Document::parse(text.as_bytes()).unwrap().root()).unwrap();
        assert_eq!(items.len(), 1);
        assert_eq!((items[0].kind.as_str(), items[0].id.as_deref()), ("ec2/volumes", Some("vol-1")));
        assert_eq!(
            items[0].value,
            json!({"VolumeId":"vol-1","Attachments":[{"InstanceId":"i-1"}],"Tags":[{"Key":"a","Value":"b"}]})
        );
        assert_eq!(items[0].scope.to_string(), "111122223333/us-east-1");
        assert!(items[0].time.is_some());
    }
}
