//! Selects the policies a record could trigger: too many is allowed, too few never.
//!
//! *Soundness*: a policy is left out only where a condition of its `when` on `eventSource` or `eventName`, or the kind
//! that it judges, already excludes the record; and `when` is asked again of every policy that is selected.

use std::collections::BTreeMap;

use crate::policy::{Policy, When};
use crate::record::{CLOUDTRAIL, Record};

/// The policies by what a record must hold for them to be asked; the numbers are places in the pack.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// Policies of events that ask for an `eventName`, by each they ask for.
    by_name: BTreeMap<String, Vec<usize>>,
    /// Policies of events that ask for an `eventSource` alone, by each they ask for.
    by_source: BTreeMap<String, Vec<usize>>,
    /// Policies that are asked about every event.
    every_event: Vec<usize>,
    by_kind: BTreeMap<String, Vec<usize>>,
}

impl Index {
    pub(super) fn new(policies: &[Policy]) -> Self {
        let mut index = Self::default();
        for (at, policy) in policies.iter().enumerate() {
            if &*policy.header.judges != CLOUDTRAIL {
                index.by_kind.entry(policy.header.judges.to_string()).or_default().push(at);
            } else if let Some(names) = required(&policy.header.when, "eventName") {
                for name in names {
                    index.by_name.entry(name).or_default().push(at);
                }
            } else if let Some(sources) = required(&policy.header.when, "eventSource") {
                for source in sources {
                    index.by_source.entry(source).or_default().push(at);
                }
            } else {
                index.every_event.push(at);
            }
        }
        index
    }

    /// The policies to ask about a record, in the order of the pack.
    pub(super) fn select(&self, record: &Record, into: &mut Vec<usize>) {
        into.clear();
        if &*record.kind != CLOUDTRAIL {
            into.extend(self.by_kind.get(&*record.kind).into_iter().flatten());
            return;
        }
        for (field, policies) in [("eventName", &self.by_name), ("eventSource", &self.by_source)] {
            if policies.is_empty() {
                continue;
            }
            match record.value.view().get(field) {
                Some(value) if value.as_str().is_some() => {
                    into.extend(value.as_str().and_then(|text| policies.get(text)).into_iter().flatten())
                }
                // What is not text has several spellings: `when` knows them.
                Some(_) => into.extend(policies.values().flatten()),
                None => {}
            }
        }
        into.extend(&self.every_event);
        into.sort_unstable();
        into.dedup();
    }
}

/// The values one of which a field must have; `None` if it may have any, or be absent.
fn required(when: &When, field: &str) -> Option<Vec<String>> {
    let condition = when.conditions.iter().find(|condition| condition.path == [field])?;
    condition.any_of.iter().cloned().collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::policy::{Overrides, Pack};
    use crate::record::{Document, Node, Origin, Scope};
    use crate::script::Limits;

    /// Policies with every kind of `when` on the fields that the index knows.
    fn battery() -> crate::policy::Checked {
        let whens = [
            "",
            "when: { eventName: A }",
            "when: { eventName: [A, B] }",
            "when: { eventName: [A, null] }",
            "when: { eventName: null }",
            "when: { eventSource: s }",
            "when: { eventSource: [s, t], eventName: B }",
            "when: { eventSource: [s, null], eventName: [C, null] }",
            "when: { eventName: 12, errorCode: null }",
            "when: { eventName: true }",
            "when: { eventName: [12.0, 18446744073709551615], eventSource: 1.5 }",
            "when: { userIdentity.type: Root }",
        ];
        let mut all = crate::policy::Checked::default();
        for (at, when) in whens.iter().enumerate() {
            let text = format!(
                "//! ---\n//! title: T\n//! severity: low\n//! judges: cloudtrail\n//! {when}\n//! ---\nfn matches(event) {{ true }}\n"
            );
            all.join(
                Pack::from_text(&format!("p{at}"), &text).check(&Overrides::default(), &Limits::default()).unwrap(),
            );
        }
        all
    }

    fn value() -> impl Strategy<Value = Option<Value>> {
        let values = [
            json!("A"),
            json!("B"),
            json!("C"),
            json!("s"),
            json!("t"),
            json!("12"),
            json!(12),
            json!(true),
            json!("true"),
            json!(null),
            json!({}),
            json!(["A"]),
            json!(1.5),
        ];
        prop_oneof![Just(None), proptest::sample::select(values.to_vec()).prop_map(Some)]
    }

    proptest! {
        #[test]
        fn the_index_selects_every_policy_that_when_admits(events in proptest::collection::vec((value(), value(), value()), 1..20)) {
            let packs = battery();
            let index = Index::new(packs.policies());
            for (name, source, code) in events {
                let mut members = serde_json::Map::new();
                for (key, value) in [("eventName", name), ("eventSource", source), ("errorCode", code)] {
                    members.extend(value.map(|value| (key.to_owned(), value)));
                }
                let value = Node::from(Document::from(&Value::Object(members)));
                let record = Record { kind: CLOUDTRAIL.into(), id: None, time: None, scope: Scope::default(), value, origin: Origin::default() };
                let mut selected = Vec::new();
                index.select(&record, &mut selected);
                for (at, policy) in packs.policies().iter().enumerate() {
                    if policy.header.when.admits(record.value.view()) {
                        prop_assert!(selected.contains(&at), "{} is left out for {:?}", policy.header.when.conditions[0], record.value);
                    }
                }
            }
        }
    }
}
