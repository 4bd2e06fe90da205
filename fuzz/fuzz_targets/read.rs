//! Any file can be read: nothing panics, and text that is not blank is told of.
#![no_main]

use lawbook::fault::Fault;
use lawbook::input::{File, Settings, Sink, read};
use lawbook::record::Record;
use libfuzzer_sys::fuzz_target;

#[derive(Default)]
struct Count(u64);

impl Sink for Count {
    fn event(&mut self, record: Record) {
        assert!(record.origin.position > 0);
        self.0 += 1;
    }

    fn recognised(&mut self, _: &'static str) {
        self.0 += 1;
    }

    fn fault(&mut self, fault: Fault) {
        assert!(fault.count > 0 && !fault.reason.contains(char::is_control), "{:?}", fault.reason);
        self.0 += fault.count;
    }
}

fuzz_target!(|data: &[u8]| {
    let settings = Settings { max_inflated: 1 << 20, max_record: 1 << 16, ..Settings::default() };
    let file = File::from_bytes("fuzz", data.to_vec());
    let mut told = Count::default();
    read(&file, &settings, &mut |batch| batch.open(&file, &mut told));
    // Brackets alone may be an empty list, which holds nothing to tell of.
    let plain =
        data.iter().any(|byte| byte.is_ascii_digit()) && !data.iter().any(|byte| matches!(byte, b'"' | b'{' | b'['));
    assert!(told.0 > 0 || !plain || data.starts_with(b"\x1f\x8b"));
});
