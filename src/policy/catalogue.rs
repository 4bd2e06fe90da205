//! What policies find, as Markdown: a folder with a page for each and indexes, or all in one page.

mod framework;
mod index;
mod markdown;
mod page;
mod service;

use std::collections::BTreeSet;

use super::{Checked, Policy};

/// What every file begins with that is written here, so that no other is taken for one.
pub const MARK: &str = "<!-- Written by `lawbook docs --policies`: what is changed here is lost. -->";

/// The policies of packs, to be written about.
#[derive(Debug, Default)]
pub struct Catalogue<'p> {
    entries: Vec<Entry<'p>>,
    /// Names of files that are taken, in lower case: some disks know no other.
    taken: BTreeSet<String>,
}

/// A policy and where it is written about.
#[derive(Debug)]
struct Entry<'p> {
    policy: &'p Policy,
    /// Its file below the folder of its pack.
    place: String,
    /// The folders of that.
    area: String,
    /// What a link to it leads to: its page, or its heading.
    target: String,
}

/// A file of the folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Its name.
    pub name: String,
    /// Its text.
    pub text: String,
}

impl<'p> Catalogue<'p> {
    /// Adds the policies of a pack that was read from that folder.
    pub fn add(&mut self, packs: &'p Checked, folder: &str) {
        for policy in packs.policies() {
            let file = policy.file.replace('\\', "/");
            let folder = folder.replace('\\', "/");
            let below = file.strip_prefix(folder.trim_end_matches('/')).and_then(|rest| rest.strip_prefix('/'));
            let place = below.unwrap_or_else(|| file.rsplit('/').next().unwrap_or(&file)).to_owned();
            let area = place.rsplit_once('/').map(|(area, _)| area.to_owned()).unwrap_or_default();
            let target = self.name(&policy.id);
            self.entries.push(Entry { policy, place, area, target });
        }
    }

    /// A name for a page that no other has: of several policies of one id, the later are numbered.
    fn name(&mut self, id: &str) -> String {
        let indexes = index::INDEXES.iter().map(|(file, ..)| file.to_lowercase());
        self.taken.extend(indexes);
        let names = std::iter::once(format!("{id}.md")).chain((2..).map(|number| format!("{id}-{number}.md")));
        let free = names.into_iter().find(|name| self.taken.insert(name.to_lowercase()));
        free.unwrap_or_else(|| format!("{id}.md"))
    }

    /// The files of a folder: the indexes, then a page for each policy. They name nothing outside of it.
    pub fn pages(&self) -> Vec<Page> {
        let indexes = index::INDEXES.iter().map(|(file, _, write)| Page {
            name: (*file).to_owned(),
            text: format!("{MARK}\n\n{}", write(&self.entries)),
        });
        let policies = self.entries.iter().map(|entry| {
            let mut text = format!("{MARK}\n\n{}\n", index::links());
            page::write(entry.policy, &entry.place, "#", &mut text);
            Page { name: entry.target.clone(), text }
        });
        indexes.chain(policies).collect()
    }

    /// All in one page: a table, then each policy under a heading.
    pub fn page(&self) -> String {
        let anchored: Vec<Entry<'_>> = self
            .entries
            .iter()
            .map(|entry| Entry {
                policy: entry.policy,
                place: entry.place.clone(),
                area: entry.area.clone(),
                target: format!("#{}", entry.policy.id),
            })
            .collect();
        let mut page = format!("{MARK}\n\n# Policies\n\n");
        index::table(&anchored.iter().collect::<Vec<_>>(), &mut page);
        for entry in &self.entries {
            page.push('\n');
            page::write(entry.policy, &entry.place, "##", &mut page);
        }
        page
    }
}
