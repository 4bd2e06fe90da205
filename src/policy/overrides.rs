//! What users set for policies: parameters, severities, and whether findings fail a run.

use std::collections::HashMap;
use std::sync::Arc;

use super::said::Said;
use crate::error::Error;
use crate::finding::{Enforcement, Severity};
use crate::schema::Shapes;
use crate::yaml::{self, Yaml};

/// What is set for policies. What is set later beats what was set before.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    pub(super) params: Vec<Set>,
    /// Policy and the severity of all its findings.
    pub(super) severity: Vec<(String, Severity, Said)>,
    /// A policy or an area, and whether findings fail a run; `None`: off.
    pub(super) enforcement: Vec<(String, Option<Enforcement>, Said)>,
    /// What is known of AWS, if that is more than the program carries.
    shapes: Option<Arc<Shapes>>,
}

/// A parameter that is set.
#[derive(Clone, Debug)]
pub(super) struct Set {
    /// The policy: `id`, or `pack/id`.
    pub(super) policy: String,
    pub(super) name: String,
    pub(super) value: Yaml,
    pub(super) said: Said,
}

impl Overrides {
    /// Checks policies whose fields no event has.
    #[cfg(test)]
    pub(crate) fn of_invented_events() -> Self {
        static READ: std::sync::LazyLock<Arc<Shapes>> = std::sync::LazyLock::new(|| {
            let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/shapes");
            Arc::new(Shapes::embedded().with_extra(&folder).expect("the shapes of tests are sound"))
        });
        Self { shapes: Some(Arc::clone(&READ)), ..Self::default() }
    }

    /// Checks policies by these shapes, instead of those that the program carries.
    pub fn set_shapes(&mut self, shapes: Shapes) {
        self.shapes = Some(Arc::new(shapes));
    }

    /// What policies are checked by.
    pub fn shapes(&self) -> &Shapes {
        self.shapes.as_deref().unwrap_or(Shapes::embedded())
    }

    /// Adds `ID.NAME=VALUE`, the value in YAML.
    ///
    /// # Errors
    /// When it is not of that form.
    pub fn set_param(&mut self, flag: &str) -> Result<(), Error> {
        let wrong = |reason: String| {
            Error::new(reason)
                .about(format!("--param {flag}"))
                .try_to("`--param eip-disassociated.trusted_roles='[arn:aws:iam::111122223333:role/ops]'`")
        };
        let parts = flag.split_once('=').and_then(|(name, value)| Some((name.split_once('.')?, value)));
        let Some(((policy, param), value)) = parts else {
            return Err(wrong("expected ID.NAME=VALUE".to_owned()));
        };
        let value = yaml::parse(value).map_err(|error| wrong(format!("the value is {}", error.message)))?;
        self.set(policy, param, value, Said::by_flag("--param"));
        Ok(())
    }

    /// Sets a parameter, over what was set before.
    pub fn add_param(&mut self, policy: &str, param: &str, value: Yaml) {
        self.set(policy, param, value, Said::by_default());
    }

    /// Sets a parameter, over what was set before, and notes where that was said.
    pub fn set(&mut self, policy: &str, param: &str, value: Yaml, said: Said) {
        self.params.retain(|known| (known.policy.as_str(), known.name.as_str()) != (policy, param));
        self.params.push(Set { policy: policy.to_owned(), name: param.to_owned(), value, said });
    }

    /// Sets the severity of all findings of a policy.
    ///
    /// # Errors
    /// When the word is no severity.
    pub fn set_severity(&mut self, policy: &str, word: &str, said: Said) -> Result<(), Error> {
        let words = Severity::ALL.map(Severity::word).join(", ");
        let severity = Severity::from_word(word)
            .ok_or_else(|| said.wrong(format!("`{word}` is none of the severities {words}")))?;
        self.severity.retain(|(known, ..)| known != policy);
        self.severity.push((policy.to_owned(), severity, said));
        Ok(())
    }

    /// Sets whether findings of a policy or an area fail a run: `off`, `report` or `fail`.
    ///
    /// # Errors
    /// When the word is none of these.
    pub fn set_enforcement(&mut self, area: &str, word: &str, said: Said) -> Result<(), Error> {
        let mode = match word {
            "off" => None,
            "report" => Some(Enforcement::Report),
            "fail" => Some(Enforcement::Fail),
            _ => return Err(said.wrong(format!("`{word}` is none of off, report, fail"))),
        };
        self.enforcement.retain(|(known, ..)| known != area);
        self.enforcement.push((area.to_owned(), mode, said));
        Ok(())
    }

    /// Everything that is set, by keys as in the configuration, with where it was said.
    pub fn all(&self) -> Vec<(String, serde_json::Value, Said)> {
        let params = self
            .params
            .iter()
            .map(|set| (format!("params.{}.{}", set.policy, set.name), set.value.to_json(), set.said.clone()));
        let severity = self
            .severity
            .iter()
            .map(|(policy, severity, said)| (format!("severity.{policy}"), severity.word().into(), said.clone()));
        let enforcement = self.enforcement.iter().map(|(area, mode, said)| {
            (format!("enforcement.{area}"), mode.map_or("off", Enforcement::word).into(), said.clone())
        });
        params.chain(severity).chain(enforcement).collect()
    }

    /// The policies and areas for which something is set.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let params = self.params.iter().map(|set| set.policy.as_str());
        let severity = self.severity.iter().map(|(policy, ..)| policy.as_str());
        params.chain(severity).chain(self.enforcement.iter().map(|(area, ..)| area.as_str()))
    }

    /// Keeps what is set for policies and areas of which `keep` says so.
    pub fn keep(&mut self, keep: &dyn Fn(&str, &Said) -> bool) {
        self.params.retain(|set| keep(&set.policy, &set.said));
        self.severity.retain(|(policy, _, said)| keep(policy, said));
        self.enforcement.retain(|(area, _, said)| keep(area, said));
    }

    pub(super) fn by_policy(&self) -> ByPolicy<'_> {
        let mut sorted = ByPolicy { all: self, params: HashMap::new(), severity: HashMap::new() };
        for (at, set) in self.params.iter().enumerate() {
            sorted.params.entry(&set.policy).or_default().push(at);
        }
        for (at, (policy, ..)) in self.severity.iter().enumerate() {
            sorted.severity.insert(policy, at);
        }
        sorted
    }
}

/// What is set, by the name of the policy: of many policies each finds its own without looking through all.
pub(super) struct ByPolicy<'a> {
    all: &'a Overrides,
    params: HashMap<&'a str, Vec<usize>>,
    severity: HashMap<&'a str, usize>,
}

impl<'a> ByPolicy<'a> {
    /// The parameters that are set for a policy of these names, in the order in which they were.
    pub(super) fn params<'n>(&self, names: impl Iterator<Item = &'n str>) -> impl Iterator<Item = (&'a str, &'a Yaml)> {
        let mut places: Vec<usize> = names.filter_map(|name| self.params.get(name)).flatten().copied().collect();
        places.sort_unstable();
        places.dedup();
        let all = self.all;
        places.into_iter().map(|at| (all.params[at].name.as_str(), &all.params[at].value))
    }

    /// The severity that is set last for a policy of these names.
    pub(super) fn severity<'n>(&self, names: impl Iterator<Item = &'n str>) -> Option<Severity> {
        let last = names.filter_map(|name| self.severity.get(name)).max()?;
        Some(self.all.severity[*last].1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_finds_what_is_set_by_each_of_its_ids_in_the_order_in_which_it_was() {
        let mut overrides = Overrides::default();
        for flag in ["old.a=1", "new.a=2", "other.a=3", "old.b=4", "pack/new.b=5", "old.a=6"] {
            overrides.set_param(flag).unwrap();
        }
        for (policy, word) in [("other", "info"), ("old", "low"), ("pack/new", "high")] {
            overrides.set_severity(policy, word, Said::by_default()).unwrap();
        }
        let sorted = overrides.by_policy();
        let set = |names: &[&str]| {
            sorted.params(names.iter().copied()).map(|(name, value)| (name, value.raw())).collect::<Vec<_>>()
        };
        let names = ["new", "old", "pack/new"];
        assert_eq!(set(&names), [("a", Some("2")), ("b", Some("4")), ("b", Some("5")), ("a", Some("6"))]);
        assert_eq!(set(&["nobody"]), []);
        assert_eq!(sorted.severity(names.into_iter()), Some(Severity::High));
        assert_eq!(sorted.severity(["new", "old"].into_iter()), Some(Severity::Low));
        assert_eq!(sorted.severity(["nobody"].into_iter()), None);
    }

    #[test]
    fn what_is_no_word_is_told_with_those_there_are() {
        let mut overrides = Overrides::default();
        let told = overrides.set_enforcement("a", "warn", Said::by_env("LAWBOOK_ENFORCEMENT")).unwrap_err();
        assert_eq!(told.to_string(), "LAWBOOK_ENFORCEMENT: `warn` is none of off, report, fail");
        assert!(
            overrides
                .set_severity("a", "hihg", Said::by_flag("--severity"))
                .unwrap_err()
                .to_string()
                .contains("medium")
        );
    }
}
