//! Waivers: findings that people excuse, each with an owner, a reason and an end.

use std::collections::BTreeMap;
use std::path::Path;

use globset::GlobMatcher;
use jiff::Timestamp;
use jiff::civil::Date;

use super::day::{day, is_over};
use super::path::{self, selects};
use super::{Seen, Subject};
use crate::error::Error;
use crate::fault::Fault;
use crate::finding::Finding;
use crate::policy::{Checked, Policy};
use crate::principal::Principal;
use crate::record::{CLOUDTRAIL, Origin};
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
    /// Those that cannot.
    broken: Vec<Broken>,
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

/// A waiver that cannot be read: what is known of whom it was meant for.
#[derive(Clone, Debug)]
struct Broken {
    line: usize,
    policies: Vec<String>,
    /// In small letters, whole or not.
    fingerprint: Option<String>,
}

/// What a waiver is asked about.
pub(super) struct About<'a> {
    pub(super) finding: &'a Finding,
    pub(super) subject: Subject<'a>,
}

/// How much of a finding a waiver is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cover {
    /// Nothing.
    None,
    /// Some hit of its window, and not certainly each.
    Part,
    /// All of it.
    Whole,
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
                    read.broken.push(Broken::of(item, number));
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
                    let (policies, fingerprint) = (vec![policy.clone()], waiver.fingerprint.clone());
                    settled.broken.push(Broken { line: waiver.line, policies, fingerprint });
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

    /// What is to be said on a finding of waivers that seem to be meant for it, and cannot be read.
    pub(super) fn broken_of(&self, policy: &Policy, finding: &Finding) -> impl Iterator<Item = String> {
        let (names, fingerprint) = (policy.names(), finding.fingerprint.to_string());
        self.broken.iter().filter_map(move |broken| {
            let whose = broken.whose(&names, &fingerprint)?;
            Some(format!("a waiver for {whose} cannot be read (line {})", broken.line))
        })
    }
}

impl Broken {
    fn of(yaml: &Yaml, line: usize) -> Self {
        let texts = |name: &str| texts(yaml, name).into_iter().map(|text| text.trim().to_owned());
        let fingerprint = texts("fingerprint").next().map(|text| text.to_ascii_lowercase());
        Self { line, policies: texts("policy").collect(), fingerprint }
    }

    /// What it was meant for: a finding with this fingerprint, or all of a policy with these names.
    fn whose(&self, names: &[String], fingerprint: &str) -> Option<&'static str> {
        // A part of it says enough, and is as likely a mistake as any.
        const ENOUGH: usize = 8;
        let of_one = self.fingerprint.as_deref().filter(|of| of.len() >= ENOUGH);
        if of_one.is_some_and(|of| of.starts_with(fingerprint) || fingerprint.starts_with(of)) {
            return Some("it");
        }
        let is_of_another = of_one.is_some_and(|of| of.len() == fingerprint.len());
        let is_named = !is_of_another && self.policies.iter().any(|policy| names.contains(policy));
        is_named.then_some("its policy")
    }
}

/// The texts of a member that has one, or a list.
fn texts(yaml: &Yaml, name: &str) -> Vec<String> {
    let Some(value) = yaml.get(name) else { return Vec::new() };
    let items = if value.items().is_empty() { std::slice::from_ref(value) } else { value.items() };
    items.iter().filter_map(Yaml::raw).map(str::to_owned).collect()
}

/// One waiver, whose shape is sound.
fn waiver(yaml: &Yaml, line: usize) -> Result<Waiver, String> {
    let text = |name: &str| {
        yaml.get(name).and_then(Yaml::raw).map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let globs = |name: &str| -> Result<Vec<GlobMatcher>, String> {
        texts(yaml, name).iter().map(|pattern| compile_glob(pattern)).collect()
    };
    let must = |name: &str| text(name).ok_or_else(|| format!("`{name}` is empty"));
    let expires = must("expires")?;
    let path = text("where");
    if let Some(path) = &path {
        path::check(path).map_err(|reason| format!("`where` is no JSONPath: {reason}"))?;
    }
    let waiver = Waiver {
        line,
        policy: text("policy"),
        fingerprint: text("fingerprint"),
        resources: if yaml.get("resources").is_some() { Some(globs("resources")?) } else { None },
        accounts: texts(yaml, "account"),
        regions: texts(yaml, "region"),
        actors: globs("actor")?,
        tags: texts(yaml, "tag"),
        path,
        owner: must("owner")?,
        reason: must("reason")?,
        expires: day(&expires).ok_or_else(|| format!("`expires: {expires}` is no day (try: `2025-12-31`)"))?,
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

    /// How much of a finding it is for, over or not. All that it says must hold.
    pub(super) fn covers(&self, about: &About<'_>) -> Cover {
        let About { finding, subject } = about;
        let resources = self.resources.as_ref().is_none_or(|globs| {
            let is_covered = |resource: &String| globs.iter().any(|glob| glob.is_match(resource));
            // Nothing is not covered by what says of which resources it is.
            !finding.resources.is_empty() && finding.resources.iter().all(is_covered)
        });
        let has_tag = |wanted: &String| {
            let (key, value) =
                wanted.split_once('=').map_or((wanted.as_str(), None), |(key, value)| (key, Some(value)));
            let resource = subject.record().filter(|record| &*record.kind != CLOUDTRAIL);
            let is = resource.and_then(|resource| tags::find(resource.value.view(), key));
            is.is_some_and(|is| value.is_none_or(|value| is.scalar_text().as_deref() == Some(value)))
        };
        let is_it = self.fingerprint.as_ref().is_none_or(|wanted| *wanted == finding.fingerprint.to_string())
            && resources
            && self.tags.iter().all(has_tag)
            && self.path.as_ref().is_none_or(|path| selects(path, finding));
        if is_it { self.covers_whose(about) } else { Cover::None }
    }

    /// How much of a finding is of the accounts and regions that it names, by the actors that it names. A finding of a window
    /// is of all that its hits are of, and not only of what the one is of at which it opened.
    fn covers_whose(&self, About { finding, subject }: &About<'_>) -> Cover {
        if self.accounts.is_empty() && self.regions.is_empty() && self.actors.is_empty() {
            return Cover::Whole;
        }
        let (account, region) = (finding.record.account.as_deref(), finding.record.region.as_deref());
        let is_of_record = || self.is_whose(account, region, finding.actor.as_ref());
        let Subject::Hits(hits) = subject else {
            return if is_of_record() { Cover::Whole } else { Cover::None };
        };
        let hits = hits.unwrap_or_default();
        let covered = |hit: &&Seen| self.is_whose(hit.account.as_deref(), hit.region.as_deref(), Some(&hit.actor));
        match hits.iter().filter(covered).count() {
            count if count > 0 && count == hits.len() => Cover::Whole,
            count if count > 0 || is_of_record() => Cover::Part,
            _ => Cover::None,
        }
    }

    /// Whether it names an account, a region and an actor, where it names any. What is not known is never named.
    fn is_whose(&self, account: Option<&str>, region: Option<&str>, actor: Option<&Principal>) -> bool {
        let one_of = |list: &[String], text: Option<&str>| {
            list.is_empty() || text.is_some_and(|text| list.iter().any(|one| one == text))
        };
        let mut names = actor.into_iter().flat_map(|actor| [&actor.arn, &actor.role, &actor.name]).flatten();
        one_of(&self.accounts, account)
            && one_of(&self.regions, region)
            && (self.actors.is_empty() || names.any(|name| self.actors.iter().any(|glob| glob.is_match(name))))
    }
}
