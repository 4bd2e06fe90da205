//! Sources and events of CloudTrail, and what their records hold: AWS's models, what is written in schemas/, and what users add.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError};

use super::at::At;
use super::models::{Operation, Service, models};
use super::notation::{ANY, Event, Hand, Sheet};
use super::place::Place;
use super::spelling::Spelling;
use crate::error::Error;

/// How `eventSource` ends.
const DOMAIN: &str = ".amazonaws.com";

/// What a record is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call<'a> {
    /// Its `eventSource`: `ec2.amazonaws.com`.
    pub source: &'a str,
    /// Its `eventName`: `RunInstances`.
    pub name: &'a str,
}

/// What records and resources can hold.
#[derive(Debug)]
pub struct Shapes {
    sheet: Sheet,
    sources: OnceLock<Vec<String>>,
    /// The sources of every name of an event.
    names: OnceLock<BTreeMap<String, Vec<String>>>,
    /// The events of the sources that somebody asked for.
    events: Mutex<HashMap<String, Arc<[String]>>>,
}

static EMBEDDED: LazyLock<Shapes> = LazyLock::new(|| {
    let mut sheet = Sheet::embedded(include_str!("../../schemas/cloudtrail-record.yaml"));
    sheet.add(Sheet::embedded(include_str!("../../schemas/cloudtrail-events.yaml")));
    Shapes::of(sheet)
});

impl Shapes {
    fn of(sheet: Sheet) -> Self {
        Self { sheet, sources: OnceLock::new(), names: OnceLock::new(), events: Mutex::default() }
    }

    /// What the program carries: facts about AWS at the time at which it was made.
    pub fn embedded() -> &'static Self {
        &EMBEDDED
    }

    /// The same and what stands in the `.yaml`, `.yml` and `.json` files of a folder, in the order of their names. The
    /// notation is in `docs/shapes.md`; where two speak of the same value, the later one wins.
    ///
    /// # Errors
    /// Everything in all of the files that cannot be read or is not in the notation.
    pub fn with_extra(&self, folder: &Path) -> Result<Self, Vec<Error>> {
        let failed = |error: std::io::Error| {
            vec![Error::new(format!("cannot be read: {error}")).about(folder.display().to_string())]
        };
        let mut files = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            let is_ours = path.extension().is_some_and(|end| ["yaml", "yml", "json"].iter().any(|known| end == *known));
            files.extend(is_ours.then_some(path));
        }
        files.sort();
        if files.is_empty() {
            let error = Error::new("has no `.yaml`, `.yml` or `.json` file").about(folder.display().to_string());
            return Err(vec![error.try_to("name a folder of shapes")]);
        }
        let (mut sheet, mut errors) = (self.sheet.clone(), Vec::new());
        for file in files {
            match Sheet::read(&file) {
                Ok(more) => sheet.add(more),
                Err(wrong) => errors.extend(wrong),
            }
        }
        if errors.is_empty() { Ok(Self::of(sheet)) } else { Err(errors) }
    }

    /// Every `eventSource` that is known, sorted.
    pub fn sources(&self) -> &[String] {
        self.sources.get_or_init(|| {
            let modelled = models().sources().map(|source| format!("{source}{DOMAIN}"));
            let written = self.sheet.sources.keys().filter(|source| *source != ANY).cloned();
            modelled.chain(written).collect::<BTreeSet<String>>().into_iter().collect()
        })
    }

    /// True for an `eventSource` that is known.
    pub fn is_source(&self, source: &str) -> bool {
        services(source).next().is_some() || source != ANY && self.sheet.sources.contains_key(source)
    }

    /// Every event that is known of a source, sorted: operations by all names that records have for them, and what is no
    /// operation.
    pub fn events(&self, source: &str) -> Arc<[String]> {
        let mut known = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(events) = known.get(source) {
            return Arc::clone(events);
        }
        let events: Arc<[String]> = self.events_of(source).into_iter().collect();
        known.insert(source.to_owned(), Arc::clone(&events));
        events
    }

    fn events_of(&self, source: &str) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        for service in services(source) {
            for (operation, date) in service.operations() {
                names.insert((*operation).to_owned());
                names.extend(other_names(service, operation, *date));
            }
        }
        let written = self.sheet.sources.get(source).into_iter().flat_map(|events| events.keys());
        names.extend(written.filter(|name| *name != ANY).cloned());
        names
    }

    /// What records call an operation by whose name alone nearly none is: Lambda's of before 2018, but for invocations.
    pub fn dated_names(&self, source: &str, name: &str) -> Vec<String> {
        let of = |service: &'static Service| {
            let (operation, date) = *service.operations().iter().find(|(operation, _)| *operation == name)?;
            date.filter(|date| *date < "2018" && !operation.starts_with("Invoke"))?;
            Some(other_names(service, operation, date))
        };
        services(source).filter_map(of).flatten().collect()
    }

    /// True if records of that source can be of that event.
    pub fn is_event(&self, source: &str, name: &str) -> bool {
        name != ANY && self.event(source, name).is_some()
            || services(source).any(|service| position(service, name).is_some())
    }

    /// Every source that has an event of that name, sorted.
    pub fn sources_of(&self, name: &str) -> &[String] {
        self.names().get(name).map_or(&[], Vec::as_slice)
    }

    /// Every event that is known of any source, sorted.
    pub fn all_events(&self) -> impl Iterator<Item = &str> {
        self.names().keys().map(String::as_str)
    }

    fn names(&self) -> &BTreeMap<String, Vec<String>> {
        self.names.get_or_init(|| {
            let mut names: BTreeMap<String, Vec<String>> = BTreeMap::new();
            for source in self.sources() {
                for name in self.events_of(source) {
                    names.entry(name).or_default().push(source.clone());
                }
            }
            names
        })
    }

    /// The fields of `userIdentity` that a type of it has, sorted; `None` where any may be.
    pub fn identity_fields(&self, of: &str) -> Option<Vec<&str>> {
        let mut fields: Vec<&str> = self.sheet.identities.get(of)?.iter().map(String::as_str).collect();
        fields.sort_unstable();
        Some(fields)
    }

    /// A record of CloudTrail that may be of any of these calls; of none, its `requestParameters` and `responseElements` may
    /// hold anything.
    pub fn record<'a>(&'a self, calls: &'a [Call<'a>]) -> Place<'a> {
        let record = self.sheet.record.as_ref();
        let all = record.map_or(At::Any, |hand| At::Hand { hand, is_closed: true });
        Place::new(self, calls, vec![all])
    }

    /// What `request(event)` of the policy language gives for such records: `requestParameters` without EC2's wrappers and
    /// their remnants, and with JSON in texts parsed.
    pub fn request<'a>(&'a self, calls: &'a [Call<'a>]) -> Place<'a> {
        Place::new(self, calls, self.all_ends(calls, true)).plain()
    }

    /// What `response(event)` gives for such records: as [`Shapes::request`], of `responseElements`.
    pub fn response<'a>(&'a self, calls: &'a [Call<'a>]) -> Place<'a> {
        Place::new(self, calls, self.all_ends(calls, false)).plain()
    }

    /// What somebody wrote about resources of a kind.
    pub(super) fn written(&self, kind: &str) -> Option<&Hand> {
        self.sheet.kinds.get(kind)
    }

    /// Everything that is known of what the calls take, or else give.
    pub(super) fn all_ends<'a>(&'a self, calls: &[Call<'_>], is_request: bool) -> Vec<At<'a>> {
        match calls {
            [] => vec![At::Any],
            _ => calls.iter().flat_map(|call| self.ends(*call, is_request)).collect(),
        }
    }

    fn ends(&self, call: Call<'_>, is_request: bool) -> Vec<At<'_>> {
        let event = self.event(call.source, call.name);
        let name = event.and_then(|event| event.operation.as_deref()).unwrap_or(call.name);
        let operations = services(call.source).filter_map(|service| Some((service, find(service, name)?)));
        let mut all: Vec<At<'_>> =
            operations.map(|(service, operation)| At::End { service, operation, is_request }).collect();
        all.extend(event.and_then(|event| event.end(is_request)));
        if name != call.name {
            all.extend(self.event(call.source, name).and_then(|event| event.end(is_request)));
        }
        if all.is_empty() {
            return vec![At::Any];
        }
        for source in [call.source, ANY] {
            all.extend(self.event(source, ANY).and_then(|event| event.end(is_request)));
        }
        all
    }

    fn event(&self, source: &str, name: &str) -> Option<&Event> {
        self.sheet.sources.get(source)?.get(name)
    }
}

impl Event {
    fn end(&self, is_request: bool) -> Option<At<'_>> {
        let hand = if is_request { self.request.as_ref() } else { self.response.as_ref() };
        hand.map(|hand| At::Hand { hand, is_closed: false })
    }
}

/// The services of AWS's models that a source stands for.
fn services(source: &str) -> impl Iterator<Item = &'static Service> {
    source.strip_suffix(DOMAIN).into_iter().flat_map(|source| models().of_source(source))
}

/// The operation that records call so.
fn find(service: &'static Service, name: &str) -> Option<Operation> {
    service.operation(position(service, name)?)
}

/// Its place among the service's operations.
fn position(service: &'static Service, name: &str) -> Option<usize> {
    let operations = service.operations();
    operations.binary_search_by(|(operation, _)| (*operation).cmp(name)).ok().or_else(|| {
        operations.iter().position(|(operation, date)| {
            name.get(1..).is_some_and(|rest| rest.starts_with(&operation[1..]))
                && other_names(service, operation, *date).iter().any(|other| other == name)
        })
    })
}

/// Other names that records have for an operation. Amazon Route 53's domains begin theirs with a small letter:
/// `registerDomain`. Others are names with the version of the API: Lambda's `UpdateFunctionCode20150331v2` after the date in the path, CloudFront's
/// `CreateDistribution2020_05_31` after any version.
fn other_names(service: &Service, operation: &'static str, date: Option<&str>) -> Vec<String> {
    let mut names: Vec<String> = service.dates().map(|date| format!("{operation}{date}")).collect();
    if let Some(date) = date {
        names.extend([format!("{operation}{date}"), format!("{operation}{date}v2")]);
    }
    if service.spelling.contains('s') {
        names.push(Spelling::small(operation).write());
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_operations_by_all_their_names_and_what_is_none() {
        let shapes = Shapes::embedded();
        for (source, name) in [
            ("ec2.amazonaws.com", "DisassociateAddress"),
            ("ec2.amazonaws.com", "SharedSnapshotVolumeCreated"),
            ("ec2.amazonaws.com", "BidEvictedEvent"),
            ("lambda.amazonaws.com", "UpdateFunctionConfiguration20150331v2"),
            ("lambda.amazonaws.com", "CreateFunction20150331"),
            ("lambda.amazonaws.com", "ListFunctions20150331"),
            ("lambda.amazonaws.com", "GetFunctionCodeSigningConfig"),
            ("lambda.amazonaws.com", "Invoke"),
            ("cloudfront.amazonaws.com", "CreateDistribution2020_05_31"),
            ("cloudfront.amazonaws.com", "UpdateDistribution2014_01_31"),
            ("route53domains.amazonaws.com", "updateDomainContact"),
            ("signin.amazonaws.com", "ConsoleLogin"),
            ("kms.amazonaws.com", "RotateKey"),
            ("sso.amazonaws.com", "Federate"),
            ("sso.amazonaws.com", "CreateToken"),
            ("s3.amazonaws.com", "PutBucketLifecycle"),
            ("s3express.amazonaws.com", "PutObject"),
            ("monitoring.amazonaws.com", "DeleteAlarms"),
            ("elasticloadbalancing.amazonaws.com", "CreateLoadBalancerPolicy"),
            ("elasticloadbalancing.amazonaws.com", "CreateTargetGroup"),
            ("es.amazonaws.com", "CreateElasticsearchDomain"),
            ("states.amazonaws.com", "StartExecution"),
        ] {
            assert!(shapes.is_event(source, name), "{source} {name}");
            assert!(shapes.events(source).iter().any(|known| known == name), "{source} {name}");
        }
        for (source, name) in [
            ("ec2.amazonaws.com", "DisassociateAdress"),
            ("ec2.amazonaws.com", "disassociateAddress"),
            ("cloudwatch.amazonaws.com", "DeleteAlarms"),
            ("lambda.amazonaws.com", "CreateFunction2015033"),
            ("lambda.amazonaws.com", "CreateFunction20150331v3"),
            ("kms.amazonaws.com", "RunInstances"),
            ("ec2", "RunInstances"),
            ("*", "*"),
            ("ec2.amazonaws.com", "*"),
        ] {
            assert!(!shapes.is_event(source, name), "{source} {name}");
        }
    }

    #[test]
    fn sources_and_events_are_sorted_and_found_by_each_other() {
        let shapes = Shapes::embedded();
        let sources = shapes.sources();
        assert!(sources.is_sorted() && sources.len() > 380, "{}", sources.len());
        assert!(sources.iter().all(|source| shapes.is_source(source) && !shapes.events(source).is_empty()));
        assert!(shapes.events("ec2.amazonaws.com").is_sorted());
        assert!(!shapes.is_source("ec3.amazonaws.com") && !shapes.is_source("*") && !shapes.is_source("ec2"));
        assert_eq!(shapes.sources_of("RunInstances"), ["ec2.amazonaws.com"]);
        assert_eq!(shapes.sources_of("ConsoleLogin"), ["signin.amazonaws.com"]);
        assert!(shapes.sources_of("RunInstance").is_empty());
        assert!(shapes.all_events().count() > 15_000 && shapes.all_events().is_sorted());
        let is_of = |name| shapes.sources_of(name).iter().all(|source| shapes.is_event(source, name));
        assert!(shapes.all_events().all(is_of));
    }

    #[test]
    fn identities_have_fields_of_the_record() {
        let shapes = Shapes::embedded();
        assert!(!shapes.identity_fields("AWSService").unwrap().contains(&"userName"));
        assert!(shapes.identity_fields("IdentityCenterUser").unwrap().contains(&"onBehalfOf"));
        assert_eq!(shapes.identity_fields("Nobody"), None);
        let super::super::Step::Known(identity) = shapes.record(&[]).field("userIdentity") else { panic!() };
        let known = identity.names();
        for (of, fields) in &shapes.sheet.identities {
            assert!(fields.iter().all(|field| known.contains(field)), "{of}");
        }
    }
}
