//! Tests of packets.

use super::*;

fn segment<'a>(source: &str, destination: &str, payload: &'a [u8]) -> Segment<'a> {
    let endpoint = |text: &str| {
        let address: std::net::SocketAddr = text.parse().expect("a literal address");
        (address.ip(), address.port())
    };
    Segment {
        source: endpoint(source),
        destination: endpoint(destination),
        sequence: 7,
        acknowledgment: 9,
        flags: PSH | ACK,
        payload,
        cut: 0,
    }
}

fn synthetic(source: &str, destination: &str) -> Vec<u8> {
    let mut packet = Vec::new();
    synthesize(&segment(source, destination, b"hello"), &mut packet);
    packet
}

/// The ports, payload and missing bytes, or the name of another outcome.
fn shown(link: u16, packet: &[u8]) -> String {
    match parse(link, packet, 0) {
        Parsed::Tcp(segment) => format!(
            "{}>{} seq {} {} cut {}",
            segment.source.1,
            segment.destination.1,
            segment.sequence,
            String::from_utf8_lossy(segment.payload),
            segment.cut
        ),
        Parsed::Fragment(fragment) => format!(
            "fragment {} at {} last {} of {}",
            fragment.id,
            fragment.offset,
            fragment.is_last,
            fragment.payload.len()
        ),
        Parsed::Pdu(pdu) => format!(
            "pdu {}>{} {}",
            pdu.source.1,
            pdu.destination.1,
            String::from_utf8_lossy(pdu.payload)
        ),
        Parsed::Cut => "cut".into(),
        Parsed::Other => "other".into(),
        Parsed::Unsupported => "unsupported".into(),
        Parsed::Malformed => "malformed".into(),
    }
}

fn check(link: u16, prefix: &[u8], packet: &[u8], expected: &str) {
    assert_eq!(
        shown(link, &[prefix, packet].concat()),
        expected,
        "link {link}"
    );
}

const TCP: &str = "5000>80 seq 7 hello cut 0";

#[test]
fn every_link_type_leads_to_the_segment() {
    let v4 = synthetic("10.0.0.1:5000", "10.0.0.2:80");
    let v6 = synthetic("[2001:db8::1]:5000", "[2001:db8::2]:80");
    for raw in [LINK_RAW, 12, 14, 228, 229] {
        check(raw, &[], &v4, TCP);
        check(raw, &[], &v6, TCP);
    }
    check(1, &[&[0; 12][..], &[0x08, 0x00]].concat(), &v4, TCP);
    check(1, &[&[0; 12][..], &[0x86, 0xdd]].concat(), &v6, TCP);
    check(
        1,
        &[&[0; 12][..], &[0x81, 0, 0, 5, 0x08, 0]].concat(),
        &v4,
        TCP,
    );
    check(
        1,
        &[&[0; 12][..], &[0x88, 0xa8, 0, 5, 0x81, 0, 0, 6, 0x86, 0xdd]].concat(),
        &v6,
        TCP,
    );
    check(1, &[&[0; 12][..], &[0x08, 0x06]].concat(), &v4, "other");
    check(113, &[&[0; 14][..], &[0x08, 0]].concat(), &v4, TCP);
    check(276, &[&[0x86, 0xdd][..], &[0; 18]].concat(), &v6, TCP);
    check(0, &[2, 0, 0, 0], &v4, TCP);
    check(108, &[0, 0, 0, 24], &v6, TCP);
    check(127, &[], &v4, "unsupported");
    // MPLS with two labels, PPP over Ethernet, PPP in HDLC and compressed.
    let labels = [0x88, 0x47, 0, 1, 0x00, 64, 0, 2, 0x01, 64];
    check(1, &[&[0; 12][..], &labels].concat(), &v4, TCP);
    check(
        1,
        &[&[0; 12][..], &labels].concat(),
        &[0; 40],
        "unsupported",
    );
    let session = [0x88, 0x64, 0x11, 0, 0, 1, 0, 99, 0, 0x57];
    check(1, &[&[0; 12][..], &session].concat(), &v6, TCP);
    check(9, &[0xff, 3, 0, 0x21], &v4, TCP);
    check(50, &[0x21], &v4, TCP);
    check(9, &[0xc0, 0x21], &v4, "other");
    check(9, &[0, 0xfd], &v4, "unsupported");
}

#[test]
fn simple_tunnels_are_followed() {
    let v4 = synthetic("10.0.0.1:5000", "10.0.0.2:80");
    let v6 = synthetic("[2001:db8::1]:5000", "[2001:db8::2]:80");
    let outer = |protocol: u8, inner: &[u8]| {
        let mut packet = v4[..20].to_vec();
        packet.extend(inner);
        let length = packet.len() as u16;
        packet[2..4].copy_from_slice(&length.to_be_bytes());
        packet[9] = protocol;
        packet
    };
    check(LINK_RAW, &[], &outer(4, &v4), TCP);
    check(LINK_RAW, &[], &outer(41, &v6), TCP);
    let gre = |head: &[u8], inner: &[u8]| outer(47, &[head, inner].concat());
    check(LINK_RAW, &[], &gre(&[0, 0, 8, 0], &v4), TCP);
    check(
        LINK_RAW,
        &[],
        &gre(
            &[0xb0, 0, 0x86, 0xdd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            &v6,
        ),
        TCP,
    );
    let ethernet = [&[0; 12][..], &[8, 0], &v4].concat();
    check(LINK_RAW, &[], &gre(&[0, 0, 0x65, 0x58], &ethernet), TCP);
    check(LINK_RAW, &[], &gre(&[0, 1, 8, 0], &v4), "unsupported");
    let vxlan = |port: u16, flags: u8| {
        let udp = [&[0, 9][..], &port.to_be_bytes(), &[0; 4], &[flags], &[0; 7]].concat();
        outer(17, &[&udp[..], &ethernet].concat())
    };
    check(LINK_RAW, &[], &vxlan(4_789, 8), TCP);
    check(LINK_RAW, &[], &vxlan(4_789, 0), "unsupported");
    check(LINK_RAW, &[], &vxlan(53, 8), "other");
    let mut nested = v4.clone();
    for _ in 0..100 {
        nested = outer(4, &nested);
    }
    check(LINK_RAW, &[], &nested, "unsupported");
}

#[test]
fn exported_messages_are_taken_from_behind_their_tags() {
    let tags = |dissector: &[u8], rest: &[u8]| {
        let name = [&[0, 12, 0, 8][..], dissector].concat();
        [
            &name[..],
            &[0, 20, 0, 4, 10, 0, 0, 1, 0, 21, 0, 4, 10, 0, 0, 2],
            rest,
        ]
        .concat()
    };
    let ports = [
        0, 24, 0, 4, 0, 0, 0, 2, 0, 25, 0, 4, 0, 0, 0x13, 0x88, 0, 26, 0, 4, 0, 0, 0, 80,
    ];
    let end = [&ports[..], &[0, 99, 0, 1, 7, 0, 0, 0, 0]].concat();
    let whole = tags(b"http\0\0\0\0", &end);
    check(252, &whole, b"GET /", "pdu 5000>80 GET /");
    check(252, &tags(b"http2\0\0\0", &end), b"x", "pdu 5000>80 x");
    check(252, &tags(b"dns\0\0\0\0\0", &end), b"x", "unsupported");
    for length in 0..whole.len() {
        check(252, &whole[..length], &[], "malformed");
    }
}

#[test]
fn headers_are_taken_by_their_lengths() {
    let v4 = synthetic("10.0.0.1:5000", "10.0.0.2:80");
    check(LINK_RAW, &[], &[&v4[..], b"padding"].concat(), TCP);
    check(LINK_RAW, &[], &v4[..v4.len() - 3], "5000>80 seq 7 he cut 3");
    let with = |changes: &[(usize, u8)]| {
        let mut packet = v4.clone();
        for (at, value) in changes {
            packet[*at] = *value;
        }
        packet
    };
    check(LINK_RAW, &[], &with(&[(2, 0), (3, 0)]), TCP);
    let fragment = |at| format!("fragment 0 at {at} last true of 25");
    check(LINK_RAW, &[], &with(&[(7, 1), (6, 0)]), &fragment(8));
    check(LINK_RAW, &[], &with(&[(7, 1), (6, 0), (9, 17)]), "other");
    check(
        LINK_RAW,
        &[],
        &with(&[(6, 0x20)]),
        "fragment 0 at 0 last false of 25",
    );
    check(LINK_RAW, &[], &with(&[(9, 17)]), "other");
    check(LINK_RAW, &[], &with(&[(9, 47)]), "unsupported");
    assert!(matches!(parse(LINK_RAW, &v4[..30], 15), Parsed::Cut));
    check(LINK_RAW, &[], &with(&[(0, 0x44)]), "malformed");
    check(LINK_RAW, &[], &with(&[(3, 10)]), "malformed");
    check(LINK_RAW, &[], &with(&[(32, 0x40)]), "malformed");
    check(LINK_RAW, &[], &with(&[(32, 0xf0)]), "malformed");
    // Destination options of eight bytes between IPv6 and TCP.
    let mut v6 = synthetic("[2001:db8::1]:5000", "[2001:db8::2]:80");
    v6[6] = 60;
    v6[5] += 8;
    v6.splice(40..40, [6, 0, 1, 4, 0, 0, 0, 0]);
    check(LINK_RAW, &[], &v6, TCP);
    v6[6] = 44;
    v6[43] = 9;
    check(LINK_RAW, &[], &v6, "fragment 0 at 264 last false of 25");
}

#[test]
fn every_prefix_is_taken_apart_without_a_panic() {
    let packet = [
        &[0; 12][..],
        &[0x08, 0],
        &synthetic("10.0.0.1:5000", "10.0.0.2:80"),
    ]
    .concat();
    for length in 0..14 + 40 {
        check(1, &[], &packet[..length], "malformed");
    }
}

fn sum_of_words(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<2>();
    let sum: u64 = words
        .iter()
        .map(|word| u64::from(u16::from_be_bytes(*word)))
        .sum();
    sum + rest.first().map_or(0, |last| u64::from(*last) << 8)
}

fn checksum(mut sum: u64) -> u16 {
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

#[test]
fn checksums_are_valid() {
    for (source, destination) in [
        ("10.0.0.1:5000", "10.0.0.2:80"),
        ("[2001:db8::1]:5000", "[2001:db8::2]:80"),
    ] {
        let packet = synthetic(source, destination);
        let header = if packet[0] >> 4 == 4 { 20 } else { 40 };
        if header == 20 {
            assert_eq!(checksum(sum_of_words(&packet[..20])), 0);
        }
        let addresses = &packet[if header == 20 { 12..20 } else { 8..40 }];
        let tcp = &packet[header..];
        let pseudo = sum_of_words(addresses) + tcp.len() as u64 + 6;
        assert_eq!(checksum(pseudo + sum_of_words(tcp)), 0);
    }
}
