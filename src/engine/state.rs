//! What first-seen policies remember from run to run: when each group was seen, and of which times there were records.
//!
//! A file of JSON lines, in a fixed order: a head, then for each policy the times of which records were read and the
//! groups that were seen, and last how many lines these are, so that a file that was cut off is not taken for one of which
//! less was seen. Sightings that are no further apart than the policy looks back are one stretch; so the file
//! grows with the groups, not with the records. *Laws*: to add sightings twice, or in another order, makes no difference,
//! so the same logs give the same findings again; the file is replaced whole or not at all; and two runs at once add up,
//! since one waits for the other.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::Error;
use crate::finding::{Fingerprint, hash_text};
use crate::paths::leads_to;
use crate::policy::Policy;

/// The version of the file.
const VERSION: u32 = 2;

/// The version that did not say where it ended; it is read still.
const ENDLESS: u32 = 1;

/// Records of two runs are one history if they are no further apart: a day may have none.
const LARGEST_GAP: SignedDuration = SignedDuration::from_hours(24);

/// What is remembered of all policies.
#[derive(Debug, Default)]
pub struct State {
    policies: BTreeMap<String, BTreeMap<String, Memory>>,
}

/// What is remembered of a policy as it was written at a time.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// How far the policy looks back, in seconds.
    pub within: i64,
    /// By account, the times of which there were records: apart, and in order.
    pub read: BTreeMap<Option<String>, Vec<(Timestamp, Timestamp)>>,
    /// By group, when it was seen: apart, and in order.
    pub seen: BTreeMap<String, Vec<Stretch>>,
}

/// Sightings of a group that are no further apart than the policy looks back.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Stretch {
    /// The time of the first.
    pub from: Timestamp,
    /// `eventID` of the first.
    pub id: String,
    /// The time of the last.
    pub to: Timestamp,
}

/// A line of the file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, untagged)]
enum Line {
    Head {
        lawbook_state: u32,
    },
    /// How many lines there are before this, which is the last.
    End {
        lines: u64,
    },
    Read {
        policy: String,
        as_written: String,
        within: i64,
        account: Option<String>,
        read: Vec<(Timestamp, Timestamp)>,
    },
    Seen {
        policy: String,
        as_written: String,
        by: Value,
        seen: Vec<Stretch>,
    },
}

/// A state file that nobody else changes as long as this lives.
#[derive(Debug)]
pub struct Locked {
    path: PathBuf,
    /// Held for its lock.
    _lock: File,
    /// What the file says.
    pub state: State,
}

impl Locked {
    /// Waits until nobody else uses the file, and reads it; there need not be one.
    ///
    /// # Errors
    /// When it cannot be locked or read, is a folder, a pipe or a device, or is no state file of this version.
    pub fn open(path: &Path) -> Result<Self, Error> {
        // Of a link what it names, so that whoever comes by another name meets the same lock and the same file.
        let path = &leads_to(path).unwrap_or_else(|_| path.to_owned());
        // It is replaced as a whole: a device that a file took the place of would be lost to the whole machine.
        if path.metadata().is_ok_and(|known| !known.is_file()) {
            let error =
                Error::new("is no file, and what was seen is remembered in one").about(path.display().to_string());
            return Err(error.try_to("the name of a file, which there need not be yet"));
        }
        let mut beside = path.as_os_str().to_owned();
        beside.push(".lock");
        let lock = OpenOptions::new().create(true).append(true).open(&beside);
        let lock = lock.and_then(|lock| lock.lock().map(|()| lock)).map_err(|error| {
            Error::new(format!("cannot be locked: {error}"))
                .about(Path::new(&beside).display().to_string())
                .try_to("name a file in a folder that can be written to")
        })?;
        let state = match File::open(path) {
            Ok(file) => State::read(BufReader::new(file)).map_err(|error| error.about(path.display().to_string()))?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => State::default(),
            Err(error) => return Err(trouble(path, "read", &error)),
        };
        Ok(Self { path: path.to_owned(), _lock: lock, state })
    }

    /// Replaces the file by what is known now.
    ///
    /// # Errors
    /// When it cannot be written; then the file is as it was.
    pub fn save(&self) -> Result<(), Error> {
        let failed = |error: std::io::Error| trouble(&self.path, "written", &error);
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
        let mut out = BufWriter::new(file);
        self.state.write(&mut out).map_err(failed)?;
        let file = out.into_inner().map_err(|error| failed(error.into_error()))?;
        file.as_file().sync_all().map_err(failed)?;
        if let Ok(before) = std::fs::metadata(&self.path) {
            file.as_file().set_permissions(before.permissions()).map_err(failed)?;
        }
        file.persist(&self.path).map_err(|error| failed(error.error))?;
        // The new name, too, must be there after a loss of power; where folders cannot be opened that is left to the system.
        if let Ok(folder) = File::open(folder) {
            folder.sync_all().map_err(failed)?;
        }
        Ok(())
    }
}

fn trouble(path: &Path, done: &str, error: &std::io::Error) -> Error {
    Error::new(format!("the state file cannot be {done}: {error}")).about(path.display().to_string())
}

impl State {
    fn read(file: impl Read) -> Result<Self, Error> {
        let mut state = Self::default();
        // Whether the end is still to come; `None` before the head.
        let mut goes_on = None;
        for (number, line) in (1..).zip(BufReader::new(file).lines()) {
            let line = line.map_err(|error| Error::new(format!("the state file cannot be read: {error}")))?;
            let told = serde_json::from_str::<Line>(&line);
            let damaged = || {
                Error::new("this is no line of a state file")
                    .at(number, 1)
                    .try_to("restore the file, or begin a new one under another name")
            };
            match told.map_err(|_| damaged())? {
                Line::Head { lawbook_state: version @ (VERSION | ENDLESS) } if goes_on.is_none() => {
                    goes_on = Some(version == VERSION);
                }
                Line::End { lines } if goes_on == Some(true) && lines + 1 == number as u64 => goes_on = Some(false),
                Line::End { .. } => return Err(damaged()),
                Line::Head { lawbook_state: other } => {
                    let message =
                        format!("a state file of version {other}; this version of Lawbook knows version {VERSION}");
                    return Err(Error::new(message).at(number, 1).try_to("begin a new one under another name"));
                }
                _ if goes_on.is_none() => return Err(damaged()),
                Line::Read { policy, as_written, within, account, read } => {
                    let memory = state.memory(&policy, &as_written, within);
                    for (from, to) in read {
                        memory.note_read(account.as_deref(), from, to);
                    }
                }
                Line::Seen { policy, as_written, by, seen } => {
                    let memory = state.policies.get_mut(&policy).and_then(|of| of.get_mut(&as_written));
                    memory.ok_or_else(damaged)?.seen.insert(by.to_string(), seen);
                }
            }
        }
        // Every state has a head: what has none is no new one, but one that was lost.
        if goes_on.is_none() {
            let error = Error::new("the state file is empty");
            return Err(error.try_to("restore the file, or remove it to begin a new one"));
        }
        if goes_on == Some(true) {
            let message = "the state file is cut off: its last line, which says how many there are, is missing";
            return Err(Error::new(message).try_to("restore the file, or begin a new one under another name"));
        }
        Ok(state)
    }

    fn write(&self, out: &mut impl Write) -> std::io::Result<()> {
        let mut line = |line: &Line| -> std::io::Result<()> {
            serde_json::to_writer(&mut *out, line)?;
            out.write_all(b"\n")
        };
        line(&Line::Head { lawbook_state: VERSION })?;
        for (policy, as_written, memory) in self.memories() {
            let (policy, as_written) = (policy.to_owned(), as_written.to_owned());
            for (account, read) in &memory.read {
                line(&Line::Read {
                    policy: policy.clone(),
                    as_written: as_written.clone(),
                    within: memory.within,
                    account: account.clone(),
                    read: read.clone(),
                })?;
            }
            for (by, seen) in &memory.seen {
                let by = serde_json::from_str(by).unwrap_or(Value::Null);
                line(&Line::Seen { policy: policy.clone(), as_written: as_written.clone(), by, seen: seen.clone() })?;
            }
        }
        let of_memories = self.memories().map(|(_, _, memory)| memory.read.len() + memory.seen.len()).sum::<usize>();
        line(&Line::End { lines: 1 + of_memories as u64 })
    }

    /// What is remembered, by policy as `pack/id` and by how it was written.
    pub fn memories(&self) -> impl Iterator<Item = (&str, &str, &Memory)> {
        self.policies.iter().flat_map(|(policy, by_text)| {
            by_text.iter().map(move |(as_written, memory)| (policy.as_str(), as_written.as_str(), memory))
        })
    }

    /// What is remembered of a policy as it is written now.
    pub(super) fn memory_of(&mut self, policy: &Policy) -> &mut Memory {
        let within = policy.header.window.as_ref().map_or(0, |window| window.within);
        self.memory(&format!("{}/{}", policy.pack, policy.id), &as_written(policy), within)
    }

    fn memory(&mut self, policy: &str, as_written: &str, within: i64) -> &mut Memory {
        let memory = self.policies.entry(policy.to_owned()).or_default().entry(as_written.to_owned()).or_default();
        memory.within = within;
        memory
    }

    /// Forgets what was before a time, of one policy (`pack/id`, or an id) or of all; how many stretches that were. `None`
    /// if nothing is remembered of that policy.
    pub fn prune(&mut self, before: Timestamp, policy: Option<&str>) -> Option<u64> {
        let is_it = |name: &str| {
            policy.is_none_or(|wanted| name == wanted || name.rsplit('/').next().is_some_and(|id| id == wanted))
        };
        if policy.is_some() && !self.policies.keys().any(|name| is_it(name)) {
            return None;
        }
        let mut gone = 0;
        for (_, by_text) in self.policies.iter_mut().filter(|(name, _)| is_it(name)) {
            for memory in by_text.values_mut() {
                memory.seen.retain(|_, stretches| {
                    let all = stretches.len();
                    stretches.retain(|stretch| stretch.to >= before);
                    gone += (all - stretches.len()) as u64;
                    !stretches.is_empty()
                });
                // Of what is forgotten nobody may say that it was never there.
                memory.read.retain(|_, read| {
                    read.retain_mut(|(from, to)| {
                        *from = (*from).max(before);
                        *to >= before
                    });
                    !read.is_empty()
                });
            }
            by_text.retain(|_, memory| !memory.read.is_empty());
        }
        self.policies.retain(|_, by_text| !by_text.is_empty());
        Some(gone)
    }
}

/// A hash of what makes hits of a policy: its code, its parameters, its `when` and its window, and not what is said of them.
fn as_written(policy: &Policy) -> String {
    let mut text = String::new();
    for line in policy.script.source.text.lines().map(str::trim) {
        if !line.is_empty() && !line.starts_with("//") {
            text.push_str(line);
            text.push('\n');
        }
    }
    let header = &policy.header;
    text.push_str(&format!("{}\n", policy.script.params));
    header.when.conditions.iter().for_each(|condition| text.push_str(&format!("{condition}\n")));
    if let Some(window) = &header.window {
        text.push_str(&format!("{window}"));
    }
    Fingerprint(hash_text(&text)).to_string()
}

impl Memory {
    fn within(&self) -> SignedDuration {
        SignedDuration::from_secs(self.within)
    }

    /// Adds a sighting.
    pub(super) fn note_seen(&mut self, group: &str, time: Timestamp, id: &str) {
        let within = self.within();
        let mut one = Stretch { from: time, id: id.to_owned(), to: time };
        let stretches = self.seen.entry(group.to_owned()).or_default();
        stretches.retain(|other| {
            let is_near = one.from.duration_since(other.to) <= within && other.from.duration_since(one.to) <= within;
            if is_near {
                let first = (&other.from, &other.id) < (&one.from, &one.id);
                let (from, id) =
                    if first { (other.from, other.id.clone()) } else { (one.from, std::mem::take(&mut one.id)) };
                one = Stretch { from, id, to: one.to.max(other.to) };
            }
            !is_near
        });
        stretches.push(one);
        stretches.sort_unstable();
    }

    /// A time at or before a hit's at which its group was seen before it: the last there is, as far as it matters.
    pub(super) fn seen_before(&self, group: &str, time: Timestamp, id: &str) -> Option<Timestamp> {
        let before = |stretch: &&Stretch| (stretch.from, stretch.id.as_str()) < (time, id);
        let last = self.seen.get(group)?.iter().rfind(before)?;
        Some(last.to.min(time))
    }

    /// Adds times of which there were records of an account.
    pub(super) fn note_read(&mut self, account: Option<&str>, from: Timestamp, to: Timestamp) {
        let mut one = (from, to);
        let read = self.read.entry(account.map(str::to_owned)).or_default();
        read.retain(|other| {
            let is_near = one.0.duration_since(other.1) <= LARGEST_GAP && other.0.duration_since(one.1) <= LARGEST_GAP;
            if is_near {
                one = (one.0.min(other.0), one.1.max(other.1));
            }
            !is_near
        });
        read.push(one);
        read.sort_unstable();
    }

    /// The beginning of the times, up to one, of which there were records of an account.
    pub(super) fn read_from(&self, account: Option<&str>, until: Timestamp) -> Option<Timestamp> {
        let read = self.read.get(&account.map(str::to_owned))?;
        read.iter().find(|(from, to)| *from <= until && until <= *to).map(|(from, _)| *from)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    proptest! {
        /// In any order and as often as one likes: what is remembered is the same, and says what all sightings say.
        #[test]
        fn sightings_add_up(
            sightings in proptest::collection::vec((0_i64..60, 0_u8..3), 0..20),
            again in proptest::collection::vec((0_i64..60, 0_u8..3), 0..4),
            order in any::<u64>(),
            within in 1_i64..15,
            asked in (0_i64..70, 0_u8..3),
        ) {
            let memory = |sightings: &[(i64, u8)]| {
                let mut memory = Memory { within, ..Memory::default() };
                for (time, id) in sightings {
                    memory.note_seen("g", at(*time), &id.to_string());
                }
                memory
            };
            let all: Vec<(i64, u8)> = sightings.iter().chain(&again).copied().collect();
            let mut other: Vec<(i64, u8)> = all.iter().chain(&sightings).copied().collect();
            other.sort_by_key(|(time, id)| (*time as u64 ^ order).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(u32::from(*id)));
            let (first, second) = (memory(&all), memory(&other));
            prop_assert_eq!(&first.seen, &second.seen);
            let before = all.iter().filter(|sighting| **sighting < asked).map(|(time, _)| *time).max();
            let is_seen = before.is_some_and(|before| before >= asked.0 - within);
            let told = first.seen_before("g", at(asked.0), &asked.1.to_string());
            prop_assert_eq!(told.is_some_and(|told| told >= at(asked.0 - within)), is_seen, "{:?}", first.seen);
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let mut state = State::default();
        let memory = state.memory("pack/id", "hash", 60);
        memory.note_seen(r#"["a",1]"#, at(5), "one");
        memory.note_seen(r#"["b"]"#, at(500), "two");
        memory.note_read(Some("111122223333"), at(0), at(600));
        memory.note_read(None, at(3), at(4));
        let mut written = Vec::new();
        state.write(&mut written).unwrap();
        let mut again = Vec::new();
        State::read(written.as_slice()).unwrap().write(&mut again).unwrap();
        assert_eq!(String::from_utf8(written.clone()).unwrap(), String::from_utf8(again).unwrap());
        // Cut off behind any line, without one, or with one twice, it is told.
        let lines: Vec<&[u8]> = written.split_inclusive(|byte| *byte == b'\n').collect();
        assert_eq!(lines.len(), 6);
        for at in 0..lines.len() {
            let cut = (1..lines.len()).contains(&at).then(|| lines[..at].concat());
            let without = [&lines[..at], &lines[at + 1..]].concat().concat();
            let doubled = [&lines[..=at], &lines[at..]].concat().concat();
            for text in cut.into_iter().chain([without, doubled]) {
                assert!(State::read(text.as_slice()).is_err(), "{}", String::from_utf8(text).unwrap());
            }
        }
        // What an earlier version wrote says no end.
        let (_, rest) = lines.split_first().unwrap();
        let earlier = [b"{\"lawbook_state\":1}\n".to_vec(), rest[..rest.len() - 1].concat()].concat();
        let mut again = Vec::new();
        State::read(earlier.as_slice()).unwrap().write(&mut again).unwrap();
        assert_eq!(String::from_utf8(written).unwrap(), String::from_utf8(again).unwrap());
    }

    #[test]
    fn what_is_no_state_file_is_told_with_its_line() {
        let told = |text: &str| State::read(text.as_bytes()).unwrap_err().about("seen").to_string();
        assert!(told("{\"lawbook_state\":3}\n").contains("version 3"));
        assert!(told("{\"lawbook_state\":2}\n").contains("cut off"));
        assert!(told("{\"policy\":1}\n").contains("no line of a state file"));
        assert!(told("{\"lawbook_state\":1}\nx\n").contains("seen:2:1"));
        assert!(told("").contains("empty"));
    }

    #[test]
    fn what_is_pruned_was_not_read() {
        let mut state = State::default();
        let memory = state.memory("pack/id", "hash", 60);
        memory.note_seen("[\"a\"]", at(5), "one");
        memory.note_seen("[\"b\"]", at(500), "two");
        memory.note_read(None, at(0), at(600));
        assert_eq!(state.prune(at(400), Some("other")), None);
        assert_eq!(state.prune(at(400), Some("id")), Some(1));
        let (_, _, memory) = state.memories().next().unwrap();
        assert_eq!(memory.read_from(None, at(500)), Some(at(400)));
        assert_eq!(memory.seen.len(), 1);
    }
}
