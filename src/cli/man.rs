//! `lawbook man`: manual pages.

use std::io::Write;
use std::path::PathBuf;

use clap::CommandFactory;
use clap_mangen::Man;
use lawbook::error::Error;

use super::{Cli, Failure};

/// Print the manual page, or write one for each command to a folder
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  lawbook man | man -l -\n  lawbook man --dir ~/.local/share/man/man1")]
pub(crate) struct Args {
    /// Write `lawbook.1`, `lawbook-scan.1`, … to this folder
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

pub(crate) fn run(args: &Args) -> Result<u8, Failure> {
    let mut command = Cli::command();
    command.build();
    let Some(dir) = &args.dir else {
        let mut page = Vec::new();
        Man::new(command).render(&mut page)?;
        super::stdout().write_all(&page)?;
        return Ok(0);
    };
    let fail =
        |error: std::io::Error| Error::new(format!("cannot be written: {error}")).about(dir.display().to_string());
    std::fs::create_dir_all(dir).map_err(fail)?;
    clap_mangen::generate_to(command, dir).map_err(fail)?;
    Ok(0)
}
