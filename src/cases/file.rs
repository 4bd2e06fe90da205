//! Reads a file of cases, and finds every mistake in it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;

use super::case::{Case, Expect, Expected, Given};
use super::records::{self, Source};
use crate::diagnostic::{Diagnostic, SourceText, did_you_mean};
use crate::finding::Severity;
use crate::policy::Policy;
use crate::record::{CLOUDTRAIL, Scope};
use crate::script::parse_time;
use crate::shape::Shape;
use crate::yaml::{self, Yaml};

/// The schema of cases, as text.
const SCHEMA: &str = include_str!("../../schemas/cases.schema.json");

/// How the name of a file of cases ends.
pub const CASES: &str = ".cases.yaml";

/// Whose a case's resources are, unless it says otherwise.
const ACCOUNT: &str = "111122223333";
/// Where a case's resources are, unless it says otherwise.
const REGION: &str = "us-east-1";
/// The time of a case, unless it says otherwise.
const NOW: &str = "2024-05-14T12:00:00Z";

/// The file of a policy's cases, which need not be there.
pub fn file_of(policy: &str) -> PathBuf {
    Path::new(policy).with_extension("cases.yaml")
}

/// Reads the cases of a policy. The files that they name are looked for in the folder of `source`.
///
/// # Errors
/// Every mistake in the text.
pub fn load(policy: &Policy, source: &Arc<SourceText>) -> Result<Vec<Case>, Vec<Diagnostic>> {
    let tree = parse(source)?;
    let folder = Path::new(&source.file).parent().unwrap_or(Path::new("")).to_owned();
    let mut reader = Reader { policy, source, folder, named: tree.get("records"), out: Vec::new() };
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    let mut used = BTreeSet::new();
    let mut cases = Vec::new();
    for case in tree.get("cases").map(Yaml::items).unwrap_or_default() {
        records::names(case, &mut used);
        let made = reader.case(case);
        // With `each` one of them is several. What could not be read has its name all the same.
        let mut called: Vec<String> = made.iter().map(|case| case.name.clone()).collect();
        if called.is_empty() {
            called.push(text(case, "name").unwrap_or_default().to_owned());
        }
        let span = case.get("name").map_or(case.span.clone(), |name| name.span.clone());
        let line = source.text[..span.start].matches('\n').count() + 1;
        let twice = called.into_iter().find_map(|name| {
            let first = names.get(&name).copied();
            names.entry(name.clone()).or_insert(line);
            Some((name, first?))
        });
        if let Some((name, first)) = twice {
            let message = format!("the case in line {first} is named `{name}`, too");
            reader.say(span, message, Some("a name of its own".to_owned()));
        }
        cases.extend(made);
    }
    for (key, _) in tree.get("records").map(Yaml::members).unwrap_or_default() {
        if !used.contains(key.name.as_str()) {
            reader.say(
                key.span.clone(),
                format!("no case uses the record `{}`", key.name),
                Some("remove it".to_owned()),
            );
        }
    }
    let mut out = reader.out;
    if out.is_empty() {
        return Ok(cases);
    }
    out.sort_by_key(|diagnostic| diagnostic.span.start);
    Err(out)
}

/// The tree of a file of cases.
///
/// # Errors
/// Everything in which it is none.
pub(super) fn parse(source: &Arc<SourceText>) -> Result<Yaml, Vec<Diagnostic>> {
    static SHAPE: OnceLock<Shape> = OnceLock::new();
    let tree = yaml::parse(&source.text).map_err(|error| {
        let help = yaml::remedy(&source.text, error.span.start).map(str::to_owned);
        vec![Diagnostic { help, ..Diagnostic::error("cases", source, error.span, error.message) }]
    })?;
    let mistakes: Vec<Diagnostic> = SHAPE
        .get_or_init(|| Shape::of(SCHEMA))
        .violations(&tree)
        .into_iter()
        .map(|violation| Diagnostic {
            help: violation.help,
            ..Diagnostic::error("cases", source, violation.span, violation.message)
        })
        .collect();
    if mistakes.is_empty() { Ok(tree) } else { Err(mistakes) }
}

fn text<'a>(yaml: &'a Yaml, key: &str) -> Option<&'a str> {
    yaml.get(key).and_then(Yaml::raw)
}

/// Reads cases, collecting mistakes.
pub(super) struct Reader<'a> {
    pub(super) policy: &'a Policy,
    source: &'a Arc<SourceText>,
    /// The folder of the file.
    pub(super) folder: PathBuf,
    /// The records that have names.
    pub(super) named: Option<&'a Yaml>,
    out: Vec<Diagnostic>,
}

impl Reader<'_> {
    pub(super) fn say(&mut self, span: Range<usize>, message: impl Into<String>, help: Option<String>) {
        let mut diagnostic = Diagnostic::error("cases", self.source, span, message);
        diagnostic.help = help;
        self.out.push(diagnostic);
    }

    /// The case that a member of the list stands for: several with `each`, none if something is wrong with it.
    fn case(&mut self, yaml: &Yaml) -> Vec<Case> {
        let mistakes = self.out.len();
        let known = |key: &str, otherwise: &str| match yaml.get(key) {
            None => Some(otherwise.into()),
            Some(given) => given.raw().map(Into::into),
        };
        let scope = Scope { account: known("account", ACCOUNT), region: known("region", REGION) };
        let records = records::read(self, yaml, &scope);
        let inventory = self.inventory(yaml);
        let now = self.time(yaml, "now").or_else(|| parse_time(NOW)).unwrap_or_default();
        let params = self.params(yaml);
        let expect = text(yaml, "expect").and_then(Expect::from_word).unwrap_or(Expect::Silent);
        self.fits(yaml, expect);
        if self.out.len() > mistakes {
            return Vec::new();
        }
        let span = yaml.get("name").map_or(yaml.span.clone(), |name| name.span.clone());
        let number = |key: &str| text(yaml, key).and_then(|number| number.parse().ok());
        let case = Case {
            name: text(yaml, "name").unwrap_or_default().to_owned(),
            line: self.source.text[..span.start].matches('\n').count() + 1,
            span,
            records,
            is_of_file: yaml.get("file").is_some(),
            made_of: ["file", "inventory"].into_iter().filter_map(|key| text(yaml, key)).map(str::to_owned).collect(),
            inventory,
            scope,
            params,
            now,
            expect,
            count: number("count"),
            every: expected(yaml),
            findings: yaml.get("findings").map(Yaml::items).unwrap_or_default().iter().map(expected).collect(),
            reason: text(yaml, "reason").map(str::to_owned),
            others_silent: yaml.get("others").is_some(),
            max_operations: text(yaml, "max_operations").and_then(|number| number.parse().ok()),
            todo: todo(yaml),
        };
        if text(yaml, "each") != Some("true") {
            return vec![case];
        }
        let one = |(at, record): (usize, &crate::record::Record)| Case {
            name: format!("{} [{}]", case.name, at + 1),
            records: vec![record.clone()],
            ..case.clone()
        };
        case.records.iter().enumerate().map(one).collect()
    }

    /// The time that a member of a case says, if it has it.
    fn time(&mut self, yaml: &Yaml, key: &str) -> Option<Timestamp> {
        let given = yaml.get(key)?;
        let said = given.raw().unwrap_or_default();
        let time = parse_time(said);
        if time.is_none() {
            self.say(given.span.clone(), format!("`{said}` is no time"), Some(format!("such as {NOW}")));
        }
        time
    }

    fn inventory(&mut self, yaml: &Yaml) -> Given {
        let collected = self.time(yaml, "collected");
        let inventory = yaml.get("inventory");
        if let Some(given) =
            yaml.get("collected").filter(|_| inventory.is_none_or(|inventory| inventory.raw().is_some()))
        {
            let message = "`collected` is when the resources below `inventory` were, and there are none";
            let help = "the times of files are in their `inventory.json`".to_owned();
            self.say(given.span.clone(), message, Some(help));
        }
        let Some(inventory) = inventory else { return Given::Inline(Vec::new(), collected) };
        if let Some(path) = inventory.raw() {
            let path = self.folder.join(path);
            if !path.exists() {
                self.say(
                    inventory.span.clone(),
                    "there is no such file or folder",
                    Some("a path from the folder of this file".to_owned()),
                );
            }
            return Given::Path(path);
        }
        let mut kinds = Vec::new();
        for (kind, resources) in inventory.members() {
            if !crate::schema::is_kind(&kind.name) {
                let help =
                    did_you_mean(&kind.name, crate::schema::kinds()).map(|meant| format!("did you mean `{meant}`?"));
                self.say(kind.span.clone(), format!("no inventory kind `{}`", kind.name), help);
            }
            kinds.push((kind.name.clone(), resources.items().iter().map(Yaml::to_json).collect()));
        }
        Given::Inline(kinds, collected)
    }

    fn params(&mut self, yaml: &Yaml) -> Vec<(String, Yaml)> {
        let mut params = Vec::new();
        for (key, value) in yaml.get("params").map(Yaml::members).unwrap_or_default() {
            let known = &self.policy.header.params;
            match known.iter().find(|param| param.name == key.name) {
                None => {
                    let help = did_you_mean(&key.name, known.iter().map(|param| param.name.as_str()))
                        .map(|meant| format!("did you mean `{meant}`?"));
                    let message = format!("`{}` has no parameter `{}`", self.policy.id, key.name);
                    self.say(key.span.clone(), message, help);
                }
                Some(param) => {
                    if let Err(reason) = param.kind.accept(value) {
                        self.say(value.span.clone(), reason, None);
                    }
                }
            }
            params.push((key.name.clone(), value.clone()));
        }
        params
    }

    /// What is expected must be such that it can be checked.
    fn fits(&mut self, yaml: &Yaml, expect: Expect) {
        let of_findings = ["count", "severity", "title", "resources", "context", "findings"];
        let of_reasons = ["reason"];
        let refused: &[&str] = match expect {
            Expect::Fires => &of_reasons,
            Expect::Silent => &["count", "severity", "title", "resources", "context", "findings", "reason"],
            Expect::NotEvaluated | Expect::Fault => &of_findings,
        };
        for key in refused.iter().filter(|key| yaml.get(key).is_some()) {
            self.say(
                yaml.key_span(key),
                format!("`{key}` cannot be checked where `expect` is `{}`", expect.word()),
                Some(format!("remove `{key}`, or expect something else")),
            );
        }
        if yaml.get("findings").is_some() {
            for key in of_findings[..5].iter().filter(|key| yaml.get(key).is_some()) {
                self.say(
                    yaml.key_span(key),
                    format!("`{key}` beside `findings`, which says it of each"),
                    Some(format!("move `{key}` into the items of `findings`")),
                );
            }
        }
        if text(yaml, "todo") == Some("false") {
            self.say(yaml.key_span("todo"), "`todo: false` says nothing", Some("remove it".to_owned()));
        }
    }
}

fn todo(yaml: &Yaml) -> Option<String> {
    text(yaml, "todo").map(|why| if why == "true" { String::new() } else { why.to_owned() })
}

fn expected(yaml: &Yaml) -> Expected {
    let texts = |list: &Yaml| list.items().iter().filter_map(Yaml::raw).map(str::to_owned).collect();
    let context = yaml.get("context").map(Yaml::members).unwrap_or_default();
    Expected {
        severity: text(yaml, "severity").and_then(Severity::from_word),
        title: text(yaml, "title").map(str::to_owned),
        resources: yaml.get("resources").map(texts),
        context: context.iter().map(|(key, value)| (key.name.clone(), value.to_json())).collect(),
    }
}

/// What a case takes its records from, to be read as a scan would.
impl Reader<'_> {
    /// The one of `record`, `records` and `file` that a case has.
    pub(super) fn source_of<'y>(&mut self, yaml: &'y Yaml) -> Option<Source<'y>> {
        let given: Vec<Source<'y>> = [
            yaml.get("record").map(Source::One),
            yaml.get("records").map(|list| Source::Several(list.items())),
            yaml.get("file").map(Source::File),
        ]
        .into_iter()
        .flatten()
        .collect();
        if let Some(select) = yaml.get("select").filter(|_| yaml.get("file").is_none()) {
            self.say(
                select.span.clone(),
                "`select` chooses from the records of `file`",
                Some("say which file".to_owned()),
            );
        }
        let span = yaml.get("name").map_or(yaml.span.clone(), |name| name.span.clone());
        let mut given = given.into_iter();
        match (given.next(), given.next()) {
            (Some(one), None) => Some(one),
            (Some(_), Some(_)) => {
                let message = "a case has one of `record`, `records` and `file`, and this one has several";
                self.say(span, message, Some("one case for each".to_owned()));
                None
            }
            (None, _) => {
                let judges = &*self.policy.header.judges;
                let help = if judges == CLOUDTRAIL {
                    "`record:` is the event that is judged".to_owned()
                } else {
                    format!(
                        "`record:` is the resource of `{judges}` that is judged, and `inventory:` what it is looked up in"
                    )
                };
                self.say(span, "nothing is judged: a case has one of `record`, `records` and `file`", Some(help));
                None
            }
        }
    }
}
