//! Compares the correlator with one that is slow and obvious: it looks at all hits again for every one of them.

use proptest::prelude::*;

use super::*;
use crate::policy::Key;
use crate::script::Named;

const SECOND: Nanos = 1_000_000_000;

/// What a group came to: findings and what was not judged.
#[derive(Debug, Default, PartialEq)]
struct Told {
    found: Vec<Found>,
    not_judged: Vec<(usize, Unjudged)>,
    asked: usize,
}

/// The opener, when it opened, how many hits there are, the times of the first and the last, and the hits.
#[derive(Debug, PartialEq)]
struct Found {
    opener: usize,
    at: Nanos,
    count: u64,
    span: (Nanos, Nanos),
    hits: Vec<usize>,
}

/// Confirms every so manieth finding that would open; knows of the times from `from` on until `until`.
struct Ear {
    told: Told,
    every: usize,
    from: Nanos,
    until: Nanos,
}

impl Ear {
    fn new(every: usize, from: i128, until: i128) -> Self {
        Self { told: Told::default(), every, from: from * SECOND, until: until * SECOND }
    }

    fn agrees(&mut self) -> bool {
        self.told.asked += 1;
        self.told.asked.is_multiple_of(self.every)
    }
}

impl Listener<usize> for Ear {
    fn confirms(&mut self, _: &Opened<usize>) -> bool {
        self.agrees()
    }

    fn found(&mut self, opened: Opened<usize>) {
        let numbers: Vec<u64> = opened.hits.iter().map(|(number, _)| *number).collect();
        assert!(numbers.is_sorted() && numbers.last() == Some(&opened.count), "{numbers:?}");
        self.told.found.push(Found {
            opener: opened.opener,
            at: opened.at,
            count: opened.count,
            span: (opened.first, opened.last),
            hits: opened.hits.into_iter().map(|(_, hit)| hit).collect(),
        });
    }

    fn horizon(&mut self, _: &usize) -> Option<Nanos> {
        Some(self.until)
    }

    fn has_history(&mut self, _: &usize, from: Nanos) -> bool {
        self.from <= from
    }

    fn not_judged(&mut self, hit: &usize, why: Unjudged) {
        self.told.not_judged.push((*hit, why));
    }
}

fn correlate(window: &Window, hits: &[Moment<usize>], mut ear: Ear) -> Told {
    let mut correlator = Correlator::new(window);
    for hit in hits {
        correlator.take(hit, &mut ear);
    }
    correlator.finish(&mut ear);
    ear.told
}

/// The same, hit by hit.
fn reference(window: &Window, hits: &[Moment<usize>], mut ear: Ear) -> Told {
    let (within, cooldown) = (i128::from(window.within) * SECOND, i128::from(window.cooldown) * SECOND);
    // When the condition holds, at which hit, and over which hits.
    let mut moments: Vec<(Nanos, usize, Vec<usize>)> = Vec::new();
    for (at, hit) in hits.iter().enumerate() {
        let recent: Vec<usize> = (0..=at).filter(|other| hits[*other].time >= hit.time - within).collect();
        let last_of = |step: u8| recent.iter().copied().rfind(|other| hits[*other].step == step);
        let over = match &window.shape {
            Shape::Threshold(least) => Some(recent.clone()).filter(|recent| recent.len() >= *least),
            Shape::Distinct { count, .. } => {
                let values: std::collections::BTreeSet<u128> = recent.iter().map(|other| hits[*other].of).collect();
                Some(recent.clone()).filter(|_| values.len() >= *count)
            }
            Shape::Sequence(steps) => chain(hits, &recent, steps).filter(|chain| chain.last() == Some(&at)),
            Shape::All => {
                let mut all: Vec<usize> =
                    (0..window.named.steps.len()).filter_map(|step| last_of(step as u8)).collect();
                all.sort_unstable();
                Some(all).filter(|all| all.len() == window.named.steps.len())
            }
            Shape::Absence => {
                if hit.step == 0 {
                    let end = hit.time + within;
                    let follows = |other: &Moment<usize>| other.step == 1 && other.time <= end;
                    if hits[at + 1..].iter().any(follows) {
                    } else if end <= ear.until {
                        moments.push((end, at, vec![at]));
                    } else {
                        ear.told.not_judged.push((at, Unjudged::StillOpen));
                    }
                }
                None
            }
            Shape::FirstSeen => {
                let seen = recent.len() > 1;
                let known = ear.from <= hit.time - within;
                if !seen && !known {
                    ear.told.not_judged.push((at, Unjudged::NoHistory));
                }
                (!seen && known).then(|| vec![at])
            }
        };
        moments.extend(over.map(|over| (hit.time, at, over)));
    }
    // All other hits belong to what is open at their time; of absences only those that nothing followed.
    let is_absence = window.shape == Shape::Absence;
    let stops: Vec<(Nanos, usize)> = if is_absence {
        moments.iter().map(|(time, at, _)| (*time, *at)).collect()
    } else {
        hits.iter().enumerate().map(|(at, hit)| (hit.time, at)).collect()
    };
    let mut open: Option<(usize, Nanos, Vec<usize>, Nanos)> = None;
    let mut closed = Vec::new();
    for (time, at) in stops {
        if open.as_ref().is_some_and(|(.., held)| time > held + cooldown) {
            closed.extend(open.take());
        }
        let over = moments.iter().find(|(_, hit, _)| *hit == at).map(|(.., over)| over);
        match (&mut open, over) {
            (Some((.., members, held)), over) => {
                members.push(at);
                if over.is_some() {
                    *held = time;
                }
            }
            (None, Some(over)) if ear.agrees() => open = Some((at, time, over.clone(), time)),
            (None, _) => {}
        }
    }
    closed.extend(open);
    let found = |(opener, at, members, _): (usize, Nanos, Vec<usize>, Nanos)| Found {
        opener,
        at,
        count: members.len() as u64,
        span: (hits[members[0]].time, hits[members[members.len() - 1]].time),
        hits: members,
    };
    ear.told.found = closed.into_iter().map(found).collect();
    ear.told
}

/// Of all ways to find the steps in their order among hits, to the last of which one leads: the one that began last.
fn chain(hits: &[Moment<usize>], among: &[usize], steps: &[u8]) -> Option<Vec<usize>> {
    let (last, before) = among.split_last()?;
    let (step, others) = steps.split_last()?;
    if hits[*last].step != *step {
        return None;
    }
    if others.is_empty() {
        return Some(vec![*last]);
    }
    // The later a way ends before it, the later it began: ways that begin last are found from the end.
    let mut ways: Vec<Vec<usize>> = (1..=before.len()).filter_map(|end| chain(hits, &before[..end], others)).collect();
    ways.sort_by_key(|way| (hits[way[0]].time, way.clone()));
    let mut way = ways.pop()?;
    way.push(*last);
    Some(way)
}

fn window(shape: Shape, within: i64, cooldown: i64, steps: usize) -> Window {
    let steps = (0..steps).map(|step| format!("step{step}")).collect();
    Window { by: Vec::new(), within, cooldown, shape, named: Named { steps, keys: Vec::new() } }
}

fn shape() -> impl Strategy<Value = (Shape, usize)> {
    let key = Key { text: "of".to_owned(), path: vec!["of".to_owned()] };
    prop_oneof![
        (1_usize..6).prop_map(|least| (Shape::Threshold(least), 0)),
        (1_usize..4).prop_map(move |count| (Shape::Distinct { of: key.clone(), count }, 0)),
        proptest::collection::vec(0_u8..3, 2..4).prop_map(|steps| (Shape::Sequence(steps), 3)),
        Just((Shape::All, 2)),
        Just((Shape::All, 3)),
        Just((Shape::Absence, 2)),
        Just((Shape::FirstSeen, 0)),
    ]
}

fn moments(parts: &[(i128, u8, u128)], steps: usize) -> Vec<Moment<usize>> {
    let mut parts = parts.to_vec();
    parts.sort_by_key(|(time, ..)| *time);
    let of = |(hit, (time, step, of)): (usize, &(i128, u8, u128))| Moment {
        time: time * SECOND,
        step: if steps == 0 { 0 } else { step % steps as u8 },
        of: *of,
        before: None,
        hit,
    };
    parts.iter().enumerate().map(of).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Whatever the window and the hits: the correlator says what one says that looks at all hits again.
    #[test]
    fn it_says_what_a_slow_one_says(
        (shape, steps) in shape(),
        parts in proptest::collection::vec((0_i128..40, 0_u8..3, 0_u128..4), 0..24),
        within in 1_i64..12,
        cooldown in 0_i64..12,
        every in 1_usize..4,
        from in -15_i128..30,
        until in 0_i128..60,
    ) {
        let window = window(shape, within, cooldown, steps);
        let hits = moments(&parts, steps);
        let ear = || Ear::new(every, from, until);
        let (mut quick, mut slow) = (correlate(&window, &hits, ear()), reference(&window, &hits, ear()));
        quick.not_judged.sort_by_key(|(hit, _)| *hit);
        slow.not_judged.sort_by_key(|(hit, _)| *hit);
        if matches!(window.shape, Shape::Sequence(_)) {
            // Which of two hits of one time stand for a step makes no difference.
            for found in quick.found.iter_mut().chain(&mut slow.found) {
                found.hits.clear();
            }
        }
        prop_assert_eq!(quick, slow);
    }
}

fn found(window: &Window, parts: &[(i128, u8, u128)]) -> Vec<(usize, u64)> {
    let told = correlate(window, &moments(parts, window.named.steps.len()), Ear::new(1, i128::MIN / SECOND, 1_000));
    told.found.iter().map(|found| (found.opener, found.count)).collect()
}

#[test]
fn a_window_has_both_its_ends() {
    let three = window(Shape::Threshold(3), 10, 10, 0);
    assert_eq!(found(&three, &[(0, 0, 0), (5, 0, 0), (10, 0, 0)]), [(2, 3)]);
    assert_eq!(found(&three, &[(0, 0, 0), (5, 0, 0), (11, 0, 0)]), []);
}

#[test]
fn a_finding_goes_on_until_the_condition_has_not_held_for_the_cooldown() {
    let two = window(Shape::Threshold(2), 10, 30, 0);
    // Held last at 5: what comes until 35 belongs to it, and a hit at 36 is one of the next.
    assert_eq!(found(&two, &[(0, 0, 0), (5, 0, 0), (35, 0, 0), (50, 0, 0), (55, 0, 0)]), [(1, 3), (4, 2)]);
    assert_eq!(found(&two, &[(0, 0, 0), (5, 0, 0), (30, 0, 0), (35, 0, 0), (65, 0, 0)]), [(1, 5)]);
}

#[test]
fn what_follows_in_the_last_moment_follows() {
    let absent = window(Shape::Absence, 10, 10, 2);
    assert_eq!(found(&absent, &[(0, 0, 0), (10, 1, 0)]), []);
    assert_eq!(found(&absent, &[(0, 0, 0), (11, 1, 0)]), [(0, 1)]);
    // Of one time the order of the hits counts.
    assert_eq!(found(&absent, &[(0, 1, 0), (0, 0, 0)]), [(1, 1)]);
}

#[test]
fn of_many_hits_the_first_and_the_last_are_held() {
    let two = window(Shape::Threshold(2), 10, 10, 0);
    let parts: Vec<(i128, u8, u128)> = (0..5_000).map(|at| (at / 10, 0, 0)).collect();
    let told = correlate(&two, &moments(&parts, 0), Ear::new(1, 0, 0));
    let [only] = told.found.as_slice() else { panic!("{told:?}") };
    assert_eq!((only.count, only.hits.len(), only.hits[LISTED - 1]), (5_000, LISTED, 4_999));
    // Where it opens late, those that it opened with are the last of a window that has more.
    let late = correlate(&window(Shape::Threshold(4_000), 1_000, 10, 0), &moments(&parts, 0), Ear::new(1, 0, 0));
    let [only] = late.found.as_slice() else { panic!("{late:?}") };
    assert_eq!((only.opener, only.count, only.span), (3_999, 5_000, (0, 499 * SECOND)));
}
