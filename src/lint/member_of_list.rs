//! `member-of-list`: members that are asked of a list, which has none.

use super::subject::Subject;
use super::{Category, Check, Lint};
use crate::diagnostic::{Diagnostic, Level};
use crate::script::reading::{Base, Step};
use crate::script::syntax::{self, Function, Kind, Node, StmtKind};
use crate::script::{Given, Hooks};

pub(super) const LINT: Lint = Lint {
    code: "member-of-list",
    category: Category::Correctness,
    level: Level::Warning,
    summary: "A member is asked of a list, or of a number: of the hits of a window, of what a look-up gives that may find several, of a time.",
    avoid: "`time(event.eventTime).hour`, `fn title(hits) { hits.name }`, `lookup_all(\"ec2/volumes\", …).State`",
    prefer: "`hits[0].name`, `hits.some(|hit| …)`, `lookup(\"ec2/volumes\", …).State`, `lookup_all(…).map(|one| one.State)`",
    why: "A list has no members, so the answer is `()`, whatever is in it. With a `window`, `title`, `severity`, `confirm`, \
          `resources` and `context` are given all hits, and not an event.",
    check: Check::Policy(check),
    bad: &[
        "fn matches(event) { succeeded(event) && time(event.eventTime).hour < 6 }",
        "fn matches(event) { succeeded(event) && is_one_of([\"*:user/a\", \"*:user/b\"], actor(event)) }",
        "fn matches(event) { succeeded(event) && statements(request(event).policyDocument).some(|s| s.Principal.AWS == \"*\") }",
        "fn matches(event) { succeeded(event) && statements(request(event).policyDocument).Effect == \"Allow\" }",
        "fn matches(event) { succeeded(event) && list(event.resources).map(|one| #{ arn: one.ARN }).arn == \"a\" }",
        "//! window: { by: userIdentity.arn, within: 1h, count: 5 }\nfn matches(event) { succeeded(event) }\nfn confirm(event) { event.readOnly == true }",
        "//! window: { by: userIdentity.arn, within: 1h, count: 5 }\nfn matches(event) { succeeded(event) }\nfn title(hits) { `by ${hits.name}` }",
        "//! uses: [ec2/volumes]\nfn matches(event) { succeeded(event) && lookup_all(\"ec2/volumes\", \"VolumeId\", event.eventID).State == \"in-use\" }",
        "//! uses: [ec2/volumes]\nfn matches(event) { let found = lookup_before(\"ec2/volumes\", \"VolumeId\", event.eventID); succeeded(event) && found.State == \"in-use\" }",
    ],
    good: &[
        "fn matches(event) { succeeded(event) && statements(request(event).policyDocument).some(|s| s.Effect == \"Allow\" && s.Principal.some(|who| who == \"*\")) }",
        "fn matches(event) { succeeded(event) && list(event.resources).map(|one| one.ARN).len > 1 && event.userAgent.split(\"/\").is_empty == false }",
        "fn matches(event) { let all = []; if event.a == 1 { all = #{ b: 1 }; } succeeded(event) && all.b == 1 }",
        "//! window: { by: userIdentity.arn, within: 1h, count: 5 }\nfn matches(event) { succeeded(event) }\nfn title(hits) { `${hits.len} by ${hits[0].name}` }",
        "//! window: { by: userIdentity.arn, within: 1h, count: 5 }\nfn matches(event) { succeeded(event) }\nfn confirm(hits) { hits.some(|hits| hits.name == \"a\") }",
        "fn matches(event) { succeeded(event) }\nfn title(event) { `by ${event.eventName}` }",
        "//! uses: [ec2/volumes]\nfn matches(event) { succeeded(event) && first(lookup_all(\"ec2/volumes\", \"VolumeId\", event.eventID)).State == \"in-use\" }",
    ],
};

/// What Rhai asks of a list in the same way.
const OF_LISTS: [&str; 2] = ["len", "is_empty"];

fn check(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let hooks: Hooks<'_> = subject.header().hooks();
    let of_hits = subject.tree.functions.iter().filter(|function| hooks.given(&function.name) == Some(Given::Hits));
    let mut out: Vec<Diagnostic> = of_hits.flat_map(|hook| of_hook(subject, hook)).collect();
    for read in subject.readings.values().flat_map(|reading| &reading.reads) {
        let is_list = matches!(read.path.base, Base::Resources(_));
        let Some(Step::Name(name)) = read.path.steps.first().filter(|_| is_list && read.path.steps.len() == 1) else {
            continue;
        };
        if !OF_LISTS.contains(&name.as_str()) && !subject.is_of_prelude(&read.place) {
            let message = format!("`{name}` of a list of resources is `()`, whatever is in it");
            let told = LINT.at(subject.source_of(&read.place), read.place.span.clone(), message);
            let told = told.help("`lookup` gives one resource; `map`, `some` and `first` take a list");
            if !out.contains(&told) {
                out.push(told);
            }
        }
    }
    for (place, name, what) in subject.readings.values().flat_map(|reading| &reading.of_none) {
        let is_called = subject.is_of_prelude(place);
        if !OF_LISTS.contains(&name.as_str()) && (is_called || place.file == 0) {
            let span = if is_called { &place.site } else { &place.span };
            let told = LINT.at(subject.source, span.clone(), format!("`{name}` of {what} is `()`, whatever it is"));
            let told = match *what {
                "a list" => told.help("`some` and `map` ask each item, `[0]` is the first"),
                _ => told.help("times are seconds: `(time(x) / 3600) % 24` is the hour; or `format_time(time(x))`"),
            };
            if !out.contains(&told) {
                out.push(told);
            }
        }
    }
    out
}

/// Members of the hits themselves.
fn of_hook(subject: &Subject<'_>, hook: &Function) -> Vec<Diagnostic> {
    let [hits] = hook.params.as_slice() else { return Vec::new() };
    let (mut found, mut is_other) = (Vec::new(), false);
    syntax::visit(&hook.body, &mut |node| match node {
        Node::Stmt(stmt) => {
            is_other |= match &stmt.kind {
                StmtKind::Let(name, ..) => name == hits,
                StmtKind::For(names, ..) => names.contains(hits),
                _ => false,
            };
        }
        Node::Expr(expr) => match &expr.kind {
            // Another variable of that name.
            Kind::Closure(params, _) => is_other |= params.contains(hits),
            Kind::Field(base, name)
                if matches!(&base.kind, Kind::Variable(of) if of == hits) && !OF_LISTS.contains(&name.as_str()) =>
            {
                let message = format!("`{name}` of the list of hits is `()`, whatever is in it");
                let told = LINT.at(subject.source, expr.span.clone(), message);
                found.push(told.help(format!("`{hits}[0].{name}` is that of the first hit")));
            }
            _ => {}
        },
        Node::Body(_) => {}
    });
    if is_other { Vec::new() } else { found }
}
