//! `lawbook remediate`: a plan of what is to be done about findings.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use lawbook::error::Error;
use lawbook::finding::Severity;
use lawbook::plan::{Format, Plan, Wanted};
use lawbook::script::Limits;
use serde_json::json;

use super::Failure;
use super::log::{Level, Log};
use super::output::{self, Output};
use super::packs::PackArgs;
use super::values::{account, region};

const EXAMPLES: &str = "Examples:
  lawbook scan ./logs ./inventory --format json --output findings.json
  lawbook remediate findings.json                                        read what would be done
  lawbook remediate findings.json --format sh --output plan.sh
  bash plan.sh                                                           shows what it would do, and changes nothing
  bash plan.sh --apply                                                   does it, step by step, each verified
  bash plan.sh --undo 3                                                  goes back
  lawbook remediate findings.json --at-least high --account 111122223333 --format python --output plan.py

This command itself changes nothing, and needs no network.";

/// Plan what is to be done about findings
///
/// One plan of the remediation that policies have for their findings: ordered, grouped by account and region, each step
/// with what it costs, how it is verified, and the way back. Commands come from the policies that are loaded; the report
/// gives the ids that fill them. Findings that are waived are in no plan.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    /// Reports of `scan --format json` or `ndjson`; `-` is standard input
    #[arg(required = true, value_name = "FINDINGS")]
    reports: Vec<PathBuf>,

    /// How to write the plan
    #[arg(long, value_enum, default_value_t = FormatArg::Markdown)]
    format: FormatArg,

    /// Write the plan to this file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,

    /// The most resources that the plan may change: with more there is none
    #[arg(long, value_name = "N", default_value_t = 25)]
    limit: usize,

    /// Only findings of at least this severity
    #[arg(long, value_name = "SEVERITY", value_parser = severity, help_heading = "Findings")]
    at_least: Option<Severity>,

    /// Only findings of this account. Repeat for several
    #[arg(long, value_name = "ACCOUNT", value_parser = account, help_heading = "Findings")]
    account: Vec<String>,

    /// Only findings of this region. Repeat for several
    #[arg(long, value_name = "REGION", value_parser = region, help_heading = "Findings")]
    region: Vec<String>,

    /// Only the finding of this fingerprint. Repeat for several
    #[arg(long, value_name = "FINGERPRINT", help_heading = "Findings")]
    fingerprint: Vec<String>,

    #[command(flatten)]
    packs: PackArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FormatArg {
    /// To read and to discuss
    Markdown,
    /// A program for bash with the AWS CLI
    Sh,
    /// A program for Python with boto3
    Python,
    /// For other programs (schemas/plan.schema.json)
    Json,
}

fn severity(text: &str) -> Result<Severity, String> {
    Severity::from_word(text).ok_or_else(|| "expected info, low, medium, high or critical".to_owned())
}

pub(crate) fn run(args: &Args, log: Log) -> Result<u8, Failure> {
    let loaded = args.packs.load(&Limits::default())?;
    let wanted = Wanted {
        severity: args.at_least,
        accounts: args.account.iter().cloned().collect(),
        regions: args.region.iter().cloned().collect(),
        fingerprints: args.fingerprint.iter().map(|fingerprint| fingerprint.to_lowercase()).collect(),
        is_selection: !args.packs.only.is_empty() || !args.packs.skip.is_empty(),
    };
    let reports = args.reports.iter().map(|path| read(path)).collect::<Result<Vec<_>, _>>()?;
    let plan = Plan::of(&reports, &loaded.packs, &wanted)?;
    known(&plan, &wanted)?;
    let touches = plan.touches();
    if touches > args.limit {
        let error = Error::new(format!("the plan would change {touches} resources, more than --limit {}", args.limit));
        return Err(error
            .try_to(format!("fewer findings (--at-least, --only, --account, --region), or `--limit {touches}`"))
            .into());
    }
    let format = match args.format {
        FormatArg::Markdown => Format::Markdown,
        FormatArg::Sh => Format::Shell,
        FormatArg::Python => Format::Python,
        FormatArg::Json => Format::Json,
    };
    match output::file(args.output.as_ref()) {
        Some(path) => {
            let output = Output::create("--output", path)?;
            let is_report = |report: &PathBuf| report.canonicalize().ok().as_deref() == output.replaced();
            if output.replaced().is_some() && args.reports.iter().any(is_report) {
                return Err(output.refuse("is read by this command, and the plan would take its place").into());
            }
            output.spare_kept()?;
            output.write(|out| plan.write(format, out))?;
        }
        None => {
            let mut out = super::stdout();
            plan.write(format, &mut out)?;
            out.flush()?;
        }
    }
    if plan.is_of_part {
        let told =
            "plan: a report of these was of a scan that ended with 2, so there may be more to do than is planned";
        log.line(Level::Warn, "partial", told, json!({}));
    }
    log.line(Level::Info, "plan", &format!("plan: {}", plan.size()), json!({}));
    for (reason, count) in &plan.left {
        let told = format!("plan: {count} findings {reason}");
        log.line(Level::Warn, "left_out", &told, json!({ "count": count, "reason": reason }));
    }
    Ok(0)
}

/// A fingerprint that no report has is a slip.
fn known(plan: &Plan, wanted: &Wanted) -> Result<(), Error> {
    let planned: BTreeSet<&String> = plan.steps.iter().flat_map(|step| &step.fingerprints).collect();
    match wanted.fingerprints.iter().find(|fingerprint| !planned.contains(fingerprint)) {
        Some(missing) => Err(Error::new("is no finding of these reports, or one that the plan leaves out")
            .about(format!("--fingerprint {missing}"))
            .try_to("copy it from `known as` of the report")),
        None => Ok(()),
    }
}

fn read(path: &Path) -> Result<(String, String), Error> {
    let name = path.display().to_string();
    let mut text = String::new();
    let read = if path.as_os_str() == "-" {
        std::io::stdin().read_to_string(&mut text).map(|_| ())
    } else {
        std::fs::read_to_string(path).map(|read| text = read)
    };
    match read {
        Ok(()) => Ok((name, text)),
        Err(error) => Err(Error::new(format!("cannot be read: {error}"))
            .about(name)
            .try_to("`lawbook scan … --format json --output findings.json` makes one")),
    }
}
