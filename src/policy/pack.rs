//! A named folder of policies and what they share; loading one finds every mistake in it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use super::{Config, Policy, embedded, header};
use crate::diagnostic::{Diagnostic, SourceText, did_you_mean};
use crate::error::Error;
use crate::script::{self, Limits};
use crate::yaml::{self, Yaml};

/// The name of the embedded pack.
pub const DEFAULT: &str = "default";

/// The text of a pack, not checked yet.
#[derive(Debug)]
pub struct Pack {
    name: Arc<str>,
    policies: Vec<Arc<SourceText>>,
    libraries: Arc<[Arc<SourceText>]>,
}

/// Packs whose every policy loads: what the engine takes.
#[derive(Debug, Default)]
pub struct Checked {
    policies: Vec<Policy>,
}

/// What flags set for policies, over the configuration.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// Policy id, parameter, value.
    params: Vec<(String, String, Yaml)>,
    severity: Vec<(String, crate::finding::Severity)>,
}

impl Overrides {
    /// What a configuration sets.
    pub fn from_config(config: &Config) -> Self {
        Self { params: config.params.clone(), severity: config.severity.clone() }
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
}

impl Pack {
    /// The pack that the binary holds.
    pub fn embedded() -> Self {
        let text = |(path, text): &(&str, &str)| {
            Arc::new(SourceText { file: format!("policies/{path}"), text: (*text).to_owned() })
        };
        let (libraries, policies): (Vec<_>, Vec<_>) =
            embedded::FILES.iter().map(text).partition(|source| is_library(&source.file));
        Self { name: DEFAULT.into(), policies, libraries: libraries.into() }
    }

    /// The pack in a folder: every `.rhai` file in it and below, those in `lib/` shared by all others. It is named as
    /// the folder.
    ///
    /// # Errors
    /// When the folder cannot be read, or holds no policy.
    pub fn from_folder(folder: &Path) -> Result<Self, Error> {
        let subject = folder.display().to_string();
        if !folder.is_dir() {
            let reason = if folder.exists() { "is not a folder" } else { "there is no such folder" };
            return Err(Error::new(reason)
                .about(subject)
                .try_to(format!("a folder of `.rhai` files, or `{DEFAULT}` for the embedded pack")));
        }
        let mut sources = Vec::new();
        for entry in walkdir::WalkDir::new(folder).sort_by_file_name().follow_links(true) {
            let entry = entry.map_err(|error| Error::new(format!("cannot be read: {error}")).about(&subject))?;
            let hidden = entry.depth() > 0 && entry.file_name().to_string_lossy().starts_with('.');
            if entry.file_type().is_file()
                && !hidden
                && entry.path().extension().is_some_and(|extension| extension == "rhai")
            {
                sources.push(read(entry.path())?);
            }
        }
        let below = |source: &Arc<SourceText>| source.file.strip_prefix(&subject).unwrap_or(&source.file).to_owned();
        let (libraries, policies): (Vec<_>, Vec<_>) =
            sources.into_iter().partition(|source| is_library(&below(source)));
        if policies.is_empty() {
            return Err(Error::new("holds no policy: no `.rhai` file outside of `lib/`")
                .about(subject)
                .try_to("`lawbook new my-policy`"));
        }
        let absolute = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
        let name = absolute.file_name().map_or_else(|| "pack".to_owned(), |name| name.to_string_lossy().into_owned());
        Ok(Self { name: name.into(), policies, libraries: libraries.into() })
    }

    /// One policy in a file, with the libraries of a `lib/` beside it. Its pack is named `local`.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn from_file(file: &Path) -> Result<Self, Error> {
        let policy = read(file)?;
        let mut libraries = Vec::new();
        let beside = file.parent().unwrap_or(Path::new("")).join("lib");
        if beside.is_dir() {
            for entry in walkdir::WalkDir::new(&beside).sort_by_file_name() {
                let entry = entry.map_err(|error| {
                    Error::new(format!("cannot be read: {error}")).about(beside.display().to_string())
                })?;
                if entry.path().extension().is_some_and(|extension| extension == "rhai") {
                    libraries.push(read(entry.path())?);
                }
            }
        }
        Ok(Self { name: "local".into(), policies: vec![policy], libraries: libraries.into() })
    }

    /// One policy from its text, for programs and tests. `id` is what its file would be called without `.rhai`.
    pub fn from_text(id: &str, text: &str) -> Self {
        let source = Arc::new(SourceText { file: format!("{id}.rhai"), text: text.to_owned() });
        Self { name: "local".into(), policies: vec![source], libraries: Arc::from([]) }
    }

    /// The files of its policies, as they were found.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        self.policies.iter().map(|source| source.file.as_str())
    }

    /// The same pack with one policy alone.
    pub fn only(&self, id: &str) -> Option<Self> {
        let policy = self.policies.iter().find(|source| id_of(&source.file) == id)?;
        Some(Self {
            name: Arc::clone(&self.name),
            policies: vec![Arc::clone(policy)],
            libraries: Arc::clone(&self.libraries),
        })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Checks everything that can be checked without a record.
    ///
    /// # Errors
    /// Every mistake in every file of the pack.
    pub fn check(&self, overrides: &Overrides, limits: &Limits) -> Result<Checked, Vec<Diagnostic>> {
        on_big_stack(|| self.check_here(overrides, limits))
    }

    fn check_here(&self, overrides: &Overrides, limits: &Limits) -> Result<Checked, Vec<Diagnostic>> {
        let mut diagnostics = Vec::new();
        for library in self.libraries.iter() {
            diagnostics.extend(script::check_library(library, &self.libraries, limits));
        }
        let mut policies = Vec::new();
        let mut ids: BTreeMap<String, String> = BTreeMap::new();
        for source in &self.policies {
            let id = id_of(&source.file);
            if !is_kebab(&id) {
                diagnostics.push(
                    Diagnostic::error(
                        "id",
                        source,
                        0..0,
                        format!("`{id}` is no id: lower-case words, digits and hyphens"),
                    )
                    .help("rename the file, such as `eip-disassociated.rhai`"),
                );
            }
            if let Some(other) = ids.insert(id.clone(), source.file.clone()) {
                diagnostics.push(
                    Diagnostic::error("id", source, 0..0, format!("`{id}` is the id of `{other}`, too"))
                        .help("rename one of the files"),
                );
            }
            if let Some(policy) = self.check_policy(source, &id, overrides, limits, &mut diagnostics) {
                policies.push(policy);
            }
        }
        if diagnostics.is_empty() {
            return Ok(Checked { policies });
        }
        diagnostics.sort_by(|a, b| (&a.source.file, a.span.start, a.code).cmp(&(&b.source.file, b.span.start, b.code)));
        Err(diagnostics)
    }

    fn check_policy(
        &self,
        source: &Arc<SourceText>,
        id: &str,
        overrides: &Overrides,
        limits: &Limits,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Option<Policy> {
        let (header, doc, mistakes) = header::read(source);
        diagnostics.extend(mistakes);
        let Some(header) = header else {
            // The script is still looked at: all mistakes in one run. What the header would have declared is unknown,
            // so what depends on it is left out.
            let nothing = script::Header { params: Value::Null, judges: "", uses: Vec::new(), needs: Vec::new() };
            let checked = script::check(source, &self.libraries, &nothing, limits);
            let independent = |code: &str| !matches!(code, "unknown-param" | "undeclared-kind");
            diagnostics.extend(checked.diagnostics.into_iter().filter(|diagnostic| independent(diagnostic.code)));
            return None;
        };
        let mut params = serde_json::Map::new();
        for param in &header.params {
            params.insert(param.name.clone(), param.default.clone());
        }
        let is_this = |named: &String| named == id || header.formerly.contains(named);
        for (_, name, value) in overrides.params.iter().filter(|(policy, ..)| is_this(policy)) {
            // What does not fit is told by `Checked::accepts`, with the flag or the file that said it.
            if let Some(value) =
                header.params.iter().find(|param| param.name == *name).and_then(|param| param.kind.accept(value).ok())
            {
                params.insert(name.clone(), value);
            }
        }
        let facts = script::Header {
            params: params.into(),
            judges: &header.judges,
            uses: header.uses.clone(),
            needs: header.needs.clone(),
        };
        let checked = script::check(source, &self.libraries, &facts, limits);
        diagnostics.extend(checked.diagnostics);
        let severity = overrides.severity.iter().find(|(policy, _)| is_this(policy)).map(|(_, severity)| *severity);
        Some(Policy {
            id: id.into(),
            pack: Arc::clone(&self.name),
            file: source.file.clone(),
            header,
            doc,
            script: checked.script,
            severity,
        })
    }
}

impl Checked {
    /// The policies, in the order of packs and files.
    pub fn policies(&self) -> &[Policy] {
        &self.policies
    }

    /// The policy of that id.
    pub fn get(&self, id: &str) -> Option<&Policy> {
        self.policies
            .iter()
            .find(|policy| &*policy.id == id || policy.header.formerly.iter().any(|former| former == id))
    }

    /// Adds the policies of another pack.
    pub fn join(&mut self, other: Self) {
        self.policies.extend(other.policies);
    }

    /// Keeps the policies of which `keep` says so.
    pub fn retain(&mut self, keep: impl FnMut(&Policy) -> bool) {
        self.policies.retain(keep);
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

/// Runs something that compiles scripts on a stack that is large enough for the deepest of them.
fn on_big_stack<T: Send>(run: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(script::STACK).spawn_scoped(scope, run);
        match thread.map(std::thread::ScopedJoinHandle::join) {
            Ok(Ok(value)) => value,
            Ok(Err(panic)) => std::panic::resume_unwind(panic),
            Err(error) => panic!("no thread could be started: {error}"),
        }
    })
}

fn read(file: &Path) -> Result<Arc<SourceText>, Error> {
    let name = file.display().to_string();
    match std::fs::read_to_string(file) {
        // A byte order mark is no part of the text, and editors put one there unasked.
        Ok(text) => Ok(Arc::new(SourceText { file: name, text: text.trim_start_matches('\u{feff}').to_owned() })),
        Err(error) => Err(Error::new(format!("cannot be read: {error}")).about(name)),
    }
}

fn id_of(file: &str) -> String {
    Path::new(file).file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}

fn is_library(file: &str) -> bool {
    file.split(['/', '\\']).rev().skip(1).any(|folder| folder == "lib")
}

fn is_kebab(id: &str) -> bool {
    !id.is_empty()
        && id
            .split('-')
            .all(|word| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()))
        && id.starts_with(|c: char| c.is_ascii_lowercase())
}
