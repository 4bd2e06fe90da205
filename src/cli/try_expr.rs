//! `lawbook try`: evaluates an expression over each record.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;

use lawbook::engine::{Request, evaluate_each};
use lawbook::fault::printable;
use lawbook::policy::{Overrides, Pack};
use lawbook::record::{Origin, Scope};
use lawbook::script::{Limits, Stop};
use serde_json::{Value, json};

use super::Failure;
use super::log::{Entry, Level, Log};
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

/// Lints whose remarks are of use where there is no policy: those about what records hold.
const LINTS: [&str; 10] = [
    "impossible-type",
    "misspelt-code",
    "object-as-text",
    "text-as-bool",
    "text-as-list",
    "unknown-field",
    "unknown-kind",
    "unknown-parameter",
    "unlike-types",
    "unlisted-value",
];

/// What is said of the expression, asked of records of a kind: it has an answer all the same, which a slip of a letter makes `()`.
fn remarks(expression: &str, kind: &str) -> Vec<(String, Option<String>)> {
    let text = format!(
        "//! ---\n//! title: tried\n//! severity: low\n//! judges: {kind}\n//! ---\nfn matches(event) {{ let resource = event;\n{expression}\n}}\n"
    );
    let said = match Pack::from_text("tried", &text).check(&Overrides::default(), &Limits::default()) {
        Ok(checked) => checked.warnings().to_vec(),
        Err(mistakes) => mistakes,
    };
    said.into_iter().filter(|said| LINTS.contains(&said.code)).map(|said| (said.message, said.help)).collect()
}

/// Says something, to people with its kind before it.
fn say(log: Log, level: Level, event: &'static str, message: &str, fields: Value) {
    log.tell(&format!("{event}: {message}\n"), Entry { level, event, message, fields });
}

fn fault(log: Log, reason: &str, origin: &Origin) {
    let message = format!("{reason} at {}", printable(&origin.to_string(), 400));
    say(log, Level::Error, "fault", &message, json!({ "reason": reason, "count": 1, "origins": [origin] }));
}

pub(crate) fn run(args: &Args, log: Log) -> Result<u8, Failure> {
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
    let mut kinds = BTreeSet::new();
    // What one kind of record lacks another may have: a slip is one for each of them.
    let mut remarked: Option<Vec<(String, Option<String>)>> = None;
    let faults = evaluate_each(&request, &args.expression, &mut |record, answer, printed| {
        records += 1;
        if !kinds.contains(&record.kind) {
            kinds.insert(record.kind.clone());
            let said = remarks(&args.expression, &record.kind);
            match &mut remarked {
                Some(remarked) => remarked.retain(|(message, _)| said.iter().any(|(also, _)| also == message)),
                None => remarked = Some(said),
            }
        }
        for line in printed {
            log.line(Level::Info, "printed", &printable(&line, 2_000), json!({ "origins": [record.origin] }));
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
                    fault(log, &reason, &record.origin);
                }
            }
        }
        written.is_ok()
    })?;
    written.and_then(|()| out.flush())?;
    for (message, help) in remarked.unwrap_or_default() {
        let remedy = help.map_or_else(String::new, |help| format!(" (try: {help})"));
        say(log, Level::Warn, "warning", &format!("{message}{remedy}"), json!({}));
    }
    for found in &faults {
        fault(log, &printable(&found.reason, 400), &found.origin);
    }
    if failed > 3 {
        say(log, Level::Error, "fault", &format!("{failed} records in all"), json!({ "count": failed }));
    }
    if records == 0 {
        log.line(Level::Error, "exit", "no record was read", json!({ "code": 2 }));
    }
    Ok(if failed > 0 || !faults.is_empty() || records == 0 { 2 } else { 0 })
}
