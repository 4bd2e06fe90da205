//! SARIF 2.1.0, which code-scanning services read: one result a finding, written as it is read.
//!
//! Written by hand: the crates for SARIF hold a whole log in memory, and findings need not fit there.
//! <https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/sarif-v2.1.0-os.html>

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde_json::{Value, json};

use super::json::one_line;
use crate::engine::{NotEvaluated, Outcome, Problem, Unused};
use crate::finding::{Finding, Severity, Standing};
use crate::policy::{Checked, Policy};
use crate::record::Origin;

pub(super) fn write(outcome: &Outcome, packs: &Checked, out: &mut dyn Write) -> io::Result<()> {
    let mut places: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut rules = Vec::new();
    for policy in packs.policies() {
        // Of policies that are called alike the first counts, as it does everywhere.
        places.entry((&policy.pack, &policy.id)).or_insert_with(|| {
            rules.push(rule(policy));
            rules.len() - 1
        });
    }
    let driver = json!({
        "name": "Lawbook",
        "semanticVersion": env!("CARGO_PKG_VERSION"),
        "rules": rules,
    });
    let (schema, version) = ("https://json.schemastore.org/sarif-2.1.0.json", "2.1.0");
    write!(out, "{{\"$schema\":\"{schema}\",\"version\":\"{version}\",\"runs\":[{{")?;
    write!(out, "\"tool\":{{\"driver\":{}}},\"results\":[", one_line(&driver))?;
    for (at, finding) in outcome.findings.iter().enumerate() {
        let finding = finding.map_err(io::Error::other)?;
        let place = places.get(&(&*finding.pack, &*finding.policy)).copied();
        // What is new nobody can say who compared with nothing.
        let result = result(&finding, place, outcome.decided.is_some());
        write!(out, "{}\n{}", if at == 0 { "" } else { "," }, one_line(&result))?;
    }
    let properties = json!({ "redacted": outcome.summary.redacted, "now": outcome.summary.now });
    let (invocation, properties) = (one_line(&invocation(outcome)), one_line(&properties));
    writeln!(out, "\n],\"invocations\":[{invocation}],\"properties\":{properties}}}]}}")
}

fn rule(policy: &Policy) -> Value {
    let header = &policy.header;
    let severity = policy.severity.unwrap_or(header.severity);
    let mut rule = json!({
        "id": id(&policy.pack, &policy.id),
        "name": &*policy.id,
        "shortDescription": { "text": header.title.text.trim() },
        "help": { "text": policy.doc, "markdown": policy.doc },
        "defaultConfiguration": { "level": level(severity) },
        "properties": { "tags": &*header.tags, "security-severity": score(severity) },
    });
    let finds = policy.section("What it finds");
    if !finds.is_empty() {
        rule["fullDescription"] = json!({ "text": finds });
    }
    if let Some(reference) = header.references.first() {
        rule["helpUri"] = reference.as_str().into();
    }
    rule
}

/// A policy's id among those of all packs.
fn id(pack: &str, policy: &str) -> String {
    format!("{pack}/{policy}")
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "note",
    }
}

/// What GitHub sorts by, and shows as critical, high, medium or low.
fn score(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "2.0",
        Severity::Info => "0.0",
    }
}

fn result(finding: &Finding, rule: Option<usize>, is_compared: bool) -> Value {
    let mut place = location(&finding.origin);
    if !finding.resources.is_empty() {
        let resource = |id: &String| json!({ "fullyQualifiedName": id, "kind": "resource" });
        place["logicalLocations"] = finding.resources.iter().map(resource).collect();
    }
    let mut result = json!({
        "ruleId": id(&finding.pack, &finding.policy),
        "level": level(finding.severity),
        "message": { "text": message(&finding.title) },
        "locations": [place],
        "partialFingerprints": { "lawbook/v1": finding.fingerprint },
        "properties": {
            "severity": finding.severity.word(),
            "enforcement": finding.enforcement.word(),
            "resources": finding.resources,
            "record": finding.record,
            "actor": finding.actor,
            "source_ip": finding.source_ip,
            "context": finding.context,
            "remediation": finding.remediation,
        },
    });
    if is_compared {
        result["baselineState"] = if finding.standing == Standing::Known { "unchanged" } else { "new" }.into();
    }
    if let Some(window) = &finding.window {
        result["properties"]["window"] = json!(window);
        result["relatedLocations"] = window.hits.iter().map(|hit| location(&hit.origin)).collect();
    }
    if !finding.notes.is_empty() {
        result["properties"]["notes"] = json!(finding.notes);
    }
    if let Some(rule) = rule {
        result["ruleIndex"] = rule.into();
    }
    if finding.standing == Standing::Waived {
        let why = finding
            .waiver
            .as_ref()
            .map(|waiver| format!("{}: {} (until {})", waiver.owner, waiver.reason, waiver.expires));
        result["suppressions"] =
            json!([{ "kind": "external", "status": "accepted", "justification": why.map(|why| message(&why)) }]);
    }
    result
}

/// Text in which nothing is a link: SARIF takes `[this](…)` for one.
fn message(text: &str) -> String {
    text.replace('\\', "\\\\").replace('[', "\\[").replace(']', "\\]")
}

fn location(origin: &Origin) -> Value {
    let mut place = json!({ "artifactLocation": { "uri": super::uri(&origin.file) } });
    // Viewers want a line; of a file without any it is the first.
    place["region"] = json!({ "startLine": origin.line.unwrap_or(1) });
    json!({ "physicalLocation": place, "message": { "text": format!("record {}", origin.position) } })
}

/// What was not judged, and whether the run can be relied on.
fn invocation(outcome: &Outcome) -> Value {
    let exit = &outcome.summary.exit;
    let notices = outcome.faults.iter().map(fault).chain(outcome.not_evaluated.iter().map(not_evaluated));
    let unused = outcome.decided.iter().flat_map(|decided| &decided.unused_waivers);
    let notices = notices.chain(unused.map(unused_waiver));
    json!({
        "executionSuccessful": exit.code < 2,
        "exitCode": exit.code,
        "exitCodeDescription": exit.reasons.join("; "),
        "toolExecutionNotifications": notices.collect::<Vec<_>>(),
    })
}

fn fault(fault: &Problem) -> Value {
    let policy = fault.policy.as_deref().map_or_else(String::new, |policy| format!("{policy}: "));
    notice("error", format!("{policy}{} ({} in all)", fault.reason, fault.count), &fault.origins)
}

fn not_evaluated(row: &NotEvaluated) -> Value {
    notice("warning", format!("{}: not evaluated: {} ({} in all)", row.policy, row.reason, row.count), &row.origins)
}

fn unused_waiver(unused: &Unused) -> Value {
    let text = message(&format!("a waiver excuses nothing: {}", unused.sentence()));
    let region = json!({ "startLine": unused.line });
    let place = json!({ "artifactLocation": { "uri": super::uri(&unused.file) }, "region": region });
    json!({ "level": "warning", "message": { "text": text }, "locations": [{ "physicalLocation": place }] })
}

fn notice(level: &str, text: String, origins: &[Origin]) -> Value {
    json!({ "level": level, "message": { "text": message(&text) }, "locations": origins.iter().map(location).collect::<Vec<_>>() })
}
