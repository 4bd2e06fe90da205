//! Tags of resources that excuse findings about them, where the configuration lets them.
//!
//! *Law*: whoever may tag a resource could excuse what is found about it, so a tag excuses only what the resource that carries
//! it is alone about, by a policy that it names and the rule admits, with an owner, a reason and an end. Anything else is a
//! note on the finding, which stays new.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::day::{day, is_over};
use super::waivers::About;
use crate::finding::Excuse;
use crate::policy::{Checked, Policy};
use crate::record::{CLOUDTRAIL, Record};
use crate::tags;

/// Which tags excuse what.
#[derive(Clone, Debug)]
pub struct TagRule {
    /// The tag whose value is the ids of policies. Beside it stand `KEY-owner`, `KEY-reason`, `KEY-expires`, and `KEY-ticket`.
    key: String,
    /// The policies, as `pack/id`, of which findings can be excused so; `None`: of all.
    policies: Option<BTreeSet<String>>,
    /// Seconds after the run within which it must end.
    longest: Option<i64>,
    /// Every name of a policy, and in how many packs there is one of that name.
    names: BTreeMap<String, usize>,
}

impl TagRule {
    /// A rule by the key of the tag, the policies as `pack/id` of which findings can be excused so (`None`: of all), and the
    /// seconds after the run within which it must end.
    pub fn new(key: &str, policies: Option<BTreeSet<String>>, longest: Option<i64>) -> Self {
        Self { key: key.to_owned(), policies, longest, names: BTreeMap::new() }
    }

    /// Whether a text can be such a key: what AWS lets a key of a tag be, with room for what stands behind it.
    ///
    /// # Errors
    /// Why not.
    pub fn check_key(key: &str) -> Result<(), &'static str> {
        let is_letter = |letter: char| letter.is_alphanumeric() || " _.:/=+-@".contains(letter);
        match key {
            _ if key.to_ascii_lowercase().starts_with("aws:") => Err("tags that begin with `aws:` are AWS's own"),
            _ if !key.chars().all(is_letter) || key.trim() != key || key.is_empty() => Err("no tag can have this key"),
            _ => Ok(()),
        }
    }

    /// The same, with the names of the policies of these packs.
    pub(super) fn settled(&self, packs: &Checked) -> Self {
        let all = packs.policies().iter().flat_map(Policy::names);
        let names = all.map(|name| (name.clone(), packs.homes(&name).len().max(1))).collect();
        Self { names, ..self.clone() }
    }

    /// What the tags of the resource that a finding is about say of it: who excuses it, or why nobody does though somebody
    /// seems to want to; `None` if they say nothing.
    pub(super) fn judge(&self, about: &About<'_>, policy: &Policy, now: Timestamp) -> Option<Result<Excuse, String>> {
        let resource = about.subject.record().filter(|record| &*record.kind != CLOUDTRAIL)?;
        let tag = tags::find(resource.value.view(), &self.key)?;
        let words = tag.scalar_text().unwrap_or_default();
        let words: Vec<&str> = words.split([' ', ',']).filter(|word| !word.is_empty()).collect();
        let own = policy.names();
        let Some(word) = words.iter().find(|word| own.iter().any(|name| name == *word)) else {
            // What was meant for this policy may be misspelt.
            let unknown = words.iter().find(|word| !self.names.contains_key(**word))?;
            return Some(Err(
                self.note(&format!("`{}` is no policy that was loaded", crate::fault::printable(unknown, 100)))
            ));
        };
        let judged = self.excuse(about, policy, resource, word, now);
        Some(judged.map_err(|reason| self.note(&reason)))
    }

    fn note(&self, reason: &str) -> String {
        format!("its tag `{}` does not waive it: {reason}", self.key)
    }

    fn excuse(
        &self,
        about: &About<'_>,
        policy: &Policy,
        resource: &Record,
        word: &str,
        now: Timestamp,
    ) -> Result<Excuse, String> {
        if self.names.get(word).is_some_and(|homes| *homes > 1) {
            return Err(format!("`{word}` is more than one policy, as `{}` is not", policy.qualified()));
        }
        if self.policies.as_ref().is_some_and(|policies| !policies.contains(&policy.qualified())) {
            return Err("the configuration does not let tags waive what this policy finds".to_owned());
        }
        let resources = &about.finding.resources;
        if resources.is_empty() || !resources.iter().all(|of| is_own(of, resource)) {
            return Err("it is not about this resource alone".to_owned());
        }
        let text = |end: &str| {
            let key = format!("{}-{end}", self.key);
            let value = tags::find(resource.value.view(), &key).and_then(|value| value.scalar_text());
            let value = value.map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
            value.ok_or_else(|| format!("there is no tag `{key}`"))
        };
        let (owner, reason, expires) = (text("owner")?, text("reason")?, text("expires")?);
        let shown = crate::fault::printable(&expires, 40);
        let day = day(&expires)
            .ok_or_else(|| format!("`{}-expires` is `{shown}`, which is no day such as 2025-12-31", self.key))?;
        if is_over(day, now) {
            return Err(format!("it expired on {day}"));
        }
        let last = self.longest.and_then(|longest| now.checked_add(SignedDuration::from_secs(longest)).ok());
        if last.is_some_and(|last| day > TimeZone::UTC.to_datetime(last).date()) {
            return Err(format!("it expires on {day}, and the configuration lets no tag waive for so long"));
        }
        let (ticket, tag) = (text("ticket").ok(), Some(self.key.clone()));
        Ok(Excuse { owner, reason, expires: day.to_string(), ticket, tag })
    }
}

/// Whether what a finding names is the resource: its id, or an ARN that ends with it.
fn is_own(named: &str, resource: &Record) -> bool {
    resource.id.as_deref().is_some_and(|id| {
        let before = named.strip_suffix(id);
        before.is_some_and(|before| before.is_empty() || before.starts_with("arn:") && before.ends_with(['/', ':']))
    })
}
