//! Reads YAML 1.2, keeping the place and the raw text of every value.
//!
//! Why not serde: front matter is checked against a JSON Schema and its diagnostics point into the `.rhai` file, so
//! every value needs its span; `when` compares text (`012345678901` is an account, not a number), so every scalar needs
//! its spelling; and a key that is given twice is a mistake, not a choice. Anchors and aliases are refused: nothing
//! that we read needs them and they can grow without bound.

use std::collections::HashSet;
use std::ops::Range;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span};
use serde_json::Value;

/// Containers nested deeper than this are refused.
const MAX_DEPTH: usize = 100;

/// A YAML value and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Yaml {
    /// What it is.
    pub data: Data,
    /// Byte range in the text that was parsed.
    pub span: Range<usize>,
}

/// What a YAML value is.
#[derive(Clone, Debug, PartialEq)]
pub enum Data {
    /// A scalar: its text, and what it means (`null`, boolean, number or string).
    Scalar {
        /// As it was written, without quotes.
        raw: String,
        /// What it means.
        value: Value,
    },
    /// A sequence.
    List(Vec<Yaml>),
    /// A mapping with text keys, in order.
    Map(Vec<(Key, Yaml)>),
}

/// A key of a mapping and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    /// Its text.
    pub name: String,
    /// Byte range in the text that was parsed.
    pub span: Range<usize>,
}

/// Why a text is not YAML that we read.
#[derive(Clone, Debug, PartialEq)]
pub struct YamlError {
    /// A lower-case fragment.
    pub message: String,
    /// Byte range in the text that was parsed.
    pub span: Range<usize>,
}

impl Yaml {
    /// A scalar that was written without quotes, whatever it holds.
    pub fn plain(text: &str) -> Self {
        Self { data: Data::Scalar { raw: text.to_owned(), value: meaning(text) }, span: 0..text.len() }
    }

    /// The same value as JSON.
    pub fn to_json(&self) -> Value {
        match &self.data {
            Data::Scalar { value, .. } => value.clone(),
            Data::List(items) => items.iter().map(Yaml::to_json).collect(),
            Data::Map(members) => members.iter().map(|(key, value)| (key.name.clone(), value.to_json())).collect(),
        }
    }

    /// The member of that name, if this is a mapping that has it.
    pub fn get(&self, name: &str) -> Option<&Yaml> {
        self.members().iter().find(|(key, _)| key.name == name).map(|(_, value)| value)
    }

    /// The members, if this is a mapping; else none.
    pub fn members(&self) -> &[(Key, Yaml)] {
        match &self.data {
            Data::Map(members) => members,
            _ => &[],
        }
    }

    /// The items, if this is a sequence; else none.
    pub fn items(&self) -> &[Yaml] {
        match &self.data {
            Data::List(items) => items,
            _ => &[],
        }
    }

    /// The scalar as it was written; `None` for `null`, a list or a map.
    pub fn raw(&self) -> Option<&str> {
        match &self.data {
            Data::Scalar { value: Value::Null, .. } => None,
            Data::Scalar { raw, .. } => Some(raw),
            _ => None,
        }
    }

    /// The value at a JSON Pointer, and the span of the last key on the way (for remarks about a member's name).
    pub fn pointer(&self, pointer: &str) -> Option<&Yaml> {
        pointer.split('/').skip(1).try_fold(self, |yaml, step| {
            let step = step.replace("~1", "/").replace("~0", "~");
            match &yaml.data {
                Data::Map(_) => yaml.get(&step),
                Data::List(items) => items.get(step.parse::<usize>().ok()?),
                Data::Scalar { .. } => None,
            }
        })
    }

    /// The span of the key `name` of this mapping, else of the whole value.
    pub fn key_span(&self, name: &str) -> Range<usize> {
        self.members().iter().find(|(key, _)| key.name == name).map_or(self.span.clone(), |(key, _)| key.span.clone())
    }
}

/// Reads a text of one YAML document; an empty text is `null`.
///
/// # Errors
/// When it is not YAML, holds several documents, anchors, aliases, duplicate or non-text keys, or is nested too deep.
pub fn parse(text: &str) -> Result<Yaml, YamlError> {
    let mut documents = parse_all(text)?;
    match documents.len() {
        0 => Ok(Yaml { data: Data::Scalar { raw: String::new(), value: Value::Null }, span: 0..text.len() }),
        1 => Ok(documents.remove(0)),
        _ => Err(YamlError {
            message: "several YAML documents where one was expected".into(),
            span: documents[1].span.clone(),
        }),
    }
}

/// Reads every YAML document of a text.
///
/// # Errors
/// As [`parse`], but for the number of documents.
pub fn parse_all(text: &str) -> Result<Vec<Yaml>, YamlError> {
    let offsets = Offsets::of(text);
    let mut reader = Reader { offsets: &offsets, open: Vec::new(), documents: Vec::new() };
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| offsets.error(&error))?;
        reader.take(event, span)?;
    }
    Ok(reader.documents)
}

/// What most likely puts right a text that is no YAML, by the line at which it stops being understood.
pub fn remedy(text: &str, at: usize) -> Option<&'static str> {
    let at = at.min(text.len());
    let start = text[..at].rfind('\n').map_or(0, |before| before + 1);
    let line = text[start..].lines().next().unwrap_or_default();
    // What is wrong with a line may be seen only at the next.
    let before = text[..start].trim_end_matches('\n').rsplit('\n').next().unwrap_or_default();
    let both = [before, line];
    let indent = |line: &str| line.len() - line.trim_start().len();
    let is_tabbed = |line: &&str| line[..indent(line)].contains('\t');
    let lacks_space = |line: &&str| {
        line.trim_start()
            .strip_prefix('-')
            .is_some_and(|rest| rest.starts_with(|letter: char| letter.is_alphanumeric()))
    };
    let next = text[start..].lines().nth(1).unwrap_or_default();
    if both.iter().any(is_tabbed) || is_tabbed(&next) {
        return Some("indent by spaces, not by tabs");
    }
    if both.iter().any(lacks_space) {
        return Some("put a space behind `-`");
    }
    let item = line.trim_start().trim_start_matches("- ");
    let holds_colon = item.split_once(": ").is_some_and(|(_, value)| {
        value.contains(": ") && !value.trim_start().starts_with(['{', '[', '"', '\'', '|', '>'])
    });
    if holds_colon {
        return Some("put text that holds `: ` in quotes");
    }
    let lacks_colon = |line: &str, next: &str| {
        let item = line.trim().trim_start_matches("- ");
        !item.is_empty() && !item.contains(": ") && !item.ends_with(':') && indent(next) > indent(line)
    };
    if lacks_colon(before, line) || lacks_colon(line, next) {
        return Some("put `:` behind a key");
    }
    let quotes = line.matches('"').count() - line.matches("\\\"").count();
    if quotes % 2 == 1 {
        return Some("close the quote");
    }
    let opens = |line: &str, open: char, close: char| line.matches(open).count() > line.matches(close).count();
    if both.iter().any(|line| opens(line, '{', '}') || opens(line, '[', ']')) {
        return Some("close the bracket");
    }
    let is_off = !before.trim().is_empty() && indent(line) != indent(before);
    is_off.then_some("indent the keys of a map alike")
}

/// From the parser's character offsets to bytes.
struct Offsets {
    /// Byte offset of each character, and the length; empty when the text is ASCII.
    bytes: Vec<usize>,
    len: usize,
}

impl Offsets {
    fn of(text: &str) -> Self {
        let mut bytes = Vec::new();
        if !text.is_ascii() {
            bytes.extend(text.char_indices().map(|(at, _)| at));
        }
        Self { bytes, len: text.len() }
    }

    fn byte(&self, index: usize) -> usize {
        if self.bytes.is_empty() { index.min(self.len) } else { self.bytes.get(index).copied().unwrap_or(self.len) }
    }

    fn range(&self, span: Span) -> Range<usize> {
        self.byte(span.start.index())..self.byte(span.end.index())
    }

    fn error(&self, error: &ScanError) -> YamlError {
        let at = self.byte(error.marker().index());
        YamlError { message: format!("not YAML: {}", error.info()), span: at..at }
    }
}

/// A container that is being read.
struct Open {
    data: Data,
    key: Option<Key>,
    start: usize,
    /// The keys of a mapping that has many.
    names: HashSet<String>,
}

impl Open {
    /// True if the mapping has no such key yet. A few are looked through; of many there is a set, so that no text takes
    /// time with the square of its length.
    fn is_new(&mut self, name: &str) -> bool {
        let Data::Map(members) = &self.data else { return true };
        if members.len() < 32 {
            return !members.iter().any(|(key, _)| key.name == name);
        }
        if self.names.is_empty() {
            self.names.extend(members.iter().map(|(key, _)| key.name.clone()));
        }
        self.names.insert(name.to_owned())
    }
}

struct Reader<'a> {
    offsets: &'a Offsets,
    open: Vec<Open>,
    documents: Vec<Yaml>,
}

impl Reader<'_> {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), YamlError> {
        let range = self.offsets.range(span);
        let refuse = |message: &str| Err(YamlError { message: message.into(), span: range.clone() });
        match event {
            Event::Alias(_) => refuse("aliases are not read here; write the value out"),
            Event::Scalar(_, _, anchor, _) | Event::SequenceStart(anchor, _) | Event::MappingStart(anchor, _)
                if anchor > 0 =>
            {
                refuse("anchors are not read here; write the value out")
            }
            Event::Scalar(text, style, _, tag) => {
                let value = if style == ScalarStyle::Plain && tag.is_none() {
                    meaning(&text)
                } else {
                    Value::from(text.as_ref())
                };
                self.put(Yaml { data: Data::Scalar { raw: text.into_owned(), value }, span: range })
            }
            Event::SequenceStart(..) => self.begin(Data::List(Vec::new()), range),
            Event::MappingStart(..) => self.begin(Data::Map(Vec::new()), range),
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(open) = self.open.pop() else { return Ok(()) };
                self.put(Yaml { data: open.data, span: open.start..range.end.max(open.start) })
            }
            _ => Ok(()),
        }
    }

    fn begin(&mut self, data: Data, range: Range<usize>) -> Result<(), YamlError> {
        if let Some(Open { data: Data::Map(_), key: None, .. }) = self.open.last() {
            return Err(YamlError { message: "a key must be text".into(), span: range });
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(YamlError { message: format!("nested deeper than {MAX_DEPTH}"), span: range });
        }
        self.open.push(Open { data, key: None, start: range.start, names: HashSet::new() });
        Ok(())
    }

    fn put(&mut self, yaml: Yaml) -> Result<(), YamlError> {
        let Some(open) = self.open.last_mut() else {
            self.documents.push(yaml);
            return Ok(());
        };
        match (&mut open.data, open.key.take()) {
            (Data::List(items), _) => items.push(yaml),
            (Data::Map(members), Some(key)) => members.push((key, yaml)),
            (Data::Map(_), None) => {
                let Data::Scalar { raw, .. } = yaml.data else {
                    return Err(YamlError { message: "a key must be text".into(), span: yaml.span });
                };
                if !open.is_new(&raw) {
                    return Err(YamlError { message: format!("`{raw}` is given twice"), span: yaml.span });
                }
                open.key = Some(Key { name: raw, span: yaml.span });
            }
            (Data::Scalar { .. }, _) => {}
        }
        Ok(())
    }
}

/// What a plain scalar means in the core schema of YAML 1.2, but for integers with a leading zero: those are text, since
/// they are account ids.
fn meaning(raw: &str) -> Value {
    match raw {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return true.into(),
        "false" | "False" | "FALSE" => return false.into(),
        _ => {}
    }
    let digits = raw.strip_prefix(['-', '+']).unwrap_or(raw);
    let starts_like_a_number = digits.strip_prefix('.').unwrap_or(digits).starts_with(|c: char| c.is_ascii_digit());
    let leading_zero = digits.len() > 1 && digits.starts_with('0') && !digits.starts_with("0.");
    if starts_like_a_number && !leading_zero {
        if let Ok(number) = raw.parse::<i64>() {
            return number.into();
        }
        if let Ok(number) = raw.parse::<f64>()
            && number.is_finite()
        {
            return number.into();
        }
    }
    raw.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_their_place_and_spelling() {
        let text = "a: 1\nünï:\n  - 012345678901\n  - \"x\"\nb: {c: null, d: [true, 1.50]}\n";
        let yaml = parse(text).unwrap();
        assert_eq!(
            yaml.to_json(),
            serde_json::json!({"a": 1, "ünï": ["012345678901", "x"], "b": {"c": null, "d": [true, 1.5]}})
        );
        let item = yaml.pointer("/ünï/0").unwrap();
        assert_eq!(&text[item.span.clone()], "012345678901");
        assert_eq!(yaml.pointer("/b/d/1").unwrap().raw(), Some("1.50"));
        assert_eq!(&text[yaml.key_span("b")], "b");
    }

    #[test]
    fn a_key_that_is_given_twice_is_found_among_many() {
        let many = |twice: &str| {
            let keys: Vec<String> = (0..100).map(|at| format!("k{at}: {{k{at}: 1}}\n")).collect();
            parse(&format!("{}{twice}", keys.concat()))
        };
        assert_eq!(many("k: 1").unwrap().members().len(), 101);
        for twice in ["k0", "k31", "k32", "k99"] {
            let error = many(&format!("{twice}: 1")).unwrap_err();
            assert_eq!(error.message, format!("`{twice}` is given twice"));
        }
    }

    #[test]
    fn what_puts_a_text_right_is_told_where_it_is_known() {
        for (text, wanted) in [
            ("a:\n  - b: 1\n\tc: 2\n", "tabs"),
            ("a:\n  - b: 1\n  -c: 2\n", "space behind"),
            ("a:\n  - b: it is: so\n", "in quotes"),
            ("a\n  - b: 1\n", "`:` behind"),
            ("a: \"b\nc: 1\n", "close the quote"),
            ("a: { b: 1\nc: 1\n", "close the bracket"),
            ("a:\n  b: 1\n   c: 2\n", "alike"),
        ] {
            let error = parse(text).unwrap_err();
            let told = remedy(text, error.span.start);
            assert!(told.is_some_and(|told| told.contains(wanted)), "{text:?}: {error:?} {told:?}");
        }
    }

    #[test]
    fn mistakes_are_told_with_their_place() {
        for (text, at, says) in [
            ("a: 1\na: 2\n", 5, "given twice"),
            ("a: &x 1\nb: *x\n", 3, "anchors"),
            ("? [1]\n: 2\n", 2, "a key must be text"),
            ("a: [1,\nb: 2\n", 7, "not YAML"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.message.contains(says), "{error:?}");
            assert_eq!(error.span.start, at, "{text:?} {error:?}");
        }
        assert!(parse(&"[".repeat(100_000)).is_err());
    }
}
