//! The pages of what is found without a lint: while a policy is read, by `script/` and `policy/`, and beside it, by `cases/`.

mod cases;
mod front_matter;
mod script;

use super::Lint;

/// All of them, by where they are found.
pub(super) const LINTS: &[&[Lint]] = &[cases::LINTS, front_matter::LINTS, script::LINTS];
