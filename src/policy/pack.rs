//! A named folder of policies and what they share; loading one finds every mistake in it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use super::overrides::ByPolicy;
use super::{Checked, Overrides, Policy, embedded, header};
use crate::diagnostic::{Diagnostic, SourceText};
use crate::error::Error;
use crate::script::{self, Limits};

/// The name of the embedded pack.
pub const DEFAULT: &str = "default";

/// The text of a pack, not checked yet.
#[derive(Debug)]
pub struct Pack {
    name: Arc<str>,
    policies: Vec<Arc<SourceText>>,
    libraries: Arc<[Arc<SourceText>]>,
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
        let overrides = overrides.by_policy();
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
            if let Some(policy) = self.check_policy(source, &id, &overrides, limits, &mut diagnostics) {
                policies.push(policy);
            }
        }
        if diagnostics.is_empty() {
            let mut checked = Checked::default();
            checked.extend(policies);
            return Ok(checked);
        }
        diagnostics.sort_by(|a, b| (&a.source.file, a.span.start, a.code).cmp(&(&b.source.file, b.span.start, b.code)));
        Err(diagnostics)
    }

    fn check_policy(
        &self,
        source: &Arc<SourceText>,
        id: &str,
        overrides: &ByPolicy<'_>,
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
        let names = || std::iter::once(id).chain(header.formerly.iter().map(String::as_str));
        for (name, value) in overrides.params(names()) {
            // What does not fit is told by `Checked::accepts`, with the flag or the file that said it.
            if let Some(value) =
                header.params.iter().find(|param| param.name == name).and_then(|param| param.kind.accept(value).ok())
            {
                params.insert(name.to_owned(), value);
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
        let severity = overrides.severity(names());
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
