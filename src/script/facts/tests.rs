//! What is proved of scripts is what Rhai says of them: over a battery, and over generated scripts and records.

mod spliced;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::super::answer::Whole;
use super::super::check::{Checked, Shared};
use super::super::functions;
use super::super::predicate::{Demand, Predicate, Reply, Source, Value, Verdict};
use super::super::{Header, Limits, Named, OUT_OF_TIME, Reader, Runtime, STACK, Script, Stop};
use crate::diagnostic::SourceText;
use crate::inventory::{Builder, Collected, Inventory};
use crate::record::{CLOUDTRAIL, Document, Node, Origin, Record, Ref, Scope};

const PARAMS: &str = r#"{"none":[],"roles":["arn:aws:iam::111122223333:role/ops","arn:aws:iam::*:role/ci-*"],"name":"A","most":5,"on":true,"tags":["Owner","Env=prod"]}"#;

/// A script with this body of `matches`, and these functions beside it.
fn script(body: &str, beside: &str, needs: &[&str]) -> Script {
    checked(body, beside, needs, None).script
}

/// A script of a policy with a window, with these functions beside `matches`.
fn of_window(functions: &str) -> Script {
    let text = format!("const LIMIT = 3;\nconst NAMES = [\"A\", \"B\"];\n{functions}\nfn matches(event) {{ true }}\n");
    let source = Arc::new(SourceText { file: "p.rhai".to_owned(), text });
    let (libraries, window) = (libraries(), Named::default());
    let params = serde_json::from_str(PARAMS).unwrap();
    let uses = ["ec2/addresses".to_owned()];
    let header = Header { params, judges: CLOUDTRAIL, uses: &uses, needs: &[], window: Some(&window) };
    Reader::new(&libraries, None, &Limits::default()).read(&source, &header).script
}

/// The same, checked against what is shared, if that is given.
fn checked(body: &str, beside: &str, needs: &[&str], against: Option<&Shared>) -> Checked {
    let text = format!("const LIMIT = 3;\nconst NAMES = [\"A\", \"B\"];\n{beside}\nfn matches(event) {{ {body} }}\n");
    let source = Arc::new(SourceText { file: "p.rhai".to_owned(), text });
    let libraries = libraries();
    let needs: Vec<String> = needs.iter().map(|kind| (*kind).to_owned()).collect();
    let params = serde_json::from_str(PARAMS).unwrap();
    let header =
        Header { params, judges: CLOUDTRAIL, uses: &["ec2/addresses".to_owned()], needs: &needs, window: None };
    Reader::new(&libraries, against, &Limits::default()).read(&source, &header)
}

fn libraries() -> Arc<[Arc<SourceText>]> {
    let library = "fn is_named(event, name) { event.eventName == name }\nfn either(a, b) { if a { return true; } b }\n";
    Arc::from([Arc::new(SourceText { file: "lib/l.rhai".to_owned(), text: library.to_owned() })])
}

fn record(value: &Json) -> Record {
    Record {
        kind: CLOUDTRAIL.into(),
        id: None,
        time: None,
        scope: Scope { account: Some("111122223333".into()), region: Some("us-east-1".into()) },
        value: Node::from(Document::parse(backwards(value).as_bytes()).unwrap()),
        origin: Origin::default(),
    }
}

/// JSON with members in the reverse of their order: that of a record is not that of the names.
fn backwards(value: &Json) -> String {
    match value {
        Json::Object(members) => {
            let members: Vec<String> =
                members.iter().rev().map(|(name, value)| format!("{}:{}", json!(name), backwards(value))).collect();
            format!("{{{}}}", members.join(","))
        }
        Json::Array(items) => format!("[{}]", items.iter().map(backwards).collect::<Vec<_>>().join(",")),
        other => other.to_string(),
    }
}

fn inventory() -> Arc<Inventory> {
    let mut inventory = Builder::default();
    let scope = record(&json!({})).scope;
    inventory.note_collected(&"ec2/addresses".into(), scope, Collected::Whole);
    // One that a look-up finds.
    inventory.add(Record {
        kind: "ec2/addresses".into(),
        ..record(&json!({ "AllocationId": "eipalloc-0", "PublicIp": "5.6.7.8" }))
    });
    Arc::new(inventory.finish().0)
}

/// What Rhai says.
fn interpreted(script: &Script, record: &Record) -> Result<Json, Stop> {
    let now: Timestamp = "2024-05-14T12:00:00Z".parse().unwrap();
    Runtime::new(1, inventory(), now, &Limits::default()).call(0, script, "matches", record)
}

/// What Rhai says of the other hooks where something is proved of them, beside what is proved; and how often it was.
fn other_hooks(script: &Script, record: &Record) -> (Vec<String>, usize) {
    let now: Timestamp = "2024-05-14T12:00:00Z".parse().unwrap();
    let mut runtime = Runtime::new(1, inventory(), now, &Limits::default());
    let inventory = inventory();
    let whole = Whole { record, inventory: &inventory };
    let mut problems = Vec::new();
    let mut proved = 0;
    for hook in script.hooks.iter().filter(|hook| *hook != "matches") {
        let Some(answer) = runtime.proved(script, hook).and_then(|answer| answer.of(&whole)) else { continue };
        proved += 1;
        let interpreted = runtime.call(0, script, hook, record);
        if interpreted != Ok(answer.clone()) {
            problems.push(format!("{hook}: {answer}, {interpreted:?} of {:?}", record.value.view()));
        }
    }
    (problems, proved)
}

/// A record of which some paths alone are known, as they are from bytes.
struct Part<'a> {
    whole: Ref<'a>,
    known: BTreeSet<usize>,
    /// The text of lists and objects, and what stands behind them, by the numbers of their paths.
    texts: BTreeMap<usize, String>,
}

impl<'a> Part<'a> {
    fn new(whole: Ref<'a>, paths: &[Vec<String>], known: BTreeSet<usize>) -> Self {
        let text = |(number, path): (usize, &Vec<String>)| match whole.field(number, path) {
            Some(Value::Part(part)) => Some((number, format!("{},\"next\":1}}", part.to_json()))),
            _ => None,
        };
        Self { whole, known, texts: paths.iter().enumerate().filter_map(text).collect() }
    }
}

impl Source for Part<'_> {
    fn field(&self, number: usize, path: &[String]) -> Option<Value<'_>> {
        let value = self.whole.field(number, path).filter(|_| self.known.contains(&number))?;
        Some(match value {
            // Without a name every record is asked for whole.
            Value::Part(_) if path.is_empty() => return None,
            Value::Part(_) => Value::Unread(self.texts[&number].as_bytes()),
            Value::Other => return None,
            scalar => scalar,
        })
    }
}

fn agrees(verdict: Verdict, interpreted: &Result<Json, Stop>) -> bool {
    match verdict {
        Verdict::True => *interpreted == Ok(true.into()),
        Verdict::False => *interpreted == Ok(false.into()),
        Verdict::Excluded => *interpreted != Ok(true.into()) && !matches!(interpreted, Err(Stop::NotEvaluated(_))),
        Verdict::Unknown => true,
    }
}

/// What the script answers is the same if what it asks first is asked apart.
fn opens_alike(predicate: &Predicate, source: &impl Source) -> bool {
    let whole = predicate.ask(source);
    predicate.opening().is_none_or(|opening| match opening.ask(source) {
        Verdict::True => opening.ask_rest(source) == whole,
        Verdict::False => whole == Verdict::False,
        Verdict::Excluded | Verdict::Unknown => true,
    })
}

/// Whether what must be so is so, as far as it is known from these fields.
fn required_holds(predicate: &Predicate, source: &impl Source) -> bool {
    let is_met = |demand: &Demand<'_>| match demand.question.ask(source) {
        Reply::Text(text) => {
            demand.anything || demand.texts.contains(&&*text) || demand.pieces.iter().any(|piece| text.contains(piece))
        }
        Reply::Nothing => false,
        Reply::NoText => demand.anything,
        Reply::Perhaps => true,
    };
    predicate.required().iter().all(|cover| cover.iter().any(is_met))
}

/// How what is proved, of the whole record and of these of its paths alone, contradicts what Rhai says.
fn contradictions(
    predicate: &Predicate,
    record: &Record,
    known: &BTreeSet<usize>,
    interpreted: &Result<Json, Stop>,
) -> Vec<String> {
    let whole = record.value.view();
    let part = Part::new(whole, predicate.paths(), known.clone());
    let verdicts = [predicate.ask(&whole), predicate.ask(&part)].into_iter();
    let wrong = verdicts.filter(|verdict| !agrees(*verdict, interpreted));
    let mut problems: Vec<_> = wrong.map(|verdict| format!("{verdict:?}, {interpreted:?} of {whole:?}")).collect();
    if !opens_alike(predicate, &whole) || !opens_alike(predicate, &part) {
        problems.push(format!("{:?} of {whole:?}", predicate.opening()));
    }
    if *interpreted == Ok(true.into()) && !required_holds(predicate, &whole) {
        problems.push(format!("{:?} required of {whole:?}", predicate.required()));
    }
    problems
}

fn events() -> Vec<Json> {
    vec![
        json!({"eventName":"A","eventSource":"ec2.amazonaws.com","n":3,"t":true,"tag":"x","nothing":null,
            "userIdentity":{"type":"Root","arn":"arn:aws:iam::111122223333:root","accountId":"111122223333"},
            "requestParameters":{"name":"A","list":[{"ip":"1.2.3.4"},{"ip":"5.6.7.8","ok":true}],"one":{"ip":"1.2.3.4"},"words":["a","b"]}}),
        json!({"eventName":"B","errorCode":"Client.UnauthorizedOperation","n":9,"t":false,
            "userIdentity":{"type":"AssumedRole","arn":"arn:aws:sts::111122223333:assumed-role/ops/eve","accessKeyId":"AKIA1",
            "sessionContext":{"sessionIssuer":{"arn":"arn:aws:iam::111122223333:role/ops","userName":"ops"},"attributes":{"mfaAuthenticated":"true"}}},
            "requestParameters":{"name":"b","list":{"ip":"9.9.9.9"}}}),
        json!({"eventName":"ConsoleLogin","responseElements":{"ConsoleLogin":"Failure"},"n":"3","userIdentity":{"invokedBy":"autoscaling.amazonaws.com"},"errorCode":""}),
        json!({"eventName":7,"n":1.5,"userIdentity":[],"requestParameters":null,"errorCode":"DryRunOperation"}),
        json!({"eventName":"Tagged","Tags":[{"Key":"Name","Value":"a"},{"Key":"Owner"}]}),
        json!({"eventName":"Tagged","tagSet":{"items":[{"key":"Env","value":{"a":1}},{"key":"Name","value":"b"}]}}),
        json!({"eventName":"Tagged","tags":{"Env":7},"Tags":"Name"}),
        json!({}),
    ]
}

/// What should be understood wholly: bodies of `matches`, with what stands beside it.
const UNDERSTOOD: &[(&str, &str)] = &[
    ("event.eventName == \"A\"", ""),
    ("event.eventName != \"A\" && event.n > 2", ""),
    ("!(event.errorCode == ()) || event.n <= LIMIT", ""),
    ("event[\"eventName\"] in NAMES", ""),
    ("event.eventName in [\"A\", \"C\"] && event.t == true", ""),
    ("[\"A\", \"C\"].contains(event.eventName)", ""),
    ("event.eventName !in [\"A\"]", ""),
    ("event.requestParameters.words.contains(\"b\")", ""),
    ("\"name\" in event.requestParameters", ""),
    ("request(event).keys()[0] == \"words\" && request(event).values()[0][1] == \"b\"", ""),
    ("event.requestParameters.keys().join(\",\") == request(event).keys().join(\",\") && event.n == 3", ""),
    (
        "event.eventName.starts_with(\"Con\") || event.eventName.ends_with(\"A\") || event.eventName.contains(\"ole\")",
        "",
    ),
    ("event.tag == \"x\" && event.nope.deeper == ()", ""),
    ("if event.eventName != \"A\" { return false; } event.n == 3", ""),
    ("if event.n == 9 { return true; } if event.eventName == \"A\" { event.t == true } else { false }", ""),
    ("let name = event.eventName; let other = \"B\"; name == other || name == params.name", ""),
    ("event.n == params.most - 2 || event.n == 3", ""),
    ("switch event.eventName { \"A\" => true, \"B\" | \"C\" => event.n == 9, _ => false }", ""),
    (
        "switch event.eventName { \"A\" => { return event.n == 3; }, \"B\" if event.n == 9 => {}, _ => { return false; } } event.t == false",
        "",
    ),
    ("is_named(event, \"A\") && either(event.n == 3, event.t == true)", ""),
    ("own(event).name == \"A\"", "fn own(event) { #{ name: event.eventName, more: event.n } }"),
    ("succeeded(event)", ""),
    ("refused(event) || is_dry_run(event)", ""),
    ("failed(event)", ""),
    ("error_code(event) == \"UnauthorizedOperation\"", ""),
    ("is_aws_service(event) || is_console(event)", ""),
    ("actor(event).type == \"Root\" || actor(event).type == \"AWSService\"", ""),
    (
        "let who = actor(event); who.role == \"arn:aws:iam::111122223333:role/ops\" && who.session == \"eve\" && who.mfa == true",
        "",
    ),
    ("actor(event).name == \"ops\" || actor(event).account == \"111122223333\" || actor(event).access_key == ()", ""),
    ("!is_one_of(actor(event), params.none)", ""),
    ("is_one_of(actor(event), params.roles)", ""),
    ("glob(event.eventName, \"Con*\") || glob(actor(event).arn, [\"*:root\", \"x\"])", ""),
    ("regex(event.eventName, \"^[AB]$\")", ""),
    (
        "let who = arn(event.userIdentity.arn); who.account == \"111122223333\" && who.type != () && who.nothing == () && who != ()",
        "",
    ),
    ("arn(event.eventName) == () && arn(event.eventName).account == () && () != arn(event.userIdentity.arn)", ""),
    ("[event.userIdentity.arn, event.t].map(|one| arn(one).id ?? \"none\").contains(\"none\")", ""),
    ("event.resources.some(|one| arn(one.ARN).service == \"s3\" && arn(one.ARN).region == ())", ""),
    ("cidr_contains(\"1.2.0.0/16\", event.sourceIPAddress) || cidr_overlaps(event.sourceIPAddress, \"0.0.0.0/0\")", ""),
    (
        "list(event.requestParameters.list).some(|one| cidr_contains(\"5.0.0.0/8\", one.ip)) && !cidr_contains(event.n, \"::/0\")",
        "",
    ),
    ("let l = [1, 2, event.n]; l.extract(1).len() == 2 && l.extract(-1)[0] == 3 && l.extract(0, 2).len() == 2", ""),
    (
        "let w = event.requestParameters.words; w.extract(0, 1).len() == 1 && w.extract(9, 1).is_empty() && w.extract(0, -1) == ()",
        "",
    ),
    ("event.requestParameters.one.extract(0, 1).len() == 1 && event.nothing.extract(0).is_empty()", ""),
    ("let l = []; l.push(event.eventName); l.push(event.n); l.len() == 2 && l[0] == \"A\" && l.contains(\"A\")", ""),
    (
        "let open = []; for item in list(event.requestParameters.list) { if item.ok == true { open.push(item.ip); } } !open.is_empty()",
        "",
    ),
    (
        "let words = [\"z\"]; for (word, at) in list(event.requestParameters.words) { if at > 0 { words.push(word); } } words.join(\",\") == \"z,b\"",
        "",
    ),
    (
        "ips(event.requestParameters.list).contains(\"5.6.7.8\") && ips(event.nothing).is_empty()",
        "fn ips(items) { let ips = []; for item in list(items) { ips.push(item.ip); } ips }",
    ),
    (
        "let l = []; let i = 0; while i < 3 { i += 1; if event.n == i { continue; } l.push(i); } for x in l { if x == 3 { return false; } } l.len() == 2",
        "",
    ),
    ("let l = [1]; if event.n == 3 { l.push(2); } else { l = [event.eventName]; l.push(\"B\"); } l[1] != \"B\"", ""),
    (
        "let l = []; for x in [1, 2, 3] { if x != event.n { l.push(x); } } l.len() == 2 && l.filter(|x| x == 3).is_empty()",
        "",
    ),
    ("let l = [1]; let m = l; m.push(2); l.len() == 1 && m.len() == 2 && event.n == 3", ""),
    ("event.requestParameters.list.some(|item| item.ip == \"5.6.7.8\" && item.ok == true)", ""),
    ("list(event.requestParameters.list).some(|item| item.ip == \"9.9.9.9\") && event.n == 9", ""),
    (
        "list(event.eventName).some(|name| name == \"A\") || list(event.errorCode).all(|code| code.contains(\"Dry\"))",
        "",
    ),
    ("list(event.requestParameters.words).all(|word| list(word).some(|one| one != \"c\"))", ""),
    ("event.requestParameters.list.all(|item| item.ip != () && item.ip != event.eventName)", ""),
    ("let n = event.eventName; event.requestParameters.words.some(|word| word == \"a\" && n == \"A\")", ""),
    ("[event.eventName, event.nope].some(|name| name == \"A\")", ""),
    (
        "let bad = event.requestParameters.list.some(|i| i.ip == \"5.6.7.8\"); event.requestParameters.words.some(|w| bad && w == \"a\")",
        "",
    ),
    (
        "event.requestParameters.list.some(|a| { let other = event.requestParameters.list.some(|b| b.ip != a.ip); event.requestParameters.words.all(|w| other && w != a.ok) })",
        "",
    ),
    ("[event.nope, event.errorCode].all(|code| code == () || code == \"\")", ""),
    ("event.requestParameters.list[1].ip == \"5.6.7.8\" || event.requestParameters.list[-1].ok == true", ""),
    ("(event.nope ?? event.eventName) == \"A\"", ""),
    ("text(event.n) == \"3\" || number(event.n) == 3 || is_true(event.t)", ""),
    ("is_ip(event.requestParameters.one.ip) && !is_public_ip(event.nope) && !is_world(event.eventName)", ""),
    (
        "regex_find(actor(event).session, \"^e[a-z]+$\") == \"eve\" || regex_find(event.eventName, \"(on)s\") == \"on\"",
        "",
    ),
    (
        "ip_in_cidr(event.requestParameters.one.ip, \"1.2.3.0/24\") || ip_in_cidr(event.tag, [\"10.0.0.0/8\", \"x\"])",
        "",
    ),
    ("!ip_in_cidr(event.requestParameters.list, params.none) && event.responseElements != ()", ""),
    ("is_arn(actor(event).arn) && same_principal(actor(event).arn, \"arn:aws:iam::111122223333:role/ops\")", ""),
    (
        "params.tags.some(|one| { let parts = one.split(\"=\", 2); parts.len() == 2 && parts[0] == \"Env\" }) && event.n == 3",
        "",
    ),
    ("params.on && event.n == 3", ""),
    ("tag(event, \"Name\") == \"a\" || tag(event, \"Env\") != ()", ""),
    ("tag(event, \"Owner\") == () && event.eventName != ()", ""),
    ("event.eventName.to_lower() == \"a\" || event.tag.to_upper() == \"X\"", ""),
    ("event.eventName.trim().len() + 2 > LIMIT || event.eventName.sub_string(-5, 3) == \"Log\"", ""),
    ("event.eventName.sub_string(3) == \"soleLogin\" && event.n.parse_int() == 3", ""),
    ("event.userIdentity.arn.split(\":\")[4] == \"111122223333\" && event.errorCode.split(\".\", 2)[-1] != \"\"", ""),
    (
        "event.eventName.replace(\"Con\", \"con\").starts_with(\"consol\") || event.userIdentity.keys().contains(\"arn\")",
        "",
    ),
    ("event.requestParameters.values().some(|one| one == \"A\") || \"x\" in event.nope.keys()", ""),
    ("event[\"requestParameters\"][\"one\"][\"ip\"] == \"1.2.3.4\" || event[\"userIdentity\"].type == \"Root\"", ""),
    ("event.requestParameters.list.some(|item| item[\"ip\"] == \"5.6.7.8\")", ""),
    ("(event.requestParameters.list ?? []).some(|item| item.ok == true)", ""),
    // What is picked of lists, and made of them.
    ("event.requestParameters.list.filter(|item| item.ok == true).len() == 1", ""),
    ("list(event.requestParameters.one).map(|item| item.ip).contains(\"1.2.3.4\")", ""),
    ("event.requestParameters.list.find(|item| item.ip != \"1.2.3.4\").ok == true", ""),
    ("list(event.Tags).filter(|tag| tag.Key != ()).map(|tag| tag.Value).join(\",\") == \"a\"", ""),
    ("[event.eventName, event.tag, event.eventName].unique().len() == 2", ""),
    ("flatten([event.requestParameters.words, (), event.tag]).some(|word| word == \"x\")", ""),
    ("[event.eventName, event.tag].filter(|name| name != ()).map(|name| name.to_lower()).join(\"-\") == \"a-x\"", ""),
    ("[\"A\", \"B\"].map(|name| name + \"!\").contains(event.eventName + \"!\")", ""),
    (
        "let names = event.requestParameters.list.map(|item| `${item.ip}/${event.n}`); names[0] == \"1.2.3.4/3\" || names.len() > 5",
        "",
    ),
    ("resource_arns(event).is_empty() && event.eventName in [event.tag, \"A\"]", ""),
    ("event.requestParameters.list.filter(|item| item.ok).len() == 1", ""),
    // Variables that change, and loops over lists.
    ("let name = event.eventName; if event.n == 3 { name = \"Z\"; } name == \"Z\" || name == \"B\"", ""),
    ("let n = 1; n += 2; { let n = 5; n = 6; } n += event.n ?? 0; n > 5", ""),
    ("for item in event.requestParameters.list { if item.ip == \"5.6.7.8\" { return true; } } false", ""),
    (
        "for item in event.requestParameters.list { if item.ip != \"1.2.3.4\" { continue; } return event.n == 3; } event.n == 9",
        "",
    ),
    ("let n = 0; for item in event.requestParameters.list { n += 1; } n == 2", ""),
    ("let n = 0; for part in event.eventName.split(\"o\") { if part.len() > 1 { n += 1; } } n > 1", ""),
    ("let id = \"\"; for part in event.userIdentity.arn.split(\":\") { id += part; } id.len() > 20", ""),
    (
        "let n = 0; let last = (); for word in event.requestParameters.words { if word == \"b\" { break; } n += 1; last = word; } n == 1 && last == \"a\"",
        "",
    ),
    (
        "let n = 0; for a in event.requestParameters.list { for b in event.requestParameters.list { if a.ip == b.ip { continue; } n += 1; } if n > 5 { return false; } } n == 2",
        "",
    ),
    ("for name in [\"A\", \"B\"] { if event.eventName == name { return true; } } false", ""),
    ("for name in params.roles { if glob(actor(event).role, name) { return true; } } false", ""),
    ("let n = 0; for name in [\"A\", event.tag, \"B\"] { if event.eventName == name { n += 1; } } n == 1", ""),
    (
        "for x in event.requestParameters.list { if event.requestParameters.words.some(|y| y != x.ip) { return true; } } false",
        "",
    ),
    (
        "counted(event.requestParameters.words) == 2 || counted(event.nope) > 0",
        "fn counted(list) { let n = 0; for one in list { n += 1; } n }",
    ),
    (
        "let n = 0; for (word, at) in event.requestParameters.words { if at == 1 && word == \"b\" { n = at; } } n == 1",
        "",
    ),
    ("let n = 0; for (name, at) in [\"A\", \"B\"] { if event.eventName == name { return at == 1; } } false", ""),
    ("let n = 0; for (name, at) in [\"A\", event.tag] { if name != () { continue; } n += at; } n == 1", ""),
    (
        "let parts = event.eventName.split(\"o\"); for i in 0..parts.len() { if parts[i] == \"C\" { return i == 0; } } false",
        "",
    ),
    ("let n = 0; for i in 1..=4 { n += i; } n == 10 && event.n == 3", ""),
    ("let n = 0; for i in 4..1 { n += i; } n == 0 && event.n == 3", ""),
    (
        "let rest = event.eventName; while rest.contains(\"o\") { rest = rest.split(\"o\", 2)[1]; } rest == \"A\" || rest == \"gin\"",
        "",
    ),
    ("let n = 0; while true { n += 1; if n == event.n { return true; } if n > 5 { break; } } event.n == 9", ""),
    ("let n = 0; loop { n += 1; if n < 3 { continue; } break; } n == event.n", ""),
    ("let n = number(event.n) ?? 0; n % 2 == 1 && n * 2 - 1 == 5 || n / 3 == 3", ""),
    ("let n = 7; n -= number(event.n) ?? 0; n *= 2; n /= 4; n == 2", ""),
    ("let key = \"eventName\"; event[key] == \"A\" || event.userIdentity[event.tag] == ()", ""),
    ("let key = event.requestParameters.keys()[0]; event.requestParameters[key] != ()", ""),
    (
        "let found = false; for item in list(event.requestParameters.one) { if item.ip == \"1.2.3.4\" { found = true; } } found",
        "",
    ),
    (
        "let all = true; for key in event.userIdentity.keys() { if key.len() < 3 { all = false; break; } } all && event.n != ()",
        "",
    ),
    ("let text = event.eventName; for x in [1, 2, 3] { if x == 2 { continue; } text += \"!\"; } text == \"A!!\"", ""),
    // Maps that are made.
    (
        "let all = event.requestParameters.list; let l = list(all).map(|x| #{ ip: x.ip, n: event.n }); l.some(|m| m.ip == \"1.2.3.4\" && m.n == 3)",
        "",
    ),
    (
        "let l = []; for x in list(event.requestParameters.list) { l.push(#{ ip: x.ip, at: [x] }); } l.find(|m| m.ip == \"1.2.3.4\").at.len() == 1",
        "",
    ),
    (
        "let found = exposure(event.requestParameters.list); found.any || found.ips.contains(\"1.2.3.4\")",
        "fn exposure(all) { let ips = []; let any = false; for x in list(all) { if x.ip == () { continue; } ips.push(x.ip); any = any || x.ip == \"\"; } #{ ips: unique(ips), any: any } }",
    ),
    (
        "let m = if event.n == 3 { #{ a: event.eventName } } else { #{ b: event.eventName } }; m.a == \"A\" || m.b == \"A\"",
        "",
    ),
    ("let m = #{ n: event.n, last: () }; for x in [1, 2] { m = #{ n: event.n, last: m.n }; } m.last == 3", ""),
    ("to_json(#{ b: event.eventName, a: [event.t] }).starts_with(`{\"a\":[`)", ""),
    // What another function, or a closure in one, does to its own variable of that name is nothing to this one.
    ("let one = event.n; one == 3", "fn other(event) { let one = #{ a: 1 }; one.a = 2; one }"),
    (
        "takes(event.n) == 3",
        "fn takes(one) { one }\nfn other(event) { event.list.map(|item| { let one = #{ a: item }; one.a += 1; one.b = 2; one }) }",
    ),
    (
        "takes(event.n) == 3",
        "fn takes(one) { one }\nfn other(event) { for one in [1, 2] { one += 1; } let all = [1]; all.push(2); all.shift(); all }",
    ),
    (
        "let all = []; for item in [1, event.n] { all.push(item); } all.len() == 2 && all[1] == 3",
        "fn other(event) { event.list.filter(|item| { let all = [item]; all.shift(); all.is_empty() }) }",
    ),
    (
        "changes(event).some(|one| one.name == \"A\" && one[\"of\"] == event.n)",
        "fn changes(event) { NAMES.map(|name| #{ name: name, of: event.n }) }",
    ),
];

/// What must not be taken for more than it is: assigned variables, changed lists, loops, failures.
const TRAPS: &[(&str, &str)] = &[
    // Closures change what they capture, by its name, in the function that made them and nowhere else.
    (
        "let one = event.n; let f = || { one = 7; 1 }; f.call(); one == 7",
        "fn other(event) { let one = #{ a: 1 }; one.a = 2; one }",
    ),
    ("let one = event.n; [1].map(|x| { one = 7; x }); one == 7", ""),
    (
        "let one = event.n; let f = || { one += 1; one }; let g = || { one = 9; one }; f.call(); g.call(); f.call() == 10",
        "",
    ),
    ("let one = []; [1, 2].map(|x| { one.push(x); x }); one.len() == 2", "fn other(one) { one }"),
    ("let one = #{ a: event.n }; [1].map(|x| { one.a = 7; x }); one.a == 7", "fn other(one) { one.a }"),
    ("takes(event.n, || 1) == 3", "fn takes(one, f) { let g = || { one = 5; one }; f.call(); g.call(); one }"),
    ("let one = event.n; calls(|| { one = 7; one }) == 7 && one == 7", "fn calls(f) { let one = 1; f.call() }"),
    (
        "let one = event.n; calls(|x| { let one = #{ a: x }; one.a = 7; one.a }) == 7 && one == 3",
        "fn calls(f) { let one = 1; f.call(one) }",
    ),
    ("calls(|x| { x.a = 7; x.a }) == 7 && event.n == 3", "fn calls(f) { let x = #{ a: 1 }; f.call(x) + x.a - 1 }"),
    ("let one = #{ a: event.n }; one.grows(); one.a == 4", "fn grows() { this.a += 1; }"),
    (
        "let one = event.n; outer(event) == 3 && one == 3",
        "fn outer(event) { let one = event.n; let f = |x| { let g = || { one = x; one }; g.call(); one }; f.call(3) }",
    ),
    ("const ONE = 4; let f = |x| { const TWO = x; TWO }; f.call(event.n) == 3 && ONE == 4", "fn other(TWO) { TWO }"),
    ("let n = 0; for (item, at) in event.requestParameters.list { n += at; at += 5; } n == 1", ""),
    // Rhai lets nobody assign to some items, and puts a constant in the place of a loop's variable.
    ("let d = event.requestParameters; for p in [d] { p = 1; } event.n == 3", ""),
    ("for p in [event] { p = p.eventName; } event.n == 3", ""),
    ("for p in event.requestParameters.list.map(|i| i) { p = p.ip; } event.n == 3", ""),
    ("for p in made(event) { p = 1; } event.n == 3", "fn made(event) { let r = event.requestParameters; [r, r.list] }"),
    ("for (p, at) in event.requestParameters.words { at += 1; p += \"!\"; } event.n == 3", ""),
    ("let n = 0; do { n += 1; } while n < 3; n == 3 && event.n == 3", ""),
    ("let n = 0; while n < 2_000_000 { n += 1; } event.n == 3", ""),
    ("while event.n { return true; } false", ""),
    ("let n = 0; while n < 3 { n += event.n; } n > 2", ""),
    ("let n = 0; while fails(event) { n += 1; } event.n == 9", "fn fails(event) { throw \"no\" }"),
    (
        "let n = 0; let m = 0; while n < 3 { n += 1; let k = 0; while k < n { k += 1; if k == 2 { continue; } m += k; } } m == 7 && event.n == 3",
        "",
    ),
    ("let t = 0; for i in 0..event.n { t += i; } t == 3", ""),
    ("let t = 0; for i in event.n..9 { t += 1; if t > 5 { break; } } t == 6", ""),
    ("event.requestParameters[()] == () && event.nope[()] == () && event.n == 3", ""),
    ("let r = 0..3; 2 in r && event.n == 3", ""),
    ("let t = 0; let r = 0..3; for i in r { t += i; } t == 3 && event.n == 3", ""),
    ("event.eventName[event.n] == () || event.n[0]", ""),
    ("event.requestParameters.words[event.t] == ()", ""),
    ("event.eventName[\"x\" + event.tag] == ()", ""),
    (
        "let words = event.requestParameters.words; for i in 0..5 { if words[i] == \"b\" { return words[-i] == \"b\"; } } false",
        "",
    ),
    ("let k = 0; let x = { while k < 3 { k += 1; } k }; x == 3 && k == 3 && event.n == 3", ""),
    ("let n = 0; for letter in event.eventName { n += 1; } n == 1", ""),
    ("let n = 0; for i in 0..3 { n += i; } n == 3 && event.eventName == \"A\"", ""),
    ("let n = 0; for item in made(event) { n += 1; } n == 0", "fn made(event) { #{ a: event.n } }"),
    ("let x = 1; let y = if event.n == 3 { x = 2; 5 } else { 6 }; x == 2", ""),
    ("let x = 1; let y = { x = 2; 5 }; x == 2 && event.eventName == \"A\"", ""),
    ("let x = 1; switch event.n { 3 => { x = 2; } _ => {} } x == 2", ""),
    ("let x = 1; let see = || x; x = 2; see.call() == 2 && event.eventName == \"A\"", ""),
    ("let x = 1; let set = |y| { x = y; }; set.call(5); x == 5 && event.eventName == \"A\"", ""),
    ("let x = #{ a: 1 }; x.a = 2; x.a == 2 && event.eventName == \"A\"", ""),
    ("let x = [1]; x[0] = 2; x[0] == 2 && event.eventName == \"A\"", ""),
    ("const X = event.n; let f = || { X = 2; }; f.call(); event.eventName == \"A\"", ""),
    ("LIMIT = 4; event.eventName == \"A\"", ""),
    ("params = 4; event.eventName == \"A\"", ""),
    ("event = #{ eventName: \"A\" }; event.eventName == \"A\"", ""),
    ("event.eventName = \"A\"; event.eventName == \"A\"", ""),
    ("let x = 1; set!(); x == 2 && event.eventName == \"A\"", "fn set() { x = 2; }"),
    ("let x = event.eventName; x += event.n; x == \"A3\"", ""),
    ("let x = event.n; x += 9223372036854775807; event.eventName == \"A\"", ""),
    ("let x = 1; x -= event.n; x == -2", ""),
    ("let l = []; for x in event.requestParameters.list { l += x.ip; } l.len() == 2", ""),
    ("let l = []; for x in event.requestParameters.list { l.push(x.ip); } l.len() == 2", ""),
    ("let fs = (); for x in [1, 2] { if fs == () { fs = || x; } } fs.call() == 1 && event.eventName == \"A\"", ""),
    (
        "let f = (); for x in event.requestParameters.words { if f == () { f = || x; } } f != () && f.call() == \"a\"",
        "",
    ),
    ("let l = event.requestParameters.words; for x in l { l = (); } l == () && event.n == 3", ""),
    ("let n = 0; for x in event.requestParameters.words { let n = 5; n += 1; } n == 0 && event.n == 3", ""),
    ("let n = 0; for n in event.requestParameters.words { n += \"!\"; } n == 0 && event.n == 3", ""),
    ("for x in event.requestParameters.list { if x.ok / 0 == 1 { return true; } } event.n == 9", ""),
    ("for x in fails(event) { return true; } event.n == 3", "fn fails(event) { throw \"no\" }"),
    ("for x in event.requestParameters.words { fails(x); } event.n == 9", "fn fails(event) { throw \"no\" }"),
    ("let r = for x in event.requestParameters.words { if x == \"b\" { break 5; } }; r == 5", ""),
    ("for x in event.requestParameters.words { if x == \"b\" { throw 1; } } event.n == 9", ""),
    ("for x in event.requestParameters.words { if x { return true; } } event.n == 3", ""),
    ("for x in event.requestParameters.words { return x; } false", ""),
    ("for x in event.requestParameters.words { true }", ""),
    ("let n = 0; while n < 3 { n += 1; for x in [1, 2] { break; } } n == 3 && event.n == 3", ""),
    ("let n = 0; for x in event.requestParameters.list { let f = |y| y + n; n = f.call(1); } n == 2", ""),
    (
        "event.requestParameters.words.some(|w| { let n = 0; for x in event.requestParameters.list { if x.ip != w { n += 1; } } n == 2 })",
        "",
    ),
    ("let x = 0; [1, 2].for_each(|y| { x = y; }); x == 2 && event.n == 3", ""),
    ("let e = event.eventName; e[\"x\"] == () && event.n == 3", ""),
    ("event[\"eventName\"][\"x\"] == ()", ""),
    ("event[\"n\"][\"x\"] == ()", ""),
    ("event[\"t\"][\"x\"] == () && event[\"requestParameters\"][\"words\"][\"x\"] == ()", ""),
    ("event.requestParameters.words[\"len\"] == ()", ""),
    (
        "event.eventName.split(\"\").len() == 3 || \"\".split(\"\").len() == 1 && event.errorCode.split(\"\").len() == 1",
        "",
    ),
    ("event.requestParameters.words.split(\"a\").is_empty() && event.t.split(\",\").is_empty()", ""),
    ("event.eventName.split(event.tag).len() == 1", ""),
    ("event.eventName.sub_string(event.nope) == () && event.eventName.sub_string(0, -1) == \"\"", ""),
    ("event.eventName.split(\"o\") == [\"A\"]", ""),
    ("event.eventName.split(\"o\") == \"A\" || event.eventName.split(\"o\") != event.eventName", ""),
    (
        "event.eventName.split(\"o\") == 1 || event.eventName.split(\"o\") == true || event.eventName.split(\"o\") == ()",
        "",
    ),
    ("(event.n == lookup(\"ec2/addresses\", \"PublicIp\", event.n)) && false", ""),
    ("`${event.eventName.split(\"o\")}` == \"A\" || event.eventName.split(\"o\") < 5", ""),
    ("event.eventName.split(\"o\").x == () && event.eventName.split(\"o\").to_lower() == ()", ""),
    ("event.eventName.split(\"o\") in [\"A\"]", ""),
    ("event.requestParameters.list.map(|item| item.ok / 0).len() == 2 || event.n == 9", ""),
    ("event.requestParameters.list.filter(|item| item.ip).len() == 2 || event.n == 9", ""),
    ("event.requestParameters.list.find(|item| item.ip)", ""),
    ("event.requestParameters.list.map(|item, at| at).join(\"\") == \"01\"", ""),
    ("event.requestParameters.words.map(|| this).len() == 2", ""),
    ("let l = event.requestParameters.words.map(|w| w); l.push(1); l.len() == 3", ""),
    ("let l = [event.n, event.eventName.split(\"o\")]; l.flatten().len() == 2 && l.unique().len() == 2", ""),
    ("let l = [\"A\"]; l.map(|n| l.len() == 1 && n == event.eventName)[0]", ""),
    ("event.requestParameters.map(|i| i.name)[0] == \"A\" && event.tag.map(|x| x).is_empty()", ""),
    ("[event.requestParameters.one, 1.5].map(|x| x).join(\",\") == \"{},1.5\"", ""),
    ("event.userIdentity.filter(|x| x.type == \"Root\").len() == 1 && event.n == 3", ""),
    ("list(event.eventName.split(\"o\")).len() == 1 && list(event.n).some(|x| x == 3)", ""),
    ("let n = 0; event.requestParameters.list.for_each(|item| n += 1); n == 0", ""),
    ("let names = []; names.push(event.eventName); names.is_empty()", ""),
    ("let names = [1]; pop(names); names.len() == 1", ""),
    ("let name = event.eventName; if event.n == 3 { name = \"Z\"; } name == \"A\"", ""),
    ("let x = 1; let change = || x = 2; change.call(); x == 1", ""),
    ("let LIMIT = event.n; global::LIMIT == 3", ""),
    // Behind `?.` nothing is asked of nothing.
    ("event.nope?.starts_with(\"A\") ?? true", ""),
    ("event.nope?.len() != 0", ""),
    ("event.requestParameters?.list?.is_empty() == ()", ""),
    ("event.nope?.deeper.contains(\"x\") == ()", ""),
    ("event.nope?[0].len() == ()", ""),
    ("global::text(event.n) == \"3\"", ""),
    ("text!(event.n) == \"3\"", ""),
    // Rhai cuts lists and texts where they stand, and closures change their `this`.
    ("let names = params.tags; let rest = names.split(1); !(event.eventName in names)", ""),
    ("let names = [\"A\", \"B\"]; let rest = split(names, 1); !(event.eventName in names)", ""),
    ("let name = event.eventName; name.replace('A', 'Z'); name == \"Z\"", ""),
    ("let n = 0; n.call(|| this = 1); n == 1 && event.eventName == \"A\"", ""),
    ("let m = #{ on: false, turn: || this.on = true }; m.turn(); m.on && event.eventName == \"A\"", ""),
    // What a script calls like a function of the host answers as a method, too.
    ("event.eventName.ends_with(\"Z\")", "fn ends_with(event) { true }"),
    ("event.eventName.ends_with(\"Z\")", "fn string.ends_with(text) { true }"),
    ("over(event)", "fn over(event) { event.n == 3 }\nfn int.over(event) { false }"),
    // What Rhai knows everywhere stands in the place of parameters of that name.
    ("over(event, 2)", "fn over(event, LIMIT) { event.n > LIMIT }"),
    ("over(event, #{ most: 1 })", "fn over(event, params) { event.n > params.most }"),
    ("let LIMIT = 9; event.requestParameters.list.some(|x| LIMIT == 3 && x.ip == \"1.2.3.4\")", ""),
    ("let owner = params.nope ?? params.neither; owner != () && event.eventName == \"A\"", ""),
    ("let key = \"n\"; event[key.text()] == 3", ""),
    ("event[NAMES][0] == ()", ""),
    // A list is locked while closures are asked about it.
    ("let names = params.tags; names.some(|n| names.len() > 1 && n == event.eventName)", ""),
    ("let names = [\"A\"]; names.all(|n| n == event.eventName || names.is_empty())", ""),
    ("let names = [\"A\"]; let f = |n| names.len() == 1; names.some(f)", ""),
    ("let m = #{ list: event.requestParameters.list, on: true }; m.list.some(|one| m.on && one.ip != ())", ""),
    ("let l = list(event.eventName); l.some(|one| l.len() == 1 && one == \"A\")", ""),
    ("let who = actor(event); who.some(|one| who.name == one)", ""),
    ("let name = event.eventName; name.all(|one| name != one)", ""),
    ("let x = event.n == 3; x.some(|one| x == one)", ""),
    ("let l = [\"A\", \"B\"]; let fs = [|x| l.len() == 2]; l.some(fs[0])", ""),
    ("let l = [\"A\", \"B\"]; let fs = #{ g: |x| l.len() == 2 }; l.some(fs.g)", ""),
    ("let l = [\"A\", \"B\"]; let fs = [|x| l.len() == 2]; l.all(pick(fs))", "fn pick(x) { x[0] }"),
    ("let l = event.requestParameters.list; l.all(|x| l.len() > 0)", "fn other(l) { l += 1; l }"),
    ("let l = event.nope; l.all(|x| l.len() > 0)", ""),
    // A closure that a map holds is called before a function of its name.
    ("let m = #{ len: || this.on = true, on: false }; m.len(); m.on && event.eventName == \"A\"", ""),
    ("let f = || this.on = true; let m = #{ first: f, on: false }; m.first(); m.on && event.eventName == \"A\"", ""),
    ("let m = #{ o: #{ is_empty: || this.on = true, on: false } }; m.o.is_empty(); m.o.on && event.n == 3", ""),
    // What is called by way of a pointer changes what it is given.
    ("let s = [\"A\"]; call(Fn(\"push\"), s, 1); s.len() == 2 && event.n == 3", ""),
    ("let s = \"ab\"; let f = Fn(\"crop\"); call(f, s, 1); s == \"b\" && event.n == 3", ""),
    (
        "let l = [\"A\"]; let f = |x| l.len() == x; let g = curry(|z| z.push(1), l); g.call(); l.len() == 2 && event.n == 3",
        "",
    ),
    ("let l = [\"A\"]; let f = || l; curry(Fn(\"push\"), l).call(3); l.len() == 2 && event.n == 3", ""),
    // Rhai counts a closure as three calls.
    ("[1].some(|e| [1].some(|d| [1].some(|c| [1].some(|b| [1].some(|a| event.n == 3)))))", ""),
    ("let t = 0; for i in 0..3 { t = i; } let i = 1; [1].some(|x| x == i) && t == 2 && event.n == 3", ""),
    ("let odd = event.requestParameters < event.userIdentity; event.eventName == \"A\"", ""),
    ("let x = event.n / 0; false", ""),
    ("event.n % 0 == 0 || event.n - event.eventName == 0 || -event.n == -3", ""),
    ("event.eventName - \"A\" == \"\" || event.eventName * 2 == ()", ""),
    ("(-9223372036854775807 - 1) / (event.n - 4) == 0 || event.n * 9223372036854775807 > 0", ""),
    ("2 ** event.n == 8 || event.n << 1 == 6 || event.n & 1 == 1", ""),
    ("let x = event.n / 0; true", ""),
    ("fails(event) && event.eventName == \"A\"", "fn fails(event) { throw \"no\" }"),
    ("!(fails(event) && event.eventName == \"Z\")", "fn fails(event) { throw \"no\" }"),
    ("event.eventName == \"Z\" && fails(event)", "fn fails(event) { throw \"no\" }"),
    ("fails(event) || event.eventName == \"A\"", "fn fails(event) { throw \"no\" }"),
    ("ignores(1 / 0, event)", "fn ignores(x, event) { event.eventName == \"A\" }"),
    ("{ if event.n == 3 { return true; } } false", ""),
    ("let x = if event.n == 3 { return true } else { 1 }; false", ""),
    ("while true { if event.n == 3 { return true; } break; } false", ""),
    ("try { throw 1 } catch { return true } false", ""),
    ("event.readOnly", ""),
    ("event.t", ""),
    ("!event.eventName", ""),
    ("event.eventName && true", ""),
    ("if event.t { true } else { false }", ""),
    ("event.eventName.len == 1", ""),
    ("event.eventName[0] == 'A'", ""),
    ("event.n in [1, 2.0, 3]", ""),
    ("event.n == 1.5 || event.n > 1", ""),
    ("'A' == event.eventName", ""),
    ("event.eventName in [\"A\", 'B']", ""),
    ("event.requestParameters == event.requestParameters", ""),
    ("event.requestParameters < 5 || event.n < event.t", ""),
    ("let event = #{ eventName: \"A\" }; event.eventName == \"A\"", ""),
    ("let params = #{ name: \"Q\" }; params.name == \"Q\"", ""),
    ("self(event)", "fn self(event) { event.n == 3 || self(event) }"),
    ("(arn(event.eventName) ?? event.eventName) == \"A\"", ""),
    ("arn(event.userIdentity.arn)[\"account\"] == \"111122223333\" || arn(event.nothing)[\"account\"] == ()", ""),
    ("arn(event.userIdentity.arn).keys().len() == 7 || arn(event.t).len() == 0", ""),
    ("let a = arn(event.userIdentity.arn); a.account = \"x\"; a.account == \"x\"", ""),
    ("let a = arn(event.userIdentity.arn); a.push(1); a == ()", ""),
    ("if arn(event.userIdentity.arn) { true } else { event.n == 3 }", ""),
    ("`${arn(event.userIdentity.arn)}` == \"\" || arn(event.t) == arn(event.nothing)", ""),
    ("arn(event.userIdentity.arn) in [(), 1] || list(arn(event.t)).is_empty()", ""),
    ("arn(1 / 0).account == () && event.n == 3", ""),
    ("arn(\"arn:aws:iam::1:role/\" + event.eventName).id == event.eventName || arn(event.t).service == \"ec2\"", ""),
    ("let f = |x| arn(x).id; f.call(event.userIdentity.arn) == \"eve\"", "fn arn(x) { #{ id: x } }"),
    ("params.roles.extract(0, 1).len() == 1 && NAMES.extract(1)[0] == \"B\" && NAMES.extract(-1, 1) == [\"B\"]", ""),
    ("const L = [[1, 2], [3]]; L[0].extract(1)[0] == 2 && L.extract(0, event.n).len() == 2", ""),
    ("for name in NAMES.extract(1) { if event.eventName == name { return true; } } false", ""),
    ("let l = [1]; let i = 0; while i < 22 { l = [l, l]; i += 1; } l.len() == 2", ""),
    ("let l = [1]; let i = 0; while i < 14 { let m = [l]; m.push(l); l = m; i += 1; } l.len() == 2", ""),
    ("let l = [1]; for x in 0..14 { let k = l; l = [1, 2].map(|x| k); } l.len() == 2", ""),
    (
        "let l = []; for x in 0..110 { l.push(x); } l.map(|x| l).len() == 110 && l.map(|x| l.map(|y| y)).len() == 110",
        "",
    ),
    (
        "let t = \"0123456789abcdef\"; for x in 0..12 { t = t + t; } let l = []; for x in 0..30 { l.push(t); } l.len() == 30",
        "",
    ),
    ("let t = \"0123456789abcdef\"; for x in 0..12 { t = t + t; } [0, 1, 2, 3, 4].map(|x| t).len() == 5", ""),
    (
        "let t = \"0123456789abcdef\"; for x in 0..12 { t = t + t; } unique([t, t, t, t, t]).len() == 1 && [t, t, t, t, t].len() == 5",
        "",
    ),
    ("event.eventName.extract(0, 1) == \"A\" || event.n.extract(0).is_empty()", ""),
    ("let l = [1, 2]; l.extract(event.n)[0] == 1 || l.extract(\"a\", 1).len() == 1 || l.extract(0..1).len() == 1", ""),
    ("let l = event.requestParameters.list; l.push(1); l.len() == 3", ""),
    ("let l = list(event.requestParameters.list); l.push(1); l.len() == 3", ""),
    ("let l = lookup_all(\"ec2/addresses\", \"PublicIp\", event.t); l.push(1); l.len() == 1", ""),
    ("let t = event.eventName; t.push(\"x\"); t == \"Ax\"", ""),
    ("let t = event.nothing; t.push(\"x\"); t == ()", ""),
    ("const L = [1]; L.push(2); L.len() == 2", ""),
    ("NAMES.push(event.eventName); NAMES.len() == 3", ""),
    ("params.roles.push(event.eventName); params.roles.len() == 3", ""),
    ("let l = []; let f = |x| l.push(x); f.call(1); l.len() == 1", ""),
    ("let l = [1]; let f = || l.len(); l.push(2); f.call() == 2", ""),
    ("let l = [1]; let all = [1, 2].map(|x| { l.push(x); l.len() }); l.len() == 3 && all[1] == 3", ""),
    ("let l = [[1]]; for x in l { x.push(2); } l[0].len() == 1", ""),
    ("let l = [[1], [2]]; let m = l[0]; m.push(3); l[0].len() == 1 && m.len() == 2", ""),
    ("let l = [[1]]; l[0].push(2); l[0].len() == 2", ""),
    ("let m = #{ l: [1] }; m.l.push(event.n); m.l.len() == 2", ""),
    ("let l = []; l?.push(1); l.len() == 1", ""),
    ("let l = []; let n = l.push(1); l.len() == 1 && n == ()", ""),
    ("let l = []; let b = { l.push(1); true }; b && l.len() == 1 && event.n == 3", ""),
    ("let l = []; switch event.n { 3 => l.push(1), _ => () } l.len() == 1", ""),
    ("let l = []; switch event.n { 3 => { l.push(1); } _ => {} } l.len() == 1", ""),
    ("let l = []; l.push(l); l.push(l); l[1].len() == 1", ""),
    ("let l = [1]; l.push(2); push(l, 3); l.len() == 3", ""),
    ("let l = [1]; grow!(); l.len() == 2", "fn grow() { l.push(2); }"),
    ("let l = [1]; more(l); l.len() == 1", "fn more(l) { l.push(2); l }"),
    ("let l = [1]; l.push(2); l.len() == 2", "fn push(x) { this = []; }"),
    ("let l = [1]; l.push(2); l.len() == 2", "fn array.push(x) { this = []; }"),
    ("let l = []; l.push(fails(event)); event.n == 3", "fn fails(event) { throw \"no\" }"),
    ("let l = []; let i = 0; while i < 3000 { l.push(i); i += 1; } l.len() == 3000", ""),
    ("let l = []; for x in 0..900 { l.push([x, x, x, x, x, x, x, x, x, x, x, x]); } l.len() == 900", ""),
    ("let l = [event.requestParameters]; l.push(event.n); l.contains(event.n)", ""),
    ("let l = [1]; { let l = [2]; l.push(3); } l.len() == 1", ""),
    ("let l = []; l.push(actor(event)); l.push(#{ a: event.n }); l[1].a == 3 && l[0].name != ()", ""),
    ("let l = []; l.push(|x| x == event.n); l.len() == 1", ""),
    ("let m = #{ a: 1 }; m.a = event.n; m.a == 3", ""),
    ("let m = #{ a: 1 }; m.b = event.n; m.keys().len() == 2", ""),
    ("let m = #{ a: 1 }; m[\"a\"] += event.n; m.a == 4", ""),
    ("let m = #{ a: 1 }; m += #{ b: event.n }; m.b == 3", ""),
    ("let m = #{ a: 1 } + #{ a: event.n }; m.a == 3", ""),
    ("let m = #{ a: event.n }; m.len() == 1 && m.keys() == [\"a\"] && m.values()[0] == 3", ""),
    ("let m = #{ a: event.n }; \"a\" in m && m.contains(\"a\") && !(\"b\" in m)", ""),
    ("#{ a: event.n } == #{ a: 3 }", ""),
    ("#{ a: event.n } != event.requestParameters", ""),
    ("[#{ a: event.n }].contains(#{ a: 3 })", ""),
    ("#{ a: event.n }.map(|x| x).len() == 1 || event.n == 3", ""),
    ("let k = 0; let m = #{ a: event.n }; for x in m { k += 1; } k == 1", ""),
    ("first(#{ a: event.n }) == () && list(#{ a: event.n }).len() == 1", ""),
    ("`${#{ a: event.n }}` == `#{\"a\": 3}`", ""),
    ("#{ f: |x| x == 3 }.f(event.n)", ""),
    ("let l = [1].map(|x| #{ len: |y| y == 3 }); l[0].len(event.n)", ""),
    ("[#{ len: event.n }][0].len == 3", ""),
    ("let l = event.requestParameters.list.map(|x| #{ len: x.ip, is_odd: 1 }); l[0].len != () && l[0].is_odd == 1", ""),
    ("unique([#{ a: event.n }, #{ a: 3 }]).len() == 1", ""),
    ("let m = #{ a: 1 }; for x in 0..40 { m = #{ a: m, n: event.n }; } m.n == 3", ""),
    ("let m = #{ n: event.n }; for x in 0..40 { m = #{ a: m, b: m }; } m.a.a.a != ()", ""),
    ("let m = #{ a: fails(event) }; event.n == 3", "fn fails(event) { throw \"no\" }"),
    ("let m = #{ a: 1 / event.n, b: event.n }; m.b == 3 || event.n == 0", ""),
    ("let m = #{ a: event.n }; let n = m; n.a = 4; m.a == 3 && n.a == 4", ""),
    ("let m = #{ a: [event.n] }; m.a.push(4); m.a.len() == 2", ""),
    ("let m = #{ a: event.n }; changes(m); m.a == 3", "fn changes(m) { m.a = 4; }"),
    ("let m = #{ a: event.n }; let f = || m.a = 4; f.call(); m.a == 4", ""),
    ("let m = #{ a: event.n }; m?.a == 3 && m?.b == ()", ""),
    ("let m = #{ \"a b\": event.n, \"\": 1 }; m[\"a b\"] == 3 && m[\"\"] == 1 && m[()] == ()", ""),
    ("let m = #{ a: event.n }; m[event.eventName] == () || m[event.n] == ()", ""),
    ("let m = #{ t: 1.5, f: event.n }; to_json(m) == `{\"f\":3,\"t\":1.5}`", ""),
    ("to_json(event) == to_json(event) && to_json(actor(event)).len() > 10", ""),
    ("to_json(#{ a: |x| x }) == \"\" || event.n == 3", ""),
    ("let t = \"0123456789abcdef\"; for x in 0..12 { t = t + t; } to_json(#{ a: t }).len() > 65536", ""),
    ("do { let l = []; l.push(1); } while false; let l = []; do { l.push(1); } until l.len() > 2; l.len() == 3", ""),
    ("let l = []; try { l.push(1); throw 2; } catch { l.push(3); } l.len() == 2", ""),
    ("let l = []; l.push(1, 2); l.len() == 2", ""),
    ("let l = [1]; l.push(2); l.pop(); l.len() == 1", ""),
    // Deeper than what is followed, and named as a function of Rhai.
    (
        "starts_with(event, 20)",
        "fn starts_with(event, n) { if n == 0 { return event.n == 3; } starts_with(event, n - 1) }",
    ),
    ("is_ip(20) || event.n == 3", "fn is_ip(n) { if n == 0 { throw \"no\" } is_ip(n - 1) }"),
    ("event.requestParameters.list.some(|item| item.ip)", ""),
    ("event.requestParameters.list.some(|item| item.ip / 0 == 1) || true", ""),
    ("regex(event.eventName, \"(\") || true", ""),
    ("regex_find(event.eventName, \"(\") == ()", ""),
    ("ip_in_cidr(event.requestParameters.one.ip, [\"1.2.3.4\", 7, event.nope, ()])", ""),
    ("lookup_all(\"ec2/addresses\", \"PublicIp\", event.n).len() == 0 && event.requestParameters.list != ()", ""),
    ("lookup_before(\"ec2/addresses\", \"PublicIp\", event.n).len() == 0 && event.requestParameters.list != ()", ""),
    ("glob(event.eventName, [\"A\", \"[\"])", ""),
    ("switch event.n { 3 => true, 9.0 => true, _ => false }", ""),
    ("switch event.n { 0..5 => true, _ => false }", ""),
    // Without a case nobody asks for the value, and it may fail all the same.
    ("switch event.n / 0 { _ => true }", ""),
    ("switch event.n + () { _ => event.n == 3 }", ""),
    ("switch event.eventName[9] { _ => {} } event.n == 3", ""),
    ("let x = switch lookup(\"ec2/addresses\", \"PublicIp\", event.n) { _ => 1 }; x == 1", ""),
    ("switch event.n { _ => event.n == 3 }", ""),
    ("let v = event.n; [1].map(|x| switch x { 9 => 1, _ => v }) == [3]", ""),
    ("switch event.t { true => event.n == 3, () => true, _ => false }", ""),
    ("lookup(\"ec2/addresses\", \"PublicIp\", event.eventName) == () && event.n == 3", ""),
];

fn on_big_stack(test: impl FnOnce() + Send) {
    std::thread::scope(|scope| {
        std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, test).unwrap().join().unwrap();
    });
}

#[test]
fn a_battery_is_understood_and_says_what_rhai_says() {
    on_big_stack(|| {
        for (body, beside) in UNDERSTOOD {
            let script = script(body, beside, &[]);
            let predicate = script.predicate.as_ref().unwrap();
            let mut known = 0;
            for event in events() {
                let record = record(&event);
                let (verdict, interpreted) = (predicate.ask(&record.value.view()), interpreted(&script, &record));
                known += usize::from(verdict != Verdict::Unknown);
                assert!(agrees(verdict, &interpreted), "{body}: {verdict:?}, {interpreted:?} of {event}");
                assert!(
                    interpreted != Ok(true.into())
                        || required_holds(predicate, &Whole { record: &record, inventory: &inventory() }),
                    "{body} of {event}"
                );
                assert!(opens_alike(predicate, &record.value.view()), "{body} of {event}");
            }
            // Two events hold values of odd kinds, which Rhai may be left with.
            assert!(known >= 3, "{body}: {predicate:?}");
        }
    });
}

/// What should be understood wholly: bodies of `title` and of `context`, with what stands beside them.
const ANSWERS: &[(&str, &str, &str)] = &[
    (
        "`${event.eventName} by ${actor(event).name} in ${region(event)}`",
        "#{ region: region(event), account: account(event) }",
        "",
    ),
    ("\"Name \" + event.eventName", "#{ who: actor(event), code: error_code(event) }", ""),
    (
        "`${who(event)} has ${event.n}${if event.n == 3 { \"!\" } else { `?${event.t}` }}`",
        "#{ list: [event.n, `${event.n}`, #{ a: event.t }] }",
        "fn who(event) { actor(event).name ?? \"nobody\" }",
    ),
    (
        "let name = request(event).name; if name == () { return \"none\"; } `of ${name}`",
        "#{ name: request(event).name, ip: first(request(event).list).ip, n: request(event).words.len() }",
        "",
    ),
    (
        "list(event.requestParameters.list).map(|item| item.ip).join(\", \")",
        "#{ words: event.eventName.split(\"o\"), ips: list(event.requestParameters.list).map(|item| item.ip), one: [event.requestParameters.one].filter(|one| one != ()) }",
        "",
    ),
    (
        "let text = \"\"; for word in list(event.requestParameters.words) { text += word + \";\"; } text",
        "#{ arns: resource_arns(event).unique(), all: [event.n, event.eventName.split(\"o\")] }",
        "",
    ),
    (
        "let held = lookup(\"ec2/addresses\", \"PublicIp\", event.sourceIPAddress); `${held.AllocationId ?? \"nobody's\"}: ${event.n}`",
        "#{ held: lookup_anywhere(\"ec2/addresses\", \"PublicIp\", event.eventName).map(|held| held.AllocationId) }",
        "",
    ),
    (
        "`${event.requestParameters} and ${event.nothing}`",
        "#{ whole: event.requestParameters, none: (), names: NAMES, most: params.most }",
        "",
    ),
    (
        "to_json(#{ Name: \"key\", Values: [event.eventName] })",
        "#{ all: keys(event).map(|key| to_json(#{ Name: \"key\", Values: [key] })), of: to_json(keys(event).map(|key| #{ Key: key })), maps: list(event.requestParameters.list).map(|item| #{ ip: item.ip, n: event.n, more: #{ t: event.t } }) }",
        "fn keys(event) { unique(params.tags.map(|one| first(one.split(\"=\")))) }",
    ),
    (
        "changed(event)[0].name ?? \"none\"",
        "#{ changed: changed(event), first: changed(event).find(|one| one.of != ()) }",
        "fn changed(event) { let all = []; for name in NAMES { if event.eventName == name { all.push(#{ name: name, of: event.n }); } } all }",
    ),
];

#[test]
fn other_hooks_are_understood_and_say_what_rhai_says() {
    on_big_stack(|| {
        for (title, context, beside) in ANSWERS {
            let hooks = format!("{beside}\nfn title(event) {{ {title} }}\nfn context(event) {{ {context} }}");
            let script = script("true", &hooks, &[]);
            let mut known = 0;
            for event in events() {
                let (problems, proved) = other_hooks(&script, &record(&event));
                assert!(problems.is_empty(), "{title}, {context}: {}", problems.join("\n"));
                known += proved;
            }
            // Two of the events hold values of odd kinds, which Rhai may be left with.
            assert!(known >= 2 * (events().len() - 2), "{title}, {context}: {known}, {:?}", script.answers);
        }
    });
}

/// Hooks that are given hits and should be understood wholly: bodies of `title`, `context` and `confirm`, with what stands
/// beside them.
const OF_HITS: &[(&str, &str, &str, &str)] = &[
    (
        "`${hits[0].name} by ${first(hits).actor.name} and ${hits[-1].by[0]}: ${hit_count(hits)}`",
        "#{ region: hits[0].region, last: hits[-1].time, by: hits[0].by, whole: hits[0].kept }",
        "hits[0].name == hits[-1].name",
        "",
    ),
    (
        "join(unique(hits.map(|hit| hit.source_ip)), \" and \")",
        "#{ names: names(hits), tools: join(unique(hits.map(|hit| hit.kept.tool)), \", \"), many: names(hits).len() > 1 }",
        "hits.some(|hit| hit.kept.changes == true)",
        "fn names(hits) { unique(hits.map(|hit| hit.name)) }",
    ),
    (
        "let text = \"\"; for hit in hits { if hit.name == () { continue; } text += hit.name; } text",
        "#{ own: hits.filter(|hit| hit.account == hits[0].account).len(), length: hits.len(), nothing: hits.nothing.more }",
        "for hit in hits { if hit.number > 2 { return true; } } false",
        "",
    ),
    (
        "networks(hits).extract(0, 2).map(|one| hits.find(|hit| network(hit.source_ip) == one).name).join(\" and \")",
        "#{ known: lookup_all(\"ec2/addresses\", \"PublicIp\", hits[0].source_ip).len(), networks: networks(hits) }",
        "network(first(hits).source_ip) == network(hits[-1].source_ip)",
        "fn networks(hits) { let all = []; for hit in hits { all.push(network(hit.source_ip)); } unique(all) }
         fn network(ip) { if lookup_anywhere(\"ec2/addresses\", \"PublicIp\", ip).len() > 0 { return \"own\"; } regex_find(ip, \"^[0-9]+\") }",
    ),
];

fn hits() -> Vec<Json> {
    let hit = |number: u64, name: Json, kept: Json| {
        json!({
            "number": number, "name": name, "by": ["k", number], "account": "111122223333", "region": "us-east-1",
            "time": format!("2024-05-14T12:00:0{number}Z"), "source_ip": "1.2.3.4", "kept": kept,
            "actor": { "name": "eve", "arn": null },
        })
    };
    let one = hit(1, json!("A"), json!({ "tool": "cli", "changes": true }));
    vec![
        json!([one]),
        json!([one, hit(2, json!("B"), json!({ "tool": null }))]),
        json!([hit(1, json!("B"), json!(null)), one, hit(3, json!(null), json!({ "tool": "cli" }))]),
    ]
}

#[test]
fn hooks_over_hits_are_understood_and_say_what_rhai_says() {
    on_big_stack(|| {
        for (title, context, confirm, beside) in OF_HITS {
            let script = of_window(&format!(
                "{beside}\nfn title(hits) {{ {title} }}\nfn context(hits) {{ {context} }}\nfn confirm(hits) {{ {confirm} }}"
            ));
            for hits in hits() {
                let (problems, proved) = other_hooks(&script, &record(&hits));
                assert!(problems.is_empty(), "{title}, {context}, {confirm}: {}", problems.join("\n"));
                assert_eq!(proved, 3, "{title}, {context}, {confirm} of {hits}: {:?}", script.answers);
            }
        }
    });
}

/// Every function that is asked without Rhai answers about maps that a script makes, and about lists of them, as Rhai does.
#[test]
fn functions_are_given_maps_as_rhai_gives_them() {
    on_big_stack(|| {
        let given = [
            "#{ b: event.n, a: event.t }",
            "[#{ a: event.n }, event.n]",
            "(if event.n == 3 { #{} } else { #{ a: 1 } })",
        ];
        let lowered = functions::FAMILIES.iter().flat_map(|family| family.lowered);
        let mut understood: BTreeSet<(&str, &str)> = BTreeSet::new();
        for ((name, arity, _), given) in lowered.flat_map(|row| given.map(|given| (row, given))) {
            for at in 0..*arity {
                for other in ["event.t", "1", "\"a\""] {
                    let args: Vec<&str> = (0..*arity).map(|place| if place == at { given } else { other }).collect();
                    let body = format!("#{{ answer: {name}({}) }}", args.join(", "));
                    let script = script("true", &format!("fn context(event) {{ {body} }}"), &[]);
                    for event in [json!({ "n": 3, "t": "a" }), json!({ "n": "x" })] {
                        let (problems, known) = other_hooks(&script, &record(&event));
                        assert!(problems.is_empty(), "{body}: {}", problems.join("\n"));
                        understood.extend((known > 0).then_some((*name, given)));
                    }
                }
            }
        }
        for (name, given) in
            ["keys", "values", "len", "is_empty", "to_json"].iter().flat_map(|name| given.map(|given| (name, given)))
        {
            let is_list = given.starts_with('[') && (*name == "keys" || *name == "values");
            assert!(is_list || understood.contains(&(*name, given)), "{name} of {given}: {understood:?}");
        }
    });
}

#[test]
fn whose_a_record_is_it_tells_where_nothing_else_does() {
    on_big_stack(|| {
        let hooks = "fn title(event) { `${account(event)} ${region(event)}` }\nfn context(event) { #{ account: account(event), region: region(event) } }";
        let script = script("region(event) == \"eu-west-1\" && account(event) != \"111122223333\"", hooks, &[]);
        for (event, expected) in [
            (json!({ "recipientAccountId": "1", "OwnerId": "2", "awsRegion": "eu-west-1" }), "1 eu-west-1"),
            (json!({ "OwnerId": "2", "userIdentity": { "accountId": "3" }, "awsRegion": "" }), "2 "),
            (json!({ "userIdentity": { "accountId": "3" }, "awsRegion": 7 }), "3 "),
            (json!({ "recipientAccountId": null }), " "),
        ] {
            let record = Record { scope: Scope::default(), ..record(&event) };
            let (problems, proved) = other_hooks(&script, &record);
            assert!(problems.is_empty(), "{}", problems.join("\n"));
            assert_eq!(proved, 2, "{event}");
            let now: Timestamp = "2024-05-14T12:00:00Z".parse().unwrap();
            let mut runtime = Runtime::new(1, inventory(), now, &Limits::default());
            assert_eq!(runtime.answer(0, &script, "title", &record), Ok(expected.into()));
            let whole = Whole { record: &record, inventory: &inventory() };
            let verdict = script.predicate.as_ref().unwrap().ask(&whole);
            assert_eq!(verdict, if expected.ends_with("eu-west-1") { Verdict::True } else { Verdict::False });
        }
    });
}

#[test]
fn a_look_up_that_finds_something_is_left_to_rhai() {
    on_big_stack(|| {
        let script = of_window(
            "fn title(hits) { lookup(\"ec2/addresses\", \"PublicIp\", hits[0].source_ip).AllocationId ?? \"none\" }",
        );
        for (address, expected) in [("5.6.7.8", "eipalloc-0"), ("1.2.3.4", "none")] {
            let record = record(&json!([{ "source_ip": address }]));
            let (problems, proved) = other_hooks(&script, &record);
            assert!(problems.is_empty(), "{}", problems.join("\n"));
            assert_eq!(proved, usize::from(expected == "none"));
            let now: Timestamp = "2024-05-14T12:00:00Z".parse().unwrap();
            let answer = Runtime::new(1, inventory(), now, &Limits::default()).answer(0, &script, "title", &record);
            assert_eq!(answer, Ok(expected.into()));
        }
    });
}

/// Lists and texts that are each small enough, and too large together for Rhai.
#[test]
fn what_is_too_large_together_is_left_to_rhai() {
    on_big_stack(|| {
        let hit = json!({ "number": 1, "kept": { "t": "x".repeat(4_000) } });
        for (member, hits, fits, lists) in [("number", 900, 3, 12), ("kept.t", 50, 2, 6)] {
            let hits = record(&json!(vec![&hit; hits]));
            for (many, is_proved) in [(fits, true), (lists, false)] {
                let list = format!("hits.map(|hit| hit.{member})");
                let members: Vec<String> = (0..many).map(|at| format!("m{at}: {list}")).collect();
                let script = of_window(&format!("fn context(hits) {{ #{{ {} }} }}", members.join(", ")));
                let (problems, proved) = other_hooks(&script, &hits);
                assert!(problems.is_empty(), "{many} lists of {member}: {:.300}", problems.join("\n"));
                assert_eq!(proved, usize::from(is_proved), "{many} lists of {member}");
            }
        }
    });
}

/// Lists and maps that are made within each other, in so many turns.
#[test]
fn what_is_nested_deep_is_left_to_rhai() {
    on_big_stack(|| {
        for made in ["[deep]", "#{ deep: deep }", "[#{ deep: deep }]"] {
            for (turns, is_proved) in [(10, true), (40, false)] {
                let script = of_window(&format!(
                    "fn context(hits) {{ let deep = hits[0].number; for turn in 0..{turns} {{ deep = {made}; }} #{{ deep: deep }} }}"
                ));
                let (problems, proved) = other_hooks(&script, &record(&json!([{ "number": 1 }])));
                assert!(problems.is_empty(), "{}", problems.join("\n"));
                assert_eq!(proved, usize::from(is_proved), "{turns} turns of {made}");
            }
        }
    });
}

/// What means a record where there is none: hits have no account, and no actor.
#[test]
fn hits_are_no_record() {
    on_big_stack(|| {
        for asked in [
            "actor(hits)",
            "actor(hits).name",
            "account(hits)",
            "region(hits)",
            "error_code(hits)",
            "succeeded(hits)",
            "principal(hits)",
            "is_aws_service(hits)",
            "hits.name",
            "hits.userIdentity.arn",
            "hits.len",
            "hits[\"name\"]",
            "hits.name.len()",
            "actor(hits[0])",
            "account(hits[0])",
            "principal(first(hits))",
            "resource_arns(hits)",
            "request(hits[0])",
            "is_root(hits[0])",
        ] {
            let script = of_window(&format!("fn context(hits) {{ #{{ asked: {asked} }} }}"));
            for hits in hits() {
                let problems = other_hooks(&script, &record(&hits)).0;
                assert!(problems.is_empty(), "{asked}: {}", problems.join("\n"));
            }
        }
    });
}

#[test]
fn traps_are_left_to_rhai() {
    let mut problems = Vec::new();
    on_big_stack(|| {
        for (body, beside) in TRAPS {
            for needs in [&[][..], &["ec2/volumes"]] {
                let script = script(body, beside, needs);
                let Some(predicate) = script.predicate.as_ref() else {
                    problems.push(format!("{body} is no script"));
                    continue;
                };
                for event in events() {
                    let record = record(&event);
                    let (verdict, interpreted) = (predicate.ask(&record.value.view()), interpreted(&script, &record));
                    let is_required = interpreted != Ok(true.into())
                        || required_holds(predicate, &Whole { record: &record, inventory: &inventory() });
                    if !agrees(verdict, &interpreted) || !is_required {
                        problems.push(format!("{body}: {verdict:?}, {interpreted:?} of {event}"));
                    }
                }
            }
        }
    });
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// What is kept of the last record's actor is of that record, and of scripts that ask for as much alone.
#[test]
fn the_actor_is_that_of_the_record_and_as_the_script_asks_for_it() {
    on_big_stack(|| {
        let (plain, mut traced) = (script("true", "", &[]), script("true", "", &[]));
        traced.traces = true;
        let now: Timestamp = "2024-05-14T12:00:00Z".parse().unwrap();
        let mut runtime = Runtime::new(2, inventory(), now, &Limits::default());
        let [root, ops] = [0, 1].map(|at| record(&events()[at]));
        for (script, record, name) in [
            (&plain, &root, "root"),
            (&traced, &root, "root"),
            (&plain, &root, "root"),
            (&plain, &ops, "ops"),
            (&traced, &ops, "ops"),
        ] {
            let actor = runtime.actor(script, record);
            assert_eq!((actor.name.as_deref(), actor.traced.is_some()), (Some(name), script.traces));
        }
    });
}

/// Rhai stops what takes too many operations; what is proved does not go on where it would.
#[test]
fn what_takes_too_long_is_left_to_rhai() {
    // What is left out because nobody asks for it takes operations, too.
    let mut unused: String = (0..300).map(|at| format!("let a{at} = [{at}, n]; ")).collect();
    unused = format!("let n = 0; for x in event.list {{ {unused} n += 1; }} n > 5");
    on_big_stack(|| {
        let event = record(&json!({ "list": vec![1; 1_000] }));
        for body in [
            unused.as_str(),
            "let n = 0; while n < 400_000 { n += 1; } event.list != ()",
            "event.list.all(|a| event.list.all(|b| true))",
            "!event.list.some(|a| event.list.some(|b| a == 2 || b == 2))",
        ] {
            let script = script(body, "", &[]);
            let interpreted = interpreted(&script, &event);
            assert!(
                // Of time, where the machine is slow.
                matches!(&interpreted, Err(Stop::Fault(reason)) if reason.contains("operations") || reason.contains(OUT_OF_TIME)),
                "{interpreted:?}"
            );
            assert_eq!(script.predicate.as_ref().unwrap().ask(&event.value.view()), Verdict::Unknown, "{body}");
        }
        let script = script("event.list.all(|a| a == 1)", "", &[]);
        assert_eq!(script.predicate.as_ref().unwrap().ask(&event.value.view()), Verdict::True);
    });
}

/// Text is work, too: what makes much of it again and again is left to Rhai.
#[test]
fn much_text_is_left_to_rhai() {
    on_big_stack(|| {
        let event = record(&json!({ "list": vec!["a"; 900], "long": "Ä".repeat(30_000) }));
        for (body, verdict) in [
            (
                "let p = event.long.to_lower(); for x in event.list { if p == x { return true; } } false",
                Verdict::Unknown,
            ),
            ("event.list.some(|x| event.long.contains(x))", Verdict::Unknown),
            ("event.list.some(|x| regex(event.long, \"^a+$\"))", Verdict::Unknown),
            ("event.long.to_lower() == \"x\" || event.long.contains(\"y\")", Verdict::False),
        ] {
            let script = script(body, "", &[]);
            assert_eq!(script.predicate.as_ref().unwrap().ask(&event.value.view()), verdict, "{body}");
        }
    });
}

/// A variable stands for what it was given, so what is doubled again and again would soon be larger than memory.
#[test]
fn what_doubles_is_left_to_rhai() {
    on_big_stack(|| {
        for (first, step) in [
            ("let a = event.n;", "a += a;"),
            ("let a = event.n; let b = 1;", "a += b; b += a;"),
            ("let a = event.eventName;", "let a = `${a}${a}`;"),
            ("let a = event.t == true;", "let a = a || (a && event.n == 3);"),
            ("let a = event.n;", "let a = if event.t == true { a } else { [a] };"),
        ] {
            for (times, is_known) in [(2, true), (60, false)] {
                let script = script(&format!("{first} {} a == 5", step.repeat(times)), "", &[]);
                let verdict = script.predicate.as_ref().unwrap().ask(&record(&events()[0]).value.view());
                assert_eq!(verdict != Verdict::Unknown, is_known, "{step} {times} times");
            }
        }
    });
}

#[test]
fn conditions_are_found() {
    on_big_stack(|| {
        for (body, expected) in [
            ("event.eventName == \"A\"", "eventName=A"),
            ("if event.eventName != \"A\" { return false; } event.n / 0 == 1", "eventName=A"),
            ("!(event.eventName != \"A\" || event.x.y != \"b\")", "eventName=A x.y=b"),
            ("event.eventName in [\"A\", \"B\"] && regex(event.x, \"y\")", "eventName=A,B"),
            ("event.eventName == \"A\" || event.eventName == \"B\"", "eventName=A,B"),
            ("event.eventName == \"A\" || event.n == 1", ""),
            ("switch event.eventName { \"A\" => true, \"B\" => event.n / 0 == 1, _ => false }", "eventName=A,B"),
            ("is_named(event, \"A\") && either(event.x == \"1\", event.x == \"2\")", "eventName=A x=1,2"),
            ("event.n == 3", ""),
            ("let name = event.eventName; name == \"A\"", "eventName=A"),
            ("event.eventName == \"A\" || event.errorCode == \"E\"", "eventName=A|errorCode=E"),
            (
                "event.eventName == \"A\" && event.n == 1 || event.errorCode in [\"E\", \"F\"]",
                "eventName=A|errorCode=E,F",
            ),
            ("error_code(event) == \"E\"", "errorCode=E"),
            ("(event.errorCode ?? \"\") == \"E\"", "errorCode=E"),
            ("event.eventName.starts_with(\"A\") && regex(event.x, \"^y+z\")", "eventName~A"),
            ("regex(event.x, \"^yy+z\") || event.eventName == \"A\"", "x~y|eventName=A"),
            ("glob(event.x, [\"a*\", \"*bc*\"]) && !event.y.ends_with(\"z\")", "x~a,bc"),
            ("event.eventName.contains(\"\")", ""),
            ("event.errorCode != () && event.n == 3", "errorCode=*"),
            ("!(event.errorCode == () || event.x in [\"a\"])", "errorCode=*"),
            ("event.x == \"a\" || event.errorCode != ()", "x=a|errorCode=*"),
            ("list(event.x).some(|one| one.y == \"z\") && !event.w.all(|one| one.y == 1)", "x=* w=*"),
            ("event.x.all(|one| one.y == \"z\")", ""),
            ("event.eventName.to_lower() == \"a\"", "eventName=a"),
            ("event[\"x\"][\"y\"] == \"a\"", "x+x.y=a"),
            ("for name in NAMES { if event.eventName == name { return event.n == 3; } } false", "eventName=A,B"),
            ("for one in event.x { if one.y == \"z\" { return true; } } false", "x=*"),
            ("for one in event.x { if one.y == \"z\" { return false; } } event.n == 3", ""),
            ("let found = false; for one in event.x { found = true; } found", ""),
            ("let name = \"\"; if event.n == 3 { name = event.eventName; } name == \"A\"", "eventName=A"),
        ] {
            let script = script(body, "", &[]);
            let predicate = script.predicate.as_ref().unwrap();
            let told = |demand: &Demand<'_>| {
                let mut texts = demand.texts.clone();
                texts.extend(&demand.pieces);
                texts.sort_unstable();
                texts.extend(demand.anything.then_some("*"));
                let sign = if demand.pieces.is_empty() { "=" } else { "~" };
                let paths: Vec<String> = demand.question.paths().iter().map(|path| path.join(".")).collect();
                format!("{}{sign}{}", paths.join("+"), texts.join(","))
            };
            let covers: Vec<String> =
                predicate.required().iter().map(|cover| cover.iter().map(told).collect::<Vec<_>>().join("|")).collect();
            assert_eq!(covers.join(" "), expected, "{body}");
        }
    });
}

#[test]
fn nothing_is_excluded_before_a_look_up_that_may_not_be_evaluated() {
    on_big_stack(|| {
        let look_up = "lookup(\"ec2/volumes\", \"VolumeId\", \"v\") == ()";
        for (body, verdict) in [
            (format!("{look_up} && event.eventName == \"Z\""), Verdict::Unknown),
            (format!("event.eventName == \"Z\" && {look_up}"), Verdict::False),
            (format!("let x = {look_up}; event.eventName == \"Z\""), Verdict::Unknown),
        ] {
            let script = script(&body, "", &["ec2/volumes"]);
            let record = record(&events()[0]);
            assert_eq!(script.predicate.as_ref().unwrap().ask(&record.value.view()), verdict, "{body}");
            assert!(agrees(verdict, &interpreted(&script, &record)), "{body}");
        }
    });
}

/// Fields, some of them absent, some of odd kinds.
fn field() -> impl Strategy<Value = String> {
    let fields = [
        "event.eventName",
        "event.n",
        "event.t",
        "event.nope",
        "event.nothing",
        "event.errorCode",
        "event.a.b",
        "event.a.b.c",
        "event.list",
        "event.list[0]",
        "event.list[0].ip",
        "event[\"eventName\"]",
        "actor(event).type",
        "actor(event).arn",
        "actor(event).name",
        "error_code(event)",
        "event.a",
        "params.name",
        "params.most",
        "params.roles",
        "LIMIT",
        "NAMES",
        "event.eventName.x",
        "event.eventName.to_lower()",
        "event.a.to_upper()",
        "event.errorCode.split(\".\")",
        "event.errorCode.split(\".\")[1]",
        "event.list.split(\"A\")",
        "event.eventName.sub_string(0, event.n)",
        "event.eventName.replace(\"A\", \"B\")",
        "event.a.keys()",
        "event.a.values()",
        "event[\"a\"][\"b\"]",
        "event[\"a\"].b[\"c\"]",
        "event.list[0][\"ip\"]",
        "(event.list ?? [])",
        "parse_int(event.n)",
        "event.list.map(|i| i.ip)",
        "event.list.filter(|i| i.ip == \"A\")",
        "list(event.list).filter(|i| i.ip == \"A\").map(|i| i.ip)[0]",
        "event.list.find(|i| i.ip != ()).ip",
        "event.a.values().unique()",
        "[event.a, event.list, event.n].flatten()",
        "[event.a, event.eventName, event.n].join(\"+\")",
        "event.a.filter(|i| event.t)",
        "[event.n, event.t].map(|i| event.n + 1)",
        "event.list.map(|i| event.a.filter(|j| j == i)).len()",
        "(event.nope ?? event.eventName)",
        "text(event.n)",
        "number(event.n)",
        "request(event).name",
        "request(event).b",
        "request(event).b.c",
        "request(event)[0]",
        "response(event).b",
        "first(event.list)",
        "list(event.list)",
        "list(event.a)",
        "list(request(event).b)",
        "first(request(event).b).ip",
        "event.list.len()",
        "len(event.eventName)",
        "event.a.is_empty()",
        "arn(event.userIdentity.arn).account",
        "arn(event.a).id",
        "arn(event.t ?? \"arn:aws:s3:::b\").region",
        "cidr_contains(event.t, \"1.2.0.0/16\")",
        "cidr_overlaps(event.a, event.t)",
        "(event.n + 1)",
        "(event.n - 3)",
        "(7 % event.n)",
        "(event.n * event.a / 2)",
        "(event.eventName + event.n)",
        "`${event.eventName}-${event.n}/${event.a}`",
        "region(event)",
        "account(event)",
        "(#{ ip: event.n, b: event.a }).ip",
        "(#{ ip: [event.a], b: 1 / event.n })[\"ip\"][0]",
        "[#{ ip: event.n, b: event.a }][0]",
        "event.list.map(|i| #{ ip: i.ip, b: event.n })",
        "event.list.map(|i| #{ ip: i, at: [event.t] }).find(|m| m.ip == \"A\").at",
        "[event.list, #{ ip: event.t }, [#{ ip: event.n }]].flatten()",
        "to_json(#{ b: event.a, a: [event.n, event.t] })",
        "to_json(event.a)",
        "to_json([event.list, event.n + 1])",
    ];
    proptest::sample::select(fields.to_vec()).prop_map(str::to_owned)
}

fn literal() -> impl Strategy<Value = String> {
    let literals = ["\"A\"", "\"B\"", "\"Root\"", "\"\"", "3", "-1", "true", "false", "()", "1.5", "\"1.2.3.4\""];
    proptest::sample::select(literals.to_vec()).prop_map(str::to_owned)
}

fn condition() -> impl Strategy<Value = String> {
    let operator = proptest::sample::select(vec!["==", "!=", "<", ">=", ">", "<="]);
    let leaf = prop_oneof![
        4 => (field(), operator, literal()).prop_map(|(a, operator, b)| format!("{a} {operator} {b}")),
        1 => (field(), field()).prop_map(|(a, b)| format!("{a} == {b}")),
        2 => (field(), proptest::collection::vec(literal(), 0..4)).prop_map(|(a, list)| format!("{a} in [{}]", list.join(", "))),
        1 => (field(), literal()).prop_map(|(a, b)| format!("{a}.starts_with({b})")),
        1 => (field(), literal()).prop_map(|(a, b)| format!("{a}.contains({b})")),
        1 => (field(), literal()).prop_map(|(a, b)| format!("glob({a}, {b})")),
        // Text written out as a condition does not even parse.
        1 => field().prop_filter("text", |field| !field.starts_with('`')),
        1 => proptest::sample::select(vec!["succeeded(event)", "refused(event)", "is_aws_service(event)", "is_dry_run(event)",
            "failed(event)", "is_console(event)", "is_one_of(actor(event), params.roles)", "true", "false", "1 / 0 == 1",
            "lookup(\"ec2/volumes\", \"a\", \"b\") == ()", "is_named(event, \"A\")"]).prop_map(str::to_owned),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 2..4).prop_map(|parts| format!("({})", parts.join(" && "))),
            proptest::collection::vec(inner.clone(), 2..4).prop_map(|parts| format!("({})", parts.join(" || "))),
            inner.clone().prop_map(|inner| format!("!({inner})")),
            (inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(c, a, b)| format!("(if {c} {{ {a} }} else {{ {b} }})")),
            (field(), inner.clone(), literal())
                .prop_map(|(list, inner, b)| format!("{list}.some(|item| item.ip == {b} && {inner})")),
            (inner.clone(), literal())
                .prop_map(|(inner, b)| format!("[event.n, event.eventName].all(|item| item != {b} || {inner})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("either({a}, {b})")),
            (field(), literal(), inner.clone()).prop_map(|(f, b, a)| format!("(switch {f} + {b} {{ _ => {a} }})")),
            (field(), inner.clone(), inner).prop_map(|(f, a, b)| format!(
                "(switch {f} {{ \"A\" => {a}, 3 | true => {b}, () => true, _ => false }})"
            )),
        ]
    })
}

fn body() -> impl Strategy<Value = String> {
    let statement = prop_oneof![
        (condition(), condition()).prop_map(|(c, a)| format!("if {c} {{ return {a}; }}")),
        condition().prop_map(|c| format!("if !({c}) {{ return false; }}")),
        (field(), field()).prop_map(|(a, b)| format!("let x = {a}; let y = {b}; if x == y {{ return true; }}")),
        condition().prop_map(|c| format!("let z = {c};")),
        // A condition that was asked outside of a closure, and is carried into it, and on into another.
        (condition(), field(), literal()).prop_map(|(c, list, b)| {
            format!("let z = {c}; if {list}.some(|one| z && one.ip != {b}) {{ return true; }}")
        }),
        (field(), field(), literal()).prop_map(|(list, other, b)| format!(
            "if {list}.some(|one| {{ let z = {other}.all(|two| two.ip == one.ip || two == {b}); {other}.some(|three| z && three != one) }}) {{ return true; }}"
        )),
        field().prop_map(|f| format!(
            "switch {f} {{ \"A\" => {{}}, \"B\" => {{ return true; }}, _ => {{ return false; }} }}"
        )),
        Just("let list = [1]; list.push(event.n); if list.len() == 1 { return true; }".to_owned()),
    ];
    // Variables that change, and loops.
    let changing = prop_oneof![
        (field(), condition(), field(), literal()).prop_map(|(a, c, b, d)| {
            format!("let v = {a}; if {c} {{ v = {b}; }} else {{ v += 1; }} if v == {d} {{ return true; }}")
        }),
        (field(), condition(), literal(), condition()).prop_map(|(list, c, b, a)| {
            format!("for i in {list} {{ if i.ip == {b} || i == {b} {{ return {a}; }} if {c} {{ break; }} }}")
        }),
        (field(), literal(), condition(), literal()).prop_map(|(list, b, c, d)| {
            format!(
                "let k = 0; let s = \"\"; for i in {list} {{ if i == {b} {{ continue; }} k += 1; if {c} {{ s += i; }} }} if k == {d} || s == {d} {{ return true; }}"
            )
        }),
        (field(), field(), literal()).prop_map(|(list, other, b)| {
            format!(
                "let k = {other}; for i in {list} {{ for j in {other} {{ if j == i {{ k = j; break; }} if j == {b} {{ return false; }} }} }} if k == {b} {{ return true; }}"
            )
        }),
        (field(), field(), condition()).prop_map(|(a, b, c)| {
            format!("let k = 0; for i in [{a}, \"A\", {b}] {{ if {a} == i && {c} {{ k += 1; }} }} if k > 1 {{ return true; }}")
        }),
        (field(), literal(), condition()).prop_map(|(list, b, c)| {
            format!(
                "let k = 0; for (i, at) in {list} {{ if i == {b} {{ k += at; continue; }} if {c} {{ k += 2; }} }} if k > 1 {{ return true; }}"
            )
        }),
        (field(), field(), condition(), literal()).prop_map(|(list, other, c, b)| {
            format!(
                "let k = 0; let l = {list}; while k < 3 {{ k += 1; if l[k - 1] == {b} {{ break; }} if {c} {{ k += 1; }} }} for i in 0..k {{ if l[i] == {other} {{ return true; }} }}"
            )
        }),
        (field(), literal(), condition()).prop_map(|(list, b, c)| {
            format!("for i in NAMES {{ if {list}.some(|one| one == i || one.ip == {b}) {{ return {c}; }} }}")
        }),
    ];
    // Lists that grow.
    let growing = prop_oneof![
        (field(), literal(), condition(), field()).prop_map(|(list, b, c, other)| {
            format!(
                "let g = [{b}]; for i in {list} {{ if i == {b} {{ g.push({other}); continue; }} if {c} {{ g.push(i.ip); }} }} if g.len() > 1 && g.contains({other}) {{ return true; }}"
            )
        }),
        (field(), field(), condition(), literal()).prop_map(|(a, b, c, d)| {
            format!(
                "let g = [{a}, {b}]; g.push({d}); let h = g; if {c} {{ h.push({b}); g.push({a}); }} else {{ g = {b}; g.push({d}); }} for x in g {{ if x == {d} && h.len() > 3 {{ return {c}; }} }}"
            )
        }),
        (field(), condition(), field()).prop_map(|(list, c, start)| {
            format!(
                "let g = {start}; let k = 0; while k < 3 {{ k += 1; if {c} {{ continue; }} g.push(k); for i in {list} {{ g.push(i); if g.len() > 4 {{ break; }} }} }} if g.some(|x| x == 2) {{ return g.extract(1, 2).len() == 2; }}"
            )
        }),
        (field(), condition(), field()).prop_map(|(list, c, other)| {
            format!("let g = []; for i in {list} {{ let h = []; h.push({other}); if {c} {{ g.push(h); }} }} if flatten(g).len() == g.len() {{ return {c}; }}")
        }),
    ];
    // Maps that are made, and asked for their members.
    let mapping = prop_oneof![
        (field(), field(), condition(), literal()).prop_map(|(a, b, c, d)| {
            format!("let m = #{{ ip: {a}, b: #{{ ip: {b} }}, n: [{d}] }}; if m.ip == {d} || m.b.ip == {d} {{ return {c}; }} if m[\"n\"][0] == m.nope {{ return true; }}")
        }),
        (field(), condition(), field(), literal()).prop_map(|(list, c, other, b)| {
            format!(
                "let g = []; for i in {list} {{ if {c} {{ continue; }} g.push(#{{ ip: i.ip, at: {other} }}); }} if g.some(|m| m.ip == {b} && m.at != {b}) {{ return {c}; }}"
            )
        }),
        (field(), condition(), field(), literal()).prop_map(|(list, c, other, b)| {
            format!(
                "let g = {list}.map(|i| #{{ ip: i, at: {other} }}); let f = g.find(|m| m.ip == {b}); if f.at == {other} {{ return {c}; }} for m in g {{ if m.at == {b} {{ return true; }} }}"
            )
        }),
        (condition(), field(), field(), literal()).prop_map(|(c, a, b, d)| {
            format!("let m = if {c} {{ #{{ ip: {a} }} }} else {{ {b} }}; let n = m ?? #{{ ip: {d} }}; if n.ip == {d} && n != {d} {{ return true; }}")
        }),
        (field(), condition(), field(), literal()).prop_map(|(list, c, other, b)| {
            format!(
                "let m = #{{ ip: {other} }}; for i in {list} {{ if {c} {{ m = #{{ ip: i, last: m.ip }}; }} else {{ m = i; }} }} if m.last == {b} || m == {b} {{ return true; }}"
            )
        }),
    ];
    let statement = prop_oneof![4 => statement, 2 => changing, 1 => growing, 1 => mapping];
    (proptest::collection::vec(statement, 0..3), condition())
        .prop_map(|(statements, last)| format!("{} {last}", statements.join(" ")))
}

fn event() -> impl Strategy<Value = Json> {
    let value = prop_oneof![
        4 => proptest::sample::select(vec![json!("A"), json!("B"), json!("Root"), json!(""), json!(3), json!(-1), json!(true), json!(false),
            json!(null), json!(1.5), json!("1.2.3.4"), json!("Client.AccessDenied"), json!("AccessDenied")]),
        1 => Just(json!({"b":"A","ip":"A"})),
        1 => Just(json!({"b":{"c":"A"}})),
        1 => Just(json!([{"ip":"A"},{"ip":3},"A"])),
        1 => Just(json!([])),
        1 => Just(json!({"XRequest":{"b":"A"}})),
        1 => Just(json!({"b":{"tag":1,"content":"A"}})),
        1 => Just(json!({"b":[{"ip":"{\"c\":1}"}]})),
        1 => Just(json!("{\"b\":\"A\"}")),
    ];
    let names = [
        "eventName",
        "n",
        "t",
        "errorCode",
        "a",
        "list",
        "nothing",
        "requestParameters",
        "responseElements",
        "userAgent",
    ];
    let identity = prop_oneof![
        Just(json!(null)),
        Just(json!({"type":"Root","arn":"A"})),
        Just(json!({"invokedBy":"x.amazonaws.com"})),
        Just(json!({"type":"AssumedRole","arn":"arn:aws:sts::111122223333:assumed-role/ops/eve"})),
        Just(json!("A")),
    ];
    (proptest::collection::vec((proptest::sample::select(names.to_vec()), value), 0..8), identity).prop_map(
        |(members, identity)| {
            let mut event: serde_json::Map<String, Json> =
                members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
            event.insert("userIdentity".to_owned(), identity);
            event.into()
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn generated_scripts_say_what_rhai_says(
        body in body(),
        events in proptest::collection::vec(event(), 1..8),
        needs in any::<bool>(),
        known in proptest::collection::btree_set(0_usize..8, 0..8),
    ) {
        let mut problems = Vec::new();
        on_big_stack(|| {
            let script = script(&body, "", if needs { &["ec2/volumes"] } else { &[] });
            let predicate = script.predicate.as_ref().unwrap_or_else(|| panic!("{body}"));
            for event in &events {
                let record = record(event);
                let interpreted = interpreted(&script, &record);
                problems.extend(contradictions(predicate, &record, &known, &interpreted));
            }
        });
        prop_assert!(problems.is_empty(), "{}", problems.join("\n"));
    }

    #[test]
    fn generated_hooks_say_what_rhai_says(
        parts in proptest::collection::vec(field(), 1..4),
        asked in condition(),
        events in proptest::collection::vec(event(), 1..8),
    ) {
        let mut problems = Vec::new();
        on_big_stack(|| {
            let text: Vec<String> = parts.iter().map(|part| format!("${{{part}}}")).collect();
            let hooks = format!(
                "fn title(event) {{ let x = {first}; if {asked} {{ return `{text} ${{x}}`; }} `{text}` }}\nfn context(event) {{ #{{ a: {first}, all: [{list}], b: if {asked} {{ 1 }} else {{ {first} }} }} }}",
                first = parts[0], text = text.join("-"), list = parts.join(", ")
            );
            let script = script("true", &hooks, &[]);
            for event in &events {
                problems.extend(other_hooks(&script, &record(event)).0);
            }
        });
        prop_assert!(problems.is_empty(), "{}", problems.join("\n"));
    }

    #[test]
    fn generated_hooks_over_hits_say_what_rhai_says(
        parts in proptest::collection::vec(field(), 1..4),
        asked in condition(),
        body in body(),
        hits in proptest::collection::vec(event(), 1..5),
    ) {
        let mut problems = Vec::new();
        on_big_stack(|| {
            let first = &parts[0];
            let script = of_window(&format!(
                "fn title(hits) {{ let event = hits[-1]; if {asked} {{ return `${{{first}}}`; }} join(hits.map(|event| {first}), \",\") }}\n\
                 fn context(hits) {{ #{{ a: hits.map(|event| {first}), b: hits.filter(|event| {asked}).len(), all: unique(hits.map(|event| [{list}])) }} }}\n\
                 fn confirm(hits) {{ hits.some(|event| {asked}) }}\n\
                 fn resources(hits) {{ let all = []; for event in hits {{ if {asked} {{ continue; }} return [{first}]; }} all }}\n\
                 fn severity(hits) {{ let event = first(hits); {body} }}",
                list = parts.join(", "),
            ));
            problems.extend(other_hooks(&script, &record(&hits.into())).0);
        });
        prop_assert!(problems.is_empty(), "{}", problems.join("\n"));
    }
}
