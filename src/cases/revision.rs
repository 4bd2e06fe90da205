//! Takes a folder as it was at a revision out of its git repository.

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
        let files = files(&listed.stdout);
        let place = TempDir::with_prefix("lawbook-")
            .map_err(|error| about(Error::new(format!("no room for the earlier policies: {error}"))))?;
        let root = place.path().join("pack");
        let written =
            |error: std::io::Error| about(Error::new(format!("the earlier policies cannot be read: {error}")));
        std::fs::create_dir(&root).map_err(written)?;
        let texts = contents(folder, &files).map_err(written)?;
        for ((_, name), text) in files.iter().zip(texts) {
            let file = root.join(name);
            file.parent()
                .map_or(Ok(()), std::fs::create_dir_all)
                .and_then(|()| std::fs::write(&file, text))
                .map_err(written)?;
        }
        Ok(Self { _folder: place, root })
    }
}

fn git(folder: &Path, args: &[&str]) -> Result<Output, Error> {
    Command::new("git").arg("-C").arg(folder).args(args).stdin(Stdio::null()).output().map_err(|error| {
        Error::new(format!("git cannot be run: {error}")).try_to("a folder with the earlier policies instead")
    })
}

/// The files of a pack in what `ls-tree -z` lists: `mode type object<tab>name`.
fn files(listed: &[u8]) -> Vec<(String, PathBuf)> {
    let lines = listed.split(|byte| *byte == 0).filter_map(|line| std::str::from_utf8(line).ok());
    let file = |line: &str| {
        let (head, name) = line.split_once('\t')?;
        let mut words = head.split(' ');
        let (mode, object) = (words.next()?, words.nth(1)?);
        let path = PathBuf::from(name);
        let is_inside = path.components().all(|part| matches!(part, Component::Normal(_)));
        (mode.starts_with("100") && is_inside && is_of_pack(&path)).then(|| (object.to_owned(), path))
    };
    lines.filter_map(file).collect()
}

/// What objects hold, in their order.
fn contents(folder: &Path, files: &[(String, PathBuf)]) -> std::io::Result<Vec<Vec<u8>>> {
    let mut child = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(["cat-file", "--batch"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let asked: String = files.iter().map(|(object, _)| format!("{object}\n")).collect();
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
    for _ in files {
        let end = memchr::memchr(b'\n', rest).ok_or_else(damaged)?;
        let head = std::str::from_utf8(&rest[..end]).map_err(|_| damaged())?;
        let length: usize = head.rsplit(' ').next().and_then(|length| length.parse().ok()).ok_or_else(damaged)?;
        let text = rest.get(end + 1..end + 1 + length).ok_or_else(damaged)?;
        texts.push(text.to_vec());
        rest = rest.get(end + 2 + length..).unwrap_or_default();
    }
    Ok(texts)
}
