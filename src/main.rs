//! Runs one command and turns its result into an exit code.

mod cli;

use std::process::ExitCode;

/// Scripts get a limit of memory by it.
#[global_allocator]
static ALLOCATOR: lawbook::script::Metered = lawbook::script::Metered;

fn main() -> ExitCode {
    let command = match cli::parse() {
        Ok(command) => command,
        Err(code) => return ExitCode::from(code),
    };
    // Scripts are compiled and run here, too, which wants a larger stack than a main thread may have.
    let thread = std::thread::Builder::new().stack_size(lawbook::script::STACK).spawn(move || cli::run(command));
    match thread.map(std::thread::JoinHandle::join) {
        Ok(Ok(code)) => ExitCode::from(code),
        _ => ExitCode::from(2),
    }
}
