//! Warnings as people and pipelines meet them: exit codes, formats, comments that allow, changes that are made.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Runs the binary in a folder: exit code, standard output, standard error.
fn lawbook(folder: &Path, args: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_lawbook")).args(args).current_dir(folder).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

const HEAD: &str = "//! ---\n//! lawbook: 1\n//! title: Key pair made\n//! severity: low\n//! judges: cloudtrail\n//! when: { eventSource: ec2.amazonaws.com, eventName: CreateKeyPair }\n//! references: [\"https://docs.aws.amazon.com/\"]\n//! ---\n//! ## What it finds\n//! x\n//! ## Why it matters\n//! x\n//! ## False positives\n//! x\n//! ## Respond\n//! x\n\n";

/// A desk with the policy `key-pair-made` in `pack/`, its cases, and a log without events of it.
fn desk(script: &str) -> tempfile::TempDir {
    let desk = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(desk.path().join(name), text).unwrap();
    std::fs::create_dir(desk.path().join("pack")).unwrap();
    write("pack/key-pair-made.rhai", &format!("{HEAD}{script}"));
    write("pack/key-pair-made.cases.yaml", "cases: []\n");
    write(
        "log.json",
        r#"{"eventVersion":"1.10","eventID":"1","eventTime":"2024-05-14T12:00:00Z","eventSource":"iam.amazonaws.com","eventName":"A"}"#,
    );
    desk
}

fn text(desk: &tempfile::TempDir) -> String {
    std::fs::read_to_string(desk.path().join("pack/key-pair-made.rhai")).unwrap()
}

const WARNS: &str = "fn matches(event) { event.userIdentity.userName == \"é\" && succeeded(event) }\n";

#[test]
fn warnings_are_told_and_stop_nothing_unless_strict() {
    let desk = desk(WARNS);
    let check = |args: &[&str]| lawbook(desk.path(), &[&["check", "pack"], args].concat());
    let (code, out, err) = check(&[]);
    assert_eq!((code, out.as_str()), (0, "1 policy loads.\n"));
    insta::assert_snapshot!(err, @r#"
    warning[user-name]: `userName` is there for IAM users alone: not for sessions of roles, the root user and AWS services
      --> pack/key-pair-made.rhai:18:40
       |
    18 | fn matches(event) { event.userIdentity.userName == "é" && succeeded(event) }
       |                                        ^^^^^^^^
       |
       = help: `actor(event).name`, or ask for the type before

    1 warning
    "#);
    assert_eq!(check(&["--strict"]).0, 2);

    let scan = |args: &[&str]| lawbook(desk.path(), &[&["scan", "log.json", "--pack", "pack"], args].concat());
    let (code, _, err) = scan(&[]);
    assert_eq!((code, err.as_str()), (0, "policies: 1 warning (try: `lawbook check` with their files)\n"));
    let (code, out, err) = scan(&["--strict"]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.starts_with("warning[user-name]") && err.ends_with("1 warning\n"), "{err}");

    // Those of the embedded pack are nobody's who scans.
    assert_eq!(
        lawbook(desk.path(), &["scan", "log.json", "--strict"]),
        (0, lawbook(desk.path(), &["scan", "log.json"]).1, String::new())
    );
    assert_eq!(lawbook(desk.path(), &["check", "--strict"]).0, 0);
}

#[test]
fn a_comment_with_a_reason_silences_a_warning() {
    let allowed = |comment: &str| {
        let desk = desk(&WARNS.replace("fn ", &format!("{comment}\nfn ")));
        lawbook(desk.path(), &["check", "pack", "--strict"])
    };
    assert_eq!(
        allowed("// lawbook: allow(user-name) users alone may do this"),
        (0, "1 policy loads.\n".to_owned(), String::new())
    );
    for (comment, says) in [
        ("// lawbook: allow(user-name)", "allowed without a reason"),
        ("// lawbook: allow(user-nam) users alone", "did you mean `user-name`?"),
        ("// lawbook: allow(bare-path) users alone", "is an error, which cannot be allowed"),
        ("// lawbook: allow(outcome, user-name) users alone", "allows `outcome`, which nobody says here"),
        ("/// lawbook: permit(user-name) users alone", "`permit` is nothing that a comment can say"),
    ] {
        let (code, _, err) = allowed(comment);
        assert!(code == 2 && err.contains(says), "{comment}: {err}");
    }
}

#[test]
fn diagnostics_are_written_for_programs() {
    let desk = desk("fn matches(event) { succeded(event) && event.userIdentity.userName == \"é, 100%\" }\n");
    let check = |format: &str| {
        let (code, out, err) = lawbook(desk.path(), &["check", "pack", "--format", format]);
        assert_eq!((code, err.as_str()), (2, ""), "{format}");
        out
    };
    insta::assert_snapshot!(check("github"), @r"
    ::error file=pack/key-pair-made.rhai,line=18,endLine=18,col=21,endColumn=29,title=lawbook%3A unknown-function::no function `succeded`%0Adid you mean `succeeded`?
    ::warning file=pack/key-pair-made.rhai,line=18,endLine=18,col=59,endColumn=67,title=lawbook%3A user-name::`userName` is there for IAM users alone: not for sessions of roles, the root user and AWS services%0A`actor(event).name`, or ask for the type before
    ");

    let json: Value = serde_json::from_str(&check("json")).unwrap();
    assert_eq!((&json["errors"], &json["warnings"]), (&1.into(), &1.into()));
    let of = |code: &str| {
        json["diagnostics"].as_array().unwrap().iter().find(|diagnostic| diagnostic["code"] == code).unwrap().clone()
    };
    let unknown = of("unknown-function");
    assert_eq!(
        unknown["span"],
        serde_json::json!({"start": unknown["span"]["start"], "end": unknown["span"]["end"], "line": 18, "column": 21, "end_line": 18, "end_column": 29})
    );
    assert_eq!((&unknown["fix"]["replacement"], &unknown["level"]), (&"succeeded".into(), &"error".into()));
    assert_eq!(of("user-name")["category"], "security");

    let sarif: Value = serde_json::from_str(&check("sarif")).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    let run = &sarif["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), 2);
    for result in results {
        let rule = &rules[usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()];
        assert_eq!(rule["id"], result["ruleId"]);
        assert!(rule["shortDescription"]["text"].is_string() && result["message"]["text"].is_string());
        let physical = &result["locations"][0]["physicalLocation"];
        assert_eq!(physical["artifactLocation"]["uri"], "pack/key-pair-made.rhai");
        assert!(physical["region"]["startLine"].as_u64() >= Some(1) && physical["region"]["endColumn"].is_u64());
    }
    let fix = results.iter().find_map(|result| result.get("fixes")).unwrap();
    assert_eq!(fix[0]["artifactChanges"][0]["replacements"][0]["insertedContent"]["text"], "succeeded");
}

#[test]
fn a_code_is_explained_and_a_wrong_one_meant() {
    let here = tempfile::tempdir().unwrap();
    let (code, out, _) = lawbook(here.path(), &["explain", "outcome"]);
    assert!(code == 0 && out.starts_with("## outcome\n\n*security, warning*\n") && out.contains("**Avoid**"), "{out}");
    let (code, out, err) = lawbook(here.path(), &["explain", "outcom"]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert_eq!(err, "error: no diagnostic `outcom` (try: did you mean `outcome`? `lawbook explain` lists all)\n");
}

#[test]
fn what_is_sure_is_fixed_once_and_for_all() {
    let broken = "// lawbook: allow(outcome) nobody has said `succeeded` yet\nfn matches(event) {\n    succeded(event) && params.limt == 1 && evnt.readOnly == false && lookup(\"ec2/volume\", \"VolumeId\", event.eventID) != ()\n}\n\nfn title(event) { \"Made\" } // lawbook: allow(user-name) none is read\n";
    let desk = desk(broken);
    let file = desk.path().join("pack/key-pair-made.rhai");
    let header = text(&desk).replace(
        "//! references",
        "//! uses: [ec2/volumes]\n//! params: { limit: { type: int, default: 1, doc: D } }\n//! references",
    );
    std::fs::write(&file, &header).unwrap();

    let (_, diff, _) = lawbook(desk.path(), &["check", "pack", "--fix", "--dry-run"]);
    assert_eq!(text(&desk), header, "a dry run writes nothing");
    let shown: Vec<&str> = diff.lines().map(str::trim_end).collect();
    insta::assert_snapshot!(shown.join("\n"), @r#"
    --- pack/key-pair-made.rhai
    +++ pack/key-pair-made.rhai
    @@ -17,9 +17,8 @@
     //! ## Respond
     //! x

    -// lawbook: allow(outcome) nobody has said `succeeded` yet
     fn matches(event) {
    -    succeded(event) && params.limt == 1 && evnt.readOnly == false && lookup("ec2/volume", "VolumeId", event.eventID) != ()
    +    succeeded(event) && params.limit == 1 && event.readOnly == false && lookup("ec2/volumes", "VolumeId", event.eventID) != ()
     }

    -fn title(event) { "Made" } // lawbook: allow(user-name) none is read
    +fn title(event) { "Made" }
    "#);

    let (code, out, err) = lawbook(desk.path(), &["check", "pack", "--fix"]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert_eq!(out, "fixed pack/key-pair-made.rhai: 6 changes\n1 policy loads.\n");
    let fixed = text(&desk);
    assert!(
        diff.lines()
            .filter(|line| line.starts_with('+') && !line.starts_with("+++"))
            .all(|line| fixed.contains(&line[1..]))
    );
    assert_eq!(lawbook(desk.path(), &["check", "pack", "--fix"]), (0, "1 policy loads.\n".to_owned(), String::new()));
    assert_eq!(text(&desk), fixed);
    assert_eq!(std::fs::read_dir(desk.path().join("pack")).unwrap().count(), 2, "nothing is left beside it");
}

#[test]
fn a_source_that_is_missing_is_added_where_there_is_but_one() {
    for (when, fixed) in [
        (
            "//! when: { eventName: StopLogging }\n",
            "//! when: { eventSource: cloudtrail.amazonaws.com, eventName: StopLogging }\n",
        ),
        (
            "//! when:\n//!   eventName: [StopLogging, DeleteTrail]\n",
            "//! when:\n//!   eventSource: cloudtrail.amazonaws.com\n//!   eventName: [StopLogging, DeleteTrail]\n",
        ),
        // Two services have it, and none has both.
        ("//! when: { eventName: CreateUser }\n", "//! when: { eventName: CreateUser }\n"),
        (
            "//! when: { eventName: [StopLogging, RunInstances] }\n",
            "//! when: { eventName: [StopLogging, RunInstances] }\n",
        ),
    ] {
        let desk = desk("fn matches(event) { succeeded(event) }\n");
        let usual = "//! when: { eventSource: ec2.amazonaws.com, eventName: CreateKeyPair }\n";
        std::fs::write(desk.path().join("pack/key-pair-made.rhai"), text(&desk).replace(usual, when)).unwrap();
        let (code, ..) = lawbook(desk.path(), &["check", "pack", "--fix"]);
        assert_eq!(code, 0);
        assert!(text(&desk).contains(fixed), "{}", text(&desk));
    }
}

#[test]
fn what_aws_adds_can_be_told() {
    let desk =
        desk("fn matches(event) { succeeded(event) && event.newField == 1 && event.requestParameters.newPart == 1 }\n");
    let (code, _, err) = lawbook(desk.path(), &["check", "pack"]);
    assert!(code == 2 && err.contains("error[unknown-field]: there is no field `newField`"), "{err}");
    let shapes = desk.path().join("aws");
    std::fs::create_dir(&shapes).unwrap();
    let told = "record: { newField: int }\nsources: { ec2.amazonaws.com: { events: { CreateKeyPair: { request: { newPart: int } } } } }\n";
    std::fs::write(shapes.join("new.yaml"), told).unwrap();
    let (code, out, err) = lawbook(desk.path(), &["check", "pack", "--strict", "--shapes", "aws"]);
    assert_eq!((code, out.as_str(), err.as_str()), (0, "1 policy loads.\n", ""));
    std::fs::write(shapes.join("new.yaml"), "records: {}\n").unwrap();
    let (code, _, err) = lawbook(desk.path(), &["check", "pack", "--shapes", "aws"]);
    assert!(code == 2 && err.contains("new.yaml"), "{err}");
}

#[test]
fn what_is_not_sure_is_left_alone() {
    // `ends_wth` can only be `ends_with`; `sum` may be several, and the embedded pack is nobody's file.
    for script in [
        "fn matches(event) { succeeded(event) && nothing_like_it(event) }\n",
        "fn matches(event) { succeeded(event) && one(event) == 1 }\nfn ona(e) { 1 }\nfn onb(e) { ona(e) + onb(e) }\n",
    ] {
        let desk = desk(script);
        let before = text(&desk);
        let (code, out, _) = lawbook(desk.path(), &["check", "pack", "--fix"]);
        assert_eq!((code, out.as_str()), (2, ""), "{script}");
        assert_eq!(text(&desk), before);
    }
    let (code, _, err) = lawbook(Path::new("."), &["check", "--fix"]);
    assert!(code == 2 && err.contains("the embedded pack cannot be changed"), "{err}");
}
