//! Reads the inventory whole, before any record is judged.

use std::collections::BTreeSet;

use super::Request;
use crate::fault::Fault;
use crate::input::inventory::{self, MANIFEST, Manifests};
use crate::input::{self, Class, Files};
use crate::inventory::{Builder, Inventory};
use crate::record::Origin;

/// The inventory of all files, those to judge first, and what could not be read of it.
pub(super) fn inventory(files: &Files, lookup_only: &Files, request: &Request) -> (Inventory, Vec<Fault>) {
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
    for file in &lookup_only.files {
        if file.class == Class::Events {
            let origin = Origin { file: file.name.clone(), position: 0, line: None };
            faults.push(Fault::inventory(
                "not inventory, which is all that `--inventory` reads (try: name it as a PATH)",
                origin,
            ));
        }
    }
    for file in all().filter(|file| !read.contains(&file.name)) {
        let (text, broken) = input::text(file, &request.settings);
        faults.extend(broken);
        let document = inventory::File { name: &file.name, path: file.path.as_deref(), text: &text };
        faults.extend(inventory::read(&document, &request.inventory_of, &manifests, &mut builder));
    }
    let (inventory, contradictions) = builder.finish();
    faults.extend(contradictions);
    (inventory, faults)
}
