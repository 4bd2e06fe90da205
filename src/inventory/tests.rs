//! What the indexes find is what a look at every record finds, for any records, scopes and keys.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::record::{Document, Node, Origin};

const KIND: &str = "ec2/volumes";

fn part(names: &'static [&'static str]) -> impl Strategy<Value = Option<Arc<str>>> {
    prop_oneof![1 => Just(None), 4 => prop::sample::select(names).prop_map(|name| Some(Arc::from(name)))]
}

fn scope() -> impl Strategy<Value = Scope> {
    (part(&["1", "2", "3"]), part(&["a", "b"])).prop_map(|(account, region)| Scope { account, region })
}

/// Values whose members have few names and few texts, so that many agree.
fn value() -> impl Strategy<Value = Value> {
    let scalar = prop::sample::select(vec![
        json!("x"),
        json!("y"),
        json!("1"),
        json!(1),
        json!(true),
        json!("true"),
        json!(null),
    ]);
    let inner = scalar.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(prop::sample::select(vec!["k", "l", "m.n"]), inner, 0..4)
                .prop_map(|map| map.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()),
        ]
    });
    prop::collection::btree_map(prop::sample::select(vec!["k", "l", "m.n"]), inner, 0..4)
        .prop_map(|map| map.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

fn record(kind: &str, id: Option<&str>, scope: Scope, value: &Value) -> Record {
    let value = Node::from(Document::from(value));
    Record { kind: kind.into(), id: id.map(Arc::from), time: None, scope, value, origin: Origin::default() }
}

fn built(records: &[Record]) -> Inventory {
    let mut builder = Builder::default();
    records.iter().for_each(|record| builder.add(record.clone()));
    let (inventory, faults) = builder.finish();
    assert_eq!(faults, []);
    inventory
}

/// The texts at the end of a path, through lists, written anew.
fn texts(value: &Value, path: &[&str]) -> Vec<String> {
    match (value, path) {
        (Value::Array(items), _) => items.iter().flat_map(|item| texts(item, path)).collect(),
        (_, [step, rest @ ..]) => value.get(step).map(|inner| texts(inner, rest)).unwrap_or_default(),
        (Value::String(text), []) => vec![text.clone()],
        (Value::Bool(_) | Value::Number(_), []) => vec![value.to_string()],
        (_, []) => Vec::new(),
    }
}

/// Which of all records these are.
fn places<'a>(records: impl IntoIterator<Item = &'a Record>, all: &Inventory) -> Vec<usize> {
    let place = |record: &Record| all.records().position(|other| other.value.is_same(&record.value));
    records.into_iter().map(|record| place(record).expect("a record of the inventory")).collect()
}

proptest! {
    #[test]
    fn look_ups_find_what_a_search_finds(
        values in prop::collection::vec((scope(), value()), 0..120),
        seen_from in prop::collection::vec(scope(), 1..6),
    ) {
        let records: Vec<Record> = values.iter().map(|(of, value)| record(KIND, None, of.clone(), value)).collect();
        let inventory = built(&records);
        for (key, path) in [
            ("k", &["k"][..]),
            ("l.k", &["l", "k"]),
            (r#""m.n".k"#, &["m.n", "k"]),
            ("m.n", &["m", "n"]),
            ("k.l.k", &["k", "l", "k"]),
        ] {
            let finder = inventory.finder(KIND, key);
            for text in ["x", "y", "1", "true", "z"] {
                for seen_from in seen_from.iter().map(Some).chain([None]) {
                    let sees = |of: &Scope| seen_from.is_none_or(|scope| of.overlaps(scope));
                    let has = |value: &Value| texts(value, path).iter().any(|found| found == text);
                    let want: Vec<usize> =
                        (0..).zip(&values).filter(|(_, (of, value))| sees(of) && has(value)).map(|(at, _)| at).collect();
                    let found = inventory.lookup(KIND, key, text, seen_from);
                    prop_assert_eq!(&places(found, &inventory), &want, "{} = {} from {:?}", key, text, seen_from);
                    prop_assert_eq!(&places(finder.find(text, seen_from, When::Now), &inventory), &want);
                }
            }
        }
    }

    #[test]
    fn views_see_what_overlaps(scopes in prop::collection::vec(scope(), 0..40), seen_from in scope()) {
        let records: Vec<Record> =
            scopes.iter().enumerate().map(|(at, of)| record(KIND, None, of.clone(), &json!({ "at": at }))).collect();
        let inventory = built(&records);
        let want: Vec<usize> = (0..records.len()).filter(|at| scopes[*at].overlaps(&seen_from)).collect();
        let view = inventory.view(KIND, &seen_from);
        prop_assert_eq!(view.len(), want.len());
        prop_assert_eq!(view.is_empty(), want.is_empty());
        prop_assert_eq!(places((0..view.len()).filter_map(|at| view.get(at)), &inventory), want.clone());
        prop_assert!(view.get(want.len()).is_none());
        prop_assert_eq!(places(inventory.all_in(KIND, &seen_from), &inventory), want);
        prop_assert!(inventory.view("ec2/none", &seen_from).is_empty());
    }

    #[test]
    fn of_several_answers_the_greatest_counts_and_of_several_scopes_the_least(
        notes in prop::collection::vec((scope(), prop::sample::select(vec![Collected::No, Collected::Refused, Collected::Partial, Collected::Whole])), 0..20),
        resources in prop::collection::vec(scope(), 0..4),
        seen_from in prop::collection::vec(scope(), 1..6),
    ) {
        let mut builder = Builder::default();
        for (scope, collected) in &notes {
            builder.note_collected(&KIND.into(), scope.clone(), *collected);
        }
        for scope in &resources {
            builder.add(record(KIND, None, scope.clone(), &json!({})));
        }
        let inventory = builder.finish().0;
        // A resource says that a part was collected where there was no answer.
        let silent = |scope: &&Scope| !notes.iter().any(|(of, _)| of == *scope);
        let parts = resources.iter().filter(silent).map(|scope| (scope, Collected::Partial));
        let all: Vec<_> = notes.iter().map(|(scope, collected)| (scope, *collected)).chain(parts).collect();
        let overlapping = |scope: &Scope| all.iter().filter(|(of, _)| of.overlaps(scope)).collect::<Vec<_>>();
        let most = |scope: &Scope| overlapping(scope).iter().map(|(_, collected)| *collected).max();
        for seen_from in seen_from.iter().chain([&Scope::default()]) {
            let known = if seen_from.account.is_some() && seen_from.region.is_some() {
                most(seen_from)
            } else {
                overlapping(seen_from).iter().filter_map(|(part, _)| most(part)).min()
            };
            prop_assert_eq!(inventory.collected(KIND, seen_from), known.unwrap_or(Collected::No), "{}", seen_from);
        }
    }

    #[test]
    fn a_reopened_inventory_is_what_would_have_been_built(
        first in prop::collection::vec((any::<bool>(), prop::option::of(0_u8..6), scope()), 0..12),
        then in prop::collection::vec((any::<bool>(), prop::option::of(0_u8..6), scope()), 0..12),
    ) {
        let resource = |(volume, id, of): &(bool, Option<u8>, Scope)| {
            let kind = if *volume { KIND } else { "ec2/addresses" };
            record(kind, id.map(|id| id.to_string()).as_deref(), of.clone(), &json!({ "id": id, "tag": "t" }))
        };
        let (first, then): (Vec<_>, Vec<_>) = (first.iter().map(resource).collect(), then.iter().map(resource).collect());
        let before = built(&first);
        // Indexes that are there must not hide what is added.
        let known = before.lookup(KIND, "tag", "t", None).len();
        let mut builder = before.reopen();
        then.iter().for_each(|record| builder.add(record.clone()));
        let reopened = builder.finish().0;
        let whole = built(&[first, then].concat());
        let told = |inventory: &Inventory| {
            let records = inventory.records().map(|record| format!("{record:?}")).collect::<Vec<_>>();
            (records, inventory.answers().map(|answer| format!("{answer:?}")).collect::<Vec<_>>(), inventory.len())
        };
        prop_assert_eq!(told(&reopened), told(&whole));
        let found = |inventory: &Inventory| inventory.lookup(KIND, "tag", "t", None).len();
        prop_assert_eq!(found(&reopened), found(&whole));
        prop_assert_eq!(found(&before), known);
    }
}

#[test]
fn to_add_a_kind_copies_no_other() {
    let before = built(&[record(KIND, Some("vol-1"), Scope::default(), &json!({ "k": "x" }))]);
    assert_eq!(before.lookup(KIND, "k", "x", None).len(), 1);
    let mut builder = before.reopen();
    builder.add(record("ec2/addresses", Some("eipalloc-1"), Scope::default(), &json!({})));
    builder.note_collected(&"ec2/addresses".into(), Scope::default(), Collected::Whole);
    let after = builder.finish().0;
    // The records and the index over them are the same ones.
    assert!(Arc::ptr_eq(&before.shelves[KIND], &after.shelves[KIND]));
    assert!(Arc::ptr_eq(&before.collected[KIND], &after.collected[KIND]));
    assert_eq!((before.len(), after.len()), (1, 2));
    assert_eq!(before.kinds().count(), 1);
}
