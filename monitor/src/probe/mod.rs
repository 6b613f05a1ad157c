//! The kernel rim: loads and attaches the programs, finds TLS libraries, and
//! reads the rings. The only module that names aya.
//!
//! Out come [`Event`](crate::event::Event)s in the order in which they happened,
//! counts of what was lost in the kernel, and the state of every hook.

mod attach;
mod btf;
mod budget;
mod calibrate;
mod cgroup;
mod discover;
mod doctor;
mod elf;
mod executable;
mod hooks;
mod inventory;
mod late;
mod libraries;
mod library;
mod load;
mod maps;
mod multi;
mod obstacle;
pub mod place;
mod plan;
mod process;
mod reader;
mod record;
mod sites;
mod status;
mod table;
mod tracefs;
mod translate;
mod unnamed;
mod uprobes;
mod usage;

pub use attach::{ProbeConfig, Probes};
pub use cgroup::{Cgroup, CgroupError};
pub use discover::WatchState;
pub use doctor::{Check, Outcome, examine};
pub use elf::{BuildId, ElfError, Function};
pub use inventory::{
    Hindrance, Inventory, Sending, TlsEngine, TlsProcess, TlsUse, Unseen, inventory,
};
pub use library::{FileId, Library, LibraryError, Stamp};
pub use load::ProbeError;
pub use process::Scope;
pub use reader::{Counters, Reader, Verdicts};
pub use status::{HookStatus, Sight, State, Status};
pub use table::{Attachment, HOOKS, Hook, Object, Reading, Tracepoint, names as hook_names};
pub use tracefs::TracefsError;
pub use translate::Signal;

#[cfg(test)]
mod tests;
