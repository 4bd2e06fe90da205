//! `lawbook scan`: judges files, folders or standard input.

use std::io::{BufWriter, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use clap::ValueEnum;
use lawbook::diagnostic::{Diagnostic, did_you_mean};
use lawbook::engine::{Cost, Outcome, PolicyCounts, Request, Route, scan};
use lawbook::error::Error;
use lawbook::policy::{Checked, Policy, Shape};
use lawbook::report::{self, Format, GroupBy, Look};
use lawbook::script::Limits;
use lawbook::triage::Triage;
use serde_json::json;

use super::layers::Layers;
use super::log::{Entry, Level, Log};
use super::metrics::{self, Came};
use super::output::Output;
use super::packs::{Loaded, PackArgs, lock_file};
use super::progress::Bar;
use super::redact::RedactArgs;
use super::settings::{Effective, SettingArgs};
use super::{Failure, both};

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

    /// Write the report to this file instead of standard output, which is `-`
    #[arg(long, short, value_name = "FILE", help_heading = "Report")]
    output: Option<PathBuf>,

    /// Show findings together that are of one policy, resource, actor or account, instead of as their policies say
    #[arg(long, value_enum, value_name = "WHAT", help_heading = "Report")]
    group_by: Option<GroupByArg>,

    /// Findings of a group that are shown; the others are counted. By default 4 in text and JSON, and the worst elsewhere
    #[arg(long, value_name = "N", help_heading = "Report")]
    examples: Option<NonZeroUsize>,

    /// Count the events that were judged, as `lawbook summary` does, with so many rows a table
    #[arg(long, value_name = "N", num_args = 0..=1, require_equals = true, default_missing_value = "10", help_heading = "Report")]
    tally: Option<NonZeroUsize>,

    /// Write numbers of this run to a file, in the text format of Prometheus; also when it fails
    #[arg(long, value_name = "FILE", help_heading = "Report")]
    metrics: Option<PathBuf>,

    #[command(flatten)]
    redact: RedactArgs,

    /// The ARN under which AWS Security Hub takes findings of `--format asff`; by default that of each account's own
    #[arg(long, value_name = "ARN", value_parser = product_arn, help_heading = "Report")]
    product_arn: Option<String>,

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
  lawbook scan ./logs --report sarif=a.sarif --report html=a.html
  lawbook scan ./logs --redact --report html=for-others.html

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
    /// One page for people, with nothing that is loaded from elsewhere
    Html,
    /// One event a line, for data lakes and SIEMs: OCSF 1.5.0
    Ocsf,
    /// For AWS Security Hub: an array of at most 100 findings a line
    Asff,
}

/// What findings are shown together by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum GroupByArg {
    /// Those of one policy
    Policy,
    /// Those about one resource; of several resources the first counts
    Resource,
    /// Those of one caller, by who began the session where that is known
    Actor,
    /// Those in one account
    Account,
}

impl From<GroupByArg> for GroupBy {
    fn from(by: GroupByArg) -> Self {
        match by {
            GroupByArg::Policy => Self::Policy,
            GroupByArg::Resource => Self::Resource,
            GroupByArg::Actor => Self::Actor,
            GroupByArg::Account => Self::Account,
        }
    }
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
            FormatArg::Html => Self::Html,
            FormatArg::Ocsf => Self::Ocsf,
            FormatArg::Asff => Self::Asff,
        }
    }
}

pub(crate) fn run(args: &Args, log: Log) -> Result<u8, Failure> {
    let settled = Layers::read(&args.packs.config).map(|layers| {
        let set = args.settings.settle(&layers, args.format, args.output.as_ref());
        (layers, set)
    });
    let check = |output: &Output| {
        if let Ok((layers, Ok(set))) = &settled {
            spare_inputs(args, set, layers, output)?;
            if output.is_any_of(set.output.iter().chain(set.reports.iter().map(|(_, file)| file))) {
                return Err(output.refuse(TWICE));
            }
        }
        output.spare_packs(args.packs.pack.iter().chain(&args.packs.policy))
    };
    let told = metrics::output(args.metrics.as_deref(), check)?;
    metrics::around(told, |came| {
        let (layers, set) = settled?;
        run_telling(args, &layers, set, log, came)
    })
}

/// Scans, and leaves what came of it.
fn run_telling(
    args: &Args,
    layers: &Layers,
    set: Result<Effective, Failure>,
    log: Log,
    came: &mut Came,
) -> Result<u8, Failure> {
    let set = set.and_then(|set| {
        let error = Error::new("nothing to scan: no path is named, and no `inputs` in a `lawbook.yaml`");
        if set.inputs.is_empty() { Err(error.try_to("`lawbook scan ./logs`").into()) } else { Ok(set) }
    });
    let set = set.and_then(|set| set.decided().map(|decided| (set, decided)));
    let set = set.and_then(|set| told_somewhere(args, &set.0).map(|()| set).map_err(Failure::from));
    let limits = Limits::default();
    let ((set, (waivers, baseline)), (loaded, _)) = both(set, args.packs.load_from(layers, &limits))?;
    let set = &set;
    let tags = set.waiver_tag.as_ref().map(|tag| tag.rule(&loaded));
    tell_warnings(loaded.packs.warnings(), set.strict, log)?;
    let why = args.why.as_deref().map(|name| loaded.packs.find(name).map_err(|error| error.about("--why")));
    let why = why.transpose()?.map(Policy::qualified);
    let outputs = outputs(args, set, layers, &loaded)?;
    let mut request = request(args, set, limits);
    let redact = args.redact.redaction()?;
    request.triage = Arc::new(Triage { waivers, baseline, tags });
    // By the id that it has now, which need not be the one that was asked for.
    request.why.clone_from(&why);
    request.named = loaded.named;
    let (bar, started) = (Bar::new(log), Instant::now());
    let outcome = scan(&loaded.packs, &request, &bar);
    bar.finish();
    let seconds = started.elapsed().as_secs_f64();
    let outcome = redact(outcome?, &loaded.packs);
    let (outcome, packs) = came.outcome.insert((outcome, loaded.packs));
    let (outcome, packs) = (&*outcome, &*packs);
    let format = set.format.into();
    let (group_by, examples) = (args.group_by.map(GroupBy::from), args.examples);
    let product = args.product_arn.as_deref();
    let look = |colour| Look { colour, verbose: args.verbose, group_by, examples, product };
    let to_terminal = set.output.is_none();
    // One report that cannot be written costs none of the others.
    let mut failed = None;
    for (format, output) in outputs {
        let write = |out: &mut dyn Write| report::write(format, outcome, packs, look(false), out);
        failed = failed.or(output.write(write).err());
    }
    if to_terminal {
        // Only what has colour has to be searched for it, to take it away again.
        let colour = format == Format::Text && super::colour_on_stdout();
        let out: Box<dyn Write> = if colour { Box::new(super::stdout()) } else { Box::new(std::io::stdout().lock()) };
        let mut out = BufWriter::with_capacity(64 * 1024, out);
        let written = report::write(format, outcome, packs, look(colour), &mut out).and_then(|()| out.flush());
        match written.map_err(Failure::from) {
            Ok(()) | Err(Failure::ReaderGone) => {}
            Err(failure) => return Err(failure),
        }
    }
    if let Some(error) = failed {
        return Err(error.into());
    }
    log.finished(outcome, seconds);
    if !(to_terminal && format == Format::Text) || log.is_json() {
        log.outcome(outcome);
    }
    tell_costs(outcome, packs, log)?;
    if let Some(file) = set.state.as_deref().filter(|_| !packs.policies().iter().any(looks_back)) {
        let file = file.display().to_string();
        let told =
            format!("state: no policy of this run looks back (`first_seen`), so nothing is remembered in {file}");
        log.line(Level::Info, "state", &told, json!({ "file": file }));
    }
    let asked_of_none = why.as_deref().filter(|_| outcome.why.is_empty());
    if let Some(policy) = asked_of_none.and_then(|name| packs.find(name).ok()) {
        let when: Vec<String> = policy.header.when.conditions.iter().map(ToString::to_string).collect();
        let when = if when.is_empty() { "nothing".to_owned() } else { when.join(" and ") };
        let told = format!(
            "why: `{}` was asked of no record: it judges `{}` and its `when` wants {when}",
            packs.name_of(policy),
            policy.header.judges
        );
        log.line(Level::Info, "why", &told, json!({ "policy": policy.id }));
    }
    Ok(outcome.summary.exit.code)
}

/// Refuses what no report of the run would tell.
fn told_somewhere(args: &Args, set: &Effective) -> Result<(), Error> {
    use FormatArg::{Github, Html, Json, Markdown, Ndjson, Text};
    let formats: Vec<FormatArg> =
        std::iter::once(set.format).chain(set.reports.iter().map(|(format, _)| *format)).collect();
    let asked: [(&str, bool, &[FormatArg]); 3] = [
        ("--why", args.why.is_some(), &[Text, Json, Ndjson]),
        ("--group-by", args.group_by.is_some(), &[Text, Json, Ndjson, Github, Markdown]),
        ("--tally", args.tally.is_some(), &[Text, Json, Ndjson, Html]),
    ];
    for (flag, is_asked, tellers) in asked {
        if is_asked && !formats.iter().any(|format| tellers.contains(format)) {
            let words: Vec<String> = tellers.iter().map(|format| format.word()).collect();
            let error = Error::new(format!("no report in `{}` tells it", set.format.word())).about(flag);
            return Err(error.try_to(format!("--format {}, or `--report` beside it", words.join(", "))));
        }
    }
    Ok(())
}

/// Whether a policy asks what was seen before.
fn looks_back(policy: &Policy) -> bool {
    policy.header.window.as_ref().is_some_and(|window| window.shape == Shape::FirstSeen)
}

/// Says what policies cost, if that was wanted.
fn tell_costs(outcome: &Outcome, packs: &Checked, log: Log) -> Result<(), Failure> {
    let mut told = Vec::new();
    report::write_profile(outcome, packs, &mut told)?;
    if told.is_empty() {
        return Ok(());
    }
    let rows = outcome.profile.iter().flat_map(|profile| &profile.rows);
    let asked = packs.policies().iter().zip(&outcome.policies).zip(rows).filter(|((_, counts), _)| counts.asked > 0);
    let row = |((policy, counts), (cost, _)): ((&Policy, &PolicyCounts), &(Cost, Route))| {
        json!({
            "policy": policy.id, "pack": policy.pack, "asked": counts.asked, "in_rhai": cost.run,
            "hits": counts.matched(policy.header.window.is_some()), "findings": counts.findings,
            "operations": cost.operations, "seconds": cost.time.as_secs_f64(),
        })
    };
    let fields = json!({ "policies": asked.map(row).collect::<Vec<_>>() });
    let entry = Entry { level: Level::Info, event: "costs", message: "what policies cost", fields };
    log.tell(&String::from_utf8_lossy(&told), entry);
    Ok(())
}

/// Says that there are warnings about policies; those of a strict run stop it.
fn tell_warnings(warnings: &[Diagnostic], strict: bool, log: Log) -> Result<(), Failure> {
    if warnings.is_empty() {
        return Ok(());
    }
    if strict {
        return Err(Failure::Diagnostics(warnings.to_vec()));
    }
    let noun = if warnings.len() == 1 { "warning" } else { "warnings" };
    let told = format!("policies: {} {noun} (try: `lawbook check` with their files)", warnings.len());
    log.line(Level::Warn, "warnings", &told, json!({ "count": warnings.len() }));
    Ok(())
}

/// An ARN of a product of Security Hub.
fn product_arn(text: &str) -> Result<String, String> {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    match parts.as_slice() {
        ["arn", _, "securityhub", _, _, product] if product.starts_with("product/") => Ok(text.to_owned()),
        _ => Err("expected such as arn:aws:securityhub:us-east-1:111122223333:product/111122223333/default".to_owned()),
    }
}

/// Why a file is refused that is named twice.
const TWICE: &str = "is where two reports of this scan would go";

/// The files of reports: that one cannot be written is better known before the scan than after.
fn outputs(args: &Args, set: &Effective, layers: &Layers, loaded: &Loaded) -> Result<Vec<(Format, Output)>, Error> {
    let mut outputs: Vec<(Format, Output)> = Vec::new();
    let main = set.output.iter().map(|file| ("--output", set.format, file));
    let others = set.reports.iter().map(|(format, file)| ("--report", *format, file));
    for (flag, format, path) in main.chain(others) {
        let output = Output::create(flag, path)?;
        spare_inputs(args, set, layers, &output)?;
        output.spare_packs(loaded.paths.iter())?;
        output.spare_kept()?;
        if outputs.iter().any(|(_, known)| known.is_same(&output)) {
            return Err(output.refuse(TWICE));
        }
        outputs.push((format.into(), output));
    }
    Ok(outputs)
}

/// Refuses to write a report over what it is about.
fn spare_inputs(args: &Args, set: &Effective, layers: &Layers, output: &Output) -> Result<(), Error> {
    output.spare_inputs(set.inputs.iter().chain(&set.inventory))?;
    output.spare(args.packs.trusted_key.iter().chain(args.redact.key()).chain(&set.state))?;
    let lock = lock_file(layers);
    let decided = [&layers.config.file, &lock, &set.waivers, &set.baseline];
    let is_decided =
        |file: &Path| decided.into_iter().flatten().any(|known| known.canonicalize().is_ok_and(|known| known == file));
    if output.replaced().is_some_and(is_decided) {
        return Err(output.refuse("is read by this scan, and the report would take its place"));
    }
    Ok(())
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
    request.tally = args.tally.map(NonZeroUsize::get);
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
