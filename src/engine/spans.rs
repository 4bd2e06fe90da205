//! Of which times events were read, by account and region: what came before and after them nobody knows.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::record::Scope;

/// Accounts and regions whose times are held, the first in their order: of all others nothing is known.
const MOST: usize = 10_000;

/// The first and the last time of the events that were read.
#[derive(Clone, Debug, Default)]
pub(super) struct Spans {
    /// What is before it is told already.
    since: Option<Timestamp>,
    by_scope: BTreeMap<Scope, Span>,
    /// The last that was asked for, which the next mostly is of, too.
    recent: Option<(Scope, Span)>,
}

/// Times of events.
#[derive(Clone, Copy, Debug)]
struct Span {
    first: Timestamp,
    last: Timestamp,
    /// The last of those that are told already.
    told: Option<Timestamp>,
}

impl Span {
    fn add(&mut self, other: Self) {
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.told = self.told.max(other.told);
    }
}

impl Spans {
    /// For a scan that tells nothing of what is before a time.
    pub(super) fn new(since: Option<Timestamp>) -> Self {
        Self { since, ..Self::default() }
    }

    /// Notes the time of an event.
    pub(super) fn note(&mut self, account: Option<&str>, region: Option<&str>, time: Timestamp) {
        let told = self.since.filter(|since| time < *since).map(|_| time);
        let one = Span { first: time, last: time, told };
        match &mut self.recent {
            Some((scope, span)) if scope.account.as_deref() == account && scope.region.as_deref() == region => {
                span.add(one);
            }
            _ => {
                self.keep();
                let scope = Scope { account: account.map(Into::into), region: region.map(Into::into) };
                self.recent = Some((scope, one));
            }
        }
    }

    /// Adds what another noted.
    pub(super) fn add(&mut self, mut other: Self) {
        other.keep();
        other.by_scope.into_iter().for_each(|(scope, span)| self.put(scope, span));
    }

    fn keep(&mut self) {
        if let Some((scope, span)) = self.recent.take() {
            self.put(scope, span);
        }
    }

    fn put(&mut self, scope: Scope, span: Span) {
        self.by_scope.entry(scope).or_insert(span).add(span);
        // What goes is the same whatever came first, and never comes back: there are always so many before it.
        if self.by_scope.len() > MOST {
            self.by_scope.pop_last();
        }
    }

    /// The last time of an account and region.
    pub(super) fn last(&self, scope: &Scope) -> Option<Timestamp> {
        self.by_scope.get(scope).map(|span| span.last)
    }

    /// The last time of an account and region of which everything is told already.
    pub(super) fn last_told(&self, scope: &Scope) -> Option<Timestamp> {
        self.by_scope.get(scope).and_then(|span| span.told)
    }

    /// The first time of an account, in any region.
    pub(super) fn first_of(&self, account: Option<&str>) -> Option<Timestamp> {
        self.firsts(account).min()
    }

    /// The first and the last time of each account.
    pub(super) fn accounts(&self) -> BTreeMap<Option<&str>, (Timestamp, Timestamp)> {
        let mut accounts: BTreeMap<Option<&str>, (Timestamp, Timestamp)> = BTreeMap::new();
        for (scope, Span { first, last, .. }) in &self.by_scope {
            let span = accounts.entry(scope.account.as_deref()).or_insert((*first, *last));
            *span = (span.0.min(*first), span.1.max(*last));
        }
        accounts
    }

    fn firsts(&self, account: Option<&str>) -> impl Iterator<Item = Timestamp> {
        // Of an account, what is of no region comes first.
        let first = Scope { account: account.map(Into::into), region: None };
        let all = self.by_scope.range(first..);
        all.take_while(move |(scope, _)| scope.account.as_deref() == account).map(|(_, span)| span.first)
    }
}
