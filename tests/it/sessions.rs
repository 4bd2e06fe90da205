//! Sessions: who began them, through roles, across accounts, whatever the order of the files.

use lawbook::engine::{self, Request, scan};
use lawbook::input;
use lawbook::inventory::Inventory;
use lawbook::policy::{Checked, Pack};
use lawbook::script::Limits;
use proptest::prelude::*;
use serde_json::{Value, json};

const POLICY: &str = r#"//! ---
//! title: A session is asked who it is
//! severity: low
//! judges: cloudtrail
//! when: { eventName: DescribeInstances }
//! uses: [cloudtrail/sessions]
//! ---
fn matches(event) { succeeded(event) }
fn context(event) {
    let who = actor(event);
    #{ origin: who.origin.name, type: who.origin.type, account: who.origin.account, chain: who.chain, via: who.via }
}
"#;

fn checked(text: &str) -> Checked {
    match Pack::from_text("who-it-is", text).check(&crate::of_invented_events(), &Limits::default()) {
        Ok(checked) => checked,
        Err(mistakes) => panic!("{}", lawbook::report::diagnostic::draw(&mistakes, false)),
    }
}

/// A call at a second of an hour.
fn call(source: &str, name: &str, at: usize, identity: Value, more: &Value) -> Value {
    let account = identity["accountId"].as_str().unwrap_or("111122223333");
    let mut event = json!({
        "eventVersion": "1.10", "eventID": format!("{name}-{at}-{}", identity["arn"].as_str().unwrap_or("x")),
        "eventTime": time(at), "eventSource": source, "eventName": name, "awsRegion": "us-east-1",
        "recipientAccountId": account, "userIdentity": identity,
    });
    let members = more.as_object().cloned().unwrap_or_default();
    event.as_object_mut().unwrap().extend(members);
    event
}

fn time(at: usize) -> String {
    format!("2024-05-14T12:{:02}:{:02}Z", at / 60, at % 60)
}

fn user(name: &str, key: &str) -> Value {
    json!({ "type": "IAMUser", "userName": name, "accountId": "111122223333", "accessKeyId": key,
            "arn": format!("arn:aws:iam::111122223333:user/{name}") })
}

fn session(account: &str, role: &str, name: &str, key: &str, made: usize) -> Value {
    json!({ "type": "AssumedRole", "accountId": account, "accessKeyId": key,
            "arn": format!("arn:aws:sts::{account}:assumed-role/{role}/{name}"),
            "sessionContext": {
                "sessionIssuer": { "type": "Role", "userName": role, "accountId": account, "arn": format!("arn:aws:iam::{account}:role/{role}") },
                "attributes": { "creationDate": time(made), "mfaAuthenticated": "false" } } })
}

/// Assumes a role, and gives out a key.
fn assume(at: usize, by: Value, account: &str, role: &str, name: &str, key: &str) -> Value {
    let more = json!({
        "requestParameters": { "roleArn": format!("arn:aws:iam::{account}:role/{role}"), "roleSessionName": name },
        "responseElements": {
            "credentials": { "accessKeyId": key, "expiration": "May 14, 2024, 1:00:00 PM" },
            "assumedRoleUser": { "arn": format!("arn:aws:sts::{account}:assumed-role/{role}/{name}") } },
    });
    call("sts.amazonaws.com", "AssumeRole", at, by, &more)
}

fn asked(at: usize, by: Value) -> Value {
    call("ec2.amazonaws.com", "DescribeInstances", at, by, &json!({}))
}

fn request() -> Request {
    let mut request = Request::new(std::iter::empty::<&str>());
    request.now = "2024-05-15T00:00:00Z".parse().unwrap();
    request
}

/// What is said of the only call that is asked about.
fn said(events: &[Value]) -> Value {
    let lines: Vec<String> = events.iter().map(ToString::to_string).collect();
    let (records, faults) = input::events("log", lines.join("\n").into_bytes());
    assert!(faults.is_empty(), "{faults:?}");
    let packs = checked(POLICY);
    let outcome = engine::judge(&packs, &records, Inventory::default(), &request()).unwrap();
    assert!(outcome.faults.is_empty(), "{:?}", outcome.faults);
    let findings: Vec<_> = outcome.findings.iter().map(|finding| finding.unwrap()).collect();
    let [finding] = &findings[..] else { panic!("{} findings", findings.len()) };
    // A finding says the same of its actor.
    let actor = serde_json::to_value(&finding.actor).unwrap();
    for (of_actor, of_context) in [("/origin/name", "/origin"), ("/chain", "/chain"), ("/via", "/via")] {
        let absent = Value::Null;
        assert_eq!(actor.pointer(of_actor).unwrap_or(&absent), &finding.context[&of_context[1..]], "{of_actor}");
    }
    finding.context.clone()
}

fn by(origin: &str, kind: &str, chain: &[&str], via: &str) -> (Value, Value, Value, Value) {
    let or_null = |text: &str| if text.is_empty() { Value::Null } else { text.into() };
    (or_null(origin), or_null(kind), json!(chain), or_null(via))
}

fn told(said: &Value) -> (Value, Value, Value, Value) {
    (said["origin"].clone(), said["type"].clone(), said["chain"].clone(), said["via"].clone())
}

const A: &str = "arn:aws:iam::111122223333:role/a";
const B: &str = "arn:aws:iam::444455556666:role/b";

/// A user who goes through a role of one account into another: the call that crosses is recorded in both.
fn chain() -> [Value; 4] {
    let through = || session("111122223333", "a", "eve", "ASIAA", 10);
    let crossing = assume(20, through(), "444455556666", "b", "eve", "ASIAB");
    let mut arriving = crossing.clone();
    arriving["eventID"] = "arriving".into();
    arriving["recipientAccountId"] = "444455556666".into();
    arriving["userIdentity"] = json!({ "type": "AWSAccount", "principalId": "AROAX:eve", "accountId": "111122223333" });
    [
        assume(10, user("eve", "AKIAEVE"), "111122223333", "a", "eve", "ASIAA"),
        crossing,
        arriving,
        asked(30, session("444455556666", "b", "eve", "ASIAB", 20)),
    ]
}

#[test]
fn a_chain_across_accounts_leads_to_the_user_whatever_the_order_and_threads() {
    let events = chain();
    let packs = checked(POLICY);
    let mut reports = std::collections::BTreeSet::new();
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1], [1, 3, 0, 2], [3, 0, 2, 1]] {
        let permuted: Vec<Value> = order.iter().map(|at| events[*at].clone()).collect();
        let said = said(&permuted);
        assert_eq!(told(&said), by("eve", "IAMUser", &[A, B], "key"));
        assert_eq!(said["account"], "111122223333");
        for threads in [1, 4] {
            let folder = tempfile::tempdir().unwrap();
            for (at, event) in permuted.iter().enumerate() {
                std::fs::write(folder.path().join(format!("{at}.json")), event.to_string()).unwrap();
            }
            let request = Request { paths: vec![folder.path().to_owned()], threads, ..request() };
            let outcome = scan(&packs, &request, &()).unwrap();
            let finding = outcome.findings.iter().next().unwrap().unwrap();
            reports.insert((finding.fingerprint, finding.context.to_string(), format!("{:?}", finding.actor)));
        }
    }
    assert_eq!(reports.len(), 1, "{reports:?}");
}

#[test]
fn what_is_missing_is_unknown_and_never_somebody_else() {
    let [first, crossing, arriving, last] = chain();
    let without = |events: &[&Value]| told(&said(&events.iter().map(|event| (*event).clone()).collect::<Vec<_>>()));
    assert_eq!(without(&[&crossing, &arriving, &last]), by("", "", &[A, B], ""));
    // In the account of the role the caller is an account, and no more.
    assert_eq!(without(&[&first, &arriving, &last]), by("111122223333", "AWSAccount", &[B], ""));
    assert_eq!(without(&[&last]), by("", "", &[B], ""));
    // A call that failed gave nothing out.
    let mut refused = crossing.clone();
    refused["errorCode"] = "AccessDenied".into();
    assert_eq!(without(&[&first, &refused, &last]), by("", "", &[B], ""));
}

#[test]
fn circles_and_chains_that_are_too_long_are_cut() {
    let one = assume(10, session("1", "b", "s", "ASIAB", 5), "1", "a", "s", "ASIAA");
    let other = assume(10, session("1", "a", "s", "ASIAA", 5), "1", "b", "s", "ASIAB");
    let last = asked(30, session("1", "a", "s", "ASIAA", 10));
    assert_eq!(told(&said(&[one, other, last])), by("", "", &[], ""));
    let long = |roles: usize| {
        let role = |at: usize| format!("r{at}");
        let held = |at: usize| session("1", &role(at), "s", &format!("ASIA{at}"), at);
        let mut events = vec![assume(0, user("eve", "AKIAEVE"), "1", &role(0), "s", "ASIA0")];
        events.extend((1..roles).map(|at| assume(at, held(at - 1), "1", &role(at), "s", &format!("ASIA{at}"))));
        events.push(asked(100, held(roles - 1)));
        said(&events)
    };
    let longest = long(lawbook::sessions::MOST);
    assert_eq!((&longest["origin"], longest["chain"].as_array().unwrap().len()), (&json!("eve"), 16));
    assert_eq!(told(&long(lawbook::sessions::MOST + 1)), by("", "", &[], ""));
}

#[test]
fn the_console_is_told_from_keys_and_from_what_keys_made() {
    let mut clicked = user("alice", "ASIACONSOLE");
    assert_eq!(told(&said(&[asked(9, user("alice", "AKIAALICE"))])), by("alice", "IAMUser", &[], "key"));
    assert_eq!(told(&said(&[asked(9, clicked.clone())])), by("alice", "IAMUser", &[], ""));
    clicked["sessionContext"] = json!({ "attributes": { "creationDate": time(0) } });
    let mut event = asked(9, clicked.clone());
    event["sessionCredentialFromConsole"] = "true".into();
    assert_eq!(told(&said(&[event])), by("alice", "IAMUser", &[], "console"));
    // A token that a key asked for.
    let token = json!({ "responseElements": { "credentials": { "accessKeyId": "ASIATOKEN" } } });
    let given = call("sts.amazonaws.com", "GetSessionToken", 5, user("alice", "AKIAALICE"), &token);
    assert_eq!(told(&said(&[given, asked(9, user("alice", "ASIATOKEN"))])), by("alice", "IAMUser", &[], "key"));
    // A stolen key made a federated session, and that a console session with keys of its own.
    let arn = "arn:aws:sts::111122223333:federated-user/support";
    let token = json!({ "responseElements": {
        "credentials": { "accessKeyId": "ASIAFED" }, "federatedUser": { "arn": arn } } });
    let given = call("sts.amazonaws.com", "GetFederationToken", 5, user("alice", "AKIAALICE"), &token);
    let federated = json!({ "type": "FederatedUser", "arn": arn, "accountId": "111122223333", "accessKeyId": "ASIAOTHER",
        "sessionContext": {
            "sessionIssuer": { "type": "IAMUser", "userName": "alice", "arn": "arn:aws:iam::111122223333:user/alice", "accountId": "111122223333" },
            "attributes": { "creationDate": time(5) } } });
    let mut clicked = asked(9, federated);
    clicked["sessionCredentialFromConsole"] = "true".into();
    assert_eq!(told(&said(&[clicked.clone()])), by("alice", "IAMUser", &[], ""));
    assert_eq!(told(&said(&[given, clicked])), by("alice", "IAMUser", &[], "key"));
}

#[test]
fn a_role_taken_on_in_the_console_leads_to_who_switched() {
    let mut switched = call(
        "signin.amazonaws.com",
        "SwitchRole",
        20,
        session("111122223333", "a", "alice", "", 20),
        &json!({
        "eventType": "AwsConsoleSignIn", "responseElements": { "SwitchRole": "Success" },
        "additionalEventData": { "SwitchFrom": "arn:aws:iam::444455556666:user/alice" } }),
    );
    let event = asked(30, session("111122223333", "a", "alice", "ASIANEW", 21));
    let said_of = said(&[switched.clone(), event.clone()]);
    assert_eq!(told(&said_of), by("alice", "IAMUser", &[A], "console"));
    assert_eq!(said_of["account"], "444455556666");
    switched["responseElements"]["SwitchRole"] = "Failure".into();
    assert_eq!(told(&said(&[switched, event])), by("", "", &[A], ""));
}

#[test]
fn services_and_providers_are_the_first_where_nobody_stands_before_them() {
    let role = |arn: &str, session_name: &str| {
        let mut identity = session("111122223333", arn.rsplit('/').next().unwrap(), session_name, "ASIAX", 10);
        identity["sessionContext"]["sessionIssuer"]["arn"] = arn.into();
        identity
    };
    let linked = role("arn:aws:iam::111122223333:role/aws-service-role/rds.amazonaws.com/AWSServiceRoleForRDS", "SLR");
    let said_of = told(&said(&[asked(20, linked)]));
    assert_eq!(
        (&said_of.0, &said_of.1, &said_of.3),
        (&json!("rds.amazonaws.com"), &json!("AWSService"), &json!("service"))
    );
    let path =
        "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Admin_0123456789abcdef";
    let said_of = told(&said(&[asked(20, role(path, "alice@example.com"))]));
    assert_eq!(
        (&said_of.0, &said_of.1, &said_of.3),
        (&json!("alice@example.com"), &json!("IdentityCenterUser"), &json!("federation"))
    );
    let mut instance = role(A, "i-1");
    instance["sessionContext"]["ec2RoleDelivery"] = "2.0".into();
    assert_eq!(told(&said(&[asked(20, instance)])), by("ec2.amazonaws.com", "AWSService", &[A], "service"));
    let service = json!({ "type": "AWSService", "invokedBy": "lambda.amazonaws.com" });
    let events = [
        assume(10, service, "111122223333", "a", "f", "ASIAF"),
        asked(20, session("111122223333", "a", "f", "ASIAF", 10)),
    ];
    assert_eq!(told(&said(&events)), by("lambda.amazonaws.com", "AWSService", &[A], "service"));
    for (name, kind) in [("AssumeRoleWithSAML", "SAMLUser"), ("AssumeRoleWithWebIdentity", "WebIdentityUser")] {
        let provider = json!({ "type": kind, "userName": "alice", "principalId": "p:alice", "identityProvider": "p" });
        let mut given = assume(10, provider, "111122223333", "a", "alice", "ASIAF");
        given["eventName"] = name.into();
        let events = [given, asked(20, session("111122223333", "a", "alice", "ASIAF", 10))];
        assert_eq!(told(&said(&events)), by("alice", kind, &[A], "federation"));
    }
}

#[test]
fn a_session_whose_records_contradict_each_other_is_nobodys() {
    let event = || asked(30, session("111122223333", "a", "ci", "ASIANEW", 10));
    let one = || assume(10, user("eve", "AKIAEVE"), "111122223333", "a", "ci", "ASIA1");
    let other = || assume(10, user("bob", "AKIABOB"), "111122223333", "a", "ci", "ASIA2");
    assert_eq!(told(&said(&[one(), event()])), by("eve", "IAMUser", &[A], "key"));
    assert_eq!(told(&said(&[one(), other(), event()])), by("", "", &[A], ""));
    // The key decides where it is known; of two sessions under one key, the one that was there.
    let keyed = |key: &str, at: usize| asked(at, session("111122223333", "a", "ci", key, 10));
    assert_eq!(told(&said(&[one(), other(), keyed("ASIA2", 30)])), by("bob", "IAMUser", &[A], "key"));
    let later = assume(40, user("bob", "AKIABOB"), "111122223333", "a", "ci", "ASIA1");
    for (at, who) in [(30, "eve"), (40, "bob"), (50, "bob")] {
        assert_eq!(told(&said(&[later.clone(), one(), keyed("ASIA1", at)])), by(who, "IAMUser", &[A], "key"), "{at}");
    }
}

#[test]
fn who_asks_and_does_not_declare_is_told_so_and_how_to_mend_it() {
    for uses in ["", "//! uses: [ec2/volumes]\n", "//! uses:\n//!   - ec2/volumes\n"] {
        let text = POLICY.replace("//! uses: [cloudtrail/sessions]\n", uses);
        let pack = Pack::from_text("who-it-is", &text);
        let mistakes = pack.check(&crate::of_invented_events(), &Limits::default()).unwrap_err();
        assert!(mistakes.iter().any(|mistake| mistake.code == "untraced-session"), "{mistakes:?}");
        let [fixed] = &lawbook::lint::fix(&pack, &crate::of_invented_events(), &Limits::default())[..] else {
            panic!("{text}");
        };
        checked(&fixed.after);
    }
}

#[test]
fn reports_say_who_began_a_session() {
    let events = chain();
    let lines: Vec<String> = events.iter().map(ToString::to_string).collect();
    let (records, _) = input::events("log", lines.join("\n").into_bytes());
    let packs = checked(POLICY);
    let outcome = engine::judge(&packs, &records, Inventory::default(), &request()).unwrap();
    let report = |format| {
        let mut report = Vec::new();
        lawbook::report::write(format, &outcome, &packs, Default::default(), &mut report).unwrap();
        String::from_utf8(report).unwrap()
    };
    let text = report(lawbook::report::Format::Text);
    assert!(text.contains("began by  eve (IAMUser, account 111122223333, by key)"), "{text}");
    assert!(text.contains(&format!("through   {A}, {B}")), "{text}");
    let json: Value = serde_json::from_str(&report(lawbook::report::Format::Json)).unwrap();
    assert_eq!(json["findings"][0]["actor"]["origin"]["access_key"], "AKIAEVE");
    let schema: Value = serde_json::from_str(include_str!("../../schemas/report.schema.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator.iter_errors(&json).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
}

#[test]
fn an_expression_is_told_what_later_records_say() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("log.ndjson");
    let mut events = chain();
    events.reverse();
    std::fs::write(&file, events.map(|event| event.to_string()).join("\n")).unwrap();
    let tell = |expression: &str| {
        let mut answers = Vec::new();
        let request = Request { paths: vec![file.clone()], ..request() };
        let faults = engine::evaluate_each(&request, expression, &mut |_, answer, _| {
            answers.push(answer.unwrap());
            true
        });
        assert!(faults.unwrap().is_empty());
        answers
    };
    assert_eq!(tell("actor(event).origin.name"), ["eve", "111122223333", "eve", "eve"]);
    assert_eq!(tell(r#"lookup_all("cloudtrail/sessions", "AccessKeyId", "ASIAA").len()"#), [0, 0, 1, 1]);
    // Nobody asks, so nothing is looked for.
    assert!(tell("actor(event)").iter().all(|actor| actor.get("origin").is_none()));
    let piped = Request { paths: vec!["-".into()], ..request() };
    let error = engine::evaluate_each(&piped, "actor(event).via", &mut |_, _, _| true).unwrap_err();
    assert!(error.to_string().contains("save it in a file first"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn any_order_of_any_records_tells_the_same(
        calls in prop::collection::vec((0_usize..4, 0_usize..5, 0_usize..5, 0_usize..20), 0..12),
        asks in (0_usize..5, 10_usize..30),
        seed in any::<u64>(),
    ) {
        let keys = ["AKIAX", "ASIA1", "ASIA2", "ASIA3", "ASIA4"];
        let who = |at: usize| match at {
            0 => user("eve", keys[0]),
            at => session("111122223333", &format!("r{at}"), "s", keys[at], at),
        };
        let mut events: Vec<Value> = calls.iter().enumerate().map(|(number, (_, by, of, at))| {
            let mut event = assume(*at, who(*by), "111122223333", &format!("r{of}"), "s", keys[*of]);
            event["eventID"] = number.to_string().into();
            event
        }).collect();
        events.push(asked(asks.1, who(asks.0)));
        let first = said(&events);
        let mut state = seed;
        for at in (1..events.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            events.swap(at, (state >> 33) as usize % (at + 1));
        }
        prop_assert_eq!(said(&events), first);
    }
}
