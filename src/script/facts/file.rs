//! The functions of a file, and which of its variables hold what they were declared with.

use std::collections::{BTreeMap, BTreeSet};

use rhai::{ASTNode, Expr as Tree, Stmt};

use crate::script::check::{self, Function, Parsed};
use crate::script::functions;

/// The functions of one file.
#[derive(Default)]
pub(in crate::script) struct Functions {
    pub(super) by_name: BTreeMap<(String, usize), Function>,
    /// Those for values of one type alone: as methods they are called before what the host has of that name.
    pub(super) typed: BTreeSet<(String, usize)>,
    /// Variables that may hold something else than they were declared with: a name stands for all variables of that name
    /// in the file, for closures change what they capture by it.
    pub(super) unreliable: BTreeSet<String>,
}

impl Functions {
    /// The functions of a tree as it was written.
    pub(in crate::script) fn of(parsed: Parsed) -> Self {
        let mut functions = Self::default();
        parsed.tree.walk(&mut |path: &[ASTNode<'_>]| functions.note_change(path));
        for function in parsed.functions {
            let key = (function.name.clone(), function.params.len());
            if function.is_typed {
                functions.typed.insert(key);
            } else {
                functions.by_name.insert(key, function);
            }
        }
        functions
    }

    /// Notes what the last node of a path may change; true, so that a walk goes on.
    fn note_change(&mut self, path: &[ASTNode<'_>]) -> bool {
        let changed = match path.last() {
            Some(ASTNode::Stmt(Stmt::Assignment(assignment))) => root_variable(&assignment.1.lhs),
            // Rhai gives a function its first argument to change, if that is a variable.
            Some(ASTNode::Expr(Tree::FnCall(call, _)) | ASTNode::Stmt(Stmt::FnCall(call, _))) => {
                let changes = |(_, others): &(_, &[Tree])| check::is_native(&call.name) && changes(&call.name, others);
                call.args.split_first().filter(changes).and_then(|(first, _)| root_variable(first))
            }
            Some(ASTNode::Expr(chain @ (Tree::Dot(pair, ..) | Tree::Index(pair, ..)))) => {
                let mut is_changed = false;
                chain.walk(&mut Vec::new(), &mut |inner: &[ASTNode<'_>]| {
                    // A function of the script, or one that is called by another, may change its `this`.
                    is_changed |= matches!(inner.last(), Some(ASTNode::Expr(Tree::MethodCall(call, _))) if changes(&call.name, &call.args));
                    true
                });
                is_changed.then(|| root_variable(&pair.lhs)).flatten()
            }
            // What a loop is left with is not walked by Rhai.
            Some(ASTNode::Stmt(Stmt::BreakLoop(Some(value), ..))) => {
                value.walk(&mut Vec::new(), &mut |path: &[ASTNode<'_>]| self.note_change(path));
                None
            }
            _ => None,
        };
        self.unreliable.extend(changed);
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
