//! OCSF 1.5.0, one event a line: a Detection Finding for what happened, a Compliance Finding for what is.
//!
//! <https://schema.ocsf.io/1.5.0/classes/detection_finding>, <https://schema.ocsf.io/1.5.0/classes/compliance_finding>;
//! members of the profile `cloud` say whose it is and where.

use std::io::{self, Write};
use std::net::IpAddr;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::attack::{self, Attack};
use super::json::one_line;
use crate::engine::Outcome;
use crate::finding::{Finding, Remediation, Severity, Standing};
use crate::policy::{Checked, Policy};
use crate::principal::Principal;
use crate::record::CLOUDTRAIL;

const VERSION: &str = "1.5.0";

/// `type_id` of an account: an AWS account.
const AWS_ACCOUNT: u8 = 10;

pub(super) fn write(outcome: &Outcome, packs: &Checked, out: &mut dyn Write) -> io::Result<()> {
    let now = outcome.summary.now.parse::<Timestamp>().map_err(io::Error::other)?;
    for finding in &outcome.findings {
        let finding = finding.map_err(io::Error::other)?;
        let policy = packs.of(&finding.pack, &finding.policy);
        writeln!(out, "{}", one_line(&event(&finding, policy, now)))?;
    }
    Ok(())
}

fn event(finding: &Finding, policy: Option<&Policy>, now: Timestamp) -> Value {
    let is_event = &*finding.record.kind == CLOUDTRAIL;
    let (class, class_name) = if is_event { (2004, "Detection Finding") } else { (2003, "Compliance Finding") };
    // What a baseline knows was told before.
    let (activity, activity_name) = if finding.standing == Standing::Known { (2, "Update") } else { (1, "Create") };
    let (severity, severity_name) = severity(finding.severity);
    let (status, status_name) = match finding.standing {
        Standing::New => (1, "New"),
        Standing::Waived => (3, "Suppressed"),
        Standing::Known => (99, "Known"),
    };
    let time = finding.record.time.as_deref().and_then(millis).unwrap_or(now.as_millisecond());
    let mut event = json!({
        "activity_id": activity,
        "activity_name": activity_name,
        "category_uid": 2,
        "category_name": "Findings",
        "class_uid": class,
        "class_name": class_name,
        "type_uid": class * 100 + activity,
        "type_name": format!("{class_name}: {activity_name}"),
        "time": time,
        "severity_id": severity,
        "severity": severity_name,
        "status_id": status,
        "status": status_name,
        "message": finding.title,
        "metadata": metadata(finding),
        "finding_info": info(finding, policy, time, now),
        "cloud": cloud(finding),
        "resources": resources(finding),
        "unmapped": unmapped(finding),
    });
    if let Some(remediation) = remediation(finding) {
        event["remediation"] = remediation;
    }
    if let Some(waiver) = &finding.waiver {
        event["comment"] = format!("{}: {} (until {})", waiver.owner, waiver.reason, waiver.expires).into();
    }
    if let Some(window) = &finding.window {
        event["count"] = window.count.into();
        for (name, time) in [("start_time", &window.first), ("end_time", &window.last)] {
            if let Some(time) = millis(time) {
                event[name] = time.into();
            }
        }
    }
    let observables = observables(finding);
    if !observables.is_empty() {
        event["observables"] = observables.into();
    }
    if is_event {
        event["is_alert"] = (finding.standing == Standing::New).into();
        event["evidences"] = json!([evidence(finding)]);
        event["api"] = api(finding);
    } else {
        event["compliance"] = compliance(finding, policy);
    }
    without_nothing(&mut event);
    event
}

fn severity(severity: Severity) -> (u8, &'static str) {
    match severity {
        Severity::Info => (1, "Informational"),
        Severity::Low => (2, "Low"),
        Severity::Medium => (3, "Medium"),
        Severity::High => (4, "High"),
        Severity::Critical => (5, "Critical"),
    }
}

fn millis(time: &str) -> Option<i64> {
    time.parse::<Timestamp>().ok().map(Timestamp::as_millisecond)
}

fn metadata(finding: &Finding) -> Value {
    json!({
        "version": VERSION,
        "profiles": ["cloud"],
        "uid": finding.fingerprint,
        "event_code": &*finding.policy,
        "labels": &*finding.tags,
        "log_name": &*finding.origin.file,
        "log_provider": &*finding.record.kind,
        "original_time": finding.record.time,
        "product": { "name": "Lawbook", "vendor_name": "Lawbook", "version": env!("CARGO_PKG_VERSION") },
    })
}

fn info(finding: &Finding, policy: Option<&Policy>, time: i64, now: Timestamp) -> Value {
    let window = finding.window.as_ref();
    let attacks: Vec<Value> = attack::of(&finding.tags)
        .map(|attack| match attack {
            Attack::Technique(id, None) => json!({ "technique": { "uid": id }, "version": attack::VERSION }),
            Attack::Technique(id, sub) => {
                json!({ "technique": { "uid": id }, "sub_technique": { "uid": sub }, "version": attack::VERSION })
            }
            Attack::Tactic(name, id) => json!({ "tactic": { "name": name, "uid": id }, "version": attack::VERSION }),
        })
        .collect();
    json!({
        "uid": finding.fingerprint,
        "title": finding.title,
        "desc": policy.map(|policy| policy.section("What it finds")).filter(|text| !text.is_empty()),
        "created_time": now.as_millisecond(),
        "first_seen_time": window.and_then(|window| millis(&window.first)).unwrap_or(time),
        "last_seen_time": window.and_then(|window| millis(&window.last)).unwrap_or(time),
        "data_sources": [&*finding.record.kind],
        "types": [&*finding.policy],
        "src_url": finding.references.first(),
        "attacks": if attacks.is_empty() { Value::Null } else { attacks.into() },
        "analytic": {
            "type_id": 1,
            "type": "Rule",
            "uid": format!("{}/{}", finding.pack, finding.policy),
            "name": policy.map_or(&*finding.policy, |policy| policy.header.title.text.trim()),
            "category": &*finding.pack,
        },
    })
}

fn account(id: Option<&str>) -> Value {
    id.map_or(Value::Null, |id| json!({ "uid": id, "type": "AWS Account", "type_id": AWS_ACCOUNT }))
}

fn cloud(finding: &Finding) -> Value {
    let record = &finding.record;
    json!({ "provider": "AWS", "account": account(record.account.as_deref()), "region": record.region })
}

fn api(finding: &Finding) -> Value {
    let record = &finding.record;
    json!({ "operation": record.name.as_deref().unwrap_or("unknown"), "service": { "name": record.source } })
}

fn resources(finding: &Finding) -> Value {
    let record = &finding.record;
    let is_event = &*record.kind == CLOUDTRAIL;
    let own = record.id.as_deref().filter(|_| !is_event && finding.resources.is_empty());
    let ids = finding.resources.iter().map(String::as_str).chain(own);
    let one = |id: &str| {
        json!({
            "uid": id,
            "type": if is_event { kind_of(id) } else { Some(&*record.kind) },
            "region": record.region,
            "owner": { "account": account(record.account.as_deref()) },
        })
    };
    ids.map(one).collect()
}

/// The service of an ARN, or what an id begins with.
fn kind_of(id: &str) -> Option<&str> {
    let mut parts = id.split(':');
    if parts.next() == Some("arn") { parts.nth(1).filter(|service| !service.is_empty()) } else { None }
}

fn remediation(finding: &Finding) -> Option<Value> {
    let Remediation { console, cli, python, .. } = &finding.remediation;
    let forms = [("Console", console), ("AWS CLI", cli), ("Python", python)];
    let told =
        forms.into_iter().filter_map(|(name, form)| form.as_ref().map(|form| format!("{name}:\n{}", form.trim())));
    let desc = told.collect::<Vec<_>>().join("\n\n");
    (!desc.is_empty()).then(|| json!({ "desc": desc, "references": &*finding.references }))
}

fn evidence(finding: &Finding) -> Value {
    json!({
        "actor": finding.actor.as_ref().map(actor),
        "api": api(finding),
        "src_endpoint": finding.source_ip.as_deref().map(|from| match from.parse::<IpAddr>() {
            Ok(_) => json!({ "ip": from }),
            Err(_) => json!({ "svc_name": from }),
        }),
        "uid": finding.record.id,
        "data": finding.context,
    })
}

fn actor(principal: &Principal) -> Value {
    let kind = principal.kind.as_deref();
    let (type_id, type_name) = match kind {
        Some("IAMUser" | "IdentityCenterUser" | "SAMLUser" | "WebIdentityUser") => (1, kind),
        Some("Root") => (2, kind),
        Some("AWSService") => (3, kind),
        Some(_) => (99, kind),
        None => (0, None),
    };
    let is_known = principal.name.is_some() || principal.arn.is_some() || principal.account.is_some();
    let user = json!({
        "name": principal.name,
        "uid": principal.arn,
        "type_id": type_id,
        "type": type_name,
        "account": account(principal.account.as_deref()),
        "credential_uid": principal.access_key,
        "has_mfa": principal.mfa,
    });
    let session = json!({ "uid": principal.session, "issuer": principal.role, "is_mfa": principal.mfa });
    json!({
        "user": if is_known { user } else { Value::Null },
        "session": if principal.session.is_some() { session } else { Value::Null },
        "app_name": principal.service,
    })
}

fn compliance(finding: &Finding, policy: Option<&Policy>) -> Value {
    let requirements: Vec<&String> =
        finding.tags.iter().filter(|tag| tag.starts_with("cis.") || tag.starts_with("fsbp.")).collect();
    let has = |prefix: &str| requirements.iter().any(|tag| tag.starts_with(prefix));
    let mut standards = Vec::new();
    for (prefix, name) in
        [("cis.", "CIS AWS Foundations Benchmark"), ("fsbp.", "AWS Foundational Security Best Practices")]
    {
        standards.extend(has(prefix).then_some(name));
    }
    json!({
        "status_id": 3,
        "status": "Fail",
        "status_details": [finding.title],
        "control": format!("{}/{}", finding.pack, finding.policy),
        "desc": policy.map(|policy| policy.section("Why it matters")).filter(|text| !text.is_empty()),
        "standards": standards,
        "requirements": requirements,
    })
}

fn observables(finding: &Finding) -> Vec<Value> {
    let mut all = Vec::new();
    let mut add = |name: &str, type_id: u8, kind: &str, value: &str| {
        all.push(json!({ "name": name, "type_id": type_id, "type": kind, "value": value }));
    };
    if let Some(from) = finding.source_ip.as_deref().filter(|from| from.parse::<IpAddr>().is_ok()) {
        add("evidences[].src_endpoint.ip", 2, "IP Address", from);
    }
    if let Some(name) = finding.actor.as_ref().and_then(|actor| actor.name.as_deref()) {
        add("evidences[].actor.user.name", 4, "User Name", name);
    }
    for id in &finding.resources {
        add("resources[].uid", 10, "Resource UID", id);
    }
    all
}

/// What OCSF has no place for.
fn unmapped(finding: &Finding) -> Value {
    json!({
        "standing": finding.standing,
        "group": finding.group,
        "origin": finding.origin,
        "duplicates": finding.duplicates.len(),
        "record": finding.record,
        "context": finding.context,
        "window": finding.window,
        "waiver": finding.waiver,
        "notes": finding.notes,
    })
}

/// Takes members out that are `null`, which OCSF does not have, and objects and lists that are empty without them.
fn without_nothing(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.values_mut().for_each(without_nothing);
            members.retain(|_, member| !is_nothing(member));
        }
        Value::Array(items) => {
            items.iter_mut().for_each(without_nothing);
            items.retain(|item| !is_nothing(item));
        }
        _ => {}
    }
}

fn is_nothing(value: &Value) -> bool {
    value.is_null() || value.as_object().is_some_and(Map::is_empty) || value.as_array().is_some_and(Vec::is_empty)
}
