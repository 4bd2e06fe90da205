//! What is proved of the hooks beside `matches`: answers that are put together without Rhai.
//!
//! *Soundness*: an [`Answer`] gives over a record what the script answers, without a fault, or nothing; then the script is
//! asked.

use serde_json::Value as Json;

use super::predicate::{Asked, Expr, Source, Value};
use crate::record::{Record, Scope};

/// How a hook's answer is made of a record.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) shape: Shape,
    /// The paths from the record's root that it names.
    pub(super) paths: Vec<Vec<String>>,
}

/// An answer, and what it is made of.
#[derive(Clone, Debug)]
pub(super) enum Shape {
    Value(Expr),
    List(Vec<Shape>),
    Map(Vec<(String, Shape)>),
}

/// A record with the place that it is of.
impl Source for Record {
    fn field(&self, _: usize, path: &[String]) -> Option<Value<'_>> {
        let value = path.iter().try_fold(self.value.view(), |value, name| value.get(name));
        Some(Value::of_field(value))
    }

    fn scope(&self) -> Option<&Scope> {
        Some(&self.scope)
    }
}

impl Answer {
    /// The answer over a record; `None` if only the script can tell.
    pub(super) fn of(&self, record: &Record) -> Option<Json> {
        self.shape.of(&Asked { source: record, paths: &self.paths })
    }
}

impl Shape {
    fn of(&self, asked: &Asked<'_, Record>) -> Option<Json> {
        Some(match self {
            Self::Value(expr) => match asked.value(expr)? {
                Value::Unit => Json::Null,
                Value::Bool(flag) => flag.into(),
                Value::Int(number) => number.into(),
                Value::Text(text) => text.into_owned().into(),
                Value::Part(part) => part.to_json(),
                Value::Other => return None,
            },
            Self::List(items) => items.iter().map(|item| item.of(asked)).collect::<Option<_>>()?,
            Self::Map(members) => {
                let members = members.iter().map(|(name, shape)| Some((name.clone(), shape.of(asked)?)));
                Json::Object(members.collect::<Option<_>>()?)
            }
        })
    }

    /// True if a part of it can be told by the script alone, whatever the record is.
    pub(super) fn is_unknown(&self) -> bool {
        match self {
            Self::Value(expr) => matches!(expr, Expr::Unknown(_)),
            Self::List(items) => items.iter().any(Self::is_unknown),
            Self::Map(members) => members.iter().any(|(_, shape)| shape.is_unknown()),
        }
    }

    /// How many expressions it is made of.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Value(expr) => expr.size(),
            Self::List(items) => items.iter().map(Self::size).sum(),
            Self::Map(members) => members.iter().map(|(_, shape)| shape.size()).sum(),
        }
    }
}
