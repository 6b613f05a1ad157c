//! The examples of RFC 7541, appendix C, and what is no HPACK.

use super::*;

fn bytes(hex: &str) -> Vec<u8> {
    let digits: String = hex.split_whitespace().collect();
    base16ct::lower::decode_vec(digits).unwrap()
}

fn shown(field: &Field) -> String {
    let text = |part: &Option<Bytes>| {
        part.as_ref().map_or("?".to_owned(), |part| {
            String::from_utf8_lossy(part).into_owned()
        })
    };
    format!("{}: {}", text(&field.name), text(&field.value))
}

/// Decodes blocks of one connection: the fields of each, and the table's size behind
/// it; `None` for what is malformed.
fn check(mut decoder: Decoder, blocks: &[(&str, Option<&str>, usize)]) {
    for (block, expected, size) in blocks {
        let mut fields = Vec::new();
        let result = decoder.decode(&bytes(block), |field| fields.push(shown(&field)));
        let got = result.is_ok().then(|| fields.join("\n"));
        assert_eq!(got.as_deref(), *expected, "{block}");
        assert_eq!(decoder.table.size(), *size, "{block}");
    }
}

#[test]
fn integers_are_those_of_the_standard() {
    for (hex, prefix, expected) in [
        ("0a", 5, Ok(10)),
        ("1f9a0a", 5, Ok(1337)),
        ("2a", 8, Ok(42)),
        ("1f", 5, Err(Malformed)),
        ("1f9a", 5, Err(Malformed)),
        ("1fffffffff01", 5, Err(Malformed)),
        ("1f80808080808000", 5, Err(Malformed)),
    ] {
        assert_eq!(integer(&mut &*bytes(hex), prefix), expected, "{hex}");
    }
}

#[test]
fn fields_are_those_of_the_standard() {
    for (block, expected, size) in [
        (
            "400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572",
            "custom-key: custom-header",
            55,
        ),
        (
            "040c 2f73 616d 706c 652f 7061 7468",
            ":path: /sample/path",
            0,
        ),
        (
            "1008 7061 7373 776f 7264 0673 6563 7265 74",
            "password: secret",
            0,
        ),
        ("82", ":method: GET", 0),
    ] {
        check(Decoder::default(), &[(block, Some(expected), size)]);
    }
}

const REQUESTS: [(&str, usize); 3] = [
    (
        ":method: GET\n:scheme: http\n:path: /\n:authority: www.example.com",
        57,
    ),
    (
        ":method: GET\n:scheme: http\n:path: /\n:authority: www.example.com\ncache-control: no-cache",
        110,
    ),
    (
        ":method: GET\n:scheme: https\n:path: /index.html\n:authority: www.example.com\ncustom-key: custom-value",
        164,
    ),
];

const RESPONSES: [(&str, usize); 3] = [
    (
        ":status: 302\ncache-control: private\ndate: Mon, 21 Oct 2013 20:13:21 GMT\nlocation: https://www.example.com",
        222,
    ),
    (
        ":status: 307\ncache-control: private\ndate: Mon, 21 Oct 2013 20:13:21 GMT\nlocation: https://www.example.com",
        222,
    ),
    (
        ":status: 200\ncache-control: private\ndate: Mon, 21 Oct 2013 20:13:22 GMT\nlocation: https://www.example.com\ncontent-encoding: gzip\nset-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1",
        215,
    ),
];

#[test]
fn sequences_are_those_of_the_standard() {
    for (blocks, expected) in [
        (
            [
                "8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
                "8286 84be 5808 6e6f 2d63 6163 6865",
                "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65",
            ],
            REQUESTS,
        ),
        (
            [
                "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
                "8286 84be 5886 a8eb 1064 9cbf",
                "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
            ],
            REQUESTS,
        ),
        // The table has 256 bytes, which the first block announces.
        (
            [
                "3fe1 01 4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 \
                 7420 3230 3133 2032 303a 3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 \
                 7777 2e65 7861 6d70 6c65 2e63 6f6d",
                "4803 3330 37c1 c0bf",
                "88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 \
                 474d 54c0 5a04 677a 6970 7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 \
                 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b 2076 \
                 6572 7369 6f6e 3d31",
            ],
            RESPONSES,
        ),
        (
            [
                "3fe1 01 4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 \
                 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3",
                "4883 640e ffc1 c0bf",
                "88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b \
                 d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 \
                 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07",
            ],
            RESPONSES,
        ),
    ] {
        let rows: Vec<_> = blocks
            .iter()
            .zip(expected)
            .map(|(block, (fields, size))| (*block, Some(fields), size))
            .collect();
        check(Decoder::default(), &rows);
    }
}

#[test]
fn what_was_not_seen_is_unknown() {
    let late = [
        // Two entries from before, one of them as a name.
        ("be", Some("?: ?"), 0),
        ("7e 01 61", Some("?: a"), 33),
        // Known from here on; older ones are still unknown.
        (
            "40 01 62 01 63 be bf c0",
            Some("b: c\nb: c\n?: a\n?: ?"),
            67,
        ),
    ];
    check(Decoder::late(), &late);
    let mut decoder = Decoder::default();
    decoder.decode(&bytes("40 01 62 01 63"), |_| {}).unwrap();
    decoder.forget();
    check(decoder, &late);
}

#[test]
fn the_size_changes_in_front_of_fields_alone() {
    let insert = "40 01 62 01 63";
    check(
        Decoder::default(),
        &[
            (insert, Some("b: c"), 34),
            ("20 be", None, 0),
            // Unknown from here on: it was malformed.
            ("be", Some("?: ?"), 0),
        ],
    );
    check(
        Decoder::default(),
        &[
            (insert, Some("b: c"), 34),
            // Emptied and enlarged at once.
            ("20 3f e1 1f 82", Some(":method: GET"), 0),
            (insert, Some("b: c"), 34),
            ("82 3f e1 1f", None, 0),
        ],
    );
    // An entry that does not fit empties the table.
    check(
        Decoder::default(),
        &[
            (&format!("3f 03 {insert}"), Some("b: c"), 34),
            ("40 02 62 62 01 63", Some("bb: c"), 0),
            ("be", None, 0),
        ],
    );
}

#[test]
fn what_is_no_hpack_is_refused() {
    for block in [
        "80",
        "be",
        "ff",
        "40",
        "41",
        "41 02 61",
        "0f",
        "7e 01 61",
        "00 01 61",
        "41 81 ff",
        "41 82 00",
        "41 ff ff ff ff 7f",
    ] {
        check(Decoder::default(), &[(block, None, 0)]);
    }
}

#[test]
fn a_table_beyond_the_limit_is_unknown_where_it_was_cut() {
    let mut decoder = Decoder::default();
    // 1 MiB.
    decoder.decode(&bytes("3f e1 ff 3f"), |_| {}).unwrap();
    let value = vec![b'x'; 16_000];
    for name in *b"abcdef" {
        // 16,000 in a prefix of seven bits.
        let mut block = vec![0x40, 1, name, 0x7f, 0x81, 0x7c];
        block.extend(&value);
        decoder.decode(&block, |_| {}).unwrap();
    }
    assert!(decoder.table.size() <= table::MAX_SIZE && !decoder.table.is_whole());
    let mut names = Vec::new();
    let all: Vec<u8> = (0xbe..=0xc3).collect();
    decoder
        .decode(&all, |field| {
            names.push(field.name.map_or(b'?', |name| name[0]));
        })
        .unwrap();
    assert_eq!(names, b"fedc??");
}

#[test]
fn every_prefix_and_every_byte_is_harmless() {
    let block = bytes("8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff 5886 a8eb 1064 9cbf be bf");
    for end in 0..block.len() {
        let prefix = Decoder::default().decode(&block[..end], |_| {});
        // Between two fields a prefix is a block of its own.
        assert!(prefix.is_ok() || end > 3, "{end}");
        for byte in 0..=255 {
            let mut changed = block.clone();
            changed[end] = byte;
            let mut decoder = Decoder::late();
            if decoder.decode(&changed, |_| {}).is_err() {
                assert_eq!(decoder.table.size(), 0);
            }
        }
    }
}
