//! Measures whole runs of `lawbook` beside runs of something simpler over the same files, in turn, and prints Markdown.
//!
//! ```sh
//! cargo bench --bench whole -- --quick
//! ```
//!
//! `docs/benchmarks.md` says what the tables mean. Each part is a file here and a row of [`PARTS`].

#[path = "../support/mod.rs"]
mod support;

mod cases;
mod data;
mod fired;
mod growth;
mod inflate;
mod inventory;
mod machine;
mod measure;
mod memory;
mod naive;
mod path;
mod peers;
mod shapes;
mod startup;
mod table;
mod windows;

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use clap::builder::PossibleValuesParser;

use data::Data;

/// A part: its name for `--only`, and what measures it and prints tables.
type Part = (&'static str, fn(&Data) -> io::Result<()>);

const PARTS: [Part; 10] = [
    ("path", path::measure),
    ("growth", growth::measure),
    ("startup", startup::measure),
    ("memory", memory::measure),
    ("shapes", shapes::measure),
    ("fired", fired::measure),
    ("inventory", inventory::measure),
    ("cases", cases::measure),
    ("windows", windows::measure),
    ("peers", peers::measure),
];

/// Measures whole runs of `lawbook` beside runs of something simpler over the same files, and prints Markdown
#[derive(Debug, Parser)]
#[command(name = "whole")]
struct Flags {
    /// Small data and few rounds: to see that everything works, not to quote
    #[arg(long)]
    quick: bool,

    /// 10 GB of records, too
    #[arg(long)]
    large: bool,

    /// Only these parts
    #[arg(long, value_name = "PART", value_delimiter = ',', value_parser = PossibleValuesParser::new(PARTS.map(|part| part.0)))]
    only: Vec<String>,

    /// Rounds that count; by default 5, and 2 with --quick
    #[arg(long, value_name = "N")]
    rounds: Option<usize>,

    /// Where data is kept; by default below target/
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,

    /// Given by cargo
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    // What is compared with runs as a process of its own, too: this one.
    let done = match words.split_first() {
        Some((word, rest)) if word == measure::MEASURE => measure::run_and_print(rest),
        Some((word, rest)) if word == inflate::WHOLE => inflate::whole(rest),
        Some((word, rest)) if word == inflate::STREAM => inflate::stream(rest),
        Some((word, rest)) if word == naive::NAIVE => naive::run(rest),
        Some((word, rest)) if word == naive::PARSE => naive::parse(rest),
        _ => all(&Flags::parse()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            anstream::eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

fn all(flags: &Flags) -> io::Result<()> {
    let root = flags.data.clone().unwrap_or_else(|| PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("bench"));
    let rounds = flags.rounds.unwrap_or(if flags.quick { 2 } else { 5 });
    let data = Data::new(root, flags.quick, flags.large, rounds)?;
    machine::describe(&data)?;
    let mut failed = Vec::new();
    for (name, measure) in PARTS {
        if flags.only.is_empty() || flags.only.iter().any(|only| only == name) {
            // What cannot be measured does not cost the tables behind it.
            if let Err(error) = measure(&data) {
                anstream::eprintln!("!!! {name}: {error}");
                failed.push(name);
            }
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(io::Error::other(format!("not measured: {}", failed.join(", ")))) }
}
