//! What runs Lawbook elsewhere: the action, hooks of pre-commit, templates of pipelines, the image.
#![cfg(unix)]

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn text(file: &str) -> String {
    std::fs::read_to_string(Path::new(ROOT).join(file)).unwrap()
}

fn yaml(file: &str) -> Value {
    lawbook::yaml::parse(&text(file)).unwrap_or_else(|error| panic!("{file}: {}", error.message)).to_json()
}

/// A folder in which something runs, with this `lawbook` on its path and stand-ins for other programs.
struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        std::fs::create_dir(desk.path().join("bin")).unwrap();
        desk
    }

    /// With the sample as `input`, and a pack of one policy as `policies`.
    fn with_input_and_policies() -> Self {
        let desk = Self::new();
        std::os::unix::fs::symlink(Path::new(ROOT).join("examples/sample"), desk.path().join("input")).unwrap();
        let (code, told) = desk.run("lawbook", &["new", "key-pair-created", "--dir", "policies"], &[]);
        assert_eq!(code, 0, "{told}");
        desk
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let file = self.path().join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, text).unwrap();
        file
    }

    fn program(&self, name: &str, text: &str) {
        let file = self.write(&format!("bin/{name}"), text);
        std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path().join(name)).unwrap_or_default()
    }

    /// The exit code, and everything that was printed.
    fn run(&self, program: &str, args: &[&str], environment: &[(&str, &str)]) -> (i32, String) {
        let binary = Path::new(env!("CARGO_BIN_EXE_lawbook")).parent().unwrap().display().to_string();
        let path = format!("{}:{binary}:{}", self.path().join("bin").display(), std::env::var("PATH").unwrap());
        let out = Command::new(program)
            .args(args)
            .current_dir(self.path())
            .env("PATH", path)
            .env_remove("CI")
            .env("RUNNER_TEMP", self.path().join("temp"))
            .env("GITHUB_OUTPUT", self.path().join("output"))
            .env("GITHUB_PATH", self.path().join("path"))
            .env("GITHUB_STEP_SUMMARY", self.path().join("summary"))
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        (
            out.status.code().unwrap(),
            [out.stdout, out.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat(),
        )
    }

    /// Lines of a shell, as a pipeline runs them: the first that fails ends it.
    fn shell(&self, lines: &[String]) -> (i32, String) {
        self.run("bash", &["-eo", "pipefail", "-c", &lines.join("\n")], &[])
    }

    /// What the script of the action that scans told the steps behind it.
    fn output(&self, name: &str) -> String {
        let text = self.read("output");
        text.lines().rev().find_map(|line| line.strip_prefix(&format!("{name}="))).unwrap_or("(nothing)").to_owned()
    }
}

/// The texts of the members of that name, anywhere in a value.
fn texts<'v>(value: &'v Value, name: &str, into: &mut Vec<&'v str>) {
    match value {
        Value::Object(members) => members.iter().for_each(|(key, value)| {
            into.extend(value.as_str().filter(|_| key == name));
            texts(value, name, into);
        }),
        Value::Array(items) => items.iter().for_each(|item| texts(item, name, into)),
        _ => {}
    }
}

/// What stands behind `before` in a text, as far as it is a name.
fn names(text: &str, before: &str) -> BTreeSet<String> {
    let is_name = |letter: &char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
    text.split(before).skip(1).map(|rest| rest.chars().take_while(is_name).collect()).collect()
}

#[test]
fn the_action_uses_every_input_and_no_input_is_part_of_a_command() {
    let (action, source) = (yaml("action.yml"), text("action.yml"));
    for key in ["name", "description", "runs"] {
        assert!(!action[key].is_null(), "{key}");
    }
    assert_eq!(action["runs"]["using"], "composite");
    let declared: BTreeSet<String> = action["inputs"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(names(&source, "inputs."), declared, "each input is used, and each that is used is declared");
    for (name, input) in action["inputs"].as_object().unwrap() {
        assert!(input["description"].is_string(), "{name}");
        assert!(input["required"] == true || input["default"].is_string(), "{name} has a default, or must be given");
    }
    let steps = action["runs"]["steps"].as_array().unwrap();
    let ids: BTreeSet<&str> = steps.iter().filter_map(|step| step["id"].as_str()).collect();
    assert!(names(&source, "steps.").iter().all(|id| ids.contains(id.as_str())));
    let written = names(&text(".github/action/scan.sh"), "printf '");
    for (name, output) in action["outputs"].as_object().unwrap() {
        assert_eq!(output["value"], format!("${{{{ steps.scan.outputs.{name} }}}}"));
        assert!(written.contains(name), "scan.sh says nothing of `{name}`");
    }
    for step in steps {
        match step["run"].as_str() {
            Some(run) => {
                assert_eq!(step["shell"], "bash");
                assert!(!run.contains("${{"), "what is given would be part of the command: {run}");
            }
            None => {
                assert!(step["uses"].as_str().unwrap().split_once('@').is_some_and(|(_, version)| version != "main"))
            }
        }
    }
    for script in ["install.sh", "scan.sh"] {
        let file = format!(".github/action/{script}");
        assert!(Path::new(ROOT).join(&file).metadata().unwrap().permissions().mode() & 0o111 != 0, "{file}");
        assert!(source.contains(&format!("\"$LAWBOOK_SOURCE/{file}\"")));
        // Everything that a script reads, a step gives it; the rest is the runner's own.
        let read: BTreeSet<String> = ["INPUT_", "LAWBOOK_"]
            .into_iter()
            .flat_map(|start| names(&text(&file), start).into_iter().map(move |name| format!("{start}{name}")))
            .collect();
        for name in read {
            assert!(source.contains(&format!("        {name}: ${{{{ ")), "no step gives {name} to {script}");
        }
    }
    let page = text("docs/pipelines.md");
    for name in declared.iter().chain(action["outputs"].as_object().unwrap().keys()) {
        let is_told =
            page.lines().any(|line| line.split('|').nth(1).is_some_and(|cell| cell.contains(&format!("`{name}`"))));
        assert!(is_told, "docs/pipelines.md lacks `{name}`");
    }
    let used = yaml("examples/ci/github-code-scanning.yaml");
    let step = used["jobs"]["scan"]["steps"].as_array().unwrap().iter().find(|step| step["id"] == "lawbook").unwrap();
    for name in step["with"].as_object().unwrap().keys() {
        assert!(declared.contains(name), "the example gives `{name}`");
    }
}

#[test]
fn the_action_scans_and_tells_the_steps_behind_it() {
    let desk = Desk::with_input_and_policies();
    let script = format!("{ROOT}/.github/action/scan.sh");
    let run = |inputs: &[(&str, &str)]| {
        for name in ["output", "summary"] {
            let _ = std::fs::remove_file(desk.path().join(name));
        }
        desk.run(&script, &[], inputs)
    };
    let (code, told) = run(&[("INPUT_PATHS", "input/logs\n  input/inventory  \n\n")]);
    assert_eq!((code, desk.output("exit-code").as_str()), (0, "1"), "{told}");
    assert!(told.contains("::error file="), "{told}");
    let report: Value = serde_json::from_str(&desk.read(&desk.output("report"))).unwrap();
    assert_eq!(desk.output("new-findings"), report["summary"]["findings"]["by_standing"]["new"].to_string());
    let sarif: Value = serde_json::from_str(&desk.read(&desk.output("sarif"))).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    assert!(desk.read("summary").contains("eip-disassociated"));

    let more = [
        ("INPUT_PATHS", "input/logs"),
        ("INPUT_INVENTORY", "input/inventory"),
        ("INPUT_PACKS", "default\npolicies"),
        ("INPUT_ARGS", "--only\neip-disassociated\n--region=us-east-1"),
        ("INPUT_FAIL_ON", "critical"),
        ("INPUT_ANNOTATIONS", "false"),
        ("INPUT_SUMMARY", "false"),
    ];
    let (code, told) = run(&more);
    assert_eq!((code, desk.output("exit-code").as_str()), (0, "0"), "{told}");
    assert!(
        desk.output("new-findings") == "1" && desk.read("summary").is_empty() && !told.contains("::error"),
        "{told}"
    );

    // What is given stays one word, whatever it looks like, and a path a path.
    for hostile in
        ["$(touch pwned)", "`touch pwned`", "a; touch pwned", "a' && touch pwned '", "--output=pwned", "-o pwned"]
    {
        let (code, told) = run(&[("INPUT_PATHS", hostile)]);
        assert_eq!((code, desk.output("exit-code").as_str()), (0, "2"), "{hostile}: {told}");
        assert_eq!(desk.output("report"), "", "no report of an earlier run is taken for this one's");
        let (_, told) = run(&[
            ("INPUT_PATHS", "input"),
            ("INPUT_WAIVERS", hostile),
            ("INPUT_PACKS", hostile),
            ("INPUT_FAIL_ON", hostile),
        ]);
        assert_eq!(desk.output("exit-code"), "2", "{hostile}: {told}");
        assert!(!desk.path().join("pwned").exists(), "{hostile}");
    }
    let (code, told) = run(&[("INPUT_PATHS", " \n ")]);
    assert!(code == 0 && told.contains("nothing to scan"), "{told}");
    assert_eq!(desk.output("exit-code"), "2");
}

/// What the step that scans is given where a workflow says nothing.
fn defaults() -> Vec<(String, String)> {
    let action = yaml("action.yml");
    let steps = action["runs"]["steps"].as_array().unwrap();
    let step = steps.iter().find(|step| step["id"] == "scan").unwrap();
    let given = step["env"].as_object().unwrap().iter().filter_map(|(name, value)| {
        let input = value.as_str().unwrap().strip_prefix("${{ inputs.")?.strip_suffix(" }}")?;
        Some((name.clone(), action["inputs"][input]["default"].as_str().unwrap_or_default().to_owned()))
    });
    given.collect()
}

#[test]
fn the_action_goes_by_the_configuration_unless_an_input_says_otherwise() {
    let desk = Desk::with_input_and_policies();
    let script = format!("{ROOT}/.github/action/scan.sh");
    let defaults = defaults();
    assert!(defaults.len() > 8, "{defaults:?}");
    let action = |inputs: &[(&str, &str)]| {
        let _ = std::fs::remove_file(desk.path().join("output"));
        let base = defaults.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let all: Vec<(&str, &str)> = base.chain(inputs.iter().copied()).collect();
        let (code, told) = desk.run(&script, &[], &all);
        assert_eq!(code, 0, "{told}");
        (desk.output("exit-code"), told)
    };
    // An informational finding of a policy of which there are warnings, which stop a strict run.
    desk.write("own/pack.yaml", "lawbook: 1\nname: own\n");
    let head =
        |severity: &str| format!("//! ---\n//! title: T\n//! severity: {severity}\n//! judges: ec2/volumes\n//! ---\n");
    desk.write("own/seen.rhai", &format!("{}fn matches(volume) {{ true }}\n", head("info")));
    let volumes = json!({ "Volumes": [{ "VolumeId": "vol-1" }] }).to_string();
    desk.write("mine/111122223333/us-east-1/ec2/describe-volumes.json", &volumes);
    desk.write(
        "waivers.yaml",
        "waivers:\n  - { policy: seen, resources: ['**'], owner: a, reason: b, expires: 2999-01-01 }\n",
    );
    for (file, plain) in [
        ("packs: [own]\nfail_on: info", 1),
        ("packs: [own]\nfail_on: low", 0),
        ("packs: [own]\nfail_on: never", 0),
        ("packs: [own]", 0),
        ("packs: [own]\nfail_on: info\nenforcement: { own: report }", 0),
        ("packs: [own]\nfail_on: info\nwaivers: waivers.yaml", 0),
        ("packs: [own]\nfail_on: info\nstrict: true", 2),
        ("packs: [own]\nfail_on: info\nstrict: false", 1),
        ("packs: [own]\nfail_on: info\noutput: elsewhere.txt\nformat: csv", 1),
        ("packs: [own]\nfail_on: hihg", 2),
    ] {
        desk.write("lawbook.yaml", &format!("inputs: [mine]\n{file}\n"));
        let (code, told) = desk.run("lawbook", &["scan"], &[]);
        assert_eq!(code, plain, "{file}: {told}");
        let (code, told) = action(&[]);
        assert_eq!(code, plain.to_string(), "{file}: {told}");
    }
    // An input wins.
    desk.write("lawbook.yaml", "packs: [own]\ninputs: [nowhere]\nfail_on: info\nstrict: true\n");
    for (inputs, wanted) in [
        (&[("INPUT_PATHS", "mine")][..], "2"),
        (&[("INPUT_PATHS", "mine"), ("INPUT_STRICT", "false")], "1"),
        (&[("INPUT_PATHS", "mine"), ("INPUT_STRICT", "false"), ("INPUT_FAIL_ON", "never")], "0"),
        (&[("INPUT_PATHS", "mine"), ("INPUT_PACKS", "policies"), ("INPUT_STRICT", "false")], "0"),
        (&[("INPUT_PATHS", "mine"), ("INPUT_STRICT", "false"), ("INPUT_WAIVERS", "waivers.yaml")], "0"),
        (&[("INPUT_PATHS", "mine"), ("INPUT_STRICT", "yes")], "2"),
        (&[], "2"),
    ] {
        let (code, told) = action(inputs);
        assert_eq!(code, wanted, "{inputs:?}: {told}");
    }
    // Annotations go to the log of the step, unless somebody says so to the action itself.
    desk.write("lawbook.yaml", "packs: [own]\ninputs: [mine]\nfail_on: info\noutput: elsewhere.txt\n");
    let _ = std::fs::remove_file(desk.path().join("elsewhere.txt"));
    assert!(action(&[]).1.contains("::notice "), "no annotation");
    assert!(!desk.path().join("elsewhere.txt").exists());
    for args in ["--output\nhere.txt", "--output=here.txt", "-o\nhere.txt", "-ohere.txt"] {
        let (code, told) = action(&[("INPUT_ARGS", args)]);
        assert!(code == "1" && desk.read("here.txt").contains("::notice "), "{args}: {told}");
        std::fs::remove_file(desk.path().join("here.txt")).unwrap();
    }
}

#[test]
fn a_summary_that_is_too_long_is_cut_and_says_so() {
    let desk = Desk::new();
    desk.program(
        "lawbook",
        "#!/bin/bash\nfor word; do case $word in --report=markdown=*) for i in $(seq 30000); do echo \"| line $i of a table that is long | and so on |\"; done > \"${word#--report=markdown=}\" ;; esac; done\n",
    );
    let (code, told) = desk.run(&format!("{ROOT}/.github/action/scan.sh"), &[], &[("INPUT_PATHS", "logs")]);
    assert_eq!((code, desk.output("sarif").as_str()), (0, ""), "{told}");
    let summary = desk.read("summary");
    assert!(summary.len() < 1 << 20 && summary.ends_with("too long for a summary.\n"), "{}", summary.len());
    assert!(summary.lines().filter(|line| line.starts_with('|')).all(|line| line.ends_with("so on |")));
}

/// A release as the action finds it: `curl` copies from a folder.
fn release() -> (Desk, String) {
    let desk = Desk::new();
    desk.write("release/lawbook-1.2.3/lawbook", "#!/bin/sh\necho lawbook 1.2.3\n");
    let (code, told) = desk.shell(&[
        "chmod 755 release/lawbook-1.2.3/lawbook".to_owned(),
        "cd release".to_owned(),
        "for target in x86_64-unknown-linux-gnu aarch64-unknown-linux-gnu aarch64-apple-darwin; do tar -czf lawbook-1.2.3-$target.tar.gz lawbook-1.2.3; done".to_owned(),
        "if command -v sha256sum >/dev/null; then sha256sum *.tar.gz; else shasum -a 256 *.tar.gz; fi > SHA256SUMS".to_owned(),
    ]);
    assert_eq!(code, 0, "{told}");
    desk.program(
        "curl",
        "#!/bin/bash\nwhile [ $# -gt 1 ]; do [ \"$1\" != --output ] || to=$2; shift; done\necho \"$1\" >> asked\ncp \"release/${1##*/}\" \"$to\"\n",
    );
    desk.program("cargo", "#!/bin/bash\necho \"$@\" >> built\nwhile [ $# -gt 0 ]; do [ \"$1\" != --root ] || root=$2; shift; done\nprintf '#!/bin/sh\\necho lawbook built\\n' > \"$root/bin/lawbook\"\nchmod 755 \"$root/bin/lawbook\"\n");
    let sums = desk.read("release/SHA256SUMS");
    let machine = if cfg!(target_arch = "aarch64") { "aarch64" } else { "x86_64" };
    let system = if cfg!(target_os = "macos") { "darwin" } else { "linux" };
    let line = sums.lines().find(|line| line.contains(machine) && line.contains(system)).unwrap();
    let sum = line.split(' ').next().unwrap().to_owned();
    (desk, sum)
}

#[test]
fn the_action_installs_a_release_if_it_is_what_its_checksum_says() {
    let (desk, sum) = release();
    let script = format!("{ROOT}/.github/action/install.sh");
    let run = |inputs: &[(&str, &str)]| {
        let _ = std::fs::remove_dir_all(desk.path().join("temp"));
        let _ = std::fs::remove_file(desk.path().join("path"));
        let base = [
            ("LAWBOOK_SOURCE", ROOT),
            ("LAWBOOK_REPOSITORY", "example/lawbook"),
            ("GITHUB_SERVER_URL", "https://github.com"),
        ];
        let (code, told) = desk.run(&script, &[], &[&base, inputs].concat());
        (code, told, desk.read("path"))
    };
    for version in ["1.2.3", "v1.2.3"] {
        for given in ["", &sum, &sum.to_uppercase()] {
            let (code, told, path) = run(&[("LAWBOOK_VERSION", version), ("LAWBOOK_SHA256", given)]);
            assert!(code == 0 && told.contains("lawbook 1.2.3"), "{told}");
            assert_eq!(path.trim_end(), desk.path().join("temp/lawbook/bin").display().to_string());
        }
    }
    let asked = desk.read("asked");
    let base = "https://github.com/example/lawbook/releases/download/v1.2.3/";
    assert!(asked.lines().all(|address| address.starts_with(base)), "{asked}");

    let wrong = "0".repeat(64);
    for (version, sum, repository, why) in [
        ("1.2.3", wrong.as_str(), "example/lawbook", "is not what its SHA-256 says"),
        ("1.2.3", "abc", "example/lawbook", "there is no SHA-256"),
        ("9.9.9", "", "example/lawbook", "cannot be fetched"),
        ("1.2.3/../../evil", "", "example/lawbook", "version is none"),
        ("$(touch pwned)", "", "example/lawbook", "version is none"),
        ("1.2.3", "", "", "whose release"),
        ("1.2.3", "", "example/lawbook/../x", "whose release"),
        ("1.2.3", "", "example lawbook", "whose release"),
        ("", sum.as_str(), "example/lawbook", "version is missing"),
    ] {
        let (code, told, path) =
            run(&[("LAWBOOK_VERSION", version), ("LAWBOOK_SHA256", sum), ("LAWBOOK_REPOSITORY", repository)]);
        assert!(code == 2 && told.contains("::error title=Lawbook::") && told.contains(why), "{why}: {told}");
        assert!(path.is_empty(), "{why}: nothing is on the path");
    }
    assert!(!desk.path().join("pwned").exists());
    // A release that was changed after its sums were written.
    desk.write("release/SHA256SUMS", &desk.read("release/SHA256SUMS").replace(&sum, &wrong));
    let (code, told, path) = run(&[("LAWBOOK_VERSION", "1.2.3")]);
    assert!(code == 2 && told.contains("is not what its SHA-256 says") && path.is_empty(), "{told}");

    let (code, told, path) = run(&[]);
    assert!(code == 0 && told.contains("lawbook built") && !path.is_empty(), "{told}");
    assert!(desk.read("built").starts_with(&format!("install --locked --path {ROOT} ")), "{}", desk.read("built"));
}

#[test]
fn hooks_of_pre_commit_run_on_a_pack() {
    let hooks = yaml(".pre-commit-hooks.yaml");
    let desk = Desk::with_input_and_policies();
    let run = |hook: &Value| {
        let words = hook["entry"]
            .as_str()
            .unwrap()
            .split(' ')
            .chain(hook["args"].as_array().unwrap().iter().map(|arg| arg.as_str().unwrap()));
        let words: Vec<&str> = words.collect();
        desk.run(words[0], &words[1..], &[])
    };
    let hooks = hooks.as_array().unwrap();
    let ids: Vec<&str> = hooks.iter().map(|hook| hook["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["lawbook-check", "lawbook-fix", "lawbook-test"]);
    for hook in hooks {
        assert!(hook["language"] == "rust" && hook["pass_filenames"] == false && hook["name"].is_string(), "{hook}");
        let files = regex::Regex::new(hook["files"].as_str().unwrap()).unwrap();
        assert!(
            files.is_match("policies/a/b.rhai") && !files.is_match("README.md") && !files.is_match("a.rhai.txt"),
            "{hook}"
        );
        let (code, told) = run(hook);
        assert_eq!(code, 0, "{hook}\n{told}");
    }
    // What is wrong fails the hook, or is put right, which fails it, too.
    let file = desk.path().join("policies/key-pair-created.rhai");
    let good = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, good.replace("succeeded(event)", "succeded(event)")).unwrap();
    assert_eq!(run(&hooks[0]).0, 2);
    assert_eq!(run(&hooks[2]).0, 2);
    let (_, told) = run(&hooks[1]);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), good, "{told}");
    std::fs::write(&file, good.replace("created by", "made by")).unwrap();
    assert_eq!((run(&hooks[0]).0, run(&hooks[2]).0), (0, 1));
    assert!(!desk.path().join("policies/key-pair-created.snap.new").exists());
}

/// Has what `policies` holds locked, and then one of them edited, which is no reason to stop before it is checked.
fn lock_and_edit(desk: &Desk) -> PathBuf {
    desk.write("lawbook.yaml", "packs: [policies]\nlocked: true\n");
    let (code, told) = desk.run("lawbook", &["lock"], &[]);
    assert_eq!(code, 0, "{told}");
    let file = desk.path().join("policies/key-pair-created.rhai");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{text}// a change\n")).unwrap();
    let (code, told) = desk.run("lawbook", &["check", "policies"], &[]);
    assert!(code == 2 && told.contains("is not as it was locked"), "{told}");
    file
}

#[test]
fn hooks_and_templates_judge_a_change_that_is_not_locked_yet() {
    let desk = Desk::with_input_and_policies();
    let file = lock_and_edit(&desk);
    let edited = std::fs::read_to_string(&file).unwrap();
    let hooks = yaml(".pre-commit-hooks.yaml");
    let gitlab = yaml("examples/ci/gitlab-ci.yaml");
    let workflows = [yaml("examples/ci/github-actions.yaml"), yaml("examples/pipeline/.github/workflows/lawbook.yaml")];
    let mut lines: Vec<String> = Vec::new();
    for hook in hooks.as_array().unwrap() {
        lines.push(format!("{} {}", hook["entry"].as_str().unwrap(), hook["args"][0].as_str().unwrap()));
    }
    lines.extend(script(&gitlab["lawbook-policies"]));
    for workflow in &workflows {
        let mut runs = Vec::new();
        texts(&workflow["jobs"]["policies"], "run", &mut runs);
        lines.extend(runs.into_iter().flat_map(str::lines).map(str::to_owned));
    }
    let judging: Vec<&String> = lines
        .iter()
        .filter(|line| ["lawbook check", "lawbook test"].iter().any(|start| line.starts_with(start)))
        .collect();
    assert_eq!(judging.len(), 9, "{lines:?}");
    for line in judging {
        std::fs::write(&file, &edited).unwrap();
        let (code, told) = desk.shell(std::slice::from_ref(line));
        assert_eq!(code, 0, "{line}\n{told}");
        // They are no less strict than before.
        std::fs::write(&file, edited.replace("succeeded(event)", "succeded(event)")).unwrap();
        let (code, told) = desk.shell(std::slice::from_ref(line));
        assert!(code == 2 && told.contains("succeded") || line.contains("--fix"), "{line}\n{told}");
    }
    // The gate is another one.
    std::fs::write(&file, &edited).unwrap();
    let gates: Vec<&String> = lines.iter().filter(|line| line.starts_with("lawbook lock --check")).collect();
    assert_eq!(gates.len(), 1);
    assert_eq!(desk.shell(std::slice::from_ref(gates[0])).0, 2);
}

#[test]
fn pages_that_examples_send_to_are_there_and_about_what_they_say() {
    for file in [
        "examples/pipeline/.github/workflows/lawbook.yaml",
        "examples/ci/gitlab-ci.yaml",
        "examples/ci/github-code-scanning.yaml",
        "examples/ci/github-actions.yaml",
        "examples/collect-inventory.sh",
    ] {
        let text = text(file);
        let pages: Vec<String> = names(&text, "docs/").into_iter().collect();
        for page in &pages {
            assert!(Path::new(ROOT).join(format!("docs/{page}.md")).exists(), "{file}: docs/{page}.md");
        }
        // What fetches logs stands on one page.
        for line in text.lines().filter(|line| line.contains("docs/") && line.contains("logs")) {
            assert!(line.contains("docs/collecting.md"), "{file}: {line}");
        }
    }
}

/// The lines of a job's script but for those that install something.
fn script(job: &Value) -> Vec<String> {
    let installs = |line: &str| ["cargo install", "apt-get", "export PATH"].iter().any(|start| line.starts_with(start));
    let lines = job["script"].as_array().unwrap().iter().map(|line| line.as_str().unwrap());
    lines.filter(|line| !installs(line)).map(str::to_owned).collect()
}

#[test]
fn the_template_for_gitlab_tests_policies_and_reports_findings() {
    let pipeline = yaml("examples/ci/gitlab-ci.yaml");
    let desk = Desk::with_input_and_policies();
    let (code, told) = desk.shell(&script(&pipeline["lawbook-policies"]));
    assert_eq!(code, 0, "{told}");
    let of = |job: &str, kind: &str| pipeline[job]["artifacts"]["reports"][kind].as_str().unwrap().to_owned();
    assert!(desk.read(&of("lawbook-policies", "junit")).contains("<testsuite"));

    if Command::new("jq").arg("--version").output().is_err() {
        return crate::skipped("the template for GitLab makes no code-quality report without jq");
    }
    let (code, told) = desk.shell(&script(&pipeline["lawbook-account"]));
    assert_eq!(code, 1, "the code is that of the scan\n{told}");
    assert!(desk.read(&of("lawbook-account", "junit")).contains("<testsuite"));
    let quality: Value = serde_json::from_str(&desk.read(&of("lawbook-account", "codequality"))).unwrap();
    let issues = quality.as_array().unwrap();
    let prints: BTreeSet<&str> = issues.iter().map(|issue| issue["fingerprint"].as_str().unwrap()).collect();
    assert!(issues.len() > 10 && prints.len() == issues.len(), "{quality:#}");
    for issue in issues {
        let severity = issue["severity"].as_str().unwrap();
        assert!(["info", "minor", "major", "critical", "blocker"].contains(&severity), "{issue}");
        assert!(issue["description"].is_string() && issue["check_name"].is_string(), "{issue}");
        assert!(issue["location"]["lines"]["begin"].is_u64(), "{issue}");
        assert!(desk.path().join(issue["location"]["path"].as_str().unwrap()).exists(), "{issue}");
    }
    let lines = desk.read("lawbook-scan.ndjson");
    let new = lines.lines().filter(|line| line.contains(r#""type":"finding""#)).count();
    assert_eq!(new, issues.len());
}

#[test]
fn the_workflow_for_github_runs() {
    let workflow = yaml("examples/ci/github-actions.yaml");
    let desk = Desk::with_input_and_policies();
    let mut ran = Vec::new();
    let mut runs = Vec::new();
    texts(&workflow, "run", &mut runs);
    for line in runs.iter().filter(|run| run.starts_with("lawbook ")) {
        let (code, told) = desk.shell(&[(*line).to_owned()]);
        let wanted = if line.contains(" scan ") { 1 } else { 0 };
        assert_eq!(code, wanted, "{line}\n{told}");
        ran.push(line.split(' ').nth(1).unwrap());
    }
    assert_eq!(ran.iter().collect::<BTreeSet<_>>(), BTreeSet::from([&"check", &"scan", &"test"]));
    assert_eq!(serde_json::from_str::<Value>(&desk.read("findings.json")).unwrap()["schema_version"], json!(1));
}

/// The instructions of a Dockerfile: the word and what follows, in one line.
fn instructions(text: &str) -> Vec<(String, String)> {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with('#')).collect();
    let joined = lines.join("\n").replace("\\\n", " ");
    let instruction = |line: &str| {
        let (word, rest) = line.trim().split_once(' ')?;
        Some((word.to_owned(), rest.split_whitespace().collect::<Vec<_>>().join(" ")))
    };
    joined.lines().filter_map(instruction).collect()
}

#[test]
fn the_image_is_pinned_has_no_rights_and_holds_what_the_build_reads() {
    let all = instructions(&text("Dockerfile"));
    let of =
        |word: &str| all.iter().filter(|(found, _)| found == word).map(|(_, rest)| rest.as_str()).collect::<Vec<_>>();
    let stages = of("FROM");
    assert_eq!(stages.len(), 2, "{stages:?}");
    for stage in &stages {
        let image = stage.split(' ').next().unwrap();
        let tag = image.rsplit('/').next().unwrap().split_once([':', '@']).map(|(_, tag)| tag);
        assert!(tag.is_some_and(|tag| tag != "latest"), "{image} is not pinned");
    }
    let manifest = text("Cargo.toml");
    let needed = manifest.lines().find_map(|line| line.strip_prefix("rust-version = \"")?.strip_suffix('"')).unwrap();
    assert!(stages[0].starts_with(&format!("rust:{needed}.")), "{} and Rust {needed}", stages[0]);
    assert!(stages[1].contains("distroless"), "the image has a shell");

    let last = all.iter().rposition(|(word, _)| word == "FROM").unwrap();
    let user = all[last..].iter().find(|(word, _)| word == "USER").map(|(_, user)| user.as_str()).unwrap();
    assert!(user.split(':').all(|id| id.parse::<u32>().is_ok_and(|id| id > 0)), "{user}");
    assert_eq!(of("HEALTHCHECK"), ["NONE"]);
    assert!(serde_json::from_str::<Vec<String>>(of("ENTRYPOINT")[0]).is_ok());
    assert!(of("ADD").is_empty() && of("LABEL").concat().contains("org.opencontainers.image.licenses"));

    // Everything is kept out of the context but what the build reads.
    let ignore = text(".dockerignore");
    let lines: Vec<&str> = ignore.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(lines[0], "*");
    let allowed: Vec<&str> = lines[1..].iter().map(|line| line.strip_prefix('!').unwrap()).collect();
    let is_in = |path: &str| {
        let first = path.split('/').next().unwrap();
        allowed.iter().any(|allowed| match allowed.strip_suffix('*') {
            Some(start) => first.starts_with(start),
            None => first == *allowed,
        })
    };
    for copied in of("COPY").into_iter().filter(|copied| !copied.starts_with("--from")) {
        let words: Vec<&str> = copied.split(' ').collect();
        for source in &words[..words.len() - 1] {
            assert!(Path::new(ROOT).join(source).exists() && (*source == "." || is_in(source)), "{source}");
        }
    }
    for needed in ["Cargo.toml", "Cargo.lock", "build.rs"] {
        assert!(is_in(needed), "{needed}");
    }
    for (line, start) in manifest.lines().zip(1..) {
        assert!(
            !line.starts_with("path = ") || is_in(line.trim_start_matches("path = ").trim_matches('"')),
            "line {start}"
        );
    }
    let build = text("build.rs");
    assert!(build.contains(".join(\"policies\")") && is_in("policies") && is_in("benches"));
    for entry in walkdir::WalkDir::new(Path::new(ROOT).join("src")) {
        let entry = entry.unwrap();
        if entry.path().extension().is_none_or(|end| end != "rs") {
            continue;
        }
        let source = std::fs::read_to_string(entry.path()).unwrap();
        for included in
            ["include_str!(\"", "include_bytes!(\""].into_iter().flat_map(|start| source.split(start).skip(1))
        {
            let name = included.split('"').next().unwrap();
            let Ok(file) = entry.path().parent().unwrap().join(name).canonicalize() else { continue };
            let root = Path::new(ROOT).canonicalize().unwrap();
            assert!(
                is_in(file.strip_prefix(&root).unwrap().to_str().unwrap()),
                "{} reads {name}",
                entry.path().display()
            );
        }
    }
}

#[test]
fn the_function_in_lambda_is_told_what_its_documents_say() {
    let main = text("examples/lambda/src/main.rs");
    let read: BTreeSet<String> = names(&main, "\"LAWBOOK_");
    assert_eq!(read.len(), 2);
    for name in &read {
        assert!(text("examples/lambda/README.md").contains(&format!("| `LAWBOOK_{name}` |")), "{name}");
    }
    for name in names(&text("examples/lambda/template.yaml"), " LAWBOOK_") {
        assert!(read.contains(&name), "{name}");
    }
    assert!(text("examples/lambda/template.yaml").contains("FunctionResponseTypes: [ReportBatchItemFailures]"));
    // It is no part of what is published, and has its own lock.
    assert!(
        text("Cargo.toml").contains("\"examples/lambda\"")
            && text("examples/lambda/Cargo.lock").contains("lambda_runtime")
    );
}
