//! What a policy reckoned on the way to its answer: only cases that fail pay for it.

mod calls;

use std::sync::Arc;

use serde_json::Value;

use super::case::Case;
use super::judge::{Answer, Bench, inventory, request};
use crate::engine::{self, Hooks, Request};
use crate::fault::printable;
use crate::policy::{Checked, Policy};
use crate::record::Record;
use crate::script::probe::{Depth, Probed, Prober};
use crate::script::{Given, Limits, Stop};

/// Records of a case that are traced.
const MOST_RECORDS: usize = 3;
/// Parts of a hook that are told, with those of the functions that it calls.
const MOST_PARTS: usize = 60;
/// Letters of a value that are told, and of a text in it.
const MOST_LETTERS: usize = 600;
const MOST_OF_TEXT: usize = 100;

/// What a policy reckoned about the records of a case.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
pub struct Trace {
    /// What hooks reckoned, record by record.
    pub hooks: Vec<Hook>,
    /// The lines that `print` and `debug` wrote.
    pub printed: Vec<String>,
}

/// What a hook reckoned about a record.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Hook {
    /// Its name; `when` for the front matter.
    pub name: String,
    /// The number of the record in the case, from 1.
    pub record: usize,
    /// 1-based line in the policy's file.
    pub line: usize,
    /// What it answered, or why it did not.
    pub answer: String,
    /// Its parts, in the order of the text, each followed by those of the function that it calls.
    pub parts: Vec<Part>,
    /// How many parts more there are.
    #[serde(skip)]
    pub more: usize,
}

/// A part of a hook.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Part {
    /// How many parts it is in.
    pub depth: usize,
    /// As it is written.
    pub text: String,
    /// What it was; `None` if it was not reached, or gave no answer.
    pub value: Option<Value>,
    /// The function that it is in and where that begins, if it is not the hook itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub within: Option<String>,
    /// It was reached, and gave no answer.
    #[serde(skip)]
    pub failed: bool,
}

impl Trace {
    /// What was reckoned, line by line.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let several = self.hooks.iter().any(|hook| hook.record > 1);
        for hook in &self.hooks {
            let of = if several { format!(" of record {}", hook.record) } else { String::new() };
            lines.push(format!("`{}`{of} (line {}): {}", hook.name, hook.line, hook.answer));
            let mut within: Vec<(usize, &Option<String>)> = Vec::new();
            for part in &hook.parts {
                within.retain(|(depth, _)| *depth <= part.depth);
                if part.within.is_some() && within.last().is_none_or(|(_, last)| **last != part.within) {
                    let name = part.within.as_deref().unwrap_or_default();
                    lines.push(format!("{}in {name}:", "  ".repeat(part.depth)));
                    within.push((part.depth, &part.within));
                }
                let value = match &part.value {
                    Some(value) => format!("= {}", shown(value)),
                    None if part.failed => "gave no answer".to_owned(),
                    None => "not reached".to_owned(),
                };
                lines.push(format!("{}{}  {value}", "  ".repeat(part.depth + 1), part.text));
            }
            if hook.more > 0 {
                lines.push(format!("  and {} more parts", hook.more));
            }
        }
        lines
    }
}

/// A value as it is told: without members that are absent, and each text cut by itself, so that none hides another.
fn shown(value: &Value) -> String {
    if value.is_null() {
        return "()".to_owned();
    }
    printable(&cut(value).to_string(), MOST_LETTERS)
}

fn cut(value: &Value) -> Value {
    match value {
        Value::String(text) => printable(text, MOST_OF_TEXT).into(),
        Value::Array(items) => items.iter().map(cut).collect(),
        Value::Object(members) => {
            let known = members.iter().filter(|(_, value)| !value.is_null());
            Value::Object(known.map(|(name, value)| (name.clone(), cut(value))).collect())
        }
        other => other.clone(),
    }
}

/// Traces the records of a case: the hooks whose answers are not as expected, if the case fails.
pub(super) fn trace(bench: &Bench<'_>, case: &Case, wrong: &[String]) -> Option<Trace> {
    let known = inventory(case).ok()?;
    let traced = bench.with_packs(case, |packs| {
        let policy = packs.get(bench.id()).ok_or_else(String::new)?;
        let known = engine::informed(policy, &case.records, &known);
        let mut tracer =
            Tracer { policy, known: Arc::new(known), case, limits: bench.limits(), trace: Trace::default() };
        for (at, record) in case.records.iter().take(MOST_RECORDS).enumerate() {
            tracer.record(at + 1, record, wrong);
        }
        if policy.header.window.is_some() {
            tracer.window(packs, wrong)?;
        }
        Ok(tracer.trace)
    });
    traced.ok()
}

/// The hooks that a case doubts.
pub(super) fn wrong(case: &Case, answer: Option<&Answer>, differs: &[String]) -> Vec<String> {
    let Some(answer) = answer else { return Vec::new() };
    if answer.happened != case.expect || differs.iter().any(|what| what == "count") {
        return vec!["matches".to_owned()];
    }
    let hooks = ["title", "severity", "resources", "context"];
    let is_of =
        |hook: &&str| differs.iter().any(|what| what.rsplit(": ").next().is_some_and(|what| what.starts_with(*hook)));
    hooks.into_iter().filter(is_of).map(str::to_owned).collect()
}

struct Tracer<'a> {
    policy: &'a Policy,
    known: Arc<crate::inventory::Inventory>,
    case: &'a Case,
    limits: &'a Limits,
    trace: Trace,
}

impl Tracer<'_> {
    fn record(&mut self, number: usize, record: &Record, wrong: &[String]) {
        let header = &self.policy.header;
        let refused = header.when.conditions.iter().filter(|condition| !condition.holds(record.value.view()));
        let refused: Vec<String> = refused
            .map(|condition| {
                format!("it wants {condition}, and the record has {}", condition.found(record.value.view()))
            })
            .collect();
        if !refused.is_empty() {
            let text = &self.policy.script.source.text;
            self.trace.hooks.push(Hook {
                name: "when".to_owned(),
                record: number,
                line: text.find("when:").map_or(1, |at| line(text, at)),
                answer: format!("does not admit the record: {}", refused.join("; ")),
                parts: Vec::new(),
                more: 0,
            });
            return;
        }
        let is_given_it = |hook: &&String| header.hooks().given(hook) == Some(Given::Record);
        for hook in wrong.iter().filter(|hook| self.policy.script.hooks.contains(hook.as_str())).filter(is_given_it) {
            self.hook(number, record, hook);
        }
        self.printed(record);
    }

    /// What each record was to the window, and what hooks made of the hits that they were given.
    fn window(&mut self, packs: &Checked, wrong: &[String]) -> Result<(), String> {
        let (policy, case) = (self.policy, self.case);
        let mut opened: Vec<(Hooks, Record)> = Vec::new();
        let mut asked = |at: usize, of: Hooks, hits: &Record| {
            if opened.len() < MOST_RECORDS && packs.policies().get(at).is_some_and(|asked| asked.id == policy.id) {
                opened.push((of, hits.clone()));
            }
        };
        let request = Request { why: Some(policy.id.to_string()), ..request(case, self.limits) };
        let judged = engine::judge_asking(packs, &case.records, inventory(case)?, &request, &mut asked);
        let outcome = judged.map_err(|error| error.to_string())?;
        let time_of = |told: &str| {
            let is_it = |record: &&Record| record.id.as_deref().is_some_and(|id| told.ends_with(&format!(" {id}")));
            case.records
                .iter()
                .find(is_it)
                .and_then(|record| record.time)
                .map_or_else(String::new, |time| format!("{time} "))
        };
        let mut parts = Vec::new();
        for why in outcome.why.iter().take(MOST_PARTS) {
            let why = why.map_err(|error| error.to_string())?;
            let text = format!("{}{}", time_of(&why.record), why.record);
            let value = Some(Value::from(format!("{}: {}", why.verdict, why.reason)));
            parts.push(Part { depth: 0, text, value, within: None, failed: false });
        }
        let more = usize::try_from(outcome.why.len()).unwrap_or(usize::MAX).saturating_sub(MOST_PARTS);
        let text = &policy.script.source.text;
        let asks = policy.header.window.as_ref().map_or_else(String::new, ToString::to_string);
        let opened_times = match outcome.summary.findings.total {
            0 => "it did not open".to_owned(),
            1 => "it opened once".to_owned(),
            times => format!("it opened {times} times"),
        };
        let line = text.find("window:").map_or(1, |at| line(text, at));
        let answer = format!("{asks}: {opened_times}");
        self.trace.hooks.push(Hook { name: "window".to_owned(), record: 1, line, answer, parts, more });
        let doubted = |hook: &str| wrong.iter().any(|wrong| wrong == hook || (hook == "confirm" && wrong == "matches"));
        let hooks = policy.script.hooks.iter().filter(|hook| policy.header.hooks().given(hook) == Some(Given::Hits));
        for hook in hooks.filter(|hook| doubted(hook)) {
            let of = if hook == "confirm" { Hooks::Confirm } else { Hooks::Words };
            for (number, (_, hits)) in opened.iter().filter(|(asked, _)| *asked == of).enumerate() {
                self.hook(number + 1, hits, hook);
            }
        }
        Ok(())
    }

    fn prober(&self, libraries: &[Probed], values: bool) -> Prober {
        Prober::new(1, libraries, Arc::clone(&self.known), self.case.now, self.limits, values)
    }

    fn hook(&mut self, number: usize, record: &Record, hook: &str) {
        let source = &self.policy.script.source;
        let Some(own) = Probed::new(source, Depth::Parts, 0) else { return };
        let mut next = own.sites.len();
        let mut libraries = Vec::new();
        for library in self.policy.script.libraries.iter() {
            let probed = Probed::new(library, Depth::Parts, next).unwrap_or_else(|| Probed::none(library));
            next += probed.sites.len();
            libraries.push(probed);
        }
        let mut prober = self.prober(&libraries, true);
        let script = prober.script(&self.policy.script, &own);
        let answer = match prober.call(0, &script, hook, record) {
            Ok(value) => shown(&value),
            Err(Stop::NotEvaluated(reason)) => format!("not evaluated: {reason}"),
            // The place is one in the text with probes.
            Err(Stop::Fault(reason)) => {
                reason.rsplit_once(" at ").map_or(reason.clone(), |(reason, _)| reason.to_owned())
            }
        };
        let mut parts = calls::parts(&own, &libraries, &prober.take(), hook);
        let more = parts.len().saturating_sub(MOST_PARTS);
        parts.truncate(MOST_PARTS);
        let line = source.text.find(&format!("fn {hook}")).map_or(1, |at| line(&source.text, at));
        self.trace.hooks.push(Hook { name: hook.to_owned(), record: number, line, answer, parts, more });
    }

    /// What the policy prints about a record.
    fn printed(&mut self, record: &Record) {
        let script = &self.policy.script;
        if !std::iter::once(&script.source).chain(script.libraries.iter()).any(|source| has_print(&source.text)) {
            return;
        }
        let libraries: Vec<Probed> = script.libraries.iter().map(Probed::none).collect();
        let mut prober = self.prober(&libraries, false);
        let own = prober.script(script, &Probed::none(&script.source));
        if prober.call(0, &own, "matches", record) == Ok(Value::Bool(true)) {
            for hook in script.hooks.iter().filter(|hook| **hook != "matches") {
                let _ = prober.call(0, &own, hook, record);
            }
        }
        self.trace.printed.extend(prober.take_printed());
    }
}

fn has_print(text: &str) -> bool {
    text.contains("print(") || text.contains("debug(")
}

fn line(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}
