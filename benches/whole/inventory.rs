//! A large inventory: judged, and looked things up in.

use std::io;

use crate::data::{Data, findings, parsing, scan};
use crate::support::corpus::Layout;
use crate::table;

pub(crate) fn measure(data: &Data) -> io::Result<()> {
    let count = data.size(10_000, 200_000);
    let file = data.addresses(count)?;
    let pack = data.pack("of-addresses")?;
    let corpus = data.corpus(data.size(2_000, 20_000), 2_000, Layout::Objects)?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let lines = [
        parsing(&file)?,
        scan("100 policies, one thread", 1, &[&pack], &[&file, &corpus.path]),
        scan("100 policies", cores, &[&pack], &[&file, &corpus.path]),
    ];
    let found = findings(&lines[2], corpus.records, count)?;
    table::heading(
        "Inventory",
        &format!(
            "{} addresses ({} MB of JSON) and {} records. {} findings.",
            table::whole(count),
            table::megabytes(std::fs::metadata(&file)?.len() as f64),
            table::whole(corpus.records),
            table::whole(found as usize)
        ),
    );
    table::compared(&lines, &data.in_turn(&lines)?, count, "addresses");
    Ok(())
}
