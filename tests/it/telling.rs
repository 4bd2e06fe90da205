//! What schedulers and collectors are told: standard error as JSON, and metrics for Prometheus.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Value, json};

use crate::cli::{Desk, Ran, event, log, policy};

/// Standard error, a JSON object a line and nothing else.
fn told(ran: &Ran) -> Vec<Value> {
    let lines: Vec<Value> = ran.err.lines().map(|line| serde_json::from_str(line).expect(&ran.err)).collect();
    for line in &lines {
        let members: Vec<&String> = line.as_object().unwrap().keys().collect();
        assert_eq!(members.len(), 5, "{line}");
        assert!(line["time"].as_str().unwrap().parse::<jiff::Timestamp>().is_ok(), "{line}");
        assert!(["error", "warn", "info"].contains(&line["level"].as_str().unwrap()), "{line}");
        assert!(
            !line["message"].as_str().unwrap().is_empty() && line["event"].is_string() && line["fields"].is_object()
        );
    }
    assert!(!ran.err.contains(|letter: char| letter.is_control() && letter != '\n'), "{:?}", ran.err);
    lines
}

fn events(lines: &[Value]) -> Vec<(&str, &str)> {
    lines.iter().map(|line| (line["level"].as_str().unwrap(), line["event"].as_str().unwrap())).collect()
}

const JSON: [&str; 2] = ["--log-format", "json"];

fn desk() -> Desk {
    let desk = Desk::new();
    desk.write("log.json", log(&[event("1", json!({}))]));
    desk.write("key.rhai", policy("Key made", "fn matches(event) { true }"));
    desk
}

#[test]
fn a_scan_tells_faults_and_reasons_as_json() {
    let desk = desk();
    let args = ["scan", "log.json", "--policy", "key.rhai"];
    let ran = desk.run(&[&args[..], &JSON].concat()).exits(1);
    let lines = told(&ran);
    assert_eq!(events(&lines), [("warn", "warnings"), ("info", "finished"), ("warn", "exit")]);
    let lines = &lines[1..];
    assert!(lines[0]["fields"]["seconds"].as_f64().unwrap() >= 0.0);
    assert_eq!(lines[0]["fields"]["records"]["events"], 1);
    assert_eq!(lines[1]["fields"], json!({ "code": 1, "reasons": ["1 new finding of severity low or above"] }));
    assert!(ran.out.starts_with("LOW  "), "the report is what it was: {}", ran.out);
    let plain = desk.run(&args).exits(1);
    let warning = "policies: 4 warnings (try: `lawbook check` with their files)\n".to_owned();
    assert_eq!((plain.out, plain.err), (ran.out, warning));

    desk.write("broken\u{1b}.json", "{\"eventVersion\": \"a\u{202e}\n");
    let ran = desk.run(&[&["scan", ".", "--policy", "key.rhai", "--format", "json"], &JSON[..]].concat()).exits(2);
    let lines = told(&ran);
    let lines = &lines[1..];
    assert_eq!(events(lines), [("info", "finished"), ("error", "fault"), ("error", "exit")]);
    assert_eq!((&lines[1]["fields"]["stage"], &lines[1]["fields"]["count"]), (&json!("input"), &json!(1)));
    assert_eq!(lines[2]["fields"]["code"], 2);

    let ran = desk.run(&[&args[..], &["--profile"], &JSON].concat()).exits(1);
    let lines = told(&ran);
    let costs = lines.iter().find(|line| line["event"] == "costs").unwrap();
    assert_eq!(costs["fields"]["policies"][0]["policy"], "key");
}

#[test]
fn mistakes_of_usage_and_of_policies_are_json_too() {
    let desk = desk();
    let lines = told(&desk.run(&["scan", "nowhere", "--log-format=json"]).exits(2));
    assert_eq!(events(&lines), [("error", "error")]);
    assert_eq!(lines[0]["fields"]["subject"], "nowhere");
    for args in [
        &["show", "--log-format", "json"][..],
        &["scan", "log.json", "--no-such", "--log-format=json"],
        &["nothing", "--log-format=json"],
    ] {
        let lines = told(&desk.run(args).exits(2));
        assert_eq!(events(&lines), [("error", "usage")]);
        assert!(lines[0]["fields"]["detail"].as_str().unwrap().contains("--help"), "{lines:?}");
    }
    // Help is no mistake.
    let ran = desk.run(&["scan", "--help", "--log-format", "json"]).succeeds();
    assert!(ran.err.is_empty() && ran.out.contains("Usage: "), "{}", ran.err);

    desk.write("bad.rhai", policy("Bad", "fn matches(event) { succeded(event) }\nfn nothing(event) { 1 }"));
    let lines = told(&desk.run(&[&["scan", "log.json", "--policy", "bad.rhai"], &JSON[..]].concat()).exits(2));
    let bad = lines.iter().find(|line| line["fields"]["code"] == "unknown-function").unwrap();
    assert_eq!(
        (&bad["level"], &bad["event"], &bad["fields"]["line"]),
        (&json!("error"), &json!("diagnostic"), &json!(7))
    );
    let ran = desk.run(&["scan", "log.json", "--policy", "bad.rhai"]).exits(2);
    assert!(ran.err.starts_with("error[unknown-function]"), "{}", ran.err);
}

#[test]
fn the_variable_says_the_same_and_the_flag_wins() {
    let desk = desk();
    let run = |args: &[&str]| {
        let mut command = crate::cli::lawbook();
        let output = command.args(args).current_dir(desk.path()).env("LAWBOOK_LOG_FORMAT", "json").output().unwrap();
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(run(&["scan", "nowhere"]).starts_with('{') && run(&["scan"]).starts_with('{'));
    assert!(run(&["scan", "nowhere", "--log-format", "text"]).starts_with("error: "));
    assert!(run(&["scan", "--log-format", "text"]).starts_with("error: "));
}

#[test]
fn tests_and_summaries_speak_the_same() {
    let desk = desk();
    desk.write("key.cases.yaml", "cases:\n  - name: other\n    record: { eventVersion: \"1.10\", eventID: x, eventSource: ec2.amazonaws.com, eventName: A }\n    expect: silent\n");
    let lines = told(&desk.run(&[&["test", "key.rhai", "--ci"], &JSON[..]].concat()).exits(1));
    assert_eq!(events(&lines), [("warn", "exit")]);
    assert_eq!(lines[0]["fields"]["code"], 1);
    let lines = told(&desk.run(&[&["summary", "log.json"], &JSON[..]].concat()).succeeds());
    assert_eq!(events(&lines), [("info", "finished")]);
}

#[test]
fn every_other_command_speaks_the_same() {
    let desk = desk();
    let said = |args: &[&str]| {
        let ran = desk.run(&[args, &JSON[..]].concat());
        (ran.code, told(&ran))
    };
    let (code, lines) = said(&["try", "print(1); event.eventNmae", "log.json"]);
    assert_eq!((code, events(&lines)), (0, vec![("info", "printed"), ("warn", "warning")]));
    assert!(lines[1]["message"].as_str().unwrap().contains("did you mean `eventName`?"), "{}", lines[1]);
    desk.write("broken.json", "not json");
    let (code, lines) = said(&["try", "throw 1", "."]);
    assert_eq!((code, events(&lines)), (2, vec![("error", "fault"); 2]));
    assert_eq!(lines[1]["fields"]["origins"][0]["file"], "./broken.json");
    std::fs::remove_file(desk.path().join("broken.json")).unwrap();
    desk.write("empty.json", "");
    let (code, lines) = said(&["try", "1", "empty.json"]);
    assert_eq!((code, events(&lines)), (2, vec![("error", "exit")]));

    let (code, lines) = said(&["check", "key.rhai"]);
    assert!(code == 0 && lines.len() > 2, "{lines:?}");
    assert!(
        lines.iter().all(|line| line["event"] == "diagnostic" && line["fields"]["file"] == "key.rhai"),
        "{lines:?}"
    );

    let report = ["scan", "log.json", "--policy", "key.rhai", "--format", "json", "-o", "report.json"];
    desk.run(&report).exits(1);
    let (code, lines) = said(&["remediate", "report.json", "--policy", "key.rhai", "--at-least", "critical"]);
    assert_eq!((code, events(&lines)), (0, vec![("info", "plan"), ("warn", "left_out")]), "{lines:?}");
    assert_eq!(lines[1]["fields"]["count"], 1);

    desk.write("stale.md", "");
    let (code, lines) = said(&["docs", "--check", "stale.md"]);
    assert_eq!((code, events(&lines)), (1, vec![("warn", "stale")]));

    desk.write("pack/pack.yaml", "lawbook: 1\nname: mine\nversion: 1.0.0\n");
    desk.write("pack/key.rhai", policy("Key made", "fn matches(event) { true }"));
    desk.write("pack/key.cases.yaml", "cases:\n  - name: other\n    record: { eventVersion: \"1.10\", eventID: x, eventSource: ec2.amazonaws.com, eventName: A }\n    expect: silent\n");
    let (code, lines) = said(&["pack", "build", "pack", "-o", "mine.tar.gz"]);
    assert_eq!((code, events(&lines)), (2, vec![("error", "tests"), ("error", "error")]));
    assert!(lines[0]["message"].as_str().unwrap().contains("other"), "{}", lines[0]);
}

/// A sample: name, labels, value.
type Sample = (String, BTreeMap<String, String>, f64);

/// Reads the text format of Prometheus as strictly as its documents have it, and fails on anything else.
fn samples(text: &str) -> Vec<Sample> {
    let is_name = |name: &str| {
        name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_' || first == ':')
            && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_' || letter == ':')
    };
    assert!(text.ends_with('\n') && !text.contains('\r'), "every line ends");
    let (mut all, mut seen, mut done) = (Vec::<Sample>::new(), BTreeSet::new(), BTreeSet::new());
    let (mut helped, mut typed) = (None::<String>, None::<String>);
    for line in text.lines() {
        assert!(!line.is_empty() && line == line.trim(), "{line:?}");
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').unwrap();
            assert!(is_name(name) && !help.is_empty() && done.insert(name.to_owned()), "{name} stands in two places");
            (helped, typed) = (Some(name.to_owned()), None);
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert_eq!(Some(name), helped.as_deref());
            assert!(["counter", "gauge", "histogram", "summary", "untyped"].contains(&kind), "{kind}");
            typed = Some(name.to_owned());
        } else {
            assert!(!line.starts_with('#'), "{line}");
            let end = line.find(['{', ' ']).unwrap();
            let name = &line[..end];
            assert!(is_name(name) && typed.as_deref() == Some(name), "{line}: its type stands above it");
            let (mut labels, mut rest) = (BTreeMap::new(), &line[end..]);
            if let Some(inner) = rest.strip_prefix('{') {
                rest = inner;
                loop {
                    let (label, after) = rest.split_once("=\"").unwrap();
                    assert!(is_name(label) && !label.contains(':') && !label.starts_with("__"), "{label}");
                    let (mut value, mut letters) = (String::new(), after.char_indices());
                    let close = loop {
                        match letters.next().unwrap() {
                            (at, '"') => break at,
                            (_, '\\') => value.push(match letters.next().unwrap().1 {
                                '\\' => '\\',
                                '"' => '"',
                                'n' => '\n',
                                other => panic!("\\{other} is no escape"),
                            }),
                            (_, letter) => value.push(letter),
                        }
                    };
                    assert!(labels.insert(label.to_owned(), value).is_none(), "{label} twice");
                    rest = &after[close + 1..];
                    if let Some(after) = rest.strip_prefix('}') {
                        rest = after;
                        break;
                    }
                    rest = rest.strip_prefix(',').unwrap();
                }
            }
            let value = rest.strip_prefix(' ').unwrap();
            assert!(seen.insert((name.to_owned(), labels.clone())), "{line} twice");
            all.push((name.to_owned(), labels, value.parse().unwrap()));
        }
    }
    all
}

fn metrics(desk: &Desk) -> Vec<Sample> {
    samples(&std::fs::read_to_string(desk.path().join("lawbook.prom")).unwrap())
}

fn value(samples: &[Sample], name: &str, labels: &[(&str, &str)]) -> Option<f64> {
    let wanted: BTreeMap<String, String> =
        labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    samples
        .iter()
        .find(|(of, labels, _)| *of == format!("lawbook_{name}") && *labels == wanted)
        .map(|(.., value)| *value)
}

fn sum(samples: &[Sample], name: &str) -> f64 {
    samples.iter().filter(|(of, ..)| *of == format!("lawbook_{name}")).map(|(.., value)| value).sum()
}

#[test]
fn metrics_say_what_the_report_says() {
    let desk = desk();
    desk.write("two.rhai", policy("Two", "fn matches(event) { throw event.eventName }"));
    desk.write("volumes.json", r#"{"Volumes":[{"VolumeId":"vol-1"}]}"#);
    let args =
        ["scan", ".", "--policy", "key.rhai", "--policy", "two.rhai", "--metrics", "lawbook.prom", "--format", "json"];
    let before = jiff::Timestamp::now().as_second();
    let report = desk.run(&args).exits(2).json();
    let told = metrics(&desk);
    let is = |name: &str, labels: &[(&str, &str)], wanted: &Value| {
        assert_eq!(value(&told, name, labels), wanted.as_f64(), "{name} {labels:?} of {told:?}");
    };
    let summary = &report["summary"];
    let of = |standing, enforcement| [("severity", "low"), ("standing", standing), ("enforcement", enforcement)];
    is("findings", &of("new", "fail"), &summary["findings"]["by_severity"]["low"]);
    assert_eq!(sum(&told, "findings"), summary["findings"]["total"].as_f64().unwrap());
    assert_eq!(told.iter().filter(|(name, ..)| name == "lawbook_findings").count(), 30, "zeroes are told, too");
    is("records", &[("kind", "event")], &summary["records"]["events"]);
    is("records", &[("kind", "resource")], &summary["records"]["resources"]);
    is("files", &[("kind", "read")], &summary["files"]["read"]);
    is("policies", &[("kind", "loaded")], &summary["policies"]["loaded"]);
    is("policies", &[("kind", "asked")], &summary["policies"]["asked"]);
    is("faults", &[("stage", "policy")], &json!(1));
    assert_eq!(sum(&told, "faults"), summary["faults"].as_f64().unwrap());
    is("not_evaluated", &[], &summary["not_evaluated"]);
    is("policy_findings", &[("pack", "local"), ("policy", "key")], &json!(1));
    is("policy_findings", &[("pack", "local"), ("policy", "two")], &json!(0));
    is("policy_faults", &[("pack", "local"), ("policy", "two")], &json!(1));
    is("last_run_exit_code", &[], &json!(2));
    is("last_run_complete", &[], &json!(0));
    is("build_info", &[("version", env!("CARGO_PKG_VERSION"))], &json!(1));
    let ended = value(&told, "last_run_timestamp_seconds", &[]).unwrap();
    assert!(ended >= before as f64 && value(&told, "last_run_duration_seconds", &[]).unwrap() >= 0.0);
    // Read by the next scan of the folder it would be no record.
    desk.run(&args).exits(2);
    assert_eq!(metrics(&desk).len(), told.len());
}

#[cfg(unix)]
#[test]
fn a_pack_of_any_name_is_a_label() {
    let desk = desk();
    let name = "a \"b\" \\ {c=\"d\"},\n\u{1b}[31m é";
    desk.write(&format!("{name}/key.rhai"), policy("Key made", "fn matches(event) { true }"));
    desk.run(&["scan", "log.json", "--pack", name, "--metrics", "lawbook.prom"]).exits(1);
    let shown = name.replace('\u{1b}', "\\u{1b}");
    assert_eq!(value(&metrics(&desk), "policy_findings", &[("pack", &shown), ("policy", "key")]), Some(1.0));
}

#[test]
fn a_run_that_stops_says_so_in_its_metrics() {
    let desk = desk();
    desk.write("bad.rhai", policy("Bad", "fn matches(event) { succeded(event) }"));
    desk.write("taken", "x");
    for args in [
        &["scan", "nowhere", "--policy", "key.rhai"][..],
        &["scan", "log.json", "--policy", "bad.rhai"],
        &["scan", "log.json", "--policy", "key.rhai", "--waivers", "nowhere.yaml"],
        &["scan", "log.json", "--policy", "key.rhai", "--report", "json=taken/x.json"],
    ] {
        desk.write("lawbook.prom", "# what was there before\n");
        desk.run(&[args, &["--metrics", "lawbook.prom"]].concat()).exits(2);
        let told = metrics(&desk);
        assert_eq!(value(&told, "last_run_exit_code", &[]), Some(2.0), "{args:?}");
        assert_eq!(value(&told, "last_run_complete", &[]), Some(0.0), "{args:?}");
        assert!(told.iter().all(|(name, ..)| name != "lawbook_findings"), "{told:?}");
    }
    // Whatever happens, nothing is left half written, and no input is written over.
    let left: Vec<String> = std::fs::read_dir(desk.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with(".lawbook"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
    let ran = desk.run(&["scan", "log.json", "--policy", "key.rhai", "--metrics", "log.json"]).exits(2);
    assert!(ran.err.starts_with("error: --metrics log.json: is read by this scan"), "{}", ran.err);
    let ran = desk.run(&["scan", "log.json", "--policy", "key.rhai", "--metrics", "no/where.prom"]).exits(2);
    assert!(ran.err.starts_with("error: --metrics no/where.prom: cannot be written"), "{}", ran.err);
    let same = ["scan", "log.json", "--policy", "key.rhai", "--metrics", "x", "--output", "x"];
    let ran = desk.run(&same).exits(2);
    assert!(ran.err.contains("is where two reports of this scan would go"), "{}", ran.err);
    assert!(!Path::new("x").exists());
}

#[test]
fn a_run_is_complete_unless_something_went_wrong() {
    let desk = desk();
    desk.write("quiet.rhai", policy("Quiet", "fn matches(event) { false }"));
    desk.write(
        "unsure.rhai",
        policy("Unsure", "fn matches(event) { all(\"ec2/images\").len() > 0 }")
            .replace("//! severity", "//! needs: [ec2/images]\n//! severity"),
    );
    // Of one region it is known that it has no images, of the other nothing.
    desk.write("inv/111122223333/us-east-1/ec2/describe-images.json", json!({ "Images": [] }).to_string());
    desk.write("two.json", log(&[event("1", json!({})), event("2", json!({ "awsRegion": "eu-west-1" }))]));
    let whole = std::fs::read_to_string(desk.path().join("log.json")).unwrap();
    desk.write("cut.json", &whole[..whole.len() - 3]);
    desk.write("waivers.yaml", "waivers:\n  - { policy: key, owner: a, reason: b, expires: soon }\n");
    desk.write("empty/readme.txt", "nothing here\n");
    for (args, code) in [
        (&["log.json", "--policy", "quiet.rhai"][..], 0),
        (&["log.json", "--policy", "key.rhai"], 1),
        (&["two.json", "--policy", "unsure.rhai", "--inventory", "inv"], 0),
        (&["log.json", "--policy", "unsure.rhai"], 2),
        (&["cut.json", "--policy", "key.rhai"], 2),
        (&["cut.json", "--policy", "quiet.rhai"], 2),
        (&["log.json", "--policy", "quiet.rhai", "--waivers", "waivers.yaml"], 2),
        (&["empty", "--policy", "quiet.rhai"], 2),
        (&["empty", "--policy", "quiet.rhai", "--allow-empty"], 0),
    ] {
        let ran = desk.run(&[&["scan", "--metrics", "lawbook.prom"][..], args].concat());
        let told = metrics(&desk);
        let complete = if code == 2 { 0.0 } else { 1.0 };
        assert_eq!(
            (ran.code, value(&told, "last_run_exit_code", &[]), value(&told, "last_run_complete", &[])),
            (code, Some(f64::from(code)), Some(complete)),
            "{args:?}: {}",
            ran.err
        );
    }
}

#[test]
fn the_alert_of_the_page_counts_what_fails_a_run_and_nothing_else() {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/scheduled-runs.md")).unwrap();
    let alert = regex::Regex::new(r"`sum\(lawbook_findings\{([^}]*)\}\) > 0`").unwrap();
    let wanted = alert.captures(&page).expect("the page proposes an alert")[1].to_owned();
    let matcher = regex::Regex::new(r#"(\w+)(=~|=)"([^"]*)""#).unwrap();
    let alerts = |told: &[Sample]| {
        let is_wanted = |labels: &BTreeMap<String, String>| {
            matcher.captures_iter(&wanted).all(|one| {
                let value = labels.get(&one[1]).unwrap_or_else(|| panic!("findings have no label `{}`", &one[1]));
                let pattern = if &one[2] == "=" { regex::escape(&one[3]) } else { one[3].to_owned() };
                regex::Regex::new(&format!("^(?:{pattern})$")).unwrap().is_match(value)
            })
        };
        let findings = told.iter().filter(|(name, ..)| name == "lawbook_findings");
        findings.filter(|(_, labels, _)| is_wanted(labels)).map(|(.., value)| value).sum::<f64>() > 0.0
    };
    let desk = desk();
    let args = ["scan", "log.json", "--policy", "key.rhai", "--severity", "key=high", "--metrics", "lawbook.prom"];
    for (more, code) in [(&[][..], 1), (&["--enforce", "key=report"], 0), (&["--severity", "key=medium"], 1)] {
        desk.run(&[&args[..], more].concat()).exits(code);
        let told = metrics(&desk);
        assert_eq!(alerts(&told), more.is_empty(), "{more:?}: {told:?}");
        assert_eq!(sum(&told, "findings"), 1.0, "all are counted, {more:?}");
    }
}
