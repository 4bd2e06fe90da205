//! `never-matches`: conditions that exclude each other, so that nothing is ever found.

use super::solve::{Known, decided, test_of};
use super::subject::Subject;
use super::{Category, Check, Lint};
use crate::diagnostic::{Diagnostic, Level};
use crate::policy::Shape;
use crate::script::reading::Test;

pub(super) const LINT: Lint = Lint {
    code: "never-matches",
    category: Category::Correctness,
    level: Level::Error,
    summary: "`matches` can never be true: what it asks is excluded by `when`, or by what it asks itself.",
    avoid: "`when: { eventName: CreateUser }` with `event.eventName == \"CreateUsers\"` in `matches`",
    prefer: "conditions that a record can fulfil",
    why: "The policy would be silent whatever happens, and silence is taken for safety. What fields are equal to, and begin or end \
          with, is reckoned with, and what `succeeded`, `refused` and `is_dry_run` say of the code of a call; orderings and what other \
          functions answer are not. The same is said of a step that no record is, and of a field with one value of which the window \
          wants several.",
    check: Check::Policy(check),
    bad: &[
        "fn matches(event) { succeeded(event) && event.errorCode == \"AccessDenied\" }",
        "fn matches(event) { succeeded(event) && refused(event) }",
        "fn matches(event) { failed(event) && event.succeeded() }",
        "fn matches(event) { if !succeeded(event) { return false; } is_dry_run(event) && event.a == 1 }",
        "fn matches(event) { succeeded(event) && error_code(event) in [\"AccessDenied\", \"UnauthorizedOperation\"] }",
        "fn matches(event) { succeeded(event) && event.responseElements.ConsoleLogin == \"Failure\" }",
        "fn matches(event) { refused(event) && event.errorCode == () }",
        "//! when: { eventSource: ec2.amazonaws.com, errorCode: [AccessDenied, UnauthorizedOperation] }\nfn matches(event) { succeeded(event) && event.a == 1 }",
        "//! when: { eventSource: ec2.amazonaws.com, errorCode: null }\nfn matches(event) { refused(event) && event.a == 1 }",
        "fn matches(event) { is_console(event) && succeeded(event) && !is_console(event) }",
        "//! when: { eventSource: ec2.amazonaws.com, eventName: A }\n//! window: { by: userIdentity.arn, within: 10m, sequence: [a, b] }\nfn matches(event) { succeeded(event) }\nfn a(event) { event.eventName == \"A\" }\nfn b(event) { event.eventName == \"B\" }",
        "//! when: { eventSource: ec2.amazonaws.com, eventName: A }\n//! window: { by: userIdentity.arn, within: 10m, sequence: [a, b] }\nfn matches(event) { succeeded(event) }\nfn a(event) { event.a == 1 }\nfn b(event) { refused(event) }",
        "//! when: { eventSource: ec2.amazonaws.com, eventName: A }\n//! window: { by: userIdentity.arn, within: 10m, distinct: { of: eventName, count: 2 } }\nfn matches(event) { succeeded(event) }",
        "//! when: { eventSource: iam.amazonaws.com, eventName: CreateUser }\nfn matches(event) { succeeded(event) && event.eventName == \"CreateUsers\" }",
        "//! when: { eventSource: iam.amazonaws.com, eventName: [A, B] }\nfn matches(event) { event.eventName in [\"C\", \"D\"] && succeeded(event) }",
        "//! when: { eventSource: iam.amazonaws.com, eventName: [A, B] }\nfn matches(event) { switch event.eventName { \"C\" => succeeded(event), _ => false } }",
        "//! when: { eventSource: iam.amazonaws.com, eventName: [A, B] }\nfn matches(e) { is_bad(e) && succeeded(e) }\nfn is_bad(x) { let n = x.eventName; n == \"C\" }",
        "//! when: { eventSource: iam.amazonaws.com, eventName: [A, B] }\nfn matches(e) { is_bad(e) && succeeded(e) }\n//// lib\nfn is_bad(x) { x.eventName == \"C\" }",
        "fn matches(event) { event.eventName == \"A\" && succeeded(event) && event.eventName == \"B\" }",
        "fn matches(event) { if event.eventName != \"A\" { return false; } event.eventName == \"B\" && succeeded(event) }",
        "fn matches(event) { event.awsRegion == \"a\" && event.awsRegion in [\"b\", \"c\"] && succeeded(event) }",
        "fn matches(event) { event.errorCode == () && event.errorCode != () }",
        "fn matches(event) { let a = event.eventName; a == \"A\" && !a.starts_with(\"A\") && succeeded(event) }",
        "//! when: { eventSource: iam.amazonaws.com, eventName: CreateUser }\nfn matches(event) { event.eventName.starts_with(\"Delete\") && succeeded(event) }",
    ],
    good: &[
        "fn matches(event) { (succeeded(event) || event.errorCode == \"AccessDenied\") && event.a == 1 }",
        "fn matches(event) { !succeeded(event) && event.errorCode == \"AccessDenied\" || refused(event) && !is_dry_run(event) }",
        "//! when: { eventSource: ec2.amazonaws.com, eventName: [A, B] }\n//! window: { by: userIdentity.arn, within: 10m, sequence: [a, b] }\nfn matches(event) { succeeded(event) }\nfn a(event) { event.eventName == \"A\" }\nfn b(event) { event.eventName == \"B\" }",
        "//! when: { eventSource: ec2.amazonaws.com, eventName: [A, B] }\n//! window: { by: userIdentity.arn, within: 10m, distinct: { of: eventName, count: 2 } }\nfn matches(event) { succeeded(event) }",
        "fn matches(event) { let t = false; for x in list(request(event).tags) { t = true; } !t && succeeded(event) }",
        "fn matches(event) { let bad = false; for x in list(event.resources) { if x.type == \"a\" { continue; } bad = true; } !bad && succeeded(event) }",
        "fn matches(event) { let broken = true; try { parse_json(event.eventID); broken = false; } catch { } broken && succeeded(event) }",
        "fn matches(event) { switch event.awsRegion { \"us-east-1\" => { return false; } \"us-east-2\" => { print(\"b\"); } } event.awsRegion == \"eu-west-1\" && succeeded(event) }",
        "//! when: { eventSource: ec2.amazonaws.com, eventName: CreateVolume }\nfn matches(event) { let size = request(event).size; succeeded(event) && size == 12 && text(size).starts_with(\"1\") }",
        "//! when: { eventSource: iam.amazonaws.com, eventName: [A, B] }\nfn matches(event) { succeeded(event) && event.eventName == \"A\" }",
        "//! when: { eventSource: iam.amazonaws.com, eventName: [A, B] }\nfn matches(event) { succeeded(event) && (event.eventName == \"C\" || event.a == 1) }",
        "fn matches(event) { (event.eventName == \"A\" || event.eventName == \"B\") && succeeded(event) }",
        "fn matches(event) { event.a == 1 && event.b == 2 && succeeded(event) }",
        "//! when: { eventSource: iam.amazonaws.com, readOnly: false }\nfn matches(event) { succeeded(event) && event.readOnly == false }",
        "//! when: { eventSource: iam.amazonaws.com, readOnly: false }\nfn matches(event) { succeeded(event) && event.readOnly != \"false\" }",
        "//! when: { eventSource: iam.amazonaws.com, n: 12 }\nfn matches(event) { succeeded(event) && !event.n.starts_with(\"1\") }",
        "fn matches(event) { succeeded(event) && event.readOnly != \"true\" && event.readOnly == true }",
        "fn matches(event) { succeeded(event) && event.a == 1 && event.a != \"1\" }",
        "//! when: { eventSource: iam.amazonaws.com, n: 12 }\nfn matches(event) { succeeded(event) && event.n == 12.0 }",
        "//! params: { on: { type: bool, default: false, doc: D } }\nfn matches(event) { params.on == true && succeeded(event) }",
        "fn matches(event) { let n = event.eventName; n = \"B\"; event.eventName == \"A\" && n == \"B\" && succeeded(event) }",
        "fn matches(event) { list(event.a).some(|x| x == 1) && list(event.a).some(|x| x == 2) && succeeded(event) }",
        "fn matches(event) { let n = \"A\"; for x in list(event.a) { n = x; } n == \"B\" && succeeded(event) }",
        "fn matches(event) { let found = false; for x in list(event.a) { if x == 1 { found = true; } } found && succeeded(event) }",
        "fn matches(event) { succeeded(event) && (event.x ?? \"a\") == \"a\" && (event.x ?? \"b\") == \"b\" }",
    ],
};

fn check(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let Some(matches) = subject.matches() else { return Vec::new() };
    let test = test_of(&matches.answer);
    let known = Known::by_when(subject);
    let mut out = of_window(subject, &known, &test);
    // What is written as `false` is meant so, and told as a constant condition.
    if matches!(test, Test::Always(_)) || known.decide(&test) != Some(false) {
        return out;
    }
    let decided = decided(&test, &known);
    let reason = decided.iter().find(|decided| !decided.holds).or(decided.first());
    let span = reason.map_or(subject.hook_span("matches"), |decided| decided.comparison.place.site.clone());
    let message = "`matches` is never true: this is excluded by `when` or by another condition";
    out.push(LINT.at(subject.source, span, message));
    out
}

/// Steps that no record can be, and values of which there is but one.
fn of_window(subject: &Subject<'_>, known: &Known, matches: &Test) -> Vec<Diagnostic> {
    let Some(window) = &subject.header().window else { return Vec::new() };
    let mut known = known.clone();
    known.assume(matches, true);
    let never = |step: &&String| {
        let test = subject.readings.get(*step).map(|reading| test_of(&reading.answer));
        test.is_some_and(|test| !matches!(test, Test::Always(_)) && known.decide(&test) == Some(false))
    };
    let of_step = |step: &String| {
        let message = format!("no record is the step `{step}`: `when` or `matches` excludes what it asks");
        LINT.at(subject.source, subject.hook_span(step), message)
    };
    let mut out: Vec<Diagnostic> = window.named.steps.iter().filter(never).map(of_step).collect();
    if let Shape::Distinct { of, count } = &window.shape
        && subject.function(&of.text).is_none()
        && let Some(values) = known.texts(&of.text)
        && values.len() < *count
    {
        let message = format!("`{}` has {} values here, and the window wants {count}", of.text, values.len());
        out.push(LINT.at(subject.source, subject.key_span(&["window", "distinct"]), message));
    }
    out
}
