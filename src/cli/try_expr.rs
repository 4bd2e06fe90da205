//! `lawbook try`: evaluates an expression over each record.

use std::io::Write;
use std::path::PathBuf;

use lawbook::engine::{Request, evaluate_each};
use lawbook::fault::printable;
use lawbook::record::Scope;
use lawbook::script::Stop;

use super::Failure;
use super::values::{account, region};

/// Evaluate an expression over each record, one line of JSON for each
///
/// The record is `event`, or `resource`, which is the same. What `print` writes goes to stderr.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  lawbook try 'actor(event)' log.json.gz\n  lawbook try 'request(event).groupId' ./logs --non-null\n  lawbook try 'tag(resource, \"Owner\")' volumes.json"
)]
pub(crate) struct Args {
    /// An expression of Rhai, with every function that policies have
    #[arg(value_name = "EXPR", allow_hyphen_values = true)]
    expression: String,

    /// Files, folders, or - for standard input
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// Leave out records for which the answer is `()`
    #[arg(long)]
    non_null: bool,

    /// Inventory to look things up in
    #[arg(long, value_name = "PATH")]
    inventory: Vec<PathBuf>,

    /// The account of inventory that does not say whose it is
    #[arg(long, value_name = "ACCOUNT", value_parser = account)]
    inventory_account: Option<String>,

    /// The region of inventory that does not say where it is
    #[arg(long, value_name = "REGION", value_parser = region)]
    inventory_region: Option<String>,
}

pub(crate) fn run(args: &Args) -> Result<u8, Failure> {
    let mut request = Request::new(&args.paths);
    request.inventory.clone_from(&args.inventory);
    request.inventory_of = Scope {
        account: args.inventory_account.as_deref().map(Into::into),
        region: args.inventory_region.as_deref().map(Into::into),
    };
    let mut out = std::io::BufWriter::new(super::stdout());
    let mut written = Ok(());
    let mut failed = 0_u64;
    let mut records = 0_u64;
    let faults = evaluate_each(&request, &args.expression, &mut |record, answer, printed| {
        records += 1;
        let tell = |line: String| {
            let _ = writeln!(std::io::stderr(), "{line}");
        };
        for line in printed {
            tell(printable(&line, 2_000));
        }
        match answer {
            Ok(value) if value.is_null() && args.non_null => {}
            Ok(value) => {
                if written.is_ok() {
                    written = writeln!(out, "{}", lawbook::report::one_line(&value));
                }
            }
            Err(Stop::Fault(reason) | Stop::NotEvaluated(reason)) => {
                failed += 1;
                if failed <= 3 {
                    tell(format!("fault: {reason} at {}", printable(&record.origin.to_string(), 400)));
                }
            }
        }
        written.is_ok()
    })?;
    written.and_then(|()| out.flush())?;
    for fault in &faults {
        let _ = writeln!(
            std::io::stderr(),
            "fault: {} at {}",
            printable(&fault.reason, 400),
            printable(&fault.origin.to_string(), 400)
        );
    }
    if failed > 3 {
        let _ = writeln!(std::io::stderr(), "fault: {failed} records in all");
    }
    if records == 0 {
        let _ = writeln!(std::io::stderr(), "no record was read");
    }
    Ok(if failed > 0 || !faults.is_empty() || records == 0 { 2 } else { 0 })
}
