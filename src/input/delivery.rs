//! Reads what the path of a delivered log object says of it:
//! `AWSLogs/[<organisation>/]<account>/CloudTrail/<region>/<year>/<month>/<day>/`.
//!
//! Source: "Finding your CloudTrail log files" in the CloudTrail user guide. The folders are those of the day of
//! delivery, which may be later than the day of the event.

use std::path::Path;
use std::sync::Arc;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use super::Filter;
use crate::record::{Scope, is_account};

/// What a path says. What it does not say is unknown.
#[derive(Debug, Default)]
pub(super) struct Delivery {
    pub(super) scope: Scope,
    pub(super) day: Option<Date>,
    /// It is the path of a log object, down to the file.
    pub(super) is_object: bool,
}

impl Delivery {
    /// What the path says of a CloudTrail object; nothing for any other path.
    pub(super) fn of(path: &Path) -> Self {
        let parts: Vec<&str> = path.iter().map(|part| part.to_str().unwrap_or_default()).collect();
        let Some(at) = parts.iter().rposition(|part| *part == "AWSLogs") else { return Self::default() };
        let mut rest = &parts[at + 1..];
        if rest.first().is_some_and(|part| part.starts_with("o-")) {
            rest = &rest[1..];
        }
        let (Some(account), Some(&"CloudTrail")) = (rest.first(), rest.get(1)) else { return Self::default() };
        if !is_account(account) {
            return Self::default();
        }
        // The last part is the file itself.
        let region = rest.get(2).filter(|region| rest.len() > 3 && is_region(region));
        let scope = Scope { account: Some(Arc::from(*account)), region: region.map(|region| Arc::from(*region)) };
        let day = region.and_then(|_| day(rest));
        let is_object = day.is_some() && rest.len() == 7 && rest[6].ends_with(".json.gz");
        Self { scope, day, is_object }
    }

    /// Why no record of the object can be wanted, if that is so. An unknown part never excludes.
    pub(super) fn excluded_by(&self, filter: &Filter) -> bool {
        !filter.admits_scope(&self.scope) || self.day.is_some_and(|day| !may_hold(day, filter))
    }

    /// The end of the day of an object all of whose events are before what is wanted, if they are of an account and region
    /// that is: what was delivered happened before.
    pub(super) fn before(&self, filter: &Filter) -> Option<Timestamp> {
        let day = self.day.filter(|_| self.is_object && filter.admits_scope(&self.scope))?;
        let end = TimeZone::UTC.to_timestamp(day.at(23, 59, 59, 0)).ok()?;
        filter.since.is_some_and(|since| end < since).then_some(end)
    }
}

fn day(rest: &[&str]) -> Option<Date> {
    let [_, _, _, year, month, day, _, ..] = rest else { return None };
    Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()
}

/// Whether objects delivered on `day` may hold events of the time wanted, with a day's slack on either side.
fn may_hold(day: Date, filter: &Filter) -> bool {
    let midnight = |days: i64| -> Option<Timestamp> {
        let shifted = day.checked_add(Span::new().try_days(days).ok()?).ok()?;
        TimeZone::UTC.to_timestamp(shifted.at(0, 0, 0, 0)).ok()
    };
    let (Some(earliest), Some(latest)) = (midnight(-1), midnight(2)) else { return true };
    filter.since.is_none_or(|since| latest > since) && filter.until.is_none_or(|until| earliest < until)
}

/// Such as `us-east-1`, `us-gov-west-1`.
pub(super) fn is_region(text: &str) -> bool {
    text.len() <= 32
        && text.contains('-')
        && text.ends_with(|last: char| last.is_ascii_digit())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(path: &str) -> (String, Option<String>) {
        let delivery = Delivery::of(Path::new(path));
        (delivery.scope.to_string(), delivery.day.map(|day| day.to_string()))
    }

    #[test]
    fn reads_account_region_and_day() {
        let known = ("111122223333/eu-west-1".to_owned(), Some("2026-03-01".to_owned()));
        assert_eq!(of("b/AWSLogs/111122223333/CloudTrail/eu-west-1/2026/03/01/x.json.gz"), known);
        assert_eq!(of("AWSLogs/o-abc123/111122223333/CloudTrail/eu-west-1/2026/03/01/x.json.gz"), known);
        let unknown = ("unknown/unknown".to_owned(), None);
        assert_eq!(of("AWSLogs/111122223333/CloudTrail-Digest/eu-west-1/2026/03/01/x.json.gz"), unknown);
        assert_eq!(of("AWSLogs/elsewhere/CloudTrail/eu-west-1/2026/03/01/x.json.gz"), unknown);
        assert_eq!(of("eu-west-1/2026/03/01/x.json.gz"), unknown);
        assert_eq!(of("AWSLogs/111122223333/CloudTrail/eu-west-1/2026/13/01/x").1, None);
        assert_eq!(of("AWSLogs/111122223333/CloudTrail/x.json"), ("111122223333/unknown".to_owned(), None));
    }

    #[test]
    fn a_day_of_slack_on_either_side() {
        let excluded = |path: &str, since: Option<&str>, until: Option<&str>| {
            let time = |text: &str| text.parse().expect("a time");
            let filter = Filter { since: since.map(time), until: until.map(time), ..Filter::default() };
            Delivery::of(Path::new(path)).excluded_by(&filter)
        };
        let path = "AWSLogs/111122223333/CloudTrail/eu-west-1/2026/03/10/x.json.gz";
        assert!(!excluded(path, Some("2026-03-11T23:59:59Z"), None));
        assert!(excluded(path, Some("2026-03-12T00:00:00Z"), None));
        assert!(!excluded(path, None, Some("2026-03-09T00:00:01Z")));
        assert!(excluded(path, None, Some("2026-03-09T00:00:00Z")));
        assert!(!excluded("elsewhere/x.json.gz", Some("2030-01-01T00:00:00Z"), None));
    }
}
