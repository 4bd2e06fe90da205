//! What a policy says about a record; its fingerprint and its order.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde::ser::{Error as _, SerializeSeq, Serializer};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::error::Error;
use crate::principal::Principal;
use crate::record::{CLOUDTRAIL, Origin, Record};

/// How bad a finding is. The order is that of the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
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

impl Standing {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::New, Self::Waived, Self::Known];

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Waived => "waived",
            Self::Known => "known",
        }
    }
}

/// Whether new findings of a policy fail a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Enforcement {
    /// They are reported, and that is all.
    Report,
    /// They do, at or above the severity that fails it.
    #[default]
    Fail,
}

impl Enforcement {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Fail, Self::Report];

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Report => "report",
            Self::Fail => "fail",
        }
    }
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
    /// The record that it is about; of a window the one at which it opened.
    pub record: Facts,
    /// The hits of its window, if its policy has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<Windowed>,
    /// Who made the call; `None` for a resource.
    pub actor: Option<Principal>,
    /// Where the call came from: an address, or the name of a service.
    pub source_ip: Option<String>,
    /// Where the record was read.
    pub origin: Origin,
    /// Where else the same record was read.
    pub duplicates: Duplicates,
    /// What the policy adds for the reader.
    pub context: Value,
    /// Findings of one group are shown together.
    pub group: String,
    /// Whether somebody already knows.
    pub standing: Standing,
    /// Whether it fails the run, if it is new.
    pub enforcement: Enforcement,
    /// Who excused it, if somebody did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiver: Option<Excuse>,
    /// Why it is not excused, where somebody meant it to be.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// What to do, with the finding's own ids.
    pub remediation: Remediation,
    /// The same for the same finding in every run.
    pub fingerprint: Fingerprint,
    /// The policy's tags.
    pub tags: Arc<[String]>,
    /// The policy's references.
    pub references: Arc<[String]>,
}

/// Where else the record of a finding was read, in input order: mostly nowhere. Logs that hold one record a million times
/// are no reason to hold its origins in memory.
#[derive(Clone, Default)]
pub struct Duplicates {
    len: u64,
    origins: Option<Arc<dyn Origins>>,
}

/// Gives origins one by one until it is told to stop.
pub(crate) trait Origins: Send + Sync {
    fn each(&self, give: &mut dyn FnMut(Origin) -> bool) -> Result<(), Error>;
}

impl Duplicates {
    pub(crate) fn new(len: u64, origins: Arc<dyn Origins>) -> Self {
        Self { len, origins: Some(origins) }
    }

    /// How many there are.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// True if the record was read once.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Changes each of them before it is given.
    pub(crate) fn change(&mut self, change: Arc<dyn Fn(&mut Origin) + Send + Sync>) {
        if let Some(origins) = self.origins.take() {
            self.origins = Some(Arc::new(Changed { origins, change }));
        }
    }

    /// Gives them one by one, until `give` answers false.
    ///
    /// # Errors
    /// When those that did not fit into memory cannot be read again.
    pub fn each(&self, give: &mut dyn FnMut(Origin) -> bool) -> Result<(), Error> {
        self.origins.as_ref().map_or(Ok(()), |origins| origins.each(give))
    }
}

struct Changed {
    origins: Arc<dyn Origins>,
    change: Arc<dyn Fn(&mut Origin) + Send + Sync>,
}

impl Origins for Changed {
    fn each(&self, give: &mut dyn FnMut(Origin) -> bool) -> Result<(), Error> {
        self.origins.each(&mut |mut origin| {
            (self.change)(&mut origin);
            give(origin)
        })
    }
}

impl fmt::Debug for Duplicates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Duplicates").field("len", &self.len).finish_non_exhaustive()
    }
}

impl Serialize for Duplicates {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(usize::try_from(self.len).ok())?;
        let mut written = Ok(());
        let read = self.each(&mut |origin| {
            written = list.serialize_element(&origin);
            written.is_ok()
        });
        written?;
        read.map_err(S::Error::custom)?;
        list.end()
    }
}

/// A hash of what a finding is about: 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(pub(crate) [u8; 16]);

impl Fingerprint {
    /// The one that is written so.
    pub(crate) fn from_digits(text: &str) -> Option<Self> {
        let digit = |at: usize| text.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
        let bytes: Option<Vec<u8>> = (0..16).map(|at| digit(2 * at)).collect();
        bytes.filter(|_| text.len() == 32)?.try_into().ok().map(Self)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let digits = self.0.map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
        f.pad(std::str::from_utf8(digits.as_flattened()).unwrap_or_default())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
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

/// Why a finding is excused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Excuse {
    /// Who answers for it.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// The last day on which it holds.
    pub expires: String,
    /// Where it was decided.
    pub ticket: Option<String>,
    /// The tag of the resource that says so, if it was none of a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
}

impl Finding {
    /// Whether it counts among what fails a run that fails from that severity on.
    pub fn fails(&self, least: Option<Severity>) -> bool {
        self.standing == Standing::New
            && self.enforcement == Enforcement::Fail
            && least.is_some_and(|least| self.severity >= least)
    }
}

/// The hits of a window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Windowed {
    /// What the hits have alike: the value of each of the window's keys.
    pub by: Vec<Value>,
    /// How many there are.
    pub count: u64,
    /// The `eventTime` of the first of them.
    pub first: String,
    /// The `eventTime` of the last of them.
    pub last: String,
    /// The first of them and the last; at most [`Windowed::LISTED`].
    pub hits: Vec<Sighting>,
}

impl Windowed {
    /// Hits that are listed.
    pub const LISTED: usize = 100;
}

/// A hit of a window, as it is told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sighting {
    /// Its ordinal among the hits of the finding, from 1.
    pub number: u64,
    /// `eventTime`, as it stands in the record.
    pub time: String,
    /// `eventID`.
    pub id: Option<String>,
    /// `eventName`.
    pub name: Option<String>,
    /// The step of the window that it is, where it has steps.
    pub step: Option<String>,
    /// Twelve digits.
    pub account: Option<String>,
    /// Such as `us-east-1`.
    pub region: Option<String>,
    /// What people call who made the call.
    pub actor: Option<String>,
    /// Where the call came from.
    pub source_ip: Option<String>,
    /// Where the record was read.
    pub origin: Origin,
}

/// What to do, in three forms; how to see that it worked, and the way back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remediation {
    /// What it costs or breaks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub impact: Option<String>,
    /// Steps in the AWS Management Console.
    pub console: Option<String>,
    /// Commands of the AWS CLI, quoted for a POSIX shell.
    pub cli: Option<String>,
    /// Python with boto3.
    pub python: Option<String>,
    /// How to see that what was found is no more: commands that fail while it is there.
    #[serde(default, skip_serializing_if = "Commands::is_empty")]
    pub verify: Commands,
    /// The way back.
    #[serde(default, skip_serializing_if = "Commands::is_empty")]
    pub undo: Commands,
    /// Policies whose remediation comes first, where both are to be done.
    #[serde(default, skip_serializing_if = "<[String]>::is_empty")]
    pub after: Arc<[String]>,
    /// Forms that the policy has and that could not be filled, with the reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOut>,
}

/// The same in two languages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commands {
    /// Commands of the AWS CLI, quoted for a POSIX shell.
    pub cli: Option<String>,
    /// Python with boto3.
    pub python: Option<String>,
}

impl Commands {
    /// True if there is neither.
    pub fn is_empty(&self) -> bool {
        self.cli.is_none() && self.python.is_none()
    }
}

/// A form of remediation that could not be filled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// `impact`, `console`, `cli`, `python`, or such as `verify.cli`.
    pub form: Cow<'static, str>,
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
pub fn fingerprint(pack: &str, policy: &str, record: &Record) -> Fingerprint {
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
    Fingerprint(hash(&["finding", pack, policy, &record.kind, account, if is_event { unknown } else { region }, id]))
}

/// The fingerprint of what a window found: of the pack, the policy, the group, and the hit at which the finding opened.
pub(crate) fn fingerprint_of_window(pack: &str, policy: &str, group: &str, account: &str, opener: &str) -> Fingerprint {
    Fingerprint(hash(&["window", pack, policy, group, account, opener]))
}

/// The hash of a text.
pub(crate) fn hash_text(text: &str) -> [u8; 16] {
    hash(&[text])
}

/// The hash of a record's content: with equal fingerprints, equal records are duplicates. `buffer` is emptied first.
pub(crate) fn record_hash(record: &Record, buffer: &mut Vec<u8>) -> [u8; 16] {
    buffer.clear();
    record.value.view().content(buffer);
    hash(&[&*buffer])
}

/// SHA-256 of the parts, each preceded by its length, cut to 128 bits.
fn hash(parts: &[impl AsRef<[u8]>]) -> [u8; 16] {
    let mut hasher = Sha256::new();
    for part in parts {
        let part = part.as_ref();
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    let digest = hasher.finalize();
    let mut out = [0; 16];
    out.copy_from_slice(&digest[..16]);
    out
}

/// The fingerprint of the later of two findings whose records share an id and differ in content.
pub(crate) fn apart(fingerprint: Fingerprint, record_hash: [u8; 16]) -> Fingerprint {
    Fingerprint(hash(&[&fingerprint.to_string(), &Fingerprint(record_hash).to_string()]))
}
