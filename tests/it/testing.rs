//! What somebody meets who writes a first policy and its cases: names, messages, traces and reviews.

use std::fs;

use crate::cases::{Desk, HEAD, PENDING, POLICY, SOUND, finish};

const SNAP: &str = "pack/trail-stopped.snap";

/// A volume's policy that asks a function of its own, which looks something up.
const VOLUME: &str = r#"//! ---
//! title: Volume of nobody
//! severity: low
//! judges: ec2/volumes
//! uses: [ec2/instances]
//! ---
fn matches(volume) { !running(volume) }
fn running(volume) {
    let at = first(list(volume.Attachments)).InstanceId;
    is_up(lookup("ec2/instances", "InstanceId", at))
}
"#;

#[test]
fn a_file_is_tested_by_its_bare_name() {
    let desk = Desk::accepted(SOUND);
    for name in ["trail-stopped.rhai", "trail-stopped.cases.yaml", "./trail-stopped.rhai"] {
        let ran = finish(desk.command(&["test", name, "--ci"]).current_dir(desk.path("pack")));
        assert!(ran.code == 0 && ran.out.contains("3 cases of 1 policy: 3 passed"), "{name}: {}{}", ran.out, ran.err);
    }
}

#[test]
fn a_pack_has_its_name_wherever_it_lies_and_from_wherever_it_is_tested() {
    let desk = Desk::new();
    let ran = desk.run(&["new", "key-pair-created", "--dir", "My pack"]);
    assert!(ran.out.contains("wrote My pack/pack.yaml"), "{}{}", ran.out, ran.err);
    assert!(desk.read("My pack/pack.yaml").contains("\nname: my-pack\n"), "{}", desk.read("My pack/pack.yaml"));
    fs::rename(desk.path("My pack"), desk.path("moved")).unwrap();
    for args in [&["test", "--ci"][..], &["test", "moved", "--ci"], &["test", "moved/key-pair-created.rhai", "--ci"]] {
        let ran = desk.run(args);
        assert_eq!(ran.code, 0, "{args:?}: {}{}", ran.out, ran.err);
    }
    // A second one is of the same pack.
    let ran = desk.run(&["new", "key-pair-made", "--dir", "moved/deeper"]);
    assert!(!ran.out.contains("pack.yaml") && desk.run(&["test", "--ci"]).code == 0, "{}", ran.out);

    // Without a `pack.yaml`, too, a snapshot does not depend on what the folder is called, or where somebody stands.
    let desk = Desk::accepted(SOUND);
    fs::rename(desk.path("pack"), desk.path("other")).unwrap();
    assert_eq!(desk.run(&["test", "other", "--ci"]).code, 0);
    assert_eq!(desk.run(&["test", "--ci"]).code, 0);
    let ran = desk.run(&["new", "key-pair-created", "--dir", "other"]);
    assert!(!ran.out.contains("pack.yaml"), "its policies have no name, and snapshots that say so: {}", ran.out);
}

#[test]
fn a_failing_case_is_followed_into_functions() {
    let desk = Desk::new();
    desk.write("pack/volume-idle.rhai", VOLUME);
    desk.write(
        "pack/lib/states.rhai",
        "fn is_up(instance) { instance.State.Name == wanted() }\nfn wanted() { \"up\" }\n",
    );
    desk.write(
        "pack/volume-idle.cases.yaml",
        "cases:\n  - name: it is in use\n    record: { VolumeId: vol-1, Attachments: [{ InstanceId: i-1 }] }\n    inventory: { ec2/instances: [{ InstanceId: i-1, State: { Name: running } }] }\n    expect: silent\n",
    );
    let ran = desk.run(&["test", "pack", "--ci"]);
    let trace: Vec<&str> = ran.out.lines().skip_while(|line| !line.contains("`matches`")).collect();
    let until = trace.iter().position(|line| line.contains("alone:")).unwrap();
    assert_eq!(
        trace[..until].join("\n"),
        r#"         `matches` (line 7): true
           !running(volume)  = true
             running(volume)  = false
               in `running` (line 8):
                 first(list(volume.Attachments)).InstanceId  = "i-1"
                   first(list(volume.Attachments))  = {"InstanceId":"i-1"}
                     list(volume.Attachments)  = [{"InstanceId":"i-1"}]
                       volume.Attachments  = [{"InstanceId":"i-1"}]
                 is_up(lookup("ec2/instances", "InstanceId", at))  = false
                   lookup("ec2/instances", "InstanceId", at)  = {"InstanceId":"i-1","State":{"Name":"running"}}
                     at  = "i-1"
                   in `is_up` (states.rhai:1):
                     instance.State.Name == wanted()  = false
                       instance.State.Name  = "running"
                       wanted()  = "up""#,
        "{}",
        ran.out
    );
}

/// What a closure asks of each item is told below the call that was given the closure.
#[test]
fn a_failing_case_is_followed_into_closures() {
    let desk = Desk::new();
    let policy = VOLUME.split_once("fn matches").unwrap().0.replace("//! uses: [ec2/instances]\n", "");
    desk.write(
        "pack/volume-idle.rhai",
        &format!("{policy}fn matches(volume) {{\n    !list(volume.Attachments).some(|at| is_on(at))\n}}\nfn is_on(at) {{ at.State == \"atached\" }}\n"),
    );
    desk.write(
        "pack/volume-idle.cases.yaml",
        "cases:\n  - name: it is in use\n    record: { VolumeId: vol-1, Attachments: [{ State: detached }, { State: attached }] }\n    expect: silent\n",
    );
    let out = desk.run(&["test", "pack", "--ci"]).out;
    for told in [
        "in `is_on` (line 9), call 1 of 2:\n                 at.State == \"atached\"  = false\n                   at.State  = \"detached\"\n",
        "in `is_on` (line 9), call 2 of 2:\n                 at.State == \"atached\"  = false\n                   at.State  = \"attached\"\n",
    ] {
        assert!(out.contains(told), "{told}{out}");
    }
}

/// A function that fails gave no answer, and what it reckoned until then is told.
#[test]
fn a_call_that_fails_is_followed_too() {
    let desk = Desk::with(SOUND);
    desk.edit("pack/trail-stopped.rhai", "succeeded(event) &&", "succeeded(event) && sure(event) &&");
    let text = desk.read("pack/trail-stopped.rhai");
    desk.write(
        "pack/trail-stopped.rhai",
        &format!("{text}fn sure(e) {{ if e.eventName == \"StopLogging\" {{ throw \"no\"; }} true }}\n"),
    );
    let ran = desk.run(&["test", "pack", "--ci", "--run", "somebody"]);
    for told in [
        "sure(event)  gave no answer",
        "in `sure` (line 15):",
        "e.eventName == \"StopLogging\"  = true",
        "actor(event).name)  not reached",
    ] {
        assert!(ran.out.contains(told), "{told}: {}", ran.out);
    }
}

#[test]
fn no_member_hides_another_in_a_trace() {
    let desk = Desk::with(
        "  - name: it is allowed\n    record: stop\n    with: { userIdentity: { type: AssumedRole, arn: \"arn:aws:sts::111122223333:assumed-role/a-role-with-quite-a-long-name/a-session-with-quite-a-long-name-which-goes-on-and-on-and-on-and-on\", sessionContext: { sessionIssuer: { userName: deployer, type: Role, arn: \"arn:aws:iam::111122223333:role/deployer\" } } } }\n    expect: silent\n",
    );
    desk.edit(
        "pack/trail-stopped.rhai",
        "!params.trusted.contains(actor(event).name)",
        "!is_one_of(actor(event), params.trusted)",
    );
    let out = desk.run(&["test", "pack", "--ci"]).out;
    let told = out.lines().find(|line| line.trim_start().starts_with("actor(event)  = ")).unwrap();
    assert!(told.contains("\"role\":\"arn:aws:iam::111122223333:role/deployer\"") && !told.contains("null"), "{told}");
}

#[test]
fn what_when_wants_is_told_with_what_the_record_has() {
    let desk = Desk::with(
        "  - name: it fires\n    record: stop\n    with: { eventName: StartLogging, readOnly: 7 }\n    expect: fires\n",
    );
    desk.edit(
        "pack/trail-stopped.rhai",
        "when: { eventName: StopLogging }",
        "when: { eventName: StopLogging, eventSource: cloudtrail.amazonaws.com, readOnly: false }",
    );
    let out = desk.run(&["test", "pack", "--ci"]).out;
    assert!(
        out.contains("it wants eventName = StopLogging, and the record has `StartLogging`; it wants readOnly = false, and the record has `7`"),
        "{out}"
    );
}

#[test]
fn only_what_failed_is_run_again() {
    let desk = Desk::accepted(SOUND);
    // One case fails; another has another finding than the accepted one.
    desk.edit("pack/trail-stopped.rhai", "succeeded(event) &&", "");
    desk.run(&["test", "pack"]);
    let again = desk.run(&["test", "pack", "--failed"]);
    assert!(again.out.contains("1 case of 1 policy: 0 passed, 1 failed"), "{}", again.out);
}

#[test]
fn what_fails_is_nothing_to_accept_and_is_told_once() {
    let desk = Desk::accepted(SOUND);
    let before = desk.read(SNAP);
    desk.edit("pack/trail-stopped.rhai", "succeeded(event) &&", "");
    let ran = desk.run(&["test", "pack"]);
    assert_eq!(ran.code, 1);
    assert!(!ran.out.contains("snapshot") && !ran.out.contains("lawbook review"), "{}", ran.out);
    assert!(ran.out.contains("Exit 1: 1 case fails."), "{}", ran.out);
    assert_eq!(desk.run(&["review", "pack", "--accept"]).out, "nothing to review\n");
    assert_eq!(desk.read(SNAP), before);
}

/// A pending snapshot of an earlier run may not be what the cases say now.
#[test]
fn what_cases_speak_against_is_not_accepted() {
    let desk = Desk::with(SOUND);
    desk.run(&["test", "pack"]);
    desk.edit(
        "pack/trail-stopped.cases.yaml",
        "errorCode: AccessDenied }\n    expect: silent",
        "errorCode: AccessDenied }\n    expect: fires",
    );
    let review = desk.run(&["review", "pack", "--accept"]);
    assert!(review.code == 1 && !desk.path(SNAP).exists(), "{}", review.out);
    assert!(review.out.contains("`the call is refused` expects `fires`, and this says `silent`"), "{}", review.out);
    // What it says is as it was run last.
    desk.run(&["test", "pack"]);
    assert_eq!(desk.run(&["review", "pack", "--accept"]).code, 0);
    assert!(!desk.read(SNAP).contains("the call is refused"));
}

#[test]
fn a_first_review_shows_all_that_is_accepted() {
    let desk = Desk::with(SOUND);
    let ran = desk.run(&["test", "pack"]);
    assert!(
        ran.out.contains("snapshot is missing: pack/trail-stopped.snap")
            && ran.out.contains("Exit 1: 1 snapshot is missing."),
        "{}",
        ran.out
    );
    assert!(!ran.out.contains("trail: main"), "{}", ran.out);
    let pending = desk.read(PENDING);
    let review = desk.run(&["review", "pack", "--accept"]).out;
    let shown: Vec<&str> =
        review.lines().filter_map(|line| line.trim_start().strip_prefix("+ ")).map(str::trim).collect();
    let findings = pending.split_once("    findings:\n").unwrap().1;
    let told = findings.lines().take_while(|line| !line.starts_with("  - case")).map(str::trim);
    for line in told
        .filter(|line| !line.starts_with("- title") && !line.starts_with("severity") && !line.starts_with("standing"))
    {
        assert!(shown.contains(&line), "{line}\n{review}");
    }
}

#[test]
fn test_tells_of_warnings_and_ci_may_be_off() {
    let desk = Desk::accepted(SOUND);
    let ran = desk.run(&["test", "pack", "--ci"]);
    assert!(ran.code == 0 && ran.out.contains(" warnings (try: lawbook check pack)\n"), "{}", ran.out);
    for (value, is_written) in [("no", true), ("OFF", true), ("0", true), ("true", false), ("1", false)] {
        let desk = Desk::with(SOUND);
        finish(desk.command(&["test", "pack"]).env("CI", value));
        assert_eq!(desk.path(PENDING).exists(), is_written, "CI={value}");
    }
}

#[test]
fn a_record_of_a_file_is_told_with_its_place() {
    let desk = Desk::with("  - name: sample\n    file: log.ndjson\n    each: true\n    expect: silent\n");
    let record = |id: &str| {
        format!(
            r#"{{"eventVersion":"1.10","eventID":"{id}","eventTime":"2024-05-14T09:00:00Z","eventSource":"cloudtrail.amazonaws.com","eventName":"StopLogging","awsRegion":"us-east-1","recipientAccountId":"111122223333","userIdentity":{{"type":"IAMUser","userName":"x"}}}}"#
        )
    };
    desk.write("pack/log.ndjson", &format!("{}\n{}\n", record("first-id"), record("second-id")));
    desk.edit("pack/trail-stopped.cases.yaml", &HEAD[..HEAD.find("cases:").unwrap()], "");
    let out = desk.run(&["test", "pack", "--ci"]).out;
    assert!(out.contains("FAIL sample [2]") && out.contains("record log.ndjson:2 (record 2), second-id"), "{out}");
}

#[test]
fn a_file_of_cases_is_checked_by_its_name() {
    let desk = Desk::with(SOUND);
    let ran = desk.run(&["check", "pack/trail-stopped.cases.yaml"]);
    assert!(ran.code == 0 && ran.out.contains("1 policy loads."), "{}{}", ran.out, ran.err);
    desk.edit("pack/trail-stopped.cases.yaml", "expect: fires", "expcet: fires");
    let ran = desk.run(&["check", "pack/trail-stopped.cases.yaml"]);
    assert!(
        ran.code == 2 && ran.err.contains("did you mean `expect`?") && !ran.err.contains("error[syntax]"),
        "{}",
        ran.err
    );
    desk.write("pack/x.txt", "");
    desk.write("pack/of-nobody.cases.yaml", "cases: []\n");
    for (name, says) in [
        ("pack/x.txt", "is no policy and no file of cases"),
        ("pack/of-nobody.cases.yaml", "there is no policy `of-nobody.rhai` beside these cases"),
        ("pack/nowhere.rhai", "there is no such file or folder"),
    ] {
        let ran = desk.run(&["check", name]);
        assert!(ran.code == 2 && ran.err.contains(says), "{name}: {}", ran.err);
    }
    let ran = desk.run(&["scan", "pack", "--policy", "pack/trail-stopped.cases.yaml"]);
    assert!(ran.code == 2 && ran.err.contains("is no policy"), "{}", ran.err);
}

/// A file that is named by itself has what its pack shares, however deep it lies.
#[test]
fn a_file_is_checked_with_the_libraries_of_its_pack() {
    let desk = Desk::new();
    desk.write("pack/pack.yaml", "name: mine\n");
    desk.write("pack/lib/shared.rhai", "fn may(event) { succeeded(event) }\n");
    desk.write("pack/inner/lib/other.rhai", "fn may(event) { true }\n");
    desk.write("pack/deep/trail-stopped.rhai", &POLICY.replace("succeeded(event) &&", "may(event) &&"));
    for (folder, name) in [(".", "pack/deep/trail-stopped.rhai"), ("pack/deep", "trail-stopped.rhai")] {
        let ran = finish(desk.command(&["check", name]).current_dir(desk.path(folder)));
        assert!(ran.code == 0 && ran.out.contains("1 policy loads."), "{name}: {}", ran.err);
    }
    let ran = desk.run(&["list", "--policy", "pack/deep/trail-stopped.rhai"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
}

#[test]
fn a_policy_is_begun_from_the_record_that_is_meant() {
    let desk = Desk::new();
    let event = |name: &str, parameters: &str| {
        format!(
            r#"{{"eventVersion":"1.10","eventID":"{name}","eventTime":"2024-05-14T09:00:00Z","eventSource":"kms.amazonaws.com","eventName":"{name}","awsRegion":"us-east-1","recipientAccountId":"111122223333","userIdentity":{{"type":"IAMUser","userName":"x"}},"requestParameters":{parameters}}}"#
        )
    };
    let both = [
        event("DisableKey", r#"{"keyId":"k"}"#),
        event("ScheduleKeyDeletion", r#"{"keyId":"k","pendingWindowInDays":7}"#),
    ];
    desk.write("log.ndjson", &format!("{}\n{}\n", both[0], both[1]));
    desk.write(
        "vols.json",
        r#"{"Volumes":[{"VolumeId":"vol-1","State":"in-use"},{"VolumeId":"vol-2","State":"available"}]}"#,
    );
    let ran = desk.run(&["new", "a-first", "--dir", "pack", "--from", "log.ndjson"]);
    assert!(
        ran.code == 0
            && ran.out.contains("note: log.ndjson holds 2 records, and the policy is made of the first (DisableKey)"),
        "{}{}",
        ran.out,
        ran.err
    );
    let ran = desk.run(&[
        "new",
        "a-second",
        "--dir",
        "pack",
        "--from",
        "log.ndjson",
        "--select",
        "$[?@.eventName == 'ScheduleKeyDeletion']",
    ]);
    assert!(ran.code == 0 && !ran.out.contains("note:"), "{}{}", ran.out, ran.err);
    let text = desk.read("pack/a-second.rhai");
    for told in [
        "eventName: ScheduleKeyDeletion",
        "references: [\"https://docs.aws.amazon.com/kms/latest/APIReference/API_ScheduleKeyDeletion.html\"]",
        "#{ region: region(event), key_id: event.requestParameters.keyId, pending_window_in_days: event.requestParameters.pendingWindowInDays }",
    ] {
        assert!(text.contains(told), "{told}\n{text}");
    }
    for (select, says) in
        [("$[9]", "selects none of 2 records"), ("$[", "is no JSONPath"), ("$[0].eventName", "is a part of a record")]
    {
        let ran = desk.run(&["new", "x", "--dir", "pack", "--from", "log.ndjson", "--select", select]);
        assert!(ran.code == 2 && ran.err.contains(says) && !ran.err.contains("\\u"), "{select}: {}", ran.err);
    }
    let ran = desk.run(&["new", "x", "--dir", "pack", "--from", "vols.json"]);
    assert!(ran.code == 2 && ran.err.contains("--judges KIND"), "{}", ran.err);
    let ran = desk.run(&[
        "new",
        "volume-idle",
        "--dir",
        "pack",
        "--from",
        "vols.json",
        "--judges",
        "ec2/volumes",
        "--select",
        "$[1]",
    ]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(desk.read("pack/volume-idle.rhai").contains("resource.State == \"available\""));
    let ran = desk.run(&["new", "x", "--dir", "pack", "--from", "log.ndjson", "--judges", "ec2/volumes"]);
    assert!(ran.code == 2 && ran.err.contains("holds no record of the kind `ec2/volumes`"), "{}", ran.err);
    let ran = desk.run(&["check", "pack", "--strict"]);
    assert!(ran.code == 0 && ran.err.is_empty(), "{}", ran.err);
    assert_eq!(desk.run(&["test", "pack", "--ci", "--mutate", "--coverage", "--min", "100"]).code, 0);
}

/// Mistakes are told where they were made, and with what puts them right.
#[test]
fn mistakes_in_cases_have_a_place_and_a_remedy() {
    let at =
        |text: &str| format!("trail-stopped.cases.yaml:{}:", HEAD.lines().count() + text.parse::<usize>().unwrap());
    for (cases, place, says) in [
        ("  - name: one\n    record: stop\n", "1", "`expect` is missing in `one`"),
        (
            "  - { name: one, record: stop, expect: silent }\n  - record: stop\n    expect: silent\n",
            "2",
            "`name` is missing in `item 2 of cases`",
        ),
        (
            "  - name: one\n    record: stop\n    with: { readOnly: true, eventName.x: 7 }\n    expect: silent\n",
            "3",
            "the record",
        ),
        (
            "  - name: one\n    record: stop\n    with: [errorCode]\n    expect: silent\n",
            "3",
            "such as `with: { errorCode: AccessDenied }`",
        ),
        (
            "  - name: one\n    record: stop\n    without: [userIdentity.usrName]\n    expect: silent\n",
            "3",
            "did you mean `userIdentity.userName`?",
        ),
        (
            "  - { name: one, record: stop, expect: fires }\n  - { name: one, record: stop, expect: fires }\n",
            "2",
            "is named `one`, too",
        ),
        ("  -name: one\n    record: stop\n", "2", "put a space behind `-`"),
        ("  - name: one\n\trecord: stop\n", "1", "indent by spaces"),
        ("  - name: it is: so\n    record: stop\n", "1", "in quotes"),
    ] {
        let desk = Desk::with(cases);
        let ran = desk.run(&["check", "pack"]);
        assert!(ran.code == 2 && ran.err.contains(says) && ran.err.contains(&at(place)), "{cases}\n{}", ran.err);
    }
    let desk = Desk::with("");
    desk.write("pack/trail-stopped.cases.yaml", "");
    let ran = desk.run(&["check", "pack"]);
    assert!(
        ran.err.contains("there is nothing here: it must be a map") && ran.err.contains("such as `cases:"),
        "{}",
        ran.err
    );
    // What `select` chooses is told at `select`.
    let desk = Desk::with(
        "  - name: one\n    file: log.json\n    select: '$[?@.eventName == \"None\"]'\n    expect: silent\n",
    );
    desk.edit("pack/trail-stopped.cases.yaml", &HEAD[..HEAD.find("cases:").unwrap()], "");
    desk.write("pack/log.json", r#"{"eventVersion":"1.10","eventID":"1","eventTime":"2024-05-14T09:00:00Z","eventSource":"cloudtrail.amazonaws.com","eventName":"StopLogging","awsRegion":"us-east-1","userIdentity":{"type":"Root"}}"#);
    let ran = desk.run(&["check", "pack"]);
    assert!(ran.err.contains("selects none of the 1 records") && ran.err.contains("cases.yaml:4:"), "{}", ran.err);
    desk.edit("pack/trail-stopped.cases.yaml", "==", "=");
    let ran = desk.run(&["check", "pack"]);
    assert!(ran.err.contains("is no JSONPath") && !ran.err.contains("\\u"), "{}", ran.err);
}

#[test]
fn an_event_is_no_resource_and_fields_of_cases_are_held_against_aws() {
    let desk = Desk::with(
        "  - name: one\n    record: stop\n    with: { errorCod: AccessDenied, userIdentity: { type: Root, acountId: \"1\" } }\n    expect: fires\n",
    );
    let ran = desk.run(&["check", "pack"]);
    assert_eq!(ran.code, 0, "they are warnings: {}", ran.err);
    assert!(
        ran.err.contains("did you mean `errorCode`?") && ran.err.contains("did you mean `accountId`?"),
        "{}",
        ran.err
    );
    let desk = Desk::new();
    desk.write(
        "pack/volume-idle.rhai",
        &VOLUME.replace(
            "is_up(lookup(\"ec2/instances\", \"InstanceId\", at))",
            "lookup(\"ec2/instances\", \"InstanceId\", at).State.Name == \"running\"",
        ),
    );
    desk.write(
        "pack/volume-idle.cases.yaml",
        &format!("{HEAD}  - name: one\n    record: {{ VolumId: vol-1 }}\n    inventory: {{ ec2/instances: [{{ InstanceId: i-1, State: {{ Nam: running }} }}] }}\n    expect: fires\n  - name: two\n    record: stop\n    expect: fires\n"),
    );
    let ran = desk.run(&["check", "pack"]);
    for told in [
        "did you mean `VolumeId`?",
        "did you mean `Name`?",
        "this is a CloudTrail event, and the policy judges `ec2/volumes`",
    ] {
        assert!(ran.err.contains(told), "{told}: {}", ran.err);
    }
}

/// What other languages say is understood well enough to say how it is said here.
#[test]
fn what_does_not_parse_has_a_remedy() {
    for (from, to, says) in [
        ("&&", "and", "`&&`"),
        ("!params", "not params", "`!`"),
        ("succeeded(event) &&", "event.errorCode = \"x\" &&", "`==` compares, `=` assigns"),
        ("fn matches", "fn match", "the function that decides is called `matches`"),
        ("succeeded(event)", "event.errorCode == 'none'", "text stands in double quotes"),
    ] {
        let desk = Desk::with(SOUND);
        desk.write("pack/trail-stopped.rhai", &POLICY.replace(from, to));
        let ran = desk.run(&["check", "pack"]);
        assert!(ran.code == 2 && ran.err.contains(says), "{to}: {}", ran.err);
    }
}

#[test]
fn a_change_that_nobody_notices_is_drawn_where_it_is() {
    let desk = Desk::with(
        "  - name: one\n    record: stop\n    expect: fires\n  - { name: two, record: stop, with: { eventName: StartLogging }, expect: silent }\n",
    );
    desk.edit(
        "pack/trail-stopped.rhai",
        "succeeded(event) && !params.trusted.contains(actor(event).name)",
        "(event.requestParameters.days ?? 30) > 7 && [\"main\"].some(|name| name == event.requestParameters.name)",
    );
    desk.run(&["test", "pack"]);
    desk.run(&["review", "pack", "--accept"]);
    let ran = desk.run(&["test", "pack", "--mutate", "-v"]);
    let gone = ran.out.split("if `event.requestParameters.days` is gone").nth(1).unwrap();
    let drawn: Vec<&str> = gone.lines().skip(3).take(2).collect();
    let under = &drawn[0][drawn[1].find('^').unwrap()..=drawn[1].rfind('^').unwrap()];
    assert_eq!(under, "event.requestParameters.days", "{gone}");
    assert!(ran.out.contains("not noticed    pack/trail-stopped.rhai:10  `some` is `all`"), "{}", ran.out);
    assert!(ran.out.contains("noticed        pack/trail-stopped.rhai:10  `30` is gone"), "{}", ran.out);
}
