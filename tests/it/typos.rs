//! A letter that slips in a policy is caught while it loads: every such slip in the embedded policies, one by one.
//!
//! *Law*: at least 95 of 100 are caught, and what survives stands in `tests/data/typos.txt` with the reason.

use std::collections::BTreeSet;
use std::path::Path;

use lawbook::policy::{Overrides, Pack};
use lawbook::script::Limits;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// What one letter can go wrong in: dropped, doubled, swapped with the next, in the wrong case.
fn slips(word: &str) -> BTreeSet<String> {
    let letters: Vec<char> = word.chars().collect();
    let mut found = BTreeSet::new();
    for at in 0..letters.len() {
        let mut dropped = letters.clone();
        dropped.remove(at);
        let mut doubled = letters.clone();
        doubled.insert(at, letters[at]);
        let mut turned = letters.clone();
        turned[at] = if letters[at].is_lowercase() {
            letters[at].to_ascii_uppercase()
        } else {
            letters[at].to_ascii_lowercase()
        };
        let mut swapped = letters.clone();
        if at + 1 < letters.len() {
            swapped.swap(at, at + 1);
        }
        found.extend([dropped, doubled, turned, swapped].map(String::from_iter));
    }
    found.remove(word);
    found.retain(|slip| !slip.is_empty());
    found
}

/// The words of a policy that name something: fields, sources, events, functions, kinds, keys of the front matter; each
/// place once, with what stands before it.
fn places(text: &str) -> Vec<std::ops::Range<usize>> {
    let word = regex::Regex::new(
        r#"(?m)(?:\.|\["|[^\w."'`$]|^//! *)([A-Za-z_][A-Za-z0-9_]*)(?:\(|:|\b)|"([a-z0-9]+/[a-z-]+)"|([a-z0-9]+\.amazonaws\.com)"#,
    )
    .unwrap();
    let (head, _) = text.split_once("//! ---\n//! ##").unwrap_or((text, ""));
    let script = text.lines().take_while(|line| line.starts_with("//!")).map(|line| line.len() + 1).sum::<usize>();
    let mut found = Vec::new();
    for captures in word.captures_iter(text) {
        let Some(name) = captures.iter().skip(1).flatten().next() else { continue };
        let in_head = name.start() < head.len();
        let line = text[..name.start()].rfind('\n').map_or(0, |at| at + 1);
        let before = text[line..name.start()].trim_start_matches("//!").trim();
        let is_key = in_head && before.is_empty() && text[name.end()..].starts_with(':');
        let is_source = name.as_str().ends_with(".amazonaws.com");
        let is_event = in_head && before.starts_with("eventName:");
        let is_kind = name.as_str().contains('/');
        let after = &text[name.end()..];
        let is_step = name.start() > script && text[..name.start()].ends_with('.') && !after.starts_with('(');
        let is_call =
            name.start() > script && after.starts_with('(') && !before.ends_with("fn") && !before.contains("//");
        if is_key || is_source || is_event || is_kind || ((is_step || is_call) && !before.contains("//")) {
            found.push(name.range());
        }
    }
    found
}

#[test]
fn nearly_every_slip_of_a_letter_is_caught() {
    let reviewed = std::fs::read_to_string(Path::new(ROOT).join("tests/data/typos.txt")).unwrap();
    let reviewed: BTreeSet<&str> = reviewed.lines().filter_map(|line| line.split("  ").next()).collect();
    let (mut caught, mut all, mut survivors) = (0_usize, 0_usize, BTreeSet::new());
    let desk = tempfile::tempdir().unwrap();
    std::fs::create_dir(desk.path().join("lib")).unwrap();
    for entry in std::fs::read_dir(Path::new(ROOT).join("policies/lib")).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), desk.path().join("lib").join(entry.file_name())).unwrap();
    }
    for entry in walkdir::WalkDir::new(Path::new(ROOT).join("policies")).sort_by_file_name() {
        let entry = entry.unwrap();
        let name = entry.path().strip_prefix(Path::new(ROOT).join("policies")).unwrap().display().to_string();
        if !name.ends_with(".rhai") || name.starts_with("lib/") {
            continue;
        }
        let text = std::fs::read_to_string(entry.path()).unwrap();
        let file = desk.path().join(entry.file_name());
        let base = remarks(&text, &file);
        for place in places(&text) {
            // Of each word some slips, spread over all of it: every one would take minutes.
            for slip in slips(&text[place.clone()]).into_iter().step_by(20) {
                all += 1;
                let wrong = format!("{}{slip}{}", &text[..place.start], &text[place.end..]);
                if remarks(&wrong, &file) > base {
                    caught += 1;
                } else {
                    survivors.insert(format!("{name}: {} → {slip}", &text[place.clone()]));
                }
            }
        }
        std::fs::remove_file(&file).unwrap();
    }
    let unreviewed: Vec<&String> = survivors.iter().filter(|survivor| !reviewed.contains(survivor.as_str())).collect();
    assert!(all > 1_000, "{all} slips");
    assert!(caught * 100 >= all * 95, "{caught} of {all} are caught; these are not:\n{survivors:#?}");
    assert!(unreviewed.is_empty(), "to be reviewed in tests/data/typos.txt:\n{unreviewed:#?}");
}

/// How many remarks there are on a policy as the one of a pack with its libraries.
fn remarks(text: &str, file: &Path) -> usize {
    std::fs::write(file, text).unwrap();
    let pack = Pack::from_folder(file.parent().unwrap()).unwrap();
    match pack.check(&Overrides::default(), &Limits::default()) {
        Ok(checked) => checked.warnings().len(),
        Err(mistakes) => mistakes.len(),
    }
}
