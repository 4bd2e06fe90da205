//! Says what is wrong with a script without running it, and what it reads.
//!
//! Rhai finds an unknown function when it is reached, and stops at the first unknown variable; here all of them are
//! found, in one pass over the syntax tree as it was written (before the optimiser).

mod chain;
mod hidden;
mod known;
mod parsed;
mod place;
mod remarks;
mod walker;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use serde_json::Value;

use self::known::{Functions, Known, Lookups};
pub(super) use self::parsed::{Function, Parsed, Parser, constant};
pub(super) use self::place::{Lines, function_name};
use self::walker::Walker;
use super::syntax::{self, Tree};
use super::{Answer, Given, Hooks, Limits, Named, PRELUDE, Script, facts};
use crate::diagnostic::{Diagnostic, SourceText};
use crate::sessions;

/// What a script is checked against.
pub struct Header<'a> {
    /// What `params` holds.
    pub params: Value,
    /// The kind of record that the hooks are given.
    pub judges: &'a str,
    /// Inventory kinds that it may look things up in.
    pub uses: &'a [String],
    /// Inventory kinds without which it cannot judge.
    pub needs: &'a [String],
    /// What its window names, if it has one.
    pub window: Option<&'a Named>,
}

impl<'a> Header<'a> {
    fn hooks(&self) -> Hooks<'a> {
        Hooks { window: self.window }
    }
}

/// A script and what there is to say about it.
pub struct Checked {
    /// The script; of use only if no diagnostic is an error.
    pub script: Script,
    /// In the order of the text.
    pub diagnostics: Vec<Diagnostic>,
    /// What was written; nothing of what does not parse, and of what is not checked.
    pub tree: Option<Tree>,
}

/// Whether Rhai or the host has a function of that name.
pub(super) fn is_native(name: &str) -> bool {
    Functions::native().has(name)
}

/// What the policies of a pack can call and do not define: read once, to check all of them against, in any thread.
pub struct Shared {
    functions: Functions,
    lookups: Lookups,
    /// What the libraries that parse say.
    pub libraries: Vec<(Arc<SourceText>, Tree)>,
    /// What the prelude says.
    pub prelude: (Arc<SourceText>, Tree),
}

impl Shared {
    /// Reads the prelude and the libraries of a pack, and says what is wrong with the libraries, which see the prelude,
    /// the host functions and each other.
    pub fn read(libraries: &[Arc<SourceText>], limits: &Limits) -> (Self, Vec<Diagnostic>) {
        let parser = Parser::new(limits);
        let prelude = parser.parse(PRELUDE).ok();
        let mut diagnostics = Vec::new();
        let mut parsed: Vec<(&Arc<SourceText>, Parsed)> = Vec::new();
        for library in libraries {
            match parser.parse(&library.text) {
                Ok(tree) => parsed.push((library, tree)),
                Err(problem) => diagnostics.push(problem.diagnostic(library)),
            }
        }
        let mut functions = Functions::native().clone();
        if let Some(prelude) = &prelude {
            functions.add(prelude, "the prelude");
        }
        for (at, (library, tree)) in parsed.iter().enumerate() {
            let mut others = functions.clone();
            for (_, (_, other)) in parsed.iter().enumerate().filter(|(other, _)| *other != at) {
                others.add(other, OF_LIBRARY);
            }
            diagnostics.extend(remarks(library, tree, &others, None));
        }
        for (_, tree) in &parsed {
            functions.add(tree, OF_LIBRARY);
        }
        let lookups = Lookups::of(prelude.iter().chain(parsed.iter().map(|(_, tree)| tree)));
        let trees = parsed.iter().map(|(source, parsed)| (Arc::clone(source), syntax::convert(&source.text, parsed)));
        let libraries = trees.collect();
        let text = SourceText { file: "prelude.rhai".to_owned(), text: PRELUDE.to_owned() };
        let tree = prelude.as_ref().map(|parsed| syntax::convert(PRELUDE, parsed)).unwrap_or_default();
        (Self { functions, lookups, libraries, prelude: (Arc::new(text), tree) }, diagnostics)
    }
}

/// Whose a function of a library is.
const OF_LIBRARY: &str = "a library of the pack";

/// Proves things of the scripts of one list of libraries, in one thread.
pub(super) struct Prover {
    parser: Parser,
    libraries: Arc<[Arc<SourceText>]>,
    /// The functions of the libraries and the prelude.
    common: Vec<facts::Functions>,
}

impl Prover {
    pub(super) fn new(libraries: &Arc<[Arc<SourceText>]>, limits: &Limits) -> Self {
        let parser = Parser::new(limits);
        let texts = libraries.iter().map(|library| library.text.as_str()).chain([PRELUDE]);
        let common = texts.filter_map(|text| parser.parse(text).ok()).map(facts::Functions::of).collect();
        Self { parser, libraries: Arc::clone(libraries), common }
    }

    /// Whether it is for scripts with these libraries.
    pub(super) fn is_of(&self, libraries: &Arc<[Arc<SourceText>]>) -> bool {
        Arc::ptr_eq(&self.libraries, libraries)
    }

    /// What is proved of the hooks that are asked about a finding.
    pub(super) fn words(&self, script: &Script) -> BTreeMap<String, Answer> {
        let Ok(parsed) = self.parser.parse(&script.source.text) else { return BTreeMap::new() };
        let (hooks, given) = &script.wording;
        self.answers(script, &facts::Functions::of(parsed), hooks, *given)
    }

    /// What is proved of these hooks, which are all given the same.
    fn answers(
        &self,
        script: &Script,
        own: &facts::Functions,
        hooks: &[String],
        given: Given,
    ) -> BTreeMap<String, Answer> {
        self.surrounded(script, own, |surroundings| {
            hooks.iter().filter_map(|hook| Some((hook.clone(), facts::of_hook(hook, given, surroundings)?))).collect()
        })
    }

    fn surrounded<T>(
        &self,
        script: &Script,
        own: &facts::Functions,
        prove: impl FnOnce(&facts::Surroundings<'_>) -> T,
    ) -> T {
        prove(&facts::Surroundings {
            functions: &std::iter::once(own).chain(&self.common).collect::<Vec<_>>(),
            params: &script.params,
            constants: &script.constants,
            uses: &script.uses,
            may_halt: !script.needs.is_empty(),
            traces: script.traces,
        })
    }
}

/// Reads the scripts of a pack's policies, in one thread.
pub struct Reader<'a> {
    prover: Prover,
    against: Option<&'a Shared>,
}

impl<'a> Reader<'a> {
    /// A reader that checks what it reads against what the pack shares; without that, it says only what does not parse.
    pub fn new(libraries: &Arc<[Arc<SourceText>]>, against: Option<&'a Shared>, limits: &Limits) -> Self {
        Self { prover: Prover::new(libraries, limits), against }
    }

    /// Reads a policy's script. The front matter stands in comments, so `source` is the whole file.
    pub fn read(&self, source: &Arc<SourceText>, header: &Header<'_>) -> Checked {
        let mut script = Script {
            source: Arc::clone(source),
            libraries: Arc::clone(&self.prover.libraries),
            params: header.params.clone(),
            constants: BTreeMap::new(),
            hooks: BTreeSet::new(),
            uses: header.uses.iter().chain(header.needs).cloned().collect(),
            needs: header.needs.into(),
            traces: header.uses.iter().chain(header.needs).any(|kind| kind == sessions::KIND),
            predicate: None,
            answers: BTreeMap::new(),
            wording: (Vec::new(), if header.window.is_some() { Given::Hits } else { Given::Record }),
            words: OnceLock::new(),
        };
        let mut parsed = match self.prover.parser.parse(&source.text) {
            Ok(parsed) => parsed,
            Err(problem) => return Checked { script, diagnostics: vec![problem.diagnostic(source)], tree: None },
        };
        let diagnostics = match self.against {
            Some(shared) => remarks(source, &parsed, &shared.functions, Some((header, &shared.lookups))),
            None => Vec::new(),
        };
        let tree = self.against.map(|_| syntax::convert(&source.text, &parsed));
        script.hooks = parsed.hooks(header.hooks());
        script.constants = std::mem::take(&mut parsed.constants);
        let own = facts::Functions::of(parsed);
        let others = script.hooks.iter().filter(|hook| *hook != "matches").cloned();
        let is_of_window = |hook: &String| header.window.is_some() && header.hooks().given(hook) == Some(Given::Record);
        let (of_window, wording): (Vec<_>, Vec<_>) = others.partition(is_of_window);
        script.answers = self.prover.answers(&script, &own, &of_window, Given::Record);
        script.wording.0 = wording;
        script.predicate = Some(self.prover.surrounded(&script, &own, facts::of_matches));
        Checked { script, diagnostics, tree }
    }
}

/// Everything there is to say about a file that parses, in the order of its text: of a policy, which has a header and
/// calls what looks things up, or of a library.
fn remarks(
    source: &Arc<SourceText>,
    parsed: &Parsed,
    others: &Functions,
    policy: Option<(&Header<'_>, &Lookups)>,
) -> Vec<Diagnostic> {
    let mut own = Functions::default();
    own.add(parsed, "this file");
    let mut walker = Walker::new(source, parsed, Known { others, own: &own });
    if let Some((header, lookups)) = policy {
        walker.header = Some(header);
        walker.lookups = Some(lookups);
        walker.constants = parsed.constants.keys().map(String::as_str).collect();
        walker.hooks();
        walker.hidden_names();
    }
    walker.top_level();
    walker.clashes();
    walker.functions();
    let mut diagnostics = walker.out;
    diagnostics.sort_by(|a, b| (a.span.start, a.code, &a.message).cmp(&(b.span.start, b.code, &b.message)));
    diagnostics.dedup_by(|a, b| a.span == b.span && a.code == b.code);
    diagnostics
}
