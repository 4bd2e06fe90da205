//! What stands at a place in a script: words, quoted texts, numbers, operators.

use std::ops::Range;

/// Goes through a text.
pub(super) struct Scanner<'t> {
    pub(super) text: &'t str,
    pub(super) at: usize,
    /// Where what was taken last ends, before the blanks that were gone over since.
    end: usize,
    /// Where those blanks end.
    behind_blanks: usize,
}

/// Operators that assign, the longest first.
const ASSIGNING: [&str; 12] = ["<<=", ">>=", "**=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "="];

/// Operators between two parts, the longest first, and how they bind, as Rhai has it.
const BINARY: [(&str, u8); 24] = [
    ("..=", 140),
    ("!in", 110),
    ("||", 30),
    ("&&", 60),
    ("==", 90),
    ("!=", 90),
    ("<=", 130),
    (">=", 130),
    ("<<", 210),
    (">>", 210),
    ("??", 135),
    ("**", 190),
    ("..", 140),
    ("in", 110),
    ("|", 30),
    ("^", 30),
    ("&", 60),
    ("<", 130),
    (">", 130),
    ("+", 150),
    ("-", 150),
    ("*", 180),
    ("/", 180),
    ("%", 180),
];

pub(super) fn is_letter(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

impl<'t> Scanner<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, at: 0, end: 0, behind_blanks: 0 }
    }

    /// Where what was taken last ends.
    pub(super) fn end(&self) -> usize {
        if self.at == self.behind_blanks { self.end } else { self.at }
    }

    pub(super) fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    /// Goes on behind blanks and comments.
    pub(super) fn blanks(&mut self) {
        self.end = self.end();
        self.over_blanks();
        self.behind_blanks = self.at;
    }

    fn over_blanks(&mut self) {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start();
            self.at += rest.len() - trimmed.len();
            if trimmed.starts_with("//") {
                self.at += trimmed.find('\n').unwrap_or(trimmed.len());
            } else if trimmed.starts_with("/*") {
                self.at += comment(trimmed);
            } else {
                return;
            }
        }
    }

    /// Takes these signs, if they stand here.
    pub(super) fn take(&mut self, signs: &str) -> bool {
        self.blanks();
        let found = self.rest().starts_with(signs);
        if found {
            self.at += signs.len();
        }
        found
    }

    /// The word that stands here.
    pub(super) fn word(&mut self) -> Option<&'t str> {
        self.blanks();
        let rest = self.rest();
        let first = rest.chars().next()?;
        if !(first.is_alphabetic() || first == '_') {
            return None;
        }
        Some(&rest[..rest.find(|letter| !is_letter(letter)).unwrap_or(rest.len())])
    }

    /// Takes this word, if it stands here.
    pub(super) fn take_word(&mut self, word: &str) -> bool {
        let found = self.word() == Some(word);
        if found {
            self.at += word.len();
        }
        found
    }

    /// Takes an operator that assigns.
    pub(super) fn assigning(&mut self) -> bool {
        self.blanks();
        let rest = self.rest();
        if rest.starts_with("==") || rest.starts_with("=>") {
            return false;
        }
        match ASSIGNING.iter().find(|sign| rest.starts_with(**sign)) {
            Some(sign) => {
                self.at += sign.len();
                true
            }
            None => false,
        }
    }

    /// The operator between two parts that stands here, and how it binds.
    pub(super) fn binary(&mut self) -> Option<(&'static str, u8)> {
        self.blanks();
        let rest = self.rest();
        let assigns = ASSIGNING.iter().any(|sign| {
            rest.starts_with(*sign) && !rest.starts_with("==") && !rest.starts_with("<=") && !rest.starts_with(">=")
        });
        if assigns || rest.starts_with("=>") {
            return None;
        }
        let (sign, binds) = BINARY.iter().find(|(sign, _)| rest.starts_with(sign))?;
        let is_word = sign.ends_with("in");
        if is_word && rest[sign.len()..].starts_with(is_letter) {
            return None;
        }
        Some((sign, *binds))
    }

    /// Takes a text in quotes or a character.
    pub(super) fn quoted(&mut self, quote: char) -> Option<Range<usize>> {
        let start = self.at;
        let mut escaped = false;
        for (at, letter) in self.rest().char_indices().skip(1) {
            match letter {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                letter if letter == quote => {
                    self.at = start + at + 1;
                    return Some(start..self.at);
                }
                _ => {}
            }
        }
        None
    }

    /// Takes a text like `#"…"#`.
    pub(super) fn raw_text(&mut self) -> Option<Range<usize>> {
        let start = self.at;
        let rest = self.rest();
        let hashes = rest.len() - rest.trim_start_matches('#').len();
        let inner = rest[hashes..].strip_prefix('"')?;
        let close = format!("\"{}", "#".repeat(hashes));
        self.at = start + hashes + 1 + inner.find(&close)? + close.len();
        Some(start..self.at)
    }

    /// Takes a number; whether it is a whole one in plain digits.
    pub(super) fn number(&mut self) -> bool {
        let rest = self.rest();
        let bytes = rest.as_bytes();
        let digits = |from: usize| {
            rest[from..].find(|c: char| !(c.is_ascii_digit() || c == '_')).map_or(rest.len(), |at| from + at)
        };
        if rest.starts_with("0x") || rest.starts_with("0o") || rest.starts_with("0b") {
            self.at += rest.find(|letter| !is_letter(letter)).unwrap_or(rest.len());
            return false;
        }
        let mut end = digits(0);
        let mut whole = true;
        if bytes.get(end) == Some(&b'.') && bytes.get(end + 1).is_some_and(u8::is_ascii_digit) {
            end = digits(end + 1);
            whole = false;
        }
        if matches!(bytes.get(end), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
            if bytes.get(end + 1 + sign).is_some_and(u8::is_ascii_digit) {
                end = digits(end + 1 + sign);
                whole = false;
            }
        }
        self.at += end;
        whole
    }
}

/// The bytes of a comment, which may hold others.
fn comment(text: &str) -> usize {
    let (mut at, mut depth) = (0, 0_usize);
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}
