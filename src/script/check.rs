//! Says what is wrong with a script without running it, and what it reads.
//!
//! Rhai finds an unknown function when it is reached, and stops at the first unknown variable; here all of them are
//! found, in one pass over the syntax tree as it was written (before the optimiser).

mod chain;
mod known;
mod parsed;
mod place;
mod remarks;
mod walker;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use self::known::{Functions, Lookups};
pub(super) use self::parsed::Parsed;
pub(super) use self::place::function_name;
use self::walker::Walker;
use super::{Limits, PRELUDE, Script};
use crate::diagnostic::{Diagnostic, SourceText};

/// What a script is checked against.
pub struct Header<'a> {
    /// What `params` holds.
    pub params: Value,
    /// The kind of record that the hooks are given.
    pub judges: &'a str,
    /// Inventory kinds that it may look things up in.
    pub uses: Vec<String>,
    /// Inventory kinds without which it cannot judge.
    pub needs: Vec<String>,
}

/// A script and what there is to say about it.
pub struct Checked {
    /// The script; of use only if no diagnostic is an error.
    pub script: Script,
    /// In the order of the text.
    pub diagnostics: Vec<Diagnostic>,
}

/// Checks a policy's script. The front matter stands in comments, so `source` is the whole file.
pub fn check(
    source: &Arc<SourceText>,
    libraries: &Arc<[Arc<SourceText>]>,
    header: &Header<'_>,
    limits: &Limits,
) -> Checked {
    let mut script = Script {
        source: Arc::clone(source),
        libraries: Arc::clone(libraries),
        params: header.params.clone(),
        constants: BTreeMap::new(),
        hooks: BTreeSet::new(),
        needs: header.needs.clone().into(),
    };
    let mut known = Functions::native().clone();
    let mut diagnostics = Vec::new();
    let shared: Vec<(&str, Parsed)> = std::iter::once(("the prelude", PRELUDE))
        .chain(libraries.iter().map(|library| ("a library of the pack", library.text.as_str())))
        .filter_map(|(whose, text)| Some((whose, Parsed::of(text, limits).ok()?)))
        .collect();
    for (whose, parsed) in &shared {
        known.add(&parsed.tree, whose);
    }
    let parsed = match Parsed::of(&source.text, limits) {
        Ok(parsed) => parsed,
        Err(problem) => {
            diagnostics.push(problem.diagnostic(source));
            return Checked { script, diagnostics };
        }
    };
    let mut walker = Walker::new(source, &parsed, &mut known, &mut diagnostics, Some(header));
    script.constants = walker.constants();
    walker.clashes();
    known.add(&parsed.tree, "this policy");
    let mut walker = Walker::new(source, &parsed, &mut known, &mut diagnostics, Some(header));
    let lookups = Lookups::of(shared.iter().map(|(_, parsed)| parsed));
    walker.lookups = Some(&lookups);
    walker.constants = script.constants.keys().cloned().collect();
    walker.hooks(&mut script.hooks);
    walker.functions();
    finish(&mut diagnostics);
    Checked { script, diagnostics }
}

/// Checks a library of a pack, which sees the prelude, the host functions and the other libraries.
pub fn check_library(source: &Arc<SourceText>, libraries: &[Arc<SourceText>], limits: &Limits) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    let parsed = match Parsed::of(&source.text, limits) {
        Ok(parsed) => parsed,
        Err(problem) => return vec![problem.diagnostic(source)],
    };
    let mut known = Functions::native().clone();
    let others = libraries.iter().filter(|library| !Arc::ptr_eq(library, source));
    for (whose, text) in std::iter::once(("the prelude", PRELUDE))
        .chain(others.map(|library| ("another library", library.text.as_str())))
    {
        if let Ok(parsed) = Parsed::of(text, limits) {
            known.add(&parsed.tree, whose);
        }
    }
    let mut walker = Walker::new(source, &parsed, &mut known, &mut diagnostics, None);
    walker.constants();
    walker.clashes();
    known.add(&parsed.tree, "this library");
    Walker::new(source, &parsed, &mut known, &mut diagnostics, None).functions();
    finish(&mut diagnostics);
    diagnostics
}

fn finish(diagnostics: &mut Vec<Diagnostic>) {
    diagnostics.sort_by(|a, b| (a.span.start, a.code, &a.message).cmp(&(b.span.start, b.code, &b.message)));
    diagnostics.dedup_by(|a, b| a.span == b.span && a.code == b.code);
}
