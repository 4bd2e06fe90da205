//! The text of a pack: a named folder of policies and what they share.

use std::path::Path;
use std::sync::Arc;

use super::embedded;
use super::load::id_of;
use super::manifest;
use crate::diagnostic::SourceText;
use crate::error::Error;

/// The name of the embedded pack.
pub const DEFAULT: &str = "default";

/// The name of what has none that would stay: a policy by itself, and cases in a folder without a `pack.yaml`.
pub const LOCAL: &str = "local";

/// The text of a pack, not checked yet.
#[derive(Clone, Debug)]
pub struct Pack {
    pub(super) name: Arc<str>,
    pub(super) policies: Vec<Arc<SourceText>>,
    pub(super) libraries: Arc<[Arc<SourceText>]>,
    is_embedded: bool,
    is_on_disk: bool,
}

impl Pack {
    /// The pack that the binary holds.
    pub fn embedded() -> Self {
        let text = |(path, text): &(&str, &str)| {
            Arc::new(SourceText { file: format!("policies/{path}"), text: (*text).to_owned() })
        };
        let (libraries, policies): (Vec<_>, Vec<_>) =
            embedded::FILES.iter().map(text).partition(|source| is_library(&source.file));
        Self { name: DEFAULT.into(), policies, libraries: libraries.into(), is_embedded: true, is_on_disk: false }
    }

    /// The pack in a folder: every `.rhai` file in it and below, those in `lib/` shared by all others. It is named as
    /// the folder, unless a `pack.yaml` in it says otherwise.
    ///
    /// # Errors
    /// When the folder or its `pack.yaml` cannot be read, or it holds no policy.
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
        let of_folder =
            || absolute.file_name().map_or_else(|| "pack".to_owned(), |name| name.to_string_lossy().into_owned());
        let name = manifest::name(folder)?.unwrap_or_else(of_folder);
        Ok(Self { name: name.into(), policies, libraries: libraries.into(), is_embedded: false, is_on_disk: true })
    }

    /// One policy in a file, with the libraries of the pack that it is part of. Its pack is named `local`.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn from_file(file: &Path) -> Result<Self, Error> {
        if file.extension().is_some_and(|end| end != "rhai") {
            return Err(Error::new("is no policy: the name of a policy's file ends in `.rhai`")
                .about(file.display().to_string()));
        }
        let policy = read(file)?;
        let mut libraries = Vec::new();
        let root = manifest::root_of(file.parent().unwrap_or(Path::new("")));
        if manifest::is_root(&root) {
            // Not those of packs within it.
            let is_own = |entry: &walkdir::DirEntry| {
                entry.depth() == 0 || !entry.file_type().is_dir() || !manifest::is_root(entry.path())
            };
            for entry in walkdir::WalkDir::new(&root).sort_by_file_name().into_iter().filter_entry(is_own) {
                let entry = entry.map_err(|error| {
                    Error::new(format!("cannot be read: {error}")).about(root.display().to_string())
                })?;
                let below = entry.path().strip_prefix(&root).unwrap_or(entry.path());
                let is_script = entry.path().extension().is_some_and(|extension| extension == "rhai");
                if is_script && is_library(&below.to_string_lossy()) && entry.path() != file {
                    libraries.push(read(entry.path())?);
                }
            }
        }
        Ok(Self {
            name: LOCAL.into(),
            policies: vec![policy],
            libraries: libraries.into(),
            is_embedded: false,
            is_on_disk: true,
        })
    }

    /// One policy from its text, for programs and tests. `id` is what its file would be called without `.rhai`.
    pub fn from_text(id: &str, text: &str) -> Self {
        let source = Arc::new(SourceText { file: format!("{id}.rhai"), text: text.to_owned() });
        Self {
            name: LOCAL.into(),
            policies: vec![source],
            libraries: Arc::from([]),
            is_embedded: false,
            is_on_disk: false,
        }
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
            is_embedded: self.is_embedded,
            is_on_disk: self.is_on_disk,
        })
    }

    /// The same pack under another name.
    pub(crate) fn named(mut self, name: &str) -> Self {
        self.name = name.into();
        self
    }

    /// The same pack with those policies alone whose file `keep` wants.
    pub(crate) fn keep(mut self, keep: impl Fn(&str) -> bool) -> Self {
        self.policies.retain(|source| keep(&source.file));
        self
    }

    /// The texts of its policies, in the order of the files.
    pub(crate) fn sources(&self) -> &[Arc<SourceText>] {
        &self.policies
    }

    /// The texts that its policies share.
    pub(crate) fn libraries(&self) -> &[Arc<SourceText>] {
        &self.libraries
    }

    /// The same pack with one policy alone, and another text for it.
    pub(crate) fn with_text(&self, id: &str, text: String) -> Option<Self> {
        let mut pack = self.only(id)?;
        let file = pack.policies[0].file.clone();
        pack.policies[0] = Arc::new(SourceText { file, text });
        Some(pack)
    }

    /// The same pack with one policy alone, and another text for the library of that number.
    pub(crate) fn with_library(&self, id: &str, number: usize, text: String) -> Option<Self> {
        let mut pack = self.only(id)?;
        let mut libraries = pack.libraries.to_vec();
        let changed = libraries.get_mut(number)?;
        *changed = Arc::new(SourceText { file: changed.file.clone(), text });
        pack.libraries = libraries.into();
        Some(pack)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// True for the pack that the binary holds, whose texts are those that tests have checked.
    pub(crate) fn is_embedded(&self) -> bool {
        self.is_embedded
    }

    /// Puts a text in the place of that of a file.
    pub(crate) fn replace(&mut self, file: &str, text: &str) {
        let new = |source: &Arc<SourceText>| match source.file == file {
            true => Arc::new(SourceText { file: file.to_owned(), text: text.to_owned() }),
            false => Arc::clone(source),
        };
        self.policies = self.policies.iter().map(new).collect();
        self.libraries = self.libraries.iter().map(new).collect();
    }

    /// True if its files are on disk, so that what stands beside them can be asked for.
    pub(crate) fn is_on_disk(&self) -> bool {
        self.is_on_disk
    }
}

fn read(file: &Path) -> Result<Arc<SourceText>, Error> {
    let name = file.display().to_string();
    match std::fs::read_to_string(file) {
        // A byte order mark is no part of the text, and editors put one there unasked.
        Ok(mut text) => {
            text.drain(..text.len() - text.trim_start_matches('\u{feff}').len());
            Ok(Arc::new(SourceText { file: name, text }))
        }
        Err(error) => Err(Error::new(format!("cannot be read: {error}")).about(name)),
    }
}

fn is_library(file: &str) -> bool {
    file.split(['/', '\\']).rev().skip(1).any(|folder| folder == "lib")
}
