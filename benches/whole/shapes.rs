//! Shapes that are hard to read: very many small objects, and one very large one.

use std::io;

use crate::data::{Data, findings, inflating, scan, streaming};
use crate::support::corpus::Layout;
use crate::table;

pub(crate) fn measure(data: &Data) -> io::Result<()> {
    let fifty = data.pack("fifty")?;
    let small = data.corpus(data.size(10_000, 500_000), 5, Layout::Objects)?;
    let large = data.corpus(data.size(30_000, 680_000), 2_000, Layout::One)?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let as_many = format!("Inflating alone has {cores} threads, as a scan has by default.");
    let alone = "Inflating alone has one thread: a stream cannot be shared out.".to_owned();
    for (title, corpus, inflating, threads) in [
        ("Small objects", &small, inflating(cores, &small.path)?, as_many),
        ("One large object", &large, streaming(&large.path.join("one.json.gz"))?, alone),
    ] {
        let lines = [
            inflating,
            scan("50 policies", cores, &[&fifty], &[&corpus.path]),
            scan("50 policies, one thread", 1, &[&fifty], &[&corpus.path]),
        ];
        findings(&lines[1], corpus.records, 0)?;
        table::heading(title, &format!("{}. {threads}", table::about(corpus)));
        table::compared(&lines, &data.in_turn(&lines)?, corpus.records, "records");
    }
    Ok(())
}
