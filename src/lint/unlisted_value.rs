//! `unlisted-value`: comparisons of a field with a text that is none of those that AWS lists for it.

use super::calls::{at_end, borrowed, in_when};
use super::subject::Subject;
use super::{Category, Check, Lint};
use crate::diagnostic::{Diagnostic, Level, did_you_mean};
use crate::principal::Via;
use crate::schema::{Holds, Place};
use crate::script::reading::{Base, Path, Relation, Step};

pub(super) const LINT: Lint = Lint {
    code: "unlisted-value",
    category: Category::Correctness,
    level: Level::Warning,
    summary: "A field is compared with a text that is none of the values that AWS lists for it.",
    avoid: "`instance.State.Name == \"runing\"`, `event.userIdentity.type == \"root\"`",
    prefer: "`instance.State.Name == \"running\"`, `event.userIdentity.type == \"Root\"`",
    why: "The comparison is never true. AWS adds values, so this keeps no policy from loading.",
    check: Check::Policy(check),
    bad: &[
        "//! judges: ec2/instances\nfn matches(i) { i.State.Name == \"runing\" }",
        "//! judges: ec2/instances\nfn matches(i) { i.State.Name in [\"running\", \"stoped\"] }",
        "//! judges: ec2/volumes\nfn matches(v) { v.VolumeType == \"gp9\" }",
        "fn matches(event) { succeeded(event) && event.userIdentity.type == \"root\" }",
        "fn matches(event) { succeeded(event) && actor(event).type == \"IamUser\" }",
        "//! uses: [cloudtrail/sessions]\nfn matches(event) { succeeded(event) && actor(event).via == \"keys\" }",
        "//! uses: [cloudtrail/sessions]\nfn matches(event) { succeeded(event) && actor(event).origin.type == \"root\" }",
        "//! when: { eventSource: ec2.amazonaws.com, userIdentity.type: [Root, IAMuser] }\nfn matches(event) { succeeded(event) }",
        "//! when: { eventSource: ec2.amazonaws.com, readOnly: False }\nfn matches(event) { succeeded(event) }",
        "//! when: { eventSource: ec2.amazonaws.com, managementEvent: yes }\nfn matches(event) { succeeded(event) }",
        "fn matches(event) { succeeded(event) && event.userIdentity.sessionContext.attributes.mfaAuthenticated == \"False\" }",
        "fn matches(event) { succeeded(event) && event.readOnly in [\"no\", false] }",
        "//! judges: ec2/instances\nfn matches(i) { switch i.State.Name { \"runnning\" => true, _ => false } }",
    ],
    good: &[
        "//! judges: ec2/instances\nfn matches(i) { i.State.Name == \"running\" || i.State.Name in [\"stopped\", \"stopping\"] }",
        "fn matches(event) { succeeded(event) && event.userIdentity.type == \"Root\" && actor(event).type != \"AWSService\" }",
        "//! uses: [cloudtrail/sessions]\nfn matches(event) { succeeded(event) && actor(event).via in [\"console\", \"key\"] }",
        "//! when: { eventSource: ec2.amazonaws.com, userIdentity.type: [Root, IAMUser, null] }\nfn matches(event) { succeeded(event) }",
        "//! when: { eventSource: ec2.amazonaws.com, readOnly: false, managementEvent: [true, null] }\nfn matches(event) { succeeded(event) }",
        "//! judges: ec2/volumes\nfn matches(v) { v.VolumeId == \"vol-1\" && v.State.starts_with(\"in\") }",
    ],
};

fn check(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let calls = borrowed(&subject.calls);
    let mut out: Vec<Diagnostic> = in_when(subject, |path, place, text, span| {
        let values = values_of(place).filter(|values| !values.contains(&text))?;
        Some(remark(LINT.at(subject.source, span, message(path, text)), text, &values))
    });
    for comparison in subject.comparisons() {
        let asks = matches!(comparison.relation, Relation::Equal | Relation::In);
        let Some(path) = comparison.left.path().filter(|_| asks) else { continue };
        let identity = ["userIdentity", "type"].map(|name| Step::Name(name.to_owned())).to_vec();
        let path = match (&path.base, path.last()) {
            (Base::Actor, Some("type")) => &Path { base: Base::Record, steps: identity },
            _ => path,
        };
        let ways = (path.base == Base::Actor && path.last() == Some("via")).then(|| Via::ALL.map(Via::word).to_vec());
        let listed = || at_end(path, subject, &calls).and_then(|place| values_of(&place));
        let Some(values) = ways.or_else(listed) else { continue };
        for (at, right) in comparison.right.iter().enumerate() {
            let Some(text) = right.text().filter(|text| !values.contains(text)) else { continue };
            let source = subject.source_of(&comparison.place);
            let span = subject.span_of(comparison, at, text);
            let diagnostic = remark(LINT.at(source, span, message(path, text)), text, &values);
            if !out.contains(&diagnostic) {
                out.push(diagnostic);
            }
        }
    }
    out
}

/// The texts that a field can be. A flag is one of two words, or true or false: YAML reads `False` and `no` as it pleases,
/// and here they are what they look like.
fn values_of<'a>(place: &Place<'a>) -> Option<Vec<&'a str>> {
    if place.holds() == [Holds::Bool] { Some(vec!["true", "false"]) } else { place.values() }
}

fn message(path: &Path, text: &str) -> String {
    format!("`{text}` is none of the values of `{}`", path.names().join("."))
}

fn remark(diagnostic: Diagnostic, text: &str, values: &[&str]) -> Diagnostic {
    match did_you_mean(text, values.iter().copied()) {
        Some(meant) => diagnostic.help(format!("did you mean `{meant}`?")),
        None if values.len() <= 12 => diagnostic.help(format!("it is one of {}", values.join(", "))),
        None => diagnostic,
    }
}
