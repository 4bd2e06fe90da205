//! Resources by kind, account and region, what was collected, and the hashed look-ups over them.
//!
//! *Law*: a kind that was not collected in a scope is never "none": [`Inventory::collected`] says which it is.
