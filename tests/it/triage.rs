//! Waivers and baselines, from the file to the exit code.

use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};

/// A folder with a policy, two groups that it finds, and a log that it finds one call in.
fn desk() -> tempfile::TempDir {
    let desk = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = desk.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("pack/pack.yaml", "lawbook: 1\nname: mine\n");
    write(
        "pack/volume-plain.rhai",
        "//! ---\n//! title: Volume in the clear\n//! severity: high\n//! judges: ec2/volumes\n//! formerly: [volume-unencrypted]\n//! ---\n\
         fn matches(volume) { volume.Encrypted == false }\nfn context(volume) { #{ size: volume.Size, nothing: [], text: \"\", list: [], map: #{}, no: false, zero: 0 } }\n",
    );
    write(
        "pack/key-made.rhai",
        "//! ---\n//! title: Key made\n//! severity: low\n//! judges: cloudtrail\n//! when: { eventSource: ec2.amazonaws.com, eventName: CreateKeyPair }\n//! ---\n\
         fn matches(event) { succeeded(event) }\n",
    );
    write(
        "input/111122223333/us-east-1/ec2/describe-volumes.json",
        &json!({ "Volumes": [
            { "VolumeId": "vol-1", "Encrypted": false, "Size": 8, "Tags": [{ "Key": "Scratch", "Value": "yes" }] },
            { "VolumeId": "vol-2", "Encrypted": false, "Size": 9, "TagList": [{ "TagKey": "Team", "TagValue": "blue" }] },
            { "VolumeId": "vol-3", "Encrypted": true, "Size": 9 },
        ] })
        .to_string(),
    );
    write(
        "input/log.json",
        &json!({
            "eventVersion": "1.10", "eventID": "e-1", "eventTime": "2024-05-14T12:00:00Z", "eventSource": "ec2.amazonaws.com",
            "eventName": "CreateKeyPair", "awsRegion": "us-east-1", "recipientAccountId": "111122223333",
            "userIdentity": { "type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/alice", "userName": "alice" },
        })
        .to_string(),
    );
    desk
}

struct Ran {
    code: i32,
    out: String,
    err: String,
}

fn run(desk: &Path, args: &[&str]) -> Ran {
    let out = crate::cli::lawbook().args(args).current_dir(desk).stdin(Stdio::null()).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { code: out.status.code().unwrap(), out: text(out.stdout), err: text(out.stderr) }
}

/// A scan as JSON, at noon of a day.
fn scan(desk: &Path, day: &str, more: &[&str]) -> (i32, Value) {
    let now = format!("{day}T12:00:00Z");
    let mut args = vec!["scan", "input", "--pack", "pack", "--format", "json", "--now", now.as_str()];
    args.extend(more);
    let ran = run(desk, &args);
    (ran.code, serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{}", ran.err)))
}

/// The standing of each finding, by what it is about.
fn standings(report: &Value) -> Vec<(String, String)> {
    let findings = report["findings"].as_array().unwrap();
    let of = |finding: &Value| {
        let id = finding["record"]["id"].as_str().unwrap().to_owned();
        (id, finding["standing"].as_str().unwrap().to_owned())
    };
    let mut standings: Vec<(String, String)> = findings.iter().map(of).collect();
    standings.sort();
    standings
}

fn all(volume_1: &str, volume_2: &str, event: &str) -> Vec<(String, String)> {
    [("e-1", event), ("vol-1", volume_1), ("vol-2", volume_2)].map(|(id, is)| (id.to_owned(), is.to_owned())).into()
}

const BY: &str = "owner: alice, reason: planned, expires: 2024-05-20";

/// The findings with one waiver, given as the inside of a flow map.
fn with_waiver(desk: &Path, waiver: &str) -> (i32, Value) {
    std::fs::write(desk.join("waivers.yaml"), format!("waivers:\n  - {{ {waiver} }}\n")).unwrap();
    scan(desk, "2024-05-15", &["--waivers", "waivers.yaml"])
}

#[test]
fn a_waiver_is_for_what_all_it_says_holds_of() {
    let desk = desk();
    let path = desk.path();
    for (waiver, first, second, event) in [
        ("policy: volume-plain, resources: [vol-1]", "waived", "new", "new"),
        ("policy: mine/volume-plain, resources: [vol-1]", "waived", "new", "new"),
        ("policy: volume-unencrypted, resources: [vol-1]", "waived", "new", "new"),
        ("policy: default/volume-plain, resources: [vol-1]", "new", "new", "new"),
        ("policy: volume-plain, resources: [\"vol-*\"]", "waived", "waived", "new"),
        ("policy: volume-plain, resources: [\"vol-*\"], region: eu-west-1", "new", "new", "new"),
        ("policy: volume-plain, region: [us-east-1, eu-west-1]", "waived", "waived", "new"),
        ("policy: volume-plain, account: 111122223333", "waived", "waived", "new"),
        ("policy: volume-plain, account: \"999999999999\"", "new", "new", "new"),
        ("policy: volume-plain, tag: Scratch", "waived", "new", "new"),
        ("policy: volume-plain, tag: Scratch=yes", "waived", "new", "new"),
        ("policy: volume-plain, tag: Scratch=no", "new", "new", "new"),
        ("policy: volume-plain, tag: Team=blue", "new", "waived", "new"),
        ("policy: volume-plain, tag: [Team, Scratch]", "new", "new", "new"),
        ("policy: volume-plain, where: \"$[?@.context.size == 9]\"", "new", "waived", "new"),
        ("policy: volume-plain, where: $.context.nothing", "new", "new", "new"),
        // What is there and empty says no more than what is not.
        ("policy: volume-plain, where: $.context.text", "new", "new", "new"),
        ("policy: volume-plain, where: $.context.list", "new", "new", "new"),
        ("policy: volume-plain, where: $.context.map", "new", "new", "new"),
        ("policy: volume-plain, where: $.context.no", "new", "new", "new"),
        ("policy: volume-plain, where: \"$.context.list[*]\"", "new", "new", "new"),
        ("policy: volume-plain, where: $.context.zero", "waived", "waived", "new"),
        ("policy: volume-plain, where: \"$[?@.context.no == false]\"", "waived", "waived", "new"),
        ("policy: volume-plain, where: $.context", "waived", "waived", "new"),
        ("policy: key-made, where: $.resources", "new", "new", "new"),
        ("policy: key-made, where: \"$[?@.resources]\"", "new", "new", "new"),
        ("policy: volume-plain, where: \"$[?@.context.no]\"", "new", "new", "new"),
        ("policy: volume-plain, where: \"$[?(@.context.list) && @.context.size == 9]\"", "new", "new", "new"),
        ("policy: volume-plain, where: \"$[?@.context.list || @.context.size == 9]\"", "new", "waived", "new"),
        ("policy: volume-plain, where: \"$[?@.context.size == 7 || @.context.text]\"", "new", "new", "new"),
        ("policy: volume-plain, where: \"$[?@.context.size && @.context.size == 9]\"", "new", "waived", "new"),
        ("policy: volume-plain, where: \"$[?@.context.size == 9].context.list\"", "new", "new", "new"),
        ("policy: volume-plain, where: \"$[?@.context.size == 9].context.size\"", "new", "waived", "new"),
        ("policy: volume-plain, where: \"$[?!@.context.absent]\"", "waived", "waived", "new"),
        ("policy: volume-plain, where: \"$[?!@.context.no]\"", "new", "new", "new"),
        ("policy: key-made, where: $.context", "new", "new", "new"),
        ("policy: key-made, actor: \"arn:aws:iam::*:user/alice\"", "new", "new", "waived"),
        ("policy: key-made, actor: bob", "new", "new", "new"),
        // It is about nothing, so that no glob covers it.
        ("policy: key-made, resources: [\"**\"]", "new", "new", "new"),
    ] {
        let (code, report) = with_waiver(path, &format!("{waiver}, {BY}"));
        assert_eq!((standings(&report), code), (all(first, second, event), 1), "{waiver}");
        let waived = report["summary"]["findings"]["by_standing"]["waived"].as_u64().unwrap();
        let unused = report["unused_waivers"].as_array().unwrap().len();
        assert_eq!(waived == 0, unused == 1, "{waiver}: {report}");
    }
}

#[test]
fn a_waiver_ends_and_the_finding_says_so() {
    let desk = desk();
    let (path, waiver) = (desk.path(), format!("policy: volume-plain, resources: [\"**\"], {BY}"));
    let (_, report) = with_waiver(path, &waiver);
    let volume =
        &report["findings"].as_array().unwrap().iter().find(|finding| finding["record"]["id"] == "vol-1").unwrap();
    assert_eq!(
        volume["waiver"],
        json!({ "owner": "alice", "reason": "planned", "expires": "2024-05-20", "ticket": null })
    );
    let (_, report) = scan(path, "2024-05-20", &["--waivers", "waivers.yaml"]);
    assert_eq!(standings(&report), all("waived", "waived", "new"), "on its last day it holds");
    let (code, report) = scan(path, "2024-05-21", &["--waivers", "waivers.yaml"]);
    assert_eq!((standings(&report), code), (all("new", "new", "new"), 1));
    let notes: Vec<&Value> = report["findings"].as_array().unwrap().iter().map(|finding| &finding["notes"]).collect();
    assert!(notes.iter().filter(|notes| notes.to_string().contains("expired on 2024-05-20")).count() == 2, "{notes:?}");
    assert_eq!(report["unused_waivers"], json!([]), "it is for findings, if in vain");
    // Whoever reads that it is new is told why it is so again.
    for format in ["text", "markdown", "github", "junit", "sarif", "html"] {
        let args =
            ["scan", "input", "--pack", "pack", "--waivers", "waivers.yaml", "--now", "2024-05-21", "--format", format];
        let ran = run(path, &args);
        assert!(ran.out.contains("expired on 2024-05-20"), "{format}: {}", ran.out);
    }
}

#[test]
fn what_cannot_be_read_excuses_nothing() {
    let desk = desk();
    let path = desk.path();
    for (waiver, told) in [
        ("policy: volume-plain, resources: [vol-1], reason: x, expires: 2030-01-01", "`owner` is missing"),
        ("policy: volume-plain, resources: [vol-1], owner: a, reason: x, expires: soon", "is no day"),
        (
            "policy: volume-plain, resources: [vol-1], owner: a, reason: x, expires: 2030-01-01, until: x",
            "unknown key `until`",
        ),
        ("policy: volume-plain, owner: a, reason: x, expires: 2030-01-01", "which findings"),
        ("resources: [\"**\"], owner: a, reason: x, expires: 2030-01-01", "neither a `policy` nor a `fingerprint`"),
        ("policy: volume-plain, where: \"$[\", owner: a, reason: x, expires: 2030-01-01", "no JSONPath"),
        ("policy: volume-plain, resources: [\"[\"], owner: a, reason: x, expires: 2030-01-01", "not a glob"),
    ] {
        let (code, report) = with_waiver(path, waiver);
        assert_eq!((standings(&report), code), (all("new", "new", "new"), 2), "{waiver}");
        let faults = report["faults"].to_string();
        assert!(faults.contains(told) && faults.contains("waivers.yaml"), "{waiver}: {faults}");
        assert_eq!(report["faults"][0]["stage"], "waiver");
        assert_eq!(report["faults"][0]["origins"][0]["line"], 2);
        let noted = report["findings"].to_string().contains("a waiver for its policy cannot be read (line 2)");
        assert_eq!(noted, waiver.contains("policy:"), "{waiver}");
    }
    // One that is for a finding alone is noted on that.
    let (_, report) = scan(path, "2024-05-15", &[]);
    let of = |id: &str| {
        let is_it = |finding: &&Value| finding["record"]["id"] == id;
        report["findings"].as_array().unwrap().iter().find(is_it).unwrap()["fingerprint"].as_str().unwrap().to_owned()
    };
    let (one, large) = (of("vol-1"), of("vol-1").to_uppercase());
    for (waiver, on_all) in [
        (format!("fingerprint: {one:?}, owner: a, reason: x, expires: soon"), false),
        (format!("fingerprint: {one:?}, owner: a, reason: x, expires: \"2030-01-01T01:00:00+09:00\""), false),
        (format!("fingerprint: {one:?}, owner: a, reason: x"), false),
        (format!("fingerprint: {one:?}, owner: a, reason: x, expires: 2030-01-01, until: x"), false),
        (format!("fingerprint: {large:?}, owner: a, reason: x, expires: 2030-01-01"), one == large),
        (format!("fingerprint: {:?}, owner: a, reason: x, expires: 2030-01-01", &one[..12]), false),
        (format!("fingerprint: {one:?}, policy: volume-plain, owner: a, reason: x, expires: soon"), false),
        (format!("policy: [volume-plain], resources: [vol-1], {BY}"), true),
        ("policy: volume-plain, fingerprint: 1, owner: a, reason: x, expires: soon".to_owned(), true),
    ] {
        let (code, report) = with_waiver(path, &waiver);
        assert_eq!((standings(&report), code), (all("new", "new", "new"), 2), "{waiver}");
        for finding in report["findings"].as_array().unwrap() {
            let notes = finding["notes"].to_string();
            let wanted = match (finding["record"]["id"].as_str().unwrap(), on_all) {
                ("vol-1", false) => "a waiver for it cannot be read (line 2)",
                ("vol-1" | "vol-2", true) => "a waiver for its policy cannot be read (line 2)",
                _ => "null",
            };
            assert!(notes.contains(wanted), "{waiver}: {finding}");
        }
    }
    std::fs::write(path.join("waivers.yaml"), "waiver: []\n").unwrap();
    let ran = run(path, &["scan", "input", "--pack", "pack", "--waivers", "waivers.yaml"]);
    assert!(ran.code == 2 && ran.err.contains("unknown key `waiver`"), "{}", ran.err);
    let ran = run(path, &["scan", "input", "--pack", "pack", "--waivers", "nowhere.yaml"]);
    assert!(ran.code == 2 && ran.err.contains("lawbook waive"), "{}", ran.err);
}

#[test]
fn a_waiver_of_no_use_is_told_and_fails_a_strict_run() {
    let desk = desk();
    let path = desk.path();
    std::fs::write(path.join("waivers.yaml"), format!("waivers:\n  - {{ policy: gone, resources: [\"**\"], {BY} }}\n"))
        .unwrap();
    let args = ["scan", "input", "--pack", "pack", "--waivers", "waivers.yaml", "--now", "2024-05-15T12:00:00Z"];
    let ran = run(path, &args);
    assert!(
        ran.code == 1 && ran.out.contains("waivers.yaml:2: gone, of alice: no policy that was loaded has that name"),
        "{}",
        ran.out
    );
    // Policies without warnings: those would fail a strict run, too.
    let args = ["scan", "input", "--waivers", "waivers.yaml", "--now", "2024-05-15T12:00:00Z", "--strict"];
    let ran = run(path, &args);
    assert!(ran.code == 2 && ran.out.contains("1 waiver excuses nothing, and `--strict`"), "{}", ran.out);
}

#[test]
fn waive_writes_one_and_leaves_the_rest_as_it_is() {
    let desk = desk();
    let path = desk.path();
    let (_, report) = scan(path, "2024-05-15", &[]);
    let fingerprints: Vec<&str> =
        report["findings"].as_array().unwrap().iter().map(|finding| finding["fingerprint"].as_str().unwrap()).collect();
    let waive = |fingerprint: &str, reason: &str| {
        run(
            path,
            &[
                "waive",
                fingerprint,
                "--owner",
                "bob",
                "--reason",
                reason,
                "--expires",
                "2024-06-01",
                "--now",
                "2024-05-15",
                "--ticket",
                "OPS-1",
            ],
        )
    };
    let ran = waive(fingerprints[0], "it's \"fine\": # really");
    assert_eq!(ran.code, 0, "{}", ran.err);
    let first = std::fs::read_to_string(path.join("waivers.yaml")).unwrap();
    std::fs::write(path.join("waivers.yaml"), format!("# ours\n{first}")).unwrap();
    assert_eq!(waive(fingerprints[1], "x").code, 0);
    let text = std::fs::read_to_string(path.join("waivers.yaml")).unwrap();
    assert!(text.starts_with(&format!("# ours\n{first}")), "{text}");
    let (code, report) = scan(path, "2024-05-15", &["--waivers", "waivers.yaml"]);
    assert_eq!((standings(&report).iter().filter(|(_, standing)| standing == "waived").count(), code), (2, 1));
    assert!(report.to_string().contains(r#"it's \"fine\": # really"#));
    // A second one for the same finding, and what is no list.
    let ran = waive(fingerprints[0], "again");
    assert!(ran.code == 2 && ran.err.contains("has a waiver for this finding"), "{}", ran.err);
    std::fs::write(path.join("waivers.yaml"), format!("waivers: [{{ policy: p, resources: [a], {BY} }}]\n")).unwrap();
    let ran = waive(fingerprints[0], "x");
    assert!(ran.code == 2 && ran.err.contains("add it by hand") && !ran.err.contains("u{"), "{}", ran.err);
    // What is printed can be pasted.
    let entry = ran.out.lines().map(|line| format!("  {line}\n")).collect::<String>();
    std::fs::write(path.join("waivers.yaml"), format!("waivers:\n{entry}")).unwrap();
    let (_, report) = scan(path, "2024-05-15", &["--waivers", "waivers.yaml"]);
    assert_eq!(report["summary"]["findings"]["by_standing"]["waived"], 1, "{entry}");
    // In a file that has no waiver yet, however that is written.
    for text in
        ["waivers: # all", "waivers: []", "waivers: [] # none yet\n", "waivers:\n# none yet\n", "waivers: ~", "# ours"]
    {
        std::fs::write(path.join("waivers.yaml"), text).unwrap();
        let ran = waive(fingerprints[0], "x");
        assert_eq!(ran.code, 0, "{text}: {}", ran.err);
        let (_, report) = scan(path, "2024-05-15", &["--waivers", "waivers.yaml"]);
        assert_eq!(report["summary"]["findings"]["by_standing"]["waived"], 1, "{text}");
        let after = std::fs::read_to_string(path.join("waivers.yaml")).unwrap();
        let comment = text.split_once('#').map_or("", |(_, comment)| comment.trim_end());
        assert!(after.contains(comment), "{after}");
    }
    let ran = waive("24dd", "x");
    assert!(ran.code == 2 && ran.err.contains("no fingerprint"), "{}", ran.err);
}

#[test]
fn waive_goes_by_the_time_of_the_run() {
    let desk = desk();
    let path = desk.path();
    let waive = |expires: &str, more: &[&str], now: Option<&str>| {
        let _ = std::fs::remove_file(path.join("waivers.yaml"));
        let mut command = crate::cli::lawbook();
        let known_as = "24ddb4a41a798b39311945453c7803c8";
        command.args(["waive", known_as, "--owner", "bob", "--reason", "x", "--expires", expires]).args(more);
        command.envs(now.map(|now| ("LAWBOOK_NOW", now))).current_dir(path).stdin(Stdio::null());
        let out = command.output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let written = std::fs::read_to_string(path.join("waivers.yaml")).unwrap_or_default();
        let day = written.lines().find_map(|line| Some(line.trim().strip_prefix("expires: ")?.to_owned()));
        (out.status.code().unwrap(), day, text(out.stderr))
    };
    let flag = ["--now", "2025-06-02T12:00:00Z"];
    for (expires, wanted) in [
        ("30d", "2025-07-02"),
        ("2w", "2025-06-16"),
        ("12h", "2025-06-03"),
        ("1h", "2025-06-02"),
        ("2025-06-02", "2025-06-02"),
    ] {
        for (more, now) in [(&flag[..], None), (&[], Some(flag[1])), (&flag[..], Some("2031-01-01"))] {
            let (code, day, err) = waive(expires, more, now);
            assert_eq!((code, day.as_deref(), err.as_str()), (0, Some(wanted), ""), "{expires} {more:?} {now:?}");
        }
    }
    // A day that is over then is refused, and told where only the clock says so.
    for (more, now) in [(&flag[..], None), (&[], Some(flag[1]))] {
        let (code, day, err) = waive("2025-06-01", more, now);
        assert!(code == 2 && day.is_none() && err.contains("2025-06-01 is over on 2025-06-02"), "{err}");
    }
    let (code, day, err) = waive("2020-01-01", &[], None);
    assert!(code == 0 && day.as_deref() == Some("2020-01-01") && err.contains("2020-01-01 is over"), "{err}");
    let (code, _, err) = waive("30d", &[], Some("soon"));
    assert!(code == 2 && err.contains("LAWBOOK_NOW"), "{err}");
    for no_day in ["2025-07-02T01:00:00+09:00", "20250702", "2025-W30-1", "soon", ""] {
        let (code, day, err) = waive(no_day, &flag, None);
        assert!(code == 2 && day.is_none() && err.contains("such as 2025-12-31"), "{no_day}: {err}");
    }
}

#[test]
fn waive_says_what_is_empty() {
    let desk = desk();
    let path = desk.path();
    for (flag, at) in [("--owner", 3), ("--reason", 5), ("--ticket", 9)] {
        for empty in ["", " \t"] {
            let known_as = "24ddb4a41a798b39311945453c7803c8";
            let mut args =
                ["waive", known_as, "--owner", "bob", "--reason", "x", "--expires", "30d", "--ticket", "OPS-1"];
            args[at] = empty;
            let ran = run(path, &args);
            assert!(ran.code == 2 && ran.err.contains(&format!("{flag}: is empty")), "{}", ran.err);
            assert!(ran.out.is_empty() && !path.join("waivers.yaml").exists(), "{}", ran.out);
        }
    }
}

#[test]
fn a_baseline_lets_only_what_is_new_fail() {
    let desk = desk();
    let path = desk.path();
    let report = |name: &str, day: &str, more: &[&str]| {
        let (_, report) = scan(path, day, more);
        std::fs::write(path.join(name), report.to_string()).unwrap();
    };
    assert_eq!(run(path, &["baseline", "write", "none.json"]).out, "0 findings in none.json\n");
    let (code, told) = scan(path, "2024-05-16", &["--baseline", "none.json"]);
    assert_eq!((standings(&told), code), (all("new", "new", "new"), 1));
    let ran = run(path, &["baseline", "write", "none.json"]);
    assert!(ran.code == 2 && ran.err.contains("none.json: is there already"), "{}", ran.err);
    std::fs::remove_file(path.join("none.json")).unwrap();
    report("before.json", "2024-05-15", &[]);
    let ran = run(path, &["baseline", "write", "baseline.json", "before.json"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, "3 findings in baseline.json\n"), "{}", ran.err);
    let (code, told) = scan(path, "2024-05-16", &["--baseline", "baseline.json"]);
    assert_eq!((standings(&told), code), (all("known", "known", "known"), 0));
    // One is mended, another comes, and the event is no longer in the logs.
    let volumes = json!({ "Volumes": [{ "VolumeId": "vol-2", "Encrypted": false }, { "VolumeId": "vol-4", "Encrypted": false }] });
    std::fs::write(path.join("input/111122223333/us-east-1/ec2/describe-volumes.json"), volumes.to_string()).unwrap();
    std::fs::remove_file(path.join("input/log.json")).unwrap();
    let (code, told) = scan(path, "2024-05-17", &["--baseline", "baseline.json"]);
    let is: Vec<(String, String)> =
        [("vol-2", "known"), ("vol-4", "new")].map(|(id, is)| (id.to_owned(), is.to_owned())).into();
    assert_eq!((standings(&told), code), (is, 1));
    let resolved = told["resolved"].as_array().unwrap();
    assert_eq!(
        (resolved.len(), &resolved[0]["policy"], &resolved[0]["since"]),
        (1, &json!("volume-plain"), &json!("2024-05-15T12:00:00Z"))
    );
    // What was not collected is not resolved.
    std::fs::create_dir(path.join("other")).unwrap();
    std::fs::write(path.join("other/log.ndjson"), "").unwrap();
    let ran = run(
        path,
        &["scan", "other", "--pack", "pack", "--format", "json", "--allow-empty", "--baseline", "baseline.json"],
    );
    assert_eq!(serde_json::from_str::<Value>(&ran.out).unwrap()["resolved"], json!([]), "{}", ran.err);

    // What Lawbook wrote is in the way of no scan of its folder; this report is not as it wrote it.
    std::fs::remove_file(path.join("before.json")).unwrap();
    let ran = run(path, &["scan", ".", "--pack", "pack", "--baseline", "baseline.json", "--state", "seen.jsonl", "-v"]);
    let again =
        run(path, &["scan", ".", "--pack", "pack", "--baseline", "baseline.json", "--state", "seen.jsonl", "-v"]);
    for ran in [ran, again] {
        assert!(ran.code == 1 && ran.out.contains("baseline.json: part of a lawbook"), "{}", ran.out);
    }

    report("now.json", "2024-05-17", &[]);
    let ran = run(path, &["baseline", "prune", "baseline.json", "now.json"]);
    assert!(
        ran.code == 2 && ran.err.contains("without a baseline") && ran.err.contains("--baseline FILE"),
        "{}",
        ran.err
    );
    report("now.json", "2024-05-17", &["--baseline", "baseline.json"]);
    let ran = run(path, &["baseline", "prune", "baseline.json", "now.json"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, "1 gone, 2 left\n"), "{}", ran.err);
    // The call is not in the logs any more, and is known all the same.
    assert_eq!(run(path, &["baseline", "write", "baseline.json", "now.json"]).out, "3 findings in baseline.json\n");
    let shown = run(path, &["baseline", "show", "baseline.json"]).out;
    assert!(
        shown.contains("HIGH")
            && shown.contains("(since 2024-05-15T12:00:00Z)")
            && shown.contains("(since 2024-05-17T12:00:00Z)"),
        "{shown}"
    );
    for (text, told) in
        [("{}", "no baseline"), ("{\"lawbook_baseline\":9,\"findings\":{}}", "version 9"), ("x", "no baseline")]
    {
        std::fs::write(path.join("bad.json"), text).unwrap();
        let ran = run(path, &["scan", "input", "--pack", "pack", "--baseline", "bad.json"]);
        assert!(ran.code == 2 && ran.err.contains(told) && ran.err.contains("bad.json"), "{}", ran.err);
    }
    std::fs::write(path.join("cut.ndjson"), "{\"type\":\"finding\"}\n").unwrap();
    let ran = run(path, &["baseline", "write", "baseline.json", "cut.ndjson"]);
    assert!(ran.code == 2 && ran.err.contains("cut off"), "{}", ran.err);
}

#[test]
fn sarif_has_what_is_excused_as_suppressed() {
    let desk = desk();
    let path = desk.path();
    std::fs::write(
        path.join("waivers.yaml"),
        format!("waivers:\n  - {{ policy: volume-plain, resources: [vol-1], {BY} }}\n"),
    )
    .unwrap();
    let args = [
        "scan",
        "input",
        "--pack",
        "pack",
        "--waivers",
        "waivers.yaml",
        "--now",
        "2024-05-15T12:00:00Z",
        "--format",
        "sarif",
    ];
    let report: Value = serde_json::from_str(&run(path, &args).out).unwrap();
    let results = report["runs"][0]["results"].as_array().unwrap();
    let suppressed: Vec<&Value> = results.iter().filter(|result| result.get("suppressions").is_some()).collect();
    let [one] = suppressed[..] else { panic!("{results:#?}") };
    assert_eq!(one["suppressions"][0]["justification"], "alice: planned (until 2024-05-20)");
}

/// The fingerprints of a baseline.
fn known(desk: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(desk.join("baseline.json")).unwrap();
    let baseline: Value = serde_json::from_str(&text).unwrap();
    baseline["findings"].as_object().unwrap().keys().cloned().collect()
}

/// Scans in a format into a file, with the baseline; the report where it is JSON.
fn report(desk: &Path, day: &str, more: &[&str]) -> Value {
    let more = [&["--baseline", "baseline.json"], more].concat();
    let (_, report) = scan(desk, day, &more);
    std::fs::write(desk.join("now.json"), report.to_string()).unwrap();
    report
}

#[test]
fn a_baseline_forgets_nothing_that_was_not_judged() {
    let desk = desk();
    let path = desk.path();
    let volumes = "input/111122223333/us-east-1/ec2/describe-volumes.json";
    let begin = || {
        let _ = std::fs::remove_file(path.join("baseline.json"));
        run(path, &["baseline", "write", "baseline.json"]);
        report(path, "2024-05-15", &[]);
        assert_eq!(run(path, &["baseline", "write", "baseline.json", "now.json"]).out, "3 findings in baseline.json\n");
        known(path)
    };
    let all_of_them = begin();
    let whole = std::fs::read_to_string(path.join(volumes)).unwrap();
    let kept = |told: &str| {
        for (format, name) in [("json", "now.json"), ("ndjson", "now.ndjson")] {
            if format == "ndjson" && !path.join(name).exists() {
                continue;
            }
            let ran = run(path, &["baseline", "prune", "baseline.json", name]);
            assert_eq!((ran.code, ran.out.as_str()), (0, "0 gone, 3 left\n"), "{told}: {}", ran.err);
            assert_eq!(known(path), all_of_them, "{told}");
        }
    };
    // A kind that was not read, logs of another day, another account, and what the filter does not want.
    let away = path.join("away");
    std::fs::rename(path.join("input/111122223333"), &away).unwrap();
    report(path, "2024-05-16", &[]);
    kept("not read");
    std::fs::create_dir_all(path.join("input/444455556666/us-east-1/ec2")).unwrap();
    let other = json!({ "Volumes": [{ "VolumeId": "vol-9", "Encrypted": true }] }).to_string();
    std::fs::write(path.join("input/444455556666/us-east-1/ec2/describe-volumes.json"), other).unwrap();
    report(path, "2024-05-16", &[]);
    kept("another account");
    std::fs::create_dir_all(path.join("lookup/111122223333")).unwrap();
    std::fs::rename(&away, path.join("lookup/111122223333")).unwrap();
    let empty = path.join("lookup/111122223333/us-east-1/ec2/describe-volumes.json");
    std::fs::write(&empty, json!({ "Volumes": [] }).to_string()).unwrap();
    report(path, "2024-05-16", &["--inventory", "lookup"]);
    kept("looked up in only");
    std::fs::rename(path.join("lookup/111122223333"), path.join("input/111122223333")).unwrap();
    report(path, "2024-05-16", &["--account", "444455556666"]);
    kept("filtered");
    // Only a part of it, and what was damaged.
    let page = json!({ "Volumes": [{ "VolumeId": "vol-3", "Encrypted": true }], "NextToken": "more" }).to_string();
    std::fs::write(path.join(volumes), page).unwrap();
    report(path, "2024-05-16", &[]);
    kept("a page of several");
    std::fs::write(path.join(volumes), &whole[..whole.len() - 40]).unwrap();
    report(path, "2024-05-16", &[]);
    kept("damaged");
    // Excused for a while, and known after that.
    std::fs::write(path.join(volumes), &whole).unwrap();
    std::fs::write(
        path.join("waivers.yaml"),
        format!("waivers:\n  - {{ policy: volume-plain, resources: [\"**\"], {BY} }}\n"),
    )
    .unwrap();
    let told = report(path, "2024-05-16", &["--waivers", "waivers.yaml"]);
    assert_eq!(standings(&told), all("waived", "waived", "known"));
    kept("waived");
    let ran = run(path, &["baseline", "write", "baseline.json", "now.json"]);
    assert_eq!((ran.code, known(path)), (0, all_of_them.clone()), "{}", ran.err);
    let (_, told) = scan(path, "2024-06-20", &["--waivers", "waivers.yaml", "--baseline", "baseline.json"]);
    assert_eq!(standings(&told), all("known", "known", "known"));
    // Who was excused before is not written.
    std::fs::remove_file(path.join("baseline.json")).unwrap();
    run(path, &["baseline", "write", "baseline.json"]);
    report(path, "2024-05-16", &["--waivers", "waivers.yaml"]);
    assert_eq!(run(path, &["baseline", "write", "baseline.json", "now.json"]).out, "1 finding in baseline.json\n");
    begin();
    // What is really gone: mended, or with all of its kind.
    for (volumes_now, gone) in [
        (
            json!({ "Volumes": [{ "VolumeId": "vol-1", "Encrypted": true }, { "VolumeId": "vol-2", "Encrypted": false }] }),
            1,
        ),
        (json!({ "Volumes": [{ "VolumeId": "vol-1", "Encrypted": true }], "NextToken": "more" }), 1),
        (json!({ "Volumes": [] }), 2),
    ] {
        std::fs::write(path.join(volumes), &whole).unwrap();
        begin();
        std::fs::write(path.join(volumes), volumes_now.to_string()).unwrap();
        let told = report(path, "2024-05-17", &[]);
        assert_eq!(told["resolved"].as_array().unwrap().len(), gone, "{volumes_now}: {told}");
        let lines =
            run(path, &["scan", "input", "--pack", "pack", "--baseline", "baseline.json", "--format", "ndjson"]);
        std::fs::write(path.join("now.ndjson"), lines.out).unwrap();
        let wanted = format!("{gone} gone, {} left\n", 3 - gone);
        assert_eq!(run(path, &["baseline", "prune", "baseline.json", "now.ndjson"]).out, wanted);
    }
}

#[test]
fn a_baseline_takes_no_report_of_a_scan_that_failed() {
    let desk = desk();
    let path = desk.path();
    let log = std::fs::read_to_string(path.join("input/log.json")).unwrap();
    std::fs::write(path.join("baseline.json"), "{\"lawbook_baseline\": 1, \"findings\": {}}").unwrap();
    report(path, "2024-05-15", &[]);
    assert_eq!(run(path, &["baseline", "write", "baseline.json", "now.json"]).code, 0);
    let before = std::fs::read_to_string(path.join("baseline.json")).unwrap();
    std::fs::write(path.join("input/log.json"), &log[..log.len() - 20]).unwrap();
    std::fs::write(path.join("input/more.json"), log.replace("e-1", "e-2")).unwrap();
    report(path, "2024-05-16", &[]);
    let ran = run(path, &["baseline", "write", "baseline.json", "now.json"]);
    let told = ["now.json", "exit code 2", "fault", "--incomplete"];
    assert!(ran.code == 2 && told.iter().all(|word| ran.err.contains(word)), "{}", ran.err);
    assert_eq!(std::fs::read_to_string(path.join("baseline.json")).unwrap(), before);
    let ran = run(path, &["baseline", "write", "baseline.json", "now.json", "--incomplete"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, "4 findings in baseline.json\n"), "{}", ran.err);
    // What looks like a report and is none.
    for text in [
        "{\"summary\":{\"now\":\"2024-05-16T12:00:00Z\",\"exit\":{\"code\":1}},\"findings\":[{}]}",
        "{\"summary\":{\"now\":\"2024-05-16T12:00:00Z\"},\"findings\":[]}",
        "{\"summary\":{}}",
        "[]",
    ] {
        std::fs::write(path.join("bad.json"), text).unwrap();
        let ran = run(path, &["baseline", "write", "baseline.json", "bad.json"]);
        assert!(ran.code == 2 && ran.err.contains("bad.json"), "{text}: {}", ran.err);
        assert_eq!(known(path).len(), 4);
    }
}

/// A pack with a window that counts different callers, and calls by three in two accounts.
fn spray() -> tempfile::TempDir {
    let desk = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(desk.path().join("pack")).unwrap();
    std::fs::create_dir_all(desk.path().join("input")).unwrap();
    std::fs::write(desk.path().join("pack/pack.yaml"), "lawbook: 1\nname: mine\n").unwrap();
    std::fs::write(
        desk.path().join("pack/spray.rhai"),
        "//! ---\n//! title: Many keys from one address\n//! severity: high\n//! judges: cloudtrail\n//! when: { eventName: CreateKeyPair }\n\
         //! window: { by: sourceIPAddress, within: 1h, count: \">= 3\" }\n//! ---\n\
         fn matches(event) { succeeded(event) }\n",
    )
    .unwrap();
    desk
}

/// So many calls, each by the next of these callers: account, region and name.
fn calls(desk: &Path, count: usize, callers: &[(&str, &str, &str)]) {
    let call = |at: usize| {
        let (account, region, name) = callers[at % callers.len()];
        json!({
            "eventVersion": "1.10", "eventID": format!("e-{at:06}"), "eventTime": format!("2024-05-14T12:{:02}:{:02}Z", at / 60 % 60, at % 60),
            "eventSource": "ec2.amazonaws.com", "eventName": "CreateKeyPair", "awsRegion": region, "recipientAccountId": account,
            "sourceIPAddress": "203.0.113.7",
            "userIdentity": {
                "type": "AssumedRole", "arn": format!("arn:aws:sts::{account}:assumed-role/{name}/s"), "accountId": account,
                "sessionContext": { "sessionIssuer": { "type": "Role", "userName": name, "arn": format!("arn:aws:iam::{account}:role/{name}") } },
            },
        })
    };
    let records: Vec<Value> = (0..count).map(call).collect();
    std::fs::write(desk.join("input/log.json"), json!({ "Records": records }).to_string()).unwrap();
}

#[test]
fn a_waiver_of_a_window_is_for_each_of_its_hits() {
    let desk = spray();
    let path = desk.path();
    let callers = [
        ("111122223333", "us-east-1", "alice"),
        ("444455556666", "eu-west-1", "mallory"),
        ("444455556666", "eu-west-1", "eve"),
    ];
    let standing = |waiver: &str| {
        let (_, report) = with_waiver(path, &format!("policy: spray, {waiver}, {BY}"));
        let [finding] = &report["findings"].as_array().unwrap()[..] else { panic!("{report}") };
        let is_noted = finding["notes"].to_string().contains("the waiver of alice is not for all of its hits");
        let is_unused = report["unused_waivers"].as_array().unwrap().len() == 1;
        let standing = finding["standing"].as_str().unwrap().to_owned();
        assert_eq!(is_unused, standing == "new", "{waiver}: {report}");
        (standing, is_noted)
    };
    let (new, noted, waived) = (("new".to_owned(), false), ("new".to_owned(), true), ("waived".to_owned(), false));
    calls(path, 3, &callers);
    for (waiver, wanted) in [
        // Of the hit at which it opened, of the first, and of both in the middle.
        ("account: \"444455556666\"", &noted),
        ("region: eu-west-1", &noted),
        ("actor: eve", &noted),
        ("account: \"111122223333\"", &noted),
        ("region: us-east-1", &noted),
        ("actor: \"arn:aws:iam::111122223333:role/alice\"", &noted),
        ("actor: [mallory, eve]", &noted),
        ("account: \"999999999999\"", &new),
        ("actor: bob", &new),
        // One hit is of the account, another by the actor, and none both.
        ("account: \"111122223333\", actor: eve", &new),
        ("account: [\"111122223333\", \"444455556666\"]", &waived),
        ("region: [us-east-1, eu-west-1]", &waived),
        ("actor: [alice, mallory, eve]", &waived),
        ("actor: \"arn:aws:sts::*:assumed-role/*/s\"", &waived),
        ("actor: \"arn:aws:iam::*:role/*\", region: [us-east-1, eu-west-1]", &waived),
        ("actor: \"arn:aws:iam::*:role/*\", region: eu-west-1", &noted),
        // What says nothing of whose it is goes by the finding.
        ("resources: [203.0.113.7]", &waived),
        ("resources: [203.0.113.7], actor: eve", &noted),
        ("where: \"$[?@.window.count == 3]\"", &waived),
        ("where: \"$[?@.window.count == 4]\", actor: eve", &new),
    ] {
        assert_eq!(&standing(waiver), wanted, "{waiver}");
    }
    // More hits than a report lists, and more than are held: of those nobody knows.
    let one = [("111122223333", "us-east-1", "alice")];
    let account = "account: \"111122223333\", actor: alice";
    calls(path, 1_000, &one);
    assert_eq!(standing(account), waived);
    calls(path, 1_001, &one);
    assert_eq!(standing(account), noted);
    assert_eq!(standing("resources: [203.0.113.7]"), waived);
    calls(path, 1_000, &[&[one[0]; 499][..], &callers[1..2], &[one[0]; 500][..]].concat());
    assert_eq!(standing(account), noted);
}
