//! Tests of HTTP archives.

mod exporters;

use super::*;

const ARCHIVE: &str = r#"{"log":{"version":"1.2","entries":[
{"startedDateTime":"2025-11-25T03:41:03.5+01:00","time":250.5,"serverIPAddress":"[2001:db8::7]",
 "request":{"method":"POST","url":"https://Tracker.example.com/v1/e?id=1#part","httpVersion":"HTTP/2",
  "headers":[{"name":":authority","value":"tracker.example.com"},{"name":"content-encoding","value":"gzip"},
   {"name":"content-length","value":"999"},{"name":"X-Two","value":"a\nb\r\nc"}],
  "postData":{"mimeType":"application/json","text":"{\"a\":1}"}},
 "response":{"status":200,"statusText":"OK","headers":[{"name":"Transfer-Encoding","value":"chunked"}],
  "content":{"size":2,"text":"aGk=","encoding":"base64"}}},
{"startedDateTime":"2025-11-25T03:41:04Z","time":1,
 "request":{"method":"POST","url":"http://192.0.2.1:8080","headers":[{"name":"Content-Type","value":"x"}],
  "postData":{"mimeType":"application/x-www-form-urlencoded","params":[{"name":"who","value":"a b"},{"name":"n","value":"%41"}]}},
 "response":{"status":200,"statusText":"","headers":[],"content":{"size":70}}},
{"request":{"url":"nonsense"}},
{"startedDateTime":"?","request":{"method":"POST","url":"https://example.com/up","headers":[],
  "postData":{"mimeType":"multipart/form-data; boundary=lost","params":[{"name":"f","fileName":"x.txt","value":"body"}]}},
 "response":{"status":0}}
]}}"#;

/// One line for each event, and the losses.
fn shown(text: &[u8]) -> (bool, Vec<String>, Losses) {
    let (mut queue, mut losses, mut handle) = (VecDeque::new(), Losses::default(), 0);
    let mut next = || {
        handle += 1;
        handle
    };
    let input = Input::new(Box::new(text), "test.har".into());
    let entries = Entries::open(input, Arc::from("test.har")).expect("memory has no errors");
    let is_archive = entries.is_some();
    if let Some(mut entries) = entries {
        while entries.advance(&mut losses).expect("memory has no errors") {
            entries.take(&mut next, &mut queue, &mut losses);
        }
    }
    let lines = queue
        .iter()
        .map(|event| {
            let stream = event.stream.handle;
            match &event.kind {
                EventKind::Opened(origin) => {
                    format!("{stream} opened {:?} {}", origin.peer, event.time)
                }
                EventKind::Named(name) => format!("{stream} named {name}"),
                EventKind::Data(data) => format!(
                    "{stream} {:?} {:?}",
                    data.direction,
                    String::from_utf8_lossy(data.bytes.expose())
                ),
                EventKind::Missing { offset, length, .. } => {
                    format!("{stream} missing {offset} {length}")
                }
                EventKind::Closed => format!("{stream} closed {}", event.time),
            }
        })
        .collect();
    (is_archive, lines, losses)
}

#[test]
fn entries_become_exchanges_in_http_1() {
    let (is_archive, lines, losses) = shown(ARCHIVE.as_bytes());
    assert!(is_archive);
    assert_eq!((losses.get(Loss::CaptureMalformed), losses.total()), (1, 1));
    assert_eq!(
        lines,
        [
            "1 opened Some([2001:db8::7]:443) 2025-11-25T02:41:03.500000000Z",
            "1 named tracker.example.com",
            r#"1 Sent "POST /v1/e?id=1 HTTP/1.1\r\nHost: tracker.example.com\r\nX-Two: a\r\nX-Two: b\r\nX-Two: c\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n{\"a\":1}""#,
            r#"1 Received "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi""#,
            "1 closed 2025-11-25T02:41:03.750500000Z",
            "2 opened None 2025-11-25T03:41:04.000000000Z",
            r#"2 Sent "POST / HTTP/1.1\r\nHost: 192.0.2.1:8080\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 15\r\n\r\nwho=a%20b&n=%41""#,
            r#"2 Received "HTTP/1.1 200 \r\nContent-Length: 70\r\n\r\n""#,
            "2 missing 37 70",
            "2 closed 2025-11-25T03:41:04.001000000Z",
            "3 opened None 2025-11-25T03:41:04.000000000Z",
            "3 named example.com",
            r#"3 Sent "POST /up HTTP/1.1\r\nHost: example.com\r\nContent-Type: multipart/form-data; boundary=phiwatch-part-boundary\r\nContent-Length: 122\r\n\r\n--phiwatch-part-boundary\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x.txt\"\r\n\r\nbody\r\n--phiwatch-part-boundary--\r\n""#,
            "3 closed 2025-11-25T03:41:04.000000000Z",
        ]
    );
}

#[test]
fn an_archive_cut_anywhere_gives_the_entries_before() {
    let (_, whole, _) = shown(ARCHIVE.as_bytes());
    for length in 0..ARCHIVE.len() {
        let (is_archive, part, losses) = shown(&ARCHIVE.as_bytes()[..length]);
        assert!(whole.starts_with(&part), "cut at {length}");
        assert_eq!(
            losses.get(Loss::CaptureTruncated),
            u64::from(is_archive),
            "cut at {length}"
        );
    }
}

#[test]
fn other_json_is_no_archive() {
    for text in [
        "{}",
        "{\"log\":1}",
        "{\"log\":{\"entries\":1}}",
        "{\"entries\":[]}",
        "[]",
        "{",
        "",
    ] {
        assert!(!shown(text.as_bytes()).0, "{text}");
    }
    assert!(shown(b"\xef\xbb\xbf{\"log\":{\"entries\":[]}}").0);
    let deep = format!("{{\"log\":{{\"entries\":[{}", "[".repeat(100_000));
    assert!(shown(deep.as_bytes()).0);
}
