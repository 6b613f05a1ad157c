//! Tests of the spellings: hashes computed with another library (hashlib of
//! Python) of what each platform's documentation says it hashes.

use super::*;

fn check(class: Identifier, normalized: &str, raw: &str, expected: &[(&str, Form, &str)]) {
    let spellings: Vec<String> = variants(class, normalized, raw).collect();
    assert!(spellings.len() <= MAX_VARIANTS);
    for (platform, form, hash) in expected {
        let found = spellings
            .iter()
            .any(|spelling| digest_of(*form, spelling).as_deref() == Some(hash));
        assert!(found, "{}: {platform}", class.as_str());
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of vectors")]
fn spellings_of_the_platforms() {
    check(
        Identifier::Email,
        "jane.q.roe+x@gmail.com",
        " Jane.Q.Roe+x@Gmail.com ",
        &[
            (
                "lower and trimmed",
                Form::Sha256,
                "72a16102bbffdb895b47bf37b9df3213d49931e7888bee8f280522dc1c68f4f8",
            ),
            (
                "Google: no points",
                Form::Sha256,
                "e42b5c8be42d31d1a51372fc4b001e912e21ccb8bc867064873675d1583c383f",
            ),
            (
                "the first point only",
                Form::Sha256,
                "9c5f00748d9ea9cd9d12da8e71f0f9c58e39bf86a2f6dd3130758bd7f22e3fdf",
            ),
            (
                "UID2",
                Form::Sha256,
                "fba32f956f94e522adba794fe5df6d1bdaf678a1b056fd2e2836f602238f47f1",
            ),
            (
                "raw",
                Form::Sha1,
                "4791a5a735261aa44791c1e55988166fe0b89440",
            ),
            ("not trimmed", Form::Md5, "ee0977c9e99c688d9473b0b61cf17b4c"),
        ],
    );
    check(
        Identifier::Email,
        "jane.roe+x@example.com",
        "jane.roe+x@example.com",
        &[
            (
                "Reddit",
                Form::Sha256,
                "10838f3745fec7d9fb0f1963c735c4d64e895c4855831bcabad7c6b370f691cd",
            ),
            (
                "no tag",
                Form::Sha256,
                "22fff12b355cb9cb6303835fe8227cbb155ee22d300caccba72b326d1a6fb98a",
            ),
            ("Criteo", Form::Md5, "b6c2d77003c8f631b65c0f6d0905a931"),
            (
                "LiveRamp",
                Form::Sha1,
                "fe50e262fc2bff3521567bbf74fc3892b19b8e8e",
            ),
        ],
    );
    check(
        Identifier::Phone,
        "+14155550132",
        "(415) 555-0132",
        &[
            (
                "TikTok",
                Form::Sha256,
                "9e1919ad78a34fd67a84bfbcf2fea14074065517bea32e92924771c3f92e5462",
            ),
            (
                "Meta",
                Form::Sha256,
                "11072303eb5c8cb5c5a1ebb762f11b37b07131265b46fdfe1276196bfbd3ca51",
            ),
            (
                "national",
                Form::Sha256,
                "983c25606b8b0ac842c0bb1b723f3f600de24cd8a792d6e29a7da88d732af0be",
            ),
            (
                "raw",
                Form::Sha256,
                "460ba65f420dc41dbd0fa45af1e2f8d59f874412f25195ea6001fdf80e4f6f55",
            ),
        ],
    );
    check(
        Identifier::Name,
        "jane ann o neil",
        "Jane Ann O'Neil",
        &[
            (
                "lower",
                Form::Sha256,
                "203070ff41a69b3af19266574cdf2150b3913610ca5ce581d1a8ac4167e819e1",
            ),
            (
                "TikTok",
                Form::Sha256,
                "ccaf6caf58c51f8ba340d4bcd88ee3ca203cfd5994a2425c02212ff0be9d3211",
            ),
            (
                "Amazon",
                Form::Sha256,
                "74d71d068651f3f4f880a93044b4f0676377e94f1f0461b822cea46ac35922d6",
            ),
            (
                "first",
                Form::Sha256,
                "81f8f6dde88365f3928796ec7aa53f72820b06db8664f5fe76a7eb13e24546a2",
            ),
            (
                "f5last",
                Form::Sha256,
                "6bd39115f389b43f421ce9833121b567f1af6224819d07ba5e7cd5e4b3f758fc",
            ),
            (
                "Nextdoor",
                Form::Sha256,
                "007fa312f37c867e284e33b5e86663827f88da748e99f812c71a28bfcbfafb78",
            ),
        ],
    );
    check(
        Identifier::BirthDate,
        "1984-02-09",
        "02/09/1984",
        &[
            (
                "Meta",
                Form::Sha256,
                "549f8a9d113a983fa9724c933421b399a038286d24f981ce2d2099e58c996da7",
            ),
            (
                "iso",
                Form::Sha256,
                "1bda0c2f3f9503e8bf8aa780456ad878d0829a7c4bc7bec9eaa280262c95f69e",
            ),
            (
                "raw",
                Form::Sha256,
                "ffd1407f57d83212fe1fe181d22cb5766fa1bed1d80d670ec7663797340383a9",
            ),
            (
                "short",
                Form::Sha512,
                "7cc5a841da4cc0472e4fbb1d6be2065d4d8f78084e3ca0fc900078721ad5d4bba7a496336be7368af9bd5a5a1324bb4281c2c76ecb8bee1fdb6d9053871d852b",
            ),
        ],
    );
    check(
        Identifier::Sex,
        "female",
        "Female",
        &[
            (
                "Meta",
                Form::Sha256,
                "252f10c83610ebca1a059c0bae8255eba2f95be4d1d7bcfa89d7248a82d9f111",
            ),
            (
                "raw",
                Form::Sha256,
                "e8cca808ae5aaa03a7fc3060856e6d4ad776fb1cb8cfe441a9bd240988cde151",
            ),
        ],
    );
    check(
        Identifier::Zip,
        "94110 1234",
        "94110-1234",
        &[
            (
                "Meta",
                Form::Sha256,
                "6fee7c420f269255b01c51634bbae251032bd82d1fcd95a571e4d49baa035a70",
            ),
            (
                "raw",
                Form::Sha256,
                "a7e6b863cf6dda9e2abf77f8f9bc5b431164bd7f6bbb86bd17c369b1aac20c64",
            ),
            (
                "digits",
                Form::Sha256,
                "d9780ae8ad888eb834101eec0d6fc5dcbcb500105f1ed58a2675fd523781b2d3",
            ),
        ],
    );
    check(
        Identifier::Zip,
        "k1a 0b1",
        "K1A 0B1",
        &[
            (
                "Amazon",
                Form::Sha256,
                "3e8d74314dc02166b1ea8c7bd8c2357fb3f9898074395b8c57f8799848b4daa1",
            ),
            (
                "raw",
                Form::Sha384,
                "f0a633ca58ce2c8d82a40924c1f38a3101155fc97dec6a924551761c81ef904695ce62f06ea350f4273d81ba80421adc",
            ),
        ],
    );
    check(
        Identifier::Ssn,
        "219456789",
        "219-45-6789",
        &[
            (
                "digits",
                Form::Sha256,
                "12f3c62349d5c946756ed09f5b50015ca73d550809755247b805f8d1bf37f9ce",
            ),
            (
                "dashes",
                Form::Sha224,
                "a254972d07d73261b51bb197be2997bf2f0f74933f2daf95a22bec6c",
            ),
        ],
    );
    check(
        Identifier::City,
        "new york",
        "New York",
        &[
            (
                "Meta",
                Form::Sha256,
                "350c754ba4d38897693aa077ef43072a859d23f613443133fecbbd90a3512ca5",
            ),
            (
                "lower",
                Form::Sha256,
                "bd732730bd39834d83bf92a114960180d3bd4a6f1309307165e6f30ed9846fdd",
            ),
        ],
    );
    check(
        Identifier::ExternalId,
        "u-77",
        "U-77",
        &[
            (
                "lower",
                Form::Sha256,
                "b11957b465a24a87b1a73c78d654345ab0748b18bbabe71b419531609a5689b8",
            ),
            (
                "raw",
                Form::Sha256,
                "1792d1bfbe5136d9e46457abece3267399f1940e412a5b7f897f11e90c6ea5f2",
            ),
        ],
    );
}

#[test]
fn spellings_differ_and_are_bounded() {
    for class in Identifier::ALL {
        let text = "Ann Bea Cid Dee Eve Fay@gmail.com +1-é 1984-02-29";
        for (end, _) in text.char_indices() {
            let spellings: Vec<String> = variants(*class, &text[..end], text).collect();
            let mut distinct = spellings.clone();
            distinct.sort();
            distinct.dedup();
            assert_eq!(distinct.len(), spellings.len());
            assert!(spellings.len() <= MAX_VARIANTS);
        }
        assert_eq!(variants(*class, "", "").count(), 0);
        assert_eq!(
            variants(*class, &"x".repeat(MAX_LENGTH + 1), "x").count(),
            0
        );
    }
}

#[test]
fn every_function_has_its_length() {
    for (form, hash) in digests("jane") {
        let found = crate::phi::digest::digest(&hash).map(|digest| digest.form);
        assert_eq!(found, Some(form));
    }
    assert_eq!(digests("").count(), FORMS.len());
    assert_eq!(digest_of(Form::Plain, "jane"), None);
}

#[test]
fn soundex_codes() {
    for (name, expected) in [
        ("Robert", Some("R163")),
        ("Rupert", Some("R163")),
        ("Ashcraft", Some("A261")),
        ("Tymczak", Some("T522")),
        ("Pfister", Some("P236")),
        ("Jane", Some("J500")),
        ("1é", None),
        ("", None),
    ] {
        assert_eq!(soundex(name).as_deref(), expected, "{name}");
    }
}
