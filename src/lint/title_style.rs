//! `title-style`: titles that are hard to read in a list.

use super::subject::Subject;
use super::{Category, Check, Lint};
use crate::diagnostic::{Diagnostic, Level};

pub(super) const LINT: Lint = Lint {
    code: "title-style",
    category: Category::Metadata,
    level: Level::Warning,
    summary: "A title that is no few words: longer than 80 characters, of one word, ending in a stop, or beginning with a small letter.",
    avoid: "`title: this policy finds that somebody deleted a trail.`",
    prefer: "`title: Trail deleted`",
    why: "It stands in lists, reports and messages, beside others.",
    check: Check::Policy(check),
    bad: &[
        "//! title: Trail deleted.\nfn matches(event) { succeeded(event) }",
        "//! title: trail deleted\nfn matches(event) { succeeded(event) }",
        "//! title: Trail\nfn matches(event) { succeeded(event) }",
        "//! title: Somebody who should perhaps not have done it deleted a trail of CloudTrail in a region of an account\nfn matches(event) { succeeded(event) }",
    ],
    good: &[
        "//! title: Trail deleted\nfn matches(event) { succeeded(event) }",
        "//! title: ${name} was opened\nfn matches(event) { succeeded(event) }\nfn context(event) { #{ name: event.a } }",
        "//! title: iSCSI volume opened\nfn matches(event) { succeeded(event) }",
    ],
};

/// Characters of a title.
const LONGEST: usize = 80;

fn check(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let title = subject.header().title.text.trim();
    let first = title.split_whitespace().next().unwrap_or_default();
    let is_word = first.len() > 1 && first.chars().all(|letter| letter.is_lowercase());
    let message = if title.chars().count() > LONGEST {
        format!("the title is longer than {LONGEST} characters")
    } else if title.ends_with(['.', '!', ':', ';']) {
        "the title ends like a sentence".to_owned()
    } else if !title.contains(char::is_whitespace) {
        "the title is one word".to_owned()
    } else if is_word {
        "the title begins with a small letter".to_owned()
    } else {
        return Vec::new();
    };
    let span = subject.items(&["title"]).into_iter().next().map_or(0..0, |(_, span)| span);
    vec![LINT.at(subject.source, span, message).help("what is found, in a few words: `Trail deleted`")]
}
