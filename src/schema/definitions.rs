//! Writes events and resources as types in the notation of Rhai's definition files (`.d.rhai`), three levels deep.

use std::fmt::Write;

use super::events::Shapes;
use super::place::{Holds, Place, Step};

/// Levels of fields that are written out.
const LEVELS: usize = 3;

/// Values of a field up to which all are named.
const NAMED: usize = 12;

impl Shapes {
    /// The fields of every record of CloudTrail, as the type `Event`.
    pub fn event_definition(&self) -> String {
        definition(
            "A record of CloudTrail, as `event` in policies that judge `cloudtrail`.",
            "Event",
            &self.record(&[]),
        )
    }

    /// The fields of a resource of a kind, as a type that is named as it: `Ec2Volumes`; `None` where there is no such kind.
    pub fn resource_definition(&self, kind: &str) -> Option<String> {
        let words = kind.split(['/', '-']).filter(|word| !word.is_empty());
        let name: String = words.map(|word| word[..1].to_uppercase() + &word[1..]).collect();
        Some(definition(&format!("A resource of the kind `{kind}`."), &name, &self.resource(kind)?))
    }
}

fn definition(doc: &str, name: &str, place: &Place<'_>) -> String {
    format!("\n/// {doc} Every field may be absent, which is `()`.\ntype {name} = {};\n", of(place, 1))
}

/// The type of what stands at a place; `level` is that of the fields below it.
fn of(place: &Place<'_>, level: usize) -> String {
    let word = match place.holds()[..] {
        [Holds::Text | Holds::Time] => "string",
        [Holds::Int] => "int",
        [Holds::Number] => "float",
        [Holds::Bool] => "bool",
        [Holds::Map] => "map",
        [Holds::List] => match place.item() {
            Step::Known(item) => return format!("[{}]", of(&item, level)),
            _ => "array",
        },
        [Holds::Structure] if level > LEVELS => "map",
        [Holds::Structure] => return structure(place, level),
        _ => "?",
    };
    word.to_owned()
}

fn structure(place: &Place<'_>, level: usize) -> String {
    let indent = "    ".repeat(level);
    let mut out = String::new();
    for name in place.names() {
        let Step::Known(field) = place.field(&name) else { continue };
        if let Some(doc) = doc(&field) {
            let _ = writeln!(out, "{indent}/// {doc}");
        }
        let is_word = name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
        let name = if is_word { name } else { format!("{name:?}") };
        let _ = writeln!(out, "{indent}{name}: {},", of(&field, level + 1));
    }
    if out.is_empty() { "map".to_owned() } else { format!("#{{\n{out}{}}}", "    ".repeat(level - 1)) }
}

/// What is known of a field beside its type.
fn doc(field: &Place<'_>) -> Option<String> {
    if field.holds() == [Holds::Time] {
        return Some("A time.".to_owned());
    }
    let values = field.values()?;
    let named = values.iter().take(NAMED).map(|value| format!("`{value}`")).collect::<Vec<_>>().join(", ");
    Some(format!("{named}{}", if values.len() > NAMED { ", …" } else { "" }))
}
