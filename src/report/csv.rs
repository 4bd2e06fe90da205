//! One row a finding, for spreadsheets.
//!
//! *Law*: no cell begins with what a spreadsheet takes for a formula: an apostrophe stands before it.

use std::io::{self, Write};

use crate::engine::Outcome;
use crate::fault::printable;
use crate::finding::Finding;

/// The columns.
const HEAD: [&str; 20] = [
    "severity",
    "standing",
    "title",
    "policy",
    "pack",
    "resources",
    "time",
    "account",
    "region",
    "source",
    "name",
    "actor",
    "source_ip",
    "record",
    "hits",
    "origin",
    "group",
    "tags",
    "fingerprint",
    "enforcement",
];

pub(super) fn write(outcome: &Outcome, out: &mut dyn Write) -> io::Result<()> {
    let mut rows = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(out);
    rows.write_record(HEAD).map_err(io::Error::other)?;
    for finding in outcome.findings.iter() {
        let finding = finding.map_err(io::Error::other)?;
        rows.write_record(row(&finding).map(|cell| safe(&cell))).map_err(io::Error::other)?;
    }
    rows.flush()
}

fn row(finding: &Finding) -> [String; HEAD.len()] {
    let facts = &finding.record;
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let actor = finding.actor.as_ref().and_then(|actor| actor.arn.as_deref().or(actor.name.as_deref()));
    [
        finding.severity.word().to_owned(),
        finding.standing.word().to_owned(),
        finding.title.clone(),
        finding.policy.to_string(),
        finding.pack.to_string(),
        finding.resources.join(" "),
        text(facts.time.as_deref()),
        text(facts.account.as_deref()),
        text(facts.region.as_deref()),
        text(facts.source.as_deref()),
        text(facts.name.as_deref()),
        text(actor),
        text(finding.source_ip.as_deref()),
        text(facts.id.as_deref()),
        finding.window.as_ref().map_or_else(String::new, |window| window.count.to_string()),
        finding.origin.to_string(),
        finding.group.clone(),
        finding.tags.join(" "),
        finding.fingerprint.to_string(),
        finding.enforcement.word().to_owned(),
    ]
}

/// A cell that is text for every spreadsheet, also for those that take a semicolon or a tab for its end.
fn safe(cell: &str) -> String {
    let mut safe = String::new();
    for part in printable(cell, 32_000).split_inclusive([';', '\t']) {
        // Some spreadsheets take the wide forms for the narrow ones.
        if part.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']) {
            safe.push('\'');
        }
        safe.push_str(part);
    }
    safe
}
