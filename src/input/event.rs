//! Knows a CloudTrail event, and what in the same files is none.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::envelope::Opener;
use super::skim::Fields;
use super::split::STREAMS;
use super::{notice, siem};
use crate::record::{Document, Kind, Node, Ref, Scope, is_account};

/// What a record says of itself.
pub(super) struct Known<'a> {
    pub(super) id: Option<&'a str>,
    pub(super) time: Option<Timestamp>,
    /// Whose trail it is in.
    pub(super) account: Option<&'a str>,
    /// Whose the caller is: the last resort.
    pub(super) caller_account: Option<&'a str>,
    pub(super) region: Option<&'a str>,
}

impl<'a> Known<'a> {
    /// From the texts of `eventID`, `eventTime`, `recipientAccountId`, `userIdentity.accountId` and `awsRegion`.
    pub(super) fn of(
        id: Option<&'a str>,
        written: Option<&str>,
        account: Option<&'a str>,
        caller_account: Option<&'a str>,
        region: Option<&'a str>,
    ) -> Self {
        Self {
            id,
            time: written.and_then(time),
            account: account.filter(|account| is_account(account)),
            caller_account: caller_account.filter(|account| is_account(account)),
            region: region.filter(|region| !region.is_empty()),
        }
    }

    /// Account and region, where the path of the log object is asked before the caller.
    pub(super) fn scope<'s>(&self, delivered: &'s Scope) -> (Option<&'s str>, Option<&'s str>)
    where
        'a: 's,
    {
        let account = self.account.or(delivered.account.as_deref()).or(self.caller_account);
        (account, self.region.or(delivered.region.as_deref()))
    }
}

/// Fields of which every record has one at least, beside its source and its name.
pub(super) const ALWAYS: [&str; 5] = ["eventVersion", "eventTime", "eventID", "userIdentity", "awsRegion"];

/// Whether a map is a CloudTrail event: S3, SQS and Kinesis notifications have the same keys, and sources `aws:…`.
pub(super) fn is_event(view: Ref<'_>) -> bool {
    let Some(source) = view.text(&["eventSource"]) else { return false };
    view.text(&["eventName"]).is_some()
        && !source.starts_with("aws:")
        && ALWAYS.iter().any(|key| view.get(key).is_some())
        && !is_insight(view)
        && view.path(&["s3", "s3SchemaVersion"]).is_none()
}

/// The fields by which [`is_surely_event`] tells, in this order.
pub(super) const MARKS: [&[&str]; 8] = [
    &["eventSource"],
    &["eventName"],
    &["eventVersion"],
    &["eventType"],
    &["insightDetails"],
    &["s3"],
    // What pipelines add, and take with them of the record.
    &["@timestamp"],
    &["p_log_type"],
];

/// Whether a record of which only the fields of [`MARKS`] are known is taken for an event, as it stands, by [`take`].
/// It may be one in any case.
pub(super) fn is_surely_event(fields: &Fields<'_>) -> bool {
    let mark = |place: usize| fields.raw(STREAMS.len() + place);
    let [source, name, version, kind] = [0, 1, 2, 3].map(mark);
    source.first() == Some(&b'"')
        && !source.starts_with(b"\"aws:")
        && name.first() == Some(&b'"')
        && !version.is_empty()
        && !kind.starts_with(b"\"AwsCloudTrailInsight\"")
        && (4..MARKS.len()).all(|place| mark(place).is_empty())
}

fn is_insight(view: Ref<'_>) -> bool {
    view.get("insightDetails").is_some_and(|details| !details.is_null())
        || view.text(&["eventType"]) == Some("AwsCloudTrailInsight")
}

/// A CloudTrail event.
pub(super) fn take(opener: &mut Opener<'_>, node: &Node, _: u32) -> bool {
    if !is_event(node.view()) {
        return false;
    }
    let restored = restore(node.view());
    let node = restored.as_ref().unwrap_or(node);
    let view = node.view();
    let known = Known::of(
        view.text(&["eventID"]),
        view.text(&["eventTime"]),
        view.text(&["recipientAccountId"]),
        view.text(&["userIdentity", "accountId"]),
        view.text(&["awsRegion"]),
    );
    opener.event(node.clone(), known);
    true
}

/// The record as CloudTrail wrote it, where a pipeline added to it: Logstash moves `eventTime` to `@timestamp`, Panther
/// adds `p_…` fields.
fn restore(view: Ref<'_>) -> Option<Node> {
    let moved = if view.get("eventTime").is_none() { view.text(&["@timestamp"]) } else { None };
    let panther = view.get("p_log_type").is_some();
    if moved.is_none() && !panther {
        return None;
    }
    let mut record = view.to_json();
    let members = record.as_object_mut()?;
    if let Some(moved) = moved {
        members.remove("@timestamp");
        members.remove("@version");
        let written = time(moved).map_or_else(|| moved.to_owned(), |time| time.to_string());
        members.insert("eventTime".to_owned(), Value::from(written));
    }
    if panther {
        members.retain(|key, _| !key.starts_with("p_"));
    }
    Some(Document::from(&record).into())
}

/// RFC 3339, or date and time without an offset, or in UTC, as query engines print them.
fn time(text: &str) -> Option<Timestamp> {
    usual_time(text.as_bytes()).or_else(|| text.parse().ok()).or_else(|| {
        let text = text.trim();
        let text = text.strip_suffix("UTC").unwrap_or(text).trim_end();
        let civil = || -> Option<DateTime> { text.get(..19).filter(|head| head.contains(':')).and(text.parse().ok()) };
        text.parse().ok().or_else(|| TimeZone::UTC.to_timestamp(civil()?).ok())
    })
}

/// `2024-05-14T12:00:00Z`, as CloudTrail writes it in all records: many times as fast as what reads every spelling.
fn usual_time(text: &[u8]) -> Option<Timestamp> {
    let text: &[u8; 20] = text.try_into().ok()?;
    let number = |at: usize, digits: usize| {
        text[at..at + digits]
            .iter()
            .try_fold(0_i64, |number, digit| digit.is_ascii_digit().then(|| number * 10 + i64::from(digit - b'0')))
    };
    let is_spelled = [4, 7, 10, 13, 16, 19].map(|at| text[at]) == *b"--T::Z";
    let [year, month, day] = [number(0, 4)?, number(5, 2)?, number(8, 2)?];
    let [hour, minute, second] = [number(11, 2)?, number(14, 2)?, number(17, 2)?];
    // What is rare (the last days of months, leap seconds) and what is wrong is left to others.
    let is_usual = is_spelled && (1..=12).contains(&month) && (1..=28).contains(&day);
    if !is_usual || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    // Days since 1970 in the Gregorian calendar, of years that begin in March.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days =
        365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + (153 * month + 2) / 5 + day
            - 719_469;
    Timestamp::from_second(((days * 24 + hour) * 60 + minute) * 60 + second).ok()
}

/// What CloudTrail writes beside events: digests and Insights.
pub(super) fn take_unjudged(opener: &mut Opener<'_>, node: &Node, _: u32) -> bool {
    let view = node.view();
    if is_insight(view) {
        opener.recognised("a CloudTrail Insights event");
    } else if view.get("digestStartTime").is_some() || view.get("digestS3Object").is_some() {
        opener.recognised("a CloudTrail digest");
    } else {
        return false;
    }
    true
}

/// An EventBridge event: `detail` is the record if it came through CloudTrail.
pub(super) fn take_eventbridge(opener: &mut Opener<'_>, node: &Node, depth: u32) -> bool {
    let view = node.view();
    let (Some(what), Some(detail)) = (view.get("detail-type"), view.get("detail")) else { return false };
    let through = what.as_str().is_some_and(|what| what.ends_with(" via CloudTrail"));
    if through || may_hold_event(detail) {
        opener.value(&node.share(detail), depth + 1);
    } else {
        opener.recognised("an EventBridge event that is not from CloudTrail");
    }
    true
}

/// Whether what somebody's own event carries may be a record, or hold some.
fn may_hold_event(detail: Ref<'_>) -> bool {
    match detail.kind() {
        Kind::Map => is_event(detail) || siem::carries(detail) || notice::lists(detail).any(holds_event),
        Kind::List => holds_event(detail),
        Kind::Text => detail.as_str().is_some_and(says_event),
        _ => false,
    }
}

fn holds_event(list: Ref<'_>) -> bool {
    list.items().any(is_event)
}

/// Whether text speaks of an event.
fn says_event(text: &str) -> bool {
    text.contains("eventName") && text.contains("eventSource")
}

/// Whether text looks like a whole record.
pub(super) fn is_whole(text: &str) -> bool {
    text.trim_start().starts_with('{') && text.contains("eventVersion") && says_event(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_times_are_read_as_all_others_are() {
        let days = ["00", "01", "09", "28", "29", "31"];
        let clocks = ["00:00:00", "23:59:59", "24:00:00", "12:60:00", "12:00:60", "1a:00:00", "12:00-00"];
        let mut usual = 0;
        for year in ["0000", "0001", "1600", "1900", "1969", "1970", "2000", "2024", "2100", "9999", "20x4"] {
            for month in 0..=13 {
                for (day, clock) in days.iter().flat_map(|day| clocks.map(|clock| (day, clock))) {
                    let text = format!("{year}-{month:02}-{day}T{clock}Z");
                    if let Some(time) = usual_time(text.as_bytes()) {
                        usual += 1;
                        assert_eq!(Some(time), text.parse().ok(), "{text}");
                    }
                }
            }
        }
        assert_eq!(usual, 10 * 12 * 3 * 2);
    }

    #[test]
    fn reads_times() {
        let at = |text: &str| time(text).map(|time| time.to_string());
        assert_eq!(at("2026-03-01T10:00:00Z").as_deref(), Some("2026-03-01T10:00:00Z"));
        assert_eq!(at("2026-03-01T12:00:00.25+02:00").as_deref(), Some("2026-03-01T10:00:00.25Z"));
        assert_eq!(at("2026-03-01 10:00:00.000").as_deref(), Some("2026-03-01T10:00:00Z"));
        assert_eq!(at("2026-03-01 10:00:00.000000000").as_deref(), Some("2026-03-01T10:00:00Z"));
        assert_eq!(at("2026-03-01 10:00:00.000 UTC").as_deref(), Some("2026-03-01T10:00:00Z"));
        assert_eq!(at(" 2026-03-01T10:00:00Z ").as_deref(), Some("2026-03-01T10:00:00Z"));
        assert_eq!([at("2026-03-01"), at("yesterday"), at(""), at("é".repeat(19).as_str())], [None, None, None, None]);
    }
}
