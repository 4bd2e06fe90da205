//! The pages of what is found while front matter and files are read.

use super::super::{Category, Check, Lint};
use crate::diagnostic::Level;

/// In the order of their codes.
pub(super) const LINTS: &[Lint] = &[
    Lint {
        code: "front-matter",
        category: Category::Metadata,
        level: Level::Error,
        summary: "The head of the file is missing, is not closed by a second `//! ---`, is no YAML, or breaks the [schema](../schemas/policy.schema.json): an unknown key, a missing one, a severity that is none. Or a file in `lib/` has one.",
        avoid: "`severity: hgih`, `tagz: []`",
        prefer: "the keys in [policies.md](policies.md#front-matter).",
        why: "A key that nobody reads is a wish that nobody fulfils.",
        check: Check::Loading,
        bad: &[
            "//! severity: hgih
fn matches(event) { true }",
            "//! tagz: []
fn matches(event) { true }",
            "//! ---
//! title: Something was made

//! severity: low
//! ---
fn matches(event) { true }",
            "fn matches(event) { succeeded(event) }
//// lib
//! ---
//! title: Something was made
//! ---
fn is_a(event) { true }",
        ],
        good: &[
            "//! severity: high
fn matches(event) { succeeded(event) }",
            "fn matches(event) { is_a(event) && succeeded(event) }
//// lib
//! What policies share.
fn is_a(event) { event.a == 1 }",
        ],
    },
    Lint {
        code: "id",
        category: Category::Metadata,
        level: Level::Error,
        summary: "The name of the file is no id, or another policy of the pack has it.",
        avoid: "`EIP_Disassociated.rhai`",
        prefer: "`eip-disassociated.rhai`.",
        why: "Findings, parameters and flags refer to the id, so there must be one, and it must be easy to write.",
        check: Check::Loading,
        bad: &[],
        good: &[],
    },
    Lint {
        code: "param",
        category: Category::Correctness,
        level: Level::Error,
        summary: "A parameter whose default is not of its type, or which has `of` and is no list. A list is one of texts where `of` does not say what.",
        avoid: "`{ type: int, default: many, doc: … }`, `{ type: list, default: [22, 3389], doc: … }`",
        prefer: "`{ type: int, default: 5, doc: … }`, `{ type: list, of: int, default: [22, 3389], doc: … }`",
        why: "The default is what everybody gets.",
        check: Check::Loading,
        bad: &[
            "//! params: { n: { type: int, default: many, doc: D } }\nfn matches(event) { params.n == 1 }",
            "//! params: { n: { type: list, default: [22, 3389], doc: D } }\nfn matches(event) { event.a in params.n }",
            "//! params: { n: { type: list, default: [a, true], doc: D } }\nfn matches(event) { event.a in params.n }",
        ],
        good: &[
            "//! params: { n: { type: int, default: 1, doc: D } }\nfn matches(event) { params.n == 1 }",
            "//! params: { n: { type: list, of: int, default: [22], doc: D } }\nfn matches(event) { event.a in params.n }",
            "//! params: { n: { type: list, default: [\"22\", 111122223333], doc: D } }\nfn matches(event) { event.a in params.n }",
        ],
    },
    Lint {
        code: "placeholder",
        category: Category::Remediation,
        level: Level::Error,
        summary: "A `${…}` that is not closed, is no name, or does not stand alone where it will be quoted.",
        avoid: "`--id '${id}'`, `--filters Name=id,Values=${id}`",
        prefer: "`--id ${id}`",
        why: "Its value comes from logs, which attackers write. It is quoted when it is filled, which makes it safe only as a whole word of the shell or a whole expression of Python.",
        check: Check::Loading,
        bad: &[r#"//! remediation: { cli: "aws x --id '${id}'" }
fn matches(event) { true }"#],
        good: &[r#"//! remediation: { cli: "aws x --id ${id}" }
fn matches(event) { succeeded(event) }
fn context(event) { #{ id: event.eventID } }"#],
    },
    Lint {
        code: "unknown-kind",
        category: Category::Correctness,
        level: Level::Error,
        summary: "An inventory kind that no AWS command gives, or one to be judged that is there to be looked up alone.",
        avoid: "`ec2/volume`, `judges: cloudtrail/sessions`",
        prefer: "`ec2/volumes`; [inventory.md](inventory.md) explains the names.",
        why: "Nothing would ever be found in it.",
        check: Check::Loading,
        bad: &[
            "//! judges: ec2/volume
fn matches(volume) { true }",
            "//! judges: cloudtrail/sessions
fn matches(session) { true }",
            "//! uses: [ec2/volume]
fn matches(event) { true }",
        ],
        good: &["//! judges: ec2/volumes
fn matches(volume) { volume.Encrypted == false }"],
    },
    Lint {
        code: "when",
        category: Category::Correctness,
        level: Level::Error,
        summary: "A key of `when` that is no path, a value with a wildcard, or one that is listed twice.",
        avoid: "`eventName: Delete*`",
        prefer: r#"a list of names, or `glob(event.eventName, "Delete*")` in `matches`."#,
        why: "`when` compares whole values; a wildcard would be compared letter by letter, and never be equal.",
        check: Check::Loading,
        bad: &[
            r#"//! when: { eventName: "Delete*" }
fn matches(event) { true }"#,
            "//! when: { a..b: 1 }
fn matches(event) { true }",
        ],
        good: &["//! when: { eventName: [DeleteA, DeleteB] }
fn matches(event) { succeeded(event) }"],
    },
    Lint {
        code: "window",
        category: Category::Correctness,
        level: Level::Error,
        summary: "A window that asks nothing, several things, or what nothing can be.",
        avoid: "`window: { by: userIdentity.arn, count: 5 }`, `within: ten minutes`, `count: \"< 5\"`, `after` without `absent`",
        prefer: "`window: { by: userIdentity.arn, within: 10m, count: \">= 5\" }`",
        why: "What is asked of several records must say whose belong together, how far apart they may be, and one thing that they must \
              be: `count`, `distinct`, `sequence`, `all`, `after` with `absent`, or `first_seen`.",
        check: Check::Loading,
        bad: &[
            "//! window: { by: awsRegion }\nfn matches(event) { succeeded(event) }",
            "//! window: { by: awsRegion, within: 1h }\nfn matches(event) { succeeded(event) }",
            "//! window: { by: awsRegion, count: 5 }\nfn matches(event) { succeeded(event) }",
            "//! window: { within: 1h, count: 5 }\nfn matches(event) { succeeded(event) }",
            "//! window: { by: awsRegion, within: soon, count: 5 }\nfn matches(event) { succeeded(event) }",
            "//! window: { by: awsRegion, within: 1h, count: \"< 5\" }\nfn matches(event) { succeeded(event) }",
            "//! window: { by: awsRegion, within: 1h, count: 0 }\nfn matches(event) { succeeded(event) }",
            "//! window: { by: awsRegion, within: 1h, count: 5, first_seen: 14d }\nfn matches(event) { succeeded(event) }",
            "//! window: { by: awsRegion, within: 1h, first_seen: 14d }\nfn matches(event) { succeeded(event) }",
            "//! window: { by: awsRegion, within: 1h, after: one }\nfn matches(event) { succeeded(event) }\nfn one(event) { true }",
            "//! window: { by: awsRegion, within: 1h, after: one, absent: one }\nfn matches(event) { succeeded(event) }\nfn one(event) { true }",
            "//! window: { by: awsRegion, within: 1h, sequence: [matches, one] }\nfn matches(event) { succeeded(event) }\nfn one(event) { event.eventName == \"StopLogging\" }",
            "//! window: { by: userIdentity.arn, within: 1h, distinct: { of: userIdentity.arn, count: 2 } }\nfn matches(event) { succeeded(event) }",
            "//! window: { by: eventID, within: 1h, count: 5 }\nfn matches(event) { succeeded(event) }",
            "//! window: { by: awsRegion, within: 1h, sequence: [one] }\nfn matches(event) { succeeded(event) }\nfn one(event) { true }",
            "//! window: { by: awsRegion, within: 1h, all: [one, one] }\nfn matches(event) { succeeded(event) }\nfn one(event) { true }",
            "//! window: { by: \"a..b\", within: 1h, count: 5 }\nfn matches(event) { succeeded(event) }",
            "//! judges: ec2/volumes\n//! window: { by: VolumeId, within: 1h, count: 5 }\nfn matches(volume) { volume.Encrypted == false }",
        ],
        good: &[
            "//! window: { by: awsRegion, within: 1h30m, count: \">= 5\" }\nfn matches(event) { succeeded(event) }",
            "//! window: { by: [awsRegion, userIdentity.arn], within: 1h, count: 5, cooldown: 0s }\nfn matches(event) { succeeded(event) }",
            "//! window: { by: awsRegion, first_seen: 14d }\nfn matches(event) { succeeded(event) }",
            "//! window: { by: awsRegion, within: 1h, sequence: [one, two, one] }\nfn matches(event) { succeeded(event) }\nfn one(event) { event.eventName == \"A\" }\nfn two(event) { event.eventName == \"B\" }",
        ],
    },
];
