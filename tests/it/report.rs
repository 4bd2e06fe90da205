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
fn severity(event) { if event.requestParameters.bad == true { number("7") } else { "high" } }
"#;

/// A reader that is gone is known as one in every format, for it is no error.
#[test]
fn a_reader_that_is_gone_is_told_as_such_by_every_format() {
    struct Gone;
    impl std::io::Write for Gone {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let (packs, outcome) = outcome();
    for format in crate::redact::FORMATS {
        let error = report::write(format, &outcome, &packs, Look::default(), &mut Gone).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::BrokenPipe, "{format:?}");
    }
}

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
    report::write(format, &outcome, &packs, Look { colour, verbose: true, ..Look::default() }, &mut out).unwrap();
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

/// A report in one of the formats for other programs, which none of what logs say may steer.
fn foreign(format: Format) -> String {
    let text = written(format, false);
    let steers = |letter: char| (letter.is_control() && letter != '\n' && letter != '\r') || letter == '\u{202e}';
    assert!(!text.contains(steers), "{text:?}");
    text.replace(env!("CARGO_PKG_VERSION"), "VERSION")
}

#[test]
fn sarif_has_a_result_a_finding_and_says_what_was_not_judged() {
    let text = foreign(Format::Sarif);
    let log: Value = serde_json::from_str(&text).unwrap();
    crate::formats::assert_sarif(&log);
    let run = &log["runs"][0];
    let (rules, results) = (run["tool"]["driver"]["rules"].as_array().unwrap(), run["results"].as_array().unwrap());
    assert_eq!((rules.len(), results.len()), (1, 3));
    let report: Value = serde_json::from_str(&written(Format::Json, false)).unwrap();
    for (result, finding) in results.iter().zip(report["findings"].as_array().unwrap()) {
        assert_eq!(result["ruleId"], rules[usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()]["id"]);
        assert_eq!(result["partialFingerprints"]["lawbook/v1"], finding["fingerprint"]);
        let title = finding["title"].as_str().unwrap();
        let escaped = title.replace('\\', "\\\\").replace('[', "\\[").replace(']', "\\]");
        assert_eq!(result["message"]["text"], escaped);
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], finding["origin"]["file"]);
        assert_eq!(place["region"]["startLine"], finding["origin"]["line"]);
        assert_eq!(result["properties"]["severity"], finding["severity"]);
    }
    let notices = run["invocations"][0]["toolExecutionNotifications"].as_array().unwrap();
    assert_eq!((notices.len(), &run["invocations"][0]["executionSuccessful"]), (2, &Value::Bool(false)));
    insta::assert_snapshot!(text);
}

#[test]
fn junit_has_a_case_a_policy_and_one_for_the_scan() {
    let text = foreign(Format::Junit);
    let report = quick_junit::Report::deserialize_from_str(&text).unwrap();
    assert_eq!((report.tests, report.failures, report.errors), (2, 1, 1));
    insta::assert_snapshot!(text);
    // What fails no run fails no case.
    let (packs, mut outcome) = outcome();
    outcome.fail_on = None;
    let mut out = Vec::new();
    report::write(Format::Junit, &outcome, &packs, Look::default(), &mut out).unwrap();
    let report = quick_junit::Report::deserialize_from_str(std::str::from_utf8(&out).unwrap()).unwrap();
    assert_eq!((report.failures, report.errors), (0, 2), "a policy that failed on a record is no success");
}

#[test]
fn github_is_told_of_each_group_once() {
    let text = foreign(Format::Github);
    let is_command = |line: &str| ["::error ", "::warning ", "::notice "].iter().any(|word| line.starts_with(word));
    assert!(text.lines().all(is_command), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn markdown_takes_nothing_from_logs_for_markup() {
    let text = foreign(Format::Markdown);
    assert!(!text.contains("rm -rf ~ #"), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn csv_has_a_row_a_finding_and_no_formula() {
    let text = foreign(Format::Csv);
    let mut rows = csv::Reader::from_reader(text.as_bytes());
    let head = rows.headers().unwrap().clone();
    let rows: Vec<csv::StringRecord> = rows.records().map(Result::unwrap).collect();
    assert_eq!((rows.len(), head.len()), (3, 20));
    insta::assert_snapshot!(text);
    for name in ["=cmd()", "+1", "-1", "@SUM(1)", "\\t=1", " =1", "＝1", "＠x", "a;=cmd()", "b; -1;@c", "c\\t=1"] {
        let packs = Pack::from_text(
            "key-made",
            &POLICY
                .replace("needs: [ec2/key-pairs]", "uses: [ec2/key-pairs]")
                .replace("Key ${key} made", "${key} made"),
        )
        .check(&Overrides::default(), &Limits::default())
        .unwrap();
        let line = record("e-1", "111122223333", &format!(r#""keyName":"{name}""#));
        let (records, _) = input::events("log.ndjson", line.into_bytes());
        let request = Request::new(std::iter::empty::<&str>());
        let outcome = engine::judge(&packs, &records, Inventory::default(), &request).unwrap();
        let mut out = Vec::new();
        report::write(Format::Csv, &outcome, &packs, Look::default(), &mut out).unwrap();
        let mut rows = csv::Reader::from_reader(out.as_slice());
        let row = rows.records().next().unwrap().unwrap();
        assert!(row[2].contains("made"), "{row:?}");
        let is_formula = |cell: &str| cell.trim_start().starts_with(['=', '+', '-', '@', '＝', '＠']);
        assert!(!row.iter().any(is_formula), "{row:?}");
        // For some spreadsheets a semicolon ends a cell.
        let mut rows = csv::ReaderBuilder::new().delimiter(b';').flexible(true).from_reader(out.as_slice());
        let row = rows.records().next().unwrap().unwrap();
        assert!(!row.iter().any(is_formula), "{row:?}");
    }
}

/// What a scan of key pairs of these names tells, in a format; all findings are of one group if `grouped`.
fn of_names(names: &[&str], grouped: bool, format: Format) -> String {
    let group = if grouped { "fn group(event) { \"all\" }\n" } else { "" };
    let policy =
        POLICY.replace("needs: [ec2/key-pairs]", "uses: [ec2/key-pairs]").replace("Key ${key} made", "${key} made");
    let packs = Pack::from_text("key-made", &format!("{policy}{group}"));
    let packs = packs.check(&Overrides::default(), &Limits::default()).unwrap();
    let named = |(at, name): (usize, &&str)| {
        record(&format!("e-{at}"), "111122223333", &format!(r#""keyName":{}"#, Value::from(*name)))
    };
    let lines: Vec<String> = names.iter().enumerate().map(named).collect();
    let (records, faults) = input::events("log.ndjson", lines.join("\n").into_bytes());
    assert!(faults.is_empty() && records.len() == names.len());
    let outcome =
        engine::judge(&packs, &records, Inventory::default(), &Request::new(std::iter::empty::<&str>())).unwrap();
    let mut out = Vec::new();
    report::write(format, &outcome, &packs, Look::default(), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn findings_of_a_group_are_one_row_and_one_annotation() {
    let names = ["a", "b", "c", "d", "e", "f"];
    let rows = |text: &str| text.lines().filter(|line| line.contains("key-made")).count();
    assert_eq!(rows(&of_names(&names, false, Format::Markdown)), 6);
    let grouped = of_names(&names, true, Format::Markdown);
    assert!(rows(&grouped) == 1 && grouped.contains("and 5 more"), "{grouped}");
    let annotations = |text: &str| text.lines().filter(|line| line.starts_with("::error ")).count();
    assert_eq!(annotations(&of_names(&names, false, Format::Github)), 6);
    assert_eq!(annotations(&of_names(&names, true, Format::Github)), 1);
}

#[test]
fn a_comment_takes_all_of_a_markdown_report_and_what_is_left_out_is_counted() {
    let names: Vec<String> = (0..60).map(|at| format!("{at}{}", "@".repeat(300))).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let text = of_names(&names, false, Format::Markdown);
    let rows = text.lines().filter(|line| line.contains("key-made")).count();
    assert!(text.len() < 65_536 && rows > 5, "{} bytes, {rows} rows", text.len());
    assert!(text.contains(&format!("And {} groups more.", 60 - rows)), "{text}");
}

#[test]
fn a_title_of_nothing_is_that_of_the_policy() {
    for title in ["\"\"", "\" \\t\"", "event.requestParameters.keyName"] {
        let policy = POLICY.replace("needs: [ec2/key-pairs]", "uses: [ec2/key-pairs]");
        let policy = format!("{policy}fn title(event) {{ {title} }}\n");
        let packs = Pack::from_text("key-made", &policy).check(&Overrides::default(), &Limits::default()).unwrap();
        let line = record("e-1", "111122223333", r#""keyName":" ""#);
        let (records, _) = input::events("log.ndjson", line.into_bytes());
        let request = Request::new(std::iter::empty::<&str>());
        let outcome = engine::judge(&packs, &records, Inventory::default(), &request).unwrap();
        let findings = outcome.findings.to_vec().unwrap();
        assert_eq!(findings[0].title, "Key ${key} made");
    }
}

#[test]
fn names_of_attackers_are_text_in_every_format() {
    let names = [
        "www.evil.example and a@b.example @octocat #1 https://x.example $x$",
        "<b>x</b> [a](b) `c` *d* | e <!-- f --> &amp; {{ g }}",
        "a\u{ffff}b\u{fffe}c\u{fdd0}d\u{e0041}e\u{ad}f",
        "::error::x\n::warning::y%0A",
        "[here](https://evil.example)",
    ];
    let markdown = of_names(&names, false, Format::Markdown);
    let cells: String = markdown.lines().filter(|line| line.contains("key-made")).collect();
    for bare in ["www.", "b@", "@octocat", " #1", "://", "$x", "<b>", "[a]", "`c`", "*d*", "<!-- f"] {
        assert!(!cells.contains(bare), "{bare}: {cells}");
    }
    quick_junit::Report::deserialize_from_str(&of_names(&names, false, Format::Junit)).unwrap();
    let none = ['\u{ffff}', '\u{fffe}', '\u{fdd0}', '\u{e0041}', '\u{ad}'];
    for format in
        [Format::Text, Format::Json, Format::Ndjson, Format::Sarif, Format::Junit, Format::Github, Format::Csv]
    {
        let text = of_names(&names, false, format);
        assert!(!text.contains(none), "{format:?}");
    }
    // JSON gives back what the record had.
    let json: Value = serde_json::from_str(&of_names(&names, false, Format::Json)).unwrap();
    assert_eq!(json["findings"][2]["context"]["key"], names[2]);
    let sarif: Value = serde_json::from_str(&of_names(&names, false, Format::Sarif)).unwrap();
    assert_eq!(sarif["runs"][0]["results"][4]["message"]["text"], "\\[here\\](https://evil.example) made");
    assert_eq!(of_names(&names, false, Format::Github).lines().filter(|line| line.starts_with("::error ")).count(), 5);
}
