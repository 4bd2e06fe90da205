//! Goes over what is no JSON value, keeps the beginning of it to tell, and finds the place to go on.

use super::super::batch::What;
use super::super::siem;
use super::{Mode, RECORD_HEAD, Splitter, TAIL, Trouble};

/// How much garbage is kept to tell what it is.
const SAMPLE: usize = 256;

impl Splitter<'_> {
    /// Something at the top that is no JSON value.
    pub(super) fn garbage_starts(&mut self) {
        let first = self.here() == self.line_start;
        let told = match self.trouble {
            Trouble::None => false,
            Trouble::Broken => true,
            Trouble::Since { inside } => inside && !first,
        };
        if !told {
            self.sample = Some(Vec::new());
            self.sample_line = self.line;
            // Nothing that follows is a piece of it.
            self.broken_column = u64::MAX;
        }
        self.trouble = Trouble::Broken;
        self.loose = true;
        self.mode = Mode::Garbage;
        self.garbage_from = self.here();
    }

    /// Whether what stands here is a member of something that is no envelope, as far as the garbage before it tells.
    fn is_member(&self) -> bool {
        let from = usize::try_from(self.garbage_from.saturating_sub(self.base)).unwrap_or(self.at);
        let before = &self.buf[from.max(self.at.saturating_sub(TAIL)).min(self.at)..self.at];
        let key = before.trim_ascii_end().strip_suffix(b":").and_then(|key| key.trim_ascii_end().strip_suffix(b"\""));
        key.is_some_and(|key| !siem::carriers().any(|name| key.ends_with(name.as_bytes())))
    }

    /// One byte of garbage. False when more text is needed to tell whether a record starts here.
    pub(super) fn garbage(&mut self, last: bool) -> bool {
        let byte = self.buf[self.at];
        match byte {
            b'\n' => {
                self.keep_sample(byte);
                self.newline();
                return true;
            }
            b' ' | b'\t' | b'\r' => {
                self.keep_sample(byte);
                self.at += 1;
                return true;
            }
            b'{' | b'[' if self.fresh => {
                self.tell_garbage();
                self.mode = Mode::Between;
                return true;
            }
            b'{' => {
                let rest = &self.buf[self.at..];
                if rest.starts_with(RECORD_HEAD) && !self.is_member() {
                    if self.sample.as_deref().is_some_and(is_time) {
                        self.sample = None;
                        self.trouble = Trouble::None;
                    }
                    self.tell_garbage();
                    self.broken_column = u64::MAX;
                    self.mode = Mode::Between;
                    return true;
                }
                if !last && RECORD_HEAD.starts_with(rest) {
                    return false;
                }
            }
            _ => {}
        }
        self.keep_sample(byte);
        self.step();
        true
    }

    fn keep_sample(&mut self, byte: u8) {
        if let Some(sample) = &mut self.sample
            && sample.len() < SAMPLE
        {
            sample.push(byte);
        }
    }

    pub(super) fn tell_garbage(&mut self) {
        if let Some(sample) = self.sample.take() {
            self.batch.push(What::Garbage, &sample, self.sample_line, false);
        }
    }
}

/// Whether text before a record is the time that an export task of CloudWatch Logs puts there.
fn is_time(text: &[u8]) -> bool {
    let time = text.strip_suffix(b" ").unwrap_or_default();
    (20..=32).contains(&time.len())
        && time.iter().all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b':' | b'.' | b'T' | b'Z'))
}
