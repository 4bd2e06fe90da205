//! `lawbook test`: runs the cases beside policies, and compares their snapshots.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::ValueEnum;
use lawbook::cases::report::{self, Look};
use lawbook::cases::{self, Options, Pattern, Report, Stop, Suite};
use lawbook::error::Error;
use lawbook::script::Limits;

use super::{Failure, watch};

/// Run the cases beside policies, and compare their snapshots
///
/// For `x.rhai` the cases are in `x.cases.yaml` and the accepted findings in `x.snap`. What differs from a snapshot fails
/// and is kept in `x.snap.new` for `lawbook review`; with `--ci`, or where the variable `CI` says so, nothing is written.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  lawbook test                                  this folder\n  lawbook test my-pack --run 'key-pair*'        cases by `policy/name`\n  lawbook test my-pack --failed -v              those that failed last, with times\n  lawbook test my-pack --ci --format junit --output cases.xml"
)]
pub(crate) struct Args {
    /// Packs, folders in them, or policies; without any, the current folder
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// Only cases whose `policy/name` is this, contains it, or fits it as a glob
    #[arg(long, value_name = "PATTERN")]
    run: Option<String>,

    /// Only the cases that failed last time
    #[arg(long)]
    failed: bool,

    /// Run again whenever a file of the packs changes
    #[arg(long, conflicts_with = "output")]
    watch: bool,

    /// Write no pending snapshots
    #[arg(long)]
    ci: bool,

    /// Having no policy or no case does not fail the run
    #[arg(long)]
    allow_empty: bool,

    /// Operations that each case may use, unless the case says otherwise
    #[arg(long, value_name = "NUMBER")]
    max_operations: Option<u64>,

    /// How to write the report
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,

    /// Write the report to a file
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Every case, with its time, its operations and what it printed
    #[arg(short, long)]
    verbose: bool,

    /// Threads to judge with
    #[arg(long, value_name = "NUMBER")]
    threads: Option<NonZeroUsize>,
}

/// How to write the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// One JSON object
    Json,
    /// JUnit's XML: one test case a case
    Junit,
    /// Annotations of GitHub Actions
    Github,
}

impl From<Format> for report::Format {
    fn from(format: Format) -> Self {
        match format {
            Format::Text => Self::Text,
            Format::Json => Self::Json,
            Format::Junit => Self::Junit,
            Format::Github => Self::Github,
        }
    }
}

impl From<Stop> for Failure {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Error(error) => Self::Error(error),
            Stop::Diagnostics(mistakes) => Self::Diagnostics(mistakes),
        }
    }
}

pub(crate) fn run(args: &Args) -> Result<u8, Failure> {
    let paths = if args.paths.is_empty() { vec![PathBuf::from(".")] } else { args.paths.clone() };
    if args.watch {
        return watch::again_and_again(&paths, &mut || once(args, &paths));
    }
    once(args, &paths)
}

fn once(args: &Args, paths: &[PathBuf]) -> Result<u8, Failure> {
    let limits = Limits::default();
    let suite = match Suite::open(paths, &limits) {
        // A folder without any policy.
        Err(Stop::Error(error)) if args.allow_empty && error.reason.starts_with("holds no policy") => Suite::default(),
        opened => opened?,
    };
    let options = options(args, paths, limits)?;
    let outcome = cases::run(&suite, &options)?;
    if options.writes {
        remember(paths, &outcome);
    }
    tell(args, &outcome)?;
    Ok(outcome.exit(args.allow_empty).0)
}

fn options(args: &Args, paths: &[PathBuf], limits: Limits) -> Result<Options, Error> {
    let mut options = Options { limits, ..Options::default() };
    if let Some(threads) = args.threads {
        options.threads = threads.get();
    }
    options.only = args.run.as_deref().map(Pattern::new).transpose()?;
    options.writes = !is_ci(args.ci);
    options.max_operations = args.max_operations;
    options.traces_all = args.verbose;
    if args.failed {
        options.among = cases::last_failed(paths).filter(|failed| !failed.is_empty());
        if options.among.is_none() {
            let _ = writeln!(std::io::stderr(), "nothing failed last time: all cases are run");
        }
    }
    Ok(options)
}

/// Whether nothing may be written.
fn is_ci(flag: bool) -> bool {
    flag || std::env::var("CI").is_ok_and(|value| !matches!(value.as_str(), "" | "0" | "false"))
}

/// Keeps which cases failed; of those that were not run what was known of them.
fn remember(paths: &[PathBuf], outcome: &Report) {
    let ran: BTreeSet<String> = outcome
        .policies
        .iter()
        .flat_map(|policy| policy.cases.iter().map(move |(case, _)| format!("{}/{}", policy.id, case.name)))
        .collect();
    let mut failed = cases::last_failed(paths).unwrap_or_default();
    failed.retain(|name| !ran.contains(name));
    failed.extend(outcome.failed());
    if let Err(error) = cases::remember(paths, &failed) {
        let _ = writeln!(std::io::stderr(), "note: `--failed` will not know of this run: {error}");
    }
}

fn tell(args: &Args, outcome: &Report) -> Result<(), Failure> {
    let look = |colour| Look { colour, verbose: args.verbose, allow_empty: args.allow_empty };
    let format = args.format.into();
    let Some(output) = &args.output else {
        let colour = args.format == Format::Text && super::colour_on_stdout();
        let mut out = BufWriter::new(super::stdout());
        report::write(format, outcome, look(colour), &mut out).and_then(|()| out.flush())?;
        return Ok(());
    };
    let failed =
        |error: std::io::Error| Error::new(format!("cannot be written: {error}")).about(output.display().to_string());
    let mut out = BufWriter::new(File::create(output).map_err(failed)?);
    report::write(format, outcome, look(false), &mut out).and_then(|()| out.flush()).map_err(failed)?;
    let (code, reasons) = outcome.exit(args.allow_empty);
    if code != 0 {
        let _ = writeln!(std::io::stderr(), "exit {code}: {}", reasons.join("; "));
    }
    Ok(())
}
