//! The findings of a scan: kept in few bytes, and given one by one.
//!
//! What is the same for all findings of a policy is not kept with each of them, and what follows from the rest (the
//! remediation) is made when a finding is read.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde::ser::{Error as _, SerializeSeq, Serializer};
use serde::{Deserialize, Serialize};

use super::duplicates::{Edit, Edits};
use super::place::{Map, Place};
use super::stored::{each, place, put, take};
use crate::error::Error;
use crate::finding::{Enforcement, Excuse, Facts, Finding, Fingerprint, Severity, Standing, Windowed};
use crate::policy::{Forms, Policy};
use crate::principal::{Principal, Who};
use crate::script::parse_time;
use crate::spill::{Merge, Sorted, damaged};

/// The findings of a scan, in input order, then in the order of policies. They need not fit into memory: they are given
/// one by one, as often as somebody asks.
#[derive(Clone)]
pub struct Findings {
    kept: Arc<Kept>,
    /// What is made of each before it is given.
    change: Option<Change<Finding>>,
}

/// Makes something else of what was kept, whenever it is given.
pub(crate) type Change<T> = Arc<dyn Fn(&mut T) + Send + Sync>;

/// What [`Findings`] gives. An error, when findings that did not fit into memory cannot be read again, is the last.
pub type Iter<'a> = Box<dyn Iterator<Item = Result<Finding, Error>> + 'a>;

/// What findings are read from.
pub(super) struct Kept {
    /// How many there are when equal ones are one.
    pub(super) len: u64,
    /// By place.
    pub(super) stored: Sorted,
    pub(super) edits: Edits,
    pub(super) map: Arc<Map>,
    pub(super) same: Arc<[Same]>,
    /// Bytes that a report may use.
    pub(super) memory: usize,
}

impl From<Kept> for Findings {
    fn from(kept: Kept) -> Self {
        Self { kept: Arc::new(kept), change: None }
    }
}

impl Findings {
    /// The same, of which each is changed before it is given.
    pub(crate) fn changed(self, change: Change<Finding>) -> Self {
        Self { change: Some(change), ..self }
    }

    /// How many there are.
    pub fn len(&self) -> u64 {
        self.kept.len
    }

    /// True if there is none.
    pub fn is_empty(&self) -> bool {
        self.kept.len == 0
    }

    /// Gives them one by one.
    pub fn iter(&self) -> Iter<'_> {
        let mut walk = None;
        Box::new(each(move || {
            let walk = match &mut walk {
                Some(walk) => walk,
                none => none.insert(Walk::new(self)?),
            };
            walk.advance()?.map(Unread::read).transpose()
        }))
    }

    /// All of them, for whoever knows that they fit into memory.
    ///
    /// # Errors
    /// When findings that did not fit into memory cannot be read again.
    pub fn to_vec(&self) -> Result<Vec<Finding>, Error> {
        self.iter().collect()
    }

    /// Gives them one by one until it is told to stop, for whoever need not know all of each.
    pub(crate) fn each(&self, give: &mut dyn FnMut(Unread<'_>) -> Result<bool, Error>) -> Result<(), Error> {
        let mut walk = Walk::new(self)?;
        while let Some(finding) = walk.advance()? {
            if !give(finding)? {
                break;
            }
        }
        Ok(())
    }

    /// The memory that a report may use, where it needs some that grows with the findings.
    pub(crate) fn memory(&self) -> usize {
        self.kept.memory
    }
}

impl<'a> IntoIterator for &'a Findings {
    type Item = Result<Finding, Error>;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Debug for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Findings").field("len", &self.len()).finish_non_exhaustive()
    }
}

impl Serialize for Findings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(usize::try_from(self.len()).ok())?;
        for finding in self {
            list.serialize_element(&finding.map_err(S::Error::custom)?)?;
        }
        list.end()
    }
}

/// A finding as it is stored.
pub(crate) struct Unread<'a> {
    kept: &'a Kept,
    place: Place,
    stored: &'a [u8],
    edit: Option<Edit>,
    change: Option<&'a Change<Finding>>,
}

/// What groups a finding with others, and what is told of groups.
pub(crate) struct Head<'a> {
    pub(crate) pack: &'a str,
    pub(crate) policy: &'a str,
    pub(crate) group: Cow<'a, str>,
    pub(crate) severity: Severity,
    pub(crate) standing: Standing,
    pub(crate) enforcement: Enforcement,
    /// The first.
    pub(crate) resource: Option<&'a str>,
    pub(crate) account: Option<&'a str>,
    /// The times of its first and its last record, if they are known, in nanoseconds since 1970.
    pub(crate) span: Option<(i128, i128)>,
}

impl Unread<'_> {
    pub(crate) fn head(&self) -> Result<Head<'_>, Error> {
        let same = self.kept.same(self.place)?;
        let (known, _): (StoredHead<'_>, _) = take(self.stored)?;
        let group = match known.group {
            Some(group) => group.into(),
            None => default_group(&same.policy, &known.resources).into(),
        };
        let standing = self.edit.as_ref().and_then(|edit| edit.now).map_or(known.standing, |(_, standing)| standing);
        Ok(Head {
            pack: &same.pack,
            policy: &same.policy,
            group,
            severity: known.severity,
            standing,
            enforcement: same.enforcement,
            resource: known.resources.first().copied(),
            account: known.account,
            span: known.span,
        })
    }

    /// Who began the session, or made the call.
    pub(crate) fn who(&self) -> Result<Option<Who>, Error> {
        let (_, rest): (StoredHead<'_>, _) = take(self.stored)?;
        let (body, _): (StoredBody<'_>, _) = take(rest)?;
        Ok(body.actor.as_ref().as_ref().and_then(|actor| actor.beginner().who()))
    }

    /// The place of its policy.
    pub(crate) fn policy(&self) -> usize {
        self.place.policy as usize
    }

    pub(crate) fn read(self) -> Result<Finding, Error> {
        let mut finding = self.kept.read(self.place, self.stored)?;
        if let Some(edit) = self.edit {
            if let Some((fingerprint, standing)) = edit.now {
                finding.fingerprint = fingerprint;
                finding.standing = standing;
            }
            finding.duplicates = edit.duplicates;
        }
        if let Some(change) = self.change {
            change(&mut finding);
        }
        Ok(finding)
    }
}

/// Goes through what is stored, and what became of it when equal findings were made one.
struct Walk<'a> {
    stored: Merge<'a>,
    edits: Merge<'a>,
    edit: Option<(Place, Option<Edit>)>,
    kept: &'a Kept,
    change: Option<&'a Change<Finding>>,
}

impl<'a> Walk<'a> {
    fn new(findings: &'a Findings) -> Result<Self, Error> {
        let kept = &*findings.kept;
        let mut edits = kept.edits.read()?;
        let edit = kept.edits.next(&mut edits)?;
        Ok(Self { stored: kept.stored.read()?, edits, edit, kept, change: findings.change.as_ref() })
    }

    fn advance(&mut self) -> Result<Option<Unread<'_>>, Error> {
        let (place, edit) = loop {
            let Some((key, _)) = self.stored.advance()? else { return Ok(None) };
            let place = place(key)?;
            let Some((_, edit)) = self.edit.take_if(|(of, _)| *of == place) else { break (place, None) };
            self.edit = self.kept.edits.next(&mut self.edits)?;
            if edit.is_some() {
                break (place, edit);
            }
        };
        Ok(Some(Unread { kept: self.kept, place, stored: self.stored.payload(), edit, change: self.change }))
    }
}

/// What all findings of a policy have alike.
#[derive(Debug)]
pub(super) struct Same {
    /// Whether the policy judges several records together.
    pub(super) has_window: bool,
    policy: Arc<str>,
    pack: Arc<str>,
    kind: Arc<str>,
    enforcement: Enforcement,
    tags: Arc<[String]>,
    references: Arc<[String]>,
    remediation: Forms,
}

impl Same {
    pub(super) fn of(policies: &[Policy]) -> Arc<[Self]> {
        let of = |policy: &Policy| Self {
            has_window: policy.header.window.is_some(),
            policy: Arc::clone(&policy.id),
            pack: Arc::clone(&policy.pack),
            kind: Arc::clone(&policy.header.judges),
            enforcement: policy.enforcement,
            tags: Arc::clone(&policy.header.tags),
            references: Arc::clone(&policy.header.references),
            remediation: policy.header.remediation.clone(),
        };
        policies.iter().map(of).collect()
    }

    /// Appends a finding of the policy to `into`, all but its remediation.
    pub(super) fn store(&self, finding: &Finding, into: &mut Vec<u8>) -> Result<(), Error> {
        let resources: Vec<&str> = finding.resources.iter().map(String::as_str).collect();
        let group = (finding.group != default_group(&self.policy, &resources)).then_some(finding.group.as_str());
        let Facts { kind: _, id, time, name, source, account, region } = &finding.record;
        let span = match &finding.window {
            Some(window) => Some((&window.first, &window.last)),
            None => time.as_ref().map(|time| (time, time)),
        };
        let nanos = |text: &str| parse_time(text).map(Timestamp::as_nanosecond);
        let span = span.and_then(|(first, last)| {
            let from = nanos(first)?;
            Some((from, if first == last { from } else { nanos(last)? }))
        });
        let (severity, standing, account) = (finding.severity, finding.standing, account.as_deref());
        put(&StoredHead { severity, standing, group, resources, account, span }, into)?;
        let window = finding.window.as_ref().map(serde_json::to_string).transpose();
        let window = window.map_err(|error| Error::new(error.to_string()))?;
        let body = StoredBody {
            window: window.as_deref(),
            waiver: finding.waiver.as_ref().map(|waiver| {
                let (ticket, tag) = (waiver.ticket.as_deref(), waiver.tag.as_deref());
                (&*waiver.owner, &*waiver.reason, &*waiver.expires, ticket, tag)
            }),
            notes: finding.notes.iter().map(String::as_str).collect(),
            title: &finding.title,
            id: id.as_deref(),
            time: time.as_deref(),
            name: name.as_deref(),
            source: source.as_deref(),
            region: region.as_deref(),
            actor: Cow::Borrowed(&finding.actor),
            source_ip: finding.source_ip.as_deref(),
            line: finding.origin.line,
            fingerprint: finding.fingerprint.0,
        };
        put(&body, into)?;
        serde_json::to_writer(into, &finding.context).map_err(|error| Error::new(error.to_string()))
    }
}

impl Kept {
    fn same(&self, place: Place) -> Result<&Same, Error> {
        self.same.get(place.policy as usize).ok_or_else(damaged)
    }

    fn read(&self, place: Place, stored: &[u8]) -> Result<Finding, Error> {
        let same = self.same(place)?;
        let (head, rest): (StoredHead<'_>, _) = take(stored)?;
        let (body, context): (StoredBody<'_>, _) = take(rest)?;
        let text = |text: Option<&str>| text.map(str::to_owned);
        let context = serde_json::from_slice(context).map_err(|_| damaged())?;
        Ok(Finding {
            policy: Arc::clone(&same.policy),
            pack: Arc::clone(&same.pack),
            severity: head.severity,
            title: body.title.to_owned(),
            group: head.group.map_or_else(|| default_group(&same.policy, &head.resources), str::to_owned),
            resources: head.resources.into_iter().map(str::to_owned).collect(),
            record: Facts {
                kind: Arc::clone(&same.kind),
                id: body.id.map(Arc::from),
                time: text(body.time),
                name: text(body.name),
                source: text(body.source),
                account: head.account.map(Arc::from),
                region: body.region.map(Arc::from),
            },
            window: body.window.map(serde_json::from_str::<Windowed>).transpose().map_err(|_| damaged())?,
            actor: body.actor.into_owned(),
            source_ip: text(body.source_ip),
            origin: self.map.origin(place, body.line),
            duplicates: Default::default(),
            standing: head.standing,
            enforcement: same.enforcement,
            waiver: body.waiver.map(|(owner, reason, expires, ticket, tag)| Excuse {
                owner: owner.to_owned(),
                reason: reason.to_owned(),
                expires: expires.to_owned(),
                ticket: text(ticket),
                tag: text(tag),
            }),
            notes: body.notes.into_iter().map(str::to_owned).collect(),
            remediation: same.remediation.fill(&context),
            context,
            fingerprint: Fingerprint(body.fingerprint),
            tags: Arc::clone(&same.tags),
            references: Arc::clone(&same.references),
        })
    }
}

/// The group of a finding whose policy does not say another.
pub(super) fn default_group(policy: &str, resources: &[impl std::borrow::Borrow<str>]) -> String {
    format!("{policy} {}", resources.join(" "))
}

/// The part of a finding that groups it, and what is told of groups: first, for it is read of findings that nobody is shown.
#[derive(Serialize, Deserialize)]
struct StoredHead<'a> {
    severity: Severity,
    standing: Standing,
    /// Unless it is the default.
    group: Option<&'a str>,
    #[serde(borrow)]
    resources: Vec<&'a str>,
    account: Option<&'a str>,
    /// Nanoseconds since 1970.
    span: Option<(i128, i128)>,
}

/// Owner, reason, end, ticket and tag.
type StoredWaiver<'a> = (&'a str, &'a str, &'a str, Option<&'a str>, Option<&'a str>);

/// The rest, but for the context, which follows as JSON.
#[derive(Serialize, Deserialize)]
struct StoredBody<'a> {
    /// JSON.
    window: Option<&'a str>,
    waiver: Option<StoredWaiver<'a>>,
    notes: Vec<&'a str>,
    title: &'a str,
    id: Option<&'a str>,
    time: Option<&'a str>,
    name: Option<&'a str>,
    source: Option<&'a str>,
    region: Option<&'a str>,
    actor: Cow<'a, Option<Principal>>,
    source_ip: Option<&'a str>,
    line: Option<u64>,
    fingerprint: [u8; 16],
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::finding::Remediation;
    use crate::policy::{Overrides, Pack};
    use crate::principal::{Traced, Via};
    use crate::record::CLOUDTRAIL;
    use crate::script::Limits;
    use crate::spill::Sorter;

    const POLICY: &str = r#"//! ---
//! title: T
//! severity: low
//! judges: cloudtrail
//! tags: [a, b]
//! references: ["https://example.com/"]
//! remediation:
//!   console: Always the same.
//!   cli: aws ec2 describe-volumes --volume-ids ${text}
//! ---
fn matches(event) { true }
"#;

    fn text() -> impl Strategy<Value = Option<String>> {
        proptest::option::of(prop_oneof![Just(String::new()), "\\PC{0,30}", Just("\u{0}é\"\\\n".to_owned())])
    }

    fn finding() -> impl Strategy<Value = Finding> {
        let texts = proptest::collection::vec(text(), 12);
        let severity = proptest::sample::select(Severity::ALL.to_vec());
        (
            texts,
            proptest::collection::vec("[a-z]{0,9}", 0..4),
            severity,
            any::<Option<u64>>(),
            any::<bool>(),
            any::<i64>(),
        )
            .prop_map(|(texts, resources, severity, line, is_event, number)| {
                let text = |at: usize| texts[at].clone();
                let arc = |at: usize| texts[at].as_deref().map(Arc::from);
                Finding {
                    policy: "p".into(),
                    pack: "local".into(),
                    severity,
                    title: text(0).unwrap_or_default(),
                    group: text(1).unwrap_or_else(|| default_group("p", &resources)),
                    resources,
                    record: Facts {
                        kind: CLOUDTRAIL.into(),
                        id: arc(2),
                        time: text(3),
                        name: text(4),
                        source: text(5),
                        account: arc(6),
                        region: arc(7),
                    },
                    actor: is_event.then(|| Principal {
                        name: text(8),
                        mfa: text(9).map(|text| text.is_empty()),
                        traced: text(7).map(|name| {
                            Box::new(Traced {
                                origin: text(6).map(|arn| Principal {
                                    name: Some(name.clone()),
                                    arn: Some(arn),
                                    ..Principal::default()
                                }),
                                chain: vec![name.clone()],
                                via: text(5).map(|_| Via::Key),
                            })
                        }),
                        ..Principal::default()
                    }),
                    window: is_event.then(|| Windowed {
                        by: vec![json!(text(2)), json!(number)],
                        count: 7,
                        first: "2024-05-14T12:00:00Z".to_owned(),
                        last: text(4).unwrap_or_default(),
                        hits: Vec::new(),
                    }),
                    source_ip: text(9),
                    origin: crate::record::Origin { file: "log".into(), position: 5, line },
                    duplicates: Default::default(),
                    context: json!({ "text": text(10), "numbers": [number, 0.1, u64::MAX], "none": {} }),
                    standing: Standing::New,
                    enforcement: Enforcement::Fail,
                    waiver: is_event.then(|| Excuse {
                        owner: "alice".to_owned(),
                        reason: text(3).unwrap_or_default(),
                        expires: "2024-05-14".to_owned(),
                        ticket: text(4),
                        tag: text(2),
                    }),
                    notes: text(5).into_iter().collect(),
                    remediation: Remediation::default(),
                    fingerprint: Fingerprint([7; 16]),
                    tags: ["a".to_owned(), "b".to_owned()].into(),
                    references: ["https://example.com/".to_owned()].into(),
                }
            })
    }

    proptest! {
        #[test]
        fn a_finding_comes_back_as_it_was_with_its_remediation(mut finding in finding()) {
            let packs = Pack::from_text("p", POLICY).check(&Overrides::of_invented_events(), &Limits::default()).unwrap();
            let same = Same::of(packs.policies());
            let mut stored = Vec::new();
            same[0].store(&finding, &mut stored).unwrap();
            let map = Arc::new(Map::new(vec!["log".into()], vec![(0, 0, 2)]));
            let [none] = Sorter::<1>::sorted(Vec::new()).unwrap();
            let (_, edits) = crate::engine::duplicates::compare(&none, &map, 0, |_| false).unwrap();
            let kept = Kept { len: 1, stored: none, edits, map, same, memory: 0 };
            let read = kept.read(Place { batch: 1, position: 5, ..Place::default() }, &stored).unwrap();
            finding.remediation = packs.policies()[0].header.remediation.fill(&finding.context);
            prop_assert!(finding.remediation.console.is_some());
            prop_assert_eq!(serde_json::to_value(read).unwrap(), serde_json::to_value(finding).unwrap());
        }
    }
}
