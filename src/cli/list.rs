//! `lawbook list`: the policies, a line each.

use std::io::Write;

use clap::ValueEnum;
use lawbook::script::Limits;

use super::Failure;
use super::packs::PackArgs;

/// List the policies
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    packs: PackArgs,

    /// How to write the list
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Columns
    Text,
    /// A list of objects
    Json,
}

pub(crate) fn run(args: &Args) -> Result<u8, Failure> {
    let loaded = args.packs.load(&Limits::default())?;
    let policies = loaded.packs.policies();
    let mut out = super::stdout();
    if args.format == Format::Json {
        let list: Vec<serde_json::Value> = policies
            .iter()
            .map(|policy| {
                serde_json::json!({
                    "id": &*policy.id, "pack": &*policy.pack, "title": policy.header.title.text, "severity": policy.header.severity.word(),
                    "judges": &*policy.header.judges, "uses": policy.header.uses, "needs": policy.header.needs,
                    "tags": &*policy.header.tags, "file": policy.file,
                })
            })
            .collect();
        writeln!(out, "{}", serde_json::to_string_pretty(&list).unwrap_or_default())?;
        return Ok(0);
    }
    let width =
        |of: fn(&lawbook::policy::Policy) -> &str| policies.iter().map(|policy| of(policy).len()).max().unwrap_or(0);
    let (ids, kinds) = (width(|policy| &policy.id), width(|policy| &policy.header.judges));
    for policy in policies {
        let severity = policy.header.severity.word();
        writeln!(
            out,
            "{:ids$}  {severity:8}  {:kinds$}  {}",
            policy.id, policy.header.judges, policy.header.title.text
        )?;
    }
    Ok(0)
}
