//! What a hook reads of a record, calls and compares, read from the tree without running it.
//!
//! Functions of the policy, its libraries and the prelude are followed with what they are given, so it makes no
//! difference how a value is called or how far it is passed on. *Law*: what is not understood is [`Value::Unknown`] and
//! [`Test::Unknown`]; what is told is so, and where something was left out [`Reading::is_complete`] says that.

mod answer;
mod evaluate;
mod expressions;
mod host;
mod statements;

use serde_json::Value as Json;

pub use self::evaluate::{read, read_of_hits};
use super::syntax::Span;

/// What a hook does.
#[derive(Debug, Default)]
pub struct Reading {
    /// Every step into a record, an inventory or what a function makes of them, once for each place.
    pub reads: Vec<Read>,
    /// Every step into a map of the script's own, and what it misses there.
    pub members: Vec<(Place, Option<Missing>)>,
    /// Every step to a member of what has none, by name, and what that is: a list of the script's own, or a number.
    pub of_none: Vec<(Place, String, &'static str)>,
    /// Every call of a function that is not followed.
    pub calls: Vec<Called>,
    /// Every comparison, whatever becomes of it.
    pub comparisons: Vec<Comparison>,
    /// What it answers.
    pub answer: Value,
    /// False if something was left out, or given to what may do anything with it.
    pub is_complete: bool,
}

/// Where something stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The number of the file: 0 is the policy's, then its libraries', then the prelude.
    pub file: usize,
    /// In that file.
    pub span: Span,
    /// In the policy's file: the same, or the call that led there.
    pub site: Span,
}

/// A step into something.
#[derive(Clone, Debug, PartialEq)]
pub struct Read {
    /// Up to and with the step.
    pub path: Path,
    /// Where the name of the step stands.
    pub place: Place,
}

/// A step to a member that a map does not have.
#[derive(Clone, Debug)]
pub struct Missing {
    /// The name of the step.
    pub name: String,
    /// The names of all members of the map, sorted.
    pub known: Vec<String>,
    /// True on a side of `??`.
    pub is_optional: bool,
}

/// A call of a function of the host or of Rhai.
#[derive(Clone, Debug)]
pub struct Called {
    /// The function.
    pub name: String,
    /// What it is given, of a method the receiver first.
    pub args: Vec<Value>,
    /// The call.
    pub place: Place,
}

/// Where a path begins.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Base {
    /// The record that is judged.
    Record,
    /// What `request` gives.
    Request,
    /// What `response` gives.
    Response,
    /// What `actor` gives.
    Actor,
    /// A resource of that kind, which was looked up; `()` if there is none.
    Resource(String),
    /// A list of resources of that kind.
    Resources(String),
}

/// A step of a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// To a member.
    Name(String),
    /// To an item of a list.
    Item,
}

/// A way into a record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Path {
    /// Where it begins.
    pub base: Base,
    /// How it goes on.
    pub steps: Vec<Step>,
}

impl Path {
    /// The whole of something.
    pub fn of(base: Base) -> Self {
        Self { base, steps: Vec::new() }
    }

    /// One step further.
    #[must_use]
    pub fn then(&self, step: Step) -> Self {
        let mut path = self.clone();
        path.steps.push(step);
        path
    }

    /// The names of its steps.
    pub fn names(&self) -> Vec<&str> {
        let name = |step: &'_ Step| matches!(step, Step::Name(_));
        self.steps
            .iter()
            .filter(|step| name(step))
            .map(|step| if let Step::Name(name) = step { name.as_str() } else { "" })
            .collect()
    }

    /// True if it begins at the record and its first steps have these names.
    pub fn is_of_record(&self, names: &[&str]) -> bool {
        self.base == Base::Record
            && self.steps.len() >= names.len()
            && self.steps.iter().zip(names).all(|(step, name)| matches!(step, Step::Name(step) if step == name))
    }

    /// True if it is the path of these names from the record, and no more.
    pub fn is_field(&self, names: &[&str]) -> bool {
        self.steps.len() == names.len() && self.is_of_record(names)
    }

    /// The name of the last step, if it has one.
    pub fn last(&self) -> Option<&str> {
        match self.steps.last()? {
            Step::Name(name) => Some(name),
            Step::Item => None,
        }
    }
}

/// What is known of the type of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// Text, or `()`.
    Text,
    /// A number, or `()`.
    Number,
}

/// Which letters a text can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Letters {
    /// Small ones and capitals.
    Any,
    /// No capitals.
    Small,
    /// No small ones.
    Capital,
}

/// What is known of a value.
#[derive(Clone, Debug, Default)]
pub enum Value {
    /// Something of a record.
    Path(Path),
    /// A literal, or a constant.
    Literal(Json),
    /// A list, by its items.
    List(Vec<Value>),
    /// A list of which every item is like this.
    ListOf(Box<Value>),
    /// A map, by all its members.
    Map(Vec<(String, Value)>),
    /// All parameters.
    Params,
    /// A parameter, whole.
    Param(String),
    /// Yes or no.
    Answer(Box<Test>),
    /// How many items something has.
    Length(Box<Value>),
    /// Text that was made of something: a part of it, or the same in small letters.
    Part(Box<Value>, Letters),
    /// Something that a function made.
    Made(Type),
    /// One of these.
    Any(Vec<Value>),
    /// A closure, by its number.
    Closure(usize),
    /// Anything.
    #[default]
    Unknown,
}

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// `==`; `!=` is its opposite.
    Equal,
    /// Is one of a list.
    In,
    /// `<`, `<=`, `>`, `>=`.
    Order,
    /// `starts_with`.
    StartsWith,
    /// `ends_with`.
    EndsWith,
    /// `contains`, of text or of a list that is not written out.
    Contains,
    /// `glob`.
    Glob,
    /// `regex`.
    Regex,
}

/// A comparison.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// What is compared.
    pub left: Value,
    /// How.
    pub relation: Relation,
    /// With what: one value, or the items of a list.
    pub right: Vec<Value>,
    /// The whole of it.
    pub place: Place,
    /// Where the values on the right stand, if they are written there.
    pub right_spans: Vec<Span>,
    /// True if what is written there is the opposite: `!=`.
    pub is_negated: bool,
    /// True if it is a case of a `switch`.
    pub is_switch: bool,
}

/// Yes or no, as far as it is known.
#[derive(Clone, Debug, Default)]
pub enum Test {
    /// Always the same.
    Always(bool),
    /// A comparison.
    Compare(Box<Comparison>),
    /// Whether a list or a text has nothing in it.
    Empty(Box<Value>, Place),
    /// Whether some, or all, of the items of a list pass.
    Each {
        /// The list.
        list: Box<Value>,
        /// True if all must.
        all: bool,
        /// What each is asked.
        test: Box<Test>,
        /// The call.
        place: Place,
    },
    /// What a function of the host answers.
    Call(String, Vec<Value>, Place),
    /// The opposite.
    Not(Box<Test>),
    /// All of these.
    All(Vec<Test>),
    /// One of these.
    Any(Vec<Test>),
    /// Anything.
    #[default]
    Unknown,
}

impl Value {
    /// Every path that it may be.
    pub fn paths(&self) -> Vec<&Path> {
        match self {
            Self::Path(path) => vec![path],
            Self::Any(values) | Self::List(values) => values.iter().flat_map(Self::paths).collect(),
            Self::ListOf(value) | Self::Length(value) | Self::Part(value, _) => value.paths(),
            _ => Vec::new(),
        }
    }

    /// How many values and tests it is made of.
    fn size(&self) -> usize {
        let within: usize = match self {
            Self::List(values) | Self::Any(values) => values.iter().map(Self::size).sum(),
            Self::Map(members) => members.iter().map(|(_, value)| value.size()).sum(),
            Self::ListOf(value) | Self::Length(value) | Self::Part(value, _) => value.size(),
            Self::Answer(test) => test.size(),
            Self::Path(_)
            | Self::Literal(_)
            | Self::Params
            | Self::Param(_)
            | Self::Made(_)
            | Self::Closure(_)
            | Self::Unknown => 0,
        };
        1 + within
    }

    /// The path, if it is just that.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Path(path) => Some(path),
            _ => None,
        }
    }

    /// The path, also of what text was made of.
    pub fn made_of(&self) -> Option<&Path> {
        match self {
            Self::Part(whole, _) => whole.path(),
            other => other.path(),
        }
    }

    /// The literal, if it is one.
    pub fn literal(&self) -> Option<&Json> {
        match self {
            Self::Literal(value) => Some(value),
            _ => None,
        }
    }

    /// The text, if it is one that is known.
    pub fn text(&self) -> Option<&str> {
        self.literal().and_then(Json::as_str)
    }
}

impl Test {
    /// How many values and tests it is made of.
    fn size(&self) -> usize {
        let within: usize = match self {
            Self::Compare(comparison) => {
                comparison.left.size() + comparison.right.iter().map(Value::size).sum::<usize>()
            }
            Self::Empty(value, _) => value.size(),
            Self::Each { list, test, .. } => list.size() + test.size(),
            Self::Call(_, args, _) => args.iter().map(Value::size).sum(),
            Self::Not(test) => test.size(),
            Self::All(tests) | Self::Any(tests) => tests.iter().map(Self::size).sum(),
            Self::Always(_) | Self::Unknown => 0,
        };
        1 + within
    }
}

#[cfg(test)]
mod tests;
