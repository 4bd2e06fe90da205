//! Every shape that CloudTrail is delivered in gives the same records; damage is told once; nothing is lost.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use lawbook::fault::Fault;
use lawbook::input::{Batch, Class, File, Settings, Sink, discover, read};
use lawbook::record::Record;

/// What was found in a file.
#[derive(Default)]
struct Found {
    events: Vec<Record>,
    recognised: Vec<&'static str>,
    faults: Vec<Fault>,
}

impl Sink for Found {
    fn event(&mut self, record: Record) {
        self.events.push(record);
    }

    fn recognised(&mut self, what: &'static str) {
        self.recognised.push(what);
    }

    fn fault(&mut self, fault: Fault) {
        self.faults.push(fault);
    }
}

impl Found {
    fn reasons(&self) -> Vec<&str> {
        self.faults.iter().map(|fault| fault.reason.as_str()).collect()
    }

    fn ids(&self) -> Vec<&str> {
        self.events.iter().map(|event| event.id.as_deref().unwrap_or("-")).collect()
    }

    fn fault_count(&self) -> u64 {
        self.faults.iter().map(|fault| fault.count).sum()
    }
}

fn open(file: &File, settings: &Settings) -> Found {
    let mut found = Found::default();
    read(file, settings, &mut |batch: Batch| batch.open(file, &mut found));
    found
}

fn bytes(content: impl AsRef<[u8]>) -> Found {
    open(&File::from_bytes("test", content.as_ref().to_vec()), &Settings::default())
}

fn named(path: &Path) -> (Class, Found) {
    let (files, faults) = discover(&[path.to_owned()], &Settings::default()).expect("the file is there");
    assert!(faults.is_empty(), "{faults:?}");
    let [file] = files.files.as_slice() else { panic!("{files:?}") };
    (file.class, open(file, &Settings::default()))
}

/// The folder of files in every shape, if this machine has it.
fn formats() -> Option<PathBuf> {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data/formats"));
    let path = if path.exists() {
        path.to_owned()
    } else {
        PathBuf::from(std::env::var_os("LAWBOOK_SHARED")?).join("data/formats")
    };
    if path.exists() {
        return Some(path);
    }
    eprintln!("SKIPPED: {} is not there", path.display());
    None
}

#[test]
fn every_delivery_shape() {
    let Some(formats) = formats() else { return };
    let expected = std::fs::read_to_string(formats.join("expected.tsv")).unwrap();
    let (_, base) = named(&formats.join("03-records.ndjson"));
    let base: BTreeMap<&str, &Record> = base.ids().into_iter().zip(&base.events).collect();
    let mut wrong = Vec::new();
    for row in expected.lines().skip(1) {
        let [name, events, faults, recognised, note] = row.split('\t').collect::<Vec<_>>()[..] else { panic!("{row}") };
        let (class, found) = named(&formats.join(name));
        if note.starts_with("inventory") {
            continue;
        }
        if class == Class::Inventory {
            wrong.push(format!("{name}: taken for inventory"));
        }
        let refused = note.contains("read, or refused") && found.events.is_empty() && found.faults.len() == 1;
        let as_told = found.events.len().to_string() == events.trim_end_matches(" rows")
            && found.fault_count().to_string() == faults
            && match recognised.strip_prefix(">=") {
                Some(least) => found.recognised.len() >= least.parse().unwrap(),
                None => found.recognised.len().to_string() == recognised,
            };
        if !refused && !as_told {
            wrong.push(format!(
                "{name}: {} events, {:?}, {:?}; expected {events} {faults} {recognised}",
                found.events.len(),
                found.reasons(),
                found.recognised
            ));
        }
        eprintln!("{name}: {} events {:?} {:?}", found.events.len(), found.reasons(), found.recognised);
        let lossy = note.starts_with("lossy") || name.starts_with("15") && !name.starts_with("15i");
        for event in found.events.iter().filter(|_| !lossy) {
            if let Some(known) = base.get(event.id.as_deref().unwrap_or_default())
                && (known.value.view() != event.value.view() || known.time != event.time || known.scope != event.scope)
            {
                wrong.push(format!(
                    "{name}: {:?} is not the same record\n{:?}\n{:?}",
                    event.id, event.value, known.value
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
