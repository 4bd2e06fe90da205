//! Hits of windows that are noted, of events that are never parsed, are those that a full scan keeps.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use lawbook::engine::{Outcome, PolicyCounts, Request, Route, scan};
use lawbook::policy::{Checked, Overrides, Pack};
use lawbook::report::{Format, Look, write};
use lawbook::script::Limits;
use proptest::prelude::*;

#[expect(dead_code, reason = "benchmarks use more of it")]
#[path = "../../benches/support/mod.rs"]
mod support;

/// The head of a policy with a window, and its functions.
const POLICIES: &[(&str, &str)] = &[
    (
        "when: { userIdentity.type: AssumedRole }\nwindow: { by: session_of, within: 1h, distinct: { of: sourceIPAddress, count: \">= 2\" } }",
        r#"fn matches(event) { session_of(event) != () && is_ip(event.sourceIPAddress) && !ip_in_cidr(event.sourceIPAddress, ["10.0.0.0/8", 7]) }
           fn session_of(event) { regex_find(actor(event).session, "^i-[0-9a-f]+$") }
           fn keep(event) { #{ tool: event.userAgent } }
           fn confirm(hits) { hits.len() != 3 }
           fn context(hits) { #{ hits: hits.map(|hit| `${hit.number} ${hit.id} ${hit.actor.name} ${hit.actor.mfa} ${hit.kept.tool} ${hit.time} ${hit.origin.line}`) } }"#,
    ),
    (
        "when: { readOnly: false }\nwindow: { by: [account_of, awsRegion], first_seen: 1d }",
        r#"fn matches(event) { succeeded(event) && !is_aws_service(event) }
           fn account_of(event) { account(event) }
           fn context(hits) { #{ hits: hits.map(|hit| `${hit.id} ${hit.account} ${hit.region} ${hit.name}`) } }"#,
    ),
    ("window: { by: sourceIPAddress, within: 10m, count: \">= 2\" }", "fn matches(event) { refused(event) }"),
    (
        "window: { by: who, within: 10m, count: \">= 1\" }",
        r#"fn matches(event) { event.errorCode == () && event.eventName != "C" }
           fn who(event) { actor(event).role ?? actor(event).name }
           fn keep(event) { #{ mfa: actor(event).mfa, worked: succeeded(event) } }
           fn context(hits) { #{ kept: hits.map(|hit| hit.kept), actors: hits.map(|hit| hit.actor) } }"#,
    ),
    (
        "uses: [ec2/instances]\nwindow: { by: eventName, within: 10m, count: \">= 1\" }",
        r#"fn matches(event) { event.userAgent != () && lookup_anywhere("ec2/instances", "InstanceId", event.userAgent).is_empty() }"#,
    ),
    (
        "window: { by: sourceIPAddress, within: 10m, count: \">= 1\" }",
        r#"fn matches(event) { event.errorCode == () }
           fn keep(event) { #{ z: event.userAgent, a: #{ y: event.eventName, b: event.awsRegion } } }
           fn context(hits) { #{ names: hits.map(|hit| [hit.kept.keys(), hit.kept.a.keys(), hit.kept.values()]) } }"#,
    ),
    (
        "window: { by: sourceIPAddress, within: 10m, count: \">= 1\" }",
        r#"fn matches(event) { event.errorCode == () && event.eventName != "B" }
           fn keep(event) { [event.userAgent] }
           fn confirm(hits) { hits[0].kept == () }"#,
    ),
    // One that judges every event by itself, and so wants some of them parsed.
    ("", r#"fn matches(event) { event.eventName == "D" }"#),
];

fn packs() -> Checked {
    crate::prefilter::packs_of(POLICIES.iter().map(|(head, functions)| (*head, (*functions).to_owned())))
}

/// All that a run tells.
#[derive(Debug, PartialEq)]
struct Told {
    report: String,
    counts: Vec<PolicyCounts>,
    code: u8,
    state: Option<String>,
}

fn run(packs: &Checked, request: &Request) -> Outcome {
    scan(packs, request, &()).unwrap()
}

/// A full scan, and scans by index in one and several threads.
fn all_ways(packs: &Checked, request: &Request) -> Vec<Told> {
    let way = |no_index: bool, threads: usize, memory: usize| {
        let folder = tempfile::tempdir().unwrap();
        let state = request.state.as_ref().map(|_| folder.path().join("state.json"));
        let request = Request { no_index, threads, memory, state: state.clone(), ..request.clone() };
        let outcome = run(packs, &request);
        let mut report = Vec::new();
        write(Format::Json, &outcome, packs, Look::default(), &mut report).unwrap();
        let report = String::from_utf8(report).unwrap();
        let state = state.map(|state| fs::read_to_string(state).unwrap());
        Told { report, counts: outcome.policies.clone(), code: outcome.summary.exit.code, state }
    };
    vec![way(true, 1, 32 << 20), way(false, 1, 32 << 20), way(false, 3, 0)]
}

fn request(folder: &Path) -> Request {
    let mut request = Request::new([folder.to_owned()]);
    request.now = "2024-05-20T00:00:00Z".parse().unwrap();
    request
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn put(folder: &Path, place: &str, bytes: &[u8]) {
    let file = folder.join(place);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, bytes).unwrap();
}

/// One of these members, or none of them; more often than others the first, which is as it should be.
fn member(name: &'static str, values: &[&'static str]) -> impl Strategy<Value = String> {
    let spelled = values.iter().map(|value| match *value {
        "" => String::new(),
        value => format!(",\"{name}\":{value}"),
    });
    let spelled: Vec<_> = spelled.collect();
    prop_oneof![3 => Just(spelled[0].clone()), 2 => proptest::sample::select(spelled)]
}

const ROLE: &str = r#"{"type":"AssumedRole","principalId":"AROA:i-0abc","arn":"arn:aws:sts::111122223333:assumed-role/ops/i-0abc","accountId":"111122223333","sessionContext":{"sessionIssuer":{"arn":"arn:aws:iam::111122223333:role/x/ops","userName":"ops"},"attributes":{"mfaAuthenticated":"false"}}}"#;

fn event() -> impl Strategy<Value = String> {
    let identity = member(
        "userIdentity",
        &[
            ROLE,
            ROLE,
            r#"{"type":"AssumedRole","arn":"arn:aws:sts::111122223333:assumed-role/ops/i-0def","sessionContext":{"attributes":{"mfaAuthenticated":null}}}"#,
            r#"{"type":"AssumedRole","principalId":"AROA:i-0abc","sessionContext":{"sessionIssuer":"x","attributes":{"mfaAuthenticated":true}}}"#,
            r#"{"type":"AssumedRole","principalId":"AROA:i-\"0"}"#,
            r#"{"type":"IAMUser","userName":"alice","arn":""}"#,
            r#"{"invokedBy":"ec2.amazonaws.com"}"#,
            r#"{"type":7,"principalId":"AROA:i-0abc","userName":{"a":1}}"#,
            r#""x""#,
            "null",
            "",
        ],
    );
    let when = member(
        "eventTime",
        &[
            r#""2024-05-14T12:00:00Z""#,
            r#""2024-05-14T12:00:00Z""#,
            r#""2024-05-14T12:05:00Z""#,
            r#""2024-05-14T14:05:00+02:00""#,
            r#""2024-05-14T12:05:00.25Z""#,
            r#""2024-05-16T12:00:00Z""#,
            r#""yesterday""#,
            "",
        ],
    );
    // Most have one of their own.
    let own = Just(",\"eventID\":\"#\"".to_owned());
    let id =
        member("eventID", &[r#""1""#, r#""2""#, r#""3""#, r#""4""#, r#""5""#, r#""""#, r#""a\\b""#, "7", "null", ""]);
    let id = prop_oneof![2 => own, 1 => id];
    let name = proptest::sample::select(vec!["A", "A", "B", "C", "D", "ConsoleLogin"]);
    let source = proptest::sample::select(vec!["s", "ec2.amazonaws.com"]);
    let address = member(
        "sourceIPAddress",
        &[r#""192.0.2.1""#, r#""192.0.2.1""#, r#""192.0.2.2""#, r#""10.0.0.1""#, r#""AWS Internal""#, "[]", "null", ""],
    );
    let place = member("awsRegion", &[r#""us-east-1""#, r#""us-east-1""#, r#""eu-west-1""#, "false", ""]);
    let account = member("recipientAccountId", &[r#""111122223333""#, r#""111122224444""#, r#""x""#, ""]);
    let write = member("readOnly", &["false", "false", "true", r#""false""#, ""]);
    let code = member(
        "errorCode",
        &["", r#""AccessDenied""#, r#""AccessDenied""#, r#""Client.UnauthorizedOperation""#, r#""""#, "null"],
    );
    let answer = member(
        "responseElements",
        &[
            "null",
            r#"{"ConsoleLogin":"Failure"}"#,
            r#"{"A":"fAilure"}"#,
            r#"{"x":{"A":"failure"}}"#,
            r#"{"x":[{"y":"failure to thrive"}]}"#,
            "",
        ],
    );
    let more =
        member("additionalEventData", &["", r#"{"MFAUsed":"Yes"}"#, r#"{"MFAUsed":null}"#, r#"{"x":"failure"}"#]);
    let agent = member("userAgent", &[r#""tool""#, r#""a \"b\"""#, r#""\u00e9""#, r#""i-1""#, r#"{"a":1}"#, ""]);
    let first = (identity, when, id, name, source, address);
    let second = (place, account, write, code, answer, more, agent);
    (first, second).prop_map(|((identity, when, id, name, source, address), second)| {
        let (place, account, write, code, answer, more, agent) = second;
        format!(
            r#"{{"eventVersion":"1.10"{identity}{when},"eventSource":"{source}","eventName":"{name}"{place}{address}{agent}{code}{answer}{more}{id}{write}{account}}}"#
        )
    })
}

/// The records, most of which have ids of their own.
fn events(count: usize) -> impl Strategy<Value = Vec<String>> {
    let number = |(at, event): (usize, String)| event.replace('#', &format!("id-{at}"));
    proptest::collection::vec(event(), 1..count)
        .prop_map(move |events| events.into_iter().enumerate().map(number).collect())
}

/// The same record in another spelling.
fn other(record: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(record).unwrap();
    // With its keys in another order, and blanks.
    let members = value.as_object().unwrap().iter().rev();
    let members: Vec<String> = members.map(|(name, value)| format!("{name:?} : {value}")).collect();
    format!("{{{}}}", members.join(" , "))
}

const PLACE: &str = "AWSLogs/111122223333/CloudTrail/us-east-1/2024/05/14/111122223333_CloudTrail_us-east-1_20240514T1200Z_abcdefgh.json.gz";

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn noted_hits_are_those_of_a_full_scan(
        events in events(24),
        again in proptest::collection::vec((any::<proptest::sample::Index>(), 0..4_u8), 0..4),
        since in any::<bool>(),
        history in any::<bool>(),
        state in any::<bool>(),
        why in proptest::option::of(0..POLICIES.len()),
        has_inventory in any::<bool>(),
    ) {
        let packs = packs();
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), PLACE, &gzip(format!("{{\"Records\":[{}]}}", events.join(",")).as_bytes()));
        if !again.is_empty() {
            let lines = again.iter().map(|(at, how)| {
                let record = &events[at.index(events.len())];
                if *how == 0 { other(record) } else { record.clone() }
            });
            put(folder.path(), "again.ndjson", lines.collect::<Vec<_>>().join("\n").as_bytes());
        }
        if has_inventory {
            put(folder.path(), "instances.json", br#"{"Reservations":[{"Instances":[{"InstanceId":"i-1"}]}]}"#);
        }
        let mut request = request(folder.path());
        request.settings.filter.since = since.then(|| "2024-05-14T12:04:00Z".parse().unwrap());
        request.history_complete = history;
        request.state = state.then(PathBuf::new);
        request.why = why.filter(|_| !since).map(|at| format!("p{at}"));
        let ways = all_ways(&packs, &request);
        prop_assert_eq!(&ways[0], &ways[1], "{:?}", events);
        prop_assert_eq!(&ways[1], &ways[2]);
    }
}

/// What a hook may make of an event.
fn value() -> impl Strategy<Value = String> {
    const VALUES: &[&str] = &[
        "event.eventName",
        "event.userAgent",
        "event.errorCode",
        "event.sourceIPAddress",
        "event.awsRegion",
        "event.readOnly",
        "event.recipientAccountId",
        "event.userIdentity.sessionContext.attributes.mfaAuthenticated",
        "event.nope",
        "event.userIdentity",
        "event.userIdentity.type",
        "event.responseElements",
        "response(event)",
        "event.additionalEventData",
        "event.responseElements.x",
        "request(event).y",
        "account(event)",
        "region(event)",
        "actor(event)",
        "actor(event).mfa",
        "actor(event).name",
        "actor(event).role",
        "actor(event).session",
        "actor(event).type",
        "actor(event).account",
        "actor(event).arn",
        "actor(event).access_key",
        "actor(event).service",
        "error_code(event)",
        "succeeded(event)",
        "refused(event)",
        "is_console(event)",
        "is_aws_service(event)",
        "params.texts",
        "params.map",
        "LIMIT",
        "NAMES",
        "12",
        "-1",
        "1.5",
        "true",
        "()",
        "\"text\"",
        "[]",
        "#{}",
        "\"é\\\"\"",
        "`${event.eventName} in ${event.awsRegion}`",
        "`${event.userIdentity}`",
        "text(event.readOnly)",
        "event.eventName + \"x\"",
        "regex_find(event.sourceIPAddress, \"^[0-9]+\")",
        "first(event.responseElements)",
        "is_ip(event.sourceIPAddress)",
        "event.eventName.len()",
        "event.userAgent ?? event.eventName",
        "if event.errorCode == () { 1 } else { event.errorCode }",
        "list(event.userAgent)",
        "event.userIdentity.arn.split(\"/\")",
        "lookup(\"ec2/instances\", \"InstanceId\", event.userAgent)",
        "lookup_anywhere(\"ec2/instances\", \"InstanceId\", event.userAgent)",
        "event.responseElements.x[0].y",
        "helper(event)",
    ];
    // Most are of these, of which a hit is noted without its event being parsed.
    const FIELDS: &[&str] = &[
        "event.eventName",
        "event.userAgent",
        "event.sourceIPAddress",
        "event.awsRegion",
        "event.readOnly",
        "event.errorCode",
        "actor(event).name",
        "actor(event).role",
        "actor(event).mfa",
        "account(event)",
        "succeeded(event)",
        "()",
        "LIMIT",
    ];
    let value = prop_oneof![3 => proptest::sample::select(FIELDS), 1 => proptest::sample::select(VALUES)];
    let value = value.prop_map(str::to_owned);
    value.prop_recursive(2, 4, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(|items| format!("[{}]", items.join(", "))),
            (inner.clone(), inner).prop_map(|(b, a)| format!("#{{ b: {b}, a: {a} }}")),
        ]
    })
}

/// The head of a policy with a window, and its functions.
fn policy() -> impl Strategy<Value = (String, String)> {
    const CONDITIONS: &[&str] = &[
        "true",
        "event.errorCode == ()",
        "event.errorCode != ()",
        "refused(event)",
        "succeeded(event)",
        "actor(event).role != ()",
        "event.eventName in NAMES",
        "is_ip(event.sourceIPAddress)",
        "event.readOnly == false",
        "!is_aws_service(event)",
    ];
    const WINDOWS: &[&str] = &[
        "within: 10m, count: \">= 1\"",
        "within: 1h, count: \">= 2\"",
        "within: 1h, distinct: { of: counted, count: \">= 2\" }",
        "first_seen: 1d",
    ];
    let parts = (
        proptest::sample::select(CONDITIONS),
        proptest::sample::select(WINDOWS),
        proptest::sample::select(&[
            "key",
            "sourceIPAddress",
            "[eventName, key]",
            "[key, other]",
            "[awsRegion, userIdentity.type]",
        ]),
    );
    let values = (value(), value(), value(), proptest::option::of(value()));
    (parts, values).prop_map(|((condition, window, by), (key, other, counted, keep))| {
        let head = format!(
            "uses: [ec2/instances]\nparams: {{ texts: {{ type: list, default: [a, b], doc: D }}, map: {{ type: map, default: {{ b: 1, a: [x] }}, doc: D }} }}\nwindow: {{ by: {by}, {window} }}"
        );
        let counted = if window.contains("counted") { format!("fn counted(event) {{ {counted} }}") } else { String::new() };
        let key = if by.contains("key") { format!("fn key(event) {{ {key} }}") } else { String::new() };
        let other = if by.contains("other") { format!("fn other(event) {{ {other} }}") } else { String::new() };
        let keep = keep.map(|keep| format!("fn keep(event) {{ #{{ z: {keep}, a: 1 }} }}")).unwrap_or_default();
        let functions = format!(
            "const LIMIT = 3;\nconst NAMES = [\"A\", \"B\"];\nfn helper(event) {{ #{{ on: event.readOnly, off: actor(event).name }} }}
            fn matches(event) {{ {condition} && helper(event) != () }}\n{key}\n{other}\n{counted}\n{keep}
            fn context(hits) {{ #{{ hits: hits, kept: `${{hits.map(|hit| hit.kept)}}` }} }}"
        );
        (head, functions)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_generated_policies_note_is_what_a_full_scan_keeps(
        policies in proptest::collection::vec(policy(), 1..3),
        events in events(12),
        state in any::<bool>(),
        has_inventory in any::<bool>(),
    ) {
        let packs =
            crate::prefilter::packs_of(policies.iter().map(|(head, functions)| (head.as_str(), functions.clone())));
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), PLACE, &gzip(format!("{{\"Records\":[{}]}}", events.join(",")).as_bytes()));
        if has_inventory {
            put(folder.path(), "instances.json", br#"{"Reservations":[{"Instances":[{"InstanceId":"i-1"}]}]}"#);
        }
        let mut request = request(folder.path());
        request.state = state.then(PathBuf::new);
        let ways = all_ways(&packs, &request);
        prop_assert_eq!(&ways[0], &ways[1], "{:?}", events);
        prop_assert_eq!(&ways[1], &ways[2]);
    }
}

fn passed_over(packs: &Checked, folder: &Path, trusts: bool) -> (u64, u64, Outcome) {
    let mut request = request(folder);
    request.profile = true;
    if !trusts {
        request.why = Some("p0".to_owned());
    }
    let outcome = run(packs, &request);
    let hits = outcome.policies.iter().map(|counts| counts.hits).sum();
    (outcome.profile.as_ref().unwrap().passed_over, hits, outcome)
}

fn events_of_instance(count: usize) -> Vec<String> {
    let event = |at: usize| {
        let (minute, address) = (at % 60, at % 3);
        format!(
            r#"{{"eventVersion":"1.10","userIdentity":{ROLE},"eventTime":"2024-05-14T12:{minute:02}:00Z","eventSource":"s","eventName":"C","awsRegion":"us-east-1","sourceIPAddress":"192.0.2.{address}","errorCode":"X","readOnly":true,"eventID":"{at}"}}"#
        )
    };
    (0..count).map(event).collect()
}

#[test]
fn hits_are_noted_and_their_records_never_parsed() {
    let packs = packs();
    let folder = tempfile::tempdir().unwrap();
    let object = |records: &[String]| gzip(format!("{{\"Records\":[{}]}}", records.join(",")).as_bytes());
    let events = events_of_instance(300);
    put(folder.path(), PLACE, &object(&events));
    let (passed, hits, outcome) = passed_over(&packs, folder.path(), true);
    assert_eq!((passed, hits, outcome.summary.findings.total), (300, 300, 1));
    let (passed, hits, outcome) = passed_over(&packs, folder.path(), false);
    assert_eq!((passed, hits, outcome.summary.findings.total), (0, 300, 1), "whose verdicts are wanted is parsed");

    // The same event in another spelling may be the same record or not: then everything is parsed.
    put(folder.path(), "again.json", other(&events[7]).as_bytes());
    let (passed, hits, outcome) = passed_over(&packs, folder.path(), true);
    assert_eq!((passed, hits, outcome.summary.findings.total), (0, 301, 1));
    let finding = outcome.findings.iter().next().unwrap().unwrap();
    assert_eq!(finding.window.unwrap().count, 300, "and found to be the same");

    // In the same spelling that is known without.
    put(folder.path(), "again.json", events[7].as_bytes());
    let (passed, hits, outcome) = passed_over(&packs, folder.path(), true);
    assert_eq!((passed, hits), (301, 301));
    let finding = outcome.findings.iter().next().unwrap().unwrap();
    assert_eq!(finding.window.unwrap().count, 300);
}

/// What may be deeper than a hit may keep is kept of a record that is parsed, or is a fault, as in a full scan.
#[test]
fn what_a_noted_hit_keeps_is_no_deeper_than_it_may_be() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), PLACE, &gzip(format!("{{\"Records\":[{}]}}", events_of_instance(20).join(",")).as_bytes()));
    // Levels that are written, levels that are made within them; whether the hits are noted, and whether they are faults.
    for (written, made, is_noted, is_fault) in
        [(20, 30, true, false), (40, 20, false, false), (40, 30, false, true), (20, 60, false, true)]
    {
        let keep = format!("{}made(event.eventName){}", "#{ a: ".repeat(written), " }".repeat(written));
        let functions = format!(
            "fn matches(event) {{ event.errorCode == \"X\" }}\nfn keep(event) {{ {keep} }}\n\
             fn made(name) {{ let list = name; for level in 0..{made} {{ list = [list]; }} list }}\n\
             fn context(hits) {{ #{{ kept: hits.map(|hit| hit.kept != ()) }} }}"
        );
        let head = "window: { by: sourceIPAddress, within: 2h, count: \">= 1\" }";
        let packs = crate::prefilter::packs_of([(head, functions)].into_iter());
        let (passed, hits, outcome) = passed_over(&packs, folder.path(), true);
        assert_eq!((passed > 0, hits), (is_noted, 20), "{written} and {made}");
        assert_eq!(outcome.summary.faults > 0, is_fault, "{written} and {made}");
        let ways = all_ways(&packs, &request(folder.path()));
        assert!(ways.iter().all(|way| *way == ways[0]), "{written} and {made}");
    }
}

/// What the embedded pack costs is bound by how many records it wants parsed, and how often it runs Rhai.
#[test]
fn the_embedded_pack_has_few_records_parsed() {
    let folder = tempfile::tempdir().unwrap();
    let size = support::corpus::Size { records: 6_000, per_file: 2_000 };
    support::corpus::write(folder.path(), size, support::corpus::Layout::Objects).unwrap();
    let packs = Pack::embedded().check(&Overrides::default(), &Limits::default()).unwrap();
    let mut request = request(folder.path());
    request.profile = true;
    let outcome = run(&packs, &request);
    assert_eq!(outcome.summary.records.events, 6_000);
    let profile = outcome.profile.unwrap();
    let (parsed, run) = (6_000 - profile.passed_over, profile.rows.iter().map(|(cost, _)| cost.run).sum::<u64>());
    assert!(parsed <= 150, "{parsed} of 6000 records are parsed");
    assert!(run <= 60, "Rhai is run {run} times");
}

/// Policies that are asked about every event must be told from their fields alone.
#[test]
fn few_embedded_policies_are_asked_about_every_event() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), PLACE, &gzip(format!("{{\"Records\":[{}]}}", events_of_instance(1)[0]).as_bytes()));
    let packs = Pack::embedded().check(&Overrides::default(), &Limits::default()).unwrap();
    let mut request = request(folder.path());
    request.profile = true;
    let profile = run(&packs, &request).profile.unwrap();
    let routes = packs.policies().iter().zip(profile.rows);
    let of_events = routes.filter(|(policy, _)| &*policy.header.judges == "cloudtrail");
    let every = of_events.filter(|(_, (_, route))| matches!(route, Route::Every(_)));
    let every: Vec<&str> = every.map(|(policy, _)| &*policy.id).collect();
    // Any call may be refused; `errorCode` alone tells.
    assert_eq!(every, ["denied-calls-burst"]);
}
