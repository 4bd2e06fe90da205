//! Reads AWS's own models of its services from `schemas/aws-shapes.bin`, a service at a time.
//!
//! `schemas/generate-shapes.py` makes the file from botocore (Apache-2.0) and describes its format. A block is inflated when
//! it is asked for, once; a shape is read from its line each time that it is walked, which costs less than keeping all.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::ops::Range;
use std::sync::{LazyLock, OnceLock};

/// The file: some 1.5 MB.
static FILE: &[u8] = include_bytes!("../../schemas/aws-shapes.bin");

static MODELS: LazyLock<Models> = LazyLock::new(Models::read);

/// All services.
pub(super) struct Models {
    /// Sorted by name.
    services: Vec<Service>,
    /// Places of services by `eventSource` without its ending.
    by_source: BTreeMap<&'static str, Vec<usize>>,
    /// Where the names of operations stand in the file.
    names_at: Range<usize>,
    names: OnceLock<Vec<&'static str>>,
}

/// One service of AWS.
pub(super) struct Service {
    /// As botocore and the CLI call it, but for `configservice` and `s3api`.
    pub(super) name: &'static str,
    /// What it speaks.
    pub(super) protocol: &'static str,
    /// How its records spell members: see the generator.
    pub(super) spelling: &'static str,
    /// Versions of its API that stand in names of events: `2020_05_31`.
    dates: &'static str,
    number: usize,
    operations: OnceLock<Vec<Name>>,
    at: Range<usize>,
    block: OnceLock<Block>,
}

/// What an operation is called, and the date that records may add: `20150331`.
pub(super) type Name = (&'static str, Option<&'static str>);

struct Block {
    text: &'static str,
    /// Where the line of each operation begins.
    operations: Vec<u32>,
    /// Where the line of each shape begins.
    shapes: Vec<u32>,
}

/// What an operation takes and gives.
#[derive(Clone, Copy)]
pub(super) struct Operation {
    /// As the API calls it.
    pub(super) name: &'static str,
    pub(super) request: Option<Type>,
    pub(super) response: Option<Type>,
    /// Words that stand in every query string of it, between spaces: `acl`.
    pub(super) flags: &'static str,
}

/// The type of a member or an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Text,
    Int,
    Number,
    Bool,
    Time,
    Bytes,
    /// Any JSON.
    Document,
    /// The shape of that number.
    Shape(u32),
}

/// What a shape is.
#[derive(Clone, Copy)]
pub(super) enum Form {
    /// Members: see [`members`].
    Structure(&'static str),
    /// What an item is called on the wire, if it is called anything; whether the list has no element of its own.
    List { item: &'static str, flat: bool, of: Type },
    /// What its values are.
    Map(Type),
    /// One of these texts, between tabs.
    Values(&'static str),
}

/// A member of a structure.
#[derive(Clone, Copy)]
pub(super) struct Member {
    pub(super) name: &'static str,
    /// Its name on the wire.
    pub(super) wire: &'static str,
    /// Letters that say where it is on the wire: see the generator.
    places: &'static str,
    pub(super) of: Type,
}

impl Member {
    /// True when it is at that place of the request or the answer.
    pub(super) fn is_at(&self, place: char) -> bool {
        self.places.contains(place)
    }
}

/// All services.
pub(super) fn models() -> &'static Models {
    &MODELS
}

/// What the model of a service names and lists: members and values. The service is called as botocore does, or as it
/// calls itself in records.
pub(crate) fn words(service: &str) -> impl Iterator<Item = &'static str> {
    let is_of_word = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_');
    let services = models().service(service).into_iter().chain(models().of_source(service));
    services.flat_map(move |service| service.block().text.split(move |letter| !is_of_word(letter)))
}

impl Models {
    // The file is part of the program and a test reads all of it: it cannot fail to be what it is.
    fn read() -> Self {
        let head = FILE.iter().position(|byte| *byte == b'\n').unwrap_or_default();
        let lengths = std::str::from_utf8(&FILE[..head]).unwrap_or_default();
        let mut lengths = lengths.rsplit(' ').filter_map(|word| word.parse::<usize>().ok());
        let (names, index) = (lengths.next().unwrap_or_default(), lengths.next().unwrap_or_default());
        let index_at = head + 1..head + 1 + index;
        let names_at = index_at.end..index_at.end + names;
        let mut at = names_at.end;
        let mut services = Vec::new();
        let mut by_source: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for line in inflate(index_at).lines() {
            let mut words = line.split(' ');
            let mut word = || words.next().unwrap_or_default();
            let (name, protocol) = (word(), word());
            let length = word().parse::<usize>().unwrap_or_default();
            let (spelling, sources, dates) = (word(), word(), word());
            let number = services.len();
            for source in sources.split(',') {
                by_source.entry(source).or_default().push(number);
            }
            let (operations, block) = (OnceLock::new(), OnceLock::new());
            services.push(Service { name, protocol, spelling, dates, number, operations, at: at..at + length, block });
            at += length;
        }
        Self { services, by_source, names_at, names: OnceLock::new() }
    }

    /// The service that botocore calls so.
    pub(super) fn service(&self, name: &str) -> Option<&Service> {
        let at = self.services.binary_search_by(|service| service.name.cmp(name)).ok()?;
        Some(&self.services[at])
    }

    /// Every `eventSource` of a service, without its ending, sorted.
    pub(super) fn sources(&self) -> impl Iterator<Item = &'static str> {
        self.by_source.keys().copied()
    }

    /// The services that call themselves so in records: `source` is without its ending.
    pub(super) fn of_source(&self, source: &str) -> impl Iterator<Item = &Service> {
        self.by_source.get(source).into_iter().flatten().map(|at| &self.services[*at])
    }

    /// The names of the operations of a service, between spaces, sorted; some with `~` and a date.
    fn names(&self, service: usize) -> &'static str {
        let names = self.names.get_or_init(|| inflate(self.names_at.clone()).lines().collect());
        names.get(service).copied().unwrap_or_default()
    }
}

impl Service {
    /// What its operations are called, sorted.
    pub(super) fn operations(&self) -> &[Name] {
        self.operations.get_or_init(|| {
            let names = models().names(self.number).split(' ').filter(|name| !name.is_empty());
            names.map(|name| name.split_once('~').map_or((name, None), |(name, date)| (name, Some(date)))).collect()
        })
    }

    /// Versions of its API that stand in names of events: `2020_05_31`.
    pub(super) fn dates(&self) -> impl Iterator<Item = &'static str> {
        self.dates.split(',').filter(|date| *date != "-")
    }

    /// The operation at that place among [`Service::operations`].
    pub(super) fn operation(&self, at: usize) -> Option<Operation> {
        let (name, _) = *self.operations().get(at)?;
        let block = self.block();
        let line = block.line(*block.operations.get(at)?);
        let (request, rest) = line.split_once(' ').unwrap_or((line, ""));
        let (response, flags) = rest.split_once(' ').unwrap_or((rest, ""));
        Some(Operation { name, request: read_type(request), response: read_type(response), flags })
    }

    /// What the shape of that number is.
    pub(super) fn form(&self, shape: u32) -> Form {
        let block = self.block();
        let line = block.shapes.get(shape as usize).map_or("", |at| block.line(*at));
        let rest = line.get(1..).unwrap_or_default();
        match line.as_bytes().first() {
            Some(b'[') => {
                let (item, of) = rest.split_once('>').unwrap_or_default();
                let (item, flat) = item.strip_prefix('~').map_or((item, false), |item| (item, true));
                Form::List { item, flat, of: read_type(of).unwrap_or(Type::Document) }
            }
            Some(b'*') => Form::Map(read_type(rest).unwrap_or(Type::Document)),
            Some(b'"') => Form::Values(rest),
            _ => Form::Structure(rest),
        }
    }

    fn block(&self) -> &Block {
        self.block.get_or_init(|| Block::of(inflate(self.at.clone())))
    }
}

impl Block {
    fn of(text: &'static str) -> Self {
        let (mut operations, mut shapes) = (Vec::new(), Vec::new());
        let (mut at, mut is_shape) = (0, false);
        while let Some(length) = memchr::memchr(b'\n', &text.as_bytes()[at..]) {
            match (length, is_shape) {
                (0, false) => is_shape = true,
                (_, false) => operations.push(offset(at)),
                (_, true) => shapes.push(offset(at)),
            }
            at += length + 1;
        }
        Self { text, operations, shapes }
    }

    fn line(&self, at: u32) -> &'static str {
        let rest = self.text.get(at as usize..).unwrap_or_default();
        &rest[..memchr::memchr(b'\n', rest.as_bytes()).unwrap_or(rest.len())]
    }
}

/// No block is near 4 GiB.
fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// The members of a structure, in the order of the model.
pub(super) fn members(line: &'static str) -> impl Iterator<Item = Member> {
    line.split(' ').filter_map(|word| {
        let (called, of) = word.split_once('>')?;
        let (called, places) = called.split_once('@').unwrap_or((called, ""));
        let (name, wire) = called.split_once('=').unwrap_or((called, called));
        Some(Member { name, wire, places, of: read_type(of)? })
    })
}

fn read_type(text: &str) -> Option<Type> {
    Some(match text {
        "t" => Type::Text,
        "i" => Type::Int,
        "n" => Type::Number,
        "b" => Type::Bool,
        "d" => Type::Time,
        "x" => Type::Bytes,
        "o" => Type::Document,
        _ => Type::Shape(text.parse().ok()?),
    })
}

/// A block as text. It is kept as long as the program runs, as what refers to it is.
fn inflate(at: Range<usize>) -> &'static str {
    let mut text = String::new();
    let packed = FILE.get(at).unwrap_or_default();
    if flate2::read::ZlibDecoder::new(packed).read_to_string(&mut text).is_err() {
        text.clear();
    }
    text.leak()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_block_is_what_it_should_be() {
        assert!(FILE.len() < 2_000_000, "{}", FILE.len());
        let mut operations = 0;
        for service in &models().services {
            let block = service.block();
            let names: Vec<&str> = service.operations().iter().map(|(name, _)| *name).collect();
            assert!(names.is_sorted() && names.len() == block.operations.len(), "{}", service.name);
            operations += names.len();
            let shapes = offset(block.shapes.len());
            let fits = |of: Type| !matches!(of, Type::Shape(number) if number >= shapes);
            for at in 0..names.len() {
                let operation = service.operation(at).unwrap();
                assert!(operation.request.is_none_or(fits) && operation.response.is_none_or(fits));
            }
            for shape in 0..shapes {
                match service.form(shape) {
                    Form::Structure(line) => {
                        assert_eq!(members(line).count(), line.split(' ').filter(|word| !word.is_empty()).count());
                        assert!(members(line).all(|member| fits(member.of)), "{} {line}", service.name);
                    }
                    Form::List { of, .. } | Form::Map(of) => assert!(fits(of), "{} {shape}", service.name),
                    Form::Values(values) => assert!(!values.is_empty(), "{} {shape}", service.name),
                }
            }
        }
        assert!(models().services.len() > 430 && operations > 19_500, "{operations}");
        assert_eq!(models().services.last().unwrap().at.end, FILE.len());
        assert!(models().services.is_sorted_by_key(|service| service.name));
    }

    #[test]
    fn sources_are_what_records_call_services() {
        let of = |source: &str| models().of_source(source).map(|service| service.name).collect::<Vec<_>>();
        assert_eq!(of("monitoring"), ["cloudwatch"]);
        assert_eq!(of("rds"), ["docdb", "neptune", "rds"]);
        assert_eq!(of("elasticloadbalancing"), ["elb", "elbv2"]);
        assert_eq!(of("states"), ["stepfunctions"]);
        assert_eq!(of("es"), ["es", "opensearch"]);
        assert_eq!(of("ses"), ["mailmanager", "pinpoint-email", "ses", "sesv2"]);
        assert_eq!(of("s3express"), ["s3", "s3control"]);
        assert_eq!(of("cloudwatch"), [""; 0]);
    }
}
