//! Tests of several files: order, copies, directories, links.

use std::{fs, os::unix::fs::symlink};

use super::*;

/// The events of `paths`, one line each with a place, and the losses.
fn read_all(paths: &[PathBuf]) -> (Vec<String>, Losses) {
    let mut losses = Losses::default();
    let mut source = open_all(paths).expect("the files can be read");
    let mut lines = Vec::new();
    while let Some(recorded) = source.next(&mut losses).expect("the files can be read") {
        let event = recorded.event().expect("a raw capture");
        if let (Some(place), EventKind::Data(data)) = (&event.place, &event.kind) {
            let text = String::from_utf8_lossy(data.bytes.expose()).into_owned();
            let (file, number) = (&place.file, place.packet);
            lines.push(format!("{file} {number} {} {text}", event.stream.handle));
        }
    }
    (lines, losses)
}

/// Two hosts captured the same connection, each of them one direction.
fn halves() -> [Vec<u8>; 2] {
    let client = [
        (10, packet(99, SYN, b"")),
        (30, packet(100, ACK, b"GET / ")),
        (50, packet(106, ACK, b"HTTP/1.1")),
    ];
    let server = [
        (20, answer(499, SYN | ACK, b"")),
        (40, answer(500, ACK, b"HTTP")),
        (60, answer(504, ACK, b"/1.1")),
    ];
    [client, server].map(|packets| {
        let mut file = pcap(0xa1b2_c3d4, false, 0, &[]);
        for (time, packet) in packets {
            file.extend(&pcap_from(time, 0xa1b2_c3d4, false, 0, &[packet])[24..]);
        }
        file
    })
}

fn answer(sequence: u32, flags: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = packet(sequence, flags, payload);
    let client: Vec<u8> = out[12..16].to_vec();
    out.copy_within(16..20, 12);
    out[16..20].copy_from_slice(&client);
    let port: Vec<u8> = out[20..22].to_vec();
    out.copy_within(22..24, 20);
    out[22..24].copy_from_slice(&port);
    out
}

#[test]
fn captures_that_overlap_are_read_side_by_side_whatever_the_order() {
    let directory = tempfile::tempdir().unwrap();
    let [client, server] = halves();
    let (a, b) = (
        directory.path().join("z.pcap"),
        directory.path().join("a.pcap"),
    );
    fs::write(&a, client).unwrap();
    fs::write(&b, server).unwrap();
    let expected = [
        "z.pcap 2 1 GET / ",
        "a.pcap 2 1 HTTP",
        "z.pcap 3 1 HTTP/1.1",
        "a.pcap 3 1 /1.1",
    ];
    for paths in [
        vec![a.clone(), b.clone()],
        vec![b.clone(), a.clone()],
        vec![directory.path().to_owned()],
        vec![directory.path().to_owned(), a.clone(), b.clone()],
    ] {
        let (lines, losses) = read_all(&paths);
        assert_eq!(
            (lines, losses.total()),
            (expected.map(str::to_owned).to_vec(), 0)
        );
    }
}

#[test]
fn more_captures_than_are_open_at_once_are_all_read() {
    let directory = tempfile::tempdir().unwrap();
    let [client, server] = halves();
    for number in 0..super::super::MAX_OPEN * 2 {
        let name = directory.path().join(format!("{number}.pcap"));
        // Copies are read once: each has another length.
        let other = packet(7_000 + number as u32, ACK, &vec![b'x'; number + 1]);
        let more = pcap_from(70, 0xa1b2_c3d4, false, 0, &[other]);
        fs::write(name, [&client[..], &more[24..]].concat()).unwrap();
    }
    fs::write(directory.path().join("server.pcap"), server).unwrap();
    let (lines, _) = read_all(&[directory.path().to_owned()]);
    let of_server = |line: &&String| line.starts_with("server.pcap");
    assert_eq!(lines.iter().filter(of_server).count(), 2);
}

#[test]
fn directories_are_read_to_the_bottom_and_links_not_followed() {
    let directory = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let deep = directory.path().join("one/two");
    fs::create_dir_all(&deep).unwrap();
    let [client, server] = halves();
    fs::write(deep.join("c.pcap"), &client).unwrap();
    fs::write(elsewhere.path().join("s.pcap"), &server).unwrap();
    symlink(
        elsewhere.path().join("s.pcap"),
        directory.path().join("s.pcap"),
    )
    .unwrap();
    symlink(directory.path(), deep.join("loop")).unwrap();
    // A file with the same content is the same capture.
    fs::write(directory.path().join("copy.pcap"), &client).unwrap();
    let (lines, losses) = read_all(&[directory.path().to_owned()]);
    assert_eq!(lines, ["c.pcap 2 1 GET / ", "c.pcap 3 1 HTTP/1.1"]);
    assert_eq!(
        (losses.get(Loss::CaptureUnsupported), losses.total()),
        (1, 1)
    );
    // A link that is named itself is followed.
    let (lines, _) = read_all(&[directory.path().join("s.pcap")]);
    assert_eq!(lines.len(), 2);
}

#[test]
fn archives_take_their_turn() {
    let directory = tempfile::tempdir().unwrap();
    let entry = |second: u32| {
        format!(
            "{{\"startedDateTime\":\"1970-01-01T00:00:{second}Z\",\
             \"request\":{{\"method\":\"GET\",\"url\":\"http://example.com/{second}\"}}}}"
        )
    };
    let archive = format!("{{\"log\":{{\"entries\":[{},{}]}}}}", entry(35), entry(55));
    fs::write(directory.path().join("b.har"), archive).unwrap();
    fs::write(directory.path().join("a.pcap"), &halves()[0]).unwrap();
    let (lines, losses) = read_all(&[directory.path().to_owned()]);
    let places: Vec<_> = lines.iter().map(|line| &line[..8]).collect();
    assert_eq!(places, ["a.pcap 2", "b.har 1 ", "a.pcap 3", "b.har 2 "]);
    assert_eq!(losses.total(), 0);
}

#[test]
fn what_is_around_a_capture_is_taken_off() {
    let plain = pcap(0xa1b2_c3d4, false, 5, &packets());
    let gzip = |bytes: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let zstd = |bytes: &[u8]| zstd::stream::encode_all(bytes, 1).unwrap();
    for file in [
        gzip(&plain),
        gzip(&gzip(&plain)),
        zstd(&gzip(&plain)),
        gzip(&zstd(&pcapng(true, &[]))),
        [gzip(&plain[..50]), gzip(&plain[50..])].concat(),
    ] {
        check(&file, 5_000, 0, &[]);
    }
    // A cut anywhere is reported, also at a boundary of packets.
    let (whole, _) = shown(&gzip(&plain));
    let packed = gzip(&plain);
    for length in 4..packed.len() {
        let (part, losses) = shown(&packed[..length]);
        let data = part.iter().filter(|line| !line.ends_with("closed")).count();
        assert!(whole.iter().zip(&part).take(data).all(|(a, b)| a == b));
        assert_eq!(losses.total(), 1, "cut at {length}");
    }
    let mut many = plain;
    for _ in 0..6 {
        many = gzip(&many);
    }
    assert!(read_bytes(&many, &mut Losses::default()).is_empty());
}
