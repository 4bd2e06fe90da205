//! `--redact`: no identifier of the input is in any report, and the same word has the same pseudonym everywhere.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use lawbook::engine::{self, Outcome, Request};
use lawbook::input;
use lawbook::inventory::{Collected, Inventory};
use lawbook::policy::{Checked, Pack};
use lawbook::redact::Redactor;
use lawbook::report::{self, Format, Look};
use lawbook::script::Limits;
use proptest::prelude::*;
use serde_json::{Value, json};

/// Every format of report.
pub(crate) const FORMATS: [Format; 11] = [
    Format::Text,
    Format::Json,
    Format::Ndjson,
    Format::Sarif,
    Format::Junit,
    Format::Github,
    Format::Markdown,
    Format::Csv,
    Format::Html,
    Format::Ocsf,
    Format::Asff,
];

const POLICY: &str = r#"//! ---
//! lawbook: 1
//! title: Key made
//! severity: medium
//! judges: cloudtrail
//! when: { eventSource: ec2.amazonaws.com, eventName: CreateKeyPair }
//! needs: [ec2/key-pairs]
//! remediation:
//!   console: Delete ${key} of the team.
//!   cli: aws ec2 delete-key-pair --key-name ${key} --region ${region}
//!   python: boto3.client("ec2").delete_key_pair(KeyName=${other})
//! ---
//! ## Why it matters
//! Whoever is an admin deploys with it.

fn matches(event) {
    if event.bad == true { throw `cannot judge ${event.requestParameters.keyName} of ${actor(event).name}` }
    true
}
fn title(event) { `Key ${event.requestParameters.keyName} deployed as admin by ${actor(event).name} (${actor(event).arn}) from ${event.sourceIPAddress}, port 22` }
fn context(event) { #{
    key: event.requestParameters.keyName, region: event.awsRegion, agent: event.userAgent, who: event.userIdentity, number: event.number,
    mode: "open to all", port: 22, called: event.eventName, members: event.requestParameters, from: `${event.sourceIPAddress}/32`,
} }
fn resources(event) { [event.requestParameters.keyName, event.userIdentity.arn] }
fn group(event) { event.requestParameters.keyName }
"#;

/// An account of which there is no inventory.
const ELSEWHERE: &str = "731731731731";

/// The identifiers of an event.
#[derive(Clone, Debug)]
struct Ids {
    account: String,
    user: String,
    key: String,
    address: String,
    access_key: String,
    agent: String,
    folder: String,
    id: String,
}

impl Ids {
    fn all(&self) -> [&str; 8] {
        [&self.account, &self.user, &self.key, &self.address, &self.access_key, &self.agent, &self.folder, &self.id]
    }

    fn file(&self) -> String {
        format!(
            "/home/{}/AWSLogs/{}/CloudTrail/us-east-1/2024/05/14/{}_CloudTrail_us-east-1_20240514T0935Z_{}.json",
            self.folder, self.account, self.account, self.folder
        )
    }

    fn event(&self, more: Value) -> Value {
        let arn = format!("arn:aws:iam::{}:user/staff/{}", self.account, self.user);
        let mut event = json!({
            "eventVersion": "1.10", "eventID": self.id, "eventTime": "2024-05-14T12:00:00Z", "eventSource": "ec2.amazonaws.com",
            "eventName": "CreateKeyPair", "awsRegion": "us-east-1", "recipientAccountId": self.account,
            "sourceIPAddress": self.address, "userAgent": format!("aws-cli/2.1 md/{} os/linux", self.agent),
            "userIdentity": { "type": "IAMUser", "userName": self.user, "arn": arn, "accountId": self.account, "accessKeyId": self.access_key },
            "requestParameters": { "keyName": self.key, self.key.clone(): self.user },
            "number": self.account.parse::<u64>().unwrap_or_default(),
        });
        for (name, value) in more.as_object().unwrap() {
            event[name] = value.clone();
        }
        event
    }
}

fn outcome(ids: &Ids) -> (Checked, Outcome) {
    let packs = Pack::from_text("key-made", POLICY).check(&crate::of_invented_events(), &Limits::default()).unwrap();
    let events = [
        ids.event(json!({})),
        ids.event(json!({})),
        ids.event(json!({ "eventID": format!("{}-b", ids.id), "bad": true })),
        ids.event(json!({ "eventID": format!("{}-c", ids.id), "recipientAccountId": ELSEWHERE })),
    ];
    let lines: Vec<String> = events.iter().map(ToString::to_string).collect();
    let (records, faults) = input::events(&ids.file(), lines.join("\n").into_bytes());
    assert!(faults.is_empty());
    let mut builder = Inventory::default().reopen();
    builder.note_collected(&"ec2/key-pairs".into(), records[0].scope.clone(), Collected::Whole);
    let mut request = Request::new(std::iter::empty::<&str>());
    request.now = "2024-05-15T00:00:00Z".parse().unwrap();
    request.why = Some("key-made".to_owned());
    request.tally = Some(9);
    let outcome = engine::judge(&packs, &records, builder.finish().0, &request).unwrap();
    (packs, outcome)
}

fn written(format: Format, packs: &Checked, outcome: &Outcome) -> String {
    let mut out = Vec::new();
    report::write(format, outcome, packs, Look { verbose: true, ..Look::default() }, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn redacted(ids: &Ids, key: &str) -> (Checked, Outcome) {
    let (packs, outcome) = outcome(ids);
    let outcome = Redactor::new(key.as_bytes()).unwrap().redact(outcome, &packs);
    (packs, outcome)
}

const KEY: &str = "a key that is long enough";

fn some() -> Ids {
    Ids {
        account: "482915036271".to_owned(),
        user: "zelda.qux".to_owned(),
        key: "payroll-zz9".to_owned(),
        address: "52.94.133.7".to_owned(),
        access_key: "AKIAQX7EJ3LUN0WZTB5K".to_owned(),
        agent: "zqhost17.corp.zq".to_owned(),
        folder: "zqfolder".to_owned(),
        id: "5d0c3a1e-77b1-4c0e-9d0f-1a2b3c4d5e6f".to_owned(),
    }
}

fn ids() -> impl Strategy<Value = Ids> {
    let address = prop_oneof![
        "[1-9][0-9]\\.[1-9][0-9]\\.[1-9][0-9]\\.[1-9][0-9]",
        "2a0[0-9]:[1-9a-f]{4}:[1-9a-f]{4}::[1-9a-f]{4}",
    ];
    let name = || {
        prop_oneof![
            "zq[a-z0-9._-]{5,20}zq",
            "zq[A-Z]{6,9} [a-z]{2}zq [a-z]{3}zq",
            "[a-z]{4}zq@[a-z]{6}zq\\.com",
            "zq\\PC{3,9}zq"
        ]
    };
    let id = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";
    ("[1-9][0-9]{11}", name(), name(), address, "AKIA[A-Z2-7]{16}", "zq[a-z0-9.]{5,20}zq", "zq[a-z0-9-]{5,9}zq", id)
        .prop_map(|(account, user, key, address, access_key, agent, folder, id)| Ids {
            account,
            user,
            key,
            address,
            access_key,
            agent,
            folder,
            id,
        })
}

/// Fails where an identifier is in a report.
fn assert_redacted(ids: &Ids) {
    let (packs, outcome) = redacted(ids, KEY);
    assert_eq!((outcome.summary.findings.total, outcome.summary.faults, outcome.summary.not_evaluated), (1, 1, 1));
    for format in FORMATS {
        let text = written(format, &packs, &outcome);
        for id in ids.all().into_iter().chain([ELSEWHERE]) {
            assert!(!text.contains(id), "{format:?}: {id} in {text}");
            // Nor any word of it that nobody else says.
            for word in id.split(|letter: char| !letter.is_alphanumeric()).filter(|word| word.contains("zq")) {
                assert!(!text.contains(word), "{format:?}: {word} in {text}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn no_identifier_of_the_input_is_in_any_report(ids in ids()) {
        assert_redacted(&ids);
    }
}

#[test]
fn the_end_of_a_name_is_no_number_with_a_unit() {
    for user in ["zqx[1zq", "zq team 12zq", "zq;9.5zq", "zq 7qzq"] {
        assert_redacted(&Ids { user: user.to_owned(), ..some() });
    }
}

#[test]
fn what_is_not_redacted_is_in_the_reports() {
    let ids = some();
    let (packs, outcome) = outcome(&ids);
    let text = written(Format::Json, &packs, &outcome);
    for id in ids.all() {
        assert!(text.contains(id), "otherwise nothing is shown by its absence: {id}");
    }
    assert!(!text.contains("redacted"));
}

#[test]
fn words_of_policies_and_of_aws_stay_and_shapes_do() {
    let (packs, outcome) = redacted(&some(), KEY);
    let report: Value = serde_json::from_str(&written(Format::Json, &packs, &outcome)).unwrap();
    assert_eq!(report["summary"]["redacted"], true);
    let finding = &report["findings"][0];
    let title = finding["title"].as_str().unwrap();
    let pattern = r"^Key (name-[0-9a-f]{12}) deployed as admin by (name-[0-9a-f]{12}) \((arn:aws:iam::[0-9]{12}:user/name-[0-9a-f]{12}/name-[0-9a-f]{12})\) from ((?:192\.0\.2|198\.51\.100|203\.0\.113)\.[0-9]+), port 22$";
    let found = regex::Regex::new(pattern).unwrap().captures(title).unwrap_or_else(|| panic!("{title}"));
    let (key, user, arn, from) = (&found[1], &found[2], &found[3], &found[4]);
    // The same word is the same everywhere.
    assert_eq!(finding["resources"], json!([key, arn]));
    assert_eq!(
        (&finding["actor"]["name"], &finding["actor"]["arn"], &finding["source_ip"]),
        (&json!(user), &json!(arn), &json!(from))
    );
    assert_eq!(finding["context"]["key"], key);
    assert_eq!(finding["context"]["from"], format!("{from}/32"));
    assert_eq!(finding["context"]["members"], json!({ "keyName": key, key: user }));
    assert_eq!(finding["context"]["number"].to_string(), finding["record"]["account"].as_str().unwrap());
    assert_eq!(finding["remediation"]["cli"], format!("aws ec2 delete-key-pair --key-name {key} --region us-east-1"));
    assert_eq!(finding["remediation"]["console"], format!("Delete {key} of the team."));
    assert_eq!(finding["group"], key);
    assert_eq!(finding["duplicates"][0]["file"], finding["origin"]["file"]);
    let sections = report["tally"]["sections"].as_array().unwrap();
    let counted = |by: &str| sections.iter().find(|section| section["by"] == by).unwrap()["rows"][0].clone();
    let (principal, source, call) = (counted("principal"), counted("source_ip"), counted("event"));
    assert_eq!((&principal["value"], &principal["account"]), (&json!(user), &finding["actor"]["account"]));
    assert_eq!((&principal["type"], &source["value"]), (&json!("IAMUser"), &json!(from)));
    // What AWS and the policy chose stays.
    assert_eq!((&call["value"], &call["source"]), (&json!("CreateKeyPair"), &json!("ec2.amazonaws.com")));
    let context = &finding["context"];
    assert_eq!(
        (&context["mode"], &context["port"], &context["called"], &context["region"]),
        (&json!("open to all"), &json!(22), &json!("CreateKeyPair"), &json!("us-east-1"))
    );
    let record = &finding["record"];
    assert_eq!(
        (&record["name"], &record["source"], &record["time"]),
        (&json!("CreateKeyPair"), &json!("ec2.amazonaws.com"), &json!("2024-05-14T12:00:00Z"))
    );
    let account = record["account"].as_str().unwrap();
    let file = finding["origin"]["file"].as_str().unwrap();
    assert!(
        file.contains(&format!(
            "/AWSLogs/{account}/CloudTrail/us-east-1/2024/05/14/{account}_CloudTrail_us-east-1_20240514T0935Z_name-"
        )) && file.ends_with(".json"),
        "{file}"
    );
    let fault = report["faults"][0]["reason"].as_str().unwrap();
    assert!(fault.contains("cannot judge") && fault.contains(key) && fault.contains(user), "{fault}");
    assert!(
        report["not_evaluated"][0]["reason"].as_str().unwrap().contains("inventory `ec2/key-pairs` was not collected"),
        "{report}"
    );
}

#[test]
fn names_that_are_words_of_the_policy_are_names() {
    let ids = Ids { user: "admin".to_owned(), key: "deployed as".to_owned(), ..some() };
    let (packs, outcome) = redacted(&ids, KEY);
    let report: Value = serde_json::from_str(&written(Format::Json, &packs, &outcome)).unwrap();
    let finding = &report["findings"][0];
    for text in [
        &finding["title"],
        &finding["remediation"]["cli"],
        &finding["actor"],
        &finding["resources"],
        &finding["context"],
        &finding["group"],
    ] {
        let text = text.to_string();
        assert!(!text.contains("admin") && !text.contains("deployed as"), "{text}");
    }
}

#[test]
fn one_key_gives_the_same_pseudonyms_and_another_gives_others() {
    let finding = |key: &str, ids: &Ids| outcome_of(key, ids);
    let (one, same, other) =
        (finding(KEY, &some()), finding(KEY, &some()), finding("another key of some length", &some()));
    assert_eq!(one, same);
    for (pointer, plain) in [
        ("/fingerprint", None),
        ("/record/account", Some("482915036271")),
        ("/actor/name", Some("zelda.qux")),
        ("/resources/0", None),
    ] {
        assert_ne!(one.pointer(pointer), other.pointer(pointer), "{pointer}");
        assert_ne!(one.pointer(pointer).and_then(Value::as_str), plain);
    }
    // Across reports: the same user in another account.
    let elsewhere = finding(KEY, &Ids { account: "999900001111".to_owned(), ..some() });
    assert_eq!(one["actor"]["name"], elsewhere["actor"]["name"]);
    assert_ne!(one["record"]["account"], elsewhere["record"]["account"]);
    // A fingerprint is a hash of ids, which could be guessed: without the key it is of no use.
    let (packs, outcome) = outcome(&some());
    let plain: Value = serde_json::from_str(&written(Format::Json, &packs, &outcome)).unwrap();
    assert_ne!(one["fingerprint"], plain["findings"][0]["fingerprint"]);
    assert_eq!(one["fingerprint"].as_str().unwrap().len(), 32);
}

fn outcome_of(key: &str, ids: &Ids) -> Value {
    let (packs, outcome) = redacted(ids, key);
    let report: Value = serde_json::from_str(&written(Format::Json, &packs, &outcome)).unwrap();
    report["findings"][0].clone()
}

struct Ran {
    code: i32,
    out: String,
    err: String,
}

fn run(desk: &Path, args: &[&str]) -> Ran {
    let out = crate::cli::lawbook().args(args).current_dir(desk).stdin(std::process::Stdio::null()).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { code: out.status.code().unwrap(), out: text(out.stdout), err: text(out.stderr) }
}

fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/sample")
}

/// Every identifier that can be told by its shape, or by the member that it is, in files below a folder.
fn identifiers(folder: &Path) -> BTreeSet<String> {
    fn walk(value: &Value, name: &str, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(members) => members.iter().for_each(|(name, value)| walk(value, name, found)),
            Value::Array(items) => items.iter().for_each(|item| walk(item, name, found)),
            Value::String(text) => {
                let by_name = [
                    "userName",
                    "principalId",
                    "accessKeyId",
                    "keyName",
                    "groupName",
                    "bucketName",
                    "GroupName",
                    "KeyName",
                    "eventID",
                    "policyArn",
                ];
                let by_shape = regex::Regex::new(
                    r"^([0-9]{12}|arn:.*[0-9]{12}.*|[a-z]+-[0-9a-f]{8,17}|(A[KS]IA|AROA|AIDA)[A-Z0-9]+)$",
                )
                .unwrap();
                if by_name.contains(&name) || by_shape.is_match(text) {
                    found.insert(text.clone());
                }
            }
            _ => {}
        }
    }
    let mut found = BTreeSet::new();
    for entry in
        walkdir::WalkDir::new(folder).into_iter().map(Result::unwrap).filter(|entry| entry.file_type().is_file())
    {
        let bytes = fs::read(entry.path()).unwrap();
        let mut text = String::new();
        if bytes.starts_with(&[0x1f, 0x8b]) {
            flate2::read::MultiGzDecoder::new(bytes.as_slice()).read_to_string(&mut text).unwrap();
        } else {
            text = String::from_utf8(bytes).unwrap();
        }
        for value in serde_json::Deserializer::from_str(&text).into_iter::<Value>().map_while(Result::ok) {
            walk(&value, "", &mut found);
        }
    }
    // Services act, too, and are called as they are; and AWS calls some things `default`.
    found.retain(|id| id.len() > 3 && id != "root" && id != "default" && !id.ends_with(".amazonaws.com"));
    found
}

#[test]
fn the_sample_says_nothing_of_whose_it_is() {
    let desk = tempfile::tempdir().unwrap();
    let known = identifiers(&sample());
    assert!(known.len() > 40, "{known:?}");
    fs::write(desk.path().join("key"), "0123456789abcdef0123456789abcdef\n").unwrap();
    let names = ["text", "json", "ndjson", "sarif", "junit", "github", "markdown", "csv", "html", "ocsf", "asff"];
    let reports: Vec<String> = names.iter().map(|name| format!("--report={name}=out.{name}")).collect();
    let mut args = vec!["scan", "--redact", "--redact-key", "key", "--format", "json", "--now", "2024-06-01T00:00:00Z"];
    args.extend(reports.iter().map(String::as_str));
    let sample = sample().display().to_string();
    args.push(&sample);
    let ran = run(desk.path(), &args);
    let plain = run(desk.path(), &["scan", "--format", "json", "--now", "2024-06-01T00:00:00Z", &sample]);
    assert_eq!(ran.code, plain.code, "{}", ran.err);
    let (mut told, mut plain): (Value, Value) =
        (serde_json::from_str(&ran.out).unwrap(), serde_json::from_str(&plain.out).unwrap());
    assert_eq!(told["summary"].as_object_mut().unwrap().remove("redacted"), Some(json!(true)));
    for report in [&mut told, &mut plain] {
        assert!(report["summary"].as_object_mut().unwrap().remove("history").is_some(), "which has accounts");
    }
    assert_eq!(told["summary"], plain["summary"], "numbers stay");
    // Some formats have the text of policies, which is theirs.
    let said: String = walkdir::WalkDir::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("policies"))
        .into_iter()
        .filter_map(|entry| fs::read_to_string(entry.unwrap().path()).ok())
        .collect();
    for name in names {
        let text = fs::read_to_string(desk.path().join(format!("out.{name}"))).unwrap();
        let is_own = |id: &&String| {
            text.contains(id.as_str()) && (matches!(name, "json" | "ndjson" | "csv") || !said.contains(id.as_str()))
        };
        let leaks: Vec<&String> = known.iter().filter(is_own).collect();
        assert!(leaks.is_empty(), "{name}: {leaks:?}");
    }
    // Nor is any where findings are shown together by it.
    for by in ["policy", "resource", "actor", "account"] {
        for format in ["text", "json", "ndjson", "github", "markdown"] {
            let ran = run(desk.path(), &["scan", "--redact", "--group-by", by, "--format", format, &sample]);
            let is_own = |id: &&String| ran.out.contains(id.as_str()) && !said.contains(id.as_str());
            let leaks: Vec<&String> = known.iter().filter(is_own).collect();
            assert!(ran.out.len() > 1_000 && leaks.is_empty(), "{format} by {by}: {leaks:?}");
        }
    }
    // The formats are still what they are.
    crate::formats::assert_sarif(
        &serde_json::from_str(&fs::read_to_string(desk.path().join("out.sarif")).unwrap()).unwrap(),
    );
    crate::formats::ocsf(&fs::read_to_string(desk.path().join("out.ocsf")).unwrap());
    crate::formats::asff(&fs::read_to_string(desk.path().join("out.asff")).unwrap());
    for (name, says) in [("text", "Redacted:"), ("html", "Redacted:"), ("markdown", "Redacted:")] {
        assert!(fs::read_to_string(desk.path().join(format!("out.{name}"))).unwrap().contains(says), "{name}");
    }
    // What was decided by pseudonyms would be of nothing.
    let baseline = run(desk.path(), &["baseline", "write", "baseline.json", "out.json"]);
    assert_eq!(baseline.code, 2);
    assert!(
        baseline.err.contains("redacted report") && !desk.path().join("baseline.json").exists(),
        "{}",
        baseline.err
    );
}

#[test]
fn waivers_and_baselines_are_judged_by_what_is_and_told_without_names() {
    let desk = tempfile::tempdir().unwrap();
    let sample = sample().display().to_string();
    let now = ["--now", "2024-06-01T00:00:00Z"];
    let before: Value =
        serde_json::from_str(&run(desk.path(), &["scan", &sample, "--format", "json", now[0], now[1]]).out).unwrap();
    let fingerprint = before["findings"][0]["fingerprint"].as_str().unwrap();
    let waiver = |expires: &str| {
        format!(
            "waivers:\n  - fingerprint: {fingerprint}\n    owner: zqcarol@zqacme.example\n    reason: The zqacme lab.\n    expires: {expires}\n    ticket: ZQOPS-12\n  - policy: eip-churn\n    resources: [zqnone]\n    owner: zqdave\n    reason: Old.\n    expires: 2025-01-01\n"
        )
    };
    for (expires, standing) in [("2024-12-31", "waived"), ("2024-01-31", "new")] {
        fs::write(desk.path().join("waivers.yaml"), waiver(expires)).unwrap();
        let ran = run(
            desk.path(),
            &[
                "scan",
                &sample,
                "--redact",
                "--waivers",
                "waivers.yaml",
                "--format",
                "json",
                "--report",
                "html=page.html",
                now[0],
                now[1],
            ],
        );
        let told: Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!(told["findings"][0]["standing"], standing);
        let page = fs::read_to_string(desk.path().join("page.html")).unwrap();
        for text in [&ran.out, &ran.err, &page] {
            // Two letters of it may be those of a pseudonym.
            for name in ["zqcarol", "zqdave", "zqacme", "zqops", "zqnone"] {
                assert!(!text.to_lowercase().contains(name), "{name}: {text}");
            }
        }
    }
}

#[test]
fn keys_that_can_be_guessed_or_read_by_nobody_are_refused_before_the_scan() {
    let desk = tempfile::tempdir().unwrap();
    fs::write(desk.path().join("short"), "too short\n").unwrap();
    for (key, says) in [("short", "a key of 9 bytes can be guessed"), ("none", "cannot be read")] {
        let ran = run(desk.path(), &["scan", ".", "--redact", "--redact-key", key]);
        assert_eq!(ran.code, 2);
        assert!(ran.err.contains(says) && ran.err.contains(&format!("--redact-key {key}")), "{}", ran.err);
    }
    let ran = run(desk.path(), &["scan", ".", "--redact-key", "short"]);
    assert!(ran.code == 2 && ran.err.contains("--redact-key: is of no use without `--redact`"), "{}", ran.err);
}

#[test]
fn the_hits_of_a_window_are_redacted_as_its_finding_is() {
    let desk = tempfile::tempdir().unwrap();
    let policy = "//! ---\n//! lawbook: 1\n//! title: Often\n//! severity: low\n//! judges: cloudtrail\n\
        //! window: { by: account_of, within: 1h, count: \">= 3\" }\n//! ---\nfn matches(event) { true }\nfn account_of(event) { account(event) }\n";
    fs::write(desk.path().join("often.rhai"), policy).unwrap();
    let events: Vec<String> = ["arn:aws:iam::447788992211:user/zorblatt", "zorblatt", "447788992211", "CreateZqThing"]
        .iter()
        .enumerate()
        .map(|(at, name)| {
            some().event(json!({ "eventID": format!("e-{at}"), "eventName": name, "errorCode": name })).to_string()
        })
        .collect();
    fs::write(desk.path().join("log.ndjson"), events.join("\n")).unwrap();
    for format in ["json", "html", "ocsf", "asff", "sarif"] {
        let args = ["scan", "log.ndjson", "--policy", "often.rhai", "--format", format];
        let tally: &[&str] = if ["json", "html"].contains(&format) { &["--tally"] } else { &[] };
        let plain = run(desk.path(), &[&args[..], tally].concat()).out;
        let told = run(desk.path(), &[&args[..], tally, &["--redact"]].concat()).out;
        assert!(plain.contains("447788992211") || format == "asff", "{format}: {plain}");
        assert!(!told.is_empty() && !told.contains("zorblatt") && !told.contains("447788992211"), "{format}: {told}");
    }
    let told = run(desk.path(), &["summary", "log.ndjson", "--redact"]).out;
    assert!(told.contains("CreateZqThing") && !told.contains("zorblatt") && !told.contains("447788992211"), "{told}");
}
