//! The one binary of integration tests.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod architecture;
mod browser;
mod cases;
mod catalogue;
mod check;
mod cli;
mod collect;
mod config;
mod deliveries;
mod docs;
mod engine;
mod grouping;
mod formats;
mod given;
mod html;
mod input;
mod impact;
mod inventory;
mod lint;
mod noted;
mod packs;
mod peers;
mod pipeline;
mod pipelines;
mod policies;
mod prefilter;
mod readme;
mod remediate;
mod remedies;
mod redact;
mod report;
mod series;
mod sessions;
mod shape_rules;
mod shapes;
mod summary;
mod telling;
mod testing;
mod triage;
mod typos;
mod windows;

/// What policies are checked by whose fields no event of CloudTrail has.
fn of_invented_events() -> lawbook::policy::Overrides {
    static READ: std::sync::LazyLock<lawbook::policy::Overrides> = std::sync::LazyLock::new(|| {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/shapes");
        let mut overrides = lawbook::policy::Overrides::default();
        overrides.set_shapes(lawbook::schema::Shapes::embedded().with_extra(&folder).unwrap());
        overrides
    });
    READ.clone()
}

/// Says that a test was skipped where it is seen: what a passing test prints with macros is kept from the reader.
fn skipped(what: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr(), "SKIPPED: {what}");
}
