//! `lawbook summary`: counts the calls in logs.

use std::io::{BufWriter, Write};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Instant;

use clap::ValueEnum;
use lawbook::engine::{Request, scan};
use lawbook::error::Error;
use lawbook::input::Filter;
use lawbook::policy::Checked;
use lawbook::report::{self, Look, SummaryFormat};

use super::Failure;
use super::events::EventArgs;
use super::log::Log;
use super::output::{self, Output};
use super::progress::Bar;
use super::redact::RedactArgs;

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

    #[command(flatten)]
    events: EventArgs,

    /// Rows of a table, beside one for calls without a value and one for all other values
    #[arg(long, value_name = "N", default_value = "10", help_heading = "Report")]
    top: NonZeroUsize,

    /// How to write the report
    #[arg(long, value_enum, default_value_t = FormatArg::Text, help_heading = "Report")]
    format: FormatArg,

    /// Write the report to this file instead of standard output, which is `-`
    #[arg(long, short, value_name = "FILE", help_heading = "Report")]
    output: Option<PathBuf>,

    #[command(flatten)]
    redact: RedactArgs,

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
    if let (Some(since), Some(until)) = (args.events.since, args.events.until)
        && since >= until
    {
        return Err(Error::new("`--since` is not before `--until`, so that no event could be counted").into());
    }
    let redact = args.redact.redaction()?;
    let output = output::file(args.output.as_ref()).map(|path| Output::create("--output", path)).transpose()?;
    if let Some(output) = &output {
        output.spare_inputs(&args.paths)?;
        output.spare(args.redact.key())?;
        output.spare_kept()?;
    }
    let (bar, started) = (Bar::new(log), Instant::now());
    let packs = Checked::default();
    let outcome = scan(&packs, &request(args), &bar);
    bar.finish();
    let outcome = redact(outcome?, &packs);
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
    let EventArgs { since, until, account, region, max_inflated, max_record, threads } = &args.events;
    let mut request = Request::new(&args.paths);
    let settings = &mut request.settings;
    settings.filter = Filter { since: *since, until: *until, accounts: account.clone(), regions: region.clone() };
    if let Some(size) = max_inflated {
        settings.max_inflated = *size;
    }
    if let Some(size) = max_record {
        settings.max_record = usize::try_from(*size).unwrap_or(usize::MAX);
    }
    if let Some(threads) = threads {
        request.threads = threads.get();
    }
    request.tally = Some(args.top.get());
    request.logs_only = true;
    request.allow_empty = args.allow_empty;
    request
}
