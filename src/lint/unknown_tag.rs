//! `unknown-tag`: tags of ATT&CK, CIS and FSBP that are none.

use std::sync::LazyLock;

use super::subject::Subject;
use super::{Category, Check, Lint};
use crate::diagnostic::{Diagnostic, Level, did_you_mean};

pub(super) const LINT: Lint = Lint {
    code: "unknown-tag",
    category: Category::Metadata,
    level: Level::Warning,
    summary: "A tag that looks like one of ATT&CK, of a CIS benchmark or of AWS's foundational practices, and is none.",
    avoid: "`attack.T1531`, `attack.t15310`, `cis.2`, `fsbp.ec2`",
    prefer: "`attack.t1531`, `attack.t1098.003`, `attack.persistence`, `cis.v5.0.0.3.1`, `fsbp.ec2.7`; other tags are free",
    why: "Whoever counts findings by technique or by control counts without this policy.",
    check: Check::Policy(check),
    bad: &[
        "//! tags: [attack.t9999]\nfn matches(event) { succeeded(event) }",
        "//! tags: [attack.T1531]\nfn matches(event) { succeeded(event) }",
        "//! tags: [attack.t1098.099]\nfn matches(event) { succeeded(event) }",
        "//! tags: [attack.persistance]\nfn matches(event) { succeeded(event) }",
        "//! tags: [cis.foundations]\nfn matches(event) { succeeded(event) }",
        "//! tags: [fsbp.ec2]\nfn matches(event) { succeeded(event) }",
        "//! tags: [atack.t1531]\nfn matches(event) { succeeded(event) }",
    ],
    good: &[
        "//! tags: [attack.t1531, attack.t1098.003, attack.persistence, attack.command-and-control]\nfn matches(event) { succeeded(event) }",
        "//! tags: [cis.v5.0.0.3.1, cis.4.0.1, fsbp.cloudtrail.1, team-a, my.own.tag]\nfn matches(event) { succeeded(event) }",
    ],
};

/// Ids of techniques, their sub-techniques, and names of tactics; the file says where they come from.
const TABLE: &str = include_str!("../../schemas/attack-techniques.txt");

/// Every tag of ATT&CK without `attack.`, sorted.
static KNOWN: LazyLock<Vec<String>> = LazyLock::new(|| {
    let mut known = Vec::new();
    for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
        let mut words = line.split(' ');
        let technique = words.next().unwrap_or_default();
        if technique.parse::<u32>().is_err() {
            known.push(technique.to_owned());
            continue;
        }
        known.push(format!("t{technique}"));
        for range in words {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            let number = |text: &str| text.parse::<u32>().unwrap_or_default();
            known.extend((number(first)..=number(last)).map(|sub| format!("t{technique}.{sub:03}")));
        }
    }
    known.sort();
    known
});

/// Techniques with a higher number than any of the table and up to this are newer than it.
const NEWER: u32 = 1699;

fn check(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let tags = subject.items(&["tags"]);
    let mut out = Vec::new();
    for (tag, span) in &tags {
        if let Some((message, meant)) = problem(tag) {
            let diagnostic = LINT.at(subject.source, span.clone(), message);
            out.push(match meant {
                Some(meant) => diagnostic.help(format!("did you mean `{meant}`?")),
                None => diagnostic,
            });
        }
    }
    out
}

/// What is wrong with a tag, and what was meant.
fn problem(tag: &str) -> Option<(String, Option<String>)> {
    let (family, rest) = tag.split_once('.')?;
    let parts: Vec<&str> = rest.split('.').collect();
    let is_number = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    match family {
        "attack" if KNOWN.binary_search(&rest.to_owned()).is_ok() || is_newer(rest) => None,
        "attack" => {
            let lower = rest.to_lowercase();
            let meant =
                did_you_mean(&lower, KNOWN.iter().map(String::as_str)).filter(|_| !is_technique(rest) || lower != rest);
            Some((format!("ATT&CK has no `{rest}`"), meant.map(|meant| format!("attack.{meant}"))))
        }
        "cis" => {
            let numbers = parts
                .iter()
                .enumerate()
                .all(|(at, part)| is_number(&if at == 0 { part.trim_start_matches('v') } else { part }));
            (!numbers || parts.len() < 2)
                .then(|| (format!("`{tag}` names no control of a CIS benchmark"), Some("cis.v5.0.0.3.1".to_owned())))
        }
        "fsbp" => {
            let is_service =
                parts[0].bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()) && !parts[0].is_empty();
            let is_control = parts.len() == 2 && is_service && is_number(&parts[1]);
            (!is_control).then(|| {
                (format!("`{tag}` names no control of AWS's foundational practices"), Some("fsbp.ec2.7".to_owned()))
            })
        }
        other => {
            // A word too far from one of the families is somebody's own.
            let near = ["attack", "cis", "fsbp"]
                .into_iter()
                .find(|known| strsim::levenshtein(known, &other.to_lowercase()) == 1);
            let is_id = is_technique(rest) || parts.iter().all(|part| part.bytes().any(|byte| byte.is_ascii_digit()));
            near.filter(|_| is_id)
                .map(|near| (format!("`{other}` is no family of tags"), Some(format!("{near}.{rest}"))))
        }
    }
}

fn is_technique(text: &str) -> bool {
    text.strip_prefix(['t', 'T']).is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'))
}

/// True for a technique that is newer than the table.
fn is_newer(text: &str) -> bool {
    let highest = KNOWN.iter().filter_map(|known| known.strip_prefix('t')?.parse::<u32>().ok()).max().unwrap_or(NEWER);
    let number = text.strip_prefix('t').and_then(|rest| rest.split('.').next()?.parse::<u32>().ok());
    is_technique(text) && number.is_some_and(|number| number > highest && number <= NEWER)
}
