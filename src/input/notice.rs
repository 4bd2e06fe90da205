//! Opens the envelopes of queues and topics (SQS, SNS, S3 notifications) and lists of `Records`.

use super::envelope::Opener;
use super::siem;
use crate::record::{Kind, Node, Ref};

/// `{"Records": [...]}`, `{"Events": [...]}` and the lists that other tools wrap records in.
pub(super) fn take_records(opener: &mut Opener<'_>, node: &Node, depth: u32) -> bool {
    let view = node.view();
    let mut taken = false;
    if view.get("Events").is_some() {
        opener.answer(view, depth);
    }
    for list in lists(view).filter(|list| !list.is_empty()) {
        opener.each(node, list, depth);
        taken = true;
    }
    if let Some(inner) = view.get("CloudTrailEvent") {
        match inner.as_str() {
            Some(text) => opener.text("`CloudTrailEvent`", text, depth + 1),
            None => opener.value(&node.share(inner), depth + 1),
        }
        taken = true;
    }
    taken
}

/// Names of lists that records stand in.
pub(super) const LISTS: [&str; 7] = ["Records", "Events", "records", "Messages", "logEvents", "events", "results"];

/// A list of records that is empty, and nothing else that is known: an hour without events.
pub(super) fn take_empty(opener: &mut Opener<'_>, node: &Node, depth: u32) -> bool {
    let view = node.view();
    opener.answer(view, depth);
    of_names(view, &LISTS).next().is_some()
}

/// The lists that records stand in.
pub(super) fn lists(view: Ref<'_>) -> impl Iterator<Item = Ref<'_>> {
    of_names(view, &LISTS[..4])
}

fn of_names<'a>(view: Ref<'a>, names: &'static [&'static str]) -> impl Iterator<Item = Ref<'a>> {
    names.iter().filter_map(move |name| view.get(name)).filter(|list| list.kind() == Kind::List)
}

/// Messages, and notices that a log object was delivered.
pub(super) fn take(opener: &mut Opener<'_>, node: &Node, depth: u32) -> bool {
    let view = node.view();
    let service =
        view.text(&["eventSource"]).or_else(|| view.text(&["EventSource"])).filter(|name| name.starts_with("aws:"));
    if view.get("s3Bucket").is_some() && view.get("s3ObjectKey").is_some() && !siem::carries(view) {
        opener.recognised("a notice of delivery from CloudTrail");
    } else if let Some(text) = message(view, service) {
        body(opener, text, depth);
    } else if service.is_some() || view.path(&["s3", "s3SchemaVersion"]).is_some() || is_test(view) {
        opener.recognised("a notification of another service");
    } else {
        return false;
    }
    true
}

/// What a message says: records as JSON, as JSON in a JSON string, or compressed; other applications send what they like.
fn body(opener: &mut Opener<'_>, text: &str, depth: u32) {
    let trimmed = text.trim_start_matches('\u{feff}').trim_start();
    let quoted: Option<String> = trimmed.starts_with('"').then(|| serde_json::from_str(trimmed).ok()).flatten();
    let text = quoted.as_deref().map_or(trimmed, str::trim_start);
    if text.starts_with(['{', '[']) {
        opener.text("the body of a message", text, depth + 1);
    } else if text.starts_with(GZIP_IN_BASE64) || is_json_in_base64(text) {
        opener.payload("the body of a message", text, depth + 1);
    } else {
        opener.recognised("a message that holds no record");
    }
}

/// How the first bytes of gzip that deflates look in base64.
const GZIP_IN_BASE64: &str = "H4sI";

/// How an object or a list of JSON looks in base64, with white space in it or not: `{"`, `{ `, `{\n`, `[{`, `[ `, `[\n`.
const JSON_IN_BASE64: [&str; 6] = ["eyJ", "eyA", "ewo", "W3s", "WyA", "Wwo"];

/// A token of three parts begins so, too.
fn is_json_in_base64(text: &str) -> bool {
    let is_of_it = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=\r\n".contains(&byte);
    JSON_IN_BASE64.iter().any(|begin| text.starts_with(begin)) && text.bytes().all(is_of_it)
}

/// The text of an SQS or SNS message.
fn message<'a>(view: Ref<'a>, service: Option<&str>) -> Option<&'a str> {
    let sqs = service.is_some() || view.get("messageId").is_some() || view.get("MessageId").is_some();
    let sns = view.text(&["Type"]).is_some_and(|what| what == "Notification" || what.ends_with("Confirmation"));
    let body = if sqs { view.text(&["body"]).or_else(|| view.text(&["Body"])) } else { None };
    let topic = if sns || view.get("TopicArn").is_some() { view.text(&["Message"]) } else { None };
    body.or(topic).or_else(|| view.text(&["Sns", "Message"]))
}

/// What S3 sends when a notification is set up.
fn is_test(view: Ref<'_>) -> bool {
    view.text(&["Event"]) == Some("s3:TestEvent")
}
