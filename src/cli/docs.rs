//! `lawbook docs`: the reference of the policy language, from the code.

use std::io::Write;

use super::Failure;

/// Print the reference of the policy language: every function with examples, in Markdown
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_: &Args) -> Result<u8, Failure> {
    super::stdout().write_all(lawbook::script::reference().as_bytes())?;
    Ok(0)
}
