//! What records become, and what is marked as missing.

use bytes::Bytes;

use super::*;
use crate::secret::Secret;

const STREAM: StreamId = StreamId {
    owner: 0,
    handle: 5,
    born: 6,
};

fn data(source: Source, direction: Direction, offset: u64, length: usize, missing: u64) -> Record {
    Record::Data(Chunk {
        stream: STREAM,
        source,
        direction,
        offset,
        bytes: Secret::new(Bytes::from(vec![b'x'; length])),
        missing,
        loss: None,
        server: false,
        one_way: false,
    })
}

fn from_server(record: Record) -> Record {
    match record {
        Record::Data(chunk) => Record::Data(Chunk {
            server: true,
            ..chunk
        }),
        other => other,
    }
}

fn one_way(record: Record) -> Record {
    match record {
        Record::Data(chunk) => Record::Data(Chunk {
            one_way: true,
            ..chunk
        }),
        other => other,
    }
}

/// Pushes a record that must not cost another stream its place.
fn push(
    translator: &mut Translator,
    time: u64,
    record: Record,
    out: &mut Vec<Event>,
) -> Option<Signal> {
    let mut losses = Losses::default();
    let signal = translator.push(time, record, &mut |_| None, &mut losses, out);
    assert_eq!(losses, Losses::default());
    signal
}

fn shape(events: &[Event]) -> Vec<(&'static str, u64, u64)> {
    events
        .iter()
        .map(|event| match &event.kind {
            EventKind::Opened(_) => ("opened", 0, 0),
            EventKind::Named(_) => ("named", 0, 0),
            EventKind::Data(data) => ("data", data.offset, data.bytes.expose().len() as u64),
            EventKind::Missing { offset, length, .. } => ("missing", *offset, *length),
            EventKind::Closed => ("closed", 0, 0),
        })
        .collect()
}

#[test]
fn what_is_not_there_is_marked() {
    let mut translator = Translator::new(1_000);
    let mut out = Vec::new();
    for record in [
        data(Source::OpenSsl, Direction::Sent, 0, 10, 0),
        data(Source::OpenSsl, Direction::Received, 0, 512, 100),
        data(Source::OpenSsl, Direction::Received, 5_000, 20, 0),
        data(Source::OpenSsl, Direction::Sent, 30, 5, 0),
        Record::Closed {
            stream: STREAM,
            sent: Some(50),
        },
    ] {
        assert_eq!(push(&mut translator, 1, record, &mut out), None);
    }
    assert_eq!(
        shape(&out),
        [
            ("opened", 0, 0),
            ("data", 0, 10),
            ("data", 0, 512),
            ("missing", 512, 100),
            ("missing", 612, 4_388),
            ("data", 5_000, 20),
            ("missing", 10, 20),
            ("data", 30, 5),
            ("missing", 35, 15),
            ("closed", 0, 0),
        ]
    );
    assert_eq!(out[0].time, Timestamp(1_001));
}

#[test]
fn what_a_server_sends_between_pages_is_no_loss() {
    for source in [Source::OpenSsl, Source::Socket] {
        let mut translator = Translator::new(0);
        let mut out = Vec::new();
        for record in [
            data(source, Direction::Received, 900, 20, 30),
            data(source, Direction::Sent, 700, 10, 5),
            data(source, Direction::Sent, 900, 10, 0),
            Record::Closed {
                stream: STREAM,
                sent: Some(5_000),
            },
        ] {
            push(&mut translator, 1, from_server(record), &mut out);
        }
        let lost = out
            .iter()
            .any(|event| matches!(&event.kind, EventKind::Missing { loss, .. } if loss.is_some()));
        assert!(!lost, "{source:?}");
        assert_eq!(
            shape(&out),
            [
                ("opened", 0, 0),
                ("missing", 0, 900),
                ("data", 900, 20),
                ("missing", 920, 30),
                ("missing", 0, 700),
                ("data", 700, 10),
                ("missing", 710, 5),
                ("missing", 715, 185),
                ("data", 900, 10),
                ("closed", 0, 0),
            ],
            "{source:?}"
        );
    }
}

#[test]
fn a_stream_says_when_only_one_way_of_it_is_seen() {
    let sent = |offset| data(Source::OpenSsl, Direction::Sent, offset, 10, 0);
    let received = data(Source::OpenSsl, Direction::Received, 0, 5, 0);
    let mut translator = Translator::new(0);
    let mut out = Vec::new();
    for record in [
        sent(0),
        received,
        one_way(sent(10)),
        one_way(sent(20)),
        sent(30),
    ] {
        push(&mut translator, 1, record, &mut out);
    }
    let said: Vec<_> = out
        .iter()
        .map(|event| match &event.kind {
            EventKind::Opened(origin) => Some(origin.one_way),
            _ => None,
        })
        .collect();
    let (both, one) = (Some(false), Some(true));
    assert_eq!(said, [both, None, None, one, None, None, both, None]);
}

#[test]
fn the_end_of_a_process_or_its_program_closes_its_streams() {
    let pid = u32::MAX;
    for (record, expected) in [
        (Record::Exit { pid }, Signal::Exit(pid)),
        (
            Record::Exec {
                pid,
                path: "/bin/true".to_owned(),
            },
            Signal::Exec(pid),
        ),
    ] {
        ends_its_streams(record, &expected);
    }
}

fn ends_its_streams(record: Record, expected: &Signal) {
    let mut translator = Translator::new(0);
    let mut out = Vec::new();
    let stream = StreamId {
        owner: u32::MAX,
        handle: 1,
        born: 1,
    };
    let mut forgotten = Vec::new();
    let mut forget = |stream| {
        forgotten.push(stream);
        Some(7)
    };
    let named = Record::ServerName {
        source: Source::OpenSsl,
        stream,
        name: "A.Example".into(),
    };
    let mut losses = Losses::default();
    translator.push(1, named, &mut forget, &mut losses, &mut out);
    let signal = translator.push(2, record, &mut forget, &mut losses, &mut out);
    assert_eq!(forgotten, [stream]);
    assert_eq!(signal.as_ref(), Some(expected));
    assert_eq!(
        shape(&out),
        [("opened", 0, 0), ("named", 0, 0), ("closed", 0, 0)]
    );
    assert!(translator.streams.is_empty() && translator.owned.is_empty());
}

fn socket(handle: u64) -> StreamId {
    StreamId {
        handle,
        born: handle,
        ..STREAM
    }
}

fn ends(handle: u64) -> Record {
    let address = SocketAddr::from(([127, 0, 0, 1], 80));
    Record::Socket {
        stream: socket(handle),
        source: Source::Socket,
        local: address,
        peer: address,
    }
}

#[test]
fn a_stream_that_has_ended_takes_no_room() {
    let (mut translator, mut out) = (Translator::new(0), Vec::new());
    for handle in 1..=2 * MAX_STREAMS as u64 {
        push(&mut translator, handle, ends(handle), &mut out);
        let closed = Record::Closed {
            stream: socket(handle),
            sent: None,
        };
        push(&mut translator, handle, closed.clone(), &mut out);
        assert_eq!(shape(&out), [("opened", 0, 0), ("closed", 0, 0)]);
        out.clear();
        // Both directions may tell the end.
        push(&mut translator, handle, closed, &mut out);
        assert_eq!(shape(&out), []);
    }
    assert!(translator.streams.is_empty() && translator.owned.is_empty());
    assert_eq!(translator.lru.oldest(), None);
}

#[test]
fn too_many_streams_close_the_one_unheard_for_longest() {
    const MORE: u64 = 1_000;
    let (mut translator, mut out) = (Translator::new(0), Vec::new());
    let mut losses = Losses::default();
    let most = MAX_STREAMS as u64;
    for handle in 1..=most {
        push(&mut translator, handle, ends(handle), &mut out);
    }
    out.clear();
    // The eldest is in use: the next ones have to go.
    push(&mut translator, most, ends(1), &mut out);
    assert_eq!(shape(&out), []);
    for handle in most + 1..=most + MORE {
        translator.push(handle, ends(handle), &mut |_| None, &mut losses, &mut out);
    }
    let closed: Vec<_> = out
        .iter()
        .filter(|event| matches!(event.kind, EventKind::Closed))
        .map(|event| event.stream.handle)
        .collect();
    assert_eq!(closed, (2..2 + MORE).collect::<Vec<_>>());
    assert_eq!(losses.get(Loss::ProbeEvicted), MORE);
    assert_eq!(losses.total(), MORE);
    assert_eq!(translator.streams.len(), MAX_STREAMS);
}

#[test]
fn a_forked_process_that_has_gone_is_known_by_the_one_that_forked_it() {
    let mut translator = Translator::new(0);
    let mut out = Vec::new();
    let (parent, child) = (std::process::id(), u32::MAX);
    let fork = Record::Fork { parent, child };
    let mut losses = Losses::default();
    let signal = translator.push(1, fork, &mut |_| None, &mut losses, &mut out);
    assert_eq!(signal, Some(Signal::Fork { parent, child }));
    let [known, inherited] = [parent, child].map(|pid| translator.processes.get(pid));
    assert_eq!(inherited.pid, child);
    assert!(known.exe.is_some());
    assert_eq!(inherited.exe, known.exe);
}

#[test]
fn sequence_numbers_extend_past_four_gibibytes() {
    let top = 1_u64 << 32;
    for (highest, low, expected) in [
        (0, 0, 0),
        (100, 50, 50),
        (top - 10, 5, top + 5),
        (top + 5, top - 20, top - 20),
        (3 * top + 7, 9, 3 * top + 9),
        (0, 0xffff_fff0, 0xffff_fff0),
    ] {
        assert_eq!(extend(highest, low), expected, "{highest} {low}");
    }
}
