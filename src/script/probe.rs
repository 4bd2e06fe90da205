//! Runs a script with probes in it, which tell what it went through and what its parts were.
//!
//! A probe is a function of the host that is called around a part of the text and gives its value back. *Law*: only who
//! asks pays; a script with probes answers as it does without, and nothing that is judged is judged by it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use rhai::{Dynamic, INT};
use serde_json::Value;

use super::compiled::Compiler;
use super::parts::{Kind, Node, Tree};
use super::{Limits, Runtime, Script, Stop, value};
use crate::diagnostic::SourceText;
use crate::inventory::Inventory;
use crate::record::Record;

/// What a probe tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// A statement, or what an arm of a `switch` does, was reached.
    Reached,
    /// A part that is true or false, and decides something.
    Condition,
    /// A part whose value is told.
    Part,
    /// A function was called.
    Called,
}

/// Where a probe is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// What it tells.
    pub what: What,
    /// Byte range of the part in the text.
    pub span: Range<usize>,
    /// The function that it is in.
    pub function: Arc<str>,
    /// How many parts with probes it is in.
    pub depth: usize,
    /// The function that it calls, if it is a call.
    pub calls: Option<Arc<str>>,
    /// Whether it is a variable alone.
    pub is_name: bool,
}

/// A text with probes.
#[derive(Debug)]
pub struct Probed {
    /// The text as it was.
    pub source: Arc<SourceText>,
    /// The probes, in the order of the text; their numbers begin with the one that was given.
    pub sites: Vec<Site>,
    text: Arc<SourceText>,
}

/// What is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// What is reached, and what conditions were.
    Coverage,
    /// The value of every part.
    Parts,
}

impl Probed {
    /// Puts probes into a text, the first of this number; `None` if the text is not understood.
    pub fn new(source: &Arc<SourceText>, depth: Depth, first: usize) -> Option<Self> {
        let tree = Tree::read(&source.text)?;
        let mut placer =
            Placer { text: &source.text, first, sites: Vec::new(), edits: Vec::new(), of: "".into(), depth: 0 };
        for found in &tree.functions {
            placer.of = found.name.as_str().into();
            match depth {
                Depth::Coverage => placer.statements(&found.body, found.name == "matches"),
                Depth::Parts => {
                    placer.called(&found.body);
                    placer.parts_of(&found.body);
                }
            }
        }
        let text = Arc::new(SourceText { file: source.file.clone(), text: placer.applied() });
        Some(Self { source: Arc::clone(source), sites: placer.sites, text })
    }

    /// The text without probes, which nothing is told of.
    pub fn none(source: &Arc<SourceText>) -> Self {
        Self { source: Arc::clone(source), sites: Vec::new(), text: Arc::clone(source) }
    }
}

/// Decides where probes are.
struct Placer<'t> {
    text: &'t str,
    first: usize,
    sites: Vec<Site>,
    /// What is put in, by where; the outer before the inner.
    edits: Vec<(usize, String)>,
    of: Arc<str>,
    depth: usize,
}

impl Placer<'_> {
    fn site(&mut self, what: What, span: &Range<usize>) -> usize {
        let number = self.first + self.sites.len();
        let function = Arc::clone(&self.of);
        self.sites.push(Site { what, span: span.clone(), function, depth: self.depth, calls: None, is_name: false });
        number
    }

    /// Tells when a function begins: its parts are between that and the call that gives its answer.
    fn called(&mut self, body: &Node) {
        if let Some(first) = body.parts.first() {
            let number = self.site(What::Called, &body.span);
            self.edits.push((first.span.start, format!("__at({number}); ")));
        }
    }

    fn applied(&mut self) -> String {
        // Stable: what opens first at a place is the outer, what closes there first is the inner.
        let mut edits = std::mem::take(&mut self.edits);
        edits.sort_by_key(|(at, _)| *at);
        let mut out = String::with_capacity(self.text.len() * 2);
        let mut from = 0;
        for (at, put) in edits {
            out.push_str(&self.text[from..at]);
            out.push_str(&put);
            from = at;
        }
        out.push_str(&self.text[from..]);
        out
    }

    /// Puts a call around a part, and does something with what is in it.
    fn around(&mut self, node: &Node, what: What, inner: impl FnOnce(&mut Self)) {
        let number = self.site(what, &node.span);
        if let Some(site) = self.sites.last_mut() {
            site.is_name = node.kind == Kind::Name;
            site.calls = match &node.kind {
                Kind::Call(name) | Kind::Method(name) => Some(name.as_str().into()),
                _ => None,
            };
        }
        self.edits.push((node.span.start, format!("__seen({number}, ")));
        self.depth += 1;
        inner(self);
        self.depth -= 1;
        self.edits.push((node.span.end, ")".to_owned()));
    }

    /// Puts probes on the statements of a block; `decides` if its value is the answer of a policy.
    fn statements(&mut self, block: &Node, decides: bool) {
        for (at, statement) in block.parts.iter().enumerate() {
            let number = self.site(What::Reached, &statement.span);
            self.edits.push((statement.span.start, format!("__at({number}); ")));
            self.statement(statement, decides && at + 1 == block.parts.len());
        }
    }

    fn statement(&mut self, node: &Node, decides: bool) {
        match (&node.kind, node.parts.as_slice()) {
            (Kind::Return, [answer]) if &*self.of == "matches" => self.condition(answer),
            (Kind::Return | Kind::Leave | Kind::Let | Kind::Assign, parts) => {
                parts.iter().for_each(|part| self.expression(part))
            }
            (Kind::If, [condition, blocks @ ..]) => {
                self.condition(condition);
                for block in blocks {
                    match block.kind {
                        Kind::Block => self.statements(block, decides),
                        _ => self.statement(block, decides),
                    }
                }
            }
            (Kind::Switch, [subject, arms @ ..]) => {
                self.expression(subject);
                arms.iter().for_each(|arm| self.arm(arm, decides));
            }
            (Kind::While, [condition, block]) => {
                self.condition(condition);
                self.statements(block, false);
            }
            (Kind::Block, _) => self.statements(node, decides),
            _ if decides => self.condition(node),
            _ => self.expression(node),
        }
    }

    fn arm(&mut self, arm: &Node, decides: bool) {
        let Kind::Arm(condition) = arm.kind else { return };
        if let Some(condition) = condition.and_then(|at| arm.parts.get(at)) {
            self.condition(condition);
        }
        let Some(body) = arm.parts.last() else { return };
        if body.kind == Kind::Block {
            return self.statements(body, decides);
        }
        let number = self.site(What::Reached, &body.span);
        self.edits.push((body.span.start, format!("{{ __at({number}); ")));
        self.statement(body, decides);
        self.edits.push((body.span.end, " }".to_owned()));
    }

    /// Puts probes on what a condition is made of.
    fn condition(&mut self, node: &Node) {
        match (&node.kind, node.parts.as_slice()) {
            (Kind::And | Kind::Or, parts) => parts.iter().for_each(|part| self.condition(part)),
            (Kind::Not | Kind::Paren, [inner]) => self.condition(inner),
            (Kind::Bool, _) => {}
            (Kind::If | Kind::Switch | Kind::Block, _) => self.expression(node),
            _ => self.around(node, What::Condition, |placer| placer.below(node)),
        }
    }

    fn below(&mut self, node: &Node) {
        node.parts.iter().for_each(|part| self.expression(part));
    }

    /// Goes through an expression, and puts probes on the conditions and statements that are in it.
    fn expression(&mut self, node: &Node) {
        match node.kind {
            Kind::And | Kind::Or | Kind::Not => self.condition(node),
            Kind::If | Kind::Switch | Kind::While => self.statement(node, false),
            Kind::Block => self.statements(node, false),
            Kind::For | Kind::Loop | Kind::Do | Kind::Try => {
                for part in &node.parts {
                    match part.kind {
                        Kind::Block => self.statements(part, false),
                        _ => self.expression(part),
                    }
                }
            }
            _ => self.below(node),
        }
    }

    /// Puts probes on everything in a function whose value says something.
    fn parts_of(&mut self, node: &Node) {
        match node.kind {
            // What is changed must stay where it is, and a closure's values are those of many calls.
            Kind::Closure | Kind::Bool | Kind::Int | Kind::Constant | Kind::Text | Kind::Name => {}
            Kind::Assign => node.parts.iter().skip(1).for_each(|part| self.parts_of(part)),
            Kind::And | Kind::Or | Kind::Not | Kind::Coalesce => {
                self.around(node, What::Part, |placer| node.parts.iter().for_each(|part| placer.parts_of(part)));
            }
            Kind::Compare(_) => {
                self.around(node, What::Part, |placer| node.parts.iter().for_each(|part| placer.value_of(part)));
            }
            // What a call changes is its first part: a variable there stays as it is.
            Kind::Call(_) => self.around(node, What::Part, |placer| {
                node.parts.iter().take(1).for_each(|part| placer.parts_of(part));
                node.parts.iter().skip(1).for_each(|part| placer.value_of(part));
            }),
            Kind::Method(_) => self.around(node, What::Part, |placer| {
                // The receiver may be changed by the call: only what is read of the record, or answered, is shown.
                let receiver = &node.parts[0];
                if matches!(receiver.kind, Kind::Field | Kind::Call(_)) {
                    placer.parts_of(receiver);
                }
                node.parts[1..].iter().for_each(|part| placer.value_of(part));
            }),
            Kind::Field | Kind::Index => self.around(node, What::Part, |placer| {
                // A member of what a call gave: what it gave says more, but for what is shown of every record.
                let base = base(node);
                if matches!(&base.kind, Kind::Call(name) if !["actor", "request", "response"].contains(&name.as_str()))
                {
                    placer.parts_of(base);
                }
            }),
            _ => node.parts.iter().for_each(|part| self.parts_of(part)),
        }
    }
}

/// What a path of members begins with.
fn base(node: &Node) -> &Node {
    match (&node.kind, node.parts.first()) {
        (Kind::Field | Kind::Index, Some(inner)) => base(inner),
        _ => node,
    }
}

impl Placer<'_> {
    /// As [`parts_of`](Self::parts_of), where a variable is but read.
    fn value_of(&mut self, node: &Node) {
        match node.kind {
            Kind::Name => self.around(node, What::Part, |_| {}),
            _ => self.parts_of(node),
        }
    }
}

/// Steps of a trail that are kept, and letters of their values.
const MOST_STEPS: usize = 5_000;
const MOST_LETTERS: usize = 4_000_000;

/// What probes told.
#[derive(Debug, Default)]
pub struct Log {
    /// How often each was passed: for a condition when it was false, and when it was true.
    pub counts: BTreeMap<usize, [u64; 2]>,
    /// The last value of each, if that is wanted.
    pub values: BTreeMap<usize, Value>,
    /// The probes in the order in which they were passed, each with its value, if that is wanted: the beginning, where
    /// there are many.
    pub trail: Vec<(usize, Option<Value>)>,
    /// Letters that the values of the trail have.
    letters: usize,
}

impl Log {
    fn step(&mut self, number: usize, value: Option<&Value>) {
        if self.trail.len() < MOST_STEPS && self.letters < MOST_LETTERS {
            self.letters += value.map_or(0, |value| value.to_string().len());
            self.trail.push((number, value.cloned()));
        }
    }
}

/// Runs scripts with probes, in one thread.
pub struct Prober {
    runtime: Runtime,
    log: Rc<RefCell<Log>>,
    libraries: Arc<[Arc<SourceText>]>,
}

impl Prober {
    /// A prober for so many scripts that share these libraries. With `values`, what each part was is kept.
    pub fn new(
        scripts: usize,
        libraries: &[Probed],
        inventory: Arc<Inventory>,
        now: Timestamp,
        limits: &Limits,
        values: bool,
    ) -> Self {
        // Probes take operations and depth of their own.
        let mut limits = limits.clone();
        limits.operations = limits.operations.saturating_mul(4);
        limits.depth = limits.depth.saturating_mul(2);
        let mut runtime = Runtime::new(scripts, inventory, now, &limits).without_proofs();
        let mut compiler = Compiler::new(&limits, &runtime.env);
        let log = Rc::new(RefCell::new(Log::default()));
        let seen = Rc::clone(&log);
        compiler.engine.register_fn("__seen", move |number: INT, part: Dynamic| {
            let number = usize::try_from(number).unwrap_or_default();
            let mut log = seen.borrow_mut();
            let count = log.counts.entry(number).or_default();
            match part.as_bool() {
                Ok(told) => count[usize::from(told)] += 1,
                Err(_) => count[1] += 1,
            }
            if values {
                let value = value::to_json(&part);
                log.step(number, Some(&value));
                log.values.insert(number, value);
            }
            part
        });
        let seen = Rc::clone(&log);
        compiler.engine.register_fn("__at", move |number: INT| {
            let number = usize::try_from(number).unwrap_or_default();
            let mut log = seen.borrow_mut();
            log.counts.entry(number).or_default()[1] += 1;
            if values {
                log.step(number, None);
            }
        });
        runtime.compiler = Some(compiler);
        Self { runtime, log, libraries: libraries.iter().map(|library| Arc::clone(&library.text)).collect() }
    }

    /// A script as it is, but for its text.
    pub fn script(&self, script: &Script, probed: &Probed) -> Script {
        Script {
            source: Arc::clone(&probed.text),
            libraries: Arc::clone(&self.libraries),
            params: script.params.clone(),
            constants: script.constants.clone(),
            hooks: script.hooks.clone(),
            uses: Arc::clone(&script.uses),
            needs: Arc::clone(&script.needs),
            traces: script.traces,
            predicate: None,
            answers: BTreeMap::new(),
            wording: script.wording.clone(),
            words: OnceLock::new(),
        }
    }

    /// Calls a hook of the script of that number.
    ///
    /// # Errors
    /// [`Stop`] when the record cannot be judged or the script fails.
    pub fn call(&mut self, index: usize, script: &Script, hook: &str, record: &Record) -> Result<Value, Stop> {
        self.runtime.call(index, script, hook, record)
    }

    /// What was told since the last time this was asked.
    pub fn take(&mut self) -> Log {
        self.log.take()
    }

    /// What scripts printed since the last time this was asked.
    pub fn take_printed(&mut self) -> Vec<String> {
        self.runtime.take_printed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every script that there is, is understood, and says the same with probes to Rhai's parser.
    #[test]
    fn every_script_takes_probes() {
        let mut texts = vec![("prelude".to_owned(), super::super::PRELUDE.to_owned())];
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        for entry in ["policies", "examples"].iter().flat_map(|below| walkdir::WalkDir::new(folder.join(below))) {
            let path = entry.unwrap().into_path();
            if path.extension().is_some_and(|end| end == "rhai") {
                texts.push((path.display().to_string(), std::fs::read_to_string(&path).unwrap()));
            }
        }
        assert!(texts.len() > 15);
        let mut engine = super::super::sandbox::parser(&Limits::default());
        engine.set_max_expr_depths(512, 512);
        for (name, text) in texts {
            let source = Arc::new(SourceText { file: name.clone(), text });
            for depth in [Depth::Coverage, Depth::Parts] {
                let probed = Probed::new(&source, depth, 0).unwrap_or_else(|| panic!("{name} is not understood"));
                let parsed = engine.compile(super::super::sandbox::script(&probed.text.text));
                assert!(parsed.is_ok(), "{name}: {parsed:?}\n{}", probed.text.text);
                assert!(!probed.sites.is_empty());
            }
        }
    }
}
