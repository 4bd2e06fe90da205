//! `lawbook explain`: the page of a diagnostic.

use std::io::Write;

use anstyle::Style;
use lawbook::diagnostic::{Level, did_you_mean};
use lawbook::error::Error;
use lawbook::lint;

use super::Failure;

/// Explain a diagnostic: what it finds, what to write instead, and why; without a code, list all
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  lawbook explain outcome\n  lawbook explain            every code, by category")]
pub(crate) struct Args {
    /// The code, as a diagnostic shows it in brackets
    #[arg(value_name = "CODE")]
    code: Option<String>,
}

pub(crate) fn run(args: &Args) -> Result<u8, Failure> {
    match &args.code {
        Some(code) => explain(code),
        None => list(),
    }
}

fn explain(code: &str) -> Result<u8, Failure> {
    let Some(found) = lint::find(code) else {
        let error = Error::new(format!("no diagnostic `{code}`"));
        let meant = did_you_mean(code, lint::lints().into_iter().map(|lint| lint.code));
        return Err(match meant {
            Some(meant) => error.try_to(format!("did you mean `{meant}`? `lawbook explain` lists all")),
            None => error.try_to("`lawbook explain` lists all"),
        }
        .into());
    };
    super::stdout().write_all(lint::page(found).as_bytes())?;
    Ok(0)
}

fn list() -> Result<u8, Failure> {
    let mut out = super::stdout();
    let bold = Style::new().bold();
    let mut all = lint::lints();
    all.sort_by_key(|lint| (lint.category, lint.code));
    let width = all.iter().map(|lint| lint.code.len()).max().unwrap_or(0);
    let mut category = None;
    for lint in all {
        if category.replace(lint.category) != Some(lint.category) {
            writeln!(out, "{bold}{}{bold:#}", lint.category.word())?;
        }
        let level = if lint.level == Level::Error { "error" } else { "warning" };
        writeln!(out, "  {:width$}  {level:7}  {}", lint.code, lint.summary.replace('`', ""))?;
    }
    Ok(0)
}
