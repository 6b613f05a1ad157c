//! Findings and losses to people: metrics, the journal and the HTTP server.
//!
//! Input: [`Finding`](crate::finding::Finding)s, [`Loss`](crate::loss::Loss)es
//! and the state of the hooks. Output: Prometheus metrics, JSON Lines, and the
//! four routes of a well-behaved exporter. Nothing here sees payload.

pub mod journal;
pub mod metrics;
pub mod server;

pub use journal::{Journal, JournalError};
pub use metrics::{HookCounts, Metrics, MetricsError};
pub use server::{ReloadRequest, State, serve};
