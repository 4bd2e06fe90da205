//! The records of a case, as a scan would read them.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use jsonpath_rust::JsonPath;
use serde_json::Value;

use super::file::Reader;
use super::patch;
use crate::diagnostic::did_you_mean;
use crate::engine::{self, Request};
use crate::input;
use crate::record::{CLOUDTRAIL, Record, Scope};
use crate::script::parse_duration;
use crate::yaml::Yaml;

/// Where the records of a case stand.
pub(super) enum Source<'y> {
    /// One, or its name.
    One(&'y Yaml),
    /// Several, or their names, or variations of them.
    Several(&'y [Yaml]),
    /// A file.
    File(&'y Yaml),
}

/// The names of records that a case uses.
pub(super) fn names<'y>(case: &'y Yaml, used: &mut BTreeSet<&'y str>) {
    let several = case.get("records").map(Yaml::items).unwrap_or_default();
    for record in case.get("record").into_iter().chain(several) {
        used.extend(record.raw().or_else(|| base_of(record).and_then(Yaml::raw)));
    }
}

/// The record that `{ record: NAME, with: …, without: …, after: …, times: …, every: … }` varies.
pub(super) fn base_of(record: &Yaml) -> Option<&Yaml> {
    let is_variation = record
        .members()
        .iter()
        .all(|(key, _)| ["record", "with", "without", "after", "times", "every"].contains(&key.name.as_str()));
    record.get("record").filter(|_| is_variation)
}

/// Reads the records of a case; mistakes are said.
pub(super) fn read(reader: &mut Reader<'_>, case: &Yaml, scope: &Scope) -> Vec<Record> {
    let Some(source) = reader.source_of(case) else { return Vec::new() };
    match source {
        Source::One(record) => inline(reader, case, record, scope, 0),
        Source::Several(several) => {
            let mut records = Vec::new();
            for record in several {
                records.extend(inline(reader, case, record, scope, records.len()));
            }
            records
        }
        Source::File(file) => of_file(reader, case, file),
    }
}

/// A record that stands in the case, or that it names, after so many others.
fn inline(reader: &mut Reader<'_>, case: &Yaml, record: &Yaml, scope: &Scope, before: usize) -> Vec<Record> {
    let base = base_of(record).unwrap_or(record);
    let (name, mut value) = match base.raw() {
        None => ("record", base.to_json()),
        Some(name) => match reader.named.and_then(|named| named.get(name)) {
            Some(named) => (name, named.to_json()),
            None => {
                let known = reader.named.map(Yaml::members).unwrap_or_default();
                let help = did_you_mean(name, known.iter().map(|(key, _)| key.name.as_str()))
                    .map(|meant| format!("did you mean `{meant}`?"));
                reader.say(base.span.clone(), format!("no record `{name}` under `records`"), help);
                return Vec::new();
            }
        },
    };
    if !std::ptr::eq(base, record) && !patched(reader, record, &mut value) {
        return Vec::new();
    }
    if !patched(reader, case, &mut value) {
        return Vec::new();
    }
    let mut records = Vec::new();
    for value in in_time(reader, record, value, before) {
        match as_read(&reader.policy.header.judges, name, &value, scope) {
            Ok(read) => records.extend(read),
            Err(reason) => {
                let span = culprit(reader, case, base).unwrap_or(record.span.clone());
                reader.say(span, reason, None);
                return Vec::new();
            }
        }
    }
    records
}

/// A record as often as `times` says, `every` so long, the first so long `after` its own time (before it where that begins
/// with `-`). Each has an id of its own, as records of CloudTrail have.
fn in_time(reader: &mut Reader<'_>, record: &Yaml, value: Value, before: usize) -> Vec<Value> {
    /// Records that one entry may stand for.
    const MOST: u32 = 10_000;
    let varies = |name: &str| base_of(record).and_then(|_| record.get(name));
    if ["after", "times", "every"].iter().all(|name| varies(name).is_none()) {
        return vec![value];
    }
    let mut sound = true;
    let mut seconds = |name: &str| -> i64 {
        let Some(yaml) = varies(name) else { return 0 };
        let text = yaml.raw().unwrap_or_default();
        let (sign, span) = text.strip_prefix('-').map_or((1, text), |span| (-1, span));
        let Some(seconds) = parse_duration(span).and_then(|seconds| seconds.checked_mul(sign)) else {
            let help = Some("such as `90s`, `10m`, or `-14d` for before".to_owned());
            reader.say(yaml.span.clone(), format!("`{text}` is no duration"), help);
            sound = false;
            return 0;
        };
        seconds
    };
    let (after, every) = (seconds("after"), seconds("every"));
    let times = match varies("times").map(|yaml| (yaml, yaml.raw().and_then(|text| text.parse::<u32>().ok()))) {
        None => 1,
        Some((_, Some(times @ 1..=MOST))) => times,
        Some((yaml, _)) => {
            reader.say(yaml.span.clone(), format!("`times` is a number from 1 to {MOST}"), None);
            sound = false;
            0
        }
    };
    let time = value.get("eventTime").and_then(Value::as_str).and_then(|time| time.parse::<Timestamp>().ok());
    let Some(time) = time else {
        reader.say(record.span.clone(), "the record has no `eventTime` to reckon from", None);
        return Vec::new();
    };
    let id = value.get("eventID").and_then(Value::as_str).unwrap_or("event").to_owned();
    let at = |number: u32| {
        let mut value = value.clone();
        let span = i64::from(number).checked_mul(every).and_then(|span| span.checked_add(after))?;
        let time = time.checked_add(SignedDuration::from_secs(span)).ok()?;
        let members = value.as_object_mut()?;
        members.insert("eventTime".to_owned(), time.to_string().into());
        members.insert("eventID".to_owned(), format!("{id}-{:04}", before + number as usize + 1).into());
        Some(value)
    };
    if sound { (0..times).filter_map(at).collect() } else { Vec::new() }
}

/// The entry of a case's `with` after which a record is none any more.
fn culprit(reader: &Reader<'_>, case: &Yaml, base: &Yaml) -> Option<std::ops::Range<usize>> {
    let mut value = match base.raw() {
        None => base.to_json(),
        Some(name) => reader.named?.get(name)?.to_json(),
    };
    let judges = &reader.policy.header.judges;
    as_read(judges, "", &value, &Scope::default()).ok()?;
    for (path, with) in case.get("with").map(Yaml::members).unwrap_or_default() {
        patch::put(&mut value, &path.name, with.to_json()).ok()?;
        if as_read(judges, "", &value, &Scope::default()).is_err() {
            return Some(path.span.clone());
        }
    }
    None
}

/// Changes a record as `with` and `without` say; false, and said, if that cannot be done.
fn patched(reader: &mut Reader<'_>, by: &Yaml, value: &mut Value) -> bool {
    let mut sound = true;
    for (path, with) in by.get("with").map(Yaml::members).unwrap_or_default() {
        if let Err(reason) = patch::put(value, &path.name, with.to_json()) {
            reader.say(path.span.clone(), reason, None);
            sound = false;
        }
    }
    for path in by.get("without").map(Yaml::items).unwrap_or_default() {
        if let Err(missing) = patch::remove(value, path.raw().unwrap_or_default()) {
            reader.say(
                path.span.clone(),
                missing.reason,
                missing.meant.map(|meant| format!("did you mean `{meant}`?")),
            );
            sound = false;
        }
    }
    sound
}

/// A JSON value as a scan reads it: an event in whatever shape, or a resource of a kind.
fn as_read(judges: &str, name: &str, value: &Value, scope: &Scope) -> Result<Vec<Record>, String> {
    if judges != CLOUDTRAIL {
        if ["eventSource", "eventName", "userIdentity"].iter().all(|name| value.get(name).is_some()) {
            return Err(format!("this is a CloudTrail event, and the policy judges `{judges}`"));
        }
        let mut record = input::inventory::resource(judges, value, scope.clone());
        record.origin.file = name.into();
        return Ok(vec![record]);
    }
    let (events, faults) = input::events(name, value.to_string().into_bytes());
    match faults.first() {
        Some(fault) => Err(format!("the record cannot be read: {}", fault.reason)),
        None if events.is_empty() => Err("the record is no CloudTrail event".to_owned()),
        None => Ok(events),
    }
}

/// The records of a file that the policy judges, and that `select` selects.
fn of_file(reader: &mut Reader<'_>, case: &Yaml, file: &Yaml) -> Vec<Record> {
    let (given, span) = (file.raw().unwrap_or_default(), file.span.clone());
    let path = reader.folder.join(given);
    if !path.exists() {
        reader.say(span, format!("there is no `{given}`"), Some("a path from the folder of this file".to_owned()));
        return Vec::new();
    }
    let read = match engine::read(&Request::new([&path])) {
        Ok(read) => read,
        Err(error) => {
            reader.say(span, error.to_string(), None);
            return Vec::new();
        }
    };
    if let Some(fault) = read.faults.first() {
        reader.say(span, format!("the file cannot be read whole: {}", fault.reason), None);
        return Vec::new();
    }
    let judges = Arc::clone(&reader.policy.header.judges);
    let mut records: Vec<Record> = read.records.into_iter().filter(|record| record.kind == judges).collect();
    if let Some(select) = case.get("select") {
        match self::select(&records, select.raw().unwrap_or_default()) {
            Ok(places) if places.is_empty() && !records.is_empty() => {
                let message = format!("selects none of the {} records of the kind `{judges}`", records.len());
                reader.say(select.span.clone(), message, Some("`lawbook try event FILE` shows them".to_owned()));
                return Vec::new();
            }
            Ok(places) => records = places.into_iter().map(|at| records[at].clone()).collect(),
            Err(reason) => {
                reader.say(
                    select.span.clone(),
                    reason,
                    Some("such as `$[?@.eventName == \"StopLogging\"]`".to_owned()),
                );
                return Vec::new();
            }
        }
    }
    if records.is_empty() {
        reader.say(span.clone(), format!("no record of the kind `{judges}` is left to judge"), None);
    }
    let is_varied = case.get("with").or_else(|| case.get("without")).is_some();
    let mut sound = Vec::new();
    for record in records {
        let mut origin = record.origin.clone();
        origin.file = below(&reader.folder, &origin.file).into();
        let mut varied = vec![record];
        if is_varied {
            let mut value = varied[0].value.view().to_json();
            if !patched(reader, case, &mut value) {
                return Vec::new();
            }
            // Read again: what is known of a record (its id, its time, whose it is) may be what was changed.
            varied = match as_read(&judges, given, &value, &varied[0].scope.clone()) {
                Ok(varied) => varied,
                Err(reason) => {
                    reader.say(span.clone(), reason, None);
                    return Vec::new();
                }
            };
        }
        sound.extend(varied.into_iter().map(|record| Record { origin: origin.clone(), ..record }));
    }
    sound
}

/// A path without the folder that it is in, so that it is the same on every machine.
pub(super) fn below(folder: &Path, file: &str) -> String {
    let path = Path::new(file).strip_prefix(folder).unwrap_or(Path::new(file));
    path.to_string_lossy().replace('\\', "/")
}

/// A message of several lines, with what it drew, as one.
fn in_a_line(message: &str) -> String {
    let lines = message.lines().map(|line| line.trim_start_matches([' ', '|', '-', '>', '=']).trim());
    let said: Vec<&str> = lines.filter(|line| line.chars().any(char::is_alphanumeric)).collect();
    said.last().map_or_else(|| message.to_owned(), |last| (*last).to_owned())
}

/// The places of the records that a JSONPath over the list of them selects.
///
/// # Errors
/// When it is no JSONPath, or selects something else than whole records.
pub fn select(records: &[Record], path: &str) -> Result<Vec<usize>, String> {
    let all: Value = records.iter().map(|record| record.value.view().to_json()).collect();
    let found =
        all.query_only_path(path).map_err(|error| format!("is no JSONPath: {}", in_a_line(&error.to_string())))?;
    let mut places = Vec::new();
    for path in found {
        let place = path.strip_prefix("$[").and_then(|rest| rest.strip_suffix(']')).and_then(|at| at.parse().ok());
        places.push(place.ok_or_else(|| format!("selects `{path}`, which is a part of a record"))?);
    }
    places.sort_unstable();
    places.dedup();
    Ok(places)
}
