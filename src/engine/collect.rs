//! Reads the inventory whole, before any record is judged.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};

use super::Request;
use crate::fault::Fault;
use crate::input::inventory::{self, MANIFEST, Manifests};
use crate::input::{self, Class, File, Files, Skipped};
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

/// What manifests list that is there and no part of the input: nobody would know of it.
fn unread<'a>(
    manifests: &Manifests,
    files: impl Iterator<Item = &'a File>,
    skipped: impl Iterator<Item = &'a Skipped>,
) -> Vec<Fault> {
    let mut listed = manifests.all().peekable();
    if listed.peek().is_none() {
        return Vec::new();
    }
    let skipped = skipped.map(|skipped| inventory::clean(Path::new(&*skipped.name)));
    let known: BTreeSet<PathBuf> = files.filter_map(File::path).map(inventory::clean).chain(skipped).collect();
    let fault = |(manifest, file): (&Path, &Path)| {
        let origin = Origin { file: manifest.to_string_lossy().into(), position: 0, line: None };
        let file = file.display();
        let reason = format!("the manifest lists `{file}`, which is not in the input (try: name its folder, too)");
        Fault::inventory(reason, origin)
    };
    listed.filter(|(_, file)| !known.contains(*file)).map(fault).collect()
}

/// Manifests beside files that were named one by one, which say what these are.
fn beside<'a>(files: impl Iterator<Item = &'a File>) -> BTreeSet<PathBuf> {
    let mut known = BTreeSet::new();
    let mut beside = BTreeSet::new();
    for path in files.filter_map(File::path) {
        if path.ends_with(MANIFEST) {
            known.insert(path.to_owned());
        } else if let Some(folder) = path.parent() {
            beside.insert(folder.join(MANIFEST));
        }
    }
    beside.difference(&known).cloned().collect()
}

/// The inventory of all files, those to judge first.
pub(super) fn inventory(files: &Files, lookup_only: &Files, request: &Request) -> Read {
    let mut builder = Builder::default();
    let mut faults = Vec::new();
    let mut manifests = Manifests::default();
    let all = || files.files.iter().chain(&lookup_only.files).filter(|file| file.class == Class::Inventory);
    let both = || files.files.iter().chain(&lookup_only.files);
    let mut read = BTreeSet::new();
    for file in all() {
        let Some(path) = file.path().filter(|path| path.ends_with(MANIFEST)) else { continue };
        let (text, _) = input::text(file, &request.settings);
        if inventory::is_manifest(path, &text) {
            faults.extend(manifests.read(path, &text, &|listed| listed.exists(), &mut builder));
            read.insert(&file.name);
        }
    }
    faults.extend(unread(&manifests, both(), files.skipped.iter().chain(&lookup_only.skipped)));
    for path in beside(both().filter(|file| file.class != Class::Events)) {
        let Some(text) = std::fs::read(&path).ok().filter(|text| inventory::is_manifest(&path, text)) else { continue };
        faults.extend(manifests.read(&path, &text, &|_| true, &mut builder));
    }
    let is_listed =
        |file: &&File| file.class != Class::Inventory && file.path().is_some_and(|path| manifests.lists(path));
    let listed: BTreeSet<Arc<str>> = both().filter(is_listed).map(|file| Arc::clone(&file.name)).collect();
    for skipped in files.skipped.iter().chain(&lookup_only.skipped) {
        // A path that is named twice is read once.
        let is_read = || both().any(|file| file.name == skipped.name);
        if manifests.lists(Path::new(&*skipped.name)) && !is_read() {
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
    let is_lost = |file: &File| file.class == Class::Empty && file.path().is_some_and(inventory::must_print);
    let is_inventory = |file: &&File| file.class == Class::Inventory || listed.contains(&file.name) || is_lost(file);
    let todo: Vec<&File> = both().filter(is_inventory).filter(|file| !read.contains(&file.name)).collect();
    let open = |file: &File| {
        let (text, broken) = input::text(file, &request.settings);
        let document = inventory::File { name: &file.name, path: file.path(), text: &text };
        (broken, inventory::open(&document, &request.inventory_of, &manifests))
    };
    in_order(&heaps(&todo), request.threads, open, |(broken, contents)| {
        faults.extend(broken);
        faults.extend(contents.put_into(&mut builder));
    });
    let (inventory, contradictions) = builder.finish();
    faults.extend(contradictions);
    Read { inventory, faults, listed }
}

/// Bytes of files on disk that a thread takes at a time, so that small ones cost no more than they must.
const HEAP: u64 = 1 << 20;

/// The files in heaps, in order: as many of at most [`HEAP`] bytes as there are in a row, or one that is larger.
pub(super) fn heaps<'a>(files: &[&'a File]) -> Vec<Vec<&'a File>> {
    let mut heaps: Vec<Vec<&File>> = Vec::new();
    let mut size = u64::MAX;
    for file in files {
        size = size.saturating_add(file.size.max(1));
        match heaps.last_mut() {
            Some(heap) if size <= HEAP => heap.push(file),
            _ => {
                heaps.push(vec![file]);
                size = file.size;
            }
        }
    }
    heaps
}

/// Opens files in threads, and takes what they hold in the order of the list.
pub(super) fn in_order<T: Send>(
    heaps: &[Vec<&File>],
    threads: usize,
    open: impl Fn(&File) -> T + Sync,
    mut take: impl FnMut(T),
) {
    let threads = threads.min(heaps.len());
    if threads < 2 {
        return heaps.iter().flatten().for_each(|file| take(open(file)));
    }
    let next = AtomicUsize::new(0);
    let work = |send: mpsc::Sender<(usize, Vec<T>)>| {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(heap) = heaps.get(at) else { return };
            // Nobody takes it only if this scan has failed already.
            let _ = send.send((at, heap.iter().map(|file| open(file)).collect()));
        }
    };
    let (send, opened) = mpsc::channel();
    std::thread::scope(|scope| {
        for send in vec![send; threads] {
            scope.spawn(|| work(send));
        }
        let mut early = BTreeMap::new();
        let mut due = 0;
        for (at, heap) in opened {
            early.insert(at, heap);
            while let Some(heap) = early.remove(&due) {
                heap.into_iter().for_each(&mut take);
                due += 1;
            }
        }
    });
}
