//! Reads a script with all that is in scope, and says what is wrong with it.

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::sync::Arc;

use rhai::{ASTFlags, ASTNode, Expr, FnCallExpr, Namespace, Position, Stmt};

use super::super::{Given, Hooks};
use super::Header;
use super::chain::{chain, closure_name, first_step, keys};
use super::known::{Known, Lookups, Named, looks_up};
use super::parsed::{Parsed, constant};
use super::place::{Lines, function_name, token_end};
use crate::diagnostic::{Diagnostic, Fix, SourceText, did_you_mean, surely_meant};

/// List functions that ask a closure for yes or no.
const PREDICATES: &[&str] = &["some", "all", "filter", "find", "find_index", "retain", "drain", "extract"];

/// A variable in scope.
pub(super) struct Variable<'a> {
    pub(super) name: &'a str,
    /// It is a value of the record, so a path from it may be absent.
    pub(super) of_record: bool,
    /// It is the end of a path, so it may be absent itself.
    pub(super) is_path: bool,
    /// It is what the front matter declares under `params:`.
    pub(super) is_params: bool,
}

/// Reads every statement of a script once, knowing what is in scope.
pub(super) struct Walker<'a> {
    pub(super) source: &'a Arc<SourceText>,
    pub(super) lines: Lines<'a>,
    pub(super) parsed: &'a Parsed,
    pub(super) known: Known<'a>,
    pub(super) out: Vec<Diagnostic>,
    pub(super) header: Option<&'a Header<'a>>,
    pub(super) lookups: Option<&'a Lookups>,
    pub(super) constants: BTreeSet<&'a str>,
    pub(super) variables: Vec<Variable<'a>>,
    /// Functions of the file and closures whose answer must be yes or no.
    pub(super) predicates: BTreeSet<String>,
    /// Closures that are given items of the record.
    pub(super) over_record: BTreeSet<String>,
    /// Functions of the file that are given values of the record, and in which parameter.
    pub(super) record_params: BTreeSet<(&'a str, usize)>,
    /// Closures that capture all of `params`, and in which parameter.
    pub(super) given_params: BTreeSet<(&'a str, usize)>,
    /// The keys of all maps that the file makes: what they hold can be called like a method.
    pub(super) keys: BTreeSet<String>,
    pub(super) in_closure: bool,
}

impl<'a> Walker<'a> {
    pub(super) fn new(source: &'a Arc<SourceText>, parsed: &'a Parsed, known: Known<'a>) -> Self {
        Self {
            source,
            lines: Lines::of(&source.text),
            parsed,
            known,
            out: Vec::new(),
            header: None,
            lookups: None,
            constants: BTreeSet::new(),
            variables: Vec::new(),
            predicates: BTreeSet::new(),
            over_record: BTreeSet::new(),
            record_params: BTreeSet::new(),
            given_params: BTreeSet::new(),
            keys: keys(&parsed.tree),
            in_closure: false,
        }
    }

    pub(super) fn say(&mut self, code: &'static str, position: Position, message: String, help: Option<String>) {
        self.say_at(code, self.lines.offset(position), message, help);
    }

    pub(super) fn say_at(&mut self, code: &'static str, start: usize, message: String, help: Option<String>) {
        let mut diagnostic = Diagnostic::error(code, self.source, start..token_end(&self.source.text, start), message);
        diagnostic.help = help;
        self.out.push(diagnostic);
    }

    /// Adds the change of a name to what was said last: of the name, or of what stands between its quotes.
    pub(super) fn rename<'n>(&mut self, wrong: &str, known: impl IntoIterator<Item = &'n str>) {
        let Some(meant) = surely_meant(wrong, known) else { return };
        let Some(last) = self.out.last_mut() else { return };
        let inner = last.source.text[last.span.clone()].find(wrong).map(|at| last.span.start + at);
        if let Some(start) = inner {
            last.fix = Some(Fix { span: start..start + wrong.len(), replacement: meant.to_owned() });
        }
    }

    /// Any statement outside of functions is a mistake, but for constants of literals.
    pub(super) fn top_level(&mut self) {
        for statement in self.parsed.tree.statements() {
            match statement {
                Stmt::Noop(_) => {}
                constants if constant(constants).is_some() => {}
                Stmt::Var(var, flags, _) if flags.intersects(ASTFlags::CONSTANT) => self.say(
                    "top-level-statement",
                    var.1.position(),
                    format!("the constant `{}` is not a literal", var.0.as_str()),
                    Some("compute it in a function".to_owned()),
                ),
                other => self.say(
                    "top-level-statement",
                    other.position(),
                    "a statement outside of a function never runs".to_owned(),
                    Some("write it in a function, or make it a `const` of a literal".to_owned()),
                ),
            }
        }
    }

    /// Names that the file takes from others.
    pub(super) fn clashes(&mut self) {
        for function in &self.parsed.functions {
            let (name, arity) = (function.name.as_str(), function.params.len());
            if self.role(name).is_some() {
                continue;
            }
            let Some(Named { native, whose, .. }) = self.known.of_others(name) else { continue };
            // As a method it would come before Rhai's, which counts what stands before the dot.
            let is_taken = function.is_typed || native.contains(&arity) || native.contains(&(arity + 1));
            if *whose == "Rhai" && !is_taken {
                continue;
            }
            let message = format!("`{name}` is the name of a function of {whose}");
            let at = function_name(&self.source.text, name);
            self.out.push(Diagnostic::error("name-clash", self.source, at, message).help("give it another name"));
        }
    }

    /// The hooks must have one parameter each, and `matches` must be there.
    pub(super) fn hooks(&mut self) {
        let called = OnceCell::new();
        for function in &self.parsed.functions {
            let (name, arity) = (function.name.as_str(), function.params.len());
            let at = || function_name(&self.source.text, name);
            match self.role(name) {
                Some(_) if arity == 1 => {}
                Some(given) => {
                    let (what, param) = match given {
                        Given::Record => ("the record", "event"),
                        Given::Hits => ("the hits", "hits"),
                    };
                    let message = format!("`{name}` takes 1 parameter, {what}; this takes {arity}");
                    self.out.push(
                        Diagnostic::error("hook", self.source, at(), message).help(format!("fn {name}({param})")),
                    );
                }
                None if !function.is_closure() && !called.get_or_init(|| self.called()).contains(name) => {
                    if self.hook_names().wants_window(name) {
                        let message =
                            format!("`{name}` is never called: it is a hook of policies that have a `window`");
                        self.out.push(
                            Diagnostic::error("hook", self.source, at(), message)
                                .help("write a `window` into the front matter, or take the function away"),
                        );
                    } else if let Some(hook) = did_you_mean(name, self.hook_names().names()).filter(|_| arity == 1) {
                        let message = format!("`{name}` is never called, and is no hook");
                        self.out.push(
                            Diagnostic::error("hook", self.source, at(), message)
                                .help(format!("did you mean `{hook}`?")),
                        );
                    }
                }
                None => {}
            }
        }
        if !self.parsed.functions.iter().any(|function| function.name == "matches") {
            let end = self.source.text.len();
            self.out.push(
                Diagnostic::error(
                    "hook",
                    self.source,
                    end..end,
                    "the policy has no `matches`, so it would never find anything",
                )
                .help("fn matches(event) { … }"),
            );
        }
    }

    /// The hooks that the file may define.
    fn hook_names(&self) -> Hooks<'a> {
        Hooks { window: self.header.and_then(|header| header.window) }
    }

    /// What a function of that name is given, if it is a hook.
    fn role(&self, name: &str) -> Option<Given> {
        self.header.and_then(|_| self.hook_names().given(name))
    }

    /// The names of all functions that are called.
    fn called(&self) -> BTreeSet<String> {
        let mut called = BTreeSet::new();
        self.parsed.tree.walk(&mut |path: &[ASTNode<'_>]| {
            match path.last() {
                Some(
                    ASTNode::Expr(Expr::FnCall(call, _) | Expr::MethodCall(call, _))
                    | ASTNode::Stmt(Stmt::FnCall(call, _)),
                ) => {
                    called.insert(call.name.to_string());
                }
                Some(ASTNode::Expr(Expr::StringConstant(text, _))) => {
                    called.insert(text.to_string());
                }
                _ => {}
            }
            true
        });
        called
    }

    /// Reads every function, again and again until it is known which are given values of the record and which must
    /// answer yes or no; only what the last reading says is said.
    pub(super) fn functions(&mut self) {
        let said = self.out.len();
        loop {
            let known = self.so_far();
            self.out.truncate(said);
            self.read_functions();
            if known == self.so_far() {
                return;
            }
        }
    }

    fn so_far(&self) -> [usize; 4] {
        [self.predicates.len(), self.over_record.len(), self.record_params.len(), self.given_params.len()]
    }

    fn read_functions(&mut self) {
        for function in &self.parsed.functions {
            let (name, params) = (function.name.as_str(), &function.params);
            let role = self.role(name).filter(|_| params.len() == 1);
            let is_hook = role == Some(Given::Record);
            self.in_closure = function.is_closure();
            let of_record = |at: usize| {
                // What a closure captures stands before its own parameter, which is the last.
                is_hook
                    || self.record_params.contains(&(name, at))
                    || (at + 1 == params.len() && self.over_record.contains(name))
            };
            let variables = params
                .iter()
                .enumerate()
                .map(|(at, param)| Variable {
                    name: param,
                    of_record: of_record(at),
                    is_path: false,
                    is_params: self.given_params.contains(&(name, at)),
                })
                .collect();
            self.variables = variables;
            let is_test = role.is_some() && self.hook_names().is_test(name);
            let must_be_bool = is_test || self.predicates.contains(name);
            self.body(&function.body, must_be_bool);
        }
    }

    fn body(&mut self, statements: &'a [Stmt], must_be_bool: bool) {
        let depth = self.variables.len();
        for statement in statements {
            self.statement(statement);
        }
        if must_be_bool && let Some(last) = statements.last() {
            self.answer(last);
        }
        self.variables.truncate(depth);
        if must_be_bool {
            for statement in statements {
                self.returns(statement);
            }
        }
    }

    /// The value of a block must be yes or no.
    fn answer(&mut self, statement: &'a Stmt) {
        match statement {
            Stmt::Expr(expr) => self.condition(expr, "answer"),
            Stmt::If(flow, _) => {
                for block in [&flow.body, &flow.branch] {
                    if let Some(last) = block.statements().last() {
                        self.answer(last);
                    }
                }
            }
            Stmt::Block(block) => {
                if let Some(last) = block.statements().last() {
                    self.answer(last);
                }
            }
            Stmt::TryCatch(flow, _) => {
                for block in [&flow.body, &flow.branch] {
                    if let Some(last) = block.statements().last() {
                        self.answer(last);
                    }
                }
            }
            Stmt::Switch(switch, _) => {
                for case in &switch.1.expressions {
                    match &case.rhs {
                        Expr::Stmt(block) => {
                            if let Some(last) = block.statements().last() {
                                self.answer(last);
                            }
                        }
                        expr => self.condition(expr, "answer"),
                    }
                }
            }
            _ => {}
        }
    }

    /// Every `return` of a function must give yes or no.
    fn returns(&mut self, statement: &Stmt) {
        let mut found: Vec<Expr> = Vec::new();
        statement.walk(&mut Vec::new(), &mut |path: &[ASTNode<'_>]| {
            if let Some(ASTNode::Stmt(Stmt::Return(Some(expr), flags, _))) = path.last()
                && !flags.intersects(ASTFlags::BREAK)
            {
                found.push((**expr).clone());
            }
            true
        });
        for expr in found {
            self.condition(&expr, "answer");
        }
    }

    fn block(&mut self, statements: &'a [Stmt]) {
        let depth = self.variables.len();
        for statement in statements {
            self.statement(statement);
        }
        self.variables.truncate(depth);
    }

    fn declare(&mut self, name: &'a str, of_record: bool, is_path: bool) {
        self.variables.push(Variable { name, of_record, is_path, is_params: false });
    }

    /// True for `params`, and for a variable that is another name for it.
    fn is_params(&self, expr: &Expr) -> bool {
        matches!(expr, Expr::Variable(variable, ..) if self.names_params(&variable.1))
    }

    pub(super) fn names_params(&self, name: &str) -> bool {
        self.find(name).map_or(name == "params" && self.header.is_some(), |variable| variable.is_params)
    }

    fn statement(&mut self, statement: &'a Stmt) {
        match statement {
            Stmt::Noop(_) | Stmt::Share(_) => {}
            Stmt::If(flow, _) => {
                self.expr(&flow.expr);
                self.condition(&flow.expr, "condition");
                self.block(flow.body.statements());
                self.block(flow.branch.statements());
            }
            Stmt::While(flow, _) | Stmt::Do(flow, _, _) => {
                self.expr(&flow.expr);
                self.condition(&flow.expr, "condition");
                self.block(flow.body.statements());
            }
            Stmt::Switch(switch, _) => {
                self.expr(&switch.0);
                for case in &switch.1.expressions {
                    self.expr(&case.lhs);
                    self.condition(&case.lhs, "condition");
                    self.expr(&case.rhs);
                    // Rhai counts it among the variables behind the `switch`, and then takes one of these for another.
                    if let Expr::Stmt(block) = &case.rhs
                        && block.end_position().is_none()
                        && let [Stmt::Var(_, _, position)] = block.statements()
                    {
                        let message = "a declaration cannot be all that a case does".to_owned();
                        self.say("syntax", *position, message, Some("put it into braces: `=> { … }`".to_owned()));
                    }
                }
            }
            Stmt::For(the_loop, _) => {
                let (name, counter, flow) = &**the_loop;
                self.expr(&flow.expr);
                if self.is_text(&flow.expr) {
                    self.say(
                        "text-as-list",
                        flow.expr.start_position(),
                        "a loop over text goes over its letters".to_owned(),
                        Some("loop over a list: `list(x)`, `x.split(\",\")`".to_owned()),
                    );
                }
                let depth = self.variables.len();
                let of_record = self.is_of_record(&flow.expr);
                self.declare(name.as_str(), of_record, false);
                if let Some(counter) = counter {
                    self.declare(counter.as_str(), false, false);
                }
                self.block(flow.body.statements());
                self.variables.truncate(depth);
            }
            Stmt::Var(var, _, _) => {
                self.expr(&var.1);
                let of_record = self.is_of_record(&var.1);
                let is_path = self.is_bare_path(&var.1);
                let is_params = self.is_params(&var.1);
                self.variables.push(Variable { name: var.0.as_str(), of_record, is_path, is_params });
            }
            Stmt::Assignment(assignment) => {
                self.expr(&assignment.1.lhs);
                self.expr(&assignment.1.rhs);
                let root = chain(&assignment.1.lhs).root;
                if let Expr::Variable(variable, _, position) = root
                    && variable.2.is_empty()
                {
                    let name = variable.1.as_str();
                    let is_whole = matches!(assignment.1.lhs, Expr::Variable(..));
                    let hook_param = !self.in_closure
                        && self.variables.first().is_some_and(|first| first.name == name && first.of_record);
                    let a_path =
                        !is_whole && !self.in_closure && self.find(name).is_some_and(|variable| variable.of_record);
                    let (of_record, is_path) =
                        (self.is_of_record(&assignment.1.rhs), self.is_bare_path(&assignment.1.rhs));
                    if is_whole
                        && let Some(variable) = self.variables.iter_mut().rev().find(|variable| variable.name == name)
                    {
                        variable.is_path |= is_path;
                        variable.of_record &= of_record || hook_param;
                        variable.is_params = false;
                    }
                    if hook_param || a_path {
                        self.say(
                            "record-changed",
                            *position,
                            format!("`{name}` is the record, which cannot be changed"),
                            Some("keep what you need in a `let`".to_owned()),
                        );
                    } else if name == "params" || self.constants.contains(name) {
                        self.say("record-changed", *position, format!("`{name}` cannot be changed"), None);
                    }
                }
            }
            Stmt::FnCall(call, position) => self.call(call, *position, 0),
            Stmt::Block(block) => self.block(block.statements()),
            Stmt::TryCatch(flow, _) => {
                self.block(flow.body.statements());
                let depth = self.variables.len();
                if let Expr::Variable(variable, ..) = &flow.expr {
                    self.declare(&variable.1, false, false);
                }
                self.block(flow.branch.statements());
                self.variables.truncate(depth);
            }
            Stmt::Expr(expr) => self.expr(expr),
            Stmt::BreakLoop(expr, ..) | Stmt::Return(expr, ..) => {
                if let Some(expr) = expr {
                    self.expr(expr);
                }
            }
            _ => {}
        }
    }

    pub(super) fn find(&self, name: &str) -> Option<&Variable<'a>> {
        self.variables.iter().rev().find(|variable| variable.name == name)
    }

    fn expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Variable(variable, _, position) if !variable.2.is_empty() => {
                self.in_module("unknown-variable", &variable.2, &variable.1, *position);
            }
            Expr::Variable(variable, _, position) => self.variable(&variable.1, *position),
            Expr::InterpolatedString(parts, _) | Expr::Array(parts, _) => {
                for part in parts.iter() {
                    self.expr(part);
                }
            }
            Expr::Map(map, _) => {
                for (_, value) in &map.0 {
                    self.expr(value);
                }
            }
            Expr::And(parts, _) | Expr::Or(parts, _) => {
                for part in parts.iter() {
                    self.expr(part);
                    self.condition(part, "condition");
                }
            }
            Expr::Coalesce(parts, _) => {
                for part in parts.iter() {
                    self.expr(part);
                }
            }
            Expr::Stmt(block) => {
                let depth = self.variables.len();
                for statement in block.statements() {
                    self.statement(statement);
                }
                self.variables.truncate(depth);
            }
            Expr::FnCall(call, position) => self.call(call, *position, 0),
            Expr::MethodCall(call, position) => self.call(call, *position, 1),
            Expr::Dot(pair, ..) | Expr::Index(pair, ..) => {
                for closure in self.closures_over_record(expr) {
                    self.over_record.insert(closure);
                }
                if let Expr::Variable(variable, ..) = &pair.lhs
                    && variable.2.is_empty()
                {
                    match first_step(&pair.rhs) {
                        Expr::Property(property, position) => self.param(&variable.1, &property.2, *position),
                        Expr::StringConstant(name, position) if matches!(expr, Expr::Index(..)) => {
                            self.param(&variable.1, name, *position);
                        }
                        _ => {}
                    }
                }
                self.expr(&pair.lhs);
                self.expr(&pair.rhs);
            }
            _ => {}
        }
    }

    fn call(&mut self, call: &'a FnCallExpr, position: Position, receiver: usize) {
        for arg in &call.args {
            self.expr(arg);
        }
        let name = call.name.as_str();
        if !call.namespace.is_empty() {
            self.in_module("unknown-function", &call.namespace, name, position);
            return;
        }
        if call.op_token.is_some() && name != "contains" {
            if name == "!" {
                for arg in &call.args {
                    self.condition(arg, "condition");
                }
            }
            return;
        }
        if name.starts_with("anon$") {
            return;
        }
        if name == "contains" && receiver == 0 && self.is_written_in(position) {
            if call.args.first().is_some_and(|container| self.is_text(container)) {
                self.say(
                    "text-as-list",
                    position,
                    "`in` with text on its right looks for a part of the text".to_owned(),
                    Some("compare with `==`, look in a list, or say `text.contains(part)`".to_owned()),
                );
            }
            return;
        }
        let closure = if name == "curry" { call.args.first().and_then(closure_name) } else { None };
        match closure.and_then(|name| self.parsed.functions.iter().find(|function| function.name == name)) {
            // What a closure captures is what it is given first.
            Some(closure) => {
                for (at, arg) in call.args[1..].iter().enumerate() {
                    self.given(&closure.name, at, arg);
                    if self.is_params(arg) {
                        self.given_params.insert((&closure.name, at));
                    }
                }
            }
            None => {
                for (at, arg) in call.args.iter().enumerate() {
                    self.given(name, at + receiver, arg);
                }
            }
        }
        if let ("Fn", Some(Expr::StringConstant(function, at))) = (name, call.args.first())
            && !self.known.has(function)
        {
            let help = self.known.meant(function).map(|meant| format!("did you mean `{meant}`?"));
            self.say("unknown-function", *at, format!("no function `{function}`"), help);
            self.rename(function, self.known.names());
        }
        if let ("Fn", Some(Expr::StringConstant(function, at))) = (name, call.args.first())
            && (1..=3).any(|arguments| looks_up(function, arguments))
        {
            self.kind_out_of_sight(function, *at);
        }
        if PREDICATES.contains(&name) {
            for arg in &call.args {
                if let Some(closure) = closure_name(arg) {
                    self.predicates.insert(closure);
                }
            }
        }
        if receiver == 0 || !self.keys.contains(name) {
            self.function_is_known(name, call.args.len(), receiver, position);
        }
        if receiver == 0 {
            self.kind(name, call, position);
        } else if looks_up(name, call.args.len() + 1) && !self.known.is_of_script(name, call.args.len()) {
            self.kind_out_of_sight(name, position);
        }
    }

    /// Says that there is nothing to be found in a module.
    fn in_module(&mut self, code: &'static str, module: &Namespace, name: &str, position: Position) {
        let help = format!("there are no modules: `{name}` alone, if that is what is meant");
        self.say(code, position, format!("nothing is called `{module}::{name}`"), Some(help));
    }

    fn given(&mut self, function: &'a str, at: usize, arg: &Expr) {
        if self.is_of_record(arg) {
            self.record_params.insert((function, at));
        }
    }

    /// True if a call of `contains` is written as `x in list`.
    fn is_written_in(&self, position: Position) -> bool {
        let text = &self.source.text[self.lines.offset(position)..];
        text.starts_with("in") || text.starts_with("!in") || text.starts_with("not in")
    }
}
