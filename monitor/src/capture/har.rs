//! HTTP archives (HAR 1.2) to events: one stream for each entry.
//!
//! In: the JSON text. Out: for each entry an origin, the server name, the
//! request and the response written out as HTTP/1.1, and the end. Bodies are as
//! the browser or proxy stored them, decoded, so the framing headers of the
//! original are replaced. What is cut off or malformed is counted and the
//! entries before it are kept.

use std::{
    collections::VecDeque,
    fmt,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use bytes::Bytes;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::{
    har_message::{Address, text, write_request, write_response},
    har_time::parse_time,
};
use crate::{
    event::{Data, Direction, Event, EventKind, Origin, Place, Source, StreamId, Timestamp},
    loss::{Loss, Losses},
    secret::Secret,
};

/// The longest archive that is read, in bytes; a longer one is cut there.
pub(super) const MAX_ARCHIVE: u64 = 256 << 20;

/// Appends the events of the archive in `text` to `queue`. `false` if it is no
/// archive. `next_handle` numbers the streams.
pub(super) fn read(
    text: &[u8],
    file: &Arc<str>,
    next_handle: &mut dyn FnMut() -> u64,
    queue: &mut VecDeque<Event>,
    losses: &mut Losses,
) -> bool {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let mut archive = Archive {
        file,
        next_handle,
        queue,
        losses,
        entries: 0,
        has_entries: false,
        time: Timestamp::default(),
    };
    let mut parser = serde_json::Deserializer::from_slice(text);
    let result = Level::Top(&mut archive)
        .deserialize(&mut parser)
        .and_then(|()| parser.end());
    let has_entries = archive.has_entries;
    if let Err(error) = result
        && has_entries
    {
        losses.count(if error.is_eof() {
            Loss::CaptureTruncated
        } else {
            Loss::CaptureMalformed
        });
    }
    has_entries
}

struct Archive<'a> {
    file: &'a Arc<str>,
    next_handle: &'a mut dyn FnMut() -> u64,
    queue: &'a mut VecDeque<Event>,
    losses: &'a mut Losses,
    entries: u64,
    has_entries: bool,
    /// Time of the last entry, for entries without a valid one.
    time: Timestamp,
}

/// How deep the reader is: the archive, its `log`, the `entries` of that.
enum Level<'x, 'a> {
    Top(&'x mut Archive<'a>),
    Log(&'x mut Archive<'a>),
    Entries(&'x mut Archive<'a>),
}

impl<'de> DeserializeSeed<'de> for Level<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self {
            Self::Entries(_) => deserializer.deserialize_seq(self),
            Self::Top(_) | Self::Log(_) => deserializer.deserialize_map(self),
        }
    }
}

impl<'de> Visitor<'de> for Level<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an HTTP archive")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let (archive, is_top) = match self {
            Self::Top(archive) => (archive, true),
            Self::Log(archive) | Self::Entries(archive) => (archive, false),
        };
        while let Some(key) = map.next_key::<String>()? {
            match (is_top, key.as_str()) {
                (true, "log") => map.next_value_seed(Level::Log(archive))?,
                (false, "entries") => map.next_value_seed(Level::Entries(archive))?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<(), A::Error> {
        let Self::Entries(archive) = self else {
            return Ok(());
        };
        archive.has_entries = true;
        while let Some(entry) = sequence.next_element::<Value>()? {
            archive.entries += 1;
            if archive.entry(&entry).is_none() {
                archive.losses.count(Loss::CaptureMalformed);
            }
        }
        Ok(())
    }
}

impl Archive<'_> {
    /// Appends the events of one entry; `None` if it lacks a request.
    fn entry(&mut self, entry: &Value) -> Option<()> {
        let request = entry.get("request")?;
        let address = Address::parse(text(request, "url")?)?;
        let time = text(entry, "startedDateTime")
            .and_then(parse_time)
            .unwrap_or(self.time);
        self.time = time;
        let (head, body) = write_request(request, &address)?;
        let stream = StreamId {
            owner: 0,
            handle: (self.next_handle)(),
            born: time.0,
        };
        let place = Place {
            file: Arc::clone(self.file),
            packet: self.entries,
        };
        let mut push = |time, kind| {
            let is_placed = matches!(kind, EventKind::Data(_) | EventKind::Named(_));
            let place = is_placed.then(|| place.clone());
            self.queue.push_back(Event {
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
        };
        push(time, EventKind::Opened(Arc::new(origin)));
        if address.is_https
            && address.host.parse::<IpAddr>().is_err()
            && !address.host.starts_with('[')
        {
            push(time, EventKind::Named(address.host.as_str().into()));
        }
        let mut sent = head.into_bytes();
        sent.extend_from_slice(&body);
        push(time, data(Direction::Sent, sent));
        let wait = entry
            .get("time")
            .and_then(Value::as_f64)
            .unwrap_or(0.0)
            .clamp(0.0, 1e9);
        #[expect(clippy::cast_sign_loss, reason = "clamped to positive values")]
        let end = time.plus((wait * 1e6) as u64);
        if let Some((received, missing)) = entry
            .get("response")
            .and_then(|response| write_response(response, text(request, "method")))
        {
            let offset = received.len() as u64;
            push(end, data(Direction::Received, received));
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
        Some(())
    }
}

fn data(direction: Direction, bytes: Vec<u8>) -> EventKind {
    EventKind::Data(Data {
        direction,
        offset: 0,
        bytes: Secret::new(Bytes::from(bytes)),
    })
}

#[cfg(test)]
mod tests;
