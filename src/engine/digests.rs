//! Makes a resource of each digest of log files: what became of the log files, of the digest before it, and of its signature.
//!
//! Digests are read twice, before the events and after them, so that nothing of them has to be kept but what chains them.
//! Log files that they name are hashed while their events are read. A log file or a digest is *missing* only where others
//! of its account and day are in the input; else nothing is known of it. Sources: "CloudTrail digest file structure" and
//! "Custom implementations of CloudTrail log file integrity validation" in the CloudTrail user guide.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use serde_json::{Map, Value, json};

use super::Request;
use super::collect::{heaps, in_order};
use super::place::ordinal;
use crate::fault::Fault;
use crate::input::{self, Class, File, Files, Filter, Hash, Object, SkipReason};
use crate::inventory::Inventory;
use crate::record::{Document, Kind, Node, Origin, Record, Ref, Scope};

/// One resource for each digest that is in the input as a file.
pub(super) const DIGESTS: &str = "cloudtrail/digests";

/// The keys that signatures are verified by.
const KEYS: &str = "cloudtrail/public-keys";

/// Log files of a digest that are listed; all are counted.
const MOST: usize = 50;

/// Bytes of a member of a digest: none that CloudTrail writes is longer.
const MOST_TEXT: usize = 4096;

/// The members of a digest that its resource has, as they are written.
const MEMBERS: [&str; 14] = [
    "awsAccountId",
    "digestStartTime",
    "digestEndTime",
    "digestS3Bucket",
    "digestS3Object",
    "digestPublicKeyFingerprint",
    "digestSignatureAlgorithm",
    "newestEventTime",
    "oldestEventTime",
    "previousDigestS3Bucket",
    "previousDigestS3Object",
    "previousDigestHashValue",
    "previousDigestHashAlgorithm",
    "previousDigestSignature",
];

/// Digests in the input, and what they are compared with.
pub(super) struct Digests<'f> {
    files: &'f Files,
    /// Which digests are wanted.
    filter: Filter,
    /// In the order of the input.
    all: Vec<Digest>,
    /// Places in `all`, by bucket and key.
    by_key: HashMap<Box<str>, Vec<u32>>,
    /// Places in `all` of the digests that name this one as the one before them.
    after: HashMap<Box<str>, Vec<u32>>,
    /// The end of the first digest of each trail, account and region.
    firsts: BTreeMap<Box<str>, Timestamp>,
    /// Accounts, and days since 1970 of which a digest is in the input.
    days: BTreeSet<(Box<str>, i64)>,
    logs: Logs<'f>,
    /// The files that digests name, and their hashes as they become known.
    hashes: Mutex<BTreeMap<usize, Option<Result<Hash, String>>>>,
}

/// What chains a digest.
struct Digest {
    /// Its place among the files.
    file: usize,
    hash: Hash,
    /// Bucket and key.
    key: Box<str>,
    previous: Option<Box<str>>,
    previous_signature: Option<Box<str>>,
}

/// The log files in the input, by name.
struct Logs<'f> {
    /// Names without `.gz` and places among the files; sorted.
    names: Vec<(&'f str, usize)>,
    /// Names of files that the filter excludes; sorted.
    passed: Vec<&'f str>,
    /// Accounts, and days since 1970 of which a log file is listed.
    days: BTreeSet<(&'f str, i64)>,
    /// Accounts and regions of which a log file is listed.
    scopes: BTreeSet<(&'f str, &'f str)>,
}

/// What is to be told of a digest.
pub(super) struct Judged {
    pub(super) record: Record,
    /// What could not be judged of it.
    pub(super) unknown: Vec<&'static str>,
    /// The filter excludes it.
    pub(super) is_filtered: bool,
}

/// What became of the log files that a digest names.
#[derive(Default)]
struct Named {
    all: u64,
    ok: u64,
    modified: u64,
    missing: u64,
    unreadable: u64,
    not_checked: u64,
    /// Of those that were not checked: the filter excludes them.
    filtered: u64,
    broken: Vec<Value>,
}

impl<'f> Digests<'f> {
    /// None, and nothing is read.
    pub(super) fn none(files: &'f Files, filter: Filter) -> Self {
        Self {
            files,
            filter,
            all: Vec::new(),
            by_key: HashMap::new(),
            after: HashMap::new(),
            firsts: BTreeMap::new(),
            days: BTreeSet::new(),
            logs: Logs { names: Vec::new(), passed: Vec::new(), days: BTreeSet::new(), scopes: BTreeSet::new() },
            hashes: Mutex::default(),
        }
    }

    /// Reads the files that begin as digests do, but for those named.
    pub(super) fn read(files: &'f Files, but: &BTreeSet<Arc<str>>, filter: Filter, request: &Request) -> Self {
        let mut digests = Self::none(files, filter);
        let is_wanted = |file: &File| file.may_be_digest && file.class == Class::Events && !but.contains(&file.name);
        let places: HashMap<&str, usize> = files
            .files
            .iter()
            .enumerate()
            .filter(|(_, file)| is_wanted(file))
            .map(|(at, file)| (&*file.name, at))
            .collect();
        if places.is_empty() {
            return digests;
        }
        digests.logs = Logs::of(files);
        let todo: Vec<&File> = files.files.iter().filter(|file| is_wanted(file)).collect();
        let logs = &digests.logs;
        let open = |file: &File| {
            let (text, hash) = input::digest_text(file, &request.settings)?;
            let document = Document::parse(&text).ok()?;
            let view = document.root();
            let digest = Digest {
                file: *places.get(&*file.name)?,
                hash,
                key: key(view, "digestS3Bucket", "digestS3Object")?,
                previous: key(view, "previousDigestS3Bucket", "previousDigestS3Object"),
                previous_signature: short(view, "previousDigestSignature").map(Box::from),
            };
            short(view, "digestEndTime")?;
            let named = view.get("logFiles").filter(|list| list.kind() == Kind::List)?;
            let objects = named.items().filter_map(|named| named.text(&["s3Object"]));
            let mut wanted: Vec<usize> = objects.flat_map(|object| logs.of_key(files, object)).collect();
            wanted.sort_unstable();
            wanted.dedup();
            Some((digest, wanted))
        };
        let mut found = Vec::new();
        let mut wanted = BTreeMap::new();
        in_order(&heaps(&todo), request.threads, open, |read| {
            let Some((digest, named)) = read else { return };
            wanted.extend(named.into_iter().map(|file| (file, None)));
            found.push(digest);
        });
        for (at, digest) in found.iter().enumerate() {
            let at = ordinal(at);
            digests.by_key.entry(digest.key.clone()).or_default().push(at);
            if let Some(previous) = &digest.previous {
                digests.after.entry(previous.clone()).or_default().push(at);
            }
            if let Some(object) = object(&digest.key) {
                digests.days.insert((object.account.into(), day(object.time)));
                let first = digests.firsts.entry(chain(&digest.key, &object)).or_insert(object.time);
                *first = object.time.min(*first);
            }
        }
        (digests.all, digests.hashes) = (found, Mutex::new(wanted));
        digests
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// True when there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The names of their files.
    pub(super) fn names(&self) -> impl Iterator<Item = &Arc<str>> {
        self.all.iter().map(|digest| &self.files.files[digest.file].name)
    }

    /// The place of a digest's file.
    pub(super) fn file(&self, at: usize) -> usize {
        self.all[at].file
    }

    /// Whether the hash of a file is wanted.
    pub(super) fn names_file(&self, file: usize) -> bool {
        !self.all.is_empty() && self.lock().contains_key(&file)
    }

    /// Keeps the hash of a file.
    pub(super) fn put(&self, file: usize, hash: Result<Hash, String>) {
        if let Some(slot) = self.lock().get_mut(&file) {
            *slot = Some(hash);
        }
    }

    /// Files of which the hash is wanted, and not known yet.
    pub(super) fn unknown(&self) -> Vec<usize> {
        self.lock().iter().filter(|(_, hash)| hash.is_none()).map(|(file, _)| *file).collect()
    }

    /// Hashes a file.
    pub(super) fn hash(&self, file: usize, request: &Request) {
        self.put(file, input::hash(&self.files.files[file], &request.settings));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<usize, Option<Result<Hash, String>>>> {
        self.hashes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The resource of a digest, when all hashes are known.
    pub(super) fn judge(&self, at: usize, inventory: &Inventory, request: &Request) -> Result<Judged, Fault> {
        let digest = &self.all[at];
        let file = &self.files.files[digest.file];
        let origin = Origin { file: Arc::clone(&file.name), position: 1, line: None };
        let read = input::digest_text(file, &request.settings).filter(|(_, hash)| *hash == digest.hash);
        let document = read.and_then(|(text, _)| Document::parse(&text).ok());
        let Some(document) = document else {
            return Err(Fault::input("the digest changed while it was read (try: scan it again)", origin));
        };
        let view = document.root();
        let named = self.named(view);
        let (signature, reason) = self.signature(digest, view, inventory);
        let object = object(&digest.key);
        let ended = short(view, "digestEndTime").and_then(|text| text.parse().ok());
        let scope = Scope {
            account: short(view, "awsAccountId").or(object.map(|object| object.account)).map(Arc::from),
            region: object.map(|object| Arc::from(object.region)),
        };
        let mut unknown = Vec::new();
        if named.not_checked > named.filtered {
            unknown.push("log files that digests name are not in the input");
        }
        if reason == Some(NO_KEY) {
            unknown.push(
                "signatures of digests were not verified: their keys are not in inventory `cloudtrail/public-keys`",
            );
        }
        let mut members = Map::new();
        for member in MEMBERS {
            if let Some(text) = short(view, member) {
                members.insert(member.to_owned(), text.into());
            }
        }
        let more = json!({
            "Trail": object.and_then(|object| object.trail),
            "Backfill": object.is_some_and(|object| object.is_backfill),
            "LogFiles": named.all,
            "LogFilesOk": named.ok,
            "LogFilesModified": named.modified,
            "LogFilesMissing": named.missing,
            "LogFilesUnreadable": named.unreadable,
            "LogFilesNotChecked": named.not_checked,
            "BrokenLogFiles": named.broken,
            "Previous": self.previous(digest, view, object),
            "Signature": signature,
            "SignatureReason": reason,
        });
        if let Value::Object(more) = more {
            members.extend(more.into_iter().filter(|(_, value)| !value.is_null()));
        }
        let is_filtered = !admits(&self.filter, short(view, "digestStartTime"), ended);
        let record = Record {
            kind: DIGESTS.into(),
            id: Some(format!("s3://{}", digest.key).into()),
            time: ended,
            scope,
            value: Node::from(Document::from(&Value::Object(members))),
            origin,
        };
        Ok(Judged { record, unknown, is_filtered })
    }

    /// Compares the log files that a digest names.
    fn named(&self, view: Ref<'_>) -> Named {
        let mut named = Named::default();
        for entry in view.get("logFiles").into_iter().flat_map(Ref::items) {
            named.all += 1;
            let (key, hash) = (entry.text(&["s3Object"]), entry.text(&["hashValue"]).and_then(unhex));
            let known = entry.text(&["hashAlgorithm"]).is_none_or(|algorithm| algorithm == "SHA-256");
            let (Some(key), Some(hash), true) = (key, hash, known) else {
                named.not_checked += 1;
                continue;
            };
            let places = self.logs.of_key(self.files, key);
            let mut status = if places.is_empty() { None } else { Some(("ok", None, None)) };
            for file in places {
                let name = &self.files.files[file].name;
                match self.lock().get(&file) {
                    Some(Some(Ok(found))) if found[..] == hash[..] => {}
                    Some(Some(Ok(_))) => status = Some(("modified", Some(Arc::clone(name)), None)),
                    other => {
                        let reason = match other {
                            Some(Some(Err(reason))) => reason.clone(),
                            _ => "it was not read".to_owned(),
                        };
                        let is_worse = status.as_ref().is_none_or(|(status, ..)| *status == "ok");
                        if is_worse {
                            status = Some(("unreadable", Some(Arc::clone(name)), Some(reason)));
                        }
                    }
                }
            }
            let (status, file, reason) = match status {
                Some(("ok", ..)) => {
                    named.ok += 1;
                    continue;
                }
                Some(broken) => broken,
                None if self.logs.is_missing(key) => ("missing", None, None),
                None => {
                    named.not_checked += 1;
                    named.filtered += u64::from(self.logs.was_passed(key));
                    continue;
                }
            };
            *match status {
                "modified" => &mut named.modified,
                "missing" => &mut named.missing,
                _ => &mut named.unreadable,
            } += 1;
            if named.broken.len() < MOST {
                let key: String = key.chars().take(1024).collect();
                let mut told = json!({ "Object": key, "Status": status });
                if let Some(file) = file {
                    told["File"] = (*file).into();
                }
                if let Some(reason) = reason {
                    told["Reason"] = reason.into();
                }
                named.broken.push(told);
            }
        }
        named
    }

    /// What became of the digest before this one.
    fn previous(&self, digest: &Digest, view: Ref<'_>, object: Option<Object<'_>>) -> &'static str {
        let began =
            object.and_then(|object| self.firsts.get(&chain(&digest.key, &object)).map(|first| (object, *first)));
        let has_earlier = began.is_some_and(|(object, first)| first < object.time);
        let Some(previous) = &digest.previous else {
            let goes_on = object.is_some_and(|object| !object.is_backfill);
            return if has_earlier && goes_on { "restarted" } else { "first" };
        };
        if let Some(found) = self.by_key.get(previous) {
            let hash = short(view, "previousDigestHashValue").and_then(unhex);
            let is_same = |at: &u32| hash.as_ref().is_some_and(|hash| self.all[*at as usize].hash[..] == hash[..]);
            return if found.iter().all(is_same) { "ok" } else { "modified" };
        }
        let known = self::object(previous);
        let is_of_a_day = |object: Object<'_>| self.days.contains(&(object.account.into(), day(object.time)));
        if has_earlier && known.is_some_and(is_of_a_day) { "missing" } else { "unknown" }
    }

    /// Verifies the signature, which stands in the digest after this one.
    fn signature(&self, digest: &Digest, view: Ref<'_>, inventory: &Inventory) -> (&'static str, Option<&'static str>) {
        const UNCHECKED: &str = "unchecked";
        let mut signatures: Vec<&str> = Vec::new();
        for at in self.after.get(&digest.key).into_iter().flatten() {
            let signature = self.all[*at as usize].previous_signature.as_deref();
            signatures.extend(signature.filter(|signature| !signatures.contains(signature)));
            // One key makes one signature: of two at least one is wrong.
            if signatures.len() > 1 {
                break;
            }
        }
        if signatures.is_empty() {
            return (UNCHECKED, Some("the next digest, which holds the signature, is not in the input"));
        }
        if short(view, "digestSignatureAlgorithm").is_some_and(|algorithm| algorithm != "SHA256withRSA") {
            return (UNCHECKED, Some("the algorithm of the signature is not known"));
        }
        let Some(fingerprint) = short(view, "digestPublicKeyFingerprint") else {
            return (UNCHECKED, Some("the digest does not say by which key it was signed"));
        };
        let keys: Vec<Vec<u8>> = inventory
            .lookup(KEYS, "Fingerprint", fingerprint, None)
            .into_iter()
            .filter_map(|key| STANDARD.decode(key.value.view().text(&["Value"])?).ok())
            .collect();
        if keys.is_empty() {
            return (UNCHECKED, Some(NO_KEY));
        }
        let ended = short(view, "digestEndTime").unwrap_or_default();
        // A chain begins with a digest that follows none, and `null` stands in its string.
        let before = digest.previous_signature.as_deref().unwrap_or("null");
        let signed = format!("{ended}\n{}\n{}\n{before}", digest.key, hex(&digest.hash));
        let verifies = |signature: &&str| {
            let Some(signature) = unhex(signature) else { return false };
            let verify = |key: &Vec<u8>| {
                UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key).verify(signed.as_bytes(), &signature)
            };
            keys.iter().any(|key| verify(key).is_ok())
        };
        if signatures.iter().all(verifies) { ("ok", None) } else { ("broken", None) }
    }
}

/// Why a signature was not verified that could have been.
const NO_KEY: &str =
    "its public key is not in the inventory (try: `aws cloudtrail list-public-keys` for the time of the digest)";

impl<'f> Logs<'f> {
    fn of(files: &'f Files) -> Self {
        let mut names = Vec::new();
        let mut passed = Vec::new();
        let (mut days, mut scopes) = (BTreeSet::new(), BTreeSet::new());
        let mut note = |name: &'f str| {
            if let Some(object) = Object::of(name).filter(|object| object.trail.is_none()) {
                days.insert((object.account, day(object.time)));
                scopes.insert((object.account, object.region));
            }
        };
        for (at, file) in files.files.iter().enumerate() {
            let Some(name) = file.path().and_then(Path::file_name).and_then(|name| name.to_str()) else {
                continue;
            };
            note(name);
            names.push((input::plain(name), at));
        }
        for skipped in files.skipped.iter().filter(|skipped| skipped.reason == SkipReason::Filtered) {
            let name = last(&skipped.name);
            note(name);
            passed.push(input::plain(name));
        }
        names.sort_unstable();
        passed.sort_unstable();
        Self { names, passed, days, scopes }
    }

    /// Places of the files that a key may stand for: of those that end as it does, those that do so at greatest length.
    fn of_key(&self, files: &Files, key: &str) -> Vec<usize> {
        let name = input::plain(last(key));
        let start = self.names.partition_point(|(other, _)| *other < name);
        let alike = self.names[start..].iter().take_while(|(other, _)| *other == name).map(|(_, at)| *at);
        let common = |at: &usize| {
            let folders = files.files[*at].path().and_then(Path::parent).into_iter().flat_map(|path| path.iter().rev());
            folders.zip(key.rsplit('/').skip(1)).take_while(|(one, other)| one.to_str() == Some(other)).count()
        };
        let rated: Vec<(usize, usize)> = alike.map(|at| (common(&at), at)).collect();
        let best = rated.iter().map(|(common, _)| *common).max();
        rated.into_iter().filter(|(common, _)| Some(*common) == best).map(|(_, at)| at).collect()
    }

    fn was_passed(&self, key: &str) -> bool {
        self.passed.binary_search(&input::plain(last(key))).is_ok()
    }

    /// Whether a log file that is not there should be: others of its account and region are, and of its account and day.
    fn is_missing(&self, key: &str) -> bool {
        !self.was_passed(key)
            && Object::of(last(key)).is_some_and(|object| {
                self.scopes.contains(&(object.account, object.region))
                    && self.days.contains(&(object.account, day(object.time)))
            })
    }
}

/// Whether a filter wants a digest of this time; an unknown time never excludes.
fn admits(filter: &Filter, started: Option<&str>, ended: Option<Timestamp>) -> bool {
    let started: Option<Timestamp> = started.and_then(|text| text.parse().ok());
    filter.since.is_none_or(|since| ended.is_none_or(|ended| ended > since))
        && filter.until.is_none_or(|until| started.is_none_or(|started| started < until))
}

/// Bucket and key.
fn key(view: Ref<'_>, bucket: &str, key: &str) -> Option<Box<str>> {
    Some(format!("{}/{}", short(view, bucket)?, short(view, key)?).into())
}

/// A member that is text of a length that CloudTrail writes.
fn short<'a>(view: Ref<'a>, member: &str) -> Option<&'a str> {
    view.text(&[member]).filter(|text| text.len() <= MOST_TEXT)
}

fn last(key: &str) -> &str {
    key.rsplit(['/', '\\']).next().unwrap_or(key)
}

fn object(key: &str) -> Option<Object<'_>> {
    Object::of(last(key)).filter(|object| object.trail.is_some())
}

/// What the digests of one trail, account and region share: the key but for day and time.
fn chain(key: &str, object: &Object<'_>) -> Box<str> {
    let bucket = key.split('/').next().unwrap_or_default();
    let trail = object.trail.unwrap_or_default();
    format!("{bucket}/{}/{}/{trail}/{}", object.account, object.region, object.is_backfill).into()
}

/// Days since 1970.
fn day(time: Timestamp) -> i64 {
    time.as_second().div_euclid(24 * 60 * 60)
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let bytes = pairs.iter().map(|[high, low]| Some(digit(high)? << 4 | digit(low)?)).collect();
    if rest.is_empty() { bytes } else { None }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to text never fails.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_written_as_digests_write_them() {
        assert_eq!(hex(&[0, 15, 254]), "000ffe");
        assert_eq!(unhex("000fFE"), Some(vec![0, 15, 254]));
        assert_eq!([unhex("0"), unhex("0g"), unhex("é"), unhex("+1")], [None, None, None, None]);
        assert_eq!(unhex(""), Some(vec![]));
    }
}
