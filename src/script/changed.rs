//! Which variables of a script may come to hold something else than they were declared with.

use std::collections::BTreeSet;

use rhai::{AST, ASTNode, Expr as Tree, Stmt};

use super::{check, functions};

/// The variables of a tree that may be changed. A name stands for all variables of that name, for closures change what
/// they capture by it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Changed {
    /// Those that are assigned to, or of which a part is.
    pub(super) assigned: BTreeSet<String>,
    /// Those that a function may change in their place.
    pub(super) in_place: BTreeSet<String>,
}

impl Changed {
    /// What a tree changes.
    pub(super) fn of(tree: &AST) -> Self {
        let mut changed = Self::default();
        tree.walk(&mut |path: &[ASTNode<'_>]| changed.note(path));
        changed
    }

    /// Whether a variable of that name may hold something else than it was declared with.
    pub(super) fn names(&self, variable: &str) -> bool {
        self.assigned.contains(variable) || self.in_place.contains(variable)
    }

    pub(super) fn is_part_of(&self, other: &Self) -> bool {
        self.assigned.is_subset(&other.assigned) && self.in_place.is_subset(&other.in_place)
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.assigned.extend(other.assigned.iter().cloned());
        self.in_place.extend(other.in_place.iter().cloned());
    }

    /// Notes what the last node of a path may change; true, so that a walk goes on.
    fn note(&mut self, path: &[ASTNode<'_>]) -> bool {
        match path.last() {
            Some(ASTNode::Stmt(Stmt::Assignment(assignment))) => {
                self.assigned.extend(root_variable(&assignment.1.lhs));
            }
            // Rhai gives a function its first argument to change, if that is a variable.
            Some(ASTNode::Expr(Tree::FnCall(call, _)) | ASTNode::Stmt(Stmt::FnCall(call, _))) => {
                let changes = |(_, others): &(_, &[Tree])| check::is_native(&call.name) && changes(&call.name, others);
                let first = call.args.split_first().filter(changes).map(|(first, _)| first);
                self.in_place.extend(first.and_then(root_variable));
            }
            Some(ASTNode::Expr(chain @ (Tree::Dot(pair, ..) | Tree::Index(pair, ..)))) => {
                let mut is_changed = false;
                chain.walk(&mut Vec::new(), &mut |inner: &[ASTNode<'_>]| {
                    // A function of the script, or one that is called by another, may change its `this`.
                    is_changed |= matches!(inner.last(), Some(ASTNode::Expr(Tree::MethodCall(call, _))) if changes(&call.name, &call.args));
                    true
                });
                self.in_place.extend(is_changed.then(|| root_variable(&pair.lhs)).flatten());
            }
            // What a loop is left with is not walked by Rhai.
            Some(ASTNode::Stmt(Stmt::BreakLoop(Some(value), ..))) => {
                value.walk(&mut Vec::new(), &mut |path: &[ASTNode<'_>]| self.note(path));
            }
            _ => {}
        }
        true
    }
}

/// Whether a function that is called with these other arguments may change its first one. Functions of scripts are given
/// copies, but not as methods.
fn changes(name: &str, others: &[Tree]) -> bool {
    let is_text = |arg: &Tree| matches!(arg, Tree::StringConstant(..));
    match name {
        // At a place Rhai cuts a list in two, and letters it replaces where the text stands.
        "split" => !others.first().is_some_and(is_text),
        "replace" => !others.iter().all(is_text),
        _ => !functions::is_pure(name),
    }
}

/// The variable that a chain of steps begins with.
pub(super) fn root_variable(tree: &Tree) -> Option<String> {
    match tree {
        Tree::Variable(variable, ..) => Some(variable.1.to_string()),
        Tree::Dot(pair, ..) | Tree::Index(pair, ..) => root_variable(&pair.lhs),
        _ => None,
    }
}
