//! `duplicate-condition`: the same condition twice.

use super::subject::File;
use super::{Category, Check, Lint};
use crate::diagnostic::{Diagnostic, Level};
use crate::script::syntax::{self, Expr, Kind, Node, Stmt, StmtKind};

pub(super) const LINT: Lint = Lint {
    code: "duplicate-condition",
    category: Category::Correctness,
    level: Level::Warning,
    summary: "The same condition stands twice between `&&` or `||` or in a chain of `else if`, or the same value twice in a list \
              that something is looked for in.",
    avoid: "`x.a == 1 || x.b == 2 || x.a == 1`",
    prefer: "to say it once; mostly one of the two should have been another",
    why: "It was copied and not changed.",
    check: Check::File(check),
    bad: &[
        "fn matches(event) { succeeded(event) && event.a == 1 && succeeded(event) }",
        "fn matches(event) { succeeded(event) && (event.a == 1 || event.b == 2 || event.a==1) }",
        "fn matches(event) { if event.a == 1 { succeeded(event) } else if event.a == 1 { false } else { true } }",
        "fn matches(event) { event.eventName in [\"A\", \"B\", \"A\"] && succeeded(event) }",
        "fn matches(event) { [\"A\", \"A\"].contains(event.eventName) && succeeded(event) }",
        "fn matches(event) { (event.a == 1 && event.b == 2) && event.a == 1 && succeeded(event) }",
        "const NAMES = [\"A\", \"B\", \"A\"];\nfn matches(event) { NAMES.contains(event.eventName) && succeeded(event) }",
        "fn matches(event) { asked(event) }\n//// lib\nfn asked(e) { succeeded(e) && succeeded(e) }",
    ],
    good: &[
        "fn matches(event) { succeeded(event) && event.a == 1 && event.b == 1 }",
        "fn matches(event) { (event.a == 1 && event.b == 1 || event.a == 1 && event.b == 2) && succeeded(event) }",
        "fn matches(event) { if event.a == 1 { succeeded(event) } else if event.a == 2 { false } else { true } }",
        "fn matches(event) { [1, 1].len() == 2 && succeeded(event) }",
    ],
};

fn check(file: &File<'_>) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    let mut say = |expr: &Expr| out.push(LINT.at(file.source, expr.span.clone(), "this was asked already"));
    for function in &file.tree.functions {
        // An `if` that is the `else` of another is told with the first of its chain.
        let mut told: Vec<usize> = Vec::new();
        syntax::visit(&function.body, &mut |node| match node {
            Node::Expr(Expr { kind: Kind::All(parts), span }) => {
                let parts = flat(parts, true);
                if !told.contains(&span.start) {
                    again(file, &parts).into_iter().for_each(&mut say);
                }
                told.push(span.start);
            }
            Node::Expr(Expr { kind: Kind::Any(parts), .. }) => {
                again(file, &flat(parts, false)).into_iter().for_each(&mut say)
            }
            Node::Expr(Expr { kind: Kind::Call(call), .. }) if call.name == "contains" => {
                if let Some(Expr { kind: Kind::List(items), .. }) = call.args.first() {
                    again(file, &items.iter().collect::<Vec<_>>()).into_iter().for_each(&mut say);
                }
            }
            Node::Stmt(statement) if !told.contains(&statement.span.start) => {
                let mut conditions = Vec::new();
                let mut next = Some(statement);
                while let Some(Stmt { kind: StmtKind::If(condition, _, no), span }) = next {
                    conditions.push(condition);
                    told.push(span.start);
                    next = no.first().filter(|_| no.len() == 1);
                }
                again(file, &conditions).into_iter().for_each(&mut say);
            }
            _ => {}
        });
    }
    for (name, span, value) in &file.tree.constants {
        let Some(items) = value.as_array() else { continue };
        let is_looked_in =
            file.source.text.contains(&format!("{name}.contains(")) || file.source.text.contains(&format!("in {name}"));
        if is_looked_in && items.iter().enumerate().any(|(at, item)| items[..at].contains(item)) {
            out.push(LINT.at(file.source, span.clone(), "a value stands twice in this list"));
        }
    }
    out
}

/// Parts within parts of the same kind, side by side.
fn flat(parts: &[Expr], all: bool) -> Vec<&Expr> {
    parts
        .iter()
        .flat_map(|part| match &part.kind {
            Kind::All(inner) if all => flat(inner, all),
            Kind::Any(inner) if !all => flat(inner, all),
            _ => vec![part],
        })
        .collect()
}

/// Those that stand there already.
fn again<'e>(file: &File<'_>, parts: &[&'e Expr]) -> Vec<&'e Expr> {
    let words: Vec<Vec<&str>> = parts.iter().map(|part| file.words(&part.span)).collect();
    let is_again = |at: &usize| !words[*at].is_empty() && words[..*at].contains(&words[*at]);
    (1..parts.len()).filter(is_again).map(|at| parts[at]).collect()
}
