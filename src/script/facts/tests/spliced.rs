//! Splices pieces of scripts into one another: what is proved of what comes out is what Rhai says of it.
//!
//! Scripts that are generated hold what whoever wrote the generator had in mind. These are cut from the battery, the traps
//! and all that Rhai offers besides, wherever Rhai parses what comes out, so that what nobody combined is combined.

use std::sync::LazyLock;

use super::super::super::sandbox;
use super::*;
use crate::diagnostic::Level;

/// What Rhai can do besides, so that it comes up.
const MORE: &[&str] = &[
    "let x = 0; for i in 0..3 { x += i; } x == 3",
    "let x = 0; for (item, at) in event.requestParameters.list { if item.ip == name { x = at; } } x > 0",
    "let x = 0; while x < 3 { x += 1; if name == \"B\" { continue; } } x >= n",
    "let x = loop { break name; }; x == \"A\"",
    "let x = 1; do { x *= 2; } until x > 5; x == 8",
    "names.push(name); names += \"C\"; names.len() > 2",
    "names.insert(0, name); names[0] == name",
    "names.pop() == \"B\" || names.shift() == \"A\"",
    "names.remove(0); names.contains(\"A\")",
    "names.retain(|one| one != name); names.is_empty()",
    "names.drain(|one| one == name).len() == 1 && names.len() == 1",
    "names.filter(|one| one == name).len() == 1",
    "names.map(|one| one + \"x\").contains(\"Ax\")",
    "names.reduce(|sum, one| sum + one, \"\") == \"AB\"",
    "names.index_of(name) >= 0 && names.find(|one| one == name) != ()",
    "names.sort(); names.reverse(); names.dedup(); names[0] == \"B\"",
    "names.clear(); names.len() == 0",
    "names.truncate(1); names.extract(0, 1) == [\"A\"]",
    "names.append([name]); names.chop(1); names.pad(3, name); names[2] == name",
    "names.splice(0, 1, [name]); names.set(0, \"Z\"); names.get(0) == \"Z\"",
    "m.on = true; m.a += \"x\"; m.b = 3; m.on",
    "m.remove(\"a\"); m.mixin(#{ b: 1 }); m += #{ c: 2 }; m.keys().len() == 3",
    "m[\"a\"] == name && \"on\" in m && m.values().contains(false)",
    "m.fill_with(#{ z: 9 }); m.set(\"a\", 7); m.get(\"a\") == 7",
    "name += \"x\"; name.to_upper() == \"AX\"",
    "name.trim(); name.crop(1); name.pad(3, \"z\"); name.len() == 3",
    "name.make_lower(); name == \"a\"",
    "name.sub_string(0, 1) == \"A\" && name.index_of(\"A\") == 0 && name.char_at(0) == 'A'",
    "name.truncate(0); name.append(\"B\"); name.set(0, 'C'); name == \"C\"",
    "name.clear(); name.is_empty()",
    "name[0] = 'B'; name == \"B\"",
    "name.chars().len() == 1 && name.bytes == 1 && name.remove(\"A\") == ()",
    "n -= 1; n % 2 == 0 && n ** 2 == 4 && n << 1 == 4 && (n & 1) == 0 && (n ^ 2) == 0",
    "n.is_odd && n.abs() == 3 && n.sign() == 1 && -n < 0 && !n.is_zero()",
    "n.max(5) == 5 && min(n, 5) == n && n.to_float() > 2.5 && n.to_string() == \"3\"",
    "let f = || n == 3; f.call()",
    "let f = |x| x == name; f.call(\"A\") && call(f, \"A\")",
    "let f = Fn(\"over\"); f.call(event, 2)",
    "let f = Fn(\"over\").curry(event); f.call(2)",
    "let f = |one| { n += one; n }; f.call(1); n == 4",
    "n.call(|| this += 1); n == 4",
    "m.turn = || this.on = true; m.turn(); m.on",
    "change(m); m.on == false && change.call(m) == ()",
    "m.change(); m.on == true",
    "names.grow(); names.len() == 3",
    "let x = switch n { 0..5 if name == \"A\" => true, 5..=9 => false, _ => () }; x ?? true",
    "switch [name, n] { [\"A\", 3] => true, _ => false }",
    "let x = if n == 3 { let name = \"Z\"; name } else { name }; x == \"Z\" && name == \"A\"",
    "{ let name = \"Z\"; n = 9; } name == \"A\" && n == 9",
    "try { let x = name / 2; x == 1 } catch (e) { e != () }",
    "if name == \"Z\" { throw #{ code: 1 }; } n == 3",
    "is_def_var(\"name\") && is_def_fn(\"over\", 2) && type_of(name) == \"string\"",
    "name?.len() == 1 && m?.a?.x == () && names?[0] == \"A\" && event?[\"n\"] == 3",
    "const HERE = event.n; HERE == 3",
    "global::LIMIT == 3 && LIMIT in [1, 2, LIMIT]",
    "let LIMIT = 4; let x = || LIMIT; x.call() == 4",
    "n in 0..9 && (0..9).contains(n) && 5 !in 0..n",
    "name == 'A' || 'A' in name || name.contains('A')",
    "event.n = 4; event.n == 4",
    "event += 1; true",
    "let event = #{ n: 4 }; event.n == 4",
    "names == [\"A\", \"B\"] && m == #{ a: name, on: false }",
    "`${n}${name}` == \"3A\" && \"a\" + n + () + true == \"a3true\"",
    "list(event.requestParameters.list).len() == 2 && flatten([names, names]).len() == 4 && unique(names).len() == 2",
    "first(names) == \"A\" && sorted(names)[0] == \"A\" && join(names, \",\") == \"A,B\" && count(names, |x| x == name) == 1",
    "request(event).list.some(|one| one.ip == \"1.2.3.4\") && request(event).name == name",
    "event.requestParameters.list.find(|x| x.ok == true).ip == \"5.6.7.8\"",
    "event.requestParameters.list.map(|x| x.ip).contains(\"1.2.3.4\") && event.requestParameters.words.filter(|w| w == \"a\").len() == 1",
    "event.requestParameters.list.for_each(|x| n += 1); n == 5",
    "event.requestParameters.words.some(|w| { name = w; w == \"a\" }); name == \"a\"",
    "event.requestParameters.words.all(|w| { if w == \"a\" { return true; } false })",
    "event.requestParameters.words.some(|w| names.all(|x| x != w && n == 3) && w == \"b\")",
    "let inner = |x| names.some(|y| y == x); [name, \"Q\"].some(|x| inner.call(x))",
    "call(Fn(\"push\"), names, name); names.len() == 3",
    "let g = curry(|z| z.push(1), names); g.call(); names.len() == 3",
    "let fs = [|x| names.len() == x, f]; names.some(fs[0]) || [2].some(fs[0]) || [name].some(fs[1])",
    "let o = #{ len: || this.on = true, on: false, g: |x| m.on == x }; o.len(); m.all(o.g) && o.on",
    "let fs = []; for i in 0..3 { fs.push(|| i); } fs[0].call() == 0",
    "list.some(|one| list.len() == 2 && x.name == name)",
    "let old = 1; [old].contains(n) && who.some(|one| who.type == one)",
    "return name == \"A\"",
    "if n == 3 { return } true",
    "actor(event).name == \"root\" && actor(event).type in [\"Root\", ()] && actor(event) != ()",
    "let who = actor(event); who.name = \"x\"; who.name == \"x\"",
    "let params = #{ name: name }; params.name == name",
    "params.name = \"x\"; params.name == \"x\"",
    "params.tags.push(name); params.tags.len() == 2",
];

/// Functions of the script, of which some stand beside a body.
const BESIDE: &[&str] = &[
    "fn over(event, most) { event.n > most }",
    "fn over(x) { x == () }",
    "fn change(m) { m.on = true; m }",
    "fn change() { this.on = true; }",
    "fn grow() { this.push(\"C\"); }",
    "fn own(event) { #{ name: event.eventName, more: event.n, on: () } }",
    "fn again(event) { if event.n == 3 { return false; } again(event) }",
    "fn fails(x) { throw \"no\" }",
    "fn map.turn() { this.on }",
    "fn other(names) { names += 1; let list = 1; list += names; list }",
    "fn pick(x) { x[0] }",
];

/// What stands before a body, so that its names mean something.
const BEFORE: &str = "let name = event.eventName; let n = event.n; let names = [\"A\", \"B\"]; let m = #{ a: name, on: false }; \
let x = event.requestParameters; let item = x.list[0]; let list = x.list; let who = actor(event); let f = |x| x == name; ";

/// The words, signs and literals of a script.
fn tokens(text: &str) -> Vec<&str> {
    const SIGNS: [&str; 24] = [
        "!in", "..=", "**=", "()", "?.", "?[", "??", "==", "!=", "<=", ">=", "&&", "||", "=>", "+=", "-=", "*=", "/=",
        "..", "::", "#{", "<<", "**", "${",
    ];
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let literal = |quote: char| {
            let mut escaped = false;
            let end = rest.char_indices().skip(1).find(|(_, letter)| {
                let ends = *letter == quote && !escaped;
                escaped = *letter == '\\' && !escaped;
                ends
            });
            end.map_or(rest.len(), |(at, _)| at + 1)
        };
        let length = match first {
            '"' | '\'' | '`' => literal(first),
            'a'..='z' | 'A'..='Z' | '0'..='9' | '_' => {
                let word = |text: &str| {
                    text.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').unwrap_or(text.len())
                };
                let length = word(rest);
                let fraction = rest[length..].strip_prefix('.').filter(|_| first.is_ascii_digit());
                match fraction.filter(|fraction| fraction.starts_with(|digit: char| digit.is_ascii_digit())) {
                    Some(fraction) => length + 1 + word(fraction),
                    None => length,
                }
            }
            _ => SIGNS.iter().find(|sign| rest.starts_with(**sign)).map_or(first.len_utf8(), |sign| sign.len()),
        };
        let (token, after) = rest.split_at(length);
        if !token.trim().is_empty() {
            tokens.push(token);
        }
        rest = after;
    }
    tokens
}

/// What can take the place of what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Operator,
    /// A step, or a call of a method.
    Step,
    Statement,
    Expression,
}

/// A script, and its pieces: where they begin and end, and what they are.
struct Seed {
    tokens: Vec<&'static str>,
    pieces: Vec<(usize, usize, Class)>,
}

impl Seed {
    fn new(text: &'static str, parses: impl Fn(&str) -> bool) -> Self {
        const OPERATORS: [&str; 12] = ["==", "!=", "<", ">", "<=", ">=", "&&", "||", "??", "+", "-", "in"];
        let tokens = tokens(text);
        let class = |begin: usize, end: usize| {
            let text = tokens[begin..end].join(" ");
            let with = |other: &str| parses(&[&tokens[..begin].join(" "), other, &tokens[end..].join(" ")].join(" "));
            if end == begin + 1 && OPERATORS.contains(&tokens[begin]) {
                return with("==").then_some(Class::Operator);
            }
            if parses(&format!("({text})")) {
                return with("(name)").then_some(Class::Expression);
            }
            if parses(&format!("(name {text})")) {
                return with(".name").then_some(Class::Step);
            }
            let ends = [";", "}"].contains(&tokens[end - 1]);
            (ends && parses(&text) && with("3;")).then_some(Class::Statement)
        };
        let ends = |begin: usize| (begin + 1..=tokens.len().min(begin + 20)).map(move |end| (begin, end));
        let pieces = (0..tokens.len()).flat_map(ends);
        let pieces: Vec<_> = pieces.filter_map(|(begin, end)| Some((begin, end, class(begin, end)?))).collect();
        assert!(!pieces.is_empty(), "is no script: {text}");
        Self { tokens, pieces }
    }

    /// Puts pieces in the place of others, by numbers that say which, and puts it together.
    fn spliced(&self, cuts: &[(usize, usize)]) -> String {
        let mut chosen: Vec<_> =
            cuts.iter().map(|(place, piece)| (self.pieces[place % self.pieces.len()], *piece)).collect();
        chosen.sort_by_key(|((begin, ..), _)| *begin);
        let (mut text, mut done) = (Vec::<&str>::new(), 0);
        for ((begin, end, class), piece) in chosen {
            if begin < done {
                continue;
            }
            text.extend(&self.tokens[done..begin]);
            let fitting = &PIECES[class as usize];
            text.extend(&fitting[piece % fitting.len()]);
            done = end;
        }
        text.extend(&self.tokens[done..]);
        text.join(" ")
    }
}

static SEEDS: LazyLock<Vec<Seed>> = LazyLock::new(|| {
    let engine = sandbox::parser(&Limits::default());
    let parses = |text: &str| engine.compile(text).is_ok();
    let battery = UNDERSTOOD.iter().chain(TRAPS).map(|(body, _)| *body);
    battery.chain(MORE.iter().copied()).map(|text| Seed::new(text, parses)).collect()
});

/// The pieces of all seeds, by class.
static PIECES: LazyLock<[Vec<Vec<&'static str>>; 4]> = LazyLock::new(|| {
    let mut all: [Vec<Vec<&str>>; 4] = Default::default();
    for seed in &*SEEDS {
        for (begin, end, class) in &seed.pieces {
            all[*class as usize].push(seed.tokens[*begin..*end].to_vec());
        }
    }
    for pieces in &mut all {
        pieces.sort();
        pieces.dedup();
    }
    all
});

static SHARED: LazyLock<Shared> = LazyLock::new(|| Shared::read(&libraries(), &Limits::default()).0);

/// A body of `matches`, and the functions beside it.
fn spliced() -> impl Strategy<Value = (String, String)> {
    let seed = || proptest::sample::select((0..SEEDS.len()).collect::<Vec<_>>());
    let cuts = || proptest::collection::vec((any::<usize>(), any::<usize>()), 0..4);
    let beside = proptest::sample::subsequence(BESIDE, 0..5);
    (seed(), cuts(), proptest::option::of((seed(), cuts())), beside).prop_map(|(first, cuts, second, beside)| {
        let mut body = format!("{BEFORE}{}", SEEDS[first].spliced(&cuts));
        if let Some((second, cuts)) = second {
            body = format!("let z = {{ {body} }}; {BEFORE}{}", SEEDS[second].spliced(&cuts));
        }
        (body, beside.join("\n"))
    })
}

/// Scripts that are refused, or of which nothing is known, would be no test.
#[test]
fn of_most_seeds_something_is_known() {
    on_big_stack(|| {
        let known = SEEDS.iter().filter(|seed| {
            let checked = checked(&format!("{BEFORE}{}", seed.spliced(&[])), &BESIDE.join("\n"), &[], Some(&SHARED));
            let is_refused = checked.diagnostics.iter().any(|one| one.level == Level::Error);
            !is_refused && !checked.script.predicate.unwrap().is_unknown()
        });
        let (known, all) = (known.count(), SEEDS.len());
        assert!(known * 2 > all, "of {known} of {all}");
    });
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn spliced_scripts_say_what_rhai_says(
        (body, beside) in spliced(),
        more in proptest::collection::vec(event(), 0..3),
        needs in any::<bool>(),
        known in proptest::collection::btree_set(0_usize..8, 0..8),
    ) {
        let mut problems = Vec::new();
        on_big_stack(|| {
            let needs: &[&str] = if needs { &["ec2/volumes"] } else { &[] };
            let beside = format!("{beside}\nfn title(event) {{ {body} }}");
            let checked = checked(&body, &beside, needs, Some(&SHARED));
            // Many are no scripts, or refused.
            if checked.diagnostics.iter().any(|one| one.level == Level::Error) {
                return;
            }
            let script = checked.script;
            let predicate = script.predicate.as_ref().unwrap();
            let (inventory, now) = (inventory(), "2024-05-14T12:00:00Z".parse().unwrap());
            let mut runtime = Runtime::new(1, Arc::clone(&inventory), now, &Limits::default());
            let title = runtime.proved(&script, "title");
            if predicate.is_unknown() && title.is_none() {
                return;
            }
            for event in events().iter().chain(&more) {
                let record = record(event);
                let whole = Whole { record: &record, inventory: &inventory };
                if let Some(answer) = title.and_then(|title| title.of(&whole))
                    && runtime.call(0, &script, "title", &record) != Ok(answer.clone())
                {
                    problems.push(format!("title: {answer} of {event}"));
                }
                let interpreted = runtime.call(0, &script, "matches", &record);
                problems.extend(contradictions(predicate, &record, &known, &interpreted));
            }
        });
        prop_assert!(problems.is_empty(), "{}", problems.join("\n"));
    }
}
