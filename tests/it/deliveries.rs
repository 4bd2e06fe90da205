//! What only all files together tell: gaps, copies, and digests of log files that do not agree with what is there.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use flate2::write::GzEncoder;
use lawbook::engine::{Outcome, Request, scan};
use lawbook::policy::{Checked, Overrides, Pack};
use lawbook::script::Limits;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

const ACCOUNT: &str = "111122223333";
const REGIONS: [&str; 2] = ["eu-west-1", "us-east-1"];
const DAY: &str = "2024/05/14";
/// Minutes from one delivery to the next.
const STEP: usize = 5;

/// A bucket as CloudTrail fills it in four hours: log files, and digests that are chained and signed.
struct Bucket {
    folder: tempfile::TempDir,
    key: RsaKeyPair,
    random: ring::rand::SystemRandom,
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn gzip(file: &Path, text: &[u8]) {
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    let mut encoder = GzEncoder::new(std::fs::File::create(file).unwrap(), flate2::Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap();
}

fn gunzip(file: &Path) -> String {
    std::io::read_to_string(flate2::read::GzDecoder::new(std::fs::File::open(file).unwrap())).unwrap()
}

/// The key of the log file of some minutes past midnight.
fn log(region: &str, minute: usize) -> String {
    let time = format!("20240514T{:02}{:02}Z", minute / 60, minute % 60);
    format!("AWSLogs/{ACCOUNT}/CloudTrail/{region}/{DAY}/{ACCOUNT}_CloudTrail_{region}_{time}_unique{minute}.json.gz")
}

/// The key of the digest whose hour ends then.
fn digest(region: &str, hour: usize) -> String {
    let name = format!("{ACCOUNT}_CloudTrail-Digest_{region}_main_eu-west-1_20240514T{hour:02}0000Z.json.gz");
    format!("AWSLogs/{ACCOUNT}/CloudTrail-Digest/{region}/{DAY}/{name}")
}

fn events(region: &str, minute: usize) -> String {
    let (hour, minute) = (minute / 60, minute % 60);
    json!({ "Records": [{
        "eventVersion": "1.10",
        "eventID": format!("{region}-{hour}-{minute}"),
        "eventTime": format!("2024-05-14T{hour:02}:{minute:02}:00Z"),
        "eventSource": "ec2.amazonaws.com",
        "eventName": "DescribeInstances",
        "awsRegion": region,
        "recipientAccountId": ACCOUNT,
        "userIdentity": { "type": "IAMUser", "accountId": ACCOUNT },
    }] })
    .to_string()
}

impl Bucket {
    fn new() -> Self {
        let key =
            std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/digest-signing-key.der")).unwrap();
        let bucket = Self {
            folder: tempfile::tempdir().unwrap(),
            key: RsaKeyPair::from_der(&key).unwrap(),
            random: ring::rand::SystemRandom::new(),
        };
        for region in REGIONS {
            for minute in (0..240).step_by(STEP) {
                gzip(&bucket.path(&log(region, minute)), events(region, minute).as_bytes());
            }
            let mut before = None;
            for hour in 1..=4 {
                before = Some(bucket.write_digest(region, hour, before.as_ref()));
            }
        }
        bucket.write_keys("a0");
        bucket
    }

    fn path(&self, key: &str) -> PathBuf {
        self.folder.path().join(key)
    }

    fn write_keys(&self, fingerprint: &str) {
        let value = base64::engine::general_purpose::STANDARD.encode(self.key.public().as_ref());
        let keys = json!({ "PublicKeyList": [{ "Value": value, "Fingerprint": fingerprint, "ValidityStartTime": "2024-01-01T00:00:00Z" }] });
        let file = self.path("111122223333/eu-west-1/cloudtrail/list-public-keys.json");
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, keys.to_string()).unwrap();
    }

    /// Writes the digest of an hour; gives what the next holds of it: key, hash, signature.
    fn write_digest(&self, region: &str, hour: usize, before: Option<&[String; 3]>) -> [String; 3] {
        let logs: Vec<Value> = ((hour - 1) * 60..hour * 60)
            .step_by(STEP)
            .map(|minute| {
                json!({
                    "s3Bucket": "logs",
                    "s3Object": log(region, minute),
                    "hashValue": hex(&Sha256::digest(events(region, minute))),
                    "hashAlgorithm": "SHA-256",
                })
            })
            .collect();
        let key = digest(region, hour);
        let part = |at: usize| before.map(|before| before[at].clone());
        // In the order in which CloudTrail writes the members, which differs from that of their names.
        let head = json!({ "awsAccountId": ACCOUNT }).to_string();
        let rest = json!({
            "digestStartTime": format!("2024-05-14T{:02}:00:00Z", hour - 1),
            "digestEndTime": format!("2024-05-14T{hour:02}:00:00Z"),
            "digestS3Bucket": "logs",
            "digestS3Object": key,
            "digestPublicKeyFingerprint": "a0",
            "digestSignatureAlgorithm": "SHA256withRSA",
            "newestEventTime": null,
            "oldestEventTime": null,
            "previousDigestS3Bucket": before.map(|_| "logs"),
            "previousDigestS3Object": part(0),
            "previousDigestHashValue": part(1),
            "previousDigestHashAlgorithm": before.map(|_| "SHA-256"),
            "previousDigestSignature": part(2),
        })
        .to_string();
        let text =
            format!("{},{},\"logFiles\":{}}}", head.trim_end_matches('}'), rest.trim_matches(['{', '}']), json!(logs));
        gzip(&self.path(&key), text.as_bytes());
        let hash = hex(&Sha256::digest(&text));
        let signed = format!(
            "2024-05-14T{hour:02}:00:00Z\nlogs/{key}\n{hash}\n{}",
            part(2).unwrap_or_else(|| "null".to_owned())
        );
        let mut signature = vec![0; self.key.public().modulus_len()];
        self.key.sign(&RSA_PKCS1_SHA256, &self.random, signed.as_bytes(), &mut signature).unwrap();
        [key, hash, hex(&signature)]
    }

    fn scan(&self) -> Outcome {
        scan(&policies(), &self.request(), &()).unwrap()
    }

    fn request(&self) -> Request {
        let mut request = Request::new([self.folder.path()]);
        request.now = "2024-05-15T00:00:00Z".parse().unwrap();
        request.threads = 3;
        request
    }

    /// Changes the text of a compressed file.
    fn edit(&self, key: &str, change: impl Fn(&str) -> String) {
        let file = self.path(key);
        let text = gunzip(&file);
        let changed = change(&text);
        assert_ne!(text, changed);
        gzip(&file, changed.as_bytes());
    }

    fn remove(&self, key: &str) {
        std::fs::remove_file(self.path(key)).unwrap();
    }
}

/// The embedded policies.
fn policies() -> Checked {
    Pack::embedded().check(&Overrides::default(), &Limits::default()).unwrap()
}

/// Policy, severity and title of what was found.
fn found(outcome: &Outcome) -> Vec<String> {
    let line = |finding: lawbook::Finding| format!("{} {} {}", finding.policy, finding.severity.word(), finding.title);
    outcome.findings.iter().map(|finding| line(finding.unwrap())).collect()
}

/// Policy, count and reason of what could not be judged.
fn unknown(outcome: &Outcome) -> Vec<String> {
    outcome.not_evaluated.iter().map(|row| format!("{} {} {}", row.policy, row.count, row.reason)).collect()
}

const BROKEN: &str = "cloudtrail-digest-broken";

#[test]
fn a_bucket_as_cloudtrail_fills_it_is_no_finding() {
    let bucket = Bucket::new();
    let outcome = bucket.scan();
    assert_eq!((found(&outcome), unknown(&outcome)), (vec![], vec![]));
    assert!(outcome.faults.is_empty(), "{:?}", outcome.faults);
    let records = &outcome.summary.records;
    // A series for each region, four digests each, and the key.
    assert_eq!((records.events, records.resources, records.recognised, records.filtered), (96, 11, 0, 0));
    assert_eq!(outcome.summary.exit.code, 0);
}

#[test]
fn digests_are_judged_for_policies_that_ask_alone() {
    let bucket = Bucket::new();
    let text = "//! ---\n//! title: T\n//! severity: low\n//! judges: cloudtrail/trails\n//! ---\nfn matches(trail) { false }\n";
    let packs = Pack::from_text("p", text).check(&Overrides::default(), &Limits::default()).unwrap();
    let outcome = scan(&packs, &bucket.request(), &()).unwrap();
    let records = &outcome.summary.records;
    assert_eq!((records.events, records.resources, records.recognised), (96, 1, 8));
}

#[test]
fn a_modified_log_file_is_told_and_nothing_else() {
    let bucket = Bucket::new();
    bucket.edit(&log("eu-west-1", 65), |text| text.replace("DescribeInstances", "DescribeVolumes"));
    let outcome = bucket.scan();
    assert_eq!(
        found(&outcome),
        [format!("{BROKEN} critical Digest of main of 2024-05-14T02:00:00Z: 1 log file modified")]
    );
    let finding = outcome.findings.iter().next().unwrap().unwrap();
    assert_eq!(finding.context["broken"], json!(format!("{} (modified)", log("eu-west-1", 65))));
    assert!(finding.origin.file.ends_with(&digest("eu-west-1", 2)), "{:?}", finding.origin);
    assert_eq!(unknown(&outcome), [""; 0]);
}

#[test]
fn an_emptied_and_a_damaged_log_file_are_told() {
    let bucket = Bucket::new();
    std::fs::write(bucket.path(&log("eu-west-1", 5)), "").unwrap();
    let damaged = bucket.path(&log("us-east-1", 65));
    let bytes = std::fs::read(&damaged).unwrap();
    std::fs::write(&damaged, &bytes[..bytes.len() - 20]).unwrap();
    let outcome = bucket.scan();
    assert_eq!(
        found(&outcome),
        [
            format!("{BROKEN} critical Digest of main of 2024-05-14T01:00:00Z: 1 log file modified"),
            format!("{BROKEN} high Digest of main of 2024-05-14T02:00:00Z: 1 log file unreadable"),
        ]
    );
    assert_eq!(outcome.faults.len(), 1, "{:?}", outcome.faults);
}

#[test]
fn a_missing_log_file_is_told() {
    let bucket = Bucket::new();
    bucket.remove(&log("us-east-1", 100));
    let outcome = bucket.scan();
    assert_eq!(found(&outcome), [format!("{BROKEN} high Digest of main of 2024-05-14T02:00:00Z: 1 log file missing")]);
}

#[test]
fn a_modified_digest_is_told_by_its_signature_and_by_the_next() {
    let bucket = Bucket::new();
    // Taken out of the log, and out of the digest.
    bucket.remove(&log("eu-west-1", 65));
    bucket.edit(&digest("eu-west-1", 2), |text| {
        let mut value: Value = serde_json::from_str(text).unwrap();
        value["logFiles"].as_array_mut().unwrap().remove(1);
        value.to_string()
    });
    assert_eq!(
        found(&bucket.scan()),
        [
            format!("{BROKEN} critical Digest of main of 2024-05-14T02:00:00Z: wrong signature"),
            format!("{BROKEN} critical Digest of main of 2024-05-14T03:00:00Z: digest before it modified"),
        ]
    );
}

#[test]
fn a_forged_chain_is_told_by_signatures_alone() {
    let bucket = Bucket::new();
    // The hashes are right, the next digest has the signature of another.
    let mut before = None;
    for hour in 1..=4 {
        let mut written = bucket.write_digest("eu-west-1", hour, before.as_ref());
        if hour == 2 {
            written[2].replace_range(..2, if written[2].starts_with("00") { "01" } else { "00" });
        }
        before = Some(written);
    }
    assert_eq!(
        found(&bucket.scan()),
        [format!("{BROKEN} critical Digest of main of 2024-05-14T02:00:00Z: wrong signature")]
    );
}

#[test]
fn a_missing_digest_and_a_chain_that_begins_anew_are_told() {
    let bucket = Bucket::new();
    bucket.remove(&digest("eu-west-1", 2));
    let mut before = None;
    for hour in 3..=4 {
        before = Some(bucket.write_digest("us-east-1", hour, before.as_ref()));
    }
    assert_eq!(
        found(&bucket.scan()),
        [
            format!("{BROKEN} high Digest of main of 2024-05-14T03:00:00Z: digest before it missing"),
            format!("{BROKEN} medium Digest of main of 2024-05-14T03:00:00Z: chain begins anew"),
        ]
    );
}

#[test]
fn signatures_without_keys_are_not_evaluated() {
    let bucket = Bucket::new();
    bucket.write_keys("b1");
    let outcome = bucket.scan();
    assert_eq!(found(&outcome), [""; 0]);
    let reason = "signatures of digests were not verified: their keys are not in inventory `cloudtrail/public-keys`";
    // The last of a chain has none yet.
    assert_eq!(unknown(&outcome), [format!("{BROKEN} 3 {reason}"), format!("{BROKEN} 3 {reason}")]);
}

#[test]
fn log_files_that_were_not_copied_are_not_evaluated() {
    let bucket = Bucket::new();
    std::fs::remove_dir_all(bucket.path(&format!("AWSLogs/{ACCOUNT}/CloudTrail/us-east-1"))).unwrap();
    let outcome = bucket.scan();
    assert_eq!(found(&outcome), [""; 0]);
    assert_eq!(unknown(&outcome), [format!("{BROKEN} 4 log files that digests name are not in the input")]);
    // Nor is what a filter excludes missing.
    let bucket = Bucket::new();
    let mut request = bucket.request();
    request.settings.filter.regions = vec!["eu-west-1".to_owned()];
    request.settings.filter.since = Some("2024-05-14T02:30:00Z".parse().unwrap());
    let outcome = scan(&policies(), &request, &()).unwrap();
    assert_eq!((found(&outcome), unknown(&outcome)), (vec![], vec![]));
    let records = &outcome.summary.records;
    // Two digests, a series and the key; of the others six digests, a series, and the events before.
    assert_eq!((records.resources, records.filtered), (4, 6 + 1 + 30));
}

#[test]
fn decompressed_files_in_one_folder_are_known_by_their_names() {
    let bucket = Bucket::new();
    let flat = tempfile::tempdir().unwrap();
    for entry in walkdir::WalkDir::new(bucket.folder.path()) {
        let path = entry.unwrap().into_path();
        if let Some(name) = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(".gz")) {
            std::fs::write(flat.path().join(name), gunzip(&path)).unwrap();
        }
    }
    let request = |bucket: &Bucket| {
        let mut request = bucket.request();
        request.paths = vec![flat.path().to_owned()];
        request.inventory = vec![bucket.path(ACCOUNT)];
        request
    };
    let outcome = scan(&policies(), &request(&bucket), &()).unwrap();
    assert_eq!((found(&outcome), unknown(&outcome)), (vec![], vec![]));
    assert_eq!(outcome.summary.records.resources, 10);
    let log = log("eu-west-1", 0);
    let name = log.rsplit('/').next().unwrap().trim_end_matches(".gz");
    std::fs::write(flat.path().join(name), events("eu-west-1", 0) + "\n").unwrap();
    let outcome = scan(&policies(), &request(&bucket), &()).unwrap();
    assert_eq!(
        found(&outcome),
        [format!("{BROKEN} critical Digest of main of 2024-05-14T01:00:00Z: 1 log file modified")]
    );
}

#[test]
fn what_is_told_does_not_depend_on_threads() {
    let bucket = Bucket::new();
    bucket.remove(&log("eu-west-1", 65));
    bucket.edit(&log("us-east-1", 65), |text| text.replace("Instances", "Volumes"));
    let told = |threads: usize| {
        let mut request = bucket.request();
        request.threads = threads;
        request.memory = 0;
        let outcome = scan(&policies(), &request, &()).unwrap();
        let mut text = Vec::new();
        lawbook::report::write(
            lawbook::report::Format::Json,
            &outcome,
            &policies(),
            lawbook::report::Look::default(),
            &mut text,
        )
        .unwrap();
        String::from_utf8(text).unwrap()
    };
    assert_eq!(told(1), told(4));
}

#[test]
fn gaps_weigh_by_what_else_was_delivered() {
    let bucket = Bucket::new();
    let gap = |region: &str, from: &str, to: &str| {
        format!("No log file of {region} was delivered to {ACCOUNT} from 2024-05-14T{from}:00Z to 2024-05-14T{to}:00Z")
    };
    // An hour of one region are taken away, with their digests.
    for minute in (65..125).step_by(STEP) {
        bucket.remove(&log("eu-west-1", minute));
    }
    for hour in 2..=3 {
        bucket.remove(&digest("eu-west-1", hour));
    }
    let outcome = bucket.scan();
    let told = [
        format!("cloudtrail-gap high {}", gap("eu-west-1", "01:00", "02:05")),
        format!("{BROKEN} high Digest of main of 2024-05-14T04:00:00Z: digest before it missing"),
    ];
    let mut found = self::found(&outcome);
    found.sort();
    let mut wanted = told.to_vec();
    wanted.sort();
    assert!(wanted.iter().all(|line| found.contains(line)), "{found:#?}");
    // Without digests, others tell.
    std::fs::remove_dir_all(bucket.path(&format!("AWSLogs/{ACCOUNT}/CloudTrail-Digest"))).unwrap();
    let outcome = bucket.scan();
    assert_eq!(self::found(&outcome), [format!("cloudtrail-gap medium {}", gap("eu-west-1", "01:00", "02:05"))]);
    let finding = outcome.findings.iter().next().unwrap().unwrap();
    assert!(finding.origin.file.ends_with(&log("eu-west-1", 60)), "{:?}", finding.origin);
    assert_eq!(finding.context["other_deliveries"], json!(12));
    // Without others, nothing does.
    std::fs::remove_dir_all(bucket.path(&format!("AWSLogs/{ACCOUNT}/CloudTrail/us-east-1"))).unwrap();
    assert_eq!(self::found(&bucket.scan()), [format!("cloudtrail-gap low {}", gap("eu-west-1", "01:00", "02:05"))]);
}

#[test]
fn a_region_whose_digests_go_on_is_quiet() {
    let bucket = Bucket::new();
    for region in REGIONS {
        for minute in (0..240).step_by(STEP).filter(|minute| (65..180).contains(minute)) {
            bucket.remove(&log(region, minute));
        }
    }
    let found = found(&bucket.scan());
    assert!(found.iter().all(|line| line.starts_with(BROKEN)) && found.len() == 4, "{found:#?}");
}

#[test]
fn the_edge_of_a_filter_is_no_gap() {
    let bucket = Bucket::new();
    std::fs::remove_dir_all(bucket.path(&format!("AWSLogs/{ACCOUNT}/CloudTrail-Digest"))).unwrap();
    for minute in (65..125).step_by(STEP) {
        bucket.remove(&log("eu-west-1", minute));
    }
    let told = |since: &str, until: &str| {
        let mut request = bucket.request();
        request.settings.filter.since = Some(since.parse().unwrap());
        request.settings.filter.until = Some(until.parse().unwrap());
        found(&scan(&policies(), &request, &()).unwrap()).len()
    };
    assert_eq!(told("2024-05-14T00:00:00Z", "2024-05-15T00:00:00Z"), 1);
    assert_eq!(told("2024-05-14T03:00:00Z", "2024-05-15T00:00:00Z"), 0);
    assert_eq!(told("2024-05-14T00:00:00Z", "2024-05-14T01:00:00Z"), 0);
    assert_eq!(told("2024-05-14T01:30:00Z", "2024-05-14T02:00:00Z"), 1);
}

/// What only the names of log files tell is nothing that was judged: a copy of a bucket that is no longer filled is no success.
#[test]
fn names_of_log_files_alone_are_nothing_that_was_judged() {
    let folder = tempfile::tempdir().unwrap();
    gzip(&folder.path().join(log(REGIONS[0], 5)), br#"{"Records":[]}"#);
    let scan_of = |change: &dyn Fn(&mut Request)| {
        let mut request = Request::new([folder.path()]);
        change(&mut request);
        let outcome = scan(&policies(), &request, &()).unwrap();
        (outcome.summary.exit.code, outcome.summary.records.resources)
    };
    assert_eq!(scan_of(&|_| {}), (2, 1));
    assert_eq!(scan_of(&|request| request.allow_empty = true), (0, 1));
    assert_eq!(scan_of(&|request| request.named = ["cloudtrail-delivered-twice".to_owned()].into()).0, 0);
    gzip(&folder.path().join(log(REGIONS[0], 10)), events(REGIONS[0], 10).as_bytes());
    assert_eq!(scan_of(&|_| {}), (0, 1));
}

#[test]
fn copies_of_log_files_are_told() {
    let bucket = Bucket::new();
    let copy = |minute: usize, to: &str| {
        let log = log("eu-west-1", minute);
        let to = bucket.path(to).join(&log);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(bucket.path(&log), to).unwrap();
    };
    copy(5, "copy");
    copy(10, "copy");
    let told = |how: &str| format!("cloudtrail-delivered-twice {how}");
    assert_eq!(
        found(&bucket.scan()),
        [told(&format!("info 2 of the log files of {ACCOUNT} in eu-west-1 are there more than once"))]
    );
    // One of the copies is changed: the digest tells as well.
    bucket.edit(&format!("copy/{}", log("eu-west-1", 5)), |text| {
        text.replace("DescribeInstances", "TerminateInstancesInTheEnd")
    });
    let found = found(&bucket.scan());
    assert!(
        found.contains(&told(&format!(
            "medium 2 of the log files of {ACCOUNT} in eu-west-1 are there more than once and are not the same"
        ))),
        "{found:#?}"
    );
    assert!(found.contains(&format!("{BROKEN} critical Digest of main of 2024-05-14T01:00:00Z: 1 log file modified")));
}

#[test]
fn a_policy_may_look_digests_up() {
    let bucket = Bucket::new();
    let text = "//! ---\n//! title: T\n//! severity: low\n//! judges: cloudtrail\n//! when: { eventName: DescribeInstances }\n//! uses: [cloudtrail/digests, cloudtrail/deliveries]\n//! ---\nfn matches(event) { all(\"cloudtrail/digests\").len() == 4 && all(\"cloudtrail/deliveries\").some(|series| series.Objects == 48) }\n";
    let packs = Pack::from_text("p", text).check(&Overrides::default(), &Limits::default()).unwrap();
    let outcome = scan(&packs, &bucket.request(), &()).unwrap();
    assert_eq!(outcome.policies[0].findings, 96, "{:?}", outcome.policies);
}

#[test]
fn hostile_digests_and_names_stop_nothing() {
    let bucket = Bucket::new();
    let path = |name: &str| bucket.path(&digest("eu-west-1", 1)).with_file_name(name);
    let head = "\"digestEndTime\":\"soon\",\"digestS3Object\":\"k\",\"digestS3Bucket\":\"b\"";
    // Names itself, names nothing, is of other types, ends early, is two.
    gzip(&path("self.json.gz"), format!("{{{head},\"previousDigestS3Bucket\":\"b\",\"previousDigestS3Object\":\"k\",\"previousDigestSignature\":\"zz\",\"previousDigestHashValue\":7,\"digestPublicKeyFingerprint\":\"a0\",\"logFiles\":[1,null,{{}},{{\"s3Object\":\"../..//\",\"hashValue\":\"00\"}},{{\"s3Object\":7,\"hashValue\":\"x\"}}]}}").as_bytes());
    gzip(&path("types.json.gz"), b"{\"digestEndTime\":1,\"digestS3Object\":[],\"digestS3Bucket\":{},\"logFiles\":{}}");
    gzip(&path("early.json.gz"), format!("{{{head},\"logFiles\":[").as_bytes());
    gzip(&path("two.json.gz"), format!("{{{head},\"logFiles\":[]}}{{{head},\"logFiles\":[]}}").as_bytes());
    let far = format!("{ACCOUNT}_CloudTrail-Digest_eu-west-1_main_eu-west-1_00010101T000000Z.json.gz");
    gzip(&path(&far), format!("{{{head},\"logFiles\":[]}}").as_bytes());
    let outcome = bucket.scan();
    assert_eq!(outcome.summary.records.events, 96);
    assert_eq!(outcome.faults.len(), 1, "{:?}", outcome.faults);
    // One that is of other types and one that is two are known, and no more.
    assert_eq!(outcome.summary.records.recognised, 3);
    let found = found(&outcome);
    assert!(found.iter().all(|line| line.starts_with(BROKEN)), "{found:#?}");
}
