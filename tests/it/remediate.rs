//! Plans of remediation: what is in them, and what running them does, with stand-ins for the AWS CLI and boto3.
#![cfg(unix)]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

/// Encrypts a volume by making a file, and says which volumes are encrypted. While there is a file `down` it fails.
const AWS: &str = r#"#!/bin/sh
{ printf '<%s>' "$@"; echo; } >> "$DESK/calls"
if [ "$1" = sts ]; then echo "${ACCOUNT:-111122223333}"; exit 0; fi
id=$6
case $2 in
    encrypt) if [ -e "$DESK/down" ]; then exit 255; fi; touch "$DESK/encrypted-$id" ;;
    decrypt) rm "$DESK/encrypted-$id" ;;
    describe-encryption) if [ -e "$DESK/encrypted-$id" ]; then echo True; else echo False; fi ;;
esac
"#;

/// The same in Python.
const BOTO3: &str = r#"
import os

DESK = os.environ["DESK"]

class Client:
    def __init__(self, service, region_name=None):
        self.service, self.region = service, region_name

    def __getattr__(self, operation):
        def call(**arguments):
            with open(f"{DESK}/calls", "a", encoding="utf-8") as calls:
                print(self.service, self.region, operation, arguments, file=calls)
            if self.service == "sts":
                return {"Account": os.environ.get("ACCOUNT", "111122223333")}
            path = f"{DESK}/encrypted-{arguments.get('Id')}"
            if operation == "encrypt":
                if os.path.exists(f"{DESK}/down"):
                    raise RuntimeError("down")
                open(path, "w").close()
            elif operation == "decrypt":
                os.remove(path)
            elif operation == "describe_encryption":
                return {"Encrypted": os.path.exists(path)}
        return call

def client(service, region_name=None):
    return Client(service, region_name)
"#;

const VOLUME: &str = r#"//! ---
//! title: Volume in the clear
//! severity: high
//! judges: ec2/volumes
//! remediation:
//!   impact: The instance that has ${id} stops.
//!   console: |
//!     1. Encrypt ${id}.
//!     2. It's done.
//!   cli: |
//!     # The name goes along.
//!     name=${name}
//!     aws ec2 encrypt --region ${region} --id ${id} --name "$name"
//!   python: |
//!     import boto3
//!     boto3.client("ec2", region_name=${region}).encrypt(Id=${id}, Name=${name})
//!   verify:
//!     cli: |
//!       encrypted=$(aws ec2 describe-encryption --region ${region} --id ${id})
//!       test "$encrypted" = True
//!     python: |
//!       import boto3
//!       assert boto3.client("ec2", region_name=${region}).describe_encryption(Id=${id})["Encrypted"]
//!   undo:
//!     cli: aws ec2 decrypt --region ${region} --id ${id}
//!     python: |
//!       import boto3
//!       boto3.client("ec2", region_name=${region}).decrypt(Id=${id})
//!   after: [vpc-plain]
//! ---
fn matches(volume) { volume.Encrypted == false }
fn title(volume) { `Volume ${volume.VolumeId} is in the clear` }
fn context(volume) { #{ id: volume.VolumeId, region: region(volume), name: tag(volume, "Name") } }
"#;

const VPC: &str = r#"//! ---
//! title: VPC without a default
//! severity: low
//! judges: ec2/vpcs
//! remediation:
//!   console: Set the default of ${region}.
//!   cli: aws ec2 set-default --region ${region}
//!   python: |
//!     import boto3
//!     boto3.client("ec2", region_name=${region}).set_default()
//!   touches: [region]
//! ---
fn matches(vpc) { true }
fn context(vpc) { #{ region: region(vpc) } }
"#;

const ADDRESS: &str = r#"//! ---
//! title: Address
//! severity: info
//! judges: ec2/addresses
//! remediation:
//!   cli: aws ec2 describe-addresses --region ${region}
//! ---
fn matches(address) { true }
fn context(address) { #{ region: region(address) } }
"#;

/// A pack, an inventory of two accounts, and the stand-ins.
fn desk(volumes: Value) -> tempfile::TempDir {
    let desk = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = desk.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("pack/pack.yaml", "lawbook: 1\nname: mine\n");
    write("pack/volume-plain.rhai", VOLUME);
    write("pack/vpc-plain.rhai", VPC);
    write("pack/address-there.rhai", ADDRESS);
    write("in/111122223333/us-east-1/ec2/describe-volumes.json", &json!({ "Volumes": volumes }).to_string());
    let vpcs = json!({ "Vpcs": [{ "VpcId": "vpc-1" }, { "VpcId": "vpc-2" }] });
    write("in/111122223333/us-east-1/ec2/describe-vpcs.json", &vpcs.to_string());
    write("bin/aws", AWS);
    std::fs::set_permissions(desk.path().join("bin/aws"), std::fs::Permissions::from_mode(0o755)).unwrap();
    write("py/boto3.py", BOTO3);
    desk
}

fn volume(id: &str, name: &str) -> Value {
    json!({ "VolumeId": id, "Encrypted": false, "Tags": [{ "Key": "Name", "Value": name }] })
}

struct Ran {
    code: i32,
    out: String,
    err: String,
}

fn ran(command: &mut Command, desk: &Path) -> Ran {
    let out = command.current_dir(desk).stdin(Stdio::null()).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { code: out.status.code().unwrap(), out: text(out.stdout), err: text(out.stderr) }
}

fn lawbook(desk: &Path, args: &[&str]) -> Ran {
    ran(crate::cli::lawbook().args(args), desk)
}

/// Scans the inventory into `findings.json`.
fn scan(desk: &Path) {
    let done = lawbook(desk, &["scan", "in", "--pack", "pack", "--format", "json", "--output", "findings.json"]);
    assert_eq!(done.code, 1, "{}", done.err);
}

fn plan(desk: &Path, more: &[&str]) -> Ran {
    lawbook(desk, &[&["remediate", "findings.json", "--pack", "pack"], more].concat())
}

/// The program that a plan is written for, and what of it is there.
const PROGRAMS: [(&str, &str, &str); 2] = [("sh", "bash", "plan.sh"), ("python", "python3", "plan.py")];

fn has(program: &str) -> bool {
    let there = Command::new(program).arg("--version").output().is_ok_and(|out| out.status.success());
    if !there {
        eprintln!("SKIPPED: there is no {program} on this machine, so plans for it were not run");
    }
    there
}

fn execute(desk: &Path, (_, program, file): (&str, &str, &str), args: &[&str], account: &str) -> Ran {
    let path = format!("{}:{}", desk.join("bin").display(), std::env::var("PATH").unwrap());
    let mut command = Command::new(program);
    command.arg(file).args(args).env("PATH", path).env("PYTHONPATH", desk.join("py")).env("DESK", desk);
    ran(command.env("ACCOUNT", account).env("LAWBOOK_PAUSES", "0 0"), desk)
}

/// The operations that were called since the last look, without those that only ask.
fn changes(desk: &Path) -> Vec<String> {
    let calls = std::fs::read_to_string(desk.join("calls")).unwrap_or_default();
    let _ = std::fs::remove_file(desk.join("calls"));
    let changes = calls.lines().filter(|call| !call.contains("sts") && !call.contains("describe"));
    changes.map(str::to_owned).collect()
}

#[test]
fn a_plan_shows_and_does_and_verifies_and_goes_back() {
    for program in PROGRAMS.into_iter().filter(|program| has(program.1)) {
        let desk = desk(json!([volume("vol-1", "a"), volume("vol-2", "it's $(touch canary) \"; touch canary #")]));
        let desk = desk.path();
        scan(desk);
        let made = plan(desk, &["--format", program.0, "--output", program.2]);
        assert_eq!((made.code, &*made.out), (0, ""), "{}", made.err);
        // Two VPCs have one default: one step for both.
        assert_eq!(made.err, "plan: 3 changes on 3 resources\n");
        let run = |args: &[&str]| execute(desk, program, args, "111122223333");

        let shown = run(&[]);
        assert_eq!((shown.code, &*shown.err), (0, ""), "{}", shown.out);
        assert!(shown.out.contains("Nothing was changed") && shown.out.contains("set"), "{}", shown.out);
        assert!(shown.out.contains("impact: The instance that has vol-2 stops."), "{}", shown.out);
        assert!(!desk.join("calls").exists(), "a look calls nothing at all");

        // What comes first is first, though it is less severe. The rest waits when a step fails.
        std::fs::write(desk.join("down"), "").unwrap();
        let failed = run(&["--apply"]);
        assert_eq!(failed.code, 1, "{}", failed.out);
        assert!(failed.out.contains("FAILED") && failed.out.contains("Stopped at step 2."), "{}", failed.out);
        let called = changes(desk);
        assert!(called.len() == 2 && called[0].contains("default") && called[1].contains("encrypt"), "{called:?}");
        std::fs::remove_file(desk.join("down")).unwrap();

        let applied = run(&["--apply"]);
        assert_eq!(applied.code, 0, "{}\n{}", applied.out, applied.err);
        assert_eq!(applied.out.matches("done, and verified").count(), 2, "{}", applied.out);
        assert!(applied.out.contains("done; there is no check of it"), "{}", applied.out);
        let called = changes(desk);
        let hostile = if program.0 == "sh" {
            "<it's $(touch canary) \"; touch canary #>"
        } else {
            r#"'Name': 'it\'s $(touch canary) "; touch canary #'"#
        };
        assert!(called.iter().any(|call| call.contains(hostile)), "{called:?}");
        assert!(!desk.join("canary").exists());

        // Again: what is so is left alone, and what has no check is done again.
        let again = run(&["--apply"]);
        assert_eq!((again.code, again.out.matches("already so, left alone").count()), (0, 2), "{}", again.out);
        assert_eq!(changes(desk).len(), 1);
        assert_eq!(run(&["--verify", "2", "3"]).code, 0);

        let undone = run(&["--undo", "2", "3"]);
        assert_eq!(undone.code, 0, "{}", undone.out);
        let called = changes(desk);
        assert!(called.len() == 2 && called[0].contains("vol-2") && called[1].contains("vol-1"), "{called:?}");
        let verified = run(&["--verify"]);
        assert_eq!((verified.code, verified.out.matches("STILL TO BE DONE").count()), (1, 2), "{}", verified.out);
        let first = run(&["--undo", "1"]);
        assert!(first.code == 1 && first.out.contains("NO WAY BACK"), "{}", first.out);

        // What somebody else did is not undone, unless that is asked for.
        assert_eq!(run(&["--apply"]).code, 0);
        std::fs::remove_file(desk.join(format!("{}.done", program.2))).unwrap();
        changes(desk);
        let left = run(&["--undo", "2"]);
        assert!(left.code == 1 && left.out.contains("this plan did NOT DO it"), "{}", left.out);
        assert_eq!(changes(desk).len(), 0);
        assert_eq!((run(&["--undo", "2", "--even-so"]).code, changes(desk).len()), (0, 1));

        // Slips change nothing.
        for args in [&["--aply"][..], &["--apply", "9"], &["--undo"]] {
            let slip = run(args);
            assert_eq!((slip.code, changes(desk).len()), (2, 0), "{args:?} {}", slip.out);
        }
        let other = execute(desk, program, &["--apply"], "444455556666");
        assert_eq!((other.code, changes(desk).len()), (3, 0), "{}", other.out);
        assert!(other.out.contains("waits: the credentials are of 444455556666"), "{}", other.out);
    }
}

#[test]
fn a_step_that_does_not_work_is_told() {
    for program in PROGRAMS.into_iter().filter(|program| has(program.1)) {
        let desk = desk(json!([volume("vol-1", "a")]));
        let desk = desk.path();
        // It does something else than what the check asks about.
        let policy = VOLUME.replace("aws ec2 encrypt", "aws ec2 tag").replace(".encrypt(", ".tag(");
        std::fs::write(desk.join("pack/volume-plain.rhai"), policy).unwrap();
        scan(desk);
        assert_eq!(plan(desk, &["--format", program.0, "--output", program.2]).code, 0);
        let ran = execute(desk, program, &["--apply", "--keep-going"], "111122223333");
        assert!(ran.code == 1 && ran.out.contains("STILL THERE"), "{}", ran.out);
    }
}

#[test]
fn nothing_is_left_out_of_a_plan_silently() {
    let desk = desk(json!([volume("vol-1", "a"), volume("vol-2", "b\nc"), volume("vol-3", "d")]));
    let desk = desk.path();
    let waivers =
        "waivers:\n- policy: volume-plain\n  resources: [vol-3]\n  owner: a\n  reason: b\n  expires: 2999-01-01\n";
    std::fs::write(desk.join("waivers.yaml"), waivers).unwrap();
    let nobody = json!({ "Addresses": [{ "AllocationId": "eipalloc-1", "PublicIp": "198.51.100.7" }] });
    std::fs::create_dir_all(desk.join("in/ec2/describe-addresses")).unwrap();
    std::fs::write(desk.join("in/ec2/describe-addresses/a.json"), nobody.to_string()).unwrap();
    let args =
        ["scan", "in", "--pack", "pack", "--waivers", "waivers.yaml", "--format", "ndjson", "-o", "findings.json"];
    let scanned = lawbook(desk, &args);
    assert_eq!(scanned.code, 1, "{}", scanned.err);

    let read = plan(desk, &[]);
    assert_eq!(read.code, 0, "{}", read.err);
    assert_eq!(read.err, "plan: 3 changes on 3 resources, 1 by hand\nplan: 1 findings are waived\n");
    for told in
        ["- 1 are waived", "No `cli`: <code>&#96;name&#96; holds control characters", "by hand", "Undo, AWS CLI"]
    {
        assert!(read.out.contains(told), "{told}: {}", read.out);
    }
    let told: Value = serde_json::from_str(&plan(desk, &["--format", "json"]).out).unwrap();
    let schema: Value = serde_json::from_str(include_str!("../../schemas/plan.schema.json")).unwrap();
    let mistakes: Vec<String> =
        jsonschema::validator_for(&schema).unwrap().iter_errors(&told).map(|error| error.to_string()).collect();
    assert_eq!(mistakes, [""; 0]);
    let kinds: Vec<&str> =
        told["steps"].as_array().unwrap().iter().map(|step| step["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["by_hand", "change", "change", "change"], "{told:#}");
    assert_eq!((&told["touches"], &told["left"]), (&json!(3), &json!({ "are waived": 1 })));
    // For a shell one has no commands and one has nobody's account.
    let shell = plan(desk, &["--format", "sh"]).out;
    assert_eq!(shell.matches("\nby_hand ").count(), 2, "{shell}");
    assert!(shell.contains("`name` holds control characters") && shell.contains("nobody knows whose it is"), "{shell}");
    assert!(shell.contains("'2. It'\\''s done.'"), "{shell}");

    let chosen = plan(desk, &["--only", "vpc-plain"]);
    assert!(chosen.err.contains("plan: 3 findings are of policies that were not chosen"), "{}", chosen.err);
    let severe = plan(desk, &["--at-least", "high"]);
    assert!(
        severe.err.contains("less severe than asked for") && severe.err.contains("2 changes on 2"),
        "{}",
        severe.err
    );
    let elsewhere = plan(desk, &["--region", "eu-west-1"]);
    assert!(
        elsewhere.err.contains("plan: 0 changes") && elsewhere.err.contains("of other regions"),
        "{}",
        elsewhere.err
    );
}

#[test]
fn a_plan_that_cannot_be_trusted_is_none() {
    let desk = desk(json!([volume("vol-1", "a")]));
    let desk = desk.path();
    scan(desk);
    let refused = |more: &[&str], told: &str| {
        let made = plan(desk, more);
        assert!(made.code == 2 && made.out.is_empty() && made.err.contains(told), "{more:?}: {}", made.err);
    };
    refused(&["--limit", "1"], "would change 2 resources, more than --limit 1");
    refused(&["--fingerprint", &"0".repeat(32)], "is no finding of these reports");
    refused(&["--output", "findings.json"], "is read by this command");
    let without = lawbook(desk, &["remediate", "findings.json"]);
    assert!(without.code == 2 && without.err.contains("`mine/volume-plain` and 1 more"), "{}", without.err);
    let args = ["scan", "in", "--pack", "pack", "--format", "json", "--output", "findings.json", "--redact"];
    assert_eq!(lawbook(desk, &args).code, 1);
    refused(&[], "is redacted");
    for (text, told) in [("{}", "is no report"), ("", "it has no summary"), ("{\"type\":\"fault\"}\n", "was cut off")] {
        std::fs::write(desk.join("findings.json"), text).unwrap();
        refused(&[], told);
    }
    std::fs::remove_file(desk.join("findings.json")).unwrap();
    refused(&[], "cannot be read");

    // Commands are the policy's, whatever a report says they are.
    scan(desk);
    let report = std::fs::read_to_string(desk.join("findings.json")).unwrap();
    let mut report: Value = serde_json::from_str(&report).unwrap();
    for finding in report["findings"].as_array_mut().unwrap() {
        finding["remediation"]["cli"] = "touch canary".into();
        finding["title"] = "x\n touch canary; `touch canary` $(touch canary)".into();
    }
    std::fs::write(desk.join("findings.json"), report.to_string()).unwrap();
    if has("bash") {
        assert_eq!(plan(desk, &["--format", "sh", "--output", "plan.sh"]).code, 0);
        assert!(!std::fs::read_to_string(desk.join("plan.sh")).unwrap().contains("\n touch canary"));
        assert_eq!(execute(desk, PROGRAMS[0], &["--apply"], "111122223333").code, 0);
        assert!(!desk.join("canary").exists());
    }
}

#[test]
fn a_plan_does_not_run_where_its_checks_are_switched_off() {
    if !has("python3") {
        return;
    }
    let desk = desk(json!([volume("vol-1", "a")]));
    let desk = desk.path();
    scan(desk);
    plan(desk, &["--format", "python", "--output", "plan.py"]);
    for mode in ["--apply", "--verify", "--undo"] {
        let mut command = Command::new("python3");
        command.args(["-O", "plan.py", mode, "1"]).env("PYTHONPATH", desk.join("py")).env("DESK", desk);
        let told = ran(command.env("ACCOUNT", "111122223333"), desk);
        assert!(told.code == 2 && told.err.contains("PYTHONOPTIMIZE"), "{mode}: {}{}", told.out, told.err);
    }
    assert_eq!(changes(desk).len(), 0);
}

/// What a change costs is read to its end in the plan that people review.
#[test]
fn the_impact_is_told_whole() {
    let desk = desk(json!([volume("vol-1", &"long ".repeat(200))]));
    let desk = desk.path();
    std::fs::write(
        desk.join("pack/volume-plain.rhai"),
        VOLUME.replace("impact: ", &format!("impact: {} THE END. ", "It costs. ".repeat(60))),
    )
    .unwrap();
    scan(desk);
    let told = plan(desk, &[]);
    assert!(told.out.contains("THE END"), "{}", told.out);
}
