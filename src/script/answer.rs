//! What is proved of the hooks beside `matches`: answers that are put together without Rhai.
//!
//! *Soundness*: an [`Answer`] gives over a record what the script answers, without a fault, or nothing; then the script is
//! asked.

use serde_json::Value as Json;

use super::predicate::{Asked, DEEPEST, Expr, Room, Source, Value};
use crate::inventory::Inventory;
use crate::record::{Record, Ref};

/// How a hook's answer is made of a record.
#[derive(Debug)]
pub struct Answer {
    pub(super) shape: Shape,
    /// The paths from the record's root that it names.
    pub(super) paths: Vec<Vec<String>>,
}

/// An answer, and what it is made of.
#[derive(Clone, Debug)]
pub(super) enum Shape {
    Value(Expr),
    List(Vec<Shape>),
    /// Its members by name, in the order in which JSON is written of them elsewhere.
    Map(Vec<(String, Shape)>),
}

/// A record with the place that it is of, and what scripts look things up in.
pub(super) struct Whole<'a> {
    pub(super) record: &'a Record,
    pub(super) inventory: &'a Inventory,
}

impl Source for Whole<'_> {
    fn field(&self, _: usize, path: &[String]) -> Option<Value<'_>> {
        let value = path.iter().try_fold(self.record.value.view(), |value, name| value.get(name));
        Some(Value::of_field(value))
    }

    fn scope(&self) -> [Option<&str>; 2] {
        [self.record.scope.account.as_deref(), self.record.scope.region.as_deref()]
    }

    fn unplaced(&self) -> Option<Ref<'_>> {
        Some(self.record.value.view())
    }

    fn finds_none(&self, kind: &str, key: &str, value: &str) -> bool {
        self.inventory.finds_none(kind, key, value)
    }
}

impl Answer {
    /// The answer over a record, as far as its fields are known; `None` if only the script can tell.
    pub fn of(&self, source: &(impl Source + ?Sized)) -> Option<Json> {
        self.shape.of(&Asked::new(source, &self.paths), &mut { Room::OF_ANSWER })
    }

    /// Appends the answer as JSON; `None`, and perhaps a part of it, if only the script can tell. How large it may be is for
    /// whoever asks to say: what is kept of hits is small.
    pub fn write(&self, source: &(impl Source + ?Sized), into: &mut Vec<u8>) -> Option<()> {
        self.shape.write(&Asked::new(source, &self.paths), into)
    }

    /// Whether it is a list or a map that is made of parts.
    pub fn is_made(&self) -> bool {
        !matches!(self.shape, Shape::Value(_))
    }

    /// Whether it is a map that has so many levels at most, itself and what its parts come to counted.
    pub fn is_map_within(&self, levels: usize) -> bool {
        matches!(self.shape, Shape::Map(_)) && self.shape.levels() + DEEPEST <= levels
    }

    /// The paths that it names, by number.
    pub fn paths(&self) -> &[Vec<String>] {
        &self.paths
    }
}

impl Shape {
    fn of<'q>(&'q self, asked: &Asked<'q, impl Source + ?Sized>, room: &mut Room) -> Option<Json> {
        Some(match self {
            Self::Value(expr) => {
                let value = asked.value(expr)?;
                if !room.takes(&value) {
                    return None;
                }
                value.to_json()?
            }
            Self::List(items) => items.iter().map(|item| item.of(asked, room)).collect::<Option<_>>()?,
            Self::Map(members) => {
                let members = members.iter().map(|(name, shape)| Some((name.clone(), shape.of(asked, room)?)));
                Json::Object(members.collect::<Option<_>>()?)
            }
        })
    }

    fn write<'q>(&'q self, asked: &Asked<'q, impl Source + ?Sized>, into: &mut Vec<u8>) -> Option<()> {
        match self {
            Self::Value(expr) => match asked.value(expr)? {
                Value::Unit => into.extend_from_slice(b"null"),
                Value::Bool(flag) => into.extend_from_slice(if flag { b"true" } else { b"false" }),
                Value::Text(text) => serde_json::to_writer(into, &*text).ok()?,
                other => serde_json::to_writer(into, &other.to_json()?).ok()?,
            },
            Self::List(items) => {
                into.push(b'[');
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        into.push(b',');
                    }
                    item.write(asked, into)?;
                }
                into.push(b']');
            }
            Self::Map(members) => {
                into.push(b'{');
                for (at, (name, shape)) in members.iter().enumerate() {
                    if at > 0 {
                        into.push(b',');
                    }
                    serde_json::to_writer(&mut *into, name).ok()?;
                    into.push(b':');
                    shape.write(asked, into)?;
                }
                into.push(b'}');
            }
        }
        Some(())
    }

    /// The same as an expression, to be reckoned with.
    pub(super) fn expr(self) -> Expr {
        match self {
            Self::Value(expr) => expr,
            Self::List(items) => Expr::List(items.into_iter().map(Self::expr).collect()),
            Self::Map(members) => {
                let (names, parts): (Vec<Box<str>>, _) =
                    members.into_iter().map(|(name, shape)| (name.into(), shape.expr())).unzip();
                Expr::Map(names.into(), parts)
            }
        }
    }

    /// True if a part of it can be told by the script alone, whatever the record is.
    pub(super) fn is_unknown(&self) -> bool {
        match self {
            Self::Value(expr) => matches!(expr, Expr::Unknown(_)),
            Self::List(items) => items.iter().any(Self::is_unknown),
            Self::Map(members) => members.iter().any(|(_, shape)| shape.is_unknown()),
        }
    }

    /// Lists and maps within each other that it is made of.
    fn levels(&self) -> usize {
        let within = match self {
            Self::Value(_) => return 0,
            Self::List(items) => items.iter().map(Self::levels).max(),
            Self::Map(members) => members.iter().map(|(_, shape)| shape.levels()).max(),
        };
        1 + within.unwrap_or_default()
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
