//! `lawbook list`: the policies, a line each.

use std::collections::BTreeMap;
use std::io::Write;

use clap::ValueEnum;
use lawbook::error::Error;
use lawbook::fault::printable;
use lawbook::policy::{Checked, Policy};
use lawbook::script::Limits;

use super::Failure;
use super::packs::PackArgs;

/// List the policies
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    packs: PackArgs,

    /// What the policies cover instead: the techniques and rules in their tags, each with its policies
    #[arg(long)]
    coverage: bool,

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
    /// With --coverage: a layer for the ATT&CK Navigator
    Navigator,
}

pub(crate) fn run(args: &Args) -> Result<u8, Failure> {
    let loaded = args.packs.load(&Limits::default())?;
    let policies = loaded.packs.policies();
    let mut out = super::stdout();
    if args.coverage {
        return coverage(&loaded.packs, args.format, &mut out);
    }
    if args.format == Format::Navigator {
        return Err(Error::new("a layer is of what policies cover")
            .about("--format navigator")
            .try_to("`--coverage`")
            .into());
    }
    if args.format == Format::Json {
        let list: Vec<serde_json::Value> = policies
            .iter()
            .map(|policy| {
                serde_json::json!({
                    "id": &*policy.id, "pack": &*policy.pack, "title": policy.header.title.text, "severity": severity(policy),
                    "judges": &*policy.header.judges, "uses": policy.header.uses, "needs": policy.header.needs,
                    "tags": &*policy.header.tags, "file": policy.file,
                })
            })
            .collect();
        writeln!(out, "{}", serde_json::to_string_pretty(&list).unwrap_or_default())?;
        return Ok(0);
    }
    // By what each is named elsewhere.
    let names: Vec<String> = policies.iter().map(|policy| loaded.packs.name_of(policy)).collect();
    let width = names.iter().map(String::len).max().unwrap_or(0);
    let kinds = policies.iter().map(|policy| policy.header.judges.len()).max().unwrap_or(0);
    for (name, policy) in names.iter().zip(policies) {
        let severity = severity(policy);
        // Policies may come from others: their text must not steer the terminal.
        let title = printable(&policy.header.title.text, usize::MAX);
        writeln!(out, "{name:width$}  {severity:8}  {:kinds$}  {title}", policy.header.judges)?;
    }
    Ok(0)
}

/// The severity that findings have unless a hook says otherwise.
fn severity(policy: &Policy) -> &'static str {
    policy.severity.unwrap_or(policy.header.severity).word()
}

/// Which techniques and rules of frameworks the policies are about, by their tags.
fn coverage(packs: &Checked, format: Format, out: &mut impl Write) -> Result<u8, Failure> {
    let mut by_tag: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for policy in packs.policies() {
        for tag in policy.header.tags.iter() {
            by_tag.entry(tag).or_default().push(packs.name_of(policy));
        }
    }
    match format {
        Format::Text => {
            let width = by_tag.keys().map(|tag| tag.len()).max().unwrap_or(0);
            for (tag, ids) in &by_tag {
                writeln!(out, "{tag:width$}  {}", ids.join(", "))?;
            }
            let untagged = packs.policies().iter().filter(|policy| policy.header.tags.is_empty());
            let untagged: Vec<String> = untagged.map(|policy| packs.name_of(policy)).collect();
            if !untagged.is_empty() {
                writeln!(out, "{:width$}  {}", "(no tag)", untagged.join(", "))?;
            }
        }
        Format::Json => writeln!(out, "{}", serde_json::to_string_pretty(&by_tag).unwrap_or_default())?,
        Format::Navigator => writeln!(out, "{}", serde_json::to_string_pretty(&layer(&by_tag)).unwrap_or_default())?,
    }
    Ok(0)
}

/// A layer of the ATT&CK Navigator, in version 4.5 of its format: a score is the number of policies.
fn layer(by_tag: &BTreeMap<&str, Vec<String>>) -> serde_json::Value {
    let techniques: Vec<serde_json::Value> = by_tag
        .iter()
        .filter_map(|(tag, ids)| {
            let technique = tag.strip_prefix("attack.")?.to_uppercase();
            Some(serde_json::json!({ "techniqueID": technique, "score": ids.len(), "comment": ids.join(", "), "enabled": true }))
        })
        .collect();
    let most = by_tag.iter().filter(|(tag, _)| tag.starts_with("attack.")).map(|(_, ids)| ids.len()).max().unwrap_or(1);
    serde_json::json!({
        "name": "Lawbook",
        "versions": { "layer": "4.5", "navigator": "5.0.0" },
        "domain": "enterprise-attack",
        "description": "Techniques that policies are about.",
        "techniques": techniques,
        "gradient": { "colors": ["#ffffff", "#66b1ff"], "minValue": 0, "maxValue": most },
    })
}
