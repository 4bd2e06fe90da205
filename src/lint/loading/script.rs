//! The pages of what is found while a script is read.

use super::super::{Category, Check, Lint};
use crate::diagnostic::Level;

/// In the order of their codes.
pub(super) const LINTS: &[Lint] = &[
    Lint {
        code: "bare-path",
        category: Category::NullSafety,
        level: Level::Error,
        summary: "A path into a record, where something must be true or false.",
        avoid: "`if event.readOnly { … }`",
        prefer: "`if event.readOnly == true { … }`.",
        why: r#"Where the field is absent, or is the text `"true"`, Rhai would fail on it, and only on that record."#,
        check: Check::Loading,
        bad: &[
            "fn matches(event) { event.readOnly }",
            "fn is_bad(e) { e.readOnly }
fn matches(event) { is_bad(event) && succeeded(event) }",
        ],
        good: &[
            "fn matches(event) { event.readOnly == true }",
            "fn is_bad(e) { e.readOnly == true }
fn matches(event) { is_bad(event) }",
        ],
    },
    Lint {
        code: "hook",
        category: Category::Correctness,
        level: Level::Error,
        summary: "No `matches`; a hook with another number of parameters than one; or a function that nobody calls and whose name looks like a misspelt hook, or is a hook's and stands in a library.",
        avoid: "`fn match_(event)`, `fn title()`",
        prefer: "`fn matches(event)`, `fn title(event)`",
        why: "Such a policy would never find anything, or never say what it should.",
        check: Check::Loading,
        bad: &[
            "fn matches() { true }",
            r#"fn matches(event) { succeeded(event) }
fn titel(event) { "x" }"#,
            r#"fn matches(event) { succeeded(event) }
//// lib
fn title(event) { "x" }"#,
            r#"fn matches(event) { event.title == "x" && succeeded(event) }
//// lib
fn keep(event) { #{ title: "x" } }
fn title(event) { "x" }"#,
        ],
        good: &[
            r#"fn matches(event) { tilted(event) == "x" }
fn tilted(event) { "x" }"#,
            r#"fn matches(event) { succeeded(event) && group(event) == "x" }
//// lib
fn group(event) { event.a }
fn title(event, what) { what }"#,
            r#"fn matches(event) { succeeded(event) && list(event.a).some(Fn("keep")) }
//// lib
fn keep(event) { event == "a" }"#,
        ],
    },
    Lint {
        code: "kind-not-literal",
        category: Category::Correctness,
        level: Level::Error,
        summary: "A look-up whose kind is computed, or that is called by other ways than its name.",
        avoid: r#"`lookup("ec2/" + what, …)`, `"ec2/volumes".lookup(…)`, `Fn("lookup")`"#,
        prefer: r#"`lookup("ec2/volumes", …)`"#,
        why: "Only a literal can be checked against the kinds that there are and those that the policy declares. A look-up that was not seen here, as of a name that the script puts together, fails while it runs where the policy does not declare the kind.",
        check: Check::Loading,
        bad: &[
            "fn matches(event) { all(event.kind).is_empty() }",
            r#"//! uses: [ec2/volumes]
fn matches(event) { "ec2/volumes".all().is_empty() }"#,
            r#"//! uses: [ec2/volumes]
fn matches(event) { Fn("all").call("ec2/volumes").is_empty() }"#,
        ],
        good: &[r#"//! uses: [ec2/volumes]
fn matches(event) { all("ec2/volumes").is_empty() }"#],
    },
    Lint {
        code: "name-clash",
        category: Category::Correctness,
        level: Level::Error,
        summary: "A function with the name of one of Lawbook's, of Rhai's with as many parameters, of the prelude or of a library; one that as a method would come before Rhai's; a parameter or variable with the name of a constant, or called `params`.",
        avoid: "`fn actor(event)`",
        prefer: "`fn who_did_it(event)`",
        why: "Whoever reads the policy, and the policies beside it, should know which one is called. Where a parameter has the name of a constant, Rhai reads the constant.",
        check: Check::Loading,
        bad: &[
            "fn matches(event) { succeeded(event) }
fn actor(event) { 1 }",
            "const MOST = 3;
fn matches(event) { list(event.resources).len() > MOST && is_many(4) }
fn is_many(MOST) { MOST == 4 }",
            "const MOST = 3;
fn matches(event) { let MOST = 4; list(event.resources).some(|one| MOST == 4) }",
            r#"fn matches(event) { list(event.resources).some(|params| params.type == "x") }"#,
            "const MOST = 3;
fn matches(event) { try { throw 4 } catch (MOST) { return MOST == 4; } false }",
            r#"fn matches(event) { event.eventName.contains("x") }
fn contains(part) { true }"#,
        ],
        good: &[
            "fn matches(event) { who_did_it(event) == 1 }
fn who_did_it(event) { 1 }",
            "const MOST = 3;
fn matches(event) { let most = MOST; list(event.resources).len() > most && is_many(4) }
fn is_many(most) { most == 4 }",
        ],
    },
    Lint {
        code: "record-changed",
        category: Category::Correctness,
        level: Level::Error,
        summary: "An assignment to the record, to `params`, to a constant, or to a part of one.",
        avoid: r#"`event.eventName = "x"`"#,
        prefer: r#"`let name = "x"`"#,
        why: "The hooks must all be about the same record.",
        check: Check::Loading,
        bad: &[r#"fn matches(event) { event.eventName = "x"; true }"#],
        good: &[r#"fn matches(event) { let name = event.eventName; name = "x"; name == "x" }"#],
    },
    Lint {
        code: "syntax",
        category: Category::Correctness,
        level: Level::Error,
        summary: "The script does not parse; it nests more than 256 deep, has more than 256 KiB, or uses `eval`, `import` or `export`, or a declaration is all that a case of a `switch` does, without braces.",
        avoid: "",
        prefer: "to name parts of an expression with `let`, and to put what policies share in `lib/*.rhai`, which needs no `import`.",
        why: "",
        check: Check::Loading,
        bad: &[
            "fn matches(event) { event.eventName == }",
            r#"fn matches(event) { eval("1") == 1 }"#,
            r#"fn matches(event) { switch event.eventName { "x" => true, _ => let other = 1 } }"#,
        ],
        good: &[
            r#"fn matches(event) { event.eventName == "x" }"#,
            r#"fn matches(event) { switch event.eventName { "x" => true, _ => { let other = 1; other == 2 } } }"#,
        ],
    },
    Lint {
        code: "text-as-list",
        category: Category::NullSafety,
        level: Level::Error,
        summary: "`in` with text on its right, or a `for` over text.",
        avoid: r#"`"Delete" in event.eventName`"#,
        prefer: r#"`event.eventName.starts_with("Delete")`, or `contains`, or a list on the right."#,
        why: "Both do something with letters that looks as if it did something with words.",
        check: Check::Loading,
        bad: &[r#"fn matches(event) { "Delete" in event.eventName }"#],
        good: &[r#"fn matches(event) { event.eventName.contains("Delete") && event.eventName in ["A"] }"#],
    },
    Lint {
        code: "top-level-statement",
        category: Category::Correctness,
        level: Level::Error,
        summary: "A statement outside of a function, or a `const` of something that is not a literal.",
        avoid: "`let limit = 5;`",
        prefer: "`const LIMIT = 5;`, or a function.",
        why: "Nothing at the top of the file is run.",
        check: Check::Loading,
        bad: &["let limit = 5;
fn matches(event) { succeeded(event) }"],
        good: &["const LIMIT = 5;
fn matches(event) { event.n == LIMIT }"],
    },
    Lint {
        code: "undeclared-kind",
        category: Category::Correctness,
        level: Level::Error,
        summary: "A look-up in a kind that is in neither `uses` nor `needs`.",
        avoid: "",
        prefer: "`needs` if the policy cannot judge without it, `uses` if it can.",
        why: "It decides what happens where the kind was not collected, and tells people what to collect.",
        check: Check::Loading,
        bad: &[r#"fn matches(event) { lookup("ec2/addresses", "PublicIp", event.sourceIPAddress) != () }"#],
        good: &[r#"//! uses: [ec2/addresses]
fn matches(event) { lookup("ec2/addresses", "PublicIp", event.sourceIPAddress) != () }"#],
    },
    Lint {
        code: "unknown-function",
        category: Category::Correctness,
        level: Level::Error,
        summary: "A function that does not exist, or that policies may not use.",
        avoid: "`succeded(event)`",
        prefer: "`succeeded(event)`; [policy-language.md](policy-language.md) lists all.",
        why: "Rhai notices a missing function when a record reaches it, which may be in a year.",
        check: Check::Loading,
        bad: &["fn matches(event) { succeded(event) }"],
        good: &["fn matches(event) { succeeded(event) }"],
    },
    Lint {
        code: "unknown-param",
        category: Category::Correctness,
        level: Level::Error,
        summary: "`params.x`, where the front matter declares no `x`.",
        avoid: "",
        prefer: "to declare it under `params:`, with a default.",
        why: "It would be `()`, which is never what somebody set.",
        check: Check::Loading,
        bad: &[
            "//! params: { limit: { type: int, default: 1, doc: D } }
fn matches(event) { params.limits == 1 }",
            "//! params: { limit: { type: int, default: 1, doc: D } }
fn matches(event) { list(event.resources).some(|resource| resource.at == params.limits) }",
            "//! params: { limit: { type: int, default: 1, doc: D } }
fn matches(event) { list(event.resources).some(|resource| [1].some(|one| one == params.limits)) }",
            "//! params: { limit: { type: int, default: 1, doc: D } }
fn matches(event) { params[\"limits\"] == 1 }",
            "//! params: { limit: { type: int, default: 1, doc: D } }
fn matches(event) { let set = params; set.limits == 1 }",
        ],
        good: &[
            "//! params: { limit: { type: int, default: 1, doc: D } }
fn matches(event) { params.limit == 1 }",
            "//! params: { limit: { type: int, default: 1, doc: D } }
fn matches(event) { let set = params; list(event.resources).some(|at| at == set.limit && at < params[\"limit\"]) }",
        ],
    },
    Lint {
        code: "unknown-variable",
        category: Category::Correctness,
        level: Level::Error,
        summary: "A variable that nothing declares, or a name of a module: there are none.",
        avoid: "",
        prefer: "",
        why: "As for functions, Rhai notices when a record reaches it.",
        check: Check::Loading,
        bad: &[
            r#"fn matches(event) { evnt.eventName == "x" }"#,
            "const NAME = \"x\";
fn matches(event) { event.eventName == global::NAME }",
        ],
        good: &[
            r#"fn matches(event) { event.eventName == "x" }"#,
            "const NAME = \"x\";
fn matches(event) { event.eventName == NAME }",
        ],
    },
    Lint {
        code: "wrong-arity",
        category: Category::Correctness,
        level: Level::Error,
        summary: "A function that is called with a number of arguments that it does not take. What stands before a dot is one of them, but for functions of scripts, which are given it as `this`.",
        avoid: "`actor()`",
        prefer: "`actor(event)`",
        why: "",
        check: Check::Loading,
        bad: &[
            "fn matches(event) { succeeded() }",
            r#"fn matches(event) { event.eventName.is_it() }
fn is_it(name) { name == "x" }"#,
        ],
        good: &[
            "fn matches(event) { succeeded(event) && event.succeeded() }",
            r#"fn matches(event) { event.eventName.is_it("x") && is_other(event.eventName) }
fn is_it(name) { this == name }
fn is_other(name) { name != "y" }"#,
        ],
    },
];
