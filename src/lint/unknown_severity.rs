//! `unknown-severity`: answers of `severity` that are none.

use super::subject::Subject;
use super::{Category, Check, Lint};
use crate::diagnostic::{Diagnostic, Level, did_you_mean, surely_meant};
use crate::finding::Severity;
use crate::script::reading::Value;

pub(super) const LINT: Lint = Lint {
    code: "unknown-severity",
    category: Category::Correctness,
    level: Level::Error,
    summary: "`severity` answers a word, or a literal, that is no severity.",
    avoid: "`fn severity(event) { if is_console(event) { \"hihg\" } else { \"low\" } }`",
    prefer: "one of `info`, `low`, `medium`, `high`, `critical`; or `()` for that of the front matter.",
    why: "The finding would be a fault, on the day on which something is found.",
    check: Check::Policy(check),
    bad: &[
        "fn matches(event) { succeeded(event) }\nfn severity(event) { \"hihg\" }",
        "fn matches(event) { succeeded(event) }\nfn severity(event) { if is_console(event) { \"High\" } else { \"low\" } }",
        "fn matches(event) { succeeded(event) }\nfn severity(event) { if is_console(event) { return 3; } \"low\" }",
        "fn matches(event) { succeeded(event) }\nfn severity(event) { of(event) }\n//// lib\nfn of(e) { switch e.awsRegion { \"a\" => \"warning\", _ => \"low\" } }",
    ],
    good: &[
        "fn matches(event) { succeeded(event) }\nfn severity(event) { if is_console(event) { \"high\" } else { () } }",
        "fn matches(event) { succeeded(event) }\nfn severity(event) { switch event.awsRegion { \"a\" => \"info\", _ => \"critical\" } }",
        "//! params: { level: { type: text, default: low, doc: D } }\nfn matches(event) { succeeded(event) }\nfn severity(event) { params.level }",
    ],
};

fn check(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let Some(reading) = subject.readings.get("severity") else { return Vec::new() };
    let answers = match &reading.answer {
        Value::Any(answers) => answers.as_slice(),
        one => std::slice::from_ref(one),
    };
    answers.iter().filter_map(|answer| remark(subject, answer)).collect()
}

fn remark(subject: &Subject<'_>, answer: &Value) -> Option<Diagnostic> {
    let literal = answer.literal().filter(|literal| !literal.is_null())?;
    let word = literal.as_str().unwrap_or_default();
    if Severity::from_word(word).is_some() {
        return None;
    }
    let known = || Severity::ALL.into_iter().map(Severity::word);
    // Where it is written; a text of a library stands for the hook.
    let source = subject.source;
    let written = format!("\"{word}\"");
    let after = subject.hook_span("severity").end;
    let span = source.text[after..].find(&written).map(|at| after + at..after + at + written.len());
    let diagnostic = LINT.at(
        source,
        span.clone().unwrap_or_else(|| subject.hook_span("severity")),
        format!("{literal} is no severity"),
    );
    let diagnostic = match did_you_mean(word, known()) {
        Some(meant) => diagnostic.help(format!("did you mean `{meant}`?")),
        None => diagnostic.help(format!("one of `{}`", known().collect::<Vec<_>>().join("`, `"))),
    };
    Some(match (surely_meant(word, known()), span) {
        (Some(meant), Some(span)) => diagnostic.fix(span.start + 1..span.end - 1, meant),
        _ => diagnostic,
    })
}
