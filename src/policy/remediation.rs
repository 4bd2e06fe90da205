//! Fills the remediation of a policy with a finding's own ids, so that nothing in them can run.
//!
//! *Law*: a placeholder is a whole shell word, or what a shell variable is given, or a whole Python expression, and never
//! stands inside of quotes; what fills it comes from logs, which attackers write, so it is quoted here, and what no quoting makes safe (a value that
//! would be read as an option, control characters in a command) leaves the form out.

use std::ops::Range;
use std::sync::Arc;

use serde_json::Value;

use crate::fault::printable;
use crate::finding::{Commands, LeftOut, Remediation};

/// The remediation that a policy has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Forms {
    /// What it costs or breaks.
    pub impact: Option<Template>,
    /// Steps in the AWS Management Console.
    pub console: Option<Template>,
    /// Commands of the AWS CLI.
    pub cli: Option<Template>,
    /// Python with boto3.
    pub python: Option<Template>,
    /// How to see that what was found is no more.
    pub verify: Scripts,
    /// The way back.
    pub undo: Scripts,
    /// Policies whose remediation comes before this one's, where both are to be done.
    pub after: Arc<[String]>,
    /// Members of `context` with the ids of what its commands change; if there are none, that is what findings are about.
    pub touches: Arc<[String]>,
}

/// The same in two languages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scripts {
    /// Commands of the AWS CLI.
    pub cli: Option<Template>,
    /// Python with boto3.
    pub python: Option<Template>,
}

/// A text with placeholders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// As it was written.
    pub text: String,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Placeholder(String),
}

/// What stands before several commands.
pub(crate) const FRAME: &str = "(\nset -euo pipefail; export AWS_PAGER=\n";

/// What a text is, which says how it is quoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    Plain,
    Shell,
    Python,
}

impl Template {
    /// Reads a text with `${name}` placeholders.
    ///
    /// # Errors
    /// The byte range in the text of every placeholder that is wrong, and what is wrong with it.
    pub(super) fn parse(text: &str, language: Language) -> Result<Self, Vec<(Range<usize>, String)>> {
        let mut parts = Vec::new();
        let mut mistakes = Vec::new();
        let mut rest = 0;
        while let Some(found) = text[rest..].find("${") {
            let start = rest + found;
            let Some(length) = text[start..].find('}') else {
                mistakes.push((start..start + 2, "a placeholder is not closed by `}`".to_owned()));
                break;
            };
            let end = start + length + 1;
            let name = &text[start + 2..end - 1];
            let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            if !is_name {
                mistakes.push((start..end, format!("`{name}` is not a name that `context` can fill")));
            } else if let Err(message) = stands_alone(text, start..end, language) {
                mistakes.push((start..end, message));
            }
            parts.push(Part::Text(text[rest..start].to_owned()));
            parts.push(Part::Placeholder(name.to_owned()));
            rest = end;
        }
        parts.push(Part::Text(text[rest..].to_owned()));
        if mistakes.is_empty() { Ok(Self { text: text.to_owned(), parts }) } else { Err(mistakes) }
    }

    /// The names of its placeholders.
    pub fn placeholders(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Placeholder(name) => Some(name.as_str()),
            Part::Text(_) => None,
        })
    }

    /// The text with its placeholders filled for people to read; what is not known is written as `(unknown)`.
    pub(crate) fn fill_title(&self, context: &Value) -> String {
        let shown = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Placeholder(name) => match context.get(name) {
                None | Some(Value::Null) => "(unknown)".to_owned(),
                Some(value) => plain(value),
            },
        };
        self.parts.iter().map(shown).collect()
    }

    fn fill(&self, context: &Value, language: Language) -> Result<String, String> {
        let mut out = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Placeholder(name) => match context.get(name) {
                    None | Some(Value::Null) => return Err(format!("`{name}` is not known")),
                    Some(value) => {
                        out.push_str(&quote(value, language).map_err(|reason| format!("`{name}` {reason}"))?)
                    }
                },
            }
        }
        let out = out.trim_end();
        if language == Language::Shell && out.contains('\n') {
            // Several commands that somebody pastes: none runs after one that failed, `exit` ends these
            // alone, and no pager waits for a key.
            return Ok(format!("{FRAME}{out}\n)"));
        }
        Ok(out.to_owned())
    }
}

impl Forms {
    /// Its texts that are there, with where each stands in the front matter below `remediation`.
    pub fn templates(&self) -> impl Iterator<Item = (&'static str, &Template)> {
        let Self { impact, console, cli, python, verify, undo, after: _, touches: _ } = self;
        let of = [impact, console, cli, python, &verify.cli, &verify.python, &undo.cli, &undo.python];
        FORMS.iter().zip(of).filter_map(|((name, _), template)| Some((*name, template.as_ref()?)))
    }

    /// The forms that `template` gives, by their names in [`FORMS`].
    pub(super) fn of(
        mut template: impl FnMut(&'static str, Language) -> Option<Template>,
        [after, touches]: [Arc<[String]>; 2],
    ) -> Self {
        let [impact, console, cli, python, verify_cli, verify_python, undo_cli, undo_python] =
            FORMS.map(|(name, language)| template(name, language));
        let verify = Scripts { cli: verify_cli, python: verify_python };
        let undo = Scripts { cli: undo_cli, python: undo_python };
        Self { impact, console, cli, python, verify, undo, after, touches }
    }

    /// The remediation of one finding, by what `context` answered.
    pub(crate) fn fill(&self, context: &Value) -> Remediation {
        let mut left_out = Vec::new();
        let mut fill = |form: usize, template: &Option<Template>| {
            let (form, language) = FORMS[form];
            match template.as_ref()?.fill(context, language) {
                Ok(text) => Some(text),
                Err(reason) => {
                    left_out.push(LeftOut { form: form.into(), reason });
                    None
                }
            }
        };
        let impact = fill(0, &self.impact);
        let (console, cli, python) = (fill(1, &self.console), fill(2, &self.cli), fill(3, &self.python));
        let verify = Commands { cli: fill(4, &self.verify.cli), python: fill(5, &self.verify.python) };
        let undo = Commands { cli: fill(6, &self.undo.cli), python: fill(7, &self.undo.python) };
        Remediation { impact, console, cli, python, verify, undo, after: Arc::clone(&self.after), left_out }
    }
}

/// The texts of a remediation: where each stands in the front matter, and what it is.
const FORMS: [(&str, Language); 8] = [
    ("impact", Language::Plain),
    ("console", Language::Plain),
    ("cli", Language::Shell),
    ("python", Language::Python),
    ("verify.cli", Language::Shell),
    ("verify.python", Language::Python),
    ("undo.cli", Language::Shell),
    ("undo.python", Language::Python),
];

/// Refuses a placeholder that quoting could not make one word or one expression.
fn stands_alone(text: &str, at: Range<usize>, language: Language) -> Result<(), String> {
    if language == Language::Plain {
        return Ok(());
    }
    let line_start = text[..at.start].rfind('\n').map_or(0, |at| at + 1);
    let mut quote = None;
    for letter in text[line_start..at.start].chars() {
        match quote {
            Some(open) if letter == open => quote = None,
            None if matches!(letter, '"' | '\'' | '`') => quote = Some(letter),
            _ => {}
        }
    }
    if quote.is_some() {
        return Err("a placeholder inside of quotes: it is quoted when it is filled".to_owned());
    }
    let before = text[..at.start].chars().next_back();
    let after = text[at.end..].chars().next();
    let blank = |letter: Option<char>| letter.is_none_or(char::is_whitespace);
    let alone = match language {
        Language::Shell => {
            (blank(before) || is_assigned(&text[line_start..at.start]))
                && (blank(after) || matches!(after, Some(';' | ')' | '|' | '&')))
        }
        _ => {
            (blank(before) || matches!(before, Some('(' | '[' | '{' | ',' | '=' | ':')))
                && (blank(after) || matches!(after, Some(')' | ']' | '}' | ',' | ':' | '.' | '[')))
        }
    };
    if alone {
        Ok(())
    } else if language == Language::Shell {
        Err("a placeholder must be a whole word of the command".to_owned())
    } else {
        Err("a placeholder must be a whole expression".to_owned())
    }
}

/// True for the head of a line that gives its value to a variable: `volume=`.
fn is_assigned(head: &str) -> bool {
    let name = head.trim_start().strip_suffix('=');
    name.is_some_and(|name| {
        name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
            && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    })
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => printable(text, 500),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        other => printable(&other.to_string(), 500),
    }
}

fn quote(value: &Value, language: Language) -> Result<String, String> {
    match (language, value) {
        (Language::Plain, _) => Ok(plain(value)),
        (Language::Shell, Value::Array(items)) if items.is_empty() => Err("is empty".to_owned()),
        (Language::Shell, Value::Array(items)) => {
            items.iter().map(|item| quote(item, language)).collect::<Result<Vec<_>, _>>().map(|words| words.join(" "))
        }
        (Language::Shell, Value::String(text)) => shell_word(text),
        (Language::Shell, other) => shell_word(&other.to_string()),
        (Language::Python, value) => Ok(python(value)),
    }
}

fn shell_word(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Err("is empty".to_owned());
    }
    if text.starts_with('-') {
        return Err("begins with `-`, which the command would read as an option".to_owned());
    }
    if text.starts_with("file://")
        || text.starts_with("fileb://")
        || text.starts_with("http://")
        || text.starts_with("https://")
    {
        return Err("is an address that the AWS CLI would read from".to_owned());
    }
    if text.chars().any(char::is_control) || printable(text, usize::MAX) != text {
        return Err("holds control characters".to_owned());
    }
    if text.chars().all(|c| c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c)) {
        return Ok(text.to_owned());
    }
    Ok(format!("'{}'", text.replace('\'', r"'\''")))
}

fn python(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(flag) => if *flag { "True" } else { "False" }.to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => {
            let mut out = String::from("\"");
            for letter in text.chars() {
                match letter {
                    '"' => out.push_str("\\\""),
                    '\\' => out.push_str("\\\\"),
                    ' '..='~' => out.push(letter),
                    other => out.push_str(&format!("\\U{:08x}", u32::from(other))),
                }
            }
            out.push('"');
            out
        }
        Value::Array(items) => format!("[{}]", items.iter().map(python).collect::<Vec<_>>().join(", ")),
        Value::Object(members) => {
            let members: Vec<String> = members
                .iter()
                .map(|(key, value)| format!("{}: {}", python(&key.as_str().into()), python(value)))
                .collect();
            format!("{{{}}}", members.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_attackers_write_stays_one_word_or_one_expression() {
        let cli = Template::parse("aws x --id ${id} --names ${names}", Language::Shell).unwrap();
        let fill = |id: Value| cli.fill(&json!({ "id": id, "names": ["a", "b c"] }), Language::Shell);
        assert_eq!(fill(json!("eipalloc-1")).unwrap(), "aws x --id eipalloc-1 --names a 'b c'");
        assert_eq!(fill(json!("$(rm -rf ~)'; rm")).unwrap(), r"aws x --id '$(rm -rf ~)'\''; rm' --names a 'b c'");
        for bad in ["--profile", "a\nb", "", "file:///etc/passwd", "a\u{202e}b"] {
            assert!(fill(json!(bad)).is_err(), "{bad:?}");
        }
        assert!(fill(Value::Null).unwrap_err().contains("`id` is not known"));
        let python = Template::parse("f(Id=${id})", Language::Python).unwrap();
        assert_eq!(
            python.fill(&json!({ "id": "\"); x(\"é\n" }), Language::Python).unwrap(),
            r#"f(Id="\"); x(\"\U000000e9\U0000000a")"#
        );
    }

    #[test]
    fn several_commands_end_with_the_first_that_fails_and_leave_the_shell_as_it_was() {
        let fill = |text: &str| {
            Template::parse(text, Language::Shell).unwrap().fill(&json!({ "id": "a" }), Language::Shell).unwrap()
        };
        assert_eq!(fill("aws x ${id}\n"), "aws x a");
        assert_eq!(fill("x=${id}\naws $x\n"), "(\nset -euo pipefail; export AWS_PAGER=\nx=a\naws $x\n)");
    }

    #[test]
    fn a_placeholder_is_a_whole_word() {
        for (text, language) in [
            ("aws x --id '${id}'", Language::Shell),
            ("aws x --id \"a ${id}\"", Language::Shell),
            ("aws x --id=${id}", Language::Shell),
            ("aws x a${id}", Language::Shell),
            ("aws x=${id}", Language::Shell),
            ("X=${id}", Language::Shell),
            ("f(\"${id}\")", Language::Python),
            ("f(x${id})", Language::Python),
            ("f(${id", Language::Python),
            ("f(${a.b})", Language::Python),
        ] {
            assert!(Template::parse(text, language).is_err(), "{text}");
        }
        assert!(Template::parse("  id=${id}; aws \"$id\"", Language::Shell).is_ok());
        assert!(Template::parse("it's ${id} and '${id}'", Language::Plain).is_ok());
    }
}
