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
        let mut functions = Self { changed: Changed::of(&parsed.tree), ..Self::default() };
        for function in parsed.functions {
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
