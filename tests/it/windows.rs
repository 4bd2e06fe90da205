//! Windows from end to end: the same findings whatever the order, the files, the threads and the memory; and what is
//! remembered from run to run.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use lawbook::engine::{Locked, Outcome, PolicyCounts, Request, scan};
use lawbook::policy::{Checked, Overrides, Pack};
use lawbook::script::Limits;
use proptest::prelude::*;
use serde_json::{Value, json};

/// A policy of every kind of window: name, window, functions.
const POLICIES: &[(&str, &str, &str)] = &[
    (
        "threshold",
        r#"{ by: userIdentity.arn, within: 10m, count: ">= 4" }"#,
        "fn matches(event) { event.eventName != \"Other\" }\nfn keep(event) { #{ name: event.eventName } }\n\
         fn title(hits) { `${hit_count(hits)}: ${join(hits.map(|hit| hit.kept.name), \" \")}` }\n\
         fn context(hits) { #{ who: hits[0].by, actor: hits[-1].actor.name, from: hits[0].time, to: hits[-1].time } }",
    ),
    (
        "confirmed",
        r#"{ by: [userIdentity.arn, awsRegion], within: 20m, count: 2, cooldown: 5m }"#,
        "fn matches(event) { event.eventName != \"Other\" }\n\
         fn confirm(hits) { hits.some(|hit| hit.name == \"DisassociateAddress\") }\n\
         fn severity(hits) { if hit_count(hits) > 3 { \"high\" } else { \"low\" } }",
    ),
    (
        "distinct",
        r#"{ by: awsRegion, within: 15m, distinct: { of: userIdentity.arn, count: ">= 3" } }"#,
        "fn matches(event) { true == true }",
    ),
    (
        "sequence",
        "{ by: address, within: 10m, sequence: [disassociated, associated] }",
        "fn matches(event) { event.eventName.ends_with(\"Address\") }\nfn address(event) { event.requestParameters.publicIp }\n\
         fn disassociated(event) { event.eventName == \"DisassociateAddress\" }\n\
         fn associated(event) { event.eventName == \"AssociateAddress\" }\nfn resources(hits) { [hits[0].by] }",
    ),
    (
        "unordered",
        "{ by: requestParameters.publicIp, within: 10m, all: [disassociated, associated] }",
        "fn matches(event) { event.eventName.ends_with(\"Address\") }\n\
         fn disassociated(event) { event.eventName == \"DisassociateAddress\" }\n\
         fn associated(event) { event.eventName == \"AssociateAddress\" }",
    ),
    (
        "absence",
        "{ by: requestParameters.publicIp, within: 10m, after: disassociated, absent: associated }",
        "fn matches(event) { event.eventName.ends_with(\"Address\") }\n\
         fn disassociated(event) { event.eventName == \"DisassociateAddress\" }\n\
         fn associated(event) { event.eventName == \"AssociateAddress\" }",
    ),
    (
        "first-seen",
        "{ by: [userIdentity.arn, awsRegion], first_seen: 20m }",
        "fn matches(event) { event.eventName != \"Other\" }",
    ),
];

fn folder_of(policies: &[(&str, &str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("pack.yaml"), "lawbook: 1\nname: windows\n").unwrap();
    for (id, window, functions) in policies {
        let text = format!(
            "//! ---\n//! title: T\n//! severity: low\n//! judges: cloudtrail\n//! when: {{ eventSource: ec2.amazonaws.com }}\n\
             //! window: {window}\n//! ---\n{functions}\n"
        );
        std::fs::write(folder.path().join(format!("{id}.rhai")), text).unwrap();
    }
    folder
}

fn packs() -> Checked {
    let folder = folder_of(POLICIES);
    match Pack::from_folder(folder.path()).unwrap().check(&crate::of_invented_events(), &Limits::default()) {
        Ok(checked) => checked,
        Err(mistakes) => panic!("{}", lawbook::report::diagnostic::draw(&mistakes, false)),
    }
}

/// An event at a minute of a day.
fn event(id: usize, minute: i64, name: &str, who: u8, region: u8, address: u8) -> Value {
    let time = "2024-05-14T00:00:00Z".parse::<jiff::Timestamp>().unwrap() + jiff::SignedDuration::from_mins(minute);
    json!({
        "eventVersion": "1.10", "eventID": format!("id-{:03}", id * 37 % 1_000), "eventTime": time.to_string(),
        "eventSource": "ec2.amazonaws.com", "eventName": name, "awsRegion": format!("eu-west-{}", region + 1),
        "recipientAccountId": "111122223333", "sourceIPAddress": "203.0.113.7",
        "userIdentity": { "type": "IAMUser", "arn": format!("arn:aws:iam::111122223333:user/u{who}"), "userName": format!("u{who}") },
        "requestParameters": { "publicIp": format!("198.51.100.{address}") },
    })
}

const NAMES: [&str; 4] = ["DisassociateAddress", "AssociateAddress", "RunInstances", "Other"];

fn events() -> impl Strategy<Value = Vec<Value>> {
    let one = (0_i64..90, 0_usize..4, 0_u8..3, 0_u8..2, 0_u8..3);
    proptest::collection::vec(one, 1..40).prop_map(|parts| {
        let made = |(id, (minute, name, who, region, address)): (usize, _)| {
            event(id, minute, NAMES[name], who, region, address)
        };
        parts.into_iter().enumerate().map(made).collect()
    })
}

/// All that a scan says, but for where records were read.
#[derive(Debug, PartialEq)]
struct Told {
    findings: Vec<Value>,
    not_evaluated: BTreeMap<(String, String, Option<String>), u64>,
    counts: Vec<PolicyCounts>,
    faults: u64,
}

fn told(outcome: &Outcome) -> Told {
    let mut findings: Vec<Value> = outcome
        .findings
        .iter()
        .map(|finding| {
            let mut finding = serde_json::to_value(finding.unwrap()).unwrap();
            for gone in ["origin", "duplicates"] {
                finding.as_object_mut().unwrap().remove(gone);
            }
            for hit in finding["window"]["hits"].as_array_mut().unwrap() {
                hit.as_object_mut().unwrap().remove("origin");
            }
            finding
        })
        .collect();
    findings.sort_by_key(|finding| finding["fingerprint"].to_string());
    let mut not_evaluated = BTreeMap::new();
    for row in &outcome.not_evaluated {
        let key = (row.policy.to_string(), row.reason.clone(), row.region.as_deref().map(str::to_owned));
        *not_evaluated.entry(key).or_default() += row.count;
    }
    Told { findings, not_evaluated, counts: outcome.policies.clone(), faults: outcome.summary.faults }
}

fn request(paths: &[&Path]) -> Request {
    let mut request = Request::new(paths);
    request.now = "2024-05-15T00:00:00Z".parse().unwrap();
    request.threads = 1;
    request
}

/// Writes events into so many files, each as lines.
fn write(folder: &Path, events: &[Value], files: usize) {
    for (at, chunk) in events.chunks(events.len().div_ceil(files).max(1)).enumerate() {
        let lines: Vec<String> = chunk.iter().map(Value::to_string).collect();
        std::fs::write(folder.join(format!("log{at}.ndjson")), lines.join("\n")).unwrap();
    }
}

/// What was before the time that is judged goes the way of all else: policies that look up what events tell wait for the last
/// of them, and see it in the hooks that are given hits, too.
#[test]
fn what_events_tell_is_known_to_windows_from_a_time_on() {
    let folder = folder_of(&[(
        "moved",
        "{ by: allocation, within: 30m, sequence: [taken, given] }",
        "fn matches(event) { succeeded(event) }\n\
         fn allocation(event) {\n    let asked = event.requestParameters;\n    asked.allocationId ?? \
         first(lookup_all(\"cloudtrail/address-associations\", \"AssociationId\", asked.associationId)).AllocationId\n}\n\
         fn taken(event) { event.eventName == \"DisassociateAddress\" }\nfn given(event) { event.eventName == \"AssociateAddress\" }\n\
         fn context(hits) { #{ ip: lookup(\"cloudtrail/address-allocations\", \"AllocationId\", hits[0].by).PublicIp } }",
    )]);
    let path = folder.path().join("moved.rhai");
    let text = std::fs::read_to_string(&path).unwrap();
    let uses = "//! uses: [cloudtrail/address-associations, cloudtrail/address-allocations]\n//! window:";
    std::fs::write(&path, text.replace("//! window:", uses)).unwrap();
    let packs = Pack::from_folder(folder.path()).unwrap().check(&Overrides::default(), &Limits::default()).unwrap();
    let call = |id: usize, minute: i64, name: &str, asked: Value, told: Value| {
        let mut event = event(id, minute, name, 0, 0, 0);
        event["requestParameters"] = asked;
        event["responseElements"] = told;
        event
    };
    let events = [
        call(1, 0, "AllocateAddress", json!({}), json!({ "allocationId": "eipalloc-1", "publicIp": "198.51.100.7" })),
        call(
            2,
            1,
            "AssociateAddress",
            json!({ "allocationId": "eipalloc-1", "instanceId": "i-1" }),
            json!({ "associationId": "eipassoc-1" }),
        ),
        call(3, 60, "DisassociateAddress", json!({ "associationId": "eipassoc-1" }), json!({})),
        call(
            4,
            75,
            "AssociateAddress",
            json!({ "allocationId": "eipalloc-1", "instanceId": "i-2" }),
            json!({ "associationId": "eipassoc-2" }),
        ),
    ];
    let logs = tempfile::tempdir().unwrap();
    write(logs.path(), &events, 1);
    let whole = told(&scan(&packs, &request(&[logs.path()]), &()).unwrap());
    assert_eq!(whole.findings.len(), 1);
    assert_eq!(whole.findings[0]["context"]["ip"], "198.51.100.7");
    // The first of its hits is before.
    let mut since = request(&[logs.path()]);
    since.settings.filter.since = Some("2024-05-14T01:10:00Z".parse().unwrap());
    let part = told(&scan(&packs, &since, &()).unwrap());
    assert_eq!(part.findings, whole.findings);
    assert_eq!((part.counts[0].asked, part.counts[0].hits), (1, 1));
}

/// Groups are shared out among threads, and so is what is remembered of them.
#[test]
fn many_hits_are_judged_by_threads_as_by_one() {
    let packs = packs();
    let desk = tempfile::tempdir().unwrap();
    let logs = desk.path().join("logs");
    std::fs::create_dir(&logs).unwrap();
    let events: Vec<Value> = (0..3_000)
        .map(|at| {
            let (minute, who, region, address) = (at as i64 * 7 % 600, at * 5 % 31, at % 2, at * 3 % 29);
            let mut event = event(at, minute, NAMES[at % 7 % 4], who as u8, region as u8, address as u8);
            event["eventID"] = format!("id-{at}").into();
            event
        })
        .collect();
    write(&logs, &events, 3);
    let run = |threads: usize| {
        let state = desk.path().join(format!("seen-{threads}"));
        let request = Request { threads, state: Some(state.clone()), ..request(&[&logs]) };
        (told(&scan(&packs, &request, &()).unwrap()), std::fs::read_to_string(state).unwrap())
    };
    let (plain, remembered) = run(1);
    assert!(plain.findings.len() > 100 && plain.counts.iter().map(|counts| counts.hits).sum::<u64>() > 10_000);
    assert!(remembered.lines().count() > 50, "{remembered}");
    for threads in [2, 5] {
        let (told, seen) = run(threads);
        assert_eq!(told, plain, "{threads} threads");
        assert_eq!(seen, remembered, "{threads} threads");
    }
}

/// What a run passed over it does not claim to remember.
#[test]
fn what_is_not_wanted_is_not_remembered_as_read() {
    let (_folder, packs) = first_seen();
    let desk = tempfile::tempdir().unwrap();
    let logs = desk.path().join("logs");
    std::fs::create_dir(&logs).unwrap();
    write(&logs, &[0, 20, 40, 60, 80].map(|minute| event(minute as usize, minute, "RunInstances", 0, 0, 0)), 1);
    let state = desk.path().join("seen");
    let mut part = Request { state: Some(state.clone()), ..request(&[&logs]) };
    part.settings.filter.since = Some("2024-05-14T01:00:00Z".parse().unwrap());
    part.settings.filter.until = Some("2024-05-14T01:10:00Z".parse().unwrap());
    scan(&packs, &part, &()).unwrap();
    let locked = Locked::open(&state).unwrap();
    let (_, _, memory) = locked.state.memories().next().unwrap();
    let read = serde_json::to_value(&memory.read[&Some("111122223333".to_owned())]).unwrap();
    // As far back as the policy looks, and until the time that was said.
    assert_eq!(read, json!([["2024-05-14T00:40:00Z", "2024-05-14T01:10:00Z"]]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Any order, any split into files, any number of threads, any memory, with or without the index.
    #[test]
    fn what_is_found_depends_on_the_records_alone(
        events in events(),
        order in any::<u64>(),
        files in 1_usize..5,
        threads in 1_usize..4,
        memory in prop_oneof![Just(0_usize), Just(32 << 20)],
        no_index in any::<bool>(),
    ) {
        let packs = packs();
        let (sorted, mixed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mut in_time = events.clone();
        in_time.sort_by_key(|event| event["eventTime"].to_string());
        write(sorted.path(), &in_time, 1);
        let mut other = events;
        other.sort_by_key(|event| (event["eventID"].to_string().len() as u64 ^ order).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let place = (order as usize) % other.len();
        other.rotate_left(place);
        if order % 3 == 0 {
            other.reverse();
        }
        write(mixed.path(), &other, files);
        let plain = told(&scan(&packs, &request(&[sorted.path()]), &()).unwrap());
        let request = Request { threads, memory, no_index, ..request(&[mixed.path()]) };
        prop_assert_eq!(told(&scan(&packs, &request, &()).unwrap()), plain);
    }

    /// What was read twice counts once, but for how often policies were asked.
    #[test]
    fn duplicates_count_once(events in events()) {
        let packs = packs();
        let (once, twice) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        write(once.path(), &events, 1);
        let doubled: Vec<Value> = events.iter().chain(events.iter().rev()).cloned().collect();
        write(twice.path(), &doubled, 3);
        let told = |folder: &tempfile::TempDir| told(&scan(&packs, &request(&[folder.path()]), &()).unwrap());
        prop_assert_eq!(told(&twice).findings, told(&once).findings);
    }

    /// From a time on: what is found is what the whole finds then.
    #[test]
    fn what_is_found_since_a_time_is_what_the_whole_finds_then(events in events(), since in 0_i64..90) {
        let packs = packs();
        let folder = tempfile::tempdir().unwrap();
        // Records of before, so that there is history.
        let mut events = events;
        events.push(event(990, -60, "Other", 0, 0, 0));
        write(folder.path(), &events, 2);
        let start = "2024-05-14T00:00:00Z".parse::<jiff::Timestamp>().unwrap() + jiff::SignedDuration::from_mins(since);
        let mut since_then = request(&[folder.path()]);
        since_then.settings.filter.since = Some(start);
        let whole = told(&scan(&packs, &request(&[folder.path()]), &()).unwrap());
        let part = told(&scan(&packs, &since_then, &()).unwrap());
        let opens = |finding: &&Value| {
            let time: jiff::Timestamp = finding["record"]["time"].as_str().unwrap().parse().unwrap();
            // An absence is over when its time is up; `confirm` may have seen other hits before.
            let ends = if finding["policy"] == "absence" { time + jiff::SignedDuration::from_mins(10) } else { time };
            ends >= start && finding["policy"] != "confirmed"
        };
        let fingerprints = |told: &Told| -> Vec<String> {
            told.findings.iter().filter(opens).map(|finding| finding["fingerprint"].to_string()).collect()
        };
        prop_assert_eq!(fingerprints(&part), fingerprints(&whole));
        for counts in &part.counts {
            let told = counts.hits + counts.silent + counts.not_evaluated + counts.faults;
            prop_assert_eq!(counts.asked, told);
        }
    }

    /// One run over what was there at a time, and one over all since then: together they tell no absence twice, and each that
    /// the second reads back to, even where no record of its region tells the first that its time is up. Where runs say until
    /// when there is everything, they tell each.
    #[test]
    fn runs_one_after_another_tell_each_absence_once(events in events(), cut in 0_i64..90, says_until in any::<bool>()) {
        let packs = packs();
        let start = "2024-05-14T00:00:00Z".parse::<jiff::Timestamp>().unwrap();
        let cut = start + jiff::SignedDuration::from_mins(cut);
        let time = |event: &Value| event["eventTime"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
        let (all, then) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        write(all.path(), &events, 2);
        let before: Vec<Value> = events.iter().filter(|event| time(event) < cut).cloned().collect();
        write(then.path(), &before, 1);
        let end = |at: jiff::Timestamp| says_until.then_some(at);
        let found = |folder: &Path, since: Option<jiff::Timestamp>, until: Option<jiff::Timestamp>| {
            let mut request = request(&[folder]);
            (request.settings.filter.since, request.settings.filter.until) = (since, until);
            let outcome = told(&scan(&packs, &request, &()).unwrap());
            let absences = outcome.findings.into_iter().filter(|finding| finding["policy"] == "absence");
            let of = |finding: Value| {
                let time: jiff::Timestamp = finding["record"]["time"].as_str().unwrap().parse().unwrap();
                (time, finding["fingerprint"].to_string())
            };
            let mut found: Vec<(jiff::Timestamp, String)> = absences.map(of).collect();
            found.sort();
            found
        };
        let last = start + jiff::SignedDuration::from_mins(200);
        let mut parts = found(then.path(), None, end(cut));
        parts.extend(found(all.path(), Some(cut), end(last)));
        parts.sort();
        let whole = found(all.path(), None, end(last));
        let read_back = cut - jiff::SignedDuration::from_mins(20);
        let must = |(time, _): &&(jiff::Timestamp, String)| says_until || *time >= read_back;
        prop_assert!(whole.iter().filter(must).all(|one| parts.contains(one)), "{parts:?} of {whole:?}");
        parts.retain(|one| must(&one));
        let once: std::collections::BTreeSet<_> = parts.iter().collect();
        prop_assert_eq!(once.len(), parts.len());
    }
}

#[test]
fn an_absence_is_over_behind_the_last_moment_in_which_it_can_end() {
    let packs = packs();
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &[event(1, 10, NAMES[0], 0, 0, 7), event(2, 20, NAMES[1], 0, 0, 7)], 1);
    let moment = |seconds: i64| {
        let start = "2024-05-14T00:20:00Z".parse::<jiff::Timestamp>().unwrap();
        Some(start + jiff::SignedDuration::from_secs(seconds))
    };
    // What follows in the last moment has followed, and `--until` is before it.
    for (until, expected) in [(moment(0), (0, 1)), (moment(1), (0, 0)), (None, (0, 0))] {
        let mut request = request(&[folder.path()]);
        request.settings.filter.until = until;
        let outcome = scan(&packs, &request, &()).unwrap();
        let at = packs.policies().iter().position(|policy| &*policy.id == "absence").unwrap();
        let counts = &outcome.policies[at];
        assert_eq!((counts.findings, counts.not_evaluated), expected, "{until:?}");
    }
}

/// What lies before what is wanted is not opened where its path tells that, and was there all the same.
#[test]
fn log_objects_that_were_passed_over_for_their_day_are_history() {
    let (_policies, packs) = first_seen();
    let folder = tempfile::tempdir().unwrap();
    let object = |day: u32, minute: i64| {
        let at = folder.path().join(format!("AWSLogs/111122223333/CloudTrail/eu-west-1/2024/05/{day:02}"));
        std::fs::create_dir_all(&at).unwrap();
        let name = format!("111122223333_CloudTrail_eu-west-1_202405{day:02}T0000Z_{minute:016}.json.gz");
        let records = json!({ "Records": [event(usize::try_from(minute).unwrap(), minute, NAMES[0], 0, 0, 7)] });
        std::fs::write(at.join(name), crate::cli::gzip(&records.to_string())).unwrap();
    };
    object(14, 70);
    let found = || {
        let mut request = request(&[folder.path()]);
        request.settings.filter.since = Some("2024-05-14T01:00:00Z".parse().unwrap());
        let outcome = scan(&packs, &request, &()).unwrap();
        (outcome.policies[0].findings, outcome.policies[0].not_evaluated)
    };
    assert_eq!(found(), (0, 1), "nothing is known of what was before");
    // The time of this event is of no interest, for nobody reads it.
    object(10, 71);
    assert_eq!(found(), (1, 0));
}

#[test]
fn findings_that_open_at_records_of_one_id_are_told_apart_by_their_times() {
    let window = "{ by: awsRegion, within: 1m, count: 1 }";
    let policies = folder_of(&[("any", window, "fn matches(event) { event.eventName != \"Other\" }")]);
    let packs =
        Pack::from_folder(policies.path()).unwrap().check(&crate::of_invented_events(), &Limits::default()).unwrap();
    let events = [event(1, 10, NAMES[0], 0, 0, 7), event(1, 90, NAMES[0], 0, 0, 7)];
    let found = |order: [usize; 2]| -> BTreeMap<String, String> {
        let folder = tempfile::tempdir().unwrap();
        let logs = order.map(|at| events[at].to_string());
        for (name, text) in ["a.json", "b.json"].iter().zip(logs) {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let findings = told(&scan(&packs, &request(&[folder.path()]), &()).unwrap()).findings;
        findings.iter().map(|one| (one["record"]["time"].to_string(), one["fingerprint"].to_string())).collect()
    };
    assert_eq!(found([0, 1]).len(), 2);
    assert_eq!(found([0, 1]), found([1, 0]));
}

#[test]
fn each_kind_of_window_finds_what_it_is_for() {
    let packs = packs();
    let folder = tempfile::tempdir().unwrap();
    let [dis, ass, run, other] = NAMES;
    let events = [
        event(1, 0, other, 0, 0, 0),
        event(2, 30, dis, 0, 0, 7),
        event(3, 31, run, 0, 0, 0),
        event(4, 32, run, 0, 0, 0),
        event(5, 33, ass, 0, 0, 7),
        event(6, 34, other, 1, 0, 0),
        event(7, 35, other, 2, 0, 0),
        event(8, 50, dis, 1, 1, 9),
        event(9, 89, other, 0, 1, 0),
        event(10, 89, dis, 0, 1, 8),
    ];
    write(folder.path(), &events, 1);
    let outcome = scan(&packs, &request(&[folder.path()]), &()).unwrap();
    let told = told(&outcome);
    let of =
        |policy: &str| -> Vec<&Value> { told.findings.iter().filter(|finding| finding["policy"] == policy).collect() };
    let [threshold] = of("threshold")[..] else { panic!("{:#?}", told.findings) };
    assert_eq!(threshold["title"], "4: DisassociateAddress RunInstances RunInstances AssociateAddress");
    assert_eq!(threshold["context"]["who"], "arn:aws:iam::111122223333:user/u0");
    assert_eq!(threshold["record"]["time"], "2024-05-14T00:33:00Z");
    assert_eq!(threshold["window"]["count"], 4);
    assert_eq!(threshold["window"]["hits"].as_array().unwrap().len(), 4);
    assert_eq!(of("confirmed").len(), 1);
    assert_eq!(of("confirmed")[0]["severity"], "high");
    assert_eq!(of("distinct").len(), 1);
    assert_eq!(of("sequence")[0]["resources"], json!(["198.51.100.7"]));
    assert_eq!(of("unordered")[0]["resources"], json!(["198.51.100.7"]));
    // One was not associated again; of another that is not known yet.
    assert_eq!(of("absence")[0]["resources"], json!(["198.51.100.9"]));
    let open = told
        .not_evaluated
        .iter()
        .filter(|((policy, reason, _), _)| policy == "absence" && reason.contains("still open"));
    assert_eq!(open.map(|(_, count)| count).sum::<u64>(), 1);
    // Two that were new there, each after more than 20 minutes of records; and one again after as long.
    let seen: Vec<&Value> = of("first-seen");
    assert_eq!(seen.len(), 3, "{seen:#?}");
    for counts in &told.counts {
        assert_eq!(counts.asked, counts.hits + counts.silent + counts.not_evaluated + counts.faults);
    }
    assert_eq!(outcome.summary.exit.code, 1);
    let history = serde_json::to_value(&outcome.summary.history).unwrap();
    let times = json!({ "account": "111122223333", "from": "2024-05-14T00:00:00Z", "to": "2024-05-14T01:29:00Z" });
    assert_eq!(history, json!([times]));
}

#[test]
fn without_a_time_or_a_key_nothing_is_judged() {
    let packs = packs();
    let folder = tempfile::tempdir().unwrap();
    let mut without_time = event(1, 30, "DisassociateAddress", 0, 0, 7);
    without_time.as_object_mut().unwrap().remove("eventTime");
    let mut without_key = event(2, 30, "DisassociateAddress", 0, 0, 7);
    without_key.as_object_mut().unwrap().remove("requestParameters");
    write(folder.path(), &[without_time, without_key], 1);
    let told = told(&scan(&packs, &request(&[folder.path()]), &()).unwrap());
    let reasons = |policy: &str| -> Vec<&str> {
        told.not_evaluated.keys().filter(|(of, ..)| of == policy).map(|(_, reason, _)| reason.as_str()).collect()
    };
    assert_eq!(
        reasons("sequence"),
        ["no group key: `address` is absent", "the record has no `eventTime`, by which windows are judged"]
    );
    assert!(told.findings.is_empty());
}

/// The first-seen policy alone.
fn first_seen() -> (tempfile::TempDir, Checked) {
    let folder = folder_of(&POLICIES[6..]);
    let packs = Pack::from_folder(folder.path()).unwrap().check(&Overrides::default(), &Limits::default());
    (folder, packs.unwrap())
}

#[test]
fn what_was_seen_is_remembered_and_the_same_logs_give_the_same_findings() {
    let (_folder, packs) = first_seen();
    let desk = tempfile::tempdir().unwrap();
    let state = desk.path().join("seen.jsonl");
    let run = |day: &str, events: &[Value]| -> (usize, u64) {
        let logs = desk.path().join(day);
        std::fs::create_dir_all(&logs).unwrap();
        write(&logs, events, 1);
        let request = Request { state: Some(state.clone()), ..request(&[&logs]) };
        let told = told(&scan(&packs, &request, &()).unwrap());
        (told.findings.len(), told.not_evaluated.values().sum())
    };
    let name = "RunInstances";
    let first = [event(1, 0, name, 0, 0, 0), event(2, 10, name, 1, 0, 0)];
    let second = [event(3, 25, name, 0, 0, 0), event(4, 28, name, 1, 0, 0), event(5, 29, name, 2, 0, 0)];
    // Nobody knows what was before the first.
    assert_eq!(run("first", &first), (0, 2));
    // The first user was last seen 25 minutes before, the second 18, and the third never.
    assert_eq!(run("second", &second), (2, 0));
    let kept = std::fs::read_to_string(&state).unwrap();
    assert_eq!(run("second", &second), (2, 0));
    assert_eq!(run("first", &first), (0, 2));
    assert_eq!(std::fs::read_to_string(&state).unwrap(), kept, "reading again adds nothing");
    let locked = Locked::open(&state).unwrap();
    let (policy, _, memory) = locked.state.memories().next().unwrap();
    assert_eq!((policy, memory.seen.len()), ("windows/first-seen", 3));
}

#[test]
fn a_state_file_that_cannot_be_read_is_told_and_left_alone() {
    let (_folder, packs) = first_seen();
    let desk = tempfile::tempdir().unwrap();
    write(desk.path(), &[event(1, 0, "RunInstances", 0, 0, 0)], 1);
    let state = desk.path().join("seen");
    std::fs::write(&state, "{\"lawbook_state\":1}\nnot a line\n").unwrap();
    let request = Request { state: Some(state.clone()), ..request(&[&desk.path().join("log0.ndjson")]) };
    let error = scan(&packs, &request, &()).unwrap_err().to_string();
    assert!(error.contains("seen:2:1") && error.contains("no line of a state file"), "{error}");
    assert_eq!(std::fs::read_to_string(&state).unwrap(), "{\"lawbook_state\":1}\nnot a line\n");
}

/// A file that cannot be written is told, and that nothing is remembered in one that can.
#[test]
fn a_state_file_that_nobody_asks_for_is_told() {
    let desk = tempfile::tempdir().unwrap();
    write(desk.path(), &many(0, 1), 1);
    std::fs::write(
        desk.path().join("p.rhai"),
        "//! ---\n//! lawbook: 1\n//! title: T\n//! severity: low\n//! judges: cloudtrail\n//! ---\nfn matches(event) { event.eventName == \"RunInstances\" }\n",
    )
    .unwrap();
    let scan = |state: &str| {
        let mut command = crate::cli::lawbook();
        command.current_dir(desk.path()).args(["scan", "--policy", "p.rhai", ".", "--state", state]);
        let ran = command.output().unwrap();
        (ran.status.code(), String::from_utf8(ran.stderr).unwrap())
    };
    let (code, told) = scan("none/seen.jsonl");
    assert!(code == Some(2) && told.contains("none/seen.jsonl.lock: cannot be locked"), "{told}");
    let (code, told) = scan("seen.jsonl");
    assert!(code == Some(1) && told.contains("nothing is remembered in seen.jsonl"), "{told}");
}

/// Runs that say from when to when follow on one another, however quiet an account was at their ends.
#[test]
fn an_account_may_be_quiet_between_runs() {
    let desk = tempfile::tempdir().unwrap();
    let policies = desk.path().join("pack");
    std::fs::create_dir(&policies).unwrap();
    std::fs::write(
        policies.join("new-user.rhai"),
        "//! ---\n//! title: User not seen before\n//! severity: low\n//! judges: cloudtrail\n\
         //! when: { eventSource: ec2.amazonaws.com }\n//! window: { by: userIdentity.arn, first_seen: 14d }\n//! ---\n\
         fn matches(event) { event.eventName == \"RunInstances\" }\n",
    )
    .unwrap();
    let call = |day: u32, user: &str| {
        let mut event = event(day as usize, 0, "RunInstances", 0, 0, 0);
        event["userIdentity"]["arn"] = format!("arn:aws:iam::111122223333:user/{user}").into();
        (event["eventID"], event["eventTime"]) =
            (format!("{day} {user}").into(), format!("2024-01-{day:02}T12:00:00Z").into());
        event
    };
    let weeks =
        [(1, [call(1, "a"), call(3, "a")]), (8, [call(8, "a"), call(10, "a")]), (15, [call(17, "a"), call(19, "b")])];
    let run = |bounded: bool| {
        let state = desk.path().join(if bounded { "bounded" } else { "open" });
        let mut codes = Vec::new();
        for (day, events) in &weeks {
            let logs = desk.path().join(format!("week{day}"));
            std::fs::create_dir_all(&logs).unwrap();
            write(&logs, events, 1);
            let mut command = command(&policies, &logs, &state);
            if bounded {
                command.args(["--since", &format!("2024-01-{day:02}"), "--until", &format!("2024-01-{:02}", day + 7)]);
            }
            codes.push(command.status().unwrap().code().unwrap());
        }
        codes
    };
    // In the third week `b` is new; of the first nobody knows what was before.
    let (bounded, open) = (run(true), run(false));
    assert_eq!((&bounded[..], &open[..]), (&[0, 0, 1][..], &[0, 0, 0][..]));
}

fn command(policies: &Path, logs: &Path, state: &Path) -> std::process::Command {
    let mut command = crate::cli::lawbook();
    command.args(["scan", "--pack"]).arg(policies).arg(logs).arg("--state").arg(state);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn many(from: usize, count: usize) -> Vec<Value> {
    (from..from + count)
        .map(|at| {
            let mut event = event(at, (at % 90) as i64, "RunInstances", 0, 0, 0);
            event["userIdentity"]["arn"] = format!("arn:aws:iam::111122223333:user/{at}").into();
            event["eventID"] = format!("id-{at}").into();
            event
        })
        .collect()
}

#[test]
fn two_runs_at_once_add_up() {
    let (policies, _) = first_seen();
    let desk = tempfile::tempdir().unwrap();
    let state = desk.path().join("seen");
    let runs: Vec<_> = (0..4)
        .map(|run| {
            let logs = desk.path().join(format!("logs{run}"));
            std::fs::create_dir(&logs).unwrap();
            write(&logs, &many(run * 200, 200), 1);
            command(policies.path(), &logs, &state).spawn().unwrap()
        })
        .collect();
    for mut run in runs {
        assert_ne!(run.wait().unwrap().code(), Some(2));
    }
    let locked = Locked::open(&state).unwrap();
    assert_eq!(locked.state.memories().next().unwrap().2.seen.len(), 800);
}

#[test]
fn a_run_that_is_killed_leaves_the_file_as_it_was_or_as_it_should_be() {
    let (policies, _) = first_seen();
    let desk = tempfile::tempdir().unwrap();
    let (state, logs) = (desk.path().join("seen"), desk.path().join("logs"));
    std::fs::create_dir(&logs).unwrap();
    write(&logs, &many(0, 3_000), 1);
    let started = std::time::Instant::now();
    let mut whole = command(policies.path(), &logs, &state);
    assert_ne!(whole.status().unwrap().code(), Some(2));
    let takes = started.elapsed();
    let mut groups = 3_000;
    for run in 1..=20_u32 {
        write(&logs, &many(3_000 * run as usize, 3_000), 1);
        let mut child = command(policies.path(), &logs, &state).spawn().unwrap();
        std::thread::sleep(takes.mul_f64(f64::from(run) / 18.0).min(Duration::from_secs(5)));
        // SIGKILL on Unix.
        let _ = child.kill();
        child.wait().unwrap();
        let seen = Locked::open(&state).unwrap().state.memories().next().unwrap().2.seen.len();
        assert!(seen == groups || seen == groups + 3_000, "{seen} of {groups}");
        groups = seen;
    }
}

#[test]
fn a_state_file_can_be_looked_into_and_pruned() {
    let (policies, _) = first_seen();
    let desk = tempfile::tempdir().unwrap();
    let (state, logs) = (desk.path().join("seen"), desk.path().join("logs"));
    std::fs::create_dir(&logs).unwrap();
    write(&logs, &[event(1, 0, "RunInstances", 0, 0, 0), event(2, 60, "RunInstances", 1, 0, 0)], 1);
    command(policies.path(), &logs, &state).status().unwrap();
    let run = |args: &[&str]| {
        let out = crate::cli::lawbook().args(args).stdin(Stdio::null()).output().unwrap();
        (out.status.code().unwrap(), [out.stdout, out.stderr].map(|text| String::from_utf8(text).unwrap()).concat())
    };
    let path = state.to_str().unwrap();
    let (code, text) = run(&["state", "show", path, "--groups"]);
    assert!(code == 0 && text.contains("windows/first-seen") && text.contains("groups seen  2"), "{text}");
    assert!(text.contains("2024-05-14T00:00:00Z to 2024-05-14T01:00:00Z") && text.contains("user/u1"), "{text}");
    let whole: Value = serde_json::from_str(&run(&["state", "show", path, "--format", "json"]).1).unwrap();
    assert_eq!(whole[0]["groups"], 2);
    let (code, text) = run(&["scan", desk.path().to_str().unwrap(), "-v"]);
    assert!(code != 2 && text.contains("seen: part of a lawbook"), "{text}");
    let (code, text) = run(&["state", "prune", path, "--before", "2024-05-14T00:30:00Z", "--policy", "first-sen"]);
    assert!(
        code == 2 && text.contains("nothing is remembered of `first-sen` (try: did you mean `first-seen`?)"),
        "{text}"
    );
    let (code, text) = run(&["state", "prune", path, "--before", "2024-05-14T00:30:00Z", "--policy", "first-seen"]);
    assert_eq!((code, text.as_str()), (0, "1 sighting was forgotten\n"));
    let (code, text) = run(&["scan", logs.to_str().unwrap(), "--state", path, "--region", "eu-west-1"]);
    assert!(code == 2 && text.contains("remembers whole accounts"), "{text}");
    let (code, text) = run(&["state", "show", "nowhere"]);
    assert!(code == 2 && text.contains("no such state file"), "{text}");
}

#[test]
fn a_case_that_fails_shows_what_each_record_was_to_the_window() {
    let policies = folder_of(&POLICIES[..4]);
    let base = event(1, 0, "RunInstances", 0, 0, 7);
    let cases = |id: &str, cases: &str| {
        let text = format!("records:\n  call: {base}\ncases:\n{cases}");
        std::fs::write(policies.path().join(format!("{id}.cases.yaml")), text).unwrap();
    };
    cases("threshold", "  - { name: three, records: [{ record: call, times: 3, every: 1m }], expect: fires }\n");
    cases("confirmed", "  - { name: two, records: [{ record: call, times: 2, every: 1m }], expect: fires }\n");
    cases(
        "sequence",
        "  - name: the wrong way round\n    records:\n      - { record: call, with: { eventName: AssociateAddress } }\n      \
         - { record: call, after: 1m, with: { eventName: DisassociateAddress } }\n    expect: fires\n",
    );
    let out = crate::cli::lawbook()
        .arg("test")
        .arg(policies.path())
        .arg("--allow-empty")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8(out.stdout).unwrap();
    assert_eq!(out.status.code(), Some(1), "{text}");
    for told in [
        "at least 4 hits within 10m by userIdentity.arn: it did not open",
        "2024-05-14T00:02:00Z ec2.amazonaws.com RunInstances id-037-0003",
        "hit: userIdentity.arn = \\\"arn:aws:iam::111122223333:user/u0\\\"",
        "`confirm`",
        "disassociated, then associated within 10m by address: it did not open",
        "hit: associated: address = ",
    ] {
        assert!(text.contains(told), "{told}\n{text}");
    }
}

#[test]
fn a_value_that_is_nested_without_end_is_told_and_loses_no_hit() {
    let folder = folder_of(&[(
        "deep",
        "{ by: requestParameters.deep, within: 10m, count: \">= 2\" }",
        "fn matches(event) { event.eventName != \"Other\" }\nfn keep(event) { #{ all: event.requestParameters } }\n\
         fn title(hits) { `${hit_count(hits)} calls, kept ${hits[0].kept == ()}` }",
    )]);
    for (levels, faults) in [(60, 0), (110, 2)] {
        let events = (0..2).map(|id| {
            let mut event = event(id, 1, "RunInstances", 0, 0, 0);
            event["requestParameters"]["deep"] = (0..levels).fold(json!("end"), |inner, _| json!({ "in": inner }));
            event.to_string()
        });
        let log = folder.path().join("log.ndjson");
        std::fs::write(&log, events.collect::<Vec<_>>().join("\n")).unwrap();
        let args = ["scan", "log.ndjson", "--pack", ".", "--format", "json"];
        let out = crate::cli::lawbook().args(args).current_dir(folder.path()).output().unwrap();
        let report: Value = serde_json::from_slice(&out.stdout).unwrap();
        assert_eq!(report["findings"][0]["title"], format!("2 calls, kept {}", levels == 110), "{report}");
        // What it is grouped by is then a text, which can be told apart and read again.
        assert_eq!(report["findings"][0]["window"]["by"][0].is_string(), levels == 110, "{report}");
        let told = report["faults"].to_string();
        assert_eq!(told.contains("nested deeper than 64 levels"), faults > 0, "{told}");
        assert_eq!(report["summary"]["faults"], faults, "{told}");
    }
}
