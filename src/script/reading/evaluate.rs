//! Follows a hook through its statements and the functions it calls.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::answer::{all, any, choose, not, way};
use super::{Base, Called, Comparison, Path, Place, Read, Reading, Relation, Step, Test, Type, Value};
use crate::script::syntax::{self, Arm, Call, Expr, Function, Kind, Node, Span, Stmt, StmtKind, Tree};

/// Expressions that are looked at.
const MOST: usize = 20_000;
/// Calls within calls that are followed.
const DEEPEST: usize = 12;

/// Reads the function of that name with one parameter; `None` if the policy has none.
pub fn read(hook: &str, files: &[&Tree]) -> Option<Reading> {
    let function =
        files.first()?.functions.iter().find(|function| function.name == hook && function.params.len() == 1)?;
    let mut reader = Reader::new(files);
    reader.out.answer = reader.enter(0, function, vec![Value::Path(Path::of(Base::Record))], None);
    Some(reader.out)
}

/// Variables, the innermost last.
type Variables = Vec<(String, Value)>;

/// What leaves a function early: the condition, and the answer.
type Exits = Vec<(Test, Value)>;

/// A closure, and what it sees around it.
struct Closure<'a> {
    params: &'a [String],
    body: &'a [Stmt],
    file: usize,
    site: Option<Span>,
    variables: Variables,
}

pub(super) struct Reader<'a> {
    files: &'a [&'a Tree],
    /// The file of the function in hand.
    file: usize,
    /// The call in the policy's file that led to another file.
    site: Option<Span>,
    depth: usize,
    left: usize,
    closures: Vec<Closure<'a>>,
    /// Assignments so far: where there were none, ways leave variables with the same.
    assignments: usize,
    seen_reads: BTreeSet<(usize, usize, usize)>,
    pub(super) out: Reading,
}

impl<'a> Reader<'a> {
    fn new(files: &'a [&'a Tree]) -> Self {
        Self {
            files,
            file: 0,
            site: None,
            depth: 0,
            left: MOST,
            closures: Vec::new(),
            assignments: 0,
            seen_reads: BTreeSet::new(),
            out: Reading { is_complete: true, ..Reading::default() },
        }
    }

    pub(super) fn place(&self, span: &Span) -> Place {
        Place { file: self.file, span: span.clone(), site: self.site.clone().unwrap_or_else(|| span.clone()) }
    }

    fn enter(&mut self, file: usize, function: &'a Function, args: Vec<Value>, this: Option<Value>) -> Value {
        let (outer, site) = (std::mem::replace(&mut self.file, file), self.site.clone());
        self.depth += 1;
        let mut variables: Variables = function.params.iter().cloned().zip(args).collect();
        variables.extend(this.map(|this| ("this".to_owned(), this)));
        let answer = self.answer(&function.body, &mut variables);
        self.depth -= 1;
        self.file = outer;
        self.site = site;
        answer
    }

    /// What a function body comes to.
    fn answer(&mut self, body: &'a [Stmt], variables: &mut Variables) -> Value {
        let mut exits = Exits::new();
        let (open, last) = self.statements(body, variables, Test::Always(true), &mut exits);
        if exits.is_empty() {
            return last;
        }
        if !matches!(open, Test::Always(false)) {
            exits.push((open, last));
        }
        if exits.iter().all(|(_, value)| value.is_yes_or_no()) {
            let ways = exits.into_iter().map(|(guard, value)| way(guard, value));
            return Value::Answer(Box::new(any(ways.collect())));
        }
        exits.into_iter().map(|(_, value)| value).reduce(Value::or).unwrap_or_default()
    }

    /// Goes through statements that are reached under a condition: the condition under which their end is, and the value
    /// of the last.
    fn statements(
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
                (if exits.len() == before { guard } else { all(vec![guard, not(some)]) }, nothing)
            }
            StmtKind::Block(body) => self.statements(body, variables, guard, exits),
            StmtKind::Try(body, name, caught) => {
                self.forget_assigned(body, variables);
                let inside = all(vec![guard.clone(), Test::Unknown]);
                let (_, tried) = self.statements(body, variables, inside.clone(), exits);
                let depth = variables.len();
                variables.extend(name.iter().map(|name| (name.clone(), Value::Unknown)));
                let (_, other) = self.statements(caught, variables, inside, exits);
                variables.truncate(depth);
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
        let open = if exits.len() == before { guard } else { opens.into_iter().reduce(either).unwrap_or(guard) };
        (open, answer.unwrap_or_default())
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

    /// Variables that a loop changes may be anything in it and behind it.
    fn forget_assigned(&mut self, body: &'a [Stmt], variables: &mut Variables) {
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
                    _ => item_of(base),
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
                let values: Vec<Value> = parts.iter().map(|part| self.expr(part, variables)).collect();
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

    fn variable(&mut self, name: &str, variables: &Variables) -> Value {
        if let Some((_, value)) = variables.iter().rev().find(|(known, _)| known == name) {
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

    fn member(&mut self, base: Value, name: &str, place: Place) -> Value {
        match base {
            Value::Path(path) => {
                let path = path.then(Step::Name(name.to_owned()));
                self.note_read(&path, place);
                Value::Path(path)
            }
            Value::Map(members) => {
                let found = members.into_iter().find(|(known, _)| known == name).map(|(_, value)| value);
                found.unwrap_or(Value::Literal(Json::Null))
            }
            Value::Any(values) => values
                .into_iter()
                .map(|value| self.member(value, name, place.clone()))
                .reduce(Value::or)
                .unwrap_or_default(),
            Value::Params => {
                if !self.out.params.iter().any(|param| param == name) {
                    self.out.params.push(name.to_owned());
                }
                Value::Param(name.to_owned())
            }
            Value::Param(param) => Value::Param(param),
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
        if !self.out.comparisons.iter().any(|known| known.place == comparison.place && !is_switch) {
            self.out.comparisons.push(comparison.clone());
        }
        known.unwrap_or_else(|| Test::Compare(Box::new(comparison)))
    }

    fn call(&mut self, call: &'a Call, span: &Span, variables: &mut Variables) -> Value {
        let args: Vec<Value> = call.args.iter().map(|arg| self.expr(arg, variables)).collect();
        let outer = self.site.clone();
        let place = self.place(span);
        let found = self.function(&call.name, args.len()).map(|found| (found, false));
        let of_this = || self.function(&call.name, args.len().checked_sub(1)?).map(|found| (found, true));
        let found = found.or_else(|| if call.is_method { of_this() } else { None });
        if let Some(((file, function), with_this)) = found {
            if self.depth >= DEEPEST {
                self.out.is_complete = false;
                return Value::Unknown;
            }
            if file != self.file && self.site.is_none() {
                self.site = Some(span.clone());
            }
            let (this, args) = if with_this { (args.first().cloned(), args[1..].to_vec()) } else { (None, args) };
            let answer = self.enter(file, function, args, this);
            self.site = outer;
            return answer;
        }
        if changes(&call.name) {
            call.args.first().and_then(root_variable).into_iter().for_each(|root| forget(root, variables));
        }
        let spans = call.args.iter().map(|arg| arg.span.clone()).collect();
        let answer = self.host(&call.name, &args, &place, spans);
        self.out.calls.push(Called { name: call.name.clone(), args, place });
        answer
    }

    fn function(&self, name: &str, params: usize) -> Option<(usize, &'a Function)> {
        let files = self.files.iter().enumerate();
        files
            .filter_map(|(at, file)| {
                let named = |function: &&Function| function.name == name && function.params.len() == params;
                file.functions.iter().find(named).map(|function| (at, function))
            })
            .next()
    }

    /// Calls a closure with items: it sees what was around it where it was written.
    pub(super) fn closure(&mut self, number: usize, items: &[Value]) -> Value {
        let closure = &self.closures[number];
        if self.depth >= DEEPEST {
            self.out.is_complete = false;
            return Value::Unknown;
        }
        let (params, body) = (closure.params, closure.body);
        let mut variables = closure.variables.clone();
        let (file, site) = (closure.file, closure.site.clone());
        let outer = (std::mem::replace(&mut self.file, file), std::mem::replace(&mut self.site, site));
        self.depth += 1;
        for (at, param) in params.iter().enumerate() {
            variables.push((param.clone(), items.get(at).cloned().unwrap_or_default()));
        }
        let answer = self.answer(body, &mut variables);
        self.depth -= 1;
        (self.file, self.site) = outer;
        answer
    }
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
        Value::Param(name) => Value::Param(name),
        Value::Literal(Json::Null) => Value::Literal(Json::Null),
        _ => Value::Unknown,
    }
}

/// The variable that a chain of steps begins with.
fn root_variable(expr: &Expr) -> Option<&str> {
    match &expr.kind {
        Kind::Variable(name) => Some(name),
        Kind::Field(base, _) | Kind::Index(base, _) => root_variable(base),
        _ => None,
    }
}

fn forget(name: &str, variables: &mut Variables) {
    if let Some((_, known)) = variables.iter_mut().rev().find(|(known, _)| known == name) {
        *known = Value::Unknown;
    }
}

/// Whether a function changes what it is called on.
fn changes(name: &str) -> bool {
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

fn either(one: Test, two: Test) -> Test {
    match (one, two) {
        (Test::Always(false), open) | (open, Test::Always(false)) => open,
        (one, two) => any(vec![one, two]),
    }
}
