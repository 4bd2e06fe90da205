//! The file of `--metrics`: written however a scan ends.

use std::io::Write;
use std::path::Path;
use std::time::Instant;

use jiff::Timestamp;
use lawbook::engine::Outcome;
use lawbook::policy::Checked;
use lawbook::report::{MetricsOf, write_metrics};

use super::Failure;
use super::output::Output;

/// What a scan came to, as soon as it has.
#[derive(Default)]
pub(crate) struct Came {
    pub(crate) outcome: Option<(Outcome, Checked)>,
}

/// The file for metrics, if that is wanted, which `check` may refuse.
pub(crate) fn output(
    file: Option<&Path>,
    check: impl FnOnce(&Output) -> Result<(), lawbook::Error>,
) -> Result<Option<Output>, lawbook::Error> {
    let Some(file) = file else { return Ok(None) };
    let output = Output::create("--metrics", file)?;
    check(&output)?;
    output.spare_kept()?;
    Ok(Some(output))
}

/// Does the work of a command, and writes its metrics to a file if that is wanted.
pub(crate) fn around(
    output: Option<Output>,
    work: impl FnOnce(&mut Came) -> Result<u8, Failure>,
) -> Result<u8, Failure> {
    let mut came = Came::default();
    let Some(output) = output else { return work(&mut came) };
    let started = Instant::now();
    let result = work(&mut came);
    let exit = match &result {
        Ok(code) => *code,
        Err(Failure::ReaderGone) => 0,
        Err(_) => 2,
    };
    let outcome = came.outcome.as_ref().map(|(outcome, packs)| (outcome, packs));
    let run = MetricsOf { outcome, exit, ended: Timestamp::now(), took: started.elapsed() };
    let written = output.write(|out: &mut dyn Write| write_metrics(&run, out));
    match (result, written) {
        // Why the scan failed is of more interest than that this could not be told to others.
        (Err(failure), _) => Err(failure),
        (Ok(code), written) => written.map(|()| code).map_err(Failure::from),
    }
}
