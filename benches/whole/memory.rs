//! Growth with the input: memory over a hundred times as much of it.

use std::io;

use crate::data::{Data, findings, scan, summary};
use crate::support::corpus::Layout;
use crate::table::{self, cpu, memory, wall};

/// Bytes of a record, some.
const RECORD: usize = 1_480;

pub(crate) fn measure(data: &Data) -> io::Result<()> {
    let fifty = data.pack("fifty")?;
    let firing = data.pack("firing")?;
    let mut sizes = data.size(vec![10_000_000, 50_000_000], vec![100_000_000, 1_000_000_000]);
    if data.large {
        sizes.push(10_000_000_000);
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let (mut lines, mut corpora) = (Vec::new(), Vec::new());
    for size in sizes {
        let corpus = data.corpus(size / RECORD, 2_000, Layout::Objects)?;
        let mut add = |name: &str, pack| -> io::Result<()> {
            let line = scan(&format!("{} MB, {name}", table::whole(size / 1_000_000)), cores, &[pack], &[&corpus.path]);
            findings(&line, corpus.records, 0)?;
            lines.push(line);
            corpora.push(corpus.clone());
            Ok(())
        };
        add("50 policies", &fifty)?;
        // Three findings a record: ten times as much of them would fill a disk, and tell no more.
        if size <= 1_000_000_000 {
            add("three findings a record", &firing)?;
        }
        // Every session is followed to who began it.
        lines.push(summary(&format!("{} MB, summed up", table::whole(size / 1_000_000)), cores, &corpus.path));
        corpora.push(corpus);
    }
    table::heading("Memory", "Objects of 2,000 records, threads as by default.");
    let taken = data.in_turn(&lines)?;
    table::head(&["text", "records", "wall s", "CPU s", "peak MB"]);
    for ((line, runs), corpus) in lines.iter().zip(&taken).zip(&corpora) {
        table::row(&[
            line.name.clone(),
            table::whole(corpus.records),
            table::seconds(runs.median(wall)),
            table::seconds(runs.median(cpu)),
            table::megabytes(runs.median(memory)),
        ]);
    }
    table::spread(&taken);
    Ok(())
}
