//! What is proved of a script's `matches`, as a condition that is asked without Rhai.
//!
//! *Soundness*: over a record, a [`Predicate`] answers as the script does, or that it does not know. [`Verdict::True`] and
//! [`Verdict::False`] are what Rhai answers, without a fault. [`Verdict::Excluded`] is false where Rhai answers at all:
//! a part that was not understood might fail before the part that excludes the record. Where a part that was not
//! understood might end in *not evaluated* before the record is excluded, the verdict is [`Verdict::Unknown`]. So
//! findings, not-evaluated and counts are those of a full scan, and a fault may be missing only where facts exclude the
//! record.
//!
//! Fields that a [`Source`] does not know make parts unknown, never false.

mod evaluate;
mod lists;
mod parts;
mod pattern;
mod require;

use std::borrow::Cow;
use std::rc::Rc;

use serde_json::Value as Json;

pub(super) use self::evaluate::Asked;
use self::evaluate::Flag;
pub(super) use self::pattern::{Finding, Pattern};
pub use self::require::{Demand, Question, Reply};
use crate::record::{Kind, Ref};

/// Text and lists that are longer are left to Rhai, which may refuse them; lists within a list count for it, too.
pub(super) const LONG_TEXT: usize = 1 << 16;
pub(super) const LONG_LIST: usize = 1_000;

/// The text that a list may hold in all: Rhai adds it up.
const MUCH_TEXT: usize = 4 * LONG_TEXT;

/// Lists and maps within each other that a value is, at most; what is nested deeper is left to Rhai.
pub(super) const DEEPEST: usize = 32;

/// A condition over one record.
#[derive(Debug)]
pub struct Predicate {
    pub(super) test: Expr,
    /// The paths from the record's root that the test names.
    pub(super) paths: Vec<Vec<String>>,
}

/// What a predicate says of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The script answers true.
    True,
    /// The script answers false.
    False,
    /// The script does not answer true; it might fail.
    Excluded,
    /// Only the script can tell.
    Unknown,
}

impl From<Flag> for Verdict {
    fn from(flag: Flag) -> Self {
        match flag {
            Flag::True => Self::True,
            Flag::False => Self::False,
            Flag::No => Self::Excluded,
            Flag::Unsure(_) => Self::Unknown,
        }
    }
}

/// Where a predicate finds the fields of a record.
pub trait Source {
    /// The value at the end of a path from the root, which is the predicate's path of that number: `None` if it is not
    /// known, [`Value::Unit`] if there is none or it is `null`.
    fn field(&self, number: usize, path: &[String]) -> Option<Value<'_>>;

    /// The account and the region that the record is of, as far as they are known.
    fn scope(&self) -> [Option<&str>; 2] {
        [None, None]
    }

    /// The record, where it alone tells of what account and region it is, if that is not known otherwise.
    fn unplaced(&self) -> Option<Ref<'_>> {
        None
    }

    /// Whether no resource of a kind has, or ever had, a value under a key: false where that is not known.
    fn finds_none(&self, _kind: &str, _key: &str, _value: &str) -> bool {
        false
    }
}

/// A whole record.
impl Source for Ref<'_> {
    fn field(&self, _: usize, path: &[String]) -> Option<Value<'_>> {
        Some(Value::of_field(path.iter().try_fold(*self, |value, name| value.get(name))))
    }
}

/// A script's value. Floats are not among them: comparing them is left to Rhai.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// Nothing.
    Unit,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Text.
    Text(Cow<'a, str>),
    /// A list or an object of the record.
    Part(Ref<'a>),
    /// A list or an object of a record that was not parsed: the record's text from where it begins, which has escapes of
    /// quotes, slashes and control characters alone.
    Unread(&'a [u8]),
    /// A list that a script makes.
    List(Rc<[Value<'a>]>),
    /// A map that a script makes: its members in the order of their names.
    Map(Rc<[(&'a str, Value<'a>)]>),
    /// A number that is not whole, or another value that is left to Rhai.
    Other,
}

impl<'a> Value<'a> {
    pub(super) fn of(value: Ref<'a>) -> Self {
        match value.kind() {
            Kind::Null => Self::Unit,
            Kind::Bool => Self::Bool(value.as_bool().unwrap_or_default()),
            Kind::Int => Self::Int(value.as_i64().unwrap_or_default()),
            Kind::Text => Self::of_text(value.as_str().unwrap_or_default()),
            Kind::List | Kind::Map => Self::Part(value),
            Kind::Float => Self::Other,
        }
    }

    /// A field of a record, if there is one.
    pub fn of_field(value: Option<Ref<'a>>) -> Self {
        value.map_or(Self::Unit, Self::of)
    }

    /// A text of a record.
    pub fn of_text(text: &'a str) -> Self {
        if text.len() > LONG_TEXT { Self::Other } else { Self::Text(Cow::Borrowed(text)) }
    }

    /// A list that a script makes; `None` where Rhai may refuse it.
    pub(super) fn list(items: Vec<Self>) -> Option<Self> {
        let mut room = Room::OF_LIST;
        items.iter().all(|item| room.takes(item)).then(|| Self::List(items.into()))
    }

    /// A map that a script makes, of members in the order of their names; `None` where Rhai may refuse it.
    pub(super) fn map(members: Vec<(&'a str, Self)>) -> Option<Self> {
        let (map, mut room) = (Self::Map(members.into()), Room::OF_LIST);
        room.takes(&map).then_some(map)
    }

    /// The member of a map that a script makes; nothing if there is none.
    pub(super) fn member(members: &[(&'a str, Self)], name: &str) -> Self {
        let found = members.binary_search_by(|(known, _)| (*known).cmp(name));
        found.map_or(Self::Unit, |at| members[at].1.clone())
    }

    /// As JSON; `None` where that is left to Rhai.
    pub(super) fn to_json(&self) -> Option<Json> {
        Some(match self {
            Self::Unit => Json::Null,
            Self::Bool(flag) => (*flag).into(),
            Self::Int(number) => (*number).into(),
            Self::Text(text) => (**text).into(),
            Self::Part(part) => part.to_json(),
            Self::List(items) => items.iter().map(Self::to_json).collect::<Option<_>>()?,
            Self::Map(members) => {
                let members = members.iter().map(|(name, value)| Some(((*name).to_owned(), value.to_json()?)));
                Json::Object(members.collect::<Option<_>>()?)
            }
            Self::Unread(_) | Self::Other => return None,
        })
    }

    /// Writes what Rhai makes of it within a text; `None` where that is left to Rhai.
    pub(super) fn write(&self, text: &mut String) -> Option<()> {
        match self {
            Self::Unit => {}
            Self::Bool(flag) => text.push_str(if *flag { "true" } else { "false" }),
            Self::Int(number) => text.push_str(&number.to_string()),
            Self::Text(more) => text.push_str(more),
            Self::Part(part) => text.push_str(&part.to_json().to_string()),
            Self::Unread(_) | Self::List(_) | Self::Map(_) | Self::Other => return None,
        }
        (text.len() <= LONG_TEXT).then_some(())
    }

    /// The text, if it is one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// What may still be put into a list or an answer: Rhai adds up the items and the text of all that is in one, and refuses
/// much. What is shared counts wherever it is: so nothing doubles beyond the limits.
pub(super) struct Room {
    items: usize,
    text: usize,
}

impl Room {
    /// That of a list.
    const OF_LIST: Self = Self { items: LONG_LIST, text: MUCH_TEXT };

    /// That of a whole answer, which is made of several: less than Rhai's 10,000 items and 1 MiB.
    pub(super) const OF_ANSWER: Self = Self { items: 8 * LONG_LIST, text: 3 * MUCH_TEXT };

    /// Whether there is room for one more item; of what is in it, too.
    pub(super) fn takes(&mut self, item: &Value<'_>) -> bool {
        self.takes_within(item, DEEPEST)
    }

    fn takes_within(&mut self, item: &Value<'_>, levels: usize) -> bool {
        if !self.takes_text(item.text().unwrap_or_default()) {
            return false;
        }
        match item {
            Value::List(_) | Value::Map(_) if levels == 0 => false,
            Value::List(within) => within.iter().all(|item| self.takes_within(item, levels - 1)),
            Value::Map(members) => {
                members.iter().all(|(name, item)| self.takes_text(name) && self.takes_within(item, levels - 1))
            }
            _ => true,
        }
    }

    fn takes_text(&mut self, text: &str) -> bool {
        let room = (self.items.checked_sub(1), self.text.checked_sub(text.len()));
        let (Some(items), Some(text)) = room else { return false };
        *self = Self { items, text };
        true
    }
}

/// A literal of a script.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Literal {
    Unit,
    Bool(bool),
    Int(i64),
    Text(Box<str>),
    List(Vec<Literal>),
    /// The members of a parameter.
    Map(Vec<(Box<str>, Literal)>),
    /// What is left to Rhai.
    Other,
}

impl Literal {
    fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    fn value(&self) -> Value<'_> {
        match self {
            Self::Unit => Value::Unit,
            Self::Bool(flag) => Value::Bool(*flag),
            Self::Int(number) => Value::Int(*number),
            Self::Text(text) => Value::Text(Cow::Borrowed(text)),
            Self::List(_) | Self::Map(_) | Self::Other => Value::Other,
        }
    }
}

/// A function over values, which cannot fail: `None` leaves the answer to Rhai.
pub(super) type Function = for<'a> fn(&[Value<'a>]) -> Option<Value<'a>>;

/// A function of the table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Native {
    pub(super) function: Function,
    /// What it makes may be too large for Rhai, which fails then.
    pub(super) makes: bool,
}

impl Native {
    /// A function that makes nothing large.
    pub(super) fn of(function: Function) -> Self {
        Self { function, makes: false }
    }
}

/// Two that are told apart may be one, but not the other way round: what is compared is code.
impl PartialEq for Native {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::fn_addr_eq(self.function, other.function)
    }
}

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expr {
    Literal(Literal),
    /// A path from the record's root, by number.
    Path(usize),
    /// What the closures around it are given, the outermost first.
    Item(usize),
    /// A member of something that is no path.
    Member(Box<Expr>, Box<str>),
    /// Something, and a member of it that is asked for in brackets, which fails of text and of numbers.
    Bracket(Box<[Expr; 2]>),
    /// A list, and the place of an item of it; or an object, and the name of a member.
    At(Box<[Expr; 2]>),
    Not(Box<Expr>),
    All(Vec<Expr>),
    Any(Vec<Expr>),
    /// Condition, then, else.
    If(Box<[Expr; 3]>),
    /// The first that is something.
    Coalesce(Vec<Expr>),
    Equal(Box<[Expr; 2]>),
    Order(Relation, Box<[Expr; 2]>),
    /// Whether the text is, begins with, ends with, or holds the other.
    Text(Relation, Box<[Expr; 2]>),
    /// Whether a value equals one of a list of literals, none of which is a list.
    OneOf(Box<Expr>, Vec<Literal>),
    /// Whether the closure's body holds for some item, or for all of them (when `true`).
    Each(Box<[Expr; 2]>, bool, Within),
    /// The items of a list that a closure's body picks.
    Pick(Box<[Expr; 2]>, Picks, Within),
    /// A list as it is, nothing for nothing, else a list of the one value.
    Listed(Box<Expr>),
    /// A list of these.
    List(Vec<Expr>),
    /// A map of members of these names, which are in their order.
    Map(Box<[Box<str>]>, Vec<Expr>),
    /// A list that a script made, and one more item.
    Grown(Box<[Expr; 2]>),
    /// A loop: what it is over; what the variables hold that it changes; what becomes of an item, which is [`Expr::Next`], or
    /// what the function answers; and what is evaluated when it is over. The item and the variables are the next items for
    /// the last two.
    Loop(Vec<Expr>, Within),
    /// A loop without a list, in the same way: what the variables hold; what must be so for another turn; what becomes of
    /// it; and what is evaluated when it is over.
    While(Vec<Expr>, Within),
    /// The numbers from one to another, which is one of them or not.
    Range(Box<[Expr; 2]>, bool),
    /// The end of a turn of a loop: what the variables that it changes hold now, and whether that was the last turn.
    Next(Vec<Expr>, bool),
    /// A function of the table.
    Call(Native, Vec<Expr>),
    /// What a look-up finds in the inventory, where that is nothing.
    LookUp(Box<LookUp>),
    /// The first match of a pattern.
    Find(Box<Expr>, Box<Finding>),
    /// The account, or the region, that the record is of.
    Place(Place),
    /// The text of values, one after another.
    Join(Vec<Expr>),
    /// A number that is reckoned, or one text behind the other.
    Reckon(Operation, Box<[Expr; 2]>),
    Matches(Box<Expr>, Pattern),
    /// Evaluated for its failure alone, then the other.
    After(Box<[Expr; 2]>),
    Unknown(Halt),
}

/// Which comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    StartsWith,
    EndsWith,
    Contains,
}

/// Where something is written that is asked of item after item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Within {
    /// How many items there are around it: a variable may carry it to where there are more.
    pub(super) around: usize,
    /// What it takes to ask it of an item: at least what is written of it, for Rhai evaluates what is left out here, too.
    pub(super) work: usize,
}

/// What is reckoned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Plus,
    Minus,
    Times,
    Divided,
    /// What division leaves.
    Rest,
}

impl Operation {
    /// The result; `None` where Rhai fails.
    pub(super) fn of(self, left: i64, right: i64) -> Option<i64> {
        match self {
            Self::Plus => left.checked_add(right),
            Self::Minus => left.checked_sub(right),
            Self::Times => left.checked_mul(right),
            Self::Divided => left.checked_div(right),
            Self::Rest => left.checked_rem(right),
        }
    }
}

/// What is picked of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Picks {
    /// The items for which the body holds.
    All,
    /// The first of them.
    First,
    /// What the body makes of each item.
    Made,
}

/// A part of a record's scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Account,
    Region,
}

/// Whether something that is not understood may end in *not evaluated*.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Halt {
    Never,
    Perhaps,
}

/// A look-up in the inventory.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct LookUp {
    pub(super) kind: Box<str>,
    pub(super) key: Box<str>,
    pub(super) value: Expr,
    /// What it answers is a list.
    pub(super) gives_list: bool,
}

impl Predicate {
    /// What the script answers, as far as it is known from these fields.
    pub fn ask(&self, source: &(impl Source + ?Sized)) -> Verdict {
        Asked::new(source, &self.paths).ask(&self.test, &[]).into()
    }

    /// Whether it is known that the script does not answer true.
    pub fn excludes(&self, source: &(impl Source + ?Sized)) -> bool {
        matches!(self.ask(source), Verdict::False | Verdict::Excluded)
    }

    /// The paths that it names, by number.
    pub fn paths(&self) -> &[Vec<String>] {
        &self.paths
    }

    /// True if nothing is known of the script.
    pub fn is_unknown(&self) -> bool {
        matches!(self.test, Expr::Unknown(_))
    }

    /// What is asked first, where the script is true only if that is.
    pub fn opening(&self) -> Option<Opening<'_>> {
        let Expr::All(parts) = &self.test else { return None };
        let (test, rest) = parts.split_first()?;
        Some(Opening { test, rest, paths: &self.paths })
    }

    /// What must be so for the script to answer true: of each list one demand must be met. Everything else about the script
    /// is left out.
    pub fn required(&self) -> Vec<Vec<Demand<'_>>> {
        let mut covers = Vec::new();
        self.test.require(true, &mut covers);
        covers.into_iter().map(|cover| cover.into_iter().map(|need| need.demand(&self.paths)).collect()).collect()
    }
}

/// The first of conditions that must all hold.
#[derive(Clone, Copy, Debug)]
pub struct Opening<'p> {
    test: &'p Expr,
    rest: &'p [Expr],
    paths: &'p [Vec<String>],
}

/// Whether they ask the same of every record.
impl PartialEq for Opening<'_> {
    fn eq(&self, other: &Self) -> bool {
        let named = self.test.paths();
        self.test == other.test && self.paths.get(..named) == other.paths.get(..named)
    }
}

impl Opening<'_> {
    /// What the first condition says of a record, as far as it is known from these fields.
    pub fn ask(&self, source: &(impl Source + ?Sized)) -> Verdict {
        Asked::new(source, self.paths).ask(self.test, &[]).into()
    }

    /// What the script answers of a record of which the first condition is true.
    pub fn ask_rest(&self, source: &(impl Source + ?Sized)) -> Verdict {
        Asked::new(source, self.paths).all(self.rest, &[]).into()
    }
}
