//! `constant-condition`: conditions that do not depend on the record.

use serde_json::Value as Json;

use super::subject::File;
use super::{Category, Check, Lint};
use crate::diagnostic::{Diagnostic, Level};
use crate::script::syntax::{self, Expr, Kind, Node, StmtKind};

pub(super) const LINT: Lint = Lint {
    code: "constant-condition",
    category: Category::Correctness,
    level: Level::Warning,
    summary: "A condition that is the same for every record: `true`, `false`, or a comparison of two literals.",
    avoid: "`succeeded(event) || true`, `if 1 == 1 { … }`",
    prefer: "to take it away, or what was meant",
    why: "It is what is left of trying something out: with `|| true` the policy finds everything.",
    check: Check::File(check),
    bad: &[
        "fn matches(event) { succeeded(event) || true }",
        "fn matches(event) { succeeded(event) && false }",
        "fn matches(event) { if true { return false; } succeeded(event) }",
        "fn matches(event) { succeeded(event) && 1 == 1 }",
        "fn matches(event) { succeeded(event) && \"a\" in [\"a\", \"b\"] }",
        "fn matches(event) { false }",
        "fn matches(event) { succeeded(event) && !false }",
        "fn matches(event) { asked(event) }\n//// lib\nfn asked(e) { succeeded(e) || true }",
        "fn matches(event) { list(event.a).some(|x| x == 1 || true) && succeeded(event) }",
    ],
    good: &[
        "fn matches(event) { if event.a == 1 { return true; } succeeded(event) }",
        "fn matches(event) { let i = 0; while true { i += 1; if i > 3 { break; } } succeeded(event) }",
        "fn matches(event) { true }",
        "fn matches(event) { switch event.a { 1 => true, _ => false } }",
        "const LIMIT = 3;\nfn matches(event) { succeeded(event) && event.a == LIMIT }",
        "fn matches(event) { event.readOnly == false && succeeded(event) }",
    ],
};

fn check(file: &File<'_>) -> Vec<Diagnostic> {
    let mut found: Vec<&Expr> = Vec::new();
    for function in &file.tree.functions {
        syntax::visit(&function.body, &mut |node| match node {
            Node::Expr(Expr { kind: Kind::All(parts) | Kind::Any(parts), .. }) => {
                found.extend(parts.iter().filter(|part| is_constant(part)));
            }
            Node::Stmt(syntax::Stmt { kind: StmtKind::If(condition, ..), .. }) if is_constant(condition) => {
                found.push(condition);
            }
            _ => {}
        });
        // A policy that finds everything that `when` admits says `true`; one that finds nothing is unfinished.
        if function.name == "matches"
            && let [syntax::Stmt { kind: StmtKind::Expr(expr), .. }] = function.body.as_slice()
            && matches!(expr.kind, Kind::Literal(Json::Bool(false)))
        {
            found.push(expr);
        }
    }
    found.into_iter().map(|expr| LINT.at(file.source, expr.span.clone(), "this is the same for every record")).collect()
}

/// True for what is yes or no by itself.
fn is_constant(expr: &Expr) -> bool {
    let is_literal = |expr: &Expr| match &expr.kind {
        Kind::Literal(_) => true,
        Kind::List(items) => items.iter().all(|item| matches!(item.kind, Kind::Literal(_))),
        _ => false,
    };
    match &expr.kind {
        Kind::Literal(Json::Bool(_)) => true,
        Kind::Operator(name, args) if matches!(name.as_str(), "==" | "!=" | "<" | "<=" | ">" | ">=") => {
            args.iter().all(is_literal)
        }
        Kind::Operator(name, args) if name == "!" => args.iter().all(is_constant),
        Kind::Call(call) if call.name == "contains" => call.args.iter().all(is_literal),
        _ => false,
    }
}
