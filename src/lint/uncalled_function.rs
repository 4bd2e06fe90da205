//! `uncalled-function`: functions of lists that are asked as if they were members.

use super::calls::{at_end, borrowed};
use super::subject::Subject;
use super::{Category, Check, Lint};
use crate::diagnostic::{Diagnostic, Level};
use crate::schema::Holds;
use crate::script::reading::{Base, Path};

pub(super) const LINT: Lint = Lint {
    code: "uncalled-function",
    category: Category::Correctness,
    level: Level::Error,
    summary: "`len` or `is_empty` of a list or an object of the record, without parentheses.",
    avoid: "`volume.Attachments.len > 0`, `event.resources.is_empty == true`",
    prefer: "`volume.Attachments.len() > 0`, `event.resources.is_empty()`",
    why: "A list of the record has no members, so the answer is `()`, whatever is in it, and a comparison with it is false.",
    check: Check::Policy(check),
    bad: &[
        "//! judges: ec2/volumes\nfn matches(volume) { volume.Attachments.len > 0 }",
        "//! judges: ec2/volumes\nfn matches(volume) { volume.Attachments.is_empty == true }",
        "//! judges: ec2/volumes\nfn matches(volume) { many(volume.Attachments) }\nfn many(all) { all.len > 1 }",
        "fn matches(event) { succeeded(event) && event.resources.len > 1 }",
        "//! when: { eventSource: ec2.amazonaws.com, eventName: RunInstances }\nfn matches(event) { succeeded(event) && request(event).instancesSet.items.len > 1 }",
    ],
    good: &[
        "//! judges: ec2/volumes\nfn matches(volume) { volume.Attachments.len() > 0 && !volume.Attachments.is_empty() && volume.VolumeId.len > 3 }",
        "fn matches(event) { succeeded(event) && event.userAgent.split(\"/\").len > 1 && event.eventName.len > 3 }",
        "fn matches(event) { succeeded(event) && request(event).anything.len > 3 }",
        "//! window: { by: userIdentity.arn, within: 1h, count: 5 }\nfn matches(event) { succeeded(event) }\nfn title(hits) { `${hits.len} calls` }",
    ],
};

fn check(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let calls = borrowed(&subject.calls);
    let mut out: Vec<Diagnostic> = Vec::new();
    for read in subject.readings.values().flat_map(|reading| &reading.reads) {
        let Some(name) = read.path.last().filter(|name| ["len", "is_empty"].contains(name)) else { continue };
        let mut of = Path { base: read.path.base.clone(), steps: read.path.steps.clone() };
        of.steps.pop();
        // A list of resources may be one of Rhai's own.
        if of.steps.is_empty() && matches!(of.base, Base::Resources(_)) {
            continue;
        }
        let holds = at_end(&of, subject, &calls).map(|place| place.holds()).unwrap_or_default();
        if holds.is_empty() || !holds.into_iter().all(Holds::has_parts) {
            continue;
        }
        let told = LINT.at(subject.source_of(&read.place), read.place.span.clone(), format!("`{name}` is a function"));
        let told = told.help(format!("call it: `{name}()`"));
        if !out.contains(&told) {
            out.push(told);
        }
    }
    out
}
