//! The core's only output: protected health information in one person-event,
//! going to one recipient.
//!
//! A finding holds no payload value: `masked` and `token` cannot be turned back
//! into one. It serialises to the record `phiwatch.finding/1`, one JSON object
//! a line.

mod assemble;
mod hashes;
mod judge;
pub(crate) mod key_path;
mod memory;
mod note;
mod page;
mod people;
mod proof;
mod recent;
mod residence;
mod severity;
pub(crate) mod target;
pub(crate) mod vocabulary;
mod why;

use std::sync::Arc;

use serde::Serialize;

pub use assemble::{Context, Sender, assemble};
pub(crate) use assemble::{blank, id, method, path, place};
pub use hashes::DigestCache;
pub(crate) use key_path::{Values, is_vocabulary, show};
pub use memory::{Memory, strongest};
pub(crate) use note::number;
pub use note::{class, form};
pub use page::{PageProofs, PageResult, PageSettings, Pages};
pub use people::PeopleCount;
pub use proof::{Proof, prove};
pub use severity::{HealthLevel, IdentifierLevel, severity};
pub(crate) use target::{affixes, is_shown_segment, template};

/// The schema of the record that [`Finding`] serialises to.
pub const SCHEMA: &str = "phiwatch.finding/1";

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Recorded, no alarm.
    Info,
    /// Worth a look.
    Low,
    /// Worth a ticket.
    Medium,
    /// Worth waking someone.
    High,
    /// The incident this program exists for.
    Critical,
}

impl Severity {
    /// Every severity, mildest first.
    pub const ALL: &'static [Self] = &[
        Self::Info,
        Self::Low,
        Self::Medium,
        Self::High,
        Self::Critical,
    ];

    /// The name in records and labels.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// This severity, `levels` milder, at least [`Severity::Info`].
    #[must_use]
    pub fn milder(self, levels: usize) -> Self {
        Self::ALL[(self as usize).saturating_sub(levels)]
    }
}

/// What kind of disclosure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A request carried the data.
    Request,
    /// A page that a server sent loads a tracker.
    Page,
    /// A tracker was contacted and the content could not be read.
    Contact,
    /// A planted value of a synthetic patient was seen.
    Canary,
}

impl Kind {
    /// Every kind.
    pub const ALL: &'static [Self] = &[Self::Request, Self::Page, Self::Contact, Self::Canary];

    /// The name in records and labels.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Page => "page",
            Self::Contact => "contact",
            Self::Canary => "canary",
        }
    }
}

/// Who received the data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RecipientRecord {
    /// Id of the tracker in the catalog.
    pub tracker: Arc<str>,
    /// The company behind it.
    pub owner: Arc<str>,
    /// The catalog's category.
    pub category: &'static str,
    /// The host that the request named.
    pub host: String,
    /// Which rule of the catalog matched: `host`, `host+path` or `protocol`.
    pub matched_by: &'static str,
}

/// One field that is evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldRecord {
    /// Identifier or health class.
    pub class: &'static str,
    /// `plain`, or the hash that the value is.
    pub form: &'static str,
    /// The path to the field, with steps that could be payload replaced.
    pub path: String,
    /// The rule that recognised it.
    pub rule: &'static str,
    /// What of the value may be shown.
    pub masked: String,
    /// Keyed HMAC of the normalised value: equal for equal values.
    pub token: String,
    /// `unhashed`: plain where the recipient's documentation demands a hash;
    /// `confirmed`: the hash of a plain identifier that was seen before.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<&'static str>,
}

/// The request, without payload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RequestRecord {
    /// Its method.
    pub method: String,
    /// The host of a page; other findings have it in `recipient.host`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Template of its path: segments that could be payload are `{id}`.
    pub path: String,
    /// Its protocol.
    pub protocol: &'static str,
    /// Status of the response, if it was seen.
    pub status: Option<u16>,
    /// Length of the whole message as sent, in bytes; of a page, of its body.
    pub bytes: u64,
    /// Length of the body as sent, in bytes: without chunk framing, before
    /// content codings were removed.
    pub body_bytes: u64,
}

/// The process that sent it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ProcessRecord {
    /// Thread-group id in the host's pid namespace.
    pub pid: Option<u32>,
    /// Path of the executable.
    pub exe: Option<String>,
    /// Name of the thread-group leader.
    pub comm: Option<String>,
    /// Path in the cgroup v2 hierarchy.
    pub cgroup: Option<String>,
    /// Container id.
    pub container: Option<String>,
    /// systemd unit.
    pub unit: Option<String>,
    /// The operator's own name for the service.
    pub service: Option<String>,
}

/// The other end of the connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PeerRecord {
    /// Address and port, where known.
    pub addr: Option<String>,
    /// The server name that the TLS client asked for.
    pub sni: Option<String>,
    /// What `recipient.host` was taken from: `host-header`, `target` or `sni`.
    pub host_source: &'static str,
}

/// Where the bytes are recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EvidenceRecord {
    /// Name of the capture file.
    pub file: String,
    /// Number of the packet in it, from 1.
    pub packet: u64,
}

/// One finding. The order of fields is that of the record. A journal line that
/// stands for several findings ends with `repeated`: their `count`, and the
/// `first` and `last` of their times.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// Derived from the content: the same disclosure has the same id live and
    /// on replay.
    pub id: String,
    /// When the first byte was sent, RFC 3339 with nanoseconds.
    pub time: String,
    /// What kind of disclosure.
    pub kind: Kind,
    /// How bad.
    pub severity: Severity,
    /// Why, in words: composed of classes, levels and the recipient's name.
    pub why: String,
    /// `attempted`: the recipient refused; `agreement`: a declared agreement
    /// with the recipient; `ip_only_unauth`: an IP address and a public page,
    /// nothing else; `summary`: the person-events of one request beyond those
    /// that are listed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<&'static str>,
    /// Who received it.
    pub recipient: RecipientRecord,
    /// Identifier classes, sorted, each once.
    pub identifiers: Vec<&'static str>,
    /// Health classes, sorted, each once.
    pub health: Vec<&'static str>,
    /// The evidence, in the order of the message.
    pub fields: Vec<FieldRecord>,
    /// The request.
    pub request: Option<RequestRecord>,
    /// The process.
    pub process: ProcessRecord,
    /// The other end.
    pub peer: PeerRecord,
    /// Which hook or kind of file saw it.
    pub source: &'static str,
    /// How much of the message was seen.
    pub completeness: &'static str,
    /// Groups findings about the same person: the token of the identifier by
    /// which they first became known. Depends on this finding and earlier ones.
    pub person: Option<String>,
    /// How many people a `summary` is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub people: Option<u64>,
    /// Where the bytes are recorded.
    pub evidence: Option<EvidenceRecord>,
    /// States of the United States that the event names, by their two letters,
    /// sorted. Not part of the id.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub states: Vec<&'static str>,
}
