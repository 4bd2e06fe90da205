//! Makes the changes that diagnostics propose, until none is left.

use std::sync::Arc;

use super::judge;
use crate::diagnostic::{Diagnostic, Fix, SourceText};
use crate::policy::{Overrides, Pack};
use crate::script::Limits;

/// One change may make way for another, such as a comment that allowed what is mended.
const MOST_ROUNDS: usize = 10;

/// A file that was changed.
#[derive(Debug)]
pub struct Fixed {
    /// Its name, as it was found.
    pub file: String,
    /// Its text before.
    pub before: String,
    /// Its text after.
    pub after: String,
    /// How many changes were made.
    pub changes: usize,
}

/// The changes that diagnostics of a pack propose: no two of them touch, and none is proposed of what they leave. Nothing
/// is written.
pub fn fix(pack: &Pack, overrides: &Overrides, limits: &Limits) -> Vec<Fixed> {
    let mut fixed: Vec<Fixed> = Vec::new();
    let mut pack = pack.clone();
    for _ in 0..MOST_ROUNDS {
        let (_, diagnostics) = judge(&pack, overrides, limits);
        let changed = round(&diagnostics);
        if changed.is_empty() {
            break;
        }
        for (source, after, changes) in changed {
            pack.replace(&source.file, &after);
            match fixed.iter_mut().find(|fixed| fixed.file == source.file) {
                Some(known) => (known.after, known.changes) = (after, known.changes + changes),
                None => fixed.push(Fixed { file: source.file.clone(), before: source.text.clone(), after, changes }),
            }
        }
    }
    fixed.retain(|fixed| fixed.before != fixed.after);
    fixed.sort_by(|a, b| a.file.cmp(&b.file));
    fixed
}

/// The texts after one round of changes, and how many there were in each.
fn round(diagnostics: &[Diagnostic]) -> Vec<(Arc<SourceText>, String, usize)> {
    let mut sources: Vec<&Arc<SourceText>> = Vec::new();
    for diagnostic in diagnostics.iter().filter(|diagnostic| diagnostic.fix.is_some()) {
        if !sources.iter().any(|source| source.file == diagnostic.source.file) {
            sources.push(&diagnostic.source);
        }
    }
    let of_file = |source: &&Arc<SourceText>| {
        let of_it = diagnostics.iter().filter(|diagnostic| diagnostic.source.file == source.file);
        let mut fixes: Vec<&Fix> = of_it.filter_map(|diagnostic| diagnostic.fix.as_ref()).collect();
        fixes.sort_by(|a, b| {
            (a.span.start, a.span.end, &a.replacement).cmp(&(b.span.start, b.span.end, &b.replacement))
        });
        let (text, changes) = applied(&source.text, &fixes);
        (Arc::clone(source), text, changes)
    };
    sources.iter().map(of_file).collect()
}

/// A text with changes made, in the order of their places; of two that touch the first.
fn applied(text: &str, fixes: &[&Fix]) -> (String, usize) {
    let (mut out, mut at, mut changes) = (String::new(), 0, 0);
    for fix in fixes {
        if fix.span.start < at || (changes > 0 && fix.span.start == at) {
            continue;
        }
        out.push_str(&text[at..fix.span.start]);
        out.push_str(&fix.replacement);
        at = fix.span.end;
        changes += 1;
    }
    out.push_str(&text[at..]);
    (out, changes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_changes_that_touch_one_is_made() {
        let fix = |span: std::ops::Range<usize>, replacement: &str| Fix { span, replacement: replacement.to_owned() };
        let fixes = [fix(0..2, "A"), fix(1..3, "B"), fix(2..4, "C"), fix(5..6, "D"), fix(5..6, "D")];
        let (text, changes) = applied("abcdefg", &fixes.iter().collect::<Vec<_>>());
        assert_eq!((text.as_str(), changes), ("AcdeDg", 2));
    }
}
