//! `lawbook summary`: counts the calls in logs.

use std::io::{BufWriter, Write};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Instant;

use clap::ValueEnum;
use jiff::Timestamp;
use lawbook::engine::{Request, scan};
use lawbook::error::Error;
use lawbook::input::{Filter, Settings};
use lawbook::policy::Checked;
use lawbook::report::{self, Look, SummaryFormat};

use super::Failure;
use super::log::Log;
use super::output::Output;
use super::progress::Bar;
use super::values::{account, region, size, time};

const EXAMPLES: &str = "Examples:
  lawbook summary ./cloudtrail                      who called what, from where, and what failed
  lawbook summary ./cloudtrail --since 1d --top 20
  aws cloudtrail lookup-events | lawbook summary -
  lawbook summary ./cloudtrail --format json --output summary.json

Exit codes: 0 all was counted, 2 something could not be read, or there was nothing to count.";

/// Count the calls in logs: by principal, event, error, address, user agent, account, region and hour
///
/// No policies are asked. Each record is counted once in every table, so that each adds up to the records that were read.
/// Sessions are counted under who began them, where the logs tell.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Files, folders, or - for standard input; inventory is skipped
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// Only events at or after this time: RFC 3339, a date, or a duration ago such as 14d
    #[arg(long, value_name = "TIME", value_parser = time, help_heading = "Input")]
    since: Option<Timestamp>,

    /// Only events before this time
    #[arg(long, value_name = "TIME", value_parser = time, help_heading = "Input")]
    until: Option<Timestamp>,

    /// Only records of this account, and those of unknown ones. Repeat for several
    #[arg(long, value_name = "ACCOUNT", value_parser = account, help_heading = "Input")]
    account: Vec<String>,

    /// Only records of this region, and those of unknown ones. Repeat for several
    #[arg(long, value_name = "REGION", value_parser = region, help_heading = "Input")]
    region: Vec<String>,

    /// Bytes that one compressed object may inflate to
    #[arg(long, value_name = "SIZE", value_parser = size, default_value = "4G", help_heading = "Input")]
    max_inflated: u64,

    /// Bytes of one record, or of one envelope that must be held whole
    #[arg(long, value_name = "SIZE", value_parser = size, default_value = "64M", help_heading = "Input")]
    max_record: u64,

    /// Threads that read; by default one a core
    #[arg(long, value_name = "N", help_heading = "Input")]
    threads: Option<NonZeroUsize>,

    /// Rows of a table, beside one for calls without a value and one for all other values
    #[arg(long, value_name = "N", default_value = "10", help_heading = "Report")]
    top: NonZeroUsize,

    /// How to write the report
    #[arg(long, value_enum, default_value_t = FormatArg::Text, help_heading = "Report")]
    format: FormatArg,

    /// Write the report to this file instead of standard output
    #[arg(long, short, value_name = "FILE", help_heading = "Report")]
    output: Option<PathBuf>,

    /// List the files that were skipped, too
    #[arg(long, short, help_heading = "Report")]
    verbose: bool,

    /// Counting nothing at all is no error
    #[arg(long, help_heading = "Exit code")]
    allow_empty: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FormatArg {
    /// Tables for people
    Text,
    /// One object (schemas/summary.schema.json)
    Json,
}

pub(crate) fn run(args: &Args, log: Log) -> Result<u8, Failure> {
    if let (Some(since), Some(until)) = (args.since, args.until)
        && since >= until
    {
        return Err(Error::new("`--since` is not before `--until`, so that no event could be counted").into());
    }
    let output = args.output.as_ref().map(|path| Output::create("--output", path)).transpose()?;
    if let Some(output) = &output {
        output.spare_inputs(&args.paths)?;
    }
    let (bar, started) = (Bar::new(log), Instant::now());
    let outcome = scan(&Checked::default(), &request(args), &bar);
    bar.finish();
    let outcome = outcome?;
    let format = match args.format {
        FormatArg::Text => SummaryFormat::Text,
        FormatArg::Json => SummaryFormat::Json,
    };
    let look = |colour| Look { colour, verbose: args.verbose, ..Look::default() };
    let is_read = output.is_none() && format == SummaryFormat::Text;
    if let Some(output) = output {
        output.write(|out| report::write_summary(format, &outcome, look(false), out))?;
    } else {
        let colour = is_read && super::colour_on_stdout();
        let mut out = BufWriter::new(super::stdout());
        let written = report::write_summary(format, &outcome, look(colour), &mut out).and_then(|()| out.flush());
        match written.map_err(Failure::from) {
            Ok(()) | Err(Failure::ReaderGone) => {}
            Err(failure) => return Err(failure),
        }
    }
    log.finished(&outcome, started.elapsed().as_secs_f64());
    if !is_read || log.is_json() {
        log.outcome(&outcome);
    }
    Ok(outcome.summary.exit.code)
}

fn request(args: &Args) -> Request {
    let mut request = Request::new(&args.paths);
    request.settings = Settings {
        max_inflated: args.max_inflated,
        max_record: usize::try_from(args.max_record).unwrap_or(usize::MAX),
        filter: Filter {
            since: args.since,
            until: args.until,
            accounts: args.account.clone(),
            regions: args.region.clone(),
        },
        ..Settings::default()
    };
    if let Some(threads) = args.threads {
        request.threads = threads.get();
    }
    request.tally = Some(args.top.get());
    request.logs_only = true;
    request.allow_empty = args.allow_empty;
    request
}
