//! Takes identifiers out of text, word by word.

use std::net::IpAddr;

use super::pseudonym::Key;
use super::words::{self, Words, core, is_of_word};

/// What may stay.
#[derive(Clone, Copy)]
pub(super) enum Keep<'a> {
    /// Nothing but the structure: what is known to be an identifier.
    Nothing,
    /// Words of a policy.
    Policy(&'a Words),
    /// Words of a policy, and Lawbook's own.
    Messages(&'a Words),
}

impl Keep<'_> {
    /// True if a word stays as it is.
    pub(super) fn keeps(self, word: &str) -> bool {
        let is_path = || word.contains('.') && !is_number(word) && word.split('.').all(|part| self.knows(part));
        self.knows(word) || is_time(word) || is_path()
    }

    fn knows(self, word: &str) -> bool {
        match self {
            Self::Nothing => word == "root" || words::is_region(word) || is_host_of_aws(word),
            Self::Policy(words) => words.has(word) || is_plain_number(word),
            Self::Messages(words) => words.has(word) || words::is_own(word) || is_plain_number(word),
        }
    }
}

/// What stands behind numbers: the end of a name may begin with a digit, too.
const UNITS: [&str; 15] = ["", "ns", "us", "ms", "s", "m", "h", "d", "w", "y", "b", "kb", "mb", "gb", "tb"];

/// Numbers, versions, sizes and durations; not what is as long as an account or an id.
fn is_plain_number(word: &str) -> bool {
    let unit = word.trim_start_matches(|letter: char| letter.is_ascii_digit() || letter == '.');
    let is_number = word.starts_with(|letter: char| letter.is_ascii_digit()) && word.parse::<IpAddr>().is_err();
    is_number && word.len() <= 9 && UNITS.contains(&unit)
}

/// Digits and points: an address, if not a version.
fn is_number(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

/// `ec2.amazonaws.com`, and nothing that a user may put before it.
fn is_host_of_aws(word: &str) -> bool {
    crate::schema::Shapes::embedded().is_source(word)
}

/// True for a date, or a time as RFC 3339 has it.
fn is_time(word: &str) -> bool {
    word.starts_with(|letter: char| letter.is_ascii_digit())
        && (word.parse::<jiff::Timestamp>().is_ok() || word.len() == 10 && word.parse::<jiff::civil::Date>().is_ok())
}

impl Key {
    /// A text in which each of `names` is taken out wherever it stands, and of the rest every word that may not stay. The
    /// longest names come first.
    pub(super) fn text(&self, text: &str, keep: Keep<'_>, names: &[String]) -> String {
        let mut out = String::with_capacity(text.len());
        self.named(text, keep, names, &mut out);
        out
    }

    fn named(&self, text: &str, keep: Keep<'_>, names: &[String], out: &mut String) {
        let Some((name, shorter)) = names.split_first() else { return self.words(text, keep, out) };
        let mut done = 0;
        for (at, found) in text.match_indices(name.as_str()) {
            let before = text[..at].chars().next_back().is_none_or(|letter| !is_of_word(letter));
            let behind =
                text[at + found.len()..].chars().next().is_none_or(|letter| !is_of_word(letter) || letter == '.');
            if before && behind && at >= done {
                self.named(&text[done..at], keep, shorter, out);
                self.words(name, Keep::Nothing, out);
                done = at + found.len();
            }
        }
        self.named(&text[done..], keep, shorter, out);
    }

    fn words(&self, text: &str, keep: Keep<'_>, out: &mut String) {
        let ends = |letter: char| letter.is_whitespace() || letter.is_control() || "\"'`()[]{}<>,;|".contains(letter);
        for part in text.split_inclusive(ends) {
            let end = part.chars().next_back().filter(|letter| ends(*letter)).map_or(0, char::len_utf8);
            let (token, end) = part.split_at(part.len() - end);
            self.token(token, keep, out);
            out.push_str(end);
        }
    }

    /// Text without spaces and brackets: an ARN, an address, a path, a word.
    fn token(&self, token: &str, keep: Keep<'_>, out: &mut String) {
        let inner = token.trim_end_matches(['.', ':', '!', '?', '…']);
        let behind = &token[inner.len()..];
        if inner.is_empty() || is_time(inner) {
            out.push_str(token);
        } else if let Some(parts) = arn(inner) {
            self.arn(parts, out);
            out.push_str(behind);
        } else if let Some((address, length)) = address(token) {
            out.push_str(&self.address(address).to_string());
            out.push_str(length);
        } else if let Some((address, length)) = address(inner) {
            out.push_str(&self.address(address).to_string());
            out.push_str(length);
            out.push_str(behind);
        } else {
            self.pieces(token, keep, out);
        }
    }

    fn pieces(&self, text: &str, keep: Keep<'_>, out: &mut String) {
        for part in text.split_inclusive(|letter| !is_of_word(letter)) {
            let end = part.chars().next_back().filter(|letter| !is_of_word(*letter)).map_or(0, char::len_utf8);
            let (word, end) = part.split_at(part.len() - end);
            self.piece(word, keep, out);
            out.push_str(end);
        }
    }

    /// A word, and what stands around it.
    fn piece(&self, word: &str, keep: Keep<'_>, out: &mut String) {
        let inner = core(word);
        let at = word.find(inner).unwrap_or(0);
        out.push_str(&word[..at]);
        if inner.is_empty() || keep.keeps(inner) {
            out.push_str(inner);
        } else if let Some(parts) = of_trail(inner) {
            for (number, part) in parts.into_iter().enumerate() {
                out.push_str(if number == 0 { "" } else { "_" });
                let is_known = words::is_of_aws(part) || is_stamp(part);
                out.push_str(&if is_known { part.to_owned() } else { self.word(part) });
            }
        } else {
            out.push_str(&self.word(inner));
        }
        out.push_str(&word[at + inner.len()..]);
    }

    fn arn(&self, parts: [&str; 6], out: &mut String) {
        let [_, partition, service, region, account, resource] = parts;
        out.push_str("arn:");
        for (part, is_known) in [
            (partition, words::is_of_aws(partition)),
            (service, words::is_of_aws(service)),
            (region, words::is_region(region)),
            (account, account == "aws"),
        ] {
            if is_known {
                out.push_str(part)
            } else {
                self.pieces(part, Keep::Nothing, out)
            }
            out.push(':');
        }
        let end = resource.find(['/', ':']).unwrap_or(0);
        let (kind, rest) = resource.split_at(end);
        if words::is_type(kind) {
            out.push_str(kind)
        } else {
            self.pieces(kind, Keep::Nothing, out)
        }
        self.pieces(rest, Keep::Nothing, out);
    }
}

/// The six parts of an ARN.
fn arn(text: &str) -> Option<[&str; 6]> {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let parts: [&str; 6] = parts.try_into().ok()?;
    (parts[0] == "arn").then_some(parts)
}

/// An identifier, and the names that it is made of: of an ARN those of its resource.
pub(super) fn names_in(text: &str) -> Vec<&str> {
    let resource = arn(text).map_or(text, |parts| parts[5]);
    let mut parts: Vec<&str> = resource.split(['/', ':', ',']).collect();
    if parts.len() > 1 && words::is_type(parts[0]) {
        parts.remove(0);
    }
    parts.push(text);
    parts.retain(|part| !part.is_empty());
    parts
}

/// An address, and the length of a network's prefix behind it.
fn address(text: &str) -> Option<(IpAddr, &str)> {
    let end = text.find('/').unwrap_or(text.len());
    let length = &text[end..];
    let is_length = length.len() <= 4 && length.bytes().skip(1).all(|byte| byte.is_ascii_digit());
    is_length.then(|| text[..end].parse().ok()).flatten().map(|address| (address, length))
}

/// The parts of the name of a log file: account, `CloudTrail`, region, time and a word.
fn of_trail(word: &str) -> Option<Vec<&str>> {
    let parts: Vec<&str> = word.split('_').collect();
    (parts.len() >= 4 && parts[1].starts_with("CloudTrail")).then_some(parts)
}

/// `20240514T0935Z`.
fn is_stamp(part: &str) -> bool {
    let rest = part.trim_end_matches('Z');
    matches!(part.len(), 14 | 16) && rest.bytes().all(|byte| byte.is_ascii_digit() || byte == b'T')
}
