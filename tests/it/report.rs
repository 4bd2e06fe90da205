//! Reports: one fixed scan in every format; the machine formats against their published schema.

use lawbook::engine::{self, Outcome, Request};
use lawbook::input;
use lawbook::inventory::Inventory;
use lawbook::policy::{Checked, Overrides, Pack};
use lawbook::report::{self, Format, Look};
use lawbook::script::Limits;
use serde_json::Value;

const POLICY: &str = r#"//! ---
//! lawbook: 1
//! title: Key ${key} made
//! severity: medium
//! judges: cloudtrail
//! when: { eventName: CreateKeyPair }
//! needs: [ec2/key-pairs]
//! tags: [attack.t1098]
//! references: ["https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateKeyPair.html"]
//! remediation:
//!   console: Delete ${key}.
//!   cli: aws ec2 delete-key-pair --key-name ${key}
//!   python: boto3.client("ec2").delete_key_pair(KeyName=${other})
//! ---
//! ## Why it matters
//! A key opens machines. It lasts.

fn matches(event) { event.requestParameters.keyName != () }
fn context(event) { #{ key: event.requestParameters.keyName } }
fn resources(event) { [event.requestParameters.keyName] }
fn severity(event) { if event.requestParameters.bad == true { 7 } else { "high" } }
"#;

/// A hostile name: ESC, a C1 control, a bidirectional override, quotes.
const HOSTILE: &str = "k\\u001b[31m\\u009b31m\\u202e'; rm -rf ~ #";

fn record(id: &str, account: &str, more: &str) -> String {
    format!(
        r#"{{"eventVersion":"1.10","eventID":"{id}","eventTime":"2024-05-14T12:00:00Z","eventSource":"ec2.amazonaws.com","eventName":"CreateKeyPair","awsRegion":"us-east-1","recipientAccountId":"{account}","sourceIPAddress":"198.51.100.7","userIdentity":{{"type":"IAMUser","userName":"alice","arn":"arn:aws:iam::{account}:user/alice"}},"requestParameters":{{{more}}}}}"#
    )
}

fn outcome() -> (Checked, Outcome) {
    let packs = Pack::from_text("key-made", POLICY).check(&Overrides::default(), &Limits::default()).unwrap();
    let lines = [
        record("e-1", "111122223333", r#""keyName":"laptop""#),
        record("e-2", "111122223333", &format!(r#""keyName":"{HOSTILE}""#)),
        record("e-3", "111122223333", r#""keyName":"third","bad":true"#),
        record("e-4", "444455556666", r#""keyName":"elsewhere""#),
        record("e-1", "111122223333", r#""keyName":"laptop""#),
    ];
    let (records, faults) = input::events("log.ndjson", lines.join("\n").into_bytes());
    assert!(faults.is_empty());
    let mut builder = Inventory::default().reopen();
    builder.note_collected(&"ec2/key-pairs".into(), records[0].scope.clone(), lawbook::inventory::Collected::Whole);
    let mut request = Request::new(std::iter::empty::<&str>());
    request.now = "2024-05-15T00:00:00Z".parse().unwrap();
    request.why = Some("key-made".to_owned());
    let outcome = engine::judge(&packs, &records, builder.finish().0, &request).unwrap();
    (packs, outcome)
}

fn written(format: Format, colour: bool) -> String {
    let (packs, outcome) = outcome();
    let mut out = Vec::new();
    report::write(format, &outcome, &packs, Look { colour, verbose: true }, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn validator(schema: &str) -> jsonschema::Validator {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas").join(schema);
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    jsonschema::validator_for(&schema).unwrap()
}

fn valid(validator: &jsonschema::Validator, value: &Value) {
    let errors: Vec<String> =
        validator.iter_errors(value).map(|error| format!("{} at {}", error, error.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

#[test]
fn json_is_as_published() {
    let text = written(Format::Json, false);
    let report: Value = serde_json::from_str(&text).unwrap();
    valid(&validator("report.schema.json"), &report);
    assert_eq!(report["findings"].as_array().unwrap().len(), 3);
    insta::assert_snapshot!(text.replace(env!("CARGO_PKG_VERSION"), "VERSION"));
}

#[test]
fn every_line_of_ndjson_is_as_published_and_the_summary_is_the_last() {
    let text = written(Format::Ndjson, false);
    let validator = validator("report-line.schema.json");
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    lines.iter().for_each(|line| valid(&validator, line));
    let kinds: Vec<&str> = lines.iter().map(|line| line["type"].as_str().unwrap()).collect();
    assert_eq!(
        kinds,
        ["finding", "finding", "finding", "not_evaluated", "fault", "why", "why", "why", "why", "why", "summary"]
    );
}

#[test]
fn both_machine_formats_say_the_same() {
    let report: Value = serde_json::from_str(&written(Format::Json, false)).unwrap();
    let mut findings = Vec::new();
    for line in written(Format::Ndjson, false).lines() {
        let mut line: Value = serde_json::from_str(line).unwrap();
        if line["type"] == "finding" {
            line.as_object_mut().unwrap().remove("type");
            findings.push(line);
        }
    }
    assert_eq!(report["findings"], Value::Array(findings));
}

#[test]
fn text_is_for_people() {
    insta::assert_snapshot!(written(Format::Text, false));
}

#[test]
fn no_format_lets_a_log_steer_the_terminal() {
    for format in [Format::Text, Format::Json, Format::Ndjson] {
        let text = written(format, false);
        let steers: Vec<char> =
            text.chars().filter(|c| (c.is_control() && *c != '\n') || ('\u{202a}'..='\u{202e}').contains(c)).collect();
        assert!(steers.is_empty(), "{format:?}: {steers:?}");
    }
    assert!(
        written(Format::Text, true).contains("\u{1b}["),
        "with colour there are escape sequences, and they are ours"
    );
    assert!(!written(Format::Text, true).contains("k\u{1b}"));
}

#[test]
fn a_hook_that_fails_loses_no_finding_and_duplicates_are_one() {
    let (_, outcome) = outcome();
    assert_eq!(outcome.summary.records.events, 5);
    let findings = outcome.findings.to_vec().unwrap();
    let first = &findings[0];
    assert_eq!((first.duplicates.len(), first.severity.word()), (1, "high"));
    let third = &findings[2];
    assert_eq!(third.severity.word(), "medium", "the hook's answer is none, so the metadata's stands");
    assert_eq!(outcome.faults.len(), 1);
    assert_eq!(outcome.summary.exit.code, 2);
    let counts = &outcome.policies[0];
    assert_eq!((counts.asked, counts.findings, counts.silent, counts.not_evaluated, counts.faults), (5, 4, 0, 1, 0));
}
