//! Selects the policies a record could trigger: too many is allowed, too few never.
//!
//! Policies of one `when` form a group: the record is asked once, and so many are counted as asked. Groups are found by
//! the value of the field that tells most of them apart, and within a group its policies by what is proved of their
//! scripts ([`asked`]).
//!
//! *Soundness*: a policy is left out only where a condition of its `when` excludes the record, where a text is missing
//! that its script requires, or where its [`Predicate`](crate::script::Predicate) says false. The last two are facts, and
//! hold for policies that need no inventory alone: those that do are *not evaluated* before their script is asked.
//! What is not known of a record that was only skimmed ([`Fields`]) leaves nothing out.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::asked::{self, Asked, MOST_TEXTS};
use super::noted::Noting;
use super::skimmed::Skimmed;
use crate::input::{Field, Fields, Wanted};
use crate::policy::{Condition, Policy, When};
use crate::record::{CLOUDTRAIL, Record, Ref};
use crate::script::{Opening, Predicate, Source, Verdict};

/// Fields of scripts that are read from every record, beyond those that policies are found by.
const MOST_FIELDS: usize = 512;

/// Different conditions that scripts ask first, of which it is looked whether others ask them, too.
const MOST_OPENINGS: usize = 256;

/// The policies by what a record must hold for them to be asked; numbers of policies are places in the pack.
#[derive(Debug)]
pub(super) struct Index {
    by_kind: HashMap<Arc<str>, Routes, RandomState>,
    groups: Vec<Group>,
    /// The group of each policy.
    group_of: Vec<usize>,
    /// Where the fields are found by which a policy can be excluded, by the numbers of its predicate's paths.
    facts: Vec<Option<Vec<Option<usize>>>>,
    /// The number of what the script of each policy asks first, where those of others ask that, too.
    openings: Vec<Option<usize>>,
    wanted: Wanted,
    /// Fields that are read, sorted: their places are those of [`Index::wanted`].
    paths: Vec<Vec<String>>,
}

/// Numbers what the scripts of several policies ask first, of those that no text leads to.
fn openings(groups: &[Group], plan: &Plan<'_>) -> Vec<Option<usize>> {
    let mut askers: Vec<(Opening<'_>, Vec<usize>)> = Vec::new();
    for at in groups.iter().flat_map(|group| &group.every) {
        let Some(opening) = plan.policies[*at].script.predicate.as_ref().and_then(Predicate::opening) else { continue };
        match askers.iter().position(|(known, _)| *known == opening) {
            Some(place) => askers[place].1.push(*at),
            None if askers.len() < MOST_OPENINGS => askers.push((opening, vec![*at])),
            None => {}
        }
    }
    let mut numbers = vec![None; plan.policies.len()];
    for (number, (_, policies)) in askers.iter().filter(|(_, policies)| policies.len() > 1).enumerate() {
        policies.iter().for_each(|at| numbers[*at] = Some(number));
    }
    numbers
}

/// How the groups of one kind of record are found.
#[derive(Debug, Default)]
struct Routes {
    keyed: Vec<Keyed>,
    /// Groups that every record may be of.
    every: Vec<usize>,
}

/// Things by the text of a field.
#[derive(Debug)]
struct Keyed {
    path: Vec<String>,
    field: Option<usize>,
    by_text: HashMap<Box<str>, Vec<usize>, RandomState>,
    /// Those for which there need not be one.
    absent: Vec<usize>,
}

/// Policies of one `when`.
#[derive(Debug)]
struct Group {
    when: When,
    /// Where the fields of its conditions are found.
    fields: Vec<Option<usize>>,
    /// Policies by what their scripts require.
    asked: Vec<Asked>,
    /// Policies that every record of the group may trigger.
    every: Vec<usize>,
}

/// How a policy is found, for those who ask what it costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// By the texts of these fields, one after the other.
    Fields(Vec<String>),
    /// It is asked about every record of its kind, for this reason.
    Every(&'static str),
}

/// What is to be known of policies besides their texts.
pub(super) struct Plan<'a> {
    pub(super) policies: &'a [Policy],
    /// Policies of which every record that `when` admits must be seen, and nothing proved: by place.
    pub(super) whole: BTreeSet<usize>,
    /// Everything is asked of every record.
    pub(super) full_scan: bool,
    /// Fields that somebody else reads, too.
    pub(super) paths: Vec<Vec<String>>,
}

impl Plan<'_> {
    /// Whether facts about the script may leave a policy out.
    fn is_proved(&self, at: usize) -> bool {
        !self.full_scan && !self.whole.contains(&at) && self.policies[at].header.needs.is_empty()
    }
}

impl Index {
    pub(super) fn new(plan: &Plan<'_>) -> Self {
        let mut groups: Vec<Group> = Vec::new();
        let mut group_of = Vec::new();
        let mut members: Vec<Vec<usize>> = Vec::new();
        let mut known: HashMap<(&str, &When), usize> = HashMap::new();
        let mut kinds: BTreeMap<Arc<str>, Vec<usize>> = BTreeMap::new();
        for (at, policy) in plan.policies.iter().enumerate() {
            let kind = &policy.header.judges;
            let group = *known.entry((kind, &policy.header.when)).or_insert_with(|| {
                groups.push(Group {
                    when: policy.header.when.clone(),
                    fields: Vec::new(),
                    asked: Vec::new(),
                    every: Vec::new(),
                });
                members.push(Vec::new());
                kinds.entry(Arc::clone(kind)).or_default().push(groups.len() - 1);
                groups.len() - 1
            });
            group_of.push(group);
            members[group].push(at);
        }
        for (group, members) in groups.iter_mut().zip(&members) {
            let proved = |at: usize| plan.policies[at].script.predicate.as_ref().filter(|_| plan.is_proved(at));
            (group.asked, group.every) = asked::members(members, proved);
        }
        let openings = openings(&groups, plan);
        let mut by_kind = HashMap::default();
        let mut paths = plan.paths.clone();
        for (kind, of_kind) in kinds {
            let routes = Routes::new(&of_kind, &groups, plan);
            if &*kind == CLOUDTRAIL {
                note_paths(&routes, &of_kind, &groups, plan, &mut paths);
            }
            by_kind.insert(kind, routes);
        }
        paths.sort();
        paths.dedup();
        let wanted = wanted(&paths);
        let mut index = Self {
            by_kind,
            groups,
            group_of,
            facts: Vec::new(),
            openings,
            wanted: wanted.clone(),
            paths: paths.clone(),
        };
        let field = |path: &Vec<String>| wanted.field(paths.binary_search(path).ok()?);
        let facts = |(at, policy): (usize, &Policy)| {
            let predicate = policy.script.predicate.as_ref().filter(|_| plan.is_proved(at))?;
            Some(predicate.paths().iter().map(field).collect())
        };
        index.facts = plan.policies.iter().enumerate().map(facts).collect();
        for keyed in index.by_kind.values_mut().flat_map(|routes| &mut routes.keyed) {
            keyed.field = field(&keyed.path);
        }
        for group in &mut index.groups {
            group.fields = group.when.conditions.iter().map(|condition| field(&condition.path)).collect();
            group.asked.iter_mut().for_each(|asked| asked.place(field));
        }
        index
    }
}

/// What a record may trigger; kept from record to record.
#[derive(Debug, Default)]
pub(super) struct Selected {
    /// Groups whose `when` admits the record.
    pub(super) groups: Vec<usize>,
    /// Policies of these that nothing known leaves out, in the order of the pack.
    pub(super) policies: Vec<usize>,
    /// Policies of which a hit need not be parsed.
    pub(super) noted: Vec<usize>,
    /// The answers to what several scripts ask first, by number, as far as that was asked.
    openings: Vec<Option<Verdict>>,
}

impl Index {
    /// The fields of events by which [`Index::passes`] decides.
    pub(super) fn wanted(&self) -> &Wanted {
        &self.wanted
    }

    /// Where a field is found, if it is read.
    pub(super) fn field(&self, path: &[impl AsRef<str>]) -> Option<usize> {
        let key = |known: &Vec<String>| known.iter().map(String::as_str).cmp(path.iter().map(AsRef::as_ref));
        self.wanted.field(self.paths.binary_search_by(key).ok()?)
    }

    /// The number of groups.
    pub(super) fn groups(&self) -> usize {
        self.groups.len()
    }

    /// The group of a policy.
    pub(super) fn group_of(&self, policy: usize) -> usize {
        self.group_of[policy]
    }

    /// The policies to ask about a record.
    pub(super) fn select(&self, record: &Record, into: &mut Selected) {
        into.groups.clear();
        into.policies.clear();
        let Some(routes) = self.by_kind.get(&record.kind) else { return };
        let view = record.value.view();
        into.groups.extend(&routes.every);
        for keyed in &routes.keyed {
            keyed.find(keyed.of(view), &mut into.groups);
        }
        into.groups.retain(|group| self.groups[*group].when.admits(view));
        into.groups.sort_unstable();
        for group in &into.groups {
            let group = &self.groups[*group];
            into.policies.extend(&group.every);
            group.asked.iter().for_each(|asked| asked.find(&view, &mut into.policies));
        }
        into.policies.sort_unstable();
        into.policies.dedup();
    }

    /// Whether no policy has to be asked about an event of which only a few fields are known. `into.groups` are then the
    /// groups whose `when` admits it, and `into.noted` the policies that it is a hit of, which can be noted.
    pub(super) fn passes(
        &self,
        event: &Skimmed<'_>,
        policies: &[Policy],
        noting: &Noting,
        into: &mut Selected,
    ) -> bool {
        let fields = event.fields;
        into.groups.clear();
        into.noted.clear();
        into.openings.clear();
        let Some(routes) = self.by_kind.get(CLOUDTRAIL) else { return true };
        into.policies.clear();
        into.policies.extend(&routes.every);
        for keyed in &routes.keyed {
            keyed.find(keyed.skimmed(fields), &mut into.policies);
        }
        for at in 0..into.policies.len() {
            let group = into.policies[at];
            match self.groups[group].admits(fields) {
                Some(true) => into.groups.push(group),
                Some(false) => {}
                None => return false,
            }
        }
        for group in &into.groups {
            let group = &self.groups[*group];
            into.policies.clear();
            for asked in &group.asked {
                asked.find(&event.at(asked.places()), &mut into.policies);
            }
            into.policies.sort_unstable();
            into.policies.dedup();
            into.policies.extend(&group.every);
            for at in &into.policies {
                let (Some(places), Some(predicate)) = (&self.facts[*at], &policies[*at].script.predicate) else {
                    return false;
                };
                match self.ask(*at, predicate, &event.at(places), &mut into.openings) {
                    Verdict::False | Verdict::Excluded => {}
                    Verdict::True if noting.can_note(*at) => into.noted.push(*at),
                    Verdict::True | Verdict::Unknown => return false,
                }
            }
        }
        true
    }

    /// What the script of a policy answers, as far as it is known; what others ask first, too, is asked once.
    fn ask(
        &self,
        at: usize,
        predicate: &Predicate,
        source: &impl Source,
        openings: &mut Vec<Option<Verdict>>,
    ) -> Verdict {
        let (Some(number), Some(opening)) = (self.openings[at], predicate.opening()) else {
            return predicate.ask(source);
        };
        if openings.len() <= number {
            openings.resize(number + 1, None);
        }
        match *openings[number].get_or_insert_with(|| opening.ask(source)) {
            Verdict::True => opening.ask_rest(source),
            Verdict::False => Verdict::False,
            Verdict::Excluded | Verdict::Unknown => predicate.ask(source),
        }
    }

    /// How each policy is found, in the order of the pack.
    pub(super) fn routes(&self, plan: &Plan<'_>) -> Vec<Route> {
        let mut fields = vec![Vec::new(); self.group_of.len()];
        let mut of_group = vec![None; self.groups.len()];
        for keyed in self.by_kind.values().flat_map(|routes| &routes.keyed) {
            keyed.members().for_each(|group| of_group[group] = Some(keyed.path.join(".")));
        }
        for (fields, group) in fields.iter_mut().zip(&self.group_of) {
            fields.extend(of_group[*group].clone());
        }
        for asked in self.groups.iter().flat_map(|group| &group.asked) {
            for policy in asked.members() {
                let names = asked.paths().iter().map(|path| path.join("."));
                let new: Vec<String> = names.filter(|name| !fields[*policy].contains(name)).collect();
                fields[*policy].extend(new);
            }
        }
        let reason = |at: usize| {
            let policy = &plan.policies[at];
            if plan.full_scan {
                "facts are not asked"
            } else if plan.whole.contains(&at) {
                "every verdict is wanted"
            } else if !policy.header.needs.is_empty() {
                "its `when` names no text, and where inventory that it needs is missing, that must be told"
            } else {
                match &policy.script.predicate {
                    Some(predicate) if !predicate.is_unknown() => {
                        "no text is required, but facts are asked before Rhai is"
                    }
                    _ => "its `when` names no text, and nothing that is understood of its script requires one",
                }
            }
        };
        let route = |(at, fields): (usize, Vec<String>)| {
            if fields.is_empty() { Route::Every(reason(at)) } else { Route::Fields(fields) }
        };
        fields.into_iter().enumerate().map(route).collect()
    }
}

impl Group {
    /// Whether its `when` admits an event, if these fields tell.
    fn admits(&self, fields: &Fields<'_>) -> Option<bool> {
        let mut is_known = true;
        for (condition, field) in self.when.conditions.iter().zip(&self.fields) {
            let any_of = |wanted: Option<&str>| condition.any_of.iter().any(|value| value.as_deref() == wanted);
            let holds = match field.map(|field| fields.get(field)) {
                Some(Field::Absent | Field::Null) => any_of(None),
                Some(Field::Bool(flag)) => any_of(Some(word(flag))),
                Some(Field::Text(text)) => any_of(Some(text)),
                Some(Field::Part(_)) => false,
                Some(Field::Other) | None => {
                    is_known = false;
                    true
                }
            };
            if !holds {
                return Some(false);
            }
        }
        is_known.then_some(true)
    }
}

fn word(flag: bool) -> &'static str {
    if flag { "true" } else { "false" }
}

/// What a field of a record is looked up by.
enum Key<'a> {
    Absent,
    Text(&'a str),
    /// It has several spellings, or is not known.
    Any,
    /// No text is equal to it.
    None,
}

impl Keyed {
    fn new(path: &[String]) -> Self {
        Self { path: path.to_vec(), field: None, by_text: HashMap::default(), absent: Vec::new() }
    }

    /// What is found by it; some several times.
    fn members(&self) -> impl Iterator<Item = usize> {
        self.by_text.values().flatten().chain(&self.absent).copied()
    }

    fn of<'a>(&self, record: Ref<'a>) -> Key<'a> {
        let value = self.path.iter().try_fold(record, |value, name| value.get(name));
        let Some(value) = value.filter(|value| !value.is_null()) else { return Key::Absent };
        match (value.as_str(), value.as_bool(), value.as_f64()) {
            (Some(text), ..) => Key::Text(text),
            (_, Some(flag), _) => Key::Text(word(flag)),
            (.., Some(_)) => Key::Any,
            _ => Key::None,
        }
    }

    fn skimmed<'a>(&self, fields: &Fields<'a>) -> Key<'a> {
        match self.field.map(|field| fields.get(field)) {
            Some(Field::Absent | Field::Null) => Key::Absent,
            Some(Field::Bool(flag)) => Key::Text(word(flag)),
            Some(Field::Text(text)) => Key::Text(text),
            Some(Field::Part(_)) => Key::None,
            Some(Field::Other) | None => Key::Any,
        }
    }

    fn find(&self, key: Key<'_>, into: &mut Vec<usize>) {
        match key {
            Key::Absent => into.extend(&self.absent),
            Key::Text(text) => into.extend(self.by_text.get(text).into_iter().flatten()),
            Key::Any => {
                let start = into.len();
                #[expect(clippy::iter_over_hash_type, reason = "put in order below")]
                for list in self.by_text.values() {
                    into.extend(list);
                }
                into.extend(&self.absent);
                into[start..].sort_unstable();
                let mut kept = start;
                for at in start..into.len() {
                    if at == start || into[at] != into[kept - 1] {
                        into[kept] = into[at];
                        kept += 1;
                    }
                }
                into.truncate(kept);
            }
            Key::None => {}
        }
    }
}

impl Routes {
    /// Finds groups by the condition that tells most of them apart.
    fn new(of_kind: &[usize], groups: &[Group], plan: &Plan<'_>) -> Self {
        let mut texts: HashMap<&[String], BTreeSet<Option<&str>>> = HashMap::new();
        for condition in of_kind.iter().flat_map(|group| &groups[*group].when.conditions) {
            texts.entry(&condition.path).or_default().extend(condition.any_of.iter().map(Option::as_deref));
        }
        let mut routes = Self::default();
        let mut keyed: BTreeMap<Vec<String>, Keyed> = BTreeMap::new();
        for group in of_kind {
            let usable = |condition: &&Condition| {
                !plan.full_scan && condition.any_of.len() <= MOST_TEXTS && Wanted::can_read(&condition.path)
            };
            let conditions = groups[*group].when.conditions.iter().filter(usable);
            let Some(best) = conditions.max_by_key(|condition| texts[&*condition.path].len()) else {
                routes.every.push(*group);
                continue;
            };
            let keyed = keyed.entry(best.path.clone()).or_insert_with_key(|path| Keyed::new(path));
            for value in &best.any_of {
                match value {
                    Some(text) => keyed.by_text.entry(text.as_str().into()).or_default().push(*group),
                    None => keyed.absent.push(*group),
                }
            }
        }
        routes.keyed = keyed.into_values().collect();
        routes
    }
}

/// The fields of events that have to be read: those that groups and policies are found by, those of every `when`, and
/// those that tell whether policies that are asked of many events can be excluded. The name of a call makes few of it.
fn note_paths(routes: &Routes, of_kind: &[usize], groups: &[Group], plan: &Plan<'_>, paths: &mut Vec<Vec<String>>) {
    for group in of_kind {
        paths.extend(groups[*group].when.conditions.iter().map(|condition| condition.path.clone()));
        paths.extend(groups[*group].asked.iter().flat_map(Asked::paths).filter(|path| !path.is_empty()).cloned());
    }
    let mut more = BTreeSet::new();
    let by_name = |keyed: &&Keyed| keyed.path != ["eventName"];
    let of_many = routes.keyed.iter().filter(by_name).flat_map(Keyed::members).collect::<BTreeSet<usize>>();
    for group in routes.every.iter().copied().chain(of_many) {
        let group = &groups[group];
        let members = group.every.iter().chain(group.asked.iter().flat_map(Asked::members)).copied();
        for at in members.filter(|at| plan.is_proved(*at)) {
            more.extend(plan.policies[at].script.predicate.iter().flat_map(|predicate| predicate.paths()).cloned());
        }
    }
    paths.extend(more.into_iter().filter(|path| !path.is_empty()).take(MOST_FIELDS));
}

fn wanted(paths: &[Vec<String>]) -> Wanted {
    let paths: Vec<Vec<&str>> = paths.iter().map(|path| path.iter().map(String::as_str).collect()).collect();
    Wanted::new(paths.iter().map(Vec::as_slice))
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::policy::{Checked, Overrides, Pack};
    use crate::record::{Document, Node, Origin, Scope};
    use crate::script::{Limits, Verdict};

    /// Policies with every kind of `when`, and scripts that require something and nothing.
    const POLICIES: &[(&str, &str)] = &[
        ("", "true"),
        ("", "event.eventName == \"A\""),
        ("", "event.errorCode in [\"B\", \"s\"]"),
        ("", "event.eventName == \"A\" || event.errorCode == \"t\""),
        ("when: { eventName: A }", "true"),
        ("when: { eventName: A }", "event.errorCode == \"C\""),
        ("when: { eventName: [A, B] }", "true"),
        ("when: { eventName: [A, null] }", "true"),
        ("when: { eventName: null }", "true"),
        ("when: { eventSource: s }", "true"),
        ("when: { eventSource: [s, t], eventName: B }", "true"),
        ("when: { eventSource: [s, null], eventName: [C, null] }", "true"),
        ("when: { eventName: 12, errorCode: null }", "true"),
        ("when: { eventName: true }", "true"),
        ("when: { eventName: [12.0, 18446744073709551615], eventSource: 1.5 }", "true"),
        ("needs: [ec2/flow-logs]", "event.eventName == \"A\""),
        ("", "event.errorCode in [\"B\", \"s\", \"B\"]"),
        ("when: { eventName: [A, B] }", "event.errorCode == \"s\" || event.errorCode in [\"s\", \"s\"]"),
        ("", "error_code(event) == \"B\" || event.eventName.starts_with(\"A\")"),
        ("", "error_code(event) in [\"s\", \"t\"] && event.eventName.contains(\"A\")"),
        ("", "(event.errorCode ?? \"none\") == \"none\" && event.eventSource != \"s\""),
        ("", "(event.errorCode ?? \"none\") == \"C\" || glob(event.eventSource, \"*s*\")"),
        ("", "event.errorCode != () && event.eventSource != \"s\""),
    ];

    static BATTERY: LazyLock<Checked> = LazyLock::new(|| {
        let mut all = Checked::default();
        for (at, (head, matches)) in POLICIES.iter().enumerate() {
            let text = format!(
                "//! ---\n//! title: T\n//! severity: low\n//! judges: cloudtrail\n//! {head}\n//! ---\nfn matches(event) {{ {matches} }}\n"
            );
            all.join(
                Pack::from_text(&format!("p{at}"), &text)
                    .check(&Overrides::of_invented_events(), &Limits::default())
                    .unwrap(),
            );
        }
        all
    });

    fn plan(packs: &Checked, whole: &[usize], full_scan: bool) -> Index {
        let whole = whole.iter().copied().collect();
        Index::new(&Plan { policies: packs.policies(), whole, full_scan, paths: Vec::new() })
    }

    fn record(members: serde_json::Map<String, Value>) -> Record {
        let value = Node::from(Document::from(&Value::Object(members)));
        Record {
            kind: CLOUDTRAIL.into(),
            id: None,
            time: None,
            scope: Scope::default(),
            value,
            origin: Origin::default(),
        }
    }

    fn value() -> impl Strategy<Value = Option<Value>> {
        let values = [
            json!("A"),
            json!(format!("A{}", "x".repeat(2_000))),
            json!("B"),
            json!("C"),
            json!("s"),
            json!("t"),
            json!("12"),
            json!(12),
            json!(true),
            json!("true"),
            json!(null),
            json!({}),
            json!(["A"]),
            json!(1.5),
        ];
        prop_oneof![Just(None), proptest::sample::select(values.to_vec()).prop_map(Some)]
    }

    proptest! {
        #[test]
        fn a_policy_is_left_out_only_where_it_stays_silent(
            events in proptest::collection::vec((value(), value(), value()), 1..20),
        ) {
            let packs = &*BATTERY;
            let (index, full) = (plan(packs, &[], false), plan(packs, &[], true));
            for (name, source, code) in events {
                let mut members = serde_json::Map::new();
                for (key, value) in [("eventName", name), ("eventSource", source), ("errorCode", code)] {
                    members.extend(value.map(|value| (key.to_owned(), value)));
                }
                let record = record(members);
                let (mut selected, mut all) = (Selected::default(), Selected::default());
                index.select(&record, &mut selected);
                full.select(&record, &mut all);
                prop_assert_eq!(&selected.groups, &all.groups, "{:?}", record.value);
                prop_assert!(selected.policies.is_sorted_by(|a, b| a < b), "twice: {:?}", selected.policies);
                for (at, policy) in packs.policies().iter().enumerate() {
                    let is_admitted = policy.header.when.admits(record.value.view());
                    prop_assert_eq!(selected.groups.contains(&index.group_of(at)), is_admitted);
                    prop_assert_eq!(all.policies.contains(&at), is_admitted);
                    let facts = policy.script.predicate.as_ref().map(|facts| facts.ask(&record.value.view()));
                    let is_whole = !policy.header.needs.is_empty();
                    if is_admitted && (is_whole || facts == Some(Verdict::True)) {
                        prop_assert!(selected.policies.contains(&at), "p{} is left out of {:?}", at, record.value);
                    }
                }
            }
        }
    }

    #[test]
    fn what_several_scripts_ask_first_is_asked_once() {
        let mut packs = Checked::default();
        for (at, matches) in [
            "regex(event.errorCode, \"B.*\") && event.eventName != \"A\"",
            "regex(event.errorCode, \"B.*\") && event.eventSource != \"s\"",
            "event.eventName != \"A\" && regex(event.errorCode, \"B.*\")",
            "regex(event.eventName, \"B.*\") && event.eventSource != \"s\"",
            "event.errorCode.len() > 1 && event.eventName != \"A\"",
            "event.errorCode.len() > 1 && event.eventName != \"B\"",
        ]
        .iter()
        .enumerate()
        {
            let text = format!(
                "//! ---\n//! title: T\n//! severity: low\n//! judges: cloudtrail\n//! ---\nfn matches(event) {{ {matches} }}\n"
            );
            let pack = Pack::from_text(&format!("p{at}"), &text);
            packs.join(pack.check(&Overrides::of_invented_events(), &Limits::default()).unwrap());
        }
        let index = plan(&packs, &[], false);
        let [first, .., unknown] = index.openings[..] else { panic!("{:?}", index.openings) };
        assert_eq!(
            index.openings,
            [first, first, None, None, unknown, unknown],
            "what is asked, and of which field, counts"
        );
        assert!(first.is_some() && unknown.is_some() && first != unknown);
        let of = |code: &str, name: &str| {
            let members = [("errorCode", code), ("eventName", name)];
            record(members.map(|(key, value)| (key.to_owned(), value.into())).into_iter().collect())
        };
        for (code, name) in [("B1", "A"), ("B1", "B"), ("C", "A"), ("", "B")] {
            let event = of(code, name);
            let (view, mut openings) = (event.value.view(), Vec::new());
            for at in [1, 0, 3, 5, 4, 2] {
                let predicate = packs.policies()[at].script.predicate.as_ref().unwrap();
                assert_eq!(
                    index.ask(at, predicate, &view, &mut openings),
                    predicate.ask(&view),
                    "p{at} of {code}, {name}"
                );
            }
        }
        // A false answer is taken for all who ask.
        let predicate = packs.policies()[0].script.predicate.as_ref().unwrap();
        let event = of("B", "B");
        let mut openings = vec![Some(Verdict::False); 2];
        assert_eq!(predicate.ask(&event.value.view()), Verdict::True);
        assert_eq!(index.ask(0, predicate, &event.value.view(), &mut openings), Verdict::False);
    }

    #[test]
    fn a_policy_is_found_by_the_texts_that_it_names() {
        let packs = &*BATTERY;
        let select = |index: &Index, name: &str| {
            let mut selected = Selected::default();
            index.select(&record([("eventName".to_owned(), name.into())].into_iter().collect()), &mut selected);
            selected.policies
        };
        let index = plan(packs, &[], false);
        assert_eq!(select(&index, "B"), [0, 6, 15, 20], "`t` and `C` are not here");
        assert_eq!(select(&plan(packs, &[1], false), "B"), [0, 1, 6, 15, 20], "what must be seen is asked");
        let mut selected = Selected::default();
        index.select(&record([("errorCode".to_owned(), "B".into())].into_iter().collect()), &mut selected);
        assert!(selected.policies.contains(&22), "something is there: {:?}", selected.policies);
        let routes = index.routes(&Plan {
            policies: packs.policies(),
            whole: BTreeSet::new(),
            full_scan: false,
            paths: Vec::new(),
        });
        let by = |at: usize| match &routes[at] {
            Route::Fields(fields) => fields.join(", "),
            Route::Every(reason) => (*reason).to_owned(),
        };
        assert_eq!([by(1), by(2), by(4), by(5)], ["eventName", "errorCode", "eventName", "eventName, errorCode"]);
        assert_eq!(by(3), "eventName, errorCode", "by any of them");
        assert!(by(0).contains("facts are asked"), "{routes:?}");
        assert!(by(15).contains("must be told"), "{routes:?}");
    }
}
