//! The kernel rim: loads and attaches the programs, finds TLS libraries, and
//! reads the rings. The only module that names aya.
//!
//! Out come [`Event`](crate::event::Event)s in the order in which they happened,
//! counts of what was lost in the kernel, and the state of every hook.

mod attach;
mod doctor;
mod library;
mod load;
pub mod place;
mod process;
mod reader;
mod record;
mod status;
mod table;
mod translate;

pub use attach::{ProbeConfig, Probes};
pub use doctor::{Check, Outcome, examine};
pub use library::{FileId, Library, LibraryError};
pub use load::ProbeError;
pub use process::{Cgroup, CgroupError, Scope};
pub use reader::{Counters, Reader, Verdicts};
pub use status::{HookStatus, State, Status};
pub use table::{Attachment, HOOKS, Hook, names as hook_names};
pub use translate::Signal;

#[cfg(test)]
mod tests;
