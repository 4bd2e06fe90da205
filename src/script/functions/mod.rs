//! The functions that scripts can call, in families, each a table of name, doc, example and function.
//!
//! *Law*: a function takes any value in any place. Over `()` and over a scalar of the wrong kind it answers as over
//! nothing; only a mistake in the policy's own text (a pattern that does not parse, a kind that is not declared) fails.

mod arn;
mod call;
mod closure;
mod inventory;
mod json;
mod list;
mod net;
mod text;
mod time;
mod view;

pub(crate) use self::arn::{arn_member, is_arn};
pub(crate) use self::call::{ACTOR, TRACED, account_in, actor_member, region_in};
pub(crate) use self::closure::Pool;
pub(crate) use self::inventory::LISTING;
pub(crate) use self::net::parse as parse_block;
pub(crate) use self::text::{compile_glob, compile_regex};
pub use self::time::{parse_duration, parse_time};

use std::any::TypeId;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use jiff::Timestamp;
use rhai::{Dynamic, Engine, EvalAltResult, ImmutableString, NativeCallContext, Position};

use super::predicate::{Function, Value};
use super::value::{Shown, show};
use super::{Script, memory};
use crate::inventory::{Finder, Inventory, When};
use crate::record::{CLOUDTRAIL, Node, Record, Scope};
use view::View;

/// What a failed function gives.
type Failure = Box<EvalAltResult>;
/// A function of the table: any values in, a value out.
type Run = fn(&Call<'_>, &[Dynamic]) -> Result<Dynamic, Failure>;

/// One function that scripts can call.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    /// The names of its parameters.
    pub(crate) params: &'static [&'static str],
    /// One or two sentences of Markdown.
    pub(crate) doc: &'static str,
    /// Expressions that are true; run as tests and printed in the reference.
    pub(crate) examples: &'static [&'static str],
    run: Run,
}

/// Why a function that takes a text of some notation as an argument, counted from 0, fails of this one, or has no answer.
pub(crate) fn text_mistake(function: &str, argument: usize, text: &str) -> Option<String> {
    let none = |is_one: bool, what: &str| (!is_one).then(|| format!("`{text}` is no {what}"));
    match (function, argument) {
        ("glob", 1) => compile_glob(text).err(),
        ("regex" | "regex_find", 1) => compile_regex(text).err(),
        ("jsonpath", 1) => json::select(&serde_json::Value::Null, text).err(),
        ("duration", 0) => none(parse_duration(text).is_some(), "duration: write `90d`, `12h`, `1d12h`"),
        ("time" | "age", 0) => none(parse_time(text).is_some(), "time: write `2024-05-14T12:00:00Z`"),
        ("is_world" | "cidr_size", 0) | ("cidr_contains" | "cidr_overlaps", 0 | 1) | ("ip_in_cidr", 1) => {
            none(net::parse(text).is_some(), "block of addresses: write `10.0.0.0/8`, `fd00::/8`")
        }
        _ => None,
    }
}

/// A family of functions.
pub(crate) struct Family {
    pub(crate) name: &'static str,
    pub(crate) doc: &'static str,
    pub(crate) rows: &'static [Row],
    /// Those of them that can be asked without Rhai: name, number of parameters, how.
    pub(crate) lowered: &'static [(&'static str, usize, Lowered)],
}

/// How a function is asked without Rhai.
#[derive(Clone, Copy)]
pub(crate) enum Lowered {
    /// By a function of the same arguments.
    Of(Function),
    /// By a function of the same arguments whose answer may be larger than what it is given: Rhai may fail of it.
    Makes(Function),
    /// By functions of paths into the record that is judged, which is the only argument: the answer is that of the one
    /// function, or whether all of them are true.
    OfEvent(&'static [(Function, &'static [&'static [&'static str]])]),
}

/// How the function of that name and number of parameters is asked without Rhai, if it can be.
pub(crate) fn lowered(name: &str, arity: usize) -> Option<Lowered> {
    let all = FAMILIES.iter().flat_map(|family| family.lowered);
    all.copied().find(|(known, params, _)| *known == name && *params == arity).map(|(_, _, how)| how)
}

/// Whether a function that is no script's own leaves its first argument as it is.
pub(crate) fn is_pure(name: &str) -> bool {
    let is_operator = !name.starts_with(|letter: char| letter.is_alphabetic() || letter == '_');
    is_operator
        || FAMILIES.iter().flat_map(|family| family.rows).any(|row| row.name == name)
        || list::is_pure(name)
        || ["curry", "Fn", "type_of", "print", "debug", "is_def_fn", "is_def_var"].contains(&name)
}

/// Whether a function that is no policy's own does nothing but give an answer.
pub(crate) fn gives_only(name: &str) -> bool {
    let is_of_prelude = || super::PRELUDE.contains(&format!("\nfn {name}("));
    !["print", "debug"].contains(&name) && (is_pure(name) || is_of_prelude())
}

/// Whether a function takes the record that is judged, whole, and nothing else.
pub(crate) fn takes_record(name: &str) -> bool {
    let mut rows = FAMILIES.iter().flat_map(|family| family.rows);
    rows.any(|row| row.name == name && row.params == ["event"])
}

/// Every family, in the order of the reference.
pub(crate) const FAMILIES: &[Family] = &[
    call::FAMILY,
    net::FAMILY,
    arn::FAMILY,
    time::FAMILY,
    text::FAMILY,
    json::FAMILY,
    list::FAMILY,
    inventory::FAMILY,
];

/// What functions know besides their arguments.
pub(crate) struct Env {
    pub(crate) inventory: Arc<Inventory>,
    pub(crate) now: Timestamp,
    /// The record that is judged.
    pub(crate) record: RefCell<Option<Record>>,
    /// Whether the script may ask who began a session.
    pub(crate) traces: Cell<bool>,
    /// Inventory kinds that the policy declares; nothing where there is no policy, and all may be looked at.
    pub(crate) uses: RefCell<Option<Arc<[String]>>>,
    /// Inventory kinds without which the policy cannot judge.
    pub(crate) needs: RefCell<Arc<[String]>>,
    /// What the script knows by name everywhere: `params` and its constants.
    pub(crate) constants: RefCell<Rc<HashMap<String, Dynamic>>>,
    /// The variables that the script assigns to.
    pub(crate) assigned: RefCell<Rc<BTreeSet<String>>>,
    /// What the script's closures are called with.
    pub(crate) closures: RefCell<Pool>,
    /// Bytes that were allocated while a script ran and are not its own: indexes and views of the inventory.
    pub(crate) shared_bytes: Cell<i64>,
    /// Operations of Rhai since a hook was called.
    pub(crate) steps: Cell<u64>,
    /// Operations that native functions charge beside them.
    pub(crate) charged: Cell<u64>,
    pub(crate) max_operations: u64,
    /// What `print` and `debug` wrote.
    pub(crate) printed: RefCell<Vec<String>>,
    compiled: RefCell<Compiled>,
    views: RefCell<Views>,
    finders: RefCell<Finders>,
    unwrapped: RefCell<Vec<(&'static str, Node, Dynamic)>>,
}

/// By kind, the resources that the last record's scope saw of it: records of one scope follow one another.
type Views = HashMap<String, (Scope, When, View)>;

/// By kind and key, the look-ups that were made ready.
type Finders = HashMap<String, HashMap<String, Rc<Finder>>>;

/// Patterns that were compiled once. Bounded: a script that makes patterns up gets a new table.
#[derive(Default)]
struct Compiled {
    regexes: HashMap<ImmutableString, regex::Regex>,
    globs: HashMap<ImmutableString, globset::GlobMatcher>,
}

/// Compiled patterns kept at a time.
const MAX_COMPILED: usize = 256;

impl Env {
    pub(crate) fn new(inventory: Arc<Inventory>, now: Timestamp, max_operations: u64) -> Rc<Self> {
        Rc::new(Self {
            inventory,
            now,
            record: RefCell::default(),
            traces: Cell::new(false),
            uses: RefCell::default(),
            needs: RefCell::new(Arc::from([])),
            constants: RefCell::default(),
            assigned: RefCell::default(),
            closures: RefCell::default(),
            shared_bytes: Cell::new(0),
            steps: Cell::new(0),
            charged: Cell::new(0),
            max_operations,
            printed: RefCell::default(),
            compiled: RefCell::default(),
            views: RefCell::default(),
            finders: RefCell::default(),
            unwrapped: RefCell::default(),
        })
    }

    /// Begins to judge a record by a script, or by an expression: what was remembered about the last one goes.
    pub(crate) fn judge(
        &self,
        record: &Record,
        script: Option<&Script>,
        assigned: &Rc<BTreeSet<String>>,
        closures: &Pool,
    ) {
        let same = self.record.borrow().as_ref().is_some_and(|last| last.value.is_same(&record.value));
        if !same {
            self.unwrapped.borrow_mut().clear();
            *self.record.borrow_mut() = Some(record.clone());
        }
        if let Some(script) = script {
            *self.uses.borrow_mut() = Some(Arc::clone(&script.uses));
            *self.needs.borrow_mut() = Arc::clone(&script.needs);
            self.traces.set(script.traces);
        }
        *self.assigned.borrow_mut() = Rc::clone(assigned);
        *self.closures.borrow_mut() = Rc::clone(closures);
        self.steps.set(0);
        self.charged.set(0);
        self.shared_bytes.set(0);
    }

    /// What scripts printed since the last time this was asked.
    pub(crate) fn take_printed(&self) -> Vec<String> {
        self.printed.take()
    }

    /// Does something with the scope of the record.
    fn in_scope<T>(&self, work: impl FnOnce(&Scope) -> T) -> T {
        match &*self.record.borrow() {
            Some(record) => work(&record.scope),
            None => work(&Scope::default()),
        }
    }

    /// At what time things are looked up: that of an event; for a resource that is judged, now.
    fn when(&self) -> When {
        let record = self.record.borrow();
        let event = record.as_ref().filter(|record| &*record.kind == CLOUDTRAIL);
        event.and_then(|event| event.time).map_or(When::Now, When::At)
    }

    /// At what time things are looked up that must have been seen by then; `None` for an event that has no time.
    fn before(&self) -> Option<When> {
        let record = self.record.borrow();
        match record.as_ref().filter(|record| &*record.kind == CLOUDTRAIL) {
            Some(event) => event.time.map(When::Before),
            None => Some(When::Now),
        }
    }

    /// The resources of a kind that the record's scope sees, as they were at its time.
    fn view(&self, kind: &str) -> View {
        let when = if self.inventory.has_past(kind) { self.when() } else { When::Now };
        self.in_scope(|scope| {
            let mut views = self.views.borrow_mut();
            match views.get(kind) {
                Some((of, then, view)) if of == scope && *then == when => view.clone(),
                _ => self.shared(|| {
                    let view = View(Rc::new(self.inventory.view_when(kind, scope, when)));
                    views.insert(kind.to_owned(), (scope.clone(), when, view.clone()));
                    view
                }),
            }
        })
    }

    /// The look-ups of a kind by a key.
    fn finder(&self, kind: &str, key: &str) -> Rc<Finder> {
        let mut finders = self.finders.borrow_mut();
        match finders.get(kind).and_then(|keys| keys.get(key)) {
            Some(finder) => Rc::clone(finder),
            None => self.shared(|| {
                let finder = Rc::new(self.inventory.finder(kind, key));
                finders.entry(kind.to_owned()).or_default().insert(key.to_owned(), Rc::clone(&finder));
                finder
            }),
        }
    }

    /// Does something for all scripts: what it allocates is not held against the one that asked first.
    fn shared<T>(&self, work: impl FnOnce() -> T) -> T {
        let before = memory::held();
        let done = work();
        self.shared_bytes.set(self.shared_bytes.get() + memory::held() - before);
        done
    }
}

/// One call of a function.
pub(crate) struct Call<'a> {
    env: &'a Env,
    context: NativeCallContext<'a>,
}

impl Call<'_> {
    /// Charges work that Rhai does not see.
    fn charge(&self, operations: usize) -> Result<(), Failure> {
        let charged = self.env.charged.get().saturating_add(operations as u64);
        self.env.charged.set(charged);
        if charged > self.env.max_operations {
            return Err(EvalAltResult::ErrorTooManyOperations(self.context.call_position()).into());
        }
        Ok(())
    }

    /// A mistake in the policy's own text.
    fn fail(&self, reason: impl Into<String>) -> Failure {
        EvalAltResult::ErrorRuntime(reason.into().into(), self.context.call_position()).into()
    }

    /// Gives up on the record: it cannot be judged. A script cannot catch this.
    fn not_evaluated(&self, reason: String) -> Failure {
        EvalAltResult::ErrorTerminated(Dynamic::from(NotEvaluated(reason)), Position::NONE).into()
    }
}

/// Why a record cannot be judged; travels as the token of a terminated script.
#[derive(Clone)]
pub(crate) struct NotEvaluated(pub(crate) String);

/// The text of a value that is text.
fn as_text(value: &Dynamic) -> Option<ImmutableString> {
    value.read_lock::<ImmutableString>().map(|text| text.clone())
}

/// The value of a record that a value shows.
fn as_shown(value: &Dynamic) -> Option<Shown> {
    value.read_lock::<Shown>().map(|shown| shown.clone())
}

/// A document made by a function, as scripts see it.
fn made(value: &serde_json::Value) -> Dynamic {
    show(&Node::from(crate::record::Document::from(value)))
}

/// What is made of a text; `otherwise` for any other value; `None` for one that is left to Rhai.
fn text_or_nothing<'a>(
    value: &Value<'a>,
    ask: impl FnOnce(&str) -> Value<'a>,
    otherwise: Value<'a>,
) -> Option<Value<'a>> {
    match value {
        Value::Text(text) => Some(ask(text)),
        Value::Other => None,
        _ => Some(otherwise),
    }
}

/// Text if there is some, else `()`.
fn optional(text: Option<impl Into<ImmutableString>>) -> Dynamic {
    text.map_or(Dynamic::UNIT, |text| text.into().into())
}

/// Makes every function of the table callable.
pub(crate) fn register(engine: &mut Engine, env: &Rc<Env>) {
    for row in FAMILIES.iter().flat_map(|family| family.rows) {
        register_row(engine, env, row, vec![TypeId::of::<Dynamic>(); row.params.len()]);
        // Rhai prefers exact types, so where a package of its own has the same name ours must be as exact.
        if row.params.len() == 1 {
            register_row(engine, env, row, vec![TypeId::of::<ImmutableString>()]);
            register_row(engine, env, row, vec![TypeId::of::<rhai::Map>()]);
        }
    }
    list::register_standard(engine, env);
    view::register(engine);
    closure::register(engine, env);
}

fn register_row(engine: &mut Engine, env: &Rc<Env>, row: &'static Row, types: Vec<TypeId>) {
    let env = Rc::clone(env);
    engine.register_raw_fn(row.name, types, move |context: NativeCallContext<'_>, args: &mut [&mut Dynamic]| {
        let args: Vec<Dynamic> = args.iter().map(|arg| arg.flatten_clone()).collect();
        let call = Call { env: &env, context };
        let text: usize = args.iter().filter_map(|arg| arg.read_lock::<ImmutableString>().map(|text| text.len())).sum();
        call.charge(1 + text / 64)?;
        (row.run)(&call, &args)
    });
}

/// Every function that policies can call, in the notation of Rhai's definition files (`.d.rhai`).
pub fn definitions() -> String {
    let mut out = String::from("module static;\n");
    for row in FAMILIES.iter().flat_map(|family| family.rows) {
        out.push('\n');
        for line in row.doc.lines().chain(["", "```rhai"]).chain(row.examples.iter().copied()).chain(["```"]) {
            out.push_str(format!("/// {line}").trim_end());
            out.push('\n');
        }
        let params: Vec<String> = row.params.iter().map(|name| format!("{name}: ?")).collect();
        out.push_str(&format!("fn {}({}) -> ?;\n", row.name, params.join(", ")));
    }
    for part in super::PRELUDE.split("\n\n").filter(|part| part.starts_with("///")) {
        let lines = part.lines().take_while(|line| line.starts_with("///") || line.starts_with("fn "));
        out.push('\n');
        for line in lines {
            let Some((head, params)) = line.strip_prefix("fn ").and_then(|line| line.split_once('(')) else {
                out.push_str(&format!("{line}\n"));
                continue;
            };
            let params = params.split(')').next().unwrap_or_default().split(',').map(str::trim);
            let params: Vec<String> = params.filter(|name| !name.is_empty()).map(|name| format!("{name}: ?")).collect();
            out.push_str(&format!("fn {head}({}) -> ?;\n", params.join(", ")));
        }
    }
    out
}

/// The reference of the policy language's functions, in Markdown: every family, every function, its examples.
pub fn reference() -> String {
    let mut out = String::from(include_str!("reference.md"));
    for family in FAMILIES {
        out.push_str(&format!("\n## {}\n\n{}\n", family.name, family.doc));
        for row in family.rows {
            out.push_str(&format!("\n### `{}({})`\n\n{}\n\n```rhai\n", row.name, row.params.join(", "), row.doc));
            for example in row.examples {
                out.push_str(example);
                out.push('\n');
            }
            out.push_str("```\n");
        }
    }
    out.push_str("\n## Prelude\n\nHelpers that are written in Rhai; this is their text.\n\n```rhai\n");
    let start = super::PRELUDE.find("///").unwrap_or(0);
    out.push_str(super::PRELUDE[start..].trim_end());
    out.push_str("\n```\n");
    out
}
