//! Inventory: what is read, what it is called, whose it is, and what was collected.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lawbook::fault::Fault;
use lawbook::input::inventory::{self, File, Manifests};
use lawbook::inventory::{Builder, Collected, Inventory};
use lawbook::record::{Document, Scope};
use lawbook::schema;
use proptest::strategy::Strategy;
use serde_json::Value;

const SHARED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data");
const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/inventory");

fn scope(account: &str, region: &str) -> Scope {
    let part = |part: &str| (!part.is_empty()).then(|| Arc::from(part));
    Scope { account: part(account), region: part(region) }
}

fn read_all(files: &[(&str, &str)], manifests: &Manifests, mut builder: Builder) -> (Inventory, Vec<Fault>) {
    let mut faults = Vec::new();
    for (path, text) in files {
        let name: Arc<str> = (*path).into();
        let path = (*path != "-").then(|| Path::new(path));
        let file = File { name: &name, path, text: text.as_bytes() };
        faults.extend(inventory::read(&file, &Scope::default(), manifests, &mut builder));
    }
    let (inventory, contradictions) = builder.finish();
    faults.extend(contradictions);
    (inventory, faults)
}

fn read(path: &str, text: &str) -> (Inventory, Vec<Fault>) {
    read_all(&[(path, text)], &Manifests::default(), Builder::default())
}

fn read_fixture(name: &str) -> (Inventory, Vec<Fault>) {
    let path = Path::new(FIXTURES).join(name);
    let text = std::fs::read_to_string(&path).unwrap();
    read(name, &text)
}

fn kinds(inventory: &Inventory) -> BTreeMap<String, usize> {
    let mut kinds = BTreeMap::new();
    for record in inventory.records() {
        *kinds.entry(record.kind.to_string()).or_default() += 1;
    }
    kinds
}

fn kinds_of(pairs: &[(&str, usize)]) -> BTreeMap<String, usize> {
    pairs.iter().map(|(kind, count)| ((*kind).to_owned(), *count)).collect()
}

/// The files below a folder of the survey, sorted; none, loudly, where it is absent.
fn survey(folder: &str) -> Vec<PathBuf> {
    let root = Path::new(SHARED).join(folder);
    if !root.exists() {
        crate::skipped(&format!("the recorded inventory {} is absent", root.display()));
        return Vec::new();
    }
    let files = walkdir::WalkDir::new(root).sort_by_file_name().into_iter();
    files
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| entry.into_path())
        .collect()
}

fn pages(text: &str) -> Vec<Value> {
    serde_json::Deserializer::from_str(text).into_iter().map_while(Result::ok).collect()
}

/// How many resources an answer holds, counted without the program's own table: the items of its lists where it is
/// made of lists, else one.
fn expected(command: &str, page: &Value) -> usize {
    let about = |key: &str| {
        let key = key.to_ascii_lowercase();
        key.ends_with("token") || key.ends_with("marker") || key.contains("truncated")
    };
    let Some(members) = page.as_object() else { return page.as_array().map_or(0, Vec::len) };
    let left: Vec<_> = members.iter().filter(|(key, _)| !about(key)).collect();
    match command {
        "describe-instances" => {
            left[0].1.as_array().unwrap().iter().map(|it| it["Instances"].as_array().unwrap().len()).sum()
        }
        _ if left.is_empty() => 0,
        "list-buckets" | "select-resource-config" | "list-log-sources" => {
            members.values().find_map(Value::as_array).map_or(0, Vec::len)
        }
        _ if left.iter().all(|(_, value)| value.is_array()) && !SINGLETONS.contains(&command) => {
            left.iter().map(|(_, value)| value.as_array().unwrap().len()).sum()
        }
        _ => 1,
    }
}

/// How many items of the lists in an answer are equal to one before them.
fn repeated(page: &Value) -> usize {
    let lists = page.as_object().into_iter().flat_map(|members| members.values()).filter_map(Value::as_array);
    lists.map(|list| list.len() - list.iter().map(Value::to_string).collect::<BTreeSet<_>>().len()).sum()
}

/// Commands whose answer is one thing, though some of their answers hold lists alone.
const SINGLETONS: [&str; 6] = [
    "get-bucket-notification-configuration",
    "get-bucket-lifecycle-configuration",
    "get-event-selectors",
    "describe-image-attribute",
    "describe-snapshot-attribute",
    "get-allowed-images-settings",
];

/// The recorded answers that are inventory.
fn answers() -> Vec<PathBuf> {
    let mut files = [survey("inventory/c7n"), survey("inventory/awscli-examples")].concat();
    let events = ["lookup-events", "get-log-events"];
    files.retain(|path| !path.iter().any(|part| events.iter().any(|command| part == *command)));
    files
}

fn service_and_command(path: &Path) -> (String, String) {
    let parts: Vec<&str> = path.strip_prefix(SHARED).unwrap().iter().filter_map(|part| part.to_str()).collect();
    (parts[2].to_owned(), parts[3].split('.').next().unwrap().to_owned())
}

/// Printed in the manual, but no answers of these commands: members misspelled or in the singular, requests instead of
/// answers, and `--query` projections to other names. Each has to be a fault.
const NOT_ANSWERS: [&str; 15] = [
    "describe-dhcp-options/example_2",
    "describe-instance-type-offerings/example_2",
    "describe-instance-types/example_2",
    "describe-instances/example_3",
    "describe-local-gateway-route-table-vpc-associations/example_1",
    "describe-security-group-references/example_1",
    "describe-security-groups/example_2",
    "describe-volumes/example_2",
    "describe-volumes-modifications/example_1",
    "get-groups-for-capacity-reservation/example_1",
    "get-instance-types-from-instance-requirements/example_1",
    "get-ipam-pool-cidrs/example_1",
    "get-spot-placement-scores/example_1",
    "list-snapshots-in-recycle-bin/example_1",
    // Not a read command.
    "monitor-instances/example_1",
];

#[test]
fn every_recorded_answer_is_read() {
    let mut wrong = Vec::new();
    let files = answers();
    let (mut documents, mut resources) = (0, 0);
    for path in &files {
        let text = std::fs::read_to_string(path).unwrap();
        let (service, command) = service_and_command(path);
        let (inventory, faults) = read(path.to_str().unwrap(), &text);
        let short = path.strip_prefix(SHARED).unwrap().display();
        documents += 1;
        resources += inventory.len();
        if NOT_ANSWERS.iter().any(|not| path.to_string_lossy().ends_with(&format!("awscli-examples/ec2/{not}.json"))) {
            if faults.len() != 1 || !inventory.is_empty() {
                wrong.push(format!("{short}: read as {:?}, is no answer", kinds(&inventory)));
            }
            continue;
        }
        if !faults.is_empty() {
            wrong.push(format!("{short}: {}", faults[0].reason));
        }
        if command == "get-resource-config-history" {
            continue;
        }
        let pages = pages(&text);
        let want: usize = pages.iter().map(|page| expected(&command, page)).sum();
        // Some recordings say the same twice.
        let equal: usize = pages.iter().map(repeated).sum();
        if inventory.len() != want && inventory.len() + equal != want {
            wrong.push(format!("{short}: {} resources, expected {want}: {:?}", inventory.len(), kinds(&inventory)));
        }
        if inventory.kinds().next().is_none() {
            wrong.push(format!("{short}: nothing collected"));
        }
        for kind in inventory.kinds().filter(|_| command != "select-resource-config") {
            if !kind.starts_with(&format!("{service}/")) {
                wrong.push(format!("{short}: kind {kind}"));
            }
        }
    }
    eprintln!("{documents} documents, {resources} resources");
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn content_alone_is_never_read_wrong_silently() {
    let files = answers();
    let (mut right, mut ambiguous, mut unknown, mut unclaimed, mut wrong) = (0, 0, Vec::new(), Vec::new(), Vec::new());
    for path in &files {
        let text = std::fs::read_to_string(path).unwrap();
        let (hinted, _) = read(path.to_str().unwrap(), &text);
        let (alone, faults) = read("-", &text);
        let short = path.strip_prefix(SHARED).unwrap().display().to_string();
        if faults.is_empty() && !alone.is_empty() && !inventory::looks_like(text.as_bytes(), None) {
            unclaimed.push(short.clone());
        }
        let names = |of: &Inventory| of.kinds().map(str::to_owned).collect::<Vec<_>>();
        if faults.iter().any(|fault| fault.reason.starts_with("no AWS command")) {
            unknown.push(short);
        } else if let Some(fault) = faults.first() {
            ambiguous += 1;
            if !names(&hinted)
                .iter()
                .any(|kind| fault.reason.contains(&format!("`{kind}`")) || fault.reason.contains(" more"))
            {
                wrong.push(format!("{short}: {} lacks {:?}", fault.reason, names(&hinted)));
            }
        } else if names(&alone).iter().all(|kind| names(&hinted).contains(kind)) && alone.len() <= hinted.len() {
            right += 1;
        } else {
            wrong.push(format!("{short}: read as {:?}, is {:?}", kinds(&alone), kinds(&hinted)));
        }
    }
    eprintln!(
        "of {}: {right} right, {ambiguous} ambiguous, {} unknown, {} unclaimed",
        files.len(),
        unknown.len(),
        unclaimed.len()
    );
    assert!(unclaimed.is_empty(), "{unclaimed:?}");
    assert!(unknown.len() <= NOT_ANSWERS.len(), "{unknown:?}");
    assert!(right * 10 >= files.len() * 8, "{right} of {}", files.len());
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_form_of_the_same_volumes() {
    let rows: &[(&str, &[(&str, usize)])] = &[
        ("16-config-snapshot.json", &[("ec2/instances", 1), ("ec2/security-groups", 1)]),
        ("16b-config-rule-invocation-real.json", &[("ec2/instances", 1)]),
        ("16c-config-item-real.json", &[("config/aws-rds-db-cluster", 1)]),
        ("16d-config-snapshot-doc.json", &[("ec2/instances", 1), ("ec2/volumes", 1)]),
        ("16e-select-resource-config.json", &[("ec2/instances", 1), ("ec2/security-groups", 1)]),
        ("17-describe-volumes-cli-v2.json", &[("ec2/volumes", 3)]),
        ("17b-describe-volumes-bare-list.json", &[("ec2/volumes", 3)]),
        ("17c-describe-volumes-pages.json", &[("ec2/volumes", 3)]),
        ("17d-describe-volumes-cli-v1.json", &[("ec2/volumes", 3)]),
        ("17e-boto3-response.json", &[("ec2/volumes", 3)]),
        ("17f-describe-volumes.yaml", &[("ec2/volumes", 3)]),
    ];
    if survey("formats").is_empty() {
        return;
    }
    for (name, want) in rows {
        let path = Path::new(SHARED).join("formats").join(name);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(inventory::looks_like(text.as_bytes(), Some(&path)), "{name}");
        let (inventory, faults) = read(name, &text);
        assert!(faults.is_empty(), "{name}: {faults:?}");
        assert_eq!(kinds(&inventory), kinds_of(want), "{name}");
        if name.starts_with("17") {
            assert_eq!(inventory.collected("ec2/volumes", &Scope::default()), Collected::Whole, "{name}");
            assert_eq!(inventory.lookup("ec2/volumes", "VolumeId", "vol-01d020e75fb456422", None).len(), 1, "{name}");
        } else {
            let kind = want[0].0;
            assert_eq!(inventory.collected(kind, &Scope::default()), Collected::Partial, "{name}");
        }
    }
}

#[test]
fn no_event_is_taken_for_inventory() {
    for path in survey("formats").iter().chain(&survey("events")) {
        let name = path.file_name().unwrap().to_str().unwrap();
        let bytes = std::fs::read(path).unwrap();
        let head = &bytes[..bytes.len().min(65536)];
        if name.starts_with("16") || name.starts_with("17") || name == "MANIFEST.tsv" {
            continue;
        }
        assert!(!inventory::looks_like(head, Some(path)), "{name}");
    }
}

#[test]
fn config_items_are_read() {
    for path in survey("inventory/c7n-config-items") {
        let text = std::fs::read_to_string(&path).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap();
        if name == "event-cloudsearch.json" {
            continue;
        }
        let (inventory, faults) = read(name, &text);
        let want = usize::from(name != "poll-evaluation.json");
        assert_eq!((inventory.len(), faults.len()), (want, 0), "{name} {faults:?}");
        for record in inventory.records() {
            assert!(schema::is_kind(&record.kind), "{name} {}", record.kind);
            assert!(
                record.id.is_some() && record.time.is_some() && record.scope.account.is_some(),
                "{name} {record:?}"
            );
        }
    }
}

#[test]
fn instances_keep_what_their_reservation_says() {
    let (inventory, faults) = read_fixture("instances.json");
    assert_eq!(faults, []);
    assert_eq!(kinds(&inventory), kinds_of(&[("ec2/instances", 3)]));
    let first = &inventory.all("ec2/instances")[0];
    assert_eq!(first.value.view().text(&["OwnerId"]), Some("111122223333"));
    assert_eq!(first.value.view().text(&["ReservationId"]), Some("r-0a"));
    assert_eq!(first.scope, scope("111122223333", "eu-west-1"));
    assert_eq!(first.id.as_deref(), Some("i-0a"));
    let lines: Vec<_> = inventory.records().map(|record| (record.origin.position, record.origin.line)).collect();
    assert_eq!(lines, [(1, Some(7)), (2, Some(12)), (3, Some(22))]);
}

#[test]
fn lookups_go_through_lists_and_quotes() {
    let (inventory, _) = read_fixture("instances.json");
    let ids = |key: &str, value: &str| -> Vec<String> {
        let found = inventory.lookup("ec2/instances", key, value, None);
        found.into_iter().filter_map(|record| record.id.as_deref().map(str::to_owned)).collect()
    };
    assert_eq!(ids("NetworkInterfaces.Groups.GroupId", "sg-1"), ["i-0a", "i-0c"]);
    assert_eq!(ids("Tags.Value", "web"), ["i-0a", "i-0b"]);
    assert_eq!(ids(r#"Odd."a.b".c"#, "7"), ["i-0c"]);
    assert_eq!(ids("EbsOptimized", "true"), ["i-0a"]);
    assert_eq!(ids("InstanceId", "i-none"), [""; 0]);
    assert_eq!(ids("Tags", "web"), [""; 0]);
    assert_eq!(inventory.lookup("ec2/none", "x", "y", None).len(), 0);
    assert_eq!(inventory.lookup("ec2/instances", "InstanceId", "i-0a", Some(&scope("111122223333", ""))).len(), 1);
    assert_eq!(inventory.lookup("ec2/instances", "InstanceId", "i-0a", Some(&scope("", "us-east-1"))).len(), 0);
    assert_eq!(inventory.all_in("ec2/instances", &scope("444455556666", "eu-west-1")).count(), 0);
}

#[test]
fn lookups_are_shared_by_threads() {
    let (inventory, _) = read_fixture("instances.json");
    let inventory = Arc::new(inventory);
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let inventory = Arc::clone(&inventory);
            std::thread::spawn(move || inventory.lookup("ec2/instances", "Tags.Value", "web", None).len())
        })
        .collect();
    assert!(threads.into_iter().all(|thread| thread.join().unwrap() == 2));
}

#[test]
fn the_path_says_whose_and_an_empty_answer_is_collected() {
    let (inventory, faults) = read("x/111122223333/eu-west-1/ec2/describe-addresses/1.json", r#"{"Addresses":[]}"#);
    assert_eq!(faults, []);
    assert!(inventory.is_empty());
    let collected = |kind: &str, account: &str, region: &str| inventory.collected(kind, &scope(account, region));
    assert_eq!(collected("ec2/addresses", "111122223333", "eu-west-1"), Collected::Whole);
    assert_eq!(collected("ec2/addresses", "", ""), Collected::Whole);
    assert_eq!(collected("ec2/addresses", "111122223333", "us-east-1"), Collected::No);
    assert_eq!(collected("ec2/addresses", "444455556666", "eu-west-1"), Collected::No);
    assert_eq!(collected("ec2/volumes", "111122223333", "eu-west-1"), Collected::No);

    // A query that names something else leaves nothing where the list was.
    let (inventory, faults) = read("111122223333/eu-west-1/ec2/describe-addresses.json", r#"{"Addresses":null}"#);
    assert_eq!((inventory.len(), faults), (0, vec![]));
    assert_eq!(inventory.collected("ec2/addresses", &scope("111122223333", "eu-west-1")), Collected::Partial);

    // So does one that takes a list away which every answer has, though it be empty; others have none for nothing.
    for (command, kind, collected) in [
        ("iam/list-users", "iam/users", Collected::Partial),
        ("ec2/describe-addresses", "ec2/addresses", Collected::Whole),
    ] {
        let (inventory, faults) = read(&format!("111122223333/eu-west-1/{command}.json"), "{}");
        let found = inventory.collected(kind, &scope("111122223333", "eu-west-1"));
        assert_eq!((found, faults), (collected, vec![]), "{command}");
    }

    let (inventory, _) =
        read("111122223333/eu-west-1/iam/list-users.json", r#"{"Users":[{"UserName":"u","UserId":"AIDA"}]}"#);
    assert_eq!(inventory.all("iam/users")[0].scope, scope("111122223333", ""));
    assert_eq!(inventory.collected("iam/users", &scope("111122223333", "us-east-1")), Collected::Whole);
}

/// A folder may be called as a service is. What a manifest says is meant.
#[test]
fn the_content_tells_where_a_path_names_no_command() {
    let volumes = r#"{"Volumes":[{"VolumeId":"vol-1","Size":1,"Encrypted":false,"State":"in-use"}]}"#;
    for path in [
        "logs/describe-volumes.json",
        "rds/describe-volumes/1.json",
        "111122223333/us-east-1/s3api/get-volumes.json",
        "ec2/describe-trails.json",
    ] {
        let (inventory, faults) = read(path, volumes);
        assert_eq!((kinds(&inventory), faults), (kinds_of(&[("ec2/volumes", 1)]), vec![]), "{path}");
    }
    // Of a service that nobody knows it is what the path says.
    let (inventory, faults) = read("eu-west-1/fsx/describe-volumes.json", r#"{"Volumes":[{"VolumeId":"fsvol-1"}]}"#);
    assert!(faults.is_empty() && kinds(&inventory) == kinds_of(&[("fsx/volumes", 1)]), "{faults:?}");
    let mut manifests = Manifests::default();
    let mut builder = Builder::default();
    let answers = serde_json::json!({ "lawbook": 1, "answers": [
        { "file": "v.json", "service": "logs", "command": "describe-volumes" },
        { "service": "ec2", "command": "describe-volume", "status": "refused" },
        { "service": "fsx", "command": "describe-volumes", "status": "refused" },
    ] });
    let told = manifests.read(Path::new("inventory.json"), answers.to_string().as_bytes(), &|_| true, &mut builder);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].reason.contains("`ec2 describe-volume`") && told[0].reason.contains("`ec2 describe-volumes`?"));
    let (_, faults) = read_all(&[("v.json", volumes)], &manifests, builder);
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(faults[0].reason.contains("`logs describe-volumes`") && faults[0].reason.contains("`ec2/volumes`"));
    // One that was cut off to nothing says nothing, and is told.
    assert!(inventory::is_manifest(Path::new("a/inventory.json"), b" \n"));
    let told = Manifests::default().read(Path::new("inventory.json"), b"", &|_| true, &mut Builder::default());
    assert!(told.len() == 1 && told[0].reason.contains("not JSON"), "{told:?}");
}

/// What an API answers in place of what was asked is no resource.
#[test]
fn errors_of_an_api_are_faults() {
    for text in [
        r#"{"message":"Internal server error"}"#,
        r#"{"Message":"User: a is not authorized to perform: cloudtrail:LookupEvents"}"#,
        r#"{"__type":"AccessDeniedException","Message":"no"}"#,
        r#"{"code":"Throttling","message":"Rate exceeded","requestId":"1"}"#,
    ] {
        let (inventory, faults) = read("one.json", text);
        assert!(kinds(&inventory).is_empty() && faults.len() == 1, "{text} {faults:?}");
        assert!(faults[0].reason.contains("failed with"), "{faults:?}");
    }
}

/// What a table makes of `false` is no flag, and policies would take it for none.
#[test]
fn flags_that_were_made_words_are_told() {
    let volumes =
        |flag: &str| format!(r#"{{"Volumes":[{{"VolumeId":"vol-1","Size":1,"State":"in-use","Encrypted":{flag}}}]}}"#);
    for flag in ["\"false\"", "\"True\"", "0"] {
        let (inventory, faults) = read("ec2/describe-volumes.json", &volumes(flag));
        assert_eq!((inventory.all("ec2/volumes").len(), faults.len()), (1, 1), "{flag}: {faults:?}");
        assert!(faults[0].reason.contains("`Encrypted` is a word or a number"), "{faults:?}");
    }
    for flag in ["false", "true", "null"] {
        let (_, faults) = read("ec2/describe-volumes.json", &volumes(flag));
        assert!(faults.is_empty(), "{flag}: {faults:?}");
    }
}

/// One file has one entry.
#[test]
fn a_file_that_a_manifest_lists_as_two_things_is_told() {
    let told = |second: Value| {
        let first = serde_json::json!({ "file": "v.json", "service": "ec2", "command": "describe-volumes" });
        let text = serde_json::json!({ "lawbook": 1, "answers": [first, second] }).to_string();
        Manifests::default().read(Path::new("inventory.json"), text.as_bytes(), &|_| true, &mut Builder::default())
    };
    let faults = told(serde_json::json!({ "file": "./v.json", "service": "ec2", "command": "describe-vpcs" }));
    assert!(faults.len() == 1 && faults[0].reason.contains("`v.json` is listed before"), "{faults:?}");
    let again = serde_json::json!({ "file": "v.json", "service": "ec2", "command": "describe-volumes" });
    assert!(told(again).is_empty());
}

/// An item of AWS Config without its configuration is no resource that has nothing.
#[test]
fn config_items_without_a_configuration_are_told() {
    let item = |configuration: Option<Value>, kind: &str| {
        let mut item = serde_json::json!({
            "resourceType": kind, "resourceId": "sg-1", "awsAccountId": "111122223333", "awsRegion": "us-east-1",
            "configurationItemCaptureTime": "2024-05-14T12:00:00Z", "configurationItemStatus": "OK" });
        if let Some(configuration) = configuration {
            item["configuration"] = configuration;
        }
        serde_json::json!({ "configurationItems": [item] }).to_string()
    };
    let group = "AWS::EC2::SecurityGroup";
    for configuration in [None, Some(Value::Null), Some("".into()), Some("{\"groupId\":\"sg".into())] {
        let (inventory, faults) = read("items.json", &item(configuration.clone(), group));
        assert_eq!((inventory.len(), faults.len()), (0, 1), "{configuration:?}: {faults:?}");
        assert!(faults[0].reason.contains("no configuration that can be read"), "{faults:?}");
    }
    // Of one that was too large for its message it is said what to do.
    let summary = serde_json::json!({ "configurationItemSummary": {
        "resourceType": group, "resourceId": "sg-1", "awsAccountId": "111122223333", "awsRegion": "us-east-1",
        "configurationItemCaptureTime": "2024-05-14T12:00:00Z", "configurationItemStatus": "OK" } });
    let (_, faults) = read("items.json", &summary.to_string());
    assert!(faults.len() == 1 && faults[0].reason.contains("too large to be delivered"), "{faults:?}");
    for (configuration, kind) in [
        (Some(serde_json::json!({ "groupId": "sg-1" })), group),
        (Some("{\"groupId\":\"sg-1\"}".into()), group),
        (None, "AWS::Own::Thing"),
    ] {
        let (inventory, faults) = read("items.json", &item(configuration, kind));
        assert!(inventory.len() == 1 && faults.is_empty(), "{faults:?}");
    }
}

#[test]
fn one_page_of_several_is_partial() {
    let page = |id: &str, token: &str| format!(r#"{{"Volumes":[{{"VolumeId":"{id}","Attachments":[]}}]{token}}}"#);
    let more = r#","NextToken":"t""#;
    let of = |text: String| read("a.json", &text).0.collected("ec2/volumes", &Scope::default());
    assert_eq!(of(page("vol-1", more)), Collected::Partial);
    assert_eq!(of([page("vol-1", more), page("vol-2", "")].concat()), Collected::Whole);
    assert_eq!(of([page("vol-1", more), page("vol-2", more)].concat()), Collected::Partial);
    let view = r#"{"MetricAlarms":[{"AlarmName":"a","AlarmArn":"arn:aws:cloudwatch:eu-west-1:111122223333:alarm:a"}]}"#;
    let alarms = |path: &str| read(path, view).0.collected("cloudwatch/metric-alarms", &Scope::default());
    assert_eq!(alarms("cloudwatch/describe-alarms/a.json"), Collected::Whole);
    assert_eq!(alarms("cloudwatch/describe-alarms-for-metric/a.json"), Collected::Partial);
}

#[test]
fn what_is_ambiguous_names_the_candidates() {
    let (inventory, faults) = read("a.json", r#"{"Addresses":[{"PublicIp":"192.0.2.1","AllocationId":"eipalloc-1"}]}"#);
    assert!(inventory.is_empty());
    assert_eq!(faults.len(), 1);
    assert!(faults[0].reason.contains("`ec2/addresses`, `ec2/addresses-attribute`"), "{}", faults[0].reason);
    assert!(faults[0].reason.contains("inventory.json"));
    let path = "ec2/describe-addresses-attribute/a.json";
    let (inventory, faults) = read(path, r#"{"Addresses":[{"PublicIp":"192.0.2.1","AllocationId":"eipalloc-1"}]}"#);
    assert_eq!((kinds(&inventory), faults.len()), (kinds_of(&[("ec2/addresses-attribute", 1)]), 0));
    let (inventory, faults) = read("ec2/describe-addresses/a.json", r#"{"Volumes":[{"VolumeId":"vol-1"}]}"#);
    assert!(inventory.is_empty());
    assert!(faults[0].reason.contains("says `ec2 describe-addresses`") && faults[0].reason.contains("`ec2/volumes`"));
    assert_eq!(read("a.json", "{}").1, []);
    assert_eq!(read("a.json", r#"{"Surprise":[{"a":1}]}"#).1.len(), 1);
    assert_eq!(read("a.json", "{\"Volumes\":[\n{\"VolumeId\"").1[0].origin.line, Some(2));
}

#[test]
fn services_that_the_table_lacks_are_read_by_their_path() {
    let path = "eu-west-1/fsx/describe-file-systems/a.json";
    let (inventory, faults) = read(path, r#"{"FileSystems":[{"FileSystemId":"fs-1"}],"NextToken":null}"#);
    assert_eq!((kinds(&inventory), faults.len()), (kinds_of(&[("fsx/file-systems", 1)]), 0));
    assert_eq!(inventory.all("fsx/file-systems")[0].id.as_deref(), Some("fs-1"));
    let (inventory, _) = read("eu-west-1/fsx/get-thing/a.json", r#"{"A":1,"B":[]}"#);
    assert_eq!(inventory.all("fsx/thing").len(), 0);
}

#[test]
fn a_manifest_says_what_and_whose() {
    let folder = Path::new(FIXTURES).join("manifest");
    let path = folder.join("inventory.json");
    let text = std::fs::read(&path).unwrap();
    assert!(inventory::is_manifest(&path, &text));
    let (mut manifests, mut builder) = (Manifests::default(), Builder::default());
    let faults = manifests.read(&path, &text, &|path| path.exists(), &mut builder);
    assert_eq!(faults.len(), 1);
    assert!(faults[0].reason.contains("missing.json"), "{}", faults[0].reason);
    assert_eq!(faults[0].origin.line, Some(9));
    let status = folder.join("status.json");
    let text = std::fs::read_to_string(&status).unwrap();
    let empty = folder.join("empty.json");
    let files = [(status.to_str().unwrap(), &*text), (empty.to_str().unwrap(), "[]")];
    let (inventory, faults) = read_all(&files, &manifests, builder);
    assert_eq!(faults, []);
    let found = inventory.lookup("cloudtrail/trail-status", "Arguments.Name", "main", None);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].scope, scope("111122223333", "eu-west-1"));
    assert_eq!(found[0].id.as_deref(), Some("main"));
    assert!(found[0].time.is_some());
    assert_eq!(inventory.collected("cloudtrail/trail-status", &Scope::default()), Collected::Partial);
    let of = |kind: &str| inventory.collected(kind, &scope("111122223333", "eu-west-1"));
    assert_eq!(of("ec2/flow-logs"), Collected::Refused);
    assert_eq!(of("ec2/snapshots"), Collected::Whole);
    assert_eq!(inventory.collected("ec2/snapshots", &scope("111122223333", "us-east-1")), Collected::No);
}

#[test]
fn a_manifest_that_is_not_valid_says_where() {
    let text = "{\"lawbook\": 1, \"answers\": [\n {\"service\": \"ec2\",\n  \"command\": \"describe-volumes\", \"file\": \"a\", \"status\": \"lost\"}\n]}";
    let (mut manifests, mut builder) = (Manifests::default(), Builder::default());
    let faults = manifests.read(Path::new("x/inventory.json"), text.as_bytes(), &|_| true, &mut builder);
    assert_eq!(faults.len(), 1);
    assert_eq!(faults[0].origin.line, Some(3));
    assert!(faults[0].reason.contains("lost"), "{}", faults[0].reason);
    assert!(!inventory::is_manifest(Path::new("x/inventory.json"), b"{\"Volumes\":[]}"));
}

#[test]
fn the_same_resource_twice() {
    let volume = |size: u32| format!(r#"{{"Volumes":[{{"VolumeId":"vol-1","Attachments":[],"Size":{size}}}]}}"#);
    let at = |size: u32, date: &str| {
        format!(
            r#"{{"Volumes":[{{"VolumeId":"vol-1","Attachments":[],"Size":{size}}}],"ResponseMetadata":{{"HTTPHeaders":{{"date":"{date}"}}}}}}"#
        )
    };
    let both = |one: String, other: String| {
        let files = [("a.json", &*one), ("b.json", &*other)];
        let (inventory, faults) = read_all(&files, &Manifests::default(), Builder::default());
        let volumes = inventory.all("ec2/volumes");
        assert_eq!(volumes.len(), 1);
        (volumes[0].value.view().get("Size").unwrap().as_i64().unwrap(), faults)
    };
    assert_eq!(both(volume(1), volume(1)), (1, vec![]));
    let (size, faults) = both(volume(1), volume(2));
    assert_eq!((size, faults.len()), (1, 1));
    assert!(faults[0].reason.contains("a.json") && &*faults[0].origin.file == "b.json");
    let (monday, tuesday) = ("Mon, 06 Jan 2025 10:00:00 GMT", "Tue, 07 Jan 2025 10:00:00 GMT");
    assert_eq!(both(at(1, monday), at(2, tuesday)), (2, vec![]));
    assert_eq!(both(at(2, tuesday), at(1, monday)), (2, vec![]));
    let elsewhere = [
        ("us-east-1/ec2/describe-volumes/a.json", &*volume(1)),
        ("eu-west-1/ec2/describe-volumes/a.json", &*volume(2)),
    ];
    let (inventory, faults) = read_all(&elsewhere, &Manifests::default(), Builder::default());
    assert_eq!((inventory.len(), faults.len()), (2, 0));
}

#[test]
fn yaml_keeps_lines() {
    let (inventory, faults) = read_fixture("volumes.yaml");
    assert_eq!(faults, []);
    let lines: Vec<_> = inventory.all("ec2/volumes").iter().map(|record| record.origin.line).collect();
    assert_eq!(lines, [Some(2), Some(6)]);
}

#[test]
fn a_list_of_pages_is_pages() {
    let yaml = "- Volumes:\n  - VolumeId: vol-1\n    Attachments: []\n  NextToken: t\n- Volumes:\n  - VolumeId: vol-2\n    Attachments: []\n";
    let json = r#"[{"Volumes":[{"VolumeId":"vol-1","Attachments":[]}]},
        {"Volumes":[{"VolumeId":"vol-2","Attachments":[]}]}]"#;
    for (path, text) in [("a.yaml", yaml), ("a.json", json), ("ec2/describe-volumes/a.json", json)] {
        let (inventory, faults) = read(path, text);
        assert_eq!(faults, []);
        assert!(inventory::looks_like(text.as_bytes(), Some(Path::new(path))));
        assert_eq!(kinds(&inventory), kinds_of(&[("ec2/volumes", 2)]));
        assert_eq!(inventory.collected("ec2/volumes", &Scope::default()), Collected::Whole);
        let line = inventory.all("ec2/volumes")[1].origin.line;
        assert_eq!(line, Some(if path == "a.yaml" { 6 } else { 2 }));
    }
}

#[test]
fn hostile_spelling_hides_no_resource() {
    let text = "{\"Volumes\":[{\"VolumeId\":\"vol-1\",\"VolumeId\":\"vol-2\",\"Attachments\":[],\"Tags\":[{\"Key\":\"\\ud800\",\"Value\":\"a\tb\"}]}]}";
    let (inventory, faults) = read("a.json", text);
    assert_eq!(faults, []);
    assert_eq!(inventory.all("ec2/volumes")[0].id.as_deref(), Some("vol-2"));
}

#[test]
fn config_items_travel_in_many_envelopes() {
    let (inventory, faults) = read_fixture("config-items.json");
    assert_eq!(
        kinds(&inventory),
        kinds_of(&[("ec2/security-groups", 1), ("ec2/volumes", 1), ("config/aws-rds-db-cluster", 1)])
    );
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(faults[0].reason.contains("`ec2/instances`"));
    let group = &inventory.all("ec2/security-groups")[0];
    let want = r#"{"GroupId":"sg-1","IpPermissions":[{"IpProtocol":"tcp","FromPort":22,"ToPort":22,
        "IpRanges":[{"CidrIp":"0.0.0.0/0"}],"PrefixListIds":[]}],"Tags":[{"Key":"Env","Value":"dev"}]}"#;
    assert_eq!(group.value.view(), Document::parse(want.as_bytes()).unwrap().root());
    assert_eq!(group.scope, scope("111122223333", "eu-west-1"));
}

#[test]
fn hostile_text_is_a_fault_at_most() {
    let texts = [
        "[[[[",
        r#"{"Volumes":{}}"#,
        r#"{"Volumes":[1,2]}"#,
        "[[1],[2]]",
        "null",
        "\"text\"",
        "",
        "\u{0}",
        "[null]",
        r#"{"Volumes":"#,
    ];
    for text in texts {
        let (inventory, faults) = read("ec2/describe-volumes/a.json", text);
        assert_eq!((inventory.len(), faults.len()), (0, 1), "{text}");
        assert_eq!(inventory.collected("ec2/volumes", &Scope::default()), Collected::No, "{text}");
        let _ = inventory::looks_like(text.as_bytes(), None);
    }
    for text in [r#"{"Reservations":[{"Instances":7}]}"#, r#"{"Reservations":[{"OwnerId":"1"}]}"#] {
        let (inventory, faults) = read("ec2/describe-instances/a.json", text);
        assert_eq!((inventory.len(), faults.len()), (0, 1), "{text}");
    }
    let (inventory, faults) = read("ec2/describe-instances/a.json", r#"[{"InstanceId":"i-1","Placement":{}}]"#);
    assert_eq!((inventory.len(), faults.len()), (1, 0));
    let deep = "[".repeat(60_000);
    assert!(!inventory::looks_like(deep.as_bytes(), None));
    assert_eq!(read("ec2/describe-volumes/a.json", &deep).1.len(), 1);
}

#[test]
fn events_among_inventory_are_told() {
    let addresses = r#"{"Addresses":[{"PublicIp":"192.0.2.1","AllocationId":"eipalloc-1","Domain":"vpc"}]}"#;
    for event in [
        r#"{"eventVersion":"1.08","eventSource":"ec2.amazonaws.com","eventName":"StopInstances"}"#,
        r#"{"message":"{\"eventVersion\":\"1.08\"}"}"#,
        r#"{"Records":[]}"#,
    ] {
        let (inventory, faults) = read("ec2/describe-addresses/a.json", &format!("{addresses}\n{event}"));
        assert_eq!(inventory.len(), 1);
        let reasons: Vec<&str> = faults.iter().map(|fault| &*fault.reason).collect();
        assert_eq!(
            reasons,
            ["events of CloudTrail among inventory (try: put them into files of their own)"],
            "{event}"
        );
        assert_eq!(faults[0].origin.line, Some(2));
    }
}

/// Space between what is printed.
fn gap() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec!["", "", " ", "\n", "\n\n        ", "\r\n\t"])
}

proptest::proptest! {
    #[test]
    fn every_shape_gives_the_same_resources_and_their_lines(
        gaps in proptest::collection::vec((gap(), gap(), gap()), 0..12),
        shape in 0..4,
        odd in proptest::option::of(0_usize..12),
    ) {
        // An item is what it is alone, wherever it stands: also beside one with a lone surrogate, which is read in
        // another way.
        let items: Vec<String> = gaps.iter().enumerate().map(|(at, (_, within, _))| {
            let tag = if odd == Some(at) { "\\ud800" } else { "v\\n" };
            format!(r#"{{{within}"PublicIp":"192.0.2.{at}",{within}"AllocationId":{within}"eipalloc-{at}","Tags":[{{"Key":"{tag}","Value":""}}]}}"#)
        }).collect();
        let (before, between, after) = match shape {
            0 => ("\n{ \"Addresses\":\n[", ",", "]\n}\n"),
            1 => ("[", ",", "]"),
            2 => ("", "\n", "\n"),
            _ => ("{\"Addresses\":[", "]}\n{\"Addresses\":[", "]}"),
        };
        let mut text = before.to_owned();
        let mut lines = Vec::new();
        for (at, (item, (left, _, right))) in items.iter().zip(&gaps).enumerate() {
            text.extend([if at > 0 { between } else { "" }, left]);
            lines.push(text.matches('\n').count() as u64 + 1);
            text.extend([item, *right]);
        }
        text.push_str(after);
        let (inventory, faults) = read("ec2/describe-addresses/a.json", &text);
        // Nothing printed at all is no answer.
        proptest::prop_assert_eq!(faults.len(), usize::from(text.trim().is_empty()), "{:?}", faults);
        let read_lines: Vec<u64> = inventory.records().filter_map(|record| record.origin.line).collect();
        proptest::prop_assert_eq!(read_lines, lines, "{}", text);
        for (at, (record, item)) in inventory.records().zip(&items).enumerate() {
            let alone = Document::parse(item.as_bytes()).unwrap();
            proptest::prop_assert_eq!(record.value.view(), alone.root());
            let id = format!("eipalloc-{at}");
            proptest::prop_assert_eq!((record.id.as_deref(), record.origin.position), (Some(&*id), at as u64 + 1));
            proptest::prop_assert_eq!(inventory.lookup("ec2/addresses", "AllocationId", &id, None).len(), 1);
        }
        proptest::prop_assert_eq!(inventory.len(), items.len());
    }

    #[test]
    fn any_text_is_read_without_panic(text in r#"[\[\]{}",:a0]{0,40}|.{0,60}"#, yaml: bool) {
        let path = if yaml { "ec2/describe-volumes/a.yaml" } else { "ec2/describe-volumes/a.json" };
        let _ = inventory::looks_like(text.as_bytes(), Some(Path::new(path)));
        let (inventory, faults) = read(path, &text);
        proptest::prop_assert!(inventory.is_empty() || faults.is_empty() || inventory.len() < 40);
    }

    #[test]
    fn any_damage_to_an_answer_is_told(at in 0usize..500, byte: u8) {
        let path = Path::new(FIXTURES).join("instances.json");
        let mut bytes = std::fs::read(path).unwrap();
        let at = at % bytes.len();
        bytes[at] = byte;
        let name: Arc<str> = "ec2/describe-instances/a.json".into();
        let file = File { name: &name, path: Some(Path::new(&*name)), text: &bytes };
        let mut builder = Builder::default();
        let faults = inventory::read(&file, &Scope::default(), &Manifests::default(), &mut builder);
        let (inventory, more) = builder.finish();
        proptest::prop_assert!(inventory.len() == 3 || !faults.is_empty() || !more.is_empty(), "{:?}", kinds(&inventory));
    }
}
