//! Which events a command reads, and how much of its machine it takes for that.

use std::num::NonZeroUsize;

use clap::Args;
use jiff::Timestamp;

use super::values::{account, region, size, threads, time};

/// Which events are read.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Input")]
pub(crate) struct EventArgs {
    /// Only events at or after this time: RFC 3339, a date, or a duration ago such as 14d
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) since: Option<Timestamp>,

    /// Only events before this time
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) until: Option<Timestamp>,

    /// Only records of this account, and those of unknown ones. Repeat for several
    #[arg(long, value_name = "ACCOUNT", value_parser = account)]
    pub(crate) account: Vec<String>,

    /// Only records of this region, and those of unknown ones. Repeat for several
    #[arg(long, value_name = "REGION", value_parser = region)]
    pub(crate) region: Vec<String>,

    /// Bytes that one compressed object may inflate to [default: 4G]
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub(crate) max_inflated: Option<u64>,

    /// Bytes of one record, or of one envelope that must be held whole [default: 64M]
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub(crate) max_record: Option<u64>,

    /// Threads that read and judge; by default one a core
    #[arg(long, value_name = "N", value_parser = threads)]
    pub(crate) threads: Option<NonZeroUsize>,
}
