//! What loops over a list come to, and what is assigned to variables.

use std::collections::BTreeSet;

use rhai::{ASTNode, BinaryExpr, Expr as Tree, FlowControl, Ident, OpAssignment, Stmt};

use super::calls::may_be_list;
use super::{Known, Lowering, Rest, Variables};
use crate::script::predicate::Expr;

/// Items that a loop is written out over; over more of them it is gone through when it is asked.
const MOST_WRITTEN_OUT: usize = 64;

/// The other turns of a loop.
#[derive(Clone, Copy)]
pub(super) enum Turns<'r> {
    /// Over these items, which are known.
    Over(&'r [Known], &'r Ident, &'r FlowControl),
    /// Over items that are not known, and the places of the variables that it changes.
    Asked(&'r [usize]),
}

impl Lowering<'_> {
    /// Notes what is assigned to a variable, and gives what has to be evaluated for its failure; `None` if it is not
    /// understood.
    pub(super) fn assign(
        &mut self,
        operation: &OpAssignment,
        sides: &BinaryExpr,
        variables: &mut Variables,
    ) -> Option<Option<Expr>> {
        let Tree::Variable(variable, ..) = &sides.lhs else { return None };
        let name = variable.1.as_str();
        let is_reliable = variable.2.is_empty() && self.file.is_some_and(|file| !file.changed.names(name));
        let place = variables.iter().rposition(|(known, _)| known == name).filter(|_| is_reliable)?;
        let mut value = self.tree(&sides.rhs, variables);
        if let Some((.., operator)) = operation.get_op_assignment_info() {
            value = self.operator(operator, vec![variables[place].1.clone(), value]);
        }
        let effect = self.effect(&value);
        variables[place].1 = value;
        Some(effect)
    }

    /// What a loop comes to, with what follows it.
    pub(super) fn turns(
        &mut self,
        (name, counter, flow): &(Ident, Option<Ident>, FlowControl),
        behind: &Rest<'_>,
        variables: &mut Variables,
    ) -> Known {
        if counter.is_some() {
            return self.nothing_known();
        }
        let list = self.tree(&flow.expr, variables);
        let effect = self.effect(&list);
        let changed = assigned(flow);
        let places: Vec<usize> = (0..variables.len())
            .filter(|at| {
                let (name, _) = &variables[*at];
                changed.contains(name) && variables[at + 1..].iter().all(|(other, _)| other != name)
            })
            .collect();
        let answer = match list {
            // Written out, each item is what it is known to be; variables that change would multiply what is written.
            Known::List(items) if places.is_empty() && items.len() <= MOST_WRITTEN_OUT => {
                let end = Rest { turns: Some(Turns::Over(&items, name, flow)), ..*behind };
                return self.go_on(&end, variables);
            }
            Known::List(items) => {
                let list = self.list(items);
                self.ask_turns(list, name, flow, &places, behind, variables)
            }
            Known::Expr(list) if may_be_list(&list) => self.ask_turns(list, name, flow, &places, behind, variables),
            _ => self.nothing_known(),
        };
        self.after(effect, answer)
    }

    /// A loop over what is known of a record alone.
    fn ask_turns(
        &mut self,
        list: Expr,
        name: &Ident,
        flow: &FlowControl,
        places: &[usize],
        behind: &Rest<'_>,
        variables: &mut Variables,
    ) -> Known {
        let around = self.closures;
        let mut parts = vec![list];
        for (number, place) in places.iter().enumerate() {
            parts.push(self.expr(variables[*place].1.clone()));
            variables[*place].1 = Known::Expr(Expr::Item(around + 1 + number));
        }
        self.closures += 1 + places.len();
        let end = Rest { statements: &[], variables: variables.len(), next: None, turns: Some(Turns::Asked(places)) };
        let mut within = variables.clone();
        self.declare(name.as_str(), Known::Expr(Expr::Item(around)), &mut within);
        let body = self.statements(flow.body.statements(), Some(&end), &mut within);
        let after = self.go_on(behind, variables);
        parts.extend([self.expr(body), self.expr(after)]);
        self.closures = around;
        Known::Expr(Expr::Loop(parts, around))
    }

    /// What the end of a block comes to: the next turn of a loop, if it is that of one, else what follows.
    pub(super) fn go_on(&mut self, rest: &Rest<'_>, variables: &mut Variables) -> Known {
        variables.truncate(rest.variables);
        match rest.turns {
            None => self.statements(rest.statements, rest.next, variables),
            Some(Turns::Asked(places)) => self.turn_ends(places, false, variables),
            Some(Turns::Over(items, name, flow)) => match items.split_first() {
                Some((item, items)) => {
                    let end = Rest { turns: Some(Turns::Over(items, name, flow)), ..*rest };
                    self.declare(name.as_str(), item.clone(), variables);
                    self.statements(flow.body.statements(), Some(&end), variables)
                }
                None => self.statements(rest.statements, rest.next, variables),
            },
        }
    }

    /// `continue` and `break`.
    pub(super) fn leave_turn(&mut self, rest: Option<&Rest<'_>>, is_last: bool, variables: &mut Variables) -> Known {
        let mut ends = std::iter::successors(rest, |rest| rest.next);
        let Some(end) = ends.find(|rest| rest.turns.is_some()) else { return self.nothing_known() };
        match end.turns {
            Some(Turns::Asked(places)) => {
                variables.truncate(end.variables);
                self.turn_ends(places, is_last, variables)
            }
            _ if is_last => self.go_on(&Rest { turns: None, ..*end }, variables),
            _ => self.go_on(end, variables),
        }
    }

    fn turn_ends(&mut self, places: &[usize], is_last: bool, variables: &Variables) -> Known {
        let held = places.iter().map(|place| self.expr(variables[*place].1.clone())).collect();
        Known::Expr(Expr::Next(held, is_last))
    }
}

/// The names that a loop assigns to.
fn assigned(flow: &FlowControl) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for statement in flow.body.statements() {
        statement.walk(&mut Vec::new(), &mut |path: &[ASTNode<'_>]| {
            if let Some(ASTNode::Stmt(Stmt::Assignment(assignment))) = path.last()
                && let Tree::Variable(variable, ..) = &assignment.1.lhs
            {
                names.insert(variable.1.as_str().to_owned());
            }
            true
        });
    }
    names
}
