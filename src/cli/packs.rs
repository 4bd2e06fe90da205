//! Which policies a command works with, and what is set for them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Args;
use lawbook::diagnostic::Level;
use lawbook::error::Error;
use lawbook::policy::{Checked, Config, DEFAULT, LOCAL, Overrides, Pack};
use lawbook::schema::Shapes;
use lawbook::script::Limits;

use super::Failure;

/// Which policies, and their parameters.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Policies")]
pub(crate) struct PackArgs {
    /// A folder of policies instead of the embedded pack; `default` is the embedded pack. Repeat for several.
    #[arg(long, value_name = "DIR")]
    pub(crate) pack: Vec<PathBuf>,

    /// One policy's file; without `--pack`, instead of the embedded pack. Repeat for several.
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Vec<PathBuf>,

    /// Only the policy of this id. Repeat for several.
    #[arg(long, value_name = "ID")]
    pub(crate) only: Vec<String>,

    /// Not the policy of this id. Repeat for several.
    #[arg(long, value_name = "ID")]
    pub(crate) skip: Vec<String>,

    /// Sets a parameter of a policy; the value is YAML and checked against its type. Repeat for several.
    #[arg(long, value_name = "ID.NAME=VALUE")]
    pub(crate) param: Vec<String>,

    /// The configuration, instead of the `lawbook.yaml` in this folder or the nearest above.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) shapes: ShapesArgs,
}

/// What AWS has that this version does not know.
#[derive(Debug, Default, Args)]
pub(crate) struct ShapesArgs {
    /// A folder that says what AWS has and this version does not know: sources, events, fields (docs/shapes.md)
    #[arg(long, value_name = "DIR", env = "LAWBOOK_SHAPES")]
    shapes: Option<PathBuf>,
}

impl ShapesArgs {
    /// Has policies checked by what the folder says, too; every mistake in its files is told at once.
    pub(crate) fn set(&self, overrides: &mut Overrides) -> Result<(), Failure> {
        if let Some(folder) = &self.shapes {
            overrides.set_shapes(Shapes::embedded().with_extra(folder).map_err(Failure::Errors)?);
        }
        Ok(())
    }
}

/// Policies that load, and those that were asked for by name.
pub(crate) struct Loaded {
    pub(crate) packs: Checked,
    pub(crate) named: BTreeSet<String>,
}

impl PackArgs {
    /// Loads everything that is asked for; every mistake in every policy is told at once.
    pub(crate) fn load(&self, limits: &Limits) -> Result<Loaded, Failure> {
        let config = match &self.config {
            Some(file) => Config::read(file)?,
            None => Config::find(&std::env::current_dir().unwrap_or_else(|_| PathBuf::from(".")))?,
        };
        let mut overrides = Overrides::from_config(&config);
        for param in &self.param {
            overrides.set_param(param)?;
        }
        self.shapes.set(&mut overrides)?;
        let mut packs = Checked::default();
        let mut diagnostics = Vec::new();
        let mut named: BTreeSet<String> = BTreeSet::new();
        let mut names: BTreeSet<String> = BTreeSet::new();
        for pack in self.sources()? {
            if !names.insert(pack.name().to_owned()) && pack.name() != LOCAL {
                return Err(Error::new(format!("two packs are named `{}`", pack.name()))
                    .try_to("rename one of the folders")
                    .into());
            }
            match pack.load(&overrides, limits) {
                Ok(checked) => packs.join(checked),
                // What keeps nothing from loading is for `check` to tell.
                Err(mistakes) => {
                    diagnostics.extend(mistakes.into_iter().filter(|mistake| mistake.level == Level::Error));
                }
            }
        }
        if !diagnostics.is_empty() {
            return Err(Failure::Diagnostics(diagnostics));
        }
        packs.accepts(&overrides)?;
        named.extend(
            self.policy.iter().filter_map(|file| file.file_stem()).map(|stem| stem.to_string_lossy().into_owned()),
        );
        for id in self.only.iter().chain(&self.skip) {
            if packs.get(id).is_none() {
                return Err(packs.unknown(id).into());
            }
        }
        let (only, skip): (BTreeSet<&str>, BTreeSet<&str>) =
            (self.only.iter().map(String::as_str).collect(), self.skip.iter().map(String::as_str).collect());
        let is = |ids: &BTreeSet<&str>, policy: &lawbook::policy::Policy| {
            ids.contains(&*policy.id) || policy.header.formerly.iter().any(|former| ids.contains(former.as_str()))
        };
        packs.retain(|policy| (only.is_empty() || is(&only, policy)) && !is(&skip, policy));
        if packs.policies().is_empty() {
            return Err(Error::new("no policy is left to judge by").try_to("`lawbook list`").into());
        }
        if !self.only.is_empty() {
            named.extend(packs.policies().iter().map(|policy| policy.id.to_string()));
        }
        Ok(Loaded { packs, named })
    }

    fn sources(&self) -> Result<Vec<Pack>, Error> {
        let mut sources = Vec::new();
        if self.pack.is_empty() && self.policy.is_empty() {
            sources.push(Pack::embedded());
        }
        for pack in &self.pack {
            sources.push(if pack == Path::new(DEFAULT) { Pack::embedded() } else { Pack::from_folder(pack)? });
        }
        for policy in &self.policy {
            sources.push(Pack::from_file(policy)?);
        }
        Ok(sources)
    }
}
