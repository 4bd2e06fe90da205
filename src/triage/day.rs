//! Days on which waivers end.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// The day that a text is, such as `2025-12-31`, and nothing else: who reads a time or a zone into it may read another day.
pub fn day(text: &str) -> Option<Date> {
    let is_day = text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    text.parse().ok().filter(|_| is_day)
}

/// Whether a day is over, in UTC.
pub fn is_over(day: Date, now: Timestamp) -> bool {
    let end = day.tomorrow().ok().and_then(|next| TimeZone::UTC.to_timestamp(next.at(0, 0, 0, 0)).ok());
    end.is_some_and(|end| now >= end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_a_day_and_nothing_else() {
        assert_eq!(day("2025-06-02").map(|day| day.to_string()).as_deref(), Some("2025-06-02"));
        for text in [
            "2025-06-02T01:00:00+09:00",
            "2025-06-02T00:00",
            "2025-06-02[UTC]",
            "20250602",
            "2025-153",
            "2025-W23-1",
            "2025-6-2",
            "+002025-06-02",
            " 2025-06-02",
            "2025-06-31",
            "٢٠٢٥-06-02",
            "30d",
            "",
        ] {
            assert_eq!(day(text), None, "{text}");
        }
    }

    #[test]
    fn a_day_is_over_with_its_last_moment() {
        let of = |text: &str| text.parse::<Timestamp>().unwrap();
        let day = day("2025-06-02").unwrap();
        assert!(!is_over(day, of("2025-06-01T00:00:00Z")));
        assert!(!is_over(day, of("2025-06-02T23:59:59.999999999Z")));
        assert!(is_over(day, of("2025-06-03T00:00:00Z")));
        assert!(!is_over(Date::MAX, Timestamp::MAX));
    }
}
