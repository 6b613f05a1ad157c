//! The first datagrams of a QUIC connection: frames, encrypted as a client would, and
//! bytes that are none. Whatever they say, they give one hello at most, and losing one
//! does no harm.
#![no_main]

use std::sync::Arc;

use aes::{
    Aes128,
    cipher::{BlockCipherEncrypt as _, KeyInit as _},
};
use aes_gcm::{
    Aes128Gcm,
    aead::{Aead as _, Payload},
};
use libfuzzer_sys::fuzz_target;
use phiwatch::{
    event::{Data, Direction, Event, EventKind, Origin, Source, StreamId, Timestamp},
    loss::Losses,
    stream::{Segment, Streams},
};

/// The keys of RFC 9001, appendix A.1, and the id that they follow from.
const ID: [u8; 8] = [0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08];
const KEY: u128 = 0x1f36_9613_dd76_d546_7730_efcb_e3b1_a22d;
const IV: u128 = 0xfa04_4b2f_42a3_fd3b_46fb_255c;
const HEADER_KEY: u128 = 0x9f50_449e_04a0_e810_283a_1e99_33ad_edd2;

/// An Initial packet, whose number is 0.
fn sealed(frames: &[u8]) -> Vec<u8> {
    let frames = frames.get(..8_192).unwrap_or(frames);
    let mut out = [&[0xc3, 0, 0, 0, 1, 8][..], &ID, &[0, 0]].concat();
    let length = (4 + frames.len() + 16) as u16;
    out.extend((length | 0x4000).to_be_bytes());
    let at = out.len();
    out.extend([0; 4]);
    let plain = Payload { msg: frames, aad: &out };
    let nonce: [u8; 12] = *IV.to_be_bytes().last_chunk().unwrap();
    let cipher = Aes128Gcm::new(&KEY.to_be_bytes().into());
    let body = cipher.encrypt(&nonce.into(), plain).unwrap();
    let mut mask = (*body.first_chunk::<16>().unwrap()).into();
    Aes128::new(&HEADER_KEY.to_be_bytes().into()).encrypt_block(&mut mask);
    out[0] ^= mask[0] & 15;
    for (byte, own) in out[at..].iter_mut().zip(&mask[1..]) {
        *byte ^= own;
    }
    out.extend(body);
    out
}

fn hellos<'a>(datagrams: impl Iterator<Item = &'a Vec<u8>>) -> usize {
    let (mut streams, mut losses, mut out) = (Streams::default(), Losses::default(), Vec::new());
    let mut push = |kind| {
        let event = Event {
            time: Timestamp(1),
            stream: StreamId { owner: 1, handle: 1, born: 1 },
            place: None,
            kind,
        };
        streams.push(&event, &mut losses, &mut out);
    };
    push(EventKind::Opened(Arc::new(Origin {
        source: Source::Quic,
        process: None,
        local: None,
        peer: None,
        one_way: false,
        blindness: None,
    })));
    let mut offset = 0;
    for datagram in datagrams {
        push(EventKind::Data(Data {
            direction: Direction::Sent,
            offset,
            bytes: bytes::Bytes::copy_from_slice(datagram).into(),
        }));
        offset += datagram.len() as u64;
    }
    push(EventKind::Closed);
    out.iter().filter(|own| matches!(own.what, Segment::Hello(_))).count()
}

fuzz_target!(|input: (Vec<(bool, &[u8])>, u8)| {
    let (parts, lost) = input;
    let parts = parts.iter().take(12);
    let datagrams: Vec<_> = parts
        .map(|(is_packet, bytes)| if *is_packet { sealed(bytes) } else { bytes.to_vec() })
        .filter(|own| !own.is_empty())
        .collect();
    assert!(hellos(datagrams.iter()) <= 1);
    let kept = datagrams.iter().enumerate();
    let kept = kept.filter(|(index, _)| *index != usize::from(lost));
    assert!(hellos(kept.map(|(_, own)| own)) <= 1);
});
