//! What is given to a scan and is not all there, or contradicts itself: each is told, and shows in the exit code.

use serde_json::{Value, json};

use crate::cli::{Desk, event, log, policy};

const EC2: &str = "inv/111122223333/us-east-1/ec2";

fn volumes(desk: &Desk, name: &str, text: &str) {
    desk.write(&format!("{EC2}/{name}"), text);
}

fn desk() -> Desk {
    let desk = Desk::new();
    desk.write("log.json", log(&[event("1", json!({}))]));
    desk.write("key.rhai", policy("Key made", "fn matches(event) { event.eventName == \"None\" }"));
    desk
}

const VOLUMES: &str = r#"{"Volumes":[{"VolumeId":"vol-1","Encrypted":true,"Size":1,"State":"in-use"}]}"#;

#[test]
fn an_empty_file_of_a_command_that_always_prints_is_a_fault() {
    let desk = desk();
    volumes(&desk, "describe-volumes.json", "");
    volumes(&desk, "describe-vpcs.json", r#"{"Vpcs":[]}"#);
    let ran = desk.run(&["scan", "log.json", "inv", "--policy", "key.rhai"]).exits(2);
    assert!(ran.out.contains("the file is empty") && ran.out.contains(", 1 of them empty,"), "{}", ran.out);
    // One that prints nothing where there is nothing may be empty, and so may a log.
    let desk = self::desk();
    desk.write("inv/111122223333/s3api/get-bucket-policy.json", "");
    desk.write("logs/a.json", "");
    let ran = desk.run(&["scan", "log.json", "inv", "logs", "--policy", "key.rhai", "--format", "json"]).succeeds();
    assert_eq!(ran.json()["summary"]["files"], json!({ "read": 3, "empty": 2, "skipped": 0 }));
    // A manifest says how the call ended.
    let desk = self::desk();
    volumes(&desk, "describe-volumes.json", "");
    let refused = json!({ "file": "describe-volumes.json", "service": "ec2", "command": "describe-volumes", "status": "refused" });
    volumes(&desk, "inventory.json", &json!({ "lawbook": 1, "answers": [refused] }).to_string());
    desk.run(&["scan", "log.json", "inv", "--policy", "key.rhai"]).succeeds();
}

#[test]
fn a_manifest_beside_a_named_file_is_read() {
    let desk = desk();
    desk.write("inv/v.json", VOLUMES);
    let entry = json!({ "file": "v.json", "service": "ec2", "command": "describe-volumes", "account": "111122223333", "region": "us-east-1" });
    let other = json!({ "file": "w.json", "service": "ec2", "command": "describe-vpcs" });
    desk.write("inv/inventory.json", json!({ "lawbook": 1, "answers": [entry, other] }).to_string());
    desk.write(
        "volume.rhai",
        "//! ---\n//! lawbook: 1\n//! title: V\n//! severity: low\n//! judges: ec2/volumes\n//! ---\nfn matches(volume) { volume.Encrypted == true }\n",
    );
    let ran = desk.run(&["scan", "inv/v.json", "--policy", "volume.rhai", "--format", "json"]).exits(1);
    let finding: Value = ran.json()["findings"][0]["record"].clone();
    assert_eq!((&finding["account"], &finding["region"]), (&json!("111122223333"), &json!("us-east-1")));
}

#[test]
fn what_a_manifest_lists_outside_the_input_is_told_and_a_path_that_is_named_twice_is_not() {
    let desk = desk();
    desk.write("inv/v.json", VOLUMES);
    desk.write("other/w.json", VOLUMES);
    let list = |file: &str| {
        let entry = json!({ "file": file, "service": "ec2", "command": "describe-volumes" });
        json!({ "lawbook": 1, "answers": [entry] }).to_string()
    };
    desk.write("inv/inventory.json", list("v.json"));
    desk.run(&["scan", "inv", "inv", "log.json", "--policy", "key.rhai"]).succeeds();
    desk.write("inv/inventory.json", list("../other/w.json"));
    let ran = desk.run(&["scan", "inv", "log.json", "--policy", "key.rhai"]).exits(2);
    assert!(ran.out.contains("`other/w.json`, which is not in the input"), "{}", ran.out);
    desk.run(&["scan", "inv", "other", "log.json", "--policy", "key.rhai"]).succeeds();
}

#[test]
fn times_and_streams_that_leave_nothing_are_refused() {
    let desk = desk();
    let args = ["scan", "log.json", "--policy", "key.rhai"];
    let ran = desk.run(&[&args[..], &["--since", "2030-01-01", "--now", "2024-05-15"]].concat()).exits(2);
    assert!(ran.err.contains("is after the time of the run"), "{}", ran.err);
    desk.run(&[&args[..], &["--since", "2024-05-14", "--now", "2024-05-15"]].concat()).succeeds();
    let ran = desk.run(&["scan", "-", "--inventory", "-", "--policy", "key.rhai"]).exits(2);
    assert!(ran.err.contains("standard input is read once"), "{}", ran.err);
}

#[test]
fn an_empty_state_is_no_new_one() {
    let desk = desk();
    desk.write("seen.jsonl", "");
    let ran = desk.run(&["scan", "log.json", "--policy", "key.rhai", "--state", "seen.jsonl"]).exits(2);
    assert!(ran.err.contains("seen.jsonl") && ran.err.contains("the state file is empty"), "{}", ran.err);
}

#[test]
fn a_plan_of_a_scan_that_did_not_judge_all_says_so() {
    let desk = desk();
    desk.write("broken.json", "{\"eventVersion\": \n");
    let args = ["--policy", "key.rhai", "--format", "json", "--output", "report.json"];
    desk.run(&[&["scan", "log.json"], &args[..]].concat()).succeeds();
    assert!(!desk.run(&["remediate", "report.json"]).succeeds().err.contains("ended with 2"));
    desk.run(&[&["scan", "log.json", "broken.json"], &args[..]].concat()).exits(2);
    let ran = desk.run(&["remediate", "report.json"]).succeeds();
    assert!(ran.err.contains("ended with 2"), "{}", ran.err);
}

#[test]
fn two_reports_for_programs_do_not_take_each_others_place() {
    let desk = Desk::with_key_pair();
    let ran = desk.run(&["test", ".", "--format", "json", "--coverage=lcov"]).exits(2);
    assert!(ran.err.contains("--coverage-output"), "{}", ran.err);
    // What mutation found goes beside it.
    let ran = desk.run(&["test", ".", "--coverage=html", "--mutate"]).succeeds();
    assert!(ran.out.trim_end().ends_with("</html>") && ran.err.contains("mutation"), "{}", ran.err);
    desk.run(&["test", ".", "--format", "json", "--coverage=lcov", "--coverage-output", "c.lcov"]).succeeds();
    assert!(desk.path().join("c.lcov").exists());
}

#[test]
fn what_is_called_by_a_command_and_cannot_be_read_is_a_fault() {
    let desk = desk();
    for (name, text) in [
        ("describe-volumes.txt", "VOLUMES\tus-east-1a\tvol-1\n"),
        ("describe-volumes", "Volumes:\n- VolumeId: vol-1\n"),
        (
            "describe-volumes.txt",
            "An error occurred (UnauthorizedOperation) when calling the DescribeVolumes operation\n",
        ),
    ] {
        let desk = self::desk();
        volumes(&desk, name, text);
        let ran = desk.run(&["scan", "log.json", "inv", "--policy", "key.rhai"]).exits(2);
        assert!(ran.out.contains("the path names `ec2 describe-volumes`"), "{name}: {}", ran.out);
    }
    volumes(&desk, "describe-volumes/README.md", "What this is.\n");
    volumes(&desk, "notes.txt", "What this is.\n");
    desk.run(&["scan", "log.json", "inv", "--policy", "key.rhai"]).succeeds();
}

#[test]
fn names_that_are_nearly_those_of_packs_and_configurations_are_told() {
    for name in ["pack/other.Rhai", "pack/pack.yml", "pack/Pack.yaml", "pack/lib/more.RHAI"] {
        let desk = desk();
        desk.write("pack/key.rhai", policy("Key made", "fn matches(event) { true }"));
        desk.run(&["check", "pack"]).succeeds();
        desk.write(name, "name: ours\n");
        let ran = desk.run(&["check", "pack"]).exits(2);
        assert!(ran.err.contains("rename it to `"), "{name}: {}", ran.err);
    }
    for name in ["Lawbook.yaml", ".lawbook.yaml", "lawbook.yml"] {
        let desk = desk();
        desk.write(name, "lawbook: 1\nfail_on: critical\n");
        let ran = desk.run(&["scan", "log.json", "--policy", "key.rhai"]).exits(2);
        assert!(ran.err.contains("rename it to `lawbook.yaml`"), "{name}: {}", ran.err);
    }
}

#[test]
fn what_no_report_tells_is_refused() {
    let desk = desk();
    for (args, fits) in
        [(&["--why", "key"][..], "json"), (&["--group-by", "policy"], "markdown"), (&["--tally"], "html")]
    {
        let scan = |format: &str, more: &[&str]| {
            desk.run(&[&["scan", "log.json", "--policy", "key.rhai", "--format", format], args, more].concat())
        };
        assert!(scan("sarif", &[]).exits(2).err.contains(args[0]), "{args:?}");
        scan("sarif", &["--report", "json=r.json"]).succeeds();
        scan(fits, &[]).succeeds();
    }
}
