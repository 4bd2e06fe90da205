//! Lists, and what Rhai's own text and list functions answer over nothing.

use std::any::TypeId;
use std::borrow::Cow;
use std::collections::HashSet;
use std::rc::Rc;

use rhai::{Array, Dynamic, Engine, EvalAltResult, INT, ImmutableString, NativeCallContext, Position};

use super::closure::{self, Items};
use super::view::{self, View};
use super::{Call, Env, Failure, Family, Lowered, Row, as_shown, as_text, text_or_nothing};
use crate::record::Kind;
use crate::script::predicate::{LONG_LIST, LONG_TEXT, Value};
use crate::script::value::{Shown, to_json};

pub(super) const FAMILY: Family = Family {
    name: "Lists",
    doc: "Beside Rhai's own list functions (`some`, `all`, `filter`, `map`, `find`, `contains`, `len`, `is_empty`, `index_of`, …), which are null-safe here and take a single object for a list of one, since EC2 writes it so. A closure is given the item, and its place if it has a second parameter; where it must say yes or no, `()` is no, and anything else than `true` and `false` is a fault.",
    rows: &[
        Row {
            name: "list",
            params: &["value"],
            doc: "A list as it is, nothing for `()` and `\"\"`, else a list of the one value.",
            examples: &[r#"list([1, 2]) == [1, 2]"#, r#"list("a") == ["a"]"#, r#"list(()) == []"#, r#"list("") == []"#],
            run: |_, args| {
                let value = &args[0];
                Ok(if value.is_unit() || as_text(value).is_some_and(|text| text.is_empty()) {
                    Array::new().into()
                } else if value.is_array() || value.is::<View>() || as_shown(value).is_some_and(|shown| shown.is_list())
                {
                    value.clone()
                } else {
                    Array::from([value.clone()]).into()
                })
            },
        },
        Row {
            name: "first",
            params: &["list"],
            doc: "The first item; `()` if there is none.",
            examples: &["first([3, 4]) == 3", "first([]) == ()", "first(()) == ()"],
            run: |_, args| Ok(items(&args[0]).next().unwrap_or(Dynamic::UNIT)),
        },
        Row {
            name: "join",
            params: &["list", "separator"],
            doc: "The scalars of a list as one text; `()` is left out.",
            examples: &[r#"join(["a", 2, ()], ", ") == "a, 2""#, r#"join((), ",") == """#],
            run: |call, args| {
                let separator = as_text(&args[1]).unwrap_or_default();
                let most = call.context.engine().max_string_size();
                let mut text = String::new();
                let mut is_first = true;
                for item in items(&args[0]).filter(|item| !item.is_unit()) {
                    call.charge(1)?;
                    if !std::mem::take(&mut is_first) {
                        text.push_str(&separator);
                    }
                    match as_letters(&item).map_or_else(|| Err(to_json(&item)), Ok) {
                        Ok(part) => text.push_str(&part),
                        Err(serde_json::Value::String(part)) => text.push_str(&part),
                        Err(other) => text.push_str(&other.to_string()),
                    }
                    if most > 0 && text.len() > most {
                        return Err(too_long());
                    }
                }
                Ok(text.into())
            },
        },
        Row {
            name: "flatten",
            params: &["list"],
            doc: "The items of the lists in a list; `()` in the place of a list is left out, and one in a list stays.",
            examples: &["flatten([[1, 2], (), [3], 4]) == [1, 2, 3, 4]"],
            run: |call, args| {
                let mut flat = Array::new();
                for item in items(&args[0]) {
                    if item.is_array() || item.is::<Shown>() || item.is::<View>() {
                        for inner in items(&item) {
                            call.bound(flat.len() + 1)?;
                            flat.push(inner);
                        }
                    } else if !item.is_unit() {
                        call.bound(flat.len() + 1)?;
                        flat.push(item);
                    }
                    call.charge(1)?;
                }
                Ok(flat.into())
            },
        },
        Row {
            name: "unique",
            params: &["list"],
            doc: "The different items of a list, in the order of their first occurrence.",
            examples: &[r#"unique(["b", "a", "b"]) == ["b", "a"]"#],
            run: |call, args| {
                let mut seen = HashSet::new();
                kept(call, items(&args[0]), |item| seen.insert(name_of(item)))
            },
        },
        Row {
            name: "overlap",
            params: &["a", "b"],
            doc: "The items of the first list that are in the second, too.",
            examples: &[r#"overlap(["a", "b"], ["b", "c"]) == ["b"]"#, "overlap((), [1]) == []"],
            run: |call, args| {
                let mut right = HashSet::new();
                for item in items(&args[1]) {
                    call.charge(4)?;
                    right.insert(name_of(&item));
                }
                kept(call, items(&args[0]), |item| right.contains(&name_of(item)))
            },
        },
    ],
    lowered: &[
        ("first", 1, Lowered::Of(first)),
        ("len", 1, Lowered::Of(|args| length(&args[0]).map(Value::Int))),
        ("is_empty", 1, Lowered::Of(|args| length(&args[0]).map(|length| Value::Bool(length == 0)))),
        ("to_lower", 1, Lowered::Of(|args| changed(&args[0], str::to_lowercase))),
        ("to_upper", 1, Lowered::Of(|args| changed(&args[0], str::to_uppercase))),
        ("trim", 1, Lowered::Of(|args| part(&args[0], str::trim))),
        ("sub_string", 2, Lowered::Of(sub_string)),
        ("sub_string", 3, Lowered::Of(sub_string)),
        ("parse_int", 1, Lowered::Of(parse_int)),
        ("split", 2, Lowered::Makes(split)),
        ("split", 3, Lowered::Makes(split)),
        ("replace", 3, Lowered::Makes(replace)),
        ("keys", 1, Lowered::Makes(keys)),
        ("values", 1, Lowered::Makes(values)),
        ("join", 2, Lowered::Makes(join)),
        ("unique", 1, Lowered::Makes(unique)),
        ("flatten", 1, Lowered::Makes(flatten)),
        ("extract", 2, Lowered::Makes(extract)),
        ("extract", 3, Lowered::Makes(extract)),
    ],
};

/// What equal items have alike, and no others: whether it is text, and the text, or the JSON of anything else.
fn name_of(item: &Dynamic) -> (bool, ImmutableString) {
    match as_letters(item) {
        Some(text) => (true, text),
        None => (false, to_json(item).to_string().into()),
    }
}

/// A text, or a letter as the text that it is.
fn as_letters(item: &Dynamic) -> Option<ImmutableString> {
    as_text(item).or_else(|| item.as_char().ok().map(|letter| letter.to_string().into()))
}

/// The first item, asked without Rhai.
fn first<'a>(args: &[Value<'a>]) -> Option<Value<'a>> {
    match &args[0] {
        Value::Part(part) if part.kind() == Kind::List => Some(Value::of_field(part.items().next())),
        Value::Part(part) => Some(Value::Part(*part)),
        Value::List(list) => Some(list.first().cloned().unwrap_or(Value::Unit)),
        Value::Unread(_) | Value::Other => None,
        _ => Some(Value::Unit),
    }
}

/// A new text in the place of a text; of anything else there is none.
fn changed<'a>(value: &Value<'a>, change: fn(&str) -> String) -> Option<Value<'a>> {
    text_or_nothing(value, |text| made(change(text)), Value::Unit)
}

/// A part of a text; of anything else there is none.
fn part<'a>(value: &Value<'a>, find: impl Fn(&str) -> &str) -> Option<Value<'a>> {
    match value {
        Value::Text(Cow::Borrowed(text)) => Some(Value::of_text(find(text))),
        value => text_or_nothing(value, |text| made(find(text).to_owned()), Value::Unit),
    }
}

fn made<'a>(text: String) -> Value<'a> {
    Value::Text(Cow::Owned(text))
}

/// From a place on, counted from the end if negative, perhaps so many letters.
fn sub_string<'a>(args: &[Value<'a>]) -> Option<Value<'a>> {
    let number = |arg: &Value<'_>| match arg {
        Value::Int(number) => Some(Some(*number)),
        Value::Other => None,
        _ => Some(None),
    };
    let start = number(&args[1])?;
    let letters = args.get(2).map_or(Some(Some(INT::MAX)), number)?;
    let (Some(start), Some(letters)) = (start, letters) else { return nothing_of(&args[0], Value::Unit) };
    part(&args[0], |text| {
        let from = match usize::try_from(start.unsigned_abs()).unwrap_or(usize::MAX) {
            place if start < 0 => text.chars().count().saturating_sub(place),
            place => place,
        };
        let byte = |text: &str, letters: usize| text.char_indices().nth(letters).map_or(text.len(), |(at, _)| at);
        let text = &text[byte(text, from)..];
        &text[..byte(text, usize::try_from(letters.max(0)).unwrap_or(usize::MAX))]
    })
}

fn parse_int<'a>(args: &[Value<'a>]) -> Option<Value<'a>> {
    text_or_nothing(&args[0], |text| text.trim().parse().map_or(Value::Unit, Value::Int), Value::Unit)
}

/// Texts between separators, perhaps so many at most.
fn split<'a>(args: &[Value<'a>]) -> Option<Value<'a>> {
    let most = match args.get(2) {
        None => usize::MAX,
        Some(Value::Int(most)) => usize::try_from(*most).unwrap_or(0).max(1),
        Some(_) => return None,
    };
    match (&args[0], &args[1]) {
        // Rhai does not ask what stands between nothing.
        (text @ Value::Text(letters), Value::Text(_)) if letters.is_empty() => list([text.clone()].into_iter()),
        (Value::Text(Cow::Borrowed(text)), Value::Text(by)) => list(text.splitn(most, &**by).map(Value::of_text)),
        (Value::Text(text), Value::Text(by)) => list(text.splitn(most, &**by).map(|part| made(part.to_owned()))),
        // Lists are cut in two by numbers.
        (Value::Unit | Value::Bool(_), Value::Text(_)) => list(std::iter::empty()),
        _ => None,
    }
}

fn replace<'a>(args: &[Value<'a>]) -> Option<Value<'a>> {
    match (&args[0], &args[1], &args[2]) {
        (Value::Text(text), Value::Text(old), Value::Text(new)) => {
            let size = text.len().saturating_add(text.matches(&**old).count().saturating_mul(new.len()));
            (size <= LONG_TEXT).then(|| made(text.replace(&**old, new)))
        }
        (Value::Unit, ..) => Some(Value::Unit),
        _ => None,
    }
}

fn keys<'a>(args: &[Value<'a>]) -> Option<Value<'a>> {
    match &args[0] {
        Value::Part(part) => list(part.entries().map(|(name, _)| Value::of_text(name))),
        Value::Map(members) => list(members.iter().map(|(name, _)| Value::of_text(name))),
        value => nothing_of(value, Value::List(Rc::default())),
    }
}

fn values<'a>(args: &[Value<'a>]) -> Option<Value<'a>> {
    match &args[0] {
        Value::Part(part) => list(part.entries().map(|(_, value)| Value::of(value))),
        Value::Map(members) => list(members.iter().map(|(_, value)| value.clone())),
        value => nothing_of(value, Value::List(Rc::default())),
    }
}

/// The items of a value; `None` where that is left to Rhai.
fn items_of<'a>(value: &Value<'a>) -> Option<Vec<Value<'a>>> {
    match value {
        Value::Part(part) if part.len() > LONG_LIST => None,
        Value::Part(part) if part.kind() == Kind::List => Some(part.items().map(Value::of).collect()),
        Value::Part(part) => Some(vec![Value::Part(*part)]),
        Value::List(list) => Some(list.to_vec()),
        Value::Unread(_) | Value::Other => None,
        _ => Some(Vec::new()),
    }
}

fn join<'a>(args: &[Value<'a>]) -> Option<Value<'a>> {
    let separator = match &args[1] {
        Value::Text(separator) => separator,
        Value::Other => return None,
        _ => "",
    };
    let mut text = String::new();
    for (at, item) in items_of(&args[0])?.iter().filter(|item| **item != Value::Unit).enumerate() {
        if at > 0 {
            text.push_str(separator);
        }
        item.write(&mut text)?;
    }
    Some(made(text))
}

fn unique<'a>(args: &[Value<'a>]) -> Option<Value<'a>> {
    let mut kept: Vec<Value<'a>> = Vec::new();
    for item in items_of(&args[0])? {
        match item {
            Value::Unit | Value::Bool(_) | Value::Int(_) | Value::Text(_) if kept.contains(&item) => {}
            Value::Unit | Value::Bool(_) | Value::Int(_) | Value::Text(_) => kept.push(item),
            // Lists and objects are alike if their JSON is.
            _ => return None,
        }
    }
    Value::list(kept)
}

fn flatten<'a>(args: &[Value<'a>]) -> Option<Value<'a>> {
    let mut flat = Vec::new();
    for item in items_of(&args[0])? {
        match item {
            Value::Unit => {}
            Value::Part(_) | Value::List(_) => flat.extend(items_of(&item)?),
            Value::Unread(_) | Value::Other => return None,
            other => flat.push(other),
        }
    }
    list(flat.into_iter())
}

/// The items from a place on, counted from the end if negative, perhaps so many.
fn extract<'a>(args: &[Value<'a>]) -> Option<Value<'a>> {
    let (Value::Int(start), Value::Int(length)) = (&args[1], args.get(2).unwrap_or(&Value::Int(INT::MAX))) else {
        return None;
    };
    list(part_of(&items_of(&args[0])?, *start, *length).into_iter())
}

/// So many items from a place on, counted from the end if negative.
fn part_of<T: Clone>(items: &[T], start: INT, length: INT) -> Vec<T> {
    let from = match usize::try_from(start.unsigned_abs()).unwrap_or(usize::MAX) {
        place if start < 0 => items.len().saturating_sub(place),
        place => place,
    };
    items.iter().skip(from).take(usize::try_from(length.max(0)).unwrap_or(usize::MAX)).cloned().collect()
}

/// A list, unless it is long.
fn list<'a>(items: impl Iterator<Item = Value<'a>>) -> Option<Value<'a>> {
    Value::list(items.take(LONG_LIST + 1).collect())
}

/// What a function answers over what it is not for; `None` where that is left to Rhai.
fn nothing_of<'a>(value: &Value<'a>, nothing: Value<'a>) -> Option<Value<'a>> {
    (!matches!(value, Value::Unread(_) | Value::Other)).then_some(nothing)
}

/// Items of a list, members of an object, letters of a text; nothing else has any.
fn length(value: &Value<'_>) -> Option<INT> {
    let length = match value {
        Value::Part(part) => part.len(),
        Value::List(list) => list.len(),
        Value::Map(members) => members.len(),
        Value::Text(text) => text.chars().count(),
        Value::Unread(_) | Value::Other => return None,
        _ => 0,
    };
    INT::try_from(length).ok()
}

/// The items of anything that is a list, each when it is asked for; a shown map is a list of itself; nothing else has items.
pub(super) fn items(value: &Dynamic) -> Box<dyn Iterator<Item = Dynamic> + '_> {
    if let Some(array) = value.read_lock::<Array>() {
        return Box::new((0..array.len()).filter_map(move |at| array.get(at).cloned()));
    }
    match View::of(value) {
        Some(view) => Box::new(view.items()),
        None => Box::new(as_shown(value).into_iter().flat_map(|shown| shown.items())),
    }
}

/// The items that are wanted, as a list.
fn kept(
    call: &Call<'_>,
    items: impl Iterator<Item = Dynamic>,
    mut wants: impl FnMut(&Dynamic) -> bool,
) -> Result<Dynamic, Failure> {
    let mut kept = Array::new();
    for item in items {
        call.charge(4)?;
        if wants(&item) {
            call.bound(kept.len() + 1)?;
            kept.push(item);
        }
    }
    Ok(kept.into())
}

fn too_long() -> Failure {
    EvalAltResult::ErrorDataTooLarge("Length of string".to_owned(), Position::NONE).into()
}

/// What a function of Rhai's answers over nothing.
#[derive(Clone, Copy)]
enum Nothing {
    Unit,
    False,
    True,
    Zero,
    Minus,
    List,
}

impl From<Nothing> for Dynamic {
    fn from(nothing: Nothing) -> Self {
        match nothing {
            Nothing::Unit => Dynamic::UNIT,
            Nothing::False => false.into(),
            Nothing::True => true.into(),
            Nothing::Zero => INT::default().into(),
            Nothing::Minus => INT::from(-1).into(),
            Nothing::List => Array::new().into(),
        }
    }
}

/// Functions of Rhai's own packages that are made null-safe: name, number of parameters, the answer over nothing, and
/// whether they are of lists (so that a list of a record, or a view, is handed on as an array).
const STANDARD: &[(&str, usize, Nothing, bool)] = &[
    ("starts_with", 2, Nothing::False, false),
    ("ends_with", 2, Nothing::False, false),
    ("to_lower", 1, Nothing::Unit, false),
    ("to_upper", 1, Nothing::Unit, false),
    ("sub_string", 2, Nothing::Unit, false),
    ("sub_string", 3, Nothing::Unit, false),
    ("split", 1, Nothing::List, false),
    ("split", 2, Nothing::List, true),
    ("split", 3, Nothing::List, false),
    ("split_rev", 2, Nothing::List, false),
    ("split_rev", 3, Nothing::List, false),
    ("to_chars", 1, Nothing::List, false),
    ("chars", 1, Nothing::List, false),
    ("bytes", 1, Nothing::Zero, false),
    ("trim", 1, Nothing::Unit, false),
    ("replace", 3, Nothing::Unit, false),
    ("parse_int", 1, Nothing::Unit, false),
    ("parse_int", 2, Nothing::Unit, false),
    ("parse_float", 1, Nothing::Unit, false),
    ("to_int", 1, Nothing::Unit, false),
    ("to_float", 1, Nothing::Unit, false),
    ("abs", 1, Nothing::Unit, false),
    ("contains", 2, Nothing::False, true),
    ("index_of", 2, Nothing::Minus, true),
    ("index_of", 3, Nothing::Minus, true),
    ("len", 1, Nothing::Zero, true),
    ("is_empty", 1, Nothing::True, true),
    ("some", 2, Nothing::False, true),
    ("all", 2, Nothing::True, true),
    ("filter", 2, Nothing::List, true),
    ("map", 2, Nothing::List, true),
    ("find", 2, Nothing::Unit, true),
    ("find", 3, Nothing::Unit, true),
    ("find_map", 2, Nothing::Unit, true),
    ("find_map", 3, Nothing::Unit, true),
    ("reduce", 2, Nothing::Unit, true),
    ("reduce", 3, Nothing::Unit, true),
    ("reduce_rev", 2, Nothing::Unit, true),
    ("reduce_rev", 3, Nothing::Unit, true),
    ("for_each", 2, Nothing::Unit, true),
    ("extract", 2, Nothing::List, true),
    ("extract", 3, Nothing::List, true),
    ("zip", 3, Nothing::List, true),
    ("order", 1, Nothing::List, true),
    ("order", 2, Nothing::List, true),
    ("order_by", 2, Nothing::List, true),
    ("order_desc", 1, Nothing::List, true),
    ("get", 2, Nothing::Unit, true),
    ("keys", 1, Nothing::List, false),
    ("values", 1, Nothing::List, false),
    ("min", 2, Nothing::Unit, false),
    ("max", 2, Nothing::Unit, false),
];

/// Whether a function of Rhai's that is made null-safe leaves its first argument as it is; closures given to `for_each`
/// can change the items.
pub(super) fn is_pure(name: &str) -> bool {
    name != "for_each" && STANDARD.iter().any(|(known, ..)| *known == name)
}

/// Makes Rhai's own text and list functions null-safe, and gives them the lists of records.
pub(super) fn register_standard(engine: &mut Engine, env: &Rc<Env>) {
    let max_text = engine.max_string_size();
    for &(name, arity, nothing, of_lists) in STANDARD {
        let env = Rc::clone(env);
        engine.register_raw_fn(
            name,
            vec![TypeId::of::<Dynamic>(); arity],
            move |context: NativeCallContext<'_>, args: &mut [&mut Dynamic]| {
                let args: Vec<Dynamic> = args.iter().map(|arg| arg.flatten_clone()).collect();
                let call = Call { env: &env, context };
                call.charge(1)?;
                over_anything(&call, name, &args, nothing, of_lists)
            },
        );
    }
    // Rhai's own change the text in place and give nothing back: `event.x.trim() == "y"` would be false for ever.
    engine.register_fn("trim", |text: ImmutableString| text.trim().to_owned());
    let most = max_text;
    engine.register_fn("replace", move |text: ImmutableString, old: ImmutableString, new: ImmutableString| {
        // Before it is made: one call could make a text of any size.
        let size = text.len().saturating_add(text.matches(old.as_str()).count().saturating_mul(new.len()));
        if size > most {
            return Err(too_long());
        }
        Ok(text.replace(old.as_str(), &new))
    });
    engine.register_fn("parse_int", |text: ImmutableString| {
        text.trim().parse::<INT>().map_or(Dynamic::UNIT, Dynamic::from)
    });
    engine.register_fn("parse_float", |text: ImmutableString| {
        text.trim().parse::<f64>().map_or(Dynamic::UNIT, Dynamic::from)
    });
    // Rhai's own copies the list and dispatches `==` for each item.
    engine.register_fn("contains", |list: &mut Array, wanted: ImmutableString| {
        list.iter().any(|item| match item.as_char() {
            Ok(letter) => wanted.chars().eq([letter]),
            Err(_) => item.read_lock::<ImmutableString>().is_some_and(|item| *item == wanted),
        })
    });
    // Rhai's own do not take a part of a constant, though they leave it as it is.
    engine.register_fn("extract", |list: &mut Array, start: INT| part_of(list, start, INT::MAX));
    engine.register_fn("extract", |list: &mut Array, start: INT, length: INT| part_of(list, start, length));
    engine.register_fn("keys", |value: &mut Shown| value.keys());
    engine.register_fn("values", |value: &mut Shown| value.values());
}

fn over_anything(
    call: &Call<'_>,
    name: &str,
    args: &[Dynamic],
    nothing: Nothing,
    of_lists: bool,
) -> Result<Dynamic, Failure> {
    let value = &args[0];
    let shown = as_shown(value);
    let is_map = shown.as_ref().is_some_and(|shown| !shown.is_list());
    let view = View::of(value);
    if let Some(view) = &view
        && let Some(answer) = view::over(call, name, view, &args[1..])?
    {
        return Ok(answer);
    }
    match name {
        "len" if shown.is_some() => {
            let count = shown.map_or(0, |shown| shown.0.view().len());
            return Ok(INT::try_from(count).unwrap_or(INT::MAX).into());
        }
        "is_empty" if shown.is_some() => return Ok(shown.is_some_and(|shown| shown.0.view().is_empty()).into()),
        "get" | "contains" if is_map => {
            let (Some(shown), Some(key)) = (shown, as_text(&args[1])) else { return Ok(nothing.into()) };
            return Ok(if name == "get" { shown.get(&key) } else { shown.0.view().get(&key).is_some().into() });
        }
        _ => {}
    }
    if of_lists && (view.is_some() || shown.is_some()) {
        call.bound(view.map_or(0, |view| view.len()))?;
        let array: Array = items(value).collect();
        call.charge(array.len())?;
        if let Some(answer) = closure::over(call, name, &Items::In(&array), &args[1..])? {
            return Ok(answer);
        }
        let mut args: Vec<Dynamic> = args.to_vec();
        args[0] = array.into();
        let mut references: Vec<&mut Dynamic> = args.iter_mut().collect();
        return call.context.call_native_fn_raw(name, true, &mut references);
    }
    // An array whose other argument is of the wrong kind would come here again: what it asks for is not in it.
    if name == "contains"
        && let Some(array) = value.read_lock::<Array>()
    {
        let wanted = to_json(&args[1]);
        call.charge(array.len())?;
        return Ok(array.iter().any(|item| to_json(item) == wanted).into());
    }
    if matches!(name, "reduce" | "reduce_rev") && args.len() == 3 {
        return Ok(args[2].clone());
    }
    if matches!(name, "min" | "max") {
        // Nothing is neither: the other is the answer.
        return Ok(args.iter().find(|arg| !arg.is_unit()).cloned().unwrap_or(Dynamic::UNIT));
    }
    Ok(nothing.into())
}
