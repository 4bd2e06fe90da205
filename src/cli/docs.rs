//! `lawbook docs`: the references of the policy language and of its diagnostics, from the code.

use std::io::Write;

use lawbook::schema::Shapes;

use super::{Failure, no_kind};

/// Print the reference of the policy language: every function with examples, in Markdown
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The reference of diagnostics instead: every code with its page
    #[arg(long)]
    diagnostics: bool,

    /// The functions and the fields of events as definitions that editors read, in Rhai's notation, instead
    #[arg(long, conflicts_with = "diagnostics")]
    definitions: bool,

    /// With --definitions: the fields of resources of this kind, too, such as `ec2/volumes`; may be given several times
    #[arg(long = "kind", value_name = "KIND", requires = "definitions")]
    kinds: Vec<String>,
}

pub(crate) fn run(args: &Args) -> Result<u8, Failure> {
    let text = match (args.diagnostics, args.definitions) {
        (true, _) => lawbook::lint::markdown(),
        (_, true) => definitions(&args.kinds)?,
        _ => lawbook::script::reference(),
    };
    super::stdout().write_all(text.as_bytes())?;
    Ok(0)
}

fn definitions(kinds: &[String]) -> Result<String, Failure> {
    let shapes = Shapes::embedded();
    let mut text = lawbook::script::definitions();
    text.push_str(&shapes.event_definition());
    for kind in kinds {
        let Some(definition) = shapes.resource_definition(kind) else { return Err(no_kind(kind).into()) };
        text.push_str(&definition);
    }
    Ok(text)
}
