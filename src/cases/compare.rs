//! Says in what the answer of a policy differs from what a case expects.

use serde_json::Value;

use super::case::{Case, Expect, Expected};
use super::judge::Answer;
use crate::finding::Finding;

/// In what an answer differs from what is expected.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Difference {
    /// What it is about: `expect`, `count`, or a member of a finding such as `context.public_ip`.
    pub what: String,
    /// What the case says.
    pub expected: String,
    /// What the policy said.
    pub actual: String,
}

impl Difference {
    pub(super) fn new(what: impl Into<String>, expected: impl Into<String>, actual: impl Into<String>) -> Self {
        Self { what: what.into(), expected: expected.into(), actual: actual.into() }
    }
}

/// Everything in which the answer differs.
pub(super) fn differences(case: &Case, answer: &Answer) -> Vec<Difference> {
    let mut out = Vec::new();
    let happened = answer.happened;
    if happened != case.expect {
        out.push(Difference::new("expect", case.expect.word(), with_reasons(happened, answer)));
    }
    // A finding does not hide that something else could not be judged.
    if happened == case.expect {
        let unexpected =
            [(Expect::NotEvaluated, "not evaluated", &answer.not_evaluated), (Expect::Fault, "faults", &answer.faults)];
        for (of, what, reasons) in unexpected {
            if case.expect != of && !reasons.is_empty() {
                out.push(Difference::new(what, "none", reasons.join("; ")));
            }
        }
        about_findings(case, &answer.findings, &mut out);
        about_reason(case, answer, &mut out);
    }
    if !answer.others.is_empty() {
        out.push(Difference::new("others", "silent", answer.others.join("; ")));
    }
    if let Some(most) = case.max_operations.filter(|most| answer.operations > *most) {
        out.push(Difference::new("operations", format!("at most {most}"), answer.operations.to_string()));
    }
    out
}

/// What happened, and why, on a line.
fn with_reasons(happened: Expect, answer: &Answer) -> String {
    let titles: Vec<String> = answer.findings.iter().map(|finding| finding.title.clone()).collect();
    let reasons = match happened {
        Expect::Fires => &titles,
        Expect::NotEvaluated => &answer.not_evaluated,
        Expect::Fault => &answer.faults,
        Expect::Silent => return happened.word().to_owned(),
    };
    format!("{}: {}", happened.word(), reasons.join("; "))
}

fn about_reason(case: &Case, answer: &Answer, out: &mut Vec<Difference>) {
    let reasons = if case.expect == Expect::Fault { &answer.faults } else { &answer.not_evaluated };
    if let Some(part) = &case.reason
        && !reasons.iter().any(|reason| reason.contains(part.as_str()))
    {
        out.push(Difference::new("reason", part, reasons.join("; ")));
    }
}

fn about_findings(case: &Case, findings: &[Finding], out: &mut Vec<Difference>) {
    if case.expect != Expect::Fires {
        return;
    }
    let wanted = if case.findings.is_empty() { case.count } else { Some(case.findings.len()) };
    if let Some(wanted) = wanted.filter(|wanted| *wanted != findings.len()) {
        let titles: Vec<&str> = findings.iter().map(|finding| finding.title.as_str()).collect();
        out.push(Difference::new("count", wanted.to_string(), format!("{}: {}", findings.len(), titles.join("; "))));
    }
    for (at, finding) in findings.iter().enumerate() {
        let prefix = if findings.len() > 1 { format!("finding {}: ", at + 1) } else { String::new() };
        about_finding(&prefix, case.findings.get(at).unwrap_or(&case.every), finding, out);
    }
}

fn about_finding(prefix: &str, expected: &Expected, finding: &Finding, out: &mut Vec<Difference>) {
    let mut differ = |what: String, expected: &Value, actual: &Value| {
        if expected != actual {
            out.push(Difference::new(format!("{prefix}{what}"), told(expected), told(actual)));
        }
    };
    if let Some(severity) = expected.severity {
        differ("severity".to_owned(), &severity.word().into(), &finding.severity.word().into());
    }
    if let Some(title) = &expected.title {
        differ("title".to_owned(), &title.as_str().into(), &finding.title.as_str().into());
    }
    if let Some(resources) = &expected.resources {
        differ("resources".to_owned(), &resources.clone().into(), &finding.resources.clone().into());
    }
    for (name, value) in &expected.context {
        let actual = finding.context.get(name).unwrap_or(&Value::Null);
        differ(format!("context.{name}"), value, actual);
    }
}

/// A value as it is told: text bare, all else as JSON.
fn told(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
