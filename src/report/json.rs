//! The machine-readable reports: one JSON object, or one a line. Their shape is in `schemas/report.schema.json`.

use std::io::{self, Write};

use jiff::Timestamp;
use serde::Serialize;
use serde::ser::{Error as _, SerializeSeq};
use serde_json::ser::{Formatter, PrettyFormatter, Serializer};

use super::Look;
use super::grouped::{self, By, How, Words};
use crate::engine::{Counts, Decided, Findings, NotEvaluated, Outcome, Problem, Summary, Whys};
use crate::fault::is_deceptive;
use crate::finding::Finding;
use crate::tally::Tally;

/// The version of the report's shape: raised when a member changes its meaning or goes away.
pub(super) const SCHEMA_VERSION: u32 = 1;

#[derive(Serialize)]
struct Report<'a> {
    schema_version: u32,
    lawbook: &'static str,
    summary: &'a Summary,
    findings: &'a Findings,
    not_evaluated: &'a [NotEvaluated],
    faults: &'a [Problem],
    #[serde(flatten)]
    decided: &'a Option<Decided>,
    #[serde(skip_serializing_if = "Whys::is_empty")]
    why: &'a Whys,
    #[serde(skip_serializing_if = "Option::is_none")]
    groups: Option<Groups<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tally: &'a Option<Tally>,
}

/// One object.
pub(super) fn write(outcome: &Outcome, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let report = Report {
        schema_version: SCHEMA_VERSION,
        lawbook: env!("CARGO_PKG_VERSION"),
        summary: &outcome.summary,
        findings: &outcome.findings,
        not_evaluated: &outcome.not_evaluated,
        faults: &outcome.faults,
        decided: &outcome.decided,
        why: &outcome.why,
        groups: Groups::of(outcome, look),
        tally: &outcome.tally,
    };
    object(&report, out)
}

/// A report over several lines, in which no character can steer a terminal.
pub(super) fn object(report: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    report.serialize(&mut Serializer::with_formatter(&mut *out, Plain(PrettyFormatter::new())))?;
    writeln!(out)
}

/// One object a line; the summary is the last.
pub(super) fn write_lines(outcome: &Outcome, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let mut lines = Lines { out, text: Vec::new() };
    for finding in &outcome.findings {
        lines.put("finding", &finding.map_err(io::Error::other)?)?;
    }
    for row in &outcome.not_evaluated {
        lines.put("not_evaluated", row)?;
    }
    for row in &outcome.faults {
        lines.put("fault", row)?;
    }
    for row in outcome.decided.iter().flat_map(|decided| &decided.unused_waivers) {
        lines.put("unused_waiver", row)?;
    }
    for row in outcome.decided.iter().flat_map(|decided| &decided.resolved) {
        lines.put("resolved", row)?;
    }
    for row in outcome.why.iter() {
        lines.put("why", &row.map_err(io::Error::other)?)?;
    }
    if let Some(groups) = Groups::of(outcome, look) {
        groups.each(&mut |row| lines.put("group", &row))?;
    }
    if let Some(tally) = &outcome.tally {
        lines.put("tally", tally)?;
    }
    #[derive(Serialize)]
    struct Last<'a> {
        schema_version: u32,
        lawbook: &'static str,
        #[serde(flatten)]
        summary: &'a Summary,
    }
    let last = Last { schema_version: SCHEMA_VERSION, lawbook: env!("CARGO_PKG_VERSION"), summary: &outcome.summary };
    lines.put("summary", &last)
}

/// Findings that are shown together, if that was asked for.
struct Groups<'a> {
    findings: &'a Findings,
    by: By,
    examples: usize,
}

/// A group of findings.
#[derive(Serialize)]
struct GroupRow<'a> {
    by: &'static str,
    /// What they have alike; `null` if they have none.
    value: Option<&'a str>,
    /// The same, and what belongs to it, in words.
    label: String,
    count: u64,
    by_severity: Counts,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    /// Fingerprints of the worst.
    examples: &'a [String],
}

/// Findings of a group that are named.
const EXAMPLES: usize = 4;

impl<'a> Groups<'a> {
    fn of(outcome: &'a Outcome, look: Look) -> Option<Self> {
        let examples = look.examples.map_or(EXAMPLES, usize::from);
        look.group_by.map(|by| Self { findings: &outcome.findings, by, examples })
    }

    fn each(&self, give: &mut dyn FnMut(GroupRow<'_>) -> io::Result<()>) -> io::Result<()> {
        struct Names;
        impl Words for Names {
            fn worst(&self, finding: &Finding) -> String {
                finding.fingerprint.to_string()
            }
            fn other(&self, finding: &Finding) -> String {
                self.worst(finding)
            }
        }
        let how = How { by: Some(self.by), examples: self.examples, groups: usize::MAX };
        grouped::each(self.findings, how, &Names, &mut |about, examples| {
            let (first, last) = about.span().unzip();
            let by_severity = Counts(about.severities().map(|(severity, count)| (severity.word(), count)).collect());
            let (by, value, label, count) = (self.by.word(), about.value(), about.label(), about.count());
            give(GroupRow { by, value, label, count, by_severity, first, last, examples })
        })
        .map(|_| ())
    }
}

impl Serialize for Groups<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        let mut written = Ok(());
        let read = self.each(&mut |row| {
            written = list.serialize_element(&row);
            if written.is_ok() { Ok(()) } else { Err(io::ErrorKind::Other.into()) }
        });
        written?;
        read.map_err(S::Error::custom)?;
        list.end()
    }
}

/// Writes objects, one a line. A line is put together before it is written, not handed on piece by piece.
struct Lines<'o> {
    out: &'o mut dyn Write,
    text: Vec<u8>,
}

impl Lines<'_> {
    fn put<T: Serialize>(&mut self, kind: &'static str, body: &T) -> io::Result<()> {
        #[derive(Serialize)]
        struct Line<'a, T> {
            r#type: &'static str,
            #[serde(flatten)]
            body: &'a T,
        }
        self.text.clear();
        let mut serializer = Serializer::with_formatter(&mut self.text, Plain(serde_json::ser::CompactFormatter));
        Line { r#type: kind, body }.serialize(&mut serializer)?;
        self.text.push(b'\n');
        self.out.write_all(&self.text)
    }
}

/// Writes JSON in which no character can steer a terminal: JSON itself asks to escape those below U+0020 only.
struct Plain<F>(F);

impl<F: Formatter> Formatter for Plain<F> {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let steers = |letter: char| letter.is_control() || is_deceptive(letter);
        // All bytes are looked at, for that is done many at a time.
        if fragment.bytes().fold(true, |is_plain, byte| is_plain & (b' '..=b'~').contains(&byte)) {
            return writer.write_all(fragment.as_bytes());
        }
        let mut rest = fragment;
        while let Some(at) = rest.find(steers) {
            writer.write_all(&rest.as_bytes()[..at])?;
            let Some(letter) = rest[at..].chars().next() else { break };
            for unit in letter.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            rest = &rest[at + letter.len_utf8()..];
        }
        writer.write_all(rest.as_bytes())
    }

    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_array(writer)
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array(writer)
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(writer, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array_value(writer)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object(writer)
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object(writer)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(writer, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object_value(writer)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object_value(writer)
    }
}

/// A value over several lines, in which no character can steer a terminal.
pub(crate) fn pretty(value: &serde_json::Value, out: &mut dyn Write) -> io::Result<()> {
    value.serialize(&mut Serializer::with_formatter(&mut *out, Plain(PrettyFormatter::new())))?;
    writeln!(out)
}

/// A value on one line, in which no character can steer a terminal.
pub(super) fn one_line(value: &serde_json::Value) -> String {
    let mut out = Vec::new();
    match value.serialize(&mut Serializer::with_formatter(&mut out, Plain(serde_json::ser::CompactFormatter))) {
        Ok(()) => String::from_utf8_lossy(&out).into_owned(),
        Err(_) => String::new(),
    }
}
