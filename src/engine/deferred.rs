//! Keeps records until the last event is read: as text, so that they need not stay in memory.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::stored::{put, take};
use crate::error::Error;
use crate::record::{Document, Node, Origin, Record, Scope};
use crate::spill::damaged;

/// A record, and the policies that must be asked.
#[derive(Serialize, Deserialize)]
struct Stored<'a> {
    policies: Vec<u32>,
    kind: &'a str,
    id: Option<&'a str>,
    /// Seconds and nanoseconds.
    time: Option<(i64, i32)>,
    account: Option<&'a str>,
    region: Option<&'a str>,
    file: &'a str,
    position: u64,
    line: Option<u64>,
    /// JSON.
    value: &'a str,
}

/// Appends a record to `into`.
pub(super) fn store(record: &Record, policies: &[u32], into: &mut Vec<u8>) -> Result<(), Error> {
    let value = serde_json::to_string(&record.value.view()).map_err(|error| Error::new(error.to_string()))?;
    let stored = Stored {
        policies: policies.to_vec(),
        kind: &record.kind,
        id: record.id.as_deref(),
        time: record.time.map(|time| (time.as_second(), time.subsec_nanosecond())),
        account: record.scope.account.as_deref(),
        region: record.scope.region.as_deref(),
        file: &record.origin.file,
        position: record.origin.position,
        line: record.origin.line,
        value: &value,
    };
    put(&stored, into)
}

/// The record that was stored, and the policies.
pub(super) fn read(stored: &[u8]) -> Result<(Record, Vec<u32>), Error> {
    let (stored, _): (Stored<'_>, _) = take(stored)?;
    let time = stored.time.map(|(seconds, rest)| Timestamp::new(seconds, rest)).transpose();
    let value = Document::parse(stored.value.as_bytes()).map_err(|_| damaged())?;
    let record = Record {
        kind: stored.kind.into(),
        id: stored.id.map(Arc::from),
        time: time.map_err(|_| damaged())?,
        scope: Scope { account: stored.account.map(Arc::from), region: stored.region.map(Arc::from) },
        value: Node::from(value),
        origin: Origin { file: stored.file.into(), position: stored.position, line: stored.line },
    };
    Ok((record, stored.policies))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::CLOUDTRAIL;

    #[test]
    fn a_record_comes_back_as_it_was() {
        let text =
            r#"{"z":[1,-2,3.0,1e300,18446744073709551615,0.1,true,null],"a":{"é\u0000\"":"\ud800x"},"z2":{},"l":[]}"#;
        let record = Record {
            kind: CLOUDTRAIL.into(),
            id: Some("id".into()),
            time: Some("2024-05-14T12:00:00.123456789Z".parse().unwrap()),
            scope: Scope { account: Some("111122223333".into()), region: None },
            value: Document::parse(text.as_bytes()).unwrap().into(),
            origin: Origin { file: "file".into(), position: 7, line: Some(3) },
        };
        let before_1970 = Record { time: Some("1969-12-31T23:59:59.5Z".parse().unwrap()), id: None, ..record.clone() };
        for record in [record, before_1970] {
            let mut stored = Vec::new();
            store(&record, &[3, 5], &mut stored).unwrap();
            let (read, policies) = read(&stored).unwrap();
            assert_eq!(policies, [3, 5]);
            assert_eq!(read.value.view(), record.value.view());
            // To the order of keys.
            assert_eq!(
                serde_json::to_string(&read.value.view()).unwrap(),
                serde_json::to_string(&record.value.view()).unwrap()
            );
            assert_eq!(
                (read.kind, read.id, read.time, read.scope, read.origin),
                (record.kind, record.id, record.time, record.scope, record.origin)
            );
        }
    }
}
