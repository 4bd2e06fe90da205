//! `lawbook.yaml`, variables and flags: which counts, who is named for it, and what is told of mistakes.

use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};

/// What a run of the binary left behind.
struct Ran {
    code: i32,
    out: String,
    err: String,
}

/// A folder with a pack of three policies, and a log in which two of them find a call.
struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        desk.write("pack/pack.yaml", "lawbook: 1\nname: mine\nversion: 1.2.0\n");
        let policy = |title: &str, head: &str, event: &str| {
            format!(
                "//! ---\n//! title: {title}\n//! severity: medium\n//! judges: cloudtrail\n//! when: {{ eventSource: ec2.amazonaws.com, eventName: {event} }}\n{head}//! ---\n\
                 fn matches(event) {{ succeeded(event) }}\n"
            )
        };
        let params = "//! params: { limit: { type: int, default: 1, doc: d }, roles: { type: list, of: text, default: [], doc: d } }\n";
        desk.write("pack/access/key-made.rhai", &policy("Key made", "//! tags: [cis.4.1, soc]\n", "CreateKeyPair"));
        desk.write("pack/access/deep/key-gone.rhai", &policy("Key gone", "//! tags: [cis.4.2]\n", "DeleteKeyPair"));
        desk.write("pack/network/group-made.rhai", &policy("Group made", params, "CreateSecurityGroup"));
        let event = |id: &str, name: &str| {
            json!({
                "eventVersion": "1.10", "eventID": id, "eventTime": "2024-05-14T12:00:00Z", "eventSource": "ec2.amazonaws.com",
                "eventName": name, "awsRegion": "us-east-1", "recipientAccountId": "111122223333",
                "userIdentity": { "type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/alice", "userName": "alice" },
            })
        };
        let events = [event("e-1", "CreateKeyPair"), event("e-2", "CreateSecurityGroup")];
        desk.write("logs/log.json", &json!({ "Records": events }).to_string());
        desk
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn run_in(&self, folder: &str, env: &[(&str, &str)], args: &[&str]) -> Ran {
        let mut command = crate::cli::lawbook();
        command.args(args).current_dir(self.path().join(folder)).stdin(Stdio::null()).envs(env.iter().copied());
        let out = command.output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Ran { code: out.status.code().unwrap(), out: text(out.stdout), err: text(out.stderr) }
    }

    fn run(&self, args: &[&str]) -> Ran {
        self.run_in(".", &[], args)
    }

    /// What a scan in this folder reports, with its code.
    fn scan(&self, more: &[&str]) -> (i32, Value) {
        let ran = self.run(&[&["scan", "--format", "json", "--now", "2024-05-15"][..], more].concat());
        (ran.code, serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{}", ran.err)))
    }

    /// The effective settings.
    fn settings(&self, env: &[(&str, &str)], more: &[&str]) -> Value {
        let ran = self.run_in(".", env, &[&["config", "--format", "json"][..], more].concat());
        assert_eq!(ran.code, 0, "{env:?} {more:?}: {}", ran.err);
        serde_json::from_str::<Value>(&ran.out).unwrap()["settings"].take()
    }
}

/// The policies that found something.
fn found(report: &Value) -> Vec<&str> {
    let mut found: Vec<&str> =
        report["findings"].as_array().unwrap().iter().map(|finding| finding["policy"].as_str().unwrap()).collect();
    found.sort_unstable();
    found
}

/// A setting said thrice: by a file, a variable, and a flag.
struct Row {
    key: &'static str,
    /// The lines of the file.
    file: &'static str,
    env: (&'static str, &'static str),
    flag: &'static [&'static str],
    /// What counts when each of them is the strongest; the last is of no meaning where there is no flag.
    values: [Value; 3],
}

fn row<const N: usize>(
    key: &'static str,
    file: &'static str,
    env: (&'static str, &'static str),
    flag: &'static [&'static str; N],
    values: [Value; 3],
) -> Row {
    Row { key, file, env, flag, values }
}

fn rows() -> Vec<Row> {
    let texts = |text: [&str; 3]| text.map(Value::from);
    let lists = |text: [&str; 3]| text.map(|text| json!([text]));
    let days = |days: [&str; 3]| days.map(|day| json!(format!("{day}T00:00:00Z")));
    let accounts = ["111111111111", "222222222222", "333333333333"];
    vec![
        row(
            "packs.1",
            "packs: [other]",
            ("LAWBOOK_PACKS", "[{path: pack, version: '>=1'}]"),
            &["--pack", "third"],
            texts(["other", "pack", "third"]),
        ),
        row(
            "policies.only",
            "policies: { only: [access] }",
            ("LAWBOOK_ONLY", "key-made"),
            &["--only", "mine"],
            lists(["access", "key-made", "mine"]),
        ),
        row(
            "policies.skip",
            "policies: { skip: [access] }",
            ("LAWBOOK_SKIP", "key-made"),
            &["--skip", "cis"],
            lists(["access", "key-made", "cis"]),
        ),
        row(
            "params.group-made.limit",
            "params: { group-made: { limit: 2 } }",
            ("LAWBOOK_PARAMS", "{group-made: {limit: 3}}"),
            &["--param", "group-made.limit=4"],
            [json!(2), json!(3), json!(4)],
        ),
        row(
            "severity.key-made",
            "severity: { key-made: info }",
            ("LAWBOOK_SEVERITY", "{key-made: high}"),
            &["--severity", "key-made=critical"],
            texts(["info", "high", "critical"]),
        ),
        row(
            "enforcement.access",
            "enforcement: { access: report }",
            ("LAWBOOK_ENFORCEMENT", "{access: off}"),
            &["--enforce", "access=fail"],
            texts(["report", "off", "fail"]),
        ),
        row(
            "inputs",
            "inputs: [logs]",
            ("LAWBOOK_INPUTS", "a,b"),
            &["c", "d"],
            [json!(["logs"]), json!(["a", "b"]), json!(["c", "d"])],
        ),
        row("inventory", "inventory: [a]", ("LAWBOOK_INVENTORY", "b"), &["--inventory", "c"], lists(["a", "b", "c"])),
        row(
            "inventory_account",
            "inventory_account: 111111111111",
            ("LAWBOOK_INVENTORY_ACCOUNT", "222222222222"),
            &["--inventory-account", "333333333333"],
            texts(accounts),
        ),
        row(
            "inventory_region",
            "inventory_region: us-east-1",
            ("LAWBOOK_INVENTORY_REGION", "us-east-2"),
            &["--inventory-region", "us-west-1"],
            texts(["us-east-1", "us-east-2", "us-west-1"]),
        ),
        row(
            "accounts",
            "accounts: ['111111111111']",
            ("LAWBOOK_ACCOUNTS", "222222222222"),
            &["--account", "333333333333"],
            lists(accounts),
        ),
        row(
            "regions",
            "regions: [us-east-1]",
            ("LAWBOOK_REGIONS", "us-east-2"),
            &["--region", "us-west-1"],
            lists(["us-east-1", "us-east-2", "us-west-1"]),
        ),
        row(
            "since",
            "since: 2024-05-01",
            ("LAWBOOK_SINCE", "2024-05-02"),
            &["--since", "2024-05-03"],
            days(["2024-05-01", "2024-05-02", "2024-05-03"]),
        ),
        row(
            "until",
            "until: 2024-05-01",
            ("LAWBOOK_UNTIL", "2024-05-02"),
            &["--until", "2024-05-03"],
            days(["2024-05-01", "2024-05-02", "2024-05-03"]),
        ),
        row(
            "max_inflated",
            "max_inflated: 1M",
            ("LAWBOOK_MAX_INFLATED", "2M"),
            &["--max-inflated", "3"],
            [json!(1 << 20), json!(2 << 20), json!(3)],
        ),
        row(
            "max_record",
            "max_record: 1M",
            ("LAWBOOK_MAX_RECORD", "2M"),
            &["--max-record", "3"],
            [json!(1 << 20), json!(2 << 20), json!(3)],
        ),
        row("threads", "threads: 1", ("LAWBOOK_THREADS", "2"), &["--threads", "3"], [json!(1), json!(2), json!(3)]),
        row("state", "state: a", ("LAWBOOK_STATE", "b"), &["--state", "c"], texts(["a", "b", "c"])),
        row(
            "history_complete",
            "history_complete: true",
            ("LAWBOOK_HISTORY_COMPLETE", "false"),
            &["--history-complete"],
            [json!(true), json!(false), json!(true)],
        ),
        row("shapes", "shapes: s1", ("LAWBOOK_SHAPES", "s2"), &["--shapes", "s3"], texts(["s1", "s2", "s3"])),
        row("format", "format: csv", ("LAWBOOK_FORMAT", "junit"), &[], texts(["csv", "junit", ""])),
        row("output", "output: a", ("LAWBOOK_OUTPUT", "b"), &[], texts(["a", "b", ""])),
        row(
            "reports.sarif",
            "reports: { sarif: a, csv: x.csv }",
            ("LAWBOOK_REPORTS", "{sarif: b}"),
            &["--report", "sarif=c"],
            texts(["a", "b", "c"]),
        ),
        row(
            "fail_on",
            "fail_on: info",
            ("LAWBOOK_FAIL_ON", "high"),
            &["--fail-on", "never"],
            texts(["info", "high", "never"]),
        ),
        row(
            "strict",
            "strict: true",
            ("LAWBOOK_STRICT", "FALSE"),
            &["--strict"],
            [json!(true), json!(false), json!(true)],
        ),
        row(
            "allow_empty",
            "allow_empty: false",
            ("LAWBOOK_ALLOW_EMPTY", "true"),
            &["--allow-empty=false"],
            [json!(false), json!(true), json!(false)],
        ),
        row("waivers", "waivers: a", ("LAWBOOK_WAIVERS", "b"), &["--waivers", "c"], texts(["a", "b", "c"])),
        row(
            "waiver_tag",
            "waiver_tag: { key: a }",
            ("LAWBOOK_WAIVER_TAG", "{key: b}"),
            &[],
            [json!({ "key": "a" }), json!({ "key": "b" }), json!(null)],
        ),
        row("baseline", "baseline: a", ("LAWBOOK_BASELINE", "b"), &["--baseline", "c"], texts(["a", "b", "c"])),
        row(
            "locked",
            "locked: false",
            ("LAWBOOK_LOCKED", "true"),
            &["--locked"],
            [json!(false), json!(true), json!(true)],
        ),
        row(
            "trusted_keys",
            "trusted_keys: [k1.pub]",
            ("LAWBOOK_TRUSTED_KEYS", "k2.pub"),
            &["--trusted-key", "k3.pub"],
            lists(["k1.pub", "k2.pub", "k3.pub"]),
        ),
    ]
}

#[test]
fn flags_win_over_the_environment_and_that_over_the_file_for_every_setting() {
    let desk = Desk::new();
    for (name, id) in [("other", "made-other"), ("third", "made-third")] {
        desk.write(&format!("{name}/pack.yaml"), &format!("name: {name}\n"));
        let policy = std::fs::read_to_string(desk.path().join("pack/access/key-made.rhai")).unwrap();
        desk.write(&format!("{name}/{id}.rhai"), &policy);
    }
    for name in ["s1", "s2", "s3"] {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/shapes");
        for entry in
            walkdir::WalkDir::new(&from).into_iter().map(Result::unwrap).filter(|entry| entry.file_type().is_file())
        {
            let below = entry.path().strip_prefix(&from).unwrap().to_str().unwrap().to_owned();
            desk.write(&format!("{name}/{below}"), &std::fs::read_to_string(entry.path()).unwrap());
        }
    }
    for name in ["k1", "k2", "k3"] {
        assert_eq!(desk.run(&["pack", "keygen", name]).code, 0);
    }
    desk.write("lawbook.yaml", "packs: [pack]\n");
    assert_eq!(desk.run(&["lock"]).code, 0);
    let schema: Value = serde_json::from_str(include_str!("../../schemas/config.schema.json")).unwrap();
    let rows = rows();
    for key in schema["properties"].as_object().unwrap().keys().filter(|key| *key != "lawbook") {
        assert!(rows.iter().any(|row| row.key.split('.').next() == Some(key)), "`{key}` is in no row");
    }
    for Row { key, file, env, flag, values } in rows {
        let packs = if key.starts_with("packs") { "" } else { "packs: [pack]\n" };
        let base = |text: &str| desk.write("lawbook.yaml", &format!("# first\n{packs}{text}\n"));
        let unlocked: &[&str] = if key == "locked" { &[] } else { &["--unlocked"] };
        let settings = |env: &[(&str, &str)], flag: &[&str]| desk.settings(env, &[flag, unlocked].concat());
        let check = |settings: &Value, value: &Value, by: &str, said: &str| {
            let is = &settings[key];
            assert_eq!(
                (&is["value"], &is["from"]["by"], &is["from"]["said"]),
                (value, &json!(by), &json!(said)),
                "{key}: {is}"
            );
        };
        base("");
        if let Some(is) = settings(&[], &[]).get(key) {
            assert_eq!(is["from"]["by"], "default", "{key}");
        }
        check(&settings(&[env], &[]), &values[1], "env", env.0);
        base(file);
        let line = if packs.is_empty() { 2 } else { 3 };
        let of_file = settings(&[], &[]);
        check(&of_file, &values[0], "file", &format!("lawbook.yaml:{line}"));
        assert_eq!(
            (&of_file[key]["from"]["file"], &of_file[key]["from"]["line"]),
            (&json!("lawbook.yaml"), &json!(line))
        );
        check(&settings(&[env], &[]), &values[1], "env", env.0);
        // An empty variable is one that is not set.
        check(&settings(&[(env.0, "")], &[]), &values[0], "file", &format!("lawbook.yaml:{line}"));
        if !flag.is_empty() {
            let flagged = settings(&[env], flag);
            let said = flagged[key]["from"]["said"].as_str().unwrap();
            let name = if key == "inputs" { "PATH" } else { flag[0].split('=').next().unwrap() };
            assert!(said.starts_with(name), "{key}: {said}");
            check(&flagged, &values[2], "flag", said);
        }
    }
}

#[test]
fn a_scan_goes_by_the_configuration_alone() {
    let desk = Desk::new();
    desk.write(
        "lawbook.yaml",
        "packs: [pack]\ninputs: [logs]\nfail_on: high\nreports: { csv: out/found.csv }\nseverity: { mine/group-made: low }\n",
    );
    std::fs::create_dir(desk.path().join("out")).unwrap();
    let (code, report) = desk.scan(&[]);
    assert_eq!((code, found(&report)), (0, vec!["group-made", "key-made"]));
    assert_eq!(report["findings"][0]["origin"]["file"], "logs/log.json");
    assert!(std::fs::read_to_string(desk.path().join("out/found.csv")).unwrap().contains("group-made"));
    assert_eq!(desk.scan(&["--fail-on", "low"]).0, 1);
    // From below, paths are still those of the file, and are named from there.
    std::fs::create_dir(desk.path().join("deep")).unwrap();
    std::fs::remove_file(desk.path().join("out/found.csv")).unwrap();
    let ran = desk.run_in("deep", &[], &["scan", "--format", "json"]);
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((ran.code, &report["findings"][0]["origin"]["file"]), (0, &json!("../logs/log.json")), "{}", ran.err);
    assert!(desk.path().join("out/found.csv").exists());
    // A path on the command line is of the folder in which it is said.
    let ran = desk.run_in("deep", &[], &["scan", "logs"]);
    assert!(ran.code == 2 && ran.err.contains("logs: no such file"), "{}", ran.err);
    let ran = desk.run_in("deep", &[("LAWBOOK_CONFIG", "nowhere.yaml")], &["scan"]);
    assert!(ran.code == 2 && ran.err.contains("nowhere.yaml: cannot be read"), "{}", ran.err);
    let ran = desk.run(&["scan", "--no-config"]);
    assert!(ran.code == 2 && ran.err.contains("nothing to scan"), "{}", ran.err);
    let ran = desk.run(&["scan", "logs", "--no-config", "--pack", "pack"]);
    assert!(ran.code == 1 && ran.out.contains("2 medium"), "{}", ran.out);
}

#[test]
fn reports_take_the_place_of_nothing_that_the_configuration_names() {
    let desk = Desk::new();
    for (name, text) in
        [("waivers.yaml", "waivers: []\n"), ("known.json", "{\"lawbook_baseline\": 1, \"findings\": {}}\n")]
    {
        desk.write(name, text);
    }
    desk.write("lawbook.yaml", "packs: [pack]\ninputs: [logs]\nwaivers: waivers.yaml\nbaseline: known.json\n");
    assert_eq!(desk.run(&["lock"]).code, 0);
    for file in ["lawbook.yaml", "lawbook.lock", "waivers.yaml", "known.json", "logs/log.json", "pack/pack.yaml"] {
        let before = std::fs::read(desk.path().join(file)).unwrap();
        let ran = desk.run(&["scan", "--report", &format!("json={file}")]);
        assert!(ran.code == 2 && ran.err.contains("would take its place"), "{file}: {}", ran.err);
        assert_eq!(std::fs::read(desk.path().join(file)).unwrap(), before);
    }
}

#[test]
fn findings_of_what_is_reported_only_fail_nothing_and_say_so_everywhere() {
    let desk = Desk::new();
    let set =
        |text: &str| desk.write("lawbook.yaml", &format!("packs: [pack]\ninputs: [logs]\nenforcement: {{ {text} }}\n"));
    let scan = |enforcement: &str| {
        set(enforcement);
        let (code, report) = desk.scan(&[]);
        let modes = report["findings"].as_array().unwrap().iter();
        let mut modes: Vec<String> = modes
            .map(|one| format!("{} {}", one["policy"].as_str().unwrap(), one["enforcement"].as_str().unwrap()))
            .collect();
        modes.sort_unstable();
        (code, modes.join(", "))
    };
    let told = |code: i32, modes: &str| (code, modes.to_owned());
    assert_eq!(scan("access: fail"), told(1, "group-made fail, key-made fail"));
    assert_eq!(scan("access: report"), told(1, "group-made fail, key-made report"));
    assert_eq!(scan("access: report, network: off"), told(0, "key-made report"));
    assert_eq!(scan("mine: report, cis.4: off"), told(0, "group-made report"));
    assert_eq!(scan("all: report, key-made: fail"), told(1, "group-made report, key-made fail"));
    assert_eq!(scan("mine/access: report, soc: off, all: off"), told(0, "key-made report"));
    // A flag sets the same word anew; the closest still counts.
    set("all: off, key-made: report");
    let (code, report) = desk.scan(&["--enforce", "key-made=fail"]);
    assert_eq!((code, found(&report)), (1, vec!["key-made"]));

    set("all: report");
    let formats = [
        ("text", "(reported only)"),
        ("text", "2 medium, 2 reported only."),
        ("ndjson", "\"enforcement\":\"report\""),
        ("ndjson", "\"by_enforcement\":{\"fail\":0,\"report\":2}"),
        ("sarif", "\"enforcement\":\"report\""),
        ("csv", ",report"),
        ("markdown", "2 of them reported only"),
        ("github", "::notice file="),
        ("junit", "skipped=\"1\" failures=\"0\""),
    ];
    for (format, told) in formats {
        let ran = desk.run(&["scan", "--format", format]);
        assert!(ran.code == 0 && ran.out.contains(told), "{format}: {}", ran.out);
    }
    set("all: fail");
    for (format, told) in formats {
        let ran = desk.run(&["scan", "--format", format]);
        assert!(ran.code == 1 && !ran.out.contains(told), "{format}: {}", ran.out);
    }
    set("key-made: off");
    let ran = desk.run(&["scan", "--only", "key-made", "--only", "group-made"]);
    assert!(
        ran.code == 2
            && ran.err.contains("`key-made` is asked for, and off by lawbook.yaml:3 (try: `--enforce key-made=fail`)"),
        "{}",
        ran.err
    );
    assert_eq!(found(&desk.scan(&["--only", "key-made", "--enforce", "key-made=report"]).1), ["key-made"]);
    set("all: off");
    let ran = desk.run(&["scan"]);
    assert!(
        ran.code == 2 && ran.err.contains("no policy is left to judge by: `key-gone` is off by lawbook.yaml:3"),
        "{}",
        ran.err
    );
}

#[test]
fn policies_are_chosen_by_id_folder_tag_and_pack() {
    let desk = Desk::new();
    let listed = |policies: &str, flags: &[&str]| {
        desk.write("lawbook.yaml", &format!("packs: [pack]\npolicies: {{ {policies} }}\n"));
        let ran = desk.run(&[&["list", "--format", "json"][..], flags].concat());
        assert_eq!(ran.code, 0, "{policies}: {}", ran.err);
        let list: Value = serde_json::from_str(&ran.out).unwrap();
        let mut ids: Vec<String> =
            list.as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect();
        ids.sort_unstable();
        ids.join(" ")
    };
    for (policies, flags, wanted) in [
        ("only: [access]", &[][..], "key-gone key-made"),
        ("only: [access/deep]", &[], "key-gone"),
        ("only: [cis.4.1]", &[], "key-made"),
        ("only: [cis]", &[], "key-gone key-made"),
        ("only: [mine/network, mine/key-gone]", &[], "group-made key-gone"),
        ("only: [mine], skip: [soc]", &[], "group-made key-gone"),
        ("skip: [access]", &["--skip", "network"], "key-gone key-made"),
        ("skip: [access]", &["--only", "key-made"], "key-made"),
        ("only: [access]", &["--only", "network"], "group-made"),
    ] {
        assert_eq!(listed(policies, flags), wanted, "{policies} {flags:?}");
    }
}

#[test]
fn every_mistake_is_told_with_its_line_and_what_was_meant() {
    let desk = Desk::new();
    for (text, told) in [
        ("fail_no: high", "lawbook.yaml:2:1: unknown key `fail_no` (try: did you mean `fail_on`?)"),
        (
            "fail_on: hihg",
            "lawbook.yaml:2:10: `fail_on` is `hihg`; it must be one of info, low, medium, high, critical, never (try: did you mean `high`?)",
        ),
        ("strict: yes", "lawbook.yaml:2:9: `strict` must be true or false"),
        ("policies:\n  olny: [a]", "lawbook.yaml:3:3: unknown key `olny` (try: did you mean `only`?)"),
        (
            "policies:\n  only: [key-made,\n    key-mad]",
            "lawbook.yaml:4:5: no policy `key-mad` (try: did you mean `key-made`?",
        ),
        ("policies: { skip: [netwrok] }", "no policy `netwrok` (try: did you mean `network`?"),
        (
            "params:\n  grup-made: { limit: 1 }",
            "lawbook.yaml:3:16: no policy `grup-made` (try: did you mean `group-made`?",
        ),
        (
            "params:\n  group-made:\n    limt: 1",
            "lawbook.yaml:4:5: policy `group-made` has no parameter `limt` (try: did you mean `limit`?)",
        ),
        (
            "params:\n  group-made:\n    limit: many",
            "lawbook.yaml:4:5: group-made.limit: expected int, found `\"many\"`",
        ),
        ("severity:\n  key-maed: high", "lawbook.yaml:3:3: no policy `key-maed` (try: did you mean `key-made`?"),
        ("severity: { key-made: bad }", "lawbook.yaml:2:23: `key-made` is `bad`; it must be one of info"),
        (
            "enforcement: { key-made: warn }",
            "lawbook.yaml:2:26: `key-made` is `warn`; it must be one of off, report, fail",
        ),
        (
            "enforcement:\n  access: report\n  acess: off",
            "lawbook.yaml:4:3: no policy `acess` (try: did you mean `access`?",
        ),
        ("since: soon", "lawbook.yaml:2:8: `since`: expected a time"),
        ("accounts: ['12']", "lawbook.yaml:2:12: `accounts`: expected the twelve digits of an AWS account"),
        ("reports: { srif: a }", "lawbook.yaml:2:12: `reports`: `srif` is none of the formats text"),
        ("format: jsn", "lawbook.yaml:2:9: `format`: `jsn` is none of the formats text"),
        ("max_record: big", "lawbook.yaml:2:13: `max_record`: expected bytes"),
        ("waiver_tag: { key: 'aws:x' }", "lawbook.yaml:2:20: `aws:x`: tags that begin with `aws:` are AWS's own"),
        ("waiver_tag: { key: a, longest: soon }", "lawbook.yaml:2:32: `soon` is no duration (try: such as `90d`)"),
        ("waiver_tag: { key: a, policies: [key-mad] }", "lawbook.yaml:2:34: no policy `key-mad`"),
        ("waiver_tag: {}", "`key` is missing in `waiver_tag`"),
        ("trusted_keys: [nowhere.pub]", "nowhere.pub: cannot be read"),
        ("state: s\nregions: [us-east-1]", "remembers whole accounts"),
        ("inputs: []", "`inputs` is an empty list"),
        ("fail_on: low\nfail_on: high", "lawbook.yaml:3:1: `fail_on` is given twice"),
    ] {
        desk.write("lawbook.yaml", &format!("packs: [pack]\n{text}\n"));
        let ran = desk.run(&["config"]);
        assert!(ran.code == 2 && ran.err.contains(told) && ran.out.is_empty(), "{text}:\n{}", ran.err);
        // A scan tells the same.
        let scanned = desk.run(&["scan", "logs"]);
        assert_eq!((scanned.code, scanned.err), (2, ran.err), "{text}");
    }
    for (text, told) in [
        ("packs: [pakc]", "lawbook.yaml:1: pakc: there is no such folder"),
        (
            "packs: [{ path: pack, vresion: '1' }]",
            "lawbook.yaml:1:23: unknown key `vresion` (try: did you mean `version`?)",
        ),
        ("packs: [{ name: mine }]", "`path` is missing"),
        ("packs: [{ path: pack, name: yours }]", "lawbook.yaml:1:9: the pack `pack` is called `mine`, not `yours`"),
        (
            "packs: [{ path: pack, version: '>=2' }]",
            "lawbook.yaml:1:9: the pack `mine` is 1.2.0, and `>=2` is asked for",
        ),
        ("packs: [{ path: pack, version: 'new' }]", "asks for no version"),
        ("packs: [{ path: pack, key: k.pub }]", "k.pub: cannot be read"),
        ("packs: [pack, pack]", "two packs are named `mine`"),
    ] {
        desk.write("lawbook.yaml", &format!("{text}\n"));
        let ran = desk.run(&["scan", "logs"]);
        assert!(ran.code == 2 && ran.err.contains(told), "{text}:\n{}", ran.err);
    }
    // All at once.
    desk.write("lawbook.yaml", "packs: [pack]\nseverity: { a-b: high }\nparams: { c-d: { e: 1 } }\nenforcement: { f-g: off }\npolicies: { only: [h-i] }\n");
    let ran = desk.run(&["scan", "logs"]);
    assert_eq!(ran.err.lines().count(), 4, "{}", ran.err);
    desk.write("lawbook.yaml", "faill: 1\nstrct: true\n");
    assert_eq!(desk.run(&["scan", "logs"]).err.lines().count(), 2);
    // So with variables and flags.
    desk.write("lawbook.yaml", "packs: [pack]\ninputs: [logs]\n");
    for (env, flags, told) in [
        (("LAWBOOK_FAIL_ON", "hihg"), &[][..], "LAWBOOK_FAIL_ON: `fail_on` is `hihg`; it must be one of"),
        (
            ("LAWBOOK_PARAMS", "{group-made: {limt: 1}}"),
            &[],
            "LAWBOOK_PARAMS: policy `group-made` has no parameter `limt`",
        ),
        (("LAWBOOK_ENFORCEMENT", "{nowhere: off}"), &[], "LAWBOOK_ENFORCEMENT: no policy `nowhere`"),
        (("LAWBOOK_NOW", "now"), &[], "LAWBOOK_NOW: expected a time"),
        (("X", ""), &["--enforce", "access"], "--enforcement access: expected a name and a word"),
        (("X", ""), &["--enforce", "access=stop"], "`stop` is none of off, report, fail"),
        (("X", ""), &["--severity", "key-made=worst"], "`worst` is none of the severities info"),
        (("X", ""), &["--only", "key-mad"], "error: no policy `key-mad` (try: did you mean `key-made`?"),
    ] {
        let ran = desk.run_in(".", &[env], &[&["scan"][..], flags].concat());
        let told = told.replace("--enforcement", "--enforce");
        assert!(ran.code == 2 && ran.err.contains(&told), "{env:?} {flags:?}:\n{}", ran.err);
    }
    let ran = desk.run_in(".", &[("LAWBOOK_FAILON", "high")], &["scan"]);
    assert!(
        ran.code == 1 && ran.err.contains("note: `LAWBOOK_FAILON` sets nothing (try: `LAWBOOK_FAIL_ON`)"),
        "{}",
        ran.err
    );
}

#[test]
fn what_is_said_of_packs_that_flags_replace_is_no_mistake() {
    let desk = Desk::new();
    desk.write("lawbook.yaml", "packs: [pack]\nparams: { group-made: { limit: 2 } }\nenforcement: { network: report, key-made: fail }\npolicies: { skip: [soc] }\n");
    let policy = std::fs::read_to_string(desk.path().join("pack/access/key-made.rhai")).unwrap();
    desk.write("draft.rhai", &policy.replace("Key made", "Draft"));
    let ran = desk.run(&["scan", "logs", "--policy", "draft.rhai"]);
    assert!(ran.code == 2 && ran.err.contains("no policy is left"), "its tag is skipped: {}", ran.err);
    desk.write("draft.rhai", &policy.replace("Key made", "Draft").replace("soc", "cis.5"));
    let ran = desk.run(&["scan", "logs", "--policy", "draft.rhai"]);
    assert!(ran.code == 1 && ran.out.contains("MEDIUM  Draft"), "{}{}", ran.out, ran.err);
    // What is of no pack at all goes on to be a mistake.
    desk.write("lawbook.yaml", "packs: [pack]\nparams: { grup-made: { limit: 2 } }\n");
    let ran = desk.run(&["scan", "logs", "--policy", "draft.rhai"]);
    assert!(ran.code == 2 && ran.err.contains("no policy `grup-made`"), "{}", ran.err);
}

#[test]
fn all_that_is_wrong_with_what_is_set_is_told_in_one_run() {
    let desk = Desk::new();
    // Two of the file by themselves, six that only packs can tell, and one of a flag.
    desk.write(
        "lawbook.yaml",
        "packs: [pack]\naccounts: ['12']\nsince: soon\nparams:\n  grup-made: { limit: 1 }\n  group-made: { limt: 1, limit: many }\n\
         severity: { key-maed: high }\nenforcement: { acess: off }\npolicies: { skip: [netwrok] }\n\
         waiver_tag: { key: 'aws:x', policies: [acces, access] }\n",
    );
    let wanted = [
        "lawbook.yaml:2:12: `accounts`",
        "lawbook.yaml:3:8: `since`",
        "lawbook.yaml:5:16: no policy `grup-made`",
        "lawbook.yaml:6:17: policy `group-made` has no parameter `limt`",
        "lawbook.yaml:6:26: group-made.limit: expected int",
        "lawbook.yaml:7:13: no policy `key-maed`",
        "lawbook.yaml:8:16: no policy `acess`",
        "lawbook.yaml:9:20: no policy `netwrok`",
        "lawbook.yaml:10:20: `aws:x`",
        "lawbook.yaml:10:40: no policy `acces`",
        "--severity key-made=worst: `worst` is none of",
    ];
    for command in [&["scan", "logs"][..], &["config"]] {
        let ran = desk.run(&[command, &["--severity", "key-made=worst"]].concat());
        for told in wanted {
            assert_eq!(ran.err.matches(told).count(), 1, "{command:?}: {told}\n{}", ran.err);
        }
        assert_eq!((ran.code, ran.err.lines().count()), (2, wanted.len()), "{command:?}: {}", ran.err);
    }
    // Files and folders that are not there are told together, with who named them, and with the rest.
    desk.write(
        "lawbook.yaml",
        "packs: [pack]\ninputs: [logs, loggs]\ninventory: [invent]\nwaivers: w.yaml\nbaseline: b.json\nseverity: { key-maed: high }\n",
    );
    let ran = desk.run(&["scan"]);
    let wanted_there = [
        "error: lawbook.yaml:2: loggs: there is no such file or folder",
        "error: lawbook.yaml:3: invent: there is no such file or folder",
        "error: lawbook.yaml:4: w.yaml: cannot be read",
        "error: lawbook.yaml:5: b.json: cannot be read",
        "error: lawbook.yaml:6:13: no policy `key-maed`",
    ];
    for told in wanted_there {
        assert!(ran.err.contains(told), "{told}\n{}", ran.err);
    }
    assert_eq!((ran.code, ran.err.lines().count()), (2, wanted_there.len()), "{}", ran.err);
    let ran = desk.run_in(".", &[("LAWBOOK_BASELINE", "n.json")], &["scan", "logs", "--waivers", "m.yaml"]);
    assert!(
        ran.err.contains("error: m.yaml: cannot be read")
            && ran.err.contains("LAWBOOK_BASELINE: n.json: cannot be read"),
        "{}",
        ran.err
    );
    desk.write("lawbook.yaml", "packs: [pack]\naccounts: ['12']\nsince: soon\nwaiver_tag: { key: 'aws:x' }\n");
    // With policies that do not load, their mistakes; with packs that are not there, these.
    let policy = std::fs::read_to_string(desk.path().join("pack/access/key-made.rhai")).unwrap();
    desk.write("draft.rhai", &policy.replace("succeeded", "succeded"));
    for (flag, path, told) in [
        ("--policy", "draft.rhai", "error[unknown-function]"),
        ("--pack", "nowhere", "nowhere: there is no such folder"),
    ] {
        let ran = desk.run(&["scan", "logs", flag, path, "--severity", "key-made=worst"]);
        for told in [told, wanted[0], wanted[1], "lawbook.yaml:4:20: `aws:x`", wanted[10]] {
            assert!(ran.code == 2 && ran.err.contains(told), "{path}: {told}\n{}", ran.err);
        }
    }
}

#[test]
fn policies_that_tags_may_waive_can_be_left_out_of_a_run() {
    let desk = Desk::new();
    let volume = |title: &str| {
        format!(
            "//! ---\n//! title: {title}\n//! severity: high\n//! judges: ec2/volumes\n//! ---\nfn matches(volume) {{ volume.Encrypted == false }}\n"
        )
    };
    desk.write("pack/storage/volume-plain.rhai", &volume("Volume in the clear"));
    desk.write("other/pack.yaml", "lawbook: 1\nname: other\n");
    desk.write("other/disks/volume-open.rhai", &volume("Volume in the open"));
    let tags: Vec<Value> =
        [("", "volume-plain volume-open"), ("-owner", "a"), ("-reason", "b"), ("-expires", "2024-06-01")]
            .iter()
            .map(|(end, value)| json!({ "Key": format!("ok{end}"), "Value": value }))
            .collect();
    let volumes = json!({ "Volumes": [{ "VolumeId": "vol-1", "Encrypted": false, "Tags": tags }] });
    desk.write("in/111122223333/us-east-1/ec2/describe-volumes.json", &volumes.to_string());
    desk.write(
        "lawbook.yaml",
        "packs: [pack]\ninputs: [in, logs]\nwaiver_tag: { key: ok, policies: [storage, mine/network] }\n",
    );
    let scan = |env: &[(&str, &str)], flags: &[&str]| {
        let args = [&["scan", "--format", "json", "--now", "2024-05-15"][..], flags].concat();
        let ran = desk.run_in(".", env, &args);
        let report: Value = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{env:?} {flags:?}: {}", ran.err));
        assert_eq!(report["summary"]["faults"], 0);
        let of = |one: &Value| format!("{} {}", one["policy"].as_str().unwrap(), one["standing"].as_str().unwrap());
        report["findings"].as_array().unwrap().iter().map(of).collect::<Vec<_>>().join(", ")
    };
    let draft = "pack/access/key-made.rhai";
    for (env, flags, found) in [
        (("X", ""), &[][..], "volume-plain waived, key-made new, group-made new"),
        (("X", ""), &["--only", "key-made"], "key-made new"),
        (("X", ""), &["--only", "storage"], "volume-plain waived"),
        (("X", ""), &["--only", "volume-plain"], "volume-plain waived"),
        (("X", ""), &["--skip", "storage"], "key-made new, group-made new"),
        (("X", ""), &["--skip", "storage", "--skip", "mine/network"], "key-made new"),
        (("X", ""), &["--enforce", "storage=off"], "key-made new, group-made new"),
        (("X", ""), &["--enforce", "all=off", "--enforce", "access=fail"], "key-made new"),
        (("LAWBOOK_ONLY", "key-made"), &[], "key-made new"),
        (("LAWBOOK_SKIP", "storage"), &[], "key-made new, group-made new"),
        (("LAWBOOK_ENFORCEMENT", "{storage: off}"), &[], "key-made new, group-made new"),
        (("X", ""), &["--policy", draft], "key-made new"),
        // That no policy is left that tags may waive does not mean that they may waive all.
        (("X", ""), &["--pack", "other"], "volume-open new"),
        (
            ("X", ""),
            &["--pack", "other", "--pack", "pack"],
            "volume-open new, volume-plain waived, key-made new, group-made new",
        ),
        (("LAWBOOK_WAIVER_TAG", "{key: ok}"), &["--pack", "other"], "volume-open waived"),
        (("LAWBOOK_WAIVER_TAG", "{key: ok, policies: [disks]}"), &["--pack", "other"], "volume-open waived"),
    ] {
        assert_eq!(scan(&[env], flags), found, "{env:?} {flags:?}");
        for command in ["config", "list"] {
            let ran = desk.run_in(".", &[env], &[&[command][..], flags].concat());
            assert_eq!(ran.code, 0, "{command} {env:?} {flags:?}: {}", ran.err);
        }
    }
    // What is of no pack at all is a mistake, whatever is asked for.
    desk.write("lawbook.yaml", "packs: [pack]\ninputs: [in, logs]\nwaiver_tag: { key: ok, policies: [storag] }\n");
    for flags in [&[][..], &["--only", "key-made"], &["--pack", "other"], &["--policy", draft], &["--skip", "storage"]]
    {
        let ran = desk.run(&[&["scan"][..], flags].concat());
        assert!(ran.code == 2 && ran.err.contains("lawbook.yaml:3:35: no policy `storag`"), "{flags:?}: {}", ran.err);
    }
}

#[test]
fn a_dash_is_standard_output_and_no_file() {
    let desk = Desk::new();
    desk.write("lawbook.yaml", "packs: [pack]\ninputs: [logs]\noutput: found.json\nformat: json\n");
    let findings =
        |text: &str| serde_json::from_str::<Value>(text).map(|report| report["findings"].as_array().unwrap().len());
    // A flag takes back the file.
    for flag in [&["--output", "-"][..], &["-o", "-"], &["--output=-"]] {
        let ran = desk.run(&[&["scan"][..], flag].concat());
        assert_eq!((ran.code, findings(&ran.out).unwrap()), (1, 2), "{flag:?}: {}", ran.err);
    }
    assert!(!desk.path().join("found.json").exists());
    for (file, env) in
        [("output: \"-\"\nformat: json", ("X", "")), ("output: found.json\nformat: json", ("LAWBOOK_OUTPUT", "-"))]
    {
        desk.write("lawbook.yaml", &format!("packs: [pack]\ninputs: [logs]\n{file}\n"));
        let ran = desk.run_in(".", &[env], &["scan"]);
        assert_eq!((ran.code, findings(&ran.out).unwrap()), (1, 2), "{file}: {}", ran.err);
    }
    // As text it is what a scan without the flag prints.
    let plain = desk.run(&["scan", "logs", "--no-config", "--pack", "pack"]);
    let dashed = desk.run(&["scan", "logs", "--no-config", "--pack", "pack", "--output", "-"]);
    assert_eq!((plain.code, plain.out, plain.err), (dashed.code, dashed.out, dashed.err));
    desk.write("pack/access/key-made.cases.yaml", "cases:\n  - name: n\n    record: { eventVersion: '1.10', eventID: x, eventSource: ec2.amazonaws.com, eventName: A }\n    expect: silent\n");
    let report = desk.run(&["scan", "logs", "--no-config", "--pack", "pack", "--format", "json"]).out;
    desk.write("report.json", &report);
    for command in [
        &["summary", "logs"][..],
        &["remediate", "report.json", "--no-config", "--pack", "pack"],
        &["test", "pack/access/key-made.rhai", "--ci", "--format", "json"],
    ] {
        let (plain, dashed) = (desk.run(command), desk.run(&[command, &["--output", "-"]].concat()));
        assert!(!plain.out.is_empty(), "{command:?}: {}", plain.err);
        // How long it took is another number in every run.
        let words = |text: &str| text.replace(|letter: char| letter.is_ascii_digit() || letter == '.', "");
        assert_eq!((plain.code, words(&plain.out)), (dashed.code, words(&dashed.out)), "{command:?}: {}", dashed.err);
    }
    let coverage =
        desk.run(&["test", "pack/access/key-made.rhai", "--ci", "--coverage=json", "--coverage-output", "-"]);
    assert!(serde_json::from_str::<Value>(&coverage.out).is_ok(), "{}", coverage.out);
    // Where a file is needed, it is refused.
    let base = ["scan", "logs", "--no-config", "--pack", "pack"];
    for (more, told) in [
        (&["--report", "json=-"][..], "goes to a file"),
        (&["--metrics", "-"], "--metrics -: is standard output, and this is written to a file"),
        (&["--state", "-"], "--state: what was seen is remembered in a file"),
    ] {
        let ran = desk.run(&[&base[..], more].concat());
        assert!(ran.code == 2 && ran.err.contains(told), "{more:?}: {}", ran.err);
    }
    desk.write("lawbook.yaml", "packs: [pack]\ninputs: [logs]\nreports:\n  sarif: \"-\"\n");
    let ran = desk.run(&["scan"]);
    assert!(
        ran.code == 2 && ran.err.contains("lawbook.yaml:4:10: a report of `reports` goes to a file"),
        "{}",
        ran.err
    );
    let ran = desk.run(&["docs", "--policies", "pack", "--output", "-"]);
    assert!(ran.code == 2 && ran.err.contains("is standard output"), "{}", ran.err);
    assert!(!desk.path().join("-").exists(), "nothing is called so");
    let ran = desk.run(&["scan", "logs", "--no-config", "--pack", "pack", "--output", "./-"]);
    assert!(ran.code == 1 && desk.path().join("-").exists(), "{}", ran.err);
}

#[test]
fn the_effective_configuration_is_shown_for_people_too() {
    let desk = Desk::new();
    desk.write("lawbook.yaml", "packs: [pack]\ninputs: [logs, 'in\\e[31mventory']\nseverity: { key-made: low }\n");
    let ran = desk.run_in(".", &[("LAWBOOK_STRICT", "true")], &["config", "--fail-on", "high"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let line = |key: &str| {
        let line = ran.out.lines().find(|line| line.split_whitespace().next() == Some(key)).unwrap_or_default();
        line.split_whitespace().map(str::to_owned).collect::<Vec<_>>().join(" ")
    };
    assert!(ran.out.starts_with("configuration: lawbook.yaml\n"), "{}", ran.out);
    assert_eq!(line("packs.1"), "packs.1 pack lawbook.yaml:1");
    assert_eq!(line("severity.key-made"), "severity.key-made low lawbook.yaml:3");
    assert_eq!(line("fail_on"), "fail_on high --fail-on");
    assert_eq!(line("strict"), "strict true LAWBOOK_STRICT");
    assert_eq!(line("baseline"), "baseline - default");
    let ran = desk.run(&["config", "--no-config", "--pack", "pack"]);
    assert!(ran.code == 0 && ran.out.starts_with("configuration: none"), "{}", ran.err);
}

#[test]
fn what_would_set_nothing_is_told() {
    let desk = Desk::new();
    let refused = |told: &str| {
        let ran = desk.run(&["scan", "logs", "--pack", "pack"]);
        assert!(ran.code == 2 && ran.out.is_empty() && ran.err.contains(told), "{told}: {}{}", ran.out, ran.err);
        let ran = desk.run(&["scan", "logs", "--pack", "pack", "--no-config"]);
        assert_eq!(ran.code, 1, "{}", ran.err);
    };
    desk.write("lawbook.yml", "fail_on: critical\n");
    refused("lawbook.yml: is not read, for a configuration has another name (try: rename it to `lawbook.yaml`");
    let below = desk.run_in("logs", &[], &["scan", ".", "--pack", "../pack"]);
    assert!(below.code == 2 && below.err.contains("../lawbook.yml: is not read"), "{}", below.err);
    // One of the right name counts, whatever else there is.
    desk.write("lawbook.yaml", "fail_on: critical\n");
    assert_eq!(desk.run(&["scan", "logs", "--pack", "pack"]).code, 0);
    desk.write("lawbook.yaml", "params: { key-made: {} }\n");
    refused("lawbook.yaml:1:21: `key-made` is empty");
    std::fs::remove_file(desk.path().join("lawbook.yaml")).unwrap();
    std::fs::remove_file(desk.path().join("lawbook.yml")).unwrap();
    std::fs::create_dir(desk.path().join("lawbook.yaml")).unwrap();
    refused("lawbook.yaml: cannot be read");
    std::fs::remove_dir(desk.path().join("lawbook.yaml")).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        std::os::unix::fs::symlink("nowhere", desk.path().join("lawbook.yaml")).unwrap();
        refused("lawbook.yaml: cannot be read");
        std::fs::remove_file(desk.path().join("lawbook.yaml")).unwrap();
        for name in ["LAWBOOK_FAIL_ON", "LAWBOOK_CONFIG", "LAWBOOK_NOW"] {
            let mut command = crate::cli::lawbook();
            command.args(["scan", "logs", "--pack", "pack"]).current_dir(desk.path());
            let ran = command.env(name, std::ffi::OsStr::from_bytes(b"hi\xffgh")).output().unwrap();
            let told = String::from_utf8(ran.stderr).unwrap();
            assert!(ran.status.code() == Some(2) && told.contains(&format!("{name}: is no text")), "{told}");
        }
    }
    for threads in ["0", "1025", "many"] {
        let ran = desk.run(&["scan", "logs", "--pack", "pack", "--threads", threads]);
        assert!(ran.code == 2 && ran.err.contains("expected a number from 1 to 1024"), "{}", ran.err);
        let ran = desk.run(&["test", "pack", "--threads", threads]);
        assert!(ran.code == 2 && ran.err.contains("expected a number from 1 to 1024"), "{}", ran.err);
        let ran = desk.run_in(".", &[("LAWBOOK_THREADS", threads)], &["scan", "logs", "--pack", "pack"]);
        assert!(ran.code == 2 && ran.err.contains("LAWBOOK_THREADS"), "{}", ran.err);
    }
    assert_eq!(desk.run(&["scan", "logs", "--pack", "pack", "--threads", "1024"]).code, 1);
}

#[test]
fn tags_of_resources_waive_only_if_the_configuration_lets_them() {
    let desk = Desk::new();
    desk.write(
        "pack/storage/volume-plain.rhai",
        "//! ---\n//! title: Volume in the clear\n//! severity: high\n//! judges: ec2/volumes\n//! formerly: [volume-clear]\n//! ---\n\
         fn matches(volume) { volume.Encrypted == false }\n\
         fn resources(volume) { if tag(volume, \"Lone\") == () { [volume.VolumeId] } else { list(tag(volume, \"Lone\")).filter(|id| id != \"-\") } }\n",
    );
    let scan = |config: &str, tags: &[(&str, &str)]| {
        let tags: Vec<Value> = tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
        let volumes = json!({ "Volumes": [{ "VolumeId": "vol-1", "Encrypted": false, "Tags": tags }] });
        desk.write("inventory/111122223333/us-east-1/ec2/describe-volumes.json", &volumes.to_string());
        desk.write("lawbook.yaml", &format!("packs: [pack]\ninputs: [inventory]\n{config}\n"));
        let (code, mut report) = desk.scan(&["--now", "2024-05-15T12:00:00Z"].as_slice()[..0]);
        assert_eq!(report["summary"]["faults"], 0, "{report}");
        (code, report["findings"][0].take(), report["summary"]["findings"]["by_standing"]["waived"].clone())
    };
    let rule = "waiver_tag: { key: 'lawbook:waive', longest: 90d }";
    let all = |own: &str, day: &str| {
        [
            ("lawbook:waive".to_owned(), own.to_owned()),
            ("lawbook:waive-owner".to_owned(), "carol".to_owned()),
            ("lawbook:waive-reason".to_owned(), "a scratch disk".to_owned()),
            ("lawbook:waive-expires".to_owned(), day.to_owned()),
        ]
    };
    let judge = |config: &str, tags: &[(String, String)], more: &[(&str, &str)]| {
        let tags: Vec<(&str, &str)> =
            tags.iter().map(|(key, value)| (key.as_str(), value.as_str())).chain(more.iter().copied()).collect();
        scan(config, &tags)
    };
    for own in ["volume-plain", "mine/volume-plain", "volume-clear", "key-made volume-plain", "key-made,volume-plain"] {
        let (code, finding, waived) = judge(rule, &all(own, "2024-05-15"), &[]);
        assert_eq!((code, &finding["standing"], &waived), (0, &json!("waived"), &json!(1)), "{own}: {finding}");
        let excuse = json!({ "owner": "carol", "reason": "a scratch disk", "expires": "2024-05-15", "ticket": null, "tag": "lawbook:waive" });
        assert_eq!(finding["waiver"], excuse);
    }
    let ran = desk.run(&["scan", "--now", "2024-05-15"]);
    assert!(ran.out.contains("waived    by carol until 2024-05-15: a scratch disk (tag lawbook:waive)"), "{}", ran.out);
    // Nothing is said where nobody asked for it, or nothing was meant for it.
    for (config, own) in
        [("", "volume-plain"), ("waiver_tag: { key: other }", "volume-plain"), (rule, "key-made"), (rule, "")]
    {
        let (code, finding, _) = judge(config, &all(own, "2024-06-01"), &[]);
        assert_eq!(
            (code, &finding["standing"], finding.get("notes")),
            (1, &json!("new"), None),
            "{config} {own}: {finding}"
        );
    }
    // What is not sure waives nothing, and says so.
    let day = "2024-06-01";
    let without =
        |end: &str| all("volume-plain", day).into_iter().filter(|(key, _)| !key.ends_with(end)).collect::<Vec<_>>();
    for (config, tags, more, told) in [
        (rule, without("-owner"), &[][..], "there is no tag `lawbook:waive-owner`"),
        (rule, without("-reason"), &[], "there is no tag `lawbook:waive-reason`"),
        (rule, without("-expires"), &[], "there is no tag `lawbook:waive-expires`"),
        (rule, without("-reason"), &[("lawbook:waive-reason", "  ")], "there is no tag `lawbook:waive-reason`"),
        (rule, all("volume-plain", "soon").into(), &[], "`lawbook:waive-expires` is `soon`, which is no day"),
        (rule, all("volume-plain", "2024-06-01T00:00:00Z").into(), &[], "which is no day"),
        (rule, all("volume-plain", "2024-05-14").into(), &[], "it expired on 2024-05-14"),
        (rule, all("volume-plain", "2024-09-01").into(), &[], "lets no tag waive for so long"),
        (rule, all("volume-plian", day).into(), &[], "`volume-plian` is no policy that was loaded"),
        (rule, all("*", day).into(), &[], "`*` is no policy that was loaded"),
        (rule, all("volume-plain", day).into(), &[("Lone", "vol-2")], "it is not about this resource alone"),
        (rule, all("volume-plain", day).into(), &[("Lone", "xvol-1")], "it is not about this resource alone"),
        (rule, all("volume-plain", day).into(), &[("Lone", "-")], "it is not about this resource alone"),
        (
            "waiver_tag: { key: 'lawbook:waive', policies: [access] }",
            all("volume-plain", day).into(),
            &[],
            "does not let tags waive",
        ),
    ] {
        let (code, finding, waived) = judge(config, &tags, more);
        assert_eq!((code, &finding["standing"], &waived), (1, &json!("new"), &json!(0)), "{told}: {finding}");
        let notes = finding["notes"].to_string();
        assert!(notes.contains(told) && notes.contains("its tag `lawbook:waive` does not waive it"), "{told}: {notes}");
    }
    let arn = [("Lone", "arn:aws:ec2:us-east-1:111122223333:volume/vol-1")];
    assert_eq!(judge(rule, &all("volume-plain", day), &arn).0, 0, "its ARN is the resource, too");
    let chosen = "waiver_tag: { key: 'lawbook:waive', policies: [storage] }";
    assert_eq!(judge(chosen, &all("volume-plain", "2030-01-01"), &[]).0, 0);
}

#[test]
fn a_waiver_is_written_to_the_file_of_the_configuration() {
    let desk = Desk::new();
    desk.write("lawbook.yaml", "packs: [pack]\ninputs: [logs]\nwaivers: ours/waivers.yaml\n");
    desk.write("ours/waivers.yaml", "waivers: []\n");
    std::fs::create_dir(desk.path().join("deep")).unwrap();
    let (_, report) = desk.scan(&[]);
    let fingerprint = report["findings"][0]["fingerprint"].as_str().unwrap();
    let ran =
        desk.run_in("deep", &[], &["waive", fingerprint, "--owner", "a", "--reason", "b", "--expires", "2024-06-01"]);
    assert!(ran.code == 0 && ran.out.contains("ours/waivers.yaml"), "{}{}", ran.out, ran.err);
    let (code, report) = desk.scan(&[]);
    assert_eq!((code, &report["summary"]["findings"]["by_standing"]["waived"]), (1, &json!(1)));
}
