//! Opens what log pipelines and SIEMs wrap a record in: Splunk, Elastic, Datadog, Fluent Bit.

use super::envelope::Opener;
use super::event::is_event;
use crate::record::{Document, Kind, Node, Ref};

/// Paths to the record as text, the most faithful first.
const TEXTS: [&[&str]; 13] = [
    &["event", "original"],
    &["result", "_raw"],
    &["_raw"],
    &["eventJson"],
    &["@message"],
    &["message"],
    &["Message"],
    &["event"],
    &["log"],
    &["raw_event"],
    &["rawEvent"],
    &["attributes", "message"],
    &["detail"],
];

/// Paths to the record as an object.
const MAPS: [&[&str]; 9] = [
    &["event"],
    &["_source"],
    &["result"],
    &["detail"],
    &["message"],
    &["attributes"],
    &["attributes", "attributes"],
    &["record"],
    &["json"],
];

/// An envelope of a pipeline.
pub(super) fn take(opener: &mut Opener<'_>, node: &Node, depth: u32) -> bool {
    let view = node.view();
    let places = places(view);
    if let Some(place) = places.first() {
        match place.held {
            Held::Text(text) => opener.text(&place.name(), text, depth + 1),
            Held::Map(inner) => opener.value(&node.share(inner), depth + 1),
        }
        tell_others(opener, &places);
    } else if let Some(hits) = view.path(&["hits", "hits"]).filter(|hits| hits.kind() == Kind::List) {
        opener.answer(view, depth);
        opener.each(node, hits, depth);
    } else if let Some(source) = view.get("_source").filter(|source| source.kind() == Kind::Map) {
        opener.value(&node.share(source), depth + 1);
    } else if view.path(&["aws", "cloudtrail"]).is_some() {
        opener.fault("a Filebeat document without the record; set `preserve_original_event`");
    } else if let Some((path, text)) = TEXTS[..3].iter().find_map(|path| Some((path, view.text(path)?))) {
        opener.text(&format!("`{}`", path.join(".")), text, depth + 1);
    } else if is_log_event(view) {
        opener.text("`message`", view.text(&["message"]).unwrap_or_default(), depth + 1);
    } else {
        return false;
    }
    true
}

/// Whether a map looks as if [`take`] found a record in it.
pub(super) fn carries(view: Ref<'_>) -> bool {
    !places(view).is_empty()
}

/// Where a record may stand.
struct Place<'a> {
    path: &'static [&'static str],
    held: Held<'a>,
}

/// What may be a record.
enum Held<'a> {
    Text(&'a str),
    Map(Ref<'a>),
}

impl Place<'_> {
    fn name(&self) -> String {
        format!("`{}`", self.path.join("."))
    }

    /// Which event it holds, if it is one.
    fn event(&self) -> Option<[Option<String>; 3]> {
        match self.held {
            Held::Text(text) => Document::parse(text.as_bytes()).ok().and_then(|document| which_event(document.root())),
            Held::Map(view) => which_event(view),
        }
    }
}

/// Every place of a map in which a record may stand, the most faithful first.
fn places(view: Ref<'_>) -> Vec<Place<'_>> {
    let texts =
        TEXTS.iter().filter_map(|path| Some((path, Held::Text(view.text(path).filter(|text| is_object(text))?))));
    let maps =
        MAPS.iter().filter_map(|path| Some((path, Held::Map(view.path(path).filter(|inner| is_event(*inner))?))));
    texts.chain(maps).map(|(path, held)| Place { path, held }).collect()
}

/// What tells one event from another.
fn which_event(view: Ref<'_>) -> Option<[Option<String>; 3]> {
    let text = |name: &str| view.text(&[name]).map(str::to_owned);
    is_event(view).then(|| ["eventID", "eventTime", "eventName"].map(text))
}

/// Pipelines give one record in several forms, of which the first is read. Where they hold another record, too, it is told.
fn tell_others(opener: &mut Opener<'_>, places: &[Place<'_>]) {
    let Some((first, others)) = places.split_first().filter(|(_, others)| !others.is_empty()) else { return };
    let Some(read) = first.event() else { return };
    for other in others {
        // The first that both say decides.
        let said =
            |event: [Option<String>; 3]| read.iter().zip(event).find_map(|(one, other)| Some(*one.as_ref()? != other?));
        if other.event().and_then(said).unwrap_or_default() {
            opener.fault(format!(
                "another record in {} than in {}, which is the one that is read; give each an envelope of its own",
                other.name(),
                first.name()
            ));
        }
    }
}

/// Names of members that may be a record.
pub(super) fn carriers() -> impl Iterator<Item = &'static str> {
    MAPS.iter().filter_map(|path| path.last().copied())
}

fn is_object(text: &str) -> bool {
    text.trim_start().starts_with('{')
}

/// An event of CloudWatch Logs.
fn is_log_event(view: Ref<'_>) -> bool {
    view.get("timestamp").is_some() && view.text(&["message"]).is_some()
}
