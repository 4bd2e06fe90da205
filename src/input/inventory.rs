//! Reads what AWS commands print, and AWS Config items, as resources.
//!
//! A file holds one or several pages, JSON or YAML: whole answers, or what `--query` left of one. What they are is told
//! by their members, then by the manifest or the path; where these contradict each other or leave a choice, there is a
//! fault that names the candidates, never a guess.
//!
//! A resource is the item as it was printed, with three exceptions: a scalar in a list (`PolicyNames`) is a map of one
//! member (`PolicyName`); an instance has its reservation's `OwnerId`, `ReservationId` and `RequesterId`; and what a
//! command was told to look at, where a manifest says so, is in a member `Arguments`, so that `cloudtrail/trail-status`
//! can be looked up by `Arguments.Name`.

mod config;
mod identify;
mod maker;
mod manifest;
mod outline;
mod pages;
mod place;

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use crate::fault::{Fault, printable};
use crate::inventory::{Builder, Collected, Identified, Identities, Places};
use crate::record::{Document, Kind, Node, Origin, Record, Ref, Scope};
use crate::schema::{self, Command, Member, Shape};
pub(super) use identify::are_resources;
use identify::{Form, Reading};
use maker::{Item, Made, Maker, named, resources_in};
use manifest::{Entry, Status};
pub use manifest::{Manifests, NAME as MANIFEST, clean, is_manifest};
pub use outline::looks_like;
use pages::Page;
use place::{Hint, Naming};

/// A file of inventory, as it was found.
pub struct File<'a> {
    /// As origins name it.
    pub name: &'a Arc<str>,
    /// Where it lies, if it is not standard input.
    pub path: Option<&'a Path>,
    /// Its decoded text.
    pub text: &'a [u8],
}

/// What a file holds, and what could not be read of it.
#[derive(Debug, Default)]
pub struct Contents {
    /// In pieces, in order.
    resources: Vec<Vec<Identified>>,
    /// Of which kind how much was collected where.
    collected: Vec<(Arc<str>, Scope, Collected)>,
    /// Of which kind all was seen where, at what time.
    wholes: Vec<(Arc<str>, Scope, Timestamp)>,
    /// What was deleted, and when.
    gone: Vec<Identified>,
    faults: Vec<Fault>,
}

/// Reads a file into `builder`; `defaults` are whose it is where nothing else says so. Gives what could not be read.
pub fn read(file: &File<'_>, defaults: &Scope, manifests: &Manifests, builder: &mut Builder) -> Vec<Fault> {
    open(file, defaults, manifests).put_into(builder)
}

/// Reads a file for itself: files may be read in any order and in any thread, and are put together in input order.
pub fn open(file: &File<'_>, defaults: &Scope, manifests: &Manifests) -> Contents {
    // What a manifest says was taken from it before.
    if file.path.is_some_and(|path| is_manifest(path, file.text)) {
        return Contents::default();
    }
    let Some(source) = Source::of(file.name, file.path, defaults, manifests) else { return Contents::default() };
    let mut reader = Reader { source: &source, contents: Contents::default(), position: 0 };
    let text = decoded(file.text);
    reader.read(text.trim_start_matches('\u{feff}'), file.path.is_some_and(outline::is_yaml));
    reader.contents
}

/// The command that a file is called by, in a folder that is called by its service: `ec2/describe-volumes.txt`.
pub fn command_of(path: &Path) -> Option<String> {
    let hint = place::of_path(path).1?;
    let stem = path.file_name()?.to_str()?.split('.').next()?;
    let is_known = schema::command(&hint.service, &hint.command).is_some();
    (is_known && stem == hint.command).then(|| format!("{} {}", hint.service, hint.command))
}

/// Whether the path of an empty file names a command that always prints something: a list, though it be empty. Those of S3
/// leave out what is not there, and the AWS CLI prints nothing where nothing is left.
pub fn must_print(path: &Path) -> bool {
    let command = place::of_path(path).1.and_then(|hint| schema::command(&hint.service, &hint.command));
    command.is_some_and(|command| {
        let lists = command.members.iter().any(|member| member.shape == schema::Shape::List && member.kind.is_some());
        lists && command.service != "s3api" || command.members.iter().any(|member| member.required)
    })
}

/// Reads a file as what a command printed that gives this kind, also where others print the same; `None` where it is
/// nothing that such a command prints.
pub fn open_as(kind: &str, file: &File<'_>, defaults: &Scope) -> Option<Contents> {
    let gives = |command: &&Command| command.kinds().any(|known| &**known == kind);
    let read = |command: &'static Command| {
        let hint = Hint { service: command.service.to_owned(), command: command.name.to_owned() };
        let entry = Entry { hint: Some(hint), ..Entry::default() };
        let source = Source { file: file.name, entry, command: Some(command), hinted_by_path: false, defaults };
        let mut reader = Reader { source: &source, contents: Contents::default(), position: 0 };
        reader.read(decoded(file.text).trim_start_matches('\u{feff}'), file.path.is_some_and(outline::is_yaml));
        reader.contents
    };
    schema::commands()
        .filter(gives)
        .map(read)
        .find(|contents| contents.faults.is_empty() && !contents.resources.is_empty())
}

impl Contents {
    /// Adds it to an inventory, and gives what could not be read.
    pub fn put_into(self, builder: &mut Builder) -> Vec<Fault> {
        builder.add_all(self.resources);
        for (kind, scope, collected) in self.collected {
            builder.note_collected(&kind, scope, collected);
        }
        for (kind, scope, time) in self.wholes {
            builder.note_whole(&kind, &scope, time);
        }
        self.gone.into_iter().for_each(|one| builder.note_gone(one));
        self.faults
    }
}

/// Bytes as text, with U+FFFD for what is not UTF-8: nearly all text is, and to see that takes a third of the time.
fn decoded(bytes: &[u8]) -> Cow<'_, str> {
    std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

/// A resource that a program or a case made itself: its id is found as that of one that was read.
pub fn resource(kind: &str, value: &Value, scope: Scope) -> Record {
    let value = Node::from(Document::from(value));
    let id = Naming::of(kind).id(value.view());
    let origin = Origin { file: kind.into(), position: 1, line: None };
    Record { kind: kind.into(), id, time: None, scope, value, origin }
}

/// A file, and what is known of it before it is looked at.
struct Source<'a> {
    file: &'a Arc<str>,
    /// What the manifest, then the path, say of it.
    entry: Entry,
    /// The command that they name, if the table has it.
    command: Option<&'static Command>,
    /// The path names it, not the manifest.
    hinted_by_path: bool,
    defaults: &'a Scope,
}

impl<'a> Source<'a> {
    /// None for a file that holds nothing: the call was refused.
    fn of(file: &'a Arc<str>, path: Option<&Path>, defaults: &'a Scope, manifests: &Manifests) -> Option<Self> {
        let (of_path, hint) = path.map(place::of_path).unwrap_or_default();
        let mut entry = path.and_then(|path| manifests.of(path)).cloned().unwrap_or_default();
        if entry.status == Status::Refused {
            return None;
        }
        entry.scope.account = entry.scope.account.or(of_path.account);
        entry.scope.region = entry.scope.region.or(of_path.region);
        let hinted_by_path = entry.hint.is_none();
        entry.hint = entry.hint.or(hint);
        let command = entry.hint.as_ref().and_then(|hint| schema::command(&hint.service, &hint.command));
        Some(Self { file, entry, command, hinted_by_path, defaults })
    }

    fn origin(&self, position: u64, line: Option<u64>) -> Origin {
        Origin { file: Arc::clone(self.file), position, line }
    }

    fn fault(&self, page: &Page<'_>, reason: String) -> Fault {
        Fault::inventory(reason, self.origin(0, Some(page.line)))
    }

    /// Whose something is that says this of it itself.
    fn scope(&self, kind: &str, ids: Scope) -> Scope {
        let given = &self.entry.scope;
        let region = given.region.clone().or(ids.region).or_else(|| self.defaults.region.clone());
        Scope {
            account: given.account.clone().or(ids.account).or_else(|| self.defaults.account.clone()),
            region: region.filter(|_| !place::is_global(kind)),
        }
    }

    /// When an answer was given.
    fn time(&self, answer: Ref<'_>) -> Option<Timestamp> {
        self.entry.time.or_else(|| response_time(answer))
    }

    /// Tells what a page is: by the manifest or path where the content fits them, else by the content.
    fn tell(&self, page: &Page<'_>) -> Result<Told, Fault> {
        let value = page.node.view();
        if outline::carries_events(value) {
            let reason = "events of CloudTrail among inventory (try: put them into files of their own)";
            return Err(self.fault(page, reason.to_owned()));
        }
        if let Some(items) = config::items(value) {
            return Ok(Told::Config(items));
        }
        if let Some(how) = identify::failure(value) {
            let reason = format!(
                "the call failed with {how}, so nothing was collected (try: ask again, or list it in `inventory.json` with \
                 `status: refused`)"
            );
            return Err(self.fault(page, reason));
        }
        if value.is_null() && !self.entry.listed {
            let reason = "nothing is here, which a call that failed leaves too (try: list the file in `inventory.json` \
                          with its `status`)";
            return Err(self.fault(page, reason.to_owned()));
        }
        if !matches!(value.kind(), Kind::Map | Kind::List | Kind::Null) {
            return Err(
                self.fault(page, "neither an object nor a list (try: collect it with `--output json`)".to_owned())
            );
        }
        if let Some(hint) = &self.entry.hint {
            let Some(command) = self.command else {
                // A folder may be called like a service that has no such command.
                let known = if schema::is_service(&hint.service) { identify::candidates(value) } else { Vec::new() };
                return match &known[..] {
                    [] => Ok(Told::Unknown(hint.clone())),
                    [reading] if self.hinted_by_path => Ok(Told::Known(*reading)),
                    _ => Err(self.fault(page, disagree(hint, value))),
                };
            };
            return match identify::as_printed_by(command, value) {
                Some(reading) => Ok(Told::Known(reading)),
                None => Err(self.fault(page, disagree(hint, value))),
            };
        }
        let candidates = identify::candidates(value);
        match &candidates[..] {
            [reading] => Ok(Told::Known(*reading)),
            [] if value.is_empty() => Ok(Told::Nothing),
            [] => Err(self.fault(
                page,
                format!(
                    "no AWS command is known to print this (try: list the file in `inventory.json`, or put it in a \
                     folder `<service>/<command>`){}",
                    members_of(value)
                ),
            )),
            several => Err(self.fault(
                page,
                format!(
                    "could be of kind {}: several commands print this (try: list the file in `inventory.json`, or put \
                     it in a folder `<service>/<command>`)",
                    choices(value, several)
                ),
            )),
        }
    }
}

struct Reader<'a> {
    source: &'a Source<'a>,
    contents: Contents,
    /// How many resources were read.
    position: u64,
}

/// What a page was told to be.
enum Told {
    Known(Reading),
    /// By a manifest or path, of a command that the table does not have.
    Unknown(Hint),
    /// An empty answer, of which nothing says what it is.
    Nothing,
    Config(Vec<config::Item>),
}

impl Reader<'_> {
    fn read(&mut self, text: &str, is_yaml: bool) {
        let (pages, broken) = Page::all(text, is_yaml, self.source.command);
        for broken in broken {
            self.contents.faults.push(Fault::inventory(broken.reason, self.source.origin(0, Some(broken.line))));
        }
        let told: Vec<_> = pages.iter().map(|page| self.source.tell(page)).collect();
        let answers = self.answers(&pages, &told);
        for ((page, told), answer) in pages.iter().zip(told).zip(answers) {
            match told {
                Ok(Told::Known(reading)) => self.known(page, &reading, answer),
                Ok(Told::Unknown(hint)) => self.unknown(page, &hint),
                Ok(Told::Config(items)) => self.config(page, &items),
                Ok(Told::Nothing) => {}
                Err(fault) => self.contents.faults.push(fault),
            }
        }
        if pages.is_empty() && text.trim().is_empty() {
            self.nothing();
        }
    }

    /// Reads a file with nothing in it. Some commands print nothing at all where there is nothing, which a manifest has to say.
    fn nothing(&mut self) {
        if !self.source.entry.listed {
            let reason = "the file is empty, and this command always prints something: a call that failed leaves that (try: \
                          collect it again, or list the file in `inventory.json` with its `status`)";
            return self.contents.faults.push(Fault::inventory(reason, self.source.origin(0, None)));
        }
        let page = Page::empty();
        match self.source.tell(&page) {
            Ok(Told::Known(reading)) => {
                let time = self.source.time(page.node.view());
                self.known(&page, &reading, Answer { is_cut: false, time });
            }
            Err(fault) => self.contents.faults.push(fault),
            Ok(_) => {}
        }
    }

    /// Of each page the answer that it is a part of: a page of a command that says that there is more goes on with the next page of
    /// that command. Pages are asked for one after the other, and what they hold is one answer, of the time of the last.
    fn answers(&self, pages: &[Page<'_>], told: &[Result<Told, Fault>]) -> Vec<Answer> {
        let mut next: HashMap<(&str, &str), Answer> = HashMap::new();
        let mut answers: Vec<Answer> = Vec::new();
        for (page, told) in pages.iter().zip(told).rev() {
            let value = page.node.view();
            let own = Answer { is_cut: identify::is_cut(value), time: self.source.time(value) };
            let answer = match told {
                Ok(Told::Known(Reading { command, .. })) => {
                    let answer = next.get(&(command.service, command.name)).copied().filter(|_| own.is_cut);
                    let answer = answer.map_or(own, |rest| Answer { time: rest.time.max(own.time), ..rest });
                    next.insert((command.service, command.name), answer);
                    answer
                }
                _ => own,
            };
            answers.push(answer);
        }
        answers.reverse();
        answers
    }

    /// Reads a page that a known command printed, of an answer.
    fn known(&mut self, page: &Page<'_>, reading: &Reading, answer: Answer) {
        let command = reading.command;
        let partial = answer.is_cut
            || reading.doubtful
            || command.argument
            || command.view
            || matches!(reading.form, Form::Item(_))
            || self.source.entry.narrows()
            || self.source.entry.status == Status::Partial;
        let collected = if partial { Collected::Partial } else { Collected::Whole };
        let value = page.node.view();
        let time = answer.time;
        match reading.form {
            Form::Item(member) => {
                let of = Of { kind: member.kind.as_ref(), command: Some(command), collected, time };
                let value = page.node.clone();
                self.resource(of, Some((value, Some(page.line))));
            }
            Form::Items(member) => {
                self.list(page, member, value, &[], Of { kind: None, command: Some(command), collected, time })
            }
            Form::Answer => {
                let of = Of { kind: command.singleton.as_ref(), command: Some(command), collected, time };
                if of.kind.is_some() {
                    return self.singleton(page.node.clone(), page.line, of);
                }
                let silent = value.entries().all(|(key, _)| identify::is_about_the_answer(key));
                for member in command.members.iter().filter(|member| member.kind.is_some()) {
                    let inner = value.get(member.name);
                    // A list that every answer has is there though it be empty. Where it is not, something took it away.
                    let lacks = inner.map_or(silent && member.required, Ref::is_null) && member.shape == Shape::List;
                    let collected = if lacks { Collected::Partial.min(collected) } else { collected };
                    let of = Of { kind: member.kind.as_ref(), collected, ..of };
                    match inner {
                        Some(inner) if member.shape == Shape::List => {
                            self.list(page, member, inner, &[member.name], of)
                        }
                        Some(inner) if !inner.is_null() => self.singleton(page.node.share(inner), page.line, of),
                        Some(_) => self.resource(of, None),
                        None if silent && member.shape == Shape::Map => {
                            self.singleton(Document::from(&Value::Null).into(), page.line, of);
                        }
                        None if silent => self.resource(of, None),
                        None => {}
                    }
                }
            }
        }
    }

    /// Reads the items of a list, which stands at `path` in the page.
    fn list(&mut self, page: &Page<'_>, member: &Member, list: Ref<'_>, path: &[&str], of: Of<'_>) {
        let of = Of { kind: member.kind.as_ref(), ..of };
        let counted = OnceCell::new();
        let line = |at: usize| {
            let inner = member.within.as_ref().map(|(inner, _)| *inner);
            counted.get_or_init(|| page.item_lines(path, inner)).get(at).copied()
        };
        let lines = page.lines_before();
        let mut read = || {
            self.resources(of, |maker, made| {
                made.resources.reserve(list.len());
                list.items().try_for_each(|item| {
                    resources_in(member, page.node.share(item), lines, &mut |(value, known)| {
                        let line = known.or_else(|| line(made.resources.len()));
                        maker.make((value, line), made);
                    })
                })
            })
        };
        if !matches!(list.kind(), Kind::List | Kind::Null) || read().is_none() {
            let reason = format!("`{}` is not the list that the command prints (try: collect it again)", member.name);
            self.contents.faults.push(self.source.fault(page, reason));
        }
    }

    /// Reads a whole answer as one resource. An empty answer is one only if it is known what it is an answer about.
    fn singleton(&mut self, value: Node, line: u64, of: Of<'_>) {
        let kept = value.view().entries().filter(|(key, _)| *key != "ResponseMetadata").count();
        let value = if kept == value.view().len() { value } else { without_metadata(value.view()) };
        let asked = of.command.is_some_and(|command| command.argument) && !self.source.entry.arguments.is_empty();
        self.resource(of, (kept > 0 || asked).then_some((value, Some(line))));
    }

    /// Adds one resource, or that there is none.
    fn resource(&mut self, of: Of<'_>, value: Option<Item>) {
        self.resources(of, |maker, made| {
            if let Some(value) = value {
                maker.make(value, made);
            }
            Some(())
        });
    }

    /// Adds resources of one kind, and notes how much of it was collected where; nothing of all that if they turn out to
    /// be something else.
    fn resources(&mut self, of: Of<'_>, make: impl FnOnce(&Maker<'_>, &mut Made) -> Option<()>) -> Option<()> {
        let Some(kind) = of.kind else { return Some(()) };
        let mut made = Made::after(self.position);
        make(&Maker::new(self.source, kind, of.command, of.time), &mut made)?;
        self.take(of, kind, vec![made]);
        Some(())
    }

    /// What is said of an answer whose flags are words or numbers, as a table makes of them: policies that ask for `true` or
    /// `false` would be silent. Of all of them the first is told.
    fn flag_in_words(&self, kind: &str, parts: &[Made]) -> Option<Fault> {
        let flags = schema::flags(kind);
        if flags.is_empty() {
            return None;
        }
        let resources = parts.iter().flat_map(|made| &made.resources);
        let (name, one) = resources.flat_map(|one| flags.iter().map(move |name| (name, one))).find(|(name, one)| {
            let kind = one.record.value.view().get(name).map(Ref::kind);
            matches!(kind, Some(Kind::Text | Kind::Int | Kind::Float))
        })?;
        let reason = format!(
            "`{name}` is a word or a number, where the command prints true or false (try: collect it again, with `--output \
             json`, and convert nothing)"
        );
        Some(Fault::inventory(reason, one.record.origin.clone()))
    }

    /// Takes the resources of one kind in an answer.
    fn take(&mut self, of: Of<'_>, kind: &Arc<str>, mut parts: Vec<Made>) {
        if let Some(fault) = self.flag_in_words(kind, &parts) {
            self.contents.faults.push(fault);
        }
        // One command is about one account and one region: what the items agree on is the answer's.
        let scope = self.source.scope(kind, Made::agreed(parts.iter()));
        // What another command leaves out need not be gone, nor what another account or region has, if it may be another.
        let is_placed = scope.account.is_some() && (scope.region.is_some() || place::is_global(kind));
        if let (Collected::Whole, Some(time)) = (of.collected, of.time)
            && of.command.is_some()
            && schema::is_of_one_command(kind)
            && is_placed
        {
            self.contents.wholes.push((Arc::clone(kind), scope.clone(), time));
        }
        self.contents.collected.push((Arc::clone(kind), scope, of.collected));
        forget_ids_that_are_not(&mut parts);
        for made in parts {
            self.position += made.resources.len() as u64;
            self.contents.resources.push(made.resources);
        }
    }

    /// Reads what a command printed that the table does not have: the items of its only list, else the whole.
    fn unknown(&mut self, page: &Page<'_>, hint: &Hint) {
        let value = page.node.view();
        let noun = hint.command.split_once('-').map_or(&*hint.command, |(_, noun)| noun);
        let lists: Vec<_> = value
            .entries()
            .filter(|(key, inner)| !identify::is_about_the_answer(key) && inner.kind() == Kind::List)
            .collect();
        let time = self.source.time(value);
        let collected =
            if identify::is_cut(value) || self.source.entry.narrows() || self.source.entry.status == Status::Partial {
                Collected::Partial
            } else {
                Collected::Whole
            };
        let of = Of { kind: None, command: None, collected, time };
        let (kind, name, list) = match (&lists[..], value.kind()) {
            (_, Kind::List) => (noun.to_owned(), noun, value),
            ([(key, list)], _) => (kebab(key), *key, *list),
            _ => {
                let kind: Arc<str> = format!("{}/{noun}", hint.service).into();
                return self.singleton(page.node.clone(), page.line, Of { kind: Some(&kind), ..of });
            }
        };
        let kind: Arc<str> = format!("{}/{kind}", hint.service).into();
        // What a command that the table does not know prints of a kind that it knows need not be all.
        let collected = if schema::is_kind(&kind) { Collected::Partial } else { collected };
        let of = Of { collected, ..of };
        self.resources(Of { kind: Some(&kind), ..of }, |maker, made| {
            for item in list.items() {
                let value = if item.kind() == Kind::Map { page.node.share(item) } else { named(name, item) };
                maker.make((value, None), made);
            }
            Some(())
        });
    }

    fn config(&mut self, page: &Page<'_>, items: &[config::Item]) {
        let mut made = Vec::new();
        let mut identities = Identities::default();
        for item in items {
            self.position += 1;
            let kind: Arc<str> = item.kind.as_str().into();
            let scope = self.source.scope(&kind, item.scope.clone());
            // A list of items does not say that there are no others.
            self.contents.collected.push((Arc::clone(&kind), scope.clone(), Collected::Partial));
            let origin = self.source.origin(self.position, Some(page.line));
            match item.state {
                config::State::Deleted => {
                    if let (Some(id), Some(_)) = (&item.id, item.time) {
                        let (id, value) = (Some(Arc::from(id.as_str())), Document::from(&Value::Null).into());
                        let record = Record { id, time: item.time, scope, value, origin, kind };
                        self.contents.gone.push(identities.of(record));
                    }
                }
                config::State::Unread => self.contents.faults.push(Fault::inventory(
                    format!(
                        "the item of kind `{kind}` has no configuration that can be read, so nothing is known of the resource \
                         (try: ask for `configuration`, or deliver the item again)"
                    ),
                    origin,
                )),
                config::State::LeftOut => self.contents.faults.push(Fault::inventory(
                    format!(
                        "the item of kind `{kind}` was too large to be delivered with its configuration (try: add the \
                         answer of `configservice get-resource-config-history`)"
                    ),
                    origin,
                )),
                config::State::NotRecorded => self.contents.faults.push(Fault::inventory(
                    format!(
                        "the item of kind `{kind}` says that AWS Config no longer records it: what became of it is not known \
                         (try: collect what the API answers)"
                    ),
                    origin,
                )),
                config::State::Here => made.push(identities.of(Record {
                    id: item.id.as_deref().map(Arc::from),
                    time: item.time.or(self.source.entry.time),
                    scope,
                    value: Document::from(&item.value).into(),
                    origin,
                    kind,
                })),
            }
        }
        self.contents.resources.push(made);
    }
}

/// An answer of which a page is a part.
#[derive(Clone, Copy)]
struct Answer {
    /// Its last page says that there is more.
    is_cut: bool,
    time: Option<Timestamp>,
}

/// What is common to the resources of one kind in a page.
#[derive(Clone, Copy)]
struct Of<'a> {
    kind: Option<&'a Arc<str>>,
    command: Option<&'static Command>,
    collected: Collected,
    time: Option<Timestamp>,
}

/// When the answer was given, as the SDK keeps it.
fn response_time(value: Ref<'_>) -> Option<Timestamp> {
    let date = value.text(&["ResponseMetadata", "HTTPHeaders", "date"])?;
    jiff::fmt::rfc2822::parse(date).ok().map(|date| date.timestamp())
}

fn without_metadata(value: Ref<'_>) -> Node {
    let kept = value.entries().filter(|(key, _)| *key != "ResponseMetadata");
    Document::from(&Value::Object(kept.map(|(key, value)| (key.to_owned(), value.to_json())).collect())).into()
}

/// Resources of one answer that have the same id and differ show that it is not an id.
fn forget_ids_that_are_not(parts: &mut [Made]) {
    let count = parts.iter().map(|made| made.resources.len()).sum();
    if count < 2 {
        return;
    }
    let (mut firsts, mut known, mut shared) = (Vec::with_capacity(count), Places::default(), BTreeSet::new());
    known.reserve(count);
    for one in parts.iter().flat_map(|made| &made.resources) {
        let Some(id) = &one.record.id else { continue };
        let is_same = |at: usize| firsts.get(at).is_some_and(|first: &&Record| first.id.as_ref() == Some(id));
        match known.find(one.id, firsts.len(), is_same) {
            None => firsts.push(&one.record),
            Some(at) if firsts[at].value.view() != one.record.value.view() => drop(shared.insert(Arc::clone(id))),
            Some(_) => {}
        }
    }
    if shared.is_empty() {
        return;
    }
    for one in parts.iter_mut().flat_map(|made| &mut made.resources) {
        one.record.id = one.record.id.take().filter(|id| !shared.contains(id));
    }
}

/// Says that a manifest or path contradicts the content.
fn disagree(hint: &Hint, value: Ref<'_>) -> String {
    let candidates = identify::candidates(value);
    let content = match &candidates[..] {
        [] => "the content has none of its members".to_owned(),
        _ => format!("the content is of kind {}", choices(value, &candidates)),
    };
    let Hint { service, command } = hint;
    format!("the manifest or path says `{service} {command}`, but {content} (try: correct the one or move the other)")
}

/// The kinds that candidates give, for a message.
fn choices(value: Ref<'_>, candidates: &[Reading]) -> String {
    let kinds: BTreeSet<String> = candidates.iter().flat_map(|reading| reading.kinds(value)).collect();
    let shown: Vec<String> = kinds.iter().take(8).map(|kind| format!("`{kind}`")).collect();
    let more =
        if kinds.len() > shown.len() { format!(" and {} more", kinds.len() - shown.len()) } else { String::new() };
    format!("{}{more}", shown.join(", "))
}

fn members_of(value: Ref<'_>) -> String {
    let names: Vec<String> = value.entries().take(5).map(|(key, _)| format!("`{}`", printable(key, 40))).collect();
    if names.is_empty() { String::new() } else { format!(": its members are {}", names.join(", ")) }
}

/// `SomeThings` → `some-things`, `trailList` → `trails`.
fn kebab(name: &str) -> String {
    let name = name.strip_suffix("List").or_else(|| name.strip_suffix("Set")).map_or_else(
        || name.to_owned(),
        |stem| if stem.ends_with('s') || stem.is_empty() { stem.to_owned() } else { format!("{stem}s") },
    );
    let mut out = String::new();
    let letters: Vec<char> = name.chars().collect();
    for (at, letter) in letters.iter().enumerate() {
        let lower = |at: usize| letters.get(at).is_some_and(char::is_ascii_lowercase);
        if at > 0 && letter.is_ascii_uppercase() && (lower(at - 1) || lower(at + 1)) {
            out.push('-');
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
}
