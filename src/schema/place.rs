//! A place in a record or a resource: what it can hold, and what the places below it are.
//!
//! Several things may be true of a place at once: a path is walked for every call that a policy may be asked about, and
//! CloudTrail spells some of them in two ways. What is known of any of them is known of the place.

use super::at::{Answer, At};
use super::events::{Call, Shapes};
use super::notation::Hand;

/// What stands at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Holds {
    /// A text.
    Text,
    /// A whole number.
    Int,
    /// A number.
    Number,
    /// True or false.
    Bool,
    /// A moment: RFC 3339 or another form of text in most places, seconds or milliseconds since the epoch in some.
    Time,
    /// A list.
    List,
    /// An object with any keys.
    Map,
    /// An object with members that are known by name.
    Structure,
    /// Anything.
    Any,
}

impl Holds {
    /// Whether it is made of others: a list or an object.
    pub fn has_parts(self) -> bool {
        matches!(self, Self::List | Self::Map | Self::Structure)
    }
}

/// A place in a record or a resource.
#[derive(Clone)]
pub struct Place<'a> {
    /// The calls that the record may be of.
    calls: &'a [Call<'a>],
    shapes: &'a Shapes,
    all: Vec<At<'a>>,
    /// As `request` and `response` of the policy language show it.
    is_plain: bool,
}

/// What is below a place under a name.
#[derive(Debug)]
pub enum Step<'a> {
    /// This.
    Known(Place<'a>),
    /// Nothing that is known.
    Unknown {
        /// True where AWS documents every name, so that there can be nothing; false where records may hold what its models do
        /// not tell.
        is_closed: bool,
        /// The names that are known there, sorted.
        known: Vec<String>,
    },
    /// Anything can be there: nobody says what.
    Open,
}

impl<'a> Place<'a> {
    pub(super) fn new(shapes: &'a Shapes, calls: &'a [Call<'a>], all: Vec<At<'a>>) -> Self {
        Self { calls, shapes, all, is_plain: false }
    }

    /// The same as `request` and `response` show it: without EC2's wrappers, and with JSON in texts parsed.
    pub(super) fn plain(self) -> Self {
        Self { is_plain: true, ..self }
    }

    pub(super) fn is_plain(&self) -> bool {
        self.is_plain
    }

    /// What is below it under that name.
    pub fn field(&self, name: &str) -> Step<'a> {
        let (mut all, mut is_open, mut are_closed) = (Vec::new(), false, true);
        for at in &self.all {
            match at.field(name, self, &mut all) {
                Answer::Known => {}
                Answer::Unknown { is_closed } => are_closed &= is_closed,
                Answer::Open => is_open = true,
            }
        }
        match (all.is_empty(), is_open) {
            (true, true) => Step::Open,
            (true, false) => Step::Unknown { is_closed: are_closed, known: self.names() },
            (false, is_open) => {
                all.extend(is_open.then_some(At::Any));
                Step::Known(self.with(all))
            }
        }
    }

    /// An item of the list that stands here.
    pub fn item(&self) -> Step<'a> {
        let (mut all, mut is_open, mut are_closed) = (Vec::new(), false, true);
        for at in &self.all {
            match at.item() {
                Some(At::Any) => is_open = true,
                Some(item) => all.push(item),
                None => are_closed &= at.is_closed(),
            }
        }
        match (all.is_empty(), is_open) {
            (true, true) => Step::Open,
            (true, false) => Step::Unknown { is_closed: are_closed, known: Vec::new() },
            (false, _) => Step::Known(self.with(all)),
        }
    }

    /// The names that are known below it, sorted.
    pub fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        for at in &self.all {
            if let At::Hand { hand: Hand::Structure { members, .. }, .. } = at {
                names.extend(members.keys().cloned());
            }
            at.children(self.is_plain, &mut |spelling, _| names.push(spelling.write()));
        }
        names.sort_unstable();
        names.dedup();
        names
    }

    /// What it can hold, each kind once.
    pub fn holds(&self) -> Vec<Holds> {
        let mut holds: Vec<Holds> = self.all.iter().map(|at| at.holds()).collect();
        holds.sort_unstable();
        holds.dedup();
        holds
    }

    /// True if a value of that kind can stand here. In CloudTrail's records this is wide, for they have numbers and booleans
    /// as texts, texts as numbers and booleans (EC2's tags), times in several forms, one item for a list of one, `""` for an
    /// empty object and `{}` for an empty text, a list of one for a word of a query string, and `HIDDEN_DUE_TO_SECURITY_REASONS` for anything.
    pub fn may_be(&self, found: Holds) -> bool {
        self.all.iter().any(|at| may_be(at.holds(), found, at.is_exact()))
    }

    /// The texts that it can be, sorted, where AWS lists them; it may add to the list.
    pub fn values(&self) -> Option<Vec<&'a str>> {
        let mut all = Vec::new();
        for at in &self.all {
            all.extend(at.values()?);
        }
        all.sort_unstable();
        all.dedup();
        (!all.is_empty()).then_some(all)
    }

    /// What somebody wrote, or what it stands for.
    pub(super) fn below(&self, hand: &'a Hand, is_closed: bool) -> Vec<At<'a>> {
        match hand {
            Hand::Request => self.shapes.all_ends(self.calls, true),
            Hand::Response => self.shapes.all_ends(self.calls, false),
            _ => vec![At::Hand { hand, is_closed }],
        }
    }

    fn with(&self, all: Vec<At<'a>>) -> Self {
        Self { calls: self.calls, shapes: self.shapes, all, is_plain: self.is_plain }
    }
}

impl std::fmt::Debug for Place<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Place")
            .field("holds", &self.holds())
            .field("names", &self.names().len())
            .finish_non_exhaustive()
    }
}

fn may_be(holds: Holds, found: Holds, is_exact: bool) -> bool {
    use Holds::{Any, Bool, Int, List, Map, Number, Structure, Text, Time};
    match (holds, found) {
        (Any, _) | (_, Any) => true,
        _ if holds == found => true,
        (Map, Structure) | (Structure, Map) | (Number, Int) | (Time, Text | Int | Number) | (Text, Time) => true,
        _ if is_exact => false,
        (_, Text) | (Int, Number) | (Text, Int | Number | Bool) | (Text | List, Map | Structure) | (Text, List) => true,
        _ => false,
    }
}
