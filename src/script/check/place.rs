//! Where in a text something stands: from Rhai's positions to byte ranges.

use std::cell::OnceCell;
use std::ops::Range;

use rhai::Position;

/// The lines of a text; counted when they are first asked for, since most texts have no mistakes.
pub(in crate::script) struct Lines<'a> {
    text: &'a str,
    starts: OnceCell<Vec<usize>>,
}

impl<'a> Lines<'a> {
    pub(in crate::script) fn of(text: &'a str) -> Self {
        Self { text, starts: OnceCell::new() }
    }

    /// The byte offset of a position of Rhai's (1-based line and character).
    pub(in crate::script) fn offset(&self, position: Position) -> usize {
        let end = self.text.len();
        let (Some(line), column) = (position.line(), position.position().unwrap_or(1)) else { return end };
        let after = |(at, _): (usize, &str)| at + 1;
        let starts =
            self.starts.get_or_init(|| std::iter::once(0).chain(self.text.match_indices('\n').map(after)).collect());
        let Some(start) = line.checked_sub(1).and_then(|line| starts.get(line)) else { return end };
        self.text[*start..].char_indices().nth(column.saturating_sub(1)).map_or(end, |(at, _)| start + at)
    }
}

/// The end of the token that begins at a byte offset: a word, a quoted text, or one character.
pub(in crate::script) fn token_end(text: &str, start: usize) -> usize {
    let rest = &text[start..];
    let Some(first) = rest.chars().next() else { return start };
    if matches!(first, '"' | '`')
        && let Some(end) = rest[1..].find(first)
        && !rest[1..=end].contains('\n')
    {
        return start + end + 2;
    }
    let word = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
    start + if word > 0 { word } else { first.len_utf8() }
}

/// The end of the path that begins at a byte offset.
pub(in crate::script) fn chain_end(text: &str, start: usize) -> usize {
    let mut depth = 0_i32;
    for (at, letter) in text[start..].char_indices() {
        match letter {
            '[' | '(' => depth += 1,
            ']' | ')' if depth > 0 => depth -= 1,
            _ if depth > 0 => {}
            '.' | '?' | '_' => {}
            other if other.is_alphanumeric() => {}
            _ => return start + at,
        }
    }
    text.len()
}

/// Where a function's name stands in its definition.
pub(in crate::script) fn function_name(text: &str, name: &str) -> Range<usize> {
    let mut from = 0;
    while let Some(at) = text[from..].find(name) {
        let start = from + at;
        let before = text[..start].trim_end();
        let after = text[start + name.len()..].trim_start();
        // What it is for may stand before the name of a method: `fn text.name(…)`.
        let declared = before.strip_suffix('.').map_or(before, |typed| {
            typed.trim_end_matches(|letter: char| letter.is_alphanumeric() || letter == '_').trim_end()
        });
        if declared.ends_with("fn") && after.starts_with('(') {
            return start..start + name.len();
        }
        from = start + name.len();
    }
    0..0
}
