//! Packs in one file: a `.tar.gz` with a manifest of what it holds, signed if somebody wants.
//!
//! *Law*: the same files give the same bytes, whatever their times, their owners and their order. What is read is held in
//! memory and written nowhere; every entry is a plain file that the manifest has with its hash, in bounded sizes, and there
//! is nothing else in the file. Anything else is refused.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::path::Path;

use flate2::Compression;
use flate2::bufread::GzDecoder;
use serde::{Deserialize, Serialize};

use super::Pack;
use super::contents::{self, Contents, hash, hex};
use super::manifest::{self, Manifest};
use super::parts::{Part, gather};
use super::signature::{PublicKey, SecretKey};
use crate::error::Error;

/// The first entry.
const MANIFEST: &str = "lawbook-pack.json";
/// The second, if there is a signature.
const SIGNATURE: &str = "lawbook-pack.sig";
/// The version of the manifest.
const VERSION: u32 = 1;
/// Bytes of a file, and of all together, inflated.
const LARGEST: u64 = 8 << 20;
const LARGEST_ALL: u64 = 64 << 20;
/// Files of an archive.
const MOST: usize = 20_000;
/// Bytes of a block of a tar file.
const BLOCK: usize = 512;

/// A pack in one file, that was looked through: it holds what its manifest says.
#[derive(Debug)]
pub struct Archive {
    /// The file, as it was named.
    pub file: String,
    /// The name of the pack.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What it is about.
    pub description: Option<String>,
    /// The hash of what a scan runs of it.
    pub hash: String,
    /// Who signed it: that the signature is theirs was verified, that they are to be trusted was not.
    pub signer: Option<PublicKey>,
    /// Path and bytes.
    files: BTreeMap<String, Vec<u8>>,
}

/// What an archive says of itself.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Inventory {
    lawbook_pack: u32,
    name: String,
    version: String,
    /// The hash of what a scan runs.
    hash: String,
    /// SHA-256 of every file.
    files: BTreeMap<String, String>,
}

/// Who signed the manifest.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Signed {
    algorithm: String,
    key: String,
    signature: String,
}

/// An archive that was built.
#[derive(Debug)]
pub struct Built {
    /// The bytes of the file.
    pub bytes: Vec<u8>,
    /// The name of the pack.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The hash of what a scan runs of it.
    pub hash: String,
    /// How many files it holds.
    pub files: usize,
}

/// Builds the archive of the pack in a folder; `parts` are what its cases are made of.
///
/// # Errors
/// When a file cannot be read, the pack says neither name nor version, a file fits into no archive, or a part would not be
/// found in it.
pub fn build(folder: &Path, parts: &[Part], key: Option<&SecretKey>) -> Result<Built, Error> {
    let about = |reason: &str| Error::new(reason).about(folder.join(manifest::FILE).display().to_string());
    let Some(said) = Manifest::of_folder(folder)? else {
        return Err(about("is not there: an archive has a name and a version").try_to("`lawbook new` writes one"));
    };
    let Some(version) = said.version else {
        return Err(about("says no `version`").try_to("`version: 0.1.0`"));
    };
    let files = gather(folder, parts)?;
    if let Some(path) = files.keys().find(|path| **path == MANIFEST || **path == SIGNATURE || !is_path(path)) {
        return Err(Error::new("cannot be in an archive")
            .about(folder.join(path).display().to_string())
            .try_to("rename it"));
    }
    let mut contents = Contents::default();
    files.iter().filter(|(path, _)| contents::is_run(path)).for_each(|(path, bytes)| contents.add(path, bytes));
    let inventory = Inventory {
        lawbook_pack: VERSION,
        hash: contents.hash(&said.name),
        name: said.name,
        version: version.to_string(),
        files: files.iter().map(|(path, bytes)| (path.clone(), hash(bytes))).collect(),
    };
    let text = lines(&inventory);
    let signed = key.map(|key| {
        let (signature, key) = (hex(&key.sign(text.as_bytes())), key.public().name());
        lines(&Signed { algorithm: "ed25519".to_owned(), key, signature })
    });
    let mut tar = tar::Builder::new(Vec::new());
    let head = [(MANIFEST, Some(text.as_bytes())), (SIGNATURE, signed.as_deref().map(str::as_bytes))];
    let head = head.into_iter().filter_map(|(path, bytes)| Some((path, bytes?)));
    let total: usize = files.values().map(Vec::len).sum();
    if files.len() > MOST || total as u64 > LARGEST_ALL / 2 {
        return Err(Error::new("holds too much for an archive").about(folder.display().to_string()));
    }
    for (path, bytes) in head.chain(files.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice()))) {
        append(&mut tar, path, bytes).map_err(|error| {
            Error::new(format!("cannot be in an archive: {error}")).about(folder.join(path).display().to_string())
        })?;
    }
    let failed =
        |error: std::io::Error| Error::new(format!("cannot be built: {error}")).about(folder.display().to_string());
    let tar = tar.into_inner().map_err(failed)?;
    // Neither a time nor a name nor the system is in the head.
    let mut out = flate2::GzBuilder::new().mtime(0).operating_system(255).write(Vec::new(), Compression::best());
    out.write_all(&tar).map_err(failed)?;
    let bytes = out.finish().map_err(failed)?;
    let Inventory { name, version, hash, files, .. } = inventory;
    Ok(Built { bytes, name, version, hash, files: files.len() })
}

fn append(tar: &mut tar::Builder<Vec<u8>>, path: &str, bytes: &[u8]) -> std::io::Result<()> {
    let mut header = tar::Header::new_ustar();
    header.set_path(path)?;
    header.set_entry_type(tar::EntryType::Regular);
    header.set_size(bytes.len() as u64);
    header.set_mode(0o644);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    header.set_cksum();
    tar.append(&header, bytes)
}

fn lines<T: Serialize>(value: &T) -> String {
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}

/// A path below a folder, with `/`.
pub(super) fn below(folder: &Path, file: &Path) -> String {
    file.strip_prefix(folder).unwrap_or(file).to_string_lossy().replace('\\', "/")
}

/// A file of a pack, which is not that large.
pub(super) fn read(file: &Path) -> Result<Vec<u8>, Error> {
    let about = |reason: String| Error::new(reason).about(file.display().to_string());
    let bytes = std::fs::read(file).map_err(|error| about(format!("cannot be read: {error}")))?;
    if bytes.len() as u64 > LARGEST {
        return Err(about(format!("has more than {} MiB, which no file of a pack has", LARGEST >> 20)));
    }
    Ok(bytes)
}

/// Whether a path stays below where it begins, whatever system reads it.
fn is_path(path: &str) -> bool {
    let is_part = |part: &str| !matches!(part, "" | "." | "..");
    path.split('/').all(is_part) && !path.contains(['\\', ':']) && !path.chars().any(char::is_control)
}

impl Archive {
    /// Reads a file.
    ///
    /// # Errors
    /// When it cannot be read, or is anything but a pack that holds what its manifest says.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let file = path.display().to_string();
        let about = |reason: String| Error::new(reason).about(&file);
        let opened = std::fs::File::open(path).map_err(|error| about(format!("cannot be read: {error}")))?;
        let mut bytes = Vec::new();
        let read = opened.take(LARGEST_ALL + 1).read_to_end(&mut bytes);
        read.map_err(|error| about(format!("cannot be read: {error}")))?;
        if bytes.len() as u64 > LARGEST_ALL {
            return Err(about(format!("has more than {} MiB, which no pack has", LARGEST_ALL >> 20)));
        }
        Self::parse(&file, &bytes)
    }

    /// Reads the bytes of a file of that name.
    ///
    /// # Errors
    /// When they are anything but a pack that holds what its manifest says.
    pub fn parse(file: &str, bytes: &[u8]) -> Result<Self, Error> {
        Self::open(file, bytes).map_err(|reason| {
            Error::new(format!("is no sound pack: {reason}"))
                .about(file)
                .try_to("fetch it again from where it was published")
        })
    }

    fn open(file: &str, bytes: &[u8]) -> Result<Self, String> {
        let tar = inflate(bytes)?;
        let mut entries = entries(&tar)?.into_iter().peekable();
        let Some((_, text)) = entries.next_if(|(path, _)| path == MANIFEST) else {
            return Err(format!("it does not begin with `{MANIFEST}`, as what `lawbook pack build` writes does"));
        };
        let inventory: Inventory =
            serde_json::from_slice(text).map_err(|error| format!("its manifest cannot be read: {error}"))?;
        if inventory.lawbook_pack != VERSION {
            let version = inventory.lawbook_pack;
            return Err(format!("its manifest is of version {version}, and this version of Lawbook knows {VERSION}"));
        }
        let signer = match entries.next_if(|(path, _)| path == SIGNATURE) {
            Some((_, signed)) => Some(signer(text, signed)?),
            None => None,
        };
        let mut files = BTreeMap::new();
        for (path, bytes) in entries {
            match inventory.files.get(&path) {
                None => return Err(format!("`{path}` is not in its manifest")),
                Some(wanted) if *wanted != hash(bytes) => {
                    return Err(format!("`{path}` is not what its manifest says"));
                }
                Some(_) => {}
            }
            files.insert(path, bytes.to_vec());
        }
        if let Some(path) = inventory.files.keys().find(|path| !files.contains_key(*path)) {
            return Err(format!("`{path}` is in its manifest, and nowhere else"));
        }
        let said = files.get(manifest::FILE).ok_or_else(|| format!("it has no `{}`", manifest::FILE))?;
        let said = std::str::from_utf8(said).map_err(|_| format!("`{}` is no text", manifest::FILE))?;
        let said = Manifest::parse(manifest::FILE, said).map_err(|error| error.to_string())?;
        let mut contents = Contents::default();
        files.iter().filter(|(path, _)| contents::is_run(path)).for_each(|(path, bytes)| contents.add(path, bytes));
        let version = said.version.map(|version| version.to_string()).unwrap_or_default();
        let Inventory { name, hash, .. } = inventory;
        if (name.as_str(), inventory.version.as_str()) != (said.name.as_str(), version.as_str())
            || hash != contents.hash(&name)
        {
            return Err(format!("its manifest and its `{}` contradict each other", manifest::FILE));
        }
        let description = said.description;
        Ok(Self { file: file.to_owned(), name, version, description, hash, signer, files })
    }

    /// How many files it holds.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// True if it holds nothing, which no pack does.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Whether one of these keys signed it.
    ///
    /// # Errors
    /// When none did.
    pub fn trusted(&self, keys: &[PublicKey]) -> Result<(), Error> {
        let reason = match &self.signer {
            Some(signer) if keys.contains(signer) => return Ok(()),
            Some(signer) => format!("is signed by {}, which is none of the keys that are trusted", signer.name()),
            None => "is not signed, and only packs that are signed by a key that is trusted are used".to_owned(),
        };
        Err(Error::new(reason)
            .about(&self.file)
            .try_to("`trusted_keys` in `lawbook.yaml`, or `--trusted-key`, names the keys"))
    }

    /// The pack in it.
    ///
    /// # Errors
    /// When a script is no text, or there is no policy.
    pub fn into_pack(self) -> Result<Pack, Error> {
        let files = self.files.into_iter().filter(|(path, _)| contents::is_run(path));
        Pack::from_files(&self.file, &self.name, Some(self.version), files.collect(), false)
    }
}

/// Inflates all of a gzip file, which may not be a bomb, break off, or go on behind its end.
fn inflate(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let mut decoder = GzDecoder::new(bytes);
    let mut tar = Vec::new();
    let read = decoder.by_ref().take(LARGEST_ALL + 1).read_to_end(&mut tar);
    if tar.len() as u64 > LARGEST_ALL {
        return Err(format!("it inflates to more than {} MiB", LARGEST_ALL >> 20));
    }
    read.map_err(|error| match error.kind() {
        std::io::ErrorKind::UnexpectedEof => "it is cut off".to_owned(),
        _ => format!("it cannot be inflated: {error}"),
    })?;
    if decoder.into_inner().is_empty() { Ok(tar) } else { Err("there is something behind its end".to_owned()) }
}

/// Path and bytes of every entry: plain files with plain names, each once.
fn entries(tar: &[u8]) -> Result<Vec<(String, &[u8])>, String> {
    let broken = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::UnexpectedEof => "it is cut off".to_owned(),
        _ => format!("its entries cannot be read: {error}"),
    };
    let mut found: Vec<(String, &[u8])> = Vec::new();
    let mut known = std::collections::BTreeSet::new();
    let mut end = 0;
    if !tar.len().is_multiple_of(BLOCK) {
        return Err("it is cut off".to_owned());
    }
    let mut archive = tar::Archive::new(tar);
    for entry in archive.entries().map_err(broken)?.raw(true) {
        let entry = entry.map_err(broken)?;
        let path =
            String::from_utf8(entry.path_bytes().into_owned()).map_err(|_| "a name in it is no text".to_owned())?;
        let shown = crate::fault::printable(&path, 200);
        if entry.header().entry_type() != tar::EntryType::Regular {
            return Err(format!("`{shown}` is no plain file"));
        }
        if !is_path(&path) {
            return Err(format!("`{shown}` is no name of a file in a pack"));
        }
        let size = entry.header().entry_size().map_err(broken)?;
        if size > LARGEST {
            return Err(format!("`{shown}` has more than {} MiB", LARGEST >> 20));
        }
        // Names that differ in case alone are one file where such a pack may be unpacked.
        if !known.insert(path.to_lowercase()) {
            return Err(format!("`{shown}` is in it twice"));
        }
        if found.len() >= MOST {
            return Err(format!("it has more than {MOST} files"));
        }
        let (start, size) = (usize::try_from(entry.raw_file_position()), usize::try_from(size));
        let bytes = start.ok().zip(size.ok()).and_then(|(start, size)| tar.get(start..start.checked_add(size)?));
        let bytes = bytes.ok_or_else(|| "it is cut off".to_owned())?;
        end = usize::try_from(entry.raw_file_position()).unwrap_or(0) + bytes.len().next_multiple_of(BLOCK);
        found.push((path, bytes));
    }
    let rest = tar.get(end..).unwrap_or_default();
    if rest.len() < 2 * BLOCK {
        return Err("it is cut off".to_owned());
    }
    if rest.iter().any(|byte| *byte != 0) {
        return Err("there is something behind its last entry".to_owned());
    }
    Ok(found)
}

/// Who signed a manifest.
fn signer(manifest: &[u8], signed: &[u8]) -> Result<PublicKey, String> {
    let signed: Signed =
        serde_json::from_slice(signed).map_err(|error| format!("its signature cannot be read: {error}"))?;
    if signed.algorithm != "ed25519" {
        return Err("its signature is not by Ed25519".to_owned());
    }
    let key = bytes_of(&signed.key).and_then(|key| key.try_into().ok()).map(PublicKey);
    let (Some(key), Some(signature)) = (key, bytes_of(&signed.signature)) else {
        return Err("its signature is no signature".to_owned());
    };
    if key.signed(manifest, &signature) { Ok(key) } else { Err("its signature is not of this manifest".to_owned()) }
}

/// From hexadecimal digits.
fn bytes_of(text: &str) -> Option<Vec<u8>> {
    let digit = |letter: u8| char::from(letter).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|pair| Some(digit(*pair.first()?)? << 4 | digit(*pair.get(1)?)?)).collect()
}
