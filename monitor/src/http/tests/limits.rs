//! Heads and bodies at and beyond the limits, and bytes that are no messages.

use super::*;

#[test]
fn unusual_heads_are_read_leniently() {
    check(
        &[sent(
            1,
            "GET /n?a=\0 HTTP/1.1\r\nHost: a.example\r\nX: a\0b\r\n\r\n",
        )],
        &["GET a.example /n?a=\0 - complete "],
        &[],
    );
    check(
        &[sent(
            1,
            "GET / HTTP/1.1\r\nbad line\r\nHost : a.example\r\n\r\n",
        )],
        &["GET a.example / - truncated "],
        &[Loss::HttpMalformed],
    );
    let with = |headers: usize| {
        let mut message = b"POST /h HTTP/1.1\r\nHost: a.example\r\n".to_vec();
        for index in 1..headers {
            message.extend(format!("x{index}: y\r\n").bytes());
        }
        message
    };
    let tail = "Content-Length: 2\r\n\r\nokGET / HTTP/1.1\r\n\r\n";
    let get = "GET - / - complete ";
    for (headers, completeness, losses) in [
        (USUAL_HEADERS - 1, "complete", &[][..]),
        (USUAL_HEADERS, "complete", &[]),
        (MAX_HEADERS - 1, "complete", &[]),
        (MAX_HEADERS, "truncated", &[Loss::HttpHeadLimit]),
    ] {
        let message = [&with(headers), tail.as_bytes()].concat();
        let first = format!("POST a.example /h - {completeness} ok");
        check(&[sent(1, message)], &[&first, get], losses);
    }
    // A head beyond the limit is passed over to its end.
    let huge = [&with(100_000), &b"\r\nGET / HTTP/1.1\r\n\r\n"[..]].concat();
    check(
        &[sent(1, &huge)],
        &["POST a.example /h - truncated ", get],
        &[Loss::HttpHeadLimit],
    );
    assert_eq!(run(&[sent(1, &huge)]).0[0].headers.len(), MAX_HEADERS);
    let parts: Vec<_> = huge.chunks(1_000).map(|part| sent(1, part)).collect();
    assert_eq!(run(&parts), run(&[sent(1, &huge)]));

    let target = format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(MAX_HEAD));
    let (requests, losses) = run(&[sent(1, target)]);
    assert_eq!(requests[0].target.expose().len(), MAX_HEAD - 4);
    assert_eq!(losses.get(Loss::HttpHeadLimit), 1);
}

#[test]
fn bodies_are_bounded() {
    let length = MAX_BODY + 1_000;
    let head = format!("POST /b HTTP/1.1\r\nContent-Length: {length}\r\n\r\n");
    let body = vec![b'x'; length];
    let (requests, losses) = run(&[sent(1, head), sent(1, &body), sent(1, "GET / HTTP/1.1\n\n")]);
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[0].body.expose().len(), MAX_BODY);
    assert_eq!(requests[0].body_wire_length, length as u64);
    assert_eq!(requests[0].completeness, Completeness::Truncated);
    assert_eq!(losses.get(Loss::HttpBodyLimit), 1);

    // Over all connections: the least recently used are passed on early.
    let (mut connections, mut losses) = (Connections::default(), Losses::default());
    let (mut out, count) = (Vec::new(), MAX_MEMORY / MAX_BODY + 8);
    for handle in 0..count as u64 {
        let head = format!(
            "POST /b HTTP/1.1\r\nContent-Length: {}\r\n\r\n",
            MAX_BODY + 1
        );
        for part in [head.as_bytes(), &body[..MAX_BODY]] {
            let mut delivery = sent(1, part);
            delivery.stream = id(handle);
            connections.push(&delivery, &mut losses, &mut out);
        }
        assert!(connections.memory <= MAX_MEMORY);
        out.retain_mut(|exchange| {
            exchange.request.body = Secret::default();
            true
        });
    }
    assert!(out.len() >= 8);
    assert_eq!(out[0].request.stream, id(0));
    assert_eq!(losses.get(Loss::StreamEvicted), out.len() as u64);
}

#[test]
fn no_mutation_does_harm() {
    // A generator with a fixed seed keeps the test the same on every run.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below as u64).unwrap()
    };
    let whole: Vec<u8> = messages()
        .into_iter()
        .flat_map(|(message, _)| message)
        .collect();
    for _ in 0..2_000 {
        let mut message = whole.clone();
        for _ in 0..=next(6) {
            let at = next(message.len());
            message[at] = b"\0\r\n :;0fZ\xff"[next(10)];
        }
        let mut deliveries = Vec::new();
        let mut rest = &message[..];
        while !rest.is_empty() {
            let (part, after) = rest.split_at(1 + next(rest.len().min(90)));
            rest = after;
            let direction = if next(4) == 0 { RECEIVED } else { SENT };
            deliveries.push(bytes(1, direction, part));
            if next(20) == 0 {
                deliveries.push(gap(1, direction, next(40) as u64));
            }
        }
        let (requests, _) = run(&deliveries);
        assert!(requests.iter().all(|request| request.method.len() <= 32));
    }
}
