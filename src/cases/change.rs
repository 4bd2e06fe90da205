//! What differs between two snapshots, finding by finding and field by field.

use serde_json::Value;

use super::snapshot::{Entry, Snapshot};

/// Something that differs.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Change {
    /// A case that the snapshot did not have.
    CaseAdded {
        /// Its name.
        case: String,
        /// What happens in it.
        outcome: String,
        /// Severity and title of its findings.
        findings: Vec<String>,
        /// Why nothing could be judged, where that is so.
        #[serde(skip)]
        reasons: Vec<String>,
        /// Its findings, whole.
        #[serde(skip)]
        whole: Vec<Value>,
    },
    /// A case that is gone.
    CaseRemoved {
        /// Its name.
        case: String,
    },
    /// A finding that is new in a case.
    FindingAdded {
        /// The case.
        case: String,
        /// Severity and title.
        finding: String,
        /// Its fingerprint.
        fingerprint: String,
        /// All of it.
        #[serde(skip)]
        whole: Value,
    },
    /// A finding that is gone from a case.
    FindingRemoved {
        /// The case.
        case: String,
        /// Severity and title.
        finding: String,
        /// Its fingerprint.
        fingerprint: String,
    },
    /// A field that differs.
    Field {
        /// The case; `None` for what all findings have alike.
        case: Option<String>,
        /// Which finding, if it is one.
        finding: Option<String>,
        /// Its path, such as `context.public_ip`.
        field: String,
        /// What was accepted; `None` if it was not there.
        old: Option<Value>,
        /// What it is; `None` if it is gone.
        new: Option<Value>,
    },
    /// The same cases in another order.
    Order,
}

impl Change {
    /// The case that it is about; `None` if it is about all of them.
    pub fn case(&self) -> Option<&str> {
        match self {
            Self::CaseAdded { case, .. }
            | Self::CaseRemoved { case }
            | Self::FindingAdded { case, .. }
            | Self::FindingRemoved { case, .. } => Some(case),
            Self::Field { case, .. } => case.as_deref(),
            Self::Order => None,
        }
    }
}

/// What differs between what was accepted, if anything was, and what there is.
pub fn changes(old: Option<&Snapshot>, new: &Snapshot) -> Vec<Change> {
    let none = Snapshot::default();
    let old = old.unwrap_or(&none);
    let mut out = Vec::new();
    if !old.always.is_empty() {
        let tree = |snapshot: &Snapshot| Value::Object(snapshot.always.iter().cloned().collect());
        fields(&mut out, None, None, "", Some(&tree(old)), Some(&tree(new)));
    }
    for entry in &old.cases {
        if new.get(&entry.name).is_none() {
            out.push(Change::CaseRemoved { case: entry.name.clone() });
        }
    }
    for entry in &new.cases {
        match old.get(&entry.name) {
            None => out.push(Change::CaseAdded {
                case: entry.name.clone(),
                outcome: entry.outcome().to_owned(),
                findings: entry.findings().iter().map(in_words).collect(),
                reasons: reasons(entry),
                whole: entry.findings().to_vec(),
            }),
            Some(before) => case(&mut out, before, entry),
        }
    }
    if out.is_empty() && old != new {
        out.push(Change::Order);
    }
    out
}

fn reasons(entry: &Entry) -> Vec<String> {
    let found = entry.members.iter().find(|(name, _)| name == "reasons");
    let reasons = found.and_then(|(_, reasons)| reasons.as_array()).into_iter().flatten();
    reasons.filter_map(Value::as_str).map(str::to_owned).collect()
}

fn case(out: &mut Vec<Change>, old: &Entry, new: &Entry) {
    let name = Some(new.name.as_str());
    for member in ["outcome", "reasons"] {
        let of = |entry: &Entry| entry.members.iter().find(|(name, _)| name == member).map(|(_, value)| value.clone());
        fields(out, name, None, member, of(old).as_ref(), of(new).as_ref());
    }
    let (mut before, mut after): (Vec<&Value>, Vec<&Value>) =
        (old.findings().iter().collect(), new.findings().iter().collect());
    let mut pairs = Vec::new();
    after.retain(|finding| {
        let same = before.iter().position(|other| fingerprint(other) == fingerprint(finding));
        if let Some(at) = same {
            pairs.push((before.remove(at), *finding));
        }
        same.is_none()
    });
    // What has no equal on the other side is the same finding with another fingerprint if its title and place are.
    after.retain(|finding| {
        let same = before.iter().position(|other| other.get("title") == finding.get("title"));
        if let Some(at) = same {
            pairs.push((before.remove(at), *finding));
        }
        same.is_none()
    });
    for finding in before {
        out.push(Change::FindingRemoved {
            case: new.name.clone(),
            finding: in_words(finding),
            fingerprint: fingerprint(finding),
        });
    }
    for (old, new) in pairs {
        fields(out, name, Some(&in_words(new)), "", Some(old), Some(new));
    }
    for finding in after {
        out.push(Change::FindingAdded {
            case: new.name.clone(),
            finding: in_words(finding),
            fingerprint: fingerprint(finding),
            whole: finding.clone(),
        });
    }
}

fn fingerprint(finding: &Value) -> String {
    finding.get("fingerprint").and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn in_words(finding: &Value) -> String {
    let text = |name: &str| finding.get(name).and_then(Value::as_str).unwrap_or_default();
    format!("{} {}", text("severity").to_uppercase(), text("title"))
}

/// The fields below a path that differ.
fn fields(
    out: &mut Vec<Change>,
    case: Option<&str>,
    finding: Option<&str>,
    path: &str,
    old: Option<&Value>,
    new: Option<&Value>,
) {
    if old == new {
        return;
    }
    if let (Some(Value::Object(before)), Some(Value::Object(after))) = (old, new) {
        let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            let below = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            fields(out, case, finding, &below, before.get(name), after.get(name));
        }
        return;
    }
    out.push(Change::Field {
        case: case.map(str::to_owned),
        finding: finding.map(str::to_owned),
        field: path.to_owned(),
        old: old.cloned(),
        new: new.cloned(),
    });
}
