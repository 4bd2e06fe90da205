//! Says which part of a condition was false, for whoever asked why a policy stayed silent.

use rhai::{Expr, Stmt};

use super::{Limits, Script, check};

/// The parts of `matches`, if its body is one condition made of parts that must all be true: the parameter's name, and
/// each part as it is written.
pub(super) fn conjuncts(script: &Script, limits: &Limits) -> Option<(String, Vec<String>)> {
    let text = &script.source.text;
    let parsed = check::Parser::new(limits).parse(text).ok()?;
    let matches = parsed.hook("matches")?;
    if !matches!(&*matches.body, [Stmt::Expr(expr)] if matches!(**expr, Expr::And(..))) {
        return None;
    }
    let name = check::function_name(text, "matches");
    let open = name.end + text[name.end..].find('{')? + 1;
    Some((matches.params[0].clone(), split(&text[open..])))
}

/// Splits a body at `&&` outside of brackets, texts and comments; ends at the brace that closes it.
fn split(body: &str) -> Vec<String> {
    let mut parts = Vec::new();
    let mut depth = 0_usize;
    let mut part = String::new();
    let mut rest = body;
    while let Some(letter) = rest.chars().next() {
        let mut taken = letter.len_utf8();
        if rest.starts_with("//") {
            rest = &rest[rest.find('\n').unwrap_or(rest.len())..];
            continue;
        }
        match letter {
            '"' | '`' | '\'' => taken = quoted(rest, letter),
            '(' | '[' | '{' => depth += 1,
            '}' if depth == 0 => break,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            '&' if depth == 0 && rest.starts_with("&&") => {
                parts.push(std::mem::take(&mut part));
                rest = &rest[2..];
                continue;
            }
            _ => {}
        }
        part.push_str(&rest[..taken]);
        rest = &rest[taken..];
    }
    parts.push(part);
    parts
        .iter()
        .map(|part| part.split_whitespace().collect::<Vec<_>>().join(" "))
        .filter(|part| !part.is_empty())
        .collect()
}

/// The bytes of a quoted text, with its quotes.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, letter) in text.char_indices().skip(1) {
        match letter {
            _ if escaped => escaped = false,
            '\\' if quote != '`' => escaped = true,
            letter if letter == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn a_condition_is_split_where_all_must_hold() {
        let body = " a(x) // one && two\n  && (b || c && d)\n && e == \"}&&\\\"\" && f.some(|g| g && h) }\nfn other() { i && j }";
        assert_eq!(split(body), ["a(x)", "(b || c && d)", "e == \"}&&\\\"\"", "f.some(|g| g && h)"]);
    }
}
