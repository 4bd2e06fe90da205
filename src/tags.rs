//! Finds the tags of resources, in any of AWS's spellings.

use crate::record::{Kind, Ref};

/// The value of a resource's tag, if it has it; of a list of tags itself, too.
pub(crate) fn find<'a>(resource: Ref<'a>, key: &str) -> Option<Ref<'a>> {
    if resource.kind() == Kind::List {
        return among(resource, key);
    }
    let members = ["Tags", "tags", "TagSet", "tagSet", "tagList", "TagList"].into_iter();
    members.filter_map(|member| resource.get(member)).find_map(|tags| tags.get(key).or_else(|| among(tags, key)))
}

/// The value of the first tag of that name.
fn among<'a>(tags: Ref<'a>, key: &str) -> Option<Ref<'a>> {
    let list = tags.get("items").or_else(|| tags.get("item")).unwrap_or(tags);
    let mut tags = list.items();
    let tag = tags.find(|tag| {
        let name = ["Key", "key", "TagKey", "tagKey"].iter().find_map(|name| tag.get(name));
        name.and_then(|name| name.as_str()) == Some(key)
    })?;
    ["Value", "value", "TagValue", "tagValue"].iter().find_map(|name| tag.get(name))
}
