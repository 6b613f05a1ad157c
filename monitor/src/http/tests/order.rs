//! Output depends only on the order of the input.

use std::sync::Arc;

use super::*;
use crate::{
    event::{Data, Event, EventKind, Origin, Source},
    stream::{Facts, Streams},
};

#[test]
fn ticks_change_nothing_but_how_soon() {
    let get = |time, handle| {
        let mut delivery = sent(time, "GET / HTTP/1.1\r\n\r\n");
        delivery.stream = id(handle);
        delivery
    };
    let deliveries = [
        get(1, 3),
        get(2, 2),
        get(3 * SECOND, 1),
        get(MAX_WAIT + 2, 3),
        get(4 * MAX_WAIT, 1),
    ];
    let expected = run(&deliveries).0;
    let order: Vec<_> = expected
        .iter()
        .map(|request| request.stream.handle)
        .collect();
    assert_eq!(order, [3, 2, 1, 3, 1]);
    let (mut connections, mut losses) = (Connections::default(), Losses::default());
    let mut out = Vec::new();
    for (index, delivery) in deliveries.iter().enumerate() {
        connections.push(delivery, &mut losses, &mut out);
        let until = deliveries
            .get(index + 1)
            .map_or(u64::MAX, |next| next.now.0);
        for step in 1..40 {
            let now = delivery.now.plus(step * SECOND);
            if now.0 < until {
                connections.tick(now, &mut out);
            }
        }
    }
    let got: Vec<_> = out.into_iter().map(|exchange| exchange.request).collect();
    assert_eq!(got, expected);
}

#[test]
fn packets_in_any_order_give_the_same_request() {
    let message = b"POST /c HTTP/1.1\r\nHost: a.example\r\nContent-Length: 9\r\n\r\nem=a%40b.";
    let mut cuts: Vec<_> = message.chunks(11).enumerate().collect();
    for turn in 0..cuts.len() {
        cuts.rotate_left(1);
        if turn % 2 == 0 {
            cuts.reverse();
        }
        let (mut streams, mut connections) = (Streams::default(), Connections::default());
        let (mut losses, mut steps, mut out) = (Losses::default(), Vec::new(), Vec::new());
        for (index, part) in &cuts {
            let bytes = Secret::new(Bytes::copy_from_slice(part));
            let data = Data {
                direction: SENT,
                offset: 11 * *index as u64,
                bytes,
            };
            let kind = EventKind::Data(data);
            let event = Event {
                time: Timestamp(1),
                stream: id(1),
                place: None,
                kind,
            };
            streams.push(&event, &mut losses, &mut steps);
        }
        streams.finish(&mut losses, &mut steps);
        for step in &steps {
            connections.push(step, &mut losses, &mut out);
        }
        let [exchange] = &out[..] else {
            panic!("{} requests", out.len())
        };
        assert_eq!(
            shown(&exchange.request),
            "POST a.example /c - complete em=a%40b."
        );
        assert_eq!(losses.total(), 0);
    }
}

#[test]
fn the_end_of_the_input_keeps_the_order() {
    let event = |time, handle, text: &str| {
        let bytes = Secret::new(Bytes::copy_from_slice(text.as_bytes()));
        let kind = EventKind::Data(Data {
            direction: SENT,
            offset: 0,
            bytes,
        });
        Event {
            time: Timestamp(time),
            stream: id(handle),
            place: None,
            kind,
        }
    };
    let get = "GET / HTTP/1.1\r\n\r\n";
    let events = [
        event(1, 9, get),
        event(2, 1, "POST / HT"),
        event(3, 5, get),
        event(4, 2, get),
    ];
    let order = |later: Option<Timestamp>| {
        let (mut streams, mut connections) = (Streams::default(), Connections::default());
        let (mut losses, mut steps, mut out) = (Losses::default(), Vec::new(), Vec::new());
        for event in &events {
            streams.push(event, &mut losses, &mut steps);
        }
        if let Some(later) = later {
            for step in steps.drain(..) {
                connections.push(&step, &mut losses, &mut out);
            }
            connections.tick(later, &mut out);
        }
        streams.finish(&mut losses, &mut steps);
        for step in &steps {
            connections.push(step, &mut losses, &mut out);
        }
        connections.finish(&mut losses, &mut out);
        out.iter()
            .map(|exchange| exchange.request.stream.handle)
            .collect::<Vec<_>>()
    };
    assert_eq!(order(None), [9, 5, 2]);
    assert_eq!(order(Some(Timestamp(SECOND * 60))), [9, 5, 2]);
}

/// The statuses of the requests that each delivery hands on. With `true` only what
/// the process sends is seen.
fn told(deliveries: &[(bool, Delivery)]) -> Vec<Vec<Option<u16>>> {
    let (mut connections, mut losses) = (Connections::default(), Losses::default());
    let mut statuses = Vec::new();
    for (one_way, delivery) in deliveries {
        let origin = Origin {
            source: Source::OpenSsl,
            process: None,
            local: None,
            peer: None,
            one_way: *one_way,
            blindness: None,
        };
        let facts = Facts {
            origin: Some(Arc::new(origin)),
            ..Facts::default()
        };
        let delivery = Delivery {
            facts: Arc::new(facts),
            ..delivery.clone()
        };
        let mut out = Vec::new();
        connections.push(&delivery, &mut losses, &mut out);
        statuses.push(out.iter().map(|exchange| exchange.request.status).collect());
    }
    assert_eq!(losses, Losses::default());
    statuses
}

#[test]
fn a_request_whose_response_will_not_be_seen_is_told_at_once() {
    const GET: &str = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";
    const OK: &str = "HTTP/1.1 204 No Content\r\n\r\n";
    let get = |one_way, time| (one_way, sent(time, GET));
    let ok = |time| (false, received(time, OK));
    // One that waits is told with the first that nobody will answer, and the next
    // answer is not taken for theirs.
    let deliveries = [
        get(false, 1),
        get(true, 2),
        get(true, 3),
        get(false, 4),
        ok(5),
    ];
    let told = told(&deliveries);
    let expected: [&[Option<u16>]; 5] = [&[], &[None, None], &[None], &[], &[Some(204)]];
    assert_eq!(told, expected);
}
