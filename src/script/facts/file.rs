//! The functions of a file, and what it changes.

use std::collections::{BTreeMap, BTreeSet};

use crate::script::changed::Changed;
use crate::script::check::{Function, Parsed};

/// The functions of one file.
#[derive(Default)]
pub(in crate::script) struct Functions {
    pub(super) by_name: BTreeMap<(String, usize), Function>,
    /// Those for values of one type alone: as methods they are called before what the host has of that name.
    pub(super) typed: BTreeSet<(String, usize)>,
    pub(super) changed: Changed,
}

impl Functions {
    /// The functions of a tree as it was written.
    pub(in crate::script) fn of(parsed: Parsed) -> Self {
        let all = |these: &mut dyn Iterator<Item = &Function>| {
            these.fold(Changed::default(), |all, one| all.with(&one.changed))
        };
        let statements = Changed::of_statements(&parsed.tree);
        let whole = statements.clone().with(&all(&mut parsed.functions.iter()));
        // A closure may be made in any function, and changes what it captures there by its name.
        let closures = all(&mut parsed.functions.iter().filter(|function| function.is_closure()));
        let everywhere = statements.with(&closures.of_captured(&whole));
        let mut functions = Self { changed: whole.settled(), ..Self::default() };
        for mut function in parsed.functions {
            // Whoever sees the variables around its call may change any of them.
            function.changed = match functions.changed.sees_around {
                true => functions.changed.clone(),
                false => everywhere.clone().with(&function.changed).settled(),
            };
            let key = (function.name.clone(), function.params.len());
            if function.is_typed {
                functions.typed.insert(key);
            } else {
                functions.by_name.insert(key, function);
            }
        }
        functions
    }
}
