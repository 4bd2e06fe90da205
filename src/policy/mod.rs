//! Policies: a script with metadata, and the packs they come in.

mod catalogue;
mod checked;
mod config;
mod embedded;
mod front_matter;
mod header;
mod load;
mod manifest;
mod overrides;
mod pack;
mod params;
mod remediation;
mod when;
mod window;

use std::sync::Arc;

pub use self::catalogue::catalogue;
pub use self::checked::Checked;
pub use self::config::Config;
pub(crate) use self::front_matter::{FrontMatter, when_spans};
pub use self::header::Header;
pub(crate) use self::load::{Draft, Loaded, load};
pub use self::manifest::{is_named, is_root, root_of};
pub use self::overrides::Overrides;
pub use self::pack::{DEFAULT, LOCAL, Pack};
pub use self::params::{Param, ParamKind};
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
    /// Its front matter.
    pub header: Header,
    /// The Markdown after the front matter: the four headings.
    pub doc: String,
    /// Its script, checked.
    pub script: Script,
    /// The severity that configuration gives all its findings.
    pub severity: Option<crate::finding::Severity>,
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

    /// The sections of the documentation: heading and text, in order.
    pub fn sections(&self) -> Vec<(&str, &str)> {
        let mut sections = Vec::new();
        for part in self.doc.split("\n## ").map(|part| part.strip_prefix("## ").unwrap_or(part)) {
            if let Some((heading, text)) = part.split_once('\n') {
                sections.push((heading.trim(), text.trim()));
            } else if !part.trim().is_empty() {
                sections.push((part.trim(), ""));
            }
        }
        sections
    }
}
