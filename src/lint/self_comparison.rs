//! `self-comparison`: something compared with itself.

use super::subject::File;
use super::{Category, Check, Lint};
use crate::diagnostic::{Diagnostic, Level};
use crate::script::syntax::{self, Expr, Kind, Node};

pub(super) const LINT: Lint = Lint {
    code: "self-comparison",
    category: Category::Correctness,
    level: Level::Warning,
    summary: "Something is compared with itself.",
    avoid: "`event.recipientAccountId == event.recipientAccountId`",
    prefer: "the other thing: `event.userIdentity.accountId != event.recipientAccountId`",
    why: "It is always the same, and what it was meant to be compared with is not asked.",
    check: Check::File(check),
    bad: &[
        "fn matches(event) { event.recipientAccountId != event.recipientAccountId && succeeded(event) }",
        "fn matches(event) { request(event).a == request( event ).a && succeeded(event) }",
        "fn matches(event) { list(event.a).some(|x| x.b == x.b) && succeeded(event) }",
        "fn matches(event) { asked(event) }\n//// lib\nfn asked(e) { e.a == e.a && succeeded(e) }",
        "fn matches(event) { event.a in [event.a] && succeeded(event) }",
    ],
    good: &[
        "fn matches(event) { event.recipientAccountId != event.userIdentity.accountId && succeeded(event) }",
        "fn matches(event) { event.a == event.b && succeeded(event) }",
        "fn matches(event) { let x = [1, 2]; x.pop() == x.pop() && succeeded(event) }",
    ],
};

fn check(file: &File<'_>) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    for function in &file.tree.functions {
        syntax::visit(&function.body, &mut |node| {
            if let Node::Expr(expr) = node
                && let Some((left, right)) = sides(expr)
                && is_steady(left)
                && file.words(&left.span) == file.words(&right.span)
            {
                out.push(LINT.at(file.source, expr.span.clone(), "this is compared with itself"));
            }
        });
    }
    out
}

fn sides(expr: &Expr) -> Option<(&Expr, &Expr)> {
    match &expr.kind {
        Kind::Operator(name, args) if matches!(name.as_str(), "==" | "!=" | "<" | "<=" | ">" | ">=") => {
            Some((args.first()?, args.get(1)?))
        }
        Kind::Call(call) if call.name == "contains" => match (&call.args.first()?.kind, call.args.get(1)?) {
            (Kind::List(items), needle) if items.len() == 1 => Some((&items[0], needle)),
            _ => None,
        },
        _ => None,
    }
}

/// True for what is the same twice: a path, or a call of a function that changes nothing.
fn is_steady(expr: &Expr) -> bool {
    match &expr.kind {
        Kind::Variable(_) => true,
        Kind::Field(base, _) => is_steady(base),
        Kind::Index(base, index) => is_steady(base) && (is_steady(index) || matches!(index.kind, Kind::Literal(_))),
        Kind::Call(call) => {
            ["request", "response", "actor", "region", "account", "first", "list", "arn", "text"]
                .contains(&call.name.as_str())
                && call.args.iter().all(is_steady)
        }
        _ => false,
    }
}
