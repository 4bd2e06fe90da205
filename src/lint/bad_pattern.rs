//! `bad-pattern`: globs, regular expressions and JSON paths that are none.

use serde_json::Value;

use super::subject::File;
use super::{Category, Check, Lint};
use crate::diagnostic::{Diagnostic, Level};
use crate::script::pattern_mistake;
use crate::script::syntax::{self, Expr, Kind, Node};

pub(super) const LINT: Lint = Lint {
    code: "bad-pattern",
    category: Category::Correctness,
    level: Level::Error,
    summary: "A glob, a regular expression or a JSONPath, written out, that does not parse.",
    avoid: "`regex(event.userAgent, \"aws-(cli\")`, `glob(event.eventName, \"Delete[\")`, `jsonpath(event, \"$..[\")`",
    prefer: "`regex(event.userAgent, \"aws-(cli|sdk)\")`; what is meant as it stands is escaped: ``regex(x, `aws-\\(cli`)``, \
             `glob(x, \"Delete[[]\")`",
    why: "The policy would fail on every record that it comes to ask about, and find nothing there.",
    check: Check::File(check),
    bad: &[
        "fn matches(event) { succeeded(event) && regex(event.userAgent, \"aws-(cli\") }",
        "fn matches(event) { succeeded(event) && event.userAgent.regex(\"aws-(cli\") }",
        "fn matches(event) { succeeded(event) && glob(event.userAgent, \"aws[\") }",
        "fn matches(event) { succeeded(event) && glob(event.userAgent, [\"aws*\", \"boto[\"]) }",
        "fn matches(event) { succeeded(event) && jsonpath(event, \"$..[\").len() > 0 }",
        "fn matches(event) { succeeded(event) && regex_find(event.userAgent, \"*a\") == \"a\" }",
        "const CLI = \"aws-(cli\";\nfn matches(event) { succeeded(event) && regex(event.userAgent, CLI) }",
        "const CLIS = [\"aws*\", \"boto[\"];\nfn matches(event) { succeeded(event) && glob(event.userAgent, CLIS) }",
        "fn matches(event) { is_cli(event) }\n//// lib\nfn is_cli(e) { regex(e.userAgent, \"aws-(cli\") && succeeded(e) }",
        "fn matches(event) { list(event.x).some(|x| glob(x, \"[\")) && succeeded(event) }",
    ],
    good: &[
        "fn matches(event) { succeeded(event) && regex(event.userAgent, `^aws-(cli|sdk)/\\d`) }",
        "fn matches(event) { succeeded(event) && glob(event.userAgent, [\"aws*\", \"boto[3]*\", \"{a,b}\"]) }",
        "fn matches(event) { succeeded(event) && jsonpath(event, \"$..cidrIp\").len() > 0 }",
        "fn matches(event) { succeeded(event) && regex_find(event.userAgent, event.pattern) == \"a\" }",
        "fn matches(event) { succeeded(event) && event.userAgent.contains(\"aws-(cli\") }",
    ],
};

fn check(file: &File<'_>) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    for function in &file.tree.functions {
        syntax::visit(&function.body, &mut |node| {
            let Node::Expr(Expr { kind: Kind::Call(call), .. }) = node else { return };
            let [_, pattern] = call.args.as_slice() else { return };
            let written = match &pattern.kind {
                // Each is told where it stands.
                Kind::List(items) => items.iter().collect(),
                _ => vec![pattern],
            };
            for expr in written {
                let texts = match &expr.kind {
                    Kind::Literal(value) => texts(value),
                    // No variable has the name of a constant: that is a `name-clash`.
                    Kind::Variable(name) => {
                        let constant = file.tree.constants.iter().find(|(constant, ..)| constant == name);
                        constant.map(|(_, _, value)| texts(value)).unwrap_or_default()
                    }
                    _ => Vec::new(),
                };
                let mistakes = texts.into_iter().filter_map(|text| pattern_mistake(&call.name, text));
                out.extend(mistakes.map(|mistake| LINT.at(file.source, expr.span.clone(), mistake)));
            }
        });
    }
    out
}

/// A text, or those of a list.
fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        _ => value.as_str().into_iter().collect(),
    }
}
