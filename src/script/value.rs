//! Shows a JSON value to a script without copying it.
//!
//! Scalars become Rhai's own values when they are read; lists and maps stay in their document and are shown as a
//! [`Shown`], which a script indexes, iterates and passes around for the price of a reference count.

use rhai::{Array, Dynamic, Engine, EvalAltResult, FuncRegistration, INT, ImmutableString, Map, Module, Position};
use serde_json::Value;

use crate::record::{Kind, Node, Ref};

/// A list or a map inside a record, as scripts see it.
#[derive(Clone)]
pub(crate) struct Shown(pub(crate) Node);

/// A value of a record as a script sees it: scalars converted, containers shown.
pub(crate) fn show(node: &Node) -> Dynamic {
    show_ref(node, node.view())
}

fn show_ref(within: &Node, value: Ref<'_>) -> Dynamic {
    match value.kind() {
        Kind::Null => Dynamic::UNIT,
        Kind::Bool => value.as_bool().unwrap_or_default().into(),
        Kind::Int => value.as_i64().unwrap_or_default().into(),
        Kind::Float => value.as_f64().unwrap_or_default().into(),
        Kind::Text => value.as_str().unwrap_or_default().into(),
        Kind::List | Kind::Map => Dynamic::from(Shown(within.share(value))),
    }
}

impl Shown {
    pub(crate) fn is_list(&self) -> bool {
        self.0.view().kind() == Kind::List
    }

    pub(crate) fn get(&self, key: &str) -> Dynamic {
        self.0.view().get(key).map_or(Dynamic::UNIT, |value| show_ref(&self.0, value))
    }

    /// The item at an index, counted from the end if negative; `()` outside of the list.
    fn at(&self, index: INT) -> Dynamic {
        let view = self.0.view();
        let index = if index < 0 { index.saturating_add(INT::try_from(view.len()).unwrap_or(INT::MAX)) } else { index };
        usize::try_from(index)
            .ok()
            .and_then(|index| view.items().nth(index))
            .map_or(Dynamic::UNIT, |value| show_ref(&self.0, value))
    }

    /// The items of a list, each shown when it is asked for; a map is a list of itself, since EC2 writes a list of one element
    /// as the element.
    pub(crate) fn items(&self) -> impl Iterator<Item = Dynamic> + use<> {
        let itself = (!self.is_list()).then(|| Dynamic::from(self.clone()));
        itself.into_iter().chain(self.0.items().map(|item| show(&item)))
    }

    pub(crate) fn keys(&self) -> Array {
        self.0.view().entries().map(|(key, _)| key.into()).collect()
    }

    pub(crate) fn values(&self) -> Array {
        self.0.view().entries().map(|(_, value)| show_ref(&self.0, value)).collect()
    }
}

/// A script's value as JSON. What JSON cannot hold (a function) is written as its Rhai type in angle brackets.
pub(crate) fn to_json(value: &Dynamic) -> Value {
    if value.is_unit() {
        return Value::Null;
    }
    if let Ok(flag) = value.as_bool() {
        return flag.into();
    }
    if let Ok(number) = value.as_int() {
        return number.into();
    }
    if let Ok(number) = value.as_float() {
        return number.into();
    }
    if let Some(text) = value.read_lock::<ImmutableString>() {
        return text.as_str().into();
    }
    if let Some(shown) = value.read_lock::<Shown>() {
        return shown.0.view().to_json();
    }
    if let Some(items) = value.read_lock::<Array>() {
        return items.iter().map(to_json).collect();
    }
    if let Some(map) = value.read_lock::<Map>() {
        return map.iter().map(|(key, value)| (key.to_string(), to_json(value))).collect();
    }
    if let Ok(letter) = value.as_char() {
        return letter.to_string().into();
    }
    format!("<{}>", value.type_name()).into()
}

/// JSON as a script's own value (a copy: for parameters and for what functions compute).
pub(crate) fn from_json(value: &Value) -> Dynamic {
    match value {
        Value::Null => Dynamic::UNIT,
        Value::Bool(flag) => (*flag).into(),
        Value::Number(number) => {
            number.as_i64().map_or_else(|| number.as_f64().unwrap_or(f64::MAX).into(), Dynamic::from)
        }
        Value::String(text) => text.as_str().into(),
        Value::Array(items) => items.iter().map(from_json).collect::<Array>().into(),
        Value::Object(members) => {
            let map: Map = members.iter().map(|(key, value)| (key.as_str().into(), from_json(value))).collect();
            map.into()
        }
    }
}

/// Properties that Rhai's own texts and lists, and numbers, have: those keep their meaning.
const OF_TEXT_AND_LISTS: &[&str] = &["len", "is_empty", "chars", "bytes"];
const OF_NUMBERS: &[&str] = &[
    "bits",
    "is_odd",
    "is_even",
    "is_zero",
    "ceiling",
    "floor",
    "fraction",
    "int",
    "is_finite",
    "is_infinite",
    "is_nan",
    "round",
];

/// Whether a step of that name into text, a list or a number means something of Rhai's own.
pub(crate) fn is_own_property(name: &str) -> bool {
    OF_TEXT_AND_LISTS.contains(&name) || OF_NUMBERS.contains(&name)
}

/// Makes steps by the name of a property null-safe. A getter is faster than the indexer, and the only way to give a
/// property to Rhai's own scalars, so that a step into text is `()` and not an error.
pub(crate) fn register_property(engine: &mut Engine, property: &str) {
    let key: ImmutableString = property.into();
    let name = format!("get${property}");
    engine.register_fn(name.as_str(), move |value: &mut Shown| value.get(&key));
    engine.register_fn(name.as_str(), |(): &mut ()| ());
    if !OF_TEXT_AND_LISTS.contains(&property) {
        engine.register_fn(name.as_str(), |_: &mut ImmutableString| ());
        engine.register_fn(name.as_str(), |_: &mut Array| ());
    }
    if !OF_NUMBERS.contains(&property) {
        engine.register_fn(name.as_str(), |_: &mut INT| ());
        engine.register_fn(name.as_str(), |_: &mut f64| ());
    }
    engine.register_fn(name.as_str(), |_: &mut bool| ());
    engine.register_fn(name.as_str(), |_: &mut char| ());
    // After a method was called on a property, Rhai sets the property anew; where that fails in this way it goes on. Without
    // these it would put both failures into words first, which takes longer than most methods do.
    // Pure, which they are: Rhai would refuse others on what is constant.
    let setter = || FuncRegistration::new_setter(property).with_purity(true);
    setter().register_into_engine(engine, |_: &mut Shown, _: Dynamic| fixed(EvalAltResult::ErrorDotExpr));
    setter().register_into_engine(engine, |(): &mut (), _: Dynamic| fixed(EvalAltResult::ErrorDotExpr));
}

/// What a script is told that assigns to a part of the record.
const FIXED: &str = "what is judged cannot be changed";

fn fixed(error: fn(String, Position) -> EvalAltResult) -> Result<(), Box<EvalAltResult>> {
    Err(error(FIXED.to_owned(), Position::NONE).into())
}

/// Makes every other step into a value null-safe.
pub(crate) fn register(engine: &mut Engine) {
    engine.register_type_with_name::<Shown>("value");
    let setter = || FuncRegistration::new_index_setter().with_purity(true);
    setter().register_into_engine(engine, |_: &mut Shown, _: ImmutableString, _: Dynamic| {
        fixed(EvalAltResult::ErrorIndexingType)
    });
    setter().register_into_engine(engine, |(): &mut (), _: ImmutableString, _: Dynamic| {
        fixed(EvalAltResult::ErrorIndexingType)
    });
    engine
        .register_indexer_get(|value: &mut Shown, key: ImmutableString| value.get(&key))
        .register_indexer_get(|value: &mut Shown, index: INT| value.at(index))
        .register_indexer_get(|(): &mut (), _: ImmutableString| ())
        .register_indexer_get(|(): &mut (), _: INT| ())
        .register_indexer_get(|_: &mut Shown, (): ()| ())
        .register_indexer_get(|(): &mut (), (): ()| ())
        .register_indexer_get(|_: &mut bool, _: ImmutableString| ())
        .register_indexer_get(|_: &mut bool, _: INT| ())
        .register_indexer_get(|_: &mut f64, _: ImmutableString| ())
        .register_indexer_get(|_: &mut f64, _: INT| ())
        .register_indexer_get(|_: &mut char, _: ImmutableString| ())
        .register_indexer_get(|_: &mut char, _: INT| ());
    engine.on_invalid_array_index(|_, _, _| Ok(Dynamic::UNIT.into()));

    engine
        .register_fn("==", |a: Shown, b: Shown| a.0.is_same(&b.0) || a.0.view() == b.0.view())
        .register_fn("!=", |a: Shown, b: Shown| a.0.view() != b.0.view())
        .register_fn("==", |a: Shown, b: Array| a.is_list() && to_json(&b.into()) == a.0.view().to_json())
        .register_fn("==", |a: Array, b: Shown| b.is_list() && to_json(&a.into()) == b.0.view().to_json())
        .register_fn("!=", |a: Shown, b: Array| !a.is_list() || to_json(&b.into()) != a.0.view().to_json())
        .register_fn("!=", |a: Array, b: Shown| !b.is_list() || to_json(&a.into()) != b.0.view().to_json())
        .register_fn("==", |a: Shown, b: Map| !a.is_list() && to_json(&b.into()) == a.0.view().to_json())
        .register_fn("==", |a: Map, b: Shown| !b.is_list() && to_json(&a.into()) == b.0.view().to_json())
        .register_fn("!=", |a: Shown, b: Map| a.is_list() || to_json(&b.into()) != a.0.view().to_json())
        .register_fn("!=", |a: Map, b: Shown| b.is_list() || to_json(&a.into()) != b.0.view().to_json());
    engine.register_fn("to_string", |value: &mut Shown| value.0.view().to_json().to_string());
    engine.register_fn("to_debug", |value: &mut Shown| value.0.view().to_json().to_string());

    let mut iterators = Module::new();
    iterators.set_iter(std::any::TypeId::of::<Shown>(), |value| {
        Box::new(value.try_cast::<Shown>().into_iter().flat_map(|shown| shown.items()))
    });
    for nothing in [
        std::any::TypeId::of::<()>(),
        std::any::TypeId::of::<bool>(),
        std::any::TypeId::of::<INT>(),
        std::any::TypeId::of::<f64>(),
    ] {
        iterators.set_iter_result(nothing, |_| Box::new(std::iter::empty()));
    }
    engine.register_global_module(iterators.into());
}

/// The innermost error and where it happened.
pub(crate) fn innermost(error: EvalAltResult) -> (EvalAltResult, Position) {
    let position = error.position();
    match error {
        EvalAltResult::ErrorInFunctionCall(_, _, inner, outer) => {
            let (inner, position) = innermost(*inner);
            (inner, if position.is_none() { outer } else { position })
        }
        other => (other, position),
    }
}
