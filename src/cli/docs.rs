//! `lawbook docs`: the references of the policy language and of its diagnostics, from the code; and the page of policies.

use std::io::Write;
use std::path::PathBuf;

use lawbook::error::Error;
use lawbook::policy::{Checked, Overrides, Pack, catalogue};
use lawbook::schema::Shapes;
use lawbook::script::Limits;

use super::layers::{ConfigArgs, Layers};
use super::packs::ShapesArgs;
use super::{Failure, no_kind};

/// Print the reference of the policy language: every function with examples, in Markdown
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  lawbook docs --policies my-pack > my-pack/README.md\n  lawbook docs --policies my-pack --check my-pack/README.md     in a pipeline: exit 1 if it is stale"
)]
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

    /// A page of what policies find instead: those of these packs or files, without any those of the embedded pack
    #[arg(long, value_name = "PATH", num_args = 0.., conflicts_with_all = ["diagnostics", "definitions"])]
    policies: Option<Vec<PathBuf>>,

    #[command(flatten)]
    shapes: ShapesArgs,

    /// Print nothing; exit 1 if this file is not what would be printed
    #[arg(long, value_name = "FILE")]
    check: Option<PathBuf>,
}

pub(crate) fn run(args: &Args) -> Result<u8, Failure> {
    let text = match (&args.policies, args.diagnostics, args.definitions) {
        (Some(paths), ..) => policies(paths, args)?,
        (_, true, _) => lawbook::lint::markdown(),
        (_, _, true) => definitions(&args.kinds)?,
        _ => lawbook::script::reference(),
    };
    let Some(file) = &args.check else {
        super::stdout().write_all(text.as_bytes())?;
        return Ok(0);
    };
    let name = file.display();
    let kept = std::fs::read_to_string(file)
        .map_err(|error| Error::new(format!("cannot be read: {error}")).about(name.to_string()))?;
    // Editors and git may have changed the ends of lines.
    if kept.replace("\r\n", "\n") == text {
        return Ok(0);
    }
    let told = format!("{name}: is stale (try: the same command without `--check`, with `> {name}`)\n");
    let _ = std::io::stderr().write_all(told.as_bytes());
    Ok(1)
}

fn policies(paths: &[PathBuf], args: &Args) -> Result<String, Failure> {
    let (mut all, mut overrides) = (Checked::default(), Overrides::default());
    args.shapes.set(&Layers::read(&ConfigArgs::default())?, &mut overrides)?;
    let packs = match paths {
        [] => vec![Pack::embedded()],
        paths => paths
            .iter()
            .map(|path| if path.is_dir() { Pack::from_folder(path) } else { Pack::from_file(path) })
            .collect::<Result<Vec<Pack>, Error>>()?,
    };
    for pack in packs {
        all.join(pack.check(&overrides, &Limits::default()).map_err(Failure::Diagnostics)?);
    }
    Ok(catalogue(&all))
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
