//! Texts of policies in Markdown as GitHub reads it, where nothing in them is markup that should not be.

use crate::fault::printable;

/// A text in one line: what stands between backticks is code, and nothing else is more than text. It may stand in a cell.
pub(super) fn inline(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut out = String::new();
    for (run, part) in spans(&text) {
        if run > 0 {
            out.push_str(&code(&part[run..part.len() - run]));
        } else {
            plain(part, &mut out);
        }
    }
    // What would begin a heading, a list, a quote or a rule there.
    let digits = out.len() - out.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    if digits > 0 && out[digits..].starts_with(['.', ')']) {
        out.insert(digits, '\\');
    } else if out.starts_with(['#', '-', '+', '=', '>']) {
        out.insert(0, '\\');
    }
    out
}

/// A text as code; it may stand in a cell.
pub(super) fn code(text: &str) -> String {
    let text = printable(&text.split_whitespace().collect::<Vec<_>>().join(" "), usize::MAX);
    // A bar ends a cell, within code and behind a backslash, too.
    if text.contains('|') {
        let mut escaped = String::new();
        text.chars().for_each(|letter| match letter {
            letter if letter.is_ascii_punctuation() => escaped.push_str(&format!("&#{};", u32::from(letter))),
            letter => escaped.push(letter),
        });
        return format!("<code>{escaped}</code>");
    }
    let fence = "`".repeat(longest_run(&text) + 1);
    let pad = if text.is_empty() || text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// A block of code.
pub(super) fn block(language: &str, text: &str) -> String {
    let fence = "`".repeat((longest_run(text) + 1).max(3));
    let lines: Vec<String> = text.trim_end().lines().map(|line| clean(line).trim_end().to_owned()).collect();
    format!("{fence}{language}\n{}\n{fence}\n", lines.join("\n"))
}

/// An address as a link.
pub(super) fn address(url: &str) -> String {
    let escaped = |letter: char| match letter {
        '<' | '>' | '\\' | '"' | '`' => true,
        _ => letter.is_whitespace() || letter.is_control() || crate::fault::is_deceptive(letter),
    };
    let mut out = String::from("<");
    for letter in url.chars() {
        if escaped(letter) {
            let mut bytes = [0; 4];
            letter.encode_utf8(&mut bytes).bytes().for_each(|byte| out.push_str(&format!("%{byte:02X}")));
        } else {
            out.push(letter);
        }
    }
    out.push('>');
    out
}

/// A text of several paragraphs that is Markdown itself: it keeps its markup, is no HTML, and leaves no fence open.
pub(super) fn prose(text: &str) -> String {
    let mut out = String::new();
    let mut paragraph = String::new();
    let mut open: Option<&str> = None;
    for line in text.lines() {
        let fence = fence_of(line);
        match (open, fence) {
            (Some(opened), Some(fence)) if fence.starts_with(opened) && line.trim() == fence => open = None,
            (None, Some(fence)) => {
                no_html(&mut paragraph, &mut out);
                open = Some(fence);
            }
            (None, None) => {
                if line.trim().is_empty() {
                    no_html(&mut paragraph, &mut out);
                }
                paragraph.push_str(clean(line).trim_end());
                paragraph.push('\n');
                continue;
            }
            _ => {}
        }
        out.push_str(clean(line).trim_end());
        out.push('\n');
    }
    no_html(&mut paragraph, &mut out);
    if let Some(fence) = open {
        out.push_str(fence);
        out.push('\n');
    }
    out
}

/// The run of backticks or tildes that begins or ends a block of code.
fn fence_of(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let letter = line.chars().next().filter(|letter| matches!(letter, '`' | '~'))?;
    let run = line.len() - line.trim_start_matches(letter).len();
    // Of backticks there are none behind it, else it is code within a line.
    (run >= 3 && (letter == '~' || !line[run..].contains('`'))).then(|| &line[..run])
}

/// Moves a paragraph to the output, without tags; addresses in angle brackets stay.
fn no_html(paragraph: &mut String, out: &mut String) {
    for (run, part) in spans(paragraph) {
        if run > 0 {
            out.push_str(part);
            continue;
        }
        for (at, letter) in part.char_indices() {
            let rest = &part[at..];
            let is_address = ["<https://", "<http://", "<mailto:"].iter().any(|start| rest.starts_with(start));
            if letter == '<' && !is_address { out.push_str("&lt;") } else { out.push(letter) }
        }
    }
    paragraph.clear();
}

/// The parts of a text, each with the number of backticks that it begins and ends with if it is code, else 0.
fn spans(text: &str) -> Vec<(usize, &str)> {
    let mut parts = Vec::new();
    let (mut from, mut at) = (0, 0);
    while let Some(found) = text[at..].find('`') {
        let start = at + found;
        let run = text.len() - start - text[start..].trim_start_matches('`').len();
        let inner = start + run;
        match closing(text, inner, run) {
            Some(end) => {
                at = end + run;
                parts.push((0, &text[from..start]));
                parts.push((run, &text[start..at]));
                from = at;
            }
            None => at = inner,
        }
    }
    parts.push((0, &text[from..]));
    parts
}

/// Where a run of exactly so many backticks begins, behind a place.
fn closing(text: &str, mut at: usize, run: usize) -> Option<usize> {
    loop {
        let start = at + text[at..].find('`')?;
        let end = text.len() - text[start..].trim_start_matches('`').len();
        if end - start == run {
            return Some(start);
        }
        at = end;
    }
}

fn longest_run(text: &str) -> usize {
    text.split(|letter| letter != '`').map(str::len).max().unwrap_or(0)
}

fn plain(text: &str, out: &mut String) {
    for letter in printable(text, usize::MAX).chars() {
        match letter {
            // `$` begins a formula on GitHub.
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '&' | '~' | '$' | '!' => out.extend(['\\', letter]),
            // A name behind `@` would be a mention, and a bar ends a cell.
            '@' | '|' => out.push_str(&format!("&#{};", u32::from(letter))),
            letter => out.push(letter),
        }
    }
}

/// A line without characters that are not shown, or that change how others are; tabs stay.
fn clean(line: &str) -> String {
    line.split('\t').map(|part| printable(part, usize::MAX)).collect::<Vec<_>>().join("\t")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_line_is_text_but_for_its_code() {
        assert_eq!(inline("Tags, as `Key` or `Key=Value`."), "Tags, as `Key` or `Key=Value`.");
        assert_eq!(inline("a|b *c* [d](e) <f> ${g}\n- h"), r"a&#124;b \*c\* \[d\](e) \<f\> \${g} - h");
        assert_eq!(inline("# a"), r"\# a");
        assert_eq!(inline("12. a"), r"12\. a");
        assert_eq!(inline("- a `x|y` @b ` c"), r"\- a <code>x&#124;y</code> &#64;b \` c");
        assert_eq!(code("a ` b"), "``a ` b``");
        assert_eq!(code("`a`"), "`` `a` ``");
        assert_eq!(address("https://a/b> <script>"), "<https://a/b%3E%20%3Cscript%3E>");
        assert_eq!(block("sh", "echo '```'\n"), "````sh\necho '```'\n````\n");
    }

    #[test]
    fn prose_keeps_its_markup_and_is_no_html() {
        let text = "1. *a* <b>, see <https://x/> and `<c>`\n   and `d\n   <e>`.\n\n```sh\ncat < f\n```\n<!-- g";
        assert_eq!(
            prose(text),
            "1. *a* &lt;b>, see <https://x/> and `<c>`\n   and `d\n   <e>`.\n\n```sh\ncat < f\n```\n&lt;!-- g\n"
        );
        assert_eq!(prose("~~~\n<a"), "~~~\n<a\n~~~\n");
        assert_eq!(prose("a\u{202e}b"), "a\\u{202e}b\n");
    }

    /// What is neither code nor escaped; an escaped backtick begins no code.
    fn outside_of_code(text: &str) -> String {
        let (mut out, mut rest) = (String::new(), text);
        while let Some(letter) = rest.chars().next() {
            let run = rest.len() - rest.trim_start_matches('`').len();
            rest = match letter {
                '\\' => rest[1..].chars().next().map_or("", |escaped| &rest[1 + escaped.len_utf8()..]),
                '`' => &rest[closing(rest, run, run).map_or(run, |end| end + run)..],
                _ => {
                    out.push(letter);
                    &rest[letter.len_utf8()..]
                }
            };
        }
        out
    }

    #[test]
    fn a_backtick_that_is_text_begins_no_code() {
        assert_eq!(inline("`\n``<``"), r"\` `<`");
        assert_eq!(outside_of_code(r"\` `<`"), " ");
        assert_eq!(outside_of_code(r"a\< `\` < ``b"), "a  < b");
    }

    proptest! {
        /// A cell stays a cell and a line a line, whatever a policy says.
        #[test]
        fn nothing_leaves_its_cell(text in "[a`|<>\\\\*\n\r\u{202e}$@ -]{0,40}") {
            for cell in [inline(&text), code(&text)] {
                prop_assert!(!cell.contains(['\n', '\r', '\u{202e}', '|']), "{}", cell);
            }
            let cell = inline(&text).replace("<code>", "").replace("</code>", "");
            prop_assert!(!outside_of_code(&cell).contains('<'), "{}", cell);
        }

        /// What follows a text is not swallowed by it.
        #[test]
        fn no_fence_stays_open(text in "[a`~<\n ]{0,60}") {
            let told = prose(&text);
            let again = prose(&told);
            prop_assert_eq!(&again, &told);
        }
    }
}
