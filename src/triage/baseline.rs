//! Baselines: findings that were there when somebody began to look, so that only others fail a run.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::Error;
use crate::record::CLOUDTRAIL;

/// The version of the file.
const VERSION: u32 = 1;

/// What was there.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// The version of the file.
    lawbook_baseline: u32,
    /// By fingerprint.
    pub findings: BTreeMap<String, Entry>,
}

/// A finding that was there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The name of the pack.
    pub pack: String,
    /// The policy's id.
    pub policy: String,
    /// Its severity, then.
    pub severity: String,
    /// Its title, then.
    pub title: String,
    /// `cloudtrail`, or the kind of the resource.
    pub kind: String,
    /// When it was first written.
    pub since: String,
}

impl Baseline {
    /// One that knows of nothing.
    pub fn empty() -> Self {
        Self { lawbook_baseline: VERSION, findings: BTreeMap::new() }
    }

    /// Reads a file.
    ///
    /// # Errors
    /// When the file cannot be read or is no baseline.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let file = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|error| {
            Error::new(format!("cannot be read: {error}")).about(&file).try_to("`lawbook baseline write` makes one")
        })?;
        let told = serde_json::from_str::<Self>(&text).map_err(|error| {
            Error::new(format!("is no baseline: {error}")).about(&file).at(error.line(), error.column())
        })?;
        if told.lawbook_baseline != VERSION {
            let version = told.lawbook_baseline;
            return Err(Error::new(format!(
                "a baseline of version {version}; this version of Lawbook knows {VERSION}"
            ))
            .about(file));
        }
        Ok(told)
    }

    /// The findings of a report, as `json` or `ndjson`, that nobody excused. Those that `before` had keep their time.
    ///
    /// # Errors
    /// When the text is no report, or one that was cut off.
    pub fn of_report(text: &str, before: Option<&Self>) -> Result<Self, Error> {
        let (findings, summary) = findings_of(text)?;
        if summary.get("redacted") == Some(&Value::Bool(true)) {
            let error = Error::new("is a redacted report, whose fingerprints are of no other");
            return Err(error.try_to("one of a scan without `--redact`"));
        }
        let now = summary.get("now").and_then(Value::as_str).unwrap_or_default();
        let mut baseline = Self::empty();
        for finding in findings {
            let text = |pointer: &str| finding.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
            if text("/standing") == "waived" {
                continue;
            }
            let fingerprint = text("/fingerprint");
            let since = before.and_then(|before| before.findings.get(&fingerprint)).map_or(now, |entry| &entry.since);
            let entry = Entry {
                pack: text("/pack"),
                policy: text("/policy"),
                severity: text("/severity"),
                title: text("/title"),
                kind: text("/record/kind"),
                since: since.to_owned(),
            };
            baseline.findings.insert(fingerprint, entry);
        }
        Ok(baseline)
    }

    /// Whether a finding was there.
    pub fn has(&self, fingerprint: &str) -> bool {
        self.findings.contains_key(fingerprint)
    }

    /// The text of the file.
    pub fn text(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }
}

impl Entry {
    /// Whether it is about something that is, and not something that happened: only that can be resolved.
    pub fn is_state(&self) -> bool {
        self.kind != CLOUDTRAIL
    }
}

/// The findings of a report, as `json` or `ndjson`, and its summary.
///
/// # Errors
/// When the text is no report, or one that was cut off.
pub(crate) fn findings_of(text: &str) -> Result<(Vec<Value>, Value), Error> {
    let no_report = || Error::new("is no report").try_to("`lawbook scan … --format json` writes one");
    if let Ok(mut whole) = serde_json::from_str::<Value>(text)
        && whole.get("type").is_none()
    {
        let summary = whole.get("summary").cloned().ok_or_else(no_report)?;
        let findings = whole.get_mut("findings").and_then(Value::as_array_mut).ok_or_else(no_report)?;
        return Ok((std::mem::take(findings), summary));
    }
    let (mut findings, mut summary) = (Vec::new(), None);
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let line: Value = serde_json::from_str(line).map_err(|_| no_report())?;
        match line.get("type").and_then(Value::as_str) {
            Some("finding") => findings.push(line),
            Some("summary") => summary = Some(line),
            Some(_) => {}
            None => return Err(no_report()),
        }
    }
    let summary = summary.ok_or_else(|| Error::new("the report was cut off: it has no summary"))?;
    Ok((findings, summary))
}
