//! Cases and snapshots, as people and pipelines meet them: `lawbook test` and `lawbook review`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// A policy with two conditions, a parameter and a look-up.
pub(crate) const POLICY: &str = r#"//! ---
//! title: Trail stopped
//! severity: high
//! judges: cloudtrail
//! when: { eventName: StopLogging }
//! params:
//!   trusted: { type: list, of: text, default: [], doc: Names of users that may. }
//! ---
fn matches(event) {
    succeeded(event) && !params.trusted.contains(actor(event).name)
}
fn title(event) { `Trail ${event.requestParameters.name} stopped by ${actor(event).name}` }
fn resources(event) { list(event.requestParameters.name) }
fn context(event) { #{ trail: event.requestParameters.name } }
"#;

/// A record, and how the cases of a file begin.
pub(crate) const HEAD: &str = r#"records:
  stop:
    eventVersion: "1.10"
    eventID: 00000000-0000-4000-8000-000000000001
    eventTime: "2024-05-14T09:00:00Z"
    eventSource: cloudtrail.amazonaws.com
    eventName: StopLogging
    awsRegion: us-east-1
    recipientAccountId: "111122223333"
    userIdentity: { type: IAMUser, userName: alice, arn: "arn:aws:iam::111122223333:user/alice" }
    requestParameters: { name: main }
cases:
"#;

/// Cases that pass.
pub(crate) const SOUND: &str = r#"  - name: somebody stops it
    record: stop
    expect: fires
    title: Trail main stopped by alice
    severity: high
    resources: [main]
    context: { trail: main }
  - name: the call is refused
    record: stop
    with: { errorCode: AccessDenied }
    expect: silent
  - name: a trusted user does it
    record: stop
    params: { trusted: [alice] }
    expect: silent
"#;

/// A scratch folder with a pack in `pack/`.
pub(crate) struct Desk(tempfile::TempDir);

pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// With a policy `trail-stopped` and these cases behind [`HEAD`].
    pub(crate) fn with(cases: &str) -> Self {
        let desk = Self::new();
        desk.write("pack/trail-stopped.rhai", POLICY);
        desk.write("pack/trail-stopped.cases.yaml", &format!("{HEAD}{cases}"));
        desk
    }

    /// The same, with an accepted snapshot.
    pub(crate) fn accepted(cases: &str) -> Self {
        let desk = Self::with(cases);
        desk.run(&["test", "pack"]);
        assert_eq!(desk.run(&["review", "pack", "--accept"]).code, 0);
        desk
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    pub(crate) fn edit(&self, name: &str, from: &str, to: &str) {
        let text = self.read(name);
        assert!(text.contains(from), "{name} lacks {from:?}");
        self.write(name, &text.replacen(from, to, 1));
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lawbook"));
        command.args(args).current_dir(self.0.path()).stdin(Stdio::null());
        command.env_remove("CI").env("LAWBOOK_CACHE", self.path("cache"));
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        finish(&mut self.command(args))
    }
}

pub(crate) fn finish(command: &mut Command) -> Ran {
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}

/// What a run says, without what differs from run to run.
pub(crate) fn redacted(text: &str) -> String {
    let time = regex::Regex::new(r"[0-9.]+ ms").unwrap();
    time.replace_all(text, "[time]").into_owned()
}

const SNAP: &str = "pack/trail-stopped.snap";
pub(crate) const PENDING: &str = "pack/trail-stopped.snap.new";

#[test]
fn a_new_policy_is_pending_until_it_is_accepted() {
    let desk = Desk::with(SOUND);
    let first = desk.run(&["test", "pack"]);
    assert_eq!(first.code, 1, "{}{}", first.out, first.err);
    assert!(first.out.contains("snapshot is missing") && first.out.contains("lawbook review pack"), "{}", first.out);
    assert!(!desk.path(SNAP).exists());
    let pending = desk.read(PENDING);
    let review = desk.run(&["review", "pack", "--accept"]);
    assert_eq!(review.code, 0);
    assert!(review.out.contains("+ HIGH Trail main stopped by alice"), "{}", review.out);
    assert_eq!(desk.read(SNAP), pending);
    assert!(!desk.path(PENDING).exists());
    assert_eq!(desk.run(&["test", "pack"]).code, 0);
    assert!(!desk.path(PENDING).exists());
}

#[test]
fn a_snapshot_is_whole_and_says_nothing_of_the_machine() {
    let desk = Desk::accepted(SOUND);
    let text = desk.read(SNAP);
    assert!(!text.contains(&*desk.0.path().to_string_lossy()), "{text}");
    insta::assert_snapshot!(text);
}

/// insta itself compares with the file: so `cargo insta review` can read and write it.
#[test]
fn a_snapshot_is_one_of_instas() {
    let desk = Desk::accepted(SOUND);
    let text = desk.read(SNAP);
    let body = text.splitn(3, "---\n").nth(2).unwrap();
    let mut settings = insta::Settings::new();
    settings.set_snapshot_path(desk.path("pack"));
    settings.set_prepend_module_to_snapshot(false);
    settings.bind(|| insta::assert_snapshot!("trail-stopped", body));
}

#[test]
fn what_a_review_shows_is_what_changed() {
    let desk = Desk::accepted(SOUND);
    desk.edit("pack/trail-stopped.rhai", "stopped by ${", "switched off by ${");
    desk.edit("pack/trail-stopped.rhai", "severity: high", "severity: low");
    desk.edit("pack/trail-stopped.rhai", "context(event) { #{", "context(event) { #{ by: actor(event).name,");
    desk.edit("pack/trail-stopped.cases.yaml", "    title: Trail main stopped by alice\n    severity: high\n", "");
    assert_eq!(desk.run(&["test", "pack"]).code, 1);
    let rejected = desk.run(&["review", "pack", "--reject"]);
    insta::assert_snapshot!(rejected.out);
    assert!(!desk.path(PENDING).exists());
    assert!(desk.read(SNAP).contains("Trail main stopped by alice"));
}

#[test]
fn a_changed_fingerprint_is_told_as_such() {
    let desk = Desk::accepted(SOUND);
    desk.write("pack/pack.yaml", "name: another\n");
    let ran = desk.run(&["test", "pack"]);
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("fingerprint (waivers and baselines will not know it)"), "{}", ran.out);
}

#[test]
fn nothing_is_written_in_ci() {
    let desk = Desk::with(SOUND);
    for run in [desk.run(&["test", "pack", "--ci"]), finish(desk.command(&["test", "pack"]).env("CI", "true"))] {
        assert_eq!(run.code, 1, "a snapshot is missing");
        assert!(!desk.path(PENDING).exists() && !desk.path("cache").exists());
    }
    let desk = Desk::accepted(SOUND);
    fs::remove_dir_all(desk.path("cache")).unwrap();
    desk.edit("pack/trail-stopped.rhai", "#{ trail:", "#{ by: 1, trail:");
    let before = files(&desk.path("pack"));
    let run = desk.run(&["test", "pack", "--ci"]);
    assert_eq!(run.code, 1);
    assert!(run.out.contains("nothing was written here"), "{}", run.out);
    assert_eq!(files(&desk.path("pack")), before);
    assert!(!desk.path("cache").exists());
}

fn files(folder: &Path) -> Vec<(PathBuf, String)> {
    let all = walkdir::WalkDir::new(folder).sort_by_file_name().into_iter().map(Result::unwrap);
    all.filter(|entry| entry.file_type().is_file())
        .map(|entry| (entry.path().to_owned(), fs::read_to_string(entry.path()).unwrap()))
        .collect()
}

#[test]
fn a_review_without_a_terminal_refuses_and_names_the_commands() {
    let desk = Desk::with(SOUND);
    desk.run(&["test", "pack"]);
    let run = desk.run(&["review", "pack"]);
    assert_eq!(run.code, 2);
    assert!(run.err.contains("lawbook review --accept") && run.err.contains("--reject"), "{}", run.err);
    assert!(desk.path(PENDING).exists() && !desk.path(SNAP).exists());
    assert_eq!(desk.run(&["review", "pack", "--accept", "--only", "other"]).code, 2);
    assert_eq!(desk.run(&["review", "pack", "--accept", "--only", "trail-*"]).code, 0);
    assert_eq!(desk.run(&["review", "pack"]).out, "nothing to review\n");
    assert_eq!(desk.run(&["review", "pack", "--accept", "--only", "trail-*"]).out, "nothing to review\n");
    let run = desk.run(&["review", "pack", "--accept", "--only", "trial-stopped"]);
    assert_eq!(run.code, 2, "{}", run.out);
    assert!(run.err.contains("no policy is named") && run.err.contains("did you mean `trail-stopped`?"), "{}", run.err);
    assert!(desk.run(&["review", "pack", "--only", "zzz"]).err.contains("lawbook list"));
}

#[test]
fn obsolete_and_orphan_snapshots_fail() {
    let desk = Desk::accepted(SOUND);
    let at = desk.read("pack/trail-stopped.cases.yaml");
    let kept = &at[..at.find("  - name: a trusted user").unwrap()];
    desk.write("pack/trail-stopped.cases.yaml", kept);
    let run = desk.run(&["test", "pack", "--ci"]);
    assert_eq!(run.code, 1);
    assert!(run.out.contains("- case: a trusted user does it (it is no longer in the file)"), "{}", run.out);

    let desk = Desk::accepted(SOUND);
    desk.write("pack/gone.snap", &desk.read(SNAP));
    desk.write("pack/snapshots/of_a_program.snap", "---\nsource: tests/it.rs\nexpression: x\n---\n1\n");
    let run = desk.run(&["test", "pack", "--ci"]);
    assert_eq!(run.code, 1);
    assert!(run.out.contains("pack/gone.snap: a snapshot without a policy"), "{}", run.out);
    assert!(!run.out.contains("of_a_program"));
    assert_eq!(desk.run(&["review", "pack", "--accept"]).code, 0);
    assert_eq!(desk.run(&["test", "pack", "--ci"]).code, 0);
    assert!(!desk.path("pack/gone.snap").exists() && desk.path("pack/snapshots/of_a_program.snap").exists());
}

#[test]
fn a_failing_case_says_all_that_is_needed() {
    let cases = SOUND.replace("stopped by alice\n", "stopped by bob\n").replace("trusted: [alice]", "trusted: [bob]");
    let desk = Desk::accepted(&cases);
    let run = desk.run(&["test", "pack"]);
    assert_eq!(run.code, 1);
    insta::assert_snapshot!(redacted(&run.out));
    // The command that it names runs the case alone.
    let alone = desk.run(&["test", "pack", "--run", "trail-stopped/a trusted user does it"]);
    assert!(alone.out.contains("\n1 case of 1 policy: 0 passed, 1 failed"), "{}", alone.out);
}

#[test]
fn a_case_that_is_to_be_done_fails_when_it_passes() {
    let todo = "  - name: the trail is a copy\n    record: stop\n    with: { requestParameters.name: copy }\n    expect: silent\n    todo: copies are not known yet\n";
    let desk = Desk::accepted(&format!("{SOUND}{todo}"));
    let run = desk.run(&["test", "pack"]);
    assert_eq!(run.code, 0, "{}", run.out);
    assert!(run.out.contains("todo the trail is a copy (copies are not known yet)"), "{}", run.out);
    assert!(!desk.read(SNAP).contains("the trail is a copy"));
    desk.edit(
        "pack/trail-stopped.rhai",
        "succeeded(event) &&",
        "succeeded(event) && event.requestParameters.name != \"copy\" &&",
    );
    let run = desk.run(&["test", "pack"]);
    assert_eq!(run.code, 1, "{}", run.out);
    assert!(run.out.contains("it passes (try: remove `todo`)"), "{}", run.out);
}

#[test]
fn those_that_failed_are_remembered_outside_of_the_pack() {
    let desk = Desk::accepted(SOUND);
    desk.edit("pack/trail-stopped.cases.yaml", "trusted: [alice]", "trusted: [bob]");
    assert_eq!(desk.run(&["test", "pack", "--run", "refused"]).code, 0);
    let before = files(&desk.path("pack"));
    let failed = desk.run(&["test", "pack"]);
    assert!(failed.out.contains("3 cases of 1 policy: 2 passed, 1 failed"), "{}", failed.out);
    assert_eq!(files(&desk.path("pack")), before, "what fails is nothing to review");
    assert!(desk.run(&["test", "pack", "--failed"]).out.contains("1 case of 1 policy"));
    desk.edit("pack/trail-stopped.cases.yaml", "trusted: [bob]", "trusted: [alice]");
    assert_eq!(desk.run(&["test", "pack", "--failed"]).code, 0);
    let all = desk.run(&["test", "pack", "--failed"]);
    assert!(all.err.contains("nothing failed last time"), "{}", all.err);
}

#[test]
fn nothing_to_test_is_no_success() {
    let desk = Desk::accepted(SOUND);
    desk.write("bare/bare.rhai", POLICY);
    desk.write("empty/README", "");
    for (args, says) in [
        (["test", "bare"], "no case was run"),
        (["test", "empty"], "holds no policy"),
        (["test", "nowhere"], "there is no such file or folder"),
    ] {
        let run = desk.run(&args);
        assert_eq!(run.code, 2, "{args:?}");
        assert!(format!("{}{}", run.out, run.err).contains(says), "{args:?}: {}{}", run.out, run.err);
    }
    for folder in ["bare", "empty"] {
        assert_eq!(desk.run(&["test", folder, "--allow-empty"]).code, 0, "{folder}");
    }
    assert!(desk.run(&["test", "bare", "--allow-empty"]).out.contains("bare  no cases"));
    let run = desk.run(&["test", "pack", "--run", "trail-stoped/the call is refused"]);
    assert_eq!(run.code, 2);
    assert!(run.err.contains("did you mean `trail-stopped/the call is refused`?"), "{}", run.err);
}

/// Whatever is wrong in a file of cases is told with its place, all of it at once.
#[test]
fn every_mistake_in_cases_is_told_at_once() {
    let wrong = r#"  - name: one
    record: stpo
    expect: fires
  - name: one
    record: stop
    without: [requestParameters.nam]
    expect: silent
    title: T
  - name: three
    record: stop
    records: [stop]
    params: { truste: [x], trusted: 5 }
    inventory: { ec2/volume: [] }
    now: yesterday
    expect: silent
  - name: four
    file: nowhere.json
    expect: fires
    reason: x
  - name: five
    record: { a: 1 }
    expect: fires
"#;
    let desk = Desk::with(wrong);
    let run = desk.run(&["test", "pack"]);
    assert_eq!(run.code, 2);
    insta::assert_snapshot!(run.err);
    for (key, says) in [
        ("expcet: silent", "did you mean `expect`?"),
        ("expect: slient", "did you mean `silent`?"),
        ("expect: silent\n    other: silent", "did you mean `others`?"),
        ("expect: fires\n    collected: 2024-05-13T00:00:00Z", "and there are none"),
        ("expect: fires\n    inventory: trail-stopped.rhai\n    collected: 2024-05-13T00:00:00Z", "`inventory.json`"),
        ("expect: fires\n    inventory: { ec2/volumes: [] }\n    collected: the 13th", "`the 13th` is no time"),
    ] {
        let desk = Desk::with(&format!("  - name: one\n    record: stop\n    {key}\n"));
        let run = desk.run(&["test", "pack"]);
        assert_eq!(run.code, 2);
        assert!(run.err.contains(says) && run.err.contains("trail-stopped.cases.yaml:"), "{}", run.err);
    }
    let desk = Desk::accepted(SOUND);
    fs::write(desk.path("pack/trail-stopped.cases.yaml"), b"cases: [\xff]").unwrap();
    let run = desk.run(&["test", "pack"]);
    assert_eq!(run.code, 2, "{}", run.out);
    assert!(run.err.contains("cannot be read"), "{}", run.err);
    let desk = Desk::accepted(SOUND);
    desk.write("pack/trail-stoped.cases.yaml", &format!("{HEAD}{SOUND}"));
    let run = desk.run(&["test", "pack"]);
    assert_eq!(run.code, 2);
    assert!(
        run.err.contains("there is no such policy beside them")
            && run.err.contains("did you mean `trail-stopped.cases.yaml`?"),
        "{}",
        run.err
    );
}

/// A case that cannot fail is none: whatever is expected and is not so, is told.
#[test]
fn every_expectation_can_fail() {
    let other = POLICY
        .replace("title: Trail stopped", "title: Other")
        .replace("!params.trusted.contains(actor(event).name)", "event.readOnly != true");
    for (case, says) in [
        ("expect: silent", "+ fires: Trail main stopped by alice"),
        ("expect: not_evaluated", "+ fires"),
        ("expect: fault", "+ fires"),
        ("expect: fires\n    title: U", "title"),
        ("expect: fires\n    severity: low", "severity"),
        ("expect: fires\n    resources: []", "resources"),
        ("expect: fires\n    context: { trail: other }", "context.trail"),
        ("expect: fires\n    context: { trial: main }", "context.trial"),
        ("expect: fires\n    count: 2", "count"),
        ("expect: fires\n    findings: [{ title: Trail main stopped by alice }, {}]", "count"),
        ("expect: fires\n    findings: [{ severity: low }]", "severity"),
        ("expect: fires\n    others: silent", "others"),
        ("expect: fires\n    params: { trusted: [alice] }", "+ silent"),
        ("expect: silent\n    with: { userIdentity: 5 }", "+ fires"),
    ] {
        let desk = Desk::with(&format!("  - name: one\n    record: stop\n    {case}\n"));
        desk.write("pack/other.rhai", &other);
        let run = desk.run(&["test", "pack", "--run", "trail-stopped"]);
        assert_eq!(run.code, 1, "{case}: {}", run.out);
        assert!(run.out.contains("1 failed") && run.out.contains(says), "{case}: {}", run.out);
    }
    let broken = Desk::with("  - name: one\n    record: stop\n    expect: silent\n");
    broken.edit("pack/trail-stopped.rhai", "succeeded(event) &&", "json_of(event) &&");
    broken.edit("pack/trail-stopped.rhai", "fn title", "fn json_of(event) { throw \"no\" }\nfn title");
    let run = broken.run(&["test", "pack"]);
    assert_eq!(run.code, 2, "{}", run.out);
    assert!(run.out.contains("BROKEN one") && run.out.contains("1 broken"), "{}", run.out);
}

#[test]
fn records_come_from_files_and_by_variation() {
    let cases = r#"  - name: of a file
    file: logs/log.json
    select: $[?@.eventName == "StopLogging"]
    expect: fires
    count: 2
  - name: each by itself
    file: logs
    select: $[?@.requestParameters.name == "a"]
    each: true
    expect: fires
    title: Trail a stopped by alice
  - name: varied
    records: [stop, { record: stop, with: { requestParameters.name: other, eventID: x } }]
    expect: fires
    findings: [{ resources: [main] }, { resources: [other] }]
  - name: varied from a file
    file: logs/log.json
    select: $[0]
    with: { errorCode: AccessDenied }
    expect: silent
"#;
    let desk = Desk::with(cases);
    let event = |id: &str, name: &str, trail: &str| {
        format!(
            r#"{{"eventVersion":"1.10","eventID":"{id}","eventTime":"2024-05-14T09:00:00Z","eventSource":"cloudtrail.amazonaws.com","eventName":"{name}","userIdentity":{{"type":"IAMUser","userName":"alice"}},"requestParameters":{{"name":"{trail}"}}}}"#
        )
    };
    desk.write(
        "pack/logs/log.json",
        &format!(
            r#"{{"Records":[{},{},{}]}}"#,
            event("1", "StopLogging", "a"),
            event("2", "StartLogging", "a"),
            event("3", "StopLogging", "b")
        ),
    );
    let run = desk.run(&["test", "pack", "-v"]);
    for says in
        ["ok   of a file", "ok   each by itself [1]", "each by itself [2]", "ok   varied", "ok   varied from a file"]
    {
        assert!(run.out.contains(says), "{says}: {}{}", run.out, run.err);
    }
    let pending = desk.read(PENDING);
    assert!(
        pending.contains("file: logs/log.json") && !pending.contains(&*desk.0.path().to_string_lossy()),
        "{pending}"
    );
    for (select, says) in
        [("$[?@.eventName == \"X\"]", "selects none"), ("$[0].eventName", "part of a record"), ("$[", "JSONPath")]
    {
        let desk2 =
            Desk::with(&format!("  - name: one\n    file: log.json\n    select: '{select}'\n    expect: fires\n"));
        desk2.write("pack/log.json", &event("1", "StopLogging", "a"));
        let run = desk2.run(&["test", "pack"]);
        assert_eq!(run.code, 2);
        assert!(run.err.contains(says), "{select}: {}", run.err);
    }
}

#[test]
fn a_report_is_the_same_for_any_number_of_threads() {
    let run = |threads: &str| {
        let desk = Desk::accepted(&SOUND.replace("trusted: [alice]", "trusted: [bob]"));
        redacted(&desk.run(&["test", "pack", "-v", "--threads", threads]).out)
    };
    assert_eq!(run("1"), run("4"));
}

/// The report as JSON, which is as published.
fn report(desk: &Desk, args: &[&str]) -> Value {
    let report = serde_json::from_str(&desk.run(&[&["test", "pack", "--format", "json"], args].concat()).out).unwrap();
    let schema: Value = serde_json::from_str(include_str!("../../schemas/test-report.schema.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> =
        validator.iter_errors(&report).map(|error| format!("{error} at {}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    report
}

#[test]
fn machine_formats_are_sound() {
    let cases = SOUND.replace("stopped by alice\n", "stopped by b<o>b & \\u001b[31m\n").replace(
        "title: Trail main stopped by b<o>b & \\u001b[31m",
        "title: \"Trail main stopped by b<o>b & \\u001b[31m\"",
    );
    let desk = Desk::accepted(&cases);
    let json = report(&desk, &[]);
    assert_eq!(json["summary"]["counts"]["failed"], 1);
    assert_eq!(json["policies"][0]["cases"][0]["differences"][0]["what"], "title");
    assert_eq!(json["policies"][0]["cases"][1]["verdict"], "passed");

    let junit = desk.run(&["test", "pack", "--format", "junit", "--output", "cases.xml"]);
    assert_eq!(junit.code, 1);
    let xml = quick_junit::Report::deserialize_from_str(&desk.read("cases.xml")).unwrap();
    assert_eq!((xml.tests, xml.failures, xml.errors), (4, 1, 0));
    let names: Vec<&str> = xml.test_suites[0].test_cases.iter().map(|case| case.name.as_str()).collect();
    assert_eq!(names, ["somebody stops it", "the call is refused", "a trusted user does it", "(snapshot)"]);

    let github = desk.run(&["test", "pack", "--format", "github"]).out;
    let first = github.lines().next().unwrap();
    assert!(first.starts_with("::error file=pack/trail-stopped.cases.yaml,line=13,title=trail-stopped%3A somebody stops it::title: expected"), "{github}");
    assert!(!github.contains('\u{1b}') && github.contains("%0Alawbook test pack --run"), "{github}");
    let desk = Desk::accepted(SOUND);
    desk.edit("pack/trail-stopped.rhai", "#{ trail:", "#{ by: 1, trail:");
    let changed = report(&desk, &["--ci"]);
    assert_eq!(changed["policies"][0]["snapshot"]["changes"][0]["change"], "field");
}

/// What stands in a pack and in its `pack.yaml` decides what it is called, not how it was named on the command line.
#[test]
fn a_policy_has_the_same_snapshot_however_it_is_named() {
    let desk = Desk::with(SOUND);
    desk.write("pack/pack.yaml", "name: mine\n");
    desk.write("pack/deep/trail-stopped-too.rhai", POLICY);
    desk.write("pack/deep/trail-stopped-too.cases.yaml", &format!("{HEAD}{SOUND}"));
    desk.run(&["test", "."]);
    assert_eq!(desk.run(&["review", ".", "--accept"]).code, 0);
    for path in [".", "pack", "pack/deep", "pack/deep/trail-stopped-too.rhai", "pack/trail-stopped.cases.yaml"] {
        let run = desk.run(&["test", path, "--ci"]);
        assert_eq!(run.code, 0, "{path}: {}{}", run.out, run.err);
    }
    let inside = finish(desk.command(&["test", "--ci"]).current_dir(desk.path("pack/deep")));
    assert_eq!(inside.code, 0, "{}{}", inside.out, inside.err);
    assert!(inside.out.contains("3 cases of 1 policy"), "{}", inside.out);
    desk.write("pack/pack.yaml", "naem: mine\n");
    let run = desk.run(&["test", "pack"]);
    assert_eq!(run.code, 2);
    assert!(run.err.contains("pack/pack.yaml:1:1: "), "{}", run.err);
}

#[test]
fn it_runs_again_when_a_file_changes() {
    use std::io::{BufRead, BufReader};
    let desk = Desk::accepted(SOUND);
    let mut child =
        desk.command(&["test", "pack", "--watch"]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let first = lines.find(|line| line.contains("cases of")).unwrap();
    assert!(first.contains("3 passed"), "{first}");
    std::thread::sleep(std::time::Duration::from_millis(700));
    desk.edit("pack/trail-stopped.cases.yaml", "trusted: [alice]", "trusted: [bobby]");
    let second = lines.find(|line| line.contains("cases of")).unwrap();
    assert!(second.contains("1 failed"), "{second}");
    child.kill().unwrap();
    child.wait().unwrap();
}

/// What `lawbook new` writes passes at once, and its cases notice every change of it.
#[test]
fn a_new_policy_is_tested_through_and_through() {
    let desk = Desk::new();
    assert_eq!(desk.run(&["new", "key-pair-created", "--dir", "pack"]).code, 0);
    let new = desk.run(&["new", "volume-without-owner", "--dir", "pack", "--judges", "ec2/volumes"]);
    assert!(
        new.out.contains("wrote pack/volume-without-owner.snap\nnext: lawbook test pack/volume-without-owner.rhai"),
        "{}",
        new.out
    );
    let run = desk.run(&["test", "pack", "--ci", "--coverage", "--mutate", "--min", "100"]);
    assert_eq!(run.code, 0, "{}{}", run.out, run.err);
    assert!(run.out.contains("score 100.0 %"), "{}", run.out);
    assert_eq!(desk.run(&["check", "pack"]).code, 0);
}

/// A policy of known lines and conditions.
const MEASURED: &str = r#"//! ---
//! title: T
//! severity: low
//! judges: cloudtrail
//! ---
fn matches(event) {
    if event.eventName == "A" || event.eventName == "B" {
        return event.readOnly != true && lib_says(event);
    }
    let n = switch event.awsRegion {
        "x" => 1,
        _ => 2,
    };
    n == 1
}
"#;
const LIBRARY: &str = "fn lib_says(event) { !(event.errorCode == \"E\") }\n";

fn measured(cases: &str) -> Desk {
    let desk = Desk::new();
    desk.write("pack/lib/shared.rhai", LIBRARY);
    desk.write("pack/measured.rhai", MEASURED);
    let head =
        "records:\n  a: { eventVersion: \"1.10\", eventID: x, eventSource: s, eventName: A, awsRegion: y }\ncases:\n";
    desk.write("pack/measured.cases.yaml", &format!("{head}{cases}"));
    desk.run(&["test", "pack"]);
    desk.run(&["review", "pack", "--accept"]);
    desk
}

#[test]
fn coverage_is_what_cases_go_through() {
    let desk = measured(
        "  - { name: a, record: a, expect: fires }\n  - { name: c, record: a, with: { eventName: C }, expect: silent }\n",
    );
    let json = report(&desk, &["--coverage"]);
    let file = |at: usize| &json["coverage"]["files"][at];
    assert_eq!(file(0)["file"], "pack/lib/shared.rhai");
    // The library's condition was false alone; all of its lines were reached.
    assert_eq!((&file(0)["conditions"]["of"], &file(0)["conditions"]["all"]), (&1.into(), &2.into()));
    // `eventName == "A"` both ways; `== "B"` false; `readOnly != true` true; `lib_says` true; `n == 1` false.
    assert_eq!((&file(1)["conditions"]["of"], &file(1)["conditions"]["all"]), (&6.into(), &10.into()), "{json:#}");
    // Lines 7, 8, 10, 12, 14 of 7, 8, 10, 11, 12, 14.
    assert_eq!((&file(1)["lines"]["of"], &file(1)["lines"]["all"]), (&5.into(), &6.into()), "{json:#}");
    let text = desk.run(&["test", "pack", "--coverage"]).out;
    for says in [
        "pack/measured.rhai:7:34: `event.eventName == \"B\"` was never true",
        "pack/measured.rhai:8:16: `event.readOnly != true` was never false",
        "pack/measured.rhai:11:16: `1` was never reached",
        "pack/lib/shared.rhai:1:24: `event.errorCode == \"E\"` was never true",
    ] {
        assert!(text.contains(says), "{says}: {text}");
    }
    let least = desk.run(&["test", "pack", "--coverage", "--min", "60"]);
    assert_eq!(least.code, 1);
    assert!(least.err.contains("58.3 % of conditions are covered, and `--min` is 60 %"), "{}", least.err);
    assert_eq!(desk.run(&["test", "pack", "--coverage", "--min", "58"]).code, 0);
    // The cases that are run are those that are measured.
    let one = desk.run(&["test", "pack", "--run", "measured/c", "--coverage", "--format", "json"]).out;
    let one: Value = serde_json::from_str(&one).unwrap();
    assert_eq!(one["coverage"]["files"][0]["lines"]["of"], 0, "{one:#}");
    let lcov = desk.run(&["test", "pack", "--coverage=lcov"]).out;
    for says in [
        "SF:pack/measured.rhai\n",
        "DA:11,0\n",
        "DA:7,2\n",
        "BRDA:7,0,0,1\nBRDA:7,0,1,1\n",
        "BRF:10\nBRH:6\n",
        "end_of_record\n",
    ] {
        assert!(lcov.contains(says), "{says}: {lcov}");
    }
    desk.run(&["test", "pack", "--coverage=html", "--coverage-output", "page.html"]);
    let page = desk.read("page.html");
    assert!(
        page.contains("event.eventName == &quot;B&quot;")
            && !["<script", "src=", "http:", "https:"].iter().any(|part| page.contains(part)),
        "{page}"
    );
    insta::assert_snapshot!(text.split("\ncoverage").nth(1).unwrap());
}

#[test]
fn cases_that_know_one_side_are_too_few() {
    let desk = measured("  - { name: a, record: a, expect: fires }\n");
    let run = desk.run(&["test", "pack", "--coverage", "--min", "0"]);
    assert_eq!(run.code, 1);
    assert!(run.out.contains("measured: no case that stays quiet"), "{}", run.out);
}

#[test]
fn changes_that_no_case_notices_are_drawn() {
    let weak = measured(
        "  - { name: a, record: a, expect: fires }\n  - { name: c, record: a, with: { eventName: C }, expect: silent }\n",
    );
    let run = weak.run(&["test", "pack", "--mutate", "--min", "90"]);
    assert_eq!(run.code, 1, "{}", run.out);
    assert!(run.err.contains("of changes are noticed, and `--min` is 90 %"), "{}", run.err);
    let told = redacted(run.out.split_once("passed in").unwrap().1.split_once('\n').unwrap().1);
    insta::assert_snapshot!(told);
    // Once more, and in one thread: the same.
    let again = weak.run(&["test", "pack", "--mutate", "--threads", "1"]);
    assert!(redacted(&again.out).ends_with(&told), "{}", again.out);

    let strong = measured(
        r#"  - { name: a, record: a, expect: fires }
  - { name: b, record: a, with: { eventName: B }, expect: fires }
  - { name: c, record: a, with: { eventName: C }, expect: silent }
  - { name: read only, record: a, with: { readOnly: true, awsRegion: x }, expect: silent }
  - { name: failed, record: a, with: { errorCode: E, awsRegion: x }, expect: silent }
  - { name: c in x, record: a, with: { eventName: C, awsRegion: x }, expect: fires }
"#,
    );
    let run = strong.run(&["test", "pack", "--coverage", "--mutate", "--min", "100"]);
    assert_eq!(run.code, 1, "one change gives the same policy: {}", run.out);
    let json = report(&strong, &["--mutate"]);
    let survivors: Vec<&str> =
        json["mutation"]["survivors"].as_array().unwrap().iter().map(|one| one["change"].as_str().unwrap()).collect();
    // Whatever else is neither of them is not 1.
    assert_eq!(survivors, ["`2` is `3`"], "{json:#}");
}

#[test]
fn nothing_is_changed_while_cases_fail() {
    let desk = Desk::accepted(&SOUND.replace("trusted: [alice]", "trusted: [bob]"));
    let run = desk.run(&["test", "pack", "--mutate"]);
    assert_eq!(run.code, 2);
    assert!(
        run.out.contains("FAIL a trusted user does it") && run.err.contains("repair what fails first"),
        "{}{}",
        run.out,
        run.err
    );
    let desk = Desk::accepted(SOUND);
    let run = desk.run(&["test", "pack", "--mutate", "--budget", "0s"]);
    assert!(run.out.contains("there was no time"), "{}", run.out);
}

/// The front matter's `when` is a part of the policy, too.
#[test]
fn changes_of_when_are_noticed_or_told() {
    let desk = Desk::accepted(SOUND);
    let run = desk.run(&["test", "pack", "--mutate"]);
    assert!(run.out.contains("no case notices if `eventName` is gone from `when`"), "{}", run.out);
    let desk = Desk::accepted(&format!(
        "{SOUND}  - {{ name: another, record: stop, with: {{ eventName: StartLogging }}, expect: silent }}\n"
    ));
    let run = desk.run(&["test", "pack", "--mutate", "--min", "100"]);
    assert_eq!(run.code, 0, "{}{}", run.out, run.err);
}

#[test]
fn a_policy_is_begun_from_a_record() {
    let desk = Desk::new();
    let event = r#"{"Records":[{"eventVersion":"1.10","eventID":"1","eventTime":"2024-05-14T09:00:00Z","eventSource":"kms.amazonaws.com","eventName":"DisableKey","awsRegion":"us-east-1","recipientAccountId":"111122223333","userIdentity":{"type":"IAMUser","userName":"a: \"b\" #\u001b[31m"},"requestParameters":{"keyId":"x\n- y"}}]}"#;
    desk.write("event.json", event);
    desk.write("refused.json", &event.replace("\"eventID\":\"1\"", "\"eventID\":\"2\",\"errorCode\":\"AccessDenied\""));
    desk.write("volumes.json", r#"{"Volumes":[{"VolumeId":"vol-1","State":"in-use","Encrypted":false,"Size":1}]}"#);
    for (id, file) in
        [("key-disabled", "event.json"), ("key-not-disabled", "refused.json"), ("volume-bare", "volumes.json")]
    {
        let run = desk.run(&["new", id, "--dir", "pack", "--from", file]);
        assert_eq!(run.code, 0, "{}{}", run.out, run.err);
        assert!(run.out.contains(&format!("wrote pack/{id}.snap")), "{}", run.out);
    }
    let run = desk.run(&["test", "pack", "--ci", "--coverage", "--mutate", "--min", "100", "-v"]);
    assert_eq!(run.code, 0, "{}{}", run.out, run.err);
    assert!(
        run.out.contains("ok   the record that was given") && run.out.contains("ok   the call is refused"),
        "{}",
        run.out
    );
    assert_eq!(desk.run(&["check", "pack"]).code, 0);
    desk.write("hostile.json", &event.replace("DisableKey", "A\\n//! window: x"));
    desk.write("none.json", "[]");
    for file in ["hostile.json", "none.json", "nowhere.json"] {
        let run = desk.run(&["new", "x", "--dir", "pack", "--from", file]);
        assert_eq!(run.code, 2, "{file}");
        assert!(!desk.path("pack/x.rhai").exists());
    }
}

/// A policy that is named by its file is tested as a part of its pack.
#[test]
fn what_is_asked_of_other_policies_is_asked_however_the_policy_is_named() {
    let desk = Desk::accepted("  - { name: alone, record: stop, expect: fires, others: silent }\n");
    assert_eq!(desk.run(&["test", "pack/trail-stopped.rhai", "--ci"]).code, 0);
    desk.write("pack/other.rhai", &POLICY.replace("title: Trail stopped", "title: Other"));
    let run = desk.run(&["test", "pack/trail-stopped.rhai", "--ci"]);
    assert_eq!(run.code, 1);
    assert!(run.out.contains("+ other: Trail main stopped by alice"), "{}", run.out);
    desk.write("pack/other.rhai", "fn matches(event) { nope() }");
    let run = desk.run(&["test", "pack/trail-stopped.rhai", "--ci"]);
    assert_eq!(run.code, 2);
    assert!(run.err.contains("`others` cannot be checked"), "{}", run.err);
    desk.edit("pack/trail-stopped.cases.yaml", ", others: silent", "");
    assert_eq!(desk.run(&["test", "pack/trail-stopped.rhai", "--ci"]).code, 0);
}

/// The example of a case about inventory stands in the documentation, and is true of an embedded policy.
#[test]
fn cases_of_inventory_are_as_documented() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("docs/testing.md")).unwrap();
    let example = page.split("```yaml\n").find(|block| block.starts_with("records:\n  vpc:")).unwrap();
    let example = &example[..example.find("```").unwrap()];
    let desk = Desk::new();
    // Alone in its pack it comes after no other.
    let policy = fs::read_to_string(root.join("policies/logging/flow-logs-missing.rhai")).unwrap();
    let policy: String =
        policy.lines().filter(|line| !line.contains("  after: ")).map(|line| line.to_owned() + "\n").collect();
    desk.write("pack/vpc.rhai", &policy);
    for library in fs::read_dir(root.join("policies/lib")).unwrap().map(Result::unwrap) {
        let name = format!("pack/lib/{}", library.file_name().to_str().unwrap());
        desk.write(&name, &fs::read_to_string(library.path()).unwrap());
    }
    desk.write("pack/vpc.cases.yaml", example);
    let report: Value = serde_json::from_str(&desk.run(&["test", "pack", "--format", "json"]).out).unwrap();
    assert_eq!(
        report["summary"]["counts"],
        serde_json::json!({ "passed": 3, "failed": 0, "broken": 0, "todo": 0, "snapshots": 1 })
    );
    assert_eq!(desk.run(&["check", "pack"]).code, 0);

    // Without the resource nothing is judged, and the message says what to write; `check` tells it, too.
    desk.write(
        "pack/vpc.cases.yaml",
        "cases:\n  - { name: none, inventory: { ec2/vpcs: [{ VpcId: vpc-1 }] }, expect: fires }\n",
    );
    for command in ["test", "check"] {
        let ran = desk.run(&[command, "pack"]);
        let told = ["nothing is judged", "`record:` is the resource of `ec2/vpcs`"];
        assert!(ran.code == 2 && told.iter().all(|part| ran.err.contains(part)), "{command}: {}", ran.err);
    }
    let twice = "cases:\n  - { name: two, record: { VpcId: vpc-1 }, file: x, expect: fires }\n";
    desk.write("pack/vpc.cases.yaml", twice);
    assert!(desk.run(&["check", "pack"]).err.contains("this one has several"));
}

/// A misspelt member is a case that does not do what it says: of what calls record one that is a letter from another is told.
#[test]
fn misspelt_members_of_cases_are_told() {
    let desk = Desk::new();
    desk.write(
        "pack/key-made.rhai",
        &crate::cli::policy("Key made", "fn matches(event) { request(event).keyName != () }"),
    );
    let said = |record: &str| {
        let cases = format!("cases:\n  - name: one\n    record: {record}\n    expect: silent\n");
        desk.write("pack/key-made.cases.yaml", &cases);
        let ran = desk.run(&["check", "pack", "--format", "json"]);
        let told: Value = serde_json::from_str(&ran.out).unwrap();
        let of_cases = told["diagnostics"].as_array().unwrap().iter().filter(|one| one["code"] == "cases");
        of_cases
            .map(|one| format!("{} {}", one["message"].as_str().unwrap(), one["help"].as_str().unwrap_or("-")))
            .collect::<Vec<_>>()
    };
    let of = "eventVersion: \"1.10\", eventID: x, eventSource: ec2.amazonaws.com, eventName: CreateKeyPair";
    let told = ["a record of `CreateKeyPair` has no member `keyNmae` did you mean `keyName`?"];
    assert_eq!(said(&format!("{{ {of}, requestParameters: {{ keyNmae: k }} }}")), told);
    let told = ["a record of `CreateKeyPair` has no member `keyPairld` did you mean `keyPairId`?"];
    assert_eq!(said(&format!("{{ {of}, responseElements: {{ keyPairld: k }} }}")), told);
    let told = ["a record of `CreateKeyPair` has no field `eventTyp` did you mean `eventType`?"];
    assert_eq!(said(&format!("{{ {of}, eventTyp: AwsApiCall }}")), told);
    // What calls record beside what their models have is not held against a case.
    assert_eq!(
        said(&format!("{{ {of}, requestParameters: {{ keyName: k, clientToken: c, somethingElse: 1 }} }}")),
        [""; 0]
    );
    assert_eq!(
        said(
            "{ eventVersion: \"1.10\", eventID: x, eventSource: e.example, eventName: Odd, requestParameters: { keyNmae: k } }"
        ),
        [""; 0]
    );
}

/// A policy about what AWS has added since is tested and compared as it is scanned: with `--shapes`.
#[test]
fn cases_are_run_with_the_shapes_of_ones_own() {
    let desk = Desk::new();
    let policy =
        POLICY.replace("eventName: StopLogging", "eventSource: cloudtrail.amazonaws.com, eventName: StopLoging");
    desk.write("pack/trail-stopped.rhai", &policy);
    desk.write("pack/trail-stopped.cases.yaml", &format!("{}{SOUND}", HEAD.replace("StopLogging", "StopLoging")));
    desk.write("shapes/new.yaml", "sources:\n  cloudtrail.amazonaws.com:\n    events: [StopLoging]\n");
    desk.write("logs/empty.json", "{\"Records\":[]}");
    for args in [&["test", "pack"][..], &["test", "pack", "--impact", "logs", "--against", "pack", "--allow-empty"]] {
        let without = desk.run(args);
        assert!(without.code == 2 && without.err.contains("error[unknown-event]"), "{}", without.err);
        let with = desk.run(&[args, &["--shapes", "shapes"]].concat());
        assert!(with.code < 2 && !with.err.contains("unknown-event"), "{} {}", with.code, with.err);
    }
    let page = desk.run(&["docs", "--shapes", "shapes", "--policies", "pack"]);
    assert!(page.code == 0 && page.out.contains("## trail-stopped"), "{}", page.err);
}

#[test]
fn what_nobody_tries_does_not_pass() {
    let desk = Desk::accepted(SOUND);
    assert_eq!(desk.run(&["test", "pack"]).code, 0);
    desk.write("pack/other.rhai", &POLICY.replace("StopLogging", "DeleteTrail"));
    let untried = desk.run(&["test", "pack"]);
    assert!(untried.code == 1 && untried.out.contains("1 policy has no case"), "{}", untried.out);
    assert_eq!(desk.run(&["test", "pack", "--allow-empty"]).code, 0);
    assert_eq!(desk.run(&["test", "pack", "--run", "trail-stopped/*"]).code, 0);
    let junit = desk.run(&["test", "pack", "--format", "junit"]).out;
    assert_eq!(quick_junit::Report::deserialize_from_str(&junit).unwrap().failures, 1);

    // Files that look like cases and are not read are mistakes, to `test` and to `check`.
    desk.write("pack/other.cases.yml", "cases: []\n");
    for command in ["test", "check"] {
        let ran = desk.run(&[command, "pack"]);
        assert!(ran.code == 2 && ran.err.contains("rename it to `other.cases.yaml`"), "{command}: {}", ran.err);
    }
    std::fs::remove_file(desk.path("pack/other.cases.yml")).unwrap();
    std::fs::remove_file(desk.path("pack/other.rhai")).unwrap();

    // Two cases of one name would have one entry in the snapshot, whatever made the name.
    desk.write("pack/records.json", "[{}]");
    let twice = "  - { name: x, records: [stop, stop], each: true, expect: fires }\n  - { name: \"x [2]\", record: stop, expect: fires }\n";
    desk.write("pack/trail-stopped.cases.yaml", &format!("{HEAD}{twice}"));
    let ran = desk.run(&["test", "pack"]);
    assert!(ran.code == 2 && ran.err.contains("is named `x [2]`, too"), "{}", ran.err);
}

#[test]
fn a_least_share_is_of_what_was_measured() {
    let desk = Desk::accepted(SOUND);
    let alone = desk.run(&["test", "pack", "--min", "100"]);
    assert!(alone.code == 2 && alone.err.contains("--min: measures nothing by itself"), "{}", alone.err);
    let late = desk.run(&["test", "pack", "--mutate", "--budget", "0s", "--min", "1"]);
    assert!(late.code == 1 && late.err.contains("were not tried in time"), "{}", late.err);
    let long = desk.run(&["test", "pack", "--mutate", "--budget", "9223372036854775807s", "--min", "1"]);
    assert_eq!(long.code, 0, "{}", long.err);
    // What has no place in the report is told beside it.
    for format in ["junit", "github"] {
        let ran = desk.run(&["test", "pack", "--coverage", "--mutate", "--format", format]);
        assert!(ran.err.contains("100.0 %") && ran.err.contains("mutation: "), "{format}: {}", ran.err);
        assert!(!ran.out.contains("mutation: "), "{}", ran.out);
    }
}

#[test]
fn what_is_remembered_does_not_outlive_what_it_is_about() {
    let desk = Desk::accepted(SOUND);
    desk.edit("pack/trail-stopped.cases.yaml", "severity: high", "severity: low");
    assert_eq!(desk.run(&["test", "pack", "--ci"]).code, 1);
    assert_eq!(desk.run(&["test", "pack"]).code, 1);
    desk.edit("pack/trail-stopped.cases.yaml", "name: somebody stops it", "name: it is stopped");
    desk.edit("pack/trail-stopped.cases.yaml", "severity: low", "severity: high");
    let ran = desk.run(&["test", "pack", "--failed"]);
    assert!(ran.err.contains("nothing failed last time") && ran.out.contains("3 cases"), "{} {}", ran.err, ran.out);

    // A pending snapshot of what is no longer so is told where nothing may be written.
    let desk = Desk::accepted(SOUND);
    desk.edit("pack/trail-stopped.rhai", "#{ trail:", "#{ by: 1, trail:");
    assert_eq!(desk.run(&["test", "pack"]).code, 1);
    desk.edit("pack/trail-stopped.rhai", "#{ by: 1, trail:", "#{ trail:");
    let ran = desk.run(&["test", "pack", "--ci"]);
    assert!(ran.code == 0 && ran.err.contains("pack/trail-stopped.snap.new is stale"), "{}", ran.err);
    let ran = desk.run(&["test", "pack"]);
    assert!(ran.code == 0 && ran.err.is_empty() && !desk.path("pack/trail-stopped.snap.new").exists(), "{}", ran.err);
}

#[test]
fn a_report_takes_the_place_of_nothing_that_people_wrote() {
    let desk = Desk::accepted(SOUND);
    for name in ["pack/trail-stopped.rhai", "pack/trail-stopped.cases.yaml", "pack/trail-stopped.snap"] {
        let before = desk.read(name);
        let ran = desk.run(&["test", "pack", "--output", name]);
        assert!(ran.code == 2 && ran.err.contains("is a file of the pack"), "{}", ran.err);
        assert_eq!(desk.read(name), before);
    }
    let ran = desk.run(&["test", "pack", "--output", "a.txt", "--coverage=html", "--coverage-output", "./a.txt"]);
    assert!(ran.code == 2 && ran.err.contains("is where the report goes, too"), "{}", ran.err);
}
