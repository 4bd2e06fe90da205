//! Every shell line of the README does what the README says.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Lines that build the project anew, which the tests are part of.
const NOT_RUN: [&str; 2] = ["cargo test", "cargo install --path ."];

/// A block that is marked as shell, and what is said to be printed by the last of its lines.
#[derive(Default)]
struct Block<'d> {
    lines: Vec<&'d str>,
    /// The lines of a block of text that follows.
    printed: Option<Vec<&'d str>>,
}

/// The blocks that are marked as shell.
fn blocks(markdown: &str) -> Vec<Block<'_>> {
    let mut blocks: Vec<Block<'_>> = Vec::new();
    let (mut fence, mut before) = (None, "");
    for line in markdown.lines() {
        match (fence, line.strip_prefix("```")) {
            (None, Some(language)) => {
                fence = Some(language);
                match (language, before, blocks.last_mut()) {
                    ("sh", ..) => blocks.push(Block::default()),
                    ("text", "sh", Some(last)) => last.printed = Some(Vec::new()),
                    _ => {}
                }
                before = language;
            }
            (Some(_), Some("")) => fence = None,
            (Some("sh"), None) if !line.trim().is_empty() => blocks.last_mut().unwrap().lines.push(line),
            (Some("text"), None) => {
                let printed = blocks.last_mut().and_then(|block| block.printed.as_mut());
                printed.filter(|_| before == "text").into_iter().for_each(|printed| printed.push(line));
            }
            // What is said of another block begins anew under a heading.
            (None, None) if line.starts_with('#') => before = "",
            _ => {}
        }
    }
    assert_eq!(fence, None, "a block is not closed");
    blocks
}

/// Whether an output is what a document shows: times aside, and but for what it leaves out by a line `…` or `...`, or by
/// these at the end of a line.
fn is_shown(shown: &[&str], output: &str) -> bool {
    let time = regex::Regex::new(r"[0-9.]+ ms").unwrap();
    let output = time.replace_all(output, "[time]");
    let output: Vec<&str> = output.trim_end().lines().collect();
    let is_gap = |line: &str| matches!(line.trim(), "…" | "...");
    let is_like = |(shown, line): (&&str, &&str)| {
        let shown = time.replace_all(shown, "[time]");
        match shown.strip_suffix('…').or_else(|| shown.strip_suffix("...")) {
            Some(start) => line.starts_with(start),
            None => shown == *line,
        }
    };
    let chunks: Vec<&[&str]> = shown.split(|line| is_gap(line)).collect();
    let mut from = 0;
    for (number, chunk) in chunks.iter().enumerate() {
        let (is_first, is_last) = (number == 0, number + 1 == chunks.len());
        let fits = |at: &usize| {
            let here = output.get(*at..at + chunk.len());
            here.is_some_and(|here| chunk.iter().zip(here).all(is_like))
                && (!is_last || chunk.is_empty() || at + chunk.len() == output.len())
        };
        let Some(at) = (from..=output.len()).take(if is_first { 1 } else { usize::MAX }).find(fits) else {
            return false;
        };
        from = at + chunk.len();
    }
    true
}

#[test]
fn what_is_left_out_is_said() {
    let output = "a 1.5 ms\nb\nc long\nd\n";
    for shown in
        [&["a 2 ms", "b", "c long", "d"][..], &["…", "b", "..."], &["a 2 ms", "…", "d"], &["…", "c l…", "d"], &["..."]]
    {
        assert!(is_shown(shown, output), "{shown:?}");
    }
    for shown in
        [&["a 2 ms", "b"][..], &["b", "c long", "d"], &["a 2 ms", "c long", "d"], &["…", "c", "d"], &["…", "d", "c"]]
    {
        assert!(!is_shown(shown, output), "{shown:?}");
    }
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
        blocks[0].lines,
        ["cargo run --release -- scan examples/sample --fail-on never", "cargo test"],
        "the first block is the two commands"
    );
    run_all(blocks, "");
}

/// The pages that are sessions, each in a copy of what a reader has, and in which folder of it.
#[test]
fn every_shell_line_of_the_pages_on_packs_and_configuration_works() {
    for (page, folder) in
        [("docs/configuration.md", ""), ("docs/packs.md", ""), ("examples/pipeline/README.md", "examples/pipeline")]
    {
        run_all(blocks(&std::fs::read_to_string(Path::new(ROOT).join(page)).unwrap()), folder);
    }
}

/// The tutorial is a session, from its first line to its last.
#[test]
fn every_shell_line_of_the_tutorial_works() {
    let tutorial = std::fs::read_to_string(Path::new(ROOT).join("docs/testing.md")).unwrap();
    run_all(blocks(&tutorial), "");
}

#[test]
fn every_shell_line_of_the_pages_on_summaries_and_scheduled_runs_works() {
    let page = |name: &str| std::fs::read_to_string(Path::new(ROOT).join("docs").join(name)).unwrap();
    let (summary, scheduled) = (page("summary.md"), page("scheduled-runs.md"));
    run_all(blocks(&summary).into_iter().chain(blocks(&scheduled)).collect(), "");
}

/// Runs lines one after another, in a folder of one copy of what a reader has.
fn run_all(blocks: Vec<Block<'_>>, folder: &str) {
    let desk = tempfile::tempdir().unwrap();
    for folder in ["examples", "policies"] {
        copy(&Path::new(ROOT).join(folder), &desk.path().join(folder));
    }
    let binary = PathBuf::from(env!("CARGO_BIN_EXE_lawbook"));
    let others = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(binary.parent().unwrap().to_owned()).chain(std::env::split_paths(&others));
    let path = std::env::join_paths(folders).unwrap();
    let mut run = 0;
    let mut wrong = String::new();
    for block in blocks {
        let mut last = String::new();
        for line in block.lines {
            let (command, code) = promise(line);
            if NOT_RUN.contains(&command) {
                continue;
            }
            let command = command.replace("cargo run --release --", "lawbook");
            assert!(!command.contains("cargo"), "a test may not build: {line}");
            let output = Command::new("sh")
                .args(["-c", &command])
                .current_dir(desk.path().join(folder))
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
            last = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
        }
        if let Some(shown) = block.printed.filter(|shown| !is_shown(shown, &last)) {
            wrong.push_str(&format!("shown:\n{}\nprinted:\n{last}\n", shown.join("\n")));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(run > 0, "no line was run");
}

#[test]
fn every_relative_link_leads_somewhere() {
    let root = Path::new(ROOT);
    let documents = walkdir::WalkDir::new(root.join("docs")).into_iter().map(|entry| entry.unwrap().into_path());
    let is_source = |entry: &walkdir::DirEntry| entry.file_name() != "target";
    let examples = walkdir::WalkDir::new(root.join("examples")).into_iter().filter_entry(is_source);
    let documents = documents.chain(examples.map(|entry| entry.unwrap().into_path()));
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

#[test]
fn the_version_of_rust_is_the_one_that_is_needed() {
    let root = Path::new(ROOT);
    let text = |file: &str| std::fs::read_to_string(root.join(file)).unwrap();
    let manifest = text("Cargo.toml");
    let needed = manifest.lines().find_map(|line| line.strip_prefix("rust-version = \"")?.strip_suffix('"')).unwrap();
    assert!(text("README.md").contains(&format!("[Rust](https://rustup.rs) {needed} or newer")), "{needed}");
}
