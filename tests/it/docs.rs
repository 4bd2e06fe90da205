//! The documents under `docs/` say what the product does.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn document(name: &str) -> String {
    std::fs::read_to_string(Path::new(ROOT).join("docs").join(name)).unwrap()
}

/// Runs the binary in a folder: exit code, standard output, standard error.
fn lawbook(folder: &Path, args: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_lawbook")).args(args).current_dir(folder).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

/// The texts of a document's blocks in a language.
fn blocks(markdown: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    markdown.split(&fence).skip(1).map(|rest| rest.split("\n```").next().unwrap().to_owned() + "\n").collect()
}

#[test]
fn the_reference_of_the_language_is_what_the_binary_prints() {
    let (code, printed, _) = lawbook(Path::new(ROOT), &["docs"]);
    assert_eq!(code, 0);
    assert!(
        document("policy-language.md") == printed,
        "docs/policy-language.md is stale (try: `cargo run -- docs > docs/policy-language.md`)"
    );
}

#[test]
fn the_example_policy_loads_and_fires() {
    let document = document("policies.md");
    let example = blocks(&document, "rhai").into_iter().find(|block| block.starts_with("//! ---")).unwrap();
    let desk = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(desk.path().join(name), text).unwrap();
    write("snapshot-shared.rhai", &example);
    write(
        "snapshot-shared.cases.yaml",
        "cases: [{ name: n, record: { eventVersion: \"1.08\", eventID: x, eventSource: ec2.amazonaws.com, eventName: A }, expect: fires }]\n",
    );
    assert_eq!(
        lawbook(desk.path(), &["check", "snapshot-shared.rhai"]),
        (0, "1 policy loads.\n".to_owned(), String::new())
    );
    let record = |to: &str| {
        format!(
            r#"{{"eventVersion":"1.10","eventID":"e1","eventTime":"2024-05-14T12:00:00Z","eventSource":"ec2.amazonaws.com",
            "eventName":"ModifySnapshotAttribute","awsRegion":"us-east-1","recipientAccountId":"111122223333",
            "userIdentity":{{"type":"IAMUser","userName":"alice","accountId":"111122223333"}},
            "requestParameters":{{"snapshotId":"snap-0a1b2c3d4e5f60718","createVolumePermission":{{"add":{{"items":[{to}]}}}}}}}}"#
        )
    };
    let scan = |to: &str, more: &[&str]| {
        write("log.json", &record(to));
        let args = ["scan", "log.json", "--policy", "snapshot-shared.rhai", "--format", "json"];
        let (code, out, err) = lawbook(desk.path(), &[&args[..], more].concat());
        let report: Value = serde_json::from_str(&out).unwrap();
        assert_eq!(report["summary"]["faults"], 0, "{err}");
        (code, report["findings"][0].clone())
    };
    let (code, finding) = scan(r#"{"userId":"444455556666"}"#, &[]);
    assert_eq!((code, &finding["severity"]), (1, &Value::from("medium")));
    assert_eq!(finding["title"], "EBS snapshot snap-0a1b2c3d4e5f60718 shared with 444455556666 by alice");
    assert!(finding["remediation"]["cli"].as_str().unwrap().ends_with("--user-ids 444455556666"), "{finding}");
    let (code, finding) = scan(r#"{"group":"all"}"#, &[]);
    assert_eq!((code, &finding["severity"]), (1, &Value::from("critical")));
    assert_eq!(finding["remediation"]["left_out"][0]["form"], "cli", "{finding}");
    let trusted = ["--param", "snapshot-shared.trusted_accounts=[444455556666]"];
    assert_eq!(scan(r#"{"userId":"444455556666"}"#, &trusted).0, 0);
}

#[test]
fn every_key_of_front_matter_is_documented() {
    let schema = schema("policy.schema.json");
    let document = document("policies.md");
    let section = &document[document.find("## Front matter").unwrap()..document.find("## Functions").unwrap()];
    for key in schema["properties"].as_object().unwrap().keys() {
        assert!(section.contains(&format!("| `{key}` |")), "docs/policies.md lacks `{key}`");
    }
}

fn schema(name: &str) -> Value {
    let path = Path::new(ROOT).join("schemas").join(name);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The names of all properties anywhere in a schema.
fn properties(schema: &Value, into: &mut BTreeSet<String>) {
    match schema {
        Value::Object(members) => {
            if let Some(properties) = members.get("properties").and_then(Value::as_object) {
                into.extend(properties.keys().cloned());
            }
            members.values().for_each(|value| properties(value, into));
        }
        Value::Array(items) => items.iter().for_each(|value| properties(value, into)),
        _ => {}
    }
}

#[test]
fn every_member_of_a_report_is_documented() {
    let document = document("reports.md");
    let mut members = BTreeSet::new();
    properties(&schema("report.schema.json"), &mut members);
    assert!(members.len() > 30, "{members:?}");
    for member in members {
        assert!(document.contains(&format!("`{member}`")), "docs/reports.md lacks `{member}`");
    }
}

#[test]
fn the_example_report_is_what_the_binary_prints() {
    let document = document("reports.md");
    let line = document.lines().find(|line| line.starts_with("`lawbook scan examples/sample")).unwrap();
    let args: Vec<&str> = line.trim_matches(['`', ':']).split(' ').skip(1).collect();
    let (_, printed, _) = lawbook(Path::new(ROOT), &args);
    assert_eq!(blocks(&document, "text")[0], printed, "docs/reports.md is stale: write there what is printed now");
}

#[test]
fn the_example_manifest_is_one() {
    let desk = tempfile::tempdir().unwrap();
    let manifest = blocks(&document("inventory.md"), "json").remove(0);
    for (name, text) in [
        ("inventory.json", manifest.as_str()),
        ("status.json", r#"{ "IsLogging": true }"#),
        ("snapshots.json", r#"{ "Snapshots": [] }"#),
        (
            "log.ndjson",
            r#"{"eventVersion":"1.10","eventTime":"2024-05-14T12:00:00Z","eventSource":"a","eventName":"b","awsRegion":"us-east-1","recipientAccountId":"111122223333"}"#,
        ),
    ] {
        std::fs::write(desk.path().join(name), text).unwrap();
    }
    let (code, out, err) = lawbook(
        desk.path(),
        &[
            "try",
            r#"["ec2/snapshots", "ec2/flow-logs", "ec2/volumes"].map(|kind| collected(kind))"#,
            "log.ndjson",
            "--inventory",
            ".",
        ],
    );
    // The log lies among the inventory, which is told; nothing else is.
    assert!(err.lines().count() <= 1 && err.contains("log.ndjson"), "{err}");
    assert_eq!((code, out.as_str()), (2, "[true,false,false]\n"));
}

/// The codes that the source gives to diagnostics, with a file that gives it.
fn codes() -> BTreeMap<String, String> {
    let mut codes = BTreeMap::new();
    for entry in walkdir::WalkDir::new(Path::new(ROOT).join("src")) {
        let entry = entry.unwrap();
        if entry.path().extension().is_none_or(|end| end != "rs") {
            continue;
        }
        let text = std::fs::read_to_string(entry.path()).unwrap();
        for call in ["Diagnostic::error(", ".say("] {
            for rest in text.split(call).skip(1) {
                // Those whose code is a variable pass on what others gave.
                let Some(code) = rest.trim_start().strip_prefix('"').and_then(|rest| rest.split('"').next()) else {
                    continue;
                };
                codes.insert(code.to_owned(), entry.path().display().to_string());
            }
        }
    }
    assert!(codes.len() > 15, "{codes:?}");
    codes
}

#[test]
fn the_definitions_for_editors_are_what_the_binary_prints_and_are_of_every_function() {
    let (code, printed, _) = lawbook(Path::new(ROOT), &["docs", "--definitions"]);
    let kept = std::fs::read_to_string(Path::new(ROOT).join("schemas/lawbook.d.rhai")).unwrap();
    assert_eq!(code, 0);
    assert!(kept == printed, "stale (try: `cargo run -- docs --definitions > schemas/lawbook.d.rhai`)");
    let named = |text: &str, start: &str| -> BTreeSet<String> {
        let lines = text.lines().filter_map(|line| line.strip_prefix(start));
        lines.map(|line| line.split('(').next().unwrap().to_owned()).collect()
    };
    let reference = document("policy-language.md");
    let wanted: BTreeSet<String> = named(&reference, "### `").union(&named(&reference, "fn ")).cloned().collect();
    assert!(wanted.len() > 40 && wanted == named(&printed, "fn "), "{wanted:?}");
}

#[test]
fn the_definitions_for_editors_have_every_field_of_an_event_and_of_kinds_that_are_asked_for() {
    let kept = std::fs::read_to_string(Path::new(ROOT).join("schemas/lawbook.d.rhai")).unwrap();
    let (_, record) = kept.split_once("\ntype Event = #{\n").unwrap();
    let shapes = lawbook::schema::Shapes::embedded();
    let lacks = |text: &str, place: &lawbook::schema::Place<'_>, indent: &str| -> Vec<String> {
        let has = |name: &str| text.lines().any(|line| line.starts_with(&format!("{indent}{name}: ")));
        place.names().into_iter().filter(|name| !has(name)).collect()
    };
    let event = shapes.record(&[]);
    assert!(event.names().len() > 30 && lacks(record, &event, "    ").is_empty());
    let lawbook::schema::Step::Known(identity) = event.field("userIdentity") else { panic!("no `userIdentity`") };
    assert!(identity.names().len() > 10 && lacks(record, &identity, "        ").is_empty());
    assert!(record.contains("    userAgent: string,\n") && record.contains("        /// `AWSAccount`, `AWSService`"));

    let args = ["docs", "--definitions", "--kind", "ec2/volumes", "--kind", "iam/users"];
    let (code, printed, _) = lawbook(Path::new(ROOT), &args);
    let more = printed.strip_prefix(&kept).unwrap();
    assert!(code == 0 && more.contains("type Ec2Volumes = #{") && more.contains("type IamUsers = #{"), "{more}");
    assert!(lacks(more, &shapes.resource("ec2/volumes").unwrap(), "    ").is_empty());
    // Braces and brackets are closed, whatever the kind.
    for kind in lawbook::schema::kinds() {
        let text = shapes.resource_definition(kind).unwrap();
        let count = |letter: char| {
            text.lines()
                .filter(|line| !line.trim().starts_with("///"))
                .flat_map(str::chars)
                .filter(|found| *found == letter)
                .count()
        };
        assert!(count('{') == count('}') && count('[') == count(']') && text.ends_with(";\n"), "{text}");
    }
    let (code, _, err) = lawbook(Path::new(ROOT), &["docs", "--definitions", "--kind", "ec2/volume"]);
    assert_eq!((code, err.as_str()), (2, "error: ec2/volume: is no inventory kind (try: `ec2/volumes`)\n"));
}

#[test]
fn every_member_of_diagnostics_is_documented() {
    let (page, mut members) = (document("editors.md"), BTreeSet::new());
    properties(&schema("diagnostics.schema.json"), &mut members);
    assert!(members.len() > 15, "{members:?}");
    for member in members {
        assert!(page.contains(&format!("`{member}`")), "docs/editors.md lacks `{member}`");
    }
}

#[test]
fn the_page_on_editors_names_every_schema_that_people_write_by() {
    let page = document("editors.md");
    for name in ["cases", "config", "policy", "inventory-manifest"] {
        assert!(page.contains(&format!("(../schemas/{name}.schema.json)")), "{name}");
    }
    for block in blocks(&page, "json") {
        serde_json::from_str::<Value>(&block).unwrap();
    }
}

#[test]
fn every_diagnostic_has_a_page_and_every_page_a_diagnostic() {
    let (code, printed, _) = lawbook(Path::new(ROOT), &["docs", "--diagnostics"]);
    assert_eq!(code, 0);
    assert!(
        document("diagnostics.md") == printed,
        "docs/diagnostics.md is stale (try: `cargo run -- docs --diagnostics > docs/diagnostics.md`)"
    );
    let headings: Vec<&str> = printed.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    assert!(headings.is_sorted() && headings.len() > 40, "{headings:?}");
    for (code, file) in codes() {
        assert!(headings.contains(&code.as_str()), "`{code}`, which {file} gives, has no page");
    }
    let (_, listed, _) = lawbook(Path::new(ROOT), &["explain"]);
    for heading in headings {
        let (code, page, _) = lawbook(Path::new(ROOT), &["explain", heading]);
        assert!(code == 0 && printed.contains(&page), "{heading}");
        assert!(listed.contains(&format!("  {heading} ")), "{heading}");
    }
}

#[test]
fn the_limits_are_those_of_the_sandbox() {
    let limits = lawbook::script::Limits::default();
    let document = document("policies.md");
    assert_eq!(
        (
            limits.operations,
            limits.time.as_secs(),
            limits.text,
            limits.list,
            limits.map,
            limits.calls,
            limits.depth,
            limits.source
        ),
        (1_000_000, 5, 1 << 20, 10_000, 10_000, 16, 256, 256 << 10),
        "docs/policies.md has other limits"
    );
    assert!(document.contains("| operations | 1,000,000;"));
}
