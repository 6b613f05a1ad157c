//! HTTP archives (HAR 1.2) to events: one stream for each entry.
//!
//! In: the JSON text. Out: for each entry an origin, the server name, the
//! request and the response written out as HTTP/1.1, and the end. Bodies are as
//! the browser or proxy stored them, decoded, so the framing headers of the
//! original are replaced. What is cut off or malformed is counted and the
//! entries before it are kept. One entry is in memory at a time.

mod message;
mod scan;

use std::{
    collections::VecDeque,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use bytes::Bytes;
use message::{Address, text, write_request, write_response};
use scan::{Kept, Scanner};
use serde_json::Value;

use crate::{
    capture::{CaptureError, file::Input},
    event::{Data, Direction, Event, EventKind, Origin, Place, Source, StreamId, Timestamp},
    loss::{Loss, Losses},
    secret::Secret,
};

/// Schemes of requests that never left the browser.
const LOCAL_SCHEMES: [&str; 8] = [
    "data:",
    "blob:",
    "about:",
    "file:",
    "chrome:",
    "chrome-extension:",
    "moz-extension:",
    "safari-web-extension:",
];

/// An archive while it is read.
pub(in crate::capture) struct Entries<'a> {
    scanner: Scanner<'a>,
    file: Arc<str>,
    number: u64,
    /// Time of the last entry, for entries without a valid one.
    time: Timestamp,
    kept: Kept,
    current: Value,
    /// The request of the current entry as text, and its destination.
    request: Option<(Address, Secret<Bytes>)>,
}

impl<'a> Entries<'a> {
    /// Advances to the entries of an archive. `None` if it is none.
    pub(in crate::capture) fn open(
        input: Input<'a>,
        file: Arc<str>,
    ) -> Result<Option<Self>, CaptureError> {
        let mut scanner = Scanner(input);
        scanner.skip_mark()?;
        for wanted in [&b"log"[..], b"entries"] {
            if !scanner.take(b'{')? {
                return Ok(None);
            }
            loop {
                match scanner.key()? {
                    None => return Ok(None),
                    Some(key) if key == wanted => break,
                    Some(_) => {}
                }
                if !scanner.value(None)? || !scanner.take(b',')? {
                    return Ok(None);
                }
            }
        }
        if !scanner.take(b'[')? {
            return Ok(None);
        }
        Ok(Some(Self {
            scanner,
            file,
            number: 0,
            time: Timestamp::default(),
            kept: Kept::default(),
            current: Value::Null,
            request: None,
        }))
    }

    /// Goes to the next entry. `false` at the end.
    pub(in crate::capture) fn advance(
        &mut self,
        losses: &mut Losses,
    ) -> Result<bool, CaptureError> {
        loop {
            let is_first = self.number == 0;
            if self.scanner.take(b']')? {
                self.finish(losses)?;
                return Ok(false);
            }
            if !is_first && !self.scanner.take(b',')? {
                return self.give_up(losses);
            }
            self.number += 1;
            self.kept.clear();
            if !self.scanner.value(Some(&mut self.kept))? {
                return self.give_up(losses);
            }
            if self.kept.is_cut || self.kept.is_over {
                losses.count(Loss::CaptureTruncated);
            }
            if self.kept.is_over {
                continue;
            }
            // An archive is UTF-8 text, but some exporters write other
            // encodings.
            let text = String::from_utf8_lossy(&self.kept.text);
            let Ok(entry) = serde_json::from_str(&text) else {
                losses.count(Loss::CaptureMalformed);
                if text.is_empty() {
                    return self.give_up(losses);
                }
                continue;
            };
            self.current = entry;
            if is_local(&self.current) {
                continue;
            }
            self.request = request(&self.current);
            if self.request.is_none() {
                losses.count(Loss::CaptureMalformed);
                continue;
            }
            self.time = text_time(&self.current).unwrap_or(self.time);
            return Ok(true);
        }
    }

    /// The text ends here, or is none that has entries.
    fn give_up(&mut self, losses: &mut Losses) -> Result<bool, CaptureError> {
        let is_at_end = self.scanner.peek()?.is_none();
        losses.count(if is_at_end {
            Loss::CaptureTruncated
        } else {
            Loss::CaptureMalformed
        });
        Ok(false)
    }

    /// Reads what follows the entries, to find out whether something is
    /// missing.
    fn finish(&mut self, losses: &mut Losses) -> Result<(), CaptureError> {
        for _ in ["log", "archive"] {
            while self.scanner.take(b',')? {
                if self.scanner.key()?.is_none() || !self.scanner.value(None)? {
                    return self.give_up(losses).map(|_| ());
                }
            }
            if !self.scanner.take(b'}')? {
                return self.give_up(losses).map(|_| ());
            }
        }
        if self.scanner.peek()?.is_some() {
            losses.count(Loss::CaptureMalformed);
        }
        Ok(())
    }

    /// When the current entry began.
    pub(in crate::capture) const fn time(&self) -> Timestamp {
        self.time
    }

    /// Appends the events of the current entry. `next_handle` numbers the
    /// streams.
    pub(in crate::capture) fn take(
        &self,
        next_handle: &mut dyn FnMut() -> u64,
        queue: &mut VecDeque<Event>,
        losses: &mut Losses,
    ) {
        let (entry, time) = (&self.current, self.time);
        let Some((address, sent)) = &self.request else {
            return;
        };
        let stream = StreamId {
            owner: 0,
            handle: next_handle(),
            born: time.0,
        };
        let place = Place {
            file: Arc::clone(&self.file),
            packet: self.number,
        };
        let mut push = |time, kind| {
            let is_placed = matches!(kind, EventKind::Data(_) | EventKind::Named(_));
            let place = is_placed.then(|| place.clone());
            queue.push_back(Event {
                time,
                stream,
                place,
                kind,
            });
        };
        let peer = text(entry, "serverIPAddress")
            .and_then(|ip| ip.trim_matches(['[', ']']).parse::<IpAddr>().ok())
            .map(|ip| SocketAddr::new(ip, address.port));
        let origin = Origin {
            source: Source::Har,
            process: None,
            local: None,
            peer,
            one_way: false,
            blindness: None,
        };
        push(time, EventKind::Opened(Arc::new(origin)));
        if address.is_https
            && address.host.parse::<IpAddr>().is_err()
            && !address.host.starts_with('[')
        {
            push(time, EventKind::Named(address.host.as_str().into()));
        }
        push(time, data(Direction::Sent, sent.clone()));
        let wait = entry
            .get("time")
            .and_then(Value::as_f64)
            .unwrap_or(0.0)
            .clamp(0.0, 1e9);
        #[expect(clippy::cast_sign_loss, reason = "clamped to positive values")]
        let end = time.plus((wait * 1e6) as u64);
        let method = entry
            .get("request")
            .and_then(|request| text(request, "method"));
        if let Some((received, missing)) = entry
            .get("response")
            .and_then(|response| write_response(response, method))
        {
            let offset = received.len() as u64;
            push(end, data(Direction::Received, Secret::new(received.into())));
            if missing > 0 {
                let direction = Direction::Received;
                push(
                    end,
                    EventKind::Missing {
                        direction,
                        offset,
                        length: missing,
                        loss: None,
                    },
                );
            }
        }
        push(end, EventKind::Closed);
        let frames = entry.get("_webSocketMessages").and_then(Value::as_array);
        losses.add(
            Loss::CaptureWebSocket,
            frames.map_or(0, |frames| frames.len() as u64),
        );
    }
}

/// The destination of an entry's request, and the request. `None` if it lacks
/// one.
fn request(entry: &Value) -> Option<(Address, Secret<Bytes>)> {
    let request = entry.get("request")?;
    let address = Address::parse(text(request, "url")?)?;
    let (head, body) = write_request(request, &address)?;
    let sent = [head.into_bytes(), body].concat();
    Some((address, Secret::new(sent.into())))
}

fn is_local(entry: &Value) -> bool {
    entry
        .get("request")
        .and_then(|request| text(request, "url"))
        .is_some_and(|url| LOCAL_SCHEMES.iter().any(|scheme| url.starts_with(scheme)))
}

fn text_time(entry: &Value) -> Option<Timestamp> {
    Timestamp::parse(text(entry, "startedDateTime")?)
}

const fn data(direction: Direction, bytes: Secret<Bytes>) -> EventKind {
    EventKind::Data(Data {
        direction,
        offset: 0,
        bytes,
    })
}

#[cfg(test)]
mod tests;
