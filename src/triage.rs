//! Decides whether a finding is new, waived or known.
//!
//! *Law*: whatever is not sure leaves a finding new: a waiver that is over, that does not cover every resource
//! and every hit, or that cannot be read.

mod baseline;
mod day;
mod path;
mod tagged;
mod waivers;

use std::collections::BTreeSet;

use jiff::Timestamp;

pub(crate) use self::baseline::Report;
pub use self::baseline::{Baseline, Entry};
pub use self::day::{day, is_over};
pub use self::tagged::TagRule;
use self::waivers::Cover;
pub use self::waivers::{SCHEMA as WAIVERS_SCHEMA, Waiver, Waivers};
use crate::finding::{Excuse, Finding, Fingerprint, Standing};
use crate::policy::{Checked, Policy};
use crate::principal::Principal;
use crate::record::Record;

/// What a finding is about.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Subject<'a> {
    /// A record.
    Record(&'a Record),
    /// The hits of a window; `None` if they are not all at hand.
    Hits(Option<&'a [Seen]>),
}

/// Whose and where a hit of a window is, and who made it.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) account: Option<String>,
    pub(crate) region: Option<String>,
    pub(crate) actor: Principal,
}

/// What people decided about findings.
#[derive(Clone, Debug, Default)]
pub struct Triage {
    /// What was excused, until when.
    pub waivers: Option<Waivers>,
    /// What was there when the baseline was written.
    pub baseline: Option<Baseline>,
    /// What tags of resources may excuse, if they may.
    pub tags: Option<TagRule>,
}

impl Triage {
    /// The same for these packs: what names a policy that several of them have excuses nothing.
    #[must_use]
    pub(crate) fn settled(&self, packs: &Checked) -> Self {
        let waivers = self.waivers.as_ref().map(|waivers| waivers.settled(packs));
        let tags = self.tags.as_ref().map(|tags| tags.settled(packs));
        Self { waivers, tags, baseline: self.baseline.clone() }
    }

    /// Whether anything is asked about the hits of windows.
    pub(crate) fn asks_of_hits(&self) -> bool {
        self.waivers.as_ref().is_some_and(|waivers| !waivers.waivers.is_empty())
    }

    /// Decides about a finding of a policy, at a time. Notes in `used` which waivers are for it.
    pub(crate) fn judge(
        &self,
        finding: &mut Finding,
        policy: &Policy,
        subject: Subject<'_>,
        now: Timestamp,
        used: &mut BTreeSet<usize>,
    ) {
        let about = waivers::About { finding, subject };
        let mut excuse = None;
        let mut notes = Vec::new();
        for (at, waiver) in self.waivers.iter().flat_map(|waivers| waivers.of(policy, finding)) {
            match waiver.covers(&about) {
                Cover::None => continue,
                Cover::Part => {
                    notes
                        .push(format!("the waiver of {} is not for all of its hits, as far as is known", waiver.owner));
                    continue;
                }
                Cover::Whole => {}
            }
            used.insert(at);
            if waiver.is_over(now) {
                notes.push(format!("the waiver of {} for it expired on {}", waiver.owner, waiver.expires));
            } else if excuse.is_none() {
                excuse = Some(waiver.excuse());
            }
        }
        if excuse.is_none()
            && let Some(told) = self.tags.as_ref().and_then(|tags| tags.judge(&about, policy, now))
        {
            match told {
                Ok(told) => excuse = Some(told),
                Err(note) => notes.push(note),
            }
        }
        if let Some(excuse) = excuse {
            finding.standing = Standing::Waived;
            finding.waiver = Some(excuse);
            return;
        }
        notes.extend(self.waivers.iter().flat_map(|waivers| waivers.broken_of(policy, finding)));
        finding.notes = notes;
        if self.is_known(finding.fingerprint) {
            finding.standing = Standing::Known;
        }
    }

    /// Whether a finding of that fingerprint was there when the baseline was written.
    pub(crate) fn is_known(&self, fingerprint: Fingerprint) -> bool {
        self.baseline.as_ref().is_some_and(|baseline| baseline.has(&fingerprint.to_string()))
    }
}

impl Subject<'_> {
    /// The record, if it is about one.
    fn record(&self) -> Option<&Record> {
        match self {
            Self::Record(record) => Some(record),
            Self::Hits(_) => None,
        }
    }
}

impl Waiver {
    fn excuse(&self) -> Excuse {
        Excuse {
            owner: self.owner.clone(),
            reason: self.reason.clone(),
            expires: self.expires.to_string(),
            ticket: self.ticket.clone(),
            tag: None,
        }
    }
}
