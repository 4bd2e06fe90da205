//! Tells how cases went: one format a file, under one `match`.

mod coverage;
mod github;
mod impact;
mod json;
mod junit;
mod mutation;
mod paint;
mod text;

use std::io::{self, Write};

pub use self::coverage::{CoverageFormat, write_coverage};
pub use self::impact::{ImpactFormat, write_impact};
pub use self::mutation::write_mutation;
pub use self::text::{Detail, changes as write_changes};
use super::coverage::Coverage;
use super::mutate::Mutation;
use super::runner::{PolicyResult, Report, SnapshotState};

/// A format in which it is told how cases went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Text,
    /// One JSON object.
    Json,
    /// JUnit's XML, a test case a case.
    Junit,
    /// Annotations of GitHub Actions.
    Github,
}

/// How it is told.
#[derive(Clone, Copy, Debug, Default)]
pub struct Look {
    /// With colour: on a terminal only.
    pub colour: bool,
    /// Every case, with its time and its operations.
    pub verbose: bool,
    /// No case need be run.
    pub allow_empty: bool,
}

/// What was measured beside running cases, if it was.
#[derive(Clone, Copy, Debug, Default)]
pub struct Measures<'m> {
    /// What cases go through.
    pub coverage: Option<&'m Coverage>,
    /// Which changes no case notices.
    pub mutation: Option<&'m Mutation>,
}

/// Tells how cases went. What was measured is part of JSON alone: it has formats of its own.
///
/// # Errors
/// When `out` cannot be written to.
pub fn write(
    format: Format,
    report: &Report,
    measures: Measures<'_>,
    look: Look,
    out: &mut dyn Write,
) -> io::Result<()> {
    match format {
        Format::Text => text::write(report, look, out),
        Format::Json => json::write(report, measures, look, out),
        Format::Junit => junit::write(report, out),
        Format::Github => github::write(report, look, out),
    }
}

/// What is said of a snapshot that is not as accepted.
fn of_snapshot(state: &SnapshotState) -> &'static str {
    if matches!(state, SnapshotState::Missing(..)) { "is missing" } else { "differs" }
}

/// The command that runs a case alone.
fn command(policy: &PolicyResult, case: &str) -> String {
    format!(
        "lawbook test {} --run {}",
        word(&policy.root.display().to_string()),
        word(&format!("{}/{case}", policy.id))
    )
}

/// A word of a POSIX shell.
fn word(text: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "/._-:@%+".contains(letter);
    if !text.is_empty() && text.chars().all(is_plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}
