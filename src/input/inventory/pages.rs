//! Takes a text apart into the answers in it, and knows the lines of what they hold.

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::Value;
use serde_json::value::RawValue;

use super::{config, identify};
use crate::record::{Document, Node, Ref};
use crate::schema::Command;
use crate::yaml::{self, Yaml};

/// One answer, or what was left of it.
pub(super) struct Page<'a> {
    pub(super) node: Node,
    /// The line on which it begins, from 1.
    pub(super) line: u64,
    text: Text<'a>,
}

/// What the lines of a page's items are counted in, where the document does not know them.
enum Text<'a> {
    Json(&'a str),
    Yaml { text: &'a str, yaml: Yaml },
}

/// Why a part of a text is no answer, and the line on which that shows.
pub(super) struct Broken {
    pub(super) reason: String,
    pub(super) line: u64,
}

impl<'t> Page<'t> {
    /// A page without anything on it.
    pub(super) fn empty() -> Self {
        Self { node: Node::from(Document::from(&Value::Null)), line: 1, text: Text::Json("") }
    }

    /// The pages of a text; `told` is the command that is known to have printed them, if one is.
    pub(super) fn all(text: &'t str, is_yaml: bool, told: Option<&Command>) -> (Vec<Self>, Vec<Broken>) {
        let (pages, broken) = if is_yaml { yaml_pages(text) } else { json_pages(text) };
        (pages.into_iter().flat_map(|page| page.apart(told)).collect(), broken)
    }

    /// The pages in a list of them, as `--output yaml-stream` prints, else the page itself.
    fn apart(self, told: Option<&Command>) -> Vec<Self> {
        if !self.is_apart(told) {
            return vec![self];
        }
        let value = self.node.view();
        let nodes: Vec<Node> = value.items().map(|item| self.node.share(item)).collect();
        let lines: Option<Vec<u64>> = value.items().map(|item| self.line_of(item)).collect();
        let lines = lines.unwrap_or_else(|| self.item_lines(&[], None));
        let texts: Vec<Text<'t>> = match self.text {
            Text::Json(text) => {
                let items: Vec<&RawValue> = serde_json::from_str(text).unwrap_or_default();
                items.into_iter().map(|item| Text::Json(item.get())).collect()
            }
            Text::Yaml { text, yaml } => match yaml.data {
                yaml::Data::List(items) => items.into_iter().map(|yaml| Text::Yaml { text, yaml }).collect(),
                _ => Vec::new(),
            },
        };
        let lines = lines.into_iter().chain(std::iter::repeat(self.line));
        let texts = texts.into_iter().chain(std::iter::repeat_with(|| Text::Json("")));
        nodes.into_iter().zip(lines).zip(texts).map(|((node, line), text)| Page { node, line, text }).collect()
    }

    /// True for a list of pages.
    pub(super) fn is_apart(&self, told: Option<&Command>) -> bool {
        identify::is_list_of_answers(self.node.view(), told) && !config::is_config(self.node.view())
    }

    /// What is added to the lines that the page's document knows.
    pub(super) fn lines_before(&self) -> u64 {
        self.node.view().line().map_or(0, |line| self.line - line)
    }

    /// The line on which a list or a map in it begins, if the document knows.
    fn line_of(&self, value: Ref<'_>) -> Option<u64> {
        value.line().map(|line| line + self.lines_before())
    }

    /// The lines on which the items of a list begin that stands at `path`, or the items in their member `inner`; empty when
    /// they cannot be told.
    pub(super) fn item_lines(&self, path: &[&str], inner: Option<&str>) -> Vec<u64> {
        match &self.text {
            Text::Json(text) => {
                let offsets = json_offsets(text, path, inner).unwrap_or_default();
                let mut lines = Lines { text, at: 0, line: self.line };
                offsets.into_iter().map(|offset| lines.at(offset)).collect()
            }
            Text::Yaml { text, yaml } => {
                let Some(list) = path.iter().try_fold(yaml, |yaml, step| yaml.get(step)) else { return Vec::new() };
                let items = list.items().iter().flat_map(|item| match inner.and_then(|inner| item.get(inner)) {
                    Some(inner) => inner.items(),
                    None => std::slice::from_ref(item),
                });
                let mut lines = Lines { text, at: yaml.span.start, line: self.line };
                items.map(|item| lines.at(item.span.start)).collect()
            }
        }
    }
}

fn json_pages(text: &str) -> (Vec<Page<'_>>, Vec<Broken>) {
    let (nodes, rest) = Document::parse_many(text.as_bytes());
    let ends: Vec<usize> = nodes.iter().skip(1).map(|(_, begin)| *begin).chain([rest]).collect();
    let pages = nodes.into_iter().zip(ends).map(|((node, begin), end)| {
        let line = node.view().line().unwrap_or(1);
        Page { node, line, text: Text::Json(&text[begin..end]) }
    });
    let (mut pages, mut broken) = (pages.collect(), Vec::new());
    if rest < text.len() {
        odd_pages(text, rest, &mut pages, &mut broken);
    }
    (pages, broken)
}

/// Reads the pages from `begin` on one by one, each as well as it can be.
fn odd_pages<'t>(text: &'t str, begin: usize, pages: &mut Vec<Page<'t>>, faults: &mut Vec<Broken>) {
    let (before, text) = text.split_at(begin);
    let mut lines = Lines { text, at: 0, line: Lines { text: before, at: 0, line: 1 }.at(before.len()) };
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
    loop {
        let begin = stream.byte_offset();
        let begin = begin + text[begin..].len() - text[begin..].trim_start().len();
        let (page, broken) = match stream.next() {
            None => return,
            Some(Ok(raw)) => (raw.get(), false),
            // The rest may be one value that needs repair.
            Some(Err(_)) => (&text[begin..], true),
        };
        let line = lines.at(begin);
        match Document::parse(page.as_bytes()) {
            Ok(document) => pages.push(Page { node: document.into(), line, text: Text::Json(page) }),
            Err(error) => faults.push(Broken {
                reason: format!("not JSON: {error} (try: collect it again with `--output json`)"),
                line: line + (error.line() as u64).saturating_sub(1),
            }),
        }
        if broken {
            return;
        }
    }
}

fn yaml_pages(text: &str) -> (Vec<Page<'_>>, Vec<Broken>) {
    let mut lines = Lines { text, at: 0, line: 1 };
    match yaml::parse_all(text) {
        Ok(values) => {
            let pages = values.into_iter().map(|yaml| Page {
                node: Document::from(&yaml.to_json()).into(),
                line: lines.at(yaml.span.start),
                text: Text::Yaml { text, yaml },
            });
            (pages.collect(), Vec::new())
        }
        Err(error) => (Vec::new(), vec![Broken { line: lines.at(error.span.start), reason: error.message }]),
    }
}

/// Counts lines as it is asked about later and later places.
struct Lines<'a> {
    text: &'a str,
    at: usize,
    line: u64,
}

impl Lines<'_> {
    fn at(&mut self, offset: usize) -> u64 {
        if offset > self.at {
            let between = self.text.as_bytes().get(self.at..offset).unwrap_or_default();
            self.line += between.iter().filter(|byte| **byte == b'\n').count() as u64;
            self.at = offset;
        }
        self.line
    }
}

fn json_offsets(text: &str, path: &[&str], inner: Option<&str>) -> Option<Vec<usize>> {
    type Members<'a> = HashMap<Cow<'a, str>, &'a RawValue>;
    let mut value: &RawValue = serde_json::from_str(text).ok()?;
    for step in path {
        value = serde_json::from_str::<Members<'_>>(value.get()).ok()?.get(*step).copied()?;
    }
    let mut offsets = Vec::new();
    for item in serde_json::from_str::<Vec<&RawValue>>(value.get()).ok()? {
        let grouped = inner.and_then(|inner| serde_json::from_str::<Members<'_>>(item.get()).ok()?.get(inner).copied());
        let items = match grouped {
            Some(list) => serde_json::from_str::<Vec<&RawValue>>(list.get()).ok()?,
            None => vec![item],
        };
        offsets.extend(items.iter().map(|item| item.get().as_ptr().addr() - text.as_ptr().addr()));
    }
    Some(offsets)
}
