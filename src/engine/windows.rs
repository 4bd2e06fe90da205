//! Judges the hits of windows when everything is read: one policy and group after the other, each in the order of time.
//!
//! *Law*: what is found depends on the hits alone, not on the order in which they were read, on files or on threads.

mod shown;
mod source;

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use self::source::Chunk;
pub(super) use self::source::Source;
use super::Request;
use super::correlate::{Correlator, Listener, Moment, Nanos, Opened, Unjudged};
use super::evaluate::{self, About};
use super::hits::{self, Held, Key};
use super::place::{Map, ordinal};
use super::profile::Cost;
use super::spans::Spans;
use super::state::{Memory, State};
use super::tally::Tally;
use crate::error::Error;
use crate::fault::Fault;
use crate::finding::{Facts, Finding, Fingerprint, Sighting, Windowed, fingerprint_of_window};
use crate::policy::{Policy, Shape, Window, span};
use crate::record::{CLOUDTRAIL, Document, Origin, Record};
use crate::script::{Runtime, Spent};
use crate::triage::{Seen, Subject};

/// What the hits of all windows are judged with.
pub(super) struct Windows<'a> {
    pub(super) policies: &'a [Policy],
    pub(super) request: &'a Request,
    /// What was before it is told already.
    pub(super) since: Option<Timestamp>,
    pub(super) spans: &'a Spans,
    pub(super) map: &'a Map,
    /// What was seen before by the policies that ask, by their places; nothing where that is not remembered.
    pub(super) memories: Mutex<BTreeMap<usize, Memory>>,
    /// The same event was met in two spellings, of which one was noted: they may be one record, or two.
    pub(super) contradicted: AtomicBool,
    /// A thread failed, so that the others need not go on.
    pub(super) failed: AtomicBool,
}

/// Which hooks are asked about hits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hooks {
    /// `confirm`.
    Confirm,
    /// Those that put a finding into words.
    Words,
}

/// Is told which hits the hooks of the policy at a place are asked about, as a record whose value is their list.
pub(super) type Asked<'a> = &'a mut (dyn FnMut(usize, Hooks, &Record) + Send);

impl Windows<'_> {
    /// Takes what is remembered of the policies, and notes of which times there are records now.
    pub(super) fn recall(&self, state: &mut State) {
        let filter = &self.request.settings.filter;
        let asks = |window: &Window| window.shape == Shape::FirstSeen;
        for (at, policy) in self.policies.iter().enumerate() {
            if !policy.header.window.as_ref().is_some_and(asks) {
                continue;
            }
            let mut memory = std::mem::take(state.memory_of(policy));
            for (account, (first, last)) in self.spans.accounts() {
                // Records outside of what is wanted were met, and nothing of them is remembered.
                let within = (
                    filter.since.map_or(first, |since| first.max(since)),
                    filter.until.map_or(last, |until| last.min(until)),
                );
                if within.0 <= within.1 {
                    // Who says from when to when has all that was, though it was quiet at either end.
                    let asked = self.since.zip(filter.until).filter(|asked| within.1 >= asked.0);
                    let (from, to) = asked.map_or(within, |(since, until)| (within.0.min(since), until));
                    memory.note_read(account, from, to);
                }
            }
            lock(&self.memories).insert(at, memory);
        }
    }

    /// Hands back what is remembered of the policies.
    pub(super) fn remember(self, state: &mut State) {
        for (at, memory) in self.memories.into_inner().unwrap_or_else(PoisonError::into_inner) {
            *state.memory_of(&self.policies[at]) = memory;
        }
    }

    /// Judges hits, with other threads, until there are none left, or somebody says that it failed; `asked` is told what hooks
    /// are asked about.
    pub(super) fn judge(
        &self,
        source: &Mutex<Source<'_>>,
        runtime: &mut Runtime,
        tally: &mut Tally,
        asked: &Mutex<Asked<'_>>,
    ) -> Result<(), Error> {
        let mut judging = Judging { windows: self, runtime, tally, asked, group: None, last: None };
        while !self.contradicted.load(Ordering::Relaxed) && !self.failed.load(Ordering::Relaxed) {
            let mut source = lock(source);
            let Chunk { hits, goes_on } = source.chunk()?;
            let Some(last) = hits.last().map(|(key, _)| key.clone()) else { break };
            // The others read on meanwhile, unless there is more of this group.
            let mut source = Some(source).filter(|_| goes_on);
            for (key, payload) in hits {
                judging.take(&key, payload)?;
            }
            while let Some((key, payload)) = source.as_mut().map_or(Ok(None), |source| source.next_of(&last))? {
                judging.take(&key, payload)?;
            }
            judging.end()?;
        }
        Ok(())
    }
}

/// One thread that judges hits, a group after the other.
struct Judging<'j, 's> {
    windows: &'j Windows<'j>,
    runtime: &'j mut Runtime,
    tally: &'j mut Tally,
    asked: &'j Mutex<Asked<'s>>,
    group: Option<(Group<'j>, Correlator<'j, Rc<Held>>)>,
    /// The hit before, and whether it was noted.
    last: Option<(Rc<Held>, bool)>,
}

impl Judging<'_, '_> {
    /// Takes the next hit.
    fn take(&mut self, key: &[u8], payload: Vec<u8>) -> Result<(), Error> {
        let windows = self.windows;
        let key = Key::read(key, self.last.as_ref().map(|(last, _)| &last.key))?;
        let (is_noted, step, of) = hits::read_first(&payload)?;
        if let Some((last, was_noted)) = self.last.as_ref().filter(|(last, _)| last.key.is_same_event(&key)) {
            // Of equal records the first in the order of the input counts.
            if last.key.hash == key.hash {
                return Ok(());
            }
            if is_noted || *was_noted {
                windows.contradicted.store(true, Ordering::Relaxed);
                return Ok(());
            }
        }
        if self.last.as_ref().is_some_and(|(last, _)| !last.key.is_same_group(&key)) {
            self.end()?;
        }
        let at = key.policy as usize;
        let Some((policy, window)) = windows.policies.get(at).and_then(|of| Some((of, of.header.window.as_ref()?)))
        else {
            return Ok(());
        };
        let (current, correlator) =
            self.group.get_or_insert_with(|| (Group::new(windows, policy, window, at, &key), Correlator::new(window)));
        let before = current.seen_before(&key);
        let held = Rc::new(Held { key, payload: payload.into() });
        let time = held.key.time.as_nanosecond();
        let moment = Moment { time, step, of, before, hit: Rc::clone(&held) };
        correlator.take(&moment, &mut current.listening(self.runtime, self.tally, self.asked));
        self.last = Some((held, is_noted));
        Ok(())
    }

    /// Ends the group in hand.
    fn end(&mut self) -> Result<(), Error> {
        let Some((mut ended, correlator)) = self.group.take() else { return Ok(()) };
        correlator.finish(&mut ended.listening(self.runtime, self.tally, self.asked));
        ended.failed.map_or(Ok(()), Err)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The hits of one policy that are grouped together.
struct Group<'a> {
    windows: &'a Windows<'a>,
    policy: &'a Policy,
    window: &'a Window,
    index: usize,
    key: Rc<str>,
    by: Vec<Value>,
    /// The same as hooks see it: the value, if there is one key.
    by_shown: Document,
    /// What is kept of a hit, or a temporary file, could not be read.
    failed: Option<Error>,
}

impl<'a> Group<'a> {
    fn new(windows: &'a Windows<'a>, policy: &'a Policy, window: &'a Window, index: usize, key: &Key) -> Self {
        let by: Vec<Value> = serde_json::from_str(&key.group).unwrap_or_default();
        let by_shown = match by.as_slice() {
            [one] => Document::from(one),
            several => Document::from(&Value::from(several)),
        };
        Self { windows, policy, window, index, key: Rc::clone(&key.group), by, by_shown, failed: None }
    }

    fn listening<'l, 's>(
        &'l mut self,
        runtime: &'l mut Runtime,
        tally: &'l mut Tally,
        asked: &'l Mutex<Asked<'s>>,
    ) -> Listening<'l, 'a, 's> {
        Listening { group: self, runtime, tally, asked }
    }

    /// Remembers a hit; when the group was seen before it, as far as that is remembered.
    fn seen_before(&self, key: &Key) -> Option<Nanos> {
        self.remembered(|memory| {
            let before = memory.seen_before(&key.group, key.time, &key.id);
            memory.note_seen(&key.group, key.time, &key.id);
            before.map(Timestamp::as_nanosecond)
        })?
    }

    /// Does something with what is remembered of the policy, if it remembers.
    fn remembered<T>(&self, work: impl FnOnce(&mut Memory) -> T) -> Option<T> {
        lock(&self.windows.memories).get_mut(&self.index).map(work)
    }

    /// From when on records of an account are known, up to a hit.
    fn history(&self, account: Option<&str>, until: Timestamp) -> Option<Timestamp> {
        let read = self.windows.spans.first_of(account);
        self.remembered(|memory| memory.read_from(account, until)).flatten().or(read)
    }

    /// The hits as a policy's hooks are given them: a record whose value is the list.
    fn record(&self, opened: &Opened<Rc<Held>>) -> Result<Record, Error> {
        let (map, steps) = (self.windows.map, &self.window.named.steps);
        let value = shown::list(&opened.hits, self.by_shown.root(), steps, map)?;
        let opener = opened.opener.read()?;
        Ok(Record {
            kind: CLOUDTRAIL.into(),
            id: None,
            time: Some(opened.opener.key.time),
            scope: opener.scope(),
            value,
            origin: opened.opener.origin(self.windows.map)?,
        })
    }

    /// What a finding about the hits is about.
    fn about(&self, opened: &Opened<Rc<Held>>) -> Result<About, Error> {
        let stored = opened.opener.read()?;
        let key = &opened.opener.key;
        let text = |text: Option<&str>| text.map(str::to_owned);
        let scope = stored.scope();
        let id = Some(key.id.as_str()).filter(|id| !id.is_empty());
        let opener = id.map_or_else(|| Fingerprint(key.hash).to_string(), str::to_owned);
        let account = stored.account.unwrap_or_default();
        Ok(About {
            record: Facts {
                kind: CLOUDTRAIL.into(),
                id: id.map(Into::into),
                time: Some(stored.written(key.time)),
                name: text(stored.name),
                source: text(stored.source),
                account: scope.account,
                region: scope.region,
            },
            window: Some(self.windowed(opened)?),
            actor: Some(stored.actor.into_owned()),
            source_ip: text(stored.source_ip),
            origin: opened.opener.origin(self.windows.map)?,
            fingerprint: fingerprint_of_window(&self.policy.pack, &self.policy.id, &self.key, account, &opener),
            resources: evaluate::texts(&Value::Array(self.by.clone())),
        })
    }

    fn windowed(&self, opened: &Opened<Rc<Held>>) -> Result<Windowed, Error> {
        let steps = &self.window.named.steps;
        let written =
            |nanos: Nanos| Timestamp::from_nanosecond(nanos).map_or_else(|_| String::new(), |time| time.to_string());
        let mut hits = Vec::new();
        let last = opened.hits.len().saturating_sub(1);
        for (at, (number, held)) in opened.hits.iter().enumerate() {
            if at + 1 >= Windowed::LISTED && at < last {
                continue;
            }
            let stored = held.read()?;
            let text = |text: Option<&str>| text.map(str::to_owned);
            hits.push(Sighting {
                number: *number,
                time: stored.written(held.key.time),
                id: Some(held.key.id.clone()).filter(|id| !id.is_empty()),
                name: text(stored.name),
                step: steps.get(usize::from(stored.step)).cloned(),
                account: text(stored.account),
                region: text(stored.region),
                actor: text(stored.actor.name),
                source_ip: text(stored.source_ip),
                origin: held.origin(self.windows.map)?,
            });
        }
        let (first, last) = (written(opened.first), written(opened.last));
        Ok(Windowed { by: self.by.clone(), count: opened.count, first, last, hits })
    }

    /// Whose the hits are; `None` if there are more than are held.
    fn seen(&self, opened: &Opened<Rc<Held>>) -> Result<Option<Vec<Seen>>, Error> {
        if opened.count != opened.hits.len() as u64 {
            return Ok(None);
        }
        let of = |(_, held): &(u64, Rc<Held>)| {
            let stored = held.read()?;
            let text = |text: Option<&str>| text.map(str::to_owned);
            let (account, region) = (text(stored.account), text(stored.region));
            Ok(Seen { account, region, actor: stored.actor.into_owned() })
        };
        opened.hits.iter().map(of).collect::<Result<_, Error>>().map(Some)
    }

    /// When it is known that nothing followed a hit of that time.
    fn end_of(&self, time: Timestamp) -> Nanos {
        time.as_nanosecond() + Nanos::from(self.window.within) * 1_000_000_000
    }

    /// Whether a hit was read for what comes after it alone.
    fn is_before_report(&self, time: Timestamp) -> bool {
        self.windows.since.is_some_and(|since| time < since)
    }
}

/// Hears what becomes of the hits of a group.
struct Listening<'l, 'a, 's> {
    group: &'l mut Group<'a>,
    runtime: &'l mut Runtime,
    tally: &'l mut Tally,
    asked: &'l Mutex<Asked<'s>>,
}

impl Listening<'_, '_, '_> {
    fn fault(&mut self, held: &Held, origin: Origin, reason: String) {
        let at = held.key.place;
        // Where it is in its file is reckoned again when the fault is told.
        let origin = Origin { position: at.position, ..origin };
        self.tally.fault(at, &Fault::policy(&self.group.policy.pack, &self.group.policy.id, reason, origin));
    }

    /// Whether a scan of what was before has told it: it opened then, and that was known then. That nothing follows is known
    /// when there is a later record of the region, or by `--until`; which scan had that, had the one before it.
    fn is_told(&self, opened: &Opened<Rc<Held>>) -> Result<bool, Error> {
        let windows = self.group.windows;
        let Some(since) = windows.since.filter(|since| opened.at < since.as_nanosecond()) else { return Ok(false) };
        if self.group.window.shape != Shape::Absence {
            return Ok(true);
        }
        let known = match windows.request.settings.filter.until {
            Some(_) => Some(last_before(since)),
            None => windows.spans.last_told(&opened.opener.read()?.scope()).map(Timestamp::as_nanosecond),
        };
        Ok(known.is_some_and(|known| known >= opened.at))
    }

    fn note_cost(&mut self, (started, before): (Instant, Spent)) {
        let operations = self.runtime.spent().operations - before.operations;
        self.tally.cost(ordinal(self.group.index), &Cost { run: 0, operations, time: started.elapsed() });
    }

    fn told(&mut self, opened: &Opened<Rc<Held>>) -> Result<(Finding, Vec<String>, Origin), Error> {
        let (group, about) = (&*self.group, self.group.about(opened)?);
        let record = group.record(opened)?;
        lock(self.asked)(group.index, Hooks::Words, &record);
        let started = (Instant::now(), self.runtime.spent());
        let (finding, faults) = evaluate::finding(group.policy, group.index, self.runtime, &record, about);
        self.note_cost(started);
        Ok((finding, faults, record.origin))
    }
}

impl Listener<Rc<Held>> for Listening<'_, '_, '_> {
    fn confirms(&mut self, opened: &Opened<Rc<Held>>) -> bool {
        if !self.group.policy.script.hooks.contains("confirm") {
            return true;
        }
        let record = match self.group.record(opened) {
            Ok(record) => record,
            Err(error) => {
                self.group.failed = Some(error);
                return true;
            }
        };
        lock(self.asked)(self.group.index, Hooks::Confirm, &record);
        let started = (Instant::now(), self.runtime.spent());
        let (answer, failed) = evaluate::confirms(self.group.policy, self.group.index, self.runtime, &record);
        self.note_cost(started);
        if let Some(reason) = failed {
            self.fault(&opened.opener, record.origin, reason);
        }
        answer
    }

    fn found(&mut self, opened: Opened<Rc<Held>>) {
        if self.group.failed.is_some() {
            return;
        }
        match self.is_told(&opened) {
            Ok(false) => {}
            Ok(true) => return,
            Err(error) => {
                self.group.failed = Some(error);
                return;
            }
        }
        match self.told(&opened) {
            Ok((mut finding, faults, origin)) => {
                let at = opened.opener.key.place;
                let seen = if self.tally.asks_of_hits() { self.group.seen(&opened) } else { Ok(None) };
                let seen = seen.unwrap_or_else(|error| {
                    self.group.failed = Some(error);
                    None
                });
                let subject = Subject::Hits(seen.as_deref());
                let of = (Some(opened.opener.key.time), opened.opener.identity());
                self.tally.finding(at, self.group.policy, &mut finding, subject, of);
                for reason in faults {
                    self.fault(&opened.opener, origin.clone(), reason);
                }
            }
            Err(error) => self.group.failed = Some(error),
        }
    }

    fn horizon(&mut self, hit: &Rc<Held>) -> Option<Nanos> {
        let request = self.group.windows.request;
        if let Some(until) = request.settings.filter.until {
            return Some(last_before(until));
        }
        self.group.windows.spans.last(&hit.read().ok()?.scope()).map(Timestamp::as_nanosecond)
    }

    fn has_history(&mut self, hit: &Rc<Held>, from: Nanos) -> bool {
        let windows = self.group.windows;
        if windows.request.history_complete {
            return true;
        }
        let Ok(stored) = hit.read() else { return false };
        let history = self.group.history(stored.account, hit.key.time);
        history.is_some_and(|first| first.as_nanosecond() <= from)
    }

    fn not_judged(&mut self, hit: &Rc<Held>, why: Unjudged) {
        // What waits is judged when its time is up.
        let judged_at = match why {
            Unjudged::NoHistory => hit.key.time.as_nanosecond(),
            Unjudged::StillOpen => Nanos::MAX,
            Unjudged::TooMany => self.group.end_of(hit.key.time),
        };
        if self.group.windows.since.is_some_and(|since| judged_at < since.as_nanosecond()) {
            return;
        }
        let read = hit.read().and_then(|stored| Ok((stored, hit.origin(self.group.windows.map)?)));
        let (stored, origin) = match read {
            Ok(read) => read,
            Err(error) => {
                self.group.failed = Some(error);
                return;
            }
        };
        let window = self.group.window;
        let reason = match why {
            Unjudged::StillOpen => format!(
                "window still open: the records of this account and region end before the {} are over in which it waits \
                 for `{}` (try: `--until`, if all was read up to there)",
                span(window.within),
                window.named.steps.get(1).map_or("", String::as_str)
            ),
            Unjudged::NoHistory => {
                let first = self.group.history(stored.account, hit.key.time);
                let known =
                    first.map_or_else(String::new, |first| format!(", and those of this account begin at {first}"));
                format!(
                    "less history than asked: it looks back {}{known} (try: more logs, or `--history-complete` if there is \
                     nothing before them)",
                    span(window.within)
                )
            }
            Unjudged::TooMany => "too many records of one group wait for what must follow them".to_owned(),
        };
        let origin = Origin { position: hit.key.place.position, ..origin };
        let is_counted = !self.group.is_before_report(hit.key.time);
        self.tally.hit_not_evaluated(hit.key.place, &reason, &stored.scope(), &origin, is_counted);
    }
}

/// The last moment before a time.
fn last_before(time: Timestamp) -> Nanos {
    time.as_nanosecond() - 1
}

/// From when on records must be read for the windows of policies to be judged from `since` on.
pub(super) fn reads_from(policies: &[Policy], since: Timestamp) -> Timestamp {
    let reach = policies.iter().filter_map(|policy| policy.header.window.as_ref()).map(Window::reach).max();
    since.checked_sub(SignedDuration::from_secs(reach.unwrap_or_default())).unwrap_or(Timestamp::MIN)
}

/// Whether some window must know of which times there are records.
pub(super) fn need_spans(policies: &[Policy]) -> bool {
    policies.iter().filter_map(|policy| policy.header.window.as_ref()).any(Window::needs_history)
}
