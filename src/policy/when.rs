//! What a record must be for a policy to be asked at all.

use std::fmt;

use crate::fault::printable;
use crate::record::Ref;

/// The conditions of a policy's `when`: all of them must hold. Empty, it admits every record.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct When {
    /// In the order of the text.
    pub conditions: Vec<Condition>,
}

/// One condition: a path and the values that it may have.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Condition {
    /// The member names to follow, through objects only.
    pub path: Vec<String>,
    /// A value that is enough: the text of a scalar, or `None` for absent or null.
    pub any_of: Vec<Option<String>>,
}

impl When {
    /// True if the record may be judged.
    pub fn admits(&self, record: Ref<'_>) -> bool {
        self.conditions.iter().all(|condition| condition.holds(record))
    }
}

impl Condition {
    pub(crate) fn holds(&self, record: Ref<'_>) -> bool {
        let value = self.path.iter().try_fold(record, |value, key| value.get(key)).filter(|value| !value.is_null());
        match value {
            None => self.any_of.contains(&None),
            // A number has many spellings, and the record's own is not kept.
            Some(value) if value.as_f64().is_some() => {
                let equals = |wanted: &String| {
                    value.scalar_text().as_deref() == Some(wanted) || wanted.parse().ok() == value.as_f64()
                };
                self.any_of.iter().flatten().any(equals)
            }
            Some(value) => value
                .scalar_text()
                .is_some_and(|text| self.any_of.iter().any(|wanted| wanted.as_deref() == Some(&text))),
        }
    }
}

impl Condition {
    /// What a record has in the place of what is wanted, in a few words.
    pub fn found(&self, record: Ref<'_>) -> String {
        let value = self.path.iter().try_fold(record, |value, key| value.get(key)).filter(|value| !value.is_null());
        match value {
            None => "nothing".to_owned(),
            Some(value) => match value.scalar_text() {
                Some(text) => format!("`{}`", printable(&text, 100)),
                None => "no scalar".to_owned(),
            },
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values: Vec<&str> = self.any_of.iter().map(|value| value.as_deref().unwrap_or("(absent)")).collect();
        write!(f, "{} = {}", show_path(&self.path), values.join(" | "))
    }
}

/// A path as it is written.
pub(crate) fn show_path(path: &[String]) -> String {
    let step = |step: &String| if step.contains('.') { format!("{step:?}") } else { step.clone() };
    path.iter().map(step).collect::<Vec<_>>().join(".")
}

/// The member names of a dotted path; a name in double quotes may hold dots.
pub(crate) fn parse_path(text: &str) -> Result<Vec<String>, &'static str> {
    let mut path = Vec::new();
    let mut rest = text;
    loop {
        let (step, after) = if let Some(quoted) = rest.strip_prefix('"') {
            quoted.split_once('"').ok_or("a quote is not closed")?
        } else {
            let end = rest.find('.').unwrap_or(rest.len());
            (&rest[..end], &rest[end..])
        };
        if step.is_empty() {
            return Err("a name is empty");
        }
        path.push(step.to_owned());
        match after.strip_prefix('.') {
            Some(next) => rest = next,
            None if after.is_empty() => return Ok(path),
            None => return Err("expected a dot after a quoted name"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Document;

    #[test]
    fn a_scalar_equals_a_scalar_of_the_same_text() {
        let document = Document::parse(br#"{"a":{"b.c":"false","n":12,"t":true,"z":null},"s":"x"}"#).unwrap();
        let holds = |path: &str, value: Option<&str>| {
            Condition { path: parse_path(path).unwrap(), any_of: vec![value.map(str::to_owned)] }.holds(document.root())
        };
        assert!(holds("a.\"b.c\"", Some("false")));
        assert!(holds("a.n", Some("12")) && holds("a.t", Some("true")) && holds("s", Some("x")));
        assert!(holds("a.z", None) && holds("a.nope", None) && holds("s.deeper", None));
        assert!(
            holds("a.n", Some("12.0"))
                && holds("a.n", Some("1.2e1"))
                && !holds("a.n", Some("13"))
                && !holds("s", Some("12"))
        );
        assert!(!holds("s", None) && !holds("s", Some("X")) && !holds("a", Some("x")) && !holds("a.z", Some("null")));
        assert!(
            parse_path("a..b").is_err()
                && parse_path("").is_err()
                && parse_path("\"a").is_err()
                && parse_path("\"a\"b").is_err()
        );
    }
}
