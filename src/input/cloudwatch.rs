//! Opens what CloudWatch Logs, Kinesis and Firehose carry records in.

use super::envelope::Opener;
use super::{athena, event};
use crate::record::{Kind, Node, Ref};

/// A subscription payload (decoded or not), `filter-log-events`, Logs Insights, Kinesis and Firehose records.
pub(super) fn take(opener: &mut Opener<'_>, node: &Node, depth: u32) -> bool {
    let view = node.view();
    let list = |key: &str| view.get(key).filter(|list| list.kind() == Kind::List && !list.is_empty());
    if let Some(data) = view.text(&["awslogs", "data"]) {
        opener.payload("`awslogs.data`", data, depth + 1);
    } else if let Some(data) = view.text(&["kinesis", "data"]) {
        opener.payload("`kinesis.data`", data, depth + 1);
    } else if let Some(data) = view.text(&["data"]).filter(|_| view.get("recordId").is_some()) {
        opener.payload("`data`", data, depth + 1);
    } else if let Some(data) = view.text(&["Data"]).filter(|_| view.get("SequenceNumber").is_some()) {
        opener.payload("`Data`", data, depth + 1);
    } else if view.text(&["messageType"]) == Some("CONTROL_MESSAGE") {
        opener.recognised("a control message of CloudWatch Logs");
    } else if let Some(events) = list("logEvents").or_else(|| list("events")) {
        opener.answer(view, depth);
        opener.each(node, events, depth);
    } else if let Some(rows) = list("results") {
        opener.answer(view, depth);
        opener.each(node, rows, depth);
    } else {
        return false;
    }
    true
}

/// A row of Logs Insights: `[{"field": …, "value": …}, …]`, of which `@message` is the record.
pub(super) fn take_row(opener: &mut Opener<'_>, node: &Node, depth: u32) -> bool {
    let cell = |cell: Ref<'_>| cell.len() == 2 && cell.get("field").is_some() && cell.get("value").is_some();
    let mut cells = node.view().items().peekable();
    if cells.peek().is_none() || !node.view().items().all(cell) {
        return false;
    }
    let field = |cell: Ref<'_>, name: &str| cell.text(&["field"]) == Some(name);
    let texts = || node.view().items().filter_map(|cell| cell.text(&["value"]));
    let names = || node.view().items().filter_map(|cell| cell.text(&["field"]));
    if let Some(message) = cells.find(|cell| field(*cell, "@message")) {
        opener.text("`@message`", message.text(&["value"]).unwrap_or_default(), depth + 1);
    } else if let Some(text) = texts().find(|text| event::is_whole(text)) {
        opener.text("a field", text, depth + 1);
    } else if athena::picks(names().filter(|name| !name.starts_with('@'))) {
        opener.fault("a Logs Insights result that picks fields out of records; select `@message`");
    } else {
        opener.recognised("a report of Logs Insights");
    }
    true
}
