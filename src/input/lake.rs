//! Opens results of CloudTrail Lake: rows are lists of objects of one member each.

use super::envelope::Opener;
use crate::record::{Kind, Node, Ref};

/// `get-query-results` of CloudTrail Lake. Only `eventJson` keeps a record as it was: other columns print structs as
/// `{name=value}`, in which text and structure cannot be told apart.
pub(super) fn take(opener: &mut Opener<'_>, node: &Node, depth: u32) -> bool {
    let Some(rows) = node.view().get("QueryResultRows").filter(|rows| rows.kind() == Kind::List) else { return false };
    let mut refused = false;
    for row in rows.items() {
        if let Some(text) = cell(row, "eventJson") {
            opener.text("`eventJson`", text, depth + 1);
        } else if cell(row, "userIdentity").or_else(|| cell(row, "requestParameters")).is_some() {
            refused = true;
        } else {
            opener.recognised("a report of CloudTrail Lake");
        }
    }
    if refused {
        opener.fault("a CloudTrail Lake result that picks columns out of records; select `eventJson`");
    }
    true
}

fn cell<'a>(row: Ref<'a>, name: &str) -> Option<&'a str> {
    row.items()
        .flat_map(Ref::entries)
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .and_then(|(_, value)| value.as_str())
}
