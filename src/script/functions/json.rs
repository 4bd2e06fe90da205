//! JSON inside of records: paths, texts that hold JSON, policy documents.

use jsonpath_rust::JsonPath;
use rhai::{Array, Dynamic};
use serde_json::Value;

use super::{Family, Lowered, Row, as_text, made};
use crate::script::predicate::{self, LONG_TEXT};
use crate::script::value::{Shown, to_json};

pub(super) const FAMILY: Family = Family {
    name: "JSON",
    doc: "JSON paths, JSON that is held in text, and policy documents.",
    rows: &[
        Row {
            name: "jsonpath",
            params: &["value", "path"],
            doc: "The list of what an RFC 9535 path selects: `jsonpath(event, \"$..cidrIp\")`.",
            examples: &[
                r#"jsonpath(parse_json(`{"a":[{"b":1},{"b":2}]}`), "$.a[*].b") == [1, 2]"#,
                r#"jsonpath((), "$.a") == []"#,
            ],
            run: |call, args| {
                let Some(path) = as_text(&args[1]) else { return Ok(Array::new().into()) };
                let value = to_json(&args[0]);
                call.charge(value.to_string().len() / 16)?;
                let found = select(&value, &path).map_err(|reason| call.fail(reason))?;
                Ok(found.into_iter().map(made).collect::<Array>().into())
            },
        },
        Row {
            name: "parse_json",
            params: &["text"],
            doc: "The value of a text that is JSON, URL-encoded or not; `()` if it is not JSON.",
            examples: &[
                r#"parse_json(`{"a":1}`).a == 1"#,
                r#"parse_json("%7B%22a%22%3A1%7D").a == 1"#,
                r#"parse_json("{") == ()"#,
            ],
            run: |_, args| {
                Ok(as_text(&args[0]).and_then(|text| parse_any(&text)).map_or(Dynamic::UNIT, |value| made(&value)))
            },
        },
        Row {
            name: "statements",
            params: &["policy"],
            doc: "The statements of an IAM policy document, which may be an object, JSON text or URL-encoded JSON text, with one statement or a list. In each, `Action`, `NotAction`, `Resource` and `NotResource` are lists, and `Principal` is a list of all principals (`*` for everyone).",
            examples: &[
                r#"statements(`{"Statement":{"Effect":"Allow","Principal":"*","Action":"s3:GetObject"}}`)[0].Principal == ["*"]"#,
                r#"statements(`{"Statement":[{"Principal":{"AWS":["a","b"]}}]}`)[0].Principal == ["a", "b"]"#,
                r#"statements(()).is_empty()"#,
            ],
            run: |call, args| {
                let document = match as_text(&args[0]) {
                    Some(text) => parse_any(&text).unwrap_or_default(),
                    None => to_json(&args[0]),
                };
                call.charge(document.to_string().len() / 16)?;
                let statements = document.get("Statement").cloned().map(into_list).unwrap_or_default();
                Ok(made(&statements.into_iter().filter(Value::is_object).map(normal).collect()))
            },
        },
        Row {
            name: "to_json",
            params: &["value"],
            doc: "The value as JSON text.",
            examples: &[r#"to_json(#{ a: [1, ()] }) == `{"a":[1,null]}`"#],
            run: |_, args| Ok(to_json(&args[0]).to_string().into()),
        },
        Row {
            name: "is_object",
            params: &["value"],
            doc: "True if the value is an object (a map).",
            examples: &[r#"is_object(parse_json("{}"))"#, r#"is_object(#{})"#, r#"!is_object("{}")"#],
            run: |_, args| {
                let value = &args[0];
                Ok((value.is_map() || value.read_lock::<Shown>().is_some_and(|shown| !shown.is_list())).into())
            },
        },
    ],
    lowered: &[("to_json", 1, Lowered::Makes(written))],
};

/// The value as JSON text, asked without Rhai.
fn written<'a>(args: &[predicate::Value<'a>]) -> Option<predicate::Value<'a>> {
    let text = args[0].to_json()?.to_string();
    (text.len() <= LONG_TEXT).then(|| predicate::Value::Text(text.into()))
}

/// What a JSONPath selects, or why it is none.
pub(crate) fn select<'a>(value: &'a Value, path: &str) -> Result<Vec<&'a Value>, String> {
    value.query(path).map_err(|error| {
        let reason: String = error.to_string().lines().last().unwrap_or_default().trim().chars().take(120).collect();
        format!("`{}` is not a JSONPath: {reason}", path.escape_debug())
    })
}

/// JSON objects and lists held in text, URL-encoded or not: what requests carry.
pub(super) fn parse(text: &str) -> Option<Value> {
    may_be(text).then(|| parse_any(text)).flatten()
}

/// Whether text begins as such JSON does.
pub(super) fn may_be(text: &str) -> bool {
    let start = text.trim_start();
    start.starts_with(['{', '[']) || start.starts_with("%7B") || start.starts_with("%5B")
}

fn parse_any(text: &str) -> Option<Value> {
    let decoded;
    let text = if text.trim_start().starts_with("%7B") || text.trim_start().starts_with("%5B") {
        decoded = percent_encoding::percent_decode_str(text).decode_utf8_lossy();
        decoded.as_ref()
    } else {
        text
    };
    crate::record::Document::parse(text.as_bytes()).ok().map(|document| document.root().to_json())
}

fn into_list(value: Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items,
        Value::Null => Vec::new(),
        one => vec![one],
    }
}

/// A statement with its lists written as lists.
fn normal(mut statement: Value) -> Value {
    for key in ["Action", "NotAction", "Resource", "NotResource"] {
        if let Some(value) = statement.get_mut(key) {
            *value = into_list(value.take()).into();
        }
    }
    for key in ["Principal", "NotPrincipal"] {
        if let Some(value) = statement.get_mut(key) {
            *value = match value.take() {
                Value::Object(kinds) => kinds.into_iter().flat_map(|(_, names)| into_list(names)).collect(),
                other => into_list(other).into(),
            };
        }
    }
    statement
}
