//! `unused-function`: functions that no hook reaches.

use std::collections::BTreeSet;

use super::subject::Subject;
use super::{Category, Check, Lint};
use crate::diagnostic::{Diagnostic, Level};
use crate::script::syntax::{self, Function, Kind, Node};

pub(super) const LINT: Lint = Lint {
    code: "unused-function",
    category: Category::Style,
    level: Level::Warning,
    summary: "A function of the policy that no hook calls, directly or through others.",
    avoid: "`fn is_exempt(event) { … }` with nothing that calls it",
    prefer: "to call it, or to take it away",
    why: "An exception or a condition that is written down and not asked is worse than none.",
    check: Check::Policy(check),
    bad: &[
        "fn matches(event) { succeeded(event) }\nfn is_exempt(event) { event.userAgent == \"x\" }",
        "fn matches(event) { succeeded(event) }\nfn one(event) { two(event) }\nfn two(event) { one(event) }",
        "fn matches(event) { succeeded(event) }\nfn deep(x) { deep(x) }",
    ],
    good: &[
        "fn matches(event) { succeeded(event) && !is_exempt(event) }\nfn is_exempt(event) { event.userAgent == \"x\" }",
        "fn matches(event) { succeeded(event) }\nfn context(event) { #{ a: one(event) } }\nfn one(event) { two(event) }\nfn two(event) { event.a }",
        "fn matches(event) { list(event.a).some(|x| is_bad(x)) && succeeded(event) }\nfn is_bad(x) { x == 1 }",
        "fn matches(event) { Fn(\"is_bad\").call(event) && succeeded(event) }\nfn is_bad(x) { x.a == 1 }",
    ],
};

fn check(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let functions = &subject.tree.functions;
    let hooks = subject.header().hooks();
    let is_hook = |function: &&Function| hooks.given(&function.name).is_some();
    let mut reached: BTreeSet<&str> = BTreeSet::new();
    let mut next: Vec<&Function> = functions.iter().filter(is_hook).collect();
    while let Some(function) = next.pop() {
        for name in mentioned(function) {
            if reached.insert(name) {
                next.extend(functions.iter().filter(|function| function.name == name));
            }
        }
    }
    let unused = functions.iter().filter(|function| !is_hook(function) && !reached.contains(function.name.as_str()));
    unused
        .map(|function| {
            LINT.at(subject.source, function.span.clone(), format!("no hook calls `{}`", function.name))
                .help("call it, or take it away")
        })
        .collect()
}

/// The functions that a function may call, by name.
pub(super) fn mentioned(function: &Function) -> BTreeSet<&str> {
    let mut names = BTreeSet::new();
    syntax::visit(&function.body, &mut |node| {
        let Node::Expr(expr) = node else { return };
        match &expr.kind {
            Kind::Call(call) => names.insert(call.name.as_str()),
            Kind::Pointer(name) | Kind::Variable(name) => names.insert(name),
            Kind::Literal(serde_json::Value::String(text)) => names.insert(text),
            _ => false,
        };
    });
    names
}
