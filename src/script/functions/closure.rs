//! What the list functions that take a closure answer over a list or a view, item by item.
//!
//! *Law*: what a call of the closure looked up is kept for the next item, and for the next list. What is made is a list
//! like any other, and stops with a fault at the limit of lists, before it is made.
//!
//! A closure that only steps into its item, as most do, is no call at all.
//!
//! Rhai's own list functions begin with nothing at each item (three fruitless look-ups, each told in words, and a copy of
//! the state), which costs several times what the closure does.

use std::any::TypeId;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use rhai::{
    Array, Caches, Dynamic, Engine, EvalContext, Expr, FnPtr, GlobalRuntimeState, INT, ImmutableString,
    NativeCallContext, Scope, ScriptFuncDef, Stmt,
};

use super::view::View;
use super::{Call, Env, Failure};
use crate::script::check::Function;
use crate::script::kind_name;
use crate::script::value::{self, Shown};

/// What is kept of the closures of a script. One for each script: with what is known of another the wrong function would be
/// called.
pub(crate) type Pool = Rc<Closures>;

/// What is kept of the closures of a script from call to call.
#[derive(Default)]
pub(crate) struct Closures {
    /// Look-ups of its functions, to be taken by who calls a closure and given back; nested closures take several.
    caches: RefCell<Vec<Caches>>,
    /// The names by which closures of one parameter step into it, if that is all they do, by the name of their function.
    steps: RefCell<HashMap<String, Option<Steps>>>,
}

/// Names of properties, one after another.
type Steps = Rc<[ImmutableString]>;

/// The steps of a function into its only parameter, if there is nothing else to it.
fn steps(function: &Function) -> Option<Steps> {
    let ([Stmt::Expr(chain)], [item]) = (function.body.as_slice(), function.params.as_slice()) else { return None };
    let Expr::Dot(pair, flags, _) = &**chain else { return None };
    let Expr::Variable(variable, ..) = &pair.lhs else { return None };
    if variable.1 != item.as_str() || !variable.2.is_empty() || !flags.is_empty() {
        return None;
    }
    let mut names = Vec::new();
    let mut rest = &pair.rhs;
    while let Expr::Dot(pair, flags, _) = rest
        && flags.is_empty()
    {
        names.push(property(&pair.lhs)?);
        rest = &pair.rhs;
    }
    names.push(property(rest)?);
    Some(names.into())
}

/// The name of a property of which no value but a map has one of its own.
fn property(step: &Expr) -> Option<ImmutableString> {
    let Expr::Property(property, _) = step else { return None };
    Some(property.2.clone()).filter(|name| !value::is_own_property(name))
}

/// Steps into a value; `None` where that is left to Rhai.
fn step_into(item: &Dynamic, steps: &[ImmutableString]) -> Option<Dynamic> {
    let (first, rest) = steps.split_first()?;
    let shown = item.read_lock::<Shown>()?;
    rest.iter().try_fold(shown.get(first), |value, name| {
        if value.is_unit() {
            return Some(value);
        }
        let found = value.read_lock::<Shown>()?.get(name);
        Some(found)
    })
}

/// What a closure is asked about.
pub(super) enum Items<'a> {
    Of(&'a View),
    In(&'a [Dynamic]),
}

impl Items<'_> {
    fn len(&self) -> usize {
        match self {
            Self::Of(view) => view.len(),
            Self::In(list) => list.len(),
        }
    }

    fn at(&self, index: usize) -> Dynamic {
        match self {
            Self::Of(view) => view.at(index),
            Self::In(list) => list.get(index).cloned().unwrap_or_default(),
        }
    }
}

/// A place counted from the beginning, or from the end if negative; one before the beginning is the beginning.
pub(super) fn place(index: INT, len: usize) -> usize {
    let distance = usize::try_from(index.unsigned_abs()).unwrap_or(usize::MAX);
    if index < 0 { len.saturating_sub(distance) } else { distance }
}

/// A place or a count as scripts see it.
pub(super) fn index(at: usize) -> Dynamic {
    INT::try_from(at).unwrap_or(INT::MAX).into()
}

/// The list functions that take a closure.
const NAMES: &[&str] =
    &["some", "all", "find", "index_of", "filter", "map", "find_map", "for_each", "reduce", "reduce_rev"];

/// A list function that takes a closure, over items; `None` if there is none of that name for these arguments.
pub(super) fn over(
    call: &Call<'_>,
    name: &str,
    items: &Items<'_>,
    args: &[Dynamic],
) -> Result<Option<Dynamic>, Failure> {
    // What else takes a function, such as `order_by`, is Rhai's own.
    let Some(function) = args.first().filter(|_| NAMES.contains(&name)) else { return Ok(None) };
    let Some(function) = function.clone().try_cast::<FnPtr>() else { return Ok(None) };
    let values = if name.starts_with("reduce") { 2 } else { 1 };
    let mut each = Each { items, closure: Closure::new(call, name, function, values) };
    let start = args.get(1).and_then(|start| start.as_int().ok()).map_or(0, |start| place(start, items.len()));
    let is_from = args.len() == 1 || args.len() == 2 && args[1].is_int();
    Ok(Some(match (name, args) {
        ("some", [_]) => each.first(0, true)?.is_some().into(),
        ("all", [_]) => each.first(0, false)?.is_none().into(),
        ("find", _) if is_from => each.first(start, true)?.map_or(Dynamic::UNIT, |at| items.at(at)),
        ("index_of", _) if is_from => each.first(start, true)?.map_or(INT::from(-1).into(), index),
        ("filter", [_]) => each.filter()?.into(),
        ("map", [_]) => each.map()?.into(),
        ("find_map", _) if is_from => each.find_map(start)?,
        ("for_each", [_]) if matches!(items, Items::Of(_)) => each.for_each()?,
        ("reduce", [_] | [_, _]) => each.reduce(0..items.len(), args.get(1))?,
        ("reduce_rev", [_] | [_, _]) => each.reduce((0..items.len()).rev(), args.get(1))?,
        _ => return Ok(None),
    }))
}

/// Items, and what is asked about them.
struct Each<'a> {
    items: &'a Items<'a>,
    closure: Closure<'a>,
}

impl Each<'_> {
    /// The first place, from `start` on, of an item for which the closure answers as `wanted`.
    fn first(&mut self, start: usize, wanted: bool) -> Result<Option<usize>, Failure> {
        for at in start..self.items.len() {
            if self.closure.holds(self.items, at)? == wanted {
                return Ok(Some(at));
            }
        }
        Ok(None)
    }

    fn filter(&mut self) -> Result<Array, Failure> {
        let mut kept = Array::new();
        for at in 0..self.items.len() {
            if self.closure.holds(self.items, at)? {
                self.closure.call.bound(kept.len() + 1)?;
                kept.push(self.items.at(at));
            }
        }
        Ok(kept)
    }

    fn map(&mut self) -> Result<Array, Failure> {
        self.closure.call.bound(self.items.len())?;
        (0..self.items.len()).map(|at| self.closure.ask_of(self.items, at)).collect()
    }

    fn find_map(&mut self, start: usize) -> Result<Dynamic, Failure> {
        for at in start..self.items.len() {
            let answer = self.closure.ask_of(self.items, at)?;
            if !answer.is_unit() {
                return Ok(answer);
            }
        }
        Ok(Dynamic::UNIT)
    }

    /// The closure knows the item as `this`.
    fn for_each(&mut self) -> Result<Dynamic, Failure> {
        let Closure { call, caller, function, .. } = &self.closure;
        for at in 0..self.items.len() {
            call.charge(1)?;
            let mut item = self.items.at(at);
            let _ = function.call_raw_with_extra_args(caller, &call.context, Some(&mut item), [], [index(at)], None)?;
        }
        Ok(Dynamic::UNIT)
    }

    fn reduce(&mut self, places: impl Iterator<Item = usize>, first: Option<&Dynamic>) -> Result<Dynamic, Failure> {
        let mut sum = first.cloned().unwrap_or(Dynamic::UNIT);
        for at in places {
            sum = self.closure.ask([sum, self.items.at(at)], at)?;
        }
        Ok(sum)
    }
}

/// A closure that is asked by a list function.
struct Closure<'a> {
    call: &'a Call<'a>,
    /// The list function.
    caller: &'a str,
    function: FnPtr,
    /// If all it does is to step into its item.
    steps: Option<Steps>,
    /// `None` for a native function, and where all it does is known.
    own: Option<Own>,
}

/// What a function of the script is run with.
struct Own {
    global: GlobalRuntimeState,
    caches: Option<Caches>,
    pool: Pool,
    takes: Takes,
}

/// How a function of the script takes an item.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    /// As `this`.
    This,
    /// As its last parameter.
    Item,
    /// As its last parameter but one; the last is its place.
    ItemAndPlace,
}

impl<'a> Closure<'a> {
    /// A closure that takes so many values, the last of which is the item.
    fn new(call: &'a Call<'a>, caller: &'a str, function: FnPtr, values: usize) -> Self {
        let steps = if values == 1 { Self::steps(call, &function) } else { None };
        let own = if steps.is_some() { None } else { Own::new(call, &function, values) };
        Self { call, caller, function, steps, own }
    }

    /// The steps into its item, if there is nothing else to it.
    fn steps(call: &Call<'_>, function: &FnPtr) -> Option<Steps> {
        if function.is_curried() {
            return None;
        }
        let closures = call.env.closures.borrow();
        if let Some(known) = closures.steps.borrow().get(function.fn_name()) {
            return known.clone();
        }
        let found = Own::find(call, function, 0).is_none().then(|| Own::find(call, function, 1)).flatten();
        let found = found.filter(|own| own.this_type.is_none()).and_then(|own| steps(&Function::of(own)));
        closures.steps.borrow_mut().insert(function.fn_name().to_owned(), found.clone());
        found
    }

    /// What it answers about the item at a place.
    fn ask_of(&mut self, items: &Items<'_>, at: usize) -> Result<Dynamic, Failure> {
        if let Some(steps) = &self.steps {
            self.call.charge(1)?;
            let found = match items {
                Items::Of(view) => step_into(&view.at(at), steps),
                Items::In(list) => list.get(at).and_then(|item| step_into(item, steps)),
            };
            if let Some(answer) = found {
                // What is copied counts: nobody looks at memory before the list is made.
                let size = answer.read_lock::<ImmutableString>().map_or(0, |text| text.len());
                self.call.charge(size / 64)?;
                return Ok(answer);
            }
            self.steps = None;
            self.own = Own::new(self.call, &self.function, 1);
        }
        self.ask([items.at(at)], at)
    }

    /// What it answers about values, the last of which is the item at this place.
    fn ask<const N: usize>(&mut self, values: [Dynamic; N], at: usize) -> Result<Dynamic, Failure> {
        self.call.charge(1)?;
        let (call, function) = (self.call, &self.function);
        let Some(Own { global, caches, takes, .. }) = &mut self.own else {
            let answer = function.call_raw_with_extra_args(self.caller, &call.context, None, values, [index(at)], None);
            return answer.map(Dynamic::flatten);
        };
        let (is_this, curry) = (*takes == Takes::This, function.iter_curry().cloned());
        let place = (*takes == Takes::ItemAndPlace).then(|| index(at));
        let mut args: Vec<Dynamic> = if is_this {
            values.into_iter().chain(curry).collect()
        } else {
            curry.chain(values).chain(place).collect()
        };
        let mut args: Vec<&mut Dynamic> = args.iter_mut().collect();
        let answer =
            EvalContext::new(call.context.engine(), global, caches.get_or_insert_default(), &mut Scope::new(), None)
                .call_fn_raw(function.fn_name(), is_this, is_this, &mut args);
        // A `switch` and a `break` hand a captured variable on as it is, shared; Rhai panics if a list has such an item.
        answer.map(Dynamic::flatten)
    }

    /// Whether it is true of an item. Nothing is not true; what is neither true nor false is a mistake.
    fn holds(&mut self, items: &Items<'_>, at: usize) -> Result<bool, Failure> {
        let answer = self.ask_of(items, at)?;
        if answer.is_unit() {
            return Ok(false);
        }
        answer.as_bool().map_err(|kind| {
            self.call.fail(format!(
                "the function given to `{}` answered {}, not a boolean",
                self.caller,
                kind_name(kind)
            ))
        })
    }
}

impl Own {
    /// For a closure that takes so many values, the last of which is the item.
    fn new(call: &Call<'_>, function: &FnPtr, values: usize) -> Option<Self> {
        let has = |params: usize| Self::find(call, function, params).is_some();
        let takes = match values {
            1 if has(0) => Takes::This,
            _ if has(values) => Takes::Item,
            _ if has(values + 1) => Takes::ItemAndPlace,
            _ => return None,
        };
        let pool = Rc::clone(&call.env.closures.borrow());
        let caches = pool.caches.borrow_mut().pop();
        Some(Self { global: call.context.global_runtime_state().clone(), caches, pool, takes })
    }

    /// The function of the script that takes so many values.
    fn find<'c>(call: &'c Call<'_>, function: &FnPtr, values: usize) -> Option<&'c Rc<ScriptFuncDef>> {
        let params = values + function.curry().len();
        call.context.namespaces().iter().find_map(|lib| lib.get_script_fn(function.fn_name(), params))
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        self.pool.caches.borrow_mut().extend(self.caches.take());
    }
}

/// Lets these functions be called on lists that a script made.
pub(super) fn register(engine: &mut Engine, env: &Rc<Env>) {
    let (list, function, number, any) =
        (TypeId::of::<Array>(), TypeId::of::<FnPtr>(), TypeId::of::<INT>(), TypeId::of::<Dynamic>());
    let mut add = |name: &'static str, types: &[TypeId]| {
        let env = Rc::clone(env);
        engine.register_raw_fn(name, types, move |context: NativeCallContext<'_>, args: &mut [&mut Dynamic]| {
            let args: Vec<Dynamic> = args.iter().map(|arg| arg.flatten_clone()).collect();
            let call = Call { env: &env, context };
            call.charge(1)?;
            let items = args[0].read_lock::<Array>();
            let items = Items::In(items.as_ref().map_or(&[], |items| items.as_slice()));
            over(&call, name, &items, &args[1..])?.ok_or_else(|| call.fail(format!("`{name}` does not take these")))
        });
    };
    for name in ["some", "all", "filter", "map", "find", "find_map", "index_of", "reduce", "reduce_rev"] {
        add(name, &[list, function]);
    }
    for name in ["find", "find_map", "index_of"] {
        add(name, &[list, function, number]);
    }
    for name in ["reduce", "reduce_rev"] {
        add(name, &[list, function, any]);
    }
}
