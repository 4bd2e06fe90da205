//! Opens the envelopes of queues and topics (SQS, SNS, S3 notifications) and lists of `Records`.

use super::envelope::Opener;
use crate::record::{Kind, Node, Ref};

/// `{"Records": [...]}`, `{"Events": [...]}` and the lists that other tools wrap records in.
pub(super) fn take_records(opener: &mut Opener<'_>, node: &Node, depth: u32) -> bool {
    let view = node.view();
    let mut taken = false;
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

/// A list of records that is empty, and nothing else that is known: an hour without events.
pub(super) fn take_empty(_: &mut Opener<'_>, node: &Node, _: u32) -> bool {
    lists(node.view()).next().is_some()
}

fn lists(view: Ref<'_>) -> impl Iterator<Item = Ref<'_>> {
    let lists = ["Records", "Events", "records", "Messages"].map(|key| view.get(key));
    lists.into_iter().flatten().filter(|list| list.kind() == Kind::List)
}

/// Messages, and notices that a log object was delivered.
pub(super) fn take(opener: &mut Opener<'_>, node: &Node, depth: u32) -> bool {
    let view = node.view();
    let service =
        view.text(&["eventSource"]).or_else(|| view.text(&["EventSource"])).filter(|name| name.starts_with("aws:"));
    if view.get("s3Bucket").is_some() && view.get("s3ObjectKey").is_some() {
        opener.recognised("a notice of delivery from CloudTrail");
    } else if let Some(body) = message(view, service) {
        // A message of another application is text, or an object that says nothing to us.
        if body.trim_start().starts_with(['{', '[']) {
            opener.text("the body of a message", body, depth + 1);
        } else {
            opener.recognised("a message that holds no record");
        }
    } else if service.is_some() || view.path(&["s3", "s3SchemaVersion"]).is_some() || is_test(view) {
        opener.recognised("a notification of another service");
    } else {
        return false;
    }
    true
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
