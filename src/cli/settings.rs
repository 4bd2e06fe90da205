//! The settings of a scan: what flags, the environment and the configuration say of it, taken together.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;
use jiff::Timestamp;
use lawbook::error::Error;
use lawbook::input::{Filter, Settings};
use lawbook::policy::{By, Said};
use lawbook::record::Scope;
use lawbook::triage::{Baseline, TagRule, Waivers};
use lawbook::yaml::Yaml;
use serde_json::Value;

use super::Failure;
use super::events::EventArgs;
use super::layers::{Layers, Row, Settled, Taking};
use super::output;
use super::packs::Loaded;
use super::scan::FormatArg;
use super::values::{FailOn, account, now, region, size, switch, threads, time};

/// What a scan reads, how it judges, and what makes its exit code.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct SettingArgs {
    /// Files, folders, or - for standard input: judged, and looked up in. Without any, the `inputs` of the configuration
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,

    /// Inventory to look things up in, without judging it. Repeat for several
    #[arg(long, value_name = "PATH", help_heading = "Input")]
    inventory: Vec<PathBuf>,

    /// The account of inventory that does not say whose it is
    #[arg(long, value_name = "ACCOUNT", value_parser = account, help_heading = "Input")]
    inventory_account: Option<String>,

    /// The region of inventory that does not say where it is
    #[arg(long, value_name = "REGION", value_parser = region, help_heading = "Input")]
    inventory_region: Option<String>,

    #[command(flatten)]
    events: EventArgs,

    /// The time of the run, for policies that ask how old something is [env: LAWBOOK_NOW]
    #[arg(long, value_name = "TIME", value_parser = time, help_heading = "Judging")]
    now: Option<Timestamp>,

    /// Remember in this file what was seen, and since when, for policies that ask for first sightings
    #[arg(long, value_name = "FILE", help_heading = "Judging")]
    state: Option<PathBuf>,

    /// The input is all there ever was: what is not in it was never seen. Without it, policies that ask for first
    /// sightings judge only what has enough records before it
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = switch, help_heading = "Judging")]
    history_complete: Option<bool>,

    /// Write another report to a file, such as sarif=findings.sarif. Repeat for several
    #[arg(long, value_name = "FORMAT=FILE", value_parser = report_to, help_heading = "Report")]
    report: Vec<(FormatArg, PathBuf)>,

    /// The least severity of a new finding that makes the exit code 1 [default: low]
    #[arg(long, value_enum, help_heading = "Exit code")]
    fail_on: Option<FailOn>,

    /// Records that could not be evaluated make the exit code 2, and so do warnings about policies and waivers of no use
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = switch, help_heading = "Exit code")]
    strict: Option<bool>,

    /// Judging nothing at all is no error
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = switch, help_heading = "Exit code")]
    allow_empty: Option<bool>,

    /// Findings that are excused, with owner, reason and end; `lawbook waive` writes the file
    #[arg(long, value_name = "FILE", help_heading = "Decided before")]
    waivers: Option<PathBuf>,

    /// Findings that are known, so that only others fail the run; `lawbook baseline write` makes the file
    #[arg(long, value_name = "FILE", help_heading = "Decided before")]
    baseline: Option<PathBuf>,
}

/// Why a further report is not written to standard output.
const NO_FILE: &str = "goes to a file; standard output has that of `--format`";

/// A format and a file: `sarif=findings.sarif`.
fn report_to(text: &str) -> Result<(FormatArg, PathBuf), String> {
    let (format, file) = text.split_once('=').ok_or("expected a format and a file, such as `sarif=findings.sarif`")?;
    let format = FormatArg::of_word(format)?;
    if file.is_empty() || output::is_standard(file.as_ref()) {
        return Err(format!("a report of `--report` {NO_FILE}"));
    }
    Ok((format, PathBuf::from(file)))
}

/// A scan as it is set.
#[derive(Debug)]
pub(crate) struct Effective {
    pub(crate) inputs: Vec<PathBuf>,
    pub(crate) inventory: Vec<PathBuf>,
    pub(crate) inventory_of: Scope,
    pub(crate) input: Settings,
    pub(crate) now: Option<Timestamp>,
    pub(crate) threads: Option<NonZeroUsize>,
    pub(crate) state: Option<PathBuf>,
    pub(crate) history_complete: bool,
    pub(crate) format: FormatArg,
    pub(crate) output: Option<PathBuf>,
    pub(crate) reports: Vec<(FormatArg, PathBuf)>,
    pub(crate) fail_on: FailOn,
    pub(crate) strict: bool,
    pub(crate) allow_empty: bool,
    pub(crate) waivers: Option<PathBuf>,
    pub(crate) baseline: Option<PathBuf>,
    pub(crate) waiver_tag: Option<Tag>,
    /// What counts, with where it was said.
    pub(crate) rows: Vec<Row>,
}

/// Which tags may waive; of which policies, packs say.
#[derive(Debug)]
pub(crate) struct Tag {
    key: String,
    longest: Option<i64>,
}

impl Tag {
    /// The same for the policies that were loaded.
    pub(crate) fn rule(&self, loaded: &Loaded) -> TagRule {
        TagRule::new(&self.key, loaded.tagged.clone(), self.longest)
    }
}

impl Effective {
    /// What was decided before, from the files that are named. Every file and folder that cannot be read, or is not there, is
    /// told at once, with who named it.
    pub(crate) fn decided(&self) -> Result<(Option<Waivers>, Option<Baseline>), Failure> {
        let waivers = self.waivers.as_deref().map(Waivers::read).transpose();
        let baseline = self.baseline.as_deref().map(Baseline::read).transpose();
        let mut wrong = Vec::new();
        wrong.extend(waivers.as_ref().err().map(|error| self.blamed("waivers", error)));
        wrong.extend(baseline.as_ref().err().map(|error| self.blamed("baseline", error)));
        for (key, paths) in [("inputs", &self.inputs), ("inventory", &self.inventory)] {
            // What flags name is told when it is read, with what may have been meant.
            let is_missing =
                |path: &&PathBuf| !output::is_standard(path) && path.try_exists().is_ok_and(|there| !there);
            for path in paths.iter().filter(|_| self.named_by(key).is_some()).filter(is_missing) {
                let error = Error::new("there is no such file or folder").about(path.display().to_string());
                wrong.push(self.blamed(key, &error));
            }
        }
        Failure::unless_none(wrong)?;
        Ok((waivers?, baseline?))
    }

    /// Where a setting was said, unless that is seen on the command line.
    fn named_by(&self, key: &str) -> Option<&Said> {
        let said = self.rows.iter().find(|row| row.key == key).map(|row| &row.said);
        said.filter(|said| matches!(said.by, By::File | By::Env))
    }

    /// An error about a file that a setting names; one that has a place says enough.
    fn blamed(&self, key: &str, error: &Error) -> Error {
        let error = error.clone();
        match (self.named_by(key), &error.subject, error.place) {
            (Some(said), Some(subject), None) => {
                let subject = format!("{said}: {subject}");
                error.about(subject)
            }
            _ => error,
        }
    }
}

impl SettingArgs {
    /// What counts, if `format` and `output` are what flags say of the report.
    pub(crate) fn settle(
        &self,
        layers: &Layers,
        format: Option<FormatArg>,
        output: Option<&PathBuf>,
    ) -> Result<Effective, Failure> {
        let mut taking = Taking::new(layers);
        let text = |text: &String| Value::from(text.as_str());
        let moment = |time: &Timestamp| Value::from(time.to_string());
        let bytes = |size: &u64| Value::from(*size);
        let defaults = Settings::default();
        let inputs = taking.paths("inputs", &self.paths);
        let inventory = taking.paths("inventory", &self.inventory);
        let inventory_of = Scope {
            account: taking
                .one("inventory_account", self.inventory_account.clone(), account, text, Value::Null)
                .map(Into::into),
            region: taking
                .one("inventory_region", self.inventory_region.clone(), region, text, Value::Null)
                .map(Into::into),
        };
        let accounts = taking.list("accounts", &self.events.account, |word, _| account(word), text);
        let regions = taking.list("regions", &self.events.region, |word, _| region(word), text);
        let since = taking.one("since", self.events.since, time, moment, Value::Null);
        let until = taking.one("until", self.events.until, time, moment, Value::Null);
        let max_inflated =
            taking.one("max_inflated", self.events.max_inflated, size, bytes, defaults.max_inflated.into());
        let max_record = taking.one("max_record", self.events.max_record, size, bytes, defaults.max_record.into());
        let threads = taking.one("threads", self.events.threads, threads, |count| count.get().into(), Value::Null);
        let state = taking.path("state", self.state.as_ref());
        let history_complete = taking.switch("history_complete", self.history_complete);
        let word = |format: &FormatArg| Value::from(format.word());
        let format = taking.one("format", format, FormatArg::of_word, word, "text".into()).unwrap_or(FormatArg::Text);
        let output = taking.path("output", output).filter(|file| !output::is_standard(file));
        let reports = self.reports(&mut taking);
        let least = |fail_on: &FailOn| Value::from(fail_on.word());
        let fail_on = taking.one("fail_on", self.fail_on, FailOn::of_word, least, "low".into()).unwrap_or(FailOn::Low);
        let strict = taking.switch("strict", self.strict);
        let allow_empty = taking.switch("allow_empty", self.allow_empty);
        let waivers = taking.path("waivers", self.waivers.as_ref());
        let baseline = taking.path("baseline", self.baseline.as_ref());
        let waiver_tag = tag(&mut taking);
        let now = now(self.now).unwrap_or_else(|error| {
            taking.wrong.push(error);
            None
        });
        if let (Some(since), Some(until)) = (since, until)
            && since >= until
        {
            taking.wrong.push(Error::new("`--since` is not before `--until`, so that no event could be judged"));
        }
        // The time of the run is that of the clock where nobody says another.
        let run = now.unwrap_or_else(Timestamp::now);
        if let Some(since) = since.filter(|since| *since > run) {
            let error = Error::new(format!("`--since` ({since}) is after the time of the run ({run})"));
            taking.wrong.push(error.try_to("an earlier one, or `--now`"));
        }
        if let Some(Settled { value, said }) = layers.file("state", self.state.as_ref())
            && output::is_standard(&value)
        {
            taking.wrong.push(said.wrong("what was seen is remembered in a file, and `-` is none"));
        }
        if [&inputs, &inventory].into_iter().all(|paths| paths.iter().any(|path| output::is_standard(path))) {
            let error = Error::new("standard input is read once, and both an input and `--inventory` are `-`");
            taking.wrong.push(error.try_to("files for one of them"));
        }
        if state.is_some() && !regions.is_empty() {
            let error = Error::new("`--state` remembers whole accounts, of which `--region` would show it a part");
            taking.wrong.push(error.try_to("leave one of them out"));
        }
        if !taking.wrong.is_empty() {
            return Err(Failure::Errors(taking.wrong));
        }
        let input = Settings {
            max_inflated: max_inflated.unwrap_or(defaults.max_inflated),
            max_record: max_record.map_or(defaults.max_record, |size| usize::try_from(size).unwrap_or(usize::MAX)),
            filter: Filter { since, until, accounts, regions },
            ..defaults
        };
        Ok(Effective {
            inputs,
            inventory,
            inventory_of,
            input,
            now,
            threads,
            state,
            history_complete,
            format,
            output,
            reports,
            fail_on,
            strict,
            allow_empty,
            waivers,
            baseline,
            waiver_tag,
            rows: taking.rows,
        })
    }

    /// Reports by flags, and those of the configuration in other formats.
    fn reports(&self, taking: &mut Taking<'_>) -> Vec<(FormatArg, PathBuf)> {
        let layers = taking.layers;
        let mut reports: Vec<(FormatArg, PathBuf, Said)> = Vec::new();
        for setting in layers.all("reports") {
            for (name, file) in setting.value.members() {
                let said = setting.said_of(name);
                match FormatArg::of_word(&name.name) {
                    Ok(format) => {
                        reports.retain(|(known, ..)| *known != format);
                        if file.raw().is_some_and(|file| output::is_standard(file.as_ref())) {
                            let wrong = setting.said(file).wrong(format!("a report of `reports` {NO_FILE}"));
                            taking.wrong.push(wrong.try_to("`format`, and no `output`"));
                        }
                        let file = layers.path(file.raw().unwrap_or_default(), setting.whole());
                        reports.push((format, file, said));
                    }
                    Err(reason) => taking.wrong.push(said.wrong(format!("`reports`: {reason}"))),
                }
            }
        }
        reports.retain(|(format, ..)| !self.report.iter().any(|(flag, _)| flag == format));
        let flags = self.report.iter().map(|(format, file)| (*format, file.clone(), Said::by_flag("--report")));
        reports.extend(flags);
        for (format, file, said) in &reports {
            taking.note(&format!("reports.{}", format.word()), file.display().to_string(), said.clone());
        }
        reports.into_iter().map(|(format, file, _)| (format, file)).collect()
    }
}

/// Which tags may waive.
fn tag(taking: &mut Taking<'_>) -> Option<Tag> {
    let Some(setting) = taking.layers.top("waiver_tag") else {
        taking.note("waiver_tag", Value::Null, Said::by_default());
        return None;
    };
    let value = &setting.value;
    taking.note("waiver_tag", value.to_json(), setting.whole().clone());
    let key = value.get("key").and_then(Yaml::raw).unwrap_or_default();
    if let Err(reason) = TagRule::check_key(key) {
        let said = value.get("key").map_or_else(|| setting.whole().clone(), |key| setting.said(key));
        taking.wrong.push(said.wrong(format!("`{key}`: {reason}")).try_to("`lawbook:waive`"));
    }
    let longest = value.get("longest").and_then(|longest| {
        let text = longest.raw().unwrap_or_default();
        let seconds = lawbook::script::parse_duration(text);
        if seconds.is_none() {
            let error = setting.said(longest).wrong(format!("`{text}` is no duration"));
            taking.wrong.push(error.try_to("such as `90d`"));
        }
        seconds
    });
    Some(Tag { key: key.to_owned(), longest })
}
