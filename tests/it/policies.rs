//! The embedded pack: every policy loads, is documented, and does what its cases say.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lawbook::cases::{self, CaseResult};
use lawbook::diagnostic::SourceText;
use lawbook::policy::{Overrides, Pack};
use lawbook::report;
use lawbook::script::Limits;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("policies")
}

fn run(pack: &Pack, policy_file: &str) -> Vec<CaseResult> {
    let file = cases::file_of(policy_file);
    let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let source = Arc::new(SourceText { file: file.display().to_string(), text });
    let id = Path::new(policy_file).file_stem().unwrap().to_string_lossy().into_owned();
    match cases::run(pack, &id, &source, &Limits::default()) {
        Ok(results) => results,
        Err(mistakes) => panic!("{}", report::diagnostic::draw(&mistakes, false)),
    }
}

#[test]
fn the_embedded_pack_is_the_folder_and_loads() {
    let limits = Limits::default();
    let draw = |mistakes: Vec<_>| report::diagnostic::draw(&mistakes, false);
    let embedded =
        Pack::embedded().check(&Overrides::default(), &limits).unwrap_or_else(|mistakes| panic!("{}", draw(mistakes)));
    let on_disk = Pack::from_folder(&folder())
        .unwrap()
        .check(&Overrides::default(), &limits)
        .unwrap_or_else(|mistakes| panic!("{}", draw(mistakes)));
    let ids = |checked: &lawbook::policy::Checked| {
        checked.policies().iter().map(|policy| policy.id.to_string()).collect::<BTreeSet<_>>()
    };
    assert_eq!(ids(&embedded), ids(&on_disk));
    assert!(embedded.policies().len() >= 12);
}

/// Programs that judge by the embedded pack do not check it again; all else that loading gives must be there.
#[test]
fn the_embedded_pack_is_the_same_unchecked() {
    let mut overrides = Overrides::default();
    overrides.set_param("eip-disassociated.trusted_roles=['arn:aws:iam::111122223333:role/ops']").unwrap();
    overrides.set_param("security-group-opened-to-world.nope=1").unwrap();
    let [checked, loaded] = [Pack::check, Pack::load].map(|load| {
        let packs = load(&Pack::embedded(), &overrides, &Limits::default()).unwrap();
        (format!("{:#?}", packs.policies()), packs.accepts(&overrides).unwrap_err().to_string())
    });
    assert_eq!(checked, loaded);
    assert!(loaded.0.contains("role/ops") && loaded.1.contains("no parameter `nope`"));
}

#[test]
fn every_policy_is_documented() {
    let checked = Pack::embedded().check(&Overrides::default(), &Limits::default()).unwrap();
    for policy in checked.policies() {
        let headings: Vec<&str> = policy.sections().into_iter().map(|(heading, _)| heading).collect();
        assert_eq!(headings, ["What it finds", "Why it matters", "False positives", "Respond"], "{}", policy.id);
        assert!(policy.sections().iter().all(|(_, text)| !text.is_empty()), "{}", policy.id);
        assert!(!policy.header.references.is_empty(), "{}", policy.id);
        let forms = &policy.header.remediation;
        assert!(
            forms.console.is_some() && forms.cli.is_some() && forms.python.is_some(),
            "{} lacks a form of remediation",
            policy.id
        );
    }
}

#[test]
fn every_policy_does_what_its_cases_say() {
    let pack = Pack::from_folder(&folder()).unwrap();
    let mut failed = Vec::new();
    for file in pack.files() {
        let results = run(&pack, file);
        for expect in ["fires", "silent"] {
            assert!(results.iter().any(|result| result.expect == expect), "{file} has no case that expects `{expect}`");
        }
        for result in results.iter().filter(|result| !result.problems.is_empty()) {
            failed.push(format!("{file}: {}\n    {}", result.name, result.problems.join("\n    ")));
        }
    }
    assert!(failed.is_empty(), "{} cases fail:\n{}", failed.len(), failed.join("\n"));
}

#[test]
fn no_cases_are_orphans() {
    for entry in walkdir::WalkDir::new(folder()) {
        let path = entry.unwrap().into_path();
        if path.to_string_lossy().ends_with(".cases.yaml") {
            let policy = PathBuf::from(path.to_string_lossy().replace(".cases.yaml", ".rhai"));
            assert!(policy.is_file(), "{} has no policy", path.display());
        }
    }
}

/// A case that cannot fail is none: what is written to expect the opposite must fail.
#[test]
fn a_case_can_fail() {
    let policy = "//! ---\n//! title: T\n//! severity: low\n//! judges: cloudtrail\n//! ---\nfn matches(event) { event.eventName == \"A\" }\nfn context(event) { #{ name: event.eventName } }\n";
    let pack = Pack::from_text("p", policy);
    let check = |cases: &str| {
        let text = format!(
            "records:\n  base: {{ eventVersion: \"1.10\", eventSource: ec2.amazonaws.com, eventName: A, eventID: x }}\ncases:\n  - name: n\n    record: base\n{cases}"
        );
        let source = Arc::new(SourceText { file: "p.cases.yaml".to_owned(), text });
        cases::run(&pack, "p", &source, &Limits::default())
    };
    let problems = |cases: &str| check(cases).unwrap()[0].problems.clone();
    assert!(problems("    expect: fires\n    title: T\n    severity: low\n    context: { name: A }").is_empty());
    assert!(problems("    with: { eventName: B }\n    expect: silent").is_empty());
    for wrong in [
        "    expect: silent",
        "    expect: not_evaluated",
        "    expect: fires\n    title: U",
        "    expect: fires\n    severity: high",
        "    expect: fires\n    context: { name: B }",
        "    expect: fires\n    resources: [r]",
        "    expect: fires\n    without: [nope]",
        "    expect: fires\n    params: { nope: 1 }",
        "    with: { eventName: B }\n    expect: fires",
    ] {
        assert!(!problems(wrong).is_empty(), "{wrong}");
    }
    assert!(check("    expect: maybe").is_err());
    assert!(check("    expects: fires").is_err());
}
