//! Statuses and the requests that they belong to.

use super::*;

#[test]
fn answers_are_matched_in_order() {
    let get = |name: &str| sent(1, format!("GET /{name} HTTP/1.1\r\n\r\n"));
    let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    let no = "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n";
    let (a_ok, b_no) = ("GET - /a 200 complete ", "GET - /b 404 complete ");
    check(
        &[get("a"), received(2, ok), get("b"), received(3, no)],
        &[a_ok, b_no],
        &[],
    );
    let both = format!("{ok}{no}");
    check(
        &[get("a"), get("b"), received(2, &both)],
        &[a_ok, b_no],
        &[],
    );
    let each: Vec<_> = both.bytes().map(|byte| received(2, [byte])).collect();
    check(
        &[&[get("a"), get("b")][..], &each].concat(),
        &[a_ok, b_no],
        &[],
    );
    for split in 0..both.len() {
        let parts = [received(2, &both[..split]), received(3, &both[split..])];
        check(
            &[&[get("a"), get("b")][..], &parts].concat(),
            &[a_ok, b_no],
            &[],
        );
    }

    let head = sent(1, "HEAD /a HTTP/1.1\r\n\r\n");
    let long = "HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n";
    let responses = received(2, format!("{long}{no}"));
    check(
        &[head, get("b"), responses],
        &["HEAD - /a 200 complete ", b_no],
        &[],
    );
    for status in [204, 304] {
        let responses = format!("HTTP/1.1 {status} x\r\nContent-Length: 9\r\n\r\n{no}");
        let first = format!("GET - /a {status} complete ");
        check(
            &[get("a"), get("b"), received(2, responses)],
            &[&first, b_no],
            &[],
        );
    }

    let post = sent(
        1,
        "POST /a HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n",
    );
    let go = received(2, "HTTP/1.1 100 Continue\r\n\r\n");
    let posted = "POST - /a 200 complete hi";
    check(
        &[post.clone(), go, sent(3, "hi"), received(4, ok)],
        &[posted],
        &[],
    );
    // A response that comes before the request is complete.
    let early = received(2, "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n");
    check(
        &[post, early, sent(3, "hi"), get("b"), received(4, no)],
        &["POST - /a 413 complete hi", b_no],
        &[],
    );
}

#[test]
fn missing_response_bodies_do_not_matter() {
    let get = |name: &str| sent(1, format!("GET /{name} HTTP/1.1\r\n\r\n"));
    let (a_ok, b_ok) = ("GET - /a 200 complete ", "GET - /b 200 complete ");
    let known = "HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n";
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let unsaid = "HTTP/1.1 200 OK\r\n\r\n";
    for head in [known, chunked, unsaid] {
        for cut in [head.len(), "HTTP/1.1 200 OK\r\n".len()] {
            let first = [get("a"), received(2, &head[..cut]), gap(3, RECEIVED, 900)];
            let second = [get("b"), received(4, head), gap(5, RECEIVED, 900)];
            check(&[first, second].concat(), &[a_ok, b_ok], &[]);
        }
    }
    // A gap in which a response began.
    check(
        &[
            get("a"),
            received(2, known),
            gap(3, RECEIVED, 901),
            get("b"),
            received(4, known),
        ],
        &[a_ok, b_ok],
        &[],
    );
}

#[test]
fn another_protocol_ends_the_requests() {
    let upgrade = sent(1, "GET /ws HTTP/1.1\r\nUpgrade: websocket\r\n\r\n");
    let switch = received(2, "HTTP/1.1 101 Switching\r\n\r\n");
    let inside = [
        sent(3, "GET /no HTTP/1.1\r\n\r\n"),
        received(4, "HTTP/1.1 200 OK\r\n\r\n"),
    ];
    check(
        &[&[upgrade, switch][..], &inside].concat(),
        &["GET - /ws 101 complete "],
        &[],
    );
    let connect = sent(1, "CONNECT a.example:443 HTTP/1.1\r\n\r\n");
    let open = received(2, "HTTP/1.1 200 Connected\r\n\r\n");
    check(
        &[&[connect.clone(), open][..], &inside].concat(),
        &["CONNECT a.example a.example:443 200 complete "],
        &[],
    );
    let denied = received(2, "HTTP/1.1 407 Who\r\nContent-Length: 0\r\n\r\n");
    check(
        &[connect, denied, sent(3, "GET / HTTP/1.1\r\n\r\n")],
        &[
            "CONNECT a.example a.example:443 407 complete ",
            "GET - / - complete ",
        ],
        &[],
    );
}

#[test]
fn a_request_does_not_wait_for_ever() {
    let get = |time, name: &str| sent(time, format!("GET /{name} HTTP/1.1\r\n\r\n"));
    let ok = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    let no = "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n";
    let unanswered = "GET - /a - complete ";
    // A late response is not taken for that to the next request.
    check(
        &[
            get(1, "a"),
            get(2 * SECOND, "b"),
            received(MAX_WAIT + 1, ok),
            received(MAX_WAIT + 2, no),
        ],
        &[unanswered, "GET - /b 404 complete "],
        &[],
    );
    let mut connections = Connections::default();
    let (mut losses, mut out) = (Losses::default(), Vec::new());
    connections.push(&get(1, "a"), &mut losses, &mut out);
    connections.tick(Timestamp(MAX_WAIT), &mut out);
    assert!(out.is_empty());
    connections.tick(Timestamp(MAX_WAIT + 1), &mut out);
    assert_eq!(
        out.iter()
            .map(|exchange| shown(&exchange.request))
            .collect::<Vec<_>>(),
        [unanswered]
    );
    out.clear();

    for _ in 0..=MAX_UNANSWERED + 5 {
        connections.push(&get(MAX_WAIT + 2, "b"), &mut losses, &mut out);
    }
    // The first one to give way was handed on before.
    assert_eq!(losses.get(Loss::HttpPipelineLimit), 6);
    assert_eq!(out.len(), 6);
}

#[test]
fn a_thousand_requests_on_one_connection() {
    let mut deliveries = Vec::new();
    for index in 0..1_000_u64 {
        let body = format!("em=jane.roe.{index}@example.com");
        let head = format!(
            "POST /{index} HTTP/1.1\r\nHost: a.example\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        deliveries.extend([
            sent(2 * index, head),
            sent(2 * index, body),
            received(
                2 * index + 1,
                "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n",
            ),
            received(2 * index + 1, "ok"),
        ]);
    }
    let (requests, losses) = run(&deliveries);
    assert_eq!((requests.len(), losses.total()), (1_000, 0));
    for (index, request) in requests.iter().enumerate() {
        let body = format!("em=jane.roe.{index}@example.com");
        let expected = format!("POST a.example /{index} 200 complete {body}");
        assert_eq!(shown(request), expected);
    }
}
