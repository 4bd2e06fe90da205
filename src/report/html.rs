//! One page for people, with nothing that is loaded from elsewhere: what was found, when, where and by whom, and what was not
//! judged.
//!
//! However many findings there are, the page stays one that can be opened: all of them are counted, the worst groups are
//! shown, and how many are not stands below them. Templates, style and script are files beside this one.

mod calls;
mod counts;
mod group;
mod markup;
mod timeline;

use std::cell::RefCell;
use std::io::{self, Write};

use minijinja::Value;
use serde::Serialize;

use self::calls::Calls;
use self::counts::{Counts, Table};
use self::group::Groups;
pub(crate) use self::markup::escaped;
use self::markup::{SCRIPT, STYLE, Templates, content_policy, own, quoted};
use self::timeline::{Timeline, Times};
use super::grouped;
use crate::engine::{Decided, History, Outcome, Summary};
use crate::finding::Finding;
use crate::policy::{Checked, Policy};
use crate::record::{CLOUDTRAIL, Origin};

/// Findings of a group that are shown.
const EXAMPLES: usize = 4;
/// Groups that are shown.
pub(super) const SHOWN: usize = 500;

/// Rows of what was not judged, and of waivers, baseline and files, that are shown.
const ROWS: usize = 200;

/// Rows of what was not judged that need not be opened.
const FIRST: usize = 6;

pub(super) fn write(outcome: &Outcome, packs: &Checked, out: &mut dyn Write) -> io::Result<()> {
    let templates = Templates::new()?;
    let (mut counts, mut times) = (Counts::default(), Times::new());
    for finding in &outcome.findings {
        let finding = finding.map_err(io::Error::other)?;
        counts.add(&finding, &area(&finding, packs.of(&finding.pack, &finding.policy)));
        if &*finding.record.kind == CLOUDTRAIL {
            times.add(finding.record.time.as_deref(), finding.severity);
        } else {
            times.add_resource();
        }
    }
    let calls = outcome.tally.as_ref().map(|tally| templates.filled("calls", &Calls::of(tally))).transpose()?;
    let head = Head { calls, ..head(outcome, counts, times.timeline()) };
    out.write_all(templates.fill("head", &head)?.as_bytes())?;
    let groups = Groups { templates: &templates, packs, said: RefCell::default(), failed: RefCell::default() };
    let how = grouped::How { by: None, examples: EXAMPLES, groups: SHOWN };
    let left = grouped::each(&outcome.findings, how, &groups, &mut |about, texts| {
        out.write_all(texts.concat().as_bytes())?;
        out.write_all(group::end(about.count() - texts.len() as u64).as_bytes())
    })?;
    if let Some(error) = groups.failed.into_inner() {
        return Err(error);
    }
    out.write_all(templates.fill("tail", &tail(outcome, left))?.as_bytes())?;
    writeln!(out)
}

#[derive(Serialize)]
struct Head<'a> {
    csp: String,
    style: Value,
    version: &'static str,
    headline: String,
    read: String,
    exit: Verdict,
    redacted: bool,
    total: u64,
    severities: Vec<Tile>,
    standings: Vec<Tile>,
    facts: Vec<Fact>,
    unjudged: Unjudged<'a>,
    timeline: Timeline,
    history: Vec<Span<'a>>,
    areas: Table,
    services: Table,
    places: Table,
    actors: Table,
    sources: Table,
    policies: Table,
    /// What all events were, where that was wanted.
    calls: Option<Value>,
    shown: &'static str,
}

#[derive(Serialize)]
struct Verdict {
    code: u8,
    word: &'static str,
    why: String,
}

#[derive(Serialize)]
struct Tile {
    name: &'static str,
    count: u64,
}

#[derive(Serialize)]
struct Fact {
    name: &'static str,
    text: String,
}

/// Of which times there were records of an account.
#[derive(Serialize)]
struct Span<'a> {
    account: &'a str,
    from: &'a str,
    to: &'a str,
}

#[derive(Serialize)]
struct Unjudged<'a> {
    total: u64,
    faults: Rows<'a>,
    rows: Rows<'a>,
    more: String,
}

/// Rows of which the first are there to be seen, and the rest to be opened.
#[derive(Serialize)]
struct Rows<'a> {
    first: Vec<UnjudgedRow<'a>>,
    title: String,
    rest: Vec<UnjudgedRow<'a>>,
}

impl<'a> Rows<'a> {
    fn of(rows: impl Iterator<Item = UnjudgedRow<'a>>) -> Self {
        let mut first: Vec<_> = rows.take(ROWS).collect();
        let rest = first.split_off(first.len().min(FIRST));
        Self { first, title: format!("{} more", rest.len()), rest }
    }
}

#[derive(Serialize)]
struct UnjudgedRow<'a> {
    subject: &'a str,
    reason: Value,
    place: String,
    origins: Vec<String>,
    count: u64,
}

fn head(outcome: &Outcome, counts: Counts, timeline: Timeline) -> Head<'_> {
    let summary = &outcome.summary;
    let records = summary.records.events + summary.records.resources;
    let tiles =
        |counts: &[(&'static str, u64)]| counts.iter().map(|(name, count)| Tile { name, count: *count }).collect();
    let exit = &summary.exit;
    let (word, why) = match exit.code {
        0 => ("Passed.", format!("No new finding is severe enough to fail, and {}.", judged(summary.not_evaluated))),
        1 => ("Failed.", format!("{} (exit 1).", exit.reasons.join("; "))),
        _ => ("Not to be relied on.", format!("{} (exit {}).", exit.reasons.join("; "), exit.code)),
    };
    Head {
        csp: content_policy(),
        style: own(STYLE),
        version: env!("CARGO_PKG_VERSION"),
        headline: format!("{} in {}", plural(summary.findings.total, "finding"), plural(records, "record")),
        read: format!(
            "{} and {} judged by {} policies, as of {}.",
            plural(summary.records.events, "event"),
            plural(summary.records.resources, "resource"),
            summary.policies.loaded,
            cut(&summary.now, 60)
        ),
        exit: Verdict { code: exit.code, word, why },
        redacted: summary.redacted,
        total: summary.findings.total,
        severities: tiles(&summary.findings.by_severity.0),
        standings: tiles(&summary.findings.by_standing.0),
        facts: facts(summary),
        unjudged: unjudged(outcome),
        timeline,
        history: summary.history.iter().take(ROWS).map(span).collect(),
        areas: counts.areas.table("areas", "of no area"),
        services: counts.services.table("services", "of no service"),
        places: counts.places.table("places", "of an unknown account"),
        actors: counts.actors.table("actors", "without an actor"),
        sources: counts.sources.table("sources", "without a source"),
        policies: counts.policies.table("policies", "of no policy"),
        calls: None,
        shown: "The worst first; findings that belong together are in one place.",
    }
}

fn judged(not_evaluated: u64) -> String {
    match not_evaluated {
        0 => "all was judged that was to be".to_owned(),
        count => format!("{} could not be made", plural(count, "judgement")),
    }
}

fn facts(summary: &Summary) -> Vec<Fact> {
    let by = |counts: &[(&str, u64)]| {
        counts.iter().map(|(word, count)| format!("{count} {word}")).collect::<Vec<_>>().join(", ")
    };
    let records = &summary.records;
    let mut facts = vec![
        Fact { name: "Standing", text: by(&summary.findings.by_standing.0) },
        Fact {
            name: "Records judged",
            text: format!("{}, {}", plural(records.events, "event"), plural(records.resources, "resource")),
        },
        Fact { name: "Files", text: format!("{} read, {} skipped", summary.files.read, summary.files.skipped) },
        Fact {
            name: "Policies",
            text: format!("{} loaded, {} asked at least once", summary.policies.loaded, summary.policies.asked),
        },
        Fact {
            name: "Not judged",
            text: format!("{} not evaluated, {}", summary.not_evaluated, plural(summary.faults, "fault")),
        },
    ];
    if records.recognised + records.filtered > 0 {
        let text =
            format!("{} recognised with nothing to judge, {} filtered out", records.recognised, records.filtered);
        facts.push(Fact { name: "Other records", text });
    }
    facts
}

fn span(history: &History) -> Span<'_> {
    let account = history.account.as_deref().unwrap_or("unknown");
    Span { account, from: &history.from, to: &history.to }
}

fn unjudged(outcome: &Outcome) -> Unjudged<'_> {
    let faults = outcome.faults.iter().map(|row| UnjudgedRow {
        subject: row.policy.as_deref().unwrap_or(row.stage),
        reason: quoted(&cut(&row.reason, 600)),
        place: String::new(),
        origins: row.origins.iter().map(place_of).collect(),
        count: row.count,
    });
    let rows = outcome.not_evaluated.iter().map(|row| {
        let place = [row.account.as_deref(), row.region.as_deref()].map(|part| cut(part.unwrap_or("unknown"), 100));
        UnjudgedRow {
            subject: &row.policy,
            reason: quoted(&cut(&row.reason, 600)),
            place: place.join(", "),
            origins: Vec::new(),
            count: row.count,
        }
    });
    let left = outcome.faults.len().saturating_sub(ROWS) + outcome.not_evaluated.len().saturating_sub(ROWS);
    Unjudged {
        total: outcome.summary.faults + outcome.summary.not_evaluated,
        faults: Rows::of(faults),
        rows: Rows::of(rows),
        more: if left > 0 { format!("And {left} more rows, which the JSON report has.") } else { String::new() },
    }
}

fn place_of(origin: &Origin) -> String {
    cut(&origin.to_string(), 400)
}

#[derive(Serialize)]
struct Tail {
    left_out: String,
    decided: Decisions,
    skipped: Skipped,
    version: &'static str,
    now: String,
    script: Value,
}

#[derive(Serialize)]
struct Decisions {
    text: String,
    unused: Vec<Placed>,
    resolved: Vec<Placed>,
    more: String,
}

#[derive(Serialize)]
struct Skipped {
    title: String,
    rows: Vec<Placed>,
    more: String,
}

#[derive(Serialize)]
struct Placed {
    place: String,
    text: String,
}

fn tail(outcome: &Outcome, left: grouped::Left) -> Tail {
    let left_out = if left.groups == 0 {
        String::new()
    } else {
        format!(
            "{} more in {} are counted above and not shown here: the page has the {SHOWN} worst groups. The JSON report has all of them.",
            plural(left.findings, "finding"),
            plural(left.groups, "group")
        )
    };
    let rows = outcome.skipped.iter().take(ROWS);
    let left = outcome.skipped.len().saturating_sub(ROWS);
    Tail {
        left_out,
        decided: decisions(outcome),
        skipped: Skipped {
            title: plural(outcome.skipped.len() as u64, "file"),
            rows: rows.map(|(file, reason)| Placed { place: cut(file, 400), text: cut(reason, 300) }).collect(),
            more: if left > 0 { format!("And {left} more.") } else { String::new() },
        },
        version: env!("CARGO_PKG_VERSION"),
        now: cut(&outcome.summary.now, 60),
        script: own(SCRIPT),
    }
}

fn decisions(outcome: &Outcome) -> Decisions {
    let Some(Decided { unused_waivers, resolved }) = &outcome.decided else {
        let text = "There were no waivers and no baseline: all findings are new.".to_owned();
        return Decisions { text, unused: Vec::new(), resolved: Vec::new(), more: String::new() };
    };
    let of = |word: &str| {
        outcome.summary.findings.by_standing.0.iter().find(|(known, _)| *known == word).map_or(0, |(_, count)| *count)
    };
    let unused = unused_waivers.iter().take(ROWS).map(|row| Placed {
        place: format!("{}:{}", cut(&row.file, 300), row.line),
        text: format!(
            "{}, of {}: {}",
            cut(row.policy.as_deref().unwrap_or("a fingerprint"), 200),
            cut(&row.owner, 200),
            cut(&row.reason, 300)
        ),
    });
    let gone = resolved.iter().take(ROWS).map(|row| Placed {
        place: format!("{}/{}", cut(&row.pack, 200), cut(&row.policy, 200)),
        text: format!("{} (known since {})", cut(&row.title, 400), cut(&row.since, 60)),
    });
    let left = unused_waivers.len().saturating_sub(ROWS) + resolved.len().saturating_sub(ROWS);
    Decisions {
        text: format!(
            "{} waived, {} known from the baseline, {} resolved since, {} that excuse nothing.",
            of("waived"),
            of("known"),
            resolved.len(),
            plural(unused_waivers.len() as u64, "waiver")
        ),
        unused: unused.collect(),
        resolved: gone.collect(),
        more: if left > 0 { format!("And {left} more.") } else { String::new() },
    }
}

/// The folder that the policy is in, or its pack where it is in none.
fn area(finding: &Finding, policy: Option<&Policy>) -> String {
    let folder = policy
        .and_then(|policy| policy.file.rsplit(['/', '\\']).nth(1))
        .filter(|name| !matches!(*name, "" | "." | ".."));
    folder.unwrap_or(&finding.pack).to_owned()
}

/// The service that a record is of.
fn service(finding: &Finding) -> &str {
    let record = &finding.record;
    match record.kind.split_once('/') {
        Some((service, _)) => service,
        None => {
            record.source.as_deref().map_or("unknown", |source| source.strip_suffix(".amazonaws.com").unwrap_or(source))
        }
    }
}

fn plural(count: u64, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// At most so many characters; how many more there are stands behind them.
fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}… ({} more characters)", &text[..end], text[end..].chars().count()),
    }
}
