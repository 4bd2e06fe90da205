//! `unlike-types`: comparisons of what a function answers with a literal of another type.

use serde_json::Value as Json;

use super::calls::{at_end, borrowed};
use super::solve::graded;
use super::subject::Subject;
use super::{Category, Check, Lint};
use crate::diagnostic::{Diagnostic, Level};
use crate::policy::ParamKind;
use crate::schema::{Call, Holds};
use crate::script::reading::{Base, Comparison, Relation, Type, Value};

pub(super) const LINT: Lint = Lint {
    code: "unlike-types",
    category: Category::Correctness,
    level: Level::Error,
    summary: "What a function answers is compared with a literal of another type, which it is never equal to.",
    avoid: "`succeeded(event) == \"true\"`, `x.len() == \"3\"`, `lookup_all(…) == ()`",
    prefer: "`succeeded(event)`, `x.len() == 3`, `lookup_all(…).is_empty()`",
    why: "It is false whatever the record says; with `!=` it is true. An error if the policy can never fire for it, else a warning.",
    check: Check::Policy(check),
    bad: &[
        "//! params: { on: { type: text, default: yes, doc: D } }\nfn matches(event) { succeeded(event) && params.on == true }",
        "//! params: { most: { type: int, default: 5, doc: D } }\nfn matches(event) { succeeded(event) && list(event.a).len() > 0 && params.most == \"5\" }",
        "//! params: { names: { type: list, default: [a], doc: D } }\nfn matches(event) { succeeded(event) && (params.names == () || event.a == 1) }",
        "//! params: { old: { type: duration, default: 1d, doc: D } }\nfn matches(event) { succeeded(event) && params.old == \"1d\" }",
        "//! params: { names: { type: list, default: [a], doc: D } }\nfn matches(event) { succeeded(event) && actor(event).name == params.names }",
        "//! params: { names: { type: list, default: [a], doc: D } }\nfn matches(event) { succeeded(event) && params.names != event.userIdentity.userName }",
        "//! params: { names: { type: list, default: [a], doc: D } }\nfn matches(event) { succeeded(event) && event.userAgent.starts_with(params.names) }",
        "//! params: { names: { type: list, default: [a], doc: D } }\nfn matches(event) { succeeded(event) && event.userIdentity.arn.contains(params.names) }",
        "fn matches(event) { succeeded(event) && event.userIdentity.arn.contains([\"user/a\", \"user/b\"]) }",
        "//! params: { ours: { type: list, of: int, default: [111122223333], doc: D } }\nfn matches(event) { succeeded(event) && account(event) in params.ours }",
        "//! judges: ec2/security-groups\n//! params: { ports: { type: list, default: [\"22\"], doc: D } }\nfn matches(group) { group.IpPermissions.some(|p| p.FromPort in params.ports) }",
        "fn matches(event) { succeeded(event) && actor(event) == \"root\" }",
        "fn matches(event) { succeeded(event) == \"true\" }",
        "fn matches(event) { succeeded(event) != \"false\" }",
        "fn matches(event) { \"true\" == event.succeeded() }",
        "fn matches(event) { succeeded(event) && list(event.a).len() == \"3\" }",
        "fn matches(event) { succeeded(event) && list(event.a).is_empty() == 0 }",
        "fn matches(event) { succeeded(event) && list(event.a) == () }",
        "fn matches(event) { succeeded(event) && account(event) == 111122223333 }",
        "fn matches(event) { succeeded(event) && actor(event).mfa == \"true\" }",
        "fn matches(event) { succeeded(event) && event.a.to_lower() == true }",
        "fn matches(event) { worked(event) == \"yes\" }\nfn worked(e) { succeeded(e) && e.a == 1 }",
        "fn matches(event) { let ok = succeeded(event); ok == \"true\" }",
        "//! needs: [ec2/volumes]\nfn matches(event) { succeeded(event) && lookup_all(\"ec2/volumes\", \"VolumeId\", event.v) == () }",
        "fn matches(event) { succeeded(event) && age(event.eventTime) > \"90d\" }",
        "fn matches(event) { succeeded(event) && actor(event).name == [\"ops\", \"dev\"] }",
        "fn matches(event) { succeeded(event) && event.userAgent.to_lower() == [\"a\"] }",
        "fn matches(event) { succeeded(event) && statements(request(event).policyDocument).some(|s| s.Action == \"*\") }",
        "fn matches(event) { switch succeeded(event) { \"true\" => true, _ => false } }",
        "fn matches(event) { succeeded(event) }\nfn severity(event) { if is_console(event) == \"true\" { \"high\" } else { \"low\" } }",
    ],
    good: &[
        "//! params: { names: { type: list, default: [a], doc: D }, most: { type: int, default: 1, doc: D } }\nfn matches(event) { succeeded(event) && actor(event).name in params.names && list(event.a).len() > params.most && glob(event.userAgent, params.names) }",
        "//! params: { ports: { type: list, of: int, default: [22], doc: D } }\nfn matches(event) { succeeded(event) && list(event.a).some(|p| params.ports.contains(p.fromPort)) && params.ports.some(|port| port == 22) }",
        "//! params: { old: { type: duration, default: 1d, doc: D } }\nfn matches(event) { succeeded(event) && age(event.eventTime) > params.old && params.old > 60 }",
        "//! judges: ec2/security-groups\n//! params: { ports: { type: list, of: int, default: [22], doc: D } }\nfn matches(group) { group.IpPermissions.some(|p| p.FromPort in params.ports) }",
        "//! params: { more: { type: map, default: { a: 1 }, doc: D } }\nfn matches(event) { succeeded(event) && params.more.a == 1 && params.more.b == \"x\" }",
        "fn matches(event) { succeeded(event) && statements(request(event).policyDocument).some(|s| s.Action == [\"*\"] && s.Effect == \"Allow\" && s.Sid == ()) }",
        "fn matches(event) { let last = (); for r in list(event.resources) { last = glob(r.ARN, \"*x\"); } succeeded(event) && last == () }",
        "fn matches(event) { succeeded(event) && list(event.resources).map(|r| text(r.ARN).split(\":\")).find(|p| p.len() > 3) != () }",
        "fn matches(event) { succeeded(event) && text(event.userAgent).split(\"/\")[0] != () }",
        "fn matches(event) { let n = switch event.awsRegion { \"a\" => 1, \"b\" => 2 }; succeeded(event) && n != () }",
        "fn matches(event) { succeeded(event) == true }",
        "fn matches(event) { succeeded(event) && list(event.a).len() == 3 && account(event) == \"111122223333\" }",
        "fn matches(event) { succeeded(event) && event.readOnly == \"true\" }",
        "fn matches(event) { succeeded(event) && error_code(event) == () && actor(event).mfa == false }",
        "fn matches(event) { succeeded(event) && text(event.a) == \"true\" && age(event.t) > duration(\"90d\") }",
        "//! needs: [ec2/volumes]\nfn matches(event) { succeeded(event) && lookup(\"ec2/volumes\", \"VolumeId\", event.v) == () }",
        "fn matches(event) { succeeded(event) && list(event.a).find_map(|x| x.b) == \"x\" && list(event.a).find(|x| x.b == 1) != () }",
        "fn matches(event) { let x = 0; if succeeded(event) { x = \"a\"; } x == \"a\" }",
        "fn matches(event) { let n = list(event.a).len(); n += 1; n == 2 && succeeded(event) }",
    ],
};

/// What something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sort {
    Answer,
    Number,
    Text,
    List,
    Map,
}

impl Sort {
    fn words(self) -> &'static str {
        match self {
            Self::Answer => "what is true or false",
            Self::Number => "a number",
            Self::Text => "text",
            Self::List => "a list",
            Self::Map => "a map",
        }
    }

    fn of_literal(literal: &Json) -> Option<Self> {
        Some(match literal {
            Json::Bool(_) => Self::Answer,
            Json::Number(_) => Self::Number,
            Json::String(_) => Self::Text,
            Json::Array(_) => Self::List,
            Json::Object(_) => Self::Map,
            Json::Null => return None,
        })
    }

    fn of_param(kind: &ParamKind) -> Self {
        match kind {
            ParamKind::Text => Self::Text,
            ParamKind::Int | ParamKind::Number | ParamKind::Duration => Self::Number,
            ParamKind::Bool => Self::Answer,
            ParamKind::List(_) => Self::List,
            ParamKind::Map => Self::Map,
        }
    }
}

fn check(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let calls = borrowed(&subject.calls);
    let mut out: Vec<Diagnostic> = Vec::new();
    for comparison in subject.comparisons().filter(|comparison| !comparison.right.is_empty()) {
        let Some((message, help)) = remark(subject, &calls, comparison) else { continue };
        // A literal may stand on either side; what it is compared with is marked, too.
        let told = LINT.at(subject.source_of(&comparison.place), comparison.place.span.clone(), message).help(help);
        out.extend(graded(subject, comparison, told));
    }
    out
}

fn remark(subject: &Subject<'_>, calls: &[Call<'_>], comparison: &Comparison) -> Option<(String, &'static str)> {
    let (left, right) = (&comparison.left, comparison.right.as_slice());
    let (made, field) = (|value: &Value| sort(subject, value), |value: &Value| sort_of_field(subject, calls, value));
    let any = |value: &Value| made(value).or_else(|| field(value));
    match (comparison.relation, right) {
        (Relation::Equal | Relation::In | Relation::Order, _)
            if right.iter().all(|value| is_unlike(subject, comparison, value)) =>
        {
            let message = format!("{} is never equal to this literal", made(left)?.words());
            Some((message, "compare with a value of its type"))
        }
        // A parameter has a type, and so may what it is compared with.
        (Relation::Equal | Relation::Order, [other])
            if matches!(left, Value::Param(_)) || matches!(other, Value::Param(_)) =>
        {
            let (one, two) = (any(left)?, any(other)?);
            let message = format!("{} is never equal to {}", one.words(), two.words());
            (one != two).then_some((message, "compare with a value of its type"))
        }
        (Relation::Contains, [item]) if matches!(left, Value::Param(_)) => {
            let Value::Param(name) = left else { return None };
            let ParamKind::List(of) = subject.param(name)? else { return None };
            let (wanted, found) = (Sort::of_param(of), any(item)?);
            let message = format!("each item of `params.{name}` is {}, and this is {}", wanted.words(), found.words());
            (wanted != found).then_some((message, "say `of:` what the list is"))
        }
        (Relation::StartsWith | Relation::EndsWith | Relation::Contains, _)
            if any(left).is_none_or(|sort| sort == Sort::Text)
                && (any(left).is_some() || comparison.relation != Relation::Contains)
                && right.iter().all(|value| any(value) == Some(Sort::List)) =>
        {
            Some((
                "no text begins or ends with a list, or has one in it".to_owned(),
                "`list.some(|one| …)`, `glob` with a list, or `one in list`",
            ))
        }
        _ => None,
    }
}

/// What something is that a function answers, or that a policy declares.
fn sort(subject: &Subject<'_>, value: &Value) -> Option<Sort> {
    Some(match value {
        Value::Answer(_) => Sort::Answer,
        Value::Length(_) | Value::Made(Type::Number) => Sort::Number,
        Value::Made(Type::Text) | Value::Part(..) => Sort::Text,
        Value::List(_) | Value::ListOf(_) => Sort::List,
        // What a function answers that may answer nothing.
        Value::Any(all) => {
            let mut sorts = all.iter().filter(|one| one.literal() != Some(&Json::Null)).map(|one| sort(subject, one));
            let first = sorts.next()??;
            return sorts.all(|sort| sort == Some(first)).then_some(first);
        }
        Value::Map(_) => Sort::Map,
        Value::Path(path) if matches!(path.base, Base::Resources(_)) && path.steps.is_empty() => Sort::List,
        Value::Path(path) if path.base == Base::Actor && path.steps.is_empty() => Sort::Map,
        Value::Path(path) if path.base == Base::Actor && path.steps.len() == 1 => {
            if path.last() == Some("mfa") {
                Sort::Answer
            } else {
                Sort::Text
            }
        }
        Value::Param(name) => Sort::of_param(subject.param(name)?),
        _ => return None,
    })
}

/// What a field holds, and nothing else, or what a literal is: compared with each other they are for `impossible-type`.
fn sort_of_field(subject: &Subject<'_>, calls: &[Call<'_>], value: &Value) -> Option<Sort> {
    if let Some(literal) = value.literal() {
        return Sort::of_literal(literal);
    }
    let place = at_end(value.path()?, subject, calls)?;
    let may = |any: &[Holds]| any.iter().any(|of| place.may_be(*of));
    let can = [
        (Sort::Answer, may(&[Holds::Bool])),
        (Sort::Number, may(&[Holds::Int, Holds::Number])),
        (Sort::Text, may(&[Holds::Text])),
        (Sort::List, may(&[Holds::List])),
        (Sort::Map, may(&[Holds::Map, Holds::Structure])),
    ];
    let mut can = can.into_iter().filter(|(_, can)| *can).map(|(sort, _)| sort);
    can.next().filter(|_| can.next().is_none())
}

/// True if no answer of the kind is equal to the literal.
fn is_unlike(subject: &Subject<'_>, comparison: &Comparison, literal: &Value) -> bool {
    let Some(sort) = sort(subject, &comparison.left) else { return false };
    let literal = match literal {
        Value::List(_) => return sort != Sort::List,
        Value::Map(_) => return sort != Sort::Map,
        other => other.literal(),
    };
    let Some(literal) = literal else { return false };
    // What may be absent may be `()`; what is counted or made may not.
    let is_there = match &comparison.left {
        Value::Made(_) | Value::Part(..) | Value::Any(_) => false,
        Value::Path(path) => path.base != Base::Actor,
        _ => true,
    };
    Sort::of_literal(literal).map_or(is_there, |of| of != sort)
}
