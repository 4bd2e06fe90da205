//! Every shape that CloudTrail is delivered in gives the same records; damage is told once; nothing is lost.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use flate2::Compression;
use flate2::write::GzEncoder;
use lawbook::fault::Fault;
use lawbook::input::{Batch, Class, File, Files, Filter, Settings, Sink, SkipReason, discover, read, text};
use lawbook::record::{CLOUDTRAIL, Document, Node, Origin, Record, Scope};
use proptest::prelude::*;
use serde_json::{Value, json};

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

/// A file of CSV, which is known by its name.
fn table(content: &str) -> Found {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.csv");
    std::fs::write(&path, content).unwrap();
    named(&path).1
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
    if path.exists() {
        return Some(path.to_owned());
    }
    crate::skipped(&format!("the delivery shapes: {} is absent", path.display()));
    None
}

#[test]
fn every_delivery_shape() {
    let Some(formats) = formats() else { return };
    let expected = fs::read_to_string(formats.join("expected.tsv")).unwrap();
    let (_, base) = named(&formats.join("03-records.ndjson"));
    let base: BTreeMap<&str, &Record> = base.ids().into_iter().zip(&base.events).collect();
    let mut wrong = Vec::new();
    for row in expected.lines().skip(1) {
        let [name, events, faults, recognised, note] = row.split('\t').collect::<Vec<_>>()[..] else { panic!("{row}") };
        let (class, found) = named(&formats.join(name));
        if note.starts_with("inventory") {
            if class != Class::Inventory {
                wrong.push(format!("{name}: {class:?}, not inventory"));
            }
            continue;
        }
        if class == Class::Inventory {
            wrong.push(format!("{name}: taken for inventory"));
        }
        let refused = note.contains("read, or refused")
            && found.events.is_empty()
            && found.reasons().windows(2).all(|pair| pair[0] == pair[1])
            && !found.faults.is_empty();
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

/// Three invented records, one a line.
const RECORDS: &str = include_str!("../data/input/records.ndjson");

fn records() -> Vec<Value> {
    RECORDS.lines().map(|line| serde_json::from_str(line).expect("a record")).collect()
}

fn gzip(text: impl AsRef<[u8]>) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_ref()).expect("in memory");
    encoder.finish().expect("in memory")
}

/// The same three records, in the same order, and nothing else.
#[track_caller]
fn assert_whole(name: &str, found: &Found) {
    assert_eq!(found.reasons(), Vec::<&str>::new(), "{name}");
    assert_eq!(found.events.len(), 3, "{name}: {found:?}", found = found.ids());
    for (position, (event, known)) in found.events.iter().zip(records()).enumerate() {
        assert_eq!(event.value.view(), Document::from(&known).root(), "{name}");
        assert_eq!(event.kind.as_ref(), CLOUDTRAIL);
        assert_eq!(event.id.as_deref(), known["eventID"].as_str());
        assert_eq!(event.time.map(|time| time.to_string()).as_deref(), known["eventTime"].as_str());
        assert_eq!(event.scope.region.as_deref(), known["awsRegion"].as_str());
        assert_eq!(event.origin.position, position as u64 + 1, "{name}");
    }
    let accounts: Vec<_> = found.events.iter().map(|event| event.scope.account.as_deref()).collect();
    assert_eq!(accounts, [Some("111122223333"), Some("444455556666"), Some("777788889999")], "{name}");
}

fn each(wrap: impl Fn(&Value) -> Value) -> Vec<Value> {
    records().iter().map(wrap).collect()
}

fn lines(list: &[Value]) -> String {
    list.iter().map(|value| format!("{value}\n")).collect()
}

#[test]
fn our_own_records_in_every_envelope() {
    let text = |record: &Value| Value::from(record.to_string());
    let all = json!({ "Records": records() });
    let log_events = json!({
        "messageType": "DATA_MESSAGE", "owner": "111122223333", "logGroup": "g", "logStream": "s",
        "logEvents": each(|record| json!({ "id": "1", "timestamp": 1, "message": text(record) })),
    });
    let payload = BASE64.encode(gzip(log_events.to_string()));
    let bridge = |record: &Value| {
        json!({ "version": "0", "detail-type": "AWS API Call via CloudTrail", "source": "aws.ec2", "account": "1",
                "time": "2026-03-01T10:00:00Z", "region": "r", "resources": [], "detail": record })
    };
    let panther = |record: &Value| {
        let mut record = record.clone();
        record["p_log_type"] = json!("AWS.CloudTrail");
        record["p_any_ip_addresses"] = json!(["192.0.2.1"]);
        record
    };
    let logstash = |record: &Value| {
        let mut record = record.clone();
        let time = record.as_object_mut().and_then(|members| members.remove("eventTime")).expect("a time");
        record["@timestamp"] = json!(time.as_str().expect("text").replace('Z', ".000Z"));
        record["@version"] = json!("1");
        record
    };
    let sns = |record: &Value| json!({ "Type": "Notification", "MessageId": "m", "TopicArn": "t", "Message": bridge(record).to_string() });
    let sqs =
        |body: Value| json!({ "messageId": "m", "body": body.to_string(), "eventSource": "aws:sqs", "awsRegion": "r" });
    let pretty = serde_json::to_string_pretty(&all).expect("JSON");
    let shapes: Vec<(&str, String)> = vec![
        ("lines", RECORDS.to_owned()),
        ("CRLF, blank lines and a mark", format!("\u{feff}{}", RECORDS.replace('\n', "\r\n\r\n"))),
        ("back to back", RECORDS.replace('\n', "")),
        ("log object", all.to_string()),
        ("other keys before and after", format!("{{\"a\":{{}},\"Records\":{},\"b\":[1]}}", json!(records()))),
        ("escaped key", all.to_string().replace("\"Records\"", "\"\\u0052ecords\"")),
        ("pretty log object", pretty.clone()),
        ("array", json!(records()).to_string()),
        ("array of log objects", json!([all]).to_string()),
        ("log objects a line", lines(&each(|record| json!({ "Records": [record] })))),
        ("JSON strings", lines(&each(text))),
        ("EventBridge", lines(&each(bridge))),
        ("lookup-events", json!({ "Events": each(|record| json!({ "EventId": "1", "CloudTrailEvent": text(record) })), "NextToken": "t" }).to_string()),
        ("lookup-events, parsed", json!({ "Events": each(|record| json!({ "CloudTrailEvent": record })) }).to_string()),
        ("awslogs", json!({ "awslogs": { "data": payload } }).to_string()),
        ("decoded", log_events.to_string()),
        ("Kinesis", json!({ "Records": [{ "kinesis": { "data": payload }, "eventSource": "aws:kinesis", "eventName": "aws:kinesis:record", "eventID": "1", "awsRegion": "r" }] }).to_string()),
        ("Kinesis of plain lines", json!({ "Records": [{ "kinesis": { "data": BASE64.encode(RECORDS) } }] }).to_string()),
        ("Firehose transformation", json!({ "records": [{ "recordId": "1", "data": payload.trim_end_matches('=') }] }).to_string()),
        ("filter-log-events", json!({ "events": each(|record| json!({ "message": text(record), "timestamp": 1 })) }).to_string()),
        ("Logs Insights", json!({ "results": each(|record| json!([{ "field": "@ptr", "value": "p" }, { "field": "@message", "value": text(record) }])), "status": "Complete" }).to_string()),
        ("Lake", json!({ "QueryStatus": "FINISHED", "QueryResultRows": each(|record| json!([{ "eventJson": text(record) }])) }).to_string()),
        ("Splunk HEC", lines(&each(|record| json!({ "time": 1, "sourcetype": "aws:cloudtrail", "event": record })))),
        ("Splunk HEC, text", lines(&each(|record| json!({ "time": 1, "event": text(record) })))),
        ("Splunk export", lines(&each(|record| json!({ "preview": false, "result": { "_raw": text(record), "_time": "t" } })))),
        ("Filebeat", lines(&each(|record| json!({ "@timestamp": "t", "event": { "original": text(record), "module": "aws" }, "message": "m" })))),
        ("Elastic hits", json!({ "took": 1, "hits": { "total": 3, "hits": each(|record| json!({ "_id": "1", "_source": record })) } }).to_string()),
        ("message", lines(&each(|record| json!({ "message": text(record), "service": "cloudtrail" })))),
        ("Logstash", lines(&each(logstash))),
        ("Panther", lines(&each(panther))),
        ("SNS in SQS", json!({ "Records": each(|record| sqs(sns(record))) }).to_string()),
        ("EventBridge in SQS", json!({ "Records": each(|record| sqs(bridge(record))) }).to_string()),
        ("receive-message", json!({ "Messages": each(|record| json!({ "MessageId": "m", "ReceiptHandle": "h", "Body": record.to_string() })) }).to_string()),
    ];
    for (name, text) in &shapes {
        assert_eq!(File::from_bytes("test", text.clone().into_bytes()).class, Class::Events, "{name}");
        assert_whole(name, &bytes(text));
        assert_whole(&format!("{name}, gzip"), &bytes(gzip(text)));
    }
    let csv: String = each(text)
        .iter()
        .map(|cell| format!("1,\"{}\"\n", cell.as_str().expect("text").replace('"', "\"\"")))
        .collect();
    assert_whole("Lake CSV", &bytes(format!("\u{feff}eventTime,eventJson\n{csv}")));
    let utf16: Vec<u8> = [0xFEFF].into_iter().chain(pretty.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    assert_whole("UTF-16LE", &bytes(utf16));
    let utf16: Vec<u8> = [0xFEFF].into_iter().chain(pretty.encode_utf16()).flat_map(u16::to_be_bytes).collect();
    assert_whole("UTF-16BE", &bytes(gzip(utf16)));
}

#[test]
fn gzip_of_every_making() {
    let members: Vec<u8> = RECORDS.lines().flat_map(gzip).collect();
    assert_whole("members", &bytes(&members));
    let padded = [members.as_slice(), &[0; 700]].concat();
    assert_whole("padded", &bytes(padded));
    assert_whole("twice", &bytes(gzip(gzip(RECORDS))));

    let mut wrong = gzip(RECORDS);
    let end = wrong.len();
    wrong[end - 6] ^= 1;
    let found = bytes([wrong, gzip(RECORDS)].concat());
    assert_eq!((found.events.len(), found.fault_count()), (6, 1));
    assert!(found.reasons()[0].starts_with("gzip checksum is wrong"));

    let found = bytes(&members[..members.len() - 20]);
    assert_eq!((found.events.len(), found.reasons()), (2, vec!["gzip stream ends early; fetch the file again"]));
    let found = bytes([members.as_slice(), b"tail"].concat());
    assert_eq!((found.events.len(), found.reasons()), (3, vec!["bytes that are not gzip follow the gzip stream"]));

    let mut damaged = gzip(RECORDS.repeat(200));
    let middle = damaged.len() / 2;
    damaged[middle..middle + 8].fill(0xFF);
    let found = bytes(damaged);
    assert_eq!(found.fault_count(), 1, "{:?}", found.reasons());
}

#[test]
fn a_bomb_is_not_inflated() {
    let bomb = gzip(vec![b' '; 3 << 20]);
    let settings = Settings { max_inflated: 1 << 20, ..Settings::default() };
    let file = File::from_bytes("bomb", bomb.clone());
    let told = "inflates to more than 1 MiB; raise the limit with `--max-inflated`";
    assert_eq!(open(&file, &settings).reasons(), [told]);
    let (_, faults) = text(&file, &settings);
    assert_eq!(faults.iter().map(|fault| fault.reason.as_str()).collect::<Vec<_>>(), [told]);
    assert_eq!(open(&File::from_bytes("twice", gzip(&bomb)), &settings).reasons(), [told]);

    let inner = BASE64.encode(gzip(vec![b' '; 3 << 20]));
    let settings = Settings { max_record: 1 << 20, ..Settings::default() };
    let file = File::from_bytes("payload", json!({ "awslogs": { "data": inner } }).to_string().into_bytes());
    let found = open(&file, &settings);
    assert_eq!(found.reasons(), ["`awslogs.data`: inflates to more than 1 MiB; raise the limit with `--max-record`"]);
}

/// What is within the limit is read, however much is read at once.
#[test]
fn all_up_to_the_limit_is_inflated() {
    let line = "{\"eventVersion\":\"1.10\",\"eventSource\":\"s\",\"eventName\":\"A\"}\n";
    let text = line.repeat(20_000);
    let read_up_to = |bytes: usize| {
        let settings = Settings { max_inflated: bytes as u64, ..Settings::default() };
        open(&File::from_bytes("log", gzip(&text)), &settings)
    };
    let whole = read_up_to(text.len());
    assert_eq!((whole.events.len(), whole.faults.len()), (20_000, 0), "{:?}", whole.reasons());
    for short in [1, line.len() + 1, 100_000] {
        let found = read_up_to(text.len() - short);
        // Of the last record that there is room for, all but the end of the line may be there.
        let most = (text.len() - short + 1) / line.len();
        assert_eq!(found.events.len(), most, "{short}");
        assert!(found.reasons().iter().any(|reason| reason.starts_with("inflates to more than")), "{short}");
    }
}

/// A file that was cut or emptied since it was found may end where a record does.
#[test]
fn a_file_that_shrank_is_told() {
    let desk = tempfile::tempdir().unwrap();
    let line = "{\"eventVersion\":\"1.10\",\"eventSource\":\"s\",\"eventName\":\"A\"}\n";
    let path = desk.path().join("log.json");
    for (before, after, events) in [
        (line.repeat(9).into_bytes(), line.repeat(4).into_bytes(), 4),
        (line.repeat(9).into_bytes(), Vec::new(), 0),
        (gzip(line.repeat(999)), Vec::new(), 0),
        (gzip(line.repeat(999)), gzip(line.repeat(2)), 2),
    ] {
        fs::write(&path, &before).unwrap();
        let (files, _) = discover(std::slice::from_ref(&path), &Settings::default()).unwrap();
        assert_eq!(open(&files.files[0], &Settings::default()).faults.len(), 0);
        fs::write(&path, &after).unwrap();
        let found = open(&files.files[0], &Settings::default());
        let told = format!(
            "ends after {} of the {} bytes that it had when it was found; scan it again",
            after.len(),
            before.len()
        );
        assert_eq!((found.events.len(), found.reasons()), (events, vec![told.as_str()]));
    }
}

#[test]
fn what_is_wrong_is_named() {
    let deep = format!("{{\"eventSource\":\"s\",\"eventName\":\"n\",\"x\":{}1{}}}", "[".repeat(200), "]".repeat(200));
    let table: Vec<(Vec<u8>, &str)> = vec![
        (b"PK\x03\x04....".to_vec(), "zip is not read: unpack it first, with `unzip`"),
        (b"\x28\xb5\x2f\xfd....".to_vec(), "zstd is not read: decompress it first, with `zstd -d`"),
        (b"PAR1....".to_vec(), "Parquet is not read: export the raw records as JSON"),
        (b"\x7fELF\x00".to_vec(), "not text: binary data that begins with the bytes 7f 45 4c 46 00"),
        (b"{\"a\":NaN}".to_vec(), "not JSON: expected value at column 6"),
        (b"{\"a\":1}".to_vec(), "not a shape that lawbook knows: an object with the keys `a`"),
        (
            b"{\"\x1b[2J\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5}".to_vec(),
            "not a shape that lawbook knows: an object with the keys `\\u{1b}[2J`, `b`, `c`, `d`…",
        ),
        (
            b"{\"eventSource\":\"s\",\"eventName\":\"n\"}".to_vec(),
            "no record of CloudTrail: it has none of `eventVersion`, `eventTime`, `eventID`, `userIdentity`, `awsRegion`",
        ),
        (b"{}".to_vec(), "an empty object where a record was expected"),
        (b"[null]".to_vec(), "`null` where a record was expected"),
        (deep.into_bytes(), "nested deeper than 127 levels"),
        (b"{\"Events\":[{\"CloudTrailEvent\":\"cut\"}]}".to_vec(), "`CloudTrailEvent` does not hold a record: `cut`"),
        (b"{\"awslogs\":{\"data\":\"*\"}}".to_vec(), "`awslogs.data` is not base64; fetch it again"),
    ];
    for (content, reason) in table {
        assert_eq!(bytes(content).reasons(), [reason]);
    }
}

#[test]
fn a_damaged_record_costs_only_itself() {
    let list = records();
    let found = bytes(format!("{{\"Records\":[{},{{\"a\":NaN}},{},oops,{}]}}", list[0], list[1], list[2]));
    assert_eq!((found.events.len(), found.fault_count()), (3, 2));
    let found = bytes(format!("{}\n{{\"a\":1}}\n{}\n{{\"a\":2}}\n{}", list[0], list[1], list[2]));
    assert_eq!((found.events.len(), found.faults.len(), found.fault_count()), (3, 2, 2));
    assert_eq!(found.faults[0].origin, Origin { file: "test".into(), position: 0, line: Some(2) });
    for empty in [json!({ "Records": [] }), json!([{ "Events": [], "NextToken": "t" }]), json!([])] {
        let found = bytes(empty.to_string());
        assert_eq!((found.events.len(), found.fault_count()), (0, 0));
    }
    let beside = json!({ "Records": [], "message": list[0].to_string() });
    assert_eq!(bytes(beside.to_string()).events.len(), 1);
    let twice = format!("{{\"Records\":[{}],\"Records\":[{}]}}", list[0], list[1]);
    assert_eq!(bytes(twice).events.len(), 2);
}

#[test]
fn what_is_not_an_event_is_recognised() {
    for (text, what) in [
        (json!({ "digestStartTime": "t", "logFiles": [] }), "a CloudTrail digest"),
        (
            json!({ "Records": [{ "eventID": "1", "eventType": "AwsCloudTrailInsight", "insightDetails": {} }] }),
            "a CloudTrail Insights event",
        ),
        (
            json!({ "Records": [{ "eventVersion": "2.1", "eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "userIdentity": {} }] }),
            "a notification of another service",
        ),
        (
            json!({ "detail-type": "EC2 Instance State-change Notification", "detail": { "state": "pending" } }),
            "an EventBridge event that is not from CloudTrail",
        ),
        (
            json!({ "messageType": "CONTROL_MESSAGE", "logEvents": [{ "message": "CWL" }] }),
            "a control message of CloudWatch Logs",
        ),
        (
            json!({ "Records": [{ "messageId": "m", "body": "hello", "eventSource": "aws:sqs" }] }),
            "a message that holds no record",
        ),
        (
            json!({ "Type": "Notification", "Message": "{\"s3Bucket\":\"b\",\"s3ObjectKey\":[\"k\"]}" }),
            "a notice of delivery from CloudTrail",
        ),
        (json!({ "QueryResultRows": [[{ "eventName": "n" }, { "count": "1" }]] }), "a report of CloudTrail Lake"),
    ] {
        assert_eq!(File::from_bytes("test", text.to_string().into_bytes()).class, Class::Events, "{text}");
        let found = bytes(text.to_string());
        assert_eq!((found.recognised.as_slice(), found.reasons()), (&[what][..], vec![]), "{text}");
    }
}

/// What looks like an envelope of another kind, and holds records all the same, is opened.
#[test]
fn records_in_odd_envelopes_are_found() {
    let list = records();
    let (first, text) = (&list[0], list[0].to_string());
    let packed = BASE64.encode(gzip(&text));
    let lake = |cells: Value| json!({ "QueryStatus": "FINISHED", "QueryResultRows": [cells] });
    let bus = |detail: Value| json!({ "detail-type": "Relayed", "source": "own", "detail": detail });
    let queued = |body: String| json!({ "Records": [{ "messageId": "m", "eventSource": "aws:sqs", "body": body }] });
    let mut with_null = first.clone();
    with_null["insightDetails"] = Value::Null;
    for envelope in [
        with_null,
        json!({ "events": [], "record": first }),
        json!({ "results": [], "record": first }),
        json!({ "logEvents": [], "hits": { "hits": [{ "_source": first }] } }),
        lake(json!([{ "anything": text }])),
        lake(json!({ "eventJson": text })),
        json!({ "results": [[{ "field": "@ptr", "value": "p" }, { "field": "own", "value": text }]] }),
        queued(format!("\u{feff}{text}")),
        queued(json!(text).to_string()),
        queued(packed.clone()),
        queued(BASE64.encode(&text)),
        queued(BASE64.encode(json!([first]).to_string())),
        json!({ "Type": "Notification", "Message": packed }),
        json!({ "s3Bucket": "b", "s3ObjectKey": "k", "event": first }),
        json!({ "s3Bucket": "b", "s3ObjectKey": "k", "message": text }),
        bus(json!({ "Records": [first] })),
        bus(json!({ "event": first })),
        bus(json!([first])),
        bus(json!(format!(" {text}"))),
    ] {
        let found = bytes(envelope.to_string());
        assert_eq!((found.ids(), found.reasons()), (vec![first["eventID"].as_str().unwrap()], vec![]), "{envelope}");
    }
    // What another application sends stays its own.
    for other in [
        bus(json!({ "records": [{ "a": 1 }] })),
        bus(json!("{\"a\":1}")),
        queued("hello".to_owned()),
        queued("eyJhbGciOiJub25lIn0.eyJhIjoxfQ.".to_owned()),
    ] {
        let found = bytes(other.to_string());
        assert_eq!((found.events.len(), found.recognised.len(), found.reasons()), (0, 1, vec![]), "{other}");
    }
    for nothing in [json!({ "events": [] }), json!({ "results": [], "status": "Complete" })] {
        let found = bytes(nothing.to_string());
        assert_eq!((found.events.len(), found.recognised.len(), found.reasons()), (0, 0, vec![]), "{nothing}");
    }
}

/// What stands beside `Records` and holds events is told, if nobody reads it.
#[test]
fn events_beside_records_are_read_or_told() {
    let event =
        |id: &str| json!({ "eventVersion": "1.10", "eventID": id, "eventSource": "s.amazonaws.com", "eventName": "N" });
    for (beside, read) in [("extra", false), ("data", false), ("Events", true), ("records", true), ("detail", true)] {
        for value in [json!([event("2")]), event("2")] {
            if beside != "detail" && beside != "extra" && value.is_object() || beside == "detail" && value.is_array() {
                continue;
            }
            let told = bytes(json!({ "Records": [event("1")], beside: value }).to_string());
            let faults = told.reasons();
            assert_eq!(told.events.len(), if read { 2 } else { 1 }, "{beside}: {faults:?}");
            assert_eq!(faults.len(), usize::from(!read), "{beside}: {faults:?}");
            assert!(read || faults[0].contains(&format!("events in `{beside}` beside `Records`")), "{faults:?}");
        }
    }
    let told =
        bytes(json!({ "Records": [event("1")], "extra": [1, { "a": 2 }], "note": { "eventName": "x" } }).to_string());
    assert_eq!((told.events.len(), told.reasons()), (1, vec![]));
}

/// What stands beside `Records` and is what a command lists is told, too.
#[test]
fn resources_beside_records_are_told() {
    let event = json!({ "eventVersion": "1.10", "eventID": "1", "eventSource": "s.amazonaws.com", "eventName": "N" });
    for (beside, value, told) in [
        ("Volumes", json!([{ "VolumeId": "vol-1", "Encrypted": false, "New": 1 }]), true),
        ("Reservations", json!([{ "ReservationId": "r-1", "Instances": [] }]), true),
        ("Volumes", json!([{ "loudness": 11 }]), false),
        ("Volumes", json!([]), false),
        ("Volumes", json!([7]), false),
        ("Loudness", json!([{ "VolumeId": "vol-1" }]), false),
    ] {
        let found = bytes(json!({ "Records": [event], beside: value }).to_string());
        let reasons = found.reasons();
        assert_eq!((found.events.len(), reasons.len()), (1, usize::from(told)), "{beside} {value}: {reasons:?}");
        assert!(!told || reasons[0].contains(&format!("resources in `{beside}` beside `Records`")), "{reasons:?}");
    }
}

/// Pipelines give a record in several forms. Where these are two records, the one that is not read is told.
#[test]
fn another_record_in_an_envelope_is_told() {
    let event = |id: Option<&str>, name: &str| {
        let mut event = json!({ "eventVersion": "1.10", "eventSource": "s.amazonaws.com", "eventName": name });
        if let Some(id) = id {
            event["eventID"] = json!(id);
        }
        event
    };
    let text = |event: Value| json!(event.to_string());
    let one = || event(Some("1"), "A");
    for (envelope, told) in [
        (json!({ "message": text(one()), "log": text(event(Some("2"), "A")) }), Some(("`log`", "`message`"))),
        (json!({ "event": one(), "message": text(event(Some("2"), "A")) }), Some(("`event`", "`message`"))),
        (json!({ "record": one(), "json": event(Some("2"), "A") }), Some(("`json`", "`record`"))),
        (json!({ "message": text(event(None, "A")), "log": text(event(None, "B")) }), Some(("`log`", "`message`"))),
        (json!({ "message": text(one()), "log": text(one()) }), None),
        (json!({ "message": text(one()), "event": one() }), None),
        // A form that leaves something out is no other record.
        (json!({ "message": text(one()), "event": event(None, "A") }), None),
        (json!({ "message": text(one()), "log": "{\"level\":\"info\"}" }), None),
        (json!({ "message": text(one()), "log": "{" }), None),
    ] {
        let found = bytes(envelope.to_string());
        assert_eq!(found.events.len(), 1, "{envelope}");
        let reasons = found.reasons();
        match told {
            None => assert!(reasons.is_empty(), "{envelope}: {reasons:?}"),
            Some((other, read)) => {
                assert_eq!(reasons.len(), 1, "{envelope}");
                assert!(reasons[0].contains(&format!("another record in {other} than in {read}")), "{reasons:?}");
            }
        }
    }
}

/// A table may have several columns that can hold the record, some of them empty or words for people.
#[test]
fn the_column_that_holds_the_record_is_read() {
    let cell = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    let record = json!({ "eventVersion": "1.10", "eventID": "1", "eventSource": "s.amazonaws.com", "eventName": "N" });
    for row in [
        format!("{},{}", cell("an event"), cell(&record.to_string())),
        format!(",{}", cell(&record.to_string())),
        format!("{},", cell(&record.to_string())),
    ] {
        let found = table(&format!("message,_raw\n{row}\n"));
        assert_eq!((found.events.len(), found.reasons()), (1, vec![]), "{row}");
    }
    let found = table("message,_raw\nan event,\n");
    assert_eq!(found.events.len(), 0);
    assert!(found.reasons()[0].contains("does not hold a record: `an event`"), "{:?}", found.reasons());
}

/// Results that hold parts of records and nothing else would leave policies silent.
/// What a service answers may say itself that it is not all.
#[test]
fn answers_that_say_they_are_not_whole_are_told() {
    let rows = || each(|record| json!([{ "eventJson": record.to_string() }]));
    let fields = || each(|record| json!([{ "field": "@message", "value": record.to_string() }]));
    let hits = || json!({ "hits": each(|record| json!({ "_source": record })) });
    let lake = |status: &str| json!({ "QueryStatus": status, "QueryResultRows": rows() });
    let insights = |status: &str| json!({ "results": fields(), "status": status });
    let search =
        |late: bool, failed: u64| json!({ "timed_out": late, "_shards": { "failed": failed }, "hits": hits() });
    for answer in
        [lake("RUNNING"), lake("TIMED_OUT"), insights("Running"), insights("Failed"), search(true, 0), search(false, 2)]
    {
        let found = bytes(answer.to_string());
        assert_eq!((found.events.len(), found.faults.len()), (3, 1), "{answer}");
        assert!(found.faults[0].reason.contains(" again"), "{:?}", found.faults);
    }
    for answer in [lake("FINISHED"), insights("Complete"), search(false, 0)] {
        assert_whole("whole", &bytes(answer.to_string()));
    }
}

#[test]
fn an_answer_whose_last_page_is_missing_is_told() {
    let lake = |token: Option<&str>| {
        let mut page = json!({ "QueryResultRows": each(|record| json!([{ "eventJson": record.to_string() }])) });
        if let Some(token) = token {
            page["NextToken"] = token.into();
        }
        page.to_string()
    };
    let with = |list: &str, name: &str, token: &str| json!({ list: records(), name: token }).to_string();
    let told = |files: &[(&str, String)]| {
        let folder = tempfile::tempdir().unwrap();
        files.iter().for_each(|(name, text)| put(folder.path(), name, text));
        let (files, faults) = discover(&[folder.path().to_owned()], &Settings::default()).unwrap();
        assert!(faults.is_empty(), "{faults:?}");
        let found: usize = files.files.iter().map(|file| open(file, &Settings::default()).events.len()).sum();
        assert_eq!(found % 3, 0, "every record is read all the same");
        lawbook::input::unfinished(&files.files).len()
    };
    let pages = |pages: &[String]| pages.join("\n");
    for (files, faults) in [
        (vec![("a.json", lake(Some("AbC==")))], 1),
        (vec![("a.json", lake(Some("")))], 0),
        (vec![("a.json", lake(None))], 0),
        (vec![("a.json", with("Events", "NextToken", "eyJ"))], 1),
        (vec![("a.json", with("events", "nextToken", "eyJ"))], 1),
        (vec![("a.json", pages(&[lake(Some("1")), lake(Some("2")), lake(None)]))], 0),
        (vec![("a.json", pages(&[lake(Some("1")), lake(None), lake(Some("2"))]))], 1),
        // The pages of one answer, each in a file of its own.
        (vec![("q/1.json", lake(Some("1"))), ("q/2.json", lake(None))], 0),
        (vec![("q/1.json", lake(Some("1"))), ("q/2.json", lake(Some("2")))], 2),
        (vec![("q/1.json", lake(Some("1"))), ("r/2.json", lake(None))], 1),
        (vec![("a.json", json!({ "Records": records() }).to_string())], 0),
    ] {
        assert_eq!(told(&files), faults, "{files:?}");
    }
}

#[test]
fn results_that_pick_fields_are_a_fault() {
    let lake = |cells: Value| json!({ "QueryResultRows": [cells] });
    let insights = |names: &[&str]| {
        let cells: Vec<Value> = names.iter().map(|name| json!({ "field": name, "value": "v" })).collect();
        json!({ "results": [cells] })
    };
    let of_lake = "a CloudTrail Lake result that picks columns out of records; select `eventJson`";
    let of_insights = "a Logs Insights result that picks fields out of records; select `@message`";
    for (result, told) in [
        (lake(json!([{ "userIdentity": "{}" }, { "count": "1" }])), of_lake),
        (lake(json!({ "eventName": "n", "responseElements": "{}" })), of_lake),
        (lake(json!([{ "eventJson": null }])), "a row whose `eventJson` is empty"),
        (insights(&["userIdentity.arn", "count(*)"]), of_insights),
    ] {
        let found = bytes(result.to_string());
        assert_eq!((found.reasons(), found.recognised.len()), (vec![told], 0), "{result}");
    }
    for report in
        [lake(json!([{ "eventName": "n" }, { "eventTime": "t" }])), insights(&["eventName", "eventSource", "count(*)"])]
    {
        let found = bytes(report.to_string());
        assert_eq!((found.reasons(), found.recognised.len()), (vec![], 1), "{report}");
    }
}

#[test]
fn an_athena_table_gives_records_back() {
    let header = "eventversion,useridentity,eventtime,eventsource,eventname,awsregion,errorcode,requestparameters,responseelements,eventid,readonly,recipientaccountid,region";
    let row = "\"1.11\",\"{type=IAMUser, principalid=AIDA, arn=arn:aws:iam::111122223333:user/a, b, accountid=111122223333, username=a, b, sessioncontext=null}\",\"2026-03-01T10:00:00Z\",\"ec2.amazonaws.com\",\"StopInstances\",\"eu-west-1\",,\"{\"\"a\"\":[1]}\",\"null\",\"e-1\",\"false\",\"111122223333\",\"x\"";
    let found = bytes(format!("{header}\n{row}\n"));
    assert_eq!(found.reasons(), Vec::<&str>::new());
    assert_eq!(
        found.events[0].value.view().to_json(),
        json!({
            "eventVersion": "1.11",
            "userIdentity": { "type": "IAMUser", "principalId": "AIDA", "arn": "arn:aws:iam::111122223333:user/a, b", "accountId": "111122223333", "userName": "a, b" },
            "eventTime": "2026-03-01T10:00:00Z", "eventSource": "ec2.amazonaws.com", "eventName": "StopInstances", "awsRegion": "eu-west-1",
            "requestParameters": { "a": [1] }, "responseElements": null, "eventID": "e-1", "readOnly": false, "recipientAccountId": "111122223333"
        })
    );
    let found = bytes(format!("{}\n{row}\n{row}\n", header.replace("errorcode,", "").replace("eventid,", "")));
    assert_eq!(found.reasons(), ["a table without the columns `errorcode`, `eventid`; select all columns"]);
    let found = bytes(format!("{header}\n{row}\n1,2\n{row}\n\"cut"));
    assert_eq!((found.events.len(), found.fault_count()), (2, 2));
    // Who called is told in whole or not at all.
    let found = bytes(format!("{header}\n{}\n{row}\n", row.replace("sessioncontext=null", "newmember={a=b}")));
    let told = "column `useridentity` does not hold a struct of members that are known; export the records themselves";
    assert_eq!((found.events.len(), found.reasons()), (1, vec![told]));
    // Other engines write NULL in words.
    let found = bytes(format!("{header}\n{}\n", row.replace("\"eu-west-1\",,", "\"eu-west-1\",null,")));
    assert_eq!(found.events[0].value.view().get("errorCode").map(lawbook::record::Ref::is_null), Some(true));
    // Saved again by what quotes every cell.
    let found = bytes(format!("{header}\n{}\n", row.replace("\"eu-west-1\",,", "\"eu-west-1\",\"\",")));
    assert_eq!(found.events[0].value.view().get("errorCode").map(lawbook::record::Ref::is_null), Some(true));
    let found = bytes(format!("{header}\r{row}\r{row}\r"));
    assert_eq!(found.events.len(), 0);
    assert!(found.reasons()[0].starts_with("a header with carriage returns"), "{:?}", found.reasons());
    let rows = json!([{ "Data": [{ "VarCharValue": "1.11" }, { "VarCharValue": "{type=Root}" }] }]);
    let found = bytes(json!({ "ResultSet": { "Rows": rows } }).to_string());
    assert_eq!((found.events.len(), found.fault_count()), (0, 1), "{:?}", found.reasons());
}

#[test]
fn an_athena_table_gives_resources_back() {
    let header = "eventversion,useridentity,eventtime,eventsource,eventname,awsregion,errorcode,requestparameters,responseelements,eventid,recipientaccountid,resources,addendum,edgedevicedetails";
    let row = |resources: &str| {
        format!(
            "1.11,{{type=Root}},2026-03-01T10:00:00Z,kms.amazonaws.com,Decrypt,eu-west-1,,null,null,e-1,111122223333,\"{resources}\",\"{{reason=DELIVERY_DELAY, updatedfields=null, originaluid=null, originaleventid=e-0}}\",\"{{\"\"a\"\":1}}\""
        )
    };
    let found = bytes(format!(
        "{header}\n{}\n{}\n{}\n",
        row(
            "[{arn=arn:aws:kms:eu-west-1:111122223333:key/1, accountid=111122223333, type=AWS::KMS::Key}, {arn=a, accountid=null, type=null}]"
        ),
        row("null"),
        row("[{arn=cut")
    ));
    assert_eq!(found.reasons(), ["column `resources` does not hold a list; export the records themselves"]);
    let [first, second] = found.events.as_slice() else { panic!("{:?}", found.events) };
    let get = |record: &Record, name: &str| record.value.view().get(name).map(lawbook::record::Ref::to_json);
    assert_eq!(
        get(first, "resources"),
        Some(json!([
            { "ARN": "arn:aws:kms:eu-west-1:111122223333:key/1", "accountId": "111122223333", "type": "AWS::KMS::Key" },
            { "ARN": "a" }
        ]))
    );
    assert_eq!(get(first, "addendum"), Some(json!({ "reason": "DELIVERY_DELAY", "originalEventID": "e-0" })));
    assert_eq!(get(first, "edgeDeviceDetails"), Some(json!({ "a": 1 })));
    assert_eq!(get(second, "resources"), Some(Value::Null));
}

#[test]
fn records_in_wrappers_that_commands_print_too_are_events() {
    let folder = tempfile::tempdir().unwrap();
    let record = records()[0].clone();
    let text = record.to_string();
    let change = json!({
        "detail-type": "Config Configuration Item Change", "source": "aws.config", "detail": { "configurationItem": {} }
    });
    let call = json!({ "detail-type": "AWS API Call via CloudTrail", "source": "aws.ec2", "detail": record });
    for (lines, events, recognised) in [
        (vec![json!({ "message": text })], 1, 0),
        (vec![json!({ "status": "info", "message": text }), json!({ "status": "info", "message": text })], 2, 0),
        (vec![json!({ "Message": text })], 1, 0),
        (vec![json!({ "attributes": record })], 1, 0),
        (vec![json!([{ "attributes": record }])], 1, 0),
        (vec![change.clone(), call.clone()], 1, 1),
        (vec![call, change], 1, 1),
    ] {
        let lines: Vec<String> = lines.iter().map(Value::to_string).collect();
        for between in ["\n", ""] {
            let path = folder.path().join("a.json");
            fs::write(&path, lines.join(between)).unwrap();
            let (class, found) = named(&path);
            assert_eq!(class, Class::Events, "{lines:?}");
            assert_eq!(found.reasons(), Vec::<&str>::new(), "{lines:?}");
            assert_eq!((found.events.len(), found.recognised.len()), (events, recognised), "{lines:?}");
        }
    }
}

#[cfg(unix)]
#[test]
fn a_file_whose_name_is_no_text_is_read_where_it_is() {
    use std::os::unix::ffi::OsStrExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(std::ffi::OsStr::from_bytes(b"a\xff.ndjson"));
    // Some file systems have no such names.
    if fs::write(&path, RECORDS).is_err() {
        return crate::skipped("a name that is no text: the file system refuses it");
    }
    let (files, _) = discover(&[folder.path().to_owned()], &Settings::default()).expect("it is there");
    assert_eq!(files.files[0].path(), Some(path.as_path()));
    let (class, found) = named(folder.path());
    assert_eq!((class, found.events.len(), found.reasons()), (Class::Events, 3, vec![]));
}

fn scope(account: Option<&str>, region: Option<&str>) -> Scope {
    Scope { account: account.map(Arc::from), region: region.map(Arc::from) }
}

#[test]
fn filters_keep_what_is_unknown() {
    let time = |text: &str| text.parse().expect("a time");
    let filter = Filter {
        since: Some(time("2026-03-01T00:00:00Z")),
        until: Some(time("2026-03-02T00:00:00Z")),
        accounts: vec!["111122223333".to_owned()],
        regions: vec!["eu-west-1".to_owned()],
    };
    let admits = |at: Option<&str>, scope: Scope| {
        let value = Node::from(Document::from(&json!({})));
        let record =
            Record { kind: CLOUDTRAIL.into(), id: None, time: at.map(time), scope, value, origin: Origin::default() };
        filter.admits(&record)
    };
    let ours = || scope(Some("111122223333"), Some("eu-west-1"));
    assert!(admits(Some("2026-03-01T00:00:00Z"), ours()));
    assert!(admits(None, Scope::default()));
    assert!(!admits(Some("2026-02-28T23:59:59Z"), ours()));
    assert!(!admits(Some("2026-03-02T00:00:00Z"), ours()));
    assert!(!admits(None, scope(Some("444455556666"), None)));
    assert!(!admits(None, scope(None, Some("us-east-1"))));
    assert!(Filter::default().admits_scope(&ours()));
}

fn put(folder: &Path, name: &str, content: impl AsRef<[u8]>) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    fs::write(path, content).expect("a file");
}

fn names(folder: &Path, files: &Files) -> Vec<String> {
    let short = |name: &str| {
        name.strip_prefix(folder.to_str().expect("text")).unwrap_or(name).trim_start_matches('/').to_owned()
    };
    files.files.iter().map(|file| short(&file.name)).collect()
}

fn passed_over(files: &Files, reason: SkipReason) -> usize {
    files.skipped.iter().filter(|skipped| skipped.reason == reason).count()
}

/// Of many files the file system is asked in threads, and a link that leads nowhere is still told in its place.
#[test]
fn a_folder_of_many_files_is_the_same_list_for_any_number_of_threads() {
    let folder = tempfile::tempdir().expect("a folder");
    for number in 0..3_500 {
        put(folder.path(), &format!("{}/{number}.json", number % 7), if number % 5 == 0 { "" } else { "{}" });
    }
    #[cfg(unix)]
    std::os::unix::fs::symlink(folder.path().join("nowhere"), folder.path().join("3/gone.json")).expect("a link");
    let listed = |threads: usize| {
        let settings = Settings { threads, ..Settings::default() };
        let (files, faults) = discover(&[folder.path().to_owned()], &settings).expect("readable");
        let files: Vec<_> = files.files.iter().map(|file| (file.name.clone(), file.size, file.class)).collect();
        (files, faults)
    };
    let (files, faults) = listed(1);
    assert_eq!((files.len(), faults.len()), (3_500, usize::from(cfg!(unix))));
    assert_eq!(listed(2), (files.clone(), faults.clone()));
    assert_eq!(listed(64), (files, faults));
}

/// A file that would be read if it were whole is a fault where it is damaged, whatever it is called.
#[test]
fn damage_does_not_make_a_file_one_that_is_passed_over() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    // Nothing of what it held is left.
    let cut = &gzip(RECORDS)[..10];
    for name in ["trail.log.gz", "part-0.1", "a.json.gz", "plain"] {
        fs::write(root.join(name), cut).unwrap();
    }
    for (name, head) in [("part-0000.zst", &b"\x28\xb5\x2f\xfd...."[..]), ("old.log.bz2", b"BZh9....")] {
        fs::write(root.join(name), head).unwrap();
    }
    for name in ["code.tar.gz", "code.tgz", "code.tar.bz2"] {
        fs::write(root.join(name), if name.ends_with("bz2") { b"BZh9...." } else { cut }).unwrap();
    }
    #[cfg(target_os = "linux")]
    let odd = {
        use std::os::unix::ffi::OsStrExt;
        let name = |bytes: &'static [u8]| root.join(std::ffi::OsStr::from_bytes(bytes));
        fs::write(name(b"bad\xff.json"), "<html>").unwrap();
        2 - usize::from(fs::write(name(b"bad\xff.json.gz"), cut).is_err())
    };
    #[cfg(not(target_os = "linux"))]
    let odd = 0;
    let (files, faults) = discover(&[root.to_owned()], &Settings::default()).expect("readable");
    assert_eq!(faults, []);
    assert_eq!((files.files.len(), passed_over(&files, SkipReason::NotData)), (6 + odd, 3), "{files:?}");
    for file in &files.files {
        assert_ne!(open(file, &Settings::default()).fault_count(), 0, "{}", file.name);
    }
}

#[test]
fn folders_are_walked_in_order_and_what_is_no_data_is_passed_over() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    for name in ["b/2.json", "b.json", "a/1.json.gz", "b/10.json", "notes.log", "plain"] {
        put(root, name, RECORDS);
    }
    put(root, "z/empty.json", "");
    put(root, "z/broken.json", "oops");
    put(root, "z/broken.csv", "x,y\n1,2\n");
    for name in ["README.md", "x.txt", "x.sha256", "x.tsv", "quiet.log", "tool.zip", "picture.png"] {
        put(root, name, if name.ends_with("zip") { "PK\u{3}\u{4}" } else { "some text\n" });
    }
    for name in [".git/config", ".hidden.json"] {
        put(root, name, RECORDS);
    }
    for name in ["lawbook.yaml", "lawbook.lock", "waivers.yaml", "p.rhai", "p.cases.yaml", "p.snap", "p.snap.new"] {
        put(root, name, RECORDS);
    }
    let (files, faults) =
        discover(&[root.join("b/10.json"), root.to_owned(), root.join("b")], &Settings::default()).expect("readable");
    assert_eq!(faults, []);
    let expected = [
        "b/10.json",
        "a/1.json.gz",
        "b.json",
        "b/2.json",
        "notes.log",
        "plain",
        "z/broken.csv",
        "z/broken.json",
        "z/empty.json",
    ];
    assert_eq!(names(root, &files), expected);
    assert_eq!(files.files.last().expect("a file").class, Class::Empty);
    let counts = [SkipReason::Hidden, SkipReason::OurOwn, SkipReason::NotData, SkipReason::Again]
        .map(|reason| passed_over(&files, reason));
    assert_eq!(counts, [2, 7, 7, 3]);

    let (named, _) =
        discover(&[root.join("x.txt"), root.join(".hidden.json")], &Settings::default()).expect("readable");
    assert_eq!(open(&named.files[0], &Settings::default()).fault_count(), 1);
    assert_eq!(open(&named.files[1], &Settings::default()).events.len(), 3);

    let error = discover(&[root.join("b.jsom")], &Settings::default()).expect_err("not there");
    let told = error.to_string();
    assert!(
        told.contains("b.jsom: no such file or folder (try: did you mean `") && told.ends_with("b.json`?)"),
        "{told}"
    );
}

#[cfg(unix)]
#[test]
fn links_are_followed_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    put(root, "a/1.json", RECORDS);
    std::os::unix::fs::symlink(root, root.join("a/loop")).expect("a link");
    std::os::unix::fs::symlink(root.join("a/1.json"), root.join("z.json")).expect("a link");
    std::os::unix::fs::symlink(root.join("nowhere"), root.join("dangling.json")).expect("a link");
    let (files, faults) = discover(&[root.to_owned()], &Settings::default()).expect("readable");
    assert_eq!(names(root, &files), ["a/1.json"]);
    assert_eq!((passed_over(&files, SkipReason::Loop), passed_over(&files, SkipReason::Again)), (1, 1));
    assert_eq!(
        faults.iter().map(|fault| fault.reason.as_str()).collect::<Vec<_>>(),
        ["cannot be read: entity not found"]
    );
}

#[test]
fn delivery_paths_prune_and_tell_the_scope() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    let record = r#"{"eventSource":"a.amazonaws.com","eventName":"n","eventVersion":"1"}"#;
    for day in ["02/27", "02/28", "03/01", "03/02", "03/03"] {
        put(root, &format!("AWSLogs/o-x/111122223333/CloudTrail/eu-west-1/2026/{day}/a.json"), record);
    }
    put(root, "AWSLogs/o-x/111122223333/CloudTrail/us-east-1/2026/03/01/a.json", record);
    put(root, "AWSLogs/o-x/444455556666/CloudTrail/eu-west-1/2026/03/01/a.json", record);
    put(root, "elsewhere/a.json", record);
    let filter = Filter {
        since: "2026-03-01T12:00:00Z".parse().ok(),
        until: "2026-03-01T13:00:00Z".parse().ok(),
        accounts: vec!["111122223333".to_owned()],
        regions: vec!["eu-west-1".to_owned()],
    };
    let settings = Settings { filter, ..Settings::default() };
    let (files, _) = discover(&[root.to_owned()], &settings).expect("readable");
    let days: Vec<String> =
        names(root, &files).iter().map(|name| name.rsplit('/').take(3).collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(days, ["a.json 28 02", "a.json 01 03", "a.json 02 03", "a.json elsewhere"]);
    assert_eq!(passed_over(&files, SkipReason::Filtered), 4);
    let found = open(&files.files[0], &settings);
    assert_eq!(found.events[0].scope, scope(Some("111122223333"), Some("eu-west-1")));
}

#[test]
fn batches_cross_threads() {
    fn send<T: Send>() {}
    fn sync<T: Sync>() {}
    send::<Batch>();
    sync::<Batch>();
    sync::<File>();
}

#[test]
fn batches_number_events_from_one_and_memory_does_not_grow_with_the_file() {
    let content = format!("{{\"Records\":[{}]}}", vec![RECORDS.trim().replace('\n', ","); 2000].join(","));
    let (mut batches, mut events) = (0, 0);
    let file = File::from_bytes("test", gzip(&content));
    read(&file, &Settings::default(), &mut |batch| {
        assert!(batch.len() < 2 << 20);
        let mut found = Found::default();
        batch.open(&file, &mut found);
        assert!(found.events.iter().zip(1..).all(|(event, position)| event.origin.position == position));
        events += found.events.len();
        batches += 1;
    });
    assert_eq!(events, 6000);
    assert!(batches > 3);
}

/// JSON whose keys are those by which shapes are told.
fn shaped() -> impl Strategy<Value = Value> {
    let keys = [
        "Records",
        "Events",
        "CloudTrailEvent",
        "eventSource",
        "eventName",
        "eventTime",
        "userIdentity",
        "detail-type",
        "detail",
        "awslogs",
        "data",
        "kinesis",
        "logEvents",
        "messageType",
        "message",
        "results",
        "field",
        "value",
        "QueryResultRows",
        "eventJson",
        "ResultSet",
        "Rows",
        "Data",
        "VarCharValue",
        "class_uid",
        "metadata",
        "event",
        "original",
        "_raw",
        "result",
        "hits",
        "_source",
        "body",
        "Message",
        "Type",
        "s3",
        "insightDetails",
        "p_log_type",
        "@timestamp",
        "recordId",
        "accountId",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[ -~]{0,8}".prop_map(Value::from),
        proptest::sample::select(vec![
            "aws:s3",
            "Notification",
            "@message",
            "2026-03-01T10:00:00Z",
            "{\"eventSource\":\"a\",\"eventName\":\"b\",\"eventID\":\"c\"}",
            "{",
            "[[]]",
            "H4sIAAAAAAAAA6uuBQBDv6ajAgAAAA==",
            "e30=",
            "eventname"
        ])
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 40, 5, move |inner| {
        let text = inner.clone().prop_map(|value| Value::from(value.to_string()));
        let packed = inner.clone().prop_map(|value| Value::from(BASE64.encode(gzip(value.to_string()))));
        let list = proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from);
        let map = proptest::collection::vec((proptest::sample::select(keys.to_vec()), inner), 0..5)
            .prop_map(|members| members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<Value>());
        prop_oneof![4 => map, 2 => list, 1 => text, 1 => packed]
    })
}

/// A line of text changed in one place.
fn mutate(line: &str, at: usize, how: u8, byte: u8) -> Vec<u8> {
    let mut bytes = line.as_bytes().to_vec();
    let at = at % bytes.len();
    match how % 4 {
        0 => bytes[at] ^= byte.max(1),
        1 => {
            bytes.remove(at);
        }
        2 => bytes.insert(at, byte),
        _ => bytes.truncate(at),
    }
    bytes.retain(|byte| *byte != b'\n');
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_told_of(content in proptest::collection::vec(any::<u8>(), 0..300), start in proptest::sample::select(vec!["", "{", "[", "{\"Records\":[", "\u{1f}\u{8b}", "eventName,eventJson\n"])) {
        let found = bytes([start.as_bytes(), &content].concat());
        let told = found.events.len() + found.faults.len() + found.recognised.len();
        prop_assert!(told > 0 || !content.iter().any(u8::is_ascii_alphanumeric));
    }

    #[test]
    fn any_nest_of_envelopes_is_opened(value in shaped()) {
        bytes(value.to_string());
        bytes(serde_json::to_string_pretty(&value).expect("JSON"));
        let around = bytes(lines(&[records()[0].clone(), value, records()[1].clone()]));
        prop_assert!(around.events.len() >= 2);
    }

    #[test]
    fn a_changed_line_costs_only_itself(which in 0_usize..3, at in any::<usize>(), how in any::<u8>(), byte in any::<u8>()) {
        let lines: Vec<&str> = RECORDS.lines().collect();
        let mut content = Vec::new();
        for (number, line) in lines.iter().enumerate() {
            content.extend(if number == which { mutate(line, at, how, byte) } else { line.as_bytes().to_vec() });
            content.push(b'\n');
        }
        let found = bytes(&content);
        for (number, record) in records().iter().enumerate().filter(|(number, _)| *number != which) {
            let id = record["eventID"].as_str().expect("an id");
            prop_assert!(found.ids().contains(&id), "line {} is lost: {:?}", number + 1, String::from_utf8_lossy(&content));
        }
        prop_assert!(found.events.len() as u64 + found.fault_count() + found.recognised.len() as u64 >= 3 || how % 4 == 3);
        bytes(gzip(&content));
    }

    #[test]
    fn a_changed_file_never_stops_the_program(text in 0_usize..3, at in any::<usize>(), how in any::<u8>(), byte in any::<u8>()) {
        let list = records();
        let text = match text {
            0 => json!({ "Records": list }).to_string(),
            1 => serde_json::to_string_pretty(&json!({ "Events": each(|record| json!({ "CloudTrailEvent": record.to_string() })) })).expect("JSON"),
            _ => json!({ "awslogs": { "data": BASE64.encode(gzip(RECORDS)) } }).to_string(),
        };
        let content = mutate(&text, at, how, byte);
        let blank = content.is_empty();
        let found = bytes(content);
        prop_assert!(found.events.len() == 3 || found.fault_count() > 0 || blank);
        let mut compressed = gzip(&text);
        let at = at % compressed.len();
        compressed[at] ^= byte.max(1);
        bytes(&compressed);
        bytes(&compressed[..at]);
    }
}

/// However many equal faults there are: the first three places are told, and the count is exact.
#[test]
fn the_first_three_of_equal_faults_are_told() {
    let found = bytes("{\"a\":1}\n".repeat(10));
    assert_eq!(found.fault_count(), 10);
    let lines: Vec<_> = found.faults.iter().map(|fault| fault.origin.line).collect();
    assert_eq!(lines, [Some(1), Some(2), Some(3)]);
}
