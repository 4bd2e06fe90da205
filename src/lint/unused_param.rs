//! `unused-param`: parameters that nobody reads.

use super::subject::Subject;
use super::{Category, Check, Lint};
use crate::diagnostic::{Diagnostic, Level, did_you_mean};
use crate::script::syntax::{self, Expr, Kind, Node, Tree};

pub(super) const LINT: Lint = Lint {
    code: "unused-param",
    category: Category::Style,
    level: Level::Warning,
    summary: "A parameter that is declared under `params:` and that no function reads.",
    avoid: "`params: { max_age: … }` with nothing that reads `params.max_age`",
    prefer: "to read it, or to take it away",
    why: "Users set it and believe that it makes a difference.",
    check: Check::Policy(check),
    bad: &[
        "//! params: { limit: { type: int, default: 1, doc: D } }\nfn matches(event) { succeeded(event) }",
        "//! params: { limit: { type: int, default: 1, doc: D }, other: { type: int, default: 1, doc: D } }\nfn matches(event) { event.n == params.other }",
        "//! params: { limit: { type: int, default: 1, doc: D } }\nfn matches(event) { event.n == event.limit }",
    ],
    good: &[
        "//! params: { limit: { type: int, default: 1, doc: D } }\nfn matches(event) { event.n == params.limit }",
        "//! params: { limit: { type: int, default: 1, doc: D } }\nfn matches(event) { succeeded(event) }\nfn title(event) { `more than ${params.limit}` }",
        "//! params: { limit: { type: int, default: 1, doc: D } }\nfn matches(event) { event.n == params[\"limit\"] }",
        "//! params: { limit: { type: int, default: 1, doc: D } }\nfn matches(event) { above(event, params) }\nfn above(e, p) { e.n > p.limit }",
        "//! params: { limit: { type: int, default: 1, doc: D } }\nfn matches(event) { let p = params; event.n == p.limit }",
        "//! params: { limits: { type: list, of: int, default: [], doc: D } }\nfn matches(event) { params.limits.some(|x| x == event.n) }",
        "//! params: { limit: { type: int, default: 1, doc: D } }\nfn matches(event) { list(event.x).some(|x| x > params?.limit) }",
    ],
};

fn check(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let params = &subject.header().params;
    if params.is_empty() {
        return Vec::new();
    }
    let Some(read) = read(subject.tree) else { return Vec::new() };
    let unused = params.iter().filter(|param| !read.contains(&param.name.as_str()));
    unused
        .map(|param| {
            let span = subject.key_span(&["params", &param.name]);
            let diagnostic = LINT.at(subject.source, span, format!("nobody reads `params.{}`", param.name));
            match did_you_mean(&param.name, read.iter().copied().filter(|name| *name != param.name)) {
                Some(near) => diagnostic.help(format!("read it, or take it away; `params.{near}` is read")),
                None => diagnostic.help("read it, or take it away"),
            }
        })
        .collect()
}

/// The parameters that are read; `None` if all of them may be.
fn read(tree: &Tree) -> Option<Vec<&str>> {
    let (mut names, mut steps, mut mentions) = (Vec::new(), 0_usize, 0_usize);
    let is_params = |expr: &Expr| matches!(&expr.kind, Kind::Variable(name) if name == "params");
    for function in &tree.functions {
        syntax::visit(&function.body, &mut |node| {
            let Node::Expr(expr) = node else { return };
            match &expr.kind {
                Kind::Variable(name) if name == "params" => mentions += 1,
                Kind::Field(base, name) if is_params(base) => {
                    steps += 1;
                    names.push(name.as_str());
                }
                Kind::Index(base, index) if is_params(base) => {
                    if let Kind::Literal(serde_json::Value::String(name)) = &index.kind {
                        steps += 1;
                        names.push(name.as_str());
                    }
                }
                _ => {}
            }
        });
    }
    (steps == mentions).then_some(names)
}
