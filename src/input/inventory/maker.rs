//! Makes resources of what a command printed: what they are called, whose they are, and what was asked.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Source;
use super::place::Naming;
use crate::inventory::{Identified, Identities};
use crate::record::{Document, Kind, Node, Origin, Record, Ref, Scope};
use crate::schema::{Command, Member, Shape, singular};

/// A resource's value and the line on which it begins.
pub(super) type Item = (Node, Option<u64>);

/// Makes the resources of one kind in an answer.
pub(super) struct Maker<'a> {
    source: &'a Source<'a>,
    kind: &'a Arc<str>,
    naming: Naming<'a>,
    /// When the answer was given.
    time: Option<Timestamp>,
    /// The command must be told what to look at.
    argument: bool,
    /// There is one of the kind in an account, or for each thing that the command was told.
    is_single: bool,
    /// What the command was told, as a member of each resource.
    told: Option<Document>,
}

/// Resources of an answer, in order, and what they say of whose they are.
#[derive(Default)]
pub(super) struct Made {
    pub(super) resources: Vec<Identified>,
    /// How many of the file stand before them.
    before: u64,
    accounts: Agreed,
    regions: Agreed,
    identities: Identities,
}

impl<'a> Maker<'a> {
    pub(super) fn new(
        source: &'a Source<'a>,
        kind: &'a Arc<str>,
        command: Option<&Command>,
        time: Option<Timestamp>,
    ) -> Self {
        let argument = command.is_none_or(|command| command.argument);
        let is_single = command.is_some_and(|command| {
            let unwrapped = |member: &Member| member.kind.as_ref() == Some(kind) && member.shape == Shape::Map;
            command.singleton.is_some() || command.members.iter().any(unwrapped)
        });
        let arguments = &source.entry.arguments;
        let told = (argument && !arguments.is_empty()).then(|| Document::from(&json!({ "Arguments": arguments })));
        Self { source, kind, naming: Naming::of(kind), time, argument, is_single, told }
    }

    /// Makes a resource, the next of those that were made.
    pub(super) fn make(&self, (value, line): Item, made: &mut Made) {
        let whose = self.naming.whose(value.view());
        let whose = Scope {
            account: whose.account.map(|account| made.accounts.note(&account)),
            region: whose.region.map(|region| made.regions.note(region)),
        };
        let id = self.naming.id(value.view());
        let id = id.or_else(|| if self.is_single { self.single_id(value.view()) } else { None });
        let value = match &self.told {
            Some(told) if value.view().kind() == Kind::Map => {
                Document::with_members(value.view(), told.root().entries()).into()
            }
            Some(told) => Document::with_members(told.root(), std::iter::empty()).into(),
            None => value,
        };
        let position = made.before + made.resources.len() as u64 + 1;
        let record = Record {
            kind: Arc::clone(self.kind),
            id,
            time: self.time,
            scope: self.source.scope(self.kind, whose),
            value,
            origin: Origin { file: Arc::clone(self.source.file), position, line },
        };
        made.resources.push(made.identities.of(record));
    }

    /// Of a singleton: any id in it, else the one thing that the command was told to look at, else, where there is one in
    /// an account, its name.
    fn single_id(&self, value: Ref<'_>) -> Option<Arc<str>> {
        let ends = |key: &str| ["Id", "ID", "Arn", "ARN"].iter().any(|end| key.ends_with(end));
        let mut ids = value.entries().filter(|(key, _)| ends(key)).filter_map(|(_, value)| value.as_str());
        if !self.argument {
            return self.kind.rsplit('/').next().map(Arc::from);
        }
        let mut told = self.source.entry.arguments.values().filter_map(Value::as_str);
        ids.next().or_else(|| told.next().filter(|_| told.next().is_none())).map(Arc::from)
    }
}

impl Made {
    /// The first of them follows on so many in the file.
    pub(super) fn after(before: u64) -> Self {
        Self { before, ..Self::default() }
    }

    /// The account and the region on which all agree that name one.
    pub(super) fn agreed<'m>(parts: impl Iterator<Item = &'m Self> + Clone) -> Scope {
        Scope {
            account: Agreed::of(parts.clone().map(|made| &made.accounts)),
            region: Agreed::of(parts.map(|made| &made.regions)),
        }
    }
}

/// What resources say of an account or a region.
#[derive(Default)]
struct Agreed {
    last: Option<Arc<str>>,
    differ: bool,
}

impl Agreed {
    /// Takes what a resource says, and gives it shared with the one before.
    fn note(&mut self, text: &str) -> Arc<str> {
        match &self.last {
            Some(last) if **last == *text => Arc::clone(last),
            last => {
                self.differ |= last.is_some();
                Arc::clone(self.last.insert(text.into()))
            }
        }
    }

    /// What all say that say something.
    fn of<'m>(parts: impl Iterator<Item = &'m Self>) -> Option<Arc<str>> {
        let mut all = Self::default();
        for part in parts {
            all.differ |= part.differ;
            part.last.iter().for_each(|last| drop(all.note(last)));
        }
        all.last.filter(|_| !all.differ)
    }
}

/// What an instance has of its reservation.
const INHERITED: [&str; 3] = ["OwnerId", "ReservationId", "RequesterId"];

/// Gives the resources in an item of a list that a command printed; `None` for something else. `lines` are added to those
/// that the document knows.
pub(super) fn resources_in(member: &Member, item: Node, lines: u64, give: &mut impl FnMut(Item)) -> Option<()> {
    let value = item.view();
    let line = |value: Ref<'_>| value.line().map(|line| line + lines);
    let own = line(value);
    match (&member.within, value.kind()) {
        (Some((inner, fields)), Kind::Map) => match value.get(inner) {
            Some(group) if group.kind() == Kind::List => {
                for inner in group.items() {
                    let inherited = INHERITED.iter().filter_map(|name| Some((*name, value.get(name)?)));
                    give((Document::with_members(inner, inherited).into(), line(inner)));
                }
            }
            // With `--query 'Reservations[].Instances[]'`.
            None if value.entries().any(|(key, _)| fields.contains(key) && !member.fields.contains(key)) => {
                give((item, own));
            }
            _ => return None,
        },
        (None, Kind::Map) => give((item, own)),
        (None, _) if member.fields.is_empty() => give((named(member.name, value), own)),
        _ => return None,
    }
    Some(())
}

/// A scalar of the list `name` as a map of one member: `PolicyNames` gives `PolicyName`.
pub(super) fn named(name: &str, item: Ref<'_>) -> Node {
    let members = serde_json::Map::from_iter([(singular(name), item.to_json())]);
    Document::from(&Value::Object(members)).into()
}
