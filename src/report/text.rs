//! The report for people: worst first, grouped, with what an analyst needs first, and what was not judged.
//!
//! *Law*: every text that comes from a log or a policy passes through [`printable`], so that none can steer the terminal.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use super::grouped::{self, About, By, How, Words};
use super::{Look, summary};
use crate::engine::Outcome;
use crate::fault::printable;
use crate::finding::{Enforcement, Finding, Severity, Standing};
use crate::policy::{Checked, Policy};
use crate::principal::{Principal, Traced};
use crate::record::Origin;

pub(super) fn write(outcome: &Outcome, packs: &Checked, look: Look<'_>, out: &mut dyn Write) -> io::Result<()> {
    let reasons = packs.policies().iter().map(|policy| ((&*policy.pack, &*policy.id), first_sentence(policy)));
    // Of policies that are called alike the first counts, as it does everywhere.
    let groups = Groups { reasons: reasons.rev().collect(), colour: look.colour, by: look.group_by };
    let how = How { by: look.group_by, examples: look.examples.map_or(EXAMPLES, usize::from), groups: usize::MAX };
    grouped::each(&outcome.findings, how, &groups, &mut |about, texts| {
        out.write_all(groups.group(about, texts).as_bytes())
    })?;
    let mut page = Page { text: String::new(), colour: look.colour };
    page.not_judged(outcome);
    page.decided(outcome);
    page.why(outcome, out)?;
    if look.verbose {
        page.skipped(outcome);
    }
    if let Some(tally) = &outcome.tally {
        page.text.push_str(&summary::tables(tally, look.colour));
    }
    page.summary(outcome, look.verbose);
    page.hand_over(out)
}

/// What could not be judged or processed.
pub(super) fn not_judged(outcome: &Outcome, look: Look) -> String {
    let mut page = Page { text: String::new(), colour: look.colour };
    page.not_judged(outcome);
    page.text
}

/// The files that were skipped.
pub(super) fn skipped(outcome: &Outcome, look: Look) -> String {
    let mut page = Page { text: String::new(), colour: look.colour };
    page.skipped(outcome);
    page.text
}

/// Findings of a group that are shown.
const EXAMPLES: usize = 4;
/// Lines of commands that are shown.
const LONGEST_COMMANDS: usize = 12;

/// Findings in words.
struct Groups<'a> {
    /// Why each policy, by pack and id, matters.
    reasons: BTreeMap<(&'a str, &'a str), String>,
    colour: bool,
    by: Option<By>,
}

impl Groups<'_> {
    fn page(&self, write: impl FnOnce(&mut Page)) -> String {
        let mut page = Page { text: String::new(), colour: self.colour };
        write(&mut page);
        page.text
    }

    /// A group: under a heading where somebody asked for it; when it was seen, where that was more than once.
    fn group(&self, about: &About, texts: &[String]) -> String {
        self.page(|page| {
            if let Some(by) = self.by {
                let counts: Vec<String> =
                    about.severities().map(|(severity, count)| format!("{count} {}", severity.word())).collect();
                let count = about.count();
                let noun = if count == 1 { "finding" } else { "findings" };
                page.heading(&format!("== {} {}", by.word(), about.label()));
                page.line(&format!("   {count} {noun}{}: {}\n", about.seen(" "), counts.join(", ")));
            }
            let (worst, others) = texts.split_first().map_or(("", texts), |(worst, others)| (worst, others));
            page.text.push_str(worst);
            let mut rows: Vec<String> = others.to_vec();
            let more = about.count() - texts.len() as u64;
            if more > 0 {
                rows.push(format!("and {more} more"));
            }
            page.row("also", &rows.join("\n"));
            if self.by.is_none() && about.count() > 1 {
                page.row("seen", &format!("{} times{}", about.count(), about.seen(" ")));
            }
            page.line("");
        })
    }
}

impl Words for Groups<'_> {
    fn worst(&self, finding: &Finding) -> String {
        let reason = self.reasons.get(&(&*finding.pack, &*finding.policy)).map_or("", String::as_str);
        self.page(|page| page.finding(finding, reason))
    }

    fn other(&self, finding: &Finding) -> String {
        let time = finding.record.time.as_deref().map_or_else(String::new, |time| format!("{} ", printable(time, 40)));
        // Of one policy's findings the worst tells.
        let severity =
            if self.by.is_some() { format!("{} ", finding.severity.word().to_uppercase()) } else { String::new() };
        format!("{severity}{time}{} [{}]", printable(&finding.title, 200), origin(&finding.origin))
    }
}

struct Page {
    text: String,
    colour: bool,
}

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();

fn style(severity: Severity) -> Style {
    let colour = match severity {
        Severity::Critical => AnsiColor::Magenta,
        Severity::High => AnsiColor::Red,
        Severity::Medium => AnsiColor::Yellow,
        Severity::Low => AnsiColor::Cyan,
        Severity::Info => AnsiColor::Blue,
    };
    Style::new().bold().fg_color(Some(colour.into()))
}

impl Page {
    fn paint(&self, style: Style, text: &str) -> String {
        if self.colour { format!("{}{text}{}", style.render(), style.render_reset()) } else { text.to_owned() }
    }

    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn hand_over(&mut self, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(self.text.as_bytes())?;
        self.text.clear();
        Ok(())
    }

    fn heading(&mut self, text: &str) {
        let text = self.paint(BOLD, text);
        self.line(&text);
    }

    fn row(&mut self, label: &str, value: &str) {
        if value.is_empty() {
            return;
        }
        let label = self.paint(DIM, &format!("{label:<9}"));
        let mut lines = value.lines();
        let first = lines.next().unwrap_or_default().to_owned();
        self.line(&format!("  {label} {first}"));
        for line in lines {
            self.row_on(line);
        }
    }

    /// Another line of the last row.
    fn row_on(&mut self, line: &str) {
        self.line(&format!("  {:<9} {line}", ""));
    }

    fn finding(&mut self, finding: &Finding, reason: &str) {
        let word = self.paint(style(finding.severity), &finding.severity.word().to_uppercase());
        let title = self.paint(BOLD, &printable(&finding.title, 300));
        let standing = match (finding.standing, finding.enforcement) {
            (Standing::New, Enforcement::Fail) => String::new(),
            (Standing::New, Enforcement::Report) => "  (reported only)".to_owned(),
            (other, _) => format!("  ({})", other.word()),
        };
        self.line(&format!("{word}  {title}{standing}"));
        self.row("policy", &format!("{} ({})", finding.policy, finding.pack));
        self.what(finding);
        self.row("why", reason);
        self.context(finding);
        self.remediation(finding);
        if let Some(waiver) = &finding.waiver {
            let ticket =
                waiver.ticket.as_deref().map_or_else(String::new, |ticket| format!(", {}", printable(ticket, 80)));
            let (owner, reason) = (printable(&waiver.owner, 80), printable(&waiver.reason, 300));
            let tag = waiver.tag.as_deref().map_or_else(String::new, |tag| format!(" (tag {})", printable(tag, 130)));
            self.row("waived", &format!("by {owner} until {}{ticket}: {reason}{tag}", waiver.expires));
        }
        self.row("note", &finding.notes.iter().map(|note| printable(note, 300)).collect::<Vec<_>>().join("\n"));
        self.row("known as", &finding.fingerprint.to_string());
    }

    /// Who began the session, where that is somebody else.
    fn began(&mut self, actor: &Principal, traced: &Traced) {
        let part = |text: Option<&str>| text.map(|text| printable(text, 200));
        let Some(origin) = &traced.origin else { return self.row("began by", "unknown") };
        if origin.arn == actor.arn && origin.name == actor.name {
            return;
        }
        let name = part(origin.name.as_deref()).unwrap_or_else(|| "unknown".to_owned());
        let details: Vec<String> = [
            part(origin.kind.as_deref()),
            part(origin.account.as_deref()).map(|account| format!("account {account}")),
            traced.via.map(|via| format!("by {}", via.word())),
        ]
        .into_iter()
        .flatten()
        .collect();
        self.row("began by", &format!("{name} ({})", details.join(", ")));
        if traced.chain.len() > 1 {
            let chain: Vec<String> = traced.chain.iter().map(|role| printable(role, 300)).collect();
            self.row("through", &chain.join(", "));
        }
    }

    fn what(&mut self, finding: &Finding) {
        let record = &finding.record;
        let part = |text: Option<&str>| text.map(|text| printable(text, 200));
        let known = |text: Option<&str>| part(text).unwrap_or_else(|| "unknown".to_owned());
        if let Some(actor) = &finding.actor {
            let mut who = known(actor.name.as_deref());
            let session = actor.session.as_deref().filter(|session| Some(*session) != actor.name.as_deref());
            let details: Vec<String> = [
                part(actor.kind.as_deref()),
                part(session).map(|session| format!("session {session}")),
                part(actor.service.as_deref())
                    .filter(|service| *service != who)
                    .map(|service| format!("through {service}")),
                (actor.mfa == Some(true)).then(|| "with MFA".to_owned()),
            ]
            .into_iter()
            .flatten()
            .collect();
            if !details.is_empty() {
                let _ = write!(who, " ({})", details.join(", "));
            }
            self.row("who", &who);
            if let Some(arn) = actor.role.as_deref().or(actor.arn.as_deref()) {
                self.row("", &printable(arn, 300));
            }
            if let Some(traced) = &actor.traced {
                self.began(actor, traced);
            }
            self.row("from", &known(finding.source_ip.as_deref()));
        }
        let place = format!("account {}, {}", known(record.account.as_deref()), known(record.region.as_deref()));
        match record.time.as_deref() {
            Some(time) => self.row("when", &format!("{} in {place}", printable(time, 40))),
            None => self.row("in", &place),
        }
        if let (Some(name), Some(source)) = (&record.name, &record.source) {
            self.row("call", &format!("{} of {}", printable(name, 100), printable(source, 100)));
        }
        let mut resources: Vec<String> =
            finding.resources.iter().take(10).map(|resource| printable(resource, 300)).collect();
        if finding.resources.len() > 10 {
            resources.push(format!("and {} more", finding.resources.len() - 10));
        }
        self.row("resource", &resources.join("\n"));
        self.row("read in", &origin(&finding.origin));
        self.hits(finding);
        if !finding.duplicates.is_empty() {
            let times = finding.duplicates.len();
            self.row("", &format!("and {times} more {}", if times == 1 { "time" } else { "times" }));
        }
    }

    /// The hits of a window: the first of them, and the last.
    fn hits(&mut self, finding: &Finding) {
        const SHOWN: usize = 5;
        let Some(window) = &finding.window else { return };
        let (first, last) = (printable(&window.first, 40), printable(&window.last, 40));
        self.row("hits", &format!("{} from {first} to {last}", window.count));
        let shown = window.hits.iter().take(SHOWN).chain(window.hits.iter().skip(SHOWN).last());
        for hit in shown {
            let part = |before: &str, text: &Option<String>| {
                text.as_deref().map_or_else(String::new, |text| format!("{before}{}", printable(text, 100)))
            };
            let (time, name, step) = (printable(&hit.time, 40), part(" ", &hit.name), part(": ", &hit.step));
            let (actor, from) = (part(" by ", &hit.actor), part(" from ", &hit.source_ip));
            self.row_on(&format!("{}. {time}{step}{name}{actor}{from} [{}]", hit.number, origin(&hit.origin)));
        }
    }

    fn context(&mut self, finding: &Finding) {
        let lines: Vec<String> = finding
            .context
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(_, value)| !value.is_null() && value.as_array().is_none_or(|list| !list.is_empty()))
            .map(|(key, value)| format!("{}: {}", printable(key, 60), shown(value)))
            .collect();
        self.row("details", &lines.join("\n"));
    }

    fn remediation(&mut self, finding: &Finding) {
        let remediation = &finding.remediation;
        let lines = |text: &str| text.lines().map(|line| printable(line, 1_000)).collect::<Vec<_>>().join("\n");
        match (&remediation.cli, &remediation.console) {
            // A part of them would be worse than none.
            (Some(cli), Some(console)) if cli.lines().count() > LONGEST_COMMANDS => {
                self.row("do", &lines(console));
                self.row("", &format!("({} lines of commands: `lawbook remediate` writes them)", cli.lines().count()));
            }
            (Some(cli), _) => self.row("do", &lines(cli)),
            (None, Some(console)) => self.row("do", &lines(console)),
            (None, None) => {}
        }
        for left_out in remediation.left_out.iter().filter(|left_out| left_out.form == "cli") {
            self.row("", &format!("(no command: {})", printable(&left_out.reason, 200)));
        }
    }

    fn not_judged(&mut self, outcome: &Outcome) {
        if !outcome.not_evaluated.is_empty() {
            self.heading("Not evaluated");
            for row in &outcome.not_evaluated {
                let scope = format!(
                    "{}/{}",
                    row.account.as_deref().unwrap_or("unknown"),
                    row.region.as_deref().unwrap_or("unknown")
                );
                self.line(&format!(
                    "  {}: {} ({}, {})",
                    row.policy,
                    printable(&row.reason, 300),
                    records(row.count),
                    printable(&scope, 60)
                ));
            }
            self.line("");
        }
        if !outcome.faults.is_empty() {
            let heading = self.paint(style(Severity::High), "Faults");
            self.line(&heading);
            for row in &outcome.faults {
                let subject = row.policy.as_deref().map_or_else(String::new, |policy| format!("{policy}: "));
                let times = if row.count == 1 { String::new() } else { format!(" ({} times)", row.count) };
                self.line(&format!("  {subject}{}{times}", printable(&row.reason, 400)));
                for place in &row.origins {
                    let place = self.paint(DIM, &format!("    at {}", origin(place)));
                    self.line(&place);
                }
            }
            self.line("");
        }
    }

    fn skipped(&mut self, outcome: &Outcome) {
        if outcome.skipped.is_empty() {
            return;
        }
        self.heading("Skipped");
        for (name, reason) in &outcome.skipped {
            self.line(&format!("  {}: {reason}", printable(name, 300)));
        }
        self.line("");
    }

    /// What became of waivers and of the baseline.
    fn decided(&mut self, outcome: &Outcome) {
        let Some(decided) = &outcome.decided else { return };
        if !decided.unused_waivers.is_empty() {
            self.heading("Waivers that excuse nothing");
            for unused in &decided.unused_waivers {
                let (file, text) = (printable(&unused.file, 300), printable(&unused.sentence(), 600));
                self.line(&format!("  {file}:{}: {text}", unused.line));
            }
            self.line("");
        }
        if !decided.resolved.is_empty() {
            self.heading("Resolved since the baseline");
            for resolved in &decided.resolved {
                self.line(&format!("  {}: {}", printable(&resolved.policy, 100), printable(&resolved.title, 300)));
            }
            self.line("");
        }
    }

    fn why(&mut self, outcome: &Outcome, out: &mut dyn Write) -> io::Result<()> {
        if outcome.why.is_empty() {
            return Ok(());
        }
        self.heading("Why");
        for why in outcome.why.iter() {
            let why = why.map_err(io::Error::other)?;
            let verdict = self.paint(BOLD, why.verdict);
            self.line(&format!("  {} [{}]", printable(&why.record, 300), origin(&why.origin)));
            self.line(&format!("    {verdict}: {}", printable(&why.reason, 500)));
            self.hand_over(out)?;
        }
        let asked = outcome.why.len();
        let judged = outcome.summary.records.events + outcome.summary.records.resources;
        let others = judged.saturating_sub(asked);
        if others > 0 {
            self.line(&format!(
                "  of {} more it was not asked: its `when`, or the kind that it judges, excludes them",
                records(others)
            ));
        }
        self.line("");
        Ok(())
    }

    fn summary(&mut self, outcome: &Outcome, verbose: bool) {
        let summary = &outcome.summary;
        let count = |count: u64, noun: &str| format!("{count} {noun}{}", if count == 1 { "" } else { "s" });
        let mut judged = format!(
            "Judged {} and {} from {}{} by {} ({} asked).",
            count(summary.records.events, "event"),
            count(summary.records.resources, "resource"),
            count(summary.files.read, "file"),
            match summary.files.empty {
                0 => String::new(),
                empty => format!(", {empty} of them empty,"),
            },
            if summary.policies.loaded == 1 {
                "1 policy".to_owned()
            } else {
                format!("{} policies", summary.policies.loaded)
            },
            summary.policies.asked,
        );
        for (number, what) in [
            (summary.records.recognised, "recognised and not judged"),
            (summary.records.filtered, "filtered out"),
            (
                summary.files.skipped,
                match (summary.files.skipped, verbose) {
                    (1, true) => "file skipped",
                    (1, false) => "file skipped (`-v` lists it)",
                    (_, true) => "files skipped",
                    (_, false) => "files skipped (`-v` lists them)",
                },
            ),
        ] {
            if number > 0 {
                let _ = write!(judged, " {number} {what}.");
            }
        }
        self.line(&judged);
        let worst: Vec<String> = summary
            .findings
            .by_severity
            .0
            .iter()
            .filter(|(_, number)| *number > 0)
            .map(|(word, number)| format!("{number} {word}"))
            .collect();
        let mut found = if worst.is_empty() {
            "No findings".to_owned()
        } else {
            format!("{}: {}", count(summary.findings.total, "finding"), worst.join(", "))
        };
        for (number, what) in summary.findings.aside() {
            let _ = write!(found, ", {number} {what}");
        }
        for (number, what) in [
            (summary.not_evaluated, "not evaluated"),
            (summary.faults, if summary.faults == 1 { "fault" } else { "faults" }),
        ] {
            if number > 0 {
                let _ = write!(found, ", {number} {what}");
            }
        }
        let found = self.paint(BOLD, &format!("{found}."));
        self.line(&found);
        if summary.redacted {
            self.line("Redacted: pseudonyms stand for accounts, addresses and names.");
        }
        if summary.exit.code != 0 {
            self.line(&format!("Exit {}: {}.", summary.exit.code, summary.exit.reasons.join("; ")));
        }
    }
}

fn records(count: u64) -> String {
    if count == 1 { "1 record".to_owned() } else { format!("{count} records") }
}

fn origin(origin: &Origin) -> String {
    printable(&origin.to_string(), 400)
}

fn shown(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => printable(text, 500),
        serde_json::Value::Array(items) => items.iter().map(shown).collect::<Vec<_>>().join(", "),
        other => printable(&other.to_string(), 500),
    }
}

/// The first sentence of "Why it matters".
fn first_sentence(policy: &Policy) -> String {
    let text = policy
        .sections()
        .into_iter()
        .find(|(heading, _)| *heading == "Why it matters")
        .map(|(_, text)| text)
        .unwrap_or_default();
    let paragraph = text.split("\n\n").next().unwrap_or_default().replace('\n', " ");
    let end = paragraph.find(". ").map_or(paragraph.len(), |at| at + 1);
    printable(&paragraph[..end], 300)
}
