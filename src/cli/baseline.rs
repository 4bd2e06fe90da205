//! `lawbook baseline`: the findings that are known.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use clap::Subcommand;
use lawbook::error::Error;
use lawbook::fault::printable;
use lawbook::triage::Baseline;

use super::Failure;
use super::output::Output;

const EXAMPLES: &str = "Examples:
  lawbook scan ./logs --format json | lawbook baseline write baseline.json -
  lawbook scan ./logs --baseline baseline.json            fails on what is not in it
  lawbook baseline show baseline.json
  lawbook scan ./inventory --baseline baseline.json --format json | lawbook baseline prune baseline.json -";

/// Write down the findings that there are, so that only others fail a scan
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Add the findings of a report that nobody waived, and keep what is there
    Write {
        /// The baseline
        file: PathBuf,
        /// A report of `scan --format json` or `ndjson`; `-` is standard input. Without it a baseline that knows of nothing
        /// is written, where there is none yet
        report: Option<PathBuf>,

        /// Take what there is of a scan that could not read or judge everything: what it did not find is new when it is found
        #[arg(long, requires = "report")]
        incomplete: bool,
    },
    /// Show what is in it
    Show {
        /// The baseline
        file: PathBuf,
    },
    /// Take out what a report of a scan with `--baseline` says is resolved
    Prune {
        /// The baseline
        file: PathBuf,
        /// A report of `scan --format json` or `ndjson`; `-` is standard input
        report: PathBuf,
    },
}

pub(crate) fn run(args: &Args) -> Result<u8, Failure> {
    match &args.command {
        Command::Write { file, report, incomplete } => {
            let is_there = file.exists();
            let mut baseline = if is_there { Baseline::read(file)? } else { Baseline::empty() };
            match report {
                Some(report) => of_report(report, |text| baseline.add(text, *incomplete))?,
                None if !is_there => {}
                None => {
                    let error = Error::new("is there already").about(file.display().to_string());
                    return Err(error.try_to("name the report whose findings are to be in it").into());
                }
            }
            save(file, &baseline)?;
            writeln!(super::stdout(), "{} in {}", findings(baseline.findings.len()), file.display())?;
        }
        Command::Show { file } => {
            let baseline = Baseline::read(file)?;
            let mut out = super::stdout();
            for (fingerprint, entry) in &baseline.findings {
                let (policy, title) = (printable(&entry.policy, 100), printable(&entry.title, 300));
                let severity = printable(&entry.severity, 8).to_uppercase();
                writeln!(
                    out,
                    "{}  {severity:8}  {policy}: {title}  (since {})",
                    printable(fingerprint, 32),
                    printable(&entry.since, 40)
                )?;
            }
            writeln!(out, "{}", findings(baseline.findings.len()))?;
        }
        Command::Prune { file, report } => {
            let mut baseline = Baseline::read(file)?;
            let before = baseline.findings.len();
            of_report(report, |text| baseline.prune(text))?;
            save(file, &baseline)?;
            writeln!(super::stdout(), "{} gone, {} left", before - baseline.findings.len(), baseline.findings.len())?;
        }
    }
    Ok(0)
}

fn findings(count: usize) -> String {
    if count == 1 { "1 finding".to_owned() } else { format!("{count} findings") }
}

/// Reads a report, and does something with it.
fn of_report(report: &Path, take: impl FnOnce(&str) -> Result<(), Error>) -> Result<(), Error> {
    let about = |error: Error| error.about(report.display().to_string());
    let mut text = String::new();
    let read = if report.as_os_str() == "-" {
        std::io::stdin().read_to_string(&mut text).map(|_| ())
    } else {
        std::fs::read_to_string(report).map(|read| text = read)
    };
    read.map_err(|error| about(Error::new(format!("cannot be read: {error}"))))?;
    take(&text).map_err(about)
}

fn save(file: &Path, baseline: &Baseline) -> Result<(), Failure> {
    let text = baseline.text();
    Ok(Output::create("", file)?.write(|out| out.write_all(text.as_bytes()))?)
}
