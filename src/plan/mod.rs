//! A plan of the remediation of many findings: steps in their order, grouped by account and region, in a form to review
//! or to run.
//!
//! *Law*: commands come from the policies that are loaded, and of the report only what fills their placeholders; nothing
//! is left out silently: what is in no step is counted, with the reason.

mod json;
mod looks;
mod markdown;
mod order;
mod python;
mod shell;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use serde::Serialize;
use serde_json::Value;

use crate::error::Error;
use crate::fault::printable;
use crate::finding::{Remediation, Severity};
use crate::policy::{Checked, Policy};
use crate::triage::Report;

/// Characters of a text that a program says.
const LONGEST: usize = 1_000;

/// What a plan is made of.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Only findings of at least this severity.
    pub severity: Option<Severity>,
    /// Only findings of these accounts; all if there are none.
    pub accounts: BTreeSet<String>,
    /// Only findings of these regions; all if there are none.
    pub regions: BTreeSet<String>,
    /// Only findings of these fingerprints; all if there are none.
    pub fingerprints: BTreeSet<String>,
    /// Policies that were left out by name, so that findings of theirs are no surprise.
    pub is_selection: bool,
}

/// Steps in their order, and what is in none.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// By account, then region, then in the order in which they are to be done.
    pub steps: Vec<Step>,
    /// Why findings are in no step, and how many.
    pub left: BTreeMap<String, u64>,
    /// Whether a report was of a scan that did not judge all that it should.
    pub is_of_part: bool,
}

/// What is to be done for one finding, or for several that the same commands mend.
#[derive(Clone, Debug, Serialize)]
pub struct Step {
    /// From 1, the same in each format.
    pub number: usize,
    /// The policies' ids; mostly one.
    pub policies: Vec<String>,
    /// The worst of the findings.
    pub severity: Severity,
    /// Twelve digits; `None` if nobody knows.
    pub account: Option<String>,
    /// Such as `us-east-1`.
    pub region: Option<String>,
    /// The findings' titles.
    pub titles: Vec<String>,
    /// The findings' fingerprints.
    pub fingerprints: Vec<String>,
    /// What the findings are about.
    pub resources: Vec<String>,
    /// What its commands change, as the policy says; else what the findings are about.
    pub touches: Vec<String>,
    /// The texts, with ids filled in.
    pub remediation: Remediation,
    /// What its commands do.
    pub kind: Kind,
}

/// What the commands of a step do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// They change something.
    Change,
    /// They only look.
    Look,
    /// There are none: it is for a person.
    ByHand,
}

/// How a plan is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// To read.
    Markdown,
    /// For bash, with the AWS CLI.
    Shell,
    /// For Python, with boto3.
    Python,
    /// For programs (schemas/plan.schema.json).
    Json,
}

impl Plan {
    /// Makes a plan of the findings of reports, `json` or `ndjson`, each with its name.
    ///
    /// # Errors
    /// When a text is no report, or was cut off; and when it has findings of policies that are not loaded.
    pub fn of(reports: &[(String, String)], packs: &Checked, wanted: &Wanted) -> Result<Self, Error> {
        let mut plan = Self::default();
        let mut is_of_part = false;
        let mut seen = BTreeSet::new();
        let mut strangers = BTreeSet::new();
        let mut steps: Vec<Step> = Vec::new();
        let mut same: BTreeMap<Same, usize> = BTreeMap::new();
        let mut read = |(name, text): &(String, String)| {
            let Report { findings, summary, .. } = Report::read(text).map_err(|error| error.about(name))?;
            is_of_part |= summary.pointer("/exit/code").and_then(Value::as_u64) == Some(2);
            if summary.get("redacted") == Some(&Value::Bool(true)) {
                let error = Error::new("is redacted: its ids are pseudonyms, which no command could find").about(name);
                return Err(error.try_to("a report of the same scan without `--redact`"));
            }
            Ok((name.clone(), findings))
        };
        let reports = reports.iter().map(&mut read).collect::<Result<Vec<_>, Error>>()?;
        plan.is_of_part = is_of_part;
        for (name, findings) in &reports {
            for finding in findings {
                let read = Found::read(finding)
                    .ok_or_else(|| Error::new("has a finding without policy, severity or fingerprint").about(name))?;
                if !seen.insert(read.fingerprint) {
                    plan.leave("were in several reports");
                } else if let Some(reason) = read.unwanted(wanted) {
                    plan.leave(reason);
                } else if let Some(policy) = packs.policies().iter().find(|policy| read.is_of(policy)) {
                    add(&mut steps, &mut same, &read, policy);
                } else if wanted.is_selection {
                    plan.leave("are of policies that were not chosen");
                } else {
                    strangers.insert(format!("{}/{}", read.pack, read.policy));
                }
            }
        }
        if let Some(first) = strangers.first() {
            let more = match strangers.len() - 1 {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            let error = Error::new(format!("there are findings of `{first}`{more}, which no pack has that is loaded"));
            return Err(error.try_to("`--pack DIR` with the packs of the scan"));
        }
        plan.steps = order::order(steps);
        for (at, step) in plan.steps.iter_mut().enumerate() {
            step.number = at + 1;
        }
        Ok(plan)
    }

    /// How many resources its steps change; a step that names none counts as one.
    pub fn touches(&self) -> usize {
        let changes = self.steps.iter().filter(|step| step.kind == Kind::Change);
        let (named, unnamed): (Vec<&Step>, Vec<&Step>) = changes.partition(|step| !step.touches.is_empty());
        let of = |step: &Step| -> Vec<(Option<String>, Option<String>, String)> {
            step.touches.iter().map(|id| (step.account.clone(), step.region.clone(), id.clone())).collect()
        };
        named.into_iter().flat_map(of).collect::<BTreeSet<_>>().len() + unnamed.len()
    }

    /// Writes it.
    ///
    /// # Errors
    /// When `out` cannot be written to.
    pub fn write(&self, format: Format, out: &mut dyn Write) -> io::Result<()> {
        match format {
            Format::Markdown => markdown::write(self, out),
            Format::Shell => shell::write(self, out),
            Format::Python => python::write(self, out),
            Format::Json => json::write(self, out),
        }
    }

    fn leave(&mut self, reason: &str) {
        *self.left.entry(reason.to_owned()).or_default() += 1;
    }

    /// Its size in words: `3 steps that change 4 resources, 1 that looks, 2 by hand`.
    pub fn size(&self) -> String {
        let of = |kind: Kind| self.steps.iter().filter(|step| step.kind == kind).count();
        let noun = |count: usize, one: &str| if count == 1 { format!("1 {one}") } else { format!("{count} {one}s") };
        let (change, look, hand) = (of(Kind::Change), of(Kind::Look), of(Kind::ByHand));
        let mut parts = vec![format!("{} on {}", noun(change, "change"), noun(self.touches(), "resource"))];
        if look > 0 {
            parts.push(format!("{} at what there is", noun(look, "look")));
        }
        if hand > 0 {
            parts.push(format!("{hand} by hand"));
        }
        parts.join(", ")
    }
}

impl Step {
    /// What people call it: its worst finding's title.
    fn title(&self) -> String {
        printable(self.titles.first().map_or("", String::as_str), LONGEST)
    }

    /// What a program says of it: account, region, severity, policies, titles, resources, impact; nothing of it can steer a
    /// terminal.
    fn facts(&self) -> [String; 7] {
        let facts = [
            self.account.as_deref().unwrap_or_default(),
            self.region.as_deref().unwrap_or_default(),
            self.severity.word(),
            &self.policies.join(" "),
            &self.titles.join("; "),
            &self.resources.join(" "),
            self.remediation.impact.as_deref().unwrap_or_default(),
        ];
        facts.map(|fact| printable(fact, LONGEST))
    }

    /// Its steps in the console, as a program says them.
    fn console(&self) -> Vec<String> {
        let console = self.remediation.console.as_deref().unwrap_or_default();
        console.lines().map(|line| printable(line, LONGEST)).collect()
    }

    /// Where it is, in words.
    fn place(&self) -> String {
        let account = self.account.as_deref().unwrap_or("unknown account");
        self.region.as_deref().map_or_else(|| account.to_owned(), |region| format!("{account} {region}"))
    }

    /// Commands of a form, unless nobody knows in whose account they would have to run.
    fn commands<'a>(&self, form: &'a Option<String>) -> Option<&'a str> {
        form.as_deref().filter(|_| self.account.is_some())
    }

    /// Why there are no commands of a form.
    fn why_not(&self, form: &str) -> String {
        if self.account.is_none() {
            return "nobody knows whose it is (`--inventory-account` of the scan says so)".to_owned();
        }
        let left_out = self.remediation.left_out.iter().find(|left_out| left_out.form == form);
        left_out.map_or_else(|| "the policy has none".to_owned(), |left_out| left_out.reason.clone())
    }
}

/// By what steps are told to be the same: account, region, and commands in both languages.
type Same = (Option<String>, Option<String>, Option<String>, Option<String>);

fn add(steps: &mut Vec<Step>, same: &mut BTreeMap<Same, usize>, found: &Found<'_>, policy: &Policy) {
    let remediation = policy.header.remediation.fill(found.context);
    let owned = |text: Option<&str>| text.map(str::to_owned);
    let (account, region) = (owned(found.account), owned(found.region));
    let has_commands = remediation.cli.is_some() || remediation.python.is_some();
    let key = (account.clone(), region.clone(), remediation.cli.clone(), remediation.python.clone());
    if has_commands && let Some(step) = same.get(&key).and_then(|at| steps.get_mut(*at)) {
        if found.severity > step.severity {
            step.severity = found.severity;
            step.titles.insert(0, found.title.to_owned());
        } else {
            step.titles.push(found.title.to_owned());
        }
        step.fingerprints.push(found.fingerprint.to_owned());
        if !step.policies.iter().any(|known| **known == *policy.id) {
            step.policies.push(policy.id.to_string());
        }
        let join = |known: &mut Vec<String>, more: Vec<String>| {
            for id in more {
                if !known.contains(&id) {
                    known.push(id);
                }
            }
        };
        join(&mut step.touches, found.touches(policy));
        join(&mut step.resources, found.resources());
        return;
    }
    same.insert(key, steps.len());
    let kind = match &remediation.cli {
        _ if account.is_none() => Kind::ByHand,
        Some(cli) if looks::only_looks(cli) => Kind::Look,
        Some(_) => Kind::Change,
        None if remediation.python.is_some() => Kind::Change,
        None => Kind::ByHand,
    };
    steps.push(Step {
        number: 0,
        policies: vec![policy.id.to_string()],
        severity: found.severity,
        account,
        region,
        titles: vec![found.title.to_owned()],
        fingerprints: vec![found.fingerprint.to_owned()],
        resources: found.resources(),
        touches: found.touches(policy),
        remediation,
        kind,
    });
}

/// What a report says of a finding, as far as a plan needs it.
struct Found<'a> {
    policy: &'a str,
    pack: &'a str,
    severity: Severity,
    title: &'a str,
    fingerprint: &'a str,
    standing: &'a str,
    account: Option<&'a str>,
    region: Option<&'a str>,
    resources: Vec<&'a str>,
    context: &'a Value,
}

impl<'a> Found<'a> {
    fn read(finding: &'a Value) -> Option<Self> {
        let text = |pointer: &str| finding.pointer(pointer).and_then(Value::as_str);
        let resources = finding.get("resources").and_then(Value::as_array);
        Some(Self {
            policy: text("/policy")?,
            pack: text("/pack")?,
            severity: Severity::from_word(text("/severity")?)?,
            title: text("/title")?,
            fingerprint: text("/fingerprint")?,
            standing: text("/standing")?,
            account: text("/record/account"),
            region: text("/record/region"),
            resources: resources.into_iter().flatten().filter_map(Value::as_str).collect(),
            context: finding.get("context").unwrap_or(&Value::Null),
        })
    }

    fn resources(&self) -> Vec<String> {
        self.resources.iter().map(|id| (*id).to_owned()).collect()
    }

    /// What the policy's commands change.
    fn touches(&self, policy: &Policy) -> Vec<String> {
        let mut ids = Vec::new();
        for member in policy.header.remediation.touches.iter().filter_map(|name| self.context.get(name)) {
            match member {
                Value::Array(items) => ids.extend(items.iter().filter_map(Value::as_str).map(str::to_owned)),
                member => ids.extend(member.as_str().map(str::to_owned)),
            }
        }
        ids.sort();
        ids.dedup();
        if ids.is_empty() { self.resources() } else { ids }
    }

    fn is_of(&self, policy: &Policy) -> bool {
        *policy.pack == *self.pack && policy.names().iter().any(|name| name == self.policy)
    }

    /// Why it is not in the plan that is wanted.
    fn unwanted(&self, wanted: &Wanted) -> Option<&'static str> {
        let is_other = |names: &BTreeSet<String>, name: Option<&str>| {
            !names.is_empty() && !name.is_some_and(|name| names.contains(name))
        };
        if self.standing == "waived" {
            Some("are waived")
        } else if wanted.severity.is_some_and(|least| self.severity < least) {
            Some("are less severe than asked for")
        } else if is_other(&wanted.accounts, self.account) {
            Some("are of other accounts, or of unknown ones")
        } else if is_other(&wanted.regions, self.region) {
            Some("are of other regions, or of unknown ones")
        } else if is_other(&wanted.fingerprints, Some(self.fingerprint)) {
            Some("have other fingerprints")
        } else {
            None
        }
    }
}
