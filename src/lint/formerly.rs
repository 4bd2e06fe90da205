//! `formerly`: former ids that are of another policy, too.

use std::collections::BTreeMap;

use super::subject::Whole;
use super::{Category, Check, Lint};
use crate::diagnostic::{Diagnostic, Level};
use crate::policy::{FrontMatter, Policy};

pub(super) const LINT: Lint = Lint {
    code: "formerly",
    category: Category::Metadata,
    level: Level::Error,
    summary: "A former id of a policy that is the id, or a former id, of another policy of the pack, or its own.",
    avoid: "`formerly: [eip-released]` in a pack that has `eip-released.rhai`",
    prefer: "an id that nobody else has or had",
    why: "Parameters, flags and waivers that name it would be taken for one policy and were meant for another.",
    check: Check::Pack(check),
    bad: &[],
    good: &[],
};

fn check(whole: &Whole<'_>) -> Vec<Diagnostic> {
    let with_former: Vec<&Policy> = whole.policies.iter().filter(|policy| !policy.header.formerly.is_empty()).collect();
    if with_former.is_empty() {
        return Vec::new();
    }
    let ids: BTreeMap<&str, &Policy> = whole.policies.iter().map(|policy| (&*policy.id, policy)).collect();
    let mut former: BTreeMap<&str, &Policy> = BTreeMap::new();
    let mut out = Vec::new();
    for policy in with_former {
        for id in &policy.header.formerly {
            let message = match (ids.get(id.as_str()), former.insert(id, policy)) {
                (Some(other), _) if other.id == policy.id => format!("`{id}` is what the policy is called now"),
                (Some(other), _) => format!("`{id}` is the id of `{}`", other.file),
                (None, Some(other)) if other.file == policy.file => format!("`{id}` is given twice"),
                (None, Some(other)) => format!("`{id}` is a former id of `{}`, too", other.file),
                (None, None) => continue,
            };
            out.extend(remark(whole, policy, id, message));
        }
    }
    out
}

fn remark(whole: &Whole<'_>, policy: &Policy, id: &str, message: String) -> Option<Diagnostic> {
    let source = whole.source(policy)?;
    let head = FrontMatter::read(source).ok()?;
    let items = head.yaml.get("formerly")?.items();
    let item = items.iter().rev().find(|item| item.raw() == Some(id))?;
    Some(LINT.at(source, head.span(&item.span), message).help("take it away, or rename one of the two"))
}
