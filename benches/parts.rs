//! Measures the parts of a scan one by one: what a record costs on its way.
//!
//! ```sh
//! cargo bench --bench parts
//! ```

#[expect(dead_code, reason = "other benchmarks use more of it")]
mod support;

use std::fs;
use std::hint::black_box;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use criterion::{Criterion, Throughput};
use flate2::read::MultiGzDecoder;
use lawbook::input::{self, Fields, Reader, Route, Settings, Wanted};
use lawbook::record::Document;
use lawbook::report::{self, Format, Look};
use lawbook::{Checked, Inventory, Limits, Overrides, Pack, Request, engine};
use libdeflater::Decompressor;
use support::corpus::{self, Layout, Size};
use support::packs;

/// As the binary has it, so that allocating costs the same.
#[global_allocator]
static ALLOCATOR: lawbook::script::Metered = lawbook::script::Metered;

/// Records of the log object that everything is measured with.
const RECORDS: usize = 2_000;

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3))
        .configure_from_args();
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("parts");
    if let Err(error) = parts(&mut criterion, &folder) {
        anstream::eprintln!("error: {error}");
        std::process::abort();
    }
    criterion.final_summary();
}

fn parts(criterion: &mut Criterion, folder: &Path) -> io::Result<()> {
    corpus::write(folder, Size { records: RECORDS, per_file: RECORDS }, Layout::One)?;
    let path = folder.join("one.json.gz");
    let packed = fs::read(&path)?;
    let mut text = String::new();
    MultiGzDecoder::new(packed.as_slice()).read_to_string(&mut text)?;
    inflating(criterion, &packed, &text);
    reading(criterion, path, &text)?;
    judging(criterion, folder, text)?;
    loading(criterion);
    Ok(())
}

/// The two ways to inflate an object.
fn inflating(criterion: &mut Criterion, packed: &[u8], text: &str) {
    let mut group = criterion.benchmark_group("inflate an object");
    group.throughput(Throughput::Bytes(text.len() as u64));
    let mut room = vec![0; text.len()];
    let mut decompressor = Decompressor::new();
    group.bench_function("whole, libdeflate", |bencher| {
        bencher.iter(|| decompressor.gzip_decompress(packed, &mut room))
    });
    group.bench_function("as a stream, zlib-rs", |bencher| {
        bencher.iter(|| MultiGzDecoder::new(packed).read_exact(&mut room));
    });
    group.finish();
}

/// Passes over everything, or over nothing.
struct Same(bool);

impl Route for Same {
    fn passes_over(&mut self, fields: &Fields<'_>, _: &mut Vec<u8>) -> bool {
        black_box(fields);
        self.0
    }
}

/// What reading a file costs, its inflating included, and what parsing a record does.
fn reading(criterion: &mut Criterion, path: PathBuf, text: &str) -> io::Result<()> {
    let settings = Settings::default();
    let (files, _) = input::discover(&[path], &settings).map_err(|error| io::Error::other(error.to_string()))?;
    let Some(file) = files.files.first() else { return Err(io::Error::other("the object is no log")) };
    let wanted = Wanted::new([["eventSource"].as_slice(), &["eventName"], &["errorCode"], &["userIdentity", "type"]]);
    let mut reader = Reader::new(&settings, Some(&wanted));
    let mut group = criterion.benchmark_group("read an object");
    group.throughput(Throughput::Elements(RECORDS as u64));
    for (name, passes) in [("pass over every record", true), ("pass over none", false)] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| reader.read(file, false, Some(&mut Same(passes)), &mut |batch| drop(black_box(batch))));
        });
    }
    group.finish();

    let mut group = criterion.benchmark_group("parse");
    let log: serde_json::Value = serde_json::from_str(text)?;
    let records: Vec<String> = log["Records"].as_array().into_iter().flatten().map(ToString::to_string).collect();
    group.throughput(Throughput::Elements(records.len() as u64));
    group.bench_function("`Document::parse` of every record", |bencher| {
        bencher.iter(|| {
            for record in &records {
                let _ = black_box(Document::parse(record.as_bytes()));
            }
        });
    });
    group.finish();
    Ok(())
}

fn checked(pack: &Pack) -> io::Result<Checked> {
    let told = |mistakes: Vec<lawbook::Diagnostic>| io::Error::other(report::diagnostic::draw(&mistakes, false));
    pack.check(&Overrides::default(), &Limits::default()).map_err(told)
}

/// What judging costs where three policies fire on every record, and what telling of it does.
fn judging(criterion: &mut Criterion, folder: &Path, text: String) -> io::Result<()> {
    let pack = folder.join("firing");
    fs::create_dir_all(&pack)?;
    packs::firing(&pack)?;
    let firing = checked(&Pack::from_folder(&pack).map_err(|error| io::Error::other(error.to_string()))?)?;
    let (records, faults) = input::events("object.json", text.into_bytes());
    assert!(faults.is_empty() && records.len() == RECORDS, "the object is read");
    let mut request = Request::new(std::iter::empty::<&str>());
    request.threads = 1;
    let judge = |records: &[lawbook::Record]| engine::judge(&firing, records, Inventory::default(), &request);

    let mut group = criterion.benchmark_group("judge, three findings a record");
    for records in [&records[..1], &records] {
        group.throughput(Throughput::Elements(records.len() as u64));
        group.bench_function(format!("{} records", records.len()), |bencher| {
            bencher.iter(|| black_box(judge(records)).is_ok())
        });
    }
    group.finish();

    let outcome = judge(&records).map_err(|error| io::Error::other(error.to_string()))?;
    let mut group = criterion.benchmark_group("report");
    group.throughput(Throughput::Elements(outcome.findings.len()));
    for format in [Format::Text, Format::Json, Format::Ndjson] {
        group.bench_function(format!("{format:?} of every finding"), |bencher| {
            bencher.iter(|| report::write(format, &outcome, &firing, Look::default(), &mut io::sink()));
        });
    }
    group.finish();
    Ok(())
}

/// What every run pays before it reads anything.
fn loading(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("load");
    group.bench_function("the embedded pack", |bencher| bencher.iter(|| black_box(checked(&Pack::embedded())).is_ok()));
    group.finish();
}
