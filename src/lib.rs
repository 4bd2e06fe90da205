//! Lawbook: policy as code for AWS.
//!
//! Small [Rhai](https://rhai.rs) scripts judge CloudTrail records (what happened) and inventory (what is), together,
//! offline, in one run. The program `lawbook` is a client of this library:
//!
//! ```
//! use lawbook::{Inventory, Limits, Overrides, Pack, Request, engine, input};
//!
//! // A pack's every mistake is told before anything is judged.
//! let policy = r#"//! ---
//! //! title: Trail stopped
//! //! severity: high
//! //! judges: cloudtrail
//! //! when: { eventName: StopLogging }
//! //! ---
//! fn matches(event) { succeeded(event) }
//! fn title(event) { `Trail ${event.requestParameters.name} stopped by ${actor(event).name}` }
//! "#;
//! let packs = Pack::from_text("trail-stopped", policy).check(&Overrides::default(), &Limits::default()).unwrap();
//!
//! // Records are read in whatever shape they come; what cannot be read is a fault, not silence.
//! let log = br#"{"Records":[{"eventVersion":"1.10","eventID":"1","eventSource":"cloudtrail.amazonaws.com",
//!   "eventName":"StopLogging","userIdentity":{"type":"Root"},"requestParameters":{"name":"main"}}]}"#;
//! let (records, faults) = input::events("log.json", log.to_vec());
//! assert!(faults.is_empty());
//!
//! let request = Request::new(std::iter::empty::<&str>());
//! let outcome = engine::judge(&packs, &records, Inventory::default(), &request)?;
//! assert_eq!(outcome.summary.exit.code, 1);
//!
//! // There may be more findings than fit into memory: they come one by one.
//! for finding in &outcome.findings {
//!     assert_eq!(finding?.title, "Trail main stopped by root");
//! }
//! # Ok::<(), lawbook::Error>(())
//! ```
//!
//! [`scan`] does the same with files and folders, in parallel; [`report::write`] tells people and programs of it.
//!
//! A record goes in at the top of this file and a report comes out at the bottom: the modules are declared in the
//! order in which data flows, and a module may use only modules declared above it.

pub mod error;
pub mod paths;
mod spill;
pub mod yaml;
pub mod diagnostic;
pub mod shape;
pub mod record;
mod tags;
mod call;
pub mod principal;
pub mod fault;
pub mod inventory;
pub mod sessions;
pub mod schema;
pub mod input;
pub mod script;
pub mod finding;
pub mod tally;
pub mod policy;
pub mod lint;
pub mod triage;
pub mod engine;
pub mod redact;
pub mod report;
pub mod plan;
pub mod cases;

pub use diagnostic::Diagnostic;
pub use engine::{Outcome, Request, scan};
pub use error::Error;
pub use fault::Fault;
pub use finding::{Finding, Severity};
pub use inventory::Inventory;
pub use policy::{Checked, Overrides, Pack, Policy};
pub use record::Record;
pub use script::Limits;
