//! Names one principal for every shape of `userIdentity`.
//!
//! Shapes and their fields: "CloudTrail userIdentity element" in the AWS CloudTrail user guide; what real records add
//! to it (no `type` on service events, `None` identities, anonymous principals) is handled here and nowhere else.

use std::borrow::Cow;

use serde::ser::{SerializeStruct, Serializer};
use serde::{Deserialize, Serialize};

use crate::record::Ref;

/// Who made a call. Every field is `None` when the record does not say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Principal {
    /// `IAMUser`, `AssumedRole`, `Root`, `AWSService`, `AWSAccount`, `FederatedUser`, `IdentityCenterUser`, …
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// What people call it: a user name, a role name, `root`, a service, an account.
    pub name: Option<String>,
    /// The ARN of the identity, of the session where it is one.
    pub arn: Option<String>,
    /// The ARN of the IAM role behind a session.
    pub role: Option<String>,
    /// The account of the identity.
    pub account: Option<String>,
    /// The name of the session.
    pub session: Option<String>,
    /// The access key id that signed the call.
    pub access_key: Option<String>,
    /// The AWS service that acted, itself or on the identity's behalf.
    pub service: Option<String>,
    /// Whether the session, or the sign-in, had a second factor.
    pub mfa: Option<bool>,
    /// Who began the session, and how; `None` if that was not looked for.
    pub traced: Option<Box<Traced>>,
}

/// A principal as it lies in a store.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct StoredPrincipal<'a> {
    kind: Option<&'a str>,
    pub(crate) name: Option<&'a str>,
    arn: Option<&'a str>,
    role: Option<&'a str>,
    account: Option<&'a str>,
    session: Option<&'a str>,
    access_key: Option<&'a str>,
    service: Option<&'a str>,
    pub(crate) mfa: Option<bool>,
    pub(crate) traced: Option<Box<Traced>>,
}

impl StoredPrincipal<'_> {
    /// Its texts, under the names by which people know them.
    pub(crate) fn texts(&self) -> [(&'static str, Option<&str>); 8] {
        [
            ("type", self.kind),
            ("name", self.name),
            ("arn", self.arn),
            ("role", self.role),
            ("account", self.account),
            ("session", self.session),
            ("access_key", self.access_key),
            ("service", self.service),
        ]
    }

    pub(crate) fn into_owned(self) -> Principal {
        let own = |text: Option<&str>| text.map(str::to_owned);
        Principal {
            kind: own(self.kind),
            name: own(self.name),
            arn: own(self.arn),
            role: own(self.role),
            account: own(self.account),
            session: own(self.session),
            access_key: own(self.access_key),
            service: own(self.service),
            mfa: self.mfa,
            traced: self.traced,
        }
    }
}

/// Who began a session, as far as other records tell.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Traced {
    /// The first principal; `None` if it is not known.
    pub origin: Option<Principal>,
    /// The ARNs of the roles on the way, from the first that was assumed to the caller's own.
    pub chain: Vec<String>,
    /// How the first principal got in.
    pub via: Option<Via>,
}

/// How a principal got in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Via {
    /// A user signed in to the console.
    Console,
    /// A long-term access key of a user.
    Key,
    /// An AWS service acted, or handed the credentials out.
    Service,
    /// An identity provider, or Identity Center, vouched for somebody.
    Federation,
}

impl Via {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Console, Self::Key, Self::Service, Self::Federation];

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Console => "console",
            Self::Key => "key",
            Self::Service => "service",
            Self::Federation => "federation",
        }
    }
}

/// For people, what was traced stands beside the rest, and only if it was; in a store every field has its place.
impl Serialize for Principal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let shown = serializer.is_human_readable();
        let more = if shown { self.traced.as_ref().map_or(0, |_| 3) } else { 1 };
        let mut out = serializer.serialize_struct("Principal", 9 + more)?;
        out.serialize_field("type", &self.kind)?;
        out.serialize_field("name", &self.name)?;
        out.serialize_field("arn", &self.arn)?;
        out.serialize_field("role", &self.role)?;
        out.serialize_field("account", &self.account)?;
        out.serialize_field("session", &self.session)?;
        out.serialize_field("access_key", &self.access_key)?;
        out.serialize_field("service", &self.service)?;
        out.serialize_field("mfa", &self.mfa)?;
        match &self.traced {
            traced if !shown => out.serialize_field("traced", traced)?,
            Some(traced) => {
                out.serialize_field("origin", &traced.origin)?;
                out.serialize_field("chain", &traced.chain)?;
                out.serialize_field("via", &traced.via)?;
            }
            None => {}
        }
        out.end()
    }
}

impl Principal {
    /// The principal of an event.
    pub fn of(event: Ref<'_>) -> Self {
        let Some(identity) = event.get("userIdentity") else { return Self::default() };
        Texts(Texts::PATHS.map(|path| event.text(path))).principal(second_factor(event, identity))
    }
}

/// Whom people take for one: within an account no two principals of a type have one name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Who {
    /// What people call it; where it has no name, what else there is to tell it by.
    pub name: String,
    /// Its type.
    pub kind: Option<String>,
    /// Its account.
    pub account: Option<String>,
}

impl Principal {
    /// Who this is; `None` if nothing tells.
    pub fn who(&self) -> Option<Who> {
        let Self { name, kind, account, .. } = self;
        let name = name.as_ref().or(kind.as_ref()).or(account.as_ref())?.clone();
        Some(Who { name, kind: kind.clone(), account: account.clone() })
    }

    /// Who began the session, if it is known; else who made the call.
    pub fn beginner(&self) -> &Self {
        self.traced.as_ref().and_then(|traced| traced.origin.as_ref()).unwrap_or(self)
    }
}

/// The texts of an event that name its principal, by [`Texts::PATHS`].
#[derive(Clone, Copy, Debug)]
pub struct Texts<'a>(pub [Option<&'a str>; 11]);

const IDENTITY: &str = "userIdentity";
const CONTEXT: &str = "sessionContext";
const ISSUER: &str = "sessionIssuer";

impl<'a> Texts<'a> {
    /// Where they stand.
    pub const PATHS: [&'static [&'static str]; 11] = [
        &[IDENTITY, "type"],
        &[IDENTITY, "arn"],
        &[IDENTITY, "invokedBy"],
        &[IDENTITY, "accountId"],
        &[IDENTITY, "principalId"],
        &[IDENTITY, "userName"],
        &[IDENTITY, "accessKeyId"],
        &[IDENTITY, "onBehalfOf", "userId"],
        &[IDENTITY, CONTEXT, ISSUER, "arn"],
        &[IDENTITY, CONTEXT, ISSUER, "accountId"],
        &[IDENTITY, CONTEXT, ISSUER, "userName"],
    ];

    /// Where it stands whether a session had a second factor, and where a sign-in had one.
    pub const SECOND_FACTOR: [&'static [&'static str]; 2] =
        [&[IDENTITY, CONTEXT, "attributes", "mfaAuthenticated"], &["additionalEventData", "MFAUsed"]];

    /// The principal that they name.
    pub fn principal(self, mfa: Option<bool>) -> Principal {
        let own = |text: Option<&str>| text.map(str::to_owned);
        Principal {
            kind: own(self.kind()),
            name: own(self.name().as_deref()),
            arn: own(self.at(1)),
            role: self.role().map(Cow::into_owned),
            account: own(self.account()),
            session: own(self.session()),
            access_key: own(self.at(6)),
            service: own(self.service()),
            mfa,
            traced: None,
        }
    }

    /// What stands in a store of the principal that they name; as [`Principal`] is written there.
    pub fn stored(self, mfa: Option<bool>) -> impl Serialize + use<'a> {
        let none_traced: Option<()> = None;
        let (session, access_key, service) = (self.session(), self.at(6), self.service());
        (
            self.kind(),
            self.name(),
            self.at(1),
            self.role(),
            self.account(),
            session,
            access_key,
            service,
            mfa,
            none_traced,
        )
    }

    /// One of them, if it says anything.
    fn at(self, place: usize) -> Option<&'a str> {
        self.0[place].filter(|text| !text.is_empty())
    }

    fn service(self) -> Option<&'a str> {
        self.at(2)
    }

    fn kind(self) -> Option<&'a str> {
        self.at(0).or_else(|| self.service().map(|_| "AWSService"))
    }

    fn account(self) -> Option<&'a str> {
        self.at(3).or_else(|| self.at(9))
    }

    /// The name of the session.
    pub fn session(self) -> Option<&'a str> {
        session_name(self.at(1), self.0[4])
    }

    /// The ARN of the role behind the session.
    pub fn role(self) -> Option<Cow<'a, str>> {
        role_arn(self.at(8), self.at(1))
    }

    /// What people call the principal.
    pub fn name(self) -> Option<Cow<'a, str>> {
        let plain = match self.kind() {
            Some("Root") => Some("root"),
            Some("AssumedRole") => match (self.at(10), self.role()) {
                (Some(name), _) => Some(name),
                (None, Some(Cow::Owned(role))) => return Some(last_part(&role).to_owned().into()),
                (None, Some(Cow::Borrowed(role))) => Some(last_part(role)),
                (None, None) => None,
            },
            Some("AWSService") => self.service(),
            Some("AWSAccount") => self.account(),
            Some("IdentityCenterUser") => self.at(7),
            Some("FederatedUser") => self.at(10).or_else(|| self.session()),
            _ => None,
        };
        let otherwise = || self.at(5).or_else(|| self.at(1).map(last_part)).or_else(|| self.at(4));
        plain.or_else(otherwise).map(Cow::Borrowed)
    }
}

fn last_part(arn: &str) -> &str {
    arn.rsplit(['/', ':']).next().unwrap_or(arn)
}

/// `arn:aws:sts::1:assumed-role/name/session` or `AROA…:session`.
fn session_name<'a>(arn: Option<&'a str>, principal_id: Option<&'a str>) -> Option<&'a str> {
    // Asked of most events: by bytes, for these texts are short.
    let from_arn = arn.and_then(|arn| {
        let colon = arn.bytes().enumerate().filter(|(_, byte)| *byte == b':').nth(4)?.0;
        let resource = &arn[colon + 1..];
        let part = |from: usize| {
            let rest = &resource[from..];
            &rest[..rest.bytes().position(|byte| byte == b'/').unwrap_or(rest.len())]
        };
        if let Some(rest) = resource.strip_prefix("assumed-role/") {
            let role = rest.bytes().position(|byte| byte == b'/')?;
            return Some(part("assumed-role/".len() + role + 1));
        }
        resource.starts_with("federated-user/").then(|| part("federated-user/".len()))
    });
    from_arn.or_else(|| principal_id?.split_once(':').map(|(_, session)| session)).filter(|name| !name.is_empty())
}

/// The issuer's ARN if that is a role; else what the session's ARN tells (which leaves the role's path out).
fn role_arn<'a>(issuer: Option<&'a str>, arn: Option<&str>) -> Option<Cow<'a, str>> {
    if let Some(issuer) = issuer {
        return issuer.contains(":role/").then_some(Cow::Borrowed(issuer));
    }
    let mut parts = arn?.splitn(6, ':');
    let (_, partition, _, _, account) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let role = parts.next()?.strip_prefix("assumed-role/")?.split('/').next()?;
    Some(format!("arn:{partition}:iam::{account}:role/{role}").into())
}

/// Says yes, no, or nothing: the session's attribute, else what a console sign-in reports.
fn second_factor(event: Ref<'_>, identity: Ref<'_>) -> Option<bool> {
    let told = identity
        .path(&["sessionContext", "attributes", "mfaAuthenticated"])
        .or_else(|| event.path(&["additionalEventData", "MFAUsed"]))?
        .scalar_text()?;
    says(&told)
}

/// What is written of a second factor.
pub fn says(told: &str) -> Option<bool> {
    let is = |word: &str| told.eq_ignore_ascii_case(word);
    if is("true") || is("yes") {
        Some(true)
    } else if is("false") || is("no") {
        Some(false)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Document;

    fn of(json: &str) -> Principal {
        Principal::of(Document::parse(json.as_bytes()).unwrap().root())
    }

    #[test]
    fn every_shape_has_a_name() {
        for (identity, name) in [
            (r#"{"type":"IAMUser","userName":"alice","arn":"arn:aws:iam::111122223333:user/alice"}"#, "alice"),
            (r#"{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/team/bob"}"#, "bob"),
            (r#"{"type":"Root","arn":"arn:aws:iam::111122223333:root","accountId":"111122223333"}"#, "root"),
            (r#"{"type":"AssumedRole","arn":"arn:aws:sts::111122223333:assumed-role/ops/eve"}"#, "ops"),
            (r#"{"type":"AWSService","invokedBy":"autoscaling.amazonaws.com"}"#, "autoscaling.amazonaws.com"),
            (
                r#"{"accountId":"111122223333","invokedBy":"secretsmanager.amazonaws.com"}"#,
                "secretsmanager.amazonaws.com",
            ),
            (r#"{"type":"AWSAccount","principalId":"","accountId":"ANONYMOUS_PRINCIPAL"}"#, "ANONYMOUS_PRINCIPAL"),
            (r#"{"type":"IdentityCenterUser","onBehalfOf":{"userId":"u-1"}}"#, "u-1"),
            (r#"{"type":"SAMLUser","userName":"carol","principalId":"x:carol"}"#, "carol"),
            (r#"{"type":"Unknown","principalId":"p"}"#, "p"),
        ] {
            assert_eq!(of(&format!(r#"{{"userIdentity":{identity}}}"#)).name.as_deref(), Some(name), "{identity}");
        }
        assert_eq!(of(r#"{"userIdentity":null}"#), Principal::default());
        assert_eq!(of("{}"), Principal::default());
    }

    #[test]
    fn what_is_stored_is_read_as_the_principal() {
        let whole = "arn:aws:sts::1:assumed-role/a/b";
        let texts = |of: &[usize], kind| {
            let mut texts = [None; 11];
            texts[0] = kind;
            of.iter().for_each(|at| texts[*at] = Some(if *at == 1 { whole } else { "x:role/y" }));
            Texts(texts)
        };
        for kind in [None, Some(""), Some("Root"), Some("AssumedRole"), Some("AWSService"), Some("FederatedUser")] {
            for of in [&[][..], &[1], &[4], &[8, 10], &[1, 8], &[2, 3, 5, 6, 7, 9]] {
                for mfa in [None, Some(true)] {
                    let stored = postcard::to_extend(&texts(of, kind).stored(mfa), Vec::new()).unwrap();
                    let principal = texts(of, kind).principal(mfa);
                    assert_eq!(postcard::from_bytes::<Principal>(&stored).unwrap(), principal);
                    let borrowed: StoredPrincipal<'_> = postcard::from_bytes(&stored).unwrap();
                    let shown = serde_json::to_value(&principal).unwrap();
                    for (name, text) in borrowed.texts() {
                        assert_eq!(shown[name].as_str(), text, "{name}");
                    }
                    assert_eq!(borrowed.into_owned(), principal);
                    assert_eq!(postcard::to_extend(&principal, Vec::new()).unwrap(), stored);
                }
            }
        }
    }

    #[test]
    fn a_session_leads_to_its_role() {
        let principal = of(
            r#"{"userIdentity":{"type":"AssumedRole","principalId":"AROA:eve","arn":"arn:aws-cn:sts::111122223333:assumed-role/ops/eve",
            "sessionContext":{"sessionIssuer":{"type":"Role","arn":"arn:aws-cn:iam::111122223333:role/team/ops","userName":"ops"},"attributes":{"mfaAuthenticated":"False"}}}}"#,
        );
        assert_eq!(principal.role.as_deref(), Some("arn:aws-cn:iam::111122223333:role/team/ops"));
        assert_eq!((principal.session.as_deref(), principal.mfa), (Some("eve"), Some(false)));
        let bare =
            of(r#"{"userIdentity":{"type":"AssumedRole","arn":"arn:aws-cn:sts::111122223333:assumed-role/ops/eve"}}"#);
        assert_eq!(bare.role.as_deref(), Some("arn:aws-cn:iam::111122223333:role/ops"));
    }
}
