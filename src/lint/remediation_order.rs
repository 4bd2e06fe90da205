//! `remediation-order`: `after` names no policy of the pack, or goes in a circle.

use std::collections::BTreeMap;

use super::subject::Whole;
use super::{Category, Check, Lint};
use crate::diagnostic::{Diagnostic, Level, did_you_mean};
use crate::policy::{FrontMatter, Policy};

pub(super) const LINT: Lint = Lint {
    code: "remediation-order",
    category: Category::Remediation,
    level: Level::Error,
    summary: "A policy in `remediation.after` that the pack does not have, or that waits for this one itself.",
    avoid: "`remediation: { after: [ebs-default-encrypted] }` in a pack that has `ebs-default-encryption-off.rhai`",
    prefer: "the id of a policy of the pack whose remediation waits for none that waits for it",
    why: "A plan would do the steps in another order than was meant, or could have none.",
    check: Check::Pack(check),
    bad: &[],
    good: &[],
};

fn check(whole: &Whole<'_>) -> Vec<Diagnostic> {
    let ids: BTreeMap<&str, &Policy> = whole.policies.iter().map(|policy| (&*policy.id, policy)).collect();
    let mut out = Vec::new();
    for policy in whole.policies {
        for first in policy.header.remediation.after.iter() {
            let (message, help) = match ids.get(first.as_str()) {
                None => {
                    let meant = did_you_mean(first, ids.keys().copied());
                    let help = meant.map_or("name one of the pack's".to_owned(), |id| format!("did you mean `{id}`?"));
                    (format!("the pack has no policy `{first}`"), help)
                }
                Some(other) if waits_for(other, &policy.id, &ids) => (
                    format!("`{first}` is to be done first, and waits for `{}` itself", policy.id),
                    "take it away from one of them".to_owned(),
                ),
                Some(_) => continue,
            };
            out.extend(remark(whole, policy, first, message, help));
        }
    }
    out
}

/// True if the remediation of `policy` comes after that of `id`, or it is that policy.
fn waits_for(policy: &Policy, id: &str, ids: &BTreeMap<&str, &Policy>) -> bool {
    let (mut seen, mut open) = (vec![&*policy.id], vec![policy]);
    while let Some(next) = open.pop() {
        if &*next.id == id {
            return true;
        }
        for first in next.header.remediation.after.iter().filter_map(|first| ids.get(first.as_str())) {
            if !seen.contains(&&*first.id) {
                seen.push(&first.id);
                open.push(first);
            }
        }
    }
    false
}

fn remark(whole: &Whole<'_>, policy: &Policy, id: &str, message: String, help: String) -> Option<Diagnostic> {
    let source = whole.source(policy)?;
    let head = FrontMatter::read(source).ok()?;
    let items = head.yaml.get("remediation")?.get("after")?.items();
    let item = items.iter().find(|item| item.raw() == Some(id))?;
    Some(LINT.at(source, head.span(&item.span), message).help(help))
}
