//! Refuses OCSF, the schema of Security Lake, unless it kept the raw record.

use super::envelope::Opener;
use crate::record::Node;

/// An OCSF event. Its mapping keeps neither the request nor the identity whole.
pub(super) fn take(opener: &mut Opener<'_>, node: &Node, depth: u32) -> bool {
    let view = node.view();
    if view.get("class_uid").is_none() || view.get("metadata").is_none() {
        return false;
    }
    let vendor = view.text(&["metadata", "product", "vendor_name"]);
    match (view.text(&["raw_data"]), vendor) {
        (Some(raw), _) => opener.text("`raw_data`", raw, depth + 1),
        (None, Some("Lawbook")) => opener.recognised("a finding of lawbook"),
        (None, _) => opener.fault(
            "OCSF (Security Lake), which does not keep the whole record; export the CloudTrail records themselves",
        ),
    }
    true
}
