//! What loops over a list come to, and what is assigned to variables.

use std::collections::BTreeSet;

use rhai::{ASTNode, BinaryExpr, Expr as Tree, FlowControl, Ident, OpAssignment, Stmt};

use super::calls::may_be_list;
use super::{Known, Lowering, Rest, Variables};
use crate::script::changed::grown_by;
use crate::script::predicate::{Expr, Literal, Operation, Within};

/// Items that a loop is written out over; over more of them it is gone through when it is asked.
const MOST_WRITTEN_OUT: usize = 64;

/// The other turns of a loop.
#[derive(Clone, Copy)]
pub(super) enum Turns<'r> {
    /// Over these items, which are known, the first of them at this place.
    Over(&'r [Known], i64, &'r For),
    /// Over items that are not known: the places of the variables that it changes, and the number of the item that
    /// counts its turns.
    Asked(&'r [usize], Option<usize>),
}

/// The variable, the one that counts, and the rest of a loop over a list.
type For = (Ident, Option<Ident>, FlowControl);

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
        let place = self.changeable(variable.1.as_str(), variables).filter(|_| variable.2.is_empty())?;
        let mut value = self.tree(&sides.rhs, variables);
        if let Some((.., operator)) = operation.get_op_assignment_info() {
            let held = self.copied(&variables[place].1);
            value = self.operator(operator, vec![held, value]);
        }
        let effect = self.effect(&value);
        variables[place].1 = value;
        Some(effect)
    }

    /// Notes that a list has one more item, and gives what has to be evaluated for its failure; `None` if it is not
    /// understood.
    pub(super) fn grow(&mut self, name: &str, item: &Tree, variables: &mut Variables) -> Option<Option<Expr>> {
        if self.has_method("push", 1) {
            return None;
        }
        let place = self.changeable(name, variables)?;
        let item = self.tree(item, variables);
        let list = match self.copied(&variables[place].1) {
            Known::List(mut items) => {
                items.push(item);
                self.made(items)
            }
            Known::Expr(list) if may_be_list(&list) => Known::Expr(Expr::Grown(Box::new([list, self.expr(item)]))),
            _ => return None,
        };
        let effect = self.effect(&list);
        variables[place].1 = list;
        Some(effect)
    }

    /// The place of a variable that holds what the statements of its function have it hold.
    fn changeable(&self, name: &str, variables: &Variables) -> Option<usize> {
        let is_reliable = self.changed.is_some_and(|changed| !changed.names(name));
        variables.iter().rposition(|(known, _)| known == name).filter(|_| is_reliable)
    }

    /// What a loop over a list comes to, with what follows it.
    pub(super) fn turns(&mut self, parts: &For, behind: &Rest<'_>, variables: &mut Variables) -> Known {
        let flow = &parts.2;
        let places = places(flow, variables);
        let list = match &flow.expr {
            Tree::FnCall(call, _) if call.op_token.is_some() && (call.name == ".." || call.name == "..=") => {
                let sides = self.exprs(call.args.iter(), variables);
                let Ok(sides) = <[Expr; 2]>::try_from(sides) else { return self.nothing_known() };
                Expr::Range(Box::new(sides), call.name == "..=")
            }
            list => match self.tree(list, variables) {
                // Written out, each item is what it is known to be; variables that change would multiply what is written.
                Known::List(items) if places.is_empty() && items.len() <= MOST_WRITTEN_OUT => {
                    let end = Rest { turns: Some(Turns::Over(&items, 0, parts)), ..*behind };
                    return self.go_on(&end, variables);
                }
                Known::List(items) => self.list(items),
                Known::Expr(list) if may_be_list(&list) => list,
                _ => return self.nothing_known(),
            },
        };
        let (name, counter, _) = parts;
        let mut asked = vec![list];
        let around = self.enter(&places, &mut asked, variables);
        let mut within = self.carried(variables);
        let counted = counter.as_ref().map(|counter| {
            asked.push(Expr::Literal(Literal::Int(0)));
            self.around += 1;
            self.declare(counter.as_str(), Known::Expr(Expr::Item(self.around - 1)), &mut within);
            self.around - 1
        });
        self.declare(name.as_str(), Known::Expr(Expr::Item(around)), &mut within);
        let before = self.left;
        let body = self.turn(flow, Turns::Asked(&places, counted), within, variables.len());
        let within = Within { around, work: before - self.left };
        let after = self.go_on(behind, variables);
        asked.extend([body, self.expr(after)]);
        self.around = around;
        Known::Expr(Expr::Loop(asked, within))
    }

    /// What a loop without a list comes to, with what follows it.
    pub(super) fn turns_while(&mut self, flow: &FlowControl, behind: &Rest<'_>, variables: &mut Variables) -> Known {
        let places = places(flow, variables);
        let mut asked = Vec::new();
        let around = self.enter(&places, &mut asked, variables);
        let before = self.left;
        let condition = match &flow.expr {
            // `loop`
            Tree::Unit(_) => Expr::Literal(Literal::Bool(true)),
            condition => {
                let known = self.tree(condition, variables);
                self.expr(known)
            }
        };
        let within = self.carried(variables);
        let body = self.turn(flow, Turns::Asked(&places, None), within, variables.len());
        let within = Within { around, work: before - self.left };
        let after = self.go_on(behind, variables);
        asked.extend([condition, body, self.expr(after)]);
        self.around = around;
        Known::Expr(Expr::While(asked, within))
    }

    /// Makes items of a loop's variables, behind its own; gives what they hold before it, and the number of its item.
    fn enter(&mut self, places: &[usize], held: &mut Vec<Expr>, variables: &mut Variables) -> usize {
        let around = self.around;
        for (number, place) in places.iter().enumerate() {
            let item = Known::Expr(Expr::Item(around + 1 + number));
            let before = std::mem::replace(&mut variables[*place].1, item);
            held.push(self.expr(before));
        }
        self.around += 1 + places.len();
        around
    }

    /// What a turn comes to, in a loop with so many variables around it.
    fn turn(&mut self, flow: &FlowControl, turns: Turns<'_>, mut within: Variables, variables: usize) -> Expr {
        let end = Rest { statements: &[], variables, next: None, turns: Some(turns) };
        let body = self.statements(flow.body.statements(), Some(&end), &mut within);
        self.expr(body)
    }

    /// What the end of a block comes to: the next turn of a loop, if it is that of one, else what follows.
    pub(super) fn go_on(&mut self, rest: &Rest<'_>, variables: &mut Variables) -> Known {
        variables.truncate(rest.variables);
        match rest.turns {
            None => self.statements(rest.statements, rest.next, variables),
            Some(Turns::Asked(places, counted)) => self.turn_ends(places, counted, false, variables),
            Some(Turns::Over(items, at, parts)) => match items.split_first() {
                Some((item, items)) => {
                    let (name, counter, flow) = parts;
                    let end = Rest { turns: Some(Turns::Over(items, at + 1, parts)), ..*rest };
                    if let Some(counter) = counter {
                        self.declare(counter.as_str(), Known::Expr(Expr::Literal(Literal::Int(at))), variables);
                    }
                    let item = self.copied(item);
                    self.declare(name.as_str(), item, variables);
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
            Some(Turns::Asked(places, counted)) => {
                variables.truncate(end.variables);
                self.turn_ends(places, counted, is_last, variables)
            }
            _ if is_last => self.go_on(&Rest { turns: None, ..*end }, variables),
            _ => self.go_on(end, variables),
        }
    }

    fn turn_ends(&mut self, places: &[usize], counted: Option<usize>, is_last: bool, variables: &Variables) -> Known {
        let mut held = Vec::new();
        for place in places {
            let known = self.copied(&variables[*place].1);
            held.push(self.expr(known));
        }
        let next = |item| Expr::Reckon(Operation::Plus, Box::new([Expr::Item(item), Expr::Literal(Literal::Int(1))]));
        held.extend(counted.map(next));
        Known::Expr(Expr::Next(held, is_last))
    }
}

/// The places of the variables that a loop changes.
fn places(flow: &FlowControl, variables: &Variables) -> Vec<usize> {
    let changed = assigned(flow);
    let is_seen = |at: usize| variables[at + 1..].iter().all(|(other, _)| *other != variables[at].0);
    (0..variables.len()).filter(|at| changed.contains(&variables[*at].0) && is_seen(*at)).collect()
}

/// The names that a loop assigns to, or whose lists it has grow.
fn assigned(flow: &FlowControl) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for statement in flow.body.statements() {
        statement.walk(&mut Vec::new(), &mut |path: &[ASTNode<'_>]| {
            names.extend(grown_by(path).map(str::to_owned));
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
