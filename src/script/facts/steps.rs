//! What steps into values come to: members, items, and methods in a chain.

use rhai::{ASTFlags, Expr as Tree, Stmt};

use super::calls::{may_be_list, may_have_members};
use super::{Known, Lowering, Variables, may_hold_closure};
use crate::script::changed::root_variable;
use crate::script::functions;
use crate::script::predicate::{Expr, Literal, Native};
use crate::script::value;

impl Lowering<'_> {
    /// Steps into a value: `.a`, `["b"]`, `[0]`, `.c()`, as they stand in a chain.
    pub(super) fn steps(&mut self, mut base: Known, chain: &Tree, variables: &mut Variables) -> Known {
        let root = root_variable(chain).filter(|root| self.is_locked(root, variables));
        let mut link = chain;
        let mut is_elvis = false;
        while let Tree::Dot(pair, flags, _) | Tree::Index(pair, flags, _) = link {
            let in_index = matches!(link, Tree::Index(..));
            is_elvis |= flags.intersects(ASTFlags::NEGATED);
            // What stands in brackets is followed by more steps unless its chain is at its end.
            let at_end = in_index && flags.intersects(ASTFlags::BREAK);
            let step = match &pair.rhs {
                Tree::Dot(next, ..) | Tree::Index(next, ..) if !at_end => &next.lhs,
                other => other,
            };
            base = match step {
                // Behind `?.` Rhai does not ask nothing, and a closure may not use the list that it is asked over.
                Tree::MethodCall(call, _) if !in_index => {
                    let mut uses = |root: &String| call.args.iter().any(|arg| self.may_use(arg, root, variables));
                    if is_elvis || root.as_ref().is_some_and(&mut uses) {
                        self.nothing_known()
                    } else {
                        self.function(call, Some(base), variables)
                    }
                }
                Tree::Property(property, _) if !in_index => self.member(base, &property.2, false),
                index if in_index => match self.tree(index, variables) {
                    Known::Expr(Expr::Literal(Literal::Text(name))) => self.member(base, &name, true),
                    Known::Expr(at) => self.item(base, at),
                    _ => self.nothing_known(),
                },
                _ => self.nothing_known(),
            };
            if at_end {
                break;
            }
            link = &pair.rhs;
        }
        base
    }

    /// Whether a variable may be locked by Rhai while a method of it, or of a part of it, is called: all that do not hold
    /// a part of a record for certain, as long as nobody assigns to one of that name.
    fn is_locked(&self, name: &str, variables: &Variables) -> bool {
        let found = variables.iter().rev().find(|(known, _)| known == name).map(|(_, known)| known);
        let is_assigned = || self.surroundings.functions.iter().any(|file| file.changed.assigned.contains(name));
        found.is_some_and(|known| match known {
            Known::Expr(Expr::Path(at)) => !self.paths[*at].is_empty() || is_assigned(),
            Known::Closure(..) => false,
            _ => true,
        })
    }

    /// Whether what is given to a function may be a closure that captured a variable.
    fn may_use(&mut self, arg: &Tree, variable: &str, variables: &mut Variables) -> bool {
        let captured: &[Tree] = match arg {
            Tree::Stmt(block) => match block.statements() {
                [Stmt::Share(_), Stmt::Expr(closure)] => match &**closure {
                    Tree::FnCall(call, _) if call.name == "curry" => &call.args[1..],
                    _ => return true,
                },
                _ => return true,
            },
            other => {
                let known = self.tree(other, variables);
                return may_hold_closure(&known);
            }
        };
        captured.iter().any(|one| match one {
            Tree::Variable(named, ..) if named.1 == variable => true,
            other => {
                let known = self.tree(other, variables);
                may_hold_closure(&known)
            }
        })
    }

    fn member(&mut self, base: Known, name: &str, in_brackets: bool) -> Known {
        match base {
            Known::Map(members) => {
                let found = members.into_iter().find(|(known, _)| known == name).map(|(_, value)| value);
                found.unwrap_or(Known::Expr(Expr::Literal(Literal::Unit)))
            }
            Known::Actor => self.of_actor(name),
            Known::Arn(text) => Known::Expr(match functions::arn_member(name) {
                Some(function) => Expr::Call(Native::of(function), vec![text]),
                None => Expr::Literal(Literal::Unit),
            }),
            Known::Made(shape) => self.member(Known::Expr(shape.expr()), name, in_brackets),
            Known::Expr(expr) if self.is_record(&expr) => Known::Expr(self.path(vec![name.to_owned()])),
            Known::Expr(expr) if may_have_members(&expr) && (in_brackets || !value::is_own_property(name)) => {
                let value = self.step(&expr, name);
                // In brackets, a step into text or a number fails.
                let may_fail = in_brackets || matches!(expr, Expr::Bracket(_));
                Known::Expr(if may_fail { Expr::Bracket(Box::new([expr, value])) } else { value })
            }
            _ => self.nothing_known(),
        }
    }

    /// A member, where there is something to step into.
    fn step(&mut self, base: &Expr, name: &str) -> Expr {
        match base {
            Expr::Path(at) => {
                let mut path = self.paths[*at].clone();
                path.push(name.to_owned());
                self.path(path)
            }
            Expr::Bracket(parts) => self.step(&parts[1], name),
            other => Expr::Member(Box::new(other.clone()), name.into()),
        }
    }

    fn item(&mut self, base: Known, at: Expr) -> Known {
        match (base, at) {
            (Known::List(items), Expr::Literal(Literal::Int(at))) => {
                let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
                let at = usize::try_from(if at < 0 { at + length } else { at }).ok();
                let item = at.and_then(|at| items.into_iter().nth(at));
                item.unwrap_or(Known::Expr(Expr::Literal(Literal::Unit)))
            }
            (Known::List(items), at) => Known::Expr(Expr::At(Box::new([self.list(items), at]))),
            (Known::Expr(base), at) if may_be_list(&base) => Known::Expr(Expr::At(Box::new([base, at]))),
            _ => self.nothing_known(),
        }
    }
}
