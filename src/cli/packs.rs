//! Which policies a command works with, and what is set for them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Args;
use lawbook::diagnostic::Level;
use lawbook::error::Error;
use lawbook::finding::Enforcement;
use lawbook::policy::{By, Checked, DEFAULT, LOCAL, LOCK, Lock, Overrides, Pack, Policy, PublicKey, Said, satisfies};
use lawbook::schema::Shapes;
use lawbook::script::Limits;
use serde_json::Value;

use super::layers::{ConfigArgs, Layers, Row, Taking, flag_of, words};
use super::{Failure, both};

/// Which policies, and their parameters.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Policies")]
pub(crate) struct PackArgs {
    /// A folder of policies, or an archive of `lawbook pack build`, instead of the embedded pack; `default` is the embedded
    /// pack. Repeat for several.
    #[arg(long, value_name = "PATH")]
    pub(crate) pack: Vec<PathBuf>,

    /// One policy's file; without `--pack`, instead of the embedded pack. Repeat for several.
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Vec<PathBuf>,

    /// Only the policy of this id, or those of this folder, tag or pack. Repeat for several.
    #[arg(long, value_name = "ID")]
    pub(crate) only: Vec<String>,

    /// Not the policy of this id, or those of this folder, tag or pack. Repeat for several.
    #[arg(long, value_name = "ID")]
    pub(crate) skip: Vec<String>,

    /// Sets a parameter of a policy; the value is YAML and checked against its type. Repeat for several.
    #[arg(long, value_name = "ID.NAME=VALUE")]
    pub(crate) param: Vec<String>,

    /// Sets the severity of all findings of a policy. Repeat for several.
    #[arg(long, value_name = "ID=SEVERITY")]
    severity: Vec<String>,

    /// Whether findings of a policy, a folder, a tag, a pack or `all` fail the run, are only reported, or are not asked for:
    /// `fail`, `report`, `off`. The closest counts. Repeat for several.
    #[arg(long, value_name = "ID=MODE")]
    enforce: Vec<String>,

    /// A public key: every archive must be signed by one of those that are named. Repeat for several.
    #[arg(long, value_name = "FILE")]
    pub(crate) trusted_key: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) config: ConfigArgs,

    #[command(flatten)]
    pub(crate) shapes: ShapesArgs,
}

/// What AWS has that this version does not know.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ShapesArgs {
    /// A folder that says what AWS has and this version does not know: sources, events, fields (docs/shapes.md)
    /// [env: LAWBOOK_SHAPES]
    #[arg(long, value_name = "DIR")]
    shapes: Option<PathBuf>,
}

impl ShapesArgs {
    /// Has policies checked by what the folder says, too; every mistake in its files is told at once.
    pub(crate) fn set(&self, layers: &Layers, overrides: &mut Overrides) -> Result<(), Failure> {
        if let Some(folder) = layers.file("shapes", self.shapes.as_ref()) {
            overrides.set_shapes(Shapes::embedded().with_extra(&folder.value).map_err(Failure::Errors)?);
        }
        Ok(())
    }
}

/// A pack that is asked for.
#[derive(Clone, Debug)]
struct Source {
    path: PathBuf,
    /// What it must be called, if it says its name itself; else what it is called.
    name: Option<String>,
    /// Which versions will do.
    version: Option<String>,
    /// By which key it must be signed.
    key: Option<PathBuf>,
    said: Said,
}

/// Which packs are asked for, and what is set for their policies.
pub(crate) struct Choice {
    sources: Vec<Source>,
    /// Policies by themselves.
    files: Vec<PathBuf>,
    only: Vec<(String, Said)>,
    skip: Vec<(String, Said)>,
    /// The words of `waiver_tag.policies`, if somebody says it.
    tagged: Option<Vec<(String, Said)>>,
    overrides: Overrides,
    trusted: Vec<PublicKey>,
    pub(crate) rows: Vec<Row>,
}

/// Policies that load, and those that were asked for by name.
pub(crate) struct Loaded {
    pub(crate) packs: Checked,
    pub(crate) named: BTreeSet<String>,
    /// The policies, as `pack/id`, whose findings tags may waive; `None`: all. Some of them need not be asked this time.
    pub(crate) tagged: Option<BTreeSet<String>>,
    /// Where they were read.
    pub(crate) paths: Vec<PathBuf>,
}

/// What `lawbook.lock` must say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Locking {
    /// Nothing.
    Off,
    /// If it is there, that the packs of the configuration are as they were.
    IfThere,
    /// That all packs are.
    Must,
}

impl PackArgs {
    /// What the configuration asks for, without flags.
    pub(crate) fn configured(config: &ConfigArgs, shapes: &ShapesArgs) -> Self {
        Self { config: config.clone(), shapes: shapes.clone(), ..Self::default() }
    }

    /// Loads everything that is asked for; every mistake in every policy is told at once.
    pub(crate) fn load(&self, limits: &Limits) -> Result<Loaded, Failure> {
        let layers = Layers::read(&self.config)?;
        self.load_from(&layers, limits).map(|(loaded, _)| loaded)
    }

    /// The same, with a configuration that was read; and what counts of it.
    pub(crate) fn load_from(&self, layers: &Layers, limits: &Limits) -> Result<(Loaded, Vec<Row>), Failure> {
        let (mut choice, wrong) = self.choose_all(layers)?;
        let loaded = self.load_chosen(layers, limits, &mut choice);
        let ((), loaded) = both(Failure::unless_none(wrong), loaded)?;
        Ok((loaded, choice.rows))
    }

    fn load_chosen(&self, layers: &Layers, limits: &Limits, choice: &mut Choice) -> Result<Loaded, Failure> {
        let sources = choice.open()?;
        let locking = locking(layers, &self.config)?;
        verify(layers, locking, sources.iter().map(|(pack, said)| (pack, said.by >= By::Flag)))?;
        let mut packs = Checked::default();
        let mut diagnostics = Vec::new();
        let mut names: BTreeSet<String> = BTreeSet::new();
        for (pack, said) in &sources {
            if !names.insert(pack.name().to_owned()) && pack.name() != LOCAL {
                let error = said.wrong(format!("two packs are named `{}`", pack.name()));
                return Err(error.try_to("another `name` in the `pack.yaml` of one").into());
            }
            match pack.load(&choice.overrides, limits) {
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
        packs.are_apart()?;
        if choice.replaces(layers) {
            choice.set_aside(self, layers, &packs, limits);
        }
        let mut wrong = packs.accepts(&choice.overrides).err().unwrap_or_default();
        let modes = packs.enforcement(&choice.overrides);
        let (only, skip) = (packs.chosen(&choice.only), packs.chosen(&choice.skip));
        // Of all policies, whichever of them are asked this time.
        let tagged = packs.chosen(choice.tagged.as_deref().unwrap_or_default());
        wrong.extend([&only, &skip, &tagged].into_iter().filter_map(|chosen| chosen.as_ref().err()).flatten().cloned());
        wrong.extend(modes.as_ref().err().into_iter().flatten().cloned());
        let (Ok(modes), Ok(only), Ok(skip), Ok(tagged)) = (modes, only, skip, tagged) else {
            return Err(Failure::Errors(wrong));
        };
        let qualified = |at: usize| packs.policies()[at].qualified();
        let tagged = choice.tagged.as_ref().map(|_| tagged.into_iter().map(qualified).collect());
        if !wrong.is_empty() {
            return Err(Failure::Errors(wrong));
        }
        let mut named: BTreeSet<String> = BTreeSet::new();
        let is_file = |file: &str| self.policy.iter().any(|policy| policy == Path::new(file));
        for policy in packs.policies() {
            let is_named = self.only.iter().any(|word| policy.names().contains(word));
            if is_named || &*policy.pack == LOCAL && is_file(&policy.file) {
                named.insert(policy.qualified());
            }
        }
        // Who asks for one by its name is told that it would not run.
        let off_by = |(policy, (mode, said)): (&Policy, &(Option<Enforcement>, Said))| {
            let name = packs.name_of(policy);
            let error = Error::new(format!("`{name}` is asked for, and off by {said}"));
            let is_off = mode.is_none() && named.contains(&policy.qualified());
            is_off.then(|| error.try_to(format!("`--enforce {name}=fail`")))
        };
        let wrong: Vec<Error> = packs.policies().iter().zip(&modes).filter_map(off_by).collect();
        if !wrong.is_empty() {
            return Err(Failure::Errors(wrong));
        }
        let is_on = |at: usize| (choice.only.is_empty() || only.contains(&at)) && !skip.contains(&at);
        let off: Vec<String> = (modes.iter().enumerate())
            .filter(|(at, (mode, _))| mode.is_none() && is_on(*at))
            .map(|(at, (_, said))| format!("`{}` is off by {said}", packs.name_of(&packs.policies()[at])))
            .collect();
        let modes: Vec<_> = modes.into_iter().enumerate().map(|(at, (mode, _))| mode.filter(|_| is_on(at))).collect();
        packs.enforce(modes);
        if packs.policies().is_empty() {
            let why = if off.is_empty() { String::new() } else { format!(": {}", off[..off.len().min(3)].join(", ")) };
            return Err(Error::new(format!("no policy is left to judge by{why}")).try_to("`lawbook list`").into());
        }
        named.retain(|name| packs.policies().iter().any(|policy| policy.is(name)));
        let paths = choice.sources.iter().map(|source| &source.path).chain(&choice.files).cloned().collect();
        Ok(Loaded { packs, named, tagged, paths })
    }

    /// What is asked for, by flags, the environment and the configuration.
    pub(crate) fn choose(&self, layers: &Layers) -> Result<Choice, Failure> {
        let (choice, wrong) = self.choose_all(layers)?;
        Failure::unless_none(wrong).map(|()| choice)
    }

    /// The same, with mistakes in it that keep no pack from being opened; those that do stop it.
    fn choose_all(&self, layers: &Layers) -> Result<(Choice, Vec<Error>), Failure> {
        let mut taking = Taking::new(layers);
        let sources = self.sources(&mut taking);
        let mut overrides = Overrides::default();
        self.set_overrides(&mut taking, &mut overrides);
        let only = self.words(&mut taking, "only", &self.only);
        // Who says on the command line what alone is asked for means what the file leaves out, too.
        let skip = if self.only.is_empty() || !self.skip.is_empty() {
            self.words(&mut taking, "skip", &self.skip)
        } else {
            taking.note("policies.skip", Value::Array(Vec::new()), Said::by_flag("--only"));
            Vec::new()
        };
        let tagged = layers.top("waiver_tag").and_then(|tag| Some(words(tag, tag.value.get("policies")?)));
        taking.path("shapes", self.shapes.shapes.as_ref());
        let keys = taking.paths("trusted_keys", &self.trusted_key);
        let (mut trusted, mut stops) = (Vec::new(), Vec::new());
        for key in keys {
            match PublicKey::read(&key) {
                Ok(key) => trusted.push(key),
                Err(error) => stops.push(error),
            }
        }
        let locked = taking.switch("locked", self.config.locked.then_some(true));
        if locked && layers.config.file.is_none() {
            stops.push(no_configuration());
        }
        let Taking { rows, wrong, .. } = taking;
        let files = self.policy.clone();
        match both(Failure::unless_none(stops), self.shapes.set(layers, &mut overrides)) {
            Ok(_) => Ok((Choice { sources, files, only, skip, tagged, overrides, trusted, rows }, wrong)),
            Err(stop) => Err(Failure::All(vec![Failure::Errors(wrong), stop])),
        }
    }

    fn sources(&self, taking: &mut Taking<'_>) -> Vec<Source> {
        let of = |path: &Path, said: &Said| Source {
            path: path.to_owned(),
            name: None,
            version: None,
            key: None,
            said: said.clone(),
        };
        let (flag, default) = (Said::by_flag(flag_of("packs")), Said::by_default());
        let sources: Vec<Source> = if !self.pack.is_empty() || !self.policy.is_empty() {
            self.pack.iter().map(|path| of(path, &flag)).collect()
        } else if let Some(setting) = taking.layers.top("packs") {
            let source = |item: &lawbook::yaml::Yaml| {
                let said = setting.said(item);
                let text = |name: &str| item.get(name).and_then(lawbook::yaml::Yaml::raw).map(str::to_owned);
                let path = item.raw().map(str::to_owned).or_else(|| text("path")).unwrap_or_default();
                let path = if path == DEFAULT { PathBuf::from(DEFAULT) } else { taking.layers.path(&path, &said) };
                let key = text("key").map(|key| taking.layers.path(&key, &said));
                Source { path, name: text("name"), version: text("version"), key, said }
            };
            setting.value.items().iter().map(source).collect()
        } else {
            vec![of(Path::new(DEFAULT), &default)]
        };
        let files = self.policy.iter().map(|file| (file.display().to_string(), Said::by_flag("--policy")));
        let shown: Vec<(String, Said)> = sources
            .iter()
            .map(|source| (source.path.display().to_string(), source.said.clone()))
            .chain(files)
            .collect();
        for (at, (path, said)) in shown.into_iter().enumerate() {
            taking.note(&format!("packs.{}", at + 1), path, said);
        }
        sources
    }

    /// The words of `policies.only` or `policies.skip`.
    fn words(&self, taking: &mut Taking<'_>, name: &str, flags: &[String]) -> Vec<(String, Said)> {
        let key = format!("policies.{name}");
        let of_flags = || flags.iter().map(|word| (word.clone(), Said::by_flag(format!("{} {word}", flag_of(&key)))));
        let (words, said) = if flags.is_empty() {
            let all = taking.layers.all("policies").filter_map(|setting| Some((setting, setting.value.get(name)?)));
            match all.last() {
                Some((setting, list)) => (words(setting, list), setting.said(list)),
                None => (Vec::new(), Said::by_default()),
            }
        } else {
            (of_flags().collect(), Said::by_flag(flag_of(&key)))
        };
        taking.note(&key, words.iter().map(|(word, _)| Value::from(word.as_str())).collect::<Value>(), said);
        words
    }

    fn set_overrides(&self, taking: &mut Taking<'_>, overrides: &mut Overrides) {
        let mut wrong = Vec::new();
        for setting in taking.layers.all("params") {
            for (policy, values) in setting.value.members() {
                for (param, value) in values.members() {
                    overrides.set(&policy.name, &param.name, value.clone(), setting.said_of(param));
                }
            }
        }
        wrong.extend(self.param.iter().filter_map(|param| overrides.set_param(param).err()));
        type Put = fn(&mut Overrides, &str, &str, Said) -> Result<(), Error>;
        let kinds: [(&str, &Vec<String>, Put); 2] = [
            ("severity", &self.severity, Overrides::set_severity),
            ("enforcement", &self.enforce, Overrides::set_enforcement),
        ];
        for (key, flags, put) in kinds {
            for setting in taking.layers.all(key) {
                for (name, word) in setting.value.members() {
                    wrong.extend(
                        put(overrides, &name.name, word.raw().unwrap_or_default(), setting.said_of(name)).err(),
                    );
                }
            }
            for text in flags {
                let said = Said::by_flag(format!("{} {text}", flag_of(key)));
                wrong.extend(match text.split_once('=') {
                    Some((name, word)) => put(overrides, name, word, said).err(),
                    None => Some(said.wrong("expected a name and a word, such as `eip-disassociated=high`")),
                });
            }
        }
        taking.wrong.extend(wrong);
        for (key, value, said) in overrides.all() {
            taking.note(&key, value, said.clone());
        }
    }
}

impl Choice {
    /// The packs, with where each was asked for; every one that is not there or not as it must be is told.
    pub(crate) fn open(&self) -> Result<Vec<(Pack, Said)>, Failure> {
        let (mut packs, mut wrong) = (Vec::new(), Vec::new());
        for source in &self.sources {
            match source.open(&self.trusted) {
                Ok(pack) => packs.push((pack, source.said.clone())),
                Err(error) => wrong.push(error),
            }
        }
        for file in &self.files {
            match Pack::from_file(file) {
                Ok(pack) => packs.push((pack, Said::by_flag("--policy"))),
                Err(error) => wrong.push(error),
            }
        }
        match wrong.len() {
            0 => Ok(packs),
            _ => Err(Failure::Errors(wrong)),
        }
    }

    /// Where the packs are read, in their order.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &PathBuf> {
        self.sources.iter().map(|source| &source.path)
    }

    /// Whether flags ask for other packs than the configuration, which says something of its own.
    fn replaces(&self, layers: &Layers) -> bool {
        let by_flag = self.sources.iter().any(|source| source.said.by == By::Flag) || !self.files.is_empty();
        let mut keys = ["params", "severity", "enforcement", "policies", "waiver_tag"].into_iter();
        by_flag && keys.any(|key| layers.top(key).is_some())
    }

    /// Leaves out what the configuration says of policies of its own packs where flags ask for others: it is no mistake.
    fn set_aside(&mut self, args: &PackArgs, layers: &Layers, packs: &Checked, limits: &Limits) {
        let is_known = |name: &str| packs.knows(name);
        if self.names().all(is_known) {
            return;
        }
        let own = PackArgs::configured(&args.config, &args.shapes);
        let Ok((own, _)) = own.choose_all(layers) else { return };
        let mut elsewhere = Checked::default();
        for (pack, _) in own.open().unwrap_or_default() {
            elsewhere.join(pack.load(&Overrides::default(), limits).unwrap_or_default());
        }
        let keeps = |name: &str, said: &Said| said.by == By::Flag || is_known(name) || !elsewhere.knows(name);
        self.overrides.keep(&keeps);
        self.only.retain(|(word, said)| keeps(word, said));
        self.skip.retain(|(word, said)| keeps(word, said));
        // Where none of them is left, tags waive nothing, which is not what no list at all means.
        self.tagged.iter_mut().for_each(|words| words.retain(|(word, said)| keeps(word, said)));
    }

    /// The policies and areas about which something is said.
    fn names(&self) -> impl Iterator<Item = &str> {
        let words = self.only.iter().chain(&self.skip).chain(self.tagged.iter().flatten());
        self.overrides.names().chain(words.map(|(word, _)| word.as_str()))
    }
}

impl Source {
    fn open(&self, trusted: &[PublicKey]) -> Result<Pack, Error> {
        let own = self.key.as_deref().map(PublicKey::read).transpose()?;
        let keys: &[PublicKey] = own.as_ref().map_or(trusted, std::slice::from_ref);
        if own.is_some() && (self.path.is_dir() || self.path == Path::new(DEFAULT)) {
            return Err(self.said.wrong("only an archive is signed, and this is none").try_to("`lawbook pack build`"));
        }
        let mut pack = Pack::open(&self.path, keys).map_err(|error| match self.said.by {
            // Where it was said is of help if the file is not there.
            By::File | By::Env => {
                let subject = error.subject.clone().unwrap_or_default();
                error.about(format!("{}: {subject}", self.said))
            }
            By::Flag | By::Default => error,
        })?;
        if let Some(wanted) = &self.name {
            pack = pack.called(wanted).map_err(|error| self.said.blamed(error))?;
        }
        if let Some(wanted) = &self.version {
            satisfies(&pack, wanted).map_err(|error| self.said.blamed(error))?;
        }
        Ok(pack)
    }
}

fn no_configuration() -> Error {
    Error::new("there is no `lawbook.yaml`, beside which `lawbook.lock` would stand")
        .try_to("`packs:` in a `lawbook.yaml`")
}

/// What the lock must say, by flags, the environment and the configuration.
pub(crate) fn locking(layers: &Layers, args: &ConfigArgs) -> Result<Locking, Failure> {
    if args.unlocked {
        return Ok(Locking::Off);
    }
    let must = Taking::new(layers).switch("locked", args.locked.then_some(true));
    if must && layers.config.file.is_none() {
        return Err(no_configuration().into());
    }
    Ok(if must { Locking::Must } else { Locking::IfThere })
}

/// The file of the lock, beside the configuration.
pub(crate) fn lock_file(layers: &Layers) -> Option<PathBuf> {
    layers.config.file.as_ref().map(|_| layers.config.base().join(LOCK))
}

/// Makes sure that packs are as they were when they were locked; those that flags name need not be in the lock unless all
/// must.
pub(crate) fn verify<'p>(
    layers: &Layers,
    locking: Locking,
    packs: impl Iterator<Item = (&'p Pack, bool)>,
) -> Result<(), Failure> {
    let Some(file) = lock_file(layers).filter(|_| locking != Locking::Off) else { return Ok(()) };
    if !file.exists() {
        if locking == Locking::IfThere {
            return Ok(());
        }
        let error = Error::new("there is no such file, and packs must be locked").about(file.display().to_string());
        return Err(error.try_to("`lawbook lock` writes it").into());
    }
    let lock = Lock::read(&file)?;
    let mut wrong = Vec::new();
    for (pack, by_flag) in packs {
        let about = |reason: String| Error::new(reason).about(file.display().to_string());
        match lock.holds(pack) {
            Some(Ok(())) => {}
            Some(Err(changes)) => wrong.push(
                about(format!("the pack `{}` is not as it was locked: {changes}", pack.name()))
                    .try_to("look at what changed, then `lawbook lock`; `--unlocked` takes it as it is"),
            ),
            None if by_flag && locking != Locking::Must => {}
            None => wrong.push(
                about(format!("the pack `{}` is not locked", pack.name()))
                    .try_to("look at it, then `lawbook lock`; `--unlocked` takes it as it is"),
            ),
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(Failure::Errors(wrong)) }
}
