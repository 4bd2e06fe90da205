//! Lawbook: policy as code for AWS.
//!
//! A record goes in at the top of this file and a report comes out at the bottom: the modules are declared in the
//! order in which data flows, and a module may use only modules declared above it.

pub mod diagnostic;
pub mod error;
pub mod fault;
pub mod finding;
pub mod input;
pub mod inventory;
pub mod policy;
pub mod principal;
pub mod record;
pub mod schema;
pub mod script;
pub mod yaml;
