//! From Rhai's tree to ours: every part with its place, closures where they were written.

use std::collections::{BTreeMap, HashMap};

use rhai::{ASTFlags, Dynamic, Expr as Theirs, FnCallExpr, Position, Stmt as TheirStmt, SwitchCasesCollection};
use serde_json::Value;

use super::super::check::{self, Lines, Parsed};
use super::super::value;
use super::{Arm, Call, Expr, Function, Kind, Span, Stmt, StmtKind, Tokens, Tree};

/// The tree of a text that was parsed.
pub(in crate::script) fn convert(text: &str, parsed: &Parsed) -> Tree {
    let closures = parsed.functions.iter().filter(|function| function.is_closure());
    let converter = Converter {
        text,
        tokens: Tokens::of(text),
        lines: Lines::of(text),
        closures: closures.map(|closure| (closure.name.as_str(), closure)).collect(),
    };
    let named = parsed.functions.iter().filter(|function| !function.is_closure());
    let mut functions: Vec<Function> = named.map(|function| converter.function(function)).collect();
    functions.sort_by_key(|function| function.span.start);
    let constants = parsed.tree.statements().iter().filter_map(|statement| {
        let (name, value) = check::constant(statement)?;
        let place = converter.token(statement.position());
        Some((name, converter.tokens.after(place.start).unwrap_or(place), value))
    });
    Tree { functions, constants: constants.collect() }
}

struct Converter<'a> {
    text: &'a str,
    tokens: Tokens,
    lines: Lines<'a>,
    closures: HashMap<&'a str, &'a check::Function>,
}

impl Converter<'_> {
    fn function(&self, function: &check::Function) -> Function {
        Function {
            name: function.name.clone(),
            span: check::function_name(self.text, &function.name),
            params: function.params.clone(),
            body: self.body(&function.body),
        }
    }

    /// The token at a position of Rhai's.
    fn token(&self, position: Position) -> Span {
        if position.is_none() {
            return self.text.len()..self.text.len();
        }
        let start = self.lines.offset(position);
        self.tokens.at(start).filter(|token| token.start == start).unwrap_or(start..start)
    }

    /// The end of what a bracket encloses, where the bracket is the first token behind a place.
    fn closed_after(&self, end: usize) -> usize {
        self.tokens.from(end).and_then(|bracket| self.tokens.close(bracket.start)).unwrap_or(end)
    }

    fn body(&self, statements: &[TheirStmt]) -> Vec<Stmt> {
        statements.iter().filter_map(|statement| self.statement(statement)).collect()
    }

    fn statement(&self, statement: &TheirStmt) -> Option<Stmt> {
        let token = self.token(statement.position());
        let kind = match statement {
            TheirStmt::Noop(_) | TheirStmt::Share(_) => return None,
            TheirStmt::If(flow, _) => StmtKind::If(
                self.expr(&flow.expr),
                self.body(flow.body.statements()),
                self.body(flow.branch.statements()),
            ),
            TheirStmt::While(flow, _) | TheirStmt::Do(flow, ..) => {
                let condition = (!matches!(flow.expr, Theirs::Unit(_))).then(|| self.expr(&flow.expr));
                StmtKind::While(condition, self.body(flow.body.statements()))
            }
            TheirStmt::Switch(switch, _) => StmtKind::Switch(self.expr(&switch.0), self.arms(&switch.1)),
            TheirStmt::For(parts, _) => {
                let (name, counter, flow) = &**parts;
                let names = std::iter::once(name).chain(counter).map(|name| name.as_str().to_owned()).collect();
                StmtKind::For(names, self.expr(&flow.expr), self.body(flow.body.statements()))
            }
            TheirStmt::Var(var, ..) => {
                let name = self.tokens.after(token.start).unwrap_or(token.clone());
                StmtKind::Let(var.0.as_str().to_owned(), name, self.expr(&var.1))
            }
            TheirStmt::Assignment(assignment) => StmtKind::Assign(
                self.expr(&assignment.1.lhs),
                assignment.0.is_op_assignment(),
                self.expr(&assignment.1.rhs),
            ),
            TheirStmt::FnCall(call, position) => StmtKind::Expr(self.call(call, *position, None)),
            TheirStmt::Block(block) => StmtKind::Block(self.body(block.statements())),
            TheirStmt::TryCatch(flow, _) => {
                let name = match &flow.expr {
                    Theirs::Variable(variable, ..) => Some(variable.1.to_string()),
                    _ => None,
                };
                StmtKind::Try(self.body(flow.body.statements()), name, self.body(flow.branch.statements()))
            }
            TheirStmt::Expr(expr) => StmtKind::Expr(self.expr(expr)),
            TheirStmt::BreakLoop(value, ..) => StmtKind::Leave(value.as_ref().map(|value| self.expr(value))),
            TheirStmt::Return(value, flags, _) => {
                let value = value.as_ref().map(|value| self.expr(value));
                if flags.intersects(ASTFlags::BREAK) { StmtKind::Throw(value) } else { StmtKind::Return(value) }
            }
            _ => return None,
        };
        let span = match &kind {
            StmtKind::Expr(expr) => expr.span.clone(),
            StmtKind::Assign(target, _, value) => target.span.start..value.span.end,
            StmtKind::Let(_, _, value) => token.start..value.span.end.max(token.end),
            StmtKind::Return(Some(value)) | StmtKind::Throw(Some(value)) => token.start..value.span.end.max(token.end),
            _ => token,
        };
        Some(Stmt { kind, span })
    }

    fn arms(&self, cases: &SwitchCasesCollection) -> Vec<Arm> {
        let mut values: BTreeMap<usize, Vec<Value>> = BTreeMap::new();
        #[expect(clippy::iter_over_hash_type, reason = "what is found is sorted")]
        for case in cases.cases.values() {
            for block in &case.blocks {
                values.entry(*block).or_default().push(value::to_json(&case.value));
            }
        }
        let arms = cases.expressions.iter().enumerate().map(|(at, case)| {
            let mut values = values.remove(&at).unwrap_or_default();
            values.sort_by_key(ToString::to_string);
            Arm {
                ranges: values.is_empty() && cases.def_case != Some(at),
                values,
                guard: (!matches!(case.lhs, Theirs::BoolConstant(true, _))).then(|| self.expr(&case.lhs)),
                body: self.expr(&case.rhs),
            }
        });
        arms.collect()
    }

    fn exprs(&self, exprs: &[Theirs]) -> Vec<Expr> {
        exprs.iter().map(|expr| self.expr(expr)).collect()
    }

    fn expr(&self, expr: &Theirs) -> Expr {
        let token = self.token(expr.position());
        let bracketed = || token.start..self.tokens.close(token.start).unwrap_or(token.end);
        let literal = |value: Value| Expr { kind: Kind::Literal(value), span: token.clone() };
        match expr {
            Theirs::Dot(pair, flags, _) | Theirs::Index(pair, flags, _) => {
                let in_index = matches!(expr, Theirs::Index(..));
                self.steps(self.expr(&pair.lhs), &pair.rhs, in_index, flags.intersects(ASTFlags::BREAK))
            }
            Theirs::FnCall(call, position) => self.call(call, *position, None),
            Theirs::MethodCall(call, position) => self.call(call, *position, None),
            Theirs::And(parts, _) => joined(self.exprs(parts), Kind::All),
            Theirs::Or(parts, _) => joined(self.exprs(parts), Kind::Any),
            Theirs::Coalesce(parts, _) => joined(self.exprs(parts), Kind::Otherwise),
            Theirs::Array(items, _) => Expr { kind: Kind::List(self.exprs(items)), span: bracketed() },
            Theirs::Map(map, _) => {
                let members = map.0.iter().map(|(key, value)| (key.as_str().to_owned(), self.expr(value)));
                Expr { kind: Kind::Map(members.collect()), span: bracketed() }
            }
            Theirs::InterpolatedString(parts, _) => Expr { kind: Kind::Interpolated(self.exprs(parts)), span: token },
            Theirs::Variable(variable, ..) => Expr { kind: Kind::Variable(variable.1.to_string()), span: token },
            Theirs::ThisPtr(_) => Expr { kind: Kind::Variable("this".to_owned()), span: token },
            Theirs::Stmt(block) => self.block(block.statements(), token),
            Theirs::DynamicConstant(value, _) => self.constant(value, token),
            Theirs::Property(property, _) => Expr { kind: Kind::Variable(property.2.to_string()), span: token },
            Theirs::Unit(_) => Expr { kind: Kind::Literal(Value::Null), span: bracketed() },
            other => match other.get_literal_value(None) {
                Some(value) => literal(value::to_json(&value)),
                None => Expr { kind: Kind::Other, span: token },
            },
        }
    }

    fn constant(&self, value: &Dynamic, token: Span) -> Expr {
        let Some(function) = value.read_lock::<rhai::FnPtr>() else {
            return Expr { kind: Kind::Literal(value::to_json(value)), span: token };
        };
        self.closure(function.fn_name(), 0, token.clone())
            .unwrap_or(Expr { kind: Kind::Pointer(function.fn_name().to_owned()), span: token })
    }

    /// A closure, whose first parameters are what it captures: variables of the same names.
    fn closure(&self, name: &str, captured: usize, span: Span) -> Option<Expr> {
        let function = self.closures.get(name)?;
        let params = function.params.iter().skip(captured).cloned().collect();
        Some(Expr { kind: Kind::Closure(params, self.body(&function.body)), span })
    }

    fn block(&self, statements: &[TheirStmt], token: Span) -> Expr {
        if let [TheirStmt::Share(_), TheirStmt::Expr(curry)] = statements
            && let Theirs::FnCall(call, _) = &**curry
            && let Some((Theirs::DynamicConstant(value, _), captured)) = call.args.split_first()
            && let Some(function) = value.read_lock::<rhai::FnPtr>()
            && let Some(closure) = self.closure(function.fn_name(), captured.len(), token.clone())
        {
            return closure;
        }
        let body = self.body(statements);
        let span = match (body.first(), body.last()) {
            (Some(first), Some(last)) => first.span.start..last.span.end.max(first.span.end),
            _ => token,
        };
        Expr { kind: Kind::Block(body), span }
    }

    /// Steps from an expression on. What stands in brackets is followed by more steps unless its chain is at its end.
    fn steps(&self, base: Expr, steps: &Theirs, in_index: bool, at_end: bool) -> Expr {
        let (mut base, mut rest, mut in_index, mut at_end) = (base, steps, in_index, at_end);
        loop {
            let (step, next) = match rest {
                Theirs::Dot(pair, flags, _) | Theirs::Index(pair, flags, _) if !(in_index && at_end) => {
                    let is_index = matches!(rest, Theirs::Index(..));
                    (&pair.lhs, Some((&pair.rhs, is_index, flags.intersects(ASTFlags::BREAK))))
                }
                other => (other, None),
            };
            base = self.step(base, step, in_index);
            match next {
                Some(following) => (rest, in_index, at_end) = following,
                None => return base,
            }
        }
    }

    fn step(&self, base: Expr, step: &Theirs, in_index: bool) -> Expr {
        let start = base.span.start;
        match step {
            Theirs::MethodCall(call, position) | Theirs::FnCall(call, position) if !in_index => {
                self.call(call, *position, Some(base))
            }
            Theirs::Property(property, position) if !in_index => {
                let end = self.token(*position).end;
                Expr { kind: Kind::Field(Box::new(base), property.2.to_string()), span: start..end }
            }
            index => {
                let end = self.closed_after(base.span.end);
                let index = self.expr(index);
                Expr { kind: Kind::Index(Box::new(base), Box::new(index)), span: start..end }
            }
        }
    }

    fn call(&self, call: &FnCallExpr, position: Position, receiver: Option<Expr>) -> Expr {
        let name_span = self.token(position);
        let name = call.name.to_string();
        let is_method = receiver.is_some();
        let mut args: Vec<Expr> = receiver.into_iter().collect();
        args.extend(call.args.iter().map(|arg| self.expr(arg)));
        let is_written_in = call.op_token.is_some() || (name == "contains" && !is_method && self.is_in(&name_span));
        if is_written_in {
            let start = args.iter().map(|arg| arg.span.start).min().unwrap_or(name_span.start).min(name_span.start);
            let end = args.iter().map(|arg| arg.span.end).max().unwrap_or(name_span.end).max(name_span.end);
            let kind = match name.as_str() {
                "contains" => Kind::Call(Call { name, name_span, args, is_method: false }),
                _ => Kind::Operator(name, args),
            };
            return Expr { kind, span: start..end };
        }
        let start = if is_method { args[0].span.start } else { name_span.start };
        let span = start..self.closed_after(name_span.end).max(name_span.end);
        Expr { kind: Kind::Call(Call { name, name_span, args, is_method }), span }
    }

    /// True if the token is `in`, or what makes it `!in`.
    fn is_in(&self, token: &Span) -> bool {
        matches!(&self.text[token.clone()], "in" | "!" | "not" | "!in")
    }
}

fn joined(parts: Vec<Expr>, join: fn(Vec<Expr>) -> Kind) -> Expr {
    let span = match (parts.first(), parts.last()) {
        (Some(first), Some(last)) => first.span.start..last.span.end,
        _ => 0..0,
    };
    Expr { kind: join(parts), span }
}
