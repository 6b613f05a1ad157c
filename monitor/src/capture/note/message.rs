//! Messages of a redacted capture: to packets, and back.
//!
//! A message is written as markers with what was known of it, followed by its
//! request and its response as the bytes of a connection, so that any tool
//! shows them. A reader cannot rely on their order: what does not fit is
//! counted and dropped.

use bytes::{Bytes, BytesMut};
use serde::{Deserialize, Serialize};

use crate::{
    event::{Direction, Place, StreamId, Timestamp},
    loss::{Loss, Losses},
    message::{Message, MessageFacts, PlantingNote, ProofNote},
    secret::Secret,
};

/// Proofs or planted values in one marker: a path has at most some 1,300 bytes,
/// and an option 65,535.
const PER_MARKER: usize = 24;
/// Proofs of one message.
const MAX_PROOFS: usize = 1 << 16;
/// Bytes of a request or a response.
const MAX_TEXT: u64 = 16 << 20;
/// A host name has at most 255 bytes; a longer one is no name.
const MAX_HOST: usize = 1_024;

/// The description of the message that follows.
#[derive(Serialize, Deserialize)]
pub(crate) struct MessageNote {
    /// Bytes of the request that follow.
    request: u64,
    /// Bytes of the response that follow.
    response: u64,
    /// Proofs that follow in markers.
    proofs: usize,
    /// Parts of plantings that follow in markers.
    plantings: usize,
    facts: MessageFacts,
}

/// What one marker carries.
#[derive(Default)]
pub(crate) struct Marker {
    pub(crate) message: Option<MessageNote>,
    pub(crate) proofs: Vec<ProofNote>,
    pub(crate) plantings: Vec<PlantingNote>,
}

/// The markers of a message, in order.
pub(crate) fn markers(message: &Message) -> Vec<Marker> {
    let facts = &*message.facts;
    let proofs: Vec<_> = facts.proofs.iter().take(MAX_PROOFS).cloned().collect();
    let mut plantings: Vec<PlantingNote> = Vec::new();
    for planting in &facts.plantings {
        plantings.extend(
            planting
                .fields
                .chunks(PER_MARKER)
                .map(|fields| PlantingNote {
                    fields: fields.to_vec(),
                    ..planting.clone()
                }),
        );
    }
    let head = MessageNote {
        request: message.request.expose().len() as u64,
        response: message.response.expose().len() as u64,
        proofs: proofs.len(),
        plantings: plantings.len(),
        facts: MessageFacts {
            proofs: Vec::new(),
            plantings: Vec::new(),
            host: facts.host.clone().filter(|host| host.len() <= MAX_HOST),
            ..facts.clone()
        },
    };
    let mut markers = vec![Marker {
        message: Some(head),
        ..Marker::default()
    }];
    markers.extend(proofs.chunks(PER_MARKER).map(|own| Marker {
        proofs: own.to_vec(),
        ..Marker::default()
    }));
    markers.extend(plantings.into_iter().map(|own| Marker {
        plantings: vec![own],
        ..Marker::default()
    }));
    markers
}

/// The direction in which the request of a message travels, seen from the
/// process.
pub(crate) const fn asking(facts: &MessageFacts) -> Direction {
    if facts.page {
        Direction::Received
    } else {
        Direction::Sent
    }
}

/// A message whose packets are still being read.
pub(crate) struct Coming {
    pub(crate) stream: StreamId,
    time: Timestamp,
    note: MessageNote,
    plantings: usize,
    request: BytesMut,
    response: BytesMut,
    place: Option<Place>,
}

impl Coming {
    /// Begins with the marker of a message. `None` if it is too long.
    pub(crate) fn new(stream: StreamId, time: Timestamp, note: MessageNote) -> Option<Self> {
        let fits = note.request <= MAX_TEXT
            && note.response <= MAX_TEXT
            && note.proofs <= MAX_PROOFS
            && note.plantings <= MAX_PROOFS;
        fits.then(|| Self {
            stream,
            time,
            note,
            plantings: 0,
            request: BytesMut::new(),
            response: BytesMut::new(),
            place: None,
        })
    }

    /// Takes the evidence of a further marker.
    pub(crate) fn add(&mut self, proofs: Vec<ProofNote>, plantings: Vec<PlantingNote>) {
        let facts = &mut self.note.facts;
        let room = self.note.proofs.saturating_sub(facts.proofs.len());
        facts.proofs.extend(proofs.into_iter().take(room));
        for planting in plantings {
            if self.plantings >= self.note.plantings {
                return;
            }
            self.plantings += 1;
            match facts.plantings.last_mut() {
                Some(last) if last.canary == planting.canary => {
                    last.fields.extend(planting.fields);
                }
                _ => facts.plantings.push(planting),
            }
        }
    }

    /// Appends bytes of the message. `false` if they are more than it has.
    pub(crate) fn append(&mut self, direction: Direction, bytes: &[u8], place: Place) -> bool {
        let is_request = direction == asking(&self.note.facts);
        let (text, length) = if is_request {
            (&mut self.request, self.note.request)
        } else {
            (&mut self.response, self.note.response)
        };
        self.place.get_or_insert(place);
        let room = length.saturating_sub(text.len() as u64);
        let fits = bytes.len() as u64 <= room;
        if fits {
            text.extend_from_slice(bytes);
        }
        fits
    }

    /// Whether all of it has been read.
    pub(crate) fn is_whole(&self) -> bool {
        self.request.len() as u64 == self.note.request
            && self.response.len() as u64 == self.note.response
            && self.note.facts.proofs.len() == self.note.proofs
            && self.plantings == self.note.plantings
    }

    /// The message; it does not know where its stream comes from.
    pub(crate) fn finish(self) -> Message {
        let text = |bytes: BytesMut| Secret::new(Bytes::from(bytes));
        Message {
            time: self.time,
            stream: self.stream,
            place: self.place,
            origin: None,
            server_name: None,
            request: text(self.request),
            response: text(self.response),
            facts: Box::new(self.note.facts),
        }
    }

    /// Counts what is given up before it was whole.
    pub(crate) fn abandon(coming: &mut Option<Self>, losses: &mut Losses) {
        if coming.take().is_some() {
            losses.count(Loss::CaptureTruncated);
        }
    }
}
