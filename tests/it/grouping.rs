//! Findings that are shown together: by what, how many of them, and that nothing else changes.

use std::path::Path;

use serde_json::{Value, json};

use crate::cli::{Desk, event, log, policy};

/// Policies of two severities, about the resources that a record names.
fn desk() -> Desk {
    let desk = Desk::new();
    let script = "fn matches(event) { event.eventName == \"CreateKeyPair\" }\nfn title(event) { `Key ${event.requestParameters.keyName}` }";
    desk.write("key-made.rhai", policy("Key made", script));
    desk.write("key-seen.rhai", policy("Key seen", script).replace("severity: low", "severity: high"));
    let arns = |names: &[&str]| names.iter().map(|name| json!({ "ARN": name })).collect::<Value>();
    let root = json!({ "type": "Root", "accountId": "444455556666" });
    let events = [
        event("1", json!({ "resources": arns(&["key/a"]), "eventTime": "2024-05-14T10:00:00Z" })),
        event("2", json!({ "resources": arns(&["key/a", "key/b"]), "eventTime": "2024-05-14T09:00:00Z" })),
        event(
            "3",
            json!({ "resources": arns(&["key/b"]), "userIdentity": root, "recipientAccountId": "444455556666" }),
        ),
        event("4", json!({ "resources": null, "userIdentity": null })),
        event("5", json!({ "resources": arns(&["key/\u{1b}[31m|evil\n::error::x"]) })),
    ];
    desk.write("log.json", log(&events));
    desk
}

const SCAN: [&str; 6] = ["scan", "log.json", "--policy", "key-made.rhai", "--policy", "key-seen.rhai"];

fn scan(desk: &Desk, more: &[&str]) -> String {
    desk.run(&[&SCAN[..], &["--now", "2024-05-15"], more].concat()).exits(1).out
}

fn valid(schema: &str, value: &Value) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas").join(schema);
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let errors: Vec<String> =
        jsonschema::validator_for(&schema).unwrap().iter_errors(value).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

#[test]
fn groups_add_up_to_the_findings_by_whatever_they_are_formed() {
    let desk = desk();
    let plain: Value = serde_json::from_str(&scan(&desk, &["--format", "json"])).unwrap();
    assert_eq!(plain["summary"]["findings"]["total"], 10);
    let groups = |by: &str, more: &[&str]| -> Vec<(Value, u64)> {
        let text = scan(&desk, &[&["--format", "json", "--group-by", by], more].concat());
        let mut report: Value = serde_json::from_str(&text).unwrap();
        valid("report.schema.json", &report);
        let groups = report.as_object_mut().unwrap().remove("groups").unwrap();
        assert_eq!(report, plain, "grouping changes nothing else");
        let groups = groups.as_array().unwrap();
        let known: Vec<&Value> =
            plain["findings"].as_array().unwrap().iter().map(|finding| &finding["fingerprint"]).collect();
        for group in groups {
            let count = group["count"].as_u64().unwrap();
            let by_severity: u64 =
                group["by_severity"].as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum();
            assert_eq!(count, by_severity);
            let examples = group["examples"].as_array().unwrap();
            assert!(
                !examples.is_empty()
                    && examples.len() as u64 <= count
                    && examples.iter().all(|one| known.contains(&one))
            );
        }
        groups.iter().map(|group| (group["value"].clone(), group["count"].as_u64().unwrap())).collect()
    };
    for by in ["policy", "resource", "actor", "account"] {
        let found = groups(by, &[]);
        assert_eq!(found.iter().map(|(_, count)| count).sum::<u64>(), 10, "{found:?}");
        assert_eq!(found, groups(by, &["--examples", "1"]), "examples change no count");
    }
    let text = |found: Vec<(Value, u64)>| {
        found.into_iter().map(|(value, count)| (value.as_str().map(str::to_owned), count)).collect::<Vec<_>>()
    };
    let some = |name: &str| Some(name.to_owned());
    assert_eq!(text(groups("policy", &[])), [(some("key-seen"), 5), (some("key-made"), 5)]);
    // Of several resources the first counts.
    assert_eq!(
        text(groups("resource", &[])),
        [(some("key/a"), 4), (some("key/b"), 2), (None, 2), (some("key/\u{1b}[31m|evil\n::error::x"), 2)]
    );
    assert_eq!(text(groups("actor", &[])), [(some("alice"), 6), (some("root"), 2), (None, 2)]);
    assert_eq!(text(groups("account", &[])), [(some("111122223333"), 8), (some("444455556666"), 2)]);
    let lines = scan(&desk, &["--format", "ndjson", "--group-by", "actor"]);
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    lines.iter().for_each(|line| valid("report-line.schema.json", line));
    assert_eq!(lines.iter().filter(|line| line["type"] == "group").count(), 3);
}

#[test]
fn people_are_told_how_often_and_when() {
    let desk = desk();
    let text = scan(&desk, &["--group-by", "resource", "--examples", "3"]);
    let start = "== resource key/a\n   4 findings from 2024-05-14T09:00:00Z to 2024-05-14T10:00:00Z: 2 high, 2 low\n\nHIGH  Key laptop\n";
    assert!(text.starts_with(start), "{text}");
    assert!(text.contains("  also      HIGH 2024-05-14T09:00:00Z Key laptop [log.json:1 (record 2)]\n"), "{text}");
    assert!(text.contains("            and 1 more\n\n== resource key/b\n"), "{text}");
    assert!(
        text.contains("== resource (none)\n   2 findings at 2024-05-14T12:00:00Z: 1 high, 1 low\n")
            && !text.contains('\u{1b}'),
        "{text}"
    );
    let last = |text: &str| text.lines().rev().take(3).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(last(&text), last(&scan(&desk, &[])), "the summary and the exit code are the same");
    // As policies say: only what is of one group is told together, and since when.
    assert!(!scan(&desk, &[]).contains("== "));

    let grouped = policy("Key made", "fn matches(event) { true }\nfn group(event) { \"all\" }");
    desk.write("grouped.rhai", grouped);
    let ran = desk.run(&["scan", "log.json", "--policy", "grouped.rhai", "--examples", "2"]).exits(1).out;
    assert!(
        ran.contains("            and 3 more\n  seen      5 times from 2024-05-14T09:00:00Z to 2024-05-14T12:00:00Z\n"),
        "{ran}"
    );
    assert_eq!(ran.matches("[log.json:1 (record ").count(), 1, "{ran}");
    desk.run(&["scan", "log.json", "--policy", "grouped.rhai", "--examples", "0"]).exits(2);
}

#[test]
fn a_pull_request_is_told_the_same_and_logs_break_nothing() {
    let desk = desk();
    let rows =
        |text: &str| text.lines().filter(|line| line.contains("Key laptop")).map(str::to_owned).collect::<Vec<_>>();
    let markdown = scan(&desk, &["--format", "markdown", "--group-by", "resource"]);
    assert!(
        markdown.contains("\n| resource | severity | finding | when | where | |\n|---|---|---|---|---|---|\n"),
        "{markdown}"
    );
    assert_eq!(rows(&markdown).len(), 4, "{markdown}");
    assert!(
        rows(&markdown)[0].ends_with("| and 3 more, from 2024-05-14T09:00:00Z to 2024-05-14T10:00:00Z |"),
        "{markdown}"
    );
    let cells = |row: &str| row.matches(" |").count();
    assert!(rows(&markdown).iter().all(|row| cells(row) == 6), "{markdown}");
    assert_eq!(rows(&scan(&desk, &["--format", "markdown", "--group-by", "account"])).len(), 2);
    let more = scan(&desk, &["--format", "markdown", "--group-by", "account", "--examples", "3"]);
    assert!(rows(&more)[0].contains("<br>high <code>Key laptop</code><br>high <code>"), "{more}");

    let github = scan(&desk, &["--format", "github", "--group-by", "resource"]);
    assert!(github.lines().all(|line| line.starts_with("::error ") || line.starts_with("::notice ")), "{github}");
    let first = "::error file=log.json,line=1,title=HIGH key-seen::Key laptop (and 3 more, from 2024-05-14T09:00:00Z to 2024-05-14T10:00:00Z) [resource key/a]";
    assert_eq!(github.lines().next(), Some(first));
    assert_eq!(rows(&github).len(), 4);
    assert_eq!(rows(&scan(&desk, &["--format", "github", "--group-by", "account", "--examples", "2"])).len(), 4);
}

/// What fails the run is what a pull request must be told, however much else is excused.
#[test]
fn what_fails_stands_before_what_is_excused_and_that_is_marked_and_counted() {
    let desk = Desk::new();
    let script = |name: &str| {
        format!(
            "fn matches(event) {{ event.eventName == \"{name}\" }}\nfn title(event) {{ `{name} ${{event.eventID}}` }}\nfn group(event) {{ event.eventID }}"
        )
    };
    desk.write(
        "key-made.rhai",
        policy("Key made", &script("CreateKeyPair")).replace("severity: low", "severity: high"),
    );
    desk.write(
        "key-gone.rhai",
        policy("Key gone", &script("DeleteKeyPair")).replace("severity: low", "severity: medium"),
    );
    desk.write(
        "key-seen.rhai",
        policy("Key seen", &script("DescribeKeyPairs")).replace("severity: low", "severity: critical"),
    );
    let mut events: Vec<Value> =
        (0..60).map(|at| event(&format!("made-{at}"), json!({ "eventName": "CreateKeyPair" }))).collect();
    events.push(event("seen", json!({ "eventName": "DescribeKeyPairs" })));
    events.push(event("gone", json!({ "eventName": "DeleteKeyPair" })));
    desk.write("log.json", log(&events));
    let waiver =
        |policy: &str| format!("  - {{ policy: {policy}, actor: \"*\", owner: o, reason: r, expires: 2099-01-01 }}\n");
    desk.write("waivers.yaml", format!("waivers:\n{}{}", waiver("key-made"), waiver("key-never")));
    let args = [
        "scan",
        "log.json",
        "--policy",
        "key-made.rhai",
        "--policy",
        "key-gone.rhai",
        "--policy",
        "key-seen.rhai",
        "--waivers",
        "waivers.yaml",
        "--enforce",
        "key-seen=report",
        "--now",
        "2024-05-15",
    ];
    let scan = |format: &str| desk.run(&[&args[..], &["--format", format]].concat()).exits(1).out;
    let found: Vec<String> = scan("github").lines().filter(|line| line.contains("title=")).map(str::to_owned).collect();
    assert!(found[0].starts_with("::warning ") && found[0].contains("DeleteKeyPair"), "{found:#?}");
    assert!(found[1].starts_with("::notice ") && found[1].contains("key-seen (reported only)"), "{found:#?}");
    assert!(found[2..62].iter().all(|line| line.starts_with("::notice ") && line.contains("key-made (waived)")));
    assert!(
        found.iter().any(|line| line.contains("findings that fail nothing: 60 waived, 1 reported only")),
        "{found:#?}"
    );
    let markdown = scan("markdown");
    let rows: Vec<&str> = markdown.lines().filter(|line| line.starts_with("| ")).collect();
    assert!(rows[1].contains("DeleteKeyPair") && rows[2].contains("(reported only)"), "{markdown}");
    assert!(markdown.contains("60 of them waived") && markdown.contains("And 12 groups more."), "{markdown}");
    let junit = scan("junit");
    assert!(junit.contains(r#"<property name="findings waived" value="60"/>"#), "{junit}");
    // A waiver that is of no use is told wherever people look.
    for (format, text) in
        [("github", &scan("github")), ("markdown", &markdown), ("junit", &junit), ("sarif", &scan("sarif"))]
    {
        assert!(text.contains("key-never") && text.contains("excuse"), "{format}: {text}");
    }
}
