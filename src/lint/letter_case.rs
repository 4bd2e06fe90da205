//! `letter-case`: text in small letters that is compared with capitals, and the other way round.

use super::solve::graded;
use super::subject::Subject;
use super::{Category, Check, Lint};
use crate::diagnostic::{Diagnostic, Level};
use crate::script::reading::{Comparison, Letters, Relation, Value};

pub(super) const LINT: Lint = Lint {
    code: "letter-case",
    category: Category::Correctness,
    level: Level::Error,
    summary: "Text is put in small letters and compared with capitals, or put in capitals and compared with small letters.",
    avoid: "`event.userAgent.to_lower().contains(\"Boto\")`",
    prefer: "`event.userAgent.to_lower().contains(\"boto\")`",
    why: "It is false whatever the record says; with `!=` it is true. An error if the policy can never fire for it, else a warning.",
    check: Check::Policy(check),
    bad: &[
        "fn matches(event) { succeeded(event) && event.userAgent.to_lower() == \"AWS-cli\" }",
        "fn matches(event) { succeeded(event) && event.userAgent.to_lower().contains(\"Boto\") }",
        "fn matches(event) { succeeded(event) && event.userAgent.to_upper().starts_with(\"Boto\") }",
        "fn matches(event) { succeeded(event) && event.userAgent.to_lower() in [\"A\", \"B\"] }",
        "fn matches(event) { succeeded(event) && glob(event.userAgent.to_lower(), \"*Boto*\") }",
        "fn matches(event) { succeeded(event) && regex(event.userAgent.to_lower(), \"^Boto\") }",
        "fn matches(event) { let agent = text(event.userAgent).to_lower().trim(); succeeded(event) && agent == \"Boto\" }",
        "fn matches(event) { succeeded(event) && is_it(event.userAgent.to_lower()) }\nfn is_it(agent) { \"Boto\" == agent }",
        "fn matches(event) { succeeded(event) && event.userAgent.split(\"/\").map(|part| part.to_lower())[0] == \"Boto3\" }",
        "fn matches(event) { succeeded(event) && switch event.userAgent.to_lower() { \"Boto\" => true, _ => false } }",
        "fn matches(event) { succeeded(event) && event.userAgent.to_lower() != \"Boto\" }",
    ],
    good: &[
        "fn matches(event) { succeeded(event) && event.userAgent.to_lower() in [\"a\", \"B\"] }",
        "fn matches(event) { succeeded(event) && event.userAgent.to_upper().contains(\"BOTO3/1.0\") }",
        "fn matches(event) { succeeded(event) && event.userAgent.to_lower().replace(\"boto\", \"Boto\") == \"Boto\" }",
        "fn matches(event) { succeeded(event) && regex(event.userAgent.to_lower(), `^\\D+[A-Za-z]`) }",
        "fn matches(event) { succeeded(event) && glob(event.userAgent.to_lower(), \"[A-Za-z]oto*\") }",
        "fn matches(event) { let agent = event.userAgent; agent.make_lower(); succeeded(event) && agent == \"Boto\" }",
        "fn matches(event) { succeeded(event) && event.userAgent == \"Boto\" && event.userAgent.trim() != \"Boto\" }",
    ],
};

fn check(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let mut out: Vec<Diagnostic> = Vec::new();
    for comparison in subject.comparisons().filter(|comparison| comparison.relation != Relation::Order) {
        let Value::Part(_, letters @ (Letters::Small | Letters::Capital)) = comparison.left else { continue };
        if comparison.right.is_empty() || !comparison.right.iter().all(|value| is_other(value, letters, comparison)) {
            continue;
        }
        let (is, has) =
            if letters == Letters::Small { ("in small letters", "capitals") } else { ("in capitals", "small letters") };
        let message = format!("this text is {is}, and what it is compared with has {has}");
        let source = subject.source_of(&comparison.place);
        let told = LINT.at(source, comparison.place.span.clone(), message).help(format!("write the literal {is}"));
        out.extend(graded(subject, comparison, told).filter(|told| !out.contains(told)));
    }
    out
}

/// True for text with a letter that such text does not have.
fn is_other(value: &Value, letters: Letters, comparison: &Comparison) -> bool {
    // Classes of letters, and what stands for one, are no letters.
    let has_classes = |text: &str| match comparison.relation {
        Relation::Glob => text.contains('['),
        Relation::Regex => text.contains(['[', '\\']) || text.contains("(?"),
        _ => false,
    };
    let is_other = |letter: char| if letters == Letters::Small { letter.is_uppercase() } else { letter.is_lowercase() };
    value.text().is_some_and(|text| !has_classes(text) && text.chars().any(is_other))
}
