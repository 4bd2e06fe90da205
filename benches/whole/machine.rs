//! Says on what machine, by which build and how the tables were measured.

use std::fs;
use std::io;
use std::process::Command;

use crate::data::Data;

/// Prints it.
pub(crate) fn describe(data: &Data) -> io::Result<()> {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let field = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split_once(':'))
            .map_or_else(|| "unknown".to_owned(), |(_, value)| value.trim().to_owned())
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let version = told("rustc", &["--version"]);
    let commit = told("git", &["rev-parse", "--short", "HEAD"]);
    let changed =
        if told("git", &["status", "--porcelain", "--untracked-files=no"]).is_empty() { "" } else { ", changed" };
    let facts = [
        ("command", format!("`cargo bench --bench whole -- {}`", words.join(" "))),
        ("processor", format!("{}; {cores} cores", field(&read("/proc/cpuinfo"), "model name"))),
        ("memory", field(&read("/proc/meminfo"), "MemTotal")),
        ("kernel", format!("{} {}", std::env::consts::OS, read("/proc/sys/kernel/osrelease").trim())),
        ("load before", read("/proc/loadavg").split_whitespace().take(3).collect::<Vec<_>>().join(" ")),
        ("lawbook", format!("{} (commit {commit}{changed}), {version}{}", env!("CARGO_PKG_VERSION"), profile())),
        ("rounds", format!("{}, and one before them that does not count", data.rounds)),
    ];
    anstream::println!("| | |\n|---|---|");
    for (name, value) in facts {
        anstream::println!("| {name} | {value} |");
    }
    if data.quick {
        anstream::println!("\nMeasured with `--quick`: not to be quoted.");
    }
    Ok(())
}

/// The build, if it is not the one that is released.
fn profile() -> String {
    let mut changed: Vec<String> = std::env::vars()
        .filter(|(name, _)| name.starts_with("CARGO_PROFILE_") || name == "RUSTFLAGS")
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    changed.sort();
    if changed.is_empty() { String::new() } else { format!("; **not as released**: {}", changed.join(" ")) }
}

/// What a program prints, or nothing.
fn told(program: &str, words: &[&str]) -> String {
    let output = Command::new(program).args(words).output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
}
