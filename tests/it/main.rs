//! The one binary of integration tests.

mod input;
mod inventory;
mod policies;
mod report;
