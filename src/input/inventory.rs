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
mod manifest;
mod outline;
mod place;

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::fault::{Fault, printable};
use crate::inventory::{Builder, Collected, Places};
use crate::record::{Document, Kind, Node, Origin, Record, Ref, Scope};
use crate::schema::{self, Command, Fields, Member, Shape};
use crate::yaml::{self, Yaml};
use identify::{Form, Reading};
use manifest::{Entry, Status};
pub use manifest::{Manifests, NAME as MANIFEST, is_manifest};
pub use outline::looks_like;
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
    resources: Vec<Record>,
    /// Of which kind how much was collected where.
    collected: Vec<(Arc<str>, Scope, Collected)>,
    faults: Vec<Fault>,
}

/// Reads a file into `builder`; `defaults` are whose it is where nothing else says so. Gives what could not be read.
pub fn read(file: &File<'_>, defaults: &Scope, manifests: &Manifests, builder: &mut Builder) -> Vec<Fault> {
    open(file, defaults, manifests).put_into(builder)
}

/// Reads a file for itself: files may be read in any order and in any thread, and are put together in input order.
pub fn open(file: &File<'_>, defaults: &Scope, manifests: &Manifests) -> Contents {
    let (of_path, hint) = file.path.map(place::of_path).unwrap_or_default();
    let mut entry = file.path.and_then(|path| manifests.of(path)).cloned().unwrap_or_default();
    // What a manifest says was taken from it before.
    if entry.status == Status::Refused || file.path.is_some_and(|path| is_manifest(path, file.text)) {
        return Contents::default();
    }
    entry.scope.account = entry.scope.account.or(of_path.account);
    entry.scope.region = entry.scope.region.or(of_path.region);
    entry.hint = entry.hint.or(hint);
    let command = entry.hint.as_ref().and_then(|hint| schema::command(&hint.service, &hint.command));
    let mut reader = Reader { file: file.name, entry, command, defaults, contents: Contents::default(), position: 0 };
    let text = decoded(file.text);
    reader.read(text.trim_start_matches('\u{feff}'), file.path.is_some_and(outline::is_yaml));
    reader.contents
}

impl Contents {
    /// Adds it to an inventory, and gives what could not be read.
    pub fn put_into(self, builder: &mut Builder) -> Vec<Fault> {
        for run in self.resources.chunk_by(|one, next| one.kind == next.kind) {
            builder.reserve(&run[0].kind, run.len());
        }
        for record in self.resources {
            builder.add(record);
        }
        for (kind, scope, collected) in self.collected {
            builder.note_collected(&kind, scope, collected);
        }
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

struct Reader<'a> {
    file: &'a Arc<str>,
    /// What the manifest, then the path, say of the file.
    entry: Entry,
    /// The command that they name, if the table has it.
    command: Option<&'static Command>,
    defaults: &'a Scope,
    contents: Contents,
    /// How many resources were read.
    position: u64,
}

/// One value in a file.
struct Page<'a> {
    node: Node,
    /// The line on which it begins, from 1.
    line: u64,
    text: Text<'a>,
}

impl Page<'_> {
    /// The line on which a list or a map in it begins, if the document knows.
    fn line_of(&self, value: Ref<'_>) -> Option<u64> {
        Some(self.line + value.line()? - self.node.view().line()?)
    }
}

/// What the lines of a page's items are counted in.
enum Text<'a> {
    Json(&'a str),
    Yaml { text: &'a str, yaml: Yaml },
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
    fn read(&mut self, text: &str, yaml: bool) {
        let pages = if yaml { self.yaml_pages(text) } else { self.json_pages(text) };
        let pages: Vec<Page<'_>> = pages.into_iter().flat_map(|page| self.apart(page)).collect();
        let told: Vec<_> = pages.iter().map(|page| self.tell(page)).collect();
        // Whether there is more is what the last page of a command says.
        let mut cut: HashMap<(&str, &str), bool> = HashMap::new();
        for (page, told) in pages.iter().zip(&told) {
            if let Ok(Told::Known(Reading { command, .. })) = told {
                cut.insert((command.service, command.name), identify::is_cut(page.node.view()));
            }
        }
        for (page, told) in pages.iter().zip(told) {
            match told {
                Ok(Told::Known(reading)) => {
                    let cut = cut[&(reading.command.service, reading.command.name)];
                    self.known(page, &reading, cut);
                }
                Ok(Told::Unknown(hint)) => self.unknown(page, &hint),
                Ok(Told::Config(items)) => self.config(page, &items),
                Ok(Told::Nothing) => {}
                Err(fault) => self.contents.faults.push(fault),
            }
        }
        if pages.is_empty() && text.trim().is_empty() {
            // Some commands print nothing at all where there is nothing.
            let page = Page { node: Node::from(Document::from(&Value::Null)), line: 1, text: Text::Json("") };
            match self.tell(&page) {
                Ok(Told::Known(reading)) => self.known(&page, &reading, false),
                Err(fault) => self.contents.faults.push(fault),
                Ok(_) => {}
            }
        }
    }

    fn json_pages<'t>(&mut self, text: &'t str) -> Vec<Page<'t>> {
        let (nodes, rest) = Document::parse_many(text.as_bytes());
        let ends: Vec<usize> = nodes.iter().skip(1).map(|(_, begin)| *begin).chain([rest]).collect();
        let pages = nodes.into_iter().zip(ends).map(|((node, begin), end)| {
            let line = node.view().line().unwrap_or(1);
            Page { node, line, text: Text::Json(&text[begin..end]) }
        });
        let mut pages: Vec<Page<'t>> = pages.collect();
        if rest < text.len() {
            self.odd_pages(text, rest, &mut pages);
        }
        pages
    }

    /// Reads the pages from `begin` on one by one, each as well as it can be.
    fn odd_pages<'t>(&mut self, text: &'t str, begin: usize, pages: &mut Vec<Page<'t>>) {
        let (before, text) = text.split_at(begin);
        let mut lines = Lines { text, at: 0, line: Lines::new(before).at(before.len()) };
        let mut stream = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
        loop {
            let begin = stream.byte_offset();
            let begin = begin + text[begin..].len() - text[begin..].trim_start().len();
            let (page, broken) = match stream.next() {
                None => return,
                Some(Ok(raw)) => (raw.get(), false),
                // The rest may be one value that needs repair.
                Some(Err(_)) => (&text[begin..], true),
            };
            let line = lines.at(begin);
            match Document::parse(page.as_bytes()) {
                Ok(document) => pages.push(Page { node: document.into(), line, text: Text::Json(page) }),
                Err(error) => self.contents.faults.push(Fault::inventory(
                    format!("not JSON: {error} (try: collect it again with `--output json`)"),
                    self.origin(0, Some(line + (error.line() as u64).saturating_sub(1))),
                )),
            }
            if broken {
                return;
            }
        }
    }

    fn yaml_pages<'t>(&mut self, text: &'t str) -> Vec<Page<'t>> {
        match yaml::parse_all(text) {
            Ok(values) => values
                .into_iter()
                .map(|yaml| Page {
                    node: Document::from(&yaml.to_json()).into(),
                    line: Lines::new(text).at(yaml.span.start),
                    text: Text::Yaml { text, yaml },
                })
                .collect(),
            Err(error) => {
                let line = Lines::new(text).at(error.span.start);
                self.contents.faults.push(Fault::inventory(error.message, self.origin(0, Some(line))));
                Vec::new()
            }
        }
    }

    /// The pages in a list of them, as `--output yaml-stream` prints, else the page itself.
    fn apart<'t>(&self, page: Page<'t>) -> Vec<Page<'t>> {
        let value = page.node.view();
        if !identify::is_list_of_answers(value, self.command) || config::is_config(value) {
            return vec![page];
        }
        let nodes: Vec<Node> = value.items().map(|item| page.node.share(item)).collect();
        let lines: Option<Vec<u64>> = value.items().map(|item| page.line_of(item)).collect();
        let lines = lines.unwrap_or_else(|| item_lines(&page, &[], None));
        let texts: Vec<Text<'t>> = match page.text {
            Text::Json(text) => {
                let items: Vec<&RawValue> = serde_json::from_str(text).unwrap_or_default();
                items.into_iter().map(|item| Text::Json(item.get())).collect()
            }
            Text::Yaml { text, yaml } => match yaml.data {
                yaml::Data::List(items) => items.into_iter().map(|yaml| Text::Yaml { text, yaml }).collect(),
                _ => Vec::new(),
            },
        };
        let lines = lines.into_iter().chain(std::iter::repeat(page.line));
        let texts = texts.into_iter().chain(std::iter::repeat_with(|| Text::Json("")));
        nodes.into_iter().zip(lines).zip(texts).map(|((node, line), text)| Page { node, line, text }).collect()
    }

    fn origin(&self, position: u64, line: Option<u64>) -> Origin {
        Origin { file: Arc::clone(self.file), position, line }
    }

    /// Tells what a page is: by the manifest or path where the content fits them, else by the content.
    fn tell(&self, page: &Page<'_>) -> Result<Told, Fault> {
        let value = page.node.view();
        if let Some(items) = config::items(value) {
            return Ok(Told::Config(items));
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
            let Some(command) = self.command else { return Ok(Told::Unknown(hint.clone())) };
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

    fn fault(&self, page: &Page<'_>, reason: String) -> Fault {
        Fault::inventory(reason, self.origin(0, Some(page.line)))
    }

    /// Reads a page that a known command printed; `cut` when its last page in the file says that there is more.
    fn known(&mut self, page: &Page<'_>, reading: &Reading, cut: bool) {
        let command = reading.command;
        let partial = cut
            || reading.doubtful
            || command.argument
            || command.view
            || matches!(reading.form, Form::Item(_))
            || self.entry.narrows()
            || self.entry.status == Status::Partial;
        let collected = if partial { Collected::Partial } else { Collected::Whole };
        let value = page.node.view();
        let time = self.entry.time.or_else(|| response_time(value));
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
                    let of = Of { kind: member.kind.as_ref(), ..of };
                    match value.get(member.name) {
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
            counted.get_or_init(|| item_lines(page, path, inner)).get(at).copied()
        };
        let values = resources_in(page, member, list).enumerate();
        let values = values.map(|(at, value)| value.map(|(value, known)| (value, known.or_else(|| line(at)))));
        let is_list = matches!(list.kind(), Kind::List | Kind::Null);
        if !is_list || self.resources(of, list.len(), values).is_none() {
            let reason = format!("`{}` is not the list that the command prints (try: collect it again)", member.name);
            let fault = self.fault(page, reason);
            self.contents.faults.push(fault);
        }
    }

    /// Reads a whole answer as one resource. An empty answer is one only if it is known what it is an answer about.
    fn singleton(&mut self, value: Node, line: u64, of: Of<'_>) {
        let kept = value.view().entries().filter(|(key, _)| *key != "ResponseMetadata").count();
        let value = if kept == value.view().len() { value } else { without_metadata(value.view()) };
        let asked = of.command.is_some_and(|command| command.argument) && !self.entry.arguments.is_empty();
        self.resource(of, (kept > 0 || asked).then_some((value, Some(line))));
    }

    /// Adds one resource, or that there is none.
    fn resource(&mut self, of: Of<'_>, value: Option<Item>) {
        // A value that is there cannot fail to be taken.
        let _ = self.resources(of, 1, value.into_iter().map(Some));
    }

    /// Adds some resources of one kind, and notes how much of it was collected where. Takes nothing of it all if one of
    /// them turns out to be none.
    fn resources(&mut self, of: Of<'_>, about: usize, values: impl Iterator<Item = Option<Item>>) -> Option<()> {
        let Some(kind) = of.kind else { return Some(()) };
        let argument = of.command.is_none_or(|command| command.argument);
        let single = of.command.is_some_and(|command| {
            let unwrapped =
                command.members.iter().any(|member| member.kind.as_ref() == Some(kind) && member.shape == Shape::Map);
            command.singleton.is_some() || unwrapped
        });
        let naming = Naming::of(kind);
        // What the command was told, as a member of each resource.
        let told = (argument && !self.entry.arguments.is_empty())
            .then(|| Document::from(&json!({ "Arguments": self.entry.arguments })));
        let (mut accounts, mut regions) = (Agreed::default(), Agreed::default());
        let (first, before) = (self.contents.resources.len(), self.position);
        let (mut ids, mut no_ids) = (Places::default(), BTreeSet::new());
        self.contents.resources.reserve(about);
        ids.reserve(about);
        for value in values {
            let Some((value, line)) = value else {
                self.contents.resources.truncate(first);
                self.position = before;
                return None;
            };
            self.position += 1;
            let whose = naming.whose(value.view());
            let whose = Scope {
                account: whose.account.map(|account| accounts.note(&account)),
                region: whose.region.map(|region| regions.note(region)),
            };
            let id =
                naming.id(value.view()).or_else(|| single.then(|| self.single_id(kind, value.view(), argument))?);
            let value = match &told {
                Some(told) if value.view().kind() == Kind::Map => {
                    Document::with_members(value.view(), told.root().entries()).into()
                }
                Some(told) => Document::with_members(told.root(), std::iter::empty()).into(),
                None => value,
            };
            let records = &mut self.contents.resources;
            if let Some(id) = &id
                && let Some(known) = ids.find(ids.hash(id), records.len(), |at| records[at].id.as_ref() == Some(id))
                && records[known].value.view() != value.view()
            {
                no_ids.insert(Arc::clone(id));
            }
            let scope = self.scope(kind, whose);
            let origin = self.origin(self.position, line);
            self.contents.resources.push(Record { kind: Arc::clone(kind), id, time: of.time, scope, value, origin });
        }
        // Resources of one answer that have the same id and differ show that it is not an id.
        if !no_ids.is_empty() {
            for record in &mut self.contents.resources[first..] {
                record.id = record.id.take().filter(|id| !no_ids.contains(id));
            }
        }
        // One command is about one account and one region: what the items agree on is the answer's.
        let scope = self.scope(kind, Scope { account: accounts.agreed(), region: regions.agreed() });
        self.contents.collected.push((Arc::clone(kind), scope, of.collected));
        Some(())
    }

    /// Of a singleton: any id in it, else the one thing that the command was told to look at, else, where there is one in
    /// an account, its name.
    fn single_id(&self, kind: &str, value: Ref<'_>, argument: bool) -> Option<Arc<str>> {
        let ends = |key: &str| ["Id", "ID", "Arn", "ARN"].iter().any(|end| key.ends_with(end));
        let mut ids = value.entries().filter(|(key, _)| ends(key)).filter_map(|(_, value)| value.as_str());
        if !argument {
            return kind.rsplit('/').next().map(Arc::from);
        }
        let mut told = self.entry.arguments.values().filter_map(Value::as_str);
        ids.next().or_else(|| told.next().filter(|_| told.next().is_none())).map(Arc::from)
    }

    fn scope(&self, kind: &str, ids: Scope) -> Scope {
        let given = &self.entry.scope;
        let region = given.region.clone().or(ids.region).or_else(|| self.defaults.region.clone());
        Scope {
            account: given.account.clone().or(ids.account).or_else(|| self.defaults.account.clone()),
            region: region.filter(|_| !place::is_global(kind)),
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
        let time = self.entry.time.or_else(|| response_time(value));
        let collected = if identify::is_cut(value) || self.entry.narrows() || self.entry.status == Status::Partial {
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
        let values = list.items().map(|item| match item.kind() {
            Kind::Map => Some((page.node.share(item), None)),
            _ => Some((named(name, item), None)),
        });
        let _ = self.resources(Of { kind: Some(&kind), ..of }, list.len(), values);
    }

    fn config(&mut self, page: &Page<'_>, items: &[config::Item]) {
        for item in items {
            self.position += 1;
            let kind: Arc<str> = item.kind.as_str().into();
            let scope = self.scope(&kind, item.scope.clone());
            // A list of items does not say that there are no others.
            self.contents.collected.push((Arc::clone(&kind), scope.clone(), Collected::Partial));
            let origin = self.origin(self.position, Some(page.line));
            match item.state {
                config::State::Deleted => {}
                config::State::LeftOut => self.contents.faults.push(Fault::inventory(
                    format!(
                        "the item of kind `{kind}` was too large to be delivered with its configuration (try: add the \
                         answer of `configservice get-resource-config-history`)"
                    ),
                    origin,
                )),
                config::State::Here => self.contents.resources.push(Record {
                    id: item.id.as_deref().map(Arc::from),
                    time: item.time.or(self.entry.time),
                    scope,
                    value: Document::from(&item.value).into(),
                    origin,
                    kind,
                }),
            }
        }
    }
}

/// A resource's value, and its line if the document knows it.
type Item = (Node, Option<u64>);

/// What an instance has of its reservation.
const INHERITED: [&str; 3] = ["OwnerId", "ReservationId", "RequesterId"];

/// The resources in a list that a command printed; `None` for an item that is something else.
fn resources_in<'a>(page: &'a Page<'_>, member: &'a Member, list: Ref<'a>) -> impl Iterator<Item = Option<Item>> {
    list.items().flat_map(move |item| {
        let inner = member.within.as_ref().and_then(|(inner, _)| item.get(inner));
        let group = inner.filter(|inner| inner.kind() == Kind::List);
        let inherited = move || INHERITED.iter().filter_map(move |name| Some((*name, item.get(name)?)));
        let of_group =
            move |value: Ref<'a>| Some((Document::with_members(value, inherited()).into(), page.line_of(value)));
        let alone = group.is_none().then(|| {
            let value = match (&member.within, item.kind()) {
                // With `--query 'Reservations[].Instances[]'`.
                (Some((_, fields)), Kind::Map)
                    if inner.is_none() && item.entries().any(|(key, _)| is_of_resource(key, *fields, member)) =>
                {
                    page.node.share(item)
                }
                (None, Kind::Map) => page.node.share(item),
                (None, _) if member.fields.is_empty() => named(member.name, item),
                _ => return None,
            };
            Some((value, page.line_of(item)))
        });
        group.into_iter().flat_map(Ref::items).map(of_group).chain(alone)
    })
}

/// True for a member that resources have, and what groups them has not.
fn is_of_resource(key: &str, fields: Fields, group: &Member) -> bool {
    fields.contains(key) && !group.fields.contains(key)
}

/// A scalar of the list `name` as a map of one member: `PolicyNames` gives `PolicyName`.
fn named(name: &str, item: Ref<'_>) -> Node {
    let members = Map::from_iter([(place::singular(name), item.to_json())]);
    Document::from(&Value::Object(members)).into()
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

/// What the items of an answer say of an account or a region.
#[derive(Default)]
struct Agreed {
    last: Option<Arc<str>>,
    differ: bool,
}

impl Agreed {
    /// Takes what one item says, and gives it shared with the item before.
    fn note(&mut self, text: &str) -> Arc<str> {
        match &self.last {
            Some(last) if **last == *text => Arc::clone(last),
            last => {
                self.differ |= last.is_some();
                Arc::clone(self.last.insert(text.into()))
            }
        }
    }

    /// What those that say something all say.
    fn agreed(self) -> Option<Arc<str>> {
        self.last.filter(|_| !self.differ)
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

/// Counts lines as it is asked about later and later places.
struct Lines<'a> {
    text: &'a str,
    at: usize,
    line: u64,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, at: 0, line: 1 }
    }

    fn at(&mut self, offset: usize) -> u64 {
        if offset > self.at {
            let between = self.text.as_bytes().get(self.at..offset).unwrap_or_default();
            self.line += between.iter().filter(|byte| **byte == b'\n').count() as u64;
            self.at = offset;
        }
        self.line
    }
}

/// The lines on which the items of a list begin that stands at `path` in a page, or the items in their member `inner`;
/// empty when they cannot be told.
fn item_lines(page: &Page<'_>, path: &[&str], inner: Option<&str>) -> Vec<u64> {
    match &page.text {
        Text::Json(text) => {
            let offsets = json_offsets(text, path, inner).unwrap_or_default();
            let mut lines = Lines::new(text);
            offsets.into_iter().map(|offset| page.line + lines.at(offset) - 1).collect()
        }
        Text::Yaml { text, yaml } => {
            let Some(list) = path.iter().try_fold(yaml, |yaml, step| yaml.get(step)) else { return Vec::new() };
            let items = list.items().iter().flat_map(|item| match inner.and_then(|inner| item.get(inner)) {
                Some(inner) => inner.items(),
                None => std::slice::from_ref(item),
            });
            let mut lines = Lines::new(text);
            items.map(|item| lines.at(item.span.start)).collect()
        }
    }
}

fn json_offsets(text: &str, path: &[&str], inner: Option<&str>) -> Option<Vec<usize>> {
    type Members<'a> = std::collections::HashMap<std::borrow::Cow<'a, str>, &'a RawValue>;
    let mut value: &RawValue = serde_json::from_str(text).ok()?;
    for step in path {
        value = serde_json::from_str::<Members<'_>>(value.get()).ok()?.get(*step).copied()?;
    }
    let mut offsets = Vec::new();
    for item in serde_json::from_str::<Vec<&RawValue>>(value.get()).ok()? {
        let grouped = inner.and_then(|inner| serde_json::from_str::<Members<'_>>(item.get()).ok()?.get(inner).copied());
        let items = match grouped {
            Some(list) => serde_json::from_str::<Vec<&RawValue>>(list.get()).ok()?,
            None => vec![item],
        };
        offsets.extend(items.iter().map(|item| item.get().as_ptr().addr() - text.as_ptr().addr()));
    }
    Some(offsets)
}
