//! phiwatch finds protected health information on its way to advertising and
//! analytics platforms, in the HTTP that server processes send before it is
//! encrypted.
//!
//! This page tells the story in the order of the flow; the modules below stand
//! in the same order.
//!
//! ```text
//!   kernel          probe ─▶ event ─▶ stream ─▶ http ─▶ field ─▶ phi ─────▶ finding ─▶ alert
//!   a capture file ─┘  └─▶ capture                        └────▶ tracker ──┘
//! ```
//!
//! 1. [`probe`] loads the kernel programs of `phiwatch-ebpf`, attaches them to
//!    the TLS libraries and sockets of the watched processes, and reads what
//!    they hand over. It is the only module that names aya.
//! 2. [`event`] is what a probe delivers: opened, named, data, missing, closed.
//!    It is the core's only input.
//! 3. [`capture`] writes events to pcapng files and reads them back, and reads
//!    packet captures and HTTP archives of other tools. Behind the probe it
//!    records; in its place it replays.
//! 4. [`stream`] puts the bytes of a connection in order. What is missing is a
//!    value, never a silence.
//! 5. [`http`] finds the requests in a stream, removes their codings, and pairs
//!    them with the status of their answers.
//! 6. [`field`] reads every value of a request with its path, through whatever
//!    encodings are nested in one another.
//! 7. [`phi`] recognizes identifiers and health information among the fields,
//!    and [`tracker`] recognizes the recipient; [`rules`] says in words what each
//!    of their rules means.
//! 8. [`finding`] puts them together: which kinds of data, of one person, to
//!    whom, how bad. It is the core's only output, and holds no payload;
//!    [`token`] makes the same person recognizable without storing a value.
//!    [`select`] says which findings are wanted: filters of what was found.
//! 9. [`canary`] seeks the planted values of the configuration in everything
//!    that goes to a third party.
//! 10. [`redact`] replaces the values of a message, for captures and exports.
//! 11. [`pipeline`] wires 4 to 10 and owns the limits.
//! 12. [`report`] makes reports of findings, for people and for other programs.
//! 13. [`export`] writes messages for other tools: HTTP archives, packets.
//! 14. [`alert`] tells people: metrics, the journal of findings, HTTP.
//!
//! # What holds everywhere
//!
//! - From `event` to `finding` the code is pure: no clock, file, socket or log.
//!   Time comes in the events. So replaying a capture gives the findings that
//!   the daemon gave, byte for byte.
//! - A payload value travels in a [`secret::Secret`] and reaches no log, metric,
//!   error or `Debug` output.
//! - Everything is bounded, and every [`loss`] is counted with its reason.
//! - A module uses only modules above it in this list, and the leaves `secret`,
//!   `loss` and `recency`.

pub mod loss;
mod lru;
pub mod secret;

pub mod probe;

pub mod event;

pub mod capture;

pub mod stream;

pub mod http;

pub mod field;

pub mod phi;

pub mod tracker;

pub mod rules;

pub mod token;

pub mod finding;

pub mod select;

pub mod canary;

pub mod redact;

pub mod pipeline;

pub mod report;

pub mod export;

pub mod alert;

pub mod config;

pub mod cli;

pub mod command;
