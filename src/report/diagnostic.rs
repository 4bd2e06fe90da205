//! Draws diagnostics with the line they are about.

use annotate_snippets::{AnnotationKind, Group, Level as Drawn, Renderer, Snippet};

use crate::diagnostic::{Diagnostic, Level};
use crate::fault::printable;

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
    match &diagnostic.help {
        Some(help) => group.element(Drawn::HELP.message(printable(help, 500))),
        None => group,
    }
}

fn floor(text: &str, at: usize) -> usize {
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}
