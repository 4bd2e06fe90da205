//! What is said on standard error: lines for people, or one JSON object a line for programs.

use std::ffi::OsString;
use std::io::{self, Write};

use clap::ValueEnum;
use jiff::Timestamp;
use lawbook::diagnostic::{Diagnostic, Level as Weight};
use lawbook::engine::Outcome;
use lawbook::error::Error;
use lawbook::fault::printable;
use lawbook::report::one_line;
use serde_json::{Value, json};

/// Characters of a message that are told.
const LONGEST: usize = 2_000;

/// Faults that are told beside a report, which has all of them.
const MOST_FAULTS: usize = 20;

/// How to write what is said on standard error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// Lines for people
    Text,
    /// One JSON object a line: time, level, event, message, fields
    Json,
}

/// The variable that says the same as the flag.
pub(crate) const VARIABLE: &str = "LAWBOOK_LOG_FORMAT";

/// How bad it is that something is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    Error,
    Warn,
    Info,
}

impl Level {
    fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
        }
    }
}

/// Something to say.
pub(crate) struct Entry<'a> {
    pub(crate) level: Level,
    /// Which of the things that there are to say, in a word.
    pub(crate) event: &'static str,
    pub(crate) message: &'a str,
    pub(crate) fields: Value,
}

/// Says things.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Log(LogFormat);

impl Log {
    pub(crate) fn new(format: LogFormat) -> Self {
        Self(format)
    }

    /// Of a command line that could not be read.
    pub(crate) fn of_arguments(arguments: impl Iterator<Item = OsString>) -> Self {
        let arguments: Vec<String> = arguments.map(|argument| argument.to_string_lossy().into_owned()).collect();
        let by_flag = arguments.iter().enumerate().find_map(|(at, argument)| match argument.as_str() {
            "--log-format" => arguments.get(at + 1).cloned(),
            other => other.strip_prefix("--log-format=").map(str::to_owned),
        });
        let word = by_flag.or_else(|| std::env::var(VARIABLE).ok()).unwrap_or_default();
        Self(LogFormat::from_str(&word, true).unwrap_or(LogFormat::Text))
    }

    pub(crate) fn is_json(self) -> bool {
        self.0 == LogFormat::Json
    }

    /// Says something; `text` is what people are told, with the end of the line, and nothing if that is empty.
    pub(crate) fn tell(self, text: &str, entry: Entry<'_>) {
        // There is nobody left to tell if standard error is gone, too.
        let _ = match self.0 {
            LogFormat::Text => io::stderr().write_all(text.as_bytes()),
            LogFormat::Json => {
                let Entry { level, event, message, fields } = entry;
                let object = json!({
                    "time": format!("{:.3}", Timestamp::now()),
                    "level": level.word(),
                    "event": event,
                    "message": printable(message, LONGEST),
                    "fields": fields,
                });
                io::stderr().write_all((one_line(&object) + "\n").as_bytes())
            }
        };
    }

    /// Says a line that is told to people in these words, too.
    pub(crate) fn line(self, level: Level, event: &'static str, message: &str, fields: Value) {
        self.tell(&format!("{message}\n"), Entry { level, event, message, fields });
    }

    /// Says what programs alone are told.
    pub(crate) fn info(self, event: &'static str, message: &str, fields: Value) {
        self.tell("", Entry { level: Level::Info, event, message, fields });
    }

    /// Says why a command stopped.
    pub(crate) fn error(self, error: &Error) {
        let message = printable(&error.to_string(), LONGEST);
        let place = error.place.map(|(line, column)| json!({ "line": line, "column": column }));
        let fields =
            json!({ "subject": error.subject, "place": place, "reason": error.reason, "remedy": error.remedy });
        let entry = Entry { level: Level::Error, event: "error", message: &message, fields };
        self.tell(&format!("error: {message}\n"), entry);
    }

    /// Says what is wrong with policies.
    pub(crate) fn diagnostics(self, diagnostics: &[Diagnostic]) {
        if !self.is_json() && !diagnostics.is_empty() {
            let drawn = lawbook::report::diagnostic::draw(diagnostics, super::colour_on_stderr());
            let _ = io::stderr().write_all(drawn.as_bytes());
            return;
        }
        for diagnostic in diagnostics {
            let level = if diagnostic.level == Weight::Error { Level::Error } else { Level::Warn };
            let (line, column) = diagnostic.place();
            let fields = json!({
                "code": diagnostic.code, "file": diagnostic.source.file, "line": line, "column": column,
                "help": diagnostic.help,
            });
            self.tell("", Entry { level, event: "diagnostic", message: &diagnostic.message, fields });
        }
    }

    /// Says what a reader of the report must not miss: what could not be processed, and why the exit code is not 0.
    pub(crate) fn outcome(self, outcome: &Outcome) {
        for fault in outcome.faults.iter().take(MOST_FAULTS) {
            let policy = fault.policy.as_deref().map_or_else(String::new, |policy| format!("{policy}: "));
            let at = fault.origins.first();
            let at = at.map_or_else(String::new, |origin| format!(" at {}", printable(&origin.to_string(), 400)));
            let message = format!("{policy}{}{at} ({} in all)", printable(&fault.reason, 400), fault.count);
            let fields = json!({
                "stage": fault.stage, "policy": fault.policy, "reason": fault.reason, "count": fault.count,
                "origins": fault.origins,
            });
            let entry = Entry { level: Level::Error, event: "fault", message: &message, fields };
            self.tell(&format!("fault: {message}\n"), entry);
        }
        if let Some(more) = outcome.faults.len().checked_sub(MOST_FAULTS + 1) {
            let message = format!("and {} more kinds, all of them in the report", more + 1);
            let entry = Entry { level: Level::Error, event: "fault", message: &message, fields: json!({}) };
            self.tell(&format!("fault: {message}\n"), entry);
        }
        let exit = &outcome.summary.exit;
        if exit.code != 0 {
            self.exit(exit.code, &exit.reasons, &format!("exit {}: {}\n", exit.code, exit.reasons.join("; ")));
        }
    }

    /// Says why an exit code is not 0; `text` is what people are told.
    pub(crate) fn exit(self, code: u8, reasons: &[String], text: &str) {
        let level = if code == 2 { Level::Error } else { Level::Warn };
        let message = format!("exit {code}: {}", reasons.join("; "));
        self.tell(
            text,
            Entry { level, event: "exit", message: &message, fields: json!({ "code": code, "reasons": reasons }) },
        );
    }

    /// Says how a scan went, to programs.
    pub(crate) fn finished(self, outcome: &Outcome, seconds: f64) {
        let summary = &outcome.summary;
        let judged = summary.records.events + summary.records.resources;
        let message = format!("{judged} records in {seconds:.3} s");
        let fields = json!({
            "seconds": seconds,
            "records": summary.records, "files": summary.files, "policies": summary.policies,
            "findings": summary.findings, "not_evaluated": summary.not_evaluated, "faults": summary.faults,
            "exit_code": summary.exit.code,
        });
        self.info("finished", &message, fields);
    }
}
