//! Takes a folder as it was at a revision out of its git repository.
//!
//! *Law*: what a pack is made of is all there or the revision is refused; nothing but that is taken, and nothing is written
//! outside of a folder of its own.

use std::io::{Read as _, Write as _};
use std::path::{Component, Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

use crate::error::Error;

/// A folder as it was; it goes when this does.
#[derive(Debug)]
pub(super) struct Earlier {
    /// Keeps the files.
    _folder: TempDir,
    /// Where the folder stands.
    pub(super) root: PathBuf,
}

/// What a pack is made of.
fn is_of_pack(file: &Path) -> bool {
    file.extension().is_some_and(|end| end == "rhai") || file.file_name().is_some_and(|name| name == "pack.yaml")
}

impl Earlier {
    /// The policies and libraries of `folder` at `revision`, which is anything that git knows: a branch, a tag, `HEAD~3`.
    /// A folder that was not there is empty.
    ///
    /// # Errors
    /// When git is not there, the folder is in no repository, or the revision is none.
    pub(super) fn of(folder: &Path, revision: &str) -> Result<Self, Error> {
        let about = |error: Error| error.about(format!("--against {revision}"));
        let tree = format!("{revision}^{{tree}}");
        let known = git(folder, &["rev-parse", "--verify", "--quiet", "--end-of-options", &tree]).map_err(about)?;
        if !known.status.success() {
            let is_inside = git(folder, &["rev-parse", "--git-dir"]).map_err(about)?.status.success();
            let reason = match is_inside {
                true => "is neither a folder nor a revision of the repository".to_owned(),
                false => format!("is no folder, and `{}` is in no git repository", folder.display()),
            };
            return Err(about(
                Error::new(reason).try_to("a folder with the earlier policies, or a revision such as `main`"),
            ));
        }
        let failed = |told: &[u8]| about(Error::new(format!("git: {}", String::from_utf8_lossy(told).trim())));
        let listed =
            git(folder, &["ls-tree", "-r", "-z", tree.trim_end_matches("^{tree}"), "--", "."]).map_err(about)?;
        if !listed.status.success() {
            return Err(failed(&listed.stderr));
        }
        let entries = entries(&listed.stdout);
        let place = TempDir::with_prefix("lawbook-")
            .map_err(|error| about(Error::new(format!("no room for the earlier policies: {error}"))))?;
        // A pack without a name of its own is called as its folder.
        let absolute = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
        let root = place.path().join(absolute.file_name().unwrap_or("pack".as_ref()));
        let written =
            |error: std::io::Error| about(Error::new(format!("the earlier policies cannot be read: {error}")));
        std::fs::create_dir(&root).map_err(written)?;
        let texts = contents(folder, &entries).map_err(written)?;
        for (name, text) in files(&entries, &texts).map_err(about)? {
            let file = root.join(name);
            file.parent()
                .map_or(Ok(()), std::fs::create_dir_all)
                .and_then(|()| std::fs::write(&file, text))
                .map_err(written)?;
        }
        Ok(Self { _folder: place, root })
    }
}

/// git in a folder, whatever repository a hook or a shell has chosen for it.
fn command(folder: &Path) -> Command {
    let mut command = Command::new("git");
    command.arg("-C").arg(folder);
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_OBJECT_DIRECTORY", "GIT_NAMESPACE"] {
        command.env_remove(name);
    }
    command
}

fn git(folder: &Path, args: &[&str]) -> Result<Output, Error> {
    command(folder).args(args).stdin(Stdio::null()).output().map_err(|error| {
        Error::new(format!("git cannot be run: {error}")).try_to("a folder with the earlier policies instead")
    })
}

/// A file, or a link, of a tree.
struct Entry {
    object: String,
    path: PathBuf,
    is_link: bool,
}

/// The files and links of a pack in what `ls-tree -z` lists: `mode type object<tab>name`.
fn entries(listed: &[u8]) -> Vec<Entry> {
    let lines = listed.split(|byte| *byte == 0).filter_map(|line| std::str::from_utf8(line).ok());
    let entry = |line: &str| {
        let (head, name) = line.split_once('\t')?;
        let mut words = head.split(' ');
        let (mode, object) = (words.next()?, words.nth(1)?);
        let (path, is_link) = (PathBuf::from(name), mode == "120000");
        let is_inside = path.components().all(|part| matches!(part, Component::Normal(_)));
        let is_wanted = is_link || mode.starts_with("100") && is_of_pack(&path);
        (is_inside && is_wanted).then(|| Entry { object: object.to_owned(), path, is_link })
    };
    lines.filter_map(entry).collect()
}

/// What each file holds; a link within the tree is what it names, a file or a folder.
fn files<'t>(entries: &[Entry], texts: &'t [Vec<u8>]) -> Result<Vec<(PathBuf, &'t [u8])>, Error> {
    let plain = || entries.iter().zip(texts).filter(|(entry, _)| !entry.is_link);
    let mut files: Vec<(PathBuf, &[u8])> = plain().map(|(entry, text)| (entry.path.clone(), text.as_slice())).collect();
    for (link, text) in entries.iter().zip(texts).filter(|(entry, _)| entry.is_link) {
        let target = target(&link.path, &String::from_utf8_lossy(text));
        let below = |(entry, text): (&Entry, &'t Vec<u8>)| {
            let rest = entry.path.strip_prefix(target.as_ref()?).ok()?;
            let name = if rest.as_os_str().is_empty() { link.path.clone() } else { link.path.join(rest) };
            Some((name, text.as_slice()))
        };
        let found: Vec<(PathBuf, &[u8])> = plain().filter_map(below).collect();
        if found.is_empty() && is_of_pack(&link.path) {
            let reason = format!("`{}` is a link to what is not in the folder at that revision", link.path.display());
            return Err(Error::new(reason).try_to("a folder with the earlier policies instead"));
        }
        files.extend(found);
    }
    Ok(files)
}

/// What a link names, from the root of the tree; `None` outside of it.
fn target(link: &Path, text: &str) -> Option<PathBuf> {
    let mut target = link.parent()?.to_owned();
    for part in Path::new(text).components() {
        match part {
            Component::Normal(name) => target.push(name),
            Component::CurDir => {}
            Component::ParentDir if target.pop() => {}
            _ => return None,
        }
    }
    Some(target)
}

/// What objects hold, in their order.
fn contents(folder: &Path, entries: &[Entry]) -> std::io::Result<Vec<Vec<u8>>> {
    let mut child = command(folder)
        .args(["cat-file", "--batch"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let asked: String = entries.iter().map(|entry| format!("{}\n", entry.object)).collect();
    let stdin = child.stdin.take();
    let mut given = Vec::new();
    // What is asked may be more than a pipe holds, and so may be what is given.
    std::thread::scope(|scope| {
        scope.spawn(move || stdin.map(|mut stdin| stdin.write_all(asked.as_bytes())));
        child.stdout.take().map_or(Ok(0), |mut out| out.read_to_end(&mut given))
    })?;
    child.wait()?;
    let damaged = || std::io::Error::other("git gave something else than was asked for");
    let (mut rest, mut texts) = (given.as_slice(), Vec::new());
    for _ in entries {
        let end = memchr::memchr(b'\n', rest).ok_or_else(damaged)?;
        let head = std::str::from_utf8(&rest[..end]).map_err(|_| damaged())?;
        let length: usize = head.rsplit(' ').next().and_then(|length| length.parse().ok()).ok_or_else(damaged)?;
        let text = rest.get(end + 1..end + 1 + length).ok_or_else(damaged)?;
        texts.push(text.to_vec());
        rest = rest.get(end + 2 + length..).unwrap_or_default();
    }
    Ok(texts)
}
