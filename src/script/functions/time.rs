//! Times and durations. There is no clock but the record's and `now()`.

use jiff::{Timestamp, civil};
use rhai::{Dynamic, INT};

use super::{Family, Row, as_text};

pub(super) const FAMILY: Family = Family {
    name: "Time",
    doc: "Times are seconds since 1970 (UTC), durations are seconds. `now()` is the time of the run (`--now`), the same for every record.",
    rows: &[
        Row {
            name: "now",
            params: &[],
            doc: "The time of the run in seconds since 1970: `--now` if it is given.",
            examples: &[r#"now() == time("2024-05-14T12:00:00Z")"#],
            run: |call, _| Ok(call.env.now.as_second().into()),
        },
        Row {
            name: "time",
            params: &["value"],
            doc: "A time as AWS writes it, in seconds since 1970: RFC 3339, `2023-01-22 16:53:53.000`, `Jul 10, 2023, 11:45:02 AM`, a date, or a number of seconds or milliseconds. `()` if it is none.",
            examples: &[
                r#"time("1970-01-02T00:00:00Z") == 86400"#,
                r#"time("1970-01-01T01:00:00+01:00") == 0"#,
                r#"time("Jul 10, 2023, 11:45:02 AM") == time("2023-07-10T11:45:02Z")"#,
                r#"time(1688991795000) == time(1688991795)"#,
                r#"time("") == ()"#,
            ],
            run: |_, args| Ok(seconds(&args[0]).map_or(Dynamic::UNIT, Dynamic::from)),
        },
        Row {
            name: "age",
            params: &["value"],
            doc: "Seconds from that time to `now()`; `()` if it is no time. Mind that `() > x` is false: what has no date is not old.",
            examples: &[r#"age("2024-05-13T12:00:00Z") == duration("1d")"#, r#"age(()) == ()"#],
            run: |call, args| {
                Ok(seconds(&args[0]).map_or(Dynamic::UNIT, |then| call.env.now.as_second().saturating_sub(then).into()))
            },
        },
        Row {
            name: "duration",
            params: &["text"],
            doc: "Seconds of a duration such as `90s`, `15m`, `1h30m`, `14d`, `2w`; `()` if it is none.",
            examples: &[r#"duration("1h30m") == 5400"#, r#"duration("2w") == 14 * 86400"#, r#"duration("soon") == ()"#],
            run: |_, args| {
                Ok(as_text(&args[0]).and_then(|text| parse_duration(&text)).map_or(Dynamic::UNIT, Dynamic::from))
            },
        },
        Row {
            name: "format_time",
            params: &["seconds"],
            doc: "A time as RFC 3339 text in UTC; `()` if the number is none.",
            examples: &[r#"format_time(86400) == "1970-01-02T00:00:00Z""#],
            run: |_, args| {
                let text = args[0]
                    .as_int()
                    .ok()
                    .and_then(|seconds| Timestamp::from_second(seconds).ok())
                    .map(|time| time.to_string());
                Ok(text.map_or(Dynamic::UNIT, Dynamic::from))
            },
        },
    ],
    lowered: &[],
};

/// Seconds of a duration written as numbers with the units `w d h m s`; none of them may be missing its number.
pub fn parse_duration(text: &str) -> Option<INT> {
    let mut total: INT = 0;
    let mut rest = text.trim();
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: INT = rest[..digits].parse().ok()?;
        let unit = match rest.as_bytes()[digits] {
            b'w' => 7 * 86_400,
            b'd' => 86_400,
            b'h' => 3_600,
            b'm' => 60,
            b's' => 1,
            _ => return None,
        };
        total = total.checked_add(number.checked_mul(unit)?)?;
        rest = &rest[digits + 1..];
    }
    Some(total)
}

/// Seconds since 1970 of a time as AWS writes it.
fn seconds(value: &Dynamic) -> Option<INT> {
    if let Ok(number) = value.as_int() {
        // 10^11 seconds are in the year 5138, 10^11 milliseconds in 1973.
        return Some(if number.abs() >= 100_000_000_000 { number.div_euclid(1000) } else { number });
    }
    #[expect(clippy::cast_possible_truncation, reason = "whole seconds are what is asked for; `as` saturates")]
    if let Ok(number) = value.as_float() {
        return number.is_finite().then_some(number.floor() as INT);
    }
    parse_time(&as_text(value)?).map(Timestamp::as_second)
}

/// A time as AWS writes it; without an offset it is UTC.
pub fn parse_time(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time);
    }
    let utc = |time: civil::DateTime| jiff::tz::TimeZone::UTC.to_timestamp(time).ok();
    if let Ok(time) = text.parse::<civil::DateTime>() {
        return utc(time);
    }
    for format in ["%b %d, %Y, %I:%M:%S %p", "%b %d, %Y %I:%M:%S %p", "%Y/%m/%d %H:%M:%S"] {
        if let Ok(time) = civil::DateTime::strptime(format, text) {
            return utc(time);
        }
    }
    None
}
