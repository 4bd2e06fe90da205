//! The front matter of a policy, checked and typed.

mod window;

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use super::front_matter::FrontMatter;
use super::params::{Param, ParamKind};
use super::remediation::{Forms, Language, Template};
use super::when::{Condition, When, parse_path};
use super::window::Window;
use crate::diagnostic::{Diagnostic, Fix, SourceText, did_you_mean, surely_meant};
use crate::finding::Severity;
use crate::record::{CLOUDTRAIL, is_account};
use crate::schema;
use crate::script::Hooks;
use crate::shape::Shape;
use crate::yaml::{Data, Yaml};

/// What a policy's front matter says.
#[derive(Clone, Debug)]
pub struct Header {
    /// What is found, in a few words.
    pub title: Template,
    /// How bad it is, unless a hook says otherwise.
    pub severity: Severity,
    /// The kind of record that it judges.
    pub judges: Arc<str>,
    /// What a record must be for it to be asked.
    pub when: When,
    /// What it asks of several records in time, if it does.
    pub window: Option<Window>,
    /// Inventory kinds that it looks things up in.
    pub uses: Vec<String>,
    /// Inventory kinds without which it cannot judge.
    pub needs: Vec<String>,
    /// What users can set, in the order of the text.
    pub params: Vec<Param>,
    /// Its tags.
    pub tags: Arc<[String]>,
    /// Its references.
    pub references: Arc<[String]>,
    /// What to do about a finding.
    pub remediation: Forms,
    /// Ids that it had before.
    pub formerly: Vec<String>,
}

/// The schema of front matter, as text.
pub(crate) const SCHEMA: &str = include_str!("../../schemas/policy.schema.json");

fn shape() -> &'static Shape {
    static SHAPE: OnceLock<Shape> = OnceLock::new();
    SHAPE.get_or_init(|| Shape::of(SCHEMA))
}

/// Reads the head of a policy's file: the header if it is one, the head as it was written, and every mistake in it; without `checks`
/// only those that keep the header from being read.
pub(super) fn read(source: &Arc<SourceText>, checks: bool) -> (Option<Header>, Option<FrontMatter>, Vec<Diagnostic>) {
    let head = match FrontMatter::read(source) {
        Ok(head) => head,
        Err(diagnostic) => return (None, None, vec![*diagnostic]),
    };
    let mut reader = Reader { source, head: &head, checks, out: Vec::new() };
    reader.schema();
    let complete = reader.out.is_empty();
    let header = reader.header();
    let diagnostics = reader.out;
    (header.filter(|_| complete && diagnostics.is_empty()), Some(head), diagnostics)
}

impl Header {
    /// The hooks that the policy may define.
    pub fn hooks(&self) -> Hooks<'_> {
        Hooks { window: self.window.as_ref().map(|window| &window.named) }
    }
}

struct Reader<'a> {
    source: &'a Arc<SourceText>,
    head: &'a FrontMatter,
    checks: bool,
    out: Vec<Diagnostic>,
}

impl Reader<'_> {
    fn say(
        &mut self,
        code: &'static str,
        span: &std::ops::Range<usize>,
        message: impl Into<String>,
        help: Option<String>,
    ) {
        let mut diagnostic = Diagnostic::error(code, self.source, self.head.span(span), message);
        diagnostic.help = help;
        self.out.push(diagnostic);
    }

    fn schema(&mut self) {
        if !self.checks {
            return;
        }
        for violation in shape().violations(&self.head.yaml) {
            self.say("front-matter", &violation.span, violation.message, violation.help);
            let (Some((wrong, meant)), Some(last)) = (violation.meant, self.out.last_mut()) else { continue };
            if last.source.text.get(last.span.clone()) == Some(&wrong) {
                last.fix = Some(Fix { span: last.span.clone(), replacement: meant });
            }
        }
    }

    /// The header, as far as the front matter gives one; what the schema cannot say is remarked on.
    fn header(&mut self) -> Option<Header> {
        let yaml = &self.head.yaml;
        let title = self.template(yaml.get("title"), Language::Plain);
        let severity = yaml.get("severity").and_then(Yaml::raw).and_then(Severity::from_word);
        let judges = yaml.get("judges").and_then(|judges| self.kind(judges, true));
        let when = self.when();
        let window = self.window(judges.as_deref());
        let uses = self.kinds("uses");
        let needs = self.kinds("needs");
        for kind in uses.iter().filter(|kind| needs.contains(kind)) {
            let span = yaml.key_span("needs");
            self.say("front-matter", &span, format!("`{kind}` is both in `uses` and in `needs`"), None);
        }
        let params = self.params();
        let remediation = yaml.get("remediation");
        let form = |name: &str| name.split('.').try_fold(remediation?, |at, key| at.get(key));
        let texts = |name: &str| -> Vec<String> {
            yaml.get(name)
                .map(Yaml::items)
                .unwrap_or_default()
                .iter()
                .filter_map(Yaml::raw)
                .map(str::to_owned)
                .collect()
        };
        let names = ["after", "touches"].map(|key| {
            let names = remediation.and_then(|remediation| remediation.get(key)).map(Yaml::items).unwrap_or_default();
            names.iter().filter_map(Yaml::raw).map(str::to_owned).collect()
        });
        let remediation = Forms::of(|name, language| self.template(form(name), language), names);
        Some(Header {
            title: title?,
            severity: severity?,
            judges: judges?.as_str().into(),
            when,
            window,
            uses,
            needs,
            params,
            tags: texts("tags").into(),
            references: texts("references").into(),
            remediation,
            formerly: texts("formerly"),
        })
    }

    fn template(&mut self, yaml: Option<&Yaml>, language: Language) -> Option<Template> {
        let yaml = yaml?;
        match Template::parse(yaml.raw()?, language) {
            Ok(template) => Some(template),
            Err(mistakes) => {
                // The value may be folded or escaped; the placeholder's own text finds its place in the file.
                let whole = self.head.span(&yaml.span);
                let mut from = whole.start;
                for (at, message) in mistakes {
                    let wanted = yaml.raw()?.get(at).unwrap_or_default();
                    let found = self.source.text.get(from..whole.end).and_then(|text| text.find(wanted));
                    let place = found.map_or(whole.clone(), |found| from + found..from + found + wanted.len());
                    from = if found.is_some() { place.end } else { from };
                    self.out.push(Diagnostic::error("placeholder", self.source, place, message));
                }
                None
            }
        }
    }

    fn kind(&mut self, yaml: &Yaml, or_events: bool) -> Option<String> {
        let kind = yaml.raw()?;
        if self.checks && or_events && schema::is_told(kind) {
            let message = format!("`{kind}` is what events tell of: it can be looked up, and is not judged");
            self.say(
                "unknown-kind",
                &yaml.span,
                message,
                Some(format!("judge `{CLOUDTRAIL}`, and declare it in `uses:`")),
            );
            return None;
        }
        if !self.checks || (or_events && kind == CLOUDTRAIL) || schema::is_kind(kind) {
            return Some(kind.to_owned());
        }
        let events = or_events.then_some(CLOUDTRAIL);
        let help = did_you_mean(kind, schema::kinds().chain(events)).map(|meant| format!("did you mean `{meant}`?"));
        self.say("unknown-kind", &yaml.span, format!("no inventory kind `{kind}`"), help);
        if let (Some(meant), Some(last)) = (surely_meant(kind, schema::kinds().chain(events)), self.out.last_mut())
            && last.source.text.get(last.span.clone()) == Some(kind)
        {
            last.fix = Some(Fix { span: last.span.clone(), replacement: meant.to_owned() });
        }
        None
    }

    fn kinds(&mut self, key: &str) -> Vec<String> {
        let items = self.head.yaml.get(key).map(Yaml::items).unwrap_or_default();
        items.iter().filter_map(|item| self.kind(item, false)).collect()
    }

    fn when(&mut self) -> When {
        let mut conditions = Vec::new();
        for (key, value) in self.head.yaml.get("when").map(Yaml::members).unwrap_or_default() {
            let path = match parse_path(&key.name) {
                Ok(path) => path,
                Err(reason) => {
                    self.say(
                        "when",
                        &key.span,
                        format!("`{}` is not a path: {reason}", key.name),
                        Some("a dotted path of names: `userIdentity.type`, `a.\"b.c\"`".to_owned()),
                    );
                    continue;
                }
            };
            let values = if value.items().is_empty() { std::slice::from_ref(value) } else { value.items() };
            let mut any_of = Vec::new();
            for value in values {
                let text = value.raw();
                if let Some(text) = text.filter(|text| text.contains(['*', '?'])) {
                    self.say(
                        "when",
                        &value.span,
                        format!("`{text}` has a wildcard, which `when` does not know"),
                        Some("list the values, or ask with `glob` in `matches`".to_owned()),
                    );
                } else if any_of.contains(&text.map(str::to_owned)) {
                    self.say("when", &value.span, format!("`{}` is listed twice", text.unwrap_or("null")), None);
                } else {
                    any_of.push(text.map(str::to_owned));
                }
            }
            conditions.push(Condition { path, any_of });
        }
        When { conditions }
    }

    fn params(&mut self) -> Vec<Param> {
        let mut params = Vec::new();
        let mut names = BTreeSet::new();
        for (key, value) in self.head.yaml.get("params").map(Yaml::members).unwrap_or_default() {
            let word = value.get("type").and_then(Yaml::raw).unwrap_or_default();
            let of = value.get("of").and_then(Yaml::raw);
            if of.is_some() && word != "list" {
                self.say("param", &value.key_span("of"), format!("`of` is for lists; `{}` is {word}", key.name), None);
            }
            let (Some(kind), Some(default)) = (ParamKind::from_word(word, of), value.get("default")) else { continue };
            // Numbers are no texts; the ids of accounts look like some, and are meant.
            let is_number = |item: &&Yaml| match &item.data {
                Data::Scalar { raw, value } => value.is_number() && !is_account(raw) || value.is_boolean(),
                _ => false,
            };
            if of.is_none()
                && word == "list"
                && let Some(item) = default.items().iter().find(is_number)
            {
                let raw = item.raw().unwrap_or_default();
                let message = format!("the default of `{}` is a list of texts, and `{raw}` is none", key.name);
                let help = "say `of: int`, or put it in quotes".to_owned();
                self.say("param", &item.span, message, Some(help));
                continue;
            }
            match kind.accept(default) {
                Ok(default) => {
                    let doc = value.get("doc").and_then(Yaml::raw).unwrap_or_default().trim().to_owned();
                    names.insert(&key.name);
                    params.push(Param { name: key.name.clone(), kind, default, doc });
                }
                Err(message) => {
                    self.say("param", &default.span, format!("the default of `{}`: {message}", key.name), None)
                }
            }
        }
        params
    }
}
