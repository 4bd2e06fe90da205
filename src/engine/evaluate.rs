//! Runs one policy on one record, or on the hits of a window, and nothing else; pure, so it may run in parallel.
//!
//! *Law*: after `matches` is true nothing loses the finding, or the hit. A hook that fails leaves its default, and a fault.

use serde_json::Value;

use super::hits;
use crate::finding::{Duplicates, Facts, Finding, Fingerprint, Remediation, Severity, Standing, Windowed, fingerprint};
use crate::inventory::{Collected, Inventory};
use crate::policy::{Key, Policy, Shape, Window};
use crate::principal::Principal;
use crate::record::{CLOUDTRAIL, Origin, Record, Ref};
use crate::script::{Runtime, Stop, Verdict as Known};

/// Bytes of JSON that `keep` may keep of a record.
pub(super) const MOST_KEPT: usize = 16 << 10;

/// What a policy says about a record that its `when` admits.
#[derive(Debug)]
pub enum Verdict {
    /// Nothing to tell.
    Silent,
    /// Something to tell, and what failed while it was put into words.
    Finding(Box<Finding>, Vec<String>),
    /// Something that bears on the policy's window, and what failed while it was put together.
    Hit(Box<Hit>, Vec<String>),
    /// The record could not be judged, for this reason.
    NotEvaluated(String),
    /// The policy failed, for this reason.
    Fault(String),
}

/// A record that bears on a window.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit {
    /// The values of the window's keys: hits of equal ones are of one group.
    pub by: Vec<Value>,
    /// What is counted, if the window counts different values.
    pub of: Option<Value>,
    /// The number of the step that it is; 0 where there are no steps.
    pub step: u8,
    /// Who made the call.
    pub actor: Principal,
    /// What the policy keeps of the record.
    pub kept: Value,
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
    let matched = match known {
        Known::True => true,
        Known::False | Known::Excluded => return Verdict::Silent,
        Known::Unknown => match answers_yes("matches", runtime.call(index, &policy.script, "matches", record)) {
            Ok(answer) => answer,
            Err(verdict) => return verdict,
        },
    };
    match &policy.header.window {
        _ if !matched => Verdict::Silent,
        None => tell(policy, index, runtime, record),
        Some(window) => match hit(policy, window, index, runtime, record) {
            Ok(verdict) | Err(verdict) => verdict,
        },
    }
}

/// What a hook answered that must answer yes or no.
fn answers_yes(hook: &str, answer: Result<Value, Stop>) -> Result<bool, Verdict> {
    match answer {
        Ok(Value::Bool(answer)) => Ok(answer),
        Ok(other) => Err(Verdict::Fault(format!("`{hook}` answered {}, not true or false", kind_of(&other)))),
        Err(stop) => Err(stopped(hook, stop)),
    }
}

fn stopped(hook: &str, stop: Stop) -> Verdict {
    match stop {
        Stop::NotEvaluated(reason) => Verdict::NotEvaluated(reason),
        Stop::Fault(reason) => Verdict::Fault(format!("`{hook}` {reason}")),
    }
}

/// What a record that `matches` is to the policy's window.
fn hit(
    policy: &Policy,
    window: &Window,
    index: usize,
    runtime: &mut Runtime,
    record: &Record,
) -> Result<Verdict, Verdict> {
    if record.time.is_none() {
        let what = match record.value.view().text(&["eventTime"]) {
            Some(_) => "the record's `eventTime` is no time that can be read: windows are judged by it",
            None => "the record has no `eventTime`, by which windows are judged",
        };
        return Err(Verdict::NotEvaluated(what.to_owned()));
    }
    let mut step = None;
    for (number, name) in (0..).zip(&window.named.steps) {
        if answers_yes(name, runtime.answer(index, &policy.script, name, record))? {
            step = Some(number);
            break;
        }
    }
    if step.is_none() && !window.named.steps.is_empty() {
        return Ok(Verdict::Silent);
    }
    let mut value = |key: &Key| -> Result<Value, Verdict> {
        if policy.script.hooks.contains(&key.text) {
            let answer = runtime.answer(index, &policy.script, &key.text, record);
            return answer.map_err(|stop| stopped(&key.text, stop));
        }
        let found = key.path.iter().try_fold(record.value.view(), |value, name| value.get(name));
        Ok(found.map_or(Value::Null, Ref::to_json))
    };
    let mut by = Vec::with_capacity(window.by.len());
    for key in &window.by {
        match value(key)? {
            Value::Null => return Err(Verdict::NotEvaluated(format!("no group key: `{}` is absent", key.text))),
            known => by.push(known),
        }
    }
    let of = match &window.shape {
        Shape::Distinct { of, .. } => match value(of)? {
            Value::Null => return Err(Verdict::NotEvaluated(format!("nothing to count: `{}` is absent", of.text))),
            known => Some(known),
        },
        _ => None,
    };
    let mut faults = Vec::new();
    let mut kept = Value::Null;
    if policy.script.hooks.contains("keep") {
        match runtime.answer(index, &policy.script, "keep", record) {
            Ok(answer) if hits::is_deep(&answer) => {
                faults.push(format!("`keep` kept what is nested deeper than {} levels", hits::DEEPEST));
            }
            Ok(answer @ (Value::Object(_) | Value::Null)) if answer.to_string().len() <= MOST_KEPT => kept = answer,
            Ok(Value::Object(_)) => faults.push(format!("`keep` kept more than {} KiB", MOST_KEPT >> 10)),
            Ok(other) => faults.push(format!("`keep` answered {}, not a map", kind_of(&other))),
            Err(Stop::NotEvaluated(reason) | Stop::Fault(reason)) => faults.push(format!("`keep` {reason}")),
        }
    }
    let actor = runtime.actor(&policy.script, record);
    Ok(Verdict::Hit(Box::new(Hit { by, of, step: step.unwrap_or_default(), actor, kept }), faults))
}

/// What a finding is about.
pub(super) struct About {
    pub(super) record: Facts,
    pub(super) window: Option<Windowed>,
    pub(super) actor: Option<Principal>,
    pub(super) source_ip: Option<String>,
    pub(super) origin: Origin,
    pub(super) fingerprint: Fingerprint,
    /// What it is about unless the policy says otherwise.
    pub(super) resources: Vec<String>,
}

/// Puts a finding about a record into words.
fn tell(policy: &Policy, index: usize, runtime: &mut Runtime, record: &Record) -> Verdict {
    let is_event = &*record.kind == CLOUDTRAIL;
    let view = record.value.view();
    let about = About {
        record: Facts::of(record),
        window: None,
        actor: is_event.then(|| runtime.actor(&policy.script, record)),
        source_ip: view.text(&["sourceIPAddress"]).filter(|_| is_event).map(str::to_owned),
        origin: record.origin.clone(),
        fingerprint: fingerprint(&policy.pack, &policy.id, record),
        resources: own_resources(record),
    };
    let (finding, faults) = finding(policy, index, runtime, record, about);
    Verdict::Finding(Box::new(finding), faults)
}

/// Whether a policy agrees that a finding opens over hits, which `record` holds as a list; and what failed.
pub(super) fn confirms(
    policy: &Policy,
    index: usize,
    runtime: &mut Runtime,
    record: &Record,
) -> (bool, Option<String>) {
    if !policy.script.hooks.contains("confirm") {
        return (true, None);
    }
    match answers_yes("confirm", runtime.answer(index, &policy.script, "confirm", record)) {
        Ok(answer) => (answer, None),
        Err(Verdict::Fault(reason)) => (true, Some(reason)),
        Err(Verdict::NotEvaluated(reason)) => (true, Some(format!("`confirm` {reason}"))),
        Err(_) => (true, None),
    }
}

/// Puts a finding into words; and what failed. The hooks are given `record`: the record, or the hits of a window.
pub(super) fn finding(
    policy: &Policy,
    index: usize,
    runtime: &mut Runtime,
    record: &Record,
    about: About,
) -> (Finding, Vec<String>) {
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
    let mut context =
        ask("context", Value::is_object, "a map").unwrap_or_else(|| Value::Object(serde_json::Map::new()));
    let title = ask("title", Value::is_string, "text");
    let severity = ask(
        "severity",
        |answer| answer.as_str().and_then(Severity::from_word).is_some(),
        "one of info, low, medium, high, critical",
    );
    let resources = ask("resources", Value::is_array, "a list");
    let group = ask("group", Value::is_string, "text");
    if hits::is_deep(&context) {
        faults.push(format!("`context` answered what is nested deeper than {} levels", hits::DEEPEST));
        context = Value::Object(serde_json::Map::new());
    }

    let severity = policy
        .severity
        .or_else(|| severity.as_ref().and_then(Value::as_str).and_then(Severity::from_word))
        .unwrap_or(policy.header.severity);
    let resources = resources.map_or(about.resources, |answer| texts(&answer));
    let title =
        title.as_ref().and_then(Value::as_str).map_or_else(|| policy.header.title.fill_title(&context), str::to_owned);
    // What a log says may be nothing, and a finding without a title is one that nobody sees.
    let title = if title.trim().is_empty() { policy.header.title.text.clone() } else { title };
    let group = group
        .as_ref()
        .and_then(Value::as_str)
        .map_or_else(|| format!("{} {}", policy.id, resources.join(" ")), str::to_owned);
    let finding = Finding {
        policy: policy.id.clone(),
        pack: policy.pack.clone(),
        severity,
        title,
        resources,
        record: about.record,
        window: about.window,
        actor: about.actor,
        source_ip: about.source_ip,
        origin: about.origin,
        duplicates: Duplicates::default(),
        // Filled by `context` when somebody reads it.
        remediation: Remediation::default(),
        context,
        group,
        standing: Standing::New,
        enforcement: policy.enforcement,
        waiver: None,
        notes: Vec::new(),
        fingerprint: about.fingerprint,
        tags: policy.header.tags.clone(),
        references: policy.header.references.clone(),
    };
    (finding, faults)
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
pub(super) fn texts(list: &Value) -> Vec<String> {
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
