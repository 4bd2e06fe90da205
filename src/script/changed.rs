//! Which variables of a script may come to hold something else than they were declared with.

use std::collections::BTreeSet;

use rhai::{AST, ASTFlags, ASTNode, Expr as Tree, Stmt};

use super::{check, functions};

/// The variables of a tree, or of one of its functions, that may be changed. A name stands for all variables of that name, for
/// closures change what they capture by it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Changed {
    /// Those that are assigned to, or of which a part is.
    pub(super) assigned: BTreeSet<String>,
    /// Those that are given one more item, if they hold lists.
    grown: BTreeSet<String>,
    /// Those that something else than a statement of their function may change: a function in their place, an assignment
    /// within an expression, or one to a part of them.
    others: BTreeSet<String>,
    /// Those that closures see, and so what is assigned to them, wherever that is.
    captured: BTreeSet<String>,
    /// Those of loops.
    looped: BTreeSet<String>,
    /// Those that Rhai lets nobody assign to.
    constants: BTreeSet<String>,
    /// Some function is called in a way in which it sees the variables around the call.
    pub(super) sees_around: bool,
}

impl Changed {
    /// What a tree changes, where no function of a script takes the name of one of Rhai's or the host's.
    pub(super) fn of(tree: &AST) -> Self {
        let mut changed = Self::default();
        walk(tree, &mut |path: &[ASTNode<'_>]| changed.note(path));
        changed.settled()
    }

    /// What the statements of a tree change that stand in no function.
    pub(super) fn of_statements(tree: &AST) -> Self {
        let mut changed = Self::default();
        for statement in tree.statements() {
            statement.walk(&mut Vec::new(), &mut |path: &[ASTNode<'_>]| {
                walk_on(path, &mut |path| changed.note(path));
                true
            });
        }
        changed
    }

    /// What both change.
    #[must_use]
    pub(super) fn with(mut self, other: &Self) -> Self {
        let both = [
            (&mut self.assigned, &other.assigned),
            (&mut self.grown, &other.grown),
            (&mut self.others, &other.others),
            (&mut self.captured, &other.captured),
            (&mut self.looped, &other.looped),
            (&mut self.constants, &other.constants),
        ];
        for (mine, others) in both {
            mine.extend(others.iter().cloned());
        }
        self.sees_around |= other.sees_around;
        self
    }

    /// Of what closures change that which they capture, given what all functions change: the rest are variables of their own.
    #[must_use]
    pub(super) fn of_captured(mut self, whole: &Self) -> Self {
        for names in [&mut self.assigned, &mut self.grown, &mut self.others, &mut self.looped, &mut self.constants] {
            names.retain(|name| whole.captured.contains(name));
        }
        self.captured.clone_from(&whole.captured);
        self
    }

    /// The same when all is noted.
    #[must_use]
    pub(super) fn settled(mut self) -> Self {
        // What sees the variables around its call may assign to them. An item may be what Rhai lets nobody assign to; and in
        // the place of a loop's variable it puts a constant of that name. To a constant nothing can be added, either.
        let stated = self.assigned.union(&self.grown);
        let stated = stated.filter(|name| self.sees_around || self.looped.contains(*name));
        let fixed = self.constants.iter().filter(|name| self.looped.contains(*name) || self.grown.contains(*name));
        let others: Vec<String> = stated.chain(fixed).cloned().collect();
        self.others.extend(others);
        self
    }

    /// Whether a variable of that name may hold something else than what the statements of its function have it hold.
    pub(super) fn names(&self, variable: &str) -> bool {
        let is_stated = self.assigned.contains(variable) || self.grown.contains(variable);
        self.others.contains(variable) || is_stated && self.captured.contains(variable)
    }

    /// Notes what the last node of a path may change.
    pub(super) fn note(&mut self, path: &[ASTNode<'_>]) {
        match path.last() {
            Some(ASTNode::Stmt(Stmt::For(flow, _))) => {
                let names = std::iter::once(&flow.0).chain(&flow.1);
                self.looped.extend(names.map(|name| name.as_str().to_owned()));
            }
            Some(ASTNode::Stmt(Stmt::Var(var, flags, _))) if flags.intersects(ASTFlags::CONSTANT) => {
                self.constants.insert(var.0.as_str().to_owned());
            }
            _ => {}
        }
        if let Some(ASTNode::Expr(Tree::FnCall(call, _)) | ASTNode::Stmt(Stmt::FnCall(call, _))) = path.last() {
            self.sees_around |= call.capture_parent_scope;
        }
        match path.last() {
            Some(ASTNode::Stmt(Stmt::Assignment(assignment))) => {
                let Some(name) = root_variable(&assignment.1.lhs) else { return };
                let is_plain = matches!(assignment.1.lhs, Tree::Variable(..));
                if !is_plain || path.iter().any(|node| matches!(node, ASTNode::Expr(_))) {
                    self.others.insert(name.clone());
                }
                self.assigned.insert(name);
            }
            Some(ASTNode::Stmt(Stmt::Share(variables))) => {
                self.captured.extend(variables.iter().map(|(variable, _)| variable.as_str().to_owned()));
            }
            // What is called by way of a pointer is given what stands behind that to change.
            Some(ASTNode::Expr(Tree::FnCall(call, _)) | ASTNode::Stmt(Stmt::FnCall(call, _)))
                if call.name == "call" || call.name == "curry" && !is_capture(path) =>
            {
                self.others.extend(call.args.iter().filter_map(root_variable));
            }
            // Rhai gives a function its first argument to change, if that is a variable.
            Some(ASTNode::Expr(Tree::FnCall(call, _)) | ASTNode::Stmt(Stmt::FnCall(call, _))) => {
                let changes = |(_, others): &(_, &[Tree])| check::is_native(&call.name) && changes(&call.name, others);
                let first = call.args.split_first().filter(changes).map(|(first, _)| first);
                self.others.extend(first.and_then(root_variable));
            }
            Some(ASTNode::Expr(chain @ (Tree::Dot(pair, ..) | Tree::Index(pair, ..)))) => {
                if let Some(name) = grown_by(path) {
                    self.grown.insert(name.to_owned());
                    return;
                }
                let mut is_changed = false;
                chain.walk(&mut Vec::new(), &mut |inner: &[ASTNode<'_>]| {
                    // A function of the script, or one that is called by another, may change its `this`.
                    is_changed |= matches!(inner.last(), Some(ASTNode::Expr(Tree::MethodCall(call, _))) if changes(&call.name, &call.args));
                    true
                });
                self.others.extend(is_changed.then(|| root_variable(&pair.lhs)).flatten());
            }
            _ => {}
        }
    }
}

/// Visits every node of a tree. What a loop is left with is not walked by Rhai.
pub(super) fn walk(tree: &AST, visit: &mut dyn FnMut(&[ASTNode<'_>])) {
    tree.walk(&mut |path: &[ASTNode<'_>]| {
        walk_on(path, visit);
        true
    });
}

/// Visits the last node of a path, and what a loop is left with there.
pub(super) fn walk_on(path: &[ASTNode<'_>], visit: &mut dyn FnMut(&[ASTNode<'_>])) {
    visit(path);
    if let Some(ASTNode::Stmt(Stmt::BreakLoop(Some(value), ..))) = path.last() {
        value.walk(&mut Vec::new(), &mut |path: &[ASTNode<'_>]| {
            walk_on(path, visit);
            true
        });
    }
}

/// Whether a call of `curry`, the last node of a path, is what Rhai makes of a closure that captures variables.
pub(super) fn is_capture(path: &[ASTNode<'_>]) -> bool {
    let [.., ASTNode::Expr(Tree::Stmt(block)), ASTNode::Stmt(Stmt::Expr(_)), _] = path else { return false };
    matches!(block.statements(), [Stmt::Share(_), Stmt::Expr(_)])
}

/// Whether a function that is no script's own, called with these other arguments, may change its first one.
fn changes(name: &str, others: &[Tree]) -> bool {
    let is_text = |arg: &Tree| matches!(arg, Tree::StringConstant(..));
    match name {
        // At a place Rhai cuts a list in two, and letters it replaces where the text stands.
        "split" => !others.first().is_some_and(is_text),
        "replace" => !others.iter().all(is_text),
        _ => !functions::is_pure(name),
    }
}

/// The variable that a call gives one more item, if it does, and that item.
pub(super) fn grown(tree: &Tree) -> Option<(&str, &Tree)> {
    let Tree::Dot(pair, flags, _) = tree else { return None };
    match (&pair.lhs, &pair.rhs) {
        (Tree::Variable(variable, ..), Tree::MethodCall(call, _))
            if call.name == "push" && variable.2.is_empty() && !flags.intersects(ASTFlags::NEGATED) =>
        {
            let [item] = call.args.as_slice() else { return None };
            Some((variable.1.as_str(), item))
        }
        _ => None,
    }
}

/// The variable that the last node of a path gives one more item, if that is a statement by itself and stands in no
/// expression.
pub(super) fn grown_by<'t>(path: &[ASTNode<'t>]) -> Option<&'t str> {
    let [outer @ .., ASTNode::Stmt(Stmt::Expr(_)), ASTNode::Expr(chain)] = path else { return None };
    let is_within = outer.iter().any(|node| matches!(node, ASTNode::Expr(_)));
    grown(chain).filter(|_| !is_within).map(|(name, _)| name)
}

/// The variable that a chain of steps begins with.
pub(super) fn root_variable(tree: &Tree) -> Option<String> {
    match tree {
        Tree::Variable(variable, ..) => Some(variable.1.to_string()),
        Tree::Dot(pair, ..) | Tree::Index(pair, ..) => root_variable(&pair.lhs),
        _ => None,
    }
}
