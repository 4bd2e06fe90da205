//! Baselines: findings that were there when somebody began to look, so that only others fail a run.
//!
//! *Law*: nothing is forgotten because a scan did not see it: only what a scan says is resolved goes away.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::Error;
use crate::finding::Fingerprint;
use crate::record::{CLOUDTRAIL, Scope};

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
    /// `eventID`, or the resource's own id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Whose the resource is, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Where it is, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
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

    /// Adds the findings of a report, as `json` or `ndjson`, that nobody excused. Those that are here keep their time, and
    /// are here still if the report does not have them. A report that does not have all that there is is taken only if
    /// `incomplete`.
    ///
    /// # Errors
    /// When the text is no report, one that was cut off or redacted, or that of a scan that failed. Then nothing is added.
    pub fn add(&mut self, report: &str, incomplete: bool) -> Result<(), Error> {
        let Report { findings, summary, .. } = Report::of_scan(report)?;
        let code = summary.pointer("/exit/code").and_then(Value::as_u64).ok_or_else(no_report)?;
        if code > 1 && !incomplete {
            let reasons = summary.pointer("/exit/reasons").and_then(Value::as_array).into_iter().flatten();
            let reasons: Vec<&str> = reasons.filter_map(Value::as_str).collect();
            let error = Error::new(format!(
                "is of a scan that ended with exit code {code} ({}), so that findings may be missing",
                reasons.join("; ")
            ));
            return Err(error.try_to("mend that and scan again, or take what there is with `--incomplete`"));
        }
        let now = summary.get("now").and_then(Value::as_str).ok_or_else(no_report)?;
        let mut added = BTreeMap::new();
        for finding in findings {
            let known = |pointer: &str| finding.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
            let text = |pointer: &str| known(pointer).unwrap_or_default();
            let fingerprint = text("/fingerprint");
            if Fingerprint::from_digits(&fingerprint).is_none() {
                return Err(Error::new("has a finding without a fingerprint"));
            }
            if text("/standing") == "waived" {
                continue;
            }
            let since = self.findings.get(&fingerprint).map_or(now, |entry| &entry.since).to_owned();
            let entry = Entry {
                pack: text("/pack"),
                policy: text("/policy"),
                severity: text("/severity"),
                title: text("/title"),
                kind: text("/record/kind"),
                id: known("/record/id"),
                account: known("/record/account"),
                region: known("/record/region"),
                since,
            };
            added.insert(fingerprint, entry);
        }
        self.findings.append(&mut added);
        Ok(())
    }

    /// Takes out what a report of a scan that had this baseline says is resolved.
    ///
    /// # Errors
    /// When the text is no report, one that was cut off or redacted, or that of a scan without a baseline.
    pub fn prune(&mut self, report: &str) -> Result<(), Error> {
        let Report { resolved, summary, .. } = Report::of_scan(report)?;
        if summary.get("baseline") != Some(&Value::Bool(true)) {
            let error = Error::new("is of a scan without a baseline, and does not say what is resolved");
            return Err(error.try_to("one of `lawbook scan … --baseline FILE --format json`"));
        }
        for row in resolved {
            let fingerprint = row.get("fingerprint").and_then(Value::as_str).ok_or_else(no_report)?;
            self.findings.remove(fingerprint);
        }
        Ok(())
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

    /// Whose and where it is.
    pub(crate) fn scope(&self) -> Scope {
        let (account, region) = (self.account.as_deref(), self.region.as_deref());
        Scope { account: account.map(Into::into), region: region.map(Into::into) }
    }
}

/// What is read of a report.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) findings: Vec<Value>,
    /// What was known and is no more.
    resolved: Vec<Value>,
    pub(crate) summary: Value,
}

fn no_report() -> Error {
    Error::new("is no report").try_to("`lawbook scan … --format json` writes one")
}

impl Report {
    /// Reads a report, `json` or `ndjson`.
    ///
    /// # Errors
    /// When the text is no report, or one that was cut off.
    pub(crate) fn read(text: &str) -> Result<Self, Error> {
        if let Ok(mut whole) = serde_json::from_str::<Value>(text)
            && whole.get("type").is_none()
        {
            let mut list = |name: &str| whole.get_mut(name).and_then(Value::as_array_mut).map(std::mem::take);
            let (findings, resolved) = (list("findings").ok_or_else(no_report)?, list("resolved").unwrap_or_default());
            let summary = whole.get("summary").cloned().ok_or_else(no_report)?;
            return Ok(Self { findings, resolved, summary });
        }
        let (mut read, mut is_whole) = (Self::default(), false);
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let line: Value = serde_json::from_str(line).map_err(|_| no_report())?;
            match line.get("type").and_then(Value::as_str) {
                Some("finding") => read.findings.push(line),
                Some("resolved") => read.resolved.push(line),
                Some("summary") => (read.summary, is_whole) = (line, true),
                Some(_) => {}
                None => return Err(no_report()),
            }
        }
        if is_whole { Ok(read) } else { Err(Error::new("the report was cut off: it has no summary")) }
    }

    /// The same, of a report whose fingerprints are those of the scan.
    fn of_scan(text: &str) -> Result<Self, Error> {
        let read = Self::read(text)?;
        if read.summary.get("redacted") == Some(&Value::Bool(true)) {
            let error = Error::new("is a redacted report, whose fingerprints are of no other");
            return Err(error.try_to("one of a scan without `--redact`"));
        }
        Ok(read)
    }
}
