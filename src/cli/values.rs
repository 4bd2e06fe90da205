//! What flags take: times, sizes, severities.

use std::num::NonZeroUsize;

use jiff::{SignedDuration, Timestamp};
use lawbook::error::Error;
use lawbook::finding::Severity;
use lawbook::policy::Said;
use lawbook::record::is_account;

/// The variable that says the time of the run.
const NOW: &str = "LAWBOOK_NOW";

/// A time: RFC 3339, a date (its midnight in UTC), or a duration before the time of the run such as `14d`.
pub(crate) fn time(text: &str) -> Result<Timestamp, String> {
    if let Some(time) = absolute(text) {
        return Ok(time);
    }
    match lawbook::script::parse_duration(text) {
        Some(seconds) => present().checked_sub(SignedDuration::from_secs(seconds)).map_err(|error| error.to_string()),
        None => Err("expected a time such as 2024-05-14T12:00:00Z, a date, or a duration ago such as 14d".to_owned()),
    }
}

/// A time that counts from nothing.
fn absolute(text: &str) -> Option<Timestamp> {
    let midnight = || jiff::tz::TimeZone::UTC.to_timestamp(text.parse::<jiff::civil::Date>().ok()?.at(0, 0, 0, 0)).ok();
    lawbook::script::parse_time(text).or_else(midnight)
}

/// The time of the run, from which durations are reckoned. Each flag is read by itself, so that `--now` is looked up among the
/// words of the command line; where that is itself a duration, or wrong, the clock counts.
fn present() -> Timestamp {
    // What is no text is no time either.
    let words: Vec<String> = std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
    let behind = words.iter().position(|word| word == "--now").and_then(|at| words.get(at + 1)).map(String::as_str);
    let named = behind.or_else(|| words.iter().find_map(|word| word.strip_prefix("--now=")));
    let variable = std::env::var(NOW).ok();
    named.or(variable.as_deref()).and_then(absolute).unwrap_or_else(Timestamp::now)
}

/// The time of the run: that of the flag, or of the environment; no file says it. `None` if nobody does.
pub(crate) fn now(flag: Option<Timestamp>) -> Result<Option<Timestamp>, Error> {
    let named = std::env::var(NOW).ok().filter(|text| flag.is_none() && !text.is_empty());
    let Some(text) = named else { return Ok(flag) };
    time(&text).map(Some).map_err(|reason| Said::by_env(NOW).wrong(reason))
}

/// A number of bytes with an optional `K`, `M`, `G` (powers of 1024).
pub(crate) fn size(text: &str) -> Result<u64, String> {
    let number = text.trim_end_matches(['K', 'M', 'G', 'k', 'm', 'g', 'i', 'B']);
    let factor = match text[number.len()..].trim_end_matches("iB").trim_end_matches('B').to_ascii_uppercase().as_str() {
        "" => 1,
        "K" => 1 << 10,
        "M" => 1 << 20,
        "G" => 1 << 30,
        _ => return Err("expected bytes such as 64M or 4G".to_owned()),
    };
    let size = number.parse::<u64>().ok().and_then(|number| number.checked_mul(factor)).filter(|size| *size > 0);
    size.ok_or_else(|| "expected bytes such as 64M or 4G".to_owned())
}

/// Threads that a run may be asked to start: more are a slip, and many systems refuse them.
const MOST_THREADS: usize = 1_024;

/// A number of threads.
pub(crate) fn threads(text: &str) -> Result<NonZeroUsize, String> {
    let number = text.parse::<NonZeroUsize>().ok().filter(|number| number.get() <= MOST_THREADS);
    number.ok_or_else(|| format!("expected a number from 1 to {MOST_THREADS}"))
}

/// The least severity that fails a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum FailOn {
    Info,
    Low,
    Medium,
    High,
    Critical,
    /// No finding fails the run.
    Never,
}

impl FailOn {
    pub(crate) fn severity(self) -> Option<Severity> {
        Some(match self {
            Self::Info => Severity::Info,
            Self::Low => Severity::Low,
            Self::Medium => Severity::Medium,
            Self::High => Severity::High,
            Self::Critical => Severity::Critical,
            Self::Never => return None,
        })
    }
}

impl FailOn {
    /// The severity of that word.
    pub(crate) fn of_word(text: &str) -> Result<Self, String> {
        <Self as clap::ValueEnum>::from_str(text, false)
            .map_err(|_| format!("`{text}` is none of info, low, medium, high, critical, never"))
    }

    /// Its word.
    pub(crate) fn word(self) -> &'static str {
        self.severity().map_or("never", Severity::word)
    }
}

/// A flag that may say that something is not so: `--strict`, `--strict=false`.
pub(crate) fn switch(text: &str) -> Result<bool, String> {
    text.parse().map_err(|_| "expected `true` or `false`".to_owned())
}

/// An AWS account: twelve digits.
pub(crate) fn account(text: &str) -> Result<String, String> {
    if is_account(text) {
        return Ok(text.to_owned());
    }
    Err("expected the twelve digits of an AWS account".to_owned())
}

/// An AWS region, by its form.
pub(crate) fn region(text: &str) -> Result<String, String> {
    let parts: Vec<&str> = text.split('-').collect();
    let word = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
    let number = parts.last().is_some_and(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
    if parts.len() >= 3 && number && parts[..parts.len() - 1].iter().all(word) {
        return Ok(text.to_owned());
    }
    Err("expected a region such as us-east-1".to_owned())
}
