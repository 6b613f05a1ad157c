//! The first datagrams of a QUIC client, decrypted for the server name.
//!
//! In: datagrams. Out: an [`Outcome`]. Initial packets are encrypted with keys that
//! follow from the id that the client gives the server and a public salt (RFC 9001,
//! section 5.2; RFC 9369, section 3.3), so that whoever sees the first packet can read
//! what it says: parts of a `ClientHello`, in any order and more than once.
//!
//! What cannot be decrypted is ignored: it is a server's, or that of another version.

use std::mem;

use aes::{
    Aes128,
    cipher::{BlockCipherEncrypt as _, KeyInit as _},
};
use aes_gcm::{
    Aes128Gcm,
    aead::{Aead as _, Payload},
};
use hkdf::Hkdf;
use sha2::Sha256;

use super::client_hello::{MAX_HELLO, Outcome, message};

/// How many datagrams of a connection are looked at: about twice as many as the
/// kernel hands over.
const MAX_DATAGRAMS: usize = 8;
/// How many packets of one datagram.
const MAX_PACKETS: usize = 64;
/// How many separate parts of a hello are remembered.
const MAX_PARTS: usize = 256;
/// The longest connection id (RFC 9000, section 17.2).
const MAX_ID: usize = 20;

const LONG_HEADER: u8 = 0x80;
/// The bits of the first byte that say how long the packet number is, less one.
const NUMBER_LENGTH: u8 = 3;
/// The bits of the first byte that are encrypted in a long header.
const PROTECTED: u8 = 0x0f;
const SAMPLE: usize = 16;
/// The sample begins where the packet number would end if it were as long as can be.
const MAX_NUMBER: usize = 4;

/// Frames that a client may send in an Initial packet (RFC 9000, section 12.4).
const PADDING: u64 = 0;
const PING: u64 = 1;
const ACK: u64 = 2;
const ACK_ECN: u64 = 3;
const CRYPTO: u64 = 6;

/// What a version does differently.
struct Version {
    number: u32,
    salt: [u8; 20],
    /// The types of packets, as in the bits 4 and 5 of the first byte.
    initial: u8,
    retry: u8,
    key: &'static str,
    iv: &'static str,
    header: &'static str,
}

const VERSIONS: &[Version] = &[
    Version {
        number: 1,
        salt: [
            0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, 0x9a, 0xe6, 0xa4, 0xc8,
            0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a,
        ],
        initial: 0,
        retry: 3,
        key: "quic key",
        iv: "quic iv",
        header: "quic hp",
    },
    Version {
        number: 0x6b33_43cf,
        salt: [
            0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93, 0x81, 0xbe, 0x6e, 0x26,
            0x9d, 0xcb, 0xf9, 0xbd, 0x2e, 0xd9,
        ],
        initial: 1,
        retry: 0,
        key: "quicv2 key",
        iv: "quicv2 iv",
        header: "quicv2 hp",
    },
];

/// The keys of what a client sends.
struct Keys {
    payload: Aes128Gcm,
    iv: [u8; 12],
    header: Aes128,
}

impl Keys {
    fn new(version: &Version, id: &[u8]) -> Self {
        let (_, initial) = Hkdf::<Sha256>::extract(Some(&version.salt), id);
        let secret = expand::<32>(&initial, "client in");
        let client = Hkdf::<Sha256>::from_prk(&secret).expect("a secret as long as a hash");
        Self {
            payload: Aes128Gcm::new(&expand(&client, version.key).into()),
            iv: expand(&client, version.iv),
            header: Aes128::new(&expand(&client, version.header).into()),
        }
    }

    /// What hides the first byte and the packet number.
    fn mask(&self, sample: [u8; SAMPLE]) -> [u8; SAMPLE] {
        let mut block = sample.into();
        self.header.encrypt_block(&mut block);
        block.into()
    }

    fn nonce(&self, number: u32) -> [u8; 12] {
        let mut nonce = self.iv;
        for (byte, own) in nonce.iter_mut().skip(8).zip(number.to_be_bytes()) {
            *byte ^= own;
        }
        nonce
    }
}

/// HKDF-Expand-Label (RFC 8446, section 7.1), without context.
fn expand<const N: usize>(secret: &Hkdf<Sha256>, label: &str) -> [u8; N] {
    let label_length = "tls13 ".len() + label.len();
    let length = [(N >> 8) as u8, N as u8, label_length as u8];
    let mut out = [0; N];
    secret
        .expand_multi_info(&[&length, b"tls13 ", label.as_bytes(), &[0]], &mut out)
        .expect("as many bytes as a hash at most");
    out
}

/// Reads the hello of one connection.
#[derive(Default)]
pub(super) struct Reader {
    /// The id that the first packet gives the server; later ones may go by another,
    /// under the same keys.
    first: Option<Vec<u8>>,
    datagrams: usize,
    hello: Parts,
}

impl Reader {
    /// Takes the next datagram. After anything but [`Outcome::Incomplete`] the reader
    /// is used up.
    pub(super) fn push(&mut self, mut datagram: &[u8]) -> Outcome {
        self.datagrams += 1;
        for _ in 0..MAX_PACKETS {
            let Some(packet) = Packet::take(&mut datagram) else {
                break;
            };
            if !packet.is_initial {
                continue;
            }
            let first = self.first.get_or_insert_with(|| packet.id.to_vec());
            let open = |id| packet.open(&Keys::new(packet.version, id));
            let opened = open(packet.id).or_else(|| (packet.id != first).then(|| open(first))?);
            let Some(frames) = opened else {
                continue;
            };
            match self.frames(&frames) {
                Some(Outcome::Incomplete) => {}
                Some(outcome) => return outcome,
                None => return Outcome::Malformed,
            }
        }
        if self.datagrams >= MAX_DATAGRAMS {
            return Outcome::NotMine;
        }
        Outcome::Incomplete
    }

    /// Takes the frames of a packet, up to the first of another kind. `None` if a part
    /// of a hello is out of bounds.
    fn frames(&mut self, mut bytes: &[u8]) -> Option<Outcome> {
        while let Some(kind) = varint(&mut bytes) {
            let is_whole = match kind {
                PADDING | PING => Some(()),
                ACK | ACK_ECN => acknowledgment(&mut bytes, kind),
                CRYPTO => match crypto(&mut bytes) {
                    Some((offset, part)) => {
                        self.hello.insert(offset, part)?;
                        Some(())
                    }
                    None => None,
                },
                _ => None,
            };
            if is_whole.is_none() {
                break;
            }
        }
        Some(message(self.hello.beginning()))
    }
}

/// Takes the body of an ACK frame.
fn acknowledgment(bytes: &mut &[u8], kind: u64) -> Option<()> {
    // The largest one and the delay.
    varint(bytes)?;
    varint(bytes)?;
    let ranges = varint(bytes)?;
    varint(bytes)?;
    for _ in 0..ranges {
        varint(bytes)?;
        varint(bytes)?;
    }
    if kind == ACK_ECN {
        for _ in 0..3 {
            varint(bytes)?;
        }
    }
    Some(())
}

/// Takes the body of a CRYPTO frame: the offset of its bytes, and these.
fn crypto<'a>(bytes: &mut &'a [u8]) -> Option<(u64, &'a [u8])> {
    let offset = varint(bytes)?;
    let length = varint(bytes)?;
    Some((offset, take(bytes, length)?))
}

/// A packet with a long header, still encrypted.
struct Packet<'a> {
    version: &'static Version,
    is_initial: bool,
    /// The id that it gives the server.
    id: &'a [u8],
    /// All of it.
    bytes: &'a [u8],
    /// Where its packet number begins.
    number: usize,
}

impl<'a> Packet<'a> {
    /// Takes the next packet of a datagram. `None` if there is none, or one whose
    /// length is not known.
    fn take(datagram: &mut &'a [u8]) -> Option<Self> {
        let all = *datagram;
        let mut rest = all;
        let first = *take(&mut rest, 1)?.first()?;
        if first & LONG_HEADER == 0 {
            return None;
        }
        let number = u32::from_be_bytes(take(&mut rest, 4)?.try_into().ok()?);
        let version = VERSIONS.iter().find(|own| own.number == number)?;
        let id = connection_id(&mut rest)?;
        connection_id(&mut rest)?;
        let kind = first >> 4 & 3;
        if kind == version.retry {
            return None;
        }
        let is_initial = kind == version.initial;
        if is_initial {
            let token = varint(&mut rest)?;
            take(&mut rest, token)?;
        }
        let length = varint(&mut rest)?;
        let number = all.len() - rest.len();
        take(&mut rest, length)?;
        let (bytes, behind) = all.split_at(all.len() - rest.len());
        *datagram = behind;
        Some(Self {
            version,
            is_initial,
            id,
            bytes,
            number,
        })
    }

    /// What it holds, if these are its keys.
    fn open(&self, keys: &Keys) -> Option<Vec<u8>> {
        let sample = self.bytes.get(self.number + MAX_NUMBER..)?;
        let mask = keys.mask(*sample.first_chunk()?);
        let (first, rest) = self.bytes.split_first()?;
        let first = first ^ mask[0] & PROTECTED;
        let length = usize::from(first & NUMBER_LENGTH) + 1;
        let start = self.number + length;
        let mut header = vec![first];
        header.extend_from_slice(rest.get(..start - 1)?);
        let mut number = 0;
        for (byte, own) in header.iter_mut().skip(self.number).zip(&mask[1..]) {
            *byte ^= own;
            number = number << 8 | u32::from(*byte);
        }
        let sealed = Payload {
            msg: self.bytes.get(start..)?,
            aad: &header,
        };
        // Of the first packets all of the number is there.
        keys.payload
            .decrypt(&keys.nonce(number).into(), sealed)
            .ok()
    }
}

fn connection_id<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = *take(bytes, 1)?.first()?;
    if usize::from(length) > MAX_ID {
        return None;
    }
    take(bytes, length.into())
}

fn take<'a>(bytes: &mut &'a [u8], length: u64) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(usize::try_from(length).ok()?)?;
    *bytes = rest;
    Some(taken)
}

/// Takes an integer of variable length (RFC 9000, section 16).
fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let first = *bytes.first()?;
    let coded = take(bytes, 1 << (first >> 6))?;
    let value = coded
        .iter()
        .fold(0, |all, byte| all << 8 | u64::from(*byte));
    Some(value & (u64::MAX >> (66 - 8 * coded.len())))
}

/// The parts of a hello.
#[derive(Default)]
struct Parts {
    bytes: Vec<u8>,
    /// Which of the bytes were seen: from and to, in order and apart.
    seen: Vec<(usize, usize)>,
}

impl Parts {
    /// Takes a part. `None` if it is out of bounds.
    fn insert(&mut self, offset: u64, part: &[u8]) -> Option<()> {
        let from = usize::try_from(offset).ok()?;
        let to = from.checked_add(part.len())?;
        // With the header of the message.
        if to > MAX_HELLO + 4 {
            return None;
        }
        if self.bytes.len() < to {
            self.bytes.resize(to, 0);
        }
        self.bytes.get_mut(from..to)?.copy_from_slice(part);
        let mut new = (from, to);
        let mut seen = Vec::new();
        for own in mem::take(&mut self.seen) {
            if own.0 <= new.1 && new.0 <= own.1 {
                new = (own.0.min(new.0), own.1.max(new.1));
            } else {
                seen.push(own);
            }
        }
        let at = seen.partition_point(|own| own.0 < new.0);
        seen.insert(at, new);
        self.seen = seen;
        (self.seen.len() <= MAX_PARTS).then_some(())
    }

    /// What was seen from the first byte on.
    fn beginning(&self) -> &[u8] {
        let end = match self.seen.first() {
            Some((0, to)) => *to,
            _ => 0,
        };
        self.bytes.get(..end).unwrap_or_default()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::{super::client_hello::tests::hello, *};

    const TAG: usize = 16;
    const ID: [u8; 8] = [0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08];
    /// The hello of RFC 9001, appendix A.2, as a frame.
    const FRAME: &str = "060040f1010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e868\
                         04fe3a47f06a2b69484c00000413011302010000c000000010000e00000b6578\
                         616d706c652e636f6dff01000100000a00080006001d00170018001000070005\
                         04616c706e000500050100000000003300260024001d00209370b2c9caa47fba\
                         baf4559fedba753de171fa71f50f1ce15d43e994ec74d748002b000302030400\
                         0d0010000e0403050306030203080408050806002d00020101001c0002400100\
                         3900320408ffffffffffffffff05048000ffff07048000ffff08011001048000\
                         75300901100f088394c8f03e51570806048000ffff";

    fn unhex(text: &str) -> Vec<u8> {
        base16ct::lower::decode_vec(text).unwrap()
    }

    /// An Initial packet with a number of four bytes, encrypted for `id`.
    fn sealed(version: &Version, id: &[u8], shown: &[u8], number: u32, frames: &[u8]) -> Vec<u8> {
        let keys = Keys::new(version, id);
        let mut out = vec![0xc3 | version.initial << 4];
        out.extend(version.number.to_be_bytes());
        out.push(shown.len() as u8);
        out.extend(shown);
        // No id of its own, no token.
        out.extend([0, 0]);
        let length = (4 + frames.len() + TAG) as u16;
        out.extend((length | 0x4000).to_be_bytes());
        let at = out.len();
        out.extend(number.to_be_bytes());
        let plain = Payload {
            msg: frames,
            aad: &out,
        };
        let nonce = keys.nonce(number).into();
        let body = keys.payload.encrypt(&nonce, plain).unwrap();
        let mask = keys.mask(*body.first_chunk().unwrap());
        out[0] ^= mask[0] & PROTECTED;
        for (byte, own) in out[at..].iter_mut().zip(&mask[1..]) {
            *byte ^= own;
        }
        out.extend(body);
        out
    }

    /// A CRYPTO frame.
    fn part(message: &[u8], from: usize, to: usize) -> Vec<u8> {
        let mut out = vec![CRYPTO as u8];
        for number in [from, to - from] {
            out.extend((number as u16 | 0x4000).to_be_bytes());
        }
        out.extend(&message[from..to]);
        out
    }

    /// A hello without record headers.
    fn bare(name: &str, padding: usize) -> Vec<u8> {
        hello(Some(name), padding, 16_384)[5..].to_vec()
    }

    /// The first datagrams of a client.
    pub(crate) fn datagrams(name: &str, padding: usize) -> Vec<Vec<u8>> {
        let message = bare(name, padding);
        let mut starts = (0..message.len()).step_by(1100).zip(0..);
        let each = starts.by_ref().map(|(from, number)| {
            let mut frames = part(&message, from, message.len().min(from + 1100));
            frames.resize(1162, 0);
            sealed(&VERSIONS[0], &ID, &ID, number, &frames)
        });
        each.collect()
    }

    fn name(outcome: &Outcome) -> Option<&str> {
        match outcome {
            Outcome::Parsed(hello) => hello.server_name.as_deref(),
            _ => None,
        }
    }

    fn check(datagrams: &[Vec<u8>], expected: Option<&str>) {
        let mut reader = Reader::default();
        let mut outcomes = datagrams.iter().map(|own| reader.push(own));
        let last = outcomes.find(|own| *own != Outcome::Incomplete);
        assert_eq!(last.as_ref().and_then(name), expected);
    }

    #[test]
    fn packets_of_the_rfcs_are_read() {
        let mut frames = unhex(FRAME);
        frames.resize(1162, 0);
        for (version, begins, ends) in [
            (
                &VERSIONS[0],
                "c000000001088394c8f03e5157080000449e7b9aec34d1b1c98dd7689fb8ec11d242b123dc9b",
                "e221af44860018ab0856972e194cd934",
            ),
            (
                &VERSIONS[1],
                "d76b3343cf088394c8f03e5157080000449ea0c95e82ffe67b6abcdb4298b485dd04de806071",
                "a18b2faa745b6fe189cf772a9f84cbfc",
            ),
        ] {
            let packet = sealed(version, &ID, &ID, 2, &frames);
            assert_eq!(packet.len(), 1200);
            assert!(packet.starts_with(&unhex(begins)));
            assert!(packet.ends_with(&unhex(ends)));
            check(&[packet], Some("example.com"));
        }
    }

    #[test]
    fn hellos_are_read_from_parts_in_any_order() {
        let host = "graph.facebook.com";
        let message = bare(host, 1_800);
        let end = message.len();
        let [v1, v2] = VERSIONS else { unreachable!() };
        let own = |number, frames: &[Vec<u8>]| sealed(v1, &ID, &ID, number, &frames.concat());
        let (low, high) = (part(&message, 0, 900), part(&message, 900, end));
        let ping = vec![1];
        let ack = vec![2, 5, 0, 1, 0, 0, 0];
        let ecn = vec![3, 5, 0, 0, 0, 1, 2, 3];
        let first = own(0, &[low.clone(), vec![0; 300]]);
        let second = own(1, std::slice::from_ref(&high));
        check(&datagrams(host, 32), Some(host));
        check(&datagrams(host, 3_000), Some(host));
        check(&[first.clone(), second.clone()], Some(host));
        check(&[second.clone(), first.clone()], Some(host));
        // One send that the network card is to cut, and what is coalesced.
        check(&[[first.clone(), second.clone()].concat()], Some(host));
        let mixed = [
            ack,
            ping,
            high.clone(),
            ecn,
            part(&message, 500, 1_000),
            low.clone(),
        ];
        check(&[own(0, &mixed)], Some(host));
        // It is sent again, to the id that the server chose.
        let again = sealed(v1, &ID, &[7; 12], 2, &high);
        check(&[first.clone(), first.clone(), again], Some(host));
        let after_retry = sealed(v1, &[7; 12], &[7; 12], 2, &high);
        check(&[first.clone(), after_retry], Some(host));
        let whole = [low, high].concat();
        check(&[sealed(v2, &ID, &ID, 0, &whole)], Some(host));
        // A server's, and what nobody can read.
        check(&vec![sealed(v1, &ID, &[9; 8], 0, &whole); 9], None);
        check(&[first], None);
        check(&[own(0, &[vec![0x1c], whole])], None);
    }

    #[test]
    fn whatever_is_broken_is_no_hello() {
        let datagram = datagrams("graph.facebook.com", 32).remove(0);
        for end in 0..datagram.len() {
            check(&[datagram[..end].to_vec()], None);
        }
        for bit in 0..datagram.len() * 8 {
            let mut broken = datagram.clone();
            broken[bit / 8] ^= 1 << (bit % 8);
            check(&[broken], None);
        }
        // Frames that end early, or lie about their lengths.
        let frames = [
            part(&bare("graph.facebook.com", 32), 0, 90),
            vec![2, 5, 0, 9, 0],
        ]
        .concat();
        for end in 0..frames.len() {
            for value in [0, 0x3f, 0x7f, 0xff] {
                let mut broken = frames[..=end].to_vec();
                broken[end] = value;
                broken.resize(broken.len() + 20, 0);
                check(&[sealed(&VERSIONS[0], &ID, &ID, 0, &broken)], None);
            }
        }
    }

    #[test]
    fn parts_are_bounded() {
        let mut parts = Parts::default();
        assert!(parts.insert(u64::MAX, b"x").is_none());
        assert!(parts.insert(MAX_HELLO as u64 + 4, b"x").is_none());
        for index in 0..MAX_PARTS as u64 {
            assert!(parts.insert(2 * index + 1, b"x").is_some());
        }
        assert_eq!(parts.beginning(), b"");
        assert!(parts.insert(0, b"y").is_some());
        assert_eq!(parts.beginning(), b"yx");
        assert!(parts.insert(2 * MAX_PARTS as u64 + 1, b"x").is_none());
    }

    #[test]
    fn integers_are_those_of_the_rfc() {
        for (bytes, expected) in [
            (
                &[0xc2, 0x19, 0x7c, 0x5e, 0xff, 0x14, 0xe8, 0x8c][..],
                151_288_809_941_952_652,
            ),
            (&[0x9d, 0x7f, 0x3e, 0x7d][..], 494_878_333),
            (&[0x7b, 0xbd][..], 15_293),
            (&[0x25][..], 37),
            (&[0x40, 0x25][..], 37),
        ] {
            assert_eq!(varint(&mut &*bytes), Some(expected));
            assert_eq!(varint(&mut &bytes[..bytes.len() - 1]), None);
        }
    }
}
