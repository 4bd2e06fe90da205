//! Tells from the beginning of a file whether it is inventory.

use std::path::Path;

use serde_json::{Map, Value};

use super::super::siem;
use super::{config, decoded, identify, is_manifest, place};
use crate::record::{Document, Kind, Ref};

/// Where containers are nested deeper than this, the rest is taken as cut off.
const MAX_DEPTH: usize = 32;

/// True when a file that begins with `head` (the first 64 KiB, decoded; it may be cut anywhere) holds inventory rather
/// than events. Any shape in which `CloudTrail` records travel is left to the readers of events.
pub fn looks_like(head: &[u8], path: Option<&Path>) -> bool {
    if path.is_some_and(|path| is_manifest(path, head)) {
        return true;
    }
    let text = decoded(head);
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let hinted = path.is_some_and(|path| place::of_path(path).1.is_some());
    if text.is_empty() {
        return hinted;
    }
    let document = if text.starts_with(['{', '[']) {
        if EVENT_BEGINNINGS.iter().any(|key| first_key(text) == Some(key)) {
            return false;
        }
        match Document::parse_first(text.as_bytes()) {
            Some(whole) => whole,
            None => match (Prefix { text, at: 0, cut: false }).value(0) {
                Some(value) => Document::from(&value),
                None => return false,
            },
        }
    } else if path.is_some_and(is_yaml) {
        Document::from(&yaml_outline(text))
    } else {
        return false;
    };
    let root = document.root();
    if holds_events(root) {
        return false;
    }
    // A rule that matches changes of AWS Config has them in one stream with events, and what some commands print is no more
    // than the message of a log.
    hinted && root.kind() != Kind::Text
        || (config::is_config(root) || identify::is_known(root)) && !carries_events_behind(text)
}

fn is_change(value: Ref<'_>) -> bool {
    value.text(&["detail-type"]).is_some_and(config::is_change)
}

/// Whether something in the beginning of a text is an event, or carries one.
fn carries_events_behind(text: &str) -> bool {
    let (values, _) = Document::parse_many(text.as_bytes());
    values.iter().any(|(node, _)| carries_events(node.view()))
}

/// True for a path that ends as YAML does.
pub(super) fn is_yaml(path: &Path) -> bool {
    path.extension().is_some_and(|end| end.eq_ignore_ascii_case("yaml") || end.eq_ignore_ascii_case("yml"))
}

/// First members of an object that is, or holds, events: enough to spare most log files the rest of the question.
const EVENT_BEGINNINGS: [&str; 3] = ["Records", "eventVersion", "eventTime"];

fn first_key(text: &str) -> Option<&str> {
    let text = text.trim_start_matches(|c: char| c == '[' || c == '{' || c.is_whitespace());
    text.strip_prefix('"')?.split('"').next()
}

/// The shapes in which events travel (DESIGN, records), also where there are none.
fn holds_events(value: Ref<'_>) -> bool {
    if value.kind() == Kind::List {
        return first(value).is_some_and(holds_events);
    }
    let empty = |key: &str| value.get(key).is_some_and(|list| list.kind() == Kind::List && list.is_empty());
    carries_events(value) || empty("Events") || empty("events")
}

/// Whether a value is an event, or what carries events.
pub(super) fn carries_events(value: Ref<'_>) -> bool {
    if value.kind() == Kind::List {
        return first(value).is_some_and(carries_events);
    }
    let has = |key: &str| value.get(key).is_some();
    let first_has = |key: &str, inner: &str| value.get(key).and_then(first).is_some_and(|it| it.get(inner).is_some());
    has("Records")
        || has("logEvents")
        || has("QueryResultRows")
        || has("ResultSet")
        || has("eventSource") && has("eventName")
        || has("eventVersion") && has("userIdentity")
        || first_has("Events", "CloudTrailEvent")
        || has("CloudTrailEvent")
        || first_has("events", "message") && first_message_is_json(value)
        || has("searchedLogStreams")
        || value.get("results").and_then(first).is_some_and(|row| row.kind() == Kind::List)
        || has("detail-type") && !is_change(value)
        || has("awslogs")
        || siem::carries(value)
}

fn first(list: Ref<'_>) -> Option<Ref<'_>> {
    list.items().next()
}

/// Messages of CloudTrail are JSON; those of other log groups mostly are not, and their events are resources.
fn first_message_is_json(value: Ref<'_>) -> bool {
    let first = value.get("events").and_then(|events| events.items().next()?.text(&["message"]));
    first.is_none_or(|text| text.trim_start().starts_with('{'))
}

/// Reads as much of a JSON value as there is; what is cut off is left out.
struct Prefix<'a> {
    text: &'a str,
    at: usize,
    cut: bool,
}

impl Prefix<'_> {
    fn peek(&mut self) -> Option<u8> {
        let rest = &self.text.as_bytes()[self.at..];
        self.at += rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let byte = self.text.as_bytes().get(self.at).copied();
        self.cut |= byte.is_none();
        byte
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        match self.peek()? {
            b'{' | b'[' if depth > MAX_DEPTH => {
                self.cut = true;
                Some(Value::Null)
            }
            b'{' => self.members(depth),
            b'[' => self.items(depth),
            b'"' => self.string().map(Value::String),
            _ => {
                let rest = &self.text[self.at..];
                let end = rest.find([',', ']', '}', '\n', ' ', '\t', '\r']).unwrap_or(rest.len());
                let scalar = serde_json::from_str(&rest[..end]);
                self.at += end;
                self.cut |= self.at == self.text.len();
                scalar.ok()
            }
        }
    }

    fn members(&mut self, depth: usize) -> Option<Value> {
        let mut members = Map::new();
        self.at += 1;
        loop {
            match self.peek() {
                Some(b'}') => break self.at += 1,
                Some(b',') => self.at += 1,
                Some(b'"') => {
                    let Some(key) = self.string() else { break };
                    if self.peek() != Some(b':') {
                        break;
                    }
                    self.at += 1;
                    match self.value(depth + 1) {
                        Some(value) => drop(members.insert(key, value)),
                        None => break,
                    }
                }
                None => break,
                Some(_) => return None,
            }
            if self.cut {
                break;
            }
        }
        Some(Value::Object(members))
    }

    fn items(&mut self, depth: usize) -> Option<Value> {
        let mut items = Vec::new();
        self.at += 1;
        loop {
            match self.peek() {
                Some(b']') => break self.at += 1,
                Some(b',') => self.at += 1,
                None => break,
                Some(_) => match self.value(depth + 1) {
                    Some(value) => items.push(value),
                    None => break,
                },
            }
            if self.cut {
                break;
            }
        }
        Some(Value::Array(items))
    }

    fn string(&mut self) -> Option<String> {
        let bytes = self.text.as_bytes();
        let mut end = self.at + 1;
        while *bytes.get(end).or_else(|| {
            self.cut = true;
            None
        })? != b'"'
        {
            end += if bytes[end] == b'\\' { 2 } else { 1 };
        }
        let raw = &self.text[self.at..=end];
        self.at = end + 1;
        Some(serde_json::from_str(raw).unwrap_or_else(|_| raw.trim_matches('"').to_owned()))
    }
}

/// The members of the top level of a YAML text, and of the first items below them.
fn yaml_outline(text: &str) -> Value {
    match crate::yaml::parse_all(text) {
        Ok(pages) if !pages.is_empty() => return pages[0].to_json(),
        _ => {}
    }
    // Cut: all but the last line that begins a value is whole.
    let lines: Vec<&str> = text.lines().collect();
    for end in (lines.len().saturating_sub(40)..lines.len()).rev() {
        if let Ok(pages) = crate::yaml::parse_all(&lines[..end].join("\n"))
            && !pages.is_empty()
        {
            return pages[0].to_json();
        }
    }
    Value::Null
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_head_is_enough() {
        let whole = r#"{"Volumes":[{"VolumeId":"vol-1","Size":8,"Attachments":[{"InstanceId":"i-1"}]},{"VolumeId":"#;
        for end in 60..whole.len() {
            assert!(looks_like(&whole.as_bytes()[..end], None), "{}", &whole[..end]);
        }
        assert!(looks_like(b"Volumes:\n- VolumeId: vol-1\n  Size: 8\n- VolumeId: vol", Some(Path::new("a.yaml"))));
        assert!(looks_like(b"[]", Some(Path::new("ec2/describe-volumes/a.json"))));
        assert!(!looks_like(b"[]", None));
    }

    #[test]
    fn events_are_left_alone() {
        for text in [
            r#"{"Records":[{"eventSource":"ec2.amazonaws.com"}]}"#,
            r#"{"Records":[]}"#,
            r#"{"eventVersion":"1.08","userIdentity":{}}"#,
            r#"[{"awsRegion":"x","eventSource":"e","eventName":"n"}]"#,
            r#"{"Events":[{"EventId":"1","CloudTrailEvent":"{}"}]}"#,
            r#"{"events":[{"message":"{}"}]}"#,
            r#"{"results":[[{"field":"@message","value":"x"}]],"status":"Complete"}"#,
            r#"{"QueryStatus":"FINISHED","QueryResultRows":[]}"#,
            r#"{"detail-type":"AWS API Call via CloudTrail","detail":{}}"#,
            r#"{"status":"info","message":"{\"eventVersion\":\"1.08\"}"}"#,
            r#"{"Message":"{\"eventVersion\":\"1.08\"}"}"#,
            r#"[{"attributes":{"eventSource":"e","eventName":"n","eventTime":"t"}}]"#,
            "plain text",
        ] {
            assert!(!looks_like(text.as_bytes(), Some(Path::new("ec2/describe-volumes/a.json"))), "{text}");
        }
        assert!(looks_like(
            br#"{"detail-type":"Config Configuration Item Change","detail":{"configurationItem":{}}}"#,
            None
        ));
        let change = r#"{"detail-type":"Config Configuration Item Change","detail":{"configurationItem":{}}}"#;
        let both = format!("{change}\n{{\"detail-type\":\"AWS API Call via CloudTrail\",\"detail\":{{}}}}");
        assert!(!looks_like(both.as_bytes(), None));
    }
}
