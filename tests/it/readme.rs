//! Every shell line of the README does what the README says.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Lines that build the project anew, which the tests are part of.
const NOT_RUN: [&str; 2] = ["cargo test", "cargo install --path ."];

/// The lines of the blocks that are marked as shell, block by block.
fn blocks(markdown: &str) -> Vec<Vec<&str>> {
    let mut blocks: Vec<Vec<&str>> = Vec::new();
    let mut fence = None;
    for line in markdown.lines() {
        match (fence, line.strip_prefix("```")) {
            (None, Some(language)) => {
                fence = Some(language);
                if language == "sh" {
                    blocks.push(Vec::new());
                }
            }
            (Some(_), Some("")) => fence = None,
            (Some("sh"), None) if !line.trim().is_empty() => blocks.last_mut().unwrap().push(line),
            _ => {}
        }
    }
    assert_eq!(fence, None, "a block is not closed");
    blocks
}

/// The command, and the exit code that the README promises.
fn promise(line: &str) -> (&str, i32) {
    match line.rsplit_once(" # exit ") {
        Some((command, code)) => (command.trim_end(), code.trim().parse().unwrap()),
        None => (line, 0),
    }
}

fn copy(from: &Path, to: &Path) {
    for entry in walkdir::WalkDir::new(from) {
        let entry = entry.unwrap();
        let target = to.join(entry.path().strip_prefix(from).unwrap());
        if entry.file_type().is_dir() {
            std::fs::create_dir_all(target).unwrap();
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn every_shell_line_works() {
    let readme = std::fs::read_to_string(Path::new(ROOT).join("README.md")).unwrap();
    let blocks = blocks(&readme);
    assert_eq!(
        blocks[0],
        ["cargo run --release -- scan examples/sample --fail-on never", "cargo test"],
        "the first block is the two commands"
    );
    run_all(blocks);
}

/// The tutorial is a session, from its first line to its last.
#[test]
fn every_shell_line_of_the_tutorial_works() {
    let tutorial = std::fs::read_to_string(Path::new(ROOT).join("docs/testing.md")).unwrap();
    run_all(blocks(&tutorial));
}

/// Runs lines one after another, in one copy of what a reader has.
fn run_all(blocks: Vec<Vec<&str>>) {
    let desk = tempfile::tempdir().unwrap();
    for folder in ["examples", "policies"] {
        copy(&Path::new(ROOT).join(folder), &desk.path().join(folder));
    }
    let binary = PathBuf::from(env!("CARGO_BIN_EXE_lawbook"));
    let others = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(binary.parent().unwrap().to_owned()).chain(std::env::split_paths(&others));
    let path = std::env::join_paths(folders).unwrap();
    let mut run = 0;
    for line in blocks.into_iter().flatten() {
        let (command, code) = promise(line);
        if NOT_RUN.contains(&command) {
            continue;
        }
        let command = command.replace("cargo run --release --", "lawbook");
        assert!(!command.contains("cargo"), "a test may not build: {line}");
        let output = Command::new("sh")
            .args(["-c", &command])
            .current_dir(desk.path())
            .env("PATH", &path)
            .env_remove("CI")
            .env("LAWBOOK_CACHE", desk.path().join("cache"))
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert_eq!(
            output.status.code(),
            Some(code),
            "`{line}`\n{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        run += 1;
    }
    assert!(run > 5, "{run} lines were run");
}

#[test]
fn every_relative_link_leads_somewhere() {
    let root = Path::new(ROOT);
    let documents = walkdir::WalkDir::new(root.join("docs")).into_iter().map(|entry| entry.unwrap().into_path());
    let top = std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path());
    let mut wrong = Vec::new();
    for file in top.chain(documents).filter(|path| path.extension().is_some_and(|end| end == "md")) {
        let text = std::fs::read_to_string(&file).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link) {
            let target = link.split('#').next().unwrap();
            let outside = link.starts_with("http") || link.contains([' ', '`', '"']);
            if !outside && !target.is_empty() && !file.parent().unwrap().join(target).exists() {
                wrong.push(format!("{}: {link}", file.strip_prefix(root).unwrap().display()));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
