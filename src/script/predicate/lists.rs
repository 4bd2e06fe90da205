//! What is asked of the items of a list, one after another: closures, and loops with the variables that they change.

use std::rc::Rc;

use super::evaluate::{Asked, Flag, Is, Outcome, Turned, known};
use super::{Expr, LONG_LIST, Picks, Source, Value};
use crate::record::{Kind, Ref};

/// What has items.
enum Items<'a> {
    Of(Ref<'a>),
    In(Rc<[Value<'a>]>),
}

impl<'a> Items<'a> {
    /// The items of a value as list functions and loops see them, where that is not left to Rhai.
    fn of(value: Value<'a>) -> Result<Self, Flag> {
        match value {
            Value::Part(part) if part.len() <= LONG_LIST => Ok(Self::Of(part)),
            Value::List(list) => Ok(Self::In(list)),
            Value::Part(_) | Value::Unread(_) | Value::Map(_) | Value::Other => Err(Flag::UNSURE),
            Value::Unit | Value::Bool(_) | Value::Int(_) | Value::Text(_) => Ok(Self::In(Rc::default())),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Of(part) => part.len(),
            Self::In(list) => list.len(),
        }
    }

    /// The first answer about an item.
    fn find<T>(&self, mut ask: impl FnMut(Value<'a>) -> Option<T>) -> Option<T> {
        match self {
            Self::Of(part) if part.kind() == Kind::List => part.items().find_map(|item| ask(Value::of(item))),
            // A single object is a list of itself.
            Self::Of(part) => ask(Value::of(*part)),
            Self::In(list) => list.iter().find_map(|item| ask(item.clone())),
        }
    }
}

impl<'q, S: Source + ?Sized> Asked<'q, S> {
    /// Whether a closure's body holds for some item, or for all of them.
    pub(super) fn each(&self, [list, body]: &'q [Expr; 2], all: bool, work: usize, items: &[Value<'q>]) -> Flag {
        let list = known!(Items::of(known!(self.evaluate(list, items).value())));
        if !self.may_go_on(list.len().saturating_mul(work)) {
            return Flag::UNSURE;
        }
        let mut within = items.to_vec();
        within.push(Value::Unit);
        let decided = list.find(|item| {
            within[items.len()] = item;
            match self.holds(body, &within) {
                flag @ (Flag::True | Flag::False) => (flag != Flag::from(all)).then_some(flag),
                // A later item may decide, but this one may fail first.
                Flag::No => Some(Flag::UNSURE),
                unsure => Some(unsure),
            }
        });
        decided.unwrap_or(all.into())
    }

    /// The items that a closure's body picks.
    pub(super) fn pick(
        &self,
        [list, body]: &'q [Expr; 2],
        picks: Picks,
        work: usize,
        items: &[Value<'q>],
    ) -> Outcome<'q> {
        let list = known!(Items::of(known!(self.evaluate(list, items).value())));
        if !self.may_go_on(list.len().saturating_mul(work)) {
            return Flag::UNSURE.into();
        }
        let mut within = items.to_vec();
        within.push(Value::Unit);
        let mut picked = Vec::new();
        let ended = list.find(|item| {
            within[items.len()] = item;
            if picks == Picks::Made {
                match self.evaluate(body, &within).value() {
                    Ok(value) => picked.push(value),
                    Err(flag) => return Some(flag.into()),
                }
                return None;
            }
            match (self.holds(body, &within), picks) {
                (Flag::True, Picks::First) => Some(Is(within[items.len()].clone())),
                (Flag::True, _) => {
                    picked.push(within[items.len()].clone());
                    None
                }
                (Flag::False, _) => None,
                (Flag::No, _) => Some(Flag::UNSURE.into()),
                (unsure, _) => Some(unsure.into()),
            }
        });
        ended.unwrap_or_else(|| if picks == Picks::First { Is(Value::Unit) } else { Value::list(picked).into() })
    }

    /// Whether a closure's body holds: nothing is no.
    fn holds(&self, body: &'q Expr, items: &[Value<'q>]) -> Flag {
        match body {
            Expr::Path(_) | Expr::Item(_) | Expr::Member(..) => match self.evaluate(body, items) {
                Is(Value::Unit) => Flag::False,
                outcome => outcome.flag(),
            },
            body => self.ask(body, items),
        }
    }

    /// What a loop comes to, with what follows it: see [`Expr::Loop`].
    pub(super) fn turns(&self, parts: &'q [Expr], work: usize, items: &[Value<'q>]) -> Outcome<'q> {
        let [list, variables @ .., body, after] = parts else { return Flag::UNSURE.into() };
        let list = match known!(self.evaluate(list, items).value()) {
            // A loop goes through letters.
            Value::Text(_) => return Flag::UNSURE.into(),
            list => known!(Items::of(list)),
        };
        if !self.may_go_on(list.len().saturating_mul(work)) {
            return Flag::UNSURE.into();
        }
        let mut within = known!(self.entered(variables, items));
        let left = list.find(|item| {
            within[items.len()] = item;
            self.turn(body, variables.len(), &mut within)
        });
        match left {
            Some(Left::With(answer)) => answer,
            _ => self.evaluate(after, &within),
        }
    }

    /// What a loop without a list comes to, with what follows it: see [`Expr::While`].
    pub(super) fn turns_while(&self, parts: &'q [Expr], work: usize, items: &[Value<'q>]) -> Outcome<'q> {
        let [variables @ .., condition, body, after] = parts else { return Flag::UNSURE.into() };
        let mut within = known!(self.entered(variables, items));
        loop {
            if !self.may_go_on(work) {
                return Flag::UNSURE.into();
            }
            match self.ask(condition, &within) {
                Flag::True => {}
                Flag::False => break,
                Flag::No => return Flag::UNSURE.into(),
                unsure => return unsure.into(),
            }
            match self.turn(body, variables.len(), &mut within) {
                None => {}
                Some(Left::Over) => break,
                Some(Left::With(answer)) => return answer,
            }
        }
        self.evaluate(after, &within)
    }

    /// The items within a loop: those around it, its item, which is nothing yet, and what its variables hold.
    fn entered(&self, variables: &'q [Expr], items: &[Value<'q>]) -> Result<Vec<Value<'q>>, Flag> {
        let mut within = Vec::with_capacity(items.len() + 1 + variables.len());
        within.extend_from_slice(items);
        within.push(Value::Unit);
        for variable in variables {
            within.push(self.evaluate(variable, items).value()?);
        }
        Ok(within)
    }

    /// One turn of a loop: how it is left, if it is, and what its variables hold then.
    fn turn(&self, body: &'q Expr, variables: usize, within: &mut Vec<Value<'q>>) -> Option<Left<'q>> {
        match self.evaluate(body, within) {
            Turned { is_last } => {
                within.truncate(within.len() - variables);
                let mut held = self.held.borrow_mut();
                let first = held.len().saturating_sub(variables);
                within.extend(held.drain(first..));
                is_last.then_some(Left::Over)
            }
            answer => Some(Left::With(answer)),
        }
    }
}

/// How a loop is left.
enum Left<'a> {
    /// By `break`: what follows it is next.
    Over,
    /// With what the function answers.
    With(Outcome<'a>),
}
