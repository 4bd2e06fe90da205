//! What users set for policies: parameters and severities.

use std::collections::HashMap;
use std::sync::Arc;

use super::Config;
use crate::error::Error;
use crate::finding::Severity;
use crate::schema::Shapes;
use crate::yaml::{self, Yaml};

/// What flags set for policies, over the configuration.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// Policy id, parameter, value.
    pub(super) params: Vec<(String, String, Yaml)>,
    /// Policy id and the severity of all its findings.
    pub(super) severity: Vec<(String, Severity)>,
    /// What is known of AWS, if that is more than the program carries.
    shapes: Option<Arc<Shapes>>,
}

impl Overrides {
    /// What a configuration sets.
    pub fn from_config(config: &Config) -> Self {
        Self { params: config.params.clone(), severity: config.severity.clone(), shapes: None }
    }

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
        self.add_param(policy, param, value);
        Ok(())
    }

    /// Sets a parameter, over what was set before.
    pub fn add_param(&mut self, policy: &str, param: &str, value: Yaml) {
        self.params.retain(|(id, name, _)| (id.as_str(), name.as_str()) != (policy, param));
        self.params.push((policy.to_owned(), param.to_owned(), value));
    }

    pub(super) fn by_policy(&self) -> ByPolicy<'_> {
        let mut sorted = ByPolicy { all: self, params: HashMap::new(), severity: HashMap::new() };
        for (at, (policy, ..)) in self.params.iter().enumerate() {
            sorted.params.entry(policy).or_default().push(at);
        }
        for (at, (policy, _)) in self.severity.iter().enumerate() {
            sorted.severity.entry(policy).or_insert(at);
        }
        sorted
    }
}

/// What is set, by the id of the policy: of many policies each finds its own without looking through all.
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
        places.into_iter().map(|at| (all.params[at].1.as_str(), &all.params[at].2))
    }

    /// The severity that is set first for a policy of these names.
    pub(super) fn severity<'n>(&self, names: impl Iterator<Item = &'n str>) -> Option<Severity> {
        let first = names.filter_map(|name| self.severity.get(name)).min()?;
        Some(self.all.severity[*first].1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_finds_what_is_set_by_each_of_its_ids_in_the_order_in_which_it_was() {
        let mut overrides = Overrides::default();
        for flag in ["old.a=1", "new.a=2", "other.a=3", "old.b=4", "new.b=5", "old.a=6"] {
            overrides.set_param(flag).unwrap();
        }
        overrides.severity =
            vec![("other".into(), Severity::Info), ("old".into(), Severity::Low), ("new".into(), Severity::High)];
        let sorted = overrides.by_policy();
        let set = |names: &[&str]| {
            sorted.params(names.iter().copied()).map(|(name, value)| (name, value.raw())).collect::<Vec<_>>()
        };
        assert_eq!(set(&["new", "old"]), [("a", Some("2")), ("b", Some("4")), ("b", Some("5")), ("a", Some("6"))]);
        assert_eq!(set(&["nobody"]), []);
        assert_eq!(sorted.severity(["new", "old"].into_iter()), Some(Severity::Low));
        assert_eq!(sorted.severity(["nobody"].into_iter()), None);
    }
}
