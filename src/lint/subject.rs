//! What lints are given: a policy with what its hooks do, the tree of a file, or a whole pack.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use super::calls;
use super::solve::{Known, test_of};
use crate::diagnostic::{Diagnostic, Level, SourceText};
use crate::policy::{Draft, FrontMatter, Header, Pack, ParamKind, Policy};
use crate::record::CLOUDTRAIL;
use crate::schema::Shapes;
use crate::script::reading::{self, Comparison, Place, Reading, Value};
use crate::script::syntax::{Function, Tokens, Tree};
use crate::script::{Given, Hooks};

/// Places in the libraries of a pack where some policy reads something that is there: no other policy's diagnostic about
/// them holds.
#[derive(Debug, Default)]
pub(super) struct Acquitted(Mutex<BTreeSet<(String, usize)>>);

impl Acquitted {
    fn note(&self, source: &SourceText, span: &Range<usize>) {
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        places.insert((source.file.clone(), span.start));
    }

    /// Leaves out what is said of fields and events in libraries that are there for some policy. Of the rest nobody knows whether it is
    /// there for a policy of another pack: it keeps none from loading, and of a policy without the others of its pack it is not told.
    pub(super) fn judge(&self, pack: &Pack, diagnostics: &mut Vec<Diagnostic>) {
        let places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_alone = pack.sources().len() < 2 && !pack.is_whole();
        diagnostics.retain_mut(|diagnostic| {
            let is_of_policy =
                matches!(diagnostic.code, "unknown-field" | "unknown-parameter" | "unknown-event" | "unlisted-event");
            let is_in_library = pack.libraries().iter().any(|library| library.file == diagnostic.source.file);
            if !is_of_policy || !is_in_library {
                return true;
            }
            diagnostic.level = Level::Warning;
            !is_alone && !places.contains(&(diagnostic.source.file.clone(), diagnostic.span.start))
        });
    }
}

/// What each hook does: those that are given hits after those that are given the record, which say what is kept of it.
fn readings(hooks: Hooks<'_>, trees: &[&Tree]) -> BTreeMap<String, Reading> {
    let of = |given: Given| hooks.names().filter(move |name| hooks.given(name) == Some(given));
    let mut readings: BTreeMap<String, Reading> =
        of(Given::Record).filter_map(|hook| Some((hook.to_owned(), reading::read(hook, trees)?))).collect();
    let kept = readings.get("keep").map_or(Value::Literal(serde_json::Value::Null), |keep| keep.answer.clone());
    for hook in of(Given::Hits) {
        let reading = reading::read_of_hits(hook, trees, kept.clone());
        readings.extend(reading.map(|reading| (hook.to_owned(), reading)));
    }
    readings
}

/// A policy that can be read, and what its hooks do.
pub(super) struct Subject<'a> {
    pub(super) source: &'a Arc<SourceText>,
    pub(super) policy: &'a Policy,
    pub(super) head: &'a FrontMatter,
    pub(super) tree: &'a Tree,
    /// What each of its hooks does.
    pub(super) readings: BTreeMap<String, Reading>,
    /// The files that a [`Place`] numbers.
    files: Vec<&'a Arc<SourceText>>,
    pub(super) trees: Vec<&'a Tree>,
    /// What is known of AWS.
    pub(super) shapes: &'a Shapes,
    acquitted: &'a Acquitted,
    /// The values of `eventSource` that it may be asked about, if each is known.
    pub(super) sources: Option<Vec<String>>,
    /// The calls that it may be asked about: source and name.
    pub(super) calls: Vec<(String, String)>,
}

impl<'a> Subject<'a> {
    pub(super) fn of(draft: &Draft<'a>, shapes: &'a Shapes, acquitted: &'a Acquitted) -> Option<Self> {
        let (policy, head, tree) = (draft.policy?, draft.head?, draft.tree?);
        let libraries = draft.shared.libraries.iter().chain([&draft.shared.prelude]);
        let (mut sources, mut trees) = (vec![draft.source], vec![tree]);
        for (source, tree) in libraries {
            sources.push(source);
            trees.push(tree);
        }
        let readings = readings(policy.header.hooks(), &trees);
        let (source, calls) = (draft.source, Vec::new());
        let mut subject = Self {
            source,
            policy,
            head,
            tree,
            readings,
            files: sources,
            trees,
            shapes,
            acquitted,
            sources: None,
            calls,
        };
        if subject.judges_events() {
            let mut known = Known::by_when(&subject);
            if let Some(matches) = subject.matches() {
                known.assume(&test_of(&matches.answer), true);
            }
            subject.sources = known.texts("eventSource");
            subject.calls = calls::possible(&known, shapes);
        }
        Some(subject)
    }

    pub(super) fn header(&self) -> &'a Header {
        &self.policy.header
    }

    /// What a parameter takes.
    pub(super) fn param(&self, name: &str) -> Option<&'a ParamKind> {
        self.header().params.iter().find(|param| param.name == name).map(|param| &param.kind)
    }

    pub(super) fn judges_events(&self) -> bool {
        &*self.header().judges == CLOUDTRAIL
    }

    /// What `matches` does.
    pub(super) fn matches(&self) -> Option<&Reading> {
        self.readings.get("matches")
    }

    /// Every comparison that a hook makes.
    pub(super) fn comparisons(&self) -> impl Iterator<Item = &Comparison> {
        self.readings.values().flat_map(|reading| &reading.comparisons)
    }

    /// The file that a place is in.
    pub(super) fn source_of(&self, place: &Place) -> &'a Arc<SourceText> {
        self.files.get(place.file).copied().unwrap_or(self.source)
    }

    /// Where a text on the right of a comparison stands, if it is written there; else the whole comparison.
    pub(super) fn span_of(&self, comparison: &Comparison, at: usize, text: &str) -> Range<usize> {
        let source = self.source_of(&comparison.place);
        let written = comparison.right_spans.get(at).filter(|span| source.text[(*span).clone()].contains(text));
        written.unwrap_or(&comparison.place.span).clone()
    }

    /// True for a place in what Lawbook itself has in the policies' language.
    pub(super) fn is_of_prelude(&self, place: &Place) -> bool {
        place.file + 1 == self.files.len() && place.file > 0
    }

    /// Notes that something a library reads is there for this policy.
    pub(super) fn acquit(&self, place: &Place) {
        self.acquit_at(self.source_of(place), &place.span);
    }

    pub(super) fn acquit_at(&self, source: &SourceText, span: &Range<usize>) {
        if source.file != self.source.file {
            self.acquitted.note(source, span);
        }
    }

    /// A function of the policy's own file.
    pub(super) fn function(&self, name: &str) -> Option<&'a Function> {
        self.tree.functions.iter().find(|function| function.name == name)
    }

    /// The function that a call of that name and so many arguments means: of the policy, its libraries or the prelude.
    pub(super) fn called(&self, name: &str, args: usize) -> Option<(&'a Arc<SourceText>, &'a Function)> {
        let is_it = |function: &&Function| function.name == name && function.params.len() == args;
        let mut all = self.files.iter().zip(&self.trees);
        all.find_map(|(source, tree)| Some((*source, tree.functions.iter().find(is_it)?)))
    }

    /// Where the name of a hook stands.
    pub(super) fn hook_span(&self, name: &str) -> Range<usize> {
        self.function(name).map_or(0..0, |function| function.span.clone())
    }

    /// Where a key of the front matter stands, by the keys that lead to it; else the nearest that there is.
    pub(super) fn key_span(&self, keys: &[&str]) -> Range<usize> {
        let mut yaml = &self.head.yaml;
        let mut span = yaml.key_span("title");
        for key in keys {
            let Some(inner) = yaml.get(key) else { break };
            span = yaml.key_span(key);
            yaml = inner;
        }
        self.head.span(&span)
    }

    /// The items of a list of the front matter, or its one value, with their places.
    pub(super) fn items(&self, keys: &[&str]) -> Vec<(String, Range<usize>)> {
        let Some(yaml) = keys.iter().try_fold(&self.head.yaml, |yaml, key| yaml.get(key)) else { return Vec::new() };
        let items = if yaml.items().is_empty() { std::slice::from_ref(yaml) } else { yaml.items() };
        items.iter().filter_map(|item| Some((item.raw()?.to_owned(), self.head.span(&item.span)))).collect()
    }

    /// True if a literal that a function is given has a word in it, such as a field in a JSON path.
    pub(super) fn mentions(&self, reading: &Reading, word: &str) -> bool {
        let has = |value: &Value| value.text().is_some_and(|text| text.contains(word));
        reading.calls.iter().any(|call| call.args.iter().any(has))
    }

    /// The values that `when` wants at a path, if it names it.
    pub(super) fn wants(&self, path: &[&str]) -> Option<&'a [Option<String>]> {
        let conditions = &self.header().when.conditions;
        conditions.iter().find(|condition| condition.path == path).map(|condition| condition.any_of.as_slice())
    }

    /// True if `when` names a path that begins so.
    pub(super) fn wants_something_of(&self, start: &[&str]) -> bool {
        let begins = |path: &[String]| path.len() >= start.len() && path.iter().zip(start).all(|(a, b)| a == b);
        self.header().when.conditions.iter().any(|condition| begins(&condition.path))
    }
}

/// A file of functions: a policy's, or a library's.
pub(super) struct File<'a> {
    pub(super) source: &'a Arc<SourceText>,
    pub(super) tree: &'a Tree,
    pub(super) tokens: Tokens,
}

impl<'a> File<'a> {
    pub(super) fn new(source: &'a Arc<SourceText>, tree: &'a Tree) -> Self {
        Self { source, tree, tokens: Tokens::of(&source.text) }
    }

    /// A part of the text as its tokens, so that spaces and comments make no difference.
    pub(super) fn words(&self, span: &Range<usize>) -> Vec<&'a str> {
        let tokens = self.tokens.within(span).iter();
        tokens.map(|token| &self.source.text[token.start..token.end.min(span.end).max(token.start)]).collect()
    }
}

/// A pack, and the policies of it that can be read.
pub(super) struct Whole<'a> {
    pub(super) pack: &'a Pack,
    pub(super) policies: &'a [Policy],
}

impl<'a> Whole<'a> {
    /// The text of a policy's file.
    pub(super) fn source(&self, policy: &Policy) -> Option<&'a Arc<SourceText>> {
        self.pack.sources().iter().find(|source| source.file == policy.file)
    }
}
