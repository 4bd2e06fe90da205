//! Growth with the number of policies: what a record costs, without what starting costs.

use std::io;

use crate::data::{Corpus, Data, findings, scan};
use crate::support::corpus::Layout;
use crate::table::{self, cpu, wall};

pub(crate) fn measure(data: &Data) -> io::Result<()> {
    let sizes = data.size([10, 100, 1_000].as_slice(), &[10, 100, 1_000, 10_000]);
    let many = data.corpus(data.size(20_000, 500_000), 2_000, Layout::Objects)?;
    let few = data.corpus(data.size(2_000, 20_000), 2_000, Layout::Objects)?;
    let tiny = data.corpus(1, 1, Layout::Objects)?;
    one(data, sizes, false, [&many, &tiny])?;
    one(data, &sizes[1..], true, [&few, &tiny])
}

/// A table, with or without policies that nothing narrows.
fn one(data: &Data, sizes: &[usize], with_the_last: bool, [corpus, tiny]: [&Corpus; 2]) -> io::Result<()> {
    let mut lines = Vec::new();
    for &size in sizes {
        let pack = data.growing(size, with_the_last)?;
        let name = table::whole(size);
        let all = scan(&name, 1, &[&pack], &[&corpus.path]);
        findings(&all, corpus.records, 0)?;
        lines.extend([all, scan(&format!("{name} (start)"), 1, &[&pack], &[&tiny.path])]);
    }
    let what = if with_the_last { "with 1 % that nothing narrows" } else { "all narrowed by something" };
    table::heading(
        &format!("Growth with policies, {what}"),
        &format!("{}. One thread. What a scan of a single record takes is subtracted.", table::about(corpus)),
    );
    let taken = data.in_turn(&lines)?;
    table::head(&["policies", "start s", "scan s", "wall µs a record", "CPU µs a record", "× the first, CPU"]);
    let micro = |seconds: f64| seconds / corpus.records as f64 * 1e6;
    let mut first = None;
    for (lines, taken) in lines.chunks(2).zip(taken.chunks(2)) {
        let [all, start] = taken else { continue };
        let used = all.more_than(start, cpu);
        let first = *first.get_or_insert(used);
        table::row(&[
            lines[0].name.clone(),
            table::seconds(start.median(wall)),
            table::seconds(all.median(wall)),
            format!("{:.2}", micro(all.more_than(start, wall))),
            format!("{:.2}", micro(used)),
            table::times(used / first),
        ]);
    }
    table::spread(&taken);
    Ok(())
}
