//! `unreachable-code`: statements behind one that always leaves.

use super::subject::File;
use super::{Category, Check, Lint};
use crate::diagnostic::{Diagnostic, Level};
use crate::script::syntax::{self, Kind, Node, Stmt, StmtKind};

pub(super) const LINT: Lint = Lint {
    code: "unreachable-code",
    category: Category::Correctness,
    level: Level::Warning,
    summary: "A statement that is never reached: what stands before it always leaves the function or the loop.",
    avoid: "`return true; event.eventName == \"A\"`",
    prefer: "one of the two",
    why: "Somebody believes that it is asked.",
    check: Check::File(check),
    bad: &[
        "fn matches(event) { return succeeded(event); event.eventName == \"A\" }",
        "fn matches(event) { if succeeded(event) { return true; } else { return false; } true }",
        "fn matches(event) { for x in list(event.resources) { break; print(x); } succeeded(event) }",
        "fn matches(event) { throw \"x\"; succeeded(event) }",
        "fn matches(event) { switch event.eventName { \"A\" => { return true; } _ => { return false; } } succeeded(event) }",
        "fn matches(event) { helper(event) }\nfn helper(e) { { return succeeded(e); } e.eventName == \"A\" }",
        "fn matches(event) { asked(event) }\n//// lib\nfn asked(e) { return succeeded(e); true }",
        "fn matches(event) { list(event.x).some(|x| { return x == 1; true }) && succeeded(event) }",
    ],
    good: &[
        "fn matches(event) { if event.eventName == \"A\" { return false; } succeeded(event) }",
        "fn matches(event) { if event.eventName == \"A\" { return false; } else if event.eventName == \"B\" { return true; } succeeded(event) }",
        "fn matches(event) { for x in list(event.resources) { if x == 1 { return true; } } succeeded(event) && false }",
        "fn matches(event) { switch event.eventName { \"A\" => { return true; } } succeeded(event) }",
        "fn matches(event) { loop { break; } succeeded(event) }",
        "fn matches(event) { try { return succeeded(event); } catch { print(1); } false }",
    ],
};

fn check(file: &File<'_>) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    for function in &file.tree.functions {
        syntax::visit(&function.body, &mut |node| {
            let Node::Body(body) = node else { return };
            let Some(at) = body.iter().position(leaves) else { return };
            if let Some(next) = body.get(at + 1) {
                out.push(LINT.at(
                    file.source,
                    next.span.clone(),
                    "this is never reached: what stands before it always leaves",
                ));
            }
        });
    }
    out
}

/// True if nothing behind the statement is ever reached.
fn leaves(statement: &Stmt) -> bool {
    let all_leave = |body: &[Stmt]| body.iter().any(leaves);
    match &statement.kind {
        StmtKind::Return(_) | StmtKind::Throw(_) | StmtKind::Leave(_) => true,
        StmtKind::If(_, yes, no) => all_leave(yes) && all_leave(no),
        StmtKind::Block(body) => all_leave(body),
        StmtKind::Switch(_, arms) => {
            let is_whole = arms.iter().any(|arm| arm.values.is_empty() && !arm.ranges && arm.guard.is_none());
            is_whole && arms.iter().all(|arm| matches!(&arm.body.kind, Kind::Block(body) if all_leave(body)))
        }
        StmtKind::Try(body, _, caught) => all_leave(body) && all_leave(caught),
        _ => false,
    }
}
