//! Events as AWS sends them, and objects from the sample; no network.

use std::cell::RefCell;
use std::path::Path;
use std::sync::LazyLock;

use lawbook::policy::{Checked, Overrides, Pack};
use lawbook::script::Limits;
use lawbook_lambda::notification::Object;
use lawbook_lambda::{Answer, handle};
use serde_json::{Value, json};

const BUCKET: &str = "example-trail";
const LOG: &str = "AWSLogs/111122223333/CloudTrail/us-east-1/2024/05/14/111122223333_CloudTrail_us-east-1_20240514T0935Z_4802f468b9b05b51.json.gz";
const OTHER: &str = "AWSLogs/111122223333/CloudTrail/us-east-1/2024/05/14/111122223333_CloudTrail_us-east-1_20240514T0920Z_cdb44bc0c2ce518e.json.gz";

static PACKS: LazyLock<Checked> = LazyLock::new(|| {
    Pack::embedded().load(&Overrides::default(), &Limits::default()).expect("the embedded policies load")
});

/// An object of the sample; keys that begin with `odd/` are the same object under names that have to be encoded.
fn sample(bucket: &str, key: &str) -> Result<Vec<u8>, String> {
    assert_eq!(bucket, BUCKET);
    let key = if key.starts_with("odd/") { LOG } else { key };
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sample/logs").join(key);
    std::fs::read(file).map_err(|_| "there is no such key".to_owned())
}

fn s3(key: &str) -> Value {
    json!({ "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "us-east-1", "eventTime": "2024-05-14T09:36:00Z",
        "eventName": "ObjectCreated:Put", "s3": { "bucket": { "name": BUCKET }, "object": { "key": key, "size": 1 } } })
}

fn records(all: &[Value]) -> Value {
    json!({ "Records": all })
}

fn bridge(kind: &str, key: &str) -> Value {
    json!({ "version": "0", "id": "1", "detail-type": kind, "source": "aws.s3", "time": "2024-05-14T09:36:00Z",
        "detail": { "version": "0", "bucket": { "name": BUCKET }, "object": { "key": key, "size": 1 } } })
}

fn sqs(id: &str, body: &str) -> Value {
    json!({ "messageId": id, "receiptHandle": "r", "body": body, "eventSource": "aws:sqs", "awsRegion": "us-east-1" })
}

fn titles(answer: &Answer) -> Vec<&str> {
    answer.judged.iter().flat_map(|judged| &judged.findings).map(|row| row["title"].as_str().unwrap()).collect()
}

fn told(event: &Value) -> Answer {
    handle(event, &PACKS, sample)
}

#[test]
fn an_object_is_judged_however_it_is_told_of() {
    let wanted = told(&records(&[s3(LOG)]));
    assert!(wanted.failures.is_empty(), "{:?}", wanted.failures);
    let found = titles(&wanted);
    assert!(found.contains(&"Trail main stopped by deploy/aws-go-sdk-1715677"), "{found:?}");
    let origin = &wanted.judged[0].findings[0]["origin"]["file"];
    assert_eq!(origin, &json!(format!("s3://{BUCKET}/{LOG}")));
    assert_eq!(wanted.judged[0].findings[0]["type"], "finding");

    let inner = records(&[s3(LOG)]).to_string();
    let envelope = json!({ "Type": "Notification", "MessageId": "m", "TopicArn": "t", "Message": inner }).to_string();
    let of_trail = json!({ "s3Bucket": BUCKET, "s3ObjectKey": [LOG] });
    let topic = |text: &str| {
        json!({ "EventSource": "aws:sns", "EventVersion": "1.0",
            "Sns": { "Type": "Notification", "Timestamp": "2024-05-14T09:36:00Z", "Message": text } })
    };
    for event in [
        bridge("Object Created", LOG),
        records(&[sqs("1", &inner)]),
        records(&[sqs("1", &envelope)]),
        records(&[sqs("1", &bridge("Object Created", LOG).to_string())]),
        records(&[topic(&inner)]),
        records(&[topic(&of_trail.to_string())]),
        of_trail.clone(),
    ] {
        let answer = told(&event);
        assert!(answer.failures.is_empty(), "{event}: {:?}", answer.failures);
        assert_eq!(titles(&answer), found, "{event}");
        let response = answer.response().unwrap();
        assert_eq!((&response["objects"], &response["faults"]), (&json!(1), &json!(0)), "{response}");
        assert!(response["findings"].as_u64().unwrap() > 2, "{response}");
    }
}

#[test]
fn keys_are_decoded_where_they_are_encoded() {
    let seen = RefCell::new(Vec::new());
    let note = |bucket: &str, key: &str| {
        seen.borrow_mut().push(key.to_owned());
        sample(bucket, key)
    };
    let event = records(&[s3("odd/a+b%2Bc%20d/%C3%A9%25.json.gz")]);
    assert!(handle(&event, &PACKS, note).failures.is_empty());
    handle(&bridge("Object Created", "odd/a+b%20c"), &PACKS, note);
    handle(&json!({ "s3Bucket": BUCKET, "s3ObjectKey": ["odd/a+b"] }), &PACKS, note);
    assert_eq!(seen.into_inner(), ["odd/a b+c d/é%.json.gz", "odd/a+b%20c", "odd/a+b"]);
    let answer = told(&records(&[s3("odd/%FF")]));
    assert!(answer.response().unwrap_err().contains("is no UTF-8"));
}

#[test]
fn the_same_event_gives_the_same_answer_and_an_object_is_judged_once() {
    let event = records(&[s3(LOG), s3(LOG), s3(OTHER)]);
    let fetched = RefCell::new(0);
    let count = |bucket: &str, key: &str| {
        *fetched.borrow_mut() += 1;
        sample(bucket, key)
    };
    let first = handle(&event, &PACKS, count);
    assert_eq!((*fetched.borrow(), first.judged.len()), (2, 2));
    assert_eq!(first, handle(&event, &PACKS, count));
    let fingerprints = |answer: &Answer| -> Vec<String> {
        answer.judged.iter().flat_map(|judged| &judged.findings).map(|row| row["fingerprint"].to_string()).collect()
    };
    let alone = told(&records(&[s3(LOG)]));
    assert!(fingerprints(&first).starts_with(&fingerprints(&alone)));
}

#[test]
fn a_failure_costs_its_own_message_and_no_other() {
    let body = |key: &str| records(&[s3(key)]).to_string();
    let event = records(&[
        sqs("good", &body(LOG)),
        sqs("gone", &body("AWSLogs/nosuch.json.gz")),
        sqs("both", &records(&[s3(LOG), s3("AWSLogs/nosuch.json.gz")]).to_string()),
        sqs("garbage", "{"),
        sqs("strange", r#"{"hello":"world"}"#),
        sqs("test", r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"example-trail"}"#),
    ]);
    let answer = told(&event);
    let response = answer.response().unwrap();
    let ids: Vec<&str> = response["batchItemFailures"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["itemIdentifier"].as_str().unwrap())
        .collect();
    assert_eq!(ids, ["gone", "both", "garbage", "strange"]);
    assert_eq!(response["objects"], 1);
    assert!(!titles(&answer).is_empty(), "what could be judged was judged");
    let reasons: Vec<String> = answer.failures.iter().map(ToString::to_string).collect();
    assert_eq!(reasons[0], format!("s3://{BUCKET}/AWSLogs/nosuch.json.gz: there is no such key"));
    assert!(reasons[1].starts_with("message garbage: a message is no JSON"), "{reasons:?}");
    assert!(reasons[2].starts_with("message strange: it tells of no object"), "{reasons:?}");

    // What is not of a queue is tried again as a whole.
    let error = told(&records(&[s3(LOG), s3("AWSLogs/nosuch.json.gz")])).response().unwrap_err();
    assert_eq!(error, format!("s3://{BUCKET}/AWSLogs/nosuch.json.gz: there is no such key"));
    // So is what could not be kept.
    let mut answer = told(&records(&[sqs("1", &body(LOG))]));
    answer.fail(&Object { bucket: BUCKET.to_owned(), key: LOG.to_owned() }, "the bucket is full");
    assert_eq!(answer.response().unwrap()["batchItemFailures"], json!([{ "itemIdentifier": "1" }]));
    // All messages were fine.
    assert_eq!(told(&records(&[sqs("1", &body(LOG))])).response().unwrap()["batchItemFailures"], json!([]));
}

#[test]
fn what_is_of_no_new_object_is_passed_over_and_what_is_of_none_is_told() {
    let mut removed = s3(LOG);
    removed["eventName"] = json!("ObjectRemoved:Delete");
    let test = json!({ "Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": BUCKET });
    for event in [records(&[removed]), bridge("Object Deleted", LOG), test] {
        let answer = told(&event);
        assert_eq!((answer.judged.len(), answer.response().unwrap()["objects"].as_u64()), (0, Some(0)), "{event}");
    }
    let mut nameless = s3(LOG);
    nameless["s3"]["bucket"] = json!({});
    let deep =
        (0..9).fold(records(&[s3(LOG)]), |inner, _| json!({ "Type": "Notification", "Message": inner.to_string() }));
    for event in [
        json!({}),
        json!([]),
        json!("text"),
        json!({ "Records": [] }),
        records(&[json!({ "eventSource": "aws:dynamodb" })]),
        records(&[nameless]),
        deep,
    ] {
        assert!(told(&event).response().is_err(), "{event}");
    }
}

#[test]
fn damage_is_told_and_not_tried_again() {
    let damaged = |_: &str, _: &str| {
        let mut bytes = sample(BUCKET, LOG)?;
        bytes.truncate(bytes.len() / 2);
        Ok(bytes)
    };
    let answer = handle(&records(&[sqs("1", &records(&[s3(LOG)]).to_string())]), &PACKS, damaged);
    let response = answer.response().unwrap();
    assert_eq!((&response["batchItemFailures"], &response["faults"]), (&json!([]), &json!(1)), "{response}");
    let fault = answer.judged[0].others.iter().find(|row| row["type"] == "fault").unwrap();
    assert_eq!(
        (fault["stage"].as_str(), fault["origins"][0]["file"].as_str()),
        (Some("input"), Some(format!("s3://{BUCKET}/{LOG}").as_str()))
    );
    // Nothing in an object, and nothing that is a log, are different things.
    let empty = handle(&records(&[s3(LOG)]), &PACKS, |_, _| Ok(br#"{"Records":[]}"#.to_vec())).response().unwrap();
    assert_eq!((&empty["events"], &empty["faults"]), (&json!(0), &json!(0)));
    let text = handle(&records(&[s3(LOG)]), &PACKS, |_, _| Ok(b"<html>".to_vec())).response().unwrap();
    assert_eq!(text["faults"], 1);
}
