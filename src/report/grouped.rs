//! Puts the findings of a group together, the worst group first, in bounded memory.
//!
//! A group is what findings of one policy call so; or the findings of one policy, resource, actor or account, if somebody asks
//! for that. The worst of a group is shown, and some of the next; all are counted. What is new is worse than what is reported
//! only, and that than what is waived or known; then severity decides. Groups are in the order of their worst, then of the
//! input. Findings are gone through twice: to see which are shown and where, and to put those into words; what is
//! shown is then sorted by place.
//!
//! *Law*: every finding is of one group: of those about several resources the first resource counts. So what groups count adds
//! up to the findings.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::engine::{Findings, Head};
use crate::error::Error;
use crate::fault::printable;
use crate::finding::{Enforcement, Finding, Severity, Standing};
use crate::principal::Who;
use crate::spill::{Merge, Sorted, Sorter, damaged};

/// What findings are shown together by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// Their policy.
    Policy,
    /// What they are about; of several resources the first.
    Resource,
    /// Who began the session, where that is known; else who made the call.
    Actor,
    /// Whose the record is.
    Account,
}

impl By {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Policy, Self::Resource, Self::Actor, Self::Account];

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Policy => "policy",
            Self::Resource => "resource",
            Self::Actor => "actor",
            Self::Account => "account",
        }
    }
}

/// How findings are shown together.
#[derive(Clone, Copy, Debug)]
pub(super) struct How {
    /// By what; `None` is what their policies say.
    pub(super) by: Option<By>,
    /// So many of a group are shown, at most; at least 1.
    pub(super) examples: usize,
    /// So many groups are shown, at most, the worst.
    pub(super) groups: usize,
}

/// What is of none of the groups that are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Left {
    pub(super) groups: u64,
    pub(super) findings: u64,
}

/// A group in numbers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct About {
    /// What its findings have alike, and what belongs to that, in the words of its worst; `None` for what has none.
    alike: Vec<Option<String>>,
    /// By severity, from the least.
    severities: [u64; Severity::ALL.len()],
    /// The time of the first of them, and of the last.
    span: Option<(i128, i128)>,
}

impl About {
    /// How many findings it has.
    pub(super) fn count(&self) -> u64 {
        self.severities.iter().sum()
    }

    /// How many of each severity, from the worst, but for those of which there is none.
    pub(super) fn severities(&self) -> impl Iterator<Item = (Severity, u64)> {
        Severity::ALL.into_iter().zip(self.severities).rev().filter(|(_, count)| *count > 0)
    }

    /// The times of the first and the last of them.
    pub(super) fn span(&self) -> Option<(Timestamp, Timestamp)> {
        let (first, last) = self.span?;
        Some((Timestamp::from_nanosecond(first).ok()?, Timestamp::from_nanosecond(last).ok()?))
    }

    /// What its findings have alike, such as the name of an actor; `None` if they have none, as those about resources.
    pub(super) fn value(&self) -> Option<&str> {
        self.alike.first()?.as_deref()
    }

    /// What its findings have alike, for people.
    pub(super) fn label(&self) -> String {
        let Some(value) = self.value() else { return "(none)".to_owned() };
        let more = self.alike[1..].iter().flatten().filter(|more| *more != value);
        let more: Vec<String> = more.map(|more| printable(more, 200)).collect();
        let value = printable(value, 300);
        if more.is_empty() { value } else { format!("{value} ({})", more.join(", ")) }
    }

    /// Since when and until when there were findings, for people, after what is given; nothing if that is not known.
    pub(super) fn seen(&self, after: &str) -> String {
        match self.span() {
            Some((first, last)) if first == last => format!("{after}at {first}"),
            Some((first, last)) => format!("{after}from {first} to {last}"),
            None => String::new(),
        }
    }

    fn add(&mut self, severity: Severity, span: Option<(i128, i128)>) {
        self.severities[severity as usize] += 1;
        self.reach(span);
    }

    fn join(&mut self, other: &Self) {
        self.severities.iter_mut().zip(other.severities).for_each(|(sum, count)| *sum += count);
        self.reach(other.span);
    }

    fn reach(&mut self, span: Option<(i128, i128)>) {
        self.span = match (self.span, span) {
            (Some((first, last)), Some((from, to))) => Some((first.min(from), last.max(to))),
            (known, other) => known.or(other),
        };
    }
}

/// How findings are put into words.
pub(super) trait Words {
    /// The worst finding of a group.
    fn worst(&self, finding: &Finding) -> String;
    /// One of the next.
    fn other(&self, finding: &Finding) -> String;
}

/// Takes a group, and those that are shown in words, the worst first.
pub(super) type Give<'a> = &'a mut dyn FnMut(&About, &[String]) -> io::Result<()>;

/// Gives the groups, and says how much is in others.
pub(super) fn each(findings: &Findings, how: How, words: &dyn Words, give: Give<'_>) -> io::Result<Left> {
    let (shown, left) = choose(findings, how).map_err(io::Error::other)?;
    let told = tell(findings, how, &shown, words).map_err(io::Error::other)?;
    drop(shown);
    let mut merge = told.read().map_err(io::Error::other)?;
    let mut group: Option<(About, Vec<String>)> = None;
    while let Some((_, payload)) = merge.advance().map_err(io::Error::other)? {
        let (about, text): (Option<About>, String) = take(payload).map_err(io::Error::other)?;
        if let Some(about) = about
            && let Some((about, texts)) = group.replace((about, Vec::new()))
        {
            give(&about, &texts)?;
        }
        if let Some((_, texts)) = &mut group {
            texts.push(text);
        }
    }
    if let Some((about, texts)) = group {
        give(&about, &texts)?;
    }
    Ok(left)
}

fn put(value: &impl Serialize) -> Result<Vec<u8>, Error> {
    put_behind(value, Vec::new())
}

fn put_behind(value: &(impl Serialize + ?Sized), bytes: Vec<u8>) -> Result<Vec<u8>, Error> {
    postcard::to_extend(value, bytes).map_err(|error| Error::new(format!("cannot be stored: {error}")))
}

fn take<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, Error> {
    postcard::from_bytes(bytes).map_err(|_| damaged())
}

/// Whether somebody decided about it, its severity from the worst, and an ordinal: the place of a group, or of a finding in
/// one.
type Rank = [u8; 10];

fn rank(head: &Head<'_>, ordinal: u64) -> Rank {
    let decided = match (head.standing, head.enforcement) {
        (Standing::New, Enforcement::Fail) => 0,
        (Standing::New, Enforcement::Report) => 1,
        (Standing::Waived | Standing::Known, _) => 2,
    };
    let [a, b, c, d, e, f, g, h] = ordinal.to_be_bytes();
    [decided, !(head.severity as u8), a, b, c, d, e, f, g, h]
}

fn ordinal(rank: Rank) -> u64 {
    let [_, _, ordinal @ ..] = rank;
    u64::from_be_bytes(ordinal)
}

/// What findings of a group have alike, as it is told of one of them: under a pseudonym, where findings have such.
fn alike(finding: &Finding, by: Option<By>) -> Vec<Option<String>> {
    let text = |text: &str| Some(text.to_owned());
    match by {
        None => vec![text(&finding.pack), text(&finding.policy), text(&finding.group)],
        Some(By::Policy) => vec![text(&finding.policy), text(&finding.pack)],
        Some(By::Resource) => vec![finding.resources.first().cloned()],
        Some(By::Actor) => match finding.actor.as_ref().and_then(|actor| actor.beginner().who()) {
            Some(who) => vec![Some(who.name), who.kind, who.account],
            None => vec![None],
        },
        Some(By::Account) => vec![finding.record.account.as_deref().map(str::to_owned)],
    }
}

/// The findings that are shown, by their ordinals, and where; with what is told of the group beside the first of it.
fn choose(findings: &Findings, how: How) -> Result<(Sorted, Left), Error> {
    let mut groups = Groups::new(how.examples, findings.memory());
    let mut next = 0;
    findings.each(&mut |finding| {
        let head = finding.head()?;
        match how.by {
            None => groups.add(&[Some(head.pack), Some(head.policy), Some(&head.group)], &head, next)?,
            Some(By::Policy) => groups.add(&[Some(head.policy), Some(head.pack)], &head, next)?,
            Some(By::Resource) => groups.add(&[head.resource], &head, next)?,
            Some(By::Actor) => match finding.who()? {
                Some(Who { name, kind, account }) => {
                    groups.add(&[Some(&name), kind.as_deref(), account.as_deref()], &head, next)?;
                }
                None => groups.add(&[None], &head, next)?,
            },
            Some(By::Account) => groups.add(&[head.account], &head, next)?,
        }
        next += 1;
        Ok(true)
    })?;
    let mut chosen = Chosen {
        shown: Sorter::new(&Arc::default(), findings.memory()),
        worst: BTreeMap::new(),
        left: Left::default(),
    };
    groups.each(&mut |group| chosen.add(group, how.groups))?;
    let Chosen { mut shown, worst, left } = chosen;
    worst.into_values().try_for_each(|group| group.show(&mut shown))?;
    let [shown] = Sorter::sorted(vec![shown])?;
    Ok((shown, left))
}

/// Groups while findings are gone through. When there are too many to be held, parts of them wait in a file.
struct Groups {
    examples: usize,
    /// By what their findings have alike, as bytes.
    held: HashMap<Vec<u8>, Group>,
    /// Bytes that these may take, and do.
    most: usize,
    size: usize,
    parts: Sorter<1>,
    key: Vec<u8>,
}

impl Groups {
    fn new(examples: usize, memory: usize) -> Self {
        let parts = Sorter::new(&Arc::default(), memory / 2);
        Self { examples: examples.max(1), held: HashMap::new(), most: memory / 2, size: 0, parts, key: Vec::new() }
    }

    fn add(&mut self, alike: &[Option<&str>], head: &Head<'_>, ordinal: u64) -> Result<(), Error> {
        self.key = put_behind(alike, std::mem::take(&mut self.key))?;
        if !self.held.contains_key(&self.key) {
            self.size += self.key.len() + size_of::<(Vec<u8>, Group)>();
            self.held.insert(self.key.clone(), Group::default());
        }
        if let Some(group) = self.held.get_mut(&self.key) {
            let before = group.ranks.len();
            group.add(rank(head, ordinal), head, self.examples);
            self.size = (self.size + group.ranks.len() * size_of::<Rank>()).saturating_sub(before * size_of::<Rank>());
        }
        self.key.clear();
        if self.size > self.most { self.put_away() } else { Ok(()) }
    }

    fn put_away(&mut self) -> Result<(), Error> {
        self.size = 0;
        #[expect(clippy::iter_over_hash_type, reason = "they are sorted")]
        for (key, mut group) in self.held.drain() {
            group.settle(self.examples);
            self.parts.push(0, &key, &put(&group)?)?;
        }
        Ok(())
    }

    /// Gives each of them.
    fn each(mut self, give: &mut dyn FnMut(Group) -> Result<(), Error>) -> Result<(), Error> {
        self.put_away()?;
        let [parts] = Sorter::sorted(vec![self.parts])?;
        let mut merge = parts.read()?;
        let mut last: Option<(Vec<u8>, Group)> = None;
        while let Some((key, part)) = merge.advance()? {
            let part: Group = take(part)?;
            match &mut last {
                Some((name, group)) if name == key => group.join(part, self.examples),
                _ => {
                    if let Some((_, group)) = last.replace((key.to_vec(), part)) {
                        give(group)?;
                    }
                }
            }
        }
        last.map_or(Ok(()), |(_, group)| give(group))
    }
}

/// The groups that are shown.
struct Chosen {
    shown: Sorter<1>,
    /// The worst so far, by rank, where there may be more than are shown.
    worst: BTreeMap<Rank, Group>,
    left: Left,
}

impl Chosen {
    fn add(&mut self, group: Group, most: usize) -> Result<(), Error> {
        if most == usize::MAX {
            return group.show(&mut self.shown);
        }
        self.worst.insert(group.rank(), group);
        if self.worst.len() > most
            && let Some((_, last)) = self.worst.pop_last()
        {
            self.left.groups += 1;
            self.left.findings += last.about.count();
        }
        Ok(())
    }
}

/// A group while its findings are gone through.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Group {
    /// Those that are shown, and some that may be; in their order if they were settled.
    ranks: Vec<Rank>,
    about: About,
    /// The ordinal of the first of them in the input, if there is one.
    first: Option<u64>,
}

impl Group {
    fn add(&mut self, rank: Rank, head: &Head<'_>, examples: usize) {
        self.about.add(head.severity, head.span);
        self.first = self.first.or(Some(ordinal(rank)));
        self.ranks.push(rank);
        if self.ranks.len() >= examples.saturating_mul(2).max(16) {
            self.settle(examples);
        }
    }

    /// Leaves those that are shown.
    fn settle(&mut self, examples: usize) {
        self.ranks.sort_unstable();
        self.ranks.truncate(examples);
    }

    /// Takes another part of the group.
    fn join(&mut self, other: Self, examples: usize) {
        self.about.join(&other.about);
        self.first = self.first.into_iter().chain(other.first).min();
        self.ranks.extend(other.ranks);
        self.settle(examples);
    }

    /// Its place among the groups: its worst, then the first of it in the input.
    fn rank(&self) -> Rank {
        let mut rank = self.ranks.first().copied().unwrap_or_default();
        rank[2..].copy_from_slice(&self.first.unwrap_or(u64::MAX).to_be_bytes());
        rank
    }

    fn show(self, shown: &mut Sorter<1>) -> Result<(), Error> {
        let of_group = self.rank();
        let mut about = Some(self.about);
        for (at, rank) in (0_u32..).zip(&self.ranks) {
            let place = [&of_group[..], &at.to_be_bytes()].concat();
            shown.push(0, &rank[2..], &put(&(place, about.take()))?)?;
        }
        Ok(())
    }
}

/// Where a finding is shown.
struct Shown {
    /// Of the finding.
    ordinal: u64,
    /// Sorted by it, findings are in the order in which they are shown.
    place: Vec<u8>,
    /// If it is the first of its group.
    about: Option<About>,
}

impl Shown {
    fn next(merge: &mut Merge<'_>) -> Result<Option<Self>, Error> {
        let Some((ordinal, shown)) = merge.advance()? else { return Ok(None) };
        let ordinal = u64::from_be_bytes(ordinal.try_into().map_err(|_| damaged())?);
        let (place, about) = take(shown)?;
        Ok(Some(Self { ordinal, place, about }))
    }
}

/// What is shown, in words and in its place.
fn tell(findings: &Findings, how: How, shown: &Sorted, words: &dyn Words) -> Result<Sorted, Error> {
    let mut sorter = Sorter::<1>::new(&Arc::default(), findings.memory());
    let mut shown = shown.read()?;
    let mut next = Shown::next(&mut shown)?;
    let mut ordinal = 0_u64;
    findings.each(&mut |finding| {
        let of = ordinal;
        ordinal += 1;
        if let Some(Shown { place, mut about, .. }) = next.take_if(|next| next.ordinal == of) {
            let finding = finding.read()?;
            if let Some(about) = &mut about {
                about.alike = alike(&finding, how.by);
            }
            let text = if about.is_some() { words.worst(&finding) } else { words.other(&finding) };
            sorter.push(0, &place, &put(&(about, text))?)?;
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
    use crate::triage::{Triage, Waivers};

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
            format!("worst {}", id(finding))
        }
        fn other(&self, finding: &Finding) -> String {
            id(finding)
        }
    }

    /// What a finding is grouped by, as it can be read off the head of this file.
    fn grouped_by(finding: &Finding, by: Option<By>) -> Vec<Option<String>> {
        let who = finding.actor.as_ref().and_then(|actor| actor.who());
        match by {
            None => [&*finding.pack, &finding.policy, &finding.group].map(|text| Some(text.to_owned())).to_vec(),
            Some(By::Policy) => [&*finding.policy, &finding.pack].map(|text| Some(text.to_owned())).to_vec(),
            Some(By::Resource) => vec![finding.resources.first().cloned()],
            Some(By::Actor) => who.map_or(vec![None], |who| vec![Some(who.name), who.kind, who.account]),
            Some(By::Account) => vec![finding.record.account.as_deref().map(str::to_owned)],
        }
    }

    fn id(finding: &Finding) -> String {
        finding.record.id.as_deref().unwrap_or_default().to_owned()
    }

    /// What stands first: what fails a run, then what is reported only, then what is excused.
    fn badness(finding: &Finding) -> (bool, bool, std::cmp::Reverse<Severity>) {
        let is_excused = finding.standing != Standing::New;
        (is_excused, !is_excused && finding.enforcement == Enforcement::Report, std::cmp::Reverse(finding.severity))
    }

    /// The same in memory.
    fn in_memory(findings: &[Finding], how: How) -> String {
        let mut places: BTreeMap<Vec<Option<String>>, usize> = BTreeMap::new();
        let mut groups: Vec<Vec<&Finding>> = Vec::new();
        for finding in findings {
            let at = *places.entry(grouped_by(finding, how.by)).or_insert(groups.len());
            match groups.get_mut(at) {
                Some(group) => group.push(finding),
                None => groups.push(vec![finding]),
            }
        }
        for group in &mut groups {
            group.sort_by_key(|finding| badness(finding));
        }
        groups.sort_by_key(|group| badness(group[0]));
        let mut out = String::new();
        for group in groups {
            let times: Vec<&str> = group.iter().filter_map(|finding| finding.record.time.as_deref()).collect();
            out += &format!("{} {:?} {:?}:", group.len(), times.iter().min(), times.iter().max());
            let ids = group.iter().take(how.examples).map(|finding| id(finding));
            out += &format!("worst {}\n", ids.collect::<Vec<_>>().join(", "));
        }
        out
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        /// Exactly what grouping in memory gives, whatever the memory; `()` is the default group of the policy. What groups
        /// count adds up to the findings.
        #[test]
        fn groups_are_in_order_and_add_up(
            events in proptest::collection::vec((0_usize..2, 0_usize..7, 0_usize..5, 0_usize..4, 0_usize..4), 0..60),
            memory in 0_usize..20_000,
            by in 0_usize..5,
            examples in 1_usize..7,
        ) {
            let mut packs = Pack::from_text("p", POLICY).check(&Overrides::of_invented_events(), &Limits::default()).unwrap();
            packs.join(Pack::from_text("q", POLICY).check(&Overrides::of_invented_events(), &Limits::default()).unwrap());
            packs.enforce(vec![Some(Enforcement::Fail), Some(Enforcement::Report)]);
            let desk = tempfile::tempdir().unwrap();
            let waivers = "waivers:\n  - { policy: \"*\", actor: a, owner: o, reason: r, expires: 2099-01-01 }\n";
            std::fs::write(desk.path().join("waivers.yaml"), waivers).unwrap();
            let waivers = Waivers::read(&desk.path().join("waivers.yaml")).unwrap();
            let groups = ["null", r#""g""#, r#""p ""#, r#""q ""#, r#""""#, r#""gg""#, r#""\u0000""#];
            let identities = [
                "null", r#"{"type":"Root","accountId":"111122223333"}"#, r#"{"type":"IAMUser","userName":"a"}"#,
                r#"{"type":"IAMUser","userName":"a","accountId":"111122223333"}"#,
            ];
            let resources = ["[]", r#"[{"ARN":"a"}]"#, r#"[{"ARN":"a"},{"ARN":"b"}]"#, r#"[{"ARN":"b"},{"ARN":"a"}]"#];
            let lines: Vec<String> = events
                .iter()
                .enumerate()
                .map(|(at, (twice, group, severity, who, what))| {
                    let time = if group % 3 == 0 { String::new() } else { format!(r#""eventTime":"2024-05-14T0{group}:00:0{what}Z","#) };
                    format!(
                        r#"{{{time}"eventVersion":"1","eventSource":"s","eventName":"n","eventID":"{}","group":{},"severity":"{}","userIdentity":{},"resources":{}}}"#,
                        at * twice, groups[*group], Severity::ALL[*severity].word(), identities[*who], resources[*what]
                    )
                })
                .collect();
            let (records, _) = input::events("log", lines.join("\n").into_bytes());
            let mut request = Request::new(std::iter::empty::<&str>());
            request.memory = memory;
            request.now = "2024-06-01T00:00:00Z".parse().unwrap();
            request.triage = Arc::new(Triage { waivers: Some(waivers), ..Triage::default() });
            let outcome = judge(&packs, &records, Inventory::default(), &request).unwrap();
            let how = How { by: By::ALL.get(by).copied(), examples, groups: usize::MAX };
            let (mut out, mut counted) = (String::new(), 0);
            each(&outcome.findings, how, &Ids, &mut |about, texts| {
                let span = about.span().map(|(first, last)| (first.to_string(), last.to_string()));
                let (first, last) = span.unzip();
                out += &format!("{} {first:?} {last:?}:{}\n", about.count(), texts.join(", "));
                counted += about.count();
                Ok(())
            }).unwrap();
            prop_assert_eq!(out, in_memory(&outcome.findings.to_vec().unwrap(), how));
            prop_assert_eq!(counted, outcome.summary.findings.total);
            // Of the worst so many, as they stand in the whole, and of the rest its size.
            for most in [0, 1, 3] {
                let mut shown = Vec::new();
                let left = each(&outcome.findings, How { groups: most, ..how }, &Ids, &mut |about, texts| {
                    shown.push((about.count(), texts.to_vec()));
                    Ok(())
                }).unwrap();
                let mut whole = Vec::new();
                each(&outcome.findings, how, &Ids, &mut |about, texts| {
                    whole.push((about.count(), texts.to_vec()));
                    Ok(())
                }).unwrap();
                let (told, untold) = whole.split_at(whole.len().min(most));
                prop_assert_eq!(&shown, told);
                let findings = untold.iter().map(|(count, _)| count).sum();
                prop_assert_eq!(left, Left { groups: untold.len() as u64, findings });
            }
        }
    }
}
