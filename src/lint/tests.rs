use std::path::Path;

use super::*;

/// What every case has unless it says otherwise.
const HEAD: &[(&str, &str)] = &[
    ("title", "title: Something was made"),
    ("severity", "severity: low"),
    ("judges", "judges: cloudtrail"),
    ("when", "when: { eventSource: ec2.amazonaws.com }"),
    ("references", "references: [\"https://docs.aws.amazon.com/\"]"),
];

const DOC: &str =
    "## What it finds\nSomething.\n\n## Why it matters\nIt does.\n\n## False positives\nNone.\n\n## Respond\nAt once.";

/// A case in short: `//! key: value` lines at its head take the place of the usual ones (`//! ##` that of the usual text,
/// and a key without a value of none), and what stands behind `//// lib` is a library. One that begins with `//! ---` is
/// the whole file.
fn pack(case: &str) -> (Pack, tempfile::TempDir) {
    let (policy, library) = case.split_once("//// lib\n").unwrap_or((case, ""));
    let folder = tempfile::tempdir().unwrap();
    let text = if policy.starts_with("//! ---") { policy.to_owned() } else { whole(policy) };
    std::fs::write(folder.path().join("a-case.rhai"), text).unwrap();
    std::fs::write(folder.path().join("a-case.cases.yaml"), "cases: []\n").unwrap();
    if !library.is_empty() {
        std::fs::create_dir(folder.path().join("lib")).unwrap();
        std::fs::write(folder.path().join("lib/shared.rhai"), library).unwrap();
    }
    (Pack::from_folder(folder.path()).unwrap(), folder)
}

fn whole(case: &str) -> String {
    let head: Vec<&str> = case.lines().map_while(|line| line.strip_prefix("//! ")).collect();
    let script: String = case.lines().skip(head.len()).map(|line| format!("{line}\n")).collect();
    let (doc, yaml): (Vec<&str>, Vec<&str>) = {
        let at = head.iter().position(|line| line.starts_with("## ")).unwrap_or(head.len());
        (head[at..].to_vec(), head[..at].to_vec())
    };
    let given = |key: &str| yaml.iter().any(|line| line.split(':').next() == Some(key));
    let judges_events = !yaml.iter().any(|line| line.starts_with("judges: ") && !line.ends_with("cloudtrail"));
    let mut out = String::from("//! ---\n");
    for (key, line) in HEAD {
        if !given(key) && (judges_events || *key != "when") {
            out.push_str(&format!("//! {line}\n"));
        }
    }
    for line in yaml.iter().filter(|line| !line.ends_with(':') || line.starts_with(' ')) {
        out.push_str(&format!("//! {line}\n"));
    }
    out.push_str("//! ---\n");
    let doc = if doc.is_empty() { DOC.to_owned() } else { doc.join("\n") };
    for line in doc.lines() {
        out.push_str(format!("//! {line}").trim_end());
        out.push('\n');
    }
    format!("{out}\n{script}")
}

fn said(case: &str) -> Vec<Diagnostic> {
    let (pack, _folder) = pack(case);
    judge(&pack, &Overrides::default(), &Limits::default()).1
}

fn told(diagnostics: &[Diagnostic]) -> String {
    let line = |diagnostic: &Diagnostic| {
        let Diagnostic { code, level, message, source, span, .. } = diagnostic;
        format!("{level:?} {code} at {:?}: {message}: {:?}\n", diagnostic.place(), &source.text[span.clone()])
    };
    diagnostics.iter().map(line).collect()
}

/// Lints that know what AWS has.
const OF_AWS: &[&str] = &[
    "unknown-source",
    "unknown-event",
    "unknown-field",
    "unknown-parameter",
    "impossible-type",
    "unlisted-event",
    "unlisted-source",
    "unlisted-value",
];

#[test]
fn every_lint_gives_its_bad_cases_and_not_its_good_ones() {
    let mut wrong = Vec::new();
    for lint in lints() {
        for case in lint.bad {
            let said = said(case);
            let found: Vec<&Diagnostic> = said.iter().filter(|diagnostic| diagnostic.code == lint.code).collect();
            if found.is_empty() {
                wrong.push(format!("`{}` is not said of:\n{case}\n{}", lint.code, told(&said)));
            }
            // One that grades by what the policy comes to is an error at most.
            let is_graded = ["impossible-type", "unlike-types", "object-as-text", "letter-case", "pattern-as-text"]
                .contains(&lint.code);
            let fits = |level: Level| level == lint.level || is_graded && level == Level::Warning;
            if found.iter().any(|diagnostic| !fits(diagnostic.level)) {
                wrong.push(format!("`{}` is said at another level of:\n{case}", lint.code));
            }
        }
        for case in lint.good {
            let said = said(case);
            // Cases have invented names, which only those lints mind that are about AWS's.
            let is_of_aws = |code: &str| OF_AWS.contains(&code) && !OF_AWS.contains(&lint.code);
            let bad = |diagnostic: &&Diagnostic| {
                diagnostic.code == lint.code || diagnostic.level == Level::Error && !is_of_aws(diagnostic.code)
            };
            if said.iter().any(|diagnostic| bad(&diagnostic)) {
                wrong.push(format!("`{}` or an error is said of:\n{case}\n{}", lint.code, told(&said)));
            }
        }
    }
    assert!(wrong.is_empty(), "{} cases\n{}", wrong.len(), wrong.join("\n\n"));
}

#[test]
fn every_lint_has_cases_a_page_and_a_name_of_its_own() {
    // What they say is about files beside the text: `tests/it/check.rs` has cases of these.
    let of_files = ["id", "cases", "snapshot", "survivor", "no-cases", "formerly", "remediation-order"];
    let all = lints();
    for lint in &all {
        let has_cases = !lint.bad.is_empty() && !lint.good.is_empty();
        assert!(has_cases || of_files.contains(&lint.code), "{} has no cases", lint.code);
        let is_kebab = lint.code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
        assert!(
            is_kebab && lint.summary.ends_with('.') && !lint.prefer.is_empty() | !lint.why.is_empty(),
            "{}",
            lint.code
        );
        assert_eq!(all.iter().filter(|other| other.code == lint.code).count(), 1, "{}", lint.code);
    }
    assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/diagnostics.md").exists());
}

#[test]
fn the_embedded_pack_gives_no_diagnostic_at_all() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    let (_, diagnostics) = judge(&Pack::from_folder(&folder).unwrap(), &Overrides::default(), &Limits::default());
    assert!(diagnostics.is_empty(), "{}", told(&diagnostics));
}
