//! Reads the inventory whole, before any record is judged.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use super::Request;
use crate::fault::Fault;
use crate::input::inventory::{self, MANIFEST, Manifests};
use crate::input::{self, Class, File, Files};
use crate::inventory::{Builder, Inventory};
use crate::record::Origin;

/// What was read before the first record is judged.
#[derive(Default)]
pub(super) struct Read {
    pub(super) inventory: Inventory,
    /// What could not be read of it.
    pub(super) faults: Vec<Fault>,
    /// Files that a manifest says are inventory, whatever they look like: an answer may be empty.
    pub(super) listed: BTreeSet<Arc<str>>,
}

/// The inventory of all files, those to judge first.
pub(super) fn inventory(files: &Files, lookup_only: &Files, request: &Request) -> Read {
    let mut builder = Builder::default();
    let mut faults = Vec::new();
    let mut manifests = Manifests::default();
    let all = || files.files.iter().chain(&lookup_only.files).filter(|file| file.class == Class::Inventory);
    let mut read = BTreeSet::new();
    for file in all() {
        let Some(path) = file.path.as_deref().filter(|path| path.ends_with(MANIFEST)) else { continue };
        let (text, _) = input::text(file, &request.settings);
        if inventory::is_manifest(path, &text) {
            faults.extend(manifests.read(path, &text, &|listed| listed.exists(), &mut builder));
            read.insert(&file.name);
        }
    }
    let both = || files.files.iter().chain(&lookup_only.files);
    let is_listed =
        |file: &&File| file.class != Class::Inventory && file.path.as_deref().is_some_and(|path| manifests.lists(path));
    let listed: BTreeSet<Arc<str>> = both().filter(is_listed).map(|file| Arc::clone(&file.name)).collect();
    for skipped in files.skipped.iter().chain(&lookup_only.skipped) {
        if manifests.lists(Path::new(&*skipped.name)) {
            let origin = Origin { file: Arc::clone(&skipped.name), position: 0, line: None };
            faults.push(Fault::inventory(
                format!("a manifest lists it, and it was not read: {}", skipped.reason),
                origin,
            ));
        }
    }
    for file in &lookup_only.files {
        if file.class == Class::Events && !listed.contains(&file.name) {
            let origin = Origin { file: file.name.clone(), position: 0, line: None };
            faults.push(Fault::inventory(
                "not inventory, which is all that `--inventory` reads (try: name it as a PATH)",
                origin,
            ));
        }
    }
    for file in both().filter(|file| file.class == Class::Inventory || listed.contains(&file.name)) {
        if read.contains(&file.name) {
            continue;
        }
        let (text, broken) = input::text(file, &request.settings);
        faults.extend(broken);
        let document = inventory::File { name: &file.name, path: file.path.as_deref(), text: &text };
        faults.extend(inventory::read(&document, &request.inventory_of, &manifests, &mut builder));
    }
    let (inventory, contradictions) = builder.finish();
    faults.extend(contradictions);
    Read { inventory, faults, listed }
}
