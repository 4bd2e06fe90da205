//! `plain-seconds`: ages compared with small numbers, which are seconds.

use serde_json::Value as Json;

use super::subject::File;
use super::{Category, Check, Lint};
use crate::diagnostic::{Diagnostic, Level};
use crate::script::syntax::{self, Expr, Kind, Node};

pub(super) const LINT: Lint = Lint {
    code: "plain-seconds",
    category: Category::Correctness,
    level: Level::Warning,
    summary: "An age is compared with a small number: it is in seconds, and not in days.",
    avoid: "`age(key.CreateDate) > 90`",
    prefer: "`age(key.CreateDate) > duration(\"90d\")`, or `duration(\"90s\")`",
    why: "Ninety seconds are over before a snapshot is read, so everything is old. `duration` says what is meant.",
    check: Check::File(check),
    bad: &[
        "fn matches(event) { succeeded(event) && age(event.userIdentity.sessionContext.attributes.creationDate) > 90 }",
        "fn matches(event) { succeeded(event) && 30 <= event.eventTime.age() }",
        "fn matches(event) { old(event) }\n//// lib\nfn old(e) { succeeded(e) && age(e.eventTime) >= 365 }",
    ],
    good: &[
        "fn matches(event) { succeeded(event) && age(event.eventTime) > duration(\"90d\") && age(event.eventTime) > 0 }",
        "fn matches(event) { succeeded(event) && age(event.eventTime) > 86400 && list(event.a).len() > 90 }",
        "fn matches(event) { succeeded(event) && age(event.eventTime) > 90 * 86400 }",
    ],
};

/// Below this a number is more likely one of days than of seconds; above it is more than ten years of days.
const FEW: i64 = 3600;

fn check(file: &File<'_>) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    for function in &file.tree.functions {
        syntax::visit(&function.body, &mut |node| {
            let Node::Expr(Expr { kind: Kind::Operator(name, args), span }) = node else { return };
            let is_order = matches!(name.as_str(), "<" | "<=" | ">" | ">=");
            let is_age = |expr: &Expr| matches!(&expr.kind, Kind::Call(call) if call.name == "age");
            let number = args.iter().find_map(|arg| match &arg.kind {
                Kind::Literal(Json::Number(number)) => number.as_i64().filter(|number| (1..FEW).contains(number)),
                _ => None,
            });
            let Some(number) = number.filter(|_| is_order && args.iter().any(is_age)) else { return };
            let told = LINT.at(file.source, span.clone(), format!("`age` is in seconds, so this is {number} seconds"));
            out.push(
                told.help(format!(
                    "`duration(\"{number}d\")` is as many days, `duration(\"{number}s\")` what is written"
                )),
            );
        });
    }
    out
}
