//! What starting costs: a scan of one record by packs of several sizes, as cold as a process is.

use std::io;

use crate::data::{Data, embedded, scan};
use crate::support::corpus::Layout;
use crate::table::{self, cpu, memory, wall};

pub(crate) fn measure(data: &Data) -> io::Result<()> {
    let tiny = data.corpus(1, 1, Layout::Objects)?.path;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let fifty = data.pack("fifty")?;
    let mut lines =
        vec![scan("the embedded pack", cores, &[embedded()], &[&tiny]), scan("50", cores, &[&fifty], &[&tiny])];
    for &size in data.size([1_000].as_slice(), &[1_000, 10_000]) {
        lines.push(scan(&table::whole(size), cores, &[&data.growing(size, true)?], &[&tiny]));
    }
    table::heading("Starting", "A scan of one record, threads as by default. Nothing is kept between runs.");
    let taken = data.in_turn(&lines)?;
    table::head(&["policies", "wall ms", "CPU ms", "peak MB"]);
    for (line, runs) in lines.iter().zip(&taken) {
        table::row(&[
            line.name.clone(),
            format!("{:.1}", runs.median(wall) * 1e3),
            format!("{:.1}", runs.median(cpu) * 1e3),
            table::megabytes(runs.median(memory)),
        ]);
    }
    table::spread(&taken);
    Ok(())
}
