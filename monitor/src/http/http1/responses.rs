//! The direction of responses: bytes to heads and bodies.
//!
//! In: bytes and gaps in order; bodies are often missing. Out: calls of a
//! [`Visitor`], which knows the requests and so says what follows a head.

use std::mem;

use super::{
    body_reader::BodyReader,
    chunked::Progress,
    head::{self, Partial, ResponseHead, skip_blank},
};
use crate::{
    event::{Place, Timestamp},
    http::{message::Completeness, protocol::At},
};

const STATUS_LINE: &[u8] = b"HTTP/1.";

/// The head of a response, as far as it is there.
pub(super) struct Head {
    pub(super) text: Partial,
    /// When and where it began.
    pub(super) time: Timestamp,
    pub(super) place: Option<Place>,
}

/// What follows the head of a response, which depends on its request.
pub(super) enum Follows {
    /// Its body.
    Body(BodyReader),
    /// The next response.
    Response,
    /// Something whose end is not known.
    Unknown,
    /// Another protocol.
    Other,
}

/// Methods whose response has a different form.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Connect,
    Head,
    Other,
}

impl Method {
    pub(super) fn of(method: &str) -> Self {
        match method {
            "CONNECT" => Self::Connect,
            "HEAD" => Self::Head,
            _ => Self::Other,
        }
    }
}

impl Follows {
    /// What follows the head of the final response to a request with `method`
    /// (RFC 9112, section 6.3). Never [`Follows::Unknown`]: without a length the
    /// body ends with the connection.
    pub(super) fn after(response: ResponseHead, method: Method) -> Self {
        match (response.status, method) {
            (101, _) | (200..=299, Method::Connect) => Self::Other,
            (204 | 304, _) | (_, Method::Head) => Self::Response,
            _ => Self::Body(BodyReader::of(response.framing).unwrap_or(BodyReader::Close)),
        }
    }
}

/// Receives the parts of responses.
pub(super) trait Visitor {
    /// The head of a response. Returns what follows it.
    fn head(&mut self, head: Head, response: ResponseHead) -> Follows;

    /// A head whose end is missing, behind its status line. Returns what
    /// follows it, as far as can be said.
    fn cut_head(&mut self, _response: ResponseHead) -> Follows {
        Follows::Unknown
    }

    /// More of the body that the last head announced.
    fn body(&mut self, _data: &[u8]) {}

    /// The end of that body, or of what can be seen of it.
    fn end(&mut self, _completeness: Completeness) {}

    /// From here to the next head responses may be left out.
    fn lost(&mut self) {}
}

enum State {
    Start,
    Head(Box<Head>),
    Body(BodyReader),
    /// Not known to be at the beginning of a response.
    Lost,
    Off,
}

/// The state of one connection's responses.
pub(super) struct Responses {
    state: State,
}

impl Default for Responses {
    fn default() -> Self {
        Self {
            state: State::Start,
        }
    }
}

impl Responses {
    /// Bytes of memory that an unfinished head holds, about.
    pub(super) fn memory(&self) -> usize {
        match &self.state {
            State::Head(head) => head.text.bytes.capacity(),
            State::Body(frame) => frame.memory(),
            State::Start | State::Lost | State::Off => 0,
        }
    }

    /// Takes the next bytes.
    pub(super) fn push(&mut self, segment: &[u8], at: At<'_>, visitor: &mut impl Visitor) {
        let begin = || {
            State::Head(Box::new(Head {
                text: Partial::default(),
                time: at.time,
                place: at.place.cloned(),
            }))
        };
        let mut bytes = segment;
        while !bytes.is_empty() {
            match mem::replace(&mut self.state, State::Start) {
                State::Off => {
                    self.state = State::Off;
                    return;
                }
                State::Lost if !could_begin(bytes) => {
                    self.state = State::Lost;
                    return;
                }
                State::Lost => self.state = begin(),
                State::Start => {
                    skip_blank(&mut bytes);
                    if !bytes.is_empty() {
                        self.state = begin();
                    }
                }
                State::Head(mut head) => {
                    let began_earlier = !head.text.bytes.is_empty();
                    let (_, ended) = head.text.push(&mut bytes);
                    self.state = if !could_begin(&head.text.bytes) {
                        // What is no response may still end where one begins.
                        bytes = if began_earlier { segment } else { &[] };
                        lose(visitor)
                    } else if ended {
                        after_head(*head, visitor)
                    } else {
                        State::Head(head)
                    };
                }
                State::Body(mut frame) => {
                    self.state = match frame.push(&mut bytes, |data| visitor.body(data)) {
                        Progress::Incomplete => State::Body(frame),
                        Progress::Done => {
                            visitor.end(Completeness::Complete);
                            State::Start
                        }
                        Progress::Malformed => {
                            bytes = &[];
                            visitor.end(Completeness::Truncated);
                            lose(visitor)
                        }
                    };
                }
            }
        }
    }

    /// Passes over `length` bytes that are missing. What follows them is no
    /// longer read as part of a body.
    pub(super) fn push_gap(&mut self, length: u64, visitor: &mut impl Visitor) {
        if length == 0 {
            return;
        }
        self.state = match mem::replace(&mut self.state, State::Lost) {
            State::Off => State::Off,
            State::Start | State::Lost => lose(visitor),
            State::Head(head) => {
                // The end of the head is missing, but its status may be known.
                let bytes = &head.text.bytes;
                let whole_line = memchr::memchr(b'\n', bytes).is_some();
                match head::response(bytes).filter(|_| whole_line) {
                    Some(response) if matches!(visitor.cut_head(response), Follows::Other) => {
                        State::Off
                    }
                    _ => lose(visitor),
                }
            }
            State::Body(mut frame) => {
                visitor.end(Completeness::Gap);
                match frame.skip(length) {
                    Progress::Incomplete => State::Body(frame),
                    Progress::Done => State::Start,
                    Progress::Malformed => lose(visitor),
                }
            }
        };
    }

    /// The end of the stream.
    pub(super) fn finish(&mut self, visitor: &mut impl Visitor) {
        if let State::Body(frame) = mem::replace(&mut self.state, State::Off) {
            visitor.end(match frame {
                BodyReader::Close => Completeness::Complete,
                BodyReader::Length(_) | BodyReader::Chunked(_) => Completeness::Truncated,
            });
        }
    }
}

/// Whether the bytes are the beginning of a status line, as far as they go.
pub(super) fn could_begin(bytes: &[u8]) -> bool {
    bytes
        .iter()
        .zip(STATUS_LINE)
        .all(|(byte, expected)| byte == expected)
}

fn after_head(head: Head, visitor: &mut impl Visitor) -> State {
    let Some(response) = head::response(&head.text.bytes) else {
        return lose(visitor);
    };
    match visitor.head(head, response) {
        Follows::Body(BodyReader::Length(0)) => {
            visitor.end(Completeness::Complete);
            State::Start
        }
        Follows::Body(frame) => State::Body(frame),
        Follows::Response => State::Start,
        Follows::Unknown => lose(visitor),
        Follows::Other => State::Off,
    }
}

fn lose(visitor: &mut impl Visitor) -> State {
    visitor.lost();
    State::Lost
}
