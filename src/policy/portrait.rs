//! What is told of a policy wherever it is shown whole: in a terminal and on its page.

use serde_json::Value;

use super::window::span;
use super::{Param, ParamKind, Policy};
use crate::finding::Severity;
use crate::script::syntax::Tokens;

/// Something that a policy's front matter says, by a word of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// The word, in lower case.
    pub label: &'static str,
    /// What it says; nothing, where nothing is said.
    pub values: Vec<String>,
}

/// A text of a remediation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instruction<'p> {
    /// What it is.
    pub title: &'static str,
    /// The language that it is written in, by the word of Markdown's fences.
    pub language: &'static str,
    /// The text, with its placeholders.
    pub text: &'p str,
}

impl Policy {
    /// The severity of its findings, unless its hook says otherwise.
    pub fn usual_severity(&self) -> Severity {
        self.severity.unwrap_or(self.header.severity)
    }

    /// Whether its hook decides about the severity of a finding.
    pub fn moves_severity(&self) -> bool {
        self.severity.is_none() && self.script.hooks.contains("severity")
    }

    /// The function that decides about the severity of a finding, as it is written.
    pub fn severity_code(&self) -> Option<&str> {
        let text = &self.script.source.text;
        let tokens = Tokens::of(text);
        let all = tokens.within(&(0..text.len()));
        let is = |token: &std::ops::Range<usize>, word: &str| text.get(token.clone()) == Some(word);
        let pair = all.windows(2).find(|pair| is(&pair[0], "fn") && is(&pair[1], "severity"))?;
        let params = tokens.after(pair[1].start)?;
        let body = tokens.from(tokens.close(params.start)?)?;
        text.get(pair[0].start..tokens.close(body.start)?).filter(|_| self.moves_severity())
    }

    /// What its front matter says in a word or a few, in the order of reading.
    pub fn facts(&self) -> Vec<Fact> {
        let header = &self.header;
        let severity = match (self.severity, self.moves_severity()) {
            (Some(set), _) if set != header.severity => {
                format!("{} (of itself {})", set.word(), header.severity.word())
            }
            (_, true) => format!("{}, unless `fn severity` says otherwise", header.severity.word()),
            _ => header.severity.word().to_owned(),
        };
        let window = header.window.as_ref().map(ToString::to_string);
        [
            ("severity", vec![severity]),
            ("judges", vec![header.judges.to_string()]),
            ("window", window.into_iter().collect()),
            ("uses", header.uses.clone()),
            ("needs", header.needs.clone()),
            ("tags", header.tags.to_vec()),
            ("formerly", header.formerly.clone()),
        ]
        .map(|(label, values)| Fact { label, values })
        .into()
    }

    /// What can be done about its findings, in the order of reading.
    pub fn instructions(&self) -> Vec<Instruction<'_>> {
        let told = |form: &str| match form {
            "impact" => ("Impact", "text"),
            "console" => ("Console", "text"),
            "cli" => ("AWS CLI", "sh"),
            "python" => ("Python", "python"),
            "verify.cli" => ("Verify, AWS CLI", "sh"),
            "verify.python" => ("Verify, Python", "python"),
            "undo.cli" => ("Undo, AWS CLI", "sh"),
            _ => ("Undo, Python", "python"),
        };
        let forms = self.header.remediation.templates();
        forms
            .map(|(form, template)| {
                let (title, language) = told(form);
                Instruction { title, language, text: template.text.trim_end() }
            })
            .collect()
    }
}

impl Param {
    /// A value of it as people write it, in YAML.
    pub fn show(&self, value: &Value) -> String {
        shown(&self.kind, value)
    }
}

fn shown(kind: &ParamKind, value: &Value) -> String {
    match (kind, value) {
        (ParamKind::Duration, Value::Number(seconds)) => seconds.as_i64().map_or_else(|| seconds.to_string(), span),
        (ParamKind::List(of), Value::Array(items)) => {
            format!("[{}]", items.iter().map(|item| shown(of, item)).collect::<Vec<_>>().join(", "))
        }
        _ => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use crate::policy::{Overrides, Pack};
    use crate::script::Limits;

    #[test]
    fn what_moves_the_severity_is_shown_as_it_is_written() {
        let head = "//! ---\n//! title: T\n//! severity: low\n//! judges: cloudtrail\n//! params: { pause: { type: duration, default: 90m, doc: D }, far: { type: list, of: duration, default: [1d, 30s], doc: D } }\n//! ---\n";
        let load = |script: &str, overrides: &Overrides| {
            Pack::from_text("p", &format!("{head}{script}")).load(overrides, &Limits::default()).unwrap()
        };
        let set = |name: &str| {
            let mut overrides = Overrides::default();
            overrides.set_param(name).unwrap();
            overrides
        };
        let code = "fn severity(event) { if is_console(event) { \"high\" } else { \"{\" } }";
        let script = format!(
            "// fn severity(x) {{}}\nfn matches(event) {{ succeeded(event) && params.pause > 1 && params.far.len() > 0 }}\n{code}\n"
        );
        let packs = load(&script.replace("\"{\"", "\"low\""), &set("p.pause=2h"));
        let policy = packs.get("p").unwrap();
        assert_eq!(policy.severity_code(), Some(code.replace("\"{\"", "\"low\"").as_str()));
        assert_eq!(policy.facts()[0].values, ["low, unless `fn severity` says otherwise"]);
        let shown: Vec<String> = policy.header.params.iter().map(|param| param.show(&param.default)).collect();
        assert_eq!(shown, ["1h30m", "[1d, 30s]"]);
        assert_eq!(policy.header.params[0].show(&policy.script.params["pause"]), "2h");

        let packs = load(
            "fn matches(event) { succeeded(event) }\nfn title(event) { `fn severity(${event.eventName}) {}` }",
            &set("p.pause=1h"),
        );
        let policy = packs.get("p").unwrap();
        assert_eq!((policy.severity_code(), policy.facts()[0].values[0].as_str()), (None, "low"));
    }
}
