use super::*;
use crate::script::Limits;
use crate::script::check::Parser;
use crate::script::syntax::convert;

/// What `matches` of a policy does, with a library beside it.
fn reading(policy: &str, library: &str) -> Reading {
    let parser = Parser::new(&Limits::default());
    let trees = [policy, library].map(|text| {
        let parsed = parser.parse(text).unwrap_or_else(|_| panic!("does not parse: {text}"));
        convert(text, &parsed)
    });
    read("matches", &[&trees[0], &trees[1]]).unwrap()
}

/// Every path that is read from the record, by names, and the text at its place.
fn paths(policy: &str, library: &str) -> Vec<(String, String)> {
    let shown = |read: &Read| {
        let text = if read.place.file == 0 { policy } else { library };
        (read.path.names().join("."), text[read.place.span.clone()].to_owned())
    };
    reading(policy, library).reads.iter().filter(|read| read.path.base == Base::Record).map(shown).collect()
}

#[test]
fn paths_are_read_through_functions_variables_and_brackets() {
    let library = "fn of_library(x) { x.d }";
    for (body, wanted) in [
        ("event.a.b == 1", vec![("a", "a"), ("a.b", "b")]),
        ("event[\"a\"][\"b\"] == 1", vec![("a", "\"a\""), ("a.b", "\"b\"")]),
        ("event?.a?.b == 1", vec![("a", "a"), ("a.b", "b")]),
        ("event.a[0].b == 1", vec![("a", "a"), ("a.b", "b")]),
        ("let r = event.a; r.b == 1", vec![("a", "a"), ("a.b", "b")]),
        ("of_library(event.a) == 1", vec![("a", "a"), ("a.d", "d")]),
        ("own(event.a) == 1", vec![("a", "a"), ("a.c", "c")]),
        ("event.a.own() == 1", vec![("a", "a"), ("a.c", "c")]),
        ("event.a.some(|x| x.b == event.c)", vec![("a", "a"), ("a.b", "b"), ("c", "c")]),
        ("for x in list(event.a) { if x.b == 1 { return true; } } false", vec![("a", "a"), ("a.b", "b")]),
        ("switch event.a { 1 => event.b == 2, _ => false }", vec![("a", "a"), ("b", "b")]),
        ("`${event.a}` == \"x\"", vec![("a", "a")]),
        ("let m = #{ k: event.a }; m.k.b == 1", vec![("a", "a"), ("a.b", "b")]),
        ("(event.a ?? event.b).c == 1", vec![("a", "a"), ("b", "b"), ("a.c", "c"), ("b.c", "c")]),
        ("try { event.a == 1 } catch { event.b == 1 }", vec![("a", "a"), ("b", "b")]),
        ("\"a\" in event", vec![("a", "\"a\" in event")]),
    ] {
        let policy = format!("fn own(x) {{ x.c }}\nfn matches(event) {{ {body} }}");
        let wanted: Vec<(String, String)> =
            wanted.into_iter().map(|(path, text)| (path.to_owned(), text.to_owned())).collect();
        assert_eq!(paths(&policy, library), wanted, "{body}");
    }
}

#[test]
fn what_is_not_followed_is_told() {
    let is_complete = |body: &str| reading(&format!("fn matches(event) {{ {body} }}"), "").is_complete;
    assert!(is_complete("event.a == 1 && succeeded(event) && jsonpath(event, \"$.x\").len() > 0"));
    for body in
        ["to_json(event).contains(\"x\")", "jsonpath(event, event.path).is_empty()", "event.keys().contains(\"x\")"]
    {
        assert!(!is_complete(body), "{body}");
    }
    let endless = "fn f(e) { g(e) }\nfn g(e) { f(e) }\nfn matches(event) { f(event) }";
    assert!(!reading(endless, "").is_complete);
    let wide: String = (0..40).map(|at| format!("fn f{at}(e) {{ f{}(e) || f{}(e) }}\n", at + 1, at + 1)).collect();
    let wide = format!("{wide}fn f40(e) {{ e.a == 1 }}\nfn matches(event) {{ f0(event) }}");
    assert!(!reading(&wide, "").is_complete);
    for step in ["a = [a, a];", "let a = [a, a];", "let a = a == 1 || (a == 2 && a == 3);", "let a = #{ x: a, y: a };"]
    {
        let doubled = format!("fn matches(event) {{ let a = event.a; {} a == 1 }}", step.repeat(60));
        assert!(!reading(&doubled, "").is_complete, "{step}");
    }
}
