//! One event or one resource, whose it is, and its origin.

mod document;

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

pub(crate) use document::Making;
pub use document::{Document, Kind, Node, Ref};

/// One thing read: an event from CloudTrail, or a resource from inventory.
#[derive(Clone, Debug)]
pub struct Record {
    /// [`CLOUDTRAIL`] for an event; for a resource `<service>/<kebab-case of the list member>`, such as `ec2/flow-logs`.
    pub kind: Arc<str>,
    /// `eventID`, or the resource's own id, name or ARN, where there is one.
    pub id: Option<Arc<str>>,
    /// `eventTime`, or when the resource was seen, where that is known.
    pub time: Option<Timestamp>,
    /// Whose it is.
    pub scope: Scope,
    /// The record verbatim.
    pub value: Node,
    /// Where it was read.
    pub origin: Origin,
}

/// The kind of an event.
pub const CLOUDTRAIL: &str = "cloudtrail";

/// Whether a text is the id of an account: twelve digits.
pub fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a text is written as regions are: `us-east-1`, `us-gov-west-1`.
pub fn is_region(text: &str) -> bool {
    region_of(text) == Some(text)
}

/// `us-east-1` of itself, and of the zones `us-east-1a` and `us-east-1-bos-1a`.
pub(crate) fn region_of(zone: &str) -> Option<&str> {
    let digit = zone.find(|c: char| c.is_ascii_digit())?;
    let digits = zone[digit..].chars().take_while(char::is_ascii_digit).count();
    let words: Vec<&str> = zone[..digit].strip_suffix('-')?.split('-').collect();
    let known = (2..=3).contains(&words.len())
        && (2..=4).contains(&words[0].len())
        && words.iter().all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase()));
    known.then(|| &zone[..digit + digits])
}

/// An account and a region; `None` is unknown, and unknown is excluded by no scope and no filter.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope {
    /// Twelve digits.
    pub account: Option<Arc<str>>,
    /// Such as `us-east-1`; resources of services that have no regions (IAM, S3) leave it unknown.
    pub region: Option<Arc<str>>,
}

impl Scope {
    /// True unless both know an account, or both a region, and they differ.
    pub fn overlaps(&self, other: &Self) -> bool {
        let meets = |a: &Option<Arc<str>>, b: &Option<Arc<str>>| a.is_none() || b.is_none() || a == b;
        meets(&self.account, &other.account) && meets(&self.region, &other.region)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = |part: &Option<Arc<str>>| part.as_deref().unwrap_or("unknown").to_owned();
        write!(f, "{}/{}", part(&self.account), part(&self.region))
    }
}

/// Where a record was read.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct Origin {
    /// The file as it was named or found, `-` for standard input.
    pub file: Arc<str>,
    /// The ordinal of the record in its file, from 1.
    pub position: u64,
    /// The line on which it begins, from 1, where the file has lines (after inflating).
    pub line: Option<u64>,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}", self.file),
            None => write!(f, "{}", self.file),
        }?;
        if self.position > 0 { write!(f, " (record {})", self.position) } else { Ok(()) }
    }
}
