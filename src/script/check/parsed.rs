//! A text as a syntax tree, as it was written: before the optimiser.

use std::sync::Arc;

use rhai::{AST, ASTNode, ParseErrorType, Position, Stmt};

use super::super::{Limits, sandbox};
use super::place::{offset, token_end};
use crate::diagnostic::{Diagnostic, SourceText};

/// Why a text does not parse.
pub(in crate::script) struct Problem {
    message: String,
    position: Position,
    help: Option<&'static str>,
}

impl Problem {
    pub(super) fn diagnostic(self, source: &Arc<SourceText>) -> Diagnostic {
        let start = offset(&source.text, self.position);
        let diagnostic = Diagnostic::error("syntax", source, start..token_end(&source.text, start), self.message);
        match self.help {
            Some(help) => diagnostic.help(help),
            None => diagnostic,
        }
    }
}

/// A text as a syntax tree.
pub(in crate::script) struct Parsed {
    pub(super) tree: AST,
}

impl Parsed {
    pub(in crate::script) fn of(text: &str, limits: &Limits) -> Result<Self, Problem> {
        if text.len() > limits.source {
            let message = format!("{} bytes of script, where {} are the limit", text.len(), limits.source);
            return Err(Problem { message, position: Position::new(1, 1), help: Some("move shared code to `lib/`") });
        }
        let tree = sandbox::parser(limits).compile(text).map_err(|error| {
            let position = error.position();
            let help = match *error.err_type() {
                ParseErrorType::ExprTooDeep => {
                    Some("name a part of the expression with `let`, or move it to a function")
                }
                ParseErrorType::Reserved(ref symbol) if symbol == "import" || symbol == "export" => {
                    Some("what policies share is in `lib/*.rhai`, and visible without an import")
                }
                _ => None,
            };
            let mut message = error.err_type().to_string();
            if let Some(first) = message.get(..1) {
                message = format!("{}{}", first.to_lowercase(), &message[1..]);
            }
            Problem { message, position, help }
        })?;
        Ok(Self { tree })
    }

    /// The name of the one parameter of a function.
    pub(in crate::script) fn parameter(&self, name: &str) -> Option<String> {
        let function =
            self.tree.iter_functions().find(|function| function.name == name && function.params.len() == 1)?;
        function.params.first().map(|param| (*param).to_owned())
    }

    /// The statements of one function, in order.
    pub(in crate::script) fn with_body(&self, name: &str, arity: usize, mut ask: impl FnMut(&[&Stmt])) {
        let mut one = self.tree.clone_functions_only();
        one.retain_functions(|_, _, function, params| function == name && params == arity);
        // The bodies cannot be reached but by walking; what the walk lends lives as long as the tree, which is longer
        // than the callback may show, so the statements are cloned.
        let mut statements: Vec<Stmt> = Vec::new();
        one.walk(&mut |path: &[ASTNode<'_>]| {
            if let [ASTNode::Stmt(statement)] = path {
                statements.push((*statement).clone());
            }
            true
        });
        ask(&statements.iter().collect::<Vec<_>>());
    }
}
