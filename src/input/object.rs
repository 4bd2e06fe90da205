//! Reads what the name of an object says that CloudTrail delivered: a log file, or a digest of log files.
//!
//! Log files are called `<account>_CloudTrail_<region>_<yyyymmdd>T<hhmm>Z_<unique>.json.gz`, digests
//! `<account>_CloudTrail-Digest_<region>_<trail>_<home region>_<yyyymmdd>T<hhmmss>Z[_backfill].json.gz`. Source: "CloudTrail
//! log file name format" and "CloudTrail digest file structure" in the CloudTrail user guide.

use std::path::Path;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::delivery::is_region;
use crate::record::is_account;

/// What the name of an object says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Object<'a> {
    /// Without `.gz`, so that a file is known that was decompressed.
    pub name: &'a str,
    /// Twelve digits.
    pub account: &'a str,
    /// Such as `us-east-1`.
    pub region: &'a str,
    /// When a log file was delivered, to the minute; when the hour of a digest ended.
    pub time: Timestamp,
    /// The trail of a digest; `None` for a log file.
    pub trail: Option<&'a str>,
    /// A digest that names log files which came late, beside the one of their hour.
    pub is_backfill: bool,
}

impl<'a> Object<'a> {
    /// The object of a name; nothing if it is not called so.
    pub fn of(name: &'a str) -> Option<Self> {
        let name = plain(name);
        let stem = name.strip_suffix(".json")?;
        let (account, rest) = stem.split_once('_')?;
        let (what, rest) = rest.split_once('_')?;
        let (region, rest) = rest.split_once('_')?;
        if !is_account(account) || !is_region(region) {
            return None;
        }
        match what {
            "CloudTrail" => {
                let (time, unique) = rest.split_once('_')?;
                let time = instant(time).filter(|_| !unique.is_empty())?;
                Some(Self { name, account, region, time, trail: None, is_backfill: false })
            }
            "CloudTrail-Digest" => {
                let hourly = rest.strip_suffix("_backfill");
                let (trail, time) = hourly.unwrap_or(rest).rsplit_once('_')?;
                let trail = trail.rsplit_once('_').map_or(trail, |(trail, _)| trail);
                let (time, is_backfill) = (instant(time)?, hourly.is_some());
                Some(Self { name, account, region, time, trail: Some(trail), is_backfill })
            }
            _ => None,
        }
    }

    /// Whether a path ends as that of a compressed log file does.
    pub(super) fn is_log_file(path: &'a Path) -> bool {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.ends_with(".gz") && Self::of(name).is_some_and(|object| object.trail.is_none())
    }

    /// The object of a path, by its last part.
    pub fn of_path(path: &'a Path) -> Option<Self> {
        Self::of(path.file_name()?.to_str()?)
    }
}

/// A name without `.gz`.
pub fn plain(name: &str) -> &str {
    name.strip_suffix(".gz").unwrap_or(name)
}

/// `20260301T0005Z`, perhaps with seconds.
fn instant(text: &str) -> Option<Timestamp> {
    let digits = |range: std::ops::Range<usize>| {
        text.get(range).filter(|part| part.bytes().all(|byte| byte.is_ascii_digit())).and_then(|part| part.parse().ok())
    };
    let has_seconds = match text.len() {
        14 => false,
        16 => true,
        _ => return None,
    };
    if !text.ends_with('Z') || text.as_bytes()[8] != b'T' {
        return None;
    }
    let small = |range| digits(range).and_then(|number: i16| i8::try_from(number).ok());
    let second = if has_seconds { small(13..15)? } else { 0 };
    let civil =
        DateTime::new(digits(0..4)?, small(4..6)?, small(6..8)?, small(9..11)?, small(11..13)?, second, 0).ok()?;
    TimeZone::UTC.to_timestamp(civil).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_account_region_time_and_trail() {
        let log = Object::of("111122223333_CloudTrail_eu-west-1_20260301T0005Z_aBc9.json.gz").unwrap();
        assert_eq!((log.account, log.region, log.trail), ("111122223333", "eu-west-1", None));
        assert_eq!(log.time.to_string(), "2026-03-01T00:05:00Z");
        assert_eq!(log.name, "111122223333_CloudTrail_eu-west-1_20260301T0005Z_aBc9.json");
        assert_eq!(Object::of(log.name), Some(log));
        let digest = "111122223333_CloudTrail-Digest_us-gov-west-1_my_trail_us-gov-east-1_20260301T010203Z";
        let hourly = Object::of_path(Path::new("x").join(format!("{digest}.json.gz")).as_path()).map(|digest| {
            (digest.region.to_owned(), digest.trail.map(str::to_owned), digest.time.to_string(), digest.is_backfill)
        });
        let known = ("us-gov-west-1".to_owned(), Some("my_trail".to_owned()), "2026-03-01T01:02:03Z".to_owned(), false);
        assert_eq!(hourly, Some(known));
        assert!(Object::of(&format!("{digest}_backfill.json.gz")).is_some_and(|digest| digest.is_backfill));
    }

    #[test]
    fn names_of_compressed_log_files_are_known() {
        let log = "111122223333_CloudTrail_eu-west-1_20260301T0005Z_aBc9.json";
        let digest = "111122223333_CloudTrail-Digest_eu-west-1_trail_eu-west-1_20260301T010203Z.json.gz";
        let is_log_file = |path: &str| Object::is_log_file(Path::new(path));
        assert!(is_log_file(&format!("{log}.gz")) && is_log_file(&format!("collected/{log}.gz")));
        assert!(!is_log_file(log) && !is_log_file(digest) && !is_log_file(&format!("{log}.gz/x.json.gz")));
    }

    #[test]
    fn other_names_tell_nothing() {
        for name in [
            "",
            "x.json.gz",
            "111122223333_CloudTrail-Insight_eu-west-1_20260301T0005Z_aBc9.json.gz",
            "111122223333_CloudTrail_eu-west-1_20261301T0005Z_aBc9.json.gz",
            "111122223333_CloudTrail_eu-west-1_20260301T0005Z_.json.gz",
            "111122223333_CloudTrail_eu-west-1_20260301T0005Z.json.gz",
            "1111_CloudTrail_eu-west-1_20260301T0005Z_aBc9.json.gz",
            "111122223333_CloudTrail_nowhere_20260301T0005Z_aBc9.json.gz",
            "111122223333_CloudTrail_eu-west-1_2026é301T005Z_aBc9.json.gz",
            "111122223333_CloudTrail_eu-west-1_+026-301T0005Z_aBc9.json.gz",
            "111122223333_CloudTrail_eu-west-1_20260301T0005Z_aBc9.csv",
            "111122223333_CloudTrail-Digest_eu-west-1_20260301T000000Z.json.gz",
        ] {
            assert_eq!(Object::of(name), None, "{name}");
        }
    }
}
