//! The remediation of the embedded policies: all of it there, and nothing that attackers write into logs runs in it.
#![cfg(unix)]

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use lawbook::policy::{Checked, Overrides, Pack};
use lawbook::script::Limits;
use serde_json::{Value, json};

/// Takes part in no command but as the text that it is.
const HOSTILE: &str =
    "x'; touch canary; \"); open('canary', 'w') # $(touch canary) `touch canary` ${x} && touch canary | \\";

/// Notes what it was asked, a line an argument, and answers nothing.
const AWS: &str = "#!/bin/sh\nfor word; do printf '%s\\n' \"$word\" >> \"$DESK/words\"; done\n";

/// Notes what it was asked, and answers with something that holds nothing, or a few of the same.
const BOTO3: &str = r#"
import os
import time

time.sleep = lambda seconds: None

class Anything(str):
    def __new__(cls): return str.__new__(cls, "")
    def __getattr__(self, name): return Call(name)
    def __getitem__(self, key): return self
    def get(self, *key): return self
    def items(self): return []

class Call:
    def __init__(self, name): self.name = name
    def __call__(self, *words, **named):
        with open(os.environ["DESK"] + "/words", "a", encoding="utf-8") as file:
            print(repr((words, named)), file=file)
        return Anything()

class Client:
    class exceptions:
        ClientError = RuntimeError
    def __getattr__(self, name): return Call(name)

def client(service, region_name=None): return Client()
def resource(service, region_name=None): return Client()
"#;

fn folder() -> PathBuf {
    // Another one is tried before its policies come here.
    std::env::var_os("REMEDIES_OF")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("policies"), PathBuf::from)
}

fn packs() -> Checked {
    Pack::from_folder(&folder()).unwrap().check(&Overrides::default(), &Limits::default()).unwrap()
}

/// A plan of one finding a policy, whose context holds what `fill` gives for each placeholder.
fn planned(packs: &Checked, fill: impl Fn(&str) -> Value) -> BTreeMap<String, Value> {
    let desk = tempfile::tempdir().unwrap();
    let finding = |(at, policy): (usize, &lawbook::Policy)| {
        let templates = policy.header.remediation.templates();
        let names = templates.flat_map(|(_, template)| template.placeholders().map(str::to_owned).collect::<Vec<_>>());
        let context: serde_json::Map<String, Value> = names.map(|name| (name.clone(), fill(&name))).collect();
        json!({
            "policy": *policy.id, "pack": *policy.pack, "severity": "low", "title": "t", "resources": [],
            "fingerprint": format!("{at:032x}"), "standing": "new", "context": context,
            // One account each, so that equal commands are not one step.
            "record": { "account": format!("{at:012}"), "region": "us-east-1" },
        })
    };
    let findings: Vec<Value> = packs.policies().iter().enumerate().map(finding).collect();
    let report = json!({ "schema_version": 1, "lawbook": "0", "summary": {}, "findings": findings });
    std::fs::write(desk.path().join("findings.json"), report.to_string()).unwrap();
    let mut command = crate::cli::lawbook();
    command.args(["remediate", "findings.json", "--format", "json", "--limit", "10000", "--pack"]).arg(folder());
    let out = command.current_dir(desk.path()).stdin(Stdio::null()).output().unwrap();
    let told: Value =
        serde_json::from_slice(&out.stdout).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&out.stderr)));
    let steps = told["steps"].as_array().unwrap().clone();
    steps.into_iter().map(|step| (step["policies"][0].as_str().unwrap().to_owned(), step)).collect()
}

#[test]
fn each_remediation_has_its_forms_its_cost_its_check_and_its_way_back() {
    let packs = packs();
    let steps = planned(&packs, |name| format!("{name}-1").into());
    assert_eq!(steps.len(), packs.policies().len());
    let mut lacking = Vec::new();
    for (id, step) in &steps {
        let has = |pointer: &str| step.pointer(pointer).is_some_and(Value::is_string);
        let wanted: &[&str] = match step["kind"].as_str().unwrap() {
            "look" => &["/impact", "/console", "/cli", "/python"],
            _ => &["/impact", "/console", "/cli", "/python", "/verify/cli", "/verify/python"],
        };
        let wanted = wanted.iter().filter(|form| !has(&format!("/remediation{form}"))).map(|form| (*form).to_owned());
        lacking.extend(wanted.map(|form| format!("{id} {form}")));
        // Where no commands go back, the reader is told.
        let impact = step["remediation"]["impact"].as_str().unwrap_or_default();
        let is_told = impact.contains("no way back");
        let goes_back = (has("/remediation/undo/cli"), has("/remediation/undo/python"));
        if step["kind"] != "look" && goes_back != (true, true) && (!is_told || goes_back != (false, false)) {
            lacking.push(format!("{id} /undo"));
        }
    }
    assert_eq!(lacking, [""; 0]);
}

#[test]
fn what_attackers_write_runs_in_no_remediation() {
    // Itself, and not what chooses it at every start.
    let found = |program: &str, words: [&str; 2]| {
        let ran = Command::new(program).args(words).output().ok().filter(|ran| ran.status.success());
        if ran.is_none() {
            eprintln!("SKIPPED: there is no {program} on this machine, so its forms of remediation were not run");
        }
        ran.map(|ran| String::from_utf8(ran.stdout).unwrap().trim().to_owned())
    };
    let bash = found("bash", ["-c", "echo \"$BASH\""]);
    let python = found("python3", ["-c", "import sys; print(sys.executable)"]);
    let (bash, python) = (bash.as_deref(), python.as_deref());
    let packs = packs();
    // Most of the time goes into starting programs: two at once.
    let seen: usize = std::thread::scope(|scope| {
        let run = |hostile: Value| {
            let steps = planned(&packs, |_| hostile.clone());
            scope.spawn(move || runs_as_text(steps, bash, python))
        };
        let runs = [json!(HOSTILE), json!([HOSTILE, "y"])].map(run);
        runs.map(|run| run.join().unwrap()).iter().sum()
    });
    assert!(seen > 200 || bash.is_none() || python.is_none(), "only {seen} commands were given a value");
}

/// Runs all forms of remediation of steps; how often a command was given what is hostile.
fn runs_as_text(steps: BTreeMap<String, Value>, bash: Option<&str>, python: Option<&str>) -> usize {
    let desk = tempfile::tempdir().unwrap();
    let desk = desk.path();
    let program = |name: &str, text: &str| {
        let path = desk.join("bin").join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    };
    std::fs::create_dir_all(desk.join("bin")).unwrap();
    std::fs::create_dir_all(desk.join("py")).unwrap();
    program("aws", AWS);
    program("sleep", "#!/bin/sh\n");
    std::fs::write(desk.join("py/boto3.py"), BOTO3).unwrap();
    let path = format!("{}:{}", desk.join("bin").display(), std::env::var("PATH").unwrap());
    let run = |words: &[&str]| {
        let mut command = Command::new("timeout");
        command.arg("60").args(words).current_dir(desk).stdin(Stdio::null());
        command.env("PATH", &path).env("PYTHONPATH", desk.join("py")).env("DESK", desk).output().unwrap()
    };
    let escaped = HOSTILE.replace('\\', "\\\\").replace('\'', "\\'");
    let mut seen = 0;
    for (id, step) in steps {
        for (form, program, syntax) in [("cli", bash, "set -euo pipefail\n"), ("python", python, "")] {
            let Some(program) = program else { continue };
            for place in ["", "/verify", "/undo"] {
                let text = step.pointer(&format!("/remediation{place}/{form}")).and_then(Value::as_str);
                let Some(text) = text else { continue };
                std::fs::write(desk.join("form"), format!("{syntax}{text}\n")).unwrap();
                if form == "cli" {
                    let checked = run(&[program, "-n", "form"]);
                    assert!(checked.status.success(), "{id} {place}/{form}: {checked:?}\n{text}");
                }
                let ran = run(&[program, "form"]);
                let is_sound = !String::from_utf8_lossy(&ran.stderr).contains("SyntaxError");
                assert!(is_sound, "{id} {place}/{form}: {ran:?}\n{text}");
                assert_ne!(ran.status.code(), Some(124), "{id} {place}/{form} does not end:\n{text}");
                assert!(!desk.join("canary").exists(), "{id} {place}/{form} ran what was in a value:\n{text}");
                let words = std::fs::read_to_string(desk.join("words")).unwrap_or_default();
                let _ = std::fs::remove_file(desk.join("words"));
                for word in words.lines().filter(|word| word.contains("touch canary")) {
                    // All of it, or, of what a policy joined, a part that is a word of its own: never a part of JSON.
                    let is_text = word.contains(HOSTILE) || word.contains(&escaped) || HOSTILE.contains(word);
                    assert!(is_text || form == "python", "{id} {place}/{form} has it in parts: {word}\n{text}");
                    seen += 1;
                }
            }
        }
    }
    seen
}
