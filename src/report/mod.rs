//! Reports: what a scan found, one format a file, under one `match`.

mod asff;
mod attack;
mod csv;
pub mod diagnostic;
pub(crate) mod github;
mod grouped;
pub(crate) mod html;
pub(crate) mod json;
mod junit;
pub(crate) mod markdown;
mod metrics;
mod ocsf;
mod profile;
mod sarif;
mod summary;
mod text;

use std::io::{self, Write};
use std::num::NonZeroUsize;

use crate::engine::Outcome;
use crate::policy::Checked;

pub use self::grouped::By as GroupBy;
pub use self::metrics::{Run as MetricsOf, write as write_metrics};
pub use self::summary::{SummaryFormat, write as write_summary};

/// A format of report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Text,
    /// One JSON object.
    Json,
    /// One JSON object a line.
    Ndjson,
    /// SARIF 2.1.0, for code-scanning services.
    Sarif,
    /// JUnit's XML, a test case a policy.
    Junit,
    /// Annotations of GitHub Actions.
    Github,
    /// For a job's summary or a comment.
    Markdown,
    /// One row a finding.
    Csv,
    /// One page, for people.
    Html,
    /// OCSF 1.5.0, one event a line.
    Ocsf,
    /// The format of AWS Security Hub: an array of at most 100 findings a line.
    Asff,
}

/// How a report is written.
#[derive(Clone, Copy, Debug, Default)]
pub struct Look<'a> {
    /// With colour: on a terminal only.
    pub colour: bool,
    /// Files that were skipped are listed, too.
    pub verbose: bool,
    /// What findings are shown together by; `None` is what their policies say.
    pub group_by: Option<GroupBy>,
    /// Findings of a group that are shown, at most; `None` is as many as suit the format.
    pub examples: Option<NonZeroUsize>,
    /// The ARN under which Security Hub takes findings; by default that of each account's own.
    pub product: Option<&'a str>,
}

/// Writes a report.
///
/// # Errors
/// When `out` cannot be written to; or, with an [`Error`](crate::Error) inside, when what did not fit into memory cannot
/// be read again.
pub fn write(
    format: Format,
    outcome: &Outcome,
    packs: &Checked,
    look: Look<'_>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut to = Remembering { out, failed: None };
    let out = &mut to;
    let written = match format {
        Format::Text => text::write(outcome, packs, look, out),
        Format::Json => json::write(outcome, look, out),
        Format::Ndjson => json::write_lines(outcome, look, out),
        Format::Sarif => sarif::write(outcome, packs, out),
        Format::Junit => junit::write(outcome, packs, out),
        Format::Github => github::write(outcome, look, out),
        Format::Markdown => markdown::write(outcome, look, out),
        Format::Csv => csv::write(outcome, out),
        Format::Html => html::write(outcome, packs, out),
        Format::Ocsf => ocsf::write(outcome, packs, out),
        Format::Asff => asff::write(outcome, packs, look.product, out),
    };
    to.failed.map_or(written, Err)
}

/// Writes, and remembers what first went wrong: what writes a format may make another error of it, and a reader that is
/// gone must be known as one.
struct Remembering<'o> {
    out: &'o mut dyn Write,
    failed: Option<io::Error>,
}

impl Remembering<'_> {
    fn told<T>(&mut self, done: io::Result<T>) -> io::Result<T> {
        match done {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                let kind = error.kind();
                self.failed.get_or_insert(error);
                Err(kind.into())
            }
            done => done,
        }
    }
}

impl Write for Remembering<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let done = self.out.write(bytes);
        self.told(done)
    }

    fn flush(&mut self) -> io::Result<()> {
        let done = self.out.flush();
        self.told(done)
    }
}

/// Writes what the policies cost, for people, if the outcome [has](Outcome::profile) that: it is no part of a report,
/// which is the same for equal input.
///
/// # Errors
/// When `out` cannot be written to.
pub fn write_profile(outcome: &Outcome, packs: &Checked, out: &mut dyn Write) -> io::Result<()> {
    profile::write(outcome, packs, out)
}

/// A JSON value on one line, in which no character can steer a terminal.
pub fn one_line(value: &serde_json::Value) -> String {
    json::one_line(value)
}

/// A path as a relative reference, or as a URI of a file if it is absolute.
fn uri(file: &str) -> String {
    let mut out = String::from(if file.starts_with('/') { "file://" } else { "" });
    let path = file.replace('\\', "/");
    for byte in path.trim_start_matches("./").bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b'~' => out.push(char::from(byte)),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}
