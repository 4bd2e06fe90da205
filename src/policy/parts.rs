//! Which files of a folder go into the archive of its pack.
//!
//! *Law*: what cases are made of is found in the unpacked archive by the same names, or the archive is not built.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use super::archive::{below, read};
use super::contents;
use crate::error::Error;

/// A file or a folder that cases are made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The file of cases that names it.
    pub by: PathBuf,
    /// How it is named there: from the folder of that file.
    pub path: String,
}

/// Where a name leads within a pack.
#[derive(Debug, Default, PartialEq, Eq)]
struct Way {
    /// The path below the pack, with `/`.
    to: String,
    /// The folders that it enters and leaves again.
    through: Vec<String>,
}

/// Files of a pack that go along by their names: scripts, cases, snapshots, and what people read.
fn is_packed(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let is_told = ["README", "LICENSE", "LICENCE", "NOTICE", "CHANGELOG"].iter().any(|begin| name.starts_with(begin));
    !is_hidden(path) && (contents::is_run(path) || path.ends_with(".cases.yaml") || path.ends_with(".snap") || is_told)
}

fn is_hidden(path: &str) -> bool {
    path.split('/').any(|part| part.starts_with('.'))
}

/// Whether a path is another, or below it; of a folder nothing that is hidden is read.
fn is_of(path: &str, whole: &str) -> bool {
    let rest = path.strip_prefix(whole);
    rest.is_some_and(|rest| rest.is_empty() || is_inner(rest) && !is_hidden(rest))
}

/// Path and bytes of everything that goes into the archive of a folder.
///
/// # Errors
/// When a file cannot be read, or a part would not be found in the archive by its name.
pub(super) fn gather(folder: &Path, parts: &[Part]) -> Result<BTreeMap<String, Vec<u8>>, Error> {
    let ways = parts.iter().map(|part| way(folder, part)).collect::<Result<Vec<_>, _>>()?;
    let mut files = BTreeMap::new();
    for entry in walkdir::WalkDir::new(folder).sort_by_file_name().follow_links(true) {
        let entry = entry
            .map_err(|error| Error::new(format!("cannot be read: {error}")).about(folder.display().to_string()))?;
        let path = below(folder, entry.path());
        if entry.file_type().is_file() && (is_packed(&path) || ways.iter().any(|way| is_of(&path, &way.to))) {
            files.insert(path, read(entry.path())?);
        }
    }
    for (part, Way { to, through }) in parts.iter().zip(&ways) {
        if !files.keys().any(|path| is_of(path, to)) {
            return Err(refused(part, "holds no file, and an archive has no empty folders").try_to("`inventory: {}`"));
        }
        let is_there = |folder: &&String| files.keys().any(|path| path.strip_prefix(*folder).is_some_and(is_inner));
        if let Some(folder) = through.iter().find(|folder| !is_there(folder)) {
            let reason = format!("leads through `{folder}`, which the archive does not have");
            return Err(refused(part, &reason).try_to(format!("a path without it, to `{to}` of the pack")));
        }
    }
    Ok(files)
}

fn is_inner(rest: &str) -> bool {
    rest.starts_with('/')
}

fn refused(part: &Part, reason: &str) -> Error {
    Error::new(format!("`{}` {reason}", part.path)).about(part.by.display().to_string())
}

/// Where a part is in the pack of a folder.
fn way(folder: &Path, part: &Part) -> Result<Way, Error> {
    let beside = part.by.parent().unwrap_or(Path::new(""));
    let way = steps(&below(folder, beside), &part.path);
    // Behind a link to a folder `..` leads elsewhere than in the archive, which has none.
    let is_same = |way: &Way| {
        let (named, found) = (beside.join(&part.path).canonicalize(), folder.join(&way.to).canonicalize());
        named.is_ok_and(|named| found.is_ok_and(|found| named == found))
    };
    match way.filter(is_same) {
        // What stands at the top of an archive is not data alone: its manifest would be read, too.
        Some(way) if way.to.is_empty() => {
            Err(refused(part, "is the whole pack, and an archive holds more than that").try_to("a folder in the pack"))
        }
        Some(way) => Ok(way),
        None => Err(refused(part, "is outside of the pack, so the archive would lack it")
            .try_to("a file or folder in the pack, named from the folder of the cases")),
    }
}

/// Follows a name from a folder of a pack, by words alone; `None` if it leaves the pack.
fn steps(from: &str, path: &str) -> Option<Way> {
    let mut at: Vec<&str> = from.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    let mut through = Vec::new();
    for step in Path::new(path).components() {
        match step {
            Component::CurDir => {}
            Component::ParentDir => {
                through.push(at.join("/"));
                at.pop()?;
            }
            Component::Normal(name) => at.push(name.to_str()?),
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    through.sort();
    through.dedup();
    Some(Way { to: at.join("/"), through })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leads_to_a_place_in_the_pack_or_out_of_it() {
        let led = |from, path| steps(from, path).map(|way| (way.to, way.through.join(" ")));
        let at = |to: &str, through: &str| Some((to.to_owned(), through.to_owned()));
        assert_eq!(led("a", "x.json"), at("a/x.json", ""));
        assert_eq!(led("", "./x"), at("x", ""));
        assert_eq!(led("./a", "b/./x"), at("a/b/x", ""));
        assert_eq!(led("a/b", "../../c/x"), at("c/x", "a a/b"));
        assert_eq!(led("a", "b/../x"), at("a/x", "a/b"));
        assert_eq!(led("a", ".."), at("", "a"));
        for (from, path) in [("a", "../../x"), ("", ".."), ("a", "../../a/x"), ("a", "/a/x")] {
            assert_eq!(led(from, path), None, "{from} {path}");
        }
    }

    #[test]
    fn a_folder_is_taken_whole_but_for_what_is_hidden_in_it() {
        for (path, whole, wanted) in [
            ("a/b", "a", true),
            ("a/b/c", "a", true),
            ("a", "a", true),
            ("ab", "a", false),
            ("a/.b", "a", false),
            (".a/b", ".a", true),
        ] {
            assert_eq!(is_of(path, whole), wanted, "{path} of {whole}");
        }
    }
}
