//! Finds the YAML and the Markdown in the `//!` lines at the head of a policy's file.

use std::ops::Range;
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, SourceText};
use crate::yaml::{self, Yaml};

/// Where the keys of `when` stand in a policy's file, in their order, and the values of each.
pub(crate) fn when_spans(source: &Arc<SourceText>) -> Vec<(Range<usize>, Vec<Range<usize>>)> {
    let Ok(head) = FrontMatter::read(source) else { return Vec::new() };
    let of = |(key, value): &(yaml::Key, Yaml)| {
        let values = match value.items() {
            [] => vec![head.span(&value.span)],
            items => items.iter().map(|item| head.span(&item.span)).collect(),
        };
        (head.span(&key.span), values)
    };
    head.yaml.get("when").map(Yaml::members).unwrap_or_default().iter().map(of).collect()
}

/// The head of a policy's file.
pub(crate) struct FrontMatter {
    /// The YAML.
    pub(crate) yaml: Yaml,
    /// The Markdown after it.
    pub(crate) doc: String,
    /// Where the Markdown begins in the file, and where it ends.
    pub(crate) doc_span: Range<usize>,
    /// From the YAML's lines to the file's: (byte offset in the YAML, byte offset in the file) of each line.
    lines: Vec<(usize, usize)>,
}

impl FrontMatter {
    /// Reads the head of a file.
    pub(crate) fn read(source: &Arc<SourceText>) -> Result<Self, Box<Diagnostic>> {
        let mut text = String::new();
        let mut doc = String::new();
        let mut lines = Vec::new();
        let mut fences = 0;
        let mut at = 0;
        let mut opened = 0..0;
        for line in source.text.split_inclusive('\n') {
            let start = at;
            let content = line.trim_end();
            let Some(content) = content.strip_prefix("//!") else {
                if content.trim().is_empty() && fences == 0 {
                    at += line.len();
                    continue;
                }
                // Where it is closed further down, it is this line that is wrong.
                let is_fence = |line: &str| line.strip_prefix("//!").is_some_and(|line| line.trim() == "---");
                if fences == 1 && source.text[at..].lines().any(is_fence) {
                    let message = "this line does not begin with `//!`, so the front matter is not closed";
                    let diagnostic = Diagnostic::error("front-matter", source, start..start + content.len(), message);
                    return Err(Box::new(diagnostic.help("begin it with `//!`, or take it away")));
                }
                break;
            };
            at += line.len();
            let (content, indent) = match content.strip_prefix(' ') {
                Some(content) => (content, 4),
                None => (content, 3),
            };
            if fences < 2 && content.trim_end() == "---" {
                fences += 1;
                opened = start..at;
            } else if fences == 1 {
                lines.push((text.len(), start + indent));
                text.push_str(content);
                text.push('\n');
            } else if fences == 2 {
                doc.push_str(content);
                doc.push('\n');
            } else {
                break;
            }
        }
        let missing = |span: Range<usize>, message: &str| {
            let diagnostic = Diagnostic::error("front-matter", source, span, message);
            Err(Box::new(diagnostic.help("begin the file with `//! ---`, then `//! title: …`, `//! severity: …`, `//! judges: …`, then `//! ---`")))
        };
        match fences {
            0 => return missing(0..0, "the policy has no front matter"),
            1 => return missing(opened, "the front matter is not closed by a second `//! ---`"),
            _ => {}
        }
        let mut head = Self {
            yaml: Yaml { data: yaml::Data::List(Vec::new()), span: 0..0 },
            doc: doc.trim().to_owned(),
            doc_span: opened.start..at,
            lines,
        };
        match yaml::parse(&text) {
            Ok(parsed) => {
                head.yaml = parsed;
                Ok(head)
            }
            Err(error) => {
                let mut mistake = Diagnostic::error("front-matter", source, head.span(&error.span), error.message);
                mistake.help = yaml::remedy(&text, error.span.start).map(str::to_owned);
                Err(Box::new(mistake))
            }
        }
    }

    /// From a range of the YAML to the range of the file.
    pub(crate) fn span(&self, range: &Range<usize>) -> Range<usize> {
        let place = |offset: usize| {
            let line = self.lines.partition_point(|(yaml, _)| *yaml <= offset).saturating_sub(1);
            self.lines.get(line).map_or(0, |(yaml, file)| file + offset - yaml)
        };
        let start = place(range.start);
        // The end of a block is the start of the next line: the last character is what counts.
        let end = if range.end > range.start { place(range.end - 1) + 1 } else { start };
        start..end.max(start)
    }
}
