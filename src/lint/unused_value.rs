//! `unused-value`: something is asked, and nobody takes the answer.

use super::subject::File;
use super::{Category, Check, Lint};
use crate::diagnostic::{Diagnostic, Level};
use crate::script::gives_only;
use crate::script::syntax::{self, Expr, Function, Kind, Node, Stmt, StmtKind};

pub(super) const LINT: Lint = Lint {
    code: "unused-value",
    category: Category::Correctness,
    level: Level::Warning,
    summary: "A statement asks something and does nothing with the answer.",
    avoid: "`succeeded(event); event.readOnly == false`",
    prefer: "`succeeded(event) && event.readOnly == false`",
    why: "A `;` in the place of `&&` takes a condition away without a word.",
    check: Check::File(check),
    bad: &[
        "fn matches(event) { succeeded(event); event.x == 1 }",
        "fn matches(event) { event.x == 1; succeeded(event) }",
        "fn matches(event) { if event.x == 1 { event.y == 2; } succeeded(event) }",
        "fn matches(event) { for x in list(event.y) { x.z == 1 } succeeded(event) }",
        "fn matches(event) { is_bad(event); succeeded(event) }\nfn is_bad(e) { e.x == 1 && !is_good(e) }\nfn is_good(e) { e.y == 2 }",
        "fn matches(event) { list(event.x).some(|x| x == 1); succeeded(event) }",
        "fn matches(event) { list(event.x).some(|x| { x.y == 1; x.z == 1 }) && succeeded(event) }",
        "fn matches(event) { event.x; succeeded(event) }",
        "fn matches(event) { asked(event) }\n//// lib\nfn asked(e) { succeeded(e); e.x == 1 }",
    ],
    good: &[
        "fn matches(event) { let seen = []; for x in list(event.y) { seen.push(x); } seen.len() > 1 && succeeded(event) }",
        "fn matches(event) { print(event.x); succeeded(event) }",
        "fn matches(event) { told(event); succeeded(event) }\nfn told(e) { print(e.x); true }",
        "fn matches(event) { sure(event); succeeded(event) }\nfn sure(e) { if e.x == 1 { throw \"x\"; } true }",
        "fn matches(event) { let x = if event.y == 1 { event.z } else { event.a }; x == 1 && succeeded(event) }",
        "fn matches(event) { switch event.x { 1 => { return false; } _ => () } succeeded(event) }",
        "fn matches(event) { if event.x == 1 { event.y == 1 && succeeded(event) } else { false } }",
        "fn matches(event) { let all = [1]; list(event.y).for_each(|x| all.push(x)); all.len() > 1 && succeeded(event) }",
    ],
};

fn check(file: &File<'_>) -> Vec<Diagnostic> {
    let mut walker = Walker { functions: &file.tree.functions, found: Vec::new() };
    for function in &file.tree.functions {
        walker.body(&function.body, true);
    }
    let message = "nobody takes the answer of this";
    let said =
        |expr: &Expr| LINT.at(file.source, expr.span.clone(), message).help("join conditions by `&&`, or take it away");
    walker.found.into_iter().map(said).collect()
}

struct Walker<'a> {
    functions: &'a [Function],
    found: Vec<&'a Expr>,
}

impl<'a> Walker<'a> {
    /// Goes through statements; the value of the last is that of all of them where that is taken.
    fn body(&mut self, body: &'a [Stmt], is_taken: bool) {
        for (at, statement) in body.iter().enumerate() {
            self.statement(statement, is_taken && at + 1 == body.len());
        }
    }

    fn statement(&mut self, statement: &'a Stmt, is_taken: bool) {
        match &statement.kind {
            StmtKind::Expr(expr) => self.value(expr, is_taken),
            StmtKind::If(condition, yes, no) => {
                self.value(condition, true);
                self.body(yes, is_taken);
                self.body(no, is_taken);
            }
            StmtKind::Switch(subject, arms) => {
                self.value(subject, true);
                for arm in arms {
                    arm.guard.iter().for_each(|guard| self.value(guard, true));
                    self.value(&arm.body, is_taken);
                }
            }
            StmtKind::Block(body) => self.body(body, is_taken),
            StmtKind::Try(body, _, caught) => {
                self.body(body, is_taken);
                self.body(caught, is_taken);
            }
            _ => {
                let (exprs, blocks) = statement.parts();
                exprs.into_iter().for_each(|expr| self.value(expr, true));
                blocks.into_iter().for_each(|block| self.body(block, false));
            }
        }
    }

    fn value(&mut self, expr: &'a Expr, is_taken: bool) {
        match &expr.kind {
            Kind::Block(body) => return self.body(body, is_taken),
            Kind::Closure(_, body) => return self.body(body, true),
            _ if !is_taken && asks(expr) && self.only_gives(expr, &mut Vec::new()) => self.found.push(expr),
            _ => {}
        }
        expr.parts().0.into_iter().for_each(|part| self.value(part, true));
    }

    /// True if the expression changes nothing, tells nothing and stops nothing.
    fn only_gives(&self, expr: &'a Expr, within: &mut Vec<&'a str>) -> bool {
        let is_idle = match &expr.kind {
            Kind::Block(_) | Kind::Other => false,
            Kind::Closure(_, body) => body.iter().all(|statement| match &statement.kind {
                StmtKind::Expr(expr) => self.only_gives(expr, within),
                _ => false,
            }),
            Kind::Call(call) => gives_only(&call.name) || self.is_idle(&call.name, call.args.len(), within),
            _ => true,
        };
        is_idle && expr.parts().0.into_iter().all(|part| self.only_gives(part, within))
    }

    /// The same of a function of the file.
    fn is_idle(&self, name: &'a str, arity: usize, within: &mut Vec<&'a str>) -> bool {
        let is_it = |function: &&Function| function.name == name && function.params.len() == arity;
        let Some(function) = self.functions.iter().find(is_it) else { return false };
        if within.contains(&name) {
            return false;
        }
        within.push(name);
        let mut is_idle = true;
        syntax::visit(&function.body, &mut |node| match node {
            Node::Stmt(Stmt { kind: StmtKind::Throw(_), .. }) => is_idle = false,
            Node::Expr(expr) => match &expr.kind {
                Kind::Other => is_idle = false,
                Kind::Call(call) if !gives_only(&call.name) => {
                    is_idle = is_idle && self.is_idle(&call.name, call.args.len(), within);
                }
                _ => {}
            },
            _ => {}
        });
        within.pop();
        is_idle
    }
}

/// True unless the expression is a value that is written out, which some write where nothing is to be done.
fn asks(expr: &Expr) -> bool {
    let mut asks = false;
    expr.visit(&mut |node| {
        asks |= matches!(
            node,
            Node::Expr(Expr {
                kind: Kind::Variable(_)
                    | Kind::Field(..)
                    | Kind::Index(..)
                    | Kind::Call(_)
                    | Kind::Operator(..)
                    | Kind::All(_)
                    | Kind::Any(_)
                    | Kind::Otherwise(_),
                ..
            })
        );
    });
    asks
}
