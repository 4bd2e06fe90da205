//! How cases went, in JUnit's XML: a policy is a suite, a case a test case, and so is a snapshot.

use std::io::{self, Write};

use quick_junit::{NonSuccessKind, Report as Whole, TestCase, TestCaseStatus, TestSuite};

use super::command;
use crate::cases::judge::{CaseResult, Verdict};
use crate::cases::runner::{PolicyResult, Report, SnapshotState};
use crate::cases::trace::Trace;
use crate::fault::printable;

/// Writes the report.
pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let mut whole = Whole::new("lawbook");
    whole.set_time(report.time);
    for policy in &report.policies {
        let mut suite = TestSuite::new(policy.id.as_str());
        for (case, trace) in &policy.cases {
            suite.add_test_case(of_case(policy, case, trace.as_ref()));
        }
        if policy.cases.is_empty() {
            let mut case = TestCase::new("(cases)", failure("the policy has no case", "cases"));
            case.set_classname(policy.id.as_str());
            suite.add_test_case(case);
        }
        if policy.snapshot != SnapshotState::None {
            suite.add_test_case(of_snapshot(policy));
        }
        whole.add_test_suite(suite);
    }
    if !report.orphans.is_empty() {
        let mut suite = TestSuite::new("orphans");
        for orphan in &report.orphans {
            let mut case =
                TestCase::new(orphan.display().to_string(), failure("a snapshot without a policy", "orphan"));
            case.set_classname("orphans");
            suite.add_test_case(case);
        }
        whole.add_test_suite(suite);
    }
    whole.serialize(out).map_err(io::Error::other)
}

/// Text that XML can hold, and that steers no terminal.
fn plain(text: &str) -> String {
    printable(text, 4_000)
}

fn failure(message: &str, kind: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_message(plain(message)).set_type(kind);
    status
}

fn of_case(policy: &PolicyResult, case: &CaseResult, trace: Option<&Trace>) -> TestCase {
    let told: Vec<String> = case
        .differences
        .iter()
        .map(|differs| format!("{}: expected {}, it is {}", differs.what, differs.expected, differs.actual))
        .collect();
    let status = match case.verdict {
        Verdict::Passed => TestCaseStatus::success(),
        Verdict::Todo => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(plain(case.todo.as_deref().unwrap_or_default()));
            status
        }
        Verdict::Failed | Verdict::Broken => {
            let is_broken = case.verdict == Verdict::Broken;
            let kind = if is_broken { NonSuccessKind::Error } else { NonSuccessKind::Failure };
            let mut status = TestCaseStatus::non_success(kind);
            let mut lines = told.clone();
            lines.extend(case.records.iter().take(3).map(|record| format!("record {record}")));
            lines.extend(trace.map(Trace::lines).unwrap_or_default());
            lines.push(format!("at {}:{}", policy.cases_file.display(), case.line));
            lines.push(command(policy, &case.name));
            status.set_message(told.first().map(|line| plain(line)).unwrap_or_default());
            status.set_type(if is_broken { "broken" } else { "failed" });
            status.set_description(lines.iter().map(|line| plain(line)).collect::<Vec<_>>().join("\n"));
            status
        }
    };
    let mut test = TestCase::new(plain(&case.name), status);
    test.set_classname(policy.id.as_str());
    test.set_time(case.time);
    test
}

fn of_snapshot(policy: &PolicyResult) -> TestCase {
    let status = match policy.snapshot.changes() {
        Some((changes, _)) => {
            let mut told = Vec::new();
            let _ = super::text::changes(changes, super::Detail::Titles, false, &mut told);
            let message = format!("the snapshot {}", super::of_snapshot(&policy.snapshot));
            let mut status = failure(&message, "snapshot");
            let lines = String::from_utf8_lossy(&told);
            status.set_description(lines.lines().map(plain).collect::<Vec<_>>().join("\n"));
            status
        }
        None => TestCaseStatus::success(),
    };
    let mut test = TestCase::new("(snapshot)", status);
    test.set_classname(policy.id.as_str());
    test
}
