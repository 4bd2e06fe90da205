//! What the shapes know of records and resources that were recorded: shares by source, and no false alarm where they are closed.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use lawbook::input::inventory::{self, File, Manifests};
use lawbook::inventory::Builder;
use lawbook::policy::{Overrides, Pack};
use lawbook::record::Scope;
use lawbook::schema::{Call, Holds, Place, Shapes, Step};
use lawbook::script::Limits;
use serde_json::Value;

const SHARED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data");

/// Every path in a value, `[]` for an item, by what the shapes say of it.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) known: BTreeSet<String>,
    pub(crate) unknown: BTreeSet<String>,
    /// Unknown, and an error for a policy.
    pub(crate) closed: BTreeSet<String>,
    pub(crate) open: BTreeSet<String>,
    /// Values of a kind that the shapes say cannot be.
    pub(crate) kinds: BTreeSet<String>,
}

impl Seen {
    fn walk(&mut self, place: &Place<'_>, path: &str, value: &Value) {
        self.judge(place, path, value);
        match value {
            Value::Object(members) => {
                for (key, value) in members {
                    self.step(place.field(key), &format!("{path}.{key}"), value);
                }
            }
            Value::Array(items) => {
                for value in items {
                    self.step(place.item(), &format!("{path}[]"), value);
                }
            }
            _ => {}
        }
    }

    fn step(&mut self, step: Step<'_>, path: &str, value: &Value) {
        match step {
            Step::Known(place) => {
                self.known.insert(path.to_owned());
                self.walk(&place, path, value);
            }
            Step::Open => drop(self.open.insert(path.to_owned())),
            Step::Unknown { is_closed, .. } => {
                self.unknown.insert(path.to_owned());
                if is_closed {
                    self.closed.insert(path.to_owned());
                }
            }
        }
    }

    fn judge(&mut self, place: &Place<'_>, path: &str, value: &Value) {
        let found = match value {
            Value::Null => return,
            Value::Bool(_) => Holds::Bool,
            Value::Number(number) if number.is_f64() => Holds::Number,
            Value::Number(_) => Holds::Int,
            Value::String(_) => Holds::Text,
            Value::Array(_) => Holds::List,
            Value::Object(_) => Holds::Structure,
        };
        if !place.may_be(found) {
            self.kinds.insert(format!("{path} {found:?} {:?}", place.holds()));
        }
    }

    fn add(&mut self, other: Self) {
        self.known.extend(other.known);
        self.unknown.extend(other.unknown);
        self.closed.extend(other.closed);
        self.open.extend(other.open);
        self.kinds.extend(other.kinds);
    }
}

fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// What the shapes say of a record.
pub(crate) fn see(record: &Value) -> Seen {
    let text = |name: &str| record[name].as_str().unwrap_or_default();
    let calls = [Call { source: text("eventSource"), name: text("eventName") }];
    let calls: &[Call<'_>] = if calls[0].name.is_empty() { &[] } else { &calls };
    let mut seen = Seen::default();
    seen.walk(&Shapes::embedded().record(calls), "", record);
    seen
}

fn records(folder: &str) -> Vec<Value> {
    let root = Path::new(SHARED).join(folder);
    let files = walkdir::WalkDir::new(root).sort_by_file_name().into_iter().filter_map(Result::ok);
    let files = files.filter(|file| file.path().extension().is_some_and(|end| end == "ndjson"));
    let read = |file: walkdir::DirEntry| std::fs::read_to_string(file.path()).unwrap();
    files
        .map(read)
        .flat_map(|text| text.lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<_>>())
        .collect()
}

#[test]
fn recorded_events_hold_what_the_shapes_know() {
    let all = records("events");
    if all.is_empty() {
        return crate::skipped("no recordings in ../shared/data/events");
    }
    let mut sources: BTreeMap<String, (usize, Seen)> = BTreeMap::new();
    for record in &all {
        // A path counts once for every event that has it.
        let name = record["eventName"].as_str().unwrap_or("-");
        let mut seen = Seen::default();
        let one = see(record);
        let named = |paths: BTreeSet<String>| paths.into_iter().map(|path| format!("{name}{path}")).collect();
        seen.add(Seen {
            known: named(one.known),
            unknown: named(one.unknown),
            closed: named(one.closed),
            open: named(one.open),
            kinds: named(one.kinds),
        });
        let source = sources.entry(record["eventSource"].as_str().unwrap_or("(none)").to_owned()).or_default();
        source.0 += 1;
        source.1.add(seen);
    }
    say(&format!("{:44} {:>7} {:>7} {:>7} {:>7} {:>7}", "source", "records", "paths", "known", "open", "share"));
    let (mut known, mut unknown, mut open) = (0, 0, 0);
    for (source, (records, seen)) in &sources {
        let counted = seen.known.len() + seen.unknown.len();
        let share = 100.0 * seen.known.len() as f64 / counted as f64;
        say(&format!(
            "{source:44} {records:7} {:7} {:7} {:7} {share:6.1}%",
            counted + seen.open.len(),
            seen.known.len(),
            seen.open.len()
        ));
        for path in &seen.unknown {
            say(&format!("    unknown {path}"));
        }
        for path in &seen.kinds {
            say(&format!("    kind {path}"));
        }
        known += seen.known.len();
        unknown += seen.unknown.len();
        open += seen.open.len();
    }
    let share = 100.0 * known as f64 / (known + unknown) as f64;
    say(&format!("{:44} {:7} {:7} {known:7} {open:7} {share:6.1}%", "all", all.len(), known + unknown + open));
    let closed: Vec<&String> = sources.values().flat_map(|(_, seen)| &seen.closed).collect();
    assert!(closed.is_empty(), "{closed:?}");
    let kinds: Vec<&String> = sources.values().flat_map(|(_, seen)| &seen.kinds).collect();
    assert!(kinds.is_empty(), "{kinds:?}");
    assert!(share >= 97.0, "{share}");
}

/// Events of published cases that AWS does not have: invented to be none of those that a rule looks for, or under the source of
/// another service.
const INVENTED: [(&str, &str); 8] = [
    ("cloudtrail.amazonaws.com", "EnableRegion"),
    ("ec2.amazonaws.com", "PutBucketLogging"),
    ("ec2.amazonaws.com", "RegisterManagedInstance"),
    ("iam.amazonaws.com", "DescribePolicy"),
    ("iam.amazonaws.com", "NotCreateUser"),
    // Names of actions in IAM policies: records have ListBuckets and ListObjects.
    ("s3.amazonaws.com", "ListAllMyBuckets"),
    ("s3.amazonaws.com", "ListBucket"),
    ("signin.amazonaws.com", "AssumeRole"),
];

/// What lints say of error codes and of objects without a call is so of everything that was recorded.
#[test]
fn recorded_events_have_codes_that_are_spelt_right_and_objects_that_are_no_texts() {
    let all = records("events");
    if all.is_empty() {
        return crate::skipped("no recordings in ../shared/data/events");
    }
    let codes: BTreeSet<&str> = all.iter().filter_map(|record| record["errorCode"].as_str()).collect();
    let list: Vec<&&str> = codes.iter().collect();
    let text = format!(
        "//! ---\n//! title: T\n//! severity: low\n//! judges: cloudtrail\n//! ---\nfn matches(event) {{ event.errorCode in {list:?} }}\n"
    );
    let checked = Pack::from_text("p", &text).check(&Overrides::default(), &Limits::default()).unwrap();
    let wrong: Vec<&str> =
        checked.warnings().iter().filter(|one| one.code == "misspelt-code").map(|one| &*one.message).collect();
    assert!(codes.len() > 20 && wrong.is_empty(), "{wrong:?}");
    for record in &all {
        for name in
            ["userIdentity", "requestParameters", "responseElements", "additionalEventData", "serviceEventDetails"]
        {
            let text = record[name].as_str().unwrap_or_default();
            assert!(["", "HIDDEN_DUE_TO_SECURITY_REASONS"].contains(&text), "{name} of {}: {text}", record["eventID"]);
        }
    }
}

#[test]
fn recorded_events_have_names_that_the_shapes_know() {
    let all = [records("events"), records("panther")].concat();
    if all.is_empty() {
        return crate::skipped("no recordings in ../shared/data");
    }
    let shapes = Shapes::embedded();
    let mut wrong = BTreeSet::new();
    for record in all.iter().map(|record| record.get("event").unwrap_or(record)) {
        let (Some(source), Some(name)) = (record["eventSource"].as_str(), record["eventName"].as_str()) else {
            continue;
        };
        let is_known = shapes.is_source(source) && shapes.is_event(source, name);
        if !is_known && !INVENTED.contains(&(source, name)) {
            wrong.insert(format!("{source} {name}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
    assert!(INVENTED.iter().all(|(source, name)| !shapes.is_event(source, name)));
}

/// Members that are not of the API: the manual's examples have notes in them, or say otherwise than the API they explain; and
/// what AWS Config calls so, which policies on what the API prints should not rely on.
const NOT_OF_THE_API: [&str; 5] = [
    "cloudwatch/insight-rule-report.RuleAttributes",
    "cloudwatch/metric-statistics.Datapoints[].NOTE1",
    "ec2/snapshot-tier-statuses.LastTieringOperationState",
    "s3api/buckets.Owner",
    "securitylake/sources.awsLogSource",
];

#[test]
fn recorded_resources_hold_what_the_shapes_know() {
    let root = Path::new(SHARED).join("inventory");
    if !root.exists() {
        return crate::skipped("no recordings in ../shared/data/inventory");
    }
    let (mut resources, mut seen) = (0, Seen::default());
    for entry in walkdir::WalkDir::new(root).sort_by_file_name().into_iter().map(Result::unwrap) {
        if !entry.file_type().is_file() {
            continue;
        }
        let text = std::fs::read_to_string(entry.path()).unwrap();
        let name: Arc<str> = entry.path().to_string_lossy().into();
        let file = File { name: &name, path: Some(entry.path()), text: text.as_bytes() };
        let mut builder = Builder::default();
        inventory::read(&file, &Scope::default(), &Manifests::default(), &mut builder);
        for record in builder.finish().0.records() {
            resources += 1;
            let place = Shapes::embedded().resource(&record.kind).unwrap();
            seen.walk(&place, &record.kind, &record.value.view().to_json());
        }
    }
    say(&format!("{resources} resources, {} paths known, {} open", seen.known.len(), seen.open.len()));
    seen.unknown.retain(|path| !NOT_OF_THE_API.contains(&path.as_str()));
    for path in &seen.kinds {
        say(&format!("    kind {path}"));
    }
    assert!(seen.unknown.is_empty(), "{:#?}", seen.unknown);
}

/// A name with a letter dropped, doubled, swapped with the next, or in the wrong case.
fn misspelt(name: &str) -> BTreeSet<String> {
    let letters: Vec<char> = name.chars().collect();
    let mut all = BTreeSet::new();
    for at in 0..letters.len() {
        let mut with = |change: &dyn Fn(&mut Vec<char>)| {
            let mut letters = letters.clone();
            change(&mut letters);
            all.insert(letters.into_iter().collect::<String>());
        };
        with(&|changed| {
            changed.remove(at);
        });
        with(&|changed| changed.insert(at, letters[at]));
        with(&|changed| changed.swap(at, (at + 1).min(letters.len() - 1)));
        with(&|letters| {
            let letter = letters[at];
            letters[at] = if letter.is_uppercase() { letter.to_ascii_lowercase() } else { letter.to_ascii_uppercase() };
        });
    }
    all.remove(name);
    all.remove("");
    all
}

/// Misspells the names below a place that a value has: how many there are, and those that are names, too.
fn misspell(
    place: &Place<'_>,
    value: &Value,
    path: &str,
    seen: &mut BTreeSet<String>,
    told: &mut (usize, Vec<String>),
) {
    let is_listed = matches!(place.field("no such name"), Step::Unknown { .. });
    for (key, value) in value.as_object().into_iter().flatten() {
        let Step::Known(below) = place.field(key) else { continue };
        let path = format!("{path}.{key}");
        if is_listed && seen.insert(path.clone()) {
            for wrong in misspelt(key) {
                told.0 += 1;
                if !matches!(place.field(&wrong), Step::Unknown { .. }) {
                    told.1.push(format!("{path} {wrong}"));
                }
            }
        }
        misspell(&below, value, &path, seen, told);
    }
    for value in value.as_array().into_iter().flatten() {
        if let Step::Known(below) = place.item() {
            misspell(&below, value, path, seen, told);
        }
    }
}

#[test]
fn misspelt_fields_of_recorded_events_are_unknown() {
    let all = records("events");
    if all.is_empty() {
        return crate::skipped("no recordings in ../shared/data/events");
    }
    let (mut seen, mut told) = (BTreeSet::new(), (0, Vec::new()));
    for record in &all {
        let text = |name: &str| record[name].as_str().unwrap_or_default();
        let calls = [Call { source: text("eventSource"), name: text("eventName") }];
        let path = format!("{} {}", calls[0].source, calls[0].name);
        misspell(&Shapes::embedded().record(&calls), record, &path, &mut seen, &mut told);
    }
    say(&format!("{} misspelt names, {} of them are names, too", told.0, told.1.len()));
    assert!(told.1.len() * 200 < told.0, "{:?}", told.1);
}
