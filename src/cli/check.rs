//! `lawbook check`: says everything that can be said about policies without running them.

use std::io::Write;
use std::path::PathBuf;

use lawbook::policy::{Overrides, Pack};
use lawbook::script::Limits;

use super::Failure;

/// Check policies without running them
///
/// Every mistake in every policy is drawn in one run; `scan` does the same before it reads anything.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  lawbook check                     the embedded pack\n  lawbook check my-pack one.rhai    a folder and a file"
)]
pub(crate) struct Args {
    /// Policies' files, or folders of them; without any, the embedded pack
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
}

pub(crate) fn run(args: &Args) -> Result<u8, Failure> {
    let mut packs = Vec::new();
    for path in &args.paths {
        packs.push(if path.is_dir() { Pack::from_folder(path)? } else { Pack::from_file(path)? });
    }
    if packs.is_empty() {
        packs.push(Pack::embedded());
    }
    let mut diagnostics = Vec::new();
    let mut sound = 0;
    for pack in packs {
        match pack.check(&Overrides::default(), &Limits::default()) {
            Ok(checked) => sound += checked.policies().len(),
            Err(mistakes) => diagnostics.extend(mistakes),
        }
    }
    if !diagnostics.is_empty() {
        return Err(Failure::Diagnostics(diagnostics));
    }
    let noun = if sound == 1 { "policy loads" } else { "policies load" };
    writeln!(super::stdout(), "{sound} {noun}.")?;
    Ok(0)
}
