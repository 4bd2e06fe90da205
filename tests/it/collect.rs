//! The script that collects inventory, and the page on collecting, with stand-ins for the AWS CLI.
#![cfg(unix)]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/collect-inventory.sh");

/// Answers as the AWS CLI does: two regions, one call that is refused until there is a file `allowed`, and one that fails while
/// there is a file `down`.
const AWS: &str = r#"#!/bin/sh
echo "$*" >> calls
case "$*" in
    "sts get-caller-identity"*) echo 111122223333 ;;
    "ec2 describe-regions"*) printf 'us-east-1\teu-west-1\n' ;;
    "ec2 describe-flow-logs"*)
        if [ -e allowed ]; then echo '{"FlowLogs":[]}'; exit; fi
        echo "An error occurred (UnauthorizedOperation) when calling the DescribeFlowLogs operation" >&2; exit 254 ;;
    "ec2 describe-volumes --region eu-west-1"*)
        if [ -e down ]; then echo "Could not connect to the endpoint" >&2; exit 255; fi
        echo '{"Volumes":[]}' ;;
    "ec2 describe-volumes"*) echo '{"Volumes":[{"VolumeId":"vol-1","Encrypted":false,"State":"in-use","Size":8}]}' ;;
    "ec2 describe-vpcs"*) echo '{"Vpcs":[{"VpcId":"vpc-1"}]}' ;;
    "cloudtrail describe-trails --region us-east-1 --query trailList[].S3BucketName"*) printf 'open-trail\tother-trail\n' ;;
    "cloudtrail describe-trails --region us-east-1 --query"*) echo arn:aws:cloudtrail:us-east-1:111122223333:trail/main ;;
    "cloudtrail describe-trails --region us-east-1"*)
        echo '{"trailList":[{"Name":"main","TrailARN":"arn:aws:cloudtrail:us-east-1:111122223333:trail/main","HomeRegion":"us-east-1","S3BucketName":"open-trail"}]}' ;;
    "s3api get-bucket-acl --bucket open-trail"*) echo '{"Grants":[]}' ;;
    "s3api get-bucket-policy-status --bucket open-trail"*) echo '{"PolicyStatus":{"IsPublic":true}}' ;;
    "s3api get-public-access-block --bucket open-trail"* | "s3control get-public-access-block --account-id 111122223333"*)
        echo "An error occurred (NoSuchPublicAccessBlockConfiguration) when calling the GetPublicAccessBlock operation" >&2; exit 254 ;;
    "s3api "*)
        echo "An error occurred (AccessDenied) when calling the operation: Access Denied" >&2; exit 254 ;;
    "cloudtrail get-trail-status --name arn:aws:cloudtrail:us-east-1:111122223333:trail/main --region us-east-1"*)
        echo '{"IsLogging":false}' ;;
    "iam list-users"*" --query "*) printf 'a.b\ta-b\ta_b\n' ;;
    "iam list-users"*) echo '{"Users":[{"UserName":"a.b"},{"UserName":"a-b"},{"UserName":"a_b"}]}' ;;
    "iam list-access-keys"*" --query "*) echo None ;;
    "iam list-access-keys --user-name "*)
        printf '{"AccessKeyMetadata":[{"UserName":"%s","AccessKeyId":"AKIA-%s","Status":"Active","CreateDate":"2020-01-01T00:00:00Z"}]}\n' "$4" "$4" ;;
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
    // Run again it asks for what is missing or was refused, and not for what is there.
    std::fs::remove_file(desk.path().join("down")).unwrap();
    std::fs::remove_file(desk.path().join("calls")).unwrap();
    let (code, _, err) = collect(desk.path(), &["-o", "inventory"]);
    assert_eq!(code, 0, "{err}");
    let asked = calls();
    assert!(asked.contains("ec2 describe-volumes --region eu-west-1"), "{asked}");
    assert!(
        !asked.contains("ec2 describe-volumes --region us-east-1") && asked.contains("describe-flow-logs"),
        "{asked}"
    );

    let manifest = std::fs::read_to_string(desk.path().join("inventory/inventory.json")).unwrap();
    let manifest: Value = serde_json::from_str(&manifest).unwrap();
    let refused = manifest["answers"].as_array().unwrap().iter().filter(|answer| answer["status"] == "refused");
    // Flow logs in two regions, and three answers about the bucket of somebody else.
    assert_eq!(refused.count(), 5, "{manifest:#}");
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
    // That S3 knows of no settings is an answer.
    assert!(found.contains(&"trail-bucket-public"), "{found:?}");
    assert!(!found.contains(&"flow-logs-missing"), "{found:?}");
    let not_evaluated = report["not_evaluated"].to_string();
    assert!(not_evaluated.contains("collecting inventory `ec2/flow-logs` was refused"), "{not_evaluated}");

    // What is allowed by now is refused no more.
    std::fs::write(desk.path().join("allowed"), "").unwrap();
    assert_eq!(collect(desk.path(), &["-o", "inventory"]).0, 0);
    let manifest = std::fs::read_to_string(desk.path().join("inventory/inventory.json")).unwrap();
    assert!(!manifest.contains("describe-flow-logs") && manifest.contains("trail/main"), "{manifest}");
    assert!(desk.path().join("inventory/111122223333/us-east-1/ec2/describe-flow-logs.json").exists());

    // Each user has an answer of their own, however names are alike.
    let keys: Vec<Value> = std::fs::read_dir(desk.path().join("inventory/111122223333/us-east-1/iam/list-access-keys"))
        .unwrap()
        .map(|entry| serde_json::from_str(&std::fs::read_to_string(entry.unwrap().path()).unwrap()).unwrap())
        .collect();
    let mut users: Vec<&str> =
        keys.iter().map(|key| key["AccessKeyMetadata"][0]["UserName"].as_str().unwrap()).collect();
    users.sort_unstable();
    assert_eq!(users, ["a-b", "a.b", "a_b"]);
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
        let pascal: String = command.split('-').map(|word| word[..1].to_uppercase() + &word[1..]).collect();
        let action = match (service, command) {
            ("s3api", "get-public-access-block") => "s3:GetBucketPublicAccessBlock".to_owned(),
            ("s3control", "get-public-access-block") => "s3:GetAccountPublicAccessBlock".to_owned(),
            ("s3api", _) => format!("s3:{pascal}"),
            ("configservice", _) => format!("config:{pascal}"),
            _ => format!("{service}:{pascal}"),
        };
        assert!(is_allowed(&action), "{action} of `{call}`");
        checked += 1;
    }
    assert!(checked > 40, "{checked}");
}

/// Answers to the commands of docs/collecting.md, and to no flag that the AWS CLI does not have (by botocore's models and the
/// reference of `s3 sync`).
const AWS_OF_PAGE: &str = r#"#!/bin/bash
set -eu
echo "$*" >> calls
has_only() {
    for word in "${words[@]}"; do
        case $word in --*) [[ " --region --output --query $1 " == *" $word "* ]] || { echo "no flag $word" >&2; exit 252; } ;; esac
    done
}
words=("$@")
case "$1 $2" in
    "s3 sync")
        has_only "--exclude --include --only-show-errors"
        to=$4; mkdir -p "$to"
        case $3 in
            s3://example-trail/*) cp -R "sample/logs/${3#s3://example-trail/}/." "$to" ;;
            s3://example-exports/trail/task-1)
                printf '2024-05-14T08:00:01.000Z %s\n' '{"eventVersion":"1.10","eventID":"of-export","eventTime":"2024-05-14T08:00:01Z","eventSource":"ec2.amazonaws.com","eventName":"DescribeVpcs","awsRegion":"us-east-1","recipientAccountId":"111122223333"}' | gzip > "$to/000000.gz" ;;
            *) exit 1 ;;
        esac ;;
    "cloudtrail describe-trails")
        has_only ""
        [[ "$*" == *"trailList[].[Name,"* ]] || exit 0
        printf 'main\texample-trail\tNone\tFalse\n' ;;
    "cloudtrail lookup-events")
        has_only "--start-time --end-time --lookup-attributes"
        echo '{"Events":[{"EventId":"of-history","CloudTrailEvent":"{\"eventVersion\":\"1.10\",\"eventID\":\"of-history\",\"eventTime\":\"2024-05-14T08:00:02Z\",\"eventSource\":\"ec2.amazonaws.com\",\"eventName\":\"DescribeVpcs\",\"awsRegion\":\"us-east-1\",\"recipientAccountId\":\"111122223333\"}"}]}' ;;
    "logs filter-log-events")
        has_only "--log-group-name --start-time --end-time"
        echo '{"events":[{"eventId":"1","message":"{\"eventVersion\":\"1.10\",\"eventID\":\"of-group\",\"eventTime\":\"2024-05-14T08:00:03Z\",\"eventSource\":\"ec2.amazonaws.com\",\"eventName\":\"DescribeVpcs\",\"awsRegion\":\"us-east-1\",\"recipientAccountId\":\"111122223333\"}"}],"searchedLogStreams":[]}' ;;
    "logs create-export-task") has_only "--log-group-name --from --to --destination --destination-prefix"; echo task-1 ;;
    "logs describe-export-tasks") has_only "--task-id"; echo COMPLETED ;;
    "cloudtrail start-query") has_only "--query-statement"; echo q-1 ;;
    "cloudtrail describe-query") has_only "--query-id"; echo FINISHED ;;
    "cloudtrail get-query-results")
        has_only "--query-id --next-token"
        case "$*" in *--next-token*) id=of-lake-2 next= ;; *) id=of-lake-1 next='"NextToken": "more",' ;; esac
        echo '{ "QueryStatus": "FINISHED", '"$next"' "QueryResultRows": [[{"eventJson":"{\"eventVersion\":\"1.10\",\"eventID\":\"'$id'\",\"eventTime\":\"2024-05-14T08:00:04Z\",\"eventSource\":\"ec2.amazonaws.com\",\"eventName\":\"DescribeVpcs\",\"awsRegion\":\"us-east-1\",\"recipientAccountId\":\"111122223333\"}"}]] }' ;;
    "events put-rule") has_only "--name --state --event-pattern"; echo '{}' ;;
    "sts get-caller-identity") echo 111122223333 ;;
    "ec2 describe-volumes") echo '{"Volumes":[{"VolumeId":"vol-1","Encrypted":false,"State":"in-use","Size":8}]}' ;;
    *) ;;
esac
"#;

/// The page's blocks, one after the other, are a session that ends with a report.
#[test]
fn every_command_of_the_page_on_collecting_works_and_what_it_gets_is_read() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(root.join("docs/collecting.md")).unwrap();
    let desk = desk();
    std::fs::write(desk.path().join("bin/aws"), AWS_OF_PAGE).unwrap();
    for (name, target) in [("sample", "examples/sample"), ("examples", "examples")] {
        std::os::unix::fs::symlink(root.join(target), desk.path().join(name)).unwrap();
    }
    let binary = Path::new(env!("CARGO_BIN_EXE_lawbook")).parent().unwrap().display().to_string();
    let path = format!("{}:{binary}:{}", desk.path().join("bin").display(), std::env::var("PATH").unwrap());
    std::fs::create_dir(desk.path().join("logs")).unwrap();
    let mut ran = 0;
    for block in page.split("\n```bash\n").skip(1).map(|rest| rest.split("\n```").next().unwrap()) {
        let promised = block.rsplit_once(" # exit ").map_or(0, |(_, code)| code.parse().unwrap());
        let out = Command::new("bash")
            .args(["-u", "-o", "pipefail", "-c", block])
            .current_dir(desk.path())
            .env("PATH", &path)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let told = [out.stdout, out.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
        assert_eq!(out.status.code(), Some(promised), "{block}\n{told}");
        assert!(!told.contains("error") && !told.contains("in part"), "{block}\n{told}");
        ran += 1;
    }
    assert!(ran > 9, "{ran} blocks were run");
    let before = std::fs::read_to_string(desk.path().join("before.json")).unwrap();
    let report: Value = serde_json::from_str(&before).unwrap();
    assert_eq!(report["faults"], serde_json::json!([]), "{report:#}");
    let policies = report["findings"].to_string();
    assert!(policies.contains("ebs-volume-unencrypted") && policies.contains("eip-disassociated"), "{policies}");
    // Everything that was fetched is among what was judged.
    for (file, wanted) in
        [("logs/history-us-east-1.json", 1), ("logs/cloudwatch.json", 1), ("logs/cloudwatch", 1), ("logs/lake.json", 2)]
    {
        let out = crate::cli::lawbook().args(["try", "event.eventID", file]).current_dir(desk.path()).output().unwrap();
        let ids = String::from_utf8(out.stdout).unwrap();
        assert!(out.status.success() && ids.lines().count() == wanted && ids.contains("\"of-"), "{file}: {ids}");
    }
    let policy = page.split("\n```json\n").nth(1).unwrap().split("\n```").next().unwrap();
    let policy: Value = serde_json::from_str(policy).unwrap();
    let actions: Vec<&str> = policy["Statement"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|statement| match &statement["Action"] {
            Value::String(action) => vec![action.as_str()],
            list => list.as_array().unwrap().iter().map(|action| action.as_str().unwrap()).collect(),
        })
        .collect();
    let calls = std::fs::read_to_string(desk.path().join("calls")).unwrap();
    for call in calls.lines().filter(|call| call.starts_with("cloudtrail ") || call.starts_with("logs ")) {
        let words: Vec<&str> = call.split(' ').collect();
        if page.contains(&format!("aws {} {}", words[0], words[1])) {
            let pascal: String = words[1].split('-').map(|word| word[..1].to_uppercase() + &word[1..]).collect();
            let action = format!("{}:{pascal}", words[0]);
            assert!(actions.contains(&action.as_str()), "{action} is not among the permissions");
        }
    }
}

/// Of what was asked about one by one, an answer for one says nothing of another that was refused.
#[test]
fn what_was_refused_of_several_is_not_evaluated() {
    let desk = crate::cli::Desk::new();
    let about = |name: &str| {
        format!(
            r#""service": "cloudtrail", "command": "get-trail-status", "account": "111122223333", "region": "us-east-1", "arguments": {{ "Name": "{name}" }}"#
        )
    };
    desk.write("in/one.json", r#"{"IsLogging":true}"#);
    let manifest = |answers: &[String]| format!("{{ \"lawbook\": 1, \"answers\": [{}] }}", answers.join(","));
    let one = format!("{{ {}, \"file\": \"one.json\" }}", about("one"));
    let refused = |name: &str| format!("{{ {}, \"status\": \"refused\" }}", about(name));
    let scan = || {
        let report = desk.run(&["scan", "in", "--only", "trail-not-logging", "--format", "json"]).json();
        report["not_evaluated"].to_string()
    };
    desk.write("in/inventory.json", manifest(&[one.clone(), refused("two"), refused("three"), refused("two")]));
    assert!(
        scan().contains("collecting inventory `cloudtrail/trail-status` was refused for 2 calls of several"),
        "{}",
        scan()
    );
    desk.write("in/inventory.json", manifest(&[refused("two")]));
    assert!(scan().contains("collecting inventory `cloudtrail/trail-status` was refused\""), "{}", scan());
    // What was answered after all was not refused.
    desk.write("in/inventory.json", manifest(&[refused("one"), one]));
    assert_eq!(scan(), "[]");
}
