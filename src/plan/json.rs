//! A plan for other programs. Its shape is in `schemas/plan.schema.json`.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use super::{Plan, Step};
use crate::report::json;

/// The version of the shape: raised when a member changes its meaning or goes away.
const SCHEMA_VERSION: u32 = 1;

#[derive(Serialize)]
struct Told<'a> {
    schema_version: u32,
    lawbook: &'static str,
    touches: usize,
    steps: &'a [Step],
    left: &'a BTreeMap<String, u64>,
}

pub(super) fn write(plan: &Plan, out: &mut dyn Write) -> io::Result<()> {
    let told = Told {
        schema_version: SCHEMA_VERSION,
        lawbook: env!("CARGO_PKG_VERSION"),
        touches: plan.touches(),
        steps: &plan.steps,
        left: &plan.left,
    };
    json::pretty(&serde_json::to_value(told)?, out)
}
