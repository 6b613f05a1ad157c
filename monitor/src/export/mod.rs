//! Messages to files of other tools.
//!
//! In: messages as [`Item`]s, in order, with the ids of the findings in them.
//! Out: bytes of a file, appended to a byte vector: an HTTP archive, packets,
//! or packets that hold whole messages. Pure: it does not know where the bytes
//! go.
//!
//! The core records a message with its values replaced or as it was sent; both
//! are written in the same way.

mod frames;
mod har;
mod packets;
mod units;
mod url;

pub use self::{frames::Frames, har::Archive, packets::Packets, units::Units};
use crate::{event::Event, loss::Losses, message::Message};

/// One message to export.
#[derive(Clone, Copy)]
pub struct Item<'a> {
    /// As it is recorded.
    pub recorded: &'a Message,
    /// The ids of the findings in it.
    pub findings: &'a [String],
}

impl<'a> Item<'a> {
    /// The message, if two sides exchange it; a TLS hello is no message.
    pub fn message(&self) -> Option<&'a Message> {
        Some(self.recorded).filter(|message| !message.facts.greeting)
    }
}

/// Writes a file of one kind.
pub trait Exporter {
    /// Appends what begins the file.
    fn begin(&mut self, out: &mut Vec<u8>);

    /// Appends one message.
    fn message(&mut self, item: &Item<'_>, out: &mut Vec<u8>);

    /// Appends one event as it was recorded. Only packets keep streams.
    fn event(&mut self, event: &Event, out: &mut Vec<u8>) {
        let _ = (event, out);
    }

    /// Appends one message of a redacted capture as it was recorded.
    fn recorded(&mut self, message: &Message, out: &mut Vec<u8>) {
        let _ = (message, out);
    }

    /// Appends what ends the file. `losses` is what was lost on the way to it.
    fn finish(&mut self, losses: &Losses, out: &mut Vec<u8>);

    /// Messages that are in the file.
    fn messages(&self) -> u64;

    /// Messages whose ends are not in the file, because its format cannot hold
    /// longer ones.
    fn cut(&self) -> u64 {
        0
    }
}

#[cfg(test)]
mod tests;
