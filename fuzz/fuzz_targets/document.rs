//! Any text can be parsed or refused, and what is parsed says the same again.
#![no_main]

use lawbook::record::Document;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(document) = Document::parse(data) {
        let written = document.root().to_json().to_string();
        let again = Document::parse(written.as_bytes()).expect("what was written is JSON");
        assert_eq!(document.root(), again.root());
    }
});
