//! Colour for people: on a terminal only.

use anstyle::{AnsiColor, Style};

/// What is good.
pub(super) const GOOD: Style = Style::new().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Green)));
/// What is not.
pub(super) const BAD: Style = Style::new().bold().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Red)));
/// What was expected.
pub(super) const OLD: Style = Style::new().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Red)));
/// What is to be looked at.
pub(super) const NOTE: Style = Style::new().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Yellow)));
/// What stands out.
pub(super) const BOLD: Style = Style::new().bold();
/// What does not.
pub(super) const DIM: Style = Style::new().dimmed();

/// Text in a style, if there is to be colour.
pub(super) fn paint(colour: bool, style: Style, text: &str) -> String {
    if colour { format!("{}{text}{}", style.render(), style.render_reset()) } else { text.to_owned() }
}
