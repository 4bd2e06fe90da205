//! Follows sessions back to who began them, through the calls that gave them out.
//!
//! A call that gives out temporary credentials (`AssumeRole` and its kin) answers with an access key id, and the calls of
//! the session are signed with it: so the caller of the one is behind the others, in whatever account. The console makes
//! keys of its own for a session that it has; then the ARN of the session and the second in which it was made name it.
//! Facts: "CloudTrail userIdentity element" in the AWS CloudTrail user guide, "Logging IAM and AWS STS API calls with AWS
//! CloudTrail" in that of IAM.
//!
//! *Law*: what is not known is told as unknown. Two calls that contradict each other about a session, or calls that lead
//! in a circle, tell nothing.

use std::borrow::Cow;
use std::collections::BTreeSet;

use jiff::{Timestamp, ToSpan};

use crate::inventory::Inventory;
use crate::principal::{Principal, Traced, Via};
use crate::record::{Record, Ref};

/// Sessions that records tell of: `AccessKeyId`, `Arn`, `RoleArn`, `Expiration`, and in `Event` the call that gave the
/// credentials out.
pub const KIND: &str = "cloudtrail/sessions";

/// The members that sessions are found by.
pub(crate) const BY_KEY: &str = "AccessKeyId";
pub(crate) const BY_ARN: &str = "ArnAt";

/// Sessions that are followed back from a call.
pub const MOST: usize = 16;

/// Seconds that may lie between a session's making and the record of the call that made it.
const SLACK: i64 = 2;

/// The text by which a session is found that is known by its ARN and the second in which it was made.
pub fn arn_at(arn: &str, made: Timestamp) -> String {
    format!("{arn} {}", made.as_second())
}

/// The principal of an event of that time, and who is behind it.
pub fn actor(inventory: &Inventory, event: Ref<'_>, time: Option<Timestamp>) -> Principal {
    Principal { traced: Some(Box::new(trace(inventory, event, time))), ..Principal::of(event) }
}

/// Who is behind an event of that time.
pub fn trace(inventory: &Inventory, event: Ref<'_>, time: Option<Timestamp>) -> Traced {
    let mut chain = Vec::new();
    let mut passed = BTreeSet::new();
    let mut session: Option<Cow<'_, Record>> = None;
    loop {
        let made_by = session.as_ref().and_then(|session| Some((session.value.view().get("Event")?, session.time)));
        let (here, time) = made_by.unwrap_or((event, time));
        let principal = Principal::of(here);
        chain.extend(principal.role.clone());
        if let Some(origin) = by_nature(here, &principal) {
            return told(here, origin, chain);
        }
        let Some(next) = session_of(inventory, here, &principal, time) else {
            return match first(here) {
                Some(origin) => told(here, origin, chain),
                None => Traced { origin: None, chain: in_order(chain), via: None },
            };
        };
        if !passed.insert(next.id.clone()) || passed.len() > MOST {
            return Traced::default();
        }
        session = Some(next);
    }
}

fn told(here: Ref<'_>, origin: Principal, chain: Vec<String>) -> Traced {
    Traced { via: via(here, &origin), origin: Some(origin), chain: in_order(chain) }
}

/// Roles were met from the last to the first; one that was gone through twice in a row was kept by a new session.
fn in_order(mut chain: Vec<String>) -> Vec<String> {
    chain.reverse();
    chain.dedup();
    chain
}

/// Who alone can have sessions of that kind, so that no record need tell.
fn by_nature(event: Ref<'_>, principal: &Principal) -> Option<Principal> {
    let role = principal.role.as_deref()?;
    let service = |name: &str| Principal {
        kind: Some("AWSService".to_owned()),
        name: Some(name.to_owned()),
        service: Some(name.to_owned()),
        ..Principal::default()
    };
    // Only the service that a service-linked role is for can assume it; only Identity Center those that it keeps.
    if let Some((_, rest)) = role.split_once(":role/aws-service-role/") {
        return rest.split_once('/').map(|(name, _)| service(name));
    }
    if role.contains(":role/aws-reserved/sso.amazonaws.com/") {
        let store = event.text(&["userIdentity", "onBehalfOf", "identityStoreArn"]);
        return Some(Principal {
            kind: Some("IdentityCenterUser".to_owned()),
            name: principal.session.clone(),
            account: store.and_then(|arn| arn.split(':').nth(4)).map(str::to_owned),
            ..Principal::default()
        });
    }
    let context = event.path(&["userIdentity", "sessionContext"])?;
    context.get("ec2RoleDelivery").filter(|told| !told.is_null()).map(|_| service("ec2.amazonaws.com"))
}

/// The principal of an event that no session is known to stand behind, if such a principal can be the first.
fn first(event: Ref<'_>) -> Option<Principal> {
    let identity = event.get("userIdentity")?;
    let principal = Principal::of(event);
    let places: [&[&str]; 2] = [&["sessionContext", "assumedRoot"], &["sessionContext", "attributes", "assumedRoot"]];
    let is_assumed = places.iter().any(|place| identity.path(place).is_some_and(is_true));
    match principal.kind.as_deref()? {
        "Root" if is_assumed => None,
        "AssumedRole" | "Role" | "Unknown" => None,
        // Who asked for a federated session stands in the session itself.
        "FederatedUser" => {
            let issuer = identity.path(&["sessionContext", "sessionIssuer"])?;
            let kind = issuer.text(&["type"]).filter(|kind| ["IAMUser", "Root"].contains(kind))?;
            let text = |key: &str| issuer.text(&[key]).map(str::to_owned);
            let name = if kind == "Root" { Some("root".to_owned()) } else { text("userName") };
            Some(Principal {
                kind: Some(kind.to_owned()),
                name,
                arn: text("arn"),
                account: text("accountId"),
                ..Principal::default()
            })
        }
        _ => Some(principal),
    }
}

/// How the first principal got in.
fn via(event: Ref<'_>, origin: &Principal) -> Option<Via> {
    match origin.kind.as_deref()? {
        "AWSService" => Some(Via::Service),
        "SAMLUser" | "WebIdentityUser" | "IdentityCenterUser" | "Directory" => Some(Via::Federation),
        "IAMUser" | "Root" if origin.access_key.as_deref().is_some_and(is_long_term) => Some(Via::Key),
        "IAMUser" | "Root" if event.text(&["userIdentity", "type"]) != Some("FederatedUser") && by_console(event) => {
            Some(Via::Console)
        }
        _ => None,
    }
}

/// Whether CloudTrail itself says that a call was of a console session; the user agent is the caller's word.
fn by_console(event: Ref<'_>) -> bool {
    event.text(&["eventType"]).is_some_and(|of| of == "AwsConsoleSignIn" || of == "AwsConsoleAction")
        || event.get("sessionCredentialFromConsole").is_some_and(is_true)
        || event
            .path(&["userIdentity", "sessionContext", "attributes", "sessionCredentialFromConsole"])
            .is_some_and(is_true)
}

fn is_true(value: Ref<'_>) -> bool {
    value.scalar_text().is_some_and(|text| text.eq_ignore_ascii_case("true"))
}

/// "Unique identifiers" in the IAM user guide: `AKIA` begins the id of an access key, `ASIA` that of temporary ones.
fn is_long_term(key: &str) -> bool {
    key.starts_with("AKIA")
}

/// The session that a call was made in, if the record of its making is known and nothing contradicts it.
fn session_of<'a>(
    inventory: &'a Inventory,
    event: Ref<'_>,
    principal: &Principal,
    time: Option<Timestamp>,
) -> Option<Cow<'a, Record>> {
    let key = principal.access_key.as_deref();
    if key.is_some_and(is_long_term) {
        return None;
    }
    if let Some(key) = key {
        let mut found = inventory.find(KIND, BY_KEY, key);
        found.retain(|session| time.is_none_or(|time| session.time.is_none_or(|made| made <= time)));
        let newest = found.iter().map(|session| session.time).max();
        found.retain(|session| Some(session.time) == newest);
        if !found.is_empty() {
            return agreed(found);
        }
    }
    let arn = principal.arn.as_deref()?;
    let made = event.text(&["userIdentity", "sessionContext", "attributes", "creationDate"])?;
    let made: Timestamp = made.parse().ok()?;
    (0..=SLACK).find_map(|slack| {
        // A session that is renewed within seconds could have been either one.
        let around = BTreeSet::from([made.checked_sub(slack.seconds()).ok()?, made.checked_add(slack.seconds()).ok()?]);
        let found: Vec<_> = around.iter().flat_map(|made| inventory.find(KIND, BY_ARN, &arn_at(arn, *made))).collect();
        (!found.is_empty()).then(|| agreed(found))
    })?
}

/// One of several records of a session, which all tell of the same caller: a call that crosses accounts is recorded in
/// both, and in the account of the role the caller is no more than an account.
fn agreed(found: Vec<Cow<'_, Record>>) -> Option<Cow<'_, Record>> {
    let caller = |session: &Record| {
        let identity = session.value.view().get("Event")?.get("userIdentity")?;
        let text = |key: &str| identity.text(&[key]).filter(|text| !text.is_empty()).map(str::to_owned);
        Some((text("accessKeyId"), text("arn"), text("type")))
    };
    let known = |session: &Record| caller(session).map(|(key, arn, _)| (key.is_some(), arn.is_some()));
    let most = found.iter().map(|session| known(session)).max()?;
    let mut best: Vec<_> = found.into_iter().filter(|session| known(session) == most).collect();
    best.sort_by(|one, other| (&one.id, &one.origin).cmp(&(&other.id, &other.origin)));
    best.iter().all(|session| caller(session) == caller(&best[0])).then(|| best.swap_remove(0))
}
