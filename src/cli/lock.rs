//! `lawbook lock`: writes down what the packs of the configuration hold, so that nothing else is run unseen.

use std::io::Write;

use lawbook::error::Error;
use lawbook::fault::printable;
use lawbook::policy::{Lock, Pack};

use super::Failure;
use super::layers::{ConfigArgs, Layers};
use super::output::Output;
use super::packs::{Locking, PackArgs, ShapesArgs, lock_file, verify};

const EXAMPLES: &str = "Examples:
  lawbook lock                 after a look at what changed
  lawbook lock --check         in a pipeline: exit 2 if a pack is not as it was
  lawbook scan --locked        the same, and a missing lock is an error, too";

/// Write `lawbook.lock`: the packs of `lawbook.yaml`, with their versions and the hashes of what they hold
///
/// From then on `scan`, `check` and `test` refuse packs that are not as they were.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Write nothing; exit 2 if a pack is not as it was locked
    #[arg(long)]
    check: bool,

    #[command(flatten)]
    config: ConfigArgs,
}

pub(crate) fn run(args: &Args) -> Result<u8, Failure> {
    let layers = Layers::read(&args.config)?;
    let Some(file) = lock_file(&layers) else {
        let error = Error::new("there is no `lawbook.yaml` here or above, whose packs could be locked");
        return Err(error.try_to("`packs:` in a `lawbook.yaml`").into());
    };
    let configured = PackArgs::configured(&args.config, &ShapesArgs::default());
    let packs: Vec<Pack> = configured.choose(&layers)?.open()?.into_iter().map(|(pack, _)| pack).collect();
    let mut out = super::stdout();
    let name = printable(&file.display().to_string(), 1_000);
    if args.check {
        verify(&layers, Locking::Must, packs.iter().map(|pack| (pack, false)))?;
        let lock = Lock::read(&file)?;
        if let Some(gone) = lock.packs.keys().find(|name| !packs.iter().any(|pack| pack.name() == **name)) {
            let error = Error::new(format!("`{gone}` is locked, and no pack of the configuration")).about(name);
            return Err(error.try_to("`lawbook lock`").into());
        }
        writeln!(out, "{} as locked in {name}", count(packs.len()))?;
        return Ok(0);
    }
    let lock = Lock::of(&packs);
    if lock.packs.len() < packs.len() {
        return Err(Error::new("two packs have one name").try_to("another `name` in the `pack.yaml` of one").into());
    }
    let before = file.exists().then(|| Lock::read(&file)).transpose().unwrap_or(None);
    for pack in &packs {
        let version = pack.version().map_or_else(String::new, |version| format!(" {version}"));
        let change = match before.as_ref().map(|before| before.holds(pack)) {
            None | Some(None) => "new".to_owned(),
            Some(Some(Ok(()))) => "unchanged".to_owned(),
            Some(Some(Err(changes))) => changes,
        };
        writeln!(out, "{}{version}: {}", printable(pack.name(), 100), printable(&change, 1_000))?;
    }
    let text = lock.text();
    Output::create("", &file)?.write(|out| out.write_all(text.as_bytes()))?;
    writeln!(out, "wrote {name}")?;
    Ok(0)
}

fn count(packs: usize) -> String {
    if packs == 1 { "1 pack is".to_owned() } else { format!("{packs} packs are") }
}
