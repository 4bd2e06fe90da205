//! Compiles scripts to be run in one thread: what the scripts of a pack share once, a policy's own when it is first asked.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;

use rhai::{AST, ASTNode, Caches, Dynamic, Engine, Expr, Module, ParseError, Scope};

use super::changed::{self, Changed};
use super::functions::{Env, Pool};
use super::{Limits, PRELUDE, Script, sandbox, value};
use crate::diagnostic::SourceText;

/// A compiled script. Function look-ups are cached per script: a cache shared by two scripts would call the functions
/// of the one for the other.
pub(super) struct Compiled {
    pub(super) functions: Rc<Module>,
    /// The variables that its functions assign to.
    pub(super) assigned: Rc<BTreeSet<String>>,
    /// What it knows by name everywhere.
    pub(super) constants: Rc<HashMap<String, Dynamic>>,
    pub(super) caches: Caches,
    /// The same for its closures, which are called while it runs.
    pub(super) closures: Pool,
}

/// An engine, and what was compiled for all scripts that it runs.
pub(super) struct Compiler {
    pub(super) engine: Engine,
    /// By where the list of libraries is: all scripts of a pack have the same one.
    common: HashMap<*const Arc<SourceText>, Common>,
    /// The properties that the engine knows.
    properties: HashSet<String>,
}

/// The prelude and the libraries of a pack, compiled.
struct Common {
    /// Held, so that no other list can come to be where it is.
    _libraries: Arc<[Arc<SourceText>]>,
    tree: AST,
    assigned: Rc<BTreeSet<String>>,
}

impl Compiler {
    pub(super) fn new(limits: &Limits, env: &Rc<Env>) -> Self {
        Self { engine: sandbox::engine(limits, env), common: HashMap::new(), properties: HashSet::new() }
    }

    /// The prelude, the libraries and the policy as one: one look-up finds a function of each.
    pub(super) fn compile(&mut self, script: &Script) -> Result<Compiled, ParseError> {
        let libraries = script.libraries.as_ptr();
        if !self.common.contains_key(&libraries) {
            let common = self.common(&script.libraries)?;
            self.common.insert(libraries, common);
        }
        let constants = constants(script);
        let policy = self.engine.compile_with_scope(&constants, sandbox::script(&script.source.text))?;
        let constants = Rc::new(constants.iter().map(|(name, _, value)| (name.to_owned(), value)).collect());
        let mut assigned = self.prepare(&policy);
        let common = &self.common[&libraries];
        let assigned = if assigned.is_subset(&common.assigned) {
            Rc::clone(&common.assigned)
        } else {
            assigned.extend(common.assigned.iter().cloned());
            Rc::new(assigned)
        };
        let functions = Rc::clone(common.tree.merge(&policy).shared_lib());
        Ok(Compiled { functions, assigned, constants, caches: Caches::new(), closures: Pool::default() })
    }

    fn common(&mut self, libraries: &Arc<[Arc<SourceText>]>) -> Result<Common, ParseError> {
        let mut tree = self.engine.compile(PRELUDE)?;
        for library in libraries.iter() {
            tree = tree.merge(&self.engine.compile(&library.text)?);
        }
        let tree = tree.clone_functions_only();
        let assigned = Rc::new(self.prepare(&tree));
        Ok(Common { _libraries: Arc::clone(libraries), tree, assigned })
    }

    /// Makes the properties that a tree reads known to the engine; gives the variables that the tree assigns to.
    pub(super) fn prepare(&mut self, tree: &AST) -> BTreeSet<String> {
        let mut properties = BTreeSet::new();
        changed::walk(tree, &mut |path: &[ASTNode<'_>]| {
            if let Some(ASTNode::Expr(Expr::Property(property, _))) = path.last() {
                properties.insert(property.2.to_string());
            }
        });
        for property in properties {
            if !self.properties.contains(&property) {
                value::register_property(&mut self.engine, &property);
                self.properties.insert(property);
            }
        }
        Changed::of(tree).assigned
    }
}

/// What a script knows by name everywhere: constants of the scope become literals inside of functions, too.
pub(super) fn constants(script: &Script) -> Scope<'static> {
    let mut scope = Scope::new();
    scope.push_constant_dynamic("params", value::from_json(&script.params));
    for (name, constant) in &script.constants {
        scope.push_constant_dynamic(name.as_str(), value::from_json(constant));
    }
    scope
}
