//! What a report says besides findings: where they come from, and what was not
//! seen.
//!
//! Collected where the inputs are read. Nothing in it is payload.

use std::collections::BTreeMap;

use hashbrown::HashMap;
use serde::Serialize;

use crate::{event::Timestamp, finding::PeopleCount, loss::Losses, token::Token};

/// From when to when, in nanoseconds since the Unix epoch, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// The first moment.
    pub first: Timestamp,
    /// The last moment.
    pub last: Timestamp,
}

/// Whether a connection to a tracker could be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Readability {
    /// Connections whose plaintext was seen.
    pub readable: u64,
    /// Connections of which only the server name was seen.
    pub blind: u64,
}

/// Everything known about what was examined.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Version of the phiwatch that made the report.
    pub version: String,
    /// Fingerprint of the detection rules.
    pub rules: String,
    /// SHA-256 of the trackers that were searched for, hexadecimal.
    pub catalog: String,
    /// How many trackers were sought.
    pub trackers: u64,
    /// SHA-256 of the configuration file, hexadecimal; `None` without a file.
    pub config: Option<String>,
    /// The conditions in force, as the user wrote them: findings that do not
    /// meet them are not in the report.
    pub filter: Option<String>,
    /// The inputs, in the order in which they were read.
    pub inputs: Vec<InputFacts>,
    /// Why reading ended before the end of the inputs.
    pub ended: Option<String>,
    /// Events that the inputs held.
    pub events: u64,
    /// How many people's data each recipient received, by the tracker's id.
    pub people: BTreeMap<String, PeopleCount>,
    /// How many people any recipient heard of.
    pub people_in_total: PeopleCount,
    /// Names of people who turned out to be someone else, mapped to the names
    /// of those.
    pub merged: HashMap<Token, Token>,
    /// What was lost on the way from the inputs to the findings.
    pub losses: Losses,
    /// Messages by protocol and completeness.
    pub messages: BTreeMap<(&'static str, &'static str), u64>,
    /// TLS connections to trackers, by the tracker's id.
    pub connections: BTreeMap<String, Readability>,
}

/// One input file.
#[derive(Clone, Debug, Default)]
pub struct InputFacts {
    /// Its name, without its folder.
    pub name: String,
    /// Its length in bytes.
    pub bytes: u64,
    /// SHA-256 of its content, hexadecimal.
    pub sha256: String,
    /// Its format: `pcapng`, `pcap`, `har`, with its wrappings.
    pub kind: String,
    /// Packets, or messages of an HTTP archive.
    pub packets: u64,
    /// Time of its packets.
    pub span: Option<Span>,
    /// When it had packets: spans without a long silence, in order.
    pub active: Vec<Span>,
    /// Packets that the recorder says that it dropped.
    pub dropped: u64,
    /// What phiwatch said about its own recording, by section.
    pub sections: Vec<SectionFacts>,
}

/// What one section of a recording says about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SectionFacts {
    /// Name of the host that was watched.
    pub host: String,
    /// Release of its kernel.
    pub kernel: String,
    /// The program that wrote it.
    pub writer: String,
    /// SHA-256 of the configuration.
    pub config: Option<String>,
    /// Fingerprint of the rules that it was recorded with.
    pub rules: String,
    /// Whether its values are replaced by tokens.
    pub redacted: bool,
    /// Pairs of readings of the kernel's monotonic clock and the wall clock, in
    /// nanoseconds.
    pub clocks: Vec<(u64, u64)>,
    /// What the recorder lost, by stage and reason.
    pub lost: BTreeMap<String, u64>,
}
