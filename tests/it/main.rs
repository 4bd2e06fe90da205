//! The one binary of integration tests.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod architecture;
mod check;
mod cli;
mod docs;
mod engine;
mod input;
mod inventory;
mod policies;
mod readme;
mod report;
