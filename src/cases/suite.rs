//! Finds policies and their cases, by convention: `<id>.rhai`, `<id>.cases.yaml`, `<id>.snap`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::case::Case;
use super::check::{is_misnamed, of_nobody};
use super::fields::misspelt;
use super::file::{CASES, file_of, load, parse};
use super::records::below;
use super::snapshot::{PENDING, SNAP, Snapshot, is_of_cases, pending_of, snapshot_of};
use crate::diagnostic::{Diagnostic, SourceText};
use crate::error::Error;
use crate::policy::{Checked, LOCAL, Overrides, Pack, is_archive, is_named, is_root, root_of};
use crate::schema::Shapes;
use crate::script::Limits;

/// Why cases cannot be run.
#[derive(Debug)]
pub enum Stop {
    /// Something that is told in a line.
    Error(Error),
    /// Mistakes in policies, cases and snapshots: all of them.
    Diagnostics(Vec<Diagnostic>),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

/// Policies with their cases.
#[derive(Debug, Default)]
pub struct Suite {
    /// Packs, in the order in which they were named.
    pub packs: Vec<TestedPack>,
    /// Snapshots without a policy.
    pub orphans: Vec<PathBuf>,
}

/// A pack with the cases of its policies.
#[derive(Debug)]
pub struct TestedPack {
    /// Where it begins.
    pub root: PathBuf,
    pub(super) pack: Pack,
    /// Every policy of it.
    pub(super) whole: Checked,
    /// The policies that were asked for, in the order of their files.
    pub policies: Vec<TestedPolicy>,
}

/// A policy with its cases.
#[derive(Debug)]
pub struct TestedPolicy {
    /// Its id.
    pub id: Arc<str>,
    /// Its file.
    pub file: String,
    /// The file of its cases; `None` if there is none.
    pub source: Option<Arc<SourceText>>,
    /// Its cases, in the order of the file.
    pub cases: Vec<Case>,
    /// What was accepted.
    pub snapshot: Option<Snapshot>,
    /// How many fields its cases have that AWS does not.
    misspelt: usize,
}

impl TestedPolicy {
    /// The file of its cases.
    pub fn cases_file(&self) -> PathBuf {
        file_of(&self.file)
    }

    /// The file of its snapshot.
    pub fn snapshot_file(&self) -> PathBuf {
        snapshot_of(&self.file)
    }

    /// The file of what is to be accepted as its snapshot.
    pub fn pending_file(&self) -> PathBuf {
        pending_of(&self.file)
    }
}

/// The file of the policy that a file stands for: itself, or that beside a file of cases.
///
/// # Errors
/// When it is no policy, or there is none.
pub fn policy_of(path: &Path) -> Result<PathBuf, Error> {
    let subject = path.display().to_string();
    if !path.exists() {
        return Err(Error::new("there is no such file or folder").about(subject));
    }
    if is_misnamed(path) {
        return Err(Error::new(format!("is not read: cases stand in files that end in `{CASES}`"))
            .about(subject)
            .try_to("rename it"));
    }
    if is_archive(path) && path.is_file() {
        return Err(Error::new("is an archive, and cases are run in a folder")
            .about(subject)
            .try_to("`tar -xzf` with `-C` and a new folder, then that folder"));
    }
    let text = path.to_string_lossy();
    let policy = text.strip_suffix(CASES).map_or_else(|| path.to_owned(), |stem| format!("{stem}.rhai").into());
    if policy.extension().is_none_or(|end| end != "rhai") {
        return Err(Error::new("is no policy and no file of cases")
            .about(subject)
            .try_to("a folder, or a `.rhai` file"));
    }
    if !policy.is_file() {
        return Err(Error::new(format!("there is no policy `{}` beside these cases", stem(&policy.to_string_lossy())))
            .about(subject)
            .try_to("rename the file as its policy"));
    }
    Ok(policy)
}

/// The packs that paths are part of: where each begins, and which of it was asked for.
fn roots(paths: &[PathBuf]) -> Result<BTreeMap<usize, (PathBuf, Vec<PathBuf>)>, Error> {
    let mut packs: BTreeMap<usize, (PathBuf, Vec<PathBuf>)> = BTreeMap::new();
    let mut put = |root: PathBuf, wanted: PathBuf| {
        // A pack that begins above the current folder is named from the root of the file system, and so are its files.
        let wanted = if root.is_absolute() { std::path::absolute(&wanted).unwrap_or(wanted) } else { wanted };
        let known = packs.values_mut().find(|(known, _)| *known == root);
        match known {
            Some((_, all)) => all.push(wanted),
            None => {
                let at = packs.len();
                packs.insert(at, (root, vec![wanted]));
            }
        }
    };
    for path in paths {
        if path.is_dir() {
            put(root_of(path), path.clone());
            let inner = walkdir::WalkDir::new(path).min_depth(1).sort_by_file_name().into_iter().filter_map(Result::ok);
            for folder in inner.filter(|entry| entry.file_type().is_dir() && is_root(entry.path())) {
                put(folder.path().to_owned(), folder.path().to_owned());
            }
        } else if path.is_file() {
            let policy = policy_of(path)?;
            // A bare name is one in the current folder, which is how a pack names what it holds.
            let policy = if policy.parent() == Some(Path::new("")) { Path::new(".").join(policy) } else { policy };
            put(root_of(policy.parent().unwrap_or(Path::new("."))), policy);
        } else {
            return Err(Error::new("there is no such file or folder").about(path.display().to_string()));
        }
    }
    Ok(packs)
}

/// The packs within a pack.
fn inner<'a>(root: &Path, all: &'a [PathBuf]) -> Vec<&'a PathBuf> {
    all.iter().filter(|other| *other != root && other.starts_with(root)).collect()
}

/// The pack that begins at a folder, without those within it; `None` if it is but a folder around them.
fn own_pack(root: &Path, inner: &[&PathBuf]) -> Result<Option<Pack>, Error> {
    let pack = match Pack::from_folder(root) {
        Ok(pack) => pack.keep(|file| !inner.iter().any(|inner| Path::new(file).starts_with(inner))),
        Err(_) if !inner.is_empty() => return Ok(None),
        Err(error) => return Err(error),
    };
    Ok(Some(pack).filter(|pack| !pack.sources().is_empty()))
}

/// The folders in which the packs begin that paths are part of.
pub(super) fn bases(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Error> {
    let mut bases = Vec::new();
    for path in paths {
        if !path.exists() {
            return Err(Error::new("there is no such file or folder").about(path.display().to_string()));
        }
        let base = root_of(if path.is_dir() { path } else { path.parent().unwrap_or(Path::new("")) });
        if !bases.contains(&base) {
            bases.push(base);
        }
    }
    Ok(bases)
}

/// All packs that begin in these folders and below, with where they do; none of a folder that holds no policy.
pub(super) fn packs_below(bases: &[PathBuf]) -> Result<Vec<(PathBuf, Pack)>, Error> {
    let all: Vec<PathBuf> = roots(bases)?.into_values().map(|(root, _)| root).collect();
    let is_policy = |entry: &walkdir::DirEntry| entry.path().extension().is_some_and(|end| end == "rhai");
    let mut packs = Vec::new();
    for root in &all {
        if !walkdir::WalkDir::new(root)
            .follow_links(true)
            .into_iter()
            .filter_map(Result::ok)
            .any(|entry| is_policy(&entry))
        {
            continue;
        }
        packs.extend(own_pack(root, &inner(root, &all))?.map(|pack| (root.clone(), pack)));
    }
    Ok(packs)
}

impl Suite {
    /// Finds and loads everything in these files and folders; a folder that is part of a pack stands for that part.
    ///
    /// # Errors
    /// When a path does not exist; and every mistake in every policy, every file of cases and every snapshot.
    pub fn open(paths: &[PathBuf], overrides: &Overrides, limits: &Limits) -> Result<Self, Stop> {
        let mut suite = Self::default();
        let mut mistakes = Vec::new();
        let packs = roots(paths)?;
        let all: Vec<PathBuf> = packs.values().map(|(root, _)| root.clone()).collect();
        for (root, wanted) in packs.into_values() {
            let inner = inner(&root, &all);
            let is_own = |file: &Path| !inner.iter().any(|inner| file.starts_with(inner));
            let is_wanted = |file: &Path| is_own(file) && wanted.iter().any(|wanted| file.starts_with(wanted));
            mistakes.extend(suite.beside(&root, &is_wanted)?);
            let Some(pack) = own_pack(&root, &inner)? else { continue };
            // Snapshots hold the name, which must not be that of whatever folder somebody stood in or copied to.
            let pack = if is_named(&root) { pack } else { pack.named(LOCAL) };
            let (pack, checked, is_part) = match pack.check(overrides, limits) {
                // A policy that was named by its file is tested though others of the folder do not load.
                Err(_) if wanted.iter().all(|path| path.is_file()) => {
                    let pack = pack.keep(|file| is_wanted(Path::new(file)));
                    let checked = pack.check(overrides, limits);
                    (pack, checked, true)
                }
                checked => (pack, checked, false),
            };
            match checked {
                Ok(whole) => {
                    let (tested, more) = TestedPack::load(root, pack, whole, &is_wanted, overrides.shapes());
                    mistakes.extend(more);
                    if is_part {
                        mistakes.extend(tested.without_others());
                    }
                    suite.packs.push(tested);
                }
                Err(found) => mistakes.extend(found),
            }
        }
        // As `check` tells them.
        mistakes.sort_by(|a, b| a.order().cmp(&b.order()));
        if mistakes.is_empty() { Ok(suite) } else { Err(Stop::Diagnostics(mistakes)) }
    }

    /// How many warnings there are about these policies and what they share, and in which packs.
    pub(super) fn warnings(&self) -> (usize, Vec<PathBuf>) {
        let mut all = (0, Vec::new());
        for pack in &self.packs {
            let is_tested = |file: &String| {
                pack.policies.iter().any(|policy| policy.file == *file) || !pack.pack.files().any(|other| other == file)
            };
            let of_cases: usize = pack.policies.iter().map(|policy| policy.misspelt).sum();
            let of_policies = pack.whole.warnings().iter().filter(|warning| is_tested(&warning.source.file)).count();
            let count = of_policies + of_cases;
            if count > 0 {
                all = (all.0 + count, [all.1, vec![pack.root.clone()]].concat());
            }
        }
        all
    }

    /// How many policies there are.
    pub fn policies(&self) -> usize {
        self.packs.iter().map(|pack| pack.policies.len()).sum()
    }

    /// Files of cases and snapshots that stand beside no policy: the one is a mistake, the other an orphan.
    fn beside(&mut self, root: &Path, is_wanted: &dyn Fn(&Path) -> bool) -> Result<Vec<Diagnostic>, Error> {
        let mut mistakes = Vec::new();
        let files = walkdir::WalkDir::new(root).sort_by_file_name().into_iter().filter_map(Result::ok);
        let files: Vec<PathBuf> =
            files.filter(|entry| entry.file_type().is_file()).map(walkdir::DirEntry::into_path).collect();
        let ids: Vec<String> = files.iter().filter_map(|file| file.to_str()?.strip_suffix(".rhai").map(stem)).collect();
        for file in files.iter().filter(|file| is_wanted(file)) {
            let name = file.to_string_lossy().into_owned();
            let policy = |end: &str| name.strip_suffix(end).map(|stem| PathBuf::from(format!("{stem}.rhai")));
            if is_misnamed(file) || policy(CASES).is_some_and(|policy| !policy.is_file()) {
                mistakes.push(of_nobody(&Arc::new(read(file)?), &ids));
            }
            let of_snapshot = policy(&format!(".{SNAP}")).or_else(|| policy(&format!(".{PENDING}")));
            if of_snapshot.is_some_and(|policy| !policy.is_file()) && is_of_cases(&read(file)?.text) {
                self.orphans.push(file.clone());
            }
        }
        Ok(mistakes)
    }
}

fn stem(path: &str) -> String {
    Path::new(path).file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

pub(super) fn read(file: &Path) -> Result<SourceText, Error> {
    let name = file.display().to_string();
    let text =
        std::fs::read_to_string(file).map_err(|error| Error::new(format!("cannot be read: {error}")).about(&name))?;
    Ok(SourceText { file: name, text })
}

/// A file that need not be there; that it cannot be read is a mistake.
fn there(file: &Path, mistakes: &mut Vec<Diagnostic>) -> Option<Arc<SourceText>> {
    if !file.exists() {
        return None;
    }
    match read(file) {
        Ok(source) => Some(Arc::new(source)),
        Err(error) => {
            let source = Arc::new(SourceText { file: file.display().to_string(), text: String::new() });
            mistakes.push(Diagnostic::error("cases", &source, 0..0, error.reason));
            None
        }
    }
}

impl TestedPack {
    fn load(
        root: PathBuf,
        pack: Pack,
        whole: Checked,
        is_wanted: &dyn Fn(&Path) -> bool,
        shapes: &Shapes,
    ) -> (Self, Vec<Diagnostic>) {
        let mut mistakes = Vec::new();
        let mut policies = Vec::new();
        for policy in whole.policies().iter().filter(|policy| is_wanted(Path::new(&policy.file))) {
            let mut tested = TestedPolicy {
                id: Arc::clone(&policy.id),
                file: policy.file.clone(),
                source: None,
                cases: Vec::new(),
                snapshot: None,
                misspelt: 0,
            };
            if let Some(source) = there(&tested.cases_file(), &mut mistakes) {
                match load(policy, &source) {
                    Ok(cases) => tested.cases = cases,
                    Err(found) => mistakes.extend(found),
                }
                tested.misspelt = parse(&source).map_or(0, |tree| misspelt(policy, &source, &tree, shapes).len());
                tested.source = Some(source);
            }
            if let Some(source) = there(&tested.snapshot_file(), &mut mistakes) {
                match Snapshot::parse(&source) {
                    Ok(snapshot) => tested.snapshot = Some(snapshot),
                    Err(mistake) => mistakes.push(*mistake),
                }
            }
            policies.push(tested);
        }
        (Self { root, pack, whole, policies }, mistakes)
    }

    /// The cases that ask something of other policies, which do not load.
    fn without_others(&self) -> Vec<Diagnostic> {
        let mut mistakes = Vec::new();
        for policy in &self.policies {
            let Some(source) = &policy.source else { continue };
            for case in policy.cases.iter().filter(|case| case.others_silent) {
                let message = "`others` cannot be checked: other policies of the pack do not load";
                let mistake = Diagnostic::error("cases", source, case.span.clone(), message);
                mistakes.push(mistake.help(format!("`lawbook check {}`", self.root.display())));
            }
        }
        mistakes
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.pack.name()
    }

    /// Its texts.
    pub fn pack(&self) -> &Pack {
        &self.pack
    }

    /// A file of it from where it begins.
    pub(super) fn below(&self, file: &Path) -> String {
        below(&self.root, &file.to_string_lossy())
    }
}
