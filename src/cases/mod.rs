//! Runs the cases beside a policy: named records, and what the policy must say about them.

mod check;
mod patch;

use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

pub use self::check::check;

use crate::diagnostic::{Diagnostic, SourceText};
use crate::engine::{self, Outcome, Request};
use crate::finding::Finding;
use crate::input;
use crate::inventory::{Builder, Collected};
use crate::policy::{Overrides, Pack, Policy};
use crate::record::{CLOUDTRAIL, Record, Scope};
use crate::script::{Limits, parse_time};
use crate::yaml::Yaml;

/// Whose a case's resources are, unless it says otherwise.
const ACCOUNT: &str = "111122223333";
/// Where a case's resources are, unless it says otherwise.
const REGION: &str = "us-east-1";
/// The time of a case, unless it says otherwise.
const NOW: &str = "2024-05-14T12:00:00Z";

/// How a case went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseResult {
    /// Its name.
    pub name: String,
    /// What it expects: `fires`, `silent`, `not_evaluated` or `fault`.
    pub expect: String,
    /// In what the policy differs from what is expected; empty when the case passes.
    pub problems: Vec<String>,
}

/// The file of a policy's cases, which need not be there.
pub fn file_of(policy: &str) -> std::path::PathBuf {
    Path::new(policy).with_extension("cases.yaml")
}

/// Runs the cases in `source` against the policy `id` of a pack.
///
/// # Errors
/// Every mistake in the cases' text.
pub fn run(
    pack: &Pack,
    id: &str,
    source: &Arc<SourceText>,
    limits: &Limits,
) -> Result<Vec<CaseResult>, Vec<Diagnostic>> {
    let tree = check::parse(source)?;
    let Some(pack) = pack.only(id) else {
        return Err(vec![Diagnostic::error(
            "cases",
            source,
            0..0,
            format!("these are the cases of `{id}`, which is no policy of the pack"),
        )]);
    };
    let cases = tree.get("cases").map(Yaml::items).unwrap_or_default();
    let mut names = std::collections::BTreeSet::new();
    let mut results = Vec::new();
    for case in cases {
        let text = |key: &str| case.get(key).and_then(Yaml::raw).unwrap_or_default().to_owned();
        let mut result = CaseResult { name: text("name"), expect: text("expect"), problems: Vec::new() };
        if !names.insert(result.name.clone()) {
            result.problems.push("another case has the same name".to_owned());
        }
        let judged = judge(&pack, id, case, tree.get("records"), limits).and_then(|outcome| {
            let findings = outcome.findings.to_vec().map_err(|error| error.to_string())?;
            Ok((outcome, findings))
        });
        match judged {
            Ok((outcome, findings)) => compare(case, &outcome, &findings, &mut result.problems),
            Err(problem) => result.problems.push(problem),
        }
        results.push(result);
    }
    Ok(results)
}

/// Judges the records of a case by the policy, with the case's params, inventory and time.
fn judge(pack: &Pack, id: &str, case: &Yaml, named: Option<&Yaml>, limits: &Limits) -> Result<Outcome, String> {
    let mut overrides = Overrides::default();
    for (param, value) in case.get("params").map(Yaml::members).unwrap_or_default() {
        overrides.add_param(id, &param.name, value.clone());
    }
    let packs = pack
        .check(&overrides, limits)
        .map_err(|mistakes| mistakes.iter().map(|mistake| mistake.message.clone()).collect::<Vec<_>>().join("; "))?;
    packs.accepts(&overrides).map_err(|error| error.to_string())?;
    let Some(policy) = packs.get(id) else { return Err(format!("no policy `{id}`")) };
    let records = records(policy, case, named)?;
    let scope = records.first().map(|record| record.scope.clone()).unwrap_or_default();
    let mut builder = Builder::default();
    for (kind, resources) in case.get("inventory").map(Yaml::members).unwrap_or_default() {
        if !crate::schema::is_kind(&kind.name) {
            return Err(format!("no inventory kind `{}`", kind.name));
        }
        builder.note_collected(&kind.name.as_str().into(), scope.clone(), Collected::Whole);
        for resource in resources.items() {
            builder.add(input::inventory::resource(&kind.name, &resource.to_json(), scope.clone()));
        }
    }
    let (inventory, contradictions) = builder.finish();
    if let Some(fault) = contradictions.first() {
        return Err(fault.reason.clone());
    }
    let mut request = Request::new(std::iter::empty::<&str>());
    request.limits = limits.clone();
    let now = case.get("now").and_then(Yaml::raw).unwrap_or(NOW);
    request.now = parse_time(now).ok_or_else(|| format!("`{now}` is no time"))?;
    engine::judge(&packs, &records, inventory, &request).map_err(|error| error.to_string())
}

/// The records of a case, as a scan would read them.
fn records(policy: &Policy, case: &Yaml, named: Option<&Yaml>) -> Result<Vec<Record>, String> {
    let given: Vec<&Yaml> = match (case.get("record"), case.get("records")) {
        (Some(one), None) => vec![one],
        (None, Some(several)) => several.items().iter().collect(),
        _ => return Err("a case has either `record` or `records`".to_owned()),
    };
    let scope = Scope {
        account: Some(case.get("account").and_then(Yaml::raw).unwrap_or(ACCOUNT).into()),
        region: Some(case.get("region").and_then(Yaml::raw).unwrap_or(REGION).into()),
    };
    let mut records = Vec::new();
    for record in given {
        let mut value = match record.raw() {
            Some(name) => {
                named.and_then(|named| named.get(name)).ok_or_else(|| format!("no record `{name}`"))?.to_json()
            }
            None => record.to_json(),
        };
        for (path, with) in case.get("with").map(Yaml::members).unwrap_or_default() {
            patch::put(&mut value, &path.name, with.to_json())?;
        }
        for path in case.get("without").map(Yaml::items).unwrap_or_default() {
            patch::remove(&mut value, path.raw().unwrap_or_default())?;
        }
        if &*policy.header.judges == CLOUDTRAIL {
            let (events, faults) = input::events("case", value.to_string().into_bytes());
            if let Some(fault) = faults.first() {
                return Err(format!("the record cannot be read: {}", fault.reason));
            }
            if events.is_empty() {
                return Err("the record is no CloudTrail event".to_owned());
            }
            records.extend(events);
        } else {
            records.push(input::inventory::resource(&policy.header.judges, &value, scope.clone()));
        }
    }
    Ok(records)
}

/// Says in what the outcome differs from what the case expects.
fn compare(case: &Yaml, outcome: &Outcome, findings: &[Finding], problems: &mut Vec<String>) {
    let expect = case.get("expect").and_then(Yaml::raw).unwrap_or_default();
    let summary = &outcome.summary;
    let happened = match (summary.findings.total, summary.not_evaluated, summary.faults) {
        (1.., _, _) => "fires",
        (0, 0, 1..) => "fault",
        (0, 1.., _) => "not_evaluated",
        (0, 0, 0) => "silent",
    };
    if happened != expect {
        let told: Vec<String> = findings
            .iter()
            .map(|finding| finding.title.clone())
            .chain(outcome.not_evaluated.iter().map(|row| row.reason.clone()))
            .collect();
        problems.push(format!(
            "expected `{expect}`, it is `{happened}`{}",
            if told.is_empty() { String::new() } else { format!(": {}", told.join("; ")) }
        ));
    }
    if expect != "fault" {
        problems.extend(outcome.faults.iter().map(|fault| format!("fault: {}", fault.reason)));
    }
    if !(happened == "fires" && expect == "fires") {
        return;
    }
    let fits: Vec<Vec<String>> = findings.iter().map(|finding| differences(case, finding)).collect();
    if !fits.iter().any(Vec::is_empty) {
        problems.extend(fits.into_iter().next().unwrap_or_default());
    }
}

fn differences(case: &Yaml, finding: &Finding) -> Vec<String> {
    let mut differences = Vec::new();
    let mut differ = |what: &str, expected: &Value, actual: &Value| {
        if expected != actual {
            differences.push(format!("{what}: expected {expected}, it is {actual}"));
        }
    };
    let actual = [
        ("severity", Value::from(finding.severity.word())),
        ("title", Value::from(finding.title.as_str())),
        ("resources", Value::from(finding.resources.clone())),
    ];
    for (key, actual) in &actual {
        if let Some(expected) = case.get(key) {
            differ(key, &expected.to_json(), actual);
        }
    }
    for (key, expected) in case.get("context").map(Yaml::members).unwrap_or_default() {
        let actual = finding.context.get(&key.name).unwrap_or(&Value::Null);
        differ(&format!("context.{}", key.name), &expected.to_json(), actual);
    }
    differences
}
