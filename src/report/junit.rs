//! JUnit's XML: a test case a policy, which fails if it has new findings that fail the run.
//!
//! A policy that was asked about nothing, or could not judge, is skipped; whether the scan can be relied on is a test case of
//! its own. *Law*: a report without failures and errors is one of a run with the exit code 0.

use std::collections::BTreeMap;
use std::io::{self, Write};

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use crate::engine::{Outcome, PolicyCounts};
use crate::fault::printable;
use crate::finding::Finding;
use crate::policy::{Checked, Policy};

/// Findings of a policy that are listed; more are counted.
const LISTED: usize = 50;
/// Characters of a text.
const LONGEST: usize = 400;

/// What fails a policy's test case.
#[derive(Default)]
struct Failures {
    lines: Vec<String>,
    count: u64,
}

pub(super) fn write(outcome: &Outcome, packs: &Checked, out: &mut dyn Write) -> io::Result<()> {
    let failures = failures(outcome)?;
    let mut suites: BTreeMap<&str, TestSuite> = BTreeMap::new();
    for (policy, counts) in packs.policies().iter().zip(&outcome.policies) {
        let suite = suites.entry(&policy.pack).or_insert_with(|| TestSuite::new(&*policy.pack));
        let failures = failures.get(&(policy.pack.to_string(), policy.id.to_string()));
        let mut case = TestCase::new(&*policy.id, status(outcome, policy, counts, failures));
        case.set_classname(&*policy.pack);
        suite.add_test_case(case);
    }
    let mut report = Report::new("lawbook");
    report.add_test_suites(suites.into_values());
    report.add_test_suite(run(outcome));
    report.serialize(out).map_err(io::Error::other)
}

fn failures(outcome: &Outcome) -> io::Result<BTreeMap<(String, String), Failures>> {
    let mut all: BTreeMap<(String, String), Failures> = BTreeMap::new();
    for finding in outcome.findings.iter() {
        let finding = finding.map_err(io::Error::other)?;
        if !finding.fails(outcome.fail_on) {
            continue;
        }
        let failures = all.entry((finding.pack.to_string(), finding.policy.to_string())).or_default();
        failures.count += 1;
        if failures.lines.len() < LISTED {
            failures.lines.push(line(&finding));
        }
    }
    Ok(all)
}

fn line(finding: &Finding) -> String {
    let time = finding.record.time.as_deref().unwrap_or_default();
    let notes: String = finding.notes.iter().map(|note| format!(" ({note})")).collect();
    let severity = finding.severity.word().to_uppercase();
    let text = format!("{severity} {} [{}] {time}{notes}", finding.title, finding.origin);
    printable(&text, LONGEST)
}

fn status(outcome: &Outcome, policy: &Policy, counts: &PolicyCounts, failures: Option<&Failures>) -> TestCaseStatus {
    let not_evaluated = outcome.not_evaluated.iter().filter(|row| row.policy == policy.id && row.pack == policy.pack);
    let faults = outcome
        .faults
        .iter()
        .filter(|fault| (fault.policy.as_ref(), fault.pack.as_ref()) == (Some(&policy.id), Some(&policy.pack)));
    let faults: Vec<String> = faults.map(|fault| format!("fault: {}", told(&fault.reason, fault.count))).collect();
    if let Some(failures) = failures {
        let noun = if failures.count == 1 { "finding" } else { "findings" };
        let mut lines = failures.lines.clone();
        if failures.count > lines.len() as u64 {
            lines.push(format!("and {} more", failures.count - lines.len() as u64));
        }
        lines.extend(faults);
        return failed(NonSuccessKind::Failure, "finding", &format!("{} {noun}", failures.count), &lines);
    }
    if !faults.is_empty() {
        return failed(NonSuccessKind::Error, "fault", "the policy failed", &faults);
    }
    let lines: Vec<String> = not_evaluated.map(|row| told(&row.reason, row.count)).collect();
    if counts.not_evaluated > 0 || counts.asked == 0 {
        let mut status = TestCaseStatus::skipped();
        status.set_message(if lines.is_empty() { "asked about no record".to_owned() } else { lines.join("; ") });
        return status;
    }
    TestCaseStatus::success()
}

fn told(reason: &str, count: u64) -> String {
    printable(&format!("{reason} ({count} in all)"), LONGEST)
}

fn failed(kind: NonSuccessKind, of: &str, message: &str, lines: &[String]) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_type(of).set_message(message).set_description(lines.join("\n"));
    status
}

/// Whether the scan can be relied on: an error if the exit code is 2.
fn run(outcome: &Outcome) -> TestSuite {
    let lines: Vec<String> = outcome
        .faults
        .iter()
        .filter(|fault| fault.policy.is_none())
        .map(|fault| {
            let place = fault.origins.first().map_or_else(String::new, |origin| format!(" at {origin}"));
            told(&format!("{}{place}", fault.reason), fault.count)
        })
        .collect();
    let exit = &outcome.summary.exit;
    let status = if exit.code > 1 {
        failed(NonSuccessKind::Error, "scan", &printable(&exit.reasons.join("; "), LONGEST), &lines)
    } else {
        TestCaseStatus::success()
    };
    let mut suite = TestSuite::new("scan");
    let mut case = TestCase::new("the scan can be relied on", status);
    case.set_classname("scan");
    suite.add_test_case(case);
    // What fails no test case is not lost.
    for (count, what) in outcome.summary.findings.aside() {
        suite.add_property((format!("findings {what}"), count.to_string()));
    }
    for unused in outcome.decided.iter().flat_map(|decided| &decided.unused_waivers) {
        let text = format!("{}:{}: {}", unused.file, unused.line, unused.sentence());
        suite.add_property(("a waiver that excuses nothing", printable(&text, LONGEST).as_str()));
    }
    suite
}
