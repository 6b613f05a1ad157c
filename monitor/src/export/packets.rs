//! Messages to packets: a capture as phiwatch records one.

use super::{Exporter, Item};
use crate::{capture::Provenance, event::Event, loss::Losses, message::Message, record::Encoder};

/// A capture of TCP packets that were never sent, which every tool reads.
pub struct Packets {
    encoder: Encoder,
    messages: u64,
}

impl Packets {
    /// A capture without packets.
    pub fn new(provenance: Provenance) -> Self {
        Self {
            encoder: Encoder::new(provenance),
            messages: 0,
        }
    }
}

impl Exporter for Packets {
    fn begin(&mut self, out: &mut Vec<u8>) {
        self.encoder.begin_segment(out);
    }

    fn message(&mut self, item: &Item<'_>, out: &mut Vec<u8>) {
        self.encoder.message(item.recorded, out);
        self.messages += u64::from(item.message().is_some());
    }

    fn event(&mut self, event: &Event, out: &mut Vec<u8>) {
        self.encoder.event(event, out);
    }

    fn recorded(&mut self, message: &Message, out: &mut Vec<u8>) {
        self.encoder.message(message, out);
    }

    fn finish(&mut self, losses: &Losses, out: &mut Vec<u8>) {
        self.encoder.end_segment(losses, out);
    }

    fn messages(&self) -> u64 {
        self.messages
    }
}
