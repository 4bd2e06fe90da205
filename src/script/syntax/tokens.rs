//! The tokens of a script: where each begins and ends, which brackets belong together, and where comments are.

use std::collections::HashMap;
use std::ops::Range;

/// Texts within texts that are looked into.
const DEEPEST: usize = 32;

/// Where the tokens of a text are.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    /// In the order of their starts; a text with parts that are filled in stands before the tokens of these parts.
    tokens: Vec<Range<usize>>,
    /// From where a bracket opens to the end of the one that closes it.
    closed: HashMap<usize, usize>,
    /// Comments, each to the end of its line or to its `*/`.
    pub(crate) comments: Vec<Range<usize>>,
}

impl Tokens {
    /// Reads a text.
    pub(crate) fn of(text: &str) -> Self {
        let mut tokens = Self::default();
        tokens.code(text, 0, 0);
        tokens
    }

    /// The token that begins at a byte, or holds it.
    pub(crate) fn at(&self, start: usize) -> Option<Range<usize>> {
        self.tokens.get(self.index(start)?).cloned()
    }

    /// The token behind the one that begins at a byte.
    pub(crate) fn after(&self, start: usize) -> Option<Range<usize>> {
        self.tokens.get(self.index(start)? + 1).cloned()
    }

    /// The first token that begins at a byte or behind it.
    pub(crate) fn from(&self, start: usize) -> Option<Range<usize>> {
        self.tokens.get(self.tokens.partition_point(|token| token.start < start)).cloned()
    }

    /// The tokens that begin in a range.
    pub(crate) fn within(&self, range: &Range<usize>) -> &[Range<usize>] {
        let place = |at: usize| self.tokens.partition_point(|token| token.start < at);
        &self.tokens[place(range.start)..place(range.end.max(range.start))]
    }

    /// The end of the bracket that opens at a byte.
    pub(crate) fn close(&self, open: usize) -> Option<usize> {
        self.closed.get(&open).copied()
    }

    fn index(&self, start: usize) -> Option<usize> {
        self.tokens.partition_point(|token| token.start <= start).checked_sub(1)
    }

    /// Reads code from a byte on, to the end or, within a text, to the brace that ends the part; gives the place behind.
    fn code(&mut self, text: &str, mut at: usize, depth: usize) -> usize {
        let bytes = text.as_bytes();
        let mut open: Vec<usize> = Vec::new();
        while let Some(&byte) = bytes.get(at) {
            let start = at;
            match byte {
                b'/' if text[at..].starts_with("//") => {
                    at = text[at..].find('\n').map_or(text.len(), |end| at + end);
                    self.comments.push(start..at);
                    continue;
                }
                b'/' if text[at..].starts_with("/*") => {
                    at = block_comment(text, at);
                    self.comments.push(start..at);
                    continue;
                }
                b'"' => at = quoted(bytes, at, b'"'),
                b'\'' => at = quoted(bytes, at, b'\''),
                b'`' => {
                    let place = self.tokens.len();
                    self.tokens.push(start..start);
                    at = self.template(text, at, depth);
                    self.tokens[place].end = at;
                    continue;
                }
                b'#' if text[at..].starts_with("#{") => {
                    open.push(at);
                    at += 2;
                }
                b'(' | b'[' | b'{' => {
                    open.push(at);
                    at += 1;
                }
                b'}' if open.is_empty() && depth > 0 => return at + 1,
                b')' | b']' | b'}' => {
                    at += 1;
                    if let Some(opened) = open.pop() {
                        self.closed.insert(opened, at);
                    }
                }
                _ if byte.is_ascii_whitespace() => {
                    at += 1;
                    continue;
                }
                _ => at += word(&text[at..]),
            }
            self.tokens.push(start..at);
        }
        at
    }

    /// A text between backticks, with code in `${…}`.
    fn template(&mut self, text: &str, start: usize, depth: usize) -> usize {
        let bytes = text.as_bytes();
        let mut at = start + 1;
        while let Some(&byte) = bytes.get(at) {
            match byte {
                b'`' if bytes.get(at + 1) == Some(&b'`') => at += 2,
                b'`' => return at + 1,
                b'$' if bytes.get(at + 1) == Some(&b'{') && depth < DEEPEST => at = self.code(text, at + 2, depth + 1),
                _ => at += 1,
            }
        }
        at
    }
}

/// The bytes of the word that a text begins with, or of its first character.
fn word(text: &str) -> usize {
    let end = text.find(|letter: char| !(letter.is_alphanumeric() || letter == '_')).unwrap_or(text.len());
    if end > 0 { end } else { text.chars().next().map_or(1, char::len_utf8) }
}

fn quoted(bytes: &[u8], start: usize, quote: u8) -> usize {
    let mut at = start + 1;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 2,
            _ if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// The end of a comment that may hold others.
fn block_comment(text: &str, start: usize) -> usize {
    let bytes = text.as_bytes();
    let (mut depth, mut at) = (0_usize, start);
    while at < bytes.len() {
        match (bytes[at], bytes.get(at + 1)) {
            (b'/', Some(b'*')) => {
                depth += 1;
                at += 2;
            }
            (b'*', Some(b'/')) => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_brackets_and_comments_are_told_from_text() {
        let text = "a(\"// no )\", `x ${b[\"}`\"]} // no`) /* ( /* ) */ */ + #{ c: 'd' } // yes \"";
        let tokens = Tokens::of(text);
        let seen: Vec<&str> = tokens.tokens.iter().map(|token| &text[token.clone()]).collect();
        assert_eq!(
            seen,
            [
                "a",
                "(",
                "\"// no )\"",
                ",",
                "`x ${b[\"}`\"]} // no`",
                "b",
                "[",
                "\"}`\"",
                "]",
                ")",
                "+",
                "#{",
                "c",
                ":",
                "'d'",
                "}"
            ]
        );
        let comments: Vec<&str> = tokens.comments.iter().map(|comment| &text[comment.clone()]).collect();
        assert_eq!(comments, ["/* ( /* ) */ */", "// yes \""]);
        assert_eq!(tokens.close(1).map(|end| &text[1..end]), Some("(\"// no )\", `x ${b[\"}`\"]} // no`)"));
        for broken in ["\"", "`${", "`${`${`", "/*", "'\\", "a)]}", "\"\\", "é`ü${ö"] {
            Tokens::of(broken);
        }
    }
}
