//! Names of parameters and variables that are those of constants.
//!
//! Rhai puts a constant in the place of a parameter of its name, of a variable that a loop or `catch` declares, and of any
//! that a closure captures: the script would go on with the wrong value. One that a function declares hides the variables
//! of loops and of `catch` behind it.

use std::collections::BTreeMap;
use std::ops::Range;

use rhai::{ASTFlags, ASTNode, Expr, Stmt};

use super::chain::closure_name;
use super::parsed::Function;
use super::place::token_end;
use super::walker::Walker;
use crate::script::changed::{is_capture, walk, walk_on};

impl Walker<'_> {
    /// Says which names of a policy's parameters and variables constants hide.
    pub(super) fn hidden_names(&mut self) {
        let is_constant = |name: &str| name == "params" || self.constants.contains(name);
        let captured = self.captured();
        let mut hidden = Vec::new();
        for function in &self.parsed.functions {
            let written = function.params.iter().skip(captured.get(&function.name).copied().unwrap_or_default());
            for param in written.filter(|param| is_constant(param)) {
                hidden.push((param.clone(), self.param_at(function, param)));
            }
            // Where the function declares constants, and what else it declares. Rhai walks through the arms of a `switch` in an
            // order that differs from run to run, so nothing is said before all is known.
            let mut local: BTreeMap<String, usize> = BTreeMap::new();
            let mut all = Vec::new();
            let mut note = |path: &[ASTNode<'_>]| {
                let (declared, sees_local) = match path.last() {
                    Some(ASTNode::Stmt(Stmt::Var(var, flags, _))) => {
                        if flags.intersects(ASTFlags::CONSTANT) {
                            let at = self.lines.offset(var.0.pos);
                            let first = local.entry(var.0.as_str().to_owned()).or_insert(at);
                            *first = at.min(*first);
                        }
                        (vec![(var.0.as_str(), var.0.pos)], false)
                    }
                    Some(ASTNode::Stmt(Stmt::For(flow, _))) => {
                        let names = std::iter::once(&flow.0).chain(&flow.1);
                        (names.map(|name| (name.as_str(), name.pos)).collect(), true)
                    }
                    Some(ASTNode::Stmt(Stmt::TryCatch(flow, _))) => match &flow.expr {
                        Expr::Variable(variable, _, position) => (vec![(variable.1.as_str(), *position)], true),
                        _ => return,
                    },
                    _ => return,
                };
                let place = |(name, position): (&str, _)| (name.to_owned(), self.lines.offset(position), sees_local);
                all.extend(declared.into_iter().map(place));
            };
            for statement in &function.body {
                statement.walk(&mut Vec::new(), &mut |path: &[ASTNode<'_>]| {
                    walk_on(path, &mut note);
                    true
                });
            }
            let is_hidden = |name: &str, at: usize, sees_local: bool| {
                is_constant(name) || sees_local && local.get(name).is_some_and(|constant| *constant < at)
            };
            all.retain(|(name, at, sees_local)| is_hidden(name, *at, *sees_local));
            hidden.extend(all.into_iter().map(|(name, at, _)| (name, at)));
        }
        for (name, at) in hidden {
            let message = format!("`{name}` is a constant, which Rhai may read in the place of this one");
            self.say_at("name-clash", at, message, Some("give it another name".to_owned()));
        }
    }

    /// How many variables each closure captures: they stand before the parameters that are written.
    fn captured(&self) -> BTreeMap<String, usize> {
        let mut captured = BTreeMap::new();
        walk(&self.parsed.tree, &mut |path: &[ASTNode<'_>]| {
            if let Some(ASTNode::Expr(Expr::FnCall(call, _))) = path.last()
                && call.name == "curry"
                && is_capture(path)
                && let Some(closure) = call.args.first().and_then(closure_name)
            {
                captured.insert(closure, call.args.len() - 1);
            }
        });
        captured
    }

    /// Where a parameter of a function is written.
    fn param_at(&self, function: &Function, param: &str) -> usize {
        let text = self.source.text.as_str();
        let has_it = |list: &Range<usize>| words(&text[list.clone()], param).next().is_some();
        let found = if function.is_closure() {
            // Rhai tells where the body's operator stands, which may be behind other closures.
            let body = function.body.first().map_or(text.len(), |first| self.lines.offset(first.position()));
            let bars: Vec<usize> = text[..body].match_indices('|').map(|(at, _)| at).collect();
            bars.windows(2).rev().map(|ends| ends[0]..ends[1]).find(|list| has_it(list) && is_list(&text[list.clone()]))
        } else {
            let lists = words(text, &function.name).filter_map(|at| {
                let open = at + function.name.len();
                let close = text[open..].find(')').map(|length| open + length)?;
                let is_declared =
                    text[..at].trim_end_matches(|letter: char| !letter.is_whitespace()).trim_end().ends_with("fn");
                (text[open..].starts_with('(') && is_declared).then_some(open..close)
            });
            lists.filter(has_it).find(|list| text[list.clone()].split(',').count() == function.params.len())
        };
        found.and_then(|list| words(&text[list.clone()], param).next().map(|at| list.start + at)).unwrap_or_default()
    }
}

/// Where a word stands in a text.
fn words<'t>(text: &'t str, word: &'t str) -> impl Iterator<Item = usize> + 't {
    let is_part = |letter: Option<char>| letter.is_some_and(|letter| letter.is_alphanumeric() || letter == '_');
    let found = text.match_indices(word).map(|(at, _)| at);
    found.filter(move |at| !is_part(text[..*at].chars().next_back()) && token_end(text, *at) == at + word.len())
}

/// Whether what stands between two bars may be a list of parameters.
fn is_list(text: &str) -> bool {
    text[1..].chars().all(|letter| letter.is_alphanumeric() || letter.is_whitespace() || "_,".contains(letter))
}
