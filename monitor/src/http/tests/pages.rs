//! Pages that servers send, and the requests that they answer.

use super::*;
use crate::event::{Origin, Source};

/// `METHOD host target status completeness body`.
fn shown(page: &Page) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!(
        "{} {} {} {} {} {}",
        page.method.as_deref().unwrap_or("-"),
        page.host.as_deref().unwrap_or("-"),
        page.target
            .as_ref()
            .map_or("-".to_owned(), |target| text(target.expose())),
        page.status,
        page.completeness.as_str(),
        text(page.body.expose())
    )
}

fn pages(deliveries: &[Delivery]) -> Vec<Page> {
    let (mut connections, mut losses) = (Connections::default(), Losses::default());
    let mut out = Vec::new();
    let mut pages = Vec::new();
    for delivery in deliveries {
        connections.push(delivery, &mut losses, &mut out);
        pages.extend(connections.take_pages());
    }
    connections.finish(&mut losses, &mut out);
    pages.extend(connections.take_pages());
    assert_eq!(connections.memory, 0, "memory is not given back");
    pages
}

fn check(deliveries: &[Delivery], expected: &[&str]) {
    let found: Vec<_> = pages(deliveries).iter().map(shown).collect();
    assert_eq!(found, expected);
}

fn asked(target: &str) -> Delivery {
    received(
        1,
        format!("GET {target} HTTP/1.1\r\nHost: A.example\r\n\r\n"),
    )
}

fn html(status: u16, rest: &str) -> String {
    format!("HTTP/1.1 {status} x\r\nContent-Type: Text/HTML; charset=utf-8\r\n{rest}")
}

const A: &str = "GET a.example /a 200 complete <p>a</p>";

#[test]
fn a_page_is_read_in_every_split() {
    let whole = format!(
        "HTTP/1.1 100 Continue\r\n\r\n{}HTTP/1.1 200 x\r\nContent-Type: text/css\r\n\
         Content-Length: 3\r\n\r\nb{{}}{}",
        html(200, "Content-Length: 8\r\n\r\n<p>a</p>"),
        html(
            404,
            "Transfer-Encoding: chunked\r\n\r\n3\r\n<p>\r\n5\r\nc</p>\r\n0\r\n\r\n"
        )
    );
    let expected = [A, "GET a.example /c 404 complete <p>c</p>"];
    for split in 0..=whole.len() {
        let parts = [sent(2, &whole[..split]), sent(3, &whole[split..])];
        let before = [asked("/a"), asked("/b"), asked("/c")];
        check(&[&before[..], &parts].concat(), &expected);
    }
    let each: Vec<_> = whole.bytes().map(|byte| sent(2, [byte])).collect();
    let before = [asked("/a"), asked("/b"), asked("/c")];
    check(&[&before[..], &each].concat(), &expected);
    for end in 0..whole.len() {
        drop(pages(&[asked("/a"), sent(2, &whole[..end])]));
    }
}

#[test]
fn answers_without_a_body_are_none() {
    let a = html(200, "Content-Length: 8\r\n\r\n<p>a</p>");
    let head = received(1, "HEAD /h HTTP/1.1\r\nHost: a.example\r\n\r\n");
    let long = html(200, "Content-Length: 900\r\n\r\n");
    check(&[head, sent(2, long), asked("/a"), sent(3, &a)], &[A]);
    for status in [204, 304] {
        let none = html(status, "Content-Length: 9\r\n\r\n");
        check(
            &[asked("/n"), sent(2, none), asked("/a"), sent(3, &a)],
            &[A],
        );
    }
    let upgraded = "HTTP/1.1 101 x\r\n\r\n";
    check(
        &[asked("/w"), sent(2, upgraded), asked("/a"), sent(3, &a)],
        &[],
    );
}

#[test]
fn behind_a_gap_a_page_answers_the_last_request() {
    let a = html(200, "Content-Length: 8\r\n\r\n<p>a</p>");
    check(
        &[asked("/x.js"), asked("/a"), gap(2, SENT, 500), sent(3, &a)],
        &[A],
    );
    // Only the beginning of a request is present, without its body.
    let post = "POST /a HTTP/1.1\r\nHost: a.example\r\nContent-Length: 700\r\n\r\nfirst";
    let behind = gap(2, RECEIVED, 695);
    check(
        &[received(1, post), behind, sent(3, &a)],
        &["POST a.example /a 200 complete <p>a</p>"],
    );
    check(
        &[
            received(1, post),
            sent(3, &a),
            gap(4, RECEIVED, 695),
            asked("/a"),
            sent(4, &a),
        ],
        &["POST a.example /a 200 complete <p>a</p>", A],
    );
    check(
        &[
            received(1, "GET /a HTTP/1.1\r\nHost: a.example\r\nCookie: x"),
            sent(3, &a),
        ],
        &[A],
    );
    check(&[sent(3, &a)], &["- - - 200 complete <p>a</p>"]);
}

#[test]
fn what_was_seen_of_a_page_is_told_as_far_as_it_goes() {
    let begun = html(200, "Content-Length: 20\r\n\r\n<p>begun");
    let a = html(200, "Content-Length: 8\r\n\r\n<p>a</p>");
    check(
        &[asked("/b"), sent(2, &begun), closed(3)],
        &["GET a.example /b 200 truncated <p>begun"],
    );
    check(
        &[
            asked("/b"),
            sent(2, &begun),
            gap(3, SENT, 12),
            asked("/a"),
            sent(4, &a),
        ],
        &["GET a.example /b 200 gap <p>begun", A],
    );
    check(
        &[
            asked("/b"),
            sent(2, &begun),
            gap(3, SENT, 900),
            asked("/a"),
            sent(4, &a),
        ],
        &["GET a.example /b 200 gap <p>begun", A],
    );
    let open = html(200, "Connection: close\r\n\r\n<p>to the end");
    check(
        &[asked("/b"), sent(2, &open), closed(3)],
        &["GET a.example /b 200 complete <p>to the end"],
    );
    let long = html(200, "Connection: close\r\n\r\n");
    let piece = sent(3, vec![b'x'; 1 << 19]);
    let all = [
        asked("/b"),
        sent(2, &long),
        piece.clone(),
        piece.clone(),
        piece,
    ];
    let found = pages(&all);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].body.expose().len(), MAX_PAGE);
    assert_eq!(found[0].completeness, Completeness::Truncated);
}

#[test]
fn content_decides_where_the_headers_do_not() {
    let bare = |body: &str| {
        format!(
            "HTTP/1.1 200 x\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    for (body, expected) in [
        (" \r\n<!DOCTYPE html><p>", true),
        ("<HTML>", true),
        ("{\"a\": \"<html>\"}", false),
    ] {
        let mut losses = Losses::default();
        let found = pages(&[asked("/a"), sent(2, bare(body))]);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].markup(&mut losses).is_some(), expected, "{body}");
    }
    let json =
        "HTTP/1.1 200 x\r\nContent-Type: application/json\r\nContent-Length: 6\r\n\r\n<html>";
    check(&[asked("/a"), sent(2, json)], &[]);
}

#[test]
fn files_of_others_hold_pages_in_the_other_direction() {
    let get = "GET /a HTTP/1.1\r\nHost: a.example\r\n\r\n";
    let a = html(200, "Content-Length: 8\r\n\r\n<p>a</p>");
    for (source, expected) in [
        (Source::Pcap, &[A][..]),
        (Source::Har, &[A]),
        // A page that a watched client received is someone else's.
        (Source::OpenSsl, &[]),
    ] {
        let origin = Origin {
            source,
            process: None,
            local: None,
            peer: None,
            one_way: false,
            blindness: None,
        };
        let facts = Arc::new(Facts {
            origin: Some(Arc::new(origin)),
            server_name: None,
        });
        let mut all = [sent(1, get), received(2, &a), closed(3)];
        for delivery in &mut all {
            delivery.facts = Arc::clone(&facts);
        }
        check(&all, expected);
        // The request is reported as always.
        let (requests, _) = run(&all);
        assert_eq!((requests.len(), requests[0].status), (1, Some(200)));
    }
}
