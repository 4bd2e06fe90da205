//! Finds the YAML and the Markdown in the `//!` lines at the head of a policy's file, and validates YAML by a schema.

use std::ops::Range;
use std::sync::Arc;

use jsonschema::Validator;
use jsonschema::error::{TypeKind, ValidationErrorKind};
use serde_json::Value;

use crate::diagnostic::{Diagnostic, SourceText, did_you_mean};
use crate::yaml::{self, Yaml};

/// The head of a policy's file.
pub(super) struct FrontMatter {
    /// The YAML.
    pub(super) yaml: Yaml,
    /// The Markdown after it.
    pub(super) doc: String,
    /// From the YAML's lines to the file's: (byte offset in the YAML, byte offset in the file) of each line.
    lines: Vec<(usize, usize)>,
}

impl FrontMatter {
    /// Reads the head of a file.
    pub(super) fn read(source: &Arc<SourceText>) -> Result<Self, Diagnostic> {
        let mut text = String::new();
        let mut doc = String::new();
        let mut lines = Vec::new();
        let mut fences = 0;
        let mut at = 0;
        let mut opened = 0..0;
        for line in source.text.split_inclusive('\n') {
            let start = at;
            at += line.len();
            let content = line.trim_end();
            let Some(content) = content.strip_prefix("//!") else {
                if content.trim().is_empty() && fences == 0 {
                    continue;
                }
                break;
            };
            let (content, indent) = match content.strip_prefix(' ') {
                Some(content) => (content, 4),
                None => (content, 3),
            };
            if fences < 2 && content.trim_end() == "---" {
                fences += 1;
                opened = start..at;
            } else if fences == 1 {
                lines.push((text.len(), start + indent));
                text.push_str(content);
                text.push('\n');
            } else if fences == 2 {
                doc.push_str(content);
                doc.push('\n');
            } else {
                break;
            }
        }
        let missing = |span: Range<usize>, message: &str| {
            Err(Diagnostic::error("front-matter", source, span, message).help("begin the file with `//! ---`, then `//! title: …`, `//! severity: …`, `//! judges: …`, then `//! ---`"))
        };
        match fences {
            0 => return missing(0..0, "the policy has no front matter"),
            1 => return missing(opened, "the front matter is not closed by a second `//! ---`"),
            _ => {}
        }
        let mut head =
            Self { yaml: Yaml { data: yaml::Data::List(Vec::new()), span: 0..0 }, doc: doc.trim().to_owned(), lines };
        match yaml::parse(&text) {
            Ok(parsed) => {
                head.yaml = parsed;
                Ok(head)
            }
            Err(error) => Err(Diagnostic::error("front-matter", source, head.span(&error.span), error.message)),
        }
    }

    /// From a range of the YAML to the range of the file.
    pub(super) fn span(&self, range: &Range<usize>) -> Range<usize> {
        let place = |offset: usize| {
            let line = self.lines.partition_point(|(yaml, _)| *yaml <= offset).saturating_sub(1);
            self.lines.get(line).map_or(0, |(yaml, file)| file + offset - yaml)
        };
        let start = place(range.start);
        // The end of a block is the start of the next line: the last character is what counts.
        let end = if range.end > range.start { place(range.end - 1) + 1 } else { start };
        start..end.max(start)
    }
}

/// A remark on a YAML text that breaks a schema.
pub(super) struct Violation {
    pub(super) span: Range<usize>,
    pub(super) message: String,
    pub(super) help: Option<String>,
}

/// Everything in which a YAML value breaks a schema.
pub(super) fn violations(validator: &Validator, schema: &Value, yaml: &Yaml) -> Vec<Violation> {
    let instance = yaml.to_json();
    let mut found = Vec::new();
    for error in validator.iter_errors(&instance) {
        let pointer = error.instance_path().to_string();
        let name = pointer.rsplit('/').next().unwrap_or_default().replace("~1", "/").replace("~0", "~");
        let parent = pointer.rfind('/').and_then(|at| yaml.pointer(&pointer[..at]));
        let here = yaml.pointer(&pointer).unwrap_or(yaml);
        let mut say =
            |span: Range<usize>, message: String, help: Option<String>| found.push(Violation { span, message, help });
        match error.kind() {
            ValidationErrorKind::AdditionalProperties { unexpected } => {
                let known = properties(schema, &error.schema_path().to_string());
                for key in unexpected {
                    let help = did_you_mean(key, known.iter().map(String::as_str)).map_or_else(
                        || (!known.is_empty()).then(|| format!("known keys: {}", known.join(", "))),
                        |meant| Some(format!("did you mean `{meant}`?")),
                    );
                    say(here.key_span(key), format!("unknown key `{key}`"), help);
                }
            }
            ValidationErrorKind::Required { property } => {
                let key = property.as_str().unwrap_or_default();
                let span = if pointer.is_empty() {
                    0..0
                } else {
                    parent.map_or(here.span.clone(), |parent| parent.key_span(&name))
                };
                say(
                    span,
                    format!(
                        "`{key}` is missing{}",
                        if name.is_empty() { String::new() } else { format!(" in `{name}`") }
                    ),
                    None,
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
                say(here.span.clone(), format!("`{name}` must be {}", kinds(kind)), None);
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
            ValidationErrorKind::AnyOf { .. } => {
                say(here.span.clone(), format!("`{name}` must be a value or a list of values"), None)
            }
            _ => say(here.span.clone(), format!("`{name}`: {error}"), None),
        }
    }
    found
}

/// The property names that a schema lists where `additionalProperties` failed.
fn properties(schema: &Value, schema_path: &str) -> Vec<String> {
    let at = schema_path.strip_suffix("/additionalProperties").unwrap_or(schema_path);
    let listed = schema.pointer(&format!("{at}/properties")).and_then(Value::as_object);
    listed.map(|names| names.keys().cloned().collect()).unwrap_or_default()
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
