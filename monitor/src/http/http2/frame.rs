//! The frames of HTTP/2 (RFC 9113, section 4).
//!
//! In: the bytes of one direction in any split, or how many of them are missing. Out:
//! [`Step`]s: the heads of frames, and what is in them without padding.

use std::mem;

/// How a client begins.
pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Bytes before the payload of a frame.
const HEAD_LENGTH: usize = 9;

/// Types of frames.
pub(crate) mod kind {
    pub(in super::super) const DATA: u8 = 0;
    pub(in super::super) const HEADERS: u8 = 1;
    pub(super) const PRIORITY: u8 = 2;
    pub(in super::super) const RST_STREAM: u8 = 3;
    /// Each side sends it first.
    pub(crate) const SETTINGS: u8 = 4;
    pub(in super::super) const PUSH_PROMISE: u8 = 5;
    pub(super) const PING: u8 = 6;
    pub(in super::super) const GOAWAY: u8 = 7;
    pub(super) const WINDOW_UPDATE: u8 = 8;
    pub(in super::super) const CONTINUATION: u8 = 9;
}

/// Flags of frames.
pub(super) mod flag {
    /// Of DATA and HEADERS: the last of its stream.
    pub(in super::super) const END_STREAM: u8 = 1;
    /// Of SETTINGS and PING: an answer.
    pub(super) const ACK: u8 = 1;
    /// Of HEADERS, `PUSH_PROMISE` and CONTINUATION: the last of the header block.
    pub(in super::super) const END_HEADERS: u8 = 4;
    pub(super) const PADDED: u8 = 8;
    /// Of HEADERS: fields of a priority come first.
    pub(super) const PRIORITY: u8 = 32;
}

/// The head of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FrameHead {
    /// Bytes behind the head.
    pub(super) length: u32,
    pub(super) kind: u8,
    pub(super) flags: u8,
    pub(super) stream: u32,
}

impl FrameHead {
    /// The head that these bytes are.
    const fn parse(bytes: [u8; HEAD_LENGTH]) -> Self {
        let [high, middle, low, kind, flags, stream @ ..] = bytes;
        let [a, b, c, d, ..] = stream;
        Self {
            length: u32::from_be_bytes([0, high, middle, low]),
            kind,
            flags,
            // The highest bit is reserved.
            stream: u32::from_be_bytes([a & 0x7f, b, c, d]),
        }
    }

    pub(super) const fn has(self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// Whether length and stream are such as the type demands.
    pub(super) const fn is_valid(self) -> bool {
        let is_on_stream = self.stream != 0;
        let is_sound = match self.kind {
            kind::DATA | kind::HEADERS | kind::CONTINUATION | kind::PUSH_PROMISE => is_on_stream,
            kind::PRIORITY => is_on_stream && self.length == 5,
            kind::RST_STREAM => is_on_stream && self.length == 4,
            kind::SETTINGS if self.has(flag::ACK) => !is_on_stream && self.length == 0,
            kind::SETTINGS => !is_on_stream && self.length.is_multiple_of(6),
            kind::PING => !is_on_stream && self.length == 8,
            kind::GOAWAY => !is_on_stream && self.length >= 8,
            kind::WINDOW_UPDATE => self.length == 4,
            // Extensions, which must be ignored.
            _ => true,
        };
        is_sound && self.length >= self.fields()
    }

    /// Whether it is as clients and servers make them: of a known type, alone in its
    /// header block, and without flags that have no meaning.
    pub(super) const fn is_usual(self) -> bool {
        let flags = match self.kind {
            kind::DATA => flag::END_STREAM | flag::PADDED,
            kind::HEADERS => {
                if !self.has(flag::END_HEADERS) {
                    return false;
                }
                flag::END_STREAM | flag::END_HEADERS | flag::PADDED | flag::PRIORITY
            }
            kind::SETTINGS | kind::PING => flag::ACK,
            kind::PRIORITY | kind::RST_STREAM | kind::GOAWAY | kind::WINDOW_UPDATE => 0,
            _ => return false,
        };
        self.flags & !flags == 0 && (self.stream == 0 || self.stream % 2 == 1)
    }

    /// Length with the head.
    pub(super) const fn wire_length(self) -> u64 {
        HEAD_LENGTH as u64 + self.length as u64
    }

    /// Bytes of fields in front of the content.
    const fn fields(self) -> u32 {
        let padding = match self.kind {
            kind::DATA | kind::HEADERS | kind::PUSH_PROMISE if self.has(flag::PADDED) => 1,
            _ => 0,
        };
        padding
            + match self.kind {
                kind::HEADERS if self.has(flag::PRIORITY) => 5,
                kind::PUSH_PROMISE => 4,
                _ => 0,
            }
    }

    const fn is_padded(self) -> bool {
        matches!(self.kind, kind::DATA | kind::HEADERS | kind::PUSH_PROMISE)
            && self.has(flag::PADDED)
    }
}

/// Length of the preface or of the frame that begins here, once it is known.
pub(crate) fn unit(bytes: &[u8]) -> Option<usize> {
    if bytes.starts_with(PREFACE) {
        return Some(PREFACE.len());
    }
    let head = bytes.first_chunk::<HEAD_LENGTH>()?;
    let length = FrameHead::parse(*head).length as usize;
    (!PREFACE.starts_with(head)).then_some(HEAD_LENGTH + length)
}

/// What comes next in a direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step<'a> {
    Frame(FrameHead),
    /// More of what the last frame holds.
    Content(&'a [u8]),
    /// That frame ended.
    End(FrameHead),
    /// The bytes are no frame.
    Malformed,
}

/// What is known behind missing bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Behind {
    /// They were this much of the content of the last frame, which goes on or ends.
    Content(u32),
    /// Where a frame begins is unknown.
    Unknown,
}

/// A frame that is coming in.
#[derive(Clone, Copy)]
struct Open {
    head: FrameHead,
    /// Whether the next byte says how long the padding is.
    is_padding_next: bool,
    /// Bytes before the content.
    fields: u32,
    content: u32,
    padding: u32,
}

/// Where the next byte is.
#[derive(Clone, Copy)]
enum State {
    /// In the preface, behind so many bytes of it.
    Preface(usize),
    Head([u8; HEAD_LENGTH], usize),
    Frame(Open),
}

/// Finds the frames of one direction.
pub(super) struct Frames {
    state: State,
}

impl Frames {
    /// At the preface, which a client sends first.
    pub(super) const fn at_preface() -> Self {
        Self {
            state: State::Preface(0),
        }
    }

    /// Where a frame begins.
    pub(super) const fn at_frame() -> Self {
        Self {
            state: State::Head([0; HEAD_LENGTH], 0),
        }
    }

    /// Whether the next byte may begin a frame.
    pub(super) const fn is_at_frame(&self) -> bool {
        matches!(self.state, State::Head(_, 0) | State::Preface(_))
    }

    /// Takes the next step, and its bytes from the front of `bytes`. `None` if more
    /// bytes are needed.
    pub(super) fn next<'a>(&mut self, bytes: &mut &'a [u8]) -> Option<Step<'a>> {
        loop {
            match &mut self.state {
                State::Preface(seen) => {
                    let expected = PREFACE.get(*seen..).unwrap_or_default();
                    let taken = take(bytes, expected.len());
                    *seen += taken.len();
                    if !expected.starts_with(taken) {
                        return Some(Step::Malformed);
                    }
                    if taken.len() < expected.len() {
                        return None;
                    }
                    *self = Self::at_frame();
                }
                State::Head(head, seen) => {
                    let room = head.get_mut(*seen..).unwrap_or_default();
                    let taken = take(bytes, room.len());
                    room.iter_mut()
                        .zip(taken)
                        .for_each(|(to, from)| *to = *from);
                    *seen += taken.len();
                    if *seen < HEAD_LENGTH {
                        return None;
                    }
                    let head = FrameHead::parse(*head);
                    if !head.is_valid() {
                        return Some(Step::Malformed);
                    }
                    let fields = head.fields();
                    self.state = State::Frame(Open {
                        head,
                        is_padding_next: head.is_padded(),
                        fields,
                        content: head.length - fields,
                        padding: 0,
                    });
                    return Some(Step::Frame(head));
                }
                State::Frame(open) => {
                    if open.fields + open.content + open.padding == 0 {
                        let head = open.head;
                        *self = Self::at_frame();
                        return Some(Step::End(head));
                    }
                    if bytes.is_empty() {
                        return None;
                    }
                    if mem::take(&mut open.is_padding_next) {
                        let length = take(bytes, 1).first().copied().map_or(0, u32::from);
                        open.fields -= 1;
                        let Some(content) = open.content.checked_sub(length) else {
                            return Some(Step::Malformed);
                        };
                        open.content = content;
                        open.padding = length;
                    } else if open.fields > 0 {
                        open.fields -= take(bytes, open.fields as usize).len() as u32;
                    } else if open.content > 0 {
                        let content = take(bytes, open.content as usize);
                        open.content -= content.len() as u32;
                        return Some(Step::Content(content));
                    } else {
                        open.padding -= take(bytes, open.padding as usize).len() as u32;
                    }
                }
            }
        }
    }

    /// Passes over `length` missing bytes.
    pub(super) fn skip(&mut self, length: u64) -> Behind {
        let State::Frame(open) = &mut self.state else {
            return Behind::Unknown;
        };
        let whole = open.fields + open.content + open.padding;
        let Some(length) = u32::try_from(length).ok().filter(|length| *length <= whole) else {
            return Behind::Unknown;
        };
        if mem::take(&mut open.is_padding_next) {
            // What of the rest is padding is unknown, so none of it is taken for content.
            let content = open.content;
            open.fields = 0;
            open.content = 0;
            open.padding = whole - length;
            return Behind::Content(content);
        }
        let mut left = length;
        let mut pass = |part: &mut u32| {
            let passed = left.min(*part);
            *part -= passed;
            left -= passed;
            passed
        };
        pass(&mut open.fields);
        let content = pass(&mut open.content);
        pass(&mut open.padding);
        Behind::Content(content)
    }

    /// The frame that is coming in.
    pub(super) const fn open(&self) -> Option<FrameHead> {
        match &self.state {
            State::Frame(open) => Some(open.head),
            State::Preface(_) | State::Head(..) => None,
        }
    }
}

/// Takes up to `length` bytes from the front of `bytes`.
fn take<'a>(bytes: &mut &'a [u8], length: usize) -> &'a [u8] {
    let (taken, rest) = bytes.split_at(length.min(bytes.len()));
    *bytes = rest;
    taken
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    /// What comes out, a line for each step, adjoining content joined.
    fn shown(chunks: &[&[u8]]) -> String {
        let mut frames = Frames::at_preface();
        let mut out = String::new();
        let mut is_content = false;
        for chunk in chunks {
            let mut rest = *chunk;
            while let Some(step) = frames.next(&mut rest) {
                match &step {
                    Step::Content(content) => {
                        if !is_content {
                            out += "content ";
                        }
                        out += &String::from_utf8_lossy(content);
                    }
                    Step::Frame(head) => {
                        let FrameHead {
                            kind,
                            length,
                            stream,
                            ..
                        } = head;
                        writeln!(out, "{kind}/{length} on {stream}").unwrap();
                    }
                    Step::End(_) => out += if is_content { "\nend\n" } else { "end\n" },
                    Step::Malformed => return out + "malformed",
                }
                is_content = matches!(step, Step::Content(_));
            }
        }
        out
    }

    fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
        let mut frame = (payload.len() as u32).to_be_bytes()[1..].to_vec();
        frame.extend([kind, flags]);
        frame.extend(stream.to_be_bytes());
        frame.extend(payload);
        frame
    }

    fn check(frames: &[Vec<u8>], expected: &str) {
        let bytes = [PREFACE, &frames.concat()].concat();
        assert_eq!(shown(&[&bytes]), expected);
        let each: Vec<_> = bytes.chunks(1).collect();
        assert_eq!(shown(&each), expected);
        for split in 0..bytes.len() {
            let (one, two) = bytes.split_at(split);
            assert_eq!(shown(&[one, two]), expected, "split at {split}");
            assert!(
                expected.starts_with(shown(&[one]).trim_end()),
                "cut at {split}"
            );
        }
    }

    #[test]
    fn every_split_gives_the_same_frames() {
        check(
            &[
                frame(4, 0, 0, &[0, 1, 0, 0, 16, 0]),
                frame(4, 1, 0, b""),
                frame(1, 0x2c, 1, b"\x02\0\0\0\0\x10headpp"),
                frame(2, 0, 1, b"\0\0\0\0\x10"),
                frame(0, 8, 1, b"\0body"),
                frame(0, 9, 1, b"\x03ppp"),
                frame(0, 1, 3, b""),
                frame(5, 12, 1, b"\x01\0\0\0\x02pushp"),
                frame(6, 0, 0, b"12345678"),
                frame(0xfe, 0xff, 0, b"new"),
            ],
            "4/6 on 0\ncontent \0\u{1}\0\0\u{10}\0\nend\n4/0 on 0\nend\n\
             1/12 on 1\ncontent head\nend\n2/5 on 1\ncontent \0\0\0\0\u{10}\nend\n\
             0/5 on 1\ncontent body\nend\n0/4 on 1\nend\n0/0 on 3\nend\n\
             5/10 on 1\ncontent push\nend\n6/8 on 0\ncontent 12345678\nend\n\
             254/3 on 0\ncontent new\nend\n",
        );
    }

    #[test]
    fn what_is_no_frame_is_refused() {
        for bad in [
            frame(0, 0, 0, b"x"),
            frame(0, 8, 1, b""),
            frame(0, 8, 1, b"\x02x"),
            frame(1, 0x20, 1, b"1234"),
            frame(1, 0, 0, b""),
            frame(2, 0, 1, b"1234"),
            frame(3, 0, 1, b"12345"),
            frame(4, 0, 0, b"12345"),
            frame(4, 1, 0, b"123456"),
            frame(4, 0, 1, b""),
            frame(6, 0, 0, b"1"),
            frame(7, 0, 0, b"1234567"),
            frame(8, 0, 0, b"12345"),
            frame(9, 0, 0, b""),
        ] {
            assert!(shown(&[PREFACE, &bad]).ends_with("malformed"), "{bad:?}");
        }
        assert_eq!(shown(&[b"PRI * HTTP/2.0\r\n\r\nSN"]), "malformed");
    }

    #[test]
    fn missing_bytes_within_a_frame_are_passed_over() {
        let data = frame(0, 8, 1, b"\x02bodypp");
        for (before, missing, expected) in [
            (9, 1, Behind::Content(6)),
            (9, 7, Behind::Content(6)),
            (10, 1, Behind::Content(1)),
            (10, 4, Behind::Content(4)),
            (10, 6, Behind::Content(4)),
            (14, 1, Behind::Content(0)),
            (9, 8, Behind::Unknown),
            (8, 1, Behind::Unknown),
            (16, 1, Behind::Unknown),
            (10, 1 << 40, Behind::Unknown),
        ] {
            let mut frames = Frames::at_frame();
            let mut rest = &data[..before];
            while frames.next(&mut rest).is_some() {}
            assert_eq!(frames.skip(missing), expected, "{before} {missing}");
            if expected != Behind::Unknown {
                let mut rest = &data[before + missing as usize..];
                let mut last = None;
                while let Some(step) = frames.next(&mut rest) {
                    last = Some(step);
                }
                assert!(matches!(last, Some(Step::End(_))));
                assert!(frames.is_at_frame());
            }
        }
    }
}
