//! `lawbook pack`: builds, signs and verifies packs in one file.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use lawbook::cases::report::{self, Format, Look, Measures};
use lawbook::cases::{self, Options, Suite};
use lawbook::diagnostic::Level;
use lawbook::error::Error;
use lawbook::fault::printable;
use lawbook::policy::{Archive, Overrides, Pack, Part, PublicKey, SecretKey, build};
use lawbook::script::Limits;
use serde_json::json;

use super::Failure;
use super::layers::{ConfigArgs, Layers};
use super::log::{self, Entry, Log};
use super::output::Output;
use super::packs::ShapesArgs;

const EXAMPLES: &str = "Examples:
  lawbook pack build my-pack -o my-pack-1.0.0.tar.gz
  lawbook pack keygen team.pem                        writes team.pem and team.pem.pub
  lawbook pack build my-pack --sign team.pem
  lawbook pack verify my-pack-1.0.0.tar.gz --key team.pem.pub
  lawbook scan ./logs --pack my-pack-1.0.0.tar.gz --trusted-key team.pem.pub";

/// Build a pack to one file, sign it, or verify it
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Build a pack that passes its checks and its cases: the same files give the same bytes
    Build(Build),
    /// Say whether an archive holds what its manifest says, and who signed it
    Verify(Verify),
    /// Make a key to sign packs with
    Keygen {
        /// The file of the secret key; that of the public one ends in `.pub`
        key: PathBuf,
    },
}

#[derive(Debug, clap::Args)]
struct Build {
    /// The folder of the pack, with a `pack.yaml` that says name and version
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,

    /// The file to write; without it NAME-VERSION.tar.gz
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Sign it with this key
    #[arg(long, value_name = "KEY")]
    sign: Option<PathBuf>,

    #[command(flatten)]
    shapes: ShapesArgs,
}

#[derive(Debug, clap::Args)]
struct Verify {
    /// The archive
    file: PathBuf,

    /// A public key: one of those that are named must have signed it. Repeat for several
    #[arg(long, value_name = "FILE")]
    key: Vec<PathBuf>,
}

pub(crate) fn run(args: &Args, log: Log) -> Result<u8, Failure> {
    match &args.command {
        Command::Build(args) => build_one(args, log),
        Command::Verify(args) => verify(args),
        Command::Keygen { key } => keygen(key),
    }
}

fn build_one(args: &Build, log: Log) -> Result<u8, Failure> {
    // A path without `./` names files as they stand in the archive.
    let folder: &Path = &args.folder;
    let key = args.sign.as_deref().map(SecretKey::read).transpose()?;
    let pack = Pack::from_folder(folder)?;
    let mut overrides = Overrides::default();
    args.shapes.set(&Layers::read(&ConfigArgs::default())?, &mut overrides)?;
    let limits = Limits::default();
    let mut mistakes = match pack.check(&overrides, &limits) {
        Ok(checked) => cases::check(&pack, &checked, Some(folder), overrides.shapes()),
        Err(mistakes) => mistakes,
    };
    mistakes.retain(|mistake| mistake.level == Level::Error);
    if !mistakes.is_empty() {
        return Err(Failure::Diagnostics(mistakes));
    }
    let paths = [folder.to_owned()];
    let suite = Suite::open(&paths, &overrides, &limits)?;
    let outcome = cases::run(&suite, &Options { writes: false, limits, ..Options::default() })?;
    let (code, reasons) = outcome.exit(false);
    if code != 0 {
        let mut told = Vec::new();
        report::write(Format::Text, &outcome, Measures::default(), Look::default(), &mut told)?;
        let told = String::from_utf8_lossy(&told);
        let entry =
            Entry { level: log::Level::Error, event: "tests", message: &told, fields: json!({ "reasons": reasons }) };
        log.tell(&told, entry);
        let error = Error::new(format!("the pack does not pass its tests: {}", reasons.join("; ")));
        return Err(error.about(folder.display().to_string()).try_to("`lawbook test`").into());
    }
    let policies = suite.packs.iter().flat_map(|tested| &tested.policies);
    let part = |(by, path): (PathBuf, &String)| Part { by, path: path.clone() };
    let parts = policies
        .flat_map(|policy| policy.cases.iter().flat_map(|case| &case.made_of).map(|path| (policy.cases_file(), path)));
    let built = build(folder, &parts.map(part).collect::<Vec<_>>(), key.as_ref())?;
    if built.hash != pack.hash() {
        return Err(Error::new("changed while it was tested").about(folder.display().to_string()).into());
    }
    let file = args.output.clone().unwrap_or_else(|| format!("{}-{}.tar.gz", built.name, built.version).into());
    let output = Output::create("", &file)?;
    output.spare_packs(paths.iter())?;
    output.spare(&args.sign)?;
    output.write(|out| out.write_all(&built.bytes))?;
    let mut out = super::stdout();
    let noun = if built.files == 1 { "file" } else { "files" };
    writeln!(
        out,
        "wrote {}: {} {}, {} {noun}",
        printable(&file.display().to_string(), 1_000),
        built.name,
        built.version,
        built.files
    )?;
    writeln!(out, "  hash    {}", built.hash)?;
    if let Some(key) = &key {
        writeln!(out, "  signed  by {}", key.public().name())?;
    }
    Ok(0)
}

fn verify(args: &Verify) -> Result<u8, Failure> {
    let keys = args.key.iter().map(|key| PublicKey::read(key)).collect::<Result<Vec<_>, _>>()?;
    let archive = Archive::read(&args.file)?;
    let mut out = super::stdout();
    if !keys.is_empty() {
        archive
            .trusted(&keys)
            .map_err(|error| Error { remedy: Some("the key of who should have signed it".to_owned()), ..error })?;
    }
    let file = printable(&archive.file, 1_000);
    writeln!(out, "{file}: {} {}, {} files, all as its manifest says", archive.name, archive.version, archive.len())?;
    if let Some(description) = &archive.description {
        writeln!(out, "  about   {}", printable(description, 300))?;
    }
    writeln!(out, "  hash    {}", archive.hash)?;
    match (&archive.signer, keys.is_empty()) {
        (Some(signer), false) => writeln!(out, "  signed  by {}, which is trusted", signer.name())?,
        (Some(signer), true) => {
            writeln!(out, "  signed  by {} (`--key FILE` says whether that is who it should be)", signer.name())?
        }
        (None, _) => writeln!(out, "  signed  by nobody")?,
    }
    Ok(0)
}

fn keygen(file: &Path) -> Result<u8, Failure> {
    let (secret, public) = SecretKey::generate()?;
    let mut beside = file.as_os_str().to_owned();
    beside.push(".pub");
    let beside = PathBuf::from(beside);
    for one in [file, &beside] {
        if one.exists() {
            return Err(Error::new("is there already").about(one.display().to_string()).try_to("another name").into());
        }
    }
    fresh(file, &secret, true)?;
    fresh(&beside, &public.pem(), false)?;
    let mut out = super::stdout();
    writeln!(out, "wrote {} (secret: keep it out of the repository)", printable(&file.display().to_string(), 1_000))?;
    writeln!(out, "wrote {}", printable(&beside.display().to_string(), 1_000))?;
    writeln!(out, "  key     {}", public.name())?;
    Ok(0)
}

/// Writes a file that was not there; a secret one only its owner may read.
fn fresh(file: &Path, text: &str, is_secret: bool) -> Result<(), Error> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, if is_secret { 0o600 } else { 0o644 });
    let written = options.open(file).and_then(|mut out| out.write_all(text.as_bytes()));
    written.map_err(|error| Error::new(format!("cannot be written: {error}")).about(file.display().to_string()))
}
