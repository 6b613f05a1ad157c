//! Tests of the differences between exporters.

use super::*;

/// The requests of an archive with these entries as text, and the losses.
fn sent(entries: &str) -> (Vec<Vec<u8>>, Losses) {
    let text = format!("{{\"log\":{{\"pages\":[{{}}],\"entries\":[{entries}],\"_x\":1}}}}");
    let (mut queue, mut losses) = (VecDeque::new(), Losses::default());
    let input = Input::new(Box::new(text.as_bytes()), "test.har".into());
    let mut entries = Entries::open(input, Arc::from("test.har"))
        .expect("memory has no errors")
        .expect("an archive");
    while entries.advance(&mut losses).expect("memory has no errors") {
        entries.take(&mut || 1, &mut queue, &mut losses);
    }
    let bodies = queue.into_iter().filter_map(|event| match event.kind {
        EventKind::Data(data) => Some(data.bytes.into_exposed().to_vec()),
        _ => None,
    });
    (bodies.collect(), losses)
}

/// The body that is written out for `post`.
fn check(post: &str, expected: &[u8]) {
    let entry = format!(
        "{{\"request\":{{\"method\":\"POST\",\"url\":\"http://example.com/\",\"postData\":{post}}}}}"
    );
    let (requests, losses) = sent(&entry);
    assert_eq!((requests.len(), losses.total()), (1, 0), "{post}");
    let request = &requests[0];
    let at = memchr::memmem::find(request, b"\r\n\r\n").expect("a head") + 4;
    assert_eq!(&request[at..], expected, "{post}");
    let head = String::from_utf8_lossy(&request[..at]);
    let length = format!("Content-Length: {}\r\n", expected.len());
    assert!(head.contains(&length), "{head}");
}

#[test]
fn bodies_are_taken_as_they_were_sent() {
    check(
        r#"{"mimeType":"text/plain","text":"a\u00e9\n"}"#,
        "aé\n".as_bytes(),
    );
    check(r#"{"text":"aGk=","encoding":"base64"}"#, b"hi");
    check(r#"{"text":"aG\nk=","encoding":"Base64"}"#, b"hi");
    check(
        r#"{"text":"not base64!","encoding":"base64"}"#,
        b"not base64!",
    );
    // Charles and Fiddler write both, or an empty text beside the parameters.
    check(
        r#"{"text":"","params":[{"name":"a","value":"b c"}]}"#,
        b"a=b%20c",
    );
    check(
        r#"{"text":"a=1","params":[{"name":"b","value":"2"}]}"#,
        b"a=1",
    );
    check(
        r#"{"params":[{"name":"a"},{"value":"x"},{"name":"b","value":"%31"}]}"#,
        b"a=&b=%31",
    );
    check(r#"{"comment":"none"}"#, b"");
    // Surrogate halves that stand for bytes, and halves that stand for none.
    check(
        r#"{"text":"\udcff\udc80{\ud83d\ude00}\ud800"}"#,
        b"\xff\x80{\xf0\x9f\x98\x80}\xef\xbf\xbd",
    );
    // Bytes as characters.
    check(
        r#"{"text":"\u001f\u008b\b\u0000\u00ff"}"#,
        b"\x1f\x8b\x08\0\xff",
    );
}

#[test]
fn what_is_missing_or_more_does_not_matter() {
    // No headers, numbers for texts, fields of exporters and comments.
    let plain = r#"{"_initiator":{"type":"script"},"comment":"c","request":{"method":"GET",
        "url":"https://example.com/a","headers":[{"name":5},{"name":"A"},{},7,{"name":":path","value":"/x"},
        {"name":"X","value":"1","_y":2}],"bodySize":-1,"httpVersion":"h3"},
        "response":{"status":0,"content":{}},"timings":null}"#;
    let local = r#"{"request":{"method":"GET","url":"data:text/plain,x"}}"#;
    let socket = r#"{"request":{"method":"GET","url":"wss://example.com/s"},
        "_webSocketMessages":[{"type":"send","data":"x"},{"type":"receive","data":"y"}],
        "response":{"status":101}}"#;
    let none = r#"{"request":{"method":"GET"}},{},[],null,"x",1"#;
    let (requests, losses) = sent(&[plain, local, socket, none].join(" ,\n"));
    let first = String::from_utf8_lossy(&requests[0]).into_owned();
    assert_eq!(
        first,
        "GET /a HTTP/1.1\r\nHost: example.com\r\nX: 1\r\n\r\n"
    );
    assert_eq!(requests.len(), 3);
    assert_eq!(
        losses.iter().collect::<Vec<_>>(),
        [(Loss::CaptureMalformed, 6), (Loss::CaptureWebSocket, 2)]
    );
}

#[test]
fn the_type_of_a_body_is_told_beside_it() {
    let entry = r#"{"request":{"method":"GET","url":"http://example.com/"},
        "response":{"status":200,"content":{"mimeType":"text/html; charset=utf-8","text":"<p>"}}}"#;
    let (messages, _) = sent(entry);
    let response = String::from_utf8_lossy(&messages[1]).into_owned();
    assert!(
        response.contains("Content-Type: text/html; charset=utf-8\r\n"),
        "{response}"
    );
}

#[test]
fn one_entry_is_in_memory_and_not_all_of_it() {
    // A body of many megabytes, and an entry with more content than is kept.
    let long = "x".repeat(30 << 20);
    let entry = |body: &str| {
        format!(
            "{{\"request\":{{\"method\":\"POST\",\"url\":\"http://example.com/\",\
             \"postData\":{{\"text\":\"{body}\"}}}}}}"
        )
    };
    let many = format!("{{\"x\":[{}1]}}", "1,".repeat(1 << 20));
    let (requests, losses) = sent(
        &[&entry(&long), &many, &entry("short")]
            .map(String::as_str)
            .join(","),
    );
    assert_eq!(requests.len(), 2);
    assert!((4 << 20..10 << 20).contains(&requests[0].len()));
    assert_eq!((losses.get(Loss::CaptureTruncated), losses.total()), (2, 2));
}

#[test]
fn garbled_archives_never_panic() {
    let text = ARCHIVE.as_bytes();
    let mut state = 1_u32;
    for _ in 0..3_000 {
        let mut garbled = text.to_vec();
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let at = (state >> 8) as usize % garbled.len();
        garbled[at] = state as u8;
        assert!(shown(&garbled).1.len() <= 20);
    }
}
