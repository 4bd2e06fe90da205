//! Patterns that were compiled when the script was checked: what they hold of a text, and what they find in it.

use std::net::IpAddr;

/// A pattern that was compiled.
#[derive(Clone, Debug)]
pub(in crate::script) enum Pattern {
    Glob(globset::GlobMatcher),
    Regex(regex::Regex),
    /// An address in one of these blocks.
    Blocks(Vec<ipnet::IpNet>),
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Glob(one), Self::Glob(other)) => one.glob() == other.glob(),
            (Self::Regex(one), Self::Regex(other)) => one.as_str() == other.as_str(),
            (Self::Blocks(one), Self::Blocks(other)) => one == other,
            _ => false,
        }
    }
}

impl Pattern {
    /// Whether it holds of a text.
    pub(super) fn holds(&self, text: &str) -> bool {
        match self {
            Self::Glob(glob) => glob.is_match(text),
            Self::Regex(regex) => regex.is_match(text),
            Self::Blocks(blocks) => {
                text.parse::<IpAddr>().is_ok_and(|address| blocks.iter().any(|block| block.contains(&address)))
            }
        }
    }

    /// What every text holds of which it holds, if anything is known of that.
    pub(super) fn piece(&self) -> Option<&str> {
        let piece = match self {
            Self::Glob(glob) => {
                let pattern = glob.glob().glob();
                // Behind these, letters may stand for others.
                let plain = pattern.split(['{', '[', '\\']).next().unwrap_or_default();
                let pieces = plain.split(['*', '?']);
                // Two stars may stand for no folder, and then for no slash.
                let pieces = pieces.map(|piece| if pattern.contains("**") { piece.trim_matches('/') } else { piece });
                pieces.max_by_key(|piece| piece.len()).unwrap_or_default()
            }
            Self::Regex(regex) => head(regex.as_str()),
            Self::Blocks(_) => "",
        };
        (!piece.is_empty()).then_some(piece)
    }
}

/// A regular expression of which the first match is wanted, or its first group.
#[derive(Clone, Debug)]
pub(in crate::script) struct Finding {
    regex: regex::Regex,
    /// How every text begins in which there is a match.
    head: Box<str>,
}

impl PartialEq for Finding {
    fn eq(&self, other: &Self) -> bool {
        self.regex.as_str() == other.regex.as_str()
    }
}

impl Finding {
    pub(in crate::script) fn new(regex: regex::Regex) -> Self {
        let head = head(regex.as_str()).into();
        Self { regex, head }
    }

    /// What is found in a text.
    pub(super) fn of<'t>(&self, text: &'t str) -> Option<&'t str> {
        if !text.starts_with(&*self.head) {
            return None;
        }
        if self.regex.captures_len() == 1 {
            return self.regex.find(text).map(|found| found.as_str());
        }
        let captures = self.regex.captures(text)?;
        captures.get(1).or_else(|| captures.get(0)).map(|found| found.as_str())
    }
}

/// The letters with which every text begins in which a pattern is found: those behind `^`, if that says so for all of it.
fn head(pattern: &str) -> &str {
    let Some(rest) = pattern.strip_prefix('^').filter(|rest| !rest.contains('|')) else { return "" };
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_/:@,".contains(letter);
    let end = rest.find(|letter| !is_plain(letter)).unwrap_or(rest.len());
    // What repeats the last letter may leave it out.
    let is_repeated = rest[end..].starts_with(['?', '*', '+', '{']);
    &rest[..end - usize::from(is_repeated && end > 0)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_which_a_pattern_holds_holds_its_piece() {
        let glob = |pattern: &str| Pattern::Glob(globset::Glob::new(pattern).unwrap().compile_matcher());
        let regex = |pattern: &str| Pattern::Regex(regex::Regex::new(pattern).unwrap());
        for (at, (pattern, expected)) in [
            (glob("arn:*:role/ab?c"), Some(":role/ab")),
            (glob("*"), None),
            (glob("**/x"), Some("x")),
            (glob("x/**/y"), Some("y")),
            (glob("*/x"), Some("/x")),
            (glob("a{bcd,e}"), Some("a")),
            (glob("[abc]def"), None),
            (glob("a\\*bcd"), Some("a")),
            (regex("^ab+c"), Some("a")),
            (regex("ab"), None),
        ]
        .into_iter()
        .enumerate()
        {
            assert_eq!(pattern.piece(), expected, "{at}");
            for text in ["", "arn:aws:role/abxc", "x", "y/x", "/x", "x/y", "abcd", "ae", "adef", "a*bcd", "abc", "abbc"]
            {
                assert!(!pattern.holds(text) || expected.is_none_or(|piece| text.contains(piece)), "{at}: {text}");
            }
        }
    }

    #[test]
    fn what_is_found_begins_as_the_pattern_says() {
        for (pattern, expected) in [
            ("^i-[0-9a-f]{8,17}$", "i-"),
            ("^arn:aws", "arn:aws"),
            ("^ab*", "a"),
            ("^ab?c", "a"),
            ("^a{2}", ""),
            ("^ab|c", ""),
            ("^(ab)", ""),
            ("ab", ""),
            ("(?i)^ab", ""),
            ("^a.b", "a"),
            ("^", ""),
        ] {
            assert_eq!(head(pattern), expected, "{pattern}");
            let (regex, finding) =
                (regex::Regex::new(pattern).unwrap(), Finding::new(regex::Regex::new(pattern).unwrap()));
            for text in ["", "i-0123456789", "i-x", "ab", "AB", "aab", "a", "aa", "abc", "ac", "c", "arn:aws:x", "xab"]
            {
                let found = regex.captures(text).and_then(|found| found.get(1).or_else(|| found.get(0)));
                assert_eq!(finding.of(text), found.map(|found| found.as_str()), "{pattern} in {text}");
            }
        }
    }
}
