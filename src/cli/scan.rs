//! `lawbook scan`: judges files, folders or standard input.

use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::ValueEnum;
use lawbook::diagnostic::{Diagnostic, did_you_mean};
use lawbook::engine::{Outcome, Request, scan};
use lawbook::error::Error;
use lawbook::fault::printable;
use lawbook::policy::Policy;
use lawbook::report::{self, Format, Look};
use lawbook::script::Limits;
use lawbook::triage::{Baseline, Triage, Waivers};

use super::Failure;
use super::layers::Layers;
use super::output::Output;
use super::packs::{Loaded, PackArgs, lock_file};
use super::progress::Bar;
use super::settings::{Effective, SettingArgs};

/// Judge CloudTrail records and inventory by policies
///
/// Logs and inventory are told by their content, whatever their names: S3 log objects, NDJSON, EventBridge, lookup-events,
/// CloudWatch Logs, Lake, Athena and SIEM exports, gzip or not; what `aws ec2 describe-…` and its like print, AWS Config.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    settings: SettingArgs,

    #[command(flatten)]
    packs: PackArgs,

    /// Parse every record and ask every policy's script: slow, and the same findings. For doubt
    #[arg(long, help_heading = "Judging")]
    no_index: bool,

    /// Say on standard error what each policy costs, and which no field narrows
    #[arg(long, help_heading = "Judging")]
    profile: bool,

    /// How to write the report; `text` unless something says otherwise
    #[arg(long, value_enum, help_heading = "Report")]
    format: Option<FormatArg>,

    /// Write the report to this file instead of standard output
    #[arg(long, short, value_name = "FILE", help_heading = "Report")]
    output: Option<PathBuf>,

    /// Say of every record that this policy was asked about why it fired or stayed silent
    #[arg(long, value_name = "ID", help_heading = "Report")]
    why: Option<String>,

    /// List the files that were skipped, too
    #[arg(long, short, help_heading = "Report")]
    verbose: bool,
}

const EXAMPLES: &str = "Examples:
  lawbook scan ./cloudtrail                         every log below a folder
  lawbook scan                                      the `inputs` of the `lawbook.yaml` here or above
  lawbook scan ./logs ./inventory --since 7d        logs and what `aws ec2 describe-...` printed, together
  aws cloudtrail lookup-events | lawbook scan -     standard input
  lawbook scan ./logs --only eip-disassociated --why eip-disassociated
  lawbook scan ./logs --policy my-policy.rhai --format json --fail-on high
  lawbook scan ./logs --pack ./policies --profile   which policies are slow, and why
  lawbook scan ./logs --report sarif=a.sarif --report markdown=a.md

Exit codes: 0 nothing to report, 1 new findings at or above --fail-on, 2 something could not be read, loaded or judged.";

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FormatArg {
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
}

impl FormatArg {
    /// The format of that word.
    pub(crate) fn of_word(word: &str) -> Result<Self, String> {
        Self::from_str(word, false).map_err(|_| {
            let known: Vec<String> = Self::value_variants().iter().map(|format| format.word()).collect();
            let meant = did_you_mean(word, known.iter().map(String::as_str));
            let meant = meant.map_or_else(String::new, |meant| format!(" (try: did you mean `{meant}`?)"));
            format!("`{word}` is none of the formats {}{meant}", known.join(", "))
        })
    }

    /// Its word.
    pub(crate) fn word(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }
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
        }
    }
}

pub(crate) fn run(args: &Args) -> Result<u8, Failure> {
    let layers = Layers::read(&args.packs.config)?;
    let set = args.settings.settle(&layers, args.format, args.output.as_ref())?;
    if set.inputs.is_empty() {
        let error = Error::new("nothing to scan: no path is named, and no `inputs` in a `lawbook.yaml`");
        return Err(error.try_to("`lawbook scan ./logs`").into());
    }
    let limits = Limits::default();
    let (loaded, _) = args.packs.load_from(&layers, &limits)?;
    let tags = set.waiver_tag.as_ref().map(|tag| tag.rule(&loaded.packs)).transpose()?;
    tell_warnings(loaded.packs.warnings(), set.strict)?;
    let why =
        args.why.as_deref().map(|name| loaded.packs.find(name).map_err(|error| error.about("--why"))).transpose()?;
    let outputs = outputs(&set, &layers, &loaded)?;
    let mut request = request(args, &set, limits);
    request.triage = Arc::new(Triage {
        waivers: set.waivers.as_deref().map(Waivers::read).transpose()?,
        baseline: set.baseline.as_deref().map(Baseline::read).transpose()?,
        tags,
    });
    // By the id that it has now, which need not be the one that was asked for.
    request.why = why.map(Policy::qualified);
    request.named.clone_from(&loaded.named);
    let bar = Bar::new();
    let outcome = scan(&loaded.packs, &request, &bar);
    bar.finish();
    let outcome = outcome?;
    let format = set.format.into();
    let look = |colour| Look { colour, verbose: args.verbose };
    let to_terminal = set.output.is_none();
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
    if let Some(policy) = why.filter(|_| outcome.why.is_empty()) {
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

/// The files of reports: that one cannot be written is better known before the scan than after.
fn outputs(set: &Effective, layers: &Layers, loaded: &Loaded) -> Result<Vec<(Format, Output)>, Error> {
    let mut outputs: Vec<(Format, Output)> = Vec::new();
    let main = set.output.iter().map(|file| ("--output", set.format, file));
    let others = set.reports.iter().map(|(format, file)| ("--report", *format, file));
    for (flag, format, path) in main.chain(others) {
        let output = Output::create(flag, path)?;
        spare_inputs(set, layers, &output)?;
        output.spare_packs(loaded.paths.iter())?;
        if outputs.iter().any(|(_, known)| known.is_same(&output)) {
            return Err(output.refuse("is where two reports of this scan would go"));
        }
        outputs.push((format.into(), output));
    }
    Ok(outputs)
}

/// Refuses to write a report over what it is about.
fn spare_inputs(set: &Effective, layers: &Layers, output: &Output) -> Result<(), Error> {
    let Some(file) = output.replaced() else { return Ok(()) };
    let is_input = set.inputs.iter().chain(&set.inventory).filter_map(|input| input.canonicalize().ok()).any(|input| {
        // In a folder there may be reports of earlier scans.
        input == file || file.starts_with(&input) && is_data(file)
    });
    let lock = lock_file(layers);
    let decided = [&layers.config.file, &lock, &set.waivers, &set.baseline, &set.state];
    let is_decided = decided.into_iter().flatten().any(|known| known.canonicalize().is_ok_and(|known| known == file));
    if is_input || is_decided {
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

fn request(args: &Args, set: &Effective, limits: Limits) -> Request {
    let mut request = Request::new(&set.inputs);
    request.inventory.clone_from(&set.inventory);
    request.inventory_of = set.inventory_of.clone();
    request.settings = set.input.clone();
    request.no_index = args.no_index;
    request.state.clone_from(&set.state);
    request.history_complete = set.history_complete;
    request.profile = args.profile;
    request.limits = limits;
    if let Some(now) = set.now {
        request.now = now;
    }
    if let Some(threads) = set.threads {
        request.threads = threads.get();
    }
    request.fail_on = set.fail_on.severity();
    request.strict = set.strict;
    request.allow_empty = set.allow_empty;
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
