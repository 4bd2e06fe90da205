//! The text of a pack: a named folder of policies and what they share.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::archive::{self, Archive};
use super::contents::{self, Contents, is_archive};
use super::embedded;
use super::load::id_of;
use super::manifest::{self, Manifest};
use super::signature::PublicKey;
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
    version: Option<String>,
    pub(super) policies: Vec<Arc<SourceText>>,
    pub(super) libraries: Arc<[Arc<SourceText>]>,
    /// What the names of its files begin with.
    root: String,
    contents: Contents,
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
        Self {
            name: DEFAULT.into(),
            version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            policies,
            libraries: libraries.into(),
            root: "policies".to_owned(),
            contents: Contents::default(),
            is_embedded: true,
            is_on_disk: false,
        }
    }

    /// The pack of that path: `default` is the embedded one, else it is a folder, or an archive, which one of `keys` must
    /// have signed if there are any.
    ///
    /// # Errors
    /// When it cannot be read, is no pack, or nobody who is trusted signed it.
    pub fn open(path: &Path, keys: &[PublicKey]) -> Result<Self, Error> {
        if path == Path::new(DEFAULT) {
            return Ok(Self::embedded());
        }
        if path.is_dir() || !(path.is_file() || is_archive(path)) {
            return Self::from_folder(path);
        }
        let archive = Archive::read(path)?;
        if !keys.is_empty() {
            archive.trusted(keys)?;
        }
        archive.into_pack()
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
        let mut files = BTreeMap::new();
        for entry in walkdir::WalkDir::new(folder).sort_by_file_name().follow_links(true) {
            let entry = entry.map_err(|error| Error::new(format!("cannot be read: {error}")).about(&subject))?;
            let path = archive::below(folder, entry.path());
            let hidden = path.split('/').any(|part| part.starts_with('.'));
            if let Some(meant) = misnamed(&path).filter(|_| entry.file_type().is_file() && !hidden) {
                let error = Error::new("is not read, for its name is written in another way");
                return Err(error.about(entry.path().display().to_string()).try_to(format!("rename it to `{meant}`")));
            }
            if entry.file_type().is_file() && !hidden && contents::is_run(&path) {
                let bytes = std::fs::read(entry.path()).map_err(|error| {
                    Error::new(format!("cannot be read: {error}")).about(entry.path().display().to_string())
                })?;
                files.insert(path, bytes);
            }
        }
        let absolute = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
        let of_folder =
            || absolute.file_name().map_or_else(|| "pack".to_owned(), |name| name.to_string_lossy().into_owned());
        // That it holds no policy is told before what is wrong with its name.
        if files.keys().all(|path| !path.ends_with(".rhai") || is_library(path)) {
            return Err(no_policy(&subject));
        }
        let (name, version) = match Manifest::of_folder(folder)? {
            Some(said) => (said.name, said.version.map(|version| version.to_string())),
            None => (of_folder(), None),
        };
        Self::from_files(&subject, &name, version, files, true)
    }

    /// The pack of these files, by paths below it, that is read at `root`.
    pub(super) fn from_files(
        root: &str,
        name: &str,
        version: Option<String>,
        files: BTreeMap<String, Vec<u8>>,
        is_on_disk: bool,
    ) -> Result<Self, Error> {
        let (mut policies, mut libraries, mut contents) = (Vec::new(), Vec::new(), Contents::default());
        for (path, bytes) in files {
            contents.add(&path, &bytes);
            if !path.ends_with(".rhai") {
                continue;
            }
            let file = Path::new(root).join(&path).display().to_string();
            let text = String::from_utf8(bytes)
                .map_err(|_| Error::new("cannot be read: it is no text in UTF-8").about(&file))?;
            let source = Arc::new(SourceText { file, text: without_mark(text) });
            if is_library(&path) { libraries.push(source) } else { policies.push(source) }
        }
        if policies.is_empty() {
            return Err(no_policy(root));
        }
        let by_path = |a: &Arc<SourceText>, b: &Arc<SourceText>| Path::new(&a.file).cmp(Path::new(&b.file));
        policies.sort_by(by_path);
        libraries.sort_by(by_path);
        Ok(Self {
            name: name.into(),
            version,
            policies,
            libraries: libraries.into(),
            root: root.to_owned(),
            contents,
            is_embedded: false,
            is_on_disk,
        })
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
        Ok(Self { libraries: libraries.into(), is_on_disk: true, ..Self::of_one(policy) })
    }

    /// One policy from its text, for programs and tests. `id` is what its file would be called without `.rhai`.
    pub fn from_text(id: &str, text: &str) -> Self {
        let source = Arc::new(SourceText { file: format!("{id}.rhai"), text: text.to_owned() });
        Self::of_one(source)
    }

    /// One policy that is of no pack.
    fn of_one(policy: Arc<SourceText>) -> Self {
        let folder = Path::new(&policy.file).parent().map(|folder| folder.display().to_string());
        Self {
            name: LOCAL.into(),
            version: None,
            policies: vec![policy],
            libraries: Arc::from([]),
            root: folder.unwrap_or_default(),
            contents: Contents::default(),
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
        Some(Self { policies: vec![Arc::clone(policy)], ..self.clone() })
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

    /// True if its policies are all that there are of it: none was left out, and it is no policy by itself.
    pub(crate) fn is_whole(&self) -> bool {
        let is_policy = |path: &&String| path.ends_with(".rhai") && !is_library(path);
        self.is_embedded || self.contents.0.keys().filter(is_policy).count() == self.policies.len()
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

    /// The same pack, which must be called so; a folder that says no name itself is.
    ///
    /// # Errors
    /// When it says another name.
    pub fn called(self, name: &str) -> Result<Self, Error> {
        if &*self.name == name {
            return Ok(self);
        }
        if self.is_embedded || self.contents.0.contains_key(manifest::FILE) {
            return Err(Error::new(format!("the pack `{}` is called `{}`, not `{name}`", self.root, self.name)));
        }
        Ok(self.named(name))
    }

    /// Its version, if it has one; of the embedded pack that of Lawbook.
    pub fn version(&self) -> Option<String> {
        self.version.clone()
    }

    /// The hashes of what a scan runs of it; nothing of a policy that is of no pack.
    pub fn contents(&self) -> Contents {
        if !self.is_embedded {
            return self.contents.clone();
        }
        let mut contents = Contents::default();
        embedded::FILES.iter().for_each(|(path, text)| contents.add(path, text.as_bytes()));
        contents
    }

    /// The hash by which it is known what it holds.
    pub fn hash(&self) -> String {
        self.contents().hash(&self.name)
    }

    /// The folder of the pack that a file of it stands in; empty for the pack's own.
    pub(super) fn area_of(&self, file: &str) -> String {
        let below = archive::below(Path::new(&self.root), Path::new(file));
        below.rsplit_once('/').map_or_else(String::new, |(folder, _)| folder.to_owned())
    }

    /// True for the pack that the binary holds, whose texts are those that tests have checked.
    pub fn is_embedded(&self) -> bool {
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
        Ok(text) => Ok(Arc::new(SourceText { file: name, text: without_mark(text) })),
        Err(error) => Err(Error::new(format!("cannot be read: {error}")).about(name)),
    }
}

/// A text without a byte order mark, which is no part of it, and which editors put there unasked.
fn without_mark(mut text: String) -> String {
    text.drain(..text.len() - text.trim_start_matches('\u{feff}').len());
    text
}

/// The name that a file of a pack should have, if it has nearly that: what is not read is not missed.
fn misnamed(path: &str) -> Option<String> {
    let name = path.rsplit('/').next().unwrap_or_default();
    let is_manifest = path == name && name != manifest::FILE;
    if is_manifest && ["pack.yaml", "pack.yml"].contains(&name.to_lowercase().as_str()) {
        return Some(manifest::FILE.to_owned());
    }
    let (stem, end) = name.rsplit_once('.')?;
    (end != "rhai" && end.eq_ignore_ascii_case("rhai")).then(|| format!("{stem}.rhai"))
}

fn no_policy(root: &str) -> Error {
    Error::new("holds no policy: no `.rhai` file outside of `lib/`").about(root).try_to("`lawbook new my-policy`")
}

fn is_library(file: &str) -> bool {
    file.split(['/', '\\']).rev().skip(1).any(|folder| folder == "lib")
}
