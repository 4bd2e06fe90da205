//! A remark about the text of a policy: code, span, message, help.

use std::ops::Range;
use std::sync::Arc;

/// How bad a diagnostic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The policy does not load.
    Error,
    /// The policy loads; `--strict` makes it an error.
    Warning,
}

/// The text of a file that diagnostics point into.
#[derive(Debug, PartialEq, Eq)]
pub struct SourceText {
    /// The file as it was named or found.
    pub file: String,
    /// All of it.
    pub text: String,
}

/// A remark about the text of a policy, of its configuration or of its cases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// A stable name in kebab-case, such as `unknown-function`.
    pub code: &'static str,
    /// Whether the policy loads all the same.
    pub level: Level,
    /// A lower-case fragment, names in backticks.
    pub message: String,
    /// What it points into.
    pub source: Arc<SourceText>,
    /// Byte range in the text.
    pub span: Range<usize>,
    /// What to write instead.
    pub help: Option<String>,
    /// A change of the text that `lawbook check --fix` makes.
    pub fix: Option<Fix>,
}

/// A change of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// Byte range that is replaced.
    pub span: Range<usize>,
    /// By what.
    pub replacement: String,
}

impl Diagnostic {
    /// An error at `span` of `source`.
    pub fn error(code: &'static str, source: &Arc<SourceText>, span: Range<usize>, message: impl Into<String>) -> Self {
        let (message, source) = (message.into(), Arc::clone(source));
        Self { code, level: Level::Error, message, source, span, help: None, fix: None }
    }

    /// A warning at `span` of `source`.
    pub fn warning(
        code: &'static str,
        source: &Arc<SourceText>,
        span: Range<usize>,
        message: impl Into<String>,
    ) -> Self {
        Self { level: Level::Warning, ..Self::error(code, source, span, message) }
    }

    /// Adds a change that makes the remark go away, and says so unless there is help already.
    #[must_use]
    pub fn fix(mut self, span: Range<usize>, replacement: impl Into<String>) -> Self {
        self.fix = Some(Fix { span, replacement: replacement.into() });
        self
    }

    /// Where it stands among others: by file, by place, by code.
    pub fn order(&self) -> (&str, usize, usize, &str, &str) {
        (&self.source.file, self.span.start, self.span.end, self.code, &self.message)
    }

    /// Adds what to write instead.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// 1-based line and column (in characters) of the start of the span.
    pub fn place(&self) -> (usize, usize) {
        let before = &self.source.text[..self.span.start.min(self.source.text.len())];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }
}

/// The one of `known` that `wrong` can only have meant: a letter or two away, and all others farther.
pub fn surely_meant<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let most = if wrong.chars().count() < 5 { 1 } else { 2 };
    let mut best: Option<(usize, &str)> = None;
    let mut is_only = false;
    for name in known {
        let distance = strsim::osa_distance(&wrong.to_lowercase(), &name.to_lowercase());
        match best {
            Some((least, _)) if distance > least => {}
            Some((least, other)) if distance == least => is_only &= other == name,
            _ => (best, is_only) = (Some((distance, name)), true),
        }
    }
    best.filter(|(distance, name)| is_only && *distance <= most && *name != wrong).map(|(_, name)| name)
}

/// The one of `known` that `wrong` most likely meant.
pub fn did_you_mean<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = wrong.to_lowercase();
    let mut best: Option<(f64, &str)> = None;
    for name in known {
        let score = strsim::jaro_winkler(&lower, &name.to_lowercase());
        if score > 0.82 && best.is_none_or(|(top, _)| score > top) {
            best = Some((score, name));
        }
    }
    best.map(|(_, name)| name)
}
