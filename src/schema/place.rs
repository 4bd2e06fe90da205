//! A place in a record or a resource: what it can hold, and what the places below it are.
//!
//! Several things may be true of a place at once: a path is walked for every call that a policy may be asked about, and
//! CloudTrail spells some of them in two ways. What is known of any of them is known of the place.

use super::events::{Call, Shapes};
use super::models::{self, Form, Operation, Service, Type};
use super::notation::Hand;
use super::spelling::{self, Dialect, Spelling};

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

/// One thing that is true of a place.
#[derive(Clone, Copy)]
pub(super) enum At<'a> {
    /// Anything.
    Any,
    /// What somebody wrote.
    Hand { hand: &'a Hand, is_closed: bool },
    /// What an operation takes or gives.
    End { service: &'static Service, operation: Operation, is_request: bool },
    /// A value of the API's model, reached through an element of that name.
    Model { service: &'static Service, of: Type, dialect: Dialect, wire: &'static str },
    /// The list in a set of EC2, of such items.
    Items { service: &'static Service, of: Type, dialect: Dialect, called: Spelling },
    /// An item of it that is an object with one member.
    Single { service: &'static Service, of: Type, dialect: Dialect, called: Spelling },
    /// A value of a simple kind.
    Scalar(Holds),
    /// Members of simple kinds.
    Fixed(&'static [(&'static str, Holds)]),
    /// Links of API Gateway.
    Links,
}

/// What one thing says of a name.
enum Answer {
    Known,
    Unknown { is_closed: bool },
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

impl<'a> At<'a> {
    fn field(self, name: &str, place: &Place<'a>, out: &mut Vec<Self>) -> Answer {
        match self {
            Self::Any => Answer::Open,
            Self::Hand { hand: Hand::Structure { members, others, is_open }, is_closed } => {
                match members.get(name).or(others.as_deref()) {
                    Some(hand) => out.extend(place.below(hand, is_closed)),
                    None if *is_open => return Answer::Open,
                    None => return Answer::Unknown { is_closed },
                }
                Answer::Known
            }
            Self::Hand { hand: Hand::Scalar { holds: Holds::Any, .. }, .. } => Answer::Open,
            Self::Hand { is_closed, .. } => Answer::Unknown { is_closed },
            _ => {
                let before = out.len();
                self.children(place.is_plain, &mut |spelling, child| {
                    if spelling.is(name) {
                        out.push(child);
                    }
                });
                if out.len() > before {
                    return Answer::Known;
                }
                match self.other(name, place.is_plain) {
                    Some(Self::Any) => Answer::Open,
                    Some(child) => {
                        out.push(child);
                        Answer::Known
                    }
                    None => Answer::Unknown { is_closed: self.is_closed() },
                }
            }
        }
    }

    /// What is below it under names that are known.
    fn children(self, is_plain: bool, visit: &mut dyn FnMut(Spelling, Self)) {
        match self {
            Self::End { service, operation, is_request } => {
                super::ends::children(service, operation, is_request, is_plain, visit);
            }
            Self::Model { service, of: Type::Shape(number), dialect, wire } => match service.form(number) {
                Form::Structure(line) => structure(service, line, dialect, visit),
                Form::List { item, flat, of } => {
                    let called = spelling::item_name(wire, item);
                    let list = Self::Items { service, of, dialect, called };
                    if dialect.has_sets() {
                        visit(Spelling::exact("items"), list);
                        visit(Spelling::exact("item"), list);
                    } else if dialect == Dialect::Xml && !flat {
                        visit(Spelling::exact(if item.is_empty() { "member" } else { item }), list);
                    } else if dialect.is_xml() {
                        // One item stands for the list, as an object.
                        list.children(is_plain, visit);
                    }
                }
                _ => {}
            },
            Self::Items { service, of, dialect, called } if dialect.is_xml() => {
                if dialect == Dialect::Ec2Query && !is_plain {
                    visit(Spelling::exact("content"), Self::Model { service, of, dialect, wire: called.base() });
                }
                visit(Spelling::exact("tag"), Self::Scalar(Holds::Int));
                Self::Model { service, of, dialect, wire: called.base() }.children(is_plain, visit);
            }
            Self::Fixed(members) => {
                for (name, holds) in members {
                    visit(Spelling::exact(name), Self::Scalar(*holds));
                }
            }
            Self::Single { service, of, dialect, called } => {
                visit(called, Self::Model { service, of, dialect, wire: called.base() });
            }
            _ => {}
        }
    }

    /// What is below it under any other name.
    fn other(self, name: &str, is_plain: bool) -> Option<Self> {
        match self {
            Self::Links => Some(Self::Any),
            Self::Scalar(Holds::Any) => Some(Self::Any),
            Self::End { service, operation, is_request } => super::ends::other(service, operation, is_request, name),
            Self::Model { of: Type::Document, .. } => Some(Self::Any),
            // Policies and other documents, which the language parses.
            Self::Model { of: Type::Text, .. } | Self::Single { of: Type::Text, .. } if is_plain => Some(Self::Any),
            Self::Model { service, of: Type::Shape(number), dialect, wire } => match service.form(number) {
                Form::Map(of) => Some(Self::Model { service, of, dialect, wire }),
                _ => None,
            },
            _ => None,
        }
    }

    fn item(self) -> Option<Self> {
        match self {
            Self::Any | Self::Model { of: Type::Document, .. } => Some(Self::Any),
            Self::Scalar(Holds::Any) | Self::Hand { hand: Hand::Scalar { holds: Holds::Any, .. }, .. } => {
                Some(Self::Any)
            }
            // Words of a query string are lists of one in some records.
            Self::Scalar(_) | Self::Hand { hand: Hand::Scalar { .. }, is_closed: false } => Some(self),
            Self::Hand { hand: Hand::List(hand), is_closed } => Some(Self::Hand { hand, is_closed }),
            Self::Items { service, of, dialect, called } => Some(item(service, of, dialect, called)),
            Self::Model { service, of: Type::Shape(number), dialect, wire } => match service.form(number) {
                Form::List { item: element, of, .. } => {
                    Some(item(service, of, dialect, spelling::item_name(wire, element)))
                }
                _ if dialect.is_xml() => Some(self),
                _ => None,
            },
            Self::Model { dialect, .. } if dialect.is_xml() => Some(self),
            _ => None,
        }
    }

    fn holds(self) -> Holds {
        match self {
            Self::Any => Holds::Any,
            Self::Scalar(holds) => holds,
            Self::Hand { hand: Hand::Scalar { holds, .. }, .. } => *holds,
            Self::Hand { hand: Hand::List(_), .. } | Self::Items { .. } => Holds::List,
            Self::Hand { hand: Hand::Structure { members, others: Some(_), .. }, .. } if members.is_empty() => {
                Holds::Map
            }
            Self::Hand { .. } | Self::End { .. } | Self::Single { .. } | Self::Fixed(_) => Holds::Structure,
            Self::Links => Holds::Map,
            Self::Model { service, of, .. } => match of {
                Type::Text | Type::Bytes => Holds::Text,
                Type::Int => Holds::Int,
                Type::Number => Holds::Number,
                Type::Bool => Holds::Bool,
                Type::Time => Holds::Time,
                Type::Document => Holds::Any,
                Type::Shape(number) => match service.form(number) {
                    Form::Structure(_) => Holds::Structure,
                    Form::List { .. } => Holds::List,
                    Form::Map(_) => Holds::Map,
                    Form::Values(_) => Holds::Text,
                },
            },
        }
    }

    fn values(self) -> Option<Vec<&'a str>> {
        match self {
            Self::Hand { hand: Hand::Scalar { values, .. }, .. } if !values.is_empty() => {
                Some(values.iter().map(String::as_str).collect())
            }
            Self::Model { service, of: Type::Shape(number), .. } => match service.form(number) {
                Form::Values(values) => Some(values.split('\t').collect()),
                _ => None,
            },
            _ => None,
        }
    }

    fn is_closed(self) -> bool {
        match self {
            Self::Hand { is_closed, .. } => is_closed,
            _ => self.is_exact(),
        }
    }

    /// True where values are of the kind that the model says.
    fn is_exact(self) -> bool {
        matches!(
            self,
            Self::Model { dialect: Dialect::Api, .. } | Self::Single { dialect: Dialect::Api, .. } | Self::Fixed(_)
        )
    }
}

impl<'a> Place<'a> {
    /// What somebody wrote, or what it stands for.
    fn below(&self, hand: &'a Hand, is_closed: bool) -> Vec<At<'a>> {
        match hand {
            Hand::Request => self.shapes.all_ends(self.calls, true),
            Hand::Response => self.shapes.all_ends(self.calls, false),
            _ => vec![At::Hand { hand, is_closed }],
        }
    }
}

/// An item of a list: in EC2's classic requests one that is no structure is an object with one member.
fn item<'a>(service: &'static Service, of: Type, dialect: Dialect, called: Spelling) -> At<'a> {
    let is_structure = matches!(of, Type::Shape(number) if matches!(service.form(number), Form::Structure(_)));
    match dialect {
        Dialect::Ec2Request if !is_structure => At::Single { service, of, dialect, called },
        Dialect::Ec2Query => At::Items { service, of, dialect, called },
        _ => At::Model { service, of, dialect, wire: called.base() },
    }
}

/// The members of a structure, by every spelling.
pub(super) fn structure<'a>(
    service: &'static Service,
    line: &'static str,
    dialect: Dialect,
    visit: &mut dyn FnMut(Spelling, At<'a>),
) {
    for member in models::members(line) {
        let is_list = dialect == Dialect::Ec2Request
            && matches!(member.of, Type::Shape(number) if matches!(service.form(number), Form::List { .. }));
        let child = At::Model { service, of: member.of, dialect, wire: member.wire };
        spelling::spellings(&member, is_list, dialect, &mut |spelling| visit(spelling, child));
    }
    match dialect {
        Dialect::Xml => {
            for name in ["xmlns", "xmlns:xsi"] {
                visit(Spelling::exact(name), At::Scalar(Holds::Text));
            }
        }
        Dialect::Ec2Xml => {
            for name in ["xmlns", "requestId"] {
                visit(Spelling::exact(name), At::Scalar(Holds::Text));
            }
            visit(Spelling::exact("return"), At::Scalar(Holds::Bool));
        }
        _ => {}
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
