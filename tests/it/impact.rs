//! What a change of policies does to findings: `lawbook test --impact`.

use std::process::Command;

use serde_json::{Value, json};

use super::cases::Desk;

const POLICY: &str = r#"//! ---
//! title: Trail stopped
//! severity: high
//! judges: cloudtrail
//! when: { eventSource: cloudtrail.amazonaws.com, eventName: StopLogging }
//! ---
fn matches(event) {
    succeeded(event)
}
fn title(event) { `Trail ${event.requestParameters.name} stopped` }
fn resources(event) { list(event.requestParameters.name) }
"#;

const OTHER: &str = r#"//! ---
//! title: Trail deleted
//! severity: low
//! judges: cloudtrail
//! when: { eventSource: cloudtrail.amazonaws.com, eventName: DeleteTrail }
//! ---
fn matches(event) { succeeded(event) }
"#;

fn event(number: u32, name: &str, trail: &str, code: Option<&str>) -> String {
    let mut event = json!({
        "eventVersion": "1.10",
        "eventID": format!("00000000-0000-4000-8000-{number:012}"),
        "eventTime": format!("2024-05-14T09:00:{number:02}Z"),
        "eventSource": "cloudtrail.amazonaws.com",
        "eventName": name,
        "awsRegion": "us-east-1",
        "recipientAccountId": "111122223333",
        "userIdentity": { "type": "IAMUser", "userName": "alice", "arn": "arn:aws:iam::111122223333:user/alice" },
        "requestParameters": { "name": trail },
    });
    if let Some(code) = code {
        event["errorCode"] = code.into();
    }
    format!("{event}\n")
}

/// A pack, and logs of four calls.
fn desk() -> Desk {
    let desk = Desk::new();
    desk.write("my-pack/trail-stopped.rhai", POLICY);
    let logs = [
        event(1, "StopLogging", "one", None),
        event(2, "StopLogging", "two|<b>@x", None),
        event(3, "StopLogging", "three", Some("AccessDenied")),
        event(4, "DeleteTrail", "four", None),
    ];
    desk.write("logs/trail.ndjson", &logs.concat());
    desk
}

fn edit(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from}");
    text.replace(from, to)
}

fn git(desk: &Desk, args: &[&str]) {
    let named = ["-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"];
    let output = Command::new("git").arg("-C").arg(desk.path("")).args(named).args(args).output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn report(desk: &Desk, against: &str) -> Value {
    report_of(desk, &["my-pack"], against)
}

fn report_of(desk: &Desk, paths: &[&str], against: &str) -> Value {
    let ran = desk.run(&[&["test"], paths, &["--impact", "logs", "--against", against, "--format", "json"]].concat());
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{}", ran.out);
    let report = serde_json::from_str(&ran.out).unwrap();
    let schema: Value = serde_json::from_str(include_str!("../../schemas/impact.schema.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator.iter_errors(&report).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
    report
}

fn kinds(report: &Value) -> Vec<(String, String)> {
    let findings = report["findings"].as_array().unwrap().iter();
    findings.map(|one| (one["kind"].as_str().unwrap().into(), one["title"].as_str().unwrap().into())).collect()
}

#[test]
fn findings_are_added_removed_and_changed_against_a_folder() {
    let desk = desk();
    desk.write("old/trail-stopped.rhai", POLICY);
    desk.write("old/trail-deleted.rhai", OTHER);
    let same = report(&desk, "my-pack");
    assert_eq!((kinds(&same), &same["policies"]), (Vec::new(), &json!([])));
    assert_eq!(same["after"]["findings"], 2);

    // Another title, and refused calls, too; the other policy is gone.
    let changed = edit(POLICY, "succeeded(event)", "event.requestParameters.name != \"one\"");
    desk.write("my-pack/trail-stopped.rhai", &edit(&changed, " stopped`", " was stopped`"));
    let report = report(&desk, "old");
    let expected = [
        ("added", "Trail three was stopped"),
        ("removed", "Trail one stopped"),
        ("removed", "Trail deleted"),
        ("changed", "Trail two|<b>@x was stopped"),
    ];
    assert_eq!(kinds(&report), expected.map(|(kind, title)| (kind.to_owned(), title.to_owned())));
    assert_eq!(report["findings"][3]["was"], json!({ "title": "Trail two|<b>@x stopped" }));
    assert_eq!(report["findings"][3]["is"], json!({ "title": "Trail two|<b>@x was stopped" }));
    assert_eq!(
        report["summary"],
        json!({ "added": 1, "removed": 2, "changed": 1, "exit": { "code": 0, "reasons": [] } })
    );
    assert_eq!(
        report["policies"],
        json!([
            { "pack": "my-pack", "policy": "trail-deleted", "state": "gone", "before": 1, "after": 0, "added": 0, "removed": 1, "changed": 0 },
            { "pack": "my-pack", "policy": "trail-stopped", "state": "edited", "before": 2, "after": 2, "added": 1, "removed": 1, "changed": 1 },
        ])
    );
    assert_eq!((&report["before"]["policies"], &report["after"]["policies"]), (&json!(2), &json!(1)));
}

#[test]
fn findings_are_compared_with_a_revision() {
    let desk = desk();
    desk.write("my-pack/lib/names.rhai", "fn named(event) { event.requestParameters.name }\n");
    git(&desk, &["init", "-q", "-b", "main"]);
    git(&desk, &["add", "-A"]);
    git(&desk, &["commit", "-q", "-m", "one"]);
    // A library alone is edited: the policy's text is the same, and its findings are not.
    desk.write("my-pack/trail-stopped.rhai", &edit(POLICY, "${event.requestParameters.name}", "${named(event)}"));
    git(&desk, &["commit", "-q", "-a", "-m", "two"]);
    desk.write("my-pack/lib/names.rhai", "fn named(event) { `<${event.requestParameters.name}>` }\n");
    let of_library = report(&desk, "main");
    assert_eq!(of_library["policies"][0]["state"], "same");
    assert_eq!(of_library["summary"]["changed"], 2);
    assert_eq!(report(&desk, "HEAD~1")["policies"][0]["state"], "edited");
    // A folder of that name is meant where there is one, and the report says which.
    assert_eq!(of_library["against"], json!({ "kind": "revision", "name": "main" }));
    // What is not committed yet had no policies.
    desk.write("new/trail-deleted.rhai", OTHER);
    let ran = desk.run(&["test", "new", "--impact", "logs", "--against", "main"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(
        ran.out.contains("+ LOW Trail deleted") && ran.out.contains("note: there was no policy at the revision `main`"),
        "{}",
        ran.out
    );
}

#[test]
fn people_and_pull_requests_are_told_alike() {
    let desk = desk();
    desk.write("old/trail-stopped.rhai", &edit(POLICY, "succeeded(event)", "refused(event)"));
    let ran = |format| desk.run(&["test", "my-pack", "--impact", "logs", "--against", "old", "--format", format]).out;
    let text = ran("text").replace(&desk.path("").display().to_string(), "");
    insta::assert_snapshot!(format!("{text}\n----\n{}", ran("markdown")));
}

#[test]
fn what_cannot_be_compared_is_told() {
    let desk = desk();
    let run = |args: &[&str]| desk.run(&[&["test", "my-pack"], args].concat());
    for (args, wanted) in [
        (&["--impact", "logs", "--against", "nosuch"][..], "is no folder, and `my-pack` is in no git repository"),
        (&["--impact", "nosuch", "--against", "my-pack"], "nosuch"),
        (&["--impact", "logs", "--against", "logs"], "--against logs: holds no policy"),
        (&["--impact", "logs", "--against", "my-pack", "--format", "junit"], "`--format markdown`"),
        (&["--format", "markdown"], "`--format github`"),
        (&["--impact", "logs"], "--against"),
        (&["--against", "my-pack"], "--impact"),
    ] {
        let ran = run(args);
        assert!(ran.code == 2 && ran.err.contains(wanted), "{args:?}: {} {}", ran.code, ran.err);
    }
    // A line that cannot be read keeps the comparison from being believed.
    desk.write("logs/more.ndjson", "{\"eventVersion\": \"1.10\", \n");
    let ran = run(&["--impact", "logs", "--against", "my-pack"]);
    assert!(ran.code == 2 && ran.err.contains("Exit 2: before: "), "{} {}", ran.code, ran.err);
    git(&desk, &["init", "-q"]);
    let ran = run(&["--impact", "logs", "--against", "nosuch"]);
    assert!(ran.err.contains("is neither a folder nor a revision of the repository"), "{}", ran.err);
}

/// A repository with two packs in a folder whose name has a space, and the revision `main` of it.
fn repository() -> Desk {
    let desk = desk();
    for (pack, policy, text) in [("a", "trail-stopped", POLICY), ("b", "trail-deleted", OTHER)] {
        desk.write(&format!("sub dir/{pack}/pack.yaml"), &format!("name: {pack}\n"));
        desk.write(&format!("sub dir/{pack}/{policy}.rhai"), text);
    }
    git(&desk, &["init", "-q", "-b", "main"]);
    git(&desk, &["add", "-A"]);
    git(&desk, &["commit", "-q", "-m", "one"]);
    desk
}

fn counts(report: &Value) -> [u64; 3] {
    ["added", "removed", "changed"].map(|kind| report["summary"][kind].as_u64().unwrap())
}

#[test]
fn packs_that_are_removed_emptied_or_alike_are_not_passed_over() {
    let desk = repository();
    assert_eq!(counts(&report_of(&desk, &["sub dir"], "main")), [0, 0, 0]);
    assert_eq!(counts(&report_of(&desk, &["sub dir/a"], "main")), [0, 0, 0]);
    // A policy by its file stands for its pack.
    assert_eq!(report_of(&desk, &["sub dir/a/trail-stopped.rhai"], "main")["before"]["policies"], 1);

    std::fs::remove_file(desk.path("sub dir/b/trail-deleted.rhai")).unwrap();
    let emptied = report_of(&desk, &["sub dir/b"], "main");
    assert_eq!((counts(&emptied), &emptied["policies"][0]["state"]), ([0, 1, 0], &json!("gone")));
    assert_eq!(counts(&report_of(&desk, &["sub dir"], "main")), [0, 1, 0]);
    std::fs::remove_dir_all(desk.path("sub dir/b")).unwrap();
    let removed = report_of(&desk, &["sub dir"], "main");
    assert_eq!((counts(&removed), &removed["policies"][0]["pack"]), ([0, 1, 0], &json!("b")));

    // Two packs with policies that are called alike are told apart; two that are called alike themselves are refused.
    desk.write("sub dir/c/pack.yaml", "name: c\n");
    desk.write("sub dir/c/trail-stopped.rhai", POLICY);
    let alike = report_of(&desk, &["sub dir"], "main");
    let rows: Vec<&str> =
        alike["policies"].as_array().unwrap().iter().map(|row| row["pack"].as_str().unwrap()).collect();
    assert_eq!((counts(&alike), rows), ([2, 1, 0], vec!["b", "c"]));
    desk.write("sub dir/c/pack.yaml", "name: a\n");
    let ran = desk.run(&["test", "sub dir", "--impact", "logs", "--against", "main"]);
    assert!(ran.code == 2 && ran.err.contains("two packs are named `a`"), "{}", ran.err);

    // A sibling that does not load stops the comparison: it is of the whole pack.
    desk.write("sub dir/a/broken.rhai", "//! ---\n");
    let ran = desk.run(&["test", "sub dir/a/trail-stopped.rhai", "--impact", "logs", "--against", "main"]);
    assert!(ran.code == 2 && ran.err.contains("broken.rhai"), "{}", ran.err);
}

#[test]
#[cfg(unix)]
fn links_and_the_environment_of_hooks_lead_nowhere_else() {
    let desk = repository();
    std::os::unix::fs::symlink("../a/trail-stopped.rhai", desk.path("sub dir/b/linked.rhai")).unwrap();
    git(&desk, &["add", "-A"]);
    git(&desk, &["commit", "-q", "-m", "linked"]);
    let ran = desk.run(&["test", "sub dir/b", "--impact", "logs", "--against", "main"]);
    assert!(ran.code == 2 && ran.err.contains("`linked.rhai` is a link to what is not in the folder"), "{}", ran.err);
    // The whole of it has what the link names.
    assert_eq!(counts(&report_of(&desk, &["sub dir"], "main")), [0, 0, 0]);

    std::fs::remove_file(desk.path("sub dir/b/linked.rhai")).unwrap();
    git(&desk, &["commit", "-q", "-a", "-m", "without"]);
    let other = super::cases::Desk::new();
    git(&other, &["init", "-q"]);
    let mut command = Command::new(env!("CARGO_BIN_EXE_lawbook"));
    command.args(["test", "sub dir/a", "--impact", "logs", "--against", "main"]).current_dir(desk.path(""));
    let ran = command.env("GIT_DIR", other.path(".git")).output().unwrap();
    assert!(ran.status.success() && String::from_utf8_lossy(&ran.stdout).contains("No finding of 4 records differs"));
}

#[test]
fn what_is_grouped_otherwise_and_inventory_are_compared_too() {
    let desk = desk();
    desk.write("old/trail-stopped.rhai", POLICY);
    desk.write("my-pack/trail-stopped.rhai", &format!("{POLICY}fn group(event) {{ \"all\" }}\n"));
    let grouped = report(&desk, "old");
    assert_eq!((counts(&grouped), &grouped["findings"][0]["is"]), ([0, 0, 2], &json!({ "group": "all" })));

    let volume = "//! ---\n//! title: Volume not encrypted\n//! severity: low\n//! judges: ec2/volumes\n//! ---\nfn matches(v) { v.Encrypted == false }\n";
    desk.write("my-pack/trail-stopped.rhai", POLICY);
    desk.write("my-pack/volume.rhai", volume);
    desk.write("logs/volumes.json", "{\"Volumes\":[{\"VolumeId\":\"vol-1\",\"Encrypted\":false}]}");
    assert_eq!(counts(&report(&desk, "old")), [1, 0, 0]);
}
