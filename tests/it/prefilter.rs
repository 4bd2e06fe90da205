//! What is passed over changes nothing: a scan by index and facts is compared with a full scan by scripts alone.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use flate2::Compression;
use flate2::write::GzEncoder;
use lawbook::engine::{Outcome, PolicyCounts, Request, scan};
use lawbook::policy::{Checked, Overrides, Pack};
use lawbook::report::{Format, Look, write};
use lawbook::script::Limits;
use proptest::prelude::*;

/// What policies ask before their script is run, and the script: none of them can fail on any record.
const POLICIES: &[(&str, &str)] = &[
    ("", "event.eventName == \"A\""),
    ("", "event.errorCode != ()"),
    ("", "event.errorCode in [\"Denied\", \"Client.X\"] && event.eventSource != \"s\""),
    ("", "event.userIdentity.type == \"Root\" || event.userIdentity.arn == \"u\""),
    ("", "if event.eventSource != \"ec2.amazonaws.com\" { return false; } event.requestParameters.eventName == \"A\""),
    ("", "switch event.eventName { \"A\" | \"B\" => event.awsRegion == (), \"\\u00e9\" => true, _ => false }"),
    ("", "!(event.eventName == \"A\" || event.eventName == \"B\" || event.eventName == ())"),
    ("", "type_of(event.eventName) == \"string\" && event.eventName.starts_with(\"A\")"),
    ("", "refused(event)"),
    ("", "actor(event).type == \"Root\""),
    ("", "let n = 0; for key in [event.eventName, event.errorCode] { if key == \"A\" { n += 1; } } n > 0"),
    ("", "event.requestParameters.a.b.c == \"deep\""),
    ("", "event[\"event.Name\"] == \"A\" || event[\"\"] == \"A\""),
    ("when: { eventName: A }", "true"),
    ("when: { eventName: [A, B], eventSource: ec2.amazonaws.com }", "event.errorCode == ()"),
    ("when: { eventName: null }", "true"),
    ("when: { eventName: [null, \"é\"] }", "event.eventSource == \"s\""),
    ("when: { eventName: [12, true] }", "true"),
    ("when: { readOnly: false }", "event.eventName == \"B\""),
    ("when: { errorCode: null, eventSource: [s, ec2.amazonaws.com] }", "event.userIdentity.type == \"Root\""),
    ("when: { userIdentity.type: Root }", "event.awsRegion == \"r\""),
    ("when: { requestParameters.eventName: A }", "true"),
    ("when: { requestParameters.a.b.c: deep }", "true"),
    (
        "when: { eventName: [AssociateAddress, B] }\nuses: [ec2/addresses]",
        "lookup_all(\"ec2/addresses\", \"PublicIp\", event.eventName).is_empty()",
    ),
    ("needs: [ec2/flow-logs]", "event.eventName == \"A\""),
    (
        "uses: [cloudtrail/address-associations]",
        "event.eventName == \"B\" && lookup_all(\"cloudtrail/address-associations\", \"AssociationId\", \"x\").len() > 0",
    ),
    ("", "event.errorCode in [\"Denied\", \"s\", \"Denied\"]"),
    ("uses: [cloudtrail/sessions]", "event.eventName == \"C\" && actor(event).origin.type == \"Root\""),
    ("uses: [cloudtrail/sessions]", "actor(event).via == () && actor(event).type == \"AssumedRole\""),
    ("", "error_code(event) == \"Denied\" || event.eventSource.starts_with(\"ec2\")"),
    ("", "error_code(event) in [\"X\", \"Denied\"] || actor(event).type == \"Root\""),
    ("", "glob(event.eventSource, \"*amazonaws*\") && event.eventName != ()"),
    ("", "(event.errorCode ?? \"none\") == \"none\" && event.userIdentity.type == \"Root\""),
    ("", "(event.errorCode ?? \"none\") == \"Denied\" || event.eventName.contains(\"A\")"),
    ("", "region(event) == \"r\" || region(event) == \"us-east-1\""),
    (
        "",
        "list(event.requestParameters.a).some(|a| a.b.c == \"deep\") || list(event.eventName).some(|name| name == \"B\")",
    ),
];

fn packs() -> Checked {
    packs_of(POLICIES.iter().map(|(head, matches)| (*head, format!("fn matches(event) {{ {matches} }}"))))
}

/// Policies of these lines of front matter and these functions, each in a pack of its own.
pub(crate) fn packs_of<'a>(policies: impl Iterator<Item = (&'a str, String)>) -> Checked {
    let mut all = Checked::default();
    for (at, (head, functions)) in policies.enumerate() {
        let head: String = head.lines().map(|line| format!("//! {line}\n")).collect();
        let text =
            format!("//! ---\n//! title: T\n//! severity: low\n//! judges: cloudtrail\n{head}//! ---\n{functions}\n");
        match Pack::from_text(&format!("p{at}"), &text).check(&crate::of_invented_events(), &Limits::default()) {
            Ok(checked) => all.join(checked),
            Err(mistakes) => panic!("{}", lawbook::report::diagnostic::draw(&mistakes, false)),
        }
    }
    all
}

/// All that a run tells.
#[derive(Debug, PartialEq)]
struct Told {
    report: String,
    counts: Vec<PolicyCounts>,
    code: u8,
}

fn told(outcome: &Outcome, packs: &Checked) -> Told {
    let mut report = Vec::new();
    write(Format::Json, outcome, packs, Look::default(), &mut report).unwrap();
    let report = String::from_utf8(report).unwrap();
    Told { report, counts: outcome.policies.clone(), code: outcome.summary.exit.code }
}

fn request(paths: &[PathBuf]) -> Request {
    let mut request = Request::new(paths);
    request.now = "2024-05-15T00:00:00Z".parse().unwrap();
    request.threads = 1;
    request
}

fn run(packs: &Checked, request: &Request) -> Outcome {
    scan(packs, request, &()).unwrap()
}

/// A full scan, and scans by index in one and several threads, as one list.
fn all_ways(packs: &Checked, request: &Request) -> Vec<Told> {
    let way = |no_index: bool, threads: usize| {
        let request = Request { no_index, threads, ..request.clone() };
        told(&run(packs, &request), packs)
    };
    vec![way(true, 1), way(false, 1), way(false, 3)]
}

fn gzip(text: &[u8]) -> Vec<u8> {
    packed(text, Compression::fast())
}

fn packed(text: &[u8], how: Compression) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), how);
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

/// JSON for a value of an event's field: plain, escaped, of other kinds, and look-alikes.
fn value() -> impl Strategy<Value = String> {
    let values = [
        r#""A""#,
        r#""B""#,
        r#""\u0041""#,
        r#""é""#,
        r#""\u00e9""#,
        r#""A ""#,
        r#""AssociateAddress""#,
        r#""ec2.amazonaws.com""#,
        r#""s""#,
        r#""Denied""#,
        r#""Client.X""#,
        r#""Root""#,
        r#""r""#,
        r#""u""#,
        r#""AB""#,
        r#""x\",\"eventName\":\"A""#,
        r#""\\\"""#,
        "null",
        "true",
        "false",
        "12",
        "12.0",
        "-1e3",
        "{}",
        "[]",
        r#"{"eventName":"A","eventSource":"ec2.amazonaws.com"}"#,
        r#"["A",{"eventName":"A"}]"#,
        r#"{"type":"Root","arn":"u"}"#,
        r#"{"type":"IAMUser","type":"Root"}"#,
        r#"{"eventName":"A","a":{"b":{"c":"deep"}}}"#,
        r#"{"a":{"b":{"c":"deep","c":"no"}},"a":null}"#,
        r#"{"associationId":"x","publicIp":"192.0.2.1"}"#,
        r#"[[[[[[[[{"eventName":"A"}]]]]]]]]"#,
    ];
    proptest::sample::select(values.to_vec()).prop_map(str::to_owned)
}

/// A key of an event, as it may be spelled.
fn key() -> impl Strategy<Value = String> {
    let keys = [
        "eventName",
        "eventName",
        "eventSource",
        "errorCode",
        "userIdentity",
        "requestParameters",
        "responseElements",
        "awsRegion",
        "readOnly",
        "recipientAccountId",
        "eventTime",
        "eventID",
        "eventVersion",
        r"\u0065ventName",
        r"event\u004eame",
        "event.Name",
        "",
        "Records",
        "detail",
        r#"\"eventName\":\"A\""#,
    ];
    proptest::sample::select(keys.to_vec()).prop_map(str::to_owned)
}

fn blank() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec!["", "", "", " ", "\n", "\t\r\n "])
}

/// A record: most begin as those of CloudTrail do.
fn record() -> impl Strategy<Value = String> {
    let member =
        (key(), value(), blank(), blank()).prop_map(|(key, value, a, b)| format!("{a}\"{key}\"{b}:{a}{value}{b}"));
    let usual = proptest::sample::select(vec![
        r#""eventVersion":"1.10","eventSource":"s","eventName":"A","#,
        r#""eventVersion":"1.10","eventTime":"2024-05-14T12:00:00Z","eventSource":"ec2.amazonaws.com","eventName":"B","#,
        r#""eventVersion":"1.10","userIdentity":{"type":"Root"},"eventSource":"s","eventName":"C","awsRegion":"us-east-1","#,
        r#""eventVersion":"1.10","eventSource":"ec2.amazonaws.com","eventName":"AssociateAddress","responseElements":{"associationId":"x"},"#,
        r#""eventVersion":"1.10","userIdentity":{"type":"Root"},"eventSource":"sts.amazonaws.com","eventName":"AssumeRole","responseElements":{"credentials":{"accessKeyId":"k"}},"#,
        r#""eventVersion":"1.10","userIdentity":{"type":"AssumedRole","accessKeyId":"k"},"eventSource":"s","eventName":"C","#,
        r#""eventVersion":"1.10","#,
        "",
    ]);
    (usual, proptest::collection::vec(member, 0..8))
        .prop_map(|(usual, members)| format!("{{{usual}{}}}", members.join(",")).replace(",}", "}"))
}

/// How records lie in a file.
#[derive(Clone, Copy, Debug)]
enum Lie {
    Object,
    Lines,
    Array,
    Pretty,
    Marked,
}

fn lay(records: &[String], lie: Lie) -> Vec<u8> {
    let text = match lie {
        Lie::Object => format!("{{\"Records\":[{}]}}", records.join(",")),
        Lie::Lines => records.iter().map(|record| record.replace(['\n', '\r'], " ") + "\n").collect(),
        Lie::Array => format!("[{}]", records.join(" ,\n")),
        Lie::Pretty => format!("{{ \"x\" : [1, {{}}],\n\"Records\" :\n[ {} ] , \"y\" : 2 }}\n", records.join(" , ")),
        Lie::Marked => format!("\u{feff}{{\"Records\":[{}]}}", records.join(",")),
    };
    text.into_bytes()
}

fn lie() -> impl Strategy<Value = Lie> {
    proptest::sample::select(vec![Lie::Object, Lie::Object, Lie::Lines, Lie::Array, Lie::Pretty, Lie::Marked])
}

/// A filter, or none.
fn filter() -> impl Strategy<Value = [bool; 3]> {
    proptest::sample::select(vec![
        [false; 3],
        [false; 3],
        [true, false, false],
        [false, true, false],
        [false, false, true],
    ])
}

fn with_filter(mut request: Request, [time, account, region]: [bool; 3]) -> Request {
    let filter = &mut request.settings.filter;
    filter.since = time.then(|| "2024-05-14T11:00:00Z".parse().unwrap());
    filter.accounts = account.then(|| "111122223333".to_owned()).into_iter().collect();
    filter.regions = region.then(|| "us-east-1".to_owned()).into_iter().collect();
    request
}

/// Where a log object of CloudTrail lies, and another file.
const PLACES: [&str; 2] = [
    "AWSLogs/111122223333/CloudTrail/us-east-1/2024/05/14/111122223333_CloudTrail_us-east-1_20240514T1200Z_abcdefgh.json.gz",
    "log.json",
];

fn put(folder: &Path, place: &str, bytes: &[u8]) -> PathBuf {
    let file = folder.join(place);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, bytes).unwrap();
    file
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    /// Whatever records hold, however they lie in a file, and wherever that is.
    #[test]
    fn a_scan_by_index_tells_what_a_full_scan_tells(
        records in proptest::collection::vec(record(), 1..12),
        lie in lie(),
        packed in any::<bool>(),
        place in 0..2_usize,
        filter in filter(),
        why in proptest::option::of(0..POLICIES.len()),
    ) {
        let packs = packs();
        let folder = tempfile::tempdir().unwrap();
        let text = lay(&records, lie);
        put(folder.path(), PLACES[place], &if packed { gzip(&text) } else { text.clone() });
        let mut request = with_filter(request(&[folder.path().to_owned()]), filter);
        request.why = why.map(|at| format!("p{at}"));
        let ways = all_ways(&packs, &request);
        prop_assert_eq!(&ways[0], &ways[1], "{}", String::from_utf8_lossy(&text));
        prop_assert_eq!(&ways[1], &ways[2]);
        let seen = ways[0].counts.iter().all(|counts| counts.asked == counts.findings + counts.silent + counts.not_evaluated + counts.faults);
        prop_assert!(seen, "{:?}", ways[0].counts);
    }

    /// What is broken is told, where nothing vouches for the file.
    #[test]
    fn what_is_broken_is_told_all_the_same(
        records in proptest::collection::vec(record(), 1..8),
        lie in lie(),
        packed in any::<bool>(),
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>(), 0..4_u8), 1..4),
    ) {
        let packs = packs();
        let folder = tempfile::tempdir().unwrap();
        let mut text = lay(&records, lie);
        for (at, byte, how) in changes {
            let at = at.index(text.len());
            match how {
                0 => text[at] = byte,
                1 => { text.remove(at); }
                2 => text.insert(at, b"{}[]\",:\\\n 0x"[usize::from(byte) % 12]),
                _ => text.truncate(at.max(1)),
            }
            if text.is_empty() {
                text.push(b' ');
            }
        }
        put(folder.path(), PLACES[1], &if packed { gzip(&text) } else { text.clone() });
        let request = request(&[folder.path().to_owned()]);
        // Only a compressed object that says of itself that it is CloudTrail's is trusted to be JSON: see SECURITY.md.
        let is_vouched_for = packed && text.starts_with(b"{\"Records\":[{\"eventVersion\":");
        let ways = all_ways(&packs, &request);
        prop_assert!(is_vouched_for || ways[0] == ways[1], "{}\n{:?}", String::from_utf8_lossy(&text), ways);
        prop_assert_eq!(&ways[1], &ways[2]);
    }
}

/// Brackets match in all of these, and they are no JSON: where a record ends, and what is told, is the same all the same.
#[test]
fn what_only_looks_like_json_is_told_as_a_full_scan_tells_it() {
    let packs = packs();
    let folder = tempfile::tempdir().unwrap();
    let sound = r#"{"eventVersion":"1.10","eventSource":"s","eventName":"A"}"#;
    for broken in [
        r#"{"eventVersion":"1.10","eventSource":"s","eventName" "A"}"#,
        r#"{"eventVersion":"1.10","eventSource":"s","eventName"
 :"A"
 ,"x"
 {"eventVersion":"1.10","eventSource":"s","eventName":"B"}}"#,
        r#"{"eventVersion":"1.10","eventSource":"s","eventName":"B",,}"#,
        r#"{"eventVersion":"1.10","eventSource":"s","eventName":B}"#,
        r#"{"eventVersion":"1.10","eventSource":"s","eventName":"B","n":01}"#,
        r#"{"eventVersion":"1.10" {"eventVersion":"1.10","eventSource":"s","eventName":"A"} }"#,
    ] {
        let records = [sound.to_owned(), broken.to_owned(), sound.to_owned()];
        for lie in [Lie::Object, Lie::Lines, Lie::Array, Lie::Pretty, Lie::Marked] {
            put(folder.path(), PLACES[1], &lay(&records, lie));
            let ways = all_ways(&packs, &request(&[folder.path().to_owned()]));
            assert_eq!(ways[0], ways[1], "{broken} {lie:?}");
            assert!(ways[0].report.contains("\"stage\": \"input\""), "{broken} {lie:?}: {}", ways[0].report);
        }
    }
}

/// A line that ends within a record of a compressed log object says that something broke off there.
#[test]
fn a_record_behind_one_that_broke_off_is_found_in_a_compressed_object() {
    let packs = packs();
    let folder = tempfile::tempdir().unwrap();
    let text = concat!(
        r#"{"Records":[{"eventVersion":"1.10","eventSource":"s","eventName":"quiet","a":1"#,
        "\n",
        r#"{"eventVersion":"1.10","eventSource":"s","eventName":"A"}}]}"#
    );
    put(folder.path(), PLACES[1], &gzip(text.as_bytes()));
    let ways = all_ways(&packs, &request(&[folder.path().to_owned()]));
    assert_eq!(ways[0], ways[1]);
    assert_eq!(ways[1], ways[2]);
    assert!(
        ways[0].report.contains("breaks off") && ways[0].report.contains("\"policy\": \"p0\""),
        "{}",
        ways[0].report
    );
}

/// What is passed over in a compressed log object may be unchecked, but a hit of a window is no hit if it is no JSON.
#[test]
fn what_is_no_json_is_no_hit() {
    let head = "window: { by: eventSource, within: 1h, count: \">= 2\" }";
    let packs = packs_of([(head, "fn matches(event) { event.eventName == \"A\" }".to_owned())].into_iter());
    let folder = tempfile::tempdir().unwrap();
    for (flag, code) in [("true", 1), ("oops", 2)] {
        let record = |id: u32| {
            format!(
                r#"{{"eventVersion":"1.10","eventSource":"s","eventName":"A","eventTime":"2024-05-14T10:00:0{id}Z","eventID":"{id}","readOnly":{flag}}}"#
            )
        };
        let text = format!("{{\"Records\":[{}]}}", (0..3).map(record).collect::<Vec<_>>().join(","));
        put(folder.path(), PLACES[1], &gzip(text.as_bytes()));
        let ways = all_ways(&packs, &request(&[folder.path().to_owned()]));
        assert_eq!(ways[0].code, code, "{}", ways[0].report);
        assert_eq!(ways[0], ways[1]);
        assert_eq!(ways[1], ways[2]);
    }
}

/// What payloads may inflate to in all, and how many reasons are listed, does not depend on what stands between them.
#[test]
fn limits_do_not_depend_on_what_is_passed_over() {
    let packs = packs_of([("when: { eventName: HIT }", "fn matches(event) { true }".to_owned())].into_iter());
    let folder = tempfile::tempdir().unwrap();
    let event =
        |name: &str| format!(r#"{{"eventVersion":"1.10","eventSource":"s","eventName":"{name}","eventID":"{name}"}}"#);
    let payload = |number: usize| {
        let inner = format!("{}{}", event("HIT").replace("\"HIT\"}", &format!("\"{number}\"}}")), " ".repeat(60_000));
        format!(r#"{{"awslogs":{{"data":"{}"}}}}"#, BASE64.encode(packed(inner.as_bytes(), Compression::best())))
    };
    let lines = |between: usize, hits: usize, odd: usize| {
        let quiet = vec![event("quiet"); between];
        let odd = (0..odd).flat_map(|number| [event("quiet"), format!("{{\"k{number}\":1}}")]);
        quiet.into_iter().chain((0..hits).map(payload)).chain(odd).collect::<Vec<_>>().join("\n")
    };
    // What is between them lets payloads inflate to more: without it the last one is a fault.
    for (text, code) in [(lines(60, 5, 0), 1), (lines(0, 5, 0), 2), (lines(0, 0, 3_000), 2)] {
        put(folder.path(), "log.json", text.as_bytes());
        let mut request = request(&[folder.path().to_owned()]);
        request.settings.max_record = 64 << 10;
        let ways = all_ways(&packs, &request);
        assert_eq!(ways[0].code, code);
        assert_eq!(ways[0], ways[1]);
        assert_eq!(ways[1], ways[2]);
    }
}

/// Everything that was ever seen, in every shape, by the embedded pack and by the battery.
#[test]
fn real_records_are_judged_alike() {
    let data = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data"));
    let folders: Vec<PathBuf> = ["events", "formats", "inventory"].iter().map(|name| data.join(name)).collect();
    let sample = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/sample")).to_owned();
    let mut todo = vec![sample];
    if data.exists() {
        todo.extend(folders);
    } else {
        crate::skipped(&format!("real records: {} is absent", data.display()));
    }
    let embedded = Pack::embedded().check(&Overrides::default(), &Limits::default()).unwrap();
    for packs in [embedded, packs()] {
        for folder in &todo {
            let ways = all_ways(&packs, &request(std::slice::from_ref(folder)));
            assert_eq!(ways[0], ways[1], "{}", folder.display());
            assert_eq!(ways[1], ways[2], "{}", folder.display());
        }
    }
}

/// A log object whose path promises events and which holds inventory is read as what it is, with everything else anew.
#[test]
fn inventory_in_the_place_of_a_log_object_is_found() {
    let packs = packs();
    let folder = tempfile::tempdir().unwrap();
    let addresses = br#"{"Addresses":[{"PublicIp":"192.0.2.1","AllocationId":"eipalloc-1","Domain":"vpc"}]}"#;
    let (_, name) = PLACES[0].rsplit_once('/').unwrap();
    for (at, place) in [PLACES[0].to_owned(), format!("collected/{name}")].iter().enumerate() {
        let folder = folder.path().join(at.to_string());
        put(&folder, place, &gzip(addresses));
        put(&folder, "log.json", br#"{"eventVersion":"1.10","eventSource":"s","eventName":"A"}"#);
        let ways = all_ways(&packs, &request(&[folder]));
        assert_eq!(ways[0], ways[1]);
        assert_eq!(ways[1], ways[2]);
        let report = &ways[0].report;
        assert!(report.contains("\"resources\":1") || report.contains("\"resources\": 1"), "{report}");
    }
}

/// What a scan by index saves is counted: records that are never parsed, and calls of scripts.
#[test]
fn what_no_policy_asks_for_is_neither_parsed_nor_run() {
    let policy = |id: &str, head: &str, script: &str| {
        let text = format!(
            "//! ---\n//! title: T\n//! severity: low\n//! judges: cloudtrail\n{head}//! ---\nfn matches(event) {{ {script} }}\n"
        );
        Pack::from_text(id, &text).check(&crate::of_invented_events(), &Limits::default()).unwrap()
    };
    let mut packs = policy(
        "by-when",
        "//! when: { eventName: A }\n",
        "let codes = []; codes.insert(0, event.errorCode); codes.len() == 1",
    );
    packs.join(policy("by-script", "", "event.eventName == \"A\" && event.errorCode == ()"));
    let folder = tempfile::tempdir().unwrap();
    let record = |at: usize, name: &str| {
        format!(r#"{{"eventVersion":"1.10","eventSource":"s","eventName":"{name}","eventID":"{at}"}}"#)
    };
    let records: Vec<String> = (0..1_000).map(|at| record(at, if at % 100 == 0 { "A" } else { "B" })).collect();
    put(folder.path(), PLACES[0], &gzip(&lay(&records, Lie::Object)));
    let mut request = request(&[folder.path().to_owned()]);
    request.profile = true;
    let cost = |request: &Request| {
        let outcome = run(&packs, request);
        assert_eq!((outcome.summary.records.events, outcome.summary.findings.total), (1_000, 20));
        let profile = outcome.profile.unwrap();
        (profile.passed_over, [profile.rows[0].0.run, profile.rows[1].0.run])
    };
    assert_eq!(cost(&request), (990, [10, 0]));
    request.no_index = true;
    assert_eq!(cost(&request), (0, [10, 1_000]), "only `when` is asked before a script");
}

/// Another file's variable of a constant's name is elsewhere, and there may be as many variables as somebody writes.
#[test]
fn what_other_variables_there_are_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("lib")).unwrap();
    fs::write(folder.path().join("pack.yaml"), "lawbook: 1\nname: variables\n").unwrap();
    let library = "fn counted(list) { let ROLES = 0; for item in list { ROLES += 1; } ROLES }\n";
    fs::write(folder.path().join("lib/counting.rhai"), library).unwrap();
    let many: String = (0..300).map(|number| format!("let a{number} = 1; ")).collect();
    let policies = [
        (
            "constant",
            "const ROLES = [\"A\", \"B\"];\nfn matches(event) { ROLES.contains(event.eventName) }\n".to_owned(),
        ),
        (
            "both",
            "const ROLES = [\"A\", \"B\"];\nfn matches(event) { event.eventName == \"A\" }\n\
             fn title(event) { `${ROLES[0]} of ${counted(ROLES)} ${ROLES.len()}` }\n"
                .to_owned(),
        ),
        ("many", format!("fn matches(event) {{ {many} event.eventName == \"A\" }}\n")),
    ];
    for (id, functions) in &policies {
        let head = "//! ---\n//! title: T\n//! severity: low\n//! judges: cloudtrail\n//! ---\n";
        fs::write(folder.path().join(format!("{id}.rhai")), format!("{head}{functions}")).unwrap();
    }
    let packs = Pack::from_folder(folder.path()).unwrap().check(&crate::of_invented_events(), &Limits::default());
    let packs = packs.unwrap_or_else(|mistakes| panic!("{}", lawbook::report::diagnostic::draw(&mistakes, false)));
    let log = folder.path().join("log.json");
    fs::write(
        &log,
        r#"{"eventVersion":"1.10","eventID":"e","eventSource":"s","eventName":"A","eventTime":"2024-05-14T00:00:00Z"}"#,
    )
    .unwrap();
    let [full, by_index, _] = &all_ways(&packs, &request(&[log]))[..] else { panic!("three ways") };
    assert_eq!(full, by_index);
    assert_eq!((full.code, full.counts.iter().map(|counts| counts.findings).sum::<u64>()), (1, 3));
    assert!(full.report.contains("A of 2 2"), "{}", full.report);
}
