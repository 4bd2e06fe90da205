//! Proves from the syntax tree what a script requires of a record for `matches` to be true, and what its other hooks answer.
//!
//! The tree is evaluated with the record unknown: variables stand for the expressions they were given, parameters and
//! constants for their values, calls of functions of the policy, its libraries and the prelude for what their bodies
//! give. What is not understood (maps that are changed, lists that are changed otherwise than by `push`, numbers that are
//! not whole, what a look-up finds, many host functions) is unknown, which [`predicate`](super::predicate) takes care of.

mod calls;
mod file;
mod steps;
mod turns;

use std::collections::BTreeMap;

use rhai::{ASTFlags, ASTNode, Dynamic, Expr as Tree, FnCallExpr, Stmt};
use serde_json::Value as Json;

pub(super) use self::file::Functions;
use self::turns::Turns;
use super::answer::{Answer, Shape};
use super::changed::{Changed, grown};
use super::check::{self, Function};
use super::functions;
use super::hooks::Given;
use super::predicate::{Expr, Halt, Literal, Native, Predicate};

/// Expressions that a predicate may be made of; what would need more is left to Rhai.
const LARGEST: usize = 5_000;

/// Parts of scripts that are looked at for a predicate, and expressions that are copied: variables stand for what they were
/// given, wherever they are asked for.
const MOST_WORK: usize = 4 * LARGEST;

/// Calls within calls that are followed: fewer than Rhai makes, which counts a closure as three.
const DEEPEST: usize = 14;

/// Whether something may be a closure.
fn may_be_closure(known: &Known) -> bool {
    match known {
        Known::Closure(..) => true,
        Known::Expr(expr) => expr.may_be_anything(),
        Known::List(_) | Known::Map(_) | Known::Actor | Known::Arn(_) | Known::Made(_) => false,
    }
}

/// Whether something may be, or hold, a closure that captured something.
fn may_hold_closure(known: &Known) -> bool {
    match known {
        Known::Closure(_, captured) => !captured.is_empty(),
        Known::List(items) => items.iter().any(may_hold_closure),
        Known::Map(members) => members.iter().any(|(_, member)| may_hold_closure(member)),
        Known::Made(_) => true,
        Known::Expr(expr) => expr.may_be_anything(),
        Known::Actor | Known::Arn(_) => false,
    }
}

/// What a script stands in.
pub(super) struct Surroundings<'a> {
    /// Of the script, before those of its libraries and of the prelude.
    pub(super) functions: &'a [&'a Functions],
    /// What `params` holds.
    pub(super) params: &'a Json,
    pub(super) constants: &'a BTreeMap<String, Json>,
    /// The kinds that it may look things up in: another one is a fault.
    pub(super) uses: &'a [String],
    /// Looking something up may end in *not evaluated*.
    pub(super) may_halt: bool,
    /// What `actor` answers tells of other records.
    pub(super) traces: bool,
}

/// What is proved of `matches`.
pub(super) fn of_matches(surroundings: &Surroundings<'_>) -> Predicate {
    let mut lowering = Lowering::new(surroundings, Given::Record);
    let test = lowering.hook("matches").map(|known| lowering.expr(known));
    let test = test.filter(|test| test.size() <= LARGEST).unwrap_or_else(|| lowering.unknown());
    Predicate { test, paths: lowering.paths }
}

/// What is proved of another hook, which is given a record or hits, if anything is.
pub(super) fn of_hook(hook: &str, given: Given, surroundings: &Surroundings<'_>) -> Option<Answer> {
    let mut lowering = Lowering::new(surroundings, given);
    let known = lowering.hook(hook)?;
    let shape = lowering.shape(known);
    (!shape.is_unknown() && shape.size() <= LARGEST).then_some(Answer { shape, paths: lowering.paths })
}

/// What is known of a value.
#[derive(Clone, Debug)]
enum Known {
    Expr(Expr),
    /// A list, by its items.
    List(Vec<Known>),
    /// A map, by its members.
    Map(Vec<(String, Known)>),
    /// What `actor` makes of the record.
    Actor,
    /// The parts of an ARN, or nothing where it is none.
    Arn(Expr),
    /// A closure: the function behind it, and what it captured.
    Closure(String, Vec<Known>),
    /// A list or a map of which a part may fail: an answer, and nothing to reckon with.
    Made(Shape),
}

impl Known {
    /// How many expressions it is made of.
    fn size(&self) -> usize {
        let within = |known: &[Self]| known.iter().map(Self::size).sum::<usize>();
        match self {
            Self::Expr(expr) | Self::Arn(expr) => expr.size(),
            Self::List(items) | Self::Closure(_, items) => 1 + within(items),
            Self::Map(members) => 1 + members.iter().map(|(_, known)| known.size()).sum::<usize>(),
            Self::Actor => 1,
            Self::Made(shape) => shape.size(),
        }
    }
}

struct Lowering<'a> {
    surroundings: &'a Surroundings<'a>,
    /// What stands at the root of paths.
    given: Given,
    /// What the function in hand changes.
    changed: Option<&'a Changed>,
    paths: Vec<Vec<String>>,
    /// Items of lists, and variables of loops, around the expression in hand.
    around: usize,
    /// Calls around it.
    depth: usize,
    /// Of [`MOST_WORK`].
    left: usize,
}

/// Variables, the innermost last.
type Variables = Vec<(String, Known)>;

/// What is evaluated behind the statements in hand, the nearest first.
#[derive(Clone, Copy)]
struct Rest<'r> {
    statements: &'r [Stmt],
    /// How many variables there are outside of the block that ended.
    variables: usize,
    next: Option<&'r Rest<'r>>,
    /// What comes before it: the other turns of a loop.
    turns: Option<Turns<'r>>,
}

impl<'r> Rest<'r> {
    /// What follows a block in a list of statements.
    fn behind(variables: &Variables, statements: &'r [Stmt], next: Option<&'r Self>) -> Self {
        Self { statements, variables: variables.len(), next, turns: None }
    }
}

impl<'a> Lowering<'a> {
    fn new(surroundings: &'a Surroundings<'a>, given: Given) -> Self {
        Self { surroundings, given, changed: None, paths: Vec::new(), around: 0, depth: 0, left: MOST_WORK }
    }

    /// What a hook answers.
    fn hook(&mut self, hook: &str) -> Option<Known> {
        let root = Known::Expr(self.path(Vec::new()));
        self.call(hook, vec![root])
    }

    /// Whether an expression is the record that is judged.
    fn is_record(&self, expr: &Expr) -> bool {
        self.given == Given::Record && matches!(expr, Expr::Path(at) if self.paths[*at].is_empty())
    }

    fn unknown(&self) -> Expr {
        Expr::Unknown(if self.surroundings.may_halt { Halt::Perhaps } else { Halt::Never })
    }

    fn nothing_known(&self) -> Known {
        Known::Expr(self.unknown())
    }

    /// Spends work; false if none is left, and what is in hand is to be unknown.
    fn spend(&mut self, work: usize) -> bool {
        self.left = self.left.saturating_sub(work);
        self.left > 0
    }

    /// A copy, as far as there is work left for it.
    fn copied(&mut self, known: &Known) -> Known {
        if self.spend(known.size()) { known.clone() } else { self.nothing_known() }
    }

    /// The variables, for a part of the script that may change them.
    fn carried(&mut self, variables: &Variables) -> Variables {
        // Most of them are asked for in no branch.
        self.spend(variables.iter().map(|(_, known)| known.size()).sum::<usize>() / 16);
        variables.clone()
    }

    /// The same as [`statements`](Self::statements), where others go on with the variables as they are.
    fn branch(&mut self, statements: &[Stmt], rest: Option<&Rest<'_>>, variables: &Variables) -> Known {
        let mut own = self.carried(variables);
        self.statements(statements, rest, &mut own)
    }

    fn path(&mut self, names: Vec<String>) -> Expr {
        let place = self.paths.iter().position(|path| *path == names).unwrap_or_else(|| {
            self.paths.push(names);
            self.paths.len() - 1
        });
        Expr::Path(place)
    }

    /// The expression for something known, if there is one.
    fn expr(&self, known: Known) -> Expr {
        match known {
            Known::Expr(expr) => expr,
            Known::List(items) => self.list(items),
            Known::Map(mut members) => {
                members.sort_by(|(one, _), (other, _)| one.cmp(other));
                let (names, parts): (Vec<Box<str>>, _) =
                    members.into_iter().map(|(name, member)| (name.into(), self.expr(member))).unzip();
                Expr::Map(names.into(), parts)
            }
            Known::Made(shape) => shape.expr(),
            Known::Actor | Known::Arn(_) | Known::Closure(..) => self.unknown(),
        }
    }

    /// A list of what may fail.
    fn made(&mut self, items: Vec<Known>) -> Known {
        if items.iter().all(|item| self.effect(item).is_none()) {
            return Known::List(items);
        }
        match items.iter().all(|item| matches!(item, Known::Expr(_))) {
            true => Known::Expr(self.list(items)),
            false => Known::Made(self.shape(Known::List(items))),
        }
    }

    /// A list that is made when it is asked for.
    fn list(&self, items: Vec<Known>) -> Expr {
        Expr::List(items.into_iter().map(|item| self.expr(item)).collect())
    }

    /// The answer that something known is.
    fn shape(&mut self, known: Known) -> Shape {
        match known {
            Known::Made(shape) => shape,
            Known::List(items) => Shape::List(items.into_iter().map(|item| self.shape(item)).collect()),
            Known::Map(members) => {
                let mut members: Vec<_> =
                    members.into_iter().map(|(name, member)| (name, self.shape(member))).collect();
                members.sort_by(|(one, _), (other, _)| one.cmp(other));
                Shape::Map(members)
            }
            Known::Actor => {
                let more: &[&str] = if self.surroundings.traces { &functions::TRACED } else { &[] };
                let members =
                    functions::ACTOR.iter().chain(more).map(|name| ((*name).to_owned(), self.of_actor(name))).collect();
                self.shape(Known::Map(members))
            }
            known => Shape::Value(self.expr(known)),
        }
    }

    /// A function of the policy, its libraries or the prelude.
    fn own(&self, name: &str, params: usize) -> Option<&'a Function> {
        let key = (name.to_owned(), params);
        self.surroundings.functions.iter().find_map(|file| file.by_name.get(&key))
    }

    /// The answer of such a function; `None` if there is none, or where calls are too deep to be followed.
    fn call(&mut self, name: &str, args: Vec<Known>) -> Option<Known> {
        let function = self.own(name, args.len())?;
        if self.depth >= DEEPEST {
            return None;
        }
        self.depth += 1;
        let outer = self.changed.replace(&function.changed);
        let mut variables = Variables::new();
        for (name, value) in function.params.iter().zip(args) {
            // Rhai puts what it knows everywhere in the place of parameters of that name, and of what closures capture.
            let is_known = name == "params" || self.surroundings.constants.contains_key(name);
            let value = if is_known { self.nothing_known() } else { value };
            self.declare(name, value, &mut variables);
        }
        let answer = self.statements(&function.body, None, &mut variables);
        self.changed = outer;
        self.depth -= 1;
        Some(answer)
    }

    fn declare(&self, name: &str, value: Known, variables: &mut Variables) {
        let is_reliable = self.changed.is_none_or(|changed| !changed.names(name));
        variables.push((name.to_owned(), if is_reliable { value } else { self.nothing_known() }));
    }

    /// What a list of statements, and what follows them, comes to.
    fn statements(&mut self, statements: &[Stmt], rest: Option<&Rest<'_>>, variables: &mut Variables) -> Known {
        if !self.spend(1) {
            return self.nothing_known();
        }
        let Some((statement, others)) = statements.split_first() else {
            return match rest {
                Some(rest) => self.go_on(rest, variables),
                None => Known::Expr(Expr::Literal(Literal::Unit)),
            };
        };
        let is_last = others.is_empty() && rest.is_none();
        // An expression that may leave the function may answer anything.
        let may_leave = match statement {
            Stmt::Return(value, ..) => value.as_ref().is_some_and(|value| expression_leaves(value)),
            Stmt::If(flow, _) => expression_leaves(&flow.expr),
            Stmt::Switch(switch, _) => expression_leaves(&switch.0),
            Stmt::For(parts, _) => expression_leaves(&parts.2.expr),
            Stmt::While(flow, _) => expression_leaves(&flow.expr),
            Stmt::BreakLoop(value, ..) => value.is_some(),
            Stmt::Block(_) => false,
            other => leaves(other),
        };
        if may_leave {
            return self.nothing_known();
        }
        match statement {
            Stmt::Noop(_) | Stmt::Share(_) if is_last => Known::Expr(Expr::Literal(Literal::Unit)),
            Stmt::Noop(_) | Stmt::Share(_) => self.statements(others, rest, variables),
            Stmt::Return(value, flags, _) => {
                if flags.intersects(ASTFlags::BREAK) {
                    return self.nothing_known();
                }
                value.as_ref().map_or(Known::Expr(Expr::Literal(Literal::Unit)), |value| self.tree(value, variables))
            }
            Stmt::Var(var, _, _) => {
                let value = self.tree(&var.1, variables);
                let effect = self.effect(&value);
                self.declare(var.0.as_str(), value, variables);
                let after = self.statements(others, rest, variables);
                self.after(effect, after)
            }
            Stmt::Expr(expr) => {
                if let Some((list, item)) = grown(expr) {
                    let Some(effect) = self.grow(list, item, variables) else { return self.nothing_known() };
                    let after = self.statements(others, rest, variables);
                    return self.after(effect, after);
                }
                let value = self.tree(expr, variables);
                self.goes_on(value, others, rest, is_last, variables)
            }
            Stmt::FnCall(call, _) => {
                let value = self.function(call, None, variables);
                self.goes_on(value, others, rest, is_last, variables)
            }
            Stmt::If(flow, _) => {
                let condition = self.tree(&flow.expr, variables);
                let condition = self.expr(condition);
                let (yes, no) = {
                    let behind = Rest::behind(variables, others, rest);
                    let behind = (!is_last).then_some(&behind);
                    let yes = self.branch(flow.body.statements(), behind, variables);
                    (yes, self.branch(flow.branch.statements(), behind, variables))
                };
                self.choose(condition, yes, no)
            }
            Stmt::Block(block) => {
                let behind = Rest::behind(variables, others, rest);
                self.statements(block.statements(), (!is_last).then_some(&behind), variables)
            }
            Stmt::Switch(switch, _) => {
                let behind = Rest::behind(variables, others, rest);
                self.switch(&switch.0, &switch.1, (!is_last).then_some(&behind), variables)
            }
            Stmt::Assignment(assignment) => {
                let Some(effect) = self.assign(&assignment.0, &assignment.1, variables) else {
                    return self.nothing_known();
                };
                let after = self.statements(others, rest, variables);
                self.after(effect, after)
            }
            Stmt::For(parts, _) => {
                let behind = Rest::behind(variables, others, rest);
                self.turns(parts, &behind, variables)
            }
            Stmt::While(flow, _) => {
                let behind = Rest::behind(variables, others, rest);
                self.turns_while(flow, &behind, variables)
            }
            Stmt::BreakLoop(_, flags, _) => self.leave_turn(rest, flags.intersects(ASTFlags::BREAK), variables),
            // `do`, `try` and the like: anything may come of them.
            _ => self.nothing_known(),
        }
    }

    /// The value of the last statement; of any other only that it may fail.
    fn goes_on(
        &mut self,
        value: Known,
        others: &[Stmt],
        rest: Option<&Rest<'_>>,
        is_last: bool,
        variables: &mut Variables,
    ) -> Known {
        if is_last {
            return value;
        }
        let effect = self.effect(&value);
        let after = self.statements(others, rest, variables);
        self.after(effect, after)
    }

    /// What has to be evaluated of a value that nobody may ask for: nothing, if it cannot fail.
    fn effect(&mut self, value: &Known) -> Option<Expr> {
        match value {
            Known::Expr(expr) if !expr.is_safe() => {
                Some(if self.spend(expr.size()) { expr.clone() } else { self.unknown() })
            }
            Known::Made(shape) => Some(if self.spend(shape.size()) { shape.clone().expr() } else { self.unknown() }),
            // Only what is safe is kept as a list or a map.
            _ => None,
        }
    }

    fn after(&mut self, effect: Option<Expr>, after: Known) -> Known {
        match (effect, after) {
            (None, after) => after,
            (Some(effect), Known::Expr(after)) if after.begins_with(&effect) => Known::Expr(after),
            (Some(effect), after) => match self.expr(after) {
                Expr::Unknown(_) => self.nothing_known(),
                after => Known::Expr(Expr::After(Box::new([effect, after]))),
            },
        }
    }

    fn choose(&mut self, condition: Expr, yes: Known, no: Known) -> Known {
        match condition {
            Expr::Literal(Literal::Bool(true)) => return yes,
            Expr::Literal(Literal::Bool(false)) => return no,
            _ => {}
        }
        let (yes, no) = (self.expr(yes), self.expr(no));
        Known::Expr(Expr::If(Box::new([condition, yes, no])))
    }

    fn switch(
        &mut self,
        value: &Tree,
        cases: &rhai::SwitchCasesCollection,
        rest: Option<&Rest<'_>>,
        variables: &mut Variables,
    ) -> Known {
        if !cases.ranges.is_empty() || cases.expressions.iter().any(|case| expression_leaves(&case.lhs)) {
            return self.nothing_known();
        }
        let value = self.tree(value, variables);
        // Without a case nobody asks for the value, and it may fail all the same.
        let effect = if cases.cases.is_empty() { self.effect(&value) } else { None };
        let value = self.expr(value);
        let otherwise = match cases.def_case {
            Some(at) => self.arm(&cases.expressions[at].rhs, rest, variables),
            None => self.branch(&[], rest, variables),
        };
        // Cases of one block together, in the order of the text.
        let mut blocks: BTreeMap<Vec<usize>, Vec<Literal>> = BTreeMap::new();
        #[expect(clippy::iter_over_hash_type, reason = "which of equal values comes first makes no difference")]
        for case in cases.cases.values() {
            let literal = literal(&case.value);
            if !is_plain(&literal) && literal != Literal::Unit {
                return self.nothing_known();
            }
            blocks.entry(case.blocks.to_vec()).or_default().push(literal);
        }
        let mut answer = otherwise.clone();
        for (block, values) in blocks {
            let mut taken = otherwise.clone();
            for at in block.iter().rev() {
                let mut own = self.carried(variables);
                let guard = self.tree(&cases.expressions[*at].lhs, &mut own);
                let guard = self.expr(guard);
                let value = self.arm(&cases.expressions[*at].rhs, rest, variables);
                taken = self.choose(guard, value, taken);
            }
            let is_one = any(values.into_iter().map(|literal| equal(value.clone(), Expr::Literal(literal))).collect());
            answer = self.choose(is_one, taken, answer);
        }
        self.after(effect, answer)
    }

    /// What a case of a switch comes to, with what follows the switch.
    fn arm(&mut self, tree: &Tree, rest: Option<&Rest<'_>>, variables: &Variables) -> Known {
        let mut variables = self.carried(variables);
        match tree {
            Tree::Stmt(block) => self.statements(block.statements(), rest, &mut variables),
            other if expression_leaves(other) => self.nothing_known(),
            other => {
                let value = self.tree(other, &mut variables);
                self.goes_on(value, &[], rest, rest.is_none(), &mut variables)
            }
        }
    }

    /// What an expression comes to.
    fn tree(&mut self, tree: &Tree, variables: &mut Variables) -> Known {
        if !self.spend(1) {
            return self.nothing_known();
        }
        match tree {
            Tree::BoolConstant(flag, _) => Known::Expr(Expr::Literal(Literal::Bool(*flag))),
            Tree::IntegerConstant(number, _) => Known::Expr(Expr::Literal(Literal::Int(*number))),
            Tree::StringConstant(text, _) => Known::Expr(Expr::Literal(Literal::Text(text.as_str().into()))),
            Tree::Unit(_) => Known::Expr(Expr::Literal(Literal::Unit)),
            Tree::DynamicConstant(value, _) => match value.read_lock::<rhai::FnPtr>() {
                Some(function) if !function.is_curried() => Known::Closure(function.fn_name().to_owned(), Vec::new()),
                Some(_) => self.nothing_known(),
                None => self.of_literal(&literal(value)),
            },
            Tree::Array(items, _) => {
                let items = items.iter().map(|item| self.tree(item, variables)).collect();
                self.made(items)
            }
            Tree::Map(map, _) => {
                let members: Vec<(String, Known)> =
                    map.0.iter().map(|(name, value)| (name.as_str().to_owned(), self.tree(value, variables))).collect();
                // A closure comes before a function of its name, and may change the map.
                if members.iter().any(|(name, value)| check::is_native(name) && may_be_closure(value)) {
                    return self.nothing_known();
                }
                let is_safe = members.iter().all(|(_, value)| self.effect(value).is_none());
                let map = Known::Map(members);
                if is_safe { map } else { Known::Made(self.shape(map)) }
            }
            Tree::InterpolatedString(parts, _) => Known::Expr(Expr::Join(self.exprs(parts.iter(), variables))),
            // A name of a module is no variable, whatever else is called so.
            Tree::Variable(variable, ..) if !variable.2.is_empty() => self.nothing_known(),
            Tree::Variable(variable, ..) => self.variable(&variable.1, variables),
            Tree::And(parts, _) => {
                let parts = self.exprs(parts.iter(), variables);
                Known::Expr(all(parts))
            }
            Tree::Or(parts, _) => {
                let parts = self.exprs(parts.iter(), variables);
                Known::Expr(any(parts))
            }
            Tree::Coalesce(parts, _) => self.coalesce(parts, variables),
            Tree::FnCall(call, _) => self.function(call, None, variables),
            Tree::Dot(pair, ..) | Tree::Index(pair, ..) => {
                let base = self.tree(&pair.lhs, variables);
                self.steps(base, tree, variables)
            }
            Tree::Stmt(block) => self.block(block.statements(), variables),
            _ => self.nothing_known(),
        }
    }

    fn exprs<'t>(&mut self, trees: impl Iterator<Item = &'t Tree>, variables: &mut Variables) -> Vec<Expr> {
        trees
            .map(|tree| {
                let known = self.tree(tree, variables);
                self.expr(known)
            })
            .collect()
    }

    fn coalesce(&mut self, parts: &[Tree], variables: &mut Variables) -> Known {
        let mut exprs = Vec::new();
        for part in parts {
            match self.tree(part, variables) {
                Known::Expr(Expr::Literal(Literal::Unit)) => {}
                Known::Expr(expr) => exprs.push(expr),
                // A list or a map is something.
                known @ (Known::List(_) | Known::Map(_) | Known::Actor | Known::Closure(..) | Known::Made(_))
                    if exprs.is_empty() =>
                {
                    return known;
                }
                known => exprs.push(self.expr(known)),
            }
        }
        match exprs.len() {
            // Rhai makes `false` of it.
            0 => self.nothing_known(),
            1 => Known::Expr(exprs.remove(0)),
            _ => Known::Expr(Expr::Coalesce(exprs)),
        }
    }

    fn variable(&mut self, name: &str, variables: &Variables) -> Known {
        if let Some((_, known)) = variables.iter().rev().find(|(known, _)| known == name) {
            return self.copied(known);
        }
        if name == "params" {
            return self.of_literal(&json(self.surroundings.params));
        }
        match self.surroundings.constants.get(name) {
            Some(value) => self.of_literal(&json(value)),
            None => self.nothing_known(),
        }
    }

    fn of_literal(&self, value: &Literal) -> Known {
        match value {
            Literal::List(items) => Known::List(items.iter().map(|item| self.of_literal(item)).collect()),
            Literal::Map(members) => {
                Known::Map(members.iter().map(|(name, value)| (name.to_string(), self.of_literal(value))).collect())
            }
            Literal::Other => self.nothing_known(),
            scalar => Known::Expr(Expr::Literal(scalar.clone())),
        }
    }

    /// The value of a block that stands where an expression does.
    fn block(&mut self, statements: &[Stmt], variables: &mut Variables) -> Known {
        if let [Stmt::Share(_), Stmt::Expr(closure)] = statements
            && let Tree::FnCall(call, _) = &**closure
            && call.name == "curry"
        {
            return self.closure(call, variables);
        }
        if statements.iter().any(leaves) {
            return self.nothing_known();
        }
        self.branch(statements, None, variables)
    }

    /// A closure with what it captures.
    fn closure(&mut self, call: &FnCallExpr, variables: &mut Variables) -> Known {
        let Some((Tree::DynamicConstant(value, _), captured)) = call.args.split_first() else {
            return self.nothing_known();
        };
        let Some(function) = value.read_lock::<rhai::FnPtr>().map(|function| function.fn_name().to_owned()) else {
            return self.nothing_known();
        };
        let captured = captured.iter().map(|variable| self.tree(variable, variables)).collect();
        Known::Closure(function, captured)
    }

    fn of_actor(&mut self, name: &str) -> Known {
        if self.surroundings.traces && functions::TRACED.contains(&name) {
            return self.nothing_known();
        }
        let Some((function, paths)) = functions::actor_member(name) else {
            return Known::Expr(Expr::Literal(Literal::Unit));
        };
        let args = paths.iter().map(|path| self.path(path.iter().map(|name| (*name).to_owned()).collect())).collect();
        Known::Expr(Expr::Call(Native::of(function), args))
    }
}

/// Whether a statement may leave the function.
fn leaves(statement: &Stmt) -> bool {
    let mut found = false;
    statement.walk(&mut Vec::new(), &mut |path: &[ASTNode<'_>]| note_leaving(path, &mut found));
    found
}

fn expression_leaves(tree: &Tree) -> bool {
    let mut found = false;
    tree.walk(&mut Vec::new(), &mut |path: &[ASTNode<'_>]| note_leaving(path, &mut found));
    found
}

fn note_leaving(path: &[ASTNode<'_>], found: &mut bool) -> bool {
    *found |= matches!(path.last(), Some(ASTNode::Stmt(Stmt::Return(..) | Stmt::BreakLoop(..))));
    !*found
}

/// A constant of the tree.
fn literal(value: &Dynamic) -> Literal {
    if value.is_unit() {
        return Literal::Unit;
    }
    if let Ok(flag) = value.as_bool() {
        return Literal::Bool(flag);
    }
    if let Ok(number) = value.as_int() {
        return Literal::Int(number);
    }
    if let Some(text) = value.read_lock::<rhai::ImmutableString>() {
        return Literal::Text(text.as_str().into());
    }
    if let Some(items) = value.read_lock::<rhai::Array>() {
        return Literal::List(items.iter().map(literal).collect());
    }
    if let Some(members) = value.read_lock::<rhai::Map>() {
        return Literal::Map(members.iter().map(|(name, value)| (name.as_str().into(), literal(value))).collect());
    }
    Literal::Other
}

/// A parameter or constant, as scripts see it.
fn json(value: &Json) -> Literal {
    match value {
        Json::Null => Literal::Unit,
        Json::Bool(flag) => Literal::Bool(*flag),
        Json::Number(number) => number.as_i64().map_or(Literal::Other, Literal::Int),
        Json::String(text) => Literal::Text(text.as_str().into()),
        Json::Array(items) => Literal::List(items.iter().map(json).collect()),
        Json::Object(members) => {
            Literal::Map(members.iter().map(|(name, value)| (name.as_str().into(), json(value))).collect())
        }
    }
}

/// A literal that compares as a value does.
fn is_plain(literal: &Literal) -> bool {
    matches!(literal, Literal::Bool(_) | Literal::Int(_) | Literal::Text(_))
}

fn not(inner: Expr) -> Expr {
    match inner {
        Expr::Literal(Literal::Bool(flag)) => Expr::Literal(Literal::Bool(!flag)),
        inner => Expr::Not(Box::new(inner)),
    }
}

fn equal(left: Expr, right: Expr) -> Expr {
    match (&left, &right) {
        (Expr::Literal(a), Expr::Literal(b)) if *a != Literal::Other && *b != Literal::Other => {
            Expr::Literal(Literal::Bool(a == b))
        }
        _ => Expr::Equal(Box::new([left, right])),
    }
}

/// All of the parts.
fn all(parts: Vec<Expr>) -> Expr {
    joined(parts, true, Expr::All)
}

/// Any of the parts.
fn any(parts: Vec<Expr>) -> Expr {
    joined(parts, false, Expr::Any)
}

/// Parts of which those that are `unit` for certain make no difference; what stands behind one that is the opposite is
/// never asked.
fn joined(parts: Vec<Expr>, unit: bool, join: fn(Vec<Expr>) -> Expr) -> Expr {
    let mut asked = Vec::new();
    for part in parts {
        let known = match part {
            Expr::Literal(Literal::Bool(known)) => Some(known),
            _ => None,
        };
        if known != Some(unit) {
            asked.push(part);
        }
        if known == Some(!unit) {
            break;
        }
    }
    match asked.len() {
        0 => Expr::Literal(Literal::Bool(unit)),
        1 if matches!(asked[0], Expr::Literal(Literal::Bool(_))) => asked.remove(0),
        _ => join(asked),
    }
}

#[cfg(test)]
mod tests;
