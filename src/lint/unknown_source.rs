//! `unknown-source`: sources of events that no service has.

use super::named::{is_slip, named, proposed};
use super::subject::Subject;
use super::{Category, Check, Lint};
use crate::diagnostic::{Diagnostic, Level};

pub(super) const LINT: Lint = Lint {
    code: "unknown-source",
    category: Category::Correctness,
    level: Level::Error,
    summary: "An `eventSource` that no service of AWS has: misspelt, or not what records call the service.",
    avoid: "`eventSource: cloudwatch.amazonaws.com`, `eventSource: ec2`",
    prefer: "`eventSource: monitoring.amazonaws.com`, `eventSource: ec2.amazonaws.com`",
    why: "No record has it, so the policy would be silent for ever. Services are not always called as one would think. One that \
          is newer than this version of Lawbook can be told with `--shapes`.",
    check: Check::Policy(check),
    bad: &[
        "//! when: { eventSource: ec2.amazonaw.com, eventName: RunInstances }\nfn matches(event) { succeeded(event) }",
        "//! when: { eventSource: [ec2.amazonaws.com, EC2.amazonaws.com], eventName: RunInstances }\nfn matches(event) { succeeded(event) }",
        "//! when: { eventSource: ec2, eventName: RunInstances }\nfn matches(event) { succeeded(event) }",
        "//! when: { eventSource: cloudwatch.amazonaws.com }\nfn matches(event) { succeeded(event) }",
        "//! when: { eventSource: kms.amazon.com, eventName: Decrypt }\nfn matches(event) { succeeded(event) }",
        "//! when: { eventSource: aws.kms, eventName: Decrypt }\nfn matches(event) { succeeded(event) }",
        "//! when: { eventSource: kms.aws.com, eventName: Decrypt }\nfn matches(event) { succeeded(event) }",
        "//! when:\nfn matches(event) { event.eventSource == \"iam.amazonaws.comm\" && succeeded(event) }",
        "//! when:\nfn matches(event) { event.eventSource in [\"iam.amazonaws.com\", \"iamm.amazonaws.com\"] && succeeded(event) }",
        "//! when:\nfn matches(e) { of(e, \"sss.amazonaws.com\") && succeeded(e) }\nfn of(x, source) { let s = x.eventSource; s == source }",
        "//! when:\nfn matches(event) { event.eventSource.starts_with(\"ec3.\") && succeeded(event) }",
        "//! when:\nfn matches(event) { switch event.eventSource { \"ec3.amazonaws.com\" => succeeded(event), _ => false } }",
    ],
    good: &[
        "//! when: { eventSource: monitoring.amazonaws.com, eventName: PutMetricAlarm }\nfn matches(event) { succeeded(event) }",
        "//! when: { eventSource: github.audit, eventName: repo.create }\nfn matches(event) { succeeded(event) }",
        "//! when: { eventSource: [signin.amazonaws.com, null] }\nfn matches(event) { succeeded(event) }",
        "//! when:\nfn matches(event) { event.eventSource == \"iam.amazonaws.com\" && succeeded(event) }",
        "//! when:\nfn matches(event) { event.eventSource.starts_with(\"ec2.\") && succeeded(event) }",
        "//! judges: ec2/volumes\nfn matches(volume) { volume.VolumeId == \"eventSource\" }",
    ],
};

fn check(subject: &Subject<'_>) -> Vec<Diagnostic> {
    unknown(subject, &LINT, true)
}

/// Sources that no service has: those that are a slip or lack their domain, or all others.
pub(super) fn unknown(subject: &Subject<'_>, lint: &Lint, are_wrong: bool) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    for named in named(subject, "eventSource") {
        if !named.is_start && subject.shapes.is_source(&named.text) {
            continue;
        }
        let known = subject.shapes.sources();
        if named.is_start && known.iter().any(|source| source.starts_with(&named.text)) {
            continue;
        }
        // Events of others may be in CloudTrail Lake, by sources of their own.
        let lacks_domain = known.contains(&format!("{}.amazonaws.com", named.text));
        let service = named.text.strip_suffix(".amazonaws.com").unwrap_or(&named.text);
        let alias = ALIASES.iter().find(|(alias, _)| service == *alias).map(|(_, source)| *source);
        // A known service in a domain that is nearly AWS's: `kms.amazon.com`.
        let is_strayed = named.text.split_once('.').is_some_and(|(service, domain)| {
            let is_nearly = domain.contains("amazon") || domain.contains("aws");
            is_nearly && domain != "amazonaws.com.cn" && known.contains(&format!("{service}.amazonaws.com"))
        });
        // What EventBridge calls a service.
        let is_of_events =
            named.text.strip_prefix("aws.").is_some_and(|service| known.contains(&format!("{service}.amazonaws.com")));
        let is_wrong = named.is_start
            || is_of_events
            || lacks_domain
            || alias.is_some()
            || is_strayed
            || is_slip(&named.text, known.iter().map(String::as_str));
        if is_wrong == are_wrong {
            let message = format!("no service has the source `{}`", named.text);
            let told = lint.at(named.source, named.span.clone(), message);
            out.push(match alias {
                Some(source) => told.help(format!("records of it have `{source}.amazonaws.com`")),
                None => proposed(told, &named, known.iter().map(String::as_str)),
            });
        }
    }
    out
}

/// What people call services, and what their records have: `eventSource` on the pages on CloudTrail of their guides.
const ALIASES: &[(&str, &str)] = &[
    ("cloudwatch", "monitoring"),
    ("cloudwatchlogs", "logs"),
    ("cloudwatch-logs", "logs"),
    ("elb", "elasticloadbalancing"),
    ("elbv2", "elasticloadbalancing"),
    ("alb", "elasticloadbalancing"),
    ("ses", "email"),
    ("sso-admin", "sso"),
    ("stepfunctions", "states"),
    ("sfn", "states"),
    ("emr", "elasticmapreduce"),
    ("efs", "elasticfilesystem"),
    ("opensearch", "es"),
    ("elasticsearch", "es"),
    ("eventbridge", "events"),
    ("msk", "kafka"),
    ("awsconfig", "config"),
    ("configservice", "config"),
    ("parameterstore", "ssm"),
    ("systemsmanager", "ssm"),
    ("securitytokenservice", "sts"),
    ("ecr-private", "ecr"),
    ("documentdb", "rds"),
    ("neptune", "rds"),
    ("cognito", "cognito-idp"),
    ("waf", "wafv2"),
];
