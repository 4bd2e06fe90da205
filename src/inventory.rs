//! Resources by kind, account and region, what was collected, and the hashed look-ups over them.
//!
//! *Law*: a kind that was not collected in a scope is never "none": [`Inventory::collected`] says which it is.

use std::sync::Arc;

use jiff::Timestamp;

use crate::record::{Node, Origin};

/// One resource of the inventory.
#[derive(Clone, Debug)]
pub struct Resource {
    /// `<service>/<kebab-case of the list member>`, such as `ec2/flow-logs`.
    pub kind: Arc<str>,
    /// The resource's own id or name, where the API's answer holds one.
    pub id: Option<Arc<str>>,
    /// Whose it is; `None` is unknown.
    pub scope: Scope,
    /// When it was seen, where that is known (manifest, AWS Config).
    pub time: Option<Timestamp>,
    /// What the API answered, with its field names.
    pub value: Node,
    /// Where it was read.
    pub origin: Origin,
}

/// An account and a region; `None` is unknown, and unknown is not excluded by any scope.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope {
    /// Twelve digits.
    pub account: Option<Arc<str>>,
    /// Such as `us-east-1`; kinds that have no region (IAM, S3 buckets) leave it unknown.
    pub region: Option<Arc<str>>,
}
