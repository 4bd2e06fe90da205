//! Answers what a record can hold, from schemas/: which sources, events, fields and kinds there are.
//!
//! [`Shapes`] knows CloudTrail's records and, with the commands below, inventory; [`Shapes::embedded`] is what the program
//! carries, and [`Shapes::with_extra`] adds what users know beyond that. Nothing of it is read before it is asked for, and of
//! AWS's models only the services that are asked about. `docs/shapes.md` says where the facts come from.

mod at;
mod commands;
mod definitions;
mod ends;
mod events;
mod models;
mod notation;
mod place;
mod resource;
mod spelling;

pub use commands::{
    CONFIG_TYPE, Command, Fields, Member, Shape, command, commands, commands_printing, fields, is_kind,
    is_of_one_command, is_service, is_told, kinds, members_holding,
};
pub use events::{Call, Shapes};
pub(crate) use models::words;
pub use place::{Holds, Place, Step};
pub use resource::{flags, singular};
