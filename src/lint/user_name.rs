//! `user-name`: the name of an IAM user, where the caller may be none.

use super::subject::Subject;
use super::{Category, Check, Lint};
use crate::diagnostic::{Diagnostic, Level};
use crate::script::reading::{Base, Reading, Relation};
use crate::script::syntax::{self, Kind, Node, Span};

pub(super) const LINT: Lint = Lint {
    code: "user-name",
    category: Category::Security,
    level: Level::Warning,
    summary: "`userIdentity.userName` is read, and nothing asks what kind of caller it is.",
    avoid: "`event.userIdentity.userName == \"admin\"`, `${event.userIdentity.userName}`",
    prefer: "`actor(event).name`, which every kind of caller has; or ask `actor(event).type == \"IAMUser\"` before",
    why: "Only IAM users have it. Sessions of roles, which are most callers, the root user and AWS services do not, so a \
          condition about it does not see them, and a title says nothing.",
    check: Check::Policy(check),
    bad: &[
        "fn matches(event) { event.userIdentity.userName == \"admin\" && succeeded(event) }",
        "fn matches(event) { succeeded(event) }\nfn title(event) { `made by ${event.userIdentity.userName}` }",
        "fn matches(event) { succeeded(event) }\nfn context(event) { #{ who: who(event.userIdentity) } }\nfn who(identity) { identity.userName }",
        "fn matches(event) { let u = event.userIdentity; u.userName != \"deploy\" && succeeded(event) }",
        "fn matches(event) { succeeded(event) && event[\"userIdentity\"][\"userName\"] == \"x\" }",
        "//! when: { eventSource: ec2.amazonaws.com, userIdentity.userName: admin }\nfn matches(event) { succeeded(event) }",
    ],
    good: &[
        "fn matches(event) { actor(event).name == \"admin\" && succeeded(event) }",
        "fn matches(event) { event.userIdentity.type == \"IAMUser\" && event.userIdentity.userName == \"admin\" && succeeded(event) }",
        "fn matches(event) { actor(event).type == \"IAMUser\" && event.userIdentity.userName == \"admin\" && succeeded(event) }",
        "//! when: { eventSource: ec2.amazonaws.com, userIdentity.type: IAMUser }\nfn matches(event) { event.userIdentity.userName == \"admin\" && succeeded(event) }",
        "fn matches(event) { succeeded(event) }\nfn title(event) { `by ${event.userIdentity.userName ?? event.userIdentity.arn}` }",
        "fn matches(event) { event.userIdentity.userName != () && succeeded(event) }",
        "fn matches(event) { event.userIdentity.sessionContext.sessionIssuer.userName == \"ops\" && succeeded(event) }",
        "fn matches(event) { event.requestParameters.userName == \"admin\" && succeeded(event) }",
    ],
};

const NAME: [&str; 2] = ["userIdentity", "userName"];

fn check(subject: &Subject<'_>) -> Vec<Diagnostic> {
    if !subject.judges_events() || thinks_of_types(subject) {
        return Vec::new();
    }
    let mut spans: Vec<Span> = Vec::new();
    if subject.wants(&NAME).is_some() {
        spans.push(subject.key_span(&["when", "userIdentity.userName"]));
    }
    let fallbacks = fallbacks(subject);
    for reading in subject.readings.values() {
        let reads = reading.reads.iter().filter(|read| read.path.is_field(&NAME));
        let bare = reads.filter(|read| {
            !fallbacks.iter().any(|span| span.start <= read.place.site.start && read.place.site.end <= span.end)
        });
        spans.extend(bare.map(|read| read.place.site.clone()));
    }
    spans.sort_by_key(|span| (span.start, span.end));
    spans.dedup();
    let message = "`userName` is there for IAM users alone: not for sessions of roles, the root user and AWS services";
    spans
        .into_iter()
        .map(|span| LINT.at(subject.source, span, message).help("`actor(event).name`, or ask for the type before"))
        .collect()
}

/// True if something asks what kind of caller it is, or whether there is a name.
fn thinks_of_types(subject: &Subject<'_>) -> bool {
    let asks = |reading: &Reading| {
        let by_type = reading.reads.iter().any(|read| {
            read.path.is_field(&["userIdentity", "type"])
                || (read.path.base == Base::Actor && read.path.last() == Some("type"))
        });
        let by_absence = reading.comparisons.iter().any(|comparison| {
            comparison.relation == Relation::Equal
                && comparison.left.path().is_some_and(|path| path.is_field(&NAME))
                && comparison.right.iter().any(|value| value.literal().is_some_and(serde_json::Value::is_null))
        });
        by_type || by_absence
    };
    subject.wants(&["userIdentity", "type"]).is_some() || subject.readings.values().any(asks)
}

/// Where something stands for which `??` has a second choice.
fn fallbacks(subject: &Subject<'_>) -> Vec<Span> {
    let mut spans = Vec::new();
    for function in &subject.tree.functions {
        syntax::visit(&function.body, &mut |node| {
            if let Node::Expr(expr) = node
                && let Kind::Otherwise(parts) = &expr.kind
            {
                spans.extend(parts.iter().rev().skip(1).map(|part| part.span.clone()));
            }
        });
    }
    spans
}
