//! Finds fields of records in cases that AWS does not have: a misspelt one is a case that does not do what it says.
//!
//! *Law*: only what AWS documents whole is held against a case; where records may have more, nothing is said.

use std::ops::Range;
use std::sync::Arc;

use super::records::base_of;
use crate::diagnostic::{Diagnostic, Level, SourceText, did_you_mean, surely_meant};
use crate::policy::{Policy, parse_path};
use crate::record::CLOUDTRAIL;
use crate::schema::{Call, Place, Shapes, Step};
use crate::yaml::{Data, Yaml};

/// What is to be said of the fields in a file of cases, in the order of the text.
pub(super) fn misspelt(policy: &Policy, source: &Arc<SourceText>, tree: &Yaml, shapes: &Shapes) -> Vec<Diagnostic> {
    let mut finder = Finder { judges: &policy.header.judges, source, shapes, found: Vec::new() };
    let named = tree.get("records");
    for (_, record) in named.map(Yaml::members).unwrap_or_default() {
        finder.record(record, None, &[]);
    }
    for case in tree.get("cases").map(Yaml::items).unwrap_or_default() {
        let several = case.get("records").map(Yaml::items).unwrap_or_default();
        for record in case.get("record").into_iter().chain(several) {
            let base = base_of(record).unwrap_or(record);
            let varied = (!std::ptr::eq(base, record)).then_some(record);
            let by: Vec<&Yaml> = varied.into_iter().chain([case]).filter_map(|by| by.get("with")).collect();
            match base.raw() {
                Some(name) => {
                    if let Some(named) = named.and_then(|named| named.get(name)) {
                        finder.record(named, Some(()), &by);
                    }
                }
                None => finder.record(base, None, &by),
            }
        }
        for (kind, resources) in case.get("inventory").map(Yaml::members).unwrap_or_default() {
            if let Some(place) = shapes.resource(&kind.name) {
                let told = format!("`{}`", kind.name);
                resources.items().iter().for_each(|resource| finder.value(&place, resource, &told));
            }
        }
    }
    let mut found = finder.found;
    found.sort_by(|a, b| a.order().cmp(&b.order()));
    found.dedup();
    found
}

struct Finder<'a> {
    judges: &'a str,
    source: &'a Arc<SourceText>,
    shapes: &'a Shapes,
    found: Vec<Diagnostic>,
}

impl Finder<'_> {
    /// Looks at a record, unless that is `done`, and at what is put into it.
    fn record(&mut self, record: &Yaml, done: Option<()>, with: &[&Yaml]) {
        if self.judges != CLOUDTRAIL {
            let Some(place) = self.shapes.resource(self.judges) else { return };
            return self.all(&place, record, done, with, &format!("`{}`", self.judges));
        }
        let last = |name: &str| {
            let put = with.iter().rev().find_map(|with| with.get(name));
            put.or_else(|| record.get(name)).and_then(Yaml::raw)
        };
        let (Some(source), Some(name)) = (last("eventSource"), last("eventName")) else { return };
        if !self.shapes.is_event(source, name) {
            return;
        }
        let calls = [Call { source, name }];
        let shapes = self.shapes;
        self.all(&shapes.record(&calls), record, done, with, &format!("a record of `{name}`"));
    }

    fn all(&mut self, place: &Place<'_>, record: &Yaml, done: Option<()>, with: &[&Yaml], of: &str) {
        if done.is_none() {
            self.value(place, record, of);
        }
        for (key, value) in with.iter().flat_map(|with| with.members()) {
            let Ok(steps) = parse_path(&key.name) else { continue };
            let mut at = Some(place.clone());
            for step in &steps {
                at = at.and_then(|at| self.step(&at, step, &key.span, of));
            }
            if let Some(at) = at {
                self.value(&at, value, of);
            }
        }
    }

    /// Looks at a value at a place, and at all in it.
    fn value(&mut self, place: &Place<'_>, value: &Yaml, of: &str) {
        match &value.data {
            Data::Map(members) => {
                for (key, member) in members {
                    if let Some(next) = self.step(place, &key.name, &key.span, of) {
                        self.value(&next, member, of);
                    }
                }
            }
            Data::List(items) => {
                if let Step::Known(item) = place.item() {
                    items.iter().for_each(|value| self.value(&item, value, of));
                }
            }
            Data::Scalar { .. } => {}
        }
    }

    fn say(&mut self, span: &Range<usize>, message: String, meant: Option<&str>) {
        let mut remark = Diagnostic::error("cases", self.source, span.clone(), message);
        remark.level = Level::Warning;
        remark.help = meant.map(|meant| format!("did you mean `{meant}`?"));
        self.found.push(remark);
    }

    /// The place below another; what AWS does not have there is said.
    fn step<'p>(&mut self, place: &Place<'p>, name: &str, span: &Range<usize>, of: &str) -> Option<Place<'p>> {
        let step = match name.parse::<usize>() {
            Ok(_) => place.item(),
            Err(_) => place.field(name),
        };
        match step {
            Step::Known(next) => return Some(next),
            Step::Unknown { is_closed: true, known } => {
                let meant = did_you_mean(name, known.iter().map(String::as_str));
                self.say(span, format!("{of} has no field `{name}`"), meant);
            }
            // Calls record members that their models do not have; one that is a letter from another is none of these.
            Step::Unknown { is_closed: false, known } => {
                if let Some(meant) = surely_meant(name, known.iter().map(String::as_str)) {
                    self.say(span, format!("{of} has no member `{name}`"), Some(meant));
                }
            }
            Step::Open => {}
        }
        None
    }
}
