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
    write(
        "pack/key-pair-made.cases.yaml",
        "cases: [{ name: n, record: { eventVersion: \"1.08\", eventID: x, eventSource: ec2.amazonaws.com, eventName: A }, expect: fires }]\n",
    );
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
    let results = sound_sarif(&sarif);
    assert_eq!(results.len(), 2);
    let fix = results.iter().find_map(|result| result.get("fixes")).unwrap();
    assert_eq!(fix[0]["artifactChanges"][0]["replacements"][0]["insertedContent"]["text"], "succeeded");
}

/// Diagnostics of many kinds, in files whose names a URI cannot have as they are.
fn hostile_desk() -> tempfile::TempDir {
    let desk = desk("// lawbook: allow(outcome) nobody said it\nfn matches(event) { succeded(event) }\n");
    let named = "päck #1, 100%/a b:c?";
    std::fs::create_dir_all(desk.path().join(named)).unwrap();
    let write = |name: &str, text: &str| std::fs::write(desk.path().join(named).join(name), text).unwrap();
    write("empty.rhai", "");
    write("no-end.rhai", &format!("{HEAD}fn matches(event) {{ 🦀"));
    write("lines.rhai", &format!("{HEAD}fn matches(event) {{\r\n    let x = \"é\"; event.eventNam == 1\r\n}}"));
    write("head.rhai", "//! ---\n//! titel: 🦀\n//! ---\nfn matches(event) { event.readOnly }\n");
    write("other.cases.yaml", "cases: []\n");
    desk
}

#[test]
fn json_and_sarif_are_sound_whatever_is_said_and_wherever() {
    let desk = hostile_desk();
    let check = |paths: &[&str], format: &str| -> Value {
        let (code, out, err) = lawbook(desk.path(), &[&["check", "--format", format], paths].concat());
        assert_eq!((code, err.as_str()), (2, ""));
        serde_json::from_str(&out).unwrap()
    };
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/diagnostics.schema.json");
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(schema).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let absolute = desk.path().join("pack").display().to_string();
    for paths in [&["."][..], &["./pack"], &[&absolute], &["päck #1, 100%"]] {
        let json = check(paths, "json");
        let errors: Vec<String> =
            validator.iter_errors(&json).map(|error| format!("{error} at {}", error.instance_path())).collect();
        assert!(errors.is_empty(), "{errors:#?}");
        let diagnostics = json["diagnostics"].as_array().unwrap();
        let levels = |level: &str| diagnostics.iter().filter(|one| one["level"] == level).count();
        assert_eq!((&json["errors"], &json["warnings"]), (&levels("error").into(), &levels("warning").into()));
        for diagnostic in diagnostics {
            sound_span(diagnostic, &diagnostic["span"], desk.path());
            diagnostic.get("fix").into_iter().for_each(|fix| sound_span(diagnostic, &fix["span"], desk.path()));
        }

        let sarif = check(paths, "sarif");
        let results = sound_sarif(&sarif);
        let codes = |all: &[Value], key: &str| all.iter().map(|one| one[key].clone()).collect::<Vec<_>>();
        assert_eq!(codes(results, "ruleId"), codes(diagnostics, "code"), "both say the same");
        let fixes = |all: &[Value], key: &str| all.iter().map(|one| one.get(key).is_some()).collect::<Vec<_>>();
        assert_eq!(fixes(results, "fixes"), fixes(diagnostics, "fix"));
    }
    let json = check(&["."], "json");
    let with_fix = json["diagnostics"].as_array().unwrap().iter().filter(|one| one.get("fix").is_some());
    assert!(with_fix.count() >= 2, "a name that was meant, and a comment to take away");
}

/// Bytes are of the file and agree with lines and columns.
fn sound_span(diagnostic: &Value, span: &Value, folder: &Path) {
    let text = std::fs::read_to_string(folder.join(diagnostic["file"].as_str().unwrap())).unwrap();
    let number = |key: &str| usize::try_from(span[key].as_u64().unwrap()).unwrap();
    assert!(number("start") <= number("end"), "{diagnostic}");
    for (at, line, column) in [("start", "line", "column"), ("end", "end_line", "end_column")] {
        let before = text.get(..number(at)).unwrap_or_else(|| panic!("{at} is within a character: {diagnostic}"));
        let last = before.rsplit('\n').next().unwrap();
        let place = (before.matches('\n').count() + 1, last.chars().count() + 1);
        assert_eq!((number(line), number(column)), place, "{diagnostic}");
    }
}

/// Asserts what the specification requires of a log of SARIF 2.1.0, section by section; its results.
fn sound_sarif(log: &Value) -> &[Value] {
    // 3.13: the log; 3.14: the run.
    assert_eq!(members(log), ["$schema", "runs", "version"]);
    assert_eq!(log["version"], "2.1.0");
    assert_eq!(log["$schema"], "https://json.schemastore.org/sarif-2.1.0.json");
    let [run] = log["runs"].as_array().unwrap().as_slice() else { panic!("not one run: {log}") };
    assert_eq!(members(run), ["columnKind", "results", "tool"]);
    assert_eq!(run["columnKind"], "unicodeCodePoints");
    // 3.19: the tool; 3.49: its rules.
    let driver = &run["tool"]["driver"];
    assert_eq!(members(&run["tool"]), ["driver"]);
    assert_eq!(members(driver), ["name", "rules", "semanticVersion"]);
    assert_eq!((&driver["name"], &driver["semanticVersion"]), (&"lawbook".into(), &env!("CARGO_PKG_VERSION").into()));
    let rules = driver["rules"].as_array().unwrap();
    let ids: Vec<&str> = rules.iter().map(|rule| rule["id"].as_str().unwrap()).collect();
    assert!(ids.is_sorted_by(|a, b| a < b), "each once: {ids:?}");
    for rule in rules {
        assert_eq!(members(rule), ["defaultConfiguration", "help", "id", "properties", "shortDescription"]);
        assert!(is_text(&rule["shortDescription"]["text"]) && is_text(&rule["help"]["text"]), "{rule}");
        assert!(is_level(&rule["defaultConfiguration"]["level"]), "{rule}");
    }
    // 3.27: the results.
    let results = run["results"].as_array().unwrap();
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(ids[index], result["ruleId"], "{result}");
        assert!(is_text(&result["message"]["text"]) && is_level(&result["level"]), "{result}");
        let [location] = result["locations"].as_array().unwrap().as_slice() else { panic!("{result}") };
        let physical = &location["physicalLocation"];
        assert_eq!(members(physical), ["artifactLocation", "region"]);
        sound_location(&physical["artifactLocation"]);
        sound_region(&physical["region"]);
        // 3.55: a fix of which every change has a replacement.
        for fix in result.get("fixes").into_iter().flat_map(|fixes| fixes.as_array().unwrap()) {
            let [change] = fix["artifactChanges"].as_array().unwrap().as_slice() else { panic!("{result}") };
            assert_eq!(change["artifactLocation"], physical["artifactLocation"]);
            let [replacement] = change["replacements"].as_array().unwrap().as_slice() else { panic!("{result}") };
            assert_eq!(members(replacement), ["deletedRegion", "insertedContent"]);
            sound_region(&replacement["deletedRegion"]);
            assert!(replacement["insertedContent"]["text"].is_string(), "{result}");
        }
    }
    for id in ids {
        assert!(results.iter().any(|result| result["ruleId"] == id), "`{id}` is a rule of no result");
    }
    results
}

/// The names of an object's members, sorted.
fn members(value: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

fn is_text(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !text.is_empty())
}

fn is_level(value: &Value) -> bool {
    ["error", "warning"].iter().any(|level| value == level)
}

/// 3.4: a relative reference, or the URI of a file, of which every other character is percent-encoded (RFC 3986).
fn sound_location(location: &Value) {
    assert_eq!(members(location), ["uri"]);
    let uri = location["uri"].as_str().unwrap();
    let path = uri.strip_prefix("file://").unwrap_or(uri);
    assert_eq!(path.starts_with('/'), uri.starts_with("file:///"), "{uri}");
    assert!(!path.is_empty() && !path.starts_with("./") && !path.contains("//"), "{uri}");
    let mut rest = path;
    while let Some(letter) = rest.chars().next() {
        let is_plain = letter.is_ascii_alphanumeric() || "/.-_~".contains(letter);
        let is_hex = |hex: &str| hex.bytes().all(|byte| byte.is_ascii_hexdigit());
        let is_encoded = letter == '%' && rest.get(1..3).is_some_and(is_hex);
        assert!(is_plain || is_encoded, "{letter:?} in {uri}");
        rest = &rest[if is_encoded { 3 } else { 1 }..];
    }
}

/// 3.30: lines and columns from 1; the end is not before the start.
fn sound_region(region: &Value) {
    assert_eq!(members(region), ["endColumn", "endLine", "startColumn", "startLine"]);
    let number = |key: &str| region[key].as_u64().filter(|number| *number >= 1).unwrap_or_else(|| panic!("{region}"));
    let (start, end) = ((number("startLine"), number("startColumn")), (number("endLine"), number("endColumn")));
    assert!(start <= end, "{region}");
}

#[test]
fn the_first_policy_is_an_example_of_one_without_warnings() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (code, out, err) = lawbook(root, &["check", "--strict", "examples/first-policy.rhai"]);
    assert_eq!((code, out.as_str(), err.as_str()), (0, "1 policy loads.\n", ""));
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
    let broken = "// lawbook: allow(outcome) nobody has said `succeeded` yet\nfn matches(event) {\n    succeded(event) && params.limt == 1 && evnt.readOnly == false && lookup(\"ec2/volume\", \"VolumeId\", event.requestID) != ()\n}\n\nfn title(event) { \"Made\" } // lawbook: allow(user-name) none is read\n";
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
    -    succeded(event) && params.limt == 1 && evnt.readOnly == false && lookup("ec2/volume", "VolumeId", event.requestID) != ()
    +    succeeded(event) && params.limit == 1 && event.readOnly == false && lookup("ec2/volumes", "VolumeId", event.requestID) != ()
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

/// Among the events of all sources many are alike: one is proposed only where no other can be meant.
#[test]
fn an_event_of_no_source_is_proposed_where_only_one_can_be_meant() {
    let desk = desk("");
    let said = |name: &str| {
        let policy = format!("{HEAD}fn matches(event) {{ succeeded(event) }}\n");
        let policy =
            policy.replace("eventSource: ec2.amazonaws.com, eventName: CreateKeyPair", &format!("eventName: {name}"));
        std::fs::write(desk.path().join("pack/key-pair-made.rhai"), policy).unwrap();
        lawbook(desk.path(), &["check", "pack"]).2
    };
    let told = said("CreateKeyPiar");
    assert!(told.contains("error[unknown-event]") && told.contains("did you mean `CreateKeyPair`?"), "{told}");
    // `GetJob`, `GetLog` and others.
    let told = said("GetJog");
    assert!(told.contains("error[unknown-event]") && !told.contains("did you mean"), "{told}");
}

/// A set is an item of itself, and a key leads through it all the same.
#[test]
fn a_key_leads_through_the_sets_of_own_shapes() {
    let look_up = |key: &str| {
        format!("fn matches(event) {{ succeeded(event) && lookup(\"ec2/volumes\", \"{key}\", event.eventID) != () }}\n")
    };
    let said = |key: &str| {
        let desk = desk(&look_up(key));
        let file = desk.path().join("pack/key-pair-made.rhai");
        let policy = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, policy.replacen("//! when:", "//! uses: [ec2/volumes]\n//! when:", 1)).unwrap();
        std::fs::create_dir(desk.path().join("aws")).unwrap();
        let shapes = "kinds: { ec2/volumes: { parts: { items: [{ PartId: text }] } } }\n";
        std::fs::write(desk.path().join("aws/new.yaml"), shapes).unwrap();
        let (code, _, err) = lawbook(desk.path(), &["check", "pack", "--shapes", "aws"]);
        (code, err)
    };
    assert_eq!(said("parts.items.PartId"), (0, String::new()));
    let (code, told) = said("parts.items.PartIe");
    assert!(code == 2 && told.contains("did you mean `PartId`?"), "{told}");
    let (code, told) = said("parts.items");
    assert!(code == 2 && told.contains("`parts.items` is an object"), "{told}");
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
