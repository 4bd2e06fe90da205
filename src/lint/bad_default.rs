//! `bad-default`: defaults of parameters that are used as what they are not.

use serde_json::Value as Json;

use super::subject::Subject;
use super::{Category, Check, Lint};
use crate::diagnostic::{Diagnostic, Level};
use crate::policy::ParamKind;
use crate::script::reading::Value;
use crate::script::text_mistake;

pub(super) const LINT: Lint = Lint {
    code: "bad-default",
    category: Category::Correctness,
    level: Level::Error,
    summary: "The default of a parameter is used as a glob, a regular expression, a duration, a time or a block of addresses, and is none.",
    avoid: "`nets: { type: list, default: [\"10.0.0.0/8, 192.168.0.0/16\"], … }` with `ip_in_cidr(x, params.nets)`; `duration(params.old)` of a `duration`",
    prefer: "`nets: { type: list, default: [10.0.0.0/8, 192.168.0.0/16], … }`; `params.old`, which is in seconds",
    why: "The policy would fail on every record that it comes to ask about, or a comparison would never be true, for everybody who sets nothing else.",
    check: Check::Policy(check),
    bad: &[
        "//! params: { nets: { type: list, default: [\"10.0.0.0/8, 192.168.0.0/16\"], doc: D } }\nfn matches(event) { succeeded(event) && !ip_in_cidr(event.sourceIPAddress, params.nets) }",
        "//! params: { net: { type: text, default: 10.0.0.0-10.0.0.9, doc: D } }\nfn matches(event) { succeeded(event) && ip_in_cidr(event.sourceIPAddress, params.net) }",
        "//! params: { tool: { type: text, default: \"(aws\", doc: D } }\nfn matches(event) { succeeded(event) && regex(event.userAgent, params.tool) }",
        "//! params: { tools: { type: list, default: [\"aws*\", \"boto[\"], doc: D } }\nfn matches(event) { succeeded(event) && is_it(event.userAgent, params.tools) }\nfn is_it(x, patterns) { glob(x, patterns) }",
        "//! params: { old: { type: duration, default: 90d, doc: D } }\nfn matches(event) { succeeded(event) && age(event.eventTime) > duration(params.old) }",
        "//! params: { old: { type: text, default: 90 days, doc: D } }\nfn matches(event) { succeeded(event) && age(event.eventTime) > duration(params.old) }",
    ],
    good: &[
        "//! params: { nets: { type: list, default: [10.0.0.0/8, \"2001:db8::/32\"], doc: D } }\nfn matches(event) { succeeded(event) && !ip_in_cidr(event.sourceIPAddress, params.nets) }",
        "//! params: { nets: { type: list, default: [], doc: D } }\nfn matches(event) { succeeded(event) && ip_in_cidr(event.sourceIPAddress, params.nets) }",
        "//! params: { net: { type: text, default: \"\", doc: D } }\nfn matches(event) { succeeded(event) && params.net != \"\" && ip_in_cidr(event.sourceIPAddress, params.net) }",
        "//! params: { old: { type: text, default: 90d, doc: D } }\nfn matches(event) { succeeded(event) && age(event.eventTime) > duration(params.old) }",
        "//! params: { old: { type: duration, default: 90d, doc: D } }\nfn matches(event) { succeeded(event) && age(event.eventTime) > params.old }",
        "//! params: { tool: { type: text, default: \"(aws\", doc: D } }\nfn matches(event) { succeeded(event) && event.userAgent.contains(params.tool) }",
    ],
};

fn check(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let mut out: Vec<Diagnostic> = Vec::new();
    for call in subject.readings.values().flat_map(|reading| &reading.calls) {
        for (argument, value) in call.args.iter().enumerate() {
            let Value::Param(name) = value else { continue };
            let Some(param) = subject.header().params.iter().find(|param| param.name == *name) else { continue };
            let mistake = match (&param.kind, &param.default) {
                (ParamKind::Duration, _) if call.name == "duration" => Some("it is in seconds already".to_owned()),
                (ParamKind::Text, Json::String(text)) => text_mistake(&call.name, argument, text),
                (ParamKind::List(_), Json::Array(items)) => {
                    items.iter().filter_map(Json::as_str).find_map(|text| text_mistake(&call.name, argument, text))
                }
                _ => None,
            };
            // An empty text stands for nothing that was set.
            let mistake = mistake.filter(|_| param.default.as_str() != Some(""));
            let Some(mistake) = mistake else { continue };
            let span = subject.key_span(&["params", name, "default"]);
            let told = LINT.at(subject.source, span, format!("`{}` is given `params.{name}`: {mistake}", call.name));
            if !out.contains(&told) {
                out.push(told);
            }
        }
    }
    out
}
