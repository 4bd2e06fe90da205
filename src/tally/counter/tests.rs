use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::record::{Origin, Scope};
use crate::tally::Section;

/// An event of these parts.
fn event(parts: &Value) -> Record {
    let text = |name: &str| parts[name].as_str().map(Arc::from);
    Record {
        kind: crate::record::CLOUDTRAIL.into(),
        id: None,
        time: parts["eventTime"].as_str().and_then(|time| time.parse().ok()),
        scope: Scope { account: text("recipientAccountId"), region: text("awsRegion") },
        value: Document::from(parts).into(),
        origin: Origin::default(),
    }
}

/// What some threads count of events, each of which goes to one of them.
fn tally(events: &[(usize, Value)], threads: usize, memory: usize, top: usize) -> Tally {
    let scratch = Arc::default();
    let mut counters: Vec<Counter> = (0..threads).map(|_| Counter::new(&scratch, memory)).collect();
    for (thread, parts) in events {
        counters[thread % threads].take(&event(parts));
    }
    Counter::tally(counters, &Inventory::default(), threads, top).unwrap()
}

fn any_event() -> impl Strategy<Value = (usize, Value)> {
    let text = || prop_oneof![Just(Value::Null), Just(json!("")), "[ab]{1,2}".prop_map(Value::from)];
    let who = prop_oneof![
        Just(Value::Null),
        Just(json!("nobody")),
        "[ab]".prop_map(|name| json!({ "type": "IAMUser", "userName": name, "accountId": "111122223333" })),
        ("[ab]", 0..3).prop_map(|(role, session)| json!({
            "type": "AssumedRole",
            "arn": format!("arn:aws:sts::111122223333:assumed-role/{role}/{session}"),
            "accessKeyId": format!("ASIA{role}{session}"),
        })),
    ];
    let time = prop_oneof![
        Just(Value::Null),
        (0..50_u32).prop_map(|hour| json!(format!("2024-05-{:02}T{:02}:30:00Z", 14 + hour / 24, hour % 24)))
    ];
    let code = prop_oneof![4 => Just(Value::Null), 1 => "[AB]".prop_map(Value::from), 1 => Just(json!("Client.DryRunOperation"))];
    (0..4_usize, who, time, code, [text(), text(), text(), text()], any::<bool>()).prop_map(
        |(thread, who, time, code, [source_ip, user_agent, account, region], failed)| {
            let answer = if failed { json!({ "ConsoleLogin": "Failure" }) } else { Value::Null };
            (thread, json!({
                "eventName": "ConsoleLogin", "eventSource": "signin.amazonaws.com", "userIdentity": who, "eventTime": time,
                "errorCode": code, "sourceIPAddress": source_ip, "userAgent": user_agent, "responseElements": answer,
                "recipientAccountId": account, "awsRegion": region,
            }))
        },
    )
}

fn add_up(section: &Section) -> Count {
    let mut sum = Count::default();
    section.rows.iter().for_each(|row| sum.add(&row.count));
    section.others.iter().for_each(|others| sum.add(&others.count));
    sum
}

proptest! {
    /// Every section adds up to the calls; threads and memory change nothing; more rows are the same rows, and more.
    #[test]
    fn every_section_adds_up(
        events in proptest::collection::vec(any_event(), 0..80),
        threads in 1..4_usize,
        memory in 0..6_000_usize,
        top in 1..6_usize,
    ) {
        let told = tally(&events, threads, memory, top);
        prop_assert_eq!(&told, &tally(&events, 1, 1 << 20, top));
        let whole = tally(&events, 1, 1 << 20, usize::MAX);
        prop_assert_eq!(told.calls.calls, events.len() as u64);
        for (section, all) in told.sections.iter().zip(&whole.sections) {
            prop_assert_eq!(add_up(section), told.calls, "{:?}", section.by);
            prop_assert!(all.others.is_none());
            let with_value = |section: &Section| section.rows.iter().filter(|row| row.value.is_some()).count() as u64;
            prop_assert_eq!(all.values, with_value(all));
            prop_assert_eq!(section.values, all.values);
            let others = section.others.map_or(0, |others| others.values);
            prop_assert_eq!(with_value(section) + others, section.values);
            prop_assert!(section.rows.iter().all(|row| all.rows.contains(row)), "{:?}", section);
            let least = section.rows.iter().filter(|row| row.value.is_some()).map(|row| row.count.calls).min();
            let next = all.rows.iter().filter(|row| row.value.is_some() && !section.rows.contains(row));
            prop_assert!(next.clone().all(|row| Some(row.count.calls) <= least));
        }
    }

    /// Whatever stands behind it, and whatever strings hold: the object is found that a parser would find.
    #[test]
    fn the_end_of_an_object_is_found(
        members in proptest::collection::btree_map("[a-z\"\\\\{}]{0,6}", "[a-z\"\\\\{}\\[\\]:,é\n]{0,9}", 0..5),
        depth in 0..4_usize,
        behind in "[ ,}\\]{\"a]{0,9}",
    ) {
        let mut value = json!(members);
        for _ in 0..depth {
            value = json!({ "in{": value, "n": [{}, 1] });
        }
        let text = value.to_string();
        let whole = format!("{text}{behind}");
        prop_assert_eq!(object(whole.as_bytes()), Some(text.as_bytes()));
        prop_assert_eq!(object(&text.as_bytes()[..text.len() - 1]), None);
    }
}

/// More sessions than a thread takes at once, each of which calls twice.
#[test]
fn the_calls_of_many_sessions_are_those_of_few_people() {
    let call = |session: usize| {
        let identity = json!({
            "type": "AssumedRole",
            "arn": format!("arn:aws:sts::111122223333:assumed-role/role-{}/{session}", session % 7),
            "accessKeyId": format!("ASIA{session}"),
        });
        json!({ "eventName": "A", "eventSource": "a.amazonaws.com", "userIdentity": identity })
    };
    let events: Vec<(usize, Value)> = (0..4_200).map(|at| (at, call(at % 2_100))).collect();
    for (threads, memory) in [(1, 1 << 24), (3, 1 << 24), (3, 20_000), (4, 0)] {
        let told = tally(&events, threads, memory, 10);
        let callers = told.sections.iter().find(|section| section.by == By::Caller).unwrap();
        let rows: Vec<_> = callers.rows.iter().map(|row| (row.value.as_deref(), row.count.calls)).collect();
        let expected =
            ["role-0", "role-1", "role-2", "role-3", "role-4", "role-5", "role-6"].map(|role| (Some(role), 600));
        assert_eq!((rows, callers.values), (expected.to_vec(), 7), "{threads} threads, {memory} bytes");
    }
}

#[test]
fn only_an_answer_under_the_own_name_is_looked_into() {
    assert!(may_answer("SwitchRole", br#"{"SwitchRole" : "Failure"}, "#));
    assert!(may_answer("odd name", b"{}") && may_answer("a\\/b", b"{}"));
    assert!(!may_answer("SwitchRole", br#"{"x":"SwitchRole"},"eventName":"SwitchRole","#));
    assert!(!may_answer("SwitchRole", br#"null,"SwitchRole":"Failure""#));
}
