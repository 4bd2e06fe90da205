//! `lawbook show`: everything about one policy.

use std::io::Write;

use anstyle::Style;
use lawbook::fault::printable;
use lawbook::script::Limits;

use super::Failure;
use super::packs::PackArgs;

/// Show one policy: what it finds, why it matters, its parameters and when it is asked
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  lawbook show eip-disassociated")]
pub(crate) struct Args {
    /// The policy's id, or `pack/id`
    #[arg(value_name = "ID")]
    id: String,

    #[command(flatten)]
    packs: PackArgs,
}

pub(crate) fn run(args: &Args) -> Result<u8, Failure> {
    let loaded = args.packs.load(&Limits::default())?;
    let policy = loaded.packs.find(&args.id)?;
    let header = &policy.header;
    let mut out = super::stdout();
    let bold = Style::new().bold();
    // Policies may come from others: their text must not steer the terminal either.
    let clean = |text: &str| printable(text, usize::MAX);
    let heading = |text: &str| format!("{bold}{text}{bold:#}");
    writeln!(out, "{}  {}", heading(&policy.id), clean(&header.title.text))?;
    writeln!(out)?;
    let hooks: Vec<&str> = policy.script.hooks.iter().map(String::as_str).collect();
    let mut rows: Vec<(&str, String)> =
        policy.facts().into_iter().map(|fact| (fact.label, fact.values.join(", "))).collect();
    rows.push(("pack", format!("{} ({})", policy.pack, policy.file)));
    rows.push(("hooks", hooks.join(", ")));
    for (label, value) in rows.iter().filter(|(_, value)| !value.is_empty()) {
        writeln!(out, "  {label:<9} {}", clean(value))?;
    }
    writeln!(out, "\n{}", heading("Asked when"))?;
    if header.when.conditions.is_empty() {
        writeln!(out, "  every record of the kind `{}`", header.judges)?;
    }
    for condition in &header.when.conditions {
        writeln!(out, "  {}", clean(&condition.to_string()))?;
    }
    if !header.params.is_empty() {
        writeln!(out, "\n{}", heading("Parameters"))?;
    }
    for param in &header.params {
        let value = policy.script.params.get(&param.name).unwrap_or(&param.default);
        let set = match *value == param.default {
            true => String::new(),
            false => format!(", default {}", param.show(&param.default)),
        };
        let told = format!("{} ({}) = {}{set}", param.name, param.kind.describe(), param.show(value));
        writeln!(out, "  {}\n      {}", clean(&told), clean(&param.doc))?;
    }
    for (title, text) in policy.sections() {
        writeln!(out)?;
        if !title.is_empty() {
            writeln!(out, "{}", heading(&clean(title)))?;
        }
        for line in text.lines() {
            writeln!(out, "  {}", clean(line))?;
        }
    }
    for instruction in policy.instructions() {
        writeln!(out, "\n{}", heading(&format!("Remediation: {}", instruction.title)))?;
        for line in instruction.text.lines() {
            writeln!(out, "  {}", clean(line))?;
        }
    }
    if !header.references.is_empty() {
        writeln!(out, "\n{}", heading("References"))?;
        for reference in header.references.iter() {
            writeln!(out, "  {}", clean(reference))?;
        }
    }
    Ok(0)
}
