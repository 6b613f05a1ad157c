//! The first TLS record of a client, parsed for the server name.
//!
//! In: the first bytes of a stream, in any split. Out: an [`Outcome`]. A hello
//! may span several segments and several records; with post-quantum key shares
//! it is about 1.8 KB. QUIC sends the same message without records: [`message`].

use std::sync::Arc;

/// Longest hello that is read, in bytes, without record headers.
pub const MAX_HELLO: usize = 16 * 1024;
/// Longest host name in the DNS, in bytes.
const MAX_NAME: usize = 255;
/// Longest fragment a plaintext TLS record may hold, in bytes.
const MAX_FRAGMENT: usize = 1 << 14;
/// How long the random is, bytes.
pub const RANDOM: usize = 32;
const RECORD_HANDSHAKE: u8 = 22;
const MESSAGE_CLIENT_HELLO: u8 = 1;
const EXTENSION_SERVER_NAME: u16 = 0;
const NAME_TYPE_HOST: u8 = 0;

/// What a client sends before it begins to encrypt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientHello {
    /// The server name, lower case. Absent if the hello has none, or one that
    /// is no host name.
    pub server_name: Option<Arc<str>>,
    /// What no other hello has (RFC 8446, section 4.1.2), by which a hello is known
    /// again that somebody passes on. Absent if the hello could not be read.
    pub random: Option<[u8; RANDOM]>,
}

/// What the bytes so far are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Possibly the beginning of a hello: more bytes are needed.
    Incomplete,
    /// No TLS.
    NotMine,
    /// TLS, and then something that no hello holds.
    Malformed,
    /// A whole hello.
    Parsed(ClientHello),
}

/// Reads one hello from bytes that come in pieces.
#[derive(Default)]
pub(crate) struct Reader {
    header: [u8; 5],
    header_length: usize,
    /// Bytes of the current record's fragment that are still to come.
    fragment: usize,
    message: Vec<u8>,
}

impl Reader {
    /// Takes the next bytes of the stream. After anything but
    /// [`Outcome::Incomplete`] the reader is used up.
    pub(crate) fn push(&mut self, mut bytes: &[u8]) -> Outcome {
        while !bytes.is_empty() {
            if self.fragment == 0 {
                match self.push_header(&mut bytes) {
                    None => {}
                    Some(outcome) => return outcome,
                }
                continue;
            }
            let (taken, rest) = bytes.split_at(self.fragment.min(bytes.len()));
            self.fragment -= taken.len();
            bytes = rest;
            self.message.extend_from_slice(taken);
            match message(&self.message) {
                Outcome::Incomplete => {}
                outcome => return outcome,
            }
        }
        Outcome::Incomplete
    }

    /// Whether enough was seen to be sure that this is TLS.
    pub(super) const fn is_sure(&self) -> bool {
        !self.message.is_empty()
    }

    /// Takes one byte of a record header; fails at the first byte that a
    /// handshake record cannot have there.
    fn push_header(&mut self, bytes: &mut &[u8]) -> Option<Outcome> {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        let fits = match self.header_length {
            0 => *first == RECORD_HANDSHAKE,
            1 => *first == 3,
            2 => *first <= 4,
            _ => true,
        };
        if !fits {
            return Some(self.reject());
        }
        if let Some(slot) = self.header.get_mut(self.header_length) {
            *slot = *first;
            self.header_length += 1;
        }
        if self.header_length == self.header.len() {
            let [.., high, low] = self.header;
            self.fragment = usize::from(u16::from_be_bytes([high, low]));
            self.header_length = 0;
            if self.fragment == 0 || self.fragment > MAX_FRAGMENT {
                return Some(self.reject());
            }
        }
        None
    }

    const fn reject(&self) -> Outcome {
        if self.is_sure() {
            Outcome::Malformed
        } else {
            Outcome::NotMine
        }
    }
}

/// What the beginning of a handshake is, from its first byte and without record
/// headers.
pub(super) fn message(bytes: &[u8]) -> Outcome {
    if bytes
        .first()
        .is_some_and(|kind| *kind != MESSAGE_CLIENT_HELLO)
    {
        return Outcome::NotMine;
    }
    let Some([_, high, middle, low]) = bytes.first_chunk::<4>() else {
        return Outcome::Incomplete;
    };
    let length = u32::from_be_bytes([0, *high, *middle, *low]) as usize;
    if length > MAX_HELLO {
        return Outcome::Malformed;
    }
    match bytes.get(4..4 + length) {
        None => Outcome::Incomplete,
        Some(body) => parse(body).map_or(Outcome::Malformed, Outcome::Parsed),
    }
}

/// The body of a hello, or `None` where a length runs past the end.
fn parse(mut hello: &[u8]) -> Option<ClientHello> {
    // The version.
    take(&mut hello, 2)?;
    let random = hello.first_chunk().copied();
    take(&mut hello, RANDOM)?;
    take_vector8(&mut hello)?;
    // Cipher suites, then compression methods.
    take_vector16(&mut hello)?;
    take_vector8(&mut hello)?;
    if hello.is_empty() {
        return Some(ClientHello {
            server_name: None,
            random,
        });
    }
    let mut extensions = take_vector16(&mut hello)?;
    let mut server_name = None;
    while !extensions.is_empty() {
        let kind = take_u16(&mut extensions)?;
        let body = take_vector16(&mut extensions)?;
        if kind == EXTENSION_SERVER_NAME && server_name.is_none() {
            server_name = parse_names(body)?;
        }
    }
    Some(ClientHello {
        server_name,
        random,
    })
}

/// The first host name of the list in a `server_name` extension. `None` where a
/// length runs past the end, `Some(None)` where it lists none.
#[expect(
    clippy::option_option,
    reason = "malformed and absent are different outcomes"
)]
fn parse_names(mut extension: &[u8]) -> Option<Option<Arc<str>>> {
    let mut names = take_vector16(&mut extension)?;
    while !names.is_empty() {
        let kind = take(&mut names, 1)?;
        let name = take_vector16(&mut names)?;
        if kind == [NAME_TYPE_HOST] {
            return Some(host_name(name));
        }
    }
    Some(None)
}

fn host_name(name: &[u8]) -> Option<Arc<str>> {
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b".-_".contains(byte);
    if name.is_empty() || name.len() > MAX_NAME || !name.iter().all(allowed) {
        return None;
    }
    std::str::from_utf8(name)
        .ok()
        .map(|name| name.to_ascii_lowercase().into())
}

fn take<'a>(bytes: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(taken)
}

fn take_u16(bytes: &mut &[u8]) -> Option<u16> {
    let (taken, rest) = bytes.split_first_chunk::<2>()?;
    *bytes = rest;
    Some(u16::from_be_bytes(*taken))
}

fn take_vector8<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = take(bytes, 1)?.first().copied()?;
    take(bytes, usize::from(length))
}

fn take_vector16<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = take_u16(bytes)?;
    take(bytes, usize::from(length))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    fn vector16(body: &[u8]) -> Vec<u8> {
        let mut out = u16::try_from(body.len()).unwrap().to_be_bytes().to_vec();
        out.extend_from_slice(body);
        out
    }

    /// A hello with a key share of `padding` bytes before the name, in records
    /// of at most `record` bytes.
    pub(crate) fn hello(name: Option<&str>, padding: usize, record: usize) -> Vec<u8> {
        let mut extensions = [0, 51].to_vec();
        extensions.extend(vector16(&vec![7; padding]));
        if let Some(name) = name {
            let mut entry = vec![NAME_TYPE_HOST];
            entry.extend(vector16(name.as_bytes()));
            extensions.extend([0, 0]);
            extensions.extend(vector16(&vector16(&entry)));
        }
        let mut body = vec![3, 3];
        body.extend([9; 32]);
        body.extend([2, 1, 1]);
        body.extend(vector16(&[0x13, 1]));
        body.extend([1, 0]);
        body.extend(vector16(&extensions));
        let mut message = vec![MESSAGE_CLIENT_HELLO, 0];
        message.extend(vector16(&body));
        let mut out = Vec::new();
        for fragment in message.chunks(record) {
            out.extend([RECORD_HANDSHAKE, 3, 1]);
            out.extend(vector16(fragment));
        }
        out
    }

    fn check(bytes: &[u8], expected: &Outcome) {
        for split in 0..bytes.len() {
            let mut reader = Reader::default();
            let first = reader.push(&bytes[..split]);
            let got = if first == Outcome::Incomplete {
                reader.push(&bytes[split..])
            } else {
                first
            };
            assert_eq!(got, *expected, "split at {split}");
        }
        let mut reader = Reader::default();
        let each = bytes.iter().map(|byte| reader.push(&[*byte]));
        let got = each
            .into_iter()
            .find(|outcome| *outcome != Outcome::Incomplete);
        assert_eq!(
            got.unwrap_or(Outcome::Incomplete),
            *expected,
            "byte by byte"
        );
    }

    fn parsed(name: Option<&str>, byte: u8) -> Outcome {
        Outcome::Parsed(ClientHello {
            server_name: name.map(Into::into),
            random: Some([byte; RANDOM]),
        })
    }

    #[test]
    fn hellos_are_read_in_every_split() {
        let name = Some("graph.example.com");
        check(&hello(name, 32, 4096), &parsed(name, 9));
        check(
            &hello(Some("Graph.EXAMPLE.com"), 1_800, 4096),
            &parsed(name, 9),
        );
        check(&hello(name, 1_800, 100), &parsed(name, 9));
        check(&hello(None, 32, 4096), &parsed(None, 9));
        check(&hello(Some("no host name!"), 32, 4096), &parsed(None, 9));
    }

    #[test]
    fn a_hello_without_extensions_is_a_hello() {
        let mut message = vec![
            RECORD_HANDSHAKE,
            3,
            1,
            0,
            45,
            MESSAGE_CLIENT_HELLO,
            0,
            0,
            41,
        ];
        message.extend([3, 3]);
        message.extend([0; 32]);
        message.extend([0, 0, 2, 0x13, 1, 1, 0]);
        check(&message, &parsed(None, 0));
    }

    #[test]
    fn what_is_no_hello_is_said_to_be_none() {
        check(b"GET / HTTP/1.1\r\n", &Outcome::NotMine);
        check(
            &[RECORD_HANDSHAKE, 3, 1, 0, 4, 2, 0, 0, 0],
            &Outcome::NotMine,
        );
        check(&[RECORD_HANDSHAKE, 3, 1, 0, 0], &Outcome::NotMine);
        check(
            &[RECORD_HANDSHAKE, 3, 1, 0, 4, 1, 1, 0, 0],
            &Outcome::Malformed,
        );
        check(
            &[RECORD_HANDSHAKE, 3, 1, 0, 5, 1, 0, 0, 1, 3],
            &Outcome::Malformed,
        );
        check(
            &[RECORD_HANDSHAKE, 3, 1, 0, 2, 1, 0, 23],
            &Outcome::Malformed,
        );
    }

    #[test]
    fn every_prefix_of_a_hello_is_incomplete() {
        let bytes = hello(Some("graph.example.com"), 300, 100);
        for end in 0..bytes.len() {
            assert_eq!(
                Reader::default().push(&bytes[..end]),
                Outcome::Incomplete,
                "{end}"
            );
        }
    }
}
