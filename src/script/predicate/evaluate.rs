//! What an expression comes to over one record.
//!
//! Conditions are asked as such, for most of what is asked of every record is one, and a flag is less to hand on than a
//! value.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::cmp::Ordering;
use std::rc::Rc;

use super::{Expr, Halt, LONG_LIST, Literal, Native, Operation, Place, Relation, Source, Value};
use crate::record::{Kind, Ref};
use crate::script::functions::{account_in, region_in};

/// Work at most, of what more of the record makes more of; what takes more is left to Rhai, which may stop it.
const MOST_WORK: usize = 50_000;

/// What a condition comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flag {
    True,
    False,
    /// False, or a failure.
    No,
    Unsure(Halt),
}

impl Flag {
    /// What is not known, and does not end in *not evaluated*.
    pub(super) const UNSURE: Self = Self::Unsure(Halt::Never);

    fn not(self) -> Self {
        match self {
            Self::True => Self::False,
            Self::False => Self::True,
            Self::No => Self::UNSURE,
            Self::Unsure(halt) => Self::Unsure(halt),
        }
    }

    /// The same where something before it may have failed.
    fn weaker(self) -> Self {
        match self {
            Self::False | Self::No => Self::No,
            Self::True => Self::UNSURE,
            Self::Unsure(halt) => Self::Unsure(halt),
        }
    }
}

impl From<bool> for Flag {
    fn from(flag: bool) -> Self {
        if flag { Self::True } else { Self::False }
    }
}

impl From<Option<bool>> for Flag {
    fn from(flag: Option<bool>) -> Self {
        flag.map_or(Self::UNSURE, Self::from)
    }
}

/// What an expression comes to.
pub(super) enum Outcome<'a> {
    Is(Value<'a>),
    /// False, or a failure.
    No,
    Unsure(Halt),
    /// The end of a turn: see [`Expr::Next`]. What the variables hold is held by who is asked.
    Turned {
        is_last: bool,
    },
}

pub(super) use Outcome::{Is, No, Turned, Unsure};

impl<'a> Outcome<'a> {
    /// The value; what is not one is passed on as not known: an operation on something that may fail may fail.
    pub(super) fn value(self) -> Result<Value<'a>, Flag> {
        match self {
            Is(value) => Ok(value),
            No | Turned { .. } => Err(Flag::UNSURE),
            Unsure(halt) => Err(Flag::Unsure(halt)),
        }
    }

    /// As a condition: what is no boolean fails.
    pub(super) fn flag(self) -> Flag {
        match self {
            Is(Value::Bool(flag)) => flag.into(),
            Is(_) | Turned { .. } => Flag::UNSURE,
            No => Flag::No,
            Unsure(halt) => Flag::Unsure(halt),
        }
    }
}

impl From<Flag> for Outcome<'_> {
    fn from(flag: Flag) -> Self {
        match flag {
            Flag::True => Is(Value::Bool(true)),
            Flag::False => Is(Value::Bool(false)),
            Flag::No => No,
            Flag::Unsure(halt) => Unsure(halt),
        }
    }
}

impl<'a> From<Option<Value<'a>>> for Outcome<'a> {
    fn from(value: Option<Value<'a>>) -> Self {
        value.map_or(Unsure(Halt::Never), Is)
    }
}

/// Takes a value, or leaves with what is known instead.
macro_rules! known {
    ($value:expr) => {
        match $value {
            Ok(value) => value,
            Err(flag) => return flag.into(),
        }
    };
}

pub(super) use known;

/// A question about one record.
pub(in crate::script) struct Asked<'q, S: ?Sized> {
    pub(super) source: &'q S,
    /// Those that the question names by number.
    paths: &'q [Vec<String>],
    /// Expressions that were evaluated over items of lists, and text that was read, in blocks of 64 bytes.
    work: Cell<usize>,
    /// What variables hold behind a turn, on top of what nobody asked for any more.
    pub(super) held: RefCell<Vec<Value<'q>>>,
}

impl<'q, S: Source + ?Sized> Asked<'q, S> {
    pub(in crate::script) fn new(source: &'q S, paths: &'q [Vec<String>]) -> Self {
        Self { source, paths, work: Cell::new(0), held: RefCell::default() }
    }

    /// What an expression is; `None` if it is not known, or fails.
    pub(in crate::script) fn value(&self, expr: &'q Expr) -> Option<Value<'q>> {
        self.evaluate(expr, &[]).value().ok()
    }

    /// What a condition comes to, among these items of lists.
    pub(super) fn ask(&self, expr: &'q Expr, items: &[Value<'q>]) -> Flag {
        match expr {
            Expr::All(parts) => self.all(parts, items),
            Expr::Any(parts) => self.any(parts, items),
            Expr::Not(inner) => self.ask(inner, items).not(),
            Expr::Equal(sides) => self.equal(sides, items),
            Expr::OneOf(inner, literals) => match known!(self.known(inner, items)) {
                // `()` is in no list.
                Value::Unit => Flag::False,
                Value::Text(text) => literals.iter().any(|literal| literal.text() == Some(&*text)).into(),
                Value::Part(_) | Value::Unread(_) | Value::List(_) | Value::Map(_) | Value::Other => Flag::UNSURE,
                value => literals.iter().any(|literal| literal.value() == value).into(),
            },
            Expr::Literal(Literal::Bool(flag)) => (*flag).into(),
            Expr::Unknown(halt) => Flag::Unsure(*halt),
            Expr::Order(..) | Expr::Text(..) | Expr::Matches(..) | Expr::Each(..) | Expr::If(_) => {
                self.ask_other(expr, items)
            }
            other => self.evaluate(other, items).flag(),
        }
    }

    /// What is rarely asked of every record: apart, for it would make the calls of the others dearer.
    #[inline(never)]
    fn ask_other(&self, expr: &'q Expr, items: &[Value<'q>]) -> Flag {
        match expr {
            Expr::Order(relation, sides) => {
                let left = known!(self.known(&sides[0], items));
                let right = known!(self.known(&sides[1], items));
                ordered(*relation, &left, &right).into()
            }
            Expr::Text(relation, sides) => {
                let left = known!(self.known(&sides[0], items));
                let right = known!(self.known(&sides[1], items));
                if !self.may_read([&left]) {
                    return Flag::UNSURE;
                }
                holds(*relation, &left, &right).into()
            }
            Expr::Matches(inner, pattern) => match known!(self.known(inner, items)) {
                value if !self.may_read([&value]) => Flag::UNSURE,
                Value::Text(text) => pattern.holds(&text).into(),
                Value::Other => Flag::UNSURE,
                _ => Flag::False,
            },
            Expr::Each(parts, all, within) => match items.get(..within.around) {
                Some(items) => self.each(parts, *all, within.work, items),
                None => Flag::UNSURE,
            },
            Expr::If(parts) => match self.ask(&parts[0], items) {
                Flag::True => self.ask(&parts[1], items),
                Flag::False => self.ask(&parts[2], items),
                undecided => self.either(undecided, parts, items),
            },
            other => self.evaluate(other, items).flag(),
        }
    }

    /// What one of two comes to, where it is not decided which.
    fn either(&self, condition: Flag, parts: &'q [Expr; 3], items: &[Value<'q>]) -> Flag {
        match condition {
            Flag::Unsure(Halt::Perhaps) => condition,
            Flag::No => self.ask(&parts[2], items).weaker(),
            _ => match (self.ask(&parts[1], items).weaker(), self.ask(&parts[2], items).weaker()) {
                (Flag::Unsure(a), Flag::Unsure(b)) => Flag::Unsure(a.max(b)),
                (Flag::Unsure(halt), _) | (_, Flag::Unsure(halt)) => Flag::Unsure(halt),
                _ => Flag::No,
            },
        }
    }

    pub(super) fn all(&self, parts: &'q [Expr], items: &[Value<'q>]) -> Flag {
        let mut unsure = None;
        for part in parts {
            match self.ask(part, items) {
                Flag::True => {}
                Flag::False if unsure.is_none() => return Flag::False,
                Flag::False | Flag::No if unsure != Some(Halt::Perhaps) => return Flag::No,
                Flag::False | Flag::No => {}
                Flag::Unsure(halt) => unsure = unsure.max(Some(halt)),
            }
        }
        unsure.map_or(Flag::True, Flag::Unsure)
    }

    fn any(&self, parts: &'q [Expr], items: &[Value<'q>]) -> Flag {
        let mut unsure = None;
        let mut no = false;
        for part in parts {
            match self.ask(part, items) {
                Flag::False => {}
                Flag::True if unsure.is_none() && !no => return Flag::True,
                Flag::No => no = true,
                Flag::True => unsure = unsure.max(Some(Halt::Never)),
                Flag::Unsure(halt) => unsure = unsure.max(Some(halt)),
            }
        }
        match unsure {
            Some(halt) => Flag::Unsure(halt),
            None if no => Flag::No,
            None => Flag::False,
        }
    }

    fn equal(&self, [left, right]: &'q [Expr; 2], items: &[Value<'q>]) -> Flag {
        let left = known!(self.known(left, items));
        match (right, &left) {
            (Expr::Literal(_), Value::Other) => Flag::UNSURE,
            // Often asked: whether something is there, and whether it is some text.
            (Expr::Literal(Literal::Unit), left) => (*left == Value::Unit).into(),
            (Expr::Literal(Literal::Text(text)), left) => (left.text() == Some(text)).into(),
            (right, left) => equal(left, &known!(self.known(right, items))).into(),
        }
    }

    /// The value of an expression, or what is known instead.
    #[inline(always)]
    fn known(&self, expr: &'q Expr, items: &[Value<'q>]) -> Result<Value<'q>, Flag> {
        match expr {
            Expr::Path(number) => self.source.field(*number, &self.paths[*number]).ok_or(Flag::UNSURE),
            Expr::Literal(literal) => Ok(literal.value()),
            other => self.evaluate(other, items).value(),
        }
    }

    /// What an expression comes to, among these items of lists.
    pub(super) fn evaluate(&self, expr: &'q Expr, items: &[Value<'q>]) -> Outcome<'q> {
        match expr {
            Expr::Literal(literal) => Is(literal.value()),
            Expr::Path(number) => self.source.field(*number, &self.paths[*number]).into(),
            Expr::Item(at) => items.get(*at).cloned().into(),
            // Asked of every record: without a list on the heap.
            Expr::Call(native, args) => match args.as_slice() {
                [one] => self.call(native, &[known!(self.known(one, items))]),
                [one, two] => self.call(native, &[known!(self.known(one, items)), known!(self.known(two, items))]),
                [one, two, three] => {
                    let values = [
                        known!(self.known(one, items)),
                        known!(self.known(two, items)),
                        known!(self.known(three, items)),
                    ];
                    self.call(native, &values)
                }
                args => {
                    let mut values = Vec::with_capacity(args.len());
                    for arg in args {
                        values.push(known!(self.known(arg, items)));
                    }
                    self.call(native, &values)
                }
            },
            Expr::Unknown(halt) => Unsure(*halt),
            other => self.evaluate_other(other, items),
        }
    }

    /// What is rarely asked of every record.
    fn evaluate_other(&self, expr: &'q Expr, items: &[Value<'q>]) -> Outcome<'q> {
        match expr {
            Expr::Member(inner, name) => match known!(self.known(inner, items)) {
                Value::Part(part) => Is(part.get(name).map_or(Value::Unit, Value::of)),
                Value::Map(members) => Is(Value::member(&members, name)),
                Value::Unread(_) | Value::Other => Unsure(Halt::Never),
                _ => Is(Value::Unit),
            },
            Expr::Bracket(parts) => match known!(self.known(&parts[1], items)) {
                Value::Unit => match known!(self.known(&parts[0], items)) {
                    Value::Unit | Value::Bool(_) | Value::Part(_) | Value::Unread(_) | Value::Map(_) => Is(Value::Unit),
                    _ => Unsure(Halt::Never),
                },
                value => Is(value),
            },
            Expr::At(parts) => {
                let within = known!(self.known(&parts[0], items));
                match (within, known!(self.known(&parts[1], items))) {
                    (Value::Part(part), Value::Int(index)) => {
                        let item = place(index, part.len()).and_then(|index| part.items().nth(index));
                        Is(Value::of_field(item))
                    }
                    (Value::List(list), Value::Int(index)) => {
                        let item = place(index, list.len()).and_then(|index| list.get(index).cloned());
                        Is(item.unwrap_or(Value::Unit))
                    }
                    (Value::Part(part), Value::Text(name)) => Is(Value::of_field(part.get(&name))),
                    (Value::Map(members), Value::Text(name)) => Is(Value::member(&members, &name)),
                    (Value::Unit, Value::Int(_) | Value::Text(_) | Value::Unit) | (Value::Part(_), Value::Unit) => {
                        Is(Value::Unit)
                    }
                    // Letters and bits are Rhai's own.
                    _ => Unsure(Halt::Never),
                }
            }
            Expr::If(parts) => match self.ask(&parts[0], items) {
                Flag::True => self.evaluate(&parts[1], items),
                Flag::False => self.evaluate(&parts[2], items),
                undecided => self.either(undecided, parts, items).into(),
            },
            Expr::Listed(inner) => match known!(self.known(inner, items)) {
                Value::Unit => Is(Value::List(Rc::default())),
                Value::Text(text) if text.is_empty() => Is(Value::List(Rc::default())),
                Value::Part(part) if part.kind() == Kind::List => Is(Value::Part(part)),
                Value::List(list) => Is(Value::List(list)),
                Value::Unread(_) | Value::Other => Unsure(Halt::Never),
                one => Value::list(vec![one]).into(),
            },
            Expr::List(parts) => {
                let mut list = Vec::with_capacity(parts.len());
                for part in parts {
                    list.push(known!(self.known(part, items)));
                }
                Value::list(list).into()
            }
            Expr::Map(names, parts) => {
                let mut members = Vec::with_capacity(parts.len());
                for (name, part) in names.iter().zip(parts) {
                    members.push((&**name, known!(self.known(part, items))));
                }
                Value::map(members).into()
            }
            Expr::Grown(parts) => {
                let Value::List(list) = known!(self.known(&parts[0], items)) else { return Unsure(Halt::Never) };
                let item = known!(self.known(&parts[1], items));
                if !self.may_go_on(1 + list.len() / 16) {
                    return Unsure(Halt::Never);
                }
                Value::list(list.iter().cloned().chain([item]).collect()).into()
            }
            Expr::Next(parts, is_last) => {
                for part in parts {
                    let value = known!(self.known(part, items));
                    self.held.borrow_mut().push(value);
                }
                Turned { is_last: *is_last }
            }
            Expr::Pick(parts, picks, within) => match items.get(..within.around) {
                Some(items) => self.pick(parts, *picks, within.work, items),
                None => Unsure(Halt::Never),
            },
            Expr::While(parts, within) => match items.get(..within.around) {
                Some(items) => self.turns_while(parts, within.work, items),
                None => Unsure(Halt::Never),
            },
            Expr::Range(sides, inclusive) => {
                let from = known!(self.known(&sides[0], items));
                let to = known!(self.known(&sides[1], items));
                range(&from, &to, *inclusive).into()
            }
            Expr::Loop(parts, within) => match items.get(..within.around) {
                Some(items) => self.turns(parts, within.work, items),
                None => Unsure(Halt::Never),
            },
            Expr::Coalesce(parts) => {
                let mut value = Value::Unit;
                for part in parts {
                    value = known!(self.known(part, items));
                    if value != Value::Unit {
                        break;
                    }
                }
                Is(value)
            }
            Expr::Place(place) => {
                let [account, region] = self.source.scope();
                let (name, told): (_, fn(Ref<'_>) -> Option<&str>) = match place {
                    Place::Account => (account, account_in),
                    Place::Region => (region, region_in),
                };
                match (name, self.source.unplaced()) {
                    (Some(name), _) => Is(Value::of_text(name)),
                    (None, Some(record)) => Is(told(record).map_or(Value::Unit, Value::of_text)),
                    (None, None) => Unsure(Halt::Never),
                }
            }
            Expr::Join(parts) => {
                let mut text = String::new();
                for part in parts {
                    let value = known!(self.known(part, items));
                    if !self.may_read([&value]) || value.write(&mut text).is_none() {
                        return Unsure(Halt::Never);
                    }
                }
                Is(Value::Text(Cow::Owned(text)))
            }
            Expr::Reckon(operation, sides) => {
                let left = known!(self.known(&sides[0], items));
                let right = known!(self.known(&sides[1], items));
                if !self.may_read([&left]) {
                    return Unsure(Halt::Never);
                }
                reckoned(*operation, left, &right).into()
            }
            Expr::Find(inner, finding) => match known!(self.known(inner, items)) {
                value if !self.may_read([&value]) => Unsure(Halt::Never),
                Value::Text(Cow::Borrowed(text)) => Is(finding.of(text).map_or(Value::Unit, Value::of_text)),
                Value::Text(text) => {
                    let found = finding.of(&text).map(|found| Value::Text(Cow::Owned(found.to_owned())));
                    Is(found.unwrap_or(Value::Unit))
                }
                Value::Other => Unsure(Halt::Never),
                _ => Is(Value::Unit),
            },
            Expr::LookUp(look_up) => {
                let value = match known!(self.known(&look_up.value, items)) {
                    Value::Text(text) => Some(text),
                    Value::Int(number) => Some(Cow::Owned(number.to_string())),
                    Value::Bool(flag) => Some(Cow::Borrowed(if flag { "true" } else { "false" })),
                    Value::Other => return Unsure(Halt::Never),
                    // Nothing is found by nothing, by a list or by an object.
                    Value::Unit | Value::Part(_) | Value::Unread(_) | Value::List(_) | Value::Map(_) => None,
                };
                if value.is_some_and(|value| !self.source.finds_none(&look_up.kind, &look_up.key, &value)) {
                    return Unsure(Halt::Never);
                }
                Is(if look_up.gives_list { Value::List(Rc::default()) } else { Value::Unit })
            }
            Expr::After(parts) => match self.evaluate(&parts[0], items) {
                Is(_) => self.evaluate(&parts[1], items),
                Unsure(Halt::Perhaps) => Unsure(Halt::Perhaps),
                No | Unsure(Halt::Never) | Turned { .. } => self.ask(&parts[1], items).weaker().into(),
            },
            Expr::Not(_)
            | Expr::All(_)
            | Expr::Any(_)
            | Expr::Equal(_)
            | Expr::Order(..)
            | Expr::Text(..)
            | Expr::OneOf(..)
            | Expr::Each(..)
            | Expr::Matches(..) => self.ask(expr, items).into(),
            Expr::Literal(_) | Expr::Path(_) | Expr::Item(_) | Expr::Call(..) | Expr::Unknown(_) => {
                self.evaluate(expr, items)
            }
        }
    }

    /// What a function of the table answers.
    fn call(&self, native: &Native, args: &[Value<'q>]) -> Outcome<'q> {
        if !self.may_read(args) {
            return Unsure(Halt::Never);
        }
        match (native.function)(args) {
            Some(made) if native.makes && !self.may_read([&made]) => Unsure(Halt::Never),
            answer => answer.into(),
        }
    }

    /// Notes the text of values as work; false if it is too much.
    #[inline]
    fn may_read<'v>(&self, values: impl IntoIterator<Item = &'v Value<'q>>) -> bool
    where
        'q: 'v,
    {
        let length: usize = values.into_iter().map(|value| value.text().map_or(0, str::len)).sum();
        length < 64 || self.may_go_on(length / 64)
    }

    /// Notes work that more of the record makes more of; false if it is too much.
    pub(super) fn may_go_on(&self, work: usize) -> bool {
        self.work.set(self.work.get().saturating_add(work));
        self.work.get() <= MOST_WORK
    }
}

/// The numbers of a range, unless they are many.
fn range<'a>(from: &Value<'_>, to: &Value<'_>, inclusive: bool) -> Option<Value<'a>> {
    let (Value::Int(from), Value::Int(to)) = (from, to) else { return None };
    let to = if inclusive { to.checked_add(1)? } else { *to };
    let count = usize::try_from(to.saturating_sub(*from).max(0)).ok()?;
    (count <= LONG_LIST).then(|| Value::List((*from..to).map(Value::Int).collect()))
}

/// A place counted from the beginning, or from the end if negative.
fn place(index: i64, length: usize) -> Option<usize> {
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    usize::try_from(if index < 0 { index + length } else { index }).ok()
}

/// `==`; `None` where it is left to Rhai.
fn equal(left: &Value<'_>, right: &Value<'_>) -> Option<bool> {
    match (left, right) {
        (Value::Other, _)
        | (_, Value::Other)
        | (
            Value::Part(_) | Value::Unread(_) | Value::List(_) | Value::Map(_),
            Value::Part(_) | Value::Unread(_) | Value::List(_) | Value::Map(_),
        ) => None,
        (left, right) => Some(left == right),
    }
}

/// An operation; `None` where it is left to Rhai.
fn reckoned<'a>(operation: Operation, left: Value<'_>, right: &Value<'_>) -> Option<Value<'a>> {
    match (left, right) {
        (Value::Int(left), Value::Int(right)) => operation.of(left, *right).map(Value::Int),
        (Value::Text(left), Value::Text(_)) if operation == Operation::Plus => {
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
        (Value::Other | Value::Part(_) | Value::Unread(_) | Value::List(_) | Value::Map(_), _)
        | (_, Value::Other | Value::Part(_) | Value::Unread(_) | Value::List(_) | Value::Map(_)) => return None,
        // Text is looked for in nothing, in a number, or a number in text.
        (Value::Text(_), _) => false,
        (_, Value::Text(_)) => false,
        _ => return None,
    })
}
