//! Reports in formats of others, against what those formats say: members, types, what is required, values and limits.
//!
//! `tests/data/formats/generate.py` writes these facts from what is published, and says how they are noted.

use serde_json::{Map, Value};

/// What a format says.
struct Format(Value);

impl Format {
    fn read(file: &str) -> Self {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/formats").join(file);
        Self(serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap())
    }

    /// Everything in which a value is none of the format's objects of that name.
    fn wrong(&self, object: &str, value: &Value) -> Vec<String> {
        let mut wrong = Vec::new();
        self.object(object, value, object, &mut wrong);
        wrong
    }

    fn object(&self, name: &str, value: &Value, at: &str, wrong: &mut Vec<String>) {
        let Some(members) = self.0["objects"][name].as_object() else {
            return wrong.push(format!("{at}: objects of the type {name} are not noted"));
        };
        let Some(object) = value.as_object() else { return wrong.push(format!("{at}: is no object")) };
        for (key, member) in object {
            let at = format!("{at}.{key}");
            match members.get(key).or_else(|| members.get(&format!("{key}!"))) {
                Some(rule) => self.value(rule, member, &at, wrong),
                None if members.contains_key(&format!("{key}-")) => wrong.push(format!("{at}: is deprecated")),
                None if members.contains_key("*") => {}
                None => wrong.push(format!("{at}: is no member of {name}")),
            }
        }
        let has = |key: &str| object.contains_key(key);
        let required = members.keys().filter_map(|key| key.strip_suffix('!'));
        wrong.extend(required.filter(|key| !has(key)).map(|key| format!("{at}: {key} is missing")));
        for group in members.get("?").and_then(Value::as_array).into_iter().flatten() {
            if !group.as_array().unwrap().iter().any(|key| has(key.as_str().unwrap())) {
                wrong.push(format!("{at}: has none of {group}"));
            }
        }
    }

    fn value(&self, rule: &Value, value: &Value, at: &str, wrong: &mut Vec<String>) {
        let none = Map::new();
        let (is, limits) = match rule {
            Value::String(is) => (is.as_str(), &none),
            rule => (rule["is"].as_str().unwrap(), rule.as_object().unwrap()),
        };
        if let Some(values) = limits.get("values").and_then(Value::as_array)
            && !values.contains(value)
        {
            wrong.push(format!("{at}: {value} is none of {values:?}"));
        }
        let size = match value {
            Value::String(text) => text.chars().count() as f64,
            Value::Array(items) => items.len() as f64,
            Value::Object(members) => members.len() as f64,
            other => other.as_f64().unwrap_or_default(),
        };
        let limit = |name: &str| limits.get(name).and_then(Value::as_f64);
        if limit("least").is_some_and(|least| size < least) || limit("most").is_some_and(|most| size > most) {
            wrong.push(format!("{at}: {size} is beyond the limits of {rule}"));
        }
        if let (Some(pattern), Some(text)) = (limits.get("pattern").and_then(Value::as_str), value.as_str())
            && !regex::Regex::new(pattern).unwrap().is_match(text)
        {
            wrong.push(format!("{at}: {text} is not as {pattern}"));
        }
        if let Some(of) = is.strip_prefix('[').and_then(|of| of.strip_suffix(']')) {
            let Some(items) = value.as_array() else { return wrong.push(format!("{at}: is no list")) };
            if limits.contains_key("unique") && (1..items.len()).any(|at| items[..at].contains(&items[at])) {
                wrong.push(format!("{at}: has an item twice"));
            }
            for (number, item) in items.iter().enumerate() {
                self.value(&of.into(), item, &format!("{at}[{number}]"), wrong);
            }
            return;
        }
        if let Some(of) = is.strip_prefix('{').and_then(|of| of.strip_suffix('}')) {
            let Some(members) = value.as_object() else { return wrong.push(format!("{at}: is no map")) };
            for (key, member) in members {
                self.value(&of.into(), member, &format!("{at}.{key}"), wrong);
            }
            return;
        }
        let fits = match is {
            "any" => true,
            "text" => value.is_string(),
            "integer" => value.is_i64() || value.is_u64(),
            "number" => value.is_number(),
            "bool" => value.is_boolean(),
            "time" => value.as_str().is_some_and(|text| text.parse::<jiff::Timestamp>().is_ok()),
            "address" => value.as_str().is_some_and(|text| text.parse::<std::net::IpAddr>().is_ok()),
            "uri" => value.as_str().is_some_and(|text| {
                text.is_ascii() && !text.contains([' ', '<', '>', '"', '\\', '^', '`', '{', '|', '}'])
            }),
            object => return self.object(object, value, at, wrong),
        };
        if !fits {
            wrong.push(format!("{at}: {value} is no {is}"));
        }
    }
}

fn assert_none(wrong: Vec<String>) {
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What is wrong with a SARIF log.
pub(crate) fn assert_sarif(log: &Value) {
    assert_none(Format::read("sarif-2.1.0.json").wrong("log", log));
}

/// The events of a report as OCSF, each of them checked.
pub(crate) fn ocsf(text: &str) -> Vec<Value> {
    let format = Format::read("ocsf-1.5.0.json");
    let events: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for event in &events {
        let class = match event["class_uid"].as_u64() {
            Some(2004) => "detection_finding",
            Some(2003) => "compliance_finding",
            other => panic!("{other:?}"),
        };
        assert_none(format.wrong(class, event));
    }
    events
}

/// The findings of a report as ASFF, each of them and the batches checked.
pub(crate) fn asff(text: &str) -> Vec<Value> {
    let format = Format::read("asff.json");
    let mut findings = Vec::new();
    for line in text.lines() {
        let batch: Vec<Value> = serde_json::from_str(line).unwrap();
        assert!(
            (1..=100).contains(&batch.len()) && line.len() < 6_000_000,
            "{} findings, {} bytes",
            batch.len(),
            line.len()
        );
        for finding in &batch {
            assert_none(format.wrong("AwsSecurityFinding", finding));
            assert!(finding.to_string().len() < 240_000);
            for (name, value) in finding["ProductFields"].as_object().unwrap() {
                assert!(name.chars().count() <= 128 && value.as_str().unwrap().chars().count() <= 2_048, "{name}");
            }
        }
        findings.extend(batch);
    }
    findings
}

#[test]
fn facts_find_what_is_wrong() {
    let sarif = Format::read("sarif-2.1.0.json");
    let log = |result: Value| serde_json::json!({ "version": "2.1.0", "runs": [{ "tool": { "driver": { "name": "x" } }, "results": [result] }] });
    let message = serde_json::json!({ "text": "t" });
    assert_none(sarif.wrong("log", &log(serde_json::json!({ "message": message, "level": "note" }))));
    for result in [
        serde_json::json!({ "level": "note" }),
        serde_json::json!({ "message": message, "level": "bad" }),
        serde_json::json!({ "message": message, "colour": "red" }),
        serde_json::json!({ "message": {} }),
        serde_json::json!({ "message": message, "ruleIndex": -2 }),
        serde_json::json!({ "message": message, "locations": [{ "physicalLocation": { "artifactLocation": { "uri": "x" }, "region": { "startLine": 0 } } }] }),
        serde_json::json!({ "message": message, "partialFingerprints": { "a": 1 } }),
    ] {
        assert_eq!(sarif.wrong("log", &log(result.clone())).len(), 1, "{result}");
    }
    let asff = Format::read("asff.json");
    assert!(
        asff.wrong("Resource", &serde_json::json!({ "Type": "Other", "Id": "x".repeat(513) }))[0].contains("limits")
    );
    assert!(asff.wrong("Resource", &serde_json::json!({ "Id": " " })).len() == 2);
}

/// A scan of the sample, which has events, windows and inventory.
fn scanned(format: &str, more: &[&str]) -> (String, Value) {
    let sample = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/sample").display().to_string();
    let desk = tempfile::tempdir().unwrap();
    let report = desk.path().join("report");
    let mut command = crate::cli::lawbook();
    command.args(["scan", &sample, "--now", "2024-06-01T00:00:00Z", "--format", "json"]).args(more);
    let out = command.arg("--report").arg(format!("{format}={}", report.display())).output().unwrap();
    let text = std::fs::read_to_string(report).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&out.stderr)));
    (text, serde_json::from_slice(&out.stdout).unwrap())
}

#[test]
fn sarif_of_the_sample_is_as_published() {
    let (text, json) = scanned("sarif", &[]);
    let log: Value = serde_json::from_str(&text).unwrap();
    assert_sarif(&log);
    let run = &log["runs"][0];
    assert_eq!(run["results"].as_array().unwrap().len(), json["findings"].as_array().unwrap().len());
    for rule in run["tool"]["driver"]["rules"].as_array().unwrap() {
        assert!(
            !rule["help"]["text"].as_str().unwrap().is_empty() && rule["fullDescription"]["text"].is_string(),
            "{rule}"
        );
    }
    for result in run["results"].as_array().unwrap() {
        assert!(result.get("baselineState").is_none(), "there was nothing to compare with");
        assert_eq!(result["partialFingerprints"]["lawbook/v1"].as_str().unwrap().len(), 32);
    }
}

#[test]
fn ocsf_has_an_event_a_finding_of_the_class_that_it_is() {
    let (text, json) = scanned("ocsf", &[]);
    let events = ocsf(&text);
    let findings = json["findings"].as_array().unwrap();
    assert_eq!(events.len(), findings.len());
    let mut classes = std::collections::BTreeSet::new();
    for (event, finding) in events.iter().zip(findings) {
        let is_event = finding["record"]["kind"] == "cloudtrail";
        assert_eq!(event["class_uid"], if is_event { 2004 } else { 2003 });
        classes.insert(is_event);
        let level =
            ["info", "low", "medium", "high", "critical"].iter().position(|word| finding["severity"] == *word).unwrap();
        assert_eq!(event["severity_id"], level + 1);
        assert_eq!(
            (&event["finding_info"]["uid"], &event["finding_info"]["title"]),
            (&finding["fingerprint"], &finding["title"])
        );
        assert_eq!(
            (&event["status_id"], &event["type_uid"]),
            (&1.into(), &(event["class_uid"].as_u64().unwrap() * 100 + 1).into())
        );
        assert_eq!(
            (&event["cloud"]["account"]["uid"], &event["cloud"]["region"]),
            (&finding["record"]["account"], &finding["record"]["region"])
        );
        if let Some(time) = finding["record"]["time"].as_str() {
            assert_eq!(event["time"], time.parse::<jiff::Timestamp>().unwrap().as_millisecond());
        }
        let uids: Vec<&Value> =
            event["resources"].as_array().into_iter().flatten().map(|resource| &resource["uid"]).collect();
        assert!(finding["resources"].as_array().unwrap().iter().all(|id| uids.contains(&id)));
        if is_event {
            assert_eq!(event["evidences"][0]["actor"]["user"]["name"], finding["actor"]["name"]);
            assert_eq!(event["evidences"][0]["api"]["operation"], finding["record"]["name"]);
        } else {
            assert_eq!(
                (&event["compliance"]["status_id"], &event["compliance"]["status"]),
                (&3.into(), &"Fail".into())
            );
        }
        let techniques = finding["tags"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|tag| tag.as_str().unwrap().starts_with("attack."))
            .count();
        assert_eq!(event["finding_info"]["attacks"].as_array().map_or(0, Vec::len), techniques);
        assert_eq!(event["unmapped"]["origin"], finding["origin"]);
    }
    assert_eq!(classes.len(), 2);
}

#[test]
fn asff_of_nothing_is_no_call() {
    let (text, json) = scanned("asff", &["--only", "trail-delivery-failing"]);
    assert_eq!((json["findings"].as_array().unwrap().len(), text.as_str()), (0, ""));
}

#[test]
fn asff_has_all_findings_within_the_limits() {
    let (text, json) = scanned("asff", &[]);
    let told = asff(&text);
    let findings = json["findings"].as_array().unwrap();
    assert_eq!(told.len(), findings.len());
    let mut ids = std::collections::BTreeSet::new();
    for (told, finding) in told.iter().zip(findings) {
        assert!(ids.insert(told["Id"].as_str().unwrap().to_owned()), "an id stands for one finding");
        assert!(told["Id"].as_str().unwrap().ends_with(finding["fingerprint"].as_str().unwrap()));
        assert_eq!(told["AwsAccountId"], finding["record"]["account"]);
        assert_eq!(told["Severity"]["Original"], finding["severity"]);
        assert_eq!((&told["Workflow"]["Status"], &told["RecordState"]), (&"NEW".into(), &"ACTIVE".into()));
        let is_event = finding["record"]["kind"] == "cloudtrail";
        assert_eq!(told.get("Compliance").is_some(), !is_event);
        assert_eq!(told.get("Action").is_some(), is_event);
        let account = finding["record"]["account"].as_str().unwrap();
        assert!(told["ProductArn"].as_str().unwrap().ends_with(&format!(":{account}:product/{account}/default")));
    }
    let arn = "arn:aws:securityhub:eu-west-1:999900001111:product/999900001111/default";
    let (text, _) = scanned("asff", &["--product-arn", arn]);
    assert!(asff(&text).iter().all(|told| told["ProductArn"] == arn));
}

#[test]
fn what_was_decided_has_a_status() {
    let desk = tempfile::tempdir().unwrap();
    let at = |name: &str| desk.path().join(name).display().to_string();
    let (_, json) = scanned("json", &[]);
    std::fs::write(at("before.json"), json.to_string()).unwrap();
    let written =
        crate::cli::lawbook().args(["baseline", "write", &at("baseline.json"), &at("before.json")]).output().unwrap();
    assert!(written.status.success());
    let first = json["findings"][0]["fingerprint"].as_str().unwrap();
    let waiver = format!(
        "waivers:\n  - fingerprint: {first}\n    owner: carol\n    reason: Planned.\n    expires: 2025-01-15\n"
    );
    std::fs::write(at("waivers.yaml"), waiver).unwrap();
    let more = ["--waivers", &at("waivers.yaml"), "--baseline", &at("baseline.json")];
    let (text, _) = scanned("ocsf", &more);
    let events = ocsf(&text);
    assert_eq!(
        (&events[0]["status_id"], &events[0]["status"], &events[0]["comment"]),
        (&3.into(), &"Suppressed".into(), &"carol: Planned. (until 2025-01-15)".into())
    );
    assert!(events[1..].iter().all(|event| event["status"] == "Known" && event["activity_name"] == "Update"));
    let (text, _) = scanned("asff", &more);
    let told = asff(&text);
    assert_eq!(
        (&told[0]["Workflow"]["Status"], &told[0]["Note"]["UpdatedBy"]),
        (&"SUPPRESSED".into(), &"carol".into())
    );
    assert!(told[1..].iter().all(|told| told["Workflow"]["Status"] == "NOTIFIED"));
    let (text, _) = scanned("sarif", &more);
    let log: Value = serde_json::from_str(&text).unwrap();
    assert_sarif(&log);
    let results = log["runs"][0]["results"].as_array().unwrap();
    assert_eq!(results[0]["suppressions"][0]["status"], "accepted");
    assert!(results[1..].iter().all(|result| result["baselineState"] == "unchanged"));
}

#[test]
fn hostile_and_huge_records_are_within_the_limits_of_every_format() {
    use lawbook::report::{self, Format as Of, Look};
    let huge = |number: usize| "\u{1f980}<\u{202e}".repeat(3_000 + number);
    let events: Vec<Value> = (0..250)
        .map(|number| {
            let text = if number % 50 == 0 { huge(number) } else { crate::html::HOSTILE[number % crate::html::HOSTILE.len()].to_owned() };
            let wide: serde_json::Map<String, Value> = (0..80).map(|at| (format!("{at}{text}"), text.clone().into())).collect();
            let more = serde_json::json!({
                "recipientAccountId": text, "awsRegion": text, "sourceIPAddress": text, "eventTime": if number % 3 == 0 { text.clone() } else { "2024-05-14T12:00:00Z".to_owned() },
                "userIdentity": { "type": text, "userName": text, "arn": text, "accountId": text, "accessKeyId": text },
                "requestParameters": if number % 50 == 0 { serde_json::json!({ "keyName": text }) } else { wide.into_iter().chain([("keyName".to_owned(), text.clone().into())]).collect() },
            });
            crate::html::event(number, &text, more)
        })
        .chain([crate::html::event(999, "", serde_json::json!({ "sourceIPAddress": "2001:db8::7" }))])
        .collect();
    let (packs, outcome) = crate::html::judged(&events);
    let written = |format| {
        let mut out = Vec::new();
        report::write(format, &outcome, &packs, Look::default(), &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(!text.contains(|letter: char| letter.is_control() && letter != '\n' || letter == '\u{202e}'));
        text
    };
    let text = written(Of::Asff);
    assert!(text.lines().count() >= 3, "250 findings are three calls at least");
    assert_eq!(asff(&text).len(), 251);
    assert_eq!(ocsf(&written(Of::Ocsf)).len(), 251);
    assert_sarif(&serde_json::from_str(&written(Of::Sarif)).unwrap());
}
