//! What the read commands of the AWS CLI print, and the kinds of resources that become of it.
//!
//! It is read once from `schemas/inventory-commands.json`, which
//! `schemas/generate-inventory.py` makes from the models in botocore (Apache-2.0); the notation is described there.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock};

/// A read command of the AWS CLI and what it prints.
#[derive(Debug)]
pub struct Command {
    /// As on the command line: `ec2`, `configservice`, `s3api`.
    pub service: &'static str,
    /// As on the command line: `describe-volumes`.
    pub name: &'static str,
    /// The kind of which the whole answer is one resource.
    pub singleton: Option<Arc<str>>,
    /// True when the command must be told what to look at, so that its answer proves nothing about all others.
    pub argument: bool,
    /// True when another command prints the same kind whole.
    pub view: bool,
    /// What it prints, by name.
    pub members: Vec<Member>,
}

/// A member of an answer.
#[derive(Debug)]
pub struct Member {
    /// `Volumes`.
    pub name: &'static str,
    /// What it is.
    pub shape: Shape,
    /// The members of its items, or of itself where it is a structure; empty for scalars and for a map with any keys.
    pub fields: Fields,
    /// The kind of its items, or of itself where it is a structure; `None` where it is no resource of its own.
    pub kind: Option<Arc<str>>,
    /// True when every answer has it.
    pub required: bool,
    /// For a list whose items only group the resources: the member that holds these, and their members.
    pub within: Option<(&'static str, Fields)>,
}

/// Names of members, as the table has them: between spaces. Split when asked, for most never are.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fields(&'static str);

impl Fields {
    /// The names, in the order of AWS's model.
    pub fn iter(self) -> impl Iterator<Item = &'static str> {
        self.0.split(' ').filter(|field| !field.is_empty())
    }

    /// True when one of them is `name`.
    pub fn contains(self, name: &str) -> bool {
        self.iter().any(|field| field == name)
    }

    /// How many there are.
    pub fn len(self) -> usize {
        self.iter().count()
    }

    /// True when there is none.
    pub fn is_empty(self) -> bool {
        self.0.is_empty()
    }
}

/// What a member of an answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Text, a number, a boolean.
    Scalar,
    /// A structure or a map.
    Map,
    /// A list.
    List,
}

impl Command {
    /// The member of that name.
    pub fn member(&self, name: &str) -> Option<&Member> {
        self.members.iter().find(|member| member.name == name)
    }

    /// Every kind that an answer can give, in the order of its members.
    pub fn kinds(&self) -> impl Iterator<Item = &Arc<str>> {
        self.singleton.iter().chain(self.members.iter().filter_map(|member| member.kind.as_ref()))
    }
}

impl Member {
    /// The members of one resource.
    pub fn resource_fields(&self) -> Fields {
        self.within.map_or(self.fields, |(_, fields)| fields)
    }
}

/// The kinds that Lawbook makes itself: of what events tell, and of what files of logs tell of one another.
const DERIVED: [&str; 9] = [
    "cloudtrail/address-allocations",
    "cloudtrail/address-associations",
    "cloudtrail/deliveries",
    "cloudtrail/digests",
    "cloudtrail/gaps",
    "cloudtrail/instances",
    "cloudtrail/nat-gateways",
    "cloudtrail/network-interfaces",
    "cloudtrail/sessions",
];

/// How the kind of an AWS Config item begins whose type no command of the table prints.
pub const CONFIG_TYPE: &str = "config/";

struct Table {
    /// Sorted by service and name.
    commands: Vec<Command>,
    /// Sorted.
    kinds: Vec<Arc<str>>,
}

static TABLE: LazyLock<Table> = LazyLock::new(Table::read);

/// Places of commands in the table by what they print.
static BY_MEMBER: LazyLock<HashMap<&str, Vec<usize>>> = LazyLock::new(|| {
    let mut index: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, command) in TABLE.commands.iter().enumerate() {
        for member in &command.members {
            index.entry(member.name).or_default().push(at);
        }
    }
    index
});

/// Places of commands and of their members that are resources, by what these hold.
static BY_FIELD: LazyLock<HashMap<&str, Vec<(usize, usize)>>> = LazyLock::new(|| {
    let mut index: HashMap<&str, Vec<(usize, usize)>> = HashMap::new();
    for (at, command) in TABLE.commands.iter().enumerate() {
        for (of, member) in command.members.iter().enumerate().filter(|(_, member)| member.kind.is_some()) {
            let inner = member.within.map(|(_, fields)| fields).unwrap_or_default();
            for field in member.fields.iter().chain(inner.iter().filter(|field| !member.fields.contains(field))) {
                index.entry(field).or_default().push((at, of));
            }
        }
    }
    index
});

/// The file: service, command, member, what it is.
#[derive(serde::Deserialize)]
struct File<'a> {
    #[serde(borrow)]
    services: BTreeMap<&'a str, BTreeMap<&'a str, BTreeMap<&'a str, &'a str>>>,
}

impl Table {
    fn read() -> Self {
        // The file is part of the program, and a test reads it: it cannot fail to be what it is.
        let file: File<'static> = serde_json::from_str(include_str!("../../schemas/inventory-commands.json"))
            .unwrap_or(File { services: BTreeMap::new() });
        let services = file.services.into_iter();
        let commands: Vec<Command> = services
            .flat_map(|(service, commands)| {
                commands.into_iter().map(move |(name, members)| read_command(service, name, &members))
            })
            .collect();
        let mut kinds: Vec<Arc<str>> = commands.iter().flat_map(Command::kinds).cloned().collect();
        kinds.extend(DERIVED.map(Arc::from));
        kinds.sort_unstable();
        kinds.dedup();
        Self { commands, kinds }
    }
}

fn read_command(service: &'static str, name: &'static str, answer: &BTreeMap<&'static str, &'static str>) -> Command {
    let words: Vec<&str> = answer.get("").map_or(Vec::new(), |words| words.split(' ').collect());
    let singleton = words.iter().find_map(|word| word.strip_prefix("kind="));
    Command {
        service,
        name,
        singleton: singleton.map(|kind| format!("{service}/{kind}").into()),
        argument: words.contains(&"argument"),
        view: words.contains(&"view"),
        members: answer
            .iter()
            .filter(|(member, _)| !member.is_empty())
            .map(|(member, value)| read_member(service, member, value))
            .collect(),
    }
}

fn read_member(service: &str, name: &'static str, value: &'static str) -> Member {
    let (value, required) = value.strip_prefix('!').map_or((value, false), |value| (value, true));
    let Some(open) = value.find(['[', '{']) else {
        return Member { name, shape: Shape::Scalar, fields: Fields::default(), kind: None, required, within: None };
    };
    let shape = if value[open..].starts_with('[') { Shape::List } else { Shape::Map };
    let (own, rest) = value[open + 1..].split_once([']', '}']).unwrap_or((&value[open + 1..], ""));
    let kind = (open > 0).then(|| format!("{service}/{}", &value[..open]).into());
    let within = rest.split_once('[').map(|(inner, of)| (inner, Fields(of.trim_end_matches(']'))));
    Member { name, shape, fields: Fields(own), kind, required, within }
}

/// Every kind of resource that Lawbook knows by name, sorted. AWS Config items of other types have kinds beside these.
pub fn kinds() -> impl Iterator<Item = &'static str> {
    TABLE.kinds.iter().map(|kind| &**kind)
}

/// True for a kind that events tell of: it is there to be looked up, and nothing of it is judged.
pub fn is_told(kind: &str) -> bool {
    DERIVED.contains(&kind) && !["cloudtrail/deliveries", "cloudtrail/digests", "cloudtrail/gaps"].contains(&kind)
}

/// True for a kind of resource that can be: one of [`kinds`], or `config/aws-…` for an AWS Config item of another type.
pub fn is_kind(kind: &str) -> bool {
    TABLE.kinds.binary_search_by(|known| (**known).cmp(kind)).is_ok()
        || kind.strip_prefix(CONFIG_TYPE).is_some_and(|of| of.split('-').count() >= 3 && of.starts_with("aws-"))
}

/// Whether one command alone prints resources of this kind.
pub fn is_of_one_command(kind: &str) -> bool {
    TABLE.commands.iter().filter(|command| command.kinds().any(|of| &**of == kind)).take(2).count() == 1
}

/// The names that the members of a resource of this kind can have, in the order of AWS's model, and `Arguments` where it
/// may have been asked about one thing; `None` where that is not known.
pub fn fields(kind: &str) -> Option<Vec<&'static str>> {
    let service = kind.split('/').next()?;
    let mut all = Vec::new();
    for command in TABLE.commands.iter().filter(|command| command.service == service) {
        if command.singleton.as_deref() == Some(kind) {
            all.extend(command.members.iter().map(|member| member.name));
        }
        for member in command.members.iter().filter(|member| member.kind.as_deref() == Some(kind)) {
            all.extend(member.resource_fields().iter());
            if member.within.is_some() {
                all.extend(member.fields.iter().filter(|field| field.ends_with("Id")));
            }
        }
        if command.argument && command.kinds().any(|of| &**of == kind) {
            all.push("Arguments");
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    all.retain(|field| seen.insert(*field));
    (!all.is_empty()).then_some(all)
}

/// The command of that name.
pub fn command(service: &str, name: &str) -> Option<&'static Command> {
    let at = TABLE.commands.binary_search_by(|command| (command.service, command.name).cmp(&(service, name)));
    at.ok().map(|at| &TABLE.commands[at])
}

/// True when the table has commands of this service.
pub fn is_service(service: &str) -> bool {
    let at = TABLE.commands.partition_point(|command| command.service < service);
    TABLE.commands.get(at).is_some_and(|command| command.service == service)
}

/// The commands that print a member of that name, in the order of the table.
pub fn commands_printing(member: &str) -> impl Iterator<Item = &'static Command> {
    BY_MEMBER.get(member).into_iter().flatten().map(|at| &TABLE.commands[*at])
}

/// The members of answers that are resources, or lists of them, and hold one of the `fields`: each once, in the order of
/// the table, with the command that prints it.
pub fn members_holding<'a>(
    fields: impl IntoIterator<Item = &'a str>,
) -> impl Iterator<Item = (&'static Command, &'static Member)> {
    let mut places: Vec<(usize, usize)> =
        fields.into_iter().filter_map(|field| BY_FIELD.get(field)).flatten().copied().collect();
    places.sort_unstable();
    places.dedup();
    places.into_iter().map(|(at, of)| (&TABLE.commands[at], &TABLE.commands[at].members[of]))
}

/// Every command, in the order of the table.
pub fn commands() -> impl Iterator<Item = &'static Command> {
    TABLE.commands.iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_table() {
        let volumes = command("ec2", "describe-volumes").unwrap();
        assert_eq!(volumes.member("Volumes").unwrap().kind.as_deref(), Some("ec2/volumes"));
        assert!(!volumes.argument && !volumes.view && volumes.singleton.is_none());
        let instances = command("ec2", "describe-instances").unwrap().member("Reservations").unwrap();
        assert_eq!(instances.within.as_ref().unwrap().0, "Instances");
        assert!(instances.resource_fields().contains("InstanceId"));
        assert!(command("cloudwatch", "describe-alarms-for-metric").unwrap().view);
        assert!(commands().count() > 900);
    }

    #[test]
    fn kinds_are_what_policies_call_them() {
        for kind in [
            "ec2/volumes",
            "ec2/instances",
            "ec2/flow-logs",
            "ec2/network-acls",
            "ec2/dhcp-options",
            "ec2/security-groups",
            "ec2/addresses",
            "ec2/addresses-attribute",
            "ec2/snapshots",
            "ec2/locked-snapshots",
            "ec2/ebs-encryption-by-default",
            "ec2/image-attribute",
            "cloudtrail/trails",
            "cloudtrail/trail-status",
            "cloudtrail/event-selectors",
            "cloudtrail/address-associations",
            "cloudwatch/metric-alarms",
            "cloudwatch/metric-statistics",
            "kms/key",
            "iam/account-password-policy",
            "s3api/bucket-policy",
            "s3api/buckets",
            "logs/log-groups",
            "config/aws-rds-db-cluster",
        ] {
            assert!(is_kind(kind), "{kind}");
        }
        assert!(!is_kind("ec2/volume") && !is_kind("config/rds"));
        assert!(fields("ec2/instances").unwrap().contains(&"OwnerId"));
        assert!(fields("ec2/addresses").unwrap().contains(&"AllocationId"));
    }
}
