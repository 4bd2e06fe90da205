//! `unknown-severity`: answers of `severity` that are none.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::subject::Subject;
use super::{Category, Check, Lint};
use crate::diagnostic::{Diagnostic, Level, SourceText, did_you_mean, surely_meant};
use crate::finding::Severity;
use crate::script::syntax::{self, Expr, Function, Kind, Node, Stmt, StmtKind};

pub(super) const LINT: Lint = Lint {
    code: "unknown-severity",
    category: Category::Correctness,
    level: Level::Error,
    summary: "`severity` answers a word, or a literal, that is no severity.",
    avoid: "`fn severity(event) { if is_console(event) { \"hihg\" } else { \"low\" } }`",
    prefer: "one of `info`, `low`, `medium`, `high`, `critical`; or `()` for that of the front matter.",
    why: "The finding would be a fault, on the day on which something is found.",
    check: Check::Policy(check),
    bad: &[
        "fn matches(event) { succeeded(event) }\nfn severity(event) { \"hihg\" }",
        "fn matches(event) { succeeded(event) }\nfn severity(event) { if is_console(event) { \"High\" } else { \"low\" } }",
        "fn matches(event) { succeeded(event) }\nfn severity(event) { if is_console(event) { return 3; } \"low\" }",
        "fn matches(event) { succeeded(event) }\nfn severity(event) { of(event) }\n//// lib\nfn of(e) { switch e.awsRegion { \"a\" => \"warning\", _ => \"low\" } }",
    ],
    good: &[
        "fn matches(event) { succeeded(event) }\nfn severity(event) { let s = of(event); if s == \"unknown\" { \"medium\" } else { s } }\nfn of(e) { if e.readOnly == true { \"unknown\" } else { \"low\" } }",
        "fn matches(event) { succeeded(event) }\nfn severity(event) { if is_console(event) { \"high\" } else { () } }",
        "fn matches(event) { succeeded(event) }\nfn severity(event) { switch event.awsRegion { \"a\" => \"info\", _ => \"critical\" } }",
        "//! params: { level: { type: text, default: low, doc: D } }\nfn matches(event) { succeeded(event) }\nfn severity(event) { params.level }",
    ],
};

fn check(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    if let Some(function) = subject.function("severity") {
        let mut seen = BTreeSet::new();
        answers(subject, function, subject.source, &mut seen, &mut |source, expr| {
            out.extend(remark(source, expr));
        });
    }
    out
}

/// Shows the expressions that a function answers with, and those of the functions whose answer it hands on. What stands in a
/// variable may have been asked about before.
fn answers<'a>(
    subject: &Subject<'a>,
    function: &'a Function,
    source: &'a Arc<SourceText>,
    seen: &mut BTreeSet<*const Function>,
    see: &mut dyn FnMut(&Arc<SourceText>, &Expr),
) {
    if !seen.insert(std::ptr::from_ref(function)) {
        return;
    }
    let mut ends: Vec<&'a Expr> = Vec::new();
    of_body(&function.body, &mut ends);
    syntax::visit(&function.body, &mut |node| {
        if let Node::Stmt(Stmt { kind: StmtKind::Return(Some(expr)), .. }) = node {
            of_expr(expr, &mut ends);
        }
    });
    for expr in ends {
        match &expr.kind {
            Kind::Literal(_) => see(source, expr),
            Kind::Call(call) => {
                if let Some((source, function)) = subject.called(&call.name, call.args.len()) {
                    answers(subject, function, source, seen, see);
                }
            }
            _ => {}
        }
    }
}

fn of_body<'a>(body: &'a [Stmt], ends: &mut Vec<&'a Expr>) {
    match body.last().map(|last| &last.kind) {
        Some(StmtKind::Expr(expr)) => of_expr(expr, ends),
        Some(StmtKind::If(_, yes, no)) => [yes, no].into_iter().for_each(|body| of_body(body, ends)),
        Some(StmtKind::Switch(_, arms)) => arms.iter().for_each(|arm| of_expr(&arm.body, ends)),
        Some(StmtKind::Block(body)) => of_body(body, ends),
        _ => {}
    }
}

fn of_expr<'a>(expr: &'a Expr, ends: &mut Vec<&'a Expr>) {
    match &expr.kind {
        Kind::Block(body) => of_body(body, ends),
        Kind::Otherwise(parts) => parts.iter().for_each(|part| of_expr(part, ends)),
        _ => ends.push(expr),
    }
}

fn remark(source: &Arc<SourceText>, expr: &Expr) -> Option<Diagnostic> {
    let Kind::Literal(literal) = &expr.kind else { return None };
    let word = literal.as_str().unwrap_or_default();
    if literal.is_null() || Severity::from_word(word).is_some() {
        return None;
    }
    let known = || Severity::ALL.into_iter().map(Severity::word);
    let diagnostic = LINT.at(source, expr.span.clone(), format!("{literal} is no severity"));
    let diagnostic = match did_you_mean(word, known()) {
        Some(meant) => diagnostic.help(format!("did you mean `{meant}`?")),
        None => diagnostic.help(format!("one of `{}`", known().collect::<Vec<_>>().join("`, `"))),
    };
    // What stands between the quotes.
    let inner = expr.span.start + 1..expr.span.end.saturating_sub(1);
    Some(match surely_meant(word, known()) {
        Some(meant) if source.text.get(inner.clone()) == Some(word) => diagnostic.fix(inner, meant),
        _ => diagnostic,
    })
}
