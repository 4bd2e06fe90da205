//! What calls tell of the sessions that they give out: by whom, as what, under which access key.
//!
//! Fields: `AssumeRole`, `AssumeRoleWithSAML`, `AssumeRoleWithWebIdentity`, `AssumeRoot`, `GetFederationToken` and
//! `GetSessionToken` in the AWS STS API reference; `GetRoleCredentials` in that of the Identity Center portal, whose
//! records mostly leave the answer out: then the `AssumeRoleWithSAML` that it causes tells of the session.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

use super::{Told, text};
use crate::record::Ref;
use crate::sessions;

pub(super) const KIND: &str = sessions::KIND;

/// What is kept of the call itself.
const EVENT: [&str; 9] = [
    "eventID",
    "eventTime",
    "eventSource",
    "eventName",
    "eventType",
    "sourceIPAddress",
    "userAgent",
    "sessionCredentialFromConsole",
    "userIdentity",
];

pub(super) fn given(event: Ref<'_>, told: &mut Vec<Told>) {
    let answer = |part: &'static str, field: &'static str| event.path(&["responseElements", part, field]);
    let credential = |field| answer("credentials", field).or_else(|| answer("roleCredentials", field));
    let Some(key) = credential("accessKeyId").and_then(Ref::as_str) else { return };
    let role = text(event, &[&["requestParameters", "roleArn"]]);
    let name = text(event, &[&["requestParameters", "roleSessionName"]]);
    let arn =
        text(event, &[&["responseElements", "assumedRoleUser", "arn"], &["responseElements", "federatedUser", "arn"]]);
    let arn = arn.map(str::to_owned).or_else(|| session_arn(role?, name?));
    // A token for oneself is a session of oneself.
    let is_own = event.text(&["eventName"]) == Some("GetSessionToken");
    let arn = arn.or_else(|| event.text(&["userIdentity", "arn"]).filter(|_| is_own).map(str::to_owned));
    let expiration = credential("expiration").and_then(|time| expiration(time));
    let mut members = session(event, Some(key), arn.as_deref(), role);
    members.extend(expiration.map(|time| ("Expiration".to_owned(), time.into())));
    members.insert("Event".to_owned(), Value::Object(kept(event)));
    told.push(Told::Made(KIND, id(event, key), members));
}

/// A role that somebody took on in the console: the keys of the session are the console's own, so its ARN names it.
pub(super) fn switched(event: Ref<'_>, told: &mut Vec<Told>) {
    if event.text(&["responseElements", "SwitchRole"]) != Some("Success") {
        return;
    }
    let from = text(event, &[&["additionalEventData", "SwitchFrom"]]);
    let (Some(arn), Some(from)) = (event.text(&["userIdentity", "arn"]), from) else { return };
    let mut members = session(event, None, Some(arn), None);
    let mut kept = kept(event);
    kept.insert("userIdentity".to_owned(), identity_of(from));
    members.insert("Event".to_owned(), Value::Object(kept));
    told.push(Told::Made(KIND, id(event, arn), members));
}

fn session(event: Ref<'_>, key: Option<&str>, arn: Option<&str>, role: Option<&str>) -> Map<String, Value> {
    let made = event.text(&["eventTime"]).and_then(|time| time.parse::<Timestamp>().ok());
    let found_by = arn.zip(made).map(|(arn, made)| sessions::arn_at(arn, made));
    let members = [
        (sessions::BY_KEY, key.map(str::to_owned)),
        ("Arn", arn.map(str::to_owned)),
        (sessions::BY_ARN, found_by),
        ("RoleArn", role.map(str::to_owned)),
    ];
    members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.into()))).collect()
}

/// One call is one session: the record's id, else what it gave out and when.
fn id(event: Ref<'_>, given: &str) -> String {
    let time = || format!("{given} {}", event.text(&["eventTime"]).unwrap_or_default());
    event.text(&["eventID"]).map_or_else(time, str::to_owned)
}

fn kept(event: Ref<'_>) -> Map<String, Value> {
    EVENT.iter().filter_map(|name| Some(((*name).to_owned(), event.get(name)?.to_json()))).collect()
}

/// `arn:aws:iam::1:role/path/name` and a session's name → `arn:aws:sts::1:assumed-role/name/session`.
fn session_arn(role: &str, session: &str) -> Option<String> {
    let mut parts = role.splitn(6, ':');
    let (_, partition, _, _, account) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let name = parts.next()?.strip_prefix("role/")?.rsplit('/').next()?;
    Some(format!("arn:{partition}:sts::{account}:assumed-role/{name}/{session}"))
}

/// Who an ARN names, as `userIdentity` would tell it; the console's own session of whoever it is.
fn identity_of(arn: &str) -> Value {
    let mut parts = arn.splitn(6, ':').skip(4);
    let account = parts.next().unwrap_or_default();
    let kind = match parts.next().unwrap_or_default() {
        "root" => "Root",
        rest if rest.starts_with("user/") => "IAMUser",
        rest if rest.starts_with("assumed-role/") => "AssumedRole",
        rest if rest.starts_with("federated-user/") => "FederatedUser",
        _ => "Unknown",
    };
    json!({
        "type": kind,
        "arn": arn,
        "accountId": account,
        "sessionContext": { "attributes": { "sessionCredentialFromConsole": "true" } },
    })
}

/// `Jul 10, 2023, 12:55:24 PM`, RFC 3339, or milliseconds, as RFC 3339; other texts as they are.
fn expiration(time: Ref<'_>) -> Option<String> {
    if let Some(milliseconds) = time.as_i64() {
        return Timestamp::from_millisecond(milliseconds).ok().map(|time| time.to_string());
    }
    let written = time.as_str()?;
    // Java writes a narrow space before `PM` nowadays.
    let plain = written.replace(['\u{202f}', '\u{a0}'], " ");
    let spoken = DateTime::strptime("%b %d, %Y, %I:%M:%S %p", &plain).ok();
    let spoken = spoken.and_then(|time| TimeZone::UTC.to_timestamp(time).ok());
    let time = written.parse::<Timestamp>().ok().or(spoken);
    Some(time.map_or_else(|| written.to_owned(), |time| time.to_string()))
}
