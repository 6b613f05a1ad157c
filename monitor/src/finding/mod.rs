//! The core's only output: protected health information in one person-event,
//! going to one recipient.
//!
//! A finding holds no payload value: `masked` and `token` cannot be turned back
//! into one. It serialises to the record `phiwatch.finding/1`, one JSON object
//! a line.

mod assemble;
mod contact;
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
#[cfg(test)]
mod tests;
pub(crate) mod vocabulary;
mod why;

use std::{net::SocketAddr, sync::Arc};

use serde::{Serialize, Serializer};

pub use assemble::{Context, Sender, assemble};
pub(crate) use assemble::{blank, id, method, path, place};
pub use contact::{Contact, ContactRecord, Contacts};
pub use hashes::DigestCache;
pub(crate) use key_path::{Values, is_vocabulary, show};
pub use memory::{Memory, strongest};
pub use page::{PageProofs, PageResult, PageSettings, Pages};
pub use people::PeopleCount;
pub use proof::{Proof, prove};
pub use severity::{HealthLevel, IdentifierLevel, severity};
pub(crate) use target::{affixes, is_shown_segment, template};

use crate::{
    event::{Source, Timestamp},
    http::{Completeness, Protocol},
    name::named,
    phi::{Class, Form, Health, Identifier},
    token::Token,
    tracker::{Category, MatchedBy},
};

/// The schema of the record that [`Finding`] serialises to.
pub const SCHEMA: &str = "phiwatch.finding/1";

named! {
    /// How bad it is.
    pub enum Severity {
        /// Recorded, no alarm.
        Info = "info",
        /// Worth a look.
        Low = "low",
        /// Worth a ticket.
        Medium = "medium",
        /// Worth waking someone.
        High = "high",
        /// The incident this program exists for.
        Critical = "critical",
    }
}

impl Severity {
    /// This severity, `levels` milder, at least [`Severity::Info`].
    #[must_use]
    pub fn milder(self, levels: usize) -> Self {
        Self::ALL[(self as usize).saturating_sub(levels)]
    }
}

named! {
    /// What kind of disclosure it is.
    pub enum Kind {
        /// A request carried the data.
        Request = "request",
        /// A page that a server sent loads a tracker.
        Page = "page",
        /// A tracker was contacted and the content could not be read.
        Contact = "contact",
        /// A planted value of a synthetic patient was seen.
        Canary = "canary",
    }
}

named! {
    /// What else is to be said of a finding.
    pub enum Label {
        /// The recipient refused the request.
        Attempted = "attempted",
        /// There is a declared agreement with the recipient.
        Agreement = "agreement",
        /// An IP address and a public page, nothing else.
        IpOnlyUnauth = "ip_only_unauth",
        /// It stands for the person-events of one request beyond those that are
        /// listed.
        Summary = "summary",
        /// The host also serves what is no tracker.
        SharedHost = "shared_host",
    }
}

named! {
    /// What else is to be said of a field.
    pub enum FieldLabel {
        /// Plain where the recipient's documentation demands a hash.
        Unhashed = "unhashed",
        /// The hash of a plain identifier that was seen before.
        Confirmed = "confirmed",
    }
}

named! {
    /// What the name of a recipient's host was taken from.
    pub enum HostSource {
        /// The header `Host`.
        HostHeader = "host-header",
        /// The request target, in absolute form.
        Target = "target",
        /// The server name that the TLS client asked for.
        Sni = "sni",
        /// The markup of a page.
        Page = "page",
        /// Nothing names a host.
        None = "none",
    }
}

/// Who received the data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RecipientRecord {
    /// Id of the tracker in the catalog.
    pub tracker: Arc<str>,
    /// The company behind it.
    pub owner: Arc<str>,
    /// The catalog's category; `other` in records for what it does not know.
    #[serde(serialize_with = "category")]
    pub category: Option<Category>,
    /// The host that the request named.
    pub host: String,
    /// Which rule of the catalog matched.
    pub matched_by: MatchedBy,
}

/// One field that is evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldRecord {
    /// Identifier or health class.
    pub class: Class,
    /// How the value is written; `asked` in records where a form asks for it.
    #[serde(serialize_with = "form")]
    pub form: Option<Form>,
    /// The path to the field, with steps that could be payload replaced.
    pub path: String,
    /// The rule that recognised it.
    pub rule: &'static str,
    /// What of the value may be shown.
    pub masked: String,
    /// Keyed HMAC of the normalised value: equal for equal values. Empty in
    /// records where there is no value.
    #[serde(serialize_with = "token")]
    pub token: Option<Token>,
    /// What else is to be said of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<FieldLabel>,
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
    pub protocol: Protocol,
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
    pub addr: Option<SocketAddr>,
    /// The server name that the TLS client asked for.
    pub sni: Option<String>,
    /// What `recipient.host` was taken from.
    pub host_source: HostSource,
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
    /// When the first byte was sent.
    pub time: Timestamp,
    /// What kind of disclosure.
    pub kind: Kind,
    /// How bad.
    pub severity: Severity,
    /// Why, in words: composed of classes, levels and the recipient's name.
    pub why: String,
    /// What else is to be said of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<Label>,
    /// Who received it.
    pub recipient: RecipientRecord,
    /// Identifier classes, sorted by name, each once.
    pub identifiers: Vec<Identifier>,
    /// Health classes, sorted by name, each once.
    pub health: Vec<Health>,
    /// The evidence, in the order of the message.
    pub fields: Vec<FieldRecord>,
    /// The request.
    pub request: Option<RequestRecord>,
    /// The connections that a `contact` is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<ContactRecord>,
    /// The process.
    pub process: ProcessRecord,
    /// The other end.
    pub peer: PeerRecord,
    /// Which hook or kind of file saw it; `unknown` in records where nothing
    /// tells.
    #[serde(serialize_with = "source")]
    pub source: Option<Source>,
    /// How much of the message was seen.
    pub completeness: Completeness,
    /// Groups findings about the same person: the token of the identifier by
    /// which they first became known. Depends on this finding and earlier ones.
    pub person: Option<Token>,
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

impl Finding {
    /// The classes of identifiers, then those of health information.
    pub fn classes(&self) -> impl Iterator<Item = Class> {
        let identifiers = self.identifiers.iter().copied().map(Class::Identifier);
        identifiers.chain(self.health.iter().copied().map(Class::Health))
    }
}

/// The name of a category in records.
pub fn category_name(category: Option<Category>) -> &'static str {
    category.map_or("other", Category::as_str)
}

/// The name of a form in records.
pub fn form_name(form: Option<Form>) -> &'static str {
    form.map_or("asked", Form::as_str)
}

/// The name of a source in records.
pub fn source_name(source: Option<Source>) -> &'static str {
    source.map_or("unknown", Source::as_str)
}

/// The digits of a token in records.
pub fn token_digits(token: Option<Token>) -> String {
    token.map(|own| own.to_string()).unwrap_or_default()
}

/// Writes what is missing under a name of its own.
macro_rules! optional {
    ($($function:ident: $type:ty, $text:expr;)+) => {$(
        #[expect(clippy::ref_option, reason = "serde hands out references")]
        fn $function<S: Serializer>(own: &Option<$type>, to: S) -> Result<S::Ok, S::Error> {
            to.collect_str(&$text(*own))
        }
    )+};
}

optional! {
    category: Category, category_name;
    form: Form, form_name;
    source: Source, source_name;
    token: Token, token_digits;
}
