//! Names of parameters and variables that are those of constants.
//!
//! Rhai puts a constant in the place of a parameter of its name, and of a variable of its name that a closure captures:
//! the script would go on with the wrong value.

use std::collections::BTreeMap;

use rhai::{ASTNode, Expr, Stmt};

use super::chain::closure_name;
use super::place::function_name;
use super::walker::Walker;

impl Walker<'_> {
    /// Says which names of a policy's parameters and variables constants hide.
    pub(super) fn hidden_names(&mut self) {
        let is_constant = |name: &str| name == "params" || self.constants.contains(name);
        let captured = self.captured();
        let mut hidden = Vec::new();
        for function in &self.parsed.functions {
            let written = function.params.iter().skip(captured.get(&function.name).copied().unwrap_or_default());
            for param in written.filter(|param| is_constant(param)) {
                let text = &self.source.text;
                let at = if function.is_closure() {
                    let body = function.body.first().map_or(text.len(), |first| self.lines.offset(first.position()));
                    text[..body].rfind(param.as_str()).unwrap_or(body)
                } else {
                    let name = function_name(text, &function.name);
                    name.end + text[name.end..].find(param.as_str()).unwrap_or_default()
                };
                hidden.push((param.clone(), at));
            }
            for statement in &function.body {
                statement.walk(&mut Vec::new(), &mut |path: &[ASTNode<'_>]| {
                    let declared = match path.last() {
                        Some(ASTNode::Stmt(Stmt::Var(var, ..))) => vec![&var.0],
                        Some(ASTNode::Stmt(Stmt::For(flow, _))) => std::iter::once(&flow.0).chain(&flow.1).collect(),
                        _ => Vec::new(),
                    };
                    let declared = declared.into_iter().filter(|name| is_constant(name.as_str()));
                    hidden.extend(declared.map(|name| (name.as_str().to_owned(), self.lines.offset(name.pos))));
                    true
                });
            }
        }
        for (name, at) in hidden {
            let message = format!("`{name}` is a constant, which Rhai may read in the place of this one");
            self.say_at("name-clash", at, message, Some("give it another name".to_owned()));
        }
    }

    /// How many variables each closure captures: they stand before the parameters that are written.
    fn captured(&self) -> BTreeMap<String, usize> {
        let mut captured = BTreeMap::new();
        self.parsed.tree.walk(&mut |path: &[ASTNode<'_>]| {
            if let Some(ASTNode::Expr(Expr::FnCall(call, _))) = path.last()
                && call.name == "curry"
                && let Some(closure) = call.args.first().and_then(closure_name)
            {
                captured.insert(closure, call.args.len() - 1);
            }
            true
        });
        captured
    }
}
