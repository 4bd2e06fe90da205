//! What a policy reckoned on the way to its answer: only cases that fail pay for it.

use super::case::Case;
use super::judge::Bench;

/// What a policy reckoned about a record.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Trace {
    /// The lines that `print` and `debug` wrote.
    pub printed: Vec<String>,
}

impl Trace {
    /// What was reckoned, line by line.
    pub fn lines(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Traces the records of a case.
pub(super) fn trace(_bench: &Bench<'_>, _case: &Case) -> Option<Trace> {
    None
}
