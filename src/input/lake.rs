//! Opens results of CloudTrail Lake: rows are lists of objects of one member each.

use super::envelope::Opener;
use super::{athena, event};
use crate::record::{Kind, Node, Ref};

/// `get-query-results` of CloudTrail Lake. Only `eventJson` keeps a record as it was: other columns print structs as
/// `{name=value}`, in which text and structure cannot be told apart.
pub(super) fn take(opener: &mut Opener<'_>, node: &Node, depth: u32) -> bool {
    let Some(rows) = node.view().get("QueryResultRows").filter(|rows| rows.kind() == Kind::List) else { return false };
    opener.answer(node.view(), depth);
    let mut refused = false;
    for row in rows.items() {
        let whole = cells(row).find(|(name, _)| name.eq_ignore_ascii_case("eventJson"));
        let whole = whole.or_else(|| cells(row).find(|(_, value)| value.as_str().is_some_and(event::is_whole)));
        if let Some((_, value)) = whole {
            match value.as_str() {
                Some(text) => opener.text("`eventJson`", text, depth + 1),
                None => opener.fault("a row whose `eventJson` is empty"),
            }
        } else if athena::picks(cells(row).map(|(name, _)| name)) {
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

/// The cells of a row: a list of maps of one member each, or a map.
fn cells(row: Ref<'_>) -> impl Iterator<Item = (&str, Ref<'_>)> {
    let is_map = row.kind() == Kind::Map;
    let own = is_map.then(|| row.entries()).into_iter().flatten();
    own.chain((!is_map).then(|| row.items().flat_map(Ref::entries)).into_iter().flatten())
}
