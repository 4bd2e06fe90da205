//! `lawbook config`: what is set, and who says so.

use std::io::Write;

use clap::ValueEnum;
use lawbook::fault::printable;
use lawbook::script::Limits;
use serde_json::{Value, json};

use super::layers::{Layers, Row};
use super::packs::PackArgs;
use super::settings::SettingArgs;
use super::{Failure, both};

const EXAMPLES: &str = "Examples:
  lawbook config                       what a scan in this folder would go by
  lawbook config --fail-on high        and with a flag
  lawbook config --format json";

/// Show the configuration as it counts: every setting, and whether a flag, the environment, a file or nobody says so
///
/// What `lawbook.yaml` says is checked against the packs, as a scan would.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    settings: SettingArgs,

    #[command(flatten)]
    packs: PackArgs,

    /// How to write it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Columns
    Text,
    /// One object
    Json,
}

pub(crate) fn run(args: &Args) -> Result<u8, Failure> {
    let layers = Layers::read(&args.packs.config)?;
    let set = args.settings.settle(&layers, None, None);
    let (set, (_, mut rows)) = both(set, args.packs.load_from(&layers, &Limits::default()))?;
    rows.extend(set.rows);
    let mut out = super::stdout();
    let file = layers.config.file.as_ref().map(|file| file.display().to_string());
    if args.format == Format::Json {
        let settings: serde_json::Map<String, Value> =
            rows.into_iter().map(|row| (row.key.clone(), whole(&row))).collect();
        let whole = json!({ "file": file, "settings": settings });
        writeln!(out, "{}", serde_json::to_string_pretty(&whole).unwrap_or_default())?;
        return Ok(0);
    }
    match file {
        Some(file) => writeln!(out, "configuration: {}\n", printable(&file, 1_000))?,
        None => writeln!(out, "configuration: none (no `lawbook.yaml` here or above)\n")?,
    }
    let shown: Vec<(String, String, String)> = rows.iter().map(columns).collect();
    let width = |column: fn(&(String, String, String)) -> &str| {
        shown.iter().map(|row| column(row).chars().count()).filter(|width| *width <= 48).max().unwrap_or(0)
    };
    let (keys, values) = (width(|row| &row.0), width(|row| &row.1));
    for (key, value, said) in &shown {
        writeln!(out, "{key:keys$}  {value:values$}  {said}")?;
    }
    Ok(0)
}

fn whole(row: &Row) -> Value {
    let mut from = json!({ "by": row.said.by.word(), "said": row.said.to_string() });
    if let Some((line, _)) = row.said.place {
        from["file"] = row.said.name.as_str().into();
        from["line"] = line.into();
    }
    json!({ "value": row.value, "from": from })
}

fn columns(row: &Row) -> (String, String, String) {
    let value = match &row.value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let item = |item: &Value| item.as_str().map_or_else(|| item.to_string(), str::to_owned);
            if items.is_empty() { "-".to_owned() } else { items.iter().map(item).collect::<Vec<_>>().join(", ") }
        }
        other => other.to_string(),
    };
    (printable(&row.key, 200), printable(&value, 400), printable(&row.said.to_string(), 400))
}
