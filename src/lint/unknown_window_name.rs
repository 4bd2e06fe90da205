//! `unknown-window-name`: steps and keys of a window that are no function, and no field.

use super::calls::borrowed;
use super::subject::Subject;
use super::unknown_field::{self, of_names};
use super::unknown_parameter;
use super::{Category, Check, Lint};
use crate::diagnostic::{Diagnostic, Level, did_you_mean, surely_meant};
use crate::policy::Key;
use crate::script::syntax::Function;

pub(super) const LINT: Lint = Lint {
    code: "unknown-window-name",
    category: Category::Correctness,
    level: Level::Error,
    summary: "A step of a window that is no function of the policy, or a key that is neither a function nor a field of events.",
    avoid: "`sequence: [disasociated, associated]` where the function is `disassociated`; `by: userIdentity.anr`",
    prefer: "`sequence: [disassociated, associated]`; `by: userIdentity.arn`",
    why: "A step that nothing can be never happens, and what is grouped by a field that is not there is not judged at all.",
    check: Check::Policy(check),
    bad: &[
        "//! window: { by: userIdentity.arn, within: 1h, sequence: [won, lost] }\nfn matches(event) { succeeded(event) }\nfn one(event) { true }\nfn lost(event) { event.eventName == \"StopLogging\" }",
        "//! window: { by: userIdentity.anr, within: 1h, count: 5 }\nfn matches(event) { succeeded(event) }",
        "//! window: { by: [awsRegion, adress], within: 1h, count: 5 }\nfn matches(event) { succeeded(event) }\nfn address(event) { event.requestParameters.publicIp }",
        "//! window: { by: awsRegion, within: 1h, distinct: { of: userIdentity.usrName, count: 5 } }\nfn matches(event) { succeeded(event) }",
        "//! window: { by: awsRegion, within: 1h, after: one, absent: two }\nfn matches(event) { succeeded(event) }\nfn one(event) { event.eventName == \"StopLogging\" }",
    ],
    good: &[
        "//! when: { eventSource: ec2.amazonaws.com, eventName: StopInstances }\n//! window: { by: [requestParameters.force, userIdentity.arn], within: 1h, count: 5 }\nfn matches(event) { succeeded(event) }",
        "//! window: { by: userIdentity.arn, within: 1h, sequence: [one, two] }\nfn matches(event) { succeeded(event) }\nfn one(event) { event.eventName == \"StartLogging\" }\nfn two(event) { event.eventName == \"StopLogging\" }",
        "//! window: { by: [awsRegion, address], within: 1h, count: 5 }\nfn matches(event) { succeeded(event) }\nfn address(event) { event.requestParameters.publicIp }",
        "//! window: { by: sourceIPAddress, within: 1h, distinct: { of: userIdentity.userName, count: 5 } }\nfn matches(event) { succeeded(event) }",
        "//! window: { by: requestParameters.publicIp, first_seen: 14d }\nfn matches(event) { succeeded(event) }",
    ],
};

fn check(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let Some(window) = &subject.header().window else { return Vec::new() };
    let mut out = Vec::new();
    for key in ["sequence", "all", "after", "absent"] {
        for (name, span) in subject.items(&["window", key]) {
            if !has(subject, &name) {
                out.push(remark(subject, span, &name, format!("the policy has no function `{name}`, which is a step")));
            }
        }
    }
    let keys = [&["window", "by"][..], &["window", "distinct", "of"]];
    for (text, span) in keys.into_iter().flat_map(|key| subject.items(key)) {
        let named = window.keys().find(|key| key.text == text);
        let Some(Key { path, .. }) = named.filter(|_| !has(subject, &text)) else { continue };
        let calls = borrowed(&subject.calls);
        // Of requests and answers the models do not know everything: that is a warning.
        if let Some(unknown) = of_names(&unknown_parameter::LINT, subject, &calls, path, &["window"], false) {
            let message = format!("`{text}` is no function of the policy, and no such field is known");
            let mut remark = remark(subject, span, &text, message);
            remark.level = Level::Warning;
            remark.help = remark.help.or(unknown.help);
            out.push(remark);
        } else if let Some(unknown) = of_names(&unknown_field::LINT, subject, &calls, path, &["window"], true) {
            let help = unknown.help.clone();
            let mut remark =
                remark(subject, span, &text, format!("`{text}` is no function of the policy, and no field"));
            remark.help = remark.help.or(help);
            out.push(remark);
        }
    }
    out
}

fn has(subject: &Subject<'_>, name: &str) -> bool {
    subject.function(name).is_some_and(|function| function.params.len() == 1)
}

fn remark(subject: &Subject<'_>, span: std::ops::Range<usize>, name: &str, message: String) -> Diagnostic {
    let functions = || {
        let is_named = |function: &&Function| function.params.len() == 1 && !function.name.starts_with("anon$");
        subject.tree.functions.iter().filter(is_named).map(|function| function.name.as_str())
    };
    let diagnostic = LINT.at(subject.source, span.clone(), message);
    let Some(meant) = did_you_mean(name, functions()) else { return diagnostic };
    let diagnostic = diagnostic.help(format!("did you mean `{meant}`?"));
    match surely_meant(name, functions()) {
        Some(meant) if subject.source.text.get(span.clone()) == Some(name) => diagnostic.fix(span, meant),
        _ => diagnostic,
    }
}
