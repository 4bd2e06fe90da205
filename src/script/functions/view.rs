//! What Rhai's list functions answer over a view of the inventory, item by item.
//!
//! *Law*: a view may be longer than any list. What these functions look at is bounded by operations alone; what they
//! make is a list like any other, and stops with a fault at the limit of lists, before it is made.

use std::any::TypeId;
use std::ops::{Range, RangeInclusive};
use std::rc::Rc;

use rhai::{Array, Dynamic, Engine, EvalAltResult, INT, Module};

use super::closure::{self, Items, index};
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

    pub(super) fn at(&self, index: usize) -> Dynamic {
        self.0.get(index).map_or(Dynamic::UNIT, |record| show(&record.value))
    }

    fn place(&self, index: INT) -> usize {
        closure::place(index, self.len())
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

    /// The first place, from `start` on, of a resource that equals a value.
    fn find(&self, call: &Call<'_>, wanted: &Dynamic, start: usize) -> Result<Option<usize>, Failure> {
        // A resource is a map: it equals no scalar.
        let may_equal = wanted.is::<Shown>() || wanted.is_map() || wanted.is_array();
        for at in start..self.len() {
            call.charge(1)?;
            let mut item = self.at(at);
            if item.is::<Shown>() && !may_equal {
                continue;
            }
            let equal = call.context.call_native_fn_raw("==", true, &mut [&mut item, &mut wanted.clone()]);
            match equal.map_err(|error| *error) {
                Ok(answer) if answer.as_bool() == Ok(true) => return Ok(Some(at)),
                Ok(_) | Err(EvalAltResult::ErrorFunctionNotFound(..)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(None)
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
    let start = args.get(1).and_then(|start| start.as_int().ok()).map_or(0, |start| view.place(start));
    Ok(Some(match (name, args) {
        ("len", []) => index(view.len()),
        ("is_empty", []) => (view.len() == 0).into(),
        ("get", [at]) => at.as_int().map_or(Dynamic::UNIT, |at| view.at(view.place(at))),
        ("extract", [_] | [_, _]) | ("split", [_]) => match view.part(args) {
            Some(part) => view.list(call, part)?.into(),
            None => return Ok(None),
        },
        ("contains", [wanted]) => view.find(call, wanted, 0)?.is_some().into(),
        ("index_of", [wanted] | [wanted, _]) if !wanted.is_fnptr() && args.get(1).is_none_or(Dynamic::is_int) => {
            view.find(call, wanted, start)?.map_or(INT::from(-1).into(), index)
        }
        _ => return closure::over(call, name, &Items::Of(view), args),
    }))
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
