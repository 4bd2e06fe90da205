//! What goes wrong in other tools for policies, and that it cannot here: one test for each row of a table of such failures.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

/// A scratch folder, in which the binary is run.
struct Desk(tempfile::TempDir);

/// A run of the binary: exit code, standard output, standard error.
struct Ran(i32, String, String);

impl Desk {
    fn with(files: &[(&str, &str)]) -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        files.iter().for_each(|(name, text)| desk.write(name, text.as_bytes()));
        desk
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.0.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    fn run(&self, args: &[&str]) -> Ran {
        lawbook(self.0.path(), args)
    }

    /// `check` and `scan` of the folder `pack` say the same of a policy that cannot work: exit code 2, and nothing is
    /// judged.
    #[track_caller]
    fn does_not_load(&self, scanned: &str, said: &[&str]) {
        for args in [&["check", "pack"][..], &["scan", scanned, "--pack", "pack"]] {
            let Ran(code, out, err) = self.run(args);
            assert_eq!((code, out.as_str()), (2, ""), "{args:?}: {err}");
            for said in said {
                assert!(err.contains(said), "{args:?} does not say {said:?}: {err}");
            }
        }
    }
}

impl Ran {
    #[track_caller]
    fn exits(self, code: i32) -> Self {
        assert_eq!(self.0, code, "\n--- stdout\n{}\n--- stderr\n{}", self.1, self.2);
        self
    }

    #[track_caller]
    fn says(self, what: &str) -> Self {
        assert!(self.1.contains(what) || self.2.contains(what), "no {what:?} in\n{}\n{}", self.1, self.2);
        self
    }

    fn report(&self) -> Value {
        serde_json::from_str(&self.1).unwrap()
    }

    /// The titles of what was found.
    fn titles(&self) -> Vec<String> {
        let report = self.report();
        let title = |finding: &Value| finding["title"].as_str().unwrap().to_owned();
        report["findings"].as_array().unwrap().iter().map(title).collect()
    }
}

fn lawbook(folder: &Path, args: &[&str]) -> Ran {
    let output = Command::new(env!("CARGO_BIN_EXE_lawbook")).args(args).current_dir(folder).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ran(output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

/// A policy that judges a kind, with this title, this line of front matter and this script.
fn policy(judges: &str, title: &str, more: &str, script: &str) -> String {
    format!("//! ---\n//! title: {title}\n//! severity: medium\n//! judges: {judges}\n//! {more}\n//! ---\n{script}\n")
}

/// One that judges events.
fn of_events(script: &str) -> String {
    policy("cloudtrail", "T", "tags: []", script)
}

fn event(id: u32, members: Value) -> Value {
    let mut event = json!({
        "eventVersion": "1.10", "eventID": format!("{id}"), "eventTime": "2024-05-14T12:00:00Z",
        "eventSource": "iam.amazonaws.com", "eventName": "CreateUser", "awsRegion": "us-east-1",
        "recipientAccountId": "111122223333", "userIdentity": { "type": "Root", "accountId": "111122223333" },
    });
    for (key, value) in members.as_object().unwrap() {
        event[key] = value.clone();
    }
    event
}

fn lines(events: &[Value]) -> String {
    events.iter().map(|event| format!("{event}\n")).collect()
}

const ADDRESSES: &str = "inventory/111122223333/us-east-1/ec2/describe-addresses.json";

/// Two addresses, of which one is of no use to anybody.
fn addresses() -> String {
    json!({ "Addresses": [
        { "PublicIp": "192.0.2.1", "AllocationId": "eipalloc-1", "AssociationId": "eipassoc-1" },
        { "PublicIp": "192.0.2.2", "AllocationId": "eipalloc-2" },
    ]})
    .to_string()
}

/// Cloud Custodian: `AssociatonId: absent` is "Configuration valid", and flags every address. In Rhai, too, a key that is
/// not there would be `()`.
#[test]
fn a_misspelt_field_of_inventory_does_not_flag_everything() {
    let text = |field: &str| {
        policy("ec2/addresses", "Address unused", "tags: []", &format!("fn matches(a) {{ a.{field} == () }}"))
    };
    let desk = Desk::with(&[("pack/unused.rhai", &text("AssociatonId")), (ADDRESSES, &addresses())]);
    desk.does_not_load("inventory", &["error[unknown-field]", "`AssociatonId`", "did you mean `AssociationId`?"]);
    desk.write("pack/unused.rhai", text("AssociationId").as_bytes());
    let ran = desk.run(&["scan", "inventory", "--pack", "pack", "--format", "json"]).exits(1);
    assert_eq!(ran.report()["findings"][0]["context"], json!({}));
    assert_eq!((ran.titles().len(), &ran.report()["findings"][0]["origin"]["position"]), (1, &json!(2)));
}

/// cfn-guard: the same typo passes the whole file; and a test that names a rule that does not exist is a note.
#[test]
fn a_typo_does_not_pass_a_file_and_cases_of_no_policy_are_a_mistake() {
    let text = policy(
        "ec2/addresses",
        "Address used",
        "tags: []",
        "fn matches(a) { !is_unused(a) }\nfn is_unused(a) { a.AssociatonId == () }",
    );
    let desk = Desk::with(&[("pack/address-used.rhai", &text), (ADDRESSES, &addresses())]);
    desk.does_not_load("inventory", &["error[unknown-field]", "did you mean `AssociationId`?"]);

    let sound = text.replace("AssociatonId", "AssociationId");
    let cases = "cases:\n  - { name: n, record: { AllocationId: a }, expect: silent }\n";
    let desk = Desk::with(&[("pack/address-used.rhai", &sound), ("pack/adress-used.cases.yaml", cases)]);
    let ran = desk.run(&["check", "pack"]).exits(2);
    ran.says("error[cases]: these are the cases of `adress-used`").says("did you mean `address-used.cases.yaml`?");
    std::fs::rename(
        desk.0.path().join("pack/adress-used.cases.yaml"),
        desk.0.path().join("pack/address-used.cases.yaml"),
    )
    .unwrap();
    desk.run(&["check", "pack"]).exits(0).says("1 policy loads.");
    // Nor does a case that expects nothing pass.
    for (from, to, said) in [
        ("expect: silent", "expects: silent", "unknown key `expects`"),
        ("expect: silent", "expect: silnet", "did you mean `silent`?"),
        (cases, "cases: []\n", "`cases` is an empty list"),
        (cases, "cases: [\n", "error[cases]"),
    ] {
        desk.write("pack/address-used.cases.yaml", cases.replace(from, to).as_bytes());
        for path in ["pack", "pack/address-used.rhai"] {
            desk.run(&["check", path]).exits(2).says(said);
        }
    }
}

/// regorus: a call of a function that does not exist is noticed only when it is reached. So it is in Rhai.
#[test]
fn an_unknown_function_that_is_never_reached_does_not_load() {
    let log = lines(&[event(1, json!({}))]);
    for script in [
        "fn matches(event) { if event.eventName == \"NeverAtAll\" { return is_evil(event); } succeeded(event) }",
        "fn matches(event) { succeeded(event) }\nfn severity(event) { if event.eventID == \"x\" { worst() } else { \"low\" } }",
        "fn matches(event) { false && list(event.resources).some(|one| one.accountId.is_evil()) }",
        "fn matches(event) { succeeded(event) }\nfn nobody_calls_this(event) { is_evil(event) }",
        "fn matches(event) { succeeded(event) || Fn(\"is_evil\").call(event) }",
    ] {
        let desk = Desk::with(&[("pack/evil.rhai", &of_events(script)), ("log.ndjson", &log)]);
        desk.does_not_load("log.ndjson", &["error[unknown-function]"]);
    }
}

/// OPA: a misspelt path of the input is "indistinguishable from did not violate" unless users bring a schema. In Rhai, too,
/// it would be `()`.
#[test]
fn an_unknown_path_of_an_event_does_not_load() {
    let log = lines(&[event(1, json!({}))]);
    for (script, meant) in [
        ("fn matches(event) { event.userIdentiy.type == \"Root\" }", "userIdentity"),
        ("fn matches(event) { event.userIdentity.typ == \"Root\" }", "type"),
        ("fn matches(event) { event[\"eventname\"] == \"CreateUser\" }", "eventName"),
        ("fn matches(event) { succeeded(event) }\nfn title(event) { `in ${event.awsregion}` }", "awsRegion"),
        (
            "fn matches(event) { event.userIdentity.sessionContext.atributes.mfaAuthenticated == \"true\" }",
            "attributes",
        ),
        (
            "fn matches(event) { is_root(event) }\nfn is_root(e) { let who = e.userIdentity; who.Type == \"Root\" }",
            "type",
        ),
    ] {
        let desk = Desk::with(&[("pack/root.rhai", &of_events(script)), ("log.ndjson", &log)]);
        desk.does_not_load("log.ndjson", &["error[unknown-field]", &format!("did you mean `{meant}`?")]);
    }
    let text = policy("cloudtrail", "T", "when: { eventNam: CreateUser }", "fn matches(event) { succeeded(event) }");
    let desk = Desk::with(&[("pack/root.rhai", &text), ("log.ndjson", &log)]);
    desk.does_not_load("log.ndjson", &["error[unknown-field]", "did you mean `eventName`?"]);
}

/// conftest: a rule whose name is not `deny*`, `violation*` or `warn*` never runs.
#[test]
fn a_hook_of_another_name_does_not_load() {
    let log = lines(&[event(1, json!({}))]);
    for (script, said) in [
        ("fn denied(event) { true }", "the policy has no `matches`, so it would never find anything"),
        ("fn matchs(event) { true }", "the policy has no `matches`, so it would never find anything"),
        ("fn matches(event) { succeeded(event) }\nfn titel(event) { \"x\" }", "did you mean `title`?"),
        ("fn matches(event) { succeeded(event) }\nfn severty(event) { \"high\" }", "did you mean `severity`?"),
        ("fn matches(event, more) { true }", "error[hook]"),
    ] {
        let desk = Desk::with(&[("pack/denied.rhai", &of_events(script)), ("log.ndjson", &log)]);
        desk.does_not_load("log.ndjson", &["error[hook]", said]);
    }
}

/// checkov: an unknown operator drops the policy with one line; `--hard-fail-on HIGH` with two failures exits 0.
#[test]
fn no_policy_is_dropped_and_every_failure_counts() {
    let log = lines(&[event(1, json!({})), event(2, json!({}))]);
    let sound = of_events("fn matches(event) { succeeded(event) }");
    for (script, said) in [
        ("fn matches(event) { event.eventName =~ \"Create.*\" }", "error[syntax]"),
        ("fn matches(event) { event.eventName === \"CreateUser\" }", "error[syntax]"),
        ("fn matches(event) { event.eventName.not_equals(\"CreateUser\") }", "error[unknown-function]"),
    ] {
        let bad = of_events(script);
        let desk = Desk::with(&[("pack/bad.rhai", &bad), ("pack/sound.rhai", &sound), ("log.ndjson", &log)]);
        // Not even the sound one is asked: a report without the other would look whole.
        desk.does_not_load("log.ndjson", &[said, "pack/bad.rhai"]);
    }

    let severe = |severity: &str| {
        of_events(&format!("fn matches(event) {{ succeeded(event) }}\nfn severity(event) {{ {severity} }}"))
    };
    for (severity, fail_on, code) in [
        ("\"high\"", "high", 1),
        ("\"critical\"", "high", 1),
        ("\"medium\"", "high", 0),
        ("\"medium\"", "low", 1),
        ("\"critical\"", "never", 0),
        // A severity that is none is a fault, not a failure that counts for nothing.
        ("text(\"HIGH\")", "high", 2),
        ("event.eventVersion", "never", 2),
    ] {
        let desk = Desk::with(&[("pack/severe.rhai", &severe(severity)), ("log.ndjson", &log)]);
        let args = ["scan", "log.ndjson", "--pack", "pack", "--fail-on", fail_on, "--format", "json"];
        let ran = desk.run(&args).exits(code);
        let summary = &ran.report()["summary"];
        assert_eq!(summary["findings"]["total"], 2, "{severity}: each is reported whatever the code is");
        assert_eq!(summary["exit"]["code"], code, "{severity}");
    }
    // One that is written out does not load.
    let desk = Desk::with(&[("pack/severe.rhai", &severe("\"HIGH\"")), ("log.ndjson", &log)]);
    desk.does_not_load("log.ndjson", &["error[unknown-severity]", "`high`"]);
    let desk = Desk::with(&[("pack/severe.rhai", &severe("\"high\"")), ("log.ndjson", &log)]);
    desk.run(&["scan", "log.ndjson", "--pack", "pack", "--fail-on", "hihg"]).exits(2).says("hihg");
}

/// kyverno-json: prints FAILED and exits 0.
#[test]
fn what_fails_never_exits_with_0() {
    let log = lines(&[event(1, json!({}))]);
    let fires = of_events("fn matches(event) { succeeded(event) }");
    let throws = of_events("fn matches(event) { succeeded(event) && parse_json(\"{\") == 1 || throw \"x\" }");
    let broken = of_events("fn matches(event) { ");
    for (text, code) in [(&fires, 1), (&throws, 2), (&broken, 2)] {
        let desk = Desk::with(&[("pack/p.rhai", text), ("log.ndjson", &log)]);
        for format in ["text", "json", "ndjson"] {
            let scan = ["scan", "log.ndjson", "--pack", "pack", "--format", format];
            desk.run(&scan).exits(code);
            desk.run(&[&scan[..], &["--output", "report"]].concat()).exits(code);
        }
    }
    let desk = Desk::with(&[("pack/p.rhai", &broken)]);
    for format in ["text", "json", "sarif", "github"] {
        desk.run(&["check", "pack", "--format", format]).exits(2);
    }
    // Nothing to judge is no success, either.
    let desk = Desk::with(&[("pack/p.rhai", &fires), ("log.json", "{\"Records\":[]}")]);
    desk.run(&["scan", "log.json", "--pack", "pack"]).exits(2).says("nothing was judged");
}

/// Prowler: flow logs are "enabled" if any exists, whatever its status, delivery or traffic type; a missing permission reads
/// as PASS.
#[test]
fn a_flow_log_must_work_and_a_refused_permission_is_no_pass() {
    let vpcs = json!({ "Vpcs": [{ "VpcId": "vpc-0aaa1111bbbb2222c", "OwnerId": "111122223333" }] }).to_string();
    let place = |command: &str| format!("inventory/111122223333/us-east-1/ec2/{command}.json");
    let scan = |answer: Option<&str>, manifest: Option<&str>| {
        let desk = Desk::with(&[(&place("describe-vpcs"), &vpcs)]);
        if let Some(answer) = answer {
            desk.write(&place("describe-flow-logs"), answer.as_bytes());
        }
        if let Some(manifest) = manifest {
            desk.write("inventory/inventory.json", manifest.as_bytes());
        }
        desk.run(&["scan", "inventory", "--only", "flow-logs-missing", "--format", "json"])
    };
    let log = |status: &str, delivery: &str, traffic: &str| {
        let log = json!({
            "FlowLogId": "fl-1", "ResourceId": "vpc-0aaa1111bbbb2222c", "FlowLogStatus": status,
            "DeliverLogsStatus": delivery, "TrafficType": traffic,
        });
        json!({ "FlowLogs": [log] }).to_string()
    };
    for works in [log("ACTIVE", "SUCCESS", "ALL"), log("ACTIVE", "SUCCESS", "REJECT")] {
        assert_eq!(scan(Some(&works), None).exits(0).titles(), Vec::<String>::new());
    }
    let vpc = |what: &str| format!("VPC vpc-0aaa1111bbbb2222c has {what}");
    for (answer, what) in [
        (log("ACTIVE", "FAILED", "ALL"), "a flow log that does not deliver"),
        (log("FAILED", "SUCCESS", "ALL"), "a flow log that does not deliver"),
        (log("ACTIVE", "SUCCESS", "ACCEPT"), "a flow log of accepted traffic alone"),
        (json!({ "FlowLogs": [] }).to_string(), "no flow log"),
    ] {
        assert_eq!(scan(Some(&answer), None).exits(1).titles(), [vpc(what)], "{answer}");
    }
    // Neither a pass nor a finding: it could not be evaluated, it is told why, and the policy was named, so the code is 2.
    let refused = r#"{ "lawbook": 1, "answers": [{ "service": "ec2", "command": "describe-flow-logs", "region": "us-east-1",
        "account": "111122223333", "status": "refused" }] }"#;
    for (manifest, why) in [(Some(refused), "was refused"), (None, "was not collected")] {
        let ran = scan(None, manifest).exits(2).says("flow-logs-missing");
        let report = ran.report();
        assert_eq!((ran.titles().len(), &report["summary"]["not_evaluated"]), (0, &json!(1)));
        assert!(report["not_evaluated"][0]["reason"].as_str().unwrap().contains(why), "{report}");
    }
}

/// Prowler's and Cloud Custodian's remediation: a trail is created and never started; "already gone" is a comparison with a
/// misspelt error code.
#[test]
fn a_trail_that_is_created_is_started_and_a_misspelt_error_code_is_told() {
    let policies = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    let mut creating = 0;
    for entry in walkdir::WalkDir::new(policies) {
        let path = entry.unwrap().into_path();
        if path.extension().is_some_and(|end| end == "rhai") {
            let text = std::fs::read_to_string(&path).unwrap();
            for (creates, starts) in [("create-trail ", "start-logging "), ("create_trail(", "start_logging(")] {
                creating += text.matches(creates).count();
                assert!(!text.contains(creates) || text.contains(starts), "{}", path.display());
            }
        }
    }
    assert!(creating > 1, "no remediation creates a trail: what does the test show?");

    let log = lines(&[event(1, json!({ "errorCode": "AccessDenied" }))]);
    for (code, meant) in [
        ("AccesDenied", "AccessDenied"),
        ("TrailNotFoundExeption", "TrailNotFoundException"),
        ("Client.UnauthorizedOperaton", "Client.UnauthorizedOperation"),
        ("noSuchEntityException", "NoSuchEntityException"),
    ] {
        let desk = Desk::with(&[
            ("pack/gone.rhai", &of_events(&format!("fn matches(event) {{ event.errorCode == \"{code}\" }}"))),
            ("log.ndjson", &log),
        ]);
        let said = format!("did you mean `{meant}`?");
        desk.run(&["check", "pack"]).exits(0).says("warning[misspelt-code]").says(&said);
        desk.run(&["check", "pack", "--strict"]).exits(2).says(&said);
        desk.run(&["scan", "log.ndjson", "--pack", "pack"]).exits(0).says("warnings");
        desk.run(&["scan", "log.ndjson", "--pack", "pack", "--strict"]).exits(2).says(&said);
    }
    // Nobody need know the codes of refusal.
    let desk =
        Desk::with(&[("pack/refused.rhai", &of_events("fn matches(event) { refused(event) }")), ("log.ndjson", &log)]);
    desk.run(&["scan", "log.ndjson", "--pack", "pack"]).exits(1);
}

/// suzaku: rules that fail to parse are skipped, and most bad input exits 0.
#[test]
fn a_policy_that_does_not_parse_is_told_and_so_is_bad_input() {
    let log = lines(&[event(1, json!({}))]);
    let sound = of_events("fn matches(event) { succeeded(event) }");
    for (broken, said) in [
        (of_events("fn matches(event) { succeeded(event) "), "error[syntax]"),
        (sound.replace("severity: medium", "severity: [medium"), "error[front-matter]"),
        (sound.replace("//! ---\n", ""), "error[front-matter]"),
        (String::new(), "error[front-matter]"),
    ] {
        let desk = Desk::with(&[("pack/broken.rhai", &broken), ("pack/sound.rhai", &sound), ("log.ndjson", &log)]);
        desk.does_not_load("log.ndjson", &[said, "pack/broken.rhai"]);
    }
    let desk = Desk::with(&[("pack/sound.rhai", &sound), ("log.ndjson", &log)]);
    for bad in ["not JSON at all", "{\"a\":1}", "{\"Records\":[{\"eventName\":", "[null]", "\u{0}\u{1}\u{2}"] {
        desk.write("bad.json", bad.as_bytes());
        let ran = desk.run(&["scan", "bad.json", "log.ndjson", "--pack", "pack", "--format", "json"]).exits(2);
        let report = ran.report();
        assert_eq!(report["faults"][0]["origins"][0]["file"], "bad.json", "{bad}");
        assert_eq!(ran.titles().len(), 1, "{bad}: the good file is judged all the same");
    }
    desk.run(&["scan", "nowhere.json", "--pack", "pack"]).exits(2).says("no such file");
}

/// suzaku: only `AccessDenied` counts as failed, so that 284 of 300 errors are filed under "Success", and a quarter of the
/// events vanishes from all totals.
#[test]
fn a_call_that_failed_by_any_code_is_no_success_and_no_record_vanishes() {
    let codes = [
        "AccessDenied",
        "AccessDeniedException",
        "Client.UnauthorizedOperation",
        "Client.InvalidPermission.Duplicate",
        "NoSuchEntityException",
        "ThrottlingException",
        "Server.InternalError",
        "SomethingNew",
    ];
    let mut id = 0;
    let mut next = |members: Value| {
        id += 1;
        event(id, members)
    };
    let mut records: Vec<Value> = codes.iter().map(|code| next(json!({ "errorCode": code }))).collect();
    records.push(next(json!({ "errorCode": "Client.DryRunOperation" })));
    // A sign-in that failed has no code.
    let sign_in = json!({ "eventSource": "signin.amazonaws.com", "eventName": "ConsoleLogin" });
    let mut failed = sign_in.clone();
    failed["responseElements"] = json!({ "ConsoleLogin": "Failure" });
    records.push(next(failed));
    for members in [json!({}), json!({ "errorCode": null }), json!({ "errorCode": "" }), sign_in] {
        records.push(next(members));
    }
    records.push(next(json!({ "awsRegion": "eu-west-1" })));
    let insight = json!({ "eventID": "i", "eventType": "AwsCloudTrailInsight", "insightDetails": {} });
    let log = format!("{}{}{{\"a\":1}}\nno JSON\n", lines(&records), lines(&[insight]));

    let desk = Desk::with(&[("log.ndjson", &log)]);
    for (name, script) in [("succeeded", "succeeded(event)"), ("failed", "failed(event)"), ("dry", "is_dry_run(event)")]
    {
        let text = policy("cloudtrail", name, "tags: []", &format!("fn matches(event) {{ {script} }}"));
        desk.write(&format!("pack/{name}.rhai"), text.as_bytes());
    }
    let args = ["scan", "log.ndjson", "--pack", "pack", "--region", "us-east-1", "--format", "json"];
    let ran = desk.run(&args).exits(2);
    let titles = ran.titles();
    let count = |title: &str| titles.iter().filter(|found| *found == title).count();
    assert_eq!((count("failed"), count("succeeded"), count("dry")), (codes.len() + 1, 4, 1));

    let summary = &ran.report()["summary"];
    let of = |pointer: &str| summary.pointer(pointer).and_then(Value::as_u64).unwrap();
    assert_eq!(of("/records/events"), titles.len() as u64, "each that was judged is in one of the three");
    assert_eq!((of("/records/recognised"), of("/records/filtered"), of("/faults")), (1, 1, 2));
    let accounted = of("/records/events") + of("/records/recognised") + of("/records/filtered") + of("/faults");
    assert_eq!(accounted, log.lines().count() as u64);
}

/// rsigma: string matchers never match an object, so that two rules can never fire.
#[test]
fn an_object_that_is_asked_as_text_does_not_load() {
    let log = lines(&[event(1, json!({ "requestParameters": { "userName": "eve" } }))]);
    let of = |script: &str| {
        Desk::with(&[
            ("pack/eve.rhai", &of_events(&format!("fn matches(event) {{ succeeded(event) && {script} }}"))),
            ("log.ndjson", &log),
        ])
    };
    for script in [
        "event.userIdentity == \"Root\"",
        "event.userIdentity.starts_with(\"arn:\")",
        "regex(event.requestParameters, \"eve\")",
        "glob(event.responseElements, \"*eve*\")",
        "event.requestParameters in [\"eve\", \"mallory\"]",
        "event.requestParameters.to_lower().contains(\"eve\")",
    ] {
        of(script).does_not_load("log.ndjson", &["error[object-as-text]"]);
    }
    for script in ["to_json(event.requestParameters).contains(\"eve\")", "event.requestParameters.userName == \"eve\""]
    {
        of(script).run(&["scan", "log.ndjson", "--pack", "pack"]).exits(1);
    }
}

/// Falco's plugin: a corrupt gzip, or a record without `eventTime`, is skipped silently.
#[test]
fn a_corrupt_gzip_is_a_fault_and_a_record_without_a_time_is_judged() {
    use std::io::Write as _;

    let text = lines(&(0..200).map(|id| event(id, json!({}))).collect::<Vec<_>>());
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    let whole = encoder.finish().unwrap();
    let mut flipped = whole.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 0xff;
    let sound = of_events("fn matches(event) { succeeded(event) }");
    let desk = Desk::with(&[("pack/sound.rhai", &sound)]);
    let scan =
        |file: &str, more: &[&str]| desk.run(&[&["scan", file, "--pack", "pack", "--format", "json"], more].concat());
    for (name, bytes) in
        [("cut.json.gz", &whole[..whole.len() / 2]), ("flipped.json.gz", &flipped), ("no.json.gz", b"\x1f\x8b")]
    {
        desk.write(name, bytes);
        let ran = scan(name, &[]).exits(2).says(name);
        assert_eq!(ran.report()["faults"][0]["stage"], "input", "{name}");
        assert!(ran.2.contains("fault: "), "{name}: {}", ran.2);
    }

    let mut timeless = event(1, json!({}));
    timeless.as_object_mut().unwrap().remove("eventTime");
    desk.write("timeless.json", json!({ "Records": [timeless, event(2, json!({}))] }).to_string().as_bytes());
    for more in [&[][..], &["--since", "2024-05-01"]] {
        let ran = scan("timeless.json", more).exits(1);
        assert_eq!((ran.titles().len(), &ran.report()["summary"]["faults"]), (2, &json!(0)), "{more:?}");
    }
}
