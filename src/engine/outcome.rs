//! What a scan found, what it did not judge and why, and the exit code that follows.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde::Serialize;

use super::{Request, Verdict, Why};
use crate::fault::{Fault, Stage, printable};
use crate::finding::{Finding, Severity, Standing, apart};
use crate::input::{self, Class};
use crate::policy::{Checked, Policy};
use crate::record::{CLOUDTRAIL, Origin, Record, Scope};

/// Everything that a scan has to tell.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The whole in numbers.
    pub summary: Summary,
    /// In input order, then in the order of policies.
    pub findings: Vec<Finding>,
    /// What could not be judged, by policy, reason and scope.
    pub not_evaluated: Vec<NotEvaluated>,
    /// What could not be processed, by stage, reason and file or policy.
    pub faults: Vec<Problem>,
    /// Files that were not read, with the reason.
    pub skipped: Vec<(Arc<str>, String)>,
    /// The verdict on every record that the policy asked about was asked of, in input order.
    pub why: Vec<Why>,
    /// Asked, found and the rest by policy, in the order of the packs.
    pub policies: Vec<PolicyCounts>,
}

/// A scan in numbers.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// The time of the run.
    pub now: String,
    /// Records by what became of them.
    pub records: Records,
    /// Files by what became of them.
    pub files: Files,
    /// Policies that were loaded, and those that were asked at least once.
    pub policies: Policies,
    /// Findings.
    pub findings: Findings,
    /// Pairs of policy and record that could not be judged.
    pub not_evaluated: u64,
    /// Files, parts of files, and pairs of policy and record that failed.
    pub faults: u64,
    /// The exit code, and why.
    pub exit: Exit,
}

/// Records by what became of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Records {
    /// Events that were judged.
    pub events: u64,
    /// Resources that were judged.
    pub resources: u64,
    /// Known, and nothing to judge: digests, notifications, Insight events.
    pub recognised: u64,
    /// Excluded by `--since`, `--until`, `--account` or `--region`.
    pub filtered: u64,
}

/// Files by what became of them.
#[derive(Clone, Debug, Serialize)]
pub struct Files {
    /// Read.
    pub read: u64,
    /// Not read: hidden, Lawbook's own, no data, or pruned by path.
    pub skipped: u64,
}

/// Policies in numbers.
#[derive(Clone, Debug, Serialize)]
pub struct Policies {
    /// In the packs.
    pub loaded: u64,
    /// Asked about at least one record.
    pub asked: u64,
}

/// Findings in numbers.
#[derive(Clone, Debug, Serialize)]
pub struct Findings {
    /// All of them.
    pub total: u64,
    /// By severity, from the worst.
    pub by_severity: Counts,
    /// By standing.
    pub by_standing: Counts,
}

/// Numbers by word, in a fixed order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counts(pub Vec<(&'static str, u64)>);

impl Serialize for Counts {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().copied())
    }
}

/// The exit code, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Exit {
    /// 0, 1 or 2.
    pub code: u8,
    /// Why it is not 0; empty if it is.
    pub reasons: Vec<String>,
}

/// Records that a policy could not judge.
#[derive(Clone, Debug, Serialize)]
pub struct NotEvaluated {
    /// The policy's id.
    pub policy: Arc<str>,
    /// Its pack.
    pub pack: Arc<str>,
    /// Why.
    pub reason: String,
    /// Whose the records are.
    pub account: Option<Arc<str>>,
    /// Where they are.
    pub region: Option<Arc<str>>,
    /// How many there are.
    pub count: u64,
    /// The first three.
    pub origins: Vec<Origin>,
}

/// What could not be processed.
#[derive(Clone, Debug, Serialize)]
pub struct Problem {
    /// `input`, `inventory` or `policy`.
    pub stage: &'static str,
    /// The policy's id, if it was a policy that failed.
    pub policy: Option<Arc<str>>,
    /// Why.
    pub reason: String,
    /// How many there are.
    pub count: u64,
    /// The first three.
    pub origins: Vec<Origin>,
}

/// What became of the records that a policy was asked about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PolicyCounts {
    /// Records that its `when` admits.
    pub asked: u64,
    /// Records on which it fired.
    pub findings: u64,
    /// Records on which it had nothing to tell.
    pub silent: u64,
    /// Records that it could not judge.
    pub not_evaluated: u64,
    /// Records on which it failed.
    pub faults: u64,
}

/// The place of something in the order of the output: file, position in the file, policy.
pub(super) type Key = (usize, u64, usize);

/// What is collected while scanning, in any order.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) records: Records,
    findings: Vec<(Key, Finding)>,
    not_evaluated: BTreeMap<(usize, String, Scope), Group>,
    faults: BTreeMap<(Stage, String, Arc<str>), Group>,
    policies: BTreeMap<usize, PolicyCounts>,
    why: Vec<(Key, Why)>,
}

/// How many there are of something, and the first three.
#[derive(Debug, Default)]
struct Group {
    count: u64,
    first: Vec<(Key, Origin)>,
}

impl Group {
    fn add(&mut self, count: u64, first: impl IntoIterator<Item = (Key, Origin)>) {
        self.count += count;
        self.first.extend(first);
        self.first.sort();
        self.first.truncate(3);
    }
}

impl Tally {
    /// Keeps a verdict on a record; `at` is its place in the output.
    pub(super) fn verdict(&mut self, at: Key, policy: &Policy, record: &Record, verdict: Verdict, wants_why: bool) {
        let counts = self.policies.entry(at.2).or_default();
        counts.asked += 1;
        let told = match &verdict {
            Verdict::Silent => ("silent", "`matches` answered false".to_owned()),
            Verdict::Finding(finding, _) => ("fires", finding.title.clone()),
            Verdict::NotEvaluated(reason) => ("not evaluated", reason.clone()),
            Verdict::Fault(reason) => ("fault", reason.clone()),
        };
        match verdict {
            Verdict::Silent => counts.silent += 1,
            Verdict::Finding(finding, faults) => {
                counts.findings += 1;
                self.findings.push((at, *finding));
                for reason in faults {
                    self.fault_at(at, Fault::policy(&policy.id, reason, record.origin.clone()));
                }
            }
            Verdict::NotEvaluated(reason) => {
                counts.not_evaluated += 1;
                self.not_evaluated(at.2, reason, record.scope.clone(), Some((at, record.origin.clone())));
            }
            Verdict::Fault(reason) => {
                counts.faults += 1;
                self.fault_at(at, Fault::policy(&policy.id, reason, record.origin.clone()));
            }
        }
        if wants_why {
            let (verdict, reason) = told;
            self.why.push((at, Why { origin: record.origin.clone(), record: in_words(record), verdict, reason }));
        }
    }

    /// Says more of why the last verdict that was kept is what it is.
    pub(super) fn because(&mut self, reason: String) {
        if let Some((_, why)) = self.why.last_mut() {
            why.reason = reason;
        }
    }

    /// Keeps that a policy could not judge one more record, or what there may be in a scope.
    pub(super) fn not_evaluated(&mut self, policy: usize, reason: String, scope: Scope, first: Option<(Key, Origin)>) {
        self.not_evaluated.entry((policy, reason, scope)).or_default().add(1, first);
    }

    pub(super) fn fault(&mut self, fault: Fault) {
        self.fault_at((usize::MAX, 0, 0), fault);
    }

    pub(super) fn fault_at(&mut self, at: Key, fault: Fault) {
        // Faults of a policy are counted together, those of input by file.
        let file = if matches!(fault.stage, Stage::Policy(_)) { Arc::from("") } else { Arc::clone(&fault.origin.file) };
        self.faults.entry((fault.stage, fault.reason, file)).or_default().add(fault.count, [(at, fault.origin)]);
    }

    /// Moves everything of a file `by` positions on: the events before it were counted apart.
    pub(super) fn shift(&mut self, by: u64) {
        let move_on = |key: &mut Key, origin: &mut Origin| {
            if origin.position > 0 {
                key.1 += by;
                origin.position += by;
            }
        };
        for (key, finding) in &mut self.findings {
            move_on(key, &mut finding.origin);
        }
        for (key, why) in &mut self.why {
            move_on(key, &mut why.origin);
        }
        for group in self.not_evaluated.values_mut().chain(self.faults.values_mut()) {
            for (key, origin) in &mut group.first {
                move_on(key, origin);
            }
        }
    }

    pub(super) fn add(&mut self, other: Self) {
        let Records { events, resources, recognised, filtered } = other.records;
        self.records.events += events;
        self.records.resources += resources;
        self.records.recognised += recognised;
        self.records.filtered += filtered;
        self.findings.extend(other.findings);
        self.why.extend(other.why);
        for (key, group) in other.not_evaluated {
            self.not_evaluated.entry(key).or_default().add(group.count, group.first);
        }
        for (key, group) in other.faults {
            self.faults.entry(key).or_default().add(group.count, group.first);
        }
        for (policy, counts) in other.policies {
            let sum = self.policies.entry(policy).or_default();
            sum.asked += counts.asked;
            sum.findings += counts.findings;
            sum.silent += counts.silent;
            sum.not_evaluated += counts.not_evaluated;
            sum.faults += counts.faults;
        }
    }
}

/// An event as `source name id`, a resource as `kind id`.
fn in_words(record: &Record) -> String {
    let id = record.id.as_deref().unwrap_or("without an id");
    if &*record.kind != CLOUDTRAIL {
        return format!("{} {}", record.kind, printable(id, 80));
    }
    let text = |key: &str| record.value.view().text(&[key]).map_or_else(|| "?".to_owned(), |text| printable(text, 80));
    format!("{} {} {}", text("eventSource"), text("eventName"), printable(id, 80))
}

/// Puts the outcome in order and decides the exit code.
pub(super) fn write(
    tally: Tally,
    packs: &Checked,
    request: &Request,
    files: &input::Files,
    lookup_only: &input::Files,
) -> Outcome {
    let policies = packs.policies();
    let mut ordered = tally.findings;
    ordered.sort_by_key(|(key, _)| *key);
    let findings = without_duplicates(ordered.into_iter().map(|(_, finding)| finding));
    let origins = |group: Group| group.first.into_iter().map(|(_, origin)| origin).collect();

    let mut not_evaluated: Vec<NotEvaluated> = Vec::new();
    for ((policy, reason, scope), group) in tally.not_evaluated {
        not_evaluated.push(NotEvaluated {
            policy: Arc::clone(&policies[policy].id),
            pack: Arc::clone(&policies[policy].pack),
            reason,
            account: scope.account,
            region: scope.region,
            count: group.count,
            origins: origins(group),
        });
    }
    let mut faults: Vec<Problem> = Vec::new();
    for ((stage, reason, _), group) in tally.faults {
        let (stage, policy) = match stage {
            Stage::Input => ("input", None),
            Stage::Inventory => ("inventory", None),
            Stage::Policy(id) => ("policy", Some(id)),
        };
        faults.push(Problem { stage, policy, reason, count: group.count, origins: origins(group) });
    }
    let mut why = tally.why;
    why.sort_by_key(|(key, _)| *key);
    let counts: Vec<PolicyCounts> =
        (0..policies.len()).map(|at| tally.policies.get(&at).cloned().unwrap_or_default()).collect();

    let skipped: Vec<(Arc<str>, String)> = files
        .skipped
        .iter()
        .chain(&lookup_only.skipped)
        .map(|skipped| (Arc::clone(&skipped.name), skipped.reason.to_string()))
        .collect();
    let mut summary = Summary {
        now: request.now.to_string(),
        records: tally.records,
        files: Files { read: (files.files.len() + lookup_only.files.len()) as u64, skipped: skipped.len() as u64 },
        policies: Policies {
            loaded: policies.len() as u64,
            asked: counts.iter().filter(|counts| counts.asked > 0).count() as u64,
        },
        findings: count(&findings),
        not_evaluated: not_evaluated.iter().map(|row| row.count).sum(),
        faults: faults.iter().map(|row| row.count).sum(),
        exit: Exit { code: 0, reasons: Vec::new() },
    };
    summary.exit = exit(&summary, request, policies, &counts, &findings, files);
    Outcome {
        summary,
        findings,
        not_evaluated,
        faults,
        skipped,
        why: why.into_iter().map(|(_, why)| why).collect(),
        policies: counts,
    }
}

/// Findings of equal fingerprints and records become one with all origins; where the records differ, both stay, and the
/// later one's fingerprint says of which content it is.
fn without_duplicates(ordered: impl Iterator<Item = Finding>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    let mut known: HashMap<String, usize> = HashMap::new();
    for mut finding in ordered {
        let first = known.get(&finding.fingerprint).copied();
        if let Some(at) = first
            && findings[at].record_hash != finding.record_hash
        {
            finding.fingerprint = apart(&finding.fingerprint, &finding.record_hash);
        }
        match known.get(&finding.fingerprint) {
            Some(at) => findings[*at].duplicates.push(finding.origin),
            None => {
                known.insert(finding.fingerprint.clone(), findings.len());
                findings.push(finding);
            }
        }
    }
    findings
}

fn count(findings: &[Finding]) -> Findings {
    let of = |severity: Severity| findings.iter().filter(|finding| finding.severity == severity).count() as u64;
    let standing = |standing: Standing| findings.iter().filter(|finding| finding.standing == standing).count() as u64;
    Findings {
        total: findings.len() as u64,
        by_severity: Counts(Severity::ALL.into_iter().rev().map(|severity| (severity.word(), of(severity))).collect()),
        by_standing: Counts(vec![
            ("new", standing(Standing::New)),
            ("waived", standing(Standing::Waived)),
            ("known", standing(Standing::Known)),
        ]),
    }
}

/// 2 beats 1 beats 0.
fn exit(
    summary: &Summary,
    request: &Request,
    policies: &[Policy],
    counts: &[PolicyCounts],
    findings: &[Finding],
    files: &input::Files,
) -> Exit {
    let mut fails = Vec::new();
    if summary.faults > 0 {
        fails.push(plural(summary.faults, "fault"));
    }
    if summary.records.events + summary.records.resources == 0 && !request.allow_empty {
        let empty = files.files.iter().filter(|file| file.class == Class::Empty).count();
        let detail = match (summary.records.filtered, summary.records.recognised, empty) {
            (0, 0, 0) => String::new(),
            (filtered, recognised, empty) => {
                format!(": {filtered} filtered, {recognised} recognised, {} empty", plural(empty as u64, "file"))
            }
        };
        fails.push(format!("nothing was judged{detail} (try: `--allow-empty` if that is expected)"));
    }
    for (policy, counts) in policies.iter().zip(counts).filter(|(policy, _)| request.named.contains(&*policy.id)) {
        let is_event = &*policy.header.judges == CLOUDTRAIL;
        let none_of_kind = if is_event { summary.records.events == 0 } else { counts.asked == 0 };
        let filtered = if summary.records.filtered > 0 { " (but for what was filtered out)" } else { "" };
        if none_of_kind && !request.allow_empty {
            fails.push(format!(
                "`{}` never ran: there is nothing of the kind `{}` in the input{filtered}",
                policy.id, policy.header.judges
            ));
        } else if counts.asked > 0 && counts.not_evaluated == counts.asked {
            fails.push(format!(
                "`{}` never ran: none of the {} it was asked about could be evaluated",
                policy.id,
                plural(counts.asked, "record")
            ));
        }
    }
    if request.strict && summary.not_evaluated > 0 {
        fails.push(format!("{} not evaluated, and `--strict`", plural(summary.not_evaluated, "record")));
    }
    if !fails.is_empty() {
        return Exit { code: 2, reasons: fails };
    }
    let Some(least) = request.fail_on else { return Exit { code: 0, reasons: Vec::new() } };
    let failing =
        findings.iter().filter(|finding| finding.standing == Standing::New && finding.severity >= least).count() as u64;
    if failing == 0 {
        return Exit { code: 0, reasons: Vec::new() };
    }
    Exit { code: 1, reasons: vec![format!("{} of severity {} or above", plural(failing, "new finding"), least.word())] }
}

fn plural(count: u64, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}
