//! What must be so for an expression to be true, as far as an index can use it: what is asked of a record, and which texts
//! the answer must be, or hold.

use std::borrow::Cow;

use super::{Asked, Expr, Literal, Relation, Source, Value};

/// Questions of which one must be answered; what needs more of them is found in no index.
const MOST_QUESTIONS: usize = 8;

/// Something that scripts ask of a record, alike in all of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    expr: Expr,
    /// Those that it names by number, and no others.
    paths: Vec<Vec<String>>,
}

/// The answer to a question, where text is wanted.
#[derive(Debug)]
pub enum Reply<'q> {
    /// Text.
    Text(Cow<'q, str>),
    /// `()`.
    Nothing,
    /// Something else that is no text, and holds none.
    NoText,
    /// What is no text, and may hold some; or it is not known.
    Perhaps,
}

impl Question {
    fn of(expr: &Expr, paths: &[Vec<String>]) -> Self {
        let mut question = Self { expr: expr.clone(), paths: Vec::new() };
        let named = &mut question.paths;
        question.expr.renumber(&mut |number| {
            let path = paths.get(number).cloned().unwrap_or_default();
            named.iter().position(|known| *known == path).unwrap_or_else(|| {
                named.push(path);
                named.len() - 1
            })
        });
        question
    }

    /// The paths of the fields that it is about, by the numbers by which it asks a [`Source`] for them.
    pub fn paths(&self) -> &[Vec<String>] {
        &self.paths
    }

    /// Whether it asks what a field is, and nothing else.
    pub fn is_field(&self) -> bool {
        matches!(self.expr, Expr::Path(_))
    }

    /// The answer of a record.
    pub fn ask<'q>(&'q self, source: &'q (impl Source + ?Sized)) -> Reply<'q> {
        match Asked::new(source, &self.paths).value(&self.expr) {
            Some(Value::Text(text)) => Reply::Text(text),
            Some(Value::Unit) => Reply::Nothing,
            Some(Value::Bool(_) | Value::Int(_)) => Reply::NoText,
            Some(Value::Part(_) | Value::Unread(_) | Value::List(_) | Value::Map(_) | Value::Other) | None => {
                Reply::Perhaps
            }
        }
    }
}

/// What the answer to a question must be.
#[derive(Debug)]
pub struct Demand<'p> {
    /// What is asked.
    pub question: Question,
    /// It is one of these texts,
    pub texts: Vec<&'p str>,
    /// or holds one of these,
    pub pieces: Vec<&'p str>,
    /// or, if this is so, it is anything but `()`.
    pub anything: bool,
}

/// What an expression must be.
#[derive(Clone, Debug)]
pub(super) struct Need<'e> {
    of: &'e Expr,
    texts: Vec<&'e str>,
    pieces: Vec<&'e str>,
    anything: bool,
}

/// Needs of which one must be met.
pub(super) type Cover<'e> = Vec<Need<'e>>;

impl<'e> Need<'e> {
    /// With the paths of the expression by these numbers.
    pub(super) fn demand(self, paths: &[Vec<String>]) -> Demand<'e> {
        let Self { of, texts, pieces, anything } = self;
        Demand { question: Question::of(of, paths), texts, pieces, anything }
    }

    fn texts(of: &'e Expr, texts: Vec<&'e str>) -> Cover<'e> {
        vec![Self { of, texts, pieces: Vec::new(), anything: false }]
    }

    fn piece(of: &'e Expr, piece: &'e str) -> Cover<'e> {
        vec![Self { of, texts: Vec::new(), pieces: vec![piece], anything: false }]
    }

    fn anything(of: &'e Expr) -> Cover<'e> {
        vec![Self { of, texts: Vec::new(), pieces: Vec::new(), anything: true }]
    }

    fn join(&mut self, other: &Self) {
        let join = |own: &mut Vec<&'e str>, others: &[&'e str]| {
            let new: Vec<&str> = others.iter().filter(|text| !own.contains(text)).copied().collect();
            own.extend(new);
        };
        join(&mut self.texts, &other.texts);
        join(&mut self.pieces, &other.pieces);
        self.anything |= other.anything;
    }
}

impl Expr {
    /// Adds what must be so for it to be `wanted`: of each that is added one need must be met.
    pub(super) fn require<'e>(&'e self, wanted: bool, covers: &mut Vec<Cover<'e>>) {
        match self {
            Self::Not(inner) => inner.require(!wanted, covers),
            Self::All(parts) if wanted => parts.iter().for_each(|part| part.require(true, covers)),
            Self::Any(parts) if !wanted => parts.iter().for_each(|part| part.require(false, covers)),
            // One of them holds.
            Self::All(parts) | Self::Any(parts) => {
                // A part that is never as wanted allows nothing.
                let is_never =
                    |part: &&Expr| matches!(part, Self::Literal(literal) if *literal != Literal::Bool(wanted));
                let mut each = parts.iter().filter(|part| !is_never(part)).map(|part| {
                    let mut own = Vec::new();
                    part.require(wanted, &mut own);
                    own
                });
                covers.extend(each.next().map(|first| each.fold(first, either)).unwrap_or_default());
            }
            Self::If(parts) => {
                let [condition, yes, no] = &**parts;
                let branch = |flag: bool, value: &'e Expr| {
                    let mut own = Vec::new();
                    condition.require(flag, &mut own);
                    value.require(wanted, &mut own);
                    own
                };
                let is_never =
                    |value: &Expr| matches!(value, Self::Literal(literal) if *literal != Literal::Bool(wanted));
                if is_never(yes) {
                    covers.extend(branch(false, no));
                } else if is_never(no) {
                    covers.extend(branch(true, yes));
                } else {
                    covers.extend(either(branch(true, yes), branch(false, no)));
                }
            }
            Self::After(parts) => parts[1].require(wanted, covers),
            Self::Equal(sides) if wanted => match &**sides {
                [of, Self::Literal(Literal::Text(text))] | [Self::Literal(Literal::Text(text)), of]
                    if of.is_askable() =>
                {
                    covers.push(Need::texts(of, vec![text]));
                }
                _ => {}
            },
            Self::Equal(sides) => match &**sides {
                [of, Self::Literal(Literal::Unit)] | [Self::Literal(Literal::Unit), of] if of.is_askable() => {
                    covers.push(Need::anything(of));
                }
                _ => {}
            },
            // Of no items none is as it should be.
            Self::Each(parts, all, _) if *all != wanted => {
                let list = if let Self::Listed(list) = &parts[0] { list } else { &parts[0] };
                if list.is_askable() {
                    covers.push(Need::anything(list));
                }
            }
            // Without a turn it is what follows.
            Self::Loop(parts, _) => {
                if let [list, .., Self::Literal(literal)] = parts.as_slice()
                    && *literal != Literal::Bool(wanted)
                {
                    let list = if let Self::Listed(list) = list { list } else { list };
                    if list.is_askable() {
                        covers.push(Need::anything(list));
                    }
                }
            }
            Self::OneOf(of, literals) if wanted && of.is_askable() => {
                let text = |literal: &'e Literal| match literal {
                    Literal::Text(text) => Some(&**text),
                    _ => None,
                };
                if let Some(texts) = literals.iter().map(text).collect() {
                    covers.push(Need::texts(of, texts));
                }
            }
            Self::Text(Relation::StartsWith | Relation::EndsWith | Relation::Contains, sides) if wanted => {
                if let [of, Self::Literal(Literal::Text(text))] = &**sides
                    && of.is_askable()
                    && !text.is_empty()
                {
                    covers.push(Need::piece(of, text));
                }
            }
            Self::Matches(of, pattern) if wanted && of.is_askable() => {
                covers.extend(pattern.piece().map(|piece| Need::piece(of, piece)));
            }
            _ => {}
        }
    }

    /// True for what has an answer of every whole record, which is not the same for all.
    fn is_askable(&self) -> bool {
        let value = if let Self::Bracket(parts) = self { &parts[1] } else { self };
        value.is_safe() && value.is_of_record()
    }

    fn is_of_record(&self) -> bool {
        matches!(self, Self::Path(_) | Self::Place(_)) || self.parts().iter().any(Self::is_of_record)
    }
}

/// What must be so if one of two lists of covers holds: what both say of one expression, to what any of them allows; or else
/// one of what they say of several.
fn either<'e>(a: Vec<Cover<'e>>, b: Vec<Cover<'e>>) -> Vec<Cover<'e>> {
    let mut both = Vec::new();
    for one in &a {
        let alike = |other: &&Cover<'e>| {
            one.len() == other.len() && other.iter().all(|need| one.iter().any(|known| known.of == need.of))
        };
        both.extend(b.iter().filter(alike).map(|other| joined(one, other)));
    }
    if both.is_empty()
        && let (Some(one), Some(other)) = (best(&a), best(&b))
    {
        both.extend(Some(joined(one, other)).filter(|cover| cover.len() <= MOST_QUESTIONS));
    }
    both
}

fn joined<'e>(one: &Cover<'e>, other: &Cover<'e>) -> Cover<'e> {
    let mut both = one.clone();
    for need in other {
        match both.iter_mut().find(|known| known.of == need.of) {
            Some(known) => known.join(need),
            None => both.push(need.clone()),
        }
    }
    both
}

/// The cover that is met by the fewest records, as far as one can tell.
fn best<'c, 'e>(covers: &'c [Cover<'e>]) -> Option<&'c Cover<'e>> {
    covers.iter().min_by_key(|cover| {
        let (pieces, texts): (Vec<usize>, Vec<usize>) =
            cover.iter().map(|need| (need.pieces.len(), need.texts.len())).unzip();
        let is_loose = cover.iter().any(|need| need.anything);
        (is_loose, pieces.iter().sum::<usize>(), cover.len(), texts.iter().sum::<usize>())
    })
}
