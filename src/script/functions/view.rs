//! What Rhai's list functions answer over a view of the inventory, item by item.
//!
//! *Law*: a view may be longer than any list. What these functions look at is bounded by operations alone; what they
//! make is a list like any other, and stops with a fault at the limit of lists, before it is made.

use std::any::TypeId;
use std::ops::{Range, RangeInclusive};
use std::rc::Rc;

use rhai::{Array, Dynamic, Engine, EvalAltResult, FnPtr, INT, Module};

use super::{Call, Failure};
use crate::inventory;
use crate::script::value::{Shown, show};

/// What `all(kind)` gives: the resources of a kind in scope, not copied and not bound by the size of arrays.
#[derive(Clone)]
pub(crate) struct View(pub(crate) Rc<inventory::View>);

impl View {
    /// The view, if a value is one.
    pub(super) fn of(value: &Dynamic) -> Option<Self> {
        value.read_lock::<Self>().map(|view| view.clone())
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn items(self) -> impl Iterator<Item = Dynamic> {
        (0..self.len()).map(move |at| self.at(at))
    }

    fn at(&self, index: usize) -> Dynamic {
        self.0.get(index).map_or(Dynamic::UNIT, |record| show(&record.value))
    }

    /// A place counted from the beginning, or from the end if negative; one before the beginning is the beginning.
    fn place(&self, index: INT) -> usize {
        let distance = usize::try_from(index.unsigned_abs()).unwrap_or(usize::MAX);
        if index < 0 { self.len().saturating_sub(distance) } else { distance }
    }

    /// Beginning and end of a part as `extract` and `split` name it: a place and perhaps a length, or a range.
    fn part(&self, args: &[Dynamic]) -> Option<Range<usize>> {
        let (start, len) = if let Some(range) = args[0].read_lock::<Range<INT>>() {
            let start = range.start.max(0);
            (start, range.end.max(start) - start)
        } else if let Some(range) = args[0].read_lock::<RangeInclusive<INT>>() {
            let start = (*range.start()).max(0);
            (start, (*range.end()).max(start).saturating_add(1) - start)
        } else {
            let len = args.get(1).map_or(Ok(INT::MAX), Dynamic::as_int);
            (args[0].as_int().ok()?, len.ok()?)
        };
        let start = self.place(start).min(self.len());
        let len = usize::try_from(len.max(0)).unwrap_or(usize::MAX);
        Some(start..start.saturating_add(len).min(self.len()))
    }

    /// A part as a list.
    fn list(&self, call: &Call<'_>, part: Range<usize>) -> Result<Array, Failure> {
        call.bound(part.len())?;
        call.charge(part.len())?;
        Ok(part.map(|at| self.at(at)).collect())
    }
}

/// A function of Rhai's over a view; `None` if there is none of that name for these arguments.
pub(super) fn over(call: &Call<'_>, name: &str, view: &View, args: &[Dynamic]) -> Result<Option<Dynamic>, Failure> {
    let function = args.first().and_then(|arg| arg.clone().try_cast::<FnPtr>());
    let each = Each { call, name, view, function: function.as_ref() };
    let is_number = |at: usize| args.get(at).is_none_or(Dynamic::is_int);
    let start = args.get(1).and_then(|start| start.as_int().ok()).map_or(0, |start| view.place(start));
    Ok(Some(match (name, args) {
        ("len", []) => index(view.len()),
        ("is_empty", []) => (view.len() == 0).into(),
        ("get", [at]) => at.as_int().map_or(Dynamic::UNIT, |at| view.at(view.place(at))),
        ("extract", [_] | [_, _]) | ("split", [_]) => match view.part(args) {
            Some(part) => view.list(call, part)?.into(),
            None => return Ok(None),
        },
        ("contains", [wanted]) => each.equal_to(wanted, 0)?.is_some().into(),
        ("some", [_]) if function.is_some() => each.first(0, true)?.is_some().into(),
        ("all", [_]) if function.is_some() => each.first(0, false)?.is_none().into(),
        ("find", [_] | [_, _]) if function.is_some() && is_number(1) => {
            each.first(start, true)?.map_or(Dynamic::UNIT, |at| view.at(at))
        }
        ("index_of", [_] | [_, _]) if function.is_some() && is_number(1) => {
            each.first(start, true)?.map_or(INT::from(-1).into(), index)
        }
        ("index_of", [wanted] | [wanted, _]) if is_number(1) => {
            each.equal_to(wanted, start)?.map_or(INT::from(-1).into(), index)
        }
        ("filter", [_]) if function.is_some() => each.filter()?.into(),
        ("map", [_]) if function.is_some() => each.map()?.into(),
        ("find_map", [_] | [_, _]) if function.is_some() && is_number(1) => each.find_map(start)?,
        ("for_each", [_]) if function.is_some() => each.for_each()?,
        ("reduce", [_] | [_, _]) if function.is_some() => each.reduce(0..view.len(), args.get(1))?,
        ("reduce_rev", [_] | [_, _]) if function.is_some() => each.reduce((0..view.len()).rev(), args.get(1))?,
        _ => return Ok(None),
    }))
}

fn index(at: usize) -> Dynamic {
    INT::try_from(at).unwrap_or(INT::MAX).into()
}

/// A closure that is asked of the items of a view.
struct Each<'a> {
    call: &'a Call<'a>,
    name: &'a str,
    view: &'a View,
    function: Option<&'a FnPtr>,
}

impl Each<'_> {
    /// What the closure answers; it may take the item's place as one more argument.
    fn ask<const N: usize>(&self, args: [Dynamic; N], at: usize) -> Result<Dynamic, Failure> {
        self.call.charge(1)?;
        let Some(function) = self.function else { return Ok(Dynamic::UNIT) };
        function.call_raw_with_extra_args(self.name, &self.call.context, None, args, [index(at)], None)
    }

    fn holds(&self, item: Dynamic, at: usize) -> Result<bool, Failure> {
        self.ask([item], at)?.as_bool().map_err(|kind| {
            self.call.fail(format!("the function given to `{}` answered {kind}, not a boolean", self.name))
        })
    }

    /// The first place, from `start` on, of an item for which the closure answers as `wanted`.
    fn first(&self, start: usize, wanted: bool) -> Result<Option<usize>, Failure> {
        for at in start..self.view.len() {
            if self.holds(self.view.at(at), at)? == wanted {
                return Ok(Some(at));
            }
        }
        Ok(None)
    }

    /// The first place, from `start` on, of an item that equals a value.
    fn equal_to(&self, wanted: &Dynamic, start: usize) -> Result<Option<usize>, Failure> {
        // A resource is a map: it equals no scalar.
        let may_equal = wanted.is::<Shown>() || wanted.is_map() || wanted.is_array();
        for at in start..self.view.len() {
            self.call.charge(1)?;
            let mut item = self.view.at(at);
            if item.is::<Shown>() && !may_equal {
                continue;
            }
            let equal = self.call.context.call_native_fn_raw("==", true, &mut [&mut item, &mut wanted.clone()]);
            match equal.map_err(|error| *error) {
                Ok(answer) if answer.as_bool() == Ok(true) => return Ok(Some(at)),
                Ok(_) | Err(EvalAltResult::ErrorFunctionNotFound(..)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(None)
    }

    fn filter(&self) -> Result<Array, Failure> {
        let mut kept = Array::new();
        for at in 0..self.view.len() {
            let item = self.view.at(at);
            if self.holds(item.clone(), at)? {
                self.call.bound(kept.len() + 1)?;
                kept.push(item);
            }
        }
        Ok(kept)
    }

    fn map(&self) -> Result<Array, Failure> {
        self.call.bound(self.view.len())?;
        (0..self.view.len()).map(|at| self.ask([self.view.at(at)], at)).collect()
    }

    fn find_map(&self, start: usize) -> Result<Dynamic, Failure> {
        for at in start..self.view.len() {
            let answer = self.ask([self.view.at(at)], at)?;
            if !answer.is_unit() {
                return Ok(answer);
            }
        }
        Ok(Dynamic::UNIT)
    }

    /// The closure knows the item as `this`.
    fn for_each(&self) -> Result<Dynamic, Failure> {
        let Some(function) = self.function else { return Ok(Dynamic::UNIT) };
        for at in 0..self.view.len() {
            self.call.charge(1)?;
            let (mut item, context) = (self.view.at(at), &self.call.context);
            let _ = function.call_raw_with_extra_args(self.name, context, Some(&mut item), [], [index(at)], None)?;
        }
        Ok(Dynamic::UNIT)
    }

    fn reduce(&self, places: impl Iterator<Item = usize>, first: Option<&Dynamic>) -> Result<Dynamic, Failure> {
        let mut sum = first.cloned().unwrap_or(Dynamic::UNIT);
        for at in places {
            sum = self.ask([sum, self.view.at(at)], at)?;
        }
        Ok(sum)
    }
}

impl Call<'_> {
    /// Fails if a list of so many items may not be made.
    pub(super) fn bound(&self, items: usize) -> Result<(), Failure> {
        let most = self.context.engine().max_array_size();
        if most > 0 && items > most {
            let what = "Size of array".to_owned();
            return Err(EvalAltResult::ErrorDataTooLarge(what, self.context.call_position()).into());
        }
        Ok(())
    }
}

/// Lets scripts index a view and loop over it.
pub(super) fn register(engine: &mut Engine) {
    engine.register_type_with_name::<View>("resources");
    engine.register_indexer_get(|view: &mut View, index: INT| {
        let index = if index < 0 { index.saturating_add(INT::try_from(view.len()).unwrap_or(INT::MAX)) } else { index };
        usize::try_from(index).map_or(Dynamic::UNIT, |index| view.at(index))
    });
    let mut iterators = Module::new();
    iterators
        .set_iter(TypeId::of::<View>(), |view| Box::new(view.try_cast::<View>().into_iter().flat_map(View::items)));
    engine.register_global_module(iterators.into());
}
