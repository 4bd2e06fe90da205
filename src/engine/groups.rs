//! Counts what is told in groups: records that could not be judged, and faults.
//!
//! Reasons, accounts and regions may come from hostile records, so there may be as many groups as records. While scanning,
//! groups are counted in little memory and handed on to be sorted; at the end those that are equal are put together, and
//! [`rows`] lists so many of them, for each stage and policy the first in the order of the input, and counts the rest in
//! one row. Counts are exact, and what is listed does not depend on the number of threads.

use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::place::{Map, Place};
use super::stored::{put, take};
use crate::error::Error;
use crate::fault::{Fault, Stage};
use crate::record::{Origin, Scope};
use crate::spill::Sorted;

/// Groups that are listed, in all.
pub(super) const MOST: usize = 4_096;

/// Bytes of the text of a group that is listed. Reasons have some hundreds; no account or region has as many.
const MOST_TEXT: usize = 4_096;

/// What a group is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Subject {
    /// A policy, by its place, could not judge.
    NotEvaluated(u32),
    /// Bytes could not be read as records.
    Input,
    /// An inventory document could not be placed.
    Inventory,
    /// A waiver could not be read.
    Waiver,
    /// The policy of this pack and id failed.
    Policy(Arc<str>, Arc<str>),
}

/// What is told together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Key<'a> {
    subject: Subject,
    reason: &'a str,
    /// Of faults but those of policies.
    file: &'a str,
    /// Of records that could not be judged.
    account: Option<&'a str>,
    region: Option<&'a str>,
}

/// How many there are of something, and the first three.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Group {
    count: u64,
    first: Vec<(Place, Arc<str>, u64, Option<u64>)>,
}

impl Group {
    fn add(&mut self, count: u64, first: impl IntoIterator<Item = (Place, Arc<str>, u64, Option<u64>)>) {
        self.count += count;
        for one in first {
            if self.first.get(2).is_none_or(|third| one < *third) {
                self.first.push(one);
                self.first.sort();
                self.first.truncate(3);
            }
        }
    }

    /// Where the group begins.
    fn place(&self) -> Place {
        self.first.first().map_or(Place::LAST, |(place, ..)| *place)
    }
}

/// Takes the key and the payload of a group.
type Give<'a> = &'a mut dyn FnMut(&[u8], &[u8]) -> Result<(), Error>;

/// The groups of one thread since the last time that they were handed on.
#[derive(Debug, Default)]
pub(super) struct Groups {
    held: BTreeMap<Vec<u8>, Group>,
    bytes: usize,
    key: Vec<u8>,
}

impl Groups {
    /// Counts a record that a policy could not judge, or what there may be in a scope.
    pub(super) fn not_evaluated(
        &mut self,
        policy: u32,
        reason: &str,
        scope: &Scope,
        first: Option<(Place, &Origin)>,
    ) -> Result<(), Error> {
        let (account, region) = (scope.account.as_deref(), scope.region.as_deref());
        self.add(&Key { subject: Subject::NotEvaluated(policy), reason, file: "", account, region }, 1, first)
    }

    /// Counts a fault.
    pub(super) fn fault(&mut self, at: Place, fault: &Fault) -> Result<(), Error> {
        // Faults of a policy are counted together, those of input by file.
        let (subject, file) = match &fault.stage {
            Stage::Input => (Subject::Input, &*fault.origin.file),
            Stage::Inventory => (Subject::Inventory, &*fault.origin.file),
            Stage::Waiver => (Subject::Waiver, &*fault.origin.file),
            Stage::Policy { pack, id } => (Subject::Policy(Arc::clone(pack), Arc::clone(id)), ""),
        };
        let key = Key { subject, reason: &fault.reason, file, account: None, region: None };
        self.add(&key, fault.count, Some((at, &fault.origin)))
    }

    fn add(&mut self, key: &Key<'_>, count: u64, first: Option<(Place, &Origin)>) -> Result<(), Error> {
        self.key.clear();
        put(key, &mut self.key)?;
        if !self.held.contains_key(&self.key) {
            self.bytes += self.key.len() + 512;
            self.held.insert(self.key.clone(), Group::default());
        }
        if let Some(group) = self.held.get_mut(&self.key) {
            group.add(count, first.map(|(place, at)| (place, Arc::clone(&at.file), at.position, at.line)));
        }
        Ok(())
    }

    /// About as many bytes as are held.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Hands all groups on, as key and payload.
    pub(super) fn drain(&mut self, give: Give<'_>) -> Result<(), Error> {
        self.bytes = 0;
        for (key, group) in std::mem::take(&mut self.held) {
            let mut payload = Vec::new();
            put(&group, &mut payload)?;
            give(&key, &payload)?;
        }
        Ok(())
    }
}

/// A group that is told.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) subject: Subject,
    pub(super) reason: String,
    pub(super) scope: Scope,
    pub(super) count: u64,
    /// The first three.
    pub(super) origins: Vec<Origin>,
}

/// The groups of a subject that are not listed.
#[derive(Default)]
struct Rest {
    groups: u64,
    all: Group,
}

/// The groups to tell, at most about `most`, by subject, reason, file and scope; what a subject has beyond them is its
/// last.
pub(super) fn rows(sorted: &Sorted, map: &Map, most: usize) -> Result<Vec<Row>, Error> {
    let mut subjects: BTreeMap<Subject, u64> = BTreeMap::new();
    each(sorted, &mut |key, _| {
        let (subject, _): (Subject, _) = take(key)?;
        *subjects.entry(subject).or_default() += u64::from(key.len() <= MOST_TEXT);
        Ok(())
    })?;
    let share = share(&subjects.values().copied().collect::<Vec<_>>(), most);
    // Of each subject the first groups in the order of the input; the last of them is at the head.
    let mut listed: BTreeMap<Subject, BinaryHeap<Listed>> = BTreeMap::new();
    let mut rests: BTreeMap<Subject, Rest> = BTreeMap::new();
    each(sorted, &mut |key, group| {
        let (subject, _): (Subject, _) = take(key)?;
        let heap = listed.entry(subject.clone()).or_default();
        let fits = key.len() <= MOST_TEXT;
        let last = Listed { place: group.place(), key: if fits { key.to_vec() } else { Vec::new() }, group };
        let left_over = if fits {
            heap.push(last);
            if heap.len() > share { heap.pop() } else { None }
        } else {
            Some(last)
        };
        if let Some(Listed { group, .. }) = left_over {
            let rest = rests.entry(subject).or_default();
            rest.groups += 1;
            rest.all.add(group.count, group.first);
        }
        Ok(())
    })?;
    let mut rows = Vec::new();
    for (subject, heap) in listed {
        let mut groups: Vec<(Key<'_>, &Group)> = Vec::with_capacity(heap.len());
        for listed in &heap {
            groups.push((take(&listed.key)?.0, &listed.group));
        }
        groups.sort_by(|(a, _), (b, _)| a.cmp(b));
        rows.extend(groups.into_iter().map(|(key, group)| {
            let scope = Scope { account: key.account.map(Arc::from), region: key.region.map(Arc::from) };
            row(map, key.subject, key.reason.to_owned(), scope, group)
        }));
        if let Some(rest) = rests.remove(&subject) {
            let s = if rest.groups == 1 { "" } else { "s" };
            let reason = match subject {
                Subject::NotEvaluated(_) => {
                    format!("{} more reason{s}, account{s} or region{s}, too many to list", rest.groups)
                }
                _ => format!("{} more reason{s}, too many to list", rest.groups),
            };
            rows.push(row(map, subject, reason, Scope::default(), &rest.all));
        }
    }
    Ok(rows)
}

fn row(map: &Map, subject: Subject, reason: String, scope: Scope, group: &Group) -> Row {
    let origin = |(place, file, position, line): &(Place, Arc<str>, u64, Option<u64>)| {
        map.complete(*place, Origin { file: Arc::clone(file), position: *position, line: *line })
    };
    Row { subject, reason, scope, count: group.count, origins: group.first.iter().map(origin).collect() }
}

/// A group by where it begins; those that begin at the same place by what they are.
struct Listed {
    place: Place,
    key: Vec<u8>,
    group: Group,
}

impl Ord for Listed {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.place, &self.key).cmp(&(other.place, &other.key))
    }
}

impl PartialOrd for Listed {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Listed {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Listed {}

/// Takes a group.
type Take<'a> = &'a mut dyn FnMut(&[u8], Group) -> Result<(), Error>;

/// Gives every group once.
fn each(sorted: &Sorted, give: Take<'_>) -> Result<(), Error> {
    let mut merge = sorted.read()?;
    let mut held: Option<(Vec<u8>, Group)> = None;
    while let Some((key, payload)) = merge.advance()? {
        let (part, _): (Group, _) = take(payload)?;
        match &mut held {
            Some((known, group)) if known == key => group.add(part.count, part.first),
            _ => {
                if let Some((known, group)) = held.replace((key.to_vec(), part)) {
                    give(&known, group)?;
                }
            }
        }
    }
    held.map_or(Ok(()), |(known, group)| give(&known, group))
}

/// How many groups a subject may have so that there are about `most` in all: who has few leaves room for others.
fn share(counts: &[u64], most: usize) -> usize {
    let mut counts: Vec<usize> = counts.iter().map(|count| usize::try_from(*count).unwrap_or(usize::MAX)).collect();
    counts.sort_unstable();
    let mut room = most;
    for (at, count) in counts.iter().enumerate() {
        let share = room / (counts.len() - at);
        if *count > share {
            return share.max(1);
        }
        room -= count;
    }
    usize::MAX
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::spill::Sorter;

    #[derive(Clone, Debug)]
    struct Told {
        place: Place,
        policy: Option<u32>,
        reason: String,
        scope: Scope,
        count: u64,
    }

    fn fault(told: &Told) -> Fault {
        let position = told.place.position;
        let origin = Origin { file: format!("f{}", told.place.file).into(), position, line: Some(position) };
        Fault { count: told.count, ..Fault::input(told.reason.clone(), origin) }
    }

    /// The rows when two threads tell, and hand on what they hold every so often.
    fn told(all: &[Told], map: &Map, most: usize, memory: usize, every: usize) -> Vec<Row> {
        let scratch = Arc::default();
        let mut threads: Vec<(Groups, Sorter<1>)> =
            (0..2).map(|_| (Groups::default(), Sorter::new(&scratch, memory))).collect();
        for (at, told) in all.iter().enumerate() {
            let (groups, sorter) = &mut threads[at % 2];
            let fault = fault(told);
            match told.policy {
                Some(policy) => {
                    let first = Some((told.place, &fault.origin));
                    groups.not_evaluated(policy, &told.reason, &told.scope, first).unwrap();
                }
                None => groups.fault(told.place, &fault).unwrap(),
            }
            if at % every == 0 {
                groups.drain(&mut |key, payload| sorter.push(0, key, payload)).unwrap();
                assert_eq!(groups.bytes(), 0);
            }
        }
        let mut sorters = Vec::new();
        for (mut groups, mut sorter) in threads {
            groups.drain(&mut |key, payload| sorter.push(0, key, payload)).unwrap();
            sorters.push(sorter);
        }
        let [sorted] = Sorter::sorted(sorters).unwrap();
        rows(&sorted, map, most).unwrap()
    }

    fn all() -> impl Strategy<Value = Vec<Told>> {
        let one = (
            (0_u32..3, 0_u32..3, 1_u64..100),
            proptest::option::of(0_u32..3),
            0_u32..12,
            proptest::option::of("[ab]"),
            1_u64..4,
        );
        proptest::collection::vec(one, 0..200).prop_map(|all| {
            all.into_iter()
                .map(|((file, batch, position), policy, reason, account, count)| Told {
                    place: Place { file, batch, position, ..Place::default() },
                    policy,
                    reason: format!("reason {reason}"),
                    scope: Scope { account: account.map(Arc::from), region: None },
                    count: if policy.is_some() { 1 } else { count },
                })
                .collect()
        })
    }

    proptest! {
        /// All rows are exact when there is room for them; and when there is not, nothing is lost from the counts, and
        /// what is listed is the same for any memory, order and share of the work.
        #[test]
        fn rows_are_exact(mut all in all(), most in 1_usize..40, memory in 0_usize..2_000, every in 1_usize..50) {
            let map = Map::new(Vec::new(), vec![(0, 0, 100), (0, 1, 7), (1, 0, 3), (2, 2, 5)]);
            type What = (Option<u32>, String, Scope, String);
            let mut expected: BTreeMap<What, (u64, Vec<(Place, Origin)>)> = BTreeMap::new();
            for told in &all {
                let origin = fault(told).origin;
                let key = match told.policy {
                    Some(_) => (told.policy, told.reason.clone(), told.scope.clone(), String::new()),
                    None => (None, told.reason.clone(), Scope::default(), origin.file.to_string()),
                };
                let (count, first) = expected.entry(key).or_default();
                *count += told.count;
                first.push((told.place, origin));
                first.sort();
                first.truncate(3);
            }
            let whole = told(&all, &map, 10_000, memory, every);
            let subject = |policy: Option<u32>| policy.map_or(Subject::Input, Subject::NotEvaluated);
            let mut rows_of: Vec<Row> = expected
                .into_iter()
                .map(|((policy, reason, scope, _), (count, first))| Row {
                    subject: subject(policy),
                    reason,
                    scope,
                    count,
                    origins: first.into_iter().map(|(place, origin)| map.complete(place, origin)).collect(),
                })
                .collect();
            rows_of.sort_by(|a, b| a.subject.cmp(&b.subject));
            // Of one reason in several files the order is that of the files, which the map above has, too; of one reason in
            // several scopes that of the scopes.
            prop_assert_eq!(&whole, &rows_of);

            let some = told(&all, &map, most, memory, every);
            all.reverse();
            prop_assert_eq!(&told(&all, &map, most, 1 << 20, 1_000), &some);
            let subjects: std::collections::BTreeSet<&Subject> = whole.iter().map(|row| &row.subject).collect();
            prop_assert!(some.len() <= most.max(subjects.len()) + subjects.len());
            for subject in subjects {
                let count = |rows: &[Row]| rows.iter().filter(|row| row.subject == *subject).map(|row| row.count).sum::<u64>();
                prop_assert_eq!(count(&some), count(&whole));
            }
        }
    }

    #[test]
    fn who_has_few_groups_leaves_room_for_others() {
        assert_eq!(share(&[], 10), usize::MAX);
        assert_eq!(share(&[3, 7], 10), usize::MAX);
        assert_eq!(share(&[3, 8], 10), 7);
        assert_eq!(share(&[1_000, 1, 1_000], 11), 5);
        assert_eq!(share(&[5, 5, 5], 2), 1);
    }

    #[test]
    fn what_is_not_listed_is_counted_and_told() {
        let at = |position| Place { position, ..Place::default() };
        let mut all: Vec<Told> = (1..=10)
            .map(|position| Told {
                place: at(position),
                policy: Some(0),
                // The later in the input, the earlier in the alphabet.
                reason: format!("reason {}", 10 - position),
                scope: Scope::default(),
                count: 1,
            })
            .collect();
        all.push(Told { reason: "x".repeat(MOST_TEXT + 1), place: at(11), ..all[0].clone() });
        let rows = told(&all, &Map::default(), 3, 100, 2);
        let reasons: Vec<&str> = rows.iter().map(|row| row.reason.as_str()).collect();
        let rest = "8 more reasons, accounts or regions, too many to list";
        assert_eq!(reasons, ["reason 7", "reason 8", "reason 9", rest]);
        assert_eq!((rows[3].count, rows[3].origins[0].position), (8, 4));
    }
}
