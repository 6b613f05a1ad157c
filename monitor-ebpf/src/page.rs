//! Pages that a server sends, and the requests that they answer.
//!
//! A response is inspected once, where it begins. If its head does not announce
//! HTML, nothing of it is handed over, and later writes cost a look at their
//! first four bytes. The request that it answers is kept in a map until then.

use aya_ebpf::maps::LruHashMap;
use phiwatch_ebpf::abi::{
    Header, MAX_PAGE, MAX_REQUEST, Request, SocketStream, Stream, StreamKey, counter,
};

use crate::{
    emit::{ByteRange, NO_WAKEUP, Record, bounded, count, wakeup},
    maps::{DATA_RING, REQUESTS, SOCKET_REQUESTS, ZERO_REQUEST},
    sniff::Sniffed,
};

/// Among a stream's flags: the response that is being sent is a page.
pub(crate) const IS_PAGE: u32 = 1 << 16;
/// Among a stream's flags: the head of the response that is being sent has not
/// ended.
pub(crate) const HEAD_OPEN: u32 = 1 << 17;

/// Either of the two: what follows belongs to the current response.
pub(crate) const OPEN: u32 = IS_PAGE | HEAD_OPEN;

/// What is remembered of a stream on which pages can be sent.
pub(crate) trait Sender {
    /// The stream's flags, of which two belong to pages.
    fn flags(&mut self) -> &mut u32;
    /// Bytes of the page being sent that were handed over.
    fn page(&mut self) -> &mut u64;
}

impl Sender for Stream {
    #[inline(always)]
    fn flags(&mut self) -> &mut u32 {
        &mut self.flags
    }

    #[inline(always)]
    fn page(&mut self) -> &mut u64 {
        &mut self.page
    }
}

impl Sender for SocketStream {
    #[inline(always)]
    fn flags(&mut self) -> &mut u32 {
        &mut self.flags
    }

    #[inline(always)]
    fn page(&mut self) -> &mut u64 {
        &mut self.page
    }
}

/// Keys of the two kinds of streams. Each kind has a table of requests of its
/// own, so that sockets cannot crowd out TLS.
pub(crate) trait Key: Sized + 'static {
    /// The requests that are kept.
    fn requests() -> &'static LruHashMap<Self, Request>;
}

impl Key for StreamKey {
    #[inline(always)]
    fn requests() -> &'static LruHashMap<Self, Request> {
        &REQUESTS
    }
}

/// The cookie of a socket.
impl Key for u64 {
    #[inline(always)]
    fn requests() -> &'static LruHashMap<Self, Request> {
        &SOCKET_REQUESTS
    }
}

/// The shortest request has this many bytes: `GET / HTTP/1.0` and an empty line.
pub(crate) const MIN_REQUEST: u64 = 18;

/// How much of a response is searched for its content type.
const MAX_SEARCHED: usize = 1024;

/// `text/html`, but for its last letter, and `xhtml+xml`, in lower case.
const TYPES: [u64; 2] = [
    u64::from_be_bytes(*b"text/htm"),
    u64::from_be_bytes(*b"xhtml+xm"),
];
/// The empty line behind a head, its bytes folded as letters are.
const HEAD_END: u32 = u32::from_be_bytes(*b"-*-*");
/// Makes a letter lower case.
const LOWER: u8 = 0x20;

/// What the beginning of a response, or the next part of its head, shows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum HeadKind {
    /// It announces HTML.
    Page,
    /// It announces something else.
    Other,
    /// The head goes on behind it.
    Open,
}

/// How much of this range, which a server sends, is handed over: nothing unless
/// it is part of a page. `sniffed` says what its first bytes are.
#[inline(always)]
pub(crate) fn wanted<S: ByteRange>(range: &S, stream: &mut impl Sender, sniffed: Sniffed) -> u64 {
    let length = range.length();
    if sniffed == Sniffed::Response || *stream.flags() & HEAD_OPEN != 0 {
        if sniffed == Sniffed::Response {
            *stream.page() = 0;
        }
        *stream.flags() &= !OPEN;
        match look(range) {
            HeadKind::Page => *stream.flags() |= IS_PAGE,
            HeadKind::Open => *stream.flags() |= HEAD_OPEN,
            HeadKind::Other => return 0,
        }
    } else if *stream.flags() & IS_PAGE == 0 {
        return 0;
    }
    let page = *stream.page();
    let room = MAX_PAGE - if page < MAX_PAGE { page } else { MAX_PAGE };
    if length < room {
        *stream.page() += length;
        length
    } else {
        // What follows is left out, up to the next response.
        *stream.flags() &= !OPEN;
        *stream.page() = MAX_PAGE;
        room
    }
}

/// Searches a range for its content type. It is copied into the ring, because a
/// uprobe program has no other memory, and discarded.
#[inline(always)]
fn look<S: ByteRange>(range: &S) -> HeadKind {
    range.set_done(0);
    let Some(mut entry) = DATA_RING.reserve::<[u8; MAX_SEARCHED]>(0) else {
        count(counter::RING_FULL, 1);
        return HeadKind::Other;
    };
    let bytes = entry.as_mut_ptr().cast::<u8>();
    let length = bounded::<MAX_SEARCHED>(range.length());
    let mut found = HeadKind::Other;
    if range.length() > 0 && range.copy::<MAX_SEARCHED>(bytes, length) {
        if length < MAX_SEARCHED as u64 {
            found = HeadKind::Open;
        }
        let mut window = 0_u64;
        let mut index = 0;
        while index < MAX_SEARCHED {
            if index as u64 >= length {
                break;
            }
            // SAFETY: the entry has `MAX_SEARCHED` bytes.
            let byte = unsafe { bytes.add(index).read_volatile() };
            window = window << 8 | u64::from(byte | LOWER);
            if window == TYPES[0] || window == TYPES[1] {
                found = HeadKind::Page;
                break;
            }
            if window as u32 == HEAD_END {
                found = HeadKind::Other;
                break;
            }
            index += 1;
        }
    }
    entry.discard(NO_WAKEUP);
    found
}

/// Keeps the beginning of a request that a server reads: `copy` writes the
/// given number of bytes.
#[inline(always)]
pub(crate) fn keep<K: Key>(
    key: &K,
    offset: u64,
    length: u64,
    copy: impl FnOnce(*mut u8, u64) -> bool,
) -> Option<()> {
    if K::requests().get_ptr(key).is_none() {
        K::requests().insert(key, ZERO_REQUEST.get(0)?, 0).ok()?;
    }
    let request: *mut Request = K::requests().get_ptr_mut(key)?;
    if length == 0 {
        return None;
    }
    let captured = bounded::<MAX_REQUEST>(length);
    // SAFETY: the value stays mapped while a program runs, and one thread at a
    // time reads from a connection.
    unsafe {
        (*request).offset = offset;
        (*request).length = length as u32;
        (*request).captured = 0;
        if copy((&raw mut (*request).bytes).cast(), captured) {
            (*request).captured = captured as u32;
        }
    }
    Some(())
}

/// Hands over the kept request of a stream, once. `describe` fills the header
/// except for offset and lengths.
#[inline(always)]
pub(crate) fn request<K: Key>(key: &K, describe: impl FnOnce(&mut Header)) -> Option<()> {
    let request: *mut Request = K::requests().get_ptr_mut(key)?;
    // SAFETY: the value stays mapped while a program runs.
    let captured = unsafe { (&raw const (*request).captured).read_volatile() };
    if captured == 0 {
        return None;
    }
    let Some(mut entry) = DATA_RING.reserve::<Record<MAX_REQUEST>>(0) else {
        count(counter::RING_FULL, 1);
        return None;
    };
    let record = entry.as_mut_ptr();
    // SAFETY: the entry is valid for the record, and all of it is written; both
    // have `MAX_REQUEST` bytes, aligned to 8.
    unsafe {
        let header = &mut (*record).header;
        describe(header);
        header.offset = (*request).offset;
        header.length = (*request).length;
        header.captured = captured;
        let from = (&raw const (*request).bytes).cast::<u64>();
        let to = (&raw mut (*record).bytes).cast::<u64>();
        let mut word = 0;
        while word < MAX_REQUEST / 8 {
            to.add(word).write_volatile(from.add(word).read_volatile());
            word += 1;
        }
        (&raw mut (*request).captured).write_volatile(0);
    }
    entry.submit(wakeup(&DATA_RING, size_of::<Record<MAX_REQUEST>>() as u64));
    Some(())
}
