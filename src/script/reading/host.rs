//! What is known of the functions of the host and of Rhai.

use serde_json::Value as Json;

use super::evaluate::Reader;
use super::expressions::{item_of, negated, some_item_of};
use super::{Base, Letters, Path, Place, Relation, Step, Test, Type, Value};
use crate::script::functions;
use crate::script::syntax::Span;

/// Functions that answer yes or no.
const TESTS: &[&str] = &[
    "succeeded",
    "refused",
    "is_dry_run",
    "is_console",
    "is_aws_service",
    "is_ip",
    "ip_in_cidr",
    "is_public_ip",
    "is_world",
    "cidr_contains",
    "cidr_overlaps",
    "is_arn",
    "same_principal",
    "is_true",
    "is_object",
    "collected",
];

/// Functions that answer with text, or `()`.
const TEXTS: &[&str] = &[
    "error_code",
    "account",
    "region",
    "to_json",
    "text",
    "regex_find",
    "base64_decode",
    "url_decode",
    "format_time",
    "join",
    "tag",
    "to_lower",
    "to_upper",
    "trim",
    "sub_string",
    "type_of",
    "to_string",
    "replace",
];

/// Functions that answer with a number, or `()`.
const NUMBERS: &[&str] = &["number", "now", "time", "age", "duration", "cidr_size", "index_of"];

/// Functions whose answer is made of all of what they are given, and may hold any part of it.
const WHOLE: &[&str] =
    &["jsonpath", "to_json", "parse_json", "statements", "keys", "values", "print", "debug", "call", "curry"];

/// Items of a list that is written out which are asked one by one.
const WRITTEN: usize = 32;

/// What `arn` tells of an ARN.
const OF_ARN: [&str; 7] = ["partition", "service", "region", "account", "resource", "type", "id"];

/// What a statement of an IAM policy may have: "IAM JSON policy element reference" in the IAM user guide.
const OF_STATEMENT: [&str; 9] =
    ["Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"];

/// A map with these members, of which nothing is known.
fn of_members(names: &[&str]) -> Value {
    Value::Map(names.iter().map(|name| ((*name).to_owned(), Value::Unknown)).collect())
}

/// A statement as `statements` gives it: what may be one text or a list is a list, if it is there.
fn statement() -> Value {
    let of = |name: &str| match name {
        "Sid" | "Effect" | "Condition" => Value::Unknown,
        _ => Value::ListOf(Box::default()).or(Value::Literal(Json::Null)),
    };
    Value::Map(OF_STATEMENT.iter().map(|name| ((*name).to_owned(), of(name))).collect())
}

impl Reader<'_> {
    /// What a function of the host or of Rhai answers.
    pub(super) fn host(&mut self, name: &str, args: &[Value], place: &Place, spans: Vec<Span>) -> Value {
        let first = args.first().cloned().unwrap_or_default();
        let is_record = matches!(&first, Value::Path(path) if path.base == Base::Record && path.steps.is_empty());
        let test = |test: Test| Value::Answer(Box::new(test));
        let kind = || args.first().and_then(Value::text).map(str::to_owned);
        let resources = || kind().map_or(Value::Unknown, |kind| Value::Path(Path::of(Base::Resources(kind))));
        match (name, args) {
            ("request", [_]) if is_record => self.part(Base::Request, &["requestParameters"], place),
            ("response", [_]) if is_record => self.part(Base::Response, &["responseElements"], place),
            ("error_code", [_]) if is_record => {
                let path = Path::of(Base::Record).then(Step::Name("errorCode".to_owned()));
                Value::Part(Box::new(Value::Path(path)), Letters::Any)
            }
            ("actor", [_]) if is_record => Value::Path(Path::of(Base::Actor)),
            ("arn", [_]) => of_members(&OF_ARN).or(Value::Literal(Json::Null)),
            ("statements", [_]) => Value::ListOf(Box::new(statement())),
            ("lookup", [_, ..]) => kind().map_or(Value::Unknown, |kind| Value::Path(Path::of(Base::Resource(kind)))),
            ("all", [Value::Literal(Json::String(_))]) => resources(),
            (look_up, [_, ..]) if functions::LISTING.contains(&look_up) => resources(),
            ("list" | "unique", [_]) => match first {
                Value::Literal(Json::Null) => Value::List(Vec::new()),
                one @ (Value::Made(Type::Text) | Value::Literal(_)) => Value::ListOf(Box::new(one)),
                Value::Path(path) if !matches!(path.base, Base::Resources(_)) || !path.steps.is_empty() => {
                    Value::ListOf(Box::new(item_of(Value::Path(path))))
                }
                list => list,
            },
            ("flatten", [_]) => Value::ListOf(Box::new(flat(first))),
            ("overlap", [_, _]) => first,
            ("first" | "shift" | "pop", [_]) => some_item_of(first),
            ("find", [_, closure]) => {
                self.ask(closure, item_of(first.clone()));
                some_item_of(first)
            }
            ("filter" | "retain" | "drain" | "extract" | "order_by" | "order" | "order_desc", [_, rest @ ..]) => {
                let item = item_of(first.clone());
                rest.iter().for_each(|closure| {
                    self.ask(closure, item.clone());
                });
                first
            }
            ("find_map", [_, closure]) => {
                let item = item_of(first);
                self.ask(closure, item).or(Value::Literal(Json::Null))
            }
            ("map", [_, closure]) => {
                let item = item_of(first);
                Value::ListOf(Box::new(self.ask(closure, item)))
            }
            // Of a list that is written out each item is asked.
            ("some" | "all", [Value::List(items), closure]) if items.len() <= WRITTEN => {
                let asked = items.iter().map(|item| self.ask(closure, item.clone()).truth()).collect();
                test(if name == "all" { super::answer::all(asked) } else { super::answer::any(asked) })
            }
            ("some" | "all", [_, closure]) => {
                let each = self.ask(closure, item_of(first.clone())).truth();
                test(Test::Each {
                    list: Box::new(first),
                    all: name == "all",
                    test: Box::new(each),
                    place: place.clone(),
                })
            }
            ("is_empty", [_]) => test(Test::Empty(Box::new(first), place.clone())),
            ("len", [_]) => Value::Length(Box::new(first)),
            ("contains", [_, needle]) => test(self.contains(first, needle.clone(), place, spans)),
            ("starts_with", [_, part]) => test(self.text(first, Relation::StartsWith, part, place, spans)),
            ("ends_with", [_, part]) => test(self.text(first, Relation::EndsWith, part, place, spans)),
            ("glob", [_, part]) => test(self.text(first, Relation::Glob, part, place, spans)),
            ("regex", [_, part]) => test(self.text(first, Relation::Regex, part, place, spans)),
            ("get", [_, Value::Literal(Json::String(key))]) => {
                let place = spans.get(1).map_or_else(|| place.clone(), |span| self.place(span));
                self.member(first, key, place)
            }
            ("jsonpath", [Value::Path(_), Value::Literal(Json::String(path))]) => {
                // Written out, without escapes: each name has a place of its own.
                let written = spans.get(1).filter(|span| span.len() == path.len() + 2);
                match written.map(|span| self.selected(first, path, span.start + 1)) {
                    None | Some(Value::Unknown) => self.others(name, args, is_record, place),
                    Some(found) => Value::ListOf(Box::new(found)),
                }
            }
            // Of what is not known nothing is known but this.
            ("to_lower", [_]) => part(first, Some(Letters::Small)),
            ("to_upper", [_]) => part(first, Some(Letters::Capital)),
            ("replace", [Value::Path(_) | Value::Part(..), ..]) => part(first, Some(Letters::Any)),
            ("trim" | "sub_string" | "regex_find", [Value::Path(_) | Value::Part(..), ..]) => part(first, None),
            ("split", [Value::Path(_) | Value::Part(..), ..]) => Value::ListOf(Box::new(part(first, None))),
            _ => self.others(name, args, is_record, place),
        }
    }

    fn others(&mut self, name: &str, args: &[Value], is_record: bool, place: &Place) -> Value {
        for arg in args {
            self.ask(arg, Value::Unknown);
        }
        let is_known = [TESTS, TEXTS, NUMBERS].iter().any(|names| names.contains(&name));
        // What a JSON path that is written out selects can be read in it.
        let is_written = name == "jsonpath" && args.get(1).is_some_and(|path| path.text().is_some());
        if is_record && !is_written && (WHOLE.contains(&name) || !is_known) {
            self.out.is_complete = false;
        }
        if TESTS.contains(&name) {
            Value::Answer(Box::new(Test::Call(name.to_owned(), args.to_vec(), place.clone())))
        } else if TEXTS.contains(&name) {
            Value::Made(Type::Text)
        } else if NUMBERS.contains(&name) {
            Value::Made(Type::Number)
        } else if name == "split" {
            Value::ListOf(Box::new(Value::Made(Type::Text)))
        } else {
            Value::Unknown
        }
    }

    /// What a JSON path that is written at `start` selects, as far as it names members and items.
    fn selected(&mut self, base: Value, path: &str, start: usize) -> Value {
        let (mut value, mut rest) = (base, path.strip_prefix('$').unwrap_or(".."));
        while !rest.is_empty() {
            let is_word = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
            let quoted = |quote| {
                let (name, rest) = rest.strip_prefix('[')?.strip_prefix(quote)?.split_once(quote)?;
                Some((name, rest.strip_prefix(']')?)).filter(|_| !name.contains('\\'))
            };
            let named =
                rest.strip_prefix('.').map(|rest| rest.split_at(rest.find(|c| !is_word(c)).unwrap_or(rest.len())));
            let member = named.filter(|(name, _)| !name.is_empty()).or_else(|| quoted('\'')).or_else(|| quoted('"'));
            let is_quoted = rest.starts_with("['") || rest.starts_with("[\"");
            let item = rest.strip_prefix("[*]").or_else(|| {
                let (number, rest) = rest.strip_prefix('[')?.split_once(']')?;
                number.parse::<i64>().ok().map(|_| rest)
            });
            (value, rest) = match (member, item) {
                (Some((name, rest)), _) => {
                    let end = start + path.len() - rest.len() - usize::from(is_quoted) * 2;
                    let place = self.place(&(end - name.len()..end));
                    (self.member(value, name, place), rest)
                }
                (None, Some(rest)) => (item_of(value), rest),
                (None, None) => return Value::Unknown,
            };
        }
        value
    }

    /// Asks a closure about an item, if it is one.
    fn ask(&mut self, closure: &Value, item: Value) -> Value {
        match closure {
            Value::Closure(number) => self.closure(*number, &[item]),
            _ => Value::Unknown,
        }
    }

    fn part(&mut self, base: Base, names: &[&str], place: &Place) -> Value {
        let steps = names.iter().map(|name| Step::Name((*name).to_owned())).collect();
        self.note_read(&Path { base: Base::Record, steps }, place.clone());
        Value::Path(Path::of(base))
    }

    /// `list.contains(x)` and `x in list` of a list that is written out; else a part of a text or of a list.
    fn contains(&mut self, container: Value, needle: Value, place: &Place, spans: Vec<Span>) -> Test {
        match container {
            Value::List(items) => self.compare(needle, Relation::In, items, place.clone(), spans, false),
            Value::Path(path)
                if path.steps.is_empty()
                    && !matches!(path.base, Base::Resources(_))
                    && matches!(needle, Value::Literal(Json::String(_))) =>
            {
                // `"errorCode" in event` reads the field.
                let name = needle.text().unwrap_or_default().to_owned();
                let field = path.then(Step::Name(name));
                self.note_read(&field, place.clone());
                let nothing = vec![Value::Literal(Json::Null)];
                let absent = self.compare(Value::Path(field), Relation::Equal, nothing, place.clone(), spans, false);
                super::answer::not(negated(absent))
            }
            other => self.compare(other, Relation::Contains, vec![needle], place.clone(), spans, false),
        }
    }

    fn text(&mut self, text: Value, relation: Relation, part: &Value, place: &Place, spans: Vec<Span>) -> Test {
        let parts = match part {
            Value::List(parts) => parts.clone(),
            one => vec![one.clone()],
        };
        self.compare(text, relation, parts, place.clone(), spans, false)
    }
}

/// Text that was made of something, with such letters; with those that it had if nothing is said of them.
fn part(whole: Value, letters: Option<Letters>) -> Value {
    let (whole, had) = match whole {
        Value::Part(whole, had) => (whole, had),
        whole => (Box::new(whole), Letters::Any),
    };
    Value::Part(whole, letters.unwrap_or(had))
}

/// What an item of a list adds when the list is flattened: its own items if it is a list, else itself.
fn spread(item: Value) -> Value {
    match item {
        list @ (Value::List(_) | Value::ListOf(_)) => item_of(list),
        Value::Path(Path { base: Base::Resources(kind), steps }) if steps.is_empty() => {
            Value::Path(Path::of(Base::Resource(kind)))
        }
        // A list or not: both is said.
        path @ Value::Path(_) => item_of(path.clone()).or(path),
        Value::Any(values) => values.into_iter().map(spread).reduce(Value::or).unwrap_or_default(),
        other => other,
    }
}

/// What is in the lists of a list.
fn flat(list: Value) -> Value {
    match list {
        Value::List(items) => items.into_iter().map(spread).reduce(Value::or).unwrap_or_default(),
        Value::ListOf(item) => spread(*item),
        other => spread(item_of(other)),
    }
}
