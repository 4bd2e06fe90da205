//! A letter that slips in a policy is caught while it loads: one in so many of all such slips in the embedded policies,
//! one by one, and always the same.
//!
//! *Law*: at least 95 of 100 are caught, and what survives stands in `tests/data/typos.txt` with the reason.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use lawbook::policy::{Overrides, Pack};
use lawbook::script::Limits;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// One slip in so many is tried: all of them would take minutes for every policy more.
const ONE_IN: u32 = 6;

/// Whether a slip is among those that are tried; the same ones whatever other policies there are.
fn is_tried(what: &str) -> bool {
    // FNV-1a, whose low bits are poor: the high ones decide.
    let hash = what
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    ((hash >> 32) as u32).is_multiple_of(ONE_IN)
}

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

/// Texts of several lines in the front matter: commands of other programs, which are not read as a policy's words.
fn blocks(text: &str) -> Vec<std::ops::Range<usize>> {
    let begins = regex::Regex::new(r":\s*[|>][-+]?\s*$").unwrap();
    let (mut found, mut at) = (Vec::new(), 0);
    let mut open: Option<(usize, usize)> = None;
    for line in text.split_inclusive('\n') {
        let body = line.strip_prefix("//!").map(str::trim_end);
        let depth = body.map(|body| body.len() - body.trim_start().len());
        if let Some((of, start)) = open
            && body.is_none_or(|body| !body.is_empty() && depth <= Some(of))
        {
            found.push(start..at);
            open = None;
        }
        let Some((body, depth)) = body.zip(depth) else { break };
        at += line.len();
        if open.is_none() && begins.is_match(body) {
            open = Some((depth, at));
        }
    }
    found
}

/// The words of a policy that name something: fields, sources, events, functions, kinds, keys of the front matter; each
/// place once, with what stands before it.
fn places(text: &str) -> Vec<std::ops::Range<usize>> {
    let word = regex::Regex::new(
        r#"(?m)(?:\.|\["|[^\w."'`$]|^//! *)([A-Za-z_][A-Za-z0-9_]*)(?:\(|:|\b)|"([a-z0-9]+/[a-z-]+)"|([a-z0-9]+\.amazonaws\.com)"#,
    )
    .unwrap();
    let head = text.find("//! ---\n//! ##").unwrap_or_default();
    let script = text.lines().take_while(|line| line.starts_with("//!")).map(|line| line.len() + 1).sum::<usize>();
    let (mut found, blocks) = (Vec::new(), blocks(text));
    for captures in word.captures_iter(text) {
        let Some(name) = captures.iter().skip(1).flatten().next() else { continue };
        if blocks.iter().any(|block| block.contains(&name.start())) {
            continue;
        }
        let in_head = name.start() < head;
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
    let reviewed = reviewed.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let reviewed: Vec<&str> = reviewed.map(|line| line.split_once("  ").unwrap().0).collect();
    let folder = Path::new(ROOT).join("policies");
    let names: Vec<String> = walkdir::WalkDir::new(&folder)
        .sort_by_file_name()
        .into_iter()
        .map(|entry| entry.unwrap().path().strip_prefix(&folder).unwrap().display().to_string())
        .filter(|name| name.ends_with(".rhai") && !name.starts_with("lib/"))
        .collect();
    // It is the longest of all tests, and the last.
    let (next, found) = (AtomicUsize::new(0), Mutex::new((0_usize, BTreeSet::new())));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(name) = names.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let (tried, survived) = survivors_of(name, &reviewed);
                    let mut found = found.lock().unwrap();
                    found.0 += tried;
                    found.1.extend(survived);
                }
            });
        }
    });
    let (all, survivors) = found.into_inner().unwrap();
    let unreviewed: Vec<&String> =
        survivors.iter().filter(|survivor| !reviewed.iter().any(|line| is_of(line, survivor))).collect();
    let stale: Vec<&&str> =
        reviewed.iter().filter(|line| !survivors.iter().any(|survivor| is_of(line, survivor))).collect();
    assert!(all > 5_000, "{all} slips");
    assert!(survivors.len() * 20 <= all, "{} of {all} survive:\n{survivors:#?}", survivors.len());
    assert!(unreviewed.is_empty(), "to be reviewed in tests/data/typos.txt:\n{unreviewed:#?}");
    assert!(stale.is_empty(), "caught by now, and still in tests/data/typos.txt: {stale:#?}");
}

/// Whether a reviewed line is about a slip: what ends in an arrow stands for every slip of the word.
fn is_of(line: &str, slip: &str) -> bool {
    line == slip || line.ends_with('→') && slip.starts_with(line)
}

/// How many slips of a policy are tried, and which of them nothing is said of.
fn survivors_of(name: &str, reviewed: &[&str]) -> (usize, Vec<String>) {
    let text = std::fs::read_to_string(Path::new(ROOT).join("policies").join(name)).unwrap();
    let mut wrong = vec![(String::new(), text.clone())];
    for place in places(&text) {
        for (number, slip) in slips(&text[place.clone()]).into_iter().enumerate() {
            let what = format!("{name}: {} → {slip}", &text[place.clone()]);
            // What was reviewed is tried, so that it can be seen to be caught: of all slips of a word at least one.
            let is_reviewed = |line: &&str| *line == what || number == 0 && is_of(line, &what);
            if !is_tried(&what) && !reviewed.iter().any(is_reviewed) {
                continue;
            }
            wrong.push((what, format!("{}{slip}{}", &text[..place.start], &text[place.end..])));
        }
    }
    let remarks = remarks(&wrong);
    let survived = wrong
        .iter()
        .zip(&remarks)
        .skip(1)
        .filter(|(_, said)| said.is_subset(&remarks[0]))
        .map(|(wrong, _)| wrong.0.clone());
    (wrong.len() - 1, survived.collect())
}

/// Remarks that a slip may cause by chance, and that do not say what is wrong.
const ASIDE: [&str; 4] = ["unused-function", "unused-param", "unused-kind", "no-cases"];

/// What is said of each of these policies, in one pack with the embedded libraries: codes and messages.
fn remarks(policies: &[(String, String)]) -> Vec<BTreeSet<(&'static str, String)>> {
    let desk = tempfile::tempdir().unwrap();
    std::fs::create_dir(desk.path().join("lib")).unwrap();
    for entry in std::fs::read_dir(Path::new(ROOT).join("policies/lib")).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), desk.path().join("lib").join(entry.file_name())).unwrap();
    }
    for (at, (_, text)) in policies.iter().enumerate() {
        std::fs::write(desk.path().join(format!("p{at}.rhai")), text).unwrap();
    }
    let pack = Pack::from_folder(desk.path()).unwrap();
    let said = match pack.check(&Overrides::default(), &Limits::default()) {
        Ok(checked) => checked.warnings().to_vec(),
        Err(mistakes) => mistakes,
    };
    let mut all = vec![BTreeSet::new(); policies.len()];
    for diagnostic in said.iter().filter(|diagnostic| !ASIDE.contains(&diagnostic.code)) {
        let file = Path::new(&diagnostic.source.file).file_stem().unwrap().to_str().unwrap();
        if let Some(at) = file.strip_prefix('p').and_then(|at| at.parse::<usize>().ok()) {
            all[at].insert((diagnostic.code, diagnostic.message.clone()));
        }
    }
    all
}
