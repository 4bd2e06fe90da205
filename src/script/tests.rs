//! Scripts over values: null-safety, examples of every function, limits.

use std::sync::Arc;

use super::functions::FAMILIES;
use super::*;
use crate::inventory::Builder;
use crate::record::{CLOUDTRAIL, Document, Node, Origin, Scope};

const EVENT: &str = r#"{"eventName":"StopLogging","eventSource":"cloudtrail.amazonaws.com","recipientAccountId":"111122223333","awsRegion":"us-east-1",
  "tag":"T","n":5,"t":true,"nothing":null,"requestParameters":{"name":"trail","one":{"ip":"1.2.3.4"},"list":[{"ip":"1.2.3.4"},{"ip":"5.6.7.8"}]},
  "resources":[{"ARN":"arn:aws:cloudtrail:us-east-1:111122223333:trail/t"}]}"#;

fn record(kind: &str, json: &str) -> Record {
    Record {
        kind: kind.into(),
        id: None,
        time: None,
        scope: Scope { account: Some("111122223333".into()), region: Some("us-east-1".into()) },
        value: Node::from(Document::parse(json.as_bytes()).unwrap()),
        origin: Origin::default(),
    }
}

fn ask(expression: &str, event: &Record) -> Result<Value, Stop> {
    ask_over(&inventory(), expression, event)
}

fn ask_over(inventory: &Arc<Inventory>, expression: &str, event: &Record) -> Result<Value, Stop> {
    let mut expression = Expression::new(expression, Arc::clone(inventory), now(), &Limits::default())
        .map_err(|error| Stop::Fault(error.to_string()))?;
    expression.evaluate(event)
}

fn inventory() -> Arc<Inventory> {
    let mut inventory = Builder::default();
    for (allocation, ip) in [("eipalloc-1", "198.51.100.7"), ("eipalloc-2", "198.51.100.8")] {
        inventory.add(record(
            "ec2/addresses",
            &format!(r#"{{"AllocationId":"{allocation}","PublicIp":"{ip}","Domain":"vpc"}}"#),
        ));
    }
    let whole = record("ec2/addresses", "{}").scope;
    inventory.note_collected(&"ec2/addresses".into(), whole, crate::inventory::Collected::Whole);
    Arc::new(inventory.finish().0)
}

fn now() -> Timestamp {
    "2024-05-14T12:00:00Z".parse().unwrap()
}

fn on_big_stack(test: impl FnOnce() + Send) {
    std::thread::scope(|scope| {
        std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, test).unwrap().join().unwrap();
    });
}

fn all_true(expressions: &[&str]) {
    on_big_stack(|| {
        let event = record(CLOUDTRAIL, EVENT);
        for expression in expressions {
            assert_eq!(ask(expression, &event), Ok(true.into()), "{expression}");
        }
    });
}

#[test]
fn every_example_is_true() {
    let examples: Vec<&str> =
        FAMILIES.iter().flat_map(|family| family.rows).flat_map(|row| row.examples.iter().copied()).collect();
    assert!(FAMILIES.iter().flat_map(|family| family.rows).all(|row| !row.examples.is_empty()));
    all_true(&examples);
}

#[test]
fn every_function_answers_over_nothing_and_over_the_wrong_kind() {
    on_big_stack(|| {
        let event = record(CLOUDTRAIL, EVENT);
        let values = [
            "()",
            "5",
            "true",
            "1.5",
            "[]",
            "[1, \"a\"]",
            "#{ a: 1 }",
            "\"text\"",
            "event",
            "event.resources",
            "event.nothing",
            "'c'",
        ];
        for row in FAMILIES.iter().flat_map(|family| family.rows) {
            for first in values {
                for second in values {
                    let args = [first, second, second];
                    let call = format!("{}({})", row.name, args[..row.params.len()].join(", "));
                    let answer = ask(&call, &event);
                    // A text that is no pattern or path is a mistake in the policy's own text.
                    let mistake = row.name == "jsonpath" && second == "\"text\"";
                    assert!(answer.is_ok() || mistake, "{call}: {answer:?}");
                }
            }
        }
    });
}

#[test]
fn rhais_own_functions_answer_over_nothing_and_over_the_wrong_kind() {
    on_big_stack(|| {
        let event = record(CLOUDTRAIL, EVENT);
        for value in
            ["()", "5", "true", "event", "event.n", "event.t", "event.nothing", "event.nope", "event.requestParameters"]
        {
            for (call, over_nothing) in [
                ("starts_with(\"a\")", "false"),
                ("ends_with(\"a\")", "false"),
                ("contains(\"zz\")", "false"),
                ("to_lower()", "()"),
                ("to_upper()", "()"),
                ("split(\",\")", "[]"),
                ("trim()", "()"),
                ("replace(\"a\", \"b\")", "()"),
                ("sub_string(1)", "()"),
                ("sub_string(1, 2)", "()"),
            ] {
                // As a list of one, a shown map gives its items to `split`.
                if call.starts_with("split") && matches!(value, "event" | "event.requestParameters") {
                    continue;
                }
                let expression = format!("{value}.{call} == {over_nothing}");
                assert_eq!(ask(&expression, &event), Ok(true.into()), "{expression}");
            }
        }
        for value in ["()", "5", "true", "event.n", "event.nothing", "event.nope", "event.eventName"] {
            for (call, over_nothing) in [
                ("some(|x| x == 1)", "false"),
                ("all(|x| x == 1)", "true"),
                ("filter(|x| x == 1)", "[]"),
                ("map(|x| x)", "[]"),
                ("find(|x| x == 1)", "()"),
            ] {
                let expression = format!("{value}.{call} == {over_nothing}");
                assert_eq!(ask(&expression, &event), Ok(true.into()), "{expression}");
            }
        }
        for wrong in [
            "\"abc\".starts_with(())",
            "\"abc\".contains(5)",
            "\"abc\".ends_with(event)",
            "[1].contains(())",
            "5 in ()",
            "\"a\" in event.nope",
            "() in event.resources",
        ] {
            assert_eq!(ask(wrong, &event), Ok(false.into()), "{wrong}");
        }
    });
}

#[test]
fn steps_are_null_safe() {
    all_true(&[
        "event.nope == ()",
        "event.nope.x.y == ()",
        "event.eventName.x == ()",
        "(loop { break event.eventName.of_a_loop; }) == ()",
        "event.n.x == ()",
        "event.t.x.y == ()",
        "event.nothing.x == ()",
        "event.resources.x == ()",
        "event.resources[9] == ()",
        "event.resources[9].ARN == ()",
        "event.resources[-1].ARN != ()",
        "event[\"nope\"][\"x\"] == ()",
        "event.nope[0] == ()",
        "event.requestParameters[0] == ()",
        "event.resources[\"x\"] == ()",
        "[1, 2][7] == ()",
        "event.tag == \"T\"",
        "().tag == ()",
        "event.nope.tag == ()",
        "event.eventName.tag == ()",
        "() == ()",
        "!(event.nope == \"x\")",
        "event.nope != \"x\"",
        "!(event.nope < 5)",
        "!(event.nope > 5)",
        "!(event.nope <= 5)",
        "!(event.requestParameters < 5)",
        "!(5 >= event.requestParameters)",
        "event.requestParameters != ()",
        "event.requestParameters != \"x\"",
        "event.requestParameters == event.requestParameters",
        "event.requestParameters != event.resources",
        "\"name\" in event.requestParameters",
        "!(\"nope\" in event.requestParameters)",
        "\"nope\" !in event.requestParameters",
        "event.requestParameters.len() == 3",
        "event.requestParameters.keys() == [\"name\", \"one\", \"list\"]",
        "event.resources == [#{ ARN: \"arn:aws:cloudtrail:us-east-1:111122223333:trail/t\" }]",
    ]);
}

#[test]
fn lists_of_a_record_are_lists_and_one_object_is_a_list_of_it() {
    all_true(&[
        "event.requestParameters.list.some(|x| x.ip == \"5.6.7.8\")",
        "event.requestParameters.one.some(|x| x.ip == \"1.2.3.4\")",
        "event.requestParameters.list.map(|x| x.ip) == [\"1.2.3.4\", \"5.6.7.8\"]",
        "event.requestParameters.list.filter(|x| x.ip != \"1.2.3.4\").len() == 1",
        "event.requestParameters.list.find(|x| x.ip == \"5.6.7.8\").ip == \"5.6.7.8\"",
        "event.requestParameters.list.all(|x| x.ip != ())",
        "let n = 0; for x in event.requestParameters.list { n += 1; } n == 2",
        "let n = 0; for x in event.requestParameters.one { n += 1; } n == 1",
        "let n = 0; for x in event.nope { n += 1; } n == 0",
        "let n = 0; for x in all(\"ec2/addresses\") { n += 1; } n == 2",
        "all(\"ec2/addresses\")[1].PublicIp == \"198.51.100.8\"",
        "all(\"ec2/addresses\").map(|a| a.PublicIp).contains(\"198.51.100.7\")",
        "first(event.requestParameters.list).ip == \"1.2.3.4\" && first(event.requestParameters.one).ip == \"1.2.3.4\"",
        "first(event.requestParameters.name) == () && first([]) == () && first([[1], 2]) == [1]",
        "unique([\"a\", 'a', \"b\", 1, \"1\", true, \"true\", (), [1], [1], #{ a: 1 }, #{ a: 1 }, \"\\\"a\\\"\"]).len() == 10",
        "unique(event.requestParameters.list.map(|x| x.nope)) == [()] && unique(event.requestParameters.one).len() == 1",
        "join(['a', \"b\", 1, (), true, [\"c\"]], \"-\") == \"a-b-1-true-[\\\"c\\\"]\"",
        "overlap([\"1\", 1, 'x'], [1, \"x\"]) == [1, 'x']",
        "let odd = join([all(\"ec2/addresses\"), Fn(\"first\")], \" \"); odd.starts_with(\"<\") && !odd.contains('\"')",
        "list(event.requestParameters.one).len() == 1",
        "list(event.requestParameters.list).len() == 2",
        // A closure takes the item, the item and its place, or nothing but `this`; or it is a function by its name.
        "event.requestParameters.list.map(|x, at| at) == [0, 1]",
        "event.requestParameters.list.filter(|x, at| at == 1)[0].ip == \"5.6.7.8\"",
        "event.requestParameters.list.some(|| this.ip == \"5.6.7.8\")",
        "[3, 4].map(|x, at| x * 10 + at) == [30, 41]",
        "[3, 4].filter(|| this > 3) == [4]",
        "[\"8.8.8.8\", \"10.0.0.1\"].filter(Fn(\"is_public_ip\")) == [\"8.8.8.8\"]",
        "[1, 2, 3].reduce(|sum, x| sum + x, 10) == 16",
        "[1, 2, 3].reduce(|sum, x, at| sum + x * at, 0) == 8",
        "[1, 2, 3].reduce_rev(|sum, x| `${sum}${x}`, \"\") == \"321\"",
        "[1, 2, 3].find(|x| x > 1, -1) == 3",
        "[1, 2, 3].index_of(|x| x > 5) == -1",
        "[1, 2, 3].find_map(|x| if x > 1 { x * 2 }) == 4",
        "let n = 2; [[1], [2, 3]].some(|xs| xs.len() == n && xs.some(|x| x == n + 1))",
        "let n = 0; [1, 2].map(|x| { n += x; n }) == [1, 3] && n == 3",
        "[1, 2].all(|x| ()) == false && [1, 2].filter(|x| if x == 1 { true }) == [1]",
        "event.requestParameters.list.index_of(|x| x.ip == \"5.6.7.8\") == 1",
        // A closure that only steps into its item, over records, nothing, scalars, and lists and maps of the script.
        "event.requestParameters.list.filter(|x| x.nope) == [] && !event.requestParameters.list.some(|x| x.nope.deeper)",
        "[event, event.requestParameters, (), 7, \"text\", true].map(|x| x.requestParameters.one.ip) == [\"1.2.3.4\", (), (), (), (), ()]",
        "[#{ a: #{ b: 1 } }, #{ a: 2 }, event, #{}].map(|x| x.a.b) == [1, (), (), ()]",
        "[[1, 2], \"abc\", []].map(|x| x.len) == [2, 3, 0]",
        "[event].map(|x| x.requestParameters).map(|x| x.name) == [\"trail\"]",
        "let x = event.requestParameters; [event].map(|y| x.name) == [\"trail\"]",
        "all(\"ec2/addresses\").map(|x| x.PublicIp)[1] == \"198.51.100.8\"",
    ]);
}

#[test]
fn a_closure_over_a_field_may_read_the_event() {
    all_true(&[
        "let e = event; e.requestParameters.list.some(|x| x.ip == e.requestParameters.one.ip)",
        "let p = event.requestParameters; p.list.filter(|x| p.one.ip == x.ip).len() == 1",
        "let wanted = \"5.6.7.8\"; event.requestParameters.list.some(|x| x.ip == wanted)",
        "let n = 0; event.requestParameters.list.for_each(|x| n += 1); n == 2",
        "let l = event.requestParameters.list; l.some(|x| l.len() == 2 && x.ip == \"1.2.3.4\")",
        // What is captured is shared; a list has items of its own.
        "let v = 5; let r = [1].map(|x| (switch x { 9 => 1, _ => v })); r == [5]",
        "let v = 5; [1].map(|x| { loop { break v; } }) == [5]",
        "let v = 5; let r = [1].map(|x| switch x { 1 => v, _ => 0 }); v = 7; r[0] == 5 && v == 7",
        "let n = 0; [1, 2].map(|x| { n += 1; switch x { 9 => 1, _ => n } }) == [1, 2]",
        "let v = \"z\"; event.requestParameters.list.map(|x| if x == 9 { 1 } else { switch x { 3 => 1, _ => v } }) == [\"z\", \"z\"]",
        "let v = 5; [[1]].map(|x| x.map(|y| switch y { _ => v })) == [[5]]",
        "let v = 5; [1, 2].reduce(|sum, x| switch x { 9 => 1, _ => v }) == 5",
        "let v = 5; [1].find_map(|x| switch x { 9 => 1, _ => v }) == 5",
    ]);
}

#[test]
fn a_variable_that_holds_a_part_of_the_record_can_be_assigned_to() {
    all_true(&[
        "let x = event.requestParameters.list; x = x.filter(|i| i.ip == \"1.2.3.4\"); x.len() == 1",
        "let node = event; while node.requestParameters != () { node = node.requestParameters; } node.name == \"trail\"",
        "let best = (); for i in event.requestParameters.list { best = i; } best.ip == \"5.6.7.8\"",
    ]);
}

/// A closure that only steps into its item copies what it finds, which counts as what Rhai does.
#[test]
fn a_list_cannot_be_made_of_one_long_text() {
    on_big_stack(|| {
        let event = record(CLOUDTRAIL, &format!(r#"{{"long":"{}","short":"x"}}"#, "y".repeat(100_000)));
        let ask =
            |name: &str| ask(&format!("let l = []; l.pad(9000, event); l.map(|x| x.{name}).len() == 9000"), &event);
        assert_eq!(ask("short"), Ok(true.into()));
        match ask("long") {
            Err(Stop::Fault(reason)) => assert!(reason.contains("operations"), "{reason}"),
            other => panic!("{other:?}"),
        }
    });
}

/// What an attacker may write where a policy expects an object, and what Rhai itself would make of it.
#[test]
fn a_step_into_a_scalar_is_nothing() {
    all_true(&[
        "event.eventName.name == ()",
        "event.n.name == ()",
        "event.eventName.start == ()",
        "event.n.end == ()",
        "[1].name == ()",
        "event[event.nope] == ()",
        "event.nope[event.nope] == ()",
        "1.5[\"x\"] == ()",
        "1.5[0] == ()",
        "parse_int(\"x\") == ()",
        "parse_float(\"x\") == ()",
        "parse_int(\"12\") == 12",
        "event.nope.reduce(|sum, x| sum + x, 7) == 7",
        "event.requestParameters.list.map(|x, i| i) == [0, 1]",
        "event.requestParameters.list.map(|x| x.ip).order_desc()[0] == \"5.6.7.8\"",
    ]);
}

#[test]
fn a_hostile_script_is_stopped() {
    on_big_stack(|| {
        let event = record(CLOUDTRAIL, EVENT);
        for (script, says) in [
            ("loop {}", "operations"),
            ("fn f(x) { f(x + 1) } f(0)", "deep"),
            ("let s = \"x\"; loop { s += s; }", "too large"),
            ("let s = \"x\"; for i in 0..18 { s += s; } loop { s.replace(\"x\", s); }", "too large"),
            ("let a = [1]; loop { a.append(a); }", "too large"),
            ("let a = []; loop { a.push(1); }", "too large"),
            ("let m = #{}; let i = 0; loop { m[`k${i}`] = i; i += 1; }", "operations"),
            ("let i = 0; loop { regex(\"a\", `(a*)*b${i}`); i += 1; }", "operations"),
            (
                "regex(\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\", \"(a+)+$\") || regex(\"x\", \"(((a{100}){100}){100})\")",
                "not a regular expression",
            ),
            ("let t = \"x\"; t.pad(100000, \"x\"); loop { t.contains(\"y\"); glob(t, \"*a*b*c*d*\"); }", "operations"),
            (
                "let a = []; for i in 0..2000 { a.push(i); } let b = a; let c = a; a.some(|x| b.some(|y| c.some(|z| z < 0)))",
                "operations",
            ),
            ("[1].some(|x| \"true\")", "not a boolean"),
            ("event.requestParameters.list.filter(|x| 1) == []", "answered int, not a boolean"),
            ("[1].some(|x| event)", "answered a list or an object of the record, not a boolean"),
            ("sleep(5)", "not allowed"),
            ("Fn(\"sleep\").call(5)", "not allowed"),
            ("throw \"\\u001b[31mred\"", "\\u{1b}"),
        ] {
            let started = std::time::Instant::now();
            match ask(script, &event) {
                Err(Stop::Fault(reason)) => assert!(reason.contains(says), "{script}: {reason}"),
                other => panic!("{script}: {other:?}"),
            }
            assert!(started.elapsed().as_secs() < 60, "{script}");
        }
    });
}

#[test]
fn a_closure_over_what_holds_its_own_list_is_told_what_to_do() {
    on_big_stack(|| {
        let event = record(CLOUDTRAIL, EVENT);
        let held = "let a = [#{ list: [1, 2], least: 2 }];";
        match ask(&format!("{held} a[0].list.filter(|x| x >= a[0].least)"), &event) {
            Err(Stop::Fault(reason)) => assert!(reason.contains("`let list = …; list.filter(…)`"), "{reason}"),
            other => panic!("{other:?}"),
        }
        let told = ask(&format!("{held} let list = a[0].list; list.filter(|x| x >= a[0].least)"), &event);
        assert_eq!(told, Ok(serde_json::json!([2])));
    });
}

/// The names that Rhai gives to closures are others in each run, and reports are the same.
#[test]
fn a_fault_of_a_closure_does_not_name_it() {
    on_big_stack(|| {
        let event = record(CLOUDTRAIL, EVENT);
        match ask("event.requestParameters.list.some(|a, b, c| true)", &event) {
            Err(Stop::Fault(reason)) => {
                assert!(reason.starts_with("a closure has other parameters than it is given: ("), "{reason}");
                assert!(!reason.contains("anon"), "{reason}");
            }
            other => panic!("{other:?}"),
        }
    });
}

#[test]
fn what_is_judged_cannot_be_changed() {
    on_big_stack(|| {
        let event = record(CLOUDTRAIL, EVENT);
        for script in [
            "event.eventName = 5; true",
            "event[\"eventName\"] = 5; true",
            "event.requestParameters.x = 5; true",
            "event.requestParameters.x.y = 5; true",
            "event.nothing.x = 5; true",
        ] {
            match ask(script, &event) {
                Err(Stop::Fault(reason)) => assert!(reason.contains("cannot be changed"), "{script}: {reason}"),
                other => panic!("{script}: {other:?}"),
            }
        }
        // A method that could change what it is called on is given a copy.
        let changed = "event.eventName.make_upper(); event.eventName != event.eventName.to_upper()";
        assert_eq!(ask(changed, &event), Ok(true.into()));
    });
}

#[test]
fn the_head_of_a_file_is_left_out_and_no_line_moves() {
    for (text, script) in [
        ("//! a\n\n//! b\r\nfn f() { }", "\n\n\nfn f() { }"),
        ("\n//! a\n// c\n//! b\n", "\n\n// c\n//! b\n"),
        ("//! a\n/// f\nfn f() { }", "\n/// f\nfn f() { }"),
        ("//! a", "//! a"),
        ("", ""),
        // The second line, to Rhai.
        ("//! a\rfn f() { }\n", "//! a\rfn f() { }\n"),
    ] {
        assert_eq!(sandbox::script(text), script, "{text:?}");
        let parser = sandbox::parser(&Limits::default());
        let functions = |text: &str| {
            let tree = parser.compile(text).unwrap();
            tree.iter_fn_def().map(|function| function.body.start_position()).collect::<Vec<_>>()
        };
        assert_eq!(functions(text), functions(script), "{text:?}");
    }
}

#[test]
fn what_a_pack_shares_is_compiled_once() {
    on_big_stack(|| {
        let text = |text: &str| Arc::new(SourceText { file: String::new(), text: text.to_owned() });
        let library = text("fn kept(event) { let kept = event.a; kept = 1; kept }");
        let packs: [Arc<[_]>; 2] = [Arc::from([Arc::clone(&library)]), Arc::from([library])];
        let script = |libraries: &Arc<[_]>, policy: &str| Script {
            source: text(policy),
            libraries: Arc::clone(libraries),
            params: Value::Null,
            constants: BTreeMap::new(),
            hooks: BTreeSet::from(["matches".to_owned()]),
            uses: Arc::from([]),
            needs: Arc::from([]),
            traces: false,
            predicate: None,
            answers: BTreeMap::new(),
            wording: (Vec::new(), Given::Record),
            words: OnceLock::new(),
        };
        let limits = Limits::default();
        let mut compiler = Compiler::new(&limits, &sandbox::bare_env(&limits));
        let mut assigned =
            |libraries: &Arc<[_]>, policy: &str| compiler.compile(&script(libraries, policy)).unwrap().assigned;
        let first = assigned(&packs[0], "fn matches(event) { kept(event) == 1 }");
        let second = assigned(&packs[0], "fn matches(event) { let kept = 2; kept = 3; kept == 3 }");
        assert!(Rc::ptr_eq(&first, &second), "what the library assigns to was found twice");
        let own = assigned(&packs[0], "fn matches(event) { let own = 2; own = 3; own == 3 }");
        assert_eq!(own.iter().collect::<Vec<_>>(), ["kept", "own"]);
        let other = assigned(&packs[1], "fn matches(event) { kept(event) == 1 }");
        assert!(first == other && !Rc::ptr_eq(&first, &other), "packs share nothing");
    });
}

#[test]
fn closures_call_the_functions_of_their_own_script() {
    on_big_stack(|| {
        let event = record(CLOUDTRAIL, EVENT);
        let script = |wanted: u8| Script {
            source: Arc::new(SourceText {
                file: String::new(),
                text: format!("fn is_it(x) {{ x == {wanted} }}\nfn matches(event) {{ [1].some(|x| is_it(x)) }}"),
            }),
            libraries: Arc::from([]),
            params: Value::Null,
            constants: BTreeMap::new(),
            hooks: BTreeSet::from(["matches".to_owned()]),
            uses: Arc::from([]),
            needs: Arc::from([]),
            traces: false,
            predicate: None,
            answers: BTreeMap::new(),
            wording: (Vec::new(), Given::Record),
            words: OnceLock::new(),
        };
        let scripts = [script(1), script(2)];
        let mut runtime = Runtime::new(2, inventory(), now(), &Limits::default());
        // Look-ups are kept from the second time on.
        for _ in 0..4 {
            assert_eq!(runtime.call(0, &scripts[0], "matches", &event), Ok(true.into()));
            assert_eq!(runtime.call(1, &scripts[1], "matches", &event), Ok(false.into()));
        }
    });
}

/// Numbered volumes, more than a list may have items; those of the record's scope lie between those of others.
fn many_volumes() -> Arc<Inventory> {
    let mut inventory = Builder::default();
    for number in 0..12_000 {
        inventory.add(record("ec2/volumes", &format!(r#"{{"Number":{number},"Even":{}}}"#, number % 2 == 0)));
        let mut elsewhere = record("ec2/volumes", r#"{"Number":-1}"#);
        elsewhere.scope.region = Some("eu-west-1".into());
        inventory.add(elsewhere);
    }
    Arc::new(inventory.finish().0)
}

#[test]
fn a_view_may_be_longer_than_any_list() {
    on_big_stack(|| {
        let (inventory, event) = (many_volumes(), record(CLOUDTRAIL, EVENT));
        for expression in [
            "v.len() == 12000",
            "!v.is_empty()",
            "v[11999].Number == 11999",
            "v[-1].Number == 11999",
            "v[12000] == ()",
            "v.get(11999).Number == 11999",
            "v.get(-12000).Number == 0",
            "v.get(12000) == ()",
            "first(v).Number == 0",
            "list(v).len() == 12000",
            "let n = 0; for x in v { n += 1; } n == 12000",
            "v.some(|x| x.Number == 11999)",
            "!v.some(|x| x.Number == 12000)",
            "v.some(|x, at| at == 11999 && x.Number == at)",
            "v.all(|x| x.Number >= 0)",
            "!v.all(|x| x.Number < 11999)",
            "v.find(|x| x.Number == 11998).Number == 11998",
            "v.find(|x| x.Number == 3, 4) == ()",
            "v.find(|x| x.Number >= 0, -2).Number == 11998",
            "v.index_of(|x| x.Number == 11997) == 11997",
            "v.index_of(|x| x.Number == 3, 4) == -1",
            "v.index_of(v[11996]) == 11996",
            "v.index_of(\"x\") == -1",
            "v.contains(v[11995])",
            "v.contains(#{ Number: 11995, Even: false })",
            "!v.contains(#{ Number: 12000, Even: true })",
            "!v.contains(\"x\") && !v.contains(5) && !v.contains(())",
            "v[11994] in v",
            "v.find_map(|x| if x.Number == 11993 { x.Even }) == false",
            "v.find_map(|x| x.Nothing) == ()",
            "v.filter(|x| x.Even).len() == 6000",
            "v.filter(|x| x.Number > 11998)[0].Number == 11999",
            "v.reduce(|sum, x| sum + x.Number, 0) == 71994000",
            "v.reduce(|sum, x, at| if sum == () { at } else { sum }) == 0",
            "v.reduce_rev(|sum, x, at| if sum == () { [x.Number, at] } else { sum }) == [11999, 11999]",
            "let n = 0; v.for_each(|at| n += at); n == 71994000",
            "v.extract(11990).len() == 10",
            "v.extract(-3, 2).map(|x| x.Number) == [11997, 11998]",
            "v.extract(5..8).map(|x| x.Number) == [5, 6, 7]",
            "v.extract(5..=8).len() == 4",
            "v.split(11990).len() == 10",
            "overlap([v[7], 1], v).len() == 1",
        ] {
            let asked = format!("let v = all(\"ec2/volumes\"); {expression}");
            assert_eq!(ask_over(&inventory, &asked, &event), Ok(true.into()), "{expression}");
        }
    });
}

#[test]
fn all_resources_may_be_looked_at_however_many_there_are() {
    on_big_stack(|| {
        let (inventory, event) = (many_volumes(), record(CLOUDTRAIL, EVENT));
        let limits = Limits { operations: 1_000, ..Limits::default() };
        let ask = |text: &str| {
            Expression::new(text, Arc::clone(&inventory), now(), &limits).expect("it parses").evaluate(&event)
        };
        assert_eq!(ask("all(\"ec2/volumes\").all(|x| x.Number >= 0 && x.Number != 12000)"), Ok(true.into()));
        assert_eq!(ask("let n = 0; for x in all(\"ec2/volumes\") { n += 1; } n == 12000"), Ok(true.into()));
        let nested = "all(\"ec2/volumes\").all(|x| all(\"ec2/volumes\").some(|y| x.Number == y.Number))";
        let Err(Stop::Fault(reason)) = ask(nested) else { panic!("all pairs were looked at") };
        assert_eq!(reason, "used more than 481000 operations");
    });
}

#[test]
fn what_is_made_of_a_view_is_a_list_and_has_its_limit() {
    on_big_stack(|| {
        let (inventory, event) = (many_volumes(), record(CLOUDTRAIL, EVENT));
        for expression in [
            "v.map(|x| x.Number)",
            "v.filter(|x| true)",
            "v.extract(0)",
            "v.extract(0, 10001)",
            "v.split(1)",
            "v.order_by(|a, b| a.Number - b.Number)",
            "v.zip([1], |a, b| a)",
            "unique(v)",
            "flatten([v])",
            "overlap(v, v)",
        ] {
            let asked = format!("let v = all(\"ec2/volumes\"); {expression}");
            match ask_over(&inventory, &asked, &event) {
                Err(Stop::Fault(reason)) => {
                    assert!(reason.contains("lists may have 10000 items"), "{expression}: {reason}")
                }
                other => panic!("{expression}: {other:?}"),
            }
        }
        let all = "all(\"ec2/volumes\").some(|x| x.Number)";
        assert!(
            matches!(ask_over(&inventory, all, &event), Err(Stop::Fault(reason)) if reason.contains("not a boolean"))
        );
    });
}
