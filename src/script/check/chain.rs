//! Paths and method calls, `a.b[c].d()`, as their root and their steps.

use std::collections::BTreeSet;

use rhai::{AST, ASTFlags, ASTNode, Expr, FnCallExpr};

/// The name of the function behind a closure that is given as an argument.
pub(super) fn closure_name(arg: &Expr) -> Option<String> {
    let mut found = None;
    arg.walk(&mut Vec::new(), &mut |path: &[ASTNode<'_>]| {
        if let Some(ASTNode::Expr(Expr::DynamicConstant(value, _))) = path.last()
            && let Some(function) = value.read_lock::<rhai::FnPtr>()
        {
            found = Some(function.fn_name().to_owned());
        }
        true
    });
    found
}

impl Chain<'_> {
    /// True if a call on the way makes something of its own.
    pub(super) fn is_made(&self) -> bool {
        self.calls
            .iter()
            .any(|call| !matches!(call.name.as_str(), "filter" | "find" | "get" | "order" | "order_by" | "order_desc"))
    }
}

/// The keys of all maps that a tree makes.
pub(super) fn keys(tree: &AST) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    tree.walk(&mut |path: &[ASTNode<'_>]| {
        if let Some(ASTNode::Expr(Expr::Map(map, _))) = path.last() {
            keys.extend(map.0.iter().map(|(key, _)| key.as_str().to_owned()));
        }
        true
    });
    keys
}

/// `a.b[c].d()` as its root and what is known of its steps.
pub(super) struct Chain<'e> {
    pub(super) calls: Vec<&'e FnCallExpr>,
    pub(super) root: &'e Expr,
    pub(super) steps: usize,
    pub(super) ends_in_call: bool,
    pub(super) last_call: Option<&'e str>,
    pub(super) only_property: Option<&'e str>,
}

pub(super) fn chain(expr: &Expr) -> Chain<'_> {
    let (Expr::Dot(pair, flags, _) | Expr::Index(pair, flags, _)) = expr else {
        return Chain {
            calls: Vec::new(),
            root: expr,
            steps: 0,
            ends_in_call: false,
            last_call: None,
            only_property: None,
        };
    };
    let mut chain = chain(&pair.lhs);
    let mut rest = &pair.rhs;
    let mut in_index = matches!(expr, Expr::Index(..));
    // What stands in brackets is followed by more steps unless its chain is at its end.
    let mut at_end = flags.intersects(ASTFlags::BREAK);
    loop {
        chain.steps += 1;
        let (step, next) = match rest {
            Expr::Dot(pair, flags, _) | Expr::Index(pair, flags, _) if !(in_index && at_end) => {
                let is_index = matches!(rest, Expr::Index(..));
                (&pair.lhs, Some((&pair.rhs, is_index, flags.intersects(ASTFlags::BREAK))))
            }
            other => (other, None),
        };
        match step {
            Expr::MethodCall(call, _) if !in_index => {
                chain.calls.push(call);
                chain.ends_in_call = true;
                chain.last_call = Some(&call.name);
                chain.only_property = None;
            }
            Expr::Property(property, _) if !in_index => {
                chain.ends_in_call = false;
                chain.last_call = None;
                chain.only_property = Some(&property.2);
            }
            _ => {
                chain.ends_in_call = false;
                chain.last_call = None;
                chain.only_property = None;
            }
        }
        match next {
            Some(following) => (rest, in_index, at_end) = following,
            None => return chain,
        }
    }
}

pub(super) fn first_step(expr: &Expr) -> &Expr {
    match expr {
        Expr::Dot(pair, ..) | Expr::Index(pair, ..) => &pair.lhs,
        other => other,
    }
}
