//! The beginning of the core: events to steps.
//!
//! In: events, and whole messages of redacted captures. Out: [`Step`]s in an order
//! that depends only on these. Several threads can examine the steps; their effects
//! are applied in this order.

use std::sync::Arc;

use hashbrown::{HashMap, HashSet};

use super::recorded::{self, Whole};
use crate::{
    event::{Blindness, Direction, Event, EventKind, Place, Source, StreamId, Timestamp},
    http::{Connections, Exchange, Page},
    loss::{Loss, Losses},
    message::Message,
    stream::{
        Delivery, Facts, RANDOM, Segment, Streams,
        client_hello::{Outcome, Reader},
    },
};

/// What a step weighs besides its payload, in bytes.
const STEP_BYTES: usize = 256;
/// How many tunnels are waited for.
const MAX_TUNNELS: usize = 4_096;
/// How often the time becomes a step, in nanoseconds of event time.
const TIME_STEP: u64 = 500_000_000;

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
        /// Where it is recorded, if it is.
        place: Option<Place>,
        /// By what the greeting is known again.
        random: Option<[u8; RANDOM]>,
        /// What a redacted capture holds of it.
        recorded: Option<Box<Message>>,
    },
    /// A stream over which a proxy was asked for a tunnel has begun to use it.
    Tunneled {
        /// The stream.
        stream: StreamId,
        /// Who saw it.
        source: Source,
        /// By what the greeting through the tunnel is known again, if it is one.
        random: Option<[u8; RANDOM]>,
        /// When.
        now: Timestamp,
    },
    /// The first plaintext of a TLS stream.
    Plaintext {
        /// The stream.
        stream: StreamId,
        /// The server's name.
        name: Arc<str>,
        /// When.
        now: Timestamp,
    },
    /// More than a handshake is sent over the TLS connection of a socket.
    Encrypted(StreamId, Timestamp),
    /// What keeps the TLS connection of a socket from being read.
    Obstacle(StreamId, Blindness),
    /// A stream ended.
    Closed(StreamId),
    /// A request with its response; with what a redacted capture holds of it.
    Exchange(Box<Exchange>, Option<Box<Message>>),
    /// A page that a server sent; with what a redacted capture holds of it.
    Page(Box<Page>, Option<Box<Message>>),
}

impl Step {
    /// Bytes of memory that it holds, about.
    pub(super) fn weight(&self) -> usize {
        let payload = match self {
            Self::Exchange(exchange, _) => {
                let request = &exchange.request;
                let lengths = request
                    .headers
                    .iter()
                    .map(|header| header.value.expose().len());
                lengths.sum::<usize>() + request.target.expose().len() + request.body.expose().len()
            }
            Self::Page(page, _) => page.body.expose().len(),
            Self::Time(_)
            | Self::Hello { .. }
            | Self::Tunneled { .. }
            | Self::Plaintext { .. }
            | Self::Encrypted(..)
            | Self::Obstacle(..)
            | Self::Closed(_) => 0,
        };
        payload.saturating_add(STEP_BYTES)
    }
}

/// The stages up to whole messages.
#[derive(Default)]
pub struct MessageAssembler {
    streams: Streams,
    connections: Connections,
    /// TLS streams whose first plaintext has come: at most as many as there are
    /// streams.
    plain: HashSet<StreamId>,
    /// Streams over which a proxy was asked for a tunnel that they do not use yet.
    tunnels: HashMap<StreamId, Reader>,
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
        self.streams.push(event, losses, &mut self.deliveries);
        self.drain(losses, out);
        if let EventKind::Opened(origin) = &event.kind
            && let Some(obstacle) = origin.blindness
        {
            out.push(Step::Obstacle(event.stream, obstacle));
        }
    }

    /// Takes a message of a redacted capture.
    pub fn message(&mut self, message: &Message, losses: &mut Losses, out: &mut Vec<Step>) {
        self.tick(message.time, losses, out);
        let recorded = Some(Box::new(message.clone()));
        if message.facts.greeting {
            let name = message.facts.host.as_deref().map(Arc::from);
            out.extend(name.map(|name| Step::Hello {
                stream: message.stream,
                name,
                facts: Arc::new(Facts {
                    origin: message.origin.clone(),
                    server_name: message.server_name.clone(),
                }),
                now: message.time,
                place: message.place.clone(),
                random: None,
                recorded,
            }));
            return;
        }
        match recorded::whole(message) {
            Some(Whole::Exchange(own)) => {
                out.push(Step::Exchange(Box::new(own), recorded));
            }
            Some(Whole::Page(own)) => out.push(Step::Page(Box::new(own), recorded)),
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
                            place: delivery.place.clone(),
                            random: hello.random,
                            recorded: None,
                        });
                    }
                }
                Segment::Bytes {
                    direction: Direction::Sent,
                    bytes,
                } => {
                    out.extend(self.first_plaintext(&delivery));
                    out.extend(self.tunneled(&delivery, bytes.expose()));
                }
                Segment::Encrypted => out.push(Step::Encrypted(delivery.stream, self.now)),
                _ => {}
            }
            self.connections
                .push(&delivery, losses, &mut self.exchanges);
            self.hand_on(out);
            // Behind its last requests.
            if matches!(delivery.what, Segment::Closed) {
                self.plain.remove(&delivery.stream);
                self.tunnels.remove(&delivery.stream);
                out.push(Step::Closed(delivery.stream));
            }
        }
        self.deliveries = deliveries;
    }

    /// The step for bytes that a process sent, if they are the first plaintext
    /// of a TLS stream whose server is known by its name. Without one the host of
    /// its first request tells it.
    fn first_plaintext(&mut self, delivery: &Delivery) -> Option<Step> {
        let origin = delivery.facts.origin.as_ref()?;
        let name = delivery.facts.server_name.as_ref()?;
        let is_first = origin.source.is_tls() && self.plain.insert(delivery.stream);
        is_first.then(|| Step::Plaintext {
            stream: delivery.stream,
            name: Arc::clone(name),
            now: self.now,
        })
    }

    /// The step for bytes that a process sent, if it is known with them what it sends
    /// through a tunnel first.
    fn tunneled(&mut self, delivery: &Delivery, bytes: &[u8]) -> Option<Step> {
        let random = match self.tunnels.get_mut(&delivery.stream)?.push(bytes) {
            Outcome::Incomplete => return None,
            Outcome::Parsed(hello) => hello.random,
            Outcome::NotMine | Outcome::Malformed => None,
        };
        self.tunnels.remove(&delivery.stream);
        let origin = delivery.facts.origin.as_ref()?;
        Some(Step::Tunneled {
            stream: delivery.stream,
            source: origin.source,
            random,
            now: self.now,
        })
    }

    fn hand_on(&mut self, out: &mut Vec<Step>) {
        for Exchange { request, .. } in &self.exchanges {
            if &*request.method == "CONNECT" && self.tunnels.len() < MAX_TUNNELS {
                self.tunnels.insert(request.stream, Reader::default());
            }
        }
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
