//! The keys by which calls are counted: a value and what belongs to it, as bytes.
//!
//! Parts are text, so a byte that text never has stands between them, and keys are in the order of their values. The empty
//! key is that of calls without a value. What is longer than anybody reads is cut, and a hash of all of it keeps it apart from
//! what begins alike.

use jiff::Timestamp;

use super::{By, Count, Row};
use crate::finding::{Fingerprint, hash_text};
use crate::principal::Who;

/// Between the parts of a key.
const BETWEEN: u8 = 0xff;

/// Bytes of a part that are kept.
const LONGEST: usize = 1024;

/// Seconds of an hour.
const HOUR: i64 = 3600;

/// Appends a text to a key.
pub(super) fn put(text: &str, into: &mut Vec<u8>) {
    if text.len() <= LONGEST {
        return into.extend_from_slice(text.as_bytes());
    }
    let end = (0..=LONGEST - 40).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    into.extend_from_slice(&text.as_bytes()[..end]);
    into.extend_from_slice(format!("…#{}", Fingerprint(hash_text(text))).as_bytes());
}

/// The key of an event of a service.
pub(super) fn put_event(name: &str, source: &str, into: &mut Vec<u8>) {
    put(name, into);
    into.push(BETWEEN);
    put(source, into);
}

/// The key of a principal.
pub(super) fn put_who(who: Option<&Who>, into: &mut Vec<u8>) {
    let Some(Who { name, kind, account }) = who else { return };
    put(name, into);
    for detail in [kind, account] {
        into.push(BETWEEN);
        put(detail.as_deref().unwrap_or_default(), into);
    }
}

/// The key of the hour of a time: bytes in the order of the hours.
pub(super) fn hour(time: Timestamp) -> [u8; 8] {
    (time.as_second().div_euclid(HOUR) ^ i64::MIN).to_be_bytes()
}

/// The row that a key stands for.
pub(super) fn row(by: By, key: &[u8], count: Count) -> Row {
    let mut row = Row { value: None, kind: None, account: None, source: None, count };
    if key.is_empty() {
        return row;
    }
    if by == By::Hour {
        let hours = key.try_into().map(|key| i64::from_be_bytes(key) ^ i64::MIN).unwrap_or_default();
        row.value = Timestamp::from_second(hours.saturating_mul(HOUR)).ok().map(|time| time.to_string());
        return row;
    }
    let mut parts = key.split(|byte| *byte == BETWEEN).map(|part| String::from_utf8_lossy(part).into_owned());
    let mut part = || parts.next().filter(|part| !part.is_empty());
    row.value = part();
    match by {
        By::Event => row.source = part(),
        By::Principal | By::Caller => (row.kind, row.account) = (part(), part()),
        _ => {}
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_tell_what_they_were_made_of() {
        let of = |key: &[u8], by| row(by, key, Count::default());
        let mut key = Vec::new();
        put_event("RunInstances", "ec2.amazonaws.com", &mut key);
        let event = of(&key, By::Event);
        assert_eq!(
            (event.value.as_deref(), event.source.as_deref()),
            (Some("RunInstances"), Some("ec2.amazonaws.com"))
        );
        key.clear();
        let who = Who { name: "eve".to_owned(), kind: None, account: Some("111122223333".to_owned()) };
        put_who(Some(&who), &mut key);
        let row = of(&key, By::Caller);
        assert_eq!((row.value, row.kind, row.account), (Some(who.name), None, who.account));
        for (time, hour_of) in [
            ("2024-05-14T09:59:59.9Z", "2024-05-14T09:00:00Z"),
            ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"),
            ("1969-12-31T23:59:59Z", "1969-12-31T23:00:00Z"),
        ] {
            let key = hour(time.parse().unwrap());
            assert_eq!(of(&key, By::Hour).value.as_deref(), Some(hour_of));
        }
        assert!(hour("1969-12-31T23:59:59Z".parse().unwrap()) < hour("2024-05-14T09:59:59Z".parse().unwrap()));
        assert_eq!(of(&[], By::Hour).value, None);
    }

    #[test]
    fn what_is_cut_is_kept_apart() {
        let key = |text: &str| {
            let mut key = Vec::new();
            put(text, &mut key);
            key
        };
        let long = "é".repeat(5_000);
        let (one, other) = (key(&format!("{long}1")), key(&format!("{long}2")));
        assert!(one != other && one.len() <= LONGEST && std::str::from_utf8(&one).is_ok());
        assert_eq!(key(&"a".repeat(LONGEST)).len(), LONGEST);
    }
}
