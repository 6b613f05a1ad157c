//! Messages as redacted captures hold them.
//!
//! A redacted capture does not have the original streams. It has the messages
//! that phiwatch saw, with their values replaced, and with each what was found
//! in it before. Only the texts of a message are payload: they may contain
//! values that were not replaced.

use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

pub use crate::name::MaybeKnown;
use crate::{
    class::{Class, Completeness, Form, Identifier, Protocol, Strength},
    event::{Blindness, Origin, Place, StreamId, Timestamp},
    secret::Secret,
    token::Token,
};

/// One request with its response, or one page with its request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// When its first byte was sent.
    pub time: Timestamp,
    /// On which stream.
    pub stream: StreamId,
    /// Where it is recorded, if it is.
    pub place: Option<Place>,
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

impl Message {
    /// Bytes of its request and its response.
    pub(crate) fn texts(&self) -> usize {
        self.request.expose().len() + self.response.expose().len()
    }
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
    /// What became of that connection; captures of earlier versions do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<ConnectionNote>,
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
    /// The protocol that it was sent in.
    #[serde(default = "http1", skip_serializing_if = "is_http1")]
    pub protocol: MaybeKnown<Protocol>,
    /// How much of the message was seen.
    #[serde(default)]
    pub completeness: MaybeKnown<Completeness>,
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

/// What became of a TLS connection to a host of the catalog.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionNote {
    /// Why it was not read; absent if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blindness: Option<MaybeKnown<Blindness>>,
    /// The tracker that its requests went to, if one was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracker: Option<String>,
    /// It goes through a proxy.
    #[serde(default, skip_serializing_if = "is_false")]
    pub tunnel: bool,
}

/// One piece of evidence, without the value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProofNote {
    /// Identifier or health class.
    pub class: MaybeKnown<Class>,
    /// `plain`, or the hash that the value is.
    pub form: MaybeKnown<Form>,
    /// The rule that recognized it.
    pub rule: String,
    /// How much it says by itself.
    pub strength: MaybeKnown<Strength>,
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
    /// Keyed hash of the value.
    pub token: MaybeKnown<Token>,
    /// States of the United States that the event names, by their two letters.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub states: Vec<String>,
    /// Class and token of the plain identifier whose hash the value is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plain: Option<(MaybeKnown<Identifier>, MaybeKnown<Token>)>,
}

/// A planted patient, without the values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlantingNote {
    /// Number of the canary in the configuration, from 1.
    pub canary: u32,
    /// Token of the patient.
    pub person: MaybeKnown<Token>,
    /// Where the values are.
    pub fields: Vec<PlantedNote>,
}

/// One planted value, without the value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlantedNote {
    /// Identifier class.
    pub class: MaybeKnown<Class>,
    /// `plain`, or the hash that the value is.
    pub form: MaybeKnown<Form>,
    /// The rule that it is reported under.
    pub rule: String,
    /// The path to the field as it may be shown.
    pub path: String,
    /// Keyed hash of the value.
    pub token: MaybeKnown<Token>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands out references"
)]
const fn is_false(value: &bool) -> bool {
    !*value
}

/// What captures do not say of a message.
const fn http1() -> MaybeKnown<Protocol> {
    MaybeKnown::Value(Protocol::Http1)
}

fn is_http1(protocol: &MaybeKnown<Protocol>) -> bool {
    matches!(protocol.as_str(), "" | "http/1.1")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads what a capture says of a message, and writes it back.
    fn check(json: &str) {
        let facts: MessageFacts = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&facts).unwrap(), json);
    }

    #[test]
    fn names_of_any_build_are_written_as_they_were_read() {
        let token = "0123456789abcdef0123456789abcdef";
        for (class, form, strength, token, completeness) in [
            ("email", "sha256", "I2", token, "complete"),
            ("condition", "plain", "H3", token, "gap"),
            ("aura", "sha3-512", "I9", "no token", "mostly"),
            ("", "", "", "", ""),
        ] {
            let protocol = match completeness {
                "complete" => "",
                "gap" => r#""protocol":"http/2","#,
                _ => r#""protocol":"http/9","#,
            };
            let names = format!(r#""class":"{class}","form":"{form}""#);
            check(&format!(
                r#"{{"rules":"r","ordinal":1,"end":2,"body_bytes":3,"bytes":4,{protocol}"completeness":"{completeness}","body":"resized","proofs":[{{{names},"rule":"x","strength":"{strength}","field":5,"path":"body.em","masked":"…","token":"{token}","states":["CA"],"plain":["{class}","{token}"]}}],"plantings":[{{"canary":1,"person":"{token}","fields":[{{{names},"rule":"x","path":"body.em","token":"{token}"}}]}}]}}"#
            ));
        }
    }
}
