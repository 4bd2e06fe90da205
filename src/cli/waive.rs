//! `lawbook waive`: excuses a finding until a day.

use std::io::Write;
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use lawbook::error::Error;
use lawbook::triage::Waivers;

use super::Failure;
use super::layers::{ConfigArgs, Layers};
use super::output::Output;

const EXAMPLES: &str = "Examples:
  lawbook waive 24ddb4a41a798b39311945453c7803c8 --owner alice --reason 'moves to another account' --expires 2025-12-31
  lawbook waive 24ddb4a41a798b39311945453c7803c8 --owner alice --reason 'is being replaced' --expires 30d --ticket OPS-12
  lawbook scan ./logs --waivers waivers.yaml

What else a waiver can be for (resources, accounts, actors, tags, a JSONPath) is written by hand: docs/triage.md.";

/// Excuse a finding until a day
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The finding, as reports have it: `known as`, `fingerprint`
    fingerprint: String,

    /// Who answers for it
    #[arg(long)]
    owner: String,

    /// Why
    #[arg(long)]
    reason: String,

    /// The last day on which it holds, in UTC, or for how long from now, such as 30d
    #[arg(long, value_name = "DAY", value_parser = day)]
    expires: Date,

    /// Where it was decided
    #[arg(long)]
    ticket: Option<String>,

    /// The file of waivers; without it that of the configuration, or `waivers.yaml`
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,

    #[command(flatten)]
    config: ConfigArgs,
}

/// A day, or a duration from now.
fn day(text: &str) -> Result<Date, String> {
    if let Ok(day) = text.parse::<Date>() {
        return Ok(day);
    }
    let seconds =
        lawbook::script::parse_duration(text).ok_or("expected a day such as 2025-12-31, or a duration such as 30d")?;
    let end = Timestamp::now().checked_add(SignedDuration::from_secs(seconds)).map_err(|error| error.to_string())?;
    Ok(TimeZone::UTC.to_datetime(end).date())
}

pub(crate) fn run(args: &Args) -> Result<u8, Failure> {
    let is_fingerprint = args.fingerprint.len() == 32 && args.fingerprint.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_fingerprint {
        let error = Error::new("is no fingerprint: 32 hexadecimal digits").about(&args.fingerprint);
        return Err(error.try_to("copy it from `known as` of a report").into());
    }
    let fingerprint = args.fingerprint.to_lowercase();
    let configured = Layers::read(&args.config)?.file("waivers", args.file.as_ref());
    let file = configured.map_or_else(|| PathBuf::from("waivers.yaml"), |file| file.value);
    let before = match std::fs::read_to_string(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(trouble(&file, &format!("cannot be read: {error}")).into()),
    };
    let known = Waivers::parse(&file.display().to_string(), &before)?;
    if let Some(same) = known.waivers.iter().find(|waiver| waiver.fingerprint.as_ref() == Some(&fingerprint)) {
        let error = trouble(&file, "has a waiver for this finding").at(same.line, 1);
        return Err(error.try_to("change its `expires`").into());
    }
    let entry = entry(args, &fingerprint);
    let after = appended(&before, &entry);
    // What was there stays as it was written, so the new text must be what it seems.
    let counts = Waivers::parse("", &after).is_ok_and(|read| read.waivers.len() == known.waivers.len() + 1);
    if !counts {
        let error = trouble(&file, "is not a list to which something can be added");
        return Err(error.try_to(format!("add it by hand:\n{entry}")).into());
    }
    Output::create("", &file)?.write(|out| out.write_all(after.as_bytes()))?;
    writeln!(super::stdout(), "{fingerprint} is waived until {} in {}", args.expires, file.display())?;
    Ok(0)
}

fn trouble(file: &Path, reason: &str) -> Error {
    Error::new(reason).about(file.display().to_string())
}

/// The lines of a waiver, without an indent.
fn entry(args: &Args, fingerprint: &str) -> String {
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let mut lines = format!(
        "- fingerprint: \"{fingerprint}\"\n  owner: {}\n  reason: {}\n  expires: {}\n",
        quoted(&args.owner),
        quoted(&args.reason),
        args.expires
    );
    if let Some(ticket) = &args.ticket {
        lines.push_str(&format!("  ticket: {}\n", quoted(ticket)));
    }
    lines
}

/// The text of a file with an entry at its end, indented as the others are.
fn appended(before: &str, entry: &str) -> String {
    let indent = before
        .lines()
        .find(|line| line.trim_start().starts_with("- "))
        .map_or(2, |line| line.len() - line.trim_start().len());
    let mut text = before.trim_end_matches("waivers: []\n").to_owned();
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    if !text.lines().any(|line| line.trim_end() == "waivers:") {
        text.push_str("waivers:\n");
    }
    for line in entry.lines() {
        text.push_str(&format!("{}{line}\n", " ".repeat(indent)));
    }
    text
}
