//! `plain-quotes`: parts to be filled in, in a text that fills nothing in.

use serde_json::Value;

use super::subject::File;
use super::{Category, Check, Lint};
use crate::diagnostic::{Diagnostic, Level};
use crate::script::syntax::{self, Kind, Node};

pub(super) const LINT: Lint = Lint {
    code: "plain-quotes",
    category: Category::Correctness,
    level: Level::Warning,
    summary: "A text in double quotes holds `${…}`, which is filled in between backticks alone.",
    avoid: "`\"Volume ${id} deleted\"`",
    prefer: "`` `Volume ${id} deleted` ``",
    why: "It says `${id}`, letter by letter, in every finding.",
    check: Check::File(check),
    bad: &[
        "fn matches(event) { succeeded(event) }\nfn title(event) { \"Stopped ${event.eventName}\" }",
        "fn matches(event) { succeeded(event) }\nfn context(event) { #{ who: \"by ${actor(event).name}\" } }",
    ],
    good: &[
        "fn matches(event) { succeeded(event) }\nfn title(event) { `Stopped ${event.eventName}` }",
        "fn matches(event) { succeeded(event) && event.userAgent.contains(\"${\") }",
        "fn matches(event) { succeeded(event) && regex(event.userAgent, \"^[a-z]${0}\") }",
    ],
};

fn check(file: &File<'_>) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    for function in &file.tree.functions {
        syntax::visit(&function.body, &mut |node| {
            if let Node::Expr(expr) = node
                && let Kind::Literal(Value::String(text)) = &expr.kind
                && names_something(text)
                && file.source.text.get(expr.span.clone()).is_some_and(|written| written.starts_with('"'))
            {
                let told = LINT.at(file.source, expr.span.clone(), "`${…}` is filled in between backticks alone");
                out.push(told.help("`` ` `` in the place of `\"`"));
            }
        });
    }
    out
}

/// Whether a name begins behind `${`, and the brace is closed.
fn names_something(text: &str) -> bool {
    text.split("${").skip(1).any(|rest| {
        rest.trim_start().starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_')
            && rest.contains('}')
    })
}
