//! Follows a hook and the functions and closures that it calls.

use std::collections::BTreeSet;

use super::answer::{any, way};
use super::statements::{changes, forget, root_variable};
use super::{Base, Called, Path, Place, Reading, Test, Value};
use crate::script::OF_HIT;
use crate::script::syntax::{Call, Function, Span, Stmt, Tree};

/// Expressions that are looked at.
const MOST: usize = 20_000;
/// Values that variables are copied of, and what those are made of.
const MOST_COPIED: usize = 200_000;
/// Calls within calls that are followed.
const DEEPEST: usize = 12;

/// Reads the function of that name with one parameter, which is given the record; `None` if the policy has none.
pub fn read(hook: &str, files: &[&Tree]) -> Option<Reading> {
    read_given(hook, files, Value::Path(Path::of(Base::Record)))
}

/// Reads the function of that name with one parameter, which is given the hits of a window, whose `kept` is this.
pub fn read_of_hits(hook: &str, files: &[&Tree], kept: Value) -> Option<Reading> {
    let member = |name: &&str| {
        let value = match *name {
            "kept" => kept.clone(),
            "actor" => Value::Path(Path::of(Base::Actor)),
            "origin" => Value::Map(["file", "line", "position"].map(|name| (name.to_owned(), Value::Unknown)).into()),
            _ => Value::Unknown,
        };
        ((*name).to_owned(), value)
    };
    let hit = Value::Map(OF_HIT.iter().map(member).collect());
    read_given(hook, files, Value::ListOf(Box::new(hit)))
}

fn read_given(hook: &str, files: &[&Tree], given: Value) -> Option<Reading> {
    let function =
        files.first()?.functions.iter().find(|function| function.name == hook && function.params.len() == 1)?;
    let mut reader = Reader::new(files);
    reader.out.answer = reader.enter(0, function, vec![given], None);
    Some(reader.out)
}

/// Variables, the innermost last.
pub(super) type Variables = Vec<(String, Value)>;

/// What leaves a function early: the condition, and the answer.
pub(super) type Exits = Vec<(Test, Value)>;

/// A closure, and what it sees around it.
pub(super) struct Closure<'a> {
    pub(super) params: &'a [String],
    pub(super) body: &'a [Stmt],
    pub(super) file: usize,
    pub(super) site: Option<Span>,
    pub(super) variables: Variables,
}

pub(super) struct Reader<'a> {
    pub(super) files: &'a [&'a Tree],
    /// The file of the function in hand.
    pub(super) file: usize,
    /// The call in the policy's file that led to another file.
    pub(super) site: Option<Span>,
    pub(super) depth: usize,
    pub(super) left: usize,
    pub(super) left_to_copy: usize,
    pub(super) closures: Vec<Closure<'a>>,
    /// Assignments so far: where there were none, ways leave variables with the same.
    pub(super) assignments: usize,
    pub(super) seen_reads: BTreeSet<(usize, usize, usize)>,
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
            left_to_copy: MOST_COPIED,
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

    pub(super) fn call(&mut self, call: &'a Call, span: &Span, variables: &mut Variables) -> Value {
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
