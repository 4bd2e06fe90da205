//! What a scan found, what it did not judge and why, and the exit code that follows.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;

use super::deliveries::{DELIVERIES, GAPS};
use super::duplicates::{self, Numbers};
use super::findings::{Findings, Kept};
use super::groups::{self, Subject};
use super::resolved::{Given, Judged, resolved};
use super::spans::Spans;
use super::tally::Collected;
use super::{Profile, Request, Whys};
use crate::error::Error;
use crate::finding::{Enforcement, Severity, Standing};
use crate::input::Class;
use crate::policy::{Checked, Policy, Shape};
use crate::record::{CLOUDTRAIL, Origin};
use crate::tally::Tally;

/// Everything that a scan has to tell.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The whole in numbers.
    pub summary: Summary,
    /// In input order, then in the order of policies.
    pub findings: Findings,
    /// What could not be judged, by policy, reason and scope. Where those are too many to list, a last row for the policy
    /// counts the rest.
    pub not_evaluated: Vec<NotEvaluated>,
    /// What could not be processed, by stage, reason and file or policy. Where those are too many to list, a last row for
    /// the stage or the policy counts the rest.
    pub faults: Vec<Problem>,
    /// What became of waivers and of the baseline, if there are any.
    pub decided: Option<Decided>,
    /// Files that were not read, with the reason.
    pub skipped: Vec<(Arc<str>, String)>,
    /// The verdict on every record that the policy asked about was asked of, in input order.
    pub why: Whys,
    /// Asked, found and the rest by policy, in the order of the packs.
    pub policies: Vec<PolicyCounts>,
    /// What policies cost, if that was wanted.
    pub profile: Option<Profile>,
    /// The events that were judged, counted by who made them and so on, if that was wanted.
    pub tally: Option<Tally>,
    /// The least severity of a new finding that fails the run; `None`: no finding does.
    pub fail_on: Option<Severity>,
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
    pub findings: FindingCounts,
    /// Of which times there were records, by account, where a policy asks what was before; without what `--state` remembers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<History>,
    /// Pairs of policy and record that could not be judged.
    pub not_evaluated: u64,
    /// Files, parts of files, and pairs of policy and record that failed.
    pub faults: u64,
    /// Whether there was a baseline, so that what is resolved is told.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub baseline: bool,
    /// Whether pseudonyms stand for accounts, addresses and names.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub redacted: bool,
    /// The exit code, and why.
    pub exit: Exit,
}

/// Of which times there were records of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct History {
    /// Twelve digits; `None` if nobody knows.
    pub account: Option<String>,
    /// The first `eventTime`.
    pub from: String,
    /// The last one.
    pub to: String,
}

fn history(spans: &Spans, policies: &[Policy]) -> Vec<History> {
    let asks = |policy: &Policy| policy.header.window.as_ref().is_some_and(|window| window.shape == Shape::FirstSeen);
    if !policies.iter().any(asks) {
        return Vec::new();
    }
    let of = |(account, (from, to)): (Option<&str>, (Timestamp, Timestamp))| History {
        account: account.map(str::to_owned),
        from: from.to_string(),
        to: to.to_string(),
    };
    spans.accounts().into_iter().map(of).collect()
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

impl Records {
    pub(super) fn add(&mut self, other: &Self) {
        let Self { events, resources, recognised, filtered } = other;
        self.events += events;
        self.resources += resources;
        self.recognised += recognised;
        self.filtered += filtered;
    }
}

/// Files by what became of them.
#[derive(Clone, Debug, Serialize)]
pub struct Files {
    /// Read.
    pub read: u64,
    /// Of these, how many have nothing in them, as a download that failed leaves; left out if none has.
    #[serde(skip_serializing_if = "is_none")]
    pub empty: u64,
    /// Not read: hidden, Lawbook's own, no data, or pruned by path.
    pub skipped: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_none(count: &u64) -> bool {
    *count == 0
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
pub struct FindingCounts {
    /// All of them.
    pub total: u64,
    /// By severity, from the worst.
    pub by_severity: Counts,
    /// By standing.
    pub by_standing: Counts,
    /// By severity, standing and enforcement together, also where there are none.
    #[serde(skip)]
    pub each: Vec<(Severity, Standing, Enforcement, u64)>,
    /// By whether those of the policy fail the run, or are reported and no more.
    pub by_enforcement: Counts,
}

impl FindingCounts {
    /// Those that fail no run, by what was decided about them, but for what there is none of.
    pub fn aside(&self) -> Vec<(u64, &'static str)> {
        let of = |counts: &Counts, word: &str| {
            counts.0.iter().find(|(known, _)| *known == word).map_or(0, |(_, count)| *count)
        };
        let counts = [
            (of(&self.by_standing, Standing::Waived.word()), "waived"),
            (of(&self.by_standing, Standing::Known.word()), "known"),
            (of(&self.by_enforcement, Enforcement::Report.word()), "reported only"),
        ];
        counts.into_iter().filter(|(count, _)| *count > 0).collect()
    }
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
    /// `input`, `inventory`, `waiver` or `policy`.
    pub stage: &'static str,
    /// The policy's id, if it was a policy that failed.
    pub policy: Option<Arc<str>>,
    /// Its pack.
    pub pack: Option<Arc<str>>,
    /// Why.
    pub reason: String,
    /// How many there are.
    pub count: u64,
    /// The first three.
    pub origins: Vec<Origin>,
}

/// What became of what people decided.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Decided {
    /// Waivers that are for no finding.
    pub unused_waivers: Vec<Unused>,
    /// What was there when the baseline was written, and is no more.
    pub resolved: Vec<Resolved>,
}

/// A waiver that is for no finding of this scan.
#[derive(Clone, Debug, Serialize)]
pub struct Unused {
    /// The file.
    pub file: String,
    /// 1-based line.
    pub line: usize,
    /// The policy that it names.
    pub policy: Option<String>,
    /// Who answers for it.
    pub owner: String,
    /// What seems to be wrong with it.
    pub reason: String,
}

impl Unused {
    /// What is told of it, beside where it stands.
    pub fn sentence(&self) -> String {
        format!("{}, of {}: {}", self.policy.as_deref().unwrap_or("a fingerprint"), self.owner, self.reason)
    }
}

/// A finding of the baseline that this scan would have found again, and did not.
#[derive(Clone, Debug, Serialize)]
pub struct Resolved {
    /// What it was known by.
    pub fingerprint: String,
    /// The name of the pack.
    pub pack: String,
    /// The policy's id.
    pub policy: String,
    /// Its title, then.
    pub title: String,
    /// When it was first written.
    pub since: String,
}

/// What became of what people decided; `None` if nobody did.
fn decided(
    request: &Request,
    used: &BTreeSet<usize>,
    given: &Given<'_>,
    judged: &Judged<'_>,
) -> Result<Option<Decided>, Error> {
    let triage = &request.triage;
    if triage.waivers.is_none() && triage.baseline.is_none() {
        return Ok(None);
    }
    let is_named = |policy: &Policy, name: &str| policy.names().iter().any(|known| known == name);
    let mut decided = Decided::default();
    if let Some(waivers) = &triage.waivers {
        for (_, waiver) in waivers.waivers.iter().enumerate().filter(|(at, _)| !used.contains(at)) {
            let policy = waiver.policy.as_deref();
            let is_known = policy.is_none_or(|name| judged.policies.iter().any(|policy| is_named(policy, name)));
            let reason =
                if is_known { "no finding is one that it is for" } else { "no policy that was loaded has that name" };
            decided.unused_waivers.push(Unused {
                file: waivers.file.clone(),
                line: waiver.line,
                policy: waiver.policy.clone(),
                owner: waiver.owner.clone(),
                reason: reason.to_owned(),
            });
        }
    }
    let Some(baseline) = &triage.baseline else { return Ok(Some(decided)) };
    decided.resolved = resolved(baseline, given, judged)?;
    Ok(Some(decided))
}

/// What became of the records that a policy was asked about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PolicyCounts {
    /// Records that its `when` admits.
    pub asked: u64,
    /// Records on which it fired; of a policy with a window how often that opened.
    pub findings: u64,
    /// Records that bear on its window, if it has one, and could be judged.
    pub hits: u64,
    /// Records on which it had nothing to tell.
    pub silent: u64,
    /// Records that it could not judge.
    pub not_evaluated: u64,
    /// Records on which it failed.
    pub faults: u64,
}

impl PolicyCounts {
    /// Records of which its `matches` was true: what a window finds is no verdict on a record, but its hits are.
    pub fn matched(&self, has_window: bool) -> u64 {
        if has_window { self.hits } else { self.findings }
    }

    pub(super) fn add(&mut self, other: &Self) {
        let Self { asked, findings, hits, silent, not_evaluated, faults } = other;
        self.asked += asked;
        self.findings += findings;
        // One thread may take back what another counted.
        self.hits = self.hits.wrapping_add(*hits);
        self.silent += silent;
        self.not_evaluated += not_evaluated;
        self.faults += faults;
    }
}

/// Puts the outcome together and decides the exit code.
pub(super) fn write(
    collected: Collected,
    packs: &Checked,
    request: &Request,
    given: &Given<'_>,
) -> Result<Outcome, Error> {
    let Given { files, lookup_only, .. } = given;
    let policies = packs.policies();
    let Collected { spans, used, records, policies: counts, profile, map, same, findings, identities, groups, why } =
        collected;
    let memory = request.memory / 4;
    let (numbers, edits) =
        duplicates::compare(&identities, &map, memory, |fingerprint| request.triage.is_known(fingerprint))?;
    drop(identities);
    let (mut not_evaluated, mut faults) = (Vec::new(), Vec::new());
    for groups::Row { subject, reason, scope, count, origins } in groups::rows(&groups, &map, groups::MOST)? {
        let (stage, policy, pack) = match subject {
            Subject::NotEvaluated(at) => {
                let Some(policy) = policies.get(at as usize) else { continue };
                not_evaluated.push(NotEvaluated {
                    policy: Arc::clone(&policy.id),
                    pack: Arc::clone(&policy.pack),
                    reason,
                    account: scope.account,
                    region: scope.region,
                    count,
                    origins,
                });
                continue;
            }
            Subject::Input => ("input", None, None),
            Subject::Inventory => ("inventory", None, None),
            Subject::Waiver => ("waiver", None, None),
            Subject::Policy(pack, id) => ("policy", Some(id), Some(pack)),
        };
        faults.push(Problem { stage, policy, pack, reason, count, origins });
    }
    let skipped: Vec<(Arc<str>, String)> = files
        .skipped
        .iter()
        .chain(&lookup_only.skipped)
        .map(|skipped| (Arc::clone(&skipped.name), skipped.reason.to_string()))
        .collect();
    let mut summary = Summary {
        now: request.now.to_string(),
        records,
        files: Files {
            read: (files.files.len() + lookup_only.files.len()) as u64,
            empty: files.files.iter().chain(&lookup_only.files).filter(|file| file.class == Class::Empty).count()
                as u64,
            skipped: skipped.len() as u64,
        },
        policies: Policies {
            loaded: policies.len() as u64,
            asked: counts.iter().filter(|counts| counts.asked > 0).count() as u64,
        },
        findings: count(&numbers),
        history: history(&spans, policies),
        not_evaluated: not_evaluated.iter().map(|row| row.count).sum(),
        faults: faults.iter().map(|row| row.count).sum(),
        baseline: request.triage.baseline.is_some(),
        redacted: false,
        exit: Exit { code: 0, reasons: Vec::new() },
    };
    let why = Whys::new(why, Arc::clone(&map));
    let findings: Findings = Kept { len: summary.findings.total, stored: findings, edits, map, same, memory }.into();
    let judged =
        Judged { policies, counts: &counts, not_evaluated: &not_evaluated, faults: &faults, findings: &findings };
    let decided = decided(request, &used, given, &judged)?;
    summary.exit = exit(&summary, request, policies, &counts, &numbers, given, decided.as_ref());
    Ok(Outcome {
        summary,
        findings,
        not_evaluated,
        faults,
        decided,
        skipped,
        why,
        policies: counts,
        profile,
        tally: None,
        fail_on: request.fail_on,
    })
}

fn count(numbers: &Numbers) -> FindingCounts {
    let of = |severity: Severity| (severity.word(), numbers.count(|is, _, _| is == severity));
    let standing = |standing: Standing| (standing.word(), numbers.count(|_, is, _| is == standing));
    let enforcement = |one: Enforcement| (one.word(), numbers.count(|_, _, is| is == one));
    let pairs = Severity::ALL.into_iter().rev().flat_map(|is| Standing::ALL.map(|of| (is, of)));
    let kinds = pairs.flat_map(|(is, of)| Enforcement::ALL.map(|by| (is, of, by)));
    FindingCounts {
        total: numbers.count(|_, _, _| true),
        by_severity: Counts(Severity::ALL.into_iter().rev().map(of).collect()),
        by_standing: Counts(Standing::ALL.into_iter().map(standing).collect()),
        by_enforcement: Counts(Enforcement::ALL.into_iter().map(enforcement).collect()),
        each: kinds.map(|kind| (kind.0, kind.1, kind.2, numbers.count(|is, of, by| (is, of, by) == kind))).collect(),
    }
}

/// Of the resources that were judged, those that count: what only the names of log files tell is nothing, if nobody asked for
/// it and nothing is found there. They may be all that is left of logs that stopped.
fn judged_resources(summary: &Summary, request: &Request, policies: &[Policy], given: &Given<'_>) -> u64 {
    let is_of_names = |kind: &str| kind == DELIVERIES || kind == GAPS;
    let is_named = |policy: &&Policy| request.named.iter().any(|name| policy.is(name));
    let is_wanted = policies.iter().filter(is_named).any(|policy| is_of_names(&policy.header.judges));
    if is_wanted || summary.findings.total > 0 {
        return summary.records.resources;
    }
    let of_names = given.inventory.records().filter(|record| is_of_names(&record.kind)).count();
    summary.records.resources.saturating_sub(of_names as u64)
}

/// 2 beats 1 beats 0.
fn exit(
    summary: &Summary,
    request: &Request,
    policies: &[Policy],
    counts: &[PolicyCounts],
    numbers: &Numbers,
    given: &Given<'_>,
    decided: Option<&Decided>,
) -> Exit {
    let mut fails = Vec::new();
    if summary.faults > 0 {
        fails.push(plural(summary.faults, "fault"));
    }
    if summary.records.events == 0 && !request.allow_empty && judged_resources(summary, request, policies, given) == 0 {
        let empty = given.files.files.iter().filter(|file| file.class == Class::Empty).count();
        let detail = match (summary.records.filtered, summary.records.recognised, empty) {
            (0, 0, 0) => String::new(),
            (filtered, recognised, empty) => {
                format!(": {filtered} filtered, {recognised} recognised, {} empty", plural(empty as u64, "file"))
            }
        };
        let done = if request.logs_only { "counted" } else { "judged" };
        fails.push(format!("nothing was {done}{detail} (try: `--allow-empty` if that is expected)"));
    }
    for (policy, counts) in
        policies.iter().zip(counts).filter(|(policy, _)| request.named.iter().any(|name| policy.is(name)))
    {
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
    let unused = decided.map_or(0, |decided| decided.unused_waivers.len() as u64);
    if request.strict && unused > 0 {
        let verb = if unused == 1 { "excuses" } else { "excuse" };
        fails.push(format!("{} {verb} nothing, and `--strict`", plural(unused, "waiver")));
    }
    if !fails.is_empty() {
        return Exit { code: 2, reasons: fails };
    }
    let Some(least) = request.fail_on else { return Exit { code: 0, reasons: Vec::new() } };
    let failing = numbers.count(|severity, standing, enforcement| {
        standing == Standing::New && enforcement == Enforcement::Fail && severity >= least
    });
    if failing == 0 {
        return Exit { code: 0, reasons: Vec::new() };
    }
    Exit { code: 1, reasons: vec![format!("{} of severity {} or above", plural(failing, "new finding"), least.word())] }
}

fn plural(count: u64, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}
