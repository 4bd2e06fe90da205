//! `lawbook completions`: for shells.

use std::io::Write;

use clap::CommandFactory;
use clap_complete::{Shell, generate};

use super::{Cli, Failure};

/// Print completions for a shell
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  lawbook completions bash > ~/.local/share/bash-completion/completions/lawbook")]
pub(crate) struct Args {
    /// Which shell
    shell: Shell,
}

pub(crate) fn run(args: &Args) -> Result<u8, Failure> {
    let mut text = Vec::new();
    generate(args.shell, &mut Cli::command(), "lawbook", &mut text);
    super::stdout().write_all(&text)?;
    Ok(0)
}
