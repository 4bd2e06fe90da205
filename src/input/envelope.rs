//! Finds the events in a JSON value, however many envelopes they are in.
//!
//! To read a new shape: one function that takes a value or leaves it, and its line in [`SHAPES`].

use std::collections::HashMap;
use std::io::Cursor;
use std::sync::Arc;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::decode::Limit;
use super::garbage::quoted;
use super::split::Splitter;
use super::{File, Sink, answer, athena, cloudwatch, decode, event, inventory, lake, notice, ocsf, siem};
use crate::fault::Fault;
use crate::record::{CLOUDTRAIL, Document, Kind, Node, Origin, Record, Ref, Scope};

/// A shape: reads a map, or answers false when it is of another shape.
type Shape = fn(&mut Opener<'_>, &Node, u32) -> bool;

/// Every shape, the first that takes a map reads it.
const SHAPES: [Shape; 11] = [
    event::take,
    notice::take_records,
    event::take_unjudged,
    cloudwatch::take,
    notice::take,
    event::take_eventbridge,
    lake::take,
    athena::take,
    ocsf::take,
    siem::take,
    notice::take_empty,
];

/// Envelopes in envelopes that are opened: SNS in SQS in EventBridge and so on; real ones have three.
const MOST_ENVELOPES: u32 = 8;

/// Different reasons that are kept of one batch: hostile text could make a new one for each of its bytes.
const MOST_REASONS: usize = 1000;

/// Faults of one reason that are kept with their places.
const TOLD: u64 = 3;

/// Padding is optional: some shippers cut it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Opens the slices of one batch.
pub(super) struct Opener<'a> {
    file: &'a File,
    sink: &'a mut dyn Sink,
    max: usize,
    kind: Arc<str>,
    names: [Option<Arc<str>>; 2],
    position: u64,
    line: u64,
    /// What is wrong with the slice has been told.
    told: bool,
    faults: Vec<Fault>,
    /// How often each was met, and where its last fault stands.
    reasons: HashMap<String, (u64, usize)>,
    /// Bytes that the payloads of the batch may still inflate to.
    inflatable: u64,
}

impl<'a> Opener<'a> {
    /// Opens slices of `len` bytes in all, each at most `max` long.
    pub(super) fn new(file: &'a File, sink: &'a mut dyn Sink, max: usize, len: usize) -> Self {
        // Real payloads shrink about tenfold; without a limit on the sum a small file could keep a machine busy.
        let inflatable = (max as u64).max(len as u64).saturating_mul(4).max(len as u64 * 64);
        let kind = CLOUDTRAIL.into();
        let (faults, reasons) = (Vec::new(), HashMap::new());
        Self {
            file,
            sink,
            max,
            kind,
            names: [None, None],
            position: 0,
            line: 0,
            told: false,
            faults,
            reasons,
            inflatable,
        }
    }

    /// Goes to the slice that begins on this line.
    pub(super) fn at(&mut self, line: u64, told: bool) {
        self.line = line;
        self.told = told;
    }

    /// Passes over events that somebody else has counted.
    pub(super) fn pass_over(&mut self, events: u64) {
        if events > 0 {
            self.position += events;
            self.sink.passed_over(events);
        }
    }

    /// Passes over an event that somebody else has counted, and noted something of.
    pub(super) fn noted(&mut self, notes: &[u8]) {
        self.position += 1;
        self.sink.noted(notes, &self.origin(self.position));
    }

    /// Gives the faults: of equal reasons the first three, the last of which counts for all that follow.
    pub(super) fn finish(self) {
        for fault in self.faults {
            self.sink.fault(fault);
        }
    }

    fn origin(&self, position: u64) -> Origin {
        Origin { file: Arc::clone(&self.file.name), position, line: (self.line > 0).then_some(self.line) }
    }

    pub(super) fn fault(&mut self, reason: impl Into<String>) {
        if self.told {
            return;
        }
        let mut reason = reason.into();
        if self.faults.len() >= MOST_REASONS && !self.reasons.contains_key(&reason) {
            "faults of more kinds than are listed".clone_into(&mut reason);
        }
        let origin = self.origin(0);
        let (times, last) = self.reasons.entry(reason.clone()).or_default();
        *times += 1;
        if *times > TOLD {
            self.faults[*last].count += 1;
            return;
        }
        *last = self.faults.len();
        self.faults.push(Fault::input(reason, origin));
    }

    pub(super) fn recognised(&mut self, what: &'static str) {
        self.sink.recognised(what);
    }

    /// Gives a record; `time`, `account` and `region` are what the record says.
    pub(super) fn event(&mut self, value: Node, known: event::Known<'_>) {
        self.position += 1;
        let delivered = &self.file.delivered;
        let account = known.account.map(|name| intern(&mut self.names[0], name));
        let account = account.or_else(|| delivered.account.clone());
        let region = known.region.map(|name| intern(&mut self.names[1], name));
        let scope = Scope {
            account: account.or_else(|| known.caller_account.map(Arc::from)),
            region: region.or_else(|| delivered.region.clone()),
        };
        let origin = self.origin(self.position);
        let kind = Arc::clone(&self.kind);
        self.sink.event(Record { kind, id: known.id.map(Arc::from), time: known.time, scope, value, origin });
    }

    /// Notes whether an answer of an API is all that was asked for.
    pub(super) fn answer(&mut self, view: Ref<'_>, depth: u32) {
        if let Some(reason) = answer::shortfall(view) {
            self.fault(reason);
        }
        if let Some(goes_on) = answer::goes_on(view).filter(|_| depth == 0) {
            self.file.pages.note(self.line, goes_on);
        }
    }

    /// A slice of text that should be a JSON value.
    pub(super) fn slice(&mut self, slice: &[u8], depth: u32) {
        match Document::parse(slice) {
            Ok(document) => self.value(&document.into(), depth),
            Err(error) => self.fault(not_json(&error)),
        }
    }

    /// An object whose `Records` were opened one by one: the rest of it may be an event or an envelope too.
    pub(super) fn skeleton(&mut self, slice: &[u8], depth: u32) {
        match Document::parse(slice) {
            Ok(document) => {
                let node: Node = document.into();
                self.answer(node.view(), depth);
                self.map(&node, depth);
                self.left_over(node.view());
            }
            Err(error) => self.fault(not_json(&error)),
        }
    }

    /// Tells of events and resources beside `Records` that no shape reads.
    fn left_over(&mut self, view: Ref<'_>) {
        let holds_events = |value: Ref<'_>| match value.kind() {
            Kind::List => value.items().next().is_some_and(event::is_event),
            Kind::Map => event::is_event(value),
            _ => false,
        };
        let is_read = |key: &str| notice::LISTS.contains(&key) || siem::carriers().any(|known| known == key);
        let mut tell = |what: &str, are_it: &dyn Fn(&str, Ref<'_>) -> bool| {
            let lost = view.entries().filter(|(key, value)| !is_read(key) && are_it(key, *value));
            let lost: Vec<String> = lost.map(|(key, _)| quoted(key)).collect();
            if !lost.is_empty() {
                let lost = lost.join(", ");
                self.fault(format!(
                    "{what} in {lost} beside `Records`, which are not read; put them in files of their own"
                ));
            }
        };
        tell("events", &|_, value| holds_events(value));
        tell("resources", &|key, value| !holds_events(value) && inventory::are_resources(key, value));
    }

    /// A value that holds events, itself or in it.
    pub(super) fn value(&mut self, node: &Node, depth: u32) {
        if depth > MOST_ENVELOPES {
            return self.fault("envelopes nested deeper than 8; unpack the records");
        }
        match node.view().kind() {
            Kind::Map if self.map(node, depth) => {}
            Kind::Map => self.unknown(node.view()),
            Kind::List if cloudwatch::take_row(self, node, depth) => {}
            Kind::List => self.each(node, node.view(), depth),
            Kind::Text => self.text("a JSON string", node.view().as_str().unwrap_or_default(), depth + 1),
            Kind::Null => self.fault("`null` where a record was expected"),
            Kind::Bool | Kind::Int | Kind::Float => self.fault("a number or a word where a record was expected"),
        }
    }

    /// Every item of a list.
    pub(super) fn each(&mut self, node: &Node, list: Ref<'_>, depth: u32) {
        for item in list.items() {
            self.value(&node.share(item), depth + 1);
        }
    }

    /// Whether a shape takes the map.
    fn map(&mut self, node: &Node, depth: u32) -> bool {
        SHAPES.iter().any(|take| take(self, node, depth))
    }

    fn unknown(&mut self, view: Ref<'_>) {
        let keys: Vec<String> = view.entries().take(4).map(|(key, _)| quoted(key)).collect();
        let more = if view.len() > keys.len() { "…" } else { "" };
        let has = |key: &&str| view.get(key).is_some();
        if ["eventSource", "eventName"].iter().all(has) && !event::ALWAYS.iter().any(has) {
            let marks: Vec<String> = event::ALWAYS.iter().map(|key| quoted(key)).collect();
            return self.fault(format!("no record of CloudTrail: it has none of {}", marks.join(", ")));
        }
        self.fault(match keys.as_slice() {
            [] => "an empty object where a record was expected".to_owned(),
            _ => format!("not a shape that lawbook knows: an object with the keys {}{more}", keys.join(", ")),
        });
    }

    /// Text that should hold a record; `what` says which text, for the fault.
    pub(super) fn text(&mut self, what: &str, text: &str, depth: u32) {
        if depth > MOST_ENVELOPES {
            return self.fault("envelopes nested deeper than 8; unpack the records");
        }
        let trimmed = text.trim_start();
        if !trimmed.starts_with(['{', '[']) {
            return self.fault(format!("{what} does not hold a record: {}", quoted(text)));
        }
        match Document::parse(trimmed.as_bytes()) {
            Ok(document) => self.value(&document.into(), depth),
            Err(_) => self.pieces(trimmed.as_bytes(), None, depth),
        }
    }

    /// Base64, perhaps of gzip, of one or more values.
    pub(super) fn payload(&mut self, what: &str, text: &str, depth: u32) {
        if depth > MOST_ENVELOPES {
            return self.fault("envelopes nested deeper than 8; unpack the records");
        }
        let compact: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
        let Ok(bytes) = BASE64.decode(compact) else {
            return self.fault(format!("{what} is not base64; fetch it again"));
        };
        let most = Limit { bytes: self.inflatable.min(self.max as u64), flag: "--max-record" };
        let mut inner = Vec::new();
        let broken = decode::decoder(Cursor::new(bytes), most).map_err(|error| decode::reason(&error)).and_then(
            |(mut reader, notes)| {
                decode::each_chunk(&mut reader, &mut |chunk| inner.extend_from_slice(chunk))?;
                notes.take().into_iter().next().map_or(Ok(()), Err)
            },
        );
        self.inflatable = self.inflatable.saturating_sub(inner.len() as u64);
        self.pieces(&inner, broken.err().map(|reason| format!("{what}: {reason}")), depth);
    }

    /// Several values in one text.
    fn pieces(&mut self, text: &[u8], broken: Option<String>, depth: u32) {
        let mut splitter = Splitter::new(self.max);
        splitter.feed(text, &mut |batch| batch.open_into(self, depth + 1));
        let last = splitter.finish(broken, &mut |batch| batch.open_into(self, depth + 1));
        last.open_into(self, depth + 1);
    }
}

/// The same allocation again while the name stays the same.
fn intern(last: &mut Option<Arc<str>>, name: &str) -> Arc<str> {
    match last {
        Some(known) if known.as_ref() == name => Arc::clone(known),
        _ => Arc::clone(last.insert(Arc::from(name))),
    }
}

/// The reason of a fault for text that does not parse. The parser's words name no text of the record.
fn not_json(error: &serde_json::Error) -> String {
    let told = error.to_string();
    let what = told.rsplit_once(" at line ").map_or(told.as_str(), |(what, _)| what);
    if what == "recursion limit exceeded" {
        return "nested deeper than 127 levels".to_owned();
    }
    match (error.line(), error.column()) {
        (0, _) => format!("not JSON: {what}"),
        (1, column) => format!("not JSON: {what} at column {column}"),
        (line, column) => format!("not JSON: {what} at column {column} of line {line} of the record"),
    }
}
