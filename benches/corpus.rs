//! Writes the records that benchmarks read, and the policies, to a folder: for trying other programs, and for looking.
//!
//! ```sh
//! cargo bench --bench corpus -- /tmp/corpus --records 100000
//! ```

#[expect(dead_code, reason = "other benchmarks use more of it")]
mod support;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;

use support::corpus::{self, Layout, Size};
use support::packs;

/// Writes records of an invented organisation, the same bytes in every run
#[derive(Debug, Parser)]
#[command(name = "corpus", arg_required_else_help = false)]
struct Flags {
    /// The folder to write to; it is made
    dir: Option<PathBuf>,

    /// Records
    #[arg(long, default_value_t = 500_000, value_name = "N")]
    records: usize,

    /// Records of an object
    #[arg(long, default_value_t = 2_000, value_name = "N", value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..))]
    per_file: usize,

    /// How they lie on disk
    #[arg(long, value_enum, default_value_t = Layout::Objects)]
    layout: Layout,

    /// Write the packs to `packs/` in the folder, too
    #[arg(long)]
    packs: bool,

    /// Write so many Elastic IPs to `addresses.json` in the folder, too
    #[arg(long, default_value_t = 0, value_name = "N")]
    addresses: usize,

    /// Given by cargo
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    let flags = Flags::parse();
    let Some(folder) = &flags.dir else {
        // `cargo bench` runs this with all others: no reason to fail.
        anstream::println!("nothing written: name a folder (try: cargo bench --bench corpus -- --help)");
        return ExitCode::SUCCESS;
    };
    match write(folder, &flags) {
        Ok(bytes) => {
            anstream::println!("{} records, {bytes} bytes of text", flags.records);
            ExitCode::SUCCESS
        }
        Err(error) => {
            anstream::eprintln!("error: {}: {error}", folder.display());
            ExitCode::from(2)
        }
    }
}

fn write(folder: &Path, flags: &Flags) -> io::Result<u64> {
    let bytes = corpus::write(folder, Size { records: flags.records, per_file: flags.per_file }, flags.layout)?;
    if flags.addresses > 0 {
        fs::write(folder.join("addresses.json"), corpus::addresses(flags.addresses))?;
    }
    if flags.packs {
        for (name, make) in packs::ALL {
            let pack = folder.join("packs").join(name);
            fs::create_dir_all(&pack)?;
            make(&pack)?;
        }
    }
    Ok(bytes)
}
