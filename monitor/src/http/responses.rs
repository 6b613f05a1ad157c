//! The direction that the process reads: bytes to the status of each answer.
//!
//! In: bytes and gaps in order; bodies are usually missing. Out: statuses, in
//! order. Bodies are skipped.

use std::mem;

use super::{
    chunked::{Chunked, Progress},
    head::{self, Framing, MAX_HEAD, Scan},
};

const STATUS_LINE: &[u8] = b"HTTP/1.";

/// What follows the head of a response, which depends on its request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Follows {
    /// The body that its headers describe.
    Body,
    /// The next response.
    Response,
    /// Another protocol.
    Other,
}

#[derive(Default)]
struct Head {
    bytes: Vec<u8>,
    scan: Scan,
}

enum State {
    Start,
    Head(Box<Head>),
    Length(u64),
    Chunked(Box<Chunked>),
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
            State::Head(head) => head.bytes.capacity(),
            State::Chunked(chunked) => chunked.trailer.capacity(),
            State::Start | State::Length(_) | State::Lost | State::Off => 0,
        }
    }

    /// Takes the next bytes. `pair` receives each status, and returns what
    /// follows.
    pub(super) fn push(&mut self, segment: &[u8], mut pair: impl FnMut(u16) -> Follows) {
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
                State::Lost => self.state = State::Head(Box::default()),
                State::Start => {
                    let blank = bytes
                        .iter()
                        .take_while(|byte| matches!(byte, b'\r' | b'\n'))
                        .count();
                    bytes = bytes.get(blank..).unwrap_or_default();
                    if !bytes.is_empty() {
                        self.state = State::Head(Box::default());
                    }
                }
                State::Head(mut head) => {
                    let began_earlier = !head.bytes.is_empty();
                    let end = head.scan.push(bytes);
                    let (taken, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
                    bytes = rest;
                    let room = MAX_HEAD.saturating_sub(head.bytes.len());
                    head.bytes
                        .extend_from_slice(taken.get(..room).unwrap_or(taken));
                    self.state = if !could_begin(&head.bytes) {
                        // What is no response may still end where one begins.
                        bytes = if began_earlier { segment } else { &[] };
                        State::Lost
                    } else if end.is_some() {
                        after_head(&head.bytes, &mut pair)
                    } else {
                        State::Head(head)
                    };
                }
                State::Length(remaining) => {
                    let length = usize::try_from(remaining)
                        .unwrap_or(usize::MAX)
                        .min(bytes.len());
                    bytes = bytes.get(length..).unwrap_or_default();
                    self.state = after_length(remaining.saturating_sub(length as u64));
                }
                State::Chunked(mut chunked) => {
                    self.state = match chunked.push(&mut bytes, |_| {}) {
                        Progress::Incomplete => State::Chunked(chunked),
                        Progress::Done => State::Start,
                        Progress::Malformed => State::Lost,
                    };
                    if matches!(self.state, State::Lost) {
                        return;
                    }
                }
            }
        }
    }

    /// Passes over `length` bytes that are missing.
    pub(super) fn push_gap(&mut self, length: u64, mut pair: impl FnMut(u16) -> Follows) {
        if length == 0 {
            return;
        }
        self.state = match mem::replace(&mut self.state, State::Lost) {
            State::Off => State::Off,
            State::Start | State::Lost => State::Lost,
            State::Head(head) => {
                // The end of the head is missing, but its status may be known.
                let whole_line = memchr::memchr(b'\n', &head.bytes).is_some();
                match head::response(&head.bytes).filter(|_| whole_line) {
                    Some(response) if pair(response.status) == Follows::Other => State::Off,
                    _ => State::Lost,
                }
            }
            State::Length(remaining) => remaining
                .checked_sub(length)
                .map_or(State::Lost, after_length),
            State::Chunked(mut chunked) => {
                if chunked.skip(length) {
                    State::Chunked(chunked)
                } else {
                    State::Lost
                }
            }
        };
    }
}

/// Whether the bytes are the beginning of a status line, as far as they go.
pub(super) fn could_begin(bytes: &[u8]) -> bool {
    bytes
        .iter()
        .zip(STATUS_LINE)
        .all(|(byte, expected)| byte == expected)
}

fn after_head(head: &[u8], pair: &mut impl FnMut(u16) -> Follows) -> State {
    let Some(response) = head::response(head) else {
        return State::Lost;
    };
    match (pair(response.status), response.framing) {
        (Follows::Other, _) => State::Off,
        (Follows::Response, _) => State::Start,
        (Follows::Body, Framing::Length(length)) => after_length(length),
        (Follows::Body, Framing::Chunked) => State::Chunked(Box::default()),
        // The body ends with the connection.
        (Follows::Body, Framing::Unsaid | Framing::Broken) => State::Lost,
    }
}

const fn after_length(remaining: u64) -> State {
    if remaining == 0 {
        State::Start
    } else {
        State::Length(remaining)
    }
}
