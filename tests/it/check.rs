//! What `check` says of scripts: the code, and the text under the caret; and what it must not say.

use lawbook::diagnostic::{Diagnostic, Level};
use lawbook::policy::{Overrides, Pack};
use lawbook::script::Limits;

const HEAD: &str = "//! ---\n//! title: T\n//! severity: low\n//! judges: cloudtrail\n//! uses: [ec2/volumes]\n//! params:\n//!   flag: { type: bool, default: true, doc: D }\n//!   roles: { type: list, default: [], doc: D }\n//! ---\n";

fn mistakes(text: &str) -> Vec<Diagnostic> {
    errors(Pack::from_text("p", text).check(&crate::of_invented_events(), &Limits::default()).err().unwrap_or_default())
}

/// What keeps a policy from loading: warnings are the subject of the lints' own cases.
fn errors(diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    diagnostics.into_iter().filter(|diagnostic| diagnostic.level == Level::Error).collect()
}

/// Code and text under the caret of each remark on a script.
fn remarks(script: &str) -> Vec<(&'static str, String)> {
    mistakes(&format!("{HEAD}{script}"))
        .iter()
        .map(|mistake| (mistake.code, mistake.source.text[mistake.span.clone()].to_owned()))
        .collect()
}

#[test]
fn mistakes_in_scripts_are_found_where_they_are() {
    for (body, code, at) in [
        ("succeded(event)", "unknown-function", "succeded"),
        ("event.eventName.starts_wth(\"x\")", "unknown-function", "starts_wth"),
        ("succeeded()", "wrong-arity", "succeeded"),
        ("event.x.starts_with(\"a\", \"b\")", "wrong-arity", "starts_with"),
        ("evnt.eventName == \"x\"", "unknown-variable", "evnt"),
        ("event.list.some(|x| y == 1)", "unknown-variable", "y"),
        ("global::LIMIT == 1", "unknown-variable", "LIMIT"),
        ("global::succeeded(event)", "unknown-function", "succeeded"),
        ("params.flags", "unknown-param", "flags"),
        ("lookup(\"ec2/volume\", \"a\", \"b\") != ()", "unknown-kind", "\"ec2/volume\""),
        ("lookup(\"ec2/addresses\", \"a\", \"b\") != ()", "undeclared-kind", "\"ec2/addresses\""),
        ("all(event.kind).is_empty()", "kind-not-literal", "event"),
        ("\"ec2/adresses\".lookup_all(\"PublikIp\", event.a).is_empty()", "kind-not-literal", "lookup_all"),
        ("!\"ec2/flowlogs\".collected()", "kind-not-literal", "collected"),
        ("\"ec2/flowlogs\"?.all().is_empty()", "kind-not-literal", "all"),
        ("Fn(\"lookup_ever\").call(\"ec2/adresses\", \"a\", \"b\").is_empty()", "kind-not-literal", "\"lookup_ever\""),
        ("event.list.some(Fn(\"collected\"))", "kind-not-literal", "\"collected\""),
        ("event.readOnly", "bare-path", "event.readOnly"),
        ("!event.readOnly", "bare-path", "event.readOnly"),
        ("succeeded(event) && event.readOnly", "bare-path", "event.readOnly"),
        ("succeeded(event) || event.a[\"b\"].c", "bare-path", "event.a[\"b\"].c"),
        ("if event.a.b { true } else { false }", "bare-path", "event.a.b"),
        ("if succeeded(event) { event.readOnly } else { false }", "bare-path", "event.readOnly"),
        ("if succeeded(event) { return event.readOnly; } false", "bare-path", "event.readOnly"),
        ("let x = event.readOnly; if x { true } else { false }", "bare-path", "x"),
        ("while event.more { } true", "bare-path", "event.more"),
        ("switch event.a { 1 if event.b => true, _ => false }", "bare-path", "event.b"),
        ("event.list.some(|x| x.encrypted)", "bare-path", "x.encrypted"),
        ("request(event).dryRun", "bare-path", "request(event).dryRun"),
        ("actor(event).mfa && true", "bare-path", "actor(event).mfa"),
        ("switch event.eventName { \"A\" => event.readOnly, _ => false }", "bare-path", "event.readOnly"),
        ("try { event.readOnly } catch { false }", "bare-path", "event.readOnly"),
        ("event.a ?? event.b", "bare-path", "event.a"),
        ("event[\"a\"][\"b\"]", "bare-path", "event[\"a\"][\"b\"]"),
        ("let x = false; x = event.readOnly; if x { true } else { false }", "bare-path", "x"),
        ("helper(event)", "bare-path", "e.readOnly"),
        ("list(event.items).filter(|x| x.open).is_empty()", "bare-path", "x.open"),
        ("jsonpath(event, \"$..x\")[0]", "bare-path", "jsonpath(event, \"$..x\")[0]"),
        ("Fn(\"nosuchfn\").call(1)", "unknown-function", "\"nosuchfn\""),
        ("\"x\" in event.eventName", "text-as-list", "in"),
        ("\"x\" in \"xyz\"", "text-as-list", "in"),
        ("\"x\" in event.a.to_lower()", "text-as-list", "in"),
        ("for c in event.eventName { } true", "text-as-list", "event"),
        ("event.eventName = \"x\"; true", "record-changed", "event"),
        ("event = 5; true", "record-changed", "event"),
        ("let r = event.requestParameters; r.name = \"x\"; true", "record-changed", "r"),
        ("params.flag = false; true", "record-changed", "params"),
        ("sleep(5); true", "unknown-function", "sleep"),
        ("eval(\"1\") == 1", "syntax", "eval"),
        ("import \"x\" as y; true", "syntax", "import"),
        ("event.eventName == ", "syntax", "}"),
        ("switch event.eventName { \"A\" => true, _ => let name = 1 }", "syntax", "let"),
    ] {
        let script = format!(
            "fn helper(e) {{ if e.nothing == 1 {{ return true; }} e.readOnly }}\nfn matches(event) {{ {body} }}"
        );
        assert!(remarks(&script).contains(&(code, at.to_owned())), "{body}: {:?}", remarks(&script));
    }
    for (script, code, at) in [
        ("let x = 5; fn matches(event) { true }", "top-level-statement", "let"),
        ("const X = now(); fn matches(event) { true }", "top-level-statement", "now"),
        ("fn matches(event) { true } fn succeeded(e) { true }", "name-clash", "succeeded"),
        ("fn matches(event) { true } fn is_iac(e) { true }", "name-clash", "is_iac"),
        (
            "fn matches(event) { const y = \"q\"; for y in event.list { if y == \"q\" { return true; } } false }",
            "name-clash",
            "y",
        ),
        ("fn matches(event) { const e = 1; try { throw 2 } catch (e) { return e == 2; } false }", "name-clash", "e"),
        ("fn matches(event, x) { true }", "hook", "matches"),
        ("fn matches(event) { true } fn titel(event) { \"x\" }", "hook", "titel"),
        ("fn match_it(event) { true }", "hook", ""),
    ] {
        assert!(
            remarks(script).iter().any(|(found, text)| *found == code && (text == at || at.is_empty())),
            "{script}: {:?}",
            remarks(script)
        );
    }
}

/// In which order Rhai looks at the arms of a `switch` is chance: with eight of them each way it is all but sure to differ.
#[test]
fn what_a_constant_hides_is_told_whatever_is_looked_at_first() {
    let all = |arms: &dyn Fn(usize) -> String| {
        let switches: String = (0..8).map(|at| format!("switch event.a {{ {} _ => {{}} }}\n", arms(at))).collect();
        let found = remarks(&format!("fn matches(event) {{ {switches} false }}"));
        found.iter().filter(|(code, _)| *code == "name-clash").count()
    };
    let constant = |at: usize| format!("{{ const x{at} = 1; return event.b == x{at}; }}");
    let looped = |at: usize| format!("{{ for x{at} in list(event.c) {{ if x{at} == 2 {{ return true; }} }} }}");
    assert_eq!(all(&|at| format!("1 => {} 2 => {}", constant(at), looped(at))), 8);
    assert_eq!(all(&|at| format!("1 => {} 2 => {}", looped(at), constant(at))), 0);
}

#[test]
fn what_is_right_is_not_remarked_on() {
    for body in [
        "params.flag",
        "!params.flag && succeeded(event)",
        "let found = event.list.some(|x| x == 1); found",
        "let wanted = #{ a: true }; wanted.a",
        "let ok = true; if ok { true } else { false }",
        "let n = 0; for x in list(event.a) { n += 1; } n > 1",
        "let all = []; all.push(event.eventName); all.len() == 1",
        "event.a.map(|x| x.y).contains(1)",
        "list(event.a).filter(|x| x.b == true).some(|x| event.c == x.d)",
        "event.a ?? event.b == \"x\"",
        "\"x\" in [\"x\", event.y]",
        "\"key\" in event.requestParameters",
        "event.errorCode !in [\"a\", \"b\"]",
        "switch event.eventName { \"A\" | \"B\" => true, \"C\" => succeeded(event), _ => false }",
        "switch event.n { 0..5 => true, _ => false }",
        "try { event.a == 1 } catch (error) { print(error); false }",
        "let i = 0; do { i += 1; } until i > 3; i == 4",
        "let f = |x| x == 1; f.call(event.a)",
        "let name = event.eventName; `${name} ${if succeeded(event) { `in ${event.awsRegion}` } else { \"\" }}` != \"\"",
        "let x = 1; { let x = event.a; x == 2 }",
        "[1, 2, 3].reduce(|sum, x| (sum ?? 0) + x) == 6",
        "event.list.some(|x| x.tags.some(|t| t.Key == x.name && event.z == t.Value))",
        "LIMIT < 5 && NAMES.contains(event.eventName) && helper(event)",
        "event?.a?.b == 1",
        "lookup_all(\"ec2/volumes\", \"VolumeId\", event.id).is_empty()",
        "if event.a == () { return false; } event.a.b == 1",
        "type_of(event.a) == \"string\"",
        "let a = [event.x, event.y]; a[0] == 1",
        "let acc = #{ seen: false }; event.items.for_each(|| { acc.seen = true; }); acc.seen",
        "let t = 0; list(event.items).for_each(|x| { t += 1; }); t == 1",
        "let bump = |m| { m.n += 1; m }; bump.call(#{ n: 1 }).n == 2",
        "event.list.map(|x| { x += \"q\"; x }).contains(\"q\")",
        "let rows = event.items.map(|i| #{ open: i.port == 22 }); rows.some(|r| r.open)",
        "event.items.map(|i| #{ open: i.port == 22 }).some(|r| r.open)",
        "let l = [#{ on: true }]; l.some(|o| o.on)",
        "let obj = #{ data: 5, inc: |x| { this.data += x; } }; obj.inc(2); obj.data == 7",
        "event.a ?? false",
        "fits(#{ a: true })",
        "let x = event.requestParameters.items; x = x.filter(|i| i.k == 1); x.is_empty()",
    ] {
        let script = format!(
            "const LIMIT = 3;\nconst NAMES = [\"A\", \"B\"];\nfn helper(e) {{ e.eventName == \"A\" }}\nfn fits(found) {{ found.a || found.b }}\nfn matches(event) {{ {body} }}"
        );
        let found: Vec<String> = mistakes(&format!("{HEAD}{script}"))
            .iter()
            .map(|mistake| format!("{}: {}", mistake.code, mistake.message))
            .collect();
        assert!(found.is_empty(), "{body}: {found:?}");
    }
}

/// What is proposed must be something that can be done.
#[test]
fn advice_can_be_followed() {
    let advice = |kind: &str| {
        let policy = format!(
            "//! ---\n//! title: T\n//! severity: low\n//! judges: cloudtrail\n//! uses: [{kind}]\n//! ---\n\
             fn matches(event) {{ succeeded(event) && lookup_all(\"{kind}\", \"InstanceId\", event.eventID).is_empty() }}\n"
        );
        let checked = Pack::from_text("p", &policy).check(&crate::of_invented_events(), &Limits::default()).unwrap();
        let told = checked.warnings().iter().find(|warning| warning.code == "not-collected").unwrap();
        told.help.clone().unwrap()
    };
    assert!(advice("ec2/instances").contains("`needs:`"));
    // Of what events tell there is never all.
    assert!(
        !advice("cloudtrail/instances").contains("needs") && !advice("cloudtrail/instances").contains("collected(")
    );

    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("lib")).unwrap();
    std::fs::write(folder.path().join("lib/a.rhai"), "fn is_flagged(x) { params.flags == x }\n").unwrap();
    let policy = "//! ---\n//! title: T\n//! severity: low\n//! judges: cloudtrail\n//! ---\nfn matches(event) { is_flagged(event.a) }\n";
    std::fs::write(folder.path().join("p.rhai"), policy).unwrap();
    let pack = Pack::from_folder(folder.path()).unwrap();
    let found = errors(pack.check(&crate::of_invented_events(), &Limits::default()).err().unwrap_or_default());
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].code == "unknown-variable"
            && found[0].help.as_ref().is_some_and(|help| help.contains("give what it needs"))
    );
}

#[test]
fn what_a_library_looks_up_must_be_declared_by_the_policy() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("lib")).unwrap();
    let library = "fn inner(id) { [id].map(|one| lookup(\"ec2/addresses\", \"AllocationId\", one)) }\nfn outer(id) { inner(id) }\n";
    std::fs::write(folder.path().join("lib/a.rhai"), library).unwrap();
    let policy = |uses: &str| {
        format!(
            "//! ---\n//! title: T\n//! severity: low\n//! judges: cloudtrail\n{uses}//! ---\nfn matches(event) {{ outer(event.a).len() == 1 }}\n"
        )
    };
    let check = |text: &str| {
        std::fs::write(folder.path().join("p.rhai"), text).unwrap();
        let pack = Pack::from_folder(folder.path()).unwrap();
        errors(pack.check(&crate::of_invented_events(), &Limits::default()).err().unwrap_or_default())
    };
    let found = check(&policy(""));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].code == "undeclared-kind" && found[0].message.contains("ec2/addresses"), "{found:?}");
    assert!(check(&policy("//! uses: [ec2/addresses]\n")).is_empty());
}

#[test]
fn mistakes_in_front_matter_have_their_place_in_the_file() {
    for (yaml, code, line, column) in [
        ("titel: T", "front-matter", 2, 5),
        ("title: T\n severity: low", "front-matter", 3, 14),
        ("title: T\nseverity: bad\njudges: cloudtrail", "front-matter", 3, 15),
        ("title: T\nseverity: low\njudges: cloudtrial", "unknown-kind", 4, 13),
        ("title: T\nseverity: low\njudges: cloudtrail\nwhen:\n  eventName: []", "front-matter", 6, 18),
        ("title: T\nseverity: low\njudges: cloudtrail\nwhen:\n  eventName: [A, \"B*\"]", "when", 6, 22),
        ("title: T\nseverity: low\njudges: cloudtrail\nwhen: { a..b: 1 }", "when", 5, 13),
        ("title: T\nseverity: low\njudges: cloudtrail\nwhen:\n  a: 1\n  a: 2", "front-matter", 7, 7),
        ("title: T\nseverity: low\njudges: cloudtrail\nwindow: { by: x }", "window", 5, 5),
        (
            "title: T\nseverity: low\njudges: cloudtrail\nwindow: { by: awsRegion, first_seen: 1d, cooldown: 25h }",
            "window",
            5,
            46,
        ),
        (
            "title: T\nseverity: low\njudges: cloudtrail\nparams:\n  a: { type: int, default: x, doc: D }",
            "param",
            6,
            32,
        ),
        ("title: T\nseverity: low\njudges: cloudtrail\nparams:\n  a: { type: int, default: 1 }", "front-matter", 6, 7),
        ("title: Ünïcödé\nseverity: bäd\njudges: cloudtrail", "front-matter", 3, 15),
        ("title: T\nseverity: low\njudges: cloudtrail\nremediation:\n  cli: aws x '${id}'", "placeholder", 6, 19),
        (
            "title: T\nseverity: low\njudges: cloudtrail\nremediation:\n  cli: aws x \"${a}\" pre${d}",
            "placeholder",
            6,
            28,
        ),
        ("title: T\nseverity: low\njudges: cloudtrail\nreferences: [\"http://x\"]", "front-matter", 5, 18),
    ] {
        for end in ["\n", "\r\n"] {
            let lines: Vec<String> = yaml.lines().map(|line| format!("//! {line}")).collect();
            let text = format!("//! ---{end}{}{end}//! ---{end}fn matches(event) {{ true }}{end}", lines.join(end));
            let found: Vec<(&str, (usize, usize), String)> = mistakes(&text)
                .iter()
                .map(|mistake| (mistake.code, mistake.place(), mistake.message.clone()))
                .collect();
            assert!(
                found.iter().any(|(found, place, _)| *found == code && *place == (line, column)),
                "{yaml:?}: {found:?}"
            );
        }
    }
    for text in ["", "fn matches(event) { true }", "//! ---\n//! title: T\n"] {
        assert!(mistakes(text).iter().any(|mistake| mistake.code == "front-matter"), "{text:?}");
    }
}

#[test]
fn a_line_that_ends_front_matter_too_early_is_the_one_that_is_told() {
    for line in ["", "// TODO", "  //! severity: low"] {
        for end in ["\n", "\r\n"] {
            let lines =
                ["//! ---", "//! title: T", line, "//! judges: cloudtrail", "//! ---", "fn matches(event) { true }"];
            let found = mistakes(&lines.join(end));
            let place = found.iter().map(|mistake| (mistake.code, mistake.place())).next();
            assert_eq!(place, Some(("front-matter", (3, 1))), "{line:?}: {found:?}");
            assert!(found[0].message.starts_with("this line does not begin with `//!`"), "{found:?}");
        }
    }
    let found = mistakes("//! ---\n//! title: T\nfn matches(event) { true }\n");
    assert_eq!(found[0].message, "the front matter is not closed by a second `//! ---`");
}

#[test]
fn what_stands_twice_in_a_list_is_named() {
    for (line, said, column) in [
        ("window: { by: [awsRegion, awsRegion], within: 1h, count: 2 }", "`awsRegion` is twice in `by`", 31),
        ("tags: [b, a, c, a]", "`a` is twice in `tags`", 21),
    ] {
        let text = format!(
            "//! ---\n//! title: T\n//! severity: low\n//! judges: cloudtrail\n//! {line}\n//! ---\nfn matches(event) {{ true }}\n"
        );
        let found: Vec<_> = mistakes(&text).iter().map(|found| (found.message.clone(), found.place())).collect();
        assert!(found.contains(&(said.to_owned(), (5, column))), "{found:?}");
    }
}

/// Rhai would refuse it at the first record, and not where what is proved of the script answers.
#[test]
fn a_parameter_that_no_script_can_hold_is_refused() {
    let list = |items: usize| format!("[{}]", vec!["x"; items].join(", "));
    let members = |count: usize| (0..count).map(|number| format!("k{number}: 1")).collect::<Vec<_>>().join(", ");
    for (kind, default, said) in [
        ("list", list(10_000), None),
        ("list", list(10_001), Some("a list has at most 10000 items")),
        ("map", format!("{{ a: {{ b: {} }} }}", list(10_001)), Some("a list has at most 10000 items")),
        ("map", format!("{{ {} }}", members(10_000)), None),
        ("map", format!("{{ {} }}", members(10_001)), Some("a map has at most 10000 members")),
    ] {
        let text = format!(
            "//! ---\n//! title: T\n//! severity: low\n//! judges: cloudtrail\n//! params:\n//!   names: {{ type: {kind}, default: {default}, doc: D }}\n//! ---\nfn matches(event) {{ event.eventName in params.names }}\n"
        );
        let found: Vec<_> = mistakes(&text).iter().map(|found| found.message.clone()).collect();
        let large = found.iter().find_map(|message| message.strip_prefix("the default of `names`: "));
        assert_eq!(large, said, "{found:?}");
    }
}

/// What the help shows can be written so.
#[test]
fn the_examples_of_front_matter_are_accepted() {
    let schema: serde_json::Value = serde_json::from_str(include_str!("../../schemas/policy.schema.json")).unwrap();
    let of = |at: &str| schema.pointer(&format!("/properties/{at}/x-example")).unwrap().as_str().unwrap().to_owned();
    let of_window = format!("window: {{ by: awsRegion, within: 1h, {} }}", of("window/properties/distinct"));
    let param = format!("params: {{ trusted: {} }}", of("params/additionalProperties"));
    for examples in [[of("when"), of("window"), of("params"), of("remediation")].join("\n"), of_window, param] {
        let yaml = format!("title: T\nseverity: low\njudges: cloudtrail\n{examples}");
        let head: String = yaml.lines().map(|line| format!("//! {line}\n")).collect();
        let text = format!("//! ---\n{head}//! ---\nfn matches(event) {{ succeeded(event) }}\n");
        // By what AWS writes into events, as users have it.
        let checked = Pack::from_text("p", &text).check(&Overrides::default(), &Limits::default());
        let told: Vec<_> =
            errors(checked.err().unwrap_or_default()).into_iter().map(|mistake| mistake.message).collect();
        assert!(told.is_empty(), "{examples}: {told:?}");
    }
}

#[test]
fn what_is_written_wrongly_is_shown_as_it_is_written() {
    let text = "//! ---\n//! title: T\n//! severity: low\n//! judges: cloudtrail\n//! params: { one: A, other: { type: text, doc: D } }\n//! ---\nfn matches(event) { true }\n";
    let helps: Vec<_> = mistakes(text).into_iter().map(|mistake| (mistake.message, mistake.help)).collect();
    let example = Some("such as `{ type: list, default: [], doc: Who may }`".to_owned());
    assert_eq!(
        helps,
        [("`one` must be a map".to_owned(), example.clone()), ("`default` is missing in `other`".to_owned(), example)]
    );
}

/// More policies than one thread takes at a time, so that several read them where there are several cores.
#[test]
fn mistakes_are_told_in_the_order_of_the_files_however_many_there_are() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("lib")).unwrap();
    std::fs::write(folder.path().join("lib/a.rhai"), "fn shared(x) { nosuch(x) }\n").unwrap();
    let names: Vec<String> = (0..200).map(|at| format!("p-{at:03}")).collect();
    for (at, name) in names.iter().enumerate() {
        let body = ["shared(event) == 1", "shard(event)", "event.a || shared(event, 1)", "event.a == "][at % 4];
        std::fs::write(folder.path().join(format!("{name}.rhai")), format!("{HEAD}fn matches(event) {{ {body} }}\n"))
            .unwrap();
    }
    let told = |pack: Pack| {
        let mistakes = errors(pack.check(&crate::of_invented_events(), &Limits::default()).unwrap_err());
        mistakes
            .into_iter()
            .map(|mistake| (mistake.source.file.clone(), mistake.span, mistake.message))
            .collect::<Vec<_>>()
    };
    let pack = || Pack::from_folder(folder.path()).unwrap();
    let all = told(pack());
    let mut alone: Vec<_> = names.iter().flat_map(|name| told(pack().only(name).unwrap())).collect();
    alone.sort_by(|a, b| (&a.0, a.1.start).cmp(&(&b.0, b.1.start)));
    alone.dedup();
    assert_eq!(all, alone);
    assert_eq!(all.len(), 1 + 50 + 2 * 50 + 50);
}

/// A folder with files, and what is said of it as a pack: code, file, text under the caret.
fn said(files: &[(&str, &str)]) -> Vec<(&'static str, String, String)> {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::create_dir_all(folder.path().join(name).parent().unwrap()).unwrap();
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let checked = Pack::from_folder(folder.path()).unwrap().check(&crate::of_invented_events(), &Limits::default());
    let diagnostics = checked.map_or_else(|all| all, |checked| checked.warnings().to_vec());
    let shown = |diagnostic: &Diagnostic| {
        let file = diagnostic.source.file.rsplit('/').next().unwrap().to_owned();
        (diagnostic.code, file, diagnostic.source.text[diagnostic.span.clone()].to_owned())
    };
    diagnostics.iter().map(shown).collect()
}

const SOUND: &str = "//! ---\n//! title: Something was made\n//! severity: low\n//! judges: cloudtrail\n//! references: [\"https://x.example/\"]\n//! FORMERLY\n//! ---\n//! ## What it finds\n//! x\n//! ## Why it matters\n//! x\n//! ## False positives\n//! x\n//! ## Respond\n//! x\nfn matches(event) { succeeded(event) }\n";

#[test]
fn a_former_id_is_of_one_policy_only() {
    let policy = |formerly: &str| SOUND.replace("FORMERLY", &format!("formerly: [{formerly}]"));
    let pack = |a: &str, b: &str| {
        let (a, b) = (policy(a), policy(b));
        said(&[("a.rhai", &a), ("b.rhai", &b), ("a.cases.yaml", ""), ("b.cases.yaml", "")])
    };
    let found = |file: &str, id: &str| vec![("formerly", file.to_owned(), id.to_owned())];
    assert_eq!(pack("x", "y"), []);
    assert_eq!(pack("b", "y"), found("a.rhai", "b"));
    assert_eq!(pack("x", "z, x"), found("b.rhai", "x"));
    assert_eq!(pack("a", "y"), found("a.rhai", "a"));
}

#[test]
fn what_comes_first_is_of_the_pack_and_waits_for_nothing_that_waits() {
    let policy = |after: &str| SOUND.replace("FORMERLY", &format!("remediation: {{ after: [{after}] }}"));
    let pack = |a: &str, b: &str, c: &str| {
        let (a, b, c) = (policy(a), policy(b), policy(c));
        let cases = ["a.cases.yaml", "b.cases.yaml", "c.cases.yaml"].map(|file| (file, ""));
        said(&[vec![("a.rhai", &*a), ("b.rhai", &b), ("c.rhai", &c)], cases.to_vec()].concat())
    };
    let found = |file: &str, id: &str| ("remediation-order", file.to_owned(), id.to_owned());
    assert_eq!(pack("b, c", "c", ""), []);
    assert_eq!(pack("b", "", "nobody"), [found("c.rhai", "nobody")]);
    assert_eq!(pack("a", "", ""), [found("a.rhai", "a")]);
    assert_eq!(pack("b", "c", "a"), [found("a.rhai", "b"), found("b.rhai", "c"), found("c.rhai", "a")]);
    assert_eq!(pack("b", "c", "b"), [found("b.rhai", "c"), found("c.rhai", "b")], "a is in no circle");
}

#[test]
fn a_policy_on_disk_wants_cases_beside_it() {
    let policy = SOUND.replace("//! FORMERLY\n", "");
    let found = said(&[("a.rhai", &policy), ("b.rhai", &policy), ("a.cases.yaml", "cases: []\n")]);
    assert_eq!(found, [("no-cases", "b.rhai".to_owned(), "//! ---".to_owned())]);
    let alone = Pack::from_text("a", &policy).check(&crate::of_invented_events(), &Limits::default()).unwrap();
    assert_eq!(alone.warnings(), []);
}

#[test]
fn fields_that_a_library_misspells_are_told_of_a_pack_with_one_policy_and_not_of_one_policy_of_a_pack() {
    let policy = SOUND.replace("//! FORMERLY\n", "").replace("succeeded(event)", "is_asked(event) && succeeded(event)");
    let library = "fn is_asked(event) { event.requestPrameters.x == 1 }\n";
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("lib")).unwrap();
    std::fs::write(folder.path().join("lib/shared.rhai"), library).unwrap();
    std::fs::write(folder.path().join("a.rhai"), &policy).unwrap();
    let told = |pack: Pack| {
        let checked = pack.check(&Overrides::default(), &Limits::default()).unwrap();
        checked.warnings().iter().any(|warning| warning.code == "unknown-field")
    };
    assert!(told(Pack::from_folder(folder.path()).unwrap()));
    assert!(!told(Pack::from_file(&folder.path().join("a.rhai")).unwrap()));
}

#[test]
fn a_policy_in_a_library_is_told_once() {
    let policy = SOUND.replace("//! FORMERLY\n", "");
    let found = said(&[("a.rhai", &policy), ("a.cases.yaml", "cases: []\n"), ("lib/b.rhai", &policy)]);
    assert_eq!(found, [("front-matter", "b.rhai".to_owned(), "//! ---".to_owned())]);
}
