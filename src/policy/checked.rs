//! Policies that load: what the engine takes.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Overrides, Policy};
use crate::diagnostic::{Diagnostic, did_you_mean};
use crate::error::Error;

/// Packs whose every policy loads.
#[derive(Debug, Default)]
pub struct Checked {
    policies: Vec<Policy>,
    /// The place of a policy by each of its ids.
    places: HashMap<Arc<str>, usize>,
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

    /// The policy that has or had that id; the first, if there are several.
    pub fn get(&self, id: &str) -> Option<&Policy> {
        self.places.get(id).map(|at| &self.policies[*at])
    }

    /// The policy of that pack and that id; the first, if there are several.
    pub fn find(&self, pack: &str, id: &str) -> Option<&Policy> {
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
        let warnings = std::mem::take(&mut self.warnings);
        let all = std::mem::take(self).policies;
        self.warnings = warnings;
        self.extend(all.into_iter().filter(|policy| keep(policy)));
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
            self.places.entry(Arc::clone(&policy.id)).or_insert(at);
            for former in &policy.header.formerly {
                self.places.entry(former.as_str().into()).or_insert(at);
            }
            self.policies.push(policy);
        }
    }

    /// Says whether everything that was set is of a policy and a parameter that there is, and of its kind.
    ///
    /// # Errors
    /// The first that is not, with what was probably meant.
    pub fn accepts(&self, overrides: &Overrides) -> Result<(), Error> {
        let named = overrides.params.iter().map(|(id, ..)| id).chain(overrides.severity.iter().map(|(id, _)| id));
        for id in named {
            if self.get(id).is_none() {
                return Err(self.unknown(id).about("param or severity setting"));
            }
        }
        for (id, name, value) in &overrides.params {
            let Some(policy) = self.get(id) else { continue };
            let Some(param) = policy.header.params.iter().find(|param| param.name == *name) else {
                let names: Vec<&str> = policy.header.params.iter().map(|param| param.name.as_str()).collect();
                let error =
                    Error::new(format!("policy `{id}` has no parameter `{name}`")).about(format!("param {id}.{name}"));
                return Err(match did_you_mean(name, names.iter().copied()) {
                    Some(meant) => error.try_to(format!("did you mean `{meant}`?")),
                    None => error.try_to(format!("`lawbook show {id}` lists them")),
                });
            };
            param.kind.accept(value).map_err(|reason| Error::new(reason).about(format!("param {id}.{name}")))?;
        }
        Ok(())
    }

    /// The error of an id that no policy has.
    pub fn unknown(&self, id: &str) -> Error {
        let error = Error::new(format!("no policy `{id}`"));
        match did_you_mean(id, self.policies.iter().map(|policy| &*policy.id)) {
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

    #[test]
    fn a_policy_is_found_by_each_of_its_ids() {
        let load = |id: &str, formerly: &str| {
            let text = format!(
                "//! ---\n//! title: T\n//! severity: low\n//! judges: cloudtrail\n//! formerly: {formerly}\n//! ---\nfn matches(event) {{ true }}\n"
            );
            Pack::from_text(id, &text).check(&Overrides::of_invented_events(), &Limits::default()).unwrap()
        };
        let mut all = Checked::default();
        for (id, formerly) in [("a", "[x, b]"), ("b", "[y]"), ("c", "[x]")] {
            all.join(load(id, formerly));
        }
        let found = |all: &Checked| {
            ["a", "b", "c", "x", "y", "z"]
                .map(|id| all.get(id).map_or("-".into(), |policy| policy.id.to_string()))
                .concat()
        };
        assert_eq!(found(&all), "aacab-");
        all.retain(|policy| &*policy.id != "a");
        assert_eq!(found(&all), "-bccb-");
    }
}
