//! How good phiwatch's detection is, measured from outside.
//!
//! ```text
//!   words/ ──▶ content ─┐
//!   formats/ ─▶ format ─┼─▶ generator ─▶ capture ─▶ phiwatch replay ─▶ findings ─┐
//!   events/ ─▶ written ─┤
//!   recorded/ ──────────┘       └─▶ label ────────────────────────────────────────┴─▶ measure ─▶ report
//! ```
//!
//! The corpus is deterministic in its seed. Labels come from what was written
//! and from the published severity matrix, never from the detector, and nothing
//! of phiwatch's library is linked: only its binary is run.
//!
//! What counts as what:
//!
//! - An event is *expected at high* where the matrix says so for the weakest
//!   reading of what it carries; it is found where a finding of its request has
//!   severity high or above. Findings and events of one request are paired by
//!   how well their classes agree, each used once.
//! - A class is *missed* where the finding of the event does not name it, and
//!   *wrong* where a finding names one that the event neither has nor may have.
//! - A *false alarm* is a finding on a request without health information that
//!   is worse than the matrix allows for the identifiers that it does carry: an
//!   email address in a shop's event may give low or medium, a cookie info, and
//!   health information sent to what is no tracker gives nothing.

pub mod attribute;
pub mod capture;
pub mod content;
pub mod elsewhere;
pub mod encode;
pub mod format;
pub mod generator;
pub mod impaired;
pub mod label;
pub mod measure;
pub mod person;
pub mod phiwatch;
pub mod recorded;
pub mod report;
pub mod rng;
mod slot;
mod template;
pub mod traffic;
pub mod words;
pub mod written;
