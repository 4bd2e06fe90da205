//! Runs one command and turns its result into an exit code.
fn main() {}
