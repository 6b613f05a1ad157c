//! Order, gaps and ends, checked on tables of events.

use bytes::Bytes;

use super::*;
use crate::event::{Data, Origin, Source};

const SECOND: u64 = 1_000_000_000;

const fn id(handle: u64) -> StreamId {
    StreamId {
        owner: 1,
        handle,
        born: 0,
    }
}

fn event(time: u64, kind: EventKind) -> Event {
    Event {
        time: Timestamp(time),
        stream: id(1),
        place: None,
        kind,
    }
}

fn opened(source: Source) -> Event {
    let origin = Origin {
        source,
        process: None,
        local: None,
        peer: None,
        one_way: false,
        blindness: None,
    };
    event(0, EventKind::Opened(Arc::new(origin)))
}

fn data(time: u64, offset: u64, bytes: &[u8]) -> Event {
    let bytes = Secret::new(Bytes::copy_from_slice(bytes));
    event(
        time,
        EventKind::Data(Data {
            direction: Direction::Sent,
            offset,
            bytes,
        }),
    )
}

fn missing(time: u64, offset: u64, length: u64, loss: Option<Loss>) -> Event {
    event(
        time,
        EventKind::Missing {
            direction: Direction::Sent,
            offset,
            length,
            loss,
        },
    )
}

fn closed(time: u64) -> Event {
    event(time, EventKind::Closed)
}

/// Deliveries as text: bytes as they are (runs joined), `~` for a late start,
/// `[n]` for a gap, `{name}` for a hello, `#` for application data behind it, `|` for
/// the end.
fn shown(deliveries: &[Delivery]) -> String {
    let each = deliveries.iter().map(|delivery| {
        let late = if delivery.late { "~" } else { "" };
        let what = match &delivery.what {
            Segment::Bytes { bytes, .. } => String::from_utf8_lossy(bytes.expose()).into_owned(),
            Segment::Gap { length, .. } => format!("[{length}]"),
            Segment::Hello(ClientHello { server_name, .. }) => {
                format!("{{{}}}", server_name.as_deref().unwrap_or_default())
            }
            Segment::Encrypted => "#".to_owned(),
            Segment::Closed => "|".to_owned(),
        };
        format!("{late}{what}")
    });
    each.collect()
}

fn run(events: &[Event]) -> (Vec<Delivery>, Losses) {
    let (mut streams, mut losses, mut out) = (Streams::default(), Losses::default(), Vec::new());
    for event in events {
        streams.push(event, &mut losses, &mut out);
    }
    assert!(
        out.is_sorted_by_key(|delivery| delivery.now),
        "the clock went back"
    );
    (out, losses)
}

fn check(events: &[Event], expected: &str, expected_losses: &[(Loss, u64)]) {
    let (out, losses) = run(events);
    assert_eq!(shown(&out), expected);
    assert_eq!(
        losses.iter().collect::<Vec<_>>(),
        expected_losses,
        "{expected}"
    );
}

const GAP: (Loss, u64) = (Loss::StreamGap, 1);

#[test]
fn calls_come_in_order_and_a_jump_is_a_gap() {
    let source = opened(Source::OpenSsl);
    check(
        &[source.clone(), data(1, 0, b"abc"), data(2, 3, b"def")],
        "abcdef",
        &[],
    );
    check(
        &[source.clone(), data(1, 0, b"abc"), data(2, 5, b"def")],
        "abc[2]def",
        &[GAP],
    );
    check(
        &[source.clone(), data(1, 0, b"abc"), data(2, 1, b"bcdef")],
        "abcdef",
        &[],
    );
    check(&[source.clone(), data(1, 7, b"abc")], "~abc", &[GAP]);
    check(
        &[
            source.clone(),
            data(1, 0, b"abc"),
            missing(2, 3, 9, None),
            data(3, 12, b"d"),
            closed(4),
        ],
        "abc[9]d|",
        &[],
    );
    let capped = missing(2, 3, 9, Some(Loss::KernelCallCap));
    check(
        &[source, data(1, 0, b"abc"), capped, data(3, 12, b"d")],
        "abc[9]d",
        &[],
    );
}

#[test]
fn packets_are_put_in_order() {
    let source = opened(Source::Pcap);
    check(
        &[source.clone(), data(1, 3, b"def"), data(2, 0, b"abc")],
        "abcdef",
        &[],
    );
    // The first copy of a byte wins, wherever the later chunk overlaps.
    check(
        &[
            source.clone(),
            data(1, 0, b"ab"),
            data(2, 4, b"EF"),
            data(3, 1, b"bcdefgh"),
            closed(4),
        ],
        "abcdEFgh|",
        &[],
    );
    check(
        &[
            source.clone(),
            data(1, 6, b"g"),
            data(2, 2, b"CD"),
            data(3, 0, b"abcdefgh"),
        ],
        "abCDefgh",
        &[],
    );
    check(
        &[
            source,
            data(1, 0, b"abc"),
            data(2, 0, b"abc"),
            data(3, 2, b"cd"),
        ],
        "abcd",
        &[],
    );
}

#[test]
fn every_order_of_packets_gives_the_same_bytes() {
    let pieces: [(u64, &[u8]); 6] = [
        (0, b"ab"),
        (2, b"cde"),
        (1, b"bcd"),
        (5, b"fg"),
        (7, b"hij"),
        (4, b"efgh"),
    ];
    let mut orders = vec![vec![]];
    for _ in 0..pieces.len() {
        orders = orders
            .iter()
            .flat_map(|order: &Vec<usize>| {
                (0..pieces.len())
                    .filter(|index| !order.contains(index))
                    .map(|index| {
                        let mut longer = order.clone();
                        longer.push(index);
                        longer
                    })
            })
            .collect();
    }
    assert_eq!(orders.len(), 720);
    for order in orders {
        let mut events = vec![opened(Source::Socket)];
        events.extend(
            order
                .iter()
                .map(|index| data(1, pieces[*index].0, pieces[*index].1)),
        );
        check(&events, "abcdefghij", &[]);
        // Without the only piece that covers offset 9.
        events.retain(|event| !matches!(&event.kind, EventKind::Data(data) if data.offset == 7));
        events.push(data(2, 10, b"k"));
        events.push(closed(3));
        check(&events, "abcdefgh[2]k|", &[GAP]);
    }
}

#[test]
fn a_hole_ends_by_age_by_limit_and_by_the_end() {
    let source = opened(Source::Socket);
    let (a, c) = (data(1, 0, b"ab"), data(2, 4, b"ef"));
    check(&[source.clone(), a.clone(), c.clone()], "ab", &[]);
    check(
        &[
            source.clone(),
            a.clone(),
            c.clone(),
            data(2 * SECOND + 1, 2, b"cd"),
        ],
        "abcdef",
        &[],
    );
    // The hole is given up before the event of that moment is handled.
    let late = data(2 * SECOND + 2, 2, b"cd");
    check(
        &[source.clone(), a.clone(), c.clone(), late],
        "ab[2]ef",
        &[GAP],
    );
    check(
        &[source.clone(), a.clone(), c.clone(), closed(3)],
        "ab[2]ef|",
        &[GAP],
    );
    check(
        &[source.clone(), c.clone(), data(3 * SECOND, 6, b"gh")],
        "~efgh",
        &[],
    );
    check(&[source.clone(), c, closed(3)], "~ef|", &[]);

    let mut many = vec![source.clone(), a.clone()];
    many.extend((0..MAX_WAITING_CHUNKS as u64).map(|index| data(2, 3 + 2 * index, b"x")));
    assert_eq!(shown(&run(&many).0), "ab");
    many.push(data(2, 3 + 2 * MAX_WAITING_CHUNKS as u64, b"x"));
    check(&many, "ab[1]x", &[GAP]);

    let big = vec![b'x'; MAX_WAITING_BYTES];
    let mut large = vec![source, a, data(2, 3, &big)];
    assert_eq!(shown(&run(&large).0), "ab");
    large.push(data(2, 3 + big.len() as u64, b"x"));
    assert_eq!(run(&large).1.get(Loss::StreamGap), 1);
    assert_eq!(shown(&run(&large).0).len(), "ab[1]".len() + big.len() + 1);
}

#[test]
fn captures_of_others_wait_longer() {
    const LATE: u64 = 1 << 32;
    let source = opened(Source::Pcap);
    let (a, c) = (data(1, 0, b"ab"), data(2, 4, b"ef"));
    let again = data(100 * SECOND, 2, b"cd");
    check(
        &[source.clone(), a.clone(), c.clone(), again],
        "abcdef",
        &[],
    );
    let never = data(120 * SECOND + 2, 6, b"gh");
    check(&[source.clone(), a, c.clone(), never], "ab[2]efgh", &[GAP]);
    // The start was seen, its bytes were not.
    check(&[source.clone(), c, closed(3)], "[4]ef|", &[GAP]);
    let late = [
        source,
        data(1, LATE, b"ab"),
        data(2, LATE - 2, b"xy"),
        data(3 * SECOND, LATE + 2, b"cd"),
    ];
    check(&late, "~xyabcd", &[]);
}

#[test]
fn ticks_change_nothing_but_how_soon() {
    let events = [
        opened(Source::Pcap),
        data(1, 0, b"ab"),
        data(2, 4, b"ef"),
        data(SECOND, 9, b"j"),
        data(5 * SECOND, 10, b"k"),
    ];
    let (expected, expected_losses) = run(&events);
    let (mut streams, mut losses, mut out) = (Streams::default(), Losses::default(), Vec::new());
    for event in &events {
        streams.push(event, &mut losses, &mut out);
        for step in 0..4 {
            let next = Timestamp(event.time.0 + step * SECOND / 2);
            streams.tick(
                next.min(Timestamp(event.time.0 + SECOND - 3)),
                &mut losses,
                &mut out,
            );
        }
    }
    for step in 1..8 {
        streams.tick(
            Timestamp(5 * SECOND + step * SECOND / 2),
            &mut losses,
            &mut out,
        );
    }
    assert_eq!(shown(&out), shown(&expected));
    assert_eq!(out, expected);
    assert_eq!(losses, expected_losses);
}

#[test]
fn a_hello_is_delivered_once_and_its_stream_not() {
    let hello = client_hello::tests::hello(Some("graph.example.com"), 1_800, 700);
    let source = opened(Source::Socket);
    for split in 1..hello.len() {
        let events = [
            source.clone(),
            data(1, split as u64, &hello[split..]),
            data(2, 0, &hello[..split]),
            data(3, hello.len() as u64, b"ciphertext"),
            data(4, 9_000, b"more"),
            closed(5),
        ];
        check(&events, "{graph.example.com}#|", &[]);
        let (out, _) = run(&events);
        assert_eq!(out[0].time, Timestamp(2));
        assert_eq!(
            out[2].facts.server_name.as_deref(),
            Some("graph.example.com")
        );
    }
    // Bytes that only begin like a hello are delivered as they are.
    check(
        &[source.clone(), data(1, 0, &[22, 3]), data(2, 2, b"x")],
        "\u{16}\u{3}x",
        &[],
    );
    check(
        &[source.clone(), data(1, 0, &[22, 3]), closed(2)],
        "\u{16}\u{3}|",
        &[],
    );
    check(
        &[source.clone(), data(1, 0, &hello[..20]), closed(2)],
        "{}|",
        &[],
    );
    check(
        &[source, data(1, 0, &hello[..20]), missing(2, 20, 9, None)],
        "{}#",
        &[],
    );
}

#[test]
fn a_stream_says_when_more_than_a_handshake_is_sent() {
    let hello = client_hello::tests::hello(Some("a.example"), 100, 4_096);
    let length = hello.len() as u64;
    let record = |length: u8| [vec![23, 3, 3, 0, length], vec![0; length.into()]].concat();
    let (finished, own) = (record(53), record(90));
    let begin = [opened(Source::Socket), data(1, 0, &hello)];
    for (rest, expected) in [
        (vec![closed(2)], "{a.example}|"),
        (vec![data(2, length, &finished), closed(3)], "{a.example}|"),
        (
            vec![
                data(2, length, &finished),
                data(3, length, &finished),
                data(4, length + 58, &own),
                data(5, length + 153, &own),
                closed(6),
            ],
            "{a.example}#|",
        ),
        // Something is missing.
        (vec![data(2, length + 1, &finished)], "{a.example}#"),
        (vec![missing(2, length, 9, None)], "{a.example}#"),
    ] {
        check(&[&begin[..], &rest].concat(), expected, &[]);
    }
    let whole = [hello, finished, own].concat();
    check(
        &[opened(Source::Socket), data(1, 0, &whole), closed(2)],
        "{a.example}#|",
        &[],
    );
}

#[test]
fn what_comes_after_the_end_is_no_new_stream() {
    let source = opened(Source::Pcap);
    let before = [source, data(1, 0, b"abc"), closed(2)];
    check(
        &[&before[..], &[data(3, 0, b"abc"), closed(4)]].concat(),
        "abc|",
        &[],
    );
    check(&[&before[..], &[data(3, 3, b"d")]].concat(), "abc|", &[GAP]);
}

#[test]
fn the_table_is_bounded() {
    let (mut streams, mut losses, mut out) = (Streams::default(), Losses::default(), Vec::new());
    for handle in 0..MAX_STREAMS as u64 + 2 {
        let mut event = data(1, 0, b"a");
        event.stream = id(handle);
        streams.push(&event, &mut losses, &mut out);
        event.stream = id(0);
        streams.push(&event, &mut losses, &mut out);
    }
    assert_eq!(losses.get(Loss::StreamEvicted), 2);
    let ended: Vec<_> = out
        .iter()
        .filter(|delivery| delivery.what == Segment::Closed)
        .map(|delivery| delivery.stream)
        .collect();
    assert_eq!(ended, [id(1), id(2)]);
    out.clear();
    streams.finish(&mut losses, &mut out);
    assert_eq!(out.len(), MAX_STREAMS);
}

#[test]
fn offsets_at_the_end_of_the_numbers_do_no_harm() {
    let far = u64::MAX - 1;
    check(
        &[data(1, far, b"abc"), closed(2)],
        "|",
        &[(Loss::StreamReorderLimit, 1)],
    );
    check(&[data(1, far, b"a"), closed(2)], "~a|", &[]);
    check(
        &[missing(1, 0, u64::MAX, None), data(2, 5, b"x"), closed(3)],
        "[18446744073709551615]|",
        &[],
    );
}

#[test]
fn bytes_stand_where_they_belong_whatever_comes() {
    // A generator with a fixed seed keeps the test the same on every run.
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = move |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    };
    let content: Vec<u8> = (0..4_000_u32).map(|offset| (offset % 251) as u8).collect();
    for round in 0..300 {
        let source = if round % 2 == 0 {
            Source::Socket
        } else {
            Source::OpenSsl
        };
        let (mut streams, mut losses) = (Streams::default(), Losses::default());
        let mut out = Vec::new();
        streams.push(&opened(source), &mut losses, &mut out);
        let (mut time, mut front) = (1, 0);
        for _ in 0..100 {
            time += next(3) * SECOND / 4;
            let offset = (front + next(60)).saturating_sub(30).min(3_900);
            let length = 1 + next(40);
            front = front.max(offset + length);
            let at = usize::try_from(offset).unwrap();
            let event = if next(12) == 0 {
                missing(time, offset, length, Some(Loss::KernelRingFull))
            } else {
                data(
                    time,
                    offset,
                    &content[at..at + usize::try_from(length).unwrap()],
                )
            };
            streams.push(&event, &mut losses, &mut out);
        }
        streams.finish(&mut losses, &mut out);
        assert_eq!(streams.waiting_bytes, 0);
        assert!(streams.deadlines.is_empty() && streams.table.is_empty());
        assert!(out.is_sorted_by_key(|delivery| delivery.now));
        // The start of the stream is not delivered: the first bytes show it.
        let mut at = None;
        for delivery in &out {
            match &delivery.what {
                Segment::Bytes { bytes, .. } => {
                    let bytes = bytes.expose();
                    let start = at.unwrap_or_else(|| usize::from(bytes[0]));
                    assert_eq!(bytes, &content[start..start + bytes.len()], "round {round}");
                    at = Some(start + bytes.len());
                }
                Segment::Gap { length, .. } => {
                    at = at.map(|at| at + usize::try_from(*length).unwrap());
                }
                Segment::Hello(_) | Segment::Encrypted | Segment::Closed => {}
            }
        }
        assert!(at.is_some_and(|at| at as u64 == front), "round {round}");
    }
}
