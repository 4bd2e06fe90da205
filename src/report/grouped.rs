//! Puts the findings of a group together, the worst group first, in bounded memory.
//!
//! A group is what findings of one policy call so. The worst of a group is shown, the next few in a line each, the others
//! are counted. Groups are in the order of their worst, then of the input. Findings are gone through twice: to see which
//! are shown and where, and to put those into words; what is shown is then sorted by place.

use std::collections::BinaryHeap;
use std::io;
use std::sync::Arc;

use crate::engine::Findings;
use crate::error::Error;
use crate::finding::{Finding, Severity};
use crate::spill::{Merge, Sorted, Sorter, damaged};

/// Findings of a group that are shown beside the first.
const MORE: usize = 3;

/// How findings are put into words.
pub(super) trait Words {
    /// The worst finding of a group.
    fn worst(&self, finding: &Finding) -> String;
    /// One of the next, and whether it is the first of them.
    fn other(&self, finding: &Finding, is_first: bool) -> String;
    /// The end of a group, of which so many more findings are not shown.
    fn end(&self, more: u64) -> String;
}

/// What is not told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Left {
    pub(super) groups: u64,
    pub(super) findings: u64,
}

/// Gives all groups in words.
pub(super) fn write(
    findings: &Findings,
    words: &dyn Words,
    give: &mut dyn FnMut(&str) -> io::Result<()>,
) -> io::Result<()> {
    write_worst(findings, usize::MAX, words, give).map(|_| ())
}

/// Gives the `most` worst groups in words, and says how much there is beside them.
pub(super) fn write_worst(
    findings: &Findings,
    most: usize,
    words: &dyn Words,
    give: &mut dyn FnMut(&str) -> io::Result<()>,
) -> io::Result<Left> {
    let (shown, left) = choose(findings, most).map_err(io::Error::other)?;
    let told = tell(findings, &shown, words).map_err(io::Error::other)?;
    drop(shown);
    let mut merge = told.read().map_err(io::Error::other)?;
    let mut more = None;
    while let Some((key, payload)) = merge.advance().map_err(io::Error::other)? {
        let (rest, text) = payload.split_at_checked(8).ok_or_else(damaged).map_err(io::Error::other)?;
        if key.last() == Some(&0)
            && let Some(more) = more.replace(u64::from_be_bytes(eight(rest).map_err(io::Error::other)?))
        {
            give(&words.end(more))?;
        }
        give(std::str::from_utf8(text).map_err(|_| io::Error::other(damaged()))?)?;
    }
    more.map_or(Ok(()), |more| give(&words.end(more)))?;
    Ok(left)
}

fn eight(bytes: &[u8]) -> Result<[u8; 8], Error> {
    bytes.try_into().map_err(|_| damaged())
}

/// Severity from the worst, and an ordinal: the place of a group, or of a finding in one.
type Rank = [u8; 9];

fn rank(severity: Severity, ordinal: u64) -> Rank {
    let mut rank = [0; 9];
    rank[0] = !(severity as u8);
    rank[1..].copy_from_slice(&ordinal.to_be_bytes());
    rank
}

/// The findings that are shown, by their ordinals, and where: the rank of the group, the place in it, and how many of the
/// group are not shown; and what is of none of the `most` worst groups.
fn choose(findings: &Findings, most: usize) -> Result<(Sorted, Left), Error> {
    let mut sorter = Sorter::<1>::new(&Arc::default(), findings.memory());
    let mut key = Vec::new();
    let mut ordinal = 0;
    findings.each(&mut |finding| {
        let head = finding.head()?;
        key.clear();
        for part in [head.pack, head.policy, &*head.group] {
            key.extend_from_slice(&(part.len() as u64).to_be_bytes());
            key.extend_from_slice(part.as_bytes());
        }
        key.extend_from_slice(&rank(head.severity, ordinal));
        ordinal += 1;
        sorter.push(0, &key, &[])?;
        Ok(true)
    })?;
    let [grouped] = Sorter::sorted(vec![sorter])?;
    let worst = Worst::of(&grouped, most)?;
    let mut left = Left { groups: 0, findings: 0 };
    let mut shown = Sorter::new(&Arc::default(), findings.memory());
    let mut give = |group: &Group| {
        if worst.has(group) {
            return group.show(&mut shown);
        }
        left.groups += 1;
        left.findings += group.len;
        Ok(())
    };
    each_group(&grouped, &mut give)?;
    let [shown] = Sorter::sorted(vec![shown])?;
    Ok((shown, left))
}

/// Gives the groups one by one.
fn each_group(grouped: &Sorted, give: &mut dyn FnMut(&Group) -> Result<(), Error>) -> Result<(), Error> {
    let mut merge = grouped.read()?;
    let mut group: Option<Group> = None;
    while let Some((key, _)) = merge.advance()? {
        let (name, rank) = key.split_last_chunk::<9>().ok_or_else(damaged)?;
        match &mut group {
            Some(group) if group.name == name => group.add(*rank)?,
            _ => {
                if let Some(group) = group.replace(Group::new(name, *rank)?) {
                    give(&group)?;
                }
            }
        }
    }
    group.map_or(Ok(()), |group| give(&group))
}

/// The ranks of the worst groups.
struct Worst {
    /// The last of them; `None` if all are.
    last: Option<Rank>,
}

impl Worst {
    fn of(grouped: &Sorted, most: usize) -> Result<Self, Error> {
        if most == usize::MAX {
            return Ok(Self { last: None });
        }
        let mut ranks = BinaryHeap::new();
        each_group(grouped, &mut |group| {
            ranks.push(group.rank());
            if ranks.len() > most {
                ranks.pop();
            }
            Ok(())
        })?;
        Ok(Self { last: ranks.peek().copied() })
    }

    fn has(&self, group: &Group) -> bool {
        self.last.is_none_or(|last| group.rank() <= last)
    }
}

/// A group while its findings are gone through, the worst first.
struct Group {
    name: Vec<u8>,
    /// The first few.
    ranks: Vec<Rank>,
    len: u64,
    /// The ordinal of the first of them in the input.
    first: u64,
}

impl Group {
    fn new(name: &[u8], rank: Rank) -> Result<Self, Error> {
        let mut group = Self { name: name.to_vec(), ranks: Vec::new(), len: 0, first: u64::MAX };
        group.add(rank)?;
        Ok(group)
    }

    fn add(&mut self, rank: Rank) -> Result<(), Error> {
        if self.ranks.len() <= MORE {
            self.ranks.push(rank);
        }
        self.len += 1;
        self.first = self.first.min(u64::from_be_bytes(eight(&rank[1..])?));
        Ok(())
    }

    /// Its place among the groups.
    fn rank(&self) -> Rank {
        let mut rank = self.ranks[0];
        rank[1..].copy_from_slice(&self.first.to_be_bytes());
        rank
    }

    fn show(&self, shown: &mut Sorter<1>) -> Result<(), Error> {
        let more = self.len - self.ranks.len() as u64;
        for (at, rank) in self.ranks.iter().enumerate() {
            let place = [&self.rank()[..], &[at as u8], &more.to_be_bytes()].concat();
            shown.push(0, &rank[1..], &place)?;
        }
        Ok(())
    }
}

/// Where a finding is shown.
struct Shown {
    /// Of the finding.
    ordinal: [u8; 8],
    /// The rank of the group, and the place in it.
    place: [u8; 10],
    /// How many of the group are not shown.
    more: [u8; 8],
}

impl Shown {
    fn next(merge: &mut Merge<'_>) -> Result<Option<Self>, Error> {
        let Some((ordinal, shown)) = merge.advance()? else { return Ok(None) };
        let (place, more) = shown.split_first_chunk().ok_or_else(damaged)?;
        Ok(Some(Self { ordinal: eight(ordinal)?, place: *place, more: eight(more)? }))
    }
}

/// What is shown, in words and in its place.
fn tell(findings: &Findings, shown: &Sorted, words: &dyn Words) -> Result<Sorted, Error> {
    let mut sorter = Sorter::<1>::new(&Arc::default(), findings.memory());
    let mut shown = shown.read()?;
    let mut next = Shown::next(&mut shown)?;
    let mut ordinal = 0_u64;
    findings.each(&mut |finding| {
        let of = ordinal.to_be_bytes();
        ordinal += 1;
        if let Some(place) = next.take_if(|next| next.ordinal == of) {
            let finding = finding.read()?;
            let text = match place.place.last() {
                Some(0) => words.worst(&finding),
                at => words.other(&finding, at == Some(&1)),
            };
            sorter.push(0, &place.place, &[&place.more, text.as_bytes()].concat())?;
            next = Shown::next(&mut shown)?;
        }
        Ok(next.is_some())
    })?;
    let [told] = Sorter::sorted(vec![sorter])?;
    Ok(told)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::engine::{Request, judge};
    use crate::input;
    use crate::inventory::Inventory;
    use crate::policy::{Overrides, Pack};
    use crate::script::Limits;

    const POLICY: &str = r#"//! ---
//! title: T
//! severity: low
//! judges: cloudtrail
//! ---
fn matches(event) { true }
fn group(event) { event.group }
fn severity(event) { event.severity }
"#;

    struct Ids;

    impl Words for Ids {
        fn worst(&self, finding: &Finding) -> String {
            format!("{}:", id(finding))
        }
        fn other(&self, finding: &Finding, is_first: bool) -> String {
            format!("{} {}", if is_first { "" } else { "," }, id(finding))
        }
        fn end(&self, more: u64) -> String {
            format!(" +{more}\n")
        }
    }

    fn id(finding: &Finding) -> String {
        finding.record.id.as_deref().unwrap_or_default().to_owned()
    }

    /// The same in memory, as it can be read off the head of this file.
    fn in_memory(findings: &[Finding]) -> String {
        let mut places: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        let mut groups: Vec<Vec<&Finding>> = Vec::new();
        for finding in findings {
            let at = *places.entry((&*finding.policy, finding.group.as_str())).or_insert(groups.len());
            match groups.get_mut(at) {
                Some(group) => group.push(finding),
                None => groups.push(vec![finding]),
            }
        }
        for group in &mut groups {
            group.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        }
        groups.sort_by_key(|group| std::cmp::Reverse(group[0].severity));
        let mut out = String::new();
        for group in groups {
            out += &Ids.worst(group[0]);
            for (at, finding) in group[1..].iter().take(MORE).enumerate() {
                out += &Ids.other(finding, at == 0);
            }
            out += &Ids.end((group.len() as u64 - 1).saturating_sub(MORE as u64));
        }
        out
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        /// Exactly what grouping in memory gives, whatever the memory; `()` is the default group of the policy.
        #[test]
        fn groups_are_in_order(
            events in proptest::collection::vec((0_usize..2, 0_usize..7, 0_usize..5), 0..60),
            memory in 0_usize..20_000,
        ) {
            let mut packs = Pack::from_text("p", POLICY).check(&Overrides::of_invented_events(), &Limits::default()).unwrap();
            packs.join(Pack::from_text("q", POLICY).check(&Overrides::of_invented_events(), &Limits::default()).unwrap());
            let groups = ["null", r#""g""#, r#""p ""#, r#""q ""#, r#""""#, r#""gg""#, r#""\u0000""#];
            let lines: Vec<String> = events
                .iter()
                .enumerate()
                .map(|(at, (twice, group, severity))| {
                    format!(
                        r#"{{"eventVersion":"1","eventSource":"s","eventName":"n","eventID":"{}","group":{},"severity":"{}"}}"#,
                        at * twice, groups[*group], Severity::ALL[*severity].word()
                    )
                })
                .collect();
            let (records, _) = input::events("log", lines.join("\n").into_bytes());
            let mut request = Request::new(std::iter::empty::<&str>());
            request.memory = memory;
            let outcome = judge(&packs, &records, Inventory::default(), &request).unwrap();
            let mut out = String::new();
            write(&outcome.findings, &Ids, &mut |text| { out += text; Ok(()) }).unwrap();
            let whole = in_memory(&outcome.findings.to_vec().unwrap());
            prop_assert_eq!(&out, &whole);
            // Of the worst so many, as they stand in the whole, and of the rest its size.
            for most in [1, 3] {
                let mut out = String::new();
                let left = write_worst(&outcome.findings, most, &Ids, &mut |text| { out += text; Ok(()) }).unwrap();
                let lines: Vec<&str> = whole.lines().collect();
                let (told, untold) = lines.split_at(lines.len().min(most));
                prop_assert_eq!(out.lines().collect::<Vec<_>>(), told);
                let len = |line: &&str| {
                    let (ids, more) = line.rsplit_once(" +").unwrap();
                    1 + ids.split_once(':').unwrap().1.split_whitespace().filter(|word| *word != ",").count() as u64 + more.parse::<u64>().unwrap()
                };
                let findings = untold.iter().map(len).sum();
                prop_assert_eq!(left, Left { groups: untold.len() as u64, findings });
            }
        }
    }
}
