//! `bad-literal`: patterns, durations, times and blocks of addresses, written out, that are none.

use serde_json::Value;

use super::subject::File;
use super::{Category, Check, Lint};
use crate::diagnostic::{Diagnostic, Level};
use crate::script::syntax::{self, Expr, Kind, Node};
use crate::script::text_mistake;

pub(super) const LINT: Lint = Lint {
    code: "bad-literal",
    category: Category::Correctness,
    level: Level::Error,
    summary: "A glob, a regular expression, a JSONPath, a duration, a time or a block of addresses, written out, that is none.",
    avoid: "`regex(event.userAgent, \"aws-(cli\")`, `glob(event.eventName, \"Delete[\")`, `jsonpath(event, \"$..[\")`, \
            `duration(\"90 days\")`, `ip_in_cidr(event.sourceIPAddress, \"10.0.0.0/33\")`",
    prefer: "`regex(event.userAgent, \"aws-(cli|sdk)\")`; what is meant as it stands is escaped: ``regex(x, `aws-\\(cli`)``, \
             `glob(x, \"Delete[[]\")`; `duration(\"90d\")`, `\"10.0.0.0/8\"`, `time(\"2024-05-14T12:00:00Z\")`",
    why: "The policy would fail on every record that it comes to ask about, or a comparison would never be true: nothing is found there.",
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
        "fn matches(event) { succeeded(event) && age(event.eventTime) > duration(\"90 days\") }",
        "fn matches(event) { succeeded(event) && time(event.eventTime) > time(\"2024-13-01T00:00:00Z\") }",
        "fn matches(event) { succeeded(event) && ip_in_cidr(event.sourceIPAddress, \"10.0.0.0/33\") }",
        "fn matches(event) { succeeded(event) && event.sourceIPAddress.ip_in_cidr([\"10.0.0.0/8\", \"10.1/16\"]) }",
        "const OURS = [\"10.0.0.0/8\", \"fd00::/129\"];\nfn matches(event) { succeeded(event) && ip_in_cidr(event.sourceIPAddress, OURS) }",
        "fn matches(event) { succeeded(event) && list(event.x).some(|cidr| cidr_contains(\"10.0.0/8\", cidr)) }",
        "fn matches(event) { list(event.x).some(|x| glob(x, \"[\")) && succeeded(event) }",
    ],
    good: &[
        "fn matches(event) { succeeded(event) && regex(event.userAgent, `^aws-(cli|sdk)/\\d`) }",
        "fn matches(event) { succeeded(event) && glob(event.userAgent, [\"aws*\", \"boto[3]*\", \"{a,b}\"]) }",
        "fn matches(event) { succeeded(event) && jsonpath(event, \"$..cidrIp\").len() > 0 }",
        "fn matches(event) { succeeded(event) && regex_find(event.userAgent, event.pattern) == \"a\" }",
        "fn matches(event) { succeeded(event) && event.userAgent.contains(\"aws-(cli\") }",
        "fn matches(event) { succeeded(event) && age(event.eventTime) > duration(\"1w2d\") && time(event.eventTime) < time(\"2024-05-14\") }",
        "fn matches(event) { succeeded(event) && ip_in_cidr(event.sourceIPAddress, [\"10.0.0.0/8\", \"2001:db8::1\", event.x]) }",
        "fn matches(event) { succeeded(event) && cidr_overlaps(event.x, \"10.1.2.3/8\") && !is_ip(\"AWS Internal\") }",
    ],
};

fn check(file: &File<'_>) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    for function in &file.tree.functions {
        syntax::visit(&function.body, &mut |node| {
            let Node::Expr(Expr { kind: Kind::Call(call), .. }) = node else { return };
            let written = call.args.iter().enumerate().flat_map(|(argument, expr)| match &expr.kind {
                // Each is told where it stands.
                Kind::List(items) => items.iter().map(|item| (argument, item)).collect(),
                _ => vec![(argument, expr)],
            });
            for (argument, expr) in written {
                let texts = match &expr.kind {
                    Kind::Literal(value) => texts(value),
                    // No variable has the name of a constant: that is a `name-clash`.
                    Kind::Variable(name) => {
                        let constant = file.tree.constants.iter().find(|(constant, ..)| constant == name);
                        constant.map(|(_, _, value)| texts(value)).unwrap_or_default()
                    }
                    _ => Vec::new(),
                };
                let mistakes = texts.into_iter().filter_map(|text| text_mistake(&call.name, argument, text));
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
