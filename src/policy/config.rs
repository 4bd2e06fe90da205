//! What users set for a whole run: `lawbook.yaml`.

use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::finding::Severity;
use crate::shape::Shape;
use crate::yaml::{self, Yaml};

/// The name of the file.
pub(super) const FILE: &str = "lawbook.yaml";

/// The schema of the configuration, as text.
pub(crate) const SCHEMA: &str = include_str!("../../schemas/config.schema.json");

/// A configuration that was read.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// Where it was read.
    pub file: Option<PathBuf>,
    /// Policy id, parameter, value.
    pub params: Vec<(String, String, Yaml)>,
    /// Policy id and the severity of all its findings.
    pub severity: Vec<(String, Severity)>,
}

impl Config {
    /// The configuration of a folder: `lawbook.yaml` there or in the nearest folder above; none is an empty one.
    ///
    /// # Errors
    /// When the file cannot be read or is not a configuration.
    pub fn find(folder: &Path) -> Result<Self, Error> {
        match folder.ancestors().map(|folder| folder.join(FILE)).find(|file| file.is_file()) {
            Some(file) => Self::read(&file),
            None => Ok(Self::default()),
        }
    }

    /// Reads a configuration.
    ///
    /// # Errors
    /// When the file cannot be read or is not a configuration.
    pub fn read(file: &Path) -> Result<Self, Error> {
        let name = file.display().to_string();
        let text = std::fs::read_to_string(file)
            .map_err(|error| Error::new(format!("cannot be read: {error}")).about(&name))?;
        let place = |offset: usize| {
            let before = &text[..offset.min(text.len())];
            (before.matches('\n').count() + 1, before.len() - before.rfind('\n').map_or(0, |at| at + 1) + 1)
        };
        let at = |offset: usize, message: String| {
            let (line, column) = place(offset);
            Error::new(message).about(&name).at(line, column)
        };
        let yaml = yaml::parse(&text).map_err(|error| {
            let stopped = at(error.span.start, error.message);
            match yaml::remedy(&text, error.span.start) {
                Some(remedy) => stopped.try_to(remedy),
                None => stopped,
            }
        })?;
        if yaml.to_json().is_null() {
            return Ok(Self { file: Some(file.to_owned()), ..Self::default() });
        }
        if let Some(violation) = Shape::of(SCHEMA).violations(&yaml).into_iter().next() {
            let error = at(violation.span.start, violation.message);
            return Err(match violation.help {
                Some(help) => error.try_to(help),
                None => error,
            });
        }
        let mut config = Self { file: Some(file.to_owned()), ..Self::default() };
        for (policy, values) in yaml.get("params").map(Yaml::members).unwrap_or_default() {
            for (param, value) in values.members() {
                config.params.push((policy.name.clone(), param.name.clone(), value.clone()));
            }
        }
        for (policy, word) in yaml.get("severity").map(Yaml::members).unwrap_or_default() {
            config
                .severity
                .extend(word.raw().and_then(Severity::from_word).map(|severity| (policy.name.clone(), severity)));
        }
        Ok(config)
    }
}
