//! The layout that CONTRIBUTING describes, read from `src/`: order of modules, who may name what, names of files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A file below `src/`: its path there, and its text without comments.
struct Source {
    path: String,
    text: String,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let read = |entry: walkdir::DirEntry| {
        let path = entry.path().strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/");
        Source { path, text: without_comments(&std::fs::read_to_string(entry.path()).unwrap()) }
    };
    let is_rust = |entry: &walkdir::DirEntry| entry.path().extension().is_some_and(|end| end == "rs");
    let all = walkdir::WalkDir::new(&root).sort_by_file_name().into_iter().map(Result::unwrap);
    let found: Vec<Source> = all.filter(is_rust).map(read).collect();
    assert!(found.len() > 30, "only {} files were found", found.len());
    found
}

/// Line comments alone: the project writes no others.
fn without_comments(text: &str) -> String {
    let code = |line: &&str| !line.trim_start().starts_with("//");
    text.lines().filter(code).collect::<Vec<_>>().join("\n")
}

impl Source {
    /// The module of the library that the file is part of; none for the binary's.
    fn module(&self) -> Option<&str> {
        let first = self.path.split(['/', '.']).next().unwrap();
        (!matches!(first, "main" | "lib" | "cli")).then_some(first)
    }

    /// The modules that it names after `crate::`.
    fn uses(&self) -> Vec<String> {
        let mut used = Vec::new();
        for (at, found) in self.text.match_indices("crate::") {
            if self.text[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_' || before == '$') {
                continue;
            }
            let after = &self.text[at + found.len()..];
            match after.strip_prefix('{') {
                Some(list) => used.extend(top_level_names(list)),
                None => used.push(name_at(after)),
            }
        }
        used
    }

    /// True if a word stands in the text.
    fn has_word(&self, word: &str) -> bool {
        let edge = |letter: Option<char>| letter.is_none_or(|letter| !letter.is_alphanumeric() && letter != '_');
        self.text.match_indices(word).any(|(at, _)| {
            edge(self.text[..at].chars().next_back()) && edge(self.text[at + word.len()..].chars().next())
        })
    }
}

fn name_at(text: &str) -> String {
    text.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect()
}

/// `a`, `b` and `c` of `a::{x, y}, b, c::z};`.
fn top_level_names(list: &str) -> Vec<String> {
    let mut names = Vec::new();
    let (mut depth, mut fresh) = (0, true);
    for (at, letter) in list.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => fresh = true,
            _ if fresh && depth == 0 && letter.is_alphabetic() => {
                names.push(name_at(&list[at..]));
                fresh = false;
            }
            _ => {}
        }
    }
    names
}

/// The modules of `lib.rs`, in the order of the text.
fn order() -> BTreeMap<String, usize> {
    let lib = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).unwrap();
    let module = |line: &str| {
        let line = line.trim_start_matches("pub(crate) ").trim_start_matches("pub ");
        line.strip_prefix("mod ").and_then(|rest| rest.strip_suffix(';')).map(str::to_owned)
    };
    let order: BTreeMap<String, usize> =
        lib.lines().filter_map(module).enumerate().map(|(at, name)| (name, at)).collect();
    assert!(order.len() > 10, "{order:?}");
    order
}

#[test]
fn a_module_uses_only_modules_declared_above_it() {
    let order = order();
    let mut wrong = Vec::new();
    for source in sources() {
        let Some(module) = source.module() else { continue };
        let Some(place) = order.get(module) else {
            wrong.push(format!("src/{} is of no module of lib.rs", source.path));
            continue;
        };
        for used in source.uses() {
            if used != module && order.get(&used).is_some_and(|of| of > place) {
                wrong.push(format!("src/{}: `{module}` uses `{used}`, which lib.rs declares below it", source.path));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn rhai_is_named_in_script_only_and_clap_in_cli_only() {
    let mut wrong = Vec::new();
    for source in sources() {
        for (library, home) in [("rhai", "script"), ("clap", "cli")] {
            let used = [format!("{library}::"), format!("use {library};"), format!("extern crate {library}")];
            let at_home = source.path.starts_with(&format!("{home}/")) || source.path == format!("{home}.rs");
            // `main.rs` parses the command line with clap's trait, and does nothing else with it.
            let exempt = library == "clap" && source.path == "main.rs";
            if !at_home && !exempt && source.has_word(library) && used.iter().any(|used| source.text.contains(used)) {
                wrong.push(format!("src/{} names `{library}`, which only src/{home}/ may", source.path));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn only_the_command_line_prints() {
    let mut wrong = Vec::new();
    for source in sources().into_iter().filter(|source| !source.path.starts_with("cli/")) {
        for name in ["print!", "println!", "eprint!", "eprintln!", "dbg!", "io::stdout", "io::stderr"] {
            let written = source
                .text
                .match_indices(name)
                .any(|(at, _)| !source.text[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_'));
            if written {
                wrong.push(format!("src/{} uses `{name}`", source.path));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn unsafe_code_stands_in_three_files_that_say_why_it_is_sound() {
    let files: Vec<String> =
        sources().into_iter().filter(|source| source.has_word("unsafe")).map(|source| source.path).collect();
    assert_eq!(files, ["input/inflate.rs", "input/masks.rs", "script/memory.rs"]);
    for file in files {
        let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(&file)).unwrap();
        assert!(text.contains("*Safety*") || text.contains("SAFETY"), "src/{file}");
    }
}

#[test]
fn only_main_makes_an_exit_code() {
    for source in sources().into_iter().filter(|source| source.path != "main.rs") {
        assert!(!source.text.contains("process::exit") && !source.has_word("ExitCode"), "src/{}", source.path);
    }
}

#[test]
fn every_file_says_in_a_sentence_what_it_is_and_is_not_called_a_drawer() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut wrong = Vec::new();
    for source in sources() {
        let path: PathBuf = root.join("src").join(&source.path);
        let text = std::fs::read_to_string(&path).unwrap();
        // Tests apart and generated text have no reader who asks what they are.
        if !text.starts_with("//! ") && !source.path.ends_with("tests.rs") {
            wrong.push(format!("src/{} has no `//!` sentence on its first line", source.path));
        }
        for part in source.path.trim_end_matches(".rs").split('/') {
            if ["util", "utils", "helper", "helpers", "common", "misc", "core", "types", "manager"].contains(&part) {
                wrong.push(format!("src/{}: `{part}` says nothing", source.path));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
