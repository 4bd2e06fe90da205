//! A text as a syntax tree, as it was written: before the optimiser.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use rhai::{AST, ASTFlags, ASTNode, Engine, Module, ParseErrorType, Position, ScriptFuncDef, Stmt};
use serde_json::Value;

use super::super::{Hooks, Limits, sandbox, value};
use super::place::{Lines, token_end};
use crate::diagnostic::{Diagnostic, SourceText};
use crate::script::changed::{Changed, walk};

/// Why a text does not parse.
pub(in crate::script) struct Problem {
    message: String,
    position: Position,
    help: Option<&'static str>,
}

impl Problem {
    pub(super) fn diagnostic(self, source: &Arc<SourceText>) -> Diagnostic {
        let start = Lines::of(&source.text).offset(self.position);
        let diagnostic = Diagnostic::error("syntax", source, start..token_end(&source.text, start), self.message);
        match self.help {
            Some(help) => diagnostic.help(help),
            None => diagnostic,
        }
    }
}

/// Makes syntax trees of texts, within limits. One does for any number of texts.
pub(in crate::script) struct Parser {
    engine: Engine,
    most_bytes: usize,
}

impl Parser {
    pub(in crate::script) fn new(limits: &Limits) -> Self {
        Self { engine: sandbox::parser(limits), most_bytes: limits.source }
    }

    pub(in crate::script) fn parse(&self, text: &str) -> Result<Parsed, Problem> {
        if text.len() > self.most_bytes {
            let message = format!("{} bytes of script, where {} are the limit", text.len(), self.most_bytes);
            return Err(Problem { message, position: Position::new(1, 1), help: Some("move shared code to `lib/`") });
        }
        let tree = self.engine.compile(sandbox::script(text)).map_err(|error| {
            let position = error.position();
            let help = match *error.err_type() {
                ParseErrorType::ExprTooDeep => {
                    Some("name a part of the expression with `let`, or move it to a function")
                }
                ParseErrorType::Reserved(ref symbol) if symbol == "import" || symbol == "export" => {
                    Some("what policies share is in `lib/*.rhai`, and visible without an import")
                }
                _ => remedy(text, Lines::of(text).offset(position).min(text.len())),
            };
            let mut message = error.err_type().to_string();
            if let Some(first) = message.get(..1) {
                message = format!("{}{}", first.to_lowercase(), &message[1..]);
            }
            Problem { message, position, help }
        })?;
        let functions = tree.iter_fn_def().map(Function::of).collect();
        let constants = tree.statements().iter().filter_map(constant).collect();
        Ok(Parsed { tree, functions, constants })
    }
}

/// What other languages say in another way, by where the text stops being understood.
fn remedy(text: &str, at: usize) -> Option<&'static str> {
    let (before, rest) = (text[..at].trim_end(), &text[at..]);
    let is_word = |word: &str| {
        let rest = before.strip_suffix(word);
        rest.is_some_and(|rest| !rest.ends_with(|letter: char| letter.is_alphanumeric() || letter == '_'))
    };
    if is_word("not") {
        return Some("`!`");
    }
    if before.strip_suffix('=').is_some_and(|before| !before.ends_with(['=', '!', '<', '>'])) {
        return Some("`==` compares, `=` assigns");
    }
    let end = rest.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(rest.len());
    Some(match &rest[..end] {
        "and" => "`&&`",
        "or" => "`||`",
        "not" => "`!`",
        "elif" | "elsif" => "`else if`",
        "null" | "nil" | "None" | "undefined" => "`()`",
        "match" => "the function that decides is called `matches`; to choose by a value there is `switch`",
        "" if rest.starts_with('\'') => "text stands in double quotes: `\"…\"`",
        _ => return None,
    })
}

/// A text as a syntax tree.
pub(in crate::script) struct Parsed {
    pub(in crate::script) tree: AST,
    pub(in crate::script) functions: Vec<Function>,
    /// Top-level constants of literals.
    pub(super) constants: BTreeMap<String, Value>,
}

/// A function of a text, or a closure in one (whose name begins with `anon$`).
pub(in crate::script) struct Function {
    pub(in crate::script) name: String,
    pub(in crate::script) params: Vec<String>,
    pub(in crate::script) body: Vec<Stmt>,
    /// It is for values of one type alone, and is called as their method.
    pub(in crate::script) is_typed: bool,
    /// Which variables may be changed in it: what it says itself, and with the other functions of its file what these do to it.
    pub(in crate::script) changed: Changed,
}

impl Function {
    pub(in crate::script) fn of(definition: &Rc<ScriptFuncDef>) -> Self {
        // A body cannot be reached but by walking a tree, here one of this function alone; what the walk lends does not
        // outlive it, so the statements are cloned.
        let mut alone = Module::new();
        alone.set_script_fn(Rc::clone(definition));
        let (mut body, mut changed) = (Vec::new(), Changed::default());
        walk(&AST::new([], alone), &mut |path: &[ASTNode<'_>]| {
            if let [ASTNode::Stmt(statement)] = path {
                body.push((*statement).clone());
            }
            changed.note(path);
        });
        let params = definition.params.iter().map(ToString::to_string).collect();
        Self { name: definition.name.to_string(), params, body, is_typed: definition.this_type.is_some(), changed }
    }

    pub(in crate::script) fn is_closure(&self) -> bool {
        self.name.starts_with("anon$")
    }
}

impl Parsed {
    /// The function of that name with one parameter.
    pub(in crate::script) fn hook(&self, name: &str) -> Option<&Function> {
        self.functions.iter().find(|function| function.name == name && function.params.len() == 1)
    }

    /// Those of the hooks that it defines.
    pub(super) fn hooks(&self, hooks: Hooks<'_>) -> BTreeSet<String> {
        hooks.names().filter(|hook| self.hook(hook).is_some()).map(str::to_owned).collect()
    }
}

/// Name and value of a constant of a literal, if the statement is one.
pub(in crate::script) fn constant(statement: &Stmt) -> Option<(String, Value)> {
    match statement {
        Stmt::Var(var, flags, _) if flags.intersects(ASTFlags::CONSTANT) => {
            let literal = var.1.get_literal_value(None)?;
            Some((var.0.as_str().to_owned(), value::to_json(&literal)))
        }
        _ => None,
    }
}
