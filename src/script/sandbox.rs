//! Sets the limits every script runs under.
//!
//! Operations bind first, and native functions charge them; then depth and sizes; wall time last, since it is the one
//! limit that a slow machine could make a difference to. The numbers are part of the documentation of the language.

use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rhai::packages::{
    ArithmeticPackage, BasicArrayPackage, BasicFnPackage, BasicIteratorPackage, BasicMapPackage, BasicMathPackage,
    BasicStringPackage, LanguageCorePackage, LogicPackage, MoreStringPackage, Package,
};
use rhai::{Dynamic, Engine, EvalAltResult, INT, OptimizationLevel};

use super::functions::{self, Env};
use super::memory;
use super::value::{self, Shown};
use crate::inventory::Inventory;

/// What a script may use, per hook and record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Operations of Rhai and of native functions.
    pub operations: u64,
    /// Wall time.
    pub time: Duration,
    /// Bytes that a hook may hold at a time, where [`Metered`](super::Metered) is the allocator.
    pub memory: i64,
    /// Bytes of one text.
    pub text: usize,
    /// Items of one list that the script makes.
    pub list: usize,
    /// Members of one map that the script makes.
    pub map: usize,
    /// Functions calling functions.
    pub calls: usize,
    /// Nesting of expressions and statements.
    pub depth: usize,
    /// Bytes of a policy's file.
    pub source: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            operations: 1_000_000,
            time: Duration::from_secs(5),
            memory: 64 << 20,
            text: 1 << 20,
            list: 10_000,
            map: 10_000,
            calls: 16,
            depth: 256,
            source: 256 << 10,
        }
    }
}

impl Limits {
    /// Operations more for each resource of the inventory, so that scripts can go through all of them a few times.
    const OF_RESOURCE: u64 = 20;

    /// These limits where there is so much inventory.
    pub(super) fn with(&self, inventory: &Inventory) -> Self {
        let more = Self::OF_RESOURCE.saturating_mul(inventory.len() as u64);
        Self { operations: self.operations.saturating_add(more), ..self.clone() }
    }
}

/// Bytes of stack that a thread needs to compile and run scripts within these limits.
pub const STACK: usize = 64 << 20;

/// Functions of Rhai's core that scripts do not get.
pub(super) const REMOVED: &[&str] = &["sleep", "exit", "get_fn_metadata_list", "set_tag", "take", "to_blob"];

/// The token of a script that holds too much memory.
#[derive(Clone)]
pub(super) struct OutOfMemory;

/// The token of a script that ran out of time.
#[derive(Clone)]
pub(super) struct OutOfTime;

/// An engine that parses as the sandbox does and runs nothing.
pub(super) fn parser(limits: &Limits) -> Engine {
    let mut engine = Engine::new_raw();
    bound(&mut engine, limits);
    engine.set_optimization_level(OptimizationLevel::None);
    engine
}

/// The script of a file, every line where it was: of the `//!` lines at its head only the ends are left. Rhai would read
/// and keep them letter by letter, which for a documented policy is a third of its work.
pub(super) fn script(text: &str) -> String {
    let mut script = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((line, after)) = rest.split_once('\n') {
        let line = line.strip_suffix('\r').unwrap_or(line);
        // To Rhai a carriage return alone ends a line, too.
        if !(line.is_empty() || line.starts_with("//!")) || line.contains('\r') {
            break;
        }
        script.push('\n');
        rest = after;
    }
    script.push_str(rest);
    script
}

fn bound(engine: &mut Engine, limits: &Limits) {
    engine
        .set_max_expr_depths(limits.depth, limits.depth)
        .set_max_call_levels(limits.calls)
        .set_max_operations(limits.operations)
        // Scripts have as many as are written in them.
        .set_max_variables(usize::MAX)
        .set_max_functions(512)
        .set_max_modules(0)
        .set_max_string_size(limits.text)
        .set_max_array_size(limits.list)
        .set_max_map_size(limits.map)
        .set_optimization_level(OptimizationLevel::Simple);
    engine.disable_symbol("eval").disable_symbol("import").disable_symbol("export");
}

/// The engine that runs scripts: no files, no clock, no output but what `env` collects.
pub(super) fn engine(limits: &Limits, env: &Rc<Env>) -> Engine {
    let mut engine = Engine::new_raw();
    for package in [
        LanguageCorePackage::new().as_shared_module(),
        ArithmeticPackage::new().as_shared_module(),
        LogicPackage::new().as_shared_module(),
        BasicStringPackage::new().as_shared_module(),
        MoreStringPackage::new().as_shared_module(),
        BasicIteratorPackage::new().as_shared_module(),
        BasicFnPackage::new().as_shared_module(),
        BasicMathPackage::new().as_shared_module(),
        BasicArrayPackage::new().as_shared_module(),
        BasicMapPackage::new().as_shared_module(),
    ] {
        engine.register_global_module(package);
    }
    bound(&mut engine, limits);

    // Not a keyword, so it cannot be disabled; the checker refuses it, and this stops `Fn("sleep")`.
    let refuse = || Err::<(), Box<EvalAltResult>>("`sleep` is not allowed".into());
    engine.register_fn("sleep", move |_: INT| refuse());
    engine.register_fn("sleep", move |_: f64| refuse());

    let meter = Rc::clone(env);
    let (operations, time, most) = (limits.operations, limits.time, limits.memory);
    let started = std::cell::Cell::new(Instant::now());
    let held = std::cell::Cell::new(0);
    engine.on_progress(move |_| {
        // Rhai forgets what it counted in a closure that a native function calls.
        let count = meter.steps.get() + 1;
        meter.steps.set(count);
        if count == 1 {
            started.set(Instant::now());
            held.set(memory::held());
        }
        if count & 7 == 0 && memory::held() - held.get() - meter.shared_bytes.get() > most {
            return Some(Dynamic::from(OutOfMemory));
        }
        if count + meter.charged.get() > operations {
            return Some(Dynamic::from(OutOfOperations));
        }
        (count & 1023 == 0 && started.get().elapsed() > time).then(|| Dynamic::from(OutOfTime))
    });

    let log = Rc::clone(env);
    engine.on_print(move |text| note(&log, text));
    let log = Rc::clone(env);
    engine.on_debug(move |text, _, _| note(&log, text));

    // The optimiser puts constants in the place of their names, but not where a method is called on one.
    // A shown value is resolved to a clone of itself: so a closure can capture the event and be called on one of its
    // fields, which Rhai would otherwise take for a data race on a shared variable.
    let known = Rc::clone(env);
    #[expect(deprecated, reason = "volatile, not obsolete: the version of Rhai is pinned")]
    engine.on_var(move |name, index, context| {
        let scope = context.scope();
        let value = match index {
            0 => scope.get(name),
            // From the end of the scope, which is where this iterator begins.
            index => scope.iter_raw().nth(index - 1).map(|(_, _, value)| value),
        };
        // A variable that the script assigns to must stay one.
        let is_assigned = || known.assigned.borrow().contains(name);
        Ok(match value {
            // Of a constant's name another file may have a variable, which is elsewhere.
            None => known.constants.borrow().get(name).cloned(),
            // Nothing can be asked of one that is being changed.
            Some(value) if value.is_shared() && value.is_locked() => None,
            Some(value) if value.is::<Shown>() && !is_assigned() => Some(value.flatten_clone()),
            _ => None,
        })
    });

    value::register(&mut engine);
    functions::register(&mut engine, env);
    engine
}

/// The token of a script whose operations and charges together are too many.
#[derive(Clone)]
pub(super) struct OutOfOperations;

/// Keeps what a script prints, up to a bound.
fn note(env: &Env, text: &str) {
    let mut printed = env.printed.borrow_mut();
    if printed.len() < 1_000 {
        printed.push(crate::fault::printable(text, 2_000));
    }
}

/// An environment for asking questions without an inventory.
pub(super) fn bare_env(limits: &Limits) -> Rc<Env> {
    Env::new(Arc::default(), jiff::Timestamp::UNIX_EPOCH, limits.operations)
}
