//! A remark about the text of a policy: code, span, message, help.

use std::ops::Range;
use std::sync::Arc;

/// How bad a diagnostic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The policy does not load.
    Error,
    /// The policy loads; `--strict` makes it an error.
    Warning,
}

/// The text of a file that diagnostics point into.
#[derive(Debug, PartialEq, Eq)]
pub struct SourceText {
    /// The file as it was named or found.
    pub file: String,
    /// All of it.
    pub text: String,
}

/// A remark about the text of a policy, of its configuration or of its cases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// A stable name in kebab-case, such as `unknown-function`.
    pub code: &'static str,
    /// Whether the policy loads all the same.
    pub level: Level,
    /// A lower-case fragment, names in backticks.
    pub message: String,
    /// What it points into.
    pub source: Arc<SourceText>,
    /// Byte range in the text.
    pub span: Range<usize>,
    /// What to write instead.
    pub help: Option<String>,
    /// A change of the text that `lawbook check --fix` makes.
    pub fix: Option<Fix>,
}

/// A change of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// Byte range that is replaced.
    pub span: Range<usize>,
    /// By what.
    pub replacement: String,
}

impl Diagnostic {
    /// An error at `span` of `source`.
    pub fn error(code: &'static str, source: &Arc<SourceText>, span: Range<usize>, message: impl Into<String>) -> Self {
        let (message, source) = (message.into(), Arc::clone(source));
        Self { code, level: Level::Error, message, source, span, help: None, fix: None }
    }

    /// Adds a change that makes the remark go away.
    #[must_use]
    pub fn fix(mut self, span: Range<usize>, replacement: impl Into<String>) -> Self {
        self.fix = Some(Fix { span, replacement: replacement.into() });
        self
    }

    /// Where it stands among others: by file, by place, by code.
    pub fn order(&self) -> (&str, usize, usize, &str, &str) {
        (&self.source.file, self.span.start, self.span.end, self.code, &self.message)
    }

    /// Adds what to write instead.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// 1-based line and column (in characters) of the start of the span.
    pub fn place(&self) -> (usize, usize) {
        let before = &self.source.text[..self.span.start.min(self.source.text.len())];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }
}

/// The one of `known` that `wrong` can only have meant: a letter or two away, and all others farther, and no neighbour.
pub fn surely_meant<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = Letters::of(wrong);
    let most = if wanted.count < 5 { 1 } else { 2 };
    let mut best: Option<(usize, &str)> = None;
    let mut is_only = false;
    for name in known {
        // Every letter that only one of them has is a change at least.
        let (count, common) = wanted.common(name);
        if count.max(wanted.count) - common > most {
            continue;
        }
        let distance = strsim::osa_distance(&wanted.lower, &name.to_lowercase());
        match best {
            Some((least, _)) if distance > least => {}
            Some((least, other)) if distance == least => is_only &= other == name,
            _ => (best, is_only) = (Some((distance, name)), true),
        }
    }
    let is_sure =
        |(distance, name): &(usize, &str)| is_only && *distance <= most && *name != wrong && is_slip(wrong, name);
    best.filter(is_sure).map(|(_, name)| name)
}

/// True if one name may be a slip for the other. A neighbour is none: names that are numbered or lettered otherwise
/// (`account1` and `account2`, `list_a` and `list_b`) are two things, and nearly all that is short is near to another.
fn is_slip(wrong: &str, name: &str) -> bool {
    let (wrong, name) = (wrong.to_lowercase(), name.to_lowercase());
    let digits = |word: &str| word.chars().filter(char::is_ascii_digit).collect::<String>();
    let split = |word: &str| word.chars().next_back().map(|last| (word.len() - last.len_utf8(), last));
    let is_lettered_otherwise = match (split(&wrong), split(&name)) {
        (Some((at, last)), Some((other_at, other))) => wrong[..at] == name[..other_at] && last != other,
        _ => false,
    };
    wrong.chars().count() >= 4 && digits(&wrong) == digits(&name) && !is_lettered_otherwise
}

/// The one of `known` that `wrong` most likely meant.
pub fn did_you_mean<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = Letters::of(wrong);
    let mut best: Option<(f64, &str)> = None;
    for name in known {
        let least = best.map_or(LIKE, |(top, _)| top);
        if wanted.likest(name) <= least {
            continue;
        }
        let score = strsim::jaro_winkler(&wanted.lower, &name.to_lowercase());
        if score > least {
            best = Some((score, name));
        }
    }
    best.map(|(_, name)| name)
}

/// What two names must be more like than to be taken for each other, of 1.
const LIKE: f64 = 0.82;

/// How often each letter stands in a word, whatever its case: among thousands of names nearly all are told from it by that.
struct Letters {
    lower: String,
    count: usize,
    of: [u32; 128],
}

impl Letters {
    fn of(word: &str) -> Self {
        let lower = word.to_lowercase();
        let mut of = [0_u32; 128];
        for letter in lower.bytes().filter(u8::is_ascii) {
            of[usize::from(letter)] += 1;
        }
        Self { count: lower.chars().count(), lower, of }
    }

    /// How many letters another word has, and how many of them at most this one has, too.
    fn common(&self, other: &str) -> (usize, usize) {
        if !other.is_ascii() || !self.lower.is_ascii() {
            let count = other.to_lowercase().chars().count();
            return (count, count.max(self.count));
        }
        let mut left = self.of;
        let mut is_common = |letter: &u8| {
            let left = &mut left[usize::from(letter.to_ascii_lowercase())];
            let is_common = *left > 0;
            *left -= u32::from(is_common);
            is_common
        };
        (other.len(), other.as_bytes().iter().filter(|letter| is_common(letter)).count())
    }

    /// How like another word is at most, in the measure of Jaro and Winkler.
    #[expect(clippy::cast_precision_loss, reason = "names are short")]
    fn likest(&self, other: &str) -> f64 {
        let (count, common) = self.common(other);
        if count == 0 || self.count == 0 || common > count.min(self.count) {
            return 1.0;
        }
        let start = self.lower.bytes().zip(other.bytes()).take(4).take_while(|(a, b)| *a == b.to_ascii_lowercase());
        let common = common as f64;
        let jaro = (common / self.count as f64 + common / count as f64 + 1.0) / 3.0;
        // A little more than that: the library's sum may be rounded otherwise.
        jaro + 0.1 * start.count() as f64 * (1.0 - jaro) + 1e-9
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    /// The same by every name's distance.
    fn surely_by_all<'a>(wrong: &str, known: &[&'a str]) -> Option<&'a str> {
        let most = if wrong.chars().count() < 5 { 1 } else { 2 };
        let distance = |name: &str| strsim::osa_distance(&wrong.to_lowercase(), &name.to_lowercase());
        let least = known.iter().map(|name| distance(name)).min()?;
        let nearest: BTreeSet<&str> = known.iter().copied().filter(|name| distance(name) == least).collect();
        let is_meant = |name: &&str| nearest.len() == 1 && least <= most && *name != wrong && is_slip(wrong, name);
        nearest.first().copied().filter(is_meant)
    }

    fn meant_by_all<'a>(wrong: &str, known: &[&'a str]) -> Option<&'a str> {
        let score = |name: &str| strsim::jaro_winkler(&wrong.to_lowercase(), &name.to_lowercase());
        let best = known.iter().map(|name| score(name)).fold(LIKE, f64::max);
        known.iter().copied().find(|name| best > LIKE && score(name) >= best)
    }

    #[test]
    fn neighbours_are_no_slips() {
        let neighbours = [
            ("list_b", "list_a"),
            ("account1", "account2"),
            ("account", "account2"),
            ("is_v6", "is_v4"),
            ("Region2", "region"),
            ("b", "a"),
            ("x", "e"),
            ("A", "a"),
        ];
        for (wrong, known) in neighbours {
            assert_eq!(surely_meant(wrong, [known]), None, "{wrong}");
        }
        assert_eq!(did_you_mean("list_b", ["list_a"]), Some("list_a"), "what is no slip may be proposed");
        let slips = [
            ("evntName", "eventName"),
            ("eventname", "eventName"),
            ("requestParameter", "requestParameters"),
            ("succeded", "succeeded"),
            ("DisasociateAddress", "DisassociateAddress"),
            ("acount1", "account1"),
            ("hihg", "high"),
        ];
        for (wrong, known) in slips {
            assert_eq!(surely_meant(wrong, [known, "unlike"]), Some(known), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn names_that_are_passed_over_are_none_that_was_meant(
            wrong in "[abcAB1]{0,9}|[a-zé]{0,4}|a{250,300}",
            known in proptest::collection::vec("[abcAB12]{0,9}|[a-zéİ]{0,4}|a{250,300}", 0..8),
        ) {
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            prop_assert_eq!(surely_meant(&wrong, known.iter().copied()), surely_by_all(&wrong, &known));
            prop_assert_eq!(did_you_mean(&wrong, known.iter().copied()), meant_by_all(&wrong, &known));
        }
    }
}
