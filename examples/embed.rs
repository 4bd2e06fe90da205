//! Judges one record by one policy, through the library.
//!
//! ```sh
//! cargo run --example embed
//! ```

use lawbook::engine::{Request, judge};
use lawbook::input;
use lawbook::inventory::Inventory;
use lawbook::policy::{Overrides, Pack};
use lawbook::script::Limits;

const POLICY: &str = r#"//! ---
//! title: Trail stopped
//! severity: high
//! judges: cloudtrail
//! when: { eventSource: cloudtrail.amazonaws.com, eventName: StopLogging }
//! ---
fn matches(event) { succeeded(event) }
fn title(event)   { `Trail ${event.requestParameters.name} stopped by ${actor(event).name}` }
"#;

const RECORD: &str = r#"{"eventVersion":"1.10","eventID":"1","eventSource":"cloudtrail.amazonaws.com","eventName":"StopLogging",
  "userIdentity":{"type":"Root","accountId":"111122223333"},"requestParameters":{"name":"main"}}"#;

fn main() {
    let packs = Pack::from_text("trail-stopped", POLICY).check(&Overrides::default(), &Limits::default());
    let packs = packs.unwrap_or_else(|mistakes| panic!("{}", lawbook::report::diagnostic::draw(&mistakes, false)));
    let (records, faults) = input::events("a record", RECORD.as_bytes().to_vec());
    assert!(faults.is_empty(), "every fault is told: {faults:?}");
    let request = Request::new(std::iter::empty::<&str>());
    let outcome = judge(&packs, &records, Inventory::default(), &request).unwrap_or_else(|error| panic!("{error}"));
    for finding in &outcome.findings {
        let finding = finding.unwrap_or_else(|error| panic!("{error}"));
        anstream::println!("{}: {}", finding.severity.word(), finding.title);
    }
}
