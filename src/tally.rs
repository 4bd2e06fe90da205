//! Counts calls: by whom they were, what, from where, with what, when, and how many of them failed.
//!
//! A counter collects, one a thread, what [`Tally`] holds in the end.
//!
//! *Law*: every call is counted once in every section: the counts of its rows and of the others add up to the calls. What is
//! counted does not depend on the order of the calls, on the number of threads, or on how much fits into memory; the keys
//! are in the hands of attackers, so what does not fit is written to a file, and nothing is estimated.

mod counter;
mod keys;
mod people;
mod sums;

use jiff::Timestamp;
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};

pub(crate) use self::counter::{Counter, PATHS, Places};

/// What calls are counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// Who began the session, where other records tell; else who made the call.
    Principal,
    /// Who made the call, as its record says: of a session its role.
    Caller,
    /// `eventName`, and the service.
    Event,
    /// The error code without EC2's prefixes; of a sign-in that failed without one its answer.
    Error,
    /// `sourceIPAddress`: an address, or the name of a service.
    SourceIp,
    /// `userAgent`.
    UserAgent,
    /// Whose the record is.
    Account,
    /// Where it is.
    Region,
    /// The hour of `eventTime`, in UTC.
    Hour,
}

impl By {
    /// All of them, in the order of the sections.
    pub const ALL: [Self; 9] = [
        Self::Principal,
        Self::Caller,
        Self::Event,
        Self::Error,
        Self::SourceIp,
        Self::UserAgent,
        Self::Account,
        Self::Region,
        Self::Hour,
    ];

    /// What people call it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Principal => "principal, who began the session where that is known",
            Self::Caller => "caller, as the record says",
            Self::Event => "event",
            Self::Error => "error",
            Self::SourceIp => "source address",
            Self::UserAgent => "user agent",
            Self::Account => "account",
            Self::Region => "region",
            Self::Hour => "hour",
        }
    }
}

/// How many calls there were, how many of them failed, and when the first and the last one was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Count {
    /// All of them.
    pub calls: u64,
    /// Those that did not do what they say: with an error code (a dry run has one), or a sign-in that failed.
    pub failures: u64,
    /// The first `eventTime`; `None` if no call has one.
    pub first: Option<Timestamp>,
    /// The last one.
    pub last: Option<Timestamp>,
}

impl Count {
    /// Calls that did what they say.
    pub fn successes(&self) -> u64 {
        self.calls - self.failures
    }

    /// Adds other calls.
    fn add(&mut self, other: &Self) {
        self.calls += other.calls;
        self.failures += other.failures;
        self.first = [self.first, other.first].into_iter().flatten().min();
        self.last = [self.last, other.last].into_iter().flatten().max();
    }

    fn write<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        map.serialize_entry("count", &self.calls)?;
        map.serialize_entry("successes", &self.successes())?;
        map.serialize_entry("failures", &self.failures)?;
        map.serialize_entry("first", &self.first)?;
        map.serialize_entry("last", &self.last)
    }
}

impl Serialize for Count {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(5))?;
        self.write(&mut map)?;
        map.end()
    }
}

/// Calls that have one value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The value; `None` for the calls that have none.
    pub value: Option<String>,
    /// The type of a principal.
    pub kind: Option<String>,
    /// The account of a principal.
    pub account: Option<String>,
    /// The service of an event.
    pub source: Option<String>,
    /// The calls.
    pub count: Count,
}

impl Serialize for Row {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("value", &self.value)?;
        for (name, detail) in [("type", &self.kind), ("account", &self.account), ("source", &self.source)] {
            if let Some(detail) = detail {
                map.serialize_entry(name, detail)?;
            }
        }
        self.count.write(&mut map)?;
        map.end()
    }
}

/// The calls of the values that have no row of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Others {
    /// How many values there are.
    pub values: u64,
    /// The calls.
    pub count: Count,
}

impl Serialize for Others {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(6))?;
        map.serialize_entry("values", &self.values)?;
        self.count.write(&mut map)?;
        map.end()
    }
}

/// All calls, by one of the things that they can be told apart by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Section {
    /// By what.
    pub by: By,
    /// How many values there are in all.
    pub values: u64,
    /// The values of the most calls, the most first (hours in their order); then the calls that have no value, if there are
    /// any.
    pub rows: Vec<Row>,
    /// All other values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub others: Option<Others>,
}

/// Calls in numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// All of them.
    pub calls: Count,
    /// The most values of a section that have a row.
    pub top: usize,
    /// In the order of [`By::ALL`].
    pub sections: Vec<Section>,
}
