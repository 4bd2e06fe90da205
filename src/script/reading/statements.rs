//! Goes through statements: what leaves them early, what they leave variables with, and what they come to.

use serde_json::Value as Json;

use super::answer::{all, any, choose, not, way};
use super::evaluate::{Exits, Reader, Variables};
use super::expressions::item_of;
use super::{Relation, Test, Type, Value};
use crate::script::syntax::{self, Arm, Expr, Kind, Node, Stmt, StmtKind};

impl<'a> Reader<'a> {
    /// Goes through statements that are reached under a condition: the condition under which their end is, and the value
    /// of the last.
    pub(super) fn statements(
        &mut self,
        body: &'a [Stmt],
        variables: &mut Variables,
        guard: Test,
        exits: &mut Exits,
    ) -> (Test, Value) {
        let depth = variables.len();
        let mut guard = guard;
        let mut last = Value::Literal(Json::Null);
        for statement in body {
            if matches!(guard, Test::Always(false)) {
                break;
            }
            (guard, last) = self.statement(statement, variables, guard, exits);
        }
        variables.truncate(depth);
        (guard, last)
    }

    fn statement(
        &mut self,
        statement: &'a Stmt,
        variables: &mut Variables,
        guard: Test,
        exits: &mut Exits,
    ) -> (Test, Value) {
        let nothing = Value::Literal(Json::Null);
        match &statement.kind {
            StmtKind::Let(name, _, value) => {
                let value = self.exits_of(value, variables, &guard, exits);
                variables.push((name.clone(), value));
                (guard, nothing)
            }
            StmtKind::Assign(target, is_operation, value) => {
                let value = self.exits_of(value, variables, &guard, exits);
                self.assign(target, *is_operation, value, variables);
                (guard, nothing)
            }
            StmtKind::Expr(expr) => {
                let value = self.exits_of(expr, variables, &guard, exits);
                (guard, value)
            }
            StmtKind::Return(value) => {
                let value = value.as_ref().map_or(nothing.clone(), |value| self.expr(value, variables));
                exits.push((guard, value));
                (Test::Always(false), nothing)
            }
            StmtKind::Throw(value) | StmtKind::Leave(value) => {
                if let Some(value) = value {
                    self.expr(value, variables);
                }
                // A loop that is left goes on behind it.
                let goes_on = matches!(statement.kind, StmtKind::Leave(_));
                (if goes_on { guard } else { Test::Always(false) }, nothing)
            }
            StmtKind::If(condition, yes, no) => {
                let condition = self.exits_of(condition, variables, &guard, exits).truth();
                let mut other = variables.clone();
                let (before, assignments) = (exits.len(), self.assignments);
                let on = all(vec![guard.clone(), condition.clone()]);
                let off = all(vec![guard.clone(), not(condition.clone())]);
                let (yes_open, yes) = self.statements(yes, variables, on, exits);
                let (no_open, no) = self.statements(no, &mut other, off, exits);
                if self.assignments > assignments {
                    join(variables, other);
                }
                let open = if exits.len() == before { guard } else { either(yes_open, no_open) };
                (open, choose(condition, yes, no))
            }
            StmtKind::Switch(subject, arms) => self.switch(subject, arms, variables, guard, exits),
            StmtKind::While(condition, body) => {
                self.forget_assigned(body, variables);
                if let Some(condition) = condition {
                    self.expr(condition, variables);
                }
                let inside = all(vec![guard.clone(), Test::Unknown]);
                self.statements(body, variables, inside, exits);
                self.forget_assigned(body, variables);
                (guard, nothing)
            }
            StmtKind::For(names, list, body) => {
                let place = self.place(&list.span);
                let of = self.expr(list, variables);
                self.forget_assigned(body, variables);
                let depth = variables.len();
                let item = item_of(of.clone());
                for (at, name) in names.iter().enumerate() {
                    variables.push((name.clone(), if at == 0 { item.clone() } else { Value::Made(Type::Number) }));
                }
                // What leaves the function in a loop does so because of some item, and what goes on because of none.
                let some = Test::Each { list: Box::new(of), all: false, test: Box::new(Test::Unknown), place };
                let before = exits.len();
                let inside = all(vec![guard.clone(), some.clone()]);
                self.statements(body, variables, inside, exits);
                variables.truncate(depth);
                self.forget_assigned(body, variables);
                (if exits.len() == before { guard } else { all(vec![guard, not(some)]) }, nothing)
            }
            StmtKind::Block(body) => self.statements(body, variables, guard, exits),
            StmtKind::Try(body, name, caught) => {
                self.forget_assigned(body, variables);
                let inside = all(vec![guard.clone(), Test::Unknown]);
                let (_, tried) = self.statements(body, variables, inside.clone(), exits);
                self.forget_assigned(body, variables);
                let depth = variables.len();
                variables.extend(name.iter().map(|name| (name.clone(), Value::Unknown)));
                let (_, other) = self.statements(caught, variables, inside, exits);
                variables.truncate(depth);
                self.forget_assigned(caught, variables);
                (guard, choose(Test::Unknown, tried, other))
            }
        }
    }

    /// The value of an expression that may leave the function.
    fn exits_of(&mut self, expr: &'a Expr, variables: &mut Variables, guard: &Test, exits: &mut Exits) -> Value {
        match &expr.kind {
            Kind::Block(body) => self.statements(body, variables, guard.clone(), exits).1,
            _ => self.expr(expr, variables),
        }
    }

    fn switch(
        &mut self,
        subject: &'a Expr,
        arms: &'a [Arm],
        variables: &mut Variables,
        guard: Test,
        exits: &mut Exits,
    ) -> (Test, Value) {
        let place = self.place(&subject.span);
        let subject = self.expr(subject, variables);
        let mut others: Vec<Test> = Vec::new();
        let mut answer: Option<Value> = None;
        let mut opens = Vec::new();
        let (before, assignments) = (exits.len(), self.assignments);
        let start = variables.clone();
        for arm in arms {
            let mut own = start.clone();
            let is_one = match (arm.values.is_empty(), arm.ranges) {
                (true, false) => Test::Always(true),
                (true, true) => Test::Unknown,
                _ => {
                    let right = arm.values.iter().cloned().map(Value::Literal).collect();
                    self.compare(subject.clone(), Relation::In, right, place.clone(), Vec::new(), true)
                }
            };
            let also = arm.guard.as_ref().map_or(Test::Always(true), |guard| self.expr(guard, &mut own).truth());
            let taken = all([others.clone(), vec![is_one.clone(), also.clone()]].concat());
            let on = all(vec![guard.clone(), taken.clone()]);
            let (open, value) = match &arm.body.kind {
                Kind::Block(body) => self.statements(body, &mut own, on, exits),
                _ => (on, self.expr(&arm.body, &mut own)),
            };
            opens.push(open);
            others.push(not(all(vec![is_one, also])));
            answer = Some(match answer {
                None if value.is_yes_or_no() => Value::Answer(Box::new(way(taken, value))),
                None => value,
                Some(before) if before.is_yes_or_no() && value.is_yes_or_no() => {
                    Value::Answer(Box::new(any(vec![before.truth(), way(taken, value)])))
                }
                Some(before) => before.or(value),
            });
            if self.assignments > assignments {
                join(variables, own);
            }
        }
        // No arm need be taken; where one is for everything else, this is never so.
        let has_default = arms.iter().any(|arm| arm.values.is_empty() && !arm.ranges && arm.guard.is_none());
        opens.push(all([vec![guard.clone()], others].concat()));
        let open = if exits.len() == before { guard } else { opens.into_iter().reduce(either).unwrap_or(guard) };
        let answer = answer.unwrap_or_default();
        let is_whole = has_default || answer.is_yes_or_no();
        (open, if is_whole { answer } else { answer.or(Value::Literal(Json::Null)) })
    }

    fn assign(&mut self, target: &'a Expr, is_operation: bool, value: Value, variables: &mut Variables) {
        self.assignments += 1;
        match &target.kind {
            Kind::Variable(name) => {
                if let Some((_, known)) = variables.iter_mut().rev().find(|(known, _)| known == name) {
                    *known = if is_operation { Value::Unknown } else { value };
                }
            }
            Kind::Field(base, key) => {
                if let Kind::Variable(name) = &base.kind
                    && let Some((_, known)) = variables.iter_mut().rev().find(|(known, _)| known == name)
                {
                    match known {
                        Value::Map(members) => {
                            members.retain(|(known, _)| known != key);
                            members.push((key.clone(), value));
                        }
                        other => *other = Value::Unknown,
                    }
                } else {
                    self.forget_root(target, variables);
                }
            }
            _ => self.forget_root(target, variables),
        }
    }

    fn forget_root(&mut self, target: &'a Expr, variables: &mut Variables) {
        if let Some(root) = root_variable(target) {
            forget(root, variables);
        }
    }

    /// Variables that a body changes which may run several times, or not to its end, may be anything in it and behind it.
    pub(super) fn forget_assigned(&mut self, body: &'a [Stmt], variables: &mut Variables) {
        syntax::visit(body, &mut |node| match node {
            Node::Stmt(Stmt { kind: StmtKind::Assign(target, ..), .. }) => {
                root_variable(target).into_iter().for_each(|root| forget(root, variables));
            }
            Node::Expr(Expr { kind: Kind::Call(call), .. }) if changes(&call.name) => {
                call.args.first().and_then(root_variable).into_iter().for_each(|root| forget(root, variables));
            }
            _ => {}
        });
    }
}

/// The variable that a chain of steps begins with.
pub(super) fn root_variable(expr: &Expr) -> Option<&str> {
    match &expr.kind {
        Kind::Variable(name) => Some(name),
        Kind::Field(base, _) | Kind::Index(base, _) => root_variable(base),
        _ => None,
    }
}

pub(super) fn forget(name: &str, variables: &mut Variables) {
    if let Some((_, known)) = variables.iter_mut().rev().find(|(known, _)| known == name) {
        *known = Value::Unknown;
    }
}

/// Whether a function changes what it is called on.
pub(super) fn changes(name: &str) -> bool {
    crate::script::check::is_native(name) && !crate::script::functions::is_pure(name)
}

/// What two ways leave variables with.
fn join(variables: &mut Variables, other: Variables) {
    for ((_, one), (_, two)) in variables.iter_mut().zip(other) {
        if format!("{one:?}") != format!("{two:?}") {
            *one = std::mem::take(one).or(two);
        }
    }
}

fn either(one: Test, two: Test) -> Test {
    match (one, two) {
        (Test::Always(false), open) | (open, Test::Always(false)) => open,
        (one, two) => any(vec![one, two]),
    }
}
