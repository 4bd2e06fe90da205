//! Splitting whole, broken, nested and mutated text; passing over against splitting.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::record::Document;

type Slice = (What, String, u64, bool);

fn collect(batch: &Batch, slices: &mut Vec<Slice>) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    slices.extend(batch.slices().map(|(what, bytes, line, fragment)| (what, text(bytes), line, fragment)));
}

fn split_in(text: &[u8], max: usize, mut chunks: impl FnMut() -> usize) -> Vec<Slice> {
    let mut slices = Vec::new();
    let mut splitter = Splitter::new(max);
    let mut rest = text;
    while !rest.is_empty() {
        let (chunk, tail) = rest.split_at(chunks().clamp(1, rest.len()));
        splitter.feed(chunk, &mut |batch| collect(&batch, &mut slices));
        rest = tail;
    }
    let last = splitter.finish(None, &mut |batch| collect(&batch, &mut slices));
    collect(&last, &mut slices);
    slices
}

/// Passes over what it is asked about, or nothing.
struct Passes(bool);

impl Route for Passes {
    fn passes_over(&mut self, _: &super::super::Fields<'_>, _: &mut Vec<u8>) -> bool {
        self.0
    }
}

/// The slices where records are taken the fast way, and how many were passed over.
fn skim_in(
    text: &[u8],
    max: usize,
    passes: bool,
    is_trusted: bool,
    mut chunks: impl FnMut() -> usize,
) -> (Vec<Slice>, u64) {
    let wanted = Arc::new(super::super::skim::Wanted::new(event::MARKS));
    let (mut skim, mut route, delivered) = (Skim::new(wanted), Passes(passes), Scope::default());
    let mut slices = Vec::new();
    let mut passed = 0;
    let mut keep = |batch: Batch| {
        collect(&batch, &mut slices);
        passed += batch.passed_over();
    };
    let mut splitter = Splitter::new(max);
    splitter.skimming =
        Some(Skimming { skim: &mut skim, route: &mut route, delivered: &delivered, is_trusted, notes: Vec::new() });
    let mut rest = text;
    while !rest.is_empty() {
        let (chunk, tail) = rest.split_at(chunks().clamp(1, rest.len()));
        splitter.feed(chunk, &mut keep);
        rest = tail;
    }
    let last = splitter.finish(None, &mut keep);
    keep(last);
    (slices, passed)
}

fn split(text: &str) -> Vec<Slice> {
    split_in(text.as_bytes(), 1000, || usize::MAX)
}

/// The values that were found, and how many faults.
fn told(text: &str) -> (Vec<String>, usize) {
    let slices = split(text);
    let faults = slices.iter().filter(|slice| matches!(slice.0, What::Break | What::Garbage)).count();
    (slices.into_iter().filter(|slice| slice.0 == What::Value).map(|slice| slice.1).collect(), faults)
}

fn values(list: &[&str]) -> Vec<String> {
    list.iter().map(|value| (*value).to_owned()).collect()
}

#[test]
fn whole_text_is_split_without_a_fault() {
    let abc = values(&[r#"{"a":"]}\""}"#, r#"{"b":[1,{}]}"#, "{}"]);
    let joined = |between: &str| abc.join(between);
    for text in [
        joined("\n"),
        joined("\r\n\r\n"),
        joined(""),
        joined(",\n"),
        format!("\u{feff}{}\n\u{feff}{{}}", abc[..2].join(" ")),
        format!("[{}]", joined(",")),
        format!("[\n  {}\n]\n", joined(",\n  ")),
        format!("[{}][{}]", abc[0], abc[1..].join(",")),
        format!("{{\"Records\":[{}]}}", joined(",")),
        format!("{{\"Records\" : [\n{}\n] }}", joined("\n,\n")),
        format!("{{\"Records\":[{}]}}{{\"Records\":[{},{}]}}", abc[0], abc[1], abc[2]),
        format!("{{\"Records\":[{}],\"Records\":[{},{}]}}", abc[0], abc[1], abc[2]),
        format!("{{\"x\":[{{\"Records\":[]}}],\"Events\":[{}],\"y\":\"Records\"}}", joined(",")),
    ] {
        assert_eq!(told(&text), (abc.clone(), 0), "{text}");
    }
    assert_eq!(told("{\"x\":{\"Records\":[1]}}"), (values(&["{\"x\":{\"Records\":[1]}}"]), 0));
    assert_eq!(told(""), (vec![], 0));
    assert_eq!(told(" \n\t"), (vec![], 0));
    assert_eq!(told("\"{}\"\n\"x\""), (values(&["\"{}\"", "\"x\""]), 0));
}

#[test]
fn the_rest_of_an_object_with_records_is_kept() {
    let slices = split("{\"a\":1,\"Records\":[{},{}],\"b\":[2]}");
    assert_eq!(slices[2], (What::Skeleton, "{\"a\":1,\"Records\":[],\"b\":[2]}".to_owned(), 1, false));
}

#[test]
fn lines_are_those_on_which_records_begin() {
    let lines = |text: &str| split(text).iter().map(|slice| slice.2).collect::<Vec<_>>();
    assert_eq!(lines("\n{\n}\n{}{}\n"), [2, 4, 4]);
    assert_eq!(lines("{\"Records\":[\n{},\n{\"a\":\n1}]}"), [2, 3, 1]);
    assert_eq!(lines("{\"a\":\"cut\n{}\noops\n{}"), [1, 2, 3, 4]);
}

#[test]
fn damage_is_told_once_and_reading_goes_on() {
    for (text, found, faults) in [
        // A line cut in a string, outside of one, in an escape, and the last line.
        ("{\"a\":\"cut\n{\"b\":1}\n{\"c\":1}", vec!["{\"b\":1}", "{\"c\":1}"], 1),
        ("{\"a\":1, oops\n{\"b\":1}\n{\"c\":1}", vec!["{\"b\":1}", "{\"c\":1}"], 1),
        ("{\"a\":\"\\\n{\"b\":1}", vec!["{\"b\":1}"], 1),
        ("{\"b\":1}\n{\"a\":{\"c\":", vec!["{\"b\":1}"], 1),
        // Damage in two places, and in two lines one after the other.
        ("{\"a\n{\"b\":1}\n{\"a\n{\"c\":1}", vec!["{\"b\":1}", "{\"c\":1}"], 2),
        ("{\"a\n{\"a\n{\"c\":1}", vec!["{\"c\":1}"], 1),
        // Brackets that do not match, alone on a line and within `Records`.
        ("{\"a\":[1}\n{\"b\":1}", vec!["{\"b\":1}"], 1),
        (
            "{\"Records\":[{\"x\":1},{\"y\":[1},{\"eventVersion\":1},{\"eventVersion\":2}]}",
            vec!["{\"x\":1}", "{\"eventVersion\":1}", "{\"eventVersion\":2}"],
            1,
        ),
        // Two damaged records with a whole one between them.
        (
            "{\"Records\":[{\"y\":[1},{\"eventVersion\":1},{\"eventVersion\":[2},{\"eventVersion\":3}]}",
            vec!["{\"eventVersion\":1}", "{\"eventVersion\":3}"],
            2,
        ),
        // One log object cut, another behind it.
        ("{\"Records\":[{\"a\":1},{\"b\":\n{\"Records\":[{\"c\":1}]}", vec!["{\"a\":1}", "{\"c\":1}"], 1),
        ("{\"Records\":[{\"a\":1}\n{\"Records\":[{\"c\":1}]}", vec!["{\"a\":1}", "{\"c\":1}"], 1),
        (
            "{\"Records\":[{\"a\":1},{\"b\":\"x{\"Records\":[{\"eventVersion\":1}]}",
            vec!["{\"a\":1}", "{\"eventVersion\":1}"],
            1,
        ),
        // What looks like a record within one that broke off, and in an envelope that did.
        ("{\"a\":{\"x\" : {\"eventVersion\":1}},\"b\n{\"c\":1}", vec!["{\"c\":1}"], 1),
        ("{\"b\":[1},\"detail\": {\"eventVersion\":1}}{\"c\":1}", vec!["{\"eventVersion\":1}", "{\"c\":1}"], 1),
        // Text before, between and within lines.
        ("oops\nmore\n{\"b\":1}\noops\n", vec!["{\"b\":1}"], 2),
        (
            "Mar 1 host: {\"eventVersion\":1}\nMar 1 host: {\"eventVersion\":2}\n",
            vec!["{\"eventVersion\":1}", "{\"eventVersion\":2}"],
            2,
        ),
        (
            "2026-03-01T10:00:00.000Z {\"eventVersion\":1}\n2026-03-01T10:00:01.000Z {\"eventVersion\":2}\n",
            vec!["{\"eventVersion\":1}", "{\"eventVersion\":2}"],
            0,
        ),
        ("[{},oops,{}]", vec!["{}", "oops", "{}"], 0),
        ("[{}", vec!["{}"], 1),
        ("}", vec![], 1),
    ] {
        assert_eq!(told(text), (values(&found), faults), "{text}");
    }
}

#[test]
fn pieces_of_a_broken_record_are_marked() {
    let text = "[\n  {\n    \"items\": [\n      {\n        \"x\": 1\n      },\n      {\n        \"x\": 2\n      }\n    ],\n    \"a\": \"cut\n  },\n  {\n    \"b\": 1\n  }\n]\n";
    let slices = split(text);
    let marks: Vec<_> = slices.iter().map(|slice| (slice.0, slice.3)).collect();
    let (value, piece) = ((What::Value, false), (What::Value, true));
    assert_eq!(marks, [(What::Break, false), piece, piece, value], "{slices:?}");
}

#[test]
fn a_record_too_long_to_hold_is_passed_over() {
    let long = format!("{{\"a\":\"{}\"}}", "x".repeat(2000));
    for text in [format!("{long}\n{{}}"), format!("[{long},{{}}]"), format!("{{\"Records\":[{long},{{}}]}}")] {
        for size in [1, 7, 100, 5000] {
            let slices = split_in(text.as_bytes(), 1000, || size);
            assert_eq!(slices.iter().filter(|slice| slice.0 == What::Break).count(), 1, "{size}");
            assert_eq!(slices.iter().filter(|slice| slice.1 == "{}").count(), 1, "{size}");
        }
    }
    let skeleton = format!("{{\"a\":\"{}\",\"Records\":[{{}}]}}", "x".repeat(2000));
    assert_eq!(told(&skeleton), (values(&["{}"]), 1));
}

#[test]
fn hostile_nesting_is_scanned_a_bounded_number_of_times() {
    let text = "{\"a\":[\n".repeat(300_000);
    let mut splitter = Splitter::new(64 << 20);
    splitter.feed(text.as_bytes(), &mut |_| {});
    splitter.finish(None, &mut |_| {});
    let text = "{\"a\":\n[".repeat(300_000) + "}";
    let mut splitter = Splitter::new(64 << 20);
    splitter.feed(text.as_bytes(), &mut |_| {});
    assert!(splitter.rescanned <= 4 * splitter.furthest + (1 << 20));
}

/// Text made of the pieces that matter to the scan.
fn text() -> impl Strategy<Value = String> {
    let pieces = [
        "{",
        "}",
        "[",
        "]",
        "\"",
        "\\",
        "\n",
        ",",
        ":",
        " ",
        "x",
        "\r\n",
        "{}",
        "\"Records\":[",
        "{\"Records\":[",
        "{\"eventVersion\"",
        "{\"eventVersion\":1}",
        "\"a\":",
        "\"detail\":",
        "{\"a\":\"b\"}",
        "\u{feff}",
        "é",
        "1",
        "null",
        "{\"a\":[1,2,{}]},\n",
    ];
    proptest::collection::vec(proptest::sample::select(pieces.to_vec()).prop_map(str::to_owned), 0..60)
        .prop_map(|list| list.concat())
}

/// Records as they are written, and what may happen to them.
fn records() -> impl Strategy<Value = String> {
    let pieces = [
        r#"{"eventVersion":"1.08","eventSource":"a","eventName":"b"}"#,
        r#"{"eventVersion":"1.08","userIdentity":{"type":"Root"},"eventTime":"t","eventSource":"s3.amazonaws.com","eventName":"GetObject","requestParameters":{"eventName":"x","a":[1,2,{"b":null}]},"responseElements":null,"readOnly":true,"n":-1.5e3}"#,
        r#"{ "eventVersion" : "1.08" , "eventSource" :"a", "eventName": "b" }"#,
        "{\n  \"eventVersion\": \"1\",\n  \"eventSource\": \"a\",\n  \"eventName\": \"b\"\n}",
        r#"{"eventVersion":"1","eventSource":"aws:s3","eventName":"b"}"#,
        r#"{"eventVersion":"1","eventSource":"a","eventName":"b","eventType":"AwsCloudTrailInsight"}"#,
        r#"{"eventVersion":"1","eventSource":"a","eventName":"b","v":NaN}"#,
        r#"{"eventVersion":"1","eventSource":"a","eventName":"b",}"#,
        r#"{"eventVersion":"1","eventSource":"a","eventName":"b","v":[1 2]}"#,
        r#"{"eventVersion":"1","eventSource":"a","eventName":"b","v":"\x"}"#,
        r#"{"eventVersion":"1","eventSource":"a","event\u004eame":"b","eventName":"c"}"#,
        r#"{"eventVersion":"1","eventSource":"a","eventName":"b","v":"\\"}"#,
        r#"{"eventVersion":"1","eventSource":"a","eventName":"b","eventName":"c"}"#,
        r#"{"eventVersion":"1","eventSource":7,"eventName":"b"}"#,
        r#"{"Records":["#,
        r#"{"Records":[{"eventVersion":"1","eventSource":"a","eventName":"b"},{"eventVersion":"1","eventSource":"a","eventName":"c"}]}"#,
        r#"{"Records":{"eventVersion":"1"}}"#,
        r#"{"eventVersion":"1","eventSource":"a","eventName":"b","Records":[{"eventVersion":"2","eventSource":"a","eventName":"b"}]}"#,
        "[",
        "]",
        "]}",
        "{",
        "}",
        ",",
        ",\n",
        "\n",
        "\r\n",
        " ",
        "\"",
        "\\",
        "x",
        "\u{1e}",
        "\t",
        "12",
        "null",
    ];
    proptest::collection::vec(proptest::sample::select(pieces.to_vec()).prop_map(str::to_owned), 0..12)
        .prop_map(|list| list.concat())
}

/// Records in which some bytes are others.
fn mutated() -> impl Strategy<Value = String> {
    let byte = proptest::sample::select(b"\"\\{}[]:, \nxu0\x01".to_vec());
    (records(), proptest::collection::vec((any::<proptest::sample::Index>(), byte), 1..4)).prop_map(
        |(text, changes)| {
            let mut bytes = text.into_bytes();
            for (at, byte) in changes {
                let length = bytes.len().max(1);
                if let Some(slot) = bytes.get_mut(at.index(length)) {
                    *slot = byte;
                }
            }
            String::from_utf8_lossy(&bytes).into_owned()
        },
    )
}

#[test]
fn whole_records_are_passed_over() {
    let record = r#"{"eventVersion":"1.08","eventSource":"a","eventName":"b","v":[{"x":"]}\\\"{"}]}"#;
    let other = "{\n \"eventVersion\": \"1\",\n \"eventSource\": \"a\", \"eventName\": \"b\"}";
    for (text, passed, kept) in [
        (format!("{record}\n{other}\r\n{record}"), 3, 0),
        (format!("{{\"Records\":[{record},{other} ,\n{record}]}}"), 3, 1),
        (format!("[{record},{other}]"), 2, 0),
        (format!("{record}{other}"), 2, 0),
        (format!("{record}\n{{\"eventVersion\":\"1\"}}\n{record}"), 2, 1),
        (format!("{record}\n{}\n{record}", record.replace("eventSource", "event\\u0053ource")), 2, 1),
        (format!("{record}\n{}\n{record}", record.replace("\"v\":", "\"eventName\":\"c\",\"v\":")), 2, 1),
        (format!("{record}\n{}\n{record}", record.replace("\"v\":[", "\"v\":[NaN,")), 2, 1),
    ] {
        for size in [1, 13, 64, 100_000] {
            let (slices, count) = skim_in(text.as_bytes(), 1000, true, false, || size);
            assert_eq!((count, slices.len()), (passed, kept), "{text} in pieces of {size}: {slices:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn chunks_make_no_difference(text in text(), size in 1_usize..20, max in prop_oneof![Just(1000_usize), 5_usize..80]) {
        let whole = split_in(text.as_bytes(), max, || usize::MAX);
        prop_assert_eq!(&split_in(text.as_bytes(), max, || size), &whole);
        let mut step = size;
        prop_assert_eq!(&split_in(text.as_bytes(), max, || { step = step * 7 % 13; step }), &whole);
    }

    #[test]
    fn the_fast_way_finds_the_same(text in prop_oneof![text(), records(), mutated()], size in 1_usize..200, max in prop_oneof![Just(1000_usize), 5_usize..80]) {
        let plain = split_in(text.as_bytes(), max, || usize::MAX);
        prop_assert_eq!(&skim_in(text.as_bytes(), max, false, false, || usize::MAX).0, &plain);
        prop_assert_eq!(&skim_in(text.as_bytes(), max, false, false, || size).0, &plain);
        // What is passed over is a record, and is one that would have been kept.
        let (kept, passed) = skim_in(text.as_bytes(), max, true, false, || size);
        prop_assert_eq!(kept.len() as u64 + passed, plain.len() as u64);
        let mut left = kept.iter().peekable();
        for slice in &plain {
            if left.peek() == Some(&slice) {
                left.next();
            } else {
                let document = Document::parse(slice.1.as_bytes());
                prop_assert!(slice.0 == What::Value && document.is_ok_and(|document| event::is_event(document.root())), "{:?}", slice);
            }
        }
        prop_assert!(left.next().is_none());
    }

    #[test]
    fn trusted_text_loses_no_record(text in records(), size in 1_usize..200) {
        let plain = split_in(text.as_bytes(), 1000, || usize::MAX);
        // Text that is trusted is taken for JSON.
        let is_json = |slice: &String| Document::parse(slice.as_bytes()).is_ok();
        if !plain.iter().all(|slice| slice.0 == What::Value && is_json(&slice.1)) {
            return Ok(());
        }
        let (kept, passed) = skim_in(text.as_bytes(), 1000, true, true, || size);
        prop_assert_eq!(kept.len() as u64 + passed, plain.len() as u64);
    }

    #[test]
    fn any_whole_values_are_found(list in proptest::collection::vec("[a-z\"\\\\{}\\[\\]\n,:é]{0,12}", 0..8), wrap in 0..4) {
        let texts: Vec<String> = list.iter().map(|text| serde_json::json!({ "t": text, "l": [text, {}] }).to_string()).collect();
        let text = match wrap {
            0 => texts.join("\n"),
            1 => texts.concat(),
            2 => format!("[{}]", texts.join(",\n")),
            _ => format!("{{\"v\":{{}},\"Records\":[{}]}}", texts.join(",")),
        };
        prop_assert_eq!(told(&text), (texts, 0));
    }
}
