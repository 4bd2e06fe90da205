//! `unused-variable`: variables and constants that nobody reads.

use std::collections::BTreeSet;

use super::subject::File;
use super::{Category, Check, Lint};
use crate::diagnostic::{Diagnostic, Level};
use crate::script::syntax::{self, Expr, Function, Kind, Node, Span, Stmt, StmtKind};

pub(super) const LINT: Lint = Lint {
    code: "unused-variable",
    category: Category::Style,
    level: Level::Warning,
    summary: "A `let` or a `const` that nobody reads.",
    avoid: "`let name = event.eventName; succeeded(event)`",
    prefer: "to read it, to take it away, or to begin its name with `_`",
    why: "It is what is left of a condition, or what one was meant to be made of.",
    check: Check::File(check),
    bad: &[
        "fn matches(event) { let name = event.eventName; succeeded(event) }",
        "fn matches(event) { let n = 0; n = 1; succeeded(event) }",
        "const LIMIT = 5;\nfn matches(event) { succeeded(event) }",
        "fn matches(event) { asked(event) }\n//// lib\nfn asked(e) { let x = e.eventName; succeeded(e) }",
    ],
    good: &[
        "fn matches(event) { let name = event.eventName; name == \"A\" && succeeded(event) }",
        "fn matches(event) { let x = event.a; list(event.b).some(|y| y == x) && succeeded(event) }",
        "fn matches(event) { let all = []; all.push(event.a); all.len() == 1 && succeeded(event) }",
        "fn matches(event) { let _later = event.a; succeeded(event) }",
        "fn matches(event) { let x = event.a; `${x}` == \"A\" && succeeded(event) }",
        "fn matches(event) { let m = #{}; m.a = 1; m.len() == 1 && succeeded(event) }",
        "const LIMIT = 5;\nfn matches(event) { event.n == LIMIT && succeeded(event) }",
    ],
};

fn check(file: &File<'_>) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    let mut all = BTreeSet::new();
    for function in &file.tree.functions {
        let (declared, read) = names(function);
        for (name, span) in declared {
            if !read.contains(name) && !name.starts_with('_') {
                out.push(LINT.at(file.source, span, format!("nobody reads `{name}`")));
            }
        }
        all.extend(read);
    }
    for (name, span, _) in &file.tree.constants {
        if !all.contains(name.as_str()) && !name.starts_with('_') {
            out.push(LINT.at(file.source, span.clone(), format!("nobody reads `{name}`")));
        }
    }
    out
}

/// The variables that a function declares, and those that it reads.
fn names(function: &Function) -> (Vec<(&str, Span)>, BTreeSet<&str>) {
    let (mut declared, mut read) = (Vec::new(), BTreeSet::new());
    // What is assigned to as a whole is not read by that.
    let mut targets: Vec<*const Expr> = Vec::new();
    syntax::visit(&function.body, &mut |node| match node {
        Node::Stmt(Stmt { kind: StmtKind::Let(name, span, _), .. }) => declared.push((name.as_str(), span.clone())),
        Node::Stmt(Stmt { kind: StmtKind::Assign(target, false, _), .. })
            if matches!(target.kind, Kind::Variable(_)) =>
        {
            targets.push(std::ptr::from_ref(target));
        }
        Node::Expr(expr) => {
            if let Kind::Variable(name) = &expr.kind
                && !targets.contains(&std::ptr::from_ref(expr))
            {
                read.insert(name.as_str());
            }
        }
        _ => {}
    });
    (declared, read)
}
