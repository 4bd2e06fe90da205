//! Policies that load: what the engine takes, and by which names each is found.
//!
//! *Law*: a name means one policy. One that several packs have is an error that names them; `pack/id` says which.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::area::{self, Closeness};
use super::said::{By, Said};
use super::{Overrides, Policy};
use crate::diagnostic::{Diagnostic, did_you_mean};
use crate::error::Error;
use crate::finding::Enforcement;

/// Packs whose every policy loads.
#[derive(Debug, Default)]
pub struct Checked {
    policies: Vec<Policy>,
    /// The places of policies by the id that they have.
    places: HashMap<Arc<str>, Vec<usize>>,
    /// The places of policies by the ids that they had.
    former: HashMap<Arc<str>, Vec<usize>>,
    /// The packs that have, and those that had, a policy of an id; whatever is kept of them.
    homes: [BTreeMap<Arc<str>, BTreeSet<Arc<str>>>; 2],
    /// What is said of them that keeps none from loading.
    warnings: Vec<Diagnostic>,
}

impl Checked {
    /// The policies, in the order of packs and files.
    pub fn policies(&self) -> &[Policy] {
        &self.policies
    }

    /// What is said of them that keeps none from loading, by file and place.
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.warnings
    }

    /// Adds what is said of them.
    pub(crate) fn warn(&mut self, warnings: Vec<Diagnostic>) {
        self.warnings.extend(warnings);
    }

    /// The policies that a name can mean: those that have that id now, else those that had it.
    fn named(&self, name: &str) -> impl Iterator<Item = &Policy> {
        let (pack, id) = name.rsplit_once('/').map_or((None, name), |(pack, id)| (Some(pack), id));
        let of = move |places: &HashMap<Arc<str>, Vec<usize>>| {
            let found = places.get(id).map(Vec::as_slice).unwrap_or_default().iter().copied();
            found.filter(|at| pack.is_none_or(|pack| *self.policies[*at].pack == *pack)).collect::<Vec<_>>()
        };
        let now = of(&self.places);
        let found = if now.is_empty() { of(&self.former) } else { now };
        found.into_iter().map(|at| &self.policies[at])
    }

    /// The policy of that name, `id` or `pack/id`; the first, if there are several.
    pub fn get(&self, name: &str) -> Option<&Policy> {
        self.named(name).next()
    }

    /// The policy of that name, `id` or `pack/id`.
    ///
    /// # Errors
    /// When there is none, or more than one.
    pub fn find(&self, name: &str) -> Result<&Policy, Error> {
        let mut found = self.named(name);
        let Some(first) = found.next() else { return Err(self.unknown(name)) };
        let others: Vec<String> = found.map(Policy::qualified).collect();
        if others.is_empty() {
            return Ok(first);
        }
        let all: Vec<String> = std::iter::once(first.qualified()).chain(others).collect();
        let listed: Vec<String> = all.iter().map(|name| format!("`{name}`")).collect();
        let error = Error::new(format!("`{name}` is more than one policy: {}", listed.join(" and ")));
        Err(error.try_to(format!("say which: `{}`", all[0])))
    }

    /// The packs that have a policy of that name; more than one if the name says too little. They are known of policies that
    /// were not kept, too.
    pub(crate) fn homes(&self, name: &str) -> Vec<&str> {
        let [now, former] = &self.homes;
        let found = now.get(name).or_else(|| former.get(name));
        found.into_iter().flatten().map(|home| &**home).collect()
    }

    /// The shortest name that means a policy and no other: its id, or `pack/id` where another pack has a policy of that id,
    /// whatever is kept of them.
    pub fn name_of(&self, policy: &Policy) -> String {
        if self.homes(&policy.id).len() > 1 { policy.qualified() } else { policy.id.to_string() }
    }

    /// The policy of that pack and that id; the first, if there are several.
    pub fn of(&self, pack: &str, id: &str) -> Option<&Policy> {
        let is = |policy: &&Policy| *policy.pack == *pack && *policy.id == *id;
        self.get(id).filter(is).or_else(|| self.policies.iter().find(is))
    }

    /// Adds the policies of another pack.
    pub fn join(&mut self, other: Self) {
        self.extend(other.policies);
        self.warnings.extend(other.warnings);
    }

    /// Keeps the policies of which `keep` says so.
    pub fn retain(&mut self, mut keep: impl FnMut(&Policy) -> bool) {
        let Self { policies, homes, warnings, .. } = std::mem::take(self);
        self.extend(policies.into_iter().filter(|policy| keep(policy)));
        (self.homes, self.warnings) = (homes, warnings);
    }

    /// Gives a policy another `when`.
    pub(crate) fn set_when(&mut self, id: &str, when: &super::When) {
        for policy in self.policies.iter_mut().filter(|policy| &*policy.id == id) {
            policy.header.when = when.clone();
        }
    }

    /// Adds policies that load.
    pub(crate) fn extend(&mut self, policies: impl IntoIterator<Item = Policy>) {
        for policy in policies {
            let at = self.policies.len();
            let [now, former] = &mut self.homes;
            self.places.entry(Arc::clone(&policy.id)).or_default().push(at);
            now.entry(Arc::clone(&policy.id)).or_default().insert(Arc::clone(&policy.pack));
            for id in &policy.header.formerly {
                let id: Arc<str> = id.as_str().into();
                self.former.entry(Arc::clone(&id)).or_default().push(at);
                former.entry(id).or_default().insert(Arc::clone(&policy.pack));
            }
            self.policies.push(policy);
        }
    }

    /// Says whether no two policies have one pack and id: fingerprints would be the same.
    ///
    /// # Errors
    /// The first two that have.
    pub fn are_apart(&self) -> Result<(), Error> {
        let mut files: BTreeMap<(&str, &str), &str> = BTreeMap::new();
        for policy in &self.policies {
            if let Some(other) = files.insert((&policy.pack, &policy.id), &policy.file) {
                let error = Error::new(format!("`{}` is the policy `{}`, too", other, policy.qualified()));
                return Err(error
                    .about(&policy.file)
                    .try_to("give them different names, or name their packs by `--pack`"));
            }
        }
        Ok(())
    }

    /// How closely a word means each policy that it means: an id, or an area.
    fn meant(&self, word: &str) -> Result<Vec<(usize, Closeness)>, Error> {
        if self.named(word).next().is_some() {
            let found = self.find(word)?;
            let at = self.policies.iter().position(|policy| std::ptr::eq(policy, found));
            return Ok(at.into_iter().map(|at| (at, Closeness::Policy)).collect());
        }
        let of = |(at, policy)| area::closeness(word, policy).map(|close| (at, close));
        let found: Vec<(usize, Closeness)> = self.policies.iter().enumerate().filter_map(of).collect();
        if !found.is_empty() {
            return Ok(found);
        }
        let ids = self.policies.iter().map(|policy| &*policy.id);
        let error = Error::new(format!("no policy `{word}`"));
        // An id is what is meant mostly.
        let meant = did_you_mean(word, ids).or_else(|| did_you_mean(word, self.policies.iter().flat_map(area::areas)));
        Err(match meant {
            Some(meant) => error.try_to(format!("did you mean `{meant}`? `lawbook list` lists all")),
            None => error.try_to("`lawbook list` lists all"),
        })
    }

    /// Whether a word means a policy, or an area that holds one.
    pub fn knows(&self, word: &str) -> bool {
        self.named(word).next().is_some() || self.meant(word).is_ok()
    }

    /// The policies that words mean, by their places.
    ///
    /// # Errors
    /// Every word that means none, or one of several.
    pub fn chosen(&self, words: &[(String, Said)]) -> Result<BTreeSet<usize>, Vec<Error>> {
        let (mut chosen, mut wrong) = (BTreeSet::new(), Vec::new());
        for (word, said) in words {
            match self.meant(word) {
                Ok(found) => chosen.extend(found.into_iter().map(|(at, _)| at)),
                // What stands on the command line is seen.
                Err(error) if said.by == By::Flag => wrong.push(error),
                Err(error) => wrong.push(said.blamed(error)),
            }
        }
        if wrong.is_empty() { Ok(chosen) } else { Err(wrong) }
    }

    /// Whether findings of each policy fail a run, are reported, or are not asked for at all (`None`). The closest word
    /// counts, of several policies' names the one that was said last, of several tags that are as close the strictest.
    ///
    /// # Errors
    /// Every word that means no policy, or one of several.
    pub fn enforcement(&self, overrides: &Overrides) -> Result<Vec<(Option<Enforcement>, Said)>, Vec<Error>> {
        type Weight = (Closeness, usize, Option<Enforcement>);
        let mut decided: Vec<(Option<Weight>, Said)> = vec![(None, Said::by_default()); self.policies.len()];
        let mut wrong = Vec::new();
        for (number, (word, mode, said)) in overrides.enforcement.iter().enumerate() {
            match self.meant(word) {
                Ok(found) => {
                    for (at, close) in found {
                        // What is not sure is enforced: among equals `fail` beats `report`, and that `off`.
                        let turn = if close == Closeness::Policy { number } else { 0 };
                        let weight = Some((close, turn, *mode));
                        if weight > decided[at].0 {
                            decided[at] = (weight, said.clone());
                        }
                    }
                }
                Err(error) => wrong.push(said.blamed(error)),
            }
        }
        if !wrong.is_empty() {
            return Err(wrong);
        }
        let mode =
            |(weight, said): (Option<Weight>, Said)| (weight.map_or(Some(Enforcement::Fail), |(.., mode)| mode), said);
        Ok(decided.into_iter().map(mode).collect())
    }

    /// Has findings of policies fail a run or not, in their order; those with `None` are dropped.
    pub fn enforce(&mut self, modes: Vec<Option<Enforcement>>) {
        for (policy, mode) in self.policies.iter_mut().zip(&modes) {
            policy.enforcement = mode.unwrap_or_default();
        }
        let mut modes = modes.into_iter();
        self.retain(|_| modes.next().flatten().is_some());
    }

    /// Says whether everything that was set is of a policy and a parameter that there is, and of its kind.
    ///
    /// # Errors
    /// Everything that is not, with what was probably meant.
    pub fn accepts(&self, overrides: &Overrides) -> Result<(), Vec<Error>> {
        let mut wrong = Vec::new();
        for (id, _, said) in &overrides.severity {
            wrong.extend(self.find(id).err().map(|error| said.blamed(error)));
        }
        for param in &overrides.params {
            let (id, name) = (&param.policy, &param.name);
            let policy = match self.find(id) {
                Ok(policy) => policy,
                Err(error) => {
                    wrong.push(param.said.blamed(error));
                    continue;
                }
            };
            // A flag is seen; a line of a file says less than the names of what it is about.
            let about = |error: Error| match param.said.by {
                By::Flag | By::Default => error.about(format!("param {id}.{name}")),
                By::File | By::Env => param.said.blamed(error),
            };
            let Some(known) = policy.header.params.iter().find(|known| known.name == *name) else {
                let names = policy.header.params.iter().map(|known| known.name.as_str());
                let remedy = match did_you_mean(name, names) {
                    Some(meant) => format!("did you mean `{meant}`?"),
                    None => format!("`lawbook show {id}` lists them"),
                };
                wrong.push(about(Error::new(format!("policy `{id}` has no parameter `{name}`")).try_to(remedy)));
                continue;
            };
            if let Err(reason) = known.kind.accept(&param.value) {
                let name = if param.said.place.is_some() { format!("{id}.{name}: ") } else { String::new() };
                wrong.push(about(Error::new(format!("{name}{reason}"))));
            }
        }
        if wrong.is_empty() { Ok(()) } else { Err(wrong) }
    }

    /// The error of an id that no policy has.
    pub fn unknown(&self, id: &str) -> Error {
        let (pack, bare) = id.rsplit_once('/').map_or((None, id), |(pack, bare)| (Some(pack), bare));
        let has_it = |packs: &BTreeSet<Arc<str>>| pack.is_none_or(|pack| packs.contains(pack));
        if self.homes[0].get(bare).is_some_and(has_it) {
            let error = Error::new(format!("policy `{id}` is off"));
            return error.try_to("`lawbook config` says what turned it off");
        }
        let error = Error::new(format!("no policy `{id}`"));
        let ids = self.policies.iter().filter(|policy| pack.is_none_or(|pack| pack == &*policy.pack));
        let meant = did_you_mean(bare, ids.map(|policy| &*policy.id));
        let qualified = |meant: &str| pack.map_or_else(|| meant.to_owned(), |pack| format!("{pack}/{meant}"));
        // The pack may be what is misspelt.
        let elsewhere = || self.get(bare).filter(|_| pack.is_some()).map(Policy::qualified);
        match meant.map(qualified).or_else(elsewhere) {
            Some(meant) => error.try_to(format!("did you mean `{meant}`? `lawbook list` lists all")),
            None => error.try_to("`lawbook list` lists all"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Pack;
    use crate::script::Limits;

    fn load(pack: &str, id: &str, head: &str) -> Checked {
        let text = format!(
            "//! ---\n//! title: T\n//! severity: low\n//! judges: cloudtrail\n//! {head}\n//! ---\nfn matches(event) {{ true }}\n"
        );
        Pack::from_text(id, &text).named(pack).check(&Overrides::of_invented_events(), &Limits::default()).unwrap()
    }

    #[test]
    fn a_policy_is_found_by_each_of_its_ids_and_by_that_which_it_has_first() {
        let mut all = Checked::default();
        for (id, formerly) in [("a", "[x, b]"), ("b", "[y]"), ("c", "[x]")] {
            all.join(load("local", id, &format!("formerly: {formerly}")));
        }
        let found = |all: &Checked| {
            ["a", "b", "c", "x", "y", "z"]
                .map(|id| all.get(id).map_or("-".into(), |policy| policy.id.to_string()))
                .concat()
        };
        assert_eq!(found(&all), "abcab-");
        all.retain(|policy| &*policy.id != "a");
        assert_eq!(found(&all), "-bccb-");
    }

    #[test]
    fn a_name_that_two_packs_have_says_too_little() {
        let mut all = Checked::default();
        for pack in ["ours", "theirs"] {
            all.join(load(pack, "same", "formerly: [old]"));
        }
        all.join(load("ours", "lone", "formerly: []"));
        for name in ["same", "old"] {
            let told = all.find(name).unwrap_err().to_string();
            assert!(told.contains("`ours/same` and `theirs/same`"), "{told}");
            assert_eq!(all.find(&format!("theirs/{name}")).unwrap().qualified(), "theirs/same");
        }
        assert_eq!(all.find("lone").unwrap().qualified(), "ours/lone");
        let names: Vec<String> = all.policies().iter().map(|policy| all.name_of(policy)).collect();
        assert_eq!(names, ["ours/same", "theirs/same", "lone"]);
        let told = all.find("their/same").unwrap_err().to_string();
        assert!(told.contains("did you mean `ours/same`"), "{told}");
        // What is left of two is one; but what files say goes on to be unclear.
        all.retain(|policy| &*policy.pack == "ours");
        assert_eq!((all.find("same").unwrap().qualified().as_str(), all.homes("same").len()), ("ours/same", 2));
        assert!(all.are_apart().is_ok());
        all.join(load("ours", "same", "formerly: []"));
        assert!(all.are_apart().unwrap_err().to_string().contains("`ours/same`"));
    }

    #[test]
    fn the_closest_word_decides_whether_findings_fail_a_run() {
        let mut all = Checked::default();
        for (id, tags) in [("a", "[cis.4.1, soc]"), ("b", "[cis.4.1, cis.5]"), ("c", "[]")] {
            all.join(load("mine", id, &format!("tags: {tags}")));
        }
        for policy in &mut all.policies {
            policy.area = if &*policy.id == "c" { "net/vpc".into() } else { "net".into() };
        }
        let modes = |said: &[(&str, &str)]| {
            let mut overrides = Overrides::default();
            for (word, mode) in said {
                overrides.set_enforcement(word, mode, Said::by_default()).unwrap();
            }
            let modes = all.enforcement(&overrides).unwrap_or_else(|errors| panic!("{errors:?}"));
            modes
                .into_iter()
                .map(|(mode, _)| mode.map_or('-', |mode| mode.word().chars().next().unwrap()))
                .collect::<String>()
        };
        for (said, wanted) in [
            (&[][..], "fff"),
            (&[("all", "off")], "---"),
            (&[("all", "off"), ("mine", "report")], "rrr"),
            (&[("mine", "off"), ("cis", "report")], "rr-"),
            (&[("cis", "report"), ("cis.4", "off")], "--f"),
            // As close: the strictest.
            (&[("cis.4.1", "report"), ("cis.4", "off"), ("cis.5", "off")], "rrf"),
            (&[("cis", "off"), ("soc", "report")], "r-f"),
            (&[("cis.4.1", "off"), ("net", "report")], "rrr"),
            (&[("net", "report"), ("net/vpc", "fail")], "rrf"),
            (&[("net", "report"), ("mine/net/vpc", "off")], "rr-"),
            (&[("c", "report"), ("net/vpc", "off")], "ffr"),
            (&[("c", "report"), ("mine/c", "off")], "ff-"),
            (&[("mine/c", "off"), ("c", "report")], "ffr"),
        ] {
            assert_eq!(modes(said), wanted, "{said:?}");
        }
        for (word, meant) in [("nett", "`net`"), ("cis.4.2", "`cis.4.1`"), ("mien", "`mine`")] {
            let mut overrides = Overrides::default();
            overrides.set_enforcement(word, "off", Said::by_flag("--enforce")).unwrap();
            let told = all.enforcement(&overrides).unwrap_err()[0].to_string();
            assert!(told.starts_with("--enforce: no policy") && told.contains(meant), "{told}");
        }
        // The first letters of a tag are no area.
        let words = |word: &str| all.chosen(&[(word.to_owned(), Said::by_default())]);
        assert!(words("ci").is_err() && words("ne").is_err());
        assert_eq!(words("net").unwrap().len(), 3);
    }
}
