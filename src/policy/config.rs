//! What users set for a whole run: `lawbook.yaml`, and variables of the environment of the same names.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;

use super::said::Said;
use crate::error::Error;
use crate::shape::{Shape, Violation};
use crate::yaml::{self, Data, Key, Yaml};

/// The name of the file.
pub(super) const FILE: &str = "lawbook.yaml";

/// What people call it, too.
const MISNAMED: [&str; 5] = ["lawbook.yml", ".lawbook.yaml", ".lawbook.yml", "Lawbook.yaml", "Lawbook.yml"];

/// What the names of variables begin with.
const PREFIX: &str = "LAWBOOK_";

/// Variables that are no keys of the file.
const OTHERS: [&str; 3] = ["LAWBOOK_CONFIG", "LAWBOOK_NOW", "LAWBOOK_CACHE"];

/// Variables that stand for flags which no file can set.
const OF_FLAGS: [&str; 2] = ["LAWBOOK_LOG_FORMAT", "LAWBOOK_REDACT_KEY"];

/// The schema of the configuration, as text.
pub(crate) const SCHEMA: &str = include_str!("../../schemas/config.schema.json");

/// A configuration that was read.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// Where it was read.
    pub file: Option<PathBuf>,
    /// What it sets, in the order of the file.
    pub settings: Vec<Setting>,
}

/// A key, its value, and where that was said.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The key, as it is in the file.
    pub key: String,
    /// Its value.
    pub value: Yaml,
    said: Said,
    /// The text of the file.
    text: Option<Arc<str>>,
}

impl Setting {
    /// Where a part of the value was said.
    pub fn said(&self, part: &Yaml) -> Said {
        self.at(part.span.start)
    }

    /// Where a key of the value was said.
    pub fn said_of(&self, key: &Key) -> Said {
        self.at(key.span.start)
    }

    fn at(&self, offset: usize) -> Said {
        match &self.text {
            Some(text) => Said { place: Some(place(text, offset)), ..self.said.clone() },
            None => self.said.clone(),
        }
    }

    /// Where it was said.
    pub fn whole(&self) -> &Said {
        &self.said
    }
}

/// 1-based line and column of a byte offset.
fn place(text: &str, offset: usize) -> (usize, usize) {
    let before = &text[..offset.min(text.len())];
    (before.matches('\n').count() + 1, before.len() - before.rfind('\n').map_or(0, |at| at + 1) + 1)
}

impl Config {
    /// The configuration of the current folder, whose absolute path is given: `lawbook.yaml` there or in the nearest folder
    /// above, named from there; none is an empty one.
    ///
    /// # Errors
    /// When the file cannot be read or is not a configuration: every mistake. When one is there by another ending, which
    /// somebody takes for it.
    pub fn find(folder: &Path) -> Result<Self, Vec<Error>> {
        let up = |depth: usize, name: &str| std::iter::repeat_n("..", depth).collect::<PathBuf>().join(name);
        // A link to nowhere and a folder are there, too: reading them says what is wrong.
        let is_there = |folder: &Path, name: &str| folder.join(name).symlink_metadata().is_ok();
        for (depth, folder) in folder.ancestors().enumerate() {
            if is_there(folder, FILE) {
                return Self::read(&up(depth, FILE));
            }
            if let Some(name) = MISNAMED.into_iter().find(|name| is_there(folder, name)) {
                let error = Error::new("is not read, for a configuration has another name");
                let remedy =
                    format!("rename it to `{FILE}`; or name it with `--config`, or go without with `--no-config`");
                return Err(vec![error.about(up(depth, name).display().to_string()).try_to(remedy)]);
            }
        }
        Ok(Self::default())
    }

    /// Reads a configuration.
    ///
    /// # Errors
    /// When the file cannot be read or is not a configuration: every mistake.
    pub fn read(file: &Path) -> Result<Self, Vec<Error>> {
        let name = file.display().to_string();
        let text: Arc<str> = std::fs::read_to_string(file)
            .map_err(|error| vec![Error::new(format!("cannot be read: {error}")).about(&name)])?
            .into();
        let said = |offset| Said { by: super::By::File, name: name.clone(), place: Some(place(&text, offset)) };
        let tree = yaml::parse(&text).map_err(|error| {
            let stopped = said(error.span.start).wrong(error.message);
            vec![match yaml::remedy(&text, error.span.start) {
                Some(remedy) => stopped.try_to(remedy),
                None => stopped,
            }]
        })?;
        if tree.to_json().is_null() {
            return Ok(Self { file: Some(file.to_owned()), settings: Vec::new() });
        }
        let violations = Shape::of(SCHEMA).violations(&tree);
        if !violations.is_empty() {
            return Err(violations.into_iter().map(|found| told(&said(found.span.start), found)).collect());
        }
        let settings = tree.members().iter().filter(|(key, _)| key.name != "lawbook").map(|(key, value)| Setting {
            key: key.name.clone(),
            value: value.clone(),
            said: said(key.span.start),
            text: Some(Arc::clone(&text)),
        });
        Ok(Self { file: Some(file.to_owned()), settings: settings.collect() })
    }

    /// What variables of the environment set: `LAWBOOK_FAIL_ON` is `fail_on`. A list is written with commas, or in
    /// brackets as in YAML; what has keys in braces. An empty value sets nothing.
    ///
    /// # Errors
    /// Every one that does not fit.
    pub fn of_env(variables: impl Iterator<Item = (String, String)>) -> Result<Vec<Setting>, Vec<Error>> {
        let mut named: Vec<(String, String)> =
            variables.filter(|(name, text)| name.starts_with(PREFIX) && !text.trim().is_empty()).collect();
        named.sort();
        if named.is_empty() {
            return Ok(Vec::new());
        }
        let schema: Value = serde_json::from_str(SCHEMA).unwrap_or_default();
        let shape = Shape::of(SCHEMA);
        let (mut settings, mut wrong) = (Vec::new(), Vec::new());
        for (name, text) in named {
            // Those of `policies` are called as their flags are.
            let word = name[PREFIX.len()..].to_ascii_lowercase();
            let (key, inner) = match word.as_str() {
                "only" | "skip" => ("policies", Some(word.as_str())),
                word => (word, None),
            };
            let path = inner
                .map_or_else(|| format!("/properties/{key}"), |inner| format!("/properties/{key}/properties/{inner}"));
            let Some(property) =
                schema.pointer(&path).filter(|_| key != "lawbook" && name == name.to_ascii_uppercase())
            else {
                continue;
            };
            let said = Said::by_env(&name);
            match value(&text, property) {
                Err(reason) => wrong.push(said.wrong(reason)),
                Ok(mut value) => {
                    for name in inner.into_iter().chain([key]) {
                        let key = Key { name: name.to_owned(), span: 0..0 };
                        value = Yaml { span: value.span.clone(), data: Data::Map(vec![(key, value)]) };
                    }
                    wrong.extend(shape.violations(&value).into_iter().map(|found| told(&said, found)));
                    let Data::Map(mut members) = value.data else { continue };
                    let Some((_, value)) = members.pop() else { continue };
                    settings.push(Setting { key: key.to_owned(), value, said, text: None });
                }
            }
        }
        if wrong.is_empty() { Ok(settings) } else { Err(wrong) }
    }

    /// The variable that somebody meant by one that sets nothing: one that is nearly it, begins with it, or with which it
    /// begins; `None` if there is none, for others may have variables that are called so.
    pub fn meant(name: &str) -> Option<String> {
        let own = name.strip_prefix(PREFIX)?.replace('_', "");
        let mut known = Self::variables();
        known.extend(OTHERS.into_iter().chain(OF_FLAGS).map(str::to_owned));
        if known.iter().any(|known| known == name) {
            return None;
        }
        let short = |name: &str| name[PREFIX.len()..].replace('_', "");
        let same = known.iter().find(|known| short(known) == own).map(String::as_str);
        let near = || crate::diagnostic::surely_meant(name, known.iter().map(String::as_str));
        let begins = |known: &&String| name.strip_prefix(known.as_str()).is_some_and(|rest| rest.starts_with('_'));
        let continues = |known: &&String| own.len() > 3 && short(known).starts_with(&own);
        let other = || known.iter().find(begins).or_else(|| known.iter().find(continues)).map(String::as_str);
        same.or_else(near).or_else(other).map(str::to_owned)
    }

    /// The keys of the file, but for its version.
    pub fn keys() -> Vec<String> {
        let schema: Value = serde_json::from_str(SCHEMA).unwrap_or_default();
        let keys = schema["properties"].as_object().map(|keys| keys.keys().cloned().collect::<Vec<_>>());
        keys.unwrap_or_default().into_iter().filter(|key| key != "lawbook").collect()
    }

    /// Whether a variable sets something that is text.
    pub fn reads(name: &str) -> bool {
        ["LAWBOOK_CONFIG", "LAWBOOK_NOW"].contains(&name) || Self::variables().iter().any(|known| known == name)
    }

    /// The variables that set something.
    fn variables() -> Vec<String> {
        let keys = Self::keys().into_iter().chain(["only".to_owned(), "skip".to_owned()]);
        keys.map(|key| format!("{PREFIX}{}", key.to_ascii_uppercase())).collect()
    }

    /// The folder that its paths are relative to.
    pub fn base(&self) -> &Path {
        self.file.as_deref().and_then(Path::parent).unwrap_or(Path::new(""))
    }
}

/// The value of a variable, read as what the key takes.
fn value(text: &str, property: &Value) -> Result<Yaml, String> {
    let text = text.trim();
    let is_list = property["type"] == "array" || property["$ref"] == "#/$defs/texts";
    if is_list && !text.starts_with('[') {
        let items = text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(Yaml::plain).collect();
        return Ok(Yaml { data: Data::List(items), span: 0..text.len() });
    }
    if is_list || property["type"] == "object" {
        return yaml::parse(text).map_err(|error| error.message);
    }
    Ok(Yaml::plain(text))
}

fn told(said: &Said, violation: Violation) -> Error {
    let error = said.wrong(violation.message);
    match violation.help {
        Some(help) => error.try_to(help),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(name: &str, text: &str) -> Result<Vec<Setting>, String> {
        let told = |errors: Vec<Error>| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        Config::of_env(std::iter::once((name.to_owned(), text.to_owned()))).map_err(told)
    }

    #[test]
    fn a_variable_is_read_as_what_its_key_takes() {
        for (name, text, wanted) in [
            ("LAWBOOK_FAIL_ON", "high", "\"high\""),
            ("LAWBOOK_STRICT", "true", "true"),
            ("LAWBOOK_THREADS", " 3 ", "3"),
            ("LAWBOOK_STATE", "a: [b", "\"a: [b\""),
            ("LAWBOOK_ACCOUNTS", "111122223333, 444455556666", "[111122223333,444455556666]"),
            ("LAWBOOK_INPUTS", "[\"a,b\", c]", "[\"a,b\",\"c\"]"),
            ("LAWBOOK_ONLY", "a,b/c", "{\"only\":[\"a\",\"b/c\"]}"),
            ("LAWBOOK_ENFORCEMENT", "{net: report}", "{\"net\":\"report\"}"),
        ] {
            let settings = env(name, text).unwrap();
            assert_eq!((settings.len(), settings[0].value.to_json().to_string().as_str()), (1, wanted), "{name}");
            assert_eq!(settings[0].said(&settings[0].value).to_string(), name);
        }
        for (name, text) in
            [("LAWBOOK_FAIL_ON", ""), ("LAWBOOK_NOSUCH", "x"), ("LAWBOOK_LAWBOOK", "2"), ("lawbook_strict", "true")]
        {
            assert!(env(name, text).unwrap().is_empty(), "{name}");
        }
        for (name, text, told) in [
            ("LAWBOOK_FAIL_ON", "hihg", "LAWBOOK_FAIL_ON: "),
            ("LAWBOOK_STRICT", "yes", "true or false"),
            ("LAWBOOK_THREADS", "0", "LAWBOOK_THREADS: "),
            ("LAWBOOK_SEVERITY", "high", "a map"),
            ("LAWBOOK_ENFORCEMENT", "{net: warn}", "LAWBOOK_ENFORCEMENT: "),
        ] {
            assert!(env(name, text).is_err_and(|error| error.contains(told)), "{name}: {:?}", env(name, text));
        }
    }

    #[test]
    fn a_variable_that_is_nearly_one_is_told() {
        for (name, wanted) in [
            ("LAWBOOK_FAILON", Some("LAWBOOK_FAIL_ON")),
            ("LAWBOOK_STRIKT", Some("LAWBOOK_STRICT")),
            ("LAWBOOK_ENFORCE", Some("LAWBOOK_ENFORCEMENT")),
            ("LAWBOOK_STATE_FILE", Some("LAWBOOK_STATE")),
            ("LAWBOOK_CONFIG_FILE", Some("LAWBOOK_CONFIG")),
            ("LAWBOOK_LOGFORMAT", Some("LAWBOOK_LOG_FORMAT")),
            ("LAWBOOK_REDACT", Some("LAWBOOK_REDACT_KEY")),
            ("LAWBOOK_REDACT_KEY", None),
            ("LAWBOOK_NOWHERE", None),
            ("LAWBOOK_SHA", None),
            ("LAWBOOK_", None),
            ("LAWBOOK_FAIL_ON", None),
            ("LAWBOOK_CONFIG", None),
            ("LAWBOOK_VERSION", None),
            ("PATH", None),
        ] {
            assert_eq!(Config::meant(name).as_deref(), wanted, "{name}");
        }
    }
}
