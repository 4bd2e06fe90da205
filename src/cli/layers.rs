//! What is set where: flags over the environment over `lawbook.yaml`, and who said what.
//!
//! *Law*: a setting is taken from the first of these that says it. A list is taken whole; what has keys is taken key by key.

use std::path::{Path, PathBuf};

use clap::Args;
use lawbook::error::Error;
use lawbook::policy::{By, Config, Said, Setting};
use lawbook::yaml::Yaml;
use serde_json::Value;

use super::Failure;

/// Which configuration.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Configuration")]
pub(crate) struct ConfigArgs {
    /// The configuration, instead of the `lawbook.yaml` in this folder or the nearest above [env: LAWBOOK_CONFIG]
    #[arg(long, value_name = "FILE", conflicts_with = "no_config")]
    pub(crate) config: Option<PathBuf>,

    /// Read no `lawbook.yaml`
    #[arg(long)]
    no_config: bool,

    /// Every pack must be in `lawbook.lock`, as it was
    #[arg(long, conflicts_with = "unlocked")]
    pub(crate) locked: bool,

    /// Take packs as they are, whatever `lawbook.lock` says
    #[arg(long)]
    pub(crate) unlocked: bool,
}

/// The configuration and the environment.
#[derive(Debug, Default)]
pub(crate) struct Layers {
    pub(crate) config: Config,
    env: Vec<Setting>,
}

/// A value, and where it was said.
#[derive(Clone, Debug)]
pub(crate) struct Settled<T> {
    pub(crate) value: T,
    pub(crate) said: Said,
}

impl Layers {
    /// Reads both; every mistake in them is told at once.
    pub(crate) fn read(args: &ConfigArgs) -> Result<Self, Failure> {
        let mut variables = Vec::new();
        for (name, value) in std::env::vars_os() {
            let Ok(name) = name.into_string() else { continue };
            match value.into_string() {
                Ok(value) => variables.push((name, value)),
                Err(_) if Config::reads(&name) => return Err(Said::by_env(&name).wrong("is no text").into()),
                Err(_) => {}
            }
        }
        for (name, _) in &variables {
            if let Some(meant) = Config::meant(name) {
                super::note(&format!("`{name}` sets nothing (try: `{meant}`)"));
            }
        }
        let of_env = |name: &str| variables.iter().find(|(known, text)| known == name && !text.is_empty());
        let named = args.config.clone().or_else(|| of_env("LAWBOOK_CONFIG").map(|(_, file)| file.into()));
        let config = match named {
            _ if args.no_config => Ok(Config::default()),
            Some(file) => Config::read(&file),
            None => Config::find(&std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."))),
        };
        match (config, Config::of_env(variables.into_iter())) {
            (Ok(config), Ok(env)) => Ok(Self { config, env }),
            (config, env) => {
                let (of_file, of_env) = (config.err().unwrap_or_default(), env.err().unwrap_or_default());
                Err(Failure::Errors([of_file, of_env].concat()))
            }
        }
    }

    /// What is said of a key, the strongest last.
    pub(crate) fn all(&self, key: &str) -> impl Iterator<Item = &Setting> {
        self.config.settings.iter().chain(&self.env).filter(move |setting| setting.key == key)
    }

    /// The strongest that is said of a key.
    pub(crate) fn top(&self, key: &str) -> Option<&Setting> {
        self.all(key).last()
    }

    /// A path: that of a file of configuration is relative to the file.
    pub(crate) fn path(&self, text: &str, said: &Said) -> PathBuf {
        if said.by != By::File || text == "-" {
            return PathBuf::from(text);
        }
        let base = self.config.base();
        if base.as_os_str().is_empty() { PathBuf::from(text) } else { tidy(&base.join(text)) }
    }

    /// The file that a key names, if somebody names one.
    pub(crate) fn file(&self, key: &'static str, flag: Option<&PathBuf>) -> Option<Settled<PathBuf>> {
        if let Some(value) = flag {
            return Some(Settled { value: value.clone(), said: Said::by_flag(flag_of(key)) });
        }
        let setting = self.top(key)?;
        let said = setting.whole().clone();
        Some(Settled { value: self.path(setting.value.raw()?, &said), said })
    }
}

/// A path without the `.` and the folders that it leaves again in words.
fn tidy(path: &Path) -> PathBuf {
    path.components().filter(|part| !matches!(part, std::path::Component::CurDir)).collect()
}

/// The flag of a key.
pub(crate) fn flag_of(key: &str) -> String {
    match key {
        "inputs" => "PATH".to_owned(),
        "packs" => "--pack".to_owned(),
        "params" => "--param".to_owned(),
        "enforcement" => "--enforce".to_owned(),
        "accounts" => "--account".to_owned(),
        "regions" => "--region".to_owned(),
        "reports" => "--report".to_owned(),
        "trusted_keys" => "--trusted-key".to_owned(),
        "policies.only" => "--only".to_owned(),
        "policies.skip" => "--skip".to_owned(),
        key => format!("--{}", key.replace('_', "-")),
    }
}

/// A setting as it counts.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// The key, with those within it after dots.
    pub(crate) key: String,
    pub(crate) value: Value,
    pub(crate) said: Said,
}

/// Takes settings, one by one, and notes what it took and what does not fit.
pub(crate) struct Taking<'a> {
    pub(crate) layers: &'a Layers,
    pub(crate) rows: Vec<Row>,
    pub(crate) wrong: Vec<Error>,
}

impl<'a> Taking<'a> {
    pub(crate) fn new(layers: &'a Layers) -> Self {
        Self { layers, rows: Vec::new(), wrong: Vec::new() }
    }

    /// Notes what counts.
    pub(crate) fn note(&mut self, key: &str, value: impl Into<Value>, said: Said) {
        self.rows.push(Row { key: key.to_owned(), value: value.into(), said });
    }

    /// A value that `read` reads from text; `default` is what is told of it if nobody says it.
    pub(crate) fn one<T>(
        &mut self,
        key: &'static str,
        flag: Option<T>,
        read: impl Fn(&str) -> Result<T, String>,
        show: impl Fn(&T) -> Value,
        default: Value,
    ) -> Option<T> {
        if let Some(value) = flag {
            self.note(key, show(&value), Said::by_flag(flag_of(key)));
            return Some(value);
        }
        let Some(setting) = self.layers.top(key) else {
            self.note(key, default, Said::by_default());
            return None;
        };
        let said = setting.whole().clone();
        match read(setting.value.raw().unwrap_or_default()) {
            Ok(value) => {
                self.note(key, show(&value), said);
                Some(value)
            }
            Err(reason) => {
                self.wrong.push(setting.said(&setting.value).wrong(format!("`{key}`: {reason}")));
                None
            }
        }
    }

    /// Whether something is so.
    pub(crate) fn switch(&mut self, key: &'static str, flag: Option<bool>) -> bool {
        let read = |text: &str| text.to_ascii_lowercase().parse().map_err(|_| "expected true or false".to_owned());
        self.one(key, flag, read, |value| Value::Bool(*value), false.into()).unwrap_or(false)
    }

    /// A file or a folder.
    pub(crate) fn path(&mut self, key: &'static str, flag: Option<&PathBuf>) -> Option<PathBuf> {
        let Some(Settled { value, said }) = self.layers.file(key, flag) else {
            self.note(key, Value::Null, Said::by_default());
            return None;
        };
        self.note(key, value.display().to_string(), said);
        Some(value)
    }

    /// A list, each item of which `read` reads from text and where it was said.
    pub(crate) fn list<T>(
        &mut self,
        key: &'static str,
        flag: &[T],
        read: impl Fn(&str, &Said) -> Result<T, String>,
        show: impl Fn(&T) -> Value,
    ) -> Vec<T>
    where
        T: Clone,
    {
        if !flag.is_empty() {
            self.note(key, flag.iter().map(&show).collect::<Value>(), Said::by_flag(flag_of(key)));
            return flag.to_vec();
        }
        let Some(setting) = self.layers.top(key) else {
            self.note(key, Value::Array(Vec::new()), Said::by_default());
            return Vec::new();
        };
        let mut read_all = Vec::new();
        for item in setting.value.items() {
            match read(item.raw().unwrap_or_default(), setting.whole()) {
                Ok(value) => read_all.push(value),
                Err(reason) => self.wrong.push(setting.said(item).wrong(format!("`{key}`: {reason}"))),
            }
        }
        self.note(key, read_all.iter().map(show).collect::<Value>(), setting.whole().clone());
        read_all
    }

    /// A list of paths.
    pub(crate) fn paths(&mut self, key: &'static str, flag: &[PathBuf]) -> Vec<PathBuf> {
        let layers = self.layers;
        self.list(key, flag, |text, said| Ok(layers.path(text, said)), |path| path.display().to_string().into())
    }
}

/// The items of a list that has words, with where each was said.
pub(crate) fn words(setting: &Setting, list: &Yaml) -> Vec<(String, Said)> {
    list.items().iter().filter_map(|item| Some((item.raw()?.to_owned(), setting.said(item)))).collect()
}
