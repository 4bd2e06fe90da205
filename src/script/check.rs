//! Says what is wrong with a script without running it, and what it reads.
//!
//! Rhai finds an unknown function when it is reached, and stops at the first unknown variable; here all of them are
//! found, in one pass over the syntax tree as it was written (before the optimiser).

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use rhai::{AST, ASTFlags, ASTNode, Expr, FnCallExpr, ParseErrorType, Position, Stmt};
use serde_json::Value;

use super::functions::FAMILIES;
use super::{HOOKS, Limits, PRELUDE, Script, sandbox, value};
use crate::diagnostic::{Diagnostic, SourceText, did_you_mean};
use crate::record::CLOUDTRAIL;

/// What a script is checked against.
pub struct Header<'a> {
    /// What `params` holds.
    pub params: Value,
    /// The kind of record that the hooks are given.
    pub judges: &'a str,
    /// Inventory kinds that it may look things up in.
    pub uses: Vec<String>,
    /// Inventory kinds without which it cannot judge.
    pub needs: Vec<String>,
}

/// A script and what there is to say about it.
pub struct Checked {
    /// The script; of use only if no diagnostic is an error.
    pub script: Script,
    /// In the order of the text.
    pub diagnostics: Vec<Diagnostic>,
}

/// Text fields of an event, where `in` and `for` would look for parts of the text. From "CloudTrail record contents" in
/// the AWS CloudTrail user guide.
const TEXT_FIELDS: &[&str] = &[
    "apiVersion",
    "awsRegion",
    "errorCode",
    "errorMessage",
    "eventCategory",
    "eventID",
    "eventName",
    "eventSource",
    "eventTime",
    "eventType",
    "eventVersion",
    "recipientAccountId",
    "requestID",
    "sharedEventID",
    "sourceIPAddress",
    "userAgent",
    "vpcEndpointId",
];

/// Functions whose answer is text.
const TEXT_FUNCTIONS: &[&str] = &[
    "to_lower",
    "to_upper",
    "trim",
    "replace",
    "sub_string",
    "to_string",
    "join",
    "text",
    "url_decode",
    "base64_decode",
    "error_code",
    "to_json",
    "format_time",
    "regex_find",
];

/// Functions that give a value of a record, so that a path into their answer may be absent.
const RECORD_FUNCTIONS: &[&str] = &[
    "request",
    "response",
    "actor",
    "lookup",
    "lookup_all",
    "lookup_anywhere",
    "all",
    "parse_json",
    "arn",
    "tag",
    "jsonpath",
    "statements",
];

/// List functions that ask a closure for yes or no.
const PREDICATES: &[&str] = &["some", "all", "filter", "find", "find_index", "retain", "drain", "extract"];

/// Functions that Rhai's parser or evaluator knows by itself, with their numbers of parameters.
const KEYWORDS: &[(&str, Range<usize>)] = &[
    ("print", 0..2),
    ("debug", 0..2),
    ("type_of", 1..2),
    ("call", 1..20),
    ("Fn", 1..2),
    ("curry", 1..20),
    ("is_shared", 1..2),
    ("is_def_var", 1..2),
    ("is_def_fn", 2..3),
];

/// Checks a policy's script. The front matter stands in comments, so `source` is the whole file.
pub fn check(
    source: &Arc<SourceText>,
    libraries: &Arc<[Arc<SourceText>]>,
    header: &Header<'_>,
    limits: &Limits,
) -> Checked {
    let mut script = Script {
        source: Arc::clone(source),
        libraries: Arc::clone(libraries),
        params: header.params.clone(),
        constants: BTreeMap::new(),
        hooks: BTreeSet::new(),
        properties: BTreeSet::new(),
        assigned: Arc::default(),
        needs: header.needs.clone().into(),
    };
    let mut known = Functions::native().clone();
    let mut diagnostics = Vec::new();
    let shared: Vec<(&str, Parsed)> = std::iter::once(("the prelude", PRELUDE))
        .chain(libraries.iter().map(|library| ("a library of the pack", library.text.as_str())))
        .filter_map(|(whose, text)| Some((whose, Parsed::of(text, limits).ok()?)))
        .collect();
    for (whose, parsed) in &shared {
        known.add(&parsed.tree, whose);
        parsed.properties(&mut script.properties);
    }
    let parsed = match Parsed::of(&source.text, limits) {
        Ok(parsed) => parsed,
        Err(problem) => {
            diagnostics.push(problem.diagnostic(source));
            return Checked { script, diagnostics };
        }
    };
    parsed.properties(&mut script.properties);
    let trees = shared.iter().map(|(_, parsed)| parsed).chain([&parsed]);
    script.assigned = Arc::new(trees.flat_map(|parsed| assigned(&parsed.tree)).collect());
    let mut walker = Walker::new(source, &parsed, &mut known, &mut diagnostics, Some(header));
    script.constants = walker.constants();
    walker.clashes();
    known.add(&parsed.tree, "this policy");
    let mut walker = Walker::new(source, &parsed, &mut known, &mut diagnostics, Some(header));
    let lookups = Lookups::of(shared.iter().map(|(_, parsed)| parsed));
    walker.lookups = Some(&lookups);
    walker.constants = script.constants.keys().cloned().collect();
    walker.hooks(&mut script.hooks);
    walker.functions();
    finish(&mut diagnostics);
    Checked { script, diagnostics }
}

/// Checks a library of a pack, which sees the prelude, the host functions and the other libraries.
pub fn check_library(source: &Arc<SourceText>, libraries: &[Arc<SourceText>], limits: &Limits) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    let parsed = match Parsed::of(&source.text, limits) {
        Ok(parsed) => parsed,
        Err(problem) => return vec![problem.diagnostic(source)],
    };
    let mut known = Functions::native().clone();
    let others = libraries.iter().filter(|library| !Arc::ptr_eq(library, source));
    for (whose, text) in std::iter::once(("the prelude", PRELUDE))
        .chain(others.map(|library| ("another library", library.text.as_str())))
    {
        if let Ok(parsed) = Parsed::of(text, limits) {
            known.add(&parsed.tree, whose);
        }
    }
    let mut walker = Walker::new(source, &parsed, &mut known, &mut diagnostics, None);
    walker.constants();
    walker.clashes();
    known.add(&parsed.tree, "this library");
    Walker::new(source, &parsed, &mut known, &mut diagnostics, None).functions();
    finish(&mut diagnostics);
    diagnostics
}

fn finish(diagnostics: &mut Vec<Diagnostic>) {
    diagnostics.sort_by(|a, b| (a.span.start, a.code, &a.message).cmp(&(b.span.start, b.code, &b.message)));
    diagnostics.dedup_by(|a, b| a.span == b.span && a.code == b.code);
}

/// Why a text does not parse.
pub(super) struct Problem {
    message: String,
    position: Position,
    help: Option<&'static str>,
}

impl Problem {
    fn diagnostic(self, source: &Arc<SourceText>) -> Diagnostic {
        let start = offset(&source.text, self.position);
        let diagnostic = Diagnostic::error("syntax", source, start..token_end(&source.text, start), self.message);
        match self.help {
            Some(help) => diagnostic.help(help),
            None => diagnostic,
        }
    }
}

/// A text as a syntax tree.
pub(super) struct Parsed {
    tree: AST,
}

impl Parsed {
    pub(super) fn of(text: &str, limits: &Limits) -> Result<Self, Problem> {
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
                ParseErrorType::MalformedCapture(_) => None,
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

    fn properties(&self, into: &mut BTreeSet<String>) {
        into.extend(properties(&self.tree));
    }

    /// The name of the one parameter of a function.
    pub(super) fn parameter(&self, name: &str) -> Option<String> {
        let function =
            self.tree.iter_functions().find(|function| function.name == name && function.params.len() == 1)?;
        function.params.first().map(|param| (*param).to_owned())
    }

    /// The statements of one function, in order.
    pub(super) fn with_body(&self, name: &str, arity: usize, mut ask: impl FnMut(&[&Stmt])) {
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

/// The functions that a script can call: by name, their numbers of parameters, and whose they are.
#[derive(Clone, Default)]
struct Functions(BTreeMap<String, (BTreeSet<usize>, &'static str)>);

/// What the functions of libraries look up: by name, the kinds that they and those they call name.
#[derive(Default)]
struct Lookups(BTreeMap<String, BTreeSet<String>>);

impl Lookups {
    fn of<'p>(shared: impl Iterator<Item = &'p Parsed>) -> Self {
        let mut kinds: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut calls: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for parsed in shared {
            for function in parsed.tree.iter_functions() {
                let (found, called) = (
                    kinds.entry(function.name.to_owned()).or_default(),
                    calls.entry(function.name.to_owned()).or_default(),
                );
                parsed.with_body(function.name, function.params.len(), |body| {
                    for statement in body {
                        statement.walk(&mut Vec::new(), &mut |path: &[ASTNode<'_>]| {
                            let call = match path.last() {
                                Some(
                                    ASTNode::Expr(Expr::FnCall(call, _) | Expr::MethodCall(call, _))
                                    | ASTNode::Stmt(Stmt::FnCall(call, _)),
                                ) => call,
                                Some(ASTNode::Expr(Expr::DynamicConstant(value, _))) => {
                                    called.extend(
                                        value.read_lock::<rhai::FnPtr>().map(|closure| closure.fn_name().to_owned()),
                                    );
                                    return true;
                                }
                                _ => return true,
                            };
                            called.insert(call.name.to_string());
                            if let (true, Some(Expr::StringConstant(kind, _))) =
                                (looks_up(&call.name, call.args.len()), call.args.first())
                            {
                                found.insert(kind.to_string());
                            }
                            true
                        });
                    }
                });
            }
        }
        // Follow the calls until nothing is added; functions may call each other in circles.
        loop {
            let mut grown = false;
            for (name, called) in &calls {
                let more: BTreeSet<String> =
                    called.iter().filter_map(|callee| kinds.get(callee)).flatten().cloned().collect();
                let own = kinds.entry(name.clone()).or_default();
                let before = own.len();
                own.extend(more);
                grown |= own.len() > before;
            }
            if !grown {
                return Self(kinds);
            }
        }
    }
}

/// True if a function looks up the kind that is its first argument.
fn looks_up(function: &str, arguments: usize) -> bool {
    matches!((function, arguments), ("lookup" | "lookup_all" | "lookup_anywhere", 3) | ("all" | "collected", 1))
}

impl Functions {
    /// Host functions, and those of Rhai that scripts get.
    fn native() -> &'static Self {
        static NATIVE: OnceLock<Functions> = OnceLock::new();
        NATIVE.get_or_init(|| {
            let mut known = Self::default();
            let limits = Limits::default();
            let engine = sandbox::engine(&limits, &sandbox::bare_env(&limits), []);
            for signature in engine.gen_fn_signatures(true) {
                let Some((name, rest)) = signature.split_once('(') else { continue };
                let name = name.trim_start_matches("fn ").trim();
                let identifier = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
                if !identifier || name.contains('$') || sandbox::REMOVED.contains(&name) {
                    continue;
                }
                known
                    .0
                    .entry(name.to_owned())
                    .or_insert_with(|| (BTreeSet::new(), "Rhai"))
                    .0
                    .insert(count_params(rest));
            }
            for row in FAMILIES.iter().flat_map(|family| family.rows) {
                let entry = known.0.entry(row.name.to_owned()).or_default();
                entry.0.insert(row.params.len());
                entry.1 = "Lawbook";
            }
            known
        })
    }

    fn add(&mut self, tree: &AST, whose: &str) {
        let whose = match whose {
            "the prelude" => "the prelude",
            "this policy" | "this library" => "this file",
            _ => "a library of the pack",
        };
        for function in tree.iter_functions().filter(|function| !function.name.starts_with("anon$")) {
            let entry = self.0.entry(function.name.to_owned()).or_default();
            entry.0.insert(function.params.len());
            entry.1 = whose;
        }
    }
}

fn count_params(rest: &str) -> usize {
    let mut depth = 0_i32;
    let mut commas = 0;
    let mut any = false;
    for letter in rest.chars() {
        match letter {
            ')' if depth == 0 => break,
            '(' | '<' | '[' => depth += 1,
            ')' | '>' | ']' => depth -= 1,
            ',' if depth == 0 => commas += 1,
            _ => {}
        }
        any |= !letter.is_whitespace();
    }
    if any { commas + 1 } else { 0 }
}

/// A variable in scope.
struct Variable {
    name: String,
    /// It is a value of the record, so a path from it may be absent.
    of_record: bool,
    /// It is the end of a path, so it may be absent itself.
    is_path: bool,
}

struct Walker<'a> {
    source: &'a Arc<SourceText>,
    parsed: &'a Parsed,
    known: &'a Functions,
    out: &'a mut Vec<Diagnostic>,
    header: Option<&'a Header<'a>>,
    lookups: Option<&'a Lookups>,
    constants: BTreeSet<String>,
    variables: Vec<Variable>,
    /// Functions of the file and closures whose answer must be yes or no.
    predicates: BTreeSet<String>,
    /// Closures that are given items of the record.
    over_record: BTreeSet<String>,
    /// Functions of the file that are given values of the record, and in which parameter.
    record_params: BTreeSet<(String, usize)>,
    /// The keys of all maps that the file makes: what they hold can be called like a method.
    keys: BTreeSet<String>,
    in_closure: bool,
}

impl<'a> Walker<'a> {
    fn new(
        source: &'a Arc<SourceText>,
        parsed: &'a Parsed,
        known: &'a mut Functions,
        out: &'a mut Vec<Diagnostic>,
        header: Option<&'a Header<'a>>,
    ) -> Self {
        Self {
            source,
            parsed,
            known,
            out,
            header,
            lookups: None,
            constants: BTreeSet::new(),
            variables: Vec::new(),
            predicates: BTreeSet::new(),
            over_record: BTreeSet::new(),
            record_params: BTreeSet::new(),
            keys: keys(&parsed.tree),
            in_closure: false,
        }
    }

    fn say(&mut self, code: &'static str, position: Position, message: String, help: Option<String>) {
        let start = offset(&self.source.text, position);
        let mut diagnostic = Diagnostic::error(code, self.source, start..token_end(&self.source.text, start), message);
        diagnostic.help = help;
        self.out.push(diagnostic);
    }

    /// Top-level constants of literals; any other statement outside of functions is a mistake.
    fn constants(&mut self) -> BTreeMap<String, Value> {
        let mut constants = BTreeMap::new();
        for statement in self.parsed.tree.statements() {
            match statement {
                Stmt::Noop(_) => {}
                Stmt::Var(var, flags, _) if flags.intersects(ASTFlags::CONSTANT) => match var.1.get_literal_value(None)
                {
                    Some(literal) => {
                        constants.insert(var.0.as_str().to_owned(), value::to_json(&literal));
                    }
                    None => self.say(
                        "top-level-statement",
                        var.1.position(),
                        format!("the constant `{}` is not a literal", var.0.as_str()),
                        Some("compute it in a function".to_owned()),
                    ),
                },
                other => self.say(
                    "top-level-statement",
                    other.position(),
                    "a statement outside of a function never runs".to_owned(),
                    Some("write it in a function, or make it a `const` of a literal".to_owned()),
                ),
            }
        }
        constants
    }

    /// Names that the file takes from others.
    fn clashes(&mut self) {
        let names: BTreeSet<(String, usize)> = self
            .parsed
            .tree
            .iter_functions()
            .map(|function| (function.name.to_owned(), function.params.len()))
            .collect();
        for (name, arity) in names {
            if HOOKS.contains(&name.as_str()) && self.header.is_some() {
                continue;
            }
            let Some((arities, whose)) = self.known.0.get(&name) else { continue };
            if *whose == "Rhai" && !arities.contains(&arity) {
                continue;
            }
            let message = format!("`{name}` is the name of a function of {whose}");
            let at = function_name(&self.source.text, &name);
            self.out.push(Diagnostic::error("name-clash", self.source, at, message).help("give it another name"));
        }
    }

    /// The hooks that the policy defines, with one parameter each.
    fn hooks(&mut self, into: &mut BTreeSet<&'static str>) {
        let called = self.called();
        let functions: Vec<(String, usize)> = self
            .parsed
            .tree
            .iter_functions()
            .map(|function| (function.name.to_owned(), function.params.len()))
            .collect();
        for (name, arity) in &functions {
            let at = || function_name(&self.source.text, name);
            match HOOKS.iter().find(|hook| *hook == name) {
                Some(hook) if *arity == 1 => {
                    into.insert(hook);
                }
                Some(hook) => {
                    let message = format!("`{hook}` takes 1 parameter, the record; this takes {arity}");
                    self.out
                        .push(Diagnostic::error("hook", self.source, at(), message).help(format!("fn {hook}(event)")));
                }
                None if !called.contains(name) && !name.starts_with("anon$") => {
                    if let Some(hook) = did_you_mean(name, HOOKS.iter().copied()).filter(|_| *arity == 1) {
                        let message = format!("`{name}` is never called, and is no hook");
                        self.out.push(
                            Diagnostic::error("hook", self.source, at(), message)
                                .help(format!("did you mean `{hook}`?")),
                        );
                    }
                }
                None => {}
            }
        }
        if !into.contains("matches") && !functions.iter().any(|(name, _)| name == "matches") {
            let end = self.source.text.len();
            self.out.push(
                Diagnostic::error(
                    "hook",
                    self.source,
                    end..end,
                    "the policy has no `matches`, so it would never find anything",
                )
                .help("fn matches(event) { … }"),
            );
        }
    }

    /// The names of all functions that are called.
    fn called(&self) -> BTreeSet<String> {
        let mut called = BTreeSet::new();
        self.parsed.tree.walk(&mut |path: &[ASTNode<'_>]| {
            match path.last() {
                Some(
                    ASTNode::Expr(Expr::FnCall(call, _) | Expr::MethodCall(call, _))
                    | ASTNode::Stmt(Stmt::FnCall(call, _)),
                ) => {
                    called.insert(call.name.to_string());
                }
                Some(ASTNode::Expr(Expr::StringConstant(text, _))) => {
                    called.insert(text.to_string());
                }
                _ => {}
            }
            true
        });
        called
    }

    /// Reads every function, again and again until it is known which are given values of the record and which must
    /// answer yes or no; only what the last reading says is said.
    fn functions(&mut self) {
        let said = self.out.len();
        loop {
            let known = (self.predicates.len(), self.over_record.len(), self.record_params.len());
            self.out.truncate(said);
            self.read_functions();
            if known == (self.predicates.len(), self.over_record.len(), self.record_params.len()) {
                return;
            }
        }
    }

    fn read_functions(&mut self) {
        let functions: Vec<(String, Vec<String>)> = self
            .parsed
            .tree
            .iter_functions()
            .map(|function| {
                (function.name.to_owned(), function.params.iter().map(|param| (*param).to_owned()).collect())
            })
            .collect();
        for (name, params) in functions {
            let is_hook = self.header.is_some() && HOOKS.contains(&name.as_str()) && params.len() == 1;
            self.in_closure = name.starts_with("anon$");
            let of_record = |at: usize| {
                // What a closure captures stands before its own parameter, which is the last.
                is_hook
                    || self.record_params.contains(&(name.clone(), at))
                    || (at + 1 == params.len() && self.over_record.contains(&name))
            };
            let variables = params
                .iter()
                .enumerate()
                .map(|(at, param)| Variable { name: param.clone(), of_record: of_record(at), is_path: false })
                .collect();
            self.variables = variables;
            let must_be_bool = (is_hook && name == "matches") || self.predicates.contains(&name);
            let parsed = self.parsed;
            parsed.with_body(&name, params.len(), |body| self.body(body, must_be_bool));
        }
    }

    fn body(&mut self, statements: &[&Stmt], must_be_bool: bool) {
        let depth = self.variables.len();
        for statement in statements {
            self.statement(statement);
        }
        if must_be_bool && let Some(last) = statements.last() {
            self.answer(last);
        }
        self.variables.truncate(depth);
        if must_be_bool {
            for statement in statements {
                self.returns(statement);
            }
        }
    }

    /// The value of a block must be yes or no.
    fn answer(&mut self, statement: &Stmt) {
        match statement {
            Stmt::Expr(expr) => self.condition(expr, "answer"),
            Stmt::If(flow, _) => {
                for block in [&flow.body, &flow.branch] {
                    if let Some(last) = block.statements().last() {
                        self.answer(last);
                    }
                }
            }
            Stmt::Block(block) => {
                if let Some(last) = block.statements().last() {
                    self.answer(last);
                }
            }
            Stmt::TryCatch(flow, _) => {
                for block in [&flow.body, &flow.branch] {
                    if let Some(last) = block.statements().last() {
                        self.answer(last);
                    }
                }
            }
            Stmt::Switch(switch, _) => {
                for case in &switch.1.expressions {
                    match &case.rhs {
                        Expr::Stmt(block) => {
                            if let Some(last) = block.statements().last() {
                                self.answer(last);
                            }
                        }
                        expr => self.condition(expr, "answer"),
                    }
                }
            }
            _ => {}
        }
    }

    /// Every `return` of a function must give yes or no.
    fn returns(&mut self, statement: &Stmt) {
        let mut found: Vec<Expr> = Vec::new();
        statement.walk(&mut Vec::new(), &mut |path: &[ASTNode<'_>]| {
            if let Some(ASTNode::Stmt(Stmt::Return(Some(expr), flags, _))) = path.last()
                && !flags.intersects(ASTFlags::BREAK)
            {
                found.push((**expr).clone());
            }
            true
        });
        for expr in found {
            self.condition(&expr, "answer");
        }
    }

    fn block(&mut self, statements: &[Stmt]) {
        let depth = self.variables.len();
        for statement in statements {
            self.statement(statement);
        }
        self.variables.truncate(depth);
    }

    fn declare(&mut self, name: &str, of_record: bool, is_path: bool) {
        self.variables.push(Variable { name: name.to_owned(), of_record, is_path });
    }

    fn statement(&mut self, statement: &Stmt) {
        match statement {
            Stmt::Noop(_) | Stmt::Share(_) => {}
            Stmt::If(flow, _) => {
                self.expr(&flow.expr);
                self.condition(&flow.expr, "condition");
                self.block(flow.body.statements());
                self.block(flow.branch.statements());
            }
            Stmt::While(flow, _) | Stmt::Do(flow, _, _) => {
                self.expr(&flow.expr);
                self.condition(&flow.expr, "condition");
                self.block(flow.body.statements());
            }
            Stmt::Switch(switch, _) => {
                self.expr(&switch.0);
                for case in &switch.1.expressions {
                    self.expr(&case.lhs);
                    self.condition(&case.lhs, "condition");
                    self.expr(&case.rhs);
                }
            }
            Stmt::For(the_loop, _) => {
                let (name, counter, flow) = &**the_loop;
                self.expr(&flow.expr);
                if self.is_text(&flow.expr) {
                    self.say(
                        "text-as-list",
                        flow.expr.start_position(),
                        "a loop over text goes over its letters".to_owned(),
                        Some("loop over a list: `list(x)`, `x.split(\",\")`".to_owned()),
                    );
                }
                let depth = self.variables.len();
                let of_record = self.is_of_record(&flow.expr);
                self.declare(name.as_str(), of_record, false);
                if let Some(counter) = counter {
                    self.declare(counter.as_str(), false, false);
                }
                self.block(flow.body.statements());
                self.variables.truncate(depth);
            }
            Stmt::Var(var, _, _) => {
                self.expr(&var.1);
                let of_record = self.is_of_record(&var.1);
                let is_path = self.is_bare_path(&var.1);
                self.declare(var.0.as_str(), of_record, is_path);
            }
            Stmt::Assignment(assignment) => {
                self.expr(&assignment.1.lhs);
                self.expr(&assignment.1.rhs);
                let root = chain(&assignment.1.lhs).root;
                if let Expr::Variable(variable, _, position) = root {
                    let name = variable.1.to_string();
                    let is_whole = matches!(assignment.1.lhs, Expr::Variable(..));
                    let hook_param = !self.in_closure
                        && self.variables.first().is_some_and(|first| first.name == name && first.of_record);
                    let a_path =
                        !is_whole && !self.in_closure && self.find(&name).is_some_and(|variable| variable.of_record);
                    let (of_record, is_path) =
                        (self.is_of_record(&assignment.1.rhs), self.is_bare_path(&assignment.1.rhs));
                    if is_whole
                        && let Some(variable) = self.variables.iter_mut().rev().find(|variable| variable.name == name)
                    {
                        variable.is_path |= is_path;
                        variable.of_record &= of_record || hook_param;
                    }
                    if hook_param || a_path {
                        self.say(
                            "record-changed",
                            *position,
                            format!("`{name}` is the record, which cannot be changed"),
                            Some("keep what you need in a `let`".to_owned()),
                        );
                    } else if name == "params" || self.constants.contains(&name) {
                        self.say("record-changed", *position, format!("`{name}` cannot be changed"), None);
                    }
                }
            }
            Stmt::FnCall(call, position) => self.call(call, *position, 0),
            Stmt::Block(block) => self.block(block.statements()),
            Stmt::TryCatch(flow, _) => {
                self.block(flow.body.statements());
                let depth = self.variables.len();
                if let Expr::Variable(variable, ..) = &flow.expr {
                    self.declare(&variable.1, false, false);
                }
                self.block(flow.branch.statements());
                self.variables.truncate(depth);
            }
            Stmt::Expr(expr) => self.expr(expr),
            Stmt::BreakLoop(expr, ..) | Stmt::Return(expr, ..) => {
                if let Some(expr) = expr {
                    self.expr(expr);
                }
            }
            _ => {}
        }
    }

    fn find(&self, name: &str) -> Option<&Variable> {
        self.variables.iter().rev().find(|variable| variable.name == name)
    }

    fn expr(&mut self, expr: &Expr) {
        match expr {
            Expr::Variable(variable, _, position) => self.variable(&variable.1, *position),
            Expr::InterpolatedString(parts, _) | Expr::Array(parts, _) => {
                for part in parts.iter() {
                    self.expr(part);
                }
            }
            Expr::Map(map, _) => {
                for (_, value) in &map.0 {
                    self.expr(value);
                }
            }
            Expr::And(parts, _) | Expr::Or(parts, _) => {
                for part in parts.iter() {
                    self.expr(part);
                    self.condition(part, "condition");
                }
            }
            Expr::Coalesce(parts, _) => {
                for part in parts.iter() {
                    self.expr(part);
                }
            }
            Expr::Stmt(block) => {
                let depth = self.variables.len();
                for statement in block.statements() {
                    self.statement(statement);
                }
                self.variables.truncate(depth);
            }
            Expr::FnCall(call, position) => self.call(call, *position, 0),
            Expr::MethodCall(call, position) => self.call(call, *position, 1),
            Expr::Dot(pair, ..) | Expr::Index(pair, ..) => {
                for closure in self.closures_over_record(expr) {
                    self.over_record.insert(closure);
                }
                if let (Expr::Variable(variable, ..), Expr::Property(property, position)) =
                    (&pair.lhs, first_step(&pair.rhs))
                {
                    self.param(&variable.1, &property.2, *position);
                }
                self.expr(&pair.lhs);
                self.expr(&pair.rhs);
            }
            _ => {}
        }
    }

    /// The closures given to list functions of a chain that goes over values of the record.
    fn closures_over_record(&self, expr: &Expr) -> Vec<String> {
        let chain = chain(expr);
        if !self.root_is_of_record(&chain) {
            return Vec::new();
        }
        let mut closures = Vec::new();
        let mut over = true;
        for call in &chain.calls {
            if over {
                closures.extend(call.args.iter().filter_map(closure_name));
            }
            // What a closure makes of the items is the script's own.
            over &=
                !matches!(call.name.as_str(), "map" | "reduce" | "reduce_rev" | "find_map" | "zip" | "keys" | "split");
        }
        closures
    }

    fn root_is_of_record(&self, chain: &Chain<'_>) -> bool {
        match chain.root {
            Expr::Variable(variable, ..) => self.find(&variable.1).is_some_and(|variable| variable.of_record),
            Expr::FnCall(call, _)
                if matches!(call.name.as_str(), "list" | "first" | "flatten" | "unique" | "overlap") =>
            {
                call.args.first().is_some_and(|arg| self.is_of_record(arg))
            }
            Expr::FnCall(call, _) => RECORD_FUNCTIONS.contains(&call.name.as_str()),
            _ => false,
        }
    }

    /// `params.x`: is there such a parameter?
    fn param(&mut self, root: &str, name: &str, position: Position) {
        if root != "params" || self.find("params").is_some() {
            return;
        }
        let Some(header) = self.header else { return };
        let names: Vec<&str> =
            header.params.as_object().into_iter().flat_map(|params| params.keys().map(String::as_str)).collect();
        if !names.contains(&name) {
            let help = did_you_mean(name, names.iter().copied()).map_or_else(
                || "declare it under `params:` in the front matter".to_owned(),
                |meant| format!("did you mean `{meant}`?"),
            );
            self.say("unknown-param", position, format!("no parameter `{name}`"), Some(help));
        }
    }

    fn variable(&mut self, name: &str, position: Position) {
        let known =
            self.find(name).is_some() || self.constants.contains(name) || (name == "params" && self.header.is_some());
        if !known {
            let names: Vec<&str> = self
                .variables
                .iter()
                .map(|variable| variable.name.as_str())
                .chain(self.constants.iter().map(String::as_str))
                .chain(["params"])
                .collect();
            let help = did_you_mean(name, names).map(|meant| format!("did you mean `{meant}`?"));
            self.say("unknown-variable", position, format!("no variable `{name}`"), help);
        }
    }

    fn call(&mut self, call: &FnCallExpr, position: Position, receiver: usize) {
        for arg in &call.args {
            self.expr(arg);
        }
        let name = call.name.as_str();
        let arity = call.args.len() + receiver;
        if call.op_token.is_some() && name != "contains" {
            if name == "!" {
                for arg in &call.args {
                    self.condition(arg, "condition");
                }
            }
            return;
        }
        if name.starts_with("anon$") {
            return;
        }
        let text = &self.source.text[offset(&self.source.text, position)..];
        let is_in = name == "contains"
            && receiver == 0
            && (text.starts_with("in") || text.starts_with("!in") || text.starts_with("not in"));
        if is_in {
            if call.args.first().is_some_and(|container| self.is_text(container)) {
                self.say(
                    "text-as-list",
                    position,
                    "`in` with text on its right looks for a part of the text".to_owned(),
                    Some("compare with `==`, look in a list, or say `text.contains(part)`".to_owned()),
                );
            }
            return;
        }
        for (at, arg) in call.args.iter().enumerate() {
            if self.is_of_record(arg) {
                self.record_params.insert((name.to_owned(), at + receiver));
            }
        }
        if let ("Fn", Some(Expr::StringConstant(function, at))) = (name, call.args.first())
            && !self.known.0.contains_key(function.as_str())
        {
            let help = did_you_mean(function, self.known.0.keys().map(String::as_str))
                .map(|meant| format!("did you mean `{meant}`?"));
            self.say("unknown-function", *at, format!("no function `{function}`"), help);
        }
        if PREDICATES.contains(&name) {
            for arg in &call.args {
                if let Some(closure) = closure_name(arg) {
                    self.predicates.insert(closure);
                }
            }
        }
        if receiver == 0 || !self.keys.contains(name) {
            self.function_is_known(name, arity, position);
        }
        if receiver == 0 {
            self.kind(name, call, position);
        }
    }

    fn function_is_known(&mut self, name: &str, arity: usize, position: Position) {
        if let Some((_, arities)) = KEYWORDS.iter().find(|(keyword, _)| *keyword == name) {
            if !arities.contains(&arity) {
                self.say("wrong-arity", position, format!("`{name}` does not take {arity} arguments"), None);
            }
            return;
        }
        match self.known.0.get(name) {
            Some((arities, _)) if arities.contains(&arity) => {}
            Some((arities, _)) => {
                let wanted = arities.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ");
                self.say(
                    "wrong-arity",
                    position,
                    format!(
                        "`{name}` takes {wanted} argument{} (what stands before the dot is one), here {arity}",
                        if wanted == "1" { "" } else { "s" }
                    ),
                    None,
                );
            }
            None => {
                let help = if sandbox::REMOVED.contains(&name) {
                    Some("policies cannot use it".to_owned())
                } else {
                    did_you_mean(name, self.known.0.keys().map(String::as_str))
                        .map(|meant| format!("did you mean `{meant}`?"))
                };
                self.say("unknown-function", position, format!("no function `{name}`"), help);
            }
        }
    }

    /// The kind that a look-up names must exist and be declared.
    fn kind(&mut self, function: &str, call: &FnCallExpr, position: Position) {
        if !looks_up(function, call.args.len()) {
            return self.kinds_of_library(function, position);
        }
        let Some(Expr::StringConstant(kind, at)) = call.args.first() else {
            if let Some(first) = call.args.first() {
                let at = if first.start_position().is_none() { position } else { first.start_position() };
                self.say(
                    "kind-not-literal",
                    at,
                    format!("the kind given to `{function}` must be a literal text, so that it can be checked"),
                    None,
                );
            }
            return;
        };
        let Some(header) = self.header else { return };
        if !crate::schema::is_kind(kind) {
            let help = did_you_mean(kind, crate::schema::kinds()).map(|meant| format!("did you mean `{meant}`?"));
            self.say("unknown-kind", *at, format!("no inventory kind `{kind}`"), help);
        } else if !header.uses.iter().chain(&header.needs).any(|declared| declared == kind.as_str()) {
            self.say(
                "undeclared-kind",
                *at,
                format!("`{kind}` is not declared"),
                Some(format!("add `{kind}` to `uses:` (the policy can judge without it) or to `needs:` (it cannot)")),
            );
        }
    }

    /// The kinds that a library's function looks up must be declared by the policy that calls it.
    fn kinds_of_library(&mut self, function: &str, position: Position) {
        let Some(header) = self.header else { return };
        let declared = |kind: &&String| header.uses.iter().chain(&header.needs).any(|declared| declared == *kind);
        let undeclared: Vec<String> = self
            .lookups
            .and_then(|lookups| lookups.0.get(function))
            .into_iter()
            .flatten()
            .filter(|kind| !declared(kind))
            .cloned()
            .collect();
        if undeclared.is_empty() {
            return;
        }
        let kinds = undeclared.iter().map(|kind| format!("`{kind}`")).collect::<Vec<_>>().join(", ");
        self.say(
            "undeclared-kind",
            position,
            format!("`{function}` looks up {kinds}, not declared here"),
            Some(
                "add what it looks up to `uses:` (the policy can judge without it) or to `needs:` (it cannot)"
                    .to_owned(),
            ),
        );
    }

    /// A bare path is not a condition: where the field is absent it is `()`, and where it is text it is an error.
    fn condition(&mut self, expr: &Expr, role: &str) {
        if let Expr::FnCall(call, _) = expr
            && self.parsed.tree.iter_functions().any(|function| function.name == call.name.as_str())
        {
            self.predicates.insert(call.name.to_string());
        }
        if !self.is_bare_path(expr) {
            return;
        }
        let message = format!(
            "a bare path as {} is neither true nor false where the field is absent",
            if role == "answer" { "an answer" } else { "a condition" }
        );
        let start = offset(&self.source.text, expr.start_position());
        let end = chain_end(&self.source.text, start);
        let path = &self.source.text[start..end];
        self.out.push(
            Diagnostic::error("bare-path", self.source, start..end, message).help(format!("try: `{path} == true`")),
        );
    }

    /// A chain that ends in a property or an index and begins at a value of the record.
    fn is_bare_path(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Variable(variable, ..) => return self.find(&variable.1).is_some_and(|variable| variable.is_path),
            Expr::Coalesce(parts, _) => return parts.last().is_some_and(|last| self.is_bare_path(last)),
            _ => {}
        }
        let chain = chain(expr);
        chain.steps > 0 && !chain.ends_in_call && !chain.is_made() && self.root_is_of_record(&chain)
    }

    /// True if a path from the value may be absent.
    fn is_of_record(&self, expr: &Expr) -> bool {
        let chain = chain(expr);
        !chain.is_made() && self.root_is_of_record(&chain)
    }

    fn is_text(&self, expr: &Expr) -> bool {
        match expr {
            Expr::StringConstant(..) | Expr::InterpolatedString(..) => true,
            Expr::FnCall(call, _) => TEXT_FUNCTIONS.contains(&call.name.as_str()),
            Expr::Dot(..) | Expr::Index(..) => {
                let chain = chain(expr);
                if let Some(method) = chain.last_call {
                    return TEXT_FUNCTIONS.contains(&method);
                }
                let Expr::Variable(variable, ..) = chain.root else { return false };
                let of_event = self.header.is_some_and(|header| header.judges == CLOUDTRAIL)
                    && self.variables.first().is_some_and(|first| first.of_record && first.name == variable.1.as_str());
                of_event && chain.steps == 1 && chain.only_property.is_some_and(|name| TEXT_FIELDS.contains(&name))
            }
            _ => false,
        }
    }
}

/// The name of the function behind a closure that is given as an argument.
fn closure_name(arg: &Expr) -> Option<String> {
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
    fn is_made(&self) -> bool {
        self.calls
            .iter()
            .any(|call| !matches!(call.name.as_str(), "filter" | "find" | "get" | "order" | "order_by" | "order_desc"))
    }
}

/// The keys of all maps that a tree makes.
fn keys(tree: &AST) -> BTreeSet<String> {
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
struct Chain<'e> {
    calls: Vec<&'e FnCallExpr>,
    root: &'e Expr,
    steps: usize,
    ends_in_call: bool,
    last_call: Option<&'e str>,
    only_property: Option<&'e str>,
}

fn chain(expr: &Expr) -> Chain<'_> {
    let (Expr::Dot(pair, ..) | Expr::Index(pair, ..)) = expr else {
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
    loop {
        chain.steps += 1;
        let (step, next) = match rest {
            Expr::Dot(pair, flags, _) | Expr::Index(pair, flags, _)
                if !(in_index && flags.intersects(ASTFlags::BREAK)) =>
            {
                (&pair.lhs, Some((&pair.rhs, matches!(rest, Expr::Index(..)))))
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
            Some((following, index)) => {
                rest = following;
                in_index = index;
            }
            None => return chain,
        }
    }
}

fn first_step(expr: &Expr) -> &Expr {
    match expr {
        Expr::Dot(pair, ..) | Expr::Index(pair, ..) => &pair.lhs,
        other => other,
    }
}

/// The byte offset of a position of Rhai's (1-based line and character).
fn offset(text: &str, position: Position) -> usize {
    let (Some(line), column) = (position.line(), position.position().unwrap_or(1)) else { return text.len() };
    let mut start = 0;
    for _ in 1..line {
        match text[start..].find('\n') {
            Some(at) => start += at + 1,
            None => return text.len(),
        }
    }
    text[start..].char_indices().nth(column.saturating_sub(1)).map_or(text.len(), |(at, _)| start + at)
}

/// The end of the token that begins at a byte offset: a word, a quoted text, or one character.
fn token_end(text: &str, start: usize) -> usize {
    let rest = &text[start..];
    let Some(first) = rest.chars().next() else { return start };
    if matches!(first, '"' | '`')
        && let Some(end) = rest[1..].find(first)
        && !rest[1..=end].contains('\n')
    {
        return start + end + 2;
    }
    let word = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
    start + if word > 0 { word } else { first.len_utf8() }
}

/// The end of the path that begins at a byte offset.
fn chain_end(text: &str, start: usize) -> usize {
    let mut depth = 0_i32;
    for (at, letter) in text[start..].char_indices() {
        match letter {
            '[' | '(' => depth += 1,
            ']' | ')' if depth > 0 => depth -= 1,
            _ if depth > 0 => {}
            '.' | '?' | '_' => {}
            other if other.is_alphanumeric() => {}
            _ => return start + at,
        }
    }
    text.len()
}

/// Where a function's name stands in its definition.
pub(super) fn function_name(text: &str, name: &str) -> Range<usize> {
    let mut from = 0;
    while let Some(at) = text[from..].find(name) {
        let start = from + at;
        let before = text[..start].trim_end();
        let after = text[start + name.len()..].trim_start();
        if before.ends_with("fn") && after.starts_with('(') {
            return start..start + name.len();
        }
        from = start + name.len();
    }
    0..0
}

/// The names of all properties that a tree reads.
pub(super) fn properties(tree: &AST) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    tree.walk(&mut |path: &[ASTNode<'_>]| {
        if let Some(ASTNode::Expr(Expr::Property(property, _))) = path.last() {
            names.insert(property.2.to_string());
        }
        true
    });
    names
}

/// The names of all variables that a tree assigns to.
pub(super) fn assigned(tree: &AST) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    tree.walk(&mut |path: &[ASTNode<'_>]| {
        if let Some(ASTNode::Stmt(Stmt::Assignment(assignment))) = path.last()
            && let Expr::Variable(variable, ..) = chain(&assignment.1.lhs).root
        {
            names.insert(variable.1.to_string());
        }
        true
    });
    names
}
