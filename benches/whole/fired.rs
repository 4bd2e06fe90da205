//! The naive way: where it is at its best, because every policy fires on every record; and where an index helps.

use std::io;

use crate::data::{Data, findings, naive, scan};
use crate::support::corpus::Layout;
use crate::table;

pub(crate) fn measure(data: &Data) -> io::Result<()> {
    let corpus = data.corpus(data.size(4_000, 100_000), 2_000, Layout::Objects)?;
    let firing = data.pack("firing")?;
    let (fifty, plain) = (data.pack("fifty")?, data.pack("fifty-plain")?);
    for (title, pack, plain) in
        [("Three policies that fire on every record", &firing, &firing), ("50 policies", &fifty, &plain)]
    {
        for threads in [1, 2] {
            let lines = [naive(threads, plain, &corpus.path)?, scan("Lawbook", threads, &[pack], &[&corpus.path])];
            let found = findings(&lines[1], corpus.records, 0)?;
            let other = String::from_utf8_lossy(&lines[0].command().output()?.stdout).trim().parse();
            if other != Ok(found) {
                return Err(io::Error::other(format!("findings differ: {found}, and the naive way {other:?}")));
            }
            let many = if threads == 1 { "1 thread".to_owned() } else { format!("{threads} threads") };
            let about = format!("{}. Both find {}.", table::about(&corpus), table::whole(found as usize));
            table::heading(&format!("{title}, and the naive way, {many}"), &about);
            table::compared(&lines, &data.in_turn(&lines)?, corpus.records);
        }
    }
    Ok(())
}
