//! The one binary of integration tests.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod architecture;
mod cases;
mod check;
mod cli;
mod docs;
mod engine;
mod input;
mod inventory;
mod policies;
mod prefilter;
mod readme;
mod report;

/// Says that a test was skipped where it is seen: what a passing test prints with macros is kept from the reader.
fn skipped(what: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr(), "SKIPPED: {what}");
}
