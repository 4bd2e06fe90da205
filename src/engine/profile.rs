//! What policies cost: for authors, who see which of theirs are slow and why.

use std::time::Duration;

pub use super::index::Route;

/// What every policy cost, in the order of the pack.
#[derive(Clone, Debug, Default)]
pub struct Profile {
    /// Events that were judged, or filtered, by a few fields that were read from their bytes, and never parsed.
    pub passed_over: u64,
    /// A row for each policy.
    pub rows: Vec<(Cost, Route)>,
}

/// What one policy cost in a run, all threads together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Records of which Rhai was asked whether `matches`: no fact told.
    pub run: u64,
    /// Operations of Rhai and of native functions, in all hooks.
    pub operations: u64,
    /// Wall time of judging, from facts to the last hook.
    pub time: Duration,
}

impl Cost {
    pub(super) fn add(&mut self, other: &Self) {
        let Self { run, operations, time } = other;
        self.run += run;
        self.operations += operations;
        self.time += *time;
    }
}
