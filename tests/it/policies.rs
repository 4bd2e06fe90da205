//! The embedded pack: every policy loads, is documented, and does what its cases say.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use lawbook::cases::report::{Look, Measures};
use lawbook::cases::{self, Expect, Options, SnapshotState, Stop, Suite};
use lawbook::policy::{Overrides, Pack};
use lawbook::report;
use lawbook::script::Limits;
use serde_json::Value;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("policies")
}

#[test]
fn the_embedded_pack_is_the_folder_and_loads() {
    let limits = Limits::default();
    let draw = |mistakes: Vec<_>| report::diagnostic::draw(&mistakes, false);
    let embedded =
        Pack::embedded().check(&Overrides::default(), &limits).unwrap_or_else(|mistakes| panic!("{}", draw(mistakes)));
    let on_disk = Pack::from_folder(&folder())
        .unwrap()
        .check(&Overrides::default(), &limits)
        .unwrap_or_else(|mistakes| panic!("{}", draw(mistakes)));
    let ids = |checked: &lawbook::policy::Checked| {
        checked.policies().iter().map(|policy| policy.id.to_string()).collect::<BTreeSet<_>>()
    };
    assert_eq!(ids(&embedded), ids(&on_disk));
    assert!(embedded.policies().len() >= 12);
}

/// Programs that judge by the embedded pack do not check it again; all else that loading gives must be there.
#[test]
fn the_embedded_pack_is_the_same_unchecked() {
    let mut overrides = Overrides::default();
    overrides.set_param("eip-disassociated.trusted_roles=['arn:aws:iam::111122223333:role/ops']").unwrap();
    overrides.set_param("security-group-opened-to-world.nope=1").unwrap();
    let [checked, loaded] = [Pack::check, Pack::load].map(|load| {
        let packs = load(&Pack::embedded(), &overrides, &Limits::default()).unwrap();
        (format!("{:#?}", packs.policies()), packs.accepts(&overrides).unwrap_err()[0].to_string())
    });
    assert_eq!(checked, loaded);
    assert!(loaded.0.contains("role/ops") && loaded.1.contains("no parameter `nope`"));
}

#[test]
fn every_policy_is_documented() {
    let checked = Pack::embedded().check(&Overrides::default(), &Limits::default()).unwrap();
    for policy in checked.policies() {
        let headings: Vec<&str> = policy.sections().into_iter().map(|(heading, _)| heading).collect();
        assert_eq!(headings, ["What it finds", "Why it matters", "False positives", "Respond"], "{}", policy.id);
        assert!(policy.sections().iter().all(|(_, text)| !text.is_empty()), "{}", policy.id);
        assert!(!policy.header.references.is_empty(), "{}", policy.id);
        let forms = &policy.header.remediation;
        assert!(
            forms.console.is_some() && forms.cli.is_some() && forms.python.is_some(),
            "{} lacks a form of remediation",
            policy.id
        );
    }
}

fn open() -> Suite {
    match Suite::open(&[folder()], &Overrides::default(), &Limits::default()) {
        Ok(suite) => suite,
        Err(Stop::Error(error)) => panic!("{error}"),
        Err(Stop::Diagnostics(mistakes)) => panic!("{}", report::diagnostic::draw(&mistakes, false)),
    }
}

/// Cases, snapshots, and that none stands beside no policy: as `lawbook test policies --ci` says.
#[test]
fn every_policy_does_what_its_cases_and_its_snapshot_say() {
    let outcome = cases::run(&open(), &Options::default()).unwrap();
    let mut told = Vec::new();
    cases::report::write(cases::report::Format::Text, &outcome, Measures::default(), Look::default(), &mut told)
        .unwrap();
    assert_eq!(outcome.exit(false), (0, Vec::new()), "\n{}", String::from_utf8_lossy(&told));
    for policy in &outcome.policies {
        for expect in [Expect::Fires, Expect::Silent] {
            let has = policy.cases.iter().any(|(case, _)| case.expect == expect);
            assert!(has, "{} has no case that expects `{}`", policy.id, expect.word());
        }
        assert_eq!(policy.snapshot, SnapshotState::Same, "{}", policy.id);
    }
}

/// Fingerprints in snapshots are those that users have: of the pack that is in the binary.
#[test]
fn snapshots_hold_the_fingerprints_of_the_embedded_pack() {
    for pack in open().packs {
        assert_eq!(pack.name(), lawbook::policy::DEFAULT);
        for policy in pack.policies {
            let text = std::fs::read_to_string(policy.snapshot_file()).unwrap();
            assert!(text.contains("\npack: default\n"), "{}", policy.id);
            let home = env!("CARGO_MANIFEST_DIR");
            assert!(!text.contains(home), "{} names a folder of this machine", policy.id);
        }
    }
}

/// As `lawbook test policies --coverage --mutate` says.
#[test]
fn cases_go_through_every_condition_and_notice_nearly_every_change() {
    let (suite, options) = (open(), Options::default());
    let outcome = cases::run(&suite, &options).unwrap();
    let covered = |stop| panic!("{stop:?}");
    let coverage = cases::cover(&suite, &outcome, &options.limits, options.threads).unwrap_or_else(covered);
    let share = coverage.condition_share();
    assert!(share.all > 150 && share.of == share.all, "{} of {} conditions", share.of, share.all);
    assert!(coverage.one_sided.is_empty(), "{:?}", coverage.one_sided);
    let mutation = cases::mutate(&suite, &outcome, &options.limits, options.threads, None).unwrap();
    let score = mutation.score();
    assert!(mutation.killed > 400 && mutation.left == 0 && score >= 90.0, "{score} % of changes are noticed");
}

/// Genuine records of an hour in which techniques of attackers were tried, amid a tool that set things up and took them down.
#[test]
fn of_an_attack_the_pack_tells_all_and_of_the_tool_behind_it_little() {
    let log = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data/events/invictus.ndjson");
    let Ok(text) = std::fs::read_to_string(log) else {
        return crate::skipped("genuine records are not here: what the pack tells of an attack is not looked at");
    };
    let events: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let by = |finding: &Value| -> &str {
        let event = events.iter().find(|event| event["eventID"] == finding["record"]["id"]).unwrap();
        event["userAgent"].as_str().unwrap_or_default()
    };
    let mut scan = crate::cli::lawbook();
    let out = scan.args(["scan", log, "--no-config", "--format", "json", "--now", "2023-07-11"]).output().unwrap();
    let report: Value = serde_json::from_slice(&out.stdout).unwrap();
    let findings = report["findings"].as_array().unwrap();
    let policy = |finding: &Value| finding["policy"].as_str().unwrap().to_owned();
    let told: BTreeSet<String> = findings.iter().map(policy).collect();
    for wanted in [
        "access-key-created-for-another",
        "admin-policy-attached",
        "cloudtrail-deleted",
        "console-login-without-mfa",
        "denied-calls-burst",
        "event-selectors-narrowed",
        "flow-logs-deleted",
        "image-shared",
        "instance-credentials-from-two-addresses",
        "instance-type-unusual",
        "logging-tampered-then-activity",
        "login-profile-created",
        "password-data-read",
        "role-trust-changed",
        "security-group-opened-to-world",
        "snapshot-shared",
        "trail-retention-shortened",
        "user-data-read",
    ] {
        assert!(told.contains(wanted), "{wanted} is not told: {told:?}");
    }
    // What the tool did that is grave by whomever it is done.
    let grave = ["logging-tampered-then-activity", "login-profile-created", "admin-policy-attached"];
    let noise: Vec<String> = findings
        .iter()
        .filter(|finding| by(finding).contains("Terraform") && finding["severity"] != "info")
        .map(policy)
        .filter(|policy| !grave.contains(&policy.as_str()))
        .collect();
    assert!(noise.len() <= events.len() / 1_000, "{noise:?}");
}
