//! The sources and events that a policy names, and where.

use std::ops::Range;
use std::sync::Arc;

use super::subject::Subject;
use crate::diagnostic::{Diagnostic, SourceText, did_you_mean, surely_meant};
use crate::script::reading::{Comparison, Relation, Value};

/// A text that a policy wants a field to be.
pub(super) struct Named<'a> {
    pub(super) text: String,
    pub(super) source: &'a Arc<SourceText>,
    pub(super) span: Range<usize>,
    /// True if the field need only begin so.
    pub(super) is_start: bool,
    /// True if it is compared with a text that was made of the field.
    pub(super) is_part: bool,
}

/// Every text that `when` or a script compares a field of the event with, once for each place.
pub(super) fn named<'a>(subject: &'a Subject<'_>, field: &str) -> Vec<Named<'a>> {
    named_where(subject, field, &|value| value.path().is_some_and(|path| path.is_field(&[field])))
}

/// The same, where a script may compare something else than the field itself.
pub(super) fn named_where<'a>(subject: &'a Subject<'_>, field: &str, is_it: &dyn Fn(&Value) -> bool) -> Vec<Named<'a>> {
    if !subject.judges_events() {
        return Vec::new();
    }
    let mut found = Vec::new();
    if let Some(wanted) = subject.wants(&[field]) {
        let texts: Vec<&String> = wanted.iter().flatten().collect();
        for (text, span) in subject.items(&["when", field]) {
            if texts.contains(&&text) {
                found.push(Named { text, source: subject.source, span, is_start: false, is_part: false });
            }
        }
    }
    let comparisons = subject.comparisons();
    for comparison in comparisons.filter(|comparison| is_it(&comparison.left)) {
        of_comparison(subject, comparison, &mut found);
    }
    found.sort_by(|a, b| (&a.source.file, a.span.start, &a.text).cmp(&(&b.source.file, b.span.start, &b.text)));
    found.dedup_by(|a, b| a.source.file == b.source.file && a.span == b.span && a.text == b.text);
    found
}

fn of_comparison<'a>(subject: &'a Subject<'_>, comparison: &Comparison, found: &mut Vec<Named<'a>>) {
    let is_start = match comparison.relation {
        Relation::Equal | Relation::In => false,
        Relation::StartsWith => true,
        _ => return,
    };
    let is_part = matches!(comparison.left, Value::Part(..));
    let source = subject.source_of(&comparison.place);
    for (at, value) in comparison.right.iter().enumerate() {
        let Some(text) = value.text() else { continue };
        let span = subject.span_of(comparison, at, text);
        found.push(Named { text: text.to_owned(), source, span, is_start, is_part });
    }
}

/// True if a name is a letter away from one that is known, or has other capitals: a slip, and not something new.
pub(super) fn is_slip<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> bool {
    known.into_iter().any(|known| is_letter_away(name.as_bytes(), known.as_bytes()))
}

/// Whether two names differ, but for capitals, in one letter at most, or in the order of two: of twenty thousand names
/// nearly all are told apart by their first letters.
fn is_letter_away(a: &[u8], b: &[u8]) -> bool {
    let same = |(a, b): &(&u8, &u8)| a.eq_ignore_ascii_case(b);
    let start = a.iter().zip(b).take_while(same).count();
    let (a, b) = (&a[start..], &b[start..]);
    let end = a.iter().rev().zip(b.iter().rev()).take_while(same).count();
    match (&a[..a.len() - end], &b[..b.len() - end]) {
        ([] | [_], [] | [_]) => true,
        ([a, b], [c, d]) => a.eq_ignore_ascii_case(d) && b.eq_ignore_ascii_case(c),
        _ => false,
    }
}

/// A remark with what was meant, and the change if there is no doubt.
pub(super) fn proposed<'a>(
    diagnostic: Diagnostic,
    named: &Named<'_>,
    known: impl Iterator<Item = &'a str> + Clone,
) -> Diagnostic {
    let Some(meant) = did_you_mean(&named.text, known.clone()) else {
        return diagnostic.help("if it is newer than this version of Lawbook, say so in a folder for `--shapes`");
    };
    let written = &named.source.text[named.span.clone()];
    let diagnostic = diagnostic.help(format!("did you mean `{meant}`?"));
    match surely_meant(&named.text, known).and_then(|meant| Some((written.find(&named.text)?, meant))) {
        Some((at, meant)) if named.span.len() <= named.text.len() + 2 => {
            let start = named.span.start + at;
            diagnostic.fix(start..start + named.text.len(), meant)
        }
        _ => diagnostic,
    }
}
