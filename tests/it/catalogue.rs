//! The pages of policies: `lawbook docs --policies`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use lawbook::policy::{Overrides, Pack};
use lawbook::script::Limits;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const INDEXES: [&str; 4] = ["README.md", "by-framework.md", "by-service.md", "by-severity.md"];

/// Runs the binary in a folder: exit code, standard output, standard error.
fn lawbook(folder: &Path, args: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_lawbook")).args(args).current_dir(folder).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

/// The pages in a folder, by their names.
fn pages(folder: &Path) -> BTreeMap<String, String> {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let read = |file: std::path::PathBuf| {
        let name = file.file_name().unwrap().to_str().unwrap().to_owned();
        (name, std::fs::read_to_string(file).unwrap().replace("\r\n", "\n"))
    };
    files.map(read).collect()
}

/// Where the links of a page lead.
fn links(text: &str) -> Vec<String> {
    let mut is_code = false;
    let mut links = Vec::new();
    for line in text.lines() {
        is_code ^= line.starts_with("```");
        if !is_code {
            // A bracket behind a backslash is a bracket.
            let line = line.replace("\\](", "");
            links.extend(
                line.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link.to_owned()),
            );
        }
    }
    links
}

#[test]
fn the_pages_of_the_embedded_policies_are_those_that_are_kept() {
    let root = Path::new(ROOT);
    for policies in [&[][..], &["policies"]] {
        let args = [&["docs", "--policies"], policies, &["--check", "docs/policies"]].concat();
        let stale = "(try: `cargo run -- docs --policies --output docs/policies`)";
        assert_eq!(lawbook(root, &args), (0, String::new(), String::new()), "{stale}");
    }
    let pages = pages(&root.join("docs/policies"));
    let packs = Pack::embedded().check(&Overrides::default(), &Limits::default()).unwrap();
    let wanted: BTreeSet<String> = packs.policies().iter().map(|policy| format!("{}.md", policy.id)).collect();
    assert_eq!(wanted.len(), packs.policies().len());
    assert_eq!(pages.keys().filter(|name| !INDEXES.contains(&name.as_str())).cloned().collect::<BTreeSet<_>>(), wanted);
    for (name, text) in &pages {
        assert!(text.ends_with('\n') && !text.ends_with("\n\n"), "{name} has no one end of line at its end");
        assert!(text.lines().all(|line| line.trim_end() == line), "{name} has blanks at ends of lines");
        assert!(!text.contains("\n\n\n"), "{name} has several blank lines");
        for link in links(text) {
            assert!(link.starts_with("https://") || pages.contains_key(&link), "{name}: {link} leads nowhere");
        }
    }
    for policy in packs.policies() {
        let page = &pages[&format!("{}.md", policy.id)];
        let link = format!("]({}.md)", policy.id);
        for index in INDEXES {
            assert!(pages[index].contains(&link), "{index} lacks {}", policy.id);
        }
        for heading in
            ["What it finds", "Why it matters", "False positives", "Respond", "How to waive it", "How to test it"]
        {
            assert!(page.contains(&format!("\n## {heading}\n")), "{}: {heading}", policy.id);
        }
        let says = |what: &str| assert!(page.contains(what), "the page of `{}` lacks {what}", policy.id);
        let header = &policy.header;
        says(&format!("- Judges: `{}`", header.judges));
        header.when.conditions.iter().for_each(|condition| says(&condition.path.join(".")));
        header.uses.iter().chain(&header.needs).for_each(|kind| says(&format!("`{kind}`")));
        header.params.iter().for_each(|param| says(&format!("\n| `{}` | {} |", param.name, param.kind.describe())));
        header.references.iter().for_each(|reference| says(&format!("\n- <{reference}>\n")));
        policy.instructions().iter().for_each(|instruction| says(&format!("\n{}\n```\n", instruction.text)));
        for tag in header.tags.iter().filter(|tag| tag.starts_with("attack.t")) {
            says(&format!("https://attack.mitre.org/techniques/{}/", tag[7..].to_uppercase().replace('.', "/")));
        }
        assert_eq!(page.contains("## What moves the severity\n\n```rust\nfn severity("), policy.moves_severity());
    }
}

/// What a page tells people to write and to type is right.
#[test]
fn what_pages_say_about_waiving_and_testing_works() {
    let pages = pages(&Path::new(ROOT).join("docs/policies"));
    let desk = tempfile::tempdir().unwrap();
    let block = |page: &str, language: &str, part: &str| -> String {
        let (_, rest) = page.split_once(&format!("\n## {part}\n")).unwrap();
        rest.split_once(&format!("```{language}\n")).unwrap().1.split_once("\n```").unwrap().0.to_owned()
    };
    let mut waivers = String::from("waivers:\n");
    let mut commands = Vec::new();
    for (_, page) in pages.iter().filter(|(name, _)| !INDEXES.contains(&name.as_str())) {
        waivers.push_str(block(page, "yaml", "How to waive it").strip_prefix("waivers:\n").unwrap());
        waivers.push('\n');
        commands.extend(block(page, "sh", "How to test it").lines().map(str::to_owned));
    }
    std::fs::write(desk.path().join("waivers.yaml"), &waivers).unwrap();
    let log =
        r#"{"eventVersion":"1.10","eventID":"1","eventTime":"2024-05-14T12:00:00Z","eventSource":"a","eventName":"b"}"#;
    std::fs::write(desk.path().join("log.json"), log).unwrap();
    let args = ["scan", "log.json", "--waivers", "waivers.yaml", "--now", "2024-05-14T13:00:00Z", "--format", "json"];
    let (code, out, err) = lawbook(desk.path(), &args);
    assert!(code == 0 && out.contains("\"faults\": []"), "{out}{err}");

    for command in &commands {
        let words: Vec<&str> = command.split(' ').collect();
        assert_eq!(words[0], "lawbook", "{command}");
        match words[1] {
            "test" => assert!(Path::new(ROOT).join("policies").join(words[2]).is_file(), "{command}"),
            _ => assert_eq!(words[1..4], ["scan", "PATH", "--only"], "{command}"),
        }
    }
    for command in commands.iter().filter(|command| command.contains("eip-released")) {
        let args: Vec<&str> = command.split(' ').skip(1).collect();
        let path = format!("{ROOT}/examples/sample");
        let args: Vec<&str> = args.into_iter().map(|word| if word == "PATH" { &path } else { word }).collect();
        let (code, out, err) = lawbook(&Path::new(ROOT).join("policies"), &args);
        assert!(code < 2 && !out.is_empty(), "{command}\n{out}{err}");
    }
}

#[test]
fn a_folder_that_is_stale_incomplete_or_has_too_much_is_told_of_and_put_right() {
    let desk = tempfile::tempdir().unwrap();
    std::fs::create_dir(desk.path().join("pack")).unwrap();
    for (id, title) in [("address-released", "Elastic IP released"), ("root-used", "Root user active")] {
        let text = format!(
            "//! ---\n//! title: {title}\n//! severity: low\n//! judges: cloudtrail\n//! ---\nfn matches(event) {{ succeeded(event) }}\n"
        );
        std::fs::write(desk.path().join(format!("pack/{id}.rhai")), text).unwrap();
    }
    let run = |args: &[&str]| lawbook(desk.path(), &[&["docs", "--policies", "pack"], args].concat());
    let at = |name: &str| desk.path().join("out").join(name);
    let (code, _, err) = run(&["--check", "out"]);
    assert!(code == 2 && err.contains("out: cannot be read"), "{err}");
    let (code, out, err) = run(&["--output", "out"]);
    assert!(code == 0 && out.is_empty() && err == "out: 6 pages, 6 written, 0 deleted\n", "{err}");
    assert_eq!(run(&["--check", "out"]), (0, String::new(), String::new()));

    let page = std::fs::read_to_string(at("address-released.md")).unwrap();
    std::fs::write(at("address-released.md"), page.replace('\n', "\r\n")).unwrap();
    std::fs::rename(at("root-used.md"), at("root-misused.md")).unwrap();
    std::fs::write(at("by-service.md"), page.replace("Elastic", "Rubber")).unwrap();
    std::fs::write(at("notes.md"), "# Mine\n").unwrap();
    std::fs::write(at("notes.txt"), "mine\n").unwrap();
    let (code, out, err) = run(&["--check", "out"]);
    assert_eq!((code, out.as_str()), (1, ""));
    let told: BTreeSet<&str> = err.lines().filter(|line| !line.starts_with("(try: ")).collect();
    let wanted = [
        "out/by-service.md: is stale",
        "out/notes.md: is left over: it is the page of no policy",
        "out/root-misused.md: is left over: it is the page of no policy",
        "out/root-used.md: is missing",
    ];
    assert_eq!(told, BTreeSet::from(wanted));
    assert!(err.lines().last().unwrap().contains("--output"), "{err}");
    // Nothing was written by that.
    assert!(at("root-misused.md").is_file() && !at("root-used.md").exists());

    let (code, _, err) = run(&["--output", "out"]);
    assert!(code == 0 && err.ends_with("pages, 2 written, 1 deleted\n"), "{err}");
    assert!(at("root-used.md").is_file() && !at("root-misused.md").exists());
    // What was not written here is neither deleted nor replaced.
    assert_eq!(std::fs::read_to_string(at("notes.md")).unwrap(), "# Mine\n");
    std::fs::write(at("README.md"), "# Mine\n").unwrap();
    std::fs::remove_file(at("root-used.md")).unwrap();
    let (code, _, err) = run(&["--output", "out"]);
    assert!(code == 2 && err.contains("out/README.md: was not written by `lawbook docs`"), "{err}");
    assert!(!at("root-used.md").exists(), "all or nothing");
    assert_eq!(std::fs::read_to_string(at("README.md")).unwrap(), "# Mine\n");

    std::fs::write(desk.path().join("file"), "").unwrap();
    let (code, _, err) = run(&["--output", "file"]);
    assert!(code == 2 && err.starts_with("error: file: "), "{err}");
    let (code, _, err) = lawbook(desk.path(), &["docs", "--output", "out"]);
    assert!(code == 2 && err.contains("--policies"), "{err}");
}

#[test]
fn packs_of_ones_own_have_pages_and_nothing_in_them_is_markup() {
    let desk = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let file = desk.path().join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    };
    let policy = |title: &str, doc: &str| {
        format!(
            "//! ---\n//! title: {title}\n//! severity: low\n//! judges: cloudtrail\n//! params: {{ pause: {{ type: duration, default: 90m, doc: 'a|b `c|d` <e>' }} }}\n//! tags: [team.a, 'x|<y>']\n//! ---\n//! {doc}\nfn matches(event) {{ succeeded(event) && params.pause > 1 }}\n"
        )
    };
    let hostile = r#"'<img src=x onerror=alert(1)> | [a](http://evil.example) `b|c` @team $x$ *d*'"#;
    write(
        "mine/eip/readme.rhai",
        &policy(
            hostile,
            "## What it finds\n//! <script>alert(1)</script> and `<kept>`\n//! ```\n//! ## no heading\n//! <!-- open",
        ),
    );
    write("mine/top.rhai", &policy("Top", "## What it finds"));
    write("other/top.rhai", &policy("Other", "No heading.\n//! ## What it finds\n//! All."));
    let args = ["docs", "--policies", "mine", "other", "--output", "out"];
    let (code, _, err) = lawbook(desk.path(), &args);
    assert_eq!(code, 0, "{err}");
    let pages = pages(&desk.path().join("out"));
    let names: Vec<&str> = pages.keys().map(String::as_str).collect();
    let wanted =
        ["README.md", "by-framework.md", "by-service.md", "by-severity.md", "readme-2.md", "top-2.md", "top.md"];
    assert_eq!(names, wanted, "no page takes the place of another, on no disk");
    let page = &pages["readme-2.md"];
    assert!(
        page.contains("&lt;script>alert(1)&lt;/script> and `<kept>`\n```\n## no heading\n<!-- open\n```\n"),
        "{page}"
    );
    assert!(page.contains("- Pack: `mine`, `eip/readme.rhai`"), "{page}");
    assert!(page.contains("| `pause` | duration | `1h30m` |"), "{page}");
    assert!(pages["top-2.md"].contains("\nNo heading.\n\n## What it finds\n\nAll.\n"), "{}", pages["top-2.md"]);
    for heading in ["\n## mine\n", "\n## mine: eip\n", "\n## other\n"] {
        assert!(pages["README.md"].contains(heading), "{}", pages["README.md"]);
    }
    let (code, one, _) = lawbook(desk.path(), &args[..4]);
    assert_eq!(code, 0);
    for (name, text) in pages.iter().map(|(name, text)| (name.as_str(), text)).chain([("one page", &one)]) {
        let mut columns = 0;
        for line in text.lines() {
            let bars = line.matches('|').count();
            if line.starts_with('|') && columns == 0 {
                columns = bars;
            } else if !line.starts_with('|') {
                columns = 0;
            }
            assert!(columns == 0 || columns == bars, "{name}: {line}");
        }
        assert!(!text.contains("<img") || text.contains("\\<img"), "{name}");
        assert!(!text.contains("[a](http"), "{name}");
        for link in links(text) {
            let of_page = link.strip_prefix('#').is_some_and(|id| text.contains(&format!("\n## {id}\n")));
            assert!(of_page || pages.contains_key(&link), "{name}: {link} leads nowhere");
        }
    }
    assert_eq!(lawbook(desk.path(), &["docs", "--policies", "mine", "other", "--check", "out"]).0, 0);
    let elsewhere = desk.path().join("mine").display().to_string();
    let other = desk.path().join("other").display().to_string();
    let args = ["docs", "--policies", &elsewhere, &other, "--check", "../out"];
    assert_eq!(lawbook(&desk.path().join("mine"), &args).0, 0, "pages do not depend on where one stands");
    write("mine/top.rhai", "fn matches(");
    let (code, _, err) = lawbook(desk.path(), &["docs", "--policies", "mine", "--output", "out"]);
    assert!(code == 2 && err.contains("mine/top.rhai"), "{err}");
}

/// `lawbook docs --policies > FILE`.
#[test]
fn one_page_has_all_policies_and_is_told_when_it_is_stale() {
    let desk = tempfile::tempdir().unwrap();
    let (code, page, _) = lawbook(desk.path(), &["docs", "--policies"]);
    assert_eq!(code, 0);
    for file in Pack::embedded().files() {
        let id = Path::new(file).file_stem().unwrap().to_str().unwrap();
        assert!(page.contains(&format!("\n## {id}\n")) && page.contains(&format!("[{id}](#{id})")), "{id}");
    }
    std::fs::write(desk.path().join("page.md"), &page).unwrap();
    let check = |file: &str| lawbook(desk.path(), &["docs", "--policies", "--check", file]);
    assert_eq!(check("page.md"), (0, String::new(), String::new()));
    std::fs::write(desk.path().join("page.md"), page.replace("Elastic", "Rubber")).unwrap();
    let (code, out, err) = check("page.md");
    assert!(code == 1 && out.is_empty() && err.contains("page.md: is stale"), "{err}");
    let (code, _, err) = check("nosuch.md");
    assert!(code == 2 && err.contains("nosuch.md"), "{err}");
}

/// What `lawbook show` says of a policy its page says, too.
#[test]
fn a_page_and_a_terminal_say_the_same() {
    let packs = Pack::embedded().check(&Overrides::default(), &Limits::default()).unwrap();
    for policy in packs.policies().iter().step_by(9) {
        let (code, shown, _) = lawbook(Path::new(ROOT), &["show", &policy.id]);
        assert_eq!(code, 0);
        let page = std::fs::read_to_string(Path::new(ROOT).join(format!("docs/policies/{}.md", policy.id))).unwrap();
        for fact in policy.facts().iter().filter(|fact| !fact.values.is_empty()) {
            assert!(shown.contains(&format!("  {:<9} {}\n", fact.label, fact.values.join(", "))), "{shown}");
            assert!(page.to_lowercase().contains(&format!("\n- {}: ", fact.label)), "{page}");
        }
        for instruction in policy.instructions() {
            assert!(shown.contains(&format!("\nRemediation: {}\n", instruction.title)), "{shown}");
            assert!(page.contains(&format!("\n### {}\n", instruction.title)), "{page}");
        }
        for param in &policy.header.params {
            let default = param.show(&param.default);
            assert!(shown.contains(&format!("= {default}\n")) && page.contains(&default), "{shown}\n{page}");
        }
    }
}
