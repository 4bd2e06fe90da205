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

mod lists;
mod parts;
mod pattern;
mod require;

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::cmp::Ordering;
use std::rc::Rc;

pub(super) use self::pattern::{Finding, Pattern};
pub use self::require::{Demand, Question, Reply};
use crate::record::{Kind, Ref};

/// Text and lists that are longer are left to Rhai, which may refuse them.
pub(super) const LONG_TEXT: usize = 1 << 16;
pub(super) const LONG_LIST: usize = 1_000;

/// Expressions that are evaluated over items of lists at most; what takes more is left to Rhai, which may stop it.
const MOST_WORK: usize = 50_000;

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

impl Verdict {
    fn of(outcome: Outcome<'_>) -> Self {
        match outcome {
            Is(Value::Bool(true)) => Self::True,
            Is(Value::Bool(false)) => Self::False,
            No => Self::Excluded,
            Is(_) | Unsure(_) | Turned { .. } => Self::Unknown,
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

    /// Writes what Rhai makes of it within a text; `None` where that is left to Rhai.
    fn write(&self, text: &mut String) -> Option<()> {
        match self {
            Self::Unit => {}
            Self::Bool(flag) => text.push_str(if *flag { "true" } else { "false" }),
            Self::Int(number) => text.push_str(&number.to_string()),
            Self::Text(more) => text.push_str(more),
            Self::Part(part) => text.push_str(&part.to_json().to_string()),
            Self::Unread(_) | Self::List(_) | Self::Other => return None,
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
    /// An item of a list.
    At(Box<Expr>, i64),
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
    /// Whether the closure's body holds for some item, or for all of them (when `true`); and how many closures were around
    /// it where it was written: a variable may carry it into others.
    Each(Box<[Expr; 2]>, bool, usize),
    /// A list as it is, nothing for nothing, else a list of the one value.
    Listed(Box<Expr>),
    /// A list of these.
    List(Vec<Expr>),
    /// A loop, and how many items there are around it: what it is over; what the variables hold that it changes; what becomes
    /// of an item, which is [`Expr::Next`], or what the function answers; and what is evaluated when it is over. The item and
    /// the variables are the next items for the last two.
    Loop(Vec<Expr>, usize),
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
    /// The sum of numbers, or one text behind the other.
    Plus(Box<[Expr; 2]>),
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

/// What an expression comes to.
enum Outcome<'a> {
    Is(Value<'a>),
    /// False, or a failure.
    No,
    Unsure(Halt),
    /// The end of a turn: see [`Expr::Next`]. What the variables hold is held by who is asked.
    Turned { is_last: bool },
}

use Outcome::{Is, No, Turned, Unsure};

impl<'a> Outcome<'a> {
    fn unsure() -> Self {
        Unsure(Halt::Never)
    }

    fn flag(flag: bool) -> Self {
        Is(Value::Bool(flag))
    }

    /// The value; what is not one is passed on as not known: an operation on something that may fail may fail.
    fn value(self) -> Result<Value<'a>, Outcome<'a>> {
        match self {
            Is(value) => Ok(value),
            No | Turned { .. } => Err(Self::unsure()),
            Unsure(halt) => Err(Unsure(halt)),
        }
    }
}

/// Takes the value of an outcome, or leaves with what is known instead.
macro_rules! known {
    ($outcome:expr) => {
        match $outcome.value() {
            Ok(value) => value,
            Err(outcome) => return outcome,
        }
    };
}

use known;

impl Predicate {
    /// What the script answers, as far as it is known from these fields.
    pub fn ask(&self, source: &(impl Source + ?Sized)) -> Verdict {
        Verdict::of(Asked::new(source, &self.paths).evaluate(&self.test, &[]))
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
        Verdict::of(Asked::new(source, self.paths).evaluate(self.test, &[]))
    }

    /// What the script answers of a record of which the first condition is true.
    pub fn ask_rest(&self, source: &(impl Source + ?Sized)) -> Verdict {
        Verdict::of(Asked::new(source, self.paths).all(self.rest, &[]))
    }
}

/// A question about one record.
pub(super) struct Asked<'q, S: ?Sized> {
    pub(super) source: &'q S,
    /// Those that the question names by number.
    paths: &'q [Vec<String>],
    /// Expressions that were evaluated over items of lists.
    work: Cell<usize>,
    /// What variables hold behind a turn, on top of what nobody asked for any more.
    held: RefCell<Vec<Value<'q>>>,
}

impl<'q, S: Source + ?Sized> Asked<'q, S> {
    pub(super) fn new(source: &'q S, paths: &'q [Vec<String>]) -> Self {
        Self { source, paths, work: Cell::new(0), held: RefCell::default() }
    }

    /// What an expression is; `None` if it is not known, or fails.
    pub(super) fn value(&self, expr: &'q Expr) -> Option<Value<'q>> {
        match self.evaluate(expr, &[]) {
            Is(value) => Some(value),
            No | Unsure(_) | Turned { .. } => None,
        }
    }

    fn evaluate(&self, expr: &'q Expr, items: &[Value<'q>]) -> Outcome<'q> {
        match expr {
            Expr::Literal(literal) => Is(literal.value()),
            Expr::Path(number) => match self.source.field(*number, &self.paths[*number]) {
                Some(value) => Is(value),
                None => Outcome::unsure(),
            },
            Expr::Item(at) => items.get(*at).map_or(Outcome::unsure(), |value| Is(value.clone())),
            Expr::Not(inner) => match known!(self.evaluate(inner, items)) {
                Value::Bool(flag) => Outcome::flag(!flag),
                _ => Outcome::unsure(),
            },
            Expr::All(parts) => self.all(parts, items),
            Expr::Any(parts) => self.any(parts, items),
            Expr::Equal(sides) => {
                let left = known!(self.evaluate(&sides[0], items));
                if let Expr::Literal(Literal::Unit) = &sides[1] {
                    // Often asked: whether something is there.
                    return match left {
                        Value::Other => Outcome::unsure(),
                        left => Outcome::flag(left == Value::Unit),
                    };
                }
                let right = known!(self.evaluate(&sides[1], items));
                equal(&left, &right).map_or(Outcome::unsure(), Outcome::flag)
            }
            Expr::OneOf(inner, literals) => match known!(self.evaluate(inner, items)) {
                // `()` is in no list.
                Value::Unit => Outcome::flag(false),
                Value::Part(_) | Value::Unread(_) | Value::List(_) | Value::Other => Outcome::unsure(),
                value => Outcome::flag(literals.iter().any(|literal| literal.value() == value)),
            },
            Expr::Call(Native { function, .. }, args) => {
                // Asked of every record: without a list on the heap.
                let answer = match args.as_slice() {
                    [one] => function(&[known!(self.evaluate(one, items))]),
                    [one, two] => function(&[known!(self.evaluate(one, items)), known!(self.evaluate(two, items))]),
                    [one, two, three] => function(&[
                        known!(self.evaluate(one, items)),
                        known!(self.evaluate(two, items)),
                        known!(self.evaluate(three, items)),
                    ]),
                    args => {
                        let mut values = Vec::with_capacity(args.len());
                        for arg in args {
                            values.push(known!(self.evaluate(arg, items)));
                        }
                        function(&values)
                    }
                };
                answer.map_or(Outcome::unsure(), Is)
            }
            Expr::Unknown(halt) => Unsure(*halt),
            other => self.evaluate_other(other, items),
        }
    }

    /// What is rarely asked of every record: apart, for it would make the calls of the others dearer.
    #[inline(never)]
    fn evaluate_other(&self, expr: &'q Expr, items: &[Value<'q>]) -> Outcome<'q> {
        match expr {
            Expr::Member(inner, name) => match known!(self.evaluate(inner, items)) {
                Value::Part(part) => Is(part.get(name).map_or(Value::Unit, Value::of)),
                Value::Unread(_) | Value::Other => Outcome::unsure(),
                _ => Is(Value::Unit),
            },
            Expr::Bracket(parts) => match known!(self.evaluate(&parts[1], items)) {
                Value::Unit => match known!(self.evaluate(&parts[0], items)) {
                    Value::Unit | Value::Bool(_) | Value::Part(_) | Value::Unread(_) => Is(Value::Unit),
                    _ => Outcome::unsure(),
                },
                value => Is(value),
            },
            Expr::At(inner, index) => match known!(self.evaluate(inner, items)) {
                Value::Part(part) => {
                    let item = place(*index, part.len()).and_then(|index| part.items().nth(index));
                    Is(item.map_or(Value::Unit, Value::of))
                }
                Value::List(list) => {
                    let item = place(*index, list.len()).and_then(|index| list.get(index).cloned());
                    Is(item.unwrap_or(Value::Unit))
                }
                Value::Unit => Is(Value::Unit),
                // Letters and bits are Rhai's own.
                _ => Outcome::unsure(),
            },
            Expr::If(parts) => self.choose(parts, items),
            Expr::Listed(inner) => match known!(self.evaluate(inner, items)) {
                Value::Unit => Is(Value::List(Rc::default())),
                Value::Text(text) if text.is_empty() => Is(Value::List(Rc::default())),
                Value::Part(part) if part.kind() == Kind::List => Is(Value::Part(part)),
                Value::List(list) => Is(Value::List(list)),
                Value::Unread(_) | Value::Other => Outcome::unsure(),
                one => Is(Value::List(Rc::from([one]))),
            },
            Expr::List(parts) => {
                let mut list = Vec::with_capacity(parts.len());
                for part in parts {
                    list.push(known!(self.evaluate(part, items)));
                }
                Is(Value::List(list.into()))
            }
            Expr::Next(parts, is_last) => {
                for part in parts {
                    let value = known!(self.evaluate(part, items));
                    self.held.borrow_mut().push(value);
                }
                Turned { is_last: *is_last }
            }
            Expr::Loop(parts, around) => match items.get(..*around) {
                Some(items) => self.turns(parts, items),
                None => Outcome::unsure(),
            },
            Expr::Coalesce(parts) => {
                let mut value = Value::Unit;
                for part in parts {
                    value = known!(self.evaluate(part, items));
                    if value != Value::Unit {
                        break;
                    }
                }
                Is(value)
            }
            Expr::Order(relation, sides) => {
                let left = known!(self.evaluate(&sides[0], items));
                let right = known!(self.evaluate(&sides[1], items));
                ordered(*relation, &left, &right).map_or(Outcome::unsure(), Outcome::flag)
            }
            Expr::Text(relation, sides) => {
                let left = known!(self.evaluate(&sides[0], items));
                let right = known!(self.evaluate(&sides[1], items));
                holds(*relation, &left, &right).map_or(Outcome::unsure(), Outcome::flag)
            }
            Expr::Each(parts, all, around) => match items.get(..*around) {
                Some(items) => self.each(parts, *all, items),
                None => Outcome::unsure(),
            },
            Expr::Place(place) => {
                let [account, region] = self.source.scope();
                let name = match place {
                    Place::Account => account,
                    Place::Region => region,
                };
                // Where it is not known, a field of the event may tell.
                name.map_or(Outcome::unsure(), |name| Is(Value::of_text(name)))
            }
            Expr::Join(parts) => {
                let mut text = String::new();
                for part in parts {
                    let value = known!(self.evaluate(part, items));
                    if value.write(&mut text).is_none() {
                        return Outcome::unsure();
                    }
                }
                Is(Value::Text(Cow::Owned(text)))
            }
            Expr::Plus(sides) => {
                let left = known!(self.evaluate(&sides[0], items));
                let right = known!(self.evaluate(&sides[1], items));
                if let Value::Text(text) = &left
                    && !self.may_go_on(text.len() / 64)
                {
                    return Outcome::unsure();
                }
                sum(left, &right).map_or(Outcome::unsure(), Is)
            }
            Expr::Matches(inner, pattern) => match known!(self.evaluate(inner, items)) {
                Value::Text(text) => Outcome::flag(pattern.holds(&text)),
                Value::Other => Outcome::unsure(),
                _ => Outcome::flag(false),
            },
            Expr::Find(inner, finding) => match known!(self.evaluate(inner, items)) {
                Value::Text(Cow::Borrowed(text)) => Is(finding.of(text).map_or(Value::Unit, Value::of_text)),
                Value::Text(text) => {
                    let found = finding.of(&text).map(|found| Value::Text(Cow::Owned(found.to_owned())));
                    Is(found.unwrap_or(Value::Unit))
                }
                Value::Other => Outcome::unsure(),
                _ => Is(Value::Unit),
            },
            Expr::LookUp(look_up) => {
                let value = match known!(self.evaluate(&look_up.value, items)) {
                    Value::Text(text) => Some(text),
                    Value::Int(number) => Some(Cow::Owned(number.to_string())),
                    Value::Bool(flag) => Some(Cow::Borrowed(if flag { "true" } else { "false" })),
                    Value::Other => return Outcome::unsure(),
                    // Nothing is found by nothing, by a list or by an object.
                    Value::Unit | Value::Part(_) | Value::Unread(_) | Value::List(_) => None,
                };
                if value.is_some_and(|value| !self.source.finds_none(&look_up.kind, &look_up.key, &value)) {
                    return Outcome::unsure();
                }
                Is(if look_up.gives_list { Value::List(Rc::default()) } else { Value::Unit })
            }
            Expr::After(parts) => match self.evaluate(&parts[0], items) {
                Is(_) => self.evaluate(&parts[1], items),
                Unsure(Halt::Perhaps) => Unsure(Halt::Perhaps),
                No | Unsure(Halt::Never) | Turned { .. } => weaker(self.evaluate(&parts[1], items)),
            },
            Expr::Literal(_)
            | Expr::Path(_)
            | Expr::Item(_)
            | Expr::Not(_)
            | Expr::All(_)
            | Expr::Any(_)
            | Expr::Equal(_)
            | Expr::OneOf(..)
            | Expr::Call(..)
            | Expr::Unknown(_) => self.evaluate(expr, items),
        }
    }

    fn all(&self, parts: &'q [Expr], items: &[Value<'q>]) -> Outcome<'q> {
        let mut unsure = None;
        for part in parts {
            match self.evaluate(part, items) {
                Is(Value::Bool(true)) => {}
                Is(Value::Bool(false)) if unsure.is_none() => return Outcome::flag(false),
                No | Is(Value::Bool(false)) if unsure != Some(Halt::Perhaps) => return No,
                Is(Value::Bool(false)) | No => {}
                // What is no boolean fails.
                Is(_) | Turned { .. } => unsure = unsure.max(Some(Halt::Never)),
                Unsure(halt) => unsure = unsure.max(Some(halt)),
            }
        }
        unsure.map_or(Outcome::flag(true), Unsure)
    }

    fn any(&self, parts: &'q [Expr], items: &[Value<'q>]) -> Outcome<'q> {
        let mut unsure = None;
        let mut no = false;
        for part in parts {
            match self.evaluate(part, items) {
                Is(Value::Bool(false)) => {}
                Is(Value::Bool(true)) if unsure.is_none() && !no => return Outcome::flag(true),
                No => no = true,
                Is(_) | Turned { .. } => unsure = unsure.max(Some(Halt::Never)),
                Unsure(halt) => unsure = unsure.max(Some(halt)),
            }
        }
        match unsure {
            Some(halt) => Unsure(halt),
            None if no => No,
            None => Outcome::flag(false),
        }
    }

    fn choose(&self, parts: &'q [Expr; 3], items: &[Value<'q>]) -> Outcome<'q> {
        match self.evaluate(&parts[0], items) {
            Is(Value::Bool(true)) => self.evaluate(&parts[1], items),
            Is(Value::Bool(false)) => self.evaluate(&parts[2], items),
            No => weaker(self.evaluate(&parts[2], items)),
            Unsure(Halt::Perhaps) => Unsure(Halt::Perhaps),
            Is(_) | Turned { .. } | Unsure(Halt::Never) => {
                let (yes, no) = (weaker(self.evaluate(&parts[1], items)), weaker(self.evaluate(&parts[2], items)));
                match (yes, no) {
                    (No, No) => No,
                    (Unsure(a), Unsure(b)) => Unsure(a.max(b)),
                    (Unsure(halt), _) | (_, Unsure(halt)) => Unsure(halt),
                    _ => Outcome::unsure(),
                }
            }
        }
    }

    /// Notes work that more of the record makes more of; false if it is too much.
    fn may_go_on(&self, work: usize) -> bool {
        self.work.set(self.work.get().saturating_add(work));
        self.work.get() <= MOST_WORK
    }
}

/// A place counted from the beginning, or from the end if negative.
fn place(index: i64, length: usize) -> Option<usize> {
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    usize::try_from(if index < 0 { index + length } else { index }).ok()
}

/// The same outcome where something before it may have failed.
fn weaker(outcome: Outcome<'_>) -> Outcome<'_> {
    match outcome {
        Is(Value::Bool(false)) | No => No,
        Is(_) | Turned { .. } => Outcome::unsure(),
        Unsure(halt) => Unsure(halt),
    }
}

/// `==`; `None` where it is left to Rhai.
fn equal(left: &Value<'_>, right: &Value<'_>) -> Option<bool> {
    match (left, right) {
        (Value::Other, _)
        | (_, Value::Other)
        | (
            Value::Part(_) | Value::Unread(_) | Value::List(_),
            Value::Part(_) | Value::Unread(_) | Value::List(_),
        ) => None,
        (left, right) => Some(left == right),
    }
}

/// `+`; `None` where it is left to Rhai.
fn sum<'a>(left: Value<'_>, right: &Value<'_>) -> Option<Value<'a>> {
    match (left, right) {
        (Value::Int(left), Value::Int(right)) => left.checked_add(*right).map(Value::Int),
        (Value::Text(left), Value::Text(_)) => {
            let mut text = left.into_owned();
            right.write(&mut text)?;
            Some(Value::Text(Cow::Owned(text)))
        }
        _ => None,
    }
}

fn ordered(relation: Relation, left: &Value<'_>, right: &Value<'_>) -> Option<bool> {
    let order = match (left, right) {
        (Value::Int(left), Value::Int(right)) => left.cmp(right),
        (Value::Text(left), Value::Text(right)) => left.cmp(right),
        // No other value is before or behind nothing, and none is in order with a list or an object.
        (Value::Unit, Value::Int(_) | Value::Text(_)) | (Value::Int(_) | Value::Text(_), Value::Unit) => {
            return Some(false);
        }
        _ => return None,
    };
    Some(match relation {
        Relation::Less => order == Ordering::Less,
        Relation::LessOrEqual => order != Ordering::Greater,
        Relation::Greater => order == Ordering::Greater,
        Relation::GreaterOrEqual => order != Ordering::Less,
        Relation::StartsWith | Relation::EndsWith | Relation::Contains => return None,
    })
}

fn holds(relation: Relation, left: &Value<'_>, right: &Value<'_>) -> Option<bool> {
    Some(match (left, right) {
        (Value::Text(left), Value::Text(right)) => match relation {
            Relation::StartsWith => left.starts_with(&**right),
            Relation::EndsWith => left.ends_with(&**right),
            Relation::Contains => left.contains(&**right),
            _ => return None,
        },
        (Value::Part(part), Value::Text(right)) if relation == Relation::Contains => match part.kind() {
            Kind::Map => part.get(right).is_some(),
            _ if part.len() > LONG_LIST => return None,
            _ => part.items().any(|item| item.as_str() == Some(right)),
        },
        (Value::List(list), Value::Text(right)) if relation == Relation::Contains => {
            list.iter().any(|item| item.text() == Some(right))
        }
        (Value::Other | Value::Part(_) | Value::Unread(_) | Value::List(_), _)
        | (_, Value::Other | Value::Part(_) | Value::Unread(_) | Value::List(_)) => return None,
        // Text is looked for in nothing, in a number, or a number in text.
        (Value::Text(_), _) => false,
        (_, Value::Text(_)) => false,
        _ => return None,
    })
}
