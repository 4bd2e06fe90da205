//! What a word means that names a policy or an area: one policy, a folder of them, a tag, a pack, or all.

use super::Policy;

/// The word for every policy.
pub(super) const ALL: &str = "all";

/// How closely a word means a policy: the greater beats the less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Closeness {
    /// Every policy is meant.
    All,
    /// Every policy of its pack.
    Pack,
    /// What has a tag, or a longer one that begins so, by how many parts the word has.
    Tag(usize),
    /// What stands in a folder of a pack, or below, by how deep it is.
    Folder(usize),
    /// The policy itself.
    Policy,
}

/// How closely an area means a policy; `None` if the policy is not in it.
pub(super) fn closeness(area: &str, policy: &Policy) -> Option<Closeness> {
    let in_folder = |folder: &str| {
        let depth = folder.split('/').count();
        let is_in = policy.area.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        (is_in && !folder.is_empty()).then_some(Closeness::Folder(depth))
    };
    let own_folder = || area.strip_prefix(&*policy.pack)?.strip_prefix('/').and_then(in_folder);
    let tag = || {
        let has = |tag: &String| tag.strip_prefix(area).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        policy.header.tags.iter().any(has).then(|| Closeness::Tag(area.split('.').count()))
    };
    in_folder(area)
        .or_else(own_folder)
        .or_else(tag)
        .or_else(|| (area == &*policy.pack).then_some(Closeness::Pack))
        .or_else(|| (area == ALL).then_some(Closeness::All))
}

/// The areas that a policy is in, to be meant.
pub(super) fn areas(policy: &Policy) -> impl Iterator<Item = &str> {
    let folders = policy.area.match_indices('/').map(|(at, _)| &policy.area[..at]);
    let folders = folders.chain([policy.area.as_str()]).filter(|folder| !folder.is_empty());
    let firsts = policy.header.tags.iter().filter_map(|tag| tag.split_once('.').map(|(first, _)| first));
    folders.chain(policy.header.tags.iter().map(String::as_str)).chain(firsts).chain([&*policy.pack, ALL])
}
