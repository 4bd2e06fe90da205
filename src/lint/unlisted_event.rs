//! `unlisted-event`: names of events that nobody knows, and that look like none that is known.

use super::named::named;
use super::subject::Subject;
use super::{Category, Check, Lint, unknown_event};
use crate::diagnostic::{Diagnostic, Level};

pub(super) const LINT: Lint = Lint {
    code: "unlisted-event",
    category: Category::Correctness,
    level: Level::Warning,
    summary: "An `eventName` that this version of Lawbook does not know.",
    avoid: "`{ eventSource: ec2.amazonaws.com, eventName: MakeInstances }`, `eventName: CreateFunction` of Lambda",
    prefer: "a name of AWS's, as records have it: `CreateFunction20150331`; for one that is newer than Lawbook, a folder for `--shapes` that says so",
    why: "AWS adds operations every week, so this keeps no policy from loading; but a name that no record has is never found.",
    check: Check::Policy(check),
    bad: &[
        "//! when: { eventSource: lambda.amazonaws.com, eventName: [CreateFunction, AddPermission20150331v2] }\nfn matches(event) { succeeded(event) }",
        "//! when: { eventSource: ec2.amazonaws.com, eventName: MakeInstances }\nfn matches(event) { succeeded(event) }",
        "//! when: { eventSource: iam.amazonaws.com }\nfn matches(event) { event.eventName == \"FrobnicateUser\" && succeeded(event) }",
        "//! when: { eventSource: iam.amazonaws.com, eventName: [CreateUser, FrobnicateUser] }\nfn matches(event) { succeeded(event) }",
    ],
    good: &[
        "//! when: { eventSource: lambda.amazonaws.com, eventName: [CreateFunction, CreateFunction20150331, Invoke, CreateFunctionUrlConfig] }\nfn matches(event) { succeeded(event) }",
        "//! when: { eventSource: ec2.amazonaws.com, eventName: RunInstances }\nfn matches(event) { succeeded(event) }",
        "//! when: { eventType: AwsConsoleAction, eventName: SomethingOnAPage }\nfn matches(event) { succeeded(event) }",
    ],
};

fn check(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let mut out = unknown_event::unknown(subject, &LINT, false);
    let all = named(subject, "eventName");
    for one in all.iter().filter(|one| !one.is_start && !one.is_part) {
        let sources = subject.sources.iter().flatten();
        let dated: Vec<String> = sources.flat_map(|source| subject.shapes.dated_names(source, &one.text)).collect();
        if let Some(first) = dated.first().filter(|_| !all.iter().any(|other| dated.contains(&other.text))) {
            let message = format!("records call `{}` by a name with a date", one.text);
            let told = LINT.at(one.source, one.span.clone(), message);
            out.push(
                told.help(format!("`{first}`, or with `v2`; `glob(event.eventName, \"{}20*\")` takes all", one.text)),
            );
        }
    }
    out
}
