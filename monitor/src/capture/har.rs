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

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::har_time::parse_time;
use crate::{
    event::{Data, Direction, Event, EventKind, Origin, Place, Source, StreamId, Timestamp},
    loss::{Loss, Losses},
    secret::Secret,
};

/// The longest archive that is read, in bytes; a longer one is cut there.
pub(super) const MAX_ARCHIVE: u64 = 256 << 20;

/// Divides the parts of a form that the archive holds as parameters.
const BOUNDARY: &str = "phiwatch-part-boundary";

/// Headers that described how the original body was transferred.
const FRAMING: [&str; 4] = [
    "content-encoding",
    "transfer-encoding",
    "content-length",
    "trailer",
];

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

fn text<'v>(value: &'v Value, key: &str) -> Option<&'v str> {
    value.get(key)?.as_str()
}

fn list<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = &'v Value> {
    value
        .get(key)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

/// What a URL says about the connection and the request line.
struct Address {
    is_https: bool,
    host: String,
    /// Host and port as the Host header has them.
    authority: String,
    port: u16,
    target: String,
}

impl Address {
    fn parse(url: &str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let is_https = matches!(scheme.to_ascii_lowercase().as_str(), "https" | "wss");
        let rest = rest.split('#').next()?;
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at_checked(end)?;
        let authority = authority.rsplit('@').next()?;
        // The colons of an IPv6 address stand in brackets.
        let digits = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if digits(port) => (host, port.parse().ok()),
            _ => (authority, None),
        };
        if host.is_empty() {
            return None;
        }
        let slash = if target.starts_with('/') { "" } else { "/" };
        Some(Self {
            is_https,
            host: host.to_ascii_lowercase(),
            authority: one_line(authority),
            port: port.unwrap_or(if is_https { 443 } else { 80 }),
            target: format!(
                "{slash}{}",
                target.replace(|c: char| c.is_whitespace() || c.is_control(), "%20")
            ),
        })
    }
}

/// `text` with nothing in it that could end a header line.
fn one_line(text: &str) -> String {
    text.replace(|character: char| character.is_control(), " ")
}

fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

fn write_request(request: &Value, address: &Address) -> Option<(String, Vec<u8>)> {
    let method = text(request, "method").filter(|method| is_token(method))?;
    let mut head = format!("{method} {} HTTP/1.1\r\n", address.target);
    let named = |name: &str| {
        list(request, "headers")
            .find(|header| {
                text(header, "name").is_some_and(|known| known.eq_ignore_ascii_case(name))
            })
            .and_then(|header| text(header, "value"))
    };
    let host = named("host").or_else(|| named(":authority")).map(one_line);
    push_header(
        &mut head,
        "Host",
        host.as_deref().unwrap_or(&address.authority),
    );
    let (body, content_type) = request.get("postData").map(write_post).unwrap_or_default();
    push_headers(&mut head, request, |name| {
        name.eq_ignore_ascii_case("host")
            || (content_type.is_some() && name.eq_ignore_ascii_case("content-type"))
    });
    if let Some(content_type) = &content_type {
        push_header(&mut head, "Content-Type", content_type);
    }
    if !body.is_empty() || request.get("postData").is_some() {
        push_header(&mut head, "Content-Length", &body.len().to_string());
    }
    head.push_str("\r\n");
    Some((head, body))
}

fn push_headers(head: &mut String, message: &Value, leave_out: impl Fn(&str) -> bool) {
    for header in list(message, "headers") {
        if let (Some(name), Some(value)) = (text(header, "name"), text(header, "value"))
            && is_token(name)
            && !FRAMING
                .iter()
                .any(|framing| name.eq_ignore_ascii_case(framing))
            && !leave_out(name)
        {
            // Some exporters join repeated headers by line feeds.
            for line in value.lines() {
                push_header(head, name, line);
            }
        }
    }
}

fn push_header(head: &mut String, name: &str, value: &str) {
    head.push_str(name);
    head.push_str(": ");
    head.push_str(&one_line(value));
    head.push_str("\r\n");
}

/// The body of `post`, and its content type where it replaces the original.
fn write_post(post: &Value) -> (Vec<u8>, Option<String>) {
    if let Some(body) = text(post, "text").filter(|body| !body.is_empty()) {
        return (decode(body, text(post, "encoding")), None);
    }
    let parameters =
        || list(post, "params").filter_map(|parameter| Some((text(parameter, "name")?, parameter)));
    if parameters().next().is_none() {
        return (Vec::new(), None);
    }
    let kind = text(post, "mimeType")
        .unwrap_or_default()
        .to_ascii_lowercase();
    if kind.starts_with("multipart/form-data") {
        let mut body = String::new();
        for (name, parameter) in parameters() {
            let quoted = |value: &str| one_line(value).replace('"', "%22");
            body.push_str(&format!(
                "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{}\"",
                quoted(name)
            ));
            if let Some(file) = text(parameter, "fileName") {
                body.push_str(&format!("; filename=\"{}\"", quoted(file)));
            }
            if let Some(kind) = text(parameter, "contentType") {
                body.push_str(&format!("\r\nContent-Type: {}", one_line(kind)));
            }
            body.push_str(&format!(
                "\r\n\r\n{}\r\n",
                text(parameter, "value").unwrap_or_default()
            ));
        }
        body.push_str(&format!("--{BOUNDARY}--\r\n"));
        return (
            body.into_bytes(),
            Some(format!("multipart/form-data; boundary={BOUNDARY}")),
        );
    }
    // Exporters differ in whether parameters are still encoded; a value that
    // cannot stand in a form as it is was decoded.
    let encoded = |value: &str| {
        let is_form = value
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-._~%+*".contains(&b));
        if is_form {
            value.to_owned()
        } else {
            utf8_percent_encode(value, NON_ALPHANUMERIC).to_string()
        }
    };
    let pairs: Vec<String> = parameters()
        .map(|(name, parameter)| {
            format!(
                "{}={}",
                encoded(name),
                encoded(text(parameter, "value").unwrap_or_default())
            )
        })
        .collect();
    (
        pairs.join("&").into_bytes(),
        Some("application/x-www-form-urlencoded".to_owned()),
    )
}

fn decode(body: &str, encoding: Option<&str>) -> Vec<u8> {
    if encoding == Some("base64")
        && let Ok(bytes) = STANDARD.decode(body)
    {
        return bytes;
    }
    body.as_bytes().to_vec()
}

/// The response written out, and how many bytes of its body the archive lacks.
/// `None` if there was no response.
fn write_response(response: &Value, method: Option<&str>) -> Option<(Vec<u8>, u64)> {
    let status = response
        .get("status")?
        .as_u64()
        .filter(|status| (100..1_000).contains(status))?;
    let reason = one_line(text(response, "statusText").unwrap_or_default());
    let mut head = format!("HTTP/1.1 {status} {reason}\r\n");
    push_headers(&mut head, response, |_| false);
    let content = response.get("content");
    let body = content
        .and_then(|content| Some(decode(text(content, "text")?, text(content, "encoding"))))
        .unwrap_or_default();
    let size = content
        .and_then(|content| content.get("size"))
        .and_then(Value::as_u64)
        .unwrap_or(0);
    let has_body = method != Some("HEAD") && !matches!(status, 100..=199 | 204 | 304);
    let missing = if has_body && body.is_empty() { size } else { 0 };
    if has_body {
        push_header(
            &mut head,
            "Content-Length",
            &(body.len() as u64 + missing).to_string(),
        );
    }
    head.push_str("\r\n");
    let mut bytes = head.into_bytes();
    if has_body {
        bytes.extend_from_slice(&body);
    }
    Some((bytes, missing))
}

#[cfg(test)]
mod tests;
