//! Policies over time: a threshold of which every record is a hit, beside a policy that finds every record.

use std::io;

use crate::data::{Data, findings, scan};
use crate::support::corpus::Layout;
use crate::table;

pub(crate) fn measure(data: &Data) -> io::Result<()> {
    let corpus = data.corpus(data.size(20_000, 2_000_000), 2_000, Layout::Objects)?;
    let (without, with) = (data.pack("unwindowed")?, data.pack("windowed")?);
    for threads in [1, 2] {
        let lines = [
            scan("a finding a record", threads, &[&without], &[&corpus.path]),
            scan("a hit a record", threads, &[&with], &[&corpus.path]),
        ];
        for line in &lines {
            findings(line, corpus.records, 0)?;
        }
        let many = if threads == 1 { "1 thread".to_owned() } else { format!("{threads} threads") };
        table::heading(&format!("A window, {many}"), &table::about(&corpus));
        table::compared(&lines, &data.in_turn(&lines)?, corpus.records, "records");
    }
    Ok(())
}
