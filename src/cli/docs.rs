//! `lawbook docs`: the references of the policy language and of its diagnostics, from the code; and the pages of policies.

mod folder;

use std::io::Write;
use std::path::PathBuf;

use lawbook::error::Error;
use lawbook::policy::{Catalogue, Checked, Overrides, Pack, root_of};
use lawbook::schema::Shapes;
use lawbook::script::Limits;
use serde_json::json;

use super::layers::{ConfigArgs, Layers};
use super::log::{Level, Log};
use super::output;
use super::packs::ShapesArgs;
use super::{Failure, no_kind};

/// Print the reference of the policy language: every function with examples, in Markdown
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  lawbook docs --policies my-pack --output my-pack/docs        a page for each policy, and indexes\n  lawbook docs --policies my-pack --check my-pack/docs         in a pipeline: exit 1 if a page is stale, missing or left over\n  lawbook docs --policies my-pack > my-pack/README.md          all in one page"
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

    /// What policies find instead, in one page: those of these packs or files, without any those of the embedded pack
    #[arg(long, value_name = "PATH", num_args = 0.., conflicts_with_all = ["diagnostics", "definitions"])]
    policies: Option<Vec<PathBuf>>,

    #[command(flatten)]
    shapes: ShapesArgs,

    /// With --policies: write a page for each policy, and indexes, into this folder, which is for these pages alone
    #[arg(long, value_name = "DIR", requires = "policies", conflicts_with = "check")]
    output: Option<PathBuf>,

    /// Write nothing; exit 1 if this file is not what would be printed, or this folder not what `--output` would make it
    #[arg(long, value_name = "PATH")]
    check: Option<PathBuf>,
}

pub(crate) fn run(args: &Args, log: Log) -> Result<u8, Failure> {
    let packs = args.policies.as_ref().map(|paths| packs(paths, args)).transpose()?;
    let catalogue = packs.as_ref().map(|packs| {
        let mut catalogue = Catalogue::default();
        packs.iter().for_each(|(pack, folder)| catalogue.add(pack, folder));
        catalogue
    });
    if let (Some(catalogue), Some(folder)) = (&catalogue, &args.output) {
        if output::is_standard(folder) {
            let error = Error::new("is standard output, and pages are written to a folder").about("--output -");
            return Err(error.try_to("`lawbook docs --policies` prints one page of all").into());
        }
        return folder::write(folder, &catalogue.pages());
    }
    if let (Some(catalogue), Some(folder)) = (&catalogue, args.check.as_ref().filter(|path| path.is_dir())) {
        return folder::check(folder, &catalogue.pages());
    }
    let text = match (&catalogue, args.diagnostics, args.definitions) {
        (Some(catalogue), ..) => catalogue.page(),
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
    let told = format!("{name}: is stale (try: the same command without `--check`, with `> {name}`)");
    log.line(Level::Warn, "stale", &told, json!({ "file": file }));
    Ok(1)
}

/// The packs that are to be written about, each with the folder that it was read from; all mistakes in them are told at once.
fn packs(paths: &[PathBuf], args: &Args) -> Result<Vec<(Checked, String)>, Failure> {
    let mut overrides = Overrides::default();
    args.shapes.set(&Layers::read(&ConfigArgs::default())?, &mut overrides)?;
    let mut packs = vec![];
    for path in paths {
        packs.push(match path.is_dir() {
            true => (Pack::from_folder(path)?, path.display().to_string()),
            false => (Pack::from_file(path)?, root_of(path.parent().unwrap_or(path)).display().to_string()),
        });
    }
    if packs.is_empty() {
        packs.push((Pack::embedded(), "policies".to_owned()));
    }
    let mut all = Vec::new();
    let mut mistakes = Vec::new();
    for (pack, folder) in packs {
        match pack.check(&overrides, &Limits::default()) {
            Ok(checked) => all.push((checked, folder)),
            Err(found) => mistakes.extend(found),
        }
    }
    if mistakes.is_empty() { Ok(all) } else { Err(Failure::Diagnostics(mistakes)) }
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
