//! `outcome`: policies about calls that do not ask whether the call succeeded.

use super::solve::{Known, test_of, where_not};
use super::subject::Subject;
use super::{Category, Check, Lint};
use crate::diagnostic::{Diagnostic, Level};
use crate::script::reading::Reading;

pub(super) const LINT: Lint = Lint {
    code: "outcome",
    category: Category::Security,
    level: Level::Warning,
    summary: "A policy about calls whose `matches` does not ask whether the call succeeded, or not on every way to a finding.",
    avoid: "`event.eventName == \"DeleteTrail\"`, `succeeded(event) && a == 1 || a == 2`",
    prefer: "`succeeded(event) && …`; where attempts matter, too, ask `refused(event)`, or allow this with the reason",
    why: "CloudTrail records refused calls, failed calls and dry runs like others. A finding that says that something was \
          deleted, and it was not, costs the trust in all others.",
    check: Check::Policy(check),
    bad: &[
        "fn matches(event) { succeeded(event) && event.a == 1 || event.a == 2 }",
        "fn matches(event) { if event.a == 1 { return true; } succeeded(event) && event.b == 1 }",
        "fn matches(event) { is_bad(event) || succeeded(event) && event.a == 1 }\nfn is_bad(e) { e.b == 2 }",
        "fn matches(event) { event.eventName == \"DeleteTrail\" }",
        "fn matches(event) { is_bad(event) }\nfn is_bad(e) { e.requestParameters.name == \"x\" }",
        "fn matches(event) { actor(event).type == \"Root\" && is_console(event) }",
        "fn matches(event) { event.requestParameters.name == \"x\" }\nfn title(event) { if succeeded(event) { \"a\" } else { \"b\" } }",
        "fn matches(event) { jsonpath(event, \"$..cidrIp\").contains(\"10.0.0.0/8\") }",
    ],
    good: &[
        "fn matches(event) { succeeded(event) && event.a == 1 || succeeded(event) && event.a == 2 }",
        "fn matches(event) { if !succeeded(event) { return false; } event.b == 1 || event.b == 2 }",
        "fn matches(event) { succeeded(event) && event.a == 1 || refused(event) && event.a == 2 }",
        "fn matches(event) { for one in list(event.resources) { if one.ARN == \"a\" && succeeded(event) { return true; } } false }",
        "fn matches(event) { event.a == 1 && (event.b == 2 || event.c == 3) && succeeded(event) }",
        "fn matches(event) { switch event.awsRegion { \"us-east-1\" => { return false; } \"us-east-2\" => { return false; } } succeeded(event) && event.eventName == \"RunInstances\" }",
        "fn matches(event) { succeeded(event) && event.eventName == \"DeleteTrail\" }",
        "fn matches(event) { event.succeeded() && event.eventName == \"DeleteTrail\" }",
        "fn matches(e) { worked(e) }\nfn worked(x) { let code = x.errorCode; code == () }",
        "fn matches(event) { worked(event) }\n//// lib\nfn worked(e) { e.errorCode == () }",
        "fn matches(event) { failed(event) }",
        "fn matches(event) { event.errorCode in [\"AccessDenied\"] }",
        "fn matches(event) { \"errorCode\" in event }",
        "fn matches(event) { event[\"errorMessage\"] == () }",
        "fn matches(event) { response(event).keyId != () }",
        "fn matches(event) { event.responseElements.ConsoleLogin == \"Failure\" }",
        "//! when: { eventSource: ec2.amazonaws.com, errorCode: null }\nfn matches(event) { event.eventName == \"A\" }",
        "//! when: { eventSource: kms.amazonaws.com, eventType: AwsServiceEvent }\nfn matches(event) { event.eventName == \"RotateKey\" }",
        "//! judges: ec2/volumes\nfn matches(volume) { volume.Encrypted == false }",
        "fn matches(event) { jsonpath(event, \"$.errorCode\").is_empty() }",
    ],
};

/// What says how a call ended.
const FIELDS: [&str; 4] = ["errorCode", "errorMessage", "responseElements", "serviceEventDetails"];
const FUNCTIONS: [&str; 4] = ["succeeded", "error_code", "refused", "is_dry_run"];

fn check(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let Some(matches) = subject.matches().filter(|_| subject.judges_events()) else { return Vec::new() };
    let asks = matches.calls.iter().any(|call| FUNCTIONS.contains(&call.name.as_str()))
        || matches.reads.iter().any(|read| FIELDS.iter().any(|field| read.path.is_of_record(&[field])))
        || FIELDS.iter().any(|field| subject.wants_something_of(&[field]) || subject.mentions(matches, field));
    // What AWS does by itself has no outcome.
    let is_no_call = |types: &[Option<String>]| !types.iter().flatten().any(|kind| kind == "AwsApiCall");
    let no_call = subject.wants(&["eventType"]).is_some_and(is_no_call)
        || subject.wants(&["eventCategory"]).is_some_and(|of| of.iter().flatten().all(|kind| kind == "Insight"));
    // Signing in is an event of another type, and succeeds or not.
    let signs_in = subject.wants(&["eventType"]).is_some_and(|of| of.contains(&Some("AwsConsoleSignIn".to_owned())));
    if matches.is_complete && !no_call && asks_in_part(subject, matches) {
        let message =
            "`matches` may be true of a call that was refused: not every way to it asks whether the call succeeded";
        let told = LINT.at(subject.source, subject.hook_span("matches"), message);
        return vec![told.help("`succeeded(event) && (… || …)`: `&&` binds more strongly than `||`")];
    }
    if asks || (no_call && !signs_in) || !matches.is_complete {
        return Vec::new();
    }
    let message = "`matches` does not ask whether the call succeeded, so a refused attempt is found, too";
    vec![LINT.at(subject.source, subject.hook_span("matches"), message).help("`succeeded(event) && …`")]
}

/// One branch asks, and another does not: `a && b || c` is `(a && b) || c`. Whoever asks in another way, too, knows.
fn asks_in_part(subject: &Subject<'_>, matches: &Reading) -> bool {
    let asks = |function: &str| matches.calls.iter().any(|call| call.name == function);
    let reads = |field: &&str| {
        subject.wants_something_of(&[field]) || matches.reads.iter().any(|read| read.path.is_of_record(&[field]))
    };
    if !asks("succeeded") || FUNCTIONS[1..].iter().any(|function| asks(function)) || FIELDS.iter().any(reads) {
        return false;
    }
    let remains = where_not(&test_of(&matches.answer), "succeeded");
    remains.is_some_and(|test| Known::by_when(subject).decide(&test) != Some(false))
}
