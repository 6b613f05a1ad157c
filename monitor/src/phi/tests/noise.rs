//! What tracker traffic is full of and nobody's identifier; values cut anywhere.

use super::{fields, rules};
use crate::phi::Detector;

/// A deterministic generator (splitmix64).
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn pick(&mut self, alphabet: &str, length: usize) -> String {
        (0..length)
            .filter_map(|_| {
                let index = usize::try_from(self.below(alphabet.len() as u64)).ok()?;
                alphabet.chars().nth(index)
            })
            .collect()
    }
}

/// What is generated, and how.
type Kind = (&'static str, fn(&mut Noise) -> String);

#[test]
fn noise_without_a_key_is_no_evidence() {
    const EACH: usize = 2_500;
    const HEX: &str = "0123456789abcdef";
    const DIGITS: &str = "0123456789";
    const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    let mut noise = Noise(3);
    let mut detector = Detector::default();
    let kinds: &[Kind] = &[
        ("seconds", |n| {
            (1_690_000_000 + n.below(110_000_000)).to_string()
        }),
        ("milliseconds", |n| {
            (1_690_000_000_000 + n.below(110_000_000_000)).to_string()
        }),
        ("fractions", |n| {
            format!(
                "{}.{}",
                1_690_000_000 + n.below(110_000_000),
                n.below(1_000_000)
            )
        }),
        ("half of a client id", |n| {
            (100_000_000 + n.below(2_047_483_648)).to_string()
        }),
        ("uuid", |n| {
            [8, 4, 4, 4, 12].map(|length| n.pick(HEX, length)).join("-")
        }),
        ("commit", |n| n.pick(HEX, 40)),
        ("short commit", |n| n.pick(HEX, 7)),
        ("checksum", |n| n.pick(HEX, 64)),
        ("semver", |n| {
            format!("{}.{}.{}", n.below(30), n.below(100), n.below(5_000))
        }),
        ("build", |n| {
            format!(
                "{}.{}.{}.{}",
                n.below(150),
                n.below(10),
                n.below(9_000),
                n.below(255)
            )
        }),
        ("number of an order", |n| {
            format!("#{}", n.below(1_000_000_000))
        }),
        ("dashed order", |n| {
            format!(
                "{}-{}-{}",
                n.pick(DIGITS, 3),
                n.pick(DIGITS, 7),
                n.pick(DIGITS, 7)
            )
        }),
        ("sku", |n| {
            format!("{}-{}", n.pick(UPPER, 4), n.pick(DIGITS, 4))
        }),
        ("token", |n| n.pick(UPPER, 24)),
        ("pixel", |n| n.pick(DIGITS, 15)),
        ("price", |n| {
            format!("{}.{:02}", n.below(2_000), n.below(100))
        }),
        ("size", |n| format!("{}x{}", n.below(4_000), n.below(4_000))),
        ("date", |n| {
            format!("2026-{:02}-{:02}", 1 + n.below(12), 1 + n.below(28))
        }),
    ];
    for (kind, make) in kinds {
        for _ in 0..EACH {
            let value = make(&mut noise);
            let evidence = detector.rules(&fields(&[("properties.value", &value)]));
            assert!(evidence.is_empty(), "{kind}: {value}");
        }
    }
}

#[test]
fn no_prefix_of_a_value_makes_it_panic() {
    let keys = [
        "email",
        "phone",
        "name.first",
        "dob",
        "address",
        "ssn",
        "ssn_last4",
        "mrn",
        "mbi",
        "iban",
        "dea",
        "vin",
        "plate",
        "imei",
        "udi",
        "gclid",
        "ip",
        "latlng",
        "user_id",
        "avatar",
        "voiceprint",
        "admission_date",
        "card_number",
        "note",
        "header:cookie._ga",
        "age",
    ];
    let values = [
        "Jané <jane@example.com> +1 (415) 562-0132 x1",
        "tv.1~em._42YGfwOEr8NJIkuRZh-JJoo3Og2qFytYOKOqqjG2XY",
        "sha256:ff8d9819fc0e12bf0d24892e45987e249a28dce836a85cad60e28eaaa8c6d976",
        "Wed, 29th February 1984 10:00:00 GMT",
        "-9223372036854775808",
        "29.02.1984é",
        "XXX-XX-é789",
        "DE89 3704 0044 0532 0130 00é",
        "1HGCM82633A004352",
        "(01)00844588003288(17)é",
        "P.O. Box 12, Springfield, IL 62704-1234, USA",
        "for=\"[2001:db8::1]:80\", 10.0.0.1",
        "fb.1.1764038463123.IwAR2",
        "data:image/png;base64,é",
        "GA1.2.1033501218.1764038463",
        "1EG4-TE5-MK73",
    ];
    for key in keys {
        for value in values {
            for (end, _) in value.char_indices() {
                rules(&fields(&[(key, &value[..end]), (key, &value[end..])]));
            }
        }
    }
}
