//! Judges the log objects that notifications of S3 tell of.
//!
//! [`handle`] knows nothing of AWS: it is given the event, and how an object is fetched. `main.rs` runs it in Lambda.
//!
//! *Law*: nothing is lost without being told. An object that could not be fetched is a failure, and is tried again; what
//! could not be read in one that was fetched is a fault, which trying again would not mend.
//!
//! *Law*: the same event gives the same answer, so trying again does no harm: findings have the fingerprints that they had,
//! and the time of the run is that of the notification.

pub mod notification;

use std::collections::BTreeMap;

use lawbook::engine::{self, Request};
use lawbook::error::Error;
use lawbook::input;
use lawbook::inventory::Inventory;
use lawbook::policy::Checked;
use lawbook::report::{self, Format, Look};
use lawbook::script::{STACK, parse_time};
use serde_json::{Value, json};

use crate::notification::{Notice, Object};

/// Bytes that an object may inflate to: a function has little memory.
const MOST_INFLATED: u64 = 512 << 20;

/// What an object came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// The object.
    pub object: Object,
    /// The events that were read in it.
    pub events: usize,
    /// Findings, as `schemas/report-line.schema.json` has them.
    pub findings: Vec<Value>,
    /// What could not be judged, and what could not be read, as the same schema has them.
    pub others: Vec<Value>,
}

/// What an event came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// What was judged, in the order of the event; an object once.
    pub judged: Vec<Judged>,
    /// What was not, and why: to be tried again.
    pub failures: Vec<Failure>,
    /// The messages of the queue, if the event is of one, and the objects that each tells of.
    messages: Option<Vec<(String, Vec<Object>)>>,
}

/// Something that was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The message, if the event is of a queue and the message is what nobody understands.
    pub message: Option<String>,
    /// The object, if one is known.
    pub object: Option<Object>,
    /// Why.
    pub reason: String,
}

/// Judges every object that an event tells of, by policies; `fetch` gives the bytes of a key in a bucket.
pub fn handle(event: &Value, packs: &Checked, fetch: impl Fn(&str, &str) -> Result<Vec<u8>, String>) -> Answer {
    let mut answer = Answer::default();
    let mut seen: BTreeMap<Object, ()> = BTreeMap::new();
    for Notice { message, time, objects } in notification::read(event) {
        let objects = objects.unwrap_or_else(|reason| {
            answer.failures.push(Failure { message: message.clone(), object: None, reason });
            Vec::new()
        });
        for object in &objects {
            if seen.insert(object.clone(), ()).is_some() {
                continue;
            }
            let judged = fetch(&object.bucket, &object.key)
                .and_then(|bytes| judge(object, bytes, time.as_deref(), packs).map_err(|error| error.to_string()));
            match judged {
                Ok(judged) => answer.judged.push(judged),
                Err(reason) => answer.fail(object, reason),
            }
        }
        if let Some(message) = message {
            answer.messages.get_or_insert_default().push((message, objects));
        }
    }
    answer
}

fn judge(object: &Object, bytes: Vec<u8>, time: Option<&str>, packs: &Checked) -> Result<Judged, Error> {
    let mut request = Request::new(std::iter::empty::<&str>());
    request.settings.max_inflated = MOST_INFLATED;
    // A delivery may hold nothing, or digests, which are for whoever has all of them.
    request.allow_empty = true;
    if let Some(time) = time.and_then(parse_time) {
        request.now = time;
    }
    let name = format!("s3://{}/{}", object.bucket, object.key);
    let (records, faults) = input::events_within(&name, bytes, &request.settings);
    // Scripts want more stack than threads of a runtime have.
    let outcome = std::thread::scope(|scope| {
        let thread = std::thread::Builder::new()
            .stack_size(STACK)
            .spawn_scoped(scope, || engine::judge(packs, &records, Inventory::default(), &request));
        match thread.map(std::thread::ScopedJoinHandle::join) {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(panic)) => std::panic::resume_unwind(panic),
            Err(error) => Err(Error::new(format!("no thread could be started: {error}"))),
        }
    })?;
    let mut lines = Vec::new();
    report::write(Format::Ndjson, &outcome, packs, Look::default(), &mut lines)
        .map_err(|error| Error::new(format!("the report could not be written: {error}")))?;
    let mut judged = Judged { object: object.clone(), events: records.len(), findings: Vec::new(), others: Vec::new() };
    for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let row: Value =
            serde_json::from_slice(line).map_err(|error| Error::new(format!("the report is no JSON: {error}")))?;
        match row["type"].as_str() {
            Some("finding") => judged.findings.push(row),
            Some("summary") => {}
            _ => judged.others.push(row),
        }
    }
    judged.others.extend(faults.iter().map(|fault| {
        json!({ "type": "fault", "stage": "input", "policy": null, "reason": fault.reason, "count": fault.count,
            "origins": [{ "file": &*fault.origin.file, "position": fault.origin.position, "line": fault.origin.line }] })
    }));
    Ok(judged)
}

impl Answer {
    /// Notes that something about an object was not done, so that it is tried again.
    pub fn fail(&mut self, object: &Object, reason: impl Into<String>) {
        self.failures.push(Failure { message: None, object: Some(object.clone()), reason: reason.into() });
    }

    /// What Lambda is to be told. A queue gets back the messages that failed, and drops the others (its event source
    /// mapping needs `ReportBatchItemFailures`).
    ///
    /// # Errors
    /// Where the event is not of a queue and something failed, so that Lambda tries all of it again.
    pub fn response(&self) -> Result<Value, String> {
        let mut response = json!({
            "objects": self.judged.len(),
            "events": self.judged.iter().map(|judged| judged.events).sum::<usize>(),
            "findings": self.judged.iter().map(|judged| judged.findings.len()).sum::<usize>(),
            "faults": self.judged.iter().flat_map(|judged| &judged.others).filter(|row| row["type"] == "fault").count(),
        });
        match &self.messages {
            Some(messages) => {
                let failed = |(id, objects): &&(String, Vec<Object>)| {
                    self.failures.iter().any(|failure| {
                        failure.message.as_ref() == Some(id)
                            || failure.object.as_ref().is_some_and(|object| objects.contains(object))
                    })
                };
                let ids = messages.iter().filter(failed).map(|(id, _)| json!({ "itemIdentifier": id }));
                response["batchItemFailures"] = ids.collect();
                Ok(response)
            }
            None if self.failures.is_empty() => Ok(response),
            None => Err(self.failures.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")),
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let reason = lawbook::fault::printable(&self.reason, 500);
        match (&self.object, &self.message) {
            (Some(Object { bucket, key }), _) => {
                write!(f, "s3://{}: {reason}", lawbook::fault::printable(&format!("{bucket}/{key}"), 1_200))
            }
            (None, Some(message)) => write!(f, "message {}: {reason}", lawbook::fault::printable(message, 200)),
            (None, None) => f.write_str(&reason),
        }
    }
}
