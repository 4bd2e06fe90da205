//! Text: globs, regular expressions, encodings.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use rhai::{Dynamic, ImmutableString};

use super::{Call, Failure, Family, Lowered, MAX_COMPILED, Row, as_text, optional};
use crate::script::predicate::Value;

pub(super) const FAMILY: Family = Family {
    name: "Text",
    doc: "Beside Rhai's own text functions (`starts_with`, `ends_with`, `contains`, `to_lower`, `split`, `sub_string`, …), which are null-safe here. `trim` and `replace` give the new text and leave the old one as it is.",
    rows: &[
        Row {
            name: "glob",
            params: &["text", "pattern"],
            doc: "True if the whole text matches the pattern, or one of a list of patterns: `*` is any run of characters, `?` one, `[a-z]` one of them, `{a,b}` either. Case matters.",
            examples: &[
                r#"glob("i-0abc", "i-*")"#,
                r#"glob("prod-web", ["dev-*", "prod-*"])"#,
                r#"!glob("Prod", "prod")"#,
                r#"!glob((), "*")"#,
            ],
            run: |call, args| any_pattern(call, args, glob),
        },
        Row {
            name: "regex",
            params: &["text", "pattern"],
            doc: "True if the regular expression, or one of a list, is found in the text; anchor it with `^…$`. Linear in time: no look-around, no back-references.",
            examples: &[r#"regex("aws-cli/2.17.20", `^aws-cli/2\.`)"#, r#"!regex((), ".*")"#],
            run: |call, args| {
                any_pattern(call, args, |call, text, pattern| with_regex(call, pattern, |regex| regex.is_match(text)))
            },
        },
        Row {
            name: "regex_find",
            params: &["text", "pattern"],
            doc: "The first match of the regular expression, or its first group if it has one; `()` if there is none.",
            examples: &[
                r#"regex_find("volume/vol-1", "vol-[0-9a-f]+") == "vol-1""#,
                r#"regex_find("a=1", "a=([0-9])") == "1""#,
                r#"regex_find("a", "b") == ()"#,
            ],
            run: |call, args| {
                let (Some(text), Some(pattern)) = (as_text(&args[0]), as_text(&args[1])) else {
                    return Ok(Dynamic::UNIT);
                };
                with_regex(call, &pattern, |regex| {
                    let captures = regex.captures(&text)?;
                    captures.get(1).or_else(|| captures.get(0)).map(|found| found.as_str().to_owned())
                })
                .map(optional)
            },
        },
        Row {
            name: "text",
            params: &["value"],
            doc: "A scalar as text (`true`, `12`), for data that has `\"true\"` here and `true` there; `()` for `()`, lists and maps.",
            examples: &[
                r#"text(true) == "true""#,
                r#"text("true") == "true""#,
                r#"text(()) == ()"#,
                r#"text([1]) == ()"#,
            ],
            run: |_, args| {
                let value = &args[0];
                let scalar =
                    value.is_bool() || value.is_int() || value.is_float() || value.is_string() || value.is_char();
                Ok(if scalar { value.to_string().into() } else { Dynamic::UNIT })
            },
        },
        Row {
            name: "is_true",
            params: &["value"],
            doc: "True for `true` and for the text `true` in any case: CloudTrail writes booleans both ways.",
            examples: &[r#"is_true("True")"#, "is_true(true)", "!is_true(())", "!is_true(1)"],
            run: |_, args| {
                Ok((args[0].as_bool() == Ok(true)
                    || as_text(&args[0]).is_some_and(|text| text.eq_ignore_ascii_case("true")))
                .into())
            },
        },
        Row {
            name: "number",
            params: &["value"],
            doc: "A whole number, from a number or from its text: CloudTrail writes both. `()` if it is none.",
            examples: &[r#"number("443") == 443"#, r#"number(443) == 443"#, r#"number("all") == ()"#],
            run: |_, args| {
                Ok(match args[0].as_int() {
                    Ok(number) => number.into(),
                    Err(_) => as_text(&args[0])
                        .and_then(|text| text.trim().parse::<i64>().ok())
                        .map_or(Dynamic::UNIT, Dynamic::from),
                })
            },
        },
        Row {
            name: "base64_decode",
            params: &["text"],
            doc: "The text that base64 (either alphabet, padded or not) holds, bytes that are not UTF-8 replaced; `()` if it is not base64.",
            examples: &[
                r#"base64_decode("aGk=") == "hi""#,
                r#"base64_decode("aGk") == "hi""#,
                r#"base64_decode("?") == ()"#,
            ],
            run: |_, args| {
                let Some(text) = as_text(&args[0]) else { return Ok(Dynamic::UNIT) };
                let lenient = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
                let compact: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
                let bytes = GeneralPurpose::new(&alphabet::STANDARD, lenient)
                    .decode(&compact)
                    .or_else(|_| GeneralPurpose::new(&alphabet::URL_SAFE, lenient).decode(&compact));
                Ok(optional(bytes.ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())))
            },
        },
        Row {
            name: "url_decode",
            params: &["text"],
            doc: "The text with `%41` and the like decoded; `+` stays.",
            examples: &[r#"url_decode("%7B%22a%22%3A1%7D") == `{"a":1}`"#, r#"url_decode(()) == ()"#],
            run: |_, args| {
                Ok(optional(
                    as_text(&args[0])
                        .map(|text| percent_encoding::percent_decode_str(&text).decode_utf8_lossy().into_owned()),
                ))
            },
        },
    ],
    lowered: &[
        ("text", 1, Lowered::Of(as_scalar)),
        ("is_true", 1, Lowered::Of(is_true)),
        ("number", 1, Lowered::Of(as_number)),
    ],
};

/// Asks a question of the text with one pattern or with each of a list.
fn any_pattern(
    call: &Call<'_>,
    args: &[Dynamic],
    ask: impl Fn(&Call<'_>, &str, &ImmutableString) -> Result<bool, Failure>,
) -> Result<Dynamic, Failure> {
    let Some(text) = as_text(&args[0]) else { return Ok(false.into()) };
    if let Some(pattern) = as_text(&args[1]) {
        return ask(call, &text, &pattern).map(Dynamic::from);
    }
    for pattern in super::list::items(&args[1]).filter_map(|item| as_text(&item)) {
        call.charge(1 + text.len() / 64)?;
        if ask(call, &text, &pattern)? {
            return Ok(true.into());
        }
    }
    Ok(false.into())
}

fn glob(call: &Call<'_>, text: &str, pattern: &ImmutableString) -> Result<bool, Failure> {
    let mut compiled = call.env.compiled.borrow_mut();
    if let Some(glob) = compiled.globs.get(pattern) {
        return Ok(glob.is_match(text));
    }
    call.charge(100 + pattern.len())?;
    let glob = compile_glob(pattern).map_err(|reason| call.fail(reason))?;
    if compiled.globs.len() >= MAX_COMPILED {
        compiled.globs.clear();
    }
    let matches = glob.is_match(text);
    compiled.globs.insert(pattern.clone(), glob);
    Ok(matches)
}

fn with_regex<T>(
    call: &Call<'_>,
    pattern: &ImmutableString,
    ask: impl FnOnce(&regex::Regex) -> T,
) -> Result<T, Failure> {
    let mut compiled = call.env.compiled.borrow_mut();
    if let Some(regex) = compiled.regexes.get(pattern) {
        return Ok(ask(regex));
    }
    // A pattern that is new costs its compilation: at most a megabyte of program, some milliseconds.
    call.charge(1_000 + 10 * pattern.len())?;
    let regex = compile_regex(pattern).map_err(|reason| call.fail(reason))?;
    if compiled.regexes.len() >= MAX_COMPILED {
        compiled.regexes.clear();
    }
    let answer = ask(&regex);
    compiled.regexes.insert(pattern.clone(), regex);
    Ok(answer)
}

fn as_scalar<'a>(args: &[Value<'a>]) -> Option<Value<'a>> {
    Some(match &args[0] {
        Value::Bool(flag) => Value::Text(flag.to_string().into()),
        Value::Int(number) => Value::Text(number.to_string().into()),
        Value::Text(text) => Value::Text(text.clone()),
        Value::Unit | Value::Part(_) | Value::Unread(_) | Value::List(_) | Value::Map(_) => Value::Unit,
        Value::Other => return None,
    })
}

fn is_true<'a>(args: &[Value<'a>]) -> Option<Value<'a>> {
    Some(Value::Bool(match &args[0] {
        Value::Bool(flag) => *flag,
        Value::Text(text) => text.eq_ignore_ascii_case("true"),
        Value::Other => return None,
        _ => false,
    }))
}

fn as_number<'a>(args: &[Value<'a>]) -> Option<Value<'a>> {
    Some(match &args[0] {
        Value::Int(number) => Value::Int(*number),
        Value::Text(text) => text.trim().parse().map_or(Value::Unit, Value::Int),
        Value::Other => return None,
        _ => Value::Unit,
    })
}

/// A glob, or why it is none.
pub(crate) fn compile_glob(pattern: &str) -> Result<globset::GlobMatcher, String> {
    let built = globset::GlobBuilder::new(pattern).build();
    let compiled = built.map(|glob| glob.compile_matcher());
    compiled.map_err(|error| format!("`{}` is not a glob: {}", pattern.escape_debug(), error.kind()))
}

/// A regular expression of at most a megabyte of program, or why it is none.
pub(crate) fn compile_regex(pattern: &str) -> Result<regex::Regex, String> {
    let compiled = regex::RegexBuilder::new(pattern).size_limit(1 << 20).dfa_size_limit(1 << 20).build();
    compiled.map_err(|error| {
        let reason = error.to_string();
        let reason = reason.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
        format!("`{}` is not a regular expression: {reason}", pattern.escape_debug())
    })
}
