//! `arn-as-text`: ARNs compared by parts of their text, and sessions by the ARN of their role.

use super::subject::Subject;
use super::{Category, Check, Lint};
use crate::diagnostic::{Diagnostic, Level};
use crate::script::reading::{Base, Comparison, Path, Relation, Value};

pub(super) const LINT: Lint = Lint {
    code: "arn-as-text",
    category: Category::Security,
    level: Level::Warning,
    summary: "An ARN is compared by a part of its text, or the ARN of a caller with that of a role, which no session has.",
    avoid: "`event.userIdentity.arn.contains(\"role/admin\")`, `event.userIdentity.arn == \"arn:aws:iam::111122223333:role/ops\"`",
    prefer: "`arn(x).id`, `glob(actor(event).role, \"arn:*:iam::*:role/admin\")`, `same_principal(actor(event).arn, …)`",
    why: "Whoever may name a session, a role or a path may write the part that is looked for: `role/admin` is in \
          `role/administrator-of-nothing`. The partition differs (`aws-cn`, `aws-us-gov`), and the ARN of a session is \
          `arn:aws:sts::…:assumed-role/…`, never that of its role.",
    check: Check::Policy(check),
    bad: &[
        "fn matches(event) { succeeded(event) && event.userIdentity.arn.contains(\"role/admin\") }",
        "fn matches(event) { succeeded(event) && !actor(event).arn.ends_with(\":user/ci\") }",
        "fn matches(event) { succeeded(event) && event.requestParameters.roleArn.starts_with(\"arn:aws:iam::\") }",
        "fn matches(event) { succeeded(event) && event.userIdentity.arn == \"arn:aws:iam::111122223333:role/ops\" }",
        "fn matches(event) { succeeded(event) && actor(event).arn in [\"arn:aws:iam::111122223333:role/ops\"] }",
        "fn matches(event) { succeeded(event) && glob(actor(event).role, \"arn:aws:sts::*:assumed-role/admin/*\") }",
        "fn matches(event) { succeeded(event) && glob(event.userIdentity.arn, \"arn:*:iam::*:role/admin-*\") }",
        "fn matches(event) { succeeded(event) && !glob(actor(event).arn, [\"arn:aws:iam::*:role/a\", \"arn:aws:iam::*:role/b\"]) }",
        "fn matches(event) { succeeded(event) && event.userIdentity.arn.split(\"/\")[1] == \"admin\" }",
        "fn matches(event) { succeeded(event) && regex(event.userIdentity.arn, \"role/admin\") }",
        "fn matches(event) { let who = event.userIdentity; succeeded(event) && is_admin(who.arn) }\nfn is_admin(x) { x.contains(\"admin\") }",
        "fn matches(event) { succeeded(event) && list(event.resources).some(|r| r.ARN.contains(\"secret\")) }",
        "fn matches(event) { succeeded(event) && event.requestParameters.policyDocument.contains(\"arn:aws:iam::aws:policy/AdministratorAccess\") && event.x.starts_with(\"arn:aws:s3:::\") }",
    ],
    good: &[
        "fn matches(event) { succeeded(event) && glob(actor(event).arn, [\"arn:*:iam::*:role/a\", \"arn:*:sts::*:assumed-role/a/*\"]) }",
        "fn matches(event) { succeeded(event) && glob(actor(event).role, \"arn:*:iam::*:role/admin\") }",
        "fn matches(event) { succeeded(event) && arn(event.requestParameters.roleArn).id == \"admin\" }",
        "fn matches(event) { succeeded(event) && actor(event).role == \"arn:aws:iam::111122223333:role/ops\" }",
        "fn matches(event) { succeeded(event) && event.userIdentity.arn == \"arn:aws:iam::111122223333:user/ops\" }",
        "fn matches(event) { succeeded(event) && same_principal(actor(event).arn, \"arn:aws:iam::111122223333:role/ops\") }",
        "fn matches(event) { succeeded(event) && event.requestParameters.name.starts_with(\"prod-\") }",
        "fn matches(event) { succeeded(event) && event.requestParameters.warning.contains(\"x\") }",
        "fn matches(event) { succeeded(event) && list(event.resources).map(|r| r.ARN).contains(\"all\") }",
        "fn matches(event) { succeeded(event) && event.requestParameters.policyArn == \"arn:aws:iam::aws:policy/AdministratorAccess\" }",
    ],
};

fn check(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    for comparison in subject.comparisons() {
        let Some((message, help)) = remark(comparison) else { continue };
        out.push(LINT.at(subject.source_of(&comparison.place), comparison.place.span.clone(), message).help(help));
    }
    out
}

fn remark(comparison: &Comparison) -> Option<(&'static str, &'static str)> {
    let texts = || comparison.right.iter().filter_map(Value::text);
    match comparison.relation {
        // Whether a list has an item is no question about a text.
        Relation::Contains if matches!(comparison.left, Value::List(_) | Value::ListOf(_)) => None,
        Relation::StartsWith | Relation::EndsWith | Relation::Contains if texts().next().is_some() => {
            let is_start = comparison.relation == Relation::StartsWith && texts().any(|text| text.starts_with("arn:"));
            let is_arn = comparison.left.paths().into_iter().any(holds_arn);
            (is_start || is_arn).then_some((
                "an ARN is compared by a part of its text",
                "take it apart with `arn(x)`, or compare the whole with `glob(x, \"arn:*:…\")`",
            ))
        }
        // Unless it is anchored, a part is enough.
        Relation::Regex
            if texts().any(|text| !text.starts_with("^arn:")) && comparison.left.paths().into_iter().any(holds_arn) =>
        {
            Some(("an ARN is compared by a part of its text", "anchor it, `^arn:[^:]*:…$`, or `glob(x, \"arn:*:…\")`"))
        }
        Relation::Equal | Relation::In
            if matches!(comparison.left, Value::Part(..))
                && comparison.left.paths().into_iter().any(holds_arn)
                && texts().any(|text| !text.starts_with("arn:")) =>
        {
            Some(("an ARN is compared by a part of its text", "take it apart with `arn(x)`"))
        }
        Relation::Equal | Relation::In if comparison.left.path().is_some_and(is_caller) => {
            texts().any(is_role).then_some(OF_ROLE)
        }
        Relation::Glob | Relation::Equal | Relation::In
            if comparison.left.path().is_some_and(|path| path.base == Base::Actor && path.last() == Some("role")) =>
        {
            let is_session = |value: &Value| value.text().is_some_and(|text| text.contains(":assumed-role/"));
            comparison.right.iter().all(is_session).then_some((
                "the ARN of a session is no role's",
                "`arn:*:iam::*:role/NAME`, or `actor(event).arn` for the session",
            ))
        }
        // All of them: one may be for what has no session.
        Relation::Glob if comparison.left.path().is_some_and(is_caller) => {
            comparison.right.iter().all(|value| value.text().is_some_and(is_role)).then_some(OF_ROLE)
        }
        _ => None,
    }
}

/// What is said of the ARN of a role.
const OF_ROLE: (&str, &str) = (
    "the ARN of a role is no caller's: sessions have one of their own",
    "`actor(event).role`, or `same_principal(actor(event).arn, …)`",
);

/// True for a field that holds an ARN, by its name.
fn holds_arn(path: &Path) -> bool {
    let by_name = path
        .last()
        .is_some_and(|name| matches!(name, "arn" | "ARN" | "Arn") || name.ends_with("Arn") || name.ends_with("ARN"));
    by_name || (path.base == Base::Actor && path.last() == Some("role"))
}

fn is_caller(path: &Path) -> bool {
    path.is_field(&["userIdentity", "arn"]) || (path.base == Base::Actor && path.last() == Some("arn"))
}

fn is_role(text: &str) -> bool {
    text.starts_with("arn:") && text.contains(":iam:") && text.contains(":role/")
}
