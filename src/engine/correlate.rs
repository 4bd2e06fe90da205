//! Says when the condition of a window holds over the hits of one group, which are given in the order of time.
//!
//! *Law*: the condition is judged at every hit, over it and the hits before it (an absence is judged when its time is
//! up). A finding opens at the first moment at which it holds; what comes then belongs to it, until the condition has not
//! held for the cooldown. Memory is bounded by what the window asks and by [`LISTED`], not by the number of hits; only of
//! an absence each hit that still waits is held, [`MOST_WAITING`] at most.

use std::collections::{BTreeMap, HashMap, VecDeque};

use crate::policy::{Shape, Window};

/// Nanoseconds since 1970.
pub(super) type Nanos = i128;

/// Hits that are held of a finding, and shown to scripts.
pub(super) const LISTED: usize = 1_000;

/// Hits of a group that may wait to be followed by another.
const MOST_WAITING: usize = 100_000;

/// A hit as conditions see it.
#[derive(Clone, Debug)]
pub(super) struct Moment<H> {
    pub(super) time: Nanos,
    /// Which step it is.
    pub(super) step: u8,
    /// The hash of what is counted of it.
    pub(super) of: u128,
    /// When the group was last seen before it, if that is known from elsewhere.
    pub(super) before: Option<Nanos>,
    /// The hit itself, which is cheap to clone.
    pub(super) hit: H,
}

/// What a correlator asks and tells.
pub(super) trait Listener<H> {
    /// Whether the policy agrees that a finding opens.
    fn confirms(&mut self, opened: &Opened<H>) -> bool;
    /// A finding, with all that belongs to it.
    fn found(&mut self, opened: Opened<H>);
    /// Until when records like a hit's were read; `None`: nobody knows.
    fn horizon(&mut self, hit: &H) -> Option<Nanos>;
    /// Whether what there was from a time on up to the hit was read.
    fn has_history(&mut self, hit: &H, from: Nanos) -> bool;
    /// A hit that cannot be judged, and why.
    fn not_judged(&mut self, hit: &H, why: Unjudged);
}

/// Why a hit cannot be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unjudged {
    /// What must follow it may still come.
    StillOpen,
    /// What was before it was not read.
    NoHistory,
    /// Too many wait with it.
    TooMany,
}

/// A finding that opened.
#[derive(Clone, Debug)]
pub(super) struct Opened<H> {
    /// The hit at which it opened.
    pub(super) opener: H,
    /// When it opened: the time of that hit, or the end of an absence.
    pub(super) at: Nanos,
    /// How many hits belong to it.
    pub(super) count: u64,
    /// The time of the first of them.
    pub(super) first: Nanos,
    /// The time of the last of them.
    pub(super) last: Nanos,
    /// With their numbers from 1: the first ones, and the last.
    pub(super) hits: Vec<(u64, H)>,
    /// When the condition held last.
    held: Nanos,
}

impl<H: Clone> Opened<H> {
    fn new(opener: H, at: Nanos, hits: Vec<Moment<H>>) -> Self {
        let count = hits.len() as u64;
        let (first, last) = (hits.first().map_or(at, |hit| hit.time), hits.last().map_or(at, |hit| hit.time));
        let hits = hits.into_iter().zip(1..).map(|(moment, number)| (number, moment.hit)).collect();
        Self { opener, at, count, first, last, hits, held: at }
    }

    fn absorb(&mut self, moment: &Moment<H>) {
        self.count += 1;
        self.last = moment.time;
        if self.hits.len() >= LISTED {
            self.hits.pop();
        }
        self.hits.push((self.count, moment.hit.clone()));
    }
}

/// Judges the hits of one group.
pub(super) struct Correlator<'w, H> {
    within: Nanos,
    cooldown: Nanos,
    condition: Condition<'w, H>,
    open: Option<Opened<H>>,
}

impl<'w, H: Clone> Correlator<'w, H> {
    pub(super) fn new(window: &'w Window) -> Self {
        const SECOND: Nanos = 1_000_000_000;
        let condition = match &window.shape {
            Shape::Threshold(least) => Condition::Threshold { least: *least as u64, recent: Recent::default() },
            Shape::Distinct { count, .. } => {
                Condition::Distinct { least: *count, recent: Recent::default(), values: Latest::default() }
            }
            Shape::Sequence(steps) => Condition::Sequence { steps, chains: vec![Vec::new(); steps.len()] },
            Shape::All => Condition::All { last: vec![None; window.named.steps.len()], next: 0 },
            Shape::Absence => Condition::Absence { waiting: VecDeque::new() },
            Shape::FirstSeen => Condition::FirstSeen { last: None },
        };
        let (within, cooldown) = (Nanos::from(window.within) * SECOND, Nanos::from(window.cooldown) * SECOND);
        Self { within, cooldown, condition, open: None }
    }

    /// Takes the next hit of the group.
    pub(super) fn take(&mut self, moment: &Moment<H>, listener: &mut impl Listener<H>) {
        if let Condition::Absence { waiting } = &mut self.condition {
            // A hit in the very moment in which the time is up still counts as in time.
            while waiting.front().is_some_and(|waits| waits.time + self.within < moment.time) {
                let Some(up) = waiting.pop_front() else { break };
                fire(&mut self.open, self.cooldown, self.within, &up, listener);
            }
            if moment.step == 1 {
                waiting.clear();
            } else if waiting.len() < MOST_WAITING {
                waiting.push_back(moment.clone());
            } else {
                listener.not_judged(&moment.hit, Unjudged::TooMany);
            }
            return;
        }
        self.close_before(moment.time, listener);
        let opens = self.open.is_none();
        let held = self.condition.take(moment, self.within, opens, listener);
        match &mut self.open {
            Some(open) => {
                open.absorb(moment);
                if held.is_some() {
                    open.held = moment.time;
                }
            }
            None => {
                let Some(hits) = held else { return };
                let mut opened = Opened::new(moment.hit.clone(), moment.time, hits);
                self.condition.complete(&mut opened);
                if listener.confirms(&opened) {
                    self.open = Some(opened);
                }
            }
        }
    }

    /// Ends the group.
    pub(super) fn finish(mut self, listener: &mut impl Listener<H>) {
        if let Condition::Absence { waiting } = &mut self.condition {
            for waits in std::mem::take(waiting) {
                fire(&mut self.open, self.cooldown, self.within, &waits, listener);
            }
        }
        if let Some(open) = self.open.take() {
            listener.found(open);
        }
    }

    fn close_before(&mut self, time: Nanos, listener: &mut impl Listener<H>) {
        close_before(&mut self.open, self.cooldown, time, listener);
    }
}

fn close_before<H>(open: &mut Option<Opened<H>>, cooldown: Nanos, time: Nanos, listener: &mut impl Listener<H>) {
    if let Some(over) = open.take_if(|open| time > open.held + cooldown) {
        listener.found(over);
    }
}

/// What should have followed a hit did not, as far as is known.
fn fire<H: Clone>(
    open: &mut Option<Opened<H>>,
    cooldown: Nanos,
    within: Nanos,
    moment: &Moment<H>,
    listener: &mut impl Listener<H>,
) {
    let end = moment.time + within;
    // Later hits of the group may be those of other regions, which say nothing of this one's.
    if listener.horizon(&moment.hit).is_none_or(|horizon| horizon < end) {
        return listener.not_judged(&moment.hit, Unjudged::StillOpen);
    }
    close_before(open, cooldown, end, listener);
    match open {
        Some(open) => {
            open.absorb(moment);
            open.held = end;
        }
        None => {
            let opened = Opened::new(moment.hit.clone(), end, vec![moment.clone()]);
            *open = Some(opened).filter(|opened| listener.confirms(opened));
        }
    }
}

/// What must be known of a group's hits to tell whether the condition holds.
enum Condition<'w, H> {
    Threshold {
        least: u64,
        recent: Recent<H>,
    },
    Distinct {
        least: usize,
        recent: Recent<H>,
        values: Latest,
    },
    /// For each number of steps, hits that are those steps in their order: of all there are, those that began last.
    Sequence {
        steps: &'w [u8],
        chains: Vec<Vec<Moment<H>>>,
    },
    /// The last hit of each step, with its number among all hits.
    All {
        last: Vec<Option<(u64, Moment<H>)>>,
        next: u64,
    },
    Absence {
        waiting: VecDeque<Moment<H>>,
    },
    FirstSeen {
        last: Option<Nanos>,
    },
}

impl<H: Clone> Condition<'_, H> {
    /// Takes a hit; the hits that make the condition hold at it, if it does. Where no finding `opens`, they need not be
    /// listed: there may be many at each of many hits.
    fn take(
        &mut self,
        moment: &Moment<H>,
        within: Nanos,
        opens: bool,
        listener: &mut impl Listener<H>,
    ) -> Option<Vec<Moment<H>>> {
        let from = moment.time - within;
        match self {
            Self::Threshold { least, recent } => {
                recent.take(moment, from);
                (recent.count >= *least).then(|| recent.listed(opens))
            }
            Self::Distinct { least, recent, values } => {
                recent.take(moment, from);
                values.take(moment.of, moment.time, *least);
                values.hold(*least, from).then(|| recent.listed(opens))
            }
            Self::Sequence { steps, chains } => {
                // From the last step back: a hit is one step, and follows what was there before it.
                for at in (0..steps.len()).rev().filter(|at| steps[*at] == moment.step) {
                    let before = if at == 0 { Vec::new() } else { chains[at - 1].clone() };
                    if at > 0 && before.is_empty() {
                        continue;
                    }
                    // What began later can last longer.
                    let began = |chain: &[Moment<H>]| chain.first().map_or(moment.time, |first| first.time);
                    if chains[at].is_empty() || began(&before) >= began(&chains[at]) {
                        chains[at] = before;
                        chains[at].push(moment.clone());
                    }
                }
                let last = steps.len() - 1;
                let whole = chains[last].clone();
                let is_now = steps[last] == moment.step && whole.first().is_some_and(|first| first.time >= from);
                // What was told is not told again at a hit that is not its end.
                chains[last].clear();
                (is_now && !whole.is_empty()).then_some(whole)
            }
            Self::All { last, next } => {
                *next += 1;
                if let Some(of_step) = last.get_mut(usize::from(moment.step)) {
                    *of_step = Some((*next, moment.clone()));
                }
                let mut hits: Vec<_> = last.iter().flatten().filter(|(_, hit)| hit.time >= from).cloned().collect();
                hits.sort_by_key(|(number, _)| *number);
                (hits.len() == last.len()).then(|| hits.into_iter().map(|(_, hit)| hit).collect())
            }
            Self::Absence { .. } => None,
            Self::FirstSeen { last } => {
                let before = last.replace(moment.time).max(moment.before);
                if before.is_some_and(|before| before >= from) {
                    return None;
                }
                if !listener.has_history(&moment.hit, from) {
                    listener.not_judged(&moment.hit, Unjudged::NoHistory);
                    return None;
                }
                Some(vec![moment.clone()])
            }
        }
    }

    /// Says of a finding that opened how many hits it has, if more than are held.
    fn complete(&self, opened: &mut Opened<H>) {
        let (Self::Threshold { recent, .. } | Self::Distinct { recent, .. }) = self else { return };
        let left_out = recent.count - opened.count;
        opened.count = recent.count;
        opened.hits.iter_mut().for_each(|(number, _)| *number += left_out);
        opened.first = recent.times.front().map_or(opened.first, |(time, _)| *time);
    }
}

/// The hits of a window that ends at the last of them.
struct Recent<H> {
    /// How many there are.
    count: u64,
    /// How many of each time.
    times: VecDeque<(Nanos, u64)>,
    /// The last of them.
    hits: VecDeque<Moment<H>>,
}

impl<H> Default for Recent<H> {
    fn default() -> Self {
        Self { count: 0, times: VecDeque::new(), hits: VecDeque::new() }
    }
}

impl<H: Clone> Recent<H> {
    fn take(&mut self, moment: &Moment<H>, from: Nanos) {
        while let Some((_, count)) = self.times.front().copied().filter(|(time, _)| *time < from) {
            self.count -= count;
            self.times.pop_front();
        }
        while self.hits.front().is_some_and(|hit| hit.time < from) {
            self.hits.pop_front();
        }
        self.count += 1;
        match self.times.back_mut().filter(|(time, _)| *time == moment.time) {
            Some((_, count)) => *count += 1,
            None => self.times.push_back((moment.time, 1)),
        }
        if self.hits.len() == LISTED {
            self.hits.pop_front();
        }
        self.hits.push_back(moment.clone());
    }

    /// The last of them, if they are wanted.
    fn listed(&self, wanted: bool) -> Vec<Moment<H>> {
        if wanted { self.hits.iter().cloned().collect() } else { Vec::new() }
    }
}

/// When each value was seen last: of so many values as are asked for, those that were seen last. That is enough to know
/// whether there are so many in a window, however many there are in all.
#[derive(Default)]
struct Latest {
    by_value: HashMap<u128, (Nanos, u64)>,
    by_time: BTreeMap<(Nanos, u64), u128>,
    next: u64,
}

impl Latest {
    fn take(&mut self, value: u128, time: Nanos, most: usize) {
        self.next += 1;
        if let Some(old) = self.by_value.insert(value, (time, self.next)) {
            self.by_time.remove(&old);
        }
        self.by_time.insert((time, self.next), value);
        if self.by_value.len() > most
            && let Some((_, oldest)) = self.by_time.pop_first()
        {
            self.by_value.remove(&oldest);
        }
    }

    fn hold(&self, least: usize, from: Nanos) -> bool {
        self.by_time.len() >= least && self.by_time.first_key_value().is_some_and(|((time, _), _)| *time >= from)
    }
}

#[cfg(test)]
mod tests;
