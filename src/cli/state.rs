//! `lawbook state`: what first-seen policies remember.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};
use jiff::Timestamp;
use lawbook::diagnostic::did_you_mean;
use lawbook::engine::{Locked, Memory};
use lawbook::error::Error;

use super::Failure;
use super::values::time;

const EXAMPLES: &str = "Examples:
  lawbook scan logs --state seen.jsonl        remember what was seen, for the next run
  lawbook state show seen.jsonl               what is remembered, policy by policy
  lawbook state show seen.jsonl --groups      and group by group
  lawbook state prune seen.jsonl --before 90d";

/// Look into a state file of `scan --state`, or forget what is old
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show what is remembered
    Show {
        /// The state file
        file: PathBuf,
        /// Show every group, and when it was seen
        #[arg(long)]
        groups: bool,
        /// How to write it
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Forget what was before a time
    Prune {
        /// The state file
        file: PathBuf,
        /// A time, a date, or a duration ago such as 90d
        #[arg(long, value_name = "TIME", value_parser = time)]
        before: Timestamp,
        /// Of this policy alone
        #[arg(long, value_name = "ID")]
        policy: Option<String>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Lines for people
    Text,
    /// A list of objects
    Json,
}

pub(crate) fn run(args: &Args) -> Result<u8, Failure> {
    match &args.command {
        Command::Show { file, groups, format } => show(&open(file)?, *groups, *format),
        Command::Prune { file, before, policy } => {
            let mut locked = open(file)?;
            let Some(gone) = locked.state.prune(*before, policy.as_deref()) else {
                return Err(unknown(policy.as_deref().unwrap_or_default(), &locked).into());
            };
            locked.save()?;
            let what = if gone == 1 { "1 sighting was".to_owned() } else { format!("{gone} sightings were") };
            writeln!(super::stdout(), "{what} forgotten")?;
            Ok(0)
        }
    }
}

/// Opens a state file that is there.
fn open(file: &std::path::Path) -> Result<Locked, Error> {
    if !file.exists() {
        let error = Error::new("there is no such state file").about(file.display().to_string());
        return Err(error.try_to("`lawbook scan --state FILE` makes one"));
    }
    Locked::open(file)
}

/// The error for a policy of which nothing is remembered.
fn unknown(policy: &str, locked: &Locked) -> Error {
    let names = locked.state.memories().map(|(name, ..)| name);
    let ids = names.flat_map(|name| [name, name.rsplit('/').next().unwrap_or(name)]);
    let error = Error::new(format!("nothing is remembered of `{policy}`")).about("--policy");
    match did_you_mean(policy, ids) {
        Some(meant) => error.try_to(format!("did you mean `{meant}`?")),
        None => error.try_to("`lawbook state show FILE` lists the policies that remember"),
    }
}

fn show(locked: &Locked, groups: bool, format: Format) -> Result<u8, Failure> {
    let mut out = super::stdout();
    if format == Format::Json {
        let list: Vec<serde_json::Value> = locked
            .state
            .memories()
            .map(|(policy, as_written, memory)| whole(policy, as_written, memory, groups))
            .collect();
        writeln!(out, "{}", serde_json::to_string_pretty(&list).unwrap_or_default())?;
        return Ok(0);
    }
    let printable = |text: &str| lawbook::fault::printable(text, 300);
    for (policy, as_written, memory) in locked.state.memories() {
        writeln!(
            out,
            "{} as it was written when it was {}",
            printable(policy),
            &as_written[..as_written.len().min(12)]
        )?;
        writeln!(out, "  groups seen  {}", memory.seen.len())?;
        for (account, read) in &memory.read {
            let times: Vec<String> = read.iter().map(|(from, to)| format!("{from} to {to}")).collect();
            let account = account.as_deref().map_or_else(|| "unknown account".to_owned(), printable);
            writeln!(out, "  records of   {account}: {}", times.join(", "))?;
        }
        if groups {
            for (by, stretches) in &memory.seen {
                let times: Vec<String> = stretches.iter().map(|one| format!("{} to {}", one.from, one.to)).collect();
                writeln!(out, "  {}: {}", printable(by), times.join(", "))?;
            }
        }
    }
    Ok(0)
}

fn whole(policy: &str, as_written: &str, memory: &Memory, groups: bool) -> serde_json::Value {
    let read: Vec<serde_json::Value> =
        memory.read.iter().map(|(account, read)| serde_json::json!({ "account": account, "read": read })).collect();
    let mut whole = serde_json::json!({
        "policy": policy, "as_written": as_written, "within_seconds": memory.within, "groups": memory.seen.len(), "read": read,
    });
    if groups {
        let seen: BTreeMap<&String, _> = memory.seen.iter().collect();
        whole["seen"] = serde_json::json!(seen);
    }
    whole
}
