//! Snapshots: the whole findings of a policy's cases, as a person accepted them, in the format of insta.
//!
//! One file a policy, with all its cases in their order, beside the policy. *Law*: a snapshot says nothing of the machine
//! that wrote it, and is written whole or not at all.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::case::{Case, Expect};
use super::emit;
use super::judge::Answer;
use crate::diagnostic::{Diagnostic, SourceText};
use crate::error::Error;
use crate::finding::Finding;
use crate::policy::Policy;
use crate::yaml;

/// How the name of a snapshot ends.
pub(super) const SNAP: &str = "snap";
/// How the name of one ends that nobody accepted yet.
pub(super) const PENDING: &str = "snap.new";

/// What was, or is to be, accepted of a policy.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// What all findings have alike.
    pub always: Vec<(String, Value)>,
    /// The cases, in the order of their file.
    pub cases: Vec<Entry>,
}

/// What was, or is to be, accepted of a case.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// What happened, why, and the findings, by name.
    pub members: Vec<(String, Value)>,
}

impl Entry {
    /// What the policy says about the records of a case.
    pub(super) fn of(case: &Case, answer: &Answer) -> Self {
        let mut members = vec![("outcome".to_owned(), Value::from(answer.happened.word()))];
        let reasons = match answer.happened {
            Expect::NotEvaluated => &answer.not_evaluated,
            _ => &answer.faults,
        };
        if !reasons.is_empty() {
            members.push(("reasons".to_owned(), reasons.clone().into()));
        }
        if !answer.findings.is_empty() {
            members.push(("findings".to_owned(), answer.findings.iter().map(whole).collect()));
        }
        Self { name: case.name.clone(), members }
    }

    /// What happened, in the word of the case file.
    pub(super) fn outcome(&self) -> &str {
        let found = self.members.iter().find(|(name, _)| name == "outcome");
        found.and_then(|(_, outcome)| outcome.as_str()).unwrap_or_default()
    }

    /// The findings.
    pub(super) fn findings(&self) -> &[Value] {
        let found = self.members.iter().find(|(name, _)| name == "findings");
        found.and_then(|(_, findings)| findings.as_array()).map(Vec::as_slice).unwrap_or_default()
    }
}

/// The members of a finding in a snapshot, in the order in which people read them; those of all findings of a policy
/// stand at the head.
const MEMBERS: [&str; 13] = [
    "title",
    "severity",
    "resources",
    "group",
    "fingerprint",
    "record",
    "window",
    "actor",
    "source_ip",
    "origin",
    "context",
    "standing",
    "remediation",
];

/// A finding as a snapshot has it: all of it but what all findings of the policy have alike.
fn whole(finding: &Finding) -> Value {
    let mut whole = serde_json::to_value(finding).unwrap_or_default();
    if let Some(members) = whole.as_object_mut() {
        for same in ["policy", "pack", "tags", "references", "enforcement"] {
            members.remove(same);
        }
        if finding.duplicates.is_empty() {
            members.remove("duplicates");
        }
        if let Some(remediation) = members.get_mut("remediation") {
            shorten(remediation);
        }
        for name in ["record", "actor", "origin", "remediation"] {
            if let Some(known) = members.get_mut(name).and_then(Value::as_object_mut) {
                known.retain(|_, value| !value.is_null());
            }
        }
        members.retain(|name, value| !value.is_null() || name == "context");
    }
    whole
}

/// Lines of a text of a remediation that a snapshot has.
const LONGEST: usize = 12;

/// Puts a hash in the place of long texts of a remediation: they stand in the policy, what fills them in `context`, and a
/// snapshot that repeats them for each case would be read by nobody.
fn shorten(value: &mut Value) {
    match value {
        Value::String(text) if text.lines().count() > LONGEST => {
            let hash: String =
                Sha256::digest(text.as_bytes()).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
            *text = format!("({} lines, SHA-256 {hash}…)", text.lines().count());
        }
        Value::Object(members) => members.values_mut().for_each(shorten),
        _ => {}
    }
}

/// What all findings of a policy have alike.
pub(super) fn always(policy: &Policy) -> Vec<(String, Value)> {
    let header = &policy.header;
    vec![
        ("policy".to_owned(), (*policy.id).into()),
        ("pack".to_owned(), (*policy.pack).into()),
        ("tags".to_owned(), header.tags.to_vec().into()),
        ("references".to_owned(), header.references.to_vec().into()),
    ]
}

impl Snapshot {
    /// The text of the file; `source` is the file of cases, from the pack's folder.
    pub fn text(&self, policy: &str, source: &str) -> String {
        let mut out = String::from("---\n");
        emit::member(&mut out, 0, "source", &source.into());
        emit::member(&mut out, 0, "expression", &format!("lawbook test --run '{policy}/*'").into());
        out.push_str("---\n");
        for (name, value) in &self.always {
            emit::member(&mut out, 0, name, value);
        }
        out.push_str(if self.cases.is_empty() { "cases: []\n" } else { "cases:\n" });
        for entry in &self.cases {
            emit::item(&mut out, 2, &[("case", entry.name.as_str().into())]);
            for (name, value) in &entry.members {
                match value.as_array().filter(|_| name == "findings") {
                    Some(findings) => write_findings(&mut out, findings),
                    None => emit::member(&mut out, 4, name, value),
                }
            }
        }
        out
    }

    /// Reads the text of a snapshot's file.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(source: &Arc<SourceText>) -> Result<Self, Box<Diagnostic>> {
        let text = &source.text;
        let wrong = |span, message: String| {
            Err(Box::new(
                Diagnostic::error("snapshot", source, span, message)
                    .help("remove the file, and `lawbook test` writes it anew"),
            ))
        };
        let Some(start) = body(text) else {
            return wrong(0..0, "not a snapshot: no head between two lines `---`".to_owned());
        };
        let tree = match yaml::parse(&text[start..]) {
            Ok(tree) => tree.to_json(),
            Err(error) => return wrong(start + error.span.start..start + error.span.end, error.message),
        };
        let Some(members) = tree.as_object() else { return wrong(start..start, "not a snapshot: no map".to_owned()) };
        let mut snapshot = Self::default();
        for name in ["policy", "pack", "tags", "references"] {
            snapshot.always.extend(members.get(name).map(|value| (name.to_owned(), value.clone())));
        }
        for entry in members.get("cases").and_then(Value::as_array).into_iter().flatten() {
            let Some(name) = entry.get("case").and_then(Value::as_str) else {
                return wrong(start..start, "not a snapshot: a case without a name".to_owned());
            };
            let of = |member: &&str| entry.get(*member).map(|value| ((*member).to_owned(), value.clone()));
            let members = ["outcome", "reasons", "findings"].iter().filter_map(of).collect();
            snapshot.cases.push(Entry { name: name.to_owned(), members });
        }
        Ok(snapshot)
    }

    /// The case of that name.
    pub fn get(&self, name: &str) -> Option<&Entry> {
        self.cases.iter().find(|entry| entry.name == name)
    }
}

fn write_findings(out: &mut String, findings: &[Value]) {
    out.push_str("    findings:\n");
    for finding in findings {
        emit::item(out, 6, &ordered(finding));
    }
}

/// The members of a finding, as people read them.
fn ordered(finding: &Value) -> Vec<(&str, Value)> {
    let Some(members) = finding.as_object() else { return Vec::new() };
    let known = MEMBERS.iter().filter_map(|name| members.get(*name).map(|value| (*name, value.clone())));
    let others = members.iter().filter(|(name, _)| !MEMBERS.contains(&name.as_str()));
    known.chain(others.map(|(name, value)| (name.as_str(), value.clone()))).collect()
}

/// What a snapshot has of a finding below its title and severity.
pub(super) fn finding_text(finding: &Value) -> String {
    let mut out = String::new();
    for (name, value) in ordered(finding).into_iter().filter(|(name, _)| !["title", "severity"].contains(name)) {
        emit::member(&mut out, 0, name, &value);
    }
    out
}

/// Where the body of a snapshot begins, behind its head.
fn body(text: &str) -> Option<usize> {
    let after = text.strip_prefix("---\n").or_else(|| text.strip_prefix("---\r\n"))?;
    let mut at = text.len() - after.len();
    for line in after.split_inclusive('\n') {
        at += line.len();
        if line.trim_end() == "---" {
            return Some(at);
        }
    }
    None
}

/// Whether a file is a snapshot of cases, and not one of somebody else's.
pub(super) fn is_of_cases(text: &str) -> bool {
    let head = &text[..body(text).unwrap_or(0)];
    head.lines().any(|line| line.starts_with("source:") && line.trim_end_matches(['"', '\'']).ends_with(super::CASES))
}

/// The file of a policy's snapshot.
pub fn snapshot_of(policy: &str) -> PathBuf {
    Path::new(policy).with_extension(SNAP)
}

/// The file of what is to be accepted as a policy's snapshot.
pub fn pending_of(policy: &str) -> PathBuf {
    Path::new(policy).with_extension(PENDING)
}

/// Writes a file whole or not at all.
///
/// # Errors
/// When it cannot be written.
pub(super) fn write(path: &Path, text: &str) -> Result<(), Error> {
    use std::io::Write as _;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let written = tempfile::Builder::new().prefix(crate::input::UNFINISHED).tempfile_in(folder).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        // As other files are: a temporary file is for its owner alone.
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            file.as_file().set_permissions(std::fs::Permissions::from_mode(0o644))?;
        }
        file.persist(path).map(|_| ()).map_err(|error| error.error)
    });
    written.map_err(|error| Error::new(format!("cannot be written: {error}")).about(path.display().to_string()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn long_commands_are_told_by_their_hash() {
        let long = |last: &str| format!("{}{last}", "aws x\n".repeat(LONGEST));
        let short = |text: String| {
            let mut value = json!({ "cli": text, "verify": { "cli": "a\nb" }, "undo": null });
            shorten(&mut value);
            value
        };
        let told = short(long("aws y"));
        assert_eq!(told["verify"], json!({ "cli": "a\nb" }));
        assert!(told["cli"].as_str().unwrap().starts_with("(13 lines, SHA-256 "), "{told}");
        assert_ne!(told, short(long("aws z")), "another last line is another text");
        assert_eq!(short(long(""))["cli"], long(""), "twelve lines stand as they are");
    }
}
