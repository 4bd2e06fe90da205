//! Waivers: findings that people excuse, each with an owner, a reason and an end.

use std::collections::BTreeMap;
use std::path::Path;

use globset::GlobMatcher;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jsonpath_rust::JsonPath;
use serde_json::Value;

use crate::error::Error;
use crate::fault::Fault;
use crate::finding::Finding;
use crate::policy::{Checked, Policy};
use crate::record::{CLOUDTRAIL, Origin, Record};
use crate::script::compile_glob;
use crate::shape::Shape;
use crate::tags;
use crate::yaml::{self, Yaml};

/// The schema of the file, as text.
pub const SCHEMA: &str = include_str!("../../schemas/waivers.schema.json");

/// The waivers of a file.
#[derive(Clone, Debug, Default)]
pub struct Waivers {
    /// The file, as it was named.
    pub file: String,
    /// Those that can be read, in the order of the file.
    pub waivers: Vec<Waiver>,
    /// Those that cannot: the policy, if it is known, and the line.
    broken: Vec<(Option<String>, usize)>,
    /// What is wrong with them.
    mistakes: Vec<(usize, String)>,
    /// Places of waivers by the policy that they name.
    by_policy: BTreeMap<String, Vec<usize>>,
    /// Places of those that name none.
    of_any: Vec<usize>,
}

/// A waiver.
#[derive(Clone, Debug)]
pub struct Waiver {
    /// 1-based line of the file.
    pub line: usize,
    /// The policy: `id`, or `pack/id`.
    pub policy: Option<String>,
    /// The one finding that it is for.
    pub fingerprint: Option<String>,
    /// Globs: each resource of the finding must be one.
    resources: Option<Vec<GlobMatcher>>,
    accounts: Vec<String>,
    regions: Vec<String>,
    /// Globs of ARNs and names.
    actors: Vec<GlobMatcher>,
    /// `Key`, or `Key=Value`.
    tags: Vec<String>,
    /// A JSONPath over the finding.
    path: Option<String>,
    /// Who answers for it.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// The last day on which it holds, in UTC.
    pub expires: Date,
    /// Where it was decided.
    pub ticket: Option<String>,
}

/// What a waiver is asked about.
pub(super) struct About<'a> {
    pub(super) finding: &'a Finding,
    /// What the finding is about; `None` for that of a window.
    pub(super) record: Option<&'a Record>,
}

impl Waivers {
    /// Reads a file. Waivers in it that cannot be read are told by [`Waivers::faults`].
    ///
    /// # Errors
    /// When the file cannot be read, or is no list of waivers.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let file = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|error| {
            Error::new(format!("cannot be read: {error}")).about(&file).try_to("`lawbook waive` writes one")
        })?;
        Self::parse(&file, &text)
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    /// When it is no list of waivers.
    pub fn parse(file: &str, text: &str) -> Result<Self, Error> {
        let line = |at: usize| text[..at.min(text.len())].matches('\n').count() + 1;
        let yaml =
            yaml::parse(text).map_err(|error| Error::new(error.message).about(file).at(line(error.span.start), 1))?;
        let mut read = Self { file: file.to_owned(), ..Self::default() };
        if yaml.to_json().is_null() {
            return Ok(read);
        }
        let items = yaml.get("waivers").map(Yaml::items).unwrap_or_default();
        let violations = Shape::of(SCHEMA).violations(&yaml);
        let is_in = |item: &Yaml, at: usize| item.span.start <= at && at < item.span.end.max(item.span.start + 1);
        let outside = violations.iter().find(|violation| !items.iter().any(|item| is_in(item, violation.span.start)));
        if let Some(violation) = outside {
            let error = Error::new(violation.message.clone()).about(file).at(line(violation.span.start), 1);
            return Err(match &violation.help {
                Some(help) => error.try_to(help.clone()),
                None => error,
            });
        }
        for item in items {
            let mut wrong: Vec<String> = Vec::new();
            for violation in violations.iter().filter(|violation| is_in(item, violation.span.start)) {
                let help = violation.help.as_ref().map_or_else(String::new, |help| format!(" ({help})"));
                wrong.push(format!("{}{help}", violation.message));
            }
            let number = line(item.span.start);
            let waiver = if wrong.is_empty() { waiver(item, number) } else { Err(wrong.join("; ")) };
            match waiver {
                Ok(waiver) => read.add(waiver),
                Err(reason) => {
                    let policy = item.get("policy").and_then(Yaml::raw).map(str::to_owned);
                    read.broken.push((policy, number));
                    read.mistakes.push((number, reason));
                }
            }
        }
        Ok(read)
    }

    /// The same for these packs: a waiver of a policy that several of them have, and that does not say which, is one that
    /// cannot be read.
    pub(super) fn settled(&self, packs: &Checked) -> Self {
        let mut settled = Self { waivers: Vec::new(), by_policy: BTreeMap::new(), of_any: Vec::new(), ..self.clone() };
        for waiver in &self.waivers {
            let homes = waiver.policy.as_deref().map(|name| packs.homes(name)).unwrap_or_default();
            match (&waiver.policy, &homes[..]) {
                (Some(policy), [_, _, ..]) => {
                    let all: Vec<String> = homes.iter().map(|home| format!("`{home}/{policy}`")).collect();
                    settled.broken.push((Some(policy.clone()), waiver.line));
                    let reason = format!("`{policy}` is more than one policy: {} (say which)", all.join(" and "));
                    settled.mistakes.push((waiver.line, reason));
                }
                _ => settled.add(waiver.clone()),
            }
        }
        settled
    }

    fn add(&mut self, waiver: Waiver) {
        let at = self.waivers.len();
        match &waiver.policy {
            Some(policy) => self.by_policy.entry(policy.clone()).or_default().push(at),
            None => self.of_any.push(at),
        }
        self.waivers.push(waiver);
    }

    /// What is wrong with those that cannot be read: they excuse nothing.
    pub fn faults(&self) -> impl Iterator<Item = Fault> {
        self.mistakes.iter().map(|(line, reason)| {
            let origin = Origin { file: self.file.as_str().into(), position: 0, line: Some(*line as u64) };
            Fault::waiver(format!("a waiver that cannot be read excuses nothing: {reason}"), origin)
        })
    }

    /// The waivers that name a finding's policy, or its fingerprint alone, with their places.
    pub(super) fn of<'a>(&'a self, policy: &'a Policy, finding: &Finding) -> impl Iterator<Item = (usize, &'a Waiver)> {
        let fingerprint = finding.fingerprint.to_string();
        let of_any = self.of_any.iter().filter(move |at| self.waivers[**at].fingerprint.as_ref() == Some(&fingerprint));
        let named = policy.names().into_iter().filter_map(|name| self.by_policy.get(&name)).flatten();
        let mut all: Vec<usize> = of_any.chain(named).copied().collect();
        all.sort_unstable();
        all.into_iter().map(|at| (at, &self.waivers[at]))
    }

    /// The lines of waivers of a policy that cannot be read.
    pub(super) fn broken_of<'a>(&'a self, policy: &'a Policy) -> impl Iterator<Item = usize> + 'a {
        let names = policy.names();
        self.broken
            .iter()
            .filter(move |(of, _)| of.as_ref().is_some_and(|of| names.contains(of)))
            .map(|(_, line)| *line)
    }
}

/// One waiver, whose shape is sound.
fn waiver(yaml: &Yaml, line: usize) -> Result<Waiver, String> {
    let text = |name: &str| {
        yaml.get(name).and_then(Yaml::raw).map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let list = |name: &str| -> Vec<String> {
        let Some(value) = yaml.get(name) else { return Vec::new() };
        let items = if value.items().is_empty() { std::slice::from_ref(value) } else { value.items() };
        items.iter().filter_map(Yaml::raw).map(str::to_owned).collect()
    };
    let globs = |name: &str| -> Result<Vec<GlobMatcher>, String> {
        list(name).iter().map(|pattern| compile_glob(pattern)).collect()
    };
    let must = |name: &str| text(name).ok_or_else(|| format!("`{name}` is empty"));
    let expires = must("expires")?;
    let path = text("where");
    if let Some(path) = &path {
        Value::Null.query(path).map_err(|error| format!("`where` is no JSONPath: {error}"))?;
    }
    let waiver = Waiver {
        line,
        policy: text("policy"),
        fingerprint: text("fingerprint"),
        resources: if yaml.get("resources").is_some() { Some(globs("resources")?) } else { None },
        accounts: list("account"),
        regions: list("region"),
        actors: globs("actor")?,
        tags: list("tag"),
        path,
        owner: must("owner")?,
        reason: must("reason")?,
        expires: expires.parse().map_err(|_| format!("`expires: {expires}` is no day (try: `2025-12-31`)"))?,
        ticket: text("ticket"),
    };
    let selects = waiver.fingerprint.is_some()
        || waiver.resources.is_some()
        || waiver.path.is_some()
        || [&waiver.accounts, &waiver.regions, &waiver.tags].iter().any(|list| !list.is_empty())
        || !waiver.actors.is_empty();
    if waiver.policy.is_none() && waiver.fingerprint.is_none() {
        return Err("it names neither a `policy` nor a `fingerprint`".to_owned());
    }
    if !selects {
        let all = "`resources: [\"**\"]` is all of them";
        return Err(format!(
            "it does not say which findings: `fingerprint`, `resources`, `account`, `region`, `actor`, `tag` or `where` ({all})"
        ));
    }
    Ok(waiver)
}

impl Waiver {
    /// Whether it does not hold any more.
    pub(super) fn is_over(&self, now: Timestamp) -> bool {
        is_over(self.expires, now)
    }

    /// Whether a finding is one that it is for, over or not. All that it says must hold.
    pub(super) fn covers(&self, about: &About<'_>) -> bool {
        let About { finding, record } = about;
        let one_of = |list: &[String], text: Option<&str>| {
            list.is_empty() || text.is_some_and(|text| list.iter().any(|one| one == text))
        };
        let resources = self.resources.as_ref().is_none_or(|globs| {
            let is_covered = |resource: &String| globs.iter().any(|glob| glob.is_match(resource));
            // Nothing is not covered by what says of which resources it is.
            !finding.resources.is_empty() && finding.resources.iter().all(is_covered)
        });
        let actor = || {
            let actor = finding.actor.as_ref();
            let names = actor.into_iter().flat_map(|actor| [&actor.arn, &actor.role, &actor.name]).flatten();
            names.into_iter().any(|name| self.actors.iter().any(|glob| glob.is_match(name)))
        };
        let has_tag = |wanted: &String| {
            let (key, value) =
                wanted.split_once('=').map_or((wanted.as_str(), None), |(key, value)| (key, Some(value)));
            let resource = record.filter(|record| &*record.kind != CLOUDTRAIL);
            let is = resource.and_then(|resource| tags::find(resource.value.view(), key));
            is.is_some_and(|is| value.is_none_or(|value| is.scalar_text().as_deref() == Some(value)))
        };
        self.fingerprint.as_ref().is_none_or(|wanted| *wanted == finding.fingerprint.to_string())
            && resources
            && one_of(&self.accounts, finding.record.account.as_deref())
            && one_of(&self.regions, finding.record.region.as_deref())
            && (self.actors.is_empty() || actor())
            && self.tags.iter().all(has_tag)
            && self.path.as_ref().is_none_or(|path| selects(path, finding))
    }
}

/// Whether a day is over, in UTC.
pub(super) fn is_over(day: Date, now: Timestamp) -> bool {
    let end = day.tomorrow().ok().and_then(|next| TimeZone::UTC.to_timestamp(next.at(0, 0, 0, 0)).ok());
    end.is_some_and(|end| now >= end)
}

/// Whether a JSONPath finds something in a finding.
fn selects(path: &str, finding: &Finding) -> bool {
    let Ok(whole) = serde_json::to_value(finding) else { return false };
    // A filter is of the items of a list, and a finding is none.
    let list = Value::Array(vec![whole]);
    let found = if path.trim_start().starts_with("$[?") { list.query(path) } else { list[0].query(path) };
    found.is_ok_and(|found| found.iter().any(|value| !value.is_null() && **value != Value::Bool(false)))
}
