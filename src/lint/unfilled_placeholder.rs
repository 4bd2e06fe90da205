//! `unfilled-placeholder`: placeholders that `context` never fills.

use super::subject::Subject;
use super::{Category, Check, Lint};
use crate::diagnostic::{Diagnostic, Level, did_you_mean};
use crate::script::reading::Value;

pub(super) const LINT: Lint = Lint {
    code: "unfilled-placeholder",
    category: Category::Remediation,
    level: Level::Warning,
    summary: "A `${name}` in `remediation` or `title`, or a name in `touches`, that no answer of `context` fills.",
    avoid: "`cli: aws ec2 release-address --allocation-id ${id}` with `fn context(event) { #{ allocation_id: … } }`",
    prefer: "`${allocation_id}`, or a member `id` in `context`",
    why: "A form with such a placeholder is left out of every finding, and a title says `(unknown)`.",
    check: Check::Policy(check),
    bad: &[
        "//! remediation: { cli: \"aws x --id ${idd}\" }\nfn matches(event) { succeeded(event) }\nfn context(event) { #{ id: event.eventID } }",
        "//! remediation: { cli: \"aws x --id ${id}\" }\nfn matches(event) { succeeded(event) }",
        "//! title: Made ${what}\nfn matches(event) { succeeded(event) }\nfn context(event) { #{ id: event.eventID } }",
        "//! remediation: { python: \"f(${id}, ${nme})\" }\nfn matches(event) { succeeded(event) }\nfn context(event) { let c = #{ id: 1 }; c.name = event.x; c }",
        "//! remediation: { console: \"Open ${id}\" }\nfn matches(event) { succeeded(event) }\nfn context(event) { if event.a == 1 { #{ a: 1 } } else { #{ b: 1 } } }",
        "//! remediation: { cli: \"aws x --id ${id}\", touches: [idd] }\nfn matches(event) { succeeded(event) }\nfn context(event) { #{ id: event.eventID } }",
        "//! remediation: { console: \"Open ${id}\" }\nfn matches(event) { succeeded(event) }\nfn context(event) { facts(event) }\n//// lib\nfn facts(e) { #{ name: e.a } }",
    ],
    good: &[
        "//! remediation: { cli: \"aws x --id ${id}\", touches: [id] }\nfn matches(event) { succeeded(event) }\nfn context(event) { #{ id: event.eventID } }",
        "//! remediation: { cli: \"aws x --id ${id}\" }\nfn matches(event) { succeeded(event) }\nfn context(event) { #{ id: event.eventID } }",
        "//! remediation: { cli: \"aws x --id ${id}\" }\nfn matches(event) { succeeded(event) }\nfn context(event) { let c = #{}; c.id = event.eventID; c }",
        "//! remediation: { cli: \"aws x --id ${id}\" }\nfn matches(event) { succeeded(event) }\nfn context(event) { let c = #{}; c[\"id\"] = event.eventID; c }",
        "//! remediation: { cli: \"aws x --id ${id}\" }\nfn matches(event) { succeeded(event) }\nfn context(event) { let c = #{}; for x in list(event.a) { c.id = x; } c }",
        "//! remediation: { cli: \"aws x --id ${id}\" }\nfn matches(event) { succeeded(event) }\nfn context(event) { let c = #{ a: 1 }; c += #{ id: event.a }; c }",
        "//! remediation: { cli: \"aws x --id ${id}\" }\nfn matches(event) { succeeded(event) }\nfn context(event) { #{ a: 1 } + #{ id: event.a } }",
        "//! remediation: { cli: \"aws x --id ${id}\" }\nfn matches(event) { succeeded(event) }\nfn context(event) { if event.a == 1 { return #{ id: 1 }; } #{ a: 2 } }",
        "//! remediation: { cli: \"aws x --id ${id}\" }\nfn matches(event) { succeeded(event) }\nfn context(event) { request(event) }",
        "//! remediation: { cli: \"aws x --id ${id}\" }\nfn matches(event) { succeeded(event) }\nfn context(event) { let c = #{ a: 1 }; c.set(\"id\", 1); c }",
        "//! title: Made ${what}\nfn matches(event) { succeeded(event) }\nfn title(event) { \"x\" }",
        "//! remediation: { cli: \"aws x --id ${id}\" }\nfn matches(event) { succeeded(event) }\nfn context(event) { let c = #{ a: 1 }; [\"id\"].for_each(|k| { c[k] = 1; }); c }",
    ],
};

fn check(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let nothing = Value::Map(Vec::new());
    let context = subject.readings.get("context");
    if context.is_some_and(|context| !context.is_complete) {
        return Vec::new();
    }
    let Some(filled) = keys(context.map_or(&nothing, |context| &context.answer)) else { return Vec::new() };
    let header = subject.header();
    // A hook takes the title's place.
    let title = (!subject.readings.contains_key("title")).then_some(&header.title);
    let forms = header.remediation.templates();
    let forms =
        forms.map(|(form, template)| (std::iter::once("remediation").chain(form.split('.')).collect(), template));
    let templates: Vec<(Vec<&str>, _)> = title.map(|title| (vec!["title"], title)).into_iter().chain(forms).collect();
    let mut out = Vec::new();
    for (keys, template) in templates {
        let Some((_, value)) = subject.items(&keys).into_iter().next() else { continue };
        let mut from = value.start;
        for name in template.placeholders() {
            let wanted = format!("${{{name}}}");
            let found = subject.source.text.get(from..value.end).and_then(|text| text.find(&wanted));
            let span = found.map_or(value.clone(), |at| from + at..from + at + wanted.len());
            from = if found.is_some() { span.end } else { from };
            if filled.contains(&name) {
                continue;
            }
            let diagnostic = LINT.at(subject.source, span.clone(), format!("`context` never fills `{name}`"));
            out.push(match did_you_mean(name, filled.iter().copied()) {
                Some(meant) if found.is_some() => {
                    let diagnostic = diagnostic.help(format!("did you mean `${{{meant}}}`?"));
                    diagnostic.fix(span.start + 2..span.end - 1, meant)
                }
                _ if filled.is_empty() => diagnostic.help(format!("`fn context(…) {{ #{{ {name}: … }} }}`")),
                _ => diagnostic.help(format!("it fills {}", list(&filled))),
            });
        }
    }
    for (name, span) in subject.items(&["remediation", "touches"]) {
        if !filled.contains(&name.as_str()) {
            let diagnostic = LINT.at(subject.source, span.clone(), format!("`context` never fills `{name}`"));
            out.push(match did_you_mean(&name, filled.iter().copied()) {
                Some(meant) => diagnostic.help(format!("did you mean `{meant}`?")).fix(span, meant),
                None => diagnostic.help(format!("it fills {}", list(&filled))),
            });
        }
    }
    out
}

fn list(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// The members that an answer may have; `None` if it may have any.
fn keys(answer: &Value) -> Option<Vec<&str>> {
    match answer {
        Value::Map(members) => Some(members.iter().map(|(key, _)| key.as_str()).collect()),
        Value::Any(values) => Some(values.iter().map(keys).collect::<Option<Vec<_>>>()?.concat()),
        _ => None,
    }
}
