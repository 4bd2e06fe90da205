//! Lawbook: policy as code for AWS.
//!
//! A record goes in at the top of this file and a report comes out at the bottom: the modules are declared in the
//! order in which data flows, and a module may use only modules declared above it.

pub mod error;
pub mod yaml;
pub mod diagnostic;
pub mod shape;
pub mod record;
pub mod principal;
pub mod fault;
pub mod inventory;
pub mod schema;
pub mod input;
pub mod script;
pub mod finding;
pub mod policy;
pub mod engine;
pub mod report;
pub mod cases;
