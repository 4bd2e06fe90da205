//! `examples/pipeline`, from its first failing run to the day on which a waiver ends.

use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};

/// A copy of the example.
fn desk() -> tempfile::TempDir {
    let desk = tempfile::tempdir().unwrap();
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/pipeline");
    for entry in walkdir::WalkDir::new(&from) {
        let entry = entry.unwrap();
        let target = desk.path().join(entry.path().strip_prefix(&from).unwrap());
        match entry.file_type().is_dir() {
            true => std::fs::create_dir_all(target).unwrap(),
            false => drop(std::fs::copy(entry.path(), target).unwrap()),
        }
    }
    desk
}

fn run(desk: &Path, args: &[&str]) -> (i32, String, String) {
    let out = crate::cli::lawbook().args(args).current_dir(desk).stdin(Stdio::null()).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (out.status.code().unwrap(), text(out.stdout), text(out.stderr))
}

/// A plain scan on a day; the code, and the report that the configuration asks for.
fn scan(desk: &Path, day: &str) -> (i32, Value) {
    let (code, out, err) = run(desk, &["scan", "--now", day]);
    let report = std::fs::read(desk.join("reports/findings.json")).unwrap_or_else(|_| panic!("{out}{err}"));
    let report: Value = serde_json::from_slice(&report).unwrap();
    assert_eq!(report["summary"]["faults"], 0, "{report}");
    assert_eq!(report["summary"]["exit"]["code"], code);
    (code, report)
}

/// The new findings that fail the run, by policy and resource.
fn failing(report: &Value) -> Vec<(String, String)> {
    let findings = report["findings"].as_array().unwrap().iter();
    let fails = |one: &&Value| one["standing"] == "new" && one["enforcement"] == "fail";
    let of =
        |one: &Value| (one["policy"].as_str().unwrap().to_owned(), one["resources"][0].as_str().unwrap().to_owned());
    let mut failing: Vec<(String, String)> = findings.filter(fails).map(of).collect();
    failing.sort();
    failing
}

fn pair(policy: &str, resource: &str) -> (String, String) {
    (policy.to_owned(), resource.to_owned())
}

#[test]
fn a_teams_repository_lives_from_its_first_run_to_the_end_of_a_waiver() {
    let desk = desk();
    let desk = desk.path();
    for args in [&["check", "--strict"][..], &["test", "policies", "--ci"], &["lock", "--check"], &["config"]] {
        let (code, out, err) = run(desk, args);
        assert_eq!(code, 0, "{args:?}: {out}{err}");
    }
    // The first run fails on what nobody has decided about.
    let (code, report) = scan(desk, "2025-06-02");
    let (key, port) =
        (pair("long-term-key-created", "user/scanner"), pair("admin-port-opened", "sg-0aaaa1111bbbb2222"));
    assert_eq!((code, failing(&report)), (1, vec![port.clone(), key.clone()]));
    let by = &report["summary"]["findings"];
    assert_eq!(
        by["by_standing"],
        json!({ "new": 3, "waived": 2, "known": 0 }),
        "a waiver of the file, and one of a tag"
    );
    assert_eq!(by["by_enforcement"], json!({ "fail": 3, "report": 2 }), "volumes are reported only");
    assert!(desk.join("reports/findings.sarif").exists());
    // One is waived.
    let fingerprint = |report: &Value, policy: &str| {
        let new = |one: &&Value| one["policy"] == policy && one["standing"] == "new";
        report["findings"].as_array().unwrap().iter().find(new).unwrap()["fingerprint"].as_str().unwrap().to_owned()
    };
    let known_as = fingerprint(&report, "long-term-key-created");
    let waive = [
        "waive",
        &known_as,
        "--owner",
        "alice@example.com",
        "--reason",
        "until the scanner takes a role",
        "--expires",
        "2025-06-30",
    ];
    let (code, out, err) = run(desk, &waive);
    assert!(code == 0 && out.contains("waivers.yaml"), "{out}{err}");
    let (code, report) = scan(desk, "2025-06-02");
    assert_eq!((code, failing(&report)), (1, vec![port.clone()]));
    // The rest is known from now on.
    let (code, out, err) = run(desk, &["baseline", "write", "baseline.json", "reports/findings.json"]);
    assert_eq!((code, out.as_str()), (0, "2 findings in baseline.json\n"), "{err}");
    let (code, report) = scan(desk, "2025-06-02");
    assert_eq!((code, failing(&report)), (0, Vec::new()));
    assert_eq!(report["summary"]["findings"]["by_standing"], json!({ "new": 0, "waived": 3, "known": 2 }));
    assert_eq!(report["unused_waivers"], json!([]));
    // A bad record comes, and a volume that is reported only.
    let mut log: Value = serde_json::from_slice(&std::fs::read(desk.join("logs/2025-06-01.json")).unwrap()).unwrap();
    let mut opened = log["Records"][3].take();
    opened["eventID"] = "3d5b7e10-6a51-4a0e-9c1c-000000000009".into();
    opened["eventTime"] = "2025-06-03T10:00:00Z".into();
    opened["requestParameters"]["groupId"] = "sg-0cccc3333dddd4444".into();
    std::fs::write(desk.join("logs/2025-06-03.json"), json!({ "Records": [opened] }).to_string()).unwrap();
    let (code, report) = scan(desk, "2025-06-04");
    assert_eq!((code, failing(&report)), (1, vec![pair("admin-port-opened", "sg-0cccc3333dddd4444")]));
    // It is undone: the run passes, to the last day of the waiver, and not on the next.
    std::fs::remove_file(desk.join("logs/2025-06-03.json")).unwrap();
    assert_eq!(scan(desk, "2025-06-30T23:59:59Z").0, 0);
    let (code, report) = scan(desk, "2025-07-01");
    assert_eq!((code, failing(&report)), (1, vec![key]));
    let notes = report["findings"].to_string();
    assert!(notes.contains("the waiver of alice@example.com for it expired on 2025-06-30"), "{notes}");
    assert!(notes.contains("its tag `lawbook:waive` does not waive it: it expired on 2025-06-30"), "{notes}");
    // Policies that nobody has looked at are not run.
    let library = std::fs::read_to_string(desk.join("policies/lib/team.rhai")).unwrap();
    std::fs::write(desk.join("policies/lib/team.rhai"), library.replace("who.role != () &&", "who.role == () ||"))
        .unwrap();
    let (code, _, err) = run(desk, &["scan", "--now", "2025-06-02"]);
    assert!(
        code == 2 && err.contains("the pack `example-team` is not as it was locked: lib/team.rhai changed"),
        "{err}"
    );
}

#[test]
fn the_workflow_of_the_example_runs_what_there_is() {
    let text = include_str!("../../examples/pipeline/.github/workflows/lawbook.yaml");
    let workflow = lawbook::yaml::parse(text).unwrap().to_json();
    let steps = workflow["jobs"].as_object().unwrap().values().flat_map(|job| job["steps"].as_array().unwrap());
    let runs: Vec<&str> = steps.filter_map(|step| step["run"].as_str()).flat_map(str::lines).map(str::trim).collect();
    let desk = desk();
    let mut ran = 0;
    for line in runs.iter().filter_map(|line| line.strip_prefix("lawbook ")) {
        let words: Vec<&str> = line.split_whitespace().take_while(|word| !word.starts_with(['>', '|'])).collect();
        let (code, out, err) = run(desk.path(), &words);
        assert!(code < 2, "{line}: {out}{err}");
        ran += 1;
    }
    assert!(ran >= 4, "{runs:?}");
}
