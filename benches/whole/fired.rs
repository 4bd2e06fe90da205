//! The naive way: where it is at its best, because every policy fires on every record; and where an index helps.

use std::io;

use crate::data::{Data, findings, naive, scan};
use crate::support::corpus::Layout;
use crate::table;

pub(crate) fn measure(data: &Data) -> io::Result<()> {
    let corpus = data.corpus(data.size(4_000, 100_000), 2_000, Layout::Objects)?;
    let (firing, silent) = (data.pack("firing")?, data.pack("silent")?);
    let (fifty, plain) = (data.pack("fifty")?, data.pack("fifty-plain")?);
    let (among, among_plain) = (data.pack("firing-among")?, data.pack("firing-among-plain")?);
    let (looping, looping_plain) = (data.pack("looping-among")?, data.pack("looping-among-plain")?);
    for (title, pack, plain) in [
        ("Three policies that fire on every record and need Rhai, among 50 others", &among, &among_plain),
        ("Three policies that fire on every record and need no Rhai, among 50 others", &looping, &looping_plain),
        ("Three policies that fire on every record and need Rhai", &firing, &firing),
        ("Three policies that are run in Rhai on every record and stay silent", &silent, &silent),
        ("50 policies", &fifty, &plain),
    ] {
        for threads in [1, 2] {
            let lines = [
                naive(false, threads, plain, &corpus.path)?,
                naive(true, threads, plain, &corpus.path)?,
                scan("Lawbook", threads, &[pack], &[&corpus.path]),
            ];
            let found = findings(&lines[2], corpus.records, 0)?;
            for line in &lines[..2] {
                let told = String::from_utf8_lossy(&line.command().output()?.stdout).trim().to_owned();
                if told != found.to_string() {
                    return Err(io::Error::other(format!("findings differ: {found}, and `{}` has {told}", line.name)));
                }
            }
            let many = if threads == 1 { "1 thread".to_owned() } else { format!("{threads} threads") };
            let about = format!("{}. All find {}.", table::about(&corpus), table::whole(found as usize));
            table::heading(&format!("{title}, and the naive way, {many}"), &about);
            table::compared(&lines, &data.in_turn(&lines)?, corpus.records, "records");
        }
    }
    Ok(())
}
