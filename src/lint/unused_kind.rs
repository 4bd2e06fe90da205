//! `unused-kind`: inventory that is declared and not looked into.

use std::collections::BTreeSet;

use super::subject::Subject;
use super::unused_function::mentioned;
use super::{Category, Check, Lint};
use crate::diagnostic::{Diagnostic, Level};
use crate::script::syntax::{Function, Tree};
use crate::sessions;

pub(super) const LINT: Lint = Lint {
    code: "unused-kind",
    category: Category::Style,
    level: Level::Warning,
    summary: "An inventory kind in `uses` or `needs` that no function looks into.",
    avoid: "`uses: [ec2/instances]` with no look-up of instances",
    prefer: "to take it away",
    why: "People are told to collect what makes no difference; under `needs`, they may believe that it is waited for.",
    check: Check::Policy(check),
    bad: &[
        "//! uses: [ec2/volumes]\nfn matches(event) { succeeded(event) }",
        "//! needs: [ec2/volumes]\nfn matches(event) { succeeded(event) }",
        "//! uses: [ec2/volumes, ec2/instances]\nfn matches(event) { succeeded(event) && all(\"ec2/volumes\").is_empty() && collected(\"ec2/volumes\") }",
    ],
    good: &[
        "//! needs: [ec2/volumes]\nfn matches(event) { succeeded(event) && all(\"ec2/volumes\").is_empty() }",
        "//! uses: [ec2/volumes]\nfn matches(event) { succeeded(event) }\nfn context(event) { #{ v: volume(event) } }\nfn volume(e) { lookup(\"ec2/volumes\", \"VolumeId\", e.v) }",
        "//! uses: [ec2/volumes]\nfn matches(event) { succeeded(event) && volume_of(event) != () }\n//// lib\nfn volume_of(e) { found(e) }\nfn found(e) { first(lookup_all(\"ec2/volumes\", \"VolumeId\", e.v)) }",
    ],
};

fn check(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let declared = || [("uses", &subject.header().uses), ("needs", &subject.header().needs)];
    if declared().iter().all(|(_, kinds)| kinds.is_empty()) {
        return Vec::new();
    }
    let mentioned = words(&subject.trees);
    let mut out = Vec::new();
    for (key, _) in declared() {
        for (kind, span) in subject.items(&[key]) {
            // That alone has findings say who began the session.
            let is_followed = kind == sessions::KIND && subject.judges_events();
            if !mentioned.contains(kind.as_str()) && !is_followed {
                out.push(LINT.at(subject.source, span, format!("nothing looks into `{kind}`")).help("take it away"));
            }
        }
    }
    out
}

/// Every name and every text in the functions of a policy, and in those that they may call.
fn words<'a>(trees: &[&'a Tree]) -> BTreeSet<&'a str> {
    let mut found: BTreeSet<&str> = BTreeSet::new();
    let mut next: Vec<&Function> = trees.first().map(|tree| tree.functions.iter().collect()).unwrap_or_default();
    while let Some(function) = next.pop() {
        for name in mentioned(function) {
            if found.insert(name) {
                next.extend(trees.iter().skip(1).flat_map(|tree| &tree.functions).filter(|of| of.name == name));
            }
        }
    }
    found
}
