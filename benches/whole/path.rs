//! The whole path of a record: packs that look at few records and at every one, beside inflating the same files.

use std::io;

use crate::data::{Data, embedded, findings, inflating, scan};
use crate::support::corpus::Layout;
use crate::table;

pub(crate) fn measure(data: &Data) -> io::Result<()> {
    let corpus = data.corpus(data.size(20_000, 500_000), 2_000, Layout::Objects)?;
    let fifty = data.pack("fifty")?;
    let watching = data.pack("watching")?;
    for threads in [1, 2] {
        let lines = [
            inflating(threads, &corpus.path)?,
            scan("50 policies with `when`", threads, &[&fifty], &[&corpus.path]),
            scan("the embedded pack", threads, &[embedded()], &[&corpus.path]),
            scan(
                "the embedded pack and two policies that watch every record",
                threads,
                &[embedded(), &watching],
                &[&corpus.path],
            ),
        ];
        let found: Vec<String> = lines[1..]
            .iter()
            .map(|line| findings(line, corpus.records, 0).map(|found| table::whole(found as usize)))
            .collect::<io::Result<_>>()?;
        let many = if threads == 1 { "1 thread".to_owned() } else { format!("{threads} threads") };
        table::heading(
            &format!("The whole path, {many}"),
            &format!("{}. Findings, in the order of the rows: {}.", table::about(&corpus), found.join(", ")),
        );
        table::compared(&lines, &data.in_turn(&lines)?, corpus.records, "records");
    }
    Ok(())
}
