//! Reads `pack.yaml`, which says where a pack begins and what it is called.

use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::shape::Shape;
use crate::yaml::{self, Yaml};

/// The name of the file.
pub(super) const FILE: &str = "pack.yaml";

/// The schema of the file, as text.
const SCHEMA: &str = include_str!("../../schemas/pack.schema.json");

/// The name that `pack.yaml` in a folder gives the pack; `None` if there is no such file.
///
/// # Errors
/// When the file cannot be read or is not of its shape.
pub(super) fn name(folder: &Path) -> Result<Option<String>, Error> {
    let file = folder.join(FILE);
    if !file.is_file() {
        return Ok(None);
    }
    let subject = file.display().to_string();
    let text = std::fs::read_to_string(&file)
        .map_err(|error| Error::new(format!("cannot be read: {error}")).about(&subject))?;
    let at = |offset: usize, message: String| {
        let before = &text[..offset.min(text.len())];
        let column = before.len() - before.rfind('\n').map_or(0, |at| at + 1) + 1;
        Error::new(message).about(&subject).at(before.matches('\n').count() + 1, column)
    };
    let tree = yaml::parse(&text).map_err(|error| {
        let stopped = at(error.span.start, error.message);
        match yaml::remedy(&text, error.span.start) {
            Some(remedy) => stopped.try_to(remedy),
            None => stopped,
        }
    })?;
    if let Some(violation) = Shape::of(SCHEMA).violations(&tree).into_iter().next() {
        let error = at(violation.span.start, violation.message);
        return Err(match violation.help {
            Some(help) => error.try_to(help),
            None => error,
        });
    }
    Ok(tree.get("name").and_then(Yaml::raw).map(str::to_owned))
}

/// Whether a `pack.yaml` in a folder names the pack that begins there.
pub fn is_named(folder: &Path) -> bool {
    folder.join(FILE).is_file()
}

/// The folder in which the pack begins that a folder is part of: the nearest, from there up, that has a `pack.yaml` or a
/// `lib/` of scripts; without any, the folder itself.
pub fn root_of(folder: &Path) -> PathBuf {
    let own = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    if is_root(own) {
        return own.to_owned();
    }
    // As it was named, where that is enough; so that nothing tells of the machine that need not.
    if let Some(found) =
        own.ancestors().skip(1).filter(|above| !above.as_os_str().is_empty()).find(|above| is_root(above))
    {
        return found.to_owned();
    }
    let absolute = std::path::absolute(own).unwrap_or_else(|_| own.to_owned());
    absolute.ancestors().skip(1).find(|above| is_root(above)).map_or_else(|| own.to_owned(), Path::to_owned)
}

/// Whether a pack begins in a folder, by what is in it.
pub fn is_root(folder: &Path) -> bool {
    let is_script = |entry: std::fs::DirEntry| entry.path().extension().is_some_and(|end| end == "rhai");
    let has_scripts =
        |lib: &Path| std::fs::read_dir(lib).is_ok_and(|mut files| files.any(|file| file.is_ok_and(is_script)));
    is_named(folder) || has_scripts(&folder.join("lib"))
}
