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
    match parse(link, packet) {
        Parsed::Tcp(segment) => format!(
            "{}>{} seq {} {} cut {}",
            segment.source.1,
            segment.destination.1,
            segment.sequence,
            String::from_utf8_lossy(segment.payload),
            segment.cut
        ),
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
    for raw in [LINK_RAW, 228, 229] {
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
    check(LINK_RAW, &[], &with(&[(6, 0x20)]), "unsupported");
    check(LINK_RAW, &[], &with(&[(7, 1)]), "unsupported");
    check(LINK_RAW, &[], &with(&[(9, 17)]), "other");
    check(LINK_RAW, &[], &with(&[(9, 47)]), "unsupported");
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
    check(LINK_RAW, &[], &v6, "unsupported");
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
