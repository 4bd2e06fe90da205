//! Shows how far a scan is: on stderr, on a terminal only, and only if it takes long enough to be of interest.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use lawbook::engine::Progress;

use super::log::Log;

/// A scan that is done sooner shows nothing.
const PATIENCE: Duration = Duration::from_millis(700);

pub(crate) struct Bar {
    bar: ProgressBar,
    started: Instant,
    records: AtomicU64,
    /// Programs that read standard error see no bar.
    is_shown: bool,
}

impl Bar {
    pub(crate) fn new(log: Log) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {pos}/{len} files, {msg} [{elapsed}]") {
            bar.set_style(style);
        }
        let is_shown = !log.is_json() && std::io::stderr().is_terminal();
        Self { bar, started: Instant::now(), records: AtomicU64::new(0), is_shown }
    }

    fn show(&self) {
        if self.bar.is_hidden() && self.started.elapsed() > PATIENCE {
            self.bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(8));
        }
    }

    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Progress for Bar {
    fn files(&self, total: u64) {
        self.bar.set_length(total);
        // Told again when a scan has to begin anew.
        self.bar.set_position(0);
        self.records.store(0, Ordering::Relaxed);
    }

    fn file_done(&self, _: &str) {
        if self.is_shown {
            self.show();
            self.bar.inc(1);
        }
    }

    fn judged(&self, records: u64) {
        if !self.is_shown {
            return;
        }
        self.show();
        let total = self.records.fetch_add(records, Ordering::Relaxed) + records;
        self.bar.set_message(format!("{total} records"));
    }
}
