//! `misplaced-argument`: arguments in the wrong order, and fields where a function takes all of the record.

use ipnet::IpNet;

use super::calls::{at_end, at_key, borrowed};
use super::subject::Subject;
use super::{Category, Check, Lint};
use crate::diagnostic::{Diagnostic, Level};
use crate::schema::{Call, Holds, Place, Step as Stepped};
use crate::script::reading::{Base, Called, Step, Value};
use crate::script::{LISTING, takes_record};

pub(super) const LINT: Lint = Lint {
    code: "misplaced-argument",
    category: Category::Correctness,
    level: Level::Error,
    summary: "Two arguments stand in each other's place, or a field where a function takes all of the record.",
    avoid: "`glob(\"i-*\", x)`, `lookup(\"ec2/volumes\", id, \"VolumeId\")`, `jsonpath(\"$..cidrIp\", event)`, `succeeded(event.errorCode)`",
    prefer: "`glob(x, \"i-*\")`, `lookup(\"ec2/volumes\", \"VolumeId\", id)`, `jsonpath(event, \"$..cidrIp\")`, `succeeded(event)`",
    why: "The functions take text and records as they come and answer `false`, `()` or an empty list, whatever the record says.",
    check: Check::Policy(check),
    bad: &[
        "fn matches(event) { succeeded(event) && glob(\"aws-*\", event.userAgent) }",
        "fn matches(event) { succeeded(event) && \"aws-*\".glob(event.userAgent) }",
        "fn matches(event) { succeeded(event) && regex(\"^aws\", event.userAgent.to_lower()) }",
        "fn matches(event) { succeeded(event) && ip_in_cidr(\"10.0.0.0/8\", event.sourceIPAddress) }",
        "fn matches(event) { succeeded(event) && ip_in_cidr([\"10.0.0.0/8\", \"172.16.0.0/12\"], event.sourceIPAddress) }",
        "fn matches(event) { succeeded(event) && jsonpath(\"$..cidrIp\", event).len() > 0 }",
        "fn matches(event) { succeeded(event) && join(\",\", list(event.resources).map(|one| one.ARN)) == \"a\" }",
        "//! uses: [ec2/volumes]\nfn matches(event) { succeeded(event) && lookup(\"ec2/volumes\", request(event).volumeId, \"VolumeId\") != () }",
        "//! uses: [ec2/volumes]\nfn matches(event) { succeeded(event) && !lookup_all(\"ec2/volumes\", request(event).volumeId, \"VolumeId\").is_empty() }",
        "//! judges: ec2/volumes\n//! needs: [ec2/instances]\nfn matches(volume) { lookup(\"ec2/instances\", \"InstanceId\", volume.Attachments) != () }",
        "//! judges: ec2/volumes\n//! needs: [ec2/instances]\nfn matches(volume) { volume.Attachments.some(|a| lookup(\"ec2/instances\", \"InstanceId\", a) != ()) }",
        "//! judges: ec2/volumes\n//! needs: [ec2/instances]\nfn matches(volume) { volume.Size > 1 && !lookup_all(\"ec2/instances\", \"State\", \"running\").is_empty() }",
        "//! judges: ec2/volumes\n//! needs: [ec2/instances]\nfn matches(volume) { volume.Size > 1 && all(\"ec2/instances\", \"InstanceId\") == true }",
        "//! judges: ec2/volumes\nfn matches(volume) { tag(\"Owner\", volume) == \"ops\" }",
        "fn matches(event) { succeeded(event) && is_public_ip(event) }",
        "fn matches(event) { succeeded(event) && same_principal(actor(event), \"arn:aws:iam::111122223333:user/ops\") }",
        "fn matches(event) { succeeded(event) && age(event.userIdentity) > duration(\"1d\") }",
        "//! judges: ec2/security-groups\nfn matches(group) { group.IpPermissions.some(|p| is_world(p.IpRanges)) }",
        "//! judges: ec2/security-groups\nfn matches(group) { group.IpPermissions.some(|p| p.IpRanges.some(|r| is_world(r))) }",
        "fn matches(event) { succeeded(event.errorCode) && event.awsRegion == \"us-east-1\" }",
        "fn matches(event) { succeeded(event) && who(event.userIdentity) == \"ops\" }\nfn who(event) { actor(event).name }",
        "fn matches(event) { succeeded(event) && request(event.requestParameters).name == \"a\" }",
    ],
    good: &[
        "//! judges: ec2/security-groups\nfn matches(group) { group.IpPermissions.some(|p| p.IpRanges.some(|r| is_world(r.CidrIp)) || list(p.Ipv6Ranges).some(|r| is_world(r.CidrIpv6))) }",
        "fn matches(event) { succeeded(event) && arn(event.resources[0].ARN).id == \"a\" && age(event.eventTime) > duration(\"1d\") && is_true(event.readOnly) }",
        "//! judges: ec2/volumes\n//! needs: [ec2/instances]\nfn matches(volume) { volume.Attachments.some(|a| lookup(\"ec2/instances\", \"InstanceId\", a.InstanceId) != ()) && !lookup_all(\"ec2/instances\", \"State.Name\", \"running\").is_empty() }",
        "fn matches(event) { succeeded(event) && glob(event.userAgent, \"aws-*\") && regex(event.userAgent, \"^aws\") }",
        "fn matches(event) { succeeded(event) && statements(request(event).policyDocument).some(|s| s.Action.some(|action| glob(\"iam:Pass*\", action))) }",
        "fn matches(event) { succeeded(event) && glob(\"iam:PassRole\", request(event).action) && ip_in_cidr(\"10.0.0.1\", request(event).cidrIp) }",
        "fn matches(event) { succeeded(event) && ip_in_cidr(event.sourceIPAddress, [\"10.0.0.0/8\"]) && jsonpath(event, \"$..cidrIp\").len() > 0 }",
        "//! uses: [ec2/volumes]\nfn matches(event) { succeeded(event) && lookup(\"ec2/volumes\", \"VolumeId\", request(event).volumeId) != () }",
        "//! uses: [ec2/volumes]\n//! params: { by: { type: text, default: VolumeId, doc: D } }\nfn matches(event) { succeeded(event) && lookup(\"ec2/volumes\", params.by, \"vol-1\") != () }",
        "//! uses: [cloudtrail/sessions]\nfn matches(event) { succeeded(event) && actor(lookup(\"cloudtrail/sessions\", \"AccessKeyId\", event.userIdentity.accessKeyId).Event).name == \"ops\" }",
        "//! window: { by: userIdentity.arn, within: 1h, count: 5 }\nfn matches(event) { succeeded(event) }\nfn title(hits) { `by ${actor(hits[0]).name}` }",
    ],
};

fn check(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let mut out: Vec<Diagnostic> = Vec::new();
    let calls = borrowed(&subject.calls);
    for call in subject.readings.values().flat_map(|reading| &reading.calls) {
        let Some((message, help)) =
            remark(call).or_else(|| of_look_up(subject, &calls, call)).or_else(|| of_scalars(subject, &calls, call))
        else {
            continue;
        };
        let told = LINT.at(subject.source_of(&call.place), call.place.span.clone(), message).help(help);
        if !subject.is_of_prelude(&call.place) && !out.contains(&told) {
            out.push(told);
        }
    }
    out
}

fn remark(call: &Called) -> Option<(String, String)> {
    let name = call.name.as_str();
    let order = |takes: &str| Some((format!("`{name}` takes {takes}"), "the other way round".to_owned()));
    match (name, call.args.as_slice()) {
        (name, [Value::Path(path)]) if takes_record(name) => match path.steps.last() {
            // A record that is a member of something else.
            Some(Step::Name(member)) if member != "Event" && path.base != Base::Actor => Some((
                format!("`{name}` takes the whole record, and `{member}` is a field of it"),
                format!("`{name}(event)`"),
            )),
            _ => None,
        },
        ("glob", [one, other]) if has(one, &['*', '?']) && is_plain(other) => order("the text, then the pattern"),
        ("regex" | "regex_find", [one, other])
            if has(one, &['^', '$', '*', '\\', '|', '[', '(']) && is_plain(other) =>
        {
            order("the text, then the expression")
        }
        ("ip_in_cidr", [one, _]) if is_block(one) => order("the address, then the block"),
        ("jsonpath", [one, _]) if one.text().is_some_and(|text| text.starts_with('$')) => {
            order("the value, then the path")
        }
        ("all", [one, other]) if one.text().is_some() && !matches!(other, Value::Closure(_) | Value::Unknown) => {
            Some((
                "`all` of a kind takes nothing else".to_owned(),
                "`all(kind).some(|one| …)`, or `lookup_all(kind, key, value)`".to_owned(),
            ))
        }
        ("tag", [one, _]) if one.text().is_some() => order("the resource, then the key"),
        ("join", [one, other]) if one.text().is_some() && other.text().is_none() => {
            order("the list, then the separator")
        }
        (name, [_, Value::Path(_) | Value::Part(..) | Value::Made(_), value])
            if (name == "lookup" || LISTING.contains(&name)) && value.text().is_some() =>
        {
            order("the kind, the name of a member, then the value that it has")
        }
        _ => None,
    }
}

/// Functions that take text, a number or a time, at these places.
const OF_SCALARS: [(&str, &[usize]); 20] = [
    ("is_ip", &[0]),
    ("ip_in_cidr", &[0]),
    ("is_public_ip", &[0]),
    ("is_world", &[0]),
    ("cidr_contains", &[0, 1]),
    ("cidr_overlaps", &[0, 1]),
    ("cidr_size", &[0]),
    ("arn", &[0]),
    ("is_arn", &[0]),
    ("same_principal", &[0, 1]),
    ("time", &[0]),
    ("age", &[0]),
    ("duration", &[0]),
    ("glob", &[0]),
    ("regex", &[0]),
    ("regex_find", &[0]),
    ("number", &[0]),
    ("is_true", &[0]),
    ("base64_decode", &[0]),
    ("url_decode", &[0]),
];

/// Records, objects and lists where a function takes text.
fn of_scalars(subject: &Subject<'_>, calls: &[Call<'_>], call: &Called) -> Option<(String, String)> {
    let (name, places) = OF_SCALARS.iter().find(|(name, _)| *name == call.name)?;
    let is_whole = |value: &Value| match value {
        Value::Path(path) if path.steps.is_empty() => true,
        Value::Path(path) => at_end(path, subject, calls).is_some_and(|place| has_parts(&place)),
        Value::List(_) | Value::ListOf(_) | Value::Map(_) => true,
        _ => false,
    };
    let given = places.iter().filter_map(|place| call.args.get(*place)).find(|value| is_whole(value))?;
    let what = match given {
        Value::Path(path) if !path.steps.is_empty() => format!("`{}`", path.names().join(".")),
        _ => "this".to_owned(),
    };
    let message = format!("`{name}` takes text, and {what} is a record, an object or a list");
    Some((message, "give it a field; of a list ask each: `list.some(|one| …)`".to_owned()))
}

/// Look-ups by what is no scalar: a member that is an object, or a value that is one, or a list.
fn of_look_up(subject: &Subject<'_>, calls: &[Call<'_>], call: &Called) -> Option<(String, String)> {
    let [kind, key, value] = call.args.as_slice() else { return None };
    let (kind, key) = (kind.text()?, key.text()?);
    if call.name != "lookup" && !LISTING.contains(&call.name.as_str()) {
        return None;
    }
    let (Stepped::Known(place), _) = at_key(subject.shapes.resource(kind)?, key) else { return None };
    if has_parts(&place) {
        let names = place.names();
        let such = names.first().map(|name| format!("such as `{key}.{name}`")).unwrap_or_default();
        return Some((format!("`{key}` is an object, and nothing is looked up by one"), such));
    }
    let path = value.path()?;
    let place = at_end(path, subject, calls)?;
    has_parts(&place).then(|| {
        let name = path.names().join(".");
        let message = format!("`{name}` is an object or a list, and nothing is looked up by one");
        (message, "give it what stands in it".to_owned())
    })
}

/// True where nothing but lists and objects can stand.
fn has_parts(place: &Place<'_>) -> bool {
    place.holds().into_iter().all(Holds::has_parts)
}

fn has(value: &Value, letters: &[char]) -> bool {
    value.text().is_some_and(|text| text.contains(letters))
}

fn is_block(value: &Value) -> bool {
    let is = |value: &Value| value.text().is_some_and(|text| text.contains('/') && text.parse::<IpNet>().is_ok());
    match value {
        Value::List(items) => !items.is_empty() && items.iter().all(is),
        one => is(one),
    }
}

/// True for something of a record that is no pattern: what a call was given and answered may be one, as policies have them.
fn is_plain(value: &Value) -> bool {
    value.made_of().is_some_and(|path| {
        let names = path.names();
        let is_given = ["requestParameters", "responseElements"].iter().any(|name| names.first() == Some(name));
        !matches!(path.base, Base::Request | Base::Response) && !is_given && !names.is_empty()
    })
}
