//! The calls that a policy may be asked about, and what their records can hold.

use std::ops::Range;

use super::solve::Known;
use super::subject::Subject;
use crate::diagnostic::Diagnostic;
use crate::schema::{Call, Holds, Place, Shapes, Step as Stepped};
use crate::script::reading::{Base, Path, Step};

/// Calls beyond which nothing is said of what they hold: a policy about so many is about none of them.
const MOST: usize = 250;

/// The sources and names that what is known leaves possible, as far as the shapes know them; none if they are many.
pub(super) fn possible(known: &Known, shapes: &Shapes) -> Vec<(String, String)> {
    let (sources, names) = (known.texts("eventSource"), known.texts("eventName"));
    let pairs: Vec<(String, String)> = match (sources, names) {
        (Some(sources), Some(names)) => {
            let pairs = sources.iter().flat_map(|source| names.iter().map(move |name| (source.clone(), name.clone())));
            pairs.filter(|(source, name)| shapes.is_event(source, name)).collect()
        }
        (Some(sources), None) => {
            let of = |source: &String| {
                let events = shapes.events(source);
                events.iter().take(MOST + 1).map(|name| (source.clone(), name.clone())).collect::<Vec<_>>()
            };
            sources.iter().flat_map(of).take(MOST + 1).collect()
        }
        (None, Some(names)) => {
            let of = |name: &String| {
                shapes.sources_of(name).iter().map(|source| (source.clone(), name.clone())).collect::<Vec<_>>()
            };
            names.iter().flat_map(of).take(MOST + 1).collect()
        }
        (None, None) => Vec::new(),
    };
    if pairs.len() > MOST { Vec::new() } else { pairs }
}

/// The same as the shapes want them.
pub(super) fn borrowed(calls: &[(String, String)]) -> Vec<Call<'_>> {
    calls.iter().map(|(source, name)| Call { source, name }).collect()
}

/// Where a path begins; `None` where that is nothing that has a shape.
fn base<'a>(base: &Base, subject: &'a Subject<'_>, calls: &'a [Call<'a>]) -> Option<Place<'a>> {
    let shapes = subject.shapes;
    match base {
        Base::Record if subject.judges_events() => Some(shapes.record(calls)),
        Base::Record => shapes.resource(&subject.header().judges),
        Base::Request => Some(shapes.request(calls)),
        Base::Response => Some(shapes.response(calls)),
        Base::Resource(kind) | Base::Resources(kind) => shapes.resource(kind),
        Base::Actor => None,
    }
}

/// What the last step of a path comes to; `None` where a step before it is not known, or the base has no shape.
pub(super) fn last_step<'a>(path: &Path, subject: &'a Subject<'_>, calls: &'a [Call<'a>]) -> Option<Stepped<'a>> {
    let mut place = base(&path.base, subject, calls)?;
    // An item of a list of resources is a resource.
    let skipped = usize::from(matches!(path.base, Base::Resources(_)) && path.steps.first() == Some(&Step::Item));
    let (last, before) = path.steps.get(skipped..)?.split_last()?;
    for step in before {
        place = match follow(&place, step) {
            Stepped::Known(next) => next,
            Stepped::Unknown { .. } | Stepped::Open => return None,
        };
    }
    Some(follow(&place, last))
}

/// What stands at the end of a path, if that is known.
pub(super) fn at_end<'a>(path: &Path, subject: &'a Subject<'_>, calls: &'a [Call<'a>]) -> Option<Place<'a>> {
    match last_step(path, subject, calls)? {
        Stepped::Known(place) => Some(place),
        Stepped::Unknown { .. } | Stepped::Open => None,
    }
}

/// What is to be said of the texts that `when` asks of fields of which it is known what stands there.
pub(super) fn in_when(
    subject: &Subject<'_>,
    say: impl Fn(&Path, &Place<'_>, &str, Range<usize>) -> Option<Diagnostic>,
) -> Vec<Diagnostic> {
    let calls = borrowed(&subject.calls);
    let mut out = Vec::new();
    for condition in &subject.header().when.conditions {
        let steps = condition.path.iter().map(|name| Step::Name(name.clone())).collect();
        let path = Path { base: Base::Record, steps };
        let Some(place) = at_end(&path, subject, &calls) else { continue };
        for (text, span) in subject.items(&["when", &condition.path.join(".")]) {
            let is_wanted = condition.any_of.iter().flatten().any(|wanted| *wanted == text);
            out.extend(is_wanted.then(|| say(&path, &place, &text, span)).flatten());
        }
    }
    out
}

fn follow<'a>(place: &Place<'a>, step: &Step) -> Stepped<'a> {
    match step {
        Step::Name(name) => place.field(name),
        Step::Item => place.item(),
    }
}

/// Where the key of a look-up leads from a resource, member by member and through lists, and the name at which that ends.
pub(super) fn at_key<'a, 'k>(resource: Place<'a>, key: &'k str) -> (Stepped<'a>, &'k str) {
    let mut place = resource;
    let mut last = key;
    for name in key.split('.') {
        match item_in(place).field(name) {
            Stepped::Known(next) => (place, last) = (next, name),
            end => return (end, name),
        }
    }
    (Stepped::Known(item_in(place)), last)
}

/// What stands in a list, and in lists of lists; anything else is itself.
fn item_in(place: Place<'_>) -> Place<'_> {
    /// Nobody has more lists in each other; what is an item of its own would go on for ever.
    const MOST: usize = 4;
    let mut place = place;
    for _ in 0..MOST {
        match place.item() {
            Stepped::Known(item) if place.holds().contains(&Holds::List) => place = item,
            _ => break,
        }
    }
    place
}
