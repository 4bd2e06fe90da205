//! Tells by their members which command printed a text.
//!
//! *Law*: never a guess. Where commands that give different kinds print the same members, all of them are candidates,
//! and the reader says so instead of choosing.

use std::collections::BTreeSet;

use crate::fault::printable;
use crate::record::{Kind, Ref};
use crate::schema::{self, Command, Fields, Member, Shape};

/// How a text is what a command printed.
#[derive(Clone, Copy)]
pub(super) struct Reading {
    pub(super) command: &'static Command,
    pub(super) form: Form,
    /// True when another command prints the same, with only some of the resources.
    pub(super) doubtful: bool,
}

/// How much of an answer there is.
#[derive(Clone, Copy)]
pub(super) enum Form {
    /// All of it.
    Answer,
    /// The items of a list alone, as with `--query Volumes`.
    Items(&'static Member),
    /// One item or structure alone, as with `--query 'Volumes[0]'`.
    Item(&'static Member),
}

impl Reading {
    /// The kinds that this text can give.
    pub(super) fn kinds(&self, value: Ref<'_>) -> BTreeSet<String> {
        match self.form {
            Form::Items(member) | Form::Item(member) => member.kind.iter().map(ToString::to_string).collect(),
            Form::Answer => {
                let printed = self.command.members.iter().filter(|member| value.get(member.name).is_some());
                let kinds = self.command.singleton.iter().chain(printed.filter_map(|member| member.kind.as_ref()));
                kinds.map(ToString::to_string).collect()
            }
        }
    }
}

/// Members that every answer may have: they say how it was cut or carried.
pub(super) fn is_about_the_answer(key: &str) -> bool {
    matches!(
        key,
        "NextToken"
            | "nextToken"
            | "Marker"
            | "NextMarker"
            | "IsTruncated"
            | "Truncated"
            | "MaxResults"
            | "maxResults"
            | "ResponseMetadata"
            | "$metadata"
            | "RequestId"
    )
}

/// How a call failed whose error was kept in the place of an answer.
pub(super) fn failure(value: Ref<'_>) -> Option<String> {
    let status =
        value.path(&["ResponseMetadata", "HTTPStatusCode"]).and_then(Ref::as_f64).filter(|status| *status >= 300.0);
    let code = value.text(&["Error", "Code"]).map(|code| format!("`{}`", printable(code, 80)));
    let is_error = value.entries().all(|(key, _)| key == "Error" || is_about_the_answer(key));
    // What an API itself answers: `{"__type": "AccessDeniedException", "Message": "…"}`.
    const SAID: [&str; 6] = ["message", "Message", "__type", "code", "Code", "type"];
    let is_message = value.entries().all(|(key, value)| {
        SAID.contains(&key) && value.as_str().is_some()
            || is_about_the_answer(key)
            || key.eq_ignore_ascii_case("requestid")
    });
    let said = ["__type", "Code", "code", "Message", "message"].iter().find_map(|key| value.text(&[key]));
    if let Some(said) = said.filter(|_| is_message && value.kind() == Kind::Map) {
        return Some(format!("`{}`", printable(said, 80)));
    }
    code.filter(|_| is_error).or_else(|| status.map(|status| format!("HTTP status {status}")))
}

/// True when the answer says that there is more.
pub(super) fn is_cut(value: Ref<'_>) -> bool {
    value.entries().any(|(key, value)| match key {
        "NextToken" | "nextToken" | "NextMarker" | "Marker" | "NextContinuationToken" => {
            value.as_str().is_some_and(|token| !token.is_empty())
        }
        "IsTruncated" | "Truncated" => value.as_bool() == Some(true),
        _ => false,
    })
}

/// True when the members alone say that this is inventory: what `looks_like` asks.
pub(super) fn is_known(value: Ref<'_>) -> bool {
    !candidates(value).is_empty() || is_list_of_answers(value, None)
}

/// Whether a member of that name, of an object that is something else, holds what a command lists as resources.
pub(in crate::input) fn are_resources(name: &str, list: Ref<'_>) -> bool {
    let first = if list.kind() == Kind::List { list.items().next() } else { None };
    let Some(item) = first.filter(|first| first.kind() == Kind::Map) else { return false };
    // AWS adds members, so not every one is known.
    let is_item = |member: &Member| {
        member.kind.is_some() && 2 * item.entries().filter(|(key, _)| member.fields.contains(key)).count() > item.len()
    };
    schema::commands_printing(name).filter_map(|command| command.member(name)).any(is_item)
}

/// The readings that fit best, one for each set of kinds; none when nothing fits.
pub(super) fn candidates(value: Ref<'_>) -> Vec<Reading> {
    let found = match value.kind() {
        Kind::Map => {
            let answers = answers(value);
            if answers.is_empty() { items(&keys_of([value].into_iter()), Form::Item) } else { answers }
        }
        Kind::List if !value.is_empty() && value.items().all(|item| item.kind() == Kind::Map) => {
            items(&keys_of(value.items()), Form::Items)
        }
        _ => Vec::new(),
    };
    one_of_each_kind(value, found)
}

/// True for a list of whole answers, of the command that is `told` or of any.
pub(super) fn is_list_of_answers(value: Ref<'_>, told: Option<&Command>) -> bool {
    let Some(first) = value.items().next() else { return false };
    let answers = match told {
        Some(command) => {
            let member = |key: &str| command.member(key).is_some_and(|member| member.shape != Shape::Scalar);
            first.entries().any(|(key, _)| member(key))
        }
        None => !answers(first).is_empty(),
    };
    let lists = |item: Ref<'_>| item.entries().any(|(_, value)| matches!(value.kind(), Kind::List | Kind::Map));
    answers && value.items().all(lists) && items(&keys_of(value.items()), Form::Items).is_empty()
}

/// What a command of this name printed, if the text can be that.
pub(super) fn as_printed_by(command: &'static Command, value: Ref<'_>) -> Option<Reading> {
    let reading = |form| Some(Reading { command, form, doubtful: false });
    let kept = |member: &&Member| member.kind.is_some();
    match value.kind() {
        Kind::Map => {
            let mut keys = value.entries().map(|(key, _)| key).filter(|key| !is_about_the_answer(key)).peekable();
            let is_silent = keys.peek().is_none();
            if is_silent || keys.any(|key| command.member(key).is_some()) {
                let is_of_another = value.entries().any(|(key, list)| holds_others(command, key, list));
                return if is_of_another { None } else { reading(Form::Answer) };
            }
            let has = |field: &str| value.get(field).is_some();
            let item = command.members.iter().filter(kept).find(|member| member.resource_fields().iter().any(has))?;
            reading(Form::Item(item))
        }
        Kind::List => {
            let keys = keys_of(value.items());
            let kind = |is: Kind| value.items().all(|item| item.kind() == is);
            let alike = |member: &&Member| match member.fields.is_empty() {
                true => !kind(Kind::Map) && !kind(Kind::List),
                false => kind(Kind::Map),
            };
            let lists = command.members.iter().filter(kept).filter(|member| member.shape == Shape::List);
            let lists = lists.filter(|member| value.is_empty() || alike(member));
            let best =
                lists.max_by_key(|member| known(&keys, member.fields).max(known(&keys, member.resource_fields())))?;
            let fits = value.is_empty()
                || keys.is_empty()
                || known(&keys, best.fields).max(known(&keys, best.resource_fields())) > 0;
            if fits { reading(Form::Items(best)) } else { None }
        }
        Kind::Null => reading(Form::Answer),
        _ => None,
    }
}

/// Whether a member that the command does not print is a list of resources that another command of the service prints: then the
/// text is no answer of the one. AWS adds members, but not those.
fn holds_others(command: &Command, key: &str, list: Ref<'_>) -> bool {
    if command.member(key).is_some() || list.kind() != Kind::List || list.is_empty() {
        return false;
    }
    let keys = keys_of(list.items());
    let others = schema::commands_printing(key).filter(|other| other.service == command.service);
    let members = others.filter_map(|other| other.member(key)).filter(|member| member.kind.is_some());
    members.into_iter().any(|member| known(&keys, member.fields).max(known(&keys, member.resource_fields())) > 1)
}

/// How many items are looked at to tell what they are.
const SAMPLE: usize = 256;

fn keys_of<'a>(items: impl Iterator<Item = Ref<'a>>) -> BTreeSet<&'a str> {
    items.take(SAMPLE).flat_map(Ref::entries).map(|(key, _)| key).collect()
}

fn known(keys: &BTreeSet<&str>, fields: Fields) -> usize {
    fields.iter().filter(|field| keys.contains(field)).count()
}

/// The commands of which this is an answer: all members known, else most.
fn answers(value: Ref<'_>) -> Vec<Reading> {
    let members: Vec<(&str, Ref<'_>, BTreeSet<&str>)> = value
        .entries()
        .filter(|(key, _)| !is_about_the_answer(key))
        .map(|(key, inner)| {
            let keys = if inner.kind() == Kind::List { keys_of(inner.items()) } else { keys_of([inner].into_iter()) };
            (key, inner, keys)
        })
        .collect();
    let mut seen = BTreeSet::new();
    let mut fits: Vec<(usize, &'static Command)> = Vec::new();
    for command in members.iter().flat_map(|(key, ..)| schema::commands_printing(key)) {
        if seen.insert((command.service, command.name))
            && let Some(unknown) = strangers(command, &members)
        {
            fits.push((unknown, command));
        }
    }
    let least = fits.iter().map(|(unknown, _)| *unknown).min();
    let mut best: Vec<_> = fits.into_iter().filter(|(unknown, _)| Some(*unknown) == least).map(|(_, it)| it).collect();
    if best.iter().any(|command| is_exact(command, &members)) {
        best.retain(|command| is_exact(command, &members));
    }
    best.into_iter().map(|command| Reading { command, form: Form::Answer, doubtful: false }).collect()
}

/// True when an answer's items have just the members of this command's: three at least, so that it is no accident.
fn is_exact(command: &Command, members: &[(&str, Ref<'_>, BTreeSet<&str>)]) -> bool {
    members.iter().all(|(key, _, keys)| {
        keys.len() > 2 && command.member(key).is_some_and(|member| known(keys, member.fields) == member.fields.len())
    })
}

/// How many names in an answer this command's model does not have; `None` when it cannot be its answer. AWS adds
/// members all the time, so some strangers are let in where enough is known.
fn strangers(command: &Command, members: &[(&str, Ref<'_>, BTreeSet<&str>)]) -> Option<usize> {
    let (mut strange, mut familiar) = (0, 0);
    if command.members.iter().any(|member| member.required && !members.iter().any(|(key, ..)| *key == member.name)) {
        return None;
    }
    for (key, value, keys) in members {
        let Some(member) = command.member(key) else {
            strange += 1;
            continue;
        };
        familiar += 1;
        let shape = match value.kind() {
            Kind::Null => continue,
            Kind::Map => Shape::Map,
            Kind::List => Shape::List,
            _ => Shape::Scalar,
        };
        if shape != member.shape {
            return None;
        }
        if shape == Shape::List && !value.is_empty() {
            let maps = value.items().take(SAMPLE).all(|item| item.kind() == Kind::Map);
            if maps == member.fields.is_empty() {
                return None;
            }
        }
        if !member.fields.is_empty() {
            let known = known(keys, member.fields);
            strange += keys.len() - known;
            familiar += known;
        }
    }
    (strange * 4 <= familiar).then_some(strange)
}

/// The members of commands whose items have these keys.
fn items(keys: &BTreeSet<&str>, form: fn(&'static Member) -> Form) -> Vec<Reading> {
    if keys.len() < 2 {
        return Vec::new();
    }
    let mut fits = Vec::new();
    for (command, member) in schema::members_holding(keys.iter().copied()) {
        let known = known(keys, member.fields).max(known(keys, member.resource_fields()));
        let strange = keys.len() - known;
        if strange * 4 <= known && known > 1 {
            fits.push((strange, Reading { command, form: form(member), doubtful: false }));
        }
    }
    let least = fits.iter().map(|(strange, _)| *strange).min();
    fits.into_iter().filter(|(strange, _)| Some(*strange) == least).map(|(_, reading)| reading).collect()
}

/// Of readings that give the same kinds, the one that prints them whole; doubtful where there was a choice.
fn one_of_each_kind(value: Ref<'_>, found: Vec<Reading>) -> Vec<Reading> {
    let mut kept: Vec<(BTreeSet<String>, Reading)> = Vec::new();
    for reading in found {
        let kinds = reading.kinds(value);
        let narrow = |reading: &Reading| reading.command.view || reading.command.argument;
        match kept.iter_mut().find(|(of, _)| *of == kinds) {
            Some((_, known)) => {
                let better = narrow(known) && !narrow(&reading);
                *known = Reading { doubtful: true, ..if better { reading } else { *known } };
            }
            None => kept.push((kinds, reading)),
        }
    }
    kept.into_iter().map(|(_, reading)| reading).collect()
}
