//! `unknown-source`: sources of events that no service has.

use super::named::{Named, named, proposed};
use super::subject::Subject;
use super::{Category, Check, Lint};
use crate::diagnostic::{Diagnostic, Level};

pub(super) const LINT: Lint = Lint {
    code: "unknown-source",
    category: Category::Correctness,
    level: Level::Error,
    summary: "An `eventSource` that no service of AWS has.",
    avoid: "`eventSource: cloudwatch.amazonaws.com`, `eventSource: ec2`",
    prefer: "`eventSource: monitoring.amazonaws.com`, `eventSource: ec2.amazonaws.com`",
    why: "No record has it, so the policy would be silent for ever. Services are not always called as one would think. One that \
          is newer than this version of Lawbook can be told with `--shapes`.",
    check: Check::Policy(check),
    bad: &[
        "//! when: { eventSource: ec2.amazonaw.com, eventName: RunInstances }\nfn matches(event) { succeeded(event) }",
        "//! when: { eventSource: [ec2.amazonaws.com, EC2.amazonaws.com], eventName: RunInstances }\nfn matches(event) { succeeded(event) }",
        "//! when: { eventSource: cloudwatch.amazonaws.com }\nfn matches(event) { succeeded(event) }",
        "//! when:\nfn matches(event) { event.eventSource == \"iam.amazonaws.comm\" && succeeded(event) }",
        "//! when:\nfn matches(event) { event.eventSource in [\"iam.amazonaws.com\", \"iamm.amazonaws.com\"] && succeeded(event) }",
        "//! when:\nfn matches(e) { of(e, \"sss.amazonaws.com\") && succeeded(e) }\nfn of(x, source) { let s = x.eventSource; s == source }",
        "//! when:\nfn matches(event) { event.eventSource.starts_with(\"ec3.\") && succeeded(event) }",
        "//! when:\nfn matches(event) { switch event.eventSource { \"ec3.amazonaws.com\" => succeeded(event), _ => false } }",
    ],
    good: &[
        "//! when: { eventSource: monitoring.amazonaws.com, eventName: PutMetricAlarm }\nfn matches(event) { succeeded(event) }",
        "//! when: { eventSource: [signin.amazonaws.com, null] }\nfn matches(event) { succeeded(event) }",
        "//! when:\nfn matches(event) { event.eventSource == \"iam.amazonaws.com\" && succeeded(event) }",
        "//! when:\nfn matches(event) { event.eventSource.starts_with(\"ec2.\") && succeeded(event) }",
        "//! judges: ec2/volumes\nfn matches(volume) { volume.VolumeId == \"eventSource\" }",
    ],
};

fn check(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let is_sound = |named: &Named<'_>| match named.is_start {
        false => subject.shapes.is_source(&named.text),
        true => subject.shapes.sources().iter().any(|source| source.starts_with(&named.text)),
    };
    let unknown = named(subject, "eventSource").into_iter().filter(|named| !is_sound(named));
    let remark = |named: Named<'_>| {
        let known = subject.shapes.sources();
        let message = format!("no service has the source `{}`", named.text);
        proposed(LINT.at(named.source, named.span.clone(), message), &named, &known)
    };
    unknown.map(remark).collect()
}
