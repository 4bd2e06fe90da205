//! Finds the files of the embedded pack, so that a new policy is a file and no line of Rust; and the words of Lawbook's own
//! messages, which redacted reports may keep.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn main() {
    let root = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("policies");
    println!("cargo::rerun-if-changed=policies");
    let mut files = Vec::new();
    collect(&root, "rhai", &mut files);
    files.sort();
    let mut code = String::from(
        "/// Path below `policies/` and text of each file, sorted by path.\npub(super) const FILES: &[(&str, &str)] = &[\n",
    );
    for file in files {
        println!("cargo::rerun-if-changed={}", file.display());
        let name = file.strip_prefix(&root).expect("found below it").to_string_lossy().replace('\\', "/");
        code.push_str(&format!("    ({name:?}, include_str!({:?})),\n", file.display().to_string()));
    }
    code.push_str("];\n");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it")).join("embedded.rs");
    fs::write(out, code).expect("OUT_DIR can be written");
    words();
}

/// Writes the words of the texts in the source, one a line: not those of tests.
fn words() {
    let root = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("src");
    let mut files = Vec::new();
    collect(&root, "rs", &mut files);
    let mut words = BTreeSet::new();
    // What these say stands in no report of a scan, and their examples have names.
    let is_apart = |part: std::path::Component<'_>| {
        ["cases", "cli", "functions", "lint"].iter().any(|name| part.as_os_str() == *name)
    };
    let is_told = |file: &&PathBuf| {
        let below = file.strip_prefix(&root).expect("found below it");
        !below.ends_with("tests.rs") && !below.components().any(is_apart)
    };
    for file in files.iter().filter(is_told) {
        let text = fs::read_to_string(file).expect("found below src/");
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        for line in text.lines().filter(|line| !line.trim_start().starts_with("//")) {
            // What stands between quotes, and in texts of several lines between others, which does no harm.
            let texts = line.split('"').filter(|part| !part.is_empty());
            let letters = |letter: char| !letter.is_ascii_alphabetic() && letter != '-' && letter != '\'';
            words.extend(texts.flat_map(|text| text.split(letters)).map(str::to_owned));
        }
    }
    words.remove("");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it")).join("words.txt");
    fs::write(out, words.into_iter().collect::<Vec<_>>().join("\n")).expect("OUT_DIR can be written");
}

fn collect(folder: &Path, end: &str, files: &mut Vec<PathBuf>) {
    println!("cargo::rerun-if-changed={}", folder.display());
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, end, files);
        } else if path.extension().is_some_and(|extension| extension == end) {
            files.push(path);
        }
    }
}
