//! Other programs that are installed, over the same records. They do not do the same work: `docs/benchmarks.md` says what.

use std::io;
use std::path::{Path, PathBuf};

use crate::data::{Data, scan};
use crate::inflate;
use crate::measure::Line;
use crate::support::{corpus::Layout, packs};
use crate::table;

pub(crate) fn measure(data: &Data) -> io::Result<()> {
    let (records, per_file) = (data.size(4_000, 50_000), 2_000);
    let objects = data.corpus(records, per_file, Layout::Objects)?;
    let lines = data.corpus(records, per_file, Layout::Lines)?.path.join("all.ndjson");
    let plain = data.corpus(records, per_file, Layout::Plain)?.path.join("one.json");
    let fifty = data.pack("fifty")?;
    let sigma = data.pack("fifty-sigma")?;
    let rego = data.pack("fifty-rego")?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);

    let ours = [
        scan("Lawbook, gzip objects", cores, &[&fifty], &[&objects.path]),
        scan("Lawbook, gzip objects, one thread", 1, &[&fifty], &[&objects.path]),
        scan("Lawbook, lines, one thread", 1, &[&fifty], &[&lines]),
    ];
    // Of several spellings of a command the first that works is measured.
    let theirs: [&[Line]; 5] = [
        &[Line::new("zcat (inflates only), gzip objects", "zcat").args(inflate::files(&objects.path))],
        &[Line::new("jq, one condition, lines", "jq").arg(packs::fifty_jq()).arg(&lines)],
        &[Line::new("opa, one policy, one plain object", "opa")
            .args(["eval", "--format", "raw", "--data"])
            .arg(rego.join("bench.rego"))
            .arg("--input")
            .arg(&plain)
            .arg("count(data.bench.found)")],
        &[
            Line::new("rsigma, 50 rules, lines", "rsigma")
                .args(["engine", "eval", "-r"])
                .arg(&sigma)
                .arg("-e")
                .arg(at(&lines)),
            Line::new("rsigma, 50 rules, lines", "rsigma").args(["eval", "-r"]).arg(&sigma).arg("-e").arg(at(&lines)),
        ],
        &[Line::new("suzaku, 50 rules, gzip objects", "suzaku")
            .args(["aws-ct-timeline", "--threads", &cores.to_string(), "--no-color", "--clobber", "--rules"])
            .arg(&sigma)
            .arg("--directory")
            .arg(&objects.path)
            .arg("--output")
            .arg(fifty.with_file_name("suzaku.csv"))],
    ];
    let mut all = ours.to_vec();
    for spellings in theirs {
        match spellings.iter().find(|line| works(line)) {
            Some(line) => all.push(line.clone()),
            None => anstream::eprintln!(
                "!!! SKIPPED {}: it is not installed, or does not understand the command",
                spellings[0].name
            ),
        }
    }
    table::heading("Peers", &format!("{}. Threads as by default where nothing is said.", table::about(&objects)));
    table::compared(&all, &data.in_turn(&all)?, objects.records, "records");
    Ok(())
}

/// A file, as rsigma names it.
fn at(file: &Path) -> PathBuf {
    PathBuf::from(format!("@{}", file.display()))
}

/// Whether a command is there and ends well.
fn works(line: &Line) -> bool {
    line.command().output().is_ok_and(|output| output.status.success())
}
