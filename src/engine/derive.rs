//! Inventory that events tell of: sessions that were given out, addresses, instances, interfaces and gateways that were made.
//!
//! A record of `DisassociateAddress` names an association alone; which address that was is in the answer to the call
//! that made it. So it is with the access key of a session. [`CALLS`] has a row for each call that tells of something.
//!
//! *Law*: what was told by a call that failed is nothing, and what is kept does not depend on the order of the files.

mod ec2;
mod kept;
mod sts;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

pub(super) use self::kept::{Keeping, Kept};
use super::digests::DIGESTS;
use super::place::Place;
use crate::fault::Fault;
use crate::input::Field;
use crate::inventory::{Collected, Inventory, Life};
use crate::policy::Policy;
use crate::record::{CLOUDTRAIL, Document, Node, Origin, Record, Ref};

/// A call that tells of resources.
struct Call {
    source: &'static str,
    name: &'static str,
    /// What kinds of resources it tells of.
    kinds: &'static [&'static str],
    tell: fn(Ref<'_>, &mut Vec<Told>),
}

/// What a call tells.
enum Told {
    /// There is a resource of that kind, with that id, from now on.
    Made(&'static str, String, Map<String, Value>),
    /// Those resources of a kind that have this value are no more.
    Ended(&'static str, &'static str, String),
}

const EC2: &str = "ec2.amazonaws.com";
const STS: &str = "sts.amazonaws.com";

/// Every call that tells of something.
const CALLS: &[Call] = &[
    Call { source: EC2, name: "AllocateAddress", kinds: &[ec2::ALLOCATIONS], tell: ec2::allocated },
    Call { source: EC2, name: "AssociateAddress", kinds: &[ec2::ASSOCIATIONS], tell: ec2::associated },
    Call { source: EC2, name: "DisassociateAddress", kinds: &[ec2::ASSOCIATIONS], tell: ec2::disassociated },
    Call { source: EC2, name: "RunInstances", kinds: &[ec2::INSTANCES, ec2::INTERFACES], tell: ec2::run },
    Call { source: EC2, name: "CreateNetworkInterface", kinds: &[ec2::INTERFACES], tell: ec2::interface_made },
    Call { source: EC2, name: "CreateNatGateway", kinds: &[ec2::GATEWAYS, ec2::ASSOCIATIONS], tell: ec2::gateway_made },
    Call { source: EC2, name: "DeleteNatGateway", kinds: &[ec2::ASSOCIATIONS], tell: ec2::gateway_deleted },
    Call { source: STS, name: "AssumeRole", kinds: &[sts::KIND], tell: sts::given },
    Call { source: STS, name: "AssumeRoleWithSAML", kinds: &[sts::KIND], tell: sts::given },
    Call { source: STS, name: "AssumeRoleWithWebIdentity", kinds: &[sts::KIND], tell: sts::given },
    Call { source: STS, name: "AssumeRoot", kinds: &[sts::KIND], tell: sts::given },
    Call { source: STS, name: "GetFederationToken", kinds: &[sts::KIND], tell: sts::given },
    Call { source: STS, name: "GetSessionToken", kinds: &[sts::KIND], tell: sts::given },
    Call { source: "sso.amazonaws.com", name: "GetRoleCredentials", kinds: &[sts::KIND], tell: sts::given },
    Call { source: "signin.amazonaws.com", name: "SwitchRole", kinds: &[sts::KIND], tell: sts::switched },
];

/// Kinds of which one resource takes the place of another: what both have, and their own name.
const IN_TURN: [(&str, [&str; 2], &str); 1] = [(ec2::ASSOCIATIONS, ["AllocationId", "PublicIp"], "AssociationId")];

/// Bytes that the resources may take that events tell of and that are looked up, so that they must be in memory: some fifty
/// thousand sessions, or several times as many addresses.
const MOST: usize = 128 << 20;

/// The calls that some policies want to know of.
#[derive(Debug, Default)]
pub(super) struct Telling {
    kinds: BTreeSet<&'static str>,
}

impl Telling {
    /// What policies look up of what events tell.
    pub(super) fn of<'p>(policies: impl IntoIterator<Item = &'p Policy>) -> Self {
        let declared = |policy: &'p Policy| policy.header.uses.iter().chain(&policy.header.needs);
        Self::of_kinds(policies.into_iter().flat_map(declared).map(String::as_str))
    }

    /// Those of the kinds that are made of events.
    pub(super) fn of_kinds<'k>(kinds: impl IntoIterator<Item = &'k str>) -> Self {
        Self { kinds: kinds.into_iter().filter_map(derived).collect() }
    }

    /// With these kinds, too.
    pub(super) fn with_kinds(mut self, kinds: impl IntoIterator<Item = &'static str>) -> Self {
        self.kinds.extend(kinds.into_iter().filter_map(derived));
        self
    }

    /// True if nothing is wanted, so that nothing need wait.
    pub(super) fn is_empty(&self) -> bool {
        self.kinds.is_empty()
    }

    /// Whether resources of a kind are wanted.
    pub(super) fn wants_kind(&self, kind: &str) -> bool {
        self.kinds.contains(kind)
    }

    fn wants(&self, call: &Call) -> bool {
        call.kinds.iter().any(|kind| self.kinds.contains(kind))
    }

    /// Whether an event may be a call that tells of something, by its source and its name.
    pub(super) fn may_tell(&self, [source, name]: [Option<Field<'_>>; 2]) -> bool {
        let may_be = |field: &Option<Field<'_>>, text: &str| match field {
            Some(Field::Text(found)) => *found == text,
            Some(Field::Other) | None => true,
            Some(Field::Absent | Field::Null | Field::Bool(_) | Field::Part(_)) => false,
        };
        let may_be_it = |call: &Call| may_be(&name, call.name) && may_be(&source, call.source) && self.wants(call);
        !self.is_empty() && CALLS.iter().any(may_be_it)
    }

    /// What an event tells.
    pub(super) fn of_event(&self, event: &Record) -> Vec<News> {
        let view = event.value.view();
        if self.is_empty() || &*event.kind != CLOUDTRAIL || text(view, &[&["errorCode"]]).is_some() {
            return Vec::new();
        }
        let (Some(source), Some(name)) = (view.text(&["eventSource"]), view.text(&["eventName"])) else {
            return Vec::new();
        };
        let is_it = |call: &&Call| call.name == name && call.source == source && self.wants(call);
        let Some(call) = CALLS.iter().find(is_it) else { return Vec::new() };
        let mut told = Vec::new();
        (call.tell)(view, &mut told);
        let news = |told: Told| {
            let (kind, id, value, ends) = match told {
                Told::Made(kind, id, value) => (kind, Some(id), value, None),
                Told::Ended(kind, member, value) => (kind, None, Map::new(), Some((member, value))),
            };
            let record = Record {
                kind: kind.into(),
                id: id.map(Into::into),
                time: event.time,
                scope: event.scope.clone(),
                value: Node::from(Document::from(&Value::Object(value))),
                origin: event.origin.clone(),
            };
            self.kinds.contains(kind).then_some(News { record, ends })
        };
        told.into_iter().filter_map(news).collect()
    }
}

/// A kind, if it is made of what is read while events are, so that its look-ups must wait for the last of them.
pub(super) fn derived(kind: &str) -> Option<&'static str> {
    CALLS.iter().flat_map(|call| call.kinds).copied().chain([DIGESTS]).find(|known| *known == kind)
}

/// The text of the first of some places that has one.
fn text<'a>(event: Ref<'a>, places: &[&[&str]]) -> Option<&'a str> {
    places.iter().find_map(|place| event.text(place)).filter(|text| !text.is_empty())
}

/// What an event tells of a resource.
#[derive(Debug)]
pub(super) struct News {
    record: Record,
    /// It ends those that have this value, and is none itself.
    ends: Option<(&'static str, String)>,
}

impl News {
    /// The session that was given out, if it is one.
    pub(super) fn session(&self) -> Option<&Record> {
        (&*self.record.kind == sts::KIND).then_some(&self.record)
    }
}

impl From<Record> for News {
    fn from(record: Record) -> Self {
        Self { record, ends: None }
    }
}

/// Resources that events tell of: the first of them in the order of the input, whatever the order in which they come.
#[derive(Debug)]
pub(super) struct Derived {
    most: usize,
    kept: BTreeMap<(Place, u32), (News, usize)>,
    bytes: usize,
    /// The first that was one too many, and where it was read: none at or after it is kept.
    end: Option<((Place, u32), Origin)>,
    told: u64,
}

impl Default for Derived {
    fn default() -> Self {
        Self { most: MOST, kept: BTreeMap::new(), bytes: 0, end: None, told: 0 }
    }
}

impl Derived {
    /// Adds what the event at a place tells.
    pub(super) fn add(&mut self, at: Place, news: Vec<News>) {
        for (number, one) in (0..).zip(news) {
            self.told += 1;
            if self.end.as_ref().is_some_and(|(end, _)| (at, number) >= *end) {
                continue;
            }
            let bytes = 256 + size(one.record.value.view());
            self.bytes += bytes;
            self.kept.insert((at, number), (one, bytes));
            while self.bytes > self.most {
                let Some((last, (one, bytes))) = self.kept.pop_last() else { break };
                self.bytes -= bytes;
                self.end = Some((last, one.record.origin));
            }
        }
    }

    /// The resources in the order of the input, and a fault if those are not all.
    pub(super) fn finish(self) -> (Vec<Lived>, Option<(Place, Fault)>) {
        let lost = self.told - self.kept.len() as u64;
        let fault = self.end.map(|((at, _), origin)| {
            let mut fault = Fault::inventory(
                format!(
                    "events and digests tell of more sessions, addresses, log files and the like than can be held ({} MiB): \
                     later ones are not looked up (try: scan fewer days, accounts or regions at a time)",
                    self.most >> 20
                ),
                origin,
            );
            fault.count = lost;
            (at, fault)
        });
        (lives(self.kept.into_values().map(|(one, _)| one)), fault)
    }
}

/// What a value takes in memory, about.
fn size(value: Ref<'_>) -> usize {
    let of_members: usize = value.entries().map(|(key, value)| key.len() + size(value)).sum();
    let of_items: usize = value.items().map(size).sum();
    32 + value.as_str().map_or(0, str::len) + of_members + of_items
}

/// A resource and when it was in force.
pub(super) type Lived = (Record, Life);

/// What two resources have in common of which one takes the place of the other.
type Slot = (String, &'static str, String);

/// Resources and when each was in force: from its making until another took its place, or a call ended it.
fn lives(news: impl Iterator<Item = News>) -> Vec<Lived> {
    let (made, ended): (Vec<News>, Vec<News>) = news.partition(|one| one.ends.is_none());
    let mut made = once(made.into_iter().map(|one| one.record));
    let slot = |record: &Record, member: &'static str| {
        let value = record.value.view().text(&[member])?.to_owned();
        Some((format!("{} {}", record.kind, record.scope), member, value))
    };
    let mut turns: BTreeMap<Slot, Vec<usize>> = BTreeMap::new();
    for (at, (record, _)) in made.iter().enumerate() {
        for (_, members, _) in IN_TURN.iter().filter(|(kind, ..)| *kind == &*record.kind) {
            if let Some(slot) = members.iter().find_map(|member| slot(record, member)) {
                turns.entry(slot).or_default().push(at);
            }
        }
    }
    for places in turns.values_mut() {
        // By time, and by name within a second: not by the order of the files.
        places.sort_by(|one, other| {
            let key = |at: usize| (made[at].0.time, &made[at].0.id);
            key(*one).cmp(&key(*other))
        });
        let times: Vec<Option<Timestamp>> = places.iter().map(|at| made[*at].0.time).collect();
        for (turn, at) in places.iter().enumerate() {
            let from = if turn == 0 { None } else { times[turn] };
            made[*at].1 = Life { from, until: times.get(turn + 1).copied().flatten() };
        }
    }
    end(&mut made, &ended, slot);
    made
}

/// Each version of a resource once: an event may be read twice, and of two calls in one second that speak of one resource
/// the one counts that says more, whichever was read first.
fn once(made: impl Iterator<Item = Record>) -> Vec<Lived> {
    let mut known = BTreeMap::new();
    let mut out: Vec<Lived> = Vec::new();
    for record in made {
        let key = (Arc::clone(&record.kind), record.scope.clone(), record.id.clone(), record.time);
        let at = *known.entry(key).or_insert(out.len());
        let says = |record: &Record| (record.value.view().len(), record.value.view().canonical());
        match out.get_mut(at) {
            Some((kept, _)) if says(kept) < says(&record) => *kept = record,
            Some(_) => {}
            None => out.push((record, Life::default())),
        }
    }
    out
}

/// Ends what calls ended.
fn end(made: &mut [Lived], ended: &[News], slot: impl Fn(&Record, &'static str) -> Option<Slot>) {
    let members: BTreeSet<&'static str> = ended.iter().filter_map(|one| Some(one.ends.as_ref()?.0)).collect();
    let mut places: BTreeMap<Slot, Vec<usize>> = BTreeMap::new();
    for (at, (record, _)) in made.iter().enumerate() {
        for slot in members.iter().filter_map(|member| slot(record, member)) {
            places.entry(slot).or_default().push(at);
        }
    }
    for News { record, ends } in ended {
        let (Some((member, value)), Some(time)) = (ends, record.time) else { continue };
        let slot = (format!("{} {}", record.kind, record.scope), *member, value.clone());
        // The call that ends something still speaks of it.
        let until = time.checked_add(SignedDuration::from_nanos(1)).unwrap_or(time);
        for at in places.get(&slot).into_iter().flatten() {
            let (made, life) = &mut made[*at];
            if made.time.is_none_or(|made| made <= time) {
                life.until = Some(life.until.map_or(until, |known| known.min(until)));
            }
        }
    }
}

/// An inventory to which is added what events tell.
pub(super) fn added(inventory: &Inventory, derived: Vec<Lived>) -> Inventory {
    let mut builder = inventory.reopen();
    let mut kinds = BTreeSet::new();
    for (record, life) in derived {
        kinds.insert(Arc::clone(&record.kind));
        builder.note_collected(&record.kind, record.scope.clone(), Collected::Partial);
        builder.add_living(record, life);
    }
    for (kind, _, own_name) in IN_TURN {
        if let Some(kind) = kinds.get(kind) {
            builder.note_own_name(kind, own_name);
        }
    }
    // What events tell of never contradicts: a later association is another one.
    builder.finish().0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Scope;

    fn resource(id: u64) -> Vec<News> {
        let record = Record {
            kind: ec2::ALLOCATIONS.into(),
            id: Some(id.to_string().into()),
            time: None,
            scope: Scope::default(),
            value: Document::from(&serde_json::json!({ "AllocationId": "x".repeat((id * 37 % 300) as usize) })).into(),
            origin: Origin { file: "log".into(), position: id, line: None },
        };
        vec![News { record, ends: None }]
    }

    #[test]
    fn every_kind_that_is_made_is_one_that_policies_can_name() {
        for call in CALLS {
            assert!(call.kinds.iter().all(|kind| crate::schema::is_kind(kind)), "{}", call.name);
        }
        assert!(derived("cloudtrail/trails").is_none());
        let telling = Telling::of_kinds(["ec2/volumes", "cloudtrail/nat-gateways"]);
        let texts = |source, name| [Some(Field::Text(source)), Some(Field::Text(name))];
        assert!(telling.may_tell(texts(EC2, "CreateNatGateway")) && !telling.may_tell(texts(EC2, "RunInstances")));
        assert!(!telling.may_tell(texts(STS, "CreateNatGateway")) && telling.may_tell([None, Some(Field::Other)]));
        assert!(!Telling::of_kinds(["ec2/volumes"]).may_tell([None, None]));
    }

    #[test]
    fn the_first_in_the_input_are_kept_whatever_comes_first() {
        let kept = |order: &[u64], most: usize| {
            let mut derived = Derived { most, ..Derived::default() };
            for position in order {
                derived.add(Place { position: *position, ..Place::default() }, resource(*position));
            }
            let (resources, fault) = derived.finish();
            let ids: Vec<u64> = resources.into_iter().map(|(record, _)| record.origin.position).collect();
            let fault = fault.map(|(at, fault)| (at.position, fault.count, fault.origin.position));
            (ids, fault)
        };
        let forwards: Vec<u64> = (0..100).collect();
        let backwards: Vec<u64> = forwards.iter().rev().copied().collect();
        let mixed: Vec<u64> = forwards.iter().map(|at| at * 37 % 100).collect();
        for most in [0, 1_000, 20_000, 40_000] {
            let (ids, fault) = kept(&forwards, most);
            let held = ids.len() as u64;
            assert_eq!(ids, forwards[..ids.len()]);
            assert_eq!(fault, Some((held, 100 - held, held)), "{most}");
            for order in [&backwards, &mixed] {
                assert_eq!(kept(order, most), (ids.clone(), fault), "{most}");
            }
        }
        assert_eq!(kept(&mixed, 1 << 20), (forwards, None));
    }
}
