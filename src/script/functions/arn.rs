//! Amazon resource names.

use std::borrow::Cow;

use rhai::{Dynamic, Map};

use super::{Family, Lowered, Row, as_text, optional, text_or_nothing};
use crate::script::predicate::{Function, Value};

pub(super) const FAMILY: Family = Family {
    name: "ARNs",
    doc: "Amazon resource names, taken apart instead of compared as text.",
    rows: &[
        Row {
            name: "arn",
            params: &["text"],
            doc: "The parts of an ARN: a map of `partition`, `service`, `region`, `account`, `resource`, and of the resource `type` and `id` (split at the first `/` or `:`; `type` is `()` where there is none). `()` if the text is no ARN; an empty part is `()`.",
            examples: &[
                r#"arn("arn:aws:ec2:us-east-1:111122223333:volume/vol-1").account == "111122223333""#,
                r#"arn("arn:aws:ec2:us-east-1:111122223333:volume/vol-1").id == "vol-1""#,
                r#"arn("arn:aws:s3:::bucket").region == ()"#,
                r#"arn("bucket") == ()"#,
            ],
            run: |_, args| {
                let text = as_text(&args[0]).unwrap_or_default();
                let Some(arn) = parse(&text) else { return Ok(Dynamic::UNIT) };
                let members = MEMBERS.iter().map(|(name, part, _)| ((*name).into(), optional(part(&arn))));
                Ok(Dynamic::from(members.collect::<Map>()))
            },
        },
        Row {
            name: "is_arn",
            params: &["text"],
            doc: "True if the text is an ARN.",
            examples: &[r#"is_arn("arn:aws:iam::111122223333:root")"#, r#"!is_arn("root")"#],
            run: |_, args| Ok(as_text(&args[0]).is_some_and(|text| parse(&text).is_some()).into()),
        },
        Row {
            name: "same_principal",
            params: &["a", "b"],
            doc: "True if both ARNs name one principal: equal, or a session of the role that the other names (a role's path does not show in a session's ARN and is not compared).",
            examples: &[
                r#"same_principal("arn:aws:sts::111122223333:assumed-role/ops/eve", "arn:aws:iam::111122223333:role/team/ops")"#,
                r#"!same_principal("arn:aws:sts::111122223333:assumed-role/ops/eve", "arn:aws:iam::444455556666:role/ops")"#,
                r#"!same_principal("arn:aws:sts::111122223333:assumed-role/ops/eve", "arn:aws:sts::111122223333:assumed-role/ops/bob")"#,
            ],
            run: |_, args| {
                let (Some(a), Some(b)) = (as_text(&args[0]), as_text(&args[1])) else { return Ok(false.into()) };
                Ok(are_same(&a, &b).into())
            },
        },
    ],
    lowered: &[("is_arn", 1, Lowered::Of(is_arn)), ("same_principal", 2, Lowered::Of(same_principal))],
};

/// The parts of an ARN, none of them empty.
struct Arn<'t> {
    partition: &'t str,
    service: &'t str,
    region: Option<&'t str>,
    account: Option<&'t str>,
    resource: &'t str,
    kind: Option<&'t str>,
    id: &'t str,
}

/// How a part of an ARN is taken.
type Part = for<'t> fn(&Arn<'t>) -> Option<&'t str>;

/// The members of what `arn` answers, and how each is asked without Rhai.
const MEMBERS: [(&str, Part, Function); 7] = [
    ("partition", |arn| Some(arn.partition), |args| part(args, |arn| Some(arn.partition))),
    ("service", |arn| Some(arn.service), |args| part(args, |arn| Some(arn.service))),
    ("region", |arn| arn.region, |args| part(args, |arn| arn.region)),
    ("account", |arn| arn.account, |args| part(args, |arn| arn.account)),
    ("resource", |arn| Some(arn.resource), |args| part(args, |arn| Some(arn.resource))),
    ("type", |arn| arn.kind, |args| part(args, |arn| arn.kind)),
    ("id", |arn| Some(arn.id), |args| part(args, |arn| Some(arn.id))),
];

/// How a member of what `arn` answers follows from the text; `None` if there is no such member.
pub(crate) fn arn_member(name: &str) -> Option<Function> {
    MEMBERS.iter().find(|(known, ..)| *known == name).map(|(.., function)| *function)
}

fn parse(text: &str) -> Option<Arn<'_>> {
    let mut parts = text.splitn(6, ':');
    if parts.next()? != "arn" {
        return None;
    }
    let mut next = || parts.next().map(|part| Some(part).filter(|part| !part.is_empty()));
    let (partition, service, region, account, resource) = (next()??, next()??, next()?, next()?, next()??);
    let split = resource.split_once(['/', ':']);
    let (kind, id) = split.map_or((None, resource), |(kind, id)| (Some(kind), id));
    Some(Arn { partition, service, region, account, resource, kind, id })
}

/// A part of the ARN that a text is; nothing of anything else.
fn part<'a>(args: &[Value<'a>], pick: Part) -> Option<Value<'a>> {
    fn find(text: &str, pick: Part) -> Option<&str> {
        pick(&parse(text)?)
    }
    Some(match &args[0] {
        Value::Text(Cow::Borrowed(text)) => find(text, pick).map_or(Value::Unit, Value::of_text),
        Value::Text(text) => find(text, pick).map_or(Value::Unit, |part| Value::Text(Cow::Owned(part.to_owned()))),
        Value::Other => return None,
        _ => Value::Unit,
    })
}

/// How the resource of a session begins.
const SESSION: &str = "assumed-role/";

/// What identifies a role: partition, account, name.
fn role_key(arn: &str) -> Option<(&str, &str, &str)> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let [_, partition, _, _, account, resource] = parts.as_slice() else { return None };
    let name = match resource.strip_prefix(SESSION) {
        Some(session) => session.split('/').next()?,
        None => resource.strip_prefix("role/")?.rsplit('/').next()?,
    };
    Some((partition, account, name))
}

pub(crate) fn is_arn<'a>(args: &[Value<'a>]) -> Option<Value<'a>> {
    text_or_nothing(&args[0], |text| Value::Bool(parse(text).is_some()), Value::Bool(false))
}

fn same_principal<'a>(args: &[Value<'a>]) -> Option<Value<'a>> {
    text_or_nothing(&args[0], |a| Value::Bool(args[1].text().is_some_and(|b| are_same(a, b))), Value::Bool(false))
        .filter(|_| args[1] != Value::Other)
}

/// True if both ARNs are of one principal. Two sessions of one role are two.
fn are_same(a: &str, b: &str) -> bool {
    let is_session = |arn: &str| arn.splitn(6, ':').nth(5).is_some_and(|resource| resource.starts_with(SESSION));
    let are_sessions = is_session(a) && is_session(b);
    a == b || !are_sessions && role_key(a).is_some_and(|key| role_key(b) == Some(key))
}
