//! What a policy says about a record; its fingerprint and its order.

use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::principal::Principal;
use crate::record::{CLOUDTRAIL, Origin, Record};

/// How bad a finding is. The order is that of the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Mend it when you pass by.
    Low,
    /// Plan to mend it.
    Medium,
    /// Mend it today.
    High,
    /// Wake somebody.
    Critical,
}

impl Severity {
    /// All of them, from the least.
    pub const ALL: [Self; 5] = [Self::Info, Self::Low, Self::Medium, Self::High, Self::Critical];

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// The severity of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|severity| severity.word() == word)
    }
}

/// Whether somebody already knows of a finding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// Nobody does.
    #[default]
    New,
    /// A person excused it, with an expiry.
    Waived,
    /// It was there when the baseline was written.
    Known,
}

/// What people are told.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// The policy's id.
    pub policy: Arc<str>,
    /// The pack that the policy is of.
    pub pack: Arc<str>,
    /// How bad it is.
    pub severity: Severity,
    /// One line.
    pub title: String,
    /// ARNs or ids of what it is about.
    pub resources: Vec<String>,
    /// The record that it is about.
    pub record: Facts,
    /// Who made the call; `None` for a resource.
    pub actor: Option<Principal>,
    /// Where the call came from: an address, or the name of a service.
    pub source_ip: Option<String>,
    /// Where the record was read.
    pub origin: Origin,
    /// Where else the same record was read.
    pub duplicates: Vec<Origin>,
    /// What the policy adds for the reader.
    pub context: Value,
    /// Findings of one group are shown together.
    pub group: String,
    /// Whether somebody already knows.
    pub standing: Standing,
    /// What to do, with the finding's own ids.
    pub remediation: Remediation,
    /// The same for the same finding in every run: 32 hexadecimal digits.
    pub fingerprint: String,
    /// The policy's tags.
    pub tags: Arc<[String]>,
    /// The policy's references.
    pub references: Arc<[String]>,
    /// The hash of the record: with equal fingerprints, equal records are duplicates.
    #[serde(skip)]
    pub(crate) record_hash: [u8; 16],
}

/// The facts of a record that a finding repeats.
#[derive(Clone, Debug, Serialize)]
pub struct Facts {
    /// `cloudtrail`, or the kind of the resource.
    pub kind: Arc<str>,
    /// `eventID`, or the resource's own id.
    pub id: Option<Arc<str>>,
    /// `eventTime` as it stands in the record; for a resource when it was seen.
    pub time: Option<String>,
    /// `eventName`; `None` for a resource.
    pub name: Option<String>,
    /// `eventSource`; `None` for a resource.
    pub source: Option<String>,
    /// Twelve digits.
    pub account: Option<Arc<str>>,
    /// Such as `us-east-1`.
    pub region: Option<Arc<str>>,
}

/// What to do, in three forms.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Remediation {
    /// Steps in the AWS Management Console.
    pub console: Option<String>,
    /// Commands of the AWS CLI, quoted for a POSIX shell.
    pub cli: Option<String>,
    /// Python with boto3.
    pub python: Option<String>,
    /// Forms that the policy has and that could not be filled, with the reason.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOut>,
}

/// A form of remediation that could not be filled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// `console`, `cli` or `python`.
    pub form: &'static str,
    /// Why.
    pub reason: String,
}

impl Facts {
    /// The facts of a record.
    pub fn of(record: &Record) -> Self {
        let view = record.value.view();
        let is_event = &*record.kind == CLOUDTRAIL;
        let text = |key: &str| view.text(&[key]).filter(|_| is_event).map(str::to_owned);
        Self {
            kind: Arc::clone(&record.kind),
            id: record.id.clone(),
            time: text("eventTime").or_else(|| record.time.map(|time| time.to_string())),
            name: text("eventName"),
            source: text("eventSource"),
            account: record.scope.account.clone(),
            region: record.scope.region.clone(),
        }
    }
}

/// The hash by which baselines and waivers know a finding: of the pack, the policy, and of an event its account and
/// id (its canonical text where it has no id), of a resource its kind, account, region and id. Never of what a policy
/// says about it, so that a better title keeps its waivers.
pub fn fingerprint(pack: &str, policy: &str, record: &Record) -> String {
    let unknown = "";
    let account = record.scope.account.as_deref().unwrap_or(unknown);
    let region = record.scope.region.as_deref().unwrap_or(unknown);
    let canonical;
    let id = match record.id.as_deref() {
        Some(id) => id,
        None => {
            canonical = record.value.view().canonical();
            &canonical
        }
    };
    let is_event = &*record.kind == CLOUDTRAIL;
    hex(&hash(&["finding", pack, policy, &record.kind, account, if is_event { unknown } else { region }, id]))
}

/// The hash of a record's content.
pub(crate) fn record_hash(record: &Record) -> [u8; 16] {
    hash(&[&record.value.view().canonical()])
}

/// SHA-256 of the parts, each preceded by its length, cut to 128 bits.
fn hash(parts: &[&str]) -> [u8; 16] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    let digest = hasher.finalize();
    let mut out = [0; 16];
    out.copy_from_slice(&digest[..16]);
    out
}

/// The fingerprint of the later of two findings whose records share an id and differ in content.
pub(crate) fn apart(fingerprint: &str, record_hash: &[u8; 16]) -> String {
    hex(&hash(&[fingerprint, &hex(record_hash)]))
}

fn hex(bytes: &[u8; 16]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
