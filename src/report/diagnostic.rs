//! Writes diagnostics: drawn for people with the line they are about, and for programs.

mod github;
mod json;
mod sarif;

use annotate_snippets::{AnnotationKind, Group, Level as Drawn, Renderer, Snippet};

use crate::diagnostic::{Diagnostic, Level};
use crate::fault::printable;

/// A format of diagnostics for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One object with a list.
    Json,
    /// SARIF 2.1.0.
    Sarif,
    /// Annotations of GitHub Actions, one a line.
    Github,
}

/// The diagnostics as text for programs.
pub fn write(format: Format, diagnostics: &[Diagnostic]) -> String {
    match format {
        Format::Json => json::write(diagnostics),
        Format::Sarif => sarif::write(diagnostics),
        Format::Github => github::write(diagnostics),
    }
}

/// 1-based line and column (in characters) of the start and of the end of a span.
fn region(diagnostic: &Diagnostic, span: &std::ops::Range<usize>) -> [(usize, usize); 2] {
    let text = &diagnostic.source.text;
    [span.start, span.end].map(|at| {
        let before = &text[..floor(text, at.min(text.len()))];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    })
}

/// The text that the change of a diagnostic gives, of the line it is in; `None` if nothing is left of the line.
fn changed_line(diagnostic: &Diagnostic) -> Option<String> {
    let fix = diagnostic.fix.as_ref()?;
    let text = &diagnostic.source.text;
    let start = text[..fix.span.start].rfind('\n').map_or(0, |at| at + 1);
    let end = text[fix.span.end..].find('\n').map_or(text.len(), |at| fix.span.end + at);
    let line =
        format!("{}{}{}", &text[start..fix.span.start], fix.replacement, &text[fix.span.end..end.max(fix.span.end)]);
    let is_whole = fix.replacement.is_empty() && (fix.span.start == start && text[..fix.span.end].ends_with('\n'));
    (!is_whole && !line.trim().is_empty()).then(|| line.trim().to_owned())
}

/// The diagnostics as text for people, each with its line drawn, and how many there are.
pub fn draw(diagnostics: &[Diagnostic], colour: bool) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let mut out = String::new();
    for diagnostic in diagnostics {
        out.push_str(&renderer.render(&[group(diagnostic)]));
        out.push_str("\n\n");
    }
    let errors = diagnostics.iter().filter(|diagnostic| diagnostic.level == Level::Error).count();
    let warnings = diagnostics.len() - errors;
    let mut counts = Vec::new();
    for (count, noun) in [(errors, "error"), (warnings, "warning")] {
        if count > 0 {
            counts.push(format!("{count} {noun}{}", if count == 1 { "" } else { "s" }));
        }
    }
    out.push_str(&counts.join(", "));
    out.push('\n');
    out
}

fn group(diagnostic: &Diagnostic) -> Group<'_> {
    let level = match diagnostic.level {
        Level::Error => Drawn::ERROR,
        Level::Warning => Drawn::WARNING,
    };
    let text = &diagnostic.source.text;
    // At the end of a text there is nothing to point at; its last character is as near as can be.
    let start = floor(text, diagnostic.span.start.min(text.trim_end().len()));
    let end = floor(text, diagnostic.span.end.clamp(start, text.len()));
    let snippet =
        Snippet::source(text).path(&diagnostic.source.file).annotation(AnnotationKind::Primary.span(start..end));
    let group = level.primary_title(printable(&diagnostic.message, 500)).id(diagnostic.code).element(snippet);
    let group = match &diagnostic.help {
        Some(help) => group.element(Drawn::HELP.message(printable(help, 500))),
        None => group,
    };
    match (&diagnostic.fix, changed_line(diagnostic)) {
        (Some(_), Some(line)) => group.element(Drawn::HELP.with_name("try").message(printable(&line, 300))),
        (Some(_), None) => group.element(Drawn::HELP.with_name("try").message("nothing in its place")),
        (None, _) => group,
    }
}

fn floor(text: &str, at: usize) -> usize {
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}
