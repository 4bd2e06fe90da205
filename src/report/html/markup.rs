//! The templates of the page, and the one function through which every value in them goes.
//!
//! *Law*: what is not made here by [`markdown`] or by a template is text: it is escaped, and characters that steer or hide
//! are shown as what they are. The page may load nothing, and run nothing but its own script, known by its hash.

use std::io;

use base64::Engine as _;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, Output, UndefinedBehavior, Value};
use pulldown_cmark::{Event, Parser, Tag, TagEnd, html};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::fault::is_deceptive;

/// How the page looks.
pub(super) const STYLE: &str = include_str!("style.css");

/// What filters, searches, and opens all before printing.
pub(super) const SCRIPT: &str = include_str!("page.js");

/// The templates, compiled.
pub(super) struct Templates(Environment<'static>);

impl Templates {
    pub(super) fn new() -> io::Result<Self> {
        let mut all = Environment::empty();
        all.set_auto_escape_callback(|_| AutoEscape::Html);
        all.set_undefined_behavior(UndefinedBehavior::Strict);
        all.set_formatter(|out, _, value| write(out, value));
        for (name, text) in [
            ("head", include_str!("head.html")),
            ("calls", include_str!("calls.html")),
            ("group", include_str!("group.html")),
            ("other", include_str!("other.html")),
            ("tail", include_str!("tail.html")),
        ] {
            all.add_template(name, text).map_err(io::Error::other)?;
        }
        Ok(Self(all))
    }

    /// A template with its values.
    pub(super) fn fill(&self, name: &str, values: &impl Serialize) -> io::Result<String> {
        let template = self.0.get_template(name).map_err(io::Error::other)?;
        template.render(Value::from(Serde(values))).map_err(io::Error::other)
    }

    /// The same, to stand in another.
    pub(super) fn filled(&self, name: &str, values: &impl Serialize) -> io::Result<Value> {
        self.fill(name, values).map(Value::from_safe_string)
    }
}

fn write(out: &mut Output<'_>, value: &Value) -> Result<(), Error> {
    if value.is_undefined() {
        return Err(Error::from(ErrorKind::UndefinedError));
    }
    if value.is_none() {
        return Ok(());
    }
    match value.as_str() {
        Some(text) if value.is_safe() => out.write_str(text)?,
        Some(text) => out.write_str(&escaped(text))?,
        None => out.write_str(&escaped(&value.to_string()))?,
    }
    Ok(())
}

/// Text that is text in HTML, also in an attribute, and shows what it is.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' => out.push('\n'),
            '\t' => out.push('\t'),
            letter if letter.is_control() || is_deceptive(letter) => out.extend(letter.escape_unicode()),
            letter => out.push(letter),
        }
    }
    out
}

/// The Markdown of a policy as HTML: its tags are text, and its links lead to `https` or nowhere.
pub(super) fn markdown(text: &str) -> Value {
    let shown: String = text
        .chars()
        .flat_map(|letter| {
            let steers = (letter.is_control() && letter != '\n' && letter != '\t') || is_deceptive(letter);
            let plain = (!steers).then_some(letter);
            plain.into_iter().chain(steers.then(|| letter.escape_unicode()).into_iter().flatten())
        })
        .collect();
    let is_safe = |url: &str| url.starts_with("https://");
    let mut links = Vec::new();
    let events = Parser::new(&shown).filter_map(|event| match event {
        Event::Html(text) | Event::InlineHtml(text) => Some(Event::Text(text)),
        // The page has headings of its own.
        Event::Start(Tag::Heading { .. }) => Some(Event::Start(Tag::Paragraph)),
        Event::End(TagEnd::Heading(_)) => Some(Event::End(TagEnd::Paragraph)),
        Event::Start(Tag::HtmlBlock) => Some(Event::Start(Tag::Paragraph)),
        Event::End(TagEnd::HtmlBlock) => Some(Event::End(TagEnd::Paragraph)),
        Event::Start(Tag::Image { .. }) | Event::End(TagEnd::Image) => None,
        Event::Start(Tag::Link { ref dest_url, .. }) => {
            links.push(is_safe(dest_url));
            is_safe(dest_url).then_some(event)
        }
        Event::End(TagEnd::Link) => links.pop().unwrap_or(false).then_some(event),
        other => Some(other),
    });
    let mut out = String::new();
    html::push_html(&mut out, events);
    Value::from_safe_string(out)
}

/// A message as HTML: what it names between backticks is code.
pub(super) fn quoted(text: &str) -> Value {
    let parts = text.split('`').enumerate();
    let is_closed = text.matches('`').count().is_multiple_of(2);
    let shown = parts.map(|(at, part)| match (at % 2, is_closed) {
        (1, true) => format!("<code>{}</code>", escaped(part)),
        (_, true) => escaped(part),
        (0, false) if at == 0 => escaped(part),
        _ => format!("`{}", escaped(part)),
    });
    Value::from_safe_string(shown.collect())
}

/// Text that stands in the page as it is: our own style and script.
pub(super) fn own(text: &'static str) -> Value {
    Value::from_safe_string(text.to_owned())
}

/// What the page may load and run: its own style and its own script, known by their hashes, and nothing else.
pub(super) fn content_policy() -> String {
    let hash = |text: &str| base64::engine::general_purpose::STANDARD.encode(Sha256::digest(text));
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'; \
         require-trusted-types-for 'script'; trusted-types 'none'",
        hash(STYLE),
        hash(SCRIPT)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_text() {
        let shown = escaped("<b a='x' c=\"y\">&\u{0}\u{202e}\u{feff}\n\u{9b}é");
        assert_eq!(shown, "&lt;b a=&#39;x&#39; c=&quot;y&quot;&gt;&amp;\\u{0}\\u{202e}\\u{feff}\n\\u{9b}é");
    }

    #[test]
    fn markdown_of_policies_makes_no_tags_of_its_own() {
        let text = "One `two` <script>x</script> [a](javascript:x) [b](https://example.com/) ![c](https://example.com/d)\n\n# e\n\n<div onclick=x>f</div>\n\u{202e}";
        let html = markdown(text).to_string();
        for none in ["<script", "javascript", "<img", "<div", "<h1", "\u{202e}"] {
            assert!(!html.contains(none), "{none}: {html}");
        }
        for some in ["<code>two</code>", "&lt;script&gt;", "<a href=\"https://example.com/\">b</a>", "c", "<p>e</p>"] {
            assert!(html.contains(some), "{some}: {html}");
        }
    }

    #[test]
    fn what_is_quoted_is_code() {
        assert_eq!(quoted("no `<a>` in `b`.").to_string(), "no <code>&lt;a&gt;</code> in <code>b</code>.");
        assert_eq!(quoted("a `b` `<").to_string(), "a `b` `&lt;");
    }

    #[test]
    fn nothing_within_the_style_or_the_script_ends_it() {
        assert!(!STYLE.contains("</") && !SCRIPT.contains("</") && !SCRIPT.contains("<!--"));
    }
}
