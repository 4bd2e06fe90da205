//! Reads the inventory whole, before any record is judged.

use super::Request;
use crate::fault::Fault;
use crate::input::inventory::{self, Manifests};
use crate::input::{self, Class, Files};
use crate::inventory::{Builder, Inventory};
use crate::record::Origin;

/// The inventory of all files, those to judge first, and what could not be read of it.
pub(super) fn inventory(files: &Files, lookup_only: &Files, request: &Request) -> (Inventory, Vec<Fault>) {
    let mut builder = Builder::default();
    let mut faults = Vec::new();
    let mut manifests = Manifests::default();
    let mut documents = Vec::new();
    for file in files.files.iter().chain(&lookup_only.files).filter(|file| file.class == Class::Inventory) {
        let (text, broken) = input::text(file, &request.settings);
        faults.extend(broken);
        match file.path.as_deref().filter(|path| inventory::is_manifest(path, &text)) {
            Some(path) => faults.extend(manifests.read(path, &text, &|listed| listed.exists(), &mut builder)),
            None => documents.push((file, text)),
        }
    }
    for file in &lookup_only.files {
        if file.class == Class::Events {
            let origin = Origin { file: file.name.clone(), position: 0, line: None };
            faults.push(Fault::inventory("not inventory, which is all that `--inventory` reads (try: name it as a PATH)", origin));
        }
    }
    for (file, text) in documents {
        let document = inventory::File { name: &file.name, path: file.path.as_deref(), text: &text };
        faults.extend(inventory::read(&document, &request.inventory_of, &manifests, &mut builder));
    }
    let (inventory, contradictions) = builder.finish();
    faults.extend(contradictions);
    (inventory, faults)
}
