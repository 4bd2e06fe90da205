//! Validates YAML by a JSON Schema, and says where in the text each violation is.

use std::collections::BTreeSet;
use std::ops::Range;

use jsonschema::Validator;
use jsonschema::error::{TypeKind, ValidationErrorKind};
use serde_json::Value;

use crate::diagnostic::{did_you_mean, surely_meant};
use crate::yaml::{self, Yaml};

/// A JSON Schema of a file that people write.
#[derive(Debug)]
pub struct Shape {
    schema: Value,
    /// `None` if the schema is none: a test says that it is one.
    validator: Option<Validator>,
}

/// A place in which a text breaks its schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Byte range in the text.
    pub span: Range<usize>,
    /// A lower-case fragment.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
    /// The word that is wrong, and the only one that can have been meant.
    pub meant: Option<(String, String)>,
}

impl Shape {
    /// Compiles the text of a schema.
    pub fn of(schema: &str) -> Self {
        let schema: Value = serde_json::from_str(schema).unwrap_or_default();
        let validator = jsonschema::validator_for(&schema).ok();
        Self { schema, validator }
    }

    /// Everything in which a value breaks the schema.
    pub fn violations(&self, yaml: &Yaml) -> Vec<Violation> {
        self.validator.as_ref().map(|validator| violations(validator, &self.schema, yaml)).unwrap_or_default()
    }
}

fn violations(validator: &Validator, schema: &Value, yaml: &Yaml) -> Vec<Violation> {
    let instance = yaml.to_json();
    let mut found = Vec::new();
    for error in validator.iter_errors(&instance) {
        let pointer = error.instance_path().to_string();
        let mut name = pointer.rsplit('/').next().unwrap_or_default().replace("~1", "/").replace("~0", "~");
        let parent = pointer.rfind('/').and_then(|at| yaml.pointer(&pointer[..at]));
        let here = yaml.pointer(&pointer).unwrap_or(yaml);
        // An item of a list is known by its name, or by its place as people count.
        let is_item = parent.is_some_and(|parent| matches!(parent.data, yaml::Data::List(_)));
        if is_item {
            let number = name.parse::<usize>().map_or(1, |at| at + 1);
            let list = pointer.rsplit('/').nth(1).unwrap_or_default();
            let own = here.get("name").and_then(Yaml::raw);
            name = own.map_or_else(|| format!("item {number} of {list}"), str::to_owned);
        }
        let example = example(schema, &error.schema_path().to_string());
        let mut say = |span: Range<usize>, message: String, help: Option<String>| {
            found.push(Violation { span, message, help, meant: None })
        };
        match error.kind() {
            ValidationErrorKind::AdditionalProperties { unexpected } => {
                let known = properties(schema, &error.schema_path().to_string());
                for key in unexpected {
                    let help = did_you_mean(key, known.iter().map(String::as_str)).map_or_else(
                        || (!known.is_empty()).then(|| format!("known keys: {}", known.join(", "))),
                        |meant| Some(format!("did you mean `{meant}`?")),
                    );
                    let meant = surely_meant(key, known.iter().map(String::as_str))
                        .map(|meant| (key.clone(), meant.to_owned()));
                    let message = format!("unknown key `{key}`");
                    found.push(Violation { span: here.key_span(key), message, help, meant });
                }
            }
            ValidationErrorKind::Required { property } => {
                let key = property.as_str().unwrap_or_default();
                let span = if pointer.is_empty() {
                    0..0
                } else if is_item {
                    let first = here.members().first().map(|(key, _)| key.name.as_str()).unwrap_or_default();
                    here.get("name").map_or(here.key_span(first), |name| name.span.clone())
                } else {
                    parent.map_or(here.span.clone(), |parent| parent.key_span(&name))
                };
                say(
                    span,
                    format!(
                        "`{key}` is missing{}",
                        if name.is_empty() { String::new() } else { format!(" in `{name}`") }
                    ),
                    example,
                );
            }
            ValidationErrorKind::Enum { options } => {
                let options: Vec<String> = options.as_array().into_iter().flatten().map(plain).collect();
                let given = plain(error.instance());
                let help = did_you_mean(&given, options.iter().map(String::as_str))
                    .map(|meant| format!("did you mean `{meant}`?"));
                say(
                    here.span.clone(),
                    format!("`{name}` is `{given}`; it must be one of {}", options.join(", ")),
                    help,
                );
            }
            ValidationErrorKind::Type { kind } => {
                let message = match (name.is_empty(), &here.data) {
                    (true, yaml::Data::Scalar { value: Value::Null, .. }) => {
                        format!("there is nothing here: it must be {}", kinds(kind))
                    }
                    (true, _) => format!("this must be {}", kinds(kind)),
                    (false, _) => format!("`{name}` must be {}", kinds(kind)),
                };
                say(here.span.clone(), message, example);
            }
            ValidationErrorKind::Constant { expected_value } => {
                say(here.span.clone(), format!("`{name}` must be {}", plain(expected_value)), None);
            }
            ValidationErrorKind::MinItems { .. } => {
                say(here.span.clone(), format!("`{name}` is an empty list, which nothing can be in"), None)
            }
            ValidationErrorKind::MinProperties { .. } => say(here.span.clone(), format!("`{name}` is empty"), None),
            ValidationErrorKind::AnyOf { .. }
                if here.items().is_empty() && matches!(here.data, yaml::Data::List(_)) =>
            {
                say(here.span.clone(), format!("`{name}` is an empty list, which nothing can be in"), None);
            }
            ValidationErrorKind::AnyOf { .. } => match repeated(here) {
                Some((text, span)) => say(span, format!("`{text}` is twice in `{name}`"), None),
                None => say(here.span.clone(), format!("`{name}` must be a value or a list of values"), None),
            },
            ValidationErrorKind::UniqueItems => match repeated(here) {
                Some((text, span)) => say(span, format!("`{text}` is twice in `{name}`"), None),
                None => say(here.span.clone(), format!("something is twice in `{name}`"), None),
            },
            _ => say(here.span.clone(), format!("`{name}`: {error}"), None),
        }
    }
    found
}

/// The first scalar of a list that stands in it before, and where it stands again.
fn repeated(list: &Yaml) -> Option<(&str, Range<usize>)> {
    let mut known = BTreeSet::new();
    list.items().iter().find_map(|item| item.raw().filter(|text| !known.insert(*text)).zip(Some(item.span.clone())))
}

/// The property names that a schema lists where `additionalProperties` failed.
fn properties(schema: &Value, schema_path: &str) -> Vec<String> {
    let at = schema_path.strip_suffix("/additionalProperties").unwrap_or(schema_path);
    let listed = schema.pointer(&format!("{at}/properties")).and_then(Value::as_object);
    listed.map(|names| names.keys().cloned().collect()).unwrap_or_default()
}

/// An example that the schema has where something failed.
fn example(schema: &Value, schema_path: &str) -> Option<String> {
    let at = schema_path.rfind('/').map_or("", |at| &schema_path[..at]);
    let text = schema.pointer(&format!("{at}/x-example")).and_then(Value::as_str)?;
    Some(format!("such as `{text}`"))
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn kinds(kind: &TypeKind) -> String {
    let word = |kind: String| match kind.as_str() {
        "string" => "text".to_owned(),
        "array" => "a list".to_owned(),
        "object" => "a map".to_owned(),
        "boolean" => "true or false".to_owned(),
        "integer" | "number" => "a number".to_owned(),
        other => other.to_owned(),
    };
    match kind {
        TypeKind::Single(kind) => word(kind.to_string()),
        TypeKind::Multiple(kinds) => kinds.iter().map(|kind| word(kind.to_string())).collect::<Vec<_>>().join(" or "),
    }
}
