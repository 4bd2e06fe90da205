//! `lawbook docs`: the references of the policy language and of its diagnostics, from the code.

use std::io::Write;

use super::Failure;

/// Print the reference of the policy language: every function with examples, in Markdown
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The reference of diagnostics instead: every code with its page
    #[arg(long)]
    diagnostics: bool,

    /// The functions as definitions that editors read, in Rhai's notation, instead
    #[arg(long, conflicts_with = "diagnostics")]
    definitions: bool,
}

pub(crate) fn run(args: &Args) -> Result<u8, Failure> {
    let text = match (args.diagnostics, args.definitions) {
        (true, _) => lawbook::lint::markdown(),
        (_, true) => lawbook::script::definitions(),
        _ => lawbook::script::reference(),
    };
    super::stdout().write_all(text.as_bytes())?;
    Ok(0)
}
