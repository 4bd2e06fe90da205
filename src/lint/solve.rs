//! Decides tests by what is known of fields: what `when` wants, and what was asked before.
//!
//! *Law*: what is decided is so whatever the record's own types are. `when` takes `false` and `"false"` for equal and scripts
//! do not, so a value of `when` may be one or the other, and what may be equal is told apart from what surely is.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use serde_json::Value as Json;

use super::subject::Subject;
use crate::diagnostic::{Diagnostic, Level};
use crate::script::reading::{Base, Comparison, Path, Relation, Step, Test, Value};

/// Whether an answer is yes because of a test or in spite of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Polarity {
    /// The test must hold, or helps.
    Positive,
    /// The test must not hold, or its opposite helps.
    Negative,
}

impl Polarity {
    fn turned(self) -> Self {
        match self {
            Self::Positive => Self::Negative,
            Self::Negative => Self::Positive,
        }
    }
}

/// What an answer is made of.
#[derive(Clone, Copy, Debug)]
pub(super) enum Atom<'t> {
    /// A comparison.
    Compare(&'t Comparison),
    /// Whether something is empty.
    Empty(&'t Value, &'t crate::script::reading::Place),
    /// Whether some, or all, of a list pass.
    Each(&'t Value, bool, &'t crate::script::reading::Place),
}

/// The test that an answer is.
pub(super) fn test_of(answer: &Value) -> Test {
    match answer {
        Value::Answer(test) => (**test).clone(),
        Value::Literal(Json::Bool(known)) => Test::Always(*known),
        _ => Test::Unknown,
    }
}

/// Everything that an answer is made of.
pub(super) fn parts(answer: &Value) -> Vec<(Atom<'_>, Polarity)> {
    let mut out = Vec::new();
    if let Value::Answer(test) = answer {
        collect(test, Polarity::Positive, &mut out);
    }
    out
}

/// The comparisons that an answer is made of.
pub(super) fn atoms(answer: &Value) -> Vec<(&Comparison, Polarity)> {
    let comparison = |(atom, polarity)| match atom {
        Atom::Compare(comparison) => Some((comparison, polarity)),
        _ => None,
    };
    parts(answer).into_iter().filter_map(comparison).collect()
}

fn collect<'t>(test: &'t Test, polarity: Polarity, out: &mut Vec<(Atom<'t>, Polarity)>) {
    match test {
        Test::Compare(comparison) => out.push((Atom::Compare(comparison), polarity)),
        Test::Empty(value, place) => out.push((Atom::Empty(value, place), polarity)),
        Test::Each { list, all, test, place } => {
            out.push((Atom::Each(list, *all, place), polarity));
            collect(test, polarity, out);
        }
        Test::Not(inner) => collect(inner, polarity.turned(), out),
        Test::All(parts) | Test::Any(parts) => parts.iter().for_each(|part| collect(part, polarity, out)),
        Test::Always(_) | Test::Call(..) | Test::Unknown => {}
    }
}

/// A field, by its path.
type Field = Vec<String>;

/// What a scalar that is spelt so is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Form {
    Text,
    /// A number, `true` or `false`.
    Plain,
    /// One or the other.
    Either,
}

/// A scalar as it is spelt; `None` is absent.
type Scalar = Option<(String, Form)>;

/// What a field may be.
#[derive(Clone, Debug, Default)]
struct May {
    /// One of these; anything if there is none.
    be: Option<BTreeSet<Scalar>>,
    /// None of these.
    not_be: BTreeSet<Scalar>,
}

/// What is known of fields.
#[derive(Clone, Debug, Default)]
pub(super) struct Known(BTreeMap<Field, May>);

impl Known {
    /// What a policy's `when` says.
    pub(super) fn by_when(subject: &Subject<'_>) -> Self {
        let conditions = subject.header().when.conditions.iter();
        let may = |any_of: &[Option<String>]| May {
            be: Some(any_of.iter().map(|text| text.clone().map(wanted)).collect()),
            ..May::default()
        };
        Self(conditions.map(|condition| (condition.path.clone(), may(&condition.any_of))).collect())
    }

    /// The texts that a field of the event can be, if each is known.
    pub(super) fn texts(&self, field: &str) -> Option<Vec<String>> {
        let possible = self.0.get(std::slice::from_ref(&field.to_owned()))?.possible()?;
        possible.into_iter().map(|value| value.map(|(text, _)| text)).collect()
    }

    /// Whether a test holds, as far as it is known.
    pub(super) fn decide(&self, test: &Test) -> Option<bool> {
        match test {
            Test::Always(known) => Some(*known),
            Test::Compare(comparison) => self.compare(comparison),
            Test::Not(inner) => self.decide(inner).map(|known| !known),
            Test::All(parts) => self.joined(parts, true),
            Test::Any(parts) => self.joined(parts, false),
            Test::Call(name, args, _) => self.call(name, args),
            Test::Empty(..) | Test::Each { .. } | Test::Unknown => None,
        }
    }

    /// What a function answers of the record: what it answered before, or what the code of the call says.
    fn call(&self, name: &str, args: &[Value]) -> Option<bool> {
        let field = asked_of_record(name, args)?;
        let answered = self.0.get(&field).and_then(|may| may.is_one_of(&[of_flag(true)].into()));
        let codes = || self.0.get(&code_field()).and_then(May::possible).filter(|possible| !possible.is_empty());
        answered.or_else(|| {
            let is_refuted = match name {
                "succeeded" => codes()?.iter().all(is_code),
                "refused" | "is_dry_run" => !codes()?.iter().any(is_code),
                _ => false,
            };
            is_refuted.then_some(false)
        })
    }

    fn joined(&self, parts: &[Test], unit: bool) -> Option<bool> {
        let mut known = self.clone();
        let mut all_are = true;
        for part in parts {
            match known.decide(part) {
                Some(decided) if decided != unit => return Some(!unit),
                Some(_) => {}
                None => all_are = false,
            }
            known.assume(part, unit);
        }
        all_are.then_some(unit)
    }

    /// Takes a test for granted, or its opposite.
    pub(super) fn assume(&mut self, test: &Test, holds: bool) {
        match (test, holds) {
            (Test::Compare(comparison), _) => {
                let Some((field, values)) = choices(comparison) else { return };
                let may = self.0.entry(field).or_default();
                if !holds {
                    may.not_be.extend(values);
                } else if let Some(be) = &mut may.be {
                    be.retain(|value| values.iter().any(|other| may_equal(value, other)));
                } else {
                    may.be = Some(values);
                }
            }
            (Test::Call(name, args, _), _) => {
                let Some(field) = asked_of_record(name, args) else { return };
                self.0.entry(field).or_default().be = Some([of_flag(holds)].into());
                let codes = self.0.entry(code_field()).or_default();
                match name.as_str() {
                    "succeeded" if holds => {
                        let none = NO_CODE.map(|code| code.map(|text| (text.to_owned(), Form::Text)));
                        match &mut codes.be {
                            Some(be) => be.retain(|code| !is_code(code)),
                            nothing => *nothing = Some(none.into()),
                        }
                        for side in ["responseElements", "response()"] {
                            let sign_in = [side, "ConsoleLogin"].map(str::to_owned).to_vec();
                            let failure = Some(("Failure".to_owned(), Form::Text));
                            self.0.entry(sign_in).or_default().not_be.insert(failure);
                        }
                    }
                    "refused" | "is_dry_run" if holds => {
                        codes.not_be.extend(NO_CODE.map(|code| code.map(|text| (text.to_owned(), Form::Text))));
                    }
                    _ => {}
                }
            }
            (Test::Not(inner), _) => self.assume(inner, !holds),
            (Test::All(parts), true) | (Test::Any(parts), false) => {
                parts.iter().for_each(|part| self.assume(part, holds));
            }
            _ => {}
        }
    }

    fn compare(&self, comparison: &Comparison) -> Option<bool> {
        if let Value::Part(of, _) = &comparison.left
            && matches!(comparison.relation, Relation::Equal | Relation::In)
            && of.path().is_some_and(|path| path.is_field(&["errorCode"]))
        {
            // A part of no code is no code.
            let codes = self.0.get(&code_field()).and_then(May::possible).filter(|possible| !possible.is_empty())?;
            let wants_one = comparison.right.iter().all(|value| value.text().is_some_and(|text| !text.is_empty()));
            return (wants_one && !codes.iter().any(is_code)).then_some(false);
        }
        let may = self.0.get(&field(comparison.left.path()?)?)?;
        if let Some((_, values)) = choices(comparison) {
            return may.is_one_of(&values);
        }
        let holds = |value: &Scalar| text_holds(comparison, value.as_ref());
        let be = may.possible()?;
        let holding: Option<Vec<bool>> = be.iter().map(holds).collect();
        let holding = holding?;
        match (holding.iter().all(|held| *held), holding.iter().any(|held| *held)) {
            _ if holding.is_empty() => None,
            (true, _) => Some(true),
            (_, false) => Some(false),
            _ => None,
        }
    }
}

impl May {
    /// What it can be, if that is known.
    fn possible(&self) -> Option<Vec<Scalar>> {
        let be = self.be.as_ref()?;
        Some(be.iter().filter(|value| !self.not_be.iter().any(|other| surely_equal(value, other))).cloned().collect())
    }

    fn is_one_of(&self, values: &BTreeSet<Scalar>) -> Option<bool> {
        let surely = |value: &Scalar| values.iter().any(|other| surely_equal(value, other));
        let perhaps = |value: &Scalar| values.iter().any(|other| may_equal(value, other));
        match self.possible() {
            // What cannot be is told once, where it became so.
            Some(possible) if possible.is_empty() => None,
            Some(possible) if possible.iter().all(surely) => Some(true),
            Some(possible) if !possible.iter().any(perhaps) => Some(false),
            Some(_) => None,
            None => {
                values.iter().all(|value| self.not_be.iter().any(|other| surely_equal(value, other))).then_some(false)
            }
        }
    }
}

/// What is written in place of a code where a call has none.
const NO_CODE: [Option<&str>; 2] = [None, Some("")];

fn code_field() -> Field {
    vec!["errorCode".to_owned()]
}

/// Whether a value of `errorCode` is a code.
fn is_code(value: &Scalar) -> bool {
    !NO_CODE.contains(&value.as_ref().map(|(text, _)| text.as_str()))
}

fn of_flag(flag: bool) -> Scalar {
    Some((flag.to_string(), Form::Plain))
}

/// What a function says of the whole record is known as a field of it: it says the same again.
fn asked_of_record(name: &str, args: &[Value]) -> Option<Field> {
    match args {
        [Value::Path(path)] if path.base == Base::Record && path.steps.is_empty() => Some(vec![format!("{name}()")]),
        _ => None,
    }
}

/// The field of a path through objects.
fn field(path: &Path) -> Option<Field> {
    let prefix = match path.base {
        Base::Record => None,
        Base::Request => Some("request()"),
        Base::Response => Some("response()"),
        Base::Actor => Some("actor()"),
        Base::Resource(_) | Base::Resources(_) => return None,
    };
    let names = path.steps.iter().map(|step| match step {
        Step::Name(name) => Some(name.clone()),
        Step::Item => None,
    });
    prefix.map(|prefix| Some(prefix.to_owned())).into_iter().chain(names).collect()
}

/// The field that a comparison is about, and the values that it wants; `None` if it is of another kind.
fn choices(comparison: &Comparison) -> Option<(Field, BTreeSet<Scalar>)> {
    if !matches!(comparison.relation, Relation::Equal | Relation::In) {
        return None;
    }
    let values: Option<BTreeSet<Scalar>> = comparison.right.iter().map(scalar).collect();
    Some((field(comparison.left.path()?)?, values?))
}

/// A value of `when`: of what is spelt like a number or a boolean nobody knows which the record has.
fn wanted(text: String) -> (String, Form) {
    let is_plain = text.parse::<f64>().is_ok() || matches!(text.as_str(), "true" | "false");
    (text, if is_plain { Form::Either } else { Form::Text })
}

/// A scalar as it is spelt; `Some(None)` for `()`.
fn scalar(value: &Value) -> Option<Scalar> {
    match value.literal()? {
        Json::Null => Some(None),
        Json::String(text) => Some(Some((text.clone(), Form::Text))),
        Json::Bool(flag) => Some(Some((flag.to_string(), Form::Plain))),
        Json::Number(number) => Some(Some((number.to_string(), Form::Plain))),
        _ => None,
    }
}

fn may_equal(one: &Scalar, two: &Scalar) -> bool {
    let number = |text: &str| text.parse::<f64>().ok();
    match (one, two) {
        (None, None) => true,
        (Some((one, _)), Some((two, _))) => one == two || number(one).is_some_and(|value| number(two) == Some(value)),
        _ => false,
    }
}

fn surely_equal(one: &Scalar, two: &Scalar) -> bool {
    match (one, two) {
        (Some((a, Form::Text)), Some((b, Form::Text))) => a == b,
        (Some((_, Form::Plain)), Some((_, Form::Plain))) => may_equal(one, two),
        (None, None) => true,
        _ => false,
    }
}

/// Whether a scalar passes a comparison of text; `None` if that is not known.
fn text_holds(comparison: &Comparison, scalar: Option<&(String, Form)>) -> Option<bool> {
    let parts: Option<Vec<&str>> = comparison.right.iter().map(Value::text).collect();
    let parts = parts?;
    let is_text = matches!(comparison.relation, Relation::StartsWith | Relation::EndsWith | Relation::Contains);
    let text = match scalar {
        _ if !is_text => return None,
        Some((_, Form::Either)) => return None,
        Some((text, Form::Text)) => text,
        _ => return Some(false),
    };
    let holds = |part: &&str| match comparison.relation {
        Relation::StartsWith => text.starts_with(part),
        Relation::EndsWith => text.ends_with(part),
        _ => text.contains(part),
    };
    Some(parts.iter().any(holds))
}

/// A comparison in the policy's own file, and whether what is written there holds wherever it is asked.
pub(super) struct Decided<'t> {
    pub(super) comparison: &'t Comparison,
    pub(super) holds: bool,
}

/// A remark on a comparison that never holds: an error if `matches` can never be true for it, as `a && …`; a warning where
/// something else may make it true, and in other hooks. What a library asks besides is for other policies to need.
pub(super) fn graded(subject: &Subject<'_>, never: &Comparison, diagnostic: Diagnostic) -> Option<Diagnostic> {
    let test = subject.matches().map_or(Test::Unknown, |matches| test_of(&matches.answer));
    if Known::by_when(subject).decide(&without(&test, never)) == Some(false) {
        return Some(Diagnostic { level: Level::Error, ..diagnostic });
    }
    (never.place.file == 0).then_some(Diagnostic { level: Level::Warning, ..diagnostic })
}

/// The test where a function says no of the record; `None` where not all of the test is understood, or where it is asked for
/// that answer.
pub(super) fn where_not(test: &Test, function: &str) -> Option<Test> {
    let inner = |tests: &[Test]| tests.iter().map(|test| where_not(test, function)).collect::<Option<Vec<_>>>();
    Some(match test {
        Test::Call(name, args, _) if name == function && asked_of_record(name, args).is_some() => Test::Always(false),
        Test::Not(test) if matches!(&**test, Test::Call(name, ..) if name == function) => return None,
        Test::Not(test) => Test::Not(Box::new(where_not(test, function)?)),
        Test::All(tests) => Test::All(inner(tests)?),
        Test::Any(tests) => Test::Any(inner(tests)?),
        Test::Unknown => return None,
        other => other.clone(),
    })
}

/// The test where a comparison is false.
fn without(test: &Test, never: &Comparison) -> Test {
    let inner = |tests: &[Test]| tests.iter().map(|test| without(test, never)).collect();
    match test {
        Test::Compare(comparison)
            if comparison.place == never.place && format!("{:?}", comparison.left) == format!("{:?}", never.left) =>
        {
            Test::Always(false)
        }
        Test::Not(test) => Test::Not(Box::new(without(test, never))),
        Test::All(tests) => Test::All(inner(tests)),
        Test::Any(tests) => Test::Any(inner(tests)),
        Test::Each { list, all, test, place } => {
            let test = without(test, never);
            // Of no list an item passes then; an empty one passes what all must.
            if !all && Known::default().decide(&test) == Some(false) {
                return Test::Always(false);
            }
            Test::Each { list: list.clone(), all: *all, test: Box::new(test), place: place.clone() }
        }
        other => other.clone(),
    }
}

/// Where the comparisons of `matches` stand that are always so, or never; nothing if all of it is never true, which is told
/// as that.
pub(super) fn settled(subject: &Subject<'_>, holds: bool) -> Vec<Range<usize>> {
    let Some(matches) = subject.matches() else { return Vec::new() };
    let test = test_of(&matches.answer);
    let known = Known::by_when(subject);
    if known.decide(&test) == Some(false) {
        return Vec::new();
    }
    let all = decided(&test, &known).into_iter().filter(|decided| decided.holds == holds);
    all.map(|decided| decided.comparison.place.span.clone()).collect()
}

/// The comparisons of `matches` that are decided by `when` and by what is asked before them.
pub(super) fn decided<'t>(test: &'t Test, known: &Known) -> Vec<Decided<'t>> {
    let mut seen: Vec<(&Comparison, Vec<Option<bool>>)> = Vec::new();
    walk(test, &mut known.clone(), &mut |comparison, holds| match seen
        .iter_mut()
        .find(|(other, _)| other.place == comparison.place)
    {
        Some((_, found)) => found.push(holds),
        None => seen.push((comparison, vec![holds])),
    });
    let own = seen.into_iter().filter(|(comparison, _)| comparison.place.file == 0 && !comparison.is_switch);
    own.filter_map(|(comparison, found)| {
        let holds = found[0]?;
        let is_written = holds != comparison.is_negated;
        found.iter().all(|other| *other == Some(holds)).then_some(Decided { comparison, holds: is_written })
    })
    .collect()
}

fn walk<'t>(test: &'t Test, known: &mut Known, see: &mut dyn FnMut(&'t Comparison, Option<bool>)) {
    match test {
        Test::Compare(comparison) => see(comparison, known.compare(comparison)),
        Test::Not(inner) => walk(inner, known, see),
        Test::Each { test, .. } => walk(test, known, see),
        Test::All(parts) | Test::Any(parts) => {
            let mut known = known.clone();
            for part in parts {
                walk(part, &mut known, see);
                known.assume(part, matches!(test, Test::All(_)));
            }
        }
        Test::Always(_) | Test::Empty(..) | Test::Call(..) | Test::Unknown => {}
    }
}
