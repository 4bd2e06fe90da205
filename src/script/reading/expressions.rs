//! What expressions come to: steps, comparisons, and values that are written out.

use serde_json::Value as Json;

use super::answer::{all, any, not};
use super::evaluate::{Closure, Exits, Reader, Variables};
use super::{Base, Comparison, Missing, Path, Place, Read, Relation, Step, Test, Type, Value};
use crate::script::syntax::{Expr, Kind, Span};

impl<'a> Reader<'a> {
    pub(super) fn expr(&mut self, expr: &'a Expr, variables: &mut Variables) -> Value {
        if self.left == 0 {
            self.out.is_complete = false;
            return Value::Unknown;
        }
        self.left -= 1;
        match &expr.kind {
            Kind::Literal(value) => Value::Literal(value.clone()),
            Kind::List(items) => Value::List(items.iter().map(|item| self.expr(item, variables)).collect()),
            Kind::Map(members) => {
                Value::Map(members.iter().map(|(key, value)| (key.clone(), self.expr(value, variables))).collect())
            }
            Kind::Interpolated(parts) => {
                for part in parts {
                    self.expr(part, variables);
                }
                Value::Made(Type::Text)
            }
            Kind::Variable(name) => self.variable(name, variables),
            Kind::Pointer(_) | Kind::Other => Value::Unknown,
            Kind::Field(base, name) => {
                let base = self.expr(base, variables);
                let place = self.place(&expr.last_name());
                self.member(base, name, place)
            }
            Kind::Index(base, index) => {
                let base = self.expr(base, variables);
                match self.expr(index, variables) {
                    Value::Literal(Json::String(name)) => {
                        let place = self.place(&index.span);
                        self.member(base, &name, place)
                    }
                    _ => some_item_of(base),
                }
            }
            Kind::All(parts) => {
                let parts = parts.iter().map(|part| self.expr(part, variables).truth()).collect();
                Value::Answer(Box::new(all(parts)))
            }
            Kind::Any(parts) => {
                let parts = parts.iter().map(|part| self.expr(part, variables).truth()).collect();
                Value::Answer(Box::new(any(parts)))
            }
            Kind::Otherwise(parts) => {
                let values: Vec<Value> = parts.iter().map(|part| self.optional(part, variables)).collect();
                values.into_iter().reduce(Value::or).unwrap_or_default()
            }
            Kind::Operator(name, args) => self.operator(name, args, &expr.span, variables),
            Kind::Block(body) => {
                // What leaves the function from within an expression is not followed.
                let mut exits = Exits::new();
                let (_, value) = self.statements(body, variables, Test::Always(true), &mut exits);
                if exits.is_empty() { value } else { Value::Unknown }
            }
            Kind::Closure(params, body) => {
                self.forget_assigned(body, variables);
                let (file, site) = (self.file, self.site.clone());
                self.closures.push(Closure { params, body, file, site, variables: variables.clone() });
                Value::Closure(self.closures.len() - 1)
            }
            Kind::Call(call) => self.call(call, &expr.span, variables),
        }
    }

    /// A side of `??`, where a member need not be there.
    fn optional(&mut self, expr: &'a Expr, variables: &mut Variables) -> Value {
        let before = self.out.members.len();
        let value = self.expr(expr, variables);
        if let (Kind::Field(..) | Kind::Index(..), Some((_, Some(missing)))) =
            (&expr.kind, self.out.members.get_mut(before..).and_then(<[_]>::last_mut))
        {
            missing.is_optional = true;
        }
        value
    }

    fn variable(&mut self, name: &str, variables: &Variables) -> Value {
        if let Some((_, value)) = variables.iter().rev().find(|(known, _)| known == name) {
            self.left_to_copy = self.left_to_copy.saturating_sub(value.size());
            if self.left_to_copy == 0 {
                self.out.is_complete = false;
                return Value::Unknown;
            }
            return value.clone();
        }
        if name == "params" {
            return Value::Params;
        }
        let constants = &self.files[self.file].constants;
        match constants.iter().find(|(known, ..)| known == name) {
            Some((_, _, value)) => literal(value),
            None => Value::Unknown,
        }
    }

    pub(super) fn member(&mut self, base: Value, name: &str, place: Place) -> Value {
        match base {
            Value::Path(path) => {
                let path = path.then(Step::Name(name.to_owned()));
                self.note_read(&path, place);
                Value::Path(path)
            }
            Value::Map(mut members) => match members.iter().position(|(known, _)| known == name) {
                Some(at) => {
                    self.out.members.push((place, None));
                    members.swap_remove(at).1
                }
                None => {
                    let mut known: Vec<String> = members.into_iter().map(|(known, _)| known).collect();
                    known.sort_unstable();
                    self.out.members.push((place, Some(Missing { name: name.to_owned(), known, is_optional: false })));
                    Value::Literal(Json::Null)
                }
            },
            Value::List(_) | Value::ListOf(_) => {
                self.out.of_none.push((place, name.to_owned(), "a list"));
                Value::Literal(Json::Null)
            }
            Value::Made(Type::Number) | Value::Length(_) => {
                self.out.of_none.push((place, name.to_owned(), "a number"));
                Value::Literal(Json::Null)
            }
            // Of what may be a list and something else, the list is not meant.
            Value::Any(values) => {
                let is_mixed = !values.iter().all(is_list_or_nothing);
                let member = |value| match is_list(&value) && is_mixed {
                    true => Value::Unknown,
                    false => self.member(value, name, place.clone()),
                };
                values.into_iter().map(member).reduce(Value::or).unwrap_or_default()
            }
            // A step into nothing is nothing.
            Value::Literal(Json::Null) => Value::Literal(Json::Null),
            Value::Params => Value::Param(name.to_owned()),
            _ => Value::Unknown,
        }
    }

    pub(super) fn note_read(&mut self, path: &Path, place: Place) {
        let key = (place.file, place.span.start, place.site.start);
        let is_new = self.seen_reads.insert(key);
        if is_new || !self.out.reads.iter().any(|read| read.place == place && read.path == *path) {
            self.out.reads.push(Read { path: path.clone(), place });
        }
    }

    fn operator(&mut self, name: &str, args: &'a [Expr], span: &Span, variables: &mut Variables) -> Value {
        let values: Vec<Value> = args.iter().map(|arg| self.expr(arg, variables)).collect();
        let place = self.place(span);
        let spans = args.iter().skip(1).map(|arg| arg.span.clone()).collect();
        let test = |test: Test| Value::Answer(Box::new(test));
        match (name, <[Value; 2]>::try_from(values)) {
            ("==", Ok([left, right])) => test(self.compare(left, Relation::Equal, vec![right], place, spans, false)),
            ("!=", Ok([left, right])) => {
                test(not(negated(self.compare(left, Relation::Equal, vec![right], place, spans, false))))
            }
            ("<" | "<=" | ">" | ">=", Ok([left, right])) => test(self.order(name, left, right, place, spans)),
            ("!", Err(one)) => test(not(one.into_iter().next().map_or(Test::Unknown, Value::truth))),
            ("+", Ok(sides)) if sides.iter().any(|side| matches!(side, Value::Made(Type::Text))) => {
                Value::Made(Type::Text)
            }
            _ => Value::Unknown,
        }
    }

    /// An ordering; of a length against 0 or 1, whether there is anything.
    fn order(&mut self, name: &str, left: Value, right: Value, place: Place, spans: Vec<Span>) -> Test {
        let (length, number, name) = match (&left, &right) {
            (Value::Length(of), Value::Literal(number)) => (of, number.as_i64(), name),
            (Value::Literal(number), Value::Length(of)) => (of, number.as_i64(), mirrored(name)),
            _ => return self.compare(left, Relation::Order, vec![right], place, spans, false),
        };
        match (name, number) {
            (">", Some(0)) | (">=", Some(1)) => not(Test::Empty(length.clone(), place)),
            ("<", Some(1)) | ("<=", Some(0)) => Test::Empty(length.clone(), place),
            _ => self.compare(left, Relation::Order, vec![right], place, spans, false),
        }
    }

    pub(super) fn compare(
        &mut self,
        left: Value,
        relation: Relation,
        right: Vec<Value>,
        place: Place,
        right_spans: Vec<Span>,
        is_switch: bool,
    ) -> Test {
        let (left, right) = match (relation, left, <[Value; 1]>::try_from(right)) {
            // A literal stands on the right, wherever it was written.
            (Relation::Equal, left @ (Value::Literal(_) | Value::List(_)), Ok([right]))
                if right.literal().is_none() =>
            {
                (right, vec![left])
            }
            (_, left, Ok([right])) => (left, vec![right]),
            (_, left, Err(right)) => (left, right),
        };
        if relation == Relation::Equal
            && let (Value::Length(of), Some(0)) = (&left, right[0].literal().and_then(Json::as_i64))
        {
            return Test::Empty(of.clone(), place);
        }
        let known = match (&left, relation, right.as_slice()) {
            (Value::Answer(test), Relation::Equal, [Value::Literal(Json::Bool(wanted))]) => {
                Some(if *wanted { (**test).clone() } else { not((**test).clone()) })
            }
            _ => None,
        };
        let comparison = Comparison { left, relation, right, place, right_spans, is_negated: false, is_switch };
        // A function that is called for several things compares each.
        let is_same =
            |known: &Comparison| known.place == comparison.place && format!("{known:?}") == format!("{comparison:?}");
        if is_switch || !self.out.comparisons.iter().any(is_same) {
            self.out.comparisons.push(comparison.clone());
        }
        known.unwrap_or_else(|| Test::Compare(Box::new(comparison)))
    }
}

fn is_list(value: &Value) -> bool {
    matches!(value, Value::List(_) | Value::ListOf(_))
}

fn is_list_or_nothing(value: &Value) -> bool {
    is_list(value) || value.literal() == Some(&Json::Null)
}

fn mirrored(name: &str) -> &str {
    match name {
        "<" => ">",
        "<=" => ">=",
        ">" => "<",
        _ => "<=",
    }
}

/// Lists and maps of a literal as their parts.
fn literal(value: &Json) -> Value {
    match value {
        Json::Array(items) => Value::List(items.iter().map(literal).collect()),
        Json::Object(members) => Value::Map(members.iter().map(|(key, value)| (key.clone(), literal(value))).collect()),
        scalar => Value::Literal(scalar.clone()),
    }
}

/// One item of a list.
pub(super) fn item_of(list: Value) -> Value {
    match list {
        Value::Path(path) => match path.base {
            Base::Resources(kind) if path.steps.is_empty() => Value::Path(Path::of(Base::Resource(kind))),
            _ => Value::Path(path.then(Step::Item)),
        },
        Value::List(items) => items.into_iter().reduce(Value::or).unwrap_or(Value::Literal(Json::Null)),
        Value::ListOf(item) => *item,
        Value::Any(lists) => lists.into_iter().map(item_of).reduce(Value::or).unwrap_or_default(),
        Value::Literal(Json::Null) => Value::Literal(Json::Null),
        _ => Value::Unknown,
    }
}

/// An item of a list that need not have any. What a path leads to, and what was made of it, may be absent anyway.
pub(super) fn some_item_of(list: Value) -> Value {
    match item_of(list) {
        known @ (Value::Path(_) | Value::Part(..) | Value::Made(_)) => known,
        other => other.or(Value::Literal(Json::Null)),
    }
}

/// A comparison of which the opposite is written.
pub(super) fn negated(test: Test) -> Test {
    match test {
        Test::Compare(mut comparison) => {
            comparison.is_negated = true;
            Test::Compare(comparison)
        }
        other => other,
    }
}
