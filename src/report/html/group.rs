//! The section of a group of findings: its worst with all that there is to tell, the next in a line each.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;

use minijinja::Value as Filled;
use serde::Serialize;
use serde_json::Value;

use super::markup::{Templates, markdown};
use super::{cut, plural};
use crate::finding::{Excuse, Finding, Sighting};
use crate::policy::{Checked, Policy};
use crate::principal::Principal;
use crate::report::grouped::Words;

/// Characters of a text, and lines of a list, that are shown.
const LONGEST: usize = 1_500;
const MOST: usize = 25;

/// Hits that are shown beside the last.
const HITS: usize = 20;

/// Puts groups into words.
pub(super) struct Groups<'a> {
    pub(super) templates: &'a Templates,
    pub(super) packs: &'a Checked,
    /// What policies say, by their names: many groups are of one policy.
    pub(super) said: RefCell<BTreeMap<String, Said>>,
    /// The first template that could not be filled.
    pub(super) failed: RefCell<Option<io::Error>>,
}

/// What a policy says.
#[derive(Clone, Default)]
pub(super) struct Said {
    why: Option<Filled>,
    about: Vec<Part>,
}

#[derive(Clone, Serialize)]
struct Part {
    heading: String,
    text: Filled,
}

#[derive(Serialize)]
struct Group<'a> {
    severity: &'static str,
    standing: &'static str,
    area: String,
    fingerprint: String,
    policy: String,
    title: String,
    under: String,
    notes: Vec<String>,
    waiver: Option<&'a Excuse>,
    why: Option<Filled>,
    evidence: Vec<Row>,
    hits: Option<Hits>,
    context: Vec<Row>,
    remediation: Vec<Form>,
    left_out: Vec<String>,
    about: Vec<Part>,
    references: Vec<Link>,
    tags: &'a [String],
}

#[derive(Serialize)]
struct Row {
    name: String,
    lines: Vec<String>,
    code: bool,
}

#[derive(Serialize)]
struct Form {
    name: String,
    text: String,
    code: bool,
}

#[derive(Serialize)]
struct Link {
    href: Option<String>,
    text: String,
}

#[derive(Serialize)]
struct Hits {
    title: String,
    /// From when to when.
    span: String,
    rows: Vec<Hit>,
    more: String,
}

#[derive(Serialize)]
struct Hit {
    number: u64,
    time: String,
    call: String,
    who: String,
    from: String,
    origin: String,
}

#[derive(Serialize)]
struct Other {
    severity: &'static str,
    standing: &'static str,
    title: String,
    under: String,
    fingerprint: String,
}

impl Words for Groups<'_> {
    fn worst(&self, finding: &Finding) -> String {
        let policy = self.packs.of(&finding.pack, &finding.policy);
        let said = self.said(finding, policy);
        let remediation = serde_json::to_value(&finding.remediation).unwrap_or_default();
        let left_out = &finding.remediation.left_out;
        let group = Group {
            severity: finding.severity.word(),
            standing: finding.standing.word(),
            area: super::area(finding, policy),
            fingerprint: finding.fingerprint.to_string(),
            policy: format!("{}/{}", finding.pack, finding.policy),
            title: cut(&finding.title, 400),
            under: under(finding, true),
            notes: finding.notes.iter().take(MOST).map(|note| cut(note, LONGEST)).collect(),
            waiver: finding.waiver.as_ref(),
            why: said.why,
            evidence: evidence(finding),
            hits: hits(finding),
            context: context(finding),
            remediation: forms(&remediation),
            left_out: left_out
                .iter()
                .map(|left| format!("No {}: {}.", called(&left.form), cut(&left.reason, 300)))
                .collect(),
            about: said.about,
            references: finding.references.iter().map(|text| link(text)).collect(),
            tags: &finding.tags,
        };
        self.fill("group", &group)
    }

    fn other(&self, finding: &Finding) -> String {
        let other = Other {
            severity: finding.severity.word(),
            standing: finding.standing.word(),
            title: cut(&finding.title, 400),
            under: under(finding, false),
            fingerprint: finding.fingerprint.to_string(),
        };
        self.fill("other", &other)
    }
}

/// The end of a group, of which so many more findings are not shown.
pub(super) fn end(more: u64) -> String {
    let more =
        if more == 0 { String::new() } else { format!("<li class=\"more\">and {} more</li>", plural(more, "finding")) };
    format!("{more}</ul>\n</div></details>\n")
}

impl Groups<'_> {
    fn fill(&self, name: &str, values: &impl Serialize) -> String {
        self.templates.fill(name, values).unwrap_or_else(|error| {
            self.failed.borrow_mut().get_or_insert(error);
            String::new()
        })
    }

    fn said(&self, finding: &Finding, policy: Option<&Policy>) -> Said {
        let Some(policy) = policy else { return Said::default() };
        let mut known = self.said.borrow_mut();
        let said = known.entry(format!("{}/{}", finding.pack, finding.policy)).or_insert_with(|| {
            let why = policy.section("Why it matters");
            let others = policy.sections().into_iter().filter(|(heading, _)| *heading != "Why it matters");
            let part = |(heading, text): (&str, &str)| Part { heading: heading.to_owned(), text: markdown(text) };
            Said { why: (!why.is_empty()).then(|| markdown(why)), about: others.map(part).collect() }
        });
        said.clone()
    }
}

/// The line below a title.
fn under(finding: &Finding, has_policy: bool) -> String {
    let record = &finding.record;
    let policy = has_policy.then_some(&*finding.policy);
    let parts = [policy, record.time.as_deref(), record.account.as_deref(), record.region.as_deref()];
    parts.into_iter().flatten().map(|part| cut(part, 200)).collect::<Vec<_>>().join(" · ")
}

fn evidence(finding: &Finding) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut add = |name: &str, code: bool, lines: Vec<String>| {
        if !lines.is_empty() {
            rows.push(Row { name: name.to_owned(), lines, code });
        }
    };
    let one = |text: &Option<String>| text.iter().map(|text| cut(text, LONGEST)).collect::<Vec<_>>();
    let record = &finding.record;
    let is_event = record.name.is_some() || record.source.is_some();
    if let Some(actor) = &finding.actor {
        add("Who", false, who(actor));
        add("ARN", true, one(&actor.arn));
        add("Role", true, one(&actor.role));
        add("Access key", true, one(&actor.access_key));
        if let Some(traced) = &actor.traced {
            let origin = traced.origin.as_ref().map_or_else(|| vec!["not known".to_owned()], who);
            add("Session began by", false, origin);
            add("Through", true, listed(&traced.chain));
        }
    }
    add("From", true, one(&finding.source_ip));
    if is_event {
        let text = |text: &Option<String>| text.as_deref().map_or_else(|| "unknown".to_owned(), |text| cut(text, 200));
        add("Call", false, vec![format!("{} of {}", text(&record.name), text(&record.source))]);
    }
    add(if is_event { "When" } else { "As of" }, false, one(&record.time));
    let place = [record.account.as_deref(), record.region.as_deref()].into_iter().flatten();
    let place: Vec<String> = place.map(|part| cut(part, 200)).collect();
    add("Account, region", false, if place.is_empty() { Vec::new() } else { vec![place.join(", ")] });
    add("Resources", true, listed(&finding.resources));
    let id = record.id.as_deref().map(|id| cut(id, LONGEST));
    add(if is_event { "Event" } else { "Record" }, true, id.into_iter().collect());
    let mut origins = vec![place_of(&finding.origin)];
    if !finding.duplicates.is_empty() {
        origins.push(format!(
            "and {} more {}",
            finding.duplicates.len(),
            if finding.duplicates.len() == 1 { "time" } else { "times" }
        ));
    }
    add("Read in", true, origins);
    add("Known as", true, vec![finding.fingerprint.to_string()]);
    rows
}

fn place_of(origin: &crate::record::Origin) -> String {
    let line = origin.line.map_or_else(String::new, |line| format!(", line {line}"));
    format!("{}, record {}{line}", cut(&origin.file, LONGEST), origin.position)
}

fn who(actor: &Principal) -> Vec<String> {
    let mut text =
        actor.name.as_deref().or(actor.arn.as_deref()).map_or_else(|| "unknown".to_owned(), |name| cut(name, 300));
    let more = [
        actor.kind.as_deref().map(|kind| cut(kind, 100)),
        actor.session.as_deref().map(|session| format!("session {}", cut(session, 300))),
        actor.account.as_deref().map(|account| format!("account {}", cut(account, 100))),
        actor.mfa.map(|mfa| if mfa { "with a second factor" } else { "without a second factor" }.to_owned()),
    ];
    let more: Vec<String> = more.into_iter().flatten().collect();
    if !more.is_empty() {
        text.push_str(&format!(" ({})", more.join(", ")));
    }
    vec![text]
}

fn listed(texts: &[String]) -> Vec<String> {
    let mut lines: Vec<String> = texts.iter().take(MOST).map(|text| cut(text, LONGEST)).collect();
    if texts.len() > MOST {
        lines.push(format!("and {} more", texts.len() - MOST));
    }
    lines
}

fn hits(finding: &Finding) -> Option<Hits> {
    let window = finding.window.as_ref()?;
    let shown = window.hits.iter().take(HITS).chain(window.hits.iter().skip(HITS).last());
    let rows: Vec<Hit> = shown.map(hit).collect();
    let left = window.count.saturating_sub(rows.len() as u64);
    Some(Hits {
        title: plural(window.count, "hit"),
        span: format!("{} to {}", cut(&window.first, 60), cut(&window.last, 60)),
        rows,
        more: if left > 0 { format!("{} more between them.", plural(left, "hit")) } else { String::new() },
    })
}

fn hit(hit: &Sighting) -> Hit {
    let text = |text: &Option<String>| text.as_deref().map_or_else(String::new, |text| cut(text, 300));
    let step = hit.step.as_deref().map_or_else(String::new, |step| format!("{}: ", cut(step, 100)));
    Hit {
        number: hit.number,
        time: cut(&hit.time, 60),
        call: step + text(&hit.name).as_str(),
        who: text(&hit.actor),
        from: text(&hit.source_ip),
        origin: place_of(&hit.origin),
    }
}

fn context(finding: &Finding) -> Vec<Row> {
    let members = finding.context.as_object().into_iter().flatten();
    let has = |value: &Value| !value.is_null() && value.as_array().is_none_or(|items| !items.is_empty());
    let members: Vec<(&String, &Value)> = members.filter(|(_, value)| has(value)).collect();
    let more = members.len().saturating_sub(2 * MOST);
    let row = |(key, value): (&String, &Value)| {
        let is_flat = |items: &Vec<Value>| items.iter().all(|item| !item.is_object() && !item.is_array());
        let (text, code) = match value {
            Value::String(text) => (cut(text, LONGEST), false),
            Value::Array(items) if is_flat(items) => {
                (listed(&items.iter().map(plain).collect::<Vec<_>>()).join(", "), false)
            }
            Value::Object(_) | Value::Array(_) => {
                (cut(&serde_json::to_string_pretty(value).unwrap_or_default(), LONGEST), true)
            }
            other => (other.to_string(), false),
        };
        Row { name: cut(key, 100), lines: vec![text], code }
    };
    let mut rows: Vec<Row> = members.into_iter().take(2 * MOST).map(row).collect();
    if more > 0 {
        rows.push(Row { name: "more".to_owned(), lines: vec![plural(more as u64, "member")], code: false });
    }
    rows
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Every form of remediation that is filled: text, or texts by form.
fn forms(remediation: &Value) -> Vec<Form> {
    let mut forms = Vec::new();
    let mut add = |name: String, key: &str, text: &str| {
        let code = matches!(key, "cli" | "python");
        forms.push(Form { name, text: cut(text.trim_end(), 20_000), code });
    };
    for (key, value) in remediation.as_object().into_iter().flatten() {
        match value {
            Value::String(text) => add(called(key), key, text),
            Value::Object(inner) => {
                for (form, text) in inner.iter().filter_map(|(form, text)| Some((form, text.as_str()?))) {
                    add(format!("{} ({})", called(key), called(form)), form, text);
                }
            }
            _ => {}
        }
    }
    forms
}

/// What a form of remediation is called in the page.
fn called(form: &str) -> String {
    match form {
        "console" => "In the console".to_owned(),
        "cli" => "With the AWS CLI".to_owned(),
        "python" => "With Python".to_owned(),
        other => {
            let mut letters = other.chars();
            letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
        }
    }
}

/// A reference, which is a link only if it leads to `https`.
fn link(text: &str) -> Link {
    Link { href: text.starts_with("https://").then(|| text.to_owned()), text: cut(text, 400) }
}
