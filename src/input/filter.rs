//! Says which records are wanted.

use jiff::Timestamp;

use super::event::Known;
use super::skim::{Field, Fields};
use crate::record::{Record, Scope};

/// Which records are wanted. What is not known of a record never excludes it.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// No record before it.
    pub since: Option<Timestamp>,
    /// No record at or after it.
    pub until: Option<Timestamp>,
    /// Of these accounts; of all when empty.
    pub accounts: Vec<String>,
    /// Of these regions; of all when empty.
    pub regions: Vec<String>,
}

impl Filter {
    /// Whether a record is wanted.
    pub fn admits(&self, record: &Record) -> bool {
        self.admits_time(record.time) && self.admits_scope(&record.scope)
    }

    fn admits_time(&self, time: Option<Timestamp>) -> bool {
        let within = |time| self.since.is_none_or(|since| since <= time) && self.until.is_none_or(|until| time < until);
        time.is_none_or(within)
    }

    /// Whether records of an account and region are wanted.
    pub fn admits_scope(&self, scope: &Scope) -> bool {
        self.admits_names(scope.account.as_deref(), scope.region.as_deref())
    }

    fn admits_names(&self, account: Option<&str>, region: Option<&str>) -> bool {
        let wanted = |list: &[String], name: Option<&str>| {
            list.is_empty() || name.is_none_or(|name| list.iter().any(|entry| entry == name))
        };
        wanted(&self.accounts, account) && wanted(&self.regions, region)
    }

    /// Whether it wants every record.
    pub fn is_open(&self) -> bool {
        self.since.is_none() && self.until.is_none() && self.accounts.is_empty() && self.regions.is_empty()
    }

    /// The fields that tell whether an event is wanted.
    pub const PATHS: [&'static [&'static str]; 4] =
        [&["eventTime"], &["recipientAccountId"], &["awsRegion"], &["userIdentity", "accountId"]];

    /// Whether an event of this time, account and region is wanted.
    pub fn admits_told(&self, told: &Told<'_>) -> bool {
        self.admits_time(told.time) && self.admits_place(told)
    }

    /// Whether events of this account and region are wanted, whatever the time.
    pub fn admits_place(&self, told: &Told<'_>) -> bool {
        self.admits_names(told.account, told.region)
    }
}

/// What an event says of when and whose it is.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    /// `eventTime`.
    pub time: Option<Timestamp>,
    /// Whose it is.
    pub account: Option<&'a str>,
    /// Where it is.
    pub region: Option<&'a str>,
}

impl<'a> Told<'a> {
    /// Of an event of which [`Filter::PATHS`] were read, to these places; `None` if it has to be parsed.
    pub fn of(fields: &Fields<'a>, places: &[Option<usize>; 4]) -> Option<Self> {
        let mut texts = [None; 4];
        for (text, place) in texts.iter_mut().zip(places) {
            match fields.get((*place)?) {
                Field::Text(found) => *text = Some(found),
                Field::Other => return None,
                Field::Absent | Field::Null | Field::Bool(_) | Field::Part(_) => {}
            }
        }
        let [time, account, region, caller_account] = texts;
        let known = Known::of(None, time, account, caller_account, region);
        let (account, region) = known.scope(fields.delivered());
        Some(Self { time: known.time, account, region })
    }
}
