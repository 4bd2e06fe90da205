//! Scans: outcomes, counts, joins, order, fingerprints.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use lawbook::engine::{self, Outcome, Request, scan};
use lawbook::input;
use lawbook::inventory::{Collected, Inventory};
use lawbook::policy::{Checked, Overrides, Pack};
use lawbook::record::Record;
use lawbook::report::Format;
use lawbook::script::Limits;

fn checked(id: &str, head: &str, script: &str) -> Checked {
    let text = format!(
        "//! ---\n//! title: T\n//! severity: low\n{}\n//! ---\n{script}\n",
        head.lines().map(|line| format!("//! {line}")).collect::<Vec<_>>().join("\n")
    );
    match Pack::from_text(id, &text).check(&crate::of_invented_events(), &Limits::default()) {
        Ok(checked) => checked,
        Err(mistakes) => panic!("{}", lawbook::report::diagnostic::draw(&mistakes, false)),
    }
}

fn event(id: &str, name: &str, more: &str) -> String {
    format!(
        r#"{{"eventVersion":"1.10","eventID":"{id}","eventTime":"2024-05-14T12:00:00Z","eventSource":"ec2.amazonaws.com","eventName":"{name}","awsRegion":"us-east-1","recipientAccountId":"111122223333"{more}}}"#
    )
}

fn records(lines: &[String]) -> Vec<Record> {
    let (records, faults) = input::events("log", lines.join("\n").into_bytes());
    assert!(faults.is_empty(), "{faults:?}");
    records
}

fn request(paths: &[&Path]) -> Request {
    let mut request = Request::new(paths);
    request.now = "2024-05-15T00:00:00Z".parse().unwrap();
    request
}

fn judge(packs: &Checked, lines: &[String]) -> Outcome {
    engine::judge(packs, &records(lines), Inventory::default(), &request(&[])).unwrap()
}

fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
    let file = folder.join(name);
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, text).unwrap();
    file
}

#[test]
fn every_outcome_is_counted() {
    let script = r#"fn matches(event) {
        switch event.eventName {
            "A" => true,
            "B" => false,
            "C" => lookup("ec2/volumes", "VolumeId", "v") != (),
            _ => throw "what is this?",
        }
    }"#;
    let packs = checked("p", "judges: cloudtrail\nwhen: { awsRegion: us-east-1 }\nuses: [ec2/volumes]", script);
    let elsewhere = event("5", "A", "").replace("us-east-1", "eu-west-1");
    let outcome =
        judge(&packs, &[event("1", "A", ""), event("2", "B", ""), event("3", "C", ""), event("4", "D", ""), elsewhere]);
    let counts = &outcome.policies[0];
    assert_eq!((counts.asked, counts.findings, counts.silent, counts.not_evaluated, counts.faults), (4, 1, 2, 0, 1));
    assert_eq!(outcome.summary.records.events, 5);
    assert!(outcome.faults[0].reason.contains("what is this?"), "{:?}", outcome.faults);
    assert_eq!(outcome.summary.exit.code, 2);
}

#[test]
fn what_was_not_collected_is_never_none() {
    let packs = checked(
        "p",
        "judges: cloudtrail\nneeds: [ec2/flow-logs]",
        "fn matches(event) { lookup_all(\"ec2/flow-logs\", \"ResourceId\", event.eventName).is_empty() }",
    );
    let records = records(&[event("1", "vpc-1", ""), event("2", "vpc-2", "")]);
    let flow_log = input::inventory::resource(
        "ec2/flow-logs",
        &serde_json::json!({ "FlowLogId": "fl-1", "ResourceId": "vpc-1" }),
        records[0].scope.clone(),
    );
    let run = |collected: Option<Collected>, resource: bool, elsewhere: bool| {
        let mut builder = Inventory::default().reopen();
        let mut scope = records[0].scope.clone();
        if elsewhere {
            scope.region = Some("eu-west-1".into());
        }
        if let Some(collected) = collected {
            builder.note_collected(&"ec2/flow-logs".into(), scope, collected);
        }
        if resource {
            builder.add(flow_log.clone());
        }
        let outcome = engine::judge(&packs, &records, builder.finish().0, &request(&[])).unwrap();
        let reasons: Vec<String> = outcome.not_evaluated.iter().map(|row| row.reason.clone()).collect();
        (outcome.summary.findings.total, outcome.summary.not_evaluated, reasons.join("; "))
    };
    assert_eq!(run(None, false, false), (0, 2, "inventory `ec2/flow-logs` was not collected".to_owned()));
    assert_eq!(
        run(Some(Collected::Whole), false, true),
        (0, 2, "inventory `ec2/flow-logs` was not collected".to_owned())
    );
    assert_eq!(
        run(Some(Collected::Refused), false, false),
        (0, 2, "collecting inventory `ec2/flow-logs` was refused".to_owned())
    );
    assert_eq!(run(Some(Collected::Whole), false, false).0, 2);
    assert_eq!(run(Some(Collected::Whole), true, false).0, 1);
    // A part can say that something is there, and cannot say that nothing is.
    let (findings, not_evaluated, reason) = run(Some(Collected::Partial), true, false);
    assert_eq!((findings, not_evaluated), (0, 1));
    assert!(reason.contains("cannot prove absence"), "{reason}");
}

#[test]
fn several_answers_to_one_look_up_are_a_fault() {
    let packs = checked(
        "p",
        "judges: cloudtrail\nuses: [ec2/addresses]",
        "fn matches(event) { lookup(\"ec2/addresses\", \"Domain\", \"vpc\") != () }",
    );
    let records = records(&[event("1", "A", "")]);
    let mut builder = Inventory::default().reopen();
    for id in ["eipalloc-1", "eipalloc-2"] {
        builder.add(input::inventory::resource(
            "ec2/addresses",
            &serde_json::json!({ "AllocationId": id, "Domain": "vpc" }),
            records[0].scope.clone(),
        ));
    }
    let outcome = engine::judge(&packs, &records, builder.finish().0, &request(&[])).unwrap();
    assert!(outcome.faults[0].reason.contains("found 2 resources"), "{:?}", outcome.faults);
}

/// A finding that waits in a temporary file has to be read again: one context must not lose the findings of all.
#[test]
fn what_is_nested_deep_is_left_out_of_a_context_and_told() {
    let packs = checked(
        "p",
        "judges: cloudtrail",
        "fn matches(event) { true }\nfn context(event) { #{ a: #{ b: event.requestParameters } } }",
    );
    for (levels, faults) in [(60, 0), (126, 1)] {
        let deep = format!(r#","requestParameters":{}{}"#, "[".repeat(levels), "]".repeat(levels));
        let outcome = judge(&packs, &[event("1", "A", &deep), event("2", "B", "")]);
        let findings: Vec<_> = outcome.findings.iter().map(Result::unwrap).collect();
        assert_eq!((findings.len(), outcome.faults.len()), (2, faults), "{:?}", outcome.faults);
        assert!(outcome.faults.iter().all(|fault| fault.reason.contains("`context` answered what is nested deeper")));
        assert_eq!(findings.iter().filter(|finding| finding.context["a"].is_object()).count(), 2 - faults);
    }
}

#[test]
fn an_association_is_resolved_by_a_call_in_any_file() {
    let packs = Pack::embedded().check(&Overrides::default(), &Limits::default()).unwrap();
    let taken = event(
        "1",
        "DisassociateAddress",
        r#","requestParameters":{"associationId":"eipassoc-1"},"responseElements":{"_return":true}"#,
    );
    let made = event(
        "2",
        "AssociateAddress",
        r#","requestParameters":{"allocationId":"eipalloc-1","instanceId":"i-1"},"responseElements":{"associationId":"eipassoc-1"}"#,
    );
    let allocated = event(
        "3",
        "AllocateAddress",
        r#","requestParameters":{},"responseElements":{"allocationId":"eipalloc-1","publicIp":"198.51.100.7"}"#,
    );
    for order in [[&taken, &made, &allocated], [&allocated, &made, &taken], [&made, &taken, &allocated]] {
        let folder = tempfile::tempdir().unwrap();
        for (at, line) in order.iter().enumerate() {
            write(folder.path(), &format!("{at}.json"), line);
        }
        for threads in [1, 4] {
            let mut request = request(&[folder.path()]);
            request.threads = threads;
            let outcome = scan(&packs, &request, &()).unwrap();
            let titles: Vec<String> = outcome.findings.iter().map(|finding| finding.unwrap().title).collect();
            assert_eq!(titles.len(), 1, "{titles:?}");
            assert!(titles[0].contains("198.51.100.7") && titles[0].contains("i-1"), "{titles:?}");
        }
    }
}

#[test]
fn a_finding_is_known_by_what_it_is_about() {
    let line = event("1", "A", "");
    let finding = |script: &str, line: &str| {
        judge(&checked("p", "judges: cloudtrail", script), &[line.to_owned()]).findings.iter().next().unwrap().unwrap()
    };
    let first = finding("fn matches(event) { true }", &line);
    let reworded = finding(
        "fn matches(event) { true }\nfn title(event) { \"U\" }\nfn severity(event) { \"high\" }\nfn resources(event) { [\"x\"] }",
        &line,
    );
    assert_eq!(first.fingerprint, reworded.fingerprint);
    assert_ne!(first.fingerprint, finding("fn matches(event) { true }", &event("2", "A", "")).fingerprint);
    let other_account = line.replace("111122223333", "444455556666");
    assert_ne!(first.fingerprint, finding("fn matches(event) { true }", &other_account).fingerprint);
    let other_policy = judge(&checked("q", "judges: cloudtrail", "fn matches(event) { true }"), &[line]);
    let other_policy = other_policy.findings.to_vec().unwrap().remove(0);
    assert_ne!(first.fingerprint, other_policy.fingerprint);
}

#[test]
fn equal_records_are_duplicates_and_different_ones_of_one_id_are_not() {
    let packs = checked("p", "judges: cloudtrail", "fn matches(event) { true }");
    let first = event("1", "A", r#","readOnly":true,"apiVersion":"x""#);
    let reordered = event("1", "A", r#","apiVersion":"x","readOnly":true"#);
    let different = event("1", "A", r#","readOnly":false"#);
    let outcome = judge(&packs, &[first, reordered, different.clone(), different]);
    let findings = outcome.findings.to_vec().unwrap();
    assert_eq!(findings.len(), 2);
    assert_eq!(findings.iter().map(|finding| finding.duplicates.len()).collect::<Vec<_>>(), [1, 1]);
    assert_ne!(findings[0].fingerprint, findings[1].fingerprint);
    assert_eq!(outcome.summary.records.events, 4);
}

/// Files of many batches among small ones and inventory: the same outcome for any number of threads, every count exact,
/// every position that of the record in its file.
#[test]
fn the_outcome_is_the_same_for_any_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    let padding = "x".repeat(300);
    let mut total = 0;
    for (name, count) in
        [("a/small.json", 3), ("b/large.ndjson", 9_000), ("c/small.ndjson", 5), ("d/large.json", 7_000)]
    {
        let lines: Vec<String> = (0..count)
            .map(|at| {
                event(
                    &format!("{name}-{at}"),
                    if at % 1_000 == 7 { "Hit" } else { "Miss" },
                    &format!(r#","position":{},"pad":"{padding}""#, at + 1),
                )
            })
            .collect();
        total += count;
        let text =
            if name == "d/large.json" { format!("{{\"Records\":[{}]}}", lines.join(",")) } else { lines.join("\n") };
        write(folder.path(), name, &text);
    }
    write(
        folder.path(),
        "e/ec2/describe-volumes.json",
        r#"{"Volumes":[{"VolumeId":"vol-1","State":"available","CreateTime":"2024-01-01T00:00:00Z"}]}"#,
    );
    write(folder.path(), "f/broken.json", "{\"Records\":[{]}");
    let packs = checked(
        "p",
        "judges: cloudtrail\nwhen: { eventName: [Hit] }",
        "fn matches(event) { true }\nfn context(event) { #{ position: event.position } }",
    );
    let run = |threads: usize| {
        let mut request = request(&[folder.path()]);
        request.threads = threads;
        let outcome = scan(&packs, &request, &()).unwrap();
        let mut report = Vec::new();
        lawbook::report::write(lawbook::report::Format::Json, &outcome, &packs, Default::default(), &mut report)
            .unwrap();
        (outcome, String::from_utf8(report).unwrap())
    };
    let (outcome, report) = run(1);
    assert_eq!(outcome.summary.records.events, total);
    assert_eq!(outcome.summary.records.resources, 1);
    assert_eq!(outcome.findings.len(), 9 + 7);
    for finding in &outcome.findings {
        let finding = finding.unwrap();
        assert_eq!(finding.context["position"], finding.origin.position, "{}", finding.origin);
    }
    assert_eq!(outcome.summary.faults, 1, "{:?}", outcome.faults);
    for threads in [2, 3, 8] {
        assert_eq!(run(threads).1, report, "{threads} threads");
    }
}

/// Findings, duplicates, groups, faults and verdicts of every kind, of records and resources, some of them deferred: the
/// same bytes in every format, whatever the number of threads and the memory.
#[test]
fn the_outcome_is_the_same_for_any_memory() {
    const COMMON: &str = "//! ---\n//! lawbook: 1\n//! title: About ${id}\n//! severity: low\n";
    let mut packs = Pack::from_text(
        "every-call",
        &format!(
            r#"{COMMON}//! judges: cloudtrail
//! remediation: {{ console: Look at it., cli: "aws x --id ${{id}}", python: "x(${{gone}})" }}
//! ---
fn matches(event) {{ if event.say != () {{ throw event.say; }} event.eventName != "Quiet" }}
fn context(event) {{ #{{ id: event.eventID, list: [1, 2.5, true], pad: event.pad }} }}
fn severity(event) {{ if event.level == "wrong" {{ number("7") }} else {{ event.level }} }}
fn group(event) {{ event.group }}
"#
        ),
    )
    .check(&crate::of_invented_events(), &Limits::default())
    .unwrap();
    for (id, more, script) in [
        ("needs-inventory", "judges: cloudtrail\n//! needs: [ec2/flow-logs]", "true"),
        (
            "deferred",
            "judges: cloudtrail\n//! when: { eventName: [Quiet, Loud] }\n//! uses: [cloudtrail/address-allocations]",
            r#"lookup("cloudtrail/address-allocations", "AllocationId", event.eventID) == ()"#,
        ),
        ("volume", "judges: ec2/volumes", r#"event.State == "available""#),
    ] {
        let text = format!("{COMMON}//! {more}\n//! ---\nfn matches(event) {{ {script} }}\n");
        packs.join(Pack::from_text(id, &text).check(&crate::of_invented_events(), &Limits::default()).unwrap());
    }
    let folder = tempfile::tempdir().unwrap();
    let padding = "x".repeat(500);
    let line = |at: usize| {
        let more = match at % 11 {
            0 => format!(r#","say":"reason {}""#, at % 40),
            1 => r#","level":"wrong""#.to_owned(),
            2 | 3 => format!(r#","level":"high","group":"group {}""#, at % 9),
            4 => format!(r#","pad":"{padding}","level":"critical""#),
            5 => r#","responseElements":{"allocationId":"7","publicIp":"198.51.100.7"}"#.to_owned(),
            _ => format!(r#","requestParameters":{{"pad":"{padding}"}}"#),
        };
        let name = ["Loud", "Quiet", "Other", "AllocateAddress"][at % 4];
        let id = if at.is_multiple_of(13) { "the same".to_owned() } else { at.to_string() };
        event(&id, name, &more).replace("us-east-1", &format!("region-{}", at % 6))
    };
    let lines: Vec<String> = (0..2_500).map(line).collect();
    write(folder.path(), "a.ndjson", &lines[..1_500].join("\n"));
    write(folder.path(), "b/again.ndjson", &lines[1_000..1_800].join("\n"));
    write(folder.path(), "c.json", &format!("{{\"Records\":[{}]}}", lines[1_400..].join(",")));
    write(folder.path(), "d/broken.ndjson", &format!("{}\n{{\n{}\n[}}\nx", lines[0], lines[1]));
    let volumes: Vec<String> = (0..50).map(|at| format!(r#"{{"VolumeId":"vol-{at}","State":"available"}}"#)).collect();
    write(folder.path(), "e/ec2/describe-volumes.json", &format!("{{\"Volumes\":[{}]}}", volumes.join(",")));

    let mut all = request(&[folder.path()]);
    all.why = Some("every-call".to_owned());
    let run = |memory: usize, threads: usize| {
        let request = Request { memory, threads, ..all.clone() };
        let outcome = scan(&packs, &request, &()).unwrap();
        let reports = [Format::Text, Format::Json, Format::Ndjson].map(|format| {
            let mut report = Vec::new();
            lawbook::report::write(format, &outcome, &packs, Default::default(), &mut report).unwrap();
            String::from_utf8(report).unwrap()
        });
        (outcome, reports)
    };
    let (outcome, reports) = run(1 << 30, 1);
    assert!(outcome.summary.findings.total > 2_500 && outcome.summary.not_evaluated > 2_500);
    assert!(outcome.findings.iter().any(|finding| finding.unwrap().duplicates.len() > 1));
    assert_eq!(outcome.findings.len(), outcome.findings.to_vec().unwrap().len() as u64);
    assert!(outcome.why.len() > 2_500 && outcome.policies[2].findings > 0 && outcome.policies[3].findings == 50);
    let fault = |start: &str| outcome.faults.iter().any(|fault| fault.reason.starts_with(start));
    assert!(fault("`matches` failed: reason 0") && fault("`severity` answered a number"), "{:?}", outcome.faults);
    for (memory, threads) in [(1 << 30, 3), (0, 1), (0, 2), (3_000, 4), (100_000, 1), (100_000, 2), (1 << 20, 2)] {
        let (_, others) = run(memory, threads);
        for (report, other) in reports.iter().zip(&others) {
            assert!(report == other, "{memory} bytes, {threads} threads\n{report}\n{other}");
        }
    }
}

/// A policy that throws what records say makes as many kinds of faults as there are records.
#[test]
fn hostile_records_make_no_report_without_end() {
    let packs =
        checked("p", "judges: cloudtrail\nneeds: [ec2/flow-logs]", "fn matches(event) { throw event.eventID; }");
    let without_needs = checked("q", "judges: cloudtrail", "fn matches(event) { throw event.eventID; }");
    let lines: Vec<String> =
        (0..6_000).map(|at| event(&at.to_string(), "A", "").replace("us-east-1", &format!("region-{at}"))).collect();
    let records = records(&lines);
    for (packs, is_fault) in [(&without_needs, true), (&packs, false)] {
        let outcome = engine::judge(packs, &records, Inventory::default(), &request(&[])).unwrap();
        let rows: Vec<(&str, u64)> = match is_fault {
            true => outcome.faults.iter().map(|row| (row.reason.as_str(), row.count)).collect(),
            false => outcome.not_evaluated.iter().map(|row| (row.reason.as_str(), row.count)).collect(),
        };
        assert_eq!((rows.len(), rows.iter().map(|(_, count)| count).sum::<u64>()), (4_097, 6_000));
        let (reason, count) = rows[4_096];
        assert!(reason.starts_with("1904 more reasons") && count == 1_904, "{reason}");
        assert_eq!(outcome.summary.faults + outcome.summary.not_evaluated, 6_000);
    }
}

#[test]
fn filters_keep_what_is_unknown_and_every_record_is_accounted_for() {
    let folder = tempfile::tempdir().unwrap();
    let early = event("1", "A", "").replace("2024-05-14", "2024-05-01");
    let timeless = event("2", "A", "").replace(r#""eventTime":"2024-05-14T12:00:00Z","#, "");
    let elsewhere = event("3", "A", "").replace("us-east-1", "eu-west-1");
    let placeless = event("4", "A", "").replace(r#""awsRegion":"us-east-1","#, "");
    write(folder.path(), "log.ndjson", &[early, timeless, elsewhere, placeless, event("5", "A", "")].join("\n"));
    let packs = checked("p", "judges: cloudtrail", "fn matches(event) { true }");
    let mut request = request(&[folder.path()]);
    request.settings.filter.since = Some("2024-05-10T00:00:00Z".parse().unwrap());
    request.settings.filter.regions = vec!["us-east-1".to_owned()];
    let outcome = scan(&packs, &request, &()).unwrap();
    let ids: Vec<_> = outcome.findings.iter().filter_map(|finding| finding.unwrap().record.id).collect();
    assert_eq!(ids, ["2", "4", "5"].map(Arc::from));
    assert_eq!((outcome.summary.records.events, outcome.summary.records.filtered), (3, 2));
}

#[test]
fn a_named_policy_that_never_ran_fails_the_run() {
    let packs = checked("p", "judges: ec2/volumes", "fn matches(volume) { true }");
    let mut request = request(&[]);
    let run = |request: &Request| {
        engine::judge(&packs, &records(&[event("1", "A", "")]), Inventory::default(), request).unwrap().summary.exit
    };
    assert_eq!(run(&request).code, 0);
    request.named.insert("p".to_owned());
    let exit = run(&request);
    assert_eq!(exit.code, 2);
    assert!(exit.reasons[0].contains("`p` never ran"), "{exit:?}");
}

#[test]
fn a_manifest_says_what_an_empty_file_is() {
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        "inventory.json",
        r#"{"lawbook":1,"answers":[{"file":"logs.json","service":"ec2","command":"describe-flow-logs","account":"111122223333","region":"us-east-1","status":"ok"}]}"#,
    );
    write(folder.path(), "logs.json", "");
    write(
        folder.path(),
        "ec2/describe-vpcs.json",
        r#"{"Vpcs":[{"VpcId":"vpc-1","OwnerId":"111122223333","CidrBlock":"10.0.0.0/16"}]}"#,
    );
    let packs = checked(
        "p",
        "judges: ec2/vpcs\nneeds: [ec2/flow-logs]",
        "fn matches(vpc) { lookup_all(\"ec2/flow-logs\", \"ResourceId\", vpc.VpcId).is_empty() }",
    );
    let outcome = scan(&packs, &request(&[folder.path()]), &()).unwrap();
    assert_eq!(
        (outcome.summary.findings.total, outcome.summary.not_evaluated, outcome.summary.faults),
        (1, 0, 0),
        "{:?} {:?}",
        outcome.faults,
        outcome.not_evaluated
    );
}

/// What was refused in one place is not known to be nowhere.
#[test]
fn what_was_refused_somewhere_is_not_known_to_be_nowhere() {
    let packs = checked(
        "p",
        "judges: cloudtrail\nneeds: [ec2/addresses]",
        "fn matches(event) { lookup_anywhere(\"ec2/addresses\", \"PublicIp\", event.eventName).is_empty() }",
    );
    let records = records(&[event("1", "A", "")]);
    let run = |elsewhere: Collected, nowhere: bool| {
        let mut builder = Inventory::default().reopen();
        let mut other = records[0].scope.clone();
        other.account = Some("999999999999".into());
        builder.note_collected(&"ec2/addresses".into(), records[0].scope.clone(), Collected::Whole);
        builder.note_collected(&"ec2/addresses".into(), other.clone(), elsewhere);
        if !nowhere {
            let address = serde_json::json!({ "AllocationId": "eipalloc-1", "PublicIp": "A" });
            builder.add(input::inventory::resource("ec2/addresses", &address, other));
        }
        let outcome = engine::judge(&packs, &records, builder.finish().0, &request(&[])).unwrap();
        (outcome.summary.findings.total, outcome.summary.not_evaluated)
    };
    assert_eq!(run(Collected::Whole, true), (1, 0));
    assert_eq!(run(Collected::Whole, false), (0, 0));
    for part in [Collected::Refused, Collected::Partial] {
        assert_eq!(run(part, true), (0, 1), "{part:?}");
    }
    assert_eq!(run(Collected::Partial, false), (0, 0), "what is there is there");
}

/// What the checker cannot see is found out when it runs: a kind that is not declared may not be one.
#[test]
fn a_kind_that_is_not_declared_is_a_fault_not_nothing() {
    for look_up in [
        r#"let name = "lookup" + "_all"; Fn(name).call("ec2/adresses", "PublikIp", event.eventName).is_empty()"#,
        r#"let f = Fn("coll" + "ected"); !f.call("ec2/flowlogs")"#,
        r#"let f = Fn("al" + "l"); f.call("ec2/volumes").is_empty()"#,
    ] {
        let packs = checked(
            "p",
            "judges: cloudtrail\nuses: [ec2/addresses]",
            &format!(
                "fn matches(event) {{ {look_up} }}\nfn context(event) {{ lookup(\"ec2/addresses\", \"PublicIp\", \"b\") }}"
            ),
        );
        let outcome = judge(&packs, &[event("1", "A", "")]);
        assert_eq!((outcome.summary.findings.total, outcome.summary.faults), (0, 1), "{look_up}");
        assert!(outcome.faults[0].reason.contains("is not declared (try: add it to `uses:`"), "{:?}", outcome.faults);
    }
}

/// Past the size of any list that a script may make; and what the look-ups build for everybody is not held against the
/// script that asks first.
#[test]
fn a_view_of_the_inventory_has_no_limit() {
    let script = r#"fn matches(event) {
        all("ec2/addresses").len() == 30000
            && all("ec2/addresses").some(|a| a.PublicIp == "198.51.100.29999")
            && lookup("ec2/addresses", "AllocationId", "eipalloc-29999").PublicIp == "198.51.100.29999"
            && all("ec2/addresses").filter(|a| a.PublicIp == "198.51.100.7").len() == 1
    }"#;
    let packs = checked("p", "judges: cloudtrail\nuses: [ec2/addresses]", script);
    let records = records(&[event("1", "A", "")]);
    let mut builder = Inventory::default().reopen();
    for at in 0..30_000 {
        let address =
            serde_json::json!({ "AllocationId": format!("eipalloc-{at}"), "PublicIp": format!("198.51.100.{at}") });
        builder.add(input::inventory::resource("ec2/addresses", &address, records[0].scope.clone()));
    }
    let outcome = engine::judge(&packs, &records, builder.finish().0, &request(&[])).unwrap();
    assert_eq!(outcome.summary.findings.total, 1, "{:?}", outcome.faults);
}

/// What a record says must not make the engine believe that a policy ran out of time, and give it up.
#[test]
fn a_record_cannot_talk_the_engine_into_giving_a_policy_up() {
    let packs =
        checked("p", "judges: cloudtrail", "fn matches(event) { if event.say != () { throw event.say; } true }");
    let mut lines: Vec<String> =
        (0..20).map(|at| event(&at.to_string(), "A", r#","say":"`matches` took more than 5 s""#)).collect();
    lines.push(event("last", "A", ""));
    let outcome = judge(&packs, &lines);
    assert_eq!((outcome.summary.faults, outcome.summary.findings.total), (20, 1));
    assert_eq!(outcome.faults.len(), 1, "{:?}", outcome.faults);
}
