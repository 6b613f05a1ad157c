//! Messages to exported PDUs: one packet per request and one per response, which
//! Wireshark reads as HTTP on any port.

use super::{Exporter, Frames, Item};
use crate::{
    capture::Provenance,
    event::{Direction, Event},
    loss::Losses,
    message::Message,
    record::{About, Dissector, PduEncoder},
};

/// A capture of whole messages.
pub struct Units {
    encoder: PduEncoder,
    frames: Frames,
    messages: u64,
}

impl Units {
    /// A capture without messages.
    pub fn new(provenance: Provenance) -> Self {
        Self {
            encoder: PduEncoder::new(provenance),
            frames: Frames::default(),
            messages: 0,
        }
    }
}

impl Exporter for Units {
    fn begin(&mut self, out: &mut Vec<u8>) {
        self.encoder.begin(out);
    }

    fn message(&mut self, item: &Item<'_>, out: &mut Vec<u8>) {
        let Some(message) = item.message() else {
            return;
        };
        // It is there already, frame by frame.
        if self.frames.has(message.stream) {
            return;
        }
        let (asks, answers) = if message.facts.page {
            (Direction::Received, Direction::Sent)
        } else {
            (Direction::Sent, Direction::Received)
        };
        for (direction, text) in [(asks, &message.request), (answers, &message.response)] {
            let text = text.expose();
            if text.is_empty() {
                continue;
            }
            let about = About {
                stream: message.stream,
                time: message.time,
                direction,
                origin: message.origin.as_deref(),
                server_name: message.server_name.as_deref(),
                findings: item.findings,
                completeness: Some(message.facts.completeness.as_str()),
            };
            self.encoder.message(Dissector::Http, &about, text, out);
        }
        self.messages += 1;
    }

    /// Extracts HTTP/2 from a stream as it was recorded.
    fn event(&mut self, event: &Event, out: &mut Vec<u8>) {
        let encoder = &mut self.encoder;
        self.frames.push(event, |about, bytes| {
            encoder.message(Dissector::Http2, about, bytes, out);
        });
    }

    /// Gives up what streams have waited for too long by then.
    fn recorded(&mut self, message: &Message, out: &mut Vec<u8>) {
        let encoder = &mut self.encoder;
        self.frames.tick(message.time, |about, bytes| {
            encoder.message(Dissector::Http2, about, bytes, out);
        });
    }

    fn finish(&mut self, losses: &Losses, out: &mut Vec<u8>) {
        let encoder = &mut self.encoder;
        self.frames.finish(|about, bytes| {
            encoder.message(Dissector::Http2, about, bytes, out);
        });
        self.encoder.end(losses, out);
    }

    fn messages(&self) -> u64 {
        self.messages + self.frames.streams()
    }

    fn cut(&self) -> u64 {
        self.encoder.cut()
    }
}
