//! The beginning of the core: events to steps.
//!
//! In: events. Out: [`Step`]s in an order that depends only on the events.
//! Several threads can examine the steps; their effects are applied in this
//! order.

use std::sync::Arc;

use super::recorded::{self, RecordedMessage};
use crate::{
    event::{Event, EventKind, Message, MessageFacts, StreamId, Timestamp},
    http::{Connections, Exchange, Page},
    loss::{Loss, Losses},
    stream::{Delivery, Facts, Segment, Streams},
};

/// How often the time becomes a step, in nanoseconds of event time.
const TIME_STEP: u64 = 1_000_000_000;

/// One unit of the core's work, in order.
pub enum Step {
    /// It is this time.
    Time(Timestamp),
    /// A process greets a server that wants TLS.
    Hello {
        /// On which stream.
        stream: StreamId,
        /// The server's name.
        name: Arc<str>,
        /// What is known of the stream.
        facts: Arc<Facts>,
        /// When.
        now: Timestamp,
    },
    /// A stream ended.
    Closed(StreamId),
    /// A request with its response; with what was known of it if its values
    /// were replaced.
    Exchange(Box<Exchange>, Option<Box<MessageFacts>>),
    /// A page that a server sent; with what was known of it if its values were
    /// replaced.
    Page(Box<Page>, Option<Box<MessageFacts>>),
}

/// The stages up to whole messages.
#[derive(Default)]
pub struct MessageAssembler {
    streams: Streams,
    connections: Connections,
    now: Timestamp,
    told: u64,
    deliveries: Vec<Delivery>,
    exchanges: Vec<Exchange>,
}

impl MessageAssembler {
    /// Takes one event.
    pub fn push(&mut self, event: &Event, losses: &mut Losses, out: &mut Vec<Step>) {
        // Deadlines first, whatever happened in between, so that the order of
        // steps depends only on the events.
        self.tick(event.time, losses, out);
        if let EventKind::Message(message) = &event.kind {
            self.message(event, message, losses, out);
            return;
        }
        self.streams.push(event, losses, &mut self.deliveries);
        self.drain(losses, out);
    }

    /// Takes a message of a redacted capture.
    fn message(&self, event: &Event, message: &Message, losses: &mut Losses, out: &mut Vec<Step>) {
        if message.facts.greeting {
            let name = message.facts.host.as_deref().map(Arc::from);
            out.extend(name.map(|name| Step::Hello {
                stream: event.stream,
                name,
                facts: Arc::default(),
                now: self.now,
            }));
            return;
        }
        let facts = Some(message.facts.clone());
        match recorded::whole(event, message) {
            Some(RecordedMessage::Exchange(own)) => out.push(Step::Exchange(Box::new(own), facts)),
            Some(RecordedMessage::Page(own)) => out.push(Step::Page(Box::new(own), facts)),
            None => losses.count(Loss::CaptureMalformed),
        }
    }

    /// Advances the time to `now`, so that waiting requests are released.
    pub fn tick(&mut self, now: Timestamp, losses: &mut Losses, out: &mut Vec<Step>) {
        self.now = self.now.max(now);
        self.streams.tick(self.now, losses, &mut self.deliveries);
        self.drain(losses, out);
        self.connections.tick(self.now, &mut self.exchanges);
        self.hand_on(out);
        let period = self.now.0 / TIME_STEP;
        if period > self.told {
            self.told = period;
            out.push(Step::Time(self.now));
        }
    }

    /// Says that no event will follow.
    pub fn finish(&mut self, losses: &mut Losses, out: &mut Vec<Step>) {
        self.streams.finish(losses, &mut self.deliveries);
        self.drain(losses, out);
        self.connections.finish(losses, &mut self.exchanges);
        self.hand_on(out);
        out.push(Step::Time(Timestamp(u64::MAX)));
    }

    fn drain(&mut self, losses: &mut Losses, out: &mut Vec<Step>) {
        let mut deliveries = std::mem::take(&mut self.deliveries);
        for delivery in deliveries.drain(..) {
            match &delivery.what {
                Segment::Hello(hello) => {
                    let name = hello.server_name.clone();
                    if let Some(name) = name.or_else(|| delivery.facts.server_name.clone()) {
                        out.push(Step::Hello {
                            stream: delivery.stream,
                            name,
                            facts: Arc::clone(&delivery.facts),
                            now: self.now,
                        });
                    }
                }
                Segment::Closed => out.push(Step::Closed(delivery.stream)),
                _ => {}
            }
            self.connections
                .push(&delivery, losses, &mut self.exchanges);
            self.hand_on(out);
        }
        self.deliveries = deliveries;
    }

    fn hand_on(&mut self, out: &mut Vec<Step>) {
        let exchanges = self.exchanges.drain(..);
        out.extend(exchanges.map(|exchange| Step::Exchange(Box::new(exchange), None)));
        let pages = self.connections.take_pages();
        out.extend(
            pages
                .into_iter()
                .map(|page| Step::Page(Box::new(page), None)),
        );
    }
}
