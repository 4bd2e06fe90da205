//! `lawbook test`: runs the cases beside policies, and compares their snapshots.

use std::collections::BTreeSet;
use std::io::{BufWriter, Write};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;
use lawbook::cases::report::{self, ImpactFormat, Look, Measures};
use lawbook::cases::{self, Coverage, Mutation, Options, Pattern, Report, SnapshotState, Stop, Suite};
use lawbook::engine::Request;
use lawbook::error::Error;
use lawbook::fault::printable;
use lawbook::policy::Overrides;
use lawbook::script::Limits;
use serde_json::json;

use super::layers::{ConfigArgs, Layers};
use super::log::{Entry, Level, Log};
use super::output::{self, Output};
use super::packs::{ShapesArgs, locking, verify};
use super::progress::Bar;
use super::values::threads;
use super::{Failure, watch};

/// Run the cases beside policies, and compare their snapshots
///
/// For `x.rhai` the cases are in `x.cases.yaml` and the accepted findings in `x.snap`. What differs from a snapshot fails
/// and is kept in `x.snap.new` for `lawbook review`; with `--ci`, or where the variable `CI` says so, nothing is written.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  lawbook test                                  this folder\n  lawbook test my-pack --run 'key-pair*'        cases by `policy/name`\n  lawbook test my-pack --failed -v              those that failed last, with times\n  lawbook test my-pack --ci --format junit --output cases.xml\n  lawbook test my-pack --impact ./logs --against main    what a change finds more and less"
)]
pub(crate) struct Args {
    /// Packs, folders in them, or policies; without any, the current folder
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// Only cases whose `policy/name` is this, contains it, or fits it as a glob
    #[arg(long, value_name = "PATTERN")]
    run: Option<String>,

    /// Only the cases that failed last time, or whose findings were not as accepted
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

    #[command(flatten)]
    config: ConfigArgs,

    #[command(flatten)]
    shapes: ShapesArgs,

    /// Threads to judge with
    #[arg(long, value_name = "NUMBER", value_parser = threads)]
    threads: Option<NonZeroUsize>,

    /// Tell which lines cases go through, and which conditions were true and false
    #[arg(long, value_enum, value_name = "FORMAT", num_args = 0..=1, require_equals = true, default_missing_value = "text", help_heading = "Measuring")]
    coverage: Option<CoverageFormat>,

    /// Write the coverage to a file
    #[arg(long, value_name = "FILE", requires = "coverage", help_heading = "Measuring")]
    coverage_output: Option<PathBuf>,

    /// Change the policies, one change at a time, and tell which changes no case notices
    #[arg(long, help_heading = "Measuring")]
    mutate: bool,

    /// The least per cent of lines and conditions, and of changes that are noticed
    #[arg(long, value_name = "PERCENT", value_parser = percent, help_heading = "Measuring")]
    min: Option<f64>,

    /// Instead of running cases, tell what a change of the policies adds and removes as findings over these records.
    /// Repeat for several
    #[arg(long, value_name = "PATH", requires = "against", conflicts_with_all = ["run", "failed", "watch", "coverage", "mutate", "min", "max_operations"], help_heading = "Comparing")]
    impact: Vec<PathBuf>,

    /// The policies as they were: a folder, or a revision of their git repository such as `main`
    #[arg(long, value_name = "REV_OR_DIR", requires = "impact", help_heading = "Comparing")]
    against: Option<String>,

    /// Time for trying changes, such as 30s; what is left is told
    #[arg(long, value_name = "DURATION", value_parser = duration, requires = "mutate", help_heading = "Measuring")]
    budget: Option<Duration>,
}

impl Args {
    /// The file of the report, if it does not go to standard output.
    fn output(&self) -> Option<&PathBuf> {
        output::file(self.output.as_ref())
    }

    /// The file of the coverage, if it does not go to standard output.
    fn coverage_output(&self) -> Option<&PathBuf> {
        output::file(self.coverage_output.as_ref())
    }
}

/// How to write what cases go through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum CoverageFormat {
    /// For people
    Text,
    /// One JSON object
    Json,
    /// A tracefile of lcov
    Lcov,
    /// One page
    Html,
}

impl From<CoverageFormat> for report::CoverageFormat {
    fn from(format: CoverageFormat) -> Self {
        match format {
            CoverageFormat::Text => Self::Text,
            CoverageFormat::Json => Self::Json,
            CoverageFormat::Lcov => Self::Lcov,
            CoverageFormat::Html => Self::Html,
        }
    }
}

fn percent(text: &str) -> Result<f64, String> {
    let number = text.trim_end_matches('%').trim().parse().ok().filter(|number| (0.0..=100.0).contains(number));
    number.ok_or_else(|| "expected a number from 0 to 100".to_owned())
}

fn duration(text: &str) -> Result<Duration, String> {
    let seconds = lawbook::script::parse_duration(text).and_then(|seconds| u64::try_from(seconds).ok());
    seconds.map(Duration::from_secs).ok_or_else(|| "expected a duration such as 30s or 5m".to_owned())
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
    /// For a comment on a pull request: with --impact
    Markdown,
}

/// A format that a report does not have.
fn no_such(format: Format, known: &str) -> Error {
    let name = format.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned());
    Error::new(format!("has no report in the format `{name}`")).try_to(format!("`--format {known}`"))
}

impl Format {
    fn of_cases(self) -> Result<report::Format, Error> {
        Ok(match self {
            Self::Text => report::Format::Text,
            Self::Json => report::Format::Json,
            Self::Junit => report::Format::Junit,
            Self::Github => report::Format::Github,
            Self::Markdown => return Err(no_such(self, "github").about("running cases")),
        })
    }

    fn of_impact(self) -> Result<ImpactFormat, Error> {
        Ok(match self {
            Self::Text => ImpactFormat::Text,
            Self::Json => ImpactFormat::Json,
            Self::Markdown => ImpactFormat::Markdown,
            Self::Junit | Self::Github => return Err(no_such(self, "markdown").about("--impact")),
        })
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

pub(crate) fn run(args: &Args, log: Log) -> Result<u8, Failure> {
    let paths = if args.paths.is_empty() { vec![PathBuf::from(".")] } else { args.paths.clone() };
    if let Some(against) = &args.against {
        return impact(args, &paths, against, log);
    }
    args.format.of_cases()?;
    let takes_stdout =
        args.coverage.is_some_and(|format| format != CoverageFormat::Text) && args.coverage_output().is_none();
    // Only one of two reports for programs could go there.
    if takes_stdout && args.format != Format::Text && args.output().is_none() {
        let error = Error::new("would take the place of what `--format` writes").about("--coverage");
        return Err(error.try_to("`--coverage-output FILE`").into());
    }
    if args.min.is_some() && args.coverage.is_none() && !args.mutate {
        return Err(Error::new("measures nothing by itself")
            .about("--min")
            .try_to("`--coverage`, or `--mutate`")
            .into());
    }
    if args.watch {
        return watch::again_and_again(&paths, log, &mut || once(args, &paths, log));
    }
    once(args, &paths, log)
}

/// Says what is no more than worth knowing.
fn note(log: Log, message: &str) {
    let entry = Entry { level: Level::Warn, event: "note", message, fields: json!({}) };
    log.tell(&format!("note: {message}\n"), entry);
}

fn overrides(args: &Args, layers: &Layers) -> Result<Overrides, Failure> {
    let mut overrides = Overrides::default();
    args.shapes.set(layers, &mut overrides)?;
    Ok(overrides)
}

/// Tells what a change of the policies does.
fn impact(args: &Args, paths: &[PathBuf], against: &str, log: Log) -> Result<u8, Failure> {
    let format = args.format.of_impact()?;
    let output = Outputs::of(args, paths)?.report;
    let mut request = Request::new(&args.impact);
    request.allow_empty = args.allow_empty;
    if let Some(threads) = args.threads {
        request.threads = threads.get();
    }
    let bar = Bar::new(log);
    let impact = cases::impact(paths, against, &overrides(args, &Layers::read(&args.config)?)?, &request, &bar);
    bar.finish();
    let impact = impact?;
    let colour = format == ImpactFormat::Text && args.output().is_none() && super::colour_on_stdout();
    to(output, &mut |out| report::write_impact(format, &impact, colour, out))?;
    let (code, reasons) = impact.exit();
    if code != 0 {
        log.exit(code, &reasons, &format!("Exit {code}: {}.\n", reasons.join("; ")));
    }
    Ok(code)
}

fn once(args: &Args, paths: &[PathBuf], log: Log) -> Result<u8, Failure> {
    let outputs = Outputs::of(args, paths)?;
    let limits = Limits::default();
    let layers = Layers::read(&args.config)?;
    let suite = match Suite::open(paths, &overrides(args, &layers)?, &limits) {
        // A folder without any policy.
        Err(Stop::Error(error)) if args.allow_empty && error.reason.starts_with("holds no policy") => Suite::default(),
        opened => opened?,
    };
    verify(&layers, locking(&layers, &args.config)?, suite.packs.iter().map(|tested| (tested.pack(), true)))?;
    let options = options(args, paths, &suite, limits, log)?;
    let outcome = cases::run(&suite, &options)?;
    if options.writes {
        remember(paths, &suite, &outcome, log);
    }
    for policy in outcome.policies.iter().filter(|policy| policy.snapshot == SnapshotState::Same) {
        let pending = cases::pending_of(&policy.file);
        if pending.exists() && options.only.is_none() && options.among.is_none() {
            let name = printable(&pending.display().to_string(), 1_000);
            note(log, &format!("{name} is stale: nothing differs (try: remove it)"));
        }
    }
    let coverage = match args.coverage {
        Some(_) => Some(cases::cover(&suite, &outcome, &options.limits, options.threads)?),
        None => None,
    };
    let mutation = match args.mutate {
        true => Some(cases::mutate(&suite, &outcome, &options.limits, options.threads, args.budget)),
        false => None,
    };
    // That cases fail is told before it is told that nothing can be changed while they do.
    let (mutation, refused) = match mutation {
        Some(Ok(mutation)) => (Some(mutation), None),
        Some(Err(error)) => (None, Some(error)),
        None => (None, None),
    };
    tell(args, outputs, &outcome, log, Measures { coverage: coverage.as_ref(), mutation: mutation.as_ref() })?;
    if let Some(error) = refused {
        return Err(error.into());
    }
    let too_little = too_little(args, coverage.as_ref(), mutation.as_ref());
    for told in &too_little {
        log.exit(1, std::slice::from_ref(told), &format!("Exit 1: {told}.\n"));
    }
    let (code, _) = outcome.exit(args.allow_empty);
    Ok(code.max(u8::from(!too_little.is_empty())))
}

/// What is measured and is less than `--min`.
fn too_little(args: &Args, coverage: Option<&Coverage>, mutation: Option<&Mutation>) -> Vec<String> {
    let Some(min) = args.min else { return Vec::new() };
    let mut told = Vec::new();
    if let Some(coverage) = coverage {
        let shares = [("lines", coverage.line_share()), ("conditions", coverage.condition_share())];
        for (what, share) in shares.into_iter().filter(|(_, share)| share.percent() < min) {
            told.push(format!("{:.1} % of {what} are covered, and `--min` is {min} %", share.percent()));
        }
        for one in &coverage.one_sided {
            told.push(format!("`{}` lacks a case that fires or one that stays quiet", one.policy));
        }
    }
    if let Some(mutation) = mutation.filter(|mutation| mutation.score() < min) {
        told.push(format!("{:.1} % of changes are noticed, and `--min` is {min} %", mutation.score()));
    }
    if let Some(mutation) = mutation.filter(|mutation| mutation.left > 0) {
        told.push(format!("{} changes were not tried in time, of which `--min` knows nothing", mutation.left));
    }
    told
}

/// The names of all cases, as `policy/name`.
fn names(suite: &Suite) -> BTreeSet<String> {
    let policies = suite.packs.iter().flat_map(|pack| &pack.policies);
    policies.flat_map(|policy| policy.cases.iter().map(move |case| format!("{}/{}", policy.id, case.name))).collect()
}

fn options(args: &Args, paths: &[PathBuf], suite: &Suite, limits: Limits, log: Log) -> Result<Options, Error> {
    let mut options = Options { limits, ..Options::default() };
    if let Some(threads) = args.threads {
        options.threads = threads.get();
    }
    options.only = args.run.as_deref().map(Pattern::new).transpose()?;
    options.writes = !is_ci(args.ci);
    options.max_operations = args.max_operations;
    options.traces_all = args.verbose;
    if args.failed {
        // A case that is gone, or has another name, is none that failed.
        let known = names(suite);
        let failed = cases::last_failed(paths).unwrap_or_default().intersection(&known).cloned().collect();
        options.among = Some(failed).filter(|failed: &BTreeSet<String>| !failed.is_empty());
        if options.among.is_none() {
            log.line(Level::Info, "note", "nothing failed last time: all cases are run", json!({}));
        }
    }
    Ok(options)
}

/// Whether nothing may be written.
fn is_ci(flag: bool) -> bool {
    let is_off =
        |value: String| matches!(value.trim().to_ascii_lowercase().as_str(), "" | "0" | "false" | "no" | "off");
    flag || std::env::var("CI").is_ok_and(|value| !is_off(value))
}

/// Keeps which cases failed; of those that were not run what was known of them.
fn remember(paths: &[PathBuf], suite: &Suite, outcome: &Report, log: Log) {
    let ran: BTreeSet<String> = outcome
        .policies
        .iter()
        .flat_map(|policy| policy.cases.iter().map(move |(case, _)| format!("{}/{}", policy.id, case.name)))
        .collect();
    let mut failed = cases::last_failed(paths).unwrap_or_default();
    let known = names(suite);
    failed.retain(|name| known.contains(name) && !ran.contains(name));
    failed.extend(outcome.failed());
    if let Err(error) = cases::remember(paths, &failed) {
        note(log, &format!("`--failed` will not know of this run: {error}"));
    }
}

fn tell(args: &Args, outputs: Outputs, outcome: &Report, log: Log, measures: Measures<'_>) -> Result<(), Failure> {
    let look = |colour| Look { colour, verbose: args.verbose, allow_empty: args.allow_empty };
    let format = args.format.of_cases()?;
    let colour = args.format == Format::Text && args.output().is_none() && super::colour_on_stdout();
    // What is for people follows the report; what is for programs stands alone, unless it has a file.
    let takes_stdout =
        args.coverage.is_some_and(|format| format != CoverageFormat::Text) && args.coverage_output().is_none();
    if args.output().is_some() || !takes_stdout {
        to(outputs.report, &mut |out| report::write(format, outcome, measures, look(colour), out))?;
    }
    if args.output().is_some() || takes_stdout || log.is_json() {
        let (code, reasons) = outcome.exit(args.allow_empty);
        if code != 0 {
            log.exit(code, &reasons, &format!("Exit {code}: {}.\n", reasons.join("; ")));
        }
    }
    let is_apart = args.format == Format::Text || args.output().is_some() || takes_stdout;
    // JSON holds both; what has no other place goes where people see it.
    let is_told = args.format == Format::Json && (args.output().is_some() || !takes_stdout);
    let mut aside = Vec::new();
    if let Some((coverage, format)) = measures.coverage.zip(args.coverage) {
        if is_apart || args.coverage_output().is_some() {
            let colour = args.coverage_output().is_none() && super::colour_on_stdout();
            to(outputs.coverage, &mut |out| report::write_coverage(format.into(), coverage, colour, out))?;
        } else if !is_told {
            report::write_coverage(report::CoverageFormat::Text, coverage, false, &mut aside)?;
        }
    }
    if let Some(mutation) = measures.mutation {
        if is_apart && !takes_stdout {
            to(None, &mut |out| report::write_mutation(mutation, look(super::colour_on_stdout()), out))?;
        } else if !is_told {
            report::write_mutation(mutation, look(false), &mut aside)?;
        }
    }
    if !aside.is_empty() {
        let told = String::from_utf8_lossy(&aside);
        let fields = json!({ "report": told });
        log.tell(&told, Entry { level: Level::Info, event: "measures", message: "what was measured", fields });
    }
    Ok(())
}

/// Writes to a file, or to standard output.
fn to(file: Option<Output>, write: &mut dyn FnMut(&mut dyn Write) -> std::io::Result<()>) -> Result<(), Failure> {
    let Some(file) = file else {
        let mut out = BufWriter::new(super::stdout());
        return Ok(write(&mut out).and_then(|()| out.flush())?);
    };
    Ok(file.write(write)?)
}

/// The files that are written: of the report, and of the coverage.
struct Outputs {
    report: Option<Output>,
    coverage: Option<Output>,
}

impl Outputs {
    fn of(args: &Args, paths: &[PathBuf]) -> Result<Self, Error> {
        let create = |flag: &str, path: Option<&PathBuf>| {
            let output = path.map(|path| Output::create(flag, path)).transpose()?;
            output.iter().try_for_each(|output| output.spare_packs(paths.iter()).and_then(|()| output.spare_kept()))?;
            Ok::<_, Error>(output)
        };
        let (report, coverage) =
            (create("--output", args.output())?, create("--coverage-output", args.coverage_output())?);
        match (&report, &coverage) {
            (Some(report), Some(coverage)) if report.is_same(coverage) => {
                Err(coverage.refuse("is where the report goes, too"))
            }
            _ => Ok(Self { report, coverage }),
        }
    }
}
