//! `lawbook check`: says everything that can be said about policies without running them.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use lawbook::cases;
use lawbook::diagnostic::{Diagnostic, Level};
use lawbook::error::Error;
use lawbook::fault::printable;
use lawbook::lint;
use lawbook::policy::{Checked, Overrides, Pack, is_archive};
use lawbook::report::diagnostic::{self as report, Format};
use lawbook::script::Limits;

use super::Failure;
use super::layers::{ConfigArgs, Layers};
use super::log::Log;
use super::output::Output;
use super::packs::{PackArgs, ShapesArgs, locking, verify};

/// Check policies without running them
///
/// Everything that can be said of every policy is told in one run: errors, which keep a policy from loading, and warnings.
/// `scan` checks policies, too, before it reads anything; files of cases are checked here alone.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Policies' files or files of cases, folders of them, or archives; without any, the packs of the configuration, or the
    /// embedded pack
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// How to write what is found
    #[arg(long, value_enum, default_value_t = FormatArg::Text)]
    format: FormatArg,

    /// Warnings make the exit code 2, too
    #[arg(long)]
    strict: bool,

    /// Make the changes that are sure: names that can only have been another, comments that allow nothing
    #[arg(long)]
    fix: bool,

    /// With --fix: show the changes as a diff, and write nothing
    #[arg(long, requires = "fix")]
    dry_run: bool,

    #[command(flatten)]
    config: ConfigArgs,

    #[command(flatten)]
    shapes: ShapesArgs,
}

const EXAMPLES: &str = "Examples:
  lawbook check                     the embedded pack
  lawbook check my-pack one.rhai    a folder and a file
  lawbook check my-pack --strict --format github    in a pipeline
  lawbook explain outcome           what a code means, and what to write instead";

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FormatArg {
    /// For people, with the lines drawn, on standard error
    Text,
    /// One object with a list of diagnostics
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// Annotations of GitHub Actions
    Github,
}

pub(crate) fn run(args: &Args, log: Log) -> Result<u8, Failure> {
    let mut overrides = Overrides::default();
    let layers = Layers::read(&args.config)?;
    args.shapes.set(&layers, &mut overrides)?;
    if args.fix {
        mend(args, &overrides)?;
    }
    let packs = to_check(args, &layers)?;
    let locking = locking(&layers, &args.config)?;
    verify(&layers, locking, packs.iter().map(|(pack, _)| (pack, true)))?;
    let (diagnostics, sound) = check(packs, &overrides)?;
    let has = |level| diagnostics.iter().any(|diagnostic| diagnostic.level == level);
    let code = if has(Level::Error) || (args.strict && has(Level::Warning)) { 2 } else { 0 };
    let format = match args.format {
        FormatArg::Text => {
            log.diagnostics(&diagnostics);
            loaded(&diagnostics, sound)?;
            return Ok(code);
        }
        FormatArg::Json => Format::Json,
        FormatArg::Sarif => Format::Sarif,
        FormatArg::Github => Format::Github,
    };
    super::stdout().write_all(report::write(format, &diagnostics).as_bytes())?;
    Ok(code)
}

/// Makes the changes that are sure, or shows them.
fn mend(args: &Args, overrides: &Overrides) -> Result<(), Failure> {
    if args.paths.is_empty() {
        return Err(Error::new("the embedded pack cannot be changed")
            .about("--fix")
            .try_to("name files or folders")
            .into());
    }
    for pack in packs(&args.paths)? {
        for fixed in lint::fix(&pack, overrides, &Limits::default()) {
            if args.dry_run {
                let diff = similar::TextDiff::from_lines(&fixed.before, &fixed.after);
                let name = printable(&fixed.file, 1_000);
                write!(super::stdout(), "{}", diff.unified_diff().context_radius(3).header(&name, &name))?;
            } else {
                let file = Output::create("", Path::new(&fixed.file))?;
                file.write(|out| out.write_all(fixed.after.as_bytes()))?;
                let noun = if fixed.changes == 1 { "change" } else { "changes" };
                writeln!(super::stdout(), "fixed {}: {} {noun}", printable(&fixed.file, 1_000), fixed.changes)?;
            }
        }
    }
    Ok(())
}

fn packs(paths: &[PathBuf]) -> Result<Vec<Pack>, Error> {
    let pack = |path: &PathBuf| match path.is_dir() {
        true => Pack::from_folder(path),
        false if is_archive(path) => Pack::open(path, &[]),
        false => Pack::from_file(&cases::policy_of(path)?),
    };
    paths.iter().map(pack).collect()
}

/// The packs to check, each with its folder if it was read from one.
fn to_check(args: &Args, layers: &Layers) -> Result<Vec<(Pack, Option<PathBuf>)>, Failure> {
    let folder = |path: &PathBuf| path.is_dir().then(|| path.clone());
    if !args.paths.is_empty() {
        return Ok(packs(&args.paths)?.into_iter().zip(&args.paths).map(|(pack, path)| (pack, folder(path))).collect());
    }
    // The embedded one, if nothing says otherwise.
    let configured = PackArgs::configured(&args.config, &args.shapes);
    let choice = configured.choose(layers)?;
    let packs = choice.open()?.into_iter().map(|(pack, _)| pack);
    Ok(packs.zip(choice.paths()).map(|(pack, path)| (pack, folder(path))).collect())
}

/// Everything that is said of the packs and of their cases, and how many policies load.
fn check(packs: Vec<(Pack, Option<PathBuf>)>, overrides: &Overrides) -> Result<(Vec<Diagnostic>, usize), Failure> {
    let (mut diagnostics, mut sound) = (Vec::new(), 0);
    for (pack, folder) in packs {
        let checked = pack.check(overrides, &Limits::default()).unwrap_or_else(|mistakes| {
            diagnostics.extend(mistakes);
            Checked::default()
        });
        sound += checked.policies().len();
        diagnostics.extend_from_slice(checked.warnings());
        diagnostics.extend(cases::check(&pack, &checked, folder.as_deref(), overrides.shapes()));
    }
    // A file that is named twice is told once.
    diagnostics.sort_by(|a, b| a.order().cmp(&b.order()));
    diagnostics.dedup();
    Ok((diagnostics, sound))
}

/// Says how many policies load, if all do.
fn loaded(diagnostics: &[Diagnostic], sound: usize) -> Result<(), Failure> {
    if !diagnostics.iter().any(|diagnostic| diagnostic.level == Level::Error) {
        let noun = if sound == 1 { "policy loads" } else { "policies load" };
        writeln!(super::stdout(), "{sound} {noun}.")?;
    }
    Ok(())
}
