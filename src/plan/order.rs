//! The order of steps: by account and region; there worst first, but for what has to come before.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::Step;

/// Puts steps into their order. A step comes after those of the policies that its own says must come first, in the same
/// account and region.
pub(super) fn order(mut steps: Vec<Step>) -> Vec<Step> {
    // Stable: what is alike stays in the order of the reports.
    steps.sort_by_key(|step| (step.account.clone(), step.region.clone(), Reverse(step.severity)));
    let mut of: Places<'_> = BTreeMap::new();
    for (at, step) in steps.iter().enumerate() {
        for policy in &step.policies {
            of.entry((&step.account, &step.region, policy)).or_default().push(at);
        }
    }
    let mut walk = Walk { steps: &steps, of: &of, done: BTreeSet::new(), order: Vec::new() };
    (0..steps.len()).for_each(|at| walk.visit(at));
    let order = walk.order;
    let mut steps: Vec<Option<Step>> = steps.into_iter().map(Some).collect();
    order.into_iter().filter_map(|at| steps.get_mut(at).and_then(Option::take)).collect()
}

/// Where the steps of a policy are, by account and region.
type Places<'a> = BTreeMap<(&'a Option<String>, &'a Option<String>, &'a str), Vec<usize>>;

struct Walk<'a> {
    steps: &'a [Step],
    of: &'a Places<'a>,
    done: BTreeSet<usize>,
    order: Vec<usize>,
}

impl Walk<'_> {
    fn visit(&mut self, at: usize) {
        if !self.done.insert(at) {
            return;
        }
        let Some(step) = self.steps.get(at) else { return };
        for first in step.remediation.after.iter() {
            for &before in self.of.get(&(&step.account, &step.region, first.as_str())).into_iter().flatten() {
                self.visit(before);
            }
        }
        self.order.push(at);
    }
}
