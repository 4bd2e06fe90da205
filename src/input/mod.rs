//! Turns paths and standard input into records, in a fixed order.

pub mod inventory;
