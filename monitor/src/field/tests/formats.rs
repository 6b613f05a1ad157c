//! Formats besides forms and JSON: tables, binary formats, frames, and values
//! with a syntax of their own.

use super::*;

/// The fields of `body`, which may be binary; every prefix of it must be
/// harmless.
fn check_binary(body: &[u8], expected: &[(&str, &str)]) {
    let (fields, losses) = read_all(body, false);
    let found = shown(&fields);
    let found: Vec<_> = found
        .iter()
        .map(|(path, value)| (path.as_str(), value.as_str()))
        .collect();
    assert_eq!(found, expected);
    assert_eq!(losses.total(), 0);
    for end in 0..body.len() {
        for cut in [true, false] {
            read_all(&body[..end], cut);
        }
    }
}

#[test]
fn tables_have_rows_and_named_columns() {
    let expected = &[
        ("body[0].Email", "jane.roe@example.com"),
        ("body[0].First Name", "Jane"),
        ("body[1].Email", "john@example.com"),
        ("body[1].First Name", "a, \"b\""),
    ];
    let body =
        "Email,First Name\r\njane.roe@example.com,Jane\r\njohn@example.com,\"a, \"\"b\"\"\"\r\n";
    check_binary(body.as_bytes(), expected);
    let body = "Email\tFirst Name\njane.roe@example.com\tJane\njohn@example.com\ta, \"b\"";
    check_binary(body.as_bytes(), expected);
    check_binary(
        b"UserId|Target|Yclid\n|sale|\n77|x|y\n",
        &[
            ("body[0].Target", "sale"),
            ("body[1].UserId", "77"),
            ("body[1].Target", "x"),
            ("body[1].Yclid", "y"),
        ],
    );
}

#[test]
fn a_customer_list_may_have_no_header() {
    check_binary(
        b"jane.roe@example.com,Jane\njohn@example.com,John\n",
        &[
            ("body[0][0]", "jane.roe@example.com"),
            ("body[0][1]", "Jane"),
            ("body[1][0]", "john@example.com"),
            ("body[1][1]", "John"),
        ],
    );
}

#[test]
fn lines_of_one_word_are_elements() {
    check_binary(
        b"5d41402abc4b2a76b9719d911017c592\n7d793037a0760186574b0282f2f435e7\n",
        &[
            ("body[0]", "5d41402abc4b2a76b9719d911017c592"),
            ("body[1]", "7d793037a0760186574b0282f2f435e7"),
        ],
    );
}

/// A protobuf field with a length.
fn proto(number: u8, content: &[u8]) -> Vec<u8> {
    [&[number << 3 | 2, content.len() as u8], content].concat()
}

#[test]
fn protobuf_is_read_without_its_schema() {
    let address = |email: &str| proto(4, &proto(1, email.as_bytes()));
    let message = [
        proto(1, b"Booked"),
        vec![2 << 3, 0xac, 0x02],
        proto(3, br#"{"dx":"F32.1"}"#),
        address("jane.roe@example.com"),
        address("john@example.com"),
    ]
    .concat();
    let expected = &[
        ("body.1", "Booked"),
        ("body.2", "300"),
        ("body.3.dx", "F32.1"),
        ("body.4[0].1", "jane.roe@example.com"),
        ("body.4[1].1", "john@example.com"),
    ];
    check_binary(&message, expected);
    let frame = |flag: u8, content: &[u8]| {
        let length = (content.len() as u32).to_be_bytes();
        [&[flag][..], &length, content].concat()
    };
    check_binary(&frame(0, &message), expected);
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(&message).unwrap();
    check_binary(&frame(1, &encoder.finish().unwrap()), expected);
    check_binary(
        &[frame(0, b"{\"a\":\"x\"}"), frame(0, &proto(1, b"Jane Roe"))].concat(),
        &[("body[0].a", "x"), ("body[1].1", "Jane Roe")],
    );
    // Entirely printable: the length is that of a long text.
    let long = "a text of exactly forty characters, yes.";
    check_binary(&proto(1, long.as_bytes()), &[("body.1", long)]);
}

#[test]
fn message_pack_and_cbor() {
    let expected = &[
        ("body.email", "jane.roe@example.com"),
        ("body.list[0]", "-3"),
        ("body.list[1]", "true"),
        ("body.list[2]", "1.5"),
        ("body.list[3]", "300"),
    ];
    let pack =
        b"\x82\xa5email\xb4jane.roe@example.com\xa4list\x94\xfd\xc3\xca\x3f\xc0\0\0\xcd\x01\x2c";
    check_binary(pack, expected);
    let cbor =
        b"\xa2\x65email\x74jane.roe@example.com\x64list\x84\x22\xf5\xfa\x3f\xc0\0\0\x19\x01\x2c";
    check_binary(cbor, expected);
    let tagged = [b"\xd9\xd9\xf7".as_slice(), cbor].concat();
    check_binary(&tagged, expected);
    check_binary(b"\xbf\x61a\x9f\x61x\xff\xff", &[("body.a[0]", "x")]);
    check_binary(
        b"\x81\xa1a\xa1x\x81\xa1a\xa1y",
        &[("body[0].a", "x"), ("body[1].a", "y")],
    );
}

#[test]
fn utf16_is_decoded() {
    let text = "{\"email\":\"jañe@example.com\"}";
    let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let expected = &[("body.email", "jañe@example.com")];
    check_binary(&little, expected);
    check_binary(&big, expected);
    check_binary(&[b"\xff\xfe".as_slice(), &little].concat(), expected);
    check_binary(&[b"\xfe\xff".as_slice(), &big].concat(), expected);
}

#[test]
fn values_with_a_mark_of_their_own() {
    check_binary(
        b"em=tv.1~em.abc~pn0.def~fn1.ghi&x=1",
        &[
            ("body.em.em", "abc"),
            ("body.em.pn[0]", "def"),
            ("body.em.fn[1]", "ghi"),
            ("body.x", "1"),
        ],
    );
    // The head of a token that is cut is a JSON text of its own.
    check_binary(
        br#"{"t":"eyJhbGciOiJub25lIn0.eyJlbWFpbCI6ImphbmVAZXhhbXBsZS5jb20ifQ.c2ln"}"#,
        &[("body.t.email", "jane@example.com")],
    );
    check(
        r#"{"t":"data:text/plain;base64,SmFuZSBSb2U=","u":"a=1;b=x y","v":"&lt;b&gt; AT&amp;T"}"#,
        &[
            ("body.t", "Jane Roe"),
            ("body.u.a", "1"),
            ("body.u.b", "x y"),
            ("body.v", "<b> AT&T"),
        ],
    );
    check(
        r#"{"t":"\"Jane Roe\"","u":"\"Jane\" and \"John\"","v":"dob=1980-02-03"}"#,
        &[
            ("body.t", "Jane Roe"),
            ("body.u", "\"Jane\" and \"John\""),
            ("body.v", "dob=1980-02-03"),
            ("body.v.dob", "1980-02-03"),
        ],
    );
}

#[test]
fn encoded_texts_are_yielded_with_what_they_hold() {
    check(
        "a=amFuZUBleGFtcGxlLmNvbQ&b=4a616e6520526f65&c=CompleteRegistration",
        &[
            ("body.a", "amFuZUBleGFtcGxlLmNvbQ"),
            ("body.a", "jane@example.com"),
            ("body.b", "4a616e6520526f65"),
            ("body.b", "Jane Roe"),
            ("body.c", "CompleteRegistration"),
        ],
    );
}

#[test]
fn keys_that_are_values_are_yielded() {
    check(
        r#"{"users":{"jane@example.com":{"plan":"gold"}},"Sleep Apnea":true}"#,
        &[
            ("body.users.{key}", "jane@example.com"),
            ("body.users.jane@example.com.plan", "gold"),
            ("body.{key}", "Sleep Apnea"),
            ("body.Sleep Apnea", "true"),
        ],
    );
    check(
        "a=1&jane%40example.com=2",
        &[
            ("body.a", "1"),
            ("body.{key}", "jane@example.com"),
            ("body.jane@example.com", "2"),
        ],
    );
}

#[test]
fn urls_have_routes_and_parameters_behind_semicolons() {
    check(
        r#"{"u":"https://ad.example/activityi;src=1;u1=sleep%20apnea?q=z#/patients/jane?tab=labs"}"#,
        &[
            (
                "body.u",
                "https://ad.example/activityi;src=1;u1=sleep%20apnea?q=z#/patients/jane?tab=labs",
            ),
            ("body.u[0]", "activityi"),
            ("body.u.src", "1"),
            ("body.u.u1", "sleep apnea"),
            ("body.u.q", "z"),
            ("body.u.fragment[0]", "patients"),
            ("body.u.fragment[1]", "jane"),
            ("body.u.tab", "labs"),
        ],
    );
    check(
        "https://clinic.example/a?email=jane%40example.com",
        &[
            ("body", "https://clinic.example/a?email=jane%40example.com"),
            ("body[0]", "a"),
            ("body.email", "jane@example.com"),
        ],
    );
}

#[test]
fn elements_that_repeat_have_an_index() {
    check_binary(
        b"<r><row><e>a</e><e>b</e></row><row><e>c</e></row><x>1</x></r>",
        &[
            ("body.r.row[0].e[0]", "a"),
            ("body.r.row[0].e[1]", "b"),
            ("body.r.row[1].e", "c"),
            ("body.r.x", "1"),
        ],
    );
}

#[test]
fn lists_of_pairs_have_commas_or_bars_too() {
    check(
        r#"{"a":"item=Desk lamp,category=Home > Light","b":"x=1|y=2","c":"if a=b, then c","d":"a=1,2,3"}"#,
        &[
            ("body.a.item", "Desk lamp"),
            ("body.a.category", "Home > Light"),
            ("body.b.x", "1"),
            ("body.b.y", "2"),
            ("body.c", "if a=b, then c"),
            ("body.d", "a=1,2,3"),
            ("body.d.a", "1,2,3"),
        ],
    );
}
