//! Finds the tags of resources, in any of AWS's spellings.

use crate::record::Ref;

/// The value of a resource's tag, if it has it.
pub(crate) fn find<'a>(resource: Ref<'a>, key: &str) -> Option<Ref<'a>> {
    for member in ["Tags", "tags", "TagSet", "tagSet", "tagList", "TagList"] {
        let Some(tags) = resource.get(member) else { continue };
        if let Some(value) = tags.get(key) {
            return Some(value);
        }
        let list = tags.get("items").or_else(|| tags.get("item")).unwrap_or(tags);
        for item in list.items() {
            let name = ["Key", "key", "TagKey", "tagKey"]
                .iter()
                .find_map(|name| item.get(name))
                .and_then(|name| name.as_str());
            if name == Some(key) {
                return ["Value", "value", "TagValue", "tagValue"].iter().find_map(|name| item.get(name));
            }
        }
    }
    None
}
