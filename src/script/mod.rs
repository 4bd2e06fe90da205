//! Compiles and runs Rhai; its own types for what it tells, so that nobody else names Rhai.

mod answer;
mod changed;
mod check;
mod compiled;
mod explain;
mod facts;
mod functions;
mod hooks;
mod memory;
pub mod mutate;
mod parts;
mod predicate;
pub mod probe;
pub mod reading;
mod sandbox;
pub mod syntax;
mod value;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use rhai::{AST, Dynamic, EvalAltResult, EvalContext, Scope};
use serde_json::Value;

pub use self::answer::Answer;
use self::answer::Whole;
use self::check::Prover;
pub use self::check::{Checked, Header, Reader, Shared};
use self::compiled::{Compiled, Compiler};
pub(crate) use self::functions::{
    ACTOR, LISTING, TRACED, compile_glob, compile_regex, gives_only, takes_record, text_mistake,
};
use self::functions::{Env, NotEvaluated, Pool};
pub use self::functions::{definitions, parse_duration, parse_time, reference};
pub use self::hooks::{Given, Hooks, Named, OF_HIT};
pub use self::memory::Metered;
pub use self::predicate::{Demand, Opening, Predicate, Question, Reply, Source, Value as FieldValue, Verdict};
pub use self::sandbox::{Limits, STACK};
use crate::diagnostic::SourceText;
use crate::error::Error;
use crate::inventory::Inventory;
use crate::principal::Principal;
use crate::record::{Node, Record};
use crate::sessions;

/// How the reason of a script begins that ran out of time.
pub(crate) const OUT_OF_TIME: &str = "took more than";

/// The text of the prelude.
pub(crate) const PRELUDE: &str = include_str!("prelude.rhai");

/// A script that was checked: all that a thread needs to compile it for itself (Rhai's own trees stay in one thread).
#[derive(Debug)]
pub struct Script {
    /// The policy's file.
    pub source: Arc<SourceText>,
    /// What the pack's policies share.
    pub libraries: Arc<[Arc<SourceText>]>,
    /// What `params` holds.
    pub params: Value,
    /// Top-level constants.
    pub constants: BTreeMap<String, Value>,
    /// The hooks that it defines.
    pub hooks: BTreeSet<String>,
    /// Inventory kinds that it may look things up in, those that it needs among them.
    pub uses: Arc<[String]>,
    /// Inventory kinds without which it cannot judge.
    pub needs: Arc<[String]>,
    /// Whether it may ask who began a session: it declares [`sessions::KIND`].
    pub traces: bool,
    /// What is proved of `matches`; nothing of a script with mistakes.
    pub predicate: Option<Predicate>,
    /// What is proved of the hooks that tell what a record is to a window.
    answers: BTreeMap<String, Answer>,
    /// The hooks that are asked about a finding, and what they are given.
    wording: (Vec<String>, Given),
    /// What is proved of these, when somebody first asks: of most policies nobody does.
    words: OnceLock<BTreeMap<String, Answer>>,
}

impl Script {
    /// What is proved of a hook that tells what a hit is to a window, if anything is.
    pub fn proved(&self, hook: &str) -> Option<&Answer> {
        self.answers.get(hook)
    }
}

/// Why a hook gave no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The record cannot be judged, for this reason.
    NotEvaluated(String),
    /// The script failed: the reason, with the place in the policy's file.
    Fault(String),
}

/// Runs scripts on records, in one thread.
pub struct Runtime {
    env: Rc<Env>,
    limits: Limits,
    /// Made when the first script is asked: threads that ask none do without.
    compiler: Option<Compiler>,
    /// One for each list of libraries.
    provers: Vec<Prover>,
    loaded: Vec<Option<Box<Compiled>>>,
    spent: Spent,
    /// Whether what is proved of a script stands for what it says.
    is_proving: bool,
    /// Who made the call that was asked about last, and whether it was looked for who began the session.
    actor: Option<(Node, bool, Principal)>,
}

/// What scripts used.
#[derive(Clone, Copy, Debug, Default)]
pub struct Spent {
    /// Calls of `matches`.
    pub run: u64,
    /// Operations of all hooks.
    pub operations: u64,
}

impl Runtime {
    /// A runtime for so many scripts, which are then named by their numbers.
    pub fn new(scripts: usize, inventory: Arc<Inventory>, now: Timestamp, limits: &Limits) -> Self {
        let limits = limits.with(&inventory);
        let env = Env::new(inventory, now, limits.operations);
        let loaded = std::iter::repeat_with(|| None).take(scripts).collect();
        Self {
            env,
            limits,
            compiler: None,
            provers: Vec::new(),
            loaded,
            spent: Spent::default(),
            is_proving: true,
            actor: None,
        }
    }

    /// A runtime that runs every script that it is asked about.
    #[must_use]
    pub fn without_proofs(mut self) -> Self {
        self.is_proving = false;
        self
    }

    /// What all scripts used so far.
    pub fn spent(&self) -> Spent {
        self.spent
    }

    /// The answer of a hook of the script at `index` about a record: what is proved of it, else what [`Runtime::call`] gives.
    ///
    /// # Errors
    /// [`Stop`] when the record cannot be judged or the script fails.
    pub fn answer(&mut self, index: usize, script: &Script, hook: &str, record: &Record) -> Result<Value, Stop> {
        let proved = if self.is_proving { self.proved(script, hook) } else { None };
        let whole = Whole { record, inventory: &self.env.inventory };
        match proved.and_then(|answer| answer.of(&whole)) {
            Some(answer) => Ok(answer),
            None => self.call(index, script, hook, record),
        }
    }

    /// What is proved of a hook beside `matches`.
    fn proved<'s>(&mut self, script: &'s Script, hook: &str) -> Option<&'s Answer> {
        if let Some(answer) = script.answers.get(hook) {
            return Some(answer);
        }
        let words = script.words.get_or_init(|| {
            let at = self.provers.iter().position(|prover| prover.is_of(&script.libraries)).unwrap_or_else(|| {
                self.provers.push(Prover::new(&script.libraries, &self.limits));
                self.provers.len() - 1
            });
            self.provers[at].words(script)
        });
        words.get(hook)
    }

    /// Calls a hook of the script at `index` with a record.
    ///
    /// # Errors
    /// [`Stop`] when the record cannot be judged or the script fails.
    pub fn call(&mut self, index: usize, script: &Script, hook: &str, record: &Record) -> Result<Value, Stop> {
        let compiler = self.compiler.get_or_insert_with(|| Compiler::new(&self.limits, &self.env));
        let loaded = match &mut self.loaded[index] {
            Some(loaded) => loaded,
            empty => {
                let compiled = compiler.compile(script);
                empty.insert(Box::new(compiled.map_err(|error| Stop::Fault(error.to_string()))?))
            }
        };
        self.env.judge(record, Some(script), &loaded.assigned, &loaded.closures);
        self.env.constants.replace(Rc::clone(&loaded.constants));
        let mut argument = value::show(&record.value);
        let engine = &compiler.engine;
        let mut state = engine.new_global_runtime_state();
        state.lib.push(Rc::clone(&loaded.functions));
        let mut scope = Scope::new();
        let answer = EvalContext::new(engine, &mut state, &mut loaded.caches, &mut scope, None).call_fn_raw(
            hook,
            false,
            false,
            &mut [&mut argument],
        );
        self.spent.run += u64::from(hook == "matches");
        self.spent.operations += self.env.steps.get() + self.env.charged.get();
        match answer {
            Ok(answer) => Ok(value::to_json(&answer)),
            Err(error) => Err(stop(*error, &self.limits)),
        }
    }

    /// Who made a call, as the script sees it.
    pub fn actor(&mut self, script: &Script, record: &Record) -> Principal {
        // Several policies may tell of one record.
        if let Some((of, traces, actor)) = &self.actor
            && of.is_same(&record.value)
            && *traces == script.traces
        {
            return actor.clone();
        }
        let event = record.value.view();
        let actor =
            if script.traces { sessions::actor(&self.env.inventory, event, record.time) } else { Principal::of(event) };
        self.actor = Some((record.value.clone(), script.traces, actor.clone()));
        actor
    }

    /// Which part of `matches` was false for a record, if the whole of it is one condition made of parts.
    pub fn why_silent(&mut self, script: &Script, record: &Record) -> Option<String> {
        let (param, parts) = explain::conjuncts(script, &self.limits)?;
        let compiler = self.compiler.get_or_insert_with(|| Compiler::new(&self.limits, &self.env));
        let compiled = compiler.compile(script).ok()?;
        let whole = AST::new_from_module(compiled.functions);
        for part in parts {
            let one = format!("fn why_silent({param}) {{ {part} }}");
            let one = compiler.engine.compile_with_scope(&compiled::constants(script), one).ok()?;
            compiler.prepare(&one);
            self.env.judge(record, Some(script), &compiled.assigned, &Pool::default());
            let argument = (value::show(&record.value),);
            let tree = whole.merge(&one);
            let answer = compiler.engine.call_fn::<Dynamic>(&mut Scope::new(), &tree, "why_silent", argument);
            if answer.ok()?.as_bool() == Ok(false) {
                return Some(format!("`{part}` is false"));
            }
        }
        None
    }

    /// What scripts printed since the last time this was asked.
    pub fn take_printed(&mut self) -> Vec<String> {
        self.env.take_printed()
    }
}

/// An expression that is asked of records, one by one.
pub struct Expression {
    env: Rc<Env>,
    limits: Limits,
    compiler: Compiler,
    tree: AST,
    assigned: Rc<BTreeSet<String>>,
    closures: Pool,
}

impl Expression {
    /// Compiles an expression, which knows the record as `event` and as `resource`.
    ///
    /// # Errors
    /// When it does not parse.
    pub fn new(text: &str, inventory: Arc<Inventory>, now: Timestamp, limits: &Limits) -> Result<Self, Error> {
        let failed = |error: rhai::ParseError| {
            let place = (error.position().line().unwrap_or(1), error.position().position().unwrap_or(1));
            Error::new(error.err_type().to_string()).about("EXPR").at(place.0, place.1)
        };
        let limits = limits.with(&inventory);
        let parser = sandbox::parser(&limits);
        let tree = parser.compile(PRELUDE).map_err(failed)?.merge(&parser.compile(text).map_err(failed)?);
        let env = Env::new(inventory, now, limits.operations);
        let mut compiler = Compiler::new(&limits, &env);
        let assigned = Rc::new(compiler.prepare(&tree));
        Ok(Self { env, limits, compiler, tree, assigned, closures: Pool::default() })
    }

    /// Lets it ask who began a session, or not.
    pub fn trace_sessions(&mut self, traces: bool) {
        self.env.traces.set(traces);
    }

    /// What it says of a record.
    ///
    /// # Errors
    /// [`Stop`] when it fails.
    pub fn evaluate(&mut self, record: &Record) -> Result<Value, Stop> {
        self.env.judge(record, None, &self.assigned, &self.closures);
        let mut scope = Scope::new();
        scope.push_dynamic("event", value::show(&record.value));
        scope.push_dynamic("resource", value::show(&record.value));
        match self.compiler.engine.eval_ast_with_scope::<Dynamic>(&mut scope, &self.tree) {
            Ok(answer) => Ok(value::to_json(&answer)),
            Err(error) => Err(stop(*error, &self.limits)),
        }
    }

    /// What it printed since the last time this was asked.
    pub fn take_printed(&mut self) -> Vec<String> {
        self.env.take_printed()
    }
}

/// Rhai's errors, told in our words, with the place in the file.
fn stop(error: EvalAltResult, limits: &Limits) -> Stop {
    let (error, position) = value::innermost(error);
    let place = match (position.line(), position.position()) {
        (Some(line), Some(column)) => format!(" at {line}:{column}"),
        _ => String::new(),
    };
    if let EvalAltResult::ErrorTerminated(token, _) = &error {
        if let Some(NotEvaluated(reason)) = token.clone().try_cast::<NotEvaluated>() {
            return Stop::NotEvaluated(reason);
        }
        if token.is::<sandbox::OutOfTime>() {
            return Stop::Fault(format!("{OUT_OF_TIME} {} s", limits.time.as_secs()));
        }
        if token.is::<sandbox::OutOfMemory>() {
            return Stop::Fault(format!("used more than {} MiB of memory", limits.memory >> 20));
        }
    }
    let reason = match error {
        EvalAltResult::ErrorTerminated(..) | EvalAltResult::ErrorTooManyOperations(_) => {
            // Without a place: where a loop is cut off says nothing, and equal faults are counted together.
            return Stop::Fault(format!("used more than {} operations", limits.operations));
        }
        EvalAltResult::ErrorStackOverflow(_) => {
            return Stop::Fault(format!("functions call each other more than {} deep", limits.calls));
        }
        EvalAltResult::ErrorDataTooLarge(what, _) => {
            let limit = match what.to_lowercase() {
                what if what.contains("string") => format!("texts may have {} bytes", limits.text),
                what if what.contains("array") => format!("lists may have {} items", limits.list),
                what if what.contains("map") => format!("maps may have {} members", limits.map),
                what => what,
            };
            format!("made a value that is too large: {limit}")
        }
        // The names of closures are drawn anew in each run.
        EvalAltResult::ErrorFunctionNotFound(signature, _) => match signature.strip_prefix("anon$") {
            Some(rest) => {
                let given = rest.find(' ').map_or("", |at| &rest[at + 1..]);
                format!("a closure has other parameters than it is given: {}", plain(given))
            }
            None => format!("no function `{}`", plain(&signature)),
        },
        EvalAltResult::ErrorVariableNotFound(name, _) => format!("no variable `{name}`"),
        EvalAltResult::ErrorDataRace(..) => "a closure uses the variable that holds the list it is called on (try: \
            `let list = …; list.filter(…)`, so that the list has a variable of its own)"
            .to_owned(),
        EvalAltResult::ErrorMismatchDataType(wanted, found, _) => {
            format!("expected {}, found {}", kind_name(&wanted), kind_name(&found))
        }
        EvalAltResult::ErrorMismatchOutputType(wanted, found, _) => {
            format!("expected {}, found {}", kind_name(&wanted), kind_name(&found))
        }
        EvalAltResult::ErrorRuntime(thrown, _) => match value::to_json(&thrown) {
            Value::String(text) => format!("failed: {text}"),
            other => format!("failed: {other}"),
        },
        other => {
            let mut text = other.to_string();
            if let Some(at) = text.rfind(" (line ") {
                text.truncate(at);
            }
            let mut letters = text.chars();
            letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
        }
    };
    Stop::Fault(format!("{}{place}", crate::fault::printable(&reason, 300)))
}

fn plain(signature: &str) -> String {
    signature.replace("&str | ImmutableString | String", "text").replace("i64", "int").replace("f64", "float")
}

pub(crate) fn kind_name(kind: &str) -> &str {
    match kind {
        "&str | ImmutableString | String" | "string" => "text",
        "i64" => "int",
        "f64" => "float",
        "array" => "list",
        kind if kind.ends_with("::Shown") => "a list or an object of the record",
        kind if kind.ends_with("::View") => "the resources of a kind",
        other => other,
    }
}

#[cfg(test)]
mod tests;
