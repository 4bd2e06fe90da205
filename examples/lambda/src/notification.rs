//! Which objects a notification tells of, however it is wrapped.

use percent_encoding::percent_decode_str;
use serde_json::Value;

/// An object in S3.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Object {
    /// Its bucket.
    pub bucket: String,
    /// Its key, as S3 has it.
    pub key: String,
}

/// What can be tried again by itself: a message of a queue, or the whole event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The message's id, if the event is of a queue.
    pub message: Option<String>,
    /// When it was sent, if it says so.
    pub time: Option<String>,
    /// The objects that were made; or why nobody can say.
    pub objects: Result<Vec<Object>, String>,
}

/// Envelopes in envelopes that are opened: a queue may hold a topic's message that holds one of S3.
const DEEPEST: usize = 4;

/// The notices in an event.
pub fn read(event: &Value) -> Vec<Notice> {
    let records = event["Records"].as_array().map(Vec::as_slice).unwrap_or_default();
    let is_queue = !records.is_empty() && records.iter().all(|record| record["eventSource"] == "aws:sqs");
    if !is_queue {
        return vec![Notice { message: None, time: time(event), objects: objects(event, 0) }];
    }
    let notice = |record: &Value| {
        let body = parsed(&record["body"]);
        Notice {
            message: record["messageId"].as_str().map(str::to_owned),
            time: body.as_ref().ok().and_then(time),
            objects: body.and_then(|body| objects(&body, 1)),
        }
    };
    records.iter().map(notice).collect()
}

/// The text of a message as JSON.
fn parsed(text: &Value) -> Result<Value, String> {
    let text = text.as_str().ok_or("a message has no text")?;
    serde_json::from_str(text).map_err(|error| format!("a message is no JSON: {error}"))
}

/// When the first thing happened that an event tells of.
fn time(event: &Value) -> Option<String> {
    let first = &event["Records"][0];
    let times = [&event["time"], &event["Timestamp"], &first["eventTime"], &first["Sns"]["Timestamp"]];
    times.into_iter().find_map(Value::as_str).map(str::to_owned)
}

fn objects(event: &Value, depth: usize) -> Result<Vec<Object>, String> {
    if depth > DEEPEST {
        return Err("envelopes stand in envelopes too deep".to_owned());
    }
    if let Some(records) = event["Records"].as_array().filter(|records| !records.is_empty()) {
        let all: Result<Vec<Vec<Object>>, String> = records.iter().map(|record| of_record(record, depth)).collect();
        return Ok(all?.concat());
    }
    // A topic's envelope, as queues that are subscribed to it hold it.
    if event["Type"] == "Notification" {
        return objects(&parsed(&event["Message"])?, depth + 1);
    }
    // What S3 sends when somebody sets its notifications up.
    if event["Event"] == "s3:TestEvent" {
        return Ok(Vec::new());
    }
    // EventBridge has keys as they are.
    if event["source"] == "aws.s3" {
        if event["detail-type"] != "Object Created" {
            return Ok(Vec::new());
        }
        let detail = &event["detail"];
        return Ok(vec![object(&detail["bucket"]["name"], &detail["object"]["key"])?]);
    }
    // What CloudTrail itself tells the topic of a trail.
    if let Some(keys) = event["s3ObjectKey"].as_array() {
        return keys.iter().map(|key| object(&event["s3Bucket"], key)).collect();
    }
    Err("it tells of no object: expected a notification of S3 or CloudTrail, itself or through SNS, SQS or EventBridge"
        .to_owned())
}

fn of_record(record: &Value, depth: usize) -> Result<Vec<Object>, String> {
    if record["EventSource"] == "aws:sns" {
        return objects(&parsed(&record["Sns"]["Message"])?, depth + 1);
    }
    if record["eventSource"] == "aws:sqs" {
        return objects(&parsed(&record["body"])?, depth + 1);
    }
    if record["eventSource"] != "aws:s3" {
        return Err("a record is of neither S3, SNS nor SQS".to_owned());
    }
    // Deleted, restored, tagged: there is nothing new in it.
    let is_new =
        record["eventName"].as_str().is_some_and(|name| name.trim_start_matches("s3:").starts_with("ObjectCreated:"));
    if !is_new {
        return Ok(Vec::new());
    }
    let mut found = object(&record["s3"]["bucket"]["name"], &record["s3"]["object"]["key"])?;
    found.key = decoded(&found.key)?;
    Ok(vec![found])
}

fn object(bucket: &Value, key: &Value) -> Result<Object, String> {
    match (bucket.as_str(), key.as_str()) {
        (Some(bucket), Some(key)) if !bucket.is_empty() && !key.is_empty() => {
            Ok(Object { bucket: bucket.to_owned(), key: key.to_owned() })
        }
        _ => Err("a notification lacks the name of the bucket or the key".to_owned()),
    }
}

/// The key that a notification of S3 encodes as forms do: a blank is a plus sign.
fn decoded(key: &str) -> Result<String, String> {
    let plain = key.replace('+', " ");
    let decoded = percent_decode_str(&plain).decode_utf8();
    decoded.map(|key| key.into_owned()).map_err(|_| format!("the key `{key}` is no UTF-8"))
}
