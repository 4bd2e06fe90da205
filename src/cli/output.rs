//! Files that a command writes: beside what they replace, and in its place when they are whole.
//!
//! *Law*: whatever goes wrong, what stood there before stands there still. Pipes and devices are written to as they are.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use lawbook::error::Error;
use lawbook::input::{UNFINISHED, is_data, is_kept};
use lawbook::paths::leads_to;
use tempfile::NamedTempFile;

/// A file that will be written.
pub(crate) struct Output {
    /// The flag and the name, for messages; or the name.
    about: String,
    /// Where it goes: of a link, to what it names.
    target: PathBuf,
    sink: Sink,
}

enum Sink {
    /// In the same folder, until it is whole.
    Beside(NamedTempFile),
    /// A pipe, or a device.
    Straight(File),
}

/// Whether a path stands for standard output: `-`.
pub(crate) fn is_standard(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// The file that a flag names, if it is not standard output.
pub(crate) fn file(named: Option<&PathBuf>) -> Option<&PathBuf> {
    named.filter(|path| !is_standard(path))
}

/// Files that people write, in the folder of a pack.
const OF_PACKS: [&str; 4] = ["rhai", "yaml", "yml", "snap"];

impl Output {
    /// Makes sure that it can be written, and changes nothing yet.
    pub(crate) fn create(flag: &str, path: &Path) -> Result<Self, Error> {
        let name = path.display();
        let about = if flag.is_empty() { name.to_string() } else { format!("{flag} {name}") };
        let failed = |error: io::Error| Error::new(format!("cannot be written: {error}")).about(&about);
        if is_standard(path) {
            let error = Error::new("is standard output, and this is written to a file").about(about);
            return Err(error.try_to("a name; `./-` if the file is called so"));
        }
        let known = path.metadata().ok();
        if known.as_ref().is_some_and(|known| !known.is_file()) {
            let file = OpenOptions::new().write(true).open(path).map_err(failed)?;
            return Ok(Self { target: path.to_owned(), sink: Sink::Straight(file), about });
        }
        let target = leads_to(path).map_err(failed)?;
        if known.is_some() {
            // A file that may not be changed is not replaced either.
            OpenOptions::new().append(true).open(&target).map_err(failed)?;
        }
        let mut builder = tempfile::Builder::new();
        builder.prefix(UNFINISHED);
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let file = builder.tempfile_in(target.parent().unwrap_or(Path::new("."))).map_err(failed)?;
        if let Some(permissions) = known.map(|known| known.permissions()) {
            set(&file, permissions).map_err(failed)?;
        }
        Ok(Self { about, target, sink: Sink::Beside(file) })
    }

    /// True if two would go to the same place.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.target == other.target && matches!((&self.sink, &other.sink), (Sink::Beside(_), Sink::Beside(_)))
    }

    /// The file that it would replace, if there is one.
    pub(crate) fn replaced(&self) -> Option<&Path> {
        Some(self.target.as_path()).filter(|target| target.is_file())
    }

    /// Refuses to take the place of files that the run reads or writes for something else, and that need not be there yet.
    pub(crate) fn spare<'p>(&self, files: impl IntoIterator<Item = &'p PathBuf>) -> Result<(), Error> {
        match self.is_any_of(files) {
            true => Err(self.refuse("is another file of this run, and would be written over")),
            false => Ok(()),
        }
    }

    /// Whether it would stand in the place of one of these files, which there need not be yet.
    pub(crate) fn is_any_of<'p>(&self, files: impl IntoIterator<Item = &'p PathBuf>) -> bool {
        let is_here = |file: &PathBuf| leads_to(file).is_ok_and(|place| place == self.target);
        matches!(self.sink, Sink::Beside(_)) && files.into_iter().any(is_here)
    }

    /// An error about it.
    pub(crate) fn refuse(&self, reason: &str) -> Error {
        Error::new(reason).about(&self.about).try_to("another name")
    }

    /// Refuses to take the place of what is read: one of these paths, or data in them.
    pub(crate) fn spare_inputs<'p>(&self, paths: impl IntoIterator<Item = &'p PathBuf>) -> Result<(), Error> {
        let Some(file) = self.replaced() else { return Ok(()) };
        let mut inputs = paths.into_iter().filter_map(|input| input.canonicalize().ok());
        // In a folder there may be reports of earlier scans.
        if inputs.any(|input| input == file || file.starts_with(&input) && is_data(file)) {
            return Err(self.refuse("is read by this scan, and the report would take its place"));
        }
        Ok(())
    }

    /// Refuses to take the place of a file of these packs: a policy, its cases, a snapshot, a configuration.
    pub(crate) fn spare_packs<'p>(&self, mut packs: impl Iterator<Item = &'p PathBuf>) -> Result<(), Error> {
        let Some(file) = self.replaced() else { return Ok(()) };
        let is_written = file.extension().is_some_and(|end| OF_PACKS.iter().any(|known| end == *known));
        // An archive is a pack itself, whatever it is called.
        let holds =
            |pack: &PathBuf| pack.canonicalize().is_ok_and(|pack| file == pack || is_written && file.starts_with(pack));
        if packs.any(holds) {
            return Err(self.refuse("is a file of the pack, and the report would take its place"));
        }
        Ok(())
    }

    /// Refuses to take the place of what people write for Lawbook, or what it keeps from run to run, whosever that is.
    pub(crate) fn spare_kept(&self) -> Result<(), Error> {
        match self.replaced().is_some_and(is_kept) {
            true => {
                Err(self.refuse("is a policy, a setting or what is remembered, and the report would take its place"))
            }
            false => Ok(()),
        }
    }

    /// Writes it, and puts it in its place.
    pub(crate) fn write(self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Error> {
        let written = match self.sink {
            Sink::Straight(file) => whole(file, write),
            Sink::Beside(mut file) => whole(file.as_file_mut(), write)
                .and_then(|()| file.as_file().sync_all())
                .and_then(|()| file.persist(&self.target).map(|_| ()).map_err(|error| error.error)),
        };
        written.map_err(|error| Error::new(format!("cannot be written: {error}")).about(&self.about))
    }
}

fn set(file: &NamedTempFile, permissions: Permissions) -> io::Result<()> {
    file.as_file().set_permissions(permissions)
}

fn whole(file: impl Write, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(64 * 1024, file);
    write(&mut out)?;
    out.flush()
}
