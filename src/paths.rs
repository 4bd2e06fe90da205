//! Where paths lead.

use std::io;
use std::path::{Path, PathBuf};

/// Links that lead to links are followed so often.
const MOST_LINKS: usize = 8;

/// Where a path leads, also where there is nothing yet: a link that leads nowhere names what is to be made.
///
/// # Errors
/// When there is no such folder, or the path names no file.
pub fn leads_to(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        if let Ok(known) = path.canonicalize() {
            return Ok(known);
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        match path.read_link() {
            Ok(target) => path = folder.join(target),
            Err(_) => {
                let file = path.file_name().ok_or(io::ErrorKind::InvalidFilename)?;
                return Ok(folder.canonicalize()?.join(file));
            }
        }
    }
    Err(io::ErrorKind::InvalidFilename.into())
}
