//! A folder of pages that are written and checked as a whole.
//!
//! *Law*: a file that does not begin with the mark of what is written here is neither replaced nor deleted.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use lawbook::error::Error;
use lawbook::policy::{MARK, Page};

use crate::cli::Failure;
use crate::cli::output::Output;

/// Writes the pages that are not there as they should be, and deletes those that were written for what is no more.
pub(crate) fn write(folder: &Path, pages: &[Page]) -> Result<u8, Failure> {
    let failed = |error: io::Error| Error::new(format!("cannot be made: {error}")).about(folder.display().to_string());
    std::fs::create_dir_all(folder).map_err(failed)?;
    let present = Present::read(folder, pages)?;
    let is_foreign = |page: &&Page| present.texts.iter().any(|(name, text)| *name == page.name && !is_ours(text));
    let foreign: Vec<Error> = pages
        .iter()
        .filter(is_foreign)
        .map(|page| {
            Error::new("was not written by `lawbook docs`, and a page would take its place")
                .about(folder.join(&page.name).display().to_string())
                .try_to("another folder, or delete it")
        })
        .collect();
    if !foreign.is_empty() {
        return Err(Failure::Errors(foreign));
    }
    let changed: Vec<&Page> = pages.iter().filter(|page| !present.is_fresh(page)).collect();
    for page in &changed {
        Output::create("", &folder.join(&page.name))?.write(|out| out.write_all(page.text.as_bytes()))?;
    }
    let (ours, others): (Vec<_>, Vec<_>) = present.left_over.iter().partition(|(_, text)| is_ours(text));
    for (name, _) in &ours {
        let file = folder.join(name);
        std::fs::remove_file(&file)
            .map_err(|error| Error::new(format!("cannot be deleted: {error}")).about(file.display().to_string()))?;
    }
    let mut told = String::new();
    for (name, _) in others {
        told.push_str(&left_over(&folder.join(name)));
    }
    told.push_str(&format!(
        "{}: {} pages, {} written, {} deleted\n",
        folder.display(),
        pages.len(),
        changed.len(),
        ours.len()
    ));
    tell(&told);
    Ok(0)
}

/// Says which pages are stale or missing, and which files are pages of nothing.
pub(crate) fn check(folder: &Path, pages: &[Page]) -> Result<u8, Failure> {
    let present = Present::read(folder, pages)?;
    let mut told = String::new();
    for page in pages.iter().filter(|page| !present.is_fresh(page)) {
        let is_there = present.texts.iter().any(|(name, _)| *name == page.name);
        let what = if is_there { "is stale" } else { "is missing" };
        told.push_str(&format!("{}: {what}\n", folder.join(&page.name).display()));
    }
    for (name, _) in &present.left_over {
        told.push_str(&left_over(&folder.join(name)));
    }
    if told.is_empty() {
        return Ok(0);
    }
    told.push_str(&format!(
        "(try: the same command with `--output` in the place of `--check`: {})\n",
        folder.display()
    ));
    tell(&told);
    Ok(1)
}

/// What is in a folder.
struct Present {
    /// Of the pages those that are there, with their texts.
    texts: Vec<(String, String)>,
    /// Other files of Markdown, with theirs.
    left_over: Vec<(PathBuf, String)>,
}

impl Present {
    fn read(folder: &Path, pages: &[Page]) -> Result<Self, Error> {
        let unread = |path: &Path, error: io::Error| {
            Error::new(format!("cannot be read: {error}")).about(path.display().to_string())
        };
        let names: BTreeSet<&str> = pages.iter().map(|page| page.name.as_str()).collect();
        let mut present = Self { texts: Vec::new(), left_over: Vec::new() };
        for entry in std::fs::read_dir(folder).map_err(|error| unread(folder, error))? {
            let path = entry.map_err(|error| unread(folder, error))?.path();
            let Some(name) = path.file_name().map(PathBuf::from) else { continue };
            let is_page = name.to_str().is_some_and(|name| names.contains(name));
            let is_markdown = path.extension().is_some_and(|end| end.eq_ignore_ascii_case("md"));
            if !is_page && (!is_markdown || path.is_dir()) {
                continue;
            }
            let bytes = std::fs::read(&path).map_err(|error| unread(&path, error))?;
            // Editors and git may have changed the ends of lines.
            let text = String::from_utf8_lossy(&bytes).replace("\r\n", "\n");
            match name.to_str().filter(|_| is_page) {
                Some(name) => present.texts.push((name.to_owned(), text)),
                None => present.left_over.push((name, text)),
            }
        }
        present.left_over.sort();
        Ok(present)
    }

    fn is_fresh(&self, page: &Page) -> bool {
        self.texts.iter().any(|(name, text)| *name == page.name && *text == page.text)
    }
}

fn is_ours(text: &str) -> bool {
    text.starts_with(MARK)
}

fn left_over(file: &Path) -> String {
    format!("{}: is left over: it is the page of no policy\n", file.display())
}

fn tell(text: &str) {
    // There is nobody left to tell if standard error is gone.
    let _ = io::stderr().write_all(text.as_bytes());
}
