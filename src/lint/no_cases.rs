//! `no-cases`: policies that nobody has tried.

use std::path::Path;

use super::subject::Whole;
use super::{Category, Check, Lint};
use crate::diagnostic::{Diagnostic, Level};

pub(super) const LINT: Lint = Lint {
    code: "no-cases",
    category: Category::Metadata,
    level: Level::Warning,
    summary: "A policy's file with no `.cases.yaml` beside it, or cases of which none expects `fires`.",
    avoid: "cases that all `expect: silent`",
    prefer: "`lawbook new` writes one with a policy: a record on which it fires, and one on which it stays quiet",
    why: "A policy that was never seen to fire may be one that never does.",
    check: Check::Pack(check),
    bad: &[],
    good: &[],
};

fn check(whole: &Whole<'_>) -> Vec<Diagnostic> {
    if !whole.pack.is_on_disk() {
        return Vec::new();
    }
    let mut out = Vec::new();
    for source in whole.pack.sources() {
        let beside = source.file.strip_suffix(".rhai").map(|stem| format!("{stem}.cases.yaml"));
        let Some(file) = beside.filter(|file| !Path::new(file).is_file()) else { continue };
        let name = Path::new(&file).file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let end = source.text.find('\n').map_or(0, |at| source.text[..at].trim_end().len());
        out.push(LINT.at(source, 0..end, "the policy has no cases").help(format!("write `{name}` beside it")));
    }
    out
}
