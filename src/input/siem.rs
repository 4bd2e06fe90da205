//! Opens what log pipelines and SIEMs wrap a record in: Splunk, Elastic, Datadog, Fluent Bit.

use super::envelope::Opener;
use super::event::is_event;
use crate::record::{Kind, Node, Ref};

/// Paths to the record as text, the most faithful first.
const TEXTS: [&[&str]; 13] = [
    &["event", "original"],
    &["result", "_raw"],
    &["_raw"],
    &["eventJson"],
    &["@message"],
    &["message"],
    &["Message"],
    &["event"],
    &["log"],
    &["raw_event"],
    &["rawEvent"],
    &["attributes", "message"],
    &["detail"],
];

/// Paths to the record as an object.
const MAPS: [&[&str]; 9] = [
    &["event"],
    &["_source"],
    &["result"],
    &["detail"],
    &["message"],
    &["attributes"],
    &["attributes", "attributes"],
    &["record"],
    &["json"],
];

/// An envelope of a pipeline.
pub(super) fn take(opener: &mut Opener<'_>, node: &Node, depth: u32) -> bool {
    let view = node.view();
    if let Some((path, text)) =
        TEXTS.iter().find_map(|path| Some((path, view.text(path).filter(|text| is_object(text))?)))
    {
        opener.text(&format!("`{}`", path.join(".")), text, depth + 1);
    } else if let Some(inner) = MAPS.iter().find_map(|path| view.path(path).filter(|inner| is_event(*inner))) {
        opener.value(&node.share(inner), depth + 1);
    } else if let Some(hits) = view.path(&["hits", "hits"]).filter(|hits| hits.kind() == Kind::List) {
        opener.each(node, hits, depth);
    } else if let Some(source) = view.get("_source").filter(|source| source.kind() == Kind::Map) {
        opener.value(&node.share(source), depth + 1);
    } else if view.path(&["aws", "cloudtrail"]).is_some() {
        opener.fault("a Filebeat document without the record; set `preserve_original_event`");
    } else if let Some((path, text)) = TEXTS[..3].iter().find_map(|path| Some((path, view.text(path)?))) {
        opener.text(&format!("`{}`", path.join(".")), text, depth + 1);
    } else if is_log_event(view) {
        opener.text("`message`", view.text(&["message"]).unwrap_or_default(), depth + 1);
    } else {
        return false;
    }
    true
}

/// Whether a map looks as if [`take`] found a record in it.
pub(super) fn carries(view: Ref<'_>) -> bool {
    TEXTS.iter().any(|path| view.text(path).is_some_and(is_object))
        || MAPS.iter().any(|path| view.path(path).is_some_and(is_event))
}

/// Names of members that may be a record.
pub(super) fn carriers() -> impl Iterator<Item = &'static str> {
    MAPS.iter().filter_map(|path| path.last().copied())
}

fn is_object(text: &str) -> bool {
    text.trim_start().starts_with('{')
}

/// An event of CloudWatch Logs.
fn is_log_event(view: Ref<'_>) -> bool {
    view.get("timestamp").is_some() && view.text(&["message"]).is_some()
}
