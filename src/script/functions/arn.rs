//! Amazon resource names.

use rhai::{Dynamic, Map};

use super::{Family, Lowered, Row, as_text, optional, text_or_nothing};
use crate::script::predicate::Value;

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
            run: |_, args| Ok(as_text(&args[0]).and_then(|text| parse(&text)).map_or(Dynamic::UNIT, Dynamic::from)),
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
            ],
            run: |_, args| {
                let (Some(a), Some(b)) = (as_text(&args[0]), as_text(&args[1])) else { return Ok(false.into()) };
                Ok(are_same(&a, &b).into())
            },
        },
    ],
    lowered: &[("is_arn", 1, Lowered::Of(is_arn)), ("same_principal", 2, Lowered::Of(same_principal))],
};

fn parse(text: &str) -> Option<Map> {
    let mut parts = text.splitn(6, ':');
    if parts.next()? != "arn" {
        return None;
    }
    let mut map = Map::new();
    for name in ["partition", "service", "region", "account"] {
        map.insert(name.into(), optional(parts.next().filter(|part| !part.is_empty())));
    }
    let resource = parts.next().filter(|resource| !resource.is_empty())?;
    if map["partition"].is_unit() || map["service"].is_unit() {
        return None;
    }
    let split = resource.split_once(['/', ':']);
    map.insert("type".into(), optional(split.map(|(kind, _)| kind)));
    map.insert("id".into(), split.map_or(resource, |(_, id)| id).into());
    map.insert("resource".into(), resource.into());
    Some(map)
}

/// What identifies a role: partition, account, name.
fn role_key(arn: &str) -> Option<(&str, &str, &str)> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let [_, partition, _, _, account, resource] = parts.as_slice() else { return None };
    let name = match resource.strip_prefix("assumed-role/") {
        Some(session) => session.split('/').next()?,
        None => resource.strip_prefix("role/")?.rsplit('/').next()?,
    };
    Some((partition, account, name))
}

fn is_arn<'a>(args: &[Value<'a>]) -> Option<Value<'a>> {
    text_or_nothing(&args[0], |text| Value::Bool(parse(text).is_some()), Value::Bool(false))
}

fn same_principal<'a>(args: &[Value<'a>]) -> Option<Value<'a>> {
    text_or_nothing(&args[0], |a| Value::Bool(args[1].text().is_some_and(|b| are_same(a, b))), Value::Bool(false))
        .filter(|_| args[1] != Value::Other)
}

/// True if both ARNs are of one principal.
fn are_same(a: &str, b: &str) -> bool {
    a == b || role_key(a).is_some_and(|key| role_key(b) == Some(key))
}
