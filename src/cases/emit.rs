//! Writes JSON values as YAML that people read, and that [`yaml`](crate::yaml) reads back as the same values.

use serde_json::Value;

use crate::fault::is_deceptive;

/// Lists of scalars stand on one line if they fit.
const WIDTH: usize = 110;

/// Appends `name: value` at an indent, with what is below it.
pub fn member(out: &mut String, indent: usize, name: &str, value: &Value) {
    spaces(out, indent);
    entry(out, indent, name, value);
}

/// Appends `- name: value` and the other members below the first; `- {}` if there is none.
pub(super) fn item(out: &mut String, indent: usize, members: &[(&str, Value)]) {
    spaces(out, indent);
    out.push_str("- ");
    for (at, (name, value)) in members.iter().enumerate() {
        if at > 0 {
            spaces(out, indent + 2);
        }
        entry(out, indent + 2, name, value);
    }
    if members.is_empty() {
        out.push_str("{}\n");
    }
}

fn entry(out: &mut String, indent: usize, name: &str, value: &Value) {
    out.push_str(&scalar_text(name, false));
    out.push(':');
    match value {
        Value::Object(members) if !members.is_empty() => {
            out.push('\n');
            for (name, value) in members {
                member(out, indent + 2, name, value);
            }
        }
        Value::Array(items) if !items.is_empty() && flow(items).is_none() => {
            out.push('\n');
            list(out, indent + 2, items);
        }
        Value::String(text) if is_block(text) => block(out, indent + 2, text),
        other => {
            out.push(' ');
            out.push_str(&inline(other));
            out.push('\n');
        }
    }
}

fn list(out: &mut String, indent: usize, items: &[Value]) {
    for value in items {
        match value {
            Value::Object(members) if !members.is_empty() => {
                let members: Vec<(&str, Value)> =
                    members.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
                item(out, indent, &members);
            }
            Value::Array(inner) if !inner.is_empty() && flow(inner).is_none() => {
                spaces(out, indent);
                out.push_str("-\n");
                list(out, indent + 2, inner);
            }
            other => {
                spaces(out, indent);
                out.push_str("- ");
                out.push_str(&inline(other));
                out.push('\n');
            }
        }
    }
}

/// A value that stands on one line.
fn inline(value: &Value) -> String {
    match value {
        Value::String(text) => scalar_text(text, false),
        Value::Array(items) => flow(items).unwrap_or_else(|| "[]".to_owned()),
        Value::Object(_) => "{}".to_owned(),
        other => other.to_string(),
    }
}

/// A list of scalars on one line, if it is one and fits.
fn flow(items: &[Value]) -> Option<String> {
    let one = |item: &Value| match item {
        Value::Array(_) | Value::Object(_) => None,
        Value::String(text) => Some(scalar_text(text, true)),
        other => Some(other.to_string()),
    };
    let texts: Vec<String> = items.iter().map(one).collect::<Option<_>>()?;
    let text = format!("[{}]", texts.join(", "));
    (text.chars().count() <= WIDTH).then_some(text)
}

fn spaces(out: &mut String, count: usize) {
    out.extend(std::iter::repeat_n(' ', count));
}

/// Text on one line: bare where that is read back as the same text, else in quotes.
fn scalar_text(text: &str, in_flow: bool) -> String {
    if is_bare(text, in_flow) { text.to_owned() } else { quoted(text) }
}

fn is_bare(text: &str, in_flow: bool) -> bool {
    let starts =
        text.starts_with(|letter: char| letter.is_ascii_alphabetic() || matches!(letter, '/' | '_' | '$' | '('));
    let is_plain =
        |letter: char| letter == ' ' || (!letter.is_control() && !letter.is_whitespace() && !is_deceptive(letter));
    let is_word = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"].contains(&text.to_lowercase().as_str());
    let has_flow = text.contains(['[', ']', '{', '}', ',']);
    starts
        && !is_word
        && !text.ends_with([' ', ':'])
        && !text.contains(": ")
        && !text.contains(" #")
        && !(in_flow && (has_flow || text.contains(':') || text.contains('#')))
        && text.chars().all(is_plain)
}

/// JSON's quotes, which are YAML's, too; what steers a terminal is escaped.
fn quoted(text: &str) -> String {
    let json = Value::from(text).to_string();
    let mut out = String::with_capacity(json.len());
    for letter in json.chars() {
        let code = u32::from(letter);
        if (letter.is_control() || is_deceptive(letter) || matches!(code, 0x2028 | 0x2029)) && code <= 0xffff {
            out.push_str(&format!("\\u{code:04x}"));
        } else {
            out.push(letter);
        }
    }
    out
}

/// Whether text of several lines can stand as it is.
fn is_block(text: &str) -> bool {
    let lines: Vec<&str> = text.trim_end_matches('\n').split('\n').collect();
    let is_line = |line: &&str| {
        !line.ends_with([' ', '\t'])
            && !line.chars().any(|letter| {
                letter.is_control() || is_deceptive(letter) || matches!(letter, '\u{2028}' | '\u{2029}' | '\u{85}')
            })
    };
    text.contains('\n') && !text.starts_with([' ', '\n', '\t']) && !text.ends_with("\n\n") && lines.iter().all(is_line)
}

fn block(out: &mut String, indent: usize, text: &str) {
    out.push_str(if text.ends_with('\n') { " |\n" } else { " |-\n" });
    for line in text.trim_end_matches('\n').split('\n') {
        if !line.is_empty() {
            spaces(out, indent);
            out.push_str(line);
        }
        out.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn json() -> impl Strategy<Value = Value> {
        let text = prop_oneof![
            "\\PC{0,12}",
            "[a-z: #\\[\\]{},&*!|>'\"%@`?-]{0,12}",
            "([ a-z#:-]{0,5}\n){1,3}[a-z]{0,3}",
            Just("null".to_owned()),
            Just("012".to_owned()),
            Just("1e3".to_owned()),
            Just("\u{202e}x\u{1b}[0m\u{85}\u{2028}".to_owned()),
            Just("---".to_owned()),
        ];
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            text.clone().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 24, 4, move |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
                proptest::collection::btree_map(text.clone(), inner, 0..4)
                    .prop_map(|members| members.into_iter().collect::<Value>()),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(value in json(), second in json()) {
            let mut out = String::new();
            member(&mut out, 0, "value", &value);
            out.push_str("list:\n");
            item(&mut out, 0, &[("a", value.clone()), ("b", second.clone())]);
            let read = crate::yaml::parse(&out);
            prop_assert!(read.is_ok(), "{:?}\n{}", read, out);
            let read = read.unwrap().to_json();
            prop_assert_eq!(&read["value"], &value, "{}", out);
            prop_assert_eq!(&read["list"][0]["a"], &value, "{}", out);
            prop_assert_eq!(&read["list"][0]["b"], &second, "{}", out);
            let steers = out.contains(['\u{1b}', '\u{202e}', '\u{85}']);
            prop_assert!(!steers);
        }
    }
}
