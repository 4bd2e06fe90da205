//! Passes over the events of a thread's files that no policy would tell anything of, by a few fields of their text.
//!
//! *Law*: an event is passed over only if its fields are sure; then it counts as it would if it were parsed.

use super::Judge;
use crate::engine::index::Selected;
use crate::engine::spans::Spans;
use crate::engine::tally::Tally;
use crate::input::{Fields, Filter, Route, Told};
use crate::tally::{self, Counter};

/// Passes over events, and counts them.
pub(super) struct Router<'a> {
    judge: &'a Judge<'a>,
    /// Where the fields of [`TELLING`](super::TELLING) are found, if they are of interest.
    telling: Option<[Option<usize>; 2]>,
    /// Where those of [`Filter::PATHS`] are found, if somebody must know.
    places: Option<[Option<usize>; 4]>,
    /// Where those of [`tally::PATHS`] are found, and what counts by them, if that is wanted.
    counting: Option<(tally::Places, Counter)>,
    spans: Spans,
    selected: Selected,
    /// Events that every group of policies was asked about.
    asked: Vec<u64>,
    events: u64,
    filtered: u64,
}

impl<'a> Router<'a> {
    pub(super) fn new(judge: &'a Judge<'a>) -> Self {
        let others = judge.index.others();
        let counted = others.len().checked_sub(tally::PATHS.len() + Filter::PATHS.len());
        let counted = counted.and_then(|at| others[at..].first_chunk().copied());
        Self {
            judge,
            telling: if judge.telling.is_empty() { None } else { others.first_chunk().copied() },
            places: others.last_chunk().copied().filter(|_| judge.reads_places()),
            counting: counted.zip(judge.tallies.counter()),
            spans: Spans::default(),
            selected: Selected::default(),
            asked: vec![0; judge.index.groups()],
            events: 0,
            filtered: 0,
        }
    }

    /// Notes when an event was that is passed over.
    fn note(&mut self, told: &Told<'_>) {
        if self.judge.needs_spans
            && self.judge.request.settings.filter.admits_place(told)
            && let Some(time) = told.time
        {
            self.spans.note(told.account, told.region, time);
        }
    }

    /// Whether an event may tell of a resource that somebody looks up.
    fn may_tell(&self, fields: &Fields<'_>) -> bool {
        let at = |field: Option<usize>| field.map(|field| fields.get(field));
        self.telling.is_some_and(|places| self.judge.telling.may_tell(places.map(at)))
    }

    /// Adds what was counted.
    pub(super) fn tell(self, tally: &mut Tally) {
        tally.records.events += self.events;
        tally.records.filtered += self.filtered;
        tally.passed_over += self.events + self.filtered;
        tally.spans.add(self.spans);
        tally.passed.extend(self.counting.map(|(_, counter)| counter));
        for (group, asked) in self.asked.into_iter().enumerate() {
            tally.asked([group], asked);
        }
    }
}

impl Route for Router<'_> {
    fn passes_over(&mut self, fields: &Fields<'_>) -> bool {
        if self.may_tell(fields) {
            return false;
        }
        let mut told = None;
        if let Some(places) = &self.places {
            let Some(known) = Told::of(fields, places) else { return false };
            if !self.judge.request.settings.filter.admits_told(&known) {
                self.note(&known);
                self.filtered += 1;
                return true;
            }
            told = Some(known);
        }
        let passes = self.judge.index.passes(fields, self.judge.policies, &mut self.selected);
        if !passes {
            return false;
        }
        if let Some(known) = told {
            let is_before = self.judge.is_before(known.time);
            if !is_before
                && let Some((places, counter)) = &mut self.counting
                && !counter.take_fields(fields, places, &known)
            {
                return false;
            }
            self.note(&known);
            if is_before {
                self.filtered += 1;
                return true;
            }
        }
        self.events += 1;
        self.selected.groups.iter().for_each(|group| self.asked[*group] += 1);
        true
    }
}
