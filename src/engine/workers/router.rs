//! Passes over the events of a thread's files that no policy would tell anything of, by a few fields of their text.
//!
//! *Law*: an event is passed over only if its fields are sure; then it counts as it would if it were parsed.

use super::{Judge, TELLING};
use crate::engine::index::Selected;
use crate::engine::noted::Room;
use crate::engine::skimmed::Skimmed;
use crate::engine::spans::Spans;
use crate::engine::tally::Tally;
use crate::input::{Fields, Filter, Route, Told};
use crate::tally::{self, Counter};

/// Passes over events, and counts them.
pub(super) struct Router<'a> {
    judge: &'a Judge<'a>,
    /// Where the fields of [`TELLING`] are found, if they are of interest.
    telling: Option<[Option<usize>; 2]>,
    /// Where those of [`Filter::PATHS`] are found, if they are of use.
    places: Option<[Option<usize>; 4]>,
    /// Where those of [`tally::PATHS`] are found, and what counts by them, if that is wanted.
    counting: Option<(tally::Places, Counter)>,
    /// Whether somebody must know them.
    reads_places: bool,
    spans: Spans,
    selected: Selected,
    room: Room,
    /// Events that every group of policies was asked about.
    asked: Vec<u64>,
    events: u64,
    filtered: u64,
}

impl<'a> Router<'a> {
    pub(super) fn new(judge: &'a Judge<'a>) -> Self {
        let field = |path: &'static [&'static str]| judge.index.field(path);
        Self {
            judge,
            telling: (!judge.telling.is_empty()).then(|| TELLING.map(field)),
            places: judge.uses_places().then(|| Filter::PATHS.map(field)),
            reads_places: judge.reads_places(),
            counting: judge.tallies.counter().map(|counter| (tally::PATHS.map(field), counter)),
            spans: Spans::new(judge.since),
            selected: Selected::default(),
            room: Room::default(),
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
    fn passes_over(&mut self, fields: &Fields<'_>, notes: &mut Vec<u8>) -> bool {
        if self.may_tell(fields) {
            return false;
        }
        let judge = self.judge;
        let told = self.places.as_ref().and_then(|places| Told::of(fields, places));
        if self.reads_places {
            let Some(known) = &told else { return false };
            if !judge.request.settings.filter.admits_told(known) {
                self.note(known);
                self.filtered += 1;
                return true;
            }
        }
        let event = Skimmed { fields, told, inventory: &judge.inventory };
        if !judge.index.passes(&event, judge.policies, &judge.noting, &mut self.selected) {
            return false;
        }
        let is_before = told.is_some_and(|known| judge.is_before(known.time));
        for at in &self.selected.noted {
            let policy = (*at, &judge.policies[*at]);
            if judge.noting.note(policy, &event, !is_before, &mut self.room, notes).is_none() {
                notes.clear();
                return false;
            }
        }
        // What is passed over may be unchecked; a hit may not.
        if !notes.is_empty() && !fields.is_json() {
            notes.clear();
            return false;
        }
        if let Some(known) = &told
            && !is_before
            && let Some((places, counter)) = &mut self.counting
            && !counter.take_fields(fields, places, known)
        {
            notes.clear();
            return false;
        }
        if let Some(known) = &told {
            self.note(known);
        }
        if is_before {
            self.filtered += 1;
            return true;
        }
        self.events += 1;
        self.selected.groups.iter().for_each(|group| self.asked[*group] += 1);
        true
    }
}
