//! Runs one policy on one record, and nothing else; pure, so it may run in parallel.
//!
//! *Law*: after `matches` is true nothing loses the finding. A hook that fails leaves its default, and a fault.

use serde_json::Value;

use crate::finding::{Duplicates, Facts, Finding, Severity, Standing, fingerprint};
use crate::inventory::{Collected, Inventory};
use crate::policy::Policy;
use crate::record::{CLOUDTRAIL, Record};
use crate::script::{Runtime, Stop, Verdict as Known};

/// What a policy says about a record that its `when` admits.
#[derive(Debug)]
pub enum Verdict {
    /// Nothing to tell.
    Silent,
    /// Something to tell, and what failed while it was put into words.
    Finding(Box<Finding>, Vec<String>),
    /// The record could not be judged, for this reason.
    NotEvaluated(String),
    /// The policy failed, for this reason.
    Fault(String),
}

/// Judges a record by the policy at `index` of the runtime, whose script is known to answer so.
pub(super) fn evaluate(
    policy: &Policy,
    index: usize,
    known: Known,
    runtime: &mut Runtime,
    inventory: &Inventory,
    record: &Record,
) -> Verdict {
    for kind in &policy.header.needs {
        let reason = match inventory.collected(kind, &record.scope) {
            Collected::Whole | Collected::Partial => continue,
            Collected::Refused => format!("collecting inventory `{kind}` was refused"),
            Collected::No => format!("inventory `{kind}` was not collected"),
        };
        return Verdict::NotEvaluated(reason);
    }
    match known {
        Known::True => return tell(policy, index, runtime, record),
        Known::False | Known::Excluded => return Verdict::Silent,
        Known::Unknown => {}
    }
    match runtime.call(index, &policy.script, "matches", record) {
        Ok(Value::Bool(false)) => Verdict::Silent,
        Ok(Value::Bool(true)) => tell(policy, index, runtime, record),
        Ok(other) => Verdict::Fault(format!("`matches` answered {}, not true or false", kind_of(&other))),
        Err(Stop::NotEvaluated(reason)) => Verdict::NotEvaluated(reason),
        Err(Stop::Fault(reason)) => Verdict::Fault(format!("`matches` {reason}")),
    }
}

/// Puts a finding into words.
fn tell(policy: &Policy, index: usize, runtime: &mut Runtime, record: &Record) -> Verdict {
    let mut faults = Vec::new();
    let mut ask = |hook: &'static str, fits: fn(&Value) -> bool, wanted: &str| -> Option<Value> {
        if !policy.script.hooks.contains(hook) {
            return None;
        }
        match runtime.answer(index, &policy.script, hook, record) {
            Ok(Value::Null) => None,
            Ok(answer) if fits(&answer) => Some(answer),
            Ok(other) => {
                faults.push(format!("`{hook}` answered {}, not {wanted}", kind_of(&other)));
                None
            }
            Err(Stop::NotEvaluated(reason) | Stop::Fault(reason)) => {
                faults.push(format!("`{hook}` {reason}"));
                None
            }
        }
    };
    let context = ask("context", Value::is_object, "a map").unwrap_or_else(|| Value::Object(serde_json::Map::new()));
    let title = ask("title", Value::is_string, "text");
    let severity = ask(
        "severity",
        |answer| answer.as_str().and_then(Severity::from_word).is_some(),
        "one of info, low, medium, high, critical",
    );
    let resources = ask("resources", Value::is_array, "a list");
    let group = ask("group", Value::is_string, "text");

    let severity = policy
        .severity
        .or_else(|| severity.as_ref().and_then(Value::as_str).and_then(Severity::from_word))
        .unwrap_or(policy.header.severity);
    let resources = resources.map_or_else(|| own_resources(record), |answer| texts(&answer));
    let title =
        title.as_ref().and_then(Value::as_str).map_or_else(|| policy.header.title.fill_title(&context), str::to_owned);
    let group = group
        .as_ref()
        .and_then(Value::as_str)
        .map_or_else(|| format!("{} {}", policy.id, resources.join(" ")), str::to_owned);
    let is_event = &*record.kind == CLOUDTRAIL;
    let view = record.value.view();
    let finding = Finding {
        policy: policy.id.clone(),
        pack: policy.pack.clone(),
        severity,
        title,
        resources,
        record: Facts::of(record),
        actor: is_event.then(|| runtime.actor(&policy.script, record)),
        source_ip: view.text(&["sourceIPAddress"]).filter(|_| is_event).map(str::to_owned),
        origin: record.origin.clone(),
        duplicates: Duplicates::default(),
        remediation: policy.header.remediation.fill(&context),
        context,
        group,
        standing: Standing::New,
        fingerprint: fingerprint(&policy.pack, &policy.id, record),
        tags: policy.header.tags.clone(),
        references: policy.header.references.clone(),
    };
    Verdict::Finding(Box::new(finding), faults)
}

/// What CloudTrail lists for the event, or the resource's own id.
fn own_resources(record: &Record) -> Vec<String> {
    if &*record.kind != CLOUDTRAIL {
        return record.id.iter().map(ToString::to_string).collect();
    }
    let listed = record.value.view().get("resources");
    let arns = |item: crate::record::Ref<'_>| item.text(&["ARN"]).map(str::to_owned);
    listed.map(|list| list.items().filter_map(arns).collect()).unwrap_or_default()
}

/// The scalars of a list as text; `null` is left out.
fn texts(list: &Value) -> Vec<String> {
    let text = |item: &Value| match item {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    };
    list.as_array().into_iter().flatten().filter_map(text).collect()
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "`()`",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}
