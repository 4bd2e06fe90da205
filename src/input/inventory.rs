//! Tells inventory from events.

use std::path::Path;

/// Keys that begin a file of events although they start with a capital.
const EVENTS: [&[u8]; 9] = [
    b"Records",
    b"Events",
    b"ResultSet",
    b"QueryStatus",
    b"QueryResultRows",
    b"QueryStatistics",
    b"NextToken",
    b"Type",
    b"Messages",
];

/// Whether a file whose decoded text begins with `head` is inventory.
pub(crate) fn looks_like(head: &[u8], path: Option<&Path>) -> bool {
    if path.and_then(Path::file_name).is_some_and(|name| name == "inventory.json") {
        return true;
    }
    let trimmed = head.trim_ascii_start();
    if trimmed.starts_with(b"Volumes:") {
        return true;
    }
    let Some(start) = trimmed.iter().position(|byte| *byte == b'"') else { return false };
    let Some(end) = trimmed[start + 1..].iter().position(|byte| *byte == b'"') else { return false };
    let key = &trimmed[start + 1..start + 1 + end];
    let window = &head[..head.len().min(2048)];
    let names = |name: &[u8]| window.windows(name.len()).any(|found| found == name);
    key.first().is_some_and(u8::is_ascii_uppercase) && !EVENTS.contains(&key)
        || names(b"\"configurationItems\"")
        || names(b"\"invokingEvent\"")
}
