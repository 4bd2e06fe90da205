//! What is asked of the items of a list, one after another: closures, and loops with the variables that they change.

use std::rc::Rc;

use super::{Asked, Expr, Is, LONG_LIST, No, Outcome, Source, Turned, Unsure, Value, known};
use crate::record::{Kind, Ref};

/// What has items.
enum Items<'a> {
    Of(Ref<'a>),
    In(Rc<[Value<'a>]>),
}

impl<'a> Items<'a> {
    /// The items of a value as list functions and loops see them; `None` where that is left to Rhai.
    fn of(value: Value<'a>) -> Option<Self> {
        match value {
            Value::Part(part) => (part.len() <= LONG_LIST).then_some(Self::Of(part)),
            Value::List(list) => Some(Self::In(list)),
            Value::Unread(_) | Value::Other => None,
            Value::Unit | Value::Bool(_) | Value::Int(_) | Value::Text(_) => Some(Self::In(Rc::default())),
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

/// Takes the items of a list, or leaves with what is known instead.
macro_rules! items_of {
    ($outcome:expr) => {
        match $outcome.value().map(Items::of) {
            Ok(Some(items)) => items,
            Ok(None) => return Outcome::unsure(),
            Err(outcome) => return outcome,
        }
    };
}

impl<'q, S: Source + ?Sized> Asked<'q, S> {
    /// Whether a closure's body holds for some item, or for all of them.
    pub(super) fn each(&self, [list, body]: &'q [Expr; 2], all: bool, items: &[Value<'q>]) -> Outcome<'q> {
        let list = items_of!(self.evaluate(list, items));
        // A few items of one list are never much.
        let is_much = list.len() > 16 || !items.is_empty();
        if is_much && !self.may_go_on(list.len().saturating_mul(body.size())) {
            return Outcome::unsure();
        }
        let mut within = items.to_vec();
        within.push(Value::Unit);
        let decided = list.find(|item| {
            within.truncate(items.len());
            within.push(item);
            match self.evaluate(body, &within) {
                Is(Value::Bool(flag)) if flag != all => Some(Outcome::flag(flag)),
                Is(Value::Bool(_)) => None,
                // A later item may decide, but this one may fail first.
                Unsure(halt) => Some(Unsure(halt)),
                Is(_) | No | Turned { .. } => Some(Outcome::unsure()),
            }
        });
        decided.unwrap_or(Outcome::flag(all))
    }

    /// What a loop comes to, with what follows it: see [`Expr::Loop`].
    pub(super) fn turns(&self, parts: &'q [Expr], items: &[Value<'q>]) -> Outcome<'q> {
        let [list, variables @ .., body, after] = parts else { return Outcome::unsure() };
        let list = match self.evaluate(list, items) {
            // A loop goes through letters.
            Is(Value::Text(_)) => return Outcome::unsure(),
            list => items_of!(list),
        };
        if !self.may_go_on(list.len().saturating_mul(body.size())) {
            return Outcome::unsure();
        }
        let mut within = items.to_vec();
        within.push(Value::Unit);
        for variable in variables {
            within.push(known!(self.evaluate(variable, items)));
        }
        let left = list.find(|item| {
            within[items.len()] = item;
            match self.evaluate(body, &within) {
                Turned { is_last } => {
                    within.truncate(items.len() + 1);
                    let mut held = self.held.borrow_mut();
                    let first = held.len().saturating_sub(variables.len());
                    within.extend(held.drain(first..));
                    is_last.then_some(None)
                }
                answer => Some(Some(answer)),
            }
        });
        match left {
            Some(Some(answer)) => answer,
            _ => self.evaluate(after, &within),
        }
    }
}
