//! Reads `pack.yaml`, which says where a pack begins, what it is called, and what it needs.

use std::path::{Path, PathBuf};

use semver::{Version, VersionReq};

use crate::error::Error;
use crate::shape::Shape;
use crate::yaml::{self, Yaml};

/// The name of the file.
pub(super) const FILE: &str = "pack.yaml";

/// The schema of the file, as text.
const SCHEMA: &str = include_str!("../../schemas/pack.schema.json");

/// What `pack.yaml` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// The name of the pack.
    pub name: String,
    /// Its version, if it has one.
    pub version: Option<Version>,
    /// What it is about.
    pub description: Option<String>,
    /// On which terms it may be used.
    pub license: Option<String>,
}

impl Manifest {
    /// What `pack.yaml` in a folder says; `None` if there is no such file.
    ///
    /// # Errors
    /// When the file cannot be read, is not of its shape, or asks for another version of Lawbook.
    pub(super) fn of_folder(folder: &Path) -> Result<Option<Self>, Error> {
        let file = folder.join(FILE);
        if !file.is_file() {
            return Ok(None);
        }
        let subject = file.display().to_string();
        let text = std::fs::read_to_string(&file)
            .map_err(|error| Error::new(format!("cannot be read: {error}")).about(&subject))?;
        Self::parse(&subject, &text).map(Some)
    }

    /// What the text of a `pack.yaml` says.
    ///
    /// # Errors
    /// When it is not of its shape, or asks for another version of Lawbook.
    pub(super) fn parse(subject: &str, text: &str) -> Result<Self, Error> {
        let at = |offset: usize, message: String| {
            let before = &text[..offset.min(text.len())];
            let column = before.len() - before.rfind('\n').map_or(0, |at| at + 1) + 1;
            Error::new(message).about(subject).at(before.matches('\n').count() + 1, column)
        };
        let tree = yaml::parse(text).map_err(|error| {
            let stopped = at(error.span.start, error.message);
            match yaml::remedy(text, error.span.start) {
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
        let text_of = |name: &str| tree.get(name).and_then(Yaml::raw).map(|text| text.trim().to_owned());
        let version = match tree.get("version") {
            None => None,
            Some(said) => {
                let raw = said.raw().unwrap_or_default();
                let version = raw.parse::<Version>().map_err(|error| {
                    at(said.span.start, format!("`{raw}` is no version: {error}"))
                        .try_to("three numbers, such as `1.0.0`")
                })?;
                Some(version)
            }
        };
        if let Some(said) = tree.pointer("/needs/lawbook") {
            let raw = said.raw().unwrap_or_default();
            let wanted = requirement(raw).map_err(|reason| at(said.span.start, reason).try_to("such as `>=0.1.0`"))?;
            let own = Version::parse(env!("CARGO_PKG_VERSION")).unwrap_or(Version::new(0, 0, 0));
            // What comes before a version is, but for its name, that version.
            let released = Version { pre: semver::Prerelease::EMPTY, ..own.clone() };
            if !wanted.matches(&own) && !wanted.matches(&released) {
                let error = at(said.span.start, format!("the pack needs Lawbook {raw}, and this is {own}"));
                return Err(error.try_to("another version of Lawbook, or of the pack"));
            }
        }
        Ok(Self {
            name: text_of("name").unwrap_or_default(),
            version,
            description: text_of("description"),
            license: text_of("license"),
        })
    }
}

/// What versions a text asks for, in the notation of Cargo: `>=1.2, <2`.
pub(super) fn requirement(text: &str) -> Result<VersionReq, String> {
    VersionReq::parse(text).map_err(|error| format!("`{text}` asks for no version: {error}"))
}

/// Whether a pack has one of the versions that are asked for.
///
/// # Errors
/// When it has another, or none, or nothing is asked for.
pub fn satisfies(pack: &super::Pack, wanted: &str) -> Result<(), Error> {
    let requirement = requirement(wanted).map_err(|reason| Error::new(reason).try_to("such as `>=1.2, <2`"))?;
    let name = pack.name();
    let Some(version) = pack.version() else {
        return Err(Error::new(format!("the pack `{name}` says no version, and `{wanted}` is asked for")));
    };
    let is_one = version.parse::<Version>().is_ok_and(|version| requirement.matches(&version));
    if is_one {
        Ok(())
    } else {
        Err(Error::new(format!("the pack `{name}` is {version}, and `{wanted}` is asked for")))
    }
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
