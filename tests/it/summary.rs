//! `lawbook summary`: what is counted, against a count that shares no code with it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use lawbook::engine::{Outcome, Request, scan};
use lawbook::policy::Checked;
use lawbook::tally::{By, Count, Section, Tally};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::cli::{Desk, event, gzip, log};

/// Calls, failures, first and last time.
type Counted = (u64, u64, Option<String>, Option<String>);

fn counted(row: &Value) -> Counted {
    let text = |name: &str| row[name].as_str().map(str::to_owned);
    assert_eq!(
        row["count"].as_u64().unwrap(),
        row["successes"].as_u64().unwrap() + row["failures"].as_u64().unwrap(),
        "{row}"
    );
    (row["count"].as_u64().unwrap(), row["failures"].as_u64().unwrap(), text("first"), text("last"))
}

/// The rows of a section of a report, by value and what belongs to it.
fn rows(report: &Value, by: &str) -> BTreeMap<String, Counted> {
    let sections = report["tally"]["sections"].as_array().unwrap();
    let section = sections.iter().find(|section| section["by"] == by).unwrap();
    let name = |row: &Value| {
        let parts = ["value", "type", "account", "source"].map(|part| row[part].as_str().unwrap_or("-"));
        parts.join(" ").trim_end_matches(" -").to_owned()
    };
    let rows = section["rows"].as_array().unwrap();
    let found: BTreeMap<_, _> = rows.iter().map(|row| (name(row), counted(row))).collect();
    assert_eq!(found.len(), rows.len(), "a value has two rows");
    found
}

fn row(calls: u64, failures: u64) -> (u64, u64) {
    (calls, failures)
}

fn numbers(report: &Value, by: &str) -> BTreeMap<String, (u64, u64)> {
    rows(report, by).into_iter().map(|(name, (calls, failures, ..))| (name, (calls, failures))).collect()
}

/// Every section adds up to what was counted, and what was read is what became of it.
fn adds_up(report: &Value) {
    let records = &report["records"];
    let of = |name: &str| records[name].as_u64().unwrap();
    assert_eq!(of("read"), of("counted") + of("filtered") + of("recognised") + of("faults"), "{records}");
    assert_eq!(report["tally"]["calls"]["count"], records["counted"]);
    for section in report["tally"]["sections"].as_array().unwrap() {
        let others = section.get("others").filter(|others| !others.is_null());
        let all = section["rows"].as_array().unwrap().iter().chain(others);
        for part in ["count", "successes", "failures"] {
            let sum: u64 = all.clone().map(|row| row[part].as_u64().unwrap()).sum();
            assert_eq!(sum, report["tally"]["calls"][part].as_u64().unwrap(), "{part} of {section}");
        }
    }
}

fn valid(schema: &str, value: &Value) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas").join(schema);
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> =
        validator.iter_errors(value).map(|error| format!("{error} at {}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

/// What the product's documents say that is counted, in a few lines that know nothing of it.
fn reference(events: &[Value], by: &str) -> BTreeMap<String, Counted> {
    let mut all: BTreeMap<String, Counted> = BTreeMap::new();
    for event in events {
        let text = |name: &str| event[name].as_str().filter(|text| !text.is_empty());
        let code = text("errorCode").map(|code| code.replacen("Client.", "", 1).replacen("Server.", "", 1));
        let name = text("eventName").unwrap();
        let answer = event["responseElements"][name].as_str().or_else(|| event["serviceEventDetails"][name].as_str());
        let error = code.or_else(|| answer.filter(|answer| *answer == "Failure").map(str::to_owned));
        let owned = |text: Option<&str>| text.unwrap_or("-").to_owned();
        let value = match by {
            "event" => format!("{name} - - {}", text("eventSource").unwrap()),
            "error" => owned(error.as_deref()),
            "source_ip" => owned(text("sourceIPAddress")),
            "user_agent" => owned(text("userAgent")),
            "region" => owned(text("awsRegion")),
            "account" => owned(text("recipientAccountId").or_else(|| event["userIdentity"]["accountId"].as_str())),
            "hour" => text("eventTime").map_or("-".to_owned(), |time| format!("{}:00:00Z", &time[..13])),
            other => panic!("{other}"),
        };
        let entry = all.entry(value).or_default();
        entry.0 += 1;
        entry.1 += u64::from(error.is_some());
        let time = text("eventTime").map(str::to_owned);
        entry.2 = [entry.2.take(), time.clone()].into_iter().flatten().min();
        entry.3 = entry.3.take().max(time);
    }
    all
}

#[test]
fn genuine_records_are_counted_as_by_hand() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data/events"));
    if !folder.is_dir() {
        return crate::skipped("genuine records are not here: what `summary` counts of them is not compared");
    }
    let desk = Desk::new();
    for file in ["invictus", "otrf", "made-gapfill"] {
        let path = folder.join(format!("{file}.ndjson"));
        let text = std::fs::read_to_string(&path).unwrap();
        let events: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let path = path.to_str().unwrap();
        let ran = desk.run(&["summary", path, "--format", "json", "--top", "100000"]).succeeds();
        let report = ran.json();
        adds_up(&report);
        assert_eq!(report["records"]["counted"], events.len());
        for by in ["event", "error", "source_ip", "user_agent", "region", "account", "hour"] {
            let (told, wanted) = (rows(&report, by), reference(&events, by));
            let trimmed = |all: BTreeMap<String, Counted>| -> BTreeMap<String, Counted> {
                all.into_iter().map(|(name, counted)| (name.trim_end_matches(" -").to_owned(), counted)).collect()
            };
            assert_eq!(trimmed(told), trimmed(wanted), "{file} by {by}");
        }
        // Fewer rows are the same rows.
        let few = desk.run(&["summary", path, "--format", "json", "--top", "3"]).succeeds().json();
        adds_up(&few);
        assert!(numbers(&few, "event").iter().all(|(name, of)| numbers(&report, "event")[name] == *of));
    }
}

/// An event of alice's, with these members in the place of its own.
fn call(id: u32, members: Value) -> Value {
    event(&id.to_string(), members)
}

fn sign_in(id: u32, name: &str, place: &str, answer: &str) -> Value {
    let mut event =
        call(id, json!({ "eventSource": "signin.amazonaws.com", "eventName": name, "eventType": "AwsConsoleSignIn" }));
    event[place] = json!({ name: answer });
    event
}

fn summary(events: &[Value]) -> Value {
    let desk = Desk::new();
    desk.write("log.json.gz", gzip(&log(events)));
    let report = desk.run(&["summary", "log.json.gz", "--format", "json", "--top", "99"]).succeeds().json();
    valid("summary.schema.json", &report);
    adds_up(&report);
    report
}

#[test]
fn what_failed_is_told_for_every_way_to_fail() {
    let report = summary(&[
        call(1, json!({})),
        call(2, json!({ "errorCode": "" })),
        call(3, json!({ "errorCode": null })),
        call(4, json!({ "errorCode": "Client.UnauthorizedOperation" })),
        call(5, json!({ "errorCode": "UnauthorizedOperation" })),
        call(6, json!({ "errorCode": "Server.InternalError" })),
        call(7, json!({ "errorCode": "Client.DryRunOperation" })),
        call(8, json!({ "errorCode": "\u{41}ccessDenied\u{e9}" })),
        sign_in(9, "ConsoleLogin", "responseElements", "Success"),
        sign_in(10, "ConsoleLogin", "responseElements", "Failure"),
        sign_in(11, "CheckMfa", "responseElements", "Failure"),
        sign_in(12, "SwitchRole", "responseElements", "Failure"),
        sign_in(13, "CredentialVerification", "serviceEventDetails", "Failure"),
        // The answer of another call is none of this one's.
        call(14, json!({ "responseElements": { "ConsoleLogin": "Failure" } })),
        call(15, json!({ "requestParameters": { "CreateKeyPair": "Failure" } })),
    ]);
    let wanted = [
        ("-", row(6, 0)),
        ("UnauthorizedOperation", row(2, 2)),
        ("InternalError", row(1, 1)),
        ("DryRunOperation", row(1, 1)),
        ("AccessDenied\u{e9}", row(1, 1)),
        ("Failure", row(4, 4)),
    ];
    assert_eq!(numbers(&report, "error"), wanted.map(|(name, of)| (name.to_owned(), of)).into());
    let events = numbers(&report, "event");
    assert_eq!(events["ConsoleLogin - - signin.amazonaws.com"], row(2, 1));
    assert_eq!(events["CreateKeyPair - - ec2.amazonaws.com"], row(10, 5));
    assert_eq!(report["tally"]["calls"]["failures"], 9);
}

#[test]
fn every_kind_of_principal_has_its_row() {
    let identities = [
        json!({ "type": "Root", "accountId": "111122223333", "arn": "arn:aws:iam::111122223333:root" }),
        json!({ "type": "AWSService", "invokedBy": "autoscaling.amazonaws.com" }),
        json!({ "type": "AWSAccount", "principalId": "", "accountId": "ANONYMOUS_PRINCIPAL" }),
        json!({ "type": "SAMLUser", "userName": "carol", "principalId": "x:carol" }),
        json!({ "type": "FederatedUser", "arn": "arn:aws:sts::111122223333:federated-user/bo", "accountId": "111122223333",
            "sessionContext": { "sessionIssuer": { "type": "IAMUser", "userName": "bob", "accountId": "111122223333",
                "arn": "arn:aws:iam::111122223333:user/bob" } } }),
        // A failed sign-in has no ARN, and is of the same user.
        json!({ "type": "IAMUser", "userName": "alice", "accountId": "111122223333", "accessKeyId": "" }),
        Value::Null,
        json!("odd"),
    ];
    let mut events: Vec<Value> =
        (1..).zip(identities).map(|(id, identity)| call(id, json!({ "userIdentity": identity }))).collect();
    events.push(call(99, json!({})));
    let report = summary(&events);
    let wanted = [
        ("root Root 111122223333", row(1, 0)),
        ("autoscaling.amazonaws.com AWSService", row(1, 0)),
        ("ANONYMOUS_PRINCIPAL AWSAccount ANONYMOUS_PRINCIPAL", row(1, 0)),
        ("carol SAMLUser", row(1, 0)),
        ("bob IAMUser 111122223333", row(1, 0)),
        ("alice IAMUser 111122223333", row(2, 0)),
        ("-", row(2, 0)),
    ];
    let told = numbers(&report, "principal");
    assert_eq!(told, wanted.map(|(name, of)| (name.to_owned(), of)).into());
    let callers = numbers(&report, "caller");
    assert_eq!(callers["bob FederatedUser 111122223333"], row(1, 0), "{callers:?}");
}

/// The identity of a session of a role.
fn session(role: &str, key: &str) -> Value {
    json!({ "type": "AssumedRole", "accountId": "111122223333", "accessKeyId": key,
        "arn": format!("arn:aws:sts::111122223333:assumed-role/{role}/s"),
        "sessionContext": { "sessionIssuer": { "type": "Role", "userName": role, "accountId": "111122223333",
            "arn": format!("arn:aws:iam::111122223333:role/{role}") } } })
}

/// The call that gives a session out.
fn assumed(id: u32, by: Option<Value>, role: &str, key: &str) -> Value {
    let mut event = call(
        id,
        json!({
            "eventSource": "sts.amazonaws.com", "eventName": "AssumeRole", "eventTime": "2024-05-14T11:00:00Z",
            "requestParameters": { "roleArn": format!("arn:aws:iam::111122223333:role/{role}"), "roleSessionName": "s" },
            "responseElements": { "credentials": { "accessKeyId": key },
                "assumedRoleUser": { "arn": format!("arn:aws:sts::111122223333:assumed-role/{role}/s") } },
        }),
    );
    if let Some(by) = by {
        event["userIdentity"] = by;
    }
    event
}

#[test]
fn sessions_are_counted_under_who_began_them() {
    let events = [
        // What a session does may be read before the call that gave it out.
        call(1, json!({ "userIdentity": session("ops", "ASIAONE") })),
        call(2, json!({ "userIdentity": session("ops", "ASIAONE"), "errorCode": "AccessDenied" })),
        call(3, json!({ "userIdentity": session("deep", "ASIATWO") })),
        call(4, json!({ "userIdentity": session("ops", "ASIAUNKNOWN") })),
        assumed(5, None, "ops", "ASIAONE"),
        assumed(6, Some(session("ops", "ASIAONE")), "deep", "ASIATWO"),
    ];
    let report = summary(&events);
    let wanted = [("alice IAMUser 111122223333", row(5, 1)), ("ops AssumedRole 111122223333", row(1, 0))];
    assert_eq!(numbers(&report, "principal"), wanted.map(|(name, of)| (name.to_owned(), of)).into());
    let wanted = [
        ("alice IAMUser 111122223333", row(1, 0)),
        ("ops AssumedRole 111122223333", row(4, 1)),
        ("deep AssumedRole 111122223333", row(1, 0)),
    ];
    assert_eq!(numbers(&report, "caller"), wanted.map(|(name, of)| (name.to_owned(), of)).into());
}

/// The tally of some files, by the library.
fn tally(paths: &[PathBuf], change: impl Fn(&mut Request)) -> (Tally, Outcome) {
    let mut request = Request::new(paths);
    request.now = "2024-05-15T00:00:00Z".parse().unwrap();
    request.tally = Some(3);
    request.allow_empty = true;
    request.logs_only = true;
    change(&mut request);
    let outcome = scan(&Checked::default(), &request, &()).unwrap();
    (outcome.tally.clone().unwrap(), outcome)
}

fn add_up(section: &Section) -> (u64, u64) {
    let counts = section.rows.iter().map(|row| row.count).chain(section.others.map(|others| others.count));
    counts.fold((0, 0), |(calls, failures), count: Count| (calls + count.calls, failures + count.failures))
}

/// An event whose fields are written in odd ways, as text.
fn odd_event() -> impl Strategy<Value = String> {
    let text = prop_oneof![
        Just("null".to_owned()),
        Just("7".to_owned()),
        Just(r#"["a"]"#.to_owned()),
        Just(r#""""#.to_owned()),
        Just(r#""a\u0062""#.to_owned()),
        Just(r#""say \"hi\" {""#.to_owned()),
        Just(r#""\ud800x""#.to_owned()),
        "[a-c]{1,2}".prop_map(|text| format!("\"{text}\"")),
    ];
    let answer = prop_oneof![
        3 => Just("null".to_owned()),
        1 => Just(r#"{"ConsoleLogin":"Failure"}"#.to_owned()),
        1 => Just(r#"{"ConsoleLogin" : "FAILURE"}"#.to_owned()),
        1 => Just(r#"{"Console\u004cogin":"Failure"}"#.to_owned()),
        1 => Just(r#"{"x":{"ConsoleLogin":"Failure"}}"#.to_owned()),
        1 => Just(r#""ConsoleLogin: Failure""#.to_owned()),
    ];
    let who = prop_oneof![
        Just("null".to_owned()),
        Just(r#""odd""#.to_owned()),
        Just(r#"{"type":"Root","accountId":"111122223333"}"#.to_owned()),
        Just(r#"{ "accountId" : "111122223333" , "type" : "Root" }"#.to_owned()),
        Just(r#"{"type":"IAMUser","userName":"}\"{","accessKeyId":"AKIA1"}"#.to_owned()),
        Just(r#"{"type":"IAMUser","userName":"}\"{x","accessKeyId":"AKIA1"}"#.to_owned()),
        (0..3_u32).prop_map(|key| session("ops", &format!("ASIA{key}")).to_string()),
    ];
    let time = prop_oneof![
        Just("null".to_owned()),
        (0..60_u32).prop_map(|at| format!("\"2024-05-14T{:02}:00:{at:02}Z\"", at % 24))
    ];
    let name = prop_oneof![Just("ConsoleLogin"), Just("Run"), Just("a/b")];
    let parts = ([text.clone(), text.clone(), text.clone(), text], answer, who, time, name, 0..8_u32);
    parts.prop_map(|([code, source_ip, user_agent, region], answer, who, time, name, kind)| match kind {
        0 => assumed(1, None, "ops", "ASIA1").to_string(),
        1 => r#"{"digestStartTime":"x","awsAccountId":"111122223333"}"#.to_owned(),
        _ => format!(
            r#"{{"eventVersion":"1.10","eventSource":"x.amazonaws.com","eventName":"{name}","eventTime":{time},"userIdentity":{who},"errorCode":{code},"sourceIPAddress":{source_ip},"userAgent":{user_agent},"awsRegion":{region},"responseElements":{answer},"serviceEventDetails":{answer}}}"#
        ),
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    /// From a few fields or from all of it, in any number of threads, in any memory, in any order of the files: the same; and it
    /// adds up to what was read.
    #[test]
    fn whatever_is_read_adds_up_however_it_is_read(
        files in proptest::collection::vec(proptest::collection::vec(odd_event(), 0..12), 1..4),
        broken in any::<bool>(),
        since in any::<bool>(),
        packed in any::<bool>(),
    ) {
        let desk = tempfile::tempdir().unwrap();
        let mut paths = Vec::new();
        let mut written = 0;
        for (at, events) in files.iter().enumerate() {
            let path = desk.path().join(format!("{at}.json"));
            let mut text = if packed { format!(r#"{{"Records":[{}]}}"#, events.join(",")) } else { events.join("\n") };
            written += events.len() as u64;
            if broken && !packed {
                text.push_str("\n{\"eventName\": }\n");
                written += 1;
            }
            std::fs::write(&path, if packed { gzip(&text) } else { text.into_bytes() }).unwrap();
            paths.push(path);
        }
        let filter = |request: &mut Request| {
            if since {
                request.settings.filter.since = Some("2024-05-14T12:00:00Z".parse().unwrap());
            }
        };
        let (told, outcome) = tally(&paths, filter);
        let records = &outcome.summary.records;
        let faults: u64 = outcome.faults.iter().map(|fault| fault.count).sum();
        prop_assert_eq!(records.events + records.filtered + records.recognised + faults, written);
        prop_assert_eq!(told.calls.calls, records.events);
        prop_assert_eq!(told.sections.len(), By::ALL.len());
        for section in &told.sections {
            prop_assert_eq!(add_up(section), (told.calls.calls, told.calls.failures), "{:?}", section.by);
        }
        let same = |change: &dyn Fn(&mut Request), paths: &[PathBuf]| {
            tally(paths, |request| { filter(request); change(request) }).0
        };
        prop_assert_eq!(&told, &same(&|request| request.no_index = true, &paths));
        prop_assert_eq!(&told, &same(&|request| request.threads = 1, &paths));
        prop_assert_eq!(&told, &same(&|request| (request.threads, request.memory) = (3, 0), &paths));
        let backwards: Vec<PathBuf> = paths.iter().rev().cloned().collect();
        prop_assert_eq!(&told, &same(&|_| {}, &backwards));
    }
}

#[test]
fn what_logs_say_does_not_steer_the_terminal_and_is_not_taken_for_ours() {
    let desk = Desk::new();
    let agent = format!("\u{1b}[31m\u{9b}\u{202e}{}", "x".repeat(5_000));
    let events = [
        call(1, json!({ "userAgent": agent, "eventName": "A\nB" })),
        call(2, json!({ "userAgent": "(none)", "sourceIPAddress": null })),
        call(3, json!({ "userAgent": format!("{agent}2") })),
    ];
    desk.write("log.json", log(&events));
    for format in ["text", "json"] {
        let ran = desk.run(&["summary", "log.json", "--format", format]).succeeds();
        assert!(!ran.out.contains(|letter: char| (letter.is_control() && letter != '\n') || letter == '\u{202e}'));
        assert!(ran.err.is_empty(), "{}", ran.err);
    }
    let text = desk.run(&["summary", "log.json"]).succeeds().out;
    assert!(text.contains("\"(none)\"\n") && text.contains("  (none)\n"), "{text}");
    let report = desk.run(&["summary", "log.json", "--format", "json"]).succeeds().json();
    // What is too long to be shown is cut, and still is not one.
    assert_eq!(rows(&report, "user_agent").len(), 3);
    adds_up(&report);
}

#[test]
fn the_same_bytes_for_any_number_of_threads_and_ties_are_in_the_order_of_values() {
    let desk = Desk::new();
    for file in 0..6_u32 {
        let events: Vec<Value> = (0..40)
            .map(|at| {
                call(
                    file * 100 + at,
                    json!({ "userAgent": format!("agent {}", (at + file) % 30), "sourceIPAddress": "198.51.100.9" }),
                )
            })
            .collect();
        desk.write(&format!("{file}.json.gz"), gzip(&log(&events)));
    }
    for format in ["text", "json"] {
        let run = |threads: &str| desk.run(&["summary", ".", "--format", format, "--threads", threads]).succeeds().out;
        let one = run("1");
        assert!(one == run("2") && one == run("7"), "{one}");
    }
    let report = desk.run(&["summary", ".", "--format", "json", "--top", "2"]).succeeds().json();
    let sections = report["tally"]["sections"].as_array().unwrap();
    let agents = sections.iter().find(|section| section["by"] == "user_agent").unwrap();
    let names: Vec<&str> =
        agents["rows"].as_array().unwrap().iter().map(|row| row["value"].as_str().unwrap()).collect();
    assert_eq!((names, &agents["others"]["values"]), (vec!["agent 5", "agent 6"], &json!(28)));
    assert_eq!(agents["values"], 30);
    adds_up(&report);
}

#[test]
fn what_is_no_call_is_told_apart_and_faults_are_in_the_exit_code() {
    let desk = Desk::new();
    desk.write("logs/a.json", log(&[call(1, json!({})), call(2, json!({ "recipientAccountId": "444455556666" }))]));
    desk.write("logs/volumes.json", r#"{"Volumes":[{"VolumeId":"vol-1","Encrypted":false}]}"#);
    let report = desk.run(&["summary", "logs", "--format", "json", "--account", "111122223333"]).succeeds().json();
    adds_up(&report);
    assert_eq!(report["records"], json!({ "read": 2, "counted": 1, "filtered": 1, "recognised": 0, "faults": 0 }));
    assert_eq!(report["files"], json!({ "read": 1, "skipped": 1 }));
    let told = desk.run(&["summary", "logs", "-v"]).succeeds().out;
    assert!(told.contains("volumes.json: inventory, and logs alone are read"), "{told}");

    desk.write("logs/b.json", "{\"eventVersion\":\n");
    let ran = desk.run(&["summary", "logs", "--format", "json"]).exits(2);
    valid("summary.schema.json", &ran.json());
    adds_up(&ran.json());
    assert!(ran.err.starts_with("fault: ") && ran.err.contains("exit 2: 1 fault"), "{}", ran.err);
    let text = desk.run(&["summary", "logs"]).exits(2).out;
    assert!(text.contains("Faults\n") && text.ends_with("Exit 2: 1 fault.\n"), "{text}");

    desk.write("none/volumes.json", r#"{"Volumes":[]}"#);
    let ran = desk.run(&["summary", "none"]).exits(2);
    assert!(
        ran.out.ends_with("Exit 2: nothing was counted (try: `--allow-empty` if that is expected).\n"),
        "{}",
        ran.out
    );
    desk.run(&["summary", "none", "--allow-empty"]).succeeds();
    let ran = desk.run(&["summary", "nowhere"]).exits(2);
    assert!(ran.out.is_empty() && ran.err.starts_with("error: nowhere"), "{}", ran.err);
    let ran = desk.run(&["summary", "logs", "--since", "2024-05-15", "--until", "2024-05-14"]).exits(2);
    assert!(ran.err.contains("`--since` is not before `--until`"), "{}", ran.err);
    let ran = desk.run(&["summary", "logs", "--output", "logs/a.json"]).exits(2);
    assert!(ran.err.contains("is read by this scan"), "{}", ran.err);
}

/// Who began a session is told as of its last call, in whatever spelling that is.
#[test]
fn a_caller_is_one_however_records_spell_it() {
    let desk = Desk::with_key_pair();
    let at = |id: u32, time: &str| {
        call(id, json!({ "eventName": "GetObject", "eventTime": time, "userIdentity": session("ops", "ASIA1") }))
            .to_string()
    };
    let mut begins = assumed(1, None, "ops", "ASIA1");
    begins["eventTime"] = json!("2024-05-14T12:00:01Z");
    let late = at(3, "2024-05-14T12:10:00Z").replace("\":\"", "\" : \"");
    desk.write("log.json", [begins.to_string(), at(2, "2024-05-14T12:00:00Z"), late].join("\n"));
    let args = ["scan", "log.json", "--policy", "key-pair-created.rhai", "--tally", "--format", "json"];
    let by_fields = desk.run(&args).succeeds().json()["tally"].clone();
    let parsed = desk.run(&[&args[..], &["--no-index"]].concat()).succeeds().json()["tally"].clone();
    assert_eq!(by_fields, parsed);
    let people = parsed["sections"].as_array().unwrap().iter().find(|section| section["by"] == "principal").unwrap();
    assert_eq!(people["rows"].as_array().unwrap().len(), 1, "{people}");
}

#[test]
fn a_scan_carries_the_same_tally() {
    let desk = Desk::with_key_pair();
    desk.write(
        "more.json.gz",
        gzip(&log(&[call(2, json!({ "eventName": "DescribeKeyPairs" })), assumed(3, None, "ops", "ASIA1")])),
    );
    let summary = desk.run(&["summary", "log.json", "more.json.gz", "--format", "json"]).succeeds().json();
    let args = ["scan", "log.json", "more.json.gz", "--policy", "key-pair-created.rhai"];
    let run = |more: &[&str]| desk.run(&[&args[..], more].concat()).exits(1);
    let report = run(&["--format", "json", "--tally"]).json();
    valid("report.schema.json", &report);
    assert_eq!(report["tally"], summary["tally"]);
    assert_eq!(run(&["--format", "json", "--tally", "--no-index"]).json()["tally"], summary["tally"]);
    assert_eq!(run(&["--format", "json", "--tally=1"]).json()["tally"]["top"], 1);
    // Nothing else changes.
    let mut plain = run(&["--format", "json", "--now", "2024-05-15"]).json();
    let tallied = run(&["--format", "json", "--now", "2024-05-15", "--tally"]).json();
    plain["tally"] = summary["tally"].clone();
    assert_eq!(plain, tallied);
    let lines = run(&["--format", "ndjson", "--tally"]).out;
    let line = lines.lines().find(|line| line.contains("\"type\":\"tally\"")).unwrap();
    let mut line: Value = serde_json::from_str(line).unwrap();
    valid("report-line.schema.json", &line);
    line.as_object_mut().unwrap().remove("type");
    assert_eq!(line, summary["tally"]);
    assert!(
        run(&["--tally"])
            .out
            .contains("3 calls from 2024-05-14T11:00:00Z to 2024-05-14T12:00:00Z: 3 succeeded, 0 failed.")
    );
}

#[test]
fn a_redacted_summary_has_the_same_numbers_and_no_name() {
    let desk = Desk::new();
    let odd = json!({
        "userAgent": "zqtool/1.2 zqlaptop", "recipientAccountId": "482915036271", "sourceIPAddress": "52.94.133.7",
        "userIdentity": { "type": "IAMUser", "userName": "zq-user", "accountId": "482915036271" },
    });
    desk.write("log.json", log(&[call(1, odd), call(2, json!({ "eventName": "a/zq", "errorCode": "zq-own code" }))]));
    desk.write("key", "a key of pseudonyms");
    let run = |more: &[&str]| desk.run(&[&["summary", "log.json"], more].concat()).succeeds();
    let redacted = ["--redact", "--redact-key", "key"];
    let plain = run(&["--format", "json"]).json();
    let report = run(&[&redacted[..], &["--format", "json"]].concat()).json();
    valid("summary.schema.json", &report);
    assert_eq!(report["redacted"], true);
    let counts = |report: &Value| -> Vec<Vec<Value>> {
        let sections = report["tally"]["sections"].as_array().unwrap();
        let rows =
            |section: &Value| section["rows"].as_array().unwrap().iter().map(|row| row["count"].clone()).collect();
        sections.iter().map(rows).collect()
    };
    assert_eq!(counts(&report), counts(&plain));
    let text = run(&redacted).out;
    for name in ["zq", "482915036271", "52.94.133.7"] {
        assert!(plain.to_string().contains(name), "otherwise nothing is shown by its absence: {name}");
        assert!(!report.to_string().contains(name) && !text.contains(name), "{name}: {text}");
    }
    assert!(text.contains("IAMUser") && text.contains("Redacted:"), "{text}");
}
