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
    let mut rows = vec![
        ("severity", policy.severity.unwrap_or(header.severity).word().to_owned()),
        ("judges", header.judges.to_string()),
        ("pack", format!("{} ({})", policy.pack, policy.file)),
        ("uses", header.uses.join(", ")),
        ("needs", header.needs.join(", ")),
        ("tags", header.tags.join(", ")),
        ("formerly", header.formerly.join(", ")),
    ];
    if let Some(window) = &policy.header.window {
        rows.push(("window", window.to_string()));
    }
    let hooks: Vec<&str> = policy.script.hooks.iter().map(String::as_str).collect();
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
        let set = if *value == param.default { String::new() } else { format!(", default {}", param.default) };
        writeln!(out, "  {} ({}) = {value}{set}\n      {}", param.name, param.kind.describe(), param.doc)?;
    }
    for (title, text) in policy.sections() {
        writeln!(out, "\n{}", heading(&clean(title)))?;
        for line in text.lines() {
            writeln!(out, "  {}", clean(line))?;
        }
    }
    let forms = [
        ("Console", &header.remediation.console),
        ("AWS CLI", &header.remediation.cli),
        ("Python", &header.remediation.python),
    ];
    for (title, form) in forms {
        if let Some(form) = form {
            writeln!(out, "\n{}", heading(&format!("Remediation: {title}")))?;
            for line in form.text.trim_end().lines() {
                writeln!(out, "  {}", clean(line))?;
            }
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
