//! Messages as redacted captures hold them.
//!
//! A redacted capture does not have the original streams. It has the messages
//! that phiwatch saw, with their values replaced, and with each what was found
//! in it before. Only the texts of a message are payload: they may contain
//! values that were not replaced.

use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::Origin;
use crate::secret::Secret;

/// One request with its response, or one page with its request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Where its stream comes from, where that is known.
    pub origin: Option<Arc<Origin>>,
    /// The server name that the TLS client asked for.
    pub server_name: Option<Arc<str>>,
    /// The request as HTTP/1.1 text, its values replaced.
    pub request: Secret<Bytes>,
    /// The response as HTTP/1.1 text; empty where none was seen.
    pub response: Secret<Bytes>,
    /// What was known before values were replaced.
    pub facts: Box<MessageFacts>,
}

/// What was known of a message before its values were replaced.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageFacts {
    /// The rules that found the evidence.
    pub rules: String,
    /// The message is a page that a server sent.
    #[serde(default, skip_serializing_if = "is_false")]
    pub page: bool,
    /// The event is no message: a process began a TLS connection to `host`.
    #[serde(default, skip_serializing_if = "is_false")]
    pub greeting: bool,
    /// The headers of a page said that it is HTML.
    #[serde(default, skip_serializing_if = "is_false")]
    pub declared: bool,
    /// Number of the request on its stream, from 0.
    #[serde(default)]
    pub ordinal: u64,
    /// When the last byte that was seen was sent, in nanoseconds since the Unix
    /// epoch.
    #[serde(default)]
    pub end: u64,
    /// Template of the path, as findings show it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub path: String,
    /// The host that the request names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Status of the answer, if it was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Length of the body as sent, without chunk framing, in bytes.
    #[serde(default)]
    pub body_bytes: u64,
    /// Length of the whole message as sent, in bytes.
    #[serde(default)]
    pub bytes: u64,
    /// How much of the message was seen.
    #[serde(default)]
    pub completeness: String,
    /// What happened to the body: `same_length`, `resized`, `decoded`,
    /// `rebuilt` or `dropped`.
    #[serde(default)]
    pub body: String,
    /// The evidence that was found, in the order of the message.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub proofs: Vec<ProofNote>,
    /// The planted values that were found.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub plantings: Vec<PlantingNote>,
}

/// One piece of evidence, without the value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProofNote {
    /// Identifier or health class.
    pub class: String,
    /// `plain`, or the hash that the value is.
    pub form: String,
    /// The rule that recognized it.
    pub rule: String,
    /// `I1` to `I3`, `H2` or `H3`.
    pub strength: String,
    /// Index of the field in the message.
    pub field: u32,
    /// The array element that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub element: Option<u32>,
    /// The path to the field as it may be shown.
    pub path: String,
    /// The field is the address of a page that anyone can open.
    #[serde(default, skip_serializing_if = "is_false")]
    pub public: bool,
    /// What of the value may be shown.
    pub masked: String,
    /// Keyed hash of the value, in hexadecimal digits.
    pub token: String,
    /// States of the United States that the event names, by their two letters.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub states: Vec<String>,
    /// Class and token of the plain identifier whose hash the value is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plain: Option<(String, String)>,
}

/// A planted patient, without the values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlantingNote {
    /// Number of the canary in the configuration, from 1.
    pub canary: u32,
    /// Token of the patient, in hexadecimal digits.
    pub person: String,
    /// Where the values are.
    pub fields: Vec<PlantedNote>,
}

/// One planted value, without the value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlantedNote {
    /// Identifier class.
    pub class: String,
    /// `plain`, or the hash that the value is.
    pub form: String,
    /// The rule that it is reported under.
    pub rule: String,
    /// The path to the field as it may be shown.
    pub path: String,
    /// Keyed hash of the value, in hexadecimal digits.
    pub token: String,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands out references"
)]
const fn is_false(value: &bool) -> bool {
    !*value
}
