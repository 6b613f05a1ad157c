//! One direction of a connection: bytes to header lists and data.
//!
//! In: bytes in any split, and gaps. Out: [`Event`]s.

use super::{
    frame::{Behind, FrameHead, Frames, Step, flag, kind},
    hpack::{Decoder, Field},
    request,
};
use crate::{
    event::{Place, Timestamp},
    http::{
        head::{MAX_HEAD, MAX_HEADERS},
        message::Completeness,
        protocol::At,
    },
    loss::Loss,
};

/// Most bytes of a header block, as sent, that are kept.
const MAX_BLOCK: usize = 128 * 1024;
/// Longest frame where none need begin: what every receiver accepts.
const MAX_UNSURE_FRAME: u32 = 16 * 1024;

/// A header list, as far as it is known.
pub(super) struct Headers {
    pub(super) stream: u32,
    /// Whether nothing follows on the stream.
    pub(super) ends: bool,
    pub(super) fields: Vec<Field>,
    /// What a request is at best whose fields are not all known.
    pub(super) unknown: Completeness,
    pub(super) completeness: Completeness,
    /// When and where its first byte was sent, and when its last.
    pub(super) time: Timestamp,
    pub(super) place: Option<Place>,
    pub(super) end: Timestamp,
    /// Length of its frames.
    pub(super) wire_length: u64,
}

/// What happens on a direction.
pub(super) enum Event<'a> {
    Headers(Box<Headers>),
    /// A frame of data begins, which is this long with its head.
    Frame {
        stream: u32,
        length: u64,
    },
    Data {
        stream: u32,
        data: &'a [u8],
    },
    /// Data is missing here.
    Missing {
        stream: u32,
        length: u64,
    },
    /// Nothing follows on the stream.
    End {
        stream: u32,
    },
    /// The stream was given up.
    Reset {
        stream: u32,
    },
    /// Streams behind this one are not served.
    GoAway {
        last: u32,
    },
    /// From here on frames are left out until the next header list.
    Lost,
    Loss(Loss),
}

/// Why the end of a header block is missing.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cut {
    /// It is longer than what is kept.
    Limit,
    Gap,
    /// The stream ended.
    End,
}

/// A header block that is coming in.
struct Block {
    stream: u32,
    ends: bool,
    /// Whether it announces what the other side did not ask for.
    is_promise: bool,
    bytes: Vec<u8>,
    cut: Option<Cut>,
    time: Timestamp,
    place: Option<Place>,
    wire_length: u64,
}

/// The state of one direction.
pub(super) struct Reader {
    frames: Frames,
    decoder: Decoder,
    is_lost: bool,
    unknown: Completeness,
    block: Option<Box<Block>>,
    /// When and where the current frame began.
    time: Timestamp,
    place: Option<Place>,
    /// The last stream that is served, as far as GOAWAY said it.
    last: (usize, u32),
}

impl Reader {
    /// At the beginning of what a client sends.
    pub(super) fn at_preface() -> Self {
        Self::new(Frames::at_preface(), Decoder::default(), false)
    }

    /// At the beginning of what a server sends.
    pub(super) fn at_frame() -> Self {
        Self::new(Frames::at_frame(), Decoder::default(), false)
    }

    /// Somewhere behind the beginning.
    pub(super) fn late() -> Self {
        Self::new(Frames::at_frame(), Decoder::late(), true)
    }

    fn new(frames: Frames, decoder: Decoder, is_lost: bool) -> Self {
        Self {
            frames,
            decoder,
            is_lost,
            unknown: Completeness::Late,
            block: None,
            time: Timestamp(0),
            place: None,
            last: (0, 0),
        }
    }

    /// Bytes of memory that it holds, about.
    pub(super) fn memory(&self) -> usize {
        let block = self
            .block
            .as_ref()
            .map_or(0, |block| block.bytes.capacity());
        self.decoder.memory().saturating_add(block)
    }

    /// Whether it is unknown where a frame begins.
    pub(super) const fn is_lost(&self) -> bool {
        self.is_lost
    }

    /// The next bytes begin a frame.
    pub(super) fn resume(&mut self) {
        self.is_lost = false;
        self.frames = Frames::at_frame();
    }

    /// Takes the next bytes.
    pub(super) fn push(&mut self, bytes: &[u8], at: At<'_>, visit: &mut impl FnMut(Event<'_>)) {
        if self.is_lost {
            return;
        }
        let mut rest = bytes;
        loop {
            if self.frames.is_at_frame() {
                self.time = at.time;
                self.place = at.place.cloned();
            }
            let Some(step) = self.frames.next(&mut rest) else {
                return;
            };
            if self.step(step, at.time, visit).is_none() {
                visit(Event::Loss(Loss::HttpMalformed));
                self.lose(at.time, visit);
                return;
            }
        }
    }

    /// Passes over `length` bytes that are missing.
    pub(super) fn push_gap(&mut self, length: u64, at: At<'_>, visit: &mut impl FnMut(Event<'_>)) {
        if self.is_lost || length == 0 {
            return;
        }
        let open = self.frames.open();
        match self.frames.skip(length) {
            Behind::Content(missing) => {
                if let Some(block) = &mut self.block {
                    block.cut = Some(Cut::Gap);
                } else if let Some(FrameHead {
                    kind: kind::DATA,
                    stream,
                    ..
                }) = open
                {
                    let length = missing.into();
                    visit(Event::Missing { stream, length });
                }
                // The frame may have ended with them.
                self.push(&[], at, visit);
            }
            Behind::Unknown => {
                self.unknown = Completeness::Gap;
                if let Some(block) = &mut self.block {
                    block.cut = Some(Cut::Gap);
                }
                self.lose(at.time, visit);
            }
        }
    }

    /// The end of the direction.
    pub(super) fn finish(&mut self, visit: &mut impl FnMut(Event<'_>)) {
        if let Some(mut block) = self.block.take() {
            block.cut = Some(Cut::End);
            let end = block.time;
            self.take_block(*block, end, visit);
        }
    }

    /// It is not known where the next frame begins.
    fn lose(&mut self, time: Timestamp, visit: &mut impl FnMut(Event<'_>)) {
        if let Some(block) = self.block.take() {
            self.take_block(*block, time, visit);
        }
        self.decoder.forget();
        self.is_lost = true;
        visit(Event::Lost);
    }

    /// Takes one step. `None` if it is against the rules.
    fn step(
        &mut self,
        step: Step<'_>,
        time: Timestamp,
        visit: &mut impl FnMut(Event<'_>),
    ) -> Option<()> {
        match step {
            Step::Malformed => return None,
            Step::Frame(head) => self.begin(head, visit)?,
            Step::Content(content) => {
                let head = self.frames.open()?;
                match head.kind {
                    kind::DATA => visit(Event::Data {
                        stream: head.stream,
                        data: content,
                    }),
                    kind::GOAWAY => {
                        for byte in content {
                            if self.last.0 < 4 {
                                self.last = (self.last.0 + 1, self.last.1 << 8 | u32::from(*byte));
                            }
                        }
                    }
                    _ => {
                        if let Some(block) = &mut self.block
                            && block.cut.is_none()
                        {
                            let room = MAX_BLOCK - block.bytes.len();
                            let kept = content.get(..room).unwrap_or(content);
                            block.bytes.extend_from_slice(kept);
                            block.cut = (content.len() > room).then_some(Cut::Limit);
                        }
                    }
                }
            }
            Step::End(head) => match head.kind {
                kind::DATA if head.has(flag::END_STREAM) => visit(Event::End {
                    stream: head.stream,
                }),
                kind::RST_STREAM => visit(Event::Reset {
                    stream: head.stream,
                }),
                kind::GOAWAY if self.last.0 == 4 => visit(Event::GoAway {
                    last: self.last.1 & 0x7fff_ffff,
                }),
                kind::HEADERS | kind::CONTINUATION | kind::PUSH_PROMISE
                    if head.has(flag::END_HEADERS) =>
                {
                    let block = self.block.take()?;
                    self.take_block(*block, time, visit);
                }
                _ => {}
            },
        }
        Some(())
    }

    /// A frame begins.
    fn begin(&mut self, head: FrameHead, visit: &mut impl FnMut(Event<'_>)) -> Option<()> {
        let length = head.wire_length();
        match (&mut self.block, head.kind) {
            (Some(block), kind::CONTINUATION) if block.stream == head.stream => {
                block.wire_length = block.wire_length.saturating_add(length);
            }
            // Nothing may come between the frames of a header block.
            (Some(_), _) | (None, kind::CONTINUATION) => return None,
            (None, kind::HEADERS | kind::PUSH_PROMISE) => {
                let is_promise = head.kind == kind::PUSH_PROMISE;
                self.block = Some(Box::new(Block {
                    stream: head.stream,
                    ends: !is_promise && head.has(flag::END_STREAM),
                    is_promise,
                    bytes: Vec::new(),
                    cut: None,
                    time: self.time,
                    place: self.place.clone(),
                    wire_length: length,
                }));
            }
            (None, kind::DATA) => visit(Event::Frame {
                stream: head.stream,
                length,
            }),
            (None, kind::GOAWAY) => self.last = (0, 0),
            (None, _) => {}
        }
        Some(())
    }

    /// A header block ended, or what can be seen of it.
    fn take_block(&mut self, block: Block, end: Timestamp, visit: &mut impl FnMut(Event<'_>)) {
        let (mut fields, mut size, mut is_over) = (Vec::new(), 0_usize, false);
        let result = self.decoder.decode(&block.bytes, |field| {
            size = size.saturating_add(field.length());
            if size > MAX_HEAD || fields.len() >= MAX_HEADERS {
                is_over = true;
            } else {
                fields.push(field);
            }
        });
        let loss = match block.cut {
            Some(Cut::Limit) => Some(Loss::HttpHeadLimit),
            Some(Cut::Gap) => Some(Loss::HttpMalformed),
            Some(Cut::End) => None,
            None if result.is_err() => Some(Loss::HttpMalformed),
            None => is_over.then_some(Loss::HttpHeadLimit),
        };
        let completeness = match block.cut {
            None if loss.is_none() => Completeness::Complete,
            Some(Cut::Gap) => Completeness::Gap,
            _ => Completeness::Truncated,
        };
        if block.cut.is_some() || result.is_err() {
            self.unknown = Completeness::Gap;
            self.decoder.forget();
        }
        if let Some(loss) = loss {
            visit(Event::Loss(loss));
        }
        if block.is_promise {
            return;
        }
        visit(Event::Headers(Box::new(Headers {
            stream: block.stream,
            ends: block.ends,
            fields,
            unknown: self.unknown,
            completeness,
            time: block.time,
            place: block.place,
            end,
            wire_length: block.wire_length,
        })));
    }
}

/// Whether bytes can be nothing but frames of a client, the header list of a request
/// among them.
pub(in crate::http) fn begins_with_request(bytes: &[u8]) -> bool {
    begins(bytes, |_, fields| request::is_request(fields))
}

/// Whether bytes can be nothing but frames of a server, the status of a stream that
/// `is_open` among them.
pub(super) fn begins_with_status(bytes: &[u8], is_open: impl Fn(u32) -> bool) -> bool {
    begins(bytes, |stream, fields| {
        is_open(stream) && request::status(fields).is_some()
    })
}

/// Whether bytes begin with valid frames, the first with headers being one that
/// `is_sure` of them accepts.
fn begins(bytes: &[u8], is_sure: impl Fn(u32, &[Field]) -> bool) -> bool {
    let (mut frames, mut rest) = (Frames::at_frame(), bytes);
    let mut block: Option<(u32, &[u8])> = None;
    while let Some(step) = frames.next(&mut rest) {
        match step {
            Step::Malformed => return false,
            Step::Frame(head) => {
                if !head.is_usual() || head.length > MAX_UNSURE_FRAME {
                    return false;
                }
                if head.kind == kind::HEADERS {
                    block = Some((head.stream, &[]));
                }
            }
            Step::Content(content) => {
                if let Some((_, bytes)) = &mut block {
                    *bytes = content;
                }
            }
            Step::End(_) => {
                if let Some((stream, bytes)) = block {
                    let mut fields = Vec::new();
                    let result = Decoder::late().decode(bytes, |field| {
                        if fields.len() < MAX_HEADERS {
                            fields.push(field);
                        }
                    });
                    return result.is_ok() && is_sure(stream, &fields);
                }
            }
        }
    }
    false
}
