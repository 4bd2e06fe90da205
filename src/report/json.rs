//! The machine-readable reports: one JSON object, or one a line. Their shape is in `schemas/report.schema.json`.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{Formatter, PrettyFormatter, Serializer};

use crate::engine::{Decided, Findings, NotEvaluated, Outcome, Problem, Summary, Whys};
use crate::fault::is_deceptive;

/// The version of the report's shape: raised when a member changes its meaning or goes away.
const SCHEMA_VERSION: u32 = 1;

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
}

/// One object.
pub(super) fn write(outcome: &Outcome, out: &mut dyn Write) -> io::Result<()> {
    let report = Report {
        schema_version: SCHEMA_VERSION,
        lawbook: env!("CARGO_PKG_VERSION"),
        summary: &outcome.summary,
        findings: &outcome.findings,
        not_evaluated: &outcome.not_evaluated,
        faults: &outcome.faults,
        decided: &outcome.decided,
        why: &outcome.why,
    };
    report.serialize(&mut Serializer::with_formatter(&mut *out, Plain(PrettyFormatter::new())))?;
    writeln!(out)
}

/// One object a line; the summary is the last.
pub(super) fn write_lines(outcome: &Outcome, out: &mut dyn Write) -> io::Result<()> {
    for finding in &outcome.findings {
        line("finding", &finding.map_err(io::Error::other)?, out)?;
    }
    for row in &outcome.not_evaluated {
        line("not_evaluated", row, out)?;
    }
    for row in &outcome.faults {
        line("fault", row, out)?;
    }
    for row in outcome.decided.iter().flat_map(|decided| &decided.unused_waivers) {
        line("unused_waiver", row, out)?;
    }
    for row in outcome.decided.iter().flat_map(|decided| &decided.resolved) {
        line("resolved", row, out)?;
    }
    for row in outcome.why.iter() {
        line("why", &row.map_err(io::Error::other)?, out)?;
    }
    #[derive(Serialize)]
    struct Last<'a> {
        schema_version: u32,
        lawbook: &'static str,
        #[serde(flatten)]
        summary: &'a Summary,
    }
    line(
        "summary",
        &Last { schema_version: SCHEMA_VERSION, lawbook: env!("CARGO_PKG_VERSION"), summary: &outcome.summary },
        out,
    )
}

fn line<T: Serialize>(kind: &'static str, body: &T, out: &mut dyn Write) -> io::Result<()> {
    #[derive(Serialize)]
    struct Line<'a, T> {
        r#type: &'static str,
        #[serde(flatten)]
        body: &'a T,
    }
    Line { r#type: kind, body }
        .serialize(&mut Serializer::with_formatter(&mut *out, Plain(serde_json::ser::CompactFormatter)))?;
    writeln!(out)
}

/// Writes JSON in which no character can steer a terminal: JSON itself asks to escape those below U+0020 only.
struct Plain<F>(F);

impl<F: Formatter> Formatter for Plain<F> {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let steers = |letter: char| letter.is_control() || is_deceptive(letter);
        if fragment.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
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
