//! What a script can call, and what the functions of libraries look up.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::OnceLock;

use rhai::{ASTNode, Expr, Stmt};

use super::super::functions::{FAMILIES, LISTING};
use super::super::{Limits, sandbox};
use super::parsed::Parsed;
use crate::diagnostic::did_you_mean;

/// Functions that Rhai's parser or evaluator knows by itself, with their numbers of parameters.
pub(super) const KEYWORDS: &[(&str, Range<usize>)] = &[
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

/// Functions that a script can call, by name.
#[derive(Clone, Default)]
pub(super) struct Functions(BTreeMap<String, Named>);

/// The functions of one name.
#[derive(Clone, Default)]
pub(super) struct Named {
    /// The numbers of parameters of Rhai's and the host's: as methods they are given what stands before the dot as the first.
    pub(super) native: BTreeSet<usize>,
    /// Those of functions that scripts define: as methods they are given `this` besides.
    of_scripts: BTreeSet<usize>,
    /// Whose the last of them is.
    pub(super) whose: &'static str,
}

/// What a file can call: the functions of others, and its own.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) others: &'a Functions,
    pub(super) own: &'a Functions,
}

/// What the functions of libraries look up: by name, the kinds that they and those they call name.
#[derive(Default)]
pub(super) struct Lookups(pub(super) BTreeMap<String, BTreeSet<String>>);

impl Lookups {
    pub(super) fn of<'p>(shared: impl Iterator<Item = &'p Parsed>) -> Self {
        let mut kinds: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut calls: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for function in shared.flat_map(|parsed| &parsed.functions) {
            let (found, called) =
                (kinds.entry(function.name.clone()).or_default(), calls.entry(function.name.clone()).or_default());
            for statement in &function.body {
                statement.walk(&mut Vec::new(), &mut |path: &[ASTNode<'_>]| {
                    let call = match path.last() {
                        Some(
                            ASTNode::Expr(Expr::FnCall(call, _) | Expr::MethodCall(call, _))
                            | ASTNode::Stmt(Stmt::FnCall(call, _)),
                        ) => call,
                        Some(ASTNode::Expr(Expr::DynamicConstant(value, _))) => {
                            called.extend(value.read_lock::<rhai::FnPtr>().map(|closure| closure.fn_name().to_owned()));
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
pub(super) fn looks_up(function: &str, arguments: usize) -> bool {
    match arguments {
        1 => ["all", "collected"].contains(&function),
        3 => function == "lookup" || LISTING.contains(&function),
        _ => false,
    }
}

impl Functions {
    /// Whether there is a function of that name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Host functions, and those of Rhai that scripts get.
    pub(super) fn native() -> &'static Self {
        static NATIVE: OnceLock<Functions> = OnceLock::new();
        NATIVE.get_or_init(|| {
            let mut known = Self::default();
            let limits = Limits::default();
            let engine = sandbox::engine(&limits, &sandbox::bare_env(&limits));
            for signature in engine.gen_fn_signatures(true) {
                let Some((name, rest)) = signature.split_once('(') else { continue };
                let name = name.trim_start_matches("fn ").trim();
                let identifier = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
                if !identifier || name.contains('$') || sandbox::REMOVED.contains(&name) {
                    continue;
                }
                let named = known.0.entry(name.to_owned()).or_default();
                named.native.insert(count_params(rest));
                named.whose = "Rhai";
            }
            for row in FAMILIES.iter().flat_map(|family| family.rows) {
                let named = known.0.entry(row.name.to_owned()).or_default();
                named.native.insert(row.params.len());
                named.whose = "Lawbook";
            }
            known
        })
    }

    pub(super) fn add(&mut self, parsed: &Parsed, whose: &'static str) {
        for function in parsed.functions.iter().filter(|function| !function.is_closure()) {
            let named = self.0.entry(function.name.clone()).or_default();
            named.of_scripts.insert(function.params.len());
            named.whose = whose;
        }
    }
}

impl<'a> Known<'a> {
    /// The functions of others by that name.
    pub(super) fn of_others(self, name: &str) -> Option<&'a Named> {
        self.others.0.get(name)
    }

    /// True if there is a function of that name.
    pub(super) fn has(self, name: &str) -> bool {
        self.others.0.contains_key(name) || self.own.0.contains_key(name)
    }

    /// True if a function of that name can be called with so many arguments behind what stands before the dot, if that is 1.
    pub(super) fn takes(self, name: &str, args: usize, receiver: usize) -> bool {
        self.named(name).any(|named| named.of_scripts.contains(&args) || named.native.contains(&(args + receiver)))
    }

    /// True if a script defines a function of that name with so many parameters.
    pub(super) fn is_of_script(self, name: &str, params: usize) -> bool {
        self.named(name).any(|named| named.of_scripts.contains(&params))
    }

    /// The numbers of arguments that functions of that name take.
    pub(super) fn arities(self, name: &str) -> BTreeSet<usize> {
        self.named(name).flat_map(|named| named.native.union(&named.of_scripts)).copied().collect()
    }

    fn named(self, name: &str) -> impl Iterator<Item = &'a Named> {
        [self.others, self.own].into_iter().filter_map(move |functions| functions.0.get(name))
    }

    /// The function that was meant by the name of none.
    pub(super) fn meant(self, name: &str) -> Option<&'a str> {
        did_you_mean(name, self.names())
    }

    /// The names of all of them.
    pub(super) fn names(self) -> BTreeSet<&'a str> {
        [self.others, self.own].iter().flat_map(|functions| functions.0.keys()).map(String::as_str).collect()
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
