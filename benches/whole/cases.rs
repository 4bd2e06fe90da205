//! What testing policies costs: 300 of them with 1,000 cases and a snapshot each.

use std::io;
use std::path::Path;
use std::process::Stdio;

use crate::data::Data;
use crate::measure::Line;
use crate::support::packs;
use crate::table::{self, cpu, memory, wall};

fn test(threads: usize, folder: &Path) -> Line {
    let threads = threads.to_string();
    Line::new(format!("{threads} threads"), env!("CARGO_BIN_EXE_lawbook"))
        .args(["test", "--ci", "--threads", &threads])
        .arg(folder)
}

pub(crate) fn measure(data: &Data) -> io::Result<()> {
    let folder = data.once("with-cases", |folder| {
        packs::with_cases(folder)?;
        // Snapshots are what the first run says.
        for words in [["test", "--threads=2"], ["review", "--accept"]] {
            Line::new("", env!("CARGO_BIN_EXE_lawbook"))
                .args(words)
                .arg(folder)
                .command()
                .env_remove("CI")
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status()?;
        }
        Ok(0)
    })?;
    let folder = folder.0;
    let told = test(2, &folder).args(["--format", "json"]).command().output()?;
    let report: serde_json::Value = serde_json::from_slice(&told.stdout)?;
    let passed = report.pointer("/summary/counts/passed").and_then(serde_json::Value::as_u64);
    if !told.status.success() || passed != Some(1_000) {
        return Err(io::Error::other(format!("{passed:?} cases pass, of 1,000")));
    }
    let lines = [test(1, &folder), test(2, &folder)];
    table::heading(
        "Cases",
        "`lawbook test` of 300 policies with 1,000 cases, all of which pass, and their snapshots: from start to end.",
    );
    let taken = data.in_turn(&lines)?;
    table::head(&["threads", "wall ms", "CPU ms", "peak MB"]);
    for (line, runs) in lines.iter().zip(&taken) {
        table::row(&[
            line.name.clone(),
            format!("{:.0}", runs.median(wall) * 1e3),
            format!("{:.0}", runs.median(cpu) * 1e3),
            table::megabytes(runs.median(memory)),
        ]);
    }
    table::spread(&taken);
    Ok(())
}
