//! Tells what a change of policies does: as a table, as Markdown for a pull request, as JSON.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::paint::{BAD, BOLD, DIM, GOOD, NOTE, paint};
use crate::cases::impact::{Difference, Impact, Kind, PolicyImpact, State};
use crate::fault::printable;
use crate::report::json::pretty;
use crate::report::markdown::escaped;

/// The version of the JSON's shape.
const VERSION: u32 = 1;
/// Findings of each kind that people are shown.
const SHOWN: usize = 20;
/// Characters of a title that people are shown.
const LONGEST: usize = 200;

/// A format in which it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImpactFormat {
    /// A table for people.
    Text,
    /// For a comment on a pull request.
    Markdown,
    /// One JSON object (schemas/impact.schema.json).
    Json,
}

/// Tells what a change of policies does.
///
/// # Errors
/// When `out` cannot be written to.
pub fn write_impact(format: ImpactFormat, impact: &Impact, colour: bool, out: &mut dyn Write) -> io::Result<()> {
    match format {
        ImpactFormat::Text => text(impact, colour, out),
        ImpactFormat::Markdown => markdown(impact, out),
        ImpactFormat::Json => {
            let (code, reasons) = impact.exit();
            let mut whole = json!({
                "schema_version": VERSION,
                "lawbook": env!("CARGO_PKG_VERSION"),
                "summary": {
                    "added": impact.count(Kind::Added),
                    "removed": impact.count(Kind::Removed),
                    "changed": impact.count(Kind::Changed),
                    "exit": { "code": code, "reasons": reasons },
                },
            });
            if let (Value::Object(whole), Value::Object(rest)) = (&mut whole, serde_json::to_value(impact)?) {
                whole.extend(rest);
            }
            pretty(&whole, out)
        }
    }
}

fn word(state: State) -> &'static str {
    match state {
        State::Same => "",
        State::Edited => "edited",
        State::New => "new",
        State::Gone => "gone",
    }
}

fn sign(kind: Kind) -> &'static str {
    match kind {
        Kind::Added => "+",
        Kind::Removed => "-",
        Kind::Changed => "~",
    }
}

fn heading(kind: Kind) -> &'static str {
    match kind {
        Kind::Added => "Added",
        Kind::Removed => "Removed",
        Kind::Changed => "Changed",
    }
}

/// What a policy is called among the others: by its pack, too, where there are several.
fn name(impact: &Impact, policy: &PolicyImpact) -> String {
    let is_alone = impact.policies.iter().all(|other| other.pack == policy.pack);
    if is_alone { policy.policy.to_string() } else { format!("{}/{}", policy.pack, policy.policy) }
}

/// The whole in a sentence.
fn sentence(impact: &Impact) -> String {
    let [added, removed, changed] = [Kind::Added, Kind::Removed, Kind::Changed].map(|kind| impact.count(kind));
    let records = impact.after.records;
    let noun = if records == 1 { "record" } else { "records" };
    if added + removed + changed == 0 {
        return format!("No finding of {records} {noun} differs ({} in all).", impact.after.findings);
    }
    format!(
        "{added} added, {removed} removed, {changed} changed; {} findings of {records} {noun} were {}.",
        impact.after.findings, impact.before.findings
    )
}

/// What one should know before one believes it.
fn notes(impact: &Impact) -> Vec<String> {
    let (_, mut notes) = impact.exit();
    if impact.before.policies == 0 {
        notes.push(format!("there was no policy at the {} `{}`", impact.against.kind.word(), impact.against.name));
    }
    for (what, before, after) in [
        ("not evaluated", impact.before.not_evaluated, impact.after.not_evaluated),
        ("faults", impact.before.faults, impact.after.faults),
    ] {
        if before != after {
            notes.push(format!("{what}: {after}, were {before}"));
        }
    }
    notes
}

/// What a changed finding said, where it is short enough to be shown.
fn said(difference: &Difference) -> String {
    let short = |name: &str, value: &Value| match (name, value.as_str()) {
        ("severity" | "title", Some(text)) => format!("{name} was {}", printable(text, LONGEST)),
        _ => format!("{name} differs"),
    };
    let all: Vec<String> = difference.was.iter().map(|(name, value)| short(name, value)).collect();
    if all.is_empty() { String::new() } else { format!(" ({})", all.join("; ")) }
}

fn of_kind(impact: &Impact, kind: Kind) -> impl Iterator<Item = &Difference> {
    impact.findings.iter().filter(move |difference| difference.kind == kind)
}

fn row(policy: &PolicyImpact) -> [String; 5] {
    let number = |sign: &str, count: u64| if count == 0 { String::new() } else { format!("{sign}{count}") };
    [
        policy.before.to_string(),
        policy.after.to_string(),
        number("+", policy.added),
        number("-", policy.removed),
        number("~", policy.changed),
    ]
}

fn text(impact: &Impact, colour: bool, out: &mut dyn Write) -> io::Result<()> {
    let against = format!("against the {} `{}`:", impact.against.kind.word(), printable(&impact.against.name, LONGEST));
    writeln!(out, "{}", paint(colour, DIM, &against))?;
    if !impact.policies.is_empty() {
        let width = impact.policies.iter().map(|policy| name(impact, policy).len()).max().unwrap_or_default();
        let width = width.max("policy".len());
        let head = format!(
            "{:width$}  {:>8} {:>8} {:>8} {:>8} {:>8}",
            "policy", "before", "after", "added", "removed", "changed"
        );
        writeln!(out, "{}", paint(colour, BOLD, &head))?;
        for policy in &impact.policies {
            let id = name(impact, policy);
            let [before, after, added, removed, changed] = row(policy);
            write!(out, "{id:width$}  {before:>8} {after:>8} ")?;
            write!(out, "{} ", paint(colour, BAD, &format!("{added:>8}")))?;
            write!(out, "{} ", paint(colour, GOOD, &format!("{removed:>8}")))?;
            write!(out, "{}", paint(colour, NOTE, &format!("{changed:>8}")))?;
            let state = word(policy.state);
            writeln!(
                out,
                "{}",
                if state.is_empty() { String::new() } else { paint(colour, DIM, &format!("  {state}")) }
            )?;
        }
        writeln!(out)?;
    }
    for kind in [Kind::Added, Kind::Removed, Kind::Changed] {
        for difference in of_kind(impact, kind).take(SHOWN) {
            let style = match kind {
                Kind::Added => BAD,
                Kind::Removed => GOOD,
                Kind::Changed => NOTE,
            };
            let severity = difference.severity.word().to_uppercase();
            let title = printable(&difference.title, LONGEST);
            let line = format!("{} {severity} {title}", sign(kind));
            writeln!(out, "{}{}", paint(colour, style, &line), said(difference))?;
            let time = difference.time.as_deref().map_or_else(String::new, |time| format!("{}  ", printable(time, 40)));
            let place = format!("    {}  {time}{}", difference.policy, printable(&difference.origin, LONGEST));
            writeln!(out, "{}", paint(colour, DIM, &place))?;
        }
        more(impact, kind, out)?;
    }
    writeln!(out, "{}", paint(colour, BOLD, &sentence(impact)))?;
    for note in notes(impact) {
        writeln!(out, "{}", paint(colour, NOTE, &format!("note: {}", printable(&note, 400))))?;
    }
    Ok(())
}

/// How many of a kind are not shown.
fn more(impact: &Impact, kind: Kind, out: &mut dyn Write) -> io::Result<()> {
    let shown = u64::try_from(of_kind(impact, kind).take(SHOWN).count()).unwrap_or(u64::MAX);
    let rest = impact.count(kind).saturating_sub(shown);
    if rest > 0 {
        writeln!(out, "  and {rest} more that are {}: `--format json` has them", heading(kind).to_lowercase())?;
    }
    Ok(())
}

fn markdown(impact: &Impact, out: &mut dyn Write) -> io::Result<()> {
    let against = &impact.against;
    writeln!(out, "### What the policies find, against the {} {}\n", against.kind.word(), escaped(&against.name))?;
    writeln!(out, "{}\n", sentence(impact))?;
    for note in notes(impact) {
        writeln!(out, "> **Note**: {}\n", escaped(&note))?;
    }
    if !impact.policies.is_empty() {
        writeln!(out, "| policy | | before | after | added | removed | changed |\n|---|---|--:|--:|--:|--:|--:|")?;
        for policy in &impact.policies {
            let id = name(impact, policy);
            writeln!(out, "| {} | {} | {} |", escaped(&id), word(policy.state), row(policy).join(" | "))?;
        }
    }
    for kind in [Kind::Added, Kind::Removed, Kind::Changed] {
        if impact.count(kind) == 0 {
            continue;
        }
        writeln!(out, "\n<details><summary>{}: {}</summary>\n", heading(kind), impact.count(kind))?;
        for difference in of_kind(impact, kind).take(SHOWN) {
            let was = said(difference);
            let was = if was.is_empty() { was } else { escaped(&was) };
            let (severity, policy) = (difference.severity.word(), escaped(&difference.policy));
            writeln!(
                out,
                "- **{severity}** {}{was}: {policy}, {}",
                escaped(&difference.title),
                escaped(&difference.origin)
            )?;
        }
        more(impact, kind, out)?;
        writeln!(out, "\n</details>")?;
    }
    Ok(())
}
