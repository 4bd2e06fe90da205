//! Inventory at several times: what is looked up is as it was when the event happened, and what is judged as it is now.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use lawbook::engine::{Request, scan};
use lawbook::inventory::{Builder, Inventory, When};
use lawbook::policy::{Checked, Pack};
use lawbook::record::{Document, Origin, Record, Scope};
use lawbook::script::Limits;
use proptest::prelude::*;
use serde_json::{Value, json};

fn checked(head: &str, script: &str) -> Checked {
    let head: String = head.lines().map(|line| format!("//! {line}\n")).collect();
    let text = format!("//! ---\n//! title: T\n//! severity: low\n{head}//! ---\n{script}\n");
    match Pack::from_text("series", &text).check(&crate::of_invented_events(), &Limits::default()) {
        Ok(checked) => checked,
        Err(mistakes) => panic!("{}", lawbook::report::diagnostic::draw(&mistakes, false)),
    }
}

fn event(at: &str, name: &str, more: &Value) -> Value {
    let mut event = json!({
        "eventVersion": "1.10", "eventID": format!("{name} {at} {more}"), "eventTime": format!("2024-05-14T{at}Z"),
        "eventSource": "ec2.amazonaws.com", "eventName": name, "awsRegion": "us-east-1",
        "recipientAccountId": "111122223333" });
    event.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
    event
}

fn write(folder: &Path, name: &str, value: &Value) {
    std::fs::write(folder.join(name), value.to_string()).unwrap();
}

/// What findings say, by the name of the record.
fn said(packs: &Checked, folder: &Path) -> Vec<(String, Value)> {
    let mut request = Request::new([folder]);
    request.now = "2024-05-15T00:00:00Z".parse().unwrap();
    let mut seen = BTreeSet::new();
    for threads in [1, 4] {
        request.threads = threads;
        let outcome = scan(packs, &request, &()).unwrap();
        assert!(outcome.faults.is_empty(), "{:?}", outcome.faults);
        let said: Vec<(String, String)> = outcome
            .findings
            .iter()
            .map(|finding| finding.unwrap())
            .map(|finding| {
                let is_event = &*finding.record.kind == "cloudtrail";
                let id = finding.record.id.map(|id| id.to_string());
                let name = if is_event { finding.record.time } else { id };
                (name.unwrap_or_default(), finding.context.to_string())
            })
            .collect();
        seen.insert(said);
    }
    assert_eq!(seen.len(), 1);
    seen.into_iter().flatten().map(|(name, said)| (name, serde_json::from_str(&said).unwrap())).collect()
}

/// Three whole answers about volumes, an hour apart.
fn volumes(folder: &Path) {
    let answers: Vec<Value> = (0..3)
        .map(|at| {
            json!({ "file": format!("volumes-{at}.json"), "service": "ec2", "command": "describe-volumes",
                    "account": "111122223333", "region": "us-east-1", "time": format!("2024-05-14T1{at}:00:00Z") })
        })
        .collect();
    write(folder, "inventory.json", &json!({ "lawbook": 1, "answers": answers }));
    let volume = |id: &str, state: &str| json!({ "VolumeId": id, "State": state, "Size": 1 });
    let first = [volume("vol-kept", "available"), volume("vol-gone", "in-use")];
    let second = [volume("vol-kept", "in-use"), volume("vol-new", "available")];
    let third = [volume("vol-kept", "in-use"), volume("vol-new", "available"), volume("vol-gone", "error")];
    for (at, list) in [&first[..], &second[..], &third[..]].into_iter().enumerate() {
        write(folder, &format!("volumes-{at}.json"), &json!({ "Volumes": list }));
    }
}

#[test]
fn look_ups_answer_as_of_the_events_time() {
    let folder = tempfile::tempdir().unwrap();
    volumes(folder.path());
    for at in ["09:00:00", "10:00:00", "10:59:59", "11:00:00", "11:30:00", "12:00:00", "23:00:00"] {
        write(folder.path(), &format!("event-{}.json", at.replace(':', "")), &event(at, "DescribeVolumes", &json!({})));
    }
    let packs = checked(
        "judges: cloudtrail\nwhen: { eventName: DescribeVolumes }\nuses: [ec2/volumes]",
        r#"fn state(id) { lookup("ec2/volumes", "VolumeId", id).State }
           fn matches(event) { succeeded(event) }
           fn context(event) { #{
               kept: state("vol-kept"), gone: state("vol-gone"), made: state("vol-new"),
               all: all("ec2/volumes").map(|v| v.VolumeId), some: all("ec2/volumes").len(),
               in_use: lookup_all("ec2/volumes", "State", "in-use").map(|v| v.VolumeId),
               ever: lookup_ever("ec2/volumes", "VolumeId", "vol-gone").map(|v| v.State),
               before: ["vol-kept", "vol-gone", "vol-new"].map(|id| first(lookup_before("ec2/volumes", "VolumeId", id)).State) } }"#,
    );
    let found = said(&packs, folder.path());
    let at = |hour: &str| {
        let (_, said) = found.iter().find(|(time, _)| time.contains(hour)).unwrap();
        assert_eq!(said["ever"], json!(["in-use", "error"]));
        assert_eq!(said["some"], json!(said["all"].as_array().unwrap().len()));
        json!([said["kept"], said["gone"], said["made"], said["all"], said["in_use"]])
    };
    // Before the first answer is what that tells; `vol-new` was not there when the first was given.
    let first = json!(["available", "in-use", null, ["vol-kept", "vol-gone"], ["vol-gone"]]);
    for hour in ["T09:00", "T10:00"] {
        assert_eq!(at(hour), first, "{hour}");
    }
    // Since then it may have been made, and nothing else is known of it.
    assert_eq!(
        at("T10:59"),
        json!(["available", "in-use", "available", ["vol-kept", "vol-gone", "vol-new"], ["vol-gone"]])
    );
    for hour in ["T11:00", "T11:30"] {
        assert_eq!(at(hour), json!(["in-use", null, "available", ["vol-kept", "vol-new"], ["vol-kept"]]), "{hour}");
    }
    for hour in ["T12:00", "T23:00"] {
        assert_eq!(
            at(hour),
            json!(["in-use", "error", "available", ["vol-kept", "vol-gone", "vol-new"], ["vol-kept"]])
        );
    }
    // What had been seen by then, and no more.
    let before: Vec<&Value> = found.iter().map(|(_, said)| &said["before"]).collect();
    let (first, second) = (json!(["available", "in-use", null]), json!(["in-use", null, "available"]));
    let last = json!(["in-use", "error", "available"]);
    assert_eq!(json!(before), json!([[null, null, null], first, first, second, second, last, last]), "{found:?}");
}

#[test]
fn look_ups_before_find_nothing_where_no_time_is_known() {
    for (volumes, events, found) in [
        // One answer that has a time, and is older.
        (json!("2024-05-14T08:00:00Z"), event("09:00:00", "DescribeVolumes", &json!({})), 1),
        // Of the very moment.
        (json!("2024-05-14T09:00:00Z"), event("09:00:00", "DescribeVolumes", &json!({})), 1),
        // Younger.
        (json!("2024-05-14T10:00:00Z"), event("09:00:00", "DescribeVolumes", &json!({})), 0),
        // Of no time.
        (Value::Null, event("09:00:00", "DescribeVolumes", &json!({})), 0),
        // Nobody knows when the event was.
        (
            json!("2024-05-14T08:00:00Z"),
            event("09:00:00", "DescribeVolumes", &json!({ "eventTime": null, "eventID": "timeless" })),
            0,
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let mut answer = json!({ "file": "volumes.json", "service": "ec2", "command": "describe-volumes",
            "account": "111122223333", "region": "us-east-1" });
        if let Some(time) = volumes.as_str() {
            answer["time"] = json!(time);
        }
        write(folder.path(), "inventory.json", &json!({ "lawbook": 1, "answers": [answer] }));
        write(folder.path(), "volumes.json", &json!({ "Volumes": [{ "VolumeId": "vol-1", "State": "in-use" }] }));
        write(folder.path(), "event.json", &events);
        let packs = checked(
            "judges: cloudtrail\nwhen: { eventName: DescribeVolumes }\nuses: [ec2/volumes]",
            r#"fn matches(event) { succeeded(event) }
               fn context(event) { #{
                   now: lookup_all("ec2/volumes", "VolumeId", "vol-1").len(),
                   before: lookup_before("ec2/volumes", "VolumeId", "vol-1").len() } }"#,
        );
        let said = said(&packs, folder.path());
        assert_eq!(said.len(), 1, "{events}");
        assert_eq!(said[0].1, json!({ "now": 1, "before": found }), "{volumes} {events}");
    }
    // A resource that is judged is judged by what is.
    let folder = tempfile::tempdir().unwrap();
    volumes(folder.path());
    let packs = checked(
        "judges: ec2/volumes\nuses: [ec2/volumes]",
        r#"fn matches(volume) { volume.State != () }
           fn context(volume) { #{ like: lookup_before("ec2/volumes", "State", volume.State).len() } }"#,
    );
    let said = said(&packs, folder.path());
    assert_eq!(said.len(), 3);
    assert!(said.iter().all(|(_, said)| *said == json!({ "like": 1 })), "{said:?}");
}

#[test]
fn what_is_judged_is_the_newest_and_what_is_gone_is_not() {
    let folder = tempfile::tempdir().unwrap();
    volumes(folder.path());
    let packs = checked(
        "judges: ec2/volumes\nuses: [ec2/volumes]",
        r#"fn matches(volume) { true }
           fn context(volume) { #{ state: volume.State, looked_up: lookup("ec2/volumes", "VolumeId", volume.VolumeId).State } }"#,
    );
    let state = |state: &str| json!({ "state": state, "looked_up": state });
    let of = |found: Vec<(String, Value)>| found.into_iter().collect::<BTreeMap<_, _>>();
    let (kept, new) = (("vol-kept".to_owned(), state("in-use")), ("vol-new".to_owned(), state("available")));
    let all = of(said(&packs, folder.path()));
    assert_eq!(all, BTreeMap::from([kept.clone(), new.clone(), ("vol-gone".to_owned(), state("error"))]));
    std::fs::remove_file(folder.path().join("volumes-2.json")).unwrap();
    let manifest = std::fs::read_to_string(folder.path().join("inventory.json")).unwrap();
    let mut manifest: Value = serde_json::from_str(&manifest).unwrap();
    manifest["answers"].as_array_mut().unwrap().pop();
    write(folder.path(), "inventory.json", &manifest);
    assert_eq!(of(said(&packs, folder.path())), BTreeMap::from([kept.clone(), new.clone()]));
    // One that is a part proves nothing to be gone.
    manifest["answers"][1]["status"] = "partial".into();
    write(folder.path(), "inventory.json", &manifest);
    assert_eq!(of(said(&packs, folder.path())), BTreeMap::from([kept, new, ("vol-gone".to_owned(), state("in-use"))]));
}

/// The ids of volumes that are judged, of files below a folder; and what could not be read.
fn judged(files: &[(&str, Value)]) -> (Vec<String>, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let file = folder.path().join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, content.to_string()).unwrap();
    }
    let packs = checked("judges: ec2/volumes", "fn matches(volume) { volume.VolumeId != () }");
    let outcome = scan(&packs, &Request::new([folder.path()]), &()).unwrap();
    let mut ids: Vec<String> =
        outcome.findings.iter().filter_map(|finding| finding.unwrap().record.id.map(|id| id.to_string())).collect();
    ids.sort();
    (ids, outcome.faults.iter().map(|fault| fault.reason.clone()).collect())
}

/// What boto3 returns at a second of a day.
fn answer(ids: &[&str], day: u8, second: u8, token: Option<&str>) -> Value {
    let volumes: Vec<Value> =
        ids.iter().map(|id| json!({ "VolumeId": id, "State": "in-use", "Size": 1, "Encrypted": false })).collect();
    let date = format!("{} May 2024 09:05:{second:02} GMT", 13 + day);
    let mut answer = json!({ "Volumes": volumes,
        "ResponseMetadata": { "HTTPStatusCode": 200, "HTTPHeaders": { "date": date } } });
    if let Some(token) = token {
        answer["NextToken"] = token.into();
    }
    answer
}

const VOLUMES: &str = "111122223333/us-east-1/ec2/describe-volumes";

/// Pages of one answer come one after the other, and none ends what another has.
#[test]
fn pages_that_are_dated_are_one_answer() {
    let pages = json!([answer(&["vol-1"], 1, 0, Some("x")), answer(&["vol-2"], 1, 1, None)]);
    let file = format!("{VOLUMES}.json");
    assert_eq!(judged(&[(&file, pages.clone())]), (vec!["vol-1".into(), "vol-2".into()], vec![]));
    // Together they end what was there before, and the next answer ends them.
    let later = format!("d2/{file}");
    let before = format!("d0/{file}");
    let series = [
        (&*before, answer(&["vol-0"], 0, 0, None)),
        (&*file, pages),
        (&*later, answer(&["vol-2", "vol-3"], 2, 0, None)),
    ];
    assert_eq!(judged(&series[..2]), (vec!["vol-1".into(), "vol-2".into()], vec![]));
    assert_eq!(judged(&series), (vec!["vol-2".into(), "vol-3".into()], vec![]));
    // Two whole answers in one file are two.
    let days = json!([answer(&["vol-1"], 1, 0, None), answer(&["vol-2"], 2, 0, None)]);
    assert_eq!(judged(&[(&file, days)]), (vec!["vol-2".into()], vec![]));
}

/// Whose it is nobody knows: two regions, or two accounts, may be asked one after the other.
#[test]
fn an_answer_of_nobody_ends_nothing() {
    let files = [("one.json", answer(&["vol-1"], 1, 0, None)), ("two.json", answer(&["vol-2"], 1, 1, None))];
    assert_eq!(judged(&files), (vec!["vol-1".into(), "vol-2".into()], vec![]));
}

#[test]
fn what_only_a_part_told_is_ended_by_a_whole_answer() {
    let part = |name: &str| format!("{VOLUMES}/{name}.json");
    let pages = [
        (&*part("1"), answer(&["vol-1"], 1, 0, Some("x"))),
        (&*part("2"), answer(&["vol-2"], 1, 9, None)),
        (&*part("3"), answer(&["vol-2"], 8, 0, None)),
    ];
    assert_eq!(judged(&pages[..2]), (vec!["vol-1".into(), "vol-2".into()], vec![]));
    assert_eq!(judged(&pages), (vec!["vol-2".into()], vec![]));
}

/// An error that was kept in the place of an answer is no answer, and what is left out of a record is told.
#[test]
fn what_failed_or_is_not_recorded_is_told() {
    let file = format!("{VOLUMES}.json");
    let refused = json!({ "ResponseMetadata": { "HTTPStatusCode": 403 } });
    let named = json!({ "Error": { "Code": "UnauthorizedOperation", "Message": "no" }, "ResponseMetadata": {} });
    for (content, told) in [(refused, "HTTP status 403"), (named, "`UnauthorizedOperation`")] {
        let (ids, faults) = judged(&[(&file, content)]);
        assert_eq!((ids.len(), faults.len()), (0, 1), "{faults:?}");
        assert!(faults[0].starts_with(&format!("the call failed with {told}, so nothing was collected")), "{faults:?}");
    }
    let mut mixed = answer(&["vol-1"], 1, 0, None);
    mixed["Addresses"] = json!([{ "PublicIp": "192.0.2.1", "AllocationId": "eipalloc-1", "Domain": "vpc" }]);
    let (ids, faults) = judged(&[(&file, mixed)]);
    assert_eq!((ids.len(), faults.len()), (0, 1), "{faults:?}");

    let item = |time: &str, status: &str, configuration: Value| {
        json!({ "resourceType": "AWS::EC2::Volume", "resourceId": "vol-1", "awsAccountId": "111122223333",
                "awsRegion": "us-east-1", "configurationItemCaptureTime": format!("2024-05-14T{time}:00Z"),
                "configurationItemStatus": status, "configuration": configuration })
    };
    let known = item("09:00", "OK", json!({ "volumeId": "vol-1", "encrypted": false }));
    for nothing in [Value::Null, json!(""), json!("null")] {
        let items = json!({ "configurationItems": [known, item("10:00", "ResourceNotRecorded", nothing)] });
        let (ids, faults) = judged(&[("config.json", items)]);
        assert_eq!(ids, ["vol-1"]);
        assert!(faults.len() == 1 && faults[0].contains("no longer records it"), "{faults:?}");
    }
}

#[test]
fn a_history_of_aws_config_is_a_series() {
    let folder = tempfile::tempdir().unwrap();
    let item = |at: &str, status: &str, size: u8| {
        json!({ "resourceType": "AWS::EC2::Volume", "resourceId": "vol-1", "awsAccountId": "111122223333",
                "awsRegion": "us-east-1", "configurationItemStatus": status,
                "configurationItemCaptureTime": format!("2024-05-14T{at}:00.000Z"),
                "configuration": if size == 0 { Value::Null } else { json!({ "volumeId": "vol-1", "size": size }) } })
    };
    let items = [item("12:00", "ResourceDeleted", 0), item("11:00", "OK", 2), item("10:00", "ResourceDiscovered", 1)];
    write(folder.path(), "history.json", &json!({ "configurationItems": items }));
    for at in ["09:00:00", "10:30:00", "11:30:00", "12:30:00"] {
        write(folder.path(), &format!("{}.json", at.replace(':', "")), &event(at, "DescribeVolumes", &json!({})));
    }
    let packs = checked(
        "judges: cloudtrail\nuses: [ec2/volumes]",
        r#"fn matches(event) { succeeded(event) }
           fn context(event) { #{ there: lookup_all("ec2/volumes", "VolumeId", "vol-1").len(),
                                  large: lookup_all("ec2/volumes", "Size", 2).len() } }"#,
    );
    let found: Vec<(i64, i64)> = said(&packs, folder.path())
        .into_iter()
        .map(|(_, said)| (said["there"].as_i64().unwrap(), said["large"].as_i64().unwrap()))
        .collect();
    assert_eq!(found, [(1, 0), (1, 0), (1, 1), (0, 0)]);
    let judged = checked("judges: ec2/volumes", "fn matches(volume) { true }");
    assert_eq!(said(&judged, folder.path()), []);
}

#[test]
fn an_address_is_whose_it_was_then() {
    let associated = |at: &str, id: &str, instance: &str| {
        event(
            at,
            "AssociateAddress",
            &json!({
            "requestParameters": { "allocationId": "eipalloc-1", "instanceId": instance },
            "responseElements": { "associationId": id } }),
        )
    };
    let gateway = event(
        "10:30:00",
        "CreateNatGateway",
        &json!({
        "requestParameters": { "CreateNatGatewayRequest": { "AllocationId": "eipalloc-1", "SubnetId": "subnet-1" } },
        "responseElements": { "CreateNatGatewayResponse": { "natGateway": {
            "natGatewayId": "nat-1", "subnetId": "subnet-1",
            "natGatewayAddressSet": { "item": { "allocationId": "eipalloc-1" } } } } } }),
    );
    let mut events = vec![
        associated("09:00:00", "eipassoc-1", "i-1"),
        associated("10:00:00", "eipassoc-2", "i-2"),
        event("10:10:00", "DisassociateAddress", &json!({ "requestParameters": { "associationId": "eipassoc-2" } })),
        gateway,
        event(
            "10:40:00",
            "DeleteNatGateway",
            &json!({ "requestParameters": { "DeleteNatGatewayRequest": { "NatGatewayId": "nat-1" } } }),
        ),
    ];
    let asks = ["08:00:00", "09:00:00", "09:59:59", "10:00:00", "10:10:00", "10:20:00", "10:35:00", "10:50:00"];
    events.extend(asks.iter().map(|at| event(at, "DescribeAddresses", &json!({}))));
    let packs = checked(
        "judges: cloudtrail\nwhen: { eventName: DescribeAddresses }\nuses: [cloudtrail/address-associations]",
        r#"fn matches(event) { succeeded(event) }
           fn context(event) {
               let held = lookup("cloudtrail/address-associations", "AllocationId", "eipalloc-1");
               #{ by: held.InstanceId ?? held.NatGatewayId,
                  named: lookup("cloudtrail/address-associations", "AssociationId", "eipassoc-1").InstanceId,
                  of_first: lookup_all("cloudtrail/address-associations", "InstanceId", "i-1").len(),
                  before: lookup_before("cloudtrail/address-associations", "AssociationId", "eipassoc-2").len(),
                  ever: lookup_ever("cloudtrail/address-associations", "AllocationId", "eipalloc-1").len() } }"#,
    );
    for turn in 0..events.len() {
        let folder = tempfile::tempdir().unwrap();
        events.rotate_left(turn);
        for (at, event) in events.iter().enumerate() {
            write(folder.path(), &format!("{at:02}.json"), event);
        }
        let mut found = said(&packs, folder.path());
        found.sort_by(|one, other| one.0.cmp(&other.0));
        let by: Vec<&Value> = found.iter().map(|(_, said)| &said["by"]).collect();
        // The call that takes an address away still speaks of who had it.
        assert_eq!(json!(by), json!(["i-1", "i-1", "i-1", "i-2", "i-2", null, "nat-1", null]));
        assert!(found.iter().all(|(_, said)| said["named"] == "i-1" && said["ever"] == 3), "{found:?}");
        let of_first: Vec<&Value> = found.iter().map(|(_, said)| &said["of_first"]).collect();
        assert_eq!(json!(of_first), json!([1, 1, 1, 0, 0, 0, 0, 0]));
        // By its own name it is found whenever it was, but not before anybody told of it.
        let before: Vec<&Value> = found.iter().map(|(_, said)| &said["before"]).collect();
        assert_eq!(json!(before), json!([0, 0, 0, 1, 1, 1, 1, 1]));
    }
}

#[test]
fn calls_tell_of_instances_interfaces_and_gateways() {
    let folder = tempfile::tempdir().unwrap();
    let run = event(
        "10:00:00",
        "RunInstances",
        &json!({ "responseElements": { "instancesSet": { "items": [{
        "instanceId": "i-1", "imageId": "ami-1", "subnetId": "subnet-1", "privateIpAddress": "10.0.0.5", "keyName": "k",
        "iamInstanceProfile": { "arn": "arn:aws:iam::111122223333:instance-profile/p" },
        "networkInterfaceSet": { "items": [{ "networkInterfaceId": "eni-1", "subnetId": "subnet-1", "privateIpAddress": "10.0.0.5" }] } }] } } }),
    );
    let made = event(
        "10:00:00",
        "CreateNetworkInterface",
        &json!({ "responseElements": { "networkInterface": {
        "networkInterfaceId": "eni-2", "subnetId": "subnet-2", "privateIpAddress": "10.0.0.6", "interfaceType": "interface" } } }),
    );
    // An interface that was there before is another's from then on.
    let given = event(
        "09:00:00",
        "CreateNetworkInterface",
        &json!({ "responseElements": { "networkInterface": {
        "networkInterfaceId": "eni-1", "subnetId": "subnet-1", "privateIpAddress": "10.0.0.5" } } }),
    );
    for (at, event) in [run, made, event("11:00:00", "DescribeInstances", &json!({})), given].iter().enumerate() {
        write(folder.path(), &format!("{at}.json"), event);
    }
    let packs = checked(
        "judges: cloudtrail\nwhen: { eventName: DescribeInstances }\nuses: [cloudtrail/instances, cloudtrail/network-interfaces]",
        r#"fn matches(event) { succeeded(event) }
           fn context(event) {
               let i = lookup("cloudtrail/instances", "PrivateIpAddress", "10.0.0.5");
               #{ image: i.ImageId, profile: i.IamInstanceProfileArn, key: i.KeyName,
                  seen: lookup_ever("cloudtrail/network-interfaces", "NetworkInterfaceId", "eni-1").len(),
                  one: lookup("cloudtrail/network-interfaces", "NetworkInterfaceId", "eni-1").InstanceId,
                  interface: lookup("cloudtrail/network-interfaces", "InstanceId", i.InstanceId).NetworkInterfaceId,
                  other: lookup("cloudtrail/network-interfaces", "SubnetId", "subnet-2").PrivateIpAddress } }"#,
    );
    let found = said(&packs, folder.path());
    assert_eq!(
        found[0].1,
        json!({ "image": "ami-1", "profile": "arn:aws:iam::111122223333:instance-profile/p", "key": "k",
                "seen": 2, "one": "i-1", "interface": "eni-1", "other": "10.0.0.6" })
    );
}

/// What is known of a resource: when it was seen how, and when there were whole answers.
type Seen = (BTreeMap<u8, u8>, BTreeSet<u8>);

/// How a resource was at a time, told by searching.
fn searched((seen, wholes): &Seen, at: Option<u8>) -> Option<u8> {
    let last = seen.range(..=at.unwrap_or(u8::MAX)).next_back();
    let missed = |since: u8| wholes.iter().any(|whole| *whole > since && *whole <= at.unwrap_or(u8::MAX));
    match (last, at) {
        (Some((time, how)), _) => (!wholes.contains(time) || !missed(*time)).then_some(*how),
        (None, Some(at)) => {
            let (first, how) = seen.iter().next()?;
            wholes.range(..first).next_back().is_none_or(|whole| at > *whole).then_some(*how)
        }
        (None, None) => None,
    }
}

fn second(at: u8) -> Timestamp {
    Timestamp::from_second(i64::from(at)).unwrap()
}

fn built(sightings: &[(u8, u8, u8)], wholes: &BTreeSet<u8>) -> Inventory {
    let scope = Scope { account: Some("111122223333".into()), region: Some("us-east-1".into()) };
    let mut builder = Builder::default();
    let kind: Arc<str> = "ec2/volumes".into();
    for (id, at, how) in sightings {
        builder.add(Record {
            kind: Arc::clone(&kind),
            id: Some(id.to_string().into()),
            time: Some(second(*at)),
            scope: scope.clone(),
            value: Document::from(&json!({ "VolumeId": id.to_string(), "State": how.to_string() })).into(),
            origin: Origin::default(),
        });
    }
    wholes.iter().for_each(|at| builder.note_whole(&kind, &scope, second(*at)));
    builder.finish().0
}

proptest! {
    #[test]
    fn any_series_tells_what_a_search_tells(
        seen in prop::collection::btree_map((0_u8..4, 0_u8..12), 0_u8..3, 0..24),
        wholes in prop::collection::btree_set(0_u8..12, 0..5),
        turn in any::<prop::sample::Index>(),
    ) {
        let mut sightings: Vec<(u8, u8, u8)> = seen.iter().map(|((id, at), how)| (*id, *at, *how)).collect();
        let middle = if sightings.is_empty() { 0 } else { turn.index(sightings.len()) };
        sightings.rotate_left(middle);
        let inventory = built(&sightings, &wholes);
        // Made anew of what it was made of before, it is the same.
        let reopened = {
            let mut builder = inventory.reopen();
            wholes.iter().for_each(|at| builder.note_whole(&"ec2/volumes".into(), &Scope {
                account: Some("111122223333".into()), region: Some("us-east-1".into()) }, second(*at)));
            builder.finish().0
        };
        let scope = Scope::default();
        for inventory in [&inventory, &reopened] {
            let (by_id, by_state) = (inventory.finder("ec2/volumes", "VolumeId"), inventory.finder("ec2/volumes", "State"));
            for at in (0..14).map(Some).chain([None]) {
                let when = at.map_or(When::Now, |at| When::At(second(at)));
                let (mut want, mut before) = (BTreeMap::<String, String>::new(), BTreeMap::<String, String>::new());
                for id in 0..4_u8 {
                    let of: BTreeMap<u8, u8> =
                        seen.iter().filter(|((of, _), _)| *of == id).map(|((_, at), how)| (*at, *how)).collect();
                    let known = (of, wholes.clone());
                    if let Some(how) = searched(&known, at) {
                        want.insert(id.to_string(), how.to_string());
                        if at.is_some_and(|at| known.0.range(..=at).next().is_some()) {
                            before.insert(id.to_string(), how.to_string());
                        }
                    }
                }
                let pair = |record: &Record| {
                    let text = |key: &str| record.value.view().text(&[key]).unwrap().to_owned();
                    (text("VolumeId"), text("State"))
                };
                let mut found: BTreeMap<String, String> = BTreeMap::new();
                for id in 0..4_u8 {
                    let one = by_id.find(&id.to_string(), Some(&scope), when);
                    prop_assert!(one.len() < 2, "{id} at {at:?}");
                    found.extend(one.into_iter().map(pair));
                }
                prop_assert_eq!(&found, &want, "at {:?}", at);
                let states: BTreeMap<String, String> =
                    (0..3_u8).flat_map(|how| by_state.find(&how.to_string(), None, when)).map(pair).collect();
                prop_assert_eq!(&states, &want, "by state at {:?}", at);
                if let Some(at) = at {
                    let by_then = |how: u8| by_state.find(&how.to_string(), None, When::Before(second(at)));
                    let states: BTreeMap<String, String> = (0..3_u8).flat_map(by_then).map(pair).collect();
                    prop_assert_eq!(&states, &before, "before {}", at);
                }
                let view = inventory.view_when("ec2/volumes", &scope, when);
                let all: BTreeMap<String, String> = (0..view.len()).filter_map(|at| view.get(at)).map(pair).collect();
                prop_assert_eq!((&all, view.len()), (&want, want.len()), "all at {:?}", at);
                if at.is_none() {
                    prop_assert_eq!(inventory.records().count(), want.len());
                }
            }
        }
    }
}
