//! Says what text that is not data is, without repeating what could do harm.

/// How many characters of the text are shown.
const SHOWN: usize = 40;

/// The reason of a fault for text that begins so.
pub(super) fn describe(text: &[u8]) -> String {
    let lower = text.trim_ascii_start().to_ascii_lowercase();
    let has = |needle: &[u8]| lower.windows(needle.len()).any(|window| window == needle);
    if lower.starts_with(b"<!doctype html") || lower.starts_with(b"<html") {
        return "an HTML page, not a log; fetch the file again".to_owned();
    }
    if lower.starts_with(b"<") && has(b"<error") {
        return "an XML error body, not a log; fetch the file again".to_owned();
    }
    if lower.starts_with(b"<?xml") {
        return "XML, not a log; export the records as JSON".to_owned();
    }
    if text.contains(&0) || std::str::from_utf8(text).is_err_and(|error| error.error_len().is_some()) {
        let bytes: Vec<String> = text.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        return format!("not text: binary data that begins with the bytes {}", bytes.join(" "));
    }
    format!("not JSON: {} where `{{` or `[` was expected", quoted(&String::from_utf8_lossy(text)))
}

/// The beginning of the first line of untrusted text, in backticks, with anything that is not plain escaped.
pub(super) fn quoted(text: &str) -> String {
    let line = text.trim().lines().next().unwrap_or_default();
    let mut shown: String = line.chars().take(SHOWN).collect::<String>().escape_debug().collect();
    shown = shown.replace('`', "'").chars().take(2 * SHOWN).collect();
    if line.chars().count() > SHOWN { format!("`{shown}…`") } else { format!("`{shown}`") }
}

/// Whether text that is not JSON has a record within a line, as logs that put a time before each record have: in whatever
/// order its keys are, and also as text within a text.
pub(super) fn holds_a_record(text: &[u8]) -> bool {
    let has = |line: &[u8], key: &str| {
        memchr::memmem::find_iter(line, key).any(|at| {
            let behind = &line[at + key.len()..];
            let escapes = behind.iter().take_while(|byte| **byte == b'\\').count();
            let behind = &behind[escapes..];
            // In a cell of CSV quotes are doubled.
            let rest = behind.strip_prefix(b"\"\"").or_else(|| behind.strip_prefix(b"\""));
            rest.is_some_and(|rest| rest.trim_ascii_start().starts_with(b":"))
        })
    };
    let of_record = |line: &[u8]| {
        line.contains(&b'{') && ["eventVersion", "eventSource", "eventName"].iter().all(|key| has(line, key))
    };
    text.split(|byte| *byte == b'\n').any(of_record)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_within_a_line_is_seen_in_any_order_and_as_text() {
        for text in [
            r#"May 14 12:00:00 host x: {"eventVersion":"1.08","eventSource":"a","eventName":"b"}"#,
            r#"May 14 {"awsRegion": "r", "eventName" : "b", "eventSource": "a", "eventVersion": "1.08"}"#,
            "first\n2024 app {\"message\":\"{\\\"eventVersion\\\":1,\\\"eventSource\\\":2,\\\"eventName\\\":3}\"}",
            "@timestamp,@message\n1,\"{\"\"eventVersion\"\":1,\"\"eventSource\"\":2,\"\"eventName\"\":3}\"",
        ] {
            assert!(holds_a_record(text.as_bytes()), "{text}");
        }
        for text in [
            "eventVersion,eventSource,eventName\n1,2,3",
            "A record has {, eventVersion, eventSource and eventName.",
            "{\n  \"eventVersion\": \"1.08\",\n  \"eventSource\": \"a\",\n  \"eventName\": \"b\"\n}",
            "",
        ] {
            assert!(!holds_a_record(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn shows_no_control_characters() {
        let reason = describe("\u{1b}[31mred\u{202e}`x`".as_bytes());
        assert_eq!(reason, "not JSON: `\\u{1b}[31mred\\u{202e}'x'` where `{` or `[` was expected");
        assert!(describe(b"\x7fELF\x00\x01").starts_with("not text: binary data that begins with the bytes 7f 45"));
        assert!(
            describe(b"<?xml version=\"1.0\"?>\n<Error><Code>AccessDenied</Code>").starts_with("an XML error body")
        );
    }
}
