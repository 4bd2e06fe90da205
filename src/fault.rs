//! What could not be processed, and did not stop the run.

use std::sync::Arc;

use crate::record::Origin;

/// A record, a part of a file, or a policy on a record that could not be processed. Never stops a scan; always
/// counted, reported, and exit code 2 at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Which stage it happened in, and so how it is grouped.
    pub stage: Stage,
    /// The reason: a lower-case fragment that says what was found, what was expected, and the remedy. Equal reasons of
    /// equal policies are counted together, so it names no record.
    pub reason: String,
    /// Where the record or the damage is; the first place, when there are several.
    pub origin: Origin,
    /// How many records or breaks it stands for: a stage may count equal reasons together. At least 1.
    pub count: u64,
}

/// The stage in which a fault happened.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// A file or a part of it could not be read as records.
    Input,
    /// An inventory document could not be placed, or contradicts another.
    Inventory,
    /// A waiver could not be read.
    Waiver,
    /// A policy failed on a record.
    Policy {
        /// The name of its pack.
        pack: Arc<str>,
        /// Its id.
        id: Arc<str>,
    },
}

impl Fault {
    /// A part of a file that could not be read as records.
    pub fn input(reason: impl Into<String>, origin: Origin) -> Self {
        Self { stage: Stage::Input, reason: reason.into(), origin, count: 1 }
    }

    /// An inventory document that could not be placed, or contradicts another.
    pub fn inventory(reason: impl Into<String>, origin: Origin) -> Self {
        Self { stage: Stage::Inventory, reason: reason.into(), origin, count: 1 }
    }

    /// A waiver that cannot be read.
    pub fn waiver(reason: impl Into<String>, origin: Origin) -> Self {
        Self { stage: Stage::Waiver, reason: reason.into(), origin, count: 1 }
    }

    /// A policy that failed on the record read at `origin`.
    pub fn policy(pack: &Arc<str>, id: &Arc<str>, reason: impl Into<String>, origin: Origin) -> Self {
        let stage = Stage::Policy { pack: Arc::clone(pack), id: Arc::clone(id) };
        Self { stage, reason: reason.into(), origin, count: 1 }
    }
}

/// Text from a log as it may stand in a message: control characters escaped, cut after `most` characters.
pub fn printable(text: &str, most: usize) -> String {
    let mut out = String::with_capacity(text.len().min(most));
    for (count, letter) in text.chars().enumerate() {
        if count == most {
            out.push('…');
            break;
        }
        if letter.is_control() || is_deceptive(letter) { out.extend(letter.escape_unicode()) } else { out.push(letter) }
    }
    out
}

/// Characters that change how the text around them is shown, or are not shown: bidirectional controls, invisible separators,
/// soft hyphens, tags, and what is no character, which XML cannot hold.
pub(crate) fn is_deceptive(letter: char) -> bool {
    let is_none = u32::from(letter) & 0xfffe == 0xfffe || matches!(letter, '\u{fdd0}'..='\u{fdef}');
    is_none
        || matches!(
            letter,
            '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}'
        )
}
