//! The pages of what keeps a policy from running: found while it is read, by `script/` and `policy/`.

mod front_matter;
mod script;

use super::Lint;

/// All of them, by where they are found.
pub(super) const LINTS: &[&[Lint]] = &[front_matter::LINTS, script::LINTS];
