//! Reads what people write about records: our own files in schemas/, and those that users add.
//!
//! `docs/shapes.md` describes the notation, and `schemas/shapes.schema.json` says which files are in it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

use super::place::Holds;
use crate::error::Error;
use crate::yaml::{self, Yaml};

/// The schema of such a file, as text.
pub(super) const SCHEMA: &str = include_str!("../../schemas/shapes.schema.json");

static SHAPE: LazyLock<crate::shape::Shape> = LazyLock::new(|| crate::shape::Shape::of(SCHEMA));

/// Any key of a map, any source, any event.
pub(super) const ANY: &str = "*";

/// Members that nobody knows.
const UNKNOWN: &str = "...";

/// What somebody wrote about a value.
#[derive(Clone, Debug)]
pub(super) enum Hand {
    /// A value without members, and what it can be where that is a list of words.
    Scalar { holds: Holds, values: Vec<String> },
    /// Items.
    List(Box<Hand>),
    /// Members, by name.
    Structure {
        members: BTreeMap<String, Hand>,
        /// What a member of any other name holds, where the names are not fixed.
        others: Option<Box<Hand>>,
        /// There are members that nobody knows.
        is_open: bool,
    },
    /// What the operation takes.
    Request,
    /// What the operation gives.
    Response,
}

/// What somebody wrote about an event.
#[derive(Clone, Debug, Default)]
pub(super) struct Event {
    /// The operation that it is, under another name.
    pub(super) operation: Option<String>,
    pub(super) request: Option<Hand>,
    pub(super) response: Option<Hand>,
}

/// What somebody wrote: one file, or several taken together.
#[derive(Clone, Debug, Default)]
pub(super) struct Sheet {
    pub(super) record: Option<Hand>,
    /// The fields of `userIdentity` that each type has.
    pub(super) identities: BTreeMap<String, Vec<String>>,
    /// Events by `eventSource` and name.
    pub(super) sources: BTreeMap<String, BTreeMap<String, Event>>,
    /// Members of resources by kind.
    pub(super) kinds: BTreeMap<String, Hand>,
}

impl Sheet {
    /// Reads a text that is known to be in the notation.
    pub(super) fn embedded(text: &str) -> Self {
        yaml::parse(text).map(|yaml| Self::of(&yaml)).unwrap_or_default()
    }

    /// Reads a file.
    ///
    /// # Errors
    /// Everything that keeps it from being read, or is not in the notation.
    pub(super) fn read(file: &Path) -> Result<Self, Vec<Error>> {
        let name = file.display().to_string();
        let text = std::fs::read_to_string(file)
            .map_err(|error| vec![Error::new(format!("cannot be read: {error}")).about(&name)])?;
        let at = |offset: usize, message: String| {
            let before = &text[..offset.min(text.len())];
            let column = before.len() - before.rfind('\n').map_or(0, |at| at + 1) + 1;
            Error::new(message).about(&name).at(before.matches('\n').count() + 1, column)
        };
        let yaml = yaml::parse(&text).map_err(|error| vec![at(error.span.start, error.message)])?;
        let wrong: Vec<Error> = SHAPE
            .violations(&yaml)
            .into_iter()
            .map(|violation| match violation.help {
                Some(help) => at(violation.span.start, violation.message).try_to(help),
                None => at(violation.span.start, violation.message),
            })
            .collect();
        if wrong.is_empty() { Ok(Self::of(&yaml)) } else { Err(wrong) }
    }

    fn of(yaml: &Yaml) -> Self {
        let part = |name: &str| yaml.get(name).map(Yaml::members).unwrap_or_default();
        let words = |text: &Yaml| text.raw().unwrap_or_default().split_whitespace().map(str::to_owned).collect();
        Self {
            record: yaml.get("record").map(Hand::of),
            identities: part("identities").iter().map(|(key, value)| (key.name.clone(), words(value))).collect(),
            sources: part("sources").iter().map(|(key, value)| (key.name.clone(), Event::all(value))).collect(),
            kinds: part("kinds").iter().map(|(key, value)| (key.name.clone(), Hand::of(value))).collect(),
        }
    }

    /// Adds what another says: it wins where both speak of the same scalar.
    pub(super) fn add(&mut self, other: Self) {
        add(&mut self.record, other.record);
        self.identities.extend(other.identities);
        for (source, events) in other.sources {
            let known = self.sources.entry(source).or_default();
            for (name, event) in events {
                known.entry(name).or_default().add(event);
            }
        }
        for (kind, hand) in other.kinds {
            match self.kinds.get_mut(&kind) {
                Some(known) => known.add(hand),
                None => drop(self.kinds.insert(kind, hand)),
            }
        }
    }
}

impl Event {
    fn all(source: &Yaml) -> BTreeMap<String, Self> {
        let Some(events) = source.get("events") else { return BTreeMap::new() };
        let listed = events.items().iter().filter_map(Yaml::raw).map(|name| (name.to_owned(), Self::default()));
        let described = events.members().iter().map(|(key, value)| (key.name.clone(), Self::of(value)));
        listed.chain(described).collect()
    }

    fn of(yaml: &Yaml) -> Self {
        Self {
            operation: yaml.get("as").and_then(Yaml::raw).map(str::to_owned),
            request: yaml.get("request").map(Hand::of),
            response: yaml.get("response").map(Hand::of),
        }
    }

    fn add(&mut self, other: Self) {
        self.operation = other.operation.or_else(|| self.operation.take());
        add(&mut self.request, other.request);
        add(&mut self.response, other.response);
    }
}

fn add(known: &mut Option<Hand>, other: Option<Hand>) {
    match (known.as_mut(), other) {
        (Some(known), Some(other)) => known.add(other),
        (None, other) => *known = other,
        (Some(_), None) => {}
    }
}

impl Hand {
    fn of(yaml: &Yaml) -> Self {
        if let Some(item) = yaml.items().first() {
            return Self::List(Box::new(Self::of(item)));
        }
        if let Some(word) = yaml.raw() {
            return Self::word(word);
        }
        let named = yaml.members().iter().filter(|(key, _)| key.name != ANY && key.name != UNKNOWN);
        Self::Structure {
            members: named.map(|(key, value)| (key.name.clone(), Self::of(value))).collect(),
            others: yaml.get(ANY).map(|value| Box::new(Self::of(value))),
            is_open: yaml.get(UNKNOWN).is_some(),
        }
    }

    fn word(text: &str) -> Self {
        let mut words = text.split_whitespace();
        let holds = match words.next() {
            Some("request") => return Self::Request,
            Some("response") => return Self::Response,
            Some("text") => Holds::Text,
            Some("int") => Holds::Int,
            Some("number") => Holds::Number,
            Some("bool") => Holds::Bool,
            Some("time") => Holds::Time,
            _ => Holds::Any,
        };
        Self::Scalar { holds, values: words.map(str::to_owned).collect() }
    }

    fn add(&mut self, other: Self) {
        match (self, other) {
            (Self::List(known), Self::List(other)) => known.add(*other),
            (
                Self::Structure { members: known, others: known_others, is_open: known_open },
                Self::Structure { members: other, others: other_others, is_open },
            ) => {
                for (name, hand) in other {
                    match known.get_mut(&name) {
                        Some(known) => known.add(hand),
                        None => drop(known.insert(name, hand)),
                    }
                }
                *known_open |= is_open;
                if other_others.is_some() {
                    *known_others = other_others;
                }
            }
            (known, other) => *known = other,
        }
    }
}
