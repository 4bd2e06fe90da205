//! What users can set of a policy: typed parameters.

use serde_json::Value;

use crate::script::{Limits, parse_duration};
use crate::yaml::{Data, Yaml};

/// A parameter of a policy.
#[derive(Clone, Debug, PartialEq)]
pub struct Param {
    /// Its name.
    pub name: String,
    /// What it takes.
    pub kind: ParamKind,
    /// What it is unless somebody sets it, as scripts see it.
    pub default: Value,
    /// What it is for.
    pub doc: String,
}

/// What a parameter takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParamKind {
    /// A text; a number or boolean is taken as it is spelt.
    Text,
    /// A whole number.
    Int,
    /// A number.
    Number,
    /// `true` or `false`.
    Bool,
    /// Such as `15m` or `14d`; scripts see seconds.
    Duration,
    /// A list of one kind.
    List(Box<ParamKind>),
    /// A map of anything.
    Map,
}

impl ParamKind {
    /// The kind of that word.
    pub(super) fn from_word(word: &str, of: Option<&str>) -> Option<Self> {
        Some(match word {
            "text" => Self::Text,
            "int" => Self::Int,
            "number" => Self::Number,
            "bool" => Self::Bool,
            "duration" => Self::Duration,
            "list" => Self::List(Box::new(Self::from_word(of.unwrap_or("text"), None)?)),
            "map" => Self::Map,
            _ => return None,
        })
    }

    /// The words for it.
    pub fn describe(&self) -> String {
        match self {
            Self::Text => "text".into(),
            Self::Int => "int".into(),
            Self::Number => "number".into(),
            Self::Bool => "bool".into(),
            Self::Duration => "duration".into(),
            Self::List(of) => format!("list of {}", of.describe()),
            Self::Map => "map".into(),
        }
    }

    /// The value as scripts see it.
    ///
    /// # Errors
    /// What was expected and what was found, if it is of another kind or larger than what scripts may hold.
    pub fn accept(&self, yaml: &Yaml) -> Result<Value, String> {
        let value = self.take(yaml)?;
        too_large(&value, &Limits::default()).map_or(Ok(value), Err)
    }

    fn take(&self, yaml: &Yaml) -> Result<Value, String> {
        let json = yaml.to_json();
        let mismatch =
            || Err(format!("expected {}, found `{}`", self.describe(), crate::fault::printable(&json.to_string(), 60)));
        match (self, &yaml.data) {
            (Self::Text, Data::Scalar { raw, value }) if !value.is_null() => Ok(raw.clone().into()),
            (Self::Int, Data::Scalar { value, .. }) if value.is_i64() => Ok(json),
            (Self::Number, Data::Scalar { value, .. }) if value.is_number() => Ok(json),
            (Self::Bool, Data::Scalar { value, .. }) if value.is_boolean() => Ok(json),
            (Self::Duration, Data::Scalar { raw, .. }) => match parse_duration(raw) {
                Some(seconds) => Ok(seconds.into()),
                None => Err(format!(
                    "expected a duration such as `15m` or `14d`, found `{}`",
                    crate::fault::printable(raw, 60)
                )),
            },
            (Self::List(of), Data::List(items)) => items.iter().map(|item| of.take(item)).collect(),
            (Self::Map, Data::Map(_)) => Ok(json),
            _ => mismatch(),
        }
    }
}

/// What of a value no script can hold, if there is such.
fn too_large(value: &Value, limits: &Limits) -> Option<String> {
    match value {
        Value::String(text) if text.len() > limits.text => Some(format!("a text has at most {} bytes", limits.text)),
        Value::Array(items) if items.len() > limits.list => Some(format!("a list has at most {} items", limits.list)),
        Value::Object(members) if members.len() > limits.map => {
            Some(format!("a map has at most {} members", limits.map))
        }
        Value::Array(items) => items.iter().find_map(|item| too_large(item, limits)),
        Value::Object(members) => members.values().find_map(|member| too_large(member, limits)),
        _ => None,
    }
}
