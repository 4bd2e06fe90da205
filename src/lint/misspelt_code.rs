//! `misspelt-code`: error codes that no service answers with, and that are a letter or two from one that some do.

use std::collections::HashSet;
use std::sync::LazyLock;

use super::named::{Named, named_where};
use super::subject::Subject;
use super::{Category, Check, Lint};
use crate::diagnostic::{Diagnostic, Level};
use crate::script::reading::Value;

pub(super) const LINT: Lint = Lint {
    code: "misspelt-code",
    category: Category::Correctness,
    level: Level::Warning,
    summary: "An error code that is a letter or two from one that AWS answers with.",
    avoid: "`event.errorCode == \"AccesDenied\"`, `error_code(event) == \"TrailNotFoundExeption\"`",
    prefer: "`refused(event)`, `failed(event)`, or the code as AWS writes it: `TrailNotFoundException`",
    why: "No call fails with it, so the condition is never true, and nobody notices, for such conditions seldom are. AWS does not \
          list all codes, so of one that is like no other nothing is said.",
    check: Check::Policy(check),
    bad: &[
        "fn matches(event) { event.errorCode == \"AccesDenied\" }",
        "fn matches(event) { error_code(event) == \"UnauthorisedOperation\" }",
        "fn matches(event) { event.errorCode == \"Client.UnauthorizedOperatoin\" }",
        "fn matches(event) { event.errorCode in [\"AccessDenied\", \"NoSuchEntityExeption\"] }",
        "fn matches(event) { event.errorCode == \"accessdenied\" }",
        "//! when: { eventSource: ec2.amazonaws.com, errorCode: [Client.UnauthorizedOperation, Client.DryRunOperaton] }\nfn matches(event) { event.eventName == \"A\" }",
        "fn matches(event) { switch event.errorCode { \"ThrotlingException\" => true, _ => false } }",
        "fn matches(event) { is_gone(event) }\nfn is_gone(e) { e.errorCode == \"TrailNotFoundExeption\" }",
    ],
    good: &[
        "fn matches(event) { event.errorCode in [\"AccessDenied\", \"Client.UnauthorizedOperation\", \"NoSuchEntityException\"] }",
        "fn matches(event) { error_code(event) == \"InvalidPermission.NotFound\" }",
        "fn matches(event) { event.errorCode == \"SomethingOfAServiceThatIsNew\" }",
        "fn matches(event) { event.errorCode.to_lower() == \"accessdenied\" }",
        "fn matches(event) { event.errorCode.starts_with(\"AccesDenied\") }",
        "fn matches(event) { succeeded(event) && event.requestParameters.errorCode == \"AccesDenied\" }",
        "//! when: { eventSource: ec2.amazonaws.com, errorCode: null }\nfn matches(event) { event.eventName == \"A\" }",
    ],
};

/// Codes; the file says where they come from.
const TABLE: &str = include_str!("../../schemas/error-codes.txt");

static KNOWN: LazyLock<HashSet<&str>> = LazyLock::new(|| TABLE.lines().filter(|line| !line.starts_with('#')).collect());

/// Letters below which two codes may well be two letters apart.
const SHORT: usize = 8;

fn check(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let wanted = named_where(subject, "errorCode", &is_code).into_iter().filter(|named| !named.is_start);
    wanted.filter_map(|named| remark(&named)).collect()
}

/// True for the code of a call, whole or without what EC2 puts before it.
fn is_code(value: &Value) -> bool {
    value.made_of().is_some_and(|path| path.is_field(&["errorCode"]))
}

fn remark(named: &Named<'_>) -> Option<Diagnostic> {
    let (prefix, code) = ["Client.", "Server."]
        .iter()
        .find_map(|prefix| Some((*prefix, named.text.strip_prefix(prefix)?)))
        .unwrap_or(("", &named.text));
    // A part may be in small letters; then only letters that are others are wrong.
    let meant = near(code).filter(|meant| !named.is_part || !meant.eq_ignore_ascii_case(code))?;
    let message = format!("no call of AWS fails with `{}`", named.text);
    Some(LINT.at(named.source, named.span.clone(), message).help(format!("did you mean `{prefix}{meant}`?")))
}

/// The known code that is nearest to an unknown one, if one is near.
fn near(code: &str) -> Option<&'static str> {
    if KNOWN.contains(code) || code.len() < SHORT {
        return None;
    }
    let lower = code.to_lowercase();
    let distance = |known: &str| strsim::osa_distance(&lower, &known.to_lowercase());
    let known = TABLE.lines().filter(|known| known.len().abs_diff(code.len()) <= 2 && !known.starts_with('#'));
    known.map(|known| (distance(known), known)).filter(|(distance, _)| *distance <= 2).min().map(|(_, known)| known)
}
