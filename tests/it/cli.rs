//! The binary as people and pipelines see it: exit code, standard output and standard error of each command.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

/// What a run of the binary left behind.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// A scratch folder, in which the binary is run.
pub(crate) struct Desk(tempfile::TempDir);

impl Desk {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// A desk with one log of a key pair that alice created, and the policy that `lawbook new` writes.
    pub(crate) fn with_key_pair() -> Self {
        let desk = Self::new();
        desk.write("log.json", log(&[event("1", json!({}))]));
        desk.run(&["new", "key-pair-created"]).succeeds();
        desk
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = lawbook();
        command.args(args).current_dir(self.path());
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        finish(self.command(args).stdin(Stdio::null()))
    }

    fn run_with_input(&self, args: &[&str], input: &[u8]) -> Ran {
        let file = self.write("input-of-the-test", input);
        let ran = finish(self.command(args).stdin(fs::File::open(&file).unwrap()));
        fs::remove_file(file).unwrap();
        ran
    }
}

impl Ran {
    #[track_caller]
    pub(crate) fn succeeds(self) -> Self {
        self.exits(0)
    }

    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "\n--- stdout\n{}\n--- stderr\n{}", self.out, self.err);
        self
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap()
    }
}

pub(crate) fn lawbook() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lawbook"));
    for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS"] {
        command.env_remove(name);
    }
    command
}

fn finish(command: &mut Command) -> Ran {
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}

/// A record of `CreateKeyPair`, with `members` in the place of its own.
pub(crate) fn event(id: &str, members: Value) -> Value {
    let mut event = json!({
        "eventVersion": "1.10",
        "eventID": format!("00000000-0000-4000-8000-{id:0>12}"),
        "eventTime": "2024-05-14T12:00:00Z",
        "eventSource": "ec2.amazonaws.com",
        "eventName": "CreateKeyPair",
        "awsRegion": "us-east-1",
        "recipientAccountId": "111122223333",
        "sourceIPAddress": "198.51.100.7",
        "userAgent": "aws-cli/2.15",
        "userIdentity": {
            "type": "IAMUser", "userName": "alice", "accountId": "111122223333",
            "arn": "arn:aws:iam::111122223333:user/alice",
        },
        "requestParameters": { "keyName": "laptop" },
        "responseElements": null,
    });
    for (key, value) in members.as_object().unwrap() {
        event[key] = value.clone();
    }
    event
}

/// A log object as CloudTrail delivers it.
pub(crate) fn log(events: &[Value]) -> String {
    json!({ "Records": events }).to_string()
}

pub(crate) fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

/// A policy that judges events, with this script.
pub(crate) fn policy(title: &str, script: &str) -> String {
    format!(
        "//! ---\n//! lawbook: 1\n//! title: {title}\n//! severity: low\n//! judges: cloudtrail\n//! ---\n{script}\n"
    )
}

#[test]
fn what_policies_cost_is_told_beside_the_same_report() {
    let desk = Desk::with_key_pair();
    let plain = desk.run(&["scan", "log.json", "--policy", "key-pair-created.rhai"]).exits(1);
    let full = desk.run(&["scan", "log.json", "--policy", "key-pair-created.rhai", "--no-index"]).exits(1);
    assert_eq!((plain.out.as_str(), plain.err.as_str()), (full.out.as_str(), full.err.as_str()));
    let told = desk.run(&["scan", "log.json", "--policy", "key-pair-created.rhai", "--profile"]).exits(1);
    assert_eq!(told.out, plain.out);
    let rows: Vec<Vec<&str>> = told.err.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(
        rows[0],
        "policy asked in Rhai hits findings operations time share found by".split(' ').collect::<Vec<_>>()
    );
    assert_eq!(&rows[1][..5], ["key-pair-created", "1", "0", "1", "1"], "{}", told.err);
    assert!(told.err.contains("1 policy asked") && told.err.contains("0 of 1 events were passed over"), "{}", told.err);
    let full = desk.run(&["scan", "log.json", "--policy", "key-pair-created.rhai", "--profile", "--no-index"]).exits(1);
    let reason = "kind, and run in Rhai, because facts are not asked: key-pair-created.";
    assert!(full.err.contains(reason), "{}", full.err);
    desk.write("other.rhai", policy("Other", "fn matches(event) { event.eventName != \"CreateKeyPair\" }"));
    let other = desk.run(&["scan", "log.json", "--policy", "other.rhai", "--profile"]).succeeds();
    let reason = "kind, because no text is required, but facts are asked before Rhai is: other.";
    assert!(other.err.contains(reason), "{}", other.err);

    let window = policy("Many", "fn matches(event) { event.eventName == \"CreateKeyPair\" }");
    let window =
        window.replace("judges: cloudtrail", "judges: cloudtrail\n//! window: { by: awsRegion, within: 1h, count: 9 }");
    desk.write("many.rhai", window);
    let told = desk.run(&["scan", "log.json", "--policy", "many.rhai", "--profile"]).succeeds();
    let row = told.err.lines().find(|line| line.starts_with("many ")).unwrap();
    assert_eq!(row.split_whitespace().take(5).collect::<Vec<_>>(), ["many", "1", "0", "1", "0"], "{}", told.err);
}

#[test]
fn a_finding_is_told_for_people() {
    let desk = Desk::with_key_pair();
    let ran = desk.run(&["scan", "log.json", "--policy", "key-pair-created.rhai"]).exits(1);
    assert_eq!(
        ran.out,
        "\
LOW  Key pair laptop created by alice
  policy    key-pair-created (local)
  who       alice (IAMUser)
            arn:aws:iam::111122223333:user/alice
  from      198.51.100.7
  when      2024-05-14T12:00:00Z in account 111122223333, us-east-1
  call      CreateKeyPair of ec2.amazonaws.com
  resource  laptop
  read in   log.json:1 (record 1)
  why       Say what an attacker gains by it, or what breaks.
  details   key_name: laptop
  do        aws ec2 delete-key-pair --key-name laptop
  known as  4e6d09946463eb34ebdaa3c22cbd7649

Judged 1 event and 0 resources from 1 file by 1 policy (1 asked).
1 finding: 1 low.
Exit 1: 1 new finding of severity low or above.
"
    );
    assert_eq!(ran.err, "");
}

#[test]
fn a_missing_path_is_an_error_with_what_was_meant() {
    let desk = Desk::with_key_pair();
    let ran = desk.run(&["scan", "logs.json"]).exits(2);
    assert_eq!(ran.out, "");
    assert_eq!(ran.err, "error: logs.json: no such file or folder (try: did you mean `log.json`?)\n");
    let ran = desk.run(&["scan", "log.json", "nowhere/at-all"]).exits(2);
    assert_eq!(
        (ran.out.as_str(), ran.err.as_str()),
        ("", "error: nowhere/at-all: no such file or folder (try: check the path)\n")
    );
    let ran = desk.run(&["scan", "log.json", "--inventory", "zzz"]).exits(2);
    assert_eq!(ran.err, "error: zzz: no such file or folder (try: `ls .` shows what is there)\n");
}

#[test]
fn every_mistake_of_every_policy_is_told_before_anything_is_scanned() {
    let desk = Desk::new();
    desk.write("log.json", log(&[event("1", json!({}))]));
    desk.write(
        "pack/first.rhai",
        "//! ---\n//! title: T\n//! severity: hihg\n//! judges: cloudtrail\n//! ---\nfn matches(event) { succeded(event) }\n",
    );
    desk.write("pack/second.rhai", policy("T", "fn matches(event) { event.readOnly }"));
    desk.write("pack/third.rhai", policy("Fine", "fn matches(event) { true }"));
    let told = "\
error[front-matter]: `severity` is `hihg`; it must be one of info, low, medium, high, critical
 --> pack/first.rhai:3:15
  |
3 | //! severity: hihg
  |               ^^^^
  |
  = help: did you mean `high`?

error[unknown-function]: no function `succeded`
 --> pack/first.rhai:6:21
  |
6 | fn matches(event) { succeded(event) }
  |                     ^^^^^^^^
  |
  = help: did you mean `succeeded`?
  = try: fn matches(event) { succeeded(event) }

error[bare-path]: a bare path as an answer is neither true nor false where the field is absent
 --> pack/second.rhai:7:21
  |
7 | fn matches(event) { event.readOnly }
  |                     ^^^^^^^^^^^^^^
  |
  = help: try: `event.readOnly == true`

3 errors
";
    for args in [&["scan", "log.json", "--pack", "pack"][..], &["list", "--pack", "pack"]] {
        let ran = desk.run(args).exits(2);
        assert_eq!(ran.err, told, "{args:?}");
        assert_eq!(ran.out, "", "{args:?}");
    }
    // `check` tells the rest, too, by file and place, and counts.
    let ran = desk.run(&["check", "pack"]).exits(2);
    assert_eq!(ran.out, "");
    for drawn in told.split("\n\n").filter(|drawn| drawn.starts_with("error[")) {
        assert!(ran.err.contains(drawn), "{}", ran.err);
    }
    assert!(ran.err.ends_with("\n\n3 errors, 11 warnings\n"), "{}", ran.err);
}

#[test]
fn hostile_policies_are_stopped_and_named_once_and_the_scan_goes_on() {
    let desk = Desk::new();
    let events: Vec<Value> = (0..3).map(|at| event(&at.to_string(), json!({}))).collect();
    desk.write("log.json", log(&events));
    for (id, script) in [
        ("deep-recursion", "fn down(n) { down(n + 1) } fn matches(event) { down(0) == 1 }"),
        ("endless-loop", "fn matches(event) { let i = 0; loop { i += 1; } }"),
        ("exploding-list", "fn matches(event) { let l = [1]; loop { l += l; } }"),
        ("exploding-map", "fn matches(event) { let m = #{}; let i = 0; loop { m[\"k\" + i] = i; i += 1; } }"),
        ("exploding-text", "fn matches(event) { let s = \"aaaaaaaa\"; loop { s += s; } }"),
        (
            "huge-regex",
            "fn matches(event) { let some = \"{1000}\"; regex(event.eventName, \"((((a{1000}){1000}){1000})\" + some + \")\") }",
        ),
        ("good-one", "fn matches(event) { true }"),
        // Linear time: what makes others backtrack for years is an answer here.
        (
            "slow-regex",
            "fn matches(event) { let s = \"\"; for i in 0..500 { s += \"aaaaaaaaaaaaaaaaaaaa\"; } !regex(s, \"^(a+)+$\") }",
        ),
    ] {
        desk.write(&format!("pack/{id}.rhai"), policy(id, script));
    }
    let ran = desk.run(&["scan", "log.json", "--pack", "pack", "--format", "json"]).exits(2);
    let report = ran.json();
    assert_eq!(report["summary"]["findings"]["total"], 3, "the sound policy fires on every record");
    let faults: Vec<(&str, u64)> = report["faults"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| (fault["policy"].as_str().unwrap(), fault["count"].as_u64().unwrap()))
        .collect();
    let stopped = ["deep-recursion", "endless-loop", "exploding-list", "exploding-map", "exploding-text", "huge-regex"];
    assert_eq!(faults, stopped.map(|id| (id, 3)));
    let reason = |at: usize| report["faults"][at]["reason"].as_str().unwrap();
    assert_eq!(reason(0), "`matches` functions call each other more than 16 deep");
    assert!(reason(1).starts_with("`matches` used more than 1000000 operations"), "{}", reason(1));
    assert!(reason(2).starts_with("`matches` made a value that is too large"), "{}", reason(2));
    assert!(ran.err.ends_with("exit 2: 18 faults\n"), "{}", ran.err);
}

#[test]
fn damage_in_a_tree_costs_what_was_damaged() {
    let desk = Desk::with_key_pair();
    fs::remove_file(desk.path().join("log.json")).unwrap();
    for at in 0..5 {
        desk.write(&format!("tree/{at}.json.gz"), gzip(&log(&[event(&at.to_string(), json!({}))])));
    }
    let many: Vec<Value> = (100..400).map(|at| event(&at.to_string(), json!({}))).collect();
    let whole = gzip(&log(&many));
    desk.write("tree/damaged.json.gz", &whole[..whole.len() / 2]);
    let ran = desk.run(&["scan", "tree", "--policy", "key-pair-created.rhai", "--format", "json"]).exits(2);
    let report = ran.json();
    let total = report["summary"]["findings"]["total"].as_u64().unwrap();
    assert!((6..305).contains(&total), "{total}: the good files, and what is complete of the damaged one");
    assert_eq!(report["faults"].as_array().unwrap().len(), 1);
    assert_eq!(report["faults"][0]["stage"], "input");
    assert_eq!(report["faults"][0]["origins"][0]["file"], "tree/damaged.json.gz");
    assert!(ran.err.starts_with("fault: "), "{}", ran.err);
    assert!(ran.err.ends_with("exit 2: 1 fault\n"), "{}", ran.err);
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let desk = Desk::with_key_pair();
    let events: Vec<Value> = (0..2_000).map(|at| event(&at.to_string(), json!({}))).collect();
    desk.write("log.json", log(&events));
    for format in ["text", "json", "ndjson"] {
        let args = ["scan", "log.json", "--policy", "key-pair-created.rhai", "--format", format, "--fail-on", "never"];
        let mut child = desk.command(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut reader = BufReader::new(child.stdout.take().unwrap());
        let mut first = String::new();
        reader.read_line(&mut first).unwrap();
        assert!(!first.is_empty());
        drop(reader);
        let mut told = String::new();
        child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
        assert_eq!((child.wait().unwrap().code(), told.as_str()), (Some(0), ""), "{format}");
    }
    // What was found decides the exit code all the same.
    let args = ["scan", "log.json", "--policy", "key-pair-created.rhai"];
    let mut child = desk.command(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(1));
}

#[test]
fn colour_is_for_terminals_and_for_those_who_ask() {
    let desk = Desk::with_key_pair();
    desk.write("bad.rhai", policy("T", "fn matches(event) { nosuch(event) }"));
    let scan = ["scan", "log.json", "--policy", "key-pair-created.rhai"];
    for args in [&scan[..], &["show", "key-pair-created", "--pack", "."], &["check", "bad.rhai"], &["scan", "--help"]] {
        let plain = finish(desk.command(args).stdin(Stdio::null()));
        assert!(!plain.out.contains('\x1b') && !plain.err.contains('\x1b'), "{args:?}");
        let refused = finish(desk.command(args).env("NO_COLOR", "1").stdin(Stdio::null()));
        assert!(!refused.out.contains('\x1b') && !refused.err.contains('\x1b'), "{args:?}");
    }
    let always: Vec<&str> = scan.iter().copied().chain(["--color", "always"]).collect();
    assert!(desk.run(&always).exits(1).out.contains("\x1b["));
    let never: Vec<&str> = scan.iter().copied().chain(["--color", "never"]).collect();
    assert!(!desk.run(&never).exits(1).out.contains('\x1b'));
    assert!(desk.run(&["check", "bad.rhai", "--color", "always"]).exits(2).err.contains("\x1b["));
    // A file is no terminal, whatever the flag says.
    let to_file: Vec<&str> = always.iter().copied().chain(["--output", "report.txt"]).collect();
    desk.run(&to_file).exits(1);
    assert!(!fs::read_to_string(desk.path().join("report.txt")).unwrap().contains('\x1b'));
}

#[test]
fn nothing_in_a_log_can_steer_a_terminal() {
    let desk = Desk::new();
    let hostile = "x\u{1b}]0;owned\u{7}\u{9b}31m\u{202e}evil\u{2066}\u{200b}\r\n\u{85}\u{7f}\u{0}end";
    let attack = event(
        "1",
        json!({
            "eventID": hostile, "userAgent": hostile, "sourceIPAddress": hostile, "eventName": hostile,
            "requestParameters": { "keyName": hostile, hostile: hostile },
            "userIdentity": { "type": hostile, "userName": hostile, "arn": hostile },
            "eventTime": hostile, "awsRegion": hostile,
        }),
    );
    desk.write("log.json", log(&[attack]));
    desk.write(
        "hostile.rhai",
        policy(
            "T",
            "fn matches(event) { true }
             fn title(event) { `by ${event.userIdentity.userName}` }
             fn resources(event) { [event.requestParameters.keyName] }
             fn context(event) { #{ agent: event.userAgent, request: event.requestParameters } }
             fn group(event) { event.userAgent }",
        ),
    );
    desk.write("failing.rhai", policy("T", "fn matches(event) { throw event.userAgent }"));
    let clean = |text: &str, what: &str| {
        let steers = |letter: char| {
            (letter.is_control() && letter != '\n')
                || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
        };
        let found: Vec<char> = text.chars().filter(|letter| steers(*letter)).collect();
        assert!(found.is_empty(), "{what}: {found:?} in\n{}", text.escape_debug());
    };
    for format in ["text", "json", "ndjson"] {
        let args = ["scan", "log.json", "--policy", "hostile.rhai", "--policy", "failing.rhai", "--format", format];
        let why = [&args[..], &["--why", "hostile"]].concat();
        for args in [&args[..], &why] {
            let ran = desk.run(args).exits(2);
            assert!(ran.out.contains("end"), "the text is shown, escaped");
            clean(&ran.out, format);
            clean(&ran.err, format);
        }
    }
    let ran = desk.run(&["try", "print(event.userAgent); event", "log.json"]).succeeds();
    clean(&ran.out, "try");
    clean(&ran.err, "try");
    let ran = desk.run(&["try", "throw event.userAgent", "log.json"]).exits(2);
    clean(&ran.err, "try");
}

#[test]
fn a_report_goes_to_a_file() {
    let desk = Desk::with_key_pair();
    let scan = ["scan", "log.json", "--policy", "key-pair-created.rhai", "--format", "json", "--now", "2024-05-15"];
    let printed = desk.run(&scan).exits(1);
    let ran = desk.run(&[&scan[..], &["--output", "report.json"]].concat()).exits(1);
    assert_eq!(ran.out, "");
    assert_eq!(ran.err, "exit 1: 1 new finding of severity low or above\n");
    assert_eq!(fs::read_to_string(desk.path().join("report.json")).unwrap(), printed.out);
    let before = fs::read(desk.path().join("log.json")).unwrap();
    let ran = desk.run(&[&scan[..], &["--output", "./log.json"]].concat()).exits(2);
    assert_eq!(
        ran.err,
        "error: --output ./log.json: is read by this scan, and the report would take its place (try: another name)\n"
    );
    assert_eq!(fs::read(desk.path().join("log.json")).unwrap(), before, "evidence is not overwritten");
    let ran = desk.run(&[&scan[..], &["-o", "no/such/folder/report.json"]].concat()).exits(2);
    assert!(ran.err.starts_with("error: --output no/such/folder/report.json: cannot be written: "), "{}", ran.err);
}

#[test]
fn fail_on_says_which_severity_fails_a_run() {
    let desk = Desk::with_key_pair();
    for (level, code) in [("info", 1), ("low", 1), ("medium", 0), ("high", 0), ("critical", 0), ("never", 0)] {
        let ran = desk.run(&["scan", "log.json", "--policy", "key-pair-created.rhai", "--fail-on", level]);
        assert_eq!(ran.code, code, "{level}");
        assert!(ran.out.contains("\n1 finding: 1 low.\n"), "{level}: it is reported all the same");
    }
    let ran = desk.run(&["scan", "log.json", "--fail-on", "hihg"]).exits(2);
    assert!(ran.err.contains("'high'"), "{}", ran.err);
}

#[test]
fn what_is_named_must_be_there() {
    let desk = Desk::with_key_pair();
    let scan = ["scan", "log.json", "--pack", "."];
    for (flags, told) in [
        (&["--only", "nope"][..], "error: no policy `nope` (try: `lawbook list` lists all)\n"),
        (
            &["--skip", "key-pair-create"],
            "error: no policy `key-pair-create` (try: did you mean `key-pair-created`? `lawbook list` lists all)\n",
        ),
        (&["--skip", "key-pair-created"], "error: no policy is left to judge by (try: `lawbook list`)\n"),
        (
            &["--param", "key-pair-created.trusted_roles=7"],
            "error: param key-pair-created.trusted_roles: expected list of text, found `7`\n",
        ),
        (
            &["--param", "key-pair-created.trusted_role=[]"],
            "error: param key-pair-created.trusted_role: policy `key-pair-created` has no parameter `trusted_role` \
             (try: did you mean `trusted_roles`?)\n",
        ),
        (
            &["--param", "trusted_roles"],
            "error: --param trusted_roles: expected ID.NAME=VALUE \
             (try: `--param eip-disassociated.trusted_roles='[arn:aws:iam::111122223333:role/ops]'`)\n",
        ),
        (
            &["--why", "key-pair-crated"],
            "error: --why: no policy `key-pair-crated` (try: did you mean `key-pair-created`? `lawbook list` lists all)\n",
        ),
        (&["--state", "-"], "error: --state: what was seen is remembered in a file, and `-` is none\n"),
    ] {
        let ran = desk.run(&[&scan[..], flags].concat()).exits(2);
        assert_eq!((ran.out.as_str(), ran.err.as_str()), ("", told), "{flags:?}");
    }
    let of_variable = finish(desk.command(&scan).env("LAWBOOK_STATE", "-").stdin(Stdio::null())).exits(2);
    assert!(of_variable.err.starts_with("error: LAWBOOK_STATE: "), "{}", of_variable.err);
    // Of the policies that there are, one that is not asked.
    let off = ["scan", "log.json", "--skip", "eip-released", "--why", "eip-released"];
    let told = "error: --why: policy `eip-released` is off (try: `lawbook config` says what turned it off)\n";
    assert_eq!(desk.run(&off).exits(2).err, told);
}

/// An event by the role that is trusted in the tests of parameters.
fn by_role() -> Value {
    event(
        "2",
        json!({ "userIdentity": {
            "type": "AssumedRole", "arn": "arn:aws:sts::111122223333:assumed-role/ops/alice", "accountId": "111122223333",
            "sessionContext": { "sessionIssuer": {
                "type": "Role", "userName": "ops", "arn": "arn:aws:iam::111122223333:role/ops",
            } },
        } }),
    )
}

#[test]
fn parameters_come_from_flags_and_from_the_nearest_configuration_above() {
    let desk = Desk::with_key_pair();
    desk.write("log.json", log(&[by_role()]));
    let scan = ["scan", "log.json", "--policy", "key-pair-created.rhai"];
    desk.run(&scan).exits(1);
    desk.run(
        &[&scan[..], &["--param", "key-pair-created.trusted_roles=['arn:aws:iam::111122223333:role/ops']"]].concat(),
    )
    .succeeds();

    desk.write("lawbook.yaml", "params:\n  key-pair-created:\n    trusted_roles: ['arn:aws:iam::*:role/ops']\n");
    desk.run(&scan).succeeds();
    fs::create_dir_all(desk.path().join("deep/down")).unwrap();
    let mut below = lawbook();
    below.current_dir(desk.path().join("deep/down")).stdin(Stdio::null());
    finish(below.args(["scan", "../../log.json", "--policy", "../../key-pair-created.rhai"])).succeeds();
    // A flag beats the file.
    desk.run(&[&scan[..], &["--param", "key-pair-created.trusted_roles=[]"]].concat()).exits(1);

    desk.write("other.yaml", "severity:\n  key-pair-created: critical\n");
    let ran = desk.run(&[&scan[..], &["--config", "other.yaml"]].concat()).exits(1);
    assert!(ran.out.starts_with("CRITICAL  "), "{}", ran.out);

    desk.write("lawbook.yaml", "parms: {}\n");
    let ran = desk.run(&scan).exits(2);
    assert!(ran.err.contains("lawbook.yaml:1:1: unknown key `parms` (try: did you mean `params`?)"), "{}", ran.err);
}

#[test]
fn a_policy_is_found_by_its_former_id_wherever_it_is_named() {
    let desk = Desk::with_key_pair();
    let text = fs::read_to_string(desk.path().join("key-pair-created.rhai")).unwrap();
    desk.write("key-pair-made.rhai", text.replace("//! tags:", "//! formerly: [key-pair-created]\n//! tags:"));
    desk.write("log.json", log(&[by_role()]));
    let scan = |more: &[&str]| desk.run(&[&["scan", "log.json", "--policy", "key-pair-made.rhai"][..], more].concat());
    assert!(scan(&["--only", "key-pair-created", "--why", "key-pair-created"]).exits(1).out.contains("    fires: "));
    scan(&["--param", "key-pair-created.trusted_roles=['arn:aws:iam::*:role/ops']"]).succeeds();
    desk.write("other.yaml", "severity:\n  key-pair-created: critical\n");
    assert!(scan(&["--config", "other.yaml"]).exits(1).out.starts_with("CRITICAL  "));
}

#[test]
fn why_tells_the_verdict_on_every_record_that_was_asked_about() {
    let desk = Desk::with_key_pair();
    let refused = event("2", json!({ "errorCode": "Client.UnauthorizedOperation" }));
    let other = event("3", json!({ "eventName": "DescribeKeyPairs" }));
    desk.write("log.json", log(&[event("1", json!({})), refused, other]));
    let ran =
        desk.run(&["scan", "log.json", "--policy", "key-pair-created.rhai", "--why", "key-pair-created"]).exits(1);
    let why = &ran.out[ran.out.find("Why\n").unwrap()..ran.out.find("Judged").unwrap()];
    assert!(why.contains("fires: Key pair laptop created by alice"), "{why}");
    assert!(why.contains("silent: `succeeded(event)` is false"), "{why}");
    assert!(why.contains("of 1 record more it was not asked"), "{why}");
}

/// A report takes the place of no other file of the run, whether that is there yet or not.
#[test]
fn keys_and_states_are_not_written_over() {
    let desk = Desk::with_key_pair();
    fs::write(desk.path().join("r.key"), "0123456789abcdef").unwrap();
    let scan = ["scan", "log.json", "--policy", "key-pair-created.rhai", "--fail-on", "never"];
    let with = |more: &[&str]| desk.run(&[&scan[..], more].concat());
    let told = "is another file of this run, and would be written over";
    for more in [
        &["--redact", "--redact-key", "r.key", "-o", "r.key"][..],
        &["--redact", "--redact-key", "r.key", "--metrics", "./r.key"],
        &["--state", "seen.json", "--format", "json", "-o", "seen.json"],
        &["--state", "seen.json", "--report", "json=./seen.json"],
        &["--state", "seen.json", "--metrics", "seen.json"],
    ] {
        let ran = with(more).exits(2);
        assert!(ran.err.contains(told), "{more:?}: {}", ran.err);
    }
    // A page that was there is there still.
    desk.write("one.html", "before");
    let twice = with(&["-o", "one.html", "--format", "html", "--metrics", "one.html"]).exits(2);
    assert!(twice.err.contains("is where two reports of this scan would go"), "{}", twice.err);
    assert_eq!(fs::read_to_string(desk.path().join("one.html")).unwrap(), "before");
    assert_eq!(fs::read_to_string(desk.path().join("r.key")).unwrap(), "0123456789abcdef");
    assert!(!desk.path().join("seen.json").exists());
    let summary = desk.run(&["summary", "log.json", "--redact", "--redact-key", "r.key", "-o", "r.key"]).exits(2);
    assert!(summary.err.contains(told), "{}", summary.err);
}

/// A link to what is remembered leads there, as it does for whoever names the file itself.
#[cfg(unix)]
#[test]
fn a_state_that_is_a_link_is_what_it_leads_to() {
    let desk = Desk::with_key_pair();
    fs::create_dir(desk.path().join("volume")).unwrap();
    let scan = |state: &str| {
        let args = ["scan", "log.json", "--policy", "key-pair-created.rhai", "--fail-on", "never", "--state", state];
        desk.run(&args).exits(0);
    };
    scan("volume/seen");
    std::os::unix::fs::symlink("volume/seen", desk.path().join("link")).unwrap();
    scan("link");
    assert!(fs::symlink_metadata(desk.path().join("link")).unwrap().is_symlink());
    assert!(!desk.path().join("link.lock").exists());
}

/// A file never takes the place of a folder, a pipe or a device, and nothing is scanned for what could not be remembered.
#[cfg(unix)]
#[test]
fn a_state_is_a_file() {
    let desk = Desk::with_key_pair();
    fs::create_dir(desk.path().join("folder")).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(desk.path().join("pipe")).status().unwrap().success());
    fs::write(desk.path().join("other"), "not a state\n").unwrap();
    std::os::unix::fs::symlink("pipe", desk.path().join("link")).unwrap();
    for (state, told) in
        [("folder", "is no file"), ("pipe", "is no file"), ("link", "is no file"), ("other", "state file")]
    {
        let args = ["scan", "log.json", "--policy", "key-pair-created.rhai", "--state", state];
        let ran = desk.run(&args).exits(2);
        assert!(ran.err.contains(told), "{}", ran.err);
        assert!(ran.out.is_empty(), "{}", ran.out);
    }
    assert!(!fs::metadata(desk.path().join("pipe")).unwrap().is_file());
}

/// Days ago are reckoned from the time of the run, whoever says that.
#[test]
fn durations_count_from_the_time_of_the_run() {
    let desk = Desk::with_key_pair();
    let time = time_of(&desk);
    let scan = ["scan", "log.json", "--policy", "key-pair-created.rhai", "--since", "2d"];
    let day_after = format!("{}T23:59:59Z", &time[..10]);
    desk.run(&[&scan[..], &["--now", &day_after]].concat()).exits(1);
    desk.run(&[&scan[..], &[&format!("--now={day_after}")]].concat()).exits(1);
    desk.run(&scan).exits(2);
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        let mut odd = desk.command(&scan);
        odd.arg(std::ffi::OsStr::from_bytes(b"no\xfftext"));
        assert!(!finish(odd.stdin(Stdio::null())).exits(2).err.contains("panicked"));
    }
    let of_variable = finish(desk.command(&scan).env("LAWBOOK_NOW", &day_after).stdin(Stdio::null()));
    of_variable.exits(1);
    // An empty variable sets nothing.
    let mut emptied = desk.command(&scan);
    emptied.env("LAWBOOK_NOW", &day_after).env("LAWBOOK_LOG_FORMAT", "").env("LAWBOOK_REDACT_KEY", "");
    finish(emptied.stdin(Stdio::null())).exits(1);
}

/// The `eventTime` of the record on the desk.
fn time_of(desk: &Desk) -> String {
    let log = fs::read_to_string(desk.path().join("log.json")).unwrap();
    let at = log.find("eventTime").unwrap();
    let time = log[at + "eventTime".len()..].trim_start_matches(['"', ':', ' ']);
    time[..time.find('"').unwrap()].to_owned()
}

#[test]
fn reports_in_a_folder_are_no_data() {
    let desk = Desk::with_key_pair();
    fs::create_dir(desk.path().join("old")).unwrap();
    for format in ["json", "ndjson", "sarif", "csv", "asff"] {
        let file = format!("old/report.{format}");
        let scan = ["scan", "log.json", "--policy", "key-pair-created.rhai", "--format", format, "-o", &file];
        desk.run(&[&scan[..], &["--fail-on", "never"]].concat()).exits(0);
    }
    let ran = desk.run(&["scan", "old"]).exits(2);
    assert!(ran.out.contains("nothing was judged") && ran.out.contains("5 files skipped"), "{}", ran.out);
}

#[test]
fn standard_input_is_a_path() {
    let desk = Desk::with_key_pair();
    let text = fs::read(desk.path().join("log.json")).unwrap();
    let scan = ["scan", "-", "--policy", "key-pair-created.rhai"];
    let ran = desk.run_with_input(&scan, &text).exits(1);
    assert!(ran.out.contains("  read in   -:1 (record 1)\n"), "{}", ran.out);
    desk.run_with_input(&scan, &gzip(std::str::from_utf8(&text).unwrap())).exits(1);

    let ran = desk.run_with_input(&scan, b"").exits(2);
    assert!(ran.out.contains("Exit 2: nothing was judged"), "{}", ran.out);
    assert!(ran.out.contains("`--allow-empty`"), "{}", ran.out);
    desk.run_with_input(&[&scan[..], &["--allow-empty"]].concat(), b"").succeeds();
}

#[test]
fn strict_and_named_policies_do_not_accept_not_evaluated() {
    let desk = Desk::new();
    desk.write("log.json", log(&[event("1", json!({}))]));
    desk.write(
        "pack/address-known.rhai",
        "//! ---\n//! lawbook: 1\n//! title: Address known\n//! severity: low\n//! judges: cloudtrail\n//! needs: [ec2/addresses]\n\
         //! references: [\"https://docs.aws.amazon.com/\"]\n//! ---\n//! ## What it finds\n//! x\n//! ## Why it matters\n//! x\n\
         //! ## False positives\n//! x\n//! ## Respond\n//! x\n\
         // lawbook: allow(outcome) every call of the address is meant\n\
         fn matches(event) { lookup(\"ec2/addresses\", \"PublicIp\", event.sourceIPAddress) != () }\n",
    );
    desk.write("pack/address-known.cases.yaml", "cases: []\n");
    let scan = ["scan", "log.json", "--pack", "pack"];
    let ran = desk.run(&scan).succeeds();
    assert_eq!(
        ran.out,
        "\
Not evaluated
  address-known: inventory `ec2/addresses` was not collected (1 record, 111122223333/us-east-1)

Judged 1 event and 0 resources from 1 file by 1 policy (1 asked).
No findings, 1 not evaluated.
"
    );
    let ran = desk.run(&[&scan[..], &["--strict"]].concat()).exits(2);
    assert!(ran.out.ends_with("Exit 2: 1 record not evaluated, and `--strict`.\n"), "{}", ran.out);
    let ran = desk.run(&[&scan[..], &["--only", "address-known"]].concat()).exits(2);
    assert!(ran.out.contains("Exit 2: `address-known` never ran"), "{}", ran.out);

    // An empty answer is an answer.
    desk.write("inventory/111122223333/us-east-1/ec2/describe-addresses.json", r#"{ "Addresses": [] }"#);
    desk.run(&[&scan[..], &["--inventory", "inventory", "--strict"]].concat()).succeeds();
}

#[test]
fn list_and_show_know_the_embedded_pack() {
    let desk = Desk::new();
    let list = desk.run(&["list", "--format", "json"]).succeeds().json();
    let ids: Vec<&str> = list.as_array().unwrap().iter().map(|policy| policy["id"].as_str().unwrap()).collect();
    for id in ["eip-disassociated", "ebs-volume-unencrypted", "cloudtrail-stopped", "flow-logs-missing"] {
        assert!(ids.contains(&id), "{ids:?}");
    }
    for policy in list.as_array().unwrap() {
        let members: Vec<&str> = policy.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(members, ["file", "id", "judges", "needs", "pack", "severity", "tags", "title", "uses"]);
    }
    let lines = desk.run(&["list"]).succeeds().out;
    assert_eq!(lines.lines().count(), ids.len());
    for (line, id) in lines.lines().zip(&ids) {
        assert!(line.starts_with(&format!("{id} ")), "{line}");
        let shown = desk.run(&["show", id]).succeeds().out;
        for heading in ["What it finds", "Why it matters", "False positives", "Respond", "Asked when", "References"] {
            assert!(shown.contains(&format!("\n{heading}\n")), "`show {id}` lacks `{heading}`");
        }
    }
    fs::create_dir(desk.path().join("odd")).unwrap();
    let odd = "//! ---\n//! title: \u{202e}ddo\n//! severity: low\n//! judges: cloudtrail\n//! ---\nfn matches(event) { true }\n";
    fs::write(desk.path().join("odd/odd.rhai"), odd).unwrap();
    let line = desk.run(&["list", "--pack", "odd"]).succeeds().out;
    assert!(line.ends_with("  \\u{202e}ddo\n"), "what others wrote steers no terminal: {line:?}");
    let ran = desk.run(&["show", "eip-dissociated"]).exits(2);
    assert_eq!(
        ran.err,
        "error: no policy `eip-dissociated` (try: did you mean `eip-disassociated`? `lawbook list` lists all)\n"
    );
}

#[test]
fn try_evaluates_an_expression_over_each_record() {
    let desk = Desk::new();
    desk.write("log.json", log(&[event("1", json!({})), event("2", json!({ "requestParameters": null }))]));
    let ran = desk.run(&["try", "request(event).keyName", "log.json"]).succeeds();
    assert_eq!((ran.out.as_str(), ran.err.as_str()), ("\"laptop\"\nnull\n", ""));
    let ran = desk.run(&["try", "request(event).keyName", "log.json", "--non-null"]).succeeds();
    assert_eq!(ran.out, "\"laptop\"\n");
    let ran = desk.run(&["try", "print(actor(event).name); event.eventName", "log.json"]).succeeds();
    assert_eq!((ran.out.as_str(), ran.err.as_str()), ("\"CreateKeyPair\"\n\"CreateKeyPair\"\n", "alice\nalice\n"));
    let ran = desk.run(&["try", "actor(event", "log.json"]).exits(2);
    assert!(ran.err.starts_with("error: EXPR:1:12: "), "{}", ran.err);
    let ran = desk.run_with_input(&["try", "event", "-"], b"").exits(2);
    assert_eq!((ran.out.as_str(), ran.err.as_str()), ("", "no record was read\n"));
}

#[test]
fn new_writes_a_policy_that_loads() {
    let desk = Desk::new();
    let ran = desk.run(&["new", "key-pair-created", "--dir", "pack"]).succeeds();
    assert_eq!(
        ran.out,
        "wrote pack/pack.yaml\nwrote pack/key-pair-created.rhai\nwrote pack/key-pair-created.cases.yaml\nwrote pack/key-pair-created.snap\nnext: lawbook test pack/key-pair-created.rhai\n"
    );
    assert_eq!(desk.run(&["check", "pack/key-pair-created.rhai"]).succeeds().out, "1 policy loads.\n");
    desk.run(&["new", "volume-without-owner", "--dir", "pack", "--judges", "ec2/volumes"]).succeeds();
    let ran = desk.run(&["check", "pack", "--strict"]).succeeds();
    assert_eq!((ran.out.as_str(), ran.err.as_str()), ("2 policies load.\n", ""));

    let ran = desk.run(&["new", "key-pair-created", "--dir", "pack"]).exits(2);
    assert_eq!(ran.err, "error: pack/key-pair-created.rhai: is there already (try: another id, or remove the file)\n");
    for folder in ["pack/lib", "pack/lib/of/all"] {
        let ran = desk.run(&["new", "volume-gone", "--dir", folder]).exits(2);
        assert_eq!(
            ran.err,
            format!(
                "error: {folder}: holds what policies share: a policy in `lib/` is never asked (try: `--dir pack`)\n"
            )
        );
    }
    assert!(!desk.path().join("pack/lib").exists());
    desk.run(&["new", "volume-gone", "--dir", "lib/of/packs"]).succeeds();
    let ran = desk.run(&["new", "KeyPair"]).exits(2);
    assert_eq!(
        ran.err,
        "error: KeyPair: is no id: lower-case words, digits and hyphens (try: `lawbook new key-pair-created`)\n"
    );
    let ran = desk.run(&["new", "x", "--judges", "ec2/volume"]).exits(2);
    assert_eq!(ran.err, "error: ec2/volume: is no inventory kind (try: `ec2/volumes`)\n");
}

#[test]
fn check_without_a_path_checks_the_embedded_pack() {
    let ran = Desk::new().run(&["check"]).succeeds();
    assert!(ran.out.ends_with(" policies load.\n"), "{}", ran.out);
    assert_eq!(ran.err, "");
}

#[test]
fn completions_and_manual_pages_are_well_formed() {
    let desk = Desk::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        assert!(desk.run(&["completions", shell]).succeeds().out.contains("lawbook"), "{shell}");
    }
    let script = desk.write("completions.bash", desk.run(&["completions", "bash"]).succeeds().out);
    match Command::new("bash").arg("-n").arg(&script).output() {
        Ok(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr)),
        Err(_) => crate::skipped("there is no bash to parse the completions with"),
    }
    let page = desk.run(&["man"]).succeeds().out;
    assert!(page.contains(".TH lawbook 1") && page.contains(".SH SYNOPSIS"), "{page}");
    desk.run(&["man", "--dir", "pages"]).succeeds();
    assert!(desk.path().join("pages/lawbook.1").is_file() && desk.path().join("pages/lawbook-scan.1").is_file());
}

#[test]
fn output_is_the_same_for_any_number_of_threads() {
    let desk = Desk::with_key_pair();
    for folder in 0..6 {
        for file in 0..7 {
            let events: Vec<Value> = (0..40)
                .map(|at| match at % 4 {
                    0 => event(&format!("{}", folder * 10_000 + file * 100 + at), json!({})),
                    1 => event("77", json!({})),
                    2 => event(&format!("9{folder}{file}{at}"), json!({ "errorCode": "AccessDenied" })),
                    _ => event(&format!("8{folder}{file}{at}"), json!({ "requestParameters": "not a map" })),
                })
                .collect();
            let text = log(&events);
            let name = format!("tree/{folder}/{file}.json");
            match file {
                0 => desk.write(&name, &text[..text.len() - 300]),
                1 | 2 => desk.write(&format!("{name}.gz"), gzip(&text)),
                _ => desk.write(&name, &text),
            };
        }
    }
    desk.write("pack/key-pair-created.rhai", fs::read(desk.path().join("key-pair-created.rhai")).unwrap());
    desk.write(
        "pack/failing.rhai",
        policy("T", "fn matches(event) { if event.eventID.ends_with(\"0\") { throw \"no\" } false }"),
    );
    desk.write(
        "inventory/ec2/describe-addresses.json",
        r#"{ "Addresses": [{ "PublicIp": "198.51.100.7", "AllocationId": "eipalloc-1" }] }"#,
    );
    for format in ["text", "json", "ndjson"] {
        let with = |threads: &str| {
            let args = [
                "scan",
                "tree",
                "inventory",
                "--pack",
                "pack",
                "--pack",
                "default",
                "--format",
                format,
                "--now",
                "2024-05-15",
                "--inventory-account",
                "111122223333",
                "--inventory-region",
                "us-east-1",
                "--why",
                "pack/key-pair-created",
                "-v",
                "--threads",
                threads,
            ];
            let ran = desk.run(&args).exits(2);
            (ran.out, ran.err)
        };
        let one = with("1");
        assert!(one.0.len() > 10_000);
        for threads in ["2", "8"] {
            assert!(with(threads) == one, "{format} differs between 1 and {threads} threads");
        }
    }
}

#[test]
fn usage_errors_exit_with_2() {
    let desk = Desk::new();
    assert_eq!(desk.run(&[]).code, 2);
    assert_eq!(desk.run(&["scan"]).code, 2);
    assert_eq!(desk.run(&["scam", "x"]).code, 2);
    assert_eq!(desk.run(&["scan", "x", "--threads", "0"]).code, 2);
    assert_eq!(desk.run(&["scan", "x", "--account", "12"]).code, 2);
    assert_eq!(desk.run(&["scan", "x", "--region", "moon"]).code, 2);
    assert_eq!(desk.run(&["scan", "x", "--since", "yesterday"]).code, 2);
    assert_eq!(desk.run(&["--version"]).code, 0);
    assert_eq!(desk.run(&["help", "scan"]).code, 0);
}

#[test]
fn a_report_in_the_folder_is_no_record_and_no_log_is_overwritten() {
    let desk = Desk::with_key_pair();
    desk.write("logs/a.json", log(&[event("1", json!({}))]));
    for (format, name) in [("json", "logs/report.json"), ("ndjson", "logs/report.ndjson"), ("text", "logs/report.txt")]
    {
        let scan = ["scan", "logs", "--policy", "key-pair-created.rhai", "--format", format, "--output", name];
        desk.run(&scan).exits(1);
        // Once more, over the report of before, which is not read.
        desk.run(&scan).exits(1);
    }
    let summary = desk.run(&["scan", "logs", "--policy", "key-pair-created.rhai", "--format", "json"]).exits(1).json();
    assert_eq!(summary["summary"]["records"]["events"], 1);
    let before = fs::read(desk.path().join("logs/a.json")).unwrap();
    let ran = desk.run(&["scan", "logs", "--policy", "key-pair-created.rhai", "-o", "logs/a.json"]).exits(2);
    assert!(ran.err.contains("the report would take its place"), "{}", ran.err);
    assert_eq!(fs::read(desk.path().join("logs/a.json")).unwrap(), before);
}

/// Every value is within its own limit, and all of them together are more than a machine has.
/// More findings than fit into memory go to a temporary file; where there can be none, that is told and nothing is lost
/// silently.
#[test]
fn a_temporary_file_that_cannot_be_made_ends_the_scan() {
    let desk = Desk::new();
    let events: Vec<Value> = (0..600).map(|id| event(&id.to_string(), json!({}))).collect();
    desk.write("log.json", log(&events));
    desk.write(
        "large.rhai",
        r#"//! ---
//! title: T
//! severity: low
//! judges: cloudtrail
//! ---
fn matches(event) { true }
fn context(event) { let pad = "0123456789abcdef"; for at in 0..12 { pad += pad; } #{ pad: pad } }
"#,
    );
    let scan = ["scan", "log.json", "--policy", "large.rhai", "--format", "ndjson"];
    let ran = desk.run(&scan).exits(1);
    assert_eq!(ran.out.lines().count(), 601);
    let ran = finish(desk.command(&scan).env("TMPDIR", desk.path().join("gone")).stdin(Stdio::null())).exits(2);
    assert_eq!(ran.out, "");
    assert!(ran.err.contains("a temporary file") && ran.err.contains("`TMPDIR`"), "{}", ran.err);
}

#[test]
fn a_script_cannot_take_the_machines_memory() {
    let desk = Desk::with_key_pair();
    let grow = "let s = \"x\"; for i in 0..19 { s += s; }";
    for (name, body) in [
        ("map", "let m = #{}; for i in 0..9000 { m[`${i}`] = s + i; } true"),
        ("list", "let a = []; for i in 0..9000 { a.push(i); } a.map(|x| s + x); true"),
        ("curry", "let f = Fn(\"held\"); let i = 0; loop { f = f.curry(s + i); i += 1; }"),
        ("captured", "let m = #{}; let i = 0; loop { let t = s + i; m[`${i}`] = || t; i += 1; }"),
    ] {
        let policy = format!(
            "//! ---\n//! title: T\n//! severity: low\n//! judges: cloudtrail\n//! ---\nfn held() {{ 1 }}\nfn matches(event) {{ {grow} {body} }}\n"
        );
        desk.write(&format!("{name}-bomb.rhai"), policy);
        let ran = desk
            .run(&["scan", "log.json", "--policy", &format!("{name}-bomb.rhai"), "--policy", "key-pair-created.rhai"])
            .exits(2);
        assert!(ran.out.contains("used more than 64 MiB of memory"), "{name}: {}", ran.out);
        assert!(ran.out.contains("1 finding: 1 low"), "the scan goes on: {}", ran.out);
    }
}

#[test]
fn several_reports_are_written_of_one_scan() {
    let desk = Desk::with_key_pair();
    let scan = ["scan", "log.json", "--policy", "key-pair-created.rhai"];
    let ran = desk
        .run(&[&scan[..], &["--report", "sarif=a.sarif", "--report", "csv=a.csv", "--report", "junit=a.xml"]].concat());
    assert_eq!(ran.code, 1, "{}", ran.err);
    let plain = desk.run(&scan);
    assert!(ran.out.contains("alice") && ran.out.lines().count() == plain.out.lines().count(), "{}", ran.out);
    let read = |name: &str| fs::read_to_string(desk.path().join(name)).unwrap();
    let sarif: Value = serde_json::from_str(&read("a.sarif")).unwrap();
    assert_eq!(sarif["runs"][0]["results"].as_array().unwrap().len(), 1);
    assert_eq!(read("a.csv").lines().count(), 2);
    assert!(read("a.xml").contains("failures=\"1\""));
    // The same report goes to standard output.
    let alone = desk.run(&[&scan[..], &["--format", "csv"]].concat());
    assert_eq!((alone.code, alone.out), (1, read("a.csv")));
    for (report, wanted) in [
        ("sarfi=a", "`sarfi` is none of the formats"),
        ("sarif", "expected a format and a file"),
        ("sarif=", "goes to a file"),
        ("csv=nosuch/a.csv", "cannot be written"),
        ("csv=log.json", "would take its place"),
    ] {
        let ran = desk.run(&[&scan[..], &["--report", report]].concat());
        assert!(ran.code == 2 && ran.err.contains(wanted), "{report}: {}", ran.err);
    }
    for twice in ["b", "./b"] {
        let other = format!("sarif={twice}");
        let ran = desk.run(&[&scan[..], &["--report", "csv=b", "--report", &other]].concat());
        assert!(ran.code == 2 && ran.err.contains("two reports"), "{}", ran.err);
    }
}

/// A slip in an expression has an answer, too: nothing.
#[test]
fn what_is_tried_is_checked_against_what_records_hold() {
    let desk = Desk::with_key_pair();
    desk.write("aws/ec2/describe-volumes.json", json!({ "Volumes": [{ "VolumeId": "vol-1" }] }).to_string());
    for (expression, path, told) in [
        ("event.eventNmae", "log.json", "warning: there is no field `eventNmae` (try: did you mean `eventName`?)\n"),
        ("let one = event; one.userIdentity.tpye", "log.json", "warning: there is no field `userIdentity.tpye`"),
        ("resource.eventNmae", "log.json", "warning: there is no field `eventNmae` (try: did you mean `eventName`?)\n"),
        (
            "event.userIdentity.type == \"IamUser\"",
            "log.json",
            "warning: `IamUser` is none of the values of `userIdentity.type`",
        ),
        ("resource.VolumId", "aws", "warning: there is no field `VolumId` (try: did you mean `VolumeId`?)\n"),
    ] {
        let ran = desk.run(&["try", expression, path]).exits(0);
        assert!(ran.err.starts_with(told) && ran.err.lines().count() == 1, "{expression}: {}", ran.err);
        assert_eq!(ran.out.lines().count(), 1, "it is answered all the same: {}", ran.out);
    }
    // One kind has what another lacks; what none has, and a kind that there is not, is told all the same.
    let told = desk.run(&["try", "event.eventName ?? event.VolumeId", "."]).succeeds().err;
    assert_eq!(told, "", "{told}");
    let told = desk.run(&["try", "event.eventNmae", "."]).succeeds().err;
    assert!(told.starts_with("warning: there is no field `eventNmae`"), "{told}");
    let told = desk.run(&["try", "all(\"ec2/adresses\").len()", "log.json"]).succeeds().err;
    assert!(told.starts_with("warning: ") && told.contains("ec2/addresses"), "{told}");
    for expression in
        ["event.eventName", "request(event).anything", "#{ a: event.eventName }.a", "let x = 1; print(x); x"]
    {
        let told = desk.run(&["try", expression, "log.json"]).exits(0).err;
        assert!(!told.contains("warning"), "{expression}: {told}");
    }
}

/// Whoever scans the folder that they are in, again and again, gets the same each time; what is read there is never replaced.
#[test]
fn reports_in_the_folder_that_is_scanned_are_replaced_and_data_are_not() {
    let desk = Desk::with_key_pair();
    let scan = ["scan", ".", "--policy", "key-pair-created.rhai", "--now", "2024-05-15T00:00:00Z"];
    let alone = desk.run(&scan).exits(1).out;
    for format in ["text", "json", "ndjson", "sarif", "junit", "github", "markdown", "csv", "html", "ocsf", "asff"] {
        let report = format!("{format}=found.{format}");
        let write = || {
            desk.run(&[&scan[..], &["--report", &report, "--product-arn", PRODUCT]].concat()).exits(1);
            fs::read(desk.path().join(format!("found.{format}"))).unwrap()
        };
        write();
        // What is no data is told of by its number, so that the first one was of a file less.
        assert!(write() == write(), "{format}");
    }
    let among = desk.run(&scan).exits(1).out;
    assert_eq!(among.split("\n\n").next(), alone.split("\n\n").next(), "no report is data, and all together neither");
    let event = event("2", json!({})).to_string();
    let quoted = event.replace('"', "\"\"");
    for (name, text) in [
        ("athena.csv", format!("eventversion,event\n1.08,\"{quoted}\"\n")),
        ("lines.txt", format!("{event}\n")),
        ("syslog", format!("May 14 12:00:00 host cloudtrail: {event}\n")),
        ("addresses.json", "{ \"Addresses\": [] }".to_owned()),
        ("broken.json", "not json".to_owned()),
    ] {
        desk.write(name, &text);
        for format in ["csv", "html", "ocsf"] {
            let ran = desk.run(&[&scan[..], &["--report", &format!("{format}={name}")]].concat()).exits(2);
            assert!(ran.err.contains("is read by this scan"), "{name}: {}", ran.err);
        }
        assert_eq!(fs::read_to_string(desk.path().join(name)).unwrap(), text);
        fs::remove_file(desk.path().join(name)).unwrap();
    }
}

/// What people wrote, and what one run keeps for the next, is no report's place, whether this run uses it or not.
#[test]
fn no_report_takes_the_place_of_what_is_kept() {
    let desk = Desk::with_key_pair();
    let scan = ["scan", "log.json", "--policy", "key-pair-created.rhai", "--no-config", "--fail-on", "never"];
    desk.run(&[&scan[..], &["--state", "seen", "--format", "json", "-o", "report.json"]].concat()).exits(0);
    desk.run(&["baseline", "write", "base", "report.json"]).exits(0);
    desk.write("seen2", "{\"lawbook_state\":1}\n");
    for name in ["lawbook.yaml", "waivers.yaml", "other.rhai", "other.cases.yaml", "other.snap"] {
        desk.write(name, "");
    }
    for name in ["base", "seen2", "lawbook.yaml", "waivers.yaml", "other.rhai", "other.cases.yaml", "other.snap"] {
        let before = fs::read(desk.path().join(name)).unwrap();
        for args in [
            &[&scan[..], &["--report", &format!("csv={name}")]].concat()[..],
            &[&scan[..], &["-o", name]].concat(),
            &[&scan[..], &["--metrics", name]].concat(),
            &["summary", "log.json", "-o", name],
            &["remediate", "report.json", "--policy", "key-pair-created.rhai", "--no-config", "-o", name],
            &["test", "key-pair-created.rhai", "--format", "json", "--output", name],
        ] {
            let ran = desk.run(args).exits(2);
            assert!(ran.err.contains("would take its place"), "{args:?}: {}", ran.err);
        }
        assert_eq!(fs::read(desk.path().join(name)).unwrap(), before, "{name}");
    }
}

/// A link to what is not there yet names what is to be made.
#[cfg(unix)]
#[test]
fn a_link_that_leads_nowhere_yet_is_followed() {
    let desk = Desk::with_key_pair();
    fs::create_dir(desk.path().join("volume")).unwrap();
    std::os::unix::fs::symlink("volume/report", desk.path().join("one")).unwrap();
    std::os::unix::fs::symlink("one", desk.path().join("link")).unwrap();
    std::os::unix::fs::symlink("volume/state", desk.path().join("seen")).unwrap();
    std::os::unix::fs::symlink("round", desk.path().join("round")).unwrap();
    let scan = ["scan", "log.json", "--policy", "key-pair-created.rhai", "--fail-on", "never"];
    desk.run(&[&scan[..], &["--report", "json=link", "--state", "seen"]].concat()).exits(0);
    for (link, file) in [("one", "report"), ("link", "report"), ("seen", "state")] {
        assert!(fs::symlink_metadata(desk.path().join(link)).unwrap().is_symlink(), "{link}");
        assert!(fs::metadata(desk.path().join("volume").join(file)).unwrap().len() > 0, "{file}");
    }
    desk.run(&[&scan[..], &["--report", "json=round"]].concat()).exits(2);
}

/// What findings of Security Hub are told of.
const PRODUCT: &str = "arn:aws:securityhub:eu-west-1:111122223333:product/111122223333/default";

#[test]
fn a_report_that_fails_costs_nothing_else() {
    let desk = Desk::with_key_pair();
    let scan = ["scan", "log.json", "--policy", "key-pair-created.rhai"];
    let read = |name: &str| fs::read_to_string(desk.path().join(name)).unwrap();
    // What stood there stands there still, whichever part of the run fails.
    desk.write("old.json", "old");
    let policy = read("key-pair-created.rhai");
    for (args, wanted) in [
        (&["--report", "json=old.json", "--report", "csv=nosuch/x"][..], "nosuch/x"),
        (&["--report", "json=old.json", "nosuch-input"], "nosuch-input"),
        (&["--report", "json=old.json", "--why", "nosuch"], "nosuch"),
        (&["--report", "csv=key-pair-created.rhai"], "is a file of the pack"),
        (&["--report", "csv=log.json"], "is read by this scan"),
    ] {
        let ran = desk.run(&[&scan[..], args].concat());
        assert!(ran.code == 2 && ran.err.contains(wanted), "{args:?}: {}", ran.err);
        assert_eq!((read("old.json").as_str(), read("key-pair-created.rhai")), ("old", policy.clone()), "{args:?}");
    }
    let leftovers = fs::read_dir(desk.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(!leftovers.into_iter().any(|name| name.to_string_lossy().starts_with(".lawbook-")));
    #[cfg(target_os = "linux")]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // A device that is full costs its own report alone.
        let ran = desk.run(&[&scan[..], &["--report", "json=/dev/full", "--report", "csv=c.csv"]].concat());
        assert!(ran.code == 2 && ran.err.contains("/dev/full") && ran.out.contains("alice"), "{} {}", ran.out, ran.err);
        assert_eq!(read("c.csv").lines().count(), 2);
        // Whoever could read the old report can read the new one; a link stays one.
        fs::set_permissions(desk.path().join("old.json"), fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink("old.json", desk.path().join("link.json")).unwrap();
        desk.run(&[&scan[..], &["--report", "json=link.json"]].concat());
        assert!(read("old.json").contains("schema_version") && desk.path().join("link.json").is_symlink());
        assert_eq!(fs::metadata(desk.path().join("old.json")).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(fs::metadata(desk.path().join("c.csv")).unwrap().permissions().mode() & 0o044, 0o044);
    }
}

#[test]
fn what_policies_cover_is_listed_and_is_a_layer() {
    let desk = Desk::new();
    let listed = desk.run(&["list", "--coverage"]).succeeds();
    let row = listed.out.lines().find(|line| line.starts_with("attack.t1562.008 ")).unwrap().to_owned();
    assert!(row.contains("cloudtrail-stopped") && row.contains("logging-tampered-then-activity"), "{row}");
    let layer: Value = serde_json::from_str(&desk.run(&["list", "--coverage", "--format", "navigator"]).out).unwrap();
    let techniques = layer["techniques"].as_array().unwrap();
    let stopped = techniques.iter().find(|technique| technique["techniqueID"] == "T1562.008").unwrap();
    assert!(
        stopped["score"].as_u64().unwrap() > 3 && stopped["comment"].as_str().unwrap().contains("cloudtrail-stopped")
    );
    assert!(techniques.iter().all(|technique| technique["techniqueID"].as_str().unwrap().starts_with('T')), "{layer}");
    let refused = desk.run(&["list", "--format", "navigator"]);
    assert!(refused.code == 2 && refused.err.contains("--coverage"), "{}", refused.err);
}
