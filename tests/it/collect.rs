//! The script that collects inventory, with a stand-in for the AWS CLI.
#![cfg(unix)]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/collect-inventory.sh");

/// Answers as the AWS CLI does: two regions, one call that is refused, and one that fails while there is a file `down`.
const AWS: &str = r#"#!/bin/sh
echo "$*" >> calls
case "$*" in
    "sts get-caller-identity"*) echo 111122223333 ;;
    "ec2 describe-regions"*) printf 'us-east-1\teu-west-1\n' ;;
    "ec2 describe-flow-logs"*)
        echo "An error occurred (UnauthorizedOperation) when calling the DescribeFlowLogs operation" >&2; exit 254 ;;
    "ec2 describe-volumes --region eu-west-1"*)
        if [ -e down ]; then echo "Could not connect to the endpoint" >&2; exit 255; fi
        echo '{"Volumes":[]}' ;;
    "ec2 describe-volumes"*) echo '{"Volumes":[{"VolumeId":"vol-1","Encrypted":false,"State":"in-use","Size":8}]}' ;;
    "ec2 describe-vpcs"*) echo '{"Vpcs":[{"VpcId":"vpc-1"}]}' ;;
    "cloudtrail describe-trails --region us-east-1 --query"*) echo arn:aws:cloudtrail:us-east-1:111122223333:trail/main ;;
    "cloudtrail describe-trails --region us-east-1"*)
        echo '{"trailList":[{"Name":"main","TrailARN":"arn:aws:cloudtrail:us-east-1:111122223333:trail/main","HomeRegion":"us-east-1"}]}' ;;
    "cloudtrail get-trail-status --name arn:aws:cloudtrail:us-east-1:111122223333:trail/main --region us-east-1"*)
        echo '{"IsLogging":false}' ;;
    *" --query "*) echo None ;;
    *) ;;
esac
"#;

fn collect(desk: &Path, args: &[&str]) -> (i32, String, String) {
    let path = format!("{}:{}", desk.join("bin").display(), std::env::var("PATH").unwrap());
    let mut command = Command::new("sh");
    command.arg(SCRIPT).args(args).current_dir(desk).env("PATH", path).stdin(Stdio::null());
    let out = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (out.status.code().unwrap(), text(out.stdout), text(out.stderr))
}

fn desk() -> tempfile::TempDir {
    let desk = tempfile::tempdir().unwrap();
    std::fs::create_dir(desk.path().join("bin")).unwrap();
    let aws = desk.path().join("bin/aws");
    std::fs::write(&aws, AWS).unwrap();
    std::fs::set_permissions(&aws, std::fs::Permissions::from_mode(0o755)).unwrap();
    desk
}

#[test]
fn what_is_collected_is_judged_and_what_was_refused_is_not_evaluated() {
    let desk = desk();
    std::fs::write(desk.path().join("down"), "").unwrap();
    let (code, _, err) = collect(desk.path(), &["-o", "inventory"]);
    assert!(code == 1 && err.contains("ec2 describe-volumes in eu-west-1: Could not connect"), "{err}");
    let calls = || std::fs::read_to_string(desk.path().join("calls")).unwrap();
    assert!(
        calls().contains("ec2 describe-snapshots --owner-ids self --region eu-west-1 --output json"),
        "{}",
        calls()
    );
    // Run again it asks for what is missing, and not for what is there or was refused.
    std::fs::remove_file(desk.path().join("down")).unwrap();
    std::fs::remove_file(desk.path().join("calls")).unwrap();
    let (code, _, err) = collect(desk.path(), &["-o", "inventory"]);
    assert_eq!(code, 0, "{err}");
    let asked = calls();
    assert!(asked.contains("ec2 describe-volumes --region eu-west-1"), "{asked}");
    assert!(
        !asked.contains("ec2 describe-volumes --region us-east-1") && !asked.contains("describe-flow-logs"),
        "{asked}"
    );

    let manifest = std::fs::read_to_string(desk.path().join("inventory/inventory.json")).unwrap();
    let manifest: Value = serde_json::from_str(&manifest).unwrap();
    let refused = manifest["answers"].as_array().unwrap().iter().filter(|answer| answer["status"] == "refused");
    assert_eq!(refused.count(), 2, "{manifest:#}");
    let out = crate::cli::lawbook()
        .args(["scan", "inventory", "--format", "json"])
        .current_dir(desk.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(report["faults"], serde_json::json!([]), "{report:#}");
    let found: Vec<&str> =
        report["findings"].as_array().unwrap().iter().map(|finding| finding["policy"].as_str().unwrap()).collect();
    assert!(found.contains(&"trail-not-logging") && found.contains(&"ebs-volume-unencrypted"), "{found:?}");
    assert!(!found.contains(&"flow-logs-missing"), "{found:?}");
    let not_evaluated = report["not_evaluated"].to_string();
    assert!(not_evaluated.contains("collecting inventory `ec2/flow-logs` was refused"), "{not_evaluated}");
}

#[test]
fn the_permissions_that_it_prints_are_those_of_its_calls() {
    let desk = desk();
    let (code, out, err) = collect(desk.path(), &["-p"]);
    assert_eq!(code, 0, "{err}");
    let policy: Value = serde_json::from_str(&out).unwrap();
    let allowed: Vec<&str> =
        policy["Statement"][0]["Action"].as_array().unwrap().iter().map(|action| action.as_str().unwrap()).collect();
    let is_allowed = |action: &str| {
        allowed
            .iter()
            .any(|allowed| allowed.strip_suffix('*').map_or(*allowed == action, |start| action.starts_with(start)))
    };
    collect(desk.path(), &["-o", "inventory"]);
    let calls = std::fs::read_to_string(desk.path().join("calls")).unwrap();
    let mut checked = 0;
    for call in calls.lines() {
        let mut words = call.split(' ');
        let (service, command) = (words.next().unwrap(), words.next().unwrap());
        let service = if service == "configservice" { "config" } else { service };
        let pascal: String = command.split('-').map(|word| word[..1].to_uppercase() + &word[1..]).collect();
        assert!(is_allowed(&format!("{service}:{pascal}")), "{service}:{pascal} of `{call}`");
        checked += 1;
    }
    assert!(checked > 40, "{checked}");
}
