//! `lawbook scan`: judges files, folders or standard input.

use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::ValueEnum;
use jiff::Timestamp;
use lawbook::diagnostic::Diagnostic;
use lawbook::engine::{Outcome, Request, scan};
use lawbook::error::Error;
use lawbook::fault::printable;
use lawbook::input::{Filter, Settings};
use lawbook::record::Scope;
use lawbook::redact::Redactor;
use lawbook::report::{self, Format, Look};
use lawbook::script::Limits;
use lawbook::triage::{Baseline, Triage, Waivers};

use super::Failure;
use super::output::Output;
use super::packs::PackArgs;
use super::progress::Bar;
use super::values::{FailOn, account, region, size, time};

/// Judge CloudTrail records and inventory by policies
///
/// Logs and inventory are told by their content, whatever their names: S3 log objects, NDJSON, EventBridge, lookup-events,
/// CloudWatch Logs, Lake, Athena and SIEM exports, gzip or not; what `aws ec2 describe-…` and its like print, AWS Config.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    /// Files, folders, or - for standard input: judged, and looked up in
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// Inventory to look things up in, without judging it. Repeat for several
    #[arg(long, value_name = "PATH", help_heading = "Input")]
    inventory: Vec<PathBuf>,

    /// The account of inventory that does not say whose it is
    #[arg(long, value_name = "ACCOUNT", value_parser = account, help_heading = "Input")]
    inventory_account: Option<String>,

    /// The region of inventory that does not say where it is
    #[arg(long, value_name = "REGION", value_parser = region, help_heading = "Input")]
    inventory_region: Option<String>,

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

    #[command(flatten)]
    packs: PackArgs,

    /// The time of the run, for policies that ask how old something is
    #[arg(long, value_name = "TIME", value_parser = time, help_heading = "Judging")]
    now: Option<Timestamp>,

    /// Threads that judge; by default one a core
    #[arg(long, value_name = "N", help_heading = "Judging")]
    threads: Option<std::num::NonZeroUsize>,

    /// Remember in this file what was seen, and since when, for policies that ask for first sightings
    #[arg(long, value_name = "FILE", help_heading = "Judging")]
    state: Option<PathBuf>,

    /// The input is all there ever was: what is not in it was never seen. Without it, policies that ask for first
    /// sightings judge only what has enough records before it
    #[arg(long, help_heading = "Judging")]
    history_complete: bool,

    /// Parse every record and ask every policy's script: slow, and the same findings. For doubt
    #[arg(long, help_heading = "Judging")]
    no_index: bool,

    /// Say on standard error what each policy costs, and which no field narrows
    #[arg(long, help_heading = "Judging")]
    profile: bool,

    /// How to write the report
    #[arg(long, value_enum, default_value_t = FormatArg::Text, help_heading = "Report")]
    format: FormatArg,

    /// Write the report to this file instead of standard output
    #[arg(long, short, value_name = "FILE", help_heading = "Report")]
    output: Option<PathBuf>,

    /// Write another report to a file, such as sarif=findings.sarif. Repeat for several
    #[arg(long, value_name = "FORMAT=FILE", value_parser = report_to, help_heading = "Report")]
    report: Vec<(FormatArg, PathBuf)>,

    /// Put pseudonyms in the place of accounts, addresses and names, in all reports of this scan
    #[arg(long, help_heading = "Report")]
    redact: bool,

    /// A file with the key of the pseudonyms, 16 bytes or more: with the same key they are the same. Without it they are
    /// others in every run
    #[arg(long, value_name = "FILE", env = "LAWBOOK_REDACT_KEY", help_heading = "Report")]
    redact_key: Option<PathBuf>,

    /// The ARN under which AWS Security Hub takes findings of `--format asff`; by default that of each account's own
    #[arg(long, value_name = "ARN", value_parser = product_arn, help_heading = "Report")]
    product_arn: Option<String>,

    /// Say of every record that this policy was asked about why it fired or stayed silent
    #[arg(long, value_name = "ID", help_heading = "Report")]
    why: Option<String>,

    /// List the files that were skipped, too
    #[arg(long, short, help_heading = "Report")]
    verbose: bool,

    /// The least severity of a new finding that makes the exit code 1
    #[arg(long, value_enum, default_value_t = FailOn::Low, help_heading = "Exit code")]
    fail_on: FailOn,

    /// Findings that are excused, with owner, reason and end; `lawbook waive` writes the file
    #[arg(long, value_name = "FILE", help_heading = "Decided before")]
    waivers: Option<PathBuf>,

    /// Findings that are known, so that only others fail the run; `lawbook baseline write` makes the file
    #[arg(long, value_name = "FILE", help_heading = "Decided before")]
    baseline: Option<PathBuf>,

    /// Records that could not be evaluated make the exit code 2, and so do warnings about policies and waivers of no use
    #[arg(long, help_heading = "Exit code")]
    strict: bool,

    /// Judging nothing at all is no error
    #[arg(long, help_heading = "Exit code")]
    allow_empty: bool,
}

const EXAMPLES: &str = "Examples:
  lawbook scan ./cloudtrail                         every log below a folder
  lawbook scan ./logs ./inventory --since 7d        logs and what `aws ec2 describe-...` printed, together
  aws cloudtrail lookup-events | lawbook scan -     standard input
  lawbook scan ./logs --only eip-disassociated --why eip-disassociated
  lawbook scan ./logs --policy my-policy.rhai --format json --fail-on high
  lawbook scan ./logs --pack ./policies --profile   which policies are slow, and why
  lawbook scan ./logs --report sarif=a.sarif --report html=a.html
  lawbook scan ./logs --redact --report html=for-others.html

Exit codes: 0 nothing to report, 1 new findings at or above --fail-on, 2 something could not be read, loaded or judged.";

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FormatArg {
    /// For people: grouped, worst first
    Text,
    /// One object (schemas/report.schema.json)
    Json,
    /// One object a line, the summary last
    Ndjson,
    /// For code-scanning services: SARIF 2.1.0
    Sarif,
    /// A test case a policy, which new findings fail
    Junit,
    /// Annotations of GitHub Actions, one a group
    Github,
    /// For a job's summary or a comment
    Markdown,
    /// One row a finding, for spreadsheets
    Csv,
    /// One page for people, with nothing that is loaded from elsewhere
    Html,
    /// One event a line, for data lakes and SIEMs: OCSF 1.5.0
    Ocsf,
    /// For AWS Security Hub: an array of at most 100 findings a line
    Asff,
}

/// A format and a file: `sarif=findings.sarif`.
fn report_to(text: &str) -> Result<(FormatArg, PathBuf), String> {
    let (format, file) = text.split_once('=').ok_or("expected a format and a file, such as `sarif=findings.sarif`")?;
    let format = FormatArg::from_str(format, false).map_err(|_| {
        let known = FormatArg::value_variants().iter().filter_map(FormatArg::to_possible_value);
        let known: Vec<String> = known.map(|value| value.get_name().to_owned()).collect();
        format!("`{format}` is none of the formats {}", known.join(", "))
    })?;
    if file.is_empty() || file == "-" {
        return Err("a report of `--report` goes to a file; standard output has that of `--format`".to_owned());
    }
    Ok((format, PathBuf::from(file)))
}

impl From<FormatArg> for Format {
    fn from(format: FormatArg) -> Self {
        match format {
            FormatArg::Text => Self::Text,
            FormatArg::Json => Self::Json,
            FormatArg::Ndjson => Self::Ndjson,
            FormatArg::Sarif => Self::Sarif,
            FormatArg::Junit => Self::Junit,
            FormatArg::Github => Self::Github,
            FormatArg::Markdown => Self::Markdown,
            FormatArg::Csv => Self::Csv,
            FormatArg::Html => Self::Html,
            FormatArg::Ocsf => Self::Ocsf,
            FormatArg::Asff => Self::Asff,
        }
    }
}

pub(crate) fn run(args: &Args) -> Result<u8, Failure> {
    if let (Some(since), Some(until)) = (args.since, args.until)
        && since >= until
    {
        return Err(Error::new("`--since` is not before `--until`, so that no event could be judged").into());
    }
    if args.state.is_some() && !args.region.is_empty() {
        let error = Error::new("`--state` remembers whole accounts, of which `--region` would show it a part");
        return Err(error.try_to("leave one of them out").into());
    }
    let limits = Limits::default();
    let loaded = args.packs.load(&limits)?;
    tell_warnings(loaded.packs.warnings(), args.strict)?;
    if let Some(id) = &args.why
        && loaded.packs.get(id).is_none()
    {
        return Err(loaded.packs.unknown(id).about("--why").into());
    }
    let outputs = outputs(args)?;
    let redactor = redactor(args)?;
    let mut request = request(args, limits);
    request.triage = Arc::new(Triage {
        waivers: args.waivers.as_deref().map(Waivers::read).transpose()?,
        baseline: args.baseline.as_deref().map(Baseline::read).transpose()?,
    });
    // By the id that it has now, which need not be the one that was asked for.
    request.why = args.why.as_deref().and_then(|id| loaded.packs.get(id)).map(|policy| policy.id.to_string());
    request.named = loaded.named;
    let bar = Bar::new();
    let outcome = scan(&loaded.packs, &request, &bar);
    bar.finish();
    let outcome = match redactor {
        Some(redactor) => redactor.redact(outcome?, &loaded.packs),
        None => outcome?,
    };
    let format = args.format.into();
    let look = |colour| Look { colour, verbose: args.verbose, product: args.product_arn.as_deref() };
    let to_terminal = args.output.is_none();
    // One report that cannot be written costs none of the others.
    let mut failed = None;
    for (format, output) in outputs {
        let write = |out: &mut dyn Write| report::write(format, &outcome, &loaded.packs, look(false), out);
        failed = failed.or(output.write(write).err());
    }
    if to_terminal {
        // Only what has colour has to be searched for it, to take it away again.
        let colour = format == Format::Text && super::colour_on_stdout();
        let out: Box<dyn Write> = if colour { Box::new(super::stdout()) } else { Box::new(std::io::stdout().lock()) };
        let mut out = BufWriter::with_capacity(64 * 1024, out);
        let written = report::write(format, &outcome, &loaded.packs, look(colour), &mut out).and_then(|()| out.flush());
        match written.map_err(Failure::from) {
            Ok(()) | Err(Failure::ReaderGone) => {}
            Err(failure) => return Err(failure),
        }
    }
    if let Some(error) = failed {
        return Err(error.into());
    }
    if !(to_terminal && format == Format::Text) {
        tell(&outcome);
    }
    let mut told = Vec::new();
    report::write_profile(&outcome, &loaded.packs, &mut told)?;
    let _ = std::io::stderr().write_all(&told);
    if let Some(policy) = args.why.as_deref().and_then(|id| loaded.packs.get(id)).filter(|_| outcome.why.is_empty()) {
        let when: Vec<String> = policy.header.when.conditions.iter().map(ToString::to_string).collect();
        let when = if when.is_empty() { "nothing".to_owned() } else { when.join(" and ") };
        let told = format!(
            "why: `{}` was asked of no record: it judges `{}` and its `when` wants {when}\n",
            policy.id, policy.header.judges
        );
        let _ = std::io::stderr().write_all(told.as_bytes());
    }
    Ok(outcome.summary.exit.code)
}

/// Says that there are warnings about policies; those of a strict run stop it.
fn tell_warnings(warnings: &[Diagnostic], strict: bool) -> Result<(), Failure> {
    if warnings.is_empty() {
        return Ok(());
    }
    if strict {
        return Err(Failure::Diagnostics(warnings.to_vec()));
    }
    let noun = if warnings.len() == 1 { "warning" } else { "warnings" };
    let told = format!("policies: {} {noun} (try: `lawbook check` with their files)\n", warnings.len());
    let _ = std::io::stderr().write_all(told.as_bytes());
    Ok(())
}

/// The pseudonyms that are wanted; a key that cannot be read is better known before the scan than after.
fn redactor(args: &Args) -> Result<Option<Redactor>, Error> {
    if !args.redact {
        return Ok(None);
    }
    let Some(path) = &args.redact_key else { return Redactor::random().map(Some) };
    let about = |error: Error| error.about(format!("--redact-key {}", path.display()));
    let secret = std::fs::read(path).map_err(|error| about(Error::new(format!("cannot be read: {error}"))))?;
    Redactor::new(secret.trim_ascii()).map(Some).map_err(about)
}

/// An ARN of a product of Security Hub.
fn product_arn(text: &str) -> Result<String, String> {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    match parts.as_slice() {
        ["arn", _, "securityhub", _, _, product] if product.starts_with("product/") => Ok(text.to_owned()),
        _ => Err("expected such as arn:aws:securityhub:us-east-1:111122223333:product/111122223333/default".to_owned()),
    }
}

/// The files of reports: that one cannot be written is better known before the scan than after.
fn outputs(args: &Args) -> Result<Vec<(Format, Output)>, Error> {
    let mut outputs: Vec<(Format, Output)> = Vec::new();
    let main = args.output.iter().map(|file| ("--output", args.format, file));
    let others = args.report.iter().map(|(format, file)| ("--report", *format, file));
    for (flag, format, path) in main.chain(others) {
        let output = Output::create(flag, path)?;
        spare_inputs(args, &output)?;
        output.spare_packs(args.packs.pack.iter().chain(&args.packs.policy).chain(&args.packs.config))?;
        if outputs.iter().any(|(_, known)| known.is_same(&output)) {
            return Err(output.refuse("is where two reports of this scan would go"));
        }
        outputs.push((format.into(), output));
    }
    Ok(outputs)
}

/// Refuses to write a report over what it is about.
fn spare_inputs(args: &Args, output: &Output) -> Result<(), Error> {
    let Some(file) = output.replaced() else { return Ok(()) };
    let is_input =
        args.paths.iter().chain(&args.inventory).filter_map(|input| input.canonicalize().ok()).any(|input| {
            // In a folder there may be reports of earlier scans.
            input == file || file.starts_with(&input) && is_data(file)
        });
    if is_input {
        return Err(output.refuse("is read by this scan, and the report would take its place"));
    }
    Ok(())
}

/// True for a file that may hold records: not a report of an earlier scan, and not text for people.
fn is_data(file: &Path) -> bool {
    let mut head = Vec::new();
    let read = File::open(file).and_then(|file| file.take(512).read_to_end(&mut head));
    let is_text = head.trim_ascii_start().first().is_none_or(|first| first.is_ascii_alphabetic());
    file.is_file() && read.is_ok() && !is_text && !lawbook::input::is_report(&head)
}

fn request(args: &Args, limits: Limits) -> Request {
    let mut request = Request::new(&args.paths);
    request.inventory.clone_from(&args.inventory);
    request.inventory_of = Scope {
        account: args.inventory_account.as_deref().map(Into::into),
        region: args.inventory_region.as_deref().map(Into::into),
    };
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
    request.no_index = args.no_index;
    request.state = args.state.clone();
    request.history_complete = args.history_complete;
    request.profile = args.profile;
    request.limits = limits;
    if let Some(now) = args.now {
        request.now = now;
    }
    if let Some(threads) = args.threads {
        request.threads = threads.get();
    }
    request.fail_on = args.fail_on.severity();
    request.strict = args.strict;
    request.allow_empty = args.allow_empty;
    request
}

/// Faults that are told on stderr beside the report, which has all of them.
const MOST_FAULTS: usize = 20;

/// What a reader of the report must not miss, on stderr.
fn tell(outcome: &Outcome) {
    let mut text = String::new();
    for fault in outcome.faults.iter().take(MOST_FAULTS) {
        let policy = fault.policy.as_deref().map_or_else(String::new, |policy| format!("{policy}: "));
        let place = fault
            .origins
            .first()
            .map_or_else(String::new, |origin| format!(" at {}", printable(&origin.to_string(), 400)));
        text.push_str(&format!("fault: {policy}{}{place} ({} in all)\n", printable(&fault.reason, 400), fault.count));
    }
    if outcome.faults.len() > MOST_FAULTS {
        text.push_str(&format!(
            "fault: and {} more kinds, all of them in the report\n",
            outcome.faults.len() - MOST_FAULTS
        ));
    }
    if outcome.summary.exit.code != 0 {
        text.push_str(&format!("exit {}: {}\n", outcome.summary.exit.code, outcome.summary.exit.reasons.join("; ")));
    }
    let _ = std::io::stderr().write_all(text.as_bytes());
}
