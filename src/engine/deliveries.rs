//! Makes a resource of each series of deliveries: what the names of log files and digests tell of one account and region.
//!
//! No file is read for it. A log file whose path the filter excludes is listed all the same, so a gap is never the edge of
//! a filter; what `--since` and `--until` exclude makes no gap. CloudTrail delivers about every five minutes, and nothing
//! where nothing happened; a digest it delivers every hour whatever happened. Sources: "How CloudTrail works" and
//! "CloudTrail digest file structure" in the CloudTrail user guide.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::place::ordinal;
use crate::input::{Class, File, Files, Filter, Object, SkipReason};
use crate::inventory::Inventory;
use crate::record::{Document, Node, Origin, Record, Scope};

/// One resource for the log files and digests of one account and region below one prefix of a bucket.
pub(super) const DELIVERIES: &str = "cloudtrail/deliveries";
/// One resource for each of their gaps that are listed, so that each can be waived by itself.
pub(super) const GAPS: &str = "cloudtrail/gaps";

/// Minutes without a log file that make a gap: some deliveries come late.
const FLOOR: i64 = 15;

/// Gaps, trails and duplicates of a series that are listed, those that say most; all are counted.
const MOST: usize = 100;

/// Files of a duplicate that are listed.
const MOST_FILES: usize = 5;

/// Minutes that a digest covers.
const HOUR: i64 = 60;

/// Where a series is: the folders before `AWSLogs`, the organisation behind it, account and region. Without folders where
/// no `AWSLogs` is in the path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key<'f> {
    root: Root<'f>,
    account: &'f str,
    region: &'f str,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Root<'f> {
    folders: Option<Vec<&'f str>>,
    organisation: Option<&'f str>,
}

impl<'f> Root<'f> {
    fn of(path: &'f Path) -> Self {
        let mut parts: Vec<&str> = path.iter().map(|part| part.to_str().unwrap_or_default()).collect();
        let Some(at) = parts.iter().rposition(|part| *part == "AWSLogs") else {
            return Self { folders: None, organisation: None };
        };
        let organisation = parts.get(at + 1).copied().filter(|part| part.starts_with("o-"));
        parts.truncate(at);
        Self { folders: Some(parts), organisation }
    }
}

/// What is known of a series: times are minutes since 1970.
#[derive(Debug, Default)]
struct Series<'f> {
    /// When log files were delivered, and the places of the files, [`PASSED`] for one that is not read; sorted and each
    /// time once, when all are known.
    times: Vec<(i64, u32)>,
    objects: u64,
    /// Log files without a byte: they deliver nothing.
    empty: u64,
    /// When the hours of the digests of each trail ended.
    digests: BTreeMap<&'f str, Vec<i64>>,
    /// The first file of it that is read.
    first: Option<&'f Arc<str>>,
    /// Log files of a name that was met before, and the names.
    duplicates: u64,
    again: Vec<Value>,
}

/// The place of a file that the filter excludes.
const PASSED: u32 = u32::MAX;

/// A time without digests between two digests of a trail.
#[derive(Clone, Copy, Debug)]
struct Hole {
    from: i64,
    to: i64,
    hours: i64,
}

/// A time without log files between two deliveries.
#[derive(Clone, Copy, Debug)]
struct Gap {
    from: i64,
    to: i64,
    /// Hours of it of which a digest is missing.
    missing: i64,
    /// Deliveries of other accounts and regions below the same prefix meanwhile, of each one a minute.
    others: usize,
    /// Digests of a trail were delivered before it and behind it.
    has_digests: bool,
    /// The place of the last file before it.
    file: u32,
}

/// An inventory with the series in some files.
pub(super) fn add(inventory: Inventory, files: &Files, filter: &Filter) -> Inventory {
    let records = resources(files, filter);
    if records.is_empty() {
        return inventory;
    }
    let mut builder = inventory.reopen();
    records.into_iter().for_each(|record| builder.add(record));
    // No two series have one name.
    builder.finish().0
}

/// A resource for each series of which a file is read.
fn resources(files: &Files, filter: &Filter) -> Vec<Record> {
    let mut all: BTreeMap<Key<'_>, Series<'_>> = BTreeMap::new();
    let mut names = Vec::new();
    let passed = files.skipped.iter().filter(|skipped| skipped.reason == SkipReason::Filtered);
    let read = files.files.iter().enumerate();
    let read = read.filter_map(|(at, file)| Some((&file.name, file.path()?, Some((ordinal(at), file)))));
    for (name, path, read) in read.chain(passed.map(|skipped| (&skipped.name, Path::new(&*skipped.name), None))) {
        let file = read.map(|(_, file)| file);
        let Some(object) = Object::of_path(path) else { continue };
        let series =
            all.entry(Key { root: Root::of(path), account: object.account, region: object.region }).or_default();
        if file.is_some() {
            series.first.get_or_insert(name);
        }
        let minute = object.time.as_second().div_euclid(60);
        if let Some(trail) = object.trail {
            if !object.is_backfill {
                series.digests.entry(trail).or_default().push(minute);
            }
        } else if file.is_some_and(|file| file.class == Class::Empty) {
            series.empty += 1;
        } else {
            series.objects += 1;
            series.times.push((minute, read.map_or(PASSED, |(at, _)| at)));
            names.extend(file.map(|file| (object.name, names.len(), file)));
        }
    }
    for series in all.values_mut() {
        series.times.sort_unstable();
        series.times.dedup_by_key(|(minute, _)| *minute);
        series.digests.values_mut().for_each(|ends| ends.sort_unstable());
    }
    names.sort_unstable_by_key(|(name, at, _)| (*name, *at));
    for same in names.chunk_by(|(one, ..), (other, ..)| one == other).filter(|same| same.len() > 1) {
        tell_duplicates(same, &mut all);
    }
    finish(&all, files, filter)
}

/// Tells the series to which log files of one name came again of them.
fn tell_duplicates<'f>(same: &[(&'f str, usize, &'f File)], all: &mut BTreeMap<Key<'f>, Series<'f>>) {
    let (name, _, first) = same[0];
    let is_packed = |file: &File| file.name.ends_with(".gz");
    let is_alike = same.iter().all(|(.., file)| is_packed(file) == is_packed(first));
    let told = json!({
        "Object": name,
        "Files": same.iter().take(MOST_FILES).map(|(.., file)| &*file.name).collect::<Vec<_>>(),
        "Count": same.len(),
        "SameSize": is_alike.then(|| same.iter().all(|(.., file)| file.size == first.size)),
    });
    let mut last = None;
    for (name, _, file) in &same[1..] {
        let (Some(path), Some(object)) = (file.path(), Object::of(name)) else { continue };
        let key = Key { root: Root::of(path), account: object.account, region: object.region };
        let Some(series) = all.get_mut(&key) else { continue };
        series.duplicates += 1;
        if series.again.len() < MOST && last.as_ref() != Some(&key) {
            series.again.push(told.clone());
        }
        last = Some(key);
    }
}

fn finish(all: &BTreeMap<Key<'_>, Series<'_>>, files: &Files, filter: &Filter) -> Vec<Record> {
    // When anything was delivered below a prefix.
    let mut together: BTreeMap<&Root<'_>, Vec<i64>> = BTreeMap::new();
    for (key, series) in all {
        together.entry(&key.root).or_default().extend(series.times.iter().map(|(minute, _)| minute));
    }
    together.values_mut().for_each(|times| times.sort_unstable());
    let shared = shared(all.keys().filter_map(|key| key.root.folders.as_deref()));
    let mut records = Vec::new();
    for (key, series) in all {
        let Some(first) = series.first else { continue };
        let (origin, gaps) = (origin(first), gaps(series, &together[&key.root], filter));
        let resource = Resource { key, series, origin, prefix: key.prefix(shared) };
        records.push(resource.record(&gaps, filter));
        for gap in gaps.listed {
            let file = files.files.get(gap.file as usize).map_or(first, |file| &file.name);
            records.push(resource.gap(&gap, self::origin(file)));
        }
    }
    records
}

fn origin(file: &Arc<str>) -> Origin {
    Origin { file: Arc::clone(file), position: 0, line: None }
}

/// How many folders all prefixes begin with: where the files lie on this machine is no part of what they are.
fn shared<'k>(mut folders: impl Iterator<Item = &'k [&'k str]>) -> usize {
    let Some(first) = folders.next() else { return 0 };
    folders.fold(first.len(), |shared, other| {
        first.iter().zip(other).take(shared).take_while(|(one, other)| one == other).count()
    })
}

impl Key<'_> {
    /// What tells the prefix from the others, where so many folders are those of all.
    fn prefix(&self, shared: usize) -> Option<String> {
        self.root.folders.as_deref().map(|folders| folders[shared.min(folders.len())..].join("/"))
    }
}

/// A series while it becomes a resource.
struct Resource<'a, 'f> {
    key: &'a Key<'f>,
    series: &'a Series<'f>,
    origin: Origin,
    prefix: Option<String>,
}

impl Resource<'_, '_> {
    fn id(&self) -> String {
        let Key { root, account, region } = self.key;
        let Some(prefix) = &self.prefix else { return format!("{account}_CloudTrail_{region}") };
        let parts = [prefix.as_str(), "AWSLogs", root.organisation.unwrap_or_default(), account, "CloudTrail", region];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/")
    }

    /// A resource of some members, beside those that say whose it is; what is not known is left out.
    fn of(&self, kind: &str, id: String, time: Option<i64>, members: Value, origin: Origin) -> Record {
        let Key { root, account, region } = self.key;
        let mut all = Map::new();
        let whose = json!({
            "Account": account,
            "Region": region,
            "Prefix": self.prefix.as_deref().filter(|prefix| !prefix.is_empty()),
            "Organization": root.organisation,
            "UsualMinutes": usual(&self.series.times),
            "ActivePercent": active(&self.series.times),
        });
        for part in [whose, members] {
            if let Value::Object(part) = part {
                all.extend(part.into_iter().filter(|(_, value)| !value.is_null()));
            }
        }
        Record {
            kind: kind.into(),
            id: Some(id.into()),
            time: time.and_then(|minute| Timestamp::from_second(minute.checked_mul(60)?).ok()),
            scope: Scope { account: Some(Arc::from(*account)), region: Some(Arc::from(*region)) },
            value: Node::from(Document::from(&Value::Object(all))),
            origin,
        }
    }

    fn record(&self, gaps: &Gaps, filter: &Filter) -> Record {
        let series = self.series;
        let mut missing = 0;
        let mut trails = Vec::new();
        for (trail, ends) in &series.digests {
            let holes: Vec<Hole> = holes(ends).filter(|hole| is_wanted(hole.from, hole.to, filter)).collect();
            let hours = holes.iter().map(|hole| hole.hours).sum::<i64>();
            missing += hours;
            if trails.len() == MOST {
                continue;
            }
            let listed = holes
                .iter()
                .take(MOST)
                .map(|Hole { from, to, hours }| json!({ "From": written(*from), "To": written(*to), "Hours": hours }));
            trails.push(json!({
                "Trail": trail,
                "Count": ends.len(),
                "First": ends.first().map(|minute| written(*minute)),
                "Last": ends.last().map(|minute| written(*minute)),
                "MissingHours": hours,
                "Missing": listed.collect::<Vec<_>>(),
            }));
        }
        let last = series.times.last().map(|(minute, _)| *minute);
        let members = json!({
            "Objects": series.objects,
            "EmptyObjects": series.empty,
            "FirstDelivery": series.times.first().map(|(minute, _)| written(*minute)),
            "LastDelivery": last.map(written),
            "GapCount": gaps.count,
            "Gaps": gaps.listed.iter().map(Gap::members).collect::<Vec<_>>(),
            "Digests": trails,
            "MissingDigestHours": missing,
            "Duplicates": series.duplicates,
            "DuplicateObjects": series.again,
        });
        self.of(DELIVERIES, self.id(), last, members, self.origin.clone())
    }

    fn gap(&self, gap: &Gap, origin: Origin) -> Record {
        let id = format!("{}/{}", self.id(), written(gap.from));
        let mut members = gap.members();
        members["Deliveries"] = self.id().into();
        self.of(GAPS, id, Some(gap.to), members, origin)
    }
}

/// The gaps of a series: those that say most, in order, and how many there are.
struct Gaps {
    listed: Vec<Gap>,
    count: usize,
}

impl Gap {
    fn members(&self) -> Value {
        json!({
            "From": written(self.from),
            "To": written(self.to),
            "Minutes": self.to - self.from,
            "HasDigests": self.has_digests,
            "MissingDigestHours": self.missing,
            "OtherDeliveries": self.others,
        })
    }
}

/// A minute as RFC 3339.
fn written(minute: i64) -> String {
    Timestamp::from_second(minute.saturating_mul(60)).map(|time| time.to_string()).unwrap_or_default()
}

/// Whether a span of time is of any interest: some of it must be.
fn is_wanted(from: i64, to: i64, filter: &Filter) -> bool {
    let minute = |time: Timestamp| time.as_second().div_euclid(60);
    filter.since.is_none_or(|since| to > minute(since)) && filter.until.is_none_or(|until| from < minute(until))
}

/// The median of the minutes from one delivery to the next.
fn usual(times: &[(i64, u32)]) -> Option<i64> {
    let mut steps: Vec<i64> = times.windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
    let middle = steps.len() / 2;
    (!steps.is_empty()).then(|| *steps.select_nth_unstable(middle).1)
}

/// Of the hours from the first to the last delivery, those with one: a hundredth each.
fn active(times: &[(i64, u32)]) -> Option<i64> {
    let hour = |time: &(i64, u32)| time.0.div_euclid(HOUR);
    let all = hour(times.last()?) - hour(times.first()?) + 1;
    let active = times.chunk_by(|one, other| hour(one) == hour(other)).count();
    Some(i64::try_from(active).ok()? * 100 / all)
}

/// Where more than one hour is between the ends of two digests.
fn holes(ends: &[i64]) -> impl Iterator<Item = Hole> {
    ends.windows(2).filter_map(|pair| {
        let hours = (pair[1] - pair[0] + HOUR / 2) / HOUR - 1;
        (hours > 0).then_some(Hole { from: pair[0], to: pair[1], hours })
    })
}

/// The gaps of a series; `together` is when anything was delivered below its prefix, sorted.
fn gaps(series: &Series<'_>, together: &[i64], filter: &Filter) -> Gaps {
    let before = |minute: i64| together.partition_point(|time| *time < minute);
    let trails: Vec<(&Vec<i64>, Vec<Hole>)> =
        series.digests.values().map(|ends| (ends, holes(ends).collect())).collect();
    let gap = |pair: &[(i64, u32)]| {
        let ((from, file), (to, _)) = (pair[0], pair[1]);
        let missing = |(_, holes): &(&Vec<i64>, Vec<Hole>)| {
            let reaching = holes[holes.partition_point(|hole| hole.to <= from)..].iter();
            reaching.take_while(|hole| hole.from < to).map(|hole| hours_within(hole, from, to)).sum::<i64>()
        };
        let spans = |(ends, _): &(&Vec<i64>, Vec<Hole>)| {
            ends.first().is_some_and(|first| *first <= from + HOUR) && ends.last().is_some_and(|last| *last >= to)
        };
        Gap {
            from,
            to,
            missing: trails.iter().map(missing).max().unwrap_or_default(),
            // None of its own is in between.
            others: before(to) - before(from + 1),
            has_digests: trails.iter().any(spans),
            file,
        }
    };
    let wide = series.times.windows(2).filter(|pair| pair[1].0 - pair[0].0 > FLOOR);
    let mut listed: Vec<Gap> = wide.map(gap).filter(|gap| is_wanted(gap.from, gap.to, filter)).collect();
    let count = listed.len();
    listed.sort_by_key(|gap| (-gap.missing, gap.others == 0, gap.from - gap.to, gap.from));
    listed.truncate(MOST);
    listed.sort_by_key(|gap| gap.from);
    Gaps { listed, count }
}

/// How many of the hours whose digest is missing lie in a gap, or reach into it.
fn hours_within(hole: &Hole, from: i64, to: i64) -> i64 {
    // The digest of the hour `n` ends at `hole.from + n * HOUR`.
    let first = (from - hole.from).div_euclid(HOUR) + 1;
    let last = (to - hole.from - 1).div_euclid(HOUR) + 1;
    (last.min(hole.hours) - first.max(1) + 1).max(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_of_missing_digests_are_counted_where_they_reach_into_a_gap() {
        let hole = Hole { from: 0, to: 240, hours: 3 };
        // Digests of the hours that end at 60, 120 and 180 are missing.
        for (from, to, hours) in
            [(0, 240, 3), (10, 50, 1), (60, 120, 1), (59, 121, 3), (-60, 0, 0), (180, 240, 0), (200, 900, 0)]
        {
            assert_eq!(hours_within(&hole, from, to), hours, "{from} {to}");
        }
        let endless = Hole { from: -60_000_000, to: 60_000_000, hours: 1_999_999 };
        assert_eq!(hours_within(&endless, 0, 600), 10);
    }

    #[test]
    fn digests_that_come_some_minutes_late_leave_no_hole() {
        let hours = |ends: &[i64]| holes(ends).map(|hole| hole.hours).collect::<Vec<_>>();
        assert_eq!(hours(&[0, 60, 125, 180]), [0_i64; 0]);
        assert_eq!(hours(&[0, 120, 121, 420]), [1, 4]);
        assert_eq!((usual(&[(0, 0)]), usual(&[(0, 0), (5, 0), (10, 0), (300, 0)])), (None, Some(5)));
        assert_eq!(
            (active(&[]), active(&[(7, 0)]), active(&[(0, 0), (59, 0), (60, 0), (200, 0)])),
            (None, Some(100), Some(75))
        );
    }

    #[test]
    fn prefixes_are_told_apart_by_where_they_differ() {
        let all: [&[&str]; 3] = [&["home", "a", "x"], &["home", "b"], &["home", "a"]];
        assert_eq!((shared(all.into_iter()), shared([all[0]].into_iter()), shared([].into_iter())), (1, 3, 0));
    }
}
