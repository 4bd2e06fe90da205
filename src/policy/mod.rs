//! Policies: a script with metadata, and the packs they come in.

mod archive;
mod area;
mod catalogue;
mod checked;
mod config;
mod contents;
mod embedded;
mod front_matter;
mod header;
mod load;
mod lock;
mod manifest;
mod overrides;
mod pack;
mod params;
mod parts;
mod portrait;
mod remediation;
mod said;
mod signature;
mod when;
mod window;

use std::sync::Arc;

pub use self::archive::{Archive, Built, build};
pub use self::catalogue::{Catalogue, MARK, Page};
pub use self::checked::Checked;
pub use self::config::{Config, Setting};
pub use self::contents::{Contents, is_archive};
pub(crate) use self::front_matter::{FrontMatter, when_spans};
pub use self::header::Header;
pub(crate) use self::load::{Draft, Loaded, load};
pub use self::lock::{FILE as LOCK, Lock};
pub use self::manifest::{Manifest, is_named, is_root, root_of, satisfies};
pub use self::overrides::Overrides;
pub use self::pack::{DEFAULT, LOCAL, Pack};
pub use self::params::{Param, ParamKind};
pub use self::parts::Part;
pub use self::portrait::{Fact, Instruction};
pub(crate) use self::remediation::FRAME;
pub use self::remediation::{Forms, Scripts, Template};
pub use self::said::{By, Said};
pub use self::signature::{PublicKey, SecretKey};
pub use self::when::{Condition, When};
pub(crate) use self::when::{parse_path, show_path};
pub use self::window::{Key, Shape, Window};
pub(crate) use self::window::{changes as window_changes, span};
use crate::script::Script;

/// A policy that loads: its metadata, its documentation and its script.
#[derive(Debug)]
pub struct Policy {
    /// The file's stem, in kebab-case.
    pub id: Arc<str>,
    /// The name of its pack.
    pub pack: Arc<str>,
    /// Its file, as it was found.
    pub file: String,
    /// The folder of its pack that it stands in, such as `network`; empty for the pack's own.
    pub area: String,
    /// Its front matter.
    pub header: Header,
    /// The Markdown after the front matter: the four headings.
    pub doc: String,
    /// Its script, checked.
    pub script: Script,
    /// The severity that configuration gives all its findings.
    pub severity: Option<crate::finding::Severity>,
    /// Whether its new findings fail a run.
    pub enforcement: crate::finding::Enforcement,
}

impl Policy {
    /// Every name by which it may be meant: its ids, now and formerly, alone and as `pack/id`.
    pub fn names(&self) -> Vec<String> {
        let ids = std::iter::once(&*self.id).chain(self.header.formerly.iter().map(String::as_str));
        ids.flat_map(|id| [id.to_owned(), format!("{}/{id}", self.pack)]).collect()
    }

    /// The text under a heading of the documentation; nothing if there is none.
    pub fn section(&self, heading: &str) -> &str {
        self.sections().into_iter().find(|(known, _)| *known == heading).map_or("", |(_, text)| text)
    }

    /// Its id among those of all packs: `pack/id`.
    pub fn qualified(&self) -> String {
        format!("{}/{}", self.pack, self.id)
    }

    /// Whether a name, `id` or `pack/id`, is the one that it has now.
    pub fn is(&self, name: &str) -> bool {
        match name.rsplit_once('/') {
            Some((pack, id)) => pack == &*self.pack && id == &*self.id,
            None => name == &*self.id,
        }
    }

    /// The sections of the documentation: heading and text, in order. What stands before the first heading has an empty one.
    pub fn sections(&self) -> Vec<(&str, &str)> {
        let mut starts: Vec<usize> = Vec::from_iter((!self.doc.starts_with("## ")).then_some(0));
        let (mut at, mut is_code) = (0, false);
        for line in self.doc.split_inclusive('\n') {
            // A comment in a block of code is no heading.
            is_code ^= line.starts_with("```");
            if line.starts_with("## ") && !is_code {
                starts.push(at);
            }
            at += line.len();
        }
        let ends = starts.iter().skip(1).copied().chain([at]);
        let section = |(start, end): (&usize, usize)| {
            let part = &self.doc[*start..end];
            let (heading, text) = match part.strip_prefix("## ") {
                Some(part) => part.split_once('\n').unwrap_or((part, "")),
                None => ("", part),
            };
            (heading.trim(), text.trim())
        };
        let is_told = |(heading, text): &(&str, &str)| !(heading.is_empty() && text.is_empty());
        starts.iter().zip(ends).map(section).filter(is_told).collect()
    }
}
