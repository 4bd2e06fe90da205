//! Why a policy fired or stayed silent, record by record: kept in few bytes, and given one by one.

use std::fmt;
use std::sync::Arc;

use serde::ser::{Error as _, SerializeSeq, Serializer};
use serde::{Deserialize, Serialize};

use super::evaluate::{Hit, Verdict};
use super::findings::Change;
use super::place::Map;
use super::stored::{each, place, put, take};
use crate::error::Error;
use crate::fault::printable;
use crate::policy::Policy;
use crate::record::{CLOUDTRAIL, Origin, Record};
use crate::spill::{Sorted, damaged};

/// A record's verdict, for whoever asked why.
#[derive(Clone, Debug, Serialize)]
pub struct Why {
    /// Where the record was read.
    pub origin: Origin,
    /// What the record is, in a few words.
    pub record: String,
    /// `fires`, `silent`, `not evaluated` or `fault`; `hit` for a record that bears on a window.
    pub verdict: &'static str,
    /// What decided.
    pub reason: String,
}

/// The words of verdicts.
const VERDICTS: [&str; 5] = ["fires", "silent", "not evaluated", "fault", "hit"];

/// The verdicts on all records that a policy was asked about, in input order. They need not fit into memory: they are
/// given one by one, as often as somebody asks.
#[derive(Clone)]
pub struct Whys {
    kept: Arc<(Sorted, Arc<Map>)>,
    /// What is made of each before it is given.
    change: Option<Change<Why>>,
}

#[derive(Serialize, Deserialize)]
struct Stored<'a> {
    record: &'a str,
    verdict: usize,
    reason: &'a str,
    line: Option<u64>,
}

/// Appends a verdict to `into`; `silent` says why the policy stayed silent, if it did and that is known.
pub(super) fn store(
    policy: &Policy,
    record: &Record,
    verdict: &Verdict,
    silent: Option<&str>,
    into: &mut Vec<u8>,
) -> Result<(), Error> {
    let bears;
    let (verdict, reason) = match verdict {
        Verdict::Finding(finding, _) => (0, finding.title.as_str()),
        Verdict::Hit(hit, _) => {
            bears = in_window(policy, hit);
            (4, bears.as_str())
        }
        Verdict::Silent => (1, silent.unwrap_or("`matches` answered false")),
        Verdict::NotEvaluated(reason) => (2, reason.as_str()),
        Verdict::Fault(reason) => (3, reason.as_str()),
    };
    put(&Stored { record: &in_words(record), verdict, reason, line: record.origin.line }, into)
}

impl Whys {
    pub(super) fn new(sorted: Sorted, map: Arc<Map>) -> Self {
        Self { kept: Arc::new((sorted, map)), change: None }
    }

    /// The same, of which each is changed before it is given.
    pub(crate) fn changed(self, change: Change<Why>) -> Self {
        Self { change: Some(change), ..self }
    }

    /// How many there are.
    pub fn len(&self) -> u64 {
        self.kept.0.len()
    }

    /// True if there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Gives them one by one. An error, when those that did not fit into memory cannot be read again, is the last.
    pub fn iter(&self) -> impl Iterator<Item = Result<Why, Error>> {
        let (sorted, map) = &*self.kept;
        let mut merge = None;
        each(move || {
            let merge = match &mut merge {
                Some(merge) => merge,
                none => none.insert(sorted.read()?),
            };
            let Some((key, payload)) = merge.advance()? else { return Ok(None) };
            let (stored, _): (Stored<'_>, _) = take(payload)?;
            let mut why = Why {
                origin: map.origin(place(key)?, stored.line),
                record: stored.record.to_owned(),
                verdict: VERDICTS.get(stored.verdict).ok_or_else(damaged)?,
                reason: stored.reason.to_owned(),
            };
            if let Some(change) = &self.change {
                change(&mut why);
            }
            Ok(Some(why))
        })
    }
}

impl fmt::Debug for Whys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Whys").field("len", &self.len()).finish_non_exhaustive()
    }
}

impl Serialize for Whys {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(usize::try_from(self.len()).ok())?;
        for why in self.iter() {
            list.serialize_element(&why.map_err(S::Error::custom)?)?;
        }
        list.end()
    }
}

/// What a hit is to its window.
fn in_window(policy: &Policy, hit: &Hit) -> String {
    let window = policy.header.window.as_ref();
    let keys = window.map(|window| window.by.as_slice()).unwrap_or_default();
    let by: Vec<String> = keys.iter().zip(&hit.by).map(|(key, value)| format!("{} = {value}", key.text)).collect();
    let step = window.and_then(|window| window.named.steps.get(usize::from(hit.step)));
    let step = step.map_or_else(String::new, |step| format!("{step}: "));
    printable(&format!("{step}{}", by.join(", ")), 300)
}

/// An event as `source name id`, a resource as `kind id`.
fn in_words(record: &Record) -> String {
    let id = record.id.as_deref().unwrap_or("without an id");
    if &*record.kind != CLOUDTRAIL {
        return format!("{} {}", record.kind, printable(id, 80));
    }
    let text = |key: &str| record.value.view().text(&[key]).map_or_else(|| "?".to_owned(), |text| printable(text, 80));
    format!("{} {} {}", text("eventSource"), text("eventName"), printable(id, 80))
}
