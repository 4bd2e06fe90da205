//! `list-as-text`: lists where a function takes one text.

use super::subject::File;
use super::{Category, Check, Lint};
use crate::diagnostic::{Diagnostic, Level};
use crate::script::syntax::{self, Kind, Node};

pub(super) const LINT: Lint = Lint {
    code: "list-as-text",
    category: Category::Correctness,
    level: Level::Warning,
    summary: "`starts_with` or `ends_with` is given a list.",
    avoid: "`event.eventName.starts_with([\"Stop\", \"Terminate\"])`",
    prefer: "`[\"Stop\", \"Terminate\"].some(|begin| event.eventName.starts_with(begin))`, `glob(event.eventName, [\"Stop*\", \"Terminate*\"])`",
    why: "No text begins or ends with a list, so the condition is false of every record.",
    check: Check::File(check),
    bad: &[
        "fn matches(event) { succeeded(event) && event.userAgent.starts_with([\"a\", \"b\"]) }",
        "fn matches(event) { succeeded(event) && ends_with(event.userAgent, [\"a\"]) }",
    ],
    good: &[
        "fn matches(event) { succeeded(event) && [\"a\", \"b\"].some(|begin| event.userAgent.starts_with(begin)) }",
        "fn matches(event) { succeeded(event) && glob(event.userAgent, [\"a*\", \"b*\"]) }",
    ],
};

fn check(file: &File<'_>) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    for function in &file.tree.functions {
        syntax::visit(&function.body, &mut |node| {
            if let Node::Expr(expr) = node
                && let Kind::Call(call) = &expr.kind
                && ["starts_with", "ends_with"].contains(&call.name.as_str())
                && let Some(list) = call.args.get(1).filter(|arg| matches!(arg.kind, Kind::List(_)))
            {
                let told = LINT.at(file.source, list.span.clone(), format!("`{}` takes one text", call.name));
                out.push(told.help("`list.some(|one| …)`, or `glob` with a list"));
            }
        });
    }
    out
}
