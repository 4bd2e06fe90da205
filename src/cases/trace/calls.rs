//! Puts what probes told in the order of the text, and what a called function reckoned below its call.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::{Part, line};
use crate::script::probe::{Log, Probed, Site, What};

/// Calls within calls that are followed.
const MOST_CALLS: usize = 6;
/// Calls of a closure that are told.
const MOST_INNER: usize = 3;

/// One call of a function: what its parts were last, and the calls that gave it.
#[derive(Default)]
struct Frame {
    /// The number of the probe at its beginning.
    of: usize,
    values: BTreeMap<usize, (Option<Value>, Calls)>,
}

/// The calls below a part.
#[derive(Clone, Default)]
enum Calls {
    /// It calls nothing that has probes.
    #[default]
    None,
    /// It is the call.
    Own(usize),
    /// The calls of its closures, in their order.
    Inner(Vec<usize>),
}

/// The parts of a hook, with those of the functions that it calls.
pub(super) fn parts(own: &Probed, libraries: &[Probed], log: &Log, hook: &str) -> Vec<Part> {
    let texts = std::iter::once(own).chain(libraries);
    let sites: Vec<(&Probed, &Site)> = texts.flat_map(|text| text.sites.iter().map(move |site| (text, site))).collect();
    let writer = Writer { own, sites: &sites, frames: frames(&sites, log) };
    let begin = sites.iter().position(|(_, site)| site.what == What::Called && &*site.function == hook);
    let mut out = Vec::new();
    if let Some(begin) = begin {
        let frame = writer.frames.iter().find(|frame| frame.of == begin);
        // Where the trail broke off, what each part was last is known all the same.
        let mut all = Frame { of: begin, ..Frame::default() };
        all.values.extend(log.values.iter().map(|(number, value)| (*number, (Some(value.clone()), Calls::None))));
        all.values.extend(frame.into_iter().flat_map(|frame| &frame.values).map(|(at, told)| (*at, told.clone())));
        writer.frame(&all, 0, 0, None, &mut out);
    }
    out
}

/// The calls of functions, in the order in which they began.
fn frames(sites: &[(&Probed, &Site)], log: &Log) -> Vec<Frame> {
    let mut frames: Vec<Frame> = Vec::new();
    // Those that have not answered yet.
    let mut open: Vec<usize> = Vec::new();
    let is_in = |frames: &[Frame], at: usize, number: usize| body(sites, frames[at].of).contains(&number);
    for (number, value) in &log.trail {
        let Some((_, site)) = sites.get(*number) else { continue };
        if site.what == What::Called {
            open.push(frames.len());
            frames.push(Frame { of: *number, ..Frame::default() });
            continue;
        }
        let mut calls = Calls::None;
        if let [.., caller, called] = open[..]
            && site.calls.as_deref() == Some(&*sites[frames[called].of].1.function)
            && is_in(&frames, caller, *number)
        {
            open.pop();
            calls = Calls::Own(called);
        }
        // What a closure called has no call with a probe around it: it is below the call that was given the closure.
        let mut inner = Vec::new();
        while open.len() > 1 && open.last().is_some_and(|last| !is_in(&frames, *last, *number)) {
            inner.extend(open.pop());
        }
        if !inner.is_empty() && site.calls.is_some() {
            inner.reverse();
            calls = Calls::Inner(inner);
        }
        if let Some(last) = open.last().filter(|last| is_in(&frames, **last, *number)) {
            frames[*last].values.insert(*number, (value.clone(), calls));
        }
    }
    // What failed gave no answer to the call that it is below.
    for pair in open.windows(2) {
        let name = &sites[frames[pair[1]].of].1.function;
        let call = body(sites, frames[pair[0]].of)
            .find(|at| sites[*at].1.calls.as_ref() == Some(name) && !frames[pair[0]].values.contains_key(at));
        if let Some(call) = call {
            frames[pair[0]].values.insert(call, (None, Calls::Own(pair[1])));
        }
    }
    frames
}

/// The probes of the function that begins with a probe.
fn body(sites: &[(&Probed, &Site)], begin: usize) -> std::ops::Range<usize> {
    let (text, _) = sites[begin];
    let is_other = |(of, site): &(&Probed, &Site)| !std::ptr::eq(*of, text) || site.what == What::Called;
    let end = sites[begin + 1..].iter().position(is_other).map_or(sites.len(), |at| begin + 1 + at);
    begin + 1..end
}

struct Writer<'a> {
    own: &'a Probed,
    sites: &'a [(&'a Probed, &'a Site)],
    frames: Vec<Frame>,
}

impl Writer<'_> {
    fn frame(&self, frame: &Frame, depth: usize, calls: usize, within: Option<&str>, out: &mut Vec<Part>) {
        let all: Vec<usize> = body(self.sites, frame.of).collect();
        // Behind each part stand those that are in it: what it calls comes behind them.
        let mut waiting: Vec<(usize, &Calls)> = Vec::new();
        let mut hidden = None;
        for (place, at) in all.iter().enumerate() {
            let site = self.sites[*at].1;
            while waiting.last().is_some_and(|(depth, _)| *depth >= site.depth) {
                self.called(waiting.pop(), depth, calls, out);
            }
            if hidden.is_some_and(|hidden| site.depth > hidden) {
                continue;
            }
            hidden = None;
            let told = frame.values.get(at);
            let value = told.and_then(|(value, _)| value.clone());
            // Of what was not reached nothing within was, either.
            let inner = all[place + 1..].iter().take_while(|next| self.sites[**next].1.depth > site.depth);
            let is_reached = told.is_some() || inner.clone().any(|next| frame.values.contains_key(next));
            if !is_reached {
                hidden = Some(site.depth);
            }
            if let Some((_, calls @ (Calls::Own(_) | Calls::Inner(_)))) = told {
                waiting.push((site.depth, calls));
            }
            let is_whole = matches!(value, Some(Value::Object(_) | Value::Array(_)) | None);
            if site.is_name && is_whole {
                continue;
            }
            let text = &self.sites[*at].0.source.text[site.span.clone()];
            let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            let failed = is_reached && value.is_none();
            out.push(Part { depth: depth + site.depth, text, value, within: within.map(str::to_owned), failed });
        }
        while !waiting.is_empty() {
            self.called(waiting.pop(), depth, calls, out);
        }
    }

    fn called(&self, call: Option<(usize, &Calls)>, depth: usize, calls: usize, out: &mut Vec<Part>) {
        let Some((below, gave)) = call.filter(|_| calls < MOST_CALLS) else { return };
        let (all, is_inner) = match gave {
            Calls::None => return,
            Calls::Own(one) => (std::slice::from_ref(one), false),
            Calls::Inner(several) => (several.as_slice(), true),
        };
        for (at, frame) in all.iter().take(MOST_INNER).enumerate() {
            let frame = &self.frames[*frame];
            let (text, begin) = self.sites[frame.of];
            let number = line(&text.source.text, begin.span.start);
            let place = if std::ptr::eq(text, self.own) {
                format!("line {number}")
            } else {
                let file = Path::new(&text.source.file).file_name().unwrap_or_default().to_string_lossy().into_owned();
                format!("{file}:{number}")
            };
            let of = if is_inner { format!(", call {} of {}", at + 1, all.len()) } else { String::new() };
            let within = format!("`{}` ({place}){of}", begin.function);
            self.frame(frame, depth + below + 2, calls + 1, Some(&within), out);
        }
    }
}
