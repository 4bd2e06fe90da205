//! Finds policies by what their scripts require of a record: each question that several of them ask is asked once.
//!
//! *Soundness*: a policy is left out only where none of the answers is given of which its script requires one. An answer
//! that is not known leaves nothing out.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aho_corasick::AhoCorasick;
use foldhash::fast::RandomState;

use crate::input::Wanted;
use crate::script::{Demand, Predicate, Question, Reply, Source};

/// Texts by which a policy may be found; one that allows more is asked of every record of its group.
pub(super) const MOST_TEXTS: usize = 256;

/// Different questions of one group, other than what a field is.
const MOST_QUESTIONS: usize = 256;

/// Bytes of an answer that is searched; in a longer one, which who makes a call may write, much may be found many times.
const MOST_SEARCHED: usize = 1 << 10;

/// Policies by the answer to a question that their scripts ask.
#[derive(Debug)]
pub(super) struct Asked {
    question: Question,
    /// Where the fields are found that it is about.
    places: Vec<Option<usize>>,
    by_text: HashMap<Box<str>, Vec<usize>, RandomState>,
    /// Policies by what the answer holds.
    by_piece: Option<(AhoCorasick, Vec<Vec<usize>>)>,
    /// Policies that are found by any answer but `()`.
    by_anything: Vec<usize>,
    /// All of them, in order.
    members: Vec<usize>,
}

impl Asked {
    fn new(question: Question, asking: &[(usize, Demand<'_>)]) -> Self {
        let mut by_text: HashMap<Box<str>, Vec<usize>, RandomState> = HashMap::default();
        let mut pieces: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (at, demand) in asking {
            for text in &demand.texts {
                let found = by_text.entry((*text).into()).or_default();
                // A script may list a text twice.
                if found.last() != Some(at) {
                    found.push(*at);
                }
            }
            for piece in &demand.pieces {
                pieces.entry(piece).or_default().push(*at);
            }
        }
        let mut by_anything: Vec<usize> =
            asking.iter().filter(|(_, demand)| demand.anything).map(|(at, _)| *at).collect();
        let by_piece = match AhoCorasick::new(pieces.keys()) {
            Ok(all) => (!pieces.is_empty()).then(|| (all, pieces.into_values().collect())),
            // Too many to search for together: any text may hold them.
            Err(_) => {
                by_anything.extend(pieces.into_values().flatten());
                None
            }
        };
        let members = asking.iter().map(|(at, _)| *at).collect::<BTreeSet<_>>().into_iter().collect();
        Self { question, places: Vec::new(), by_text, by_piece, by_anything, members }
    }

    /// The paths of the fields that are asked about.
    pub(super) fn paths(&self) -> &[Vec<String>] {
        self.question.paths()
    }

    /// Says where these are found.
    pub(super) fn place(&mut self, field: impl Fn(&Vec<String>) -> Option<usize>) {
        self.places = self.question.paths().iter().map(field).collect();
    }

    /// Where they are found.
    pub(super) fn places(&self) -> &[Option<usize>] {
        &self.places
    }

    /// The policies that may be found.
    pub(super) fn members(&self) -> &[usize] {
        &self.members
    }

    /// Adds the policies that a record may trigger; some several times.
    pub(super) fn find(&self, source: &impl Source, into: &mut Vec<usize>) {
        match self.question.ask(source) {
            Reply::Text(text) if text.len() > MOST_SEARCHED => into.extend(&self.members),
            Reply::Text(text) => {
                into.extend(&self.by_anything);
                into.extend(self.by_text.get(&*text).into_iter().flatten());
                if let Some((all, policies)) = &self.by_piece {
                    let found = all.find_overlapping_iter(&*text);
                    found.for_each(|found| into.extend(&policies[found.pattern().as_usize()]));
                }
            }
            Reply::Nothing => {}
            Reply::NoText => into.extend(&self.by_anything),
            Reply::Perhaps => into.extend(&self.members),
        }
    }
}

/// Demands of which one must be met, with the numbers of their questions.
type Cover<'p> = Vec<(usize, Demand<'p>)>;

/// The questions of a group, each once, by number.
#[derive(Default)]
struct Questions {
    all: Vec<Question>,
    by_paths: HashMap<Vec<Vec<String>>, Vec<usize>>,
    /// Those that ask for more than a field.
    composed: usize,
}

impl Questions {
    fn number(&mut self, question: &Question) -> Option<usize> {
        let alike = self.by_paths.entry(question.paths().to_vec()).or_default();
        if let Some(known) = alike.iter().find(|known| self.all[**known] == *question) {
            return Some(*known);
        }
        if !question.is_field() {
            self.composed += 1;
            if self.composed > MOST_QUESTIONS {
                return None;
            }
        }
        alike.push(self.all.len());
        self.all.push(question.clone());
        Some(self.all.len() - 1)
    }
}

/// The policies of a group by the answers that tell most of them apart, and those that are found by none. `predicate` is
/// what is proved of one.
pub(super) fn members<'p>(
    members: &[usize],
    predicate: impl Fn(usize) -> Option<&'p Predicate>,
) -> (Vec<Asked>, Vec<usize>) {
    let mut questions = Questions::default();
    let mut required: Vec<(usize, Vec<Cover<'p>>)> = Vec::new();
    let mut texts: Vec<BTreeSet<&str>> = Vec::new();
    let mut askers: Vec<usize> = Vec::new();
    for at in members {
        let mut covers = Vec::new();
        for cover in predicate(*at).map(Predicate::required).unwrap_or_default() {
            let usable = |demand: &Demand<'_>| {
                demand.texts.len() + demand.pieces.len() <= MOST_TEXTS
                    && demand.question.paths().iter().all(|path| path.is_empty() || Wanted::can_read(path))
            };
            if !cover.iter().all(usable) {
                continue;
            }
            let numbered = cover.into_iter().map(|demand| Some((questions.number(&demand.question)?, demand)));
            covers.extend(numbered.collect::<Option<Vec<_>>>());
        }
        texts.resize_with(questions.all.len(), BTreeSet::new);
        askers.resize(questions.all.len(), 0);
        let asked: BTreeSet<usize> = covers.iter().flatten().map(|(question, _)| *question).collect();
        asked.iter().for_each(|question| askers[*question] += 1);
        for (question, demand) in covers.iter().flatten() {
            texts[*question].extend(demand.texts.iter().chain(&demand.pieces));
        }
        required.push((*at, covers));
    }
    // What a single policy asks is not asked twice, nor whether there is an answer: scripts ask that first, and the index
    // asks it once for all of them.
    let is_worth_it = |(question, demand): &(usize, Demand<'_>)| {
        demand.question.is_field() || askers[*question] > 1 && !demand.anything
    };
    let mut every = Vec::new();
    let mut asking: BTreeMap<usize, Vec<(usize, Demand<'_>)>> = BTreeMap::new();
    for (at, covers) in required {
        let told_apart = |cover: &Cover<'_>| {
            let is_told = cover.iter().all(|(_, demand)| !demand.anything);
            let least = cover.iter().map(|(question, _)| texts[*question].len()).min();
            (is_told, least, std::cmp::Reverse(cover.len()))
        };
        let worth_it = covers.into_iter().filter(|cover| cover.iter().all(is_worth_it));
        match worth_it.max_by_key(told_apart) {
            Some(cover) => {
                cover.into_iter().for_each(|(question, demand)| asking.entry(question).or_default().push((at, demand)));
            }
            None => every.push(at),
        }
    }
    let asked = asking.into_iter().map(|(question, asking)| Asked::new(questions.all[question].clone(), &asking));
    (asked.collect(), every)
}
