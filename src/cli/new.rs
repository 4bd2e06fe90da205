//! `lawbook new`: writes a policy to begin with, its cases, and the snapshot of what it finds in them.

mod from_record;

use std::io::Write;
use std::path::{Path, PathBuf};

use lawbook::cases::{self, Options, Stop, Suite};
use lawbook::error::Error;
use lawbook::policy::{LOCAL, Overrides, is_root, root_of};
use lawbook::script::Limits;

use super::Failure;
use super::layers::{ConfigArgs, Layers};
use super::packs::ShapesArgs;

/// Begin a policy: writes ID.rhai, ID.cases.yaml and ID.snap
///
/// In a folder that is part of no pack and holds no policy yet, `pack.yaml` is written, too: it names the pack, whatever
/// becomes of the folder.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  lawbook new key-pair-created --dir my-pack\n  lawbook new trail-stopped --from stopped.json\n  lawbook scan ./logs --policy my-pack/key-pair-created.rhai"
)]
pub(crate) struct Args {
    /// The policy's id: lower-case words and hyphens that read well after "waive"
    #[arg(value_name = "ID")]
    id: String,

    /// The folder to write to
    #[arg(long, value_name = "DIR", default_value = ".")]
    dir: PathBuf,

    /// What it judges: `cloudtrail`, or an inventory kind such as `ec2/volumes`
    #[arg(
        long,
        value_name = "KIND",
        default_value = "cloudtrail",
        default_value_if("from", clap::builder::ArgPredicate::IsPresent, None)
    )]
    judges: Option<String>,

    /// A record that the policy finds, in any shape that `scan` reads: cases are made of it. With `--judges` it is one of
    /// that kind
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,

    /// With --from: which of several records, as a JSONPath over the list of them, such as `$[2]`
    #[arg(long, value_name = "JSONPATH", requires = "from")]
    select: Option<String>,

    #[command(flatten)]
    shapes: ShapesArgs,
}

/// The file that names a pack.
const PACK: &str = include_str!("new/pack.yaml");
const EVENT: &str = include_str!("new/event.rhai");
const EVENT_CASES: &str = include_str!("new/event.cases.yaml");
const RESOURCE: &str = include_str!("new/resource.rhai");
const RESOURCE_CASES: &str = include_str!("new/resource.cases.yaml");

pub(crate) fn run(args: &Args) -> Result<u8, Failure> {
    let is_id = args
        .id
        .split('-')
        .all(|word| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()));
    if !is_id || !args.id.starts_with(|c: char| c.is_ascii_lowercase()) {
        return Err(Error::new("is no id: lower-case words, digits and hyphens")
            .about(&args.id)
            .try_to("`lawbook new key-pair-created`")
            .into());
    }
    let judges = args.judges.as_deref();
    let is_event = judges.is_none_or(|kind| kind == lawbook::record::CLOUDTRAIL);
    if let Some(kind) = judges.filter(|kind| !is_event && !lawbook::schema::is_kind(kind)) {
        return Err(super::no_kind(kind).into());
    }
    let mut overrides = Overrides::default();
    args.shapes.set(&Layers::read(&ConfigArgs::default())?, &mut overrides)?;
    let written = match &args.from {
        Some(file) => from_record::write(&args.id, file, judges, args.select.as_deref(), &overrides)?,
        None => {
            let (policy, cases) = if is_event { (EVENT, EVENT_CASES) } else { (RESOURCE, RESOURCE_CASES) };
            let policy = policy.replace("{{kind}}", judges.unwrap_or_default());
            from_record::Written { policy, cases: cases.to_owned(), note: None }
        }
    };
    // What is part of a pack has its name, and that of policies that have none yet is in their snapshots.
    let root = root_of(&args.dir);
    if let Some(above) = above_lib(&args.dir, &root) {
        return Err(Error::new("holds what policies share: a policy in `lib/` is never asked")
            .about(args.dir.display().to_string())
            .try_to(format!("`--dir {}`", above.display()))
            .into());
    }
    let begins = !is_root(&root) && !holds_scripts(&args.dir);
    std::fs::create_dir_all(&args.dir)
        .map_err(|error| Error::new(format!("cannot be made: {error}")).about(args.dir.display().to_string()))?;
    let policy_file = args.dir.join(format!("{}.rhai", args.id));
    let cases_file = args.dir.join(format!("{}.cases.yaml", args.id));
    for file in [&policy_file, &cases_file] {
        if file.exists() {
            return Err(Error::new("is there already")
                .about(file.display().to_string())
                .try_to("another id, or remove the file")
                .into());
        }
    }
    write(&policy_file, &written.policy)?;
    write(&cases_file, &written.cases)?;
    let mut out = super::stdout();
    if let Some(note) = &written.note {
        writeln!(out, "note: {note}")?;
    }
    if begins {
        let manifest = args.dir.join("pack.yaml");
        write(&manifest, &PACK.replace("{{name}}", &pack_name(&args.dir)))?;
        writeln!(out, "wrote {}", manifest.display())?;
    }
    writeln!(out, "wrote {}", policy_file.display())?;
    writeln!(out, "wrote {}", cases_file.display())?;
    match snapshot(&policy_file, &overrides) {
        Ok(files) => files.iter().try_for_each(|file| writeln!(out, "wrote {}", file.display()))?,
        // The policy is there all the same; `lawbook test` says what is wrong, in full.
        Err(Stop::Error(error)) => writeln!(out, "no snapshot yet: {error}")?,
        Err(Stop::Diagnostics(mistakes)) => {
            let first = mistakes.first().map(|mistake| mistake.message.clone()).unwrap_or_default();
            writeln!(out, "no snapshot yet: {first}")?;
        }
    }
    writeln!(out, "next: lawbook test {}", policy_file.display())?;
    Ok(0)
}

/// The folder above the `lib/` that a folder is, or is within, of the pack that begins at `root`.
fn above_lib(folder: &Path, root: &Path) -> Option<PathBuf> {
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let (folder, root) = (absolute(folder), absolute(root));
    // What is part of no pack yet would be the library of the folder above.
    let within = if is_root(&root) { root.as_path() } else { folder.parent()? };
    let is_lib = |path: &&Path| path.file_name().is_some_and(|name| name == "lib");
    let lib = folder.ancestors().take_while(|path| *path != within).filter(is_lib).last()?;
    let above = lib.parent()?;
    // As seen from here, where that is possible.
    let here = absolute(Path::new("."));
    Some(match above.strip_prefix(&here) {
        Ok(below) if below.as_os_str().is_empty() => PathBuf::from("."),
        Ok(below) => below.to_owned(),
        Err(_) => above.to_owned(),
    })
}

fn holds_scripts(folder: &Path) -> bool {
    let entries = walkdir::WalkDir::new(folder).follow_links(true).into_iter().filter_map(Result::ok);
    entries.map(walkdir::DirEntry::into_path).any(|file| file.extension().is_some_and(|end| end == "rhai"))
}

/// A pack's name by that of its folder.
fn pack_name(folder: &Path) -> String {
    let absolute = std::fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
    let name = absolute.file_name().map(|name| name.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    let words: Vec<&str> =
        name.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    if words.is_empty() { LOCAL.to_owned() } else { words.join("-") }
}

/// Writes what the policy finds in its cases: nobody has seen it before, so there is nothing to review.
fn snapshot(policy: &Path, overrides: &Overrides) -> Result<Vec<PathBuf>, Stop> {
    let paths = [policy.to_owned()];
    let suite = Suite::open(&paths, overrides, &Limits::default())?;
    cases::run(&suite, &Options { writes: true, ..Options::default() })?;
    let mut written = Vec::new();
    for pending in cases::pending(&paths)? {
        pending.accept()?;
        written.push(pending.snapshot);
    }
    Ok(written)
}

fn write(file: &Path, text: &str) -> Result<(), Error> {
    std::fs::write(file, text)
        .map_err(|error| Error::new(format!("cannot be written: {error}")).about(file.display().to_string()))
}
