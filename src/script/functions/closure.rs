//! What the list functions that take a closure answer over a list or a view, item by item.
//!
//! *Law*: what a call of the closure looked up is kept for the next item, and for the next list. What is made is a list
//! like any other, and stops with a fault at the limit of lists, before it is made.
//!
//! Rhai's own list functions begin with nothing at each item (three fruitless look-ups, each told in words, and a copy of
//! the state), which costs several times what the closure does.

use std::any::TypeId;
use std::cell::RefCell;
use std::rc::Rc;

use rhai::{Array, Caches, Dynamic, Engine, EvalContext, FnPtr, GlobalRuntimeState, INT, NativeCallContext, Scope};

use super::view::View;
use super::{Call, Env, Failure};

/// Look-ups of a script's functions, to be taken by who calls its closures and given back; nested closures take several.
/// One for each script: with the look-ups of another the wrong function would be called.
pub(crate) type Pool = Rc<RefCell<Vec<Caches>>>;

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
            if self.closure.holds(self.items.at(at), at)? == wanted {
                return Ok(Some(at));
            }
        }
        Ok(None)
    }

    fn filter(&mut self) -> Result<Array, Failure> {
        let mut kept = Array::new();
        for at in 0..self.items.len() {
            let item = self.items.at(at);
            if self.closure.holds(item.clone(), at)? {
                self.closure.call.bound(kept.len() + 1)?;
                kept.push(item);
            }
        }
        Ok(kept)
    }

    fn map(&mut self) -> Result<Array, Failure> {
        self.closure.call.bound(self.items.len())?;
        (0..self.items.len()).map(|at| self.closure.ask([self.items.at(at)], at)).collect()
    }

    fn find_map(&mut self, start: usize) -> Result<Dynamic, Failure> {
        for at in start..self.items.len() {
            let answer = self.closure.ask([self.items.at(at)], at)?;
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
    /// `None` for a native function.
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
        let has = |params: usize| {
            let (libs, params) = (call.context.namespaces(), params + function.curry().len());
            libs.iter().any(|lib| lib.get_script_fn(function.fn_name(), params).is_some())
        };
        let takes = match values {
            1 if has(0) => Some(Takes::This),
            _ if has(values) => Some(Takes::Item),
            _ if has(values + 1) => Some(Takes::ItemAndPlace),
            _ => None,
        };
        let own = takes.map(|takes| {
            let pool = Rc::clone(&call.env.closures.borrow());
            let caches = pool.borrow_mut().pop();
            Own { global: call.context.global_runtime_state().clone(), caches, pool, takes }
        });
        Self { call, caller, function, own }
    }

    /// What it answers about values, the last of which is the item at this place.
    fn ask<const N: usize>(&mut self, values: [Dynamic; N], at: usize) -> Result<Dynamic, Failure> {
        self.call.charge(1)?;
        let (call, function) = (self.call, &self.function);
        let Some(Own { global, caches, takes, .. }) = &mut self.own else {
            return function.call_raw_with_extra_args(self.caller, &call.context, None, values, [index(at)], None);
        };
        let (is_this, curry) = (*takes == Takes::This, function.iter_curry().cloned());
        let place = (*takes == Takes::ItemAndPlace).then(|| index(at));
        let mut args: Vec<Dynamic> = if is_this {
            values.into_iter().chain(curry).collect()
        } else {
            curry.chain(values).chain(place).collect()
        };
        let mut args: Vec<&mut Dynamic> = args.iter_mut().collect();
        EvalContext::new(call.context.engine(), global, caches.get_or_insert_default(), &mut Scope::new(), None)
            .call_fn_raw(function.fn_name(), is_this, is_this, &mut args)
    }

    /// Whether it is true of an item. Nothing is not true; what is neither true nor false is a mistake.
    fn holds(&mut self, item: Dynamic, at: usize) -> Result<bool, Failure> {
        let answer = self.ask([item], at)?;
        if answer.is_unit() {
            return Ok(false);
        }
        answer.as_bool().map_err(|kind| {
            self.call.fail(format!("the function given to `{}` answered {kind}, not a boolean", self.caller))
        })
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        self.pool.borrow_mut().extend(self.caches.take());
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
